//! Holding what is stored of handovers against the messages and against itself. For who checks the log, and so believing nothing.

use exchange::{
    handover::{Step, Term},
    message::step_of,
    oin::Oin,
};
use sqlx::{Row as _, SqliteConnection, sqlite::SqliteRow};
use uuid::Uuid;

use super::{
    column::{from_sql, time_from_sql, uuid},
    handover::notice_from_sql,
};
use crate::{error::StoreError, model::Direction};

/// Notices that are read at once.
const MAX_NOTICES_READ: i64 = 500;

/// A step that is of no message in a case, or not that of its message as far as the row of that says.
const STRAY_STEP: &str = "SELECT min(m.idx) FROM message m LEFT JOIN party p ON p.num = m.party \
    WHERE m.step IS NOT NULL AND CASE \
    WHEN m.\"case\" IS NULL OR (m.direction = 1 AND m.state = 2) OR NOT json_valid(m.step) THEN 1 \
    ELSE replace(m.step ->> '$.bericht', '-', '') IS NOT lower(hex(m.id)) \
    OR iif(m.direction = 1, m.step ->> '$.van', m.step ->> '$.naar') IS NOT p.oin END";

/// A case of which the number of steps is not what is stored; of one without any step the log does not say where it is.
const MISCOUNTED: &str = "SELECT min(first) FROM (SELECT coalesce(min(s.idx), 0) AS first FROM handover h \
    LEFT JOIN message s ON s.\"case\" = h.\"case\" AND s.step IS NOT NULL GROUP BY h.\"case\" HAVING count(s.idx) IS NOT h.steps \
    UNION ALL SELECT min(s.idx) FROM message s WHERE s.step IS NOT NULL AND s.\"case\" NOT IN (SELECT \"case\" FROM handover))";

const NOTICES: &str = "SELECT n.\"case\", n.set_by, n.kind, n.told, s.step, \
    (SELECT coalesce(min(idx), 0) FROM message WHERE \"case\" = n.\"case\" AND step IS NOT NULL) FROM handover_notice n \
    LEFT JOIN message s ON s.\"case\" = n.\"case\" AND s.step IS NOT NULL AND s.id = n.set_by \
    WHERE (n.\"case\", n.set_by, n.kind) > (?1, ?2, ?3) ORDER BY n.\"case\", n.set_by, n.kind LIMIT ?4";

/// From which entry on every message of a handover has its step.
pub(crate) async fn since(connection: &mut SqliteConnection) -> Result<u64, StoreError> {
    let row = sqlx::query("SELECT since FROM handover_state").fetch_optional(connection).await?;
    row.map_or(Ok(0), |row| from_sql(row.try_get(0)?))
}

/// A message that was opened, with the step that is stored with it.
pub(crate) struct Opened<'a> {
    pub(crate) index: u64,
    pub(crate) jws: &'a str,
    pub(crate) direction: Direction,
    pub(crate) partner: Option<&'a str>,
    pub(crate) step: Option<&'a str>,
}

impl Opened<'_> {
    /// Whether the step that is stored is what the message does.
    pub(crate) fn has_its_step(&self, me: Oin, since: u64) -> bool {
        let Some(partner) = self.partner.and_then(|oin| oin.parse().ok()) else { return self.step.is_none() };
        let parties = match self.direction {
            Direction::Outbound => (me, partner),
            Direction::Inbound => (partner, me),
        };
        match (step_of(self.jws, parties), self.step) {
            (None, None) => true,
            (Some(_), None) => self.index < since,
            (expected, Some(stored)) => expected.is_some() && read(stored) == expected,
        }
    }
}

fn read(step: &str) -> Option<Step> {
    serde_json::from_str(step).ok()
}

/// The first entry of which what is stored of handovers contradicts itself, or the messages, and what that is.
pub(crate) async fn contradiction(
    connection: &mut SqliteConnection,
) -> Result<Option<(u64, &'static str)>, StoreError> {
    let step = first(connection, STRAY_STEP).await?;
    let step =
        step.map(|index| (index, "de stap van een overdracht bij deze regel hoort niet bij het bericht"));
    let count = first(connection, MISCOUNTED).await?;
    let count =
        count.map(|index| (index, "van het dossier bij deze regel ontbreken stappen van een overdracht"));
    if let Some(found) = step.into_iter().chain(count).min_by_key(|(index, _)| *index) {
        return Ok(Some(found));
    }
    let notice = notice(connection).await?;
    Ok(notice.map(|index| {
        (
            index,
            "van het dossier bij deze regel is een herinnering of opschaling opgeslagen die niet kan kloppen",
        )
    }))
}

async fn first(connection: &mut SqliteConnection, text: &'static str) -> Result<Option<u64>, StoreError> {
    let row = sqlx::query(text).fetch_one(connection).await?;
    row.try_get::<Option<i64>, _>(0)?.map(from_sql).transpose()
}

/// The first step of a case in which something was told of a term that no message sets, or before its moment.
async fn notice(connection: &mut SqliteConnection) -> Result<Option<u64>, StoreError> {
    let mut after = (Vec::new(), Vec::new(), i64::MIN);
    loop {
        let rows = sqlx::query(NOTICES)
            .bind(after.0)
            .bind(after.1)
            .bind(after.2)
            .bind(MAX_NOTICES_READ)
            .fetch_all(&mut *connection)
            .await?;
        for row in &rows {
            if !is_possible(row)? {
                return Ok(Some(from_sql(row.try_get(5)?)?));
            }
        }
        let Some(last) = rows.last() else { return Ok(None) };
        after = (last.try_get(0)?, last.try_get(1)?, last.try_get(2)?);
    }
}

fn is_possible(row: &SqliteRow) -> Result<bool, StoreError> {
    let read_notice = || Some((notice_from_sql(row.try_get(2).ok()?).ok()?, row.try_get(3).ok()?));
    let Some((notice, told)) = read_notice() else { return Ok(false) };
    let (Ok(told), Some(step)) = (time_from_sql(told), row.try_get::<Option<&str>, _>(4)?) else {
        return Ok(false);
    };
    let set_by: Result<Uuid, _> = uuid(row.try_get(1)?);
    let term = read(step).as_ref().and_then(Term::of);
    Ok(term.is_some_and(|term| set_by.is_ok_and(|id| id == term.set_by) && told >= term.moment(notice)))
}
