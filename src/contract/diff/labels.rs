//! The names of changes: 950 labels, built from families.
//!
//! Owns the closed set, which family a label belongs to, and what a family means to a reader (`--list-labels`, `--explain`).
//! Labels name what changed; they decide nothing. The grammar: `{a,b}` stands for either, and the words of `WORDS` for
//! their lists.

use std::collections::BTreeMap;

/// Words that stand for several.
const WORDS: &[(&str, &[&str])] = &[
    ("AR", &["added", "removed"]),
    ("OR", &["optional", "required"]),
    ("R2", &["request", "response"]),
    (
        "Q4",
        &["request-body", "request-property", "request-parameter", "request-parameter-property"],
    ),
    ("S4", &["request-body", "request-property", "response-body", "response-property"]),
    (
        "S7",
        &[
            "request-body",
            "request-property",
            "request-parameter",
            "request-parameter-property",
            "response-body",
            "response-property",
            "response-header",
        ],
    ),
];

/// A group of labels about one thing.
#[derive(Debug, Clone, Copy)]
pub struct Family {
    pub name: &'static str,
    /// What its labels say, and to whom it matters.
    pub meaning: &'static str,
    labels: &'static str,
}

const fn family(name: &'static str, meaning: &'static str, labels: &'static str) -> Family {
    Family { name, meaning, labels }
}

