//! What the schemas of one place say together, while a plan is made.
//!
//! Owns collecting names, enums and the schemas further down. Refuses to own the walk (`compile`).

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value};

use super::Node;
use super::compile::{Compiler, Unprovable};

/// A schema that applies, by its address: those of one bundle stay where they are.
#[derive(Debug, Clone, Copy)]
pub(super) struct Applied<'b>(pub(super) &'b Value);

impl Applied<'_> {
    pub(super) fn address(&self) -> usize {
        std::ptr::from_ref(self.0).addr()
    }
}

impl PartialEq for Applied<'_> {
    fn eq(&self, other: &Self) -> bool {
        self.address() == other.address()
    }
}

impl Eq for Applied<'_> {}

impl PartialOrd for Applied<'_> {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Applied<'_> {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        self.address().cmp(&other.address())
    }
}

/// Schemas that apply to the same values.
pub(super) type Set<'b> = BTreeSet<Applied<'b>>;

/// What the schemas of one place say, before it becomes a [`Node`].
#[derive(Default)]
pub(super) struct Found<'b> {
    pub(super) names: BTreeSet<&'b str>,
    /// Schemas that hold `properties` and the like: what applies to a name depends on each by itself.
    pub(super) objects: Vec<&'b Map<String, Value>>,
    pub(super) items: Set<'b>,
    pub(super) name_schemas: Set<'b>,
    pub(super) patterns: BTreeSet<&'b str>,
    /// Members of enums, each with the enums that list it.
    members: BTreeMap<&'b str, BTreeSet<usize>>,
    enums: usize,
    pub(super) node: Node,
}

impl<'b> Found<'b> {
    /// Notes the names that a structural keyword tells apart.
    pub(super) fn name(&mut self, keyword: &str, written: &'b Value) {
        let names =
            |list: &'b Value| list.as_array().into_iter().flatten().filter_map(Value::as_str);
        match keyword {
            "required" => self.names.extend(names(written)),
            "dependentRequired" => {
                for (name, list) in written.as_object().into_iter().flatten() {
                    self.names.insert(name);
                    self.names.extend(names(list));
                }
            }
            _ => {}
        }
    }

    /// Notes the members of an enum. Two members that the same enums list are one to whoever asks.
    pub(super) fn enumerate(
        &mut self,
        members: &'b [Value],
        compiler: &mut Compiler<'b, '_>,
    ) -> Result<(), Unprovable> {
        self.enums += 1;
        let mut has_numbers = false;
        for member in members {
            match member {
                Value::Null => {}
                Value::Bool(_) => self.node.tests.booleans = true,
                Value::Number(_) => has_numbers = true,
                Value::String(text) => {
                    self.members.entry(text).or_default().insert(self.enums);
                }
                Value::Array(_) | Value::Object(_) => return Err(Unprovable),
            }
        }
        if has_numbers {
            let numbers = members.iter().filter(|member| member.is_number()).cloned().collect();
            let keyword = compiler.keyword("enum", &Value::Array(numbers))?;
            self.node.tests.numbers.push(keyword);
        }
        Ok(())
    }

    /// A discriminator's value chooses the branch that errors are told of.
    pub(super) fn discriminate(&mut self, written: &'b Value) {
        if let Some(name) = written.get("propertyName").and_then(Value::as_str) {
            self.names.insert(name);
        }
    }

    /// Notes a text that is told apart from all others.
    pub(super) fn list(&mut self, text: &'b str) {
        self.enums += 1;
        self.members.entry(text).or_default().insert(self.enums);
    }

    pub(super) fn number_members(&mut self) {
        let mut numbers: BTreeMap<&BTreeSet<usize>, u64> = BTreeMap::new();
        for enums in self.members.values() {
            let next = numbers.len() as u64 + 1;
            numbers.entry(enums).or_insert(next);
        }
        let numbered = self.members.iter().map(|(text, enums)| {
            (Box::from(text.as_bytes()), numbers.get(enums).copied().unwrap_or(0))
        });
        self.node.tests.members = numbered.collect();
    }

    /// Schemas of the value under a name that is told apart.
    pub(super) fn of_name(&self, name: &str) -> Set<'b> {
        let mut set = Set::new();
        for object in &self.objects {
            let own = object.get("properties").and_then(|schemas| schemas.get(name));
            set.extend(own.map(Applied));
            let additional = object.get("additionalProperties").filter(|_| own.is_none());
            set.extend(additional.map(Applied));
            set.extend(by_rule(object));
            let discriminator = object.get("discriminator");
            let chooses = |written: &&Value| {
                written.get("propertyName").and_then(Value::as_str) == Some(name)
            };
            set.extend(discriminator.filter(chooses).map(Applied));
        }
        set
    }

    /// Schemas of the values under all other names.
    pub(super) fn of_others(&self) -> Set<'b> {
        let mut set = Set::new();
        for object in &self.objects {
            set.extend(object.get("additionalProperties").map(Applied));
            set.extend(by_rule(object));
        }
        set
    }
}

/// Schemas that may apply to the value under any name.
fn by_rule(object: &Map<String, Value>) -> impl Iterator<Item = Applied<'_>> {
    let patterns = object.get("patternProperties").and_then(Value::as_object).into_iter();
    let patterns = patterns.flat_map(|schemas| schemas.values());
    patterns.chain(object.get("unevaluatedProperties")).map(Applied)
}
