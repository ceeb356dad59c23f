//! Decisions that people made about operations and properties, put into a finished document (`spec/inference.md` 11.2).
//!
//! Owns what each pin does to the document, in either dialect, and what there is to say of it: that it met nothing, or stands
//! against counts. Refuses to weigh anything.

use serde_json::{Map, Value, json};

use crate::infer::options::{Fact, Operation};
use crate::infer::{Dialect, ProjectOptions};

/// Longest chain of references that is followed.
const REFERENCES_MAX: usize = 32;

/// What is to be said of pins.
#[derive(Debug, Default)]
pub(super) struct Remarks {
    pub(super) without_effect: Vec<String>,
    /// Pins that counts speak against.
    pub(super) against: Vec<String>,
}

/// Applies all pins of operations and properties. `moved`: the base path that went to the servers, with which operations may be
/// pinned too.
pub(super) fn apply(document: &mut Value, options: &ProjectOptions, moved: &str) -> Remarks {
    let mut remarks = Remarks::default();
    let (pins, dialect) = (&options.pins, options.dialect);
    for (name, operation) in &pins.operation {
        if name_operation(document, (name, moved), operation).is_none() {
            remarks.without_effect.push(format!("operation `{name}`"));
        }
    }
    for (pointer, fact) in &pins.fact {
        match state(document, pointer, fact, dialect) {
            Some(Some(against)) => remarks.against.push(format!("`{pointer}` {against}")),
            Some(None) => {}
            None => remarks.without_effect.push(format!("fact `{pointer}`")),
        }
    }
    remarks
}

/// Names an operation by its method and template, whatever its parameters are called.
fn name_operation(
    document: &mut Value,
    (name, moved): (&str, &str),
    pin: &Operation,
) -> Option<()> {
    let (method, template) = name.split_once(' ')?;
    let paths = document.get_mut("paths")?.as_object_mut()?;
    let wanted = [erased(template), erased(template.strip_prefix(moved).unwrap_or(template))];
    let item = paths.iter_mut().find(|(path, _)| wanted.contains(&erased(path)))?.1;
    let operation = item.get_mut(method.to_ascii_lowercase())?.as_object_mut()?;
    if let Some(id) = &pin.operation_id {
        operation.insert("operationId".into(), id.as_str().into());
    }
    let texts = pin.summary.iter().map(|summary| ("summary", json!(summary)));
    let texts: Vec<_> = texts.chain(pin.tag.iter().map(|tag| ("tags", json!([tag])))).collect();
    put_first(operation, texts);
    Some(())
}

/// Puts members before all others, where a reader looks for them.
pub(super) fn put_first(members: &mut Map<String, Value>, texts: Vec<(&str, Value)>) {
    let others = std::mem::take(members);
    members.extend(texts.into_iter().map(|(name, value)| (name.to_owned(), value)));
    for (name, value) in others {
        members.entry(name).or_insert(value);
    }
}

/// A template without the names of its parameters.
pub(super) fn erased(template: &str) -> String {
    let mut parts = template.split('{');
    let first = parts.next().unwrap_or_default().to_owned();
    parts.fold(first, |erased, part| {
        erased + "{}" + part.split_once('}').map_or("", |(_, rest)| rest)
    })
}

/// States a fact; the counts against it, if there are any. None: there is no such place.
fn state(
    document: &mut Value,
    pointer: &str,
    fact: &Fact,
    dialect: Dialect,
) -> Option<Option<String>> {
    let place = followed(document, pointer)?;
    let (parent, name) = place.rsplit_once("/properties/").unwrap_or(("", ""));
    let name = name.replace("~1", "/").replace("~0", "~");
    let counts = document.pointer(&place)?.get("x-driftgate-evidence").cloned();
    if !name.is_empty()
        && (fact.required || fact.optional || fact.ignore)
        && let Some(parent) = document.pointer_mut(parent).and_then(Value::as_object_mut)
    {
        require(parent, &name, fact);
    }
    let whole = referred(document, &place);
    if let Some(schema) = document.pointer_mut(&whole).and_then(Value::as_object_mut) {
        describe(schema, fact);
    }
    // One place may be null, not all that refer to the same schema.
    if let Some(schema) = document.pointer_mut(&place).and_then(Value::as_object_mut)
        && fact.nullable
    {
        allow_null(schema, dialect);
    }
    let taken = fact.component.as_deref().and_then(|name| rename(document, &place, name).err());
    let count = |name: &str| counts.as_ref().and_then(|counts| counts[name].as_u64());
    let absent = match (fact.required, count("n"), count("k")) {
        (true, Some(n), Some(k)) if k < n => {
            Some(format!("is pinned as required and was absent {} times of {n}", n - k))
        }
        _ => None,
    };
    Some(taken.or(absent))
}

/// The place of the schema that a place refers to, or that place.
fn referred(document: &Value, place: &str) -> String {
    let mut place = place;
    for _ in 0..REFERENCES_MAX {
        let reference = document.pointer(place).and_then(|schema| schema.get("$ref"));
        let target = reference.and_then(Value::as_str).and_then(|text| text.strip_prefix('#'));
        let Some(target) = target else { break };
        place = target;
    }
    place.to_owned()
}

