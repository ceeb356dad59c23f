//! The events of a text: the only user of the YAML crate.
//!
//! Owns the settings of its parser and the translation of its errors and places into ours. Refuses to own what the events
//! are made into.

use serde_saphyr::granit_parser::{ErrorKind, Marker, Options, Parser, ScanError, StrInput};

pub(super) use serde_saphyr::granit_parser::{Event, ScalarStyle, Tag};

use crate::model::problem::{Position, Problem};

/// Longest key of a mapping, characters. YAML says 1,024, but JSON sets none.
const KEY_CHARACTERS_MAX: usize = 64 * 1024;

/// An event and where it begins.
pub(super) type Step<'a> = (Event<'a>, Position);

pub(super) struct Events<'a> {
    parser: Parser<'a, StrInput<'a>>,
    depth_max: usize,
}

impl<'a> Events<'a> {
    pub(super) fn new(text: &'a str, depth_max: usize) -> Self {
        let mut options = Options::default();
        options.set_emit_comments(false);
        options.simple_key_max_lookahead = KEY_CHARACTERS_MAX;
        options.flow_nesting_limit = depth_max;
        options.block_nesting_limit = depth_max;
        Self { parser: Parser::new_from_str_with_options(text, options), depth_max }
    }

    /// The next event. After the last there is `StreamEnd` for ever.
    pub(super) fn next(&mut self) -> Result<Step<'a>, Problem> {
        match self.parser.next_event() {
            Some(Ok((event, span))) => Ok((event, position(span.start))),
            Some(Err(error)) => Err(self.problem(&error)),
            None => Ok((Event::StreamEnd, Position { line: 1, column: 1 })),
        }
    }

    /// Skips to the first node; false for an empty stream.
    pub(super) fn begin(&mut self) -> Result<bool, Problem> {
        loop {
            match self.next()?.0 {
                Event::DocumentStart(..) => return Ok(true),
                Event::StreamEnd => return Ok(false),
                _ => {}
            }
        }
    }

    /// Reads past the rest of the node that begins with `event`.
    pub(super) fn skip(&mut self, event: &Event<'_>) -> Result<(), Problem> {
        let mut open = opens(event);
        while open > 0 {
            match self.next()?.0 {
                Event::MappingEnd | Event::SequenceEnd => open -= 1,
                Event::StreamEnd => return Ok(()),
                other => open += opens(&other),
            }
        }
        Ok(())
    }

    fn problem(&self, error: &ScanError) -> Problem {
        let place = position(*error.marker());
        match error.kind() {
            ErrorKind::RecursionLimitExceeded => too_deep("", self.depth_max, place),
            _ => Problem::error("", "document.syntax", error.info())
                .remedy("mend the YAML or JSON syntax at this place")
                .at(place),
        }
    }
}

/// Said by the parser when it scans ahead, and by the composer when aliases are written out.
pub(super) fn too_deep(pointer: &str, depth_max: usize, place: Position) -> Problem {
    let message = format!("nested deeper than {depth_max} levels");
    Problem::error(pointer, "document.too-deep", message).at(place)
}

fn opens(event: &Event<'_>) -> usize {
    usize::from(matches!(event, Event::MappingStart(..) | Event::SequenceStart(..)))
}

fn position(marker: Marker) -> Position {
    Position { line: marker.line(), column: marker.col() + 1 }
}
