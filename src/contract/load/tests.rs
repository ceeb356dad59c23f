//! Tests of loading.

use super::*;

#[test]
fn versions_other_than_ours_are_refused_by_name() {
    for (text, code) in [
        ("openapi: 4.0.0\npaths: {}", "spec.unknown-version"),
        ("swagger: '1.2'\npaths: {}", "spec.unknown-version"),
        ("paths: {}", "spec.not-a-specification"),
        ("[]", "spec.not-a-specification"),
        ("", "spec.not-a-specification"),
    ] {
        let problems = load(text, &LoadOptions::default()).expect_err(text);
        assert_eq!(problems.0[0].code, code, "{text}");
    }
}
