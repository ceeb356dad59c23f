//! Strings: lengths at their bounds, typical and edge values of formats, matches of patterns, scripts of the world.

use rand::RngExt as _;
use rand::distr::Distribution as _;
use rand::rngs::StdRng;
use serde_json::Value;

use super::Sample;
use super::fold::Folded;

/// Longest string made, characters.
const LENGTH_MAX: usize = 256;
/// Longest repetition of an unbounded quantifier in a pattern.
const REPEAT_MAX: u32 = 16;

/// Typical first, then edges.
const FORMATS: &[(&str, &[&str])] = &[
    (
        "date-time",
        &["2024-02-29T12:30:45Z", "0001-01-01T00:00:00Z", "2024-06-30T23:59:59.999+14:00"],
    ),
    ("date", &["2024-02-29", "0001-01-01", "2038-01-19"]),
    ("time", &["12:30:45Z", "00:00:00Z", "23:59:59.999+14:00"]),
    ("duration", &["P1D", "PT0S", "P1Y2M3DT4H5M6S"]),
    ("email", &["user@example.com", "a.b+c@sub.example.org"]),
    ("idn-email", &["user@example.com"]),
    ("hostname", &["example.com", "a", "xn--bcher-kva.example"]),
    ("idn-hostname", &["example.com"]),
    ("ipv4", &["192.0.2.1", "0.0.0.0", "255.255.255.255"]),
    ("ipv6", &["2001:db8::1", "::", "::ffff:192.0.2.1"]),
    ("uri", &["https://example.com/path?query=1#part", "urn:example:a"]),
    ("uri-reference", &["/path?query=1", "../up"]),
    ("iri", &["https://example.com/"]),
    ("iri-reference", &["/path"]),
    ("uri-template", &["/orders/{id}"]),
    ("uuid", &["3f2504e0-4f89-41d3-9a0c-0305e82c3301", "00000000-0000-0000-0000-000000000000"]),
    ("json-pointer", &["/a/0", ""]),
    ("relative-json-pointer", &["0", "1/a"]),
    ("regex", &["^[a-z]+$"]),
    ("byte", &["aGVsbG8=", ""]),
];

/// Texts that have broken servers, by what they exercise.
const SCRIPTS: &[(&str, &str)] = &[
    ("text.ascii", "example"),
    ("text.latin1", "Größe"),
    ("text.combining", "e\u{301}tude"),
    ("text.right-to-left", "שלום"),
    ("text.astral", "🦀 𝒳"),
];

pub(super) fn samples(folded: &Folded, random: &mut StdRng) -> Vec<Sample> {
    let mut samples = Vec::new();
    if let Some((_, values)) =
        folded.text("format").and_then(|format| FORMATS.iter().find(|(known, _)| *known == format))
    {
        let scenarios = std::iter::once("format.typical").chain(std::iter::repeat("format.edge"));
        let values = scenarios.zip(values.iter());
        samples
            .extend(values.map(|(scenario, text)| Sample::invented(scenario, Value::from(*text))));
        return samples;
    }
    if let Some(pattern) = folded.text("pattern") {
        for _ in 0..3 {
            let text = matching(pattern, random);
            samples.extend(text.map(|text| Sample::invented("pattern.match", Value::from(text))));
        }
        return samples;
    }
    let least = folded.length("minLength").unwrap_or(0).min(LENGTH_MAX);
    let most = folded.length("maxLength").unwrap_or(LENGTH_MAX).min(LENGTH_MAX);
    for (scenario, text) in SCRIPTS {
        samples.push(Sample::invented(*scenario, Value::from(fitted(text, least, most))));
    }
    if folded.get("minLength").is_some() {
        samples.push(Sample::invented("minLength.at", Value::from("a".repeat(least))));
    }
    if folded.length("maxLength").is_some_and(|most| most <= LENGTH_MAX) {
        samples.push(Sample::invented("maxLength.at", Value::from("a".repeat(most))));
    }
    samples
}

/// A random text: a match of the pattern, else letters.
pub(super) fn draw(folded: &Folded, random: &mut StdRng) -> Value {
    if let Some(text) = folded.text("pattern").and_then(|pattern| matching(pattern, random)) {
        return Value::from(text);
    }
    let least = folded.length("minLength").unwrap_or(1).min(LENGTH_MAX);
    let most = folded.length("maxLength").unwrap_or(least + 8).min(LENGTH_MAX).max(least);
    let length = random.random_range(least..=most);
    let text: String = (0..length).map(|_| char::from(random.random_range(b'a'..=b'z'))).collect();
    Value::from(text)
}

/// Cut or repeated to a length within the bounds, in characters.
fn fitted(text: &str, least: usize, most: usize) -> String {
    let length = text.chars().count().clamp(least, most.max(least));
    text.chars().cycle().take(length).collect()
}

/// A text that a linear-time reading of the pattern matches; none where it uses what such engines lack.
fn matching(pattern: &str, random: &mut StdRng) -> Option<String> {
    // Unanchored patterns allow anything around the match; the match alone is enough.
    let inner = pattern.strip_prefix('^').unwrap_or(pattern);
    let inner = match inner.strip_suffix('$') {
        Some(inner) if !inner.ends_with('\\') => inner,
        _ => inner,
    };
    let compiled = rand_regex::Regex::compile(inner, REPEAT_MAX).ok()?;
    let text: String = compiled.sample(random);
    (text.chars().count() <= LENGTH_MAX).then_some(text)
}
