//! Counts of parameters and fields to stated parameters (`spec/inference.md` 7).

use super::ir::{Kinds, Parameter, Place, Schema, Support};
use super::paths::Wildcard;
use super::shapes::{Context, closed_values, format, kind_of_texts};
use crate::infer::View;
use crate::infer::evidence::{Cell, ParameterEvidence};
use crate::infer::table::Table;
use crate::infer::trie::class_code;
use crate::model::observation::{Classes, DataClass, SegmentClass};

/// Lists in one value need so many sightings before the separator means anything.
const LIST_MIN: u32 = 10;

/// Presences without exception from which a parameter is required.
const REQUIRED: u32 = 59;

/// The parameters of one place.
pub(super) fn stated<const K: usize>(
    table: &Table<ParameterEvidence, K>,
    cell: &Cell,
    place: Place,
    context: Context<'_>,
) -> Vec<Parameter> {
    let differs = table.iter().any(|entry| entry.value.k.0 < cell.n.0);
    let varied = differs || cell.consumers.at_least(3);
    let mut parameters: Vec<Parameter> = table
        .iter()
        .filter(|entry| !entry.name.is_empty() && is_stated(&entry.value, cell, place, context))
        .map(|entry| {
            let evidence = &entry.value;
            let (schema, joined) = schema(evidence, Context { name: &entry.name, ..context });
            Parameter {
                name: entry.name.to_string(),
                place,
                required: evidence.k == cell.n && cell.n.0 >= REQUIRED && varied,
                schema,
                joined,
                support: Support::of(evidence.k, cell.n),
            }
        })
        .collect();
    parameters.sort_by(|left, right| left.name.cmp(&right.name));
    parameters
}

/// Servers ignore what they do not know: that a parameter was accepted is not enough.
fn is_stated(
    evidence: &ParameterEvidence,
    cell: &Cell,
    place: Place,
    context: Context<'_>,
) -> bool {
    let (k, n) = (u64::from(evidence.k.0), u64::from(cell.n.0));
    if context.view == View::Permissive {
        return true;
    }
    let percent = if place == Place::Header { 2 } else { 1 };
    k >= u64::from(context.samples_min)
        && (k * 100 >= n * percent || evidence.consumers.at_least(2))
}

fn schema(evidence: &ParameterEvidence, context: Context<'_>) -> (Schema, Option<char>) {
    let repeated = evidence.repeated.0 >= context.samples_min;
    let list = separator(evidence);
    if repeated || list.is_some() {
        let items = match list {
            Some((_, classes)) if !repeated => Schema::of(kind_of_classes(classes)),
            _ => item(evidence, context),
        };
        let joined = list.map(|(separator, _)| separator).filter(|_| !repeated);
        let schema = Schema { items: Some(Box::new(items)), ..Schema::of(Kinds::ARRAY) };
        return (schema, joined);
    }
    (item(evidence, context), None)
}

/// One value of a parameter.
fn item(evidence: &ParameterEvidence, context: Context<'_>) -> Schema {
    let texts = &evidence.texts;
    let kind = kind_of_texts(texts);
    let mut schema = Schema::of(kind);
    if kind == Kinds::STRING {
        schema.format = format(texts, context.view);
        schema.values = closed_values(texts, evidence.k, context);
    }
    schema
}

/// The separator of lists, if nearly every value that holds it is a list of one class. Words between bars may be a pattern.
fn separator(evidence: &ParameterEvidence) -> Option<(char, Classes)> {
    const DATA: Classes = Classes::INTEGER.or(Classes::UUID).or(Classes::DECIMAL).or(Classes::DATE);
    [
        (',', &evidence.commas, DATA.or(Classes::KEYWORD)),
        ('|', &evidence.pipes, DATA),
        (' ', &evidence.spaces, DATA),
    ]
    .into_iter()
    .filter_map(|(separator, lists, listed)| Some((separator, lists.as_deref()?, listed)))
    .find(|(_, lists, listed)| {
        let share = u64::from(lists.uniform.0) * 10 >= u64::from(lists.n.0) * 9;
        share
            && lists.n.0 >= LIST_MIN
            && lists.items.0 != Classes::ALL
            && lists.items.0.meets(*listed)
    })
    .map(|(separator, lists, _)| (separator, lists.items.0))
}

fn kind_of_classes(classes: Classes) -> Kinds {
    if classes.has(Classes::INTEGER) {
        Kinds::INTEGER
    } else if classes.has(Classes::DECIMAL) {
        Kinds::NUMBER
    } else {
        Kinds::STRING
    }
}

/// The schema of a path parameter, by the classes of what stood there.
pub(super) fn of_path(wildcard: &Wildcard) -> Schema {
    const FORMATS: [(DataClass, &str); 4] = [
        (DataClass::Uuid, "uuid"),
        (DataClass::Date, "date"),
        (DataClass::DateTime, "date-time"),
        (DataClass::Email, "email"),
    ];
    if wildcard.version {
        return Schema { values: wildcard.values.clone(), ..Schema::text(None) };
    }
    let only = |class| wildcard.classes == [class_code(SegmentClass::Data(class))];
    if only(DataClass::Integer) {
        return Schema::of(Kinds::INTEGER);
    }
    let numbers =
        [DataClass::Integer, DataClass::Decimal].map(|class| class_code(SegmentClass::Data(class)));
    if !wildcard.classes.is_empty() && wildcard.classes.iter().all(|class| numbers.contains(class))
    {
        return Schema::of(Kinds::NUMBER);
    }
    Schema::text(FORMATS.iter().find(|(class, _)| only(*class)).map(|(_, format)| *format))
}
