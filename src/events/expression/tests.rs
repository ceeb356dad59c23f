//! Conditions, templates and trees by table; bombs end in errors.

use super::*;
use crate::model::problem::Problems;

fn scope(data: &str) -> Scope {
    let mut scope = Scope::default();
    scope
        .set("event", &serde_json::json!({"type": "a.b", "api": "orders", "severitytext": "high"}));
    scope.set_raw("data", data);
    scope
}

fn holds(text: &str, data: &str) -> Result<bool, String> {
    let condition = Condition::compile(text, EVENT_ROOTS).map_err(|problem| problem.to_string())?;
    condition.holds(&scope(data)).map_err(|failed| failed.to_string())
}

fn rendered(tree: &serde_json::Value, data: &str) -> Result<String, String> {
    let tree = Tree::compile(tree, EVENT_ROOTS).map_err(|problems| problems.to_string())?;
    tree.render(&scope(data)).map_err(|failed| failed.to_string())
}

#[test]
fn conditions_say_true_or_false_or_what_is_wrong() {
    let data = r#"{"n": 3, "s": "abc", "list": [1, 2], "no": null, "yes": true}"#;
    for (text, expected) in [
        ("data.n > 2", true),
        ("data.n > 2 and data.s == 'abc'", true),
        ("$data.n > 2 and $event.api == '$data'", false),
        ("data.s is startingwith 'ab'", true),
        ("data.s is matching '^a.c$'", true),
        ("data.missing is defined", false),
        ("data.missing is not defined", true),
        ("data.missing | default(false)", false),
        ("data.list | length == 2", true),
        ("2 in data.list", true),
        ("data.no is none", true),
        ("data.yes", true),
        ("mul(data.n, 2) == 6", true),
        ("event.severitytext in ['high', 'critical']", true),
        ("event['type'] == 'a.b'", true),
    ] {
        assert_eq!(holds(text, data), Ok(expected), "{text}");
    }
    for (text, part) in [
        ("data.n", "not true or false"),
        ("data.s", "not true or false"),
        ("data.missing", "undefined"),
        ("data.missing.deeper == 1", "undefined"),
        ("data.missing == 1 or true", "undefined"),
        ("data.n >", "no expression"),
        ("true) %}{{ 1 }}{% set x = (1", "no expression"),
        ("dta.n > 1", "did you mean `data`?"),
        ("request.body", "there is event, data"),
        ("data.s | uper", "did you mean `upper`?"),
        ("data.s | safe", "there is no filter `safe`"),
        ("data.n is odd", "there is no test `odd`"),
        ("range(3)", "there is no function `range`"),
        ("data.n * 2 > 1", "use `mul(a, b)`"),
        ("data.n ** 2 > 1", "use `mul(a, b)`"),
        ("$ > 1", "stands before no name"),
        ("data.s == 'abc", "has no end"),
        ("data.s is matching '('", "the pattern cannot be used"),
        ("mul(data.s, 2) == 1", "takes two numbers"),
    ] {
        let said = holds(text, data).expect_err(text);
        assert!(said.contains(part), "{text}: {said}");
    }
}

