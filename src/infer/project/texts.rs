//! What people wrote in a published specification, kept in the one that extends it (`spec/inference.md` 11.2).
//!
//! Owns which texts those are: summaries, descriptions, tags and ids of operations; descriptions of parameters, answers,
//! schemas and properties. Refuses to take any fact from there.

use std::collections::BTreeSet;

use serde_json::Value;

use super::pinned::{erased, put_first};
use super::pins::base_path;

/// Deepest nesting of schemas that is compared.
const DEPTH_MAX: usize = 32;

/// Puts the texts of a published document (Swagger 2.0, OpenAPI 3) into a document of the same API, before whose paths
/// `prefix` stands.
pub(super) fn keep(document: &mut Value, published: &Value, prefix: &str) {
    let mut texts = Texts { published, found: Vec::new(), seen: BTreeSet::new() };
    texts.operations(document, prefix);
    for (place, members) in texts.found {
        if let Some(target) = document.pointer_mut(&place).and_then(Value::as_object_mut) {
            put_first(target, members);
        }
    }
}

/// Texts with the place in the new document where they belong.
struct Texts<'p> {
    published: &'p Value,
    found: Vec<(String, Vec<(&'static str, Value)>)>,
    /// Places that have theirs.
    seen: BTreeSet<String>,
}

impl<'p> Texts<'p> {
    fn operations(&mut self, document: &Value, prefix: &str) {
        let base = base_path(self.published);
        let published = self.published.get("paths").and_then(Value::as_object);
        let paths = document.get("paths").and_then(Value::as_object);
        for (template, item) in published.into_iter().flatten() {
            let whole = format!("{base}{template}");
            let wanted = erased(whole.strip_prefix(prefix).unwrap_or(&whole));
            let own = paths.into_iter().flatten().find(|(path, _)| erased(path) == wanted);
            let Some((path, own)) = own else { continue };
            for (method, operation) in own.as_object().into_iter().flatten() {
                let place = format!("/paths/{}/{method}", escaped(path));
                if let Some(theirs) = item.get(method) {
                    self.operation((document, &place, operation), theirs, item);
                }
            }
        }
    }

    fn operation(
        &mut self,
        (document, place, operation): (&Value, &str, &Value),
        theirs: &'p Value,
        item: &'p Value,
    ) {
        self.copy(place, theirs, &["operationId", "summary", "description", "tags"]);
        let lists = [theirs.get("parameters"), item.get("parameters")];
        let parameters: Vec<&Value> = lists
            .into_iter()
            .flatten()
            .filter_map(Value::as_array)
            .flatten()
            .map(|parameter| follow(self.published, parameter).1)
            .collect();
        let own = operation.get("parameters").and_then(Value::as_array);
        for (index, parameter) in own.into_iter().flatten().enumerate() {
            let is_it = |other: &&&Value| {
                other["in"] == parameter["in"] && other["name"] == parameter["name"]
            };
            if let Some(theirs) = parameters.iter().find(is_it) {
                self.copy(&format!("{place}/parameters/{index}"), theirs, &["description"]);
            }
        }
        let swagger = parameters.iter().find(|parameter| parameter["in"] == "body");
        let body = theirs.get("requestBody").map(|body| follow(self.published, body).1);
        if let Some(body) = body.or(swagger.copied()) {
            self.content(document, &format!("{place}/requestBody"), body);
        }
        let answers = operation.get("responses").and_then(Value::as_object);
        for status in answers.into_iter().flat_map(|answers| answers.keys()) {
            if let Some(answer) = theirs.get("responses").and_then(|all| all.get(status)) {
                let place = format!("{place}/responses/{status}");
                let answer = follow(self.published, answer).1;
                self.found.push((place.clone(), described(answer, &["description"])));
                self.content(document, &place, answer);
            }
        }
    }

    /// The bodies of a message, by media type; Swagger 2.0 has one schema for all.
    fn content(&mut self, document: &Value, place: &str, theirs: &'p Value) {
        let own = document.pointer(&format!("{place}/content")).and_then(Value::as_object);
        for media in own.into_iter().flat_map(|own| own.keys()) {
            let of_media = theirs.get("content").and_then(|content| content.get(media));
            if let Some(schema) = of_media.unwrap_or(theirs).get("schema") {
                let place = format!("{place}/content/{}/schema", escaped(media));
                self.schema(document, &place, schema, 0);
            }
        }
    }

    fn schema(&mut self, document: &Value, place: &str, theirs: &'p Value, depth: usize) {
        let Some(here) = document.pointer(place).filter(|_| depth < DEPTH_MAX) else { return };
        let (target, here) = follow(document, here);
        let place = target.unwrap_or(place);
        let theirs = follow(self.published, theirs).1;
        if !self.seen.insert(place.to_owned()) {
            return;
        }
        self.copy(place, theirs, &["title", "description"]);
        let properties = here.get("properties").and_then(Value::as_object);
        for name in properties.into_iter().flat_map(|properties| properties.keys()) {
            if let Some(theirs) = theirs.get("properties").and_then(|all| all.get(name)) {
                let place = format!("{place}/properties/{}", escaped(name));
                self.schema(document, &place, theirs, depth + 1);
            }
        }
        for below in ["items", "additionalProperties"] {
            if let Some(theirs) = theirs.get(below).filter(|theirs| theirs.is_object()) {
                self.schema(document, &format!("{place}/{below}"), theirs, depth + 1);
            }
        }
    }

    fn copy(&mut self, place: &str, theirs: &Value, names: &[&'static str]) {
        let members = described(theirs, names);
        if !members.is_empty() {
            self.found.push((place.to_owned(), members));
        }
    }
}

fn described(theirs: &Value, names: &[&'static str]) -> Vec<(&'static str, Value)> {
    names.iter().filter_map(|name| Some((*name, theirs.get(*name)?.clone()))).collect()
}

/// What a reference leads to, and its place if it is one.
fn follow<'v>(document: &'v Value, value: &'v Value) -> (Option<&'v str>, &'v Value) {
    let (mut place, mut value) = (None, value);
    for _ in 0..DEPTH_MAX {
        let target = value.get("$ref").and_then(Value::as_str);
        let Some(target) = target.and_then(|target| target.strip_prefix('#')) else { break };
        let Some(found) = document.pointer(target) else { break };
        (place, value) = (Some(target), found);
    }
    (place, value)
}

fn escaped(name: &str) -> String {
    name.replace('~', "~0").replace('/', "~1")
}
