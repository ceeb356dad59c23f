//! One schema, one side, one flavour: keyword by keyword.
//!
//! Owns the table of `spec/contract.md` 1.1 as code. Whatever is malformed is left out with a lint, so that a lowered schema
//! always compiles. Refuses to own which schemas are lowered (`Pool`).

use std::borrow::Cow;
use std::rc::Rc;

use serde_json::{Map, Value, json};

use crate::model::problem::pointer;

use super::super::load::documents::Node;
use super::super::specification::{Dialect, Side};
use super::keywords::{Form, Holds, holds, is_known};
use super::survey::{Survey, View, is_foreign};
use super::{EVIDENCE, Flavour, Job, Pool, formats};

const TYPES: &[&str] = &["array", "boolean", "integer", "null", "number", "object", "string"];

/// Where lowering is.
#[derive(Clone)]
struct Site {
    document: usize,
    pointer: String,
    side: Side,
    flavour: Flavour,
    /// Of the outermost schema of the composition that this one is part of.
    composition: Rc<Survey>,
}

impl Site {
    /// A place further down in the same composition or, with `flavour` not `Branch`, where a new one begins.
    fn below(&self, step: &str, flavour: Flavour) -> Self {
        Self { pointer: pointer(&self.pointer, step), flavour, ..self.clone() }
    }
}

/// Lowers the schema of a job.
pub(super) fn lower(pool: &mut Pool<'_>, job: &Job<'_>) -> Value {
    let site = Site {
        document: job.document,
        pointer: job.pointer.clone(),
        side: job.side,
        flavour: job.flavour,
        composition: Rc::default(),
    };
    pool.lower(&job.schema, &site, true)
}

