//! Actions over a real store: which events start them, what is sent, what is told.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use serde_json::{Value, json};

use super::contract_test::tests::{Api as Server, client, document, get, json_answer};
use super::options::{Action, Integration, Known, check_all};
use super::{Api, Registry, World, id_of};
use crate::bus::{self, Matcher as _, SkipReason};
use crate::deliver::auth::{self, Providers};
use crate::deliver::guard::Trust;
use crate::deliver::{Context, Destination, Destinations as _, Report, sign};
use crate::events::{Raise, catalogue, chain};
use crate::model::delivery::{Delivery, OutcomeKind, Trigger};
use crate::model::event::Event;
use crate::model::id;
use crate::model::problem::Problems;
use crate::model::revision::{Origin, Revision, RevisionId};
use crate::runtime::clock::Clock;
use crate::runtime::rng::Rng;
use crate::runtime::supervise::Panics;
use crate::store::{self, Change, EventFilter, Page};

const SECRET: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
const TOKEN: &str = "pr0vider-t0ken";

/// A store, a bus and a registry, as `app` puts them together.
struct Bench {
    world: World,
    registry: Arc<Registry>,
    _folder: tempfile::TempDir,
}

fn raise() -> Raise {
    let rng = Rng::seeded(7);
    Raise::new("driftgate", Arc::new(move |now_ms| id::time_ordered(now_ms, rng.bytes())))
}

impl Bench {
    fn new(upstream: &str) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let clock = Clock::real();
        let panics = Panics::default();
        let options = store::Options::default();
        let (store, _service) =
            store::open(folder.path(), &options, clock.clone(), panics.clone()).expect("a store");
        let registry = Arc::new(Registry::default());
        let matcher = Arc::clone(&registry) as Arc<dyn bus::Matcher>;
        let bus = bus::Handle::new(store.clone(), clock.clone(), "here", matcher);
        let bearer: auth::AuthProvider =
            serde_json::from_value(json!({"kind": "bearer", "name": "staging", "token": TOKEN}))
                .expect("a provider");
        let rng = Rng::seeded(1);
        let auth = auth::World {
            client: client(),
            clock: clock.clone(),
            rng: rng.clone(),
            trust: Trust::FILE,
        };
        let api =
            Api { base_url: upstream.to_owned(), path_prefix: "/".to_owned(), baseline_file: None };
        let world = World {
            store,
            bus,
            raise: raise(),
            client: client(),
            clock,
            rng,
            panics,
            providers: Providers::build(&[bearer], &auth).expect("providers"),
            chain_key: chain::Key::new([5; 32]),
            trust: Trust::FILE,
            apis: BTreeMap::from([("orders".to_owned(), api)]),
        };
        Self { world, registry, _folder: folder }
    }

    fn load(&self, action: Value, integrations: Value) -> Action {
        let action: Action = serde_json::from_value(action).expect("an action");
        let integrations: Vec<Integration> =
            serde_json::from_value(integrations).expect("integrations");
        let prepared =
            self.registry.prepare(std::slice::from_ref(&action), &integrations, &self.world);
        self.registry.put(prepared.unwrap_or_else(|problems| panic!("{problems}")));
        action
    }

    fn destination(&self, action: &Action) -> Arc<dyn Destination> {
        self.registry.find(&id_of(action)).expect("a destination")
    }

    async fn attempt(&self, action: &Action, event: &Event) -> Report {
        self.destination(action).attempt(context(action, event)).await
    }

    /// Every event in the store, oldest first.
    async fn events(&self) -> Vec<Event> {
        let read = self.world.store.read(|reader| {
            reader.events(&EventFilter::default(), &Page { limit: 100, ..Page::default() })
        });
        let mut events: Vec<Event> =
            read.await.expect("read").items.into_iter().map(|row| row.event).collect();
        events.reverse();
        events
    }
}

