//! What changed between two specifications, and whom does it hurt?
//!
//! Owns matching the parts of two documents and the verdict on every change (`spec/contract.md` 6 and 7). Verdicts on schemas
//! come from set inclusion with confirmed witnesses (`inclusion`), never from rules; names of changes are data (`labels`).
//! Refuses to own reading documents (`load`) and findings of traffic (`drift`).

mod change;
mod inclusion;
mod judge;
pub mod labels;
mod naming;
mod parts;
mod policy;
pub mod report;
mod sentence;
#[cfg(test)]
mod tests;

pub use change::{Change, Fragment, Report, Subject, Summary};
pub use parts::Grace;
pub use policy::Policy;

use super::specification::Specification;

/// What to compare, and how.
#[derive(Debug, Clone)]
pub struct Options {
    /// Path prefixes that are not compared: of the old and of the new document.
    pub strip_prefix: (String, String),
    /// `YYYY-MM-DD`, for sunset dates; empty: no sunset has passed.
    pub today: String,
    /// How long before its end a deprecation is to be announced.
    pub grace: Grace,
    /// Tell when the version of the document does not say what changed.
    pub check_version: bool,
    /// Changes kept.
    pub changes_max: usize,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            strip_prefix: (String::new(), String::new()),
            today: String::new(),
            grace: Grace::default(),
            check_version: false,
            changes_max: 10_000,
        }
    }
}

/// Every change from `old` to `new`, worst first.
#[must_use]
pub fn diff(old: &Specification, new: &Specification, options: &Options) -> Report {
    let mut report = parts::compare(old, new, options);
    report.settle(options.changes_max);
    report
}
