//! Counts of XML elements to schemas (`spec/inference.md` 8.7): names, prefixes and attributes move into `xml` objects.
//!
//! Owns what tells an element that repeats from one that does not. Refuses to own schemas otherwise (`shapes`).

use super::components::Shared;
use super::ir::{Kinds, Property, Schema};
use super::shapes::{self, Context};
use crate::infer::shape::Shape;

/// How a schema is written in XML.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Xml {
    /// The name without its prefix, where that is not the name of the property.
    pub(super) name: Option<String>,
    pub(super) prefix: Option<String>,
    pub(super) attribute: bool,
}

/// Whether bodies of a media type are read as XML.
pub(super) fn is_xml(media: &str) -> bool {
    matches!(media, "application/xml" | "text/xml") || media.ends_with("+xml")
}

/// The schema of the root element; of all of them, if there are several.
pub(super) fn schema(shape: &Shape, context: Context<'_>) -> Schema {
    let mut shape = shape.clone();
    unfold(&mut shape);
    // Names in XML are those of elements: nothing is shared with records in JSON.
    let shared = Shared::default();
    let mut schema = shapes::schema(&shape, Context { textual: true, shared: &shared, ..context });
    rename(&mut schema);
    let only = if schema.properties.len() == 1 { schema.properties.pop() } else { None };
    let Some(Property { name, schema: mut root, .. }) = only else { return schema };
    let xml = root.xml.get_or_insert_default();
    xml.name.get_or_insert(name);
    root
}

/// Every child was counted as an array; those that never repeat are single elements.
fn unfold(shape: &mut Shape) {
    for entry in shape.members.iter_mut().flat_map(|members| members.keys.iter_mut()) {
        let child = &mut entry.value.shape;
        if let Some(items) = child.items.take_if(|items| items.longest.0 <= 1) {
            *child = items.shape;
        }
        unfold(child);
    }
    if let Some(items) = &mut shape.items {
        unfold(&mut items.shape);
    }
}

/// Moves prefixes and marks of attributes out of the names of properties, where these stay distinct.
fn rename(schema: &mut Schema) {
    let names: Vec<String> =
        schema.properties.iter().map(|property| local(&property.name).to_owned()).collect();
    for (index, property) in schema.properties.iter_mut().enumerate() {
        let name = local(&property.name);
        let distinct = names.iter().filter(|other| *other == name).count() == 1;
        let bare = property.name.strip_prefix('@').unwrap_or(&property.name);
        let xml = Xml {
            name: (!distinct).then(|| name.to_owned()),
            prefix: bare.split_once(':').map(|(prefix, _)| prefix.to_owned()),
            attribute: property.name.starts_with('@'),
        };
        if let Some(name) = names.get(index).filter(|_| distinct) {
            property.name.clone_from(name);
        }
        rename(&mut property.schema);
        let schema = match &mut property.schema.items {
            // What repeats is each item.
            Some(items) if property.schema.kinds == Kinds::ARRAY => items,
            _ => &mut property.schema,
        };
        schema.xml = Some(xml).filter(|xml| *xml != Xml::default());
    }
    if let Some(items) = &mut schema.items {
        rename(items);
    }
}

/// A name without the mark of attributes and without its prefix.
fn local(name: &str) -> &str {
    let bare = name.strip_prefix('@').unwrap_or(name);
    bare.split_once(':').map_or(bare, |(_, local)| local)
}
