//! A streaming JSON reader: events over borrowed text, iterative, at any depth, and on prefixes too.
//!
//! Owns the grammar of RFC 8259. It accepts and rejects complete inputs as `serde_json` does (apart from its depth limit and
//! a tolerated byte order mark). Refuses to build anything: what to keep is the caller's decision.

use smallvec::SmallVec;

/// One step of a document.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Event<'a> {
    Null,
    Bool(bool),
    /// The number as spelled; `integer`: neither fraction nor exponent.
    Number {
        text: &'a str,
        integer: bool,
    },
    Text(Raw<'a>),
    Key(Raw<'a>),
    ObjectStart,
    ObjectEnd,
    ArrayStart,
    ArrayEnd,
}

/// The inside of a JSON text, still escaped.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Raw<'a> {
    pub(super) text: &'a str,
    pub(super) escaped: bool,
}

impl<'a> Raw<'a> {
    /// The decoded text; `scratch` is used only where escapes were.
    pub(super) fn decode<'b>(&self, scratch: &'b mut String) -> &'b str
    where
        'a: 'b,
    {
        if !self.escaped {
            return self.text;
        }
        scratch.clear();
        let mut rest = self.text;
        while let Some((before, after)) = rest.split_once('\\') {
            scratch.push_str(before);
            rest = push_escape(after, scratch);
        }
        scratch.push_str(rest);
        scratch
    }
}

/// Appends what the escape at the beginning of `text` stands for (it was checked by the reader); returns what follows it.
fn push_escape<'a>(text: &'a str, out: &mut String) -> &'a str {
    let simple = match text.as_bytes().first() {
        Some(b'n') => '\n',
        Some(b't') => '\t',
        Some(b'r') => '\r',
        Some(b'b') => '\u{8}',
        Some(b'f') => '\u{c}',
        Some(b'u') => {
            let (character, length) = unicode_escape(text.as_bytes()).unwrap_or(('\u{fffd}', 5));
            out.push(character);
            return text.get(length..).unwrap_or_default();
        }
        Some(other) => char::from(*other),
        None => return text,
    };
    out.push(simple);
    text.get(1..).unwrap_or_default()
}

/// Reads `uXXXX`, or a pair of surrogates as `uXXXX\uXXXX`; gives the character and the bytes it took.
fn unicode_escape(bytes: &[u8]) -> Option<(char, usize)> {
    let high = hex4(bytes.get(1..5)?)?;
    if !(0xd800..0xdc00).contains(&high) {
        return char::from_u32(high).map(|character| (character, 5));
    }
    if bytes.get(5..7)? != b"\\u" {
        return None;
    }
    let low = hex4(bytes.get(7..11)?)?;
    let code =
        0x1_0000 + ((high - 0xd800) << 10) + low.checked_sub(0xdc00).filter(|low| *low < 0x400)?;
    char::from_u32(code).map(|character| (character, 11))
}

fn hex4(digits: &[u8]) -> Option<u32> {
    digits
        .iter()
        .try_fold(0, |value, byte| char::from(*byte).to_digit(16).map(|digit| value * 16 + digit))
}

/// How many bytes there are before a quote, a backslash or a control character, eight at a time.
fn plain_prefix(bytes: &[u8]) -> usize {
    const EACH: u64 = 0x0101_0101_0101_0101;
    const HIGH: u64 = 0x80 * EACH;
    let zeros = |word: u64| word.wrapping_sub(EACH) & !word & HIGH;
    let (words, rest) = bytes.as_chunks::<8>();
    for (index, word) in words.iter().enumerate() {
        let word = u64::from_le_bytes(*word);
        let controls = word.wrapping_sub(0x20 * EACH) & !word & HIGH;
        // Borrows may mark bytes behind a true mark, never before it: the lowest mark is right.
        let marks = zeros(word ^ (0x22 * EACH)) | zeros(word ^ (0x5c * EACH)) | controls;
        if marks != 0 {
            return index * 8 + (marks.trailing_zeros() / 8) as usize;
        }
    }
    let plain = rest.iter().take_while(|byte| **byte >= b' ' && !matches!(byte, b'"' | b'\\'));
    words.len() * 8 + plain.count()
}

