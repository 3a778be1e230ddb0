//! When a consent ends: whoever got something is told, what rested on it is erased or kept on another basis, and the
//! holder hears what was done. Every step is durable before the next; what a crash cuts off is taken up again.

use std::sync::Arc;

use exchange::{
    consent::{ConsentKey, Kept, Statement, WhatWasDone},
    entry::{ConsentHappening, Entry, ErasureCause},
    message::{Draft, document_of},
    oin::Oin,
    policy::{self, ConsentKnowledge},
    purpose::OnWithdrawal,
    rulebook::Rulebook,
};
use jiff::{SignedDuration, Timestamp};
use schemas::{BasisKind, Document, SchemaName};
use serde_json::{Value, json};
use store::{ConsentRow, ConsentState, Outgoing, StoreError, Untold};

use super::{
    reaching,
    register::{self, RegisterError, leaf},
    report,
};
use crate::{core::Core, outbound::LIFETIME};

/// How many consents are looked at in one round.
const MAX_ROUND: usize = 100;

/// How many messages are looked at at a time.
const PAGE: usize = 256;

/// What came under a consent that ran out is erased this long after: the clocks of others differ, and an extension may be
/// under way. Nothing rests on it from the moment itself.
pub const GRACE: SignedDuration = SignedDuration::from_hours(24);

/// Does everything that is left to do about consents that ended; returns how many were dealt with.
pub async fn carry_out(core: &Core) -> Result<usize, StoreError> {
    let now = core.now();
    let long_ago = now.saturating_sub(GRACE).unwrap_or(Timestamp::MIN);
    let consents = core.store.consents_to_do((long_ago, now), MAX_ROUND).await?;
    for consent in &consents {
        // One that cannot be dealt with now does not hold up the others.
        if let Err(error) = deal_with(core, consent).await {
            tracing::error!(%error, "cannot deal with the end of a consent now; it is tried again");
        }
    }
    Ok(consents.len())
}

async fn deal_with(core: &Core, consent: &ConsentRow) -> Result<(), StoreError> {
    let is_reported = consent.reported.is_some() && consent.state != ConsentState::Withdrawn;
    let is_to_withdraw = is_reported && consent.key.holder == core.me;
    if is_reported && !is_to_withdraw {
        report::tell_holder(core, consent.key).await?;
    }
    match consent.state {
        ConsentState::InForce | ConsentState::Expired if is_to_withdraw => withdraw(core, consent).await?,
        // What is to be done comes in a later round: an extension may be under way.
        ConsentState::InForce if consent.valid_until.is_some_and(|until| until > core.now()) => {
            return tell_extension(core, consent).await;
        }
        ConsentState::InForce => return expire(core, consent.key).await,
        ConsentState::Withdrawn | ConsentState::Expired => {}
    }
    let Some(ended) = core.store.consent(consent.key).await? else { return Ok(()) };
    if ended.state == ConsentState::Withdrawn {
        tell(core, ended.key).await?;
    }
    if clear(core, &ended).await? { finish(core, &ended).await } else { Ok(()) }
}

/// Brings the newest extract to everybody who was sent something under it; to nobody when the resident withdrew it here.
async fn tell_extension(core: &Core, consent: &ConsentRow) -> Result<(), StoreError> {
    let (key, Some(extract)) = (consent.key, &consent.extract) else { return Ok(()) };
    let said = json!({ "toestemming_id": key.id, "houder": key.holder, "uittreksel": extract });
    let document = about(SchemaName::ConsentExtended, &said)?;
    let mut ruling = core.ruling();
    loop {
        let mut sent_to = core.store.untold(key).await?;
        sent_to.retain(|_| consent.reported.is_none());
        let messages = sent_to.iter().filter_map(|one| signed(core, &ruling.rules, one, &document)).collect();
        match core.store.finish_consent(ruling.version, consent, messages, None).await {
            Err(StoreError::RulesChanged) => ruling = core.rule_again(ruling).await?,
            // Another process was first, or it ended meanwhile.
            Err(StoreError::NotFound(_)) => return Ok(()),
            told => {
                core.work.notify_one();
                return told;
            }
        }
    }
}

/// A withdrawal that a partner reported to its holder, which is this organisation.
async fn withdraw(core: &Core, consent: &ConsentRow) -> Result<(), StoreError> {
    let Some(at) = consent.reported else { return Ok(()) };
    match register::carry_out(core, consent.key.id, at).await {
        Ok(_) => Ok(()),
        Err(RegisterError::Store(error)) => Err(error),
        Err(error) => Err(StoreError::Corrupt(error.to_string())),
    }
}

async fn expire(core: &Core, key: ConsentKey) -> Result<(), StoreError> {
    let now = core.now();
    core.store.expire_consent(key, leaf(key, ConsentHappening::Verlopen, None, now), now).await?;
    Ok(())
}

