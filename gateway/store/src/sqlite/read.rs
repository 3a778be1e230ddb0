//! Reading, on connections that cannot write.

use std::sync::LazyLock;

use exchange::{
    consent::ConsentKey,
    digest::Digest,
    oin::Oin,
    tlog::{CompactRange, Hash, Leaf, ProofPlan, plan_inclusion},
};
use jiff::Timestamp;
use sqlx::{Row as _, SqliteConnection, sqlite::SqliteRow};
use uuid::Uuid;

use super::{
    column::{
        damaged, digest, direction_from_sql, direction_to_sql, from_sql, priority_to_sql, state_from_sql,
        state_to_sql, time_from_sql, time_to_sql, to_sql, uuid,
    },
    rows::{Part, Statement},
    tree::{Edge, Head, Nodes},
};
use crate::{
    error::StoreError,
    lease::{Candidate, Leased, Place},
    model::{
        Count, Filter, LogState, MessageRow, Order, Owed, PartnerCheckpoint, PartnerRecord, PartnerState,
        Priority, RulesVersion, State, StoredAgreement,
    },
    seal::{SealedPayload, Vault},
};

/// What every reading of messages selects.
macro_rules! message_rows {
    ($($rest:tt)+) => {
        concat!(
            "SELECT m.idx, m.direction, m.id, m.\"case\", party.oin, type.text, purpose.text, agreement.text, m.desk, \
             m.state, reason.text, m.created, m.expires, m.finished, m.digest, m.keep_until, \
             iif(EXISTS (SELECT 1 FROM erasing e WHERE e.idx = m.idx), NULL, m.erased), consent.id, holder.oin \
             FROM message m \
             JOIN party ON party.num = m.party \
             LEFT JOIN word type ON type.num = m.type LEFT JOIN word purpose ON purpose.num = m.purpose \
             LEFT JOIN word agreement ON agreement.num = m.agreement LEFT JOIN word reason ON reason.num = m.reason \
             LEFT JOIN consent ON consent.num = m.consent AND m.released IS NULL LEFT JOIN party holder ON holder.num = consent.holder ",
            $($rest)+
        )
    };
}

pub(super) use message_rows;

static LEASED: LazyLock<Statement> = LazyLock::new(|| {
    Statement::new(&Part::List(
        "SELECT m.idx, m.id, m.\"case\", m.digest, m.expires, k.wrapped, p.sealed, k.erased, p.form FROM message m \
         LEFT JOIN payload p ON p.idx = m.idx LEFT JOIN case_key k ON k.\"case\" = m.\"case\" \
         WHERE m.queued IS NOT NULL AND m.idx",
    ))
});

/// Who has how many messages waiting, and is not to be left alone for now. Withdrawals first, then the oldest.
pub(crate) async fn due(
    connection: &mut SqliteConnection,
    now: Timestamp,
) -> Result<Vec<(Oin, u64)>, StoreError> {
    let rows = sqlx::query(
        "SELECT party.oin, tally.count FROM tally JOIN party ON party.num = tally.party \
         WHERE tally.direction = 0 AND tally.state = 0 AND tally.reason = 0 AND tally.count > 0 \
         AND coalesce(party.next_attempt, ?1) <= ?1 \
         ORDER BY EXISTS (SELECT 1 FROM message m INDEXED BY message_queue \
         WHERE m.party = tally.party AND m.priority = 0 AND m.queued IS NOT NULL) DESC, \
         (SELECT m.queued FROM message m INDEXED BY message_queue \
         WHERE m.party = tally.party AND m.priority = 1 AND m.queued IS NOT NULL ORDER BY m.queued LIMIT 1)",
    )
    .bind(time_to_sql(now))
    .fetch_all(connection)
    .await?;
    rows.iter().map(|row| Ok((oin(row, 0)?, from_sql(row.try_get(1)?)?))).collect()
}

