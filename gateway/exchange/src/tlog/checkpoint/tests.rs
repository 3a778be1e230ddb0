#![allow(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

use proptest::prelude::*;

use super::*;
use crate::tlog::testing::{
    Grown, ORIGIN, PARTNER, REFERENCE_NOTE, REFERENCE_ROOTS, hash, partner_signer, reference_leaves, signer,
};

const KEY: &str = "schakel/00000099000000001000+f77fa45e+AddamAGCsQq31Uv+08lkBzoO4XLz2qYjJa8CGmj3B1Ea";

#[test]
fn a_note_of_another_implementation_opens() {
    let key: LogVerifier = KEY.parse().unwrap();
    assert_eq!(key.origin(), ORIGIN);
    let checkpoint = key.open(REFERENCE_NOTE).unwrap();
    let expected = Checkpoint { origin: ORIGIN.to_owned(), size: 8, root: hash(REFERENCE_ROOTS[8]) };
    assert_eq!(checkpoint, expected);
}

#[test]
fn we_sign_the_same_note() {
    let signer = signer();
    assert_eq!(signer.verifier().to_string(), KEY);
    assert_eq!(signer.origin(), ORIGIN);
    let checkpoint = Grown::of(reference_leaves()).checkpoint(8);
    let (ours, cosignature) = REFERENCE_NOTE.split_at(REFERENCE_NOTE.rfind('—').unwrap());
    assert!(cosignature.contains(PARTNER));
    assert_eq!(signer.sign(&checkpoint), ours);
}

#[test]
fn the_example_of_the_specification_is_a_checkpoint() {
    let body = "example.com/behind-the-sofa\n20852163\nCsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\n";
    let checkpoint = Checkpoint::parse(body).unwrap();
    assert_eq!((checkpoint.origin.as_str(), checkpoint.size), ("example.com/behind-the-sofa", 20_852_163));
    assert_eq!(checkpoint.body(), body);
}

#[test]
fn a_body_has_one_spelling() {
    const ROOT: &str = "CsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=";
    for body in [
        String::new(),
        "\n\n\n".to_owned(),
        format!("a\n5\n{ROOT}"),
        format!("a\n5\n{ROOT}\n\n"),
        format!("a\n5\n{ROOT}\nextension\n"),
        format!("\n5\n{ROOT}\n"),
        format!("a b\n5\n{ROOT}\n"),
        format!("a\n05\n{ROOT}\n"),
        format!("a\n+5\n{ROOT}\n"),
        format!("a\n-5\n{ROOT}\n"),
        format!("a\n\n{ROOT}\n"),
        format!("a\n9223372036854775808\n{ROOT}\n"),
        format!("a\n5\n{ROOT} \n"),
        format!("a\n5\n{}\n", ROOT.trim_end_matches('=')),
        // The empty tree has but one root.
        format!("a\n0\n{ROOT}\n"),
    ] {
        assert!(matches!(Checkpoint::parse(&body), Err(NoteError::NotACheckpoint(_))), "{body:?}");
    }
    assert!(Checkpoint::parse(&format!("a\n9223372036854775807\n{ROOT}\n")).is_ok());
    assert!(Checkpoint::parse(&format!("a\n0\n{}\n", empty_root())).is_ok());
}

#[test]
fn only_the_right_key_opens_a_note() {
    let checkpoint = Grown::of(reference_leaves()).checkpoint(8);
    let note = signer().sign(&checkpoint);
    assert_eq!(signer().verifier().open(&note).unwrap(), checkpoint);
    assert_eq!(partner_signer().verifier().open(&note), Err(NoteError::NotSigned));
    let impostor = LogSigner::new(ORIGIN.to_owned(), SigningKey::from_bytes(&[1; 32])).unwrap();
    assert_eq!(signer().verifier().open(&impostor.sign(&checkpoint)), Err(NoteError::NotSigned));
}

#[test]
fn a_key_speaks_for_its_own_log_only() {
    let checkpoint = Grown::of(reference_leaves()).checkpoint(8);
    let note = partner_signer().sign(&checkpoint);
    assert_eq!(partner_signer().verifier().open(&note), Err(NoteError::OtherOrigin));
}

#[test]
fn a_signed_text_that_is_no_checkpoint_is_refused() {
    let signer = signer();
    let odd = Checkpoint { origin: format!("{ORIGIN}\n1"), size: 8, root: empty_root() };
    assert!(matches!(signer.verifier().open(&signer.sign(&odd)), Err(NoteError::NotACheckpoint(_))));
}

#[test]
fn every_line_of_the_key_must_hold() {
    let signer = signer();
    let grown = Grown::of(reference_leaves());
    let (seven, eight) = (signer.sign(&grown.checkpoint(7)), signer.sign(&grown.checkpoint(8)));
    let other_line = seven.lines().last().unwrap();
    assert_eq!(signer.verifier().open(&format!("{eight}{other_line}\n")), Err(NoteError::BadSignature));
    let own_line = eight.lines().last().unwrap();
    assert!(signer.verifier().open(&format!("{eight}{own_line}\n")).is_ok());
    let short = note::write_line(signer.origin(), signer.named.id(), &[0; 63]);
    assert_eq!(signer.verifier().open(&format!("{eight}{short}\n")), Err(NoteError::BadSignature));
}

#[test]
fn secrets_are_not_shown() {
    assert_eq!(format!("{:?}", signer()), format!("LogSigner({KEY})"));
    assert_eq!(format!("{:?}", signer().verifier()), format!("LogVerifier({KEY})"));
}

proptest! {
    #[test]
    fn a_checkpoint_survives_its_text_and_its_note(size in 1..=MAX_SIZE, root: [u8; 32]) {
        let checkpoint = Checkpoint { origin: ORIGIN.to_owned(), size, root: Hash::from_bytes(root) };
        prop_assert_eq!(&Checkpoint::parse(&checkpoint.body()).unwrap(), &checkpoint);
        let note = signer().sign(&checkpoint);
        prop_assert_eq!(&signer().verifier().open(&note).unwrap(), &checkpoint);
    }

    /// Whatever happens to a note, it never says anything else than what was signed.
    #[test]
    fn a_changed_note_says_the_same_or_nothing(
        at in 0..REFERENCE_NOTE.len(), until in 0..8_usize, with in "[— a-zA-Z0-9+/=\n]{0,3}",
    ) {
        let key = signer().verifier();
        let until = (at + until).min(REFERENCE_NOTE.len());
        if REFERENCE_NOTE.is_char_boundary(at) && REFERENCE_NOTE.is_char_boundary(until) {
            let mut note = REFERENCE_NOTE.to_owned();
            note.replace_range(at..until, &with);
            if let Ok(checkpoint) = key.open(&note) {
                prop_assert_eq!(checkpoint, key.open(REFERENCE_NOTE).unwrap());
            }
        }
    }

    #[test]
    fn no_text_makes_opening_panic(text in "(?s).{0,200}") {
        prop_assert!(signer().verifier().open(&text).is_err());
        if let Ok(checkpoint) = Checkpoint::parse(&text) {
            prop_assert_eq!(checkpoint.body(), text);
        }
    }
}
