//! Bounds of numbers and counts: compared exactly, with what integers make of fractions.

use std::cmp::Ordering;

use serde_json::{Number, Value, json};

use super::book::Part;
use super::types::Type;

/// Compares two numbers: integers exactly.
pub(super) fn compare(left: &Number, right: &Number) -> Option<Ordering> {
    match (integer(left), integer(right)) {
        (Some(left), Some(right)) => Some(left.cmp(&right)),
        _ => left.as_f64()?.partial_cmp(&right.as_f64()?),
    }
}

fn integer(number: &Number) -> Option<i128> {
    number.as_i64().map(i128::from).or_else(|| number.as_u64().map(i128::from))
}

/// Whether some part states a bound at least as tight as `keyword: limit`.
pub(super) fn implies(parts: &[Part<'_>], keyword: &str, limit: &Value, kind: Type) -> bool {
    let Value::Number(limit) = limit else { return false };
    if kind == Type::Integer && is_beyond_words(limit) {
        return true;
    }
    let (inclusive, exclusive) = if keyword.to_ascii_lowercase().contains("min") {
        ("minimum", "exclusiveMinimum")
    } else {
        ("maximum", "exclusiveMaximum")
    };
    let tighter = |ordering: Option<Ordering>, or_equal: bool| match ordering {
        Some(Ordering::Equal) => or_equal,
        Some(Ordering::Greater) => inclusive == "minimum",
        Some(Ordering::Less) => inclusive == "maximum",
        None => false,
    };
    let wants_exclusive = keyword == exclusive;
    parts.iter().any(|part| {
        let own = |name: &str| part.get(name).and_then(Value::as_number);
        own(inclusive).is_some_and(|own| tighter(compare(own, limit), !wants_exclusive))
            || own(exclusive).is_some_and(|own| {
                tighter(compare(own, limit), true)
                    || kind == Type::Integer && is_next(own, limit, inclusive)
            })
    })
}

/// Nobody means integers beyond 64 bits where no width is given: a bound out there refuses nothing that is sent.
fn is_beyond_words(limit: &Number) -> bool {
    let whole = integer(limit);
    whole.is_some_and(|whole| whole >= i128::from(i64::MAX) || whole <= i128::from(i64::MIN))
}

/// Of integers: beyond `own` exclusively is the same as from `limit` on.
fn is_next(own: &Number, limit: &Number, bound: &str) -> bool {
    match (integer(own), integer(limit)) {
        (Some(own), Some(limit)) if bound == "minimum" => own + 1 >= limit,
        (Some(own), Some(limit)) => own - 1 <= limit,
        _ => false,
    }
}

/// Whether every multiple of some part's `multipleOf` is one of `step`.
pub(super) fn divides(parts: &[Part<'_>], step: &Value, kind: Type) -> bool {
    let whole = |value: &Value| value.as_i64().filter(|step| *step > 0);
    let Some(wanted) = whole(step) else {
        return parts.iter().any(|part| part.get("multipleOf") == Some(step));
    };
    wanted == 1 && kind == Type::Integer
        || parts
            .iter()
            .filter_map(|part| whole(part.get("multipleOf")?))
            .any(|own| own % wanted == 0)
}

/// Numbers near everything that the parts say.
pub(super) fn pool(parts: &[Part<'_>]) -> Vec<Value> {
    let mut found = vec![json!(0), json!(1), json!(-1), json!(0.5), json!(7), json!(1_000_003)];
    for part in parts {
        for keyword in ["minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf"]
        {
            let Some(number) = part.get(keyword).and_then(Value::as_number) else { continue };
            found.push(Value::Number(number.clone()));
            if let Some(whole) = integer(number) {
                for near in [whole - 1, whole + 1, whole * 2, whole * 2 + 1] {
                    found.extend(i64::try_from(near).ok().map(|near| json!(near)));
                }
            }
            if let Some(float) = number.as_f64() {
                found.extend([json!(float + 0.5), json!(float - 0.5), json!(float * 1.5)]);
            }
        }
    }
    found.push(json!(i64::MAX));
    found.push(json!(1e18));
    found.retain(|value| value.as_f64().is_some_and(|float| float.abs() <= 9.2e18));
    found
}
