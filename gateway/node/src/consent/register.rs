//! The register of consents that this organisation asked for.

use exchange::{
    consent::{ConsentKey, ConsentRecord, Extract, HowGiven, RecordError, Salts, Statement},
    digest::Digest,
    entry::{ConsentHappening, Entry},
    oin::Oin,
    organisation::OrganisationKind,
    person::Identity,
    purpose::Purpose,
    tlog::Leaf,
};
use jiff::Timestamp;
use store::{Access, ConsentRow, ConsentState, StoreError, StoredRecord};
use uuid::Uuid;

use super::{newest_record, reaching, resident_of};
use crate::{access::holds_number, core::Core};

/// A consent that cannot be recorded, extended or withdrawn.
#[derive(Debug, thiserror::Error)]
pub enum RegisterError {
    /// The record is not one to rely on.
    #[error(transparent)]
    Record(#[from] RecordError),
    /// There is a citizen service number in the reference of its evidence.
    #[error(
        "zet geen BSN in het kenmerk van het bewijs: dat staat in lijsten en blijft in het logboek. Gebruik een zaaknummer of het nummer van het formulier"
    )]
    NumberInEvidence,
    /// The number is in use.
    #[error(
        "er is al een toestemming met nummer {0}. Laat `id` weg, dan krijgt zij een nieuw nummer; verlengen gaat met `schakel toestemming verleng`"
    )]
    Exists(Uuid),
    /// There is none of that number here.
    #[error(
        "er is geen toestemming {0} in dit register; `schakel toestemming tonen` laat zien welke er zijn"
    )]
    Unknown(Uuid),
    /// It was withdrawn.
    #[error(
        "toestemming {0} is ingetrokken en kan niet worden verlengd. Vraag de inwoner opnieuw, en leg dat vast als een nieuwe toestemming"
    )]
    Withdrawn(Uuid),
    /// Its record was erased.
    #[error(
        "de vastlegging van toestemming {0} is gewist en kan niet worden verlengd. Vraag de inwoner opnieuw, en leg dat vast als een nieuwe toestemming"
    )]
    Erased(Uuid),
    /// Signing did not succeed.
    #[error("de intrekking kon niet worden ondertekend")]
    Signature,
    /// The store did not answer.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// By which the organisation knows the evidence of a consent in this text, as far as that can be read.
pub fn evidence_of(text: &[u8]) -> Option<String> {
    let said: serde_json::Value = serde_json::from_slice(text).ok()?;
    said.pointer("/inhoud/bewijs/kenmerk")?.as_str().map(str::to_owned)
}

/// A reference that names nobody.
pub fn check_evidence(reference: &str) -> Result<(), RegisterError> {
    if holds_number(reference) { Err(RegisterError::NumberInEvidence) } else { Ok(()) }
}

/// Records a consent that a resident gave, and who decided that.
pub async fn grant(
    core: &Core,
    access: Access,
    text: &[u8],
    (kind, purposes): (OrganisationKind, &[Purpose]),
) -> Result<ConsentRecord, RegisterError> {
    let now = core.now();
    evidence_of(text).as_deref().map_or(Ok(()), check_evidence)?;
    let record = ConsentRecord::fill_in(text, core.new_id(), Salts::new(&*core.random))?;
    record.check(kind, purposes, now)?;
    let key = record.key(core.me);
    if core.store.consent(key).await?.is_some() {
        return Err(RegisterError::Exists(key.id));
    }
    let person = Identity::of(record.document());
    core.store.record_consent_decision(access, key.id, person.as_ref()).await?;
    let keep_days = record.proof_days(purposes);
    keep(core, (&record, keep_days), ConsentHappening::Verleend, now).await?;
    Ok(record)
}

/// Records that the resident agreed again, until later, and who decided that.
pub async fn extend(
    core: &Core,
    (access, id): (Access, Uuid),
    (until, how): (Timestamp, &HowGiven),
    (kind, purposes): (OrganisationKind, &[Purpose]),
) -> Result<ConsentRecord, RegisterError> {
    let (now, key) = (core.now(), ConsentKey { holder: core.me, id });
    check_evidence(&how.bewijs_kenmerk)?;
    let known = core.store.consent(key).await?.ok_or(RegisterError::Unknown(id))?;
    if known.state == ConsentState::Withdrawn || known.reported.is_some() {
        return Err(RegisterError::Withdrawn(id));
    }
    // There is an extract of what was recorded here.
    let gone = || known.extract.as_ref().map_or(RegisterError::Unknown(id), |_| RegisterError::Erased(id));
    let record = newest_record(core, key).await?.ok_or_else(gone)?;
    let record = record.extended(until, how, now)?;
    record.check(kind, purposes, now)?;
    let person = Identity::of(record.document());
    core.store.record_consent_decision(access, id, person.as_ref()).await?;
    let keep_days = record.proof_days(purposes);
    match keep(core, (&record, keep_days), ConsentHappening::Verlengd, now).await {
        Err(RegisterError::Store(StoreError::RulesChanged)) => return Err(RegisterError::Withdrawn(id)),
        kept => kept?,
    }
    core.endings.notify_one();
    Ok(record)
}

