//! Records that are several records, told apart by the value of one member (`spec/inference.md` 8.6).
//!
//! Owns which tag is believed and what each variant has. Refuses to own how it is written and what its parts are called.

use std::collections::BTreeSet;

use super::ir::{Kinds, Property, Schema, Support};
use super::shapes::{Context, closed_values};
use crate::infer::monoid::Count;
use crate::infer::shape::{Member, Members};
use crate::infer::table::Entry;
use crate::infer::variants::{KeyCount, Tag, Variant};

/// Objects from which a value of a tag is believed to be a variant.
const VARIANT_MIN: u32 = 10;

/// Share of the disorder that a tag must explain.
const GAIN_MIN: f64 = 0.2;

/// A tag that explains which members stand together.
pub(super) struct Union<'a> {
    pub(super) tag: &'a Entry<Member>,
    pub(super) boolean: bool,
    /// Values with what goes with them, by value.
    pub(super) variants: Vec<(&'a str, &'a Variant)>,
    /// Objects that are none of these exist, or may.
    pub(super) open: bool,
}

/// Whether a tag explains a record.
pub(super) fn is_tagged(members: &Members) -> bool {
    chosen(members).is_some()
}

/// The variants of a record, if a tag explains it.
pub(super) fn of<'a>(members: &'a Members, context: Context<'_>) -> Option<Union<'a>> {
    let (tag, chosen) = chosen(members)?;
    let variants: Vec<(&str, &Variant)> = common(chosen).collect();
    let known = variants.len() == chosen.values.items.len();
    let boolean = chosen.boolean.0;
    let closed = boolean && variants.len() == 2 || is_closed(tag, context);
    Some(Union { tag, boolean, variants, open: !(known && closed) })
}

/// The tag that explains most, if one explains enough and every object has it.
fn chosen(members: &Members) -> Option<(&Entry<Member>, &Tag)> {
    let all = cost(members.keys.iter().map(|entry| entry.value.k), members.n);
    let mut best: Option<(f64, &Entry<Tag>)> = None;
    for entry in members.tags.iter() {
        let gain = gain(&entry.value, members, all);
        if gain >= GAIN_MIN * all
            && is_distinguishing(&entry.value)
            && best.is_none_or(|(most, _)| gain > most)
        {
            best = Some((gain, entry));
        }
    }
    let (_, chosen) = best?;
    let tag = members.keys.get(chosen.hash).filter(|entry| entry.value.k == members.n)?;
    Some((tag, &chosen.value))
}

/// Whether 8.4 says that there are no other values.
fn is_closed(tag: &Entry<Member>, context: Context<'_>) -> bool {
    let shape = &tag.value.shape;
    let texts = shape.texts.as_ref();
    texts.is_some_and(|texts| !closed_values(texts, shape.text, context).is_empty())
}

fn common(tag: &Tag) -> impl Iterator<Item = (&str, &Variant)> {
    let items = tag.values.items.iter().filter(|(_, variant)| variant.n.0 >= VARIANT_MIN);
    items.map(|(value, variant)| (&**value, variant))
}

/// Bits that a tag saves, less those that naming its variants costs.
fn gain(tag: &Tag, members: &Members, all: f64) -> f64 {
    if tag.values.open || common(tag).count() < 2 {
        return f64::NEG_INFINITY;
    }
    let within: f64 = tag
        .values
        .items
        .iter()
        .map(|(_, variant)| cost(variant.keys.items.iter().map(|key| key.k), variant.n))
        .sum();
    #[expect(clippy::cast_precision_loss, reason = "at most 16 values of at most 256 members")]
    let parameters = (tag.values.items.len().saturating_sub(1) * members.keys.len()) as f64;
    all - within - parameters * 0.5 * f64::from(members.n.0).max(1.0).log2()
}

