//! From records to evidence: each worker folds its own, and all are merged at the end.
//!
//! Owns the choice of the host, the counts by reason and the first bad records. Refuses to own formats and learning. The
//! result does not depend on the number of workers, since evidence merges in any order.

use std::collections::BTreeMap;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};

use super::Failure;
use super::source::{self, cannot_read};
use crate::capture::recorded::{Frame, Unusable};
use crate::capture::records::{End, Format, Record};
use crate::capture::{Border, Options, Redact, har, ndjson};
use crate::cli::progress::{Progress, When};
use crate::infer::{self, Evidence};
use crate::model::capture::Capture;
use crate::model::exchange::Exchange;
use crate::model::hash::HashKey;
use crate::model::problem::Position;
use crate::model::redaction::Plan;
use crate::observe::{Lens, Observer};

/// Records handed to a worker at once.
const BATCH: usize = 64;

/// Batches that wait for each worker.
const WAITING: usize = 4;

/// Hosts that are learned apart; exchanges of further ones are left out.
const HOSTS_MAX: usize = 64;

/// Bad records that are shown.
const BAD_SHOWN: usize = 10;

/// A URL below which exchanges are learned.
#[derive(Debug, Clone)]
struct Base {
    origin: String,
    prefix: String,
}

/// How records become evidence.
pub(super) struct Feed {
    border: Border,
    plan: Arc<Plan>,
    frame: Frame,
    key: HashKey,
    lens: Lens,
    bases: Vec<Base>,
    format: Option<Format>,
}

/// Evidence of one host.
struct Host {
    evidence: Evidence,
    read: u64,
    /// Answers of types that APIs give rather than pages.
    api_typed: u64,
}

/// A record that could not be read.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct BadRecord {
    pub(super) file: usize,
    pub(super) position: Position,
    pub(super) reason: String,
}

/// What came of all input.
#[derive(Default)]
pub(super) struct Learned {
    hosts: BTreeMap<String, Host>,
    pub(super) read: u64,
    /// Exchanges left out before learning, by reason.
    pub(super) left_out: BTreeMap<&'static str, u64>,
    pub(super) bad_records: u64,
    /// The first of them, in order.
    pub(super) bad: Vec<BadRecord>,
    pub(super) notes: Vec<String>,
    pub(super) files: Vec<PathBuf>,
    pub(super) path_prefix: String,
    /// The host that was taken, and the others with their exchanges.
    pub(super) chosen: Option<String>,
    pub(super) other_hosts: Vec<(String, u64)>,
    pub(super) bases: Vec<String>,
}

/// Records of one file on their way to a worker.
struct Batch {
    file: usize,
    format: Format,
    records: Vec<Record>,
}

/// What a run says of its input.
pub(super) struct Settings<'a> {
    pub(super) api: &'a str,
    pub(super) key: &'a HashKey,
    pub(super) base_urls: &'a [String],
    pub(super) format: Option<Format>,
    /// Whether evidence ages.
    pub(super) epochs: bool,
    /// Whether cookies are parameters.
    pub(super) include_cookies: bool,
}

impl Feed {
    pub(super) fn new(settings: &Settings<'_>) -> Result<Self, Failure> {
        let Settings { api, key, base_urls, format, epochs, include_cookies } = *settings;
        let options = Options::default();
        let bases: Vec<Base> =
            base_urls.iter().map(|url| Base::parse(url)).collect::<Result<_, _>>()?;
        let prefix = bases.first().map_or_else(|| "/".to_owned(), |base| base.prefix.clone());
        if bases.iter().any(|base| base.prefix != prefix) {
            return Err(Failure::unusable("all `--base-url` must have the same path"));
        }
        Ok(Self {
            border: Border::new(key.clone(), "offline", &options, Arc::new(|_| false)),
            plan: Arc::new(Redact::default().plan()),
            frame: Frame {
                api: api.into(),
                request_cap: options.request_body.as_len(),
                response_cap: options.response_body.as_len(),
            },
            key: key.clone(),
            lens: Lens { path_prefix: prefix.into(), epochs, include_cookies, ..Lens::default() },
            bases,
            format,
        })
    }