fn drift(data: &Value) -> Event {
    let mut event = raise().event("contract.drift.opened", Some("orders"), 1_700_000_000_000, data);
    event.subject = Some("GET /orders".to_owned());
    event
}

fn context(action: &Action, event: &Event) -> Context {
    Context {
        delivery: Delivery {
            created_ms: 1_700_000_000_678,
            ..Delivery::created(event, 1, &id_of(action))
        },
        event: Arc::new(event.clone()),
        number: 1,
        trigger: Trigger::Schedule,
        started_ms: 0,
    }
}

fn custom(url: &str) -> (Value, Value) {
    let action = json!({
        "name": "notify-owner", "description": "tells the owner", "api": "orders",
        "events": ["contract.drift.*"],
        "custom": {
            "integration": "fixer", "auth_provider": "staging",
            "context": {"team": "payments", "where": "{{ event.subject }}", "n": "{{ data.n }}"},
            "headers": {"x-tenant": "t-s3cret"}
        }
    });
    let integrations = json!([{
        "kind": "webhook", "name": "fixer", "url": url, "secrets": [SECRET],
        "headers": {"x-tenant": "replaced", "x-kept": "yes"}
    }]);
    (action, integrations)
}

#[tokio::test]
async fn a_custom_action_sends_its_payload_signed_with_context_headers_and_credentials() {
    let server = Server::new(|_| json_answer(&json!({"thanks": true})));
    let url = server.start().await;
    let bench = Bench::new(&url);
    let (action, integrations) = custom(&format!("{url}/hook"));
    let action = bench.load(action, integrations);
    let event = drift(&json!({"n": 7}));
    let reports = [bench.attempt(&action, &event).await, bench.attempt(&action, &event).await];
    assert!(reports.iter().all(|report| report.outcome == OutcomeKind::Ok), "{reports:?}");

    let seen = server.seen();
    assert_eq!(seen.len(), 2);
    assert_eq!(seen[0].body, seen[1].body, "equal on all attempts");
    let payload: Value = serde_json::from_slice(&seen[0].body).expect("JSON");
    let expected_event: Value =
        serde_json::from_str(&crate::events::cloudevent::structured(&event)).expect("JSON");
    assert_eq!(
        payload,
        json!({
            "version": "1", "type": "event",
            "id": id::delivery(&event.source, &event.id, &id_of(&action)),
            "invoked_at": "2023-11-14T22:13:20.678Z",
            "api": {"name": "orders", "base_url": url},
            "action": {"id": id_of(&action), "name": "notify-owner", "description": "tells the owner", "version": 1},
            "context": {"n": 7, "team": "payments", "where": "GET /orders"},
            "event": expected_event,
            "callback": null
        })
    );
    let header = |name: &str| seen[0].headers[name].to_str().expect("a text");
    assert_eq!((header("x-tenant"), header("x-kept")), ("t-s3cret", "yes"), "the action's win");
    assert_eq!(header("authorization"), format!("Bearer {TOKEN}"));
    let signed = sign::Signed {
        id: Some(header("webhook-id")),
        timestamp: Some(header("webhook-timestamp")),
        signature: Some(header("webhook-signature")),
        body: &seen[0].body,
    };
    let key = sign::Key::read(SECRET).expect("a key");
    let now = Clock::real().now_ms() / 1_000;
    sign::verify(&[key], signed, now, sign::TOLERANCE_SECONDS).expect("the signature holds");
    let mark = header(chain::HEADER);
    assert!(!chain::is_own_test(mark, &bench.world.chain_key, now * 1_000), "an action is traffic");

    let logged = format!("{:?}", reports[0]);
    assert!(!logged.contains(TOKEN) && !logged.contains("t-s3cret"), "{logged}");
    let told = bench.events().await;
    assert_eq!(told[0].kind, "action.completed");
    assert_eq!(told[0].causationid.as_deref(), Some(event.id.as_str()));
    assert_eq!(told[0].chainpath, id_of(&action));
}

