//! One answer against the contract (`spec/contract-test.md` 5).
//!
//! Owns which checks apply to an answer and which of them it violates. Deviations come from the same baseline that judges live
//! traffic, so a violation and a drift at one place share a fingerprint. Refuses to own repeating a violation (`execute`) and
//! counting (`outcome`). No I/O.

use std::collections::BTreeMap;
use std::sync::Arc;

use bytes::Bytes;
use http::{HeaderMap, Method};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};
use smallvec::smallvec;
use url::Url;

use crate::capture::{self, Border};
use crate::contract::specification::Operation;
use crate::contract::{Baseline, Deviation, Validity};
use crate::deliver::client::{Ending, Reply};
use crate::model::capture::{
    BodyState, Capture, CapturedBody, Heads, Outcome, Part, Protocol, Stamps,
};
use crate::model::exchange::Exchange;
use crate::model::finding::{Direction, Location, Severity};
use crate::model::hash::{HashKey, hexadecimal};
use crate::model::kind::Kind;
use crate::model::redaction::Plan;
use crate::model::units::Size;

use super::outcome::Check;

/// Statuses that a positive case may get besides 2xx and 3xx: they speak of credentials, state and load, not of the request.
const POSITIVE_STATUSES: &[u16] = &[401, 403, 404, 409, 412, 429];
/// Answers are judged up to this size.
pub(super) const ANSWER_BYTES_MAX: usize = 4 << 20;

/// A request as it went out.
pub(super) struct Sent<'a> {
    pub(super) method: &'a Method,
    /// With what credentials added to its query.
    pub(super) url: &'a Url,
    /// Path as the specification's server and templates spell it.
    pub(super) path: String,
    pub(super) headers: &'a HeaderMap,
}

/// What one answer showed.
#[derive(Debug, Default)]
pub(super) struct Judged {
    /// Checks that applied, and whether each held.
    pub(super) checks: BTreeMap<Check, bool>,
    pub(super) seen: Vec<Seen>,
    /// The request was not what was meant: it proves nothing.
    pub(super) neutralised: bool,
    /// The answer had a documented body, and whether it could be judged.
    pub(super) body: Option<bool>,
}

/// One violation in one answer.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Seen {
    pub(super) fingerprint: String,
    pub(super) check: Check,
    pub(super) kind: String,
    pub(super) severity: Severity,
    pub(super) direction: Direction,
    pub(super) location: Location,
    pub(super) expected: Value,
    pub(super) observed: Value,
}

/// Judges answers of one run.
pub(super) struct Judge {
    baseline: Arc<Baseline>,
    border: Border,
    plan: Arc<Plan>,
}

impl Judge {
    pub(super) fn new(baseline: Arc<Baseline>) -> Self {
        let limit = Size(ANSWER_BYTES_MAX as u64);
        let options = capture::Options { response_body: limit, ..capture::Options::default() };
        // The border is asked about our own requests to hear what the baseline says: none of them is passed over.
        let border = Border::new(HashKey::OFFLINE, "contract-test", &options, Arc::new(|_| false));
        Self { baseline, border, plan: Arc::default() }
    }

    /// Judges the answer to a positive case of an operation.
    pub(super) fn positive(&self, operation: &Operation, sent: &Sent<'_>, reply: &Reply) -> Judged {
        let status = reply.status.as_u16();
        let mut judged = Judged::default();
        judged.checks.insert(Check::ServerError, true);
        if reply.status.is_server_error() {
            if !is_excused(reply) {
                judged.violate(server_error(operation, status));
            }
            return judged;
        }
        // Too many requests is about us, never about the contract.
        if status == 429 {
            return judged;
        }
        let Some(exchange) = self.exchange(sent, reply) else { return judged };
        let judgement = self.baseline.judge(&exchange);
        judged.neutralised = judgement.request == Validity::Invalid;
        judged.apply(operation, reply, judgement.reply);
        for deviation in &judgement.deviations {
            if let Some(seen) = violation(deviation, judged.neutralised) {
                judged.violate(seen);
            }
        }
        let is_accepted = status < 400 || POSITIVE_STATUSES.contains(&status);
        let is_told = judged.checks.get(&Check::PositiveAccepted) == Some(&false);
        if !is_accepted && !judged.neutralised && !is_told {
            judged.violate(refused(operation, status));
        }
        judged
    }

