//! Consents, their end, and what may not slip through then.

use std::collections::BTreeSet;

use anyhow::{Context as _, Result};
use exchange::{
    consent::{Kept, WhatWasDone},
    entry::ConsentHappening,
    policy::ConsentKnowledge,
    refusal::Reason,
};
use schemas::BasisKind;
use store::{ConsentRow, ConsentState, Enqueued, Filter, MessageRow, Outgoing, State, Store, StoreError};
use tokio::task::JoinSet;

use super::{
    Database,
    consented::Consented,
    given::{Maker, Offer as _, indexes, later, lease, now, partner, queued},
};
use crate::withdrawal::operation::Ground;

async fn knowledge(store: &Store, consent: &Consented) -> Result<Option<ConsentKnowledge>> {
    let keys = BTreeSet::from([consent.key]);
    Ok(store.consent_knowledge(&keys).await?.get(&consent.key).copied())
}

async fn known(store: &Store, consent: &Consented) -> Result<ConsentRow> {
    store.consent(consent.key).await?.context("a consent that is known")
}

async fn rows(store: &Store) -> Result<Vec<MessageRow>> {
    Ok(store.messages(Filter { limit: 500, ..Filter::default() }).await?)
}

/// The reason of what does not leave any more.
fn withdrawn() -> (State, Option<String>) {
    (State::Undeliverable, Some(store::WITHDRAWN_REASON.to_owned()))
}

async fn finish(store: &Store, dealt_with: &ConsentRow, consent: &Consented) -> Result<(), StoreError> {
    let leaf = consent.leaf(ConsentHappening::Verwerkt);
    store.finish_consent(store.rules_version().await?, dealt_with, Vec::new(), Some(leaf)).await
}

async fn tell(store: &Store, messages: Vec<Outgoing>) -> Result<Vec<Enqueued>> {
    Ok(store.tell_of_end(store.rules_version().await?, messages).await?)
}

/// What was recorded can be read, version by version, and no other can.
pub async fn knows_what_was_recorded(database: &impl Database) -> Result<()> {
    let store = database.create().await?;
    let (first, second) = (Consented::ours(80)?, Consented::ours(81)?);
    assert_eq!(knowledge(&store, &first).await?, None);
    assert_eq!(first.record_in(&store).await??, 0);
    assert_eq!(second.record_in(&store).await??, 1);
    let longer = first.extended(5000)?;
    assert_eq!(longer.record_in(&store).await??, 2);
    assert_eq!(knowledge(&store, &first).await?, Some(ConsentKnowledge::ValidUntil(longer.until())));

    let row = known(&store, &first).await?;
    assert_eq!((row.state, row.to_do, row.ended), (ConsentState::InForce, true, None), "others do not know");
    assert_eq!(row.extract, Some(longer.extract()?));
    // A shorter one that comes later takes nothing away.
    assert_eq!(first.record_in(&store).await??, 3);
    assert_eq!(known(&store, &first).await?.valid_until, Some(longer.until()));
    let versions: Vec<u64> =
        store.consent_records(first.key).await?.into_iter().map(|record| record.index).collect();
    assert_eq!(versions, [0, 2, 3]);
    let all = store.consents(None, None, 10).await?;
    assert_eq!(all.iter().map(|row| row.key).collect::<Vec<_>>(), [first.key, second.key]);
    let rest = store.consents(Some(first.key.holder), Some(first.key), 10).await?;
    assert_eq!(rest.iter().map(|row| row.key).collect::<Vec<_>>(), [second.key]);
    assert!(store.consents(Some(partner(1)?), None, 10).await?.is_empty());
    Ok(())
}

