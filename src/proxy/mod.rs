//! The data plane: the only user of pingora (layer 5).
//!
//! Owns listeners, routing, forwarding and the tap (`spec/proxy.md`): clients' bytes reach the API and its bytes reach them
//! as if nobody stood between, and a bounded copy of each exchange leaves for analysis. Refuses to own specifications, events
//! and the store; it does not know what becomes of a capture.

mod answer;
mod conn;
mod context;
mod error;
mod forward;
mod front;
mod hooks;
mod listen;
mod metrics;
pub mod options;
mod resolve;
mod route;
mod service;
mod tap;
#[cfg(test)]
mod tests;
mod tls;
mod upstream;
mod view;

pub use error::Error;
pub use service::{Address, Handle, Start, start};
pub use view::{ApiRoute, View};
