//! Statements for many rows at once.
//!
//! Every statement that is sent is a hop to SQLite's own thread and back, which costs more than what it does. So what
//! belongs together is one text of several statements, and each is for many rows. Texts come in a few fixed sizes,
//! each prepared once; the places of a size that are not needed stay NULL, and a row without a key is skipped.

use sqlx::{
    Arguments as _, Encode, Sqlite, SqliteConnection, Type,
    error::BoxDynError,
    sqlite::{SqliteArguments, SqliteQueryResult, SqliteRow},
};

use crate::error::StoreError;

/// For how many rows a text can be.
const SIZES: [usize; 4] = [1, 8, 32, 128];

/// The most rows one text is for.
pub(super) const MOST_ROWS: usize = SIZES[SIZES.len() - 1];

/// One statement of a text.
pub(super) enum Part {
    /// The same whatever the size.
    Fixed(&'static str),
    /// Inserts rows of these columns, the first of which is never NULL, and then the upsert clause, if any.
    Insert(&'static str, &'static [&'static str], &'static str),
    /// Ends in a list of values, after any other parameters.
    List(&'static str),
}

impl Part {
    fn text(&self, size: usize) -> String {
        match self {
            Self::Fixed(text) => (*text).to_owned(),
            Self::Insert(table, columns, conflict) => {
                let row = format!("({})", vec!["?"; columns.len()].join(","));
                let rows = vec![row.as_str(); size].join(",");
                let columns = columns.join(",");
                format!(
                    "INSERT INTO {table} ({columns}) SELECT * FROM (VALUES {rows}) WHERE column1 IS NOT NULL {conflict}"
                )
            }
            Self::List(text) => format!("{text} IN ({})", vec!["?"; size].join(",")),
        }
    }
}

/// One text in every size.
pub(super) struct Statement {
    texts: [String; SIZES.len()],
}

impl Statement {
    /// A text of one statement.
    pub(super) fn new(part: &Part) -> Self {
        Self::script(std::slice::from_ref(part))
    }

    /// A text of several statements, done in their order.
    pub(super) fn script(parts: &[Part]) -> Self {
        let text = |size| parts.iter().map(|part| part.text(size)).collect::<Vec<_>>().join(";\n");
        Self { texts: SIZES.map(text) }
    }

    /// Runs the text once, for the number of rows that `values` was made for; gives what it returns.
    pub(super) async fn fetch(
        &'static self,
        connection: &mut SqliteConnection,
        values: Values,
    ) -> Result<Vec<SqliteRow>, StoreError> {
        let text = self.texts[values.size].as_str();
        Ok(sqlx::query_with(text, values.done()?).fetch_all(connection).await?)
    }

    /// Runs the text once, for the number of rows that `values` was made for; gives the number of rows it changed.
    pub(super) async fn execute(
        &'static self,
        connection: &mut SqliteConnection,
        values: Values,
    ) -> Result<u64, StoreError> {
        Ok(self.run(connection, values).await?.rows_affected())
    }

    /// Runs the text once, for the number of rows that `values` was made for.
    pub(super) async fn run(
        &'static self,
        connection: &mut SqliteConnection,
        values: Values,
    ) -> Result<SqliteQueryResult, StoreError> {
        let text = self.texts[values.size].as_str();
        Ok(sqlx::query_with(text, values.done()?).execute(connection).await?)
    }

    /// Runs a text of one insert, or of one statement that needs nothing but its list, for all `rows`.
    pub(super) async fn insert<R>(
        &'static self,
        connection: &mut SqliteConnection,
        rows: &[R],
        bind: impl Fn(&R, &mut Values),
    ) -> Result<(), StoreError> {
        self.change(connection, rows, |_| {}, bind).await.map(drop)
    }

    /// Runs a text of one statement that ends in a list for all of `list`, after binding what comes before it with
    /// `fixed`; gives the number of rows it changed.
    pub(super) async fn change<R>(
        &'static self,
        connection: &mut SqliteConnection,
        list: &[R],
        fixed: impl Fn(&mut Values),
        bind: impl Fn(&R, &mut Values),
    ) -> Result<u64, StoreError> {
        let mut changed = 0;
        for part in list.chunks(MOST_ROWS) {
            changed += self.execute(connection, listed(part, &fixed, &bind)).await?;
        }
        Ok(changed)
    }

    /// The same for a text that returns rows.
    pub(super) async fn list<R>(
        &'static self,
        connection: &mut SqliteConnection,
        list: &[R],
        bind: impl Fn(&R, &mut Values),
    ) -> Result<Vec<SqliteRow>, StoreError> {
        let mut found = Vec::new();
        for part in list.chunks(MOST_ROWS) {
            found.extend(self.fetch(connection, listed(part, &|_| {}, &bind)).await?);
        }
        Ok(found)
    }
}

fn listed<R>(part: &[R], fixed: &impl Fn(&mut Values), bind: &impl Fn(&R, &mut Values)) -> Values {
    let mut values = Values::for_rows(part.len());
    fixed(&mut values);
    for value in part {
        bind(value, &mut values);
    }
    values
}

/// The values of a text, in order.
pub(super) struct Values {
    /// Which of the sizes.
    size: usize,
    arguments: SqliteArguments,
    /// Places to leave NULL before the next value. Those at the end need not be said.
    nulls: usize,
    failed: Option<BoxDynError>,
}

impl Values {
    /// For the smallest text that has room for so many rows.
    pub(super) fn for_rows(rows: usize) -> Self {
        let size = SIZES.iter().position(|size| *size >= rows).unwrap_or(SIZES.len() - 1);
        Self { size, arguments: SqliteArguments::default(), nulls: 0, failed: None }
    }

    /// Adds the next value.
    pub(super) fn add<'v, T: Encode<'v, Sqlite> + Type<Sqlite>>(&mut self, value: T) -> &mut Self {
        for _ in 0..std::mem::take(&mut self.nulls) {
            self.push(None::<i64>);
        }
        self.push(value);
        self
    }

    /// Adds the rows of one part of a text, of `width` values each, and leaves the rest of its rows NULL.
    pub(super) fn rows<R>(
        &mut self,
        rows: impl Iterator<Item = R>,
        width: usize,
        mut bind: impl FnMut(R, &mut Self),
    ) -> &mut Self {
        let mut left = SIZES[self.size];
        for row in rows {
            bind(row, self);
            left -= 1;
        }
        self.nulls += left * width;
        self
    }

    fn push<'v, T: Encode<'v, Sqlite> + Type<Sqlite>>(&mut self, value: T) {
        if let Err(error) = self.arguments.add(value) {
            self.failed = Some(error);
        }
    }

    fn done(self) -> Result<SqliteArguments, StoreError> {
        match self.failed {
            None => Ok(self.arguments),
            Some(error) => Err(sqlx::Error::Encode(error).into()),
        }
    }
}
