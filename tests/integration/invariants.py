"""Invariants of a case in the database that must hold after any sequence of requests."""
import collections

import model

# Members that record_change() does not record.
TECHNICAL = {"id", "committee", "case_id", "version", "created_at", "updated_at", "recorded_at",
             "recorded_by", "stage_due_or_never"}
RECORDED = """
    select c.relname, split_part(encode(t.tgargs, 'escape'), E'\\\\000', 1)
    from pg_trigger t join pg_class c on c.oid = t.tgrelid
    where t.tgname = 'record_change' and c.relname <> 'retention_rule' order by 1"""  # belongs to no case
# Referrals have their own lifecycle. The other tables are compared with the record of changes, and the feed follows it.
PARTS = """
    select c.relname from pg_class c join pg_attribute a on a.attrelid = c.oid
    where c.relnamespace = 'register'::regnamespace and c.relkind = 'r' and a.attname = 'case_id'
        and c.relname not in ('referral', 'change') and c.relname not like 'feed%'"""
ROWS = "select '{table}' as name, to_jsonb(t) as row from register.{table} t where {key} = any ($1)"
CHANGES = "select 'change', to_jsonb(t) from register.change t where case_id = any ($1) and id > $2"


class Broken(AssertionError):
    pass


def hold(condition, what, *facts):
    if not condition:
        raise Broken(f"{what}: {facts}")


class Watcher:
    """Reads all rows of cases, and their record of changes."""

    def __init__(self, link):
        self.link = link
        self.tables = dict(self.do(RECORDED))
        hold(self.tables.keys() == {"review_case", *(name for name, in self.do(PARTS))},
             "not each part of a case is recorded", self.tables)
        parts = [ROWS.format(table=table, key="id" if table == "review_case" else "case_id")
                 for table in self.tables]
        self.do("set plan_cache_mode = force_generic_plan")
        self.do("prepare look (uuid[], bigint) as " + " union all ".join([*parts, CHANGES]))
        self.rows, self.replayed = {}, collections.defaultdict(dict)
        self.last_change, self.clients = {}, {}

    def do(self, statement, parameters=None):
        with self.link.cursor() as cursor:
            cursor.execute(statement, parameters)
            return cursor.fetchall() if cursor.description else None

    def look(self, cases):
        """Reads the cases again and checks everything; returns the rows of each by table."""
        ids = [one.id for one in cases]
        seen = min(self.last_change.get(one, 0) for one in ids)
        found = {one: collections.defaultdict(list) for one in ids}
        for table, row in self.do("execute look (%s::uuid[], %s)", (ids, seen)):
            found[row["id" if table == "review_case" else "case_id"]][table].append(row)
        for one, facts in found.items():
            self.replay(one, sorted(facts.pop("change", ()), key=lambda row: row["id"]))
            self.compare(facts)
            self.versions_grow(one, facts)
            check(facts)
            self.check_separation(facts)
            nothing_published_while_held(self.rows.get(one), facts)
            self.rows[one] = facts
        return found

    def version(self, case_id, table, row_id):
        for row in self.rows[case_id][table]:
            if row_id in (row.get("id"), row.get("case_id")) and row.get("current", True):
                return row["version"]
        return None

    # --- the record of changes -------------------------------------------------------------------

    def replay(self, case_id, record):
        """Applies the new entries of the record; each change must begin with the values at the end of the previous one.
        """
        for one in record:
            if one["id"] <= self.last_change.get(case_id, 0):
                continue
            key = one["subject"], one["subject_id"]
            for name, values in one["changes"].items():
                hold(self.replayed[key].get(name) == values["before"], "the record of changes has a gap",
                     one, name, self.replayed[key].get(name))
                self.replayed[key][name] = values["after"]
                self.clients[*key, name] = one["recorded_client"]
            self.last_change[case_id] = one["id"]

    def compare(self, facts):
        for table, rows in facts.items():
            for row in rows:
                now = {name: value for name, value in row.items()
                       if name not in TECHNICAL and value is not None}
                said = {name: value for name, value in self.replayed[
                    self.tables[table], row.get("id", row.get("case_id"))].items()
                        if value is not None}
                hold(now == said, "the record of changes does not add up to the row", table,
                     {name: (now.get(name), said.get(name)) for name in now.keys() | said.keys()
                      if now.get(name) != said.get(name)})

    def versions_grow(self, case_id, facts):
        for table, rows in self.rows.get(case_id, {}).items():
            now = {row.get("id", row.get("case_id")): row for row in facts[table]}
            for was in rows:
                key = was.get("id", was.get("case_id"))
                hold(key in now, "a row disappeared", table, key)
                if "version" in was:
                    grown = now[key]["version"] - was["version"]
                    hold(grown > 0 or now[key] == was and grown == 0,
                         "a changed row has the same version", table, was, now[key])

    def check_separation(self, facts):
        for one in facts["action"]:
            if one["status"] == "verified":
                verifier = self.clients["action", one["id"], "verified_on"]
                hold(one["completed_on"] and one["evidence"]
                     and one["completed_by"] not in (None, verifier), "verified by its owner", one)
        # While the chief officers have the report, it must not change.
        for one in facts["ratification"]:
            latest = max(each["sequence"] for each in facts["case_stage"])
            if one["stage_sequence"] == latest:
                report = facts["report"][0]
                hold(self.clients["ratification", one["id"], "outcome"]
                     not in (report["written_by"], report["agreed_by"]),
                     "ratified by the author of the report", one)


