//! The admin API: the only user of axum (layer 5).
//!
//! Owns the admin listener with its limits, tokens, the table of routes, and the wire types. It reads and acts through handles
//! and the traits of `source`, and refuses to do the work itself. It runs on threads of its own, so that it answers while the
//! data plane is saturated.

mod code;
mod cursor;
pub mod dto;
mod error;
mod guard;
mod listen;
mod metrics;
pub mod options;
mod problem;
mod routes;
mod serve;
mod service;
mod source;
mod token;

#[cfg(test)]
mod tests;

pub use error::Error;
pub use options::{Address, Options};
pub use problem::Refusal;
pub use service::{Admin, Handle, serve};
pub use source::{Configuration, Directory, Health, Inventory, Probe};
pub use token::{ReadTokens, Tokens};
