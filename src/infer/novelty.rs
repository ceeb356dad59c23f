//! What an observation added to the evidence. Nothing new: no projection, no diff, no event.

use super::monoid::Count;

/// Counts at which a threshold of some rule may flip.
const THRESHOLDS: [u32; 9] = [3, 10, 19, 20, 50, 59, 100, 299, 2_995];

/// Kinds of news; all false for an exchange of a known shape.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[expect(clippy::struct_excessive_bools, reason = "a set of independent kinds of news")]
pub struct Novelty {
    /// A path segment never seen at its place.
    pub path: bool,
    /// A method never seen on its path.
    pub operation: bool,
    pub status: bool,
    pub media: bool,
    pub parameter: bool,
    /// A member name never seen in its object.
    pub key: bool,
    /// A kind of value never seen at its place.
    pub kind: bool,
    /// A keyword never seen at its place.
    pub value: bool,
    /// A class that held for all values does so no more.
    pub format: bool,
    /// A count crossed a threshold.
    pub due: bool,
}

impl Novelty {
    /// Whether a projection could come out different from before.
    #[must_use]
    pub fn is_some(self) -> bool {
        self != Self::default()
    }
}

/// Whether a count has just reached a threshold.
pub(super) fn is_threshold(count: Count) -> bool {
    THRESHOLDS.contains(&count.0)
}
