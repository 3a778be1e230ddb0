//! Reading what stands beside the messages and belongs to an entry of the log: accesses, consents, answers, alarms. For
//! who checks the log, and so believing nothing.

use std::{
    collections::{BTreeSet, HashMap, HashSet},
    sync::LazyLock,
};

use exchange::{
    consent::{ConsentKey, ConsentRecord},
    digest::Digest,
    entry::Entry,
    oin::Oin,
    tlog::Leaf,
};
use sqlx::{Row as _, SqliteConnection, sqlite::SqliteRow};

use super::{
    column::{damaged, digest, from_sql, to_sql},
    consent::open_record,
    rows::{MOST_ROWS, Part, Statement, Values},
};
use crate::{
    access::{AccessRecord, Recorded},
    error::StoreError,
    seal::Vault,
    subject::Token,
};

/// Records that are read at once: one can be a hundred kilobytes.
const MAX_RECORDS_READ: usize = 128;

static LEAVES: LazyLock<Statement> =
    LazyLock::new(|| Statement::new(&Part::List("SELECT idx, leaf FROM log_leaf WHERE idx")));

static ERASED: LazyLock<Statement> =
    LazyLock::new(|| Statement::new(&Part::List("SELECT idx, erased FROM message WHERE idx")));

static RECEIPTS: LazyLock<Statement> =
    LazyLock::new(|| Statement::new(&Part::List("SELECT num, content FROM receipt WHERE num")));

static MISFILED: LazyLock<Statement> = LazyLock::new(|| {
    Statement::new(&Part::List(
        "SELECT m.idx FROM message m JOIN receipt r ON r.num = m.receipt \
         WHERE (m.finished IS NOT r.received OR m.party IS NOT r.party) AND m.idx",
    ))
});

static SHOWN: LazyLock<Statement> = LazyLock::new(|| {
    let text = "SELECT access, message FROM access_message WHERE access >= ? AND access < ? AND message";
    Statement::new(&Part::List(text))
});

static ABOUT: LazyLock<Statement> = LazyLock::new(|| {
    let text = "SELECT access, token FROM access_subject WHERE access >= ? AND access < ? AND token";
    Statement::new(&Part::List(text))
});

/// Why what is sealed with an entry is not what the log says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Sealed {
    /// It is something else.
    Other,
    /// It does not open.
    Unreadable,
    /// Its key was destroyed.
    KeyGone,
}

/// Something sealed, and where it stands.
pub(crate) struct SealedRow {
    pub(crate) index: u64,
    sealed: Vec<u8>,
    /// The extract that went with it, of a consent, and for how many days it is kept.
    extract: Option<String>,
    keep_days: i64,
    consent: Option<ConsentKey>,
}

/// Whose log this is.
pub(crate) async fn owner(connection: &mut SqliteConnection) -> Result<Oin, StoreError> {
    let row = sqlx::query("SELECT oin FROM node").fetch_one(connection).await?;
    row.try_get::<&str, _>(0)?.parse().map_err(|_| damaged("an OIN"))
}

/// The accesses that stand from `from` on and below `to`, a limited number.
pub(crate) async fn accesses(
    connection: &mut SqliteConnection,
    (from, to): (u64, u64),
) -> Result<Vec<SealedRow>, StoreError> {
    let rows = sqlx::query(
        "SELECT idx, sealed, NULL, NULL, NULL, 0 FROM access WHERE idx >= ?1 AND idx < ?2 ORDER BY idx LIMIT ?3",
    );
    sealed_rows(connection, rows, (from, to)).await
}

/// The records of consents that stand from `from` on and below `to`, a limited number.
pub(crate) async fn consents(
    connection: &mut SqliteConnection,
    (from, to): (u64, u64),
) -> Result<Vec<SealedRow>, StoreError> {
    let rows = sqlx::query(
        "SELECT r.idx, r.sealed, r.extract, c.id, party.oin, r.keep_days FROM consent_record r \
         LEFT JOIN consent c ON c.num = r.consent LEFT JOIN party ON party.num = c.holder \
         WHERE r.idx >= ?1 AND r.idx < ?2 ORDER BY r.idx LIMIT ?3",
    );
    sealed_rows(connection, rows, (from, to)).await
}

