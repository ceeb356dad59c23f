//! Promises of `infer`.
