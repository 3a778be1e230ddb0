//! Holding how messages ended that were sent against what their receivers signed.

use std::collections::{BTreeSet, HashMap};

use exchange::{
    delivery::{Delivered, check_receipt},
    digest::Digest,
    entry::About,
    oin::Oin,
    receipt::Receipt,
    tlog::LogVerifier,
};

use super::{Store, against::Fault, agreements::Agreements, message::OTHER_STATE};
use crate::{error::StoreError, model::State, sqlite::verify_records as records};

/// Receipts that are read and checked at once: one can be a hundred kilobytes.
const MAX_AT_ONCE: usize = 32;

/// A message that was sent, with its receipt.
pub(super) struct Receipted {
    pub(super) index: u64,
    pub(super) message: Digest,
    pub(super) to: Option<Oin>,
    pub(super) state: State,
    pub(super) reason: Option<String>,
    /// The number of the receipt.
    pub(super) receipt: i64,
}

/// How the messages of a receipt ended, by their digest; nothing when it proves nothing.
type Ends = Option<HashMap<Digest, Delivered>>;

/// Receipts, as they are come across.
pub(super) struct Receipts {
    me: Oin,
    keys: HashMap<Oin, Vec<LogVerifier>>,
    /// The last that were checked. Messages of one receipt stand close to each other.
    checked: HashMap<i64, Ends>,
}

impl Receipts {
    pub(super) fn new(me: Oin) -> Self {
        Self { me, keys: HashMap::new(), checked: HashMap::new() }
    }

    /// The first of these messages whose receipt does not say that it ended as it did.
    pub(super) async fn check(
        &mut self,
        (store, agreements): (&Store, &Agreements),
        messages: &[Receipted],
    ) -> Result<Option<Fault>, StoreError> {
        let mut rest = messages;
        while !rest.is_empty() {
            let mut wanted = BTreeSet::new();
            let many = rest.iter().take_while(|one| {
                wanted.insert(one.receipt);
                wanted.len() <= MAX_AT_ONCE
            });
            let (part, later) = rest.split_at(many.count());
            self.fetch((store, agreements), part).await?;
            let indexes: Vec<u64> = part.iter().map(|message| message.index).collect();
            let misfiled = records::misfiled(&mut *store.0.readers.acquire().await?, &indexes).await?;
            for message in part {
                let misfiled = (misfiled == Some(message.index)).then_some(MISFILED);
                if let Some(what) = self.of_message(message).or(misfiled) {
                    return Ok(Some(Fault { index: message.index, what }));
                }
            }
            rest = later;
        }
        Ok(None)
    }

    /// Reads and checks the receipts of these messages that are not at hand, off the threads that have others to serve.
    async fn fetch(
        &mut self,
        (store, agreements): (&Store, &Agreements),
        messages: &[Receipted],
    ) -> Result<(), StoreError> {
        let mut senders = HashMap::new();
        for message in messages {
            if let Some(to) = message.to.filter(|_| !self.checked.contains_key(&message.receipt)) {
                senders.entry(message.receipt).or_insert(to);
            }
        }
        if senders.is_empty() {
            return Ok(());
        }
        self.checked.retain(|number, _| messages.iter().any(|message| message.receipt == *number));
        let numbers: Vec<i64> = senders.keys().copied().collect();
        let read = records::receipts(&mut *store.0.readers.acquire().await?, &numbers).await?;
        let mut asked = Vec::with_capacity(read.len());
        for (number, content) in read {
            let from = senders[&number];
            let keys = self.keys.entry(from).or_insert_with(|| agreements.log_keys(from)).clone();
            asked.push((number, content, keys));
        }
        let me = self.me;
        let checked = tokio::task::spawn_blocking(move || {
            let check = |(number, content, keys): (i64, String, Vec<LogVerifier>)| {
                (number, ends(&content, me, &keys))
            };
            asked.into_iter().map(check).collect::<Vec<_>>()
        });
        self.checked.extend(checked.await.map_err(|_| StoreError::Closed)?);
        Ok(())
    }

    fn of_message(&self, message: &Receipted) -> Option<&'static str> {
        let Some(ends) = self.checked.get(&message.receipt) else {
            return Some("het ontvangstbewijs van het bericht bij deze regel ontbreekt");
        };
        let Some(ends) = ends else {
            return Some(
                "het ontvangstbewijs van het bericht bij deze regel is niet wat de ontvanger heeft ondertekend",
            );
        };
        match (ends.get(&message.message), message.state) {
            (None, _) => {
                Some("het ontvangstbewijs van het bericht bij deze regel gaat over andere berichten")
            }
            (Some(Delivered::Admitted), State::Admitted) => None,
            (Some(Delivered::Refused(reason)), State::Refused)
                if message.reason.as_deref() == Some(reason.code()) =>
            {
                None
            }
            _ => Some(OTHER_STATE),
        }
    }
}

const MISFILED: &str = "het bericht bij deze regel is op een ander moment afgerond dan zijn ontvangstbewijs kwam, of dat staat bij een andere partner";

/// What a receipt proves of the messages that it is about.
fn ends(content: &str, me: Oin, keys: &[LogVerifier]) -> Ends {
    let receipt: Receipt = serde_json::from_str(content).ok()?;
    let about = |leaf| match About::leaf(leaf) {
        Some(About::Received { message, .. }) => Some(message.message),
        _ => None,
    };
    let sent: Vec<Digest> = receipt.leaves.iter().map(|leaf| about(leaf.leaf())).collect::<Option<_>>()?;
    let (_, ends) = keys.iter().find_map(|key| check_receipt(&receipt, &sent, me, key).ok())?;
    Some(sent.into_iter().zip(ends).collect())
}
