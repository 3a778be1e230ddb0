#![allow(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

use schemas::{Category, LifeDomain, SchemaName};
use serde_json::{Value, json};

use super::*;
use crate::{
    agreement::AnswerKind,
    organisation::OrganisationKind,
    purpose::{Content, Purpose, SpecialData},
    testing::{
        self, ARREARS, FEEDBACK, PURPOSE, agreement, answer, content, corporation, data, document, in_force,
        municipality, now, oin, purpose, purpose_with, rulebook, rulebook_on, with_consent,
    },
};

mod world;

/// The arrears signal, under the agreement with this digest.
fn question(agreement: Digest, document: &Document) -> Question<'_> {
    Question {
        from: corporation(),
        to: municipality(),
        agreement,
        purpose: PURPOSE,
        message_type: ARREARS,
        document,
        extract: None,
        consent: ConsentKnowledge::NothingElse,
        resident: None,
        now: now(),
    }
}

/// The decision, on the extract that the document carries.
fn decide(rulebook: &Rulebook, question: &Question<'_>) -> Result<Permission, Refusal> {
    let agreement = rulebook.agreement(question.agreement);
    let extract = agreement.and_then(|agreement| Extract::of(question.document, agreement));
    super::decide(rulebook, &Question { extract: extract.as_ref(), ..*question })
}

fn refused(rulebook: &Rulebook, question: &Question<'_>) -> (Reason, Vec<String>) {
    let refusal = decide(rulebook, question).expect_err("refused");
    (refusal.reason, refusal.about)
}

/// The answer to `data`, with the purpose for arrears changed.
fn with(change: impl FnOnce(&mut Content), data: &Value) -> Result<Permission, Refusal> {
    let (rulebook, digest) = rulebook_on(purpose_with(change));
    decide(&rulebook, &question(digest, &document(data)))
}

fn reason(outcome: Result<Permission, Refusal>) -> Reason {
    outcome.expect_err("refused").reason
}

#[test]
fn an_arrears_signal_goes_from_landlord_to_municipality() {
    let document = document(&data());
    let digest = agreement(&content()).digest();
    let permission = decide(&rulebook(), &question(digest, &document)).unwrap();
    assert_eq!(permission.retention_days(), 183);
    let rules = format!("{digest}\n{}\n", purpose().digest());
    assert_eq!(permission.rules(), Digest::of(rules.as_bytes()));
}

#[test]
fn the_agreement_is_known_and_in_force() {
    let document = document(&data());
    let proposed = agreement(&content());
    let question = question(proposed.digest(), &document);
    let under = |agreement: Option<Agreement>| refused(&Rulebook::new(agreement, [purpose()]), &question).0;
    assert_eq!(under(None), Reason::AgreementUnknown);
    assert_eq!(under(Some(proposed.clone())), Reason::AgreementNotInForce);
    let mut by_one = proposed;
    answer(&mut by_one, 1, AnswerKind::Accepted);
    assert_eq!(under(Some(by_one)), Reason::AgreementNotInForce);
    for (number, kind) in [(1, AnswerKind::Ended), (2, AnswerKind::Ended), (2, AnswerKind::Rejected)] {
        let mut ended = in_force(&content());
        answer(&mut ended, number, kind);
        assert_eq!(under(Some(ended)), Reason::AgreementNotInForce, "{kind:?} by {number}");
    }
    for time in ["2025-12-31T22:59:59Z", "2027-12-31T23:00:00Z"] {
        let question = Question { now: time.parse().unwrap(), ..question };
        assert_eq!(refused(&rulebook(), &question).0, Reason::AgreementNotInForce, "{time}");
    }
}

#[test]
fn the_agreement_covers_who_what_and_what_for() {
    let document = document(&data());
    let good = question(agreement(&content()).digest(), &document);
    let feedback_type = Question { message_type: FEEDBACK, ..good };
    let back = Question { from: municipality(), to: corporation(), ..good };
    let purpose_of_another = Question { purpose: "consultatie", ..good };
    let stranger = Question { from: oin(3), ..good };
    let to_stranger = Question { to: oin(3), ..good };
    let to_itself = Question { to: corporation(), ..good };
    for question in [feedback_type, back, purpose_of_another, stranger, to_stranger, to_itself] {
        assert_eq!(refused(&rulebook(), &question), (Reason::PurposeNotAllowed, vec![]), "{question:?}");
    }
}

