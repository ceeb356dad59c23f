//! Files of recorded traffic, cut into records without reading them whole: lines of NDJSON, entries of a HAR log.
//!
//! Owns the skipping scan, positions, and telling which format a file has. Memory is one record; a record that is too large
//! is passed over. Refuses to understand records (`har`, `ndjson`).

use std::io::{self, BufRead, BufReader, Read};

use super::recorded::Unusable;
use crate::model::problem::Position;

/// Larger records are skipped.
pub const RECORD_BYTES_MAX: usize = 64 << 20;

/// The format of a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    Har,
    Ndjson,
}

/// One record with the place where it begins.
#[derive(Debug)]
pub struct Record {
    pub bytes: Vec<u8>,
    pub position: Position,
}

/// What a file turned out to be at its end.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct End {
    pub records: u64,
    /// Records over [`RECORD_BYTES_MAX`].
    pub too_large: u64,
    /// The file ends inside a record or a log.
    pub cut_off: bool,
    /// Nothing but white space.
    pub empty: bool,
    /// A HAR without `log.entries`.
    pub no_entries: bool,
}

/// Reads records one after the other.
pub struct Records<R: Read> {
    input: BufReader<R>,
    format: Format,
    scan: Scan,
    end: End,
}

impl<R: Read> Records<R> {
    /// `format`: none to tell it from the first bytes, an object with a `log` member being HAR.
    ///
    /// # Errors
    /// When reading fails.
    pub fn new(input: R, format: Option<Format>) -> io::Result<Self> {
        let mut input = BufReader::with_capacity(1 << 16, input);
        let start = input.fill_buf()?;
        let empty = start.is_empty();
        let bom = start.starts_with(b"\xef\xbb\xbf");
        let format = format.unwrap_or_else(|| guess(start));
        if bom {
            input.consume(3);
        }
        let end = End { empty, ..End::default() };
        Ok(Self { input, format, scan: Scan::default(), end })
    }

    #[must_use]
    pub fn format(&self) -> Format {
        self.format
    }

    /// What the file was; complete after the last record.
    #[must_use]
    pub fn end(&self) -> End {
        self.end
    }

    /// The next record; none at the end.
    ///
    /// # Errors
    /// When reading fails.
    pub fn next_record(&mut self) -> io::Result<Option<Record>> {
        let mut record = Record { bytes: Vec::new(), position: self.scan.position };
        loop {
            let buffer = self.input.fill_buf()?;
            if buffer.is_empty() {
                return Ok(self.at_end(record));
            }
            let (used, complete) = match self.format {
                Format::Har => self.scan.har(buffer, &mut record),
                Format::Ndjson => self.scan.line(buffer, &mut record),
            };
            self.input.consume(used);
            if complete && self.scan.too_large {
                self.end.too_large += 1;
                self.scan.too_large = false;
                record = Record { bytes: Vec::new(), position: self.scan.position };
            } else if complete {
                self.end.records += 1;
                return Ok(Some(record));
            }
        }
    }

    fn at_end(&mut self, record: Record) -> Option<Record> {
        match self.format {
            Format::Ndjson if !record.bytes.is_empty() => {
                self.end.records += 1;
                Some(record)
            }
            Format::Ndjson => None,
            Format::Har => {
                self.end.cut_off |= self.scan.depth > 0;
                self.end.no_entries |= !self.scan.found;
                None
            }
        }
    }
}

/// HAR is an object whose first member is `log`; everything else is lines.
fn guess(start: &[u8]) -> Format {
    let text = String::from_utf8_lossy(start.get(..512).unwrap_or(start));
    let packed: String = text
        .chars()
        .filter(|character| !character.is_whitespace() && *character != '\u{feff}')
        .collect();
    if packed.starts_with("{\"log\":") { Format::Har } else { Format::Ndjson }
}

/// The state of a scan over JSON text that looks at nothing but structure.
#[derive(Debug)]
#[expect(clippy::struct_excessive_bools, reason = "independent parts of a state")]
struct Scan {
    position: Position,
    depth: usize,
    in_text: bool,
    escaped: bool,
    /// The last text at depth 1 or 2, a member name perhaps.
    name: Vec<u8>,
    /// Depth of the items of `log.entries`, once inside.
    entries: Option<usize>,
    found: bool,
    inside: bool,
    too_large: bool,
}