    /// Reads all files with so many workers.
    pub(super) fn read(
        &self,
        files: &[PathBuf],
        jobs: usize,
        progress: When,
    ) -> Result<Learned, Failure> {
        let mut learned = std::thread::scope(|scope| {
            let mut senders: Vec<SyncSender<Batch>> = Vec::new();
            let workers: Vec<_> = (0..jobs)
                .map(|_| {
                    let (sender, receiver) = sync_channel(WAITING);
                    senders.push(sender);
                    scope.spawn(move || self.work(&receiver))
                })
                .collect();
            let progress = Progress::new(progress, "exchanges read", 0);
            let mut deal = Deal { senders, turn: 0, read: 0, too_large: 0, progress };
            let notes = deal.files(files, self.format);
            let too_large = deal.too_large;
            deal.end();
            let mut learned = Learned::default();
            for worker in workers {
                match worker.join() {
                    Ok(part) => learned.merge(part)?,
                    Err(_) => return Err(Failure::unusable("a worker failed; this is a bug")),
                }
            }
            learned.notes = notes?;
            if too_large > 0 {
                *learned.left_out.entry("record over 64 MiB").or_default() += too_large;
                learned.read += too_large;
            }
            Ok(learned)
        })?;
        learned.files = files.to_vec();
        learned.path_prefix = self.lens.path_prefix.to_string();
        learned.bases =
            self.bases.iter().map(|base| format!("{}{}", base.origin, base.prefix)).collect();
        Ok(learned)
    }

    fn work(&self, receiver: &Receiver<Batch>) -> Learned {
        let mut learned = Learned::default();
        let mut observer = Observer::new(self.key.clone(), self.lens.clone());
        while let Ok(batch) = receiver.recv() {
            for record in &batch.records {
                learned.read += 1;
                let read = match batch.format {
                    Format::Har => har::capture(&record.bytes, &self.frame),
                    Format::Ndjson => ndjson::capture(&record.bytes, &self.frame),
                };
                match read {
                    Ok(capture) => self.learn(&mut learned, &mut observer, &capture),
                    Err(Unusable::Skipped(reason)) => learned.leave_out(reason),
                    Err(Unusable::Bad { line, column, reason }) => {
                        let position = place(record.position, line, column);
                        learned.see_bad(BadRecord { file: batch.file, position, reason });
                    }
                }
            }
        }
        learned
    }

    fn learn(&self, learned: &mut Learned, observer: &mut Observer, capture: &Capture) {
        let Some(exchange) = self.border.open(capture, &self.plan) else {
            return learned.leave_out("unreadable head");
        };
        let origin = origin(&exchange);
        let base = self.bases.iter().find(|base| base.fits(&origin, &exchange));
        if base.is_none() && !self.bases.is_empty() {
            *learned.other(&origin) += 1;
            return learned.leave_out("other host or path");
        }
        // Several base URLs are one API.
        let name = if base.is_some() { String::new() } else { origin };
        if !learned.hosts.contains_key(&name) && learned.hosts.len() >= HOSTS_MAX {
            return learned.leave_out("too many hosts");
        }
        let host = learned.hosts.entry(name).or_insert_with(|| Host {
            evidence: Evidence::new(&self.frame.api, self.key.id()),
            read: 0,
            api_typed: 0,
        });
        host.read += 1;
        host.api_typed += u64::from(is_api_typed(&exchange));
        infer::learn(&mut host.evidence, observer.observe(&exchange));
    }
}

/// Cuts files into batches and deals them to the workers in turn.
struct Deal {
    senders: Vec<SyncSender<Batch>>,
    turn: usize,
    read: u64,
    /// Records over the limit.
    too_large: u64,
    progress: Progress,
}

impl Deal {
    /// Gives what there is to say about the files.
    fn files(&mut self, files: &[PathBuf], format: Option<Format>) -> Result<Vec<String>, Failure> {
        let mut notes = Vec::new();
        for (file, path) in files.iter().enumerate() {
            notes.extend(self.file(file, path, format)?);
        }
        Ok(notes)
    }

    fn file(
        &mut self,
        file: usize,
        path: &Path,
        format: Option<Format>,
    ) -> Result<Option<String>, Failure> {
        let mut source = source::open(path, format)?;
        let format = source.format();
        let mut cut_off = false;
        let mut records = Vec::new();
        loop {
            let record = match source.next_record() {
                Ok(record) => record,
                // A packed file that ends too early is as good as any other that does.
                Err(error) if error.kind() == ErrorKind::UnexpectedEof => {
                    cut_off = true;
                    None
                }
                Err(error) => return Err(cannot_read(path, &error)),
            };
            let ended = record.is_none();
            records.extend(record);
            if records.len() >= BATCH || ended {
                self.send(Batch { file, format, records: std::mem::take(&mut records) });
            }
            if ended {
                break;
            }
        }
        let end = source.end();
        self.too_large += end.too_large;
        source::judge(path, format, End { cut_off: end.cut_off || cut_off, ..end })
    }

    fn send(&mut self, batch: Batch) {
        self.read += batch.records.len() as u64;
        self.progress.at(self.read);
        self.turn = (self.turn + 1) % self.senders.len().max(1);
        if let Some(sender) = self.senders.get(self.turn) {
            // A worker that is gone has failed, which is told when it is joined.
            drop(sender.send(batch));
        }
    }

