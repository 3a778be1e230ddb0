//! Filing, and reading what was sent and received.

use exchange::{
    digest::Digest,
    oin::Oin,
    receipt::{MAX_LEAVES, Receipt, ReceiptLeaf},
    tlog::Checkpoint,
};
use uuid::Uuid;

use super::{MAX_ROWS_READ, Store, check_message, check_text, limited};
use crate::{
    error::StoreError,
    model::{Arrival, Count, Filter, MessageRow, RulesVersion, Verdict},
    sqlite::{
        committer::Operation,
        file::{Filed, Filing},
        read,
    },
};

impl Store {
    /// Files a delivery: each message once, however often and in whatever company it comes. Returns the receipt once
    /// everything is durable.
    ///
    /// All of it was decided by the rules of this version; if those have changed meanwhile, nothing is kept of it and
    /// the answer is [`StoreError::RulesChanged`].
    pub async fn file(&self, rules: RulesVersion, mut arrivals: Vec<Arrival>) -> Result<Receipt, StoreError> {
        limited("messages in one batch", arrivals.len(), MAX_LEAVES)?;
        let mut bytes = 0;
        for arrival in &mut arrivals {
            arrival.tokens = self.tokens(&std::mem::take(&mut arrival.subject));
            let jws = match &arrival.verdict {
                Verdict::Admitted(admitted) => {
                    check_text(&admitted.message_type)?;
                    check_text(&admitted.purpose)?;
                    check_text(admitted.desk.as_deref().unwrap_or_default())?;
                    &admitted.compact
                }
                Verdict::Refused(_) => "",
            };
            bytes += check_message(jws, &arrival.leaf)? + check_message("", &arrival.conflict_leaf)?;
        }
        let filing = Filing { rules, arrivals };
        let filed = self.file_and_forget(filing, bytes).await?;
        // Signed here and not by the committer, who has others to serve; and only what is durable by now.
        let head = Checkpoint { origin: self.0.log.origin().to_owned(), size: filed.size, root: filed.root };
        Ok(Receipt {
            checkpoint: self.0.log.sign(&head),
            size_before: filed.before.size(),
            range_before: filed.before.roots().to_vec(),
            leaves: filed.leaves,
        })
    }

    /// What ends by it must not stay at hand.
    async fn file_and_forget(&self, filing: Filing, bytes: usize) -> Result<Filed, StoreError> {
        if !filing.arrivals.iter().any(Arrival::may_end_others) {
            return Ok(self.0.committer.submit(filing, bytes, Operation::File).await?.answer);
        }
        let store = self.clone();
        self.while_nothing_is_chosen(async move {
            let mut filed = store.0.committer.submit(filing, bytes, Operation::File).await?.answer;
            let ended = std::mem::take(&mut filed.ended);
            Ok((filed, ended))
        })
        .await
    }

    /// What became of a message of `from`, with the same proof as when it was filed; nothing when not that message is
    /// bound to this identifier. For a sender that missed the answer and may not send the message once more.
    pub async fn receipt_for(
        &self,
        from: Oin,
        id: Uuid,
        message: Digest,
    ) -> Result<Option<Receipt>, StoreError> {
        let mut reader = self.0.readers.begin().await?;
        let Some(filed) = read::filed(&mut reader, from, (id, message)).await? else { return Ok(None) };
        let (size, roots) = (filed.log.size(), filed.log.roots().to_vec());
        let head = Checkpoint { origin: self.0.log.origin().to_owned(), size, root: filed.log.root() };
        let leaf = ReceiptLeaf::Known { index: filed.index, leaf: filed.leaf, proof: filed.proof };
        let checkpoint = self.0.log.sign(&head);
        Ok(Some(Receipt { checkpoint, size_before: size, range_before: roots, leaves: vec![leaf] }))
    }

    /// The messages that pass the filter, at most [`MAX_ROWS_READ`].
    pub async fn messages(&self, filter: Filter) -> Result<Vec<MessageRow>, StoreError> {
        read::messages(&mut *self.0.readers.acquire().await?, &filter, MAX_ROWS_READ).await
    }

    /// The message with this identifier; the one that was logged first, if a partner used one of ours.
    pub async fn message(&self, id: Uuid) -> Result<Option<MessageRow>, StoreError> {
        read::message(&mut *self.0.readers.acquire().await?, id).await
    }

    /// The message with this place in the log.
    pub async fn logged(&self, index: u64) -> Result<Option<MessageRow>, StoreError> {
        read::logged(&mut *self.0.readers.acquire().await?, index).await
    }

    /// The signed message with this index, for a check that the machine does by itself and of which nobody sees more than
    /// the outcome. Whoever shows content, or has a local system use it, takes it from [`Store::view`].
    pub async fn payload_for_machine_check(&self, index: u64) -> Result<String, StoreError> {
        self.refresh_keys();
        read::payload(&mut *self.0.readers.acquire().await?, &self.0.vault, index).await
    }

    /// The receipt with which the delivery of this message was answered.
    pub async fn receipt(&self, index: u64) -> Result<Option<String>, StoreError> {
        read::receipt(&mut *self.0.readers.acquire().await?, index).await
    }

    /// How many messages there are of each kind.
    pub async fn counts(&self) -> Result<Vec<Count>, StoreError> {
        read::counts(&mut *self.0.readers.acquire().await?).await
    }
}
