//! What a text looks like: one class mask, by hand-written byte checks.
//!
//! Owns every syntactic class (`spec/inference.md` 4). Refuses to own what follows from a class. All bits that hold are set;
//! nothing here allocates or backtracks, and the work is linear in texts of at most [`LENGTH_MAX`] bytes.

use super::{codes, secrets};
use crate::model::observation::{Classes, DataClass};

/// Longer texts have no class.
const LENGTH_MAX: usize = 2_048;

/// Longest text that may become the member of an enum.
pub(super) const KEYWORD_MAX: usize = 40;

/// Longest code of a country, currency, locale or color.
const CODE_MAX: usize = 9;

/// Classes that say "this is data", so that the text cannot be the member of an enum.
const DATA: Classes = Classes::INTEGER
    .or(Classes::DIGITS)
    .or(Classes::DECIMAL)
    .or(Classes::UUID)
    .or(Classes::ULID)
    .or(Classes::OBJECT_ID)
    .or(Classes::HEX)
    .or(Classes::TOKEN)
    .or(Classes::PREFIXED)
    .or(Classes::DATE)
    .or(Classes::DATE_TIME)
    .or(Classes::LOCAL_DATE_TIME)
    .or(Classes::TIME)
    .or(Classes::DURATION)
    .or(Classes::EMAIL)
    .or(Classes::URI)
    .or(Classes::IPV4)
    .or(Classes::IPV6)
    .or(Classes::BASE64)
    .or(Classes::JWT)
    .or(Classes::PHONE)
    .or(Classes::SECRET);

/// Which kinds of bytes occur in a text, and how often it changes between them.
#[derive(Default)]
struct Profile {
    seen: u16,
    digits: u32,
    changes: u32,
}

const DIGIT: u16 = 1;
/// Letters a-f in either case are `HEX` beside their own bit.
const HEX: u16 = 1 << 1;
const LOWER: u16 = 1 << 2;
const UPPER: u16 = 1 << 3;
const DASH: u16 = 1 << 4;
const UNDERSCORE: u16 = 1 << 5;
const DOT: u16 = 1 << 6;
const COLON: u16 = 1 << 7;
const SLASH: u16 = 1 << 8;
const AT: u16 = 1 << 9;
const PLUS: u16 = 1 << 10;
const SPACE: u16 = 1 << 11;
const OTHER: u16 = 1 << 12;

const LETTER: u16 = LOWER | UPPER | HEX;

/// The kind of every byte.
const KINDS: [u16; 256] = {
    let mut kinds = [OTHER; 256];
    let mut byte = 0_u8;
    loop {
        kinds[byte as usize] = match byte {
            b'0'..=b'9' => DIGIT,
            b'a'..=b'f' => HEX | LOWER,
            b'A'..=b'F' => HEX | UPPER,
            b'g'..=b'z' => LOWER,
            b'G'..=b'Z' => UPPER,
            b'-' => DASH,
            b'_' => UNDERSCORE,
            b'.' => DOT,
            b':' => COLON,
            b'/' => SLASH,
            b'@' => AT,
            b'+' => PLUS,
            b' ' => SPACE,
            _ => OTHER,
        };
        if byte == u8::MAX {
            break kinds;
        }
        byte += 1;
    }
};

impl Profile {
    fn of(bytes: &[u8]) -> Self {
        let mut profile = Self::default();
        let mut last = 0;
        for byte in bytes {
            let kind = KINDS[usize::from(*byte)];
            profile.seen |= kind;
            profile.digits += u32::from(kind == DIGIT);
            let coarse = kind & !HEX;
            profile.changes += u32::from(coarse != last);
            last = coarse;
        }
        profile
    }

    fn only(&self, kinds: u16) -> bool {
        self.seen & !kinds == 0
    }

    fn has(&self, kind: u16) -> bool {
        self.seen & kind != 0
    }
}

