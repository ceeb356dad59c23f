//! Starting, reloading, draining.

use std::net::TcpListener;
use std::os::unix::net::UnixListener;
use std::sync::mpsc;
use std::time::Duration;

use super::support::{Origin, Peer, Setup, api, eventually, field};
use crate::model::api::Scope;
use crate::proxy::options::{Listener, Upstream};
use crate::proxy::{Error, View};

const GET: &str = "GET / HTTP/1.1\r\nHost: a\r\n\r\n";

fn answering(text: &str) -> Origin {
    Origin::answering(format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n{text}", text.len()))
}

#[test]
fn a_taken_address_is_one_error_that_names_it() {
    let taken = TcpListener::bind("127.0.0.1:0").expect("bound");
    let address = taken.local_addr().expect("an address").to_string();
    let mut setup = Setup::to("http://127.0.0.1:1");
    setup.listeners = vec![Listener::at(&address)];
    let error = setup.try_start().err().expect("refused");
    assert!(matches!(error, Error::Bind { .. }) && error.to_string().contains(&address), "{error}");
}

#[test]
fn what_lies_at_a_socket_path_is_replaced_only_when_it_is_a_dead_socket() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("socket");
    let started = || {
        let mut setup = Setup::to("http://127.0.0.1:1");
        setup.listeners = vec![Listener::at(format!("unix:{}", path.display()))];
        setup.try_start()
    };
    std::fs::create_dir(&path).expect("a folder");
    assert!(matches!(started().err(), Some(Error::SocketTaken { .. })));
    std::fs::remove_dir(&path).expect("removed");
    let live = UnixListener::bind(&path).expect("bound");
    assert!(matches!(started().err(), Some(Error::SocketTaken { .. })));
    drop(live);
    assert!(started().is_ok(), "a dead socket makes way");
}

#[test]
fn a_reload_moves_new_exchanges_and_lets_old_ones_end() {
    let (go, wait) = mpsc::sync_channel::<()>(1);
    let wait = parking_lot::Mutex::new(wait);
    let old = Origin::start(move |mut peer| {
        peer.head().expect("a head");
        wait.lock().recv().expect("told");
        peer.send("HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nold");
    });
    let new = answering("new");
    let rig = Setup::to(old.url()).start();
    let mut client = rig.client();
    client.send(GET);
    eventually("under way", || rig.handle.in_flight() == 1);
    let apis = [api("api", "/", Upstream::at(new.url()))];
    let view = View::build(&rig.listeners, &apis).expect("a view");
    rig.runtime.block_on(rig.handle.reload(view)).expect("reloaded");
    assert_eq!((rig.ask(GET).1.as_str(), rig.handle.generation()), ("new", 2));
    go.send(()).expect("told");
    assert_eq!(client.response().1, "old");
    client.send(GET);
    assert_eq!(client.response().1, "new", "the same connection");
}

#[test]
fn a_view_for_other_listeners_is_refused_and_changes_nothing() {
    let origin = answering("same");
    let rig = Setup::to(origin.url()).start();
    let apis = [api("api", "/", Upstream::at(origin.url()))];
    for listeners in [
        vec![],
        vec![Listener::at("127.0.0.1:1")],
        vec![rig.listeners[0].clone(), Listener::at("127.0.0.1:2")],
    ] {
        let view = View::build(&listeners, &apis).expect("a view");
        let refused = rig.runtime.block_on(rig.handle.reload(view));
        assert!(matches!(refused, Err(Error::ListenersChanged { .. })));
    }
    assert_eq!((rig.ask(GET).1.as_str(), rig.handle.generation()), ("same", 1));
}

#[test]
fn all_problems_of_a_view_are_told_at_once() {
    let mut first = api("first", "/a", Upstream::at("http://h:1/path"));
    first.scope = Scope { hosts: vec!["x".into()], path_prefix: "/a".into() };
    first.listeners = vec!["nowhere".into()];
    let mut second = api("second", "/", Upstream::at("https://127.0.0.1"));
    second.upstream.ca_file = Some("/nowhere/ca.pem".into());
    let third = api("third", "/", Upstream { host: "a b".into(), ..Upstream::at("http://h") });
    let problems =
        View::build(&[Listener::at("127.0.0.1:0")], &[first, second, third]).expect_err("problems");
    let found: Vec<_> =
        problems.0.iter().map(|problem| (problem.code, problem.pointer.as_str())).collect();
    assert_eq!(
        found,
        [
            ("config.bad-upstream", "/apis/0/upstream/url"),
            ("config.unreadable-file", "/apis/1/upstream/ca_file"),
            ("config.tls-by-address", "/apis/1/upstream/url"),
            ("config.bad-host", "/apis/2/upstream/host"),
            ("config.unknown-listener", "/apis/0/listeners/0"),
            ("config.same-route", "/apis/2/path_prefix"),
        ]
    );
}

#[test]
fn draining_asks_clients_to_go_and_loses_nothing() {
    let (go, wait) = mpsc::sync_channel::<()>(1);
    let wait = parking_lot::Mutex::new(wait);
    let (arrived, slow_arrived) = mpsc::sync_channel::<()>(1);
    let origin = Origin::start(move |mut peer| {
        while let Some(head) = peer.head() {
            if head.starts_with("GET /slow") {
                arrived.send(()).expect("told");
                wait.lock().recv().expect("told");
            }
            peer.send("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok");
        }
    });
    let rig = Setup::to(origin.url()).start();
    let mut idle = rig.client();
    idle.send(GET);
    assert_eq!(field(&idle.response().0, "connection"), Some("keep-alive"));
    rig.handle.pre_stop();
    assert!(!rig.handle.ready());
    let (head, _) = rig.ask(GET);
    assert_eq!(field(&head, "connection"), Some("close"), "still accepted, asked to leave");
    let mut slow = rig.client();
    slow.send("GET /slow HTTP/1.1\r\nHost: a\r\n\r\n");
    slow_arrived.recv_timeout(super::support::DEADLINE).expect("under way");
    rig.handle.begin_drain();
    assert!(idle.rest().is_empty(), "idle connections are closed");
    eventually("no longer accepting", || std::net::TcpStream::connect(rig.address()).is_err());
    let idle_now = rig.runtime.block_on(rig.handle.idle(Duration::from_millis(50)));
    assert!(!idle_now, "one exchange is under way");
    go.send(()).expect("told");
    let (head, body) = slow.response();
    assert_eq!((field(&head, "connection"), body.as_str()), (Some("close"), "ok"));
    assert!(rig.runtime.block_on(rig.handle.idle(super::support::DEADLINE)));
}

#[test]
fn data_threads_show_that_they_live() {
    let rig = Setup::to("http://127.0.0.1:1").start();
    assert!(rig.handle.ready() && rig.handle.heartbeat_age() < Duration::from_secs(5));
    drop(Peer::connect(rig.address()));
}
