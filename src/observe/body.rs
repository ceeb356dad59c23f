//! Bodies: JSON and url-encoded forms become tapes, everything else a media type.
//!
//! Owns the choice of reader by media type, the token limit, and what may be kept of a value at its place: under a secret or
//! hidden name nothing, under a free-text name no text. Refuses to own counting.

use super::Lens;
use super::classes::{self, classify};
use super::ids::{Ids, Sighting};
use super::json::{Event, Malformed, Raw, Reader};
use super::names;
use crate::model::exchange::{Body as RawBody, Message};
use crate::model::hash::HashKey;
use crate::model::media::MediaType;
use crate::model::observation::{Body, Classes, DataClass, Key, Tape, TextSpan, Token};
use crate::model::redaction::{Plan, is_secret_name};

/// What reading a body needs to know besides the body.
pub(super) struct Context<'a> {
    pub(super) key: &'a HashKey,
    pub(super) plan: &'a Plan,
    pub(super) lens: &'a Lens,
}

/// Reads one direction. `ids` collects what stands under id-like keys, where the caller wants to know.
pub(super) fn observe(message: &Message, context: &Context<'_>, ids: &mut Ids<'_>) -> Body {
    let media =
        || message.media.as_ref().map_or_else(String::new, super::media::name).into_boxed_str();
    let (bytes, truncated) = match &message.body {
        RawBody::Absent => return Body::Absent,
        RawBody::Unknown => {
            return if message.media.is_some() {
                Body::Opaque { media: media() }
            } else {
                Body::Unknown
            };
        }
        RawBody::Opaque => return Body::Opaque { media: media() },
        RawBody::Bytes { bytes, .. } if bytes.is_empty() => return Body::Absent,
        RawBody::Bytes { bytes, truncated } => (bytes, *truncated),
    };
    let declared_json = message.media.as_ref().is_some_and(MediaType::is_json);
    let form = message.media.as_ref().is_some_and(MediaType::is_form);
    let textual = message
        .media
        .as_ref()
        .is_none_or(|media| media.essence() == "text/plain" || media.essence() == "text/json");
    let looks_like_json = bytes
        .iter()
        .find(|byte| !byte.is_ascii_whitespace())
        .is_some_and(|byte| matches!(byte, b'{' | b'['));
    if !(declared_json || form || (textual && looks_like_json)) {
        return Body::Opaque { media: media() };
    }
    let Some(text) = readable(bytes, truncated) else { return Body::Malformed { media: media() } };
    let mut builder = Builder::new(context, ids, truncated);
    if form {
        super::form::read(text, &mut builder);
        return Body::Tape { media: media(), tape: builder.finish(false) };
    }
    match builder.read_json(text) {
        Ok(()) => Body::Tape { media: media(), tape: builder.finish(!declared_json) },
        Err(_) if declared_json => Body::Malformed { media: media() },
        Err(_) => Body::Opaque { media: media() },
    }
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

/// Spreads the bits of hashes that are mixed one after the other.
const ODD: u64 = 0x517c_c1b7_2722_0a95;

/// Whether and why the value to come is not to be looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Sight {
    Open,
    /// Its name is that of free text: a class, but no text.
    FreeText,
    /// By a built-in rule: kind and class remain; containers are looked into.
    Secret,
    /// By configuration: the kind remains.
    Hidden,
}

/// An open container.
struct Frame {
    /// Its token, completed when it ends.
    token: usize,
    object: bool,
    items: u32,
    /// Where its keys begin in [`Builder::keys`].
    keys: usize,
    /// Hash of the keys in their order.
    order: u64,
    /// A key may be a tag.
    tagged: bool,
    /// Hash of the first id-like value, else of all scalars.
    id: Option<u64>,
    mixed: u64,
    /// Sight of its items (of an array) or of the value after the last key (of an object).
    sight: Sight,
    /// Whether that key is id-like.
    id_like: Option<bool>,
    /// Span of that key.
    name: TextSpan,
}

