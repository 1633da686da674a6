"""Compares the clocks of stages with an independent calculation: due days, holds, summer time.

The calculation counts day by day and shares nothing with the register: its own Easter, its own rules of Scotland's bank
holidays, its own summer time.
"""
import calendar
import datetime
import json
import random

import pytest

from payloads import days_ago, days_ahead, today
from scenarios import make_case, make_hold, make_proceeding, move, tag_of, walk

DAY = datetime.timedelta(days=1)
YEARS = range(2012, 2037)
ZONES = ["UTC", "America/New_York", "Pacific/Auckland", "Europe/London"]
LOCAL = {datetime.date(2017, 4, 17), datetime.date(2017, 9, 25), datetime.date(2018, 4, 16)}


def date_of(text):
    return datetime.date.fromisoformat(text)


# ---- The calculation.

def easter(year):
    """Returns Easter Sunday of the Gregorian calendar."""
    century, golden = year // 100, year % 19
    epact = (century - century // 4 - (8 * century + 13) // 25 + 19 * golden + 15) % 30
    epact -= (epact // 28) * (1 - (29 // (epact + 1)) * ((21 - golden) // 11))
    weekday = (year + year // 4 + epact + 2 - century + century // 4) % 7
    past = epact - weekday
    month = 3 + (past + 40) // 44
    return datetime.date(year, month, past + 28 - 31 * (month // 4))


def monday(year, month, last=False):
    """Returns the first, or the last, Monday of a month."""
    days = [datetime.date(year, month, day)
            for day in range(1, calendar.monthrange(year, month)[1] + 1)]
    mondays = [day for day in days if day.weekday() == 0]
    return mondays[-1 if last else 0]


def with_substitutes(days):
    """Returns the fixed holidays; one on a weekend moves to the next free day."""
    found = {day for day in days if day.weekday() < 5}
    for day in sorted(set(days) - found):
        while day.weekday() > 4 or day in found:
            day += DAY
        found.add(day)
    return found


ONCE = {2012: {(6, 5)}, 2022: {(6, 3), (9, 19)}, 2023: {(5, 8)}, 2026: {(6, 15)}}
MOVED = {(2012, "spring"): (6, 4), (2022, "spring"): (6, 2), (2020, "may"): (5, 8)}


def bank_holidays(year):
    usual = {"may": monday(year, 5), "spring": monday(year, 5, last=True)}
    movable = {datetime.date(year, *MOVED[year, name]) if (year, name) in MOVED else day
               for name, day in usual.items()}
    fixed = [with_substitutes([datetime.date(year, *day) for day in pair])
             for pair in ([(1, 1), (1, 2)], [(11, 30)], [(12, 25), (12, 26)])]
    return (movable | set().union(*fixed) | {easter(year) - 2 * DAY, monday(year, 8)}
            | {datetime.date(year, *day) for day in ONCE.get(year, ())})


HOLIDAYS = set().union(*(bank_holidays(year) for year in YEARS))


def is_working(day, local=frozenset()):
    return day.weekday() < 5 and day not in HOLIDAYS and day not in local


def months_later(day, months):
    year, month = divmod(day.year * 12 + day.month - 1 + months, 12)
    return datetime.date(year, month + 1, min(day.day, calendar.monthrange(year, month + 1)[1]))


def nth_day(start, number, counts):
    """Returns the day on which `number` counting days after the start have passed."""
    day = start
    while number > 0:
        day += DAY
        number -= counts(day)
    return day


def due_day(entered, amount, unit, held=frozenset(), local=frozenset()):
    """Returns the due day when the clock was stopped on the held days."""
    if unit == "working_days":
        return nth_day(entered, amount, lambda day: is_working(day, local) and day not in held)
    base = entered + amount * DAY if unit == "calendar_days" else months_later(entered, amount)
    # The stage lasts from its first day to the base day; each of these days must be one that is not held.
    return nth_day(entered - DAY, (base - entered).days + 1, lambda day: day not in held)


def held_days(entered, holds):
    """Returns the days of several holds [first, lifted), each once, from the day of entry on."""
    return {first + number * DAY for first, lifted in holds
            for number in range((lifted - first).days) if first + number * DAY >= entered}


def offset_of(instant):
    """Returns the offset of Scotland: summer time from 01:00 UTC on the last Sundays of March and October."""
    starts, ends = [max(datetime.datetime(instant.year, month, day, 1)
                        for day in range(25, 32) if datetime.date(instant.year, month, day)
                        .weekday() == 6) for month in (3, 10)]
    return datetime.timedelta(hours=1 if starts <= instant < ends else 0)


# ---- The functions of the database.

@pytest.fixture(scope="module")
def calculated(cluster, instances):
    """Evaluates an expression for each of many rows, in a session with the given time zone."""
    def run(columns, expression, rows, zone="UTC"):
        return [value for (value,) in cluster.execute(
            f"set timezone = '{zone}'; select {expression}"
            f" from jsonb_to_recordset(%s) as r({columns}) order by n",
            (json.dumps([{"n": number, **row} for number, row in enumerate(rows)]),))]
    assert instances
    return run


def test_the_bank_holidays_follow_the_rules(cluster, instances):
    assert instances
    stored = {day for (day,) in cluster.execute("select day from register.bank_holiday")}
    assert stored == HOLIDAYS


DUE = "n int, entered date, amount int, unit text, committee text", (
    "due_date(entered, amount, unit, committee)")


@pytest.mark.parametrize("entered, amount, unit, expected", [
    ("2025-01-31", 1, "months", "2025-02-28"), ("2024-01-31", 1, "months", "2024-02-29"),
    ("2028-01-30", 1, "months", "2028-02-29"), ("2024-02-29", 12, "months", "2025-02-28"),
    ("2024-02-29", 48, "months", "2028-02-29"), ("2023-08-31", 6, "months", "2024-02-29"),
    ("2025-12-31", 4, "months", "2026-04-30"), ("2024-02-28", 14, "calendar_days", "2024-03-13"),
    ("2028-02-28", 1, "calendar_days", "2028-02-29"),
    ("2026-03-27", 5, "working_days", "2026-04-06"),  # Good Friday on 3 April
    ("2026-03-28", 14, "calendar_days", "2026-04-11"),  # summer time from 29 March
    ("2026-10-24", 1, "calendar_days", "2026-10-25"),  # until 25 October
    ("2027-12-24", 1, "working_days", "2027-12-29"),  # Christmas on a Saturday
])
def test_due_days_of_well_known_dates(calculated, entered, amount, unit, expected):
    row = {"entered": entered, "amount": amount, "unit": unit}
    assert due_day(date_of(entered), amount, unit) == date_of(expected)
    for zone in ZONES:
        assert calculated(*DUE, [row], zone) == [date_of(expected)]


def amount_for(source, unit):
    return source.randint(1, {"working_days": 150, "calendar_days": 400, "months": 24}[unit])


def random_rows(seed, count):
    """Makes stages with up to six holds, which may overlap, begin before the entry or end after the due day."""
    source = random.Random(seed)
    for _ in range(count):
        entered = datetime.date(2012, 1, 2) + source.randrange(7700) * DAY
        unit = source.choice(["working_days", "calendar_days", "months"])
        holds = []
        for _ in range(source.randint(0, 6)):
            first = entered + source.randint(-40, 300) * DAY
            holds.append((first, first + source.choice([0, 1, 7, source.randint(2, 120)]) * DAY))
        yield {"entered": entered, "amount": amount_for(source, unit), "unit": unit,
               "committee": source.choice(["WLN", None]), "holds": holds}


@pytest.fixture(scope="module")
def local_days(cluster, instances):
    """Local holidays of a committee, long ago so that no other test meets them."""
    assert instances
    days = LOCAL | {datetime.date(year, 9, 26) for year in range(2012, 2020)}
    for day in days:
        cluster.execute("insert into register.local_holiday (committee, day) values ('WLN', %s)"
                        " on conflict do nothing", (day,))
    yield days
    cluster.execute("delete from register.local_holiday where committee = 'WLN'")


HELD = "n int, entered date, amount int, unit text, committee text, holds jsonb", """
    held_due_date(entered, due_date(entered, amount, unit, committee), unit, committee,
        (select coalesce(range_agg(daterange((h ->> 0)::date, (h ->> 1)::date)), '{}')
         from jsonb_array_elements(holds) h))"""


@pytest.mark.parametrize("seed, zone", enumerate(ZONES))
def test_due_days_with_holds_equal_the_calculation(calculated, local_days, seed, zone):
    rows = list(random_rows(seed, 250))
    sent = [{**row, "entered": row["entered"].isoformat(),
             "holds": [[day.isoformat() for day in hold] for hold in row["holds"]]} for row in rows]
    expected = [due_day(row["entered"], row["amount"], row["unit"],
                        held_days(row["entered"], row["holds"]),
                        local_days if row["committee"] == "WLN" else frozenset()) for row in rows]
    assert calculated(*HELD, sent, zone) == expected


@pytest.mark.parametrize("unit", ["calendar_days", "months", "working_days"])
def test_without_a_held_day_the_due_day_does_not_move(calculated, unit):
    row = {"entered": "2026-01-05", "amount": 1, "unit": unit, "holds": []}
    columns, _ = HELD
    found = calculated(columns, "held_due_date(entered, '2026-02-14', unit, null, '{}')", [row])
    assert found == [datetime.date(2026, 2, 14)]


@pytest.mark.parametrize("zone", ZONES)
def test_the_day_changes_at_midnight_in_scotland(calculated, zone):
    """Tests every half hour of the days around both clock changes of five years, and of one New Year."""
    instants = []
    for year in range(2024, 2029):
        for month, day in ((3, 24), (10, 24)):
            begin = datetime.datetime(year, month, day)
            instants += [begin + number * datetime.timedelta(minutes=30) for number in range(384)]
    instants += [datetime.datetime(2026, 12, 31) + number * datetime.timedelta(minutes=30)
                 for number in range(96)]
    found = calculated("n int, at timestamptz", "scottish_day(at)",
                       [{"at": one.isoformat() + "Z"} for one in instants], zone)
    assert found == [(one + offset_of(one)).date() for one in instants]


# ---- Through the API.

def clock_of(committee, case_id, number=-1):
    """Returns a stage of the case with its clock; the present one unless numbered."""
    return committee.send("listCaseStages", id=case_id).expect(200)["items"][number]


def gathering(committee, entered, **overrides):
    """Creates a case that entered information gathering on a past day: due 14 days later."""
    case = make_case(committee, opened_on=entered, **overrides)
    return move(committee, case["id"], "information_gathering", occurred_on=entered).expect(201).json


def hold(committee, case, first, lifted=None, **overrides):
    members = {"stages": ["information_gathering"], "held_from": days_ago(first), **overrides}
    lifted_on = None if lifted is None else days_ago(lifted)
    return make_hold(committee, case, lifted_on=lifted_on, **members)


def change_hold(committee, made, **members):
    path = {"id": made["case_id"], "hold_id": made["id"]}
    return committee.send("changeHold", members, **path,
                          if_match=tag_of(committee, "getHold", **path)).expect(200)


def lift(committee, made, days=0):
    return change_hold(committee, made, lifted_on=days_ago(days))


def test_a_lifted_hold_moves_the_due_day_by_its_days(committee):
    case = gathering(committee, days_ago(20))
    hold(committee, case, 10, 6)
    stage = clock_of(committee, case["id"])
    assert (stage["original_due_on"], stage["due_on"]) == (days_ago(6), days_ago(2))
    assert (stage["held_days"], stage["held_since"]) == (4, None)
    case = committee.send("getCase", id=case["id"])
    assert (case["stage_due_on"], case["original_due_on"]) == (days_ago(2), days_ago(6))


def test_days_in_two_holds_count_once(committee):
    case = gathering(committee, days_ago(20))
    for first, lifted in ((12, 8), (10, 7), (11, 9)):
        hold(committee, case, first, lifted)
    stage = clock_of(committee, case["id"])
    assert (stage["due_on"], stage["held_days"]) == (days_ago(1), 5)


def test_days_before_the_entry_and_after_the_due_day_move_nothing(committee):
    case = make_case(committee, opened_on=days_ago(40))
    case = move(committee, case["id"], "information_gathering",
                occurred_on=days_ago(30)).expect(201).json
    hold(committee, case, 38, 30)
    hold(committee, case, 15, 3)
    assert clock_of(committee, case["id"])["due_on"] == days_ago(16)
    hold(committee, case, 17, 16)
    # Each further day before the due day reaches a held day, until the hold was lifted.
    assert clock_of(committee, case["id"])["due_on"] == days_ago(3)


def test_a_held_due_day_is_replaced_by_a_later_day(committee):
    case = gathering(committee, days_ago(20))
    hold(committee, case, 6, 5)
    assert clock_of(committee, case["id"])["due_on"] == days_ago(5)


def test_a_hold_on_another_stage_moves_nothing(committee):
    case = gathering(committee, days_ago(20))
    hold(committee, case, 12, 2, stages=["notification", "recommendation"])
    stage = clock_of(committee, case["id"])
    assert (stage["due_on"], stage["held_days"], stage["overdue"]) == (days_ago(6), 0, True)


def test_an_open_hold_stops_the_clock(committee):
    case = gathering(committee, days_ago(20))
    assert committee.send("getCase", id=case["id"])["overdue"] is True
    hold(committee, case, 8)
    case = committee.send("getCase", id=case["id"]).json
    stage = clock_of(committee, case["id"])
    for one in (case, stage):
        assert (one["clock_stopped"], one["overdue"]) == (True, False)
        assert one["held_since"] == days_ago(8)
    assert (stage["held_days"], stage["late"]) == (8, False)
    assert stage["due_on"] == days_ago(6)


def test_a_stopped_clock_keeps_the_days_of_the_holds_lifted_before(committee):
    case = gathering(committee, days_ago(20))
    hold(committee, case, 15, 12)
    hold(committee, case, 5)
    stage = clock_of(committee, case["id"])
    assert (stage["due_on"], stage["held_since"], stage["held_days"]) == (days_ago(3), days_ago(5),
                                                                          8)


def test_the_clock_runs_again_when_the_hold_is_lifted(committee):
    case = gathering(committee, days_ago(20))
    made = hold(committee, case, 8)
    lift(committee, made, 5)
    case = committee.send("getCase", id=case["id"]).json
    assert (case["clock_stopped"], case["held_since"]) == (False, None)
    assert (case["stage_due_on"], case["overdue"]) == (days_ago(3), True)


def test_a_hold_lifted_on_its_first_day_changes_nothing(committee):
    case = gathering(committee, days_ago(20))
    lift(committee, hold(committee, case, 8), 8)
    stage = clock_of(committee, case["id"])
    assert (stage["due_on"], stage["held_days"], stage["clock_stopped"]) == (days_ago(6), 0, False)


def test_the_clock_is_stopped_until_the_last_hold_is_lifted(committee):
    case = gathering(committee, days_ago(20))
    first, second = hold(committee, case, 10), hold(committee, case, 7)
    lift(committee, first, 4)
    stage = clock_of(committee, case["id"])
    assert (stage["clock_stopped"], stage["held_since"]) == (True, days_ago(10))
    lift(committee, second, 1)
    assert clock_of(committee, case["id"])["due_on"] == days_ahead(3)


def test_a_stage_that_was_late_before_the_hold_stays_late(committee):
    case = gathering(committee, days_ago(20))
    made = hold(committee, case, 3)
    stage = clock_of(committee, case["id"])
    assert (stage["overdue"], stage["late"]) == (False, True)
    lift(committee, made)
    stage = clock_of(committee, case["id"])
    assert (stage["due_on"], stage["overdue"], stage["late"]) == (days_ago(6), True, True)


def test_correcting_a_hold_moves_the_due_day_back(committee):
    case = gathering(committee, days_ago(20))
    made = hold(committee, case, 10, 6)
    change_hold(committee, made, held_from=days_ago(7))
    assert clock_of(committee, case["id"])["due_on"] == days_ago(5)
    change_hold(committee, made, stages=["review"])
    assert clock_of(committee, case["id"])["due_on"] == days_ago(6)


def test_entering_a_held_stage_starts_with_a_stopped_clock(committee):
    case = make_case(committee, opened_on=days_ago(30))
    hold(committee, case, 25)
    moved = move(committee, case["id"], "information_gathering", occurred_on=days_ago(20))
    assert (moved["clock_stopped"], moved["held_since"]) == (True, days_ago(20))
    assert (moved["overdue"], moved["version"]) == (False, case["version"] + 1)


def test_leaving_a_held_stage_ends_its_clock(committee):
    case = gathering(committee, days_ago(30))
    hold(committee, case, 20)
    move(committee, case["id"], "recommendation", occurred_on=days_ago(15)).expect(201)
    left, present = [clock_of(committee, case["id"], number) for number in (-2, -1)]
    assert (left["clock_stopped"], left["held_since"], left["held_days"]) == (False, None, 5)
    assert (left["due_on"], left["overdue"]) == (days_ago(11), False)
    assert (present["clock_stopped"], present["due_on"]) == (False, days_ago(1))


def test_a_hold_recorded_later_counts_for_a_past_stage(committee):
    case = gathering(committee, days_ago(30))
    move(committee, case["id"], "recommendation", occurred_on=days_ago(13)).expect(201)
    assert clock_of(committee, case["id"], -2)["overdue"] is True
    hold(committee, case, 25, 20)
    left = clock_of(committee, case["id"], -2)
    assert (left["due_on"], left["overdue"], left["late"]) == (days_ago(11), False, False)
    assert committee.send("getCase", id=case["id"])["stage_due_on"] == days_ahead(1)


def test_a_hold_counts_only_for_its_own_visit_of_the_stage(committee):
    case = gathering(committee, days_ago(30))
    move(committee, case["id"], "closed", "discontinued", occurred_on=days_ago(25)).expect(201)
    move(committee, case["id"], "information_gathering", "new_information",
         occurred_on=days_ago(10)).expect(201)
    hold(committee, case, 8, 5)
    stages = committee.send("listCaseStages", id=case["id"])["items"]
    assert [one["due_on"] for one in stages[1::2]] == [days_ago(16), days_ahead(7)]
    assert [one["held_days"] for one in stages[1::2]] == [0, 3]


def test_a_held_stage_without_a_timescale_has_no_due_day(committee):
    case = make_case(committee, "implementation")
    made = hold(committee, case, 0, stages=["implementation"])
    stage = clock_of(committee, case["id"])
    assert (stage["due_on"], stage["clock_stopped"], stage["late"]) == (None, True, False)
    lift(committee, made)
    assert clock_of(committee, case["id"])["due_on"] is None


def test_the_end_of_proceedings_restarts_the_clock(committee):
    case = gathering(committee, days_ago(20))
    made = make_proceeding(committee, case)
    hold(committee, case, 9, proceeding_id=made["id"])
    assert committee.send("getCase", id=case["id"])["clock_stopped"] is True
    path = {"id": case["id"], "proceeding_id": made["id"]}
    committee.send("changeCaseProceeding", {"ended_on": days_ago(4)}, **path,
                   if_match=tag_of(committee, "getCaseProceeding", **path)).expect(200)
    case = committee.send("getCase", id=case["id"]).json
    assert (case["clock_stopped"], case["stage_due_on"]) == (False, days_ago(1))


def test_the_clock_changes_the_version_of_the_case_only_when_it_changes(committee):
    case = gathering(committee, days_ago(20))
    hold(committee, case, 8, stages=["review"])
    assert committee.send("getCase", id=case["id"])["version"] == case["version"]
    made = hold(committee, case, 8)
    assert committee.send("getCase", id=case["id"])["version"] == case["version"] + 1
    change_hold(committee, made, planned_until=days_ahead(4))
    assert committee.send("getCase", id=case["id"])["version"] == case["version"] + 1


def random_holds(source, latest):
    """Returns random lifted holds of the last days, as days ago: (first, lifted)."""
    for _ in range(source.randint(1, 4)):
        first = source.randint(1, latest)
        yield first, max(0, first - source.randint(0, 12))


def check_clock(committee, source, stage, amount, unit, begin, local_authority="S12000049"):
    """Tests one case with random holds on its present stage."""
    entered = source.randint(5, begin)
    case = make_case(committee, opened_on=days_ago(entered), local_authority=local_authority)
    if stage != "notification":
        move(committee, case["id"], stage, occurred_on=days_ago(entered)).expect(201)
    holds = list(random_holds(source, entered))
    for first, lifted in holds:
        hold(committee, case, first, lifted, stages=[stage])
    begun = date_of(days_ago(entered))
    held = held_days(begun, [(date_of(days_ago(first)), date_of(days_ago(lifted)))
                             for first, lifted in holds])
    shown = clock_of(committee, case["id"])
    assert date_of(shown["original_due_on"]) == due_day(begun, amount, unit)
    assert date_of(shown["due_on"]) == due_day(begun, amount, unit, held)
    assert shown["held_days"] == len(held)
    assert shown["overdue"] == (due_day(begun, amount, unit, held) < date_of(today()))


@pytest.mark.parametrize("seed", range(12))
def test_random_holds_move_calendar_days_as_calculated(committee, seed):
    check_clock(committee, random.Random(seed), "information_gathering", 14, "calendar_days", 40)


@pytest.mark.parametrize("seed", range(12))
def test_random_holds_move_working_days_as_calculated(committee, seed):
    check_clock(committee, random.Random(seed), "notification", 5, "working_days", 40)


@pytest.fixture(scope="module")
def monthly(caller, cluster):
    """Creates a committee that gives the agencies two months."""
    cluster.execute("insert into register.timescale (stage, committee, amount, unit, valid_from) values"
                    " ('information_gathering', 'EDU', 2, 'months', '2012-01-01')")
    yield caller("CPC-EDU")
    cluster.execute("delete from register.timescale where committee = 'EDU'")


@pytest.mark.parametrize("seed", range(8))
def test_random_holds_move_months_as_calculated(monthly, seed):
    check_clock(monthly, random.Random(seed), "information_gathering", 2, "months", 120,
                "S12000045")


def test_a_later_change_of_a_timescale_moves_no_fixed_due_day(caller, cluster):
    board = caller("CPC-NAY")
    case = gathering(board, days_ago(20), local_authority="S12000021")
    cluster.execute("insert into register.timescale (stage, committee, amount, unit, valid_from) values"
                    " ('information_gathering', 'NAY', 50, 'working_days', '2012-01-01')")
    cluster.execute("insert into register.local_holiday (committee, day) values ('NAY', %s)",
                    (days_ago(9),))
    try:
        hold(board, case, 10, 9)
        assert clock_of(board, case["id"])["due_on"] == days_ago(5)
    finally:
        cluster.execute("delete from register.timescale where committee = 'NAY'")
        cluster.execute("delete from register.local_holiday where committee = 'NAY'")


# ---- Servers in other time zones.

@pytest.fixture(scope="module", params=["America/New_York", "Pacific/Auckland"])
def elsewhere(request, cluster, committee, module_instance):
    """A caller of an instance that runs in another time zone, on a database set to the same zone."""
    cluster.execute(f"alter database learning_reviews set timezone = '{request.param}'")
    cluster.execute(f"alter role register_service set timezone = '{request.param}'")
    yield committee.at(module_instance(TZ=request.param).url)
    cluster.execute("alter database learning_reviews reset timezone")
    cluster.execute("alter role register_service reset timezone")


def test_today_is_the_day_in_scotland_in_any_time_zone_of_the_server(elsewhere):
    assert make_case(elsewhere, opened_on=today())["overdue"] is False
    refused = elsewhere.send("openCase", {**case_document(), "opened_on": days_ahead(1)})
    assert (refused.status, refused.rules) == (422, {"date_in_future"})


def case_document():
    return {"local_authority": "S12000049", "criteria": ["abuse_or_neglect"],
            "children": [{"child_id": "elsewhere", "outcome": "significant_harm",
                          "age_band": "5_10", "sex": "female"}]}


@pytest.mark.parametrize("opened", ["2026-03-20", "2025-10-17", "2026-03-27", "2025-10-24"])
def test_a_clock_is_right_across_the_change_of_time(elsewhere, committee, opened):
    due = due_day(date_of(opened), 14, "calendar_days")
    first, lifted = date_of(opened) + DAY, date_of(opened) + 4 * DAY
    held = held_days(date_of(opened), [(first, lifted)])
    for server in (elsewhere, committee):
        case = gathering(server, opened)
        assert case["stage_due_on"] == due.isoformat()
        make_hold(server, case, stages=["information_gathering"], held_from=first.isoformat(),
                  lifted_on=lifted.isoformat(), review_on=lifted.isoformat())
        assert clock_of(server, case["id"])["due_on"] == due_day(
            date_of(opened), 14, "calendar_days", held).isoformat()


# ---- Lists.

@pytest.fixture(scope="module")
def dunbartonshire(caller):
    """A committee with known clocks: overdue, on hold after its due day, revised, due in 14 days."""
    made = caller("CPC-WDU")
    area = {"local_authority": "S12000039"}
    cases = {"overdue": gathering(made, days_ago(30), **area),
             "held": gathering(made, days_ago(29), **area),
             "revised": gathering(made, days_ago(28), **area),
             "soon": gathering(made, today(), **area)}
    hold(made, cases["held"], 20)
    revise(made, cases["revised"]["id"], revised_due_on=days_ahead(3), delay_reasons=["capacity"])
    return made, {case["id"]: name for name, case in cases.items()}


def revise(committee, case_id, **members):
    path = {"id": case_id, "stage_id": clock_of(committee, case_id)["id"]}
    return committee.send("changeCaseStage", members, **path,
                          if_match=tag_of(committee, "getCaseStage", **path))


@pytest.mark.parametrize("query, names", [
    ("overdue=true", {"overdue"}), ("overdue=false", {"held", "revised", "soon"}),
    ("on_hold=true", {"held"}), ("on_hold=false", {"overdue", "revised", "soon"}),
    ("due_soon=14", {"revised", "soon"}), ("due_soon=13", {"revised"}), ("due_soon=2", set()),
    ("due_soon=3&on_hold=false", {"revised"}), ("due_soon=365&overdue=true", set())])
def test_lists_of_cases_follow_the_clocks(dunbartonshire, query, names):
    board, known = dunbartonshire
    assert {known[one["id"]] for one in walk(board, "listCases", query)} == names


def test_cases_are_sorted_by_effective_due_day_with_stopped_clocks_last(dunbartonshire):
    board, known = dunbartonshire
    found = [known[one["id"]] for one in walk(board, "listCases", "sort=stage_due_on&limit=1")]
    assert found == ["overdue", "revised", "soon", "held"]


@pytest.mark.parametrize("query", ["due_soon=0", "due_soon=366", "due_soon=many", "on_hold=maybe"])
def test_an_invalid_filter_is_refused(committee, query):
    reply = committee.send("listCases", query=query)
    assert (reply.status, reply.parameters) == (400, {query.partition("=")[0]})


# ---- Delays.

def test_a_stage_is_read_at_its_address(committee):
    case = gathering(committee, days_ago(20))
    stage = clock_of(committee, case["id"])
    assert committee.send("getCaseStage", id=case["id"], stage_id=stage["id"]).json == stage
    other = make_case(committee)
    assert committee.send("getCaseStage", id=other["id"], stage_id=stage["id"]).status == 404


def test_a_revised_due_day_clears_overdue_but_not_late(committee):
    case = gathering(committee, days_ago(20))
    reply = revise(committee, case["id"], delay_reasons=["awaiting_agency_information"],
                   revised_due_on=days_ahead(5))
    assert (reply.status, reply["overdue"], reply["late"]) == (200, False, True)
    assert (reply["due_on"], reply["revised_due_on"]) == (days_ago(6), days_ahead(5))
    case = committee.send("getCase", id=case["id"])
    assert (case["overdue"], case["stage_due_on"], case["revised_due_on"]) == (
        False, days_ago(6), days_ahead(5))


def test_a_stage_is_overdue_again_after_its_revised_due_day(committee):
    case = gathering(committee, days_ago(20))
    reply = revise(committee, case["id"], delay_reasons=["complexity"], revised_due_on=days_ago(1))
    assert (reply.status, reply["overdue"]) == (200, True)
    assert revise(committee, case["id"], revised_due_on=today())["overdue"] is False


def test_a_hold_can_move_the_due_day_past_the_revised_one(committee):
    case = gathering(committee, days_ago(20))
    revise(committee, case["id"], delay_reasons=["capacity"], revised_due_on=days_ago(4)).expect(200)
    hold(committee, case, 10, 2)
    case = committee.send("getCase", id=case["id"])
    assert (case["stage_due_on"], case["revised_due_on"], case["overdue"]) == (
        days_ahead(2), days_ago(4), False)


def test_null_clears_a_revised_due_day(committee):
    case = gathering(committee, days_ago(20))
    revise(committee, case["id"], delay_reasons=["other"], revised_due_on=today()).expect(200)
    reply = revise(committee, case["id"], revised_due_on=None)
    assert (reply["revised_due_on"], reply["overdue"]) == (None, True)
    assert committee.send("getCase", id=case["id"])["revised_due_on"] is None


def test_the_next_stage_begins_without_a_revised_due_day(committee):
    case = gathering(committee, days_ago(20))
    revise(committee, case["id"], delay_reasons=["other"], revised_due_on=today()).expect(200)
    moved = move(committee, case["id"], "recommendation").expect(201)
    assert (moved["revised_due_on"], moved["stage_due_on"]) == (None, days_ahead(14))
    assert moved["original_due_on"] == days_ahead(14)
    left = clock_of(committee, case["id"], -2)
    assert (left["revised_due_on"], left["overdue"], left["late"]) == (today(), False, True)


@pytest.mark.parametrize("members, pointer, rule", [
    ({"revised_due_on": days_ago(7), "delay_reasons": ["capacity"]}, "/revised_due_on",
     "date_order"),
    ({"revised_due_on": days_ahead(7)}, "/delay_reasons", "delay_reason_required"),
])
def test_a_delay_must_follow_the_rules(committee, members, pointer, rule):
    case = gathering(committee, days_ago(20))
    reply = revise(committee, case["id"], **members)
    assert (reply.status, reply.pointers, reply.rules) == (422, {pointer}, {rule})
    assert clock_of(committee, case["id"])["version"] == 1


def test_a_stage_without_a_due_day_has_no_revised_due_day(committee):
    case = make_case(committee, "implementation")
    reply = revise(committee, case["id"], revised_due_on=today(), delay_reasons=["capacity"])
    assert (reply.status, reply.pointers, reply.rules) == (422, {"/revised_due_on"}, {"no_due_day"})


def test_a_past_stage_gets_a_reason_and_no_revised_due_day(committee):
    case = gathering(committee, days_ago(20))
    path = {"id": case["id"], "stage_id": clock_of(committee, case["id"], 0)["id"]}
    replies = [committee.send("changeCaseStage", members, **path,
                              if_match=tag_of(committee, "getCaseStage", **path))
               for members in ({"delay_reasons": ["capacity"]}, {"revised_due_on": today()})]
    assert (replies[0].status, replies[0]["delay_reasons"]) == (200, ["capacity"])
    reply = replies[1]
    assert (reply.status, reply.rules) == (422, {"only_present_stage"})


@pytest.mark.parametrize("members, pointer", [
    ({"due_on": today()}, "/due_on"), ({"delay_reasons": ["laziness"]}, "/delay_reasons/0"),
    ({"delay_reasons": None}, "/delay_reasons"), ({}, "")])
def test_a_delay_must_follow_the_contract(committee, members, pointer):
    reply = revise(committee, make_case(committee)["id"], **members)
    assert (reply.status, reply.pointers) == (400, {pointer})


def test_the_stages_of_a_closed_case_do_not_change(committee):
    case = make_case(committee)
    move(committee, case["id"], "closed", "discontinued").expect(201)
    reply = revise(committee, case["id"], delay_reasons=["capacity"])
    assert (reply.status, reply.rules) == (409, {"case_closed"})
