//! Deliveries and attempts: one event for one destination, one try at it (`spec/delivery.md` 7).
//!
//! Owns the records and their closed sets of states, holds, ends and outcomes. Refuses to own the transitions
//! (`deliver::machine`) and the table rows (`store`).

use super::event::Event;

/// Declares a closed set of names with `as_str`, `parse` and `ALL`.
macro_rules! names {
    ($(#[$doc:meta])* $name:ident { $($(#[$variant_doc:meta])* $variant:ident = $text:literal),+ $(,)? }) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub enum $name { $($(#[$variant_doc])* $variant),+ }

        impl $name {
            pub const ALL: &'static [Self] = &[$(Self::$variant),+];

            /// The stable name, as stored and shown by the API.
            #[must_use]
            pub fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $text),+ }
            }

            #[must_use]
            pub fn parse(text: &str) -> Option<Self> {
                match text { $($text => Some(Self::$variant),)+ _ => None }
            }
        }
    };
}

names! {
    /// The five states. Open: Created and Retrying.
    State {
        Created = "created",
        Retrying = "retrying",
        Success = "success",
        Failed = "failed",
        Cancelled = "cancelled",
    }
}

names! {
    /// Why an open delivery is not attempted although it is due.
    Hold {
        Inactive = "inactive",
        TriggersOff = "triggers_off",
        Circuit = "circuit",
        Throttled = "throttled",
        Rate = "rate",
        Order = "order",
        Bus = "bus",
        Store = "store",
    }
}

names! {
    /// Why a delivery is final.
    End {
        Delivered = "delivered",
        Cancelled = "cancelled",
        WebhookDeleted = "webhook_deleted",
        Expired = "expired",
        PayloadGone = "payload_gone",
        /// The destination says that no attempt can ever succeed (no specification to test against).
        Refused = "refused",
    }
}

names! {
    /// What came of an attempt. All but `Ok` are retried.
    OutcomeKind {
        Ok = "ok",
        Redirect = "redirect",
        ClientError = "client_error",
        Gone = "gone",
        Throttled = "throttled",
        ServerError = "server_error",
        BadResponse = "bad_response",
        Dns = "dns",
        Blocked = "blocked",
        Connect = "connect",
        Tls = "tls",
        TimeoutConnect = "timeout_connect",
        TimeoutHead = "timeout_head",
        TimeoutTotal = "timeout_total",
        Closed = "closed",
        Proxy = "proxy",
        Auth = "auth",
        Render = "render",
        FunctionError = "function_error",
        Unknown = "unknown",
    }
}

names! {
    /// What started an attempt.
    Trigger {
        Schedule = "schedule",
        Manual = "manual",
        Probe = "probe",
        Deadline = "deadline",
    }
}

names! {
    /// Why a destination that names the type of an event gets no delivery of it.
    SkipReason {
        Inactive = "inactive",
        TriggersOff = "triggers_off",
        OutOfScope = "out_of_scope",
        FilterFalse = "filter_false",
        FilterError = "filter_error",
        /// An event about the destination itself.
        Itself = "self",
        Limit = "limit",
    }
}

/// A destination that names the type of an event and still gets no delivery of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Skip {
    /// `whk_…` or `act_…`.
    pub destination: String,
    pub reason: SkipReason,
    /// Message and place of a filter error, else empty.
    pub detail: String,
}

/// What matching one event against all destinations gave: each destination that names its type is in one of the two.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Matches {
    /// Ids of the destinations that get a delivery.
    pub deliveries: Vec<String>,
    pub skips: Vec<Skip>,
}

impl Matches {
    /// Adds what another part of the destinations gave.
    pub fn extend(&mut self, other: Self) {
        self.deliveries.extend(other.deliveries);
        self.skips.extend(other.skips);
    }
}

impl State {
    #[must_use]
    pub fn is_open(self) -> bool {
        matches!(self, Self::Created | Self::Retrying)
    }
}

impl Delivery {
    /// The delivery of `event`, stored at `event_sequence`, to a destination: created, due at once.
    #[must_use]
    pub fn created(event: &Event, event_sequence: i64, destination: &str) -> Self {
        Self {
            id: super::id::delivery(&event.source, &event.id, destination),
            destination: destination.to_owned(),
            event_sequence,
            state: State::Created,
            generation: 0,
            attempt: 0,
            step: 0,
            due_ms: event.recorded_ms,
            created_ms: event.recorded_ms,
            hold: None,
            end: None,
            last_outcome: None,
            last_status: None,
        }
    }
}

/// The record of a delivery: about 200 bytes, no payload.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Delivery {
    /// [`super::id::delivery`] of event and destination.
    pub id: String,
    /// `whk_…` or `act_…`.
    pub destination: String,
    /// Row of the event in the store.
    pub event_sequence: i64,
    pub state: State,
    /// Commands (retry, cancel) applied so far; a result of an older generation cannot undo them.
    pub generation: u32,
    /// Attempts begun.
    pub attempt: u32,
    /// Steps of the retry schedule used up.
    pub step: u32,
    /// Unix milliseconds of the next attempt; meaningless once final.
    pub due_ms: i64,
    /// `recordedtime` of the event.
    pub created_ms: i64,
    pub hold: Option<Hold>,
    pub end: Option<End>,
    pub last_outcome: Option<OutcomeKind>,
    pub last_status: Option<u16>,
}

/// One try at a delivery, as the log keeps it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Attempt {
    pub delivery: String,
    /// From 1.
    pub number: u32,
    pub trigger: Trigger,
    pub started_ms: i64,
    pub duration_ms: u64,
    /// Version of the destination object that the attempt began with.
    pub target_version: u64,
    pub url: String,
    /// Address dialled, if any.
    pub address: Option<String>,
    /// Names in lower case, secrets masked.
    pub request_headers: Vec<(String, String)>,
    /// Hexadecimal SHA-256 of the body sent.
    pub body_sha256: String,
    pub status: Option<u16>,
    /// At most 8 KiB.
    pub response_headers: Vec<(String, String)>,
    /// At most 16 KiB after decoding.
    pub response_body: Vec<u8>,
    pub outcome: OutcomeKind,
    /// One sentence, none on success.
    pub error: Option<String>,
}
