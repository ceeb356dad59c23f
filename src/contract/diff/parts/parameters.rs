//! Parameters: which came, went, moved, or are written differently.

use super::super::super::specification::{Operation, Parameter, Place, Side, Specification};
use super::super::naming;
use super::draft::Draft;
use super::lifecycle::Ending;
use super::{Pair, Spot, Table, at, hurts, templates};
use crate::model::finding::{Direction, Verdict};

impl<'d> Table<'d> {
    pub(super) fn parameters(&self, pair: Pair<'d>) {
        let mut new: Vec<&Parameter> = pair.new.parameters.iter().collect();
        let mut lost = Vec::new();
        for parameter in &pair.old.parameters {
            let same = |other: &&&Parameter| is_same(pair, parameter, other);
            match new.iter().position(|other| same(&other)) {
                Some(index) => self.parameter(pair, parameter, new.remove(index)),
                None => lost.push(parameter),
            }
        }
        for parameter in lost {
            let moved = new.iter().position(|other| {
                other.place != parameter.place && other.name.eq_ignore_ascii_case(&parameter.name)
            });
            match moved {
                Some(index) => self.relocated(pair, parameter, new.remove(index)),
                None => self.lost(pair, parameter),
            }
        }
        for parameter in new {
            self.gained(pair, parameter);
        }
    }

    fn lost(&self, pair: Pair<'d>, parameter: &Parameter) {
        // A slot of the path cannot be left out: the path itself tells.
        if parameter.place == Place::Path {
            return;
        }
        let (label, verdict) = match self.ending(&parameter.pointer, parameter.deprecated) {
            Ending::Sudden => ("request-parameter-removed", Verdict::PotentiallyBreaking),
            Ending::Unreadable => ("request-parameter-sunset-parse", Verdict::PotentiallyBreaking),
            Ending::Early => {
                ("request-parameter-removed-before-sunset", Verdict::PotentiallyBreaking)
            }
            Ending::Announced | Ending::Over => {
                ("request-parameter-removed-with-deprecation", Verdict::Compatible)
            }
        };
        let draft = Draft::new(label, Direction::Request, verdict)
            .forward(hurts(parameter.required))
            .text(format!("{} parameter `{}` is gone", parameter.place.as_str(), parameter.name))
            .pointing(name(parameter))
            .between(at(&parameter.pointer, &*parameter.name), None);
        self.put(pair.new, draft);
    }

    fn gained(&self, pair: Pair<'d>, parameter: &Parameter) {
        // What stood there as a word is now a slot that lists this word.
        if parameter.place == Place::Path && templates::serves(self.new, pair.new, pair.old) {
            return;
        }
        let (label, verdict) = match (parameter.place, parameter.required) {
            (Place::Path, _) if pair.new.template == pair.old.template => {
                ("new-request-path-parameter", Verdict::Compatible)
            }
            (Place::Path, _) => ("new-request-path-parameter", Verdict::Breaking),
            (_, true) => ("new-required-request-parameter", Verdict::Breaking),
            (_, false) => ("new-optional-request-parameter", Verdict::Compatible),
        };
        let needed = if parameter.required { "required" } else { "optional" };
        let place = parameter.place.as_str();
        let draft = Draft::new(label, Direction::Request, verdict)
            .forward(Verdict::PotentiallyBreaking)
            .text(format!("new {needed} {place} parameter `{}`", parameter.name))
            .pointing(name(parameter))
            .keyword("required")
            .between(None, at(&parameter.pointer, &*parameter.name));
        self.put(pair.new, draft);
    }

    fn relocated(&self, pair: Pair<'d>, old: &Parameter, new: &Parameter) {
        let (from, to) = (old.place.as_str(), new.place.as_str());
        let verdict = if old.required || new.required {
            Verdict::Breaking
        } else {
            Verdict::PotentiallyBreaking
        };
        let draft = Draft::new("request-parameter-location-changed", Direction::Request, verdict)
            .forward(verdict)
            .text(format!("parameter `{}` moved: {from} → {to}", old.name))
            .pointing(name(old))
            .between(at(&old.pointer, from), at(&new.pointer, to));
        self.put(pair.new, draft);
    }

