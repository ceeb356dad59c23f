//! The codes with which the admin API refuses, each with its title and what to do.
//!
//! Owns the table; `GET /v1/problems/{code}` serves it. Codes of other areas that pass through (of a configuration, of a
//! specification) are documented where they are made.

/// One code.
#[derive(Debug)]
pub(super) struct Code {
    /// `area.kebab-case`, never renamed.
    pub(super) name: &'static str,
    pub(super) status: u16,
    pub(super) title: &'static str,
    /// What happened and what to do.
    pub(super) text: &'static str,
}

/// The entry of a code.
pub(super) fn find(name: &str) -> Option<&'static Code> {
    CODES.iter().find(|code| code.name == name)
}

macro_rules! codes {
    ($($name:literal $status:literal $title:literal: $text:literal;)*) => {
        /// All codes, by area.
        pub(super) const CODES: &[Code] =
            &[$(Code { name: $name, status: $status, title: $title, text: $text }),*];
    };
}

codes! {
    "admin.host-refused" 421 "the host name is not one of ours":
        "The Host header names none of the hosts of the admin API, as happens when a web page rebinds a name of its own to this \
         address. Call it by localhost, by its address, or add the name to `admin.hosts`.";
    "admin.origin-refused" 403 "the call comes from another site":
        "A browser sent this call on behalf of a page of another origin. The admin API answers no cross-origin calls.";
    "admin.too-many-requests" 503 "too many requests in progress":
        "`admin.limits.requests` calls are being answered. Try again in a moment.";
    "admin.answer-timeout" 503 "the answer took too long":
        "The answer was not ready within `admin.limits.answer_time`. Ask for less, or try again.";
    "analysis.unavailable" 503 "the analysis does not answer":
        "What is learned and held is known to the analysis alone, which has stopped or is overloaded. Traffic goes on; try again.";
    "api.internal" 500 "something failed inside":
        "A part of driftgate failed. The log has the reason under the trace id of this answer.";
    "api.not-found" 404 "no such API":
        "The inventory holds no API of this name. `GET /v1/apis` lists them.";
    "problem.not-found" 404 "no such code":
        "`GET /v1/problems` lists all codes of the admin API.";
    "baseline.not-ready" 409 "not enough is known to freeze":
        "Some operations were not seen often or long enough. The detail says what each lacks; `force` freezes them as they are.";
    "baseline.changed" 409 "the baseline is another by now":
        "Somebody changed the baseline after `base` was read. Look at what is in force, then promote again.";
    "baseline.patch-refused" 409 "the patch does not fit the baseline":
        "Two findings change the same place, or no change of the document would allow what was seen. The detail names the finding;          promote the others without it.";
    "config.invalid" 422 "the configuration is refused":
        "All problems are listed, each with its pointer. The former configuration goes on.";
    "delivery.not-found" 404 "no such delivery":
        "`GET /v1/deliveries` lists those that are kept.";
    "delivery.already-final" 409 "the delivery is final":
        "A delivery that succeeded or failed cannot be cancelled. Retry attempts it again.";
    "delivery.payload-gone" 410 "the event is gone":
        "Retention took the event, so nothing is left to send.";
    "delivery.stopped" 503 "deliveries are stopped":
        "The scheduler has ended, as it does at shutdown.";
    "event.conflict" 409 "an event with this id has other content":
        "Source and id identify an event. The same event may be posted again; another one needs another id.";
    "event.malformed" 400 "the event cannot be read":
        "Each faulty attribute is listed. Send CloudEvents 1.0, structured, binary or as a batch.";
    "event.not-found" 404 "no such event":
        "No event that is kept has this id; `source` tells events of one id apart.";
    "event.reserved-type" 403 "the type is driftgate's own":
        "Events of this type are raised by driftgate alone. Choose a type of your own, `order_placed` for example.";
    "event.reserved-source" 403 "the source is driftgate's own":
        "Sources that begin with the name of the deployment are driftgate's. Choose another.";
    "event.in-the-future" 400 "the event has not happened yet":
        "`time` is more than an hour ahead. Send UTC, or leave it out.";
    "finding.not-found" 404 "no such finding":
        "`GET /v1/findings` lists them; a candidate that never opened is forgotten after a week.";
    "finding.not-allowed" 409 "the state of the finding does not allow that":
        "`allowed` names the decisions that it does allow. One that was accepted is taken back by the former baseline.";
    "schema.not-found" 404 "no such schema":
        "`GET /v1/event-types` names the schema of each type.";
    "store.busy" 503 "the store is busy":
        "The question took longer than a second. Narrow it, or try again.";
    "store.full" 507 "the store is full":
        "The disk or the quota `store.max_bytes` is used up. Nothing was stored.";
    "store.unavailable" 503 "the store does not answer":
        "The store is closed or failed. `GET /v1/health` says why.";
    "webhook.not-found" 404 "no such webhook":
        "`GET /v1/webhooks` lists them by id and name.";
    "webhook.inactive" 409 "the destination is inactive":
        "Nothing is sent to an inactive destination. Activate it first.";
    "webhook.deleted" 409 "the destination was deleted":
        "Nothing can be sent to a destination that is gone.";
    "destination.not-found" 404 "no such destination":
        "No webhook or action has this id or name.";
    "spec.nothing-learned" 404 "nothing is proven yet":
        "No operation was seen often enough to be written down. The detail counts what was seen; send more traffic.";
    "spec.no-such-revision" 404 "no such revision":
        "`GET /v1/apis/{api}/revisions` lists those that are kept.";
    "spec.invalid" 422 "the document is no specification":
        "All problems are listed, each with line and column. Nothing was kept, and the baseline is what it was.";
    "auth.required" 401 "a token is needed":
        "Send `Authorization: Bearer TOKEN`. Without `admin.token_file` the token is in `admin-token` in the data directory.";
    "auth.wrong-token" 401 "the token is not known":
        "None of the configured tokens is this one. Tokens are read at the start and at each reload.";
    "auth.too-many-wrong" 429 "too many wrong tokens":
        "This address sent ten wrong tokens within a minute. Right ones are still accepted.";
    "auth.scope" 403 "the token may not do this":
        "The token is known, but its scope (viewer, intake) does not cover this call.";
    "list.bad-limit" 400 "the page size is out of range":
        "`limit` is a whole number from 1 to 250.";
    "list.cursor-mismatch" 400 "the cursor belongs to another question":
        "A cursor goes on with the list it came from, with the same filter. Start again without it.";
    "request.unknown-parameter" 400 "unknown query parameter":
        "Each unknown parameter is listed with the nearest known name.";
    "request.bad-parameter" 400 "a query parameter cannot be read":
        "Each faulty parameter is listed with what was expected.";
    "request.unknown-route" 404 "no such route":
        "`GET /v1/openapi.json` lists all routes.";
    "request.method-not-allowed" 405 "the method is not allowed here":
        "`allowed` lists the methods of this route.";
    "request.bad-json" 400 "the body is not JSON":
        "The detail names line and column.";
    "request.invalid" 422 "the body has wrong members":
        "All faults are listed, each with its pointer.";
    "request.media-type" 415 "the media type is not accepted":
        "Send `Content-Type: application/json`.";
    "request.too-large" 413 "the body is too large":
        "The body passes `admin.limits.body`.";
    "request.body-timeout" 408 "the body did not arrive in time":
        "The body took longer than `admin.limits.body_time`.";
    "request.bad-path" 400 "the path cannot be read":
        "Percent-encoded bytes of a path are UTF-8.";
    "request.bad-body" 400 "the body could not be read":
        "The connection broke or the transfer coding was wrong.";
}
