//! Durations, sizes and rates as a person writes them: `90s`, `1h`, `64KiB`, `5/s`.
//!
//! Owns parsing and printing. In configuration and API a quantity is a text with its unit; a bare number is refused,
//! because nobody remembers which unit it was.

use std::fmt;
use std::time::Duration;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

/// A duration: a whole number with `ms`, `s`, `m`, `h` or `d`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Span(pub Duration);

/// A size: a whole number with `B`, `KiB`, `MiB` or `GiB`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Size(pub u64);

/// How often something may happen: a whole number, at least 1, with `/s` or `/min`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Rate {
    pub count: u32,
    pub per: Duration,
}

const SPANS: &[(&str, u64)] =
    &[("ms", 1), ("s", 1_000), ("m", 60_000), ("h", 3_600_000), ("d", 86_400_000)];
const SIZES: &[(&str, u64)] = &[("B", 1), ("KiB", 1 << 10), ("MiB", 1 << 20), ("GiB", 1 << 30)];

impl Span {
    #[must_use]
    pub const fn millis(ms: u64) -> Self {
        Self(Duration::from_millis(ms))
    }

    #[must_use]
    pub const fn seconds(seconds: u64) -> Self {
        Self(Duration::from_secs(seconds))
    }

    /// Reads `90s`; none for anything else.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        read(text, SPANS).map(Self::millis)
    }

    #[must_use]
    pub fn as_ms(self) -> i64 {
        i64::try_from(self.0.as_millis()).unwrap_or(i64::MAX)
    }
}

impl Rate {
    #[must_use]
    pub const fn per_second(count: u32) -> Self {
        Self { count, per: Duration::from_secs(1) }
    }

    /// Reads `5/s` or `30/min`; none for anything else.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let (count, unit) = text.split_once('/')?;
        let per = match unit.trim() {
            "s" => Duration::from_secs(1),
            "min" => Duration::from_mins(1),
            _ => return None,
        };
        let digits = count.bytes().all(|byte| byte.is_ascii_digit());
        let count = count.parse().ok().filter(|count| digits && *count > 0)?;
        Some(Self { count, per })
    }

    /// The time from one to the next at an even pace.
    #[must_use]
    pub fn interval(self) -> Duration {
        self.per / self.count.max(1)
    }
}

impl Size {
    /// Reads `64KiB`; none for anything else.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        read(text, SIZES).map(Self)
    }

    /// As a length in memory; what does not fit is `usize::MAX`.
    #[must_use]
    pub fn as_len(self) -> usize {
        usize::try_from(self.0).unwrap_or(usize::MAX)
    }
}

fn read(text: &str, units: &[(&str, u64)]) -> Option<u64> {
    let digits = text.bytes().take_while(u8::is_ascii_digit).count();
    let (number, unit) = text.split_at_checked(digits)?;
    let factor = units.iter().find(|(name, _)| *name == unit.trim_start())?.1;
    number.parse::<u64>().ok()?.checked_mul(factor)
}

/// The largest unit that divides the value.
fn show(value: u64, units: &[(&str, u64)], formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
    let fits = |unit: &&(&str, u64)| value.is_multiple_of(unit.1) && (value > 0 || unit.1 == 1);
    match units.iter().rev().find(fits) {
        Some((name, factor)) => write!(formatter, "{}{name}", value / factor),
        None => write!(formatter, "{value}"),
    }
}

impl fmt::Display for Span {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        show(u64::try_from(self.0.as_millis()).unwrap_or(u64::MAX), SPANS, formatter)
    }
}

impl fmt::Display for Size {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        show(self.0, SIZES, formatter)
    }
}

impl fmt::Display for Rate {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let unit = if self.per.as_secs() == 60 { "min" } else { "s" };
        write!(formatter, "{}/{unit}", self.count)
    }
}

/// Serde and JSON Schema as a text with a pattern, for all of them.
macro_rules! as_text {
    ($name:ident, $schema:literal, $pattern:literal, $example:literal) => {
        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.collect_str(self)
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let text = String::deserialize(deserializer)?;
                let wrong = || de::Error::custom(format!("`{text}` is not of the form `{}`", $example));
                Self::parse(&text).ok_or_else(wrong)
            }
        }

        impl JsonSchema for $name {
            fn schema_name() -> std::borrow::Cow<'static, str> {
                $schema.into()
            }

            fn json_schema(_: &mut SchemaGenerator) -> Schema {
                json_schema!({ "type": "string", "pattern": $pattern, "examples": [$example] })
            }
        }
    };
}

as_text!(Span, "Duration", "^[0-9]+ ?(ms|s|m|h|d)$", "90s");
as_text!(Size, "Size", "^[0-9]+ ?(B|KiB|MiB|GiB)$", "64KiB");
as_text!(Rate, "Rate", "^[1-9][0-9]*/(s|min)$", "5/s");

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spans_sizes_and_rates_read_what_they_print() {
        for text in ["0ms", "250ms", "90s", "5m", "23h", "10d"] {
            assert_eq!(Span::parse(text).expect(text).to_string(), text);
        }
        for text in ["0B", "64KiB", "32MiB", "4GiB", "1000B"] {
            assert_eq!(Size::parse(text).expect(text).to_string(), text);
        }
        for text in ["1/s", "30/min"] {
            assert_eq!(Rate::parse(text).expect(text).to_string(), text);
        }
        for text in ["0/s", "5", "5/h", "-1/s", "+1/s", "/s", "99999999999/s"] {
            assert!(Rate::parse(text).is_none(), "{text}");
        }
        for text in ["90", "s", "1.5h", "5 weeks", "64KB", "-1s", "99999999999999999999d"] {
            assert!(Span::parse(text).is_none() && Size::parse(text).is_none(), "{text}");
        }
    }
}
