//! P2: analysis that hangs changes no answer and no latency class.

use std::net::SocketAddr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use super::support::http::{Connection, render};
use super::support::sidecar::Builder;
use super::support::upstream::{Upstream, json};

const ROUNDS: usize = 20;
/// Of so many ratios in order, the one above which the true median lies with 98 % (binomial: at most 5 of 20 below it).
const MEDIAN_LEAST: usize = 5;
const REQUESTS_PER_ROUND: usize = 5_000;
const CLIENTS: usize = 4;

/// Latencies of one round, and how many requests failed.
fn round(address: SocketAddr, failed: &AtomicUsize) -> Vec<Duration> {
    let workers: Vec<_> = (0..CLIENTS)
        .map(|_| {
            std::thread::spawn(move || {
                let mut latencies = Vec::with_capacity(REQUESTS_PER_ROUND / CLIENTS);
                let mut wrong = 0;
                let mut connection = Connection::open(address).expect("connected");
                let request = render(address, "GET", "/orders/1?expand=lines", &[], &[]);
                for _ in 0..REQUESTS_PER_ROUND / CLIENTS {
                    let begun = Instant::now();
                    let right = connection
                        .exchange("GET", &request)
                        .is_ok_and(|answer| answer.status() == 200 && answer.body.len() > 20);
                    latencies.push(begun.elapsed());
                    if !right {
                        wrong += 1;
                        connection = Connection::open(address).expect("connected");
                    }
                }
                (latencies, wrong)
            })
        })
        .collect();
    let mut all = Vec::with_capacity(REQUESTS_PER_ROUND);
    for worker in workers {
        let (latencies, wrong) = worker.join().expect("a client");
        all.extend(latencies);
        failed.fetch_add(wrong, Ordering::Relaxed);
    }
    all.sort();
    all
}

fn p99(sorted: &[Duration]) -> f64 {
    sorted[sorted.len() * 99 / 100].as_secs_f64()
}

#[test]
fn p2_with_analysis_hung_and_the_queue_full_no_request_fails_and_latency_stays() {
    let upstream = Upstream::start(|_| {
        json(200, &serde_json::json!({ "id": 1, "state": "open", "total": 12.5 }))
    });
    let off = Builder::bare()
        .section(&format!(
            "apis:\n  - {{ name: api, upstream: \"{}\", capture: off }}\n",
            upstream.url()
        ))
        .start();
    let hung = Builder::new(&upstream.url())
        .section("analysis: { paused: true }\ncapture: { queue: 64 }\n")
        .start();
    let failed = AtomicUsize::new(0);
    round(hung.proxy(), &failed);
    assert!(hung.metric("driftgate_tap_dropped_total") > 0.0, "the queue is full from here on");
    round(off.proxy(), &failed);
    let mut ratios: Vec<f64> = (0..ROUNDS)
        .map(|number| {
            // Each goes first as often as the other.
            if number % 2 == 0 {
                let with = p99(&round(hung.proxy(), &failed));
                with / p99(&round(off.proxy(), &failed))
            } else {
                let without = p99(&round(off.proxy(), &failed));
                p99(&round(hung.proxy(), &failed)) / without
            }
        })
        .collect();
    ratios.sort_by(f64::total_cmp);
    let (median, least) = (ratios[ROUNDS / 2], ratios[MEDIAN_LEAST]);
    println!(
        "p99 with analysis hung / tap off, {ROUNDS} paired rounds: median {median:.3}, all {ratios:.2?}"
    );
    assert_eq!(failed.load(Ordering::Relaxed), 0, "of {} requests", ROUNDS * REQUESTS_PER_ROUND);
    assert!(least <= 1.2, "median ratio of p99: {median:.3}, at least {least:.3}");
}
