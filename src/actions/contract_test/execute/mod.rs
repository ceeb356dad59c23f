//! Runs a contract test: sends what the plan says, within its limits, and collects what the judge sees.
//!
//! Owns the order of a run: one happy path per operation, lists before items; then everything else; each new violation is sent
//! twice more. Refuses to own what is sent (`plan`), what an answer means (`judge`) and the connection (`deliver::client`).

mod request;
mod session;

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

use http::{HeaderMap, HeaderName, HeaderValue};
use parking_lot::Mutex;

use crate::contract::Baseline;
use crate::contract::specification::{Operation, Specification};

use crate::deliver::Credentials;
use crate::deliver::client::Client;
use crate::deliver::guard::Trust;
use crate::events::chain::{self, Chain};
use crate::model::problem::Problems;
use crate::runtime::clock::Clock;
use crate::runtime::shutdown::Watch;

use super::options::{ContractTest, Mode};
use super::outcome::{
    Cause, Check, Doubt, OperationResult, Outcome, Run, Status, Tally, Used, Violation,
};
use super::plan::{self, Case, Planner, Target};
use super::pool::Pool;
use super::target::{self, Place};
use session::{Halt, Session};

pub use session::Unreachable;

/// What is to be tested.
pub struct Order {
    /// Id of the run, the correlation id of its mark.
    pub run: String,
    pub seed: u64,
    pub baseline: Arc<Baseline>,
    pub used: Used,
    /// What the reader of the specification complained about.
    pub lints: Problems,
    pub options: ContractTest,
    /// Where to send when the options name neither base URL nor endpoint.
    pub upstream: Option<String>,
    pub credentials: Option<Arc<dyn Credentials>>,
    /// Custom headers, their values marked sensitive.
    pub headers: HeaderMap,
    pub trust: Trust,
    /// Seals the mark of the requests; none: they go out unmarked.
    pub chain: Option<(chain::Key, Chain)>,
}

/// What a run needs of the world.
#[derive(Clone)]
pub struct World {
    pub client: Client,
    pub clock: Clock,
    /// The kill switch: no new request once it has begun.
    pub stop: Watch,
}

/// Told as a run goes on. Called often; must return at once.
pub trait Observer: Send + Sync {
    fn step(&self, step: &Step<'_>);
}

/// How far a run is.
#[derive(Debug, Clone, Copy)]
pub struct Step<'a> {
    /// `METHOD /template` of the operation at hand.
    pub operation: &'a str,
    pub sent: u64,
    /// Operations finished, and selected in all.
    pub done: usize,
    pub of: usize,
    pub violations: usize,
}

/// Nobody watches.
pub struct Unwatched;

impl Observer for Unwatched {
    fn step(&self, _: &Step<'_>) {}
}

/// Runs a test to its end; always gives a result.
pub async fn run(order: Order, world: World, observer: &dyn Observer) -> Run {
    let started_ms = world.clock.now_ms();
    let begun_ns = world.clock.monotonic_ns();
    let clock = world.clock.clone();
    let mut run = empty(&order, started_ms);
    match place(&order) {
        Err(cause) => {
            run.status = Status::Errored;
            run.reason = Some(cause);
        }
        Ok(place) => {
            run.target.clone_from(&place.base);
            if let Some(template) = &place.template {
                run.target.push_str(template);
            }
            execute(&order, &place, world, observer, &mut run).await;
        }
    }
    run.duration_ms = (clock.monotonic_ns() - begun_ns) / 1_000_000;
    run.violations.sort_by(|left, right| {
        let order = right.severity.cmp(&left.severity);
        order
            .then_with(|| left.template.cmp(&right.template))
            .then_with(|| left.kind.cmp(&right.kind))
    });
    run
}

/// Every request of the first round, without sending any: what `--dry-run` prints. Slots whose ids the run would read are left
/// as they are in the template.
///
/// # Errors
/// When the target cannot be read.
pub fn dry_run(order: &Order) -> Result<Vec<Planned>, Cause> {
    let place = place(order)?;
    let specification = &order.baseline.specification;
    let planner = planner(order, &place);
    let targets = plan::targets(specification, &order.options, place.template.as_deref());
    let mut lines = Vec::new();
    for target in targets {
        let Some(operation) = specification.operations.get(target.operation) else { continue };
        if let Some(skip) = target.skip {
            lines.push(Planned::of(operation, Err(Outcome::Skipped(skip))));
            continue;
        }
        match planner.cases(target.operation, &Pool::default()) {
            Err(lack) => {
                lines.push(Planned::of(
                    operation,
                    Err(Outcome::Inconclusive(Doubt::NoValue(lack.0))),
                ));
            }
            Ok(cases) => lines.extend(cases.into_iter().map(|case| {
                Planned::of(operation, Ok((case.id.clone(), request::url_text(&place.base, &case))))
            })),
        }
    }
    Ok(lines)
}

/// One line of a dry run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Planned {
    pub method: String,
    pub template: String,
    /// Case id and URL, or why there is none.
    pub request: Result<(String, String), Outcome>,
}

