//! Deprecation, sunset and stability of operations and parameters.
//!
//! Owns how long before its end a thing must be announced (`Grace`). A promise that is taken back or comes too late breaks;
//! an announcement that cannot be read is told and decides nothing.

use serde_json::Value;

use super::super::super::specification::{Parameter, Specification};
use super::super::super::time::read_date;
use super::draft::Draft;
use super::{Pair, Table, at};
use crate::model::finding::{Direction, Verdict};

/// Levels from the least to the most settled.
const LEVELS: &[&str] = &["draft", "alpha", "beta", "stable"];

const DAY_MS: i64 = 24 * 60 * 60 * 1000;

/// Days from an announcement to the end, by stability. None is asked for by default.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Grace {
    /// Of what is stable or says nothing.
    pub stable: u32,
    pub beta: u32,
}

impl Grace {
    /// Days that something of a level must stay; drafts may go at any time.
    fn of(self, level: Option<&str>) -> u32 {
        match level {
            None | Some("stable") => self.stable,
            Some("beta") => self.beta,
            Some(_) => 0,
        }
    }
}

/// What is announced of one thing in one document.
struct Notice<'d> {
    deprecated: bool,
    /// As written.
    sunset: Option<&'d str>,
    level: Option<&'d str>,
}

impl<'d> Notice<'d> {
    fn of(raw: Option<&'d Value>, deprecated: bool) -> Self {
        let text = |name: &str| raw.and_then(|raw| raw.get(name)?.as_str());
        Self { deprecated, sunset: text("x-sunset"), level: text("x-stability-level") }
    }
}

