//! Forms in parts: what keeps its schema is silent, what does not is told, what cannot be read is said to be so.

use serde_json::json;

use super::super::judgement::{Judgement, Reason, Validity};
use crate::contract::testing::{Build, baseline, exchange};

const UPLOAD: &str = "
openapi: 3.1.0
paths:
  /photos:
    post:
      requestBody:
        content:
          multipart/form-data:
            schema:
              type: object
              required: [title, photo]
              properties:
                title: {type: string, maxLength: 9}
                size: {type: integer, maximum: 100}
                photo: {type: string, format: binary, minLength: 5}
                thumbs: {type: array, items: {type: string, format: binary}, maxItems: 2}
                tags: {type: array, items: {type: integer}}
                place: {type: object, required: [lat], properties: {lat: {type: number}}}
                either: {type: [string, integer]}
                password: {type: string, enum: [a]}
      responses: {'201': {description: made}}
";

/// One part: how it is disposed, its media type and its text.
type Part<'p> = (&'p str, &'p str, &'p str);

const TITLE: Part<'_> = ("name=title", "", "Sunset");
const PHOTO: Part<'_> = ("name=photo; filename=a.png", "image/png", "\u{1}PNG");

fn body(parts: &[Part<'_>]) -> String {
    let written = parts.iter().map(|(disposition, media, text)| {
        let media =
            if media.is_empty() { String::new() } else { format!("Content-Type: {media}\r\n") };
        format!("--B\r\nContent-Disposition: form-data; {disposition}\r\n{media}\r\n{text}\r\n")
    });
    written.collect::<String>() + "--B--\r\n"
}

fn judged(body: &str) -> Judgement {
    let posted = exchange("POST /photos", 201).sent_as("multipart/form-data; boundary=B", body);
    baseline(UPLOAD).judge(&posted)
}

#[test]
fn each_part_is_judged_by_its_property() {
    for (further, expected) in [
        (&[][..], &[][..]),
        (&[("name=size", "", "7")], &[]),
        (&[("name=size", "", "large")], &["type.changed /size"]),
        (&[("name=tags", "", "1"), ("name=tags", "", "2")], &[]),
        (&[("name=tags", "", "1"), ("name=tags", "", "x")], &["type.changed /tags/*"]),
        (&[("name=tags", "application/json", "[1, 2]")], &[]),
        (&[("name=thumbs; filename=b", "image/png", "b")], &[]),
        (&[("name=place", "", "{\"lat\": 1.5}")], &[]),
        (&[("name=place", "application/json", "{}")], &["field.required-missing /place/lat"]),
        (&[("name=place", "application/json", "{broken")], &["type.changed /place"]),
        (&[("name=colour", "", "red")], &["field.undocumented /colour"]),
        // Where the value is withheld nothing but its kind is judged.
        (&[("name=password", "", "hunter2")], &[]),
    ] {
        let judgement = judged(&body(&[&[TITLE, PHOTO], further].concat()));
        let told: Vec<String> = judgement
            .deviations
            .iter()
            .map(|told| format!("{} {}", told.kind, told.location.pointer))
            .collect();
        assert_eq!(told, expected, "{further:?}");
    }
    assert_eq!(judged(&body(&[TITLE])).request, Validity::Invalid);
    // A file is not read: that it is shorter than its schema asks says nothing.
    assert_eq!(judged(&body(&[TITLE, PHOTO])).request, Validity::Valid);
}

#[test]
fn hostile_parts_are_unvalidatable() {
    let deep = "[".repeat(100_000);
    let many: Vec<Part<'_>> = std::iter::repeat_n(TITLE, 300).collect();
    for (body, reason) in [
        ("no boundary at all".to_owned(), Reason::Undecodable),
        (String::from("--B\r\n"), Reason::Undecodable),
        (body(&[TITLE, PHOTO]).replace("--B--\r\n", ""), Reason::Undecodable),
        (body(&many), Reason::Undecodable),
        ("--B\r\n".repeat(100_000), Reason::Undecodable),
        (body(&[TITLE, PHOTO, ("name=place", "application/json", &deep)]), Reason::TooDeep),
        (body(&[TITLE, PHOTO, ("name=either", "", "12")]), Reason::Ambiguous),
        (body(&[TITLE, PHOTO, ("name=size", "", &"9".repeat(1 << 20))]), Reason::TooLarge),
    ] {
        let judgement = judged(&body);
        let begin = body.get(..body.len().min(80));
        assert_eq!(judgement.request, Validity::Unvalidatable(reason), "{begin:?}");
        assert!(judgement.deviations.is_empty());
    }
    let unbounded = exchange("POST /photos", 201).sent_as("multipart/form-data", "--\r\n");
    let judgement = baseline(UPLOAD).judge(&unbounded);
    assert_eq!(judgement.request, Validity::Unvalidatable(Reason::Undecodable));
}

#[test]
fn unions_of_a_thousand_objects_end() {
    let branch = |index: usize| {
        json!({"type": "object", "required": [format!("a{index}"), "kind"], "properties":
            {format!("a{index}"): {"type": "integer"}, "kind": {"const": index}}})
    };
    let branches: Vec<_> = (0..1_000).map(branch).collect();
    let document = json!({"openapi": "3.1.0", "paths": {"/t": {"get": {"responses": {"200":
        {"description": "", "content": {"application/json": {"schema": {"anyOf": branches}}}}}}}}});
    let baseline = baseline(&document.to_string());
    let one = json!({"a7": 1, "kind": 7});
    let judgement = baseline.judge(&exchange("GET /t", 200).answered(&one));
    assert_eq!(judgement.reply, Validity::Valid, "{:?}", judgement.deviations);
    for other in [json!({"a7": "x", "kind": 7}), json!([]), json!({"kind": "x"})] {
        let judgement = baseline.judge(&exchange("GET /t", 200).answered(&other));
        assert_ne!(judgement.reply, Validity::Valid, "{other}");
    }
}