/// Tells everybody who has yet to hear it, with the statement of the holder.
async fn tell(core: &Core, key: ConsentKey) -> Result<(), StoreError> {
    let mut ruling = core.ruling();
    loop {
        let Some(known) = core.store.consent(key).await? else { return Ok(()) };
        let (Some(statement), Some(at)) = (statement_of(core, &known)?, known.ended) else { return Ok(()) };
        let to_tell = reaching::to_tell(core, &ruling.rules, &known).await?;
        if to_tell.is_empty() {
            return Ok(());
        }
        let content = json!({
            "toestemming_id": key.id, "houder": key.holder, "ingetrokken_op": at, "verklaring": statement,
        });
        let document = about(SchemaName::ConsentWithdrawn, &content)?;
        let messages = to_tell
            .iter()
            .filter_map(|one| signed(core, &ruling.rules, one, &document))
            .map(|message| message.that_tells(key))
            .collect();
        match core.store.tell_of_end(ruling.version, messages).await {
            Err(StoreError::RulesChanged) => ruling = core.rule_again(ruling).await?,
            told => {
                core.work.notify_one();
                return told.map(drop);
            }
        }
    }
}

/// What the holder signed. Our own word is signed with the key that partners know by now.
fn statement_of(core: &Core, known: &ConsentRow) -> Result<Option<String>, StoreError> {
    let (Some(statement), Some(at)) = (&known.statement, known.ended) else { return Ok(None) };
    if known.key.holder != core.me {
        return Ok(Some(statement.clone()));
    }
    let signed = Statement::sign(known.key.id, core.me, at, &*core.signer);
    signed.map(Some).map_err(|error| StoreError::Corrupt(error.to_string()))
}

/// Erases what rested on it, or keeps it on the other basis that the purpose has for it. Says whether it did: when the
/// consent holds again meanwhile, nothing is to be done.
async fn clear(core: &Core, ended: &ConsentRow) -> Result<bool, StoreError> {
    loop {
        let copies = core.store.consent_copies(ended.key, PAGE).await?;
        if core.store.consent(ended.key).await?.is_none_or(|now| now.state != ended.state) {
            return Ok(false);
        }
        if copies.is_empty() {
            return Ok(true);
        }
        let (mut erased, mut released) = (Vec::new(), Vec::new());
        let mut kept = None;
        for index in copies {
            match other_basis(core, index).await? {
                Some(basis) => {
                    kept = Some(basis);
                    released.push(index);
                }
                None => erased.push(index),
            }
        }
        if let Some(kept) = &kept {
            core.store.release_from_consent(ended.key, (released, kept), core.now()).await?;
        }
        if !erased.is_empty() {
            core.store.erase(erased, ErasureCause::Withdrawal, core.now()).await?;
        }
    }
}

/// The basis on which a message may be kept after the consent under it ended: when the purpose says so, its rule for this
/// type of message has another that is for this kind of organisation, and nothing in it was allowed by the consent alone.
async fn other_basis(core: &Core, index: u64) -> Result<Option<Kept>, StoreError> {
    let Some(message) = core.store.logged(index).await? else { return Ok(None) };
    let rules = core.rules();
    let agreement = message.agreement.and_then(|digest| rules.agreement(digest));
    let kind = agreement.and_then(|agreement| agreement.party(core.me)).map(|party| party.soort);
    let clause = agreement.and_then(|agreement| {
        agreement.content().afspraken.iter().find(|clause| Some(&clause.doel) == message.purpose.as_ref())
    });
    let purpose = clause.and_then(|clause| rules.purpose(clause.doel_digest));
    let Some(purpose) = purpose.filter(|one| one.content().bij_intrekking == OnWithdrawal::AndereGrondslag)
    else {
        return Ok(None);
    };
    let rule = message.message_type.as_deref().and_then(|message_type| purpose.rule(message_type));
    let (Some(rule), Some(kind)) = (rule, kind) else { return Ok(None) };
    let document = match core.store.payload_for_machine_check(index).await {
        Ok(text) => document_of(&text),
        Err(StoreError::Erased | StoreError::NotFound(_)) => None,
        Err(error) => return Err(error),
    };
    let other = document.and_then(|document| policy::basis_without_consent(rule, kind, &document));
    Ok(other.map(|basis| Kept { soort: basis.soort, artikelen: basis.artikelen.clone() }))
}

