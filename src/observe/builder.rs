//! The writer of tapes: values in document order, each as much as may be kept of it at its place.
//!
//! Owns the token limit, duplicate names, the identity of objects, and what may be kept of a value: under a secret or hidden
//! name nothing, under a free-text name no text. Refuses to own syntax; JSON, forms and XML call the same few methods.

use super::Lens;
use super::classes::{self, classify};
use super::ids::{Ids, Sighting};
use super::json::{Event, Malformed, Raw, Reader};
use super::names::{Facts, Names};
use crate::model::hash::HashKey;
use crate::model::observation::{Classes, Key, Place, Tape, TextSpan, Token};
use crate::model::redaction::Plan;

/// What reading a body needs to know besides the body.
#[derive(Clone, Copy)]
pub(super) struct Context<'a> {
    pub(super) key: &'a HashKey,
    pub(super) plan: &'a Plan,
    pub(super) lens: &'a Lens,
}

/// Memory that is used again for every exchange.
#[derive(Default)]
pub(super) struct Workspace {
    pub(super) names: Names,
    frames: Vec<Frame>,
    /// Hashes and tokens of the keys of all open objects, to find duplicates.
    keys: Vec<(u64, u32)>,
    scratch: String,
    /// Tapes that are done with.
    pub(super) tapes: Vec<Tape>,
}

/// Spreads the bits of hashes that are mixed one after the other.
const ODD: u64 = 0x517c_c1b7_2722_0a95;

/// Tapes that are kept for use again.
const TAPES_MAX: usize = 64;

impl Workspace {
    /// An empty tape.
    fn tape(&mut self) -> Tape {
        self.tapes.pop().unwrap_or_default()
    }

    /// Takes a tape back.
    pub(super) fn give_back(&mut self, mut tape: Tape) {
        if self.tapes.len() < TAPES_MAX {
            tape.clear();
            self.tapes.push(tape);
        }
    }
}

/// Whether and why the value to come is not to be looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Sight {
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
    /// Where its keys begin in [`Workspace::keys`].
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
    /// Keyed hash of the noun of that key.
    noun: Option<u64>,
    /// Span of that key.
    name: TextSpan,
}

/// Writes a tape.
pub(super) struct Builder<'a, 'b> {
    context: Context<'a>,
    work: &'a mut Workspace,
    ids: &'a mut Ids<'b>,
    tape: Tape,
    /// Tokens that this tape may still take.
    tokens_max: usize,
    /// Open containers of a subtree that is passed over.
    passing: usize,
    /// Address of the body's first byte, where its tokens have places.
    base: Option<usize>,
    /// Place of the token to come.
    place: Place,
}

impl<'a, 'b> Builder<'a, 'b> {
    pub(super) fn new(
        context: Context<'a>,
        work: &'a mut Workspace,
        ids: &'a mut Ids<'b>,
        truncated: bool,
    ) -> Self {
        work.frames.clear();
        work.keys.clear();
        let tape = Tape { truncated, ..work.tape() };
        let tokens_max = context.lens.body_tokens_max;
        let place = Place::default();
        Self { context, work, ids, tape, tokens_max, passing: 0, base: None, place }
    }

    /// The same with fewer tokens, where bodies before it took some.
    pub(super) fn limited(self, tokens_max: usize) -> Self {
        Self { tokens_max, ..self }
    }

    pub(super) fn finish(mut self, mislabelled: bool) -> Tape {
        // A key whose value was cut off says nothing.
        if matches!(self.tape.tokens.last(), Some(Token::Key(_))) {
            self.tape.tokens.pop();
            self.tape.places.pop();
        }
        // What is still open was cut off: it tells of what it holds and of nothing that it lacks.
        while self.work.frames.pop().is_some() {
            self.push(Token::End);
        }
        self.tape.mislabelled = mislabelled;
        self.tape
    }

    /// Whether only a prefix of the body is there.
    pub(super) fn is_truncated(&self) -> bool {
        self.tape.truncated
    }

    /// Gives up: nothing of it is kept.
    pub(super) fn discard(self) {
        self.work.give_back(self.tape);
    }

