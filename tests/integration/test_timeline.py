"""The timeline: every change of a case and its parts, and visible corrections."""
from payloads import days_ago, new_access, new_child, new_number, new_transfer, today
from scenarios import decide, make_action, make_case, move, tag_of, walk


def timeline(client, case, query="limit=200"):
    return walk(client, "listTimeline", query, id=case["id"])


def summary(entries):
    return [(one["subject"], one["kind"]) for one in entries]


def members(entry):
    return {one["member"]: (one["before"], one["after"]) for one in entry["changes"]}


def test_the_timeline_begins_with_the_opened_case(committee):
    case = make_case(committee, summary="First.")
    entries = timeline(committee, case)
    assert summary(entries) == [("case", "created"), ("stage", "created"), ("child", "created")]
    assert members(entries[0])["summary"] == (None, "First.")
    assert {one["recorded_by"] for one in entries} == {"CPC-GLA"}
    assert {one["client_id"] for one in entries} == {"committee-system"}
    assert entries[0]["subject_id"] == case["id"]


def test_a_move_is_progress_and_not_a_correction(committee):
    case = make_case(committee)
    before = len(timeline(committee, case))
    move(committee, case["id"], "information_gathering").expect(201)
    later = timeline(committee, case)[before:]
    assert sorted(summary(later)) == [("case", "changed"), ("stage", "changed"),
                                      ("stage", "created")]
    moved = next(one for one in later if one["subject"] == "case")
    assert members(moved)["stage"] == ("notification", "information_gathering")


def test_replacing_a_value_is_a_correction_that_shows_both_values(committee):
    case = make_case(committee, summary="First.")
    committee.send("changeCase", {"summary": "Second."}, id=case["id"],
                   if_match=tag_of(committee, "getCase", id=case["id"])).expect(200)
    entry = timeline(committee, case)[-1]
    assert (entry["subject"], entry["kind"]) == ("case", "corrected")
    assert members(entry) == {"summary": ("First.", "Second.")}


def test_adding_a_missing_value_is_not_a_correction(committee):
    case = make_case(committee)
    committee.send("changeCase", {"summary": "Now known."}, id=case["id"],
                   if_match=tag_of(committee, "getCase", id=case["id"])).expect(200)
    assert timeline(committee, case)[-1]["kind"] == "changed"


def test_a_change_without_effect_is_not_in_the_timeline(committee):
    case = make_case(committee, summary="Same.")
    before = timeline(committee, case)
    committee.send("changeCase", {"summary": "Same."}, id=case["id"],
                   if_match=tag_of(committee, "getCase", id=case["id"])).expect(200)
    assert timeline(committee, case) == before


def test_decisions_actions_and_access_are_in_the_timeline(committee):
    case = make_case(committee, "decision")
    decide(committee, case["id"]).expect(201)
    action = make_action(committee, case)
    committee.send("grantAccess", new_access(), id=case["id"]).expect(201)
    found = summary(timeline(committee, case))
    assert {("decision", "created"), ("action", "created"), ("access", "created")} <= set(found)
    mine = timeline(committee, case, "subject=action")
    assert [one["subject_id"] for one in mine] == [action["id"]]


def test_the_timeline_is_filtered_and_read_page_by_page(committee):
    case = make_case(committee, "decision")
    whole = timeline(committee, case)
    assert timeline(committee, case, "limit=2") == whole
    assert timeline(committee, case, "kind=created") == [one for one in whole
                                                         if one["kind"] == "created"]
    assert timeline(committee, case, "subject=transfer") == []


def test_a_cursor_of_another_case_is_refused(committee):
    first, second = make_case(committee, "decision"), make_case(committee, "decision")
    page = committee.send("listTimeline", id=first["id"], query="limit=1").expect(200)
    cursor = page["next"].rpartition("cursor=")[2]
    reply = committee.send("listTimeline", id=second["id"], query=f"limit=1&cursor={cursor}")
    assert (reply.status, reply.code) == (400, "invalid_cursor")


def test_without_the_scope_for_children_the_timeline_hides_their_references(committee, caller):
    case = make_case(committee, children=[new_child(age_years=7)])
    member = caller("CPC-GLA", "member-portal", "cases.read")
    entry = timeline(member, case, "subject=child")[0]
    assert not {"child_ref", "family_ref", "age_years"} & set(members(entry))
    assert "age_band" in members(entry)
    assert "age_years" in members(timeline(committee, case, "subject=child")[0])


def test_the_timeline_hides_other_access_and_transfers_from_clients_with_access(committee, caller):
    case = make_case(committee)
    other, mine = new_number("reviewer")[:40], new_number("reviewer")[:40]
    for client in (other, mine):
        committee.send("grantAccess", new_access(client_id=client), id=case["id"]).expect(201)
    committee.send("grantAccess", new_access(organisation="CPC-EDH", role="joint_committee", client_id=None,
                                             ends_on=None), id=case["id"]).expect(201)
    committee.send("proposeTransfer", new_transfer(to_committee="ABE", note="For us only."),
                   id=case["id"]).expect(201)
    hidden = [one for one in timeline(committee, case) if one["subject"] in ("access", "transfer")]
    assert summary(hidden) == [("access", "created")] * 3 + [("transfer", "created")]
    for client in (caller("INDEPENDENT", mine, "cases.read"), caller("CPC-EDH", "timeline-reader", "cases.read")):
        seen = timeline(client, case)
        assert summary(seen) == [("case", "created"), ("stage", "created"), ("child", "created")]
        assert other not in str(seen) and "For us only." not in str(seen)
        assert [timeline(client, case, f"subject={subject}") for subject in ("access", "transfer")] == [[], []]
    officers = caller("COG-GLA", "timeline-reader", "cases.read")
    assert summary(timeline(officers, case)) == summary(timeline(committee, case))


def test_a_date_recorded_later_appears_with_its_recording_time(committee):
    case = make_case(committee, opened_on=days_ago(20))
    move(committee, case["id"], "information_gathering", occurred_on=days_ago(15)).expect(201)
    entry = [one for one in timeline(committee, case, "subject=stage&kind=created")][-1]
    assert members(entry)["entered_on"] == (None, days_ago(15))
    assert entry["recorded_at"][:10] in (today(), days_ago(1))


def test_the_service_cannot_rewrite_the_timeline(cluster):
    rights = cluster.execute("""select has_table_privilege('register_service', 'register.change', p)
        from unnest(array['insert', 'update', 'delete', 'truncate']) p""")
    assert rights == [(False,)] * 4