#[test]
fn the_purpose_is_the_text_that_was_agreed() {
    let document = document(&data());
    let question = question(agreement(&content()).digest(), &document);
    let without = Rulebook::new([in_force(&content())], []);
    assert_eq!(refused(&without, &question).0, Reason::PurposeNotAllowed);
    let wider = purpose_with(|content| content.berichten[0].bsn = true);
    assert_eq!(
        refused(&Rulebook::new([in_force(&content())], [wider]), &question).0,
        Reason::PurposeNotAllowed
    );

    // A clause that calls a purpose by the name of another.
    let other = purpose_with(|content| content.doel = "iets-anders".into());
    let (rulebook, digest) = rulebook_on(other);
    assert_eq!(refused(&rulebook, &Question { agreement: digest, ..question }).0, Reason::PurposeNotAllowed);
}

#[test]
fn the_purpose_has_a_rule_for_the_type_and_the_kinds() {
    let only_feedback = with(|content| drop(content.berichten.remove(0)), &data());
    assert_eq!(reason(only_feedback), Reason::PurposeNotAllowed);
    let kinds = |change: fn(&mut Content)| with(change, &data()).expect_err("refused");
    let other_sender = kinds(|content| content.berichten[0].van = [OrganisationKind::Welfare].into());
    let other_receiver = kinds(|content| content.berichten[0].naar = [OrganisationKind::Uwv].into());
    for refusal in [other_sender, other_receiver] {
        assert_eq!(refusal.reason, Reason::PurposeNotAllowed);
        assert_eq!(refusal.about, ["woningcorporatie", "gemeente"]);
    }
}

#[test]
fn the_basis_is_one_of_the_purpose() {
    for kind in ["overeenkomst", "vitaal-belang", "publieke-taak", "gerechtvaardigd-belang", "toestemming"] {
        let mut data = data();
        data["grondslag"]["soort"] = json!(kind);
        let refusal = with(|_| {}, &data).expect_err("refused");
        assert_eq!((refusal.reason, refusal.about), (Reason::BasisMissing, vec![kind.to_owned()]));
    }
}

#[test]
fn an_authority_has_no_legitimate_interest() {
    let mut on_interest = data();
    on_interest["grondslag"]["soort"] = json!("gerechtvaardigd-belang");
    for kind in OrganisationKind::ALL {
        let purpose = purpose_with(|content| {
            content.berichten[0].grondslagen[0].soort = BasisKind::LegitimateInterest;
            content.berichten[0].van = [kind].into();
        });
        let mut content = content();
        content.partijen[0].soort = kind;
        for clause in &mut content.afspraken {
            clause.doel_digest = purpose.digest();
        }
        let agreement = in_force(&content);
        let digest = agreement.digest();
        let outcome =
            decide(&Rulebook::new([agreement], [purpose]), &question(digest, &document(&on_interest)));
        let expected = if kind.is_authority() { Some(Reason::BasisMissing) } else { None };
        assert_eq!(outcome.err().map(|refusal| refusal.reason), expected, "{kind}");
    }
}

#[test]
fn every_condition_of_the_basis_is_met() {
    let conditions = [
        "persoonlijk-contact",
        "gewezen-op-schuldhulp",
        "schriftelijke-herinnering",
        "aanbod-doorgeven-zonder-bezwaar",
    ];
    for name in conditions {
        let mut data = data();
        data["grondslag"]["voorwaarden"][name] = json!(false);
        let refusal = with(|_| {}, &data).expect_err("refused");
        assert_eq!((refusal.reason, refusal.about), (Reason::ConditionNotMet, vec![name.to_owned()]));
    }
    // A condition that the message does not even mention.
    let silent =
        with(|content| content.berichten[0].grondslagen[0].voorwaarden.push("nieuw".into()), &data());
    assert_eq!(silent.expect_err("refused").about, ["nieuw"]);
}

#[test]
fn one_way_to_rest_on_a_basis_is_enough_and_the_nearest_is_named() {
    let two_ways = |content: &mut Content| {
        let mut other = content.berichten[0].grondslagen[0].clone();
        other.voorwaarden = vec!["a".into(), "b".into()];
        content.berichten[0].grondslagen.push(other);
    };
    assert!(with(two_ways, &data()).is_ok());
    let mut one_short = data();
    one_short["grondslag"]["voorwaarden"]["persoonlijk-contact"] = json!(false);
    assert_eq!(with(two_ways, &one_short).expect_err("refused").about, ["persoonlijk-contact"]);
    one_short["grondslag"]["voorwaarden"]["a"] = json!(true);
    one_short["grondslag"]["voorwaarden"]["b"] = json!(true);
    assert!(with(two_ways, &one_short).is_ok());
}

