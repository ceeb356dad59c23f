//! TLS on both sides: ALPN, certificates by name, client certificates, authorities, reload.

#![expect(clippy::disallowed_methods, reason = "peers are tasks and files of the test alone")]

use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::path::{Path, PathBuf};

use pingora::tls::hash::MessageDigest;
use pingora::tls::pkey::{PKey, Private};
use pingora::tls::ssl::{
    SslAcceptor, SslConnector, SslFiletype, SslMethod, SslStream, SslVerifyMode,
};
use pingora::tls::x509::{X509, X509NameBuilder};

use super::support::{DEADLINE, Origin, Rig, Setup, api, field};
use crate::proxy::View;
use crate::proxy::options::{
    Alpn, Certificate, ClientAuth, ClientCert, Forward, Listener, ListenerTls, TlsVersion, Upstream,
};

/// A certificate that signed itself, in two files.
struct Identity {
    folder: tempfile::TempDir,
    certificate: X509,
}

impl Identity {
    fn of(name: &str) -> Self {
        let identity =
            Self { folder: tempfile::tempdir().expect("a folder"), certificate: signed(name).0 };
        identity.replace(name)
    }

    fn replace(mut self, name: &str) -> Self {
        let (certificate, key) = signed(name);
        let write = |path: PathBuf, pem: Vec<u8>| std::fs::write(path, pem).expect("written");
        write(self.cert_file(), certificate.to_pem().expect("PEM"));
        write(self.key_file(), key.private_key_to_pem_pkcs8().expect("PEM"));
        self.certificate = certificate;
        self
    }

    fn cert_file(&self) -> PathBuf {
        self.folder.path().join("cert.pem")
    }

    fn key_file(&self) -> PathBuf {
        self.folder.path().join("key.pem")
    }

    fn options(&self) -> Certificate {
        Certificate { cert_file: self.cert_file(), key_file: self.key_file() }
    }
}

fn signed(name: &str) -> (X509, PKey<Private>) {
    let group = openssl::ec::EcGroup::from_curve_name(openssl::nid::Nid::X9_62_PRIME256V1)
        .expect("a curve");
    let key =
        PKey::from_ec_key(openssl::ec::EcKey::generate(&group).expect("a key")).expect("a key");
    let mut subject = X509NameBuilder::new().expect("a name");
    subject.append_entry_by_text("CN", name).expect("a name");
    let subject = subject.build();
    let mut builder = X509::builder().expect("a builder");
    builder.set_version(2).expect("a version");
    let mut serial = openssl::bn::BigNum::new().expect("a number");
    serial.rand(64, openssl::bn::MsbOption::MAYBE_ZERO, false).expect("a number");
    builder.set_serial_number(&serial.to_asn1_integer().expect("a number")).expect("a serial");
    builder.set_subject_name(&subject).expect("a subject");
    builder.set_issuer_name(&subject).expect("an issuer");
    builder
        .set_not_before(&openssl::asn1::Asn1Time::days_from_now(0).expect("a day"))
        .expect("a day");
    builder
        .set_not_after(&openssl::asn1::Asn1Time::days_from_now(2).expect("a day"))
        .expect("a day");
    builder.set_pubkey(&key).expect("a key");
    let names = openssl::x509::extension::SubjectAlternativeName::new()
        .dns(name)
        .build(&builder.x509v3_context(None, None))
        .expect("names");
    builder.append_extension(names).expect("names");
    let authority = openssl::x509::extension::BasicConstraints::new()
        .critical()
        .ca()
        .build()
        .expect("constraints");
    builder.append_extension(authority).expect("constraints");
    builder.sign(&key, MessageDigest::sha256()).expect("signed");
    (builder.build(), key)
}

fn listener(certificates: Vec<Certificate>) -> Listener {
    let tls = ListenerTls {
        certificates,
        client_auth: ClientAuth::None,
        client_ca_file: None,
        min_version: TlsVersion::V12,
        alpn: vec![Alpn::H2, Alpn::Http11],
    };
    Listener { name: "tls".into(), tls: Some(tls), ..Listener::at("127.0.0.1:0") }
}

/// A client that shows `identity` and offers `alpn`.
fn connect(
    rig: &Rig,
    name: &str,
    alpn: &[u8],
    identity: Option<&Identity>,
) -> Option<SslStream<TcpStream>> {
    let mut builder = SslConnector::builder(SslMethod::tls()).expect("a connector");
    builder.set_verify(SslVerifyMode::NONE);
    builder.set_alpn_protos(alpn).expect("protocols");
    if let Some(identity) = identity {
        builder
            .set_certificate_file(identity.cert_file(), SslFiletype::PEM)
            .expect("a certificate");
        builder.set_private_key_file(identity.key_file(), SslFiletype::PEM).expect("a key");
    }
    let stream = TcpStream::connect(rig.address()).expect("connected");
    stream.set_read_timeout(Some(DEADLINE)).expect("a deadline");
    let mut configuration = builder.build().configure().expect("a configuration");
    configuration.set_verify_hostname(false);
    configuration.connect(name, stream).ok()
}

