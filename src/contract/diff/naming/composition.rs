//! Branches of unions, negation, conditions and discriminators.

use std::collections::BTreeMap;

use serde_json::Value;

use super::super::inclusion::book::Part;
use super::view::{Union, View};
use super::{Naming, Pair, Walk, Written};

/// Keywords under which inclusion speaks of a branch that is missing.
const BRANCHES: &[&str] = &["oneOf", "anyOf", "type", "enum", "const"];

impl<'d> Walk<'d> {
    /// One side is a union, the other is not: told as such, since their keywords cannot be set side by side.
    pub(super) fn union_alone(&mut self, pair: &Pair<'_, 'd>) {
        let (step, view) = match pair.new.unions.first() {
            Some(_) => ("added", pair.new),
            None => ("removed", pair.old),
        };
        let Some(union) = view.unions.first() else { return };
        let shown = Some(of_union(union));
        let stem = format!("{}-{step}", stem(union.keyword));
        let naming = Naming::new(String::new(), union.keyword, &[]);
        let naming = match step {
            "added" => naming.between(pair.old.shown(), shown),
            _ => naming.between(shown, pair.new.shown()),
        };
        self.note_here(pair, &stem, naming);
    }

    pub(super) fn compositions(&mut self, pair: &Pair<'_, 'd>) {
        if !pair.old.unions.is_empty() {
            self.unions(pair);
        }
        for keyword in ["not", "if", "then", "else"] {
            self.present(pair, keyword, keyword);
        }
        self.discriminators(pair);
    }

    fn unions(&mut self, pair: &Pair<'_, 'd>) {
        let all = |view: &View<'d>| -> Vec<(&'static str, Part<'d>)> {
            let of = |union: &Union<'d>| {
                let keyword = union.keyword;
                union
                    .branches
                    .iter()
                    .map(move |branch| (keyword, branch.clone()))
                    .collect::<Vec<_>>()
            };
            view.unions.iter().flat_map(of).collect()
        };
        let (old, mut new) = (all(pair.old), all(pair.new));
        let mut lost = old;
        let tests: [fn(&Part<'_>, &Part<'_>) -> bool; 4] =
            [is_named_alike, is_tagged_alike, is_alike, is_of_one_type];
        for test in tests {
            lost.retain(|(_, branch)| {
                let Some(index) = new.iter().position(|(_, other)| test(branch, other)) else {
                    return true;
                };
                let (_, other) = new.remove(index);
                self.later(vec![branch.clone()], vec![other], pair.path.to_owned());
                false
            });
        }
        for (keyword, branch) in &lost {
            let naming =
                Naming::new(String::new(), keyword, BRANCHES).between(Some(written(branch)), None);
            self.note_here(pair, &format!("{}-removed", stem(keyword)), naming);
        }
        for (keyword, branch) in &new {
            let naming =
                Naming::new(String::new(), keyword, BRANCHES).between(None, Some(written(branch)));
            self.note_here(pair, &format!("{}-added", stem(keyword)), naming);
        }
    }

    fn discriminators(&mut self, pair: &Pair<'_, 'd>) {
        let (old, new) =
            (pair.old.annotation("discriminator"), pair.new.annotation("discriminator"));
        let naming =
            || Naming::new(String::new(), "discriminator", &[]).between(old.clone(), new.clone());
        let (Some(before), Some(after)) = (&old, &new) else {
            match (&old, &new) {
                (None, Some(_)) => self.note_here(pair, "discriminator-added", naming()),
                (Some(_), None) => self.note_here(pair, "discriminator-removed", naming()),
                _ => {}
            }
            return;
        };
        if before.value.get("propertyName") != after.value.get("propertyName") {
            self.note_here(pair, "discriminator-property-name-changed", naming());
        }
        let mapping = |written: &Written| {
            written.value.get("mapping").and_then(Value::as_object).cloned().unwrap_or_default()
        };
        let (old_map, new_map) = (mapping(before), mapping(after));
        let mut stems = [false; 3];
        for (name, target) in &old_map {
            match new_map.get(name) {
                None => stems[1] = true,
                Some(other) if other != target && !is_unnamed(other) && !is_unnamed(target) => {
                    stems[2] = true;
                }
                Some(_) => {}
            }
        }
        stems[0] = new_map.keys().any(|name| !old_map.contains_key(name));
        let words = ["mapping-added", "mapping-deleted", "mapping-changed"];
        for (word, _) in words.iter().zip(stems).filter(|(_, is)| *is) {
            self.note_here(pair, &format!("discriminator-{word}"), naming());
        }
    }
}

/// Whether the same properties have the same constants, as tagged variants do.
fn is_tagged_alike(left: &Part<'_>, right: &Part<'_>) -> bool {
    let tags = constants(left);
    !tags.is_empty() && tags == constants(right)
}

fn constants<'d>(part: &Part<'d>) -> BTreeMap<&'d str, Value> {
    let properties = View::of(std::slice::from_ref(part)).properties();
    let tags = properties.into_iter().filter_map(|(name, schemas)| {
        let constant = View::of(&schemas).first("const")?;
        Some((name, constant.value))
    });
    tags.collect()
}

fn stem(keyword: &str) -> &'static str {
    if keyword == "anyOf" { "any-of" } else { "one-of" }
}

fn of_union(union: &Union<'_>) -> Written {
    let branches = union.branches.iter().map(|branch| branch.schema.clone()).collect();
    Written { place: union.place.below(union.keyword), value: Value::Array(branches) }
}

fn written(part: &Part<'_>) -> Written {
    Written { place: part.place.clone(), value: part.schema.clone() }
}

fn is_unnamed(target: &Value) -> bool {
    target.as_str().is_some_and(|text| text.contains("/at+"))
}

/// Both refer to the component of one name.
fn is_named_alike(old: &Part<'_>, new: &Part<'_>) -> bool {
    let (old, new) = (old.resolved().place, new.resolved().place);
    old == new && old.pointer.is_empty() && !old.key.starts_with("at+")
}

/// Equal, or most declared properties are common.
fn is_alike(old: &Part<'_>, new: &Part<'_>) -> bool {
    if old.schema == new.schema {
        return true;
    }
    let names = |part: &Part<'_>| -> Vec<String> {
        let view = View::of(std::slice::from_ref(part));
        view.properties().keys().map(|name| (*name).to_owned()).collect()
    };
    let (old, new) = (names(old), names(new));
    let common = old.iter().filter(|name| new.contains(name)).count();
    common > 0 && 2 * common >= old.len() + new.len() - common
}

/// Both are scalars or lists of the same type.
fn is_of_one_type(old: &Part<'_>, new: &Part<'_>) -> bool {
    let types = |part: &Part<'_>| View::of(std::slice::from_ref(part)).types();
    let is_object = |part: &Part<'_>| part.resolved().get("properties").is_some();
    types(old) == types(new) && !is_object(old) && !is_object(new)
}
