//! Which branch of a failed union was meant, so that one missing field is not reported once per branch.
//!
//! Owns the order of belief: type, discriminator, tag, most matching properties (`spec/contract.md` 3, step 4). Where none of
//! them tells, the flaw is the union's own.

use serde_json::{Value, json};

use crate::model::kind::Kind;

use super::super::body::push_step;
use super::super::compile::{Detail, Step, Violation};
use super::super::specification::Side;
use super::flaw::{Flaw, Reading, brief, place, type_name};

/// What can be said of a union that accepts no branch.
enum Choice {
    /// This branch was meant; all of its violations count.
    Branch(usize),
    /// This branch was probably meant; only its deepest violations count.
    Likely(usize),
    /// No branch has the type.
    Mistyped,
    /// The discriminator names no branch.
    Unknown,
    None,
}

impl Reading<'_> {
    pub(super) fn read_union(&self, violation: Violation, found: &mut Vec<(Flaw, String)>) {
        let Detail::Union(branches) = &violation.detail else { return };
        let own_place = place(&violation.steps);
        match self.choose(&violation, branches) {
            Choice::Mistyped => found.push((self.mistyped(&violation, branches), own_place)),
            Choice::Unknown => {
                let name = self.discriminator(&violation).map(|(name, _)| name.to_owned());
                let step = name.map(Step::Name);
                let mut flaw = self.flaw(Kind::DiscriminatorUnknown, &violation, step.as_ref());
                "discriminator".clone_into(&mut flaw.location.keyword);
                let mapping = self.discriminator(&violation).map(|(_, mapping)| mapping);
                let known: Vec<&String> = mapping
                    .into_iter()
                    .filter_map(Value::as_object)
                    .flat_map(|map| map.keys())
                    .collect();
                flaw.expected = brief("discriminator", &json!(known));
                flaw.written = json!(known);
                flaw.observed = json!({"type": "string", "not_among": known.len()});
                found.push((flaw, own_place));
            }
            Choice::None => {
                let mut flaw = self.flaw(Kind::UnionNoBranch, &violation, None);
                flaw.expected = json!({violation.keyword: {"branches": branches.len()}});
                found.push((flaw, own_place));
            }
            Choice::Branch(index) => self.read_branch(violation, index, false, found),
            Choice::Likely(index) => self.read_branch(violation, index, true, found),
        }
    }

    fn read_branch(
        &self,
        violation: Violation,
        index: usize,
        deepest: bool,
        found: &mut Vec<(Flaw, String)>,
    ) {
        let Detail::Union(branches) = violation.detail else { return };
        let branch = branches.into_iter().nth(index).unwrap_or_default();
        let depth = branch.iter().map(|violation| violation.steps.len()).max().unwrap_or(0);
        for inner in branch {
            if !deepest || inner.steps.len() == depth {
                self.read(inner, found);
            }
        }
    }

    fn choose(&self, violation: &Violation, branches: &[Vec<Violation>]) -> Choice {
        let depth = violation.steps.len();
        let mistyped = |branch: &[Violation]| {
            branch.iter().any(|inner| inner.keyword == "type" && inner.steps.len() == depth)
        };
        let open: Vec<usize> =
            (0..branches.len()).filter(|index| !mistyped(&branches[*index])).collect();
        match open.as_slice() {
            [] => return Choice::Mistyped,
            [only] => return Choice::Branch(*only),
            _ => {}
        }
        if let Some(choice) = self.by_discriminator(violation, branches.len()) {
            return choice;
        }
        // A property that is fixed per branch and has another value tells that the branch was not meant.
        let other_tag = |inner: &Violation| {
            matches!(inner.keyword, "const" | "enum") && inner.steps.len() == depth + 1
        };
        let tagged: Vec<usize> =
            open.iter().copied().filter(|index| !branches[*index].iter().any(other_tag)).collect();
        match tagged.as_slice() {
            [only] => Choice::Branch(*only),
            [] => Choice::None,
            _ => self.by_properties(violation, branches, &tagged),
        }
    }

    /// The branch with the most matching properties; of several the one with the fewest violations.
    fn by_properties(
        &self,
        violation: &Violation,
        branches: &[Vec<Violation>],
        candidates: &[usize],
    ) -> Choice {
        let value = self.value_at(&violation.steps);
        let Some(Value::Object(members)) = value else { return Choice::None };
        let mut scored: Vec<(usize, usize, usize)> = candidates
            .iter()
            .map(|index| {
                let names = self.names_of_branch(violation, *index);
                let matching = members.keys().filter(|name| names.contains(&name.as_str())).count();
                (matching, usize::MAX - branches[*index].len(), *index)
            })
            .collect();
        scored.sort_unstable();
        let (best, second) = (scored.pop(), scored.pop());
        match (best, second) {
            (Some((0, ..)) | None, _) => Choice::None,
            (Some((matching, few, _)), Some((also, same, _)))
                if (matching, few) == (also, same) =>
            {
                Choice::None
            }
            (Some((_, _, index)), _) => Choice::Likely(index),
        }
    }

    /// Names that a branch declares, references followed.
    fn names_of_branch(&self, violation: &Violation, index: usize) -> Vec<&str> {
        let pointer = format!("{}/{}/{index}", violation.schema, violation.keyword);
        let branch = self.wire.schemas.bundle(self.wire.side).pointer(&pointer);
        branch.map(|branch| self.wire.property_names(branch)).unwrap_or_default()
    }

    fn by_discriminator(&self, violation: &Violation, branches: usize) -> Option<Choice> {
        let (name, mapping) = self.discriminator(violation)?;
        let tag = self.value_at(&violation.steps)?.get(name)?.as_str()?;
        let mut at = place(&violation.steps);
        push_step(&mut at, name);
        if self.withheld.covers(&at) {
            return None;
        }
        let Some(target) = mapping.get(tag) else {
            return (mapping.as_object().is_some_and(|map| !map.is_empty()))
                .then_some(Choice::Unknown);
        };
        let branch = (0..branches).find(|index| {
            violation.written.get(*index).and_then(|schema| schema.get("$ref")) == Some(target)
        });
        Some(branch.map_or(Choice::None, Choice::Branch))
    }

    /// Property name and mapping of the discriminator beside a union.
    fn discriminator(&self, violation: &Violation) -> Option<(&str, &Value)> {
        let bundle = self.wire.schemas.bundle(self.wire.side);
        let discriminator = bundle.pointer(&violation.schema)?.get("discriminator")?;
        Some((discriminator.get("propertyName")?.as_str()?, discriminator.get("mapping")?))
    }

    /// All branches together name the allowed types.
    fn mistyped(&self, violation: &Violation, branches: &[Vec<Violation>]) -> Flaw {
        let mut types: Vec<String> = branches
            .iter()
            .flatten()
            .filter(|inner| inner.keyword == "type" && inner.steps.len() == violation.steps.len())
            .flat_map(|inner| match &inner.written {
                Value::String(name) => vec![name.clone()],
                Value::Array(names) => {
                    names.iter().filter_map(|name| name.as_str().map(str::to_owned)).collect()
                }
                _ => Vec::new(),
            })
            .collect();
        types.sort_unstable();
        types.dedup();
        let seen = self.value_at(&violation.steps);
        let in_response = self.wire.side == Side::Response;
        let kind = match seen {
            Some(Value::Null) if in_response => Kind::NullUnexpected,
            _ => Kind::TypeChanged,
        };
        let mut flaw = self.flaw(kind, violation, None);
        "type".clone_into(&mut flaw.location.keyword);
        flaw.expected = json!({"type": types});
        flaw.observed = json!({"type": seen.map_or("null", type_name)});
        flaw.written(json!(types))
    }
}
