"""Impact reviews: whether a verified action had its intended effect."""
import pytest

from client import new_key
from payloads import days_ago, days_ahead, new_impact_review, today
from scenarios import advance, make_action, make_case, make_completed_action, make_verified_action


def review(client, action, key=None, **members):
    return client.send("addImpactReview", new_impact_review(**members), id=action["id"], key=key)


@pytest.fixture
def action(committee, agency):
    return make_verified_action(committee, agency)


def reviews(client, action):
    return client.send("listImpactReviews", id=action["id"]).expect(200)["items"]


def test_the_committee_reviews_the_impact_of_a_verified_action(committee, action):
    reply = review(committee, action, outcome="partly_achieved", next_review_on=days_ahead(365))
    assert reply.status == 201
    assert (reply["outcome"], reply["next_review_on"]) == ("partly_achieved", days_ahead(365))
    assert (reply["action_id"], reply["recorded_by"]) == (action["id"], "CPC-GLA")


def test_an_action_shows_the_date_of_its_last_impact_review(committee, action):
    assert action["impact_reviewed_on"] is None
    review(committee, action).expect(201)
    seen = committee.send("getAction", id=action["id"])
    assert (seen["impact_reviewed_on"], seen["status"]) == (today(), "verified")
    assert seen["version"] == action["version"] + 1


def test_reviews_are_listed_oldest_first_and_the_owner_reads_them(committee, agency, action):
    for outcome in ("not_achieved", "achieved"):
        review(committee, action, outcome=outcome).expect(201)
    for client in (committee, agency):
        assert [one["outcome"] for one in reviews(client, action)] == ["not_achieved", "achieved"]


def test_a_client_that_does_not_see_the_action_does_not_see_its_reviews(committee, health, action):
    review(committee, action).expect(201)
    assert health.send("listImpactReviews", id=action["id"]).status == 404


def test_an_owner_does_not_review_its_own_impact(committee, caller, action):
    owner = caller("LA-S12000049", "impact-of-its-own")
    assert review(owner, action).status == 404
    assert reviews(committee, action) == []


@pytest.mark.parametrize("given", [make_action, lambda committee, agency: make_completed_action(
    committee, agency)])
def test_only_the_impact_of_a_verified_action_is_reviewed(committee, agency, given):
    action = given(committee) if given is make_action else given(committee, agency)
    reply = review(committee, action)
    assert (reply.status, reply.rules) == (409, {"not_verified"})
    assert reviews(committee, action) == []


@pytest.mark.parametrize("members, pointer, rule", [
    ({"reviewed_on": days_ahead(2)}, "/reviewed_on", "date_in_future"),
    ({"reviewed_on": days_ago(2)}, "/reviewed_on", "date_order"),
    ({"next_review_on": today()}, "/next_review_on", "date_order"),
    ({"outcome": "too_early"}, "/next_review_on", "next_review_required")])
def test_an_impact_review_must_follow_the_rules(committee, action, members, pointer, rule):
    reply = review(committee, action, **members)
    assert (reply.status, reply.pointers, reply.rules) == (422, {pointer}, {rule})
    assert reviews(committee, action) == []


def test_reviewing_again_with_the_same_key_replays(committee, action):
    key = new_key()
    first, second = [review(committee, action, key=key) for _ in range(2)]
    assert (first.status, second.bytes) == (201, first.bytes)
    assert len(reviews(committee, action)) == 1


def test_the_impact_may_be_reviewed_after_the_case_is_closed(committee, agency):
    case = make_case(committee, "implementation")
    action = make_verified_action(committee, agency, case=case)
    advance(committee, case, "closed")
    assert review(committee, action).status == 201


def test_a_review_is_recorded_among_the_changes_of_its_case(committee, cluster, action):
    made = review(committee, action).expect(201)
    assert cluster.execute("select kind, recorded_by from register.change where subject_id = %s",
                           [made["id"]]) == [("created", "CPC-GLA")]
