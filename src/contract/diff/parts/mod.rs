//! The parts of a document outside schemas, one file each: what changed there, with the verdict that the change has by itself.
//!
//! Owns matching the parts of two documents. Verdicts on schemas are asked of `judge`.

mod bodies;
mod document;
mod draft;
mod flows;
mod lifecycle;
mod media;
mod operations;
mod parameters;
mod responses;
mod security;
mod templates;

use std::cell::RefCell;

use serde_json::Value;

use super::super::algebra::Algebra;
use super::super::specification::{Operation, SchemaRef, Specification};
use super::Options;
use super::change::{Change, Fragment, Report, Subject};
use super::inclusion::Alternatives;
use super::judge::{Desk, Judged, Shared, Spelling, Volume};
use super::labels::{self, Labels};
use super::naming;
use super::sentence;
use crate::model::finding::{Direction, Verdict};
use draft::Draft;
pub use lifecycle::Grace;

/// Two documents on the table.
pub(super) struct Table<'d> {
    pub(super) old: &'d Specification,
    pub(super) new: &'d Specification,
    pub(super) options: &'d Options,
    desk: Desk<'d>,
    labels: &'d Labels,
    changes: RefCell<Vec<Change>>,
}

/// Compares two documents.
pub(super) fn compare(old: &Specification, new: &Specification, options: &Options) -> Report {
    let (old_volume, new_volume) = (Volume::new(old), Volume::new(new));
    let shared = Shared::new(&old_volume, &new_volume);
    let (algebra, alternatives) = (Algebra::default(), Alternatives::default());
    let labels = labels::all();
    let table = Table {
        old,
        new,
        options,
        desk: Desk::new(&old_volume, &new_volume, &shared, (&algebra, &alternatives), &labels),
        labels: &labels,
        changes: RefCell::default(),
    };
    table.operations();
    table.document();
    Report {
        contradicted: table.desk.notes().len(),
        notes: table.desk.notes(),
        changes: table.changes.into_inner(),
        truncated: 0,
    }
}

/// One operation of both documents.
#[derive(Clone, Copy)]
struct Pair<'d> {
    old: &'d Operation,
    new: &'d Operation,
}

/// Where inside an operation a message stands.
#[derive(Clone, Copy)]
struct Spot<'s> {
    status: &'s str,
    media: &'s str,
    /// `in/name` of a parameter or header; empty for bodies.
    name: &'s str,
}

impl Spot<'_> {
    const HERE: Self = Spot { status: "", media: "", name: "" };
}

impl<'d> Table<'d> {
    /// Writes a change down.
    fn put(&self, operation: &Operation, draft: Draft) {
        let subject = Subject {
            method: operation.method.clone(),
            template: operation.template.clone(),
            id: operation.id.clone(),
            tags: operation.tags.clone(),
        };
        self.keep(subject, draft);
    }

    fn keep(&self, subject: Subject, draft: Draft) {
        let family = self.labels.get(&draft.label).map_or("", |family| family.name);
        self.changes.borrow_mut().push(draft.finish(subject, family));
    }

    /// Changes between two schemas of a message, put at an operation.
    fn message(
        &self,
        pair: Pair<'d>,
        spot: Spot<'_>,
        subject: naming::Subject,
        schemas: (&'d Option<SchemaRef>, &'d Option<SchemaRef>),
    ) {
        let (Some(old), Some(new)) = schemas else { return };
        let spelling = spelling(subject, spot.media);
        for judged in self.desk.message((subject, spelling), old, new).iter() {
            self.put(pair.new, within(judged, spot, subject));
        }
    }
}

/// How the values of a message are written.
fn spelling(subject: naming::Subject, media: &str) -> Spelling {
    match subject {
        naming::Subject::Parameter | naming::Subject::Header if media.is_empty() => Spelling::Text,
        _ if media.starts_with("application/x-www-form-urlencoded") => Spelling::Text,
        _ if media.starts_with("multipart/") => Spelling::Mixed,
        _ => Spelling::Json,
    }
}

/// A place of a document, and what stands there.
#[expect(
    clippy::unnecessary_wraps,
    reason = "every caller gives one of two sides, which may be absent"
)]
fn at(pointer: &str, value: impl Into<Value>) -> Option<Fragment> {
    Some(Fragment { pointer: pointer.to_owned(), position: None, value: value.into() })
}

/// A change inside a message as a draft.
fn within(judged: &Judged, spot: Spot<'_>, subject: naming::Subject) -> Draft {
    let direction = if subject.is_request() { Direction::Request } else { Direction::Response };
    let name = spot.name.rsplit('/').next().unwrap_or_default();
    let mut draft = Draft::new(judged.label.clone(), direction, judged.verdict)
        .forward(judged.forward)
        .text(sentence::inside(judged, name))
        .between(judged.old.clone(), judged.new.clone());
    spot.status.clone_into(&mut draft.location.status);
    spot.media.clone_into(&mut draft.location.media_type);
    draft.location.pointer = format!("{}{}", spot.name, judged.path);
    draft.location.keyword.clone_from(&judged.keyword);
    draft.expected = judged.expected.clone();
    draft.witness.clone_from(&judged.witness);
    draft.reason.clone_from(&judged.reason);
    draft
}

/// The verdict of a change that hurts in one direction alone.
fn hurts(harmful: bool) -> Verdict {
    if harmful { Verdict::Breaking } else { Verdict::Compatible }
}
