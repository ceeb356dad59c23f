//! Counts of parameters and fields to stated parameters (`spec/inference.md` 7).
//!
//! Owns whether a parameter is stated, whether it is required, its type and how lists are written. Refuses to own objects in
//! brackets (`brackets`).

use super::brackets;
use super::ir::{Kinds, Parameter, Place, Schema, Style, Support};
use super::paths::{Step, Wildcard};
use super::shapes::{Context, closed_values, format, kind_of_texts};
use crate::infer::View;
use crate::infer::evidence::{Cell, Lists, ParameterEvidence};
use crate::infer::monoid::Count;
use crate::infer::table::{Entry, Table};
use crate::infer::trie::class_code;
use crate::model::brackets::{is_list, split};
use crate::model::observation::{Classes, DataClass, SegmentClass};

/// Presences from which a separator may mean a list, and how many of the values have to hold it.
const LIST_MIN: u32 = 10;
const SEPARATED_MIN: u32 = 3;

/// Presences without exception from which a parameter is required.
const REQUIRED: u32 = 59;

/// The same for headers, which clients send of their own accord.
const REQUIRED_HEADER: u32 = 299;

/// Sightings from which a response field is more than a text.
const FIELD_MIN: u32 = 19;

/// The parameters of one place, by name.
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
            let parameter = parameter(entry, place, context);
            let always = entry.value.k == cell.n && is_enough(cell, place, varied, context);
            Parameter { required: always, support: Support::of(entry.value.k, cell.n), ..parameter }
        })
        .collect();
    parameters.sort_by(|left, right| left.name.cmp(&right.name));
    if place == Place::Query { brackets::join(parameters) } else { parameters }
}

/// Whether so many exchanges tell that what is always there is required.
fn is_enough(cell: &Cell, place: Place, varied: bool, context: Context<'_>) -> bool {
    match place {
        Place::Header | Place::Cookie => {
            let several = !context.several_consumers || cell.consumers.at_least(3);
            cell.n.0 >= REQUIRED_HEADER && several
        }
        Place::Path | Place::Query => cell.n.0 >= REQUIRED && varied,
    }
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
    let percent = if matches!(place, Place::Header | Place::Cookie) { 2 } else { 1 };
    k >= u64::from(context.samples_min)
        && (k * 100 >= n * percent || evidence.consumers.at_least(2))
}

/// What is known of a parameter but for how often it is there.
fn parameter(entry: &Entry<ParameterEvidence>, place: Place, context: Context<'_>) -> Parameter {
    let Entry { name, value: evidence, .. } = entry;
    let context = Context { name, ..context };
    let parameter = Parameter {
        name: name.to_string(),
        place,
        required: false,
        schema: Schema::default(),
        style: Style::Usual,
        may_be_empty: false,
        support: Support::default(),
    };
    let array = |items| Schema { items: Some(Box::new(items)), ..Schema::of(Kinds::ARRAY) };
    if evidence.repeated.0 >= context.samples_min || is_list(name) {
        return Parameter { schema: array(item(evidence, context)), ..parameter };
    }
    if let Some((separator, classes)) = separator(evidence) {
        let schema = array(Schema::of(kind_of_classes(classes)));
        return Parameter { schema, style: Style::Joined(separator), ..parameter };
    }
    let empty = evidence.texts.empty.any();
    if place == Place::Query && empty && split(name).is_none() {
        // That it may come without a value is said apart from what its values are.
        let mut evidence = evidence.clone();
        evidence.texts.empty = Count::default();
        return Parameter { schema: item(&evidence, context), may_be_empty: true, ..parameter };
    }
    Parameter { schema: item(evidence, context), ..parameter }
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

/// The schema of a response field.
pub(super) fn of_field(evidence: &ParameterEvidence) -> Schema {
    let kind = kind_of_texts(&evidence.texts);
    let counts = kind == Kinds::INTEGER && evidence.k.0 >= FIELD_MIN;
    Schema::of(if counts { kind } else { Kinds::STRING })
}

/// The separator of lists and the classes of their items, if nearly every value that holds it is a list of one class, and
/// lists are not all of one length, as a pair of coordinates is. Words between bars or spaces may be a pattern or prose.
fn separator(evidence: &ParameterEvidence) -> Option<(char, Classes)> {
    const DATA: Classes = Classes::INTEGER.or(Classes::UUID).or(Classes::DECIMAL).or(Classes::DATE);
    let all = evidence.k.0;
    let is_list = |lists: &Lists, listed: Classes| {
        let uniform = u64::from(lists.uniform.0) * 10 >= u64::from(lists.n.0) * 9;
        let varies = lists.n.0 < all || lists.lengths.0.is_some_and(|(least, most)| least < most);
        uniform
            && varies
            && lists.n.0 >= SEPARATED_MIN
            && lists.items.0 != Classes::ALL
            && lists.items.0.meets(listed)
    };
    [
        (',', &evidence.commas, DATA.or(Classes::KEYWORD)),
        ('|', &evidence.pipes, DATA),
        (' ', &evidence.spaces, DATA),
    ]
    .into_iter()
    .filter(|_| all >= LIST_MIN && !evidence.repeated.any())
    .filter_map(|(separator, lists, listed)| Some((separator, lists.as_deref()?, listed)))
    .find(|(_, lists, listed)| is_list(lists, *listed))
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

/// The parameters of a template, by their names in order.
pub(super) fn of_template(steps: &[Step], names: &[String], support: Support) -> Vec<Parameter> {
    let wildcards = steps.iter().filter_map(|step| match step {
        Step::Wildcard(wildcard) => Some(wildcard),
        Step::Literal(_) => None,
    });
    let schemas = wildcards.flat_map(|wildcard| {
        let style = if wildcard.greedy { Style::Greedy } else { Style::Usual };
        let further = wildcard.further.iter();
        let further = further.map(|further| (of_values(&further.classes), Style::Usual));
        std::iter::once((of_path(wildcard), style)).chain(further)
    });
    schemas
        .zip(names)
        .map(|((schema, style), name)| Parameter {
            name: name.clone(),
            place: Place::Path,
            required: true,
            schema,
            style,
            may_be_empty: false,
            support,
        })
        .collect()
}

/// The schema of a path parameter, by the classes of what stood there.
fn of_path(wildcard: &Wildcard) -> Schema {
    if wildcard.version {
        return Schema { values: wildcard.values.clone(), ..Schema::text(None) };
    }
    of_values(&wildcard.classes)
}

/// What values are, by the classes of what stood there.
fn of_values(classes: &[u64]) -> Schema {
    const FORMATS: [(DataClass, &str); 4] = [
        (DataClass::Uuid, "uuid"),
        (DataClass::Date, "date"),
        (DataClass::DateTime, "date-time"),
        (DataClass::Email, "email"),
    ];
    let only = |class| classes == [class_code(SegmentClass::Data(class))];
    if only(DataClass::Integer) {
        return Schema::of(Kinds::INTEGER);
    }
    let numbers =
        [DataClass::Integer, DataClass::Decimal].map(|class| class_code(SegmentClass::Data(class)));
    if !classes.is_empty() && classes.iter().all(|class| numbers.contains(class)) {
        return Schema::of(Kinds::NUMBER);
    }
    Schema::text(FORMATS.iter().find(|(class, _)| only(*class)).map(|(_, format)| *format))
}