/// All classes that hold for a text.
pub(super) fn classify(text: &str) -> Classes {
    let bytes = text.as_bytes();
    let Some(first) = bytes.first() else { return Classes::EMPTY };
    if bytes.len() > LENGTH_MAX {
        return Classes::NONE;
    }
    let profile = Profile::of(bytes);
    let mut classes = Classes::NONE;
    let mut add = |holds: bool, class: Classes| {
        if holds {
            classes = classes.or(class);
        }
    };
    if profile.has(DIGIT) {
        add_numeric(bytes, &profile, &mut add);
        add_random(text, &profile, &mut add);
    }
    if bytes.len() <= CODE_MAX {
        add_codes(bytes, &mut add);
    }
    if profile.has(COLON) {
        add(is_uri(text), Classes::URI);
        add(
            profile.only(DIGIT | HEX | LOWER | UPPER | COLON | DOT) && is_ipv6(text),
            Classes::IPV6,
        );
    }
    add(*first == b'/' && !profile.has(SPACE), Classes::URI_PATH);
    add(profile.has(AT) && is_email(text), Classes::EMAIL);
    if profile.has(DOT) {
        add(profile.only(LETTER | DIGIT | DASH | DOT) && is_hostname(text), Classes::HOSTNAME);
        add(is_jwt(text), Classes::JWT);
    }
    add(*first == b'P' && profile.has(DIGIT) && is_duration(bytes), Classes::DURATION);
    add(matches!(text, "true" | "false"), Classes::BOOLEAN);
    if !classes.meets(DATA) && is_keyword(bytes, &profile) {
        let class = if secrets::is_secret(text) { Classes::SECRET } else { Classes::KEYWORD };
        classes = classes.or(class);
    }
    classes
}

fn add_codes(bytes: &[u8], add: &mut impl FnMut(bool, Classes)) {
    add(codes::is_country(bytes), Classes::COUNTRY);
    add(codes::is_currency(bytes), Classes::CURRENCY);
    add(codes::is_locale(bytes), Classes::LOCALE);
    add(codes::is_color(bytes), Classes::COLOR);
}

fn add_numeric(bytes: &[u8], profile: &Profile, add: &mut impl FnMut(bool, Classes)) {
    let digits = bytes.strip_prefix(b"-").unwrap_or(bytes);
    if profile.only(DIGIT | DASH) && digits.iter().all(u8::is_ascii_digit) && !digits.is_empty() {
        let plain = (digits.len() == 1 || digits.first() != Some(&b'0')) && digits.len() <= 18;
        add(plain, Classes::INTEGER.or(Classes::DECIMAL));
        add(!plain, Classes::DIGITS);
        return;
    }
    add(profile.only(DIGIT | DASH | DOT) && is_decimal(digits), Classes::DECIMAL);
    add(profile.only(DIGIT | DOT) && is_ipv4(bytes), Classes::IPV4);
    add(profile.has(PLUS) && is_phone(bytes), Classes::PHONE);
    add(profile.has(DOT) && codes::is_semver(bytes), Classes::SEMVER);
    if bytes.first().is_some_and(u8::is_ascii_digit) {
        add(is_date(bytes), Classes::DATE);
        add(is_time(bytes), Classes::TIME);
        let (date_time, offset) = date_time(bytes);
        add(date_time && offset, Classes::DATE_TIME);
        add(date_time && !offset, Classes::LOCAL_DATE_TIME);
    }
}

fn add_random(text: &str, profile: &Profile, add: &mut impl FnMut(bool, Classes)) {
    let bytes = text.as_bytes();
    let letters = profile.has(LETTER);
    if bytes.len() == 36 && profile.has(DASH) {
        add(is_uuid(bytes), Classes::UUID);
    }
    let hex = letters && bytes.iter().all(u8::is_ascii_hexdigit);
    add(hex && bytes.len() >= 16, Classes::HEX);
    add(hex && bytes.len() == 24, Classes::OBJECT_ID);
    add(bytes.len() == 26 && is_ulid(bytes), Classes::ULID);
    let url_safe = profile.only(LETTER | DIGIT | DASH | UNDERSCORE);
    let random = bytes.len() >= 16 && profile.digits >= 3 && profile.changes >= 5;
    add(url_safe && letters && random, Classes::TOKEN);
    add(url_safe && is_prefixed(text), Classes::PREFIXED);
    let base64 = profile.only(LETTER | DIGIT | DASH | UNDERSCORE | PLUS | SLASH | OTHER);
    add(base64 && codes::is_base64(bytes), Classes::BASE64);
}

/// Letter first, then letters, digits, `_ - . : /`, at most one space: short enough to be the member of an enum.
fn is_keyword(bytes: &[u8], profile: &Profile) -> bool {
    bytes.len() <= KEYWORD_MAX
        && bytes.first().is_some_and(u8::is_ascii_alphabetic)
        && profile.only(LETTER | DIGIT | UNDERSCORE | DASH | DOT | COLON | SLASH | SPACE)
        && bytes.split(|byte| *byte == b' ').count() <= 2
        && !is_personal(bytes)
}

/// Two words with capitals: a person's name more often than a state.
fn is_personal(bytes: &[u8]) -> bool {
    let mut words = bytes.split(|byte| *byte == b' ');
    let capital =
        |word: Option<&[u8]>| word.and_then(<[u8]>::first).is_some_and(u8::is_ascii_uppercase);
    capital(words.next()) && capital(words.next())
}

