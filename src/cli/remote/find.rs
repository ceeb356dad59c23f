//! Finding an instance: its address and token, from the options, the config file, or the defaults.
//!
//! Owns the order of these. Of the config file it reads three keys and leaves the rest to `check`: a file with mistakes
//! still names the instance that runs with its former content, and a probe must not fail for them.

use std::path::{Path, PathBuf};

use serde_json::Value;
use url::{Host, Url};

use super::{Connection, Failure, chain};
use crate::cli::output;
use crate::model::document::{Document, ReadOptions};
use crate::model::limits::CONFIG_BYTES_MAX;
use crate::runtime::files;

const DEFAULT_SERVER: &str = "127.0.0.1:9090";
const DEFAULT_CONFIG: &str = "driftgate.yaml";
const DEFAULT_TOKEN_FILE: &str = "data/admin-token";
const TOKEN_BYTES_MAX: u64 = 64 * 1024;

/// Where an instance is and how to be let in.
#[derive(Debug)]
pub(super) struct Found {
    /// Ends with `/`.
    pub(super) base: Url,
    /// Where the address came from, for people.
    pub(super) origin: String,
    /// None: only open routes can be called.
    pub(super) token: Option<String>,
    /// Where the token came from, or where none was found, for people.
    pub(super) token_origin: String,
}

/// `config` is the file that the user named, if any.
pub(super) fn find(connection: &Connection, config: Option<&Path>) -> Result<Found, Failure> {
    let file = Settings::read(config)?;
    let (server, origin) = match (&connection.server, file.address) {
        (Some(server), _) => (server.clone(), "given by --server or DRIFTGATE_SERVER".to_owned()),
        (None, Some(address)) => (address, format!("`admin.address` of `{}`", file.name)),
        (None, None) => (DEFAULT_SERVER.to_owned(), "the default".to_owned()),
    };
    let candidates = match &connection.token_file {
        Some(path) => std::slice::from_ref(path),
        None => file.token_files.as_slice(),
    };
    let named = connection.token_file.is_some();
    let there = candidates.iter().find(|path| named || files::exists(path));
    let shown = |path: &PathBuf| format!("`{}`", path.display());
    let looked = candidates.iter().map(shown).collect::<Vec<_>>().join(", ");
    Ok(Found {
        base: base(&server)?,
        origin,
        token: there.map(|path| read_token(path)).transpose()?,
        token_origin: there.map_or_else(
            || format!("no token was found: there is no {looked}"),
            |path| format!("the token came from {}", shown(path)),
        ),
    })
}

/// What the config file says about its instance.
#[derive(Debug, Default)]
struct Settings {
    name: String,
    address: Option<String>,
    /// Where a token may be, first match first.
    token_files: Vec<PathBuf>,
}

impl Settings {
    /// A file that the user named must be there; the one in the working folder need not.
    fn read(named: Option<&Path>) -> Result<Self, Failure> {
        let path = named.unwrap_or_else(|| Path::new(DEFAULT_CONFIG));
        match files::read_text(path, CONFIG_BYTES_MAX) {
            Ok(text) => Ok(Self::parse(path, &text)),
            Err(error) if named.is_none() && error.is_not_found() => Ok(Self::fallback()),
            Err(error) => Err(Failure::Unusable(chain(&error))),
        }
    }

    fn parse(path: &Path, text: &str) -> Self {
        let variables = &crate::config::environment;
        let options = ReadOptions { variables: Some(variables), ..ReadOptions::default() };
        let Ok(document) = Document::parse(text, &options) else {
            let name = path.display();
            output::note(&format!("`{name}` cannot be read, the defaults are used; see `check`"));
            return Self::fallback();
        };
        let folder = path.parent().unwrap_or_else(|| Path::new(""));
        let text = |pointer: &str| document.value.pointer(pointer).and_then(Value::as_str);
        let data_dir = folder.join(text("/data_dir").unwrap_or("data"));
        let named = text("/admin/token_file").map(|file| folder.join(file));
        let made = [data_dir.join("admin-token"), PathBuf::from(DEFAULT_TOKEN_FILE)];
        Self {
            name: path.display().to_string(),
            address: text("/admin/address").map(str::to_owned),
            token_files: named.into_iter().chain(made).collect(),
        }
    }

    fn fallback() -> Self {
        Self { token_files: vec![PathBuf::from(DEFAULT_TOKEN_FILE)], ..Self::default() }
    }
}

