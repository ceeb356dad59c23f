//! Bodies of one direction to content by media type.

use super::ir::{Kinds, Schema};
use super::shapes::{self, Context};
use super::xml;
use crate::infer::evidence::{BodyEvidence, Stream};
use crate::infer::monoid::{Count, Monoid as _};
use crate::infer::shape::Shape;
use crate::infer::table::Table;

/// Media types that pages are made of, rather than answers of an API.
const PAGES: &[&str] = &["text/html", "text/css", "text/javascript", "application/javascript"];

/// The content of a message: a schema for each media type.
pub(super) fn content<const K: usize>(
    bodies: &Table<BodyEvidence, K>,
    context: Context<'_>,
) -> Vec<(String, Schema)> {
    let mut stated: Vec<(String, Schema)> = bodies
        .iter()
        .filter(|entry| !context.is_request() || is_stated(entry.value.n, context))
        .map(|entry| {
            let name = if entry.name.is_empty() { "*/*" } else { &*entry.name };
            let evidence = &entry.value;
            let schema = if describes_api(&evidence.shape) {
                outline(shapes::schema(&evidence.shape, context))
            } else if let Some(stream) = evidence.sequence() {
                of_stream(name, stream, context)
            } else if evidence.read.any() && xml::is_xml(name) {
                xml::schema(&evidence.shape, context)
            } else if evidence.read.any() && is_form(name) {
                let mut shape = evidence.shape.clone();
                enlist(&mut shape);
                shapes::schema(&shape, Context { textual: true, ..context })
            } else if evidence.read.any() {
                shapes::schema(&evidence.shape, context)
            } else if evidence.malformed.any() {
                Schema::default()
            } else {
                opaque(name)
            };
            (name.to_owned(), schema)
        })
        .collect();
    stated.sort_by(|left, right| left.0.cmp(&right.0));
    stated
}

/// A field of a form that repeats is a list; where it was sent once, it was a list of one.
fn enlist(shape: &mut Shape) {
    for entry in shape.members.iter_mut().flat_map(|members| members.keys.iter_mut()) {
        let field = &mut entry.value.shape;
        if field.array.any() && field.text.any() {
            let once = std::mem::take(&mut field.text);
            field.array.merge(&once);
            let items = field.items.get_or_insert_default();
            items.n.merge(&once);
            items.shape.text.merge(&once);
            items.shape.texts.merge(&field.texts.take());
        }
        enlist(field);
    }
}

/// A stream is a text to OpenAPI; what its items are is beside it. Under a type of JSON a stream of one item is that item.
fn of_stream(media: &str, stream: &Stream, context: Context<'_>) -> Schema {
    let mut items: Vec<(String, Schema)> = stream
        .events
        .iter()
        .map(|entry| (entry.name.to_string(), shapes::schema(&entry.value, context)))
        .collect();
    items.sort_by(|left, right| left.0.cmp(&right.0));
    let kinds = if is_json(media) { Kinds::default() } else { Kinds::STRING };
    Schema { stream: items, ..Schema::of(kinds) }
}

fn is_stated(n: Count, context: Context<'_>) -> bool {
    context.view == crate::infer::View::Permissive || n.0 >= context.samples_min
}

/// The schema of media that are not looked into.
pub(super) fn opaque(media: &str) -> Schema {
    if is_json(media) {
        return Schema::default();
    }
    if is_form(media) {
        return Schema::of(Kinds::OBJECT);
    }
    let textual = media.starts_with("text/") || media.ends_with("xml") || media == "*/*";
    Schema { kinds: Kinds::STRING, format: (!textual).then_some("binary"), ..Schema::default() }
}

fn is_json(media: &str) -> bool {
    media == "application/json" || media.ends_with("+json")
}

/// Whether a media type belongs to pages: markup, styles, scripts, fonts, images.
pub(super) fn is_page(media: &str) -> bool {
    PAGES.contains(&media) || media.starts_with("image/") || media.starts_with("font/")
}

/// Whether a media type spells all values as texts.
pub(super) fn is_textual(media: &str) -> bool {
    is_form(media) || xml::is_xml(media)
}

/// Whether bodies of a media type are fields of a form.
pub(super) fn is_form(media: &str) -> bool {
    matches!(media, "application/x-www-form-urlencoded" | "multipart/form-data")
}

/// Whether bodies are OpenAPI documents themselves: what they hold is another contract.
pub(super) fn describes_api(shape: &Shape) -> bool {
    let Some(members) = &shape.members else { return false };
    let has = |wanted: &str| members.keys.iter().any(|entry| &*entry.name == wanted);
    (has("openapi") || has("swagger")) && has("info") && has("paths")
}

/// A schema without what is below its members.
fn outline(mut schema: Schema) -> Schema {
    for property in &mut schema.properties {
        property.schema = Schema::of(property.schema.kinds);
    }
    schema
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_looked_into_is_what_its_media_type_says() {
        for (media, kinds, format) in [
            ("multipart/form-data", Kinds::OBJECT, None),
            ("application/x-www-form-urlencoded", Kinds::OBJECT, None),
            ("application/hal+json", Kinds::default(), None),
            ("application/pdf", Kinds::STRING, Some("binary")),
            ("text/csv", Kinds::STRING, None),
        ] {
            let schema = opaque(media);
            assert_eq!((schema.kinds, schema.format), (kinds, format), "{media}");
        }
    }
}
