//! What runs on an event (layer 4).
//!
//! Owns custom actions and the managed contract test. Refuses to own deciding when an attempt is due.

pub mod contract_test;
mod custom;
mod managed;
pub mod options;
mod registry;

pub use registry::{Api, Registry, Summary, World, id_of};

#[cfg(test)]
mod tests;
