//! What inference costs: exchanges a second and allocations for each, stage by stage (`spec/inference.md` 16.5).
//!
//! `cargo bench --bench infer` reads recorded exchanges of 200 operations with JSON bodies of 1-2 KiB, once to know them and
//! then again and again (`infer_known`), and exchanges of which each has a path and names never seen before
//! (`infer_novel`). One thread, its time on the processor (wall clock where the system does not tell it); the figures of a
//! stage are those of the best round, since neighbours only ever add.
//!
//! `-- --memory` weighs evidence instead (`memory`) and fails where it weighs too much; with `--test` a small part of it.
//! `-- --test` runs one short round and judges nothing but that known exchanges cost no allocation in observe and learn, and
//! that the small part keeps to its weight.

#![expect(clippy::disallowed_methods, reason = "a bench looks at the clock itself")]
#![expect(clippy::print_stdout, reason = "its result is what it prints")]

mod clock;
mod memory;
mod traffic;

use std::hint::black_box;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use driftgate::capture::recorded::Frame;
use driftgate::capture::{Border, Options, Redact, ndjson};
use driftgate::infer::{self, Evidence};
use driftgate::model::exchange::Exchange;
use driftgate::model::hash::HashKey;
use driftgate::model::redaction::Plan;
use driftgate::observe::{Lens, Observer};
use driftgate_counting::{Counting, allocations};

use self::memory::Scale;

#[global_allocator]
static ALLOCATOR: Counting = Counting;

/// What one stage took for a number of exchanges.
#[derive(Debug, Clone, Copy)]
struct Cost {
    time: Duration,
    allocations: u64,
}

impl Cost {
    fn of(work: impl FnOnce()) -> Self {
        let begun = clock::on_processor();
        let before = allocations();
        work();
        let allocations = allocations() - before;
        Self { time: clock::on_processor().saturating_sub(begun), allocations }
    }

    fn better(self, other: Self) -> Self {
        if other.time < self.time { other } else { self }
    }
}

/// The parts of the way from a recorded line to evidence.
struct Stages {
    frame: Frame,
    border: Border,
    plan: Arc<Plan>,
    observer: Observer,
}

impl Stages {
    fn new() -> Self {
        let options = Options::default();
        let key = HashKey::OFFLINE;
        Self {
            frame: Frame {
                api: "bench".into(),
                request_cap: options.request_body.as_len(),
                response_cap: options.response_body.as_len(),
            },
            border: Border::new(key.clone(), "bench", &options, Arc::new(|_| false)),
            plan: Arc::new(Redact::default().plan()),
            observer: Observer::new(key, Lens::default()),
        }
    }

    fn open(&self, line: &str) -> Option<Exchange> {
        let capture = ndjson::capture(line.as_bytes(), &self.frame).ok()?;
        self.border.open(&capture, &self.plan)
    }

    fn open_all(&self, lines: &[String]) -> Vec<Exchange> {
        lines.iter().filter_map(|line| self.open(line)).collect()
    }

    fn learn(&mut self, evidence: &mut Evidence, exchanges: &[Exchange]) {
        for exchange in exchanges {
            black_box(infer::learn(evidence, self.observer.observe(exchange)));
        }
    }

    fn observe(&mut self, exchanges: &[Exchange]) {
        for exchange in exchanges {
            black_box(self.observer.observe(exchange));
        }
    }
}

fn evidence() -> Evidence {
    Evidence::new("bench", HashKey::OFFLINE.id())
}

/// Prints one line of the table.
fn tell(name: &str, cost: Cost, exchanges: usize) {
    let count = u32::try_from(exchanges).unwrap_or(u32::MAX);
    let each = f64::from(count);
    #[expect(clippy::cast_precision_loss, reason = "a figure to be read")]
    let allocations = cost.allocations as f64 / each;
    println!(
        "{name:28} {:>9.0} exchanges/s {:>8.2} us {allocations:>8.2} allocations",
        each / cost.time.as_secs_f64(),
        cost.time.as_secs_f64() * 1e6 / each,
    );
}

/// Exchanges of known shapes; gives the allocations of observe and learn.
fn known(lines: &[String], rounds: usize) -> u64 {
    let mut stages = Stages::new();
    let exchanges = stages.open_all(lines);
    let mut evidence = evidence();
    // Twice: the second time plans are made of what the first one taught.
    stages.learn(&mut evidence, &exchanges);
    stages.learn(&mut evidence, &exchanges);
    let mut all = [None::<Cost>; 4];
    for _ in 0..rounds {
        let costs = [
            Cost::of(|| {
                black_box(stages.open_all(lines));
            }),
            Cost::of(|| stages.observe(&exchanges)),
            Cost::of(|| stages.learn(&mut evidence, &exchanges)),
            Cost::of(|| {
                for line in lines {
                    let Some(exchange) = stages.open(line) else { continue };
                    black_box(infer::learn(&mut evidence, stages.observer.observe(&exchange)));
                }
            }),
        ];
        for (best, cost) in all.iter_mut().zip(costs) {
            *best = Some(best.map_or(cost, |best| best.better(cost)));
        }
    }
    let names = [
        "known: read and redact",
        "known: observe",
        "infer_known: observe, learn",
        "known: whole way",
    ];
    for (name, cost) in names.iter().zip(all) {
        if let Some(cost) = cost {
            tell(name, cost, exchanges.len());
        }
    }
    all[2].map_or(u64::MAX, |cost| cost.allocations)
}

/// Exchanges that are all new.
fn novel(lines: &[String], rounds: usize) {
    let mut stages = Stages::new();
    let exchanges = stages.open_all(lines);
    let costs = (0..rounds).map(|_| {
        let mut evidence = evidence();
        Cost::of(|| stages.learn(&mut evidence, &exchanges))
    });
    if let Some(cost) = costs.reduce(Cost::better) {
        tell("infer_novel: observe, learn", cost, exchanges.len());
    }
}

fn main() -> ExitCode {
    let test = std::env::args().any(|argument| argument == "--test");
    let scale = if test { Scale::SHORT } else { Scale::WHOLE };
    let asked = std::env::args().any(|argument| argument == "--memory");
    if (asked || test) && !memory::run(scale) {
        return ExitCode::FAILURE;
    }
    if asked {
        return ExitCode::SUCCESS;
    }
    let (exchanges, rounds) = if test { (400, 1) } else { (4_000, 20) };
    let allocations = known(&traffic::known(exchanges), rounds);
    novel(&traffic::novel(exchanges), if test { 1 } else { 5 });
    if allocations > 0 {
        println!("{allocations} allocations for known exchanges; there should be none");
        return ExitCode::FAILURE;
    }
    ExitCode::SUCCESS
}
