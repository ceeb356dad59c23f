//! Tests of delivery: pure tables, a scripted destination over a real store with a standing clock, hostile sockets.

mod guard;
mod hostile;
mod machine;
mod schedule;
mod scheduler;
mod sign;
pub(crate) mod support;