fn on_consent(content: &mut Content) {
    content.berichten[0].grondslagen[0].soort = BasisKind::Consent;
}

#[test]
fn a_consent_covers_receiver_purpose_moment_and_data() {
    let good = with_consent(data());
    assert!(with(on_consent, &good).is_ok());
    let consent = |place: &str, value: Value| {
        let mut data = good.clone();
        data["grondslag"]["toestemming"][place] = value;
        with(on_consent, &data).expect_err("refused")
    };
    assert_eq!(consent("verleend_aan", json!([corporation()])).reason, Reason::ConsentMissing);
    assert_eq!(consent("doelen", json!(["consultatie"])).reason, Reason::ConsentMissing);
    assert_eq!(consent("doelen", json!(["consultatie"])).about, ["de toestemming noemt dit doel niet"]);
    assert_eq!(consent("geldig_tot", json!("2026-11-21T09:30:00Z")).reason, Reason::ConsentExpired);

    let fewer = json!({"categorieen": ["identificatie", "adres"], "leefgebieden": ["wonen"]});
    let refusal = consent("gegevens", fewer);
    assert_eq!(refusal.reason, Reason::ConsentMissing);
    let unnamed =
        ["contact", "financieel", "financien"].map(|name| format!("de toestemming noemt {name} niet"));
    assert_eq!(refusal.about, unnamed);

    let mut without = good.clone();
    without["grondslag"].as_object_mut().unwrap().remove("toestemming");
    assert_eq!(reason(with(on_consent, &without)), Reason::ConsentMissing);
}

#[test]
fn a_consent_ends_at_its_last_instant() {
    let until = |time: &str| {
        let mut data = with_consent(data());
        data["grondslag"]["toestemming"]["geldig_tot"] = json!(time);
        with(on_consent, &data)
    };
    assert_eq!(reason(until("2026-11-21T09:30:00.123Z")), Reason::ConsentExpired, "which is now");
    assert!(until("2026-11-21T09:30:00.124Z").is_ok());
}

#[test]
fn a_withdrawn_consent_carries_nothing() {
    let (rulebook, digest) = rulebook_on(purpose_with(on_consent));
    let document = document(&with_consent(data()));
    let question = Question { consent: ConsentKnowledge::Withdrawn, ..question(digest, &document) };
    assert_eq!(refused(&rulebook, &question).0, Reason::ConsentWithdrawn);
    // On another basis it does not matter: that stands by itself.
    let other = testing::document(&data());
    let question = Question { agreement: agreement(&content()).digest(), document: &other, ..question };
    assert!(decide(&testing::rulebook(), &question).is_ok());
}

#[test]
fn only_the_data_of_the_purpose() {
    let fewer = |content: &mut Content| {
        content.berichten[0].gegevens.retain(|category| *category == Category::Identification);
        content.berichten[0].leefgebieden = [LifeDomain::Housing].into();
    };
    let refusal = with(fewer, &data()).expect_err("refused");
    assert_eq!(refusal.reason, Reason::DataNotAllowed);
    assert_eq!(refusal.about, ["adres", "contact", "financieel", "financien"]);
}

#[test]
fn a_bsn_goes_only_between_those_who_may_have_it() {
    let mut with_bsn = data();
    with_bsn["betrokkene"]["bsn"] = json!("999990342");
    for from in OrganisationKind::ALL {
        for to in OrganisationKind::ALL {
            for allowed in [false, true] {
                let purpose = purpose_with(|content| {
                    let rule = &mut content.berichten[0];
                    (rule.van, rule.naar, rule.bsn) = ([from].into(), [to].into(), allowed);
                });
                let mut content = content();
                (content.partijen[0].soort, content.partijen[1].soort) = (from, to);
                for clause in &mut content.afspraken {
                    clause.doel_digest = purpose.digest();
                }
                let agreement = in_force(&content);
                let digest = agreement.digest();
                let rulebook = Rulebook::new([agreement], [purpose]);
                let outcome = decide(&rulebook, &question(digest, &document(&with_bsn)));
                let may = allowed && from.may_process_bsn() && to.may_process_bsn();
                assert_eq!(outcome.is_ok(), may, "{from} to {to}, allowed: {allowed}");
                if let Err(refusal) = outcome {
                    assert_eq!(
                        (refusal.reason, refusal.about),
                        (Reason::DataNotAllowed, vec!["bsn".to_owned()])
                    );
                }
            }
        }
    }
}

