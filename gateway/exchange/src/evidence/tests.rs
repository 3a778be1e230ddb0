#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use ed25519_dalek::SigningKey;
use jiff::SignedDuration;
use proptest::prelude::*;
use serde_json::json;

use super::*;
use crate::{
    agreement::AnswerKind,
    entry::{Entry, Outcome, Reception},
    jws,
    message::ReceivedMessage,
    policy::ConsentKnowledge,
    receipt::{Receipt, ReceiptLeaf},
    rulebook::Rulebook,
    signature::Signer as _,
    testing,
    tlog::{Checkpoint, CompactRange, Cosignature, Leaf, LogSigner},
};

/// Puts a leaf in the municipality's log behind four others, and gives the receipt of it with a witness' line.
fn proof_of(leaf: Leaf) -> String {
    proof_by(&testing::log_signer(2), leaf)
}

fn proof_by(log: &LogSigner, leaf: Leaf) -> String {
    let mut range = CompactRange::default();
    for number in 0..4_u8 {
        range.append(Leaf::new(vec![number]).hash());
    }
    let (size_before, range_before) = (range.size(), range.roots().to_vec());
    range.append(leaf.hash());
    let head = Checkpoint { origin: log.origin().to_owned(), size: range.size(), root: range.root() };
    let receipt = Receipt {
        checkpoint: log.sign(&head),
        size_before,
        range_before,
        leaves: vec![ReceiptLeaf::New(leaf)],
    };
    let mut proof = receipt.verify(&log.verifier()).unwrap().proof_file(0).unwrap();
    let name = testing::corporation().log_origin();
    let witness = Cosignature::by(&testing::signer(1), &name, &head, testing::now()).unwrap();
    proof.checkpoint = witness.add_to(&proof.checkpoint).unwrap();
    proof.to_string()
}

/// What the municipality makes of a message under these rules, as a bundle.
fn bundle_under(rules: &Rulebook) -> Bundle {
    let message = testing::signed(testing::draft());
    let received = ReceivedMessage::new(message.compact(), testing::corporation());
    let verified = received.verify(testing::municipality(), rules, testing::now()).unwrap();
    let leaf = match verified.admit(rules, ConsentKnowledge::NothingElse, testing::now()) {
        Ok(admitted) => admitted.leaf(testing::now()),
        Err(refused) => refused.leaf(testing::now()),
    };
    let agreement = testing::in_force(&testing::content());
    Bundle {
        soort: BUNDLE.into(),
        bericht: Some(message.compact().to_owned()),
        zonder_tekst: None,
        blad: String::from_utf8(leaf.bytes().to_vec()).unwrap(),
        ontvangstbewijs: proof_of(leaf),
        logsleutel: testing::log_signer(2).verifier().to_string(),
        convenant: serde_json::from_str(agreement.text()).unwrap(),
        antwoorden: agreement.answers().iter().map(|answer| answer.jws.clone()).collect(),
        doelen: vec![serde_json::from_str(testing::purpose().text()).unwrap()],
    }
}

fn bundle() -> Bundle {
    bundle_under(&testing::rulebook())
}

fn checked(bundle: &Bundle) -> Report {
    check(&serde_json::to_vec(bundle).unwrap(), &Pins::default())
}

fn wrong(report: &Report) -> Vec<StepName> {
    let wrong = report.stappen.iter().filter(|step| step.uitkomst == StepOutcome::Onjuist);
    wrong.map(|step| step.stap).collect()
}

#[test]
fn a_whole_bundle_holds() {
    let report = checked(&bundle());
    assert!(report.holds(), "{report:#?}");
    let proven = report.stappen.iter().filter(|step| step.uitkomst == StepOutcome::Bewezen).count();
    assert_eq!(proven, 10, "{report:#?}");
    assert_eq!(report.outcome(StepName::Sleutels), Some(StepOutcome::NietGecontroleerd));
    assert_eq!(report.niet_bewezen.len(), 3, "{report:#?}");
}

