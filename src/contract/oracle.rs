//! What an answer says about its request (`spec/contract.md` 4).
//!
//! Owns the outcome oracle: without it every scanner's probe would be drift and every tightening be missed.

use super::judgement::{Effect, Validity};

/// The effect of a status on the request that it answers.
pub(super) fn effect(request: Validity, status: u16) -> Effect {
    match (request, status) {
        (_, 200..=399) => Effect::Accepted,
        (Validity::Valid, 400 | 415 | 422) => Effect::Refused,
        (Validity::Invalid, 400 | 404 | 405 | 406 | 411 | 413 | 415 | 422 | 428) => {
            Effect::Confirmed
        }
        _ => Effect::Silent,
    }
}

/// Whether an answer outside the documented statuses can mean that the contract changed. Credentials, absent ids, load and
/// conditional requests produce these statuses without anybody documenting them, a server without the operation 405 and 501
/// (`endpoint.unimplemented`); a refused invalid request proves nothing.
pub(super) fn is_telling(effect: Effect, status: u16) -> bool {
    effect != Effect::Confirmed
        && !matches!(status, 0..=199 | 206 | 304 | 401 | 403 | 404 | 405 | 407 | 416 | 429 | 431)
        && !matches!(status, 501..=504)
}

/// Whether an answer to a path that is in no baseline shows that the path exists.
pub(super) fn shows_endpoint(status: u16) -> bool {
    matches!(status, 200..=399 | 402 | 409 | 410 | 412 | 423 | 424 | 451)
}

/// Whether an answer to an undocumented method of a documented path shows that the method exists.
pub(super) fn shows_method(status: u16) -> bool {
    matches!(status, 200..=399)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_oracle_reads_as_its_table() {
        use Effect::{Accepted, Confirmed, Refused, Silent};
        use Validity::{Invalid, Valid};
        for (request, statuses, expected) in [
            (Valid, &[200, 201, 204, 301, 304][..], Accepted),
            (Valid, &[400, 415, 422], Refused),
            (Invalid, &[400, 404, 405, 406, 411, 413, 415, 422, 428], Confirmed),
            (Invalid, &[200, 302], Accepted),
            (Valid, &[401, 403, 404, 409, 410, 412, 429, 500, 503], Silent),
            (Invalid, &[401, 403, 500], Silent),
        ] {
            for status in statuses {
                assert_eq!(effect(request, *status), expected, "{request:?} {status}");
            }
        }
    }
}