#[test]
fn what_no_number_type_holds_is_an_error_and_not_false() {
    let said = holds("data.big > 1", r#"{"big": 1e400}"#).expect_err("it cannot be compared");
    assert!(said.contains("undefined"), "{said}");
}

#[test]
fn leaves_keep_native_values_and_the_spelling_of_numbers() {
    let data = r#"{"n": 1.0, "big": 1e400, "id": 12345678901234567890123, "s": "a\"b", "o": {"z": 1, "a": 1.50}, "l": [0, 1.10]}"#;
    for (leaf, expected) in [
        ("{{ data.n }}", "1.0"),
        ("{{data.o.a}}", "1.50"),
        ("{{ $data.o }}", r#"{"z": 1, "a": 1.50}"#),
        ("{{ data.l[1] }}", "1.10"),
        ("{{ data['s'] }}", r#""a\"b""#),
        ("{{ data.big }}", "1e400"),
        ("{{ data.id }}", "12345678901234567890123"),
        ("plain", r#""plain""#),
        ("plain $data.n", r#""plain $data.n""#),
    ] {
        assert_eq!(rendered(&serde_json::json!(leaf), data).as_deref(), Ok(expected), "{leaf}");
    }
    let data = r#"{"n": 2, "s": "x", "l": ["a", "b"]}"#;
    for (leaf, expected) in [
        ("{{ data.n + 1 }}", "3"),
        ("n={{ data.n }}", r#""n=2""#),
        ("{{ data.n }}{{ data.n }}", r#""22""#),
        ("{% if data.n > 1 %}many{% else %}one{% endif %}", r#""many""#),
        ("{% for item in data.l %}{{ item }};{% endfor %}", r#""a;b;""#),
        ("{# note #}{{ data.s | upper }}", r#""X""#),
        ("{{ data.l | join('-') }}", r#""a-b""#),
        ("{{ data.l }}", r#"["a", "b"]"#),
        ("{{ {'a': {'b': data.n}} }}", r#"{"a":{"b":2}}"#),
        ("{{ '$data.n' }}", r#""$data.n""#),
        ("line\n", "\"line\\n\""),
        ("{{ data.s }}\n", "\"x\\n\""),
    ] {
        assert_eq!(rendered(&serde_json::json!(leaf), data).as_deref(), Ok(expected), "{leaf}");
    }
    let tree = serde_json::json!({"{{ key }}": ["{{ data.n }}", 1, null], "t": "{{ data.s }}!"});
    assert_eq!(rendered(&tree, data).as_deref(), Ok(r#"{"{{ key }}":[2,1,null],"t":"x!"}"#));
}

#[test]
fn templates_refuse_what_is_not_on_the_list() {
    for (leaf, part) in [
        ("{% set x = 1 %}", "`set` is not a statement"),
        ("{% include 'a' %}", "`include` is not a statement"),
        ("{% macro a() %}{% endmacro %}", "`macro` is not a statement"),
        ("{% raw %}{% endraw %}", "`raw` is not a statement"),
        ("{% for a in data.l recursive %}{{ loop(a) }}{% endfor %}", "there is no function"),
        ("{{ data.n", "has no end"),
        ("{% if data.n %}", "no expression"),
        ("{{ x }} and {{ data.n }}", "no variable `x`"),
    ] {
        let said =
            rendered(&serde_json::json!({"a": [leaf]}), r#"{"n": 1, "l": []}"#).expect_err(leaf);
        assert!(said.contains(part), "{leaf}: {said}");
        assert!(said.contains("/a/0"), "{leaf}: {said}");
    }
}

#[test]
fn bombs_end_in_errors() {
    let long = "x".repeat(200 * 1024);
    let data = format!(r#"{{"s": "{long}", "l": [{}]}}"#, vec!["1"; 2_000].join(","));
    let nested = "{% for a in data.l %}{% for b in data.l %}{{ b }}{% endfor %}{% endfor %}";
    let doubling = format!("{{{{ {} }}}}", vec!["data.s"; 40].join(" ~ "));
    let literal = format!("{{{{ [{}] | join }}}}", vec!["data.s"; 80].join(", "));
    for (leaf, part) in [
        ("{{ data.s ~ data.s }} {{ 1 }}", "grows beyond"),
        ("{{ data.s | replace('x', data.s) }}", "grows beyond"),
        ("{{ data.s | replace('', data.s) }}", "grows beyond"),
        ("{{ [data.s, data.s] | join }}", "grows beyond"),
        ("{{ [data.s, data.s] | tojson }}", "grows beyond"),
        ("{{ [data.s, data.s] | string }}", "grows beyond"),
        ("{{ data.s | b64encode }}", "grows beyond"),
        ("{{ [data.s, data.s] }}", "grows beyond"),
        (nested, "too many steps"),
        (&doubling, "more than 32"),
        (&literal, "64 commas"),
    ] {
        let said = rendered(&serde_json::json!(leaf), &data).expect_err("a bomb went through");
        let shown: String = leaf.chars().take(60).collect();
        assert!(said.contains(part), "{shown}: {}", said.chars().take(200).collect::<String>());
    }
    let deep = format!("{}1{}", "(".repeat(500), ")".repeat(500));
    assert!(holds(&format!("{deep} == 1"), "{}").is_err());
    assert!(Condition::compile(&" ".repeat(5_000), EVENT_ROOTS).is_err());
}

#[test]
fn refusals_point_into_the_text_as_it_was_written() {
    let problem =
        Condition::compile("$data.n > 1\n and $data.n * 2", EVENT_ROOTS).expect_err("star");
    assert_eq!(problem.position.map(|place| (place.line, place.column)), Some((2, 14)));
    let problems: Problems =
        Tree::compile(&serde_json::json!({"a": "{{ b }}", "c": "{{ 1 * 1 }}"}), EVENT_ROOTS)
            .expect_err("two");
    assert_eq!(problems.0.len(), 2);
}
