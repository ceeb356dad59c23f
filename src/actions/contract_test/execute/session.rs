//! One run under way: its limits, its pace, and what it has collected so far.
//!
//! Owns sending one case and everything that follows from its answer. Refuses to own the order of cases.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use http::HeaderMap;
use parking_lot::Mutex;
use serde_json::Value;

use crate::contract::specification::Operation;
use crate::deliver::client::{Ending, Failure, Reply, Request};
use crate::model::delivery::OutcomeKind;

use super::super::judge::{Judge, Judged, Seen, Sent};
use super::super::outcome::{Reproduced, Violation};
use super::super::plan::{Case, Lack};
use super::super::pool::Pool;
use super::super::target::Place;
use super::{Observer, Order, Record, Step, World, request};

/// Longest wait that an answer may ask for.
const RETRY_AFTER_MAX: Duration = Duration::from_mins(1);
/// Answers looked at to tell whether the target is failing.
const WINDOW: usize = 50;
/// Wait for a target that fails; the third such wait ends the run.
const PAUSE: Duration = Duration::from_secs(30);
const PAUSES_MAX: u32 = 3;
/// Sends of a request that showed a violation, the first included.
const SENDS: u8 = 3;

/// Why a run ends before its plan.
pub(super) enum Halt {
    Stopped,
    /// The limit that is used up.
    Budget(&'static str),
    Credentials(String),
    Unreachable(Unreachable),
    Failing,
}

/// Nobody answers at the target: one sentence.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unreachable(pub String);

pub(super) struct Session<'a> {
    order: &'a Order,
    place: &'a Place,
    world: World,
    judge: Judge,
    observer: &'a dyn Observer,
    of: usize,
    started_ns: u64,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    requests: u64,
    bytes: u64,
    /// Monotonic nanoseconds before which nothing is sent.
    next_ns: u64,
    /// 429s answered so far: each halves the rate.
    slowed: u32,
    pauses: u32,
    /// The last answers: operation, and whether it was a server error.
    recent: VecDeque<(usize, bool)>,
    sent: BTreeSet<String>,
    pool: Pool,
    records: BTreeMap<usize, Record>,
    /// By fingerprint.
    violations: BTreeMap<String, Violation>,
    done: usize,
}

/// One case as it is sent.
#[derive(Clone, Copy)]
struct Shot<'a> {
    case: &'a Case,
    operation: &'a Operation,
    with_credentials: bool,
}

/// A request with the answer it got.
struct Answered {
    plain: Request,
    headers: HeaderMap,
    url: url::Url,
    reply: Reply,
}

impl<'a> Session<'a> {
    pub(super) fn new(
        order: &'a Order,
        place: &'a Place,
        world: World,
        observer: &'a dyn Observer,
        of: usize,
    ) -> Self {
        Self {
            order,
            place,
            judge: Judge::new(Arc::clone(&order.baseline)),
            started_ns: world.clock.monotonic_ns(),
            world,
            observer,
            of,
            state: Mutex::default(),
        }
    }

    pub(super) fn requests(&self) -> u64 {
        self.state.lock().requests
    }

    pub(super) fn bytes(&self) -> u64 {
        self.state.lock().bytes
    }

    pub(super) fn concurrency(&self) -> usize {
        self.order.options.concurrency
    }

    pub(super) fn has_credentials(&self) -> bool {
        self.order.credentials.is_some() || !self.order.headers.is_empty()
    }

