//! The data folder: made, proven local, locked.
//!
//! Owns the names in it and the refusal of a second process. Refuses to own what the database file holds.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::Error;
use crate::runtime::files;

const DATABASE: &str = "driftgate.db";
const LOCK: &str = "driftgate.lock";
const RESERVE: &str = "driftgate.reserve";

/// Bytes that a full disk is given back, so that what is under way can be written down.
const RESERVE_BYTES: usize = 16 << 20;

/// A locked data folder. Dropping it releases the lock.
#[derive(Debug)]
pub(super) struct Folder {
    path: PathBuf,
    _lock: files::Lock,
}

impl Folder {
    pub(super) fn open(path: &Path) -> Result<Self, Error> {
        let unusable = |source| Error::Folder { folder: path.to_owned(), source: Arc::new(source) };
        files::make_folder(path).map_err(unusable)?;
        if let Some(kind) = network_file_system(path) {
            return Err(Error::NetworkFolder { folder: path.to_owned(), kind });
        }
        let lock = files::lock(&path.join(LOCK))
            .map_err(unusable)?
            .ok_or_else(|| Error::InUse { folder: path.to_owned() })?;
        Ok(Self { path: path.to_owned(), _lock: lock })
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    pub(super) fn database(&self) -> PathBuf {
        self.path.join(DATABASE)
    }

    /// Where the database is copied to before a migration from this version.
    pub(super) fn copy_of_version(&self, version: i64) -> PathBuf {
        self.path.join(format!("driftgate.v{version}.db"))
    }

    /// Sets the reserve aside if it is not there. Doubles as the proof that the disk has room.
    pub(super) fn fill_reserve(&self) -> Result<(), files::Error> {
        let path = self.path.join(RESERVE);
        if files::exists(&path) {
            Ok(())
        } else {
            files::write_private(&path, &vec![0; RESERVE_BYTES])
        }
    }

    /// Gives the reserve back to a full disk.
    pub(super) fn free_reserve(&self) -> Result<(), files::Error> {
        files::remove(&self.path.join(RESERVE))
    }
}

/// The kind of network file system that the folder lies on. Locks and flushes cannot be trusted there.
#[cfg(target_os = "linux")]
fn network_file_system(path: &Path) -> Option<&'static str> {
    const KINDS: &[(u32, &str)] = &[
        (0x6969, "NFS"),
        (0x517b, "SMB"),
        (0xff53_4d42, "CIFS"),
        (0xfe53_4d42, "SMB"),
        (0x5346_414f, "AFS"),
        (0x00c3_6400, "Ceph"),
    ];
    let status = rustix::fs::statfs(path).ok()?;
    // The kernel's magic numbers have 32 bits, whatever the width of the field.
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "32 bits count")]
    let magic = status.f_type as u32;
    KINDS.iter().find(|(known, _)| *known == magic).map(|(_, name)| *name)
}

#[cfg(not(target_os = "linux"))]
fn network_file_system(_: &Path) -> Option<&'static str> {
    None
}
