//! Which event goes to which webhook, and how it is rendered (layer 4).
//!
//! Owns webhook objects, matching, rendering, signing. Refuses to own the schedule of attempts.