/// From the moment it was withdrawn nothing under it is leased or sent again, also after reopening; everything else is.
pub async fn ends_what_waits(database: &impl Database) -> Result<()> {
    let store = database.create().await?;
    let (consent, other) = (Consented::ours(82)?, Consented::ours(83)?);
    consent.record_in(&store).await??;
    let to = partner(1)?;
    store.queue(vec![consent.outgoing(to)?, other.outgoing(to)?, consent.outgoing(partner(2)?)?]).await?;
    assert!(consent.withdraw_in(&store).await?);
    assert!(!consent.withdraw_in(&store).await?, "twice is once");
    assert_eq!(knowledge(&store, &consent).await?, Some(ConsentKnowledge::Withdrawn));

    let states: Vec<_> = rows(&store).await?.into_iter().map(|row| (row.state, row.reason)).collect();
    assert_eq!(states, [withdrawn(), (State::Waiting, None), withdrawn()]);
    let counts: u64 =
        store.counts().await?.iter().filter(|one| one.state == State::Waiting).map(|one| one.count).sum();
    assert_eq!(counts, 1);
    assert!(matches!(store.resend(1, now()).await, Err(StoreError::NotFound(_))));
    let under_way = lease(&store, to).await?;
    assert_eq!(indexes(&under_way), [2]);
    drop(under_way);
    drop(store);

    let store = database.open().await?;
    assert_eq!(indexes(&lease(&store, to).await?), [2]);
    assert!(store.lease_due(partner(2)?, now(), super::given::ALL).await?.is_none());
    assert_eq!(known(&store, &consent).await?.statement, Some(consent.statement()?));
    // It is final.
    let longer = consent.extended(5000)?;
    assert_eq!(longer.record_in(&store).await?, Err(StoreError::RulesChanged));
    assert_eq!(known(&store, &consent).await?.state, ConsentState::Withdrawn);
    Ok(())
}

/// What was decided before the withdrawal and comes after it is decided again.
pub async fn keeps_nothing_that_was_decided_before(database: &impl Database) -> Result<()> {
    let store = database.create().await?;
    let (ours, theirs) = (Consented::ours(84)?, Consented::theirs(85)?);
    ours.record_in(&store).await??;
    let (message, arrival) = (ours.outgoing(partner(1)?)?, theirs.incoming()?);
    ours.withdraw_in(&store).await?;
    store.take_in(vec![theirs.withdrawal()?]).await?;
    let size = store.log_size().await?;
    assert_eq!(store.queue(vec![message]).await, Err(StoreError::RulesChanged));
    assert_eq!(store.take_in(vec![arrival]).await.err(), Some(StoreError::RulesChanged));
    assert_eq!(store.log_size().await?, size, "nothing of it is kept");
    Ok(())
}

/// A withdrawal that comes in counts in the same transaction: for what waits, and for what comes behind it.
pub async fn takes_a_withdrawal_in(database: &impl Database) -> Result<()> {
    let store = database.create().await?;
    let consent = Consented::theirs(86)?;
    store.take_in(vec![consent.incoming()?]).await?;
    store.queue(vec![consent.outgoing(partner(1)?)?]).await?;
    let (withdrawal, late) = (consent.withdrawal()?, consent.incoming()?);
    let both = vec![withdrawal.clone(), late.clone()];
    assert_eq!(store.take_in(both).await.err(), Some(StoreError::RulesChanged), "decided too early");
    store.take_in(vec![withdrawal.clone()]).await?;
    store.take_in(vec![withdrawal]).await?;

    let row = known(&store, &consent).await?;
    assert_eq!((row.state, row.told_by, row.to_do), (ConsentState::Withdrawn, Some(2), true));
    assert_eq!(row.statement, Some(consent.statement()?));
    let passed_on = &rows(&store).await?[1];
    assert_eq!((passed_on.state, passed_on.reason.clone()), withdrawn());
    assert_eq!(store.consent_copies(consent.key, 10).await?, [0, 1]);
    assert_eq!(store.consents_to_do((now(), now()), 10).await?.len(), 1);
    assert_eq!(store.first_received_under(consent.key).await?, Some(0));

    // Of one that was not known nothing is used either.
    let unknown = Consented::theirs(87)?;
    store.take_in(vec![unknown.withdrawal()?]).await?;
    assert_eq!(store.take_in(vec![unknown.incoming()?]).await.err(), Some(StoreError::RulesChanged));
    assert_eq!(store.first_received_under(unknown.key).await?, None);
    Ok(())
}