/// Logs that it is done here, and tells the holder.
async fn finish(core: &Core, ended: &ConsentRow) -> Result<(), StoreError> {
    let key = ended.key;
    let kept = core.store.consent(key).await?.and_then(|consent| consent.kept);
    let done = match &kept {
        Some(_) => WhatWasDone::Bewaard,
        None if core.store.first_received_under(key).await?.is_some() => WhatWasDone::Gewist,
        None => WhatWasDone::Gestopt,
    };
    let mut ruling = core.ruling();
    loop {
        let now = core.now();
        let confirmation = if key.holder == core.me {
            None
        } else {
            confirmation(core, &ruling.rules, key, (done, kept.as_ref())).await?
        };
        let leaf = Entry::Toestemming {
            bewijs: None,
            gebeurtenis: ConsentHappening::Verwerkt,
            houder: key.holder,
            tijd: now,
            toestemming: key.id,
            uitkomst: Some(done),
        };
        match core
            .store
            .finish_consent(ruling.version, ended, confirmation.into_iter().collect(), Some(leaf.leaf()))
            .await
        {
            Err(StoreError::RulesChanged) => ruling = core.rule_again(ruling).await?,
            // Another process was first, or it ended in another way meanwhile, and is dealt with once more.
            Err(StoreError::NotFound(_)) => return Ok(()),
            finished => {
                core.work.notify_one();
                return finished;
            }
        }
    }
}

/// What tells the holder what was done here, and who was told in turn.
async fn confirmation(
    core: &Core,
    rules: &Rulebook,
    key: ConsentKey,
    (done, kept): (WhatWasDone, Option<&Kept>),
) -> Result<Option<Outgoing>, StoreError> {
    let Some(under) = under_which(core, key).await? else { return Ok(None) };
    let notices = core.store.consent_notices(key).await?;
    let passed: Vec<Oin> = notices.iter().filter(|one| one.message.is_some()).map(|one| one.party).collect();
    let mut content = json!({
        "toestemming_id": key.id, "houder": key.holder, "verwerkt_op": core.now(), "uitkomst": done,
    });
    if !passed.is_empty() {
        content["doorgestuurd_aan"] = json!(passed);
    }
    if let Some(kept) = kept {
        content["bewaard_op_grond_van"] = json!(kept);
    }
    let document = about(SchemaName::ConsentProcessed, &content)?;
    Ok(signed(core, rules, &Untold { party: key.holder, ..under }, &document))
}

/// An agreement with the holder: the one under which the withdrawal came, or the data. Both name the holder, or the
/// extract could not have been read.
async fn under_which(core: &Core, key: ConsentKey) -> Result<Option<Untold>, StoreError> {
    let told_by = core.store.consent(key).await?.and_then(|consent| consent.told_by);
    let index = match told_by {
        Some(index) => Some(index),
        None => core.store.first_received_under(key).await?,
    };
    match index {
        Some(index) => core.store.came_under(index).await,
        None => Ok(None),
    }
}

pub(super) fn about(schema: SchemaName, content: &Value) -> Result<Document, StoreError> {
    let data = json!({
        "grondslag": {
            "soort": BasisKind::LegalObligation, "artikelen": ["AVG art. 7 lid 3", "AVG art. 19"],
        },
        "inhoud": content,
    });
    Document::parse(schema, data.to_string().as_bytes())
        .map_err(|error| StoreError::Corrupt(format!("a notice about a consent: {error}")))
}

/// The message, signed. Nothing when the rules do not let it go, which is said in the log of the program: a person must
/// then bring it.
pub(super) fn signed(core: &Core, rules: &Rulebook, to: &Untold, document: &Document) -> Option<Outgoing> {
    let now = core.now();
    let draft = Draft {
        id: core.new_id(),
        from: core.me,
        to: to.party,
        agreement: to.agreement,
        purpose: to.purpose.clone(),
        // A case of its own: it must not wait for what it is about.
        case: core.new_id(),
        desk: None,
        time: now,
        expires: now + LIFETIME,
        document: document.clone(),
    };
    let permitted = draft.permit(rules, ConsentKnowledge::NothingElse);
    match permitted.and_then(|permitted| permitted.sign(&*core.signer)) {
        Ok(message) => Some(Outgoing::from(message)),
        Err(held) => {
            tracing::error!(partner = %to.party, refusal = %held.refusal().named(), "cannot tell of the end of a consent");
            None
        }
    }
}

/// Runs until cancelled: at once when a consent ended, and from time to time for what ran out or was left over.
pub async fn run(core: Arc<Core>) {
    const EVERY: std::time::Duration = std::time::Duration::from_secs(5);
    /// How often is looked whether somebody could not be told, in rounds: an hour.
    const REMIND_EVERY: u32 = 720;
    let mut rounds: u32 = 0;
    loop {
        if rounds.is_multiple_of(REMIND_EVERY)
            && let Err(error) = core.store.remind_of_ends(core.now()).await
        {
            tracing::error!(%error, "cannot look who has yet to be told of the end of a consent");
        }
        rounds = rounds.wrapping_add(1);
        if let Err(error) = carry_out(&core).await {
            tracing::error!(%error, "cannot read which consents ended");
        }
        let _ = tokio::time::timeout(EVERY, core.endings.notified()).await;
    }
}
