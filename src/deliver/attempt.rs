//! One attempt from its begin to the record of it.
//!
//! Owns loading the event, running the destination apart so that its panic ends nothing else, and the row of the log.
//! Refuses to own what follows from it (`machine`).

use std::sync::Arc;

use tokio::sync::oneshot;

use crate::events::catalogue;
use crate::model::delivery::{Attempt, Delivery, OutcomeKind, Trigger};
use crate::runtime::clock::Clock;
use crate::runtime::supervise::{self, Panics};
use crate::store;

use super::{Context, Destination, Report};

/// An attempt about to be made.
pub(super) struct Plan {
    /// As it is once the attempt has begun.
    pub(super) delivery: Delivery,
    pub(super) destination: Arc<dyn Destination>,
    pub(super) trigger: Trigger,
    pub(super) started_ms: i64,
}

/// How it ended.
pub(super) struct Ended {
    /// The record that the attempt began with.
    pub(super) delivery: Delivery,
    /// None when the event was no longer there.
    pub(super) result: Option<Made>,
}

pub(super) struct Made {
    pub(super) report: Report,
    pub(super) trigger: Trigger,
    pub(super) started_ms: i64,
    pub(super) duration_ms: u64,
    /// The event tells of driftgate itself: what becomes of its delivery raises nothing.
    pub(super) operational: bool,
}

/// Makes the attempt.
pub(super) async fn run(plan: Plan, store: store::Handle, clock: Clock, panics: Panics) -> Ended {
    let Plan { delivery, destination, trigger, started_ms } = plan;
    let begun_ns = clock.monotonic_ns();
    let row = delivery.event_sequence;
    let (report, operational) = match store.read(move |reader| reader.event(row)).await {
        Ok(None) => return Ended { delivery, result: None },
        Ok(Some(found)) => {
            let operational = catalogue::is_operational(&found.event.kind);
            let context = Context {
                number: delivery.attempt,
                delivery: delivery.clone(),
                event: Arc::new(found.event),
                trigger,
                started_ms,
            };
            (apart(destination, context, &panics).await, operational)
        }
        Err(error) => (
            Report::unsent(OutcomeKind::Unknown, format!("the event cannot be read: {error}")),
            true,
        ),
    };
    let duration_ms = clock.monotonic_ns().saturating_sub(begun_ns) / 1_000_000;
    let made = Made { report, trigger, started_ms, duration_ms, operational };
    Ended { delivery, result: Some(made) }
}

/// Runs the destination in a task of its own; a panic becomes the outcome `unknown`.
async fn apart(destination: Arc<dyn Destination>, context: Context, panics: &Panics) -> Report {
    let (report, reported) = oneshot::channel();
    supervise::task("delivery attempt", panics, async move {
        // Nobody waits any more when the process is ending.
        drop(report.send(destination.attempt(context).await));
    });
    reported.await.unwrap_or_else(|_| {
        Report::unsent(OutcomeKind::Unknown, "the attempt ended by a panic; this is our fault")
    })
}

/// The mark that an attempt has begun.
pub(super) fn mark(plan: &Plan) -> Attempt {
    let report = Report::unsent(OutcomeKind::Unknown, "begun, and no outcome known");
    let made = Made {
        report,
        trigger: plan.trigger,
        started_ms: plan.started_ms,
        duration_ms: 0,
        operational: false,
    };
    made.row(&plan.delivery)
}

impl Made {
    /// The row of the attempt log.
    pub(super) fn row(&self, delivery: &Delivery) -> Attempt {
        let report = &self.report;
        Attempt {
            delivery: delivery.id.clone(),
            number: delivery.attempt,
            trigger: self.trigger,
            started_ms: self.started_ms,
            duration_ms: self.duration_ms,
            target_version: report.target_version,
            url: report.url.clone(),
            address: report.address.clone(),
            request_headers: report.request_headers.clone(),
            body_sha256: report.body_sha256.clone(),
            status: report.status,
            response_headers: report.response_headers.clone(),
            response_body: report.response_body.clone(),
            outcome: report.outcome,
            error: report.error.clone(),
        }
    }
}
