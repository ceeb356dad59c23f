//! Whether one path template names what another one names.

use serde_json::Value;

use super::super::super::specification::{Operation, Place, Side, Specification};

/// Stands for a slot of the old template.
const SLOT: char = '\u{1}';

/// Whether requests to the old operation are requests to the new one, because a slot lists the very word that stood there:
/// `/pulls/{index}.diff` and `/pulls/{index}.{kind}` with `kind` one of `diff`, `patch`.
pub(super) fn serves(specification: &Specification, new: &Operation, old: &Operation) -> bool {
    if new.method != old.method
        || new.template.split('/').count() != old.template.split('/').count()
    {
        return false;
    }
    let old = blanked(&old.template);
    let mut words = 0;
    let fits = old.split('/').zip(new.template.split('/')).all(|(old, new_segment)| {
        is_one_of(old, new_segment, &mut |slot, word| {
            words += 1;
            lists(specification, new, slot, word)
        })
    });
    fits && words > 0
}

/// The template with one character for each slot.
fn blanked(template: &str) -> String {
    let mut pieces = template.split('{');
    let mut text = pieces.next().unwrap_or_default().to_owned();
    for piece in pieces {
        text.push(SLOT);
        text.push_str(piece.split_once('}').map_or("", |(_, behind)| behind));
    }
    text
}

/// Whether a segment fits a template of one; `lists` is asked about each word that a slot takes the place of.
fn is_one_of(text: &str, template: &str, lists: &mut dyn FnMut(&str, &str) -> bool) -> bool {
    let Some((literal, rest)) = template.split_once('{') else { return text == template };
    let (Some(text), Some((slot, rest))) = (text.strip_prefix(literal), rest.split_once('}'))
    else {
        return false;
    };
    if let Some(behind) = text.strip_prefix(SLOT) {
        return is_one_of(behind, rest, lists);
    }
    let end = match rest.split('{').next().unwrap_or_default() {
        "" => Some(text.len()),
        literal => text.find(literal),
    };
    let Some((word, behind)) = end.and_then(|end| text.split_at_checked(end)) else { return false };
    !word.is_empty() && lists(slot, word) && is_one_of(behind, rest, lists)
}

/// Whether a slot of the path may be this word and only listed ones.
fn lists(specification: &Specification, operation: &Operation, slot: &str, word: &str) -> bool {
    let parameter = operation
        .parameters
        .iter()
        .find(|parameter| parameter.place == Place::Path && parameter.name == slot);
    let Some(schema) = parameter.and_then(|parameter| parameter.schema.as_ref()) else {
        return false;
    };
    let schemas = &specification.schemas;
    let lowered = schemas.resolve(Side::Request, schemas.get(Side::Request, schema));
    let listed = lowered.get("enum").and_then(Value::as_array);
    listed.is_some_and(|values| values.iter().any(|value| value == word))
}
