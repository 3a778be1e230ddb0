//! Signals of several senders about one resident or household: joined, suggested, decided, forgotten.

use std::collections::BTreeSet;

use anyhow::{Context as _, Result};
use exchange::{
    entry::ErasureCause,
    message::{Draft, SignedMessage},
    person::{Clue, Clues},
};
use jiff::{SignedDuration, Timestamp};
use schemas::{Document, SchemaName};
use serde_json::{Value, json};
use store::{Access, AccessFilter, Deed, Store, StoreError};

use super::{
    Database,
    agreed::sign,
    consented::Consented,
    given::{Maker, Offer as _, admitted, later, now, partner},
    person::somebody,
};
use crate::signal::arrears;

/// How far apart signals may be received.
const PERIOD: SignedDuration = SignedDuration::from_hours(365 * 24);

/// Somebody at the address of all of them.
pub fn resident(surname: &str, initials: &str, born: &str) -> Value {
    let mut resident = arrears()["betrokkene"].clone();
    resident["naam"] = json!({ "achternaam": surname, "voorletters": initials });
    resident["geboortedatum"] = born.into();
    resident
}

fn brouwer(initials: &str) -> Value {
    resident("Brouwer", initials, "1974-01-20")
}

/// A signal about this resident, as this partner sends it.
pub fn about(maker: &Maker, from: usize, resident: &Value) -> Result<SignedMessage> {
    let mut data = arrears();
    data["betrokkene"] = resident.clone();
    let document = Document::parse(SchemaName::PaymentArrears, data.to_string().as_bytes())?;
    sign(Draft { document, ..maker.signal(partner(from)?)? })
}

/// Takes in signals of these partners about these residents.
async fn take_in(store: &Store, maker: &Maker, signals: &[(usize, Value)]) -> Result<()> {
    let arrivals = signals.iter().map(|(from, resident)| admitted(&about(maker, *from, resident)?, now()));
    store.take_in(arrivals.collect::<Result<_>>()?).await?;
    Ok(())
}

/// Holds all that came in against each other.
pub async fn match_all(store: &Store, at: Timestamp) -> Result<()> {
    while store.match_signals((PERIOD, at), 3).await?.more {}
    Ok(())
}

/// The signals that belong together, and the pairs that are suggested with their clues.
async fn state(store: &Store, at: Timestamp) -> Result<(Vec<Vec<u64>>, Vec<(u64, u64, Clues)>)> {
    let together = store.multiple_signals(None, at, 100).await?;
    let indexes = |one: &store::MultipleSignal| one.signals.iter().map(|signal| signal.row.index).collect();
    let mut together: Vec<Vec<u64>> = together.iter().map(indexes).collect();
    together.sort_unstable();
    let suggested = store.suggestions(None, at, 100).await?;
    let pair = |one: &store::Suggestion| (one.one.index, one.other.index, one.clues);
    let mut suggested: Vec<_> = suggested.iter().map(pair).collect();
    suggested.sort_unstable_by_key(|(one, other, _)| (*one, *other));
    Ok((together, suggested))
}

fn clues(clues: &[Clue]) -> Clues {
    clues.iter().copied().collect()
}

fn deciding() -> Result<Access> {
    somebody(Deed::Besluit)
}

