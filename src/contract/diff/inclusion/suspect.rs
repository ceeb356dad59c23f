//! What keeps an inclusion from being proven: a fact of the receiver that the sender does not imply.

use std::rc::Rc;

use serde_json::{Map, Value};

use super::book::Place;

/// Candidates kept per suspect.
const CANDIDATES_MAX: usize = 6;

/// Suspects kept per pair.
pub(super) const SUSPECTS_MAX: usize = 400;

/// Why an inclusion is neither proven nor refuted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) enum Doubt {
    /// No value was found that shows it.
    NoWitness,
    /// A keyword that inclusion is not decided for.
    Unsupported,
    /// Branches of a `oneOf` may overlap.
    Overlap,
    /// One side allows any name beside the declared ones, the other has a use for this one.
    Invited,
    /// One side declares a name and forbids it in another part: its author meant something else.
    Contrary,
    /// Too many alternatives or pairs.
    OverBudget,
}

impl Doubt {
    pub(crate) fn sentence(self) -> &'static str {
        match self {
            Self::NoWitness => "no value was found that shows the difference",
            Self::Unsupported => "inclusion is not decided for this keyword",
            Self::Overlap => {
                "several branches of a `oneOf` may accept the same value, which strict readers then refuse"
            }
            Self::Invited => {
                "any name is allowed beside the declared ones; whether somebody sends this one, documents do not say"
            }
            Self::Contrary => {
                "`additionalProperties: false` forbids what another part of the same schema declares, so that no value is allowed at all"
            }
            Self::OverBudget => "the schemas are too large to compare completely",
        }
    }
}

/// A value that may show a suspect. Made only when it is asked for: of large schemas few ever are.
#[derive(Debug, Clone)]
pub(crate) enum Candidate {
    Value(Rc<Value>),
    /// The inner one as this member of an object.
    Member(Rc<Map<String, Value>>, Rc<str>, Rc<Candidate>),
    /// The inner one in those places of an array.
    Items(Rc<Vec<Option<Value>>>, Rc<Candidate>),
}

impl Candidate {
    pub(crate) fn value(&self) -> Value {
        match self {
            Self::Value(value) => Value::clone(value),
            Self::Member(around, name, inner) => {
                let mut object = Map::clone(around);
                object.insert(name.to_string(), inner.value());
                Value::Object(object)
            }
            Self::Items(around, inner) => {
                let value = inner.value();
                let item = |item: &Option<Value>| item.clone().unwrap_or_else(|| value.clone());
                Value::Array(around.iter().map(item).collect())
            }
        }
    }
}

/// A fact of the receiver that may refuse what a sender sends.
#[derive(Debug, Clone)]
pub(crate) struct Suspect {
    /// The schema that states the fact.
    pub(crate) place: Place,
    pub(crate) keyword: String,
    /// Name of the property, where the keyword speaks of one.
    pub(crate) detail: Option<String>,
    /// Into the value: names, `*` for items, `{}` for keys.
    pub(crate) path: String,
    /// Values that may show it, at the level of the pair.
    pub(crate) candidates: Vec<Candidate>,
    pub(crate) doubt: Doubt,
}

impl Suspect {
    pub(crate) fn new(place: Place, keyword: &str, candidates: Vec<Value>) -> Self {
        let candidate = |value| Candidate::Value(Rc::new(value));
        Self::shown_by(place, keyword, candidates.into_iter().map(candidate).collect())
    }

    pub(crate) fn shown_by(place: Place, keyword: &str, candidates: Vec<Candidate>) -> Self {
        let mut suspect = Self {
            place,
            keyword: keyword.to_owned(),
            detail: None,
            path: String::new(),
            candidates,
            doubt: Doubt::NoWitness,
        };
        suspect.candidates.truncate(CANDIDATES_MAX);
        suspect
    }

    pub(crate) fn naming(mut self, name: &str) -> Self {
        self.detail = Some(name.to_owned());
        self
    }

    /// The same with nothing to try.
    pub(crate) fn without_candidates(mut self) -> Self {
        self.candidates.clear();
        self
    }

    pub(crate) fn because(mut self, doubt: Doubt) -> Self {
        self.doubt = doubt;
        self
    }

    /// The same suspect seen from the value around.
    pub(super) fn lifted(
        &self,
        step: &str,
        around: impl Fn(&Candidate) -> Option<Candidate>,
    ) -> Self {
        Self {
            path: format!("/{}{}", step.replace('~', "~0").replace('/', "~1"), self.path),
            candidates: self.candidates.iter().filter_map(around).collect(),
            place: self.place.clone(),
            keyword: self.keyword.clone(),
            detail: self.detail.clone(),
            doubt: self.doubt,
        }
    }

    pub(crate) fn is_same(&self, other: &Self) -> bool {
        self.place == other.place && self.keyword == other.keyword && self.detail == other.detail
    }
}
