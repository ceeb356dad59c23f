//! What evidence weighs: resident memory with 10,000 operations, after a hundred times the traffic, and after a scan
//! (`spec/inference.md` 16.6); and that projecting so many takes no more for each than projecting few. Linux only: it reads
//! `/proc/self/status`.

use std::time::Instant;

use driftgate::infer::{self, Evidence, ProjectOptions};
use serde_json::Value;

use super::{Stages, traffic};

/// Exchanges that are opened at once.
const AT_ONCE: usize = 20;

/// Most that the same operations may add, however often they are seen, MiB.
const SAME_MAX: u64 = 2;

/// Most that a scan may add, MiB.
const SCAN_MAX: u64 = 8;

/// Templates that a scan answered alike with 200 may leave.
const SCAN_TEMPLATES: usize = 2;

/// How much is learned, and what it may weigh.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Scale {
    /// Operations of the API that is learned.
    operations: usize,
    /// Exchanges until the first weighing, and until the second.
    first: usize,
    second: usize,
    /// Distinct paths of each scan.
    scanned: usize,
    /// Most that all operations may take, MiB.
    resident_max: u64,
}

impl Scale {
    /// What the design promises.
    pub(crate) const WHOLE: Self = Self {
        operations: 10_000,
        first: 100_000,
        second: 10_000_000,
        scanned: 1_000_000,
        resident_max: 64,
    };

    /// A tenth of the operations, to see that nothing got worse: they take three times what the whole may take for each.
    pub(crate) const SHORT: Self =
        Self { operations: 1_000, first: 5_000, second: 10_000, scanned: 5_000, resident_max: 24 };
}

/// Resident memory in KiB; 0 where the system does not tell.
fn resident() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    let figure = line.and_then(|line| line.split_whitespace().next()?.parse().ok());
    figure.unwrap_or(0)
}

/// One evidence that grows, and what it was found to keep to.
struct Scales {
    stages: Stages,
    evidence: Evidence,
    /// Resident KiB at the last weighing.
    before: u64,
    kept: bool,
}

impl Scales {
    /// Learns lines, a few at a time, so that nothing but evidence stays.
    fn learn(&mut self, lines: std::ops::Range<usize>, line: impl Fn(usize) -> String) {
        let (mut start, end) = (lines.start, lines.end);
        while start < end {
            let next = (start + AT_ONCE).min(end);
            let lines: Vec<String> = (start..next).map(&line).collect();
            let exchanges = self.stages.open_all(&lines);
            self.stages.learn(&mut self.evidence, &exchanges);
            start = next;
        }
    }

    /// Weighs what came since the last time.
    fn weigh(&mut self, what: &str, most: u64) {
        let now = resident();
        let grown = now.saturating_sub(self.before) / 1024;
        let encoded = infer::encode(&self.evidence).len() / 1024;
        println!("{what:48} {grown:>5} MiB more resident, {encoded:>7} KiB encoded");
        self.must(grown <= most, &format!("at most {most} MiB"));
        self.before = resident();
    }

    fn must(&mut self, kept: bool, promise: &str) {
        if !kept {
            println!("  broken: {promise}");
        }
        self.kept &= kept;
    }

    /// The paths of the document, and seconds that it took.
    fn paths(&mut self) -> (Value, f64) {
        self.evidence.settle();
        let options = ProjectOptions { extensions: false, ..ProjectOptions::default() };
        let begun = Instant::now();
        let mut document = infer::project(&self.evidence, &options).document;
        let took = begun.elapsed().as_secs_f64();
        let paths = document.get_mut("paths").map(Value::take).unwrap_or_default();
        println!("{:48} {took:>8.2} s to project", format!("{} paths", count(&paths)));
        (paths, took)
    }
}

fn count(paths: &Value) -> usize {
    paths.as_object().map_or(0, serde_json::Map::len)
}

/// Whether each path of one document is in another, saying the same.
fn holds(paths: &Value, known: &Value) -> bool {
    let Some(known) = known.as_object() else { return false };
    known.iter().all(|(path, item)| paths.get(path) == Some(item))
}

/// Prints what evidence weighs at each stage; whether all promises were kept.
pub(crate) fn run(scale: Scale) -> bool {
    let Scale { operations, first, second, scanned, resident_max } = scale;
    let mut scales = Scales {
        stages: Stages::new(),
        evidence: super::evidence(),
        before: resident(),
        kept: true,
    };
    scales.learn(0..first, |index| traffic::of_many(index, operations));
    scales.weigh(&format!("{operations} operations, {first} exchanges"), resident_max);
    scales.learn(first..second, |index| traffic::of_many(index, operations));
    scales.weigh(&format!("the same, {second} exchanges"), SAME_MAX);
    let (known, _) = scales.paths();
    scales.must(count(&known) == operations, "one path for each operation");
    scales.before = resident();
    scales.learn(0..scanned, |index| traffic::scanned(index, 404));
    scales.weigh(&format!("{scanned} distinct paths refused with 404"), SCAN_MAX);
    let (refused, _) = scales.paths();
    scales.must(refused == known, "no new operation, and the others as they were");
    scales.before = resident();
    scales.learn(0..scanned, |index| traffic::scanned(index, 200));
    scales.weigh(&format!("{scanned} distinct paths answered alike with 200"), SCAN_MAX);
    let (answered, _) = scales.paths();
    scales.must(count(&answered) <= operations + SCAN_TEMPLATES, "at most two templates more");
    scales.must(holds(&answered, &known), "the other operations as they were");
    println!("limits hit: {:?}", scales.evidence.limits_hit());
    scales.kept
}