/// What changed in the announcements of one thing: end of the label, verdict, text.
type Told = (&'static str, Verdict, String);

impl<'d> Table<'d> {
    pub(super) fn lifecycle(&self, pair: Pair<'d>) {
        let Pair { old, new } = pair;
        let was = Notice::of(raw(self.old, &old.pointer), old.deprecated);
        let is = Notice::of(raw(self.new, &new.pointer), new.deprecated);
        for (stem, verdict, text) in self.announced(&was, &is) {
            let label = match stem {
                "deprecated" if is.sunset.is_some() => "endpoint-deprecated-with-sunset".to_owned(),
                "deprecated" | "reactivated" => format!("endpoint-{stem}"),
                "sunset-deleted" => stem.to_owned(),
                "sunset-missing" | "sunset-parse" => format!("api-deprecated-{stem}"),
                stem => format!("api-{stem}"),
            };
            let shown = |notice: &Notice<'_>| notice.sunset.map(str::to_owned);
            let draft = Draft::structure(label, verdict)
                .text(text)
                .between(at(&old.pointer, shown(&was)), at(&new.pointer, shown(&is)));
            self.put(new, draft);
        }
        self.stability(pair, (&was, &is));
    }

    pub(super) fn parameter_lifecycle(&self, pair: Pair<'d>, old: &Parameter, new: &Parameter) {
        let was = Notice::of(raw(self.old, &old.pointer), old.deprecated);
        let is = Notice::of(raw(self.new, &new.pointer), new.deprecated);
        for (stem, verdict, text) in self.announced(&was, &is) {
            let label = match stem {
                "sunset-missing" => "request-parameter-deprecated-sunset-missing".to_owned(),
                stem => format!("request-parameter-{stem}"),
            };
            let draft = Draft::new(label, Direction::Request, verdict)
                .text(format!("parameter `{}`: {text}", old.name))
                .pointing(format!("{}/{}", old.place.as_str(), old.name))
                .between(at(&old.pointer, &*old.name), at(&new.pointer, &*new.name));
            self.put(pair.new, draft);
        }
    }

    fn announced(&self, was: &Notice<'_>, is: &Notice<'_>) -> Vec<Told> {
        let mut found = Vec::new();
        match (was.deprecated, is.deprecated) {
            (false, true) => {
                let text = match is.sunset {
                    Some(date) => format!("deprecated, to be removed on {date}"),
                    None => "deprecated".to_owned(),
                };
                found.push(("deprecated", Verdict::Compatible, text));
                found.extend(self.too_soon(is, "sunset-date-too-small"));
            }
            (true, false) => {
                found.push(("reactivated", Verdict::Compatible, "no longer deprecated".to_owned()));
            }
            (true, true) if was.sunset != is.sunset => match (was.sunset, is.sunset) {
                (Some(date), None) => {
                    let text = format!("the sunset date {date} is gone");
                    found.push(("sunset-deleted", Verdict::Breaking, text));
                }
                (Some(before), Some(after)) if is_earlier(after, before) => {
                    let text = format!("the sunset moved forward: {before} → {after}");
                    found.push(("sunset-date-changed-too-small", Verdict::Breaking, text));
                }
                _ => found.extend(self.too_soon(is, "sunset-date-changed-too-small")),
            },
            _ => {}
        }
        found
    }

    /// Whether the end comes before its time, or nobody can say when it comes.
    fn too_soon(&self, is: &Notice<'_>, stem: &'static str) -> Option<Told> {
        let days = self.options.grace.of(is.level);
        let Some(sunset) = is.sunset else {
            let text = format!("deprecated without a sunset date, {days} days ahead at least");
            return (days > 0).then_some(("sunset-missing", Verdict::PotentiallyBreaking, text));
        };
        let Some(end) = read_date(sunset) else {
            let text = format!("`{sunset}` is no date that a sunset can have");
            return Some(("sunset-parse", Verdict::PotentiallyBreaking, text));
        };
        let left = (end - read_date(&self.options.today)?).div_euclid(DAY_MS);
        let text = format!("the sunset {sunset} is {left} days away, {days} are promised");
        (left < i64::from(days)).then_some((stem, Verdict::Breaking, text))
    }

    fn stability(&self, pair: Pair<'d>, (was, is): (&Notice<'_>, &Notice<'_>)) {
        let rank = |level: Option<&str>| LEVELS.iter().position(|known| Some(*known) == level);
        if let Some(level) =
            is.level.filter(|level| rank(Some(*level)).is_none() && was.level != is.level)
        {
            let text = format!("`{level}` is no stability level; use {}", LEVELS.join(", "));
            let draft = Draft::structure("api-invalid-stability-level", Verdict::Cosmetic)
                .forward(Verdict::Cosmetic)
                .text(text)
                .between(at(&pair.old.pointer, was.level), at(&pair.new.pointer, level));
            self.put(pair.new, draft);
        }
        let (Some(before), Some(after)) = (rank(was.level), rank(is.level)) else { return };
        if before == after {
            return;
        }
        let (step, verdict) = if after < before {
            ("decreased", Verdict::Breaking)
        } else {
            ("increased", Verdict::Compatible)
        };
        let draft = Draft::structure(format!("api-stability-{step}"), verdict)
            .text(format!("stability: {} → {}", LEVELS[before], LEVELS[after]))
            .between(at(&pair.old.pointer, LEVELS[before]), at(&pair.new.pointer, LEVELS[after]));
        self.put(pair.new, draft);
    }

    /// How the end of what is gone was announced.
    pub(super) fn ending(&self, pointer: &str, deprecated: bool) -> Ending {
        let Some(sunset) = Notice::of(raw(self.old, pointer), deprecated).sunset else {
            return if deprecated { Ending::Announced } else { Ending::Sudden };
        };
        match (deprecated, read_date(sunset), read_date(&self.options.today)) {
            (false, ..) => Ending::Sudden,
            (true, None, _) => Ending::Unreadable,
            (true, Some(end), Some(today)) if end < today => Ending::Over,
            (true, Some(_), _) => Ending::Early,
        }
    }
}

/// How something ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Ending {
    /// Nobody was told.
    Sudden,
    /// Deprecated, without a date.
    Announced,
    /// Deprecated, with something that is no date.
    Unreadable,
    /// Before the date.
    Early,
    /// On time.
    Over,
}

fn is_earlier(date: &str, than: &str) -> bool {
    read_date(date).zip(read_date(than)).is_some_and(|(date, than)| date < than)
}

/// What stands at a pointer of the main document.
fn raw<'s>(specification: &'s Specification, pointer: &str) -> Option<&'s Value> {
    specification.document.pointer(pointer)
}
