//! What the organisations of the suite agreed, so that their messages are real: permitted, signed, verified and
//! admitted by the rules, because the store takes nothing else.

use std::sync::LazyLock;

use anyhow::{Result, anyhow};
use exchange::{
    agreement::{Agreement, AnswerKind, Clause, Content, Party},
    digest::Digest,
    message::{AdmittedMessage, Draft, HeldBack, ReceivedMessage, RefusedMessage, SignedMessage},
    oin::Oin,
    organisation::OrganisationKind,
    policy::ConsentKnowledge,
    purpose::{Purpose, Rule},
    rulebook::Rulebook,
    signature::{Ed25519Signer, Signer as _},
    tlog::{Leaf, LogSigner},
};
use jiff::{Timestamp, civil::date};
use schemas::{Document, SchemaName};
use serde_json::{Value, json};
use store::Arrival;
use uuid::Uuid;

use super::given::{now, partner, us};
use crate::signal::arrears;

/// How many partners there are.
pub const PARTNERS: usize = 24;

const PURPOSE: &str = include_str!("../../../config/doelen/vroegsignalering-huur.toml");

static AGREED: LazyLock<Result<Agreed, String>> =
    LazyLock::new(|| Agreed::make().map_err(|error| format!("{error:#}")));

/// What was agreed. The organisation of the suite is a municipality, its partners are housing corporations: they send
/// signals, it sends feedback.
pub struct Agreed {
    /// The rules while the agreement is in force.
    pub rules: Rulebook,
    /// The rules once it was ended.
    pub ended: Rulebook,
    /// The agreement.
    pub agreement: Digest,
    /// The name of the purpose.
    pub purpose: String,
    /// What is sent to partners.
    pub feedback: Document,
    /// What partners send.
    pub signal: Document,
    /// A signal for which a condition of the law is not met.
    pub unmet: Document,
}

/// What was agreed, made once.
pub fn agreed() -> Result<&'static Agreed> {
    AGREED.as_ref().map_err(|error| anyhow!("{error}"))
}

impl Agreed {
    fn make() -> Result<Self> {
        let purpose = Purpose::from_toml(PURPOSE)?;
        let everybody: Vec<Oin> =
            std::iter::once(us()).chain((0..PARTNERS).map(partner)).collect::<Result<_>>()?;
        let content = Content {
            groep: "rivierland".into(),
            versie: 1,
            partijen: everybody.iter().map(|oin| party(*oin, kind(*oin)?)).collect::<Result<_>>()?,
            geldig_van: date(2026, 1, 1),
            geldig_tot: date(2027, 12, 31),
            afspraken: purpose
                .content()
                .berichten
                .iter()
                .map(|rule| clause(&purpose, rule, &everybody))
                .collect(),
        };
        let mut agreement = Agreement::parse(&serde_json::to_string(&content)?)?;
        for oin in &everybody {
            answer(&mut agreement, *oin, AnswerKind::Accepted)?;
        }
        let mut ended = agreement.clone();
        answer(&mut ended, us()?, AnswerKind::Ended)?;
        Ok(Self {
            agreement: agreement.digest(),
            purpose: purpose.content().doel.clone(),
            rules: Rulebook::new([agreement], [purpose.clone()]),
            ended: Rulebook::new([ended], [purpose]),
            feedback: document(SchemaName::Feedback, &feedback())?,
            signal: document(SchemaName::PaymentArrears, &signal(true))?,
            unmet: document(SchemaName::PaymentArrears, &signal(false))?,
        })
    }
}

/// The key an organisation signs with: one for each.
pub(super) fn signer(oin: Oin) -> Ed25519Signer {
    Ed25519Signer::from_seed(Digest::of(oin.as_str().as_bytes()).as_bytes())
}

fn kind(oin: Oin) -> Result<OrganisationKind> {
    Ok(if oin == us()? { OrganisationKind::Municipality } else { OrganisationKind::HousingCorporation })
}

