//! The managed contract test of an action: one delivery is one run (`spec/actions.md` 5.3).
//!
//! Owns choosing specification and target for a trigger, and what is told of the result. Refuses to own the test itself
//! (`contract_test`) and when an attempt is made (`deliver`).

mod lane;
mod shelf;
mod violations;

use std::sync::Arc;

use http::HeaderMap;
use serde_json::{Value, json};

use crate::deliver::{Context, Credentials, Report};
use crate::events::caused_by;
use crate::events::chain::{self, Chain};
use crate::model::delivery::OutcomeKind;
use crate::model::event::Event;
use crate::model::id;
use crate::model::problem::{Problem, Problems};
use crate::runtime::shutdown::Watch;
use crate::store::{Change, Object, ObjectOrigin};
use crate::telemetry::signals::actions as signals;

use super::contract_test::choice::{self, Choice};
use super::contract_test::execute::{self, Order, Unwatched, custom_headers};
use super::contract_test::options::ContractTest;
use super::contract_test::outcome::{Cause, Run, Status, Used};
use super::contract_test::report;
use super::contract_test::specification::{self, Loaded};
use super::world::{self, Identity, World, extended};
pub(super) use lane::Lanes;
use lane::{Running, Turn};
use shelf::StoreShelf;
use violations::{Told, Violations};

/// Word under which the open violations of an action are kept.
const STATE: &str = "contract_test";

/// A contract test of an action, resolved.
pub(super) struct Test {
    options: ContractTest,
    credentials: Option<Arc<dyn Credentials>>,
    headers: HeaderMap,
    world: World,
    lanes: Arc<Lanes>,
    stop: Watch,
}

impl Test {
    /// # Errors
    /// When the auth provider is not there; pointers are relative to the action.
    pub(super) fn new(
        options: &ContractTest,
        world: &World,
        lanes: Arc<Lanes>,
        stop: Watch,
    ) -> Result<Self, Problems> {
        let credentials = world::credentials(options.auth_provider.as_ref(), world);
        let credentials = credentials.map_err(|problem| {
            let pointer = "/managed/contract_test/auth_provider".to_owned();
            Problems(vec![Problem { pointer, ..problem }])
        })?;
        Ok(Self {
            headers: custom_headers(&options.headers),
            options: options.clone(),
            credentials,
            world: world.clone(),
            lanes,
            stop,
        })
    }

    pub(super) async fn attempt(&self, identity: &Identity<'_>, context: &Context) -> Report {
        let target = self.target(identity);
        let lane = self.lanes.lane(identity.id, target.unwrap_or_default());
        let (row, trigger) = (context.delivery.event_sequence, &context.event.id);
        let interval = self.options.min_interval.0;
        let turn = lane.turn(row, trigger, &self.world.clock, interval).await;
        let running = match turn {
            Turn::Mine(running) => running,
            Turn::Replaced => {
                let said =
                    json!({"result": "coalesced", "message": "a newer event runs in its place"});
                let target = target.unwrap_or_default();
                return reported(identity, target, (OutcomeKind::Ok, None), &said);
            }
        };
        match self.order(identity, context).await {
            Ok(order) => self.run(identity, context, order, &running).await,
            Err(cause) => self.refuse(identity, context, target, cause).await,
        }
    }

    /// The URL that is tested.
    fn target<'a>(&'a self, identity: &Identity<'a>) -> Option<&'a str> {
        let named = self.options.endpoint.as_deref().or(self.options.base_url.as_deref());
        named.or_else(|| identity.api.map(|(_, api)| api.base_url.as_str()))
    }

