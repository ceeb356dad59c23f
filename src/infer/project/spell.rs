//! The spelling of schemas in either dialect (`spec/inference.md` 11.4): `nullable` and `oneOf` in 3.0, type arrays in 3.1.
//!
//! Owns what a dialect can say beside a reference and beside null. Refuses to decide anything, and to own what surrounds a
//! schema (`write`).

use serde_json::{Map, Value, json};

use super::ir::{Access, Choice, Kinds, Property, Schema, Support};
use super::xml::Xml;
use crate::infer::Dialect;

/// How schemas are written.
#[derive(Clone, Copy)]
pub(super) struct Speller {
    pub(super) dialect: Dialect,
    /// Whether `x-driftgate-*` members say how sure each fact is.
    pub(super) extensions: bool,
}

impl Speller {
    pub(super) fn schema(self, schema: &Schema) -> Value {
        let kinds: Vec<(Kinds, &str)> =
            Kinds::NAMES.into_iter().filter(|(kind, _)| schema.kinds.has(*kind)).collect();
        let nullable = schema.kinds.has(Kinds::NULL);
        let referring = schema.reference.is_some() || schema.choice.is_some();
        match (kinds.as_slice(), self.dialect) {
            // Only null was seen, or nothing: that tells no type.
            ([], _) => self.stream(&schema.stream).into(),
            ([(kind, name)], Dialect::OpenApi30) => self.of_kind_3_0(schema, *kind, name).into(),
            (kinds, Dialect::OpenApi31) if !referring => self.of_kinds_3_1(schema, kinds).into(),
            (kinds, dialect) => {
                let three_one = dialect == Dialect::OpenApi31;
                let mut branches: Vec<Value> = kinds
                    .iter()
                    .map(|(kind, name)| match dialect {
                        Dialect::OpenApi30 => self.of_kind_3_0(schema, *kind, name).into(),
                        Dialect::OpenApi31 => self.of_kind(schema, *kind, name).into(),
                    })
                    .collect();
                if three_one && nullable {
                    branches.push(json!({ "type": "null" }));
                }
                if let (1, Some(only)) = (branches.len(), branches.first()) {
                    return only.clone();
                }
                // With null every branch of 3.0 would hold at once, which `oneOf` forbids.
                let word = if nullable { "anyOf" } else { "oneOf" };
                json!({ word: branches })
            }
        }
    }

    /// One kind, which may be null.
    fn of_kind_3_0(self, schema: &Schema, kind: Kinds, name: &str) -> Map<String, Value> {
        let mut value = self.of_kind(schema, kind, name);
        if !schema.kinds.has(Kinds::NULL) {
            return value;
        }
        make_room(&mut value, self.dialect);
        value.insert("nullable".into(), true.into());
        if let Some(Value::Array(values)) = value.get_mut("enum") {
            values.push(Value::Null);
        }
        value
    }

    /// All kinds in one schema.
    fn of_kinds_3_1(self, schema: &Schema, kinds: &[(Kinds, &str)]) -> Map<String, Value> {
        let nullable = schema.kinds.has(Kinds::NULL);
        let mut names: Vec<Value> = kinds.iter().map(|(_, name)| (*name).into()).collect();
        if nullable {
            names.push("null".into());
        }
        let mut value = Map::new();
        let single = names.len() == 1;
        value.insert("type".into(), if single { names.remove(0) } else { names.into() });
        for (kind, _) in kinds {
            self.describe(schema, *kind, &mut value);
        }
        value.extend(schema.xml.as_ref().map(|xml| ("xml".to_owned(), of_xml(xml))));
        if let (true, Some(Value::Array(values))) = (nullable, value.get_mut("enum")) {
            values.push(Value::Null);
        }
        value
    }

    fn of_kind(self, schema: &Schema, kind: Kinds, name: &str) -> Map<String, Value> {
        let mut value = Map::new();
        if let Some(component) = schema.reference.as_ref().filter(|_| kind == Kinds::OBJECT) {
            value.insert("$ref".into(), pointer(component).into());
            return value;
        }
        if let Some(choice) = schema.choice.as_ref().filter(|_| kind == Kinds::OBJECT) {
            return choice_value(choice);
        }
        value.insert("type".into(), name.into());
        self.describe(schema, kind, &mut value);
        value.extend(schema.xml.as_ref().map(|xml| ("xml".to_owned(), of_xml(xml))));
        value
    }

    /// The schema of the items of a stream, or one for each event; nothing for what is no stream.
    fn stream(self, items: &[(String, Schema)]) -> Map<String, Value> {
        let item = match items {
            [] => None,
            [(event, only)] if event.is_empty() => Some(self.schema(only)),
            items => {
                let events = items.iter().map(|(event, item)| (event.clone(), self.schema(item)));
                Some(Value::Object(events.collect()))
            }
        };
        let item = item.filter(|_| self.extensions);
        item.map(|item| ("x-driftgate-item".to_owned(), item)).into_iter().collect()
    }

