//! Steps that run when the one event they listen to is emitted (layer 4).
//!
//! Owns nothing yet: a later issue brings it. Refuses to own everything until then.
