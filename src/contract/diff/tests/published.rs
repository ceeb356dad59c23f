//! Verdicts that published documents once got wrong, one test each, in documents of our own.

use serde_json::{Value, json};

use super::{Report, Verdict, compared, document, labels, read, request, response};
use crate::contract::diff::report;

use Verdict::{Breaking, Compatible, Cosmetic, PotentiallyBreaking as Undecided};

/// Documents of which the one operation has parameters.
fn asking(parameters: [Value; 2]) -> Report {
    let [old, new] = parameters.map(|parameter| {
        read(&document(&json!({"parameters": [parameter],
            "responses": {"200": {"description": "ok"}}})))
    });
    compared(&old, &new)
}

fn query(more: Value) -> Value {
    let mut parameter = json!({"name": "q", "in": "query"});
    if let (Some(members), Value::Object(more)) = (parameter.as_object_mut(), more) {
        members.extend(more);
    }
    parameter
}

/// Documents of which the request body of a media type has schemas.
fn sending(media: &str, schemas: [Value; 2]) -> Report {
    let [old, new] = schemas.map(|schema| {
        read(&document(&json!({"requestBody": {"content": {media: {"schema": schema}}},
            "responses": {"200": {"description": "ok"}}})))
    });
    compared(&old, &new)
}

fn object(properties: Value) -> Value {
    json!({"type": "object", "properties": properties})
}

#[test]
fn a_number_in_a_form_is_a_text() {
    let schemas =
        || [object(json!({"at": {"type": "number"}})), object(json!({"at": {"type": "string"}}))];
    for (media, verdict) in
        [("application/x-www-form-urlencoded", Compatible), ("application/json", Breaking)]
    {
        assert_eq!(sending(media, schemas()).verdict(), verdict, "{media}");
    }
    assert_ne!(sending("multipart/form-data", schemas()).verdict(), Breaking);
    let narrowed =
        [object(json!({"at": {"type": "string"}})), object(json!({"at": {"type": "number"}}))];
    assert_eq!(sending("application/x-www-form-urlencoded", narrowed).verdict(), Breaking);
}

#[test]
fn exploding_matters_to_who_sends_several_values() {
    let one = query(json!({"schema": {"type": "string"}}));
    let several =
        query(json!({"explode": false, "schema": {"type": "array", "items": {"type": "string"}}}));
    let report = asking([one.clone(), several.clone()]);
    let found = labels(&report);
    assert!(found.contains(&("request-parameter-explode-changed", Compatible)), "{found:?}");
    let report = asking([several, one]);
    let found = labels(&report);
    assert!(found.contains(&("request-parameter-explode-changed", Breaking)), "{found:?}");
}

#[test]
fn a_parameter_that_is_null_is_not_sent() {
    let may = query(json!({"schema": {"type": ["string", "null"], "format": "uuid"}}));
    let must = query(json!({"schema": {"type": "string", "format": "uuid"}}));
    assert!(asking([may, must]).verdict() <= Compatible);
}

#[test]
fn texts_that_all_read_as_booleans_may_become_booleans() {
    let texts = query(json!({"schema": {"type": "string", "enum": ["true", "false"]}}));
    let flags = query(json!({"schema": {"type": "boolean"}}));
    assert!(asking([texts, flags.clone()]).verdict() <= Compatible);
    let any = query(json!({"schema": {"type": "string"}}));
    assert_eq!(asking([any, flags]).verdict(), Breaking);
}

#[test]
fn a_default_that_is_spelled_alike_on_the_wire_has_not_changed() {
    let spelled =
        |default: Value| query(json!({"schema": {"type": "integer", "default": default}}));
    assert!(asking([spelled(json!(0)), spelled(json!("0"))]).changes.is_empty());
    assert_eq!(asking([spelled(json!(0)), spelled(json!(1))]).verdict(), Undecided);
}

#[test]
fn a_width_of_integers_is_one_change_and_called_by_its_name() {
    let wide = json!({"type": "integer", "format": "int64"});
    let narrow = json!({"type": "integer", "format": "int32"});
    let report = compared(&request(&wide), &request(&narrow));
    assert_eq!(labels(&report), [("request-body-type-specialized", Breaking)]);
    assert!(report.changes[0].text.ends_with("int64 → int32"), "{}", report.changes[0].text);
    let report = compared(&response(&wide), &response(&narrow));
    assert_eq!(labels(&report), [("response-body-type-specialized", Compatible)]);
    let limited = json!({"type": "integer", "format": "int32", "maximum": 50});
    let report = compared(&request(&narrow), &request(&limited));
    assert_eq!(labels(&report), [("request-body-max-set", Breaking)]);
}

#[test]
fn a_null_that_proves_something_is_in_the_json() {
    let report = compared(
        &request(&json!({"type": ["object", "null"]})),
        &request(&json!({"type": "object"})),
    );
    assert_eq!(report.verdict(), Breaking);
    let nothing = report::Document::default();
    let view = report::View {
        old: &nothing,
        new: &nothing,
        report: &report,
        warnings: &[],
        cosmetic: true,
        least: crate::model::finding::Severity::Info,
    };
    let text = report::render(&view, report::Format::Ndjson, false);
    let change: Value = serde_json::from_str(text.lines().next().expect("a change")).expect("JSON");
    assert_eq!(change.get("witness"), Some(&Value::Null));
}