#[test]
fn a_refusal_is_evidence_too() {
    let mut ended = testing::in_force(&testing::content());
    testing::answer(&mut ended, 2, AnswerKind::Ended);
    let refused = bundle_under(&Rulebook::new([ended], [testing::purpose()]));
    let report = checked(&refused);
    assert!(report.holds(), "{report:#?}");
    let entry = report.stappen.iter().find(|step| step.stap == StepName::Logregel).unwrap();
    assert!(
        entry.uitleg.contains("geweigerd") && entry.uitleg.contains("convenant-niet-geldig"),
        "{entry:?}"
    );
}

/// A bundle of a message that rests on a consent, with its terms changed, that the receiver admitted or should not have.
fn on_consent(change: impl FnOnce(&mut Value), signed_by: u8) -> Report {
    let purpose = testing::purpose_with(|content| {
        content.berichten[0].grondslagen[0].soort = schemas::BasisKind::Consent;
    });
    let (rules, digest) = testing::rulebook_on(purpose.clone());
    let mut data = testing::with_consent(testing::data());
    let good = testing::draft_of(&data);
    let message = crate::message::Draft { agreement: digest, ..good };
    let message =
        message.permit(&rules, ConsentKnowledge::NothingElse).unwrap().sign(&testing::signer(1)).unwrap();
    change(&mut data);
    // What the sender signs and the receiver admits in spite of it: both break the rules.
    let jws = jws::Unverified::parse(crate::jws::MESSAGE, message.compact()).unwrap();
    let mut payload: Value = serde_json::from_slice(jws.unverified_payload()).unwrap();
    payload["data"] = testing::carried(&data, signed_by);
    let compact = jws::sign(jws::MESSAGE, payload.to_string().as_bytes(), &testing::signer(1));
    let regels = Digest::of(format!("{digest}\n{}\n", purpose.digest()).as_bytes());
    let leaf = Entry::Ontvangst(Reception {
        bericht: Digest::of(compact.as_bytes()),
        id: Some(message.draft().id),
        reden: None,
        regels: Some(regels),
        tijd: testing::now(),
        uitkomst: Outcome::Toegelaten,
        van: testing::corporation(),
    })
    .leaf();
    let agreement = rules.agreement(digest).unwrap();
    checked(&Bundle {
        bericht: Some(compact),
        blad: String::from_utf8(leaf.bytes().to_vec()).unwrap(),
        ontvangstbewijs: proof_of(leaf),
        convenant: serde_json::from_str(agreement.text()).unwrap(),
        antwoorden: agreement.answers().iter().map(|answer| answer.jws.clone()).collect(),
        doelen: vec![serde_json::from_str(purpose.text()).unwrap()],
        ..bundle()
    })
}

#[test]
fn the_consent_is_proven_by_its_holder() {
    let report = on_consent(|_| {}, 1);
    assert!(report.holds(), "{report:#?}");
    assert_eq!(report.outcome(StepName::Toestemming), Some(StepOutcome::Bewezen), "{report:#?}");
    let not_theirs = testing::oin(2);
    for (what, report) in [
        (
            "another holder",
            on_consent(
                |data| data["grondslag"]["toestemming"]["id"] = json!("3f0c1a52-5d0e-4a57-9a3b-0f6d1c2b7e10"),
                9,
            ),
        ),
        (
            "another receiver",
            on_consent(
                |data| data["grondslag"]["toestemming"]["verleend_aan"] = json!(["00000099000000009000"]),
                1,
            ),
        ),
        (
            "another purpose",
            on_consent(|data| data["grondslag"]["toestemming"]["doelen"] = json!(["consultatie"]), 1),
        ),
        (
            "less data",
            on_consent(
                |data| data["grondslag"]["toestemming"]["gegevens"] = json!({"categorieen": ["adres"]}),
                1,
            ),
        ),
    ] {
        assert_eq!(wrong(&report), [StepName::Toestemming], "{what} of {not_theirs}: {report:#?}");
    }
    let over =
        on_consent(|data| data["grondslag"]["toestemming"]["geldig_tot"] = json!("2026-11-20T00:00:00Z"), 1);
    assert_eq!(over.outcome(StepName::Toestemming), Some(StepOutcome::NietGecontroleerd), "{over:#?}");
}

