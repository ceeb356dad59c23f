//! More than five hundred pairs of schemas with the verdict that each must get, in both directions.
//!
//! A line is a chain: `>` says that the schema behind it allows less, `=` that both allow the same, `!` that each allows
//! something that the other refuses. Every two schemas of a chain are a pair, alone and at several places of a message.

use serde_json::{Value, json};

use super::{Verdict, compared, read};

use Verdict::{Breaking, Compatible, Cosmetic, PotentiallyBreaking as Undecided};

const CHAINS: &[&str] = &[
    // types
    r#"{"type":["string","integer","null"]} > {"type":["string","integer"]} > {"type":"string"}"#,
    r#"{"type":"number"} > {"type":"integer"} > {"type":"integer","minimum":0} > {"type":"integer","minimum":0,"maximum":9}"#,
    r#"{"type":["number","null"]} > {"type":["integer","null"]} > {"type":"integer"}"#,
    r#"{"type":"string"} ! {"type":"integer"}"#,
    r#"{"type":"boolean"} ! {"type":"string"}"#,
    r#"{"type":"array","items":{"type":"string"}} ! {"type":"string"}"#,
    r#"{"type":["string","boolean"]} ! {"type":["string","integer"]}"#,
    r#"{"type":["string","null"]} = {"anyOf":[{"type":"null"},{"type":"string"}]} = {"oneOf":[{"type":"string"},{"type":"null"}]}"#,
    r#"{"type":"boolean"} = {"enum":[true,false]} > {"const":true}"#,
    // numbers
    r#"{"type":"integer","minimum":1} = {"type":"integer","exclusiveMinimum":0} > {"type":"integer","minimum":2}"#,
    r#"{"type":"integer","maximum":10} > {"type":"integer","exclusiveMaximum":10} = {"type":"integer","maximum":9}"#,
    r#"{"type":"number","minimum":0} > {"type":"number","exclusiveMinimum":0} > {"type":"number","minimum":0.5}"#,
    r#"{"type":"number","maximum":1} > {"type":"number","maximum":0.5} > {"type":"number","exclusiveMaximum":0.5}"#,
    r#"{"type":"integer"} > {"type":"integer","multipleOf":5} > {"type":"integer","multipleOf":10} > {"type":"integer","multipleOf":20}"#,
    r#"{"type":"integer","multipleOf":4} ! {"type":"integer","multipleOf":6}"#,
    r#"{"type":"integer","minimum":0,"maximum":5} ! {"type":"integer","minimum":3,"maximum":8}"#,
    r#"{"type":"integer","format":"int64"} > {"type":"integer","format":"int32"} > {"type":"integer","format":"int32","minimum":0}"#,
    r#"{"type":"integer","minimum":1.0} = {"type":"integer","minimum":1}"#,
    r#"{"type":"integer","minimum":1,"maximum":9} = {"allOf":[{"type":"integer","minimum":1},{"maximum":9}]} > {"type":"integer","minimum":1,"maximum":8}"#,
    // texts
    r#"{"type":"string"} > {"type":"string","minLength":1} > {"type":"string","minLength":3} > {"type":"string","minLength":3,"maxLength":9}"#,
    r#"{"type":"string","maxLength":20} > {"type":"string","maxLength":10} > {"type":"string","maxLength":2}"#,
    r#"{"type":"string","minLength":2,"maxLength":4} ! {"type":"string","minLength":3,"maxLength":8}"#,
    r#"{"type":"string"} > {"type":"string","pattern":"^[a-z]+$"}"#,
    r#"{"type":"string"} > {"type":"string","format":"uuid"}"#,
    r#"{"type":"string"} > {"type":"string","format":"date-time"}"#,
    r#"{"type":"string","format":"date"} ! {"type":"string","format":"uuid"}"#,
    r#"{"type":"string","format":"ipv4"} ! {"type":"string","format":"ipv6"}"#,
    r#"{"type":"string"} = {"type":"string","minLength":0} = {"type":"string","format":"password"}"#,
    r#"{"type":"string","pattern":"^[a-z]+$"} > {"type":"string","pattern":"^[a-z]+$","maxLength":5}"#,
    // lists of values
    r#"{"type":"string"} > {"enum":["a","b","c"]} > {"enum":["a","b"]} > {"const":"a"}"#,
    r#"{"enum":["a","b"]} = {"enum":["b","a"]} = {"oneOf":[{"const":"a"},{"const":"b"}]} = {"anyOf":[{"const":"b"},{"enum":["a"]}]}"#,
    r#"{"enum":["a","b"]} ! {"enum":["a","c"]}"#,
    r#"{"enum":[1,2,3]} > {"enum":[1,3]} > {"const":3}"#,
    r#"{"type":"integer"} > {"type":"integer","enum":[1,2]}"#,
    r#"{"enum":["a",null]} > {"enum":["a"]}"#,
    r#"{"const":"x"} ! {"const":"y"}"#,
    r#"{"type":"integer","minimum":0,"maximum":9} > {"enum":[1,5,9]}"#,
    r#"{"type":"string","maxLength":3} > {"enum":["abc","de"]}"#,
    // objects
    r#"{"type":"object","properties":{"a":{"type":"string"}}} > {"type":"object","properties":{"a":{"type":"string"}},"required":["a"]}"#,
    r#"{"type":"object","properties":{"a":{"type":"number"}}} > {"type":"object","properties":{"a":{"type":"integer"}}}"#,
    r#"{"type":"object","properties":{"a":{"type":"string"},"b":{"type":"string"}},"required":["a"]} > {"type":"object","properties":{"a":{"type":"string"},"b":{"type":"string"}},"required":["a","b"]}"#,
    r#"{"type":"object","properties":{"a":{"type":"string"}},"required":["a"]} = {"allOf":[{"type":"object","properties":{"a":{"type":"string"}}},{"required":["a"]}]}"#,
    r#"{"type":"object","properties":{"a":{"type":["string","null"]}},"required":["a"]} > {"type":"object","properties":{"a":{"type":"string"}},"required":["a"]}"#,
    r#"{"type":"object","properties":{"a":{"type":"object","properties":{"b":{"type":"number"}}}}} > {"type":"object","properties":{"a":{"type":"object","properties":{"b":{"type":"integer"}}}}}"#,
    r#"{"type":"object","properties":{"a":{"type":"string"},"b":{"type":"integer"}},"required":["a"]} ! {"type":"object","properties":{"a":{"type":"string"},"b":{"type":"integer"}},"required":["b"]}"#,
    r#"{"type":"object","properties":{"a":{"enum":["x","y"]}}} > {"type":"object","properties":{"a":{"const":"x"}}}"#,
    r#"{"type":"object","properties":{"a":{"type":"string"}},"additionalProperties":false} > {"type":"object","properties":{"a":{"type":"string"}},"additionalProperties":false,"required":["a"]}"#,
    r#"{"type":"object","additionalProperties":{"type":"number"}} > {"type":"object","additionalProperties":{"type":"integer"}}"#,
    r#"{"type":"object","additionalProperties":true} > {"type":"object","additionalProperties":{"type":"string"}} > {"type":"object","additionalProperties":{"type":"string","maxLength":3}}"#,
    r#"{"type":"object","additionalProperties":{"type":"string"}} > {"type":"object","additionalProperties":{"type":"string"},"minProperties":1}"#,
    r#"{"type":"object","additionalProperties":{"type":"string"}} > {"type":"object","additionalProperties":{"type":"string"},"maxProperties":1}"#,
    r#"{"type":"object","additionalProperties":{"type":"string"}} ! {"type":"object","additionalProperties":{"type":"integer"}}"#,
    r#"{"type":"object","properties":{"a":{"type":"string"},"b":{"type":"string"}}} > {"type":"object","properties":{"a":{"type":"string"},"b":{"type":"string"}},"dependentRequired":{"a":["b"]}}"#,
    r#"{"type":"object","patternProperties":{"^x":{"type":"number"}},"additionalProperties":false} > {"type":"object","patternProperties":{"^x":{"type":"integer"}},"additionalProperties":false}"#,
    r#"{"properties":{"a":{"type":"string"}}} = {"type":"object","properties":{"a":{"type":"string"}}} = {"type":"object","properties":{"a":{"type":"string","description":"x"}},"title":"y"}"#,
    r#"{"type":"object","properties":{"type":{"type":"number"},"required":{"type":"boolean"}}} > {"type":"object","properties":{"type":{"type":"integer"},"required":{"type":"boolean"}}}"#,
    // arrays
    r#"{"type":"array","items":{"type":"number"}} > {"type":"array","items":{"type":"integer"}} > {"type":"array","items":{"type":"integer","minimum":0}}"#,
    r#"{"type":"array","items":{"type":"string"}} > {"type":"array","items":{"type":"string"},"minItems":1} > {"type":"array","items":{"type":"string"},"minItems":2}"#,
    r#"{"type":"array","items":{"type":"string"},"maxItems":9} > {"type":"array","items":{"type":"string"},"maxItems":3} > {"type":"array","items":{"type":"string"},"maxItems":3,"uniqueItems":true}"#,
    r#"{"type":"array","items":{"enum":["a","b"]}} > {"type":"array","items":{"enum":["a"]}}"#,
    r#"{"type":"array","items":{"type":"array","items":{"type":"number"}}} > {"type":"array","items":{"type":"array","items":{"type":"integer"}}}"#,
    r#"{"type":"array","items":{"type":"string"}} ! {"type":"array","items":{"type":"integer"},"minItems":1}"#,
    r#"{"type":"array","prefixItems":[{"type":"number"},{"type":"string"}],"minItems":2} > {"type":"array","prefixItems":[{"type":"integer"},{"type":"string"}],"minItems":2}"#,
    r#"{"type":"array","items":{"type":"string"}} = {"type":"array","items":{"anyOf":[{"type":"string"}]}} = {"type":"array","items":{"allOf":[{"type":"string"}]},"minItems":0}"#,
    // unions
    r#"{"anyOf":[{"type":"string"},{"type":"integer"},{"type":"boolean"}]} > {"anyOf":[{"type":"string"},{"type":"integer"}]} > {"type":"string"}"#,
    r#"{"oneOf":[{"type":"string"},{"type":"integer"}]} = {"anyOf":[{"type":"integer"},{"type":"string"}]} = {"type":["string","integer"]}"#,
    r#"{"oneOf":[{"type":"object","properties":{"k":{"const":"c"},"l":{"type":"integer"}},"required":["k"]},{"type":"object","properties":{"k":{"const":"d"},"b":{"type":"boolean"}},"required":["k"]}]} > {"oneOf":[{"type":"object","properties":{"k":{"const":"c"},"l":{"type":"integer"}},"required":["k"]},{"type":"object","properties":{"k":{"const":"d"},"b":{"type":"boolean"}},"required":["k","b"]}]} > {"type":"object","properties":{"k":{"const":"c"},"l":{"type":"integer"}},"required":["k"]}"#,
    r#"{"oneOf":[{"type":"object","properties":{"k":{"const":"c"}},"required":["k"]}]} = {"type":"object","properties":{"k":{"const":"c"}},"required":["k"]} = {"anyOf":[{"type":"object","properties":{"k":{"const":"c"}},"required":["k"]}]}"#,
    r#"{"anyOf":[{"type":"string"},{"type":"object","properties":{"a":{"type":"number"}}}]} > {"anyOf":[{"type":"string"},{"type":"object","properties":{"a":{"type":"integer"}}}]} > {"type":"object","properties":{"a":{"type":"integer"}}}"#,
    r#"{"anyOf":[{"type":"string","maxLength":3},{"type":"integer"}]} > {"anyOf":[{"type":"string","maxLength":2},{"type":"integer"}]}"#,
    r#"{"anyOf":[{"type":"array","items":{"type":"string"}},{"type":"string"}]} > {"type":"array","items":{"type":"string"}}"#,
    r#"{"oneOf":[{"type":"string"},{"type":"integer"}]} ! {"oneOf":[{"type":"string"},{"type":"boolean"}]}"#,
    r#"{"anyOf":[{"type":"null"},{"type":"object","properties":{"a":{"type":"string"}}}]} = {"type":["object","null"],"properties":{"a":{"type":"string"}}} > {"type":"object","properties":{"a":{"type":"string"}}}"#,
    // conditions and negation: often undecided, never wrong
    r#"{"type":"string"} > {"type":"string","not":{"const":"x"}}"#,
    r#"{"type":"integer"} > {"type":"integer","not":{"enum":[0]}}"#,
    r#"{"type":"array","items":{"type":"integer"}} > {"type":"array","items":{"type":"integer"},"contains":{"const":1}}"#,
    r#"{"type":"string","pattern":"^[a-z]{2}$"} ! {"type":"string","pattern":"^[0-9]{2}$"}"#,
];

