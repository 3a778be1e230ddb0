#![allow(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

use std::collections::BTreeSet;

use proptest::prelude::*;
use schemas::{Category, Document, SchemaName};
use serde_json::{Value, json};

use super::*;
use crate::{
    agreement::AnswerKind,
    message::{Draft, ReceivedMessage},
    organisation::OrganisationKind,
    policy::ConsentKnowledge,
    purpose::{OnWithdrawal, Purpose},
    random::SeededRandom,
    refusal::Reason,
    rulebook::Rulebook,
    testing::{
        self, agreement, answer, clause, content, data, draft_of, now, oin, party, purpose_with, signer,
    },
};

mod case;

const ID: &str = "7c9e6679-7425-40de-944b-e07fc1f90ae7";

/// Three parties: 1 asked for the consent, 2 may have the data, 3 too or not.
fn world() -> (Rulebook, crate::agreement::Agreement) {
    let purpose = purpose_with(|content| {
        content.berichten[0].grondslagen[0].soort = schemas::BasisKind::Consent;
        content.berichten[0].van = OrganisationKind::ALL.into();
        content.berichten[0].naar = OrganisationKind::ALL.into();
    });
    let mut content = content();
    content.partijen.push(party(3, OrganisationKind::Municipality));
    content.afspraken = [(1, 2), (2, 3), (1, 3), (3, 2), (2, 1), (3, 1)]
        .into_iter()
        .map(|(from, to)| clause(&purpose, from, to, testing::ARREARS))
        .collect();
    let mut agreement = agreement(&content);
    for number in 1..=3 {
        answer(&mut agreement, number, AnswerKind::Accepted);
    }
    (Rulebook::new([agreement.clone()], [purpose]), agreement)
}

fn record_of(change: impl FnOnce(&mut Value)) -> Value {
    let mut record = json!({
        "betrokkene": data()["betrokkene"],
        "inhoud": {
            "id": ID,
            "verleend_aan": [oin(2)],
            "doelen": [testing::PURPOSE],
            "gegevens": {
                "categorieen": ["identificatie", "adres", "contact", "financieel"],
                "leefgebieden": ["financien"],
            },
            "verleend_op": "2026-11-02T10:00:00+01:00",
            "geldig_tot": "2027-05-01T00:00:00Z",
            "wijze": "schriftelijk",
            "vrijheid": {
                "gevolg_van_weigeren": "Geen.", "hulp_hangt_ervan_af": false,
                "uitgelegd_door": { "organisatie": "Organisatie 1", "functie": "consulent" },
                "taal": "nl", "steun_aanwezig": true, "gewezen_op_intrekken": true,
            },
            "bewijs": { "soort": "formulier", "kenmerk": "TF-1" },
        },
    });
    change(&mut record);
    record
}

fn filled_in(record: &Value) -> Result<ConsentRecord, RecordError> {
    let salts = Salts::new(&SeededRandom::new(5));
    ConsentRecord::fill_in(record.to_string().as_bytes(), Uuid::from_u128(9), salts)
}

fn record() -> ConsentRecord {
    filled_in(&record_of(|_| {})).unwrap()
}

/// What no rule of its own purposes allows is named; what another purpose allows does not help.
#[test]
fn what_can_never_go_under_it_is_named() {
    let of_purpose = |name: &str| {
        purpose_with(|content| {
            content.doel = name.to_owned();
            content.berichten[0].gegevens.remove(&Category::Contact);
            content.berichten[0].leefgebieden.clear();
            content.berichten[0].bsn = false;
        })
    };
    let all = purpose_with(|content| content.doel = "een-ander-doel".to_owned());
    let record = filled_in(&record_of(|record| {
        record["inhoud"]["gegevens"]["categorieen"] =
            json!(["identificatie", "bsn", "contact", "financieel", "gezondheid"]);
    }))
    .unwrap();
    let never = record.never_allowed(&[of_purpose(testing::PURPOSE), all]);
    assert_eq!(
        never.iter().copied().collect::<BTreeSet<_>>(),
        ["bsn", "contact", "financien", "gezondheid"].into()
    );
    assert_eq!(self::record().never_allowed(&[purpose_with(|_| {})]), Vec::<&str>::new());
}

