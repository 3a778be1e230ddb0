//! Who saw what, as it is stored.

use std::{collections::BTreeSet, sync::LazyLock};

use exchange::{digest::Digest, entry::Entry, tlog::Leaf};
use sqlx::{Row as _, SqliteConnection};
use uuid::Uuid;

use super::{
    column::{from_sql, to_sql, uuid},
    committer::Writer,
    group::Group,
    rows::{Part, Statement},
    tree::Edge,
};
use crate::{
    access::{About, Access, AccessRecord, Decision, Recorded, SALT_BYTES},
    error::StoreError,
    model::Enqueued,
    seal::Vault,
    subject::Token,
};

static MESSAGES: LazyLock<Statement> = LazyLock::new(|| {
    Statement::new(&Part::Insert("access_message", &["message", "access"], "ON CONFLICT DO NOTHING"))
});

static SUBJECTS: LazyLock<Statement> =
    LazyLock::new(|| Statement::new(&Part::Insert("access_subject", &["token", "access"], "")));

static OF_MESSAGES: LazyLock<Statement> =
    LazyLock::new(|| Statement::new(&Part::List("SELECT access FROM access_message WHERE message")));

static OF_SUBJECTS: LazyLock<Statement> =
    LazyLock::new(|| Statement::new(&Part::List("SELECT access FROM access_subject WHERE token")));

static CASES: LazyLock<Statement> = LazyLock::new(|| {
    Statement::new(&Part::List("SELECT DISTINCT \"case\" FROM message WHERE \"case\" IS NOT NULL AND idx"))
});

/// An access to keep.
pub(crate) struct Recording {
    pub(crate) leaf: Leaf,
    /// The salt and the record.
    pub(crate) plain: Vec<u8>,
    /// Over that, as the leaf has it.
    pub(crate) digest: Digest,
    /// What was shown, also as perhaps.
    pub(crate) messages: Vec<u64>,
    /// Whom it is about.
    pub(crate) tokens: Vec<Token>,
}

/// A decision to queue messages, which is kept with them: the numbers they get are part of it.
pub(crate) struct Deciding {
    access: Access,
    /// Whom each of the messages is about, in their order.
    about: Vec<Vec<Token>>,
    /// Whom what was held back is about.
    also: Vec<Token>,
    salt: [u8; SALT_BYTES],
    /// What is to be kept, and where the log says so.
    pub(super) made: Option<(u64, Recording)>,
}

impl Deciding {
    pub(crate) fn new(
        access: Access,
        (about, also): (Vec<Vec<Token>>, Vec<Token>),
        salt: [u8; SALT_BYTES],
    ) -> Self {
        Self { access, about, also, salt, made: None }
    }

    /// Logs the decision, unless nothing came of it: what was offered had been sent before, and nothing was held back.
    pub(super) fn decide(
        &mut self,
        (edge, group): (&mut Edge, &mut Group),
        (enqueued, held_back): (&[Enqueued], bool),
    ) -> Result<(), StoreError> {
        let mut about = About { decision: Some(Decision::Versturen), ..About::default() };
        about.tokens.extend(&self.also);
        for (one, tokens) in enqueued.iter().zip(&self.about) {
            if let Enqueued::Queued { index } = one {
                about.messages.push(*index);
                about.tokens.extend(tokens);
            }
        }
        self.made = None;
        if about.messages.is_empty() && !held_back {
            return Ok(());
        }
        let recording = Recording::new(self.access.clone(), about, self.salt)?;
        self.made = Some((group.log(edge, &recording.leaf), recording));
        Ok(())
    }
}

impl Recording {
    /// An access as it is kept, behind this salt.
    pub(crate) fn new(access: Access, about: About, salt: [u8; SALT_BYTES]) -> Result<Self, StoreError> {
        let when = access.when;
        let Recorded { plain, digest } = Recorded::new(&AccessRecord::new(access, &about), salt)?;
        let leaf = Entry::Raadpleging { bewijs: digest, tijd: when }.leaf();
        let About { mut messages, perhaps, tokens, .. } = about;
        messages.extend(perhaps);
        Ok(Self { leaf, plain, digest, messages, tokens: tokens.into_iter().collect() })
    }
}