async fn sealed_rows(
    connection: &mut SqliteConnection,
    rows: sqlx::query::Query<'static, sqlx::Sqlite, sqlx::sqlite::SqliteArguments>,
    (from, to): (u64, u64),
) -> Result<Vec<SealedRow>, StoreError> {
    let limit = i64::try_from(MAX_RECORDS_READ).unwrap_or(i64::MAX);
    let rows = rows.bind(to_sql(from)).bind(to_sql(to)).bind(limit).fetch_all(connection).await?;
    let consent = |row: &SqliteRow| {
        let id = super::column::uuid(row.try_get::<Option<&[u8]>, _>(3).ok()??).ok()?;
        let holder = row.try_get::<Option<&str>, _>(4).ok()??.parse().ok()?;
        Some(ConsentKey { holder, id })
    };
    let sealed = |row: &SqliteRow| {
        Ok(SealedRow {
            index: from_sql(row.try_get(0)?)?,
            sealed: row.try_get(1)?,
            extract: row.try_get(2)?,
            keep_days: row.try_get(5)?,
            consent: consent(row),
        })
    };
    rows.iter().map(sealed).collect()
}

impl SealedRow {
    /// The access, if it is the one of which the log has this digest.
    pub(crate) fn access(
        &self,
        vault: &Vault,
        digest: Digest,
    ) -> Result<Result<AccessRecord, Sealed>, StoreError> {
        match vault.entries.open_for(self.index, digest.as_bytes(), &self.sealed) {
            Ok(plain) => Ok(Recorded::read(&plain, digest, self.index).ok_or(Sealed::Other)),
            Err(StoreError::Erased) => Ok(Err(Sealed::KeyGone)),
            Err(StoreError::Corrupt(_)) => Ok(Err(Sealed::Unreadable)),
            Err(error) => Err(error),
        }
    }

    /// The record, if it is that of the consent of which the log has this number and the digest of the extract.
    pub(crate) fn consent(
        &self,
        vault: &Vault,
        key: ConsentKey,
        extract: Option<Digest>,
    ) -> Result<Result<ConsentRecord, Sealed>, StoreError> {
        let plain = match open_record(vault, (self.index, self.keep_days), &self.sealed) {
            Ok(plain) => plain,
            Err(StoreError::Erased) => return Ok(Err(Sealed::KeyGone)),
            Err(StoreError::Corrupt(_)) => return Ok(Err(Sealed::Unreadable)),
            Err(error) => return Err(error),
        };
        let record = String::from_utf8(plain).ok().and_then(|text| ConsentRecord::from_stored(&text).ok());
        let Some(record) = record else { return Ok(Err(Sealed::Unreadable)) };
        let same = self.consent == Some(key) && record.key(key.holder) == key;
        // Of what earlier versions recorded the extract stands nowhere.
        let same_extract = self
            .extract
            .as_deref()
            .is_none_or(|text| extract == Some(Digest::of(text.as_bytes())) && record.is_of(text));
        Ok(if same && same_extract { Ok(record) } else { Err(Sealed::Other) })
    }
}

/// The first of these accesses, which are in order, that is not found by all that it is about.
pub(crate) async fn unfindable(
    connection: &mut SqliteConnection,
    accesses: &[AccessRecord],
) -> Result<Option<u64>, StoreError> {
    let (Some(first), Some(last)) = (accesses.first(), accesses.last()) else { return Ok(None) };
    let between = (first.index, last.index + 1);
    let messages: BTreeSet<u64> = accesses.iter().flat_map(AccessRecord::all_messages).collect();
    let tokens: BTreeSet<Token> = accesses.iter().flat_map(AccessRecord::tokens).collect();
    let (mut shown, mut about) = (HashSet::new(), HashSet::new());
    for part in messages.into_iter().collect::<Vec<_>>().chunks(MOST_ROWS) {
        let values = within(between, part, |message| to_sql(*message));
        for row in &SHOWN.fetch(connection, values).await? {
            shown.insert((from_sql(row.try_get(0)?)?, from_sql(row.try_get(1)?)?));
        }
    }
    for part in tokens.into_iter().collect::<Vec<_>>().chunks(MOST_ROWS) {
        let values = within(between, part, |token| token.to_vec());
        for row in &ABOUT.fetch(connection, values).await? {
            // One that is damaged is none.
            let token: Token = row.try_get::<&[u8], _>(1)?.try_into().unwrap_or_default();
            about.insert((from_sql(row.try_get(0)?)?, token));
        }
    }
    let is_found = |access: &&AccessRecord| {
        access.all_messages().all(|message| shown.contains(&(access.index, message)))
            && access.tokens().into_iter().all(|token| about.contains(&(access.index, token)))
    };
    Ok(accesses.iter().find(|access| !is_found(access)).map(|access| access.index))
}