    /// Everything that is known before the first request.
    async fn order(&self, identity: &Identity<'_>, context: &Context) -> Result<Order, Cause> {
        let world = &self.world;
        let api = context.event.api().or(identity.action.api.as_deref());
        let specifications = StoreShelf { world, api };
        let load = |found: &choice::Found| {
            specification::load(found).map_err(|problems| {
                let first = problems.0.first().map(ToString::to_string);
                first.unwrap_or_else(|| "it cannot be read".to_owned())
            })
        };
        let chosen =
            choice::choose(&self.options, Some(&context.event), &specifications, load).await?;
        let Choice { source, place, loaded: Loaded { baseline, lints } } = chosen;
        let now_ms = world.clock.now_ms();
        let run = id::time_ordered(now_ms, world.rng.bytes());
        let chain = Chain {
            kind: chain::Kind::Test,
            correlation: run.clone(),
            depth: context.event.chaindepth.saturating_add(1),
            path: vec![identity.id.to_owned()],
            time_ms: now_ms,
        };
        Ok(Order {
            run,
            seed: world.rng.next_u64() >> 11,
            used: Used {
                source,
                revision: baseline.revision.clone(),
                title: baseline.specification.title.clone(),
                version: baseline.specification.version.clone(),
                place,
            },
            baseline,
            lints,
            options: self.options.clone(),
            upstream: identity.api.map(|(_, api)| api.base_url.clone()),
            credentials: self.credentials.clone(),
            headers: self.headers.clone(),
            trust: world.trust,
            chain: Some((world.chain_key.clone(), chain)),
        })
    }

    async fn run(
        &self,
        identity: &Identity<'_>,
        context: &Context,
        order: Order,
        running: &Running,
    ) -> Report {
        let world = execute::World {
            client: self.world.client.clone(),
            clock: self.world.clock.clone(),
            stop: self.stop.clone(),
        };
        let run = execute::run(order, world, &Unwatched).await;
        signals::TestEnded {
            action: &identity.action.name,
            status: run.status.as_str(),
            source: run.specification.as_ref().map_or("none", |used| used.source.as_str()),
            requests: run.requests,
            violations: run.violations.len(),
        }
        .tell();
        let data = result_data(identity, context, &run, &running.replaced);
        self.publish_run(identity, context, &run, &data).await;
        reported(identity, &run.target, attempt_outcome(&run), &data)
    }

    /// A run that cannot begin. Without a specification no later attempt can either.
    async fn refuse(
        &self,
        identity: &Identity<'_>,
        context: &Context,
        target: Option<&str>,
        cause: Cause,
    ) -> Report {
        let run = Run {
            id: id::time_ordered(self.world.clock.now_ms(), self.world.rng.bytes()),
            seed: 0,
            mode: self.options.mode,
            target: target.unwrap_or_default().to_owned(),
            specification: None,
            started_ms: self.world.clock.now_ms(),
            duration_ms: 0,
            requests: 0,
            bytes: 0,
            fail_on: self.options.fail_on,
            status: Status::Errored,
            reason: Some(cause.clone()),
            operations: Vec::new(),
            violations: Vec::new(),
            lints: Vec::new(),
        };
        let is_final = cause.code == "no_specification";
        let data = result_data(identity, context, &run, &[]);
        let mut told = vec![("contract.test.errored", data.clone())];
        if is_final {
            told.push(("action.failed", outcome_data(identity, context, "failed", &cause.message)));
        }
        self.publish(identity, context, told, Vec::new()).await;
        let said = (OutcomeKind::Render, Some(cause.message));
        let report = reported(identity, &run.target, said, &data);
        Report { refused: is_final, ..report }
    }

    /// Tells the result: the test, its violations, the action. All of it and the record of what is open in one transaction.
    async fn publish_run(
        &self,
        identity: &Identity<'_>,
        context: &Context,
        run: &Run,
        data: &Value,
    ) {
        let kind = match run.status {
            Status::Passed => "contract.test.passed",
            Status::Failed => "contract.test.failed",
            Status::Inconclusive => "contract.test.inconclusive",
            Status::Errored | Status::Aborted => "contract.test.errored",
        };
        let mut told = vec![(kind, data.clone())];
        let mut also = Vec::new();
        if !matches!(run.status, Status::Errored | Status::Aborted) {
            let mut violations = self.open_violations(identity.id).await;
            told.extend(violations.take_in(run));
            also.push(self.state(identity, violations.to_text()));
            let message = format!("contract test {}", run.status.as_str());
            told.push(("action.completed", outcome_data(identity, context, "succeeded", &message)));
        }
        self.publish(identity, context, told, also).await;
    }

