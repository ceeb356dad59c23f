//! Which API a request belongs to (`spec/proxy.md` 3): by host, then by path prefix, without a copy of either.
//!
//! Owns the compiled table of one listener. Refuses to own the rule itself, which is [`Scope::fit`]; a property holds the two
//! together.

use std::collections::HashMap;
use std::sync::Arc;

use smallvec::SmallVec;

use super::forward::Forwarding;
use crate::model::api::{Scope, normalise_host};

/// The APIs of one listener, ready to be asked.
#[derive(Debug, Clone, Default)]
pub(super) struct Table {
    exact: HashMap<Box<[u8]>, Vec<Entry>>,
    /// Longest suffix first.
    suffixes: Vec<(Box<[u8]>, Vec<Entry>)>,
    any: Vec<Entry>,
}

/// One API under one host pattern.
#[derive(Debug, Clone)]
pub(super) struct Entry {
    /// Without a slash at its end; empty for everything.
    pub(super) prefix: Box<[u8]>,
    /// Index among the APIs of the view.
    pub(super) api: usize,
    pub(super) forwarding: Arc<Forwarding>,
}

impl Table {
    /// Adds an API under all its hosts. Gives the index of an API that already has this host and prefix.
    ///
    /// # Errors
    /// That index; the table is then as before for this host.
    pub(super) fn add(
        &mut self,
        scope: &Scope,
        api: usize,
        forwarding: &Arc<Forwarding>,
    ) -> Result<(), usize> {
        let prefix = scope.path_prefix.trim_end_matches('/').as_bytes();
        let entry = Entry { prefix: prefix.into(), api, forwarding: Arc::clone(forwarding) };
        if scope.hosts.is_empty() {
            return insert(&mut self.any, entry);
        }
        for host in &scope.hosts {
            let entry = entry.clone();
            if let Some(suffix) = host.strip_prefix('*') {
                insert(self.below(suffix.to_ascii_lowercase().as_bytes()), entry)?;
            } else {
                let host = normalise_host(host).into_bytes();
                insert(self.exact.entry(host.into()).or_default(), entry)?;
            }
        }
        Ok(())
    }

    /// The entries of a suffix, made in its place when new.
    fn below(&mut self, suffix: &[u8]) -> &mut Vec<Entry> {
        let known = self.suffixes.iter().position(|(known, _)| &**known == suffix);
        let at = known.unwrap_or_else(|| {
            let longer = self.suffixes.iter().take_while(|(known, _)| known.len() >= suffix.len());
            let at = longer.count();
            self.suffixes.insert(at, (suffix.into(), Vec::new()));
            at
        });
        &mut self.suffixes[at].1
    }

    /// The entry that fits best. `authority` as sent, `path` raw and without its query.
    pub(super) fn route(&self, authority: Option<&[u8]>, path: &[u8]) -> Option<&Entry> {
        if self.exact.is_empty() && self.suffixes.is_empty() {
            return longest(&self.any, path);
        }
        let host: Option<SmallVec<[u8; 64]>> = authority.map(host_key);
        let named = host.as_deref().and_then(|host| {
            self.exact.get(host).and_then(|entries| longest(entries, path)).or_else(|| {
                self.suffixes
                    .iter()
                    .filter(|(suffix, _)| host.len() > suffix.len() && host.ends_with(suffix))
                    .find_map(|(_, entries)| longest(entries, path))
            })
        });
        named.or_else(|| longest(&self.any, path))
    }
}

/// Keeps the longest prefix first.
fn insert(entries: &mut Vec<Entry>, entry: Entry) -> Result<(), usize> {
    if let Some(same) = entries.iter().find(|known| known.prefix == entry.prefix) {
        return Err(same.api);
    }
    let at = entries.iter().take_while(|known| known.prefix.len() >= entry.prefix.len()).count();
    entries.insert(at, entry);
    Ok(())
}

fn longest<'a>(entries: &'a [Entry], path: &[u8]) -> Option<&'a Entry> {
    entries.iter().find(|entry| {
        path.strip_prefix(&*entry.prefix)
            .is_some_and(|rest| rest.is_empty() || rest.starts_with(b"/"))
    })
}

/// As [`normalise_host`], into a buffer on the stack.
fn host_key(authority: &[u8]) -> SmallVec<[u8; 64]> {
    let after_user = authority.rsplit(|byte| *byte == b'@').next().unwrap_or(authority);
    let host = match after_user.iter().rposition(|byte| *byte == b':') {
        Some(colon) => {
            let (host, port) = after_user.split_at(colon);
            let is_port = port.iter().skip(1).all(u8::is_ascii_digit);
            let is_name = !host.contains(&b':') || host.ends_with(b"]");
            if is_port && is_name { host } else { after_user }
        }
        None => after_user,
    };
    let dots = host.iter().rev().take_while(|byte| **byte == b'.').count();
    host.iter().take(host.len() - dots).map(u8::to_ascii_lowercase).collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn scopes() -> impl Strategy<Value = Vec<Scope>> {
        let label = prop::sample::select(vec!["a", "b", "api"]);
        let name = prop::collection::vec(label, 1..4).prop_map(|labels| labels.join("."));
        let host = (any::<bool>(), name).prop_map(|(star, name)| {
            if star { format!("*.{name}") } else { name }.into_boxed_str()
        });
        let segment = prop::sample::select(vec!["", "/a", "/a/b", "/ab", "/a/b/c", "/c/"]);
        let scope = (prop::collection::vec(host, 0..3), segment).prop_map(|(hosts, prefix)| {
            let path_prefix = if prefix.is_empty() { "/" } else { prefix };
            Scope { hosts, path_prefix: path_prefix.into() }
        });
        prop::collection::vec(scope, 0..12)
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(10_000))]

        #[test]
        fn the_table_agrees_with_the_rule(
            scopes in scopes(),
            host in prop::option::of("(a|b|api|A\\.b|a\\.b\\.a|x\\.a)(:80)?\\.?"),
            path in "(/|/a|/a/b|/ab|/a/|/a/b/c/d|/c|/c/x)",
        ) {
            let mut table = Table::default();
            let forwarding = Arc::new(Forwarding::default());
            let mut known: Vec<&Scope> = Vec::new();
            for scope in &scopes {
                // What shares a host and prefix with another is a configuration error and left out.
                let mut next = table.clone();
                if next.add(scope, known.len(), &forwarding).is_ok() {
                    table = next;
                    known.push(scope);
                }
            }
            let normal = host.as_deref().map(normalise_host);
            let expected = known
                .iter()
                .enumerate()
                .filter_map(|(index, scope)| Some((scope.fit(normal.as_deref(), &path)?, index)))
                .max()
                .map(|(_, index)| index);
            let found = table.route(host.as_deref().map(str::as_bytes), path.as_bytes());
            prop_assert_eq!(found.map(|entry| entry.api), expected);
        }

        #[test]
        fn hosts_are_normalised_alike(authority in "[a-zA-Z@:.\\[\\]0-9]{0,24}") {
            prop_assert_eq!(host_key(authority.as_bytes()).to_vec(), normalise_host(&authority).into_bytes());
        }
    }
}
