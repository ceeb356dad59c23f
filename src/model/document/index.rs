//! Many pointers to their places in one walk.
//!
//! Owns that walk, for reports that show hundreds of places of one text. One place alone is found by `seek`.

use std::collections::BTreeMap;

use super::events::{Event, Events, Step};
use crate::model::problem::{Position, Problem};

/// The places of values in a text that was read before.
#[derive(Debug, Default)]
pub struct Index {
    places: BTreeMap<String, Position>,
}

/// What is wanted below a node.
#[derive(Default)]
struct Wanted {
    below: BTreeMap<String, Wanted>,
}

impl Index {
    /// Walks the text once, into the wanted places alone.
    #[must_use]
    pub fn of<'p>(text: &str, pointers: impl Iterator<Item = &'p str>) -> Self {
        let mut wanted = Wanted::default();
        for pointer in pointers {
            let mut node = &mut wanted;
            for step in pointer.split('/').skip(1) {
                let step = step.replace("~1", "/").replace("~0", "~");
                node = node.below.entry(step).or_default();
            }
        }
        let mut index = Self::default();
        let text = super::readable(text.strip_prefix('\u{feff}').unwrap_or(text));
        let mut events = Events::new(&text, usize::MAX);
        if let Ok(true) = events.begin()
            && let Ok((event, start)) = events.next()
        {
            index.places.insert(String::new(), start);
            // What cannot be read was reported when the text was read; here it only ends the walk.
            drop(index.walk(&mut events, &event, &wanted, &mut String::new()));
        }
        index
    }

    /// The place of a pointer, else of its nearest ancestor that was found.
    #[must_use]
    pub fn place(&self, pointer: &str) -> Option<Position> {
        let mut pointer = pointer;
        loop {
            if let Some(place) = self.places.get(pointer) {
                return Some(*place);
            }
            pointer = pointer.rsplit_once('/')?.0;
        }
    }

    fn walk(
        &mut self,
        events: &mut Events<'_>,
        event: &Event<'_>,
        wanted: &Wanted,
        pointer: &mut String,
    ) -> Result<(), Problem> {
        match event {
            _ if wanted.below.is_empty() => events.skip(event),
            Event::MappingStart(..) => self.mapping(events, wanted, pointer),
            Event::SequenceStart(..) => self.sequence(events, wanted, pointer),
            _ => Ok(()),
        }
    }

    fn mapping(
        &mut self,
        events: &mut Events<'_>,
        wanted: &Wanted,
        pointer: &mut String,
    ) -> Result<(), Problem> {
        loop {
            let (key, at) = events.next()?;
            let name = match key {
                Event::MappingEnd | Event::StreamEnd => return Ok(()),
                Event::Scalar(ref text, ..) => text.to_string(),
                ref other => {
                    events.skip(other)?;
                    String::new()
                }
            };
            let value = events.next()?;
            self.node(events, (&name, at), value, (wanted, pointer))?;
        }
    }

    fn sequence(
        &mut self,
        events: &mut Events<'_>,
        wanted: &Wanted,
        pointer: &mut String,
    ) -> Result<(), Problem> {
        for index in 0_usize.. {
            let step = events.next()?;
            if matches!(step.0, Event::SequenceEnd | Event::StreamEnd) {
                break;
            }
            let at = step.1;
            self.node(events, (&index.to_string(), at), step, (wanted, pointer))?;
        }
        Ok(())
    }

    /// A member or item: noted and walked if it is wanted, else passed over.
    fn node(
        &mut self,
        events: &mut Events<'_>,
        (name, at): (&str, Position),
        (event, start): Step<'_>,
        (wanted, pointer): (&Wanted, &mut String),
    ) -> Result<(), Problem> {
        let Some(inner) = wanted.below.get(name) else { return events.skip(&event) };
        let length = pointer.len();
        pointer.push('/');
        pointer.push_str(&name.replace('~', "~0").replace('/', "~1"));
        let place = if matches!(event, Event::Scalar(..)) { start } else { at };
        self.places.insert(pointer.clone(), place);
        let walked = self.walk(events, &event, inner, pointer);
        pointer.truncate(length);
        walked
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::document::{Document, ReadOptions};

    #[test]
    fn one_walk_finds_what_many_find() {
        let text = "a:\n  - b: 1\n    c/d: [x, {e: 2}]\n  - f\ng: {h: 3}\n";
        let document = Document::parse(text, &ReadOptions::default()).expect("read");
        let pointers =
            ["", "/a", "/a/0/b", "/a/0/c~1d/1/e", "/a/1", "/g/h", "/g/none/deeper", "/a/7", "/a/0"];
        let index = Index::of(text, pointers.into_iter());
        for pointer in pointers {
            assert_eq!(index.place(pointer), document.locate(pointer), "{pointer}");
        }
    }
}
