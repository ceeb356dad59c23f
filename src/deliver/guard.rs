//! Which addresses outgoing calls may reach: the table of `spec/delivery.md` 9, in its order. Pure.
//!
//! Owns canonical forms and the verdict on one address about to be dialled. Refuses to own names and sockets: `client` asks
//! for each literal or resolved address, so that the address judged is the address dialled.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use ipnet::IpNet;

use super::options::Egress;

/// How far a URL is trusted, by where it was written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Trust {
    /// Special ranges are reachable: the operator wrote the URL into the config file.
    pub special: bool,
    /// `egress.allow_metadata` applies. Contract tests never reach metadata services.
    pub metadata: bool,
}

impl Trust {
    /// A URL of the config file.
    pub const FILE: Self = Self { special: true, metadata: true };
    /// A URL made or edited through the API, or with a template in its host.
    pub const API: Self = Self { special: false, metadata: true };

    /// The same trust, and metadata services out of reach whatever the switch says.
    #[must_use]
    pub const fn without_metadata(self) -> Self {
        Self { metadata: false, ..self }
    }
}

/// The rule that forbids an address.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Ground {
    Metadata,
    Own,
    Denied,
    Special,
}

impl Ground {
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Metadata => "metadata",
            Self::Own => "own_listener",
            Self::Denied => "egress.deny",
            Self::Special => "special_range",
        }
    }
}

impl fmt::Display for Ground {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.as_str())
    }
}

/// One entry of `egress.allow` or `egress.deny`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Rule {
    Net(IpNet),
    Host(String),
    /// With its leading dot: `.example.com`.
    Suffix(String),
}

impl Rule {
    /// Reads a CIDR, an address, a host name or `*.suffix`.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        if let Ok(net) = text.parse::<IpNet>() {
            return Some(Self::Net(net.trunc()));
        }
        if let Ok(address) = text.parse::<IpAddr>() {
            return Some(Self::Net(address.into()));
        }
        let (name, suffix) = match text.strip_prefix("*.") {
            Some(rest) => (rest, true),
            None => (text, false),
        };
        let name = name.trim_end_matches('.').to_ascii_lowercase();
        let legal = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_');
        // A name whose last label is a number is an address that somebody mistyped.
        let numeric =
            name.rsplit('.').next().is_none_or(|last| last.bytes().all(|b| b.is_ascii_digit()));
        if numeric || !name.bytes().all(legal) {
            return None;
        }
        Some(if suffix { Self::Suffix(format!(".{name}")) } else { Self::Host(name) })
    }

    #[must_use]
    pub fn is_host(&self) -> bool {
        !matches!(self, Self::Net(_))
    }

    fn covers(&self, host: Option<&str>, address: IpAddr) -> bool {
        match self {
            Self::Net(net) => net.contains(&address),
            Self::Host(name) => host == Some(name),
            Self::Suffix(suffix) => host.is_some_and(|host| host.ends_with(suffix.as_str())),
        }
    }
}

/// Where a call is about to go.
#[derive(Debug, Clone, Copy)]
pub struct Target<'a> {
    /// The name that was resolved, if it was one; lower case.
    pub host: Option<&'a str>,
    pub address: IpAddr,
    pub port: u16,
}

/// The policy, ready to judge.
#[derive(Debug, Clone)]
pub struct Guard {
    allow: Vec<Rule>,
    deny: Vec<Rule>,
    allow_metadata: bool,
    allow_self: bool,
    pub https_only: bool,
}

impl Guard {
    /// From checked options; entries that cannot be read are left out (`Egress::check` reports them).
    #[must_use]
    pub fn new(options: &Egress) -> Self {
        let rules = |list: &[String]| list.iter().filter_map(|text| Rule::parse(text)).collect();
        Self {
            allow: rules(&options.allow),
            deny: rules(&options.deny),
            allow_metadata: options.allow_metadata,
            allow_self: options.allow_self,
            https_only: options.https_only,
        }
    }

