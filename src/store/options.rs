//! The `store:` section: how durable, how large, how long.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::model::problem::{Problem, Problems};
use crate::model::units::{Size, Span};

/// Smallest quota: below it the history of one busy minute would not fit.
const BYTES_MIN: u64 = 16 << 20;
/// Shortest retention: an event has to outlive the longest wait of an open delivery's log entry.
const RETENTION_MIN: Span = Span::seconds(3_600);

/// Where durability ends and history is cut.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Options {
    /// What a commit survives: `full` a power cut, `normal` a kill of the process. `normal` is faster on slow disks.
    pub sync: SyncMode,
    /// Quota of the database file. At 90 % finished history is trimmed, oldest first; at 100 % new events are refused.
    /// Open deliveries are never dropped. At least 16 MiB.
    pub max_bytes: Size,
    /// How long history is kept.
    pub retention: Retention,
}

/// What a commit survives.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum SyncMode {
    /// A power cut: every commit is flushed to the disk.
    Full,
    /// A kill of the process; a power cut may lose the last commits.
    Normal,
}

/// How long history is kept; at least 1 h each. Events outlive their open deliveries in any case.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Retention {
    /// Events and finished deliveries.
    pub events: Span,
    /// Requests and responses of attempts.
    pub attempts: Span,
    /// Who changed what.
    pub audit: Span,
}

impl Default for Options {
    fn default() -> Self {
        Self { sync: SyncMode::Full, max_bytes: Size(4 << 30), retention: Retention::default() }
    }
}

impl Default for Retention {
    fn default() -> Self {
        let days = |days: u64| Span::seconds(days * 86_400);
        Self { events: days(14), attempts: days(30), audit: days(90) }
    }
}

impl Options {
    /// Reports what is out of range, pointers relative to this section.
    pub fn check(&self, problems: &mut Problems) {
        if self.max_bytes.0 < BYTES_MIN {
            problems.push(
                Problem::error(
                    "/max_bytes",
                    "store.quota-too-small",
                    format!("`{}` is too small a quota", self.max_bytes),
                )
                .remedy("give at least 16MiB"),
            );
        }
        for (pointer, span) in [
            ("/retention/events", self.retention.events),
            ("/retention/attempts", self.retention.attempts),
            ("/retention/audit", self.retention.audit),
        ] {
            if span < RETENTION_MIN {
                problems.push(
                    Problem::error(
                        pointer,
                        "store.retention-too-short",
                        format!("`{span}` is too short to look anything up"),
                    )
                    .remedy("give at least 1h"),
                );
            }
        }
    }
}
