//! `driftgate call`: any route of the admin API, so that what has no verb can be scripted too.

use std::path::Path;

use http::Method;

use super::remote::{Answer, Failure, Remote, chain};
use crate::runtime::files;

/// Call any route of the admin API
///
/// Prints the body of the answer. A refusal is told with its code, places and trace id.
#[derive(Debug, Clone, clap::Args)]
pub struct Arguments {
    /// GET, POST and so on
    method: String,
    /// `/v1/health` for example; may have a query
    path: String,
    /// Body of the request: JSON, or @FILE
    #[arg(short, long, value_name = "JSON|@FILE")]
    data: Option<String>,
}

const BODY_BYTES_MAX: u64 = 64 << 20;

/// # Errors
/// When the instance cannot be asked or refuses.
pub fn run(arguments: &Arguments, remote: &Remote) -> Result<Answer, Failure> {
    let method = Method::from_bytes(arguments.method.to_ascii_uppercase().as_bytes())
        .map_err(|_| Failure::Unusable(format!("`{}` is not a method", arguments.method)))?;
    let body = match arguments.data.as_deref().map(|data| (data, data.strip_prefix('@'))) {
        None => None,
        Some((_, Some(file))) => Some(
            files::read(Path::new(file), BODY_BYTES_MAX)
                .map_err(|error| Failure::Unusable(chain(&error)))?,
        ),
        Some((text, None)) => Some(text.as_bytes().to_vec()),
    };
    let reply = remote.call(method, &arguments.path, body)?;
    let text = String::from_utf8_lossy(&reply.body);
    remote.output.text(&text)?;
    if !text.is_empty() && !text.ends_with('\n') {
        remote.output.text("\n")?;
    }
    Ok(Answer::Yes)
}