#[tokio::test]
async fn events_start_the_actions_that_name_them_and_no_others() {
    let bench = Bench::new("http://127.0.0.1:1");
    let (mut action, integrations) = custom("http://127.0.0.1:1/hook");
    action["filter"] = json!("data.n > 5");
    let action = bench.load(action, integrations.clone());
    let id = id_of(&action);
    let fate = |event: &Event| {
        let matches = bench.registry.matches(event);
        match (matches.deliveries.as_slice(), matches.skips.as_slice()) {
            ([_], []) => Ok(()),
            ([], [skip]) => Err(Some(skip.reason)),
            ([], []) => Err(None),
            other => panic!("{other:?}"),
        }
    };
    let wanted = drift(&json!({"n": 6}));
    assert_eq!(fate(&wanted), Ok(()));
    assert_eq!(fate(&drift(&json!({"n": 5}))), Err(Some(SkipReason::FilterFalse)));
    assert_eq!(fate(&drift(&json!({}))), Err(Some(SkipReason::FilterError)));
    let other_type = Event { kind: "api.created".to_owned(), ..wanted.clone() };
    assert_eq!(fate(&other_type), Err(None));
    let other_api = Event { source: "/driftgate/apis/customers".to_owned(), ..wanted.clone() };
    assert_eq!(fate(&other_api), Err(Some(SkipReason::OutOfScope)));
    let own = Event { chainpath: format!("act_other {id}"), ..wanted.clone() };
    assert_eq!(fate(&own), Err(Some(SkipReason::Itself)));
    let deep = Event { chaindepth: 16, ..wanted.clone() };
    assert_eq!(fate(&deep), Err(Some(SkipReason::Limit)));

    let mut asleep = serde_json::to_value(&action).expect("JSON");
    asleep["active"] = json!(false);
    asleep["custom"]["headers"] = json!({});
    bench.load(asleep, integrations);
    assert_eq!(fate(&wanted), Err(Some(SkipReason::Inactive)));
    assert_eq!(bench.registry.get(&id).expect("listed").version, 2, "one change");
}

fn managed(test: &Value) -> Value {
    json!({"name": "verify", "api": "orders", "events": ["contract.drift.opened"],
        "managed": {"contract_test": test}})
}

fn promise() -> Value {
    document(json!({"/orders": get(json!({"type": "array", "items": {"type": "integer"}}))}))
}

/// Keeps a document as a learned revision; its id.
async fn keep(bench: &Bench, document: &Value) -> RevisionId {
    let id = RevisionId::of(document);
    let revision = Revision {
        id: id.clone(),
        api: "orders".into(),
        origin: Origin::Learned,
        text: document.to_string().into(),
        created_ms: 0,
        parent: None,
        reason: String::new(),
    };
    bench.world.store.commit(vec![Change::Revision(revision)]).await.expect("kept");
    id
}

fn kinds(events: &[Event]) -> Vec<&str> {
    events.iter().map(|event| event.kind.as_str()).collect()
}

