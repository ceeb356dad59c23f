//! The identity of a deviation, equal for live drift, diff and contract tests (`spec/contract.md` 8).
//!
//! Hashes ids and places, never values, messages, prose or clocks. The name of the API is not part of it.

use serde_json::Value;
use sha2::{Digest, Sha256};

use crate::model::finding::{Direction, Location};
use crate::model::kind::Kind;
use crate::model::revision::canonical;

/// 32 hexadecimal digits. `written` is the value of the violated keyword in the expected schema; for `required` the name.
pub(super) fn fingerprint(
    (method, template): (&str, &str),
    direction: Direction,
    kind: Kind,
    location: &Location,
    written: &Value,
) -> String {
    let parts = [
        "df1",
        method,
        &nameless(template),
        direction.as_str(),
        &location.status,
        &location.media_type,
        &location.pointer,
        kind.as_str(),
        &location.keyword,
        &canonical(written),
    ];
    let digest = Sha256::digest(parts.join("\u{1f}"));
    digest.iter().take(16).map(|byte| format!("{byte:02x}")).collect()
}

/// A template without the names of its slots: renaming one changes nothing for anybody.
fn nameless(template: &str) -> String {
    let mut pieces = template.split('{');
    let mut text = pieces.next().unwrap_or_default().to_owned();
    for piece in pieces {
        text.push_str("{}");
        text.push_str(piece.split_once('}').map_or("", |(_, behind)| behind));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn fingerprints_are_stable_over_releases() {
        let location = Location {
            status: "200".into(),
            media_type: "application/json".into(),
            pointer: "/items/*/sku".into(),
            keyword: "required".into(),
        };
        let of = |template: &str, written: Value| {
            fingerprint(
                ("GET", template),
                Direction::Response,
                Kind::FieldRequiredMissing,
                &location,
                &written,
            )
        };
        // Written down on purpose: stored findings and ignore lists name these.
        assert_eq!(of("/orders/{id}", json!("sku")), "7c5df24ffc4dc24bf24268f452bb9a78");
        assert_eq!(of("/orders/{id}", json!("sku")), of("/orders/{orderId}", json!("sku")));
        assert_ne!(of("/orders/{id}", json!("sku")), of("/orders/{id}", json!("name")));
        assert_ne!(of("/orders/{id}", json!("sku")), of("/orders/id", json!("sku")));
    }

    #[test]
    fn number_spelling_and_member_order_do_not_matter() {
        let of = |written: Value| {
            let location = Location::default();
            fingerprint(("GET", "/"), Direction::Response, Kind::BoundExceeded, &location, &written)
        };
        assert_eq!(of(json!(1.0)), of(json!(1)));
        assert_eq!(of(json!({"a": 1, "b": 2})), of(json!({"b": 2, "a": 1})));
    }
}