impl Default for Scan {
    fn default() -> Self {
        Self {
            position: Position { line: 1, column: 1 },
            depth: 0,
            in_text: false,
            escaped: false,
            name: Vec::new(),
            entries: None,
            found: false,
            inside: false,
            too_large: false,
        }
    }
}

impl Scan {
    /// Reads up to the end of a line; gives the bytes used and whether a record is complete.
    fn line(&mut self, buffer: &[u8], record: &mut Record) -> (usize, bool) {
        let end = buffer.iter().position(|byte| *byte == b'\n');
        let piece = buffer.get(..end.unwrap_or(buffer.len())).unwrap_or_default();
        if record.bytes.is_empty() {
            record.position = self.position;
        }
        self.keep(piece, record);
        let Some(end) = end else { return (buffer.len(), false) };
        self.position = Position { line: self.position.line + 1, column: 1 };
        let blank = record.bytes.iter().all(u8::is_ascii_whitespace) && !self.too_large;
        if blank {
            record.bytes.clear();
        }
        (end + 1, !blank)
    }

    fn keep(&mut self, piece: &[u8], record: &mut Record) {
        if self.too_large || record.bytes.len() + piece.len() > RECORD_BYTES_MAX {
            self.too_large = true;
            record.bytes = Vec::new();
        } else {
            record.bytes.extend_from_slice(piece);
        }
    }

    /// Reads up to the end of an entry.
    fn har(&mut self, buffer: &[u8], record: &mut Record) -> (usize, bool) {
        let mut start = 0;
        for (index, byte) in buffer.iter().enumerate() {
            let began = !self.inside;
            let place = self.position;
            let complete = self.byte(*byte);
            if began && self.inside {
                start = index;
                record.position = place;
            }
            if complete {
                self.keep(buffer.get(start..=index).unwrap_or_default(), record);
                return (index + 1, true);
            }
        }
        if self.inside {
            self.keep(buffer.get(start..).unwrap_or_default(), record);
        }
        (buffer.len(), false)
    }

    /// Follows one byte; whether it ended an entry.
    fn byte(&mut self, byte: u8) -> bool {
        self.position = match byte {
            b'\n' => Position { line: self.position.line + 1, column: 1 },
            _ => Position { column: self.position.column + 1, ..self.position },
        };
        if self.in_text {
            self.text_byte(byte);
            return false;
        }
        match byte {
            b'"' => {
                self.in_text = true;
                self.name.clear();
            }
            b'{' | b'[' => self.open(byte),
            b'}' | b']' => return self.close(),
            _ => {}
        }
        false
    }

    fn text_byte(&mut self, byte: u8) {
        match byte {
            _ if self.escaped => self.escaped = false,
            b'\\' => self.escaped = true,
            b'"' => self.in_text = false,
            _ if self.depth <= 2 && self.name.len() < 16 => self.name.push(byte),
            _ => {}
        }
    }

    fn open(&mut self, byte: u8) {
        if self.entries == Some(self.depth) && byte == b'{' {
            self.inside = true;
        }
        self.depth += 1;
        // `{"log": {"entries": [` is three deep.
        if byte == b'[' && self.depth == 3 && self.name == b"entries" {
            self.entries = Some(self.depth);
            self.found = true;
        }
    }

    fn close(&mut self) -> bool {
        self.depth = self.depth.saturating_sub(1);
        match self.entries {
            Some(depth) if self.depth == depth && self.inside => {
                self.inside = false;
                true
            }
            Some(depth) if self.depth < depth => {
                self.entries = None;
                false
            }
            _ => false,
        }
    }
}

/// What serde says about a record, with its place.
pub(super) fn bad(error: &serde_json::Error) -> Unusable {
    let text = error.to_string();
    let reason = text.rsplit_once(" at line ").map_or(text.as_str(), |(reason, _)| reason);
    // Messages of serde quote what they found; a captured text must not get into a log.
    let reason = match (error.classify(), reason.split_once("invalid type: ")) {
        (serde_json::error::Category::Data, Some((_, rest))) => {
            let expected =
                rest.rsplit_once("expected ").map_or("another type", |(_, expected)| expected);
            format!("a value has the wrong type, expected {expected}")
        }
        _ => reason.to_owned(),
    };
    Unusable::Bad { line: error.line().max(1), column: error.column().max(1), reason }
}
