// The main flow by the client that openapi-generator generates.
//
// REGISTER_URL and REGISTER_TOKEN name a register and a committee's token. Prints a line for each step that passed;
// panics at the first surprise.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"time"

	"clients/register"

	"github.com/google/uuid"
	"golang.org/x/oauth2"
)

type flow struct {
	context.Context
	*register.APIClient
}

func newFlow() flow {
	configuration := register.NewConfiguration()
	configuration.Servers = register.ServerConfigurations{{URL: os.Getenv("REGISTER_URL")}}
	token := oauth2.StaticTokenSource(&oauth2.Token{AccessToken: os.Getenv("REGISTER_TOKEN")})
	return flow{context.WithValue(context.Background(), register.ContextOAuth2, token),
		register.NewAPIClient(configuration)}
}

func check(holds bool, what string) {
	if !holds {
		panic(what)
	}
}

func passed(step string) {
	fmt.Println("passed", step)
}

// expect returns the document of a response with the status.
func expect[Document any](status int) func(*Document, *http.Response, error) *Document {
	return func(document *Document, response *http.Response, err error) *Document {
		if err != nil {
			var refusal *register.GenericOpenAPIError
			if errors.As(err, &refusal) {
				panic(string(refusal.Body()))
			}
			panic(err)
		}
		check(response.StatusCode == status, response.Status)
		return document
	}
}

// refusal returns the problem of a response with the status; 304 has none.
func refusal(status int, response *http.Response, err error) *register.Problem {
	check(response != nil && response.StatusCode == status && err != nil, fmt.Sprint("not refused: ", response))
	var refused *register.GenericOpenAPIError
	check(errors.As(err, &refused), "another error")
	problem, ok := refused.Model().(register.Problem)
	if !ok {
		return nil
	}
	return &problem
}

func day(offset int) string {
	london, err := time.LoadLocation("Europe/London")
	if err != nil {
		panic(err)
	}
	return time.Now().In(london).AddDate(0, 0, offset).Format(time.DateOnly)
}

func referral() register.ReferralInput {
	child := register.NewChildInput(uuid.NewString(), register.CHILDOUTCOME_SIGNIFICANT_HARM, register.AGEBAND__5_10,
		register.SEX_FEMALE)
	return *register.NewReferralInput("generated-client", "flow-"+uuid.NewString(), "GLA", "S12000049", day(-5), day(-10),
		register.INCIDENTKIND_SINGLE_EVENT, []register.ChildInput{*child},
		[]register.Criterion{register.CRITERION_ABUSE_OR_NEGLECT},
		"Several services see learning for how they work together.", register.IMMEDIATECONCERNS_NONE)
}

func (f flow) push() string {
	request := f.ReferralsAPI.PushReferral(f).ReferralInput(referral()).IdempotencyKey(uuid.NewString())
	first := expect[register.Referral](201)(request.Execute())
	again, response, err := request.Execute()
	check(expect[register.Referral](201)(again, response, err).Id == first.Id, "stored twice")
	check(response.Header.Get("Idempotency-Replayed") == "true", "the repetition was not recognised")
	return first.Id
}

func (f flow) batch() {
	text, err := json.Marshal(referral())
	var good map[string]any
	if err != nil || json.Unmarshal(text, &good) != nil {
		panic("a referral is not JSON")
	}
	items := []map[string]any{good, {"source_system": "generated-client"}}
	result := expect[register.BatchResult](207)(
		f.ReferralsAPI.PushReferrals(f).RequestBody(items).IdempotencyKey(uuid.NewString()).Execute())
	check(result.Created == 1 && result.Refused == 1, "the batch has another result")
	check(result.Items[1].Problem.Get().Code == "schema_violation", "another problem")
}

func (f flow) accept(id string) string {
	accepted := expect[register.Referral](201)(f.ReferralsAPI.AcceptReferral(f, id).
		AcceptanceInput(*register.NewAcceptanceInput(day(0))).IdempotencyKey(uuid.NewString()).Execute())
	return *accepted.CaseId.Get()
}

func (f flow) move(id string, to register.Stage) {
	current := expect[register.Case](200)(f.CasesAPI.GetCase(f, id).Execute())
	moved := expect[register.Case](201)(f.CasesAPI.MoveCase(f, id).IfMatch(current.Etag).
		TransitionInput(*register.NewTransitionInput(to, day(0))).IdempotencyKey(uuid.NewString()).Execute())
	check(moved.Stage == to, "not moved")
}

func (f flow) recommend(id string) {
	input := register.NewRecommendationInput(day(0), register.RECOMMENDATIONAUTHOR_SUB_GROUP,
		register.DECISIONOUTCOME_PROCEED, true)
	input.SetCriteriaMet([]register.Criterion{register.CRITERION_ABUSE_OR_NEGLECT})
	input.SetOtherProcessesConsidered(true)
	input.SetExpectedLearning("How each service could have seen the whole.")
	expect[register.Recommendation](201)(
		f.DecisionAPI.PutRecommendation(f, id).RecommendationInput(*input).IfNoneMatch("*").Execute())
}

func (f flow) act(id string) {
	input := *register.NewActionInput("Agree how chronologies are kept", "LA-S12000049", day(90))
	made := expect[register.ReviewAction](201)(
		f.ActionsAPI.CreateAction(f, id).ActionInput(input).IdempotencyKey(uuid.NewString()).Execute())
	action, response, err := f.ActionsAPI.GetAction(f, made.Id).Execute()
	expect[register.ReviewAction](200)(action, response, err)
	_, again, err := f.ActionsAPI.GetAction(f, made.Id).IfNoneMatch(response.Header.Get("ETag")).Execute()
	refusal(http.StatusNotModified, again, err)
}

func (f flow) pollStatistics() {
	request := f.StatisticsAPI.GetStatistics(f, "decisions").View("live").Committee("GLA")
	figures, response, err := request.Execute()
	check(len(expect[register.StatisticFigures](200)(figures, response, err).Rows) > 0, "no figures")
	_, again, err := request.IfNoneMatch(response.Header.Get("ETag")).Execute()
	refusal(http.StatusNotModified, again, err)
}

func (f flow) follow(id string) {
	request := f.ChangesAPI.ListChanges(f).Limit(500)
	for {
		page := expect[register.ChangePage](200)(request.Execute())
		for _, event := range page.Items {
			if event.SubjectId == id {
				return
			}
		}
		check(page.More, "the feed does not have the case")
		next, err := url.Parse(page.Next)
		check(err == nil, page.Next)
		request = request.After(next.Query().Get("after"))
	}
}

func (f flow) beRefused() {
	_, response, err := f.CasesAPI.GetCase(f, uuid.NewString()).Execute()
	problem := refusal(http.StatusNotFound, response, err)
	check(problem != nil && problem.Code == "not_found", "another problem")
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
	f.move(id, register.STAGE_INFORMATION_GATHERING)
	f.move(id, register.STAGE_RECOMMENDATION)
	f.recommend(id)
	f.move(id, register.STAGE_DECISION)
	passed("move")
	f.act(id)
	passed("action")
	f.follow(id)
	passed("feed")
	f.beRefused()
	passed("refusal")
}