    /// Reads one document to its end, or to that of the text.
    pub(super) fn read_json(&mut self, text: &str) -> Result<(), Malformed> {
        let mut reader = Reader::new(text, self.tape.truncated);
        self.base = Some(text.as_ptr().addr());
        self.read_document(&mut reader)?;
        reader.next().map(|_| ())
    }

    /// Reads one document; what follows it is left to the reader.
    pub(super) fn read_document(&mut self, reader: &mut Reader<'_>) -> Result<(), Malformed> {
        let mut scratch = std::mem::take(&mut self.work.scratch);
        let read = loop {
            match reader.next() {
                Ok(Some(event)) if self.passing > 0 => self.pass(event),
                Ok(Some(event)) => self.take(event, &mut scratch),
                Ok(None) => break Ok(()),
                Err(malformed) => break Err(malformed),
            }
            if reader.is_complete() {
                break Ok(());
            }
        };
        self.work.scratch = scratch;
        read
    }

    /// Follows a subtree that is not kept to its end.
    fn pass(&mut self, event: Event<'_>) {
        match event {
            Event::ObjectStart | Event::ArrayStart => self.passing += 1,
            Event::ObjectEnd | Event::ArrayEnd => self.passing -= 1,
            _ => {}
        }
    }

    pub(super) fn take(&mut self, event: Event<'_>, scratch: &mut String) {
        self.place = match (self.base, event) {
            (
                Some(base),
                Event::Key(Raw { text, escaped }) | Event::Text(Raw { text, escaped }),
            ) => Place::new(text.as_ptr().addr() - base, text.len(), escaped),
            (Some(base), Event::Number { text, .. }) => {
                Place::new(text.as_ptr().addr() - base, text.len(), false)
            }
            _ => Place::default(),
        };
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
        let full = self.tape.tokens.len() >= self.tokens_max;
        if full {
            self.tape.skipped = self.tape.skipped.saturating_add(1);
        }
        full
    }

    pub(super) fn open(&mut self, object: bool) {
        let sight = self.sight();
        let too_deep = self.work.frames.len() >= self.context.lens.body_depth_max;
        if sight == Sight::Hidden || too_deep || self.full() {
            self.scalar(if object { Token::OpaqueObject } else { Token::OpaqueArray });
            self.passing = 1;
            return;
        }
        self.count_item();
        // A built-in rule speaks of values: objects below it have names of their own, items of arrays have not.
        let inherited = if object { Sight::Open } else { sight };
        let name = self.work.frames.last().map(|frame| frame.name).unwrap_or_default();
        self.work.frames.push(Frame {
            token: self.tape.tokens.len(),
            object,
            items: 0,
            keys: self.work.keys.len(),
            order: 1,
            tagged: false,
            id: None,
            mixed: 0,
            sight: inherited,
            id_like: None,
            noun: None,
            name,
        });
        self.push(if object {
            Token::Object { closed: false, tagged: false, instance: 0, order: 0 }
        } else {
            Token::Array { closed: false, items: 0 }
        });
    }

    /// Opens a container whose content is at hand; whether it is looked into. If not, it is written already.
    pub(super) fn enter(&mut self, object: bool) -> bool {
        self.open(object);
        std::mem::take(&mut self.passing) == 0
    }

    pub(super) fn close(&mut self) {
        self.end(true);
    }

