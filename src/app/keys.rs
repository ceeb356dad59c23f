//! The key files below `data_dir/keys`: made once, readable by the owner alone, never logged.

use std::path::{Path, PathBuf};

use crate::events::chain;
use crate::model::hash::HashKey;
use crate::runtime::files;
use crate::runtime::rng::Rng;

use super::Error;

/// Larger key files are something else.
const KEY_BYTES_MAX: u64 = 4 * 1024;

/// The key under which texts are hashed in evidence: 32 hexadecimal digits. Replicas of an API share it.
pub(super) fn evidence(data_dir: &Path, rng: &Rng) -> Result<HashKey, Error> {
    let path = path(data_dir, "evidence.key");
    if let Some(text) = read(&path)? {
        return HashKey::parse(text.trim())
            .ok_or(Error::Key { path, expected: "32 hexadecimal digits" });
    }
    let key = HashKey::new(rng.bytes());
    write(&path, &key.to_text())?;
    Ok(key)
}

/// The key that seals the mark on our own test requests.
pub(super) fn chain(data_dir: &Path, rng: &Rng) -> Result<chain::Key, Error> {
    let path = path(data_dir, "chain.key");
    if let Some(text) = read(&path)? {
        return chain::Key::parse(text.trim())
            .ok_or(Error::Key { path, expected: "64 hexadecimal digits" });
    }
    let key = chain::Key::new(rng.bytes());
    write(&path, &key.to_text())?;
    Ok(key)
}

fn path(data_dir: &Path, name: &str) -> PathBuf {
    data_dir.join("keys").join(name)
}

fn read(path: &Path) -> Result<Option<String>, Error> {
    match files::read_text(path, KEY_BYTES_MAX) {
        Ok(text) => Ok(Some(text)),
        Err(error) if error.is_not_found() => Ok(None),
        Err(error) => Err(Error::Folder(error)),
    }
}

fn write(path: &Path, text: &str) -> Result<(), Error> {
    if let Some(folder) = path.parent() {
        files::make_folder(folder).map_err(Error::Folder)?;
    }
    files::write_private(path, text.as_bytes()).map_err(Error::Folder)
}
