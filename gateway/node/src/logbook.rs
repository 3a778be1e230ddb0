//! The log held against what is stored, and evidence taken from it.

use exchange::{
    digest::Digest,
    entry::Entry,
    receipt::Receipt,
    tlog::{CompactRange, Leaf, LogVerifier, ProofFile},
};
use serde::Serialize;
use store::{Access, Direction, Filter, MessageRow, Order, State, Store, StoreError};
use uuid::Uuid;

use crate::core::Core;

/// Leaves read at a time.
const PAGE: usize = 500;

/// What a check of the log found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// Every leaf is under the signed checkpoint, and every message is the one its leaf speaks of.
    Whole {
        /// The number of leaves.
        size: u64,
        /// The signed checkpoint.
        checkpoint: String,
    },
    /// Something was changed after it was logged.
    Broken {
        /// The first entry that differs, when it is known which.
        index: Option<u64>,
        /// What is wrong.
        what: &'static str,
    },
}

/// Reads the whole log, in bounded memory, and holds it against its checkpoint and the stored messages.
pub async fn verify(
    store: &Store,
    key: &LogVerifier,
    mut progress: impl FnMut(u64, u64),
) -> Result<Verdict, StoreError> {
    let note = store.checkpoint().await?;
    let Ok(checkpoint) = key.open(&note) else {
        return Ok(Verdict::Broken {
            index: None,
            what: "het controlepunt is niet met de logsleutel van dit knooppunt ondertekend",
        });
    };
    let mut range = CompactRange::default();
    let mut messages = Messages::new(store);
    while range.size() < checkpoint.size {
        let leaves = store.leaves(range.size(), PAGE).await?;
        if leaves.is_empty() {
            return Ok(Verdict::Broken { index: Some(range.size()), what: "deze regel ontbreekt" });
        }
        for leaf in leaves.iter().take(usize::try_from(checkpoint.size - range.size()).unwrap_or(PAGE)) {
            let index = range.size();
            if let Some(what) = messages.differs(index, leaf).await? {
                return Ok(Verdict::Broken { index: Some(index), what });
            }
            range.append(leaf.hash());
        }
        progress(range.size(), checkpoint.size);
    }
    if range.root() != checkpoint.root {
        return Ok(Verdict::Broken {
            index: None,
            what: "de regels geven samen een andere wortel dan het controlepunt",
        });
    }
    Ok(Verdict::Whole { size: checkpoint.size, checkpoint: note })
}

/// The stored messages in log order, read along with the leaves.
struct Messages<'a> {
    store: &'a Store,
    page: std::vec::IntoIter<MessageRow>,
    next: Option<MessageRow>,
    last: Option<u64>,
    ended: bool,
}

impl<'a> Messages<'a> {
    fn new(store: &'a Store) -> Self {
        Self { store, page: Vec::new().into_iter(), next: None, last: None, ended: false }
    }

    /// Compares the leaf at `index` with the message stored there, if one is.
    async fn differs(&mut self, index: u64, leaf: &Leaf) -> Result<Option<&'static str>, StoreError> {
        let stored = self.at(index).await?;
        let logged = match Entry::of_leaf(leaf) {
            Ok(Entry::Verzending { bericht, .. }) => Some((Direction::Outbound, bericht)),
            Ok(Entry::Ontvangst(reception)) => Some((Direction::Inbound, reception.bericht)),
            Ok(_) => None,
            Err(_) => return Ok(Some("deze regel is niet leesbaar")),
        };
        Ok(match (stored.map(|row| (row.direction, row.digest)), logged) {
            (stored, logged) if stored == logged => None,
            (None, Some(_)) => Some("het bericht bij deze regel ontbreekt"),
            (Some(_), None) => Some("bij deze regel staat een bericht dat er niet hoort"),
            _ => Some("het bericht bij deze regel is een ander dan in het logboek staat"),
        })
    }

    async fn at(&mut self, index: u64) -> Result<Option<MessageRow>, StoreError> {
        while self.next.as_ref().is_none_or(|row| row.index < index) {
            match self.page.next() {
                Some(row) => {
                    self.last = Some(row.index);
                    self.next = Some(row);
                }
                None if self.ended => return Ok(None),
                None => {
                    let filter = Filter {
                        after: self.last,
                        limit: PAGE,
                        order: Order::OldestFirst,
                        ..Filter::default()
                    };
                    let rows = self.store.messages(filter).await?;
                    self.ended = rows.is_empty();
                    self.page = rows.into_iter();
                }
            }
        }
        Ok(self.next.as_ref().filter(|row| row.index == index).cloned())
    }
}

/// What proves, apart from this node, that a message was sent and received, and by which rules.
#[derive(Debug, Serialize)]
pub struct Evidence {
    /// Always `schakel-bewijs/1`.
    pub soort: &'static str,
    /// The signed message, a compact JWS.
    pub bericht: String,
    /// The leaf of the log that speaks of it.
    pub blad: String,
    /// Inclusion of that leaf in the receiver's log (C2SP tlog-proof), and the checkpoint it is included in.
    pub ontvangstbewijs: String,
    /// The key of that log (C2SP vkey).
    pub logsleutel: String,
    /// The agreement.
    pub convenant: serde_json::Value,
    /// The signed answers to it.
    pub antwoorden: Vec<String>,
    /// The texts of its purposes.
    pub doelen: Vec<serde_json::Value>,
}