/// The first of what waits for a partner in one of its queues. A limit that is a parameter and nothing more makes SQLite
/// prepare the statement anew each time, to look what its value is.
macro_rules! queue {
    ($priority:literal, $queued:literal, $index:literal) => {
        concat!(
            "SELECT * FROM (SELECT queued, idx, \"case\", bytes, priority, (SELECT rules FROM node) \
             FROM message INDEXED BY message_queue \
             WHERE party = (SELECT num FROM party WHERE oin = ?1) AND priority = ",
            $priority,
            " AND queued IS NOT NULL AND queued >= ",
            $queued,
            " AND (queued, idx) > (",
            $queued,
            ", ",
            $index,
            ") AND expires > ?2 ORDER BY queued, idx LIMIT 0 + ?3)"
        )
    };
}

/// What waits for a partner after a place in each of its queues: that of withdrawals, and that of the rest. With the
/// version of the rules at this moment.
pub(crate) async fn waiting_in_both(
    connection: &mut SqliteConnection,
    to: Oin,
    after: [Option<Place>; 2],
    now: Timestamp,
    limit: usize,
) -> Result<([Vec<Candidate>; 2], RulesVersion), StoreError> {
    // One statement for both, since going to the database costs more than what it does there.
    let [(first, first_index), (normal, normal_index)] = after.map(place_to_sql);
    let rows = sqlx::query(concat!(queue!("0", "?4", "?5"), " UNION ALL ", queue!("1", "?6", "?7")))
        .bind(to.as_str())
        .bind(time_to_sql(now))
        .bind(limit_to_sql(limit))
        .bind(first)
        .bind(first_index)
        .bind(normal)
        .bind(normal_index)
        .fetch_all(connection)
        .await?;
    let candidates: Vec<Candidate> = rows.iter().map(|row| candidate(row, to)).collect::<Result<_, _>>()?;
    let rules = rows.first().map(|row| from_sql(row.try_get(5)?)).transpose()?;
    let (first, normal) = candidates.into_iter().partition(|candidate| candidate.priority == Priority::First);
    Ok(([first, normal], RulesVersion(rules.unwrap_or_default())))
}

/// What waits for a partner after a place in one of its queues.
pub(crate) async fn waiting(
    connection: &mut SqliteConnection,
    (to, priority): (Oin, Priority),
    after: Place,
    now: Timestamp,
    limit: usize,
) -> Result<Vec<Candidate>, StoreError> {
    let (queued, index) = place_to_sql(Some(after));
    let rows = sqlx::query(queue!("?6", "?4", "?5"))
        .bind(to.as_str())
        .bind(time_to_sql(now))
        .bind(limit_to_sql(limit))
        .bind(queued)
        .bind(index)
        .bind(priority_to_sql(priority))
        .fetch_all(connection)
        .await?;
    rows.iter().map(|row| candidate(row, to)).collect()
}

/// Before everything when there is no place.
fn place_to_sql(place: Option<Place>) -> (i64, i64) {
    place.map_or((-1, -1), |(queued, index)| (to_sql(queued), to_sql(index)))
}

fn candidate(row: &SqliteRow, to: Oin) -> Result<Candidate, StoreError> {
    let is_first = row.try_get::<i64, _>(4)? == priority_to_sql(Priority::First);
    Ok(Candidate {
        to,
        priority: if is_first { Priority::First } else { Priority::Normal },
        place: (from_sql(row.try_get(0)?)?, from_sql(row.try_get(1)?)?),
        // What is damaged here is found when the message is read, and then concerns that message alone.
        case: row.try_get::<Option<&[u8]>, _>(2)?.map_or(Ok(Uuid::nil()), uuid).unwrap_or_default(),
        bytes: usize::try_from(row.try_get::<i64, _>(3)?).unwrap_or_default(),
    })
}

