#![allow(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

use ed25519_dalek::SigningKey;
use exchange::{
    agreement::{AnswerKind, Content, Party},
    signature::{Ed25519Signer, Signer as _},
    tlog::LogSigner,
};
use jiff::civil::date;

use super::*;
use crate::assets::PURPOSES;

pub(super) const ARREARS: &str = "nl.sociaaldomein.signalen.betalingsachterstand.v1";
const FEEDBACK: &str = "nl.sociaaldomein.terugkoppelingen.gegeven.v1";
const OFFERED: &str = "nl.sociaaldomein.overdrachten.aangeboden.v1";

fn oin(number: u8) -> Oin {
    format!("0000009900000000{number}000").parse().unwrap()
}

pub(super) fn now() -> Timestamp {
    "2026-11-21T09:30:00Z".parse().unwrap()
}

fn signer(number: u8) -> Ed25519Signer {
    Ed25519Signer::from_seed(&[number; 32])
}

fn party(number: u8, soort: OrganisationKind) -> Party {
    let log = LogSigner::new(oin(number).log_origin(), SigningKey::from_bytes(&[number + 100; 32])).unwrap();
    Party {
        oin: oin(number),
        naam: format!("Organisatie <{number}>"),
        soort,
        sleutels: vec![signer(number).public_key().clone()],
        logsleutel: log.verifier().to_string(),
        contact: "schakel@voorbeeld.test".into(),
        fg: "fg@voorbeeld.test".into(),
    }
}

fn purpose(name: &str) -> Purpose {
    let (_, text) = PURPOSES.iter().find(|(file, _)| file.trim_end_matches(".toml") == name).unwrap();
    Purpose::from_toml(text).unwrap()
}

fn clause(purpose: &Purpose, from: &[u8], to: &[u8], message_type: &str) -> Clause {
    Clause {
        doel: purpose.content().doel.clone(),
        doel_digest: purpose.digest(),
        van: from.iter().map(|number| oin(*number)).collect(),
        naar: to.iter().map(|number| oin(*number)).collect(),
        berichttypen: vec![message_type.into()],
    }
}

/// A municipality (1), two corporations (2, 3) and UWV (4), and what they agreed; the last two did not agree with 2.
pub(super) fn rules(answers: AnswerKind) -> Rulebook {
    let (arrears, handover) = (purpose("vroegsignalering-huur"), purpose("overdracht-werk-en-inkomen"));
    Rulebook::new([first(answers)], [arrears, handover])
}

fn first(answers: AnswerKind) -> Agreement {
    let (arrears, handover) = (purpose("vroegsignalering-huur"), purpose("overdracht-werk-en-inkomen"));
    let content = Content {
        groep: "rivierland".into(),
        versie: 3,
        partijen: vec![
            party(1, OrganisationKind::Municipality),
            party(2, OrganisationKind::HousingCorporation),
            party(3, OrganisationKind::HousingCorporation),
            party(4, OrganisationKind::Uwv),
        ],
        geldig_van: date(2026, 1, 1),
        geldig_tot: date(2026, 12, 31),
        afspraken: vec![
            clause(&arrears, &[2, 3], &[1], ARREARS),
            clause(&arrears, &[1], &[2, 3], FEEDBACK),
            // A clause may name who the purpose does not let do this: nothing comes of it.
            clause(&handover, &[1, 2, 4], &[1, 2, 4], OFFERED),
        ],
    };
    answered(&content, answers)
}

/// An agreement to which every party gave this answer.
fn answered(content: &Content, kind: AnswerKind) -> Agreement {
    let mut agreement = Agreement::parse(&serde_json::to_string(content).unwrap()).unwrap();
    for (number, _) in (1_u8..).zip(&content.partijen) {
        let answer = agreement.answer(kind, now(), &signer(number)).unwrap();
        agreement.add_answer(&answer).unwrap();
    }
    agreement
}

pub(super) fn of(number: u8, kind: OrganisationKind) -> Register {
    made(controller(&party(number, kind)), &rules(AnswerKind::Accepted), &Held::new(), now())
}

fn made(owner: Controller, rules: &Rulebook, held: &Held, now: Timestamp) -> Register {
    register(owner, rules, (held, Names(Some("https://register.test/v/"))), now)
}

fn numbers(parties: &BTreeSet<Controller>) -> Vec<Oin> {
    parties.iter().map(|party| party.oin).collect()
}