/// All families, in the order of `spec/contract.md` 7.
pub const FAMILIES: &[Family] = &[
    family(
        "operations",
        "an operation came, went or was renamed; clients that call one that is gone get 404 or 405",
        "endpoint-added api-{,path-}removed-{before-sunset,with-deprecation,without-deprecation} api-operation-id-{AR,changed}",
    ),
    family(
        "servers",
        "where the API answers: paths, base URLs and their variables; clients must be configured anew",
        "api-path-{changed,parameter-renamed} {api,path,operation}-server-AR api-server-variable-{AR,default-changed,enum-value-AR}",
    ),
    family(
        "parameters",
        "a parameter came, went or changed whether it is needed; a new required one breaks every caller",
        "new-OR-request-parameter new-request-path-parameter request-parameter-{became-OR,removed{,-before-sunset,-with-deprecation}}",
    ),
    family(
        "request-bodies",
        "a request body came, went or changed whether it is needed",
        "new-OR-request-default-parameter-to-existing-path request-body-{added-OR,removed,became-OR}",
    ),
    family(
        "parameter-style",
        "how a parameter is written on the wire; a value spelled the old way is misread",
        "request-parameter-{location,style,explode,allow-reserved,allow-empty-value,content-media-type}-changed",
    ),
    family(
        "media-types",
        "which representations are taken and given; clients send or accept one that is gone",
        "request-body-media-type-{AR,schema-AR} response-media-type-AR response-body-media-type-schema-AR response-mediatype-enum-value-removed",
    ),
    family(
        "encoding",
        "names of media types and how form fields are written",
        "R2-media-type-name-{changed,generalized,specialized} R2-encoding-{content-type,style,explode,allow-reserved,header}-changed",
    ),
    family(
        "responses",
        "which statuses and headers an operation answers with; clients that branch on them are surprised",
        "response-{success,non-success}-status-AR response-status-{generalized,specialized} response-default-AR OR-response-header-removed",
    ),
    family(
        "response-headers",
        "a response header came or changed",
        "response-header-{added,became-OR,{style,explode}-changed,deprecated,reactivated}",
    ),
    family(
        "request-properties",
        "a property of a request came, went or changed whether it is needed; senders must follow",
        "new-OR-request-property new-required-request-property-with-default request-property-{removed,became-OR,became-required-with-default}",
    ),
    family(
        "response-properties",
        "a property of a response came, went, changed whether it is always there, or who may write it",
        "response-OR-{,write-only-}property-AR response-{,write-only-}property-became-OR R2-OR-property-became-{,not-}{read,write}-only",
    ),
    family(
        "types",
        "type, format or null; readers of responses and senders of requests handle other values than before",
        "S7-became-{nullable,not-nullable} S7-type-{changed,compatible,generalized,specialized} S7-list-of-types-{narrowed,widened}",
    ),
    family(
        "content-and-arrays",
        "encoded content, and what arrays may hold",
        "S4-content-{encoding-changed,media-type-changed,schema-AR} S4-{prefix-items,contains,unevaluated-items}-AR",
    ),
    family(
        "objects",
        "rules about the names in an object",
        "S4-{pattern-property,property-names,dependent-schema,unevaluated-properties}-AR S4-dependent-required-{AR,changed}",
    ),
    family(
        "closed-multiple-unique",
        "whether undeclared properties are allowed, steps of numbers, and distinct items",
        "S4-additional-properties-{closed,opened,changed} S7-multiple-of-{set,unset,changed} S7-unique-items-{set,unset}",
    ),
    family(
        "bounds",
        "limits of numbers, lengths and counts; a tighter one refuses requests, a wider one surprises readers",
        "S7-{exclusive-max,exclusive-min,{max,min}{,-length,-items,-contains,-properties}}-{increased,decreased,set,unset}",
    ),
    family(
        "read-only-properties",
        "limits of properties that requests do not carry",
        "request-read-only-property-{{,exclusive-}max-decreased,{,exclusive-}min-increased,max-length-decreased,enum-value-removed}",
    ),
    family(
        "header-properties",
        "properties of headers, and write-only enums of responses",
        "response-write-only-property-enum-value-added new-required-request-header-property request-header-property-became-{required,enum}",
    ),
    family(
        "enums",
        "lists of allowed values; readers meet a value they do not know, or senders use one that is gone",
        "S7-{became-enum,no-longer-enum,enum-value-AR} request-{parameter,property}-x-extensible-enum-value-removed",
    ),
    family(
        "const-default-pattern",
        "constants, defaults and patterns",
        "S7-{const,default-value}-{AR,changed} S7-pattern-{AR,changed,generalized}",
    ),
    family(
        "composition",
        "branches of `oneOf`, `anyOf`, `allOf`, `not` and conditions",
        "S4-{one-of,any-of,all-of,not,if,then,else}-AR S4-all-of-AR-annotation-only S4-{,un}wrapped-in-one-of",
    ),
    family(
        "discriminators",
        "which property tells branches apart; generated clients choose their class by it",
        "S4-discriminator-{AR,property-name-changed,mapping-added,mapping-changed,mapping-deleted,default-mapping-changed}",
    ),
    family(
        "security",
        "which credentials and scopes are asked for; a new demand turns callers away",
        "api-{,global-}security-{AR,scope-AR} api-security-component-{AR,oauth-scope-AR}",
    ),
    family(
        "security-schemes",
        "what a security scheme is, and where its tokens come from",
        "api-security-component-{type,placement,scheme,open-id-url,oauth-{scope,url,token-url,flow,refresh-url}}-changed",
    ),
    family(
        "webhooks-callbacks-links",
        "calls that the API makes, and links between operations",
        "{webhook,callback}-AR callback-expression-changed response-link-{AR,{operation,parameters,request-body,server}-changed}",
    ),
    family(
        "deprecation",
        "operations announced to go, and when",
        "endpoint-{deprecated{,-with-sunset},reactivated} api-deprecated-sunset-{missing,parse} api-path-sunset-parse sunset-deleted",
    ),
    family(
        "parameter-deprecation",
        "parameters announced to go, and when",
        "request-parameter-{deprecated,reactivated,deprecated-sunset-missing,sunset-deleted,sunset-parse,sunset-date-{,changed-}too-small}",
    ),
    family(
        "property-deprecation",
        "properties announced to go, and when",
        "R2-property-{deprecated,deprecated-with-sunset,deprecated-sunset-{invalid,missing},sunset-date-too-small,reactivated}",
    ),
    family(
        "stability",
        "how settled an operation or property is said to be",
        "api-sunset-date-{,changed-}too-small {api,R2-property}-stability-{decreased,increased} api-invalid-stability-level",
    ),
    family(
        "document",
        "the document itself: version, unused schemas, tags, annotations and extensions",
        "api-version-decreased api-{,major-}version-not-bumped api-{schema,tag}-AR {annotation,xml,example}-changed extension-{AR,changed}",
    ),
    family(
        "whole",
        "a body, parameter or header as a whole, where no single keyword is to blame",
        "{request-{body,parameter},response-{body,header}}-{narrowed,widened,refactored,undecided}",
    ),
];

/// Labels with the family of each.
pub type Labels = BTreeMap<String, &'static Family>;

/// Every label with its family.
#[must_use]
pub fn all() -> Labels {
    let mut found = Labels::new();
    for family in FAMILIES {
        for template in family.labels.split(' ') {
            found.extend(expanded(template).into_iter().map(|label| (label, family)));
        }
    }
    found
}

