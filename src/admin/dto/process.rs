//! The process itself: who is asking, how it is, what is in force.
//!
//! Owns the wire form of health and reload. The effective configuration is a tree whose form `config` owns.

use schemars::JsonSchema;
use serde::Serialize;
use serde_json::Value;

use super::Time;

/// Who the token says you are, and to what you are speaking.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct Me {
    /// Name of the token.
    pub name: String,
    /// admin, viewer or intake.
    pub scope: String,
    pub instance: String,
    pub version: String,
    /// Optional parts that this build has.
    pub features: Vec<String>,
}

/// One part of the process.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct Part {
    pub name: String,
    pub state: PartState,
    /// `area.kebab-case`; empty when all is well.
    pub code: String,
    pub since: Option<Time>,
    /// What is the matter; empty when nothing is.
    pub detail: String,
    /// What to do about it.
    pub remedy: String,
    /// Named figures.
    pub numbers: serde_json::Map<String, Value>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum PartState {
    Ok,
    Degraded,
    Failed,
    Off,
}

/// All parts.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct Health {
    pub live: bool,
    pub ready: bool,
    pub control_ready: bool,
    /// Reasons of every `false` above.
    pub reasons: Vec<String>,
    pub parts: Vec<Part>,
}

/// What a reload did.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct Reloaded {
    /// Counts configurations taken over since the start.
    pub generation: u64,
    /// Pointers that changed.
    pub changed: Vec<String>,
    /// Pointers whose new value waits for a restart.
    pub restart_needed: Vec<String>,
}
