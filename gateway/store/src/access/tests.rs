use exchange::digest::Digest;
use jiff::Timestamp;

use super::*;

fn record() -> AccessRecord {
    let access = Access {
        who: Actor::person("jdevries", Some("J. de Vries")).unwrap(),
        what: Deed::Zoeken,
        why: Why::new(Reason::Inzageverzoek, Some("Z-2026-0412"), Some(Uuid::from_u128(4))).unwrap(),
        when: Timestamp::from_second(1_795_000_000).unwrap(),
    };
    let tokens = [[7; 8]].into();
    let about = About { messages: vec![3, 9], tokens, searched_person: true, ..About::default() };
    AccessRecord::new(access, &about)
}

#[test]
fn a_record_comes_back_as_it_was() {
    let recorded = Recorded::new(&record(), [7; SALT_BYTES]).unwrap();
    let read = Recorded::read(&recorded.plain, recorded.digest, 12).unwrap();
    assert_eq!(read, AccessRecord { index: 12, ..record() });
    assert_eq!(read.tokens(), [[7; 8]]);
    let text = std::str::from_utf8(&recorded.plain[SALT_BYTES..]).unwrap();
    assert_eq!(
        text,
        r#"{"wie":{"soort":"medewerker","account":"jdevries","medewerker":"J. de Vries"},"wat":"zoeken","waarom":{"reden":"inzageverzoek","kenmerk":"Z-2026-0412","dossier":"00000000-0000-0000-0000-000000000004"},"wanneer":"2026-11-18T11:06:40Z","berichten":[3,9],"persoon_gezocht":true,"vindbaar":"0707070707070707"}"#
    );
}

/// What was decided is part of the record, and what earlier versions kept is read without.
#[test]
fn a_decision_says_what_it_was() {
    let decision = Decision::PartnerToevoegen("00000099000000002000".parse().unwrap());
    let decided = AccessRecord { decision: Some(decision), what: Deed::Besluit, ..record() };
    let text = serde_json::to_string(&decided).unwrap();
    assert!(
        text.contains(r#""besluit":{"soort":"partner-toevoegen","over":"00000099000000002000"}"#),
        "{text}"
    );
    assert_eq!(serde_json::from_str::<AccessRecord>(&text).unwrap(), AccessRecord { index: 0, ..decided });
    for decision in [Decision::Versturen, Decision::ConvenantOpzeggen(Digest::of(b"x")), decision] {
        let value = serde_json::to_value(decision).unwrap();
        let about = value.get("over").and_then(|about| about.as_str()).map(str::to_owned);
        assert_eq!((value["soort"].as_str(), about), (Some(decision.as_str()), decision.about()));
        assert_eq!(serde_json::from_value::<Decision>(value).unwrap(), decision);
    }
}

#[test]
fn a_record_that_was_changed_is_not_read() {
    let Recorded { mut plain, digest } = Recorded::new(&record(), [7; SALT_BYTES]).unwrap();
    for place in 0..plain.len() {
        plain[place] ^= 1;
        assert_eq!(Recorded::read(&plain, digest, 12), None, "byte {place}");
        plain[place] ^= 1;
    }
    assert_eq!(Recorded::read(&plain[..20], Digest::of(&plain[..20]), 12), None);
}

/// Otherwise who reads the log could try which record it is about.
#[test]
fn the_same_record_with_another_salt_is_another_digest() {
    let of = |salt| Recorded::new(&record(), [salt; SALT_BYTES]).unwrap().digest;
    assert_ne!(of(1), of(2));
}

#[test]
fn names_are_short_and_printable() {
    for name in ["", "  ", "a\nb", "\u{7}", &"x".repeat(MAX_NAME_CHARS + 1)] {
        assert_eq!(Actor::person(name, None), Err(NotAName), "{name:?}");
        assert_eq!(Actor::person("jan", Some(name)), Err(NotAName), "{name:?}");
        assert_eq!(Actor::system(name), Err(NotAName), "{name:?}");
        assert_eq!(Why::new(Reason::Beheer, Some(name), None), Err(NotAName), "{name:?}");
    }
    let longest = "x".repeat(MAX_NAME_CHARS);
    assert_eq!(Actor::person(&longest, None).unwrap().account(), longest);
    let who = Actor::person("balie", Some(" Jansen ")).unwrap();
    assert!(who.is_called("Jansen") && who.is_called("balie") && !who.is_called("jan"));
}

#[test]
fn reasons_have_one_name() {
    for reason in Reason::ALL {
        assert_eq!(reason.as_str().parse(), Ok(reason));
        assert_eq!(serde_json::to_value(reason).unwrap(), reason.as_str());
    }
    assert_eq!("nieuwsgierig".parse::<Reason>(), Err(NotAReason));
    for deed in [Deed::Inzien, Deed::Zoeken, Deed::Uitvoer, Deed::Besluit, Deed::Raadplegingen] {
        assert_eq!(serde_json::to_value(deed).unwrap(), deed.as_str());
    }
}
