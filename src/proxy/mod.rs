//! The data plane: the only user of pingora (layer 5).
//!
//! Owns listeners, routing, forwarding and the tap. Refuses to own specifications, events and the store.

mod error;
pub mod options;
mod upstream;

pub use error::Error;