/// The input is not JSON from byte `at` on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Malformed {
    pub(super) at: usize,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Expect {
    Value,
    /// A value, or the end of the array just begun.
    FirstItem,
    /// A key, or the end of the object just begun.
    FirstKey,
    Key,
    /// A comma or the end of the container.
    Next,
    End,
}

/// Reads one document.
pub(super) struct Reader<'a> {
    text: &'a str,
    at: usize,
    expect: Expect,
    /// One entry per open container: whether it is an object.
    open: SmallVec<[bool; 64]>,
    /// Only a prefix is there: an end too early is no fault.
    prefix: bool,
}

/// Steps that can end early because the prefix does.
enum Stop {
    Cut,
    Malformed,
}

type Step<T> = Result<T, Stop>;

impl<'a> Reader<'a> {
    pub(super) fn new(text: &'a str, prefix: bool) -> Self {
        let text = text.strip_prefix('\u{feff}').unwrap_or(text);
        Self { text, at: 0, expect: Expect::Value, open: SmallVec::new(), prefix }
    }

    /// Whether one whole document has been read.
    pub(super) fn is_complete(&self) -> bool {
        self.expect == Expect::End
    }

    /// Where the reader stands; what follows a whole document begins here.
    pub(super) fn at(&self) -> usize {
        self.at
    }

