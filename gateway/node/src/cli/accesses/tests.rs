use exchange::digest::Digest;
use jiff::Timestamp;
use store::{Actor, Why};

use super::*;

fn record(what: Deed, messages: &[u64], consents: usize) -> AccessRecord {
    AccessRecord {
        index: 7,
        who: Actor::person("balie", None).unwrap(),
        what,
        why: Why::new(Reason::Dossier, None, None).unwrap(),
        when: Timestamp::UNIX_EPOCH,
        messages: messages.to_vec(),
        consents: vec![Uuid::from_u128(5); consents],
        perhaps: Vec::new(),
        consents_perhaps: Vec::new(),
        searched_person: false,
        decision: None,
        findable: String::new(),
        subject: None,
    }
}

/// What was found or decided is told, and that nothing was found only when that is so.
#[test]
fn says_what_it_was_about() {
    let searched = |what, messages: &[u64], consents| AccessRecord {
        searched_person: true,
        ..record(what, messages, consents)
    };
    let perhaps = |messages: &[u64], consents| AccessRecord {
        searched_person: true,
        perhaps: messages.to_vec(),
        consents_perhaps: vec![Uuid::from_u128(5); consents],
        ..record(Deed::Zoeken, &[], 0)
    };
    let decided = |decision, messages: &[u64]| AccessRecord {
        decision: Some(decision),
        ..record(Deed::Besluit, messages, 0)
    };
    let digest = Digest::of(b"convenant");
    let start = agreements::start(digest);
    let partner = "00000099000000002000".parse().unwrap();
    let consent = Uuid::from_u128(5);
    for (record, expected) in [
        (searched(Deed::Zoeken, &[], 0), "persoon gezocht, niets gevonden".to_owned()),
        (searched(Deed::Zoeken, &[], 1), format!("toestemming {consent}")),
        (searched(Deed::Uitvoer, &[3], 2), "bericht 3, 2 toestemmingen".to_owned()),
        (perhaps(&[14], 0), "misschien over deze persoon: bericht 14".to_owned()),
        (
            perhaps(&[14, 15], 1),
            format!(
                "misschien over deze persoon: 2 berichten, misschien over deze persoon: toestemming {consent}"
            ),
        ),
        (searched(Deed::Raadplegingen, &[], 0), "over een persoon".to_owned()),
        (record(Deed::Raadplegingen, &[], 0), String::new()),
        (record(Deed::Inzien, &[], 1), format!("toestemming {consent}")),
        (record(Deed::Inzien, &[3, 4], 0), "2 berichten".to_owned()),
        (decided(Decision::Versturen, &[3, 4]), "gegevens versturen, 2 berichten".to_owned()),
        (decided(Decision::Versturen, &[]), "gegevens versturen".to_owned()),
        (decided(Decision::OpnieuwVersturen, &[3]), "opnieuw versturen, bericht 3".to_owned()),
        (decided(Decision::Wissen, &[3]), "wissen, bericht 3".to_owned()),
        (decided(Decision::ConvenantVoorstellen(digest), &[]), format!("convenant {start} voorstellen")),
        (decided(Decision::ConvenantAanvaarden(digest), &[]), format!("convenant {start} aanvaarden")),
        (decided(Decision::ConvenantAfwijzen(digest), &[]), format!("convenant {start} afwijzen")),
        (decided(Decision::ConvenantOpzeggen(digest), &[]), format!("convenant {start} opzeggen")),
        (decided(Decision::PartnerToevoegen(partner), &[]), format!("partner {partner} toevoegen")),
        (decided(Decision::PartnerVerwijderen(partner), &[]), format!("partner {partner} verwijderen")),
    ] {
        assert_eq!(about(&record), expected);
        assert!(line(&record).ends_with(&expected));
    }
}
