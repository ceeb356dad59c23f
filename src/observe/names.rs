//! What a member or parameter name says: identity, free text, data.
//!
//! Owns the lists of names that other rules lean on. Refuses to own secrecy (`model::redaction`).

use std::sync::Arc;

use super::builder::{Sight, hash_short};
use super::classes;
use super::parameters::FieldUse;
use crate::model::hash::HashKey;
use crate::model::observation::DataClass;
use crate::model::redaction::is_secret_name;
use crate::model::words;

/// Longest name that is kept; longer ones are data.
const NAME_MAX: usize = 128;

/// Names whose facts are remembered; a power of two.
const REMEMBERED: usize = 2_048;

/// Longer names are looked at anew each time.
const REMEMBERED_LENGTH: usize = 64;

/// What follows from the name of a member or parameter alone.
#[derive(Debug, Clone)]
pub(super) struct Facts {
    pub(super) name: Arc<str>,
    /// Keyed hash of the name; of its class for data.
    pub(super) hash: u64,
    pub(super) rank: u8,
    pub(super) tag: u8,
    pub(super) data: Option<DataClass>,
    pub(super) id_like: Option<bool>,
    /// Keyed hash of its [`noun`].
    pub(super) noun: Option<u64>,
    pub(super) sight: Sight,
    /// What it is as the name of a message field.
    pub(super) field: FieldUse,
}

/// The facts of names seen lately, each in the one place that its hash gives it: the same names come again and again.
#[derive(Debug, Default)]
pub(super) struct Names {
    places: Vec<Option<Facts>>,
}

impl Names {
    pub(super) fn of(&mut self, key: &HashKey, name: &str) -> &Facts {
        if self.places.is_empty() {
            self.places.resize(REMEMBERED, None);
        }
        let last = REMEMBERED - 1;
        let place = if name.len() > REMEMBERED_LENGTH {
            0
        } else {
            1 + usize::try_from(hash_short(name.as_bytes()) >> 40).unwrap_or(0) % last
        };
        let known = &mut self.places[place];
        if known.as_ref().is_none_or(|facts| &*facts.name != name) {
            *known = None;
        }
        known.get_or_insert_with(|| Facts::of(key, name))
    }
}

impl Facts {
    fn of(key: &HashKey, name: &str) -> Self {
        let data = data_class(name);
        let sight = if is_secret_name(name) {
            Sight::Secret
        } else if is_free_text(name) {
            Sight::FreeText
        } else {
            Sight::Open
        };
        Self {
            name: name.into(),
            hash: data.map_or_else(|| key.hash(name.as_bytes()), |class| data_hash(key, class)),
            rank: if data.is_some() { 0 } else { rank(name) },
            tag: if data.is_some() { 0 } else { tag(name) },
            data,
            id_like: id_like(name),
            noun: noun(name).map(|noun| key.hash(noun.as_bytes())),
            sight,
            field: FieldUse::of(name),
        }
    }
}

/// Whether a name identifies what holds it: strongly (`id`, `user_id`), weakly (`name`), or not at all.
pub(super) fn id_like(name: &str) -> Option<bool> {
    match name {
        "id" | "_id" | "ID" | "Id" | "uuid" | "guid" | "key" | "slug" | "code" | "sku" | "ref"
        | "number" | "login" | "username" | "handle" => Some(true),
        "name" | "title" => Some(false),
        _ => ["_id", "Id", "ID", "_key", "Uuid", "_uuid"]
            .iter()
            .any(|ending| name.ends_with(ending))
            .then_some(true),
    }
}

/// The noun of an id-like name: `user` of `user_id`; none of `id`.
pub(super) fn noun(name: &str) -> Option<String> {
    let words = words::split(name);
    let (last, before) = words.split_last()?;
    let noun = before.last()?;
    ["id", "key", "uuid", "ids"]
        .contains(&last.to_ascii_lowercase().as_str())
        .then(|| words::singular(&noun.to_ascii_lowercase()).into_owned())
}