/// Reads `127.0.0.1:9090`, `http://host:9090/` or `https://host/prefix`. An unspecified address is called by loopback.
fn base(server: &str) -> Result<Url, Failure> {
    let bad = |why: &str| {
        Failure::Unusable(format!(
            "`{server}` is not the address of an admin API: {why}; write `http://HOST:PORT`"
        ))
    };
    if server.starts_with("unix:") {
        return Err(bad("Unix sockets cannot be called from here yet"));
    }
    let text = if server.contains("://") { server.to_owned() } else { format!("http://{server}") };
    let mut url = Url::parse(&text).map_err(|error| bad(&error.to_string()))?;
    if !matches!(url.scheme(), "http" | "https") {
        return Err(bad("only http and https are spoken"));
    }
    let loopback = match url.host() {
        Some(Host::Ipv4(ip)) if ip.is_unspecified() => Some("127.0.0.1"),
        Some(Host::Ipv6(ip)) if ip.is_unspecified() => Some("[::1]"),
        _ => None,
    };
    if loopback.is_some() {
        url.set_host(loopback).map_err(|error| bad(&error.to_string()))?;
    }
    if !url.path().ends_with('/') {
        let path = format!("{}/", url.path());
        url.set_path(&path);
    }
    Ok(url)
}

/// The token of the first line that has one: the last word, since a name may stand before it.
fn read_token(path: &Path) -> Result<String, Failure> {
    let text = files::read_text(path, TOKEN_BYTES_MAX)
        .map_err(|error| Failure::Unusable(chain(&error)))?;
    text.lines()
        .map(str::trim)
        .find(|line| !line.is_empty() && !line.starts_with('#'))
        .and_then(|line| line.split_ascii_whitespace().last())
        .map(str::to_owned)
        .ok_or_else(|| Failure::Unusable(format!("`{}` holds no token", path.display())))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn servers_are_read_as_people_write_them() {
        for (given, expected) in [
            ("127.0.0.1:9090", "http://127.0.0.1:9090/"),
            ("0.0.0.0:9090", "http://127.0.0.1:9090/"),
            ("[::]:9090", "http://[::1]:9090/"),
            ("localhost:1", "http://localhost:1/"),
            ("https://gate.example/admin", "https://gate.example/admin/"),
        ] {
            assert_eq!(base(given).expect(given).as_str(), expected);
        }
        for given in ["unix:/run/x", "ftp://host", "", "http://"] {
            assert!(base(given).is_err(), "{given}");
        }
    }

    #[test]
    fn the_config_file_names_address_and_tokens_relative_to_itself() {
        let folder = tempfile::tempdir().expect("a folder");
        let file = folder.path().join("gate.yaml");
        let text = "data_dir: state\nadmin: { address: '127.0.0.1:7', token_file: t/admin }\n";
        files::write_atomic(&file, text.as_bytes()).expect("written");
        let settings = Settings::read(Some(&file)).expect("read");
        assert_eq!(settings.address.as_deref(), Some("127.0.0.1:7"));
        let expected = [folder.path().join("t/admin"), folder.path().join("state/admin-token")];
        assert_eq!(settings.token_files[..2], expected);
        assert!(Settings::read(Some(Path::new("/no/such/file"))).is_err());
        let broken = Settings::parse(Path::new("x.yaml"), "admin: { address: ");
        assert_eq!(broken.address, None, "a broken file does not stop a probe");
    }

    #[test]
    fn options_win_over_the_file_and_say_so() {
        let folder = tempfile::tempdir().expect("a folder");
        let (file, token) = (folder.path().join("gate.yaml"), folder.path().join("token"));
        files::write_atomic(&file, b"admin: { address: '127.0.0.1:7' }").expect("written");
        files::write_atomic(&token, b"# whose\nann secret\n").expect("written");
        let by_file = find(&Connection::default(), Some(&file)).expect("found");
        assert!(by_file.origin.contains("gate.yaml") && by_file.token.is_none());
        assert!(by_file.token_origin.contains("data/admin-token"));
        let connection = Connection {
            server: Some("http://127.0.0.1:8".to_owned()),
            token_file: Some(token.clone()),
            json: false,
        };
        let by_option = find(&connection, Some(&file)).expect("found");
        assert_eq!(by_option.base.as_str(), "http://127.0.0.1:8/");
        assert_eq!(by_option.token.as_deref(), Some("secret"));
        files::write_atomic(&token, b"# nothing").expect("written");
        assert!(find(&connection, None).is_err());
    }
}
