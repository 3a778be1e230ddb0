//! Partners and agreements.

use exchange::{digest::Digest, oin::Oin, tlog::Leaf};
use jiff::Timestamp;

use super::{MAX_BATCH, MAX_DOCUMENT_BYTES, MAX_FAILURE_BYTES, MAX_LEAF_BYTES, Store, check_text, limited};
use crate::{
    error::StoreError,
    model::{Owed, PartnerCheckpoint, PartnerRecord, PartnerState, RulesVersion, StoredAgreement},
    sqlite::{change::Change, read},
};

impl Store {
    /// The node of a partner showed this descriptor, where `previous` is known of it; says whether that was still so.
    pub async fn refresh_partner(&self, previous: String, record: PartnerRecord) -> Result<bool, StoreError> {
        check_partner(&record)?;
        Ok(self.change(Change::RefreshPartner { previous, record }).await? > 0)
    }

    /// Adds a partner, or replaces what is known of it.
    pub async fn put_partner(&self, record: PartnerRecord) -> Result<(), StoreError> {
        check_partner(&record)?;
        self.change(Change::PutPartner(record)).await.map(drop)
    }

    /// All partners, by OIN.
    pub async fn partners(&self) -> Result<Vec<PartnerRecord>, StoreError> {
        read::partners(&mut *self.0.readers.acquire().await?, None).await
    }

    /// One partner.
    pub async fn partner(&self, oin: Oin) -> Result<Option<PartnerRecord>, StoreError> {
        Ok(read::partners(&mut *self.0.readers.acquire().await?, Some(oin)).await?.pop())
    }

    /// Removes a partner; says whether it was there. What was exchanged with it stays.
    pub async fn remove_partner(&self, oin: Oin) -> Result<bool, StoreError> {
        Ok(self.change(Change::RemovePartner(oin)).await? > 0)
    }

    /// How it goes with reaching a partner.
    pub async fn partner_state(&self, oin: Oin) -> Result<PartnerState, StoreError> {
        read::partner_state(&mut *self.0.readers.acquire().await?, oin).await
    }

    /// Records that a partner could not be reached, and when to try again. Nothing for it is due before that.
    pub async fn note_partner_failure(
        &self,
        oin: Oin,
        reason: &str,
        now: Timestamp,
        next_attempt: Timestamp,
    ) -> Result<(), StoreError> {
        limited("bytes of a failure", reason.len(), MAX_FAILURE_BYTES)?;
        let reason = reason.to_owned();
        self.0.hot.forget(oin);
        self.change(Change::Failed { oin, reason, now, next_attempt }).await.map(drop)
    }

    /// Records that a partner was reached or announced itself: what waits for it is due at once.
    pub async fn note_partner_reached(&self, oin: Oin, now: Timestamp) -> Result<(), StoreError> {
        self.change(Change::Reached { oin, now }).await.map(drop)
    }

    /// Records that a partner may be tried at this moment, if its next attempt was to be later.
    pub async fn try_partner_sooner(&self, oin: Oin, at: Timestamp) -> Result<(), StoreError> {
        self.change(Change::TrySooner { oin, at }).await.map(drop)
    }

    /// Keeps an agreement and the text of its purposes; says whether it is new. Its content never changes.
    pub async fn put_agreement(
        &self,
        digest: Digest,
        content: String,
        purposes: Vec<(Digest, String)>,
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        limited("purposes of an agreement", purposes.len(), MAX_BATCH)?;
        let bytes = content.len() + purposes.iter().map(|(_, text)| text.len()).sum::<usize>();
        limited("bytes of an agreement", bytes, MAX_DOCUMENT_BYTES)?;
        Ok(self.change(Change::PutAgreement { digest, content, purposes, now }).await? > 0)
    }

    /// Keeps an answer to an agreement; says whether it is new. If it is, the log says so, and there is a notice of it for
    /// each of `notify`.
    pub async fn put_answer(
        &self,
        agreement: Digest,
        from: Oin,
        (jws, leaf): (String, Leaf),
        notify: Vec<Oin>,
    ) -> Result<bool, StoreError> {
        limited("bytes of an answer", jws.len(), MAX_DOCUMENT_BYTES)?;
        limited("bytes of a leaf", leaf.bytes().len(), MAX_LEAF_BYTES)?;
        limited("parties to notify", notify.len(), MAX_BATCH)?;
        Ok(self.change(Change::PutAnswer { agreement, from, jws, leaf, notify }).await? > 0)
    }

    /// All agreements with their answers, in the order in which they became known.
    pub async fn agreements(&self) -> Result<Vec<StoredAgreement>, StoreError> {
        let mut reader = self.0.readers.begin().await?;
        read::agreements(&mut reader).await
    }

    /// Who must still be told answers to which agreement, who waits longest first. As many as there are parties in the
    /// agreements that are kept.
    pub async fn owed(&self) -> Result<Vec<Owed>, StoreError> {
        read::owed(&mut *self.0.readers.acquire().await?).await
    }

    /// Records that a party has these answers: it is not owed them any more. The version of the rules stays.
    pub async fn told(&self, owed: Owed) -> Result<(), StoreError> {
        self.change(Change::Told(owed)).await.map(drop)
    }

    /// Forgets an agreement with its answers; says whether it was there. What the log says of it stays. No message may
    /// rest on it.
    pub async fn forget_agreement(&self, digest: Digest) -> Result<bool, StoreError> {
        Ok(self.change(Change::ForgetAgreement(digest)).await? > 0)
    }

    /// The version of the rules: another one whenever partners or agreements change, in whatever process.
    pub async fn rules_version(&self) -> Result<RulesVersion, StoreError> {
        read::rules_version(&mut *self.0.readers.acquire().await?).await
    }

    /// The latest checkpoint that was kept of a partner.
    pub async fn partner_checkpoint(&self, oin: Oin) -> Result<Option<PartnerCheckpoint>, StoreError> {
        read::partner_checkpoint(&mut *self.0.readers.acquire().await?, oin).await
    }

    /// Keeps a checkpoint of a partner, unless a later one is kept already.
    pub async fn put_partner_checkpoint(
        &self,
        oin: Oin,
        checkpoint: PartnerCheckpoint,
    ) -> Result<(), StoreError> {
        limited("bytes of a checkpoint", checkpoint.note.len(), MAX_DOCUMENT_BYTES)?;
        self.change(Change::PutCheckpoint { oin, checkpoint }).await.map(drop)
    }
}

fn check_partner(record: &PartnerRecord) -> Result<(), StoreError> {
    check_text(&record.name)?;
    check_text(&record.kind)?;
    limited("bytes of a descriptor", record.descriptor.len(), MAX_DOCUMENT_BYTES)
}

#[cfg(test)]
mod tests;
