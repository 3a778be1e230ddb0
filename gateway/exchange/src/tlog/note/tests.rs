#![allow(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

use ed25519_dalek::SigningKey;
use proptest::prelude::*;

use super::*;
use crate::tlog::testing::REFERENCE_NOTE;

/// The published example of the first implementation of signed notes, golang.org/x/mod/sumdb/note.
const GO_KEY: &str = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW";
const GO_NOTE: &str = "\
If you think cryptography is the answer to your problem,
then you don't know what your problem is.

— PeterNeumann x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM=
";

fn signatures(note: &str, key: &NamedKey) -> Vec<Result<(), NoteError>> {
    let note = Note::parse(note).unwrap();
    let verify = |line: &SignatureLine<'_>| {
        key.verify(note.text.as_bytes(), line.signature.as_slice().try_into().unwrap())
    };
    note.lines_of(key).map(verify).collect()
}

#[test]
fn the_published_example_verifies() {
    let key = NamedKey::parse(GO_KEY, KeyKind::Log).unwrap();
    assert_eq!(key.to_string(), GO_KEY);
    assert_eq!(signatures(GO_NOTE, &key), [Ok(())]);
    let changed = GO_NOTE.replace("answer", "anwser");
    assert_eq!(signatures(&changed, &key), [Err(NoteError::BadSignature)]);
}

#[test]
fn a_line_is_of_a_key_only_if_name_and_id_both_are() {
    let key = NamedKey::parse(GO_KEY, KeyKind::Log).unwrap();
    let renamed = GO_NOTE.replace("— PeterNeumann", "— Neumann");
    assert_eq!(signatures(&renamed, &key), []);
    let other_id = GO_NOTE.replace("x08go/", "y08go/");
    assert_eq!(signatures(&other_id, &key), []);
}

#[test]
fn a_mangled_key_is_refused() {
    for from in 0..GO_KEY.len() {
        for to in from..=GO_KEY.len() {
            if (from, to) != (0, GO_KEY.len()) {
                assert!(NamedKey::parse(&GO_KEY[from..to], KeyKind::Log).is_err(), "{from}..{to}");
            }
        }
        let mut bytes = GO_KEY.as_bytes().to_vec();
        bytes[from] += 1;
        let mangled = String::from_utf8(bytes).unwrap();
        assert!(NamedKey::parse(&mangled, KeyKind::Log).is_err(), "{mangled}");
    }
}

#[test]
fn every_fault_of_a_key_has_its_error() {
    let parse = |text: &str, kind| NamedKey::parse(text, kind).map(|_| ()).unwrap_err();
    assert_eq!(parse(GO_KEY, KeyKind::Cosigner), KeyError::Kind);
    assert_eq!(parse(&GO_KEY.replace("c74f", "C74F"), KeyKind::Log), KeyError::IdMismatch);
    assert_eq!(parse(&GO_KEY.replace("Peter", "Peter "), KeyKind::Log), KeyError::Name);
    assert_eq!(parse(&GO_KEY.replace("TW", "TW="), KeyKind::Log), KeyError::Malformed);
    assert_eq!(parse("a+b", KeyKind::Log), KeyError::Malformed);
    // The neutral element, under which everything verifies.
    let mut weak = [0; 33];
    (weak[0], weak[1]) = (1, 1);
    assert_eq!(parse(&format!("x+00000000+{}", STANDARD.encode(weak)), KeyKind::Log), KeyError::Unusable);
}

#[test]
fn a_name_is_short_and_plain() {
    for name in ["a", "schakel/00000099000000001000", "logboek.gemeente.test/één"] {
        assert!(is_name(name), "{name}");
    }
    let long = "a".repeat(MAX_NAME_BYTES + 1);
    for name in ["", "a b", "a+b", "a\nb", "a\u{a0}b", "a\u{2003}b", "a\u{7f}", &long] {
        assert!(!is_name(name), "{name:?}");
    }
    let key = SigningKey::from_bytes(&[7; 32]).verifying_key();
    assert_eq!(NamedKey::new(long, KeyKind::Log, key).map(|_| ()).unwrap_err(), KeyError::Name);
}