/// What a partner reports counts at once, before the holder signs the withdrawal.
pub async fn takes_a_report_in(database: &impl Database) -> Result<()> {
    let store = database.create().await?;
    let (ours, theirs) = (Consented::ours(88)?, Consented::theirs(89)?);
    ours.record_in(&store).await??;
    store.queue(vec![ours.outgoing(partner(1)?)?]).await?;
    store.take_in(vec![ours.report(partner(1)?)?, theirs.incoming()?]).await?;
    let row = known(&store, &ours).await?;
    assert_eq!((row.state, row.reported, row.to_do), (ConsentState::InForce, Some(now()), true));
    assert_eq!(knowledge(&store, &ours).await?, Some(ConsentKnowledge::Withdrawn));
    assert_eq!(rows(&store).await?[0].state, State::Undeliverable);
    assert_eq!(store.queue(vec![ours.outgoing(partner(2)?)?]).await, Err(StoreError::RulesChanged));
    assert!(ours.withdraw_in(&store).await?);

    // At the one who reports.
    store.queue(vec![theirs.outgoing(partner(1)?)?]).await?;
    store.stop_consent(theirs.key, now(), now()).await?;
    assert_eq!(knowledge(&store, &theirs).await?, Some(ConsentKnowledge::Withdrawn));
    assert_eq!(rows(&store).await?.last().map(|row| row.state), Some(State::Undeliverable));
    assert!(known(&store, &theirs).await?.to_do, "the holder must be told");
    Ok(())
}

/// The holder is told once of what was withdrawn here, and again when that was refused or given up, until it says so.
pub async fn tells_the_holder_until_it_withdraws(database: &impl Database) -> Result<()> {
    let store = database.create().await?;
    let consent = Consented::theirs(100)?;
    store.take_in(vec![consent.incoming()?]).await?;
    store.stop_consent(consent.key, now(), now()).await?;
    let told = queued(&tell(&store, vec![consent.told_holder()?]).await?)?[0];
    let again = tell(&store, vec![consent.told_holder()?]).await?;
    assert_eq!(again, [Enqueued::AlreadyOffered { index: told }]);
    let row = known(&store, &consent).await?;
    assert_eq!((row.reported, row.reported_by), (Some(now()), Some((told, State::Waiting))));
    assert!(store.consent_notices(consent.key).await?.is_empty(), "it does not confirm anything");
    finish(&store, &row, &consent).await?;
    assert_eq!(store.remind_of_ends(now()).await?, 0, "it waits");
    let under_way = lease(&store, consent.key.holder).await?;
    assert_eq!(indexes(&under_way), [told]);
    store.record_undeliverable(&under_way, "niet-bereikbaar", now()).await?;
    drop(under_way);
    drop(store);

    let store = database.open().await?;
    assert_eq!(known(&store, &consent).await?.reported_by, Some((told, State::Undeliverable)));
    assert_eq!(store.remind_of_ends(now()).await?, 1);
    assert_eq!(store.remind_of_ends(now()).await?, 0, "it is to do by now");
    let to_do = store.consents_to_do((now(), now()), 10).await?;
    assert_eq!(to_do.iter().map(|row| row.key).collect::<Vec<_>>(), [consent.key]);
    let second = queued(&tell(&store, vec![consent.told_holder()?]).await?)?[0];
    finish(&store, &known(&store, &consent).await?, &consent).await?;
    let under_way = lease(&store, consent.key.holder).await?;
    store.record_undeliverable(&under_way, "niet-bereikbaar", now()).await?;
    drop(under_way);
    assert_eq!(known(&store, &consent).await?.reported_by, Some((second, State::Undeliverable)));

    store.take_in(vec![consent.withdrawal()?]).await?;
    finish(&store, &known(&store, &consent).await?, &consent).await?;
    assert_eq!(store.remind_of_ends(now()).await?, 0, "the holder said so");
    Ok(())
}