/// What waits and has expired, with who it is for.
pub(crate) async fn expired(
    connection: &mut SqliteConnection,
    now: Timestamp,
    limit: usize,
) -> Result<Vec<Candidate>, StoreError> {
    let rows = sqlx::query(
        "SELECT m.queued, m.idx, m.\"case\", m.bytes, m.priority, party.oin FROM message m INDEXED BY message_queue \
         JOIN party ON party.num = m.party WHERE m.queued IS NOT NULL AND m.expires <= ?1 LIMIT ?2",
    )
    .bind(time_to_sql(now))
    .bind(limit_to_sql(limit))
    .fetch_all(connection)
    .await?;
    rows.iter().map(|row| candidate(row, oin(row, 5)?)).collect()
}

/// When the next of what waits expires.
pub(crate) async fn next_expiry(connection: &mut SqliteConnection) -> Result<Option<Timestamp>, StoreError> {
    let row =
        sqlx::query("SELECT min(expires) FROM message INDEXED BY message_queue WHERE queued IS NOT NULL")
            .fetch_one(connection)
            .await?;
    time(&row, 0)
}

/// The content of messages that still wait.
#[derive(Default)]
pub(crate) struct Contents {
    /// In no particular order.
    pub(crate) messages: Vec<Leased>,
    /// Those that nobody can read, and why.
    pub(crate) unreadable: Vec<(u64, StoreError)>,
}

/// The content of those of these messages that still wait.
pub(crate) async fn leased(
    connection: &mut SqliteConnection,
    vault: &Vault,
    indexes: &[u64],
) -> Result<Contents, StoreError> {
    let rows = LEASED
        .list(connection, indexes, |index, values| {
            values.add(to_sql(*index));
        })
        .await?;
    let mut contents = Contents::default();
    for row in &rows {
        match open_leased(row, vault) {
            Ok(message) => contents.messages.push(message),
            // The fault of this message alone: it must not hold up the others.
            Err(fault @ (StoreError::Erased | StoreError::Corrupt(_))) => {
                contents.unreadable.push((from_sql(row.try_get(0)?)?, fault));
            }
            Err(error) => return Err(error),
        }
    }
    Ok(contents)
}

fn open_leased(row: &SqliteRow, vault: &Vault) -> Result<Leased, StoreError> {
    let (case, digest) = (uuid(row.try_get(2)?)?, digest(row.try_get(3)?)?);
    let index = from_sql(row.try_get(0)?)?;
    let jws = vault.open_payload(&SealedPayload {
        index,
        case,
        digest,
        wrapped: row.try_get(5)?,
        sealed: row.try_get::<Option<_>, _>(6)?.ok_or_else(|| damaged("a payload"))?,
        case_erased: row.try_get::<Option<i64>, _>(7)?.is_some(),
        form: row.try_get(8)?,
    })?;
    Ok(Leased {
        index,
        id: uuid(row.try_get(1)?)?,
        case,
        digest,
        jws,
        expires: time_from_sql(row.try_get(4)?)?,
    })
}

/// The messages that pass the filter.
pub(crate) async fn messages(
    connection: &mut SqliteConnection,
    filter: &Filter,
    limit: usize,
) -> Result<Vec<MessageRow>, StoreError> {
    // The rare states have an index of their own, which SQLite only uses when it reads the state in the statement.
    let text = match (filter.order, filter.state) {
        (Order::OldestFirst, Some(State::Refused | State::Undeliverable)) => message_rows!(
            "WHERE m.state >= 2 AND m.state = ?2 AND (?1 IS NULL OR m.direction = ?1) AND m.idx > ?3 \
             ORDER BY m.idx LIMIT ?4"
        ),
        (Order::NewestFirst, Some(State::Refused | State::Undeliverable)) => message_rows!(
            "WHERE m.state >= 2 AND m.state = ?2 AND (?1 IS NULL OR m.direction = ?1) AND m.idx < ?3 \
             ORDER BY m.idx DESC LIMIT ?4"
        ),
        (Order::OldestFirst, _) => message_rows!(
            "WHERE (?1 IS NULL OR m.direction = ?1) AND (?2 IS NULL OR m.state = ?2) AND m.idx > ?3 \
             ORDER BY m.idx LIMIT ?4"
        ),
        (Order::NewestFirst, _) => message_rows!(
            "WHERE (?1 IS NULL OR m.direction = ?1) AND (?2 IS NULL OR m.state = ?2) AND m.idx < ?3 \
             ORDER BY m.idx DESC LIMIT ?4"
        ),
    };
    let after = match filter.order {
        Order::OldestFirst => filter.after.map_or(-1, to_sql),
        Order::NewestFirst => filter.after.map_or(i64::MAX, to_sql),
    };
    let rows = sqlx::query(text)
        .bind(filter.direction.map(direction_to_sql))
        .bind(filter.state.map(state_to_sql))
        .bind(after)
        .bind(limit_to_sql(filter.limit.min(limit)))
        .fetch_all(connection)
        .await?;
    rows.iter().map(message_row).collect()
}

