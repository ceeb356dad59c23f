//! Each kind of provider against a stub token server that counts what it is asked.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use axum::extract::{RawForm, State};
use axum::http::{HeaderMap, StatusCode};
use axum::routing::post;
use axum::{Json, Router};
use hmac::{Hmac, KeyInit as _, Mac as _};
use http::Method;
use parking_lot::Mutex;
use serde_json::{Value, json};
use sha2::Sha384;
use url::Url;

use super::*;
use crate::deliver::client::{Own, System};
use crate::deliver::guard::Guard;
use crate::deliver::options::Egress;

/// A token endpoint: answers what it is told, remembers the last request.
#[derive(Clone, Default)]
struct Stub {
    asked: Arc<AtomicU64>,
    last: Arc<Mutex<(HeaderMap, String)>>,
    answer: Arc<Mutex<(u16, Value)>>,
}

async fn answer(
    State(stub): State<Stub>,
    headers: HeaderMap,
    RawForm(form): RawForm,
) -> (StatusCode, Json<Value>) {
    let number = stub.asked.fetch_add(1, Ordering::SeqCst) + 1;
    *stub.last.lock() = (headers, String::from_utf8_lossy(&form).into_owned());
    let (status, mut body) = stub.answer.lock().clone();
    if status == 200 {
        body["access_token"] = json!(format!("token-{number}"));
    }
    (StatusCode::from_u16(status).expect("a status"), Json(body))
}

async fn start(stub: &Stub) -> String {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let address = listener.local_addr().expect("an address");
    let routes = Router::new().route("/token", post(answer)).with_state(stub.clone());
    #[expect(clippy::disallowed_methods, reason = "a stub server for the length of a test")]
    tokio::spawn(async move { axum::serve(listener, routes).await });
    format!("http://{address}/token")
}

fn world(clock: Clock) -> World {
    let guard = Guard::new(&Egress::default());
    let client = Client::new(guard, Arc::new(Own::default()), Arc::new(System), Clock::real());
    World { client, clock, rng: Rng::seeded(1), trust: Trust::FILE }
}

fn provider(options: Value, clock: Clock) -> Provider {
    let options: AuthProvider = serde_json::from_value(options).expect("options");
    let mut problems = Problems::default();
    options.check(&mut problems);
    assert!(problems.is_empty(), "{problems}");
    Provider::new(&options, world(clock)).expect("a provider")
}

/// What a provider puts on a request: the URL and all headers.
async fn applied(provider: &Provider) -> Result<(String, HeaderMap), Error> {
    let url = Url::parse("http://api.example.com/orders?limit=1").expect("a URL");
    let mut request = Request::new(Method::GET, url, Trust::FILE);
    provider.apply(&mut request).await?;
    Ok((request.url.into(), request.headers))
}

async fn authorization(provider: &Provider) -> String {
    let (_, headers) = applied(provider).await.expect("a credential");
    assert!(headers[AUTHORIZATION].is_sensitive(), "logs must mask it");
    headers[AUTHORIZATION].to_str().expect("a text").to_owned()
}

#[tokio::test]
async fn fixed_credentials_go_where_they_belong() {
    let clock = Clock::real();
    let bearer = provider(json!({"kind": "bearer", "name": "a", "token": "t0k"}), clock.clone());
    assert_eq!(authorization(&bearer).await, "Bearer t0k");
    let basic = json!({"kind": "basic", "name": "a", "user": "Aladdin", "password": "open sesame"});
    let basic = provider(basic, clock.clone());
    assert_eq!(authorization(&basic).await, "Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==", "RFC 7617 2");
    let header = json!({"kind": "api_key", "name": "a", "key": "X-Key", "value": "k"});
    let (_, headers) = applied(&provider(header, clock.clone())).await.expect("a key");
    assert_eq!(headers["x-key"], "k");
    let query = json!({"kind": "api_key", "name": "a", "in": "query", "key": "k", "value": "a b"});
    let (url, _) = applied(&provider(query, clock)).await.expect("a key");
    assert_eq!(url, "http://api.example.com/orders?limit=1&k=a+b");
}

fn grant(url: &str, style: &str) -> Value {
    json!({"kind": "oauth2_client_credentials", "name": "a", "token_url": url,
        "client_id": "me:1", "client_secret": "p/w", "scope": "read write", "style": style})
}

#[tokio::test]
async fn a_thousand_calls_cost_one_token_request() {
    let stub = Stub::default();
    *stub.answer.lock() = (200, json!({"token_type": "Bearer", "expires_in": 3600}));
    let url = start(&stub).await;
    let provider = Arc::new(provider(grant(&url, "basic"), Clock::real()));
    let mut calls = tokio::task::JoinSet::new();
    for _ in 0..1_000 {
        let provider = Arc::clone(&provider);
        calls.spawn(async move { authorization(&provider).await });
    }
    let values = calls.join_all().await;
    assert!(values.iter().all(|value| value == "Bearer token-1"));
    assert_eq!(stub.asked.load(Ordering::SeqCst), 1);
    let (headers, form) = stub.last.lock().clone();
    assert_eq!(form, "grant_type=client_credentials&scope=read+write");
    let expected = STANDARD.encode("me%3A1:p%2Fw");
    assert_eq!(headers[AUTHORIZATION], format!("Basic {expected}"), "RFC 6749 2.3.1");
}

