//! Evidence files. A damaged one is refused by its trailer, so the trailer is made to fit: what is behind it must hold too.
#![no_main]

use driftgate::infer;
use sha2::{Digest as _, Sha256};

const TRAILER: usize = 32;

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    drop(infer::decode(data));
    let mut whole = data.to_vec();
    whole.truncate(data.len().saturating_sub(TRAILER));
    let sum = Sha256::digest(&whole);
    whole.extend_from_slice(&sum);
    if let Ok(evidence) = infer::decode(&whole) {
        let bytes = infer::encode(&evidence);
        let again = infer::decode(&bytes).expect("what was written is read");
        assert_eq!(infer::encode(&again), bytes, "equal evidence, equal bytes");
        for view in [infer::View::Strict, infer::View::Permissive] {
            let options = infer::ProjectOptions { view, ..Default::default() };
            drop(infer::project(&evidence, &options));
        }
    }
});
