//! Credentials seen to security schemes and requirements (`spec/inference.md` 10).
//!
//! Owns names of schemes and when a requirement is stated. Values never leave the border; kinds and places are all there is.

use std::collections::BTreeMap;

use super::ir::Scheme;
use crate::infer::evidence::Cell;

/// Successes with credentials from which they count as required.
const REQUIRED: u32 = 19;

/// The schemes in use, by name, and the alternatives of one operation.
#[derive(Default)]
pub(super) struct Security {
    schemes: BTreeMap<String, Scheme>,
}

impl Security {
    pub(super) fn into_schemes(self) -> Vec<(String, Scheme)> {
        self.schemes.into_iter().collect()
    }

    /// The alternatives of an operation. `challenged`: it refuses requests without credentials, so cookies are believed.
    /// `permissive`: nobody is held to send any.
    pub(super) fn of(
        &mut self,
        cell: &Cell,
        challenged: bool,
        permissive: bool,
    ) -> Option<Vec<Vec<String>>> {
        if cell.credentials.open || cell.credentials.items.is_empty() {
            return None;
        }
        let mut anonymous = 0;
        let mut seen: BTreeMap<String, Scheme> = BTreeMap::new();
        let mut alternatives: Vec<Vec<String>> = Vec::new();
        for (set, count) in &cell.credentials.items {
            let mut names: Vec<String> = set
                .lines()
                .filter_map(|line| scheme(line, challenged))
                .map(|(name, scheme)| {
                    seen.insert(name.clone(), scheme);
                    name
                })
                .collect();
            names.sort();
            names.dedup();
            if names.is_empty() {
                anonymous += count.0;
            } else if !alternatives.contains(&names) {
                alternatives.push(names);
            }
        }
        if alternatives.is_empty() {
            return None;
        }
        // What succeeds with less proves that the rest was only carried along.
        let minimal = |names: &Vec<String>| {
            !alternatives.iter().any(|other| {
                other.len() < names.len() && other.iter().all(|name| names.contains(name))
            })
        };
        let mut alternatives: Vec<Vec<String>> =
            alternatives.iter().filter(|names| minimal(names)).cloned().collect();
        alternatives.sort();
        seen.retain(|name, _| alternatives.iter().flatten().any(|used| used == name));
        self.schemes.extend(seen);
        let open = anonymous >= 2 || u64::from(anonymous) * 100 >= u64::from(cell.n.0.max(1));
        if permissive || open || cell.n.0 < REQUIRED {
            alternatives.push(Vec::new());
        }
        Some(alternatives)
    }
}

/// Reads one credential of a set: kind, place, name (see `learn::credential_set`).
fn scheme(line: &str, challenged: bool) -> Option<(String, Scheme)> {
    let mut parts = line.split('\t');
    let (kind, place, name) = (parts.next()?, parts.next()?, parts.next()?);
    let http = |name: &str, scheme, bearer_format| {
        Some((name.to_owned(), Scheme::Http { scheme, bearer_format }))
    };
    match kind {
        "0" => http("bearerAuth", "bearer", Some("JWT")),
        "1" => http("bearerAuth", "bearer", None),
        "2" => http("basicAuth", "basic", None),
        "3" => http("digestAuth", "digest", None),
        "5" => Some(key(place, name)),
        "6" if challenged => Some(key(place, name)),
        _ => None,
    }
}

fn key(place: &str, name: &str) -> (String, Scheme) {
    let place = match place {
        "1" => "query",
        "2" => "cookie",
        _ => "header",
    };
    let mut spelled = String::from("apiKey");
    let mut upper = true;
    for character in name.chars() {
        if !character.is_ascii_alphanumeric() {
            upper = true;
        } else if std::mem::take(&mut upper) {
            spelled.push(character.to_ascii_uppercase());
        } else {
            spelled.push(character);
        }
    }
    (spelled, Scheme::Key { place, name: name.to_owned() })
}