impl Planned {
    fn of(operation: &Operation, request: Result<(String, String), Outcome>) -> Self {
        Self {
            method: operation.method.to_string(),
            template: operation.template.to_string(),
            request,
        }
    }
}

fn empty(order: &Order, started_ms: i64) -> Run {
    let options = &order.options;
    let asked = options.endpoint.as_ref().or(options.base_url.as_ref()).or(order.upstream.as_ref());
    Run {
        id: order.run.clone(),
        seed: order.seed,
        mode: options.mode,
        target: asked.cloned().unwrap_or_default(),
        specification: Some(order.used.clone()),
        started_ms,
        duration_ms: 0,
        requests: 0,
        bytes: 0,
        fail_on: options.fail_on,
        status: Status::Errored,
        reason: None,
        operations: Vec::new(),
        violations: Vec::new(),
        lints: order.lints.0.iter().map(ToString::to_string).collect(),
    }
}

fn place(order: &Order) -> Result<Place, Cause> {
    let (options, specification) = (&order.options, &order.baseline.specification);
    if let Some(endpoint) = &options.endpoint {
        return target::endpoint(endpoint, specification);
    }
    let url = options.base_url.as_ref().or(order.upstream.as_ref()).ok_or_else(|| Cause {
        code: "no_target",
        message: "there is no URL to test; set `base_url` or name an API".to_owned(),
    })?;
    target::base(url, specification)
}

fn planner<'a>(order: &'a Order, place: &Place) -> Planner<'a> {
    Planner {
        baseline: &order.baseline,
        options: &order.options,
        seed: order.seed,
        fixed: place.fixed.clone(),
    }
}

async fn execute(
    order: &Order,
    place: &Place,
    world: World,
    observer: &dyn Observer,
    run: &mut Run,
) {
    let specification = Arc::clone(&order.baseline.specification);
    let targets = plan::targets(&specification, &order.options, place.template.as_deref());
    let selected = targets.iter().filter(|target| target.skip.is_none()).count();
    let session = Session::new(order, place, world, observer, selected);
    let halted = match order.options.mode {
        Mode::Observe => None,
        Mode::Safe => session.rounds(&targets, &planner(order, place)).await.err(),
    };
    run.requests = session.requests();
    run.bytes = session.bytes();
    let (results, mut violations) = session.into_findings();
    violations.retain(|violation| !is_mere_doubt(violation, &specification, &results));
    run.violations = violations;
    run.operations = targets
        .iter()
        .filter_map(|target| {
            let operation = specification.operations.get(target.operation)?;
            let record = results.get(&target.operation);
            Some(finish(operation, target, record, run, order.options.mode))
        })
        .collect();
    run.status = run.verdict();
    if let Some(halt) = halted {
        end_early(run, halt);
    }
}

/// Whether a refusal only says what the doubt about its operation says: where nearly everything is refused, nobody can tell
/// whether the API or the choice of values is to blame.
fn is_mere_doubt(
    violation: &Violation,
    specification: &Specification,
    results: &BTreeMap<usize, Record>,
) -> bool {
    let is_own = |operation: &Operation| {
        *operation.method == *violation.method && *operation.template == *violation.template
    };
    let index = specification.operations.iter().position(is_own);
    let record = index.and_then(|index| results.get(&index));
    let doubt = record.and_then(|record| record.tally.doubt());
    violation.check == Check::PositiveAccepted
        && matches!(doubt, Some(Doubt::Method | Doubt::Rejected | Doubt::NoPositive))
}

/// What was collected of one operation.
#[derive(Debug, Default, Clone)]
struct Record {
    tally: Tally,
    checks: BTreeMap<Check, bool>,
    lack: Option<Vec<String>>,
    reached: bool,
}

fn finish(
    operation: &Operation,
    target: &Target,
    record: Option<&Record>,
    run: &Run,
    mode: Mode,
) -> OperationResult {
    let record = record.cloned().unwrap_or_default();
    let own = |violation: &&Violation| {
        violation.method == *operation.method && violation.template == *operation.template
    };
    let violations = run.violations.iter().filter(own).count();
    let fails = run.violations.iter().filter(own).any(|violation| violation.fails(run.fail_on));
    let decided = match violations {
        0 => Outcome::Passed,
        count => Outcome::Violations(count),
    };
    let outcome = match &target.skip {
        Some(skip) => Outcome::Skipped(skip.clone()),
        None if mode == Mode::Observe => Outcome::NotSent,
        None if fails => decided,
        // What fails nothing does not make up for what was never decided.
        None => match &record.lack {
            Some(lack) => Outcome::Inconclusive(Doubt::NoValue(lack.clone())),
            None if !record.reached => Outcome::NotReached,
            None => record.tally.doubt().map_or(decided, Outcome::Inconclusive),
        },
    };
    OperationResult {
        method: operation.method.to_string(),
        template: operation.template.to_string(),
        id: operation.id.clone(),
        outcome,
        tally: record.tally,
        checks: record.checks,
    }
}

