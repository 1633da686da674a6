// The main flow by the Java client that openapi-generator generates.
//
// REGISTER_URL and REGISTER_TOKEN name a register and a committee's token. Prints a line for each step that passed; ends
// with status 1 at the first surprise.
import com.fasterxml.jackson.core.type.TypeReference;
import java.time.LocalDate;
import java.time.ZoneId;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.UUID;
import org.openapitools.client.ApiClient;
import org.openapitools.client.ApiException;
import org.openapitools.client.ApiResponse;
import org.openapitools.client.JSON;
import org.openapitools.client.api.ActionsApi;
import org.openapitools.client.api.CasesApi;
import org.openapitools.client.api.ChangesApi;
import org.openapitools.client.api.DecisionApi;
import org.openapitools.client.api.ReferralsApi;
import org.openapitools.client.api.StatisticsApi;
import org.openapitools.client.model.AcceptanceInput;
import org.openapitools.client.model.ActionInput;
import org.openapitools.client.model.AgeBand;
import org.openapitools.client.model.BatchResult;
import org.openapitools.client.model.ChangePage;
import org.openapitools.client.model.ChildInput;
import org.openapitools.client.model.ChildOutcome;
import org.openapitools.client.model.Criterion;
import org.openapitools.client.model.DecisionOutcome;
import org.openapitools.client.model.ErrorCode;
import org.openapitools.client.model.ImmediateConcerns;
import org.openapitools.client.model.IncidentKind;
import org.openapitools.client.model.RecommendationAuthor;
import org.openapitools.client.model.RecommendationInput;
import org.openapitools.client.model.ReferralInput;
import org.openapitools.client.model.Sex;
import org.openapitools.client.model.Stage;
import org.openapitools.client.model.TransitionInput;

class Flow {
    private interface Call {
        Object send() throws ApiException;
    }

    private final ReferralsApi referrals;
    private final CasesApi cases;
    private final DecisionApi decision;
    private final ActionsApi actions;
    private final StatisticsApi statistics;
    private final ChangesApi changes;

    private Flow(ApiClient client) {
        referrals = new ReferralsApi(client);
        cases = new CasesApi(client);
        decision = new DecisionApi(client);
        actions = new ActionsApi(client);
        statistics = new StatisticsApi(client);
        changes = new ChangesApi(client);
    }

    private static LocalDate day(int offset) {
        return LocalDate.now(ZoneId.of("Europe/London")).plusDays(offset);
    }

    private static String newKey() {
        return UUID.randomUUID().toString();
    }

    private static void expect(boolean holds, String what) {
        if (!holds) throw new IllegalStateException(what);
    }

    private static String tag(ApiResponse<?> answer) {
        return answer.getHeaders().get("etag").get(0);
    }

    /** The register does not send an unchanged document again. */
    private static void unchanged(Call call) throws ApiException {
        expectRefused(304, call);
    }

    private static void expectRefused(int status, Call call) {
        try {
            call.send();
        } catch (ApiException told) {
            expect(told.getCode() == status, told.getCode() + " instead of " + status + ": " + told.getResponseBody());
            return;
        }
        throw new IllegalStateException("a success instead of " + status);
    }

    private static ReferralInput newReferral() {
        ChildInput child = new ChildInput().childId(newKey()).outcome(ChildOutcome.SIGNIFICANT_HARM)
            .ageBand(AgeBand._5_10).sex(Sex.FEMALE);
        return new ReferralInput().sourceSystem("generated-client").sourceReference("flow-" + newKey())
            .committee("GLA").localAuthority("S12000049").notifiedOn(day(-5)).awareOn(day(-10))
            .incidentKind(IncidentKind.SINGLE_EVENT).children(List.of(child))
            .criteriaClaimed(Set.of(Criterion.ABUSE_OR_NEGLECT))
            .immediateConcerns(ImmediateConcerns.NONE)
            .basis("Several services see learning for how they work together.");
    }

