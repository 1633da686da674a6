// The main flow: a referral becomes a case with an action. Needs nothing but .NET or Mono (with System.Net.Http).
//
// REGISTER_URL and REGISTER_TOKEN name a test register and the token of a committee's casework system. The
// documentation shows the parts between `// ---` lines with their operations. Mono has no JSON parser: this program
// finds the few members that it needs with a pattern. A real client uses System.Text.Json.
using System;
using System.Collections.Generic;
using System.Linq;
using System.Net.Http;
using System.Text;
using System.Text.RegularExpressions;
using System.Threading.Tasks;

static class MainFlow
{
    static readonly string Register = Environment.GetEnvironmentVariable("REGISTER_URL");
    static readonly string Token = Environment.GetEnvironmentVariable("REGISTER_TOKEN");
    static readonly HttpClient Client = new HttpClient { Timeout = TimeSpan.FromSeconds(30) };

    /// <summary>Sends a request; throws an exception for a problem. `headers`: names and values in turn.</summary>
    static async Task<HttpResponseMessage> Send(string method, string path, string body, params string[] headers)
    {
        var request = new HttpRequestMessage(new HttpMethod(method), Register + path);
        request.Headers.TryAddWithoutValidation("Authorization", "Bearer " + Token);
        for (var i = 0; i < headers.Length; i += 2) request.Headers.TryAddWithoutValidation(headers[i], headers[i + 1]);
        if (body != null) request.Content = new StringContent(body, Encoding.UTF8, "application/json");
        var response = await Client.SendAsync(request);
        if ((int)response.StatusCode >= 400) throw new HttpRequestException(await response.Content.ReadAsStringAsync());
        return response;
    }

    static async Task<string> SendForText(string method, string path, string body, params string[] headers)
    {
        return await (await Send(method, path, body, headers)).Content.ReadAsStringAsync();
    }

    /// <summary>The values of a member, wherever the document has it; a text without its quotes.</summary>
    static List<string> Values(string document, string member)
    {
        var pattern = "\"" + member + "\"\\s*:\\s*(?:\"([^\"]*)\"|([a-z0-9.]+))";
        return Regex.Matches(document, pattern).Cast<Match>()
            .Select(found => found.Groups[1].Success ? found.Groups[1].Value : found.Groups[2].Value).ToList();
    }

    /// <summary>A key for each new request; a repetition of the request has the same key.</summary>
    static string NewKey()
    {
        return Guid.NewGuid().ToString();
    }

    static string Day(int offset = 0)
    {
        var london = TimeZoneInfo.FindSystemTimeZoneById("Europe/London");
        return TimeZoneInfo.ConvertTimeFromUtc(DateTime.UtcNow, london).AddDays(offset).ToString("yyyy-MM-dd");
    }

