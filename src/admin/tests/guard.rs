//! Who may speak to the admin API: names, origins, tokens.

use super::*;

/// Host, Origin, Sec-Fetch-Site and what becomes of a call that is otherwise right.
const NAMES: &[(&str, &str, &str, u16)] = &[
    ("localhost", "", "", 200),
    ("localhost:9090", "", "", 200),
    ("LocalHost:1", "", "", 200),
    ("localhost.", "", "", 200),
    ("127.0.0.1", "", "", 200),
    ("127.0.0.1:9090", "", "", 200),
    ("127.9.9.9", "", "", 200),
    ("[::1]", "", "", 200),
    ("[::1]:9090", "", "", 200),
    ("gate.internal", "", "", 200),
    ("GATE.internal:443", "", "", 200),
    ("drift.example", "", "", 200),
    ("drift.example:8443", "", "", 200),
    ("", "", "", 421),
    ("evil.example", "", "", 421),
    ("localhost.evil.example", "", "", 421),
    ("evil.example:9090", "", "", 421),
    ("127.0.0.1.evil.example", "", "", 421),
    ("10.0.0.1", "", "", 421),
    ("0.0.0.0", "", "", 421),
    ("[::]", "", "", 421),
    ("[::2]", "", "", 421),
    ("user@localhost", "", "", 421),
    ("evil.example@localhost", "", "", 421),
    ("localhost@evil.example", "", "", 421),
    ("gate.internal.evil.example", "", "", 421),
    ("169.254.169.254", "", "", 421),
    ("localhost:9090", "http://localhost:9090", "", 200),
    ("localhost:9090", "https://localhost:9090", "", 200),
    ("localhost:9090", "http://LOCALHOST:9090", "", 200),
    ("127.0.0.1:1", "http://127.0.0.1:1", "same-origin", 200),
    ("localhost", "https://drift.example", "", 200),
    ("localhost:9090", "http://localhost:9091", "", 403),
    ("localhost:9090", "http://localhost", "", 403),
    ("localhost:9090", "http://evil.example", "", 403),
    ("localhost:9090", "https://drift.example.evil.example", "", 403),
    ("localhost:9090", "null", "", 403),
    ("localhost:9090", "file://", "", 403),
    ("localhost:9090", "localhost:9090", "", 403),
    ("localhost:9090", "http://localhost:9090/", "", 403),
    ("localhost:9090", "", "cross-site", 403),
    ("localhost:9090", "http://localhost:9090", "cross-site", 403),
    ("localhost:9090", "", "same-site", 200),
    ("localhost:9090", "", "none", 200),
    ("evil.example", "http://evil.example", "same-origin", 421),
];

#[test]
fn only_our_own_names_and_origins_are_answered() {
    let server = Server::with(|options| {
        options.hosts = vec!["gate.internal".to_owned()];
        options.public_url = Some("https://drift.example".to_owned());
    });
    let bearer = format!("Bearer {}", server.token);
    for (host, origin, site, expected) in NAMES {
        let all = [("host", *host), ("origin", *origin), ("sec-fetch-site", *site)];
        let mut headers: Vec<_> = all.into_iter().filter(|(_, value)| !value.is_empty()).collect();
        headers.push(("authorization", &bearer));
        let reply = server.wire().call_as("GET", "/v1/me", &headers, b"");
        // hyper itself answers 400 to a request of HTTP/1.1 whose Host is no authority.
        assert_eq!(reply.status, *expected, "{host} {origin} {site}: {reply:?}");
        match expected {
            421 => assert_eq!(reply.code(), "admin.host-refused"),
            403 => assert_eq!(reply.code(), "admin.origin-refused"),
            _ => {}
        }
    }
}

#[test]
fn two_hosts_or_a_target_that_differs_from_the_host_are_refused() {
    let server = Server::start();
    let bearer = format!("Bearer {}", server.token);
    let two = [("host", "localhost"), ("host", "evil.example"), ("authorization", &bearer)];
    assert_eq!(server.wire().call_as("GET", "/v1/me", &two, b"").status, 421);
    for (target, expected) in [
        ("http://localhost/v1/me", 200),
        ("http://evil.example/v1/me", 421),
        ("http://127.0.0.1/v1/me", 421),
    ] {
        let headers = [("host", "localhost"), ("authorization", bearer.as_str())];
        let reply = server.wire().call_as("GET", target, &headers, b"");
        assert_eq!(reply.status, expected, "{target}");
    }
}

