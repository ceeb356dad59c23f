//! Redacted exchange to observation: shapes, not values (layer 2, pure).
//!
//! Owns reading paths, parameters, media and bodies. Refuses to own counting; that is `infer`.

mod affix;
mod body;
mod builder;
mod classes;
mod codes;
mod form;
mod ids;
mod items;
mod json;
mod lexicon;
mod media;
mod multipart;
mod names;
mod noise;
mod parameters;
mod path;
mod secrets;
#[cfg(test)]
mod tests;
mod xml;

use percent_encoding::percent_decode_str;
use smallvec::SmallVec;

use crate::model::exchange::{Credential, Exchange};
use crate::model::hash::HashKey;
use crate::model::observation::{Body, Method, Noise, Observation, RefusedNames, Token};

use self::builder::{Context, Workspace};
use self::ids::Ids;
use self::parameters::Collector;

/// How the exchanges of one API are looked at.
#[derive(Debug, Clone)]
pub struct Lens {
    /// Stripped from every path; `/` strips nothing.
    pub path_prefix: Box<str>,
    /// Tokens kept of one body; the values behind are counted as skipped.
    pub body_tokens_max: usize,
    /// Below this depth a subtree is opaque.
    pub body_depth_max: usize,
    /// Longer paths are noise.
    pub path_bytes_max: usize,
    /// Paths of more segments are noise.
    pub path_segments_max: usize,
    /// Whether evidence ages, week by week.
    pub epochs: bool,
    /// Whether cookies that are no credentials are parameters.
    pub include_cookies: bool,
}

/// Members of a refused body that are remembered; bodies of more say nothing.
const REFUSED_NAMES_MAX: usize = 32;

/// Milliseconds of an epoch: seven days.
const EPOCH_MS: i64 = 7 * 24 * 3_600_000;

impl Lens {
    /// The epoch of a time; 0 where evidence does not age.
    fn epoch(&self, time_ms: i64) -> u16 {
        if !self.epochs {
            return 0;
        }
        u16::try_from(time_ms.max(0) / EPOCH_MS).unwrap_or(u16::MAX)
    }
}

impl Default for Lens {
    fn default() -> Self {
        Self {
            path_prefix: "/".into(),
            body_tokens_max: 20_000,
            body_depth_max: 64,
            path_bytes_max: 2_048,
            path_segments_max: 32,
            epochs: false,
            include_cookies: false,
        }
    }
}

/// Looks at the exchanges of one API, one after the other, in memory that is used again: nothing is allocated for an exchange
/// like those before it. Pure but for that memory; cost is linear in the bodies.
pub struct Observer {
    key: HashKey,
    lens: Lens,
    work: Workspace,
    media: media::Names,
    observation: Observation,
}

impl Observer {
    #[must_use]
    pub fn new(key: HashKey, lens: Lens) -> Self {
        let (work, media) = (Workspace::default(), media::Names::default());
        Self { key, lens, work, media, observation: Observation::default() }
    }

    /// What is kept of an exchange: classes, shapes, keyed hashes.
    pub fn observe(&mut self, exchange: &Exchange) -> &Observation {
        self.reuse();
        let path = path::observe(&exchange.path, &self.key, &self.lens, &mut self.observation.path);
        let noise = noise::of(exchange).or_else(|| path.is_err().then_some(Noise::BadPath));
        self.heads(exchange);
        self.observation.noise = noise;
        if noise.is_none() {
            self.read(exchange);
        }
        &self.observation
    }

    /// What was kept of the exchange looked at last.
    #[must_use]
    pub fn observation(&self) -> &Observation {
        &self.observation
    }

    /// Takes the memory of the observation before.
    fn reuse(&mut self) {
        let before = std::mem::take(&mut self.observation);
        for body in [before.request, before.response] {
            match body {
                Body::Tape { tape, .. } => self.work.give_back(tape),
                Body::Items { items, .. } => {
                    for item in items {
                        self.work.give_back(item.tape);
                    }
                }
                _ => {}
            }
        }
        let Observation { mut path, mut query, mut headers, mut cookies, .. } = before;
        let mut response_headers = before.response_headers;
        path.clear();
        [&mut query, &mut headers, &mut cookies, &mut response_headers]
            .into_iter()
            .for_each(Vec::clear);
        let (mut ids, mut echoes) = (before.ids, before.echoes);
        ids.clear();
        echoes.clear();
        let [mut credentials, mut server, mut texts] =
            [before.credentials, before.server, before.texts];
        [&mut credentials, &mut server, &mut texts].into_iter().for_each(String::clear);
        self.observation = Observation {
            path,
            query,
            headers,
            cookies,
            credentials,
            response_headers,
            echoes,
            ids,
            server,
            texts,
            ..Observation::default()
        };
    }

    /// What the start lines say.
    fn heads(&mut self, exchange: &Exchange) {
        let location = exchange.response.field("location");
        let observation = &mut self.observation;
        observation.method = Method::parse(&exchange.method);
        observation.status = exchange.status;
        // What was created names itself there too.
        observation.canonical_redirect = (300..=399).contains(&exchange.status)
            && location.is_some_and(|target| leads_to_itself(&exchange.path, target));
        if let Some(authority) = &exchange.authority {
            let scheme = if exchange.secure { "https://" } else { "http://" };
            observation.server.extend([scheme, authority]);
        }
        observation.consumer = exchange.consumer;
        observation.weight = exchange.weight;
        observation.time_ms = exchange.time_ms;
        observation.epoch = self.lens.epoch(exchange.time_ms);
        write_credentials(&exchange.credentials, &mut observation.credentials);
    }

