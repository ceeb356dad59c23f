//! Drives the pure folders over live traffic (layer 4).
//!
//! Owns the live evidence, baselines and findings of every API, on one thread. Refuses to own the data plane; it only receives captures.

pub mod options;
