//! Messages that name nobody rest on the consent of the resident of their case, and of nobody else.

use super::*;
use crate::policy::Knowledge;

/// What 2 says to 1 about something that came from 1.
const ANSWER: &str = include_str!("../../../../../schemas/fixtures/valid/terugkoppeling/resultaat.json");
const OTHER: &str = "01936f2a-4c1e-7b3a-9c5d-2f6e8a1b4c71";

fn world() -> (Rulebook, crate::agreement::Agreement) {
    let purpose = purpose_with(|content| {
        content.berichten[1].grondslagen[0].soort = schemas::BasisKind::Consent;
    });
    let mut content = content();
    content.afspraken = vec![clause(&purpose, 2, 1, testing::FEEDBACK)];
    let mut agreement = agreement(&content);
    for number in 1..=2 {
        answer(&mut agreement, number, AnswerKind::Accepted);
    }
    (Rulebook::new([agreement.clone()], [purpose]), agreement)
}

/// A consent of the resident of the fixtures, or of another.
fn consent_of(id: &str, change: impl FnOnce(&mut Value)) -> ConsentRecord {
    filled_in(&record_of(|record| {
        record["inhoud"]["id"] = json!(id);
        record["inhoud"]["gegevens"]["categorieen"] = json!(["identificatie", "adres", "hulpverlening"]);
        change(&mut record["betrokkene"]);
    }))
    .unwrap()
}

fn somebody_else(resident: &mut Value) {
    resident["geboortedatum"] = json!("1975-01-20");
}

/// The answer on this consent, as whoever knows the case so fills it in.
fn answer_on(record: &ConsentRecord, of_case: Option<&CaseResident>) -> Document {
    let mut data: Value = serde_json::from_str(ANSWER).unwrap();
    data["grondslag"] = json!({
        "soort": "toestemming", "artikelen": ["AVG art. 6 lid 1 onder a"], "toestemming": { "id": record.id() },
    });
    let bare = Document::parse(SchemaName::Feedback, data.to_string().as_bytes()).unwrap();
    record.attach_to(&bare, of_case, (oin(1), &signer(1))).unwrap()
}

/// Whom the case is about, by a message on this consent, or on something else.
fn resident(change: impl FnOnce(&mut Value), consent: Option<&ConsentRecord>) -> CaseResident {
    let mut data = data();
    change(&mut data["betrokkene"]);
    CaseResident::named_in(&testing::document(&data), consent.map(|record| record.key(oin(1)))).unwrap()
}

/// What either end decides: the one with what the sender knows of the case, the other with what the receiver does.
fn decided(
    document: &Document,
    at_sender: Option<&CaseResident>,
    at_receiver: Option<&CaseResident>,
) -> [Option<Reason>; 2] {
    let (rules, agreement) = world();
    let draft = || Draft {
        from: oin(2),
        to: oin(1),
        agreement: agreement.digest(),
        document: document.clone(),
        ..draft_of(&data())
    };
    let knowing = |resident| Knowledge { resident, ..Knowledge::default() };
    let held = draft().permit(&rules, knowing(at_sender)).err().map(|held| held.refusal().reason);
    // A sender that does not look.
    let any = CaseResident { consent: Extract::claimed_by(document), ..resident(|_| {}, None) };
    let signed = draft().permit(&rules, knowing(Some(&any))).unwrap().sign(&signer(2)).unwrap();
    let verified = ReceivedMessage::new(signed.compact(), oin(2)).verify(oin(1), &rules, now()).unwrap();
    assert_eq!(verified.case_of_consent(), Some(signed.draft().case), "the case is looked up");
    let admitted = verified.admit(&rules, knowing(at_receiver), now());
    [held, admitted.err().map(|refused| refused.refusal().reason)]
}

#[test]
fn the_consent_that_the_case_rests_on_needs_no_salts() {
    let ours = consent_of(ID, |_| {});
    let known = resident(|_| {}, Some(&ours));
    let document = answer_on(&ours, Some(&known));
    assert_eq!(document.basis().consent.as_ref().unwrap().salts, schemas::StatedSalts::default());
    assert_eq!(decided(&document, Some(&known), Some(&known)), [None; 2]);
    // A newer version of it is the same consent.
    let longer = ours.extended("2027-06-01T00:00:00Z".parse().unwrap(), &how(), now()).unwrap();
    let document = answer_on(&longer, Some(&known));
    assert_eq!(decided(&document, Some(&known), Some(&known)), [None; 2]);
}

#[test]
fn the_consent_of_another_resident_covers_nothing() {
    let (ours, theirs) = (consent_of(ID, |_| {}), consent_of(OTHER, somebody_else));
    for known in [resident(|_| {}, Some(&ours)), resident(|_| {}, None)] {
        let document = answer_on(&theirs, Some(&known));
        assert_eq!(decided(&document, Some(&known), Some(&known)), [Some(Reason::ConsentMissing); 2]);
        // With the salts of its own resident neither.
        let document = answer_on(&theirs, Some(&resident(somebody_else, None)));
        assert_eq!(decided(&document, Some(&known), Some(&known)), [Some(Reason::ConsentMissing); 2]);
    }
}

#[test]
fn another_consent_of_the_same_resident_is_opened_for_whom_the_case_names() {
    let (first, second) = (consent_of(ID, |_| {}), consent_of(OTHER, |_| {}));
    for known in [resident(|_| {}, None), resident(|_| {}, Some(&first))] {
        let document = answer_on(&second, Some(&known));
        assert!(document.basis().consent.as_ref().unwrap().salts.person.is_some());
        assert_eq!(decided(&document, Some(&known), Some(&known)), [None; 2]);
        let closed = answer_on(&second, None);
        assert_eq!(decided(&closed, Some(&known), Some(&known)), [Some(Reason::ConsentMissing); 2]);
    }
}

/// Each end decides by what it knows itself: what is not known there, or was erased, is nobody's.
#[test]
fn in_a_case_about_nobody_no_consent_is_enough() {
    let ours = consent_of(ID, |_| {});
    let known = resident(|_| {}, Some(&ours));
    let document = answer_on(&ours, Some(&known));
    let missing = Some(Reason::ConsentMissing);
    assert_eq!(decided(&document, None, None), [missing; 2]);
    assert_eq!(decided(&document, Some(&known), None), [None, missing]);
    assert_eq!(decided(&document, None, Some(&known)), [missing, None]);
    let opened = answer_on(&ours, Some(&resident(|_| {}, None)));
    assert_eq!(decided(&opened, None, None), [missing; 2]);
}