/// The message with this place in the log.
pub(crate) async fn logged(
    connection: &mut SqliteConnection,
    index: u64,
) -> Result<Option<MessageRow>, StoreError> {
    let row =
        sqlx::query(message_rows!("WHERE m.idx = ?1")).bind(to_sql(index)).fetch_optional(connection).await?;
    row.as_ref().map(message_row).transpose()
}

/// The oldest message with this identifier.
pub(crate) async fn message(
    connection: &mut SqliteConnection,
    id: Uuid,
) -> Result<Option<MessageRow>, StoreError> {
    let row = sqlx::query(message_rows!("WHERE m.id = ?1 ORDER BY m.idx LIMIT 1"))
        .bind(id.as_bytes().as_slice())
        .fetch_optional(connection)
        .await?;
    row.as_ref().map(message_row).transpose()
}

/// The message at this place.
pub(crate) async fn message_at(
    connection: &mut SqliteConnection,
    index: u64,
) -> Result<Option<MessageRow>, StoreError> {
    let row =
        sqlx::query(message_rows!("WHERE m.idx = ?1")).bind(to_sql(index)).fetch_optional(connection).await?;
    row.as_ref().map(message_row).transpose()
}

pub(super) fn message_row(row: &SqliteRow) -> Result<MessageRow, StoreError> {
    let agreement: Option<&str> = row.try_get(7)?;
    Ok(MessageRow {
        index: from_sql(row.try_get(0)?)?,
        direction: direction_from_sql(row.try_get(1)?)?,
        id: row.try_get::<Option<&[u8]>, _>(2)?.map(uuid).transpose()?,
        case: row.try_get::<Option<&[u8]>, _>(3)?.map(uuid).transpose()?,
        partner: oin(row, 4)?,
        message_type: row.try_get(5)?,
        purpose: row.try_get(6)?,
        agreement: agreement.map(|text| text.parse().map_err(|_| damaged("a digest"))).transpose()?,
        desk: row.try_get(8)?,
        state: state_from_sql(row.try_get(9)?)?,
        reason: row.try_get(10)?,
        created: time_from_sql(row.try_get(11)?)?,
        expires: time(row, 12)?,
        finished: time(row, 13)?,
        digest: digest(row.try_get(14)?)?,
        consent: consent_key(row)?,
        keep_until: time(row, 15)?,
        erased: row.try_get::<Option<i64>, _>(16)?.map(from_sql).transpose()?,
    })
}

fn consent_key(row: &SqliteRow) -> Result<Option<ConsentKey>, StoreError> {
    let id = row.try_get::<Option<&[u8]>, _>(17)?.map(uuid).transpose()?;
    id.map(|id| Ok(ConsentKey { holder: oin(row, 18)?, id })).transpose()
}

