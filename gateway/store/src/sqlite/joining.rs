//! What belongs together, what is kept apart, and what a person is asked.
//!
//! Signals that belong together are one group; a signal alone counts as a group of its own. What a person decides of two
//! signals is decided of their groups: who joins later inherits it.

use std::{collections::BTreeSet, sync::LazyLock};

use exchange::person::{Clue, Clues};
use jiff::Timestamp;
use sqlx::{Row as _, SqliteConnection};

use super::{
    column::{from_sql, time_to_sql, to_sql},
    rows::{Part, Statement, Values},
};
use crate::error::StoreError;

/// Signals in one group. More about one person in a year is a mistake somewhere, and nobody can look through them.
pub(crate) const MAX_MEMBERS: usize = 100;

static MEMBERS: LazyLock<Statement> = LazyLock::new(|| {
    let conflict = "ON CONFLICT (idx) DO UPDATE SET multiple = excluded.multiple";
    Statement::new(&Part::Insert("multiple_signal", &["idx", "multiple", "joined", "access"], conflict))
});

static DECIDED: LazyLock<Statement> = LazyLock::new(|| {
    let columns = &["lower", "higher", "state", "clues", "made", "access"];
    let conflict =
        "ON CONFLICT (lower, higher) DO UPDATE SET state = excluded.state, access = excluded.access";
    Statement::new(&Part::Insert("signal_pair", columns, conflict))
});

static GROUPS: LazyLock<Statement> =
    LazyLock::new(|| Statement::new(&Part::List("SELECT DISTINCT multiple FROM multiple_signal WHERE idx")));

static FORGET: LazyLock<[Statement; 4]> = LazyLock::new(|| {
    [
        "DELETE FROM signal_token WHERE idx",
        "DELETE FROM signal_pair WHERE lower",
        "DELETE FROM signal_pair WHERE higher",
        "DELETE FROM multiple_signal WHERE idx",
    ]
    .map(|text| Statement::new(&Part::List(text)))
});

/// How pairs stand in the database.
mod state {
    pub(super) const OPEN: i64 = 0;
    pub(super) const JOINED: i64 = 1;
    pub(super) const APART: i64 = 2;
}

/// A signal in a group.
pub(crate) struct Joining {
    pub(crate) index: u64,
    pub(crate) joined: Timestamp,
    pub(crate) access: Option<u64>,
}

/// What a person decided, on record at this place in the log.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Decision {
    pub(crate) access: u64,
    pub(crate) now: Timestamp,
}

/// The signals of one group.
struct Group {
    /// Of one that is more than a signal.
    number: Option<i64>,
    members: BTreeSet<u64>,
}

async fn group_of(connection: &mut SqliteConnection, index: u64) -> Result<Group, StoreError> {
    let rows = sqlx::query(
        "SELECT o.multiple, o.idx FROM multiple_signal s JOIN multiple_signal o ON o.multiple = s.multiple \
         WHERE s.idx = ?1",
    )
    .bind(to_sql(index))
    .fetch_all(connection)
    .await?;
    let number = rows.first().map(|row| row.try_get(0)).transpose()?;
    let mut members: BTreeSet<u64> =
        rows.iter().map(|row| from_sql(row.try_get(1)?)).collect::<Result<_, _>>()?;
    members.insert(index);
    Ok(Group { number, members })
}

/// All signals of the group of this one, itself among them.
pub(crate) async fn members(
    connection: &mut SqliteConnection,
    index: u64,
) -> Result<BTreeSet<u64>, StoreError> {
    Ok(group_of(connection, index).await?.members)
}

/// The signals that this one, and those it belongs with, have such a pair with.
async fn paired_with(
    connection: &mut SqliteConnection,
    (index, group): (u64, &Group),
    state: i64,
) -> Result<BTreeSet<u64>, StoreError> {
    let rows = sqlx::query(
        "WITH mine(idx) AS (SELECT ?1 UNION SELECT idx FROM multiple_signal WHERE multiple = ?2) \
         SELECT t.higher FROM mine JOIN signal_pair t ON t.lower = mine.idx AND t.state = ?3 \
         UNION SELECT t.lower FROM mine JOIN signal_pair t ON t.higher = mine.idx AND t.state = ?3",
    )
    .bind(to_sql(index))
    .bind(group.number)
    .bind(state)
    .fetch_all(connection)
    .await?;
    rows.iter().map(|row| from_sql(row.try_get(0)?)).collect()
}

