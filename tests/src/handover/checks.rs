//! What holds at any moment, and what holds when all messages have arrived.

use anyhow::ensure;
use exchange::handover::{Case, Offer, OfferState};
use store::{Direction, Filter, State};

use super::{
    operation::{CASES, Org},
    world::World,
};
use crate::simulation::three::Organisation as _;

impl World {
    /// A case that began is held by somebody, and by nobody beside another; and what was told stays told.
    pub(super) fn check_now(&mut self) -> anyhow::Result<()> {
        for case in 0..CASES {
            let known = self.all_know(case)?;
            let alone: Vec<_> = known.iter().filter(|(org, known)| self.holds_alone(*org, known)).collect();
            ensure!(alone.len() <= 1, "case {case} is held by more than one: {known:#?}");
            let is_begun = known.iter().any(|(_, known)| known.steps() > 0);
            let is_held = known.iter().any(|(_, known)| known.is_mine());
            ensure!(!is_begun || is_held, "case {case} is held by nobody: {known:#?}");
            for org in Org::THREE {
                let told = self.told(org, case)?;
                let before = self.told.insert((org, case), told.clone()).unwrap_or_default();
                let lost = before.iter().find(|one| !told.contains(one));
                ensure!(lost.is_none(), "{org:?} forgot what it told of case {case}: {lost:?}");
            }
        }
        Ok(())
    }

    fn all_know(&self, case: usize) -> anyhow::Result<Vec<(Org, Case)>> {
        Org::THREE.into_iter().map(|org| Ok((org, self.known(org, case)?))).collect()
    }

    /// Who offered a case to somebody that may have accepted says so: it does not hold it alone.
    fn holds_alone(&self, org: Org, known: &Case) -> bool {
        let waits = |offer: &Offer| offer.withdrawal.is_some_and(|one| !one.is_confirmed);
        let me = self.three.at(org).oin;
        let mut own = known.offers().iter().filter(|offer| offer.from == me);
        known.is_mine() && !known.offers().is_empty() && !own.any(|offer| offer.is_open() || waits(offer))
    }

    /// All messages have arrived: both sides of an offer know the same of it, and what it waits for.
    pub(super) fn check_settled(&mut self) -> anyhow::Result<()> {
        self.check_now()?;
        for case in 0..CASES {
            let known = self.all_know(case)?;
            let holders: Vec<Org> = known
                .iter()
                .filter(|(_, one)| one.is_mine() && !one.offers().is_empty())
                .map(|one| one.0)
                .collect();
            ensure!(holders.len() <= 1, "case {case} is held by {holders:?} when all is quiet: {known:#?}");
            self.coverage.handed_over +=
                u64::from(!holders.contains(&Org::Municipality) && !holders.is_empty());
            for (org, one) in &known {
                for offer in one.offers() {
                    self.check_offer((*org, case), offer)?;
                }
            }
        }
        for org in Org::THREE {
            self.check_quiet(org)?;
        }
        Ok(())
    }

    fn check_offer(&mut self, (org, case): (Org, usize), offer: &Offer) -> anyhow::Result<()> {
        let other = if offer.from == self.three.at(org).oin { offer.to } else { offer.from };
        let other = self.three.org(other)?;
        let theirs = self.known(other, case)?;
        self.coverage.crossed += u64::from(offer.is_accepted() && offer.withdrawal.is_some());
        // One that never came is known to who made it only; it was taken back or lapsed.
        let Some(theirs) = theirs.offer(offer.id) else {
            ensure!(
                offer.state != OfferState::Open,
                "{org:?} waits for an offer that {other:?} does not have"
            );
            return Ok(());
        };
        let of = |offer: &Offer| (offer.is_open(), offer.is_accepted(), offer.result, offer.first_contact);
        ensure!(of(offer) == of(theirs), "{org:?} and {other:?} differ: {offer:#?} {theirs:#?}");
        // What was given up may have been heard: then one side knows of a term that the other does not.
        let same_term = offer.term == theirs.term || self.coverage.sent_again > 0;
        ensure!(same_term, "{org:?} and {other:?} wait for something else: {offer:#?} {theirs:#?}");
        Ok(())
    }

    /// Nothing is left to do at a node, and what it told is of terms that its messages set, not before their moment.
    fn check_quiet(&mut self, org: Org) -> anyhow::Result<()> {
        let now = self.now(org);
        let left = self.three.at(org).steady(async |core| {
            let due = core.store.handovers_due(now, None, 10).await?;
            anyhow::Ok([core.store.handovers_to_do(None, 10).await?, due].concat())
        })??;
        ensure!(left.is_empty(), "{org:?} has yet to look at {left:?}");
        let refused = Filter {
            direction: Some(Direction::Outbound),
            state: Some(State::Refused),
            limit: store::MAX_ROWS_READ,
            ..Filter::default()
        };
        let refused = self.three.at(org).steady(async |core| core.store.messages(refused).await)??;
        self.coverage.refused += refused.len() as u64;
        for case in 0..CASES {
            let (told, known) = (self.told(org, case)?, self.known(org, case)?);
            for term in known.offers().iter().filter_map(|offer| offer.term) {
                let of_term = told.iter().filter(|one| one.set_by == term.set_by);
                for one in of_term {
                    ensure!(one.at >= term.moment(one.notice), "told too early: {one:?} of {term:?}");
                }
            }
        }
        Ok(())
    }
}
