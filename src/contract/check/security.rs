//! Credentials: which were presented and where, against which the contract asks for. Never their values.
//!
//! Owns the kinds `auth.*`. Schemes that cannot be seen in an exchange (mutual TLS, unknown types) are never missed.

use serde_json::json;

use crate::model::exchange::{Credential, CredentialKind, CredentialPlace, Exchange};
use crate::model::kind::Kind;

use super::super::specification::{Place, Requirement, ResponseKey, SchemeKind};
use super::Case;
use super::flaw::Flaw;

/// Last words of paths that hand out credentials and so are called without any.
const TOKEN_WORDS: &[&str] =
    &["token", "tokens", "login", "signin", "authorize", "oauth", "session"];

/// Flaws of an exchange's security.
pub(super) fn judge(case: &Case<'_>) -> Option<Flaw> {
    let status = case.exchange.status;
    // A cookie that looks like a login is no proof of one, and hides none either.
    let credentials = case.exchange.credentials.iter();
    let mut presented =
        credentials.filter(|known| known.kind != CredentialKind::SessionCookie).peekable();
    let is_bare = presented.peek().is_none();
    if !case.operation.is_secured() {
        let is_refused = matches!(status, 401 | 403) && is_anonymous(case.exchange);
        return (is_refused && !documents(case, status)).then(|| {
            let seen = json!({"credentials": [], "status": status});
            let flaw = Flaw::of_message(Kind::AuthNowRequired, json!({"security": []}), seen);
            flaw.at("", "security")
        });
    }
    if !(200..300).contains(&status) || !is_visible(case) || is_satisfied(case) {
        return None;
    }
    let expected = json!({"security": needs(case)});
    let seen: Vec<String> = presented.map(describe).collect();
    if is_bare {
        let is_public = has_cookie(case) || is_cached(case) || hands_out_tokens(case);
        return (!is_public).then(|| {
            let seen = json!({"credentials": seen, "status": status});
            Flaw::of_message(Kind::AuthUnauthenticatedSuccess, expected, seen).at("", "security")
        });
    }
    let kind =
        if is_elsewhere(case) { Kind::AuthPlacementChanged } else { Kind::AuthSchemeUndocumented };
    let written = json!(seen);
    let seen = json!({"credentials": seen, "status": status});
    Some(Flaw::of_message(kind, expected, seen).at("", "security").written(written))
}

/// Whether nothing was presented that could be a credential.
pub(in crate::contract) fn is_anonymous(exchange: &Exchange) -> bool {
    let mut credentials = exchange.credentials.iter();
    credentials.all(|known| known.kind == CredentialKind::SessionCookie)
        && !exchange.request.fields.iter().any(|field| &*field.name == "cookie")
}

/// Whether the contract says of a status that it comes, by itself or by its range: then refusing is part of what the operation
/// does, whatever is not said of credentials.
fn documents(case: &Case<'_>, status: u16) -> bool {
    let keys = [ResponseKey::Exact(status), ResponseKey::Range(4)];
    case.operation.responses.iter().any(|response| keys.contains(&response.key))
}

/// Whether some alternative is presented completely.
fn is_satisfied(case: &Case<'_>) -> bool {
    case.operation.security.iter().any(|need| {
        schemes(case, need).all(|scheme| scheme.is_none_or(|scheme| is_presented(case, scheme)))
    })
}

/// Whether every scheme asked for can be seen in an exchange.
fn is_visible(case: &Case<'_>) -> bool {
    case.operation.security.iter().flat_map(|need| schemes(case, need)).all(|scheme| {
        scheme
            .is_some_and(|scheme| !matches!(scheme, SchemeKind::MutualTls | SchemeKind::Unknown(_)))
    })
}

fn schemes<'c>(
    case: &'c Case<'_>,
    need: &'c Requirement,
) -> impl Iterator<Item = Option<&'c SchemeKind>> {
    need.schemes
        .iter()
        .map(|(name, _)| case.baseline.specification.schemes.get(name).map(|scheme| &scheme.kind))
}

fn is_presented(case: &Case<'_>, scheme: &SchemeKind) -> bool {
    let has = |kinds: &[CredentialKind]| {
        case.exchange.credentials.iter().any(|known| kinds.contains(&known.kind))
    };
    match scheme {
        SchemeKind::ApiKey { place: Place::Header, name } => {
            case.exchange.request.fields.iter().any(|field| field.name.eq_ignore_ascii_case(name))
        }
        SchemeKind::ApiKey { place: Place::Query, name } => {
            let query = case.exchange.query.as_deref().unwrap_or_default();
            query.split('&').any(|pair| pair.split('=').next() == Some(name))
        }
        SchemeKind::ApiKey { .. } => has_cookie(case),
        SchemeKind::Http(scheme) => match scheme.as_str() {
            "basic" => has(&[CredentialKind::Basic]),
            "digest" => has(&[CredentialKind::Digest]),
            "bearer" => has(&[CredentialKind::Bearer, CredentialKind::BearerJwt]),
            _ => has(&[CredentialKind::OtherScheme]),
        },
        SchemeKind::OAuth2 | SchemeKind::OpenIdConnect => {
            has(&[CredentialKind::Bearer, CredentialKind::BearerJwt])
        }
        SchemeKind::MutualTls | SchemeKind::Unknown(_) => true,
    }
}

/// The field `cookie` is withheld: any cookie may be the one.
fn has_cookie(case: &Case<'_>) -> bool {
    case.exchange.request.fields.iter().any(|field| &*field.name == "cookie")
}

/// Whether a cache answered, which asks nobody.
fn is_cached(case: &Case<'_>) -> bool {
    let response = &case.exchange.response;
    response.field("age").is_some()
        || response.field("x-cache").is_some_and(|text| text.to_ascii_lowercase().contains("hit"))
}

fn hands_out_tokens(case: &Case<'_>) -> bool {
    let template = &case.operation.template;
    template.rsplit('/').any(|segment| TOKEN_WORDS.contains(&segment.to_ascii_lowercase().as_str()))
}

/// Whether a key was presented, only not where the contract asks for it.
fn is_elsewhere(case: &Case<'_>) -> bool {
    let asks_for_key = case
        .operation
        .security
        .iter()
        .flat_map(|need| schemes(case, need))
        .any(|scheme| matches!(scheme, Some(SchemeKind::ApiKey { .. })));
    asks_for_key
        && case.exchange.credentials.iter().any(|known| known.kind == CredentialKind::ApiKey)
}

/// Names of the schemes of each alternative.
fn needs<'a>(case: &Case<'a>) -> Vec<Vec<&'a str>> {
    case.operation
        .security
        .iter()
        .map(|need| need.schemes.iter().map(|(name, _)| name.as_str()).collect())
        .collect()
}

/// Kind and place of a credential, as findings show it.
fn describe(credential: &Credential) -> String {
    let place = match credential.place {
        CredentialPlace::Header => "header",
        CredentialPlace::Query => "query",
        CredentialPlace::Cookie => "cookie",
    };
    let kind = match credential.kind {
        CredentialKind::BearerJwt | CredentialKind::Bearer => "bearer",
        CredentialKind::Basic => "basic",
        CredentialKind::Digest => "digest",
        CredentialKind::OtherScheme => "another scheme",
        CredentialKind::ApiKey => "key",
        CredentialKind::SessionCookie => "session",
    };
    format!("{kind} in {place} `{}`", credential.name)
}
