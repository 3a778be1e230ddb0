#![allow(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

use jiff::ToSpan as _;
use proptest::prelude::*;

use super::*;
use crate::tlog::testing::{Grown, PARTNER, REFERENCE_NOTE, cosigner, reference_leaves, signer};

const KEY: &str = "schakel/00000099000000002000+15977bfb+BD1AF8PoQ4lakrcKp00bfrycmCzPLsSWjMDNVfEq9GYM";

fn noon() -> Timestamp {
    "2026-11-21T09:30:00Z".parse().unwrap()
}

fn checkpoint() -> Checkpoint {
    Grown::of(reference_leaves()).checkpoint(8)
}

#[test]
fn a_cosignature_of_another_implementation_holds() {
    let key: CosignerVerifier = KEY.parse().unwrap();
    assert_eq!(key.name(), PARTNER);
    assert_eq!(key.find(REFERENCE_NOTE), Ok((checkpoint(), noon())));
}

#[test]
fn we_make_the_same_cosigned_note() {
    assert_eq!(cosigner().verifier().to_string(), KEY);
    // Fractions of a second are not part of it.
    let time = noon() + 999.milliseconds();
    let cosignature = cosigner().cosign(&checkpoint(), time).unwrap();
    assert_eq!(cosignature.cosigner(), PARTNER);
    let note = signer().sign(&checkpoint());
    let cosigned = cosignature.add_to(&note).unwrap();
    assert_eq!(cosigned, REFERENCE_NOTE);
    assert_eq!(cosignature.add_to(&cosigned).unwrap(), cosigned, "once is enough");
    assert!(signer().verifier().open(&cosigned).is_ok(), "the log's own signature still holds");
}

#[test]
fn a_cosignature_holds_for_its_checkpoint_time_and_cosigner_only() {
    let (cosigner, verifier) = (cosigner(), cosigner().verifier());
    let cosignature = cosigner.cosign(&checkpoint(), noon()).unwrap();
    assert_eq!(verifier.verify(&checkpoint(), &cosignature), Ok(noon()));

    let other = Checkpoint { size: 9, ..checkpoint() };
    assert_eq!(verifier.verify(&other, &cosignature), Err(NoteError::BadSignature));
    let later = Cosignature { time: noon() + 1.second(), ..cosignature.clone() };
    assert_eq!(verifier.verify(&checkpoint(), &later), Err(NoteError::BadSignature));
    let renamed = Cosignature { name: "vreemde".to_owned(), ..cosignature.clone() };
    assert_eq!(verifier.verify(&checkpoint(), &renamed), Err(NoteError::NotSigned));
    let stranger = Cosigner::new("vreemde".to_owned(), SigningKey::from_bytes(&[3; 32])).unwrap();
    assert_eq!(stranger.verifier().verify(&checkpoint(), &cosignature), Err(NoteError::NotSigned));
    let impostor = Cosigner::new(PARTNER.to_owned(), SigningKey::from_bytes(&[3; 32])).unwrap();
    let forged = impostor.cosign(&checkpoint(), noon()).unwrap();
    assert_eq!(verifier.verify(&checkpoint(), &forged), Err(NoteError::NotSigned));
}

#[test]
fn a_log_signature_is_no_cosignature() {
    // The same key and name, but for another use.
    let key = SigningKey::from_bytes(&[9; 32]);
    let log = super::super::LogSigner::new(PARTNER.to_owned(), key.clone()).unwrap();
    let both = Cosigner::new(PARTNER.to_owned(), key).unwrap();
    let own = Checkpoint { origin: PARTNER.to_owned(), ..checkpoint() };
    let note = log.sign(&own);
    assert_eq!(both.verifier().find(&note), Err(NoteError::NotSigned));
    let cosigned = both.cosign(&own, noon()).unwrap().add_to(&note).unwrap();
    assert_eq!(both.verifier().find(&cosigned), Ok((own.clone(), noon())));
    assert_eq!(log.verifier().open(&cosigned), Ok(own));
}

#[test]
fn the_latest_time_counts_and_every_line_must_hold() {
    let (cosigner, later) = (cosigner(), noon() + 1.hour());
    let newer = cosigner.cosign(&checkpoint(), later).unwrap().add_to(REFERENCE_NOTE).unwrap();
    assert_eq!(cosigner.verifier().find(&newer), Ok((checkpoint(), later)));
    let older = cosigner.cosign(&checkpoint(), noon() - 1.hour()).unwrap().add_to(&newer).unwrap();
    assert_eq!(cosigner.verifier().find(&older), Ok((checkpoint(), later)), "in whatever order they come");
    let other = Checkpoint { size: 9, ..checkpoint() };
    let false_line = cosigner.cosign(&other, later).unwrap().add_to(&newer).unwrap();
    assert_eq!(cosigner.verifier().find(&false_line), Err(NoteError::BadSignature));
}

#[test]
fn a_note_takes_no_more_than_its_limit() {
    let mut note = signer().sign(&checkpoint());
    for second in 1..MAX_SIGNATURES {
        let time = noon() + i64::try_from(second).unwrap().seconds();
        note = cosigner().cosign(&checkpoint(), time).unwrap().add_to(&note).unwrap();
    }
    let one_more = cosigner().cosign(&checkpoint(), noon()).unwrap();
    assert_eq!(one_more.add_to(&note), Err(NoteError::TooManySignatures));
}

#[test]
fn times_that_cannot_be_written_are_refused() {
    let before = Timestamp::UNIX_EPOCH - 1.nanosecond();
    assert_eq!(cosigner().cosign(&checkpoint(), before), Err(NoteError::ImpossibleTime));
    assert!(cosigner().cosign(&checkpoint(), Timestamp::MAX).is_ok());
    for seconds in [u64::MAX, 1 << 63, i64::MAX.cast_unsigned()] {
        let bytes = [&seconds.to_be_bytes()[..], &[0; 64]].concat();
        let line = note::write_line(PARTNER, [0; 4], &bytes);
        assert_eq!(line.parse::<Cosignature>(), Err(NoteError::ImpossibleTime));
    }
}

#[test]
fn only_one_whole_line_is_a_cosignature() {
    let line = cosigner().cosign(&checkpoint(), noon()).unwrap().to_string();
    assert!(line.parse::<Cosignature>().is_ok());
    assert!(format!("{line}\n").parse::<Cosignature>().is_ok());
    let log_line = signer().sign(&checkpoint()).lines().last().unwrap().to_owned();
    let long = "x".repeat(MAX_NOTE_BYTES + 1);
    for bad in [format!("{line}\n\n"), format!("\n{line}"), format!("{line}\n{line}"), log_line, long] {
        assert!(bad.parse::<Cosignature>().is_err(), "{bad:?}");
    }
}

proptest! {
    #[test]
    fn a_cosignature_survives_its_text(seconds in 0..=253_402_207_200_i64) {
        let time = Timestamp::from_second(seconds).unwrap();
        let cosignature = cosigner().cosign(&checkpoint(), time).unwrap();
        let read: Cosignature = cosignature.to_string().parse().unwrap();
        prop_assert_eq!(cosigner().verifier().verify(&checkpoint(), &read), Ok(time));
        prop_assert_eq!(read, cosignature);
    }

    #[test]
    fn no_text_makes_reading_panic(text in "(?s).{0,200}", tail in "[a-zA-Z0-9+/=]{0,120}") {
        let _ = text.parse::<Cosignature>();
        let _ = format!("— a {tail}").parse::<Cosignature>();
        let _ = cosigner().verifier().find(&text);
        let _ = text.parse::<CosignerVerifier>();
    }
}
