//! The command line (layer 6).
//!
//! Owns one file per subcommand. Refuses to own what the subcommands do.

pub mod actions;
pub mod apis;
pub mod call;
pub mod deliveries;
pub mod events;
pub mod findings;
pub mod output;
pub mod remote;
pub mod spec;
pub mod status;
pub mod webhooks;
