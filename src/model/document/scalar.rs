//! What a plain YAML scalar means: the core schema of YAML 1.2 (section 10.3.2), and variables in it.
//!
//! Owns the two pure functions over one text. Refuses to own quoting: quoted text never comes here.

use serde_json::{Number, Value};

use super::Variables;

/// Why a text could not be filled.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Unfilled {
    /// A variable of this name is not set and has no default.
    Unset(String),
    /// `${` that begins no variable.
    Malformed,
}

/// The value of a plain scalar. What JSON cannot say (infinities, numbers beyond all bounds) stays a text.
pub(super) fn resolve(text: &str) -> Value {
    match text {
        "" | "~" | "null" | "Null" | "NULL" => Value::Null,
        "true" | "True" | "TRUE" => Value::Bool(true),
        "false" | "False" | "FALSE" => Value::Bool(false),
        _ => number(text).map_or_else(|| Value::String(text.to_owned()), Value::Number),
    }
}

fn number(text: &str) -> Option<Number> {
    if let Some(digits) = text.strip_prefix("0o") {
        return all(digits, |byte| matches!(byte, b'0'..=b'7'))
            .then(|| u64::from_str_radix(digits, 8).ok().map(Number::from))?;
    }
    if let Some(digits) = text.strip_prefix("0x") {
        return all(digits, |byte| byte.is_ascii_hexdigit())
            .then(|| u64::from_str_radix(digits, 16).ok().map(Number::from))?;
    }
    let unsigned = text.strip_prefix(['-', '+']).unwrap_or(text);
    if all(unsigned, |byte| byte.is_ascii_digit()) {
        let exact = if text.starts_with('-') {
            text.parse::<i64>().ok().map(Number::from)
        } else {
            unsigned.parse::<u64>().ok().map(Number::from)
        };
        return exact.or_else(|| text.parse().ok().and_then(Number::from_f64));
    }
    is_float(unsigned).then(|| text.parse().ok().and_then(Number::from_f64))?
}

/// `( . digits | digits ( . digits? )? ) ( e sign? digits )?`
fn is_float(text: &str) -> bool {
    let (mantissa, exponent) = match text.split_once(['e', 'E']) {
        Some((mantissa, exponent)) => (mantissa, Some(exponent)),
        None => (text, None),
    };
    let digits = |byte: u8| byte.is_ascii_digit();
    let mantissa = match mantissa.split_once('.') {
        Some(("", fraction)) => all(fraction, digits),
        Some((whole, fraction)) => all(whole, digits) && fraction.bytes().all(digits),
        None => all(mantissa, digits),
    };
    mantissa
        && exponent.is_none_or(|text| all(text.strip_prefix(['-', '+']).unwrap_or(text), digits))
}

fn all(text: &str, allowed: impl Fn(u8) -> bool) -> bool {
    !text.is_empty() && text.bytes().all(allowed)
}

/// Fills `${NAME}` and `${NAME:-default}`; the default also stands in for an empty variable. `$${` is `${`.
pub(super) fn interpolate(text: &str, variables: Variables<'_>) -> Result<String, Unfilled> {
    let mut filled = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, after)) = rest.split_once("${") {
        if let Some(before) = before.strip_suffix('$') {
            filled.push_str(before);
            filled.push_str("${");
            rest = after;
            continue;
        }
        let (variable, after) = after.split_once('}').ok_or(Unfilled::Malformed)?;
        let (name, default) = match variable.split_once(":-") {
            Some((name, default)) => (name, Some(default)),
            None => (variable, None),
        };
        if !is_name(name) {
            return Err(Unfilled::Malformed);
        }
        let value = match (variables(name), default) {
            (Some(value), None) => value,
            (Some(value), Some(_)) if !value.is_empty() => value,
            (_, Some(default)) => default.to_owned(),
            (None, None) => return Err(Unfilled::Unset(name.to_owned())),
        };
        filled.push_str(before);
        filled.push_str(&value);
        rest = after;
    }
    filled.push_str(rest);
    Ok(filled)
}

fn is_name(name: &str) -> bool {
    name.bytes().next().is_some_and(|first| first == b'_' || first.is_ascii_alphabetic())
        && name.bytes().all(|byte| byte == b'_' || byte.is_ascii_alphanumeric())
}
