// The main flow by the client that oapi-codegen generates.
//
// REGISTER_URL and REGISTER_TOKEN name a register and a committee's token. Prints a line for each step that passed;
// panics at the first surprise.
package main

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"time"

	"clients/register"

	"github.com/google/uuid"
	"github.com/oapi-codegen/runtime/types"
)

type flow struct {
	context.Context
	*register.ClientWithResponses
}

func newFlow() flow {
	authorize := func(_ context.Context, request *http.Request) error {
		request.Header.Set("Authorization", "Bearer "+os.Getenv("REGISTER_TOKEN"))
		return nil
	}
	client, err := register.NewClientWithResponses(os.Getenv("REGISTER_URL"), register.WithRequestEditorFn(authorize))
	if err != nil {
		panic(err)
	}
	return flow{context.Background(), client}
}

func check(holds bool, what string) {
	if !holds {
		panic(what)
	}
}

func passed(step string) {
	fmt.Println("passed", step)
}

// expect returns the document of a response, which exists if the status is the expected one.
func expect[Document any](document *Document, body []byte, err error) *Document {
	if err != nil {
		panic(err)
	}
	check(document != nil, string(body))
	return document
}

func day(offset int) types.Date {
	london, err := time.LoadLocation("Europe/London")
	if err != nil {
		panic(err)
	}
	return types.Date{Time: time.Now().In(london).AddDate(0, 0, offset)}
}

func newKey() *string {
	key := uuid.NewString()
	return &key
}

func pointer[Value any](value Value) *Value {
	return &value
}

func referral() register.ReferralInput {
	return register.ReferralInput{
		SourceSystem: "generated-client", SourceReference: "flow-" + uuid.NewString(),
		Committee: "GLA", LocalAuthority: "S12000049", NotifiedOn: day(-5), AwareOn: day(-10),
		IncidentKind: register.IncidentKindSingleEvent,
		Children: register.ChildrenInput{{ChildId: uuid.NewString(), Outcome: register.ChildOutcomeSignificantHarm,
			AgeBand: register.AgeBandN510, Sex: register.SexFemale}},
		CriteriaClaimed:   register.CriteriaClaimed{register.CriterionAbuseOrNeglect},
		Basis:             "Several services see learning for how they work together.",
		ImmediateConcerns: register.ImmediateConcernsNone,
	}
}

func (f flow) push() uuid.UUID {
	input, params := referral(), &register.PushReferralParams{IdempotencyKey: newKey()}
	first, err := f.PushReferralWithResponse(f, params, input)
	id := expect(first.JSON201, first.Body, err).Id
	again, err := f.PushReferralWithResponse(f, params, input)
	check(expect(again.JSON201, again.Body, err).Id == id, "stored twice")
	check(again.HTTPResponse.Header.Get("Idempotency-Replayed") == "true", "the repetition was not recognised")
	return id
}

func (f flow) batch() {
	text, err := json.Marshal(referral())
	var good register.ReferralItemInput
	if err != nil || json.Unmarshal(text, &good) != nil {
		panic("a referral is not JSON")
	}
	items := register.ReferralBatchInput{good, {"source_system": "generated-client"}}
	response, err := f.PushReferralsWithResponse(f, &register.PushReferralsParams{IdempotencyKey: newKey()}, items)
	result := expect(response.JSON207, response.Body, err)
	check(result.Created == 1 && result.Refused == 1, "the batch has another result")
	check(result.Items[1].Problem.Code == "schema_violation", "another problem")
}

func (f flow) accept(id uuid.UUID) uuid.UUID {
	response, err := f.AcceptReferralWithResponse(f, id, &register.AcceptReferralParams{IdempotencyKey: newKey()},
		register.AcceptanceInput{AcceptedOn: day(0)})
	return *expect(response.JSON201, response.Body, err).CaseId
}