#[test]
fn the_same_key_has_another_id_for_another_use() {
    let key = SigningKey::from_bytes(&[7; 32]).verifying_key();
    let [log, cosigner] =
        [KeyKind::Log, KeyKind::Cosigner].map(|kind| NamedKey::new("a".to_owned(), kind, key).unwrap());
    assert_ne!(log.id(), cosigner.id());
}

#[test]
fn numbers_have_one_spelling() {
    for (text, number) in [("0", 0), ("7", 7), ("18446744073709551615", u64::MAX)] {
        assert_eq!(decimal(text), Some(number));
    }
    for text in ["", "00", "07", "+7", "-7", " 7", "7 ", "٧", "1_0", "0x7", "18446744073709551616"] {
        assert_eq!(decimal(text), None, "{text:?}");
    }
}

#[test]
fn a_misshapen_note_is_refused() {
    let line = GO_NOTE.lines().last().unwrap();
    for bad in [
        String::new(),
        "\n".to_owned(),
        "\n\n".to_owned(),
        "text\n\n".to_owned(),
        format!("text\n{line}\n"),
        format!("text\n\n{line}"),
        format!("text\n\n{line}\n\n"),
        format!("text\n\n\n{line}\nmore\n"),
        format!("te\rxt\n\n{line}\n"),
        format!("te\0xt\n\n{line}\n"),
        format!("text\n\n{line}\r\n"),
        format!("text\n\n{}\n", line.replace('—', "-")),
        format!("text\n\n{}\n", line.replace("— ", "—")),
        format!("text\n\n{}\n", line.replace("— ", "—  ")),
        format!("text\n\n{line} \n"),
        format!("text\n\n{}\n", line.trim_end_matches('=')),
        "text\n\n— name x08goAA=\n\n".to_owned(),
        "text\n\n— name x08goA==\n".to_owned(),
        "text\n\n— na+me x08goAA=\n".to_owned(),
    ] {
        assert!(matches!(Note::parse(&bad), Err(NoteError::Malformed(_))), "{bad:?}");
    }
    // Four bytes are a key id, five a key id with a signature of some kind.
    assert!(Note::parse("text\n\n— name x08goAA=\n").is_ok());
}

#[test]
fn the_text_may_have_empty_lines() {
    let line = GO_NOTE.lines().last().unwrap();
    let note = format!("one\n\ntwo\n\n\n{line}\n");
    assert_eq!(Note::parse(&note).unwrap().text, "one\n\ntwo\n\n");
}

#[test]
fn size_and_signatures_have_their_limits() {
    let line = format!("{}\n", GO_NOTE.lines().last().unwrap());
    let most = format!("text\n\n{}", line.repeat(MAX_SIGNATURES));
    assert_eq!(Note::parse(&most).unwrap().lines.len(), MAX_SIGNATURES);
    let more = format!("{most}{line}");
    assert_eq!(Note::parse(&more).map(|_| ()).unwrap_err(), NoteError::TooManySignatures);
    let fill = "x".repeat(MAX_NOTE_BYTES - line.len() - 2);
    assert!(Note::parse(&format!("{fill}\n\n{line}")).is_ok());
    assert_eq!(Note::parse(&format!("{fill}x\n\n{line}")).map(|_| ()).unwrap_err(), NoteError::TooLarge);
}

proptest! {
    #[test]
    fn no_text_makes_reading_panic(text in "(?s).{0,200}", tail in "[— a-zA-Z0-9+/=\n]{0,120}") {
        let _ = Note::parse(&text);
        let _ = Note::parse(&format!("{text}\n\n— {tail}\n"));
        let _ = SignatureLine::parse(&tail);
        let _ = NamedKey::parse(&text, KeyKind::Log);
        let _ = decimal(&text);
    }

    #[test]
    fn what_is_read_can_be_written_again(at in 0..REFERENCE_NOTE.len(), with in "[— a-z\n=]") {
        let mut note = REFERENCE_NOTE.to_owned();
        if note.is_char_boundary(at) {
            note.insert_str(at, &with);
        }
        if let Ok(parsed) = Note::parse(&note) {
            let mut written = format!("{}\n", parsed.text);
            for line in &parsed.lines {
                written += &write_line(line.name, line.key_id, &line.signature);
                written.push('\n');
            }
            prop_assert_eq!(written, note);
        }
    }
}
