//! Promises about bodies that are no single JSON document: sequences, forms, XML; and about data within a segment.

use super::*;
use crate::model::observation::{Framing, Tape};

fn body_of(media: &str, body: &[u8], truncated: bool) -> Body {
    let mut exchange = exchange("GET", "/x", "");
    exchange.response.media = MediaType::parse(media);
    exchange.response.body = RawBody::Bytes { bytes: Bytes::copy_from_slice(body), truncated };
    observe(&exchange).response
}

/// A tape as text: names, kinds, and `~` behind what was cut off.
fn written(tape: &Tape) -> String {
    let mut out = String::new();
    for token in &tape.tokens {
        match token {
            Token::Key(key) => out.push_str(&format!("{}:", tape.text(key.name))),
            Token::Object { closed, .. } => out.push_str(if *closed { "{" } else { "~{" }),
            Token::Array { closed, .. } => out.push_str(if *closed { "[" } else { "~[" }),
            Token::End => out.push_str("} "),
            Token::Text { kept, .. } if !kept.is_empty() => {
                out.push_str(&format!("'{}' ", tape.text(*kept)));
            }
            Token::Text { .. } => out.push_str("text "),
            Token::File { media } => out.push_str(&format!("file({}) ", tape.text(*media))),
            Token::Integer(_) => out.push_str("int "),
            other => out.push_str(&format!("{other:?} ")),
        }
    }
    out.trim_end().to_owned()
}

#[test]
fn sequences_are_read_item_by_item() {
    let table: [(&str, &str, bool, Framing, &[&str], u32); 7] = [
        (
            "application/x-ndjson",
            "{\"a\":1}\n\n{\"b\":1}\n",
            false,
            Framing::Concatenated,
            &["{a:int }", "{b:int }"],
            0,
        ),
        (
            "application/x-ndjson",
            "{\"a\":1}\nnonsense\n{\"b\":1}",
            false,
            Framing::Concatenated,
            &["{a:int }", "{b:int }"],
            1,
        ),
        (
            "application/x-ndjson",
            "{\"a\":1}\n{\"b\":1,\"c\":",
            true,
            Framing::Concatenated,
            &["{a:int }", "~{b:int }"],
            0,
        ),
        (
            "application/json",
            "{\"a\":1} {\"a\":2}",
            false,
            Framing::Concatenated,
            &["{a:int }", "{a:int }"],
            0,
        ),
        (
            "application/json-seq",
            "\u{1e}{\"a\":1}\n\u{1e}[1]\n",
            false,
            Framing::Sequence,
            &["{a:int }", "[int }"],
            0,
        ),
        (
            "text/event-stream",
            "event: tick\ndata: {\"a\":\ndata: 1}\n\ndata: plain\n\n",
            false,
            Framing::EventStream,
            &["{a:int }"],
            1,
        ),
        (
            "text/event-stream",
            ": comment\ndata: {\"a\":1}\n\ndata: {\"cut",
            true,
            Framing::EventStream,
            &["{a:int }"],
            0,
        ),
    ];
    for (media, text, cut, expected_framing, expected, expected_texts) in table {
        match body_of(media, text.as_bytes(), cut) {
            Body::Items { framing, items, texts, .. } => {
                let read: Vec<String> = items.iter().map(|item| written(&item.tape)).collect();
                assert_eq!((framing, texts), (expected_framing, expected_texts), "{text}");
                assert_eq!(read, expected, "{text}");
            }
            other => panic!("{text}: {other:?}"),
        }
    }
}

#[test]
fn parts_of_a_form_are_members_and_files_are_files() {
    let body = "--B\r\nContent-Disposition: form-data; name=\"kind\"\r\n\r\nphoto\r\n\
        --B\r\nContent-Disposition: form-data; name=\"meta\"\r\nContent-Type: application/json\r\n\r\n{\"w\":1}\r\n\
        --B\r\nContent-Disposition: form-data; name=\"file\"; filename=\"a.png\"\r\nContent-Type: image/png\r\n\r\n\u{1}PNG\r\n\
        --B\r\nContent-Disposition: form-data; name=\"label\"\r\n\r\na\r\n\
        --B\r\nContent-Disposition: form-data; name=\"label\"\r\n\r\nb\r\n--B--\r\n";
    let tape =
        |body: &str, cut| match body_of("multipart/form-data; boundary=B", body.as_bytes(), cut) {
            Body::Tape { tape, .. } => written(&tape),
            other => panic!("{other:?}"),
        };
    assert_eq!(
        tape(body, false),
        "{kind:'photo' meta:{w:int } file:file(image/png) label:[text text } }"
    );
    assert_eq!(
        tape(body.get(..body.len() - 8).expect("ASCII"), true),
        "~{kind:'photo' meta:{w:int } file:file(image/png) label:text }"
    );
    assert!(matches!(
        body_of("multipart/form-data", body.as_bytes(), false),
        Body::Malformed { .. }
    ));
}