    /// Judges the answer to a request that left its credentials at home, after the same one with them was accepted.
    pub(super) fn anonymous(&self, sent: &Sent<'_>, reply: &Reply) -> Judged {
        let mut judged = Judged::default();
        judged.checks.insert(Check::AuthEnforced, true);
        let is_cached = ["age", "x-cache"].iter().any(|name| reply.headers.contains_key(*name));
        if !reply.status.is_success() || is_cached {
            return judged;
        }
        let Some(exchange) = self.exchange(sent, reply) else { return judged };
        let deviations = self.baseline.judge(&exchange).deviations;
        let auth = |deviation: &&Deviation| deviation.kind == Kind::AuthUnauthenticatedSuccess;
        for deviation in deviations.iter().filter(auth) {
            if let Some(seen) = violation(deviation, false) {
                judged.violate(seen);
            }
        }
        judged
    }

    /// The exchange as live traffic would have shown it.
    fn exchange(&self, sent: &Sent<'_>, reply: &Reply) -> Option<Exchange> {
        let mut arena = request_head(sent);
        let split = arena.len();
        arena.extend(response_head(reply));
        let state = match reply.ending {
            _ if reply.body.is_empty() && reply.ending == Ending::Complete => BodyState::None,
            Ending::Complete => BodyState::Complete,
            Ending::Cut | Ending::Broken(_) => BodyState::Truncated,
        };
        let body = Bytes::from(reply.body.clone());
        let capture = Capture {
            sequence: 0,
            worker: 0,
            api: "".into(),
            listener: "".into(),
            client: None,
            client_protocol: Protocol::Http11,
            upstream_protocol: Some(Protocol::Http11),
            tls: sent.url.scheme() == "https",
            stamps: Stamps::default(),
            wall_ms: 0,
            heads: Heads::new(Bytes::from(arena), split),
            status: reply.status.as_u16(),
            interim: smallvec![],
            request: CapturedBody::default(),
            response: CapturedBody {
                kept: body.len(),
                total: body.len() as u64,
                chunks: smallvec![body],
                state,
            },
            trailers: Vec::new(),
            attempts: 1,
            reused: false,
            part: Part::Whole,
            weight: 1,
            outcome: Outcome::Ok,
            decoded: was_decoded(reply),
        };
        self.border.open(&capture, &self.plan)
    }
}

impl Judged {
    fn violate(&mut self, seen: Seen) {
        self.checks.insert(seen.check, false);
        self.seen.push(seen);
    }

    /// Marks the checks that an answer below 500 can be held to.
    fn apply(&mut self, operation: &Operation, reply: &Reply, validity: Validity) {
        self.checks.insert(Check::Status, true);
        if !self.neutralised {
            self.checks.insert(Check::PositiveAccepted, true);
        }
        let documented = operation.response(reply.status.as_u16());
        let Some(response) = documented.filter(|response| !response.content.is_empty()) else {
            return;
        };
        if operation.method.as_ref() == "HEAD" {
            return;
        }
        self.checks.insert(Check::ContentType, true);
        let is_judged = !matches!(validity, Validity::Unvalidatable(_));
        if reply.status.is_success() {
            self.body = Some(is_judged);
        }
        if is_judged {
            self.checks.insert(Check::BodyParseable, true);
            self.checks.insert(Check::ResponseSchema, true);
            self.checks.insert(Check::ResponseStrict, true);
        }
        if !response.headers.is_empty() {
            self.checks.insert(Check::ResponseHeaders, true);
        }
    }
}

/// A 503 that says when to come back, and the page of a gateway in front: neither is the API's failure.
fn is_excused(reply: &Reply) -> bool {
    let field = |name: &str| reply.headers.get(name).and_then(|value| value.to_str().ok());
    let status = reply.status.as_u16();
    let is_page = field("content-type").is_some_and(|media| media.starts_with("text/html"));
    (status == 503 && field("retry-after").is_some()) || (matches!(status, 502..=504) && is_page)
}

