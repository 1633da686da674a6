// The main flow: a referral becomes a case with an action. Needs nothing but Go 1.19 or newer: go run main_flow.go.
//
// REGISTER_URL and REGISTER_TOKEN name a test register and the token of a committee's casework system. The
// documentation shows the parts between `// ---` lines with their operations.
package main

import (
	"bytes"
	"crypto/rand"
	"encoding/json"
	"fmt"
	"io"
	"log"
	"net/http"
	"net/url"
	"os"
	"strings"
	"time"
	_ "time/tzdata"
)

type object = map[string]any

var (
	register = os.Getenv("REGISTER_URL")
	client   = http.Client{Timeout: 30 * time.Second}
)

// send returns the status, the headers and the document of the response; a problem ends the program.
func send(method, path string, body any, headers ...string) (int, http.Header, object) {
	data := []byte(nil)
	if body != nil {
		data = must(json.Marshal(body))
	}
	request := must(http.NewRequest(method, register+path, bytes.NewReader(data)))
	request.Header.Set("Authorization", "Bearer "+os.Getenv("REGISTER_TOKEN"))
	if body != nil {
		request.Header.Set("Content-Type", "application/json")
	}
	for i := 0; i < len(headers); i += 2 {
		request.Header.Set(headers[i], headers[i+1])
	}
	response := must(client.Do(request))
	defer response.Body.Close()
	text := must(io.ReadAll(response.Body))
	document := object{}
	if len(text) > 0 {
		check(json.Unmarshal(text, &document))
	}
	if response.StatusCode >= 400 {
		log.Fatalf("%v: %v %v", document["code"], document["detail"], document["errors"])
	}
	return response.StatusCode, response.Header, document
}

func check(err error) {
	if err != nil {
		log.Fatal(err)
	}
}

func must[T any](value T, err error) T {
	check(err)
	return value
}

// newKey returns a key for each new request; a repetition of the request has the same key.
func newKey() string {
	random := make([]byte, 16)
	must(rand.Read(random))
	return fmt.Sprintf("%x-%x-%x-%x-%x", random[:4], random[4:6], random[6:8], random[8:10], random[10:])
}

// day returns the day in Scotland, some days from now.
func day(offset int) string {
	return time.Now().In(must(time.LoadLocation("Europe/London"))).AddDate(0, 0, offset).Format("2006-01-02")
}

func newReferral(reference string) object {
	return object{
		"source_system": "example-go", "source_reference": reference,
		"committee": "GLA", "local_authority": "S12000049",
		"notified_on": day(0), "aware_on": day(0), "incident_kind": "accumulation",
		"children": []object{{"child_id": "child-" + reference, "outcome": "significant_harm", "age_band": "5_10",
			"sex": "female"}},
		"criteria_claimed": []string{"abuse_or_neglect"}, "immediate_concerns": "none",
		"basis": "Several services see learning for how they work together.",
	}
}

// items returns the objects in the list of an answer.
func items(answer object) []object {
	var found []object
	for _, item := range answer["items"].([]any) {
		found = append(found, item.(object))
	}
	return found
}

// --- pushReferral
func pushReferral(referral object) object {
	status, headers, document := send("POST", "/v1/referrals", referral, "Idempotency-Key", newKey())
	fmt.Println("pushed:", status, headers.Get("Location")) // 201; 200 if the register has this referral already
	return document
}

// ---

// --- pushReferrals
func pushReferrals(referrals []object) []object {
	_, _, answer := send("POST", "/v1/referrals/batch", referrals, "Idempotency-Key", newKey())
	for _, item := range items(answer) {
		if item["status"].(float64) >= 400 {
			fmt.Println("refused:", item["index"], item["problem"])
		}
	}
	return items(answer)
}

// ---

// --- listReferrals
func listReferrals(filters url.Values) []object {
	var found []object
	filters.Set("limit", "200")
	path := "/v1/referrals?" + filters.Encode()
	for path != "" {
		_, _, page := send("GET", path, nil)
		found = append(found, items(page)...)
		// `next` is an absolute address, or null; it keeps the filters and the position.
		next, _ := page["next"].(string)
		path = strings.TrimPrefix(next, register)
	}
	return found
}

// ---

