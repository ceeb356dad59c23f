//! Spellings of addresses and what section 9 says of each: for URLs of the file and of the API, and under allow and deny.

use std::net::IpAddr;

use url::{Host, Url};

use crate::deliver::guard::{Ground, Guard, Rule, Target, Trust};
use crate::deliver::options::Egress;
use crate::model::problem::Problems;

fn guard(change: impl FnOnce(&mut Egress)) -> Guard {
    let mut options = Egress::default();
    change(&mut options);
    Guard::new(&options)
}

fn judge(guard: &Guard, address: &str, trust: Trust) -> Result<(), Ground> {
    let address: IpAddr = address.parse().expect(address);
    // One listener of ours: port 8080, on this machine.
    let is_own = |address: IpAddr, port| port == 8080 && address.is_loopback();
    guard.judge(Target { host: None, address, port: 443 }, trust, &is_own)
}

/// Metadata services in every form: out of reach for file and API alike.
const METADATA: &[&str] = &[
    "169.254.169.254",
    "169.254.169.1",
    "169.254.169.253",
    "169.254.170.2",
    "169.254.170.23",
    "100.100.100.200",
    "168.63.129.16",
    "192.0.0.192",
    "fd00:ec2::254",
    "fd00:ec2::23",
    "fd00:ec2:0:1::1",
    "fd20:ce::254",
    "::ffff:169.254.169.254",
    "::169.254.169.254",
    "::ffff:0:169.254.169.254",
    "64:ff9b::169.254.169.254",
    "64:ff9b::a9fe:a9fe",
    "64:ff9b:1::169.254.169.254",
    "64:ff9b:1:a9fe:a9:fe00::",
    "2002:a9fe:a9fe::1",
    "2002:a9fe:aa02::",
    "2001:0:a9fe:a9fe::1",
    "2001:0:4136:e378:8000:63bf:5601:5601",
    "::ffff:100.100.100.200",
    "64:ff9b::6464:64c8",
    "2002:6464:64c8::1",
    "::ffff:168.63.129.16",
    "2002:a83f:8110::",
];

/// Special ranges: reachable only where the operator says so.
const SPECIAL: &[&str] = &[
    "0.0.0.0",
    "0.1.2.3",
    "10.0.0.1",
    "10.255.255.255",
    "100.64.0.1",
    "100.127.255.254",
    "127.0.0.1",
    "127.1.2.3",
    "127.255.255.255",
    "169.254.0.1",
    "169.254.168.255",
    "169.254.171.1",
    "172.16.0.1",
    "172.31.255.255",
    "192.0.0.1",
    "192.0.0.191",
    "192.0.2.1",
    "192.88.99.1",
    "192.168.0.1",
    "192.168.255.255",
    "198.18.0.1",
    "198.19.255.255",
    "198.51.100.7",
    "203.0.113.9",
    "224.0.0.1",
    "239.255.255.250",
    "240.0.0.1",
    "255.255.255.255",
    "::",
    "::1",
    "::2",
    "::ffff:10.0.0.1",
    "::ffff:127.0.0.1",
    "::ffff:8.8.8.8",
    "::127.0.0.1",
    "::8.8.8.8",
    "64:ff9b::10.0.0.1",
    "64:ff9b::8.8.8.8",
    "64:ff9b:1::1",
    "100::1",
    "100:0:0:1::1",
    "5f00::1",
    "fc00::1",
    "fd12:3456::1",
    "fdff::1",
    "fe80::1",
    "febf::1",
    "fec0::1",
    "ff02::1",
    "ff0e::1",
    "2001::1",
    "2001:0:4136:e378:8000:63bf:3fff:fdd2",
    "2001:1::1",
    "2001:2::1",
    "2001:10::1",
    "2001:20::1",
    "2001:1ff::1",
    "2001:db8::1",
    "2001:db8:ffff::1",
    "2002::1",
    "2002:808:808::1",
    "2002:a00:1::1",
    "2002:7f00:1::1",
    "3fff::1",
    "3fff:fff::1",
    "4000::1",
    "1::1",
    "1fff::1",
    "::ffff:0:8.8.8.8",
    "8000::1",
];

