//! The log held against what is stored.

mod verify;

use store::{Direction, Filter, MAX_ROWS_READ, MessageRow, State, StoreError};

use crate::{
    core::Core,
    evidence::{self, NoEvidence},
};

pub use verify::{Anchor, Check, Verdict, own_anchors, partners_anchors, verify};

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