// --- acceptReferral
func acceptReferral(referral object) string {
	// Without the identifier of an open case the register opens a new one.
	acceptance := object{"case_id": nil, "accepted_on": day(0)}
	_, _, accepted := send("POST", fmt.Sprintf("/v1/referrals/%v/acceptance", referral["id"]), acceptance,
		"Idempotency-Key", newKey())
	return accepted["case_id"].(string)
}

// ---

// --- getCase
func getCase(caseID string) (object, string) {
	_, headers, found := send("GET", "/v1/cases/"+caseID, nil)
	return found, headers.Get("ETag")
}

// ---

// --- moveCase
func moveCase(caseID, stage string) string {
	_, etag := getCase(caseID)
	transition := object{"to": stage, "occurred_on": day(0)}
	// 412: someone else changed the case. 409: something blocks the move; `errors` names it.
	_, _, moved := send("POST", "/v1/cases/"+caseID+"/transitions", transition,
		"If-Match", etag, "Idempotency-Key", newKey())
	return moved["stage"].(string)
}

// ---

// --- putRecommendation
func putRecommendation(caseID string) {
	recommendation := object{
		"made_on": day(0), "made_by": "sub_group", "recommended": "proceed",
		"criteria_met": []string{"abuse_or_neglect"}, "current_circumstances_recorded": true,
		"other_processes_considered": true, "expected_learning": "How each service could have seen the whole.",
	}
	// If-None-Match creates it; If-Match with its ETag replaces it.
	send("PUT", "/v1/cases/"+caseID+"/recommendation", recommendation, "If-None-Match", "*")
}

// ---

// --- createAction
func createAction(caseID string) object {
	action := object{"title": "Agree how chronologies are kept", "owner_organisation": "LA-S12000049",
		"due_on": day(90), "status": "agreed", "owner_accepted_on": day(0),
		"success_measure": "Nine of ten files hold a chronology."}
	_, _, created := send("POST", "/v1/cases/"+caseID+"/actions", action, "Idempotency-Key", newKey())
	return created
}

// ---

// --- addActionUpdate
func addActionUpdate(action object) object {
	update := object{"reported_on": day(0), "progress": 25, "note": "The working group has met."}
	_, _, added := send("POST", fmt.Sprintf("/v1/actions/%v/updates", action["id"]), update, "Idempotency-Key", newKey())
	return added
}

// ---

// --- getStatistics
func getStatistics(etag string) (string, object) {
	var headers []string
	if etag != "" {
		// With the tag of the last answer the status is 304 while nothing has changed.
		headers = []string{"If-None-Match", etag}
	}
	_, answered, table := send("GET", "/v1/statistics/decisions?view=live&committee=GLA", nil, headers...)
	return answered.Get("ETag"), table
}

// ---

// --- listChanges
func followChanges(position string) string {
	for more := true; more; {
		_, _, page := send("GET", position, nil)
		for _, event := range items(page) {
			fmt.Println("changed:", event["type"], event["links"].(object)["self"])
		}
		position = strings.TrimPrefix(page["next"].(string), register)
		more = page["more"].(bool)
	}
	return position // keep it, and continue there next time
}

// ---

func expect(holds bool, what string) {
	if !holds {
		log.Fatal("unexpected: ", what)
	}
}

func main() {
	run := newKey()
	referral := pushReferral(newReferral(run))
	again := pushReferrals([]object{newReferral(run), newReferral(run + "-2")})
	expect(again[0]["status"] == 200.0 && again[1]["status"] == 201.0, "the batch")
	found := listReferrals(url.Values{"source_system": {"example-go"}, "source_reference": {run}})
	expect(len(found) == 1 && found[0]["id"] == referral["id"], "the list")
	caseID := acceptReferral(referral)
	moveCase(caseID, "information_gathering")
	moveCase(caseID, "recommendation")
	putRecommendation(caseID)
	expect(moveCase(caseID, "decision") == "decision", "the move")
	expect(addActionUpdate(createAction(caseID))["progress"] == 25.0, "the update")
	_, table := getStatistics("")
	expect(len(table["rows"].([]any)) > 0, "the statistics")
	expect(followChanges("/v1/changes") != "", "the feed")
	done, _ := getCase(caseID)
	fmt.Println("done:", done["reference"])
}
