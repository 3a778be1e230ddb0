//! What goes out: queueing messages, and recording how they ended.

use std::sync::LazyLock;

use exchange::{oin::Oin, tlog::Leaf};
use jiff::Timestamp;
use sqlx::{Row as _, SqliteConnection};

use super::{
    access::Deciding,
    column::{
        damaged, direction_to_sql, from_sql, priority_to_sql, state_from_sql, state_to_sql, time_to_sql,
        to_sql,
    },
    committer::{Operation, Writer},
    consent::{self, Finishing},
    group::{Group, NewMessage},
    handover,
    names::{Missing, Names},
    rows::{MOST_ROWS, Part, Statement, Values},
};
use crate::{
    error::StoreError,
    model::{Direction, Enqueued, Outgoing, PartnerCheckpoint, RulesVersion, State},
};

static OFFERED: LazyLock<Statement> = LazyLock::new(|| {
    Statement::new(&Part::List(
        "SELECT intake.key, intake.idx, message.state FROM intake JOIN message ON message.idx = intake.idx \
         WHERE intake.key",
    ))
});

static SETTLE: LazyLock<Statement> = LazyLock::new(|| {
    Statement::new(&Part::List(
        "UPDATE message SET state = ?, reason = ?, finished = ?, receipt = ?, queued = NULL \
         WHERE state = 0 AND direction = 0 AND idx",
    ))
});

/// Stores the receipt and what it says about the partner, and settles with it. Answers can overtake each other: the
/// checkpoint of the largest log counts.
static RECEIVE_RECEIPT: LazyLock<Statement> = LazyLock::new(|| {
    Statement::script(&[
        Part::Fixed("INSERT INTO receipt (party, received, content) VALUES (?, ?, ?)"),
        Part::Fixed(
            "UPDATE party SET last_contact = ?, failure = NULL, failures = 0, next_attempt = NULL, \
             checkpoint = iif(coalesce(checkpoint_size, 0) <= ?, ?, checkpoint), \
             checkpoint_size = max(coalesce(checkpoint_size, 0), ?) WHERE num = ?",
        ),
        Part::List(
            "UPDATE message SET state = ?, reason = ?, finished = ?, receipt = last_insert_rowid(), queued = NULL \
             WHERE state = 0 AND direction = 0 AND idx",
        ),
    ])
});

/// The rows that a receipt takes beside those it settles: its own, and that of the partner.
const RECEIPT_ROWS: u64 = 2;

/// What is not waiting any more, because its time ran out meanwhile: the receipt has the last word.
static UNDELIVERABLE: LazyLock<Statement> = LazyLock::new(|| {
    Statement::new(&Part::List("SELECT idx, reason FROM message WHERE state = 3 AND direction = 0 AND idx"))
});

static SETTLE_LATE: LazyLock<Statement> = LazyLock::new(|| {
    Statement::new(&Part::List(
        "UPDATE message SET state = ?, reason = ?, finished = ?, receipt = ? \
         WHERE state = 3 AND direction = 0 AND idx",
    ))
});

/// What was decided about documents that were offered.
pub(crate) struct Queueing {
    /// By the rules of this version.
    pub(crate) rules: RulesVersion,
    /// What may go.
    pub(crate) messages: Vec<Outgoing>,
    /// What may not, and what else the log says.
    pub(crate) held_back: Vec<Leaf>,
    /// The consent about which nothing is left to do after this.
    pub(crate) finishes: Option<Finishing>,
    /// Who decided to send this.
    pub(crate) decision: Option<Box<Deciding>>,
}

impl Queueing {
    /// Whether something is left to do once it is written: it tells of the end of a consent, is the last that is done about
    /// one, or somebody decided it.
    pub(super) fn has_more(&self) -> bool {
        self.finishes.is_some()
            || self.decision.is_some()
            || self.messages.iter().any(|message| message.tells.is_some())
    }
}

/// Messages to one partner of which the end is known.
pub(crate) struct Settlement {
    pub(crate) to: Oin,
    pub(crate) endings: Vec<Ending>,
    pub(crate) receipt: Option<StoredReceipt>,
    pub(crate) now: Timestamp,
}

/// What happens to these messages.
pub(crate) struct Ending {
    pub(crate) state: State,
    pub(crate) reason: Option<String>,
    pub(crate) indexes: Vec<u64>,
}

/// What the partner answered.
pub(crate) struct StoredReceipt {
    pub(crate) content: String,
    pub(crate) checkpoint: PartnerCheckpoint,
}