/// No evidence can be given.
#[derive(Debug, thiserror::Error)]
pub enum NoEvidence {
    /// There is no such message.
    #[error("er is geen bericht {0}; `schakel berichten` laat zien welke er zijn")]
    Unknown(Uuid),
    /// It was not delivered yet, so nobody proved its receipt.
    #[error("dit bericht is nog niet afgeleverd; er is nog geen bewijs van ontvangst")]
    NotDelivered,
    /// It came in, but was refused: this node did not keep it.
    #[error("dit bericht is bij aankomst geweigerd en daarom niet bewaard")]
    NotKept,
    /// What is stored does not hold together.
    #[error(
        "wat is opgeslagen klopt niet met elkaar ({0}); controleer het logboek met `schakel logboek verify`"
    )]
    Broken(String),
    /// The store did not answer.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Gathers the evidence of one message for somebody, after checking that it holds.
pub async fn evidence(core: &Core, id: Uuid, access: Access) -> Result<Evidence, NoEvidence> {
    let row = core.store.message(id).await?.ok_or(NoEvidence::Unknown(id))?;
    let shown = core.store.view(access, &[row.index]).await?.pop().ok_or(NoEvidence::Unknown(id))?;
    assemble(core, &row, shown.content.ok_or(NoEvidence::NotKept)?).await
}

/// Puts the evidence of a message together with its content.
pub async fn assemble(core: &Core, row: &MessageRow, message: String) -> Result<Evidence, NoEvidence> {
    let (proof, leaf, key) = match row.direction {
        Direction::Outbound => receipt_of(core, row).await?,
        Direction::Inbound => inclusion_of(core, row).await?,
    };
    proof.verify(&leaf, &key).map_err(broken)?;
    let rules = core.rules();
    let agreement = row.agreement.and_then(|digest| rules.agreement(digest)).ok_or(NoEvidence::NotKept)?;
    let mut digests: Vec<Digest> =
        agreement.content().afspraken.iter().map(|clause| clause.doel_digest).collect();
    digests.sort_unstable();
    digests.dedup();
    let purposes =
        digests.iter().filter_map(|digest| serde_json::from_str(rules.purpose(*digest)?.text()).ok());
    Ok(Evidence {
        soort: "schakel-bewijs/1",
        bericht: message,
        blad: String::from_utf8_lossy(leaf.bytes()).into_owned(),
        ontvangstbewijs: proof.to_string(),
        logsleutel: key.to_string(),
        convenant: serde_json::from_str(agreement.text()).map_err(broken)?,
        antwoorden: agreement.answers().iter().map(|answer| answer.jws.clone()).collect(),
        doelen: purposes.collect(),
    })
}

/// The partner's proof of receipt of a message that was sent.
async fn receipt_of(core: &Core, row: &MessageRow) -> Result<(ProofFile, Leaf, LogVerifier), NoEvidence> {
    if row.state == State::Waiting || row.state == State::Undeliverable {
        return Err(NoEvidence::NotDelivered);
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
    let proof = verified.proof_file(position).ok_or_else(|| broken("ontvangstbewijs"))?;
    Ok((proof, leaf, key.clone()))
}

fn speaks_of(leaf: &Leaf) -> Option<Digest> {
    match Entry::of_leaf(leaf).ok()? {
        Entry::Ontvangst(reception) => Some(reception.bericht),
        _ => None,
    }
}

/// The proof that a message that came in stands in this node's own log.
async fn inclusion_of(core: &Core, row: &MessageRow) -> Result<(ProofFile, Leaf, LogVerifier), NoEvidence> {
    if row.state != State::Admitted {
        return Err(NoEvidence::NotKept);
    }
    let rules = core.rules();
    let agreement = row.agreement.and_then(|digest| rules.agreement(digest));
    let key =
        agreement.and_then(|agreement| agreement.log_key(core.me)).ok_or_else(|| broken("logsleutel"))?;
    let note = core.store.checkpoint().await?;
    let size = key.open(&note).map_err(broken)?.size;
    let leaf = core.store.leaves(row.index, 1).await?.pop().ok_or_else(|| broken("de regel ontbreekt"))?;
    let proof = core.store.inclusion(row.index, size).await?;
    Ok((ProofFile { extra: None, index: row.index, proof, checkpoint: note }, leaf, key.clone()))
}

#[expect(clippy::needless_pass_by_value, reason = "shaped for map_err")]
fn broken(error: impl ToString) -> NoEvidence {
    NoEvidence::Broken(error.to_string())
}

/// How many messages that were sent have a receipt that holds, and how many should.
pub async fn count_receipts(core: &Core) -> Result<(u64, u64), StoreError> {
    let (mut valid, mut expected, mut after) = (0, 0, None);
    loop {
        let filter = Filter { direction: Some(Direction::Outbound), after, limit: PAGE, ..Filter::default() };
        let rows = core.store.messages(filter).await?;
        let Some(last) = rows.last() else { return Ok((valid, expected)) };
        after = Some(last.index);
        for row in rows.iter().filter(|row| matches!(row.state, State::Admitted | State::Refused)) {
            expected += 1;
            valid += u64::from(has_valid_receipt(core, row).await?);
        }
    }
}

async fn has_valid_receipt(core: &Core, row: &MessageRow) -> Result<bool, StoreError> {
    match receipt_of(core, row).await {
        Ok((proof, leaf, key)) => Ok(proof.verify(&leaf, &key).is_ok()),
        Err(NoEvidence::Store(error)) => Err(error),
        Err(_) => Ok(false),
    }
}
