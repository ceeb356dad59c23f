//! The fold of refused requests: kept apart under everything that tells one from another, so that it does not matter whether
//! the operation was known yet (`spec/inference.md` 9.2).

use super::evidence::{self, Refusal};
use super::learn::{Work, see_parameters};
use super::table::Name;
use super::{signature, trie, variants};
use crate::model::observation::{Body, Method, Observation, Segment, SegmentClass};

/// Counts a refused request.
pub(super) fn refuse(body: &mut evidence::Body, observation: &Observation, work: &mut Work<'_>) {
    // What HEAD is refused says nothing about the GET that it folds into.
    if observation.status < 400 || observation.method == Method::Head {
        return;
    }
    let (media, signature) = match &observation.response {
        Body::Absent => ("-", 0),
        Body::Unknown => ("?", 0),
        Body::Opaque { media } | Body::Malformed { media } | Body::Items { media, .. } => {
            (&**media, 0)
        }
        Body::Tape { media, tape } => {
            let signature = signature::of_tape(tape);
            let class = observation.status / 100;
            let name = format!("{class}\t{media}\t{signature:016x}");
            let (shape, new) = body.refusal_bodies.slot(Name::public(&name));
            work.novelty.media |= new;
            shape.fold(tape, work);
            (&**media, signature)
        }
    };
    let name = name(observation, media, signature);
    let entry = Name { rank: rank(observation), ..Name::public(&name) };
    let (refusal, new) = body.refusals.slot(entry);
    work.novelty.status |= new;
    refusal.see(observation, work);
}

impl Refusal {
    fn see(&mut self, observation: &Observation, work: &mut Work<'_>) {
        self.n.add();
        self.newest.see(u64::from(observation.epoch));
        if observation.credentials.is_empty() {
            self.anonymous.add();
        }
        if let Some(names) = &observation.refused_names {
            let root = variants::sum(&names.root);
            let below = names.below.iter();
            let sums =
                below.map(|(name, names)| variants::nested(root, *name, variants::sum(names)));
            for hash in std::iter::once(root).chain(sums) {
                self.requests.slot(Name { hash, rank: 0, text: "" }).0.add();
            }
        }
        let fields = &observation.response_headers;
        see_parameters(&mut self.headers, fields, observation, work.novelty);
    }
}

/// Method, status, media type, signature, then the segments: texts, or symbols of data.
fn name(observation: &Observation, media: &str, signature: u64) -> String {
    let method = observation.method.as_str();
    let mut name = format!("{method}\t{}\t{media}\t{signature:016x}", observation.status);
    trie::symbolise(&observation.path, &mut name);
    name
}

/// Which refusals survive a flood: those that an API gives rather than those that any server gives.
fn rank(observation: &Observation) -> u8 {
    let words = |segment: &Segment| {
        matches!(
            segment.class,
            SegmentClass::Word
                | SegmentClass::Words
                | SegmentClass::Reserved
                | SegmentClass::Version
                | SegmentClass::Data(_)
        )
    };
    match observation.status {
        400 | 406 | 409..=429 | 500..=599 => 0,
        _ if observation.path.segments.iter().all(words) => 1,
        _ => 2,
    }
}
