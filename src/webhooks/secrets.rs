//! Secrets that the configuration leaves out: made once, kept in `data_dir/webhook-secrets.json`, readable by the owner alone.
//!
//! Owns the file. Refuses to own secrets that the configuration names.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use crate::deliver::sign;
use crate::model::secret::Secret;
use crate::runtime::files;
use crate::runtime::rng::Rng;

const FILE: &str = "webhook-secrets.json";
const BYTES_MAX: u64 = 1 << 20;

/// Why the secrets cannot be kept.
#[derive(Debug, thiserror::Error)]
pub(super) enum Error {
    #[error("the kept webhook secrets cannot be used")]
    File(#[source] files::Error),
    #[error("`{}` is damaged; restore a copy, or remove it to make new secrets", path.display())]
    Damaged { path: PathBuf },
}

/// The kept secrets by what they belong to.
pub(super) struct Kept {
    path: PathBuf,
    rng: Rng,
    secrets: BTreeMap<String, String>,
    changed: bool,
}

impl Kept {
    pub(super) fn open(data_dir: &Path, rng: Rng) -> Result<Self, Error> {
        let path = data_dir.join(FILE);
        let secrets = match files::read_text(&path, BYTES_MAX) {
            Ok(text) => {
                serde_json::from_str(&text).map_err(|_| Error::Damaged { path: path.clone() })?
            }
            Err(error) if error.is_not_found() => BTreeMap::new(),
            Err(error) => return Err(Error::File(error)),
        };
        Ok(Self { path, rng, secrets, changed: false })
    }

    /// The signing secret of a webhook.
    pub(super) fn signing(&mut self, id: &str) -> Secret {
        let rng = self.rng.clone();
        self.get(id, || sign::new_secret(rng.bytes()).reveal().to_owned())
    }

    /// The fixed secret of a webhook.
    pub(super) fn fixed(&mut self, id: &str) -> Secret {
        let rng = self.rng.clone();
        self.get(&format!("{id}/static"), || URL_SAFE_NO_PAD.encode(rng.bytes::<32>()))
    }

    fn get(&mut self, key: &str, make: impl FnOnce() -> String) -> Secret {
        let changed = &mut self.changed;
        let text = self.secrets.entry(key.to_owned()).or_insert_with(|| {
            *changed = true;
            make()
        });
        Secret::new(text.clone())
    }

    /// Writes what was made. To be called before any of it is used: a secret that is not on disk would be another one after
    /// a restart.
    pub(super) fn save(&self) -> Result<(), Error> {
        if !self.changed {
            return Ok(());
        }
        let text = serde_json::to_string_pretty(&self.secrets).unwrap_or_default();
        files::write_private(&self.path, text.as_bytes()).map_err(Error::File)
    }
}
