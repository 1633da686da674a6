// The main flow by the C# client that openapi-generator generates.
//
// REGISTER_URL and REGISTER_TOKEN name a register and a committee's token. Prints a line for each step that passed; ends
// with status 1 at the first surprise.
using System;
using System.Collections.Generic;
using System.Linq;
using System.Web;
using Newtonsoft.Json;
using Org.OpenAPITools.Api;
using Org.OpenAPITools.Client;
using Org.OpenAPITools.Model;

class Flow
{
    private readonly ReferralsApi referrals;
    private readonly CasesApi cases;
    private readonly DecisionApi decision;
    private readonly ActionsApi actions;
    private readonly StatisticsApi statistics;
    private readonly ChangesApi changes;

    private Flow(Configuration configuration)
    {
        referrals = new ReferralsApi(configuration);
        cases = new CasesApi(configuration);
        decision = new DecisionApi(configuration);
        actions = new ActionsApi(configuration);
        statistics = new StatisticsApi(configuration);
        changes = new ChangesApi(configuration);
    }

    private static DateTime Day(int offset)
    {
        var london = TimeZoneInfo.FindSystemTimeZoneById("Europe/London");
        return TimeZoneInfo.ConvertTimeFromUtc(DateTime.UtcNow, london).Date.AddDays(offset);
    }

    private static string NewKey()
    {
        return Guid.NewGuid().ToString();
    }

    private static void Expect(bool holds, string what)
    {
        if (!holds) throw new InvalidOperationException(what);
    }

    private static string Tag<T>(ApiResponse<T> answer)
    {
        return answer.Headers["ETag"].Single();
    }

    private static void ExpectRefused(int status, Action call)
    {
        try
        {
            call();
        }
        catch (ApiException told)
        {
            Expect(told.ErrorCode == status, told.ErrorCode + " instead of " + status + ": " + told.ErrorContent);
            return;
        }
        throw new InvalidOperationException("a success instead of " + status);
    }

    /// <summary>Expects that the register does not send an unchanged document again.</summary>
    private static void Unchanged<T>(ApiResponse<T> answer)
    {
        Expect((int)answer.StatusCode == 304, "sent again: " + answer.StatusCode);
    }

    private static ReferralInput NewReferral()
    {
        var child = new ChildInput(childId: NewKey(), outcome: ChildOutcome.SignificantHarm, ageBand: AgeBand._510,
            sex: Sex.Female);
        return new ReferralInput(sourceSystem: "generated-client", sourceReference: "flow-" + NewKey(),
            committee: "GLA", localAuthority: "S12000049", notifiedOn: Day(-5), awareOn: Day(-10),
            incidentKind: IncidentKind.SingleEvent, children: new List<ChildInput> { child },
            criteriaClaimed: new List<Criterion> { Criterion.AbuseOrNeglect },
            immediateConcerns: ImmediateConcerns.None,
            basis: "Several services see learning for how they work together.");
    }

    private Guid Push()
    {
        var referral = NewReferral();
        var key = NewKey();
        var first = referrals.PushReferralWithHttpInfo(referral, key);
        var again = referrals.PushReferralWithHttpInfo(referral, key);
        Expect((int)first.StatusCode == 201 && (int)again.StatusCode == 201, "a push is not 201");
        Expect(first.Data.Id == again.Data.Id, "stored twice");
        Expect(again.Headers["Idempotency-Replayed"].Single() == "true", "the repetition was not recognised");
        return first.Data.Id;
    }

    private void Batch()
    {
        var items = new List<object> { NewReferral(), new { source_system = "generated-client" } };
        var result = referrals.PushReferrals(items, idempotencyKey: NewKey());
        Expect(result.Created == 1 && result.Refused == 1, "the batch has another result");
        Expect(result.Items[1].Problem.Code == ErrorCode.SchemaViolation, "another problem");
    }

    private Guid Accept(Guid referral)
    {
        return referrals.AcceptReferral(referral, new AcceptanceInput(acceptedOn: Day(0)), NewKey()).CaseId.Value;
    }

    private void Move(Guid id, Stage to)
    {
        var move = new TransitionInput(to: to, occurredOn: Day(0));
        var moved = cases.MoveCase(id, cases.GetCase(id.ToString()).Etag, move, NewKey());
        Expect(moved.Stage == to, "not moved");
    }

    private void Recommend(Guid id)
    {
        var recommendation = new RecommendationInput(madeOn: Day(0), madeBy: RecommendationAuthor.SubGroup,
            recommended: DecisionOutcome.Proceed, criteriaMet: new List<Criterion> { Criterion.AbuseOrNeglect },
            currentCircumstancesRecorded: true, otherProcessesConsidered: true,
            expectedLearning: "How each service could have seen the whole.");
        decision.PutRecommendation(id, recommendation, ifNoneMatch: "*");
    }

    private void Act(Guid id)
    {
        var action = new ActionInput(title: "Agree how chronologies are kept", ownerOrganisation: "LA-S12000049",
            dueOn: Day(90));
        var made = actions.CreateAction(id, action, NewKey()).Id;
        Unchanged(actions.GetActionWithHttpInfo(made, Tag(actions.GetActionWithHttpInfo(made))));
    }

    private void PollStatistics()
    {
        var answer = statistics.GetStatisticsWithHttpInfo("decisions", view: "live", committee: "GLA");
        Expect(answer.Data.Rows.Any(), "no figures");
        Unchanged(statistics.GetStatisticsWithHttpInfo("decisions", view: "live", committee: "GLA",
            ifNoneMatch: Tag(answer)));
    }

    private void Follow(Guid id)
    {
        var page = changes.ListChanges(limit: 500);
        while (page.Items.All(change => change.SubjectId != id))
        {
            Expect(page.More, "the feed does not have the case");
            page = changes.ListChanges(HttpUtility.ParseQueryString(new Uri(page.Next).Query)["after"], 500);
        }
    }

    private static void Passed(string step)
    {
        Console.WriteLine("passed " + step);
    }

    static void Main()
    {
        // Without nullable reference types an enumeration that is null is left as it is (0), not refused.
        JsonConvert.DefaultSettings = () => new JsonSerializerSettings { NullValueHandling = NullValueHandling.Ignore };
        var flow = new Flow(new Configuration
        {
            BasePath = Environment.GetEnvironmentVariable("REGISTER_URL"),
            AccessToken = Environment.GetEnvironmentVariable("REGISTER_TOKEN"),
        });
        flow.PollStatistics();
        Passed("statistics");
        var pushed = flow.Push();
        Passed("push");
        flow.Batch();
        Passed("batch");
        var id = flow.Accept(pushed);
        Passed("accept");
        flow.Move(id, Stage.InformationGathering);
        flow.Move(id, Stage.Recommendation);
        flow.Recommend(id);
        flow.Move(id, Stage.Decision);
        Passed("move");
        flow.Act(id);
        Passed("action");
        flow.Follow(id);
        Passed("feed");
        ExpectRefused(404, () => flow.cases.GetCase(NewKey()));
        Passed("refusal");
    }
}
