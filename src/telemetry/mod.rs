//! What operators see: log lines and metrics (layer 1).
//!
//! Owns subscriber set-up, every metric once, one struct per notable occurrence. Refuses to own paths, ids or captured values as labels.
