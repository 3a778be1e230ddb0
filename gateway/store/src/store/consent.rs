//! Consents: the register, their end, and what is left to do about it.

use std::collections::{BTreeSet, HashMap};

use exchange::{
    consent::{CaseResident, ConsentKey, ConsentRecord, Extract, Kept},
    digest::Digest,
    oin::Oin,
    person::{Identity, LookupKeys},
    policy::ConsentKnowledge,
    tlog::Leaf,
};
use jiff::Timestamp;
use uuid::Uuid;

use super::{MAX_BATCH, MAX_DOCUMENT_BYTES, MAX_ROWS_READ, Store, check_message, limited};
use crate::{
    consents::{ConsentNotice, ConsentRow, StoredRecord, Untold},
    error::StoreError,
    model::{Enqueued, Outgoing, RulesVersion, State},
    sqlite::{
        committer::Operation,
        consent::{self, Finishing},
        deeds::{Deed, What},
        outbound::Queueing,
        read, read_consents, subject,
    },
};

/// How many messages that came under one consent are looked at for passing it on.
const MAX_RECEIVED: usize = 8;

/// How many messages of a case that name somebody are opened to find out whom it is about: the first, unless it is being erased.
const MAX_NAMING: usize = 8;

impl Store {
    /// What is known of these consents, for deciding. What is not known is left out.
    pub async fn consent_knowledge(
        &self,
        keys: &BTreeSet<ConsentKey>,
    ) -> Result<HashMap<ConsentKey, ConsentKnowledge>, StoreError> {
        limited("consents in one reading", keys.len(), MAX_BATCH)?;
        let keys: Vec<ConsentKey> = keys.iter().copied().collect();
        let known = consent::known(&mut *self.0.readers.acquire().await?, &keys).await?;
        let knowledge = |known: &consent::Known| match known.valid_until {
            _ if known.is_over() => ConsentKnowledge::Withdrawn,
            Some(until) => ConsentKnowledge::ValidUntil(until),
            None => ConsentKnowledge::NothingElse,
        };
        Ok(known.iter().map(|(key, known)| (*key, knowledge(known))).collect())
    }

    /// Records a consent that this organisation asked for, or a newer version of it, with the extract to send along.
    /// It is kept so many days after the consent ended. Its resident can be looked up. Returns where the log says so.
    /// [`StoreError::RulesChanged`] when it was withdrawn, even a moment ago.
    pub async fn record_consent(
        &self,
        (key, record): (ConsentKey, &ConsentRecord),
        extract: String,
        keep_days: u32,
        leaf: Leaf,
    ) -> Result<u64, StoreError> {
        let (text, valid_until) = (record.to_stored(), record.valid_until());
        let tokens = self.tokens(&LookupKeys::of(record.document()));
        limited("bytes of a consent record", text.len() + extract.len(), MAX_DOCUMENT_BYTES)?;
        let bytes = text.len() + extract.len() + check_message("", &leaf)?;
        let what = What::Record { text, extract, valid_until, tokens, keep_days };
        let deed = Deed { key, what, leaf: Some(leaf), now: valid_until };
        Ok(self.0.committer.submit(deed, bytes, Operation::Consent).await?.answer.index)
    }

    /// Withdraws a consent of this organisation: from the moment this returns nothing that rests on it leaves, and
    /// nothing new rests on it. Says whether it was not withdrawn before.
    pub async fn withdraw_consent(
        &self,
        key: ConsentKey,
        (statement, at): (String, Timestamp),
        leaf: Leaf,
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        let what = What::Withdraw { statement, at };
        self.end_consent(Deed { key, what, leaf: Some(leaf), now }).await
    }

    /// The time of a consent ran out: what waits under it does not leave any more. Says whether it had not ended before.
    pub async fn expire_consent(
        &self,
        key: ConsentKey,
        leaf: Leaf,
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        self.end_consent(Deed { key, what: What::Expire, leaf: Some(leaf), now }).await
    }

    async fn end_consent(&self, deed: Deed) -> Result<bool, StoreError> {
        let store = self.clone();
        let ending = async move {
            let done = store.0.committer.submit(deed, 0, Operation::Consent).await?.answer;
            Ok((true, done.ended))
        };
        match self.while_nothing_is_chosen(ending).await {
            // Somebody was first.
            Err(StoreError::RulesChanged) => Ok(false),
            ended => ended,
        }
    }

    /// The resident withdrew a consent of another organisation here: nothing that rests on it leaves any more, and nothing
    /// new rests on it. What is left to do is to tell its holder, whose own withdrawal does the rest.
    pub async fn stop_consent(
        &self,
        key: ConsentKey,
        at: Timestamp,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        self.end_consent(Deed { key, what: What::Stop { at }, leaf: None, now }).await?;
        Ok(())
    }

