//! Request bodies and their media types; the media types of responses follow the same matching.

use super::super::super::specification::{Content, Encoding, RequestBody};
use super::super::naming;
use super::draft::Draft;
use super::media::{effective, is_range};
use super::{Pair, Spot, Table, at, hurts};
use crate::model::finding::{Direction, Verdict};

impl<'d> Table<'d> {
    pub(super) fn request_bodies(&self, pair: Pair<'d>) {
        match (&pair.old.body, &pair.new.body) {
            (Some(old), Some(new)) => self.request_body(pair, old, new),
            (None, Some(new)) => {
                let needed = if new.required { "required" } else { "optional" };
                let draft = Draft::new(
                    format!("request-body-added-{needed}"),
                    Direction::Request,
                    hurts(new.required),
                )
                .forward(Verdict::PotentiallyBreaking)
                .text(format!("a request body is new, and {needed}"))
                .between(None, at(&pair.new.pointer, "requestBody"));
                self.put(pair.new, draft);
            }
            (Some(old), None) => {
                let draft =
                    Draft::new("request-body-removed", Direction::Request, Verdict::Breaking)
                        .forward(hurts(old.required))
                        .text("the request body is gone")
                        .between(at(&pair.old.pointer, "requestBody"), at(&pair.new.pointer, ""));
                self.put(pair.new, draft);
            }
            (None, None) => {}
        }
    }

    fn request_body(&self, pair: Pair<'d>, old: &'d RequestBody, new: &'d RequestBody) {
        if old.required != new.required {
            let became = if new.required { "required" } else { "optional" };
            let draft = Draft::new(
                format!("request-body-became-{became}"),
                Direction::Request,
                hurts(new.required),
            )
            .forward(hurts(old.required))
            .text(format!("the request body became {became}"))
            .keyword("required")
            .between(at(&pair.old.pointer, old.required), at(&pair.new.pointer, new.required));
            self.put(pair.new, draft);
        }
        self.contents(pair, "", (&old.content, &new.content));
    }

    /// The media types of one message; `status` is empty for requests.
    pub(super) fn contents(
        &self,
        pair: Pair<'d>,
        status: &str,
        (old, new): (&'d [Content], &'d [Content]),
    ) {
        for entry in old {
            match effective(new, entry) {
                Some((other, exact)) => self.content(pair, status, (entry, other), exact),
                None if is_range(entry) && !new.is_empty() => {
                    self.narrowed_range(pair, status, entry, new);
                }
                None => self.media_change(pair, status, entry, "removed"),
            }
        }
        for entry in new {
            let known = effective(old, entry);
            let widens = is_range(entry) && !old.is_empty();
            if known.is_none() && !widens {
                self.media_change(pair, status, entry, "added");
            }
        }
    }

    fn content(
        &self,
        pair: Pair<'d>,
        status: &str,
        (old, new): (&'d Content, &'d Content),
        exact: bool,
    ) {
        if !exact {
            self.renamed(pair, status, (old, new), "generalized");
        } else if old.media.media != new.media.media {
            self.renamed(pair, status, (old, new), "changed");
        }
        self.encodings(pair, status, (old, new));
        let subject = subject(status);
        let spot = Spot { status, media: &old.media.text, name: "" };
        self.message(pair, spot, subject, (&old.schema, &new.schema));
        let way =
            if status.is_empty() { "request-body-media-type" } else { "response-body-media-type" };
        let step = match (&old.schema, &new.schema) {
            (None, Some(_)) => "added",
            (Some(_), None) => "removed",
            _ => return,
        };
        // Without a schema everything is allowed.
        let harmful = status.is_empty() == (step == "added");
        let direction = subject_direction(status);
        let verdict = if harmful { Verdict::PotentiallyBreaking } else { Verdict::Compatible };
        let draft = Draft::new(format!("{way}-schema-{step}"), direction, verdict)
            .text(format!(
                "{} {}",
                old.media.text,
                if step == "added" { "has got a schema" } else { "has lost its schema" }
            ))
            .status(status)
            .media(&old.media.text)
            .between(at(&old.pointer, ""), at(&new.pointer, ""));
        self.put(pair.new, draft);
    }

