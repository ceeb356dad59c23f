//! Responses by effective entry, and their headers.

use super::super::super::specification::{Header, Operation, Response, ResponseKey};
use super::super::naming;
use super::draft::Draft;
use super::{Pair, Spot, Table, at, hurts};
use crate::model::finding::{Direction, Verdict};

impl<'d> Table<'d> {
    pub(super) fn responses(&self, pair: Pair<'d>) {
        for response in &pair.old.responses {
            match effective(pair.new, response.key) {
                Some(other) => {
                    if other.key != response.key {
                        self.status_moved(pair, response, other, "generalized");
                    }
                    self.response(pair, response, other);
                }
                None => self.status(pair, response, "removed"),
            }
        }
        for response in &pair.new.responses {
            let known = effective(pair.old, response.key);
            match known {
                Some(other) if other.key == response.key => {}
                Some(other) => {
                    self.status_moved(pair, other, response, "specialized");
                    self.response(pair, other, response);
                }
                // It took the place of something more exact.
                None if pair.old.responses.iter().any(|old| covers(response.key, old.key)) => {}
                None => self.status(pair, response, "added"),
            }
        }
    }

    fn status(&self, pair: Pair<'d>, response: &Response, step: &str) {
        let key = response.key.to_string();
        let success = is_success(response.key);
        let gone = step == "removed";
        let label = match response.key {
            ResponseKey::Default => format!("response-default-{step}"),
            _ if success => format!("response-success-status-{step}"),
            _ => format!("response-non-success-status-{step}"),
        };
        let (verdict, forward) = match (success, gone) {
            (true, true) => (Verdict::Breaking, Verdict::PotentiallyBreaking),
            (true, false) => (Verdict::PotentiallyBreaking, Verdict::Breaking),
            (false, _) => (Verdict::Compatible, Verdict::Compatible),
        };
        let place = at(&response.pointer, &*response.description);
        let (old, new) = if gone { (place, None) } else { (None, place) };
        let what = if gone { "is gone" } else { "is new" };
        let draft = Draft::new(label, Direction::Response, verdict)
            .forward(forward)
            .text(format!("response {key} {what}"))
            .status(&key)
            .between(old, new);
        self.put(pair.new, draft);
    }

    fn status_moved(&self, pair: Pair<'d>, old: &Response, new: &Response, step: &str) {
        let draft =
            Draft::new(format!("response-status-{step}"), Direction::Response, Verdict::Compatible)
                .text(format!("response {} is now under {}", old.key, new.key))
                .status(&if step == "generalized" { old.key } else { new.key }.to_string())
                .between(
                    at(&old.pointer, old.key.to_string()),
                    at(&new.pointer, new.key.to_string()),
                );
        self.put(pair.new, draft);
    }

    fn response(&self, pair: Pair<'d>, old: &'d Response, new: &'d Response) {
        let key = old.key.to_string();
        self.contents(pair, &key, (&old.content, &new.content));
        for header in &old.headers {
            match new.headers.iter().find(|other| other.name == header.name) {
                Some(other) => self.header(pair, &key, header, other),
                None => self.header_lost(pair, &key, header, new),
            }
        }
        for header in &new.headers {
            if !old.headers.iter().any(|other| other.name == header.name) {
                let draft =
                    Draft::new("response-header-added", Direction::Response, Verdict::Compatible)
                        .forward(Verdict::PotentiallyBreaking)
                        .text(format!("response header `{}` is new", header.name))
                        .status(&key)
                        .pointing(format!("header/{}", header.name))
                        .between(None, at(&header.pointer, &*header.name));
                self.put(pair.new, draft);
            }
        }
    }

    fn header_lost(&self, pair: Pair<'d>, key: &str, header: &Header, new: &Response) {
        let (word, verdict) = if header.required {
            ("required", Verdict::Breaking)
        } else {
            ("optional", Verdict::PotentiallyBreaking)
        };
        let label = format!("{word}-response-header-removed");
        let draft = Draft::new(label, Direction::Response, verdict)
            .text(format!("response header `{}` is gone", header.name))
            .status(key)
            .pointing(format!("header/{}", header.name))
            .between(at(&header.pointer, &*header.name), at(&new.pointer, ""));
        self.put(pair.new, draft);
    }

    fn header(&self, pair: Pair<'d>, key: &str, old: &'d Header, new: &'d Header) {
        let name = format!("header/{}", old.name);
        if old.required != new.required {
            let became = if new.required { "required" } else { "optional" };
            let draft = Draft::new(
                format!("response-header-became-{became}"),
                Direction::Response,
                hurts(old.required),
            )
            .forward(hurts(new.required))
            .text(format!("response header `{}` became {became}", old.name))
            .status(key)
            .pointing(name.clone())
            .keyword("required")
            .between(at(&old.pointer, old.required), at(&new.pointer, new.required));
            self.put(pair.new, draft);
        }
        if old.explode != new.explode {
            let verdict = Verdict::PotentiallyBreaking;
            let draft = Draft::new("response-header-explode-changed", Direction::Response, verdict)
                .forward(verdict)
                .text(format!(
                    "response header `{}`: explode {} → {}",
                    old.name, old.explode, new.explode
                ))
                .status(key)
                .pointing(name.clone())
                .between(at(&old.pointer, old.explode), at(&new.pointer, new.explode));
            self.put(pair.new, draft);
        }
        let spot = Spot { status: key, media: "", name: &name };
        self.message(pair, spot, naming::Subject::Header, (&old.schema, &new.schema));
    }
}

/// The entry that speaks for a key: itself, the range it falls in, `default`.
fn effective(operation: &Operation, key: ResponseKey) -> Option<&Response> {
    let find = |key: ResponseKey| operation.responses.iter().find(|response| response.key == key);
    let range = match key {
        ResponseKey::Exact(status) => {
            u8::try_from(status / 100).ok().and_then(|digit| find(ResponseKey::Range(digit)))
        }
        _ => None,
    };
    // Beside other responses `default` stands for errors; alone it stands for everything.
    let all = operation.responses.len() == 1 || !is_success(key);
    find(key).or(range).or_else(|| find(ResponseKey::Default).filter(|_| all))
}

/// Whether one key also speaks for another.
fn covers(wide: ResponseKey, narrow: ResponseKey) -> bool {
    match (wide, narrow) {
        (ResponseKey::Range(digit), ResponseKey::Exact(status)) => status / 100 == u16::from(digit),
        _ => false,
    }
}

fn is_success(key: ResponseKey) -> bool {
    match key {
        ResponseKey::Exact(status) => (200..300).contains(&status),
        ResponseKey::Range(digit) => digit == 2,
        ResponseKey::Default => false,
    }
}
