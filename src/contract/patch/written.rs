//! A document as written: where in it an operation, a body, a schema stands.
//!
//! Owns following `$ref` and compositions inside one document. A reference that leads out of it ends the search: a patch cannot
//! change another file.

use serde_json::Value;

use crate::model::finding::{Direction, Finding};
use crate::model::problem::pointer;

const REFERENCES_MAX: usize = 64;
const DEPTH_MAX: usize = 8;

/// How a document spells things.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Spelling {
    Swagger20,
    OpenApi30,
    OpenApi31,
}

pub(super) struct Written<'d> {
    document: &'d Value,
    pub(super) spelling: Spelling,
}

impl<'d> Written<'d> {
    pub(super) fn new(document: &'d Value) -> Self {
        let version = document.get("openapi").and_then(Value::as_str).unwrap_or_default();
        let spelling = match version {
            "" => Spelling::Swagger20,
            text if text.starts_with("3.0") => Spelling::OpenApi30,
            _ => Spelling::OpenApi31,
        };
        Self { document, spelling }
    }

    pub(super) fn at(&self, place: &str) -> Option<&'d Value> {
        self.document.pointer(place)
    }

    /// The place that a place's `$ref` leads to, or itself.
    pub(super) fn resolve(&self, place: &str) -> Option<String> {
        let mut place = place.to_owned();
        for _ in 0..REFERENCES_MAX {
            match self.at(&place)?.get("$ref").and_then(Value::as_str) {
                None => return Some(place),
                Some(reference) => {
                    let target = reference.strip_prefix('#')?;
                    let decoded =
                        percent_encoding::percent_decode_str(target).decode_utf8().ok()?;
                    place = decoded.into_owned();
                }
            }
        }
        None
    }

    pub(super) fn operation(&self, finding: &Finding) -> Option<String> {
        let item = self.resolve(&pointer("/paths", &finding.template))?;
        let operation = pointer(&item, &finding.method.to_ascii_lowercase());
        self.at(&operation).map(|_| operation)
    }

    /// A parameter of an operation or of its path, by place and name; of a path parameter the name is its position.
    pub(super) fn parameter(&self, operation: &str, (place, name): (&str, &str)) -> Option<String> {
        let item = operation.rsplit_once('/').map_or("", |(item, _)| item);
        [operation, item].iter().find_map(|owner| {
            let list = pointer(owner, "parameters");
            let count = self.at(&list)?.as_array()?.len();
            let mut places =
                (0..count).filter_map(|index| self.resolve(&format!("{list}/{index}")));
            let mut of_path = 0;
            places.find(|candidate| {
                let Some(written) = self.at(candidate) else { return false };
                let is_here = written.get("in").and_then(Value::as_str) == Some(place);
                if place == "path" && is_here {
                    of_path += 1;
                    return (of_path - 1).to_string() == name;
                }
                let known = written.get("name").and_then(Value::as_str).unwrap_or_default();
                is_here && known.eq_ignore_ascii_case(name)
            })
        })
    }

    pub(super) fn response(&self, finding: &Finding) -> Option<String> {
        let operation = self.operation(finding)?;
        let responses = pointer(&operation, "responses");
        let status = &finding.location.status;
        let known = self.at(&responses)?.as_object()?;
        let spelled = known.keys().find(|known| known.eq_ignore_ascii_case(status))?;
        self.resolve(&pointer(&responses, spelled))
    }

    /// The `content` that a finding's body is documented in.
    pub(super) fn content(&self, finding: &Finding) -> Option<String> {
        let holder = match finding.direction {
            Direction::Request => {
                self.resolve(&pointer(&self.operation(finding)?, "requestBody"))?
            }
            _ => self.response(finding)?,
        };
        let content = pointer(&holder, "content");
        self.at(&content).map(|_| content)
    }

    /// The schema of the whole body.
    fn root(&self, finding: &Finding) -> Option<String> {
        let place = match (self.spelling, finding.direction) {
            (Spelling::Swagger20, Direction::Request) => {
                let operation = self.operation(finding)?;
                let parameters = pointer(&operation, "parameters");
                let count = self.at(&parameters)?.as_array()?.len();
                let mut places =
                    (0..count).filter_map(|index| self.resolve(&format!("{parameters}/{index}")));
                let body = places.find(|place| {
                    self.at(place).and_then(|known| known.get("in")) == Some(&Value::from("body"))
                })?;
                pointer(&body, "schema")
            }
            (Spelling::Swagger20, _) => pointer(&self.response(finding)?, "schema"),
            _ => {
                let content = self.content(finding)?;
                let media = pointer(&content, &finding.location.media_type);
                pointer(&media, "schema")
            }
        };
        self.resolve(&place)
    }

    /// The schema of the place that a finding is of.
    pub(super) fn schema(&self, finding: &Finding) -> Option<String> {
        self.walk(self.root(finding)?, &steps(finding))
    }

    /// The schema of the object that holds the finding's field, and the field's name.
    pub(super) fn parent(&self, finding: &Finding) -> Option<(String, String)> {
        let mut steps = steps(finding);
        let name = steps.pop()?;
        Some((self.walk(self.root(finding)?, &steps)?, name))
    }

    fn walk(&self, root: String, steps: &[String]) -> Option<String> {
        steps.iter().try_fold(root, |place, step| {
            let inner = match step.as_str() {
                "*" => self.find(&place, 0, &|place| {
                    let items = pointer(place, "items");
                    self.at(&items).map(|_| items)
                }),
                "{}" => self.find(&place, 0, &|place| {
                    let rest = pointer(place, "additionalProperties");
                    self.at(&rest).map(|_| rest)
                }),
                name => self.find(&place, 0, &|place| {
                    let property = pointer(&pointer(place, "properties"), name);
                    self.at(&property).map(|_| property)
                }),
            };
            self.resolve(&inner?)
        })
    }

    /// The part of a composition whose list `keyword` holds a name.
    pub(super) fn holder(&self, place: &str, keyword: &str, name: &str) -> Option<String> {
        self.find(place, 0, &|place| {
            let list = self.at(&pointer(place, keyword))?.as_array()?;
            list.iter().any(|known| known == name).then(|| place.to_owned())
        })
    }

    /// The first part of a composition in which something is found.
    fn find(
        &self,
        place: &str,
        depth: usize,
        pick: &dyn Fn(&str) -> Option<String>,
    ) -> Option<String> {
        if depth > DEPTH_MAX {
            return None;
        }
        let place = self.resolve(place)?;
        pick(&place).or_else(|| {
            ["allOf", "anyOf", "oneOf"].iter().find_map(|name| {
                let list = pointer(&place, name);
                let count = self.at(&list)?.as_array()?.len();
                (0..count).find_map(|index| self.find(&format!("{list}/{index}"), depth + 1, pick))
            })
        })
    }
}

fn steps(finding: &Finding) -> Vec<String> {
    let steps = finding.location.pointer.split('/').skip(1);
    steps.map(|step| step.replace("~1", "/").replace("~0", "~")).collect()
}
