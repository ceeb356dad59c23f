//! TLS on both sides: which certificate a client gets, and what we show and believe towards an API (`spec/proxy.md` 2, 5).
//!
//! Owns reading PEM files and the choice by server name, made anew at each handshake so that certificates can be replaced
//! while running. Refuses to own the handshake itself.

use std::path::Path;
use std::sync::Arc;

use arc_swap::ArcSwap;
use async_trait::async_trait;
use pingora::listeners::tls::TlsSettings;
use pingora::listeners::{ALPN, TlsAccept};
use pingora::protocols::tls::TlsRef;
use pingora::tls::ext;
use pingora::tls::pkey::{PKey, Private};
use pingora::tls::ssl::{NameType, SslAcceptorBuilder, SslVerifyMode, SslVersion};
use pingora::tls::x509::X509;
use pingora::utils::tls::CertKey;

use super::error::Error;
use super::options::{
    Alpn, Certificate, ClientAuth, Listener, ListenerTls, TlsVersion, Upstream as UpstreamOptions,
};
use super::view::Live;
use crate::model::problem::{Problem, Problems};
use crate::runtime::files;

/// Largest PEM file that is read, bytes.
const PEM_BYTES_MAX: u64 = 1 << 20;

/// What an upstream connection shows and believes.
#[derive(Default)]
pub(super) struct ClientCertificates {
    pub(super) key: Option<Arc<CertKey>>,
    pub(super) authorities: Option<Arc<Box<[X509]>>>,
}

/// The certificates of one listener.
#[derive(Default)]
pub(super) struct Certificates(Vec<(Vec<String>, CertKey)>);

impl std::fmt::Debug for Certificates {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_list().entries(self.0.iter().map(|(names, _)| names)).finish()
    }
}

impl Certificates {
    /// Reads them; pointers begin below the listener.
    pub(super) fn read(certificates: &[Certificate], problems: &mut Problems) -> Self {
        let mut found = Vec::new();
        for (index, certificate) in certificates.iter().enumerate() {
            let pointer = |key: &str| format!("/tls/certificates/{index}/{key}");
            let chain = chain(&certificate.cert_file, &pointer("cert_file"), problems);
            let key = key(&certificate.key_file, &pointer("key_file"), problems);
            if let (Some(chain), Some(key)) = (chain, key) {
                check_pair(&chain, &key, &pointer("key_file"), problems);
                found.push((names(&chain), CertKey::new(chain, key)));
            }
        }
        Self(found)
    }

    /// The certificate for a server name: an exact name, then a wildcard, then the first.
    fn choose(&self, server_name: Option<&str>) -> Option<&CertKey> {
        let fits = |pattern: &str| {
            server_name.is_some_and(|name| match pattern.strip_prefix("*.") {
                Some(suffix) => {
                    name.split_once('.').is_some_and(|(_, rest)| rest.eq_ignore_ascii_case(suffix))
                }
                None => name.eq_ignore_ascii_case(pattern),
            })
        };
        self.0
            .iter()
            .find(|(names, _)| names.iter().any(|name| fits(name)))
            .or_else(|| self.0.first())
            .map(|(_, certificate)| certificate)
    }
}

/// Host names of the leaf: alternative names, else the common name.
fn names(chain: &[X509]) -> Vec<String> {
    let Some(leaf) = chain.first() else { return Vec::new() };
    let alternatives = leaf.subject_alt_names();
    let names: Vec<String> = alternatives
        .iter()
        .flatten()
        .filter_map(|name| name.dnsname().map(str::to_owned))
        .collect();
    if names.is_empty() {
        pingora::utils::tls::get_common_name(leaf).into_iter().collect()
    } else {
        names
    }
}

/// Presents certificates from whatever view is live.
struct Chooser {
    live: Arc<ArcSwap<Live>>,
    listener: usize,
}

#[async_trait]
impl TlsAccept for Chooser {
    async fn certificate_callback(&self, ssl: &mut TlsRef) {
        let live = self.live.load_full();
        let name = ssl.servername(NameType::HOST_NAME).map(str::to_owned);
        let Some(certificate) =
            live.view.certificates(self.listener).and_then(|known| known.choose(name.as_deref()))
        else {
            return;
        };
        // A certificate that OpenSSL refuses ends this handshake with an alert; there is nobody else to tell.
        let shown = ext::ssl_use_certificate(ssl, certificate.leaf())
            .and_then(|()| ext::ssl_use_private_key(ssl, certificate.key()))
            .and_then(|()| {
                certificate
                    .intermediates()
                    .iter()
                    .try_for_each(|intermediate| ext::ssl_add_chain_cert(ssl, intermediate))
            });
        drop(shown);
    }