/// Ordinary addresses, many of them next to a special range.
const PUBLIC: &[&str] = &[
    "1.0.0.1",
    "8.8.8.8",
    "9.255.255.255",
    "11.0.0.0",
    "100.63.255.255",
    "100.128.0.0",
    "126.255.255.255",
    "128.0.0.1",
    "169.253.255.255",
    "169.255.0.0",
    "172.15.255.255",
    "172.32.0.0",
    "191.255.255.255",
    "192.0.1.1",
    "192.0.3.1",
    "192.88.98.255",
    "192.88.100.0",
    "192.167.255.255",
    "192.169.0.0",
    "198.17.255.255",
    "198.20.0.0",
    "198.51.99.255",
    "198.51.101.0",
    "203.0.112.255",
    "203.0.114.0",
    "223.255.255.255",
    "168.63.129.15",
    "168.63.129.17",
    "2000::1",
    "2001:200::1",
    "2001:4860:4860::8888",
    "2001:db7:ffff::1",
    "2001:db9::1",
    "2003::1",
    "2606:4700::1111",
    "2a00:1450::1",
    "3ffe::1",
    "3fff:1000::1",
];

#[test]
fn every_spelling_is_decided_as_the_table_says() {
    let plain = guard(|_| ());
    assert!(METADATA.len() + SPECIAL.len() + PUBLIC.len() >= 120);
    for address in METADATA {
        for trust in [Trust::FILE, Trust::API] {
            assert_eq!(judge(&plain, address, trust), Err(Ground::Metadata), "{address}");
        }
    }
    for address in SPECIAL {
        assert_eq!(judge(&plain, address, Trust::FILE), Ok(()), "{address}");
        assert_eq!(judge(&plain, address, Trust::API), Err(Ground::Special), "{address}");
    }
    for address in PUBLIC {
        assert_eq!(judge(&plain, address, Trust::API), Ok(()), "{address}");
    }
}

#[test]
fn the_switch_opens_metadata_to_all_but_contract_tests() {
    let open = guard(|options| options.allow_metadata = true);
    for address in METADATA {
        assert_eq!(judge(&open, address, Trust::FILE), Ok(()), "{address}");
        let test = Trust::FILE.without_metadata();
        assert_eq!(judge(&open, address, test), Err(Ground::Metadata), "{address}");
    }
}

#[test]
fn deny_beats_allow_and_allow_opens_special_ranges_alone() {
    let rules = guard(|options| {
        options.deny = vec!["10.0.0.0/8".into(), "8.8.8.8".into(), "2606:4700::/32".into()];
        options.allow = vec!["10.0.0.0/8".into(), "192.168.0.0/16".into(), "169.254.0.0/16".into()];
    });
    for (address, trust, expected) in [
        ("10.1.2.3", Trust::FILE, Err(Ground::Denied)),
        ("10.1.2.3", Trust::API, Err(Ground::Denied)),
        ("::ffff:10.1.2.3", Trust::FILE, Err(Ground::Denied)),
        ("64:ff9b::10.1.2.3", Trust::FILE, Err(Ground::Denied)),
        ("2002:a01:203::1", Trust::FILE, Err(Ground::Denied)),
        ("8.8.8.8", Trust::FILE, Err(Ground::Denied)),
        ("2606:4700::1111", Trust::API, Err(Ground::Denied)),
        ("192.168.1.1", Trust::API, Ok(())),
        ("169.254.1.1", Trust::API, Ok(())),
        ("169.254.169.254", Trust::API, Err(Ground::Metadata)),
        // Both forms are judged, and the worse verdict counts.
        ("::ffff:192.168.1.1", Trust::API, Err(Ground::Special)),
    ] {
        assert_eq!(judge(&rules, address, trust), expected, "{address}");
    }
}