/// What is written the same joins, from whomever and in whatever part of the log; what nearly is, is suggested once.
pub async fn joins_signals_of_several_senders(database: &impl Database) -> Result<()> {
    let store = database.create().await?;
    let maker = Maker::new(71);
    let signals = [
        (1, brouwer("E.")),
        (1, brouwer("E.")),
        (2, brouwer("E.")),
        (2, resident("Visser", "K.", "1980-05-06")),
        (3, brouwer("E.")),
        (3, resident("Brouwer-Jansen", "E.", "1974-01-20")),
        (4, brouwer("E.")),
    ];
    take_in(&store, &maker, &signals).await?;
    // What is no signal, and what is sent, take no part.
    store.queue(vec![maker.outgoing(partner(1)?)?]).await?;
    assert_eq!(state(&store, now()).await?, (vec![], vec![]));
    let size = store.log_size().await?;
    match_all(&store, now()).await?;
    let found = state(&store, now()).await?;
    let household = clues(&[Clue::Household]);
    // Of two groups it is asked once.
    let suggested = vec![(1, 3, household), (2, 5, clues(&[Clue::PartnerName])), (3, 5, household)];
    assert_eq!(found, (vec![vec![0, 1, 2, 4, 6]], suggested));
    assert_eq!(store.log_size().await?, size, "nobody looked");
    let other_handle = database.open().await?;
    match_all(&other_handle, now()).await?;
    assert_eq!(state(&other_handle, now()).await?, found, "each is done once");
    let one = &store.multiple_signals(None, now(), 1).await?[0];
    assert!(one.signals.iter().all(|signal| signal.access.is_none()));
    assert_eq!(store.multiple_signal(one.number, now()).await?.context("known")?.signals.len(), 5);
    assert!(store.multiple_signals(Some(one.number), now(), 10).await?.is_empty());
    // What one sender sent of one resident is no signal of several.
    take_in(
        &store,
        &maker,
        &[(5, resident("Alleen", "A.", "1950-01-01")), (5, resident("Alleen", "A.", "1950-01-01"))],
    )
    .await?;
    match_all(&store, now()).await?;
    assert_eq!(state(&store, now()).await?.0.len(), 1);
    Ok(())
}

/// What somebody decided stays decided, also for what comes later; and can be decided otherwise.
pub async fn remembers_what_was_decided(database: &impl Database) -> Result<()> {
    let store = database.create().await?;
    let maker = Maker::new(72);
    take_in(&store, &maker, &[(1, brouwer("E.")), (2, brouwer("E.J.")), (3, brouwer("E.M."))]).await?;
    match_all(&store, now()).await?;
    let asked = state(&store, now()).await?;
    assert_eq!(asked.1.len(), 3);
    store.join_signals(deciding()?, 0, 1).await?;
    let (together, suggested) = state(&store, now()).await?;
    assert_eq!((together, suggested.len()), (vec![vec![0, 1]], 2));
    store.keep_signals_apart(deciding()?, 2, 1).await?;
    assert_eq!(state(&store, now()).await?, (vec![vec![0, 1]], vec![]));
    // Decided of the group.
    take_in(&store, &maker, &[(4, brouwer("E.M.")), (4, brouwer("E.J."))]).await?;
    match_all(&store, now()).await?;
    assert_eq!(state(&store, now()).await?, (vec![vec![0, 1, 6], vec![2, 5]], vec![]));

    // Taken out, it does not come back by itself, and neither is it asked.
    store.split_signals(deciding()?, BTreeSet::from([1])).await?;
    match_all(&store, now()).await?;
    assert_eq!(state(&store, now()).await?, (vec![vec![0, 6], vec![2, 5]], vec![]));
    // What is the same as both of those is suggested for each.
    take_in(&store, &maker, &[(5, brouwer("E.J."))]).await?;
    match_all(&store, now()).await?;
    let (together, suggested) = state(&store, now()).await?;
    assert_eq!(together, [[0, 6], [2, 5]]);
    let kept = clues(&[Clue::KeptApart]);
    assert_eq!(suggested, [(1, 8, kept), (5, 8, clues(&[Clue::OtherInitials])), (6, 8, kept)]);
    // And decided otherwise after all.
    store.join_signals(deciding()?, 1, 6).await?;
    store.join_signals(deciding()?, 8, 0).await?;
    assert_eq!(state(&store, now()).await?, (vec![vec![0, 1, 6, 8], vec![2, 5]], vec![]));
    let records = AccessFilter { message: Some(1), limit: 10, ..AccessFilter::default() };
    let records = store.accesses(somebody(Deed::Raadplegingen)?, records).await?.records;
    assert_eq!(records.len(), 5);
    assert!(records.iter().all(|record| record.what == Deed::Besluit && !record.searched_person));
    let by = store.multiple_signals(None, now(), 10).await?;
    let by = by.iter().flat_map(|one| &one.signals).find(|signal| signal.row.index == 1);
    assert!(by.and_then(|signal| signal.access).is_some());
    Ok(())
}

