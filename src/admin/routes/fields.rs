//! Reading query strings and bodies strictly: every unknown or faulty member at once, with the nearest name.
//!
//! Owns the way from text to a typed order, driven by the type's own schema, so that what is accepted is what the `OpenAPI`
//! document says. Refuses to own the types (`dto`).

use schemars::JsonSchema;
use schemars::generate::SchemaSettings;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

use super::super::problem::Refusal;
use crate::model::problem::{nearest, pointer};

/// The members that a query string or a body may have.
#[derive(Debug, Clone)]
pub(super) struct Fields(Vec<Field>);

#[derive(Debug, Clone)]
struct Field {
    name: String,
    kind: Kind,
}

/// How the text of a query parameter is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Text,
    Number,
    Flag,
    /// May be repeated.
    Texts,
}

/// Where members stand; it decides how a fault is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Place {
    Query,
    Body,
}

impl Fields {
    pub(super) fn of<T: JsonSchema>() -> Self {
        let generator = SchemaSettings::draft2020_12().into_generator();
        let schema = generator.into_root_schema_for::<T>();
        let members = schema.get("properties").and_then(Value::as_object);
        let field = |(name, schema): (&String, &Value)| Field {
            name: name.clone(),
            kind: Kind::of(schema),
        };
        Self(members.into_iter().flatten().map(field).collect())
    }

    /// Reads `a=1&b=2`.
    pub(super) fn read_query<T: DeserializeOwned>(&self, query: &str) -> Result<T, Refusal> {
        let mut members = Map::new();
        for (name, text) in url::form_urlencoded::parse(query.as_bytes()) {
            let known = self.0.iter().find(|field| field.name == name);
            let kind = known.map_or(Kind::Text, |field| field.kind);
            match members.get_mut(&*name) {
                None => {
                    members.insert(name.into_owned(), kind.read(&text));
                }
                Some(Value::Array(texts)) => texts.push(Value::from(text)),
                Some(_) => {
                    let message = "this parameter is given twice".to_owned();
                    return Err(Place::Query.fault().at_parameter(&name, message, String::new()));
                }
            }
        }
        self.read(&members, Place::Query)
    }

    /// Takes the members over, or refuses with all faults: the unknown ones if there are any, else the unreadable ones.
    pub(super) fn read<T: DeserializeOwned>(
        &self,
        members: &Map<String, Value>,
        place: Place,
    ) -> Result<T, Refusal> {
        let is_known = |name: &str| self.0.iter().any(|field| field.name == name);
        let unknown: Vec<&String> = members.keys().filter(|name| !is_known(name)).collect();
        if !unknown.is_empty() {
            return Err(self.refuse_unknown(&unknown, place));
        }
        let whole = T::deserialize(members);
        whole.map_err(|error| refuse_faulty::<T>(members, &error, place))
    }

    fn refuse_unknown(&self, unknown: &[&String], place: Place) -> Refusal {
        let known = || self.0.iter().map(|field| field.name.as_str());
        let refusal = match place {
            Place::Query => Refusal::malformed(
                "request.unknown-parameter",
                "the query has parameters that this route does not know",
            ),
            Place::Body => Place::Body.fault(),
        };
        unknown.iter().fold(refusal, |refusal, name| {
            let remedy = match nearest(name, known()) {
                Some(near) => format!("did you mean `{near}`?"),
                None if self.0.is_empty() => "this route takes none".to_owned(),
                None => format!("known are {}", known().collect::<Vec<_>>().join(", ")),
            };
            place.mark(refusal, name, format!("`{name}` is not known"), remedy)
        })
    }
}

/// Tries each member alone, so that every faulty one is told with its place.
fn refuse_faulty<T: DeserializeOwned>(
    members: &Map<String, Value>,
    error: &serde_json::Error,
    place: Place,
) -> Refusal {
    let alone = |(name, value): (&String, &Value)| {
        let member = Map::from_iter([(name.clone(), value.clone())]);
        let error = T::deserialize(&member).err()?.to_string();
        (!error.starts_with("missing field")).then(|| (name.clone(), error))
    };
    let faulty: Vec<(String, String)> = members.iter().filter_map(alone).collect();
    if faulty.is_empty() {
        return place.mark(place.fault(), "", error.to_string(), String::new());
    }
    faulty.into_iter().fold(place.fault(), |refusal, (name, error)| {
        place.mark(refusal, &name, error, String::new())
    })
}

impl Place {
    fn fault(self) -> Refusal {
        match self {
            Self::Query => Refusal::malformed(
                "request.bad-parameter",
                "the query has parameters that cannot be read",
            ),
            Self::Body => Refusal::unprocessable("request.invalid", "the body has wrong members"),
        }
    }

    fn mark(self, refusal: Refusal, name: &str, message: String, remedy: String) -> Refusal {
        match (self, name) {
            (Self::Query, name) => refusal.at_parameter(name, message, remedy),
            (Self::Body, "") => refusal.at_pointer(String::new(), message, remedy),
            (Self::Body, name) => refusal.at_pointer(pointer("", name), message, remedy),
        }
    }
}

impl Kind {
    fn of(schema: &Value) -> Self {
        let is = |name: &str| match schema.get("type") {
            Some(Value::String(kind)) => kind == name,
            Some(Value::Array(kinds)) => kinds.iter().any(|kind| kind == name),
            _ => false,
        };
        if is("array") {
            Self::Texts
        } else if is("boolean") {
            Self::Flag
        } else if is("integer") || is("number") {
            Self::Number
        } else {
            Self::Text
        }
    }

    /// What is not of the kind stays text and is refused by the type.
    fn read(self, text: &str) -> Value {
        let read = match self {
            Self::Number => text.parse::<i64>().ok().map(Value::from),
            Self::Flag if text.is_empty() => Some(Value::Bool(true)),
            Self::Flag => text.parse::<bool>().ok().map(Value::from),
            Self::Texts => Some(Value::Array(vec![Value::from(text)])),
            Self::Text => None,
        };
        read.unwrap_or_else(|| Value::from(text))
    }
}