impl Pool<'_> {
    /// `outermost`: no composition around this schema describes the same value.
    fn lower(&mut self, schema: &Value, site: &Site, outermost: bool) -> Value {
        let members = match schema {
            Value::Bool(flag) => return Value::Bool(*flag),
            Value::Object(members) => members,
            other => {
                let message = format!("a schema is an object, this is {}", kind(other));
                self.lint(site.document, &site.pointer, "spec.malformed-schema", message);
                return Value::Bool(true);
            }
        };
        let nullable = self.rules.dialect != Dialect::OpenApi31
            && ["nullable", "x-nullable"]
                .iter()
                .any(|name| members.get(*name) == Some(&json!(true)));
        if let Some(reference) = members.get("$ref").and_then(Value::as_str)
            && self.rules.dialect != Dialect::OpenApi31
        {
            self.lint_siblings(members, site);
            let target = self.reference(reference, site);
            return if nullable { self.or_null(target, site) } else { target };
        }
        let site = self.enter(schema, site, outermost);
        let composed = ["allOf", "anyOf", "oneOf"].iter().any(|name| members.contains_key(*name));
        let mut lowered = Map::new();
        for (keyword, value) in members {
            self.lower_keyword(keyword, value, &site, &mut lowered);
        }
        self.lower_type(members, nullable && !composed, &site, &mut lowered);
        bounds(members, &mut lowered);
        if let Some(format) = members.get("format").and_then(Value::as_str) {
            formats::assert_format(format, &mut lowered);
        }
        if let Some(discriminator) = members.get("discriminator") {
            self.lower_discriminator(discriminator, members, &site, &mut lowered);
        }
        self.close(members, &site, outermost, &mut lowered);
        let lowered = Value::Object(lowered);
        if nullable && composed { self.or_null(lowered, &site) } else { lowered }
    }

    /// The site with the survey of the composition that begins here.
    fn enter(&self, schema: &Value, site: &Site, outermost: bool) -> Site {
        if !outermost {
            return site.clone();
        }
        let view = View { documents: self.documents, dialect: self.rules.dialect, side: site.side };
        let composition = Rc::new(Survey::of(view, schema, site.document));
        Site { composition, ..site.clone() }
    }

    fn lower_keyword(
        &mut self,
        keyword: &str,
        value: &Value,
        site: &Site,
        lowered: &mut Map<String, Value>,
    ) {
        match (keyword, holds(keyword)) {
            ("$ref", _) => {
                if let Some(text) = value.as_str() {
                    let site = Site { flavour: part_flavour(site), ..site.clone() };
                    lowered.extend(as_members(self.reference(text, &site)));
                }
            }
            ("$dynamicRef", _) => {
                let name = value.as_str().and_then(|text| text.strip_prefix('#'));
                let only = name.and_then(|name| self.documents.only_anchor(site.document, name));
                if let (Some(node), None) = (only, lowered.get("$ref")) {
                    let text = self.name_of(node, site.side, part_flavour(site));
                    lowered.insert("$ref".to_owned(), json!(text));
                }
            }
            ("items" | "prefixItems", _) if value.is_array() => {
                let list = self.lower_list(value, &site.below(keyword, inner_flavour(site)), true);
                lowered.insert("prefixItems".to_owned(), list);
            }
            (_, Some(Holds::Schema)) => {
                let (flavour, outermost) = child(keyword, site);
                let child = self.lower(value, &site.below(keyword, flavour), outermost);
                lowered.insert(keyword.to_owned(), child);
            }
            (_, Some(Holds::Schemas)) => {
                let below = site.below(keyword, part_flavour(site));
                if value.as_array().is_some_and(|list| !list.is_empty()) {
                    let list = self.lower_list(value, &below, false);
                    lowered.insert(keyword.to_owned(), list);
                } else {
                    self.lint_malformed(keyword, site);
                }
            }
            (_, Some(Holds::SchemaMap)) => self.lower_map(keyword, value, site, lowered),
            (_, Some(Holds::Data(form))) => self.lower_data((keyword, form), value, site, lowered),
            ("example", None) if site.flavour == Flavour::Declared => {
                lowered.entry("examples").or_insert_with(|| json!([value]));
            }
            ("x-extensible-enum", None)
                if site.flavour != Flavour::Declared && Form::Values.fits(value) =>
            {
                lowered.entry("enum").or_insert_with(|| value.clone());
            }
            // Not asserted, but a diff must know who may send a property and what is going away.
            ("readOnly" | "writeOnly" | "deprecated", _)
                if site.flavour == Flavour::Declared && value == &json!(true) =>
            {
                lowered.insert(keyword.to_owned(), value.clone());
            }
            // How often a learned fact was seen is what a deviation from it is weighed against.
            (EVIDENCE, None) => drop(lowered.insert(EVIDENCE.to_owned(), value.clone())),
            (unknown, None) if !is_known(unknown) => {
                let message = format!("`{unknown}` is no keyword of a schema");
                self.lint(
                    site.document,
                    &pointer(&site.pointer, unknown),
                    "spec.unknown-field",
                    message,
                );
            }
            _ => {}
        }
    }

    fn lower_data(
        &mut self,
        (keyword, form): (&str, Form),
        value: &Value,
        site: &Site,
        lowered: &mut Map<String, Value>,
    ) {
        if !form.fits(value) {
            // Before draft 4 `required` was a flag of the property; many documents still write it.
            self.lint_malformed(keyword, site);
            return;
        }
        let value = match (keyword, value) {
            ("default" | "examples", _) if site.flavour != Flavour::Declared => return,
            ("required", Value::Array(names)) => {
                let foreign = &site.composition.foreign;
                let mut names: Vec<&str> = names
                    .iter()
                    .filter_map(Value::as_str)
                    .filter(|name| !foreign.contains(*name))
                    .collect();
                names.sort_unstable();
                names.dedup();
                json!(names)
            }
            (_, value) => value.clone(),
        };
        lowered.insert(keyword.to_owned(), value);
    }

    fn lower_list(&mut self, list: &Value, site: &Site, outermost: bool) -> Value {
        let items = list.as_array().into_iter().flatten().enumerate();
        items
            .map(|(index, schema)| {
                let below = site.below(&index.to_string(), site.flavour);
                self.lower(schema, &below, outermost)
            })
            .collect()
    }

    fn lower_map(
        &mut self,
        keyword: &str,
        value: &Value,
        site: &Site,
        lowered: &mut Map<String, Value>,
    ) {
        let Some(members) = value.as_object() else {
            self.lint_malformed(keyword, site);
            return;
        };
        let in_place = keyword == "dependentSchemas";
        let flavour = if in_place { part_flavour(site) } else { inner_flavour(site) };
        let view = View { documents: self.documents, dialect: self.rules.dialect, side: site.side };
        let base = site.below(keyword, flavour);
        let mut map = Map::new();
        for (name, schema) in members {
            let hidden = keyword == "properties"
                && site.flavour != Flavour::Declared
                && is_foreign(view, schema, site.document);
            let schema = if hidden {
                Value::Bool(false)
            } else {
                self.lower(schema, &base.below(name, flavour), !in_place)
            };
            map.insert(name.clone(), schema);
        }
        lowered.insert(keyword.to_owned(), Value::Object(map));
    }

    /// `type` as a sorted set, with null where `nullable` says so, and null among the members of an enum likewise.
    fn lower_type(
        &mut self,
        members: &Map<String, Value>,
        nullable: bool,
        site: &Site,
        lowered: &mut Map<String, Value>,
    ) {
        let mut types: Vec<&str> = match members.get("type") {
            Some(Value::String(only)) => vec![only],
            Some(Value::Array(several)) => several.iter().filter_map(Value::as_str).collect(),
            _ => Vec::new(),
        };
        for name in &mut types {
            if *name == "file" {
                *name = "string";
            } else if !TYPES.contains(name) {
                let message = format!("`{name}` is no type of JSON Schema");
                self.lint(
                    site.document,
                    &pointer(&site.pointer, "type"),
                    "spec.unknown-type",
                    message,
                );
            }
        }
        types.retain(|name| TYPES.contains(name));
        if nullable && !types.is_empty() {
            types.push("null");
        }
        types.sort_unstable();
        types.dedup();
        match types.as_slice() {
            [] => {}
            [only] => drop(lowered.insert("type".to_owned(), json!(only))),
            several => drop(lowered.insert("type".to_owned(), json!(several))),
        }
        if let Some(Value::Array(members)) = lowered.get_mut("enum")
            && nullable
            && !members.contains(&Value::Null)
            && !self.rules.strict_nullable
        {
            members.push(Value::Null);
            let message =
                "`nullable` beside an `enum` without null: null is allowed here".to_owned();
            self.lint(site.document, &site.pointer, "spec.ambiguous-nullable-enum", message);
        }
    }

    /// `anyOf: [schema, null]`, for `nullable` where it formally has no meaning.
    fn or_null(&mut self, schema: Value, site: &Site) -> Value {
        let message = "`nullable` has no meaning without a `type` beside it".to_owned();
        self.lint(site.document, &site.pointer, "spec.misplaced-nullable", message);
        if self.rules.strict_nullable {
            return schema;
        }
        json!({"anyOf": [schema, {"type": "null"}]})
    }

    /// `{"$ref": ...}` to the lowered target, which is scheduled; `true` where the reference leads nowhere.
    fn reference(&mut self, text: &str, site: &Site) -> Value {
        let Some(node) = self.documents.find(site.document, text) else {
            return Value::Bool(true);
        };
        json!({"$ref": self.name_of(node, site.side, site.flavour)})
    }

    fn name_of(&mut self, node: Node<'_>, side: Side, flavour: Flavour) -> String {
        let key = self.key(node.document, &node.pointer);
        let name = format!("{key}{}", flavour.suffix());
        let text = format!("#/$defs/{name}");
        let documents = self.documents;
        // The node again, borrowed from the documents and not from the caller.
        if let Some(node) = documents.at(node.document, node.pointer) {
            let schema = Cow::Borrowed(node.value);
            let (document, pointer) = (node.document, node.pointer);
            self.schedule(Job { name, schema, document, pointer, side, flavour });
        }
        text
    }

    /// Rewrites a discriminator so that its mapping names branches as their lowered `$ref` does.
    fn lower_discriminator(
        &mut self,
        discriminator: &Value,
        members: &Map<String, Value>,
        site: &Site,
        lowered: &mut Map<String, Value>,
    ) {
        // Swagger 2.0 writes the property's name alone.
        let name = discriminator.as_str().or_else(|| discriminator.get("propertyName")?.as_str());
        let Some(name) = name else { return };
        let flavour = part_flavour(site);
        let mut mapping = Map::new();
        for branch in ["oneOf", "anyOf"].iter().filter_map(|union| members.get(*union)?.as_array())
        {
            for reference in branch.iter().filter_map(|branch| branch.get("$ref")?.as_str()) {
                let implicit = reference.rsplit('/').next().unwrap_or(reference).to_owned();
                if let Some(node) = self.documents.find(site.document, reference) {
                    let text = self.name_of(node, site.side, flavour);
                    mapping.insert(implicit, json!(text));
                }
            }
        }
        let explicit = discriminator.get("mapping").and_then(Value::as_object);
        for (value, target) in explicit.into_iter().flatten() {
            let Some(target) = target.as_str() else { continue };
            let component = format!("#/components/schemas/{target}");
            let node = self
                .documents
                .find(site.document, &component)
                .or_else(|| self.documents.find(site.document, target));
            if let Some(node) = node {
                let text = self.name_of(node, site.side, flavour);
                mapping.insert(value.clone(), json!(text));
            }
        }
        let lowered_form = json!({"propertyName": name, "mapping": mapping});
        lowered.insert("discriminator".to_owned(), lowered_form);
    }

    /// Closes the outermost schema of an object in the strict flavour.
    fn close(
        &mut self,
        members: &Map<String, Value>,
        site: &Site,
        outermost: bool,
        lowered: &mut Map<String, Value>,
    ) {
        let is_map = ["patternProperties", "unevaluatedProperties"]
            .iter()
            .any(|name| members.contains_key(*name))
            || members.get("additionalProperties").is_some_and(|more| more != &json!(false));
        if site.flavour == Flavour::Strict && outermost && !is_map && site.composition.is_record() {
            lowered.insert("unevaluatedProperties".to_owned(), Value::Bool(false));
        }
    }

    fn lint_siblings(&mut self, members: &Map<String, Value>, site: &Site) {
        let silent = ["$ref", "description", "summary", "nullable", "x-nullable"];
        let sibling =
            members.keys().find(|name| !silent.contains(&name.as_str()) && !name.starts_with("x-"));
        if let Some(sibling) = sibling {
            let message = format!("`{sibling}` beside `$ref` is ignored before OpenAPI 3.1");
            self.lint(site.document, &site.pointer, "spec.ignored-sibling", message);
        }
    }

    fn lint_malformed(&mut self, keyword: &str, site: &Site) {
        let message = format!("the value of `{keyword}` has the wrong form and is ignored");
        self.lint(
            site.document,
            &pointer(&site.pointer, keyword),
            "spec.malformed-keyword",
            message,
        );
    }
}

