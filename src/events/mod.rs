//! Events as data: envelope forms, catalogue, patterns, expressions (layer 2, pure).
//!
//! Owns what an event looks like on every wire and which types exist. Refuses to own keeping and sending.

pub mod catalogue;
pub mod chain;
pub mod cloudevent;
pub mod data;
pub mod expression;
pub mod pattern;
pub mod raise;
#[cfg(test)]
mod tests;

pub use pattern::Pattern;
pub use raise::{Raise, caused_by, one_change};
