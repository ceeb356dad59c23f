//! Set inclusion of schemas, taken apart: is whatever a sender sends accepted by the receiver?
//!
//! Owns the verdict ladder of `spec/contract.md` 6.1: decompose, compare leaves, lift counterexamples and have both validators
//! confirm them, cross-check what was proven with generated values. Answers nothing that is not proven: a suspect without a
//! confirmed witness stays undecided. Refuses to own names and severities.

mod array;
pub(crate) mod book;
pub(crate) mod branches;
mod closed;
mod compare;
mod confirm;
pub(crate) mod facts;
mod number;
mod object;
mod sample;
mod scalar;
pub(crate) mod suspect;
mod text;
pub(crate) mod types;
mod wire;

pub(crate) use branches::Alternatives;
pub(crate) use compare::Comparer;
pub(crate) use confirm::{End, Inclusion, Proven, prove};
pub(crate) use suspect::Doubt;
