//! Small numbers for names that come back in every row: organisations, message types, purposes, reasons.

use std::{
    collections::{HashMap, HashSet},
    sync::LazyLock,
};

use exchange::{digest::Digest, oin::Oin};
use sqlx::{Row as _, SqliteConnection};

use super::{
    column::damaged,
    rows::{Part, Statement},
};
use crate::error::StoreError;

/// How many names are kept at hand. There are a few hundred in practice; who sends others costs a look-up.
const MAX_KEPT: usize = 4096;

static WORDS: LazyLock<Statement> =
    LazyLock::new(|| Statement::new(&Part::List("SELECT text, num FROM word WHERE text")));

static NEW_WORDS: LazyLock<Statement> =
    LazyLock::new(|| Statement::new(&Part::Insert("word", &["text"], "")));

static PARTIES: LazyLock<Statement> =
    LazyLock::new(|| Statement::new(&Part::List("SELECT oin, num FROM party WHERE oin")));

static NEW_PARTIES: LazyLock<Statement> =
    LazyLock::new(|| Statement::new(&Part::Insert("party", &["oin"], "")));

/// Numbers by name. Numbers never change, so what was once committed stays true.
#[derive(Debug, Default)]
pub(super) struct Names {
    words: HashMap<String, i64>,
    /// Agreements are named by their digest; keeping those apart saves writing them out for every message.
    agreements: HashMap<Digest, i64>,
    parties: HashMap<Oin, i64>,
}

/// Names that have no number at hand.
#[derive(Debug, Default)]
pub(super) struct Missing<'n> {
    words: HashSet<&'n str>,
    agreements: HashSet<Digest>,
    parties: HashSet<Oin>,
}

impl<'n> Missing<'n> {
    /// A word will be needed.
    pub(super) fn word(&mut self, names: &Names, word: &'n str) {
        if !names.words.contains_key(word) {
            self.words.insert(word);
        }
    }

    /// An agreement will be needed.
    pub(super) fn agreement(&mut self, names: &Names, agreement: Digest) {
        if !names.agreements.contains_key(&agreement) {
            self.agreements.insert(agreement);
        }
    }

    /// An organisation will be needed.
    pub(super) fn party(&mut self, names: &Names, party: Oin) {
        if !names.parties.contains_key(&party) {
            self.parties.insert(party);
        }
    }
}

impl Names {
    /// Finds or makes the numbers of all that is missing, in the current transaction.
    pub(super) async fn resolve(
        &mut self,
        connection: &mut SqliteConnection,
        missing: Missing<'_>,
    ) -> Result<(), StoreError> {
        let words = missing.words.into_iter().map(str::to_owned).collect();
        self.words.extend(numbers(connection, &WORDS, &NEW_WORDS, words).await?);

        let agreements = missing.agreements.iter().map(ToString::to_string).collect();
        for (text, number) in numbers(connection, &WORDS, &NEW_WORDS, agreements).await? {
            self.agreements.insert(text.parse().map_err(|_| damaged("a digest"))?, number);
        }

        let parties = missing.parties.iter().map(ToString::to_string).collect();
        for (text, number) in numbers(connection, &PARTIES, &NEW_PARTIES, parties).await? {
            self.parties.insert(text.parse().map_err(|_| damaged("an OIN"))?, number);
        }
        Ok(())
    }

    /// The number of a word that was resolved.
    pub(super) fn word(&self, text: &str) -> Result<i64, StoreError> {
        self.words.get(text).copied().ok_or(StoreError::NotFound("name"))
    }

    /// The number of an agreement that was resolved.
    pub(super) fn agreement(&self, digest: &Digest) -> Result<i64, StoreError> {
        self.agreements.get(digest).copied().ok_or(StoreError::NotFound("agreement"))
    }

    /// The number of an organisation that was resolved.
    pub(super) fn party(&self, oin: Oin) -> Result<i64, StoreError> {
        self.parties.get(&oin).copied().ok_or(StoreError::NotFound("organisation"))
    }

    /// Forgets what is at hand when it has become too much.
    pub(super) fn limit(&mut self) {
        if self.words.len() + self.agreements.len() + self.parties.len() > MAX_KEPT {
            *self = Self::default();
        }
    }
}

/// The numbers of those names, new ones for those that had none.
async fn numbers(
    connection: &mut SqliteConnection,
    select: &'static Statement,
    insert: &'static Statement,
    names: Vec<String>,
) -> Result<Vec<(String, i64)>, StoreError> {
    let mut numbers = look_up(connection, select, &names).await?;
    if numbers.len() < names.len() {
        let known: HashSet<&str> = numbers.iter().map(|(name, _)| name.as_str()).collect();
        let new: Vec<String> = names.into_iter().filter(|name| !known.contains(name.as_str())).collect();
        insert
            .insert(connection, &new, |name, values| {
                values.add(name.clone());
            })
            .await?;
        numbers.extend(look_up(connection, select, &new).await?);
    }
    Ok(numbers)
}

async fn look_up(
    connection: &mut SqliteConnection,
    select: &'static Statement,
    names: &[String],
) -> Result<Vec<(String, i64)>, StoreError> {
    let rows = select
        .list(connection, names, |name, values| {
            values.add(name.clone());
        })
        .await?;
    rows.iter().map(|row| Ok((row.try_get(0)?, row.try_get(1)?))).collect()
}
