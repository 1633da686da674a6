"""Recomputes every table of statistics, from the rows of the register and without its functions.

It compares days as days; erased cases have only months, and are read from their facts.
"""
import collections
import datetime
import decimal
import math

ALL = "*"


def first_of_month(day):
    return day.replace(day=1)


def month_of(text):
    return datetime.date.fromisoformat(text + "-01") if text else None


def add_months(day, months):
    """Returns the same day of another month, or its last day."""
    year, month = divmod(day.year * 12 + day.month - 1 + months, 12)
    for last in range(day.day, 27, -1):
        try:
            return datetime.date(year, month + 1, last)
        except ValueError:
            continue
    return datetime.date(year, month + 1, day.day)


def period_start(day, kind):
    if kind == "month":
        return day.replace(day=1)
    if kind == "quarter":
        return datetime.date(day.year, (day.month - 1) // 3 * 3 + 1, 1)
    if kind == "calendar_year":
        return datetime.date(day.year, 1, 1)
    begins = 8 if kind == "academic_year" else 4
    year = day.year if day.month >= begins else day.year - 1
    if kind == "three_years":
        year -= (year - 2015) % 3
    return datetime.date(year, begins, 1)


MONTHS = {"month": 1, "quarter": 3, "three_years": 36}


def quantile(values, share):
    """Type 7, from five values on."""
    if len(values) < 5:
        return None
    ordered = sorted(values)
    place = (len(ordered) - 1) * share
    low = math.floor(place)
    high = min(low + 1, len(ordered) - 1)
    return ordered[low] + (place - low) * (ordered[high] - ordered[low])


class Register:
    """Returns the rows of the tables, as dicts."""

    TABLES = ("review_case child case_stage case_decision case_access case_transfer information_request "
              "ratification finding family_engagement publication notice case_hold proceeding action "
              "impact_review referral anonymous_referral anonymous_review organisation").split()

    def __init__(self, cluster):
        self.today = cluster.execute("select register.today()")[0][0]
        self.rows = {}
        for table in self.TABLES:
            names = [one[0] for one in cluster.execute(
                "select attname from pg_attribute where attrelid = %s::regclass and attnum > 0 "
                "and not attisdropped order by attnum", (f"register.{table}",))]
            self.rows[table] = [dict(zip(names, row)) for row in cluster.execute(
                f"select {', '.join(names)} from register.{table}")]
        self.kind = {one["code"]: one["kind"] for one in self.rows["organisation"]}
        self.seat = {one["code"]: one["committee"] for one in self.rows["organisation"]}
        self.by_case = {table: collections.defaultdict(list) for table in self.TABLES}
        for table in self.TABLES:
            for row in self.rows[table]:
                if row.get("case_id"):
                    self.by_case[table][row["case_id"]].append(row)
        self.merged = collections.defaultdict(list)
        for case in self.rows["review_case"]:
            if case["merged_into"]:
                self.merged[case["merged_into"]].append(case["id"])

    def of(self, case, table, with_merged=False):
        ids = [case["id"]] + (self.merged[case["id"]] if with_merged else [])
        return [row for one in ids for row in self.by_case[table][one]]


class Facts:
    """Returns (measure, scope, day, category, group, value) of everything that counts."""

    def __init__(self, register):
        self.register, self.found = register, []
        for case in register.rows["review_case"]:
            if case["merged_into"] is None:
                self.count_case(case)
        for review in register.rows["anonymous_review"]:
            if review["facts"]["closure"] != "merged":
                self.count_anonymous(review)
        for referral in register.rows["referral"]:
            self.count_referral(referral["committee"], referral["transferred_from"],
                                register.kind[referral["source_organisation"]], referral["received_on"],
                                referral["status"], referral["reason"])
        for referral in register.rows["anonymous_referral"]:
            self.count_referral(referral["committee"], referral["transferred_from"], referral["source_kind"],
                                referral["received_month"], referral["status"], referral["reason"])

    def add(self, measure, scopes, day, category=None, group=None, value=0):
        for scope in scopes:
            self.found.append((measure, scope, day, category, group, value))

    def count_referral(self, committee, former, kind, day, status, reason):
        status = "open" if status in ("submitted", "acknowledged") else status
        scopes = [ALL, committee]
        self.add("referrals_received", scopes, day)
        self.add("referrals_received.source_kind", scopes, day, None, kind)
        self.add("referrals_outcome", scopes, day, status)
        self.add("referrals_outcome.reason", scopes, day, status, reason or "none")
        if former:
            self.add("referrals_outcome", [former], day, "transferred")
            self.add("referrals_outcome.reason", [former], day, "transferred", "none")

    def home_of(self, case, decision):
        moves = [one for one in self.register.of(case, "case_transfer") if one["status"] == "accepted"
                 and decision and (one["decided_on"], one["updated_at"])
                 > (decision["decided_on"], decision["recorded_at"])]
        moves.sort(key=lambda one: (one["decided_on"], one["updated_at"]))
        return moves[0]["from_committee"] if moves else case["committee"]

    def count_decided(self, scopes, day, outcome, edition, criteria, reasons, joint, on_time, days, children):
        self.add("decisions", scopes, day, outcome)
        self.add("decisions.edition", scopes, day, outcome, edition)
        for criterion in criteria:
            self.add("decisions.criterion", scopes, day, outcome, criterion)
        if joint:
            self.add("decisions#joint", scopes, day)
        if outcome in ("do_not_proceed", "alternative_review"):
            self.add("non_proceed_reasons#", scopes, day)
            for reason in reasons:
                self.add("non_proceed_reasons", scopes, day, reason)
        timeliness = {True: "on_time", False: "late", None: "no_due_day"}[on_time]
        self.add("days_to_decision", scopes, day, timeliness, None, days)
        for child in children:
            self.add("children", scopes, day, child["outcome"])
            for part in ("age_band", "sex", "legal_status", "register_status", "ethnic_group", "disability"):
                self.add(f"children.{part}", scopes, day, child["outcome"], child[part])
            if child["outcome"] == "died":
                self.add("deaths_by_cause", scopes, day, child["cause_of_death_group"] or "not_recorded")

    def count_ratified(self, scopes, day, review_type, joint, gross, net, factors, learning, effective, family,
                       child, form, within, days):
        self.add("reviews_completed", scopes, day)
        self.add("reviews_completed.review_type", scopes, day, None, review_type)
        if joint:
            self.add("reviews_completed#joint", scopes, day)
        for basis, number in (("gross", gross), ("net", net)):
            if number is not None:
                self.add("days_to_complete", scopes, day, basis, None, number)
        for base in ("factors#", "themes#", "family_involvement#"):
            self.add(base, scopes, day)
        for factor in set(factors):
            self.add("factors", scopes, day, factor)
        for theme in set(learning) | set(effective):
            self.add("themes", scopes, day, theme)
        for kind, themes in (("learning_point", learning), ("effective_practice", effective)):
            for theme in set(themes):
                self.add("themes.finding_kind", scopes, day, theme, kind)
        for who, took_part in (("family", family), ("child", child)):
            if took_part:
                self.add("family_involvement", scopes, day, who)
        self.add("publication", scopes, day, form or "not_decided")
        if within:
            self.add("publication#within", scopes, day)
        if days is not None:
            self.add("publication~", scopes, day, None, None, days)

    def count_holds(self, scopes, holds):
        """`holds`: (kind, day, days or None)."""
        kinds = collections.defaultdict(list)
        for kind, day, days in holds:
            kinds[kind or "none"].append((day, days))
        for kind, those in kinds.items():
            began = min(day for day, _ in those)
            self.add("holds", scopes, began, kind)
            if all(days is not None for _, days in those):
                self.add("holds~", scopes, began, kind, None, sum(days for _, days in those))
        if kinds:
            self.add("holds#", scopes, min(day for those in kinds.values() for day, _ in those))

    def binary(self, measure, scopes, day, good, words, group=None, breakdown=None):
        word = words[0] if good else words[1]
        self.add(measure, scopes, day, word)
        if breakdown:
            self.add(f"{measure}.{breakdown}", scopes, day, word, group)

    def count_case(self, case):
        register, today = self.register, self.register.today
        of = register.of
        decision = next((one for one in of(case, "case_decision") if one["current"]), None)
        home = self.home_of(case, decision)
        joint = sorted({register.seat[one["organisation"]] for one in of(case, "case_access")
                        if one["role"] == "joint_committee"
                        and (one["ended_on"] is None or one["ended_on"] > one["starts_on"])} - {home, None})
        scopes = [ALL, home, *joint]
        if decision:
            stage = next((one for one in of(case, "case_stage") if one["sequence"] == decision["visit"]
                          and one["stage"] == "decision"), None)
            due = stage and stage["due_on"]
            start = case["earliest_referral_received_on"]
            if start is None or start > decision["decided_on"]:
                start = case["opened_on"]
            self.count_decided(scopes, decision["decided_on"], decision["outcome"], case["guidance_edition"],
                               case["criteria"], decision["reasons"], joint,
                               None if due is None else decision["decided_on"] <= due,
                               (decision["decided_on"] - start).days, of(case, "child"))
        started = [one["entered_on"] for one in of(case, "case_stage") if one["stage"] == "set_up"]
        if started:
            self.add("reviews_started", scopes, min(started))
            self.add("reviews_started.review_type", scopes, min(started), None, case["review_type"])
            if joint:
                self.add("reviews_started#joint", scopes, min(started))
        ratified = max((one["decided_on"] for one in of(case, "ratification") if one["outcome"] == "ratified"),
                       default=None)
        if ratified:
            self.count_ratified_case(case, scopes, joint, decision, ratified)
        self.count_holds(scopes, [
            (next((one["kind"] for one in register.rows["proceeding"] if one["id"] == hold["proceeding_id"]), None),
             hold["held_from"], hold["lifted_on"] and (hold["lifted_on"] - hold["held_from"]).days)
            for hold in of(case, "case_hold", True)])
        for request in of(case, "information_request", True):
            if request["status"] not in ("waived", "withdrawn") and request["due_on"] < today:
                good = request["answered_on"] is not None and request["answered_on"] <= request["due_on"]
                self.binary("info_return_on_time", scopes, request["due_on"], good, ("on_time", "late"),
                            register.kind[request["organisation"]], "organisation_kind")
        for action in of(case, "action", True):
            self.count_action(case, scopes, action)
        if case["stage"] != "closed":
            here = [ALL, case["committee"]]
            self.add("caseload", here, None, case["stage"], None, (today - case["opened_on"]).days)
            due = case["stage_due_on"] and max(case["stage_due_on"], case["revised_due_on"] or case["stage_due_on"])
            if due and case["held_since"] is None and due < today:
                self.add("caseload#overdue", here, None, case["stage"])
            if case["held_since"] is not None:
                self.add("caseload#held", here, None, case["stage"])

    def count_ratified_case(self, case, scopes, joint, decision, ratified):
        of, today = self.register.of, self.register.today
        gross = (ratified - decision["decided_on"]).days if decision and decision["decided_on"] <= ratified else None
        held = set()
        for hold in of(case, "case_hold"):
            if decision and hold["stages"]:
                day = max(hold["held_from"], decision["decided_on"])
                while day < min(hold["lifted_on"] or ratified, ratified):
                    held.add(day)
                    day += datetime.timedelta(days=1)
        findings = of(case, "finding")
        took_part = [one for one in of(case, "family_engagement") if one["response"] == "took_part"]
        publication = next(iter(of(case, "publication")), {})
        published = publication.get("published_on")
        self.count_ratified(
            scopes, ratified, case["review_type"], joint, gross, None if gross is None else gross - len(held),
            [factor for one in findings for factor in one["factors"]],
            [theme for one in findings if one["kind"] == "learning_point" for theme in one["themes"]],
            [theme for one in findings if one["kind"] == "effective_practice" for theme in one["themes"]],
            bool(took_part), any(one["relation"] == "child_or_young_person" for one in took_part),
            publication.get("form"), published is not None and published <= add_months(ratified, 6),
            (published - ratified).days if published and published >= ratified else None)
        notices = [one for one in of(case, "notice") if one["kind"] == "outcome" and one["withdrawn_on"] is None]
        if ratified + datetime.timedelta(days=7) < today:
            good = bool(notices) and all(one["sent_on"] is not None and (one["sent_on"] - ratified).days <= 7
                                         for one in notices)
            self.binary("notices_on_time", scopes, ratified, good, ("on_time", "late"))

    def count_action(self, case, scopes, action):
        register, today = self.register, self.register.today
        kind = register.kind[action["owner_organisation"]]
        ended = action["status"] in ("completed", "verified")
        if action["status"] != "superseded" and action["original_due_on"] < today:
            good = ended and action["completed_on"] <= action["original_due_on"]
            self.binary("actions_on_time", scopes, action["original_due_on"], good, ("on_time", "late"), kind,
                        "owner_kind")
        if ended:
            self.add("action_slippage", scopes, action["completed_on"], None, None,
                     (action["due_on"] - action["original_due_on"]).days)
            self.add("action_lateness", scopes, action["completed_on"], None, None,
                     (action["completed_on"] - action["original_due_on"]).days)
        if action["verified_on"] and add_months(action["verified_on"], 12) < today:
            year_after = add_months(action["verified_on"], 12)
            good = any(one["reviewed_on"] <= year_after for one in register.rows["impact_review"]
                       if one["action_id"] == action["id"])
            self.binary("impact_reviewed", scopes, year_after, good, ("reviewed", "not_reviewed"))
        if action["status"] in ("proposed", "agreed", "in_progress"):
            here = [ALL, case["committee"]]
            for suffix in ("", "#overdue") if action["due_on"] < today else ("",):
                self.add("actions_open" + suffix, here, None)
                self.add("actions_open.owner_kind" + suffix, here, None, None, kind)
                for theme in action["themes"]:
                    self.add("actions_open.theme" + suffix, here, None, None, theme)

    def count_anonymous(self, review):
        facts = review["facts"]
        joint = facts["joint_committees"]
        scopes = [ALL, facts["deciding_committee"], *joint]
        if facts["decided_month"]:
            self.count_decided(scopes, month_of(facts["decided_month"]), facts["decision_outcome"],
                               facts["guidance_edition"], facts["criteria"], facts["decision_reasons"], joint,
                               facts["decision_on_time"], facts["days_to_decision"], facts["children"])
        if facts["set_up_month"]:
            self.add("reviews_started", scopes, month_of(facts["set_up_month"]))
            self.add("reviews_started.review_type", scopes, month_of(facts["set_up_month"]), None,
                     facts["review_type"])
            if joint:
                self.add("reviews_started#joint", scopes, month_of(facts["set_up_month"]))
        if facts["ratified_month"]:
            day = month_of(facts["ratified_month"])
            self.count_ratified(scopes, day, facts["review_type"], joint, facts["days_to_complete"],
                                facts["days_to_complete_net"], facts["factors"], facts["learning_themes"],
                                facts["effective_themes"], facts["family_took_part"], facts["child_took_part"],
                                facts["publication_form"], facts["published_in_six_months"],
                                facts["days_to_publication"])
            self.binary("notices_on_time", scopes, day, facts["outcome_notices_on_time"], ("on_time", "late"))
        self.count_holds(scopes, [(one["proceeding_kind"], month_of(one["started_month"]), one["days"])
                                  for one in facts["holds"]])
        for one in facts["information_requests"]:
            if one["status"] not in ("waived", "withdrawn"):
                self.binary("info_return_on_time", scopes, month_of(one["due_month"]), one["on_time"],
                            ("on_time", "late"), one["kind"], "organisation_kind")
        for one in facts["actions"]:
            ended = one["status"] in ("completed", "verified")
            if one["status"] != "superseded":
                self.binary("actions_on_time", scopes, month_of(one["due_month"]), ended and one["on_time"],
                            ("on_time", "late"), one["owner_kind"], "owner_kind")
            if ended:
                self.add("action_slippage", scopes, month_of(one["completed_month"]), None, None,
                         one["slippage_days"])
                if one.get("days_late") is not None:
                    self.add("action_lateness", scopes, month_of(one["completed_month"]), None, None,
                             one["days_late"])
            if one["year_after_verification"]:
                self.binary("impact_reviewed", scopes, month_of(one["year_after_verification"]),
                            one["impact_in_year"], ("reviewed", "not_reviewed"))
        for one in facts["referrals"]:
            self.count_referral(review["committee"], one["transferred_from"], one["source_kind"],
                                month_of(one["received_month"]), "accepted", None)


class Table:
    """Returns the figures of one table for one query, as {(period_from, category, group, figure): value}."""

    def __init__(self, facts, definition, groups, scope=ALL, breakdown=None, kind="financial_year", start=None,
                 end=None):
        self.facts, self.definition, self.kind = facts, definition, kind
        self.code, self.breakdown = definition["table"], breakdown
        self.categories = definition["categories"] or [None]
        self.groups = groups if breakdown else [None]
        self.scope, self.start, self.end = scope, start, end
        self.figures = {}

    def values(self, suffix=""):
        """Returns {(period, category, group): [values]} of a measure."""
        part = "" if self.breakdown in (None, "committee") or suffix in ("#", "~", "#joint", "#within") else (
            "." + self.breakdown)
        name = self.code + part + suffix
        found = collections.defaultdict(list)
        for measure, scope, day, category, group, value in self.facts.found:
            if measure != name or (self.breakdown != "committee" or suffix == "#") and scope != self.scope:
                continue
            if self.breakdown == "committee" and suffix != "#" and scope == ALL:
                continue
            if day is not None and not self.start <= first_of_month(day) < self.end:
                continue
            period = period_start(day, self.kind) if day is not None else None
            found[period, category, scope if self.breakdown == "committee" else group].append(value)
        return found

    def periods(self):
        day = self.start
        while day < self.end:
            yield day
            day = add_months(day, MONTHS.get(self.kind, 12))

    def put(self, period, category, group, figure, value):
        self.figures[period, category, group, figure] = value

    @staticmethod
    def share(part, whole):
        if not whole:
            return None
        exact = decimal.Decimal(part) / whole
        return float(exact.quantize(decimal.Decimal("0.0001"), decimal.ROUND_HALF_UP))

    def compute(self):
        code = self.code
        if self.definition["snapshot"]:
            self.compute_snapshot()
            return self.figures
        base, values = self.values("#"), self.values()
        for period in self.periods():
            for group in self.groups:
                counts = {one: len(values[period, one, group]) for one in self.categories}
                for category, count in counts.items():
                    self.put(period, category, group, "count", count)
                    if "reviews" in self.definition["figures"] and code != "holds":
                        self.put(period, category, group, "share",
                                 self.share(count, len(base[period, None, None])))
                if code in ("referrals_outcome", "decisions", "children", "deaths_by_cause", "days_to_decision",
                            "publication") or set(self.categories) in ({"on_time", "late"},
                                                                       {"reviewed", "not_reviewed"}):
                    self.put(period, None, group, "count", sum(counts.values()))
                if self.categories[:2] in (["on_time", "late"], ["reviewed", "not_reviewed"]):
                    first, second = self.categories[:2]
                    self.put(period, None, group, "share",
                             self.share(counts[first], counts[first] + counts[second]))
                if code in ("days_to_complete", "action_slippage", "action_lateness"):
                    for category in self.categories:
                        self.put_days(period, category, group, values[period, category, group], True)
                if code == "days_to_decision":
                    self.put_days(period, None, group, [one for category in self.categories
                                                        for one in values[period, category, group]], True)
            if "reviews" in self.definition["figures"]:
                self.put(period, None, None, "reviews", len(base[period, None, None]))
            if "of_which_joint" in self.definition["figures"] and self.breakdown is None:
                self.put(period, None, None, "of_which_joint", len(self.values("#joint")[period, None, None]))
            if code == "publication":
                within = len(self.values("#within")[period, None, None])
                self.put(period, None, None, "within_six_months", within)
                total = self.figures[period, None, None, "count"]
                self.put(period, None, None, "share_within_six_months", self.share(within, total))
                self.put_days(period, None, None, self.values("~")[period, None, None], False)
            if code == "holds":
                for category in self.categories:
                    self.put_days(period, category, None, self.values("~")[period, category, None], False)
        return self.figures

    def put_days(self, period, category, group, values, with_p90):
        self.put(period, category, group, "median_days", quantile(values, 0.5))
        if with_p90:
            self.put(period, category, group, "p90_days", quantile(values, 0.9))

    def compute_snapshot(self):
        today = self.facts.register.today
        open_now, late = self.values(), self.values("#overdue")
        held = self.values("#held")
        for group in self.groups:
            for category in self.categories:
                ages = open_now[None, category, group]
                self.put(today, category, group, "count", len(ages))
                self.put(today, category, group, "overdue", len(late[None, category, group]))
                if self.code == "caseload":
                    self.put(today, category, group, "on_hold", len(held[None, category, group]))
                    self.put(today, category, group, "median_age_days", quantile(ages, 0.5))
            if self.code == "caseload":
                for figure, source in (("count", open_now), ("overdue", late), ("on_hold", held)):
                    self.put(today, None, group, figure,
                             sum(len(source[None, category, group]) for category in self.categories))
