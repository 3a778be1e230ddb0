//! Handovers: every message of a case is kept, what is decided about the next counts only if it was decided with all of them,
//! and what changed in a case is looked at.

use anyhow::{Context as _, Result};
use exchange::handover::Case;
use store::{HandoverCase, SentOutcome, State, Store, StoreError, StoredStep};
use uuid::Uuid;

use super::{
    Database,
    given::{Maker, Offer as _, checkpoint, lease, now, partner, us},
    handed::Handed,
};

async fn steps(store: &Store, case: Uuid) -> Result<Vec<StoredStep>> {
    Ok(store.handover_steps(&[case].into()).await?.remove(&case).unwrap_or_default())
}

/// The case as the store knows it.
async fn known(store: &Store, case: Uuid) -> Result<Case> {
    let steps = steps(store, case).await?;
    Ok(Case::replay(us()?, steps.iter().map(|step| (&step.step, step.standing()))))
}

/// The case, which is to be looked at.
async fn to_do(store: &Store) -> Result<HandoverCase> {
    let to_do = store.handovers_to_do(None, 10).await?;
    anyhow::ensure!(to_do.len() == 1, "{to_do:?}");
    to_do.first().copied().context("one")
}

async fn is_quiet(store: &Store) -> Result<bool> {
    Ok(store.handovers_to_do(None, 10).await?.is_empty())
}

/// What was sent and what came, in the order of the log, with how it is with each.
pub async fn keeps_the_steps_of_a_case(database: &impl Database) -> Result<()> {
    let store = database.create().await?;
    let mut handed = Handed::new(101);
    store.queue(vec![handed.offer(partner(0)?)?]).await?;
    store.queue(Maker::new(102).outgoings(partner(0)?, 2)?).await?;
    store.take_in(vec![handed.declined(partner(0)?)?]).await?;
    store.queue(vec![handed.offer(partner(1)?)?]).await?;
    let other_handle = database.open().await?;
    let found = steps(&other_handle, handed.case).await?;
    assert_eq!(found.iter().map(|step| step.step.clone()).collect::<Vec<_>>(), handed.steps);
    let places: Vec<_> = found.iter().map(|step| (step.index, step.state)).collect();
    assert_eq!(places, [(0, State::Waiting), (3, State::Admitted), (4, State::Waiting)]);
    assert_eq!(known(&other_handle, handed.case).await?, handed.known_to(us()?));
    assert!(steps(&other_handle, Maker::new(103).id()).await?.is_empty());
    assert_eq!(store.handover_case(Maker::new(103).id()).await?, None);
    Ok(())
}

/// Who did not know the last message of a case decides again; nothing of the batch is kept then, and other cases are not
/// touched by it.
pub async fn refuses_what_was_decided_without_the_last_step(database: &impl Database) -> Result<()> {
    let store = database.create().await?;
    let mut handed = Handed::new(104);
    store.queue(vec![handed.offer(partner(0)?)?]).await?;
    let mut stale = handed.clone();
    store.take_in(vec![handed.declined(partner(0)?)?]).await?;
    let withdrawal = stale.withdraw(partner(0)?)?;
    let size = store.log_size().await?;
    let batch = vec![Maker::new(105).outgoing(partner(1)?)?, withdrawal];
    assert!(matches!(store.queue(batch).await, Err(StoreError::RulesChanged)));
    let accepted = handed_before(&handed, 1).accepted(partner(0)?)?;
    assert!(matches!(store.take_in(vec![accepted]).await, Err(StoreError::RulesChanged)));
    assert_eq!(store.log_size().await?, size);
    assert_eq!(steps(&store, handed.case).await?.len(), 2);
    // And of two handles only one says the next.
    let (one, other) = (handed.clone().offer(partner(0)?)?, handed.clone().offer(partner(1)?)?);
    let other_handle = database.open().await?;
    let said = [store.queue(vec![one]).await.is_ok(), other_handle.queue(vec![other]).await.is_ok()];
    assert_eq!(said, [true, false]);
    store.queue(vec![Handed::new(106).offer(partner(0)?)?]).await?;
    Ok(())
}