ALLOWED = {(one, to) for one in model.STAGES for to, _ in model.Model(one).moves()}


def check(facts):
    """Checks the invariants of one case."""
    case = facts["review_case"][0]
    visits = sorted(facts["case_stage"], key=lambda one: one["sequence"])
    history_is_linear(case, visits)
    closed = case["stage"] == "closed"
    hold(closed == (case["closed_on"] is not None) == (case["closure"] is not None)
         and (not closed or case["closed_on"] == visits[-1]["entered_on"]),
         "a closed case has a day and a reason, an open one neither", case)
    hold((case["closure"] == "merged") == (case["merged_into"] is not None), "only a merged case has a target", case)
    decided_as_the_stage_asks(case, facts)
    clock_agrees(case, visits[-1], facts["case_hold"])
    no_circle({one["id"]: one["depends_on"] for one in facts["action"]})
    for rows in facts.values():
        for row in rows:
            hold(row["committee"] == case["committee"], "a part belongs to another committee", row)


def history_is_linear(case, visits):
    hold([one["sequence"] for one in visits] == list(range(1, len(visits) + 1)),
         "the history has gaps", visits)
    for one, then in zip(visits, visits[1:]):
        hold(one["left_on"] == then["entered_on"] >= one["entered_on"],
             "the history has a gap between two stages", one, then)
        hold((one["stage"], then["stage"]) in ALLOWED or then["stage"] == "closed"
             and (case["closure"] == "merged"), "the move is not allowed", one, then)
    last = visits[-1]
    hold(last["left_on"] is None and (last["stage"], last["entered_on"])
         == (case["stage"], case["stage_entered_on"]), "the history does not end in the present stage", last, case)
    hold(visits[0]["stage"] == "notification", "the history does not begin with notification", visits[0])


def decided_as_the_stage_asks(case, facts):
    current = [one for one in facts["case_decision"] if one["current"]]
    hold(len(current) == min(1, len(facts["case_decision"])), "not exactly one decision is current", current)
    outcome = case["decision_outcome"]
    hold(outcome is None or outcome == current[0]["outcome"], "the case shows another decision", case, current)
    wanted = {"review": ("proceed", "alternative_review")}.get(case["stage"], ("proceed",))
    if model.STAGES.index(case["stage"]) in range(4, 10):
        hold(outcome in wanted, "no decision allows this stage", case)
    if case["stage"] in ("implementation", "evaluation"):
        rewritten = max((one["sequence"] for one in facts["case_stage"]
                         if one["stage"] in ("review", "reporting")), default=0)
        hold(any(one["outcome"] == "ratified" and one["stage_sequence"] >= rewritten
                 for one in facts["ratification"]), "no report was ratified", case)


def clock_agrees(case, visit, holds):
    stopped = any(case["stage"] in one["stages"] and one["lifted_on"] is None for one in holds)
    hold(case["clock_stopped"] == stopped == (case["held_since"] is not None),
         "the clock contradicts the holds", case, holds)
    for mine, name in (("stage_due_on", "due_on"), ("original_due_on", "original_due_on"),
                       ("held_since", "held_since")):
        hold(case[mine] == visit[name], "case and stage differ", case, visit)


def no_circle(depends):
    done = set()

    def visit(one, path):
        hold(one not in path, "the dependencies of actions are circular", path)
        if one not in done and one in depends:
            for other in depends[one]:
                visit(other, path | {one})
            done.add(one)
    for one in depends:
        visit(one, frozenset())


def nothing_published_while_held(before, after):
    for one in after["publication"]:
        was = before["publication"][0] if before and before["publication"] else {}
        if one["published_on"] and one["published_on"] != was.get("published_on"):
            hold(not any(each["tracks"] and each["lifted_on"] is None
                         for each in after["case_hold"]), "published while held", one)
            hold(one["anonymisation_checked_by"] not in (None,), "published without a check", one)
