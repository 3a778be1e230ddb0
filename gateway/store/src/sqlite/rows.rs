//! Statements for many rows at once.
//!
//! Every statement is a hop to SQLite's own thread, so what costs is the number of statements. They come in a few
//! fixed sizes, each prepared once; of a size that is too large the rest stays unbound, which makes it NULL, and a
//! row without a key is skipped.

use sqlx::{
    Arguments as _, Encode, Sqlite, SqliteConnection, Type,
    error::BoxDynError,
    sqlite::{SqliteArguments, SqliteRow},
};

use crate::error::StoreError;

/// How many rows a statement can be for.
const SIZES: [usize; 4] = [1, 8, 32, 128];

/// One statement in every size.
pub(super) struct Statement {
    texts: [String; SIZES.len()],
}

impl Statement {
    /// Inserts rows of these columns, the first of which is never NULL. `conflict` is an upsert clause or nothing.
    pub(super) fn insert(table: &str, columns: &[&str], conflict: &str) -> Self {
        let row = format!("({})", vec!["?"; columns.len()].join(","));
        let columns = columns.join(",");
        Self::sized(|size| {
            let rows = vec![row.as_str(); size].join(",");
            format!(
                "INSERT INTO {table} ({columns}) SELECT * FROM (VALUES {rows}) WHERE column1 IS NOT NULL {conflict}"
            )
        })
    }

    /// A statement with a list of values at its end, after any other parameters.
    pub(super) fn with_list(text: &str) -> Self {
        Self::sized(|size| format!("{text} IN ({})", vec!["?"; size].join(",")))
    }

    fn sized(text: impl Fn(usize) -> String) -> Self {
        Self { texts: SIZES.map(text) }
    }

    /// The smallest that is large enough.
    fn for_rows(&'static self, rows: usize) -> &'static str {
        let fitting = SIZES.iter().position(|size| *size >= rows).unwrap_or(SIZES.len() - 1);
        &self.texts[fitting]
    }

    /// Inserts all `rows`.
    pub(super) async fn write<R>(
        &'static self,
        connection: &mut SqliteConnection,
        rows: Vec<R>,
        bind: impl Fn(R, &mut Values),
    ) -> Result<(), StoreError> {
        let mut left = rows.len();
        let mut rows = rows.into_iter();
        while left > 0 {
            let count = left.min(LARGEST);
            left -= count;
            let mut values = Values::default();
            for row in rows.by_ref().take(count) {
                bind(row, &mut values);
            }
            sqlx::query_with(self.for_rows(count), values.done()?).execute(&mut *connection).await?;
        }
        Ok(())
    }

    /// Runs the statement for all of `list`, after binding what comes before it with `fixed`, and gives the rows it
    /// returns. None for an empty list.
    pub(super) async fn list<R>(
        &'static self,
        connection: &mut SqliteConnection,
        list: &[R],
        fixed: impl Fn(&mut Values),
        bind: impl Fn(&R, &mut Values),
    ) -> Result<Vec<SqliteRow>, StoreError> {
        let mut found = Vec::new();
        for part in list.chunks(LARGEST) {
            let values = listed(part, &fixed, &bind)?;
            found.extend(
                sqlx::query_with(self.for_rows(part.len()), values).fetch_all(&mut *connection).await?,
            );
        }
        Ok(found)
    }

    /// Runs the statement like [`list`](Self::list), and gives the number of rows it changed.
    pub(super) async fn change<R>(
        &'static self,
        connection: &mut SqliteConnection,
        list: &[R],
        fixed: impl Fn(&mut Values),
        bind: impl Fn(&R, &mut Values),
    ) -> Result<u64, StoreError> {
        let mut changed = 0;
        for part in list.chunks(LARGEST) {
            let values = listed(part, &fixed, &bind)?;
            let done = sqlx::query_with(self.for_rows(part.len()), values).execute(&mut *connection).await?;
            changed += done.rows_affected();
        }
        Ok(changed)
    }
}

fn listed<R>(
    part: &[R],
    fixed: impl Fn(&mut Values),
    bind: impl Fn(&R, &mut Values),
) -> Result<SqliteArguments, StoreError> {
    let mut values = Values::default();
    fixed(&mut values);
    for value in part {
        bind(value, &mut values);
    }
    values.done()
}

const LARGEST: usize = SIZES[SIZES.len() - 1];

/// The values of a statement, in order.
#[derive(Default)]
pub(super) struct Values {
    arguments: SqliteArguments,
    failed: Option<BoxDynError>,
}

impl Values {
    /// Adds the next value.
    pub(super) fn add<'v, T: Encode<'v, Sqlite> + Type<Sqlite>>(&mut self, value: T) -> &mut Self {
        if let Err(error) = self.arguments.add(value) {
            self.failed = Some(error);
        }
        self
    }

    fn done(self) -> Result<SqliteArguments, StoreError> {
        match self.failed {
            None => Ok(self.arguments),
            Some(error) => Err(sqlx::Error::Encode(error).into()),
        }
    }
}