/// Writes a tape.
pub(super) struct Builder<'a, 'b> {
    context: &'a Context<'a>,
    ids: &'a mut Ids<'b>,
    tape: Tape,
    frames: Vec<Frame>,
    /// Hashes and tokens of the keys of all open objects, to find duplicates.
    keys: Vec<(u64, u32)>,
    scratch: String,
    /// Open containers of a subtree that is passed over.
    passing: usize,
}

impl<'a, 'b> Builder<'a, 'b> {
    fn new(context: &'a Context<'a>, ids: &'a mut Ids<'b>, truncated: bool) -> Self {
        Self {
            context,
            ids,
            tape: Tape { truncated, tokens: Vec::with_capacity(64), ..Tape::default() },
            frames: Vec::with_capacity(8),
            keys: Vec::with_capacity(32),
            scratch: String::new(),
            passing: 0,
        }
    }

    fn finish(mut self, mislabelled: bool) -> Tape {
        // A key whose value was cut off says nothing.
        if matches!(self.tape.tokens.last(), Some(Token::Key(_))) {
            self.tape.tokens.pop();
        }
        // What is still open was cut off: it tells of what it holds and of nothing that it lacks.
        while self.frames.pop().is_some() {
            self.tape.tokens.push(Token::End);
        }
        self.tape.mislabelled = mislabelled;
        self.tape
    }

    fn read_json(&mut self, text: &str) -> Result<(), Malformed> {
        let mut reader = Reader::new(text, self.tape.truncated);
        let mut scratch = std::mem::take(&mut self.scratch);
        while let Some(event) = reader.next()? {
            if self.passing > 0 {
                self.pass(event);
            } else {
                self.take(event, &mut scratch);
            }
        }
        self.scratch = scratch;
        Ok(())
    }

    /// Follows a subtree that is not kept to its end.
    fn pass(&mut self, event: Event<'_>) {
        match event {
            Event::ObjectStart | Event::ArrayStart => self.passing += 1,
            Event::ObjectEnd | Event::ArrayEnd => self.passing -= 1,
            _ => {}
        }
    }

    fn take(&mut self, event: Event<'_>, scratch: &mut String) {
        match event {
            Event::Key(raw) => self.key(raw.decode(scratch)),
            Event::ObjectStart => self.open(true),
            Event::ArrayStart => self.open(false),
            Event::ObjectEnd | Event::ArrayEnd => self.close(),
            Event::Text(raw) => self.raw_text(raw, scratch),
            Event::Number { text, integer } => self.number(text, integer),
            Event::Bool(value) => {
                self.scalar(Token::Bool(value));
                self.mix(u64::from(value) + 1);
            }
            Event::Null => self.scalar(Token::Null),
        }
    }

    fn raw_text(&mut self, raw: Raw<'_>, scratch: &mut String) {
        let text = raw.decode(scratch);
        self.text(text);
    }

    /// Whether the value to come is beyond the limit; then it is counted only.
    fn full(&mut self) -> bool {
        let full = self.tape.tokens.len() >= self.context.lens.body_tokens_max;
        if full {
            self.tape.skipped = self.tape.skipped.saturating_add(1);
        }
        full
    }

    pub(super) fn open(&mut self, object: bool) {
        let sight = self.sight();
        let too_deep = self.frames.len() >= self.context.lens.body_depth_max;
        if sight == Sight::Hidden || too_deep || self.full() {
            self.scalar(if object { Token::OpaqueObject } else { Token::OpaqueArray });
            self.passing = 1;
            return;
        }
        self.count_item();
        // A built-in rule speaks of values: objects below it have names of their own, items of arrays have not.
        let inherited = if object { Sight::Open } else { sight };
        let name = self.frames.last().map(|frame| frame.name).unwrap_or_default();
        self.frames.push(Frame {
            token: self.tape.tokens.len(),
            object,
            items: 0,
            keys: self.keys.len(),
            order: 1,
            tagged: false,
            id: None,
            mixed: 0,
            sight: inherited,
            id_like: None,
            name,
        });
        self.tape.tokens.push(if object {
            Token::Object { closed: false, tagged: false, instance: 0, order: 0 }
        } else {
            Token::Array { closed: false, items: 0 }
        });
    }