/// Only the holder's own signature ends a consent, whoever says it.
pub async fn takes_no_withdrawal_by_someone_who_may_not(database: &impl Database) -> Result<()> {
    let store = database.create().await?;
    let consent = Consented::theirs(99)?;
    store.take_in(vec![consent.incoming()?]).await?;
    store.queue(vec![consent.outgoing(partner(1)?)?]).await?;
    store.take_in(vec![consent.forged_withdrawal(partner(2)?)?]).await?;
    let all = rows(&store).await?;
    assert_eq!(all[2].reason.as_deref(), Some(Reason::NotTheirsToSay.code()));
    assert_eq!(all[1].state, State::Waiting);
    let row = known(&store, &consent).await?;
    assert_eq!((row.state, row.to_do), (ConsentState::InForce, false));
    Ok(())
}

/// Everybody who was sent something is told once, before anything else.
pub async fn tells_everybody_once(database: &impl Database) -> Result<()> {
    let store = database.create().await?;
    let consent = Consented::ours(90)?;
    consent.record_in(&store).await??;
    let (one, two) = (partner(1)?, partner(2)?);
    store.queue(Maker::new(91).outgoings(one, 1)?).await?;
    store.queue(vec![consent.outgoing(one)?, consent.outgoing(one)?, consent.outgoing(two)?]).await?;
    consent.withdraw_in(&store).await?;
    let untold: Vec<_> = store.untold(consent.key).await?.into_iter().map(|one| one.party).collect();
    assert_eq!(untold, [one, two]);
    let ended = State::Undeliverable;
    assert_eq!(store.shared_under(consent.key).await?, [(one, ended), (two, ended)]);
    let told = tell(&store, vec![consent.notice(one)?, consent.notice(two)?]).await?;
    let told = queued(&told)?;
    assert!(store.untold(consent.key).await?.is_empty());
    let again = tell(&store, vec![consent.notice(one)?]).await?;
    assert_eq!(again, [Enqueued::AlreadyOffered { index: told[0] }]);
    assert_eq!(indexes(&lease(&store, one).await?), [told[0], 1]);
    let notices = store.consent_notices(consent.key).await?;
    assert_eq!(notices.len(), 2);
    assert!(notices.iter().all(|notice| notice.confirmed.is_none() && notice.message.is_some()));
    Ok(())
}

/// Also when a command and the node tell it in one transaction.
pub async fn tells_once_in_one_transaction(database: &impl Database) -> Result<()> {
    let store = database.create().await?;
    let one = partner(1)?;
    for round in 0..8 {
        let (ours, theirs) = (Consented::ours(300 + round)?, Consented::theirs(320 + round)?);
        ours.record_in(&store).await??;
        ours.withdraw_in(&store).await?;
        store.take_in(vec![theirs.incoming()?]).await?;
        store.stop_consent(theirs.key, now(), now()).await?;
        let notices =
            (0..8).map(|_| Ok(vec![ours.notice(one)?, theirs.told_holder()?])).collect::<Result<Vec<_>>>()?;
        // While something else is written, these gather.
        let (busy, others) = (store.clone(), Maker::new(400 + round).outgoings(one, 200)?);
        let busy = tokio::spawn(async move { busy.queue(others).await });
        let mut tasks = JoinSet::new();
        for messages in notices {
            let store = store.clone();
            tasks.spawn(async move { tell(&store, messages).await });
        }
        busy.await??;
        let mut told = [0, 0];
        while let Some(enqueued) = tasks.join_next().await {
            for (told, one) in told.iter_mut().zip(enqueued??) {
                *told += u8::from(matches!(one, Enqueued::Queued { .. }));
            }
        }
        assert_eq!(told, [1, 1], "round {round}");
    }
    Ok(())
}

