//! Terms of offers at this node: reminding before they end, escalating when they ended, each once (see [`crate::terms`]).

use exchange::handover::{Case, Notice, Term};
use jiff::Timestamp;
use store::{HandoverCase, Looked, StoreError, TermTold};

use crate::{core::Core, terms::log};

/// Tells what is to be told of the terms in a case now, and keeps that with when to look again.
pub(super) async fn tell(core: &Core, seen: HandoverCase, known: &Case) -> Result<(), StoreError> {
    let told = core.store.handover_told(seen.case).await?;
    let (terms, due) = outlook(known, &told, core.now());
    let new = terms.iter().map(|(_, told)| *told).collect();
    if core.store.handover_looked_at(Looked { seen, told: new, due }).await? {
        for (term, told) in &terms {
            log(core, term, told.notice);
        }
    }
    Ok(())
}

/// What is to be told of which terms now, and when to look again.
fn outlook(case: &Case, told: &[TermTold], now: Timestamp) -> (Vec<(Term, TermTold)>, Option<Timestamp>) {
    let (mut new, mut due) = (Vec::new(), None);
    for term in case.offers().iter().filter_map(|offer| offer.term) {
        let (notice, next) = term.to_tell(|notice| was_told(told, &term, notice), now);
        new.extend(notice.map(|notice| (term, TermTold { set_by: term.set_by, notice, at: now })));
        due = [due, next].into_iter().flatten().min();
    }
    (new, due)
}

fn was_told(told: &[TermTold], term: &Term, notice: Notice) -> bool {
    told.iter().any(|one| (one.set_by, one.notice) == (term.set_by, notice))
}

/// The moment for which terms are shown: when the clock was set back it is that of what was told last.
pub fn moment(told: &[TermTold], now: Timestamp) -> Timestamp {
    told.iter().map(|one| one.at).fold(now, Timestamp::max)
}