#[derive(Debug, Clone, Copy, PartialEq)]
enum Step {
    Same,
    Narrower,
    Other,
}

/// Every pair of a chain, the first schema the wider one where one is.
fn pairs(chain: &str) -> Vec<(Step, Value, Value)> {
    let mut links: Vec<(Step, Value)> = Vec::new();
    let mut step = Step::Same;
    let mut text = String::new();
    for word in chain.split(' ').chain(["="]) {
        let next = match word {
            ">" => Step::Narrower,
            "=" => Step::Same,
            "!" => Step::Other,
            word => {
                text.push_str(word);
                continue;
            }
        };
        let schema = serde_json::from_str(&text).unwrap_or_else(|why| panic!("{why}: {text}"));
        links.push((step, schema));
        text.clear();
        step = next;
    }
    let mut found = Vec::new();
    for (first, (_, left)) in links.iter().enumerate() {
        let mut relation = Step::Same;
        for (step, right) in &links[first + 1..] {
            relation = if *step == Step::Same { relation } else { *step };
            found.push((relation, left.clone(), right.clone()));
        }
    }
    found
}

/// Places of a message where a schema may stand: alone, in an object, in a list, below a recursion, among many.
const PLACES: &[fn(&Value) -> Value] = &[
    Value::clone,
    |schema| json!({"type": "object", "properties": {"x": schema}, "required": ["x"]}),
    |schema| json!({"type": "array", "items": {"type": "object", "properties": {"x": schema}}}),
    |schema| {
        json!({"type": "object", "properties": {"x": schema, "more": {"type": "array",
            "items": {"$ref": "#/components/schemas/Node"}}}})
    },
    |schema| {
        let mut properties = serde_json::Map::new();
        for index in 0..40 {
            properties.insert(format!("p{index}"), json!({"type": "string", "maxLength": index}));
        }
        properties.insert("x".to_owned(), schema.clone());
        json!({"type": "object", "properties": properties})
    },
];

