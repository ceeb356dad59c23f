//! The filters, tests and functions that expressions may use, each with a bounded result (`spec/actions.md` 2).
//!
//! Owns the allow-list. Those that can make much out of little are our own and stop at 256 KiB; the rest are the engine's.

use std::fmt::{self, Write as _};
use std::io;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use minijinja::{Environment, Error, ErrorKind, Value, filters, tests};
use regex::RegexBuilder;
use sha2::{Digest, Sha256};

use crate::model::hash;

use super::OUTPUT_BYTES_MAX;

/// Compiled size of a pattern at most, bytes.
const PATTERN_BYTES_MAX: usize = 64 * 1024;

pub(super) const FILTERS: &[&str] = &[
    "default",
    "length",
    "lower",
    "upper",
    "trim",
    "first",
    "last",
    "join",
    "split",
    "replace",
    "sort",
    "unique",
    "int",
    "float",
    "string",
    "bool",
    "abs",
    "round",
    "min",
    "max",
    "tojson",
    "urlencode",
    "b64encode",
    "sha256",
];

pub(super) const TESTS: &[&str] = &[
    "defined",
    "undefined",
    "none",
    "boolean",
    "number",
    "integer",
    "string",
    "sequence",
    "mapping",
    "in",
    "startingwith",
    "endingwith",
    "matching",
];

pub(super) const FUNCTIONS: &[&str] = &["mul"];

/// Adds everything on the list, and nothing else.
pub(super) fn install(environment: &mut Environment<'static>) {
    environment.add_filter("default", filters::default);
    environment.add_filter("length", filters::length);
    environment.add_filter("lower", |text: String| capped(&text.to_lowercase()));
    environment.add_filter("upper", |text: String| capped(&text.to_uppercase()));
    environment.add_filter("trim", |text: String| text.trim().to_owned());
    environment.add_filter("first", filters::first);
    environment.add_filter("last", filters::last);
    environment.add_filter("join", join);
    environment.add_filter("split", filters::split);
    environment.add_filter("replace", replace);
    environment.add_filter("sort", filters::sort);
    environment.add_filter("unique", filters::unique);
    environment.add_filter("int", filters::int);
    environment.add_filter("float", filters::float);
    environment.add_filter("string", |value: Value| printed(&value));
    environment.add_filter("bool", filters::bool);
    environment.add_filter("abs", filters::abs);
    environment.add_filter("round", filters::round);
    environment.add_filter("min", filters::min);
    environment.add_filter("max", filters::max);
    environment.add_filter("tojson", |value: Value| json(&value));
    environment.add_filter("urlencode", |value: Value| {
        printed(&value).and_then(|_| filters::urlencode(&value)).and_then(|text| capped(&text))
    });
    environment.add_filter("b64encode", |text: String| capped(&STANDARD.encode(text)));
    environment.add_filter("sha256", |text: String| hash::hexadecimal(&Sha256::digest(text)));
    environment.add_test("defined", tests::is_defined);
    environment.add_test("undefined", tests::is_undefined);
    environment.add_test("none", tests::is_none);
    environment.add_test("boolean", tests::is_boolean);
    environment.add_test("number", tests::is_number);
    environment.add_test("integer", tests::is_integer);
    environment.add_test("string", tests::is_string);
    environment.add_test("sequence", tests::is_sequence);
    environment.add_test("mapping", tests::is_mapping);
    environment.add_test("in", tests::is_in);
    environment.add_test("startingwith", tests::is_startingwith);
    environment.add_test("endingwith", tests::is_endingwith);
    environment.add_test("matching", is_matching);
    environment.add_function("mul", mul);
}

/// The value as JSON, at most 256 KiB.
pub(super) fn json(value: &Value) -> Result<String, Error> {
    let mut sink = Capped::default();
    serde_json::to_writer(&mut sink, value).map_err(|error| {
        if error.is_io() { too_long() } else { invalid("this value has no JSON form") }
    })?;
    Ok(sink.0)
}

fn printed(value: &Value) -> Result<String, Error> {
    let mut sink = Capped::default();
    write!(sink, "{value}").map_err(|_| too_long())?;
    Ok(sink.0)
}

fn capped(text: &str) -> Result<String, Error> {
    if text.len() <= OUTPUT_BYTES_MAX { Ok(text.to_owned()) } else { Err(too_long()) }
}

fn join(values: &Value, between: Option<String>) -> Result<String, Error> {
    let between = between.unwrap_or_default();
    let mut sink = Capped::default();
    for (index, value) in values.try_iter()?.enumerate() {
        let joint = if index == 0 { "" } else { &between };
        write!(sink, "{joint}{value}").map_err(|_| too_long())?;
    }
    Ok(sink.0)
}

fn replace(text: &str, from: &str, to: &str) -> Result<String, Error> {
    let hits = if from.is_empty() { text.chars().count() + 1 } else { text.matches(from).count() };
    if hits.saturating_mul(to.len()).saturating_add(text.len()) > 2 * OUTPUT_BYTES_MAX {
        return Err(too_long());
    }
    capped(&text.replace(from, to))
}

fn is_matching(text: &str, pattern: &str) -> Result<bool, Error> {
    RegexBuilder::new(pattern)
        .size_limit(PATTERN_BYTES_MAX)
        .dfa_size_limit(PATTERN_BYTES_MAX)
        .build()
        .map(|pattern| pattern.is_match(text))
        .map_err(|error| invalid(format!("the pattern cannot be used: {error}")))
}

/// The product of two numbers; there is no `*`, which also repeats texts.
fn mul(left: &Value, right: &Value) -> Result<Value, Error> {
    if let (Ok(left), Ok(right)) = (i64::try_from(left.clone()), i64::try_from(right.clone())) {
        return left
            .checked_mul(right)
            .map(Value::from)
            .ok_or_else(|| invalid("the product is too large"));
    }
    let number =
        |value: &Value| value.is_number().then(|| f64::try_from(value.clone()).ok()).flatten();
    match (number(left), number(right)) {
        (Some(left), Some(right)) => Ok(Value::from(left * right)),
        _ => Err(invalid("`mul` takes two numbers")),
    }
}

fn invalid(message: impl Into<String>) -> Error {
    Error::new(ErrorKind::InvalidOperation, message.into())
}

fn too_long() -> Error {
    invalid(format!("the text grows beyond {OUTPUT_BYTES_MAX} bytes"))
}

/// A text that refuses to grow beyond the limit.
#[derive(Default)]
pub(super) struct Capped(pub(super) String);

impl fmt::Write for Capped {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        if self.0.len() + text.len() > OUTPUT_BYTES_MAX {
            return Err(fmt::Error);
        }
        self.0.push_str(text);
        Ok(())
    }
}

impl io::Write for Capped {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let text = std::str::from_utf8(bytes).map_err(io::Error::other)?;
        self.write_str(text).map_err(|_| io::Error::other("beyond the limit"))?;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
