//! Handovers: who holds a case, as each side derives it from the messages that it has.

mod offer;
mod stories;

use std::collections::BTreeMap;

use anyhow::Context as _;
use exchange::{
    handover::{Case, Notice},
    oin::Oin,
};
use serde::Serialize;
use uuid::Uuid;

use super::{Cast, clock::DemoClock};
use crate::{
    handover,
    node::{Node, Running},
};

/// What became of the handovers.
#[derive(Debug, Clone, Serialize)]
pub struct HandoverOutcome {
    /// Offers of this run, by how they stand.
    pub overdrachten: BTreeMap<&'static str, u64>,
    /// Who holds each case.
    pub regie: Vec<Holding>,
    /// How often a node reminded of the term that was left to end: once at each side.
    pub herinnerd: u64,
    /// How often a node escalated it.
    pub geescaleerd: u64,
}

/// Who holds a case.
#[derive(Debug, Clone, Serialize)]
pub struct Holding {
    /// The case.
    pub dossier: Uuid,
    /// Which of the stories it is.
    pub verhaal: &'static str,
    /// Who holds it, as the organisation that offered it last derives it.
    pub regie: Option<Oin>,
    /// The same, as each side of the last offer derives it.
    pub volgens: BTreeMap<Oin, Option<Oin>>,
    /// Whether both derive the same, also of how the offer stands.
    pub gelijk: bool,
}

/// How often was told of a term, at both sides together.
#[derive(Debug, Clone, Copy, Default)]
struct Told {
    reminded: u64,
    escalated: u64,
}

/// Plays them.
pub(super) async fn tell(
    players: &Cast<'_>,
    clock: &DemoClock,
    running: (&mut Vec<Running>, usize),
) -> anyhow::Result<HandoverOutcome> {
    let warm = stories::warm(players).await?;
    let door = stories::better_door(players).await?;
    let crossed = stories::crossing(players, running).await?;
    let (late, told) = stories::escalation(players, clock).await?;
    let mut outcome = HandoverOutcome {
        overdrachten: BTreeMap::new(),
        regie: Vec::new(),
        herinnerd: told.reminded,
        geescaleerd: told.escalated,
    };
    for (story, case) in [("warm", warm), ("andere-deur", door), ("gekruist", crossed), ("te-laat", late)] {
        let holding = holding(players, &mut outcome.overdrachten, (story, case)).await?;
        outcome.regie.push(holding);
    }
    Ok(outcome)
}

/// Counts the offers of a case, and says who holds it.
async fn holding(
    players: &Cast<'_>,
    states: &mut BTreeMap<&'static str, u64>,
    (verhaal, dossier): (&'static str, Uuid),
) -> anyhow::Result<Holding> {
    let mut known: BTreeMap<Oin, Case> = BTreeMap::new();
    for node in [players.municipality, players.social_service, players.uwv] {
        if let Some((case, _)) = handover::case(&node.core, dossier).await? {
            known.insert(node.core.me, case);
        }
    }
    // Each offer as its sender knows it.
    let mut offers: Vec<_> =
        known.iter().flat_map(|(me, case)| case.offers().iter().filter(|offer| offer.from == *me)).collect();
    offers.sort_by_key(|offer| offer.id);
    for offer in &offers {
        *states.entry(offer.state.as_str()).or_default() += 1;
    }
    let last = offers.last().context("een aanbod")?;
    let volgens: BTreeMap<Oin, Option<Oin>> = [last.from, last.to]
        .into_iter()
        .filter_map(|side| known.get(&side).map(|case| (side, case.holder())))
        .collect();
    let regie = volgens.get(&last.from).copied().flatten();
    let at_other = known.get(&last.to).and_then(|case| case.offers().iter().find(|one| one.id == last.id));
    let gelijk = volgens.len() == 2
        && volgens.values().all(|holder| *holder == regie)
        && at_other.is_some_and(|other| other.state == last.state);
    Ok(Holding { dossier, verhaal, regie, volgens, gelijk })
}

impl HandoverOutcome {
    /// Whether it went as it should, with these as municipality, social service and UWV.
    pub(super) fn adds_up(&self, [municipality, service, uwv]: [Oin; 3]) -> bool {
        let holders = self.regie.iter().map(|one| (one.verhaal, one.regie));
        let expected =
            [("warm", uwv), ("andere-deur", service), ("gekruist", service), ("te-laat", municipality)];
        holders.eq(expected.map(|(story, oin)| (story, Some(oin))))
            && self.regie.iter().all(|one| one.gelijk)
            && self.overdrachten == BTreeMap::from([("aangeboden", 1), ("afgewezen", 1), ("geaccepteerd", 4)])
            && (self.herinnerd, self.geescaleerd) == (2, 2)
    }
}

/// What was said in a case, as a node knows it.
async fn steps(node: &Node, case: Uuid) -> anyhow::Result<Vec<&'static str>> {
    let known = handover::case(&node.core, case).await?;
    let steps = known.into_iter().flat_map(|(_, steps)| steps);
    Ok(steps.map(|step| step.step.act.name()).collect())
}

/// How often a node told of a term of a case.
async fn told(node: &Node, case: Uuid, notice: Notice) -> anyhow::Result<u64> {
    let told = node.core.store.handover_told(case).await?;
    Ok(told.iter().filter(|one| one.notice == notice).count() as u64)
}
