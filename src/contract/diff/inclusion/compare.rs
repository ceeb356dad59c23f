//! One conjunction of schemas against another, alternative by alternative and type by type.
//!
//! Owns recursion: a pair met again below itself counts as included, because values are finite; what rests on such an
//! assumption is not remembered. Refuses to own the facts of each type.

use std::collections::{BTreeSet, HashMap};
use std::rc::Rc;
use std::sync::Arc;

use serde_json::Value;

use super::super::super::algebra::{Algebra, SchemaAlgebra, Tri};
use super::book::{Part, each_reference};
use super::branches::{Alternatives, Branch, members};
use super::facts::scalar_schema;
use super::sample::Sampler;
use super::suspect::{Candidate, Doubt, SUSPECTS_MAX, Suspect};
use super::types::{Type, Types};
use super::wire;

/// Pairs of schemas looked at for one question.
const PAIRS_MAX: usize = 20_000;

/// Nesting of values that is followed.
const DEPTH_MAX: usize = 64;

pub(super) type Found = Rc<Vec<Suspect>>;

type Pair = (Vec<usize>, Vec<usize>);

/// Stands for a result that rests on what is not so.
const STALE: usize = usize::MAX - 1;

/// Compares; remembers what it has compared.
pub(crate) struct Comparer<'d> {
    pub(super) algebra: &'d Algebra,
    alternatives: &'d Alternatives<'d>,
    /// Values travel as text: see [`Comparer::on_the_wire`].
    wire: bool,
    same: &'d BTreeSet<Arc<str>>,
    /// What was found, and the depth of the outermost open pair that it rests on.
    known: HashMap<Pair, (Found, usize)>,
    /// Pairs whose result rests on one that is still open.
    provisional: Vec<Pair>,
    /// Pairs whose result rests on one that turned out not to be included: good for this question alone.
    stale: Vec<Pair>,
    /// An alternative was tried and given up, with what was found in it.
    gave_up: bool,
    /// A stale result was used after that, so that something may have been missed.
    missed: bool,
    /// The current answer rests on a stale one.
    used_stale: bool,
    open: HashMap<Pair, usize>,
    /// Outermost open pair that the current answer rests on.
    rests_on: usize,
    left: usize,
}

impl<'d> Comparer<'d> {
    pub(crate) fn new(
        algebra: &'d Algebra,
        alternatives: &'d Alternatives<'d>,
        same: &'d BTreeSet<Arc<str>>,
    ) -> Self {
        Self {
            algebra,
            alternatives,
            wire: false,
            same,
            known: HashMap::new(),
            provisional: Vec::new(),
            stale: Vec::new(),
            gave_up: false,
            missed: false,
            used_stale: false,
            open: HashMap::new(),
            rests_on: usize::MAX,
            left: PAIRS_MAX,
        }
    }

    /// The same for values that are written as text, as in a query or a form: what the text may be read as counts, and null is
    /// not written at all.
    pub(crate) fn on_the_wire(self) -> Self {
        Self { wire: true, ..self }
    }

    /// A new question: the budget is full again.
    pub(crate) fn refill(&mut self) {
        self.left = PAIRS_MAX;
        for pair in self.stale.drain(..) {
            self.known.remove(&pair);
        }
        (self.gave_up, self.missed) = (false, false);
    }

    /// Whether the answer may have missed something.
    pub(crate) fn is_unsure(&self) -> bool {
        self.missed
    }