/// The place that a pointer leads to, references on the way followed.
fn followed(document: &Value, pointer: &str) -> Option<String> {
    let mut place = String::new();
    let mut steps: Vec<&str> = pointer.split('/').skip(1).collect();
    steps.reverse();
    let mut references = 0;
    loop {
        let here = document.pointer(&place)?;
        let reference = here.get("$ref").and_then(Value::as_str).filter(|_| !steps.is_empty());
        if let Some(target) = reference.and_then(|reference| reference.strip_prefix('#')) {
            references += 1;
            target.clone_into(&mut place);
            if references > REFERENCES_MAX {
                return None;
            }
            continue;
        }
        match steps.pop() {
            Some(step) => place = format!("{place}/{step}"),
            None => return Some(place),
        }
    }
}

/// Whether a property of an object must be there, or is not stated at all.
fn require(parent: &mut Map<String, Value>, name: &str, fact: &Fact) {
    let mut required: Vec<Value> =
        parent.get("required").and_then(Value::as_array).cloned().unwrap_or_default();
    required.retain(|other| other != name);
    if fact.required {
        required.push(name.into());
    }
    if required.is_empty() {
        parent.shift_remove("required");
    } else {
        parent.insert("required".into(), required.into());
    }
    if let Some(properties) = parent.get_mut("properties").and_then(Value::as_object_mut)
        && fact.ignore
    {
        properties.shift_remove(name);
    }
}

/// What a schema says of its values.
fn describe(schema: &mut Map<String, Value>, fact: &Fact) {
    if !fact.values.is_empty() {
        let kinds = schema.get("type").and_then(Value::as_array);
        let null = schema.get("nullable") == Some(&Value::Bool(true))
            || kinds.is_some_and(|kinds| kinds.iter().any(|kind| kind == "null"));
        let values =
            fact.values.iter().map(|value| json!(value)).chain(null.then_some(Value::Null));
        schema.insert("enum".into(), values.collect());
    }
    if fact.open {
        schema.shift_remove("enum");
    }
    if let Some(format) = &fact.format {
        schema.insert("format".into(), format.as_str().into());
    }
    if fact.map {
        let properties = schema.shift_remove("properties");
        schema.shift_remove("required");
        let values = properties.as_ref().and_then(Value::as_object).and_then(common);
        schema.entry("additionalProperties").or_insert(values.unwrap_or_else(|| json!({})));
    }
    if fact.record {
        schema.shift_remove("additionalProperties");
    }
}

/// The one schema of all properties, if they have but one.
fn common(properties: &Map<String, Value>) -> Option<Value> {
    let mut schemas = properties.values().cloned().map(|mut schema| {
        let members = schema.as_object_mut();
        members.map(|members| members.shift_remove("x-driftgate-evidence"));
        schema
    });
    let first = schemas.next()?;
    schemas.all(|other| other == first).then_some(first)
}

fn allow_null(schema: &mut Map<String, Value>, dialect: Dialect) {
    if let Some(Value::Array(values)) = schema.get_mut("enum")
        && !values.contains(&Value::Null)
    {
        values.push(Value::Null);
    }
    match (dialect, schema.shift_remove("$ref"), schema.get_mut("type")) {
        (Dialect::OpenApi30, Some(reference), _) => {
            schema.insert("allOf".into(), json!([{ "$ref": reference }]));
            schema.insert("nullable".into(), true.into());
        }
        (Dialect::OpenApi30, None, _) => {
            schema.insert("nullable".into(), true.into());
        }
        (Dialect::OpenApi31, Some(reference), _) => {
            let either = json!([{ "$ref": reference }, { "type": "null" }]);
            schema.insert("anyOf".into(), either);
        }
        (Dialect::OpenApi31, None, Some(Value::Array(kinds))) => {
            if !kinds.contains(&json!("null")) {
                kinds.push("null".into());
            }
        }
        (Dialect::OpenApi31, None, Some(kind)) => *kind = json!([kind.clone(), "null"]),
        (Dialect::OpenApi31, None, None) => {}
    }
}

/// Gives the schema at a place this name among the components: renames the one referred to, or makes one.
///
/// # Errors
/// What stands in the way: another schema has the name.
fn rename(document: &mut Value, place: &str, component: &str) -> Result<(), String> {
    const SCHEMAS: &str = "/components/schemas/";
    let target = format!("{SCHEMAS}{}", component.replace('~', "~0").replace('/', "~1"));
    let whole = referred(document, place);
    if whole == target {
        return Ok(());
    }
    if document.pointer(&target).is_some() {
        return Err(format!("is to be called `{component}`, and another schema is called that"));
    }
    let Some(schema) = document.pointer_mut(&whole) else { return Ok(()) };
    let schema = std::mem::replace(schema, json!({ "$ref": format!("#{target}") }));
    let named = whole.strip_prefix(SCHEMAS).filter(|name| !name.contains('/')).map(str::to_owned);
    if named.is_some() {
        refer(document, &format!("#{whole}"), &format!("#{target}"));
    }
    let members = document.as_object_mut();
    let components =
        members.map(|members| members.entry("components").or_insert_with(|| json!({})));
    let schemas = components
        .and_then(Value::as_object_mut)
        .map(|components| components.entry("schemas").or_insert_with(|| json!({})));
    if let Some(schemas) = schemas.and_then(Value::as_object_mut) {
        named.and_then(|name| schemas.shift_remove(&name));
        schemas.insert(component.to_owned(), schema);
        schemas.sort_keys();
    }
    Ok(())
}

/// Lets all references to one schema lead to another.
fn refer(value: &mut Value, from: &str, to: &str) {
    match value {
        Value::String(text) if text == from => to.clone_into(text),
        Value::Array(items) => items.iter_mut().for_each(|item| refer(item, from, to)),
        Value::Object(members) => members.values_mut().for_each(|item| refer(item, from, to)),
        _ => {}
    }
}
