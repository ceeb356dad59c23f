//! What there was, so that its absence can be noticed: operations that were never built or fell silent, statuses and fields
//! that are seen no more (`spec/contract.md` 5).
//!
//! Owns the memory and its four rules. An absence is told once, and taken back by the first sight of what was missed. It asks
//! for more than the odds demand: three times the longest gap so far, since traffic comes in bursts. Bounded; stored as one
//! text per API. Refuses to own findings.

mod fields;
mod memory;
#[cfg(test)]
mod tests;

use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use serde_json::json;

use super::super::baseline::Baseline;
use super::super::check::{Flaw, deviation};
use super::super::judgement::{Deviation, Judgement, Tally};
use super::super::specification::{Operation, ResponseKey};
use crate::model::exchange::Exchange;
use crate::model::finding::Direction;
use crate::model::kind::Kind;
use fields::{Answer, Fields};

/// Operations that are followed.
const OPERATIONS_MAX: usize = 20_000;

/// Forms in which unknown paths were refused.
const FORMS_MAX: usize = 16;

/// Answers of an operation that was never built before that is told.
const UNIMPLEMENTED_AFTER: u64 = 50;

/// Calls of an operation before its silence means anything.
const SILENT_AFTER: u64 = 20;

/// Shortest silence that is told.
const SILENT_MS: i64 = 7 * 86_400_000;

/// `-ln 1e-4`: at this many mean intervals without a call the odds are one in ten thousand.
const IMPROBABLE: f64 = 9.21;

/// Successes without a status after which 0.1 % is refuted at 95 %.
const VANISHED_AFTER: u64 = 2_995;

/// Opportunities without a field after which 1 % is refuted at 95 %.
const FIELD_AFTER: u64 = 299;

/// Method and template.
type Name = (Arc<str>, Arc<str>);

#[derive(Debug, Default)]
pub(super) struct Watch {
    operations: BTreeMap<Name, Activity>,
    fields: Fields,
    /// Forms of answers to paths that no baseline has.
    forms: BTreeSet<u64>,
    newest_ms: i64,
    moved: bool,
}

/// What one operation did since the baseline came into force; arrivals since ever.
#[derive(Debug, Default, Clone, PartialEq)]
struct Activity {
    calls: u64,
    first_ms: i64,
    last_ms: i64,
    gap_ms: i64,
    /// Fingerprint of its silence, while told.
    silent: Option<Arc<str>>,
    /// Answers, and those among them that say there is no such operation, as long as all do so in one form.
    answers: u64,
    missing: u64,
    form: u64,
    consumers: Vec<u64>,
    unimplemented: Option<Arc<str>>,
    successes: Presences,
}

/// Documented success statuses.
type Presences = BTreeMap<u16, Presence>;

/// Something that may be there or not.
#[derive(Debug, Default, Clone, PartialEq)]
struct Presence {
    opportunities: u64,
    seen: u64,
    quiet: u64,
    longest: u64,
    told: Option<Arc<str>>,
}

/// What an exchange changed.
#[derive(Debug, Default)]
pub(super) struct Noticed {
    /// Absences to be told, and over how many opportunities each was seen.
    pub(super) missing: Vec<(Deviation, u64)>,
    /// Fingerprints of what is there again.
    pub(super) back: Vec<Arc<str>>,
}

impl Presence {
    /// Counts an opportunity; the fingerprint of an absence that ends.
    fn count(&mut self, is_there: bool) -> Option<Arc<str>> {
        self.opportunities += 1;
        if !is_there {
            self.quiet += 1;
            return None;
        }
        self.seen += 1;
        self.longest = self.longest.max(self.quiet);
        self.quiet = 0;
        self.told.take()
    }

    /// Whether it was there and has been missed for longer than chance and habit explain.
    #[expect(clippy::cast_precision_loss, reason = "counts of exchanges stay far below 2^52")]
    fn has_vanished(&self) -> bool {
        let before = self.opportunities - self.quiet;
        let expected = IMPROBABLE * before as f64 / self.seen.max(1) as f64;
        self.told.is_none()
            && self.seen > 0
            && self.quiet > FIELD_AFTER
            && self.quiet as f64 > expected
            && self.quiet > self.longest.saturating_mul(3)
    }
}

