//! The compiled configuration of the data plane: immutable, swapped whole (`spec/proxy.md` 1, 3).
//!
//! Owns which APIs there are, where they lead and how they are found. An exchange takes one reference at its start and keeps
//! it to its end, whatever is loaded meanwhile. Refuses to own sockets: listeners change with a restart only.

use std::sync::Arc;

use super::forward::Forwarding;
use super::metrics::ApiCounters;
use super::options::{Forward, Listener, Upstream as UpstreamOptions};
use super::route::Table;
use super::tls::Certificates;
use super::upstream::Upstream;
use crate::capture;
use crate::model::api::Scope;
use crate::model::problem::{Problem, Problems};

/// An API as the data plane needs it.
#[derive(Debug, Clone, PartialEq)]
pub struct ApiRoute {
    pub name: Arc<str>,
    pub scope: Scope,
    /// Whether the path prefix is taken off before forwarding.
    pub strip_prefix: bool,
    /// Names of the listeners it is reachable by; empty: all.
    pub listeners: Vec<String>,
    /// None: as the listener has it.
    pub forward: Option<Forward>,
    pub upstream: UpstreamOptions,
    pub capture: capture::Mode,
}

/// Routing, upstreams and certificates of all listeners.
#[derive(Debug)]
pub struct View {
    listeners: Vec<ListenerView>,
    apis: Vec<Api>,
}

#[derive(Debug)]
struct ListenerView {
    address: String,
    table: Table,
    certificates: Option<Certificates>,
}

/// One API, compiled.
#[derive(Debug)]
pub(super) struct Api {
    pub(super) name: Arc<str>,
    /// What is taken off the path; empty for nothing.
    pub(super) strip: Box<[u8]>,
    pub(super) capture: capture::Mode,
    pub(super) upstream: Upstream,
}

impl View {
    /// Compiles checked options; certificates are read here, so their paths must be absolute or relative to the working
    /// directory. Warnings are dropped.
    ///
    /// # Errors
    /// Every problem at once: unreadable files, unknown listeners, two APIs for one host and prefix. Pointers begin at
    /// `/listeners/…` and `/apis/…`.
    pub fn build(listeners: &[Listener], apis: &[ApiRoute]) -> Result<Self, Problems> {
        let mut problems = Problems::default();
        let compiled = apis.iter().enumerate().filter_map(|(index, api)| {
            let mut found = Problems::default();
            let upstream = Upstream::build(&api.upstream, &mut found);
            problems.extend_below(&format!("/apis/{index}/upstream"), found);
            Some(Api::new(api, upstream?))
        });
        let compiled: Vec<Api> = compiled.collect();
        check_names(listeners, apis, &mut problems);
        let mut views = Vec::new();
        for (index, listener) in listeners.iter().enumerate() {
            let mut found = Problems::default();
            let certificates =
                listener.tls.as_ref().map(|tls| Certificates::read(&tls.certificates, &mut found));
            problems.extend_below(&format!("/listeners/{index}"), found);
            let table = table(listener, apis, &mut problems);
            views.push(ListenerView { address: listener.address.clone(), table, certificates });
        }
        if problems.has_errors() {
            Err(problems)
        } else {
            Ok(Self { listeners: views, apis: compiled })
        }
    }

    pub(super) fn table(&self, listener: usize) -> Option<&Table> {
        self.listeners.get(listener).map(|listener| &listener.table)
    }

    pub(super) fn certificates(&self, listener: usize) -> Option<&Certificates> {
        self.listeners.get(listener)?.certificates.as_ref()
    }

    pub(super) fn apis(&self) -> &[Api] {
        &self.apis
    }

    /// Addresses of the listeners as configured, in order.
    pub(super) fn addresses(&self) -> impl Iterator<Item = &str> {
        self.listeners.iter().map(|listener| listener.address.as_str())
    }
}

impl Api {
    fn new(route: &ApiRoute, upstream: Upstream) -> Self {
        let prefix = route.scope.path_prefix.trim_end_matches('/');
        let strip = if route.strip_prefix { prefix } else { "" };
        Self {
            name: Arc::clone(&route.name),
            strip: strip.as_bytes().into(),
            capture: route.capture,
            upstream,
        }
    }
}

fn table(listener: &Listener, apis: &[ApiRoute], problems: &mut Problems) -> Table {
    let mut table = Table::default();
    let default = listener.forward.clone().unwrap_or_default();
    for (index, api) in apis.iter().enumerate() {
        if !api.listeners.is_empty() && !api.listeners.iter().any(|name| name == listener.label()) {
            continue;
        }
        let forwarding = Forwarding::new(api.forward.as_ref().unwrap_or(&default));
        if let Err(other) = table.add(&api.scope, index, &Arc::new(forwarding)) {
            let other = apis.get(other).map_or("?", |other| &*other.name);
            let message = format!(
                "`{}` and `{other}` have a host and path prefix in common on the listener `{}`",
                api.name,
                listener.label()
            );
            problems.push(
                Problem::error(format!("/apis/{index}/path_prefix"), "config.same-route", message)
                    .remedy("give them different hosts, prefixes or listeners"),
            );
        }
    }
    table
}

fn check_names(listeners: &[Listener], apis: &[ApiRoute], problems: &mut Problems) {
    let labels: Vec<&str> = listeners.iter().map(Listener::label).collect();
    for (index, label) in labels.iter().enumerate() {
        if labels.iter().take(index).any(|other| other == label) {
            let message = format!("two listeners are called `{label}`");
            let pointer = format!("/listeners/{index}/name");
            problems.push(Problem::error(pointer, "config.same-name", message));
        }
    }
    for (index, api) in apis.iter().enumerate() {
        for (at, name) in api.listeners.iter().enumerate() {
            if !labels.contains(&name.as_str()) {
                let message = format!("there is no listener `{name}`");
                let pointer = format!("/apis/{index}/listeners/{at}");
                let remedy = format!("there are: {}", labels.join(", "));
                let problem = Problem::error(pointer, "config.unknown-listener", message);
                problems.push(problem.remedy(remedy));
            }
        }
    }
}

/// A view that serves, with what only a running data plane has.
#[derive(Debug)]
pub(super) struct Live {
    pub(super) view: View,
    pub(super) generation: u64,
    /// By index of the API.
    pub(super) counters: Vec<Arc<ApiCounters>>,
}

impl Live {
    pub(super) fn api(&self, index: usize) -> Option<(&Api, &Arc<ApiCounters>)> {
        Some((self.view.apis.get(index)?, self.counters.get(index)?))
    }

    /// Keeps pooled upstream connections of APIs and configurations apart.
    pub(super) fn group(&self, api: usize) -> u64 {
        self.generation.wrapping_mul(1 << 20).wrapping_add(api as u64)
    }
}
