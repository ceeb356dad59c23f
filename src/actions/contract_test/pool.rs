//! Ids that this run has read, for the slots of path templates (`spec/contract-test.md` 6, links by name).
//!
//! Owns collecting values from answers and proposing them for a slot. Values live in memory for the length of one run and never
//! stand in a report. Pure.

use std::collections::BTreeMap;

use serde_json::Value;

use super::serialise::scalar;

/// Values kept per name.
const VALUES_MAX: usize = 20;
/// Names kept.
const NAMES_MAX: usize = 2_000;
/// How deep answers are searched: wrapper, list, item, nested object.
const DEPTH_MAX: usize = 4;
/// Items of a list that are looked at.
const ITEMS_MAX: usize = 50;

/// Words that make a name an id, longest first where one ends another.
const ID_WORDS: &[&str] = &["number", "name", "uuid", "slug", "code", "key", "id"];
/// Members that wrap a list of the resource that the path names.
const WRAPPERS: &[&str] = &["data", "items", "results", "content", "_embedded", "records", "value"];

/// What was read, in order, so that equal answers give equal requests.
#[derive(Debug, Default)]
pub(super) struct Pool {
    /// `order.id` → values: the resource in singular, a dot, the kind of id.
    values: BTreeMap<String, Vec<String>>,
}

impl Pool {
    /// Collects ids from the JSON body of a successful answer. `template` is the operation's path template.
    pub(super) fn read(&mut self, template: &str, body: &Value) {
        self.walk(&resource_of(template), body, 0);
    }

    fn walk(&mut self, resource: &str, value: &Value, depth: usize) {
        if depth > DEPTH_MAX {
            return;
        }
        match value {
            Value::Array(items) => {
                for item in items.iter().take(ITEMS_MAX) {
                    // A list of texts below `/regions` names regions.
                    match item {
                        Value::String(_) | Value::Number(_) => self.add(resource, "id", item),
                        _ => self.walk(resource, item, depth + 1),
                    }
                }
            }
            Value::Object(members) => {
                for (name, member) in members {
                    self.member(resource, name, member, depth);
                }
            }
            _ => {}
        }
    }

    fn member(&mut self, resource: &str, name: &str, member: &Value, depth: usize) {
        if scalar(member).is_some() {
            if let (base, Some(kind)) = split(name) {
                let owner = if base.is_empty() { resource } else { &base };
                self.add(owner, kind, member);
            }
        } else if WRAPPERS.contains(&name) {
            self.walk(resource, member, depth + 1);
        } else {
            self.walk(&singular(&normalised(name)), member, depth + 1);
        }
    }

    fn add(&mut self, resource: &str, kind: &str, value: &Value) {
        let Some(text) = scalar(value).filter(|text| !text.is_empty() && text.len() <= 256) else {
            return;
        };
        let name = format!("{resource}.{kind}");
        if self.values.len() >= NAMES_MAX && !self.values.contains_key(&name) {
            return;
        }
        let values = self.values.entry(name).or_default();
        if values.len() < VALUES_MAX && !values.contains(&text) {
            values.push(text);
        }
    }

    /// Values for a slot of a template: of the slot's own name, else the `id` of its resource.
    pub(super) fn for_slot(&self, template: &str, slot: &str) -> &[String] {
        let (base, kind) = split(slot);
        let before = before_slot(template, slot);
        let resources = [base, before];
        let kinds = [kind.unwrap_or("id"), "id"];
        for resource in resources.iter().filter(|resource| !resource.is_empty()) {
            for kind in kinds {
                if let Some(values) = self.values.get(&format!("{resource}.{kind}")) {
                    return values;
                }
            }
        }
        &[]
    }
}

/// `orderId` → `order` and id; `id` → nothing and id; `status` → `status` and none.
fn split(name: &str) -> (String, Option<&'static str>) {
    let name = normalised(name);
    for word in ID_WORDS {
        if let Some(base) = name.strip_suffix(word) {
            return (singular(base), Some(word));
        }
    }
    (singular(&name), None)
}

/// Lower case letters and digits alone.
fn normalised(name: &str) -> String {
    name.chars()
        .filter(char::is_ascii_alphanumeric)
        .map(|letter| letter.to_ascii_lowercase())
        .collect()
}

fn singular(name: &str) -> String {
    if let Some(stem) = name.strip_suffix("ies").filter(|stem| stem.len() > 1) {
        return format!("{stem}y");
    }
    for ending in ["sses", "xes", "ches", "shes"] {
        if name.ends_with(ending) {
            return name.strip_suffix("es").unwrap_or(name).to_owned();
        }
    }
    match name.strip_suffix('s') {
        Some(stem) if !stem.ends_with('s') && stem.len() > 1 => stem.to_owned(),
        _ => name.to_owned(),
    }
}

/// The resource that a template speaks of: its last fixed segment, in singular.
fn resource_of(template: &str) -> String {
    let fixed = template.split('/').rev().find(|part| !part.is_empty() && !part.contains('{'));
    singular(&normalised(fixed.unwrap_or_default()))
}

/// The resource before a slot: `/orders/{id}` → `order`.
fn before_slot(template: &str, slot: &str) -> String {
    let marker = format!("{{{slot}}}");
    template.split_once(&marker).map(|(before, _)| resource_of(before)).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn slots_find_ids_by_the_name_of_their_resource() {
        let mut pool = Pool::default();
        pool.read(
            "/v1/orders",
            &json!({"data": [
            {"id": 41, "customerId": "c-1", "lines": [{"sku_id": "s-1"}], "status": "open"},
            {"id": 42, "customerId": "c-2", "lines": []}
        ], "next": null}),
        );
        pool.read("/regions", &json!(["eu", "us"]));
        pool.read("/people/me", &json!({"id": 7, "slug": "me"}));
        let cases: [(&str, &str, &[&str]); 8] = [
            ("/v1/orders/{orderId}", "orderId", &["41", "42"]),
            ("/v1/orders/{id}", "id", &["41", "42"]),
            ("/v1/orders/{id}/lines", "id", &["41", "42"]),
            ("/customers/{customer_id}", "customer_id", &["c-1", "c-2"]),
            ("/customers/{id}", "id", &["c-1", "c-2"]),
            ("/skus/{sku}", "sku", &["s-1"]),
            ("/regions/{region}", "region", &["eu", "us"]),
            ("/invoices/{invoiceId}", "invoiceId", &[]),
        ];
        for (template, slot, expected) in cases {
            assert_eq!(pool.for_slot(template, slot), expected, "{template}");
        }
    }

    #[test]
    fn names_lose_their_plural_and_their_id() {
        for (name, expected) in [
            ("categories", "category"),
            ("boxes", "box"),
            ("addresses", "address"),
            ("orders", "order"),
            ("status", "statu"),
            ("s", "s"),
        ] {
            assert_eq!(singular(name), expected);
        }
        assert_eq!(split("order-id"), ("order".to_owned(), Some("id")));
        assert_eq!(split("uuid"), (String::new(), Some("uuid")));
    }

    #[test]
    fn a_pool_stays_small() {
        let mut pool = Pool::default();
        let items: Vec<Value> =
            (0..10_000).map(|id| json!({"id": id, (format!("k{id}_id")): 1})).collect();
        for _ in 0..100 {
            pool.read("/things", &Value::Array(items.clone()));
        }
        assert_eq!(pool.for_slot("/things/{id}", "id").len(), VALUES_MAX);
        assert!(pool.values.len() <= NAMES_MAX);
    }
}
