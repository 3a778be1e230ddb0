//! What the tests of the rules share: parties with keys from fixed seeds, a purpose of the register, an agreement in
//! force and a message under it. Not public: others test through what the crate offers everyone.
#![allow(clippy::unwrap_used, reason = "a fixture that cannot be made is a failed test")]

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD as BASE64URL};
use ed25519_dalek::SigningKey;
use jiff::{SignedDuration, Timestamp, civil::date};
use schemas::{Document, SchemaName};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::{
    agreement::{Agreement, AnswerKind, Clause, Content, Party},
    consent::extract::{Identification, SALT_BYTES, commitment},
    digest::Digest,
    id, jws,
    message::{Draft, SignedMessage},
    oin::Oin,
    organisation::OrganisationKind,
    person::Identity,
    policy::ConsentKnowledge,
    purpose::Purpose,
    random::SeededRandom,
    rulebook::Rulebook,
    signature::{Ed25519Signer, Signer as _},
    tlog::LogSigner,
};

pub(crate) const ARREARS: &str = "nl.sociaaldomein.signalen.betalingsachterstand.v1";
pub(crate) const FEEDBACK: &str = "nl.sociaaldomein.terugkoppelingen.gegeven.v1";
pub(crate) const PURPOSE: &str = "vroegsignalering-huur";

/// The housing corporation, number 1.
pub(crate) fn corporation() -> Oin {
    oin(1)
}

/// The municipality, number 2.
pub(crate) fn municipality() -> Oin {
    oin(2)
}

pub(crate) fn oin(number: u8) -> Oin {
    format!("0000009900000000{number}000").parse().unwrap()
}

/// The key a party signs its messages with.
pub(crate) fn signer(number: u8) -> Ed25519Signer {
    Ed25519Signer::from_seed(&[number; 32])
}

/// The key a party signs its log with.
pub(crate) fn log_signer(number: u8) -> LogSigner {
    LogSigner::new(oin(number).log_origin(), SigningKey::from_bytes(&[number + 100; 32])).unwrap()
}

pub(crate) fn party(number: u8, kind: OrganisationKind) -> Party {
    Party {
        oin: oin(number),
        naam: format!("Organisatie {number}"),
        soort: kind,
        sleutels: vec![signer(number).public_key().clone()],
        logsleutel: log_signer(number).verifier().to_string(),
        contact: "beheer@voorbeeld.test".into(),
        fg: "fg@voorbeeld.test".into(),
    }
}

/// The purpose for arrears of rent, as the register has it.
pub(crate) fn purpose() -> Purpose {
    Purpose::from_toml(include_str!("../../../config/doelen/vroegsignalering-huur.toml")).unwrap()
}

pub(crate) fn clause(purpose: &Purpose, from: u8, to: u8, message_type: &str) -> Clause {
    Clause {
        doel: purpose.content().doel.clone(),
        doel_digest: purpose.digest(),
        van: vec![oin(from)],
        naar: vec![oin(to)],
        berichttypen: vec![message_type.into()],
    }
}

/// Corporation and municipality: arrears one way, feedback the other.
pub(crate) fn content() -> Content {
    let purpose = purpose();
    Content {
        groep: "rivierland".into(),
        versie: 1,
        partijen: vec![
            party(1, OrganisationKind::HousingCorporation),
            party(2, OrganisationKind::Municipality),
        ],
        geldig_van: date(2026, 1, 1),
        geldig_tot: date(2027, 12, 31),
        afspraken: vec![clause(&purpose, 1, 2, ARREARS), clause(&purpose, 2, 1, FEEDBACK)],
    }
}

pub(crate) fn agreement(content: &Content) -> Agreement {
    Agreement::parse(&serde_json::to_string(content).unwrap()).unwrap()
}

pub(crate) fn answer(agreement: &mut Agreement, number: u8, kind: AnswerKind) {
    let compact = agreement.answer(kind, now(), &signer(number)).unwrap();
    agreement.add_answer(&compact).unwrap();
}

/// The same, accepted by parties 1 and 2.
pub(crate) fn in_force(content: &Content) -> Agreement {
    let mut agreement = agreement(content);
    answer(&mut agreement, 1, AnswerKind::Accepted);
    answer(&mut agreement, 2, AnswerKind::Accepted);
    agreement
}

pub(crate) fn rulebook() -> Rulebook {
    Rulebook::new([in_force(&content())], [purpose()])
}

/// Saturday 21 November 2026, half past ten in the Netherlands.
pub(crate) fn now() -> Timestamp {
    "2026-11-21T09:30:00.123Z".parse().unwrap()
}

