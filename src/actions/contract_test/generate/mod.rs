//! Values that a lowered schema allows, keyword by keyword (`spec/contract-test.md` 4).
//!
//! Owns proposing: each [`Sample`] names the keyword and variant it stands for, so that a report can say what was tried. Refuses
//! to own the verdict: the caller checks every value with the compiled validator before it is used ([`Generator::checked`]),
//! since no walk over keywords sees what they forbid together. Pure; the same seed gives the same values.

mod fold;
mod number;
mod text;

#[cfg(test)]
mod tests;

use rand::SeedableRng as _;
use rand::rngs::StdRng;
use serde_json::{Map, Value};

use fold::Folded;

/// Members of an enum, of `examples`, branches of a union that are tried each.
const MEMBERS_MAX: usize = 50;
/// Objects and lists deeper than this hold only what is required.
const DEPTH_MAX: usize = 6;
/// Draws for one schema before it counts as ungeneratable.
pub(super) const DRAWS_MAX: usize = 200;

/// One proposed value.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Sample {
    /// Keyword and variant, `maximum.at`; stable, part of the case id.
    pub(super) scenario: String,
    pub(super) value: Value,
    /// Whether the specification itself names the value (example, default, enum, const, a bound) rather than merely allowing
    /// it. Safe mode sends no others.
    pub(super) declared: bool,
}

impl Sample {
    fn declared(scenario: impl Into<String>, value: Value) -> Self {
        Self { scenario: scenario.into(), value, declared: true }
    }

    fn invented(scenario: impl Into<String>, value: Value) -> Self {
        Self { scenario: scenario.into(), value, declared: false }
    }
}

/// Proposes values for the schemas of one bundle (`{"$defs": {…}}`, where every `$ref` reads `#/$defs/<key>`).
pub(super) struct Generator<'a> {
    bundle: &'a Value,
    random: StdRng,
}

impl<'a> Generator<'a> {
    #[must_use]
    pub(super) fn new(bundle: &'a Value, seed: u64) -> Self {
        Self { bundle, random: StdRng::seed_from_u64(seed) }
    }

    /// The samples of a schema that `valid` accepts, each value once, declared ones first.
    pub(super) fn checked(
        &mut self,
        schema: &Value,
        valid: impl Fn(&Value) -> bool,
    ) -> Vec<Sample> {
        let mut samples: Vec<Sample> = Vec::new();
        for sample in self.samples(schema, 0) {
            if samples.iter().all(|known| known.value != sample.value) && valid(&sample.value) {
                samples.push(sample);
            }
        }
        let mut draws = 0;
        while samples.is_empty() && draws < DRAWS_MAX {
            draws += 1;
            samples.extend(
                self.draw(schema, 0)
                    .filter(|value| valid(value))
                    .map(|value| Sample::invented("random", value)),
            );
        }
        samples.sort_by_key(|sample| !sample.declared);
        samples
    }

    /// Every scenario of a schema, unchecked.
    fn samples(&mut self, schema: &Value, depth: usize) -> Vec<Sample> {
        let Some(folded) = fold::fold(self.bundle, schema) else { return Vec::new() };
        let mut samples = named_values(&folded);
        if folded.get("const").is_some() || folded.get("enum").is_some() {
            return samples;
        }
        let branches = folded.branches(self.bundle);
        if !branches.is_empty() {
            for (label, branch) in branches.into_iter().take(MEMBERS_MAX) {
                let inner = self.samples(&branch, depth + 1).into_iter().take(3);
                samples.extend(inner.map(|sample| Sample {
                    scenario: format!("{label}.{}", sample.scenario),
                    ..sample
                }));
            }
            return samples;
        }
        for kind in folded.types() {
            self.samples_of_type(&folded, kind, depth, &mut samples);
        }
        samples
    }

    fn samples_of_type(
        &mut self,
        folded: &Folded,
        kind: &str,
        depth: usize,
        samples: &mut Vec<Sample>,
    ) {
        match kind {
            "null" => samples.push(Sample::declared("type.null", Value::Null)),
            "boolean" => samples.extend(
                [true, false].map(|value| Sample::declared("type.boolean", Value::Bool(value))),
            ),
            "integer" | "number" => samples.extend(number::samples(folded, kind == "integer")),
            "string" => samples.extend(text::samples(folded, &mut self.random)),
            "array" => samples.extend(self.lists(folded, depth)),
            _ => samples.extend(self.objects(folded, depth)),
        }
    }

