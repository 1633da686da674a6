"""The main flow by the client that openapi-python-client generates.

REGISTER_URL and REGISTER_TOKEN name a register and a committee's token. Prints a line for each step that passed; raises
at the first surprise.
"""
import datetime
import os
import urllib.parse
import uuid
import zoneinfo

from register import AuthenticatedClient, models
from register.api.actions import create_action, get_action
from register.api.cases import get_case, move_case
from register.api.changes import list_changes
from register.api.decision import put_recommendation
from register.api.referrals import accept_referral, push_referral, push_referrals
from register.api.statistics import get_statistics

CLIENT = AuthenticatedClient(base_url=os.environ["REGISTER_URL"], token=os.environ["REGISTER_TOKEN"])


def day(offset):
    today = datetime.datetime.now(zoneinfo.ZoneInfo("Europe/London")).date()
    return today + datetime.timedelta(days=offset)


def new_key():
    return str(uuid.uuid4())


def expect(status, response):
    """Returns the document of a response with the status."""
    assert response.status_code == status, response
    return response.parsed


def new_referral():
    child = models.ChildInput(child_id=new_key(), outcome=models.ChildOutcome.SIGNIFICANT_HARM,
                              age_band=models.AgeBand.VALUE_3, sex=models.Sex.FEMALE)
    return models.ReferralInput(
        source_system="generated-client", source_reference=f"flow-{new_key()}", committee="GLA",
        local_authority="S12000049", notified_on=day(-5), aware_on=day(-10),
        incident_kind=models.IncidentKind.SINGLE_EVENT, children=[child],
        criteria_claimed=[models.Criterion.ABUSE_OR_NEGLECT],
        basis="Several services see learning for how they work together.",
        immediate_concerns=models.ImmediateConcerns.NONE)


def push():
    referral, key = new_referral(), new_key()
    first, again = (push_referral.sync_detailed(client=CLIENT, body=referral, idempotency_key=key) for _ in range(2))
    assert expect(201, first).id == expect(201, again).id
    assert again.headers["Idempotency-Replayed"] == "true"
    return first.parsed.id


def batch():
    items = [models.ReferralItemInput.from_dict(each)
             for each in (new_referral().to_dict(), {"source_system": "generated-client"})]
    result = expect(207, push_referrals.sync_detailed(client=CLIENT, body=items, idempotency_key=new_key()))
    assert (result.created, result.refused) == (1, 1), result
    assert result.items[1].problem.code == "schema_violation", result


def accept(referral):
    acceptance = models.AcceptanceInput(case_id=None, accepted_on=day(0))
    return expect(201, accept_referral.sync_detailed(referral, client=CLIENT, body=acceptance,
                                                     idempotency_key=new_key())).case_id


def move(case, to):
    tag = expect(200, get_case.sync_detailed(str(case), client=CLIENT)).etag
    transition = models.TransitionInput(to=to, occurred_on=day(0))
    moved = expect(201, move_case.sync_detailed(case, client=CLIENT, body=transition, if_match=tag,
                                                idempotency_key=new_key()))
    assert moved.stage == to


def recommend(case):
    recommendation = models.RecommendationInput(
        made_on=day(0), made_by=models.RecommendationAuthor.SUB_GROUP, recommended=models.DecisionOutcome.PROCEED,
        criteria_met=[models.Criterion.ABUSE_OR_NEGLECT], current_circumstances_recorded=True,
        other_processes_considered=True, expected_learning="How each service could have seen the whole.")
    expect(201, put_recommendation.sync_detailed(case, client=CLIENT, body=recommendation,
                                                 if_none_match=models.PutRecommendationIfNoneMatch.VALUE_0))


def act(case):
    plan = models.ActionInput(title="Agree how chronologies are kept", owner_organisation="LA-S12000049", due_on=day(90))
    made = expect(201, create_action.sync_detailed(case, client=CLIENT, body=plan, idempotency_key=new_key()))
    read = get_action.sync_detailed(made.id, client=CLIENT)
    expect(200, read)
    expect(304, get_action.sync_detailed(made.id, client=CLIENT, if_none_match=read.headers["ETag"]))


def poll_statistics():
    live = {"client": CLIENT, "view": models.GetStatisticsView.LIVE, "committee": "GLA",
            "period_type": models.GetStatisticsPeriodType.QUARTER}
    read = get_statistics.sync_detailed("decisions", **live)
    assert expect(200, read).rows, read
    expect(304, get_statistics.sync_detailed("decisions", **live, if_none_match=read.headers["ETag"]))


def follow(case):
    page = expect(200, list_changes.sync_detailed(client=CLIENT, limit=500))
    while not any(event.subject_id == case for event in page.items):
        assert page.more, "the feed does not have the case"
        after = urllib.parse.parse_qs(urllib.parse.urlsplit(page.next_).query)["after"][0]
        page = expect(200, list_changes.sync_detailed(client=CLIENT, limit=500, after=after))


def be_refused():
    assert expect(404, get_case.sync_detailed(new_key(), client=CLIENT)).code == "not_found"


def move_to_decision(case):
    move(case, models.Stage.INFORMATION_GATHERING)
    move(case, models.Stage.RECOMMENDATION)
    recommend(case)
    move(case, models.Stage.DECISION)


def step(name, call, *arguments):
    result = call(*arguments)
    print("passed", name, flush=True)
    return result


def main():
    step("statistics", poll_statistics)
    referral = step("push", push)
    step("batch", batch)
    case = step("accept", accept, referral)
    step("move", move_to_decision, case)
    step("action", act, case)
    step("feed", follow, case)
    step("refusal", be_refused)


if __name__ == "__main__":
    main()