    /// The keywords that belong to one kind.
    fn describe(self, schema: &Schema, kind: Kinds, value: &mut Map<String, Value>) {
        if kind == Kinds::INTEGER || kind == Kinds::STRING {
            let int = kind == Kinds::INTEGER;
            if let Some(format) = schema.format.filter(|format| (*format == "int64") == int) {
                value.insert("format".into(), format.into());
            }
        }
        if let Some((least, most)) =
            schema.range.filter(|_| kind == Kinds::INTEGER && self.extensions)
        {
            value.insert("x-driftgate-range".into(), json!({ "min": least, "max": most }));
        }
        if kind == Kinds::BOOLEAN && !schema.values.is_empty() {
            let values = schema.values.iter().map(|value| Value::Bool(value == "true"));
            value.insert("enum".into(), values.collect());
        }
        if kind == Kinds::STRING {
            if !schema.excluded.is_empty() {
                value.insert("not".into(), json!({ "enum": schema.excluded }));
            }
            if !schema.values.is_empty() {
                value.insert("enum".into(), schema.values.clone().into());
            }
            value.extend(self.stream(&schema.stream));
            if let Some(class) = schema.class.filter(|_| self.extensions) {
                value.insert("x-driftgate-class".into(), class.into());
            }
            if !schema.seen.is_empty() && self.extensions {
                value.insert("x-driftgate-values".into(), schema.seen.clone().into());
            }
        }
        if kind == Kinds::ARRAY {
            let items =
                schema.items.as_deref().map_or_else(|| json!({}), |items| self.schema(items));
            value.insert("items".into(), items);
        }
        if kind == Kinds::OBJECT {
            self.members(schema, value);
        }
    }

    fn members(self, schema: &Schema, value: &mut Map<String, Value>) {
        let required: Vec<Value> = schema
            .properties
            .iter()
            .filter(|property| property.required)
            .map(|property| property.name.as_str().into())
            .collect();
        if !required.is_empty() {
            value.insert("required".into(), required.into());
        }
        if !schema.properties.is_empty() {
            let properties: Map<String, Value> = schema
                .properties
                .iter()
                .map(|property| (property.name.clone(), self.property(property)))
                .collect();
            value.insert("properties".into(), properties.into());
        }
        if let Some(additional) = &schema.additional {
            value.insert("additionalProperties".into(), self.schema(additional));
        }
    }

    fn property(self, property: &Property) -> Value {
        let mut value = self.schema(&property.schema);
        let access = match property.access {
            Access::Both => None,
            Access::ReadOnly => Some("readOnly"),
            Access::WriteOnly => Some("writeOnly"),
        };
        let Some(members) = value.as_object_mut() else { return value };
        if let Some(access) = access {
            make_room(members, self.dialect);
            members.insert(access.into(), true.into());
        }
        // Beside a reference of 3.0 there is no room.
        if self.extensions && !members.contains_key("$ref") {
            if property.undecided {
                members.insert("x-driftgate-undecided".into(), true.into());
            }
            members.insert("x-driftgate-evidence".into(), evidence(property.support).into());
        }
        value
    }
}

/// What stands beside a reference is ignored in 3.0: there the reference moves into a composition.
fn make_room(schema: &mut Map<String, Value>, dialect: Dialect) {
    if dialect == Dialect::OpenApi30
        && let Some(reference) = schema.remove("$ref")
    {
        schema.insert("allOf".into(), json!([{ "$ref": reference }]));
    }
}

/// How sure a fact is.
pub(super) fn evidence(support: Support) -> Map<String, Value> {
    let mut value = Map::new();
    value.insert("n".into(), support.n.into());
    value.insert("k".into(), support.k.into());
    value.insert("level".into(), support.level().into());
    value
}

fn pointer(component: &str) -> String {
    format!("#/components/schemas/{component}")
}

fn choice_value(choice: &Choice) -> Map<String, Value> {
    let components = choice.components.iter().map(|name| json!({ "$ref": pointer(name) }));
    let mut value = Map::from_iter([("oneOf".to_owned(), components.collect())]);
    if let Some(tag) = &choice.tag {
        let mapping: Map<String, Value> = choice
            .values
            .iter()
            .zip(&choice.components)
            .map(|(value, name)| (value.clone(), pointer(name).into()))
            .collect();
        let discriminator = json!({ "propertyName": tag, "mapping": mapping });
        value.insert("discriminator".into(), discriminator);
    }
    value
}

fn of_xml(xml: &Xml) -> Value {
    let mut value = Map::new();
    let name = xml.name.as_ref().map(|name| ("name", name));
    let prefix = xml.prefix.as_ref().map(|prefix| ("prefix", prefix));
    for (key, text) in name.into_iter().chain(prefix) {
        value.insert(key.to_owned(), text.as_str().into());
    }
    if xml.attribute {
        value.insert("attribute".to_owned(), true.into());
    }
    value.into()
}
