//! Handovers: every message of a case is kept, what is decided about the next counts only if it was decided with all of them,
//! and what changed in a case is looked at.

use anyhow::{Context as _, Result};
use exchange::handover::{Case, Notice};
use jiff::SignedDuration;
use store::{HandoverCase, Looked, SentOutcome, State, Store, StoreError, StoredStep, TermTold};
use uuid::Uuid;

use super::{
    Database,
    given::{Maker, Offer as _, checkpoint, later, lease, now, partner, us},
    handed::{ANSWERED_IN, Handed},
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

/// This node looked and found nothing; says whether that counts.
async fn looked(store: &Store, seen: HandoverCase) -> Result<bool> {
    Ok(store.handover_looked_at(Looked { seen, told: Vec::new(), due: None }).await?)
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
    let first = store.handover_case(handed.case).await?.context("known")?;
    assert!(is_quiet(&store).await?, "an offer owes nobody anything");

    refuse(&store).await?;
    let seen = to_do(&store).await?;
    // A message more, which is refused while somebody looks.
    store.queue(vec![handed.withdraw(partner(0)?)?]).await?;
    assert!(to_do(&store).await?.changes > seen.changes);
    refuse(&store).await?;
    assert!(!looked(&store, seen).await?);
    let again = to_do(&store).await?;
    assert!(again.changes > seen.changes, "{again:?}");
    assert!(!looked(&store, first).await?);
    assert!(!is_quiet(&store).await?, "what was seen before that clears nothing");
    assert!(looked(&store, again).await?);
    assert!(is_quiet(&database.open().await?).await?);
    Ok(())
}

/// The partner refuses what waits for it.
async fn refuse(store: &Store) -> Result<()> {
    let taken = lease(store, partner(0)?).await?;
    let refused = SentOutcome::Refused { reason: "overdracht-al-beantwoord".into() };
    let outcomes = vec![refused; taken.messages().len()];
    store.record_receipt(&taken, &outcomes, "receipt".into(), checkpoint(1), now()).await?;
    Ok(())
}

/// A case is looked at when something is owed about it, until somebody looked; and for its terms when the first comes up.
pub async fn looks_at_what_is_owed(database: &impl Database) -> Result<()> {
    let store = database.create().await?;
    let mut handed = Handed::new(109);
    let offered = handed.offered(partner(0)?)?;
    let due = handed.known_to(us()?).first_due().context("an offer has a term")?;
    store.take_in(vec![offered]).await?;
    assert!(is_quiet(&store).await?);
    let minute = SignedDuration::from_mins(1);
    assert_eq!(store.handovers_due(due - minute, None, 10).await?, []);
    assert_eq!(store.handovers_due(due, None, 10).await?.len(), 1);

    store.take_in(vec![handed.withdrawn(partner(0)?)?]).await?;
    assert_eq!(store.handovers_due(later(ANSWERED_IN), None, 10).await?, [], "nothing is awaited any more");
    let seen = to_do(&store).await?;
    assert!(looked(&store, seen).await?);
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
    drop(taken);
    let seen = store.handover_case(handed.case).await?.context("known")?;
    store.queue(vec![handed.withdraw(partner(0)?)?]).await?;
    let seen_later = store.handover_case(handed.case).await?.context("known")?;
    assert!(seen_later.changes > seen.changes);
    assert!(is_quiet(&store).await?);
    let taken = lease(&store, partner(0)?).await?;
    store.record_undeliverable(&taken, "onbereikbaar", now()).await?;
    assert!(!looked(&store, seen_later).await?);
    let again = to_do(&store).await?;
    assert!(looked(&store, again).await?);
    assert!(is_quiet(&store).await?);
    Ok(())
}

/// Cases come in the order of their identifiers, as many as were asked for, after the one that was last.
pub async fn gives_cases_in_order(database: &impl Database) -> Result<()> {
    let store = database.create().await?;
    let mut cases = Vec::new();
    for seed in 110..115 {
        let mut handed = Handed::new(seed);
        store.take_in(vec![handed.offered(partner(0)?)?, handed.withdrawn(partner(0)?)?]).await?;
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
    assert!(looked(&store, seen).await?);
    let to_do = store.handovers_to_do(None, 9).await?;
    assert_eq!(to_do.len(), 4, "it is not to be looked at any more");
    assert_eq!(store.handover_cases(None, 9).await?.len(), 5);
    let many: std::collections::BTreeSet<Uuid> = (0..=1024).map(Uuid::from_u128).collect();
    assert!(matches!(store.handover_steps(&many).await, Err(StoreError::TooLarge { .. })));
    Ok(())
}

/// What was told of a term is kept once, with when to look again; not when something changed meanwhile.
pub async fn keeps_what_was_told_of_a_term(database: &impl Database) -> Result<()> {
    let store = database.create().await?;
    let mut handed = Handed::new(120);
    let offer = handed.offer(partner(0)?)?;
    let told = |notice, at| TermTold { set_by: offer.draft().id, notice, at };
    store.queue(vec![offer.clone()]).await?;
    let seen = store.handover_case(handed.case).await?.context("known")?;
    let reminder = told(Notice::Reminder, later(1));
    let look = |seen, told, due| store.handover_looked_at(Looked { seen, told, due });
    assert!(look(seen, vec![reminder], Some(later(5))).await?);
    assert!(is_quiet(&store).await?);
    assert_eq!(store.handovers_due(later(4), None, 10).await?, []);
    let due = store.handovers_due(later(5), None, 10).await?;
    assert_eq!(due, [HandoverCase { due: Some(later(5)), ..seen }], "at that very moment");
    // Told again, also by another handle: the first counts.
    let other_handle = database.open().await?;
    let again = Looked { seen, told: vec![told(Notice::Reminder, later(9))], due: Some(later(6)) };
    assert!(other_handle.handover_looked_at(again).await?);
    assert_eq!(other_handle.handover_told(handed.case).await?, [reminder]);

    store.take_in(vec![handed.declined(partner(0)?)?]).await?;
    assert!(!look(seen, vec![told(Notice::Escalation, later(6))], None).await?);
    assert_eq!(store.handover_told(handed.case).await?, [reminder], "it was answered meanwhile");
    assert_eq!(store.handovers_due(later(6), None, 10).await?, []);
    assert_eq!(store.handover_told(Maker::new(121).id()).await?, []);
    Ok(())
}

/// Terms that are due come in the order in which they ended, as many as were asked for, each case once.
pub async fn gives_terms_in_the_order_of_their_end(database: &impl Database) -> Result<()> {
    let store = database.create().await?;
    let mut expected = Vec::new();
    for (seed, minutes) in [(130, 3), (131, 1), (132, 2), (133, 2), (134, 9)] {
        let mut handed = Handed::new(seed);
        store.queue(vec![handed.offer(partner(0)?)?]).await?;
        let seen = store.handover_case(handed.case).await?.context("known")?;
        let due = Some(later(minutes));
        assert!(store.handover_looked_at(Looked { seen, told: Vec::new(), due }).await?);
        expected.push((later(minutes), handed.case));
    }
    expected.sort_unstable();
    expected.pop();
    for limit in [1, 2, 4, 9] {
        let mut found: Vec<HandoverCase> = Vec::new();
        loop {
            let page = store.handovers_due(later(8), found.last().copied(), limit).await?;
            assert!(page.len() <= limit);
            if page.is_empty() {
                break;
            }
            found.extend(page);
        }
        let found: Vec<_> = found.iter().filter_map(|one| Some((one.due?, one.case))).collect();
        assert_eq!(found, expected, "{limit} at a time");
    }
    Ok(())
}
