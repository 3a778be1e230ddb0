//! Any world of parties, purposes and an agreement, from which permissions are taken away one by one.

use std::collections::BTreeSet;

use jiff::{SignedDuration, civil::date};
use proptest::{prelude::*, sample::Index};

use super::*;
use crate::{
    agreement::Clause,
    consent::{CaseResident, ConsentKey},
    message::ReceivedMessage,
    purpose::AllowedBasis,
    testing::{party, signer},
};

/// Documents of four types that between them hold every category of data but one.
const DOCUMENTS: [(SchemaName, &str); 6] = [
    (
        SchemaName::PaymentArrears,
        include_str!("../../../../../schemas/fixtures/valid/signaal-betalingsachterstand/huur.json"),
    ),
    (
        SchemaName::PaymentArrears,
        include_str!(
            "../../../../../schemas/fixtures/valid/signaal-betalingsachterstand/energie-crisis-zonder-contact.json"
        ),
    ),
    (
        SchemaName::HandoverOffered,
        include_str!("../../../../../schemas/fixtures/valid/overdracht-aangeboden/volledig.json"),
    ),
    (
        SchemaName::HandoverOffered,
        include_str!("../../../../../schemas/fixtures/valid/overdracht-aangeboden/kort.json"),
    ),
    (
        SchemaName::Feedback,
        include_str!("../../../../../schemas/fixtures/valid/terugkoppeling/resultaat.json"),
    ),
    (
        SchemaName::ConsultationAsked,
        include_str!("../../../../../schemas/fixtures/valid/consultatie-gevraagd/kort.json"),
    ),
];

const CONDITIONS: [&str; 5] = [
    "persoonlijk-contact",
    "gewezen-op-schuldhulp",
    "schriftelijke-herinnering",
    "aanbod-doorgeven-zonder-bezwaar",
    // Stated by no message.
    "wat-niemand-zegt",
];

const BASES: [BasisKind; 6] = [
    BasisKind::Consent,
    BasisKind::Contract,
    BasisKind::LegalObligation,
    BasisKind::VitalInterest,
    BasisKind::PublicTask,
    BasisKind::LegitimateInterest,
];