/// Health, addiction and justice are each allowed by name, whatever else is.
#[test]
fn special_data_needs_its_own_exception() {
    let handover = include_str!("../../../../schemas/fixtures/valid/overdracht-aangeboden/volledig.json");
    let handover = Document::parse(SchemaName::HandoverOffered, handover.as_bytes()).unwrap();
    let special: Vec<Category> =
        handover.uses().categories.iter().copied().filter(|category| category.is_special()).collect();
    assert!(!special.is_empty(), "the fixture holds special data");
    let handover_type = handover.schema().message_type().unwrap();
    let allowing = |named: &[Category]| {
        let purpose = purpose_with(|content| {
            let rule = &mut content.berichten[0];
            rule.message_type = handover_type.into();
            rule.van = [OrganisationKind::Municipality].into();
            rule.naar = rule.van.clone();
            let apart = [Category::Process, Category::CitizenNumber];
            let plain = |one: &Category| !one.is_special() && !apart.contains(one);
            rule.gegevens = Category::ALL.into_iter().filter(plain).collect();
            rule.leefgebieden = LifeDomain::ALL.into();
            rule.bsn = true;
            rule.grondslagen[0].soort = handover.basis().kind;
            rule.grondslagen[0].voorwaarden.clear();
            let exception = |categorie| SpecialData { categorie, uitzondering: "UAVG art. 30 lid 3".into() };
            rule.bijzondere_gegevens = named.iter().copied().map(exception).collect();
        });
        let mut content = content();
        content.partijen[0].soort = OrganisationKind::Municipality;
        for clause in &mut content.afspraken {
            (clause.doel_digest, clause.berichttypen) = (purpose.digest(), vec![handover_type.into()]);
        }
        let agreement = in_force(&content);
        let digest = agreement.digest();
        let question = Question { message_type: handover_type, ..question(digest, &handover) };
        decide(&Rulebook::new([agreement], [purpose]), &question)
    };
    assert!(allowing(&special).is_ok());
    for missing in &special {
        let named: Vec<Category> = special.iter().copied().filter(|one| one != missing).collect();
        let refusal = allowing(&named).expect_err("refused");
        assert_eq!((refusal.reason, refusal.about), (Reason::DataNotAllowed, vec![missing.to_string()]));
    }
}

/// A message with every fault gives them one by one, in the order of the protocol, as each is mended.
#[test]
fn the_first_fault_is_the_reason() {
    let mut data = with_consent(data());
    data["betrokkene"]["bsn"] = json!("999990342");
    data["grondslag"]["voorwaarden"]["persoonlijk-contact"] = json!(false);
    data["grondslag"]["toestemming"]["doelen"] = json!(["consultatie"]);
    data["grondslag"]["toestemming"]["geldig_tot"] = json!("2020-01-01T00:00:00Z");
    data["grondslag"]["toestemming"]["gegevens"]["categorieen"] = json!(["bsn", "identificatie", "adres"]);
    data["grondslag"]["toestemming"]["gegevens"]["leefgebieden"] = json!([]);

    let purpose = purpose_with(on_consent);
    let mut not_of_purpose = purpose.content().clone();
    not_of_purpose.berichten[0].grondslagen[0].soort = BasisKind::PublicTask;
    let mut not_for_kind = not_of_purpose.clone();
    not_for_kind.berichten[0].van = [OrganisationKind::Welfare].into();
    let read = |content: &Content| Purpose::from_json(&serde_json::to_string(content).unwrap()).unwrap();
    let purposes = [read(&not_for_kind), read(&not_of_purpose), purpose];

    let mut reasons = Vec::new();
    let mut ask = |purpose: &Purpose, accepted: bool, withdrawn: bool, data: &Value| {
        let mut content = content();
        for clause in &mut content.afspraken {
            clause.doel_digest = purpose.digest();
        }
        let agreement = if accepted { in_force(&content) } else { agreement(&content) };
        let document = document(data);
        let known = if withdrawn { ConsentKnowledge::Withdrawn } else { ConsentKnowledge::NothingElse };
        let question = Question { consent: known, ..question(agreement.digest(), &document) };
        reasons.push(
            decide(&Rulebook::new([agreement], [purpose.clone()]), &question).err().map(|one| one.reason),
        );
    };
    ask(&purposes[0], false, true, &data);
    ask(&purposes[0], true, true, &data);
    ask(&purposes[1], true, true, &data);
    ask(&purposes[2], true, true, &data);
    data["grondslag"]["voorwaarden"]["persoonlijk-contact"] = json!(true);
    // What the purpose forbids is said before anybody is asked to consent to it.
    ask(&purposes[2], true, true, &data);
    data["betrokkene"].as_object_mut().unwrap().remove("bsn");
    ask(&purposes[2], true, true, &data);
    ask(&purposes[2], true, false, &data);
    data["grondslag"]["toestemming"]["geldig_tot"] = json!("2027-05-01T00:00:00Z");
    ask(&purposes[2], true, false, &data);
    data["grondslag"]["toestemming"]["doelen"] = json!([PURPOSE]);
    ask(&purposes[2], true, false, &data);
    data["grondslag"]["toestemming"]["gegevens"] = json!({"categorieen": ["identificatie", "adres", "contact", "financieel"], "leefgebieden": ["financien"]});
    ask(&purposes[2], true, false, &data);
    assert_eq!(
        reasons,
        [
            Some(Reason::AgreementNotInForce),
            Some(Reason::PurposeNotAllowed),
            Some(Reason::BasisMissing),
            Some(Reason::ConditionNotMet),
            Some(Reason::DataNotAllowed),
            Some(Reason::ConsentWithdrawn),
            Some(Reason::ConsentExpired),
            Some(Reason::ConsentMissing),
            Some(Reason::ConsentMissing),
            None,
        ]
    );
}

