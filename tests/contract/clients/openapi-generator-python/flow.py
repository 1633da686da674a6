"""The main flow by the Python client that openapi-generator generates.

REGISTER_URL and REGISTER_TOKEN name a register and a committee's token. Prints a line for each step that passed; raises
at the first surprise.
"""
import datetime
import os
import urllib.parse
import uuid
import zoneinfo

import openapi_client
from openapi_client import models


def day(offset):
    today = datetime.datetime.now(zoneinfo.ZoneInfo("Europe/London")).date()
    return today + datetime.timedelta(days=offset)


def new_key():
    return str(uuid.uuid4())


def expect_unchanged(call, *words, **named):
    """Expects 304: the register does not send an unchanged document again."""
    try:
        call(*words, **named)
    except openapi_client.ApiException as told:
        assert told.status == 304, told
    else:
        raise AssertionError("an unchanged document was sent again")


class Flow:
    def __init__(self, client):
        self.referrals = openapi_client.ReferralsApi(client)
        self.cases = openapi_client.CasesApi(client)
        self.decision = openapi_client.DecisionApi(client)
        self.actions = openapi_client.ActionsApi(client)
        self.statistics = openapi_client.StatisticsApi(client)
        self.changes = openapi_client.ChangesApi(client)

    @staticmethod
    def new_referral():
        child = models.ChildInput(child_id=new_key(), outcome="significant_harm", age_band="5_10",
                                  sex="female")
        return models.ReferralInput(
            source_system="generated-client", source_reference=f"flow-{new_key()}",
            committee="GLA", local_authority="S12000049", notified_on=day(-5), aware_on=day(-10),
            incident_kind="single_event", children=[child], criteria_claimed=["abuse_or_neglect"],
            basis="Several services see learning for how they work together.",
            immediate_concerns="none")

    def push(self):
        referral = self.new_referral()
        key = new_key()
        first = self.referrals.push_referral_with_http_info(referral, idempotency_key=key)
        again = self.referrals.push_referral_with_http_info(referral, idempotency_key=key)
        assert (first.status_code, again.status_code) == (201, 201)
        assert again.data.id == first.data.id
        assert again.headers["Idempotency-Replayed"] == "true"
        return first.data.id

    def batch(self):
        items = [self.new_referral().to_dict(), {"source_system": "generated-client"}]
        items[0] |= {name: value.isoformat() for name, value in items[0].items() if isinstance(value, datetime.date)}
        result = self.referrals.push_referrals(items, idempotency_key=new_key())
        assert (result.created, result.refused) == (1, 1), result
        assert result.items[1].problem.code == "schema_violation", result

    def accept(self, referral):
        acceptance = models.AcceptanceInput(case_id=None, accepted_on=day(0))
        return self.referrals.accept_referral(referral, acceptance,
                                              idempotency_key=new_key()).case_id

    def move(self, case, to):
        tag = self.cases.get_case(str(case)).etag
        transition = models.TransitionInput(to=to, occurred_on=day(0))
        moved = self.cases.move_case(case, tag, transition, idempotency_key=new_key())
        assert moved.stage == to

    def recommend(self, case):
        recommendation = models.RecommendationInput(
            made_on=day(0), made_by="sub_group", recommended="proceed",
            criteria_met=["abuse_or_neglect"], current_circumstances_recorded=True,
            other_processes_considered=True,
            expected_learning="How each service could have seen the whole.")
        self.decision.put_recommendation(case, recommendation, if_none_match="*")

    def move_to_decision(self, case):
        self.move(case, "information_gathering")
        self.move(case, "recommendation")
        self.recommend(case)
        self.move(case, "decision")

    def add_action(self, case):
        action = models.ActionInput(title="Agree how chronologies are kept",
                                  owner_organisation="LA-S12000049", due_on=day(90))
        return self.actions.create_action(case, action, idempotency_key=new_key()).id

    def poll_action(self, action):
        tag = self.actions.get_action_with_http_info(action).headers["ETag"]
        expect_unchanged(self.actions.get_action, action, if_none_match=tag)

    def poll_statistics(self):
        live = {"table": "decisions", "view": "live", "committee": "GLA"}
        first = self.statistics.get_statistics_with_http_info(**live)
        assert first.data.rows, first
        expect_unchanged(self.statistics.get_statistics, **live, if_none_match=first.headers["ETag"])

    def follow(self, case):
        page = self.changes.list_changes(limit=500)
        while not any(event.subject_id == case for event in page.items):
            assert page.more, "the feed does not have the case"
            after = urllib.parse.parse_qs(urllib.parse.urlsplit(page.next).query)["after"][0]
            page = self.changes.list_changes(limit=500, after=after)

    def be_refused(self):
        """A refusal is a Problem with its code."""
        try:
            self.cases.get_case(new_key())
        except openapi_client.exceptions.NotFoundException as told:
            assert told.data.code == "not_found", told
        else:
            raise AssertionError("a case that does not exist was found")


def step(name, call, *arguments):
    result = call(*arguments)
    print("passed", name, flush=True)
    return result


def main():
    configuration = openapi_client.Configuration(host=os.environ["REGISTER_URL"],
                                                 access_token=os.environ["REGISTER_TOKEN"])
    with openapi_client.ApiClient(configuration) as client:
        flow = Flow(client)
        step("statistics", flow.poll_statistics)
        referral = step("push", flow.push)
        step("batch", flow.batch)
        case = step("accept", flow.accept, referral)
        step("move", flow.move_to_decision, case)
        step("action", lambda: flow.poll_action(flow.add_action(case)))
        step("feed", flow.follow, case)
        step("refusal", flow.be_refused)


if __name__ == "__main__":
    main()
