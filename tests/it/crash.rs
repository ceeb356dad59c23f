//! P3: what was acknowledged is delivered, over kill -9 at random.

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use serde_json::{Value, json};

use super::support::eventually;
use super::support::http::try_request;
use super::support::sidecar::{Builder, Sidecar};
use super::support::upstream::{Upstream, answer};

const ROUNDS: usize = 20;

fn config(upstream: &str, receiver: &str) -> String {
    format!(
        "apis:\n  - name: api\n    upstream: {upstream}\nwebhooks:\n  - name: all\n    url: {receiver}\n    events: [order_placed]\n    allow_unknown: true\n    \
         secret: whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw\n    retry: {{ base: 1s, cap: 2s, deadline: 10m }}\n"
    )
}

fn token(sidecar: &Sidecar) -> String {
    let text = std::fs::read_to_string(sidecar.data().join("admin-token")).expect("the token");
    format!("Bearer {}", text.trim())
}

/// Posts events until told to stop or the program is gone; returns the ids that were acknowledged.
fn post(sidecar: &Sidecar, next: &AtomicUsize, stop: &AtomicBool) -> Vec<String> {
    let bearer = token(sidecar);
    let mut acknowledged = Vec::new();
    while !stop.load(Ordering::Acquire) {
        let id = format!("event-{}", next.fetch_add(1, Ordering::Relaxed));
        let event = json!({ "specversion": "1.0", "id": id, "source": "/shop", "type": "order_placed", "data": { "id": id } });
        let fields =
            [("authorization", bearer.as_str()), ("content-type", "application/cloudevents+json")];
        match try_request(
            sidecar.admin,
            "POST",
            "/v1/events",
            &fields,
            event.to_string().as_bytes(),
        ) {
            Ok(reply) if reply.status() == 202 => acknowledged.push(id),
            Ok(reply) => panic!("refused with {}: {}", reply.status(), reply.text()),
            Err(_) => return acknowledged,
        }
    }
    acknowledged
}

#[test]
fn p3_nothing_acknowledged_is_lost_over_twenty_kills() {
    let received: Arc<Mutex<BTreeSet<String>>> = Arc::default();
    let attempts = Arc::new(AtomicUsize::new(0));
    let receiver = {
        let (received, attempts) = (Arc::clone(&received), Arc::clone(&attempts));
        Upstream::start(move |request| {
            // Every fifth attempt fails, so that kills meet deliveries in every state.
            if attempts.fetch_add(1, Ordering::Relaxed) % 5 == 4 {
                return answer(503, &[], &[]);
            }
            let id = request.json()["data"]["id"].as_str().unwrap_or_default().to_owned();
            received.lock().expect("not poisoned").insert(id);
            answer(204, &[], &[])
        })
    };
    let upstream = Upstream::start(|_| answer(200, &[], &[]));
    let config = config(&upstream.url(), &receiver.url());
    let next = AtomicUsize::new(0);
    let mut acknowledged = Vec::new();
    let mut sidecar = Builder::bare().section(&config).start();
    for round in 0..ROUNDS {
        let stop = AtomicBool::new(false);
        std::thread::scope(|scope| {
            let poster = scope.spawn(|| post(&sidecar, &next, &stop));
            // How many events pass before the kill differs by round, and so does what the kill interrupts.
            let goal = next.load(Ordering::Relaxed) + 3 + (round * 37) % 41;
            eventually("events are posted", || {
                (next.load(Ordering::Relaxed) >= goal).then_some(())
            });
            sidecar.signal(rustix::process::Signal::KILL);
            acknowledged.extend(poster.join().expect("the poster"));
            stop.store(true, Ordering::Release);
        });
        sidecar.kill();
        sidecar = Builder::bare().in_folder(&sidecar.folder).section(&config).start();
    }
    assert!(acknowledged.len() > ROUNDS, "{} were acknowledged", acknowledged.len());
    let missing = || -> Vec<String> {
        let received = received.lock().expect("not poisoned");
        acknowledged.iter().filter(|id| !received.contains(*id)).cloned().collect()
    };
    eventually("every acknowledged event is received", || missing().is_empty().then_some(()));
    let listed: Value = sidecar.get("/v1/deliveries?limit=250");
    assert!(listed["items"].as_array().is_some_and(|items| !items.is_empty()));
    println!("{} events acknowledged over {ROUNDS} kills, none missing", acknowledged.len());
}