#[test]
fn without_the_text_the_rest_is_proven() {
    let erased = Bundle { bericht: None, zonder_tekst: Some(NoText::Gewist), ..bundle() };
    let report = checked(&erased);
    assert!(report.holds(), "{report:#?}");
    assert_eq!(report.outcome(StepName::Bericht), Some(StepOutcome::NietGecontroleerd));
    assert_eq!(report.outcome(StepName::Doel), Some(StepOutcome::Bewezen));
    assert!(report.niet_bewezen.iter().any(|one| one.contains("Wat er in het bericht stond")));
    // The text may not be left out without a word, nor be there and not there.
    assert_eq!(wrong(&checked(&Bundle { bericht: None, ..bundle() })), [StepName::Vorm]);
    let both = Bundle { zonder_tekst: Some(NoText::Gewist), ..bundle() };
    assert_eq!(wrong(&checked(&both)), [StepName::Vorm]);
    // Another purpose does not fit the entry.
    let mut other = erased;
    other.doelen = vec![serde_json::from_str(testing::purpose_with(|one| one.versie += 1).text()).unwrap()];
    assert_eq!(wrong(&checked(&other)), [StepName::Doel]);
}

#[test]
fn what_is_pinned_must_be_there() {
    let bundle = bundle();
    let json = serde_json::to_vec(&bundle).unwrap();
    let agreement = testing::agreement(&testing::content()).digest();
    let kid = testing::signer(1).public_key().kid().to_owned();
    let (one, two) = (testing::corporation(), testing::municipality());
    let log = bundle.logsleutel;
    for good in [
        Pins { agreement: Some(agreement), keys: vec![] },
        Pins { agreement: None, keys: vec![(one, kid.clone()), (two, log.clone())] },
    ] {
        let report = check(&json, &good);
        assert_eq!(report.outcome(StepName::Sleutels), Some(StepOutcome::Bewezen), "{report:#?}");
        assert!(!report.niet_bewezen.iter().any(|one| one.contains("sleutels")), "{report:#?}");
    }
    for bad in [
        Pins { agreement: Some(Digest::of(b"another")), keys: vec![] },
        Pins { agreement: Some(agreement), keys: vec![(two, kid)] },
        Pins { agreement: None, keys: vec![(one, log)] },
    ] {
        assert_eq!(wrong(&check(&json, &bad)), [StepName::Sleutels]);
    }
}

/// An agreement that ended later still covers what came before, one that ended before does not, nor one that somebody
/// accepted afterwards.
#[test]
fn the_agreement_counts_as_of_the_message() {
    let base = bundle();
    let agreement = testing::agreement(&testing::content());
    let answered = |kind, by, later| {
        let at = testing::now() + SignedDuration::from_mins(later);
        agreement.answer(kind, at, &testing::signer(by)).unwrap()
    };
    let mut later = base.clone();
    later.antwoorden.push(answered(AnswerKind::Ended, 2, 10));
    assert!(checked(&later).holds(), "{:#?}", checked(&later));
    let mut before = base.clone();
    before.antwoorden.push(answered(AnswerKind::Ended, 2, -10));
    assert_eq!(wrong(&checked(&before)), [StepName::Geldigheid]);
    let mut afterwards = base.clone();
    afterwards.antwoorden[1] = answered(AnswerKind::Accepted, 2, 10);
    assert_eq!(wrong(&checked(&afterwards)), [StepName::Geldigheid]);
    let mut without = base;
    without.antwoorden.truncate(1);
    assert_eq!(wrong(&checked(&without)), [StepName::Antwoorden]);
}

/// A message of the corporation with something changed before it was signed.
fn resigned(change: impl FnOnce(&mut Value)) -> String {
    let message = testing::signed(testing::draft());
    let jws = jws::Unverified::parse(jws::MESSAGE, message.compact()).unwrap();
    let mut payload: Value = serde_json::from_slice(jws.unverified_payload()).unwrap();
    change(&mut payload);
    jws::sign(jws::MESSAGE, payload.to_string().as_bytes(), &testing::signer(1))
}

/// A bundle of this message, whose entry says what it should but for what is changed. Everything is signed as it is.
fn told(message: String, change: impl FnOnce(&mut Reception)) -> Bundle {
    let base = bundle();
    let Ok(Entry::Ontvangst(mut said)) = Entry::of_leaf(&Leaf::new(base.blad.into_bytes())) else {
        panic!("a reception")
    };
    said.bericht = Digest::of(message.as_bytes());
    change(&mut said);
    let leaf = Entry::Ontvangst(said).leaf();
    let blad = String::from_utf8(leaf.bytes().to_vec()).unwrap();
    Bundle { bericht: Some(message), blad, ontvangstbewijs: proof_of(leaf), ..bundle() }
}