    fn parameter(&self, pair: Pair<'d>, old: &'d Parameter, new: &'d Parameter) {
        let place = name(old);
        let draft = |label: &str, verdict: Verdict, text: String| {
            Draft::new(label, Direction::Request, verdict)
                .text(text)
                .pointing(place.clone())
                .between(at(&old.pointer, &*old.name), at(&new.pointer, &*new.name))
        };
        if old.required != new.required {
            let became = if new.required { "required" } else { "optional" };
            let label = format!("request-parameter-became-{became}");
            let text = format!("{} parameter `{}` became {became}", old.place.as_str(), old.name);
            let change = draft(&label, hurts(new.required), text)
                .forward(hurts(old.required))
                .keyword("required");
            self.put(pair.new, change);
        }
        self.parameter_lifecycle(pair, old, new);
        for (label, (verdict, forward), text) in self.spelling(old, new) {
            self.put(pair.new, draft(label, verdict, text).forward(forward));
        }
        let media = old.media.as_ref().map_or("", |media| &media.text);
        let spot = Spot { name: &place, media, ..Spot::HERE };
        self.message(pair, spot, naming::Subject::Parameter, (&old.schema, &new.schema));
    }

    /// Differences in how a value is written, with the verdict on old clients and that on new ones.
    fn spelling(&self, old: &Parameter, new: &Parameter) -> Vec<Spelled> {
        use Verdict::{Breaking, Compatible, Cosmetic, PotentiallyBreaking};
        let mut found = Vec::new();
        let (was_plain, is_plain) = (is_scalar(self.old, old), is_scalar(self.new, new));
        let name = &old.name;
        let media = |parameter: &Parameter| {
            parameter.media.as_ref().map(|range| range.media.essence().to_owned())
        };
        if media(old) != media(new) {
            let text = format!("media type of parameter `{name}` changed");
            let both = (Breaking, Breaking);
            found.push(("request-parameter-content-media-type-changed", both, text));
        }
        // A scalar is written alike, exploded or not; in a query in every style.
        let hurt = |sender_is_plain: bool| if sender_is_plain { Compatible } else { Breaking };
        let sides = if was_plain && is_plain {
            (Cosmetic, Cosmetic)
        } else {
            (hurt(was_plain), hurt(is_plain))
        };
        if old.style != new.style {
            let sides = match old.place {
                Place::Query | Place::Cookie => sides,
                _ => (Breaking, Breaking),
            };
            let styles = (old.style.as_str(), new.style.as_str());
            let text = format!("parameter `{name}`: style {} → {}", styles.0, styles.1);
            found.push(("request-parameter-style-changed", sides, text));
        }
        if old.explode != new.explode && !(was_plain && is_plain) {
            let text = format!("parameter `{name}`: explode {} → {}", old.explode, new.explode);
            found.push(("request-parameter-explode-changed", sides, text));
        }
        let mut flag = |label: &'static str, word: &str, (was, is): (bool, bool)| {
            if was != is {
                let verdict = |given: bool| if given { Compatible } else { PotentiallyBreaking };
                let text = format!("parameter `{name}`: {word} is now {is}");
                found.push((label, (verdict(is), verdict(was)), text));
            }
        };
        let reserved = (old.allow_reserved, new.allow_reserved);
        flag("request-parameter-allow-reserved-changed", "allowReserved", reserved);
        let empty = (old.allow_empty_value, new.allow_empty_value);
        flag("request-parameter-allow-empty-value-changed", "allowEmptyValue", empty);
        found
    }
}

/// Label, verdicts on old and on new clients, text.
type Spelled = (&'static str, (Verdict, Verdict), String);

/// Path parameters by position, header names without case, others by name.
fn is_same(pair: Pair<'_>, old: &Parameter, new: &Parameter) -> bool {
    old.place == new.place
        && match old.place {
            Place::Path => {
                let position = |operation: &Operation, name: &str| {
                    let slots = operation.template.split('{').skip(1);
                    slots.map(|slot| slot.split('}').next()).position(|slot| slot == Some(name))
                };
                let (left, right) = (position(pair.old, &old.name), position(pair.new, &new.name));
                left.is_some() && left == right || left.is_none() && old.name == new.name
            }
            Place::Header => old.name.eq_ignore_ascii_case(&new.name),
            _ => old.name == new.name,
        }
}

/// Whether no array or object can be sent.
fn is_scalar(specification: &Specification, parameter: &Parameter) -> bool {
    let Some(schema) = &parameter.schema else { return false };
    let lowered = specification.schemas.get(Side::Request, schema);
    let lowered = specification.schemas.resolve(Side::Request, lowered);
    match lowered.get("type") {
        Some(serde_json::Value::String(kind)) => kind != "array" && kind != "object",
        Some(serde_json::Value::Array(kinds)) => {
            !kinds.iter().any(|kind| matches!(kind.as_str(), Some("array" | "object")))
        }
        _ => lowered.get("enum").is_some(),
    }
}

/// `in/name`, as findings write it.
fn name(parameter: &Parameter) -> String {
    format!("{}/{}", parameter.place.as_str(), parameter.name)
}