/// A client of the old document does not know the name that the new branch has.
#[test]
fn a_name_that_the_sender_does_not_know_proves_nothing() {
    let branch = |name: &str| json!({"type": "object", "required": [name], "properties": {name: {"type": "string"}}});
    let old = json!({"oneOf": [{}, branch("password")]});
    let new = json!({"oneOf": [{}, branch("password"), branch("code")]});
    assert_ne!(compared(&request(&old), &request(&new)).verdict(), Breaking);
    let old = object(json!({"a": {"type": "string"}}));
    let mut new =
        object(json!({"a": {"type": "string"}, "b": {"type": "string"}, "c": {"type": "string"}}));
    new["required"] = json!(["b", "c"]);
    let report = compared(&request(&old), &request(&new));
    assert_eq!(report.verdict(), Breaking);
    let witnesses = report.changes.iter().filter_map(|change| change.witness.as_deref());
    let mut names = witnesses.flat_map(|witness| witness.as_object().expect("an object").keys());
    assert!(names.all(|name| name == "a"), "{:#?}", report.changes);
}

#[test]
fn a_new_property_of_an_open_object_collides_with_nobody_for_certain() {
    let mut old = object(json!({"a": {"type": "string"}}));
    old["additionalProperties"] = json!(true);
    let mut new = object(json!({"a": {"type": "string"}, "b": {"type": "boolean"}}));
    new["additionalProperties"] = json!(true);
    let report = compared(&request(&old), &request(&new));
    assert_eq!(labels(&report), [("new-optional-request-property", Undecided)]);
    // A map of texts promises texts under every name.
    old["additionalProperties"] = json!({"type": "string"});
    new["additionalProperties"] = json!({"type": "string"});
    assert_eq!(compared(&request(&old), &request(&new)).verdict(), Breaking);
}

#[test]
fn a_one_of_whose_branches_nothing_tells_apart_breaks_nobody() {
    let variant = |name: &str| object(json!({name: {"type": "string"}}));
    let old = json!({"oneOf": [variant("a"), variant("b")]});
    let tagged = |name: &str| {
        json!({"type": "object", "required": ["kind"],
            "properties": {"kind": {"enum": [name]}, name: {"type": "string"}}})
    };
    let new = json!({"oneOf": [tagged("a"), tagged("b")]});
    let report = compared(&response(&old), &response(&new));
    assert_eq!(report.verdict(), Undecided, "{:#?}", report.changes);
}

/// `additionalProperties: false` beside `allOf` allows no name at all, so that everything would be proven of what is sent.
#[test]
fn a_schema_that_allows_nothing_by_mistake_hides_no_change() {
    let sealed = |limit: u8| {
        json!({"type": "object", "additionalProperties": false, "required": ["angle"],
            "allOf": [object(json!({"angle": {"type": "number", "minimum": limit}}))]})
    };
    let report = compared(&response(&sealed(9)), &response(&sealed(0)));
    let found = labels(&report);
    assert_eq!(found, [("response-property-min-decreased", Undecided)]);
    assert!(compared(&response(&sealed(9)), &response(&sealed(9))).changes.is_empty());
}

#[test]
fn objects_need_no_type_to_be_objects() {
    let untyped = json!({"properties": {"a": {"type": "string"}}});
    let mut typed = untyped.clone();
    typed["type"] = json!("object");
    let either = |schema: &Value| json!({"anyOf": [schema, {"type": "null"}]});
    for (old, new) in [(untyped.clone(), typed.clone()), (either(&untyped), either(&typed))] {
        for report in
            [compared(&request(&old), &request(&new)), compared(&response(&new), &response(&old))]
        {
            assert!(report.verdict() == Cosmetic, "{:#?}", report.changes);
        }
    }
}

#[test]
fn a_path_written_out_may_become_one_that_a_slot_lists() {
    let path = |template: &str, slot: Option<Value>| {
        let parameter = slot.map(
            |schema| json!({"name": "kind", "in": "path", "required": true, "schema": schema}),
        );
        let parameters: Vec<Value> = parameter.into_iter().collect();
        read(&json!({"openapi": "3.1.0", "info": {"title": "x", "version": "1"},
            "paths": {template: {"get": {"parameters": parameters,
                "responses": {"200": {"description": "ok"}}}}}}))
    };
    let old = path("/pulls/1.diff", None);
    let listed =
        path("/pulls/1.{kind}", Some(json!({"type": "string", "enum": ["diff", "patch"]})));
    assert_eq!(labels(&compared(&old, &listed)), [("api-path-changed", Compatible)]);
    // Any text is another thing: `/users/me` is no user with the id `me`.
    let any = path("/pulls/1.{kind}", Some(json!({"type": "string"})));
    assert_eq!(compared(&old, &any).verdict(), Breaking);
}

#[test]
fn changes_are_told_in_words() {
    let told = |old: &Value, new: &Value| -> Vec<String> {
        let report = compared(&request(old), &request(new));
        report.changes.into_iter().map(|change| change.text).collect()
    };
    let plain = object(json!({"a": {"type": "string"}}));
    let with = |schema: Value| object(json!({"a": {"type": "string"}, "b": schema}));
    let list = json!({"type": "array", "items": {"type": "string"}});
    assert_eq!(
        told(&plain, &with(list.clone())),
        ["new optional request property `/b`: array of string"]
    );
    assert_eq!(told(&with(list), &plain), ["request property `/b` is gone: array of string"]);
    let either = json!({"oneOf": [{"type": "integer"}, {"type": "boolean"}]});
    assert_eq!(
        told(&with(json!({"type": "integer"})), &with(either)),
        ["request property `/b`: one of added: integer, boolean"]
    );
    let limited = json!({"type": "string", "maxLength": 9});
    assert_eq!(
        told(&with(json!({"type": "string"})), &with(limited)),
        ["request property `/b`: max length set: 9"]
    );
    let formatted = json!({"type": "string", "format": "uuid"});
    assert_eq!(
        told(&with(json!({"type": "string"})), &with(formatted)),
        ["request property `/b`: type specialized: no format → uuid"]
    );
}
