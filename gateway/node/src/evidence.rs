//! Gathering the evidence of one message from what this node keeps. What it proves is in [`exchange::evidence`].

use exchange::{
    agreement::Agreement,
    consent::{Extract, Statement},
    digest::Digest,
    entry::{Entry, Outcome},
    evidence::{BUNDLE, Bundle, NoText, Pins, Report, StepName, StepOutcome, check},
    jws,
    oin::Oin,
    receipt::Receipt,
    refusal::Reason,
    rulebook::Rulebook,
    tlog::{Leaf, LogVerifier, ProofFile},
};
use serde_json::Value;
use store::{Access, Direction, MessageRow, State, StoreError, Withheld};

use crate::{core::Core, witness};

/// No evidence can be given.
#[derive(Debug, thiserror::Error)]
pub enum NoEvidence {
    /// It was not delivered yet, so nobody proved its receipt.
    #[error("dit bericht is nog niet afgeleverd; er is nog geen bewijs van ontvangst")]
    NotDelivered,
    /// It was not, and never will be: the consent that it rested on ended first.
    #[error(
        "dit bericht is nooit afgeleverd en gaat ook niet meer weg: de toestemming waarop het steunde is {0}. Er is dus geen ontvangst om te bewijzen; `schakel toestemming tonen` laat zien hoe het met de toestemming staat"
    )]
    ConsentEnded(&'static str),
    /// It was given up.
    #[error(
        "dit bericht is niet afgeleverd: het is onbestelbaar ({0}). Er is dus geen ontvangst om te bewijzen; `schakel berichten` laat zien of het opnieuw verstuurd kan worden"
    )]
    Undeliverable(String),
    /// What is stored does not hold together.
    #[error(
        "wat is opgeslagen klopt niet met elkaar ({0}); controleer het logboek met `schakel logboek verify`"
    )]
    Broken(String),
    /// The store did not answer.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// The entry of a message in the log of its receiver, proven, with the key of that log.
pub(crate) struct Proof {
    pub(crate) file: ProofFile,
    pub(crate) leaf: Leaf,
    pub(crate) key: LogVerifier,
}

/// Gathers the evidence of one message for somebody, and what it proves.
pub async fn take(core: &Core, row: &MessageRow, access: Access) -> Result<(Bundle, Report), NoEvidence> {
    let shown = core.store.view(access, &[row.index]).await?.pop();
    let shown = shown.ok_or(StoreError::NotFound("message with this index"))?;
    let text = shown.content.map_err(|why| match why {
        Withheld::Erased => NoText::Gewist,
        Withheld::NotKept => NoText::NietBewaard,
        Withheld::ConsentWithdrawn => NoText::ToestemmingIngetrokken,
        Withheld::ConsentExpired => NoText::ToestemmingVerlopen,
    });
    gather(core, row, text).await
}

/// Gathers the evidence of one message of which the text is at hand, or is not for this reason; and what it proves.
pub async fn gather(
    core: &Core,
    row: &MessageRow,
    text: Result<String, NoText>,
) -> Result<(Bundle, Report), NoEvidence> {
    let rules = core.rules();
    let agreement = agreement_of(core, &rules, row);
    let mut proof = match row.direction {
        Direction::Outbound => receipt_of(core, row).await?,
        Direction::Inbound => inclusion_of(core, row, agreement).await?,
    };
    proof.file.extra = Some(proof.leaf.bytes().to_vec());
    let (uittreksel, intrekking) = consent_of(core, agreement, row, (&text, &proof.leaf)).await?;
    let bundle = Bundle {
        soort: BUNDLE.to_owned(),
        uittreksel,
        intrekking,
        zonder_tekst: text.as_ref().err().copied(),
        bericht: text.ok(),
        blad: String::from_utf8_lossy(proof.leaf.bytes()).into_owned(),
        ontvangstbewijs: proof.file.to_string(),
        logsleutel: proof.key.to_string(),
        convenant: agreement.map(|one| serde_json::from_str(one.text())).transpose().map_err(broken)?,
        antwoorden: agreement.into_iter().flat_map(Agreement::answers).map(|one| one.jws.clone()).collect(),
        doelen: purpose_of(core, &rules, agreement, row).into_iter().collect(),
    };
    let report = check(&serde_json::to_vec(&bundle).map_err(broken)?, &Pins::default());
    let stored = [StepName::Vorm, StepName::Bericht, StepName::Logregel, StepName::Insluiting];
    let wrong = report
        .stappen
        .iter()
        .find(|step| stored.contains(&step.stap) && step.uitkomst == StepOutcome::Onjuist);
    match wrong {
        Some(step) => Err(broken(&step.uitleg)),
        None => Ok((bundle, report)),
    }
}