fn ask(stream: &mut SslStream<TcpStream>) -> String {
    stream.write_all(b"GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n").expect("sent");
    let mut answer = String::new();
    // A refused client certificate shows here with TLS 1.3.
    drop(stream.read_to_string(&mut answer));
    answer
}

const HTTP11: &[u8] = b"\x08http/1.1";

#[test]
fn a_client_gets_the_certificate_of_the_name_it_asks_for() {
    let origin = Origin::echoing_heads();
    let (first, second) = (Identity::of("first.example"), Identity::of("*.second.example"));
    let mut setup = Setup::to(origin.url());
    setup.listeners = vec![listener(vec![first.options(), second.options()])];
    let mut rig = setup.start();
    for (name, expected) in [
        ("first.example", &first),
        ("api.second.example", &second),
        ("deep.api.second.example", &first),
        ("other.example", &first),
    ] {
        let mut stream = connect(&rig, name, HTTP11, None).expect("TLS");
        let shown = stream.ssl().peer_certificate().expect("a certificate");
        assert_eq!(shown.to_der().ok(), expected.certificate.to_der().ok(), "{name}");
        let answer = ask(&mut stream);
        assert!(answer.contains("X-Forwarded-Proto: https\r\n"), "{answer}");
    }
    assert!(rig.captures(4).iter().all(|capture| capture.tls));
}

#[test]
fn http_2_is_agreed_on_when_the_client_offers_it() {
    let origin = Origin::answering("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok");
    let identity = Identity::of("a.example");
    let mut setup = Setup::to(origin.url());
    setup.listeners = vec![listener(vec![identity.options()])];
    let rig = setup.start();
    for (offered, agreed) in [
        (&b"\x02h2\x08http/1.1"[..], Some(&b"h2"[..])),
        (HTTP11, Some(b"http/1.1")),
        (b"\x03foo", None),
    ] {
        let stream = connect(&rig, "a.example", offered, None).expect("TLS");
        assert_eq!(stream.ssl().selected_alpn_protocol(), agreed);
    }
    rig.runtime.block_on(async {
        let mut builder = SslConnector::builder(SslMethod::tls()).expect("a connector");
        builder.set_verify(SslVerifyMode::NONE);
        builder.set_alpn_protos(b"\x02h2").expect("protocols");
        let ssl = builder
            .build()
            .configure()
            .and_then(|ssl| ssl.verify_hostname(false).into_ssl("a.example"));
        let tcp = tokio::net::TcpStream::connect(rig.address()).await.expect("connected");
        let mut tls = pingora::tls::tokio_ssl::SslStream::new(ssl.expect("TLS"), tcp).expect("TLS");
        std::pin::Pin::new(&mut tls).connect().await.expect("TLS");
        let (client, connection) = h2::client::handshake(tls).await.expect("HTTP/2");
        drop(tokio::task::spawn(connection));
        let mut client = client.ready().await.expect("ready");
        let request = http::Request::get("https://a.example/").body(()).expect("a request");
        let (response, _) = client.send_request(request, true).expect("sent");
        let answer =
            tokio::time::timeout(DEADLINE, response).await.expect("in time").expect("an answer");
        assert_eq!(answer.status(), 200);
    });
}

#[test]
fn a_client_certificate_is_asked_for_checked_and_told() {
    let origin = Origin::echoing_heads();
    let (server, known, stranger) =
        (Identity::of("a.example"), Identity::of("client"), Identity::of("stranger"));
    for (auth, without) in [(ClientAuth::Required, false), (ClientAuth::Optional, true)] {
        let mut setup = Setup::to(origin.url());
        let mut listener = listener(vec![server.options()]);
        if let Some(tls) = &mut listener.tls {
            (tls.client_auth, tls.client_ca_file) = (auth, Some(known.cert_file()));
        }
        listener.forward = Some(Forward { client_cert: ClientCert::Header, ..Forward::default() });
        setup.listeners = vec![listener];
        let rig = setup.start();
        let answer = |identity| {
            connect(&rig, "a.example", HTTP11, identity)
                .map_or_else(String::new, |mut stream| ask(&mut stream))
        };
        let shown = answer(Some(&known));
        assert!(shown.contains("Client-Cert: :MII"), "{shown}");
        assert_eq!(answer(None).contains("200 OK"), without, "{auth:?}");
        assert!(!answer(Some(&stranger)).contains("200 OK"), "a stranger is refused");
    }
}

