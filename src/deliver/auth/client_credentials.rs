//! The OAuth 2 client credentials grant (RFC 6749 section 4.4).

use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use http::header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE};
use http::{HeaderValue, Method};
use serde_json::Value;
use url::Url;
use url::form_urlencoded::{Serializer, byte_serialize};

use crate::deliver::client::{Client, Keep, Reply, Request, Timeouts};
use crate::deliver::guard::Trust;
use crate::model::secret::Secret;

use super::error::Error;
use super::options::{self, Style};
use super::token::Fresh;

const WITHIN: Duration = Duration::from_secs(10);
const ANSWER_BYTES_MAX: usize = 64 * 1024;
/// `expires_in` is only recommended; a server that does not say gets asked again soon.
const LIFE_DEFAULT: Duration = Duration::from_mins(5);

pub(super) struct ClientCredentials {
    url: Url,
    client_id: String,
    client_secret: Secret,
    scope: Option<String>,
    audience: Option<String>,
    style: Style,
}

impl ClientCredentials {
    pub(super) fn new(
        options: &options::ClientCredentials,
        client_secret: Secret,
    ) -> Result<Self, Error> {
        Ok(Self {
            url: Url::parse(&options.token_url).map_err(|_| Error::BadUrl)?,
            client_id: options.client_id.clone(),
            client_secret,
            scope: options.scope.clone(),
            audience: options.audience.clone(),
            style: options.style,
        })
    }

    /// Asks for a token.
    pub(super) async fn obtain(&self, client: &Client, trust: Trust) -> Result<Fresh, Error> {
        let reply = client
            .send(self.request(trust)?)
            .await
            .map_err(|failure| Error::Unreachable(failure.error))?;
        read(&reply)
    }

    fn request(&self, trust: Trust) -> Result<Request, Error> {
        let mut request = Request::new(Method::POST, self.url.clone(), trust);
        request.timeouts = Timeouts { head: WITHIN, total: WITHIN, ..Timeouts::default() };
        request.keep =
            Keep { decoded_bytes: ANSWER_BYTES_MAX, raw_bytes: ANSWER_BYTES_MAX, duration: WITHIN };
        let mut form = Serializer::new(String::new());
        form.append_pair("grant_type", "client_credentials");
        for (name, value) in [("scope", &self.scope), ("audience", &self.audience)] {
            if let Some(value) = value {
                form.append_pair(name, value);
            }
        }
        match self.style {
            Style::Body => {
                form.append_pair("client_id", &self.client_id);
                form.append_pair("client_secret", self.client_secret.reveal());
            }
            Style::Basic => {
                request.headers.insert(AUTHORIZATION, self.basic()?);
            }
        }
        request.body = Bytes::from(form.finish());
        request.headers.insert(ACCEPT, HeaderValue::from_static("application/json"));
        let form_type = HeaderValue::from_static("application/x-www-form-urlencoded");
        request.headers.insert(CONTENT_TYPE, form_type);
        Ok(request)
    }

    /// Both parts are form-encoded before they are joined (RFC 6749 section 2.3.1).
    fn basic(&self) -> Result<HeaderValue, Error> {
        let encode = |text: &str| byte_serialize(text.as_bytes()).collect::<String>();
        let pair = format!("{}:{}", encode(&self.client_id), encode(self.client_secret.reveal()));
        super::sensitive(&Secret::new(format!("Basic {}", STANDARD.encode(pair))))
    }
}

fn read(reply: &Reply) -> Result<Fresh, Error> {
    let body: Option<Value> = serde_json::from_slice(&reply.body).ok();
    let member = |name: &str| body.as_ref().and_then(|body| body.get(name));
    if !reply.status.is_success() {
        let code = member("error").and_then(Value::as_str).filter(|code| is_code(code));
        return Err(Error::Refused {
            status: reply.status.as_u16(),
            code: code.map(str::to_owned),
        });
    }
    if body.is_none() {
        return Err(Error::Malformed("it is not JSON"));
    }
    let kind = member("token_type").and_then(Value::as_str).unwrap_or("bearer");
    if !kind.eq_ignore_ascii_case("bearer") {
        return Err(Error::Malformed("the token is not a bearer token"));
    }
    let token = member("access_token").and_then(Value::as_str);
    let token = token.filter(|token| !token.is_empty());
    let token = token.ok_or(Error::Malformed("it has no `access_token`"))?;
    // Some servers write the number as a text.
    let life = member("expires_in")
        .and_then(|life| life.as_u64().or_else(|| life.as_str()?.parse().ok()))
        .map_or(LIFE_DEFAULT, Duration::from_secs);
    Ok(Fresh { token: Secret::new(token), life })
}

/// Error codes are short words; anything else might be a secret that a server echoed.
fn is_code(text: &str) -> bool {
    (1..=64).contains(&text.len())
        && text.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_')
}