/// The agreement that a message went under. What was refused here was not kept, and neither was that: any agreement with
/// its sender says which the log key is.
fn agreement_of<'a>(core: &Core, rules: &'a Rulebook, row: &MessageRow) -> Option<&'a Agreement> {
    if let Some(digest) = row.agreement {
        return rules.agreement(digest).map(AsRef::as_ref);
    }
    let with_both = |one: &&Agreement| one.party(row.partner).is_some() && one.log_key(core.me).is_some();
    rules.agreements().map(AsRef::as_ref).filter(with_both).max_by_key(|one| one.content().versie)
}

/// The purpose of the message: no more of the agreement's than that.
fn purpose_of(
    core: &Core,
    rules: &Rulebook,
    agreement: Option<&Agreement>,
    row: &MessageRow,
) -> Option<Value> {
    let (from, to) = match row.direction {
        Direction::Outbound => (core.me, row.partner),
        Direction::Inbound => (row.partner, core.me),
    };
    let (purpose, message_type) = (row.purpose.as_deref()?, row.message_type.as_deref()?);
    let clause = agreement?.clause((from, to), purpose, message_type)?;
    serde_json::from_str(rules.purpose(clause.doel_digest)?.text()).ok()
}

/// The extract of the consent that a message rests on, when its text is not there to carry it, and the withdrawal of that
/// consent. Neither says who the resident is. It is the extract that the entry names: after an extension the newest is another.
async fn consent_of(
    core: &Core,
    agreement: Option<&Agreement>,
    row: &MessageRow,
    (text, leaf): (&Result<String, NoText>, &Leaf),
) -> Result<(Option<String>, Option<String>), StoreError> {
    let Ok(Entry::Ontvangst(said)) = Entry::of_leaf(leaf) else { return Ok((None, None)) };
    let carried = text.as_ref().ok().and_then(|text| extract_in(text));
    // What is kept on another basis is no longer tied to the consent under which it came.
    let key = carried.as_deref().and_then(Extract::claimed).or(row.consent);
    let (Some(agreement), Some(key)) = (agreement, key.filter(|_| said.uitkomst == Outcome::Toegelaten))
    else {
        return Ok((None, None));
    };
    let Some(known) = core.store.consent(key).await? else { return Ok((None, None)) };
    let extract = match said.toestemming.filter(|_| text.is_err()) {
        Some(named) => core.store.consent_extract(key, named).await?,
        None => None,
    };
    let extract = extract.filter(|extract| Extract::read(extract, agreement).is_ok());
    let withdrawal = known.statement.filter(|statement| Statement::read(statement, agreement).is_ok());
    // A withdrawal is of the consent that an extract names: by itself it says nothing of this message.
    let withdrawal = withdrawal.filter(|_| extract.is_some() || carried.is_some());
    Ok((extract, withdrawal))
}

/// The extract that a signed message carries. Nothing of it is believed.
fn extract_in(compact: &str) -> Option<String> {
    let jws = jws::Unverified::parse(jws::MESSAGE, compact).ok()?;
    let payload: Value = serde_json::from_slice(jws.unverified_payload()).ok()?;
    Some(payload.pointer("/data/grondslag/toestemming/uittreksel")?.as_str()?.to_owned())
}

