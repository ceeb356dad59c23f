//! Webhooks over real sockets: matching, the four formats, signatures, edits, and what never appears in a log.

use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;

use serde_json::{Value, json};

use super::options::{Format, Webhook, check_all};
use super::{Registry, World, id_of};
use crate::bus::{self, Matcher};
use crate::deliver::auth::Providers;
use crate::deliver::client::{Client, System};
use crate::deliver::guard::{Guard, Trust};
use crate::deliver::options::Egress;
use crate::deliver::service::{self, Parts};
use crate::deliver::sign::{self, Key, Signed};
use crate::deliver::tests::support::{Received, START_MS, eventually, raise, recording};
use crate::deliver::{self, Destinations, Handle};
use crate::events::{Raise, cloudevent};
use crate::model::delivery::{OutcomeKind, SkipReason, State};
use crate::model::event::Event;
use crate::model::id;
use crate::model::problem::Problems;
use crate::model::secret::SecretSource;
use crate::runtime::clock::{Clock, Hands};
use crate::runtime::files;
use crate::runtime::rng::Rng;
use crate::runtime::shutdown::Stage;
use crate::runtime::supervise::{self, Panics};
use crate::store;
use crate::telemetry::Metrics;

const OK: &str = "HTTP/1.1 200 OK\r\ncontent-length: 2\r\nset-cookie: a\r\n\r\nok";
const OOPS: &str = "HTTP/1.1 500 Oops\r\ncontent-length: 0\r\n\r\n";
const GONE: &str = "HTTP/1.1 410 Gone\r\ncontent-length: 0\r\n\r\n";
const SECRET: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";

fn webhook(options: &Value) -> Webhook {
    let mut all =
        json!({"name": "hook", "url": "http://127.0.0.1:9/", "events": ["*"], "secret": SECRET});
    for (name, value) in options.as_object().expect("an object") {
        all[name] = value.clone();
    }
    serde_json::from_value(all).expect("options")
}

fn at(address: SocketAddr) -> Value {
    json!({"url": format!("http://{address}/hook?a=1")})
}

fn merged(mut one: Value, other: &Value) -> Value {
    for (name, value) in other.as_object().expect("an object") {
        one[name] = value.clone();
    }
    one
}

fn world(folder: &Path) -> World {
    let client = Client::new(
        Guard::new(&Egress::default()),
        Arc::default(),
        Arc::new(System),
        Clock::real(),
    );
    World {
        client,
        clock: Clock::real(),
        rng: Rng::seeded(3),
        providers: Providers::default(),
        trust: Trust::FILE,
        data_dir: folder.to_owned(),
    }
}

fn registry(folder: &Path, webhooks: &[Webhook]) -> Arc<Registry> {
    let registry = Arc::new(Registry::default());
    put(&registry, webhooks, folder);
    registry
}

fn put(registry: &Registry, webhooks: &[Webhook], folder: &Path) {
    registry.put(registry.prepare(webhooks, &world(folder)).expect("able to work"));
}

fn event(kind: &str) -> Event {
    raise().event(kind, Some("orders"), START_MS, &json!({"n": 1.0, "big": 3}))
}

/// A scheduler with webhooks as its destinations.
struct Running {
    store: store::Handle,
    bus: bus::Handle,
    handle: Handle,
    raise: Raise,
    hands: Hands,
    clock: Clock,
    stage: Stage,
}

impl Running {
    fn start(folder: &Path, registry: &Arc<Registry>) -> Self {
        let (clock, hands) = Clock::standing_at(START_MS);
        let panics = Panics::default();
        let options = store::Options::default();
        let (store, _) =
            store::open(folder, &options, clock.clone(), panics.clone()).expect("a store");
        let matcher = Arc::clone(registry) as Arc<dyn Matcher>;
        let bus = bus::Handle::new(store.clone(), clock.clone(), "test", matcher);
        let (handle, service) = service::new(Parts {
            store: store.clone(),
            bus: bus.clone(),
            destinations: Arc::clone(registry) as Arc<dyn Destinations>,
            raise: raise(),
            clock: clock.clone(),
            rng: Rng::seeded(7),
            panics: panics.clone(),
            metrics: Metrics::default(),
        });
        let stage = Stage::default();
        supervise::task("deliver", &panics, service.run(stage.watch()));
        Self { store, bus, handle, raise: raise(), hands, clock, stage }
    }