    /// Keeps these messages on another basis than the consent they came under.
    pub async fn release_from_consent(
        &self,
        key: ConsentKey,
        (indexes, kept): (Vec<u64>, &Kept),
        now: Timestamp,
    ) -> Result<(), StoreError> {
        limited("messages in one operation", indexes.len(), MAX_BATCH)?;
        let kept = serde_json::to_string(kept).unwrap_or_default();
        let deed = Deed { key, what: What::Release { indexes, kept }, leaf: None, now };
        self.0.committer.submit(deed, 0, Operation::Consent).await?;
        Ok(())
    }

    /// Queues what tells of the end of a consent, each organisation once, before anything else.
    pub async fn tell_of_end(
        &self,
        rules: RulesVersion,
        messages: Vec<Outgoing>,
    ) -> Result<Vec<Enqueued>, StoreError> {
        self.enqueue(rules, messages, Vec::new()).await
    }

    /// Nothing is left to do about a consent after this: logs so, if there is something to log, and queues what tells
    /// others. `dealt_with` is how it was when that began. [`StoreError::NotFound`] when it is otherwise by now, or
    /// nothing was left to do already.
    pub async fn finish_consent(
        &self,
        rules: RulesVersion,
        dealt_with: &ConsentRow,
        messages: Vec<Outgoing>,
        leaf: Option<Leaf>,
    ) -> Result<(), StoreError> {
        limited("messages in one operation", messages.len(), MAX_BATCH)?;
        let mut bytes = leaf.as_ref().map_or(Ok(0), |leaf| check_message("", leaf))?;
        for message in &messages {
            bytes += check_message(&message.jws, &message.leaf)?;
        }
        let finishing = Finishing {
            key: dealt_with.key,
            state: dealt_with.state,
            reported: dealt_with.reported.is_some(),
        };
        let (held_back, finishes) = (leaf.into_iter().collect(), Some(finishing));
        let queueing = Queueing { rules, messages, held_back, finishes, decision: None };
        self.0.committer.submit(queueing, bytes, Operation::Enqueue).await?;
        Ok(())
    }

    /// Consents that ended and about which something is left to do, of those that ran out only what did before `before`;
    /// and those whose time runs out now. At most `limit`.
    pub async fn consents_to_do(
        &self,
        (before, now): (Timestamp, Timestamp),
        limit: usize,
    ) -> Result<Vec<ConsentRow>, StoreError> {
        let limit = limit.min(MAX_ROWS_READ);
        read_consents::to_do(&mut *self.0.readers.acquire().await?, (before, now), limit).await
    }

    /// Has the end of consents told again, what was done then, and that one was withdrawn here, of which the message was
    /// refused or given up; returns how many.
    pub async fn remind_of_ends(&self, now: Timestamp) -> Result<usize, StoreError> {
        let keys = read_consents::untellable(&mut *self.0.readers.acquire().await?, MAX_ROWS_READ).await?;
        for key in &keys {
            self.tell_again(*key, now).await?;
        }
        Ok(keys.len())
    }

    /// There is something left to tell about the end of a consent.
    pub async fn tell_again(&self, key: ConsentKey, now: Timestamp) -> Result<(), StoreError> {
        let deed = Deed { key, what: What::Remind, leaf: None, now };
        self.0.committer.submit(deed, 0, Operation::Consent).await?;
        Ok(())
    }

    /// One consent.
    pub async fn consent(&self, key: ConsentKey) -> Result<Option<ConsentRow>, StoreError> {
        read_consents::consent(&mut *self.0.readers.acquire().await?, key).await
    }

    /// The consents of this number. A holder numbers its own; two holders with one number are told apart by who they are.
    pub async fn consents_numbered(&self, id: Uuid) -> Result<Vec<ConsentRow>, StoreError> {
        read_consents::numbered(&mut *self.0.readers.acquire().await?, id, MAX_ROWS_READ).await
    }

    /// The consents that became known after this one, in that order: of one holder, or all. At most
    /// [`MAX_ROWS_READ`].
    pub async fn consents(
        &self,
        holder: Option<Oin>,
        after: Option<ConsentKey>,
        limit: usize,
    ) -> Result<Vec<ConsentRow>, StoreError> {
        let page = (after, limit.min(MAX_ROWS_READ));
        read_consents::consents(&mut *self.0.readers.acquire().await?, holder, page).await
    }

    /// The versions of the record of a consent, the oldest first. It says who the resident is.
    pub async fn consent_records(&self, key: ConsentKey) -> Result<Vec<StoredRecord>, StoreError> {
        self.refresh_keys();
        read_consents::records(&mut *self.0.readers.acquire().await?, &self.0.vault, key).await
    }

    /// The extract of a consent with this digest, by which the log names it, whether or not it is the newest.
    pub async fn consent_extract(
        &self,
        key: ConsentKey,
        digest: Digest,
    ) -> Result<Option<String>, StoreError> {
        read_consents::extract(&mut *self.0.readers.acquire().await?, key, digest).await
    }

    /// The messages that rest on a consent and can still be read here, in the order of the log.
    pub async fn consent_copies(&self, key: ConsentKey, limit: usize) -> Result<Vec<u64>, StoreError> {
        read_consents::copies(&mut *self.0.readers.acquire().await?, key, limit.min(MAX_BATCH)).await
    }

