//! Sequences of documents: lines of JSON, JSON text sequences (RFC 7464), server-sent events.
//!
//! Owns where an item begins and ends. Refuses to own what is in it. Items share the token limit of a body.

use std::sync::Arc;

use super::builder::{Builder, Context, Workspace};
use super::ids::Ids;
use super::json;
use crate::model::observation::{Body, Framing, Item, Tape};

/// Items that are read of one body.
const ITEMS_MAX: usize = 1_000;

/// Names of events longer than this are cut away.
const EVENT_MAX: usize = 64;

/// The separator of JSON text sequences.
const RECORD: char = '\u{1e}';

pub(super) struct Reader<'a, 'b> {
    pub(super) context: Context<'a>,
    pub(super) work: &'a mut Workspace,
    pub(super) ids: &'a mut Ids<'b>,
    pub(super) framing: Framing,
    pub(super) truncated: bool,
}

/// What has been read so far.
#[derive(Default)]
struct Found {
    items: Vec<Item>,
    texts: u32,
    tokens: usize,
}

impl Reader<'_, '_> {
    pub(super) fn read(mut self, text: &str, media: Arc<str>) -> Body {
        let mut found = Found::default();
        match self.framing {
            Framing::Concatenated | Framing::Sequence => self.documents(text, &mut found),
            Framing::EventStream => self.events(text, &mut found),
        }
        let Found { items, texts, .. } = found;
        Body::Items { media, framing: self.framing, items, texts, truncated: self.truncated }
    }

    fn is_full(&self, found: &Found) -> bool {
        found.items.len() >= ITEMS_MAX || found.tokens >= self.context.lens.body_tokens_max
    }

    /// Documents one after the other; what is none is passed over to the end of its line.
    fn documents(&mut self, text: &str, found: &mut Found) {
        let blank = |character: char| character.is_ascii_whitespace() || character == RECORD;
        let mut rest = text.strip_prefix('\u{feff}').unwrap_or(text).trim_start_matches(blank);
        while !rest.is_empty() && !self.is_full(found) {
            let (tape, length) = self.document(rest, found);
            match tape {
                Some(tape) => found.push("", tape),
                None => found.texts = found.texts.saturating_add(1),
            }
            let end = match length {
                Some(length) => length,
                None => rest.find(['\n', RECORD]).unwrap_or(rest.len()),
            };
            rest = rest.get(end..).unwrap_or_default().trim_start_matches(blank);
        }
    }

    /// The document at the beginning of a text, and its length where it is whole.
    fn document(&mut self, text: &str, found: &Found) -> (Option<Tape>, Option<usize>) {
        let left = self.context.lens.body_tokens_max.saturating_sub(found.tokens);
        let mut builder = Builder::new(self.context, self.work, self.ids, self.truncated);
        builder = builder.limited(left);
        let mut reader = json::Reader::new(text, self.truncated);
        match builder.read_document(&mut reader) {
            Ok(()) if reader.is_complete() => (Some(builder.finish(false)), Some(reader.at())),
            // Only a prefix of the last one is there.
            Ok(()) => (Some(builder.finish(false)), Some(text.len())),
            Err(_) => {
                builder.discard();
                (None, None)
            }
        }
    }

    /// Server-sent events: `data:` lines are joined, a blank line ends the event (HTML, section 9.2).
    fn events(&mut self, text: &str, found: &mut Found) {
        let (mut name, mut data) = (String::new(), String::new());
        for line in text.lines() {
            let (field, value) = line.split_once(':').unwrap_or((line, ""));
            let value = value.strip_prefix(' ').unwrap_or(value);
            match field {
                "event" => {
                    value.get(..value.len().min(EVENT_MAX)).unwrap_or("").clone_into(&mut name);
                }
                "data" => data.extend([value, "\n"]),
                "" if line.is_empty() => {
                    if !data.is_empty() && !self.is_full(found) {
                        self.event(&name, data.trim_end(), found);
                    }
                    name.clear();
                    data.clear();
                }
                _ => {}
            }
        }
    }

    fn event(&mut self, name: &str, data: &str, found: &mut Found) {
        let mut builder = Builder::new(self.context, self.work, self.ids, false);
        builder = builder.limited(self.context.lens.body_tokens_max.saturating_sub(found.tokens));
        if data.starts_with(['{', '[']) && builder.read_json(data).is_ok() {
            let tape = builder.finish(false);
            found.push(name, tape);
        } else {
            builder.discard();
            found.texts = found.texts.saturating_add(1);
        }
    }
}

impl Found {
    fn push(&mut self, event: &str, tape: Tape) {
        self.tokens += tape.tokens.len();
        self.items.push(Item { event: event.into(), tape });
    }
}
