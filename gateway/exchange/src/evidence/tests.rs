#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use ed25519_dalek::SigningKey;
use jiff::SignedDuration;
use proptest::prelude::*;
use serde_json::json;

use super::*;
use crate::{
    agreement::AnswerKind,
    consent::Statement,
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
        uittreksel: None,
        intrekking: None,
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
    assert_eq!(report.niet_bewezen.len(), 4, "{report:#?}");
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
    checked(&bundle_on_consent(change, signed_by))
}

/// The extract that a bundle carries in its message.
fn extract_in(bundle: &Bundle) -> String {
    let message = bundle.bericht.as_deref().unwrap();
    let jws = jws::Unverified::parse(jws::MESSAGE, message).unwrap();
    let payload: Value = serde_json::from_slice(jws.unverified_payload()).unwrap();
    payload["data"]["grondslag"]["toestemming"]["uittreksel"].as_str().unwrap().to_owned()
}

/// The same bundle once the text was erased.
fn erased(bundle: Bundle) -> Bundle {
    let uittreksel = Some(extract_in(&bundle));
    Bundle { bericht: None, zonder_tekst: Some(NoText::ToestemmingIngetrokken), uittreksel, ..bundle }
}

/// The withdrawal of the consent of these tests by its holder, so many minutes after the message was made.
fn withdrawal(holder: u8, minutes: i64) -> String {
    let id = "7c9e6679-7425-40de-944b-e07fc1f90ae7".parse().unwrap();
    let at = testing::now() + SignedDuration::from_mins(minutes);
    Statement::sign(id, testing::oin(holder), at, &testing::signer(holder)).unwrap()
}

/// The bundle, with this digest of an extract in the entry.
fn named(bundle: Bundle, extract: Option<Digest>) -> Bundle {
    let Ok(Entry::Ontvangst(said)) = Entry::of_leaf(&Leaf::new(bundle.blad.clone().into_bytes())) else {
        panic!("a reception")
    };
    let leaf = Entry::Ontvangst(Reception { toestemming: extract, ..said }).leaf();
    let blad = String::from_utf8(leaf.bytes().to_vec()).unwrap();
    Bundle { blad, ontvangstbewijs: proof_of(leaf), ..bundle }
}

