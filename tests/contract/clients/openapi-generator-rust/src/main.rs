//! The main flow by the Rust client that openapi-generator generates. It hands out no headers of responses, so the flow
//! neither reads If-None-Match again nor sees Idempotency-Replayed.
//!
//! REGISTER_URL and REGISTER_TOKEN name a register and a committee's token. Prints a line for each step that passed;
//! panics at the first surprise.
use std::fmt::Debug;

use chrono::{Days, NaiveDate, Utc};
use chrono_tz::Europe::London;
use register::apis::configuration::Configuration;
use register::apis::{actions_api, cases_api, changes_api, decision_api, referrals_api, statistics_api, Error};
use register::models;
use serde_json::{json, Value};
use uuid::Uuid;

struct Flow {
    configuration: Configuration,
}

fn expect<Document, Refusal: Debug>(response: Result<Document, Error<Refusal>>) -> Document {
    response.unwrap_or_else(|error| panic!("{error:?}"))
}

fn passed(step: &str) {
    println!("passed {step}");
}

fn today() -> NaiveDate {
    Utc::now().with_timezone(&London).date_naive()
}

fn new_key() -> String {
    Uuid::new_v4().to_string()
}

fn new_referral() -> models::ReferralInput {
    let child = models::ChildInput::new(new_key(), models::ChildOutcome::SignificantHarm, models::AgeBand::Variant510,
        models::Sex::Female);
    models::ReferralInput::new("generated-client".into(), format!("flow-{}", new_key()), "GLA".into(), "S12000049".into(),
        today() - Days::new(5), today() - Days::new(10), models::IncidentKind::SingleEvent, vec![child],
        vec![models::Criterion::AbuseOrNeglect], "Several services see learning for how they work together.".into(),
        models::ImmediateConcerns::None)
}

impl Flow {
    async fn push(&self) -> String {
        let (referral, key) = (new_referral(), new_key());
        let first = expect(referrals_api::push_referral(&self.configuration, referral.clone(), Some(&key)).await);
        let again = expect(referrals_api::push_referral(&self.configuration, referral, Some(&key)).await);
        assert_eq!(first.id, again.id);
        first.id.to_string()
    }

    async fn batch(&self) {
        let items = [json!(new_referral()), json!({"source_system": "generated-client"})]
            .into_iter()
            .map(|item| item.as_object().unwrap().clone().into_iter().collect())
            .collect();
        let result =
            expect(referrals_api::push_referrals(&self.configuration, items, None, Some(&new_key())).await);
        assert_eq!((result.created, result.refused), (1, 1));
        assert_eq!(json!(result)["items"][1]["problem"]["code"], Value::from("schema_violation"));
    }

    async fn accept(&self, id: &str) -> String {
        let input = models::AcceptanceInput::new(today());
        let accepted =
            expect(referrals_api::accept_referral(&self.configuration, id, input, Some(&new_key())).await);
        accepted.case_id.unwrap().to_string()
    }

    async fn move_to(&self, id: &str, to: models::Stage) {
        let current = expect(cases_api::get_case(&self.configuration, id, None, None).await);
        let input = models::TransitionInput::new(to, today());
        let moved =
            expect(cases_api::move_case(&self.configuration, id, &current.etag, input, Some(&new_key())).await);
        assert_eq!(moved.stage, to);
    }

    async fn recommend(&self, id: &str) {
        let mut input = models::RecommendationInput::new(today(), models::RecommendationAuthor::SubGroup,
            models::DecisionOutcome::Proceed, true);
        input.criteria_met = Some(vec![models::Criterion::AbuseOrNeglect]);
        input.other_processes_considered = Some(true);
        input.expected_learning = Some(Some("How each service could have seen the whole.".into()));
        expect(decision_api::put_recommendation(&self.configuration, id, input, None, Some("*")).await);
    }

    async fn act(&self, id: &str) {
        let input = models::ActionInput::new("Agree how chronologies are kept".into(), "LA-S12000049".into(),
            today() + Days::new(90));
        let made = expect(actions_api::create_action(&self.configuration, id, input, Some(&new_key())).await);
        let read = expect(actions_api::get_action(&self.configuration, &made.id.to_string(), None).await);
        assert_eq!(made.etag, read.etag);
    }

    async fn poll_statistics(&self) {
        let figures = expect(statistics_api::get_statistics(&self.configuration, "decisions", Some("live"), Some("GLA"),
            None, None, None, None, None, None, None).await);
        assert!(!figures.rows.is_empty());
    }

    async fn follow(&self, id: &str) {
        let mut after: Option<String> = None;
        loop {
            let page = expect(changes_api::list_changes(&self.configuration, after.as_deref(), Some(500), None).await);
            if page.items.iter().any(|event| event.subject_id.to_string() == id) {
                return;
            }
            assert!(page.more, "the feed does not have the case");
            let next = url::Url::parse(&page.next).unwrap();
            after = next.query_pairs().find(|(name, _)| name == "after").map(|(_, value)| value.into_owned());
        }
    }

    async fn be_refused(&self) {
        match cases_api::get_case(&self.configuration, &new_key(), None, None).await {
            Err(Error::ResponseError(refusal)) => {
                let problem: Value = serde_json::from_str(&refusal.content).unwrap();
                assert_eq!((refusal.status.as_u16(), &problem["code"]), (404, &Value::from("not_found")));
            }
            other => panic!("{other:?}"),
        }
    }
}

#[tokio::main(flavor = "current_thread")]
async fn main() {
    let configuration = Configuration {
        base_path: std::env::var("REGISTER_URL").unwrap(),
        oauth_access_token: std::env::var("REGISTER_TOKEN").ok(),
        ..Configuration::new()
    };
    let flow = Flow { configuration };
    flow.poll_statistics().await;
    passed("statistics");
    let pushed = flow.push().await;
    passed("push");
    flow.batch().await;
    passed("batch");
    let id = flow.accept(&pushed).await;
    passed("accept");
    flow.move_to(&id, models::Stage::InformationGathering).await;
    flow.move_to(&id, models::Stage::Recommendation).await;
    flow.recommend(&id).await;
    flow.move_to(&id, models::Stage::Decision).await;
    passed("move");
    flow.act(&id).await;
    passed("action");
    flow.follow(&id).await;
    passed("feed");
    flow.be_refused().await;
    passed("refusal");
}
