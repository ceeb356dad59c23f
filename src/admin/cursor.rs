//! Cursors of lists: opaque, and bound to the question they belong to.
//!
//! Owns their seal. A cursor holds a place in a list and a MAC over place and question, so that it cannot go on with another
//! list or filter. The key is kept, so that cursors outlive a restart.

use std::path::Path;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::Sha256;

use super::error::Error;
use super::problem::Refusal;
use crate::runtime::files;
use crate::runtime::rng::Rng;

/// Bytes of the MAC that a cursor carries: enough against mix-up and guessing, and short in a URL.
const SEAL: usize = 12;
const KEY: usize = 32;

/// Seals and opens cursors.
pub(super) struct Cursors([u8; KEY]);

impl Cursors {
    /// Reads `data_dir/keys/cursor.key`, or makes it.
    pub(super) fn load(data_dir: &Path, rng: &Rng) -> Result<Self, Error> {
        let folder = data_dir.join("keys");
        let path = folder.join("cursor.key");
        if files::exists(&path) {
            let bytes = files::read(&path, KEY as u64 + 1).map_err(Error::Key)?;
            return bytes.try_into().map(Self).map_err(|_| Error::BadKey { path });
        }
        let key = rng.bytes::<KEY>();
        files::make_folder(&folder).map_err(Error::Key)?;
        files::write_private(&path, &key).map_err(Error::Key)?;
        Ok(Self(key))
    }

    /// The cursor of a place in the list that answers `question`.
    pub(super) fn seal(&self, question: &str, place: &str) -> String {
        let mut bytes = self.mac(question, place).finalize().into_bytes().to_vec();
        bytes.truncate(SEAL);
        bytes.extend(place.as_bytes());
        URL_SAFE_NO_PAD.encode(bytes)
    }

    /// The place of a cursor, if it belongs to `question` and `read` can read it.
    pub(super) fn open<T>(
        &self,
        question: &str,
        cursor: &str,
        read: impl FnOnce(&str) -> Option<T>,
    ) -> Result<T, Refusal> {
        let opened = || {
            let bytes = URL_SAFE_NO_PAD.decode(cursor).ok()?;
            let (seal, place) = bytes.split_at_checked(SEAL)?;
            let place = std::str::from_utf8(place).ok()?;
            self.mac(question, place).verify_truncated_left(seal).ok()?;
            read(place)
        };
        opened().ok_or_else(|| {
            let detail = "the cursor is not one of this list with this filter; start without it";
            Refusal::malformed("list.cursor-mismatch", detail)
        })
    }

    fn mac(&self, question: &str, place: &str) -> Hmac<Sha256> {
        let mut mac =
            Hmac::<Sha256>::new_from_slice(&self.0).expect("an HMAC takes keys of any length");
        mac.update(question.as_bytes());
        mac.update(&[0]);
        mac.update(place.as_bytes());
        mac
    }
}
