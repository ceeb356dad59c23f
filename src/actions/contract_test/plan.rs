//! What a run will send, operation by operation (`spec/contract-test.md` 2-4).
//!
//! Owns choosing operations, their order (lists before items, so that ids are read before they are needed), and building
//! cases from what the specification declares and the run has read. Refuses to own sending and judging. Pure: the same
//! specification, options, pool and seed give the same bytes.

use std::collections::BTreeMap;

use serde_json::Value;
use sha2::{Digest as _, Sha256};

use crate::contract::specification::{Operation, Parameter, Place, Side, Specification};
use crate::contract::{Baseline, Validity};
use crate::model::hash::hexadecimal;

use super::generate::{Generator, Sample};
use super::options::{ContractTest, Mode};
use super::outcome::Skip;
use super::pool::Pool;
use super::serialise;

/// Different ids tried in one slot.
const IDS_MAX: usize = 3;

/// An operation that is tested, or why it is not.
#[derive(Debug, Clone)]
pub(super) struct Target {
    /// Index into `Specification::operations`.
    pub(super) operation: usize,
    pub(super) skip: Option<Skip>,
}

/// One request, ready to be sent below the base URL.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Case {
    /// `c_` and ten digits; stable across runs and revisions.
    pub(super) id: String,
    pub(super) operation: usize,
    /// `happy`, or what the case varies: `enum.member`, `path.id`.
    pub(super) scenario: String,
    /// `in/name` of the parameter that is varied; empty for the happy path.
    pub(super) pointer: String,
    /// Percent-encoded, slots filled.
    pub(super) path: String,
    /// Percent-encoded, without `?`.
    pub(super) query: String,
    pub(super) headers: Vec<(String, String)>,
}

/// Parameters without a value that may be sent: their names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Lack(pub(super) Vec<String>);

/// Chooses and orders the operations of a specification. `endpoint` limits them to one template.
#[must_use]
pub(super) fn targets(
    specification: &Specification,
    options: &ContractTest,
    endpoint: Option<&str>,
) -> Vec<Target> {
    let mut targets: Vec<Target> = specification
        .operations
        .iter()
        .enumerate()
        .map(|(index, operation)| Target {
            operation: index,
            skip: refusal(operation, options, endpoint),
        })
        .collect();
    targets.sort_by_cached_key(|target| {
        let operation = &specification.operations[target.operation];
        let slots = operation.template.matches('{').count();
        (slots, operation.template.clone(), operation.method.clone())
    });
    targets
}

fn refusal(operation: &Operation, options: &ContractTest, endpoint: Option<&str>) -> Option<Skip> {
    if endpoint.is_some_and(|template| *operation.template != *template) {
        return Some(Skip::OtherEndpoint);
    }
    let named = |globs: &[String]| globs.iter().any(|glob| names(glob, operation));
    if named(&options.exclude) || (!options.include.is_empty() && !named(&options.include)) {
        return Some(Skip::Excluded);
    }
    let sends_it = match options.mode {
        // Nothing is sent; every operation is looked at.
        Mode::Observe => return None,
        Mode::Safe => matches!(&*operation.method, "GET" | "HEAD" | "OPTIONS"),
    };
    if !sends_it {
        return Some(Skip::Method);
    }
    let word = unsafe_word(operation, &options.unsafe_words)?;
    (!named(&options.allow)).then(|| Skip::Unsafe(word.to_owned()))
}

/// Whether a glob names an operation: by `METHOD /path`, tag or operation id. `*` stands for any text.
fn names(glob: &str, operation: &Operation) -> bool {
    let line = format!("{} {}", operation.method, operation.template);
    fits(glob, &line)
        || fits(glob, &operation.template)
        || operation.id.as_deref().is_some_and(|id| fits(glob, id))
        || operation.tags.iter().any(|tag| fits(glob, tag))
}

fn fits(glob: &str, text: &str) -> bool {
    let Some((first, rest)) = glob.split_once('*') else { return glob == text };
    let Some(mut left) = text.strip_prefix(first) else { return false };
    let mut parts: Vec<&str> = rest.split('*').collect();
    let last = parts.pop().unwrap_or_default();
    for part in parts {
        match left.split_once(part) {
            Some((_, after)) => left = after,
            None => return false,
        }
    }
    left.ends_with(last)
}

