"""Settings of a committee: how long a stage may take, and its local holidays."""
import concurrent.futures
import datetime

import pytest

from client import new_key
from payloads import days_ahead, new_number, new_timescale, today
from scenarios import make_case, move

# Committees that no other test uses: only this file sets their timescales.
ISLANDS, AYRSHIRE, ANGUS, FALKIRK = ("S12000013", "S12000008", "S12000041", "S12000014")
LONG_AGO = "2020-02-03"


@pytest.fixture(scope="module")
def islands(caller):
    return caller("CPC-OHB", "timescales")


@pytest.fixture(scope="module")
def ayrshire(caller):
    return caller("CPC-EAY", "timescales")


def entered(client, council, stage="information_gathering"):
    """Returns the due day of a stage that a case of the council enters today."""
    return make_case(client, stage, local_authority=council)["stage_due_on"]


def first(items, stage):
    return [one for one in items if one["stage"] == stage]


def holiday(client, on_day, name="Trades fair", **more):
    return client.send("createLocalHoliday", {"holiday_on": on_day, "name": name}, **more)


def test_the_due_day_follows_the_committees_own_timescale(islands, ayrshire):
    assert entered(islands, ISLANDS) == days_ahead(14)
    reply = islands.send("createTimescale", new_timescale(amount=21))
    assert reply.status == 201
    assert reply.json == {"stage": "information_gathering", "committee": "OHB", "amount": 21,
                          "unit": "calendar_days", "valid_from": today()}
    assert entered(islands, ISLANDS) == days_ahead(21)
    assert entered(ayrshire, AYRSHIRE) == days_ahead(14)


def test_existing_due_days_do_not_change(caller):
    client = caller("CPC-ANG", "timescales")
    case = make_case(client, "information_gathering", local_authority=ANGUS)
    client.send("createTimescale", new_timescale(amount=1)).expect(201)
    assert client.send("getCase", id=case["id"])["stage_due_on"] == days_ahead(14)


def test_a_timescale_that_begins_tomorrow_changes_nothing_today(ayrshire):
    ayrshire.send("createTimescale", new_timescale(stage="recommendation", amount=3,
                                                valid_from=days_ahead(1))).expect(201)
    assert entered(ayrshire, AYRSHIRE, "recommendation") == days_ahead(14)


def test_the_latest_begun_timescale_counts(cluster, caller):
    client = caller("CPC-FAL", "timescales")
    client.send("createTimescale", new_timescale(amount=30)).expect(201)
    cluster.execute("update register.timescale set valid_from = %s where committee = 'FAL'",
                    [LONG_AGO])
    client.send("createTimescale", new_timescale(amount=9)).expect(201)
    assert entered(client, FALKIRK) == days_ahead(9)


def test_a_stage_without_default_gets_a_timescale(islands):
    islands.send("createTimescale", new_timescale(stage="implementation", amount=2,
                                                 unit="calendar_days")).expect(201)
    assert entered(islands, ISLANDS, "implementation") == days_ahead(2)


def test_a_timescale_must_not_begin_in_the_past(ayrshire):
    before = ayrshire.send("listOwnTimescales")["items"]
    reply = ayrshire.send("createTimescale", new_timescale(stage="review", valid_from=days_ahead(-1)))
    assert (reply.status, reply.pointers, reply.rules) == (422, {"/valid_from"},
                                                           {"not_in_the_past"})
    assert ayrshire.send("listOwnTimescales")["items"] == before


def test_two_timescales_of_a_stage_on_one_day_are_refused(ayrshire):
    mine = new_timescale(stage="set_up", valid_from=days_ahead(40))
    ayrshire.send("createTimescale", mine).expect(201)
    reply = ayrshire.send("createTimescale", {**mine, "amount": 5})
    assert (reply.status, reply.pointers, reply.rules) == (409, {"/valid_from"},
                                                           {"repeated_timescale"})
    assert [one["amount"] for one in first(ayrshire.send("listOwnTimescales")["items"], "set_up")] == [21]


def test_one_of_ten_concurrent_timescales_is_set(ayrshire):
    mine = new_timescale(stage="reporting", valid_from=days_ahead(41))
    with concurrent.futures.ThreadPoolExecutor(max_workers=10) as pool:
        replies = list(pool.map(lambda n: ayrshire.send("createTimescale", {**mine, "amount": n + 1}),
                                range(10)))
    assert sorted(reply.status for reply in replies) == [201] + [409] * 9


def test_the_history_of_timescales_is_kept(caller):
    client = caller("CPC-PKN", "timescales")
    for days in (3, 2, 1):
        client.send("createTimescale", new_timescale(valid_from=days_ahead(days))).expect(201)
    days = [one["valid_from"] for one in client.send("listOwnTimescales")["items"]]
    assert days == [days_ahead(1), days_ahead(2), days_ahead(3)]


def test_every_caller_reads_the_timescales_of_every_committee(islands, agency):
    islands.send("createTimescale", new_timescale(stage="decision", amount=10)).expect(201)
    rows = agency.send("listTimescales")["items"]
    assert {"stage": "decision", "committee": "OHB", "amount": 10, "unit": "calendar_days",
            "valid_from": today()} in rows


