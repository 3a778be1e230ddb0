//! What must hold at the end of every run.

use std::collections::BTreeSet;

use anyhow::{Context as _, ensure};
use exchange::{
    consent::WhatWasDone,
    entry::{Entry, ErasureCause},
};
use node::consent::ending::GRACE;
use store::{Check, ConsentNotice, ConsentRow, ConsentState, MessageRow, State, Verdict};

use super::{
    operation::{CONSENTS, Ground, Org},
    world::{Sent, World},
};

/// Checks all there is to check.
pub(super) fn everything(world: &mut World) -> anyhow::Result<()> {
    for org in Org::ALL {
        world.node(org).log_size = None;
        world.node(org).observe().with_context(|| format!("{org:?}"))?;
        log_is_whole(world, org).with_context(|| format!("the log of {org:?}"))?;
    }
    for consent in 0..CONSENTS {
        for org in Org::ALL {
            let context = || format!("consent {consent} at {org:?}");
            nothing_is_left(world, org, consent).with_context(context)?;
        }
        everybody_confirmed(world, consent).with_context(|| format!("consent {consent}"))?;
    }
    Ok(())
}

/// Every leaf is under the signed checkpoint, and every message is the one its leaf speaks of.
fn log_is_whole(world: &World, org: Org) -> anyhow::Result<()> {
    let node = world.at(org);
    let check = Check { anchors: Vec::new(), closed: false };
    let verdict = node.steady(async |core| core.store.verify(check, |_, _| {}).await)??;
    ensure!(matches!(verdict, Verdict::Whole { .. }), "{verdict:?}");
    Ok(())
}

fn known(world: &World, org: Org, consent: usize) -> anyhow::Result<Option<ConsentRow>> {
    let key = world.key(consent);
    Ok(world.at(org).steady(async |core| core.store.consent(key).await)??)
}

/// What rested on a consent that ended cannot be shown, what is kept rests on something else, and everything else is
/// still there.
fn nothing_is_left(world: &mut World, org: Org, consent: usize) -> anyhow::Result<()> {
    let known = known(world, org, consent)?;
    let state = known.as_ref().map(|known| known.state);
    let is_withdrawn = state == Some(ConsentState::Withdrawn);
    ensure!(is_withdrawn == world.over.contains(&(org, consent)), "{known:?}");
    if let Some(known) = &known {
        // What ran out a moment ago is left as it is for a while.
        let is_fresh = known.ended.is_some_and(|ended| ended + GRACE > world.at(org).now());
        let is_left = is_fresh && state == Some(ConsentState::Expired);
        ensure!(known.to_do == is_left, "something is left to do: {known:?}");
        let ran_out = known.valid_until.is_some_and(|until| until <= world.at(org).now());
        ensure!(!ran_out || state != Some(ConsentState::InForce), "it ran out: {known:?}");
    }
    world.coverage.expired += u64::from(state == Some(ConsentState::Expired));
    let ended = known.is_some_and(|known| known.state != ConsentState::InForce && !known.to_do);
    for row in world.all(org)? {
        let Some(sent) = row.id.and_then(|id| world.sent.get(&id)).copied() else { continue };
        if sent.consent == consent && (row.state != State::Refused || sent.way.from == org) {
            one_is_as_it_should_be(world, org, (&row, sent, ended)).with_context(|| format!("{row:?}"))?;
        }
    }
    Ok(())
}

fn one_is_as_it_should_be(
    world: &mut World,
    org: Org,
    (row, sent, ended): (&MessageRow, Sent, bool),
) -> anyhow::Result<()> {
    let is_readable = world.is_readable(org, row)?;
    match sent.ground {
        Ground::Task => ensure!(is_readable && row.consent.is_none(), "a task does not need consent"),
        Ground::Consent if ended => {
            ensure!(!is_readable, "it can still be read");
            has_evidence(world, org, row)?;
            world.coverage.erased += 1;
        }
        Ground::ConsentOrTask if ended => {
            ensure!(is_readable && row.consent.is_none(), "it is to be kept on another basis");
            world.coverage.kept += 1;
        }
        // It may have ended before it was extended.
        Ground::Consent | Ground::ConsentOrTask => {}
    }
    Ok(())
}

/// The log says that it was erased, and why.
fn has_evidence(world: &World, org: Org, row: &MessageRow) -> anyhow::Result<()> {
    let index = row.erased.context("erased without evidence")?;
    let leaves = world.at(org).steady(async |core| core.store.leaves(index, 1).await)??;
    match Entry::of_leaf(leaves.first().context("a leaf")?)? {
        Entry::Wissing { gewist, reden: ErasureCause::Withdrawal, .. } if gewist.contains(&row.index) => {
            Ok(())
        }
        other => anyhow::bail!("the evidence is {other:?}"),
    }
}

/// Everybody who was ever sent something heard of the withdrawal, did what the purpose asks, and told the holder.
fn everybody_confirmed(world: &mut World, consent: usize) -> anyhow::Result<()> {
    if known(world, Org::Holder, consent)?.is_none_or(|known| known.state != ConsentState::Withdrawn) {
        return Ok(());
    }
    let key = world.key(consent);
    let notices = world.at(Org::Holder).steady(async |core| core.store.consent_notices(key).await)??;
    let recipients: BTreeSet<Org> = world
        .sent
        .values()
        .filter(|sent| sent.is_under_consent() && sent.consent == consent)
        .map(|sent| sent.way.to)
        .filter(|org| *org != Org::Holder)
        .collect();
    for org in recipients {
        let oin = world.at(org).oin;
        let notice = notices.iter().find(|notice| notice.party == oin);
        let notice = notice.with_context(|| format!("{org:?} is not in the register"))?;
        is_confirmed(world, (org, consent), notice).with_context(|| format!("{org:?}: {notice:?}"))?;
    }
    Ok(())
}

fn is_confirmed(
    world: &mut World,
    (org, consent): (Org, usize),
    notice: &ConsentNotice,
) -> anyhow::Result<()> {
    let is_told = notice.message.as_ref().is_some_and(|message| message.state == State::Admitted);
    ensure!(is_told || notice.via.is_some(), "it was not told");
    ensure!(notice.confirmed.is_some(), "it did not confirm");
    world.coverage.via += u64::from(notice.via.is_some());
    ensure!(
        known(world, org, consent)?.is_some_and(|known| known.state == ConsentState::Withdrawn),
        "unknown"
    );
    let mine = |id, sent: &Sent| {
        sent.consent == consent
            && sent.is_under_consent()
            && (sent.way.from == org || world.admitted.contains(&(org, id)))
    };
    let mine: Vec<Sent> =
        world.sent.iter().filter(|(id, sent)| mine(**id, sent)).map(|(_, sent)| *sent).collect();
    let expected = if mine.iter().any(|sent| sent.ground == Ground::ConsentOrTask) {
        WhatWasDone::Bewaard
    } else if mine.is_empty() {
        WhatWasDone::Gestopt
    } else {
        WhatWasDone::Gewist
    };
    ensure!(notice.done == Some(expected), "it should have said {expected:?}");
    ensure!(
        notice.kept.as_ref().map(|kept| kept.soort)
            == (expected == WhatWasDone::Bewaard).then_some(World::KEPT_ON),
        "the basis is not said"
    );
    world.coverage.stopped += u64::from(expected == WhatWasDone::Gestopt);
    Ok(())
}