fn how() -> HowGiven {
    HowGiven {
        wijze: "mondeling".into(),
        bewijs_soort: "gespreksverslag".into(),
        bewijs_kenmerk: "GV-2".into(),
    }
}

/// The data of a message that rests on this record of party 1.
fn resting_on(record: &ConsentRecord, mut data: Value) -> Value {
    let bare = testing::document(&data);
    let salts = record.salts_for(Identity::of(&bare).as_ref());
    let mut zout = json!({});
    for (name, salt) in [("bsn", salts.bsn), ("persoon", salts.person)] {
        if let Some(salt) = salt {
            zout[name] = json!(salt);
        }
    }
    data["grondslag"]["soort"] = json!("toestemming");
    data["grondslag"]["toestemming"] =
        json!({ "id": record.id(), "uittreksel": record.extract(oin(1), &signer(1)).unwrap(), "zout": zout });
    data
}

fn send(data: &Value, (from, to): (u8, u8), known: ConsentKnowledge) -> Result<Option<ConsentUse>, Reason> {
    let (rules, agreement) = world();
    let draft = Draft { from: oin(from), to: oin(to), agreement: agreement.digest(), ..draft_of(data) };
    let signed =
        draft.permit(&rules, known).map_err(|held| held.refusal().reason)?.sign(&signer(from)).unwrap();
    let received = ReceivedMessage::new(signed.compact(), oin(from)).verify(oin(to), &rules, now()).unwrap();
    let admitted = received.admit(&rules, known, now()).map_err(|refused| refused.refusal().reason)?;
    assert_eq!(admitted.consent(), signed.consent(), "both sides file it under the same consent");
    Ok(admitted.consent().cloned())
}

#[test]
fn the_holder_sends_on_its_own_record() {
    let used = send(&resting_on(&record(), data()), (1, 2), ConsentKnowledge::NothingElse).unwrap().unwrap();
    assert_eq!(used.key, record().key(oin(1)));
    assert_eq!(used.valid_until, record().valid_until());
}

#[test]
fn who_may_have_it_passes_it_on_to_who_may_have_it() {
    let both =
        filled_in(&record_of(|record| record["inhoud"]["verleend_aan"] = json!([oin(2), oin(3)]))).unwrap();
    assert!(send(&resting_on(&both, data()), (2, 3), ConsentKnowledge::NothingElse).is_ok());
    let refused = send(&resting_on(&record(), data()), (2, 3), ConsentKnowledge::NothingElse);
    assert_eq!(refused, Err(Reason::ConsentMissing), "3 was not named");
    // 3 never got it by this consent, so it has nothing to send on.
    let refused = send(&resting_on(&record(), data()), (3, 2), ConsentKnowledge::NothingElse);
    assert_eq!(refused, Err(Reason::ConsentMissing));
}

/// Who asked for it gets what others send under it, also when it did not name itself.
#[test]
fn the_holder_may_have_what_it_asked_for() {
    assert!(!record().granted_to().contains(&oin(1)));
    assert!(send(&resting_on(&record(), data()), (2, 1), ConsentKnowledge::NothingElse).is_ok());
    let refused = send(&resting_on(&record(), data()), (3, 1), ConsentKnowledge::NothingElse);
    assert_eq!(refused, Err(Reason::ConsentMissing), "3 was not named");
}

