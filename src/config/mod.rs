//! The config file: read, checked, frozen (layer 6).
//!
//! Owns every problem of a file at once, with place and remedy. Refuses to own starting anything.