/// What became of what was shared: the best of it counts.
pub async fn knows_what_reached_whom(database: &impl Database) -> Result<()> {
    let store = database.create().await?;
    let consent = Consented::ours(101)?;
    consent.record_in(&store).await??;
    let (one, two) = (partner(1)?, partner(2)?);
    store.queue(vec![consent.outgoing(one)?, consent.outgoing(two)?]).await?;
    let waiting = [(one, State::Waiting), (two, State::Waiting)];
    assert_eq!(store.shared_under(consent.key).await?, waiting);
    let under_way = lease(&store, one).await?;
    store.record_undeliverable(&under_way, "niet-bereikbaar", now()).await?;
    drop(under_way);
    assert_eq!(store.shared_under(consent.key).await?[0], (one, State::Undeliverable));
    store.queue(vec![consent.outgoing(one)?]).await?;
    assert_eq!(store.shared_under(consent.key).await?, waiting);
    Ok(())
}

/// A notice that was given up is told again; one that was confirmed is not.
pub async fn tells_again_what_was_not_taken(database: &impl Database) -> Result<()> {
    let store = database.create().await?;
    let consent = Consented::ours(92)?;
    consent.record_in(&store).await??;
    let one = partner(1)?;
    store.queue(vec![consent.outgoing(one)?]).await?;
    consent.withdraw_in(&store).await?;
    tell(&store, vec![consent.notice(one)?]).await?;
    let row = known(&store, &consent).await?;
    finish(&store, &row, &consent).await?;
    assert_eq!(store.remind_of_ends(now()).await?, 0, "it waits");
    let under_way = lease(&store, one).await?;
    store.record_undeliverable(&under_way, "niet-bereikbaar", now()).await?;
    drop(under_way);
    assert_eq!(store.remind_of_ends(now()).await?, 1);
    assert_eq!(store.remind_of_ends(now()).await?, 0, "it is to do by now");
    assert!(known(&store, &consent).await?.to_do);
    assert_eq!(store.untold(consent.key).await?.len(), 1);
    queued(&tell(&store, vec![consent.notice(one)?]).await?)?;
    store.take_in(vec![consent.confirmation(one, ("gewist", 1))?]).await?;
    assert!(store.untold(consent.key).await?.is_empty());
    Ok(())
}

/// Once, and only what is still as it was when it was dealt with: what ended in another way meanwhile is still to do.
pub async fn finishes_what_is_still_so(database: &impl Database) -> Result<()> {
    let store = database.create().await?;
    let consent = Consented::ours(93)?;
    consent.record_in(&store).await??;
    let leaf = || consent.leaf(ConsentHappening::Verlopen);
    assert!(store.expire_consent(consent.key, leaf(), consent.after()).await?);
    let expired = known(&store, &consent).await?;
    consent.withdraw_in(&store).await?;
    assert!(matches!(finish(&store, &expired, &consent).await, Err(StoreError::NotFound(_))));
    let row = known(&store, &consent).await?;
    assert!(row.to_do, "nobody was told of the withdrawal yet");
    finish(&store, &row, &consent).await?;
    assert!(!known(&store, &consent).await?.to_do);
    assert!(matches!(finish(&store, &row, &consent).await, Err(StoreError::NotFound(_))));

    let reported = Consented::ours(94)?;
    reported.record_in(&store).await??;
    store.expire_consent(reported.key, leaf(), reported.after()).await?;
    let expired = known(&store, &reported).await?;
    store.take_in(vec![reported.report(partner(1)?)?]).await?;
    assert!(matches!(finish(&store, &expired, &reported).await, Err(StoreError::NotFound(_))));
    assert!(known(&store, &reported).await?.to_do);
    Ok(())
}