/// What to change in an entry before it is signed.
type Change = fn(&mut Reception);

/// What the receiver signed about something else is no evidence of this.
#[test]
fn an_entry_that_says_something_else_is_noticed() {
    let message = || resigned(|_| {});
    assert!(checked(&told(message(), |_| {})).holds(), "{:#?}", checked(&told(message(), |_| {})));
    let changes: [(&str, Change); 6] = [
        ("other rules", |said| said.regels = Some(Digest::of(b"other rules"))),
        ("no rules", |said| said.regels = None),
        ("another message", |said| said.bericht = Digest::of(b"another message")),
        ("another identifier", |said| said.id = Some(uuid::Uuid::nil())),
        ("another sender", |said| said.van = testing::oin(3)),
        ("refused without a reason", |said| said.uitkomst = Outcome::Geweigerd),
    ];
    for (what, change) in changes {
        assert_eq!(wrong(&checked(&told(message(), change))), [StepName::Logregel], "{what}");
    }
}

/// The letter in the middle of the last word of a text is another.
fn bent(text: &str, before: char) -> String {
    let (head, last) = text.trim_end().rsplit_once(before).unwrap();
    let (start, rest) = last.split_at(last.len() / 2);
    let letter = if rest.starts_with('A') { 'B' } else { 'A' };
    let end = &text[text.trim_end().len()..];
    format!("{head}{before}{start}{letter}{}{end}", &rest[1..])
}

/// Each signature counts by itself: everything else in these bundles is as it should be.
#[test]
fn a_forged_signature_is_noticed_by_its_own_step() {
    let message = bent(testing::signed(testing::draft()).compact(), '.');
    assert_eq!(wrong(&checked(&told(message, |_| {}))), [StepName::Bericht]);
    let whole = bundle();
    // The last line of the proof is the cosignature.
    let witness = Bundle { ontvangstbewijs: bent(&whole.ontvangstbewijs, ' '), ..whole.clone() };
    assert_eq!(wrong(&checked(&witness)), [StepName::Getuigen]);
    let (others, last) = whole.ontvangstbewijs.trim_end().rsplit_once('\n').unwrap();
    let log = Bundle { ontvangstbewijs: format!("{}\n{last}\n", bent(others, ' ')), ..whole.clone() };
    assert!(wrong(&checked(&log)).contains(&StepName::Controlepunt));
    // A log of the same name with a key of its own, signed through and through.
    let other =
        LogSigner::new(testing::municipality().log_origin(), SigningKey::from_bytes(&[77; 32])).unwrap();
    let proof = proof_by(&other, Leaf::new(whole.blad.clone().into_bytes()));
    let other = Bundle { ontvangstbewijs: proof, logsleutel: other.verifier().to_string(), ..whole.clone() };
    assert!(wrong(&checked(&other)).contains(&StepName::Controlepunt));
    let answer =
        Bundle { antwoorden: vec![bent(&whole.antwoorden[0], '.'), whole.antwoorden[1].clone()], ..whole };
    assert_eq!(wrong(&checked(&answer)), [StepName::Antwoorden]);
}

/// What the sender signed must be what the parties agreed.
#[test]
fn a_message_outside_the_agreement_is_noticed() {
    let other_agreement = |payload: &mut Value| payload["convenant"] = json!(Digest::of(b"another"));
    assert_eq!(wrong(&checked(&told(resigned(other_agreement), |_| {}))), [StepName::Convenant]);
    let feedback = |payload: &mut Value| payload["type"] = json!(testing::FEEDBACK);
    let steps = wrong(&checked(&told(resigned(feedback), |_| {})));
    assert!(steps.contains(&StepName::Doel), "{steps:?}");
    let too_late = |payload: &mut Value| payload["time"] = json!("2028-01-01T00:00:00Z");
    assert_eq!(wrong(&checked(&told(resigned(too_late), |_| {}))), [StepName::Geldigheid]);
    let stranger = |payload: &mut Value| {
        payload["source"] = json!(format!("urn:nld:oin:{}:systeem:schakel", testing::oin(3)));
    };
    let steps = wrong(&checked(&told(resigned(stranger), |said| said.van = testing::oin(3))));
    assert!(steps.contains(&StepName::Bericht) && steps.contains(&StepName::Doel), "{steps:?}");
}