    /// The first message that came in here under a consent, erased or not.
    pub async fn first_received_under(&self, key: ConsentKey) -> Result<Option<u64>, StoreError> {
        read_consents::first_received(&mut *self.0.readers.acquire().await?, key).await
    }

    /// Who was sent something under a consent and has yet to be told of its end.
    pub async fn untold(&self, key: ConsentKey) -> Result<Vec<Untold>, StoreError> {
        read_consents::untold(&mut *self.0.readers.acquire().await?, key, MAX_ROWS_READ).await
    }

    /// To whom something went under a consent: [`State::Admitted`] when any of it arrived, [`State::Waiting`] when it is on
    /// its way, and else why nothing did.
    pub async fn shared_under(&self, key: ConsentKey) -> Result<Vec<(Oin, State)>, StoreError> {
        read_consents::shared(&mut *self.0.readers.acquire().await?, key, MAX_ROWS_READ).await
    }

    /// Those among these that may say what they did when a consent ended: whom it names, and who was told.
    pub async fn may_confirm(
        &self,
        claims: BTreeSet<(ConsentKey, Oin)>,
    ) -> Result<BTreeSet<(ConsentKey, Oin)>, StoreError> {
        limited("confirmations in one reading", claims.len(), MAX_BATCH)?;
        let mut true_claims = BTreeSet::new();
        for (key, from) in claims {
            let Some(known) = self.consent(key).await? else { continue };
            let terms = known.extract.as_deref().and_then(Extract::peek);
            let is_named = terms.is_some_and(|terms| terms.granted_to.contains(&from));
            if is_named || self.consent_notices(key).await?.iter().any(|notice| notice.party == from) {
                true_claims.insert((key, from));
            }
        }
        Ok(true_claims)
    }

    /// What every organisation was told of the end of a consent, and did.
    pub async fn consent_notices(&self, key: ConsentKey) -> Result<Vec<ConsentNotice>, StoreError> {
        read_consents::notices(&mut *self.0.readers.acquire().await?, key, MAX_ROWS_READ).await
    }

    /// Who brought a message, and under which agreement and purpose.
    pub async fn came_under(&self, index: u64) -> Result<Option<Untold>, StoreError> {
        read_consents::told_under(&mut *self.0.readers.acquire().await?, index).await
    }

    /// Whom these cases are about, for deciding about a message of one that rests on a consent and names nobody. A case is left
    /// out when nothing that names somebody is there, or any more. Opens messages, and shows them to nobody.
    pub async fn residents_of_cases(
        &self,
        cases: &BTreeSet<Uuid>,
    ) -> Result<HashMap<Uuid, CaseResident>, StoreError> {
        limited("cases in one reading", cases.len(), MAX_BATCH)?;
        let mut residents = HashMap::new();
        if cases.is_empty() {
            return Ok(residents);
        }
        self.refresh_keys();
        let mut reader = self.0.readers.acquire().await?;
        for case in cases {
            for index in subject::first_of_case(&mut reader, *case, MAX_NAMING).await? {
                let text = match read::payload(&mut reader, &self.0.vault, index).await {
                    Err(StoreError::Erased | StoreError::NotFound(_)) => continue,
                    text => text?,
                };
                let Some(identity) = Identity::of_message(&text) else { continue };
                let row = read::message_at(&mut reader, index).await?;
                residents.insert(*case, CaseResident { identity, consent: row.and_then(|row| row.consent) });
                break;
            }
        }
        Ok(residents)
    }

    /// Messages that came in under a consent of this number: those that name somebody first, of those the newest. For passing on what proves it.
    pub async fn received_under(&self, id: Uuid) -> Result<Vec<String>, StoreError> {
        self.refresh_keys();
        let mut reader = self.0.readers.acquire().await?;
        let mut received = Vec::new();
        for index in read_consents::received_under(&mut reader, id, MAX_RECEIVED).await? {
            match read::payload(&mut reader, &self.0.vault, index).await {
                Err(StoreError::Erased) => {}
                payload => received.push(payload?),
            }
        }
        Ok(received)
    }

    /// Does something by which messages end that wait, while nothing is chosen from the queue: what is leased was chosen
    /// before this or after it. Memory forgets what ended, whether or not somebody still waits for the answer.
    pub(super) async fn while_nothing_is_chosen<T: Send + 'static>(
        &self,
        deed: impl Future<Output = Result<(T, Vec<(Oin, u64)>), StoreError>> + Send + 'static,
    ) -> Result<T, StoreError> {
        let store = self.clone();
        let task = tokio::spawn(async move {
            let turn = store.0.reading.lock().await;
            let (outcome, ended) = deed.await?;
            if !ended.is_empty() {
                store.0.hot.erase(&ended);
                store.0.leases.ended(&ended);
            }
            drop(turn);
            Ok(outcome)
        });
        task.await.map_err(|_| StoreError::Closed)?
    }
}