/// The first unsafe word among the words of path and id: `/orders/{id}/send-mail`, `triggerBuild`.
fn unsafe_word<'a>(operation: &Operation, words: &'a [String]) -> Option<&'a str> {
    let mut found = Vec::new();
    let fixed = operation.template.split('/').filter(|part| !part.contains('{'));
    for text in fixed.chain(operation.id.as_deref()) {
        words_of(text, &mut found);
    }
    words.iter().find(|word| found.contains(&word.to_ascii_lowercase())).map(String::as_str)
}

/// Splits at everything but letters and before each capital.
fn words_of(text: &str, found: &mut Vec<String>) {
    let mut word = String::new();
    let mut previous_is_small = false;
    for letter in text.chars() {
        if !letter.is_alphabetic() || (letter.is_uppercase() && previous_is_small) {
            found.push(std::mem::take(&mut word));
        }
        if letter.is_alphabetic() {
            word.extend(letter.to_lowercase());
        }
        previous_is_small = letter.is_lowercase();
    }
    found.push(word);
    found.retain(|word| !word.is_empty());
}

/// Builds the cases of operations.
pub(super) struct Planner<'a> {
    pub(super) baseline: &'a Baseline,
    pub(super) options: &'a ContractTest,
    pub(super) seed: u64,
    /// Values of path slots that the tested endpoint fixes.
    pub(super) fixed: BTreeMap<String, String>,
}

/// A value for a parameter and the scenario it stands for.
struct Choice<'a> {
    parameter: &'a Parameter,
    samples: Vec<Sample>,
}

impl Planner<'_> {
    /// The cases of an operation: the happy path with what is required, then one deviation from it at a time. At most
    /// `budget.per_operation`.
    ///
    /// # Errors
    /// The required parameters for which nothing may be sent in this mode.
    pub(super) fn cases(&self, index: usize, pool: &Pool) -> Result<Vec<Case>, Lack> {
        let specification = &self.baseline.specification;
        let Some(operation) = specification.operations.get(index) else { return Ok(Vec::new()) };
        let choices: Vec<Choice<'_>> = operation
            .parameters
            .iter()
            .map(|parameter| Choice { parameter, samples: self.values(operation, parameter, pool) })
            .collect();
        let lacking =
            choices.iter().filter(|choice| choice.is_required() && choice.samples.is_empty());
        let lacking: Vec<String> = lacking.map(|choice| choice.parameter.name.clone()).collect();
        if !lacking.is_empty() {
            return Err(Lack(lacking));
        }
        let mut cases: Vec<Case> = build(index, operation, &choices, None).into_iter().collect();
        for (position, choice) in choices.iter().enumerate() {
            // The first value of a required parameter is on the happy path already.
            let from = usize::from(choice.is_required());
            for ordinal in from..choice.samples.len() {
                let varied = Some((position, ordinal));
                cases.extend(build(index, operation, &choices, varied));
            }
        }
        cases.truncate(usize::try_from(self.options.budget.per_operation).unwrap_or(usize::MAX));
        Ok(cases)
    }

    /// The values that may be sent for a parameter: the fixed one alone if there is one.
    fn values(&self, operation: &Operation, parameter: &Parameter, pool: &Pool) -> Vec<Sample> {
        let in_path = parameter.place == Place::Path;
        let endpoint = self.fixed.get(&parameter.name).filter(|_| in_path);
        if let Some(text) = endpoint.or_else(|| self.options.parameters.get(&parameter.name)) {
            let value = Value::from(text.as_str());
            return vec![Sample { scenario: "fixed".to_owned(), value, declared: true }];
        }
        let mut samples = Vec::new();
        if in_path {
            let ids = pool.for_slot(&operation.template, &parameter.name).iter().take(IDS_MAX);
            samples.extend(ids.map(|id| Sample {
                scenario: "path.id".to_owned(),
                value: Value::from(id.as_str()),
                declared: true,
            }));
        }
        if samples.is_empty() {
            samples = self.declared(parameter);
            // The bound of a number is no id of anything.
            samples.retain(|sample| !in_path || !is_bound(&sample.scenario));
        }
        samples
    }

    /// What the document names for a parameter, each value valid.
    fn declared(&self, parameter: &Parameter) -> Vec<Sample> {
        let schemas = &self.baseline.specification.schemas;
        let named = parameter.examples.iter().map(|value| ("example", value));
        let named = named.chain(parameter.default.iter().map(|value| ("default", value)));
        let mut samples: Vec<Sample> = named
            .map(|(scenario, value)| Sample {
                scenario: scenario.to_owned(),
                value: value.clone(),
                declared: true,
            })
            .collect();
        let Some(schema) = &parameter.schema else { return samples };
        let valid =
            |value: &Value| self.baseline.validate(Side::Request, schema, value) == Validity::Valid;
        samples.retain(|sample| valid(&sample.value));
        let bundle = schemas.bundle(Side::Request);
        let seed = case_seed(self.seed, &parameter.pointer);
        let lowered = schemas.get(Side::Request, schema);
        let generated = Generator::new(bundle, seed).checked(lowered, valid).into_iter();
        for sample in generated.filter(|sample| sample.declared) {
            if samples.iter().all(|known| known.value != sample.value) {
                samples.push(sample);
            }
        }
        samples
    }
}