impl Watch {
    /// Counts one judged exchange, not a repeated one.
    pub(super) fn see(
        &mut self,
        baseline: &Baseline,
        exchange: &Exchange,
        judgement: &Judgement,
    ) -> Noticed {
        let mut noticed = Noticed::default();
        self.newest_ms = self.newest_ms.max(exchange.time_ms);
        self.moved = true;
        let Some(index) = judgement.operation else {
            if let (404, Some(form)) = (exchange.status, judgement.tally.answer)
                && self.forms.len() < FORMS_MAX
            {
                self.forms.insert(form);
            }
            return noticed;
        };
        let operation = baseline.operation(index);
        let name = (operation.method.clone(), operation.template.clone());
        let has_room = self.operations.len() < OPERATIONS_MAX;
        let activity = match self.operations.entry(name.clone()) {
            Entry::Occupied(known) => known.into_mut(),
            Entry::Vacant(place) if has_room => place.insert(Activity::default()),
            Entry::Vacant(_) => return noticed,
        };
        noticed.back.extend(activity.arrive(exchange.time_ms));
        activity.answer((operation, exchange, judgement), &self.forms, &mut noticed);
        activity.succeed((operation, exchange, judgement), &mut noticed);
        self.follow_fields((baseline, index, &name), judgement, &mut noticed);
        noticed
    }

    fn follow_fields(
        &mut self,
        (baseline, index, name): (&Baseline, usize, &Name),
        judgement: &Judgement,
        noticed: &mut Noticed,
    ) {
        let Tally { fields: Some(proof), content: Some(content), .. } = &judgement.tally else {
            return;
        };
        let Some(at) = judgement.response else { return };
        let response = baseline.operation(index).responses.get(at);
        let content_of = response.and_then(|response| response.content.get(*content));
        let (Some(entry), Some(parts)) = (content_of, baseline.parts(index).responses.get(at))
        else {
            return;
        };
        let (key, media) = (parts.key.as_str(), entry.media.text.as_str());
        let answer = Answer { proof, name, key, media, number: [index, at, *content] };
        self.fields.visit(&answer, |pointer, is_there, presence| {
            noticed.back.extend(presence.count(is_there));
            if presence.has_vanished() {
                let seen = json!({"present": true});
                let flaw = Flaw::of_message(Kind::FieldVanished, seen, json!({"absent": true}));
                let mut flaw = flaw.at(pointer, "properties");
                key.clone_into(&mut flaw.location.status);
                media.clone_into(&mut flaw.location.media_type);
                let missing = deviation(judgement, Direction::Response, flaw);
                presence.told = Some(missing.fingerprint.as_str().into());
                noticed.missing.push((missing, presence.quiet));
            }
        });
    }

    /// Operations that fell silent while others were called, each with the judgement that names it.
    pub(super) fn fall_silent(&mut self) -> Vec<(Judgement, Deviation, u64)> {
        let newest = self.newest_ms;
        let mut silent = Vec::new();
        for ((method, template), activity) in &mut self.operations {
            if activity.silent.is_some() || !activity.is_silent(newest) {
                continue;
            }
            let judgement = Judgement {
                method: method.clone(),
                template: template.clone(),
                ..Judgement::default()
            };
            let seen = json!({"absent": true});
            let flaw = Flaw::of_message(Kind::EndpointSilent, json!({"present": true}), seen);
            let missing = deviation(&judgement, Direction::Structure, flaw);
            activity.silent = Some(missing.fingerprint.as_str().into());
            silent.push((judgement, missing, activity.calls));
            self.moved = true;
        }
        silent
    }

    /// Begins anew under another baseline; arrivals are remembered, and what is told until it is seen again.
    pub(super) fn renew(&mut self, baseline: &Baseline) {
        let names: BTreeSet<Name> = baseline
            .specification
            .operations
            .iter()
            .map(|operation| (operation.method.clone(), operation.template.clone()))
            .collect();
        self.operations.retain(|name, _| names.contains(name));
        for activity in self.operations.values_mut() {
            (activity.answers, activity.missing) = (0, 0);
            activity.consumers.clear();
            activity.successes.retain(|_, presence| presence.told.is_some());
        }
        self.fields.retain(|name, presence| presence.told.is_some() && names.contains(name));
        self.moved = true;
    }
}

