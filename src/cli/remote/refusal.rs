//! A refusal of the admin API as a person reads it: code, sentence, places with remedies, what is allowed, trace id.
//!
//! Owns the wording. The facts come as problem details (RFC 9457).

use std::fmt::Write as _;

use serde_json::Value;

/// `[code] detail`, a line for each fault, what is allowed, and the trace id to look for in the log. None: the body is not a
/// problem of ours.
pub(super) fn describe(body: &[u8]) -> Option<String> {
    let problem: Value = serde_json::from_slice(body).ok()?;
    let mut text = format!("[{}] {}", problem.get("code")?.as_str()?, member(&problem, "detail"));
    for fault in problem.get("problems").and_then(Value::as_array).into_iter().flatten() {
        let place = member(fault, "parameter") + &member(fault, "pointer");
        let remedy = match member(fault, "remedy") {
            remedy if remedy.is_empty() => remedy,
            remedy => format!("; {remedy}"),
        };
        line(&mut text, &format!("{place}: {}{remedy}", member(fault, "message")));
    }
    if let Some(allowed) = problem.get("allowed").and_then(Value::as_array) {
        let names: Vec<&str> = allowed.iter().filter_map(Value::as_str).collect();
        line(&mut text, &format!("allowed: {}", names.join(", ")));
    }
    line(&mut text, &format!("trace id {}", member(&problem, "trace_id")));
    Some(text)
}

fn member(value: &Value, name: &str) -> String {
    value.get(name).and_then(Value::as_str).unwrap_or_default().to_owned()
}

fn line(text: &mut String, line: &str) {
    let _infallible = write!(text, "\n  {line}");
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn problems_are_told_with_place_remedy_and_trace() {
        let problem = serde_json::json!({
            "code": "request.invalid", "detail": "the body has wrong members", "trace_id": "ab",
            "problems": [{ "pointer": "/forse", "message": "`forse` is not known",
                "remedy": "did you mean `force`?" }],
            "allowed": ["a", "b"]
        });
        assert_eq!(
            describe(problem.to_string().as_bytes()).as_deref(),
            Some(
                "[request.invalid] the body has wrong members\n  /forse: `forse` is not known; did you mean \
                 `force`?\n  allowed: a, b\n  trace id ab"
            )
        );
        assert_eq!(describe(b"<html>"), None);
        assert_eq!(describe(b"{}"), None);
    }
}
