//! Consent at this node: what it knows of one before it decides, the register of those it asked for, and what happens
//! when one ends.
//!
//! - [`register`]: granting, extending, withdrawing; what a person does
//! - [`residents`]: whom a case is about, for what names nobody
//! - [`report`]: telling the holder that the resident withdrew a consent here
//! - [`reaching`]: whom to tell, and under which agreement
//! - [`standing`]: how it is with one, for whoever sees it
//! - [`copies`], [`versions`]: what became of copies that others have, and how a consent was given
//! - [`view`]: consents as somebody sees them, who is on record for it
//! - [`ending`]: telling everybody who got something, erasing, confirming; what the node does, until it is done
//! - this file: what the path of a message asks

use std::collections::{BTreeSet, HashMap};

use exchange::{
    consent::{CaseResident, ConsentKey, ConsentRecord, Event, Extract, attach, opened_for, salts_among},
    message::VerifiedMessage,
    oin::Oin,
    person::Identity,
    policy::ConsentKnowledge,
};
use schemas::{BasisKind, Document, StatedSalts};
use store::{ConsentState, StoreError};

use crate::core::Core;

pub(crate) mod copies;
pub mod ending;
pub mod reaching;
pub mod register;
pub mod report;
pub(crate) mod residents;
pub mod standing;
pub(crate) mod versions;
pub(crate) mod view;

/// What is known of some consents.
#[derive(Debug, Default)]
pub(crate) struct Knowledge {
    of: HashMap<ConsentKey, ConsentKnowledge>,
    /// Who may say what it did when one ended, of those who say so.
    confirmers: BTreeSet<(ConsentKey, Oin)>,
}

impl Knowledge {
    /// What the store knows of these now. The store holds what comes of it against what it knows then.
    pub(crate) async fn of(core: &Core, keys: BTreeSet<ConsentKey>) -> Result<Self, StoreError> {
        if keys.is_empty() {
            return Ok(Self::default());
        }
        Ok(Self { of: core.store.consent_knowledge(&keys).await?, ..Self::default() })
    }

    /// What the store knows now of the consents that these messages are about.
    pub(crate) async fn of_all<'m>(
        core: &Core,
        messages: impl Iterator<Item = &'m VerifiedMessage> + Clone,
    ) -> Result<Self, StoreError> {
        let claims: BTreeSet<_> = messages.clone().filter_map(VerifiedMessage::confirmed_consent).collect();
        let relied_on = messages.filter_map(VerifiedMessage::claimed_consent);
        let keys = relied_on.chain(claims.iter().map(|(key, _)| *key)).collect();
        let confirmers = core.store.may_confirm(claims).await?;
        Ok(Self { confirmers, ..Self::of(core, keys).await? })
    }

    /// What is known of the consent that a message is about: of one that is not for its sender to confirm, nothing.
    pub(crate) fn for_message(&self, message: &VerifiedMessage) -> ConsentKnowledge {
        match message.confirmed_consent() {
            Some(claim) => self.about(Some(claim.0).filter(|_| self.confirmers.contains(&claim))),
            None => self.about(message.claimed_consent()),
        }
    }

    /// What is known of one.
    pub(crate) fn about(&self, key: Option<ConsentKey>) -> ConsentKnowledge {
        key.and_then(|key| self.of.get(&key)).copied().unwrap_or_default()
    }

    /// A message that comes before others of the same delivery says something about a consent.
    pub(crate) fn learn(&mut self, event: &Event) {
        let learned = match event {
            Event::Withdrawn(_) | Event::Reported { .. } => (event.consent(), ConsentKnowledge::Withdrawn),
            Event::Extended(extract) => (extract.key(), ConsentKnowledge::ValidUntil(extract.valid_until())),
            Event::Processed(_) => return,
        };
        let known = self.of.entry(learned.0).or_default();
        *known = match (*known, learned.1) {
            (ConsentKnowledge::Withdrawn, _) => ConsentKnowledge::Withdrawn,
            (ConsentKnowledge::ValidUntil(known), ConsentKnowledge::ValidUntil(until)) => {
                ConsentKnowledge::ValidUntil(known.max(until))
            }
            (_, learned) => learned,
        };
    }
}

/// Adds to a document that rests on a consent what proves it: the extract of this node's own record, or the one that came
/// with what this node received under it. A document that rests on something else, or on a consent that is not known
/// here, stays as it is; the rules then say what is missing.
pub(crate) async fn fill_in(
    core: &Core,
    document: Document,
    of_case: Option<&CaseResident>,
) -> Result<Document, StoreError> {
    let basis = document.basis();
    let Some(stated) = basis.consent.as_ref().filter(|_| basis.kind == BasisKind::Consent) else {
        return Ok(document);
    };
    if stated.extract.is_some() {
        return Ok(document);
    }
    let own = ConsentKey { holder: core.me, id: stated.id };
    if let Some(record) = newest_record(core, own).await? {
        let filled = record.attach_to(&document, of_case, (core.me, &*core.signer));
        return Ok(filled.unwrap_or(document));
    }
    received(core, document, of_case).await
}

/// The newest version of a record of this organisation.
pub(crate) async fn newest_record(core: &Core, key: ConsentKey) -> Result<Option<ConsentRecord>, StoreError> {
    let newest = core.store.consent_records(key).await?.pop();
    let read = newest.map(|stored| ConsentRecord::from_stored(&stored.text));
    read.transpose().map_err(|error| StoreError::Corrupt(error.to_string()))
}

/// Who gave a consent, for finding what was done about it by: as the record says, or what came first under one that somebody
/// else asked for. Nobody when that was erased.
pub(crate) async fn resident_of(core: &Core, key: ConsentKey) -> Result<Option<Identity>, StoreError> {
    if let Some(record) = newest_record(core, key).await? {
        return Ok(Identity::of(record.document()));
    }
    let Some(first) = core.store.first_received_under(key).await? else { return Ok(None) };
    match core.store.payload_for_machine_check(first).await {
        Ok(text) => Ok(Identity::of_message(&text)),
        Err(StoreError::Erased | StoreError::NotFound(_)) => Ok(None),
        Err(error) => Err(error),
    }
}

/// Passing on: the salts are those of a message that came under the same consent, and the extract is the newest. When the
/// consent is over nothing of that is left, and what there is says why.
async fn received(
    core: &Core,
    document: Document,
    of_case: Option<&CaseResident>,
) -> Result<Document, StoreError> {
    let Some(stated) = document.basis().consent.clone() else { return Ok(document) };
    let known = core.store.consents_numbered(stated.id).await?;
    for received in core.store.received_under(stated.id).await? {
        let Some(received) = exchange::message::document_of(&received) else { continue };
        let (Some(key), Some(theirs)) = (Extract::claimed_by(&received), &received.basis().consent) else {
            continue;
        };
        let newest = known.iter().find(|consent| consent.key == key).and_then(|one| one.extract.as_deref());
        let salts = salts_among(&theirs.salts, opened_for(&document, key, of_case).as_ref());
        if let Some(extract) = newest.or(theirs.extract.as_deref())
            && let Ok(filled) = attach(&document, stated.id, extract, &salts)
        {
            return Ok(filled);
        }
    }
    let mut over = known.iter().filter(|consent| consent.state != ConsentState::InForce);
    let filled = over.find_map(|consent| {
        attach(&document, stated.id, consent.extract.as_deref()?, &StatedSalts::default()).ok()
    });
    Ok(filled.unwrap_or(document))
}

#[cfg(test)]
mod tests;