impl Activity {
    /// Counts a call; the fingerprint of a silence that ends.
    fn arrive(&mut self, time_ms: i64) -> Option<Arc<str>> {
        if self.calls == 0 {
            (self.first_ms, self.last_ms) = (time_ms, time_ms);
        }
        self.calls += 1;
        self.gap_ms = self.gap_ms.max(time_ms - self.last_ms);
        self.last_ms = self.last_ms.max(time_ms);
        self.silent.take()
    }

    #[expect(clippy::cast_precision_loss, reason = "milliseconds of a few years")]
    fn is_silent(&self, now_ms: i64) -> bool {
        let quiet = now_ms - self.last_ms;
        let mean = (self.last_ms - self.first_ms) as f64 / (self.calls.max(2) - 1) as f64;
        self.calls >= SILENT_AFTER
            && quiet >= SILENT_MS
            && quiet > self.gap_ms.saturating_mul(3)
            && quiet as f64 > IMPROBABLE * mean
    }

    /// Whether every answer so far says that there is no such operation, as answers to unknown paths do.
    fn answer(
        &mut self,
        (operation, exchange, judgement): (&Operation, &Exchange, &Judgement),
        forms: &BTreeSet<u64>,
        noticed: &mut Noticed,
    ) {
        self.answers += 1;
        let Some(form) = judgement.tally.answer else {
            noticed.back.extend(self.unimplemented.take());
            return;
        };
        if self.missing > 0 && self.form != form {
            return;
        }
        self.missing += 1;
        self.form = form;
        if self.consumers.len() < 2 && !self.consumers.contains(&exchange.consumer) {
            self.consumers.push(exchange.consumer);
        }
        let is_due = self.unimplemented.is_none()
            && self.missing == self.answers
            && self.missing >= UNIMPLEMENTED_AFTER
            && self.consumers.len() >= 2;
        if is_due && says_unbuilt(operation, exchange, forms.contains(&form)) {
            let seen = json!({"status": exchange.status});
            let flaw =
                Flaw::of_message(Kind::EndpointUnimplemented, json!({"status": "2XX"}), seen);
            let missing = deviation(judgement, Direction::Structure, flaw);
            self.unimplemented = Some(missing.fingerprint.as_str().into());
            noticed.missing.push((missing, self.missing));
        }
    }

    /// Counts which documented success an answer was.
    fn succeed(
        &mut self,
        (operation, exchange, judgement): (&Operation, &Exchange, &Judgement),
        noticed: &mut Noticed,
    ) {
        if !(200..300).contains(&exchange.status) || exchange.status == 206 {
            return;
        }
        for response in &operation.responses {
            let ResponseKey::Exact(key @ (200..=205 | 207..=299)) = response.key else { continue };
            let presence = self.successes.entry(key).or_default();
            noticed.back.extend(presence.count(exchange.status == key));
            let is_due = presence.told.is_none()
                && presence.quiet >= VANISHED_AFTER
                && presence.quiet > presence.longest.saturating_mul(3);
            if is_due {
                let expected = json!({"status": key});
                let flaw = Flaw::of_message(
                    Kind::StatusVanished,
                    expected,
                    json!({"status": exchange.status}),
                );
                let mut flaw = flaw.at("", "responses");
                flaw.location.status = key.to_string();
                let missing = deviation(judgement, Direction::Response, flaw);
                presence.told = Some(missing.fingerprint.as_str().into());
                noticed.missing.push((missing, presence.quiet));
            }
        }
    }
}

/// 405 and 501 say so by themselves; 404 does where unknown paths are answered in the same form, or where the path names
/// nothing that could be absent and the contract knows no 404.
fn says_unbuilt(operation: &Operation, exchange: &Exchange, is_known_form: bool) -> bool {
    let names_nothing = !operation.template.contains('{');
    let documents = operation.responses.iter().any(|entry| entry.key == ResponseKey::Exact(404));
    exchange.status != 404 || is_known_form || names_nothing && !documents
}
