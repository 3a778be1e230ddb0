//! Cases that are or were handed over.

use std::collections::{BTreeSet, HashMap, HashSet};

use exchange::oin::Oin;
use jiff::Timestamp;
use uuid::Uuid;

use super::{MAX_BATCH, MAX_ROWS_READ, Store, limited};
use crate::{
    error::StoreError,
    handovers::{HandoverCase, Looked, StoredStep, TermTold},
    sqlite::{change::Change, handover},
};

impl Store {
    /// The messages of the handovers in these cases, in the order of the log. What is not known is left out.
    pub async fn handover_steps(
        &self,
        cases: &BTreeSet<Uuid>,
    ) -> Result<HashMap<Uuid, Vec<StoredStep>>, StoreError> {
        limited("cases in one reading", cases.len(), MAX_BATCH)?;
        let cases: Vec<Uuid> = cases.iter().copied().collect();
        handover::steps(&mut *self.0.readers.acquire().await?, &cases).await
    }

    /// Which of these identifiers a partner used before: what comes under one again is not taken in once more.
    pub async fn bound_by(&self, from: Oin, ids: &[Uuid]) -> Result<HashSet<Uuid>, StoreError> {
        limited("identifiers in one reading", ids.len(), MAX_BATCH)?;
        handover::bound(&mut *self.0.readers.acquire().await?, from, ids).await
    }

    /// The cases that are or were handed over, after this one; at most `limit`.
    pub async fn handover_cases(
        &self,
        after: Option<Uuid>,
        limit: usize,
    ) -> Result<Vec<HandoverCase>, StoreError> {
        handover::cases(&mut *self.0.readers.acquire().await?, after, limit.min(MAX_ROWS_READ)).await
    }

    /// How a case is now, if it is or was handed over.
    pub async fn handover_case(&self, case: Uuid) -> Result<Option<HandoverCase>, StoreError> {
        handover::case(&mut *self.0.readers.acquire().await?, case).await
    }

    /// The cases at which this node has not looked since something changed, after this one; at most `limit`.
    pub async fn handovers_to_do(
        &self,
        after: Option<Uuid>,
        limit: usize,
    ) -> Result<Vec<HandoverCase>, StoreError> {
        handover::to_do(&mut *self.0.readers.acquire().await?, after, limit.min(MAX_ROWS_READ)).await
    }

    /// The cases of which a term came to its reminder or its end by now, the longest ago first, after this one; at most `limit`.
    pub async fn handovers_due(
        &self,
        now: Timestamp,
        after: Option<HandoverCase>,
        limit: usize,
    ) -> Result<Vec<HandoverCase>, StoreError> {
        handover::due(&mut *self.0.readers.acquire().await?, now, (after, limit.min(MAX_ROWS_READ))).await
    }

    /// What this node told of the terms in a case.
    pub async fn handover_told(&self, case: Uuid) -> Result<Vec<TermTold>, StoreError> {
        handover::told(&mut *self.0.readers.acquire().await?, case).await
    }

    /// This node looked at a case, and nothing is left to do about it as it was then. When something changed since, nothing of
    /// this is kept and it is to be looked at still; says whether it was kept.
    pub async fn handover_looked_at(&self, looked: Looked) -> Result<bool, StoreError> {
        limited("terms of a case that are told of at once", looked.told.len(), MAX_BATCH)?;
        Ok(self.change(Change::HandoverLookedAt(looked)).await? > 0)
    }
}
