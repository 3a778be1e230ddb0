#![allow(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

use proptest::prelude::*;

use super::*;
use crate::tlog::{
    plan_inclusion,
    testing::{Grown, REFERENCE_NOTE, partner_signer, reference_leaves, signer},
};

/// Written by another implementation over the reference entries.
const HEAD: &str = "\
c2sp.org/tlog-proof@v1
extra QEFCQw==
index 5
vBoGQ7EuTS18d5GPROD095qDi2z57FtcKD4fTYhZnms=
yoVOoSjtBQtBs1/8G4e46yveRh6eO1WW7Oa51ZdaCuA=
037kGJdt2VdTwcc4Yrk5j6Kiz5tP8P3+izDNlSCWFLc=

";

fn text() -> String {
    format!("{HEAD}{REFERENCE_NOTE}")
}

fn ours() -> ProofFile {
    let grown = Grown::of(reference_leaves());
    let proof = grown.proof(&plan_inclusion(5, 8).unwrap());
    ProofFile { extra: Some(b"@ABC".to_vec()), index: 5, proof, checkpoint: REFERENCE_NOTE.to_owned() }
}

#[test]
fn a_file_of_another_implementation_holds() {
    let file: ProofFile = text().parse().unwrap();
    let leaf = Leaf::new(file.extra.clone().unwrap());
    assert_eq!(file.verify(&leaf, &signer().verifier()).unwrap().size, 8);
}

#[test]
fn we_write_the_same_file() {
    assert_eq!(ours().to_string(), text());
    assert_eq!(text().parse(), Ok(ours()));
}

#[test]
fn a_file_proves_nothing_else() {
    let (file, leaves, key) = (ours(), reference_leaves(), signer().verifier());
    for (index, leaf) in leaves.iter().enumerate() {
        assert_eq!(file.verify(leaf, &key).is_ok(), index == 5);
    }
    for index in [4, 6, 8, u64::MAX] {
        let moved = ProofFile { index, ..file.clone() };
        assert!(matches!(moved.verify(&leaves[5], &key), Err(ProofFileError::Proof(_))));
    }
    let error = file.verify(&leaves[5], &partner_signer().verifier());
    assert_eq!(error, Err(ProofFileError::Checkpoint(NoteError::NotSigned)));
}

#[test]
fn a_single_entry_needs_no_hashes() {
    let grown = Grown::of(reference_leaves().into_iter().take(1));
    let checkpoint = signer().sign(&grown.checkpoint(1));
    let file = ProofFile { extra: None, index: 0, proof: Vec::new(), checkpoint };
    assert!(file.to_string().starts_with("c2sp.org/tlog-proof@v1\nindex 0\n\nschakel/"));
    assert_eq!(file.to_string().parse(), Ok(file.clone()));
    assert!(file.verify(&reference_leaves()[0], &signer().verifier()).is_ok());
}

#[test]
fn a_misshapen_file_is_refused() {
    let text = text();
    let hash_line = "vBoGQ7EuTS18d5GPROD095qDi2z57FtcKD4fTYhZnms=\n";
    for bad in [
        String::new(),
        HEAD.to_owned(),
        text.replace("@v1", "@v2"),
        text.replace("extra QEFCQw==", "extra QEFCQw"),
        text.replace("extra QEFCQw==", "extra QEFCQw==\nextra QEFCQw=="),
        text.replace("extra ", "Extra "),
        text.replace("index 5\n", ""),
        text.replace("index 5", "index 05"),
        text.replace("index 5", "index -5"),
        text.replace("index 5", "index 5 "),
        text.replace("index 5", "index  5"),
        text.replace("index 5", "index 18446744073709551616"),
        text.replace("index 5\n", "index 5\nindex 5\n"),
        text.replace("index 5\n", "index 5\n\n"),
        text.replace(hash_line, "niets\n"),
        text.replace(hash_line, &hash_line.repeat(MAX_PROOF_HASHES)),
        text.replace('\n', "\r\n"),
        text.trim_end().to_owned(),
        format!("\n{text}"),
    ] {
        assert!(bad.parse::<ProofFile>().is_err(), "{bad}");
    }
}

#[test]
fn a_file_has_its_limits() {
    let most = ProofFile {
        extra: Some(vec![0; MAX_EXTRA_BYTES]),
        index: u64::MAX,
        proof: vec![ours().proof[0]; MAX_PROOF_HASHES],
        ..ours()
    };
    assert_eq!(most.to_string().parse(), Ok(most.clone()));
    let more = ProofFile { extra: Some(vec![0; MAX_EXTRA_BYTES + 1]), ..ours() };
    assert_eq!(more.to_string().parse::<ProofFile>(), Err(ProofFileError::TooLarge));
    let long = "x".repeat(MAX_FILE_BYTES + 1);
    assert_eq!(long.parse::<ProofFile>(), Err(ProofFileError::TooLarge));
}

proptest! {
    #[test]
    fn a_file_survives_its_text(
        extra in prop::option::of(prop::collection::vec(any::<u8>(), 0..200)),
        index: u64,
        hashes in prop::collection::vec(any::<[u8; 32]>(), 0..=MAX_PROOF_HASHES),
    ) {
        let proof = hashes.into_iter().map(Hash::from_bytes).collect();
        let file = ProofFile { extra, index, proof, checkpoint: REFERENCE_NOTE.to_owned() };
        prop_assert_eq!(file.to_string().parse(), Ok(file));
    }

    #[test]
    fn a_changed_file_is_refused_or_proves_the_same(
        at in 0..600_usize, until in 0..8_usize, with in "[— a-zA-Z0-9+/=\n]{0,3}",
    ) {
        let mut text = text();
        let until = (at + until).min(text.len());
        if at <= until && text.is_char_boundary(at) && text.is_char_boundary(until) {
            text.replace_range(at..until, &with);
            if let Ok(file) = text.parse::<ProofFile>() {
                prop_assert_eq!(file.to_string(), text);
                let proven = file.verify(&reference_leaves()[5], &signer().verifier());
                prop_assert!(proven.is_err() || file.index == 5);
            }
        }
    }

    #[test]
    fn no_text_makes_reading_panic(text in "(?s).{0,200}") {
        let _ = text.parse::<ProofFile>();
        let _ = format!("{FIRST_LINE}\n{text}").parse::<ProofFile>();
    }
}