    /// How the fields of a form are written, where both documents have the field.
    fn encodings(&self, pair: Pair<'d>, status: &str, (old, new): (&Content, &Content)) {
        let way = if status.is_empty() { "request" } else { "response" };
        for (name, before) in &old.encoding {
            let Some(after) = new.encoding.get(name) else { continue };
            let media = |encoding: &Encoding| {
                encoding.content_type.clone().unwrap_or_else(|| "none".to_owned())
            };
            let style = |encoding: &Encoding| encoding.style.as_str().to_owned();
            let explode = |encoding: &Encoding| encoding.explode.to_string();
            for (word, was, is) in [
                ("content-type", media(before), media(after)),
                ("style", style(before), style(after)),
                ("explode", explode(before), explode(after)),
            ] {
                if was == is {
                    continue;
                }
                let label = format!("{way}-encoding-{word}-changed");
                let draft =
                    Draft::new(label, subject_direction(status), Verdict::PotentiallyBreaking)
                        .forward(Verdict::PotentiallyBreaking)
                        .text(format!("form field `{name}`: {word} {was} → {is}"))
                        .status(status)
                        .media(&old.media.text)
                        .pointing(format!("encoding/{name}"))
                        .between(at(&old.pointer, was), at(&new.pointer, is));
                self.put(pair.new, draft);
            }
        }
    }

    /// A range became some of what it names: documents that say `*/*` often mean one of them.
    fn narrowed_range(&self, pair: Pair<'d>, status: &str, old: &'d Content, new: &'d [Content]) {
        for other in new {
            self.renamed(pair, status, (old, other), "specialized");
            let spot = Spot { status, media: &other.media.text, name: "" };
            self.message(pair, spot, subject(status), (&old.schema, &other.schema));
        }
    }

    fn renamed(&self, pair: Pair<'d>, status: &str, (old, new): (&Content, &Content), step: &str) {
        let way = if status.is_empty() { "request" } else { "response" };
        let harmful = status.is_empty() == (step == "specialized") && step != "changed";
        let verdict = if harmful { Verdict::PotentiallyBreaking } else { Verdict::Compatible };
        let label = format!("{way}-media-type-name-{step}");
        let draft = Draft::new(label, subject_direction(status), verdict)
            .text(format!("media type {} → {}", old.media.text, new.media.text))
            .status(status)
            .media(&old.media.text)
            .between(at(&old.pointer, &*old.media.text), at(&new.pointer, &*new.media.text));
        self.put(pair.new, draft);
    }

    fn media_change(&self, pair: Pair<'d>, status: &str, entry: &Content, step: &str) {
        let is_request = status.is_empty();
        let gone = step == "removed";
        let label = if is_request {
            format!("request-body-media-type-{step}")
        } else {
            format!("response-media-type-{step}")
        };
        let place = at(&entry.pointer, &*entry.media.text);
        let (old, new) = if gone { (place, None) } else { (None, place) };
        let message = if is_request { "request" } else { "response" };
        let what = if gone { "is gone" } else { "is new" };
        let draft = Draft::new(label, subject_direction(status), hurts(gone))
            .forward(hurts(!gone))
            .text(format!("{message} media type {} {what}", entry.media.text))
            .status(status)
            .media(&entry.media.text)
            .between(old, new);
        self.put(pair.new, draft);
    }
}

fn subject(status: &str) -> naming::Subject {
    if status.is_empty() { naming::Subject::RequestBody } else { naming::Subject::ResponseBody }
}

fn subject_direction(status: &str) -> Direction {
    if status.is_empty() { Direction::Request } else { Direction::Response }
}
