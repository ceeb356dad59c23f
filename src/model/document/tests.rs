//! The YAML facts that the rest of the program counts on.

use proptest::prelude::*;
use serde_json::{Map, json};

use super::*;

fn read(text: &str) -> Document {
    Document::parse(text, &ReadOptions::default()).unwrap_or_else(|found| panic!("{found}"))
}

fn refused(text: &str) -> Problems {
    Document::parse(text, &ReadOptions::default()).expect_err("refused")
}

fn codes(problems: &Problems) -> Vec<&'static str> {
    problems.0.iter().map(|problem| problem.code).collect()
}

#[test]
fn scalars_follow_the_core_schema_of_yaml_1_2() {
    let table = [
        ("no", json!("no")),
        ("on", json!("on")),
        ("Yes", json!("Yes")),
        ("true", json!(true)),
        ("FALSE", json!(false)),
        ("~", json!(null)),
        ("2024-05-01", json!("2024-05-01")),
        ("12:30:45", json!("12:30:45")),
        ("10", json!(10)),
        ("-7", json!(-7)),
        ("010", json!(10)),
        ("0x1F", json!(31)),
        ("0o17", json!(15)),
        ("1.10", json!(1.1)),
        ("1e3", json!(1000.0)),
        (".5", json!(0.5)),
        ("1_000", json!("1_000")),
        (".inf", json!(".inf")),
        ("1e999", json!("1e999")),
        ("18446744073709551615", json!(18_446_744_073_709_551_615_u64)),
        ("\"10\"", json!("10")),
        ("'no'", json!("no")),
        ("!!str 10", json!("10")),
        ("!!int \"10\"", json!(10)),
    ];
    for (text, expected) in table {
        assert_eq!(read(&format!("key: {text}")).value, json!({ "key": expected }), "{text}");
    }
}

#[test]
fn the_spelling_of_a_changed_number_is_kept() {
    for (text, kept) in [
        ("010", true),
        ("1.10", true),
        ("+5", true),
        ("18446744073709551616", true),
        ("1.5", false),
        ("1.0", false),
        ("10", false),
    ] {
        let document = read(&format!("list: [{text}]"));
        assert_eq!(document.spelling("/list/0"), kept.then_some(text), "{text}");
    }
}

#[test]
fn keys_are_the_text_that_was_typed() {
    let document = read("200: a\nno: b\n1.10: c\n'x': d\n~: e\n");
    assert_eq!(document.value, json!({ "200": "a", "no": "b", "1.10": "c", "x": "d", "~": "e" }));
}

#[test]
fn json_is_read_with_its_escapes_tabs_and_byte_order_mark() {
    let text =
        "\u{feff}{\n\t\"a\":[1,2.5,{\"b\\/c\":\"\\ud83d\\ude00\\u0041\"}],\n\t\"d\":null\n}\n";
    assert_eq!(read(text).value, json!({ "a": [1, 2.5, { "b/c": "😀A" }], "d": null }));
    let long = format!("{{\"{}\": 1}}", "k".repeat(5_000));
    assert_eq!(read(&long).value.as_object().map(Map::len), Some(1));
}

#[test]
fn json_strings_may_hold_every_character_that_json_allows() {
    for code in (0x20..=0xffff).filter(|code| !matches!(code, 0xd800..=0xdfff)) {
        let letter = char::from_u32(code).expect("no surrogate");
        if matches!(letter, '"' | '\\') {
            continue;
        }
        let text = format!("{{\"a\": \"<{letter}>\"}}");
        assert_eq!(read(&text).value, json!({ "a": format!("<{letter}>") }), "{code:04x}");
    }
    assert_eq!(codes(&refused("a: \"\u{9f}\"")), ["document.syntax"]);
    let text = "{\"a\": \"\u{9f}\",\n\"b\": 1}";
    let places = [read(text).locate("/b"), index::Index::of(text, ["/b"].into_iter()).place("/b")];
    assert_eq!(places.map(|place| place.map(|place| place.line)), [Some(2), Some(2)]);
}

#[test]
fn duplicate_keys_are_all_named_with_their_places() {
    let found = refused("a: 1\nb: 2\na: 3\nc: {d: 1, d: 2}\n");
    assert_eq!(codes(&found), ["document.duplicate-key"; 2]);
    assert_eq!(found.0[0].position, Some(Position { line: 3, column: 1 }));
    assert_eq!(found.0[1].position, Some(Position { line: 4, column: 11 }));
    assert_eq!(codes(&refused("{\"a\": 1, \"a\": 2}")), ["document.duplicate-key"]);
}

#[test]
fn what_is_not_one_plain_document_is_refused() {
    for (text, code) in [
        ("a: 1\n---\nb: 2\n", "document.several-documents"),
        ("a: [1, 2\nb: 3\n", "document.syntax"),
        ("{\"a\": ", "document.syntax"),
        ("a: !secret x\n", "document.tag"),
        ("? [a]\n: b\n", "document.key"),
        ("a: &a [*a]\n", "document.alias"),
        ("a: *b\n", "document.syntax"),
    ] {
        let found = refused(text);
        assert_eq!(codes(&found), [code], "{text}");
        assert!(found.0[0].position.is_some(), "{text}");
    }
}

