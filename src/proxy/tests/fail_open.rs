//! P2: analysis that is full, stopped, gone or panicking changes nothing for the client.

use super::PANIC_IN_TAP;
use super::support::{Origin, Rig, Setup, eventually};
use crate::capture::{Dropped, Level, Mode};
use crate::model::capture::BodyState;
use crate::model::units::Size;

const BODY: &str = "{\"id\":1}";

fn origin() -> Origin {
    Origin::answering(format!(
        "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n{BODY}",
        BODY.len()
    ))
}

/// So many exchanges on one connection, each answered as without us.
fn serve(rig: &Rig, count: usize) {
    let mut client = rig.client();
    for _ in 0..count {
        client.send("POST /a HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\n{}");
        let (head, body) = client.response();
        assert!(head.starts_with("HTTP/1.1 200 ") && body == BODY, "{head}{body}");
    }
    eventually("the last exchange is over", || rig.handle.in_flight() == 0);
}

fn dropped(rig: &Rig, reason: Dropped) -> u64 {
    rig.capture.snapshot(rig.clock.monotonic_ns()).dropped[reason as usize]
}

#[test]
fn p2_a_full_queue_drops_and_counts() {
    let origin = origin();
    let mut setup = Setup::to(origin.url());
    setup.capture.queue = 4;
    let mut rig = setup.start();
    rig.captures(0);
    serve(&rig, 20);
    let snapshot = rig.capture.snapshot(rig.clock.monotonic_ns());
    assert_eq!((snapshot.captures, dropped(&rig, Dropped::Queue)), (4, 16), "the identity holds");
    assert_eq!(snapshot.queue_length, 4);
    assert_eq!(snapshot.level, Level::Bodies as u8);
    assert_eq!(rig.captures(4).len(), 4);
    let _: Vec<_> = rig.captures(0);
    assert_eq!(rig.capture.snapshot(0).bytes_in_flight, 0, "the budget is whole again");
}

#[test]
fn p2_analysis_that_never_begins_costs_captures_only() {
    let origin = origin();
    let mut setup = Setup::to(origin.url());
    setup.capture.queue = 2;
    let rig = setup.start();
    serve(&rig, 10);
    assert_eq!(dropped(&rig, Dropped::Starting), 8);
}

#[test]
fn p2_analysis_that_is_gone_makes_traffic_cheaper() {
    let origin = origin();
    let mut rig = Setup::to(origin.url()).start();
    drop(rig.intake.take());
    serve(&rig, 10);
    let snapshot = rig.capture.snapshot(rig.clock.monotonic_ns());
    assert_eq!((snapshot.captures, dropped(&rig, Dropped::Draining)), (0, 10));
    assert_eq!((snapshot.enabled, snapshot.bytes_in_flight), (false, 0));
    assert!(rig.metric("tap_enabled").abs() < f64::EPSILON);
}

#[test]
fn p2_a_spent_budget_drops_bodies_and_then_records() {
    let origin = origin();
    let mut setup = Setup::to(origin.url());
    // One record with its heads fits, its bodies do not.
    setup.capture.memory = Size(1_400);
    let mut rig = setup.start();
    rig.captures(0);
    serve(&rig, 1);
    let capture = rig.captures(1).remove(0);
    assert_eq!(capture.response.kept, 8);
    rig.captures(0);
    serve(&rig, 2);
    assert_eq!(dropped(&rig, Dropped::Bytes), 1, "{:?}", rig.capture.snapshot(0));
}

#[test]
fn p2_a_panicking_tap_ends_itself_alone() {
    let origin = origin();
    let mut rig = Setup::to(origin.url()).start();
    rig.captures(0);
    let body = String::from_utf8(PANIC_IN_TAP.to_vec()).expect("a text");
    let poison =
        format!("POST /a HTTP/1.1\r\nHost: a\r\nContent-Length: {}\r\n\r\n{body}", body.len());
    let mut client = rig.client();
    for panics in 1..=5 {
        client.send(&poison);
        assert_eq!(client.response().1, BODY, "the answer comes");
        let snapshot = rig.capture.snapshot(rig.clock.monotonic_ns());
        assert_eq!((snapshot.panics, snapshot.enabled), (panics, panics < 5));
        assert_eq!(snapshot.bytes_in_flight, 0, "nothing stays charged");
    }
    serve(&rig, 3);
    assert_eq!(dropped(&rig, Dropped::Breaker), 3 + 5, "the poisoned ones count as well");
    assert_eq!(rig.capture.snapshot(0).captures, 0);
}

#[test]
fn an_api_decides_what_is_captured_of_it() {
    let origin = origin();
    for (mode, captures) in [(Mode::Off, 0), (Mode::Heads, 1)] {
        let mut setup = Setup::to(origin.url());
        setup.apis[0].capture = mode;
        let mut rig = setup.start();
        serve(&rig, 1);
        eventually("ended", || rig.handle.in_flight() == 0);
        assert_eq!(rig.capture.snapshot(0).captures, captures, "{mode:?}");
        for capture in rig.captures(usize::try_from(captures).expect("small")) {
            assert_eq!(capture.response.state, BodyState::Dropped);
            assert_eq!((capture.response.kept, capture.response.total), (0, 8));
        }
    }
}
