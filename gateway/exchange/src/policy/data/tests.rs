#![allow(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

use std::{collections::BTreeSet, path::Path};

use proptest::{prelude::*, sample};
use serde_json::{Value, json};

use super::*;
use crate::{
    id, jws,
    message::{Draft, PermittedDraft, ReceivedMessage},
    policy::ConsentKnowledge,
    purpose::{Content, Purpose},
    random::SeededRandom,
    rulebook::Rulebook,
    testing::{
        corporation, data, document, draft_of, municipality, now, oin, purpose, purpose_with, rulebook_on,
        signer, with_consent,
    },
};

const PLAIN: [Category; 8] = [
    Category::Identification,
    Category::Address,
    Category::Contact,
    Category::Financial,
    Category::Household,
    Category::Situation,
    Category::Wish,
    Category::Support,
];
const SPECIAL: [Category; 3] = [Category::Health, Category::Addiction, Category::Justice];

/// The valid documents of every message type that the schemas come with.
fn documents() -> Vec<Document> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../schemas/fixtures/valid");
    let mut found = Vec::new();
    for schema in schemas::all().filter(|schema| schema.message_type().is_some()) {
        let before = found.len();
        for file in std::fs::read_dir(folder.join(schema.as_str())).unwrap() {
            let text = std::fs::read(file.unwrap().path()).unwrap();
            found.push(Document::parse(schema, &text).unwrap());
        }
        assert!(found.len() > before, "{schema}");
    }
    found
}

/// Any valid document of any type: one that the schemas come with, with a BSN or without some of its fields.
fn any_document() -> impl Strategy<Value = Document> {
    let with_bsn = |document: &Document| {
        let mut data = document.value().clone();
        data.get_mut("betrokkene")?["bsn"] = json!("999990342");
        Document::parse(document.schema(), data.to_string().as_bytes()).ok()
    };
    let cut = sample::select(documents()).prop_flat_map(|document| {
        let fields: Vec<String> = document.fields().into_iter().map(|field| field.pointer).collect();
        let most = fields.len().min(4);
        (Just(document), sample::subsequence(fields, 0..=most))
    });
    (cut, any::<bool>()).prop_map(move |((document, gone), bsn)| {
        let smaller = document.without(gone.iter().map(String::as_str)).unwrap_or(document);
        bsn.then(|| with_bsn(&smaller)).flatten().unwrap_or(smaller)
    })
}

prop_compose! {
    fn any_rule()(
        gegevens in sample::subsequence(PLAIN.to_vec(), 0..=PLAIN.len()),
        special in sample::subsequence(SPECIAL.to_vec(), 0..=SPECIAL.len()),
        domains in sample::subsequence(LifeDomain::ALL.to_vec(), 0..=LifeDomain::ALL.len()),
        bsn in any::<bool>(),
    ) -> Rule {
        let exception = |categorie| SpecialData { categorie, uitzondering: "UAVG art. 30 lid 3".into() };
        Rule {
            gegevens: gegevens.into_iter().collect(),
            leefgebieden: domains.into_iter().collect(),
            bijzondere_gegevens: special.into_iter().map(exception).collect(),
            bsn,
            te_veel: OnExcess::Weglaten,
            ..purpose().content().berichten[0].clone()
        }
    }
}

fn any_kind() -> impl Strategy<Value = OrganisationKind> {
    sample::select(&OrganisationKind::ALL[..])
}

/// Whether a field may go, as a person would say it.
fn may_go(rule: &Rule, from: OrganisationKind, to: OrganisationKind, held: &DataUse) -> bool {
    let by_law = ["gemeente", "sociale-dienst", "uwv", "zorgaanbieder"];
    held.categories.iter().all(|category| match category.as_str() {
        "proces" => true,
        "bsn" => rule.bsn && by_law.contains(&from.as_str()) && by_law.contains(&to.as_str()),
        "gezondheid" | "verslaving" | "justitie" => {
            rule.bijzondere_gegevens.iter().any(|one| one.categorie == *category)
        }
        _ => rule.gegevens.contains(category),
    }) && held.life_domains.iter().all(|domain| rule.leefgebieden.contains(domain))
}

