//! Whether a body held what a deviation deviates in: an absent parent is no opportunity.

use serde_json::Value;

/// Whether some object or array stands where the last step of a generalised pointer begins. Pointers that are no places in a
/// body (`query/limit`) always have their parent.
pub(super) fn has_parent(body: Option<&Value>, pointer: &str) -> bool {
    if !pointer.starts_with('/') {
        return true;
    }
    let steps: Vec<String> =
        pointer.split('/').skip(1).map(|step| step.replace("~1", "/").replace("~0", "~")).collect();
    let parent = steps.split_last().map_or(&[][..], |(_, parent)| parent);
    body.is_some_and(|body| exists(body, parent))
}

fn exists(value: &Value, steps: &[String]) -> bool {
    let Some((step, rest)) = steps.split_first() else {
        return value.is_object() || value.is_array();
    };
    match value {
        Value::Array(items) if step == "*" => items.iter().any(|item| exists(item, rest)),
        Value::Object(members) if step == "{}" => {
            members.values().any(|member| exists(member, rest))
        }
        Value::Object(members) => members.get(step).is_some_and(|member| exists(member, rest)),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn the_parent_decides() {
        let body =
            json!({"items": [{"a": 1}, {"deep": {"b": 1}}], "map": {"k": {"c": 1}}, "none": []});
        for (pointer, expected) in [
            ("", true),
            ("query/limit", true),
            ("/anything", true),
            ("/items/*/sku", true),
            ("/items/*/deep/x", true),
            ("/items/*/a/x", false),
            ("/none/*/x", false),
            ("/map/{}/x", true),
            ("/absent/x", false),
        ] {
            assert_eq!(has_parent(Some(&body), pointer), expected, "{pointer}");
        }
        assert!(!has_parent(None, "/a"));
    }
}
