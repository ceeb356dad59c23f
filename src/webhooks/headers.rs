//! Which headers a webhook may set: what is ours or the connection's is refused.

use crate::model::problem::{Problem, Problems};
use crate::model::secret::SecretSource;

const HEADER_NAME_BYTES_MAX: usize = 128;
const HEADER_VALUE_BYTES_MAX: usize = 4 * 1024;

/// Headers that are ours or the connection's.
const REFUSED_HEADERS: &[&str] = &[
    "host",
    "connection",
    "content-length",
    "content-type",
    "content-encoding",
    "transfer-encoding",
    "te",
    "trailer",
    "upgrade",
    "expect",
    "keep-alive",
    "cookie",
    "traceparent",
    "tracestate",
    "baggage",
];
const REFUSED_PREFIXES: &[&str] = &["webhook-", "ce-", "driftgate-", "proxy-"];

/// Reports a name that is not free, or a value that cannot be sent.
pub(super) fn check(
    place: &str,
    name: &str,
    value: Option<&SecretSource>,
    problems: &mut Problems,
) {
    let lower = name.to_ascii_lowercase();
    let mut refuse = |message: String, remedy: &str| {
        problems.push(Problem::error(place, "webhook.bad-header", message).remedy(remedy));
    };
    if name.len() > HEADER_NAME_BYTES_MAX || http::HeaderName::try_from(name).is_err() {
        refuse(format!("`{name}` is not a header name"), "use letters, digits and `-`");
    } else if REFUSED_HEADERS.contains(&lower.as_str())
        || REFUSED_PREFIXES.iter().any(|prefix| lower.starts_with(prefix))
    {
        refuse(format!("`{name}` is set by driftgate"), "choose another name");
    }
    let sendable = |byte: u8| byte.is_ascii_graphic() || byte == b' ';
    if let Some(text) = value.and_then(SecretSource::resolved)
        && (text.reveal().len() > HEADER_VALUE_BYTES_MAX || !text.reveal().bytes().all(sendable))
    {
        refuse(
            format!("the value of `{name}` cannot be sent"),
            "use at most 4 KiB of visible ASCII",
        );
    }
}