/// Whoever offers a message hears what about the consent is the matter.
#[test]
fn a_refusal_says_what_the_consent_lacks() {
    let (rules, agreement) = world();
    let why = |data: &Value, (from, to): (u8, u8)| {
        let draft = Draft { from: oin(from), to: oin(to), agreement: agreement.digest(), ..draft_of(data) };
        draft.permit(&rules, ConsentKnowledge::NothingElse).unwrap_err().refusal().about.join(", ")
    };
    let good = resting_on(&record(), data());
    let with = |change: fn(&mut Value)| {
        let mut data = good.clone();
        change(&mut data);
        data
    };
    let none = with(|data| drop(data["grondslag"].as_object_mut().unwrap().remove("toestemming")));
    let unknown = with(|data| {
        data["grondslag"]["toestemming"] = json!({ "id": ID });
    });
    let other = with(|data| data["betrokkene"]["naam"]["achternaam"] = json!("Anders"));
    let number =
        with(|data| data["grondslag"]["toestemming"]["id"] = json!("7c9e6679-7425-40de-944b-e07fc1f90ae8"));
    let mut forged = good.clone();
    forged["grondslag"]["toestemming"]["uittreksel"] = json!(record().extract(oin(1), &signer(2)).unwrap());
    let purpose = filled_in(&record_of(|one| one["inhoud"]["doelen"] = json!(["iets-anders"]))).unwrap();
    let narrow = filled_in(&record_of(|one| one["inhoud"]["gegevens"]["leefgebieden"] = json!([]))).unwrap();
    for (data, parties, expected) in [
        (none, (1, 2), "geen toestemming bij"),
        (unknown, (1, 2), "geen toestemming met dit nummer"),
        (number, (1, 2), "van een andere toestemming"),
        (forged, (1, 2), "niet ondertekend"),
        (other, (1, 2), "van een andere inwoner"),
        (good.clone(), (1, 3), "noemt de ontvanger niet"),
        (good.clone(), (3, 2), "noemt de verzender niet"),
        (resting_on(&purpose, testing::data()), (1, 2), "noemt dit doel niet"),
        (resting_on(&narrow, testing::data()), (1, 2), "noemt financien niet"),
    ] {
        let about = why(&data, parties);
        assert!(about.contains(expected), "{expected}: {about}");
    }
}

/// It held when the message was signed, and has run out when that comes in.
#[test]
fn a_consent_that_expires_between_sending_and_receipt() {
    let until = now() + jiff::SignedDuration::from_secs(60);
    let short = filled_in(&record_of(|record| record["inhoud"]["geldig_tot"] = json!(until))).unwrap();
    let (rules, agreement) = world();
    let data = resting_on(&short, data());
    let draft = Draft { from: oin(1), to: oin(2), agreement: agreement.digest(), ..draft_of(&data) };
    let signed = draft.permit(&rules, ConsentKnowledge::NothingElse).unwrap().sign(&signer(1)).unwrap();
    let received = |at, known| {
        let verified = ReceivedMessage::new(signed.compact(), oin(1)).verify(oin(2), &rules, at).unwrap();
        verified.admit(&rules, known, at).map(drop).map_err(|refused| refused.refusal().reason)
    };
    let second = jiff::SignedDuration::from_secs(1);
    assert_eq!(received(until - second, ConsentKnowledge::NothingElse), Ok(()));
    assert_eq!(received(until, ConsentKnowledge::NothingElse), Err(Reason::ConsentExpired));
    let extended = ConsentKnowledge::ValidUntil(until + second);
    assert_eq!(received(until, extended), Ok(()), "the extension came first");
}

#[test]
fn an_extract_of_another_person_is_worth_nothing() {
    let mut other = resting_on(&record(), data());
    other["betrokkene"]["naam"]["achternaam"] = json!("Anders");
    assert_eq!(send(&other, (1, 2), ConsentKnowledge::NothingElse), Err(Reason::ConsentMissing));
    let mut unopened = resting_on(&record(), data());
    unopened["grondslag"]["toestemming"].as_object_mut().unwrap().remove("zout");
    assert_eq!(send(&unopened, (1, 2), ConsentKnowledge::NothingElse), Err(Reason::ConsentMissing));
    // A salt of what the message does not say tells more than the message.
    let mut too_much = resting_on(&record(), data());
    too_much["grondslag"]["toestemming"]["zout"]["bsn"] = json!("A".repeat(43));
    assert_eq!(send(&too_much, (1, 2), ConsentKnowledge::NothingElse), Err(Reason::ConsentMissing));
}

