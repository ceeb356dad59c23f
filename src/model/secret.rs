//! A text that must not be seen: redacted wherever it could be printed, zeroed when dropped.
//!
//! Owns the wrapper. Refuses to own where secrets come from or how they are kept at rest (`store::seal`).

use std::fmt;

use zeroize::Zeroizing;

/// A secret text. `Debug` and `Display` print `***`; only [`Secret::reveal`] reads it, at the place of use.
#[derive(Clone)]
pub struct Secret(Zeroizing<String>);

impl Secret {
    #[must_use]
    pub fn new(text: impl Into<String>) -> Self {
        Self(Zeroizing::new(text.into()))
    }

    #[must_use]
    pub fn reveal(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("***")
    }
}

impl fmt::Display for Secret {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("***")
    }
}

/// Where the config file says that a secret is: the text itself, `{file: PATH}` or `{env: NAME}`. Resolved by `config` before
/// any part sees it; refused over the API.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SecretSource {
    Text(String),
    File(std::path::PathBuf),
    Env(String),
}