impl Settlement {
    pub(super) fn rows(&self) -> usize {
        self.endings.iter().map(|ending| ending.indexes.len()).sum()
    }

    pub(super) fn missing_names<'o>(&'o self, names: &Names, missing: &mut Missing<'o>) {
        missing.party(names, self.to);
        for reason in self.endings.iter().filter_map(|ending| ending.reason.as_deref()) {
            missing.word(names, reason);
        }
    }
}

pub(super) fn missing_names<'o>(names: &Names, messages: &'o [Outgoing], missing: &mut Missing<'o>) {
    for message in messages {
        missing.party(names, message.to);
        missing.word(names, message.message_type);
        missing.word(names, &message.purpose);
        missing.agreement(names, message.agreement);
    }
}

/// Which rows of sources among those of the group were offered before, and whether their messages still stand: what
/// waits, or is under way, may yet be filed.
pub(super) async fn find_offered(
    connection: &mut SqliteConnection,
    group: &mut Group,
    operations: &[Operation],
) -> Result<(), StoreError> {
    let keys: Vec<[u8; 16]> = operations
        .iter()
        .filter_map(|operation| match operation {
            Operation::Enqueue(job) => Some(job.input.messages.iter().filter_map(|message| message.row)),
            _ => None,
        })
        .flatten()
        .map(|key| key.0)
        .collect();
    let rows = OFFERED
        .list(connection, &keys, |key, values| {
            values.add(key.to_vec());
        })
        .await?;
    for row in rows {
        let key = row.try_get::<&[u8], _>(0)?.try_into().map_err(|_| damaged("an intake key"))?;
        let stands = matches!(state_from_sql(row.try_get(2)?)?, State::Waiting | State::Admitted);
        let offered = if stands { &mut group.offered } else { &mut group.over };
        offered.insert(key, from_sql(row.try_get(1)?)?);
    }
    Ok(())
}

/// Logs and queues what was not offered before, or only in vain.
pub(super) fn enqueue(
    writer: &mut Writer,
    group: &mut Group,
    Queueing { rules, messages, held_back, finishes, .. }: &Queueing,
) -> Result<Vec<Enqueued>, StoreError> {
    group.check_rules(*rules)?;
    if finishes.is_some_and(|finishing| !finishing.is_first(group)) {
        return Err(StoreError::NotFound("consent about which something is left to do"));
    }
    for leaf in held_back {
        group.log(&mut writer.edge, leaf);
    }
    // What is queued in one transaction stands in the order of its indexes.
    messages
        .iter()
        .map(|message| {
            if let Some(index) = message.row.and_then(|key| group.offered.get(&key.0)) {
                return Ok(Enqueued::AlreadyOffered { index: *index });
            }
            if let Some(index) = message.tells.and_then(|key| group.noticed.get(&(key, message.to))) {
                return Ok(Enqueued::AlreadyOffered { index: *index });
            }
            let consent = consent::check(group, message.consent.as_ref())?;
            let index = group.log(&mut writer.edge, &message.leaf);
            let step = message.step.as_ref();
            let step = step.map(|step| handover::take(group, message.case, step)).transpose()?;
            if let Some(key) = message.row {
                group.offered.insert(key.0, index);
                group.intakes.push((key.0, index));
                group.replaced.extend(group.over.remove(&key.0));
            }
            group.seal(writer, index, &message.digest, &message.jws)?;
            let row = NewMessage { consent, step, ..new_message(&writer.names, message, index)? };
            group.add(index, row);
            if let Some(key) = message.tells {
                // For what else tells the same in this transaction.
                group.noticed.insert((key, message.to), index);
                group.notices.push((key, message.to, index));
            }
            Ok(Enqueued::Queued { index })
        })
        .collect()
}

/// The first that was queued.
pub(super) fn first_queued(enqueued: &[Enqueued]) -> Option<u64> {
    enqueued.iter().find_map(|one| match one {
        Enqueued::Queued { index } => Some(*index),
        Enqueued::AlreadyOffered { .. } => None,
    })
}