    async fn publish(&self, webhook: &str, data: &Value) -> String {
        let now_ms = self.clock.now_ms();
        let mut event = self.raise.event("api.updated", Some("orders"), now_ms, data);
        event.traceparent = Some("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01".into());
        let id = id::delivery(&event.source, &event.id, &id_of(webhook));
        self.bus.publish(vec![event], Vec::new()).await.expect("published");
        id
    }

    async fn until(&self, id: &str, state: State) -> crate::model::delivery::Delivery {
        eventually(state.as_str(), || async {
            let wanted = id.to_owned();
            let read = self.store.read(move |reader| reader.delivery(&wanted)).await;
            read.expect("read").filter(|delivery| delivery.state == state)
        })
        .await
    }

    async fn attempts(&self, id: &str) -> Vec<crate::model::delivery::Attempt> {
        let id = id.to_owned();
        let rows = self.store.read(move |reader| reader.attempts(&id)).await.expect("read");
        rows.into_iter().map(|row| row.attempt).collect()
    }
}

fn verified(request: &Received) -> Result<(), sign::Mistrust> {
    let signed = Signed {
        id: request.header("webhook-id"),
        timestamp: request.header("webhook-timestamp"),
        signature: request.header("webhook-signature"),
        body: &request.body,
    };
    let key = Key::read(SECRET).expect("the secret");
    sign::verify(&[key], signed, Clock::real().now_ms() / 1_000, 300)
}

