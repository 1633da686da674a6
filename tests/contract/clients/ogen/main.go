// The main flow by the client that ogen generates.
//
// REGISTER_URL and REGISTER_TOKEN name a register and a committee's token. Prints a line for each step that passed;
// panics at the first surprise.
package main

import (
	"context"
	"fmt"
	"os"
	"time"

	"clients/register"

	"github.com/go-faster/jx"
	"github.com/google/uuid"
)

type token struct{}

func (token) OAuth2(context.Context, register.OperationName) (register.OAuth2, error) {
	return register.OAuth2{Token: os.Getenv("REGISTER_TOKEN")}, nil
}

// expect returns the response if it has the expected type.
func expect[Want any](response any, err error) Want {
	if err != nil {
		panic(err)
	}
	want, ok := response.(Want)
	if !ok {
		panic(fmt.Sprintf("%T instead of %T: %+v", response, want, response))
	}
	return want
}

func check(holds bool, what string) {
	if !holds {
		panic(what)
	}
}

func passed(step string) {
	fmt.Println("passed", step)
}

func day(offset int) time.Time {
	london, err := time.LoadLocation("Europe/London")
	if err != nil {
		panic(err)
	}
	return time.Now().In(london).AddDate(0, 0, offset)
}

func newKey() register.OptString {
	return register.NewOptString(uuid.NewString())
}

type flow struct {
	context.Context
	*register.Client
}

func referral() *register.ReferralInput {
	return &register.ReferralInput{
		SourceSystem: "generated-client", SourceReference: register.SourceReference("flow-" + uuid.NewString()),
		Committee: "GLA", LocalAuthority: "S12000049",
		NotifiedOn: register.NotifiedOn(day(-5)), AwareOn: register.AwareOn(day(-10)),
		IncidentKind: register.IncidentKindSingleEvent,
		Children: register.ChildrenInput{{ChildID: uuid.NewString(), Outcome: register.ChildOutcomeSignificantHarm,
			AgeBand: register.AgeBand510, Sex: register.SexFemale}},
		CriteriaClaimed:   register.CriteriaClaimed{register.CriterionAbuseOrNeglect},
		Basis:             "Several services see learning for how they work together.",
		ImmediateConcerns: register.ImmediateConcernsNone,
	}
}

func (f flow) push() uuid.UUID {
	input, params := referral(), register.PushReferralParams{IdempotencyKey: newKey()}
	first := expect[*register.PushReferralCreated](f.PushReferral(f, input, params))
	again := expect[*register.PushReferralCreated](f.PushReferral(f, input, params))
	check(first.Response.ID == again.Response.ID, "stored twice")
	check(again.IdempotencyReplayed.Set, "the repetition was not recognised")
	return uuid.UUID(first.Response.ID)
}

func (f flow) batch() {
	text, err := referral().MarshalJSON()
	var good register.ReferralItemInput
	if err != nil || good.UnmarshalJSON(text) != nil {
		panic("a referral is not JSON")
	}
	items := register.ReferralBatchInput{good, {"source_system": jx.Raw(`"generated-client"`)}}
	result := expect[*register.PushReferralsMultiStatus](
		f.PushReferrals(f, items, register.PushReferralsParams{IdempotencyKey: newKey()}))
	check(result.Response.Created == 1 && result.Response.Refused == 1, "the batch has another result")
	check(result.Response.Items[1].Problem.Value.Code == "schema_violation", "another problem")
}

func (f flow) accept(id uuid.UUID) uuid.UUID {
	accepted := expect[*register.ReferralHeaders](f.AcceptReferral(f,
		&register.AcceptanceInput{AcceptedOn: day(0)}, register.AcceptReferralParams{ID: id, IdempotencyKey: newKey()}))
	return uuid.UUID(accepted.Response.CaseID.Value)
}

func (f flow) move(id uuid.UUID, to register.Stage) {
	current := expect[*register.GetCaseOKHeaders](f.GetCase(f, register.GetCaseParams{ID: id.String()}))
	moved := expect[*register.MergeCaseCreatedHeaders](f.MoveCase(f, &register.TransitionInput{To: to, OccurredOn: day(0)},
		register.MoveCaseParams{ID: id, IfMatch: string(current.Response.Etag), IdempotencyKey: newKey()}))
	check(moved.Response.Stage == to, "not moved")
}

func (f flow) recommend(id uuid.UUID) {
	learning := register.OptNilExpectedLearning{}
	learning.SetTo("How each service could have seen the whole.")
	input := &register.RecommendationInput{MadeOn: day(0), MadeBy: register.RecommendationAuthorSubGroup,
		Recommended: register.DecisionOutcomeProceed, CriteriaMet: []register.Criterion{register.CriterionAbuseOrNeglect},
		CurrentCircumstancesRecorded: true, OtherProcessesConsidered: register.NewOptOtherProcessesConsidered(true),
		ExpectedLearning: learning}
	expect[*register.PutRecommendationCreated](f.PutRecommendation(f, input, register.PutRecommendationParams{
		ID: id, IfNoneMatch: register.NewOptIfNoneMatchAny("*")}))
}

func (f flow) act(id uuid.UUID) {
	input := &register.ActionInput{Title: "Agree how chronologies are kept", OwnerOrganisation: "LA-S12000049",
		DueOn: day(90)}
	made := expect[*register.CreateActionCreatedHeaders](f.CreateAction(f, input,
		register.CreateActionParams{ID: id, IdempotencyKey: newKey()}))
	action := register.GetActionParams{ID: uuid.UUID(made.Response.ID)}
	read := expect[*register.ReviewActionHeaders](f.GetAction(f, action))
	action.IfNoneMatch = register.NewOptString(read.ETag)
	expect[*register.NotModified](f.GetAction(f, action))
}

func (f flow) pollStatistics() {
	params := register.GetStatisticsParams{Table: "decisions", Committee: register.NewOptCommitteeCode("GLA"),
		View: register.NewOptGetStatisticsView(register.GetStatisticsViewLive)}
	read := expect[*register.StatisticFiguresHeaders](f.GetStatistics(f, params))
	check(len(read.Response.Rows) > 0, "no figures")
	params.IfNoneMatch = register.NewOptString(read.ETag)
	expect[*register.FiguresNotModified](f.GetStatistics(f, params))
}

func (f flow) follow(id uuid.UUID) {
	params := register.ListChangesParams{Limit: register.NewOptInt(500)}
	for {
		page := expect[*register.ChangePageHeaders](f.ListChanges(f, params)).Response
		for _, event := range page.Items {
			if event.SubjectID == id {
				return
			}
		}
		check(page.More, "the feed does not have the case")
		params.After = register.NewOptString(page.Next.Query().Get("after"))
	}
}

func (f flow) beRefused() {
	refusal := expect[*register.NotFoundHeaders](f.GetCase(f, register.GetCaseParams{ID: uuid.NewString()}))
	check(refusal.Response.Code == "not_found", "another problem")
}

func main() {
	client, err := register.NewClient(os.Getenv("REGISTER_URL"), token{})
	if err != nil {
		panic(err)
	}
	f := flow{context.Background(), client}
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
