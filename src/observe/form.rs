//! `application/x-www-form-urlencoded` texts: bodies become the tape of an object, queries are cut into pairs.

use std::borrow::Cow;
use std::collections::BTreeMap;

use percent_encoding::percent_decode_str;

use super::builder::Builder;

/// The pairs of a query or form, decoded; the second is none where `=` is absent.
pub(super) fn pairs(text: &str) -> impl Iterator<Item = (Cow<'_, str>, Option<Cow<'_, str>>)> {
    text.split('&').filter(|pair| !pair.is_empty()).map(|pair| match pair.split_once('=') {
        Some((name, value)) => (decode(name), Some(decode(value))),
        None => (decode(pair), None),
    })
}

fn decode(text: &str) -> Cow<'_, str> {
    if !text.contains(['%', '+']) {
        return Cow::Borrowed(text);
    }
    let spaced = text.replace('+', " ");
    Cow::Owned(percent_decode_str(&spaced).decode_utf8_lossy().into_owned())
}

/// Writes a form as an object whose repeated fields are arrays. The last field of a prefix is left out.
pub(super) fn read(text: &str, truncated: bool, builder: &mut Builder<'_, '_>) {
    let cut = text.rsplit_once('&').map_or("", |(whole, _)| whole);
    let text = if truncated { cut } else { text };
    let mut fields: Vec<(Cow<'_, str>, Vec<Cow<'_, str>>)> = Vec::new();
    let mut places: BTreeMap<Cow<'_, str>, usize> = BTreeMap::new();
    for (name, value) in pairs(text) {
        let value = value.unwrap_or_default();
        let place = *places.entry(name.clone()).or_insert(fields.len());
        match fields.get_mut(place) {
            Some((_, values)) => values.push(value),
            None => fields.push((name, vec![value])),
        }
    }
    builder.open(true);
    for (name, values) in &fields {
        builder.key(name);
        match values.as_slice() {
            [value] => builder.text(value),
            values => {
                builder.open(false);
                for value in values {
                    builder.text(value);
                }
                builder.close();
            }
        }
    }
    builder.end(!truncated);
}