    pub(super) fn operation(&self, index: usize) -> Option<&'a Operation> {
        self.order.baseline.specification.operations.get(index)
    }

    pub(super) fn with_pool(
        &self,
        plan: impl FnOnce(&Pool) -> Result<Vec<Case>, Lack>,
    ) -> Result<Vec<Case>, Lack> {
        plan(&self.state.lock().pool)
    }

    pub(super) fn record(&self, operation: usize, change: impl FnOnce(&mut Record)) {
        change(self.state.lock().records.entry(operation).or_default());
    }

    pub(super) fn was_sent(&self, case: &Case) -> bool {
        self.state.lock().sent.contains(&case.id)
    }

    pub(super) fn finished(&self, operation: &Operation) {
        self.state.lock().done += 1;
        self.tell(operation);
    }

    pub(super) fn into_findings(self) -> (BTreeMap<usize, Record>, Vec<Violation>) {
        let state = self.state.into_inner();
        (state.records, state.violations.into_values().collect())
    }

    fn tell(&self, operation: &Operation) {
        let label = format!("{} {}", operation.method, operation.template);
        let state = self.state.lock();
        let step = Step {
            operation: &label,
            sent: state.requests,
            done: state.done,
            of: self.of,
            violations: state.violations.len(),
        };
        self.observer.step(&step);
    }

    /// Sends one case and takes in its answer; whether it was answered 2xx.
    pub(super) async fn try_case(&self, case: &Case) -> Result<bool, Halt> {
        let Some(operation) = self.operation(case.operation) else { return Ok(false) };
        self.state.lock().sent.insert(case.id.clone());
        self.record(case.operation, |record| record.reached = true);
        let shot = Shot { case, operation, with_credentials: true };
        let answered = match self.send(shot).await? {
            Ok(answered) => answered,
            Err(failure) => {
                self.record(case.operation, |record| {
                    record.tally.unanswered += 1;
                    record.tally.last_failure = Some(failure.error);
                });
                return Ok(false);
            }
        };
        let judged = self.judge_positive(operation, &answered);
        self.take_in(case, operation, &answered, &judged);
        let accepted = answered.reply.status.is_success();
        for seen in judged.seen {
            self.confirm(shot, &answered, seen).await?;
        }
        self.tell(operation);
        Ok(accepted)
    }

    /// The same request without credentials.
    pub(super) async fn try_anonymous(&self, case: &Case) -> Result<(), Halt> {
        let Some(operation) = self.operation(case.operation) else { return Ok(()) };
        let shot = Shot { case, operation, with_credentials: false };
        let Ok(answered) = self.send(shot).await? else { return Ok(()) };
        let judged = self.judge_anonymous(&answered);
        self.record(case.operation, |record| merge_checks(record, &judged));
        for seen in judged.seen {
            self.confirm(shot, &answered, seen).await?;
        }
        Ok(())
    }

    fn judge_positive(&self, operation: &Operation, answered: &Answered) -> Judged {
        self.judge.positive(operation, &self.sent(answered), &answered.reply)
    }

    fn judge_anonymous(&self, answered: &Answered) -> Judged {
        self.judge.anonymous(&self.sent(answered), &answered.reply)
    }

    /// The request as the specification spells it: below its server's path, wherever the target really is.
    fn sent<'b>(&self, answered: &'b Answered) -> Sent<'b> {
        let base_path = url::Url::parse(&self.place.base).map(|url| url.path().to_owned());
        let base_path = base_path.unwrap_or_default();
        let path = answered.url.path();
        let below = path.strip_prefix(base_path.trim_end_matches('/')).unwrap_or(path);
        Sent {
            method: &answered.plain.method,
            url: &answered.url,
            path: format!("{}{below}", self.place.server_path),
            headers: &answered.headers,
        }
    }

    fn take_in(&self, case: &Case, operation: &Operation, answered: &Answered, judged: &Judged) {
        let status = answered.reply.status.as_u16();
        let mut state = self.state.lock();
        let record = state.records.entry(case.operation).or_default();
        merge_checks(record, judged);
        let tally = &mut record.tally;
        tally.answered += 1;
        *tally.statuses.entry(status).or_default() += 1;
        tally.neutralised += u64::from(judged.neutralised);
        if let Some(is_judged) = judged.body {
            tally.bodies += 1;
            tally.bodies_judged += u64::from(is_judged);
        }
        if answered.reply.status.is_success()
            && let Ok(body) = serde_json::from_slice::<Value>(&answered.reply.body)
        {
            state.pool.read(&operation.template, &body);
        }
    }

    /// Counts a violation; the first time it is seen, its request is sent twice more to tell whether it stays.
    async fn confirm(&self, shot: Shot<'_>, answered: &Answered, seen: Seen) -> Result<(), Halt> {
        let known = self.state.lock().violations.get_mut(&seen.fingerprint).map(|known| {
            known.count += 1;
        });
        if known.is_some() {
            return Ok(());
        }
        let fingerprint = seen.fingerprint.clone();
        let violation = describe(shot, answered, seen);
        self.state.lock().violations.insert(fingerprint.clone(), violation);
        for _ in 1..SENDS {
            let again = match self.send(shot).await? {
                Ok(again) if shot.with_credentials => self.judge_positive(shot.operation, &again),
                Ok(again) => self.judge_anonymous(&again),
                // Nothing came back: neither a repetition nor its absence.
                Err(_) => continue,
            };
            let repeated = again.seen.iter().any(|seen| seen.fingerprint == fingerprint);
            if let Some(violation) = self.state.lock().violations.get_mut(&fingerprint) {
                violation.reproduced.of += 1;
                violation.reproduced.times += u8::from(repeated);
            }
        }
        Ok(())
    }

    /// Sends within the limits. A GET that got no answer is sent once more.
    async fn send(&self, shot: Shot<'_>) -> Result<Result<Answered, Failure>, Halt> {
        let first = self.send_once(shot).await?;
        let failure = match first {
            Ok(answered) => return self.obey(shot.case, answered).await.map(Ok),
            Err(failure) => failure,
        };
        if *shot.operation.method != *"GET" {
            return Ok(Err(failure));
        }
        let second = self.send_once(shot).await?;
        let never_answered = self.state.lock().recent.is_empty();
        match second {
            Ok(answered) => self.obey(shot.case, answered).await.map(Ok),
            Err(failure) if never_answered && is_unreachable(&failure) => {
                Err(Halt::Unreachable(Unreachable(failure.error)))
            }
            Err(failure) => Ok(Err(failure)),
        }
    }

    async fn send_once(&self, shot: Shot<'_>) -> Result<Result<Answered, Failure>, Halt> {
        let Shot { case, operation, with_credentials } = shot;
        let Order { trust, headers, run, .. } = self.order;
        let built = request::build(&self.place.base, case, operation, *trust, headers);
        let Some(mut plain) = built else {
            let why = "the case spells no URL";
            return Ok(Err(Failure::new(OutcomeKind::Render, why)));
        };
        let number = self.turn().await?;
        let mut authorised = plain.clone();
        if with_credentials {
            if let Some(credentials) = &self.order.credentials {
                credentials.authorise(&mut authorised).await.map_err(Halt::Credentials)?;
            }
        } else {
            request::without_credentials(&mut authorised, &self.order.baseline.specification);
            plain = authorised.clone();
        }
        let sealed = self.order.chain.as_ref().map(|(key, chain)| chain.seal(key));
        request::mark(&mut authorised, run, number, sealed.as_deref());
        let (headers, url) = (authorised.headers.clone(), authorised.url.clone());
        let reply = self.world.client.send(authorised).await;
        let reply = match reply {
            Ok(reply) if matches!(reply.ending, Ending::Broken(_)) && reply.body.is_empty() => {
                return Ok(Err(Failure::new(OutcomeKind::Closed, "the answer broke off")));
            }
            Ok(reply) => reply,
            Err(failure) => return Ok(Err(failure)),
        };
        if reply.status.as_u16() == 401 && with_credentials {
            self.order.credentials.iter().for_each(|credentials| {
                credentials.refused();
            });
        }
        self.state.lock().bytes += reply.body.len() as u64;
        Ok(Ok(Answered { plain, headers, url, reply }))
    }

    /// Waits for the next turn of the rate and takes it; the number of the request.
    async fn turn(&self) -> Result<u64, Halt> {
        loop {
            self.check_limits()?;
            let now_ns = self.world.clock.monotonic_ns();
            let wait_ns = {
                let mut state = self.state.lock();
                if state.next_ns <= now_ns {
                    let interval =
                        self.order.options.rate.interval() * 2_u32.pow(state.slowed.min(6));
                    let interval_ns = u64::try_from(interval.as_nanos()).unwrap_or(u64::MAX);
                    state.next_ns = now_ns.max(state.next_ns).saturating_add(interval_ns);
                    state.requests += 1;
                    return Ok(state.requests);
                }
                state.next_ns - now_ns
            };
            self.wait(Duration::from_nanos(wait_ns)).await?;
        }
    }

    fn check_limits(&self) -> Result<(), Halt> {
        if self.world.stop.has_begun() {
            return Err(Halt::Stopped);
        }
        let budget = &self.order.options.budget;
        let elapsed = Duration::from_nanos(self.world.clock.monotonic_ns() - self.started_ns);
        let state = self.state.lock();
        if state.requests >= budget.requests(self.of) {
            return Err(Halt::Budget("requests"));
        }
        if state.bytes >= budget.bytes.0 {
            return Err(Halt::Budget("bytes"));
        }
        if elapsed >= budget.duration.0 {
            return Err(Halt::Budget("time"));
        }
        Ok(())
    }

    /// Sleeps, unless the kill switch is pulled or the time is up first.
    async fn wait(&self, duration: Duration) -> Result<(), Halt> {
        let elapsed = Duration::from_nanos(self.world.clock.monotonic_ns() - self.started_ns);
        let left = self.order.options.budget.duration.0.saturating_sub(elapsed);
        let mut stop = self.world.stop.clone();
        tokio::select! {
            () = self.world.clock.sleep(duration.min(left)) => Ok(()),
            () = stop.begun() => Err(Halt::Stopped),
        }
    }

    /// Slows down where the answer asks for it, and pauses where the target is failing.
    async fn obey(&self, case: &Case, answered: Answered) -> Result<Answered, Halt> {
        let reply = &answered.reply;
        let now_ms = self.world.clock.now_ms();
        let (is_throttled, is_failing) =
            (reply.status.as_u16() == 429, reply.status.is_server_error());
        let pause = {
            let mut state = self.state.lock();
            state.slowed += u32::from(is_throttled);
            state.recent.push_back((case.operation, is_failing));
            if state.recent.len() > WINDOW {
                state.recent.pop_front();
            }
            let failing = state.is_target_failing();
            if failing {
                state.recent.clear();
                state.pauses += 1;
                if state.pauses >= PAUSES_MAX {
                    return Err(Halt::Failing);
                }
            }
            failing
        };
        if pause {
            self.wait(PAUSE).await?;
        } else if is_throttled && let Some(wait) = retry_after(reply, now_ms) {
            self.wait(wait.min(RETRY_AFTER_MAX)).await?;
        }
        Ok(answered)
    }
}

