//! `application/x-www-form-urlencoded` texts: bodies become the tape of an object, queries are cut into pairs.

use std::borrow::Cow;
use std::collections::BTreeMap;

use percent_encoding::percent_decode_str;

use super::builder::Builder;
use crate::model::brackets;

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

/// A field, or what several fields with brackets in their names have in common.
enum Field<'t> {
    /// `listed`: an array even where it is given once.
    Values {
        values: Vec<Cow<'t, str>>,
        listed: bool,
    },
    Members(Members<'t>),
}

/// Named fields in order of appearance.
#[derive(Default)]
struct Members<'t> {
    fields: Vec<(Cow<'t, str>, Field<'t>)>,
    places: BTreeMap<Cow<'t, str>, usize>,
}

/// Writes a form as an object: repeated fields are arrays, and `card[number]` is a member of `card`. The last field of a
/// prefix is left out.
pub(super) fn read(text: &str, truncated: bool, builder: &mut Builder<'_, '_>) {
    let cut = text.rsplit_once('&').map_or("", |(whole, _)| whole);
    let text = if truncated { cut } else { text };
    let mut form = Members::default();
    for (name, value) in pairs(text) {
        form.add(name, value.unwrap_or_default());
    }
    builder.open(true);
    form.write(builder);
    builder.end(!truncated);
}

impl<'t> Members<'t> {
    fn add(&mut self, name: Cow<'t, str>, value: Cow<'t, str>) {
        let Some((base, steps)) = brackets::split(&name).filter(|_| !brackets::is_list(&name))
        else {
            let listed = brackets::is_list(&name);
            self.value(name, value, listed);
            return;
        };
        let (listed, steps) = match steps.as_slice() {
            [steps @ .., ""] => (true, steps),
            steps => (false, steps),
        };
        let path = std::iter::once(base).chain(steps.iter().copied());
        let mut path: Vec<String> = path.map(str::to_owned).collect();
        let last = path.pop().unwrap_or_default();
        let mut members = self;
        for step in path {
            match members.members(step) {
                Some(below) => members = below,
                // A value stands where this one has members: the form says two things, and this one is left out.
                None => return,
            }
        }
        members.value(Cow::Owned(last), value, listed);
    }

    /// The members below a name; none where that is a value.
    fn members(&mut self, name: String) -> Option<&mut Self> {
        let place = self.place(Cow::Owned(name), || Field::Members(Self::default()));
        match self.fields.get_mut(place) {
            Some((_, Field::Members(members))) => Some(members),
            _ => None,
        }
    }

    fn value(&mut self, name: Cow<'t, str>, value: Cow<'t, str>, listed: bool) {
        let place = self.place(name, || Field::Values { values: Vec::new(), listed });
        if let Some((_, Field::Values { values, .. })) = self.fields.get_mut(place) {
            values.push(value);
        }
    }

    fn place(&mut self, name: Cow<'t, str>, field: impl FnOnce() -> Field<'t>) -> usize {
        if let Some(place) = self.places.get(&name) {
            return *place;
        }
        let place = self.fields.len();
        self.places.insert(name.clone(), place);
        self.fields.push((name, field()));
        place
    }

    fn write(&self, builder: &mut Builder<'_, '_>) {
        for (name, field) in &self.fields {
            builder.key(name);
            field.write(builder);
        }
    }
}

impl Field<'_> {
    fn write(&self, builder: &mut Builder<'_, '_>) {
        match self {
            Self::Members(members) => {
                if builder.enter(true) {
                    members.write(builder);
                    builder.close();
                }
            }
            Self::Values { values, listed } => match values.as_slice() {
                [value] if !listed => builder.text(value),
                values => {
                    if builder.enter(false) {
                        for value in values {
                            builder.text(value);
                        }
                        builder.close();
                    }
                }
            },
        }
    }
}