/// The whole of what a decision depends on.
#[derive(Debug, Clone)]
struct World {
    purposes: [Content; 2],
    /// Whether the text of each purpose is at hand.
    texts: [bool; 2],
    agreement: crate::agreement::Content,
    answers: BTreeSet<(u8, &'static str)>,
    from: u8,
    to: u8,
    purpose: usize,
    schema: SchemaName,
    data: Value,
    consent: ConsentKnowledge,
    /// Whether it is known whom the case is about.
    case: bool,
}

/// A permission less. What is not there cannot be taken away: then nothing happens.
#[derive(Debug, Clone)]
enum Less {
    SenderKind(OrganisationKind),
    ReceiverKind(OrganisationKind),
    Category(Index),
    LifeDomain(Index),
    Special(Index),
    Bsn,
    Basis(BasisKind),
    OneBasis(Index),
    ConditionMore(Index, Index),
    Rule(Index),
    Clause(Index),
    ClauseSender(Index, u8),
    ClauseReceiver(Index, u8),
    ClauseType(Index, Index),
    Acceptance(u8),
    Answer(u8, AnswerKind),
    LastDay,
    PurposeText(usize),
    ConditionMet(Index),
    Consent(&'static str, Index),
    ConsentTime,
    ConsentExtract,
    ConsentWithdrawn,
    Case,
}

fn any_less() -> impl Strategy<Value = Less> {
    use Less as L;
    let kind = || prop::sample::select(&OrganisationKind::ALL[..]);
    let number = || 1..=3_u8;
    let at = any::<Index>;
    prop_oneof![
        1 => kind().prop_map(L::SenderKind),
        1 => kind().prop_map(L::ReceiverKind),
        4 => at().prop_map(L::Category),
        2 => at().prop_map(L::LifeDomain),
        2 => at().prop_map(L::Special),
        1 => Just(L::Bsn),
        1 => prop::sample::select(&BASES[..]).prop_map(L::Basis),
        2 => at().prop_map(L::OneBasis),
        6 => (at(), at()).prop_map(|(basis, name)| L::ConditionMore(basis, name)),
        1 => at().prop_map(L::Rule),
        1 => at().prop_map(L::Clause),
        1 => (at(), number()).prop_map(|(clause, party)| L::ClauseSender(clause, party)),
        1 => (at(), number()).prop_map(|(clause, party)| L::ClauseReceiver(clause, party)),
        1 => (at(), at()).prop_map(|(clause, kind)| L::ClauseType(clause, kind)),
        1 => number().prop_map(L::Acceptance),
        1 => (number(), prop::sample::select(vec![AnswerKind::Ended, AnswerKind::Rejected]))
            .prop_map(|(party, kind)| L::Answer(party, kind)),
        1 => Just(L::LastDay),
        1 => (0..2_usize).prop_map(L::PurposeText),
        4 => at().prop_map(L::ConditionMet),
        4 => (prop::sample::select(vec!["verleend_aan", "doelen", "categorieen", "leefgebieden"]), at())
            .prop_map(|(list, item)| L::Consent(list, item)),
        1 => Just(L::ConsentTime),
        1 => Just(L::ConsentExtract),
        1 => Just(L::ConsentWithdrawn),
        1 => Just(L::Case),
    ]
}

fn remove_one<T: Clone + Ord>(set: &mut BTreeSet<T>, at: Index) {
    if !set.is_empty() {
        let one = at.get(&set.iter().cloned().collect::<Vec<_>>()).clone();
        set.remove(&one);
    }
}

fn remove_from<T>(list: &mut Vec<T>, at: Index) {
    if !list.is_empty() {
        list.remove(at.index(list.len()));
    }
}

impl World {
    /// Allows everything that can be allowed.
    fn permissive(
        kinds: [OrganisationKind; 3],
        document: usize,
        basis: BasisKind,
        purpose: usize,
        bsn: bool,
    ) -> Self {
        let (schema, text) = DOCUMENTS[document];
        let mut data: Value = serde_json::from_str(text).unwrap();
        data["grondslag"] = json!({ "soort": basis });
        // An anonymous question has no place for them.
        if !schema.as_str().starts_with("consultatie") {
            let met: serde_json::Map<_, _> =
                CONDITIONS[..4].iter().map(|name| ((*name).to_owned(), json!(true))).collect();
            data["grondslag"]["voorwaarden"] = met.into();
        }
        if basis == BasisKind::Consent {
            let of_person = Category::ALL.iter().filter(|one| **one != Category::Process);
            let all: Vec<_> = of_person.map(ToString::to_string).collect();
            data["grondslag"]["toestemming"] = json!({
                "id": "7c9e6679-7425-40de-944b-e07fc1f90ae7",
                "verleend_aan": [oin(1), oin(2), oin(3)], "doelen": ["eerste", "tweede"],
                "gegevens": {"categorieen": all, "leefgebieden": LifeDomain::ALL.map(|one| one.to_string())},
                "geldig_tot": now() + SignedDuration::from_nanos(1),
            });
        }
        if bsn && data["betrokkene"].is_object() {
            data["betrokkene"]["bsn"] = json!("999990342");
        }
        let purposes = ["eerste", "tweede"].map(purpose_of_all);
        let clause = |number: usize| Clause {
            doel: purposes[number].doel.clone(),
            doel_digest: Digest::of(b"filled in when it is built"),
            van: vec![oin(1), oin(2), oin(3)],
            naar: vec![oin(1), oin(2), oin(3)],
            berichttypen: purposes[0].berichten.iter().map(|rule| rule.message_type.clone()).collect(),
        };
        // No list has an item twice; in another order it is another item that says the same.
        let again = |clause: Clause| Clause { van: clause.van.into_iter().rev().collect(), ..clause };
        let agreement = crate::agreement::Content {
            partijen: vec![party(1, kinds[0]), party(2, kinds[1]), party(3, kinds[2])],
            afspraken: vec![clause(0), clause(1), again(clause(0)), again(clause(1))],
            ..content()
        };
        let answers = (1..=3).map(|number| (number, "aanvaard")).collect();
        let (from, to) = (1, 2);
        let consent = ConsentKnowledge::NothingElse;
        let case = true;
        Self {
            purposes,
            texts: [true; 2],
            agreement,
            answers,
            from,
            to,
            purpose,
            schema,
            data,
            consent,
            case,
        }
    }

