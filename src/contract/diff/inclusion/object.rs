//! Facts about objects: properties, required names, extra names.

use std::cell::OnceCell;
use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;

use serde_json::{Map, Value};

use super::book::Part;
use super::branches::{Branch, required};
use super::compare::Comparer;
use super::facts::{Shape, refers};
use super::sample::Sampler;
use super::suspect::{Candidate, Doubt, Suspect};
use super::text;
use super::types::Type;

/// A name that no document declares.
const OTHER: &str = "someOtherName";

/// An object that both sides accept, as far as it can be made; made when it is first needed.
struct Base<'b, 'd> {
    sampler: Sampler<'d>,
    from: &'b Branch<'d>,
    to: &'b Branch<'d>,
    /// Names that the sender declares.
    names: &'b BTreeSet<&'d str>,
    made: OnceCell<Option<Rc<Map<String, Value>>>>,
}

impl Base<'_, '_> {
    fn object(&self) -> Option<&Rc<Map<String, Value>>> {
        let make = || {
            let mut both = self.from.parts.clone();
            both.extend(self.to.parts.iter().cloned());
            let made = self.sampler.first(&both, Type::Object);
            match made.or_else(|| self.sampler.first(&self.from.parts, Type::Object)) {
                Some(Value::Object(members)) => Some(members),
                _ => None,
            }
        };
        let known = |mut object: Map<String, Value>| {
            object.retain(|name, _| self.is_known(name));
            object
        };
        self.made.get_or_init(|| make().map(|object| Rc::new(known(object)))).as_ref()
    }

    /// Whether the sender has this name from its own document. Names of the receiver alone prove nothing.
    fn is_known(&self, name: &str) -> bool {
        let declares = |branch: &Branch<'_>| {
            branch.parts.iter().any(|part| part.member("properties", name).is_some())
        };
        self.names.contains(name) || declares(self.from) || !declares(self.to)
    }

    /// The object with a member that is to be tried.
    fn with(&self, name: &str, member: &Candidate) -> Option<Candidate> {
        let around = Rc::clone(self.object()?);
        Some(Candidate::Member(around, name.into(), Rc::new(member.clone())))
    }

    fn with_each(&self, name: &str, members: Vec<Value>) -> Vec<Candidate> {
        let members = members.into_iter().map(|value| Candidate::Value(Rc::new(value)));
        members.filter_map(|member| self.with(name, &member)).collect()
    }

    /// The object without one of its members.
    fn without(&self, name: &str) -> Option<Value> {
        let mut object = Map::clone(self.object()?);
        object.remove(name);
        Some(Value::Object(object))
    }
}

impl<'d> Comparer<'d> {
    pub(super) fn object_facts(&mut self, from: &Branch<'d>, to: &Branch<'d>) -> Vec<Suspect> {
        let algebra = self.algebra;
        let (own, other) = (Shape { branch: from, algebra }, Shape { branch: to, algebra });
        let names = own.names();
        let extras = own.extras();
        let base = Base { sampler: self.sampler(), from, to, names: &names, made: OnceCell::new() };
        let mut found = required_facts(from, to, &base);
        let mut asked: BTreeSet<&str> = names.clone();
        if extras.is_some() {
            asked.extend(to.parts.iter().flat_map(super::facts::properties).map(|(name, _)| name));
        }
        for name in asked {
            let declared = names.contains(name) && own.declares(name);
            let sent = match (own.property(name), declared) {
                (schemas, false) if schemas.is_empty() => own.lent(name),
                (schemas, _) => schemas,
            };
            let facts = self.property_facts(name, (&sent, own.declares(name)), &other, &base);
            // Any name is allowed, this one is not meant: that somebody sends it is no more than possible.
            let is_collision = !names.contains(name) && sent.iter().all(|part| says_nothing(part));
            if is_collision {
                let doubted = facts.into_iter().map(Suspect::without_candidates);
                found.extend(doubted.map(|fact| fact.because(Doubt::Invited)));
            } else {
                found.extend(facts);
            }
        }
        if let Some(extras) = extras {
            found.extend(self.extra_facts(&extras, to, &base));
        }
        found.extend(self.pattern_facts(&own, &other, &base));
        found.extend(self.name_facts(&own, to, &base));
        found
    }

