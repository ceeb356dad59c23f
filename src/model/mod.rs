//! Plain data that every other folder speaks in (layer 0).
//!
//! Owns the words of the design as types: capture, exchange, observation, revision, finding, event, delivery. Refuses to own
//! behaviour: nothing here does I/O, reads a clock, draws a random number or runs asynchronously, and nothing here imports
//! another folder of this crate.

pub mod api;
pub mod brackets;
pub mod capture;
pub mod delivery;
pub mod document;
pub mod event;
pub mod exchange;
pub mod fault;
pub mod finding;
pub mod hash;
pub mod id;
pub mod kind;
pub mod limits;
pub mod media;
pub mod multipart;
pub mod noise;
pub mod observation;
pub mod problem;
pub mod redaction;
pub mod revision;
pub mod secret;
pub mod units;
pub mod words;
