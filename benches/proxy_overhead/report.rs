//! Rows into a table: medians over the rounds, ratios against the bare proxy of the same round, and whether the run counts.

use std::fmt::Write as _;

use super::arms::Arm;
use super::load::Load;
use super::measure::{ANALYSIS, DATA, Sample};
use super::traffic::Kind;

/// Generator and API must not be what limits: most of a core that either may use.
const BUSY_MAX: f64 = 0.85;
/// What issue and specification aim at, all on against bare.
const WHOLE_GOAL: f64 = 1.6;
const DATA_GOAL: f64 = 1.15;

/// One kind of traffic.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Cell {
    pub(crate) name: &'static str,
    pub(crate) kind: Kind,
    /// Share of the bare proxy's rate that is sent; none is a closed loop.
    pub(crate) pace: Option<f64>,
}

/// One arm in one round.
pub(crate) struct Row {
    pub(crate) arm: Arm,
    pub(crate) cell: Cell,
    pub(crate) round: usize,
    pub(crate) load: Load,
    pub(crate) spent: Sample,
    pub(crate) origin: Sample,
    /// Captures or bodies given up in it.
    pub(crate) lost: f64,
}

impl Row {
    /// Exchanges a second.
    pub(crate) fn rate(&self) -> f64 {
        count(self.load.exchanges) / self.load.elapsed.as_secs_f64()
    }

    fn per_exchange(&self, ns: u64) -> f64 {
        count(ns) / count(self.load.exchanges.max(1)) / 1_000.0
    }

    fn whole(&self) -> f64 {
        self.per_exchange(self.spent.all())
    }

    fn data(&self) -> f64 {
        match self.arm {
            Arm::Nginx => self.whole(),
            _ => self.per_exchange(self.spent.of_thread(DATA)),
        }
    }

    fn analysis(&self) -> f64 {
        self.per_exchange(self.spent.of_thread(ANALYSIS))
    }

    fn latency(&self, share: f64) -> f64 {
        let latencies = &self.load.latencies;
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "an index")]
        let at = (count(latencies.len() as u64) * share) as usize;
        latencies.get(at.min(latencies.len().saturating_sub(1))).map_or(0.0, |us| f64::from(*us))
    }

    /// What makes this row worthless. Where no figure is judged, only whether it was answered.
    fn flaw(&self, judged: bool) -> Option<String> {
        let busy = |ns| count(ns) / 1e9 / self.load.elapsed.as_secs_f64();
        let (client, origin) = (busy(self.load.cpu_ns), busy(self.origin.all()));
        let place = format!("{}, {}, round {}", self.cell.name, self.arm.name(), self.round + 1);
        if self.load.errors > 0 || self.load.exchanges == 0 {
            let Load { errors, exchanges, .. } = self.load;
            return Some(format!("{place}: {errors} errors in {exchanges} exchanges"));
        }
        if judged && self.arm == Arm::On && self.lost > 0.0 {
            return Some(format!("{place}: {} captures or bodies were given up", self.lost));
        }
        // Without a proxy in between they are what is measured.
        let limited = judged && client.max(origin) > BUSY_MAX && self.arm != Arm::Direct;
        limited.then(|| format!("{place}: client {client:.2}, API {origin:.2} of a core"))
    }
}

#[expect(clippy::cast_precision_loss, reason = "figures are doubles")]
fn count(value: u64) -> f64 {
    value as f64
}

/// Prints every cell, and which of them count; whether one does that is held to the aims.
pub(crate) fn print(rows: &[Row], judged: bool) -> bool {
    let mut cells: Vec<Cell> = rows.iter().map(|row| row.cell).collect();
    cells.dedup();
    let mut counts = false;
    for cell in cells {
        table(cell, rows, judged);
        let of_cell = || rows.iter().filter(|row| row.cell == cell);
        let flaws: Vec<String> = of_cell().filter_map(|row| row.flaw(judged)).collect();
        match flaws.first() {
            None => println!(
                "\nThis cell counts: nothing failed, was given up or was limited by others."
            ),
            Some(first) => println!(
                "\nThis cell is void, {} of {} rows: {first}",
                flaws.len(),
                of_cell().count()
            ),
        }
        let all_must_answer = !judged && !flaws.is_empty();
        if all_must_answer {
            return false;
        }
        counts |= flaws.is_empty() && cell.kind == Kind::Post;
    }
    counts
}