    /// Parameters and bodies.
    fn read(&mut self, exchange: &Exchange) {
        let accepted = self.observation.accepted();
        self.parameters(exchange, accepted);
        let Self { key, lens, work, media, observation } = self;
        let context = Context { key, plan: &exchange.plan, lens };
        let mut reader = body::Reader { context, work, media };
        if accepted {
            observation.request = reader.read(&exchange.request, &mut Ids::ignored());
        } else if matches!(exchange.status, 400 | 422) {
            let refused = reader.read(&exchange.request, &mut Ids::ignored());
            observation.refused_names = refused_names(&refused);
            if let Body::Tape { tape, .. } = refused {
                reader.work.give_back(tape);
            }
        }
        let path = std::mem::take(&mut observation.path);
        let mut ids = if accepted { Ids::of(&path, observation) } else { Ids::ignored() };
        // A HEAD answer has the fields of a body that is not there, a 304 those of one that the client has.
        observation.response = match (exchange.method.as_str(), exchange.status) {
            ("HEAD", _) => Body::Unknown,
            (_, 204 | 304) => Body::Absent,
            _ => reader.read(&exchange.response, &mut ids),
        };
        if matches!(exchange.status, 201 | 202)
            && let Some(tail) =
                exchange.response.field("location").and_then(|to| tail_hash(to, context.key))
        {
            ids.created(tail);
        }
        ids.give(observation);
        observation.path = path;
    }

    fn parameters(&mut self, exchange: &Exchange, accepted: bool) {
        let Self { key, lens, work, observation, .. } = self;
        let mut collector = Collector {
            key,
            plan: &exchange.plan,
            credentials: &exchange.credentials,
            names: &mut work.names,
            texts: &mut observation.texts,
        };
        if accepted {
            let query = exchange.query.as_deref().unwrap_or_default();
            collector.query(query, &mut observation.query);
            let fields = &exchange.request.fields;
            collector.request_fields(fields, &mut observation.headers);
            if lens.include_cookies {
                collector.cookies(fields, &mut observation.cookies);
            }
        }
        let fields = &exchange.response.fields;
        collector.response_fields(fields, accepted, &mut observation.response_headers);
    }
}

/// Writes the credentials of a request as one text, whatever order they came in.
fn write_credentials(credentials: &[Credential], out: &mut String) {
    let mut sorted: SmallVec<[&Credential; 4]> = credentials.iter().collect();
    sorted.sort_unstable();
    sorted.dedup();
    for (index, credential) in sorted.into_iter().enumerate() {
        if index > 0 {
            out.push('\n');
        }
        // Both have fewer than ten variants.
        let digit = |number: u8| char::from(b'0' + number);
        out.push(digit(credential.kind as u8));
        out.push('\t');
        out.push(digit(credential.place as u8));
        out.push('\t');
        out.push_str(&credential.name);
    }
}

/// The member names of a whole body that is an object of few, and of the objects that it only wraps.
fn refused_names(body: &Body) -> Option<RefusedNames> {
    let Body::Tape { tape, .. } = body else { return None };
    if !matches!(tape.tokens.first(), Some(Token::Object { closed: true, .. })) {
        return None;
    }
    let mut names = RefusedNames::default();
    // Whether each open container is an object on the way from the root.
    let mut open: SmallVec<[bool; 16]> = SmallVec::new();
    let mut last = None;
    // Whether the member that stands open at the root is one that counts.
    let mut named = false;
    for token in &tape.tokens {
        match token {
            Token::Object { .. } => {
                if open.len() == 1 {
                    named = last.is_some();
                    names.below.extend(last.map(|member| (member, Vec::new())));
                }
                open.push(true);
            }
            Token::Array { .. } => open.push(false),
            Token::End => drop(open.pop()),
            Token::Key(key) => {
                let counts = key.data.is_none() && !key.superseded;
                last = Some(key.hash).filter(|_| counts);
                match (open.as_slice(), names.below.last_mut()) {
                    ([true], _) if counts => names.root.push(key.hash),
                    ([true, true], Some((_, below))) if counts && named => below.push(key.hash),
                    _ => {}
                }
            }
            _ => {}
        }
    }
    let all = names.root.len() + names.below.iter().map(|(_, below)| below.len()).sum::<usize>();
    (all <= REFUSED_NAMES_MAX).then_some(names)
}

/// The hash of the last path segment of a `Location`.
fn tail_hash(location: &str, key: &HashKey) -> Option<u64> {
    let path = path_of(location);
    let tail = path.trim_end_matches('/').rsplit('/').next().filter(|tail| !tail.is_empty())?;
    let decoded = percent_decode_str(tail).decode_utf8().ok()?;
    Some(key.hash(decoded.as_bytes()))
}

/// The path of a URI reference.
fn path_of(reference: &str) -> &str {
    let rest = reference.split_once("://").map_or(reference, |(_, rest)| {
        rest.find('/').and_then(|slash| rest.get(slash..)).unwrap_or("/")
    });
    rest.split(['?', '#']).next().unwrap_or_default()
}

/// Whether a redirect leads to the same resource spelled otherwise: a prefix added, a slash added or removed.
fn leads_to_itself(path: &str, location: &str) -> bool {
    let target = path_of(location).trim_end_matches('/');
    let path = path.trim_end_matches('/');
    target == path || (path.len() > 1 && target.ends_with(path))
}