/// The worst verdict on requests and on responses.
fn verdicts(old: &Value, new: &Value) -> [Verdict; 2] {
    let document = |schema: &Value| {
        let content =
            json!({"application/json": {"schema": {"$ref": "#/components/schemas/Node"}}});
        read(&json!({
            "openapi": "3.1.0",
            "info": {"title": "x", "version": "1"},
            "paths": {
                "/in": {"post": {"requestBody": {"required": true, "content": content},
                    "responses": {"204": {"description": "ok"}}}},
                "/out": {"get": {"responses": {"200": {"description": "ok", "content": content}}}},
            },
            "components": {"schemas": {"Node": schema}},
        }))
    };
    let report = compared(&document(old), &document(new));
    assert_eq!(report.contradicted, 0, "{old}\n{new}\n{:?}", report.notes);
    ["/in", "/out"].map(|path| {
        let own = report.changes.iter().filter(|change| &*change.operation.template == path);
        own.map(|change| change.verdict).max().unwrap_or(Cosmetic)
    })
}

/// What came of asking.
#[derive(Default)]
struct Tally {
    pairs: usize,
    asked: usize,
    undecided: Vec<String>,
    wrong: Vec<String>,
}

impl Tally {
    /// Asks about a pair in both directions, as a request and as a response.
    fn ask(&mut self, step: Step, wide: &Value, narrow: &Value) {
        self.pairs += 1;
        let (onward, back) = match step {
            Step::Same => ([Cosmetic, Cosmetic], [Cosmetic, Cosmetic]),
            Step::Narrower => ([Breaking, Compatible], [Compatible, Breaking]),
            Step::Other => ([Breaking, Breaking], [Breaking, Breaking]),
        };
        let found = [verdicts(wide, narrow), verdicts(narrow, wide)];
        for (wanted, found) in [onward, back].iter().flatten().zip(found.iter().flatten()) {
            self.asked += 1;
            let told = format!("{step:?} {wanted:?}\n  {wide}\n  {narrow}");
            if *found == Undecided {
                self.undecided.push(told);
            } else if found != wanted {
                self.wrong.push(format!("{found:?} instead of {told}"));
            }
        }
    }
}

#[test]
fn of_five_hundred_pairs_most_are_decided_and_none_is_wrong() {
    let mut tally = Tally::default();
    for (index, chain) in CHAINS.iter().enumerate() {
        // Every pair stands alone and in three of the other places.
        let places = PLACES.iter().enumerate().filter(|(place, _)| *place != 1 + index % 4);
        for (_, place) in places {
            for (step, wide, narrow) in pairs(chain) {
                tally.ask(step, &place(&wide), &place(&narrow));
            }
        }
    }
    let Tally { pairs, asked, undecided, wrong } = tally;
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(pairs >= 500, "{pairs} pairs");
    let decided = asked - undecided.len();
    assert!(decided * 100 >= asked * 85, "{decided} of {asked} decided\n{}", undecided.join("\n"));
}
