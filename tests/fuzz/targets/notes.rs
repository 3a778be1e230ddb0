//! Checkpoints, cosignatures and proof files as text.

#![no_main]

use exchange::tlog::{Checkpoint, Cosignature, LogVerifier, ProofFile};
libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    let Ok(text) = std::str::from_utf8(data) else { return };
    if let Ok(checkpoint) = Checkpoint::parse(text) {
        assert_eq!(checkpoint.body(), text);
    }
    if let Ok(proof) = text.parse::<ProofFile>() {
        assert_eq!(proof.to_string().parse::<ProofFile>().expect("what was read can be written"), proof);
    }
    let _ = text.parse::<LogVerifier>();
    let _ = text.parse::<Cosignature>();
});
