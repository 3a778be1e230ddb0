//! What each format takes and refuses.

use super::*;

fn accepts(format: &str, text: &str) -> bool {
    find(format).and_then(|format| format.check).is_some_and(|check| check(text))
}

fn check(format: &str, right: &[&str], wrong: &[&str]) {
    for text in right {
        assert!(accepts(format, text), "{format} refuses {text:?}");
    }
    for text in wrong {
        assert!(!accepts(format, text), "{format} accepts {text:?}");
    }
}

#[test]
fn a_line_is_trimmed_and_printable() {
    check(
        "regel",
        &["'s-Gravenweg", "Çetin", "van 't", "ẞ"],
        &["", " ", "a ", "\u{a0}a", "a\nb", "a\u{202e}b", "a\0"],
    );
}

#[test]
fn running_text_may_hold_line_breaks() {
    check("tekst", &["let op\nniet alleen", "a\tb"], &["", " \n", "a\r\nb", "\u{1b}[2J"]);
}

#[test]
fn anonymous_text_holds_no_marks_of_a_person() {
    check(
        "anoniem",
        &[
            "Schuld van 2.608.833 euro sinds 2024-2025.",
            "Wie helpt 2 kinderen van 6 en 9?",
            "Art. 7:231 BW",
            "Sinds januari 2026, 3 maanden.",
        ],
        &[
            "999990342",
            "9999 90 342",
            "bel 06-12345678",
            "x@y.test",
            "op 4906AN",
            "op 4906 AN.",
            "op 4906an",
            "geboren 20-01-1974",
            "1974/1/20",
            "op 1.2.74",
            "geboren 20 januari 1974",
            "op 3 Mrt. 74",
            "bel (0416) 12 34 56",
            "９９９９９０３４２",
            "999\u{2009}990\u{2009}342",
        ],
    );
}

#[test]
fn an_identifier_has_one_spelling() {
    let v7 = "01936f2a-4c1e-7b3a-9c5d-2f6e8a1b4c70";
    let v4 = "7c9e6679-7425-40de-944b-e07fc1f90ae7";
    let other_variant = "01936f2a-4c1e-7b3a-dc5d-2f6e8a1b4c70";
    check("uuidv7", &[v7], &[v4, &v7.to_uppercase(), &v7.replace('-', ""), other_variant, ""]);
    check("uuid", &[v7, v4], &[&v4.to_uppercase(), other_variant, "{7c9e6679-7425-40de-944b-e07fc1f90ae7}"]);
    check("dossier", &[&format!("urn:uuid:{v4}")], &[v4, &format!("URN:UUID:{v4}"), "urn:uuid:"]);
    let digest = format!("sha256:{}", "0a".repeat(32));
    check("sha256", &[&digest], &[&digest.to_uppercase(), &digest[7..], "sha256:", &format!("{digest}0")]);
}

#[test]
fn a_sender_names_an_organisation_and_a_system() {
    let oin = "00000099000000001000";
    check(
        "afzender",
        &[&format!("urn:nld:oin:{oin}:systeem:schakel"), &format!("urn:nld:oin:{oin}:systeem:zaak-2")],
        &[
            &format!("urn:nld:oin:{oin}:systeem:"),
            &format!("urn:nld:oin:{oin}:systeem:Zaak"),
            "urn:nld:oin:1:systeem:x",
            oin,
        ],
    );
}

#[test]
fn a_log_key_has_the_form_of_a_verifier_key() {
    let key = format!("schakel/00000099000000001000+0a1b2c3d+{}", "Ab+/".repeat(11));
    check(
        "logsleutel",
        &[&key],
        &[&key[..key.len() - 1], &key.replace("0a1b", "0A1B"), "schakel", &key.replace('/', " ")],
    );
}

#[test]
fn an_endpoint_is_a_host_and_a_port() {
    check(
        "adres",
        &["schakel.voorbeeld.test:8443", "127.0.0.1:1", "[::1]:65535", "knooppunt:443"],
        &[
            "voorbeeld.test",
            "voorbeeld.test:0",
            "voorbeeld.test:65536",
            "voorbeeld.test:+443",
            "::1:443",
            "[::1",
            "-a.test:1",
            "a..b:1",
            ":443",
            "a b:1",
        ],
    );
}

#[test]
fn every_format_is_explained() {
    for format in &FORMATS {
        assert!(!format.is_not.is_empty() && !format.expected.is_empty(), "{}", format.name);
    }
}
