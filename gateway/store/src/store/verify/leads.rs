//! What leads to accesses and records of consents: no more than what those say themselves.

use std::collections::{BTreeMap, BTreeSet};

use exchange::{consent::ConsentRecord, person::LookupKeys};

use super::{Store, against::Fault};
use crate::{
    access::AccessRecord,
    error::StoreError,
    sqlite::{
        access, read_consents,
        verify_consents::{self as rows, Leads},
    },
    subject::{Token, Tokens},
};

/// Entries of which the rows that lead to them are counted at once, once it is known that there are too many.
const PART: u64 = 1 << 16;

impl Leads {
    /// Those to an access.
    pub(super) fn to_access(access: &AccessRecord) -> Self {
        let messages: BTreeSet<u64> = access.all_messages().collect();
        let tokens: BTreeSet<Token> = access.tokens().into_iter().collect();
        Self { by_message: messages.len() as u64, by_person: tokens.len() as u64, ..Self::default() }
    }

    /// Those to the record of a consent.
    pub(super) fn to_record(tokens: &BTreeSet<Token>) -> Self {
        Self { to_records: tokens.len() as u64, ..Self::default() }
    }

    pub(super) fn add(&mut self, other: Self) {
        self.to_records += other.to_records;
        self.by_message += other.by_message;
        self.by_person += other.by_person;
    }
}

impl Store {
    /// The first entry of a log of this size to which something leads that its record does not name. `named` is what the
    /// records name: that all of it is there was seen.
    pub(super) async fn first_misled(&self, size: u64, named: Leads) -> Result<Option<Fault>, StoreError> {
        if rows::leads(&mut *self.0.readers.acquire().await?, size).await? == named {
            return Ok(None);
        }
        for from in (0..size).step_by(usize::try_from(PART).unwrap_or(usize::MAX)) {
            let to = size.min(from + PART);
            let mut leads = rows::leads_of(&mut *self.0.readers.acquire().await?, (from, to)).await?;
            self.take_named(&mut leads).await?;
            if let Some(index) = leads.into_keys().next() {
                return Ok(Some(Fault { index, what: MISLED }));
            }
        }
        Ok(None)
    }

    /// Takes those away to which no more leads than their record names, and those whose record was erased.
    async fn take_named(&self, leads: &mut BTreeMap<u64, Leads>) -> Result<(), StoreError> {
        let mut reader = self.0.readers.acquire().await?;
        let indexes: Vec<u64> = leads.keys().copied().collect();
        for index in indexes {
            let named = match access::at(&mut reader, &self.0.vault, index).await {
                Ok(Some(access)) => Some(Leads::to_access(&access)),
                Ok(None) => {
                    let text = read_consents::recorded_at(&mut reader, &self.0.vault, index).await?;
                    let record = text.and_then(|text| ConsentRecord::from_stored(&text).ok());
                    record.map(|record| Leads::to_record(&self.leading_to(&record)))
                }
                Err(StoreError::Corrupt(_)) => None,
                Err(error) => return Err(error),
            };
            if named == leads.get(&index).copied() || self.0.vault.entries.is_destroyed(index) {
                leads.remove(&index);
            }
        }
        Ok(())
    }

    /// By what the resident of a record of a consent is found.
    pub(super) fn leading_to(&self, record: &ConsentRecord) -> BTreeSet<Token> {
        let Tokens { bsn, place } = self.tokens(&LookupKeys::of(record.document()));
        [bsn, place].into_iter().flatten().collect()
    }
}

const MISLED: &str =
    "wat bij deze regel hoort is te vinden bij een bericht of persoon waar het niet over gaat";
