//! Time on a processor, by thread, as the kernel counts it (`/proc/<pid>/task/*/schedstat`).

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

/// Name of the threads that carry traffic, in driftgate and in the bare proxy.
pub(crate) const DATA: &str = "dg-data";
pub(crate) const ANALYSIS: &str = "dg-analysis";

/// Nanoseconds by name of the thread.
#[derive(Debug, Clone, Default)]
pub(crate) struct Sample(BTreeMap<String, u64>);

impl Sample {
    /// All threads of a process and of its children.
    pub(crate) fn of(pid: u32) -> Self {
        let mut sample = Self::default();
        sample.add(pid);
        sample
    }

    fn add(&mut self, pid: u32) {
        let Ok(tasks) = fs::read_dir(format!("/proc/{pid}/task")) else { return };
        for task in tasks.flatten().map(|task| task.path()) {
            let name = fs::read_to_string(task.join("comm")).unwrap_or_default();
            *self.0.entry(name.trim().to_owned()).or_default() += on_processor(&task);
            let children = fs::read_to_string(task.join("children")).unwrap_or_default();
            for child in children.split_whitespace().filter_map(|pid| pid.parse().ok()) {
                self.add(child);
            }
        }
    }

    /// What was spent since an earlier sample.
    pub(crate) fn since(&self, earlier: &Self) -> Self {
        let spent = self.0.iter().map(|(name, ns)| {
            let before = earlier.0.get(name).copied().unwrap_or(0);
            (name.clone(), ns.saturating_sub(before))
        });
        Self(spent.collect())
    }

    pub(crate) fn all(&self) -> u64 {
        self.0.values().sum()
    }

    pub(crate) fn of_thread(&self, name: &str) -> u64 {
        self.0.get(name).copied().unwrap_or(0)
    }

    /// `name ns` pairs for the raw rows.
    pub(crate) fn threads(&self) -> impl Iterator<Item = (&str, u64)> {
        self.0.iter().map(|(name, ns)| (name.as_str(), *ns))
    }
}

/// Of the calling thread.
pub(crate) fn own_thread_ns() -> u64 {
    on_processor(Path::new("/proc/thread-self"))
}

fn on_processor(task: &Path) -> u64 {
    let text = fs::read_to_string(task.join("schedstat")).unwrap_or_default();
    text.split_whitespace().next().and_then(|ns| ns.parse().ok()).unwrap_or(0)
}
