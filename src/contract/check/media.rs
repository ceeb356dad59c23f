//! Which documented media type a body has, and whether it can be read as a value.
//!
//! Owns matching (`spec/contract.md` 3, step 3) and the list of what is never parsed.

use crate::model::exchange::{Body, Message};
use crate::model::media::MediaType;

use super::super::judgement::Reason;
use super::super::specification::Content;

/// The documented entry for a media type: exact with parameters, then without, then `type/*`, then `*/*`.
pub(in crate::contract) fn find<'c>(
    content: &'c [Content],
    media: &MediaType,
) -> Option<&'c Content> {
    content
        .iter()
        .filter_map(|entry| fit(&entry.media.media, media).map(|fit| (fit, entry)))
        // The first of equals wins, so that the order of the document decides.
        .rev()
        .max_by_key(|(fit, _)| *fit)
        .map(|(_, entry)| entry)
}

fn fit(documented: &MediaType, media: &MediaType) -> Option<u8> {
    let (documented_kind, documented_subtype) = documented.essence().split_once('/')?;
    let (kind, subtype) = media.essence().split_once('/')?;
    let suffix = documented_subtype.strip_prefix('*').filter(|suffix| !suffix.is_empty());
    if documented.essence() == media.essence() {
        let same = documented
            .parameters()
            .iter()
            .all(|(name, value)| media.parameter(name) == Some(value));
        return Some(match (same, documented.parameters().is_empty()) {
            (true, false) => 6,
            (true, true) => 5,
            (false, _) => 4,
        });
    }
    match (documented_kind, documented_subtype) {
        ("*", "*") => Some(1),
        (same, "*") if same == kind => Some(2),
        (same, _) if same == kind && suffix.is_some_and(|suffix| subtype.ends_with(suffix)) => {
            Some(3)
        }
        _ => None,
    }
}

/// Whether a body of this type never ends, so that there is no whole to judge.
pub(super) fn is_streaming(media: &MediaType) -> bool {
    matches!(
        media.essence(),
        "text/event-stream"
            | "application/x-ndjson"
            | "application/ndjson"
            | "application/jsonl"
            | "application/json-seq"
            | "application/stream+json"
            | "multipart/x-mixed-replace"
    ) || media.essence().starts_with("application/grpc")
}

/// The bytes of a body, if there are any: none when it is absent or empty.
pub(super) fn bytes(message: &Message) -> Result<Option<&[u8]>, Reason> {
    match &message.body {
        Body::Absent => Ok(None),
        Body::Bytes { bytes, truncated: false } if bytes.is_empty() => Ok(None),
        Body::Bytes { bytes, truncated: false } => Ok(Some(bytes)),
        Body::Bytes { truncated: true, .. } | Body::Unknown => Err(Reason::Truncated),
        Body::Opaque => Err(Reason::Undecodable),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::contract::specification::MediaRange;
    use std::collections::BTreeMap;

    #[test]
    fn the_narrowest_documented_type_wins() {
        let documented = [
            "*/*",
            "application/*",
            "application/json",
            "application/json;v=2",
            "text/*",
            "application/*+json",
        ];
        let content: Vec<Content> = documented
            .iter()
            .map(|text| Content {
                media: MediaRange {
                    text: (*text).to_owned(),
                    media: MediaType::parse(text).expect("media"),
                },
                schema: None,
                encoding: BTreeMap::new(),
                examples: Vec::new(),
                pointer: String::new(),
            })
            .collect();
        for (sent, expected) in [
            ("application/json;v=2", "application/json;v=2"),
            ("application/json; charset=utf-8", "application/json"),
            ("application/problem+json", "application/*+json"),
            ("application/xml", "application/*"),
            ("text/plain", "text/*"),
            ("image/png", "*/*"),
        ] {
            let media = MediaType::parse(sent).expect("media");
            assert_eq!(find(&content, &media).expect("found").media.text, expected, "{sent}");
        }
        let media = MediaType::parse("text/html").expect("media");
        assert!(find(&content[2..3], &media).is_none());
    }
}