fn new_message(names: &Names, message: &Outgoing, index: u64) -> Result<NewMessage, StoreError> {
    Ok(NewMessage {
        direction: direction_to_sql(Direction::Outbound),
        party: names.party(message.to)?,
        id: Some(message.id),
        case: Some(message.case),
        message_type: Some(names.word(message.message_type)?),
        purpose: Some(names.word(&message.purpose)?),
        agreement: Some(names.agreement(&message.agreement)?),
        digest: message.digest.as_bytes().to_vec(),
        state: state_to_sql(State::Waiting),
        created: time_to_sql(message.created),
        expires: Some(time_to_sql(message.expires)),
        bytes: message.jws.len(),
        priority: Some(priority_to_sql(message.priority)),
        queued: Some(to_sql(index)),
        keep_until: Some(time_to_sql(message.keep_until)),
        subject: message.tokens,
        ..NewMessage::default()
    })
}

/// Gives messages their final state; returns how many got one.
pub(super) async fn settle(
    writer: &Writer,
    connection: &mut SqliteConnection,
    group: &mut Group,
    settlement: &Settlement,
) -> Result<u64, StoreError> {
    let party = writer.names.party(settlement.to)?;
    let mut receipt = settlement.receipt.as_ref();
    let mut receipt_number = None;
    let mut settled = 0;
    for ending in &settlement.endings {
        let reason = ending.reason.as_deref().map(|reason| writer.names.word(reason)).transpose()?;
        for indexes in ending.indexes.chunks(MOST_ROWS) {
            let state = state_to_sql(ending.state);
            let mut update = Update { party, state, reason, receipt: receipt_number, now: settlement.now };
            let waited = match receipt.take() {
                Some(receipt) => update.receive(connection, receipt, indexes).await?,
                None => update.settle(connection, indexes).await?,
            };
            receipt_number = update.receipt;
            update.count(group, (state_to_sql(State::Waiting), None), waited);
            if ending.state != State::Admitted {
                handover::reopen(connection, indexes).await?;
            }
            settled += waited;
            if waited < u64::try_from(indexes.len()).unwrap_or(u64::MAX) && receipt_number.is_some() {
                settled += update.settle_late(connection, group, indexes).await?;
            }
        }
    }
    Ok(settled)
}

struct Update {
    party: i64,
    state: i64,
    reason: Option<i64>,
    receipt: Option<i64>,
    now: Timestamp,
}

impl Update {
    /// Stores the receipt and settles by it what waits; gives how many that were.
    async fn receive(
        &mut self,
        connection: &mut SqliteConnection,
        receipt: &StoredReceipt,
        indexes: &[u64],
    ) -> Result<u64, StoreError> {
        let now = time_to_sql(self.now);
        let mut values = Values::for_rows(indexes.len());
        values.add(self.party).add(now).add(receipt.content.clone());
        let size = to_sql(receipt.checkpoint.size);
        values.add(now).add(size).add(receipt.checkpoint.note.clone()).add(size).add(self.party);
        values.add(self.state).add(self.reason).add(now);
        for index in indexes {
            values.add(to_sql(*index));
        }
        let done = RECEIVE_RECEIPT.run(connection, values).await?;
        self.receipt = Some(done.last_insert_rowid());
        Ok(done.rows_affected().saturating_sub(RECEIPT_ROWS))
    }

    /// Settles what waits; gives how many that were.
    async fn settle(&self, connection: &mut SqliteConnection, indexes: &[u64]) -> Result<u64, StoreError> {
        SETTLE.change(connection, indexes, |values| self.bind(values), bind_index).await
    }

    /// Settles what does not wait any more; gives how many that were.
    async fn settle_late(
        &self,
        connection: &mut SqliteConnection,
        group: &mut Group,
        indexes: &[u64],
    ) -> Result<u64, StoreError> {
        let late = UNDELIVERABLE.list(connection, indexes, bind_index).await?;
        for row in &late {
            self.count(group, (state_to_sql(State::Undeliverable), row.try_get(1)?), 1);
        }
        let late: Vec<u64> = late.iter().map(|row| from_sql(row.try_get(0)?)).collect::<Result<_, _>>()?;
        SETTLE_LATE.change(connection, &late, |values| self.bind(values), bind_index).await
    }

    fn bind(&self, values: &mut Values) {
        values.add(self.state).add(self.reason).add(time_to_sql(self.now)).add(self.receipt);
    }

    fn count(&self, group: &mut Group, (state, reason): (i64, Option<i64>), moved: u64) {
        let direction = direction_to_sql(Direction::Outbound);
        group.count((self.party, direction, state, reason.unwrap_or(0)), -to_sql(moved));
        group.count((self.party, direction, self.state, self.reason.unwrap_or(0)), to_sql(moved));
    }
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "shaped for lists")]
fn bind_index(index: &u64, values: &mut Values) {
    values.add(to_sql(*index));
}
