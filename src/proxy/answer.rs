//! Answers that driftgate makes itself (`spec/proxy.md` 6): what went wrong, said so that a person and a program understand
//! it, and nothing about where the API is.
//!
//! Owns the table of failures. Once a response head has left, nothing is answered any more: the connection is cut, so that
//! what is cut off never looks complete.

use pingora::http::ResponseHeader;
use pingora::protocols::http::HttpTask;
use pingora::proxy::Session;
use pingora::{Error, ErrorSource, ErrorType, Result};

/// Why an exchange could not be carried out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Failure {
    NoApi,
    HeadTooLarge,
    BodyTooLarge,
    BodyStalled,
    BadRequest,
    Unresolved,
    Refused,
    Unroutable,
    ConnectTimeout,
    ResponseTimeout,
    Tls,
    Certificate,
    Closed,
    Protocol,
    Defect,
}

/// How a failure is told.
struct Telling {
    status: u16,
    /// RFC 9209 section 2.3.
    proxy_status: &'static str,
    grpc_status: u8,
    code: &'static str,
    title: &'static str,
    detail: &'static str,
}

impl Failure {
    pub(super) const ALL: [Self; 15] = [
        Self::NoApi,
        Self::HeadTooLarge,
        Self::BodyTooLarge,
        Self::BodyStalled,
        Self::BadRequest,
        Self::Unresolved,
        Self::Refused,
        Self::Unroutable,
        Self::ConnectTimeout,
        Self::ResponseTimeout,
        Self::Tls,
        Self::Certificate,
        Self::Closed,
        Self::Protocol,
        Self::Defect,
    ];

    /// The label value in metrics.
    pub(super) fn label(self) -> &'static str {
        self.telling().proxy_status
    }

    /// The problem code.
    pub(super) fn code(self) -> &'static str {
        self.telling().code
    }

    pub(super) fn status(self) -> u16 {
        self.telling().status
    }

    /// What a failed attempt to connect means.
    pub(super) fn of_connect(error: &Error) -> Self {
        match error.etype() {
            ErrorType::ConnectTimedout | ErrorType::TLSHandshakeTimedout => Self::ConnectTimeout,
            ErrorType::ConnectNoRoute => Self::Unroutable,
            ErrorType::InvalidCert => Self::Certificate,
            ErrorType::TLSHandshakeFailure | ErrorType::HandshakeError => Self::Tls,
            _ => Self::Refused,
        }
    }

    /// What an error means that ended an exchange; none when the client is gone.
    pub(super) fn of(error: &Error) -> Option<Self> {
        match (error.esource(), error.etype()) {
            (_, ErrorType::HTTPStatus(413)) => Some(Self::BodyTooLarge),
            (ErrorSource::Downstream, ErrorType::ReadTimedout) => Some(Self::BodyStalled),
            (
                ErrorSource::Downstream,
                ErrorType::ReadError
                | ErrorType::WriteError
                | ErrorType::WriteTimedout
                | ErrorType::ConnectionClosed
                | ErrorType::H2Error,
            ) => None,
            (ErrorSource::Downstream, _) => Some(Self::BadRequest),
            (ErrorSource::Upstream, ErrorType::ReadTimedout | ErrorType::WriteTimedout) => {
                Some(Self::ResponseTimeout)
            }
            (
                ErrorSource::Upstream,
                ErrorType::ReadError | ErrorType::WriteError | ErrorType::ConnectionClosed,
            ) => Some(Self::Closed),
            (ErrorSource::Upstream, _) => Some(Self::Protocol),
            _ => Some(Self::Defect),
        }
    }

    #[rustfmt::skip]
    fn telling(self) -> Telling {
        let (status, proxy_status, grpc_status, code, title, detail) = match self {
            Self::NoApi => (404, "destination_not_found", 12, "proxy.no-api", "No API here", "no API is configured for this host and path"),
            Self::HeadTooLarge => (431, "http_request_error", 8, "proxy.head-too-large", "Request head too large", "the request head is larger than this proxy accepts"),
            Self::BodyTooLarge => (413, "http_request_error", 8, "proxy.body-too-large", "Request body too large", "the request body is larger than this proxy accepts"),
            Self::BodyStalled => (408, "http_request_error", 4, "proxy.body-stalled", "Request body stalled", "the rest of the request body did not arrive in time"),
            Self::BadRequest => (400, "http_request_error", 13, "proxy.bad-request", "Request cannot be forwarded", "the request is malformed or ambiguous"),
            Self::Unresolved => (502, "dns_error", 14, "proxy.unresolved", "API not found", "the name of the API could not be resolved"),
            Self::Refused => (502, "connection_refused", 14, "proxy.refused", "API not reachable", "the API refused the connection"),
            Self::Unroutable => (502, "destination_ip_unroutable", 14, "proxy.unroutable", "API not reachable", "there is no route to the API"),
            Self::ConnectTimeout => (504, "connection_timeout", 14, "proxy.connect-timeout", "API not reachable", "the API did not accept the connection in time"),
            Self::ResponseTimeout => (504, "http_response_timeout", 14, "proxy.response-timeout", "API too slow", "the API did not answer in time"),
            Self::Tls => (502, "tls_protocol_error", 14, "proxy.tls", "API not reachable", "TLS with the API failed"),
            Self::Certificate => (502, "tls_certificate_error", 14, "proxy.certificate", "API not trusted", "the certificate of the API was refused"),
            Self::Closed => (502, "connection_terminated", 14, "proxy.closed", "API hung up", "the API closed the connection before it answered"),
            Self::Protocol => (502, "http_protocol_error", 13, "proxy.protocol", "API answered nonsense", "the answer of the API is not valid HTTP"),
            Self::Defect => (500, "proxy_internal_error", 13, "proxy.defect", "Proxy defect", "driftgate failed to carry out this exchange"),
        };
        Telling { status, proxy_status, grpc_status, code, title, detail }
    }

    fn body(self) -> String {
        let Telling { status, code, title, detail, .. } = self.telling();
        // All parts are constants without quotes.
        format!(r#"{{"title":"{title}","status":{status},"detail":"{detail}","code":"{code}"}}"#)
    }

    /// Writes the answer, unless a response head has left already. Says whether it did.
    ///
    /// # Errors
    /// When the client cannot be written to.
    pub(super) async fn answer(self, session: &mut Session, grpc: bool) -> Result<bool> {
        if session.response_written().is_some_and(|head| !head.status.is_informational()) {
            return Ok(false);
        }
        let telling = self.telling();
        let proxy_status = format!("driftgate; error={}", telling.proxy_status);
        if grpc && session.is_http2() {
            let mut head = ResponseHeader::build(200, Some(5))?;
            head.insert_header("content-type", "application/grpc")?;
            head.insert_header("grpc-status", telling.grpc_status.to_string())?;
            head.insert_header("grpc-message", telling.detail)?;
            head.insert_header("proxy-status", proxy_status)?;
            // END_STREAM has to be on the head itself: that is what makes it trailers-only.
            let task = HttpTask::Header(Box::new(head), true);
            session.as_downstream_mut().response_duplex_vec(vec![task]).await?;
            return Ok(true);
        }
        let body = self.body();
        let mut head = ResponseHeader::build(telling.status, Some(6))?;
        head.insert_header("Content-Type", "application/problem+json")?;
        head.insert_header("Content-Length", body.len())?;
        head.insert_header("Proxy-Status", proxy_status)?;
        head.insert_header("Cache-Control", "no-store")?;
        session.write_response_header(Box::new(head), false).await?;
        session.write_response_body(Some(body.into()), true).await?;
        Ok(true)
    }
}
