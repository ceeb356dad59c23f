//! What can be wrong with evidence.

use crate::model::fault::{Fault, Retry};

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    #[error(
        "the evidence was learned under the hash key {theirs:02x?}, this one under {ours:02x?}"
    )]
    OtherKey { ours: [u8; 4], theirs: [u8; 4] },
    #[error("the evidence is of the API `{theirs}`, this one of `{ours}`")]
    OtherApi { ours: Box<str>, theirs: Box<str> },
    #[error("the evidence is damaged: {what}")]
    Corrupt { what: &'static str },
    #[error("the evidence was written by engine {theirs}, this is engine {ours}")]
    Newer { ours: u16, theirs: u16 },
}

impl Error {
    #[must_use]
    pub fn fault(&self) -> Fault {
        Fault::Operator
    }

    #[must_use]
    pub fn retry(&self) -> Retry {
        Retry::No
    }
}
