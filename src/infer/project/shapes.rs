//! Counts to schemas (`spec/inference.md` 8): required, nullable, formats, enums, maps.
//!
//! Owns the thresholds. Refuses to own which bodies there are.

use super::ir::{Kinds, Property, Schema, Support};
use crate::infer::View;
use crate::infer::monoid::{Bits64, Count, Monoid as _};
use crate::infer::shape::{Member, Members, Shape, Texts, data_name};
use crate::infer::table::Entry;
use crate::model::observation::Classes;

/// Presences without exception from which a response member is required.
const REQUIRED_RESPONSE: f64 = 19.0;

/// The same for requests, whose senders may be few and alike.
const REQUIRED_REQUEST: f64 = 59.0;

/// What of a body's surroundings its schema depends on.
#[derive(Clone, Copy)]
#[expect(clippy::struct_excessive_bools, reason = "independent circumstances")]
pub(super) struct Context<'a> {
    pub(super) view: View,
    pub(super) request: bool,
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
    pub(super) instances: f64,
    /// The name under which the value stands.
    pub(super) name: &'a str,
    /// Members never stated as required.
    pub(super) optional: &'a dyn Fn(usize, u64) -> bool,
    pub(super) depth: usize,
}

impl<'a> Context<'a> {
    fn below(self, name: &'a str, by_identity: bool, instances: f64) -> Self {
        let by_identity = self.by_identity || by_identity;
        Self { name, by_identity, instances, depth: self.depth + 1, ..self }
    }

    /// Opportunities that count as independent.
    fn effective(self, n: f64, instances: f64) -> f64 {
        if self.by_identity { n.min(instances) } else { n }
    }
}