/// The labels that a template stands for.
pub(super) fn expanded(template: &str) -> Vec<String> {
    braces(template).iter().flat_map(|text| words(text)).collect()
}

/// Alternatives of the first brace, each with those of the rest.
fn braces(template: &str) -> Vec<String> {
    let Some((before, rest)) = template.split_once('{') else { return vec![template.to_owned()] };
    let mut depth = 0;
    let mut options = vec![String::new()];
    let mut after = String::new();
    for letter in rest.chars() {
        match letter {
            _ if depth < 0 => after.push(letter),
            '}' if depth == 0 => depth = -1,
            ',' if depth == 0 => options.push(String::new()),
            _ => {
                depth += i32::from(letter == '{') - i32::from(letter == '}');
                if let Some(option) = options.last_mut() {
                    option.push(letter);
                }
            }
        }
    }
    let behind = braces(&after);
    let inner = options.iter().flat_map(|option| braces(option));
    inner
        .flat_map(|option| behind.iter().map(move |rest| format!("{before}{option}{rest}")))
        .collect()
}

/// A label with its capital words filled in.
fn words(text: &str) -> Vec<String> {
    text.split('-').fold(vec![String::new()], |found, word| {
        let known = WORDS.iter().find(|(name, _)| *name == word);
        let choices = known.map_or_else(|| vec![word], |(_, list)| list.to_vec());
        found
            .iter()
            .flat_map(|start| {
                choices.iter().map(move |choice| match start.as_str() {
                    "" => (*choice).to_owned(),
                    start => format!("{start}-{choice}"),
                })
            })
            .collect()
    })
}

/// Ends of labels that say that less is allowed than before.
const NARROWER: &[&str] = &[
    "-closed",
    "-became-required",
    "-became-enum",
    "-became-not-nullable",
    "-type-specialized",
    "-list-of-types-narrowed",
    "-const-added",
    "-pattern-added",
    "-enum-value-removed",
    "-one-of-removed",
    "-any-of-removed",
    "-property-names-added",
    "-dependent-required-added",
    "-unevaluated-properties-added",
    "-unevaluated-items-added",
    "-contains-added",
    "-not-added",
    "-pattern-property-added",
    "-unique-items-set",
    "-multiple-of-set",
];

/// Ends of labels that say that more is allowed than before.
const WIDER: &[&str] = &[
    "-opened",
    "-became-optional",
    "-no-longer-enum",
    "-became-nullable",
    "-type-generalized",
    "-list-of-types-widened",
    "-const-removed",
    "-pattern-removed",
    "-enum-value-added",
    "-one-of-added",
    "-any-of-added",
    "-property-names-removed",
    "-dependent-required-removed",
    "-unevaluated-properties-removed",
    "-unevaluated-items-removed",
    "-contains-removed",
    "-not-removed",
    "-pattern-property-removed",
    "-unique-items-unset",
    "-multiple-of-unset",
];

/// Which document may refuse what the other allows, by the name of the change alone: the new one where less is allowed,
/// the old one where more is. None where the name does not tell.
#[must_use]
pub fn refusing(label: &str) -> Option<bool> {
    let ends = |list: &[&str]| list.iter().any(|end| label.ends_with(end));
    let is_bound = |word: &str| label.contains(word);
    let (upper, lower) = (is_bound("-max-"), is_bound("-min-"));
    let narrower = ends(NARROWER)
        || (upper || lower) && label.ends_with("-set")
        || upper && label.ends_with("-decreased")
        || lower && label.ends_with("-increased");
    let wider = ends(WIDER)
        || (upper || lower) && label.ends_with("-unset")
        || upper && label.ends_with("-increased")
        || lower && label.ends_with("-decreased");
    match (narrower, wider) {
        (true, false) => Some(true),
        (false, true) => Some(false),
        _ => None,
    }
}

/// A label as words: `request-property-enum-value-removed` is about an enum value removed.
#[must_use]
pub fn phrase(label: &str) -> String {
    label.replace('-', " ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_families_make_950_labels() {
        let all = all();
        assert_eq!(all.len(), 950);
        for label in [
            "endpoint-added",
            "response-optional-write-only-property-removed",
            "request-parameter-property-exclusive-max-decreased",
            "response-header-widened",
            "api-path-removed-before-sunset",
        ] {
            assert!(all.contains_key(label), "{label}");
        }
        assert!(
            all.keys()
                .all(|label| label.bytes().all(|b| b.is_ascii_lowercase() || b"-4-".contains(&b)))
        );
    }
}
