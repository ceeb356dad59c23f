//! Bearer tokens: who is calling, and what they may do.
//!
//! Owns token files, their comparison in constant time and the rate limit on wrong ones. Refuses to keep a token: only its
//! digest stays in memory.

use std::collections::HashMap;
use std::net::IpAddr;
use std::path::Path;
use std::sync::Arc;

use arc_swap::ArcSwap;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use parking_lot::Mutex;
use sha2::{Digest as _, Sha256};
use subtle::ConstantTimeEq as _;

use super::error::Error;
use super::options::Options;
use crate::runtime::clock::Clock;
use crate::runtime::files;
use crate::runtime::rng::Rng;

/// What a token may do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Scope {
    /// Everything.
    Admin,
    /// Every GET.
    Viewer,
    /// `POST /v1/events`.
    Intake,
}

impl Scope {
    pub(super) fn as_str(self) -> &'static str {
        match self {
            Self::Admin => "admin",
            Self::Viewer => "viewer",
            Self::Intake => "intake",
        }
    }
}

/// Whose token it was.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Caller {
    pub(super) name: Arc<str>,
    pub(super) scope: Scope,
}

struct Token {
    caller: Caller,
    digest: [u8; 32],
}

/// Most tokens in one file: a person must be able to say whose each is.
const TOKENS_MAX: usize = 16;
/// Shortest and longest token, characters.
const TOKEN_CHARS: std::ops::RangeInclusive<usize> = 32..=512;
const FILE_BYTES_MAX: u64 = 64 * 1024;
/// Wrong tokens that one address may send in a minute.
const WRONG_MAX: u32 = 10;
/// Addresses remembered at once; the table is emptied when it is full.
const ADDRESSES_MAX: usize = 4_096;
const MINUTE_MS: i64 = 60_000;

/// All tokens in force, replaced whole at a reload.
pub struct Tokens {
    known: ArcSwap<Vec<Token>>,
    wrong: Mutex<HashMap<Option<IpAddr>, Wrong>>,
    clock: Clock,
}

/// Tokens that were read and are not in force yet.
pub struct ReadTokens(Vec<Token>);

struct Wrong {
    since_ms: i64,
    count: u32,
}

/// What a presented token is.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    Known(Caller),
    Wrong,
    /// Wrong, and one too many from this address; seconds until the next may be tried.
    TooMany(u64),
}

impl Tokens {
    #[must_use]
    pub fn new(read: ReadTokens, clock: Clock) -> Self {
        Self { known: ArcSwap::from_pointee(read.0), wrong: Mutex::default(), clock }
    }

    /// Puts other tokens in force.
    pub fn replace(&self, read: ReadTokens) {
        self.known.store(Arc::new(read.0));
    }

    /// Judges a presented token. Every known one is compared, each in constant time.
    pub(super) fn judge(&self, presented: &str, from: Option<IpAddr>) -> Verdict {
        let digest: [u8; 32] = Sha256::digest(presented.as_bytes()).into();
        let mut caller = None;
        for token in self.known.load().iter() {
            if bool::from(token.digest.ct_eq(&digest)) {
                caller = Some(token.caller.clone());
            }
        }
        caller.map_or_else(|| self.count_wrong(from), Verdict::Known)
    }

    fn count_wrong(&self, from: Option<IpAddr>) -> Verdict {
        let now_ms = self.clock.now_ms();
        let mut wrong = self.wrong.lock();
        if wrong.len() >= ADDRESSES_MAX {
            wrong.clear();
        }
        let entry = wrong.entry(from).or_insert(Wrong { since_ms: now_ms, count: 0 });
        if !(0..MINUTE_MS).contains(&(now_ms - entry.since_ms)) {
            *entry = Wrong { since_ms: now_ms, count: 0 };
        }
        entry.count = entry.count.saturating_add(1);
        if entry.count <= WRONG_MAX {
            return Verdict::Wrong;
        }
        let left_ms = entry.since_ms + MINUTE_MS - now_ms;
        Verdict::TooMany(u64::try_from(left_ms / 1_000 + 1).unwrap_or(60))
    }
}

impl ReadTokens {
    /// Reads all token files that `options` name. Without one for everything, that of `data_dir` is read, and made when it
    /// is not there.
    ///
    /// # Errors
    /// When a file cannot be read, made or understood; names it.
    pub fn of(options: &Options, data_dir: &Path, rng: &Rng) -> Result<Self, Error> {
        let mut tokens = Vec::new();
        for (scope, path) in options.token_files() {
            tokens.extend(read_file(scope, path)?);
        }
        if options.token_file.is_none() {
            let path = data_dir.join("admin-token");
            if !files::exists(&path) {
                let made = URL_SAFE_NO_PAD.encode(rng.bytes::<32>());
                files::make_folder(data_dir).map_err(Error::Tokens)?;
                let line = format!("{made}\n");
                files::write_private(&path, line.as_bytes()).map_err(Error::Tokens)?;
            }
            tokens.extend(read_file(Scope::Admin, &path)?);
        }
        Ok(Self(tokens))
    }
}

