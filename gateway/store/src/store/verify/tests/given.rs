//! What the logs of the tests are made of: organisations, an agreement, and messages under it that are what their rows say.

use ed25519_dalek::SigningKey;
use exchange::{
    agreement::{Agreement, Clause, Content, Party},
    consent::{ConsentUse, Extract},
    digest::Digest,
    entry::{Entry, Outcome, Reception},
    jws,
    message::Attributes,
    oin::Oin,
    organisation::OrganisationKind,
    person::{Identity, LookupKeys},
    policy::rules_of,
    purpose::Purpose,
    signature::{Ed25519Signer, Signer as _},
    tlog::LogSigner,
};
use jiff::{SignedDuration, Timestamp, civil::date};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::{
    Store,
    model::{Arrival, Outgoing, Priority, Verdict, days_after},
    subject::Tokens,
};

const MESSAGE_TYPE: &str = "nl.sociaaldomein.signalen.betalingsachterstand.v1";

const DESK: &str = "wijkteam";

pub(super) fn us() -> Oin {
    "00000099000000001000".parse().unwrap()
}

pub(super) fn partner() -> Oin {
    "00000099000000002000".parse().unwrap()
}

pub(super) fn now() -> Timestamp {
    Timestamp::from_second(1_795_000_000).unwrap()
}

pub(super) fn log_signer(of: Oin, seed: u8) -> LogSigner {
    LogSigner::new(of.log_origin(), SigningKey::from_bytes(&[seed; 32])).unwrap()
}

/// Of our log.
pub(super) fn signer() -> LogSigner {
    log_signer(us(), 7)
}

/// Of the log of the partner.
pub(super) fn their_signer() -> LogSigner {
    log_signer(partner(), 94)
}

/// By which an organisation signs.
pub(super) fn key(of: Oin) -> Ed25519Signer {
    Ed25519Signer::from_seed(&[if of == us() { 3 } else { 4 }; 32])
}

pub(super) fn id(number: u128) -> Uuid {
    Uuid::from_u128(0x0197_0000_0000_7000_8000_0000_0000_0000 | number)
}

pub(super) fn agreement(version: u32) -> (Agreement, Purpose) {
    let text = include_str!("../../../../../../config/doelen/vroegsignalering-huur.toml");
    let purpose = Purpose::from_toml(text).unwrap();
    let party = |oin: Oin, log: LogSigner, soort| Party {
        oin,
        naam: format!("Organisatie {oin}"),
        soort,
        sleutels: vec![key(oin).public_key().clone()],
        logsleutel: log.verifier().to_string(),
        contact: "beheer@voorbeeld.test".into(),
        fg: "fg@voorbeeld.test".into(),
    };
    let clause = |from, to, what: &str| Clause {
        doel: purpose.content().doel.clone(),
        doel_digest: purpose.digest(),
        van: vec![from],
        naar: vec![to],
        berichttypen: vec![what.into()],
    };
    let content = Content {
        groep: "rivierland".into(),
        versie: version,
        partijen: vec![
            party(us(), signer(), OrganisationKind::Municipality),
            party(partner(), their_signer(), OrganisationKind::HousingCorporation),
        ],
        geldig_van: date(2026, 1, 1),
        geldig_tot: date(2027, 12, 31),
        afspraken: vec![
            clause(partner(), us(), MESSAGE_TYPE),
            clause(us(), partner(), "nl.sociaaldomein.terugkoppelingen.gegeven.v1"),
        ],
    };
    (Agreement::parse(&serde_json::to_string(&content).unwrap()).unwrap(), purpose)
}

/// Keeps an agreement, with the text of a purpose for each of its clauses.
pub(super) async fn agree(store: &Store, version: u32) -> Digest {
    let (agreement, purpose) = agreement(version);
    let purposes = agreement.content().afspraken.iter();
    let purposes = purposes.map(|_| (purpose.digest(), purpose.text().to_owned())).collect();
    store.put_agreement(agreement.digest(), agreement.text().into(), purposes, now()).await.unwrap();
    agreement.digest()
}

fn resident() -> Value {
    json!({ "bsn": "999990342" })
}