    /// Ends a container; `whole`: nothing of it was cut off.
    pub(super) fn end(&mut self, whole: bool) {
        let Some(frame) = self.work.frames.pop() else { return };
        self.push(Token::End);
        let instance = frame.id.unwrap_or(frame.mixed);
        // Values behind the limit may be missing: such a container tells nothing of what it lacks.
        let closed = whole && self.tape.skipped == 0;
        let mut order = frame.order;
        if frame.object {
            if self.supersede(frame.keys) {
                order = 0;
            }
            self.work.keys.truncate(frame.keys);
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
        let Some(keys) = self.work.keys.get_mut(start..) else { return false };
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
        let facts = self.work.names.of(self.context.key, name);
        let Facts { hash, rank, tag, data, id_like, noun, mut sight, .. } = *facts;
        let secret = sight == Sight::Secret;
        let token = u32::try_from(self.tape.tokens.len()).unwrap_or(u32::MAX);
        // Names that are data share the hash of their class, and are no duplicates of each other.
        let own = if data.is_some() { self.context.key.hash(name.as_bytes()) } else { hash };
        self.work.keys.push((own, token));
        let span = if data.is_some() { TextSpan::default() } else { self.keep(name) };
        if self.context.plan.has_body_paths() && self.hidden_by_path(name) {
            sight = Sight::Hidden;
        }
        if let Some(frame) = self.work.frames.last_mut() {
            (frame.sight, frame.id_like, frame.noun, frame.name) = (sight, id_like, noun, span);
            frame.order = (frame.order.rotate_left(9) ^ hash).wrapping_mul(ODD);
            frame.tagged |= tag > 0;
        }
        let key = Key { hash, name: span, rank, tag, data, superseded: false, secret };
        self.push(Token::Key(key));
    }

    /// Asks the configured paths, which need all steps from the root.
    fn hidden_by_path(&self, name: &str) -> bool {
        let mut steps: Vec<&str> = self
            .work
            .frames
            .iter()
            .take(self.work.frames.len().saturating_sub(1))
            .map(|frame| if frame.object { self.tape.text(frame.name) } else { "*" })
            .collect();
        steps.push(name);
        self.context.plan.names_body(&steps)
    }

    fn sight(&self) -> Sight {
        self.work.frames.last().map_or(Sight::Open, |frame| frame.sight)
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
        let Some(frame) = self.work.frames.last_mut() else { return };
        let Some(strong) = frame.id_like.filter(|_| frame.object && text.len() <= 64) else {
            return;
        };
        let hash = self.context.key.hash(text.as_bytes());
        if strong {
            frame.id.get_or_insert(hash);
        }
        let noun = frame.noun;
        if self.ids.collects() {
            let depth = self.work.frames.iter().filter(|frame| frame.object).count();
            let name = self.work.frames.last().map(|frame| frame.name).unwrap_or_default();
            let name = self.tape.text(name);
            self.ids.see(&Sighting { name, noun, value: hash, strong, depth });
        }
    }

    /// A part of a form that is a file.
    pub(super) fn file(&mut self, media: &str) {
        let media = if self.tape_is_full() { TextSpan::default() } else { self.keep(media) };
        self.scalar(Token::File { media });
    }

    fn scalar(&mut self, token: Token) {
        if self.full() {
            // A key was written without its value only if the limit fell between them.
            if matches!(self.tape.tokens.last(), Some(Token::Key(_))) {
                self.push(token);
            }
            return;
        }
        self.count_item();
        self.push(token);
    }

    fn push(&mut self, token: Token) {
        self.tape.tokens.push(token);
        self.tape.places.push(self.place);
    }

    fn count_item(&mut self) {
        if let Some(frame) = self.work.frames.last_mut() {
            frame.items = frame.items.saturating_add(1);
        }
    }

    /// Folds a value into the identity of the enclosing container, in order.
    fn mix(&mut self, hash: u64) {
        if let Some(frame) = self.work.frames.last_mut() {
            frame.mixed = (frame.mixed.rotate_left(5) ^ hash).wrapping_mul(ODD);
        }
    }

    fn tape_is_full(&self) -> bool {
        self.tape.tokens.len() >= self.tokens_max
    }

    fn keep(&mut self, text: &str) -> TextSpan {
        TextSpan::keep(&mut self.tape.texts, text)
    }
}

/// A fast hash of the beginning of a value. Six bits of it tell distinct objects apart in estimates; it identifies nothing.
pub(super) fn hash_short(bytes: &[u8]) -> u64 {
    let bytes = bytes.get(..64).unwrap_or(bytes);
    let (words, rest) = bytes.as_chunks::<8>();
    let mut last = [0; 8];
    for (place, byte) in last.iter_mut().zip(rest) {
        *place = *byte;
    }
    let last = (!rest.is_empty()).then_some(&last);
    words.iter().chain(last).fold(bytes.len() as u64, |hash, word| {
        let word = u64::from_le_bytes(*word);
        let mixed = (hash.rotate_left(5) ^ word).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        mixed ^ (mixed >> 29)
    })
}

/// The six bits of a hash that estimates of distinct values are made of.
pub(super) fn mark(hash: u64) -> u8 {
    (hash.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 58) as u8
}

/// The longest name or text that a span can hold is longer than any that is kept.
const _: () = assert!(classes::KEYWORD_MAX < u16::MAX as usize);