fn read_file(scope: Scope, path: &Path) -> Result<Vec<Token>, Error> {
    let text = files::read_text(path, FILE_BYTES_MAX).map_err(Error::Tokens)?;
    parse(scope, &text).map_err(|problem| Error::BadTokens {
        scope: scope.as_str(),
        path: path.to_owned(),
        problem,
    })
}

/// Lines `name token`, or a bare token that is named after its scope; `#` begins a comment line.
fn parse(scope: Scope, text: &str) -> Result<Vec<Token>, String> {
    let mut tokens: Vec<Token> = Vec::new();
    for (index, line) in text.lines().enumerate() {
        let line = line.trim();
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        let (name, token) = line.split_once([' ', '\t']).unwrap_or((scope.as_str(), line));
        let token = token.trim_start();
        let fault = |what: &str| Err(format!("line {}: {what}", index + 1));
        if !TOKEN_CHARS.contains(&token.len()) || !token.bytes().all(|b| b.is_ascii_graphic()) {
            return fault("a token has 32-512 visible ASCII characters");
        }
        if name.len() > 64
            || !name.bytes().all(|b| b.is_ascii_alphanumeric() || b"._-".contains(&b))
        {
            return fault("a name has at most 64 letters, digits, `.`, `_` or `-`");
        }
        let digest = Sha256::digest(token.as_bytes()).into();
        tokens.push(Token { caller: Caller { name: name.into(), scope }, digest });
    }
    match tokens.len() {
        0 => Err("it holds no token; write one line `name token`".to_owned()),
        count if count > TOKENS_MAX => Err(format!("more than {TOKENS_MAX} tokens")),
        _ => Ok(tokens),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LONG: &str = "0123456789abcdef0123456789abcdef";

    fn tokens(text: &str) -> (Tokens, crate::runtime::clock::Hands) {
        let (clock, hands) = Clock::standing_at(1_000_000);
        let known = ArcSwap::from_pointee(parse(Scope::Viewer, text).expect("tokens"));
        (Tokens { known, wrong: Mutex::default(), clock }, hands)
    }

    #[test]
    fn token_files_name_their_faulty_line() {
        for (text, expected) in [
            ("", "no token"),
            ("# nothing\n\n", "no token"),
            ("short", "line 1: a token has 32-512"),
            (&format!("# x\nann {LONG}\nbob tooshort\n"), "line 3"),
            (&format!("an/n {LONG}"), "line 1: a name"),
            (&format!("ann {LONG} trailing words"), "line 1: a token"),
            (&format!("{LONG}\n").repeat(17), "more than 16"),
        ] {
            let problem = parse(Scope::Admin, text).err().expect(text);
            assert!(problem.contains(expected), "{text}: {problem}");
        }
    }

    #[test]
    fn tokens_are_named_by_line_or_scope() {
        let (known, _) = tokens(&format!("{LONG}\nann\t{LONG}x\r\n"));
        let name = |token: &str| match known.judge(token, None) {
            Verdict::Known(caller) => caller.name.to_string(),
            other => format!("{other:?}"),
        };
        assert_eq!(name(LONG), "viewer");
        assert_eq!(name(&format!("{LONG}x")), "ann");
        assert_eq!(name(&format!("{LONG}y")), "Wrong");
    }

    #[test]
    fn only_wrong_tokens_of_one_address_are_limited_for_a_minute() {
        let (known, hands) = tokens(LONG);
        let (here, there) = (Some(IpAddr::from([127, 0, 0, 1])), Some(IpAddr::from([10, 0, 0, 1])));
        for _ in 0..10 {
            assert_eq!(known.judge("wrong", here), Verdict::Wrong);
        }
        assert!(matches!(known.judge("wrong", here), Verdict::TooMany(1..=61)));
        assert_eq!(known.judge("wrong", there), Verdict::Wrong);
        assert!(matches!(known.judge(LONG, here), Verdict::Known(_)));
        hands.advance(MINUTE_MS);
        assert_eq!(known.judge("wrong", here), Verdict::Wrong);
    }

    #[test]
    fn the_default_token_is_made_once_and_readable_by_its_owner_alone() {
        use std::os::unix::fs::PermissionsExt as _;
        let folder = tempfile::tempdir().expect("a folder");
        let (options, rng) = (Options::default(), Rng::seeded(1));
        ReadTokens::of(&options, folder.path(), &rng).expect("made");
        let path = folder.path().join("admin-token");
        let first = files::read_text(&path, 1_000).expect("read");
        let again = ReadTokens::of(&options, folder.path(), &rng).expect("read");
        let again = Tokens::new(again, Clock::real());
        assert_eq!(first, files::read_text(&path, 1_000).expect("read"));
        assert!(matches!(again.judge(first.trim(), None), Verdict::Known(_)));
        let mode = std::fs::metadata(&path).expect("there").permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
    }
}