/// Whether values under this name are ids, prose, names or places: no members of enums.
pub(super) fn is_free_text(name: &str) -> bool {
    matches!(
        name,
        "name"
            | "title"
            | "description"
            | "message"
            | "comment"
            | "text"
            | "note"
            | "notes"
            | "address"
            | "street"
            | "city"
            | "email"
            | "summary"
            | "subject"
            | "body"
            | "content"
            | "label"
            | "caption"
            | "bio"
            | "nickname"
            | "username"
            | "login"
            | "author"
            | "displayName"
            | "firstName"
            | "lastName"
            | "fullName"
            | "createdBy"
            | "updatedBy"
            | "company"
            | "url"
            | "path"
            | "file"
            | "filename"
    ) || is_id(name)
        || is_open_vocabulary(name)
        || name.ends_with("name")
        || name.ends_with("Name")
        || name.ends_with("_by")
}

/// Words that users, files and releases bring along: tags, media types, versions.
fn is_open_vocabulary(name: &str) -> bool {
    matches!(
        name,
        "tag"
            | "tags"
            | "labels"
            | "keyword"
            | "keywords"
            | "topics"
            | "mime"
            | "mimetype"
            | "version"
    ) || ["_tags", "Tags", "_version", "Version"].iter().any(|ending| name.ends_with(ending))
        || ["mime_type", "mimeType", "media_type", "mediaType", "content_type", "contentType"]
            .iter()
            .any(|ending| name.ends_with(ending))
}

/// Whether a name says "id" itself.
fn is_id(name: &str) -> bool {
    matches!(name, "id" | "_id" | "ID" | "Id" | "uuid" | "guid" | "slug" | "handle")
        || ["_id", "Id", "ID", "_ids", "Ids", "Uuid", "_uuid"]
            .iter()
            .any(|ending| name.ends_with(ending))
}

/// Place from 1 in the list of names that choose among variants of the object they stand in (8.6); 0 for others.
pub(super) fn tag(name: &str) -> u8 {
    const NAMES: [&str; 18] = [
        "type",
        "kind",
        "object",
        "event",
        "category",
        "action",
        "op",
        "format",
        "method",
        "mode",
        "provider",
        "status",
        "success",
        "ok",
        "@type",
        "_type",
        "$type",
        "__typename",
    ];
    const ENDINGS: [&str; 3] = ["_type", "Type", "_kind"];
    // Hardly any name passes this, and all are asked.
    if !name.ends_with(['e', 'd', 't', 'y', 'n', 'p', 's', 'k', 'r']) {
        return 0;
    }
    let listed = NAMES.iter().position(|known| *known == name);
    let place = listed.or_else(|| {
        let ending = ENDINGS.iter().position(|ending| name.ends_with(ending))?;
        Some(NAMES.len() + ending)
    });
    place.and_then(|place| u8::try_from(place + 1).ok()).unwrap_or(0)
}

/// How word-like a name is: 0 a short one of small letters, 1 of letters, 2 with digits, 3 anything else.
pub(super) fn rank(name: &str) -> u8 {
    if name.len() <= 20 && name.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_') {
        return 0;
    }
    let plain =
        |byte: u8| byte.is_ascii_alphabetic() || matches!(byte, b'_' | b'-' | b'.' | b'$' | b'@');
    if name.len() <= 40 && name.bytes().all(plain) {
        1
    } else if name.len() <= 40 && name.bytes().all(|byte| plain(byte) || byte.is_ascii_digit()) {
        2
    } else {
        3
    }
}

/// Whether a name is data itself, as the keys of maps often are.
pub(super) fn data_class(name: &str) -> Option<DataClass> {
    if name.len() > NAME_MAX {
        return Some(DataClass::Token);
    }
    // A decimal as a name is rather a version or a section; what looks random must be long to be no word.
    classes::data_class(name).filter(|class| *class != DataClass::Prefixed || name.len() >= 16)
}

/// The hash that stands for all data names of a class. The first byte cannot begin a name that is kept.
pub(super) fn data_hash(key: &HashKey, class: DataClass) -> u64 {
    let mut bytes = [0_u8; 16];
    let name = class.as_str().as_bytes();
    if let Some(place) = bytes.get_mut(1..=name.len()) {
        place.copy_from_slice(name);
    }
    key.hash(&bytes)
}
