//! Request bodies and their media types; the media types of responses follow the same matching.

use super::super::super::specification::{Content, RequestBody};
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
                .text(format!("a {needed} request body is new"))
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
        }
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
                "{} has {} a schema",
                old.media.text,
                if step == "added" { "got" } else { "lost" }
            ))
            .status(status)
            .media(&old.media.text)
            .between(at(&old.pointer, ""), at(&new.pointer, ""));
        self.put(pair.new, draft);
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
        let harmful = status.is_empty() == (step == "specialized");
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