#[test]
fn an_extract_that_somebody_else_signed_is_forged() {
    let (_, agreement) = world();
    let extract = record().extract(oin(1), &signer(2)).unwrap();
    assert_eq!(Extract::read(&extract, &agreement), Err(extract::NotAnExtract), "2 signs in the name of 1");
    let mut forged = resting_on(&record(), data());
    forged["grondslag"]["toestemming"]["uittreksel"] = json!(extract);
    assert_eq!(send(&forged, (1, 2), ConsentKnowledge::NothingElse), Err(Reason::ConsentMissing));
    // Of a holder that is no party nobody knows a key.
    let stranger = record().extract(oin(7), &signer(7)).unwrap();
    assert_eq!(Extract::read(&stranger, &agreement), Err(extract::NotAnExtract));
}

#[test]
fn an_extension_counts_and_a_withdrawal_more() {
    let short = filled_in(&record_of(|record| record["inhoud"]["geldig_tot"] = json!(now()))).unwrap();
    let data = resting_on(&short, data());
    assert_eq!(send(&data, (1, 2), ConsentKnowledge::NothingElse), Err(Reason::ConsentExpired));
    let later = now() + jiff::SignedDuration::from_secs(1);
    assert!(send(&data, (1, 2), ConsentKnowledge::ValidUntil(later)).is_ok());
    assert_eq!(send(&data, (1, 2), ConsentKnowledge::ValidUntil(now())), Err(Reason::ConsentExpired));
    assert_eq!(send(&data, (1, 2), ConsentKnowledge::Withdrawn), Err(Reason::ConsentWithdrawn));
}

#[test]
fn a_consent_given_tomorrow_is_none_today() {
    let early =
        filled_in(&record_of(|record| record["inhoud"]["verleend_op"] = json!("2026-11-22T09:30:00Z")))
            .unwrap();
    assert_eq!(
        send(&resting_on(&early, data()), (1, 2), ConsentKnowledge::NothingElse),
        Err(Reason::ConsentMissing)
    );
}

#[test]
fn a_record_is_kept_as_it_was_and_can_be_extended() {
    let kept = ConsentRecord::from_stored(&record().to_stored()).unwrap();
    assert_eq!(kept.digest(), record().digest());
    let until = "2027-09-01T00:00:00Z".parse().unwrap();
    let longer = kept.extended(until, &how(), now()).unwrap();
    assert_eq!((longer.id(), longer.valid_until(), longer.given()), (kept.id(), until, now()));
    assert_ne!(longer.digest(), kept.digest());
    // The salts stay, so that what was opened before still opens.
    let document = testing::document(&data());
    let whom = Identity::of(&document);
    assert_eq!(longer.salts_for(whom.as_ref()), kept.salts_for(whom.as_ref()));
}

/// An extension that is no longer would end what holds.
#[test]
fn an_extension_is_longer() {
    let second = jiff::SignedDuration::from_secs(1);
    for until in [record().valid_until(), record().valid_until() - second] {
        assert_eq!(record().extended(until, &how(), now()).err(), Some(RecordError::NotLonger));
    }
    assert!(record().extended(record().valid_until() + second, &how(), now()).is_ok());
}

/// That the resident could choose freely was stated once, and an extension does not say that it was stated again.
#[test]
fn an_extension_says_when_freedom_was_stated() {
    let later = |days: i64| record().valid_until() + jiff::SignedDuration::from_hours(24 * days);
    let stated = |record: &ConsentRecord| record.document().value()["inhoud"][FREEDOM_STATED].clone();
    assert_eq!(stated(&record()), Value::Null);
    let once = record().extended(later(1), &how(), now()).unwrap();
    let twice = once.extended(later(2), &how(), now()).unwrap();
    for extended in [once, twice] {
        assert_eq!(stated(&extended), json!("2026-11-02T10:00:00+01:00"));
    }
    let said = filled_in(&record_of(|one| one["inhoud"][FREEDOM_STATED] = json!(now())));
    assert!(matches!(said, Err(RecordError::Schema(why)) if why.contains(FREEDOM_STATED)));
}

