//! Reading consents and who was told of their end, for who checks them: as they lie there, and so believing nothing.

use std::{
    collections::{BTreeMap, HashMap},
    sync::LazyLock,
};

use exchange::consent::ConsentKey;
use sqlx::{Row as _, SqliteConnection, sqlite::SqliteRow};

use super::{
    column::{from_sql, to_sql, uuid},
    rows::{Part, Statement},
};
use crate::{error::StoreError, subject::Token};

static BY_NUMBER: LazyLock<Statement> = LazyLock::new(|| {
    Statement::new(&Part::List(
        "SELECT c.num, c.id, party.oin, c.extract, c.valid_until, c.state, c.ended, c.statement, c.withdrawn, \
         c.reported IS NOT NULL, c.kept IS NOT NULL FROM consent c LEFT JOIN party ON party.num = c.holder WHERE c.num",
    ))
});

static FOUND_BY: LazyLock<Statement> = LazyLock::new(|| {
    Statement::new(&Part::List("SELECT token FROM consent_subject WHERE record = ? AND token"))
});

/// A consent as it is stored. Times are in microseconds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ConsentAsStored {
    /// Which; nothing when that cannot be read.
    pub(crate) key: Option<ConsentKey>,
    pub(crate) extract: Option<String>,
    pub(crate) valid_until: Option<i64>,
    pub(crate) state: i64,
    pub(crate) ended: Option<i64>,
    pub(crate) statement: Option<String>,
    pub(crate) withdrawn: Option<i64>,
    pub(crate) reported: bool,
    pub(crate) kept: bool,
}

/// These consents, by their numbers.
pub(crate) async fn consents(
    connection: &mut SqliteConnection,
    numbers: &[i64],
) -> Result<HashMap<i64, ConsentAsStored>, StoreError> {
    let rows = BY_NUMBER
        .list(connection, numbers, |number, values| {
            values.add(*number);
        })
        .await?;
    rows.iter().map(|row| Ok((row.try_get(0)?, consent(row)?))).collect()
}

fn consent(row: &SqliteRow) -> Result<ConsentAsStored, StoreError> {
    let id = uuid(row.try_get(1)?).ok();
    let holder = row.try_get::<Option<&str>, _>(2)?.and_then(|oin| oin.parse().ok());
    Ok(ConsentAsStored {
        key: id.zip(holder).map(|(id, holder)| ConsentKey { holder, id }),
        extract: row.try_get(3)?,
        valid_until: row.try_get(4)?,
        state: row.try_get(5)?,
        ended: row.try_get(6)?,
        statement: row.try_get(7)?,
        withdrawn: row.try_get(8)?,
        reported: row.try_get(9)?,
        kept: row.try_get(10)?,
    })
}

/// The number of a consent.
pub(crate) async fn number(
    connection: &mut SqliteConnection,
    key: ConsentKey,
) -> Result<Option<i64>, StoreError> {
    let row = sqlx::query(
        "SELECT c.num FROM consent c JOIN party ON party.num = c.holder WHERE c.id = ?1 AND party.oin = ?2",
    )
    .bind(key.id.as_bytes().as_slice())
    .bind(key.holder.as_str())
    .fetch_optional(connection)
    .await?;
    Ok(row.map(|row| row.try_get(0)).transpose()?)
}

/// How many of these tokens lead to the record of a consent that stands there.
pub(crate) async fn leading_to(
    connection: &mut SqliteConnection,
    record: u64,
    tokens: &[Token],
) -> Result<usize, StoreError> {
    let mut values = super::rows::Values::for_rows(tokens.len());
    values.add(to_sql(record));
    for token in tokens {
        values.add(token.to_vec());
    }
    Ok(FOUND_BY.fetch(connection, values).await?.len())
}

/// How many rows lead to records, accesses by message and accesses by person, below this place in the log.
pub(crate) async fn leads(connection: &mut SqliteConnection, below: u64) -> Result<Leads, StoreError> {
    let row = sqlx::query(
        "SELECT (SELECT count(*) FROM consent_subject WHERE record < ?1), \
         (SELECT count(*) FROM access_message WHERE access < ?1), \
         (SELECT count(*) FROM access_subject WHERE access < ?1)",
    )
    .bind(to_sql(below))
    .fetch_one(connection)
    .await?;
    Ok(Leads {
        to_records: from_sql(row.try_get(0)?)?,
        by_message: from_sql(row.try_get(1)?)?,
        by_person: from_sql(row.try_get(2)?)?,
    })
}

/// Rows by which something is found.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Leads {
    pub(crate) to_records: u64,
    pub(crate) by_message: u64,
    pub(crate) by_person: u64,
}

/// How many rows lead to each of the entries from `from` on and below `to`.
pub(crate) async fn leads_of(
    connection: &mut SqliteConnection,
    (from, to): (u64, u64),
) -> Result<BTreeMap<u64, Leads>, StoreError> {
    let mut found: BTreeMap<u64, Leads> = BTreeMap::new();
    let rows = sqlx::query(
        "SELECT record, 0, count(*) FROM consent_subject WHERE record >= ?1 AND record < ?2 GROUP BY record \
         UNION ALL SELECT access, 1, count(*) FROM access_message WHERE access >= ?1 AND access < ?2 GROUP BY access \
         UNION ALL SELECT access, 2, count(*) FROM access_subject WHERE access >= ?1 AND access < ?2 GROUP BY access",
    )
    .bind(to_sql(from))
    .bind(to_sql(to))
    .fetch_all(connection)
    .await?;
    for row in &rows {
        let (index, count) = (from_sql(row.try_get(0)?)?, from_sql(row.try_get(2)?)?);
        let leads = found.entry(index).or_default();
        match row.try_get::<i64, _>(1)? {
            0 => leads.to_records = count,
            1 => leads.by_message = count,
            _ => leads.by_person = count,
        }
    }
    Ok(found)
}