    /// The next event; none at the end of the document, or where a prefix ends.
    pub(super) fn next(&mut self) -> Result<Option<Event<'a>>, Malformed> {
        match self.step() {
            Ok(event) => Ok(event),
            Err(Stop::Cut) if self.prefix => Ok(None),
            Err(_) => Err(Malformed { at: self.at }),
        }
    }

    fn step(&mut self) -> Step<Option<Event<'a>>> {
        self.skip_space();
        let Some(byte) = self.peek() else {
            return if self.expect == Expect::End { Ok(None) } else { Err(Stop::Cut) };
        };
        match self.expect {
            Expect::End => Err(Stop::Malformed),
            Expect::FirstItem if byte == b']' => Ok(Some(self.close(Event::ArrayEnd))),
            Expect::Value | Expect::FirstItem => self.value(byte).map(Some),
            Expect::FirstKey if byte == b'}' => Ok(Some(self.close(Event::ObjectEnd))),
            Expect::FirstKey | Expect::Key => self.key(byte).map(Some),
            Expect::Next => self.after_value(byte),
        }
    }

    fn after_value(&mut self, byte: u8) -> Step<Option<Event<'a>>> {
        let in_object = self.open.last().copied();
        match (byte, in_object) {
            (b',', Some(object)) => {
                self.at += 1;
                self.expect = if object { Expect::Key } else { Expect::Value };
                self.step()
            }
            (b'}', Some(true)) => Ok(Some(self.close(Event::ObjectEnd))),
            (b']', Some(false)) => Ok(Some(self.close(Event::ArrayEnd))),
            _ => Err(Stop::Malformed),
        }
    }

    fn close(&mut self, event: Event<'a>) -> Event<'a> {
        self.at += 1;
        self.open.pop();
        self.value_done();
        event
    }

    fn value_done(&mut self) {
        self.expect = if self.open.is_empty() { Expect::End } else { Expect::Next };
    }

    fn value(&mut self, first: u8) -> Step<Event<'a>> {
        let event = match first {
            b'{' | b'[' => {
                let object = first == b'{';
                self.at += 1;
                self.open.push(object);
                self.expect = if object { Expect::FirstKey } else { Expect::FirstItem };
                return Ok(if object { Event::ObjectStart } else { Event::ArrayStart });
            }
            b'"' => Event::Text(self.quoted()?),
            b'-' | b'0'..=b'9' => self.number()?,
            b't' => self.word("true", Event::Bool(true))?,
            b'f' => self.word("false", Event::Bool(false))?,
            b'n' => self.word("null", Event::Null)?,
            _ => return Err(Stop::Malformed),
        };
        self.value_done();
        Ok(event)
    }

    fn key(&mut self, first: u8) -> Step<Event<'a>> {
        if first != b'"' {
            return Err(Stop::Malformed);
        }
        let key = self.quoted()?;
        self.skip_space();
        match self.peek() {
            Some(b':') => self.at += 1,
            Some(_) => return Err(Stop::Malformed),
            None => return Err(Stop::Cut),
        }
        self.expect = Expect::Value;
        Ok(Event::Key(key))
    }

    fn word(&mut self, word: &str, event: Event<'a>) -> Step<Event<'a>> {
        let rest = self.rest();
        if rest.starts_with(word.as_bytes()) {
            self.at += word.len();
            return Ok(event);
        }
        Err(if word.as_bytes().starts_with(rest) { Stop::Cut } else { Stop::Malformed })
    }

    fn number(&mut self) -> Step<Event<'a>> {
        let start = self.at;
        self.at += usize::from(self.peek() == Some(b'-'));
        let whole = self.digits()?;
        if whole.len() > 1 && whole.first() == Some(&b'0') {
            return Err(Stop::Malformed);
        }
        let long = whole.len() > 300;
        let mut integer = true;
        if self.peek() == Some(b'.') {
            (self.at, integer) = (self.at + 1, false);
            self.digits()?;
        }
        let mut exponent = false;
        if matches!(self.peek(), Some(b'e' | b'E')) {
            (self.at, integer, exponent) = (self.at + 1, false, true);
            self.at += usize::from(matches!(self.peek(), Some(b'+' | b'-')));
            self.digits()?;
        }
        // The rest of the number may lie behind the end of a prefix.
        if self.prefix && self.peek().is_none() {
            return Err(Stop::Cut);
        }
        let text = self.text.get(start..self.at).ok_or(Stop::Malformed)?;
        if (exponent || long) && text.parse::<f64>().is_ok_and(f64::is_infinite) {
            return Err(Stop::Malformed);
        }
        Ok(Event::Number { text, integer })
    }

    fn digits(&mut self) -> Step<&'a [u8]> {
        let rest = self.rest();
        let count = rest.iter().take_while(|byte| byte.is_ascii_digit()).count();
        self.at += count;
        match (count, self.peek()) {
            (0, None) => Err(Stop::Cut),
            (0, Some(_)) => Err(Stop::Malformed),
            _ => Ok(rest.get(..count).unwrap_or_default()),
        }
    }

    fn quoted(&mut self) -> Step<Raw<'a>> {
        self.at += 1;
        let start = self.at;
        let mut escaped = false;
        loop {
            self.at += plain_prefix(self.rest());
            match self.peek() {
                None => return Err(Stop::Cut),
                Some(b'"') => break,
                Some(b'\\') => {
                    escaped = true;
                    self.escape()?;
                }
                Some(_) => return Err(Stop::Malformed),
            }
        }
        let text = self.text.get(start..self.at).ok_or(Stop::Malformed)?;
        self.at += 1;
        Ok(Raw { text, escaped })
    }

    /// Checks and skips one escape.
    fn escape(&mut self) -> Step<()> {
        let rest = self.rest();
        let length = match rest.get(1) {
            None => return Err(Stop::Cut),
            Some(b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't') => 2,
            Some(b'u') => match unicode_escape(rest.get(1..).unwrap_or_default()) {
                Some((_, length)) => length + 1,
                None if rest.len() < 12 => return Err(Stop::Cut),
                None => return Err(Stop::Malformed),
            },
            Some(_) => return Err(Stop::Malformed),
        };
        self.at += length;
        Ok(())
    }

    fn skip_space(&mut self) {
        let space =
            self.rest().iter().take_while(|byte| matches!(byte, b' ' | b'\t' | b'\n' | b'\r'));
        self.at += space.count();
    }

    fn rest(&self) -> &'a [u8] {
        self.text.as_bytes().get(self.at..).unwrap_or_default()
    }

    fn peek(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }
}