/// Not before, and an extension takes it back.
pub async fn ends_when_the_time_has_come(database: &impl Database) -> Result<()> {
    let store = database.create().await?;
    let consent = Consented::ours(95)?;
    consent.record_in(&store).await??;
    store.queue(vec![consent.outgoing(partner(1)?)?]).await?;
    let leaf = || consent.leaf(ConsentHappening::Verlopen);
    assert!(!store.expire_consent(consent.key, leaf(), now()).await?, "its time has not come");
    assert!(store.consents_to_do((now(), now()), 10).await?.is_empty());
    let after = consent.after();
    assert_eq!(store.consents_to_do((now(), after), 10).await?.len(), 1);
    assert!(store.expire_consent(consent.key, leaf(), after).await?);
    assert!(!store.expire_consent(consent.key, leaf(), after).await?);
    let row = known(&store, &consent).await?;
    assert_eq!((row.state, row.ended, row.to_do), (ConsentState::Expired, Some(consent.until()), true));
    let ended = &rows(&store).await?[0];
    let reason = Some(Reason::ConsentExpired.code());
    assert_eq!((ended.state, ended.reason.as_deref()), (State::Undeliverable, reason), "not withdrawn");
    assert!(store.consents_to_do((now(), after), 10).await?.is_empty(), "a while later");
    assert_eq!(store.consents_to_do((after, after), 10).await?.len(), 1);

    let longer = consent.extended(5000)?;
    longer.record_in(&store).await??;
    assert!(matches!(finish(&store, &row, &consent).await, Err(StoreError::NotFound(_))));
    let row = known(&store, &consent).await?;
    assert_eq!((row.state, row.ended, row.to_do), (ConsentState::InForce, None, true), "others do not know");
    finish(&store, &row, &consent).await?;
    // What had been decided to have run out has not.
    assert!(!store.expire_consent(consent.key, leaf(), after).await?);
    // The message itself lives an hour.
    store.resend(1, now()).await?;
    Ok(())
}

/// What is kept on another basis does not count as a copy, and that basis stays known. It does not leave on it.
pub async fn keeps_on_another_basis(database: &impl Database) -> Result<()> {
    let store = database.create().await?;
    let consent = Consented::ours(96)?;
    consent.record_in(&store).await??;
    let to = partner(1)?;
    store.queue(vec![consent.outgoing(to)?, consent.outgoing_on(to, Ground::ConsentOrTask)?]).await?;
    consent.withdraw_in(&store).await?;
    let kept = Kept { soort: BasisKind::PublicTask, artikelen: vec!["Wmo 2015 art. 2.3.2".into()] };
    store.release_from_consent(consent.key, (vec![2], &kept), now()).await?;
    assert_eq!(store.consent_copies(consent.key, 10).await?, [1]);
    let consents: Vec<_> = rows(&store).await?.into_iter().map(|row| row.consent).collect();
    assert_eq!(consents, [Some(consent.key), None]);
    assert_eq!(known(&store, &consent).await?.kept, Some(kept));
    assert!(matches!(store.resend(2, now()).await, Err(StoreError::NotFound(_))));
    assert_eq!(store.untold(consent.key).await?.len(), 1, "who was sent it must know");
    Ok(())
}

/// What partners did when the time ran out says nothing of the withdrawal after an extension, and an older answer nothing
/// against a newer.
pub async fn forgets_what_was_said_of_an_earlier_end(database: &impl Database) -> Result<()> {
    let store = database.create().await?;
    let consent = Consented::ours(97)?;
    consent.record_in(&store).await??;
    let one = partner(1)?;
    store.queue(vec![consent.outgoing(one)?]).await?;
    let done = async || {
        let notices = store.consent_notices(consent.key).await?;
        anyhow::Ok(notices.first().and_then(|notice| notice.done))
    };
    store.take_in(vec![consent.confirmation(one, ("gewist", 1))?]).await?;
    assert_eq!(done().await?, None, "there was nothing to do yet");
    store.expire_consent(consent.key, consent.leaf(ConsentHappening::Verlopen), consent.after()).await?;
    store.take_in(vec![consent.confirmation(one, ("gewist", 1))?]).await?;
    assert_eq!(done().await?, Some(WhatWasDone::Gewist));
    consent.withdraw_in(&store).await?;
    assert_eq!(done().await?, None);
    tell(&store, vec![consent.notice(one)?]).await?;
    store.take_in(vec![consent.confirmation(one, ("gewist", 3))?]).await?;
    store.take_in(vec![consent.confirmation(one, ("gestopt", 2))?]).await?;
    assert_eq!(done().await?, Some(WhatWasDone::Gewist), "the older one came later");

    let again = Consented::ours(98)?;
    again.record_in(&store).await??;
    store.expire_consent(again.key, again.leaf(ConsentHappening::Verlopen), again.after()).await?;
    store.take_in(vec![again.confirmation(one, ("gewist", 1))?]).await?;
    again.extended(5000)?.record_in(&store).await??;
    assert_eq!(store.consent_notices(again.key).await?[0].confirmed, None);
    Ok(())
}

