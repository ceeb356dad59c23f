//! `driftgate verify`: is this webhook request from us, and unchanged?

use std::path::{Path, PathBuf};

use serde_json::json;

use super::console::{say_line, tell};
use crate::deliver::sign::{
    self, ID_HEADER, Key, Mistrust, SIGNATURE_HEADER, Signed, TIMESTAMP_HEADER,
};
use crate::model::units::{Size, Span};
use crate::runtime::clock::Clock;
use crate::runtime::files;

const SECRETS_BYTES_MAX: u64 = 64 << 10;
const HEADERS_BYTES_MAX: u64 = 1 << 20;
const BODY_BYTES_MAX: Size = Size(32 << 20);

/// Check the signature of a webhook request, and say what fails
///
/// The headers file holds one `name: value` a line, as `curl -D` or a log prints them; the body file holds the bytes as they
/// came. Several secrets, one a line, are a rotation: any of them may have signed.
///
/// Exit codes: 0 the request is genuine, 1 it is not, 2 a file cannot be read.
///
/// Example:
///   driftgate verify --secret-file secret --headers head.txt --body body.json
#[derive(Debug, clap::Args)]
#[command(verbatim_doc_comment)]
pub(super) struct Arguments {
    /// File with the signing secret, `whsec_…`; one a line
    #[arg(long, value_name = "FILE")]
    secret_file: PathBuf,
    /// File with the request headers
    #[arg(long, value_name = "FILE")]
    headers: PathBuf,
    /// File with the request body
    #[arg(long, value_name = "FILE")]
    body: PathBuf,
    /// How far the timestamp may be off
    #[arg(long, value_name = "DURATION", default_value = "300s", value_parser = span)]
    tolerance: Span,
}

fn span(text: &str) -> Result<Span, String> {
    Span::parse(text).ok_or_else(|| "write a number with its unit, `300s` for example".to_owned())
}

pub(super) fn run(arguments: &Arguments, json: bool) -> u8 {
    match verdict(arguments, Clock::real().now_ms() / 1_000) {
        Err(unreadable) => {
            tell(&format!("error: {unreadable}"));
            2
        }
        Ok(verdict) => {
            let why = verdict.as_ref().err().map(ToString::to_string);
            if json {
                say_line(&json!({ "genuine": verdict.is_ok(), "reason": why }).to_string());
            } else {
                let text = why.map_or_else(
                    || "genuine: the signature fits".to_owned(),
                    |why| format!("not genuine: {why}"),
                );
                say_line(&text);
            }
            u8::from(verdict.is_err())
        }
    }
}

/// What the files say of the request at a time; the error tells which of them cannot be used.
fn verdict(arguments: &Arguments, now_seconds: i64) -> Result<Result<(), Mistrust>, String> {
    let keys = keys(&arguments.secret_file)?;
    let text =
        files::read_text(&arguments.headers, HEADERS_BYTES_MAX).map_err(|error| said(&error))?;
    let headers = headers(&text);
    let body = files::read(&arguments.body, BODY_BYTES_MAX.0).map_err(|error| said(&error))?;
    let header = |wanted: &str| {
        let found = headers.iter().find(|(name, _)| name.eq_ignore_ascii_case(wanted));
        found.map(|(_, value)| *value)
    };
    let signed = Signed {
        id: header(ID_HEADER),
        timestamp: header(TIMESTAMP_HEADER),
        signature: header(SIGNATURE_HEADER),
        body: &body,
    };
    Ok(sign::verify(&keys, signed, now_seconds, arguments.tolerance.as_ms() / 1_000))
}

fn keys(path: &Path) -> Result<Vec<Key>, String> {
    let text = files::read_text(path, SECRETS_BYTES_MAX).map_err(|error| said(&error))?;
    let lines = text.lines().map(str::trim).filter(|line| !line.is_empty());
    let keys: Result<Vec<_>, _> = lines.map(Key::read).collect();
    let keys = keys.map_err(|error| format!("`{}`: {error}", path.display()))?;
    if keys.is_empty() { Err(format!("`{}` holds no secret", path.display())) } else { Ok(keys) }
}

fn headers(text: &str) -> Vec<(&str, &str)> {
    text.lines()
        .filter_map(|line| line.split_once(':'))
        .map(|(name, value)| (name.trim(), value.trim()))
        .collect()
}

fn said(error: &files::Error) -> String {
    let cause = std::error::Error::source(error);
    cause.map_or_else(|| error.to_string(), |cause| format!("{error}: {cause}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    const HEADERS: &str = "POST /hook HTTP/1.1\r\nHost: example.com\r\nWebhook-Id: \
        msg_p5jXN8AQM9LWM0D4loKWxJek\r\nWebhook-Timestamp: 1614265330\r\nWebhook-Signature: \
        v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=\r\n";
    const SECRETS: &str =
        "whsec_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\nwhsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw\n";
    const BODY: &str = r#"{"test": 2432232314}"#;
    const TIME: i64 = 1_614_265_330;

    fn judged(secrets: &str, body: &str, now_seconds: i64) -> Result<Result<(), Mistrust>, String> {
        let folder = tempfile::tempdir().expect("a folder");
        let write = |name: &str, text: &str| {
            let path = folder.path().join(name);
            files::write_private(&path, text.as_bytes()).expect("written");
            path
        };
        let arguments = Arguments {
            secret_file: write("secret", secrets),
            headers: write("headers", HEADERS),
            body: write("body", body),
            tolerance: Span::seconds(300),
        };
        verdict(&arguments, now_seconds)
    }

    #[test]
    fn requests_are_told_from_forgeries_and_from_files_that_cannot_be_used() {
        assert_eq!(judged(SECRETS, BODY, TIME), Ok(Ok(())));
        assert_eq!(judged(SECRETS, "{}", TIME), Ok(Err(Mistrust::Mismatch)));
        assert_eq!(judged(SECRETS, BODY, TIME + 301), Ok(Err(Mistrust::TooOld { seconds: 301 })));
        let said = judged("whsec_c2hvcnQ=", BODY, TIME).expect_err("a short secret");
        assert!(said.contains("5 bytes") && !said.contains("c2hvcnQ"), "{said}");
        assert!(judged("\n", BODY, TIME).expect_err("no secret").contains("holds no secret"));
    }
}