pub(crate) fn data() -> Value {
    serde_json::from_str(include_str!(
        "../../../schemas/fixtures/valid/signaal-betalingsachterstand/huur.json"
    ))
    .unwrap()
}

pub(crate) fn document(data: &Value) -> Document {
    Document::parse(SchemaName::PaymentArrears, carried(data, 1).to_string().as_bytes()).unwrap()
}

pub(crate) fn draft_of(data: &Value) -> Draft {
    Draft {
        id: id::new(now(), &SeededRandom::new(7)),
        from: corporation(),
        to: municipality(),
        agreement: agreement(&content()).digest(),
        purpose: PURPOSE.into(),
        case: Uuid::from_u128(0x7c9e_6679_7425_40de_944b_e07f_c1f9_0ae7),
        desk: Some("schuldhulp".into()),
        time: now(),
        expires: now() + SignedDuration::from_hours(24 * 30),
        document: document(data),
    }
}

pub(crate) fn draft() -> Draft {
    draft_of(&data())
}

pub(crate) fn signed(draft: Draft) -> SignedMessage {
    draft.permit(&rulebook(), ConsentKnowledge::NothingElse).unwrap().sign(&signer(1)).unwrap()
}

/// `data` on the basis of a consent that covers all of it, whose terms stand in it for a test to change;
/// [`carried`] makes the extract of them.
pub(crate) fn with_consent(mut data: Value) -> Value {
    data["grondslag"]["soort"] = json!("toestemming");
    data["grondslag"]["toestemming"] = json!({
        "id": "7c9e6679-7425-40de-944b-e07fc1f90ae7",
        "verleend_aan": [municipality()],
        "doelen": [PURPOSE],
        "gegevens": {
            "categorieen": ["identificatie", "adres", "contact", "financieel"],
            "leefgebieden": ["financien"],
        },
        "geldig_tot": "2027-05-01T00:00:00Z",
    });
    data
}

/// `data` with the extract of the terms that stand in it, signed by party `holder` about the resident in it. What holds
/// no terms stays as it is.
pub(crate) fn carried(data: &Value, holder: u8) -> Value {
    let mut data = data.clone();
    let terms = data["grondslag"]["toestemming"].clone();
    if terms.get("verleend_aan").is_none() {
        return data;
    }
    let identity = Identity::read(&data["betrokkene"]);
    let key = |which: fn(&Identity) -> Option<Vec<u8>>| identity.as_ref().and_then(which);
    let salt = [7; SALT_BYTES];
    let bsn = key(Identity::bsn_key).map(|key| commitment(Identification::Bsn, &salt, &key));
    let person = key(Identity::person_key).map(|key| commitment(Identification::Person, &salt, &key));
    let mut committed = json!({});
    let mut salts = json!({});
    for (name, one) in [("bsn", bsn), ("persoon", person)] {
        if let Some(one) = one {
            committed[name] = json!(one);
            salts[name] = json!(BASE64URL.encode(salt));
        }
    }
    let text = json!({
        "betrokkene": committed, "digest": Digest::of(b"the whole consent"), "doelen": terms["doelen"],
        "gegevens": terms["gegevens"], "geldig_tot": terms["geldig_tot"], "houder": oin(holder),
        "toestemming": terms["id"], "verleend_aan": terms["verleend_aan"],
        "verleend_op": terms.get("verleend_op").cloned().unwrap_or_else(|| json!("2026-11-02T09:00:00Z")),
    });
    let extract = jws::sign(jws::CONSENT, text.to_string().as_bytes(), &signer(holder));
    data["grondslag"]["toestemming"] = json!({ "id": terms["id"], "uittreksel": extract });
    if salts.as_object().is_some_and(|salts| !salts.is_empty()) {
        data["grondslag"]["toestemming"]["zout"] = salts;
    }
    data
}

/// The purpose for arrears of rent, changed.
pub(crate) fn purpose_with(change: impl FnOnce(&mut crate::purpose::Content)) -> Purpose {
    let mut content = purpose().content().clone();
    change(&mut content);
    Purpose::from_json(&serde_json::to_string(&content).unwrap()).unwrap()
}

/// The agreement on another text of the purpose, in force, and the digest it is known by.
pub(crate) fn rulebook_on(purpose: Purpose) -> (Rulebook, Digest) {
    let mut content = content();
    for clause in &mut content.afspraken {
        clause.doel_digest = purpose.digest();
    }
    let agreement = in_force(&content);
    let digest = agreement.digest();
    (Rulebook::new([agreement], [purpose]), digest)
}