/// Joins a new signal with those about the same person. Where somebody kept some of those apart it joins none of them, and
/// is suggested for each; nothing is joined to what is full.
pub(super) async fn join_by_itself(
    connection: &mut SqliteConnection,
    (index, same): (u64, &[u64]),
    now: Timestamp,
) -> Result<(), StoreError> {
    let mut all = BTreeSet::from([index]);
    let mut apart = BTreeSet::new();
    let mut heads: Vec<u64> = Vec::new();
    for other in same {
        if !all.contains(other) {
            let group = group_of(connection, *other).await?;
            apart.extend(paired_with(connection, (*other, &group), state::APART).await?);
            all.extend(group.members);
            heads.push(*other);
        }
    }
    if heads.is_empty() {
        return Ok(());
    }
    if !apart.is_disjoint(&all) {
        for other in heads {
            suggest(connection, (index, other), Clues::default().with(Clue::KeptApart), now).await?;
        }
        return Ok(());
    }
    if all.len() > MAX_MEMBERS {
        return Ok(());
    }
    merge(connection, &all, None, now).await?;
    inherit(connection, (&all, &apart), None, now).await
}

/// What was decided of some of these is decided of all.
async fn inherit(
    connection: &mut SqliteConnection,
    (all, apart): (&BTreeSet<u64>, &BTreeSet<u64>),
    access: Option<u64>,
    now: Timestamp,
) -> Result<(), StoreError> {
    let apart = apart.difference(all).copied().collect();
    decide(connection, &pairs(all, &apart), (state::APART, access), now).await
}

/// Asks a person whether two belong together, unless that was decided or asked.
pub(super) async fn suggest(
    connection: &mut SqliteConnection,
    (one, other): (u64, u64),
    clues: Clues,
    now: Timestamp,
) -> Result<(), StoreError> {
    let mine = group_of(connection, one).await?;
    let others = group_of(connection, other).await?.members;
    if mine.members.contains(&other) {
        return Ok(());
    }
    for decided_or_asked in [state::APART, state::OPEN] {
        if !paired_with(connection, (one, &mine), decided_or_asked).await?.is_disjoint(&others) {
            return Ok(());
        }
    }
    sqlx::query(
        "INSERT INTO signal_pair (lower, higher, state, clues, made) VALUES (?1, ?2, ?3, ?4, ?5) \
         ON CONFLICT DO NOTHING",
    )
    .bind(to_sql(one.min(other)))
    .bind(to_sql(one.max(other)))
    .bind(state::OPEN)
    .bind(i64::from(clues.bits()))
    .bind(time_to_sql(now))
    .execute(connection)
    .await?;
    Ok(())
}

/// A person says that two belong together, whatever was decided before.
pub(super) async fn join(
    connection: &mut SqliteConnection,
    (one, other): (u64, u64),
    decision: Decision,
) -> Result<u64, StoreError> {
    let (mine, others) = two_groups(connection, (one, other)).await?;
    let mut apart = paired_with(connection, (one, &mine), state::APART).await?;
    apart.extend(paired_with(connection, (other, &others), state::APART).await?);
    let (mine, others) = (mine.members, others.members);
    let all: BTreeSet<u64> = mine.union(&others).copied().collect();
    if all.len() > MAX_MEMBERS {
        return Err(StoreError::TooLarge { what: "signals together", found: all.len(), limit: MAX_MEMBERS });
    }
    merge(connection, &all, Some(decision.access), decision.now).await?;
    // Whatever was open or kept apart between them is decided by this.
    for (lower, higher) in pairs(&mine, &others) {
        sqlx::query("UPDATE signal_pair SET state = ?3, access = ?4 WHERE lower = ?1 AND higher = ?2")
            .bind(to_sql(lower))
            .bind(to_sql(higher))
            .bind(state::JOINED)
            .bind(to_sql(decision.access))
            .execute(&mut *connection)
            .await?;
    }
    inherit(connection, (&all, &apart), Some(decision.access), decision.now).await?;
    Ok(1)
}

/// A person says that two do not belong together.
pub(super) async fn keep_apart(
    connection: &mut SqliteConnection,
    (one, other): (u64, u64),
    decision: Decision,
) -> Result<u64, StoreError> {
    let (mine, others) = two_groups(connection, (one, other)).await?;
    let pairs = pairs(&mine.members, &others.members);
    decide(connection, &pairs, (state::APART, Some(decision.access)), decision.now).await?;
    Ok(1)
}

/// The groups of two signals, which must not be one.
async fn two_groups(
    connection: &mut SqliteConnection,
    (one, other): (u64, u64),
) -> Result<(Group, Group), StoreError> {
    let mine = group_of(connection, one).await?;
    if mine.members.contains(&other) {
        return Err(StoreError::NotFound("signal that is not joined with that one"));
    }
    Ok((mine, group_of(connection, other).await?))
}

