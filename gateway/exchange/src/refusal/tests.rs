use std::collections::BTreeSet;

use super::*;

#[test]
fn every_reason_has_its_own_code_and_sentence() {
    let codes: BTreeSet<&str> = Reason::ALL.into_iter().map(Reason::code).collect();
    let sentences: BTreeSet<&str> = Reason::ALL.into_iter().map(Reason::sentence).collect();
    assert_eq!((codes.len(), sentences.len()), (Reason::ALL.len(), Reason::ALL.len()));
    for reason in Reason::ALL {
        assert_eq!(Reason::of_code(reason.code()), Some(reason));
        assert_eq!(reason.to_string(), reason.code());
        assert!(reason.code().bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'-'));
        // What is the matter, and what to do about it.
        assert!(reason.sentence().matches('.').count() >= 2 && reason.sentence().ends_with('.'), "{reason}");
    }
    assert_eq!(Reason::of_code("zomaar"), None);
}

/// The protocol lists them, in its own words.
#[test]
fn every_reason_is_in_the_protocol() {
    let protocol = include_str!("../../../PROTOCOL.md");
    for reason in Reason::ALL {
        assert!(protocol.contains(&format!("\n| `{}` | ", reason.code())), "{reason}");
    }
}

#[test]
fn a_refusal_names_what_it_is_about() {
    let plain = Refusal::from(Reason::Expired);
    assert_eq!(plain.to_string(), Reason::Expired.sentence());
    let about = Refusal::about(Reason::DataNotAllowed, ["bsn", "adres"]);
    assert_eq!(about.to_string(), format!("{} (bsn, adres)", Reason::DataNotAllowed.sentence()));
}

/// A category and a life domain of one name are named once, wherever they stand.
#[test]
fn a_refusal_names_everything_once() {
    let about = Refusal::about(Reason::DataNotAllowed, ["verslaving", "adres", "verslaving"]);
    assert_eq!(about.about, ["verslaving", "adres"]);
}