    /// Names that the sender describes by a pattern. One name stands for all of them; where the receiver tells names apart
    /// in another way, it does not, and nothing is proven.
    fn pattern_facts(
        &mut self,
        own: &Shape<'_, 'd>,
        other: &Shape<'_, 'd>,
        base: &Base<'_, 'd>,
    ) -> Vec<Suspect> {
        let (sent, known) = (patterns(own.branch), patterns(other.branch));
        let is_told_apart = known.keys().any(|pattern| !sent.contains_key(pattern));
        let mut found = Vec::new();
        for (pattern, part) in sent {
            if part.schema == &Value::Bool(false) {
                continue;
            }
            let name = text::matching(pattern, 1);
            let name = name.filter(|name| self.algebra.matches(pattern, name));
            let facts = match &name {
                Some(name) => self.property_facts(name, (&own.property(name), true), other, base),
                None => Vec::new(),
            };
            if facts.is_empty() && (name.is_none() || is_told_apart) && !Self::is_free(other.branch)
            {
                let holder = other.branch.parts.first().map_or(&part.place, |part| &part.place);
                let suspect = Suspect::new(holder.clone(), "patternProperties", Vec::new());
                found.push(suspect.because(Doubt::Unsupported));
            }
            found.extend(facts);
        }
        found
    }

    /// Whether any name may hold anything.
    fn is_free(branch: &Branch<'d>) -> bool {
        const KEYWORDS: &[&str] =
            &["patternProperties", "additionalProperties", "unevaluatedProperties"];
        let asks = |part: &Part<'d>| KEYWORDS.iter().any(|keyword| part.get(keyword).is_some());
        !branch.parts.iter().any(asks)
    }