func (f flow) move(id uuid.UUID, to register.Stage) {
	current, err := f.GetCaseWithResponse(f, id.String(), nil)
	tag := expect(current.JSON200, current.Body, err).Etag
	moved, err := f.MoveCaseWithResponse(f, id, &register.MoveCaseParams{IfMatch: tag, IdempotencyKey: newKey()},
		register.TransitionInput{To: to, OccurredOn: day(0)})
	check(expect(moved.JSON201, moved.Body, err).Stage == to, "not moved")
}

func (f flow) recommend(id uuid.UUID) {
	input := register.RecommendationInput{MadeOn: day(0), MadeBy: register.RecommendationAuthorSubGroup,
		Recommended: register.DecisionOutcomeProceed, CriteriaMet: &[]register.Criterion{register.CriterionAbuseOrNeglect},
		CurrentCircumstancesRecorded: true, OtherProcessesConsidered: pointer(true),
		ExpectedLearning: pointer("How each service could have seen the whole.")}
	response, err := f.PutRecommendationWithResponse(f, id, &register.PutRecommendationParams{
		IfNoneMatch: pointer(register.PutRecommendationParamsIfNoneMatch("*"))}, input)
	expect(response.JSON201, response.Body, err)
}

func (f flow) act(id uuid.UUID) {
	input := register.ActionInput{Title: "Agree how chronologies are kept", OwnerOrganisation: "LA-S12000049",
		DueOn: day(90)}
	response, err := f.CreateActionWithResponse(f, id, &register.CreateActionParams{IdempotencyKey: newKey()}, input)
	action := expect(response.JSON201, response.Body, err).Id
	read, err := f.GetActionWithResponse(f, action, nil)
	expect(read.JSON200, read.Body, err)
	tag := read.HTTPResponse.Header.Get("ETag")
	again, err := f.GetActionWithResponse(f, action, &register.GetActionParams{IfNoneMatch: &tag})
	check(err == nil && again.StatusCode() == http.StatusNotModified, "an unchanged action was sent again")
}

func (f flow) pollStatistics() {
	params := &register.GetStatisticsParams{Committee: pointer("GLA"),
		View: pointer(register.GetStatisticsParamsViewLive)}
	read, err := f.GetStatisticsWithResponse(f, "decisions", params)
	check(len(expect(read.JSON200, read.Body, err).Rows) > 0, "no figures")
	params.IfNoneMatch = pointer(read.HTTPResponse.Header.Get("ETag"))
	again, err := f.GetStatisticsWithResponse(f, "decisions", params)
	check(err == nil && again.StatusCode() == http.StatusNotModified, "unchanged figures were sent again")
}

func (f flow) follow(id uuid.UUID) {
	params := &register.ListChangesParams{Limit: pointer(500)}
	for {
		response, err := f.ListChangesWithResponse(f, params)
		page := expect(response.JSON200, response.Body, err)
		for _, event := range page.Items {
			if event.SubjectId == id {
				return
			}
		}
		check(page.More, "the feed does not have the case")
		next, err := url.Parse(page.Next)
		check(err == nil, page.Next)
		params.After = pointer(next.Query().Get("after"))
	}
}

func (f flow) beRefused() {
	response, err := f.GetCaseWithResponse(f, uuid.NewString(), nil)
	problem := expect(response.ApplicationproblemJSON404, response.Body, err)
	check(problem.Code == "not_found", "another problem")
}

func main() {
	f := newFlow()
	f.pollStatistics()
	passed("statistics")
	pushed := f.push()
	passed("push")
	f.batch()
	passed("batch")
	id := f.accept(pushed)
	passed("accept")
	f.move(id, register.StageInformationGathering)
	f.move(id, register.StageRecommendation)
	f.recommend(id)
	f.move(id, register.StageDecision)
	passed("move")
	f.act(id)
	passed("action")
	f.follow(id)
	passed("feed")
	f.beRefused()
	passed("refusal")
}