/// The partner's proof of receipt of a message that was sent.
pub(crate) async fn receipt_of(core: &Core, row: &MessageRow) -> Result<Proof, NoEvidence> {
    match row.state {
        State::Waiting => return Err(NoEvidence::NotDelivered),
        State::Undeliverable => return Err(given_up(row.reason.as_deref())),
        State::Admitted | State::Refused => {}
    }
    let text = core.store.receipt(row.index).await?.ok_or(NoEvidence::NotDelivered)?;
    let receipt: Receipt = serde_json::from_str(&text).map_err(broken)?;
    let rules = core.rules();
    let agreement = row.agreement.and_then(|digest| rules.agreement(digest));
    let key =
        agreement.and_then(|agreement| agreement.log_key(row.partner)).ok_or_else(|| broken("logsleutel"))?;
    let verified = receipt.verify(key).map_err(broken)?;
    let mut entries = verified.entries().enumerate();
    let (position, leaf) = entries
        .find_map(|(position, (_, leaf))| {
            (speaks_of(leaf) == Some(row.digest)).then(|| (position, leaf.clone()))
        })
        .ok_or_else(|| broken("het ontvangstbewijs noemt dit bericht niet"))?;
    let file = verified.proof_file(position).ok_or_else(|| broken("ontvangstbewijs"))?;
    Ok(Proof { file, leaf, key: key.clone() })
}

/// Why a message has no receipt, and will have none unless somebody has it sent again.
fn given_up(reason: Option<&str>) -> NoEvidence {
    let is = |ended: Reason| reason == Some(ended.code());
    if is(Reason::ConsentWithdrawn) {
        NoEvidence::ConsentEnded("ingetrokken")
    } else if is(Reason::ConsentExpired) {
        NoEvidence::ConsentEnded("verlopen")
    } else {
        NoEvidence::Undeliverable(reason.unwrap_or("zonder reden").to_owned())
    }
}

fn speaks_of(leaf: &Leaf) -> Option<Digest> {
    match Entry::of_leaf(leaf).ok()? {
        Entry::Ontvangst(reception) => Some(reception.bericht),
        _ => None,
    }
}

/// The proof that a message that came in stands in this node's own log: under a checkpoint that parties of the agreement
/// cosigned, when there is one.
async fn inclusion_of(
    core: &Core,
    row: &MessageRow,
    agreement: Option<&Agreement>,
) -> Result<Proof, NoEvidence> {
    let key = match agreement {
        Some(agreement) => agreement.log_key(core.me).cloned().ok_or_else(|| broken("logsleutel"))?,
        None => core.store.log_key(),
    };
    let leaf = core.store.leaves(row.index, 1).await?.pop().ok_or_else(|| broken("de regel ontbreekt"))?;
    let note = match agreement {
        Some(agreement) => cosigned(core, agreement, &key, row.index).await?,
        None => None,
    };
    let checkpoint = match note {
        Some(note) => note,
        None => core.store.checkpoint().await?,
    };
    let size = key.open(&checkpoint).map_err(broken)?.size;
    let proof = core.store.inclusion(row.index, size).await?;
    Ok(Proof { file: ProofFile { extra: None, index: row.index, proof, checkpoint }, leaf, key })
}

/// The smallest checkpoint that covers an entry and that the most parties of the agreement cosigned.
async fn cosigned(
    core: &Core,
    agreement: &Agreement,
    key: &LogVerifier,
    index: u64,
) -> Result<Option<String>, StoreError> {
    let is_party = |oin: Oin| agreement.party(oin).is_some();
    let mut seen = core.store.cosigned(core.me, None).await?;
    seen.retain(|one| one.size > index && one.key == key.to_string() && is_party(one.witness));
    seen.retain(|one| witness::is_by_party(agreement, one));
    let witnesses = |size: u64| seen.iter().filter(|one| one.size == size).count();
    let best = seen.iter().max_by_key(|one| (witnesses(one.size), std::cmp::Reverse(one.size)));
    Ok(best.and_then(|best| {
        let (_, bare) = key.bare(&best.note).ok()?;
        Some(witness::with_cosignatures(key, bare, &seen))
    }))
}

#[expect(clippy::needless_pass_by_value, reason = "shaped for map_err")]
fn broken(error: impl ToString) -> NoEvidence {
    NoEvidence::Broken(error.to_string())
}
