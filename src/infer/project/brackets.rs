//! Query parameters with brackets in their names: `filter[state]` and `filter[price][gte]` are one object of style
//! `deepObject` (`spec/inference.md` 7).
//!
//! Owns the nesting. Refuses to own names (`model::brackets`) and what a single value is (`parameters`).

use super::ir::{Kinds, Parameter, Place, Property, Schema, Style};
use crate::model::brackets::{DATA, is_list, split};

/// Joins the parameters that are members of one object; the others stay. In: by name; out: by name.
pub(super) fn join(parameters: Vec<Parameter>) -> Vec<Parameter> {
    let plain: Vec<String> = parameters
        .iter()
        .filter(|parameter| split(&parameter.name).is_none())
        .map(|parameter| parameter.name.clone())
        .collect();
    let mut joined: Vec<Parameter> = Vec::new();
    for parameter in parameters {
        let parts = split(&parameter.name).filter(|_| !is_list(&parameter.name));
        // A name can be stated once only: beside a plain value of the base, members keep their whole names.
        let Some((base, steps)) = parts.filter(|(base, _)| !plain.iter().any(|name| name == base))
        else {
            joined.extend(is_nameable(&parameter.name).then_some(parameter));
            continue;
        };
        let known =
            joined.iter().position(|other| other.name == base && other.style == Style::Deep);
        let at = known.unwrap_or_else(|| {
            joined.push(object(base, &parameter));
            joined.len() - 1
        });
        if let Some(object) = joined.get_mut(at) {
            object.required |= parameter.required;
            object.support.k = object.support.k.max(parameter.support.k);
            add(&mut object.schema, &steps, &parameter);
        }
    }
    joined.sort_by(|left, right| left.name.cmp(&right.name));
    joined
}

/// Whether a name stands for itself, not for a class of data.
fn is_nameable(name: &str) -> bool {
    !name.contains(DATA)
}

fn object(base: &str, member: &Parameter) -> Parameter {
    Parameter {
        name: base.to_owned(),
        place: Place::Query,
        required: false,
        schema: Schema::of(Kinds::OBJECT),
        style: Style::Deep,
        may_be_empty: false,
        support: member.support,
    }
}

/// Adds one value at the end of some steps.
fn add(object: &mut Schema, steps: &[&str], leaf: &Parameter) {
    let Some((step, rest)) = steps.split_first() else { return };
    let below = if step.starts_with(DATA) {
        &mut **object.additional.get_or_insert_default()
    } else {
        member(object, step, leaf)
    };
    match rest {
        [] => see(below, leaf.schema.clone()),
        [""] => {
            let items = Some(Box::new(leaf.schema.clone()));
            see(below, Schema { items, ..Schema::of(Kinds::ARRAY) });
        }
        rest => {
            below.kinds.add(Kinds::OBJECT, true);
            add(below, rest, leaf);
        }
    }
}

fn member<'s>(object: &'s mut Schema, name: &str, leaf: &Parameter) -> &'s mut Schema {
    let known = object.properties.iter().position(|property| property.name == name);
    let at = known.unwrap_or_else(|| {
        object.properties.push(Property {
            name: name.to_owned(),
            schema: Schema::default(),
            support: leaf.support,
            ..Property::default()
        });
        object.properties.len() - 1
    });
    let property = &mut object.properties[at];
    property.required |= leaf.required;
    &mut property.schema
}

/// States a value at a place; beside another value only the kinds of both remain.
fn see(place: &mut Schema, value: Schema) {
    if place.kinds == Kinds::default() {
        *place = value;
    } else if *place != value {
        *place = Schema::of(Kinds(place.kinds.0 | value.kinds.0));
    }
}
