//! The published vector, an independent implementation, and everything that must not be believed.

use proptest::prelude::*;
use standardwebhooks::Webhook;

use crate::deliver::sign::{
    self, BadSecret, ID_HEADER, Key, Mistrust, SIGNATURE_HEADER, Signed, TIMESTAMP_HEADER,
};

const SECRET: &str = "MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
const ID: &str = "msg_p5jXN8AQM9LWM0D4loKWxJek";
const BODY: &[u8] = br#"{"test": 2432232314}"#;
const TIME: i64 = 1_614_265_330;
const SIGNATURE: &str = "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=";

fn key() -> Key {
    Key::read(SECRET).expect("the key of the vector")
}

fn signed<'a>(timestamp: &'a str, signature: &'a str, body: &'a [u8]) -> Signed<'a> {
    Signed { id: Some(ID), timestamp: Some(timestamp), signature: Some(signature), body }
}

#[test]
fn the_vector_of_the_specification_holds() {
    assert_eq!(sign::sign(&[key()], ID, TIME, BODY), SIGNATURE);
    let prefixed = Key::read(&format!("whsec_{SECRET}\n")).expect("with prefix");
    assert_eq!(sign::sign(&[prefixed], ID, TIME, BODY), SIGNATURE);
}

#[test]
fn during_a_rotation_every_valid_secret_verifies_and_no_other() {
    let keys: Vec<_> =
        (0..5).map(|n| Key::read(sign::new_secret([n; 32]).reveal()).expect("ours")).collect();
    let stranger = Key::read(sign::new_secret([9; 32]).reveal()).expect("ours");
    let header = sign::sign(&keys, ID, TIME, BODY);
    assert_eq!(header.split(' ').count(), 5);
    let time = TIME.to_string();
    for key in &keys {
        let one = std::slice::from_ref(key);
        assert_eq!(sign::verify(one, signed(&time, &header, BODY), TIME, 300), Ok(()));
    }
    let said = sign::verify(&[stranger], signed(&time, &header, BODY), TIME, 300);
    assert_eq!(said, Err(Mistrust::Mismatch));
}

#[test]
fn what_must_not_be_believed_says_why() {
    let time = TIME.to_string();
    let good = signed(&time, SIGNATURE, BODY);
    let verify = |signed, now| sign::verify(&[key()], signed, now, 300);
    assert_eq!(verify(good, TIME + 300), Ok(()));
    assert_eq!(verify(good, TIME - 300), Ok(()));
    for (case, now, expected) in [
        (good, TIME + 301, Mistrust::TooOld { seconds: 301 }),
        (good, TIME - 301, Mistrust::TooNew { seconds: 301 }),
        (Signed { id: None, ..good }, TIME, Mistrust::Missing(ID_HEADER)),
        (Signed { timestamp: None, ..good }, TIME, Mistrust::Missing(TIMESTAMP_HEADER)),
        (Signed { signature: None, ..good }, TIME, Mistrust::Missing(SIGNATURE_HEADER)),
        (Signed { timestamp: Some("now"), ..good }, TIME, Mistrust::Timestamp("now".into())),
        (Signed { signature: Some("v1a,abc v2,abc"), ..good }, TIME, Mistrust::NoSignature),
        (Signed { signature: Some("v1,!!"), ..good }, TIME, Mistrust::NoSignature),
        (Signed { signature: Some("v1,AAAA"), ..good }, TIME, Mistrust::Mismatch),
        (Signed { id: Some("msg_other"), ..good }, TIME, Mistrust::Mismatch),
        (Signed { body: b"{}", ..good }, TIME, Mistrust::Mismatch),
    ] {
        assert_eq!(verify(case, now), Err(expected));
    }
    let later = (TIME + 1).to_string();
    let moved = Signed { timestamp: Some(&later), ..good };
    assert_eq!(verify(moved, TIME), Err(Mistrust::Mismatch));
}

#[test]
fn secrets_of_unsafe_lengths_are_refused() {
    use base64::Engine as _;
    let of = |bytes: usize| base64::engine::general_purpose::STANDARD.encode(vec![7; bytes]);
    for (bytes, accepted) in [(23, false), (24, true), (64, true), (65, false)] {
        assert_eq!(Key::read(&of(bytes)).is_ok(), accepted, "{bytes}");
    }
    assert_eq!(Key::read("whsec_###").map(drop), Err(BadSecret::Spelling));
    assert!(!format!("{:?}", key()).contains("MfKQ"));
}

proptest! {
    #![proptest_config(super::properties())]

    #[test]
    fn an_independent_implementation_believes_us(
        secret in any::<[u8; 32]>(),
        // Theirs takes text alone.
        body in "\\PC{0,100}",
        id in "dlv_[0-9a-z]{26}",
    ) {
        let secret = sign::new_secret(secret);
        let key = Key::read(secret.reveal()).expect("ours");
        let theirs = Webhook::new(secret.reveal()).expect("theirs");
        // Theirs reads the clock; the signature alone is compared.
        let header = sign::sign(&[key], &id, TIME, body.as_bytes());
        prop_assert_eq!(theirs.sign(&id, TIME, body.as_bytes()).expect("signed"), header);
    }
}