async fn keep(
    core: &Core,
    (record, keep_days): (&ConsentRecord, u32),
    what: ConsentHappening,
    now: Timestamp,
) -> Result<(), RegisterError> {
    let (key, extract) = (record.key(core.me), record.extract(core.me, &*core.signer)?);
    let leaf = leaf(key, what, Some(Digest::of(extract.as_bytes())), now);
    core.store.record_consent((key, record), extract, keep_days, leaf).await?;
    Ok(())
}

/// The versions of a record, for somebody who sees them; none of a consent that somebody else asked for.
pub async fn read(
    core: &Core,
    access: Access,
    consent: &ConsentRow,
) -> Result<Vec<StoredRecord>, RegisterError> {
    let person = resident_of(core, consent.key).await?;
    core.store.record_consent_decision(access, consent.key.id, person.as_ref()).await?;
    Ok(core.store.consent_records(consent.key).await?)
}

/// Withdraws a consent, as somebody decided: from the moment this returns nothing rests on it here, and the node tells who
/// got something. Says whether it was not withdrawn before.
pub async fn withdraw(core: &Core, access: Access, id: Uuid, at: Timestamp) -> Result<bool, RegisterError> {
    let key = ConsentKey { holder: core.me, id };
    let known = core.store.consent(key).await?.ok_or(RegisterError::Unknown(id))?;
    if known.state == ConsentState::Withdrawn {
        return Ok(false);
    }
    let person = resident_of(core, key).await?;
    core.store.record_consent_decision(access, id, person.as_ref()).await?;
    carry_out(core, id, at).await
}

/// Withdraws a consent of ours, and says who hears of it: also, when it was withdrawn before, who could not be told then and
/// can be by now.
pub async fn withdraw_and_tell(
    core: &Core,
    access: Access,
    consent: &ConsentRow,
) -> Result<(bool, Vec<Oin>), RegisterError> {
    let to_tell = reaching::to_tell(core, &core.rules(), consent).await?;
    let withdrawn = withdraw(core, access, consent.key.id, core.now()).await?;
    if !withdrawn && !to_tell.is_empty() {
        core.store.tell_again(consent.key, core.now()).await?;
        core.endings.notify_one();
    }
    Ok((withdrawn, to_tell.iter().map(|one| one.party).collect()))
}

/// Withdraws a consent of which the resident told a partner so, or somebody here.
pub(super) async fn carry_out(core: &Core, id: Uuid, at: Timestamp) -> Result<bool, RegisterError> {
    let key = ConsentKey { holder: core.me, id };
    let known = core.store.consent(key).await?.ok_or(RegisterError::Unknown(id))?;
    if known.state == ConsentState::Withdrawn {
        return Ok(false);
    }
    // A partner may have said when the resident withdrew it.
    let given = known.extract.as_deref().and_then(Extract::peek).map_or(Timestamp::MIN, |terms| terms.given);
    let now = core.now();
    let at = at.max(given).min(now);
    let statement = Statement::sign(id, core.me, at, &*core.signer).map_err(|_| RegisterError::Signature)?;
    let leaf = leaf(key, ConsentHappening::Ingetrokken, Some(Digest::of(statement.as_bytes())), now);
    let withdrawn = core.store.withdraw_consent(key, (statement, at), leaf, now).await?;
    core.endings.notify_one();
    Ok(withdrawn)
}

/// What the log says of a consent.
pub(super) fn leaf(key: ConsentKey, what: ConsentHappening, proof: Option<Digest>, now: Timestamp) -> Leaf {
    Entry::Toestemming {
        bewijs: proof,
        gebeurtenis: what,
        houder: key.holder,
        tijd: now,
        toestemming: key.id,
        uitkomst: None,
    }
    .leaf()
}
