//! Counts to schemas (`spec/inference.md` 8): required, nullable, formats, enums, maps.
//!
//! Owns the thresholds. Refuses to own which bodies there are.

use std::collections::BTreeSet;

use super::components::Shared;
use super::ir::{Access, Kinds, Property, Schema, Support};
use super::maps;
use super::pools::{self, Direction};
use super::recursion;
use crate::infer::View;
use crate::infer::monoid::{Bits64, Count, Monoid as _};
use crate::infer::shape::{Member, Members, Shape, Texts, data_name};
use crate::infer::table::Entry;
use crate::infer::variants;
use crate::model::observation::Classes;

/// Presences without exception from which a response member is required.
pub(super) const REQUIRED_RESPONSE: f64 = 19.0;

/// The same for requests, whose senders may be few and alike, and wherever everything seen is stated.
pub(super) const REQUIRED_LIKELY: f64 = 59.0;

/// Integers from which their range says something.
const RANGE_MIN: u32 = 19;

/// What of a body's surroundings its schema depends on.
#[derive(Clone, Copy)]
#[expect(clippy::struct_excessive_bools, reason = "independent circumstances")]
pub(super) struct Context<'a> {
    pub(super) view: View,
    /// Sightings below which a request member is not stated.
    pub(super) samples_min: u32,
    /// Objects here differ by identity: items of arrays, values of maps, operations with a path parameter.
    pub(super) by_identity: bool,
    /// Values are spelled as texts (forms).
    pub(super) textual: bool,
    /// Consumers of the operation, and whether the API has several.
    pub(super) consumers: Bits64,
    pub(super) several_consumers: bool,
    /// How many opportunities there really were, where objects repeat: eight per distinct instance.
    pub(super) instances: Option<f64>,
    /// The name under which the value stands.
    pub(super) name: &'a str,
    /// What it is called: by that name, or by what is around it where that says nothing.
    pub(super) called: &'a str,
    pub(super) direction: Direction,
    /// Members at the top never stated as required.
    pub(super) optional: &'a BTreeSet<u64>,
    /// Members at the top without which requests were refused.
    pub(super) demanded: &'a BTreeSet<u64>,
    /// Names of members that the operation answers with: what is sent under one of them is no junk.
    pub(super) answered: &'a BTreeSet<u64>,
    pub(super) depth: usize,
    /// The member of the body's top that holds the value; 0 elsewhere.
    pub(super) under: u64,
    /// It stands in a map, whose values are its user's.
    pub(super) of_map: bool,
    pub(super) shared: &'a Shared,
}

impl<'a> Context<'a> {
    pub(super) fn is_request(self) -> bool {
        self.direction == Direction::Request
    }

    fn below(self, name: &'a str, by_identity: bool, instances: Option<f64>) -> Self {
        let by_identity = self.by_identity || by_identity;
        let called = if pools::says_nothing(name) { self.called } else { name };
        Self {
            name,
            called,
            by_identity,
            instances,
            depth: self.depth + 1,
            under: 0,
            of_map: false,
            ..self
        }
    }

    /// Opportunities that count as independent.
    fn effective(self, n: f64, instances: Option<f64>) -> f64 {
        match instances {
            Some(instances) if self.by_identity => n.min(instances),
            _ => n,
        }
    }
}

/// Eight opportunities per distinct instance: polling one record proves little.
pub(super) fn per_instance(instances: Bits64) -> f64 {
    let estimate = instances.estimate();
    // Nearly full marks say "many", and an estimate of many is not worth more than its error.
    if estimate > 200.0 { f64::INFINITY } else { 8.0 * estimate }
}

/// The schema that the counts support.
pub(super) fn schema(shape: &Shape, context: Context<'_>) -> Schema {
    let mut schema = Schema::default();
    let kinds = &mut schema.kinds;
    kinds.add(Kinds::NULL, shape.null.any());
    kinds.add(Kinds::BOOLEAN, shape.boolean.any());
    kinds.add(Kinds::NUMBER, shape.float.any());
    kinds.add(Kinds::INTEGER, shape.integer.any() && !shape.float.any());
    kinds.add(Kinds::STRING, shape.text.any());
    kinds.add(Kinds::ARRAY, shape.array.any());
    kinds.add(Kinds::OBJECT, shape.object.any());
    if schema.kinds.has(Kinds::INTEGER) && beyond_32_bit(shape) {
        schema.format = Some("int64");
    }
    schema.range = range(shape);
    if let Some(texts) = &shape.texts {
        describe_texts(&mut schema, texts, shape.text, context);
    }
    if let Some(items) = &shape.items {
        let below = context.below(context.name, true, context.instances);
        let context = Context { of_map: context.of_map, ..below };
        schema.items = Some(Box::new(self::schema(&items.shape, context)));
    }
    if let Some(members) = &shape.members {
        describe_members(&mut schema, members, context);
    }
    schema
}

