// The main flow: a referral becomes a case with an action. Needs nothing but Java 17 or newer: java MainFlow.java.
//
// REGISTER_URL and REGISTER_TOKEN name a test register and the token of a committee's casework system. The
// documentation shows the parts between `// ---` lines with their operations. The JDK has no JSON parser: this program
// finds the few members that it needs with a pattern. A real client uses a library such as Jackson.
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.time.Duration;
import java.time.LocalDate;
import java.time.ZoneId;
import java.util.ArrayList;
import java.util.List;
import java.util.UUID;
import java.util.regex.Pattern;

public class MainFlow {
    static final String REGISTER = System.getenv("REGISTER_URL");
    static final HttpClient CLIENT = HttpClient.newBuilder().connectTimeout(Duration.ofSeconds(10)).build();

    /** Sends a request; throws an exception for a problem. `headers`: names and values in turn. */
    static HttpResponse<String> send(String method, String path, String body, String... headers)
            throws IOException, InterruptedException {
        var request = HttpRequest.newBuilder(URI.create(REGISTER + path))
            .timeout(Duration.ofSeconds(30))
            .header("Authorization", "Bearer " + System.getenv("REGISTER_TOKEN"))
            .method(method, body == null ? BodyPublishers.noBody() : BodyPublishers.ofString(body));
        if (body != null) {
            request.header("Content-Type", "application/json");
        }
        if (headers.length > 0) {
            request.headers(headers);
        }
        var response = CLIENT.send(request.build(), BodyHandlers.ofString());
        if (response.statusCode() >= 400) {
            throw new IOException(response.body());
        }
        return response;
    }

    /** The values of a member, wherever the document has it; a text without its quotes. */
    static List<String> values(String document, String member) {
        var found = new ArrayList<String>();
        var matcher = Pattern.compile("\"" + member + "\"\\s*:\\s*(?:\"([^\"]*)\"|([a-z0-9.]+))").matcher(document);
        while (matcher.find()) {
            found.add(matcher.group(1) != null ? matcher.group(1) : matcher.group(2));
        }
        return found;
    }

    /** A key for each new request; a repetition of the request has the same key. */
    static String newKey() {
        return UUID.randomUUID().toString();
    }

    static LocalDate today() {
        return LocalDate.now(ZoneId.of("Europe/London"));
    }

    static String newReferral(String reference) {
        return """
            {"source_system": "example-java", "source_reference": "%1$s",
             "committee": "GLA", "local_authority": "S12000049",
             "notified_on": "%2$s", "aware_on": "%2$s", "incident_kind": "accumulation",
             "children": [{"child_id": "child-%1$s", "outcome": "significant_harm", "age_band": "5_10",
                           "sex": "female"}],
             "criteria_claimed": ["abuse_or_neglect"], "immediate_concerns": "none",
             "basis": "Several services see learning for how they work together."}
            """.formatted(reference, today());
    }

    // --- pushReferral
    static String pushReferral(String referral) throws IOException, InterruptedException {
        var response = send("POST", "/v1/referrals", referral, "Idempotency-Key", newKey());
        var location = response.headers().firstValue("Location").orElseThrow();
        // 201; 200 if the register has this referral already
        System.out.println("pushed: " + response.statusCode() + " " + location);
        return location;
    }
    // ---

    // --- pushReferrals
    static List<String> pushReferrals(List<String> referrals) throws IOException, InterruptedException {
        var body = "[" + String.join(",", referrals) + "]";
        var answer = send("POST", "/v1/referrals/batch", body, "Idempotency-Key", newKey()).body();
        // Each item has a status of its own; `problem` says why the register refused it.
        for (var code : values(answer, "code")) {
            System.out.println("refused: " + code);
        }
        return values(answer, "index");
    }
    // ---

    // --- listReferrals
    static List<String> listReferrals(String filters) throws IOException, InterruptedException {
        var found = new ArrayList<String>();
        for (var path = "/v1/referrals?limit=200&" + filters; path != null;) {
            var page = send("GET", path, null).body();
            found.addAll(values(page, "source_reference"));
            // `next` is an absolute address, or null; it keeps the filters and the position.
            var next = values(page, "next").get(0);
            path = next.equals("null") ? null : next.substring(REGISTER.length());
        }
        return found;
    }
    // ---