/// The longest of the purposes that it names, and no other; five years where none of them says anything.
#[test]
fn a_record_is_kept_as_long_as_its_purposes_ask() {
    let record = record();
    let own = the_purpose();
    let with = |name: Option<&str>, days: Option<u32>| {
        let mut value: Value = serde_json::from_str(own.text()).unwrap();
        if let Some(name) = name {
            value["doel"] = json!(name);
        }
        if let Some(days) = days {
            value["bewijs_toestemming_dagen"] = json!(days);
        }
        Purpose::from_json(&value.to_string()).unwrap()
    };
    assert_eq!(record.proof_days(&[]), 1826);
    assert_eq!(record.proof_days(&[with(None, None)]), 1826);
    assert_eq!(record.proof_days(&[with(None, Some(30))]), 30);
    assert_eq!(
        record.proof_days(&[with(None, Some(30)), with(None, Some(90)), with(Some("anders"), Some(7305))]),
        90
    );
}

#[test]
fn a_record_says_that_the_choice_was_free() {
    let check = |change: fn(&mut Value), kind| {
        let purposes = [world().0.purpose(the_purpose().digest()).unwrap().as_ref().clone()];
        filled_in(&record_of(change)).unwrap().check(kind, &purposes, now())
    };
    let corporation = OrganisationKind::HousingCorporation;
    assert_eq!(check(|_| {}, corporation), Ok(()));
    let depends: fn(&mut Value) = |one| one["inhoud"]["vrijheid"]["hulp_hangt_ervan_af"] = json!(true);
    assert_eq!(check(depends, corporation), Err(RecordError::NotFree));
    let untold: fn(&mut Value) = |one| one["inhoud"]["vrijheid"]["gewezen_op_intrekken"] = json!(false);
    assert_eq!(check(untold, corporation), Err(RecordError::NotTold));
    for until in ["2026-11-21T09:30:00.123Z", "2026-11-01T00:00:00Z", "2030-01-01T00:00:00Z"] {
        let record = filled_in(&record_of(|one| one["inhoud"]["geldig_tot"] = json!(until))).unwrap();
        assert_eq!(record.check(corporation, &[the_purpose()], now()), Err(RecordError::Times), "{until}");
    }
    let unknown: fn(&mut Value) = |one| one["inhoud"]["doelen"] = json!(["iets-anders"]);
    assert_eq!(check(unknown, corporation), Err(RecordError::PurposeUnknown("iets-anders".into())));
    let by_law = [testing::purpose()];
    let refused = record().check(corporation, &by_law, now());
    assert_eq!(refused, Err(RecordError::NotByConsent(testing::PURPOSE.into())));
}

fn the_purpose() -> Purpose {
    purpose_with(|content| {
        content.berichten[0].grondslagen[0].soort = schemas::BasisKind::Consent;
        content.berichten[0].van = OrganisationKind::ALL.into();
        content.berichten[0].naar = OrganisationKind::ALL.into();
    })
}

/// Towards an authority somebody is seldom free to refuse: where the law gives a basis, it goes first.
#[test]
fn an_authority_says_why_it_does_not_use_the_law() {
    let both = purpose_with(|content| {
        let rule = &mut content.berichten[0];
        rule.van = OrganisationKind::ALL.into();
        let mut consent = rule.grondslagen[0].clone();
        consent.soort = schemas::BasisKind::Consent;
        rule.grondslagen.push(consent);
        content.bij_intrekking = OnWithdrawal::AndereGrondslag;
    });
    let why: fn(&mut Value) =
        |one| one["inhoud"]["waarom_toestemming"] = json!("De inwoner vroeg er zelf om.");
    for kind in OrganisationKind::ALL {
        let bare = record().check(kind, std::slice::from_ref(&both), now());
        let first =
            matches!(&bare, Err(RecordError::StatutoryFirst { articles, .. }) if articles.contains("Wgs"));
        assert_eq!(first, kind.is_authority(), "{kind}: {bare:?}");
        let told = filled_in(&record_of(why)).unwrap().check(kind, std::slice::from_ref(&both), now());
        assert_eq!(told, Ok(()), "{kind}");
    }
}

