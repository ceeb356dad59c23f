//! Optional fields of answers: which were there, so that one that is seen no more can be told.
//!
//! Owns where the counters of a field are. Answers of one shape have the same fields, so that theirs are found once and then
//! only counted. Bounded. Refuses to own when a field has vanished (`Presence`).

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Weak};

use super::super::super::proof::Proof;
use super::{Name, Presence};

/// Fields that are followed.
pub(super) const FIELDS_MAX: usize = 20_000;

/// Fields of all shapes that are remembered, one more for each shape; beyond it all are found anew.
const FOUND_MAX: usize = 262_144;

#[derive(Debug, Default)]
pub(super) struct Fields {
    /// By operation and `status media pointer`.
    index: BTreeMap<(Name, String), usize>,
    list: Vec<Presence>,
    /// By the address of what is known of a shape, operation, response and content.
    found: HashMap<(usize, [usize; 3]), Found>,
    /// What `found` holds, as [`FOUND_MAX`] counts it.
    held: usize,
}

/// The fields of one shape.
#[derive(Debug)]
struct Found {
    /// Keeps the address taken, and nothing of what is known alive.
    _proof: Weak<Proof>,
    /// Fields that were followed when it was made: one more may be among those passed over.
    known: usize,
    /// Places in the proof's list and in [`Fields::list`].
    fields: Box<[(usize, usize)]>,
}

/// The answer that fields were read from.
pub(super) struct Answer<'a> {
    pub(super) proof: &'a Arc<Proof>,
    pub(super) name: &'a Name,
    /// Documented response and media type.
    pub(super) key: &'a str,
    pub(super) media: &'a str,
    /// Operation, response and content by their numbers.
    pub(super) number: [usize; 3],
}

impl Fields {
    /// Calls `count` for each followed field of an answer, with its pointer and whether it is there.
    pub(super) fn visit(
        &mut self,
        answer: &Answer<'_>,
        mut count: impl FnMut(&str, bool, &mut Presence),
    ) {
        let address = (Arc::as_ptr(answer.proof).addr(), answer.number);
        let known = self.found.get(&address).filter(|found| found.known == self.list.len());
        if known.is_none() {
            let fields = self.find(answer);
            // What nobody else holds will not come again.
            if Arc::strong_count(answer.proof) == 1 {
                return count_all(&fields, (&answer.proof.fields, &mut self.list), &mut count);
            }
            self.held += fields.len() + 1;
            if self.held > FOUND_MAX {
                self.found.clear();
                self.held = fields.len() + 1;
            }
            let proof = Arc::downgrade(answer.proof);
            let found = Found { _proof: proof, known: self.list.len(), fields };
            if let Some(former) = self.found.insert(address, found) {
                self.held -= former.fields.len() + 1;
            }
        }
        if let Some(found) = self.found.get(&address) {
            count_all(&found.fields, (&answer.proof.fields, &mut self.list), &mut count);
        }
    }

    /// Finds the counters of an answer's fields, and makes those that are missing.
    fn find(&mut self, answer: &Answer<'_>) -> Box<[(usize, usize)]> {
        let Answer { proof, name, key, media, .. } = answer;
        let mut fields = Vec::new();
        for (at, (pointer, is_there)) in proof.fields.iter().enumerate() {
            let place = ((*name).clone(), format!("{key} {media} {pointer}"));
            match self.index.get(&place) {
                Some(index) => fields.push((at, *index)),
                // What was never seen cannot vanish, and is most of a large document.
                None if !is_there || self.list.len() >= FIELDS_MAX => {}
                None => {
                    fields.push((at, self.list.len()));
                    self.insert(place, Presence::default());
                }
            }
        }
        fields.into()
    }

    fn insert(&mut self, place: (Name, String), presence: Presence) {
        self.index.insert(place, self.list.len());
        self.list.push(presence);
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = (&(Name, String), &Presence)> {
        self.index.iter().filter_map(|(place, index)| Some((place, self.list.get(*index)?)))
    }

    /// Keeps those that `keep` wants.
    pub(super) fn retain(&mut self, keep: impl Fn(&Name, &Presence) -> bool) {
        let kept = self.iter().filter(|((name, _), presence)| keep(name, presence));
        *self = kept.map(|(place, presence)| (place.clone(), presence.clone())).collect();
    }
}

fn count_all(
    places: &[(usize, usize)],
    (fields, list): (&[(Arc<str>, bool)], &mut [Presence]),
    count: &mut impl FnMut(&str, bool, &mut Presence),
) {
    for (at, index) in places {
        if let (Some((pointer, is_there)), Some(presence)) = (fields.get(*at), list.get_mut(*index))
        {
            count(pointer, *is_there, presence);
        }
    }
}

impl FromIterator<((Name, String), Presence)> for Fields {
    fn from_iter<I: IntoIterator<Item = ((Name, String), Presence)>>(list: I) -> Self {
        let mut fields = Self::default();
        for (place, presence) in list {
            fields.insert(place, presence);
        }
        fields
    }
}
