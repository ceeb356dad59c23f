//! Due deliveries to attempts (layer 3).
//!
//! Owns the delivery state machine, its schedule, and the one guarded HTTP client. Refuses to own what a destination means.

pub mod auth;