/// A concern about somebody, in this life domain.
fn concern(domain: &str) -> Document {
    let value = json!({
        "grondslag": { "soort": "toestemming", "artikelen": ["AVG art. 6 lid 1 onder a"] },
        "betrokkene": data()["betrokkene"],
        "inhoud": {
            "aanleiding": "Er is hulp bij gevraagd.", "zorgen": { domain: { "omschrijving": "Hulp gevraagd." } },
            "waarneming": "zelf-gezien", "besproken_met_inwoner": true, "urgentie": "normaal",
            "waargenomen_op": "2026-11-14",
        },
    });
    Document::parse(SchemaName::CareConcern, value.to_string().as_bytes()).unwrap()
}

/// Another basis for what came under a consent that ended is one that the organisation may use, as the message stands.
#[test]
fn what_is_kept_without_consent_has_a_basis_of_its_own() {
    let kept = |bases: Value, keeper, document: &Document| {
        let purpose = purpose_with(|content| {
            content.berichten[0].grondslagen = serde_json::from_value(bases).unwrap();
            let by_law = SpecialData {
                categorie: Category::Health,
                uitzondering: "UAVG art. 30 lid 3 onder a".into(),
            };
            let consented = SpecialData {
                categorie: Category::Addiction,
                uitzondering: "AVG art. 9 lid 2 onder a".into(),
            };
            content.berichten[0].bijzondere_gegevens = vec![by_law, consented];
        });
        basis_without_consent(&purpose.content().berichten[0], keeper, document).map(|basis| basis.soort)
    };
    let (municipality, corporation) = (OrganisationKind::Municipality, OrganisationKind::HousingCorporation);
    let plain = document(&data());
    let consent = json!({ "soort": "toestemming" });
    let interest = json!([consent, { "soort": "gerechtvaardigd-belang" }]);
    assert_eq!(kept(json!([consent]), municipality, &plain), None);
    assert_eq!(kept(interest.clone(), corporation, &plain), Some(BasisKind::LegitimateInterest));
    assert_eq!(kept(interest, municipality, &plain), None, "an authority has none");
    let conditional = json!([consent, { "soort": "publieke-taak", "voorwaarden": ["is-besproken"] }]);
    assert_eq!(kept(conditional, municipality, &plain), None, "nobody stated that it is met");
    let task = json!([consent, { "soort": "gerechtvaardigd-belang" }, { "soort": "publieke-taak" }]);
    assert_eq!(kept(task.clone(), municipality, &plain), Some(BasisKind::PublicTask));

    let special = concern("verslaving");
    assert!(special.uses().categories.contains(&Category::Addiction));
    assert_eq!(kept(task.clone(), municipality, &special), None, "only the consent allowed this");
    let by_law = concern("lichamelijke-gezondheid");
    assert!(by_law.uses().categories.contains(&Category::Health));
    assert_eq!(kept(task.clone(), municipality, &by_law), Some(BasisKind::PublicTask));
    let unnamed = concern("justitie");
    assert!(unnamed.uses().categories.contains(&Category::Justice));
    assert_eq!(kept(task, municipality, &unnamed), None, "the purpose never allowed this");
}