    fn take(&mut self, less: &Less) {
        for purpose in &mut self.purposes {
            if let Less::Rule(at) = less {
                remove_from(&mut purpose.berichten, *at);
            }
            purpose.berichten.iter_mut().for_each(|rule| take_from_rule(rule, less));
        }
        match less {
            Less::Clause(at) => remove_from(&mut self.agreement.afspraken, *at),
            Less::Acceptance(number) => drop(self.answers.remove(&(*number, "aanvaard"))),
            Less::Answer(number, kind) => drop(self.answers.insert((*number, kind.as_str()))),
            Less::LastDay => self.agreement.geldig_tot = date(2026, 11, 20),
            Less::PurposeText(number) => self.texts[*number] = false,
            Less::ConsentWithdrawn => self.consent = ConsentKnowledge::Withdrawn,
            Less::Case => self.case = false,
            Less::ClauseSender(at, _) | Less::ClauseReceiver(at, _) | Less::ClauseType(at, _) => {
                if let Some(clause) = self.agreement.afspraken.get_mut(at.index(4)) {
                    take_from_clause(clause, less);
                }
            }
            other => take_from_basis(&mut self.data["grondslag"], other),
        }
    }

    /// The rules and the document, unless so much was taken that the schemas refuse what is left.
    fn build(&self) -> Option<(Rulebook, Digest, Document)> {
        let read = |content: &Content| Purpose::from_json(&serde_json::to_string(content).unwrap()).ok();
        let purposes = [read(&self.purposes[0])?, read(&self.purposes[1])?];
        let mut content = self.agreement.clone();
        for clause in &mut content.afspraken {
            clause.doel_digest = purposes[usize::from(clause.doel == "tweede")].digest();
        }
        let mut agreement = Agreement::parse(&serde_json::to_string(&content).unwrap()).ok()?;
        for (number, kind) in &self.answers {
            let kind = serde_json::from_value(json!(kind)).unwrap();
            answer(&mut agreement, *number, kind);
        }
        let document = self.document()?;
        let digest = agreement.digest();
        let at_hand =
            purposes.into_iter().zip(self.texts).filter(|(_, there)| *there).map(|(purpose, _)| purpose);
        Some((Rulebook::new([agreement], at_hand), digest, document))
    }

    /// The document with the extract that the sender, who asked for the consent, signed.
    fn document(&self) -> Option<Document> {
        let data = testing::carried(&self.data, self.from);
        Document::parse(self.schema, data.to_string().as_bytes()).ok()
    }

    fn decide(&self) -> Option<Result<(), Reason>> {
        let (rulebook, digest, document) = self.build()?;
        let resident = self.resident();
        let question = Question {
            from: oin(self.from),
            to: oin(self.to),
            agreement: digest,
            purpose: &self.purposes[self.purpose].doel,
            message_type: self.schema.message_type().unwrap(),
            document: &document,
            extract: None,
            consent: self.consent,
            resident: resident.as_ref(),
            now: now(),
        };
        let decided = decide(&rulebook, &question).map(drop).map_err(|refusal| refusal.reason);
        assert_eq!(self.receive(&rulebook, digest), decided, "both sides decide the same");
        Some(decided)
    }

    /// Whom the case is about, by an earlier message of it that rests on the same consent.
    fn resident(&self) -> Option<CaseResident> {
        let id = "7c9e6679-7425-40de-944b-e07fc1f90ae7".parse().unwrap();
        let consent = Some(ConsentKey { holder: oin(self.from), id });
        let earlier = testing::document(&testing::data());
        CaseResident::named_in(&earlier, consent).filter(|_| self.case)
    }

    /// What the receiver makes of the message, whether or not its sender should have sent it.
    fn receive(&self, rulebook: &Rulebook, digest: Digest) -> Result<(), Reason> {
        let payload = json!({
            "specversion": "1.0", "id": crate::id::new(now(), &crate::random::SeededRandom::new(1)),
            "source": oin(self.from).source_urn(), "type": self.schema.message_type(), "time": now(),
            "datacontenttype": "application/json", "dataschema": self.schema.urn(), "ontvanger": oin(self.to),
            "verlooptop": now(), "convenant": digest, "doel": self.purposes[self.purpose].doel,
            "dossier": "urn:uuid:7c9e6679-7425-40de-944b-e07fc1f90ae7", "data": testing::carried(&self.data, self.from),
        });
        let compact =
            crate::jws::sign(crate::jws::MESSAGE, payload.to_string().as_bytes(), &signer(self.from));
        let received = ReceivedMessage::new(&compact, oin(self.from)).verify(oin(self.to), rulebook, now());
        let resident = self.resident();
        let known = Knowledge { resident: resident.as_ref(), ..self.consent.into() };
        let admitted = received.and_then(|verified| verified.admit(rulebook, known, now()));
        admitted.map(drop).map_err(|refused| refused.refusal().reason)
    }