/// The check that a deviation violates; none for what says nothing about the API (our own credentials, our own traffic).
fn violation(deviation: &Deviation, neutralised: bool) -> Option<Seen> {
    let request_side = deviation.direction == Direction::Request;
    let check = match deviation.kind {
        Kind::StatusUndocumented => Check::Status,
        Kind::MediaTypeLying => Check::BodyParseable,
        Kind::MediaTypeUndocumented | Kind::MediaTypeMissing | Kind::MediaTypeMalformed
            if !request_side =>
        {
            Check::ContentType
        }
        Kind::AuthUnauthenticatedSuccess => Check::AuthEnforced,
        Kind::AuthNowRequired => Check::AuthOverdemanded,
        Kind::HeaderRequiredMissing | Kind::HeaderInvalid => Check::ResponseHeaders,
        Kind::FieldUndocumented if !request_side => Check::ResponseStrict,
        _ if deviation.direction == Direction::Response => Check::ResponseSchema,
        _ if request_side && !neutralised => Check::PositiveAccepted,
        _ => return None,
    };
    Some(Seen {
        fingerprint: deviation.fingerprint.clone(),
        check,
        kind: deviation.kind.as_str().to_owned(),
        severity: deviation.severity,
        direction: deviation.direction,
        location: deviation.location.clone(),
        expected: deviation.expected.clone(),
        observed: deviation.observed.clone(),
    })
}

fn server_error(operation: &Operation, status: u16) -> Seen {
    let documented = operation.responses.iter().map(|response| response.key.to_string());
    let documented: Vec<String> = documented.collect();
    own(operation, (Check::ServerError, "server.error"), status, &documented)
}

fn refused(operation: &Operation, status: u16) -> Seen {
    let accepted = ["2XX", "3XX"].map(str::to_owned).into_iter();
    let accepted = accepted.chain(POSITIVE_STATUSES.iter().map(ToString::to_string));
    let accepted: Vec<String> = accepted.collect();
    own(operation, (Check::PositiveAccepted, "request.refused"), status, &accepted)
}

/// A violation that the baseline has no word for: about the status as such.
fn own(
    operation: &Operation,
    (check, kind): (Check, &str),
    status: u16,
    expected: &[String],
) -> Seen {
    let location = Location { status: status.to_string(), ..Location::default() };
    let direction = Direction::Structure;
    Seen {
        fingerprint: fingerprint(operation, direction, &location, kind),
        check,
        kind: kind.to_owned(),
        severity: Severity::High,
        direction,
        location,
        expected: json!({ "status": expected }),
        observed: json!({ "status": status }),
    }
}

/// As `spec/contract.md` 8 makes them.
fn fingerprint(
    operation: &Operation,
    direction: Direction,
    location: &Location,
    kind: &str,
) -> String {
    let template = super::plan::without_names(&operation.template);
    let Location { status, media_type, pointer, keyword } = location;
    let parts = [
        "df1",
        &operation.method,
        &template,
        direction.as_str(),
        status,
        media_type,
        pointer,
        kind,
        keyword,
        "",
    ];
    let digest = Sha256::digest(parts.join("\u{1f}").as_bytes());
    hexadecimal(&digest[..16])
}

/// The client decodes gzip and deflate; any other coding arrives as it was sent.
fn was_decoded(reply: &Reply) -> bool {
    let coding = reply.headers.get(http::header::CONTENT_ENCODING);
    coding.is_none_or(|coding| {
        ["gzip", "x-gzip", "deflate", "identity"]
            .iter()
            .any(|known| coding.as_bytes().eq_ignore_ascii_case(known.as_bytes()))
    })
}

fn request_head(sent: &Sent<'_>) -> Vec<u8> {
    let query = sent.url.query().map(|query| format!("?{query}")).unwrap_or_default();
    let host = sent.url.authority();
    let mut head = format!("{} {}{query} HTTP/1.1\r\nhost: {host}\r\n", sent.method, sent.path);
    head.reserve(256);
    let mut head = head.into_bytes();
    write_fields(&mut head, sent.headers);
    head
}

fn response_head(reply: &Reply) -> Vec<u8> {
    let mut head = format!("HTTP/1.1 {} \r\n", reply.status.as_u16()).into_bytes();
    write_fields(&mut head, &reply.headers);
    head
}

fn write_fields(head: &mut Vec<u8>, fields: &HeaderMap) {
    for (name, value) in fields {
        head.extend(name.as_str().as_bytes());
        head.extend(b": ");
        head.extend(value.as_bytes());
        head.extend(b"\r\n");
    }
    head.extend(b"\r\n");
}
