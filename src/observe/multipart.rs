//! `multipart/form-data` bodies (RFC 7578): an object with a member for each part.
//!
//! Owns what each part becomes. Refuses to own the cutting (`model::multipart`).

use super::builder::Builder;
use super::json;
use crate::model::brackets;
use crate::model::multipart::{Part, cut};
use crate::model::observation::Tape;

/// The tape of a body; none if it is not cut by its boundary. `builder` says whether only a prefix is there.
pub(super) fn read(bytes: &[u8], boundary: &str, mut builder: Builder<'_, '_>) -> Option<Tape> {
    let Some((parts, whole)) = cut(bytes, boundary) else {
        builder.discard();
        return None;
    };
    builder.open(true);
    let mut written: Vec<&str> = Vec::new();
    for part in &parts {
        if written.contains(&part.name) {
            continue;
        }
        written.push(part.name);
        let same: Vec<&Part<'_>> = parts.iter().filter(|other| other.name == part.name).collect();
        builder.key(part.name);
        if same.len() == 1 && !brackets::is_list(part.name) {
            write(part, &mut builder);
        } else if builder.enter(false) {
            for part in same {
                write(part, &mut builder);
            }
            builder.close();
        }
    }
    builder.end(whole);
    Some(builder.finish(false))
}

fn write(part: &Part<'_>, builder: &mut Builder<'_, '_>) {
    let text = std::str::from_utf8(part.body).unwrap_or_default();
    match &part.file {
        Some(media) => builder.file(media),
        None if part.json && is_json(text) => {
            // It was read just now, so it reads.
            let read = builder.read_document(&mut json::Reader::new(text, false));
            debug_assert!(read.is_ok(), "a document reads the same twice");
        }
        None => builder.text(text),
    }
}

fn is_json(text: &str) -> bool {
    let mut reader = json::Reader::new(text, false);
    loop {
        match reader.next() {
            Ok(Some(_)) => {}
            Ok(None) => return true,
            Err(_) => return false,
        }
    }
}