    // --- acceptReferral
    static String acceptReferral(String location) throws IOException, InterruptedException {
        // Without the identifier of an open case the register opens a new one.
        var acceptance = "{\"case_id\": null, \"accepted_on\": \"%s\"}".formatted(today());
        var accepted = send("POST", location + "/acceptance", acceptance, "Idempotency-Key", newKey());
        return values(accepted.body(), "case_id").get(0);
    }
    // ---

    // --- getCase
    static HttpResponse<String> getCase(String caseId) throws IOException, InterruptedException {
        return send("GET", "/v1/cases/" + caseId, null);
    }
    // ---

    // --- moveCase
    static String moveCase(String caseId, String stage) throws IOException, InterruptedException {
        var etag = getCase(caseId).headers().firstValue("ETag").orElseThrow();
        var transition = "{\"to\": \"%s\", \"occurred_on\": \"%s\"}".formatted(stage, today());
        // 412: someone else changed the case. 409: something blocks the move; `errors` names it.
        var moved = send("POST", "/v1/cases/" + caseId + "/transitions", transition,
            "If-Match", etag, "Idempotency-Key", newKey());
        return values(moved.body(), "stage").get(0);
    }
    // ---

    // --- putRecommendation
    static void putRecommendation(String caseId) throws IOException, InterruptedException {
        var recommendation = """
            {"made_on": "%s", "made_by": "sub_group", "recommended": "proceed",
             "criteria_met": ["abuse_or_neglect"], "current_circumstances_recorded": true,
             "other_processes_considered": true, "expected_learning": "How each service could have seen the whole."}
            """.formatted(today());
        // If-None-Match creates it; If-Match with its ETag replaces it.
        send("PUT", "/v1/cases/" + caseId + "/recommendation", recommendation, "If-None-Match", "*");
    }
    // ---

    // --- createAction
    static String createAction(String caseId) throws IOException, InterruptedException {
        var action = """
            {"title": "Agree how chronologies are kept", "owner_organisation": "LA-S12000049", "due_on": "%s",
             "status": "agreed", "owner_accepted_on": "%s", "success_measure": "Nine of ten files hold a chronology."}
            """.formatted(today().plusDays(90), today());
        var created = send("POST", "/v1/cases/" + caseId + "/actions", action, "Idempotency-Key", newKey());
        return created.headers().firstValue("Location").orElseThrow();
    }
    // ---

    // --- addActionUpdate
    static String addActionUpdate(String location) throws IOException, InterruptedException {
        var update = """
            {"reported_on": "%s", "progress": 25, "note": "The working group has met."}
            """.formatted(today());
        return send("POST", location + "/updates", update, "Idempotency-Key", newKey()).body();
    }
    // ---

    // --- getStatistics
    static HttpResponse<String> getStatistics(String etag) throws IOException, InterruptedException {
        var path = "/v1/statistics/decisions?view=live&committee=GLA";
        // With the tag of the last answer the status is 304 while nothing has changed.
        return etag == null ? send("GET", path, null) : send("GET", path, null, "If-None-Match", etag);
    }
    // ---

    // --- listChanges
    static String followChanges(String position) throws IOException, InterruptedException {
        for (var more = true; more;) {
            var page = send("GET", position, null).body();
            for (var type : values(page, "type")) {
                System.out.println("changed: " + type);
            }
            position = values(page, "next").get(0).substring(REGISTER.length());
            more = values(page, "more").get(0).equals("true");
        }
        return position; // keep it, and continue there next time
    }
    // ---

    static void expect(boolean holds, String what) {
        if (!holds) {
            throw new IllegalStateException(what);
        }
    }

    public static void main(String[] words) throws IOException, InterruptedException {
        var run = newKey();
        var referral = pushReferral(newReferral(run));
        var again = pushReferrals(List.of(newReferral(run), newReferral(run + "-2")));
        expect(again.size() == 2, "the batch");
        var found = listReferrals("source_system=example-java&source_reference=" + run);
        expect(found.equals(List.of(run)), "the list");
        var caseId = acceptReferral(referral);
        moveCase(caseId, "information_gathering");
        moveCase(caseId, "recommendation");
        putRecommendation(caseId);
        expect(moveCase(caseId, "decision").equals("decision"), "the move");
        var update = addActionUpdate(createAction(caseId));
        expect(values(update, "progress").get(0).equals("25"), "the update");
        expect(getStatistics(null).body().contains("\"rows\""), "the statistics");
        expect(!followChanges("/v1/changes").isEmpty(), "the feed");
        System.out.println("done: " + values(getCase(caseId).body(), "reference").get(0));
    }
}
