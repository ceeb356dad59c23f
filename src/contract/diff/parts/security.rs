//! Security: may a client with the credentials that the old document asks for still call?

use std::collections::BTreeSet;

use super::super::super::specification::{
    Operation, Requirement, SchemeKind, SecurityScheme, Specification,
};
use super::draft::Draft;
use super::{Pair, Table, at};
use crate::model::finding::Verdict;

/// What a client must bring: schemes with their scopes.
type Demand = BTreeSet<(String, String)>;

impl<'d> Table<'d> {
    pub(super) fn security(&self, pair: Pair<'d>) {
        let old = demands(self.old, self.new, pair.old);
        let new = demands(self.new, self.old, pair.new);
        if old == new {
            return;
        }
        let verdict = shut_out(&old, &new);
        let forward = shut_out(&new, &old);
        let names = |demand: &Demand| -> BTreeSet<String> {
            demand.iter().map(|(scheme, _)| scheme.clone()).collect()
        };
        let schemes = |demands: &BTreeSet<Demand>| -> BTreeSet<BTreeSet<String>> {
            demands.iter().map(names).collect()
        };
        let scopes_alone = schemes(&old) == schemes(&new);
        let word = if scopes_alone { "security-scope" } else { "security" };
        let step = match (verdict, forward) {
            (Verdict::Breaking, _) => "added",
            _ => "removed",
        };
        let draft = Draft::structure(format!("api-{word}-{step}"), verdict)
            .forward(forward)
            .text(format!("credentials: {} → {}", said(&old), said(&new)))
            .keyword("security")
            .between(at(&pair.old.pointer, said(&old)), at(&pair.new.pointer, said(&new)));
        self.put(pair.new, draft);
    }

    /// Schemes that both documents define, differently.
    pub(super) fn schemes(&self) {
        for (name, old) in &self.old.schemes {
            let Some(new) = self.new.schemes.get(name) else {
                self.scheme(
                    name,
                    ("api-security-component-removed", Verdict::Cosmetic),
                    Some(old),
                    None,
                );
                continue;
            };
            if let Some(label) = difference(&old.kind, &new.kind) {
                self.scheme(name, (label, Verdict::Breaking), Some(old), Some(new));
            } else {
                self.flows(name, (&old.pointer, &new.pointer));
            }
        }
        for (name, new) in &self.new.schemes {
            if !self.old.schemes.contains_key(name) {
                self.scheme(
                    name,
                    ("api-security-component-added", Verdict::Cosmetic),
                    None,
                    Some(new),
                );
            }
        }
    }

    fn scheme(
        &self,
        name: &str,
        (label, verdict): (&str, Verdict),
        old: Option<&SecurityScheme>,
        new: Option<&SecurityScheme>,
    ) {
        let said = |scheme: Option<&SecurityScheme>| {
            scheme.map_or_else(|| "none".to_owned(), |scheme| kind(&scheme.kind))
        };
        let place = |scheme: Option<&SecurityScheme>| {
            scheme.and_then(|scheme| at(&scheme.pointer, kind(&scheme.kind)))
        };
        let draft = Draft::structure(label, verdict)
            .forward(verdict)
            .text(format!("security scheme `{name}`: {} → {}", said(old), said(new)))
            .pointing(format!("securitySchemes/{name}"))
            .between(place(old), place(new));
        self.keep(super::Subject::default(), draft);
    }
}

/// Alternatives, each with schemes by what they are where both documents agree on the name, else by name.
fn demands(
    specification: &Specification,
    other: &Specification,
    operation: &Operation,
) -> BTreeSet<Demand> {
    if operation.security.is_empty() {
        return BTreeSet::from([Demand::new()]);
    }
    let demand = |requirement: &Requirement| -> Demand {
        let of = |(name, scopes): &(String, Vec<String>)| {
            let renamed = !other.schemes.contains_key(name);
            let identity = match specification.schemes.get(name).map(|scheme| &scheme.kind) {
                // What a client sends is the same under whatever name.
                Some(scheme @ (SchemeKind::Http(_) | SchemeKind::ApiKey { .. })) => kind(scheme),
                Some(scheme) if renamed => same_kind(other, scheme).unwrap_or(name.clone()),
                _ => name.clone(),
            };
            let mut all = vec![(identity.clone(), String::new())];
            all.extend(scopes.iter().map(|scope| (identity.clone(), scope.clone())));
            all
        };
        requirement.schemes.iter().flat_map(of).collect()
    };
    operation.security.iter().map(demand).collect()
}

/// The name that the other document has for the same scheme.
fn same_kind(other: &Specification, wanted: &SchemeKind) -> Option<String> {
    let found = other.schemes.iter().find(|(_, scheme)| &scheme.kind == wanted);
    found.map(|(name, _)| name.clone())
}

/// Breaking when some client of `from` satisfies no alternative of `to`.
fn shut_out(from: &BTreeSet<Demand>, to: &BTreeSet<Demand>) -> Verdict {
    let served = |client: &Demand| to.iter().any(|demand| demand.is_subset(client));
    if from.iter().all(served) { Verdict::Compatible } else { Verdict::Breaking }
}

fn said(demands: &BTreeSet<Demand>) -> String {
    let one = |demand: &Demand| {
        if demand.is_empty() {
            return "none".to_owned();
        }
        let words = demand.iter().map(|(scheme, scope)| {
            if scope.is_empty() { scheme.clone() } else { format!("scope {scope}") }
        });
        words.collect::<Vec<_>>().join(" + ")
    };
    demands.iter().map(one).collect::<Vec<_>>().join(" or ")
}

fn difference(old: &SchemeKind, new: &SchemeKind) -> Option<&'static str> {
    match (old, new) {
        (old, new) if old == new => None,
        (SchemeKind::ApiKey { .. }, SchemeKind::ApiKey { .. }) => {
            Some("api-security-component-placement-changed")
        }
        (SchemeKind::Http(_), SchemeKind::Http(_)) => Some("api-security-component-scheme-changed"),
        _ => Some("api-security-component-type-changed"),
    }
}

fn kind(kind: &SchemeKind) -> String {
    match kind {
        SchemeKind::ApiKey { place, name } => format!("key `{name}` in {}", place.as_str()),
        SchemeKind::Http(scheme) => format!("http {scheme}"),
        SchemeKind::OAuth2 => "OAuth2".to_owned(),
        SchemeKind::OpenIdConnect => "OpenID Connect".to_owned(),
        SchemeKind::MutualTls => "mutual TLS".to_owned(),
        SchemeKind::Unknown(text) => format!("`{text}`"),
    }
}