    async fn publish(
        &self,
        identity: &Identity<'_>,
        context: &Context,
        told: Vec<Told>,
        also: Vec<Change>,
    ) {
        let events = told.into_iter();
        let events = events.map(|(kind, data)| self.event(identity, context, kind, &data));
        if let Err(error) = self.world.bus.publish(events.collect(), also).await {
            signals::ResultLost { action: &identity.action.name, error: &error.to_string() }.tell();
        }
    }

    fn event(&self, identity: &Identity<'_>, context: &Context, kind: &str, data: &Value) -> Event {
        let cause = &context.event;
        let api = cause.api().or(identity.action.api.as_deref());
        let raised = self.world.raise.event(kind, api, self.world.clock.now_ms(), data);
        let mut event = caused_by(raised, cause);
        event.chainpath = extended(&event.chainpath, identity.id);
        let part = |name: &str| data.get(name).and_then(Value::as_str);
        event.subject = match (part("method"), part("template")) {
            (Some(method), Some(template)) => Some(format!("{method} {template}")),
            _ => Some(identity.action.name.clone()),
        };
        event.severitytext = part("severity").map(str::to_owned);
        event
    }

    async fn open_violations(&self, action: &str) -> Violations {
        let action = action.to_owned();
        let read = self.world.store.read(move |reader| reader.object(STATE, &action)).await;
        let object = read.ok().flatten();
        object.map(|object| Violations::parse(&object.body)).unwrap_or_default()
    }

    fn state(&self, identity: &Identity<'_>, body: String) -> Change {
        Change::Object(Object {
            kind: STATE,
            id: identity.id.to_owned(),
            name: identity.action.name.clone(),
            origin: ObjectOrigin::File,
            version: identity.version,
            body,
            updated_ms: self.world.clock.now_ms(),
        })
    }
}

/// What is told and logged of a run: the report's summary, and which triggers it stands for.
fn result_data(
    identity: &Identity<'_>,
    context: &Context,
    run: &Run,
    replaced: &[String],
) -> Value {
    let mut data = report::event_data(run);
    data["action"] = Value::from(identity.action.name.as_str());
    data["trigger"] = Value::from(context.event.id.as_str());
    data["replaced"] = Value::from(replaced.to_vec());
    data
}

/// An attempt whose answer is the result itself.
fn reported(
    identity: &Identity<'_>,
    target: &str,
    (outcome, error): (OutcomeKind, Option<String>),
    result: &Value,
) -> Report {
    Report {
        target_version: identity.version,
        url: target.to_owned(),
        error,
        response_headers: vec![("content-type".to_owned(), "application/json".to_owned())],
        response_body: result.to_string().into_bytes(),
        ..Report::unsent(outcome, String::new())
    }
}

/// A run that ended is a success, whatever it found; one that could not run is a failed attempt.
fn attempt_outcome(run: &Run) -> (OutcomeKind, Option<String>) {
    let why = run.reason.as_ref();
    let error = why.map(|cause| cause.message.clone());
    match (run.status, why.map(|cause| cause.code)) {
        (Status::Passed | Status::Failed | Status::Inconclusive, _) => (OutcomeKind::Ok, None),
        (_, Some("unreachable")) => (OutcomeKind::Connect, error),
        (_, Some("credentials")) => (OutcomeKind::Auth, error),
        (_, Some("target_failing")) => (OutcomeKind::ServerError, error),
        _ => (OutcomeKind::Unknown, error),
    }
}

fn outcome_data(identity: &Identity<'_>, context: &Context, status: &str, message: &str) -> Value {
    json!({
        "action": identity.action.name,
        "delivery": context.delivery.id,
        "status": status,
        "message": message,
    })
}