/// What cannot be decided is refused, and changes nothing.
pub async fn refuses_what_cannot_be_decided(database: &impl Database) -> Result<()> {
    let store = database.create().await?;
    let maker = Maker::new(73);
    let signals = [(1, brouwer("E.")), (2, brouwer("E.")), (3, resident("Visser", "K.", "1980-05-06"))];
    take_in(&store, &maker, &signals).await?;
    match_all(&store, now()).await?;
    let before = state(&store, now()).await?;
    assert!(matches!(store.join_signals(deciding()?, 0, 99).await, Err(StoreError::NotFound(_))));
    for refused in [
        store.join_signals(deciding()?, 0, 1).await,
        store.keep_signals_apart(deciding()?, 0, 1).await,
        store.split_signals(deciding()?, BTreeSet::from([0, 1])).await,
        store.split_signals(deciding()?, BTreeSet::from([2])).await,
        store.split_signals(deciding()?, BTreeSet::new()).await,
    ] {
        assert!(matches!(refused, Err(StoreError::NotFound(_))), "{refused:?}");
    }
    assert_eq!(state(&store, now()).await?, before);
    Ok(())
}

/// Of what was erased nothing is left: it joins nothing, is in nothing, is suggested for nothing.
pub async fn forgets_what_was_erased(database: &impl Database) -> Result<()> {
    let store = database.create().await?;
    let maker = Maker::new(74);
    let signals = [
        (1, brouwer("E.")),
        (2, brouwer("E.")),
        (3, brouwer("E.")),
        (4, resident("Visser", "K.", "1980-05-06")),
    ];
    take_in(&store, &maker, &signals).await?;
    match_all(&store, now()).await?;
    assert_eq!(state(&store, now()).await?.0, [[0, 1, 2]]);
    assert!(!state(&store, now()).await?.1.is_empty());
    store.erase(vec![2, 3], ErasureCause::Request, now()).await?;
    assert_eq!(state(&store, now()).await?, (vec![vec![0, 1]], vec![]));
    store.erase(vec![1], ErasureCause::Retention, now()).await?;
    assert_eq!(state(&store, now()).await?, (vec![], vec![]));
    store.erase(vec![0], ErasureCause::Withdrawal, now()).await?;
    take_in(&store, &maker, &[(5, brouwer("E."))]).await?;
    match_all(&store, now()).await?;
    assert_eq!(state(&store, now()).await?, (vec![], vec![]));
    Ok(())
}

/// What rests on a consent that ended matches nothing, from that moment.
pub async fn matches_nothing_under_an_ended_consent(database: &impl Database) -> Result<()> {
    let store = database.create().await?;
    let maker = Maker::new(75);
    let consent = Consented::theirs(76)?;
    let mut same = arrears()["betrokkene"].clone();
    same["geboortedatum"] = "1974-01-01".into();
    store.take_in(vec![consent.incoming()?]).await?;
    take_in(&store, &maker, &[(2, same.clone())]).await?;
    match_all(&store, now()).await?;
    assert_eq!(state(&store, now()).await?.0, [[0, 1]]);
    assert_eq!(state(&store, consent.after()).await?.0, Vec::<Vec<u64>>::new(), "its time ran out");
    store.take_in(vec![consent.withdrawal()?]).await?;
    assert_eq!(state(&store, now()).await?.0, Vec::<Vec<u64>>::new(), "it was withdrawn");
    take_in(&store, &maker, &[(3, same)]).await?;
    match_all(&store, now()).await?;
    let size = store.log_size().await?;
    assert_eq!(state(&store, now()).await?.0, [[1, size - 1]]);
    Ok(())
}

/// Longer ago than the period is another time.
pub async fn joins_within_the_period_only(database: &impl Database) -> Result<()> {
    let store = database.create().await?;
    let maker = Maker::new(77);
    for (from, minutes) in [(1, 0), (2, 30), (3, 55)] {
        let signal = about(&maker, from, &brouwer("E."))?;
        store.take_in(vec![admitted(&signal, later(minutes))?]).await?;
    }
    while store.match_signals((SignedDuration::from_mins(28), later(60)), 10).await?.more {}
    assert_eq!(state(&store, later(60)).await?.0, [[1, 2]]);
    Ok(())
}
