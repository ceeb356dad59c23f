//! The admin API: the only user of axum (layer 5).
//!
//! Owns routes over the handles of the parts. Refuses to own doing the work itself.