pub(super) fn party(oin: Oin, soort: OrganisationKind) -> Result<Party> {
    let key = ed25519_dalek::SigningKey::from_bytes(Digest::of(oin.log_origin().as_bytes()).as_bytes());
    Ok(Party {
        oin,
        naam: format!("Organisatie {oin}"),
        soort,
        sleutels: vec![signer(oin).public_key().clone()],
        logsleutel: LogSigner::new(oin.log_origin(), key)?.verifier().to_string(),
        contact: "beheer@voorbeeld.test".into(),
        fg: "fg@voorbeeld.test".into(),
    })
}

fn clause(purpose: &Purpose, rule: &Rule, everybody: &[Oin]) -> Clause {
    let (ours, theirs) = everybody.split_at(1);
    let (from, to) =
        if rule.van.contains(&OrganisationKind::Municipality) { (ours, theirs) } else { (theirs, ours) };
    Clause {
        doel: purpose.content().doel.clone(),
        doel_digest: purpose.digest(),
        van: from.to_vec(),
        naar: to.to_vec(),
        berichttypen: vec![rule.message_type.clone()],
    }
}

pub(super) fn answer(agreement: &mut Agreement, by: Oin, kind: AnswerKind) -> Result<()> {
    let compact = agreement.answer(kind, now(), &signer(by))?;
    agreement.add_answer(&compact)?;
    Ok(())
}

fn document(schema: SchemaName, value: &Value) -> Result<Document> {
    Ok(Document::parse(schema, value.to_string().as_bytes())?)
}

fn feedback() -> Value {
    json!({
        "grondslag": { "soort": "publieke-taak", "artikelen": ["Wgs art. 3 lid 1 onder b"] },
        "inhoud": { "bericht_id": Uuid::from_u128(7 << 76 | 2 << 62), "opgepakt_op": "2026-11-20" },
    })
}

fn signal(is_met: bool) -> Value {
    let mut value = arrears();
    value["grondslag"]["voorwaarden"]["persoonlijk-contact"] = is_met.into();
    value
}

/// The message made of a draft, by its sender.
pub fn sign(draft: Draft) -> Result<SignedMessage> {
    let signer = signer(draft.from);
    Ok(draft.permit(&agreed()?.rules, ConsentKnowledge::NothingElse)?.sign(&signer)?)
}

/// What is left of a draft that the rules refuse.
pub fn hold_back(draft: Draft) -> Result<HeldBack> {
    let permitted = draft.permit(&agreed()?.rules, ConsentKnowledge::NothingElse);
    permitted.err().ok_or_else(|| anyhow!("it was permitted"))
}

/// A message as it comes in, with what its receiver decided.
#[derive(Clone)]
pub struct Incoming {
    /// The identifier that the decision binds.
    pub id: Option<Uuid>,
    /// The digest of the bytes.
    pub digest: Digest,
    /// What the log says of it.
    pub leaf: Leaf,
    /// What the log says of it when its identifier is in use for another.
    pub conflict_leaf: Leaf,
    /// What is given to the store.
    pub arrival: Arrival,
}

/// What the organisation of the suite makes of a line from `peer`, by these rules and at this moment.
pub fn receive(line: &str, peer: Oin, rules: &Rulebook, at: Timestamp) -> Result<Incoming> {
    let decided = ReceivedMessage::new(line, peer)
        .verify(us()?, rules, at)
        .and_then(|verified| verified.admit(rules, ConsentKnowledge::NothingElse, at));
    Ok(incoming(decided, at))
}

/// What is given to the store, with what is known of it.
pub(super) fn incoming(decided: Result<AdmittedMessage, RefusedMessage>, at: Timestamp) -> Incoming {
    let (id, digest, leaf, conflict_leaf) = match &decided {
        Ok(message) => (Some(message.id()), message.digest(), message.leaf(at), message.conflict_leaf(at)),
        Err(refused) => (refused.id(), refused.digest(), refused.leaf(at), refused.conflict_leaf(at)),
    };
    Incoming { id, digest, leaf, conflict_leaf, arrival: Arrival::new(decided, at) }
}