fn bundle_on_consent(change: impl FnOnce(&mut Value), signed_by: u8) -> Bundle {
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
    let extract = payload["data"]["grondslag"]["toestemming"]["uittreksel"].as_str().unwrap();
    let toestemming = Some(Digest::of(extract.as_bytes()));
    let compact = jws::sign(jws::MESSAGE, payload.to_string().as_bytes(), &testing::signer(1));
    let regels = Digest::of(format!("{digest}\n{}\n", purpose.digest()).as_bytes());
    let leaf = Entry::Ontvangst(Reception {
        bericht: Digest::of(compact.as_bytes()),
        id: Some(message.draft().id),
        reden: None,
        regels: Some(regels),
        tijd: testing::now(),
        toestemming,
        uitkomst: Outcome::Toegelaten,
        van: testing::corporation(),
    })
    .leaf();
    let agreement = rules.agreement(digest).unwrap();
    Bundle {
        bericht: Some(compact),
        blad: String::from_utf8(leaf.bytes().to_vec()).unwrap(),
        ontvangstbewijs: proof_of(leaf),
        convenant: serde_json::from_str(agreement.text()).unwrap(),
        antwoorden: agreement.answers().iter().map(|answer| answer.jws.clone()).collect(),
        doelen: vec![serde_json::from_str(purpose.text()).unwrap()],
        ..bundle()
    }
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

/// After a withdrawal the text is gone. That there was a consent for it, and that it was withdrawn, is proven still.
#[test]
fn a_consent_is_proven_without_the_text() {
    let whole = bundle_on_consent(|_| {}, 1);
    let said = |bundle: &Bundle| {
        let report = checked(bundle);
        let step = report.stappen.iter().find(|step| step.stap == StepName::Toestemming).unwrap();
        (report.holds(), step.uitkomst, step.uitleg.clone())
    };
    let without = erased(whole.clone());
    let (holds, outcome, _) = said(&without);
    assert!(holds && outcome == StepOutcome::Bewezen, "{:#?}", checked(&without));
    let withdrawn = Bundle { intrekking: Some(withdrawal(1, 60)), ..without.clone() };
    let (holds, outcome, text) = said(&withdrawn);
    assert!(holds && outcome == StepOutcome::Bewezen && text.contains("Zij is ingetrokken op"), "{text}");
    // What is kept on another basis has its text and the withdrawal.
    let kept = Bundle { intrekking: Some(withdrawal(1, 60)), ..whole.clone() };
    assert_eq!(said(&kept).1, StepOutcome::Bewezen, "{:#?}", checked(&kept));

    // By an entry of before it was named there, and by a withdrawal that is dated before the message, nothing is said.
    for unsure in [
        named(without.clone(), None),
        Bundle { intrekking: Some(withdrawal(1, -60)), ..without.clone() },
        Bundle { uittreksel: None, ..without.clone() },
        erased(bundle_on_consent(
            |data| data["grondslag"]["toestemming"]["geldig_tot"] = json!("2026-11-20T00:00:00Z"),
            1,
        )),
    ] {
        let (holds, outcome, text) = said(&unsure);
        assert!(holds && outcome == StepOutcome::NietGecontroleerd, "{outcome:?} {text}");
    }

    let of_another = extract_in(&bundle_on_consent(
        |data| data["grondslag"]["toestemming"]["doelen"] = json!([testing::PURPOSE, "consultatie"]),
        1,
    ));
    let terms = |name: &'static str, value: Value| {
        erased(bundle_on_consent(move |data| data["grondslag"]["toestemming"][name] = value, 1))
    };
    for (what, bad) in [
        ("another extract", Bundle { uittreksel: Some(of_another), ..without.clone() }),
        ("a forged extract", Bundle { uittreksel: Some(bent(&extract_in(&whole), '.')), ..without.clone() }),
        ("a stranger's extract", erased(bundle_on_consent(|_| {}, 9))),
        ("another purpose", terms("doelen", json!(["consultatie"]))),
        ("another receiver", terms("verleend_aan", json!(["00000099000000009000"]))),
        ("given afterwards", terms("verleend_op", json!("2026-11-30T00:00:00Z"))),
        ("another's withdrawal", Bundle { intrekking: Some(withdrawal(2, 60)), ..without.clone() }),
        (
            "a forged withdrawal",
            Bundle { intrekking: Some(bent(&withdrawal(1, 60), '.')), ..without.clone() },
        ),
        (
            "a withdrawal of nothing",
            Bundle { intrekking: Some(withdrawal(1, 60)), uittreksel: None, ..without },
        ),
        ("another in the entry", named(whole, Some(Digest::of(b"another")))),
        ("on no consent", Bundle { intrekking: Some(withdrawal(1, 60)), ..bundle() }),
        ("an entry that names one", named(bundle(), Some(Digest::of(b"one")))),
    ] {
        assert_eq!(wrong(&checked(&bad)), [StepName::Toestemming], "{what}: {:#?}", checked(&bad));
    }
    let twice = Bundle { uittreksel: Some(extract_in(&kept)), ..kept };
    assert_eq!(wrong(&checked(&twice)), [StepName::Vorm]);
}

/// Who says that a bundle holds says what of it was not there to check.
#[test]
fn what_could_not_be_checked_is_said() {
    let whole = bundle_on_consent(|_| {}, 1);
    let without = erased(whole.clone());
    assert_eq!(checked(&whole).niet_gecontroleerd, Vec::<String>::new());
    // A withdrawal can have been left out, and so can the end of the agreement.
    for left_out in ["ingetrokken", "opgezegd"] {
        assert!(checked(&whole).niet_bewezen.iter().any(|one| one.contains(left_out)), "{left_out}");
    }
    assert!(!checked(&bundle()).niet_bewezen.iter().any(|one| one.contains("ingetrokken")));
    let open = checked(&without).niet_gecontroleerd;
    assert!(open[0].contains("de tekst") && open[1].contains("van welke inwoner"), "{open:?}");
    // Stripped by hand, and said to be erased: it holds, and says that the consent was not shown.
    let stripped = Bundle { uittreksel: None, zonder_tekst: Some(NoText::Gewist), ..without };
    let open = checked(&stripped).niet_gecontroleerd;
    assert!(checked(&stripped).holds() && open[1].contains("niet aangetoond"), "{open:?}");
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
    // What was let in was kept, and nobody signed why the text is not there.
    let refused = Bundle { bericht: None, zonder_tekst: Some(NoText::NietBewaard), ..bundle() };
    assert_eq!(wrong(&checked(&refused)), [StepName::Vorm]);
    assert!(report.stappen[0].uitleg.contains("Volgens wie het maakte"), "{report:#?}");
    // Another purpose does not fit the entry.
    let mut other = erased;
    other.doelen = vec![serde_json::from_str(testing::purpose_with(|one| one.versie += 1).text()).unwrap()];
    assert_eq!(wrong(&checked(&other)), [StepName::Doel]);
}

