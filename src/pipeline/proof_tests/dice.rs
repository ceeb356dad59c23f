//! Random schemas, and random values that nearly keep them. Equal seeds give equal throws.

use serde_json::{Map, Value, json};

/// A small generator of numbers (splitmix64), so that a failing case is told by its seed.
pub(super) struct Dice(pub(super) u64);

const NAMES: [&str; 7] = ["id", "kind", "name", "items", "note", "password", "x-9"];
const TEXTS: [&str; 9] =
    ["", "a", "cat", "dog", "ab12", "2024-02-29", "größe", "a \"quoted\" text\n", "abcdefghij"];
const REFERENCES: [&str; 2] = ["Thing", "Tree"];

impl Dice {
    pub(super) fn below(&mut self, limit: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (mixed ^ (mixed >> 31)) % limit
    }

    pub(super) fn one_in(&mut self, count: u64) -> bool {
        self.below(count) == 0
    }

    pub(super) fn pick<'t>(&mut self, list: &[&'t str]) -> &'t str {
        list[usize::try_from(self.below(list.len() as u64)).unwrap_or(0)]
    }

    fn small(&mut self) -> i64 {
        i64::try_from(self.below(9)).unwrap_or(0) - 2
    }

    fn number(&mut self) -> Value {
        match self.below(8) {
            0 => json!(0.5),
            1 => json!(2.0),
            2 => json!(9_007_199_254_740_993_i64),
            3 => json!(1e300),
            4 => json!(u64::MAX),
            _ => json!(self.small()),
        }
    }

    fn scalar(&mut self) -> Value {
        match self.below(5) {
            0 => Value::Null,
            1 => json!(self.one_in(2)),
            2 => self.number(),
            _ => json!(self.pick(&TEXTS)),
        }
    }

    /// Any value.
    fn junk(&mut self, depth: u64) -> Value {
        match self.below(if depth == 0 { 3 } else { 5 }) {
            3 => (0..self.below(4)).map(|_| self.junk(depth - 1)).collect(),
            4 => Value::Object((0..self.below(3)).map(|_| self.member(depth)).collect()),
            _ => self.scalar(),
        }
    }

    fn member(&mut self, depth: u64) -> (String, Value) {
        (self.pick(&NAMES).to_owned(), self.junk(depth - 1))
    }

    pub(super) fn schema(&mut self, depth: u64) -> Value {
        let kind = self.below(if depth == 0 { 4 } else { 12 });
        match kind {
            0 => self.texts(),
            1 => self.numbers(),
            2 => self.listed(),
            3 => json!({"type": self.pick(&["boolean", "null", "integer", "string"])}),
            4 => json!({"$ref": format!("#/components/schemas/{}", self.pick(&REFERENCES))}),
            5 => self.union(depth),
            6 => self.array(depth),
            7 => self.map(depth),
            8 => self.conditional(depth),
            _ => self.object(depth),
        }
    }

    fn texts(&mut self) -> Value {
        let mut schema = json!({"type": ["string", "null"]});
        match self.below(5) {
            0 => schema["maxLength"] = json!(self.below(12)),
            1 => schema["minLength"] = json!(self.below(4)),
            2 => schema["pattern"] = json!(self.pick(&["^[a-z]+$", "[0-9]", "^a.*f$"])),
            3 => schema["format"] = json!(self.pick(&["date", "uuid", "email", "unheard-of"])),
            _ => {}
        }
        schema
    }

    fn numbers(&mut self) -> Value {
        let mut schema = json!({"type": self.pick(&["integer", "number"])});
        for _ in 0..=self.below(2) {
            let (keyword, limit) = match self.below(6) {
                0 => ("minimum", json!(self.small())),
                1 => ("maximum", json!(self.small())),
                2 => ("exclusiveMaximum", json!(2.5)),
                3 => ("multipleOf", json!(0.5)),
                4 => ("multipleOf", json!(3)),
                _ => ("format", json!("int32")),
            };
            schema[keyword] = limit;
        }
        schema
    }

    fn listed(&mut self) -> Value {
        let members: Vec<Value> = (0..=self.below(3)).map(|_| self.scalar()).collect();
        if self.one_in(3) { json!({"const": members[0]}) } else { json!({"enum": members}) }
    }

    fn union(&mut self, depth: u64) -> Value {
        let keyword = self.pick(&["anyOf", "oneOf", "allOf"]);
        let mut branches: Vec<Value> =
            (0..=self.below(2)).map(|_| self.schema(depth - 1)).collect();
        if keyword == "oneOf" && self.one_in(2) {
            for (branch, tag) in branches.iter_mut().zip(["cat", "dog", "a"]) {
                *branch = json!({"type": "object", "required": ["kind"], "properties":
                    {"kind": {"const": tag}, "name": branch}});
            }
        }
        json!({keyword: branches})
    }

    fn array(&mut self, depth: u64) -> Value {
        let mut schema = json!({"type": "array", "items": self.schema(depth - 1)});
        match self.below(8) {
            0 => schema["minItems"] = json!(self.below(3)),
            1 => schema["maxItems"] = json!(self.below(6)),
            2 | 3 => schema["uniqueItems"] = json!(true),
            4 if self.one_in(4) => schema["contains"] = self.schema(0),
            _ => {}
        }
        schema
    }

    fn map(&mut self, depth: u64) -> Value {
        let mut schema = json!({"type": "object"});
        match self.below(4) {
            0 => schema["patternProperties"] = json!({"^[a-k]": self.schema(depth - 1)}),
            1 => schema["propertyNames"] = json!({"maxLength": 4}),
            2 => schema["maxProperties"] = json!(self.below(4)),
            _ => {}
        }
        if self.one_in(2) {
            schema["additionalProperties"] = self.schema(depth - 1);
        }
        schema
    }

    fn conditional(&mut self, depth: u64) -> Value {
        let mut schema = self.object(depth);
        schema["if"] = json!({"properties": {"kind": self.listed()}});
        schema["then"] = json!({"required": [self.pick(&NAMES)]});
        schema["else"] = self.object(depth - 1);
        if self.one_in(3) {
            schema["not"] = self.schema(0);
        }
        schema
    }

    pub(super) fn object(&mut self, depth: u64) -> Value {
        let names: Vec<&str> = (0..=self.below(4)).map(|_| self.pick(&NAMES)).collect();
        let properties: Map<String, Value> = names
            .iter()
            .map(|name| ((*name).to_owned(), self.schema(depth.saturating_sub(1))))
            .collect();
        let mut schema = json!({"type": "object", "properties": properties});
        if self.one_in(2) {
            schema["required"] = json!([names[0]]);
        }
        match self.below(8) {
            0 => schema["additionalProperties"] = json!(false),
            1 => schema["dependentRequired"] = json!({names[0]: [self.pick(&NAMES)]}),
            2 => schema["minProperties"] = json!(2),
            3 => schema["properties"][names[0]]["readOnly"] = json!(true),
            _ => {}
        }
        schema
    }

    /// A value that mostly keeps a schema of this document.
    pub(super) fn value(&mut self, document: &Value, schema: &Value, depth: u64) -> Value {
        if depth == 0 || self.one_in(25) {
            return self.junk(1);
        }
        if let Some(name) = schema["$ref"].as_str().and_then(|text| text.strip_prefix('#')) {
            let target = document.pointer(name).cloned().unwrap_or_default();
            return self.value(document, &target, depth - 1);
        }
        for union in ["anyOf", "oneOf", "allOf", "enum"] {
            if let Some(branches) = schema[union].as_array().filter(|list| !list.is_empty()) {
                let at = usize::try_from(self.below(branches.len() as u64)).unwrap_or(0);
                let branch = branches[at].clone();
                let is_member = union == "enum";
                return if is_member { branch } else { self.value(document, &branch, depth - 1) };
            }
        }
        if let Some(only) = schema.get("const") {
            return only.clone();
        }
        match schema["type"].as_str() {
            Some("object") => self.filled(document, schema, depth),
            Some("array") => {
                let items = schema["items"].clone();
                let count = if self.one_in(20) { 20 } else { self.below(5) };
                (0..count).map(|_| self.value(document, &items, depth - 1)).collect()
            }
            Some("integer") => json!(self.small()),
            Some("number") => self.number(),
            Some("boolean") => json!(self.one_in(2)),
            Some("null") => Value::Null,
            _ => json!(self.pick(&TEXTS)),
        }
    }

    fn filled(&mut self, document: &Value, schema: &Value, depth: u64) -> Value {
        let mut members = Map::new();
        let declared = schema["properties"].as_object().cloned().unwrap_or_default();
        for (name, inner) in &declared {
            if !self.one_in(4) {
                members.insert(name.clone(), self.value(document, inner, depth - 1));
            }
        }
        let additional = schema.get("additionalProperties").filter(|it| it.is_object()).cloned();
        let count = if additional.is_some() { self.below(4) } else { u64::from(self.one_in(8)) };
        for _ in 0..count {
            let inner = additional.clone().unwrap_or(Value::Bool(true));
            let name = self.pick(&["k1", "zebra", "id", "a/b", "\u{e9}t\u{e9}"]).to_owned();
            members.insert(name, self.value(document, &inner, depth - 1));
        }
        Value::Object(members)
    }
}
