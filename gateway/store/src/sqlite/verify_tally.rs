//! Holding the counts of messages against the messages themselves, for who checks the log.

use sqlx::{Row as _, SqliteConnection};

use super::column::from_sql;
use crate::error::StoreError;

/// The first message of a kind of which there are more or fewer than are counted; of what is counted and not there, nothing
/// says where it would be. One reading, so that a message that comes meanwhile is in both or in neither.
const MISCOUNTED: &str = "SELECT min(first) FROM (SELECT coalesce(min(first), 0) AS first FROM ( \
    SELECT party, direction, state, coalesce(reason, 0) AS reason, count(*) AS number, min(idx) AS first \
    FROM message GROUP BY 1, 2, 3, 4 \
    UNION ALL SELECT party, direction, state, reason, -count, NULL FROM tally) \
    GROUP BY party, direction, state, reason HAVING sum(number) <> 0)";

/// The first message whose kind is counted wrongly.
pub(crate) async fn miscounted(connection: &mut SqliteConnection) -> Result<Option<u64>, StoreError> {
    let row = sqlx::query(MISCOUNTED).fetch_one(connection).await?;
    row.try_get::<Option<i64>, _>(0)?.map(from_sql).transpose()
}
