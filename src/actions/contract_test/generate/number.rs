//! Numbers: the bounds a schema sets, one step inside them, and multiples.

use rand::RngExt as _;
use rand::rngs::StdRng;
use serde_json::{Number, Value};

use super::Sample;
use super::fold::Folded;

/// Integers beyond 2^53 are not exact as doubles, and clients differ about them.
const EXACT_MAX: f64 = 9_007_199_254_740_992.0;

/// A step between fractions that leaves room for several within narrow bounds.
fn fraction(folded: &Folded) -> f64 {
    let first = |keywords: [&str; 2]| keywords.into_iter().find_map(|name| folded.number(name));
    match (first(["minimum", "exclusiveMinimum"]), first(["maximum", "exclusiveMaximum"])) {
        (Some(low), Some(high)) if high > low => ((high - low) / 4.0).min(0.5),
        _ => 0.5,
    }
}

/// What a numeric schema allows: lowest, highest, and the distance between neighbours.
struct Range {
    low: Option<f64>,
    high: Option<f64>,
    step: f64,
    integer: bool,
}

impl Range {
    fn of(folded: &Folded, integer: bool) -> Self {
        let multiple = folded.number("multipleOf").filter(|step| *step > 0.0);
        let step = multiple.unwrap_or_else(|| if integer { 1.0 } else { fraction(folded) });
        let aligned = multiple.is_some() || integer;
        let (from_format, to_format) = match folded.text("format") {
            Some("int32") => (Some(f64::from(i32::MIN)), Some(f64::from(i32::MAX))),
            Some("int64") => (Some(-EXACT_MAX), Some(EXACT_MAX)),
            _ => (None, None),
        };
        let up = |value: f64| if aligned { (value / step).ceil() * step } else { value };
        let down = |value: f64| if aligned { (value / step).floor() * step } else { value };
        let above = folded.number("exclusiveMinimum").map(|bound| {
            let inside = up(bound);
            if inside > bound { inside } else { bound + step }
        });
        let below = folded.number("exclusiveMaximum").map(|bound| {
            let inside = down(bound);
            if inside < bound { inside } else { bound - step }
        });
        let declared =
            |bound: Option<f64>, exclusive: Option<f64>, tighter: fn(f64, f64) -> f64| match (
                bound, exclusive,
            ) {
                (Some(one), Some(other)) => Some(tighter(one, other)),
                (one, other) => one.or(other),
            };
        let low = declared(folded.number("minimum").map(up), above, f64::max).or(from_format);
        let high = declared(folded.number("maximum").map(down), below, f64::min).or(to_format);
        Self { low, high, step, integer }
    }

    fn holds(&self, value: f64) -> bool {
        self.low.is_none_or(|low| value >= low) && self.high.is_none_or(|high| value <= high)
    }

    fn value(&self, number: f64) -> Option<Value> {
        if !self.holds(number) || !number.is_finite() {
            return None;
        }
        #[expect(clippy::cast_possible_truncation, reason = "whole and within 2^53")]
        if number.fract() == 0.0 && number.abs() <= EXACT_MAX {
            return Some(Value::from(number as i64));
        }
        (!self.integer).then(|| Number::from_f64(number).map(Value::Number)).flatten()
    }
}

pub(super) fn samples(folded: &Folded, integer: bool) -> Vec<Sample> {
    let range = Range::of(folded, integer);
    let mut samples = Vec::new();
    let mut declared = |scenario, number: Option<f64>| {
        let value = number.and_then(|number| range.value(number));
        samples.extend(value.map(|value| Sample::declared(scenario, value)));
    };
    declared("minimum.at", range.low);
    declared("minimum.inside", range.low.map(|low| low + range.step));
    declared("maximum.inside", range.high.map(|high| high - range.step));
    declared("maximum.at", range.high);
    let mut invented = |scenario, number| {
        let value = range.value(number);
        samples.extend(value.map(|value| Sample::invented(scenario, value)));
    };
    invented("type.zero", 0.0);
    invented("type.one", range.step);
    if !integer && folded.get("multipleOf").is_none() {
        invented("type.fraction", range.step * 1.5);
    }
    samples
}

/// A number within the bounds, at a multiple where one is asked for.
pub(super) fn draw(folded: &Folded, integer: bool, random: &mut StdRng) -> Value {
    let range = Range::of(folded, integer);
    let low = range.low.unwrap_or_else(|| range.high.map_or(0.0, |high| high - 1_000.0));
    let high = range.high.unwrap_or(low + 1_000.0).max(low);
    let steps = ((high - low) / range.step).floor().min(1e6);
    let number = low + range.step * (random.random::<f64>() * steps).round();
    range.value(number).unwrap_or_else(|| Value::from(0))
}
