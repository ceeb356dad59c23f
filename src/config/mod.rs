//! The config file: read, checked, frozen (layer 6).
//!
//! Owns every problem of a file at once, with place and remedy, and where each value came from. Refuses to own starting
//! anything: loading opens no socket and makes no file. The environment is read here and nowhere else.

mod check;
mod effective;
mod error;
mod load;
pub mod options;
#[cfg(test)]
mod reference_tests;
mod report;
mod schema;
mod source;
mod specification;
mod structure;
#[cfg(test)]
mod tests;

pub use error::Error;
pub use load::{Loaded, load};
pub use options::{Api, Config};
pub use report::{Format, Report};
pub use schema::schema;
pub use source::{QuickApi, Setting, Source};
pub use specification::specification;

/// The process environment, for [`load()`].
#[must_use]
#[expect(clippy::disallowed_methods, reason = "config is the one reader of the environment")]
pub fn environment(name: &str) -> Option<String> {
    std::env::var(name).ok()
}
