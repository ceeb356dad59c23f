//! Which declared fields an answer holds, so that drift can tell when one is seen no more.
//!
//! Owns the walk of a value beside its schema, within limits. Refuses to own counting.

use std::collections::BTreeMap;

use serde_json::Value;

use super::super::body::push_step;
use super::super::wire::Wire;

const DEPTH_MAX: usize = 16;

/// Items of an array that are looked at.
const ITEMS_MAX: usize = 64;

/// Fields of one answer that are followed.
pub(super) const FIELDS_MAX: usize = 512;

/// Optional declared fields whose parent is there, by generalised pointer: whether any parent holds them.
pub(super) fn fields(wire: Wire<'_>, schema: &Value, value: &Value) -> BTreeMap<String, bool> {
    let mut walk = Walk { wire, found: BTreeMap::new(), place: String::new() };
    walk.visit(schema, value, 0);
    walk.found
}

struct Walk<'s> {
    wire: Wire<'s>,
    found: BTreeMap<String, bool>,
    place: String,
}

impl<'s> Walk<'s> {
    fn visit(&mut self, schema: &'s Value, value: &Value, depth: usize) {
        if depth > DEPTH_MAX || self.found.len() >= FIELDS_MAX {
            return;
        }
        let length = self.place.len();
        match value {
            Value::Array(items) => {
                let Some(inner) = self.wire.items(schema) else { return };
                push_step(&mut self.place, "*");
                for item in items.iter().take(ITEMS_MAX) {
                    self.visit(inner, item, depth + 1);
                }
                self.place.truncate(length);
            }
            Value::Object(members) => {
                let required = self.wire.required_names(schema);
                for name in self.wire.property_names(schema) {
                    push_step(&mut self.place, name);
                    let member = members.get(name);
                    if !required.contains(&name) && self.found.len() < FIELDS_MAX {
                        match self.found.get_mut(&self.place) {
                            Some(is_there) => *is_there |= member.is_some(),
                            None => drop(self.found.insert(self.place.clone(), member.is_some())),
                        }
                    }
                    if let (Some(member), Some(inner)) = (member, self.wire.property(schema, name))
                    {
                        self.visit(inner, member, depth + 1);
                    }
                    self.place.truncate(length);
                }
            }
            _ => {}
        }
    }
}
