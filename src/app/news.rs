//! Operational news of what everything rests on: room in the store, reach of the broker (`spec/delivery.md` 3.1).
//!
//! Owns noticing and raising; both are looked at every few seconds. Refuses to own health answers (`health`). News that the
//! store cannot take waits, in its order, until it can.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use serde_json::json;

use crate::events::Raise;
use crate::events::cloudevent::rfc3339;
use crate::model::event::Event;
use crate::runtime::clock::Clock;
use crate::runtime::shutdown::Watch;
use crate::{bus, store};

use super::health::BusHealth;

/// Time between two looks.
const ROUND: Duration = Duration::from_secs(5);
/// A broker that was away for less is not worth telling.
const AWAY_MS: i64 = 30_000;
/// News that waits for the store; while there is more, nobody looks for further news.
const WAITING_MAX: usize = 16;

const NEARLY_FULL_PERCENT: u64 = 90;
const RECOVERED_PERCENT: u64 = 80;

/// Looks and tells until it is told to stop.
pub(super) struct News {
    pub(super) store: store::Handle,
    pub(super) bus: bus::Handle,
    pub(super) broker: Arc<dyn BusHealth>,
    pub(super) raise: Raise,
    pub(super) clock: Clock,
}

impl News {
    pub(super) async fn run(self, mut shutdown: Watch) {
        let (mut room, mut broker) = (Room::Enough, Broker::default());
        let mut waiting: VecDeque<Event> = VecDeque::new();
        loop {
            if waiting.len() + 2 <= WAITING_MAX {
                let told = [self.of_store(&mut room), self.of_broker(&mut broker)];
                waiting.extend(told.into_iter().flatten());
            }
            self.raise(&mut waiting).await;
            tokio::select! {
                () = shutdown.begun() => return,
                () = self.clock.sleep(ROUND) => {}
            }
        }
    }

    fn of_store(&self, room: &mut Room) -> Option<Event> {
        let store::Health { bytes, max_bytes, .. } = self.store.health();
        let kind = room.look(bytes, max_bytes)?;
        let data = json!({ "bytes": bytes, "max_bytes": max_bytes });
        Some(self.raise.event(kind, None, self.clock.now_ms(), &data))
    }

    fn of_broker(&self, broker: &mut Broker) -> Option<Event> {
        let now_ms = self.clock.now_ms();
        let (kind, since_ms) = broker.look(self.broker.away_since_ms(), now_ms)?;
        let data = json!({ "since": rfc3339(since_ms), "waiting": self.broker.lag() });
        Some(self.raise.event(kind, None, now_ms, &data))
    }

    async fn raise(&self, waiting: &mut VecDeque<Event>) {
        while let Some(event) = waiting.front() {
            if self.bus.publish(vec![event.clone()], Vec::new()).await.is_err() {
                return;
            }
            waiting.pop_front();
        }
    }
}

/// What was last told of the store's room.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Room {
    Enough,
    NearlyFull,
    Full,
}

impl Room {
    /// The type of event to raise, if there is news.
    fn look(&mut self, bytes: u64, max_bytes: u64) -> Option<&'static str> {
        let at_least = |percent: u64| bytes >= max_bytes / 100 * percent;
        let (now, kind) = match *self {
            Self::Enough | Self::NearlyFull if bytes >= max_bytes => (Self::Full, "store.full"),
            Self::Enough if at_least(NEARLY_FULL_PERCENT) => {
                (Self::NearlyFull, "store.nearly_full")
            }
            Self::NearlyFull | Self::Full if !at_least(RECOVERED_PERCENT) => {
                (Self::Enough, "store.recovered")
            }
            _ => return None,
        };
        *self = now;
        Some(kind)
    }
}

/// Since when the broker is away, if that was told.
#[derive(Debug, Default)]
struct Broker {
    told_since_ms: Option<i64>,
}

impl Broker {
    /// The type of event to raise, if there is news, and since when the broker was away.
    fn look(&mut self, away_since_ms: Option<i64>, now_ms: i64) -> Option<(&'static str, i64)> {
        match (self.told_since_ms, away_since_ms) {
            (None, Some(since_ms)) if now_ms - since_ms > AWAY_MS => {
                self.told_since_ms = Some(since_ms);
                Some(("bus.unreachable", since_ms))
            }
            (Some(since_ms), None) => {
                self.told_since_ms = None;
                Some(("bus.recovered", since_ms))
            }
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn room_is_told_once_a_level() {
        let mut room = Room::Enough;
        for (bytes, expected) in [
            (899, None),
            (900, Some("store.nearly_full")),
            (950, None),
            (850, None),
            (1_000, Some("store.full")),
            (1_100, None),
            (900, None),
            (800, None),
            (799, Some("store.recovered")),
            (1_000, Some("store.full")),
            (0, Some("store.recovered")),
            (0, None),
        ] {
            assert_eq!(room.look(bytes, 1_000), expected, "{bytes}");
        }
    }

    #[test]
    fn a_broker_that_is_away_for_long_is_told_and_so_is_its_return() {
        let mut broker = Broker::default();
        for (away_since_ms, now_ms, expected) in [
            (Some(0), 30_000, None),
            (None, 31_000, None),
            (Some(32_000), 62_000, None),
            (Some(32_000), 62_001, Some(("bus.unreachable", 32_000))),
            (Some(32_000), 99_000, None),
            (None, 100_000, Some(("bus.recovered", 32_000))),
            (None, 200_000, None),
        ] {
            assert_eq!(broker.look(away_since_ms, now_ms), expected, "{now_ms}");
        }
    }
}
