//! Promises of inference.