#[test]
fn xml_elements_are_objects_and_children_of_one_name_an_array() {
    let tape = |text: &str, cut| match body_of("application/xml", text.as_bytes(), cut) {
        Body::Tape { tape, .. } => written(&tape),
        other => format!("{other:?}").chars().take_while(|letter| letter.is_alphabetic()).collect(),
    };
    for (text, cut, expected) in [
        (
            "<?xml version=\"1.0\"?><a:list xmlns:a='x'><i k='1'>x &amp; y</i><j/><i k='2'/></a:list>",
            false,
            "{a:list:{i:[{@k:text #text:text } {@k:text } } j:[text } } }",
        ),
        ("<a><b>1</b><b>2</b></a>", false, "{a:{b:[text text } } }"),
        ("<a><b>1</b><c>", true, "~{a:~{b:~[text } c:~[text } } }"),
        ("<a><b></a>", false, "Malformed"),
        ("<a>&unknown;</a>", false, "Malformed"),
        ("<!DOCTYPE a [<!ENTITY x SYSTEM 'file:///etc/passwd'>]><a>&x;</a>", false, "Opaque"),
        ("no xml", false, "Malformed"),
    ] {
        assert_eq!(tape(text, cut), expected, "{text}");
    }
    let deep = format!("{}{}", "<a>".repeat(10_000), "</a>".repeat(10_000));
    assert!(tape(&deep, false).starts_with('{'));
}

#[test]
fn data_in_a_segment_keeps_what_stands_around_it() {
    for (text, class, around) in [
        ("17.json", DataClass::Integer, "\u{1}.json"),
        ("2024-01-01.csv", DataClass::Date, "\u{1}.csv"),
        ("17.tar.gz", DataClass::Integer, "\u{1}.tar.gz"),
        ("17:cancel", DataClass::Integer, "\u{1}:cancel"),
        ("Orders(17)", DataClass::Integer, "Orders(\u{1})"),
        ("Orders('ALFKI')", DataClass::Token, "Orders('\u{1}')"),
        ("Lines(OrderID=17,Name='a')", DataClass::Integer, "Lines(OrderID=\u{1},Name='\u{1}')"),
        ("52.5,13", DataClass::Decimal, "\u{1},\u{1}"),
        ("1..10", DataClass::Integer, "\u{1}..\u{1}"),
        ("main...feature-x", DataClass::Token, "\u{1}...\u{1}"),
        ("settings@1795192793165", DataClass::Token, "\u{1}@\u{1}"),
        ("17@2024-01-01", DataClass::Integer, "\u{1}@\u{1}"),
    ] {
        let observation = observe(&exchange("GET", &format!("/{text}"), "{}"));
        let segment = observation.path.segments[0];
        assert_eq!(segment.class, SegmentClass::Data(class), "{text}");
        assert!(segment.is_affixed());
        assert_eq!(observation.path.text_of(&segment), around);
    }
    for text in [
        "report.pdf",
        "1.5",
        "v1.json",
        "10.0.0.1",
        "a(b)",
        "shop-17",
        "2024-01-01",
        "2024-01-01T10:00:00",
        "12:30",
        "node1:9100",
        "1,2",
        "1,2,3",
        "1.5,2.5,3.5",
        "jane@example.org",
        "root@10.0.0.1",
        "lodash@latest",
        "@17",
        "1.2.3",
        "17.example.com",
        "1.5.x",
        "2.0.rc1",
        "logo@2x.png",
        "wait...",
        "a....b",
        "red-apple-17",
        "a_b",
    ] {
        let observation = observe(&exchange("GET", &format!("/{text}"), "{}"));
        assert!(!observation.path.segments[0].is_affixed(), "{text}");
    }
}

#[test]
fn an_observer_sees_each_exchange_as_if_it_were_the_first() {
    let mut observer = Observer::new(KEY, Lens::default());
    let exchanges: Vec<Exchange> = (0..20)
        .map(|n| {
            let body =
                if n % 3 == 0 { "[1,2".to_owned() } else { format!("{{\"id\":{n},\"a\":[{n}]}}") };
            let mut exchange = exchange("GET", &format!("/users/{n}/orders"), &body);
            exchange.query = (n % 2 == 0).then(|| "page=1&sort=asc".to_owned());
            exchange
        })
        .collect();
    for exchange in exchanges.iter().chain(&exchanges) {
        let fresh = format!("{:?}", observe(exchange));
        assert_eq!(format!("{:?}", observer.observe(exchange)), fresh);
    }
}

proptest! {
    #[test]
    fn no_bytes_panic_a_reader(
        media in prop::sample::select(vec![
            "application/json", "application/xml", "multipart/form-data; boundary=B", "text/event-stream",
            "application/x-ndjson", "application/json-seq", "application/x-www-form-urlencoded",
        ]),
        text in "(--B|\r\n|[{}\\[\\]\":,<>/=&;!?a1.-]|name=|data:|event:|Content-Disposition: form-data; name=a|\\PC){0,40}",
        cut in any::<bool>(),
    ) {
        let _body = body_of(media, text.as_bytes(), cut);
    }
}