fn is_decimal(digits: &[u8]) -> bool {
    let mut parts = digits.split(|byte| *byte == b'.');
    let whole = parts.next().unwrap_or_default();
    let fraction = parts.next().unwrap_or_default();
    let all = |part: &[u8]| !part.is_empty() && part.iter().all(u8::is_ascii_digit);
    parts.next().is_none() && all(whole) && all(fraction)
}

fn is_ipv4(bytes: &[u8]) -> bool {
    let mut count = 0;
    for part in bytes.split(|byte| *byte == b'.') {
        count += 1;
        let value = number(part).filter(|_| part.len() <= 3);
        if value.is_none_or(|value| value > 255) {
            return false;
        }
    }
    count == 4
}

fn is_ipv6(text: &str) -> bool {
    text.len() <= 45 && text.matches(':').count() >= 2 && text.parse::<std::net::Ipv6Addr>().is_ok()
}

/// E.164 with its plus: 8 to 15 digits.
fn is_phone(bytes: &[u8]) -> bool {
    bytes.strip_prefix(b"+").is_some_and(|digits| {
        (8..=15).contains(&digits.len()) && digits.iter().all(u8::is_ascii_digit)
    })
}

fn number(digits: &[u8]) -> Option<u32> {
    if digits.is_empty() || digits.len() > 9 {
        return None;
    }
    digits.iter().try_fold(0, |value: u32, byte| {
        byte.is_ascii_digit().then(|| value * 10 + u32::from(*byte - b'0'))
    })
}

/// RFC 3339 full-date with a valid day.
fn is_date(bytes: &[u8]) -> bool {
    let [y1, y2, y3, y4, b'-', m1, m2, b'-', d1, d2] = bytes else { return false };
    let (Some(year), Some(month), Some(day)) =
        (number(&[*y1, *y2, *y3, *y4]), number(&[*m1, *m2]), number(&[*d1, *d2]))
    else {
        return false;
    };
    let leap = year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400));
    let days = match month {
        2 => 28 + u32::from(leap),
        4 | 6 | 9 | 11 => 30,
        1..=12 => 31,
        _ => return false,
    };
    (1..=days).contains(&day)
}

/// RFC 3339 partial-time, `hh:mm:ss` with an optional fraction.
fn is_time(bytes: &[u8]) -> bool {
    let Some((clock, fraction)) = bytes.split_at_checked(8) else { return false };
    let [h1, h2, b':', m1, m2, b':', s1, s2] = clock else { return false };
    let below = |first, second, limit| number(&[first, second]).is_some_and(|value| value < limit);
    below(*h1, *h2, 24)
        && below(*m1, *m2, 60)
        && below(*s1, *s2, 61)
        && (fraction.is_empty()
            || fraction
                .strip_prefix(b".")
                .is_some_and(|digits| !digits.is_empty() && digits.iter().all(u8::is_ascii_digit)))
}

/// Whether a text is an RFC 3339 date and time, and whether it has an offset.
fn date_time(bytes: &[u8]) -> (bool, bool) {
    let Some((date, rest)) = bytes.split_at_checked(10) else { return (false, false) };
    let Some((b'T' | b't' | b' ', clock)) = rest.split_first() else { return (false, false) };
    if !is_date(date) {
        return (false, false);
    }
    if let Some(time) = clock.strip_suffix(b"Z").or_else(|| clock.strip_suffix(b"z")) {
        return (is_time(time), true);
    }
    if let Some((time, [b'+' | b'-', h1, h2, b':', m1, m2])) =
        clock.len().checked_sub(6).and_then(|at| clock.split_at_checked(at))
    {
        let offset = number(&[*h1, *h2]).is_some_and(|value| value < 24)
            && number(&[*m1, *m2]).is_some_and(|value| value < 60);
        return (offset && is_time(time), true);
    }
    (is_time(clock), false)
}

/// ISO 8601 duration with at least one part, as in RFC 3339 appendix A.
fn is_duration(bytes: &[u8]) -> bool {
    let mut digits = 0;
    let mut parts = 0;
    let mut in_time = false;
    for byte in bytes.iter().skip(1) {
        match byte {
            b'0'..=b'9' | b'.' => digits += 1,
            b'T' if !in_time && digits == 0 => in_time = true,
            b'Y' | b'W' | b'D' if !in_time && digits > 0 => (digits, parts) = (0, parts + 1),
            b'M' if digits > 0 => (digits, parts) = (0, parts + 1),
            b'H' | b'S' if in_time && digits > 0 => (digits, parts) = (0, parts + 1),
            _ => return false,
        }
    }
    parts > 0 && digits == 0
}