fn within<R, T>((from, to): (u64, u64), part: &[R], value: impl Fn(&R) -> T) -> Values
where
    T: for<'v> sqlx::Encode<'v, sqlx::Sqlite> + sqlx::Type<sqlx::Sqlite>,
{
    let mut values = Values::for_rows(part.len());
    values.add(to_sql(from)).add(to_sql(to));
    for one in part {
        values.add(value(one));
    }
    values
}

/// What these entries say that was erased; those that say no such thing are left out.
pub(crate) async fn erasures(
    connection: &mut SqliteConnection,
    indexes: &[u64],
) -> Result<HashMap<u64, Vec<u64>>, StoreError> {
    let rows = LEAVES.list(connection, indexes, bind_index).await?;
    let mut found = HashMap::with_capacity(rows.len());
    for row in &rows {
        if let Ok(Entry::Wissing { gewist, .. }) = Entry::of_leaf(&Leaf::new(row.try_get(1)?)) {
            found.insert(from_sql(row.try_get(0)?)?, gewist);
        }
    }
    Ok(found)
}

/// Where the messages among these entries say that they were erased.
pub(crate) async fn erased(
    connection: &mut SqliteConnection,
    indexes: &[u64],
) -> Result<HashMap<u64, Option<u64>>, StoreError> {
    let rows = ERASED.list(connection, indexes, bind_index).await?;
    let one = |row: &SqliteRow| {
        let erased = row.try_get::<Option<i64>, _>(1)?.map(from_sql).transpose()?;
        Ok((from_sql(row.try_get(0)?)?, erased))
    };
    rows.iter().map(one).collect()
}

/// Entries of this kind from `from` on, in order, a limited number; with the place to go on from, unless those were all.
pub(crate) async fn of_kind(
    connection: &mut SqliteConnection,
    kind: &'static str,
    from: u64,
) -> Result<(Vec<Entry>, Option<u64>), StoreError> {
    let rows = sqlx::query(
        "SELECT idx, leaf FROM log_leaf WHERE idx >= ?1 AND instr(leaf, CAST(?2 AS BLOB)) > 0 ORDER BY idx LIMIT ?3",
    )
    .bind(to_sql(from))
    .bind(format!("\"soort\":\"{kind}\""))
    .bind(i64::try_from(MAX_RECORDS_READ).unwrap_or(i64::MAX))
    .fetch_all(connection)
    .await?;
    let next = match rows.last() {
        Some(last) if rows.len() == MAX_RECORDS_READ => Some(from_sql(last.try_get(0)?)? + 1),
        _ => None,
    };
    let entry = |row: &SqliteRow| Ok(Entry::of_leaf(&Leaf::new(row.try_get(1)?)).ok());
    let entries: Vec<Option<Entry>> = rows.iter().map(entry).collect::<Result<_, StoreError>>()?;
    Ok((entries.into_iter().flatten().collect(), next))
}

/// An agreement as it is stored.
pub(crate) struct StoredTexts {
    pub(crate) content: String,
    /// With their digests, in order.
    pub(crate) purposes: Vec<(Option<Digest>, String)>,
    /// Digests of the answers.
    pub(crate) answers: Vec<Digest>,
}

