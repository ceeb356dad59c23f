//! What driftgate costs, against a bare proxy in the same run (`spec/proxy.md` 16).
//!
//! `cargo bench --bench proxy_overhead` starts the real binary, a bare pingora proxy and an API as processes of their own and
//! sends them the same traffic in rounds, the arms shuffled within each. What counts is time on a processor for each
//! exchange, by thread; rates and wall clock depend on the neighbours, ratios hardly do. Owns the course of the run.
//!
//! `-- --test` runs one short round and judges nothing but that every arm answers. Others: `--rounds N`, `--warm MS`,
//! `--measure MS`, `--connections N`.

#![expect(clippy::disallowed_methods, reason = "a bench meets the world itself")]
#![expect(clippy::print_stdout, clippy::print_stderr, reason = "its result is what it prints")]

mod arms;
mod bare;
mod load;
mod measure;
mod origin;
mod report;
mod traffic;
mod wire;

use std::net::SocketAddr;
use std::process::ExitCode;
use std::time::Duration;

use arms::{Arm, Running};
use load::Plan;
use report::{Cell, Row};
use traffic::{Kind, Random};

#[cfg(feature = "mimalloc")]
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// How long and how often.
#[derive(Debug, Clone, Copy)]
struct Course {
    rounds: usize,
    warm: Duration,
    measure: Duration,
    connections: u32,
    judged: bool,
}

impl Course {
    fn parse(arguments: &[String]) -> Self {
        let value = |name: &str, default: u64| {
            let at = arguments.iter().position(|argument| argument == name);
            at.and_then(|at| arguments.get(at + 1)?.parse().ok()).unwrap_or(default)
        };
        let test = arguments.iter().any(|argument| argument == "--test");
        let (rounds, warm, measure) = if test { (1, 200, 400) } else { (10, 1_000, 3_000) };
        Self {
            rounds: usize::try_from(value("--rounds", rounds)).unwrap_or(1),
            warm: Duration::from_millis(value("--warm", warm)),
            measure: Duration::from_millis(value("--measure", measure)),
            connections: u32::try_from(value("--connections", 16)).unwrap_or(16),
            judged: !test,
        }
    }
}

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match arguments.first().map(String::as_str) {
        Some("origin") => origin::serve(),
        Some("bare") => bare::serve(address(&arguments)),
        _ => return run(Course::parse(&arguments)),
    }
    ExitCode::SUCCESS
}

fn address(arguments: &[String]) -> SocketAddr {
    arguments.get(1).and_then(|text| text.parse().ok()).expect("the address of the API")
}

const CELLS: [Cell; 4] = [
    Cell { name: "POST 1 KiB / 1 KiB, closed loop", kind: Kind::Post, pace: None },
    Cell {
        name: "POST 1 KiB / 1 KiB, 60 % of the bare proxy's rate",
        kind: Kind::Post,
        pace: Some(0.6),
    },
    Cell {
        name: "POST 1 KiB / 1 KiB, 30 % of the bare proxy's rate",
        kind: Kind::Post,
        pace: Some(0.3),
    },
    Cell { name: "GET, 380 bytes, closed loop", kind: Kind::Get, pace: None },
];

fn run(course: Course) -> ExitCode {
    let mut bench = Bench::start(course);
    for cell in CELLS {
        bench.run(cell);
    }
    let valid = report::print(&bench.rows, course.judged);
    report::save(&bench.rows);
    if valid { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// Everything that runs, and what came of it so far.
struct Bench {
    course: Course,
    origin: Running,
    arms: Vec<Running>,
    random: Random,
    rows: Vec<Row>,
    /// Exchanges a second that the bare proxy managed in a closed loop.
    saturation: f64,
}

impl Bench {
    fn start(course: Course) -> Self {
        let origin = arms::origin();
        let arms = Arm::ALL.iter().filter_map(|arm| arms::start(*arm, origin.address)).collect();
        Self { course, origin, arms, random: Random::seeded(), rows: Vec::new(), saturation: 0.0 }
    }

    /// All rounds of one cell, the arms in another order in each.
    fn run(&mut self, cell: Cell) {
        for round in 0..self.course.rounds {
            let mut order: Vec<usize> = (0..self.arms.len()).collect();
            self.random.shuffle(&mut order);
            for arm in order {
                let row = self.measure(&self.arms[arm], cell, round);
                if cell.pace.is_none() && row.arm == Arm::Bare && cell.kind == Kind::Post {
                    self.saturation = f64::max(self.saturation, row.rate());
                }
                self.rows.push(row);
            }
            eprint!("\r{}: round {} of {} ", cell.name, round + 1, self.course.rounds);
        }
        eprintln!();
    }

    /// Warms one arm up and measures it, until what it captured has been looked at.
    fn measure(&self, running: &Running, cell: Cell, round: usize) -> Row {
        let plan = |duration| Plan {
            address: running.address,
            kind: cell.kind,
            connections: self.course.connections,
            duration,
            rate: cell.pace.map(|share| share * self.saturation),
        };
        load::run(plan(self.course.warm));
        running.settle();
        let before = running.sample();
        let (origin_before, lost_before) = (self.origin.sample(), running.lost());
        let load = load::run(plan(self.course.measure));
        running.settle();
        let spent = running.sample().since(&before);
        let origin = self.origin.sample().since(&origin_before);
        let lost = running.lost() - lost_before;
        Row { arm: running.arm, cell, round, load, spent, origin, lost }
    }
}