#[tokio::test]
async fn a_drift_event_starts_a_test_against_its_specification_and_the_result_is_told() {
    let server = Server::new(|_| json_answer(&json!(["not a number"])));
    let url = server.start().await;
    let bench = Bench::new(&url);
    let revision = keep(&bench, &promise()).await;
    let test = json!({"rate": "1000/s", "min_interval": "0s", "auth_provider": "staging"});
    let action = bench.load(managed(&test), json!([]));
    let event = drift(&json!({"event_specification": revision.as_str()}));
    let report = bench.attempt(&action, &event).await;
    assert_eq!(report.outcome, OutcomeKind::Ok, "a run that failed is a delivery that succeeded");

    let told = bench.events().await;
    let expected = ["contract.test.failed", "contract.violation.opened", "action.completed"];
    assert_eq!(kinds(&told), expected);
    for event_told in &told {
        let data: Value = serde_json::from_str(&event_told.data).expect("JSON");
        let known = catalogue::find(&event_told.kind).expect("in the catalogue");
        known.check(&data).unwrap_or_else(|why| panic!("{}: {why}", event_told.kind));
        assert_eq!(event_told.causationid.as_deref(), Some(event.id.as_str()));
        assert_eq!(
            (event_told.chaindepth, event_told.chainpath.as_str()),
            (1, id_of(&action).as_str())
        );
        assert!(!event_told.data.contains(TOKEN) && !event_told.data.contains("not a number"));
    }
    let data: Value = serde_json::from_str(&told[0].data).expect("JSON");
    assert_eq!(data["specification"]["source"], "event");
    assert_eq!(data["spec_revision"], revision.as_str());
    assert_eq!(data["action"], "verify");
    let now_ms = Clock::real().now_ms();
    for one in server.seen() {
        let mark = one.headers[chain::HEADER].to_str().expect("a text");
        assert!(chain::is_own_test(mark, &bench.world.chain_key, now_ms), "the border must see it");
    }

    bench.attempt(&action, &event).await;
    let again = bench.events().await;
    let fresh = &kinds(&again)[3..];
    assert_eq!(
        fresh,
        ["contract.test.failed", "action.completed"],
        "what is open is not told twice"
    );
}

#[tokio::test]
async fn a_violation_is_over_when_two_runs_did_not_find_it() {
    let mended = Arc::new(AtomicBool::new(false));
    let state = Arc::clone(&mended);
    let server = Server::new(move |_| {
        let body = if state.load(Ordering::SeqCst) { json!([1]) } else { json!(["wrong"]) };
        json_answer(&body)
    });
    let bench = Bench::new(&server.start().await);
    let revision = keep(&bench, &promise()).await;
    let action = bench.load(managed(&json!({"rate": "1000/s", "min_interval": "0s"})), json!([]));
    let event = drift(&json!({"event_specification": revision.as_str()}));
    bench.attempt(&action, &event).await;
    mended.store(true, Ordering::SeqCst);
    bench.attempt(&action, &event).await;
    let resolved = |events: &[Event]| {
        events.iter().filter(|event| event.kind == "contract.violation.resolved").count()
    };
    assert_eq!(resolved(&bench.events().await), 0, "once may be luck");
    bench.attempt(&action, &event).await;
    bench.attempt(&action, &event).await;
    assert_eq!(resolved(&bench.events().await), 1);
}

#[tokio::test]
async fn the_predefined_specification_is_used_when_the_switch_is_off_or_the_event_has_none() {
    let server = Server::new(|_| json_answer(&json!([1])));
    let url = server.start().await;
    let mut bench = Bench::new(&url);
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("orders.json");
    crate::runtime::files::write_atomic(&file, promise().to_string().as_bytes()).expect("written");
    bench.world.apis.get_mut("orders").expect("the API").baseline_file = Some(file.clone());
    let by_path = file.to_string_lossy();
    let kept = keep(&bench, &document(json!({"/other": get(json!({}))}))).await;
    let carries = json!({"event_specification": kept.as_str()});
    for (on, data, specification, source) in [
        (false, carries.clone(), &*by_path, "predefined"),
        (false, carries.clone(), "baseline", "predefined"),
        (true, json!({}), &*by_path, "fallback"),
        (true, json!({"event_specification": format!("{url}/spec.json")}), &*by_path, "fallback"),
    ] {
        let before = bench.events().await.len();
        let test = json!({"rate": "1000/s", "min_interval": "0s", "use_event_specification": on,
            "specification": specification});
        let action = bench.load(managed(&test), json!([]));
        let report = bench.attempt(&action, &drift(&data)).await;
        assert_eq!(report.outcome, OutcomeKind::Ok);
        let told = bench.events().await.split_off(before);
        assert_eq!(kinds(&told), ["contract.test.passed", "action.completed"]);
        let data: Value = serde_json::from_str(&told[0].data).expect("JSON");
        assert_eq!(data["specification"]["source"], source);
        assert_eq!(data["spec_revision"], RevisionId::of(&promise()).as_str());
    }
    let paths: BTreeSet<String> =
        server.seen().iter().map(|one| one.uri.path().to_owned()).collect();
    assert_eq!(paths, BTreeSet::from(["/orders".to_owned()]), "no URL of an event was asked");
}

