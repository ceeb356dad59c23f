//! Which event goes to which webhook, and how it is rendered (layer 4).
//!
//! Owns webhook objects, matching, rendering, signing. Refuses to own the schedule of attempts.

mod headers;
pub mod options;
mod registry;
mod render;
mod secrets;
pub mod subscribe;
#[cfg(test)]
mod tests;
mod webhook;

pub use options::Webhook;
pub use registry::{Prepared, Registry, Summary, World, id_of};