#[test]
fn it_says_per_purpose_what_goes_to_whom_and_comes_from_whom() {
    let register = of(1, OrganisationKind::Municipality);
    let names: Vec<&str> = register.verwerkingen.iter().map(|one| one.doel.as_str()).collect();
    assert_eq!(names, ["overdracht-werk-en-inkomen", "vroegsignalering-huur"]);
    let [handover, arrears] = register.verwerkingen.as_slice() else { panic!("two") };
    assert_eq!(numbers(&handover.berichten[0].ontvangers), [oin(4)]);
    assert_eq!(numbers(&handover.berichten[0].bronnen), [oin(4)], "and not the corporation");
    assert_eq!(handover.berichten[0].bijzondere_gegevens[0].categorie, Category::Health);
    assert!(handover.berichten[0].bsn);
    assert_eq!(handover.berichten[0].betrokkenen.len(), 3, "{:?}", handover.berichten[0].betrokkenen);
    let [signal, feedback] = arrears.berichten.as_slice() else { panic!("two") };
    assert_eq!((numbers(&signal.bronnen), numbers(&signal.ontvangers)), (vec![oin(2), oin(3)], vec![]));
    assert_eq!((numbers(&feedback.bronnen), numbers(&feedback.ontvangers)), (vec![], vec![oin(2), oin(3)]));
    assert_eq!(arrears.bewaartermijn_dagen, 183);
    assert_eq!(arrears.convenanten.len(), 1, "once, whatever the clauses");
    assert_eq!(arrears.convenanten[0].titel, "rivierland versie 3");
}

#[test]
fn another_party_has_another_register_of_the_same_agreement() {
    let register = of(2, OrganisationKind::HousingCorporation);
    assert_eq!(register.verwerkingen.len(), 1);
    let signal = &register.verwerkingen[0].berichten[0];
    assert_eq!((numbers(&signal.bronnen), numbers(&signal.ontvangers)), (vec![], vec![oin(1)]));
}

/// The next version is between the municipality and the first corporation, and has no feedback.
#[test]
fn what_was_replaced_counts_for_those_it_goes_on_with() {
    let first = first(AnswerKind::Accepted);
    let mut content = first.content().clone();
    content.versie += 1;
    content.partijen.truncate(2);
    content.afspraken.truncate(1);
    content.afspraken[0].van = vec![oin(2)];
    let second = answered(&content, AnswerKind::Accepted);
    let purposes = ["vroegsignalering-huur", "overdracht-werk-en-inkomen"].map(purpose);
    let rules = Rulebook::new([first, second], purposes);
    let owner = controller(&party(1, OrganisationKind::Municipality));
    let register = made(owner, &rules, &Held::new(), now());
    let arrears = register.verwerkingen.iter().find(|one| one.doel == "vroegsignalering-huur").unwrap();
    let [signal, feedback] = arrears.berichten.as_slice() else { panic!("two") };
    assert_eq!(numbers(&signal.bronnen), [oin(2), oin(3)]);
    assert_eq!(numbers(&feedback.ontvangers), [oin(3)], "and not the first any more");
    assert_eq!(arrears.convenanten.len(), 2);
}

#[test]
fn only_what_is_in_force_counts() {
    let owner = || controller(&party(1, OrganisationKind::Municipality));
    for (answers, time) in
        [(AnswerKind::Ended, "2026-11-21T09:30:00Z"), (AnswerKind::Accepted, "2027-01-01T00:00:00Z")]
    {
        let register = made(owner(), &rules(answers), &Held::new(), time.parse().unwrap());
        assert!(register.verwerkingen.is_empty(), "{answers:?} {time}");
    }
}

/// What came under an agreement is there after it ended, so it is a processing still; once that is gone it is named as past,
/// since records of processings name it.
#[test]
fn what_is_kept_after_its_agreement_ended_is_in_it() {
    let first = first(AnswerKind::Accepted);
    let held = Held::from([(first.digest(), "vroegsignalering-huur".to_owned())]);
    let purposes = || ["vroegsignalering-huur", "overdracht-werk-en-inkomen"].map(purpose);
    let rules = Rulebook::new([first], purposes());
    let owner = || controller(&party(1, OrganisationKind::Municipality));
    let later = "2027-01-15T00:00:00Z".parse().unwrap();
    let register = made(owner(), &rules, &held, later);
    let [arrears] = register.verwerkingen.as_slice() else { panic!("one") };
    assert_eq!((arrears.doel.as_str(), arrears.stand), ("vroegsignalering-huur", Stand::Afgelopen));
    assert_eq!(numbers(&arrears.berichten[0].bronnen), [oin(2), oin(3)]);
    let past: Vec<&str> = register.overig.iter().map(|one| one.verwerking.as_str()).collect();
    assert_eq!(past, ["https://register.test/v/overdracht-werk-en-inkomen/1"]);
    let nothing = made(owner(), &rules, &Held::new(), later);
    assert_eq!((nothing.verwerkingen.len(), nothing.overig.len()), (0, 2));
    let before = made(owner(), &rules, &held, now());
    assert!(before.verwerkingen.iter().all(|one| one.stand == Stand::Actueel) && before.overig.is_empty());
}

