//! Limits bite whoever passes them, are counted, and leave everybody else alone.

use std::io::{Read as _, Write as _};
use std::sync::atomic::Ordering;

use super::client::read;
use super::*;
use crate::model::units::{Size, Span};

/// Whether the server ends the connection.
fn is_closed(stream: &mut std::net::TcpStream) -> bool {
    matches!(stream.read(&mut [0; 1_024]), Ok(0) | Err(_))
}

#[test]
fn a_head_that_does_not_come_is_cut_while_others_are_served() {
    let server = Server::with(|options| options.limits.head_time = Span::millis(300));
    let mut slow = server.wire().tcp();
    slow.write_all(b"GET /livez HTTP/1.1\r\nhost: loc").expect("sent");
    assert_eq!(server.get("/v1/me").status, 200, "others are served meanwhile");
    assert!(is_closed(&mut slow));
}

#[test]
fn a_head_that_drips_is_cut_too() {
    let server = Server::with(|options| options.limits.head_time = Span::millis(300));
    let slow = server.wire().tcp();
    slow.set_read_timeout(Some(Duration::from_millis(20))).expect("set");
    eventually("the drip is cut", || {
        let sent = slow.try_clone().expect("a handle").write_all(b"a");
        let answer = slow.try_clone().expect("a handle").read(&mut [0; 64]);
        let is_cut = sent.is_err() || matches!(answer, Ok(0)) || is_reset(&answer);
        is_cut.then_some(())
    });
    assert_eq!(server.get("/v1/me").status, 200);
}

fn is_reset(answer: &std::io::Result<usize>) -> bool {
    answer.as_ref().is_err_and(|error| error.kind() == std::io::ErrorKind::ConnectionReset)
}

#[test]
fn a_connection_that_lies_idle_longer_than_a_head_may_take_stays_open() {
    let server = Server::with(|options| options.limits.head_time = Span::millis(100));
    let mut stream = server.wire().tcp();
    let request = b"GET /livez HTTP/1.1\r\nhost: localhost\r\n\r\n";
    stream.write_all(request).expect("sent");
    let mut first = [0; 2_048];
    assert!(stream.read(&mut first).expect("answered") > 0);
    stream.set_read_timeout(Some(Duration::from_millis(400))).expect("set");
    let waited = stream.read(&mut first).expect_err("nothing comes and nothing ends");
    assert!(matches!(waited.kind(), std::io::ErrorKind::WouldBlock | std::io::ErrorKind::TimedOut));
    stream.write_all(request).expect("sent");
    stream.set_read_timeout(Some(Duration::from_mins(1))).expect("set");
    assert!(stream.read(&mut first).expect("answered again") > 0);
}

#[test]
fn an_idle_connection_is_closed_in_the_end() {
    let server = Server::with(|options| options.limits.idle = Span::seconds(1));
    assert!(is_closed(&mut server.wire().tcp()));
}

#[test]
fn an_oversized_head_is_refused() {
    let server = Server::with(|options| options.limits.head = Size(8 << 10));
    let long = "x".repeat(16 << 10);
    let reply = server.wire().call("GET", "/livez", &[("x-long", &long)], b"");
    // 0: the connection was reset, since nobody reads what was still on its way.
    assert!(matches!(reply.status, 431 | 0), "{reply:?}");
    let reply = server.wire().call("GET", &format!("/{long}"), &[], b"");
    assert!(matches!(reply.status, 414 | 431 | 0), "{reply:?}");
    assert_eq!(server.get("/v1/me").status, 200);
}