@pytest.mark.parametrize("members", [{"stage": "closed"}, {"amount": 0}, {"unit": "weeks"}])
def test_a_timescale_must_follow_the_contract(ayrshire, members):
    reply = ayrshire.send("createTimescale", new_timescale(**members))
    assert (reply.status, reply.pointers) == (400, {"/" + next(iter(members))})


def test_setting_again_with_the_same_key_replays(ayrshire):
    key = new_key()
    mine = new_timescale(stage="evaluation", valid_from=days_ahead(50))
    one, two = [ayrshire.send("createTimescale", mine, key=key) for _ in range(2)]
    assert (one.status, two.bytes) == (201, one.bytes)


@pytest.mark.parametrize("operation, body", [
    ("createTimescale", new_timescale(valid_from=days_ahead(60))),
    ("createLocalHoliday", {"holiday_on": days_ahead(60), "name": "Fair"})])
def test_only_a_committee_sets_timescales(caller, cluster, operation, body):
    reply = caller("LA-S12000049", "many-scopes").send(operation, body)
    assert (reply.status, reply.code) == (403, "organisation_not_allowed")
    assert caller("COG-GLA", "chief-officers").send(operation, body).status == 403


@pytest.mark.parametrize("operation", ["listOwnTimescales", "listLocalHolidays"])
def test_other_organisations_have_no_timescales(caller, operation):
    assert caller("LA-S12000049", "many-scopes").send(operation).json == {"items": [], "next": None}


def working_day_after(day, skipped=()):
    """Returns the second working day after a day, without weekends and `skipped`."""
    left = 2
    while left:
        day += datetime.timedelta(days=1)
        left -= day.isoweekday() < 6 and day.isoformat() not in skipped
    return day.isoformat()


def test_working_days_skip_the_committees_local_holidays(caller, agency):
    clients = [caller("CPC-DND", new_number("a")[:40]), caller("CPC-WLN", new_number("b")[:40])]
    bank = {one["holiday_on"] for one in agency.send("listBankHolidays")["items"]}
    for client in clients:
        client.send("createTimescale", new_timescale(amount=2, unit="working_days")).expect(201)
    now = datetime.date.fromisoformat(today())
    off = next(day.isoformat() for day in (now + datetime.timedelta(days=n) for n in range(1, 15))
               if day.isoweekday() < 6 and day.isoformat() not in bank)
    holiday(clients[0], off).expect(201)
    assert entered(clients[0], "S12000042") == working_day_after(now, bank | {off})
    assert entered(clients[1], "S12000040") == working_day_after(now, bank)


def test_a_local_holiday_is_listed_for_its_committee_only(islands, ayrshire):
    reply = holiday(islands, days_ahead(100), "County show")
    assert (reply.status, reply.json) == (201, {"committee": "OHB", "holiday_on": days_ahead(100),
                                               "name": "County show"})
    assert reply.json in islands.send("listLocalHolidays")["items"]
    assert ayrshire.send("listLocalHolidays")["items"] == []


def test_a_local_holiday_is_added_once(islands):
    holiday(islands, days_ahead(101)).expect(201)
    reply = holiday(islands, days_ahead(101), "Another name")
    assert (reply.status, reply.pointers, reply.rules) == (409, {"/holiday_on"},
                                                           {"repeated_holiday"})
    assert "Another name" not in islands.send("listLocalHolidays").bytes.decode()


def test_a_local_holiday_must_not_be_in_the_past(islands):
    reply = holiday(islands, days_ahead(-1))
    assert (reply.status, reply.pointers, reply.rules) == (422, {"/holiday_on"},
                                                           {"not_in_the_past"})
    assert holiday(islands, today()).status == 201


def test_the_database_alone_allows_a_committee_only_its_own_settings(cluster):
    def refused_for(table, values):
        claims = ("set local role register_service; "
                  "set local register.committee = 'GLA'; set local register.scopes = ' cases.write ';")
        try:
            cluster.execute(f"begin; {claims} insert into {table} values {values}; rollback")
        except Exception as error:  # the driver's own class of this SQLSTATE varies
            return getattr(error, "pgcode", None)
        return None
    for table, row in (("timescale (stage, committee, amount, unit, valid_from)",
                        "('review', '{}', 1, 'months', '2099-01-01')"),
                       ("local_holiday (committee, day)", "('{}', '2099-01-01')")):
        assert refused_for(table, row.format("GLA")) is None
        assert refused_for(table, row.format("EDH")) == "42501"


def test_bank_holidays_are_those_of_the_register(agency):
    items = agency.send("listBankHolidays")["items"]
    assert {"holiday_on": "2027-01-04", "name": "2nd January (substitute day)"} in items
    assert [one["holiday_on"] for one in items] == sorted(one["holiday_on"] for one in items)


def test_a_move_shows_the_due_day_by_the_committees_own_timescale(ayrshire):
    ayrshire.send("createTimescale", new_timescale(stage="information_gathering", amount=5)).expect(201)
    case = make_case(ayrshire, local_authority=AYRSHIRE)
    reply = move(ayrshire, case["id"], "information_gathering")
    assert (reply["stage_due_on"], reply["overdue"]) == (days_ahead(5), False)