#[tokio::test]
async fn tokens_are_renewed_before_they_expire_and_dropped_when_refused() {
    // Life, and the last second at which the token is still used: 80 % of it, or 60 s before its end.
    for (life, used_until) in [(3_600, 2_880), (100, 40), (40, 0)] {
        let stub = Stub::default();
        *stub.answer.lock() = (200, json!({"expires_in": life}));
        let (clock, hands) = Clock::standing_at(0);
        let provider = provider(grant(&start(&stub).await, "body"), clock);
        assert_eq!(authorization(&provider).await, "Bearer token-1");
        if used_until > 0 {
            hands.advance(used_until * 1_000 - 1);
            assert_eq!(authorization(&provider).await, "Bearer token-1", "life {life}");
        }
        hands.advance(1);
        assert_eq!(authorization(&provider).await, "Bearer token-2", "life {life}");
        assert!(provider.refused() && !provider.refused(), "there was one token to drop");
        assert_eq!(authorization(&provider).await, "Bearer token-3");
        assert!(stub.last.lock().1.contains("client_id=me%3A1&client_secret=p%2Fw"));
    }
}

#[tokio::test]
async fn what_a_token_endpoint_does_wrong_is_said_without_secrets() {
    for (status, body, expected) in [
        (401, json!({"error": "invalid_client"}), "answered 401 `invalid_client`"),
        (400, json!({"error": "the secret p/w is wrong"}), "answered 400"),
        (503, json!("down"), "answered 503"),
        (200, json!({"token_type": "mac"}), "not a bearer token"),
    ] {
        let stub = Stub::default();
        *stub.answer.lock() = (status, body);
        let provider = provider(grant(&start(&stub).await, "basic"), Clock::real());
        let error = applied(&provider).await.expect_err("no token").to_string();
        assert!(error.contains(expected) && !error.contains("p/w"), "{error}");
    }
    let nowhere = provider(grant("http://127.0.0.1:1/token", "basic"), Clock::real());
    let error = applied(&nowhere).await.expect_err("nobody answers");
    assert!(matches!(error, Error::Unreachable(_)), "{error}");
}

#[tokio::test]
async fn self_signed_tokens_verify_and_carry_their_claims() {
    let (clock, _hands) = Clock::standing_at(1_700_000_000_999);
    let key = "k".repeat(48);
    let options = json!({"kind": "jwt", "name": "a", "alg": "HS384", "key": key, "kid": "one",
        "claims": {"iss": "driftgate"}, "ttl": "10m"});
    let value = authorization(&provider(options, clock)).await;
    let token = value.strip_prefix("Bearer ").expect("a bearer token");
    let (text, signature) = token.rsplit_once('.').expect("three parts");
    let decode = |part: &str| {
        base64::engine::general_purpose::URL_SAFE_NO_PAD.decode(part).expect("base64url")
    };
    let mut mac = Hmac::<Sha384>::new_from_slice(key.as_bytes()).expect("a key");
    mac.update(text.as_bytes());
    mac.verify_slice(&decode(signature)).expect("the signature holds");
    let (header, claims) = text.split_once('.').expect("two parts");
    let json_of = |part: &str| serde_json::from_slice::<Value>(&decode(part)).expect("JSON");
    assert_eq!(json_of(header), json!({"alg": "HS384", "typ": "JWT", "kid": "one"}));
    let claims = json_of(claims);
    assert_eq!(claims["iss"], "driftgate");
    assert_eq!((&claims["iat"], &claims["exp"]), (&json!(1_700_000_000), &json!(1_700_000_600)));
}

#[test]
fn mistakes_are_found_all_at_once() {
    let cases = [
        (json!({"kind": "bearer", "name": "", "token": ""}), vec!["/name", "/token"]),
        (
            json!({"kind": "jwt", "name": "a", "key": "short", "ttl": "2d", "claims": {"exp": 1, "sub": "{{ event.id }}"}}),
            vec!["/key", "/ttl", "/claims/sub", "/claims/exp"],
        ),
        (
            json!({"kind": "oauth2_client_credentials", "name": "a", "token_url": "ftp://x", "client_id": "", "client_secret": "s"}),
            vec!["/token_url", "/client_id"],
        ),
        (
            json!({"kind": "api_key", "name": "a", "key": "no good", "value": "ü"}),
            vec!["/key", "/value"],
        ),
        (json!({"kind": "basic", "name": "a", "user": "a:b", "password": "p"}), vec!["/user"]),
    ];
    for (options, expected) in cases {
        let options: AuthProvider = serde_json::from_value(options).expect("options");
        let mut problems = Problems::default();
        options.check(&mut problems);
        let places: Vec<_> = problems.0.iter().map(|problem| problem.pointer.as_str()).collect();
        assert_eq!(places, expected, "{problems}");
    }
    let unknown = serde_json::from_value::<AuthProvider>(json!({"kind": "aws", "name": "a"}));
    assert!(unknown.expect_err("not there").to_string().contains("unknown variant `aws`"));
    let twice: Vec<AuthProvider> =
        vec![
            serde_json::from_value(json!({"kind": "bearer", "name": "a", "token": "x"}))
                .expect("one");
            2
        ];
    let mut problems = Problems::default();
    options::check_all(&twice, &mut problems);
    assert_eq!(problems.0.len(), 1);
    assert_eq!(problems.0[0].pointer, "/1/name");
}

#[tokio::test]
async fn waiting_callers_share_what_the_first_one_fetched() {
    let cache = Cache::default();
    let clock = Clock::real();
    let fetched = AtomicU64::new(0);
    let fetch = async || {
        fetched.fetch_add(1, Ordering::SeqCst);
        tokio::task::yield_now().await;
        Ok(token::Fresh { token: Secret::new("t"), life: Duration::from_mins(10) })
    };
    let (first, second) = tokio::join!(cache.get(&clock, fetch), cache.get(&clock, fetch));
    assert_eq!((first.is_ok(), second.is_ok(), fetched.load(Ordering::SeqCst)), (true, true, 1));
}