    /// The rules once more, as a person would say them, in no order.
    fn allows(&self) -> bool {
        let kind = |number: u8| self.agreement.partijen[usize::from(number) - 1].soort;
        let (from, to) = (kind(self.from), kind(self.to));
        let purpose = &self.purposes[self.purpose];
        let message_type = self.schema.message_type().unwrap();
        let Some(document) = self.document() else { return false };
        let Some(rule) = purpose.berichten.iter().find(|rule| rule.message_type == message_type) else {
            return false;
        };
        let held = document.uses();
        let stated = document.basis();

        let in_force = (1..=3).all(|number| self.answers.contains(&(number, "aanvaard")))
            && self.answers.len() == 3
            && self.agreement.geldig_tot == date(2027, 12, 31);
        let agreed = self.agreement.afspraken.iter().any(|clause| {
            clause.doel == purpose.doel
                && clause.van.contains(&oin(self.from))
                && clause.naar.contains(&oin(self.to))
                && clause.berichttypen.iter().any(|one| one == message_type)
        });
        let kinds = rule.van.contains(&from) && rule.naar.contains(&to);
        let met = |basis: &AllowedBasis| {
            basis.soort == stated.kind
                && basis.voorwaarden.iter().all(|name| stated.conditions.get(name) == Some(&true))
        };
        let authority = ["gemeente", "sociale-dienst", "uwv"].contains(&from.as_str());
        let basis =
            rule.grondslagen.iter().any(met) && !(authority && stated.kind == BasisKind::LegitimateInterest);
        let terms = &self.data["grondslag"]["toestemming"];
        let listed = |place: &str, item: &str| {
            let list = terms.pointer(place).and_then(Value::as_array);
            list.is_some_and(|list| list.iter().any(|one| one == item))
        };
        let consented = stated.kind != BasisKind::Consent
            || self.consent == ConsentKnowledge::NothingElse
                && (self.case || self.data.get("betrokkene").is_some())
                && terms["geldig_tot"].as_str().and_then(|until| until.parse().ok()) > Some(now())
                && listed("/verleend_aan", oin(self.to).as_str())
                && listed("/doelen", &purpose.doel)
                && held
                    .categories
                    .iter()
                    .all(|one| *one == Category::Process || listed("/gegevens/categorieen", one.as_str()))
                && held.life_domains.iter().all(|one| listed("/gegevens/leefgebieden", one.as_str()));
        let by_law = ["gemeente", "sociale-dienst", "uwv", "zorgaanbieder"];
        let bsn = rule.bsn && by_law.contains(&from.as_str()) && by_law.contains(&to.as_str());
        let data = held.categories.iter().all(|one| match one {
            Category::Process => true,
            Category::CitizenNumber => bsn,
            Category::Health | Category::Addiction | Category::Justice => {
                rule.bijzondere_gegevens.iter().any(|special| special.categorie == *one)
            }
            plain => rule.gegevens.contains(plain),
        }) && held.life_domains.iter().all(|one| rule.leefgebieden.contains(one));
        in_force && agreed && self.texts[self.purpose] && kinds && basis && consented && data
    }
}

fn take_from_rule(rule: &mut crate::purpose::Rule, less: &Less) {
    match less {
        Less::SenderKind(kind) => drop(rule.van.remove(kind)),
        Less::ReceiverKind(kind) => drop(rule.naar.remove(kind)),
        Less::Category(at) => remove_one(&mut rule.gegevens, *at),
        Less::LifeDomain(at) => remove_one(&mut rule.leefgebieden, *at),
        Less::Special(at) => remove_from(&mut rule.bijzondere_gegevens, *at),
        Less::Bsn => rule.bsn = false,
        Less::Basis(kind) => rule.grondslagen.retain(|basis| basis.soort != *kind),
        Less::OneBasis(at) => remove_from(&mut rule.grondslagen, *at),
        Less::ConditionMore(at, name) if !rule.grondslagen.is_empty() => {
            let count = rule.grondslagen.len();
            let conditions = &mut rule.grondslagen[at.index(count)].voorwaarden;
            let name = *name.get(&CONDITIONS);
            if !conditions.iter().any(|one| one == name) {
                conditions.push(name.to_owned());
            }
        }
        _ => {}
    }
}

fn take_from_clause(clause: &mut Clause, less: &Less) {
    match less {
        Less::ClauseSender(_, number) => clause.van.retain(|one| *one != oin(*number)),
        Less::ClauseReceiver(_, number) => clause.naar.retain(|one| *one != oin(*number)),
        Less::ClauseType(_, kind) => remove_from(&mut clause.berichttypen, *kind),
        _ => {}
    }
}

fn take_from_basis(basis: &mut Value, less: &Less) {
    match less {
        Less::ConditionMet(at) if basis.get("voorwaarden").is_some() => {
            basis["voorwaarden"][*at.get(&CONDITIONS[..4])] = json!(false);
        }
        Less::ConsentExtract => drop(basis.as_object_mut().unwrap().remove("toestemming")),
        Less::ConsentTime if basis.get("toestemming").is_some() => {
            basis["toestemming"]["geldig_tot"] = json!(now());
        }
        Less::Consent(list, at) => {
            let place = ["/toestemming/", "/toestemming/gegevens/"].map(|place| format!("{place}{list}"));
            for place in place {
                if let Some(list) = basis.pointer_mut(&place).and_then(Value::as_array_mut) {
                    remove_from(list, *at);
                }
            }
        }
        _ => {}
    }
}

/// Allows every type, kind, category and basis; each basis with and without conditions.
fn purpose_of_all(name: &str) -> Content {
    let mut purpose = purpose().content().clone();
    purpose.doel = name.into();
    let mut rule = purpose.berichten[0].clone();
    rule.van = OrganisationKind::ALL.into();
    rule.naar = OrganisationKind::ALL.into();
    let plain =
        |one: &Category| !one.is_special() && ![Category::Process, Category::CitizenNumber].contains(one);
    rule.gegevens = Category::ALL.into_iter().filter(plain).collect();
    rule.leefgebieden = LifeDomain::ALL.into();
    rule.bsn = true;
    let exception = |categorie| SpecialData { categorie, uitzondering: "UAVG art. 30 lid 3".into() };
    rule.bijzondere_gegevens =
        [Category::Health, Category::Addiction, Category::Justice].map(exception).into();
    // Ten bases is what the schema allows.
    let basis = |soort, voorwaarden: &[&str]| AllowedBasis {
        soort,
        artikelen: vec!["AVG art. 6 lid 1".into()],
        voorwaarden: voorwaarden.iter().map(|name| (*name).to_owned()).collect(),
    };
    rule.grondslagen = BASES.into_iter().map(|kind| basis(kind, &[])).collect();
    rule.grondslagen.extend(BASES[..4].iter().map(|kind| basis(*kind, &CONDITIONS[..2])));
    let types: BTreeSet<SchemaName> = DOCUMENTS.iter().map(|(schema, _)| *schema).collect();
    purpose.berichten = types
        .into_iter()
        .map(|schema| crate::purpose::Rule {
            message_type: schema.message_type().unwrap().into(),
            ..rule.clone()
        })
        .collect();
    purpose
}

prop_compose! {
    fn any_world()(
        kinds in prop::array::uniform3(prop::sample::select(&OrganisationKind::ALL[..])),
        document in 0..DOCUMENTS.len(),
        basis in prop_oneof![2 => Just(BasisKind::Consent), 3 => prop::sample::select(&BASES[..])],
        purpose in 0..2_usize,
        bsn in prop::bool::weighted(0.3),
    ) -> World {
        World::permissive(kinds, document, basis, purpose, bsn)
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(192))]

