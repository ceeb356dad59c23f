//! The contract test: asks a running API whether it does what a specification says (`spec/contract-test.md`).
//!
//! Owns planning, sending, judging and reporting for its two users, the managed action and `driftgate test`. Refuses to own when
//! a test runs and what becomes of its result. `plan`, `generate`, `judge` and `outcome` are pure.

pub mod choice;
pub mod execute;
mod generate;
mod judge;
pub mod options;
pub mod outcome;
mod plan;
mod pool;
pub mod report;
mod serialise;
pub mod specification;
mod target;

#[cfg(test)]
pub(super) mod tests;