impl State {
    /// More than half of the last 50 answers were server errors, on at least three operations.
    fn is_target_failing(&self) -> bool {
        let failed = || self.recent.iter().filter(|(_, failed)| *failed);
        let operations: BTreeSet<usize> = failed().map(|(operation, _)| *operation).collect();
        self.recent.len() >= WINDOW && failed().count() * 2 > WINDOW && operations.len() >= 3
    }
}

fn merge_checks(record: &mut Record, judged: &Judged) {
    for (check, held) in &judged.checks {
        let known = record.checks.entry(*check).or_insert(true);
        *known &= held;
    }
}

/// Seconds or an HTTP date (RFC 9110 section 10.2.3).
fn retry_after(reply: &Reply, now_ms: i64) -> Option<Duration> {
    let text = reply.headers.get(http::header::RETRY_AFTER)?.to_str().ok()?;
    if let Ok(seconds) = text.trim().parse() {
        return Some(Duration::from_secs(seconds));
    }
    let until = httpdate::parse_http_date(text).ok()?;
    let until_ms = until.duration_since(std::time::UNIX_EPOCH).ok()?.as_millis();
    let wait_ms = i64::try_from(until_ms).ok()?.checked_sub(now_ms)?;
    u64::try_from(wait_ms).ok().map(Duration::from_millis)
}

fn is_unreachable(failure: &Failure) -> bool {
    matches!(
        failure.outcome,
        OutcomeKind::Connect
            | OutcomeKind::TimeoutConnect
            | OutcomeKind::Dns
            | OutcomeKind::Blocked
            | OutcomeKind::Tls
    )
}

fn describe(shot: Shot<'_>, answered: &Answered, seen: Seen) -> Violation {
    let Shot { case, operation, .. } = shot;
    Violation {
        fingerprint: seen.fingerprint,
        check: seen.check,
        kind: seen.kind,
        severity: seen.severity,
        direction: seen.direction,
        method: operation.method.to_string(),
        template: operation.template.to_string(),
        location: seen.location,
        expected: seen.expected,
        observed: seen.observed,
        reproduced: Reproduced { times: 1, of: 1 },
        count: 1,
        case: case.id.clone(),
        scenario: case.scenario.clone(),
        status: answered.reply.status.as_u16(),
        curl: request::curl(&answered.plain, &answered.headers),
        pointer: operation.pointer.clone(),
    }
}