    /// In any world the decision is what the rules say, the receiver decides as the sender did, and a permission less
    /// never lets in what was kept out before.
    #[test]
    fn the_decision_is_what_the_rules_say_and_shrinks_with_them(
        mut world in any_world(),
        taken in prop::collection::vec(any_less(), 0..10),
    ) {
        let Some(mut before) = world.decide() else { return Ok(()) };
        prop_assert_eq!(before.is_ok(), world.allows(), "{:?}", before);
        for less in &taken {
            world.take(less);
            let Some(after) = world.decide() else { return Ok(()) };
            prop_assert_eq!(after.is_ok(), world.allows(), "{:?} after {:?}", after, less);
            prop_assert!(!(before.is_err() && after.is_ok()), "{:?} let in what was refused: {:?}", less, before);
            before = after;
        }
    }
}

/// The worlds above are worth something: the permissive one admits every document, except what no law allows.
#[test]
fn a_permissive_world_admits_what_the_law_allows() {
    for (number, (schema, _)) in DOCUMENTS.iter().enumerate() {
        let world =
            World::permissive([OrganisationKind::Municipality; 3], number, BasisKind::PublicTask, 0, true);
        assert_eq!(world.decide(), Some(Ok(())), "{schema}");
        let kinds = [OrganisationKind::HousingCorporation; 3];
        let with_bsn = World::permissive(kinds, number, BasisKind::Contract, 1, true);
        let expected =
            if with_bsn.data["betrokkene"]["bsn"].is_string() { Err(Reason::DataNotAllowed) } else { Ok(()) };
        assert_eq!(with_bsn.decide(), Some(expected), "{schema}");
    }
}