/// The values of the fields that are not among these.
fn values(document: &Document, except: &[String]) -> Vec<Value> {
    let kept = document.fields().into_iter().filter(|field| !except.contains(&field.pointer));
    kept.map(|field| document.value().pointer(&field.pointer).unwrap().clone()).collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    /// What passes holds nothing that is not allowed; what is trimmed passes, lost exactly the fields that are reported
    /// and no other, and is not trimmed again.
    #[test]
    fn nothing_passes_that_is_not_allowed_and_trimming_takes_no_more(
        document in any_document(), rule in any_rule(), from in any_kind(), to in any_kind(),
    ) {
        let allowance = Allowance::new(&rule, from, to);
        let (good, bad): (Vec<_>, Vec<_>) =
            document.fields().into_iter().partition(|field| may_go(&rule, from, to, &field.uses));
        let bad: Vec<String> = bad.into_iter().map(|field| field.pointer).collect();
        prop_assert_eq!(allowance.check(&document).is_ok(), bad.is_empty());

        match allowance.trim(&document) {
            None => {
                let rest = document.without(bad.iter().map(String::as_str));
                prop_assert!(bad.is_empty() || rest.is_err(), "what is left is valid, and it was not trimmed");
            }
            Some(trimmed) => {
                prop_assert_eq!(&trimmed.left_out, &bad);
                prop_assert!(allowance.check(&trimmed.document).is_ok());
                let left = trimmed.document.fields();
                prop_assert_eq!(left.len(), good.len());
                prop_assert!(left.iter().all(|field| may_go(&rule, from, to, &field.uses)));
                prop_assert_eq!(values(&trimmed.document, &[]), values(&document, &bad));
                prop_assert!(allowance.trim(&trimmed.document).is_none(), "trimming once is enough");
            }
        }
        let refusing = Rule { te_veel: OnExcess::Weigeren, ..rule };
        prop_assert!(Allowance::new(&refusing, from, to).trim(&document).is_none());
    }
}

/// The signal of arrears with a life domain and a way to reach the person that the purpose does not allow.
fn narrow(content: &mut Content) {
    content.berichten[0].te_veel = OnExcess::Weglaten;
    content.berichten[0].gegevens.remove(&Category::Contact);
}

fn permit(data: &Value, change: impl FnOnce(&mut Content)) -> (Rulebook, Result<PermittedDraft, Refusal>) {
    let (rulebook, agreement) = rulebook_on(purpose_with(change));
    let draft = Draft { agreement, ..draft_of(data) };
    let permitted = draft.permit(&rulebook, ConsentKnowledge::NothingElse);
    (rulebook, permitted.map_err(|held_back| held_back.refusal().clone()))
}

/// What the municipality makes of a message with this data, whatever its sender did.
fn receive(data: &Value, rulebook: &Rulebook) -> Result<(), Refusal> {
    let agreement = rulebook.agreements().next().unwrap().digest();
    let draft = draft_of(data);
    let payload = json!({
        "specversion": "1.0", "id": id::new(now(), &SeededRandom::new(1)), "source": corporation().source_urn(),
        "type": draft.document.schema().message_type(), "time": now(), "datacontenttype": "application/json",
        "dataschema": draft.document.schema().urn(), "ontvanger": municipality(), "verlooptop": now(),
        "convenant": agreement, "doel": draft.purpose, "data": data,
        "dossier": "urn:uuid:7c9e6679-7425-40de-944b-e07fc1f90ae7",
    });
    let compact = jws::sign(jws::MESSAGE, payload.to_string().as_bytes(), &signer(1));
    let verified = ReceivedMessage::new(&compact, oin(1)).verify(oin(2), rulebook, now());
    let admitted = verified.and_then(|one| one.admit(rulebook, ConsentKnowledge::NothingElse, now()));
    admitted.map(drop).map_err(|refused| refused.refusal().clone())
}

#[test]
fn a_sender_leaves_out_what_the_purpose_says_and_reports_it() {
    let (rulebook, permitted) = permit(&data(), narrow);
    let permitted = permitted.unwrap();
    let contact: Vec<String> = document(&data()).fields().into_iter().map(|field| field.pointer).collect();
    let contact: Vec<String> = contact.into_iter().filter(|one| one.contains("/contact/")).collect();
    assert!(!contact.is_empty(), "the fixture says how to reach the person");
    assert_eq!(permitted.left_out(), contact);
    let signed = permitted.sign(&signer(1)).unwrap();
    assert_eq!(signed.left_out(), contact);
    assert_eq!(signed.draft().document.value().pointer("/betrokkene/contact"), None);
    let received = ReceivedMessage::new(signed.compact(), corporation());
    let verified = received.verify(municipality(), &rulebook, now()).unwrap();
    assert!(verified.admit(&rulebook, ConsentKnowledge::NothingElse, now()).is_ok());
}

