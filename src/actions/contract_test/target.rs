//! Where a test sends: the base URL below which templates stand, and the one template of an endpoint.
//!
//! Owns reading the two forms of the target against a specification. Refuses to own whether the address may be reached
//! (`deliver::guard`). Pure.

use std::collections::BTreeMap;

use percent_encoding::percent_decode_str;
use url::Url;

use crate::contract::specification::Specification;

use super::outcome::Cause;

/// A resolved target.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Place {
    /// URL without trailing slash; templates are appended to it.
    pub(super) base: String,
    /// Path that the specification's server puts before templates; where judging expects them.
    pub(super) server_path: String,
    /// The one template that is tested.
    pub(super) template: Option<String>,
    /// Slot values that the endpoint fixes.
    pub(super) fixed: BTreeMap<String, String>,
}

/// Reads a base URL. A URL without path gets the path of the specification's first server, so that both
/// `http://host` and `http://host/v1` serve a specification whose server is `/v1`.
pub(super) fn base(url: &str, specification: &Specification) -> Result<Place, Cause> {
    let mut url = read(url)?;
    let server_path = server_path(specification);
    if url.path() == "/" && !server_path.is_empty() {
        url.set_path(&server_path);
    }
    let base = url.as_str().trim_end_matches('/').to_owned();
    Ok(Place { base, server_path, template: None, fixed: BTreeMap::new() })
}

/// Reads an endpoint: a URL whose path, minus what stands before it, matches a template. The template with the fewest slots
/// wins.
pub(super) fn endpoint(url: &str, specification: &Specification) -> Result<Place, Cause> {
    let url = read(url)?;
    let server_path = server_path(specification);
    let path = url.path();
    let below = path.strip_prefix(server_path.as_str()).unwrap_or(path);
    let found = specification
        .operations
        .iter()
        .filter_map(|operation| Some((slots(&operation.template, below)?, &operation.template)))
        .min_by_key(|(slots, _)| slots.len());
    let Some((fixed, template)) = found else {
        return Err(Cause {
            code: "no_match",
            message: format!("no path of the specification matches `{below}`; use `base_url`"),
        });
    };
    let before = path.strip_suffix(below).unwrap_or_default().to_owned();
    let mut base = url.clone();
    base.set_path(&before);
    Ok(Place {
        base: base.as_str().trim_end_matches('/').to_owned(),
        server_path,
        template: Some(template.to_string()),
        fixed,
    })
}

fn read(text: &str) -> Result<Url, Cause> {
    let url = Url::parse(text).ok().filter(|url| matches!(url.scheme(), "http" | "https"));
    let mut url = url.filter(Url::has_host).ok_or_else(|| Cause {
        code: "bad_target",
        message: format!("`{text}` is not an http or https URL; write it like `http://host:port`"),
    })?;
    url.set_query(None);
    url.set_fragment(None);
    Ok(url)
}

fn server_path(specification: &Specification) -> String {
    specification.servers.first().map(|server| server.base_path.clone()).unwrap_or_default()
}

/// The slot values of a path that matches a template, percent-decoded. A path that is the template itself fixes nothing.
fn slots(template: &str, path: &str) -> Option<BTreeMap<String, String>> {
    let path = percent_decode_str(path).decode_utf8().ok()?;
    if path == template {
        return Some(BTreeMap::new());
    }
    let (wanted, given): (Vec<&str>, Vec<&str>) =
        (template.split('/').collect(), path.split('/').collect());
    if wanted.len() != given.len() {
        return None;
    }
    let mut values = BTreeMap::new();
    for (wanted, given) in wanted.into_iter().zip(given) {
        match wanted.strip_prefix('{').and_then(|name| name.strip_suffix('}')) {
            Some(name) if !given.is_empty() => {
                values.insert(name.to_owned(), given.to_owned());
            }
            _ if wanted == given => {}
            _ => return None,
        }
    }
    Some(values)
}