#[test]
fn an_oversized_body_is_refused_whether_it_says_so_or_not() {
    let server = Server::with(|options| options.limits.body = Size(1 << 10));
    let path = "/v1/apis/orders/baseline/freeze";
    let long = format!("{{\"reason\":\"{}\"}}", "x".repeat(2 << 10));
    let said = server.call("POST", path, Some(&long));
    assert_eq!((said.status, said.code().as_str()), (413, "request.too-large"));
    let mut stream = server.wire().tcp();
    let head = format!(
        "POST {path} HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\nauthorization: Bearer {}\r\n\
         content-type: application/json\r\ntransfer-encoding: chunked\r\n\r\n",
        server.token
    );
    stream.write_all(head.as_bytes()).expect("sent");
    let chunk = format!("{:x}\r\n{long}\r\n0\r\n\r\n", long.len());
    drop(stream.write_all(chunk.as_bytes()));
    let chunked = read(&mut stream);
    assert_eq!((chunked.status, chunked.code().as_str()), (413, "request.too-large"));
    assert!(server.metric("driftgate_admin_limit_hits_total{limit=\"body\"} 2"));
}

#[test]
fn a_body_that_does_not_come_is_given_up() {
    let server = Server::with(|options| options.limits.body_time = Span::millis(200));
    let mut stream = server.wire().tcp();
    let head = format!(
        "POST /v1/events HTTP/1.1\r\nhost: localhost\r\nauthorization: Bearer {INTAKE}\r\n\
         content-type: application/cloudevents+json\r\ncontent-length: 100\r\n\r\n{{"
    );
    stream.write_all(head.as_bytes()).expect("sent");
    assert_eq!(server.get("/v1/me").status, 200);
    let reply = read(&mut stream);
    assert_eq!((reply.status, reply.code().as_str()), (408, "request.body-timeout"));
}

#[test]
fn an_answer_that_does_not_come_is_given_up_and_probes_pass_full_slots() {
    let server = Server::with(|options| {
        options.limits.requests = 1;
        options.limits.answer_time = Span::seconds(2);
    });
    server.fakes.hangs.store(true, Ordering::Release);
    std::thread::scope(|scope| {
        // On a busy machine the call may be given up before anybody looks; then it hangs anew.
        let (busy, hanging) = eventually("the slot is taken", || {
            let hanging = scope.spawn(|| server.get("/v1/apis"));
            while !hanging.is_finished() {
                let reply = server.get("/v1/me");
                if reply.status == 503 {
                    return Some((reply, hanging));
                }
            }
            None
        });
        assert_eq!(busy.code(), "admin.too-many-requests");
        assert!(busy.header("retry-after").is_some());
        assert_eq!(server.wire().call("GET", "/livez", &[], b"").status, 200);
        let reply = hanging.join().expect("answered");
        assert_eq!((reply.status, reply.code().as_str()), (503, "admin.answer-timeout"));
    });
    assert_eq!(server.get("/v1/me").status, 200, "the slot is free again");
}

#[test]
fn one_connection_too_many_is_closed_and_counted() {
    let server = Server::with(|options| options.limits.connections = 2);
    let held = [server.wire().tcp(), server.wire().tcp()];
    eventually("the third is closed", || {
        let mut third = server.wire().tcp();
        is_closed(&mut third).then_some(())
    });
    assert!(
        server.metrics.text().contains("driftgate_admin_limit_hits_total{limit=\"connections\"}")
    );
    drop(held);
    eventually("there is room again", || (server.get("/v1/me").status == 200).then_some(()));
}

#[test]
fn stopping_lets_an_answer_finish_and_takes_no_new_calls() {
    let server = Server::start();
    server.fakes.hangs.store(true, Ordering::Release);
    let mut idle = server.wire().tcp();
    std::thread::scope(|scope| {
        let hanging = scope.spawn(|| server.get("/v1/apis"));
        eventually("the call is being answered", || {
            (server.fakes.asked.load(Ordering::Acquire) == 1).then_some(())
        });
        let early = server.runtime.block_on(server.handle.stop(Duration::from_millis(200)));
        assert!(early.is_err(), "it waits for the answer");
        server.fakes.hangs.store(false, Ordering::Release);
        server.fakes.release.notify_waiters();
        assert_eq!(hanging.join().expect("answered").status, 200);
    });
    assert!(is_closed(&mut idle));
    server.runtime.block_on(server.handle.stop(Duration::from_secs(5))).expect("all ended");
    let Address::Tcp(address) = server.handle.address() else { panic!("TCP") };
    assert!(std::net::TcpStream::connect(address).is_err());
}