/// Eight opportunities per distinct instance: polling one record proves little.
fn per_instance(instances: Bits64) -> f64 {
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
    if let Some(texts) = &shape.texts {
        describe_texts(&mut schema, texts, shape.text, context);
    }
    if let Some(items) = &shape.items {
        let context = context.below(context.name, true, context.instances);
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

fn describe_texts(schema: &mut Schema, texts: &Texts, count: Count, context: Context<'_>) {
    if context.textual && schema.kinds == Kinds::STRING {
        schema.kinds = kind_of_texts(texts);
    }
    if schema.kinds.has(Kinds::STRING) {
        schema.format = schema.format.or_else(|| format(texts, context.view));
        schema.class = class(texts);
        // Beside other kinds a closed set of texts would exclude them.
        if matches!(schema.kinds.0 & !Kinds::NULL.0, kind if kind == Kinds::STRING.0) {
            schema.values = closed_values(texts, count, context);
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

/// The members of the enum, if the set is closed (8.4).
pub(super) fn closed_values(texts: &Texts, count: Count, context: Context<'_>) -> Vec<String> {
    let values = &texts.values;
    let distinct = values.items.len();
    if values.open
        || texts.empty.any()
        || !(2..=20).contains(&distinct)
        || context.view != View::Strict
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
    let instances = per_instance(members.instances);
    let n = f64::from(members.n.0);
    let effective = context.effective(n, instances);
    let map = is_map(members, context.name);
    let (stay, join): (Vec<_>, Vec<_>) = members.keys.iter().partition(|entry| {
        data_name(&entry.name).is_none() && (!map || is_steady(&entry.value, members))
    });
    let joined = join_members(&join, members, map);
    if let Some(shape) = joined {
        schema.additional =
            Some(Box::new(self::schema(&shape, context.below("", true, f64::INFINITY))));
    }
    let differs = stay.iter().any(|entry| entry.value.k.0 < members.n.0);
    let varied = differs || context.consumers.at_least(3);
    let needed = if context.request { REQUIRED_REQUEST } else { REQUIRED_RESPONSE };
    let sure = effective >= needed && (!context.request || varied);
    let mut stay: Vec<_> =
        stay.into_iter().filter(|entry| is_stated(&entry.value, members, context)).collect();
    stay.sort_by(|left, right| {
        left.value.order.compare(right.value.order).then_with(|| left.name.cmp(&right.name))
    });
    schema.properties = stay
        .into_iter()
        .map(|entry| Property {
            name: entry.name.to_string(),
            required: sure
                && entry.value.k == members.n
                && !(context.optional)(context.depth, entry.hash),
            schema: self::schema(&entry.value.shape, context.below(&entry.name, false, instances)),
            support: Support::of(entry.value.k, members.n),
        })
        .collect();
}

/// Whether a member is part of the contract; clients send junk.
fn is_stated(member: &Member, members: &Members, context: Context<'_>) -> bool {
    let presences = member.presences();
    !context.request
        || context.view == View::Permissive
        || (presences >= u64::from(context.samples_min) && presences * 100 >= members.total())
}

/// A word key that nearly every map has: map and record at once.
fn is_steady(member: &Member, members: &Members) -> bool {
    f64::from(member.k.0) >= 0.95 * f64::from(members.n.0) && members.n.0 >= 19
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

/// Whether an object is a map rather than a record: log-odds over 0 (8.5).
fn is_map(members: &Members, name: &str) -> bool {
    let keys: Vec<&Entry<Member>> = members.keys.iter().collect();
    let data = keys.iter().filter(|entry| data_name(&entry.name).is_some()).count();
    let words: Vec<&&Entry<Member>> =
        keys.iter().filter(|entry| data_name(&entry.name).is_none()).collect();
    if keys.is_empty() {
        return false;
    }
    let n = f64::from(members.n.0).max(1.0);
    let mut odds = -2.0;
    if data == keys.len() {
        odds += 6.0;
    } else if data * 2 >= keys.len() {
        odds += 3.0;
    }
    if keys.len() > 64 {
        odds += 2.0;
    }
    if members.keys.rest().is_some() {
        odds += 5.0;
    }
    let occurrences: u64 = words.iter().map(|entry| u64::from(entry.value.k.0)).sum();
    let once = words.iter().filter(|entry| entry.value.k.0 == 1).count() as u64;
    if occurrences >= 100 && once * 20 >= occurrences {
        odds += 2.0;
    }
    let mut supports: Vec<f64> = words.iter().map(|entry| f64::from(entry.value.k.0) / n).collect();
    supports.sort_by(f64::total_cmp);
    if supports.len() >= 12 && supports.get(supports.len() / 2).is_some_and(|median| *median <= 0.1)
    {
        odds += 2.0;
    }
    odds += if values_alike(&keys) { 1.0 } else { -4.0 };
    if is_container_name(name) {
        odds += 4.0;
    }
    let steady = words.iter().filter(|entry| is_steady(&entry.value, members)).count();
    #[expect(clippy::cast_precision_loss, reason = "at most three count")]
    let steady = steady.min(3) as f64;
    odds -= 2.0 * steady;
    if data == 0 && words.len() <= 3 {
        odds -= 1.0;
    }
    odds > 0.0
}

/// Whether all values are of one kind, and objects among them of one form.
fn values_alike(keys: &[&Entry<Member>]) -> bool {
    let kinds = keys.iter().fold(0_u8, |kinds, entry| {
        let shape = &entry.value.shape;
        kinds
            | u8::from(shape.boolean.any())
            | u8::from(shape.integer.any() || shape.float.any()) << 1
            | u8::from(shape.text.any()) << 2
            | u8::from(shape.array.any()) << 3
            | u8::from(shape.object.any()) << 4
    });
    if kinds.count_ones() > 1 {
        return false;
    }
    let objects: Vec<&Members> =
        keys.iter().filter_map(|entry| entry.value.shape.members.as_deref()).collect();
    let Some(first) = objects.first() else { return true };
    objects.iter().all(|members| {
        let common =
            members.keys.iter().filter(|entry| first.keys.get(entry.hash).is_some()).count();
        let least = members.keys.len().min(first.keys.len());
        common * 10 >= least * 8
    })
}

/// Names of members that hold maps in most APIs.
fn is_container_name(name: &str) -> bool {
    matches!(
        name,
        "labels"
            | "annotations"
            | "metadata"
            | "attributes"
            | "headers"
            | "tags"
            | "params"
            | "env"
            | "args"
            | "variables"
            | "translations"
            | "counts"
            | "extra"
    ) || name.starts_with("custom")
        || name.contains("_by_")
        || name.ends_with("Labels")
        || name.ends_with("Annotations")
        || name.ends_with("_labels")
        || name.ends_with("_annotations")
}
