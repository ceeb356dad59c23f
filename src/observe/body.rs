//! Bodies: by their media type they become tapes, sequences of tapes, or nothing but a type.
//!
//! Owns the choice of reader, and what a body is that does not read as it says. Refuses to own syntaxes and counting.

use std::sync::Arc;

use super::builder::{Builder, Context, Workspace};
use super::ids::Ids;
use super::media::{self, Syntax};
use super::{form, items, multipart, xml};
use crate::model::exchange::{Body as RawBody, Message};
use crate::model::observation::{Body, Framing};

/// Reads the bodies of one exchange.
pub(super) struct Reader<'a> {
    pub(super) context: Context<'a>,
    pub(super) work: &'a mut Workspace,
    pub(super) media: &'a mut media::Names,
}

impl Reader<'_> {
    /// Reads one direction. `ids` collects what stands under id-like keys, where the caller wants to know.
    pub(super) fn read(&mut self, message: &Message, ids: &mut Ids<'_>) -> Body {
        let typed = message.media.as_ref();
        let (bytes, truncated) = match &message.body {
            RawBody::Absent => return Body::Absent,
            RawBody::Unknown if typed.is_none() => return Body::Unknown,
            RawBody::Bytes { bytes, .. } if bytes.is_empty() => return Body::Absent,
            RawBody::Unknown | RawBody::Opaque => {
                return Body::Opaque { media: self.media.of(typed) };
            }
            RawBody::Bytes { bytes, truncated } => (bytes, *truncated),
        };
        let media = self.media.of(typed);
        let syntax = Syntax::of(typed);
        if syntax == Syntax::Multipart {
            let boundary = typed.and_then(|media| media.parameter("boundary"));
            let builder = Builder::new(self.context, self.work, ids, truncated);
            return match multipart::read(bytes, boundary.unwrap_or_default(), builder) {
                Some(tape) => Body::Tape { media, tape },
                None => Body::Malformed { media },
            };
        }
        if syntax == Syntax::Opaque || (syntax == Syntax::Text && !looks_like_json(bytes)) {
            return Body::Opaque { media };
        }
        match readable(bytes, truncated) {
            Some(text) => self.read_text(text, truncated, &Typed { media, syntax }, ids),
            None if syntax == Syntax::Text => Body::Opaque { media },
            None => Body::Malformed { media },
        }
    }

    fn read_text(&mut self, text: &str, truncated: bool, typed: &Typed, ids: &mut Ids<'_>) -> Body {
        let media = Arc::clone(&typed.media);
        match typed.syntax {
            Syntax::Items(framing) => {
                items::Reader { context: self.context, work: self.work, ids, framing, truncated }
                    .read(text, media)
            }
            Syntax::UrlEncoded => {
                let mut builder = Builder::new(self.context, self.work, ids, truncated);
                form::read(text, truncated, &mut builder);
                Body::Tape { media, tape: builder.finish(false) }
            }
            Syntax::Xml => {
                let builder = Builder::new(self.context, self.work, ids, truncated);
                match xml::read(text, builder) {
                    Ok(tape) => Body::Tape { media, tape },
                    Err(xml::Unreadable::Refused) => Body::Opaque { media },
                    Err(xml::Unreadable::Malformed) => Body::Malformed { media },
                }
            }
            _ => self.read_json(text, truncated, typed, ids),
        }
    }

    /// JSON, or what may be it; several documents one after the other are a sequence.
    fn read_json(&mut self, text: &str, truncated: bool, typed: &Typed, ids: &mut Ids<'_>) -> Body {
        let media = Arc::clone(&typed.media);
        let declared = typed.syntax == Syntax::Json;
        let mut builder = Builder::new(self.context, self.work, ids, truncated);
        if builder.read_json(text).is_ok() {
            return Body::Tape { media, tape: builder.finish(!declared) };
        }
        builder.discard();
        let framing = Framing::Concatenated;
        let sequence =
            items::Reader { context: self.context, work: self.work, ids, framing, truncated }
                .read(text, Arc::clone(&media));
        match sequence {
            Body::Items { texts: 0, items, .. } if declared && items.len() > 1 => {
                Body::Items { media, framing, items, texts: 0, truncated }
            }
            _ if declared => Body::Malformed { media },
            _ => Body::Opaque { media },
        }
    }
}

/// What a body is said to be.
struct Typed {
    media: Arc<str>,
    syntax: Syntax,
}

fn looks_like_json(bytes: &[u8]) -> bool {
    let first = bytes.iter().find(|byte| !byte.is_ascii_whitespace());
    first.is_some_and(|byte| matches!(byte, b'{' | b'['))
}

/// The body as UTF-8; of a prefix a character cut in half at its end is left out.
fn readable(bytes: &[u8], truncated: bool) -> Option<&str> {
    match std::str::from_utf8(bytes) {
        Ok(text) => Some(text),
        Err(error) if truncated && error.error_len().is_none() => {
            std::str::from_utf8(bytes.get(..error.valid_up_to())?).ok()
        }
        Err(_) => None,
    }
}