/// What is stored of the agreement of this digest.
pub(crate) async fn agreement(
    connection: &mut SqliteConnection,
    of: &Digest,
) -> Result<Option<StoredTexts>, StoreError> {
    let row = sqlx::query("SELECT num, content FROM agreement WHERE digest = ?1")
        .bind(of.as_bytes().as_slice())
        .fetch_optional(&mut *connection)
        .await?;
    let Some(row) = row else { return Ok(None) };
    let number: i64 = row.try_get(0)?;
    let purposes =
        sqlx::query("SELECT digest, content FROM agreement_purpose WHERE agreement = ?1 ORDER BY position")
            .bind(number)
            .fetch_all(&mut *connection)
            .await?;
    let answers =
        sqlx::query("SELECT jws FROM answer WHERE agreement = ?1").bind(number).fetch_all(connection).await?;
    Ok(Some(StoredTexts {
        content: row.try_get(1)?,
        purposes: purposes
            .iter()
            .map(|row| Ok((digest(row.try_get(0)?).ok(), row.try_get(1)?)))
            .collect::<Result<_, StoreError>>()?,
        answers: answers
            .iter()
            .map(|row| Ok(Digest::of(row.try_get::<&str, _>(0)?.as_bytes())))
            .collect::<Result<_, StoreError>>()?,
    }))
}

/// The digests of the agreements that are stored, the newest first, at most `limit`.
pub(crate) async fn agreement_digests(
    connection: &mut SqliteConnection,
    limit: usize,
) -> Result<Vec<Digest>, StoreError> {
    let rows = sqlx::query("SELECT digest FROM agreement ORDER BY num DESC LIMIT ?1")
        .bind(i64::try_from(limit).unwrap_or(i64::MAX))
        .fetch_all(connection)
        .await?;
    // One that is damaged is no agreement.
    rows.iter().filter_map(|row| Some(Ok(digest(row.try_get(0).ok()?).ok()?))).collect()
}

/// What a word stands for.
pub(crate) async fn word(
    connection: &mut SqliteConnection,
    number: i64,
) -> Result<Option<String>, StoreError> {
    let row =
        sqlx::query("SELECT text FROM word WHERE num = ?1").bind(number).fetch_optional(connection).await?;
    Ok(row.map(|row| row.try_get(0)).transpose()?)
}

/// These receipts, as they came.
pub(crate) async fn receipts(
    connection: &mut SqliteConnection,
    numbers: &[i64],
) -> Result<Vec<(i64, String)>, StoreError> {
    let rows = RECEIPTS
        .list(connection, numbers, |number, values| {
            values.add(*number);
        })
        .await?;
    rows.iter().map(|row| Ok((row.try_get(0)?, row.try_get(1)?))).collect()
}

/// The first of these messages that did not end when its receipt came, or of which that came from somebody else.
pub(crate) async fn misfiled(
    connection: &mut SqliteConnection,
    indexes: &[u64],
) -> Result<Option<u64>, StoreError> {
    let rows = MISFILED
        .list(connection, indexes, |index, values| {
            values.add(to_sql(*index));
        })
        .await?;
    let found = rows.iter().map(|row| from_sql(row.try_get(0)?));
    Ok(found.collect::<Result<Vec<u64>, StoreError>>()?.into_iter().min())
}

/// The digest of the evidence of the alarm that stands with this entry.
pub(crate) async fn alarm(
    connection: &mut SqliteConnection,
    index: u64,
) -> Result<Option<Digest>, StoreError> {
    let row = sqlx::query("SELECT evidence FROM alarm WHERE idx = ?1")
        .bind(to_sql(index))
        .fetch_optional(connection)
        .await?;
    row.map(|row| Ok(Digest::of(row.try_get::<&str, _>(0)?.as_bytes()))).transpose()
}

/// The digest of the withdrawal that is kept of a consent, whether the consent counts as withdrawn, and when this
/// organisation did that, in microseconds.
pub(crate) async fn withdrawal(
    connection: &mut SqliteConnection,
    key: ConsentKey,
) -> Result<Option<(Digest, bool, Option<i64>)>, StoreError> {
    let row = sqlx::query(
        "SELECT c.statement, c.state = 1, c.withdrawn FROM consent c JOIN party ON party.num = c.holder \
         WHERE c.id = ?1 AND party.oin = ?2 AND c.statement IS NOT NULL",
    )
    .bind(key.id.as_bytes().as_slice())
    .bind(key.holder.as_str())
    .fetch_optional(connection)
    .await?;
    row.map(|row| Ok((Digest::of(row.try_get::<&str, _>(0)?.as_bytes()), row.try_get(1)?, row.try_get(2)?)))
        .transpose()
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "shaped for lists")]
fn bind_index(index: &u64, values: &mut Values) {
    values.add(to_sql(*index));
}