/// Method, path, and what a call gets without token, with an intake, a viewer and an admin token.
const SCOPES: &[(&str, &str, [u16; 4])] = &[
    ("GET", "/livez", [200, 200, 200, 200]),
    ("HEAD", "/livez", [200, 200, 200, 200]),
    ("GET", "/readyz", [200, 200, 200, 200]),
    ("GET", "/readyz/control", [200, 200, 200, 200]),
    ("GET", "/metrics", [200, 200, 200, 200]),
    ("GET", "/v1/openapi.json", [200, 200, 200, 200]),
    ("GET", "/v1/problems", [200, 200, 200, 200]),
    ("GET", "/v1/problems/auth.scope", [200, 200, 200, 200]),
    ("GET", "/v1/schemas/contract.drift.opened/1", [200, 200, 200, 200]),
    ("GET", "/v1/me", [401, 403, 200, 200]),
    ("HEAD", "/v1/me", [401, 403, 200, 200]),
    ("GET", "/v1/apis", [401, 403, 200, 200]),
    ("GET", "/v1/apis/orders", [401, 403, 200, 200]),
    ("GET", "/v1/apis/orders/spec", [401, 403, 200, 200]),
    ("GET", "/v1/events", [401, 403, 200, 200]),
    ("GET", "/v1/deliveries", [401, 403, 200, 200]),
    ("GET", "/v1/findings", [401, 403, 200, 200]),
    ("GET", "/v1/config", [401, 403, 200, 200]),
    ("GET", "/v1/health", [401, 403, 200, 200]),
    ("POST", "/v1/events", [401, 415, 403, 415]),
    ("POST", "/v1/config/reload", [401, 403, 403, 200]),
    ("POST", "/v1/apis/orders/baseline/freeze", [401, 403, 403, 409]),
    ("POST", "/v1/findings/none/acknowledge", [401, 403, 403, 404]),
    ("POST", "/v1/deliveries/none/retry", [401, 403, 403, 404]),
    ("POST", "/v1/deliveries/none/cancel", [401, 403, 403, 404]),
    ("POST", "/livez", [405, 405, 405, 405]),
    ("DELETE", "/v1/events", [401, 403, 405, 405]),
    ("PUT", "/v1/apis", [401, 403, 405, 405]),
    ("OPTIONS", "/v1/apis", [401, 403, 405, 405]),
    ("GET", "/v1/nothing", [404, 404, 404, 404]),
    ("GET", "/", [404, 404, 404, 404]),
];

#[test]
fn each_route_asks_for_its_scope() {
    let server = Server::start();
    let admin = server.token.clone();
    for (method, path, expected) in SCOPES {
        for (token, expected) in ["", INTAKE, VIEWER, &admin].into_iter().zip(expected) {
            let bearer = format!("bearer {token}");
            let headers: &[(&str, &str)] =
                if token.is_empty() { &[] } else { &[("authorization", &bearer)] };
            let reply = server.wire().call(method, path, headers, b"");
            assert_eq!(reply.status, *expected, "{method} {path} with `{token}`: {reply:?}");
            if *method != "HEAD" && *expected >= 400 {
                assert!(!reply.code().is_empty());
            }
            assert_eq!(reply.header("x-content-type-options"), Some("nosniff"));
            assert_eq!(reply.header("driftgate-instance"), Some("test-1"));
        }
    }
    let refused = "driftgate_admin_auth_failures_total{reason=\"auth.scope\"}";
    assert!(server.metrics.text().contains(refused));
}

#[test]
fn malformed_and_wrong_credentials_are_no_token() {
    let server = Server::start();
    let admin = server.token.clone();
    for (value, expected) in [
        (format!("Bearer {admin}"), "200"),
        (format!("bEaReR  {admin}"), "200"),
        (admin.clone(), "auth.required"),
        (format!("Basic {admin}"), "auth.required"),
        ("Bearer".to_owned(), "auth.required"),
        (format!("Bearer {admin}x"), "auth.wrong-token"),
        (format!("Bearer {}", admin.split_at(1).1), "auth.wrong-token"),
        ("Bearer ".to_owned() + &"x".repeat(600), "auth.wrong-token"),
    ] {
        let reply = server.wire().call("GET", "/v1/me", &[("authorization", &value)], b"");
        if expected == "200" {
            assert_eq!(reply.status, 200, "{value}");
        } else {
            assert_eq!((reply.status, reply.code().as_str()), (401, expected), "{value}");
            assert_eq!(reply.header("www-authenticate"), Some("bearer realm=\"driftgate\""));
        }
    }
}