    private UUID push() throws ApiException {
        ReferralInput referral = newReferral();
        String key = newKey();
        var first = referrals.pushReferralWithHttpInfo(referral, key);
        var again = referrals.pushReferralWithHttpInfo(referral, key);
        expect(first.getStatusCode() == 201 && again.getStatusCode() == 201, "a push is not 201");
        expect(first.getData().getId().equals(again.getData().getId()), "stored twice");
        expect(again.getHeaders().get("idempotency-replayed").equals(List.of("true")), "the repetition was not recognised");
        return first.getData().getId();
    }

    private void batch() throws ApiException {
        ReferralInput good = newReferral();
        Map<String, Object> item = JSON.getDefault().getMapper().convertValue(good, new TypeReference<Map<String, Object>>() { });
        BatchResult result = referrals.pushReferrals(List.of(item, Map.of("source_system", "generated-client")), null,
            newKey());
        expect(result.getCreated() == 1 && result.getRefused() == 1, "the batch has another result");
        expect(result.getItems().get(1).getProblem().getCode() == ErrorCode.SCHEMA_VIOLATION, "another problem");
    }

    private UUID accept(UUID referral) throws ApiException {
        return referrals.acceptReferral(referral, new AcceptanceInput().acceptedOn(day(0)), newKey()).getCaseId();
    }

    private void move(UUID id, Stage to) throws ApiException {
        TransitionInput move = new TransitionInput().to(to).occurredOn(day(0));
        var moved = cases.moveCase(id, cases.getCase(id.toString(), null, null).getEtag(), move, newKey());
        expect(moved.getStage() == to, "not moved");
    }

    private void recommend(UUID id) throws ApiException {
        RecommendationInput recommendation = new RecommendationInput().madeOn(day(0))
            .madeBy(RecommendationAuthor.SUB_GROUP)
            .recommended(DecisionOutcome.PROCEED)
            .criteriaMet(Set.of(Criterion.ABUSE_OR_NEGLECT))
            .currentCircumstancesRecorded(true).otherProcessesConsidered(true)
            .expectedLearning("How each service could have seen the whole.");
        decision.putRecommendation(id, recommendation, null, "*");
    }

    private void act(UUID id) throws ApiException {
        ActionInput action = new ActionInput().title("Agree how chronologies are kept")
            .ownerOrganisation("LA-S12000049").dueOn(day(90));
        UUID made = actions.createAction(id, action, newKey()).getId();
        String seen = tag(actions.getActionWithHttpInfo(made, null));
        unchanged(() -> actions.getAction(made, seen));
    }

    private void pollStatistics() throws ApiException {
        var answer = statistics.getStatisticsWithHttpInfo("decisions", "live", "GLA", null, null, null, null, null,
            null, null);
        expect(!answer.getData().getRows().isEmpty(), "no figures");
        unchanged(() -> statistics.getStatistics("decisions", "live", "GLA", null, null, null, null, null, null,
            tag(answer)));
    }

    private void follow(UUID id) throws ApiException {
        ChangePage page = changes.listChanges(null, 500, null);
        while (page.getItems().stream().noneMatch(event -> event.getSubjectId().equals(id))) {
            expect(page.getMore(), "the feed does not have the case");
            String query = page.getNext().getQuery();
            page = changes.listChanges(query.replaceFirst("(.*&)?after=([^&]*).*", "$2"), 500, null);
        }
    }

    private static void passed(String step) {
        System.out.println("passed " + step);
    }

    public static void main(String[] arguments) throws ApiException {
        ApiClient client = new ApiClient();
        client.updateBaseUri(System.getenv("REGISTER_URL"));
        client.setRequestInterceptor(request ->
            request.header("Authorization", "Bearer " + System.getenv("REGISTER_TOKEN")));
        Flow flow = new Flow(client);
        flow.pollStatistics();
        passed("statistics");
        UUID pushed = flow.push();
        passed("push");
        flow.batch();
        passed("batch");
        UUID id = flow.accept(pushed);
        passed("accept");
        flow.move(id, Stage.INFORMATION_GATHERING);
        flow.move(id, Stage.RECOMMENDATION);
        flow.recommend(id);
        flow.move(id, Stage.DECISION);
        passed("move");
        flow.act(id);
        passed("action");
        flow.follow(id);
        passed("feed");
        expectRefused(404, () -> flow.cases.getCase(newKey(), null, null));
        passed("refusal");
    }
}
