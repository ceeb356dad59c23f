//! Query parameters and message fields that may belong to the contract (`spec/inference.md` 7).
//!
//! Owns what is kept of a value. Refuses to own the ignore lists (`model::noise`) and whether a parameter is stated; that needs
//! counts.

use std::borrow::Cow;
use std::sync::Arc;

use super::builder::{Sight, hash_short, mark};
use super::classes::classify;
use super::form;
use super::names::{self, Names};
use crate::model::brackets;
use crate::model::exchange::{Credential, CredentialPlace, Field};
use crate::model::hash::HashKey;
use crate::model::noise::{
    is_noise_answer_field, is_noise_cookie, is_noise_field, is_noise_parameter,
};
use crate::model::observation::{Classes, List, Parameter, TextSpan};
use crate::model::redaction::Plan;

/// Parameters of one exchange beyond this are not looked at.
const PARAMETERS_MAX: usize = 128;

/// Response fields that are part of what an operation promises.
const STATED_RESPONSE_FIELDS: &[&str] = &[
    "location",
    "link",
    "etag",
    "last-modified",
    "retry-after",
    "deprecation",
    "sunset",
    "www-authenticate",
    "content-range",
    "content-disposition",
];

/// Writes the parameters of one place.
pub(super) struct Collector<'a> {
    pub(super) key: &'a HashKey,
    pub(super) plan: &'a Plan,
    pub(super) credentials: &'a [Credential],
    pub(super) names: &'a mut Names,
    /// What the values kept point into.
    pub(super) texts: &'a mut String,
}

impl Collector<'_> {
    /// The distinct parameters of a query, in order of appearance.
    pub(super) fn query(&mut self, text: &str, found: &mut Vec<Parameter>) {
        for (name, value) in form::pairs(text).take(PARAMETERS_MAX) {
            if self.is_credential(&name, CredentialPlace::Query) || is_noise_parameter(&name) {
                continue;
            }
            let hidden = self.plan.hides_parameter(&name);
            let name = without_data(&name);
            let bare = value.is_none();
            let value = (!hidden).then(|| value.unwrap_or_default());
            self.see(&name, value.as_deref(), bare, found);
        }
    }

    /// Request fields that may be parameters.
    pub(super) fn request_fields(&mut self, fields: &[Field], found: &mut Vec<Parameter>) {
        for field in fields.iter().take(PARAMETERS_MAX) {
            let name = &*field.name;
            let used = self.names.of(self.key, name).field;
            let ignored = match used {
                FieldUse::Ignored => true,
                FieldUse::Stated => is_noise_field(name),
                FieldUse::Own | FieldUse::Other => false,
            };
            if !ignored && !self.is_credential(name, CredentialPlace::Header) {
                self.see(name, field.value.as_str(), false, found);
            }
        }
    }

    /// Cookies that may be parameters; their values never get this far.
    pub(super) fn cookies(&mut self, fields: &[Field], found: &mut Vec<Parameter>) {
        let lines = fields.iter().filter(|field| &*field.name == "cookie");
        let pairs = lines.filter_map(|line| line.value.as_str()).flat_map(|line| line.split(';'));
        for pair in pairs.take(PARAMETERS_MAX) {
            let name = pair.split_once('=').map_or(pair, |(name, _)| name).trim();
            if !is_noise_cookie(name) && !self.is_credential(name, CredentialPlace::Cookie) {
                self.see(name, None, false, found);
            }
        }
    }

    /// Response fields worth stating; with `own`, also those of the API's own that have to be counted first.
    pub(super) fn response_fields(
        &mut self,
        fields: &[Field],
        own: bool,
        found: &mut Vec<Parameter>,
    ) {
        for field in fields.iter().take(PARAMETERS_MAX) {
            let name = &*field.name;
            let used = self.names.of(self.key, name).field;
            if used == FieldUse::Stated || (own && used == FieldUse::Own) {
                self.see(name, field.value.as_str(), false, found);
            }
        }
    }

    fn is_credential(&self, name: &str, place: CredentialPlace) -> bool {
        self.credentials.iter().any(|known| known.place == place && &*known.name == name)
    }

    /// Adds one value; none: withheld.
    fn see(&mut self, name: &str, value: Option<&str>, bare: bool, found: &mut Vec<Parameter>) {
        let facts = self.names.of(self.key, name);
        if facts.data.is_some() {
            return;
        }
        let text = value.unwrap_or_default();
        let classes = value.map_or(Classes::NONE, classify);
        if let Some(known) = found.iter_mut().find(|known| known.hash == facts.hash) {
            // Only what holds for all values of a name remains.
            known.repeats = known.repeats.saturating_add(1);
            known.classes = known.classes.and(classes);
            (known.list, known.kept) = (None, TextSpan::default());
            return;
        }
        let keeps = classes.has(Classes::KEYWORD) && facts.sight == Sight::Open;
        found.push(Parameter {
            name: Arc::clone(&facts.name),
            hash: facts.hash,
            repeats: 1,
            classes,
            mark: value.map_or(0, |text| mark(hash_short(text.as_bytes()))),
            bare,
            list: value.and_then(list),
            kept: if keeps { TextSpan::keep(self.texts, text) } else { TextSpan::default() },
        });
    }
}

