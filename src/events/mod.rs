//! Events as data: envelope forms, catalogue, patterns, expressions (layer 2, pure).
//!
//! Owns what an event looks like and which patterns name it. Refuses to own storing and delivering.

pub mod chain;