    pub(crate) fn sampler(&self) -> Sampler<'d> {
        Sampler::new(self.algebra, self.alternatives)
    }

    /// What keeps all values of `sender` from being values of `receiver`.
    pub(crate) fn compare(&mut self, sender: &[Part<'d>], receiver: &[Part<'d>]) -> Found {
        let receiver: Vec<Part<'d>> =
            receiver.iter().filter(|part| !self.is_implied(sender, part)).cloned().collect();
        let Some(first) = receiver.first() else { return Found::default() };
        let pair = (identities(sender), identities(&receiver));
        if let Some(depth) = self.open.get(&pair) {
            self.rests_on = self.rests_on.min(*depth);
            return Found::default();
        }
        if let Some((found, rests_on)) = self.known.get(&pair) {
            let is_stale = *rests_on == STALE;
            self.missed |= is_stale && self.gave_up;
            if !is_stale {
                self.rests_on = self.rests_on.min(*rests_on);
            }
            self.used_stale |= is_stale;
            return found.clone();
        }
        let depth = self.open.len();
        if self.left == 0 || depth >= DEPTH_MAX {
            let suspect = Suspect::new(first.place.clone(), "", Vec::new());
            return Rc::new(vec![suspect.because(Doubt::OverBudget)]);
        }
        self.left -= 1;
        self.open.insert(pair.clone(), depth);
        let (began, outer_stale) =
            (self.provisional.len(), std::mem::replace(&mut self.used_stale, false));
        let outer = std::mem::replace(&mut self.rests_on, usize::MAX);
        let found = Rc::new(self.decompose(sender, &receiver));
        self.open.remove(&pair);
        let rests_on = if self.rests_on >= depth { usize::MAX } else { self.rests_on };
        self.close(began, (depth, found.is_empty()), rests_on);
        let mut state = rests_on;
        if self.used_stale {
            state = STALE;
            self.stale.push(pair.clone());
        } else if rests_on != usize::MAX {
            self.provisional.push(pair.clone());
        }
        self.used_stale |= outer_stale;
        self.known.insert(pair, (found.clone(), state));
        self.rests_on = rests_on.min(outer);
        found
    }

    /// Settles what rests on a pair that is closed: proven with it, or good for this question alone.
    fn close(&mut self, began: usize, (depth, is_included): (usize, bool), rests_on: usize) {
        for pair in self.provisional.split_off(began) {
            let Some((_, own)) = self.known.get_mut(&pair) else { continue };
            if *own >= depth {
                *own = if is_included { rests_on } else { STALE };
            }
            match *own {
                usize::MAX => {}
                STALE => self.stale.push(pair),
                _ => self.provisional.push(pair),
            }
        }
    }

    /// Whether a sender's schema says the very same as one of the receiver.
    fn is_implied(&self, sender: &[Part<'d>], receiver: &Part<'d>) -> bool {
        receiver.schema == &Value::Bool(true)
            || receiver.schema.as_object().is_some_and(serde_json::Map::is_empty)
            || sender.iter().any(|part| self.is_same(part, receiver))
            || sender.iter().any(|part| self.is_same(&part.resolved(), &receiver.resolved()))
    }

    /// Whether two schemas, their references followed, are the same.
    pub(crate) fn is_equal(&self, left: &Part<'d>, right: &Part<'d>) -> bool {
        self.is_same(&left.resolved(), &right.resolved())
    }

    /// Whether two schemas are equal and refer to equal definitions.
    pub(super) fn is_same(&self, left: &Part<'_>, right: &Part<'_>) -> bool {
        if left.schema != right.schema {
            return false;
        }
        if std::ptr::eq(left.book, right.book) {
            return true;
        }
        let mut same = true;
        each_reference(left.schema, &mut |key| same &= self.same.contains(key));
        same
    }

    fn decompose(&mut self, sender: &[Part<'d>], receiver: &[Part<'d>]) -> Vec<Suspect> {
        let place = receiver[0].place.clone();
        let (Ok(from), Ok(to)) = (self.alternatives.of(sender), self.alternatives.of(receiver))
        else {
            return vec![Suspect::new(place, "", Vec::new()).because(Doubt::OverBudget)];
        };
        let mut found: Vec<Suspect> = Vec::new();
        for branch in from.iter() {
            for kind in Types::of_sender(&branch.parts).iter() {
                let suspects = self.one(branch, kind, &to, receiver).into_iter();
                suspects.for_each(|suspect| keep(&mut found, suspect));
            }
        }
        found
    }

    /// The values of one type of one alternative.
    fn one(
        &mut self,
        from: &Branch<'d>,
        kind: Type,
        to: &[Branch<'d>],
        receiver: &[Part<'d>],
    ) -> Vec<Suspect> {
        let values = listed(from, kind);
        if values.as_ref().is_some_and(|values| !self.is_possible(from, values))
            || self.wire && wire::is_read(self.algebra, kind, values.as_deref(), to)
        {
            return Vec::new();
        }
        let mut fitting: Vec<&Branch<'d>> =
            to.iter().filter(|branch| Types::of_parts(&branch.parts).has(kind)).collect();
        if fitting.is_empty() {
            return vec![self.wrong_type(from, kind, to, receiver)];
        }
        fitting.sort_by_cached_key(|branch| {
            (std::cmp::Reverse(names_shared(from, branch)), !is_counterpart(from, branch))
        });
        if let [first, second, ..] = fitting.as_slice()
            && names_shared(from, first) > names_shared(from, second)
        {
            // The branch of the same name is what this one became; the validators ask the others.
            fitting.truncate(1);
        }
        if fitting.len() > 1 && self.is_split(from, kind, &fitting, values.as_deref()) {
            return Vec::new();
        }
        let mut best: Option<Vec<Suspect>> = None;
        for branch in &fitting {
            let mut found = self.facts(from, branch, kind);
            if found.is_empty() {
                found = self.rivals(from, branch, kind);
            }
            if found.is_empty() {
                return found;
            }
            self.gave_up |= fitting.len() > 1;
            if best.as_ref().is_none_or(|best| found.len() < best.len())
                && (best.is_none() || !is_counterpart(from, fitting[0]))
            {
                best = Some(found);
            }
        }
        let mut best = best.unwrap_or_default();
        if fitting.len() > 1 && !is_counterpart(from, fitting[0]) {
            // Nothing over there corresponds to this alternative: it is new as a whole.
            let own = self.sampler().samples(&from.parts, kind);
            let mut candidates: Vec<Candidate> =
                own.into_iter().map(|value| Candidate::Value(Rc::new(value))).collect();
            candidates.extend(best.drain(..).flat_map(|suspect| suspect.candidates));
            best = vec![Suspect::shown_by(receiver[0].resolved().place, "oneOf", candidates)];
        }
        best
    }

    /// Whether some of the listed values is valid against the other keywords beside the list.
    fn is_possible(&self, from: &Branch<'d>, values: &[Value]) -> bool {
        let schema = scalar_schema(&from.parts);
        values.iter().any(|value| self.algebra.accepts(&schema, value))
    }

    /// Whether the alternatives of the receiver cover a scalar between them.
    fn is_split(
        &self,
        from: &Branch<'d>,
        kind: Type,
        fitting: &[&Branch<'d>],
        values: Option<&[Value]>,
    ) -> bool {
        if matches!(kind, Type::Object | Type::Array)
            || fitting.iter().any(|branch| !branch.rivals.is_empty())
        {
            return false;
        }
        let schemas: Vec<Value> =
            fitting.iter().map(|branch| scalar_schema(&branch.parts)).collect();
        let opaque = |branch: &&Branch<'d>| {
            branch.parts.iter().any(|part| part.get("if").is_some() || part.get("not").is_some())
        };
        if fitting.iter().any(opaque) {
            return false;
        }
        let small = serde_json::json!({"allOf": [scalar_schema(&from.parts), kind.schema()]});
        if let Some(values) = values {
            let sent = values.iter().filter(|value| self.algebra.accepts(&small, value));
            return sent
                .into_iter()
                .all(|value| schemas.iter().any(|schema| self.algebra.accepts(schema, value)));
        }
        self.algebra.covers(&serde_json::json!({"anyOf": schemas}), &small) == Tri::Yes
    }

    fn wrong_type(
        &self,
        from: &Branch<'d>,
        kind: Type,
        to: &[Branch<'d>],
        receiver: &[Part<'d>],
    ) -> Suspect {
        let candidates = self.sampler().samples(&from.parts, kind);
        if let [only] = to
            && let Some(part) =
                only.parts.iter().find(|part| !Types::of_schema(part.schema).has(kind))
        {
            let keyword = ["enum", "const", "type"]
                .into_iter()
                .rev()
                .find(|keyword| refuses(part, keyword, kind));
            return Suspect::new(part.place.clone(), keyword.unwrap_or("type"), candidates);
        }
        let first = receiver[0].resolved();
        let keyword = ["oneOf", "anyOf"].into_iter().find(|name| first.get(name).is_some());
        Suspect::new(first.place, keyword.unwrap_or("type"), candidates)
    }

    /// In a `oneOf` no sibling of the receiver's branch may accept the value too.
    fn rivals(&mut self, from: &Branch<'d>, to: &Branch<'d>, kind: Type) -> Vec<Suspect> {
        for rival in &to.rivals {
            let excluded = from.rivals.iter().any(|own| {
                self.is_same(own, rival) || self.is_same(&own.resolved(), &rival.resolved())
            });
            if excluded || !Types::of_schema(rival.resolved().schema).has(kind) {
                continue;
            }
            let mut both = from.parts.clone();
            both.push(rival.clone());
            // Of its own siblings the one of the same name is what the rival became.
            let named: Vec<Part<'d>> =
                from.rivals.iter().filter(|own| is_named_alike(own, rival)).cloned().collect();
            let siblings = if named.is_empty() { from.rivals.clone() } else { named };
            let narrower = siblings
                .iter()
                .any(|own| self.compare(&both, std::slice::from_ref(own)).is_empty());
            if !narrower {
                let candidates = self.sampler().samples(&both, kind);
                let suspect = Suspect::new(rival.place.clone(), "oneOf", candidates);
                return vec![suspect.because(Doubt::Overlap)];
            }
        }
        Vec::new()
    }

    fn facts(&mut self, from: &Branch<'d>, to: &Branch<'d>, kind: Type) -> Vec<Suspect> {
        let mut found = self.scalar_facts(from, to, kind);
        match kind {
            Type::Object => found.extend(self.object_facts(from, to)),
            Type::Array => found.extend(self.array_facts(from, to)),
            _ => {}
        }
        found.extend(self.opaque_facts(from, to, kind));
        found
    }
}

/// The only values of a type that an alternative allows, if they are listed or few by nature.
fn listed(from: &Branch<'_>, kind: Type) -> Option<Vec<Value>> {
    let values: Vec<Value> = match (members(&from.parts), kind) {
        (Some(values), _) => values.into_iter().cloned().collect(),
        (None, Type::Null) => vec![Value::Null],
        (None, Type::Boolean) => vec![Value::Bool(false), Value::Bool(true)],
        _ => return None,
    };
    Some(values.into_iter().filter(|value| Type::of(value) == kind).collect())
}

/// Whether two alternatives are the same one of two documents: by name, or by what they declare.
fn is_counterpart(from: &Branch<'_>, to: &Branch<'_>) -> bool {
    if names_shared(from, to) > 0 {
        return true;
    }
    let names = |branch: &Branch<'_>| -> BTreeSet<String> {
        let declared = branch.parts.iter().flat_map(super::facts::properties);
        declared.map(|(name, _)| name.to_owned()).collect()
    };
    let (left, right) = (names(from), names(to));
    let common = left.intersection(&right).count();
    common > 0 && 2 * common >= left.union(&right).count()
}

/// Whether both refer to the component of one name.
fn is_named_alike(left: &Part<'_>, right: &Part<'_>) -> bool {
    let (left, right) = (left.resolved().place, right.resolved().place);
    left == right && left.pointer.is_empty() && !left.key.starts_with("at+")
}

/// Components of one name that both are made of.
fn names_shared(from: &Branch<'_>, to: &Branch<'_>) -> usize {
    let shares = |left: &&Part<'_>| to.parts.iter().any(|right| left.place == right.place);
    let named =
        |part: &&Part<'_>| part.place.pointer.is_empty() && !part.place.key.starts_with("at+");
    from.parts.iter().filter(named).filter(shares).count()
}

/// Whether a keyword alone keeps a type out.
fn refuses(part: &Part<'_>, keyword: &str, kind: Type) -> bool {
    part.get(keyword)
        .is_some_and(|value| !Types::of_schema(&serde_json::json!({keyword: value})).has(kind))
}

fn identities(parts: &[Part<'_>]) -> Vec<usize> {
    let mut found: Vec<usize> = parts.iter().map(Part::identity).collect();
    found.sort_unstable();
    found.dedup();
    found
}

/// Adds a suspect that is not there yet, as long as there is room.
fn keep(found: &mut Vec<Suspect>, suspect: Suspect) {
    if found.len() < SUSPECTS_MAX && !found.iter().any(|one| one.is_same(&suspect)) {
        found.push(suspect);
    }
}