    /// No more is to come.
    fn end(self) {
        self.progress.finish(&format!("{} exchanges read", self.read));
    }
}

impl Learned {
    fn leave_out(&mut self, reason: &'static str) {
        *self.left_out.entry(reason).or_default() += 1;
    }

    fn other(&mut self, origin: &str) -> &mut u64 {
        let at =
            self.other_hosts.iter().position(|(known, _)| known == origin).unwrap_or_else(|| {
                self.other_hosts.push((origin.to_owned(), 0));
                self.other_hosts.len() - 1
            });
        &mut self.other_hosts[at].1
    }

    fn see_bad(&mut self, bad: BadRecord) {
        self.bad_records += 1;
        self.bad.push(bad);
        self.bad.sort();
        self.bad.truncate(BAD_SHOWN);
    }

    fn merge(&mut self, part: Self) -> Result<(), Failure> {
        self.read += part.read;
        self.bad_records += part.bad_records;
        self.bad.extend(part.bad);
        self.bad.sort();
        self.bad.truncate(BAD_SHOWN);
        for (reason, count) in part.left_out {
            *self.left_out.entry(reason).or_default() += count;
        }
        for (origin, count) in part.other_hosts {
            *self.other(&origin) += count;
        }
        for (origin, host) in part.hosts {
            match self.hosts.get_mut(&origin) {
                None => drop(self.hosts.insert(origin, host)),
                Some(known) => {
                    known.read += host.read;
                    known.api_typed += host.api_typed;
                    infer::merge(&mut known.evidence, &host.evidence)
                        .map_err(|error| Failure::of(&error))?;
                }
            }
        }
        Ok(())
    }

    /// Takes the evidence of the host with most answers of API types; the others are left out.
    pub(super) fn take_chosen(&mut self, api: &str, key_id: [u8; 4]) -> Evidence {
        let best = self
            .hosts
            .iter()
            .max_by(|left, right| {
                let order = |host: &Host| (host.api_typed, host.read);
                order(left.1).cmp(&order(right.1)).then_with(|| right.0.cmp(left.0))
            })
            .map(|(origin, _)| origin.clone());
        let chosen = best.and_then(|origin| self.hosts.remove_entry(&origin));
        for (origin, host) in std::mem::take(&mut self.hosts) {
            *self.left_out.entry("other host").or_default() += host.read;
            self.other_hosts.push((origin, host.read));
        }
        self.other_hosts
            .sort_by(|left, right| right.1.cmp(&left.1).then_with(|| left.0.cmp(&right.0)));
        match chosen {
            Some((origin, host)) => {
                self.chosen = Some(origin).filter(|origin| !origin.is_empty());
                host.evidence
            }
            None => Evidence::new(api, key_id),
        }
    }
}

impl Base {
    fn parse(text: &str) -> Result<Self, Failure> {
        let wrong = || {
            Failure::unusable(format!(
                "`{text}` is no base URL; write `https://api.example.com/v1`"
            ))
        };
        let url = url::Url::parse(text).map_err(|_| wrong())?;
        let host = url.host_str().ok_or_else(wrong)?;
        let port = url.port().map(|port| format!(":{port}")).unwrap_or_default();
        if !matches!(url.scheme(), "http" | "https") {
            return Err(wrong());
        }
        let prefix = url.path().trim_end_matches('/');
        Ok(Self {
            origin: format!("{}://{host}{port}", url.scheme()),
            prefix: if prefix.is_empty() { "/".to_owned() } else { prefix.to_owned() },
        })
    }

    fn fits(&self, origin: &str, exchange: &Exchange) -> bool {
        let prefix = self.prefix.trim_end_matches('/');
        let below = exchange
            .path
            .strip_prefix(prefix)
            .is_some_and(|rest| rest.is_empty() || rest.starts_with('/'));
        below && (origin.is_empty() || origin == self.origin)
    }
}

/// Scheme, host and port in lower case, the scheme's own port left out; empty when the recording names no server.
fn origin(exchange: &Exchange) -> String {
    let Some(authority) = &exchange.authority else { return String::new() };
    let (scheme, port) = if exchange.secure { ("https", ":443") } else { ("http", ":80") };
    let authority = authority.to_ascii_lowercase();
    let host = authority.strip_suffix(port).unwrap_or(&authority);
    format!("{scheme}://{host}")
}

fn is_api_typed(exchange: &Exchange) -> bool {
    exchange.response.media.as_ref().is_some_and(|media| {
        media.is_json()
            || media.essence().ends_with("xml")
            || media.essence() == "text/event-stream"
    })
}

/// The place in the file of a place in a record.
fn place(start: Position, line: usize, column: usize) -> Position {
    if line <= 1 {
        Position { line: start.line, column: start.column + column - 1 }
    } else {
        Position { line: start.line + line - 1, column }
    }
}
