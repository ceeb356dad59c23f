//! Synthetic examples: values of the right type that nobody ever sent (`spec/inference.md` 11.7).
//!
//! Owns the placeholders. Refuses to look at traffic: an example is a function of the schema alone.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use super::ir::{Access, Kinds, Schema};

/// Levels of an example; below it members that are not required are left out, and then all are.
const DEPTH_MAX: usize = 8;

/// Which way a body goes: members that are sent the other way only are left out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Side {
    Request,
    Response,
}

/// Makes examples of schemas that may refer to components.
pub(super) struct Examples<'m> {
    components: BTreeMap<&'m str, &'m Schema>,
}

impl<'m> Examples<'m> {
    pub(super) fn of(components: &'m [(String, Schema)]) -> Self {
        Self { components: components.iter().map(|(name, schema)| (&**name, schema)).collect() }
    }

    /// An example; none of a schema that says nothing, and of files.
    pub(super) fn of_schema(&self, schema: &Schema, side: Side) -> Option<Value> {
        self.value(schema, side, 0)
    }

    fn value(&self, schema: &Schema, side: Side, depth: usize) -> Option<Value> {
        let schema = self.resolved(schema);
        let kind =
            Kinds::NAMES.into_iter().map(|(kind, _)| kind).find(|kind| schema.kinds.has(*kind))?;
        Some(match kind {
            Kinds::BOOLEAN => schema.values.first().is_none_or(|value| value == "true").into(),
            Kinds::INTEGER => json!(1),
            Kinds::NUMBER => json!(1.5),
            Kinds::STRING => text(schema)?.into(),
            Kinds::ARRAY => {
                let item = schema.items.as_deref().filter(|_| depth < DEPTH_MAX);
                item.and_then(|item| self.value(item, side, depth + 1)).into_iter().collect()
            }
            _ => self.object(schema, side, depth).into(),
        })
    }

    /// What a reference or the first of several choices leads to.
    fn resolved<'s>(&'s self, schema: &'s Schema) -> &'s Schema {
        let choice = schema.choice.as_ref().and_then(|choice| choice.components.first());
        match schema.reference.as_ref().or(choice).and_then(|name| self.components.get(&**name)) {
            Some(component) if component.choice.is_some() => {
                let first = component.choice.iter().filter_map(|choice| choice.components.first());
                first.into_iter().find_map(|name| self.components.get(&**name)).unwrap_or(component)
            }
            Some(component) => component,
            None => schema,
        }
    }

    fn object(&self, schema: &Schema, side: Side, depth: usize) -> Map<String, Value> {
        let other = if side == Side::Request { Access::ReadOnly } else { Access::WriteOnly };
        let sent = schema.properties.iter().filter(|property| property.access != other);
        let shown = sent.filter(|property| depth < DEPTH_MAX / 2 || property.required);
        let mut object = Map::new();
        for property in shown.filter(|_| depth < DEPTH_MAX) {
            if let Some(value) = self.value(&property.schema, side, depth + 1) {
                object.insert(property.name.clone(), value);
            }
        }
        let additional = schema.additional.as_deref().filter(|_| object.is_empty());
        let value = additional.and_then(|value| self.value(value, side, depth + 1));
        object.extend(value.map(|value| ("key".to_owned(), value)));
        object
    }
}

/// The placeholder of a text: the first of its values, else by format or class.
fn text(schema: &Schema) -> Option<&str> {
    if let Some(value) = schema.values.first() {
        return Some(value);
    }
    Some(match schema.format.or(schema.class) {
        Some("binary") => return None,
        Some("uuid") => "3f2504e0-4f89-41d3-9a0c-0305e82c3301",
        Some("date-time") => "2024-01-31T12:00:00Z",
        Some("local-date-time") => "2024-01-31T12:00:00",
        Some("date") => "2024-01-31",
        Some("time") => "12:00:00Z",
        Some("duration") => "P1D",
        Some("email") => "user@example.com",
        Some("uri") => "https://example.com/",
        Some("uri-path") => "/path",
        Some("ipv4") => "192.0.2.1",
        Some("ipv6") => "2001:db8::1",
        Some("hostname") => "example.com",
        Some("semver") => "1.0.0",
        Some("int" | "digits") => "1",
        Some("decimal") => "1.5",
        Some("country") => "DE",
        Some("currency") => "EUR",
        Some("locale") => "en-GB",
        Some("color") => "#336699",
        Some("bool-word") => "true",
        _ => "string",
    })
}
