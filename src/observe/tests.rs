//! Promises of observation.