#[test]
fn a_receiver_refuses_what_its_sender_should_have_left_out() {
    let (rulebook, _) = permit(&data(), narrow);
    let refusal = receive(&data(), &rulebook).expect_err("refused");
    assert_eq!((refusal.reason, refusal.about), (Reason::DataNotAllowed, vec!["contact".to_owned()]));
    let (rulebook, _) = permit(&data(), |_| {});
    assert_eq!(receive(&data(), &rulebook), Ok(()));
}

#[test]
fn a_purpose_that_says_nothing_refuses() {
    let (_, permitted) = permit(&data(), |content| {
        content.berichten[0].gegevens.remove(&Category::Contact);
    });
    let refusal = permitted.expect_err("refused");
    assert_eq!((refusal.reason, refusal.about), (Reason::DataNotAllowed, vec!["contact".to_owned()]));
    let (_, permitted) = permit(&data(), |content| content.berichten[0].te_veel = OnExcess::Weglaten);
    assert!(permitted.unwrap().left_out().is_empty(), "nothing is too much");
}

#[test]
fn what_the_message_cannot_do_without_is_not_left_out() {
    let (_, permitted) = permit(&data(), |content| {
        narrow(content);
        content.berichten[0].gegevens.remove(&Category::Financial);
    });
    let refusal = permitted.expect_err("an amount is required");
    assert_eq!(refusal.reason, Reason::DataNotAllowed);
    assert_eq!(refusal.about, ["contact", "financieel"]);
}

#[test]
fn leaving_out_lifts_no_other_refusal() {
    let mut unmet = data();
    unmet["grondslag"]["voorwaarden"]["persoonlijk-contact"] = json!(false);
    assert_eq!(permit(&unmet, narrow).1.expect_err("refused").reason, Reason::ConditionNotMet);
}

#[test]
fn a_consent_need_not_cover_what_does_not_go() {
    let on_consent = |content: &mut Content| {
        narrow(content);
        content.berichten[0].grondslagen[0].soort = schemas::BasisKind::Consent;
    };
    let mut narrower = with_consent(data());
    let given = &mut narrower["grondslag"]["toestemming"]["gegevens"];
    given["categorieen"] = json!(["identificatie", "adres", "financieel"]);
    assert!(!permit(&narrower, on_consent).1.unwrap().left_out().is_empty());
    narrower["grondslag"]["toestemming"]["gegevens"]["categorieen"] = json!(["identificatie", "adres"]);
    let refusal = permit(&narrower, on_consent).1.expect_err("refused");
    let unnamed = vec!["de toestemming noemt financieel niet".to_owned()];
    assert_eq!((refusal.reason, refusal.about), (Reason::ConsentMissing, unnamed));
}

/// The purpose chooses how a person is identified: by number, by name and address, or either.
#[test]
fn a_person_is_identified_the_way_the_purpose_allows() {
    let mut both = data();
    both["betrokkene"]["bsn"] = json!("999990342");
    let both = document(&both);
    let trimmed = |gegevens: &[Category], bsn: bool| {
        let rule = Rule {
            gegevens: gegevens.iter().copied().collect(),
            bsn,
            te_veel: OnExcess::Weglaten,
            ..purpose().content().berichten[0].clone()
        };
        let (from, to) = (OrganisationKind::Municipality, OrganisationKind::SocialService);
        let trimmed = Allowance::new(&rule, from, to).trim(&both)?;
        let person = trimmed.document.value()["betrokkene"].as_object().unwrap().clone();
        Some(person.keys().cloned().collect::<BTreeSet<_>>())
    };
    let named = |names: &[&str]| Some(names.iter().map(|name| (*name).to_owned()).collect::<BTreeSet<_>>());
    assert_eq!(trimmed(&[Category::Financial], true), named(&["bsn"]));
    let by_name = [Category::Financial, Category::Identification, Category::Address];
    assert_eq!(trimmed(&by_name, false), named(&["adres", "geboortedatum", "naam"]));
    assert_eq!(trimmed(&[Category::Financial], false), None, "then nobody knows who it is about");
}