/// The law may give its basis for another type of message of the purpose than the one that knows consent.
#[test]
fn the_law_goes_first_whatever_type_of_message_it_is_for() {
    let purpose = |senders: &[OrganisationKind]| {
        purpose_with(|content| {
            let mut by_consent = content.berichten[0].clone();
            by_consent.message_type = SchemaName::CareConcern.message_type().unwrap().to_owned();
            by_consent.grondslagen[0].soort = schemas::BasisKind::Consent;
            content.berichten.truncate(1);
            content.berichten[0].van = senders.iter().copied().collect();
            content.berichten.push(by_consent);
        })
    };
    let check = |senders: &[OrganisationKind]| {
        record().check(OrganisationKind::Municipality, &[purpose(senders)], now())
    };
    let first = check(&[OrganisationKind::Municipality]);
    assert!(matches!(first, Err(RecordError::StatutoryFirst { articles, .. }) if articles.contains("Wgs")));
    assert_eq!(check(&[OrganisationKind::HousingCorporation]), Ok(()), "it is not for this kind");
}

fn about(schema: SchemaName, content: &Value) -> Document {
    let data = json!({
        "grondslag": { "soort": "wettelijke-verplichting", "artikelen": ["AVG art. 7 lid 3"] },
        "inhoud": content,
    });
    Document::parse(schema, data.to_string().as_bytes()).unwrap()
}

fn event(schema: SchemaName, content: &Value, parties: (u8, u8)) -> Result<Option<Event>, Reason> {
    let (_, agreement) = world();
    Event::of(&about(schema, content), &agreement, (oin(parties.0), oin(parties.1)))
        .map_err(|refusal| refusal.reason)
}

#[test]
fn the_word_of_the_holder_holds_whoever_brings_it() {
    let statement = Statement::sign(record().id(), oin(1), now(), &signer(1)).unwrap();
    let content =
        json!({ "toestemming_id": ID, "houder": oin(1), "ingetrokken_op": now(), "verklaring": statement });
    for parties in [(1, 2), (2, 3)] {
        let Ok(Some(Event::Withdrawn(read))) = event(SchemaName::ConsentWithdrawn, &content, parties) else {
            panic!("{parties:?}")
        };
        assert_eq!((read.key(), read.at()), (record().key(oin(1)), now()));
    }
    let forged = Statement::sign(record().id(), oin(1), now(), &signer(2)).unwrap();
    let mut other = content.clone();
    other["verklaring"] = json!(forged);
    assert_eq!(event(SchemaName::ConsentWithdrawn, &other, (2, 3)), Err(Reason::NotTheirsToSay));
    // The statement is of another consent than the message says.
    let mut other = content;
    other["toestemming_id"] = json!("7c9e6679-7425-40de-944b-e07fc1f90ae8");
    assert_eq!(event(SchemaName::ConsentWithdrawn, &other, (1, 2)), Err(Reason::NotTheirsToSay));
}

#[test]
fn who_had_the_data_reports_to_the_holder_and_nobody_else() {
    let extract = record().extract(oin(1), &signer(1)).unwrap();
    let content =
        json!({ "toestemming_id": ID, "houder": oin(1), "ingetrokken_op": now(), "uittreksel": extract });
    let reported = Event::Reported { consent: record().key(oin(1)), at: now() };
    assert_eq!(event(SchemaName::ConsentWithdrawn, &content, (2, 1)), Ok(Some(reported)));
    let refused = Err(Reason::NotTheirsToSay);
    assert_eq!(event(SchemaName::ConsentWithdrawn, &content, (3, 1)), refused, "3 never had it");
    assert_eq!(event(SchemaName::ConsentWithdrawn, &content, (2, 3)), refused, "3 is not the holder");
}