/// The content of a message.
pub(crate) async fn payload(
    connection: &mut SqliteConnection,
    vault: &Vault,
    index: u64,
) -> Result<String, StoreError> {
    let row = sqlx::query(
        "SELECT m.erased, m.\"case\", m.digest, k.wrapped, p.sealed, k.erased, p.form FROM message m \
         LEFT JOIN payload p ON p.idx = m.idx LEFT JOIN case_key k ON k.\"case\" = m.\"case\" WHERE m.idx = ?1",
    )
    .bind(to_sql(index))
    .fetch_optional(connection)
    .await?;
    let missing = || StoreError::NotFound("payload with this index");
    let row = row.ok_or_else(missing)?;
    if row.try_get::<Option<i64>, _>(0)?.is_some() {
        return Err(StoreError::Erased);
    }
    let sealed: Option<&[u8]> = row.try_get(4)?;
    vault.open_payload(&SealedPayload {
        sealed: sealed.ok_or_else(missing)?,
        index,
        case: uuid(row.try_get(1)?)?,
        digest: digest(row.try_get(2)?)?,
        wrapped: row.try_get(3)?,
        case_erased: row.try_get::<Option<i64>, _>(5)?.is_some(),
        form: row.try_get(6)?,
    })
}

/// The receipt that a sent message was answered with.
pub(crate) async fn receipt(
    connection: &mut SqliteConnection,
    index: u64,
) -> Result<Option<String>, StoreError> {
    let row =
        sqlx::query("SELECT r.content FROM message m JOIN receipt r ON r.num = m.receipt WHERE m.idx = ?1")
            .bind(to_sql(index))
            .fetch_optional(connection)
            .await?;
    Ok(row.map(|row| row.try_get(0)).transpose()?)
}

/// An entry of the log about a message that came in, proven in the log as it is now.
pub(crate) struct Filed {
    pub(crate) log: CompactRange,
    pub(crate) index: u64,
    pub(crate) leaf: Leaf,
    pub(crate) proof: Vec<Hash>,
}

/// What became of a message of `from`, if it is the one that is bound to this identifier. In one view of the database.
pub(crate) async fn filed(
    connection: &mut SqliteConnection,
    from: Oin,
    (id, message): (Uuid, Digest),
) -> Result<Option<Filed>, StoreError> {
    let row = sqlx::query(
        "SELECT m.idx, l.leaf FROM message m JOIN log_leaf l ON l.idx = m.idx \
         WHERE m.direction = 1 AND m.party = (SELECT num FROM party WHERE oin = ?1) AND m.id = ?2 \
         AND m.digest = ?3",
    )
    .bind(from.as_str())
    .bind(id.as_bytes().as_slice())
    .bind(message.as_bytes().as_slice())
    .fetch_optional(&mut *connection)
    .await?;
    let Some(row) = row else { return Ok(None) };
    let index = from_sql(row.try_get(0)?)?;
    let head = Head::read(connection).await?;
    let log = Edge::load(connection, &head).await?.range().clone();
    let plan =
        plan_inclusion(index, head.size).map_err(|error| StoreError::Corrupt(format!("the log: {error}")))?;
    let proof = proof(connection, &plan).await?;
    Ok(Some(Filed { log, index, leaf: Leaf::new(row.try_get(1)?), proof }))
}

/// How many messages there are of each kind.
pub(crate) async fn counts(connection: &mut SqliteConnection) -> Result<Vec<Count>, StoreError> {
    let rows = sqlx::query(
        "SELECT party.oin, t.direction, t.state, word.text, t.count FROM tally t JOIN party ON party.num = t.party \
         LEFT JOIN word ON word.num = t.reason WHERE t.count > 0 ORDER BY party.oin, t.direction, t.state, word.text",
    )
    .fetch_all(connection)
    .await?;
    rows.iter()
        .map(|row| {
            Ok(Count {
                partner: oin(row, 0)?,
                direction: direction_from_sql(row.try_get(1)?)?,
                state: state_from_sql(row.try_get(2)?)?,
                reason: row.try_get(3)?,
                count: from_sql(row.try_get(4)?)?,
            })
        })
        .collect()
}