/// A person takes these signals, which are of one group, out of it. They stay together.
pub(super) async fn split(
    connection: &mut SqliteConnection,
    taken: &BTreeSet<u64>,
    decision: Decision,
) -> Result<u64, StoreError> {
    let first = taken.first().copied().ok_or(StoreError::NotFound("signal to take out"))?;
    let group = group_of(connection, first).await?;
    let left: BTreeSet<u64> = group.members.difference(taken).copied().collect();
    let (Some(number), true, false) = (group.number, taken.is_subset(&group.members), left.is_empty()) else {
        return Err(StoreError::NotFound("multiple signal with these signals and others"));
    };
    let indexes: Vec<u64> = taken.iter().copied().collect();
    FORGET[3].change(connection, &indexes, |_| {}, bind_index).await?;
    if taken.len() > 1 {
        merge(connection, taken, Some(decision.access), decision.now).await?;
    }
    drop_if_alone(connection, number).await?;
    decide(connection, &pairs(taken, &left), (state::APART, Some(decision.access)), decision.now).await?;
    Ok(1)
}

/// Makes one group of these. The oldest of the groups they are in stays.
async fn merge(
    connection: &mut SqliteConnection,
    all: &BTreeSet<u64>,
    access: Option<u64>,
    now: Timestamp,
) -> Result<(), StoreError> {
    let all: Vec<u64> = all.iter().copied().collect();
    let rows = GROUPS.list(connection, &all, bind_index).await?;
    let mut numbers: Vec<i64> = rows.iter().map(|row| row.try_get(0)).collect::<Result<_, _>>()?;
    numbers.sort_unstable();
    let number = match numbers.first() {
        Some(number) => *number,
        None => sqlx::query("INSERT INTO multiple (made) VALUES (?1)")
            .bind(time_to_sql(now))
            .execute(&mut *connection)
            .await?
            .last_insert_rowid(),
    };
    MEMBERS
        .insert(connection, &all, |index, values| {
            values.add(to_sql(*index)).add(number).add(time_to_sql(now)).add(access.map(to_sql));
        })
        .await?;
    for emptied in numbers.iter().skip(1) {
        sqlx::query("DELETE FROM multiple WHERE num = ?1").bind(emptied).execute(&mut *connection).await?;
    }
    Ok(())
}

async fn decide(
    connection: &mut SqliteConnection,
    pairs: &[(u64, u64)],
    (state, access): (i64, Option<u64>),
    now: Timestamp,
) -> Result<(), StoreError> {
    DECIDED
        .insert(connection, pairs, |(one, other), values| {
            values
                .add(to_sql(*one.min(other)))
                .add(to_sql(*one.max(other)))
                .add(state)
                .add(0_i64)
                .add(time_to_sql(now))
                .add(access.map(to_sql));
        })
        .await
}

/// Each of these with each of those, the lower first.
fn pairs(one: &BTreeSet<u64>, other: &BTreeSet<u64>) -> Vec<(u64, u64)> {
    let with = |one: &u64| {
        let one = *one;
        other.iter().map(move |other| (one.min(*other), one.max(*other)))
    };
    one.iter().flat_map(with).collect()
}

/// A signal alone is no group.
async fn drop_if_alone(connection: &mut SqliteConnection, number: i64) -> Result<(), StoreError> {
    for forget in [
        "DELETE FROM multiple_signal WHERE multiple = ?1 \
         AND (SELECT count(*) FROM multiple_signal WHERE multiple = ?1) < 2",
        "DELETE FROM multiple WHERE num = ?1 AND NOT EXISTS \
         (SELECT 1 FROM multiple_signal WHERE multiple = ?1)",
    ] {
        sqlx::query(forget).bind(number).execute(&mut *connection).await?;
    }
    Ok(())
}

/// Which groups have any of these messages, by number.
pub(crate) async fn groups_with(
    connection: &mut SqliteConnection,
    indexes: &[u64],
) -> Result<BTreeSet<u64>, StoreError> {
    let rows = GROUPS.list(connection, indexes, bind_index).await?;
    rows.iter().map(|row| from_sql(row.try_get(0)?)).collect()
}

/// Forgets what followed from these messages. For whoever erases them, in the same transaction.
pub(super) async fn forget(connection: &mut SqliteConnection, indexes: &[u64]) -> Result<(), StoreError> {
    let rows = GROUPS.list(connection, indexes, bind_index).await?;
    for statement in FORGET.iter() {
        statement.change(connection, indexes, |_| {}, bind_index).await?;
    }
    for row in rows {
        drop_if_alone(connection, row.try_get(0)?).await?;
    }
    Ok(())
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "shaped for lists")]
fn bind_index(index: &u64, values: &mut Values) {
    values.add(to_sql(*index));
}