#[test]
fn an_extension_goes_to_who_may_have_the_data() {
    let extract = record().extract(oin(1), &signer(1)).unwrap();
    let content = json!({ "toestemming_id": ID, "houder": oin(1), "uittreksel": extract });
    assert!(matches!(event(SchemaName::ConsentExtended, &content, (1, 2)), Ok(Some(Event::Extended(_)))));
    assert_eq!(event(SchemaName::ConsentExtended, &content, (1, 3)), Err(Reason::NotTheirsToSay));
}

#[test]
fn what_was_done_is_told_to_the_holder() {
    let content = json!({
        "toestemming_id": ID, "houder": oin(1), "verwerkt_op": now(), "uitkomst": "gewist",
        "doorgestuurd_aan": [oin(3)],
    });
    let Ok(Some(Event::Processed(done))) = event(SchemaName::ConsentProcessed, &content, (2, 1)) else {
        panic!("not processed")
    };
    assert_eq!((done.done, done.passed_to, done.kept), (WhatWasDone::Gewist, vec![oin(3)], None));
    assert_eq!(event(SchemaName::ConsentProcessed, &content, (2, 3)), Err(Reason::NotTheirsToSay));
}

/// A confirmation is for who may have something under a consent of the receiver, by its own key and no other.
#[test]
fn only_who_may_have_something_confirms() {
    let (rules, agreement) = world();
    let content =
        json!({ "toestemming_id": ID, "houder": oin(1), "verwerkt_op": now(), "uitkomst": "gewist" });
    let document = about(SchemaName::ConsentProcessed, &content);
    let draft =
        Draft { from: oin(2), to: oin(1), agreement: agreement.digest(), document, ..draft_of(&data()) };
    let signed = draft.permit(&rules, ConsentKnowledge::NothingElse).unwrap().sign(&signer(2)).unwrap();
    let verified = || ReceivedMessage::new(signed.compact(), oin(2)).verify(oin(1), &rules, now()).unwrap();
    assert_eq!(verified().confirmed_consent(), Some((record().key(oin(1)), oin(2))));
    assert_eq!(verified().claimed_consent(), None);
    let admit = |known| {
        let admitted = verified().admit(&rules, known, now());
        admitted.map(|one| one.event().cloned()).map_err(|refused| refused.refusal().reason)
    };
    assert_eq!(admit(ConsentKnowledge::NothingElse), Err(Reason::NotTheirsToSay));
    for known in [ConsentKnowledge::Withdrawn, ConsentKnowledge::ValidUntil(now())] {
        assert!(matches!(admit(known), Ok(Some(Event::Processed(_)))), "{known:?}");
    }
}

/// A consent beside the legal basis would have the message looked up by another consent than it speaks of.
#[test]
fn what_is_said_of_a_consent_does_not_rest_on_one() {
    let (rules, agreement) = world();
    let extract = record().extract(oin(1), &signer(1)).unwrap();
    let statement = Statement::sign(record().id(), oin(1), now(), &signer(1)).unwrap();
    for (schema, (from, to), content) in [
        (SchemaName::ConsentProcessed, (2, 1), json!({ "verwerkt_op": now(), "uitkomst": "gewist" })),
        (SchemaName::ConsentExtended, (1, 2), json!({ "uittreksel": extract })),
        (SchemaName::ConsentWithdrawn, (1, 2), json!({ "ingetrokken_op": now(), "verklaring": statement })),
    ] {
        let mut content = content;
        content["toestemming_id"] = json!(ID);
        content["houder"] = json!(oin(1));
        let permit = |basis: Value| {
            let text = json!({ "grondslag": basis, "inhoud": content }).to_string();
            let document = Document::parse(schema, text.as_bytes()).unwrap();
            let (from, to, agreement) = (oin(from), oin(to), agreement.digest());
            let draft = Draft { from, to, agreement, document, ..draft_of(&data()) };
            draft
                .permit(&rules, ConsentKnowledge::NothingElse)
                .map(drop)
                .map_err(|held| held.refusal().reason)
        };
        let mut basis = json!({ "soort": "wettelijke-verplichting", "artikelen": ["AVG art. 7 lid 3"] });
        assert_eq!(permit(basis.clone()), Ok(()), "{schema:?}");
        basis["toestemming"] = json!({ "id": ID, "uittreksel": extract });
        assert_eq!(permit(basis), Err(Reason::BasisMissing), "{schema:?}");
    }
}