#[test]
fn each_obstacle_says_what_is_in_the_way() {
    let mut rule = purpose().content().berichten[0].clone();
    let held = |categories: &[Category], domains: &[LifeDomain]| DataUse {
        categories: categories.iter().copied().collect(),
        life_domains: domains.iter().copied().collect(),
        bsn: false,
    };
    let of = |rule: &Rule, from, to, held: &DataUse| Allowance::new(rule, from, to).obstacles(held);
    let (city, landlord) = (OrganisationKind::Municipality, OrganisationKind::HousingCorporation);
    let bsn = held(&[Category::CitizenNumber], &[]);
    assert_eq!(of(&rule, city, city, &bsn), [Obstacle::Bsn]);
    rule.bsn = true;
    assert_eq!(of(&rule, city, landlord, &bsn), [Obstacle::BsnByLaw(landlord)]);
    assert_eq!(of(&rule, city, city, &bsn), []);
    let health = held(&[Category::Health, Category::Wish], &[LifeDomain::MentalHealth, LifeDomain::Housing]);
    let expected = [
        Obstacle::Category(Category::Wish),
        Obstacle::Special(Category::Health),
        Obstacle::LifeDomain(LifeDomain::MentalHealth),
    ];
    let found: BTreeSet<_> = of(&rule, city, city, &health).into_iter().collect();
    assert_eq!(found, expected.into());
}

/// The text decides, and not the struct: a purpose that says it and one that leaves it out mean the same, and are two.
#[test]
fn refusing_is_what_a_purpose_means_that_does_not_say() {
    let text: Value = serde_json::from_str(purpose().text()).unwrap();
    let mut said = text.clone();
    said["berichten"][0]["te_veel"] = json!("weigeren");
    let said = Purpose::from_json(&said.to_string()).unwrap();
    assert_eq!(said.content().berichten[0].te_veel, OnExcess::Weigeren);
    assert_eq!(purpose().content().berichten[0].te_veel, OnExcess::Weigeren);
    assert_ne!(said.digest(), purpose().digest());
    let mut unknown = text;
    unknown["berichten"][0]["te_veel"] = json!("bewaren");
    assert!(Purpose::from_json(&unknown.to_string()).is_err());
}

#[test]
fn feedback_says_no_more_than_the_purpose_names() {
    use OrganisationKind::{HousingCorporation, Municipality};
    let feedback = |content: Value| {
        let value = json!({ "grondslag": { "soort": "publieke-taak" }, "inhoud": content });
        Document::parse(SchemaName::Feedback, value.to_string().as_bytes()).unwrap()
    };
    let about = "01936f2a-4c1e-7b3a-9c5d-2f6e8a1b4c70";
    let named = feedback(json!({ "bericht_id": about, "resultaat": "Geen reactie na eerder contact" }));
    let unnamed = feedback(json!({
        "bericht_id": about, "opgepakt_op": "2026-11-20", "resultaat": "Inwoner heeft al een ander lopend traject",
    }));
    let only = feedback(json!({ "bericht_id": about, "status": "Inwoner is overleden" }));
    let register = purpose();
    let told = Some(BTreeSet::from(["Geen reactie na eerder contact".to_owned()]));
    let rule = Rule { terugkoppeling: told, ..register.rule(crate::testing::FEEDBACK).unwrap().clone() };
    let allowance = Allowance::new(&rule, Municipality, HousingCorporation);
    assert!(allowance.check(&named).is_ok());
    for document in [&unnamed, &only] {
        let refusal = allowance.check(document).unwrap_err();
        assert_eq!(
            (refusal.reason, refusal.about),
            (Reason::DataNotAllowed, vec!["terugkoppeling".to_owned()])
        );
        assert!(allowance.trim(document).is_none(), "the purpose refuses what is too much");
    }
    let leaving = Rule { te_veel: OnExcess::Weglaten, ..rule.clone() };
    let leaving = Allowance::new(&leaving, Municipality, HousingCorporation);
    let trimmed = leaving.trim(&unnamed).unwrap();
    assert_eq!(trimmed.left_out, ["/inhoud/resultaat"]);
    assert!(leaving.check(&trimmed.document).is_ok());
    assert!(leaving.trim(&only).is_none(), "nothing is left to say");
    let any = Rule { terugkoppeling: None, ..rule };
    assert!(Allowance::new(&any, Municipality, HousingCorporation).check(&unnamed).is_ok());
}