fn table(cell: Cell, rows: &[Row], judged: bool) {
    println!("\n{}\n", cell.name);
    println!(
        "| arm | whole us | data us | analysis us | whole / A | data / A | exchanges/s | p50 us | p99 us |"
    );
    println!("|---|---:|---:|---:|---:|---:|---:|---:|---:|");
    for arm in Arm::ALL {
        let of_arm: Vec<&Row> =
            rows.iter().filter(|row| row.cell == cell && row.arm == arm).collect();
        if of_arm.is_empty() {
            continue;
        }
        let median_of =
            |figure: &dyn Fn(&Row) -> f64| median(of_arm.iter().map(|row| figure(row)).collect());
        let whole = ratios(&of_arm, rows, Row::whole);
        let data = ratios(&of_arm, rows, Row::data);
        println!(
            "| {} | {:.2} | {:.2} | {:.2} | {} | {} | {:.0} | {:.0} | {:.0} |",
            arm.name(),
            median_of(&Row::whole),
            median_of(&Row::data),
            median_of(&Row::analysis),
            spread(&whole),
            spread(&data),
            median_of(&Row::rate),
            median_of(&|row| row.latency(0.50)),
            median_of(&|row| row.latency(0.99)),
        );
        if judged && arm == Arm::On && cell.kind == Kind::Post {
            judge("whole process", median(whole), WHOLE_GOAL);
            judge("data threads", median(data), DATA_GOAL);
        }
    }
}

fn judge(what: &str, ratio: f64, goal: f64) {
    let word = if ratio <= goal { "met" } else { "missed" };
    eprintln!("all on / bare, {what}: {ratio:.2} (aim {goal:.2}, {word})");
}

/// Each row against the bare proxy of its round.
fn ratios(of_arm: &[&Row], rows: &[Row], figure: fn(&Row) -> f64) -> Vec<f64> {
    let bare = |row: &Row| {
        rows.iter()
            .find(|other| {
                other.arm == Arm::Bare && other.cell == row.cell && other.round == row.round
            })
            .map(figure)
    };
    let ratio = |row: &&Row| Some(figure(row) / bare(row).filter(|bare| *bare > 0.0)?);
    of_arm.iter().filter_map(ratio).collect()
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or(0.0)
}

fn spread(ratios: &[f64]) -> String {
    let least = ratios.iter().copied().fold(f64::INFINITY, f64::min);
    let most = ratios.iter().copied().fold(0.0, f64::max);
    if most == 0.0 {
        "-".to_owned()
    } else {
        format!("{:.2} ({least:.2}-{most:.2})", median(ratios.to_vec()))
    }
}

/// Writes the raw rows beside the build.
pub(crate) fn save(rows: &[Row]) {
    let mut text = String::from(
        "cell\tarm\tround\texchanges\terrors\tseconds\tp50_us\tp99_us\tlost\tthreads_ns\n",
    );
    for row in rows {
        let threads: Vec<String> =
            row.spent.threads().map(|(name, ns)| format!("{name}={ns}")).collect();
        writeln!(
            text,
            "{}\t{}\t{}\t{}\t{}\t{:.3}\t{:.0}\t{:.0}\t{}\t{}",
            row.cell.name,
            row.arm.name(),
            row.round + 1,
            row.load.exchanges,
            row.load.errors,
            row.load.elapsed.as_secs_f64(),
            row.latency(0.50),
            row.latency(0.99),
            row.lost,
            threads.join(" "),
        )
        .expect("written to memory");
    }
    let path = std::path::Path::new(env!("CARGO_TARGET_TMPDIR")).join("proxy_overhead.tsv");
    match std::fs::write(&path, text) {
        Ok(()) => println!("\nraw rows: {}", path.display()),
        Err(error) => eprintln!("raw rows are lost: {error}"),
    }
}
