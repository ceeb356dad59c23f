//! Redacted exchange to observation: shapes, not values (layer 2, pure).
//!
//! Owns reading paths, parameters, media and bodies. Refuses to own counting; that is `infer`.
