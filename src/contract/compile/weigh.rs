//! How much work it is to list everything that is wrong with a value.
//!
//! Owns the guard against schemas whose errors multiply: a recursive union lists the errors of each branch, of each branch of
//! those, and so on, twice as many per level. Counting them needs only a sum per pair of schema and value, so that it is quick
//! where listing them would never end. Refuses to own validation itself, which remembers what it knows.

use std::collections::BTreeMap;

use serde_json::Value;

/// Work beyond which errors are not listed.
pub(super) const WORK_MAX: u64 = 1_000_000;

/// Pairs of schema and value that are looked at before giving up.
const PAIRS_MAX: usize = 200_000;

/// Deepest nesting of schemas and values together.
const DEPTH_MAX: usize = 1_024;

/// Whether the errors of a value can be listed within bounds.
pub(super) fn is_bearable(bundle: &Value, schema: &Value, value: &Value) -> bool {
    let mut scale = Scale { bundle, known: BTreeMap::new() };
    scale.weigh(schema, value, 0) <= WORK_MAX
}

struct Scale<'b> {
    bundle: &'b Value,
    /// By the addresses of schema and value, which do not move meanwhile.
    known: BTreeMap<(usize, usize), u64>,
}

impl<'b> Scale<'b> {
    /// Visits of a validator that lists all errors.
    fn weigh(&mut self, schema: &'b Value, value: &Value, depth: usize) -> u64 {
        let Some(members) = schema.as_object() else { return 1 };
        let pair = (address(schema), address(value));
        if let Some(weight) = self.known.get(&pair) {
            return *weight;
        }
        if depth > DEPTH_MAX || self.known.len() > PAIRS_MAX {
            return WORK_MAX + 1;
        }
        // A pair met inside itself is a circle, which the validator cuts.
        self.known.insert(pair, 1);
        let mut weight = 1_u64;
        for (keyword, below) in members {
            let more = match keyword.as_str() {
                "$ref" => self.target(below).map_or(1, |next| self.weigh(next, value, depth + 1)),
                "allOf" | "anyOf" | "oneOf" => self.sum(below.as_array(), value, depth),
                "not" | "if" | "then" | "else" => self.weigh(below, value, depth + 1),
                "dependentSchemas" => {
                    let schemas = below.as_object().into_iter().flatten();
                    schemas.fold(0, |sum: u64, (_, one)| {
                        sum.saturating_add(self.weigh(one, value, depth + 1))
                    })
                }
                "properties" => self.weigh_properties(below, value, depth),
                "patternProperties" => {
                    let schemas = below.as_object().into_iter().flatten();
                    schemas.fold(0, |sum: u64, (_, one)| {
                        sum.saturating_add(self.weigh_children(one, value, depth))
                    })
                }
                "items"
                | "additionalProperties"
                | "contains"
                | "unevaluatedItems"
                | "unevaluatedProperties" => self.weigh_children(below, value, depth),
                "prefixItems" => {
                    let pairs = below.as_array().into_iter().flatten();
                    let items = value.as_array().into_iter().flatten();
                    pairs.zip(items).fold(0, |sum: u64, (one, item)| {
                        sum.saturating_add(self.weigh(one, item, depth + 1))
                    })
                }
                _ => 1,
            };
            weight = weight.saturating_add(more);
        }
        self.known.insert(pair, weight);
        weight
    }

    fn sum(&mut self, schemas: Option<&'b Vec<Value>>, value: &Value, depth: usize) -> u64 {
        schemas
            .into_iter()
            .flatten()
            .fold(0, |sum: u64, schema| sum.saturating_add(self.weigh(schema, value, depth + 1)))
    }

    fn weigh_properties(&mut self, properties: &'b Value, value: &Value, depth: usize) -> u64 {
        let members = value.as_object().into_iter().flatten();
        members.fold(0, |sum: u64, (name, member)| match properties.get(name) {
            Some(schema) => sum.saturating_add(self.weigh(schema, member, depth + 1)),
            None => sum,
        })
    }

    fn weigh_children(&mut self, schema: &'b Value, value: &Value, depth: usize) -> u64 {
        let items = value.as_array().into_iter().flatten();
        let members = value.as_object().into_iter().flatten().map(|(_, member)| member);
        items
            .chain(members)
            .fold(0, |sum: u64, child| sum.saturating_add(self.weigh(schema, child, depth + 1)))
    }

    fn target(&self, reference: &Value) -> Option<&'b Value> {
        let key = reference.as_str()?.strip_prefix("#/$defs/")?;
        self.bundle.get("$defs")?.get(key)
    }
}

fn address(value: &Value) -> usize {
    std::ptr::from_ref(value) as usize
}