fn is_uuid(bytes: &[u8]) -> bool {
    bytes.iter().enumerate().all(|(index, byte)| match index {
        8 | 13 | 18 | 23 => *byte == b'-',
        _ => byte.is_ascii_hexdigit(),
    })
}

/// Crockford base 32 in capitals, first digit at most 7.
fn is_ulid(bytes: &[u8]) -> bool {
    bytes.first().is_some_and(|first| (b'0'..=b'7').contains(first))
        && bytes.iter().all(|byte| {
            byte.is_ascii_digit() || (byte.is_ascii_uppercase() && !b"ILOU".contains(byte))
        })
}

/// A short word, `_` or `-`, and a random tail of letters and digits.
fn is_prefixed(text: &str) -> bool {
    let Some((prefix, tail)) = text.split_once(['_', '-']) else { return false };
    let digits = tail.bytes().filter(u8::is_ascii_digit).count();
    (2..=10).contains(&prefix.len())
        && prefix.bytes().all(|byte| byte.is_ascii_alphabetic())
        && tail.len() >= 10
        && tail.bytes().all(|byte| byte.is_ascii_alphanumeric())
        && digits >= 3
        && digits < tail.len()
}

fn is_email(text: &str) -> bool {
    let Some((local, domain)) = text.split_once('@') else { return false };
    let local_good = !local.is_empty()
        && local.len() <= 64
        && local.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"._%+-".contains(&byte));
    local_good && is_hostname(domain)
}

/// At least two labels, the last one of letters.
fn is_hostname(text: &str) -> bool {
    let label = |part: &str| {
        !part.is_empty()
            && part.len() <= 63
            && !part.starts_with('-')
            && !part.ends_with('-')
            && part.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
    };
    text.len() <= 253
        && text.split('.').all(label)
        && text.rsplit_once('.').is_some_and(|(_, top)| {
            top.len() >= 2 && top.bytes().all(|byte| byte.is_ascii_alphabetic())
        })
}

/// `scheme://host…`, `urn:…`, `mailto:…` without spaces.
fn is_uri(text: &str) -> bool {
    let Some((scheme, rest)) = text.split_once(':') else { return false };
    let scheme_good = scheme.len() >= 2
        && scheme.bytes().next().is_some_and(|byte| byte.is_ascii_alphabetic())
        && scheme.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"+-.".contains(&byte));
    let rest_good = match rest.strip_prefix("//") {
        Some(host) => !host.is_empty(),
        None => matches!(scheme, "urn" | "mailto") && !rest.is_empty(),
    };
    scheme_good
        && rest_good
        && text.bytes().all(|byte| byte > b' ' && !b"\"<>\\^`{|}".contains(&byte))
}

/// Three base64url parts, the first of which begins as `{"` does.
fn is_jwt(text: &str) -> bool {
    let base64 = |part: &str| {
        part.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'='))
    };
    text.starts_with("eyJ") && text.split('.').count() == 3 && text.split('.').all(base64)
}

/// Whether a text is data wherever it stands, and which kind (6.2).
pub(super) fn data_class(text: &str) -> Option<DataClass> {
    const FIRST: [(Classes, DataClass); 14] = [
        (Classes::INTEGER, DataClass::Integer),
        (Classes::DIGITS, DataClass::Digits),
        (Classes::DECIMAL, DataClass::Decimal),
        (Classes::DATE, DataClass::Date),
        (Classes::DATE_TIME, DataClass::DateTime),
        (Classes::LOCAL_DATE_TIME, DataClass::DateTime),
        (Classes::UUID, DataClass::Uuid),
        (Classes::ULID, DataClass::Ulid),
        (Classes::OBJECT_ID, DataClass::ObjectId),
        (Classes::HEX, DataClass::Hex),
        (Classes::JWT, DataClass::Jwt),
        (Classes::EMAIL, DataClass::Email),
        (Classes::IPV4, DataClass::Ip),
        (Classes::IPV6, DataClass::Ip),
    ];
    // Words, the usual case, have no digit, dot or sign that any of these needs.
    if text.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_') && text.len() < 20 {
        return None;
    }
    let classes = classify(text);
    if let Some((_, class)) = FIRST.iter().find(|(class, _)| classes.has(*class)) {
        return Some(*class);
    }
    if secrets::is_secret(text) || classes.has(Classes::PHONE) {
        return Some(DataClass::Secret);
    }
    [(Classes::PREFIXED, DataClass::Prefixed), (Classes::TOKEN, DataClass::Token)]
        .into_iter()
        .find(|(class, _)| classes.has(*class))
        .map(|(_, class)| class)
}
