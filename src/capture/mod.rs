//! The border between data plane and analysis (layer 3).
//!
//! Owns the bounded hand-over of captures, their parsing, decoding and redaction. Refuses to own learning and judging.

pub mod options;

pub use options::Options;