    fn lists(&mut self, folded: &Folded, depth: usize) -> Vec<Sample> {
        let least = folded.length("minItems").unwrap_or(0);
        let most = folded.length("maxItems").unwrap_or_else(|| least.max(1) + 1);
        let mut lengths = vec![("minItems.at", least)];
        if least == 0 && most > 0 && depth < DEPTH_MAX {
            lengths.push(("items.one", 1));
        }
        if most <= 16 && depth < DEPTH_MAX {
            lengths.push(("maxItems.at", most));
        }
        let fits = |(_, length): &(&str, usize)| (least..=most).contains(length);
        lengths
            .into_iter()
            .filter(fits)
            .filter_map(|(scenario, length)| {
                let (items, declared) = self.items(folded, length, depth)?;
                Some(Sample { scenario: scenario.into(), value: Value::Array(items), declared })
            })
            .collect()
    }

    /// `length` items, distinct where they have to be, and whether all of them are declared.
    fn items(
        &mut self,
        folded: &Folded,
        length: usize,
        depth: usize,
    ) -> Option<(Vec<Value>, bool)> {
        let mut items: Vec<Value> = Vec::new();
        let mut all_declared = true;
        let distinct = folded.get("uniqueItems").is_some_and(|unique| unique == &Value::Bool(true));
        for index in 0..length {
            let schema = folded.item(index);
            let mut proposals = self.samples(&schema, depth + 1);
            proposals.sort_by_key(|sample| !sample.declared);
            let fresh = proposals
                .into_iter()
                .find(|sample| !distinct || !items.contains(&sample.value))
                .or_else(|| {
                    self.draw(&schema, depth + 1).map(|value| Sample::invented("", value))
                })?;
            all_declared &= fresh.declared;
            items.push(fresh.value);
        }
        Some((items, all_declared))
    }

    fn objects(&mut self, folded: &Folded, depth: usize) -> Vec<Sample> {
        let required = self.object(folded, depth, |is_required| is_required);
        let mut samples: Vec<Sample> = required
            .map(|(value, declared)| Sample { scenario: "required.only".into(), value, declared })
            .into_iter()
            .collect();
        if depth < DEPTH_MAX
            && let Some((value, declared)) = self.object(folded, depth, |_| true)
        {
            samples.push(Sample { scenario: "properties.all".into(), value, declared });
        }
        samples
    }

    fn object(
        &mut self,
        folded: &Folded,
        depth: usize,
        wanted: impl Fn(bool) -> bool,
    ) -> Option<(Value, bool)> {
        // A schema that requires itself has no finite value.
        if depth > 2 * DEPTH_MAX {
            return None;
        }
        let mut members = Map::new();
        let mut all_declared = true;
        for (name, schema, required) in folded.properties() {
            if !wanted(required) {
                continue;
            }
            let mut proposals = self.samples(&schema, depth + 1);
            proposals.sort_by_key(|sample| !sample.declared);
            match proposals.into_iter().next() {
                Some(sample) => {
                    all_declared &= sample.declared;
                    members.insert(name, sample.value);
                }
                None if required => return None,
                None => {}
            }
        }
        Some((Value::Object(members), all_declared))
    }

    /// One random value, for schemas whose keywords only together say what is allowed.
    fn draw(&mut self, schema: &Value, depth: usize) -> Option<Value> {
        let folded = fold::fold(self.bundle, schema)?;
        let kind = folded.types().first().copied()?;
        match kind {
            "string" => Some(text::draw(&folded, &mut self.random)),
            "integer" | "number" => {
                Some(number::draw(&folded, kind == "integer", &mut self.random))
            }
            _ => self.samples(schema, depth + 1).pop().map(|sample| sample.value),
        }
    }
}

/// What the schema names: const, enum members, examples and default.
fn named_values(folded: &Folded) -> Vec<Sample> {
    let mut samples = Vec::new();
    let lists = [("example", "examples"), ("enum.member", "enum")];
    let single = [("example", "example"), ("default", "default"), ("const", "const")];
    for (scenario, keyword) in lists {
        let members = folded.get(keyword).and_then(Value::as_array);
        for member in members.into_iter().flatten().take(MEMBERS_MAX) {
            samples.push(Sample::declared(scenario, member.clone()));
        }
    }
    for (scenario, keyword) in single {
        let value = folded.get(keyword);
        samples.extend(value.map(|value| Sample::declared(scenario, value.clone())));
    }
    samples
}
