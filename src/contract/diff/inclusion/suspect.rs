//! What keeps an inclusion from being proven: a fact of the receiver that the sender does not imply.

use serde_json::Value;

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
    /// Too many alternatives or pairs.
    OverBudget,
}

impl Doubt {
    pub(crate) fn sentence(self) -> &'static str {
        match self {
            Self::NoWitness => "no value was found that shows the difference",
            Self::Unsupported => "inclusion is not decided for this keyword",
            Self::Overlap => "branches of the `oneOf` may accept the same value",
            Self::OverBudget => "the schemas are too large to compare completely",
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
    pub(crate) candidates: Vec<Value>,
    pub(crate) doubt: Doubt,
}

impl Suspect {
    pub(crate) fn new(place: Place, keyword: &str, candidates: Vec<Value>) -> Self {
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

    pub(crate) fn because(mut self, doubt: Doubt) -> Self {
        self.doubt = doubt;
        self
    }

    /// The same suspect seen from the value around.
    pub(super) fn lifted(&self, step: &str, around: impl Fn(&Value) -> Option<Value>) -> Self {
        Self {
            path: format!("/{}{}", step.replace('~', "~0").replace('/', "~1"), self.path),
            candidates: self.candidates.iter().filter_map(around).collect(),
            ..self.clone()
        }
    }

    pub(crate) fn is_same(&self, other: &Self) -> bool {
        self.place == other.place && self.keyword == other.keyword && self.detail == other.detail
    }
}
