//! The second walk: from a pointer to its place, building nothing.
//!
//! Owns that walk. It is made only when a place is shown to a person, so that reading keeps no positions.

use super::events::{Event, Events, Step};
use crate::model::problem::{Position, Problem};

/// Where a member's key and value stand.
#[derive(Debug, Clone, Copy)]
pub(super) struct Place {
    pub(super) key: Position,
    pub(super) value: Position,
}

/// The place of `pointer` in a text that was read before, or of its nearest ancestor.
pub(super) fn seek(text: &str, pointer: &str) -> Option<Place> {
    let mut events = Events::new(text, usize::MAX);
    events.begin().ok()?;
    let (mut event, start) = events.next().ok()?;
    let mut place = Place { key: start, value: start };
    for step in pointer.split('/').skip(1) {
        let step = step.replace("~1", "/").replace("~0", "~");
        let found = match event {
            Event::MappingStart(..) => member(&mut events, &step),
            Event::SequenceStart(..) => item(&mut events, &step),
            _ => Ok(None),
        };
        let Ok(Some((key, (next, start)))) = found else { break };
        let key = key.unwrap_or(start);
        place = Place { key, value: if matches!(next, Event::Scalar(..)) { start } else { key } };
        event = next;
    }
    Some(place)
}

/// The place of a member's key, if it has one, and the first event of its value.
type Found<'a> = Result<Option<(Option<Position>, Step<'a>)>, Problem>;

fn member<'a>(events: &mut Events<'a>, name: &str) -> Found<'a> {
    loop {
        let (event, place) = events.next()?;
        match event {
            Event::MappingEnd | Event::StreamEnd => return Ok(None),
            Event::Scalar(text, ..) if text == name => {
                return Ok(Some((Some(place), events.next()?)));
            }
            other => events.skip(&other)?,
        }
        let (value, _) = events.next()?;
        events.skip(&value)?;
    }
}

fn item<'a>(events: &mut Events<'a>, index: &str) -> Found<'a> {
    let Ok(mut left) = index.parse::<usize>() else { return Ok(None) };
    loop {
        let step = events.next()?;
        if matches!(step.0, Event::SequenceEnd | Event::StreamEnd) {
            return Ok(None);
        }
        if left == 0 {
            return Ok(Some((None, step)));
        }
        left -= 1;
        events.skip(&step.0)?;
    }
}