/// One request: the first value of everything required, but for the one parameter that is varied.
fn build(
    index: usize,
    operation: &Operation,
    choices: &[Choice<'_>],
    varied: Option<(usize, usize)>,
) -> Option<Case> {
    let mut path = operation.template.to_string();
    let mut query = Vec::new();
    let mut headers = Vec::new();
    let mut cookies = Vec::new();
    let (mut scenario, mut pointer) = ("happy".to_owned(), String::new());
    for (position, choice) in choices.iter().enumerate() {
        let Choice { parameter, samples } = choice;
        let ordinal = match varied {
            Some((varied, ordinal)) if varied == position => {
                scenario.clone_from(&samples.get(ordinal)?.scenario);
                pointer = format!("{}/{}", parameter.place.as_str(), parameter.name);
                ordinal
            }
            _ if choice.is_required() => 0,
            _ => continue,
        };
        let value = &samples.get(ordinal)?.value;
        match parameter.place {
            Place::Path => {
                let slot = format!("{{{}}}", parameter.name);
                path = path.replace(&slot, &serialise::path(parameter, value)?);
            }
            Place::Query | Place::QueryString => {
                query.extend(serialise::query(parameter, value)?);
            }
            Place::Header => {
                headers.push((parameter.name.clone(), serialise::header(parameter, value)?));
            }
            Place::Cookie => cookies.push(serialise::cookie(parameter, value)?),
        }
    }
    if !cookies.is_empty() {
        headers.push(("cookie".to_owned(), cookies.join("; ")));
    }
    let ordinal = varied.map_or(0, |(_, ordinal)| ordinal);
    let id = case_id(operation, &scenario, &pointer, ordinal);
    let query = query.join("&");
    Some(Case { id, operation: index, scenario, pointer, path, query, headers })
}

impl Choice<'_> {
    fn is_required(&self) -> bool {
        self.parameter.required || self.parameter.place == Place::Path
    }
}

fn is_bound(scenario: &str) -> bool {
    scenario.contains("minimum") || scenario.contains("maximum")
}

/// `c_` + 10 hexadecimal digits over method, template with `{}`, scenario, pointer and ordinal.
fn case_id(operation: &Operation, scenario: &str, pointer: &str, ordinal: usize) -> String {
    let template = without_names(&operation.template);
    let text =
        format!("{}\x1f{template}\x1f{scenario}\x1f{pointer}\x1f{ordinal}", operation.method);
    let digest = Sha256::digest(text.as_bytes());
    format!("c_{}", hexadecimal(&digest[..5]))
}

/// `/orders/{orderId}` → `/orders/{}`.
pub(super) fn without_names(template: &str) -> String {
    let mut text = String::with_capacity(template.len());
    let mut inside = false;
    for letter in template.chars() {
        match letter {
            '{' => inside = true,
            '}' => inside = false,
            _ if inside => continue,
            _ => {}
        }
        text.push(letter);
    }
    text
}

/// The seed of one place: its values can be rebuilt alone.
fn case_seed(seed: u64, place: &str) -> u64 {
    let mut hasher = Sha256::new();
    hasher.update(seed.to_be_bytes());
    hasher.update(place.as_bytes());
    let digest = hasher.finalize();
    digest.iter().take(8).fold(0, |seed, byte| seed << 8 | u64::from(*byte))
}