    fn property_facts(
        &mut self,
        name: &str,
        (sent, is_declared): (&[Part<'d>], bool),
        other: &Shape<'_, 'd>,
        base: &Base<'_, 'd>,
    ) -> Vec<Suspect> {
        let mut wanted = other.property(name);
        if sent.iter().any(|part| part.schema == &Value::Bool(false)) {
            let is_contrary = is_declared && sent.iter().all(|part| !is_forbidden_by_name(part));
            if !is_contrary {
                return Vec::new();
            }
            // Taken literally nothing is sent and everything is proven: compared as it was surely meant.
            let meant = |part: &&Part<'d>| part.schema != &Value::Bool(false);
            let sent: Vec<Part<'d>> = sent.iter().filter(meant).cloned().collect();
            if other.declares(name) {
                wanted.retain(|part| meant(&part) || is_forbidden_by_name(part));
            }
            let found = self.compare(&sent, &wanted);
            let lifted = found.iter().map(|suspect| suspect.lifted(name, |_| None));
            return lifted.map(|suspect| suspect.because(Doubt::Contrary)).collect();
        }
        let forbidden = wanted.iter().find(|part| part.schema == &Value::Bool(false));
        if let Some(forbidden) = forbidden {
            let (holder, keyword) = holder(forbidden);
            let values = base.with_each(name, self.sampler().any(sent));
            let mut suspect = Suspect::shown_by(holder, &keyword, values).naming(name);
            suspect.path = format!("/{}", name.replace('~', "~0").replace('/', "~1"));
            return vec![suspect];
        }
        if wanted.is_empty() {
            return Vec::new();
        }
        let found = self.compare(sent, &wanted);
        found.iter().map(|suspect| suspect.lifted(name, |inner| base.with(name, inner))).collect()
    }

    /// Names that the sender invites without naming them.
    fn extra_facts(
        &mut self,
        extras: &[Part<'d>],
        to: &Branch<'d>,
        base: &Base<'_, 'd>,
    ) -> Vec<Suspect> {
        let with = |inner: &Candidate| base.with(OTHER, inner);
        let mut found = Vec::new();
        for part in &to.parts {
            let keywords = ["additionalProperties", "unevaluatedProperties"];
            let more: Vec<Part<'d>> =
                keywords.iter().filter_map(|keyword| part.child(keyword)).collect();
            for more in more {
                if more.schema == &Value::Bool(false) {
                    let (holder, keyword) = holder(&more);
                    let values = base.with_each(OTHER, self.sampler().any(extras));
                    found.push(Suspect::shown_by(holder, &keyword, values));
                } else {
                    let inner = self.compare(extras, &[more]);
                    found.extend(inner.iter().map(|suspect| suspect.lifted("{}", with)));
                }
            }
            if let Some(patterns) = part.get("patternProperties").and_then(Value::as_object) {
                for (pattern, _) in patterns {
                    let wanted: Vec<_> =
                        part.member("patternProperties", pattern).into_iter().collect();
                    let inner = self.compare(extras, &wanted);
                    found.extend(inner.iter().map(|suspect| suspect.lifted("{}", |_| None)));
                }
            }
        }
        found
    }

    /// `propertyNames` and names that `dependentRequired` demands.
    fn name_facts(
        &mut self,
        own: &Shape<'_, 'd>,
        to: &Branch<'d>,
        base: &Base<'_, 'd>,
    ) -> Vec<Suspect> {
        let mut found = Vec::new();
        for part in &to.parts {
            if let Some(wanted) = part.child("propertyNames") {
                found.extend(self.spelling_facts(own, &wanted, part));
            }
            let dependent = part.get("dependentRequired").and_then(Value::as_object);
            for (trigger, needed) in dependent.into_iter().flatten() {
                found.extend(dependent_fact(own, part, (trigger, needed), base));
            }
        }
        found
    }

    fn spelling_facts(
        &mut self,
        own: &Shape<'_, 'd>,
        wanted: &Part<'d>,
        part: &Part<'d>,
    ) -> Vec<Suspect> {
        if own
            .branch
            .parts
            .iter()
            .any(|own| own.child("propertyNames").is_some_and(|names| self.is_same(&names, wanted)))
        {
            return Vec::new();
        }
        let suspect = || Suspect::new(part.place.clone(), "propertyNames", Vec::new());
        if refers(wanted.schema) || own.extras().is_some() {
            return vec![suspect().because(Doubt::Unsupported)];
        }
        let refused = |name: &&&str| {
            !self.algebra.accepts(wanted.schema, &Value::String((**name).to_owned()))
        };
        own.names().iter().filter(refused).map(|name| suspect().naming(name)).collect()
    }
}

/// Names that the receiver demands and the sender may leave out.
fn required_facts<'d>(from: &Branch<'d>, to: &Branch<'d>, base: &Base<'_, 'd>) -> Vec<Suspect> {
    let sent = required(&from.parts);
    let mut found = Vec::new();
    for part in &to.parts {
        let names = part.get("required").and_then(Value::as_array).into_iter().flatten();
        for name in names.filter_map(Value::as_str).filter(|name| !sent.contains(name)) {
            let without = base.without(name).into_iter().collect();
            let suspect = Suspect::new(part.place.clone(), "required", without);
            found.push(suspect.naming(name));
        }
    }
    found
}

fn dependent_fact<'d>(
    own: &Shape<'_, 'd>,
    part: &Part<'d>,
    (trigger, needed): (&str, &Value),
    base: &Base<'_, 'd>,
) -> Option<Suspect> {
    let sent = required(&own.branch.parts);
    let is_known =
        own.branch.parts.iter().any(|part| {
            part.get("dependentRequired").and_then(|map| map.get(trigger)) == Some(needed)
        });
    if is_known || !own.names().contains(trigger) && own.extras().is_none() {
        return None;
    }
    let names = needed.as_array().into_iter().flatten().filter_map(Value::as_str);
    let missing: Vec<&str> = names.filter(|name| !sent.contains(name)).collect();
    let name = missing.first()?;
    let triggers = base.object().is_some_and(|object| object.contains_key(trigger));
    let candidate = triggers.then(|| base.without(name)).flatten().into_iter().collect();
    let suspect = Suspect::new(part.place.clone(), "dependentRequired", candidate);
    Some(suspect.naming(name))
}

/// The patterns of names that an alternative describes, with their schemas.
fn patterns<'d>(branch: &Branch<'d>) -> BTreeMap<&'d str, Part<'d>> {
    let mut found = BTreeMap::new();
    for part in &branch.parts {
        let members = part.get("patternProperties").and_then(Value::as_object);
        for (pattern, _) in members.into_iter().flatten() {
            if let Some(schema) = part.member("patternProperties", pattern) {
                found.insert(pattern.as_str(), schema);
            }
        }
    }
    found
}

/// Whether a schema allows everything.
fn says_nothing(part: &Part<'_>) -> bool {
    part.schema == &Value::Bool(true) || part.schema.as_object().is_some_and(Map::is_empty)
}

/// Whether a `false` stands below the very name that it forbids.
fn is_forbidden_by_name(part: &Part<'_>) -> bool {
    let is_extra = |keyword: &str| part.place.pointer.ends_with(keyword);
    part.schema == &Value::Bool(false)
        && !is_extra("/additionalProperties")
        && !is_extra("/unevaluatedProperties")
}

/// The schema around a `false`, and the keyword that leads to it.
fn holder(part: &Part<'_>) -> (super::book::Place, String) {
    let pointer = part.place.pointer.to_string();
    let (before, last) = pointer.rsplit_once('/').unwrap_or(("", ""));
    let is_map = |name: &str| before.ends_with(name);
    let (around, keyword) = if is_map("/properties") || is_map("/patternProperties") {
        let (around, keyword) = before.rsplit_once('/').unwrap_or(("", ""));
        (around, keyword)
    } else {
        (before, last)
    };
    let place = super::book::Place { key: part.place.key.clone(), pointer: around.into() };
    (place, keyword.to_owned())
}