/// The same case when it had so many messages.
fn handed_before(handed: &Handed, steps: usize) -> Handed {
    let mut before = handed.clone();
    before.steps.truncate(steps);
    before
}

/// Whatever changes in a case, it is looked at once more: also when a message is refused or given up meanwhile, which makes no
/// new message of it.
pub async fn looks_again_at_what_changed_meanwhile(database: &impl Database) -> Result<()> {
    let store = database.create().await?;
    let mut handed = Handed::new(107);
    store.queue(vec![handed.offer(partner(0)?)?]).await?;
    let first = to_do(&store).await?;
    assert_eq!(store.handover_case(handed.case).await?, Some(first));
    store.handover_looked_at(first).await?;
    assert!(is_quiet(&store).await?, "nothing changed since");

    // A message more.
    store.queue(vec![handed.withdraw(partner(0)?)?]).await?;
    let seen = to_do(&store).await?;
    // Refused while somebody looks.
    let taken = lease(&store, partner(0)?).await?;
    let refused = SentOutcome::Refused { reason: "overdracht-al-beantwoord".into() };
    let outcomes = vec![refused; taken.messages().len()];
    store.record_receipt(&taken, &outcomes, "receipt".into(), checkpoint(1), now()).await?;
    store.handover_looked_at(seen).await?;
    let again = to_do(&store).await?;
    assert!(again.changes > seen.changes, "{again:?}");
    store.handover_looked_at(first).await?;
    assert!(!is_quiet(&store).await?, "what was seen before that clears nothing");
    store.handover_looked_at(again).await?;
    assert!(is_quiet(&database.open().await?).await?);
    Ok(())
}

/// A message that is given up is a change too, and what is admitted is none.
pub async fn looks_again_at_what_was_given_up(database: &impl Database) -> Result<()> {
    let store = database.create().await?;
    let mut handed = Handed::new(108);
    store.queue(vec![handed.offer(partner(0)?)?]).await?;
    let taken = lease(&store, partner(0)?).await?;
    super::given::admit(&store, &taken).await?;
    let seen = to_do(&store).await?;
    store.queue(vec![handed.withdraw(partner(0)?)?]).await?;
    let seen_later = to_do(&store).await?;
    assert!(seen_later.changes > seen.changes);
    let taken = lease(&store, partner(0)?).await?;
    store.record_undeliverable(&taken, "onbereikbaar", now()).await?;
    store.handover_looked_at(seen_later).await?;
    let again = to_do(&store).await?;
    store.handover_looked_at(again).await?;
    assert!(is_quiet(&store).await?);
    Ok(())
}

/// Cases come in the order of their identifiers, as many as were asked for, after the one that was last.
pub async fn gives_cases_in_order(database: &impl Database) -> Result<()> {
    let store = database.create().await?;
    let mut cases = Vec::new();
    for seed in 110..115 {
        let mut handed = Handed::new(seed);
        store.queue(vec![handed.offer(partner(0)?)?]).await?;
        cases.push(handed.case);
    }
    cases.sort_unstable();
    for limit in [1, 2, 5, 9] {
        let (mut all, mut due) = (Vec::new(), Vec::new());
        loop {
            let page = store.handover_cases(all.last().copied(), limit).await?;
            assert!(page.len() <= limit);
            let to_do = store.handovers_to_do(due.last().copied(), limit).await?;
            due.extend(to_do.iter().map(|one| one.case));
            if page.is_empty() {
                break;
            }
            all.extend(page.iter().map(|one| one.case));
        }
        assert_eq!((&all, &due), (&cases, &cases), "{limit} at a time");
    }
    let seen = store.handover_case(cases[1]).await?.context("known")?;
    store.handover_looked_at(seen).await?;
    let to_do = store.handovers_to_do(None, 9).await?;
    assert_eq!(to_do.len(), 4, "it is not to be looked at any more");
    assert_eq!(store.handover_cases(None, 9).await?.len(), 5);
    let many: std::collections::BTreeSet<Uuid> = (0..=1024).map(Uuid::from_u128).collect();
    assert!(matches!(store.handover_steps(&many).await, Err(StoreError::TooLarge { .. })));
    Ok(())
}
