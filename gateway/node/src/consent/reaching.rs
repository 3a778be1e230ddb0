//! Whom to tell of the end of a consent, and under which agreement.

use std::{cmp::Reverse, sync::Arc};

use exchange::{
    agreement::{Agreement, AnswerKind, Standing},
    consent::{Extract, Statement, Terms},
    oin::Oin,
    rulebook::Rulebook,
};
use jiff::Timestamp;
use store::{ConsentRow, State, StoreError, Untold};

use crate::core::Core;

/// Who has yet to hear that a consent was withdrawn: everybody who was sent something under it here. The holder also tells
/// everybody whom the consent names, as far as an agreement joins them: who got something passed on does not depend on who
/// did that, and what may still come is not taken in.
pub async fn to_tell(core: &Core, rules: &Rulebook, consent: &ConsentRow) -> Result<Vec<Untold>, StoreError> {
    let terms = consent.extract.as_deref().and_then(Extract::peek);
    let way = |party| {
        // What this organisation says as holder, it signs anew.
        let statement = consent.statement.as_deref().filter(|_| consent.key.holder != core.me);
        let reads = |one: &Agreement| statement.is_none_or(|said| Statement::read(said, one).is_ok());
        let purposes = terms.as_ref().map(|terms| terms.purposes.as_slice()).unwrap_or_default();
        Way { core, rules, party, purposes }.best(reads)
    };
    let untold = core.store.untold(consent.key).await?;
    let mut to_tell: Vec<Untold> = untold
        .into_iter()
        .map(|one| {
            let party = one.party;
            usual_or((core, rules), one, || way(party))
        })
        .collect();
    let Some(terms) = terms.as_ref().filter(|_| consent.key.holder == core.me) else { return Ok(to_tell) };
    let notices = core.store.consent_notices(consent.key).await?;
    let is_told = |oin: &Oin| {
        notices.iter().find(|notice| notice.party == *oin).is_some_and(|notice| {
            let state = notice.message.as_ref().map(|message| message.state);
            notice.confirmed.is_some() || matches!(state, Some(State::Waiting | State::Admitted))
        })
    };
    for party in named(core, terms) {
        if !is_told(&party) && to_tell.iter().all(|one| one.party != party) {
            to_tell.extend(way(party));
        }
    }
    Ok(to_tell)
}

/// The organisations that a consent names, without this one.
pub fn named(core: &Core, terms: &Terms) -> impl Iterator<Item = Oin> {
    terms.granted_to.iter().copied().filter(|party| *party != core.me)
}

/// Whether an agreement with this organisation was ever accepted by both, before a moment. Under a consent of ours nothing
/// can have reached who was in none: it could not have read what proves the consent.
pub fn was_joined(core: &Core, rules: &Rulebook, (party, before): (Oin, Timestamp)) -> bool {
    let is_late = |one: &Agreement| {
        let accepted = one.answers().iter().filter(|answer| answer.kind == AnswerKind::Accepted);
        accepted.filter(|answer| [core.me, party].contains(&answer.by)).any(|answer| answer.at > before)
    };
    rules.agreements().any(|agreement| joins(core, agreement, party) && !is_late(agreement))
}

fn joins(core: &Core, agreement: &Agreement, party: Oin) -> bool {
    [core.me, party].iter().all(|oin| agreement.is_accepted_by(*oin))
}

/// Whether a message of ours under this agreement can be verified by this organisation.
fn works(core: &Core, agreement: &Agreement, party: Oin) -> bool {
    joins(core, agreement, party) && agreement.key(core.me, core.signer.public_key().kid()).is_some()
}

/// How to tell an organisation something about a consent.
pub(super) struct Way<'a> {
    pub(super) core: &'a Core,
    pub(super) rules: &'a Rulebook,
    pub(super) party: Oin,
    /// The purposes of the consent.
    pub(super) purposes: &'a [String],
}

impl Way<'_> {
    /// The agreement to tell it under, which names the key that this organisation signs with now: about a purpose of the
    /// consent when there is one, then one in force, then the newest. `reads` says whether it also names the key of what
    /// is told.
    pub(super) fn best(&self, reads: impl Fn(&Agreement) -> bool) -> Option<Untold> {
        let Self { core, rules, party, purposes } = *self;
        let is_usable = |one: &&Arc<Agreement>| works(core, one, party) && reads(one);
        let clauses = rules.agreements().filter(is_usable).flat_map(|agreement| {
            let clauses = agreement.content().afspraken.iter().map(move |clause| (agreement, clause));
            clauses.filter(|(_, clause)| rules.purpose(clause.doel_digest).is_some())
        });
        let (agreement, clause) = clauses.min_by_key(|(agreement, clause)| {
            let in_force = agreement.standing(core.now()) == Standing::InForce
                && !rules.is_replaced(agreement, core.me, party, core.now());
            let (fits, version) = (purposes.contains(&clause.doel), agreement.content().versie);
            // The digest decides between equals, so that every time is the same.
            (Reverse((fits, in_force, version)), agreement.digest())
        })?;
        Some(Untold { party, agreement: agreement.digest(), purpose: clause.doel.clone() })
    }
}

/// The way by which data went, or came; another when that does not work any more and there is one. Without another it is
/// tried as it is, in case that changes.
pub(super) fn usual_or(
    (core, rules): (&Core, &Rulebook),
    usual: Untold,
    other: impl FnOnce() -> Option<Untold>,
) -> Untold {
    let agreement = rules.agreement(usual.agreement);
    let does_work = agreement.is_some_and(|agreement| works(core, agreement, usual.party));
    if does_work { usual } else { other().unwrap_or(usual) }
}

#[cfg(test)]
mod tests;