/// When is shown as far as it can be so, and of two the later counts by the clock of who says it. To whom it was passed on
/// is believed as far as the consent names them.
pub async fn believes_a_confirmation_as_far_as_it_can(database: &impl Database) -> Result<()> {
    let store = database.create().await?;
    let consent = Consented::ours(102)?;
    consent.record_in(&store).await??;
    consent.withdraw_in(&store).await?;
    let (one, two, stranger) = (partner(1)?, partner(2)?, partner(40)?);
    let noticed = async |party| {
        let notices = store.consent_notices(consent.key).await?;
        anyhow::Ok(notices.into_iter().find(|notice| notice.party == party))
    };
    store.take_in(vec![consent.confirmation(one, ("gestopt", -60))?]).await?;
    let early = noticed(one).await?.context("a confirmation")?;
    assert_eq!(early.confirmed, Some(now()), "not before the withdrawal");
    // Both are ahead, and the second overtook the first.
    store.take_in(vec![consent.confirmation(one, ("gewist", 3))?]).await?;
    store.take_in(vec![consent.confirmation(one, ("gestopt", 2))?]).await?;
    let ahead = noticed(one).await?.context("a confirmation")?;
    assert_eq!((ahead.confirmed, ahead.done), (Some(now()), Some(WhatWasDone::Gewist)), "not after it came");
    // A clock that is years ahead does not make it the last word.
    store.take_in(vec![consent.confirmation(two, ("gestopt", 1_000_000))?]).await?;
    store
        .take_in(vec![consent.confirmation_with(two, ("gewist", 1_000_000), &[partner(3)?, stranger])?])
        .await?;
    assert_eq!(noticed(two).await?.and_then(|notice| notice.done), Some(WhatWasDone::Gewist));
    assert_eq!(noticed(partner(3)?).await?.and_then(|notice| notice.via), Some(two));
    assert!(noticed(stranger).await?.is_none(), "the resident did not agree to that one");
    Ok(())
}

/// A confirmation is for who may have something.
pub async fn knows_who_may_confirm(database: &impl Database) -> Result<()> {
    let store = database.create().await?;
    let (consent, unknown) = (Consented::ours(103)?, Consented::ours(104)?);
    consent.record_in(&store).await??;
    let (named, stranger) = (partner(1)?, partner(40)?);
    let claims = [(consent.key, named), (consent.key, stranger), (unknown.key, named)];
    let may = store.may_confirm(claims.into()).await?;
    assert_eq!(may, BTreeSet::from([(consent.key, named)]));
    Ok(())
}

/// Queueing and withdrawing at the same time: nothing waits afterwards.
pub async fn queues_nothing_after_a_withdrawal(database: &impl Database) -> Result<()> {
    let store = database.create().await?;
    for round in 0..8 {
        let consent = Consented::ours(200 + round)?;
        consent.record_in(&store).await??;
        let mut tasks = JoinSet::new();
        for number in 0..16 {
            let (store, messages) = (store.clone(), vec![consent.outgoing(partner(number % 4)?)?]);
            tasks.spawn(async move { store.queue(messages).await });
        }
        tokio::task::yield_now().await;
        assert!(consent.withdraw_in(&store).await?);
        // Nothing waits now, and what comes now is too late.
        while let Some(queued) = tasks.join_next().await {
            let queued = queued?;
            assert!(matches!(queued, Ok(_) | Err(StoreError::RulesChanged)), "{queued:?}");
        }
        let waits = rows(&store).await?.into_iter().filter(|row| row.state == State::Waiting).count();
        assert_eq!(waits, 0, "round {round}");
        for number in 0..4 {
            assert!(store.lease_due(partner(number)?, now(), super::given::ALL).await?.is_none());
        }
    }
    Ok(())
}

