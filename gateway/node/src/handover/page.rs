//! The cases that were handed over, a page at a time.

use std::collections::{BTreeSet, HashMap};

use exchange::handover::{Case, Offer};
use jiff::Timestamp;
use store::{StoreError, StoredStep};
use uuid::Uuid;

use super::terms;
use crate::core::Core;

/// Cases that one page looks through at most: who asks for what is rare gets a short page, and asks on.
pub const MAX_LOOKED_THROUGH: usize = 200;

/// Which cases. What is said of an offer is about the last of a case.
#[derive(Debug, Clone, Copy, Default)]
pub struct Wanted<'w> {
    /// Whether this organisation holds them.
    pub is_mine: Option<bool>,
    /// Whether they are offered to this organisation.
    pub is_to_me: Option<bool>,
    /// How the offer stands, by its name.
    pub state: Option<&'w str>,
    /// Whether it was not answered in time.
    pub is_overdue: Option<bool>,
}

/// A case that was handed over, as this organisation knows it.
#[derive(Debug)]
pub struct Known {
    /// Which.
    pub id: Uuid,
    /// How it stands.
    pub case: Case,
    /// By which messages.
    pub steps: Vec<StoredStep>,
    /// For which moment its terms are shown.
    pub moment: Timestamp,
}

impl Known {
    /// A case; nothing when it was not handed over.
    pub async fn read(core: &Core, id: Uuid) -> Result<Option<Self>, StoreError> {
        let Some((case, steps)) = super::case(core, id).await? else { return Ok(None) };
        Self::at(core, id, (case, steps)).await.map(Some)
    }

    async fn at(core: &Core, id: Uuid, (case, steps): (Case, Vec<StoredStep>)) -> Result<Self, StoreError> {
        let told = core.store.handover_told(id).await?;
        Ok(Self { id, case, steps, moment: terms::moment(&told, core.now()) })
    }

    /// Whether somebody did not respond in time.
    pub fn is_late(&self) -> bool {
        self.case.offers().iter().any(|offer| offer.is_overdue(self.moment))
    }
}

/// Some cases.
#[derive(Debug)]
pub struct Page {
    /// In the order in which they began.
    pub cases: Vec<Known>,
    /// There may be more after this one.
    pub more_after: Option<Uuid>,
}

/// At most `limit` of the cases after this one.
pub async fn page(
    core: &Core,
    wanted: &Wanted<'_>,
    (after, limit): (Option<Uuid>, usize),
) -> Result<Page, StoreError> {
    let found = core.store.handover_cases(after, MAX_LOOKED_THROUGH).await?;
    let ids: BTreeSet<Uuid> = found.iter().map(|one| one.case).collect();
    let mut steps = if ids.is_empty() { HashMap::default() } else { core.store.handover_steps(&ids).await? };
    let (mut cases, mut last) = (Vec::new(), None);
    for one in &found {
        if cases.len() >= limit {
            return Ok(Page { cases, more_after: last });
        }
        last = Some(one.case);
        let Some(steps) = steps.remove(&one.case) else { continue };
        let known = Known::at(core, one.case, (super::replayed(core, &steps), steps)).await?;
        if wanted.fits(core, &known) {
            cases.push(known);
        }
    }
    Ok(Page { cases, more_after: last.filter(|_| found.len() >= MAX_LOOKED_THROUGH) })
}

impl Wanted<'_> {
    fn fits(&self, core: &Core, Known { case, moment, .. }: &Known) -> bool {
        let offer = case.offers().last();
        let is = |wanted: Option<bool>, true_of: &dyn Fn(&Offer) -> bool| {
            wanted.is_none_or(|wanted| offer.is_some_and(true_of) == wanted)
        };
        self.is_mine.is_none_or(|mine| case.is_mine() == mine)
            && is(self.is_to_me, &|offer| offer.to == core.me)
            && is(self.is_overdue, &|offer| offer.is_overdue(*moment))
            && self.state.is_none_or(|state| offer.is_some_and(|offer| offer.state.as_str() == state))
    }
}