fn subject() -> LookupKeys {
    let identity = Identity::read(&resident()).unwrap();
    LookupKeys { bsn: identity.bsn_key(), place: identity.place_key() }
}

fn expires() -> Timestamp {
    now() + SignedDuration::from_hours(1)
}

/// A message as it travels, on this extract if it rests on a consent.
fn message(number: u128, (from, to): (Oin, Oin), extract: Option<&str>) -> String {
    let (agreement, purpose) = agreement(1);
    let consent = extract.map(|extract| json!({ "id": id(number), "uittreksel": extract }));
    let envelope = json!({
        "specversion": "1.0", "id": id(number), "source": format!("urn:nld:oin:{from}:systeem:zaken"),
        "type": MESSAGE_TYPE, "time": now(), "datacontenttype": "application/json",
        "dataschema": "urn:schakel:schema:betalingsachterstand:1", "ontvanger": to, "verlooptop": expires(),
        "convenant": agreement.digest(), "doel": purpose.content().doel, "dossier": id(number).urn().to_string(), "loket": DESK,
        "data": { "grondslag": { "toestemming": consent }, "betrokkene": resident(), "inhoud": {} },
    });
    jws::sign(jws::MESSAGE, envelope.to_string().as_bytes(), &key(from))
}

fn rests_on(extract: &str) -> ConsentUse {
    let (key, valid_until) = Extract::claims(extract).unwrap();
    ConsentUse { key, valid_until, extract: extract.into() }
}

pub(super) fn outgoing(number: u128) -> Outgoing {
    outgoing_on(number, None)
}

pub(super) fn outgoing_on(number: u128, extract: Option<&str>) -> Outgoing {
    let ((agreement, purpose), id) = (agreement(1), id(number));
    let jws = message(number, (us(), partner()), extract);
    let (bericht, regels) = (Digest::of(jws.as_bytes()), rules_of(agreement.digest(), purpose.digest()));
    let consent = extract.map(rests_on);
    let toestemming = consent.as_ref().map(ConsentUse::evidence);
    Outgoing {
        to: partner(),
        id,
        case: id,
        message_type: MESSAGE_TYPE,
        purpose: purpose.content().doel.clone(),
        agreement: agreement.digest(),
        digest: bericht,
        leaf: Entry::Verzending { bericht, id, naar: partner(), regels, tijd: now(), toestemming }.leaf(),
        jws,
        created: now(),
        expires: expires(),
        priority: Priority::Normal,
        row: None,
        keep_until: days_after(now(), purpose.content().bewaartermijn_dagen),
        consent,
        tells: None,
        step: None,
        subject: subject(),
        tokens: Tokens::default(),
    }
}

pub(super) fn arrival(number: u128) -> Arrival {
    arrival_on(number, None)
}

pub(super) fn arrival_on(number: u128, extract: Option<&str>) -> Arrival {
    let sent = outgoing_on(number, extract);
    let compact = message(number, (partner(), us()), extract);
    let digest = Digest::of(compact.as_bytes());
    let rules = rules_of(sent.agreement, agreement(1).1.digest());
    let leaf = Entry::Ontvangst(Reception {
        bericht: digest,
        id: Some(sent.id),
        reden: None,
        regels: Some(rules),
        tijd: now(),
        toestemming: sent.consent.as_ref().map(ConsentUse::evidence),
        uitkomst: Outcome::Toegelaten,
        van: partner(),
    })
    .leaf();
    let message_type = MESSAGE_TYPE.to_owned();
    let Outgoing { case, purpose, agreement, created, expires, .. } = sent;
    let admitted = Attributes {
        case,
        message_type,
        purpose,
        agreement,
        desk: Some(DESK.to_owned()),
        compact,
        created,
        expires,
    };
    Arrival {
        from: partner(),
        received: now(),
        id: Some(sent.id),
        digest,
        verdict: Verdict::Admitted(admitted),
        keep_until: Some(sent.keep_until),
        consent: sent.consent,
        event: None,
        step: None,
        conflict_leaf: leaf.clone(),
        leaf,
        subject: subject(),
        tokens: Tokens::default(),
    }
}