#[tokio::test]
async fn without_any_specification_nothing_is_sent_and_nothing_is_tried_again() {
    let server = Server::new(|_| json_answer(&json!([])));
    let bench = Bench::new(&server.start().await);
    let action = bench.load(managed(&json!({"min_interval": "0s"})), json!([]));
    let report = bench.attempt(&action, &drift(&json!({}))).await;
    assert!(report.refused, "{report:?}");
    let told = bench.events().await;
    assert_eq!(kinds(&told), ["contract.test.errored", "action.failed"]);
    let data: Value = serde_json::from_str(&told[0].data).expect("JSON");
    assert_eq!(data["reason"], "no_specification");
    assert!(data["message"].as_str().expect("a sentence").contains("set `specification`"));
    assert_eq!(server.seen().len(), 0);
}

#[tokio::test]
async fn a_target_that_cannot_be_reached_is_a_failed_attempt() {
    let bench = Bench::new("http://127.0.0.1:1");
    let revision = keep(&bench, &promise()).await;
    let action = bench.load(managed(&json!({"min_interval": "0s"})), json!([]));
    let event = drift(&json!({"event_specification": revision.as_str()}));
    let report = bench.attempt(&action, &event).await;
    assert_eq!((report.outcome, report.refused), (OutcomeKind::Connect, false));
    assert_eq!(kinds(&bench.events().await), ["contract.test.errored"]);
}

#[test]
fn mistakes_in_actions_are_found_all_at_once() {
    let actions: Vec<Action> = serde_json::from_value(json!([
        {"name": "a", "events": [], "api": "order", "custom": {"integration": "fixr", "headers": {"Host": "x"}}},
        {"name": "b", "events": ["*"]},
        {"name": "b", "events": ["*"], "concurrency": 99, "managed": {"contract_test": {
            "use_event_specification": false, "base_url": "ftp://x", "endpoint": "http://y", "concurrency": 0,
            "auth_provider": "nobody"}}},
    ]))
    .expect("actions");
    let integrations: Vec<Integration> = serde_json::from_value(json!([
        {"kind": "webhook", "name": "fixer", "url": "http://h/#part"}
    ]))
    .expect("integrations");
    let known = Known {
        apis: BTreeSet::from(["orders"]),
        auth_providers: BTreeSet::new(),
        integrations: BTreeSet::from(["fixer"]),
    };
    let mut problems = Problems::default();
    check_all(&actions, &integrations, &known, &mut problems);
    let found: BTreeSet<&str> = problems.0.iter().map(|one| one.pointer.as_str()).collect();
    let expected = BTreeSet::from([
        "/actions/0/events",
        "/actions/0/api",
        "/actions/0/custom/integration",
        "/actions/0/custom/headers/Host",
        "/actions/1",
        "/actions/2/name",
        "/actions/2/concurrency",
        "/actions/2/managed/contract_test/specification",
        "/actions/2/managed/contract_test/base_url",
        "/actions/2/managed/contract_test/endpoint",
        "/actions/2/managed/contract_test/concurrency",
        "/actions/2/managed/contract_test/auth_provider",
        "/integrations/0/url",
    ]);
    assert_eq!(found, expected, "{problems}");
    let near = problems.0.iter().find(|one| one.pointer == "/actions/0/custom/integration");
    assert_eq!(near.expect("found").remedy, "did you mean `fixer`?");
}
