//! SIGTERM loses no started answer; what was asked for before it is answered, and the process ends by itself.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use super::support::eventually;
use super::support::http::{Connection, render, request};
use super::support::sidecar::Builder;
use super::support::upstream::{Upstream, answer};

#[test]
fn a_started_exchange_is_finished_before_the_process_ends() {
    let (arrived, release) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicBool::new(false)));
    let upstream = {
        let (arrived, release) = (Arc::clone(&arrived), Arc::clone(&release));
        Upstream::start(move |_| {
            arrived.store(true, Ordering::Release);
            eventually("the test lets the answer go", || {
                release.load(Ordering::Acquire).then_some(())
            });
            answer(200, &[], b"complete")
        })
    };
    let mut sidecar = Builder::new(&upstream.url()).start();
    let address = sidecar.proxy();
    let client = std::thread::spawn(move || {
        let mut connection = Connection::open(address).expect("connected");
        connection.exchange("GET", &render(address, "GET", "/slow", &[], &[])).expect("an answer")
    });
    // An open connection is not enough: one that has sent nothing yet is closed.
    eventually("the exchange is under way", || arrived.load(Ordering::Acquire).then_some(()));
    sidecar.signal(rustix::process::Signal::TERM);
    eventually("readiness says no", || {
        let status = super::support::http::try_request(sidecar.admin, "GET", "/readyz", &[], &[])
            .map(|reply| reply.status());
        (status.ok() != Some(200)).then_some(())
    });
    release.store(true, Ordering::Release);
    assert_eq!(client.join().expect("the client").text(), "complete");
    assert_eq!(sidecar.wait().code(), Some(0), "{}", sidecar.log());
}

#[test]
fn health_answers_speak_of_the_data_plane_alone() {
    let upstream = Upstream::start(|_| answer(200, &[], &[]));
    let sidecar = Builder::new(&upstream.url()).start();
    let status = |path: &str| request(sidecar.admin, "GET", path, &[], &[]).status();
    for path in ["/livez", "/readyz"] {
        assert_eq!(status(path), 200, "{path}");
    }
    // Deliveries begin last, when all our own addresses are known.
    eventually("the control plane is ready", || (status("/readyz/control") == 200).then_some(()));
    assert_eq!(request(sidecar.proxy(), "GET", "/", &[], &[]).status(), 200);
    for name in [
        "driftgate_exchanges_total",
        "driftgate_tap_captures_total",
        "driftgate_tap_dropped_total",
        "driftgate_connections",
    ] {
        // An exchange is counted when it is over, which its client learns first.
        eventually(name, || {
            let metrics = request(sidecar.admin, "GET", "/metrics", &[], &[]).text();
            metrics.contains(name).then_some(())
        });
    }
}