fn beyond_32_bit(shape: &Shape) -> bool {
    let wide = |value: i64| i32::try_from(value).is_err();
    shape.numbers.as_ref().is_some_and(|numbers| {
        numbers.big.0 || numbers.integers.0.is_some_and(|(low, high)| wide(low) || wide(high))
    })
}

/// The range of integers that count or measure; wider ones are ids, and nobody's business.
fn range(shape: &Shape) -> Option<(i64, i64)> {
    let numbers = shape.numbers.as_ref().filter(|numbers| !numbers.big.0)?;
    let range = numbers.integers.0?;
    (shape.integer.0 >= RANGE_MIN && !beyond_32_bit(shape)).then_some(range)
}

fn describe_texts(schema: &mut Schema, texts: &Texts, count: Count, context: Context<'_>) {
    if context.textual && schema.kinds == Kinds::STRING {
        schema.kinds = kind_of_texts(texts);
    }
    if let Some(files) = texts.files.as_ref().filter(|_| schema.kinds == Kinds::STRING) {
        schema.format = Some("binary");
        schema.files = files.media.items.iter().map(|(media, _)| media.to_string()).collect();
        return;
    }
    if schema.kinds.has(Kinds::STRING) {
        schema.format = schema.format.or_else(|| format(texts, context.view));
        schema.class = class(texts);
        // Beside other kinds a closed set of texts would exclude them.
        if matches!(schema.kinds.0 & !Kinds::NULL.0, kind if kind == Kinds::STRING.0) {
            let values = proven_values(texts, count, context);
            match context.view {
                View::Strict => schema.values = values,
                View::Permissive => schema.seen = values,
            }
        }
    }
}

/// What texts are that spell values of other kinds.
pub(super) fn kind_of_texts(texts: &Texts) -> Kinds {
    let all = |class| texts.classes.holds(class) && !texts.empty.any();
    if all(Classes::INTEGER) {
        Kinds::INTEGER
    } else if all(Classes::DECIMAL) {
        Kinds::NUMBER
    } else if all(Classes::BOOLEAN) {
        Kinds::BOOLEAN
    } else {
        Kinds::STRING
    }
}

/// The format that all texts have, from enough distinct ones (8.3).
pub(super) fn format(texts: &Texts, view: View) -> Option<&'static str> {
    const TELLING: [(Classes, &str); 6] = [
        (Classes::UUID, "uuid"),
        (Classes::DATE_TIME, "date-time"),
        (Classes::EMAIL, "email"),
        (Classes::URI, "uri"),
        (Classes::IPV4, "ipv4"),
        (Classes::IPV6, "ipv6"),
    ];
    const WEAK: [(Classes, &str); 3] =
        [(Classes::DATE, "date"), (Classes::TIME, "time"), (Classes::DURATION, "duration")];
    if texts.empty.any() {
        return None;
    }
    let enough = if view == View::Strict { 3 } else { 20 };
    let find = |formats: &[(Classes, &'static str)], least| {
        formats
            .iter()
            .find(|(class, _)| texts.classes.holds(*class) && texts.distinct.at_least(least))
            .map(|(_, name)| *name)
    };
    find(&TELLING, enough).or_else(|| find(&WEAK, 20))
}

/// The first class that holds for all texts, for the extension.
fn class(texts: &Texts) -> Option<&'static str> {
    Classes::NAMES.iter().find(|(class, _)| texts.classes.holds(*class)).map(|(_, name)| *name)
}

/// The members of the enum, if the set is closed and the view holds anybody to it.
pub(super) fn closed_values(texts: &Texts, count: Count, context: Context<'_>) -> Vec<String> {
    match context.view {
        View::Strict => proven_values(texts, count, context),
        View::Permissive => Vec::new(),
    }
}

/// The values, if the set is closed (8.4).
fn proven_values(texts: &Texts, count: Count, context: Context<'_>) -> Vec<String> {
    let values = &texts.values;
    let distinct = values.items.len();
    if values.open
        || texts.empty.any()
        || !(2..=20).contains(&distinct)
        || context.of_map
        || context.direction == Direction::Refusal && context.depth > 1
    {
        return Vec::new();
    }
    let n = f64::from(count.0);
    let once = values.items.iter().filter(|(_, seen)| seen.0 == 1).count();
    #[expect(clippy::cast_precision_loss, reason = "at most twenty")]
    let (distinct, once) = (distinct as f64, once as f64);
    let enough = context.effective(n, context.instances) >= (10.0 * distinct).max(20.0);
    let shared = !context.several_consumers || context.consumers.at_least(2);
    if enough && shared && once / n < 0.01 && !are_references(texts) {
        values.items.iter().map(|(text, _)| text.to_string()).collect()
    } else {
        Vec::new()
    }
}