#[tokio::test]
async fn an_event_arrives_signed_and_its_data_verbatim() {
    let folder = tempfile::tempdir().expect("a folder");
    let (address, seen) = recording(|_| OK).await;
    let registry = registry(folder.path(), &[webhook(&at(address))]);
    let running = Running::start(folder.path(), &registry);
    let id = running.publish("hook", &json!({"n": 1.0, "s": "ü"})).await;
    running.until(&id, State::Success).await;
    let request = seen.lock()[0].clone();
    assert_eq!(request.line, "POST /hook?a=1 HTTP/1.1");
    assert_eq!(verified(&request), Ok(()));
    assert_eq!(request.header("webhook-id"), Some(&*id));
    assert_eq!(request.header("driftgate-attempt"), Some("1"));
    assert_eq!(request.header("content-type"), Some("application/cloudevents+json"));
    let agent = format!("driftgate/{}", env!("CARGO_PKG_VERSION"));
    assert_eq!(request.header("user-agent"), Some(&*agent));
    assert!(request.header("traceparent").is_some());
    let body = String::from_utf8(request.body).expect("text");
    assert!(body.ends_with(r#""data":{"n":1.0,"s":"ü"}}"#), "{body}");
    assert_eq!(cloudevent::parse_structured(&body).expect("an event").api(), Some("orders"));
    let attempt = running.attempts(&id).await.remove(0);
    assert_eq!((attempt.status, attempt.outcome), (Some(200), OutcomeKind::Ok));
    assert_eq!(attempt.response_body, b"ok");
    assert_eq!(attempt.address.as_deref(), Some("127.0.0.1"));
    running.stage.begin();
}

#[tokio::test]
async fn signed_bytes_are_equal_at_every_attempt() {
    let folder = tempfile::tempdir().expect("a folder");
    let (address, seen) = recording(|number| if number < 3 { OOPS } else { OK }).await;
    let registry = registry(folder.path(), &[webhook(&at(address))]);
    let running = Running::start(folder.path(), &registry);
    let id = running.publish("hook", &json!({"x": [1.50, "e\u{1F600}"]})).await;
    for _ in 0..3 {
        let due_ms = eventually("a retry", || async {
            let wanted = id.clone();
            let read = running.store.read(move |reader| reader.delivery(&wanted)).await;
            read.expect("read").map(|d| d.due_ms).filter(|due| *due > running.clock.now_ms())
        })
        .await;
        running.hands.advance(due_ms - running.clock.now_ms());
    }
    running.until(&id, State::Success).await;
    let seen = seen.lock().clone();
    assert_eq!(seen.len(), 4);
    for (index, request) in seen.iter().enumerate() {
        assert_eq!((&request.body, request.header("webhook-id")), (&seen[0].body, Some(&*id)));
        assert_eq!(request.header("driftgate-attempt"), Some(&*(index + 1).to_string()));
        assert_eq!(verified(request), Ok(()));
    }
    let hashes: Vec<_> = running.attempts(&id).await.into_iter().map(|a| a.body_sha256).collect();
    assert!(hashes.iter().all(|hash| *hash == hashes[0] && hash.len() == 64), "{hashes:?}");
    running.stage.begin();
}

#[tokio::test]
async fn an_edit_while_retrying_goes_to_the_new_address() {
    let folder = tempfile::tempdir().expect("a folder");
    let (old, at_old) = recording(|_| OOPS).await;
    let (new, at_new) = recording(|_| OK).await;
    let registry = registry(folder.path(), &[webhook(&at(old))]);
    let running = Running::start(folder.path(), &registry);
    let id = running.publish("hook", &json!({})).await;
    running.until(&id, State::Retrying).await;
    put(&registry, &[webhook(&at(new))], folder.path());
    running.handle.wake();
    running.hands.advance(10_000);
    running.until(&id, State::Success).await;
    assert_eq!((at_old.lock().len(), at_new.lock().len()), (1, 1));
    assert_eq!(at_old.lock()[0].header("webhook-id"), at_new.lock()[0].header("webhook-id"));
    let versions: Vec<_> = running.attempts(&id).await.iter().map(|a| a.target_version).collect();
    assert_eq!(versions, [1, 2]);
    running.stage.begin();
}

#[tokio::test]
async fn no_secret_appears_in_a_log_an_answer_or_the_database() {
    let folder = tempfile::tempdir().expect("a folder");
    let (address, seen) = recording(|_| OOPS).await;
    let options = json!({
        "url": format!("http://user:pass-4711@{address}/"),
        "headers": {"x-key": "header-4711"},
        "static_secret": {"value": "static-4711"},
        "secret": SECRET,
    });
    let registry = registry(folder.path(), &[webhook(&options)]);
    let running = Running::start(folder.path(), &registry);
    let id = running.publish("hook", &json!({})).await;
    running.until(&id, State::Retrying).await;
    let request = seen.lock()[0].clone();
    assert_eq!(request.header("x-key"), Some("header-4711"));
    assert_eq!(request.header("x-driftgate-webhook-secret"), Some("static-4711"));
    assert_eq!(request.header("authorization"), Some("Basic dXNlcjpwYXNzLTQ3MTE="));
    let attempt = running.attempts(&id).await.remove(0);
    for name in ["x-key", "x-driftgate-webhook-secret", "authorization"] {
        let logged = attempt.request_headers.iter().find(|(known, _)| known == name);
        assert_eq!(logged.map(|(_, value)| value.as_str()), Some("***"), "{name}");
    }
    let shown = format!("{attempt:?} {:?} {:?}", registry.list(), registry.secret(&id_of("hook")));
    running.stage.begin();
    running.store.close().await;
    let mut kept = shown.into_bytes();
    for name in ["driftgate.db", "driftgate.db-wal"] {
        kept.extend(files::read(&folder.path().join(name), 1 << 30).unwrap_or_default());
    }
    for secret in ["4711", "dXNlcjpwYXNz", "MfKQ9r8GKYqr"] {
        let found = kept.windows(secret.len()).any(|window| window == secret.as_bytes());
        assert!(!found, "`{secret}` was kept");
    }
}

#[tokio::test]
async fn a_receiver_that_is_gone_makes_its_webhook_inactive() {
    let folder = tempfile::tempdir().expect("a folder");
    let (address, seen) = recording(|_| GONE).await;
    let hooks = [webhook(&at(address))];
    let registry = registry(folder.path(), &hooks);
    let running = Running::start(folder.path(), &registry);
    let id = running.publish("hook", &json!({})).await;
    let delivery = running.until(&id, State::Retrying).await;
    assert_eq!(delivery.last_outcome, Some(OutcomeKind::Gone));
    let shown = registry.list().remove(0);
    assert_eq!((shown.active, shown.reason), (false, Some("gone")));
    assert_eq!(registry.matches(&event("api.updated")).skips[0].reason, SkipReason::Inactive);
    assert!(matches!(running.handle.retry(&id, "1").await, Err(deliver::Error::Inactive)));
    put(&registry, &hooks, folder.path());
    assert!(!registry.list()[0].active, "an unchanged webhook keeps its state");
    let changed = [webhook(&merged(at(address), &json!({"concurrency": 2})))];
    put(&registry, &changed, folder.path());
    assert!(registry.list()[0].active);
    assert_eq!(seen.lock().len(), 1);
    running.stage.begin();
}

#[tokio::test]
async fn every_format_carries_the_event() {
    let folder = tempfile::tempdir().expect("a folder");
    let (address, seen) = recording(|_| OK).await;
    let template = json!({"text": "{{ event.type }} at {{ event.api }}", "n": "{{ data.n }}"});
    let mut sent = event("api.updated");
    sent.subject = Some("a b \"%ü".into());
    for (format, more) in [
        (Format::Cloudevents, json!({})),
        (Format::CloudeventsBinary, json!({})),
        (Format::Standard, json!({})),
        (Format::Template, json!({"template": template})),
    ] {
        let format_name = serde_json::to_value(format).expect("a name");
        let options = merged(merged(at(address), &json!({"format": format_name})), &more);
        let registry = registry(folder.path(), &[webhook(&options)]);
        let report = registry.test(&id_of("hook"), &sent).await.expect("the webhook");
        assert_eq!(report.outcome, OutcomeKind::Ok, "{:?}", report.error);
        let request = seen.lock().pop().expect("a request");
        assert_eq!(verified(&request), Ok(()));
        assert_eq!(request.header("webhook-id"), Some(&*format!("test_{}", sent.id)));
        let body = std::str::from_utf8(&request.body).expect("text");
        match format {
            Format::Cloudevents => assert_eq!(body, cloudevent::structured(&sent)),
            Format::CloudeventsBinary => {
                assert_eq!(body, &*sent.data);
                let headers = request.headers.iter().map(|(name, value)| (&**name, &**value));
                let read = cloudevent::parse_binary(headers, cloudevent::Binding::Http, body);
                assert_eq!(read.expect("an event"), sent);
            }
            Format::Standard => assert_eq!(
                body,
                r#"{"type":"api.updated","timestamp":"2026-01-02T03:04:05.678Z","data":{"n":1.0,"big":3}}"#
            ),
            Format::Template => assert_eq!(body, r#"{"text":"api.updated at orders","n":1.0}"#),
        }
    }
}

#[tokio::test]
async fn a_template_that_gives_no_value_is_outcome_render_and_sends_nothing() {
    let folder = tempfile::tempdir().expect("a folder");
    let (address, seen) = recording(|_| OK).await;
    let template = json!({"format": "template", "template": {"a": "{{ data.missing }}"}});
    let registry = registry(folder.path(), &[webhook(&merged(at(address), &template))]);
    let report = registry.test(&id_of("hook"), &event("api.updated")).await.expect("the webhook");
    assert_eq!(report.outcome, OutcomeKind::Render);
    assert!(report.error.expect("why").contains("undefined"));
    assert!(seen.lock().is_empty());
}

#[test]
fn each_webhook_that_names_a_type_gets_a_delivery_or_a_reason() {
    let folder = tempfile::tempdir().expect("a folder");
    let named = |name: &str, more: Value| {
        webhook(&merged(json!({"name": name, "events": ["api.*", "delivery.failing"]}), &more))
    };
    let registry = registry(
        folder.path(),
        &[
            named("all", json!({})),
            named("star", json!({"events": ["*", "api.updated"]})),
            named("other", json!({"events": ["contract.drift.*"]})),
            named("inactive", json!({"active": false})),
            named("scoped", json!({"api": "orders"})),
            named("elsewhere", json!({"api": "users"})),
            named("yes", json!({"filter": "data.big > 2 and event.api == 'orders'"})),
            named("no", json!({"filter": "data.big > 3"})),
            named("broken", json!({"filter": "data.missing > 3"})),
        ],
    );
    let matches = registry.matches(&event("api.updated"));
    let ids = |names: &[&str]| names.iter().map(|name| id_of(name)).collect::<Vec<_>>();
    assert_eq!(matches.deliveries, ids(&["all", "star", "scoped", "yes"]));
    let skips: Vec<_> =
        matches.skips.iter().map(|skip| (skip.destination.clone(), skip.reason)).collect();
    assert_eq!(
        skips,
        [
            (id_of("inactive"), SkipReason::Inactive),
            (id_of("elsewhere"), SkipReason::OutOfScope),
            (id_of("no"), SkipReason::FilterFalse),
            (id_of("broken"), SkipReason::FilterError),
        ]
    );
    assert!(matches.skips[3].detail.contains("data.missing > 3"));
    // About the webhook itself, and `*` never means operational events.
    let mut failing = event("delivery.failing");
    failing.partitionkey = id_of("all");
    let matches = registry.matches(&failing);
    assert_eq!(matches.skips[0].reason, SkipReason::Itself);
    assert!(!matches.deliveries.contains(&id_of("star")));
    assert!(matches.deliveries.contains(&id_of("scoped")));
    registry.enable_triggers(false);
    let matches = registry.matches(&event("api.updated"));
    assert!(matches.deliveries.is_empty());
    assert!(matches.skips.iter().any(|skip| skip.reason == SkipReason::TriggersOff));
}

#[test]
fn secrets_that_the_configuration_leaves_out_are_made_once_and_kept_private() {
    use std::os::unix::fs::PermissionsExt as _;
    let folder = tempfile::tempdir().expect("a folder");
    let hook: Webhook = serde_json::from_value(
        json!({"name": "hook", "url": "http://127.0.0.1:9/", "events": ["*"], "static_secret": {}}),
    )
    .expect("options");
    let secret = |hook: &Webhook| {
        registry(folder.path(), std::slice::from_ref(hook)).secret(&id_of("hook")).expect("made")
    };
    let first = secret(&hook);
    assert!(Key::read(first.reveal()).is_ok());
    assert_eq!(secret(&hook), first);
    let path = folder.path().join("webhook-secrets.json");
    let mode = std::fs::metadata(&path).expect("kept").permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    files::write_private(&path, b"{").expect("damaged");
    let prepared = Registry::default().prepare(&[hook], &world(folder.path()));
    let problems = prepared.err().expect("damaged");
    assert!(problems.to_string().contains("webhook-secrets.json"), "{problems}");
}

#[test]
fn everything_wrong_is_reported_at_once_with_its_place() {
    let bad: Vec<Webhook> = serde_json::from_value(json!([
        {"name": "", "url": "ftp://a", "events": []},
        {"name": "a", "url": "http://a/#b", "events": ["contract.drift.open", "a..b", "*x"],
         "filter": "data.x *", "format": "template"},
        {"name": "a", "url": "not a url", "events": ["*"], "template": {},
         "secret": "whsec_c2hvcnQ=", "headers": {"Host": "a", "webhook-id": "b", "x y": "c", "x": "ü"},
         "static_secret": {"header": "ce-id"}, "concurrency": 0,
         "retry": {"base": "1ms", "cap": "2d", "deadline": "1s", "jitter": 2.0},
         "timeouts": {"head": "0s", "total": "2m"}},
    ]))
    .expect("options");
    let mut problems = Problems::default();
    check_all(&bad, &mut problems);
    let places: Vec<_> = problems.0.iter().map(|problem| problem.pointer.as_str()).collect();
    assert_eq!(
        places,
        [
            "/0/name",
            "/0/url",
            "/0/events",
            "/1/url",
            "/1/events/0",
            "/1/events/1",
            "/1/events/2",
            "/1/filter",
            "/1/format",
            "/2/url",
            "/2/template",
            "/2/secret",
            "/2/headers/Host",
            "/2/headers/webhook-id",
            "/2/headers/x",
            "/2/headers/x y",
            "/2/static_secret/header",
            "/2/retry/base",
            "/2/retry/cap",
            "/2/retry/deadline",
            "/2/retry/jitter",
            "/2/concurrency",
            "/2/timeouts/head",
            "/2/timeouts/total",
            "/2/name",
        ]
    );
    let near = problems.0.iter().find(|problem| problem.pointer == "/1/events/0").expect("it");
    assert!(near.remedy.contains("contract.drift.opened"), "{}", near.remedy);
    assert!(
        problems
            .0
            .iter()
            .all(|problem| !problem.remedy.is_empty() || problem.code == "expression.syntax")
    );
    let six: Vec<_> =
        (0..6).map(|n| webhook(&json!({"name": format!("w{n}"), "api": "orders"}))).collect();
    let mut problems = Problems::default();
    check_all(&six, &mut problems);
    assert_eq!(problems.0[0].code, "webhook.too-many");
}

#[test]
fn secrets_are_shown_to_whoever_resolves_them() {
    let mut hook = webhook(&json!({
        "secret": {"file": "a"}, "secrets": [{"env": "B"}],
        "static_secret": {"value": {"file": "c"}}, "headers": {"x/y": {"file": "d"}},
    }));
    let mut places = Vec::new();
    hook.secrets(&mut |place, source| {
        places.push(place.to_owned());
        *source = SecretSource::text("read");
    });
    assert_eq!(places, ["/secret", "/secrets/0", "/static_secret/value", "/headers/x~1y"]);
    assert!(!serde_json::to_string(&hook).expect("written").contains("read"));
}