    static string NewReferral(string reference)
    {
        return $@"{{""source_system"": ""example-csharp"", ""source_reference"": ""{reference}"",
            ""committee"": ""GLA"", ""local_authority"": ""S12000049"",
            ""notified_on"": ""{Day()}"", ""aware_on"": ""{Day()}"", ""incident_kind"": ""accumulation"",
            ""children"": [{{""child_id"": ""child-{reference}"", ""outcome"": ""significant_harm"",
                ""age_band"": ""5_10"", ""sex"": ""female""}}],
            ""criteria_claimed"": [""abuse_or_neglect""], ""immediate_concerns"": ""none"",
            ""basis"": ""Several services see learning for how they work together.""}}";
    }

    // --- pushReferral
    static async Task<string> PushReferral(string referral)
    {
        var response = await Send("POST", "/v1/referrals", referral, "Idempotency-Key", NewKey());
        var location = response.Headers.GetValues("Location").Single();
        // 201; 200 if the register has this referral already
        Console.WriteLine("pushed: {0} {1}", (int)response.StatusCode, location);
        return location;
    }
    // ---

    // --- pushReferrals
    static async Task<List<string>> PushReferrals(params string[] referrals)
    {
        var body = "[" + string.Join(",", referrals) + "]";
        var answer = await SendForText("POST", "/v1/referrals/batch", body, "Idempotency-Key", NewKey());
        // Each item has a status of its own; `problem` says why the register refused it.
        foreach (var code in Values(answer, "code")) Console.WriteLine("refused: {0}", code);
        return Values(answer, "index");
    }
    // ---

    // --- listReferrals
    static async Task<List<string>> ListReferrals(string filters)
    {
        var found = new List<string>();
        for (var path = "/v1/referrals?limit=200&" + filters; path != null;)
        {
            var page = await SendForText("GET", path, null);
            found.AddRange(Values(page, "source_reference"));
            // `next` is an absolute address, or null; it keeps the filters and the position.
            var next = Values(page, "next").First();
            path = next == "null" ? null : next.Substring(Register.Length);
        }
        return found;
    }
    // ---

    // --- acceptReferral
    static async Task<string> AcceptReferral(string location)
    {
        // Without the identifier of an open case the register opens a new one.
        var acceptance = $@"{{""case_id"": null, ""accepted_on"": ""{Day()}""}}";
        var accepted = await SendForText("POST", location + "/acceptance", acceptance, "Idempotency-Key", NewKey());
        return Values(accepted, "case_id").First();
    }
    // ---

    // --- getCase
    static async Task<HttpResponseMessage> GetCase(string caseId)
    {
        return await Send("GET", "/v1/cases/" + caseId, null);
    }
    // ---

    // --- moveCase
    static async Task<string> MoveCase(string caseId, string stage)
    {
        var etag = (await GetCase(caseId)).Headers.GetValues("ETag").Single();
        var transition = $@"{{""to"": ""{stage}"", ""occurred_on"": ""{Day()}""}}";
        // 412: someone else changed the case. 409: something blocks the move; `errors` names it.
        var moved = await SendForText("POST", "/v1/cases/" + caseId + "/transitions", transition,
            "If-Match", etag, "Idempotency-Key", NewKey());
        return Values(moved, "stage").First();
    }
    // ---

    // --- putRecommendation
    static async Task PutRecommendation(string caseId)
    {
        var recommendation = $@"{{""made_on"": ""{Day()}"", ""made_by"": ""sub_group"", ""recommended"": ""proceed"",
            ""criteria_met"": [""abuse_or_neglect""], ""current_circumstances_recorded"": true,
            ""other_processes_considered"": true,
            ""expected_learning"": ""How each service could have seen the whole.""}}";
        // If-None-Match creates it; If-Match with its ETag replaces it.
        await Send("PUT", "/v1/cases/" + caseId + "/recommendation", recommendation, "If-None-Match", "*");
    }
    // ---

    // --- createAction
    static async Task<string> CreateAction(string caseId)
    {
        var action = $@"{{""title"": ""Agree how chronologies are kept"", ""owner_organisation"": ""LA-S12000049"",
            ""due_on"": ""{Day(90)}"", ""status"": ""agreed"", ""owner_accepted_on"": ""{Day()}"",
            ""success_measure"": ""Nine of ten files hold a chronology.""}}";
        var created = await Send("POST", "/v1/cases/" + caseId + "/actions", action, "Idempotency-Key", NewKey());
        return created.Headers.GetValues("Location").Single();
    }
    // ---

    // --- addActionUpdate
    static async Task<string> AddActionUpdate(string location)
    {
        var update = $@"{{""reported_on"": ""{Day()}"", ""progress"": 25, ""note"": ""The working group has met.""}}";
        return await SendForText("POST", location + "/updates", update, "Idempotency-Key", NewKey());
    }
    // ---

    // --- getStatistics
    static async Task<HttpResponseMessage> GetStatistics(string etag)
    {
        var path = "/v1/statistics/decisions?view=live&committee=GLA";
        // With the tag of the last answer the status is 304 while nothing has changed.
        return etag == null ? await Send("GET", path, null) : await Send("GET", path, null, "If-None-Match", etag);
    }
    // ---

    // --- listChanges
    static async Task<string> FollowChanges(string position)
    {
        for (var more = true; more;)
        {
            var page = await SendForText("GET", position, null);
            foreach (var type in Values(page, "type")) Console.WriteLine("changed: {0}", type);
            position = Values(page, "next").First().Substring(Register.Length);
            more = Values(page, "more").First() == "true";
        }
        return position; // keep it, and continue there next time
    }
    // ---

    static void Expect(bool holds, string what)
    {
        if (!holds) throw new InvalidOperationException(what);
    }

    static async Task Run()
    {
        var run = NewKey();
        var referral = await PushReferral(NewReferral(run));
        var again = await PushReferrals(NewReferral(run), NewReferral(run + "-2"));
        Expect(again.Count == 2, "the batch");
        var found = await ListReferrals("source_system=example-csharp&source_reference=" + run);
        Expect(found.SequenceEqual(new[] { run }), "the list");
        var caseId = await AcceptReferral(referral);
        await MoveCase(caseId, "information_gathering");
        await MoveCase(caseId, "recommendation");
        await PutRecommendation(caseId);
        Expect(await MoveCase(caseId, "decision") == "decision", "the move");
        var update = await AddActionUpdate(await CreateAction(caseId));
        Expect(Values(update, "progress").First() == "25", "the update");
        Expect((await (await GetStatistics(null)).Content.ReadAsStringAsync()).Contains("\"rows\""), "the statistics");
        Expect(await FollowChanges("/v1/changes") != "", "the feed");
        var done = await (await GetCase(caseId)).Content.ReadAsStringAsync();
        Console.WriteLine("done: {0}", Values(done, "reference").First());
    }

    static void Main()
    {
        Run().GetAwaiter().GetResult();
    }
}