#[test]
fn an_empty_text_is_null() {
    assert_eq!(read("").value, json!(null));
    assert_eq!(read("# only a comment\n").value, json!(null));
}

#[test]
fn aliases_and_merge_keys_are_written_out() {
    let text = "base: &base {a: 1, b: 2}\nuse: {<<: *base, b: 3}\nboth: {<<: [*base, {c: 4}]}\n";
    let document = read(text);
    assert_eq!(document.value["use"], json!({ "a": 1, "b": 3 }));
    assert_eq!(document.value["both"], json!({ "a": 1, "b": 2, "c": 4 }));
}

#[test]
fn an_alias_bomb_costs_no_more_than_the_limit() {
    let mut text = String::from("a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n");
    for level in 1..12 {
        let below = format!("*a{}, ", level - 1).repeat(10);
        text += &format!("a{level}: &a{level} [{below}]\n");
    }
    assert_eq!(codes(&refused(&text)), ["document.too-large"]);
}

#[test]
fn depth_is_limited_written_out_or_not() {
    let deep = |depth: usize| format!("{}{}", "[".repeat(depth), "]".repeat(depth));
    assert!(Document::parse(&deep(256), &ReadOptions::default()).is_ok());
    assert_eq!(codes(&refused(&deep(257))), ["document.too-deep"]);
    assert_eq!(codes(&refused(&deep(100_000))), ["document.too-deep"]);
    let mut chain = String::from("a0: &a0 [x]\n");
    for level in 1..300 {
        chain += &format!("a{level}: &a{level} [*a{}]\n", level - 1);
    }
    assert_eq!(codes(&refused(&chain)), ["document.too-deep"]);
}

#[test]
fn places_are_found_by_pointer() {
    let text =
        "apis:\n  - name: orders\n    hosts: [a, b]\n  - name: \"stock/é\"\n    a/b: {c~d: 1}\n";
    let document = read(text);
    for (pointer, line, column) in [
        ("", 1, 1),
        ("/apis", 1, 1),
        ("/apis/0/name", 2, 11),
        ("/apis/0/hosts", 3, 5),
        ("/apis/0/hosts/1", 3, 16),
        ("/apis/1", 4, 5),
        ("/apis/1/a~1b/c~0d", 5, 16),
        ("/apis/1/missing", 4, 5),
        ("/apis/7", 1, 1),
    ] {
        assert_eq!(document.locate(pointer), Some(Position { line, column }), "{pointer}");
    }
    assert_eq!(document.locate_key("/apis/0/name"), Some(Position { line: 2, column: 5 }));
    assert_eq!(document.excerpt(Position { line: 3, column: 1 }), Some("    hosts: [a, b]"));
}

#[test]
fn variables_fill_plain_scalars_and_cannot_inject_yaml() {
    let variables = |name: &str| match name {
        "SET" => Some("x: [1]\n# y".to_owned()),
        "EMPTY" => Some(String::new()),
        "PORT" => Some("8080".to_owned()),
        _ => None,
    };
    let options = ReadOptions { variables: Some(&variables), ..ReadOptions::default() };
    let text = "a: ${SET}\nb: 'no ${SET}'\nc: ${UNSET:-d}-${EMPTY:-e}\nd: $${SET}\nf: 0:${PORT}\ng: ${PORT}\n";
    let document = Document::parse(text, &options).unwrap_or_else(|found| panic!("{found}"));
    let expected = json!({
        "a": "x: [1]\n# y", "b": "no ${SET}", "c": "d-e", "d": "${SET}", "f": "0:8080", "g": "8080"
    });
    assert_eq!(document.value, expected);
    assert!(document.is_interpolated("/a") && !document.is_interpolated("/b"));
    assert_eq!(document.excerpt(Position { line: 1, column: 4 }), Some("a: ${SET}"));
    let found = Document::parse("a: ${UNSET}\nb: ${1x}\nc: ${open\n", &options);
    let codes = codes(&found.expect_err("refused"));
    assert_eq!(
        codes,
        ["document.unset-variable", "document.interpolation", "document.interpolation"]
    );
    assert_eq!(read("a: ${SET}").value, json!({ "a": "${SET}" }));
}

/// Any JSON value without exotic numbers.
fn tree() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<u64>().prop_map(Value::from),
        any::<f64>().prop_filter("finite", |number| number.is_finite()).prop_map(Value::from),
        "\\PC{0,12}".prop_map(Value::from),
    ];
    leaf.prop_recursive(4, 48, 6, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..6).prop_map(Value::from),
            prop::collection::btree_map("\\PC{0,6}", inner, 0..6)
                .prop_map(|members| Value::Object(members.into_iter().collect())),
        ]
    })
}

proptest! {
    #[test]
    fn whatever_json_says_is_read_so(value in tree()) {
        prop_assert_eq!(&read(&value.to_string()).value, &value);
        let pretty = serde_json::to_string_pretty(&value).expect("printed");
        prop_assert_eq!(&read(&pretty).value, &value);
    }

    #[test]
    fn arbitrary_text_never_panics(text in "[ -~\\n]{0,200}") {
        let read = Document::parse(&text, &ReadOptions::default());
        if let Ok(document) = read {
            prop_assert!(document.locate("/a/0/b").is_some() || document.value.is_null());
        }
    }
}
