//! Deadlines and limits of connections: each is crossed, and its counter moves.

use std::io::Write as _;
use std::time::Duration;

use super::support::{Origin, Rig, Setup, eventually};
use crate::model::units::Span;

const OK: &str = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";
const GET: &str = "GET / HTTP/1.1\r\nHost: a\r\n\r\n";

fn counted(rig: &Rig, phase: &str) -> bool {
    let line = format!("connections_timed_out_total{{phase=\"{phase}\"}}");
    (rig.metric(&line) - 1.0).abs() < f64::EPSILON
}

#[test]
fn a_connection_that_begins_nothing_is_closed() {
    let mut setup = Setup::to("http://127.0.0.1:1");
    setup.limits.idle_timeout = Span::millis(100);
    let rig = setup.start();
    assert!(rig.client().rest().is_empty());
    eventually("counted", || counted(&rig, "idle"));
}

#[test]
fn a_connection_that_begins_nothing_more_is_closed() {
    let origin = Origin::answering(OK);
    let mut setup = Setup::to(origin.url());
    setup.limits.idle_timeout = Span::millis(100);
    let rig = setup.start();
    let mut client = rig.client();
    for _ in 0..3 {
        client.send(GET);
        client.response();
    }
    assert!(client.rest().is_empty(), "plain pingora would wait for ever");
    eventually("counted", || counted(&rig, "idle"));
    eventually("gone", || rig.handle.connections() == 0);
}

#[test]
fn a_head_that_never_ends_is_cut_off_although_bytes_keep_coming() {
    let origin = Origin::answering(OK);
    let mut setup = Setup::to(origin.url());
    setup.limits.head_timeout = Span::millis(150);
    let rig = setup.start();
    let mut client = rig.client();
    client.send(GET);
    client.response();
    client.send("GET / HTTP/1.1\r\n");
    let mut lines = 0;
    while client.try_send("X: y\r\n") && lines < 1_000 {
        client.0.set_read_timeout(Some(Duration::from_millis(10))).expect("a deadline");
        if matches!(std::io::Read::read(&mut client.0, &mut [0]), Ok(0)) {
            break;
        }
        lines += 1;
    }
    assert!(lines < 1_000, "never cut off");
    eventually("counted", || counted(&rig, "head"));
    assert!(rig.metric("heads_rejected_total").abs() < f64::EPSILON, "told once");
}

#[test]
fn a_client_that_reads_nothing_is_cut_off() {
    let body = vec![b'x'; 16 << 20];
    let mut answer =
        format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n", body.len()).into_bytes();
    answer.extend(body);
    let origin = Origin::answering(answer);
    let mut setup = Setup::to(origin.url());
    setup.limits.write_stall = Span::millis(200);
    let rig = setup.start();
    let mut client = rig.client();
    client.send(GET);
    client.exactly(1);
    eventually("counted", || counted(&rig, "write"));
    eventually("closed", || rig.handle.connections() == 0);
}

#[test]
fn connections_beyond_the_limit_are_closed_at_once() {
    let origin = Origin::answering(OK);
    let mut setup = Setup::to(origin.url());
    setup.limits.connections = 2;
    let rig = setup.start();
    let (mut first, mut second) = (rig.client(), rig.client());
    for client in [&mut first, &mut second] {
        client.send(GET);
        client.response();
    }
    let mut third = rig.client();
    // It may be closed before anything is sent.
    drop(third.0.write_all(GET.as_bytes()));
    assert!(third.rest().is_empty());
    assert!((rig.metric("connections_refused_total{reason=\"limit\"}") - 1.0).abs() < f64::EPSILON);
    assert!((rig.metric("connections{listener=\"test\"}") - 2.0).abs() < f64::EPSILON);
    drop(first);
    eventually("room", || rig.handle.connections() == 1);
    assert!(rig.ask(GET).0.starts_with("HTTP/1.1 200 "));
}

#[test]
fn a_connection_serves_only_so_many_requests() {
    let origin = Origin::answering(OK);
    let mut setup = Setup::to(origin.url());
    setup.limits.requests_per_connection = Some(2);
    let rig = setup.start();
    let mut client = rig.client();
    client.send(GET);
    client.response();
    client.send(GET);
    client.response();
    assert!(client.rest().is_empty());
}