/// `account:jane`, `account:joe`: texts with one prefix before a colon refer to things, whose number grows.
fn are_references(texts: &Texts) -> bool {
    let mut prefixes =
        texts.values.items.iter().map(|(text, _)| text.split_once(':').map(|(prefix, _)| prefix));
    let first = prefixes.next().flatten();
    first.is_some() && prefixes.all(|prefix| prefix == first)
}

fn describe_members(schema: &mut Schema, members: &Members, context: Context<'_>) {
    let map = context.shared.maps.is_map(members, context.name);
    let folded = if map { None } else { recursion::fold(members) };
    let members = folded.as_ref().map_or(members, |folded| &folded.members);
    if !map && !context.textual {
        schema.reference = context.shared.reference(members, context);
    }
    if schema.reference.is_none() {
        record(schema, members, map, context);
    }
}

/// Presences without exception from which a member is required.
pub(super) fn needed(context: Context<'_>) -> f64 {
    match context.view {
        View::Strict if !context.is_request() => REQUIRED_RESPONSE,
        _ => REQUIRED_LIKELY,
    }
}

/// States the members of an object.
pub(super) fn record(schema: &mut Schema, members: &Members, map: bool, context: Context<'_>) {
    // A part varies at least as the whole that it belongs to.
    let instances = Some(per_instance(members.instances).max(context.instances.unwrap_or(0.0)));
    let effective = context.effective(f64::from(members.n.0), instances);
    let (stay, join): (Vec<_>, Vec<_>) = members.keys.iter().partition(|entry| {
        data_name(&entry.name).is_none() && (!map || maps::is_steady(&entry.value, members))
    });
    // A map of which all keys are steady has values like theirs.
    let others = if map && join.is_empty() { &stay } else { &join };
    if let Some(shape) = join_members(others, members, map) {
        let context = Context { of_map: true, ..context.below("", true, instances) };
        schema.additional = Some(Box::new(self::schema(&shape, context)));
    }
    let differs = stay.iter().any(|entry| entry.value.k.0 < members.n.0);
    let varied = differs || context.consumers.at_least(3);
    let needed = needed(context);
    let sure = effective >= needed && (!context.is_request() || varied);
    let mut stay: Vec<_> =
        stay.into_iter().filter(|entry| is_stated(entry, members, context)).collect();
    stay.sort_by(|left, right| {
        left.value.order.compare(right.value.order).then_with(|| left.name.cmp(&right.name))
    });
    let told = |hashes: &BTreeSet<u64>, hash| context.depth == 0 && hashes.contains(&hash);
    schema.properties = stay
        .into_iter()
        .map(|entry| {
            let always = entry.value.k == members.n && !told(context.optional, entry.hash);
            let required = always && (sure || is_demanded(entry.hash, context));
            let below = Context {
                of_map: map,
                under: if context.depth == 0 { entry.hash } else { 0 },
                ..context.below(&entry.name, false, instances)
            };
            Property {
                name: entry.name.to_string(),
                required,
                undecided: always && !required,
                access: Access::Both,
                schema: self::schema(&entry.value.shape, below),
                support: Support::of(entry.value.k, members.n),
            }
        })
        .collect();
}

/// Whether requests were refused for lacking a member alone.
fn is_demanded(hash: u64, context: Context<'_>) -> bool {
    match (context.depth, context.under) {
        (0, _) => context.demanded.contains(&hash),
        (1, under) => context.demanded.contains(&variants::below(under, hash)),
        _ => false,
    }
}

/// Whether a member is part of the contract; clients send junk.
fn is_stated(entry: &Entry<Member>, members: &Members, context: Context<'_>) -> bool {
    let presences = entry.value.presences();
    !context.is_request()
        || context.view == View::Permissive
        || (presences >= u64::from(context.samples_min) && presences * 100 >= members.total())
        || context.answered.contains(&entry.hash)
}

/// The names of all members at and below a value, those that are data left out.
pub(super) fn names(shape: &Shape, found: &mut BTreeSet<u64>) {
    if let Some(items) = &shape.items {
        names(&items.shape, found);
    }
    let members = shape.members.iter().flat_map(|members| members.keys.iter());
    for entry in members.filter(|entry| data_name(&entry.name).is_none()) {
        found.insert(entry.hash);
        names(&entry.value.shape, found);
    }
}

/// All values of members that are not listed, as one shape.
fn join_members(join: &[&Entry<Member>], members: &Members, map: bool) -> Option<Shape> {
    let rest = members.keys.rest();
    if join.is_empty() && rest.is_none() && !map {
        return None;
    }
    let mut shape = Shape::default();
    for entry in join {
        shape.merge(&entry.value.shape);
    }
    if let Some(rest) = rest {
        shape.merge(&rest.shape);
    }
    Some(shape)
}
