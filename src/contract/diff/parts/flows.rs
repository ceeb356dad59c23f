//! Where tokens come from: OAuth flows with their URLs and scopes, `OpenID` Connect. What a client is configured with may
//! be anything, so a change of these decides nothing by itself.

use std::collections::BTreeSet;

use serde_json::Value;

use super::super::change::Subject;
use super::draft::Draft;
use super::{Table, at};
use crate::model::finding::Verdict;

/// Members of a flow and the labels of their changes.
const URLS: &[(&str, &str)] = &[
    ("authorizationUrl", "api-security-component-oauth-url-changed"),
    ("tokenUrl", "api-security-component-oauth-token-url-changed"),
    ("refreshUrl", "api-security-component-oauth-refresh-url-changed"),
];

impl Table<'_> {
    /// Flows of a scheme that both documents define.
    pub(super) fn flows(&self, name: &str, (old_place, new_place): (&str, &str)) {
        let raw = (
            self.old.document.pointer(old_place).unwrap_or(&Value::Null),
            self.new.document.pointer(new_place).unwrap_or(&Value::Null),
        );
        let put = |label: &str, verdict: Verdict, text: String| {
            let draft = Draft::structure(label, verdict)
                .forward(verdict)
                .text(format!("security scheme `{name}`: {text}"))
                .pointing(format!("securitySchemes/{name}"))
                .between(at(old_place, ""), at(new_place, ""));
            self.keep(Subject::default(), draft);
        };
        let url = |raw: &Value| raw.get("openIdConnectUrl").cloned();
        if url(raw.0) != url(raw.1) {
            let text = "the OpenID Connect URL changed".to_owned();
            put("api-security-component-open-id-url-changed", Verdict::PotentiallyBreaking, text);
        }
        let (old, new) = (flows(raw.0), flows(raw.1));
        let names = |flows: &[(&str, &Value)]| -> BTreeSet<String> {
            flows.iter().map(|(kind, _)| (*kind).to_owned()).collect()
        };
        if names(&old) != names(&new) {
            let said =
                |flows: &[(&str, &Value)]| names(flows).into_iter().collect::<Vec<_>>().join(", ");
            let text = format!("flows: {} → {}", said(&old), said(&new));
            let label = "api-security-component-oauth-flow-changed";
            put(label, Verdict::PotentiallyBreaking, text);
        }
        for (kind, before) in &old {
            let Some((_, after)) = new.iter().find(|(other, _)| other == kind) else { continue };
            for (member, label) in URLS {
                if before.get(*member) != after.get(*member) {
                    let text = format!("`{member}` of the flow {kind} changed");
                    put(label, Verdict::PotentiallyBreaking, text);
                }
            }
            scopes(before, after, kind, &put);
        }
    }
}

/// Scopes of one flow that came, went, or are described anew.
fn scopes(before: &Value, after: &Value, kind: &str, put: &dyn Fn(&str, Verdict, String)) {
    let of = |flow: &Value| flow.get("scopes").and_then(Value::as_object).cloned();
    let (before, after) = (of(before).unwrap_or_default(), of(after).unwrap_or_default());
    for (scope, meaning) in &before {
        match after.get(scope) {
            None => put(
                "api-security-component-oauth-scope-removed",
                Verdict::PotentiallyBreaking,
                format!("the flow {kind} has no scope `{scope}` any more"),
            ),
            Some(other) if other != meaning => put(
                "api-security-component-oauth-scope-changed",
                Verdict::Cosmetic,
                format!("scope `{scope}` is described anew"),
            ),
            Some(_) => {}
        }
    }
    for scope in after.keys().filter(|scope| !before.contains_key(*scope)) {
        put(
            "api-security-component-oauth-scope-added",
            Verdict::Compatible,
            format!("the flow {kind} has a new scope `{scope}`"),
        );
    }
}

/// Flows by kind; Swagger 2.0 has one, in the scheme itself.
fn flows(raw: &Value) -> Vec<(&str, &Value)> {
    if let Some(kind) = raw.get("flow").and_then(Value::as_str) {
        let kind = match kind {
            "application" => "clientCredentials",
            "accessCode" => "authorizationCode",
            kind => kind,
        };
        return vec![(kind, raw)];
    }
    let flows = raw.get("flows").and_then(Value::as_object);
    flows.into_iter().flatten().map(|(kind, flow)| (kind.as_str(), flow)).collect()
}
