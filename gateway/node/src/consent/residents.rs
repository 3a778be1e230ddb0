//! Whom a case is about, for messages that rest on a consent and name nobody: their consent must be that of this resident.

use std::collections::{BTreeSet, HashMap};

use exchange::consent::{CaseResident, ConsentKey};
use schemas::Document;
use store::StoreError;
use uuid::Uuid;

use crate::core::Core;

/// What is known of some cases.
#[derive(Debug, Default)]
pub(crate) struct Residents {
    asked: BTreeSet<Uuid>,
    known: HashMap<Uuid, CaseResident>,
}

impl Residents {
    /// What the store knows of these now.
    pub(crate) async fn of(core: &Core, asked: BTreeSet<Uuid>) -> Result<Self, StoreError> {
        Ok(Self { known: core.store.residents_of_cases(&asked).await?, asked })
    }

    /// Whom this one is about.
    pub(crate) fn about(&self, case: Option<Uuid>) -> Option<&CaseResident> {
        self.known.get(&case?)
    }

    /// A message that comes before others of the same batch belongs to the case: the first that names somebody says whom the
    /// case is about.
    pub(crate) fn learn(&mut self, case: Uuid, document: &Document, consent: Option<ConsentKey>) {
        if !self.asked.contains(&case) || self.known.contains_key(&case) {
            return;
        }
        if let Some(resident) = CaseResident::named_in(document, consent) {
            self.known.insert(case, resident);
        }
    }
}