/// What a message field is, by its name in lower case.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum FieldUse {
    /// Of the protocol, of clients and of tracing: no part of any contract. Some are stated of responses all the same.
    Ignored,
    /// Part of what a response promises.
    Stated,
    /// Of the API's own: begins with `x-`, and no server sets it for every answer of every API.
    Own,
    Other,
}

impl FieldUse {
    pub(super) fn of(name: &str) -> Self {
        if is_stated(name) {
            Self::Stated
        } else if is_noise_field(name) {
            Self::Ignored
        } else if name.starts_with("x-") && !is_noise_answer_field(name) {
            Self::Own
        } else {
            Self::Other
        }
    }
}

/// Whether a response field is part of what an operation promises.
fn is_stated(name: &str) -> bool {
    STATED_RESPONSE_FIELDS.contains(&name)
        || name.contains("ratelimit")
        || ["x-total", "x-page", "x-next"].iter().any(|prefix| name.starts_with(prefix))
}

/// A name whose steps in brackets are names too: those that are data, as the keys of maps are, give way to their class.
fn without_data(name: &str) -> Cow<'_, str> {
    let Some((base, steps)) = brackets::split(name) else { return Cow::Borrowed(name) };
    if steps.iter().all(|step| names::data_class(step).is_none()) {
        return Cow::Borrowed(name);
    }
    let steps: Vec<Cow<'_, str>> = steps
        .iter()
        .map(|step| match names::data_class(step) {
            Some(class) => Cow::Owned(format!("{}{}", brackets::DATA, class.as_str())),
            None => Cow::Borrowed(*step),
        })
        .collect();
    Cow::Owned(brackets::join(base, steps.iter().map(|step| &**step)))
}

/// The separator that splits a value into at least two items, and what they are.
fn list(text: &str) -> Option<List> {
    let separator = [',', '|', ' '].into_iter().find(|separator| text.contains(*separator))?;
    let items = text.split(separator);
    let count = u32::try_from(items.clone().count()).unwrap_or(u32::MAX);
    let classes = items.map(classify).fold(Classes::ALL, Classes::and);
    Some(List { separator, items: count, classes })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_that_servers_set_on_every_answer_are_no_part_of_one() {
        for name in ["x-content-type-options", "x-frame-options", "x-powered-by", "x-runtime"] {
            assert_eq!(FieldUse::of(name), FieldUse::Other, "{name}");
        }
        for (name, used) in [
            ("x-credits-left", FieldUse::Own),
            ("x-total-count", FieldUse::Stated),
            ("etag", FieldUse::Stated),
            ("x-forwarded-for", FieldUse::Ignored),
            // Asked for by clients it is a parameter.
            ("x-api-version", FieldUse::Other),
        ] {
            assert_eq!(FieldUse::of(name), used, "{name}");
        }
    }
}
