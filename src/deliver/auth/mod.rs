//! Reusable credentials for outgoing calls (`spec/actions.md` 3).
//!
//! Owns obtaining, caching and renewing them, and putting them on a request. Refuses to own the HTTP client that carries token
//! requests, and every way of showing a credential: what leaves here is marked as a secret.

pub mod options;

pub use options::AuthProvider;