/// How far the log is.
pub(crate) async fn log_state(connection: &mut SqliteConnection) -> Result<LogState, StoreError> {
    let head = Head::read(connection).await?;
    let edge = Edge::load(connection, &head).await?;
    Ok(LogState { size: head.size, root: edge.range().root() })
}

/// The number of leaves.
pub(crate) async fn log_size(connection: &mut SqliteConnection) -> Result<u64, StoreError> {
    Ok(Head::read(connection).await?.size)
}

/// The stored checkpoint, if it covers the whole log.
pub(crate) async fn checkpoint(connection: &mut SqliteConnection) -> Result<Option<String>, StoreError> {
    let row = sqlx::query("SELECT checkpoint FROM log_state WHERE checkpoint_size = size")
        .fetch_optional(connection)
        .await?;
    Ok(row.map(|row| row.try_get(0)).transpose()?)
}

/// The proof of a plan.
pub(crate) async fn proof(
    connection: &mut SqliteConnection,
    plan: &ProofPlan,
) -> Result<Vec<Hash>, StoreError> {
    Nodes::fetch(connection, plan.nodes().iter().copied()).await?.prove(plan)
}

/// Leaves from an index on.
pub(crate) async fn leaves(
    connection: &mut SqliteConnection,
    from: u64,
    limit: usize,
) -> Result<Vec<Leaf>, StoreError> {
    let rows = sqlx::query("SELECT leaf FROM log_leaf WHERE idx >= ?1 ORDER BY idx LIMIT ?2")
        .bind(to_sql(from))
        .bind(limit_to_sql(limit))
        .fetch_all(connection)
        .await?;
    rows.iter().map(|row| Ok(Leaf::new(row.try_get(0)?))).collect()
}

/// The last checkpoint of a partner.
pub(crate) async fn partner_checkpoint(
    connection: &mut SqliteConnection,
    oin: Oin,
) -> Result<Option<PartnerCheckpoint>, StoreError> {
    let row = sqlx::query(
        "SELECT checkpoint_size, checkpoint FROM party WHERE oin = ?1 AND checkpoint IS NOT NULL",
    )
    .bind(oin.as_str())
    .fetch_optional(connection)
    .await?;
    row.map(|row| Ok(PartnerCheckpoint { size: from_sql(row.try_get(0)?)?, note: row.try_get(1)? }))
        .transpose()
}

/// The partners, by OIN; only that one when it is named.
pub(crate) async fn partners(
    connection: &mut SqliteConnection,
    only: Option<Oin>,
) -> Result<Vec<PartnerRecord>, StoreError> {
    let rows = sqlx::query(
        "SELECT party.oin, p.name, p.kind, p.descriptor, p.added, coalesce(p.seen, p.added) FROM partner p JOIN party ON party.num = p.party \
         WHERE ?1 IS NULL OR party.oin = ?1 ORDER BY party.oin",
    )
    .bind(only.as_ref().map(Oin::as_str))
    .fetch_all(connection)
    .await?;
    rows.iter()
        .map(|row| {
            Ok(PartnerRecord {
                oin: oin(row, 0)?,
                name: row.try_get(1)?,
                kind: row.try_get(2)?,
                descriptor: row.try_get(3)?,
                added: time_from_sql(row.try_get(4)?)?,
                seen: time_from_sql(row.try_get(5)?)?,
            })
        })
        .collect()
}

/// How it goes with reaching a partner.
pub(crate) async fn partner_state(
    connection: &mut SqliteConnection,
    oin: Oin,
) -> Result<PartnerState, StoreError> {
    let row = sqlx::query(
        "SELECT last_contact, last_failure, failure, failures, next_attempt FROM party WHERE oin = ?1",
    )
    .bind(oin.as_str())
    .fetch_optional(connection)
    .await?;
    let Some(row) = row else { return Ok(PartnerState::default()) };
    Ok(PartnerState {
        last_contact: time(&row, 0)?,
        last_failure: time(&row, 1)?,
        failure: row.try_get(2)?,
        failures: u32::try_from(row.try_get::<i64, _>(3)?).unwrap_or(u32::MAX),
        next_attempt: time(&row, 4)?,
    })
}