    pub(super) fn close(&mut self) {
        let Some(frame) = self.frames.pop() else { return };
        self.tape.tokens.push(Token::End);
        let instance = frame.id.unwrap_or(frame.mixed);
        // Values behind the limit may be missing: such a container tells nothing of what it lacks.
        let closed = self.tape.skipped == 0;
        let mut order = frame.order;
        if frame.object {
            if self.supersede(frame.keys) {
                order = 0;
            }
            self.keys.truncate(frame.keys);
        }
        if let Some(token) = self.tape.tokens.get_mut(frame.token) {
            *token = if frame.object {
                Token::Object { closed, tagged: frame.tagged, instance, order }
            } else {
                Token::Array { closed, items: frame.items }
            };
        }
        self.mix(instance);
    }

    /// Marks all but the last of equal keys of the object whose keys begin at `start`; whether there were any.
    fn supersede(&mut self, start: usize) -> bool {
        let Some(keys) = self.keys.get_mut(start..) else { return false };
        keys.sort_unstable();
        let before = self.tape.duplicates;
        for pair in keys.windows(2) {
            if let [(first, token), (second, _)] = pair
                && first == second
                && let Some(Token::Key(key)) = self.tape.tokens.get_mut(*token as usize)
            {
                key.superseded = true;
                self.tape.duplicates = self.tape.duplicates.saturating_add(1);
            }
        }
        self.tape.duplicates != before
    }

    pub(super) fn key(&mut self, name: &str) {
        if self.full() {
            return;
        }
        let data = names::data_class(name);
        let hash = self.context.key.hash(name.as_bytes());
        let token = u32::try_from(self.tape.tokens.len()).unwrap_or(u32::MAX);
        self.keys.push((hash, token));
        let key = match data {
            Some(class) => self.data_key(class),
            None => Key {
                hash,
                name: self.keep(name),
                rank: names::rank(name),
                tag: names::tag(name),
                data: None,
                superseded: false,
            },
        };
        let sight = self.sight_of(name);
        let id_like = names::id_like(name);
        if let Some(frame) = self.frames.last_mut() {
            (frame.sight, frame.id_like, frame.name) = (sight, id_like, key.name);
            frame.order = (frame.order.rotate_left(9) ^ key.hash).wrapping_mul(ODD);
            frame.tagged |= key.tag > 0;
        }
        self.tape.tokens.push(Token::Key(key));
    }

    fn data_key(&self, class: DataClass) -> Key {
        Key {
            hash: names::data_hash(self.context.key, class),
            name: TextSpan::default(),
            rank: 0,
            tag: 0,
            data: Some(class),
            superseded: false,
        }
    }

    fn sight_of(&self, name: &str) -> Sight {
        if self.context.plan.has_body_paths() && self.hidden_by_path(name) {
            return Sight::Hidden;
        }
        if is_secret_name(name) {
            return Sight::Secret;
        }
        if names::is_free_text(name) { Sight::FreeText } else { Sight::Open }
    }

    /// Asks the configured paths, which need all steps from the root.
    fn hidden_by_path(&self, name: &str) -> bool {
        let mut steps: Vec<&str> = self
            .frames
            .iter()
            .take(self.frames.len().saturating_sub(1))
            .map(|frame| if frame.object { self.tape.text(frame.name) } else { "*" })
            .collect();
        steps.push(name);
        self.context.plan.names_body(&steps)
    }

    fn sight(&self) -> Sight {
        self.frames.last().map_or(Sight::Open, |frame| frame.sight)
    }

