//! What runs on an event (layer 4).
//!
//! Owns custom actions and the managed contract test. Refuses to own deciding when an attempt is due.

pub mod contract_test;
mod custom;
mod managed;
pub mod options;
mod registry;
mod world;

pub use registry::{Prepared, Registry, Summary, id_of};
pub use world::{Api, World};

#[cfg(test)]
mod tests;
