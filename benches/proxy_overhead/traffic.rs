//! What is sent: 20 operations in three shapes each, values drawn anew for every message, one answer in a hundred of a shape
//! that nobody has seen. Identical bodies would prove nothing.
//!
//! Owns messages, their check sums and the specification they are held to.

use std::fmt::Write as _;
use std::io::Write as _;

/// One resource for each operation.
pub(crate) const NOUNS: [&str; 20] = [
    "orders",
    "items",
    "customers",
    "invoices",
    "shipments",
    "payments",
    "refunds",
    "carts",
    "coupons",
    "products",
    "stocks",
    "returns",
    "reviews",
    "suppliers",
    "prices",
    "taxes",
    "addresses",
    "accounts",
    "sessions",
    "events",
];
const SHAPES: usize = 3;
const BODY_BYTES: usize = 1_024;
/// What one answer in a hundred carries besides.
const UNSEEN: &str = ",\"extra_@@@@\":%##";

/// What kind of exchange a cell is made of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Get,
    Post,
}

/// A small fast generator; what it draws need not surprise anybody.
pub(crate) struct Random(u64);

impl Random {
    pub(crate) fn seeded() -> Self {
        Self(0x9e37_79b9_7f4a_7c15 ^ u64::from(std::process::id()))
    }

    pub(crate) fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }

    pub(crate) fn below(&mut self, bound: usize) -> usize {
        usize::try_from(self.next() >> 33).unwrap_or(0) % bound
    }

    pub(crate) fn shuffle<T>(&mut self, items: &mut [T]) {
        for last in (1..items.len()).rev() {
            items.swap(last, self.below(last + 1));
        }
    }
}

/// A text with places for values: `%` a digit but 0, `#` a digit, `@` a letter.
struct Template {
    bytes: Vec<u8>,
    places: Vec<(usize, u8)>,
}

impl Template {
    fn new(text: &str) -> Self {
        let places = text.bytes().enumerate().filter(|(_, byte)| b"%#@".contains(byte));
        Self { places: places.collect(), bytes: text.into() }
    }

    fn fill(&self, random: &mut Random, out: &mut Vec<u8>) {
        let start = out.len();
        out.extend_from_slice(&self.bytes);
        let mut drawn = 0;
        for (index, (place, mark)) in self.places.iter().enumerate() {
            drawn = if index % 8 == 0 { random.next() } else { drawn >> 8 };
            let value = (drawn & 0xff) as u8;
            out[start + place] = match mark {
                b'%' => b'1' + value % 9,
                b'#' => b'0' + value % 10,
                _ => b'a' + value % 26,
            };
        }
    }
}

/// All messages of one side.
pub(crate) struct Messages {
    /// By operation and shape.
    bodies: Vec<Template>,
    /// The same with something unseen.
    unseen: Vec<Template>,
    small: Vec<Template>,
    targets: Vec<Template>,
    random: Random,
    body: Vec<u8>,
}

impl Messages {
    pub(crate) fn new() -> Self {
        let all = || (0..NOUNS.len()).flat_map(|noun| (0..SHAPES).map(move |shape| (noun, shape)));
        let target = |noun: &&str| Template::new(&format!("/v1/{noun}/%#######?trace=@@@@@@@@"));
        Self {
            bodies: all()
                .map(|(noun, shape)| Template::new(&body(noun, shape, "", BODY_BYTES)))
                .collect(),
            unseen: all()
                .map(|(noun, shape)| Template::new(&body(noun, shape, UNSEEN, BODY_BYTES)))
                .collect(),
            small: all().map(|(noun, shape)| Template::new(&body(noun, shape, "", 380))).collect(),
            targets: NOUNS.iter().map(target).collect(),
            random: Random::seeded(),
            body: Vec::new(),
        }
    }

    /// A whole request.
    pub(crate) fn request(&mut self, kind: Kind, out: &mut Vec<u8>) {
        out.clear();
        let noun = self.random.below(NOUNS.len());
        out.extend_from_slice(if kind == Kind::Post { b"POST " } else { b"GET " });
        self.targets[noun].fill(&mut self.random, out);
        out.extend_from_slice(
            b" HTTP/1.1\r\nHost: shop.example\r\nUser-Agent: bench/1\r\nAccept: application/json\r\n",
        );
        if kind == Kind::Post {
            let shape = self.random.below(SHAPES);
            self.body.clear();
            self.bodies[noun * SHAPES + shape].fill(&mut self.random, &mut self.body);
            fields(&self.body, out);
            out.extend_from_slice(&self.body);
        } else {
            out.extend_from_slice(b"\r\n");
        }
    }