/// What is no bundle is said to be none, by what is missing.
#[test]
fn what_is_missing_is_named() {
    let said = |json: &str| check(json.as_bytes(), &Pins::default()).stappen[0].uitleg.clone();
    for (json, what) in [
        ("{}", "`soort`, `blad`, `ontvangstbewijs`, `logsleutel` ontbreekt"),
        (r#"{"soort":"schakel-bewijs/1","blad":"","ontvangstbewijs":""}"#, "`logsleutel` ontbreekt"),
        ("[]", "geen JSON-object"),
        ("{", "geen JSON (regel 1, kolom 1)"),
        (
            r#"{"soort":"schakel-bewijs/1","blad":"","ontvangstbewijs":"","logsleutel":"","meer":1}"#,
            "anders dan verwacht",
        ),
    ] {
        assert!(said(json).contains(what), "{json}: {}", said(json));
    }
    let not_for_people = said(r#"{"soort":"schakel-bewijs/1","Jansen":1}"#);
    assert!(!not_for_people.contains("Jansen"), "{not_for_people}");
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

/// An agreement that ended later still covers what came before; one that somebody accepted afterwards, or rejected, does
/// not. A party that dates its own answer before the message breaks no evidence of it: the receiver admitted it.
#[test]
fn the_agreement_counts_as_of_the_message() {
    const MONTH: i64 = 60 * 24 * 30;
    let base = bundle();
    let agreement = testing::agreement(&testing::content());
    let answered = |kind, by, later| {
        let at = testing::now() + SignedDuration::from_mins(later);
        agreement.answer(kind, at, &testing::signer(by)).unwrap()
    };
    let mut later = base.clone();
    later.antwoorden.push(answered(AnswerKind::Ended, 2, 10));
    assert!(checked(&later).holds(), "{:#?}", checked(&later));

    for (kind, minutes, outcome) in [
        (AnswerKind::Ended, -10, StepOutcome::NietGecontroleerd),
        (AnswerKind::Ended, -MONTH, StepOutcome::NietGecontroleerd),
        (AnswerKind::Ended, -1, StepOutcome::Bewezen),
        (AnswerKind::Rejected, -MONTH, StepOutcome::NietGecontroleerd),
        (AnswerKind::Rejected, MONTH, StepOutcome::Bewezen),
    ] {
        for by in [1, 2] {
            let mut answers = base.clone();
            answers.antwoorden.push(answered(kind, by, minutes));
            let report = checked(&answers);
            assert!(report.holds(), "{kind:?} {minutes}: {report:#?}");
            assert_eq!(report.outcome(StepName::Geldigheid), Some(outcome), "{kind:?} {minutes}");
        }
    }
    // Dated ahead, as far as the protocol takes it in; and further.
    let accepted = |minutes| {
        let mut answers = base.clone();
        answers.antwoorden[1] = answered(AnswerKind::Accepted, 2, minutes);
        checked(&answers)
    };
    assert_eq!(accepted(4).outcome(StepName::Geldigheid), Some(StepOutcome::Bewezen));
    assert_eq!(accepted(60 * 23).outcome(StepName::Geldigheid), Some(StepOutcome::NietGecontroleerd));
    assert!(accepted(60 * 23).holds());
    assert_eq!(wrong(&accepted(60 * 25)), [StepName::Geldigheid]);
    // Both: what is wrong is said.
    let mut both = base.clone();
    both.antwoorden[1] = answered(AnswerKind::Accepted, 2, 60 * 25);
    both.antwoorden.insert(0, answered(AnswerKind::Ended, 1, -MONTH));
    assert_eq!(wrong(&checked(&both)), [StepName::Geldigheid]);
    let mut never = base.clone();
    never.antwoorden[1] = answered(AnswerKind::Rejected, 2, MONTH);
    assert_eq!(wrong(&checked(&never)), [StepName::Antwoorden, StepName::Geldigheid]);
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
        // Another reason that is one is not noticed: it is the word of whoever made the bundle.
        "soort" | "zonder_tekst" => &[StepName::Vorm],
        "bericht" => &[StepName::Bericht, StepName::Logregel, StepName::Vorm],
        "blad" => &[StepName::Logregel],
        "ontvangstbewijs" => {
            &[StepName::Insluiting, StepName::Controlepunt, StepName::Getuigen, StepName::Logregel]
        }
        "logsleutel" => &[StepName::Controlepunt],
        "convenant" => &[StepName::Convenant, StepName::Antwoorden],
        "antwoorden" => &[StepName::Antwoorden, StepName::Geldigheid],
        "doelen" => &[StepName::Doel],
        "uittreksel" | "intrekking" => &[StepName::Toestemming],
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
        let withdrawn = || Bundle { intrekking: Some(withdrawal(1, 60)), ..erased(bundle_on_consent(|_| {}, 1)) };
        let whole = if how >= 128 { bundle() } else { withdrawn() };
        let whole = serde_json::to_value(whole).unwrap();
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