/// What is leased was chosen before the withdrawal returned.
pub async fn leases_nothing_after_a_withdrawal(database: &impl Database) -> Result<()> {
    let store = database.create().await?;
    let to = partner(1)?;
    for round in 0..8 {
        let consent = Consented::ours(220 + round)?;
        consent.record_in(&store).await??;
        let messages = (0..20).map(|_| consent.outgoing(to)).collect::<Result<Vec<_>>>()?;
        store.queue(messages).await?;
        let (leasing, withdrawing) = (store.clone(), store.clone());
        let one = store::BatchLimit { count: 1, ..super::given::ALL };
        let leased = tokio::spawn(async move {
            let mut leases = Vec::new();
            while let Some(lease) = leasing.lease_due(to, now(), one).await? {
                leases.push(lease);
            }
            Ok::<_, StoreError>(leases)
        });
        tokio::task::yield_now().await;
        assert!(consent.withdraw_in(&withdrawing).await?);
        let after = store.lease_due(to, now(), one).await?;
        assert!(after.is_none(), "round {round}");
        // What was chosen before ends as its receiver says.
        drop(leased.await??);
        assert!(store.lease_due(to, now(), one).await?.is_none(), "round {round}, given back");
    }
    Ok(())
}

/// A command withdraws while a node runs on the same file: one of them is first, and both hold to it.
pub async fn withdraws_once_from_two_handles(database: &impl Database) -> Result<()> {
    let store = database.create().await?;
    let command = database.open().await?;
    for round in 0..4 {
        let consent = Consented::ours(240 + round)?;
        consent.record_in(&store).await??;
        store.queue(vec![consent.outgoing(partner(1)?)?]).await?;
        let late = consent.outgoing(partner(1)?)?;
        let both = tokio::join!(consent.withdraw_in(&store), consent.withdraw_in(&command));
        assert_eq!(u8::from(both.0?) + u8::from(both.1?), 1, "round {round}");
        assert_eq!(store.queue(vec![late]).await, Err(StoreError::RulesChanged));
        assert!(store.lease_due(partner(1)?, now(), super::given::ALL).await?.is_none());
    }
    // Withdrawn there, and queued and leased here.
    let consent = Consented::ours(250)?;
    consent.record_in(&store).await??;
    let late = consent.outgoing(partner(1)?)?;
    store.queue(vec![consent.outgoing(partner(1)?)?]).await?;
    assert!(consent.withdraw_in(&command).await?);
    assert_eq!(store.queue(vec![late]).await, Err(StoreError::RulesChanged));
    assert!(store.lease_due(partner(1)?, later(1), super::given::ALL).await?.is_none());
    Ok(())
}

/// Filing and a withdrawal that comes in at the same time: the log says nothing was admitted behind it.
pub async fn files_nothing_after_a_withdrawal(database: &impl Database) -> Result<()> {
    let store = database.create().await?;
    for round in 0..8 {
        let consent = Consented::theirs(260 + round)?;
        let mut tasks = JoinSet::new();
        for _ in 0..12 {
            let (store, arrivals) = (store.clone(), vec![consent.incoming()?]);
            tasks.spawn(async move { store.take_in(arrivals).await.map(drop) });
        }
        let (filing, withdrawal) = (store.clone(), consent.withdrawal()?);
        tasks.spawn(async move { filing.take_in(vec![withdrawal]).await.map(drop) });
        while let Some(filed) = tasks.join_next().await {
            let filed = filed?;
            assert!(matches!(filed, Ok(()) | Err(StoreError::RulesChanged)), "{filed:?}");
        }
        let told = known(&store, &consent).await?.told_by.context("a withdrawal")?;
        let copies = store.consent_copies(consent.key, 100).await?;
        assert!(copies.iter().all(|copy| *copy < told), "round {round}: {copies:?} and {told}");
    }
    Ok(())
}