/// Another log of the same organisation, or another organisation's, is not the one that the agreement names.
#[test]
fn only_the_log_key_of_the_agreement_counts() {
    for number in [1, 3] {
        let other = Bundle { logsleutel: testing::log_signer(number).verifier().to_string(), ..bundle() };
        assert!(wrong(&checked(&other)).contains(&StepName::Controlepunt));
    }
}

/// Which step must catch a change of which part.
fn catcher(pointer: &str) -> &'static [StepName] {
    let part = pointer.split('/').nth(1).unwrap_or_default();
    match part {
        "soort" => &[StepName::Vorm],
        "bericht" => &[StepName::Bericht, StepName::Logregel, StepName::Vorm],
        "blad" => &[StepName::Logregel],
        "ontvangstbewijs" => {
            &[StepName::Insluiting, StepName::Controlepunt, StepName::Getuigen, StepName::Logregel]
        }
        "logsleutel" => &[StepName::Controlepunt],
        "convenant" => &[StepName::Convenant, StepName::Antwoorden],
        "antwoorden" => &[StepName::Antwoorden, StepName::Geldigheid],
        "doelen" => &[StepName::Doel],
        other => panic!("a part that nobody checks: {other}"),
    }
}

/// Every place in a value, as JSON pointers.
fn places(value: &Value, at: &str, found: &mut Vec<String>) {
    match value {
        Value::Object(members) => {
            for (name, member) in members {
                places(member, &format!("{at}/{name}"), found);
            }
        }
        Value::Array(items) => {
            for (index, item) in items.iter().enumerate() {
                places(item, &format!("{at}/{index}"), found);
            }
        }
        _ => found.push(at.to_owned()),
    }
}

/// Another value, that differs in one place.
fn changed(value: &Value, at: prop::sample::Index, how: u8) -> Value {
    match value {
        Value::String(text) if !text.is_empty() => {
            let letters: Vec<char> = text.chars().collect();
            let place = at.index(letters.len());
            let mut letters = letters;
            match how % 3 {
                0 => letters[place] = if letters[place] == 'x' { 'y' } else { 'x' },
                1 => drop(letters.remove(place)),
                _ => letters.insert(place, 'x'),
            }
            Value::String(letters.into_iter().collect())
        }
        Value::Number(number) => json!(number.as_i64().unwrap_or_default() + 1),
        Value::Bool(truth) => json!(!truth),
        _ => json!("iets anders"),
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(768))]

    /// Whatever one changes in a bundle, the step that is about it says so.
    #[test]
    fn every_change_is_noticed(
        place in any::<prop::sample::Index>(),
        at in any::<prop::sample::Index>(),
        how in any::<u8>(),
    ) {
        let whole = serde_json::to_value(bundle()).unwrap();
        let mut all = Vec::new();
        places(&whole, "", &mut all);
        let pointer = &all[place.index(all.len())];
        let mut other = whole.clone();
        let target = other.pointer_mut(pointer).unwrap();
        *target = changed(target, at, how);
        prop_assume!(other != whole);
        let report = check(other.to_string().as_bytes(), &Pins::default());
        let caught = wrong(&report);
        prop_assert!(
            catcher(pointer).iter().any(|step| caught.contains(step)),
            "{pointer}: {:?} is caught by {caught:?}", other.pointer(pointer)
        );
    }

    /// Nor can a part be left out, or come twice.
    #[test]
    fn every_part_is_needed(place in any::<prop::sample::Index>()) {
        let mut other = serde_json::to_value(bundle()).unwrap();
        let members = other.as_object_mut().unwrap();
        let name = members.keys().nth(place.index(members.len())).unwrap().clone();
        members.remove(&name);
        prop_assert!(!check(other.to_string().as_bytes(), &Pins::default()).holds(), "{name}");
    }

    #[test]
    fn anything_is_read_without_harm(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        prop_assert!(!check(&bytes, &Pins::default()).holds());
    }
}
