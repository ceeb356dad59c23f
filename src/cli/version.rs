//! `driftgate version`: what this binary is.

use serde_json::json;

use super::console::say_line;

/// The features that were compiled in.
const FEATURES: &[(&str, bool)] = &[
    ("kafka", cfg!(feature = "kafka")),
    ("mimalloc", cfg!(feature = "mimalloc")),
    ("jemalloc", cfg!(feature = "jemalloc")),
];

pub(super) fn run(json: bool) -> u8 {
    let version = env!("CARGO_PKG_VERSION");
    let features: Vec<&str> =
        FEATURES.iter().filter(|(_, there)| *there).map(|(name, _)| *name).collect();
    let target = format!("{}-{}", std::env::consts::ARCH, std::env::consts::OS);
    say_line(&if json {
        json!({ "version": version, "features": features, "target": target }).to_string()
    } else {
        format!("driftgate {version} ({target}; features: {})", features.join(", "))
    });
    0
}