    pub(super) fn text(&mut self, text: &str) {
        let sight = self.sight();
        let classes = if sight == Sight::Hidden { Classes::NONE } else { classify(text) };
        let keyword = sight == Sight::Open && classes.has(Classes::KEYWORD);
        let kept =
            if keyword && !self.tape_is_full() { self.keep(text) } else { TextSpan::default() };
        let open = matches!(sight, Sight::Open | Sight::FreeText);
        let hash = if open { hash_short(text.as_bytes()) } else { 0 };
        self.scalar(Token::Text { classes, kept, mark: mark(hash) });
        if open {
            self.known(text);
            self.mix(hash);
        }
    }

    fn number(&mut self, text: &str, integer: bool) {
        let sight = self.sight();
        if matches!(sight, Sight::Hidden | Sight::Secret) {
            self.scalar(Token::HiddenNumber { integer });
            return;
        }
        self.scalar(match (integer, text.parse::<i64>()) {
            (true, Ok(value)) => Token::Integer(value),
            (true, Err(_)) => Token::BigInteger,
            (false, _) => Token::Float,
        });
        if integer {
            self.known(text);
        }
        self.mix(hash_short(text.as_bytes()));
    }

    /// Tells the collector of ids about the value under an id-like key, and lets it name the object.
    fn known(&mut self, text: &str) {
        let depth = self.frames.iter().filter(|frame| frame.object).count();
        let Some(frame) = self.frames.last_mut() else { return };
        let Some(strong) = frame.id_like.filter(|_| frame.object && text.len() <= 64) else {
            return;
        };
        let hash = self.context.key.hash(text.as_bytes());
        if strong {
            frame.id.get_or_insert(hash);
        }
        let name = self.tape.text(frame.name);
        self.ids.see(self.context.key, &Sighting { name, value: hash, strong, depth });
    }

    fn scalar(&mut self, token: Token) {
        if self.full() {
            // A key was written without its value only if the limit fell between them.
            if matches!(self.tape.tokens.last(), Some(Token::Key(_))) {
                self.tape.tokens.push(token);
            }
            return;
        }
        self.count_item();
        self.tape.tokens.push(token);
    }

    fn count_item(&mut self) {
        if let Some(frame) = self.frames.last_mut() {
            frame.items = frame.items.saturating_add(1);
        }
    }

    /// Folds a value into the identity of the enclosing container, in order.
    fn mix(&mut self, hash: u64) {
        if let Some(frame) = self.frames.last_mut() {
            frame.mixed = (frame.mixed.rotate_left(5) ^ hash).wrapping_mul(ODD);
        }
    }

    fn tape_is_full(&self) -> bool {
        self.tape.tokens.len() >= self.context.lens.body_tokens_max
    }

    fn keep(&mut self, text: &str) -> TextSpan {
        let span = (u32::try_from(self.tape.texts.len()), u16::try_from(text.len()));
        let (Ok(start), Ok(length)) = span else { return TextSpan::default() };
        self.tape.texts.push_str(text);
        TextSpan { start, length }
    }
}

/// A fast hash of the beginning of a value. Six bits of it tell distinct objects apart in estimates; it identifies nothing.
pub(super) fn hash_short(bytes: &[u8]) -> u64 {
    let bytes = bytes.get(..64).unwrap_or(bytes);
    bytes.chunks(8).fold(bytes.len() as u64, |hash, chunk| {
        let mut word = [0; 8];
        if let Some(place) = word.get_mut(..chunk.len()) {
            place.copy_from_slice(chunk);
        }
        let mixed =
            (hash.rotate_left(5) ^ u64::from_le_bytes(word)).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        mixed ^ (mixed >> 29)
    })
}

/// The six bits of a hash that estimates of distinct values are made of.
pub(super) fn mark(hash: u64) -> u8 {
    (hash.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 58) as u8
}

/// The longest name or text that a span can hold is longer than any that is kept.
const _: () = assert!(classes::KEYWORD_MAX < u16::MAX as usize);
