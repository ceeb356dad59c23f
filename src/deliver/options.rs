//! What the config file says about outgoing calls (`egress`).

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::model::problem::{Problem, Problems, pointer};

use super::guard::Rule;

/// Which addresses outgoing calls may reach. Only the config file can say it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Egress {
    /// Addresses that are reachable although they are special: CIDRs, host names, `*.suffix`.
    pub allow: Vec<String>,
    /// CIDRs that are never reached; wins over `allow`.
    pub deny: Vec<String>,
    /// Whether metadata services of clouds may be reached. Leave it off: they hand out credentials.
    pub allow_metadata: bool,
    /// Whether our own listeners may be reached. Leave it off: events could then feed themselves.
    pub allow_self: bool,
    /// Whether URLs without TLS are refused.
    pub https_only: bool,
}

impl Egress {
    /// Reports every entry that cannot be read.
    pub fn check(&self, problems: &mut Problems) {
        check_rules("/allow", &self.allow, "a CIDR, a host name or `*.suffix`", |_| true, problems);
        check_rules("/deny", &self.deny, "a CIDR", |rule| !rule.is_host(), problems);
    }
}

fn check_rules(
    place: &str,
    rules: &[String],
    wanted: &str,
    fits: impl Fn(&Rule) -> bool,
    problems: &mut Problems,
) {
    for (index, text) in rules.iter().enumerate() {
        if !Rule::parse(text).is_some_and(|rule| fits(&rule)) {
            let place = pointer(place, &index.to_string());
            problems.push(
                Problem::error(place, "egress.bad-rule", format!("`{text}` is not {wanted}"))
                    .remedy("write it like `10.0.0.0/8`"),
            );
        }
    }
}
