//! A token kept until shortly before it expires, fetched by one caller at a time.

use std::time::Duration;

use parking_lot::Mutex;

use crate::model::secret::Secret;
use crate::runtime::clock::Clock;

use super::error::Error;

/// Tokens are renewed so long before they expire, or after four fifths of their life, whichever comes first.
const MARGIN: Duration = Duration::from_mins(1);

/// A fresh token and how long it is valid.
pub(super) struct Fresh {
    pub(super) token: Secret,
    pub(super) life: Duration,
}

#[derive(Default)]
pub(super) struct Cache {
    kept: Mutex<Option<Kept>>,
    /// Held by whoever fetches; the others wait and then find what it brought.
    fetching: tokio::sync::Mutex<()>,
}

struct Kept {
    token: Secret,
    /// Monotonic nanoseconds.
    until_ns: u64,
}

impl Cache {
    /// The kept token, or a fresh one.
    ///
    /// # Errors
    /// Those of `fetch`.
    pub(super) async fn get(
        &self,
        clock: &Clock,
        fetch: impl AsyncFnOnce() -> Result<Fresh, Error>,
    ) -> Result<Secret, Error> {
        if let Some(token) = self.current(clock) {
            return Ok(token);
        }
        let _turn = self.fetching.lock().await;
        if let Some(token) = self.current(clock) {
            return Ok(token);
        }
        let begun_ns = clock.monotonic_ns();
        let Fresh { token, life } = fetch().await?;
        let useful = life.saturating_sub(MARGIN).min(life * 4 / 5);
        let useful_ns = u64::try_from(useful.as_nanos()).unwrap_or(u64::MAX);
        let until_ns = begun_ns.saturating_add(useful_ns);
        *self.kept.lock() = Some(Kept { token: token.clone(), until_ns });
        Ok(token)
    }

    fn current(&self, clock: &Clock) -> Option<Secret> {
        let now_ns = clock.monotonic_ns();
        let kept = self.kept.lock();
        kept.as_ref().filter(|kept| now_ns < kept.until_ns).map(|kept| kept.token.clone())
    }

    /// Forgets the token; whether there was one.
    pub(super) fn drop_token(&self) -> bool {
        self.kept.lock().take().is_some()
    }
}
