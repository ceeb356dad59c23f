//! Is the API what it promised? (layer 2, pure)
//!
//! A [`Specification`] is loaded from text, put in force as a [`Baseline`], asked about one exchange at a time
//! ([`Judgement`]), and what deviates is counted into findings ([`Drift`]). Refuses to own any clock, randomness or I/O: time,
//! limits and documents are arguments, and no input makes it panic or run unbounded.

mod algebra;
mod baseline;
mod body;
mod check;
mod compile;
mod decode;
pub mod diff;
mod drift;
mod finding;
mod fingerprint;
mod guard;
mod judgement;
mod kinds;
mod load;
mod lower;
mod multipart;
mod names;
pub mod options;
mod oracle;
mod parts;
pub mod patch;
mod proof;
pub mod render;
mod route;
mod slot;
pub mod specification;
#[cfg(test)]
mod testing;
mod time;
mod wire;

pub use baseline::Baseline;
pub use drift::{Change, Decision, Drift, Illegal, Storm, Transition, Until};
pub use finding::found;
pub use judgement::{Deviation, Effect, Judgement, Reason, Skip, Validity};
pub use load::{Alone, Limits, LoadOptions, Resolver, load};
pub use options::{Options, Thresholds};
pub use proof::{ProofCounts, Proofs};
pub use specification::Specification;