#[test]
fn ten_wrong_tokens_a_minute_are_enough_and_right_ones_still_pass() {
    let server = Server::start();
    let wrong = [("authorization", "Bearer wrong-token-of-at-least-32-characters")];
    for _ in 0..10 {
        assert_eq!(server.wire().call("GET", "/v1/me", &wrong, b"").status, 401);
    }
    let reply = server.wire().call("GET", "/v1/me", &wrong, b"");
    assert_eq!((reply.status, reply.code().as_str()), (429, "auth.too-many-wrong"));
    assert!(reply.header("retry-after").is_some());
    assert_eq!(server.get("/v1/me").status, 200);
}

#[test]
fn metrics_can_ask_for_a_token_on_both_addresses() {
    let server = Server::with(|options| options.metrics = options::MetricsAccess::Token);
    let bearer = format!("Bearer {VIEWER}");
    for wire in [server.wire(), server.health()] {
        assert_eq!(wire.call("GET", "/metrics", &[], b"").status, 401);
        let headers = [("authorization", bearer.as_str())];
        assert_eq!(wire.call("GET", "/metrics", &headers, b"").status, 200);
        assert_eq!(wire.call("GET", "/livez", &[], b"").status, 200);
    }
}

#[test]
fn the_health_address_serves_probes_to_everybody_and_nothing_else() {
    let server = Server::start();
    let host = [("host", "10.1.2.3:8080")];
    for path in ["/livez", "/readyz", "/readyz/control", "/metrics"] {
        assert_eq!(server.health().call_as("GET", path, &host, b"").status, 200, "{path}");
    }
    let bearer = format!("Bearer {}", server.token);
    for path in ["/v1/me", "/v1/openapi.json", "/v1/apis"] {
        let headers = [("host", "localhost"), ("authorization", bearer.as_str())];
        assert_eq!(server.health().call_as("GET", path, &headers, b"").status, 404, "{path}");
    }
}

#[test]
fn a_reload_adds_and_removes_tokens_and_keeps_them_when_the_file_is_bad() {
    let server = Server::start();
    let path = server.folder.path().join("viewer");
    let options = Options {
        viewer_token_file: Some(path.clone()),
        intake_token_file: Some(server.folder.path().join("intake")),
        ..Options::default()
    };
    let status = |token: &str| {
        let bearer = format!("Bearer {token}");
        server.wire().call("GET", "/v1/me", &[("authorization", &bearer)], b"").status
    };
    let read = || ReadTokens::of(&options, server.folder.path(), &Rng::seeded(1));
    let next = "another-viewer-token-of-32-characters";
    files::write_private(&path, format!("a {next}\nb {VIEWER}\n").as_bytes()).expect("written");
    server.tokens.replace(read().expect("read"));
    assert_eq!([status(next), status(VIEWER)], [200, 200]);
    files::write_private(&path, b"too short").expect("written");
    assert!(read().is_err());
    assert_eq!([status(next), status(VIEWER)], [200, 200]);
    files::write_private(&path, next.as_bytes()).expect("written");
    server.tokens.replace(read().expect("read"));
    assert_eq!([status(next), status(VIEWER)], [200, 401]);
}

#[test]
fn a_unix_socket_is_for_its_owner_and_goes_with_the_server() {
    use std::os::unix::fs::PermissionsExt as _;
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("admin.sock");
    files::write_atomic(&path, b"left behind").expect("written");
    let server = Server::with(|options| options.address = format!("unix:{}", path.display()));
    assert_eq!(server.get("/v1/me").status, 200);
    assert_eq!(server.wire().call("GET", "/v1/me", &[], b"").status, 401);
    let mode = std::fs::metadata(&path).expect("there").permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    server.runtime.block_on(server.handle.stop(Duration::from_secs(5))).expect("stopped");
    drop(server);
    eventually("the socket is gone", || (!files::exists(&path)).then_some(()));
}

#[test]
fn a_taken_address_and_missing_or_empty_token_files_stop_the_start() {
    let taken = std::net::TcpListener::bind("127.0.0.1:0").expect("bound");
    let address = taken.local_addr().expect("an address").to_string();
    let folder = tempfile::tempdir().expect("a folder");
    let empty = folder.path().join("empty");
    files::write_private(&empty, b"# none\n").expect("written");
    let rng = Rng::seeded(1);
    for file in [empty, folder.path().join("missing")] {
        let options = Options { token_file: Some(file.clone()), ..Options::default() };
        let error = ReadTokens::of(&options, folder.path(), &rng).err();
        let text = error.map(|error| format!("{error}: {:?}", std::error::Error::source(&error)));
        assert!(text.expect("refused").contains(&*file.to_string_lossy()));
    }
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    let _inside = runtime.enter();
    let parsed = Address::parse(&address).expect("an address");
    let error = listen::Listener::bind(&parsed).expect_err("taken");
    assert!(error.to_string().contains(&address) && error.to_string().contains("another process"));
}