    /// A whole answer to a request for this target.
    pub(crate) fn answer(&mut self, kind: Kind, target: &[u8], out: &mut Vec<u8>) {
        out.clear();
        let noun = target.split(|byte| *byte == b'/').nth(2).unwrap_or_default();
        let noun = NOUNS.iter().position(|known| known.as_bytes() == noun).unwrap_or(0);
        let place = noun * SHAPES + self.random.below(SHAPES);
        self.body.clear();
        match (kind, self.random.below(100)) {
            (Kind::Get, _) => self.small[place].fill(&mut self.random, &mut self.body),
            (Kind::Post, 0) => self.unseen[place].fill(&mut self.random, &mut self.body),
            (Kind::Post, _) => self.bodies[place].fill(&mut self.random, &mut self.body),
        }
        out.extend_from_slice(b"HTTP/1.1 200 OK\r\nServer: bench\r\nX-Request-Id: 1\r\n");
        fields(&self.body, out);
        out.extend_from_slice(&self.body);
    }
}

/// What describes a body, and the end of the head.
fn fields(body: &[u8], out: &mut Vec<u8>) {
    let sum = check_sum(body);
    let length = body.len();
    write!(
        out,
        "Content-Type: application/json\r\nContent-Length: {length}\r\nX-Sum: {sum:016x}\r\n\r\n"
    )
    .expect("written to memory");
}

/// Tells changed bodies from unchanged ones; eight bytes at a time.
pub(crate) fn check_sum(body: &[u8]) -> u64 {
    body.chunks(8).fold(body.len() as u64, |sum, chunk| {
        let mut word = [0; 8];
        word[..chunk.len()].copy_from_slice(chunk);
        (sum.rotate_left(5) ^ u64::from_le_bytes(word)).wrapping_mul(0x517c_c1b7_2722_0a95)
    })
}

/// The text of one body, filled up to its size.
fn body(noun: usize, shape: usize, more: &str, size: usize) -> String {
    let name = NOUNS[noun];
    let mut text = format!(
        "{{\"id\":%######,\"kind\":\"{name}\",\"number\":\"{name}-%#####\",\"amount\":%##.##,\
         \"active\":true,\"created_at\":\"20%#-0%-1%T1%:2#:3#Z\",\"owner\":{{\"id\":%####,\"email\":\"@@@@@@@@@.example\"}},\
         \"lines\":[{{\"sku\":\"@@@@-####\",\"count\":%}},{{\"sku\":\"@@@@-####\",\"count\":%#}}]"
    );
    if shape > 0 {
        text.push_str(",\"note\":\"@@@@@@@@ @@@@@\"");
    }
    if shape > 1 {
        text.push_str(",\"discount\":%#,\"tags\":[\"@@@@@\",\"@@@@@@@\"]");
    }
    text.push_str(more);
    text.push_str(",\"text\":\"");
    while text.len() + 2 < size {
        text.push_str("@@@@@@ ");
    }
    text.push_str("\"}");
    text
}

/// The specification that all of this keeps, but for what is unseen.
pub(crate) fn specification() -> String {
    let line = r#"{"type":"object","required":["sku","count"],"properties":{"sku":{"type":"string"},"count":{"type":"integer"}}}"#;
    let schema = format!(
        r#"{{"type":"object","required":["id","kind","number","amount","active","created_at","owner","lines","text"],
        "properties":{{"id":{{"type":"integer"}},"kind":{{"type":"string"}},"number":{{"type":"string"}},
        "amount":{{"type":"number"}},"active":{{"type":"boolean"}},"created_at":{{"type":"string"}},
        "owner":{{"type":"object","required":["id"],"properties":{{"id":{{"type":"integer"}},"email":{{"type":"string"}}}}}},
        "lines":{{"type":"array","items":{line}}},"note":{{"type":"string"}},"discount":{{"type":"integer"}},
        "tags":{{"type":"array","items":{{"type":"string"}}}},"text":{{"type":"string"}}}}}}"#
    );
    let mut paths = String::new();
    for noun in NOUNS {
        let separator = if paths.is_empty() { "" } else { "," };
        let answer = format!(
            r#""responses":{{"200":{{"description":"ok","content":{{"application/json":{{"schema":{schema}}}}}}}}}"#
        );
        let parameters = r#""parameters":[{"name":"id","in":"path","required":true,"schema":{"type":"integer"}},{"name":"trace","in":"query","schema":{"type":"string"}}]"#;
        write!(
            paths,
            r#"{separator}"/v1/{noun}/{{id}}":{{{parameters},"get":{{{answer}}},"post":{{"requestBody":{{"required":true,"content":{{"application/json":{{"schema":{schema}}}}}}},{answer}}}}}"#
        )
        .expect("written to memory");
    }
    format!(r#"{{"openapi":"3.0.3","info":{{"title":"shop","version":"1"}},"paths":{{{paths}}}}}"#)
}