/// These messages go when nothing else does any more: after the agreement, which both once accepted, has ended.
#[test]
fn a_withdrawal_outlives_the_agreement() {
    let (rules, _) = world();
    let purpose = rules.purpose(the_purpose().digest()).unwrap().as_ref().clone();
    let (_, mut agreement) = world();
    answer(&mut agreement, 2, AnswerKind::Ended);
    let statement = Statement::sign(record().id(), oin(1), now(), &signer(1)).unwrap();
    let content =
        json!({ "toestemming_id": ID, "houder": oin(1), "ingetrokken_op": now(), "verklaring": statement });
    let document = about(SchemaName::ConsentWithdrawn, &content);
    let (digest, rules) = (agreement.digest(), Rulebook::new([agreement], [purpose.clone()]));
    let draft = || Draft { document: document.clone(), agreement: digest, ..draft_of(&data()) };
    let signed = draft().permit(&rules, ConsentKnowledge::NothingElse).unwrap().sign(&signer(1)).unwrap();
    let verified = ReceivedMessage::new(signed.compact(), oin(1)).verify(oin(2), &rules, now()).unwrap();
    let admitted = verified.admit(&rules, ConsentKnowledge::NothingElse, now()).unwrap();
    assert!(matches!(admitted.event(), Some(Event::Withdrawn(_))));

    let never = testing::agreement(&world().1.content().clone());
    let digest = never.digest();
    let rules = Rulebook::new([never], [purpose]);
    let draft = Draft { document, agreement: digest, ..draft_of(&data()) };
    let held = draft.permit(&rules, ConsentKnowledge::NothingElse).unwrap_err();
    assert_eq!(held.refusal().reason, Reason::AgreementNotInForce, "nobody accepted it");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// A byte of an extract changed, and it is none.
    #[test]
    fn no_changed_extract_is_read(at in any::<prop::sample::Index>(), to in "[A-Za-z0-9_.-]") {
        let (_, agreement) = world();
        let extract = record().extract(oin(1), &signer(1)).unwrap();
        let mut changed: Vec<char> = extract.chars().collect();
        let at = at.index(changed.len());
        changed[at] = to.chars().next().unwrap();
        let changed: String = changed.into_iter().collect();
        prop_assert!(changed == extract || Extract::read(&changed, &agreement).is_err());
    }

    /// The salts that go with a message are those of what the message says, and they open the extract for it alone.
    #[test]
    fn salts_say_no_more_than_the_message(with_bsn in any::<bool>(), record_bsn in any::<bool>()) {
        let record = filled_in(&record_of(|one| {
            if record_bsn {
                one["betrokkene"]["bsn"] = json!("999990342");
            }
        })).unwrap();
        let mut data = data();
        if with_bsn {
            data["betrokkene"]["bsn"] = json!("999990342");
        }
        let document = testing::document(&data);
        let salts = record.salts_for(Identity::of(&document).as_ref());
        prop_assert_eq!(salts.bsn.is_some(), with_bsn && record_bsn);
        prop_assert!(salts.person.is_some());
        let (_, agreement) = world();
        let extract = Extract::read(&record.extract(oin(1), &signer(1)).unwrap(), &agreement).unwrap();
        let document = testing::document(&resting_on(&record, data.clone()));
        prop_assert!(extract.is_about(&document, None));
        if with_bsn && record_bsn {
            let mut other = resting_on(&record, data);
            other["betrokkene"]["bsn"] = json!("111222333");
            prop_assert!(!extract.is_about(&testing::document(&other), None), "the number of somebody else");
        }
    }
}