#[test]
fn hosts_are_allowed_by_name_and_by_suffix() {
    let rules = guard(|options| options.allow = vec!["Hooks.internal".into(), "*.corp".into()]);
    let address: IpAddr = "10.0.0.1".parse().expect("an address");
    for (host, expected) in [
        (Some("hooks.internal"), Ok(())),
        (Some("a.corp"), Ok(())),
        (Some("a.b.corp"), Ok(())),
        (Some("corp"), Err(Ground::Special)),
        (Some("evilcorp"), Err(Ground::Special)),
        (Some("a.hooks.internal"), Err(Ground::Special)),
        (None, Err(Ground::Special)),
    ] {
        let target = Target { host, address, port: 80 };
        assert_eq!(rules.judge(target, Trust::API, &|_, _| false), expected, "{host:?}");
    }
}

#[test]
fn our_own_listeners_are_out_of_reach_unless_the_switch_says_so() {
    for (allow_self, expected) in [(false, Err(Ground::Own)), (true, Ok(()))] {
        let rules = guard(|options| {
            options.allow_self = allow_self;
            options.allow = vec!["127.0.0.0/8".into()];
        });
        let is_own = |address: IpAddr, port| port == 8080 && address.is_loopback();
        for address in ["127.0.0.1", "::1", "::ffff:127.0.0.1", "64:ff9b::127.0.0.1"] {
            let address: IpAddr = address.parse().expect(address);
            let target = Target { host: None, address, port: 8080 };
            assert_eq!(rules.judge(target, Trust::FILE, &is_own), expected, "{address}");
            let elsewhere = Target { port: 8081, ..target };
            assert_eq!(rules.judge(elsewhere, Trust::FILE, &is_own), Ok(()), "{address}");
        }
    }
}

/// What a URL may be spelled as, and the address that is judged.
#[test]
fn urls_are_judged_by_the_address_that_they_mean() {
    let plain = guard(|_| ());
    for (text, ground) in [
        ("http://0x7f.1/", Ground::Special),
        ("http://2130706433/", Ground::Special),
        ("http://0177.0.0.1/", Ground::Special),
        ("http://0x7f000001/", Ground::Special),
        ("http://127.1/", Ground::Special),
        ("http://127.0.0.1./", Ground::Special),
        ("http://[::1]/", Ground::Special),
        ("http://[::ffff:7f00:1]/", Ground::Special),
        ("http://①②⑦.⓪.⓪.①/", Ground::Special),
        ("http://0/", Ground::Special),
        ("http://2852039166/", Ground::Metadata),
        ("http://0xa9fea9fe/", Ground::Metadata),
        ("http://0251.0376.0251.0376/", Ground::Metadata),
        ("http://169.254.43518/", Ground::Metadata),
        ("http://[::ffff:a9fe:a9fe]/", Ground::Metadata),
        ("http://user:pass@169.254.169.254/", Ground::Metadata),
    ] {
        let url = Url::parse(text).expect(text);
        let address = match url.host() {
            Some(Host::Ipv4(address)) => IpAddr::V4(address),
            Some(Host::Ipv6(address)) => IpAddr::V6(address),
            other => panic!("{text} is read as {other:?}"),
        };
        assert_eq!(judge(&plain, &address.to_string(), Trust::API), Err(ground), "{text}");
    }
    for text in ["http://[fe80::1%25eth0]/", "http://[fe80::1%eth0]/", "http://256.1.1.1/"] {
        assert!(Url::parse(text).is_err(), "{text}");
    }
}

#[test]
fn entries_that_cannot_be_read_are_reported_with_their_place() {
    let options = Egress {
        allow: vec!["10.0.0.0/8".into(), "*.ok".into(), "10.0.0.0/33".into(), "a b".into()],
        deny: vec!["host.example".into(), "300.1.1.1".into()],
        ..Egress::default()
    };
    let mut problems = Problems::default();
    options.check(&mut problems);
    let places: Vec<_> = problems.0.iter().map(|problem| problem.pointer.as_str()).collect();
    assert_eq!(places, ["/allow/2", "/allow/3", "/deny/0", "/deny/1"]);
    assert_eq!(Rule::parse(""), None);
}