#[test]
fn a_new_certificate_is_shown_after_a_reload() {
    let origin = Origin::answering("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok");
    let identity = Identity::of("a.example");
    let mut setup = Setup::to(origin.url());
    setup.listeners = vec![listener(vec![identity.options()])];
    let rig = setup.start();
    let shown = || {
        let stream = connect(&rig, "a.example", HTTP11, None).expect("TLS");
        stream.ssl().peer_certificate().and_then(|shown| shown.to_der().ok())
    };
    assert_eq!(shown(), identity.certificate.to_der().ok());
    let identity = identity.replace("a.example");
    let view = View::build(&rig.listeners, &[api("api", "/", Upstream::at(origin.url()))])
        .expect("a view");
    rig.runtime.block_on(rig.handle.reload(view)).expect("reloaded");
    assert_eq!(shown(), identity.certificate.to_der().ok());
}

/// An API behind TLS that says which name and protocol were asked for, and whether we showed a certificate.
fn tls_origin(
    identity: &Identity,
    client_authority: Option<&Path>,
    versions: &'static str,
) -> Origin {
    let mut builder = SslAcceptor::mozilla_intermediate(SslMethod::tls()).expect("an acceptor");
    if versions == "1.2" {
        builder
            .set_max_proto_version(Some(pingora::tls::ssl::SslVersion::TLS1_2))
            .expect("a version");
    }
    builder.set_certificate_chain_file(identity.cert_file()).expect("a certificate");
    builder.set_private_key_file(identity.key_file(), SslFiletype::PEM).expect("a key");
    builder.set_alpn_select_callback(|_, offered| {
        pingora::tls::ssl::select_next_proto(b"\x08http/1.1", offered)
            .ok_or(pingora::tls::ssl::AlpnError::NOACK)
    });
    if let Some(file) = client_authority {
        builder.set_verify(SslVerifyMode::PEER | SslVerifyMode::FAIL_IF_NO_PEER_CERT);
        builder.set_ca_file(file).expect("an authority");
    }
    let acceptor = builder.build();
    Origin::start(move |peer| {
        let Ok(mut stream) = acceptor.accept(peer.0) else { return };
        let name = stream
            .ssl()
            .servername(pingora::tls::ssl::NameType::HOST_NAME)
            .unwrap_or("-")
            .to_owned();
        let client = stream.ssl().peer_certificate().is_some();
        let mut head = [0; 4096];
        while stream.read(&mut head).is_ok_and(|length| length > 0) {
            let body = format!("{name} {client}");
            let answer = format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n{body}", body.len());
            if stream.write_all(answer.as_bytes()).is_err() {
                return;
            }
        }
    })
}

const GET: &str = "GET / HTTP/1.1\r\nHost: a\r\n\r\n";

fn upstream(origin: &Origin, change: impl FnOnce(&mut Upstream)) -> Rig {
    let mut setup = Setup::to(format!("https://{}", origin.address));
    setup.apis[0].upstream.sni = Some("api.example".into());
    change(&mut setup.apis[0].upstream);
    setup.start()
}

#[test]
fn an_api_is_believed_only_with_a_certificate_of_its_authority_and_name() {
    let identity = Identity::of("api.example");
    let origin = tls_origin(&identity, None, "any");
    let trusted = |upstream: &mut Upstream| upstream.ca_file = Some(identity.cert_file());
    let rig = upstream(&origin, trusted);
    assert_eq!(rig.ask(GET).1, "api.example false");
    let rig = upstream(&origin, |_| {});
    let (head, _) = rig.ask(GET);
    assert_eq!(
        field(&head, "proxy-status"),
        Some("driftgate; error=tls_certificate_error"),
        "the system trusts it not"
    );
    let rig = upstream(&origin, |upstream| {
        trusted(upstream);
        upstream.sni = Some("other.example".into());
    });
    let (head, _) = rig.ask(GET);
    assert_eq!(
        field(&head, "proxy-status"),
        Some("driftgate; error=tls_certificate_error"),
        "another name"
    );
    let rig = upstream(&origin, |upstream| upstream.verify = false);
    assert_eq!(rig.ask(GET).1, "api.example false", "unless told not to look");
}

#[test]
fn we_show_our_certificate_to_an_api_that_asks() {
    let (identity, ours) = (Identity::of("api.example"), Identity::of("driftgate"));
    let origin = tls_origin(&identity, Some(&ours.cert_file()), "any");
    let rig = upstream(&origin, |upstream| {
        upstream.ca_file = Some(identity.cert_file());
        upstream.client_cert_file = Some(ours.cert_file());
        upstream.client_key_file = Some(ours.key_file());
    });
    assert_eq!(rig.ask(GET).1, "api.example true");
}

#[test]
fn an_api_with_too_old_a_version_is_refused() {
    let identity = Identity::of("api.example");
    let origin = tls_origin(&identity, None, "1.2");
    for (minimum, expected) in
        [(TlsVersion::V12, "HTTP/1.1 200 "), (TlsVersion::V13, "HTTP/1.1 502 ")]
    {
        let rig = upstream(&origin, |upstream| {
            upstream.ca_file = Some(identity.cert_file());
            upstream.min_version = minimum;
        });
        assert!(rig.ask(GET).0.starts_with(expected), "{minimum:?}");
    }
}