/// Keeps it beside its entry of the log, under the key of that.
pub(super) async fn keep(
    writer: &mut Writer,
    connection: &mut SqliteConnection,
    (index, recording): (u64, &Recording),
) -> Result<(), StoreError> {
    let entries = &writer.vault.entries;
    let sealed =
        entries.seal_for(index, recording.digest.as_bytes(), &recording.plain, &mut writer.entropy)?;
    sqlx::query("INSERT INTO access (idx, sealed) VALUES (?1, ?2)")
        .bind(to_sql(index))
        .bind(sealed)
        .execute(&mut *connection)
        .await?;
    MESSAGES
        .insert(connection, &recording.messages, |message, values| {
            values.add(to_sql(*message)).add(to_sql(index));
        })
        .await?;
    SUBJECTS
        .insert(connection, &recording.tokens, |token, values| {
            values.add(token.to_vec()).add(to_sql(index));
        })
        .await
}

/// The places of the accesses that showed one of these messages or looked for one of these tokens.
pub(crate) async fn about(
    connection: &mut SqliteConnection,
    messages: &[u64],
    tokens: &[Token],
) -> Result<BTreeSet<u64>, StoreError> {
    let mut rows = OF_MESSAGES
        .list(connection, messages, |message, values| {
            values.add(to_sql(*message));
        })
        .await?;
    let of_subjects = OF_SUBJECTS
        .list(connection, tokens, |token, values| {
            values.add(token.to_vec());
        })
        .await?;
    rows.extend(of_subjects);
    rows.iter().map(|row| from_sql(row.try_get(0)?)).collect()
}

/// The accesses before a place in the log, the last first, at most `limit`.
pub(crate) async fn before(
    connection: &mut SqliteConnection,
    vault: &Vault,
    (place, limit): (u64, usize),
) -> Result<Vec<AccessRecord>, StoreError> {
    let rows = sqlx::query(
        "SELECT a.idx, a.sealed, l.leaf FROM access a JOIN log_leaf l ON l.idx = a.idx WHERE a.idx < ?1 \
         ORDER BY a.idx DESC LIMIT ?2",
    )
    .bind(to_sql(place))
    .bind(i64::try_from(limit).unwrap_or(i64::MAX))
    .fetch_all(connection)
    .await?;
    rows.iter().map(|row| open(vault, from_sql(row.try_get(0)?)?, row.try_get(1)?, row.try_get(2)?)).collect()
}

/// The access at a place in the log.
pub(crate) async fn at(
    connection: &mut SqliteConnection,
    vault: &Vault,
    place: u64,
) -> Result<Option<AccessRecord>, StoreError> {
    let row = sqlx::query(
        "SELECT a.sealed, l.leaf FROM access a JOIN log_leaf l ON l.idx = a.idx WHERE a.idx = ?1",
    )
    .bind(to_sql(place))
    .fetch_optional(connection)
    .await?;
    row.map(|row| open(vault, place, row.try_get(0)?, row.try_get(1)?)).transpose()
}

/// Opens a record and holds it against what the log says of it.
fn open(vault: &Vault, index: u64, sealed: &[u8], leaf: Vec<u8>) -> Result<AccessRecord, StoreError> {
    let changed = || StoreError::Corrupt(format!("the access at {index} is not what the log says it was"));
    let digest: Digest = match Entry::of_leaf(&Leaf::new(leaf)) {
        Ok(Entry::Raadpleging { bewijs, .. }) => bewijs,
        _ => return Err(changed()),
    };
    let plain = vault.entries.open_for(index, digest.as_bytes(), sealed).map_err(|_| changed())?;
    Recorded::read(&plain, digest, index).ok_or_else(changed)
}

/// Places where the log says that there was an access of which there is no record, at most `limit`.
pub(crate) async fn missing(connection: &mut SqliteConnection, limit: usize) -> Result<Vec<u64>, StoreError> {
    let rows = sqlx::query(
        "SELECT l.idx FROM log_leaf l WHERE instr(l.leaf, CAST('\"soort\":\"raadpleging\"' AS BLOB)) > 0 \
         AND NOT EXISTS (SELECT 1 FROM access a WHERE a.idx = l.idx) ORDER BY l.idx LIMIT ?1",
    )
    .bind(i64::try_from(limit).unwrap_or(i64::MAX))
    .fetch_all(connection)
    .await?;
    rows.iter().map(|row| from_sql(row.try_get(0)?)).collect()
}

/// The cases of messages.
pub(crate) async fn cases(
    connection: &mut SqliteConnection,
    messages: &[u64],
) -> Result<BTreeSet<Uuid>, StoreError> {
    let rows = CASES
        .list(connection, messages, |message, values| {
            values.add(to_sql(*message));
        })
        .await?;
    rows.iter().map(|row| uuid(row.try_get(0)?)).collect()
}