    /// Judges one address about to be dialled. `is_own` tells whether a listener of ours answers there.
    ///
    /// # Errors
    /// The first rule that forbids it, in any of its forms.
    pub fn judge(
        &self,
        target: Target<'_>,
        trust: Trust,
        is_own: &dyn Fn(IpAddr, u16) -> bool,
    ) -> Result<(), Ground> {
        let forms = Forms::of(target.address);
        let any = |test: &dyn Fn(IpAddr) -> bool| forms.iter().any(test);
        if any(&is_metadata) && !(self.allow_metadata && trust.metadata) {
            return Err(Ground::Metadata);
        }
        if !self.allow_self && any(&|address| is_own(address, target.port)) {
            return Err(Ground::Own);
        }
        if any(&|address| self.deny.iter().any(|rule| rule.covers(None, address))) {
            return Err(Ground::Denied);
        }
        let allowed = |address| self.allow.iter().any(|rule| rule.covers(target.host, address));
        if trust.special || !any(&|address| is_special(address) && !allowed(address)) {
            return Ok(());
        }
        Err(Ground::Special)
    }
}

/// An address and the IPv4 addresses that may be reached through it.
struct Forms {
    addresses: [IpAddr; 3],
    count: usize,
}

impl Forms {
    fn of(address: IpAddr) -> Self {
        let mut forms = Self { addresses: [address; 3], count: 1 };
        let IpAddr::V6(v6) = address else { return forms };
        let bytes = v6.octets();
        match v6.segments() {
            // IPv4-compatible, mapped and translated (RFC 4291 2.5.5, RFC 2765).
            [0, 0, 0, 0, 0, 0 | 0xffff, ..] | [0, 0, 0, 0, 0xffff, 0, ..] => {
                forms.add([bytes[12], bytes[13], bytes[14], bytes[15]]);
            }
            // NAT64 (RFC 6052), well-known and, local (RFC 8215), with a /48 or a /96 in use.
            [0x64, 0xff9b, 0, ..] => forms.add([bytes[12], bytes[13], bytes[14], bytes[15]]),
            [0x64, 0xff9b, 1, ..] => {
                forms.add([bytes[6], bytes[7], bytes[9], bytes[10]]);
                forms.add([bytes[12], bytes[13], bytes[14], bytes[15]]);
            }
            // 6to4 (RFC 3056).
            [0x2002, ..] => forms.add([bytes[2], bytes[3], bytes[4], bytes[5]]),
            // Teredo (RFC 4380): the server, and the client with its bits flipped.
            [0x2001, 0, ..] => {
                forms.add([bytes[4], bytes[5], bytes[6], bytes[7]]);
                forms.add([!bytes[12], !bytes[13], !bytes[14], !bytes[15]]);
            }
            _ => {}
        }
        forms
    }

    fn add(&mut self, octets: [u8; 4]) {
        self.addresses[self.count] = IpAddr::V4(Ipv4Addr::from(octets));
        self.count += 1;
    }

    fn iter(&self) -> impl Iterator<Item = IpAddr> {
        self.addresses.iter().copied().take(self.count)
    }
}

/// Services of clouds that hand out credentials to whoever asks.
fn is_metadata(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(v4) => matches!(
            v4.octets(),
            [169, 254, 169 | 170, _] | [100, 100, 100, 200] | [168, 63, 129, 16] | [192, 0, 0, 192]
        ),
        IpAddr::V6(v6) => {
            matches!(v6.segments(), [0xfd00, 0xec2, ..] | [0xfd20, 0xce, 0, 0, 0, 0, 0, 0x254])
        }
    }
}

/// Ranges that are not the public Internet (IANA special-purpose registries).
fn is_special(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(v4) => is_special_v4(v4),
        IpAddr::V6(v6) => is_special_v6(v6),
    }
}

fn is_special_v4(address: Ipv4Addr) -> bool {
    matches!(
        address.octets(),
        [0 | 10 | 127 | 224..=255, ..]
            | [100, 64..=127, ..]
            | [169, 254, ..]
            | [172, 16..=31, ..]
            | [192, 0, 0 | 2, _]
            | [192, 88, 99, _]
            | [192, 168, ..]
            | [198, 18 | 19, ..]
            | [198, 51, 100, _]
            | [203, 0, 113, _]
    )
}

fn is_special_v6(address: Ipv6Addr) -> bool {
    match address.segments() {
        [first, ..] if first & 0xe000 != 0x2000 => true,
        [0x2001, second, ..] => second < 0x200 || second == 0xdb8,
        [first, second, ..] => first == 0x2002 || (first == 0x3fff && second < 0x1000),
    }
}