/// All agreements, in the order in which they became known.
pub(crate) async fn agreements(
    connection: &mut SqliteConnection,
) -> Result<Vec<StoredAgreement>, StoreError> {
    let mut agreements: Vec<(i64, StoredAgreement)> = Vec::new();
    let rows = sqlx::query("SELECT num, digest, content, added FROM agreement ORDER BY num")
        .fetch_all(&mut *connection)
        .await?;
    for row in rows {
        let agreement = StoredAgreement {
            digest: digest(row.try_get(1)?)?,
            content: row.try_get(2)?,
            purposes: Vec::new(),
            answers: Vec::new(),
            added: time_from_sql(row.try_get(3)?)?,
        };
        agreements.push((row.try_get(0)?, agreement));
    }
    let purposes =
        sqlx::query("SELECT agreement, digest, content FROM agreement_purpose ORDER BY agreement, position")
            .fetch_all(&mut *connection)
            .await?;
    for row in purposes {
        let purpose = (digest(row.try_get(1)?)?, row.try_get(2)?);
        agreement_at(&mut agreements, row.try_get(0)?)?.purposes.push(purpose);
    }
    let answers = sqlx::query(
        "SELECT a.agreement, party.oin, a.jws FROM answer a JOIN party ON party.num = a.party ORDER BY a.num",
    )
    .fetch_all(connection)
    .await?;
    for row in answers {
        let answer = (oin(&row, 1)?, row.try_get(2)?);
        agreement_at(&mut agreements, row.try_get(0)?)?.answers.push(answer);
    }
    Ok(agreements.into_iter().map(|(_, agreement)| agreement).collect())
}

fn agreement_at(
    agreements: &mut [(i64, StoredAgreement)],
    number: i64,
) -> Result<&mut StoredAgreement, StoreError> {
    let place = agreements.binary_search_by_key(&number, |(number, _)| *number);
    place.map(|place| &mut agreements[place].1).map_err(|_| damaged("an agreement"))
}

/// Who must still be told answers to which agreement.
pub(crate) async fn owed(connection: &mut SqliteConnection) -> Result<Vec<Owed>, StoreError> {
    let rows = sqlx::query(
        "SELECT told.oin, g.digest, max(n.answer) FROM notice n JOIN answer a ON a.num = n.answer \
         JOIN agreement g ON g.num = a.agreement JOIN party told ON told.num = n.party \
         GROUP BY n.party, a.agreement ORDER BY min(n.num)",
    )
    .fetch_all(connection)
    .await?;
    rows.iter()
        .map(|row| {
            let (agreement, through) = (digest(row.try_get(1)?)?, from_sql(row.try_get(2)?)?);
            Ok(Owed { to: oin(row, 0)?, agreement, through })
        })
        .collect()
}

/// Another one once partners or agreements have changed.
pub(crate) async fn rules_version(connection: &mut SqliteConnection) -> Result<RulesVersion, StoreError> {
    let row = sqlx::query("SELECT rules FROM node").fetch_one(connection).await?;
    from_sql(row.try_get(0)?).map(RulesVersion)
}

fn oin(row: &SqliteRow, column: usize) -> Result<Oin, StoreError> {
    row.try_get::<&str, _>(column)?.parse().map_err(|_| damaged("an OIN"))
}

fn time(row: &SqliteRow, column: usize) -> Result<Option<Timestamp>, StoreError> {
    row.try_get::<Option<i64>, _>(column)?.map(time_from_sql).transpose()
}

fn limit_to_sql(limit: usize) -> i64 {
    i64::try_from(limit).unwrap_or(i64::MAX)
}
