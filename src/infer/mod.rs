//! Observation to evidence, evidence to specification (layer 2, pure).
//!
//! Owns counted, mergeable evidence and its projection into OpenAPI documents. Refuses to own any clock, randomness or I/O.