/// A run that a limit, a person or the target's state ended.
fn end_early(run: &mut Run, halt: Halt) {
    let (status, code, message) = match halt {
        Halt::Budget(which) => {
            // What was found counts; what is left is listed as not reached.
            run.reason = Some(Cause {
                code: "budget",
                message: format!("the budget of {which} is used up; raise it to reach everything"),
            });
            return;
        }
        Halt::Stopped => (Status::Aborted, "stopped", "the run was stopped".to_owned()),
        Halt::Failing => {
            let message = "more than half of the answers were server errors, three times over";
            (Status::Aborted, "target_failing", message.to_owned())
        }
        Halt::Unreachable(Unreachable(why)) => {
            (Status::Errored, "unreachable", format!("the target cannot be reached: {why}"))
        }
        Halt::Credentials(why) => {
            (Status::Errored, "credentials", format!("no credentials could be had: {why}"))
        }
    };
    run.status = status;
    run.reason = Some(Cause { code, message });
}

impl Session<'_> {
    /// The happy paths first, again for those whose ids came later; then everything else.
    async fn rounds(&self, targets: &[Target], planner: &Planner<'_>) -> Result<(), Halt> {
        let selected = targets.iter().filter(|target| target.skip.is_none());
        let mut pending: Vec<usize> = selected.map(|target| target.operation).collect();
        let all = pending.clone();
        loop {
            let waiting = self.first_requests(&pending, planner).await?;
            if waiting.is_empty() || waiting.len() == pending.len() {
                break;
            }
            pending = waiting;
        }
        let rest = all
            .iter()
            .filter_map(|operation| self.with_pool(|pool| planner.cases(*operation, pool)).ok());
        let rest: VecDeque<Case> = rest.flatten().filter(|case| !self.was_sent(case)).collect();
        self.drain(rest).await
    }

    /// The happy paths of these operations; those that lack a value for it.
    async fn first_requests(
        &self,
        operations: &[usize],
        planner: &Planner<'_>,
    ) -> Result<Vec<usize>, Halt> {
        let mut waiting = Vec::new();
        for operation in operations {
            let cases = self.with_pool(|pool| planner.cases(*operation, pool));
            let lack = cases.as_ref().err().map(|lack| lack.0.clone());
            self.record(*operation, |record| record.lack.clone_from(&lack));
            match cases {
                Err(_) => waiting.push(*operation),
                Ok(cases) => {
                    if let Some(case) = cases.first() {
                        self.happy(case).await?;
                    }
                }
            }
        }
        Ok(waiting)
    }

    /// The first request of an operation, and the same without credentials where the contract asks for them.
    async fn happy(&self, case: &Case) -> Result<(), Halt> {
        let accepted = self.try_case(case).await?;
        let Some(operation) = self.operation(case.operation) else { return Ok(()) };
        if accepted && operation.is_secured() && self.has_credentials() {
            self.try_anonymous(case).await?;
        }
        self.finished(operation);
        Ok(())
    }

    /// Sends the cases, as many at once as the options allow, in their order.
    async fn drain(&self, cases: VecDeque<Case>) -> Result<(), Halt> {
        let queue = Mutex::new(cases);
        let worker = || async {
            loop {
                let next = queue.lock().pop_front();
                let Some(case) = next else { return Ok(()) };
                self.try_case(&case).await?;
            }
        };
        let workers = (0..self.concurrency()).map(|_| worker()).collect();
        for ended in all_of(workers).await {
            ended?;
        }
        Ok(())
    }
}

/// Runs futures side by side within one task and gives their results in order.
async fn all_of<T>(futures: Vec<impl Future<Output = T>>) -> Vec<T> {
    let mut running: Vec<_> = futures.into_iter().map(|one| Some(Box::pin(one))).collect();
    let mut results: Vec<Option<T>> = running.iter().map(|_| None).collect();
    std::future::poll_fn(|context| {
        let mut all_done = true;
        for (slot, result) in running.iter_mut().zip(&mut results) {
            let Some(future) = slot else { continue };
            match future.as_mut().poll(context) {
                std::task::Poll::Ready(value) => {
                    *result = Some(value);
                    *slot = None;
                }
                std::task::Poll::Pending => all_done = false,
            }
        }
        if all_done { std::task::Poll::Ready(()) } else { std::task::Poll::Pending }
    })
    .await;
    results.into_iter().flatten().collect()
}

/// Custom headers as they go onto requests. Names and values were checked with the options; what is not sendable is left out.
#[must_use]
pub fn custom_headers(headers: &BTreeMap<String, crate::model::secret::SecretSource>) -> HeaderMap {
    let mut map = HeaderMap::new();
    for (name, source) in headers {
        let name = HeaderName::try_from(name.as_str()).ok();
        let value = source.resolved().and_then(|text| HeaderValue::try_from(text.reveal()).ok());
        if let (Some(name), Some(mut value)) = (name, value) {
            value.set_sensitive(true);
            map.insert(name, value);
        }
    }
    map
}
