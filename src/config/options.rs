//! The whole configuration: what the file may say, composed of what each part may be told.
//!
//! Owns the top level and the entry of an API. Refuses to own what a part means by its section: that part's `options.rs` has
//! keys, defaults and checks.

use std::path::{Path, PathBuf};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::actions::contract_test::options::SpecificationSource;
use crate::actions::options::{Action, Integration};
use crate::bus::KafkaOptions;
use crate::capture::options::{Mode, Redact};
use crate::deliver::auth::AuthProvider;
use crate::deliver::options::Egress;
use crate::model::secret::VisitSecret;
use crate::pipeline::options::{Analysis, Baseline, Inference};
use crate::proxy::options::{DataPlane, Forward, Limits, Listener, Shutdown, Upstream};
use crate::webhooks::Webhook;
use crate::{admin, capture, contract, infer, store, telemetry};

/// A driftgate configuration. Relative paths are relative to the file.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Config {
    /// Name of this deployment, equal on all its replicas; events carry it in their `source`.
    pub deployment: String,
    /// Name of this process among its replicas; the host name when absent.
    pub instance: Option<String>,
    /// Folder for everything that must survive a restart.
    pub data_dir: PathBuf,
    /// Addresses that clients connect to.
    pub listeners: Vec<Listener>,
    /// The APIs behind the listeners.
    pub apis: Vec<Api>,
    /// Threads of the data plane.
    pub data_plane: DataPlane,
    /// Limits of the data plane.
    pub limits: Limits,
    /// What the tap may hold in memory.
    pub capture: capture::options::Options,
    /// How the analysis thread works.
    pub analysis: Analysis,
    /// How specifications are learned from traffic.
    pub inference: Inference,
    /// When deviations from the contract become findings.
    pub drift: contract::Options,
    /// Which addresses outgoing calls may reach.
    pub egress: Egress,
    /// Reusable credentials.
    pub auth_providers: Vec<AuthProvider>,
    /// Who is told about events.
    pub webhooks: Vec<Webhook>,
    /// Where custom actions send to.
    pub integrations: Vec<Integration>,
    /// What runs on events.
    pub actions: Vec<Action>,
    /// The embedded database: how durable, how large, how long.
    pub store: store::Options,
    /// A Kafka cluster that the event log is relayed to; the embedded log alone when absent.
    pub kafka: Option<KafkaOptions>,
    /// The admin API.
    pub admin: admin::Options,
    /// Log lines.
    pub log: telemetry::Options,
    /// How the process ends.
    pub shutdown: Shutdown,
}

/// One API of the inventory.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Api {
    /// Unique name: lower-case letters, digits, `-` and `_`, 1-64 characters, a letter first.
    pub name: String,
    /// Host names that it answers to, exact or `*.suffix`; empty: any.
    #[serde(default)]
    pub hosts: Vec<String>,
    /// Path that its requests begin with, on a segment boundary.
    #[serde(default = "root")]
    pub path_prefix: String,
    /// Whether the prefix is cut off before forwarding.
    #[serde(default)]
    pub strip_prefix: bool,
    /// Names or addresses of the listeners that serve it; empty: all.
    #[serde(default)]
    pub listeners: Vec<String>,
    /// Where the API really is: a URL, or an object with `url` and how to speak to it.
    pub upstream: Upstream,
    /// How its requests are marked as forwarded; the listener's setting when absent.
    #[serde(default)]
    pub forward: Option<Forward>,
    /// What is captured of its exchanges.
    #[serde(default)]
    pub capture: Mode,
    /// What must not be read, besides names that are secret anyway.
    #[serde(default)]
    pub redact: Redact,
    /// What it is held to: a specification file, or what is learned from traffic.
    #[serde(default)]
    pub baseline: Baseline,
    /// Decisions of people about its learned specification, which hold whatever traffic shows.
    #[serde(default)]
    pub pins: infer::Pins,
    /// Its version; that of the baseline when absent.
    #[serde(default)]
    pub version: Option<String>,
}

fn root() -> String {
    "/".to_owned()
}

impl Default for Config {
    fn default() -> Self {
        Self {
            deployment: "driftgate".to_owned(),
            instance: None,
            data_dir: PathBuf::from("data"),
            listeners: vec![Listener::at("127.0.0.1:8080")],
            apis: Vec::new(),
            data_plane: DataPlane::default(),
            limits: Limits::default(),
            capture: capture::options::Options::default(),
            analysis: Analysis::default(),
            inference: Inference::default(),
            drift: contract::Options::default(),
            egress: Egress::default(),
            auth_providers: Vec::new(),
            webhooks: Vec::new(),
            integrations: Vec::new(),
            actions: Vec::new(),
            store: store::Options::default(),
            kafka: None,
            admin: admin::Options::default(),
            log: telemetry::Options::default(),
            shutdown: Shutdown::default(),
        }
    }
}

impl Api {
    /// An API of this name, reached by every request, with the defaults.
    #[must_use]
    pub fn at(name: impl Into<String>, upstream: impl Into<String>) -> Self {
        Self {
            name: name.into(),
            hosts: Vec::new(),
            path_prefix: root(),
            strip_prefix: false,
            listeners: Vec::new(),
            upstream: Upstream::at(upstream),
            forward: None,
            capture: Mode::default(),
            redact: Redact::default(),
            baseline: Baseline::default(),
            pins: infer::Pins::default(),
            version: None,
        }
    }
}

impl Config {
    /// Shows every secret to `visit`, with its pointer from the root.
    pub fn secrets(&mut self, visit: VisitSecret<'_>) {
        for (index, provider) in self.auth_providers.iter_mut().enumerate() {
            let at = format!("/auth_providers/{index}");
            provider.secrets(&mut |below, secret| visit(&format!("{at}{below}"), secret));
        }
        for (index, webhook) in self.webhooks.iter_mut().enumerate() {
            let at = format!("/webhooks/{index}");
            webhook.secrets(&mut |below, secret| visit(&format!("{at}{below}"), secret));
        }
        for (index, integration) in self.integrations.iter_mut().enumerate() {
            let at = format!("/integrations/{index}");
            integration.secrets(&mut |below, secret| visit(&format!("{at}{below}"), secret));
        }
        for (index, action) in self.actions.iter_mut().enumerate() {
            let at = format!("/actions/{index}");
            action.secrets(&mut |below, secret| visit(&format!("{at}{below}"), secret));
        }
    }

    /// The specification files that contract tests name, which stand in a text of several meanings: relative ones begin at
    /// `folder`.
    pub(super) fn resolve_specifications(&mut self, folder: &Path) {
        let managed = self.actions.iter_mut().filter_map(|action| action.managed.as_mut());
        for managed in managed {
            if let Some(SpecificationSource::File(path)) = &mut managed.contract_test.specification
            {
                *path = folder.join(&*path);
            }
        }
    }
}