/// PROTOCOL §5.5(3): what an authority sends does not rest on it, so its register does not say so.
#[test]
fn an_authority_has_no_legitimate_interest_for_what_it_sends() {
    let consultation = purpose("consultatie");
    let message_type = consultation.content().berichten.iter().find(|rule| {
        let interest = rule.grondslagen.iter().any(|one| one.soort == BasisKind::LegitimateInterest);
        interest
            && rule.van.contains(&OrganisationKind::Municipality)
            && rule.van.contains(&OrganisationKind::HousingCorporation)
            && rule.naar.contains(&OrganisationKind::Municipality)
            && rule.naar.contains(&OrganisationKind::HousingCorporation)
    });
    let message_type = message_type.unwrap().message_type.clone();
    let parties =
        vec![party(1, OrganisationKind::Municipality), party(2, OrganisationKind::HousingCorporation)];
    let interest = |from: &[u8], to: &[u8], of: usize| {
        let content = Content {
            groep: "rivierland".into(),
            versie: 1,
            partijen: parties.clone(),
            geldig_van: date(2026, 1, 1),
            geldig_tot: date(2026, 12, 31),
            afspraken: vec![clause(&consultation, from, to, &message_type)],
        };
        let rules = Rulebook::new([answered(&content, AnswerKind::Accepted)], [consultation.clone()]);
        let register = made(controller(&parties[of]), &rules, &Held::new(), now());
        let bases = &register.verwerkingen[0].berichten[0].grondslagen;
        bases.iter().find(|one| one.soort == BasisKind::LegitimateInterest).map(|one| one.alleen_ontvangen)
    };
    assert_eq!(interest(&[1], &[2], 0), None, "the municipality sends");
    assert_eq!(interest(&[1], &[2], 1), None, "and so the corporation gets nothing on it");
    assert_eq!(interest(&[2], &[1], 0), Some(false), "it only gets");
    assert_eq!(interest(&[1, 2], &[1, 2], 0), Some(true));
    assert_eq!(interest(&[1, 2], &[1, 2], 1), Some(false), "the corporation may");
}

/// What cannot rest on consent says nothing of its withdrawal.
#[test]
fn only_what_can_rest_on_consent_says_what_its_withdrawal_does() {
    let register = of(1, OrganisationKind::Municipality);
    for activity in &register.verwerkingen {
        let bases = activity.berichten.iter().flat_map(|flow| &flow.grondslagen);
        let by_consent = bases.into_iter().any(|basis| basis.soort == BasisKind::Consent);
        assert_eq!(activity.bij_intrekking.is_some(), by_consent, "{}", activity.doel);
    }
    assert!(register.verwerkingen.iter().any(|one| one.bij_intrekking.is_none()), "the test is about one");
}

/// The version that was agreed on then, whatever came or ended later.
#[test]
fn an_activity_is_named_by_the_version_of_that_time() {
    let agreed = Rulebook::new([first(AnswerKind::Accepted)], [purpose("vroegsignalering-huur")]);
    let at = |time: &str, name| activity::version_at(&agreed, oin(1), name, time.parse().unwrap());
    assert_eq!(at("2026-11-21T09:30:00Z", "vroegsignalering-huur"), Some(1));
    assert_eq!(at("2027-06-01T00:00:00Z", "vroegsignalering-huur"), Some(1));
    assert_eq!(at("2026-11-21T09:29:59Z", "vroegsignalering-huur"), None, "nobody agreed yet");
    assert_eq!(at("2026-11-21T09:30:00Z", "iets-anders"), None);
    let names: BTreeSet<String> = activity::Own::ALL.into_iter().map(|own| Names(None).own(own)).collect();
    assert_eq!(names.len(), 3);
}