    /// The client's certificate travels with the connection, for `forward.client_cert`.
    async fn handshake_complete_callback(
        &self,
        ssl: &TlsRef,
    ) -> Option<Arc<dyn std::any::Any + Send + Sync>> {
        let der = ssl.peer_certificate()?.to_der().ok()?;
        Some(Arc::new(ClientCertificate(der)))
    }
}

/// The DER form of a certificate that a client has shown.
pub(super) struct ClientCertificate(pub(super) Vec<u8>);

/// Settings of one listener for pingora.
///
/// # Errors
/// When OpenSSL refuses them; the text says which.
pub(super) fn server(
    options: &Listener,
    tls: &ListenerTls,
    live: &Arc<ArcSwap<Live>>,
    listener: usize,
) -> Result<TlsSettings, Error> {
    let failed = |reason: String| Error::Tls { listener: options.label().to_owned(), reason };
    let chooser = Chooser { live: Arc::clone(live), listener };
    let mut settings = TlsSettings::with_callbacks(Box::new(chooser))
        .map_err(|error| failed(error.to_string()))?;
    settings.set_alpn(match tls.alpn.as_slice() {
        [Alpn::Http11] => ALPN::H1,
        [Alpn::H2] => ALPN::H2,
        _ => ALPN::H2H1,
    });
    refine(&mut settings, tls).map_err(|error| failed(error.to_string()))?;
    Ok(settings)
}

fn refine(
    builder: &mut SslAcceptorBuilder,
    tls: &ListenerTls,
) -> Result<(), pingora::tls::error::ErrorStack> {
    builder.set_min_proto_version(Some(match tls.min_version {
        TlsVersion::V12 => SslVersion::TLS1_2,
        TlsVersion::V13 => SslVersion::TLS1_3,
    }))?;
    // Sessions of clients with certificates are not resumed without a context (SSL_CTX_set_session_id_context).
    builder.set_session_id_context(b"driftgate")?;
    let verify = match tls.client_auth {
        ClientAuth::None => return Ok(()),
        ClientAuth::Optional => SslVerifyMode::PEER,
        ClientAuth::Required => SslVerifyMode::PEER | SslVerifyMode::FAIL_IF_NO_PEER_CERT,
    };
    builder.set_verify(verify);
    if let Some(file) = &tls.client_ca_file {
        builder.set_ca_file(file)?;
    }
    Ok(())
}

/// Reads what an upstream needs; pointers begin below the upstream.
pub(super) fn client(options: &UpstreamOptions, problems: &mut Problems) -> ClientCertificates {
    let authorities = options
        .ca_file
        .as_ref()
        .and_then(|file| chain(file, "/ca_file", problems))
        .map(|found| Arc::new(found.into_boxed_slice()));
    let pair = options.client_cert_file.as_ref().zip(options.client_key_file.as_ref());
    let key = pair.and_then(|(certificate, file)| {
        let chain = chain(certificate, "/client_cert_file", problems)?;
        let key = key(file, "/client_key_file", problems)?;
        check_pair(&chain, &key, "/client_key_file", problems);
        Some(Arc::new(CertKey::new(chain, key)))
    });
    ClientCertificates { key, authorities }
}

/// All certificates of a PEM file, at least one.
fn chain(file: &Path, pointer: &str, problems: &mut Problems) -> Option<Vec<X509>> {
    let pem = read(file, pointer, problems)?;
    match X509::stack_from_pem(&pem) {
        Ok(chain) if !chain.is_empty() => Some(chain),
        _ => {
            problems.push(not_pem(file, pointer, "certificate"));
            None
        }
    }
}

fn key(file: &Path, pointer: &str, problems: &mut Problems) -> Option<PKey<Private>> {
    let pem = read(file, pointer, problems)?;
    let key = PKey::private_key_from_pem(&pem).ok();
    if key.is_none() {
        problems.push(not_pem(file, pointer, "unencrypted private key"));
    }
    key
}

fn check_pair(chain: &[X509], key: &PKey<Private>, pointer: &str, problems: &mut Problems) {
    let public = chain.first().and_then(|leaf| leaf.public_key().ok());
    if !public.is_some_and(|public| public.public_eq(key)) {
        problems.push(Problem::error(
            pointer,
            "config.key-mismatch",
            "this key does not belong to the first certificate of the file named beside it",
        ));
    }
}

fn read(file: &Path, pointer: &str, problems: &mut Problems) -> Option<Vec<u8>> {
    files::read(file, PEM_BYTES_MAX)
        .map_err(|error| {
            problems.push(
                Problem::error(pointer, "config.unreadable-file", error.to_string())
                    .remedy("relative paths are relative to the configuration file"),
            );
        })
        .ok()
}

fn not_pem(file: &Path, pointer: &str, what: &str) -> Problem {
    let message = format!("`{}` holds no PEM {what}", file.display());
    Problem::error(pointer, "config.bad-pem", message)
}
