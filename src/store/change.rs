//! What can be written: the changes of one commit, and what came of it.
//!
//! Owns the closed list of changes and the records that are not already words of the model. Refuses to own SQL (a file per
//! table family) and the decision what to write.

use std::sync::Arc;

use crate::model::delivery::{Attempt, Delivery, Matches};
use crate::model::event::Event;
use crate::model::finding::Finding;
use crate::model::revision::{Revision, RevisionId};

/// One write. All changes of a commit become visible together or not at all.
#[derive(Debug, Clone)]
pub enum Change {
    /// An event with its deliveries and skips. An equal event that is already there changes nothing; one with other content
    /// fails the commit. Its `sequence` becomes the number of its row.
    Event(Box<NewEvent>),
    /// A delivery as it is now, new or known.
    Delivery(Delivery),
    /// The mark that an attempt has begun, its outcome `unknown`; never covers an outcome that came first.
    AttemptBegun(Box<Attempt>),
    /// An attempt with its outcome; replaces its mark.
    Attempt(Box<Attempt>),
    /// A finding as it is now.
    Finding(Box<FindingRecord>),
    /// Forgets a finding that never opened.
    FindingGone {
        api: Arc<str>,
        version: String,
        fingerprint: String,
    },
    /// A spec revision; one that is already there stays as it is.
    Revision(Revision),
    /// What an API is held to from now on.
    Baseline(Baseline),
    /// All evidence of one API, encoded.
    Evidence {
        api: Arc<str>,
        bytes: Vec<u8>,
    },
    /// An object made or changed through the API, or state kept for one of the file.
    Object(Object),
    ObjectGone {
        kind: &'static str,
        id: String,
    },
    /// How far a consumer of the event log has come; events after it are not trimmed.
    Cursor {
        name: &'static str,
        position: i64,
    },
    /// The consumer is gone and holds nothing any more.
    CursorGone {
        name: &'static str,
    },
    Audit(Audit),
    /// Panics, so that a test can see what then happens.
    #[cfg(test)]
    Bug,
}

/// An event and where it goes.
#[derive(Debug, Clone)]
pub struct NewEvent {
    pub event: Event,
    pub matches: Matches,
}

/// A finding with what its counter needs to go on after a restart.
#[derive(Debug, Clone, PartialEq)]
pub struct FindingRecord {
    pub finding: Finding,
    /// Opaque text of the counting part; may be empty.
    pub state: String,
}

/// What an API is held to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Baseline {
    pub api: Arc<str>,
    pub revision: RevisionId,
    pub since_ms: i64,
    /// Content hash of the file that it replaces while that file is unchanged; none for one that was learned.
    pub file_hash: Option<String>,
    /// Why, for people.
    pub reason: String,
}

/// An object that can be named in the file or made through the API: webhook, action, setting.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Object {
    /// Word of the design, `webhook` for example.
    pub kind: &'static str,
    pub id: String,
    pub name: String,
    pub origin: ObjectOrigin,
    /// +1 per change.
    pub version: u64,
    /// JSON text; secrets in it are sealed by whoever writes it.
    pub body: String,
    pub updated_ms: i64,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ObjectOrigin {
    File,
    Api,
}

/// One entry of the audit log. No secrets.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Audit {
    pub time_ms: i64,
    pub actor: String,
    /// `webhook.update` for example.
    pub action: String,
    pub target: String,
    /// JSON text, empty when there was nothing.
    pub before: String,
    pub after: String,
}

/// What a commit did, for each of its events in order.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Receipt {
    pub events: Vec<Stored>,
}

/// Where an event lies.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stored {
    New(i64),
    /// It was there already, byte for byte; nothing was raised.
    Duplicate(i64),
}

impl Change {
    #[must_use]
    pub fn event(event: Event, matches: Matches) -> Self {
        Self::Event(Box::new(NewEvent { event, matches }))
    }

    #[must_use]
    pub fn finding(finding: Finding, state: String) -> Self {
        Self::Finding(Box::new(FindingRecord { finding, state }))
    }

    /// Roughly how many bytes it adds, for the size of a batch.
    pub(super) fn weight(&self) -> usize {
        const ROW: usize = 256;
        ROW + match self {
            Self::Event(new) => new.event.data.len() + ROW * new.matches.deliveries.len(),
            Self::Attempt(attempt) => attempt.response_body.len() + 4 * ROW,
            Self::Finding(record) => record.state.len() + 4 * ROW,
            Self::Revision(revision) => revision.text.len(),
            Self::Evidence { bytes, .. } => bytes.len(),
            Self::Object(object) => object.body.len(),
            Self::Audit(audit) => audit.before.len() + audit.after.len(),
            _ => 0,
        }
    }
}