/// Flavour of a schema that applies to the same value as this one.
fn part_flavour(site: &Site) -> Flavour {
    match site.flavour {
        Flavour::Declared => Flavour::Declared,
        // Two parts describe one nested object: neither may close it.
        _ if site.composition.split => Flavour::Declared,
        _ => Flavour::Branch,
    }
}

/// Flavour of a schema of a value inside this one.
fn inner_flavour(site: &Site) -> Flavour {
    match site.flavour {
        Flavour::Declared => Flavour::Declared,
        _ => Flavour::Strict,
    }
}

/// Flavour of the one schema below a keyword, and whether it is the outermost of its value. What is negated or asked as a
/// condition must mean what the document says.
fn child(keyword: &str, site: &Site) -> (Flavour, bool) {
    match keyword {
        "not" | "if" => (Flavour::Declared, false),
        "then" | "else" => (part_flavour(site), false),
        "contains" | "propertyNames" => (Flavour::Declared, true),
        _ => (inner_flavour(site), true),
    }
}

/// Boolean exclusive bounds (draft 4) as numbers; numeric ones as they are.
fn bounds(members: &Map<String, Value>, lowered: &mut Map<String, Value>) {
    for (bound, exclusive) in [("minimum", "exclusiveMinimum"), ("maximum", "exclusiveMaximum")] {
        match members.get(exclusive) {
            Some(Value::Bool(true)) => {
                if let Some(limit) = lowered.remove(bound) {
                    lowered.insert(exclusive.to_owned(), limit);
                }
            }
            Some(Value::Number(limit)) => {
                lowered.insert(exclusive.to_owned(), Value::Number(limit.clone()));
            }
            _ => {}
        }
    }
}

/// The members of an object, or those of a schema that means the same as a boolean.
fn as_members(schema: Value) -> Map<String, Value> {
    match schema {
        Value::Object(members) => members,
        _ => Map::new(),
    }
}

fn kind(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "a boolean",
        Value::Number(_) => "a number",
        Value::String(_) => "a text",
        Value::Array(_) => "an array",
        Value::Object(_) => "an object",
    }
}
