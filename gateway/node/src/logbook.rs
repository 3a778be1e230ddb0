//! The log held against what is stored.

use exchange::oin::Oin;
use store::{Anchor, Direction, Filter, MAX_ROWS_READ, MessageRow, State, StoreError};
use transport::{Link, Request};

use crate::{
    core::Core,
    delivery::log_keys,
    evidence::{self, NoEvidence},
    partners, witness,
};

/// The checkpoints of this log that partners keep themselves, and who of them did not answer: what is kept here a person
/// could have removed.
pub async fn partners_anchors(core: &Core, link: &Link) -> (Vec<Anchor>, Vec<Oin>) {
    let key = core.store.log_key();
    let (mut anchors, mut silent) = (Vec::new(), Vec::new());
    for (oin, descriptor) in core.partners().iter() {
        if log_keys(core, *oin).is_empty() {
            continue;
        }
        let request = Request::get(witness::TESTIMONY);
        let notes: Option<Vec<String>> = match link.send(&partners::endpoint_of(descriptor), request).await {
            Ok(answer) if answer.status == 200 => serde_json::from_slice(&answer.body).ok(),
            _ => None,
        };
        match notes {
            Some(notes) => {
                anchors.extend(notes.iter().filter_map(|note| Anchor::new(&key, note, Some(*oin))));
            }
            None => silent.push(*oin),
        }
    }
    (anchors, silent)
}

/// How many messages that were sent have a receipt that holds, and how many should.
pub async fn count_receipts(core: &Core) -> Result<(u64, u64), StoreError> {
    let (mut valid, mut expected, mut after) = (0, 0, None);
    loop {
        let direction = Some(Direction::Outbound);
        let filter = Filter { direction, after, limit: MAX_ROWS_READ, ..Filter::default() };
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
    match evidence::receipt_of(core, row).await {
        Ok(proof) => Ok(proof.file.verify(&proof.leaf, &proof.key).is_ok()),
        Err(NoEvidence::Store(error)) => Err(error),
        Err(_) => Ok(false),
    }
}