/// Bits that tell which members so many objects have.
fn cost(counts: impl Iterator<Item = Count>, n: Count) -> f64 {
    let n = f64::from(n.0).max(1.0);
    counts
        .map(|k| f64::from(k.0) / n)
        .filter(|share| *share > 0.0 && *share < 1.0)
        .map(|share| -n * (share * share.log2() + (1.0 - share) * (1.0 - share).log2()))
        .sum()
}

/// Whether some member always goes with one value and never, or only as another kind, with another.
fn is_distinguishing(tag: &Tag) -> bool {
    common(tag).any(|(_, one)| {
        let always = one.keys.items.iter().filter(|key| key.k == one.n);
        always.into_iter().any(|key| {
            common(tag).any(|(_, other)| match find(other, key.hash) {
                None => true,
                Some(theirs) => theirs.kinds & key.kinds == 0,
            })
        })
    })
}

fn find(variant: &Variant, hash: u64) -> Option<&KeyCount> {
    let at = variant.keys.items.binary_search_by_key(&hash, |key| key.hash).ok()?;
    variant.keys.items.get(at)
}

/// The record of one variant, made of the record of all: its own members and their kinds.
pub(super) fn variant(
    record: &Schema,
    members: &Members,
    union: &Union<'_>,
    (value, variant): (&str, &Variant),
    needed: f64,
) -> Schema {
    let hash_of = |name: &str| members.keys.iter().find(|entry| &*entry.name == name);
    let sure = f64::from(variant.n.0) >= needed;
    let properties = record
        .properties
        .iter()
        .filter_map(|property| {
            let mut schema = property.schema.clone();
            if property.name == *union.tag.name {
                schema.values = vec![value.to_owned()];
                let support = Support::of(variant.n, variant.n);
                return Some(Property { required: true, schema, support, ..property.clone() });
            }
            let key = find(variant, hash_of(&property.name)?.hash)?;
            schema.kinds = schema.kinds.within(kinds_of(key.kinds));
            let required = sure && key.k == variant.n;
            let support = Support::of(key.k, variant.n);
            Some(Property { required, schema, support, ..property.clone() })
        })
        .collect();
    Schema { properties, ..record.clone() }
}

/// The record of all objects that are none of the variants: whatever they have is optional.
pub(super) fn other(record: &Schema, union: &Union<'_>) -> Schema {
    let mut schema = record.clone();
    for property in &mut schema.properties {
        let tag = property.name == *union.tag.name;
        property.required = tag;
        if tag {
            property.schema.values = Vec::new();
            property.schema.excluded =
                union.variants.iter().map(|(value, _)| (*value).to_owned()).collect();
        }
    }
    schema
}

/// The kinds that the bits of `shape::kind_bit` stand for.
fn kinds_of(bits: u8) -> Kinds {
    const KINDS: [Kinds; 7] = [
        Kinds::NULL,
        Kinds::BOOLEAN,
        Kinds::INTEGER,
        Kinds::NUMBER,
        Kinds::STRING,
        Kinds::OBJECT,
        Kinds::ARRAY,
    ];
    let mut kinds = Kinds::default();
    for (bit, kind) in KINDS.into_iter().enumerate() {
        kinds.add(kind, bits & 1 << bit != 0);
    }
    // Where floats were seen elsewhere, an integer is a number.
    kinds.add(Kinds::NUMBER, kinds.has(Kinds::INTEGER));
    kinds
}

/// What variants are called beside the record: the value, then the record's name.
pub(super) fn names(union: &Union<'_>, record: &str, taken: &mut BTreeSet<String>) -> Vec<String> {
    let values = union.variants.iter().map(|(value, _)| *value);
    values
        .chain(union.open.then_some("other"))
        .map(|value| {
            let wanted = match (union.boolean, value) {
                (true, "true") => {
                    format!("{record}With{}", super::names::pascal(&[&union.tag.name]))
                }
                (true, _) => format!("{record}Without{}", super::names::pascal(&[&union.tag.name])),
                (false, value) => format!("{}{record}", super::names::pascal(&[value])),
            };
            super::components::free(&[wanted], taken)
        })
        .collect()
}
