//! What evidence weighs: resident memory with 10,000 operations, after ten times the traffic, and after a scan
//! (`spec/inference.md` 16.6). Linux only: it reads `/proc/self/status`.

use driftgate::infer::{self, Evidence};

use super::{Stages, traffic};

/// Operations of the API that is learned.
const OPERATIONS: usize = 10_000;

/// Exchanges that are opened at once.
const AT_ONCE: usize = 1_000;

/// Resident memory in KiB; 0 where the system does not tell.
fn resident() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    let figure = line.and_then(|line| line.split_whitespace().next()?.parse().ok());
    figure.unwrap_or(0)
}

/// Learns so many lines, a few at a time, so that nothing but evidence stays.
fn learn(
    stages: &mut Stages,
    evidence: &mut Evidence,
    count: usize,
    line: impl Fn(usize) -> String,
) {
    for start in (0..count).step_by(AT_ONCE) {
        let end = (start + AT_ONCE).min(count);
        let lines: Vec<String> = (start..end).map(&line).collect();
        let exchanges = stages.open_all(&lines);
        stages.learn(evidence, &exchanges);
    }
}

/// Prints resident memory at each stage.
pub(crate) fn run() {
    let mut stages = Stages::new();
    let mut evidence = super::evidence();
    let before = resident();
    let tell = |what: &str, evidence: &Evidence| {
        let grown = resident().saturating_sub(before) / 1024;
        let bytes = infer::encode(evidence).len() / 1024;
        println!("{what:44} {grown:>5} MiB more resident, {bytes:>7} KiB encoded");
    };
    learn(&mut stages, &mut evidence, 100_000, |index| traffic::of_many(index, OPERATIONS));
    tell("10,000 operations, 10^5 exchanges", &evidence);
    learn(&mut stages, &mut evidence, 1_000_000, |index| traffic::of_many(index, OPERATIONS));
    tell("the same, 10^6 more", &evidence);
    learn(&mut stages, &mut evidence, 1_000_000, |index| traffic::scanned(index, 404));
    tell("10^6 distinct paths refused with 404", &evidence);
    learn(&mut stages, &mut evidence, 1_000_000, |index| traffic::scanned(index, 200));
    tell("10^6 distinct paths answered alike with 200", &evidence);
    println!("limits hit: {:?}", evidence.limits_hit());
}
