//! Evidence to document.
use super::{Evidence, ProjectOptions, Projection, Report};
use serde_json::Value;
/// The specification.
#[must_use]
pub fn project(_evidence: &Evidence, _options: &ProjectOptions) -> Projection {
    Projection { document: Value::Null, report: Report::default() }
}
