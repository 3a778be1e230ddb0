//! Terms of signals: noted once, told once, met by who received the signal, and of what is gone nothing is told.

use anyhow::{Context as _, Result};
use exchange::{
    deadline::Deadline, entry::ErasureCause, handover::Notice, id::made_at, message::SignedMessage,
    signal::Said,
};
use jiff::Timestamp;
use schemas::{Document, SchemaName};
use serde_json::json;
use store::{
    EventKind, Meeting, NotedSignals, SentOutcome, SignalLooked, SignalTerm, SignalTerms, Store, TermState,
};
use uuid::Uuid;

use super::{
    Database,
    agreed::{agreed, sign},
    consented::Consented,
    given::{Maker, Offer as _, admitted, checkpoint, later, lease, now, partner},
    handed::Handed,
};

/// Looks through everything that is new; gives what it found.
async fn note(store: &Store) -> Result<NotedSignals> {
    let news = store.signal_news().await?;
    anyhow::ensure!(!news.more, "{news:?}");
    let (mut signals, mut feedback) = (Vec::new(), Vec::new());
    for row in &news.rows {
        let text = store.payload_for_machine_check(row.index).await?;
        let document = exchange::message::document_of(&text).context("a message")?;
        if document.schema().is_signal() {
            signals.push(row.index);
        }
        if let Some(said) = Said::of(&document).filter(|said| said.meets) {
            let at = row.id.and_then(made_at).context("an identifier of that time")?;
            feedback.push(Meeting { index: row.index, signal: said.signal, at });
        }
    }
    let noted = NotedSignals { from: news.from, through: news.through, signals, feedback };
    store.note_signals(noted.clone()).await?;
    Ok(noted)
}

/// Feedback that says how it ended, about this signal.
fn feedback(maker: &Maker, to: usize, (signal, case): (Uuid, Uuid)) -> Result<SignedMessage> {
    let mut draft = maker.draft(partner(to)?)?;
    let mut value = agreed()?.feedback.value().clone();
    value["inhoud"] = json!({ "bericht_id": signal, "resultaat": "(Budget)advies en/of quick fix" });
    draft.document = Document::parse(SchemaName::Feedback, value.to_string().as_bytes())?;
    draft.case = case;
    sign(draft)
}

/// A signal of this partner: what names it, and its message.
fn signal(maker: &Maker, from: usize) -> Result<((Uuid, Uuid), SignedMessage)> {
    let message = sign(maker.signal(partner(from)?)?)?;
    Ok(((message.draft().id, message.draft().case), message))
}

fn deadline(minutes: i64) -> Deadline {
    Deadline { respond_before: later(minutes), remind_at: later(minutes / 2) }
}

async fn term(store: &Store, index: u64, at: Timestamp) -> Result<SignalTerm> {
    store.signal_term(index, at).await?.context("a signal")
}

/// Looks at a signal as `seen`, whose term takes so long, and tells this.
fn look(seen: SignalTerm, minutes: i64, told: Option<(Notice, Timestamp)>) -> SignalLooked {
    let deadline = Some(deadline(minutes));
    SignalLooked { seen, deadline, met: seen.met, told, due: Some(later(minutes)) }
}

async fn looked(store: &Store, looked: &SignalLooked, at: Timestamp) -> Result<bool> {
    Ok(store.signal_terms_looked_at(vec![*looked], at).await? > 0)
}

async fn to_do(store: &Store) -> Result<Vec<u64>> {
    let found = store.signal_terms_to_do(None, now(), 10).await?;
    Ok(found.iter().map(|one| one.index).collect())
}

async fn due(store: &Store, at: Timestamp) -> Result<Vec<u64>> {
    let found = store.signal_terms_due(None, at, 10).await?;
    Ok(found.iter().map(|one| one.index).collect())
}

/// Signals and feedback come once, whoever looks; what is neither, and what was refused, does not.
pub async fn notes_each_signal_once(database: &impl Database) -> Result<()> {
    let store = database.create().await?;
    let maker = Maker::new(501);
    let (one, first) = signal(&maker, 1)?;
    store.take_in(vec![admitted(&first, now())?, maker.refused(partner(1)?)?]).await?;
    store.queue(vec![Handed::new(502).offer(partner(0)?)?]).await?;
    store.queue(vec![feedback(&maker, 1, one)?]).await?;
    let other_handle = database.open().await?;
    let noted = note(&other_handle).await?;
    assert_eq!((noted.signals.as_slice(), noted.feedback[0].index), (&[0][..], 3));
    assert!(!store.note_signals(noted).await?, "somebody else was first");
    assert!(store.signal_news().await?.rows.is_empty());
    assert_eq!(to_do(&store).await?, [0]);
    assert_eq!(store.signal_met(0).await?, made_at(feedback_id(&store, 3).await?));
    assert_eq!(store.signal_term(3, now()).await?, None, "feedback has no term");
    Ok(())
}

async fn feedback_id(store: &Store, index: u64) -> Result<Uuid> {
    store.logged(index).await?.and_then(|row| row.id).context("an identifier")
}

/// The end of a term is what it was first and each is told once, also by another handle; not when something changed.
pub async fn tells_each_once_of_a_signal(database: &impl Database) -> Result<()> {
    let store = database.create().await?;
    store.keep_events(true).await?;
    let maker = Maker::new(503);
    let (one, message) = signal(&maker, 1)?;
    store.take_in(vec![admitted(&message, now())?]).await?;
    note(&store).await?;
    let seen = term(&store, 0, now()).await?;
    let (reminder, escalation) = ((Notice::Reminder, later(50)), (Notice::Escalation, later(100)));
    assert!(looked(&store, &look(seen, 100, Some(reminder)), now()).await?);
    assert_eq!((to_do(&store).await?, due(&store, later(99)).await?), (vec![], vec![]));
    assert_eq!(due(&store, later(100)).await?, [0], "at that very moment");
    let other_handle = database.open().await?;
    let again = (Notice::Reminder, later(60));
    assert!(looked(&other_handle, &look(seen, 900, Some(again)), now()).await?);
    assert!(looked(&other_handle, &look(seen, 900, Some(escalation)), now()).await?);
    let known = term(&store, 0, now()).await?;
    assert_eq!(known.deadline, Some(deadline(100)), "it does not move");
    assert_eq!((known.reminded, known.escalated), (Some(later(50)), Some(later(100))));
    let events = store.events(0, &[EventKind::SignalReminded, EventKind::SignalEscalated], 10).await?;
    let told: Vec<_> = events.iter().map(|event| (event.kind, event.at)).collect();
    assert_eq!(told, [(EventKind::SignalReminded, later(50)), (EventKind::SignalEscalated, later(100))]);

    store.queue(vec![feedback(&maker, 1, one)?]).await?;
    note(&store).await?;
    assert!(!looked(&store, &look(seen, 100, None), now()).await?, "it was met meanwhile");
    assert_eq!(to_do(&store).await?, [0]);
    Ok(())
}

/// Only who received a signal meets its term, in its case, and not with what was refused or given up.
pub async fn meets_a_term_by_feedback_that_stands(database: &impl Database) -> Result<()> {
    let store = database.create().await?;
    let maker = Maker::new(504);
    let (one, message) = signal(&maker, 1)?;
    store.take_in(vec![admitted(&message, now())?]).await?;
    store.queue(vec![feedback(&maker, 2, one)?, feedback(&maker, 1, (one.0, maker.id()))?]).await?;
    note(&store).await?;
    assert_eq!(store.signal_met(0).await?, None, "to another partner, and in another case");
    store.queue(vec![feedback(&maker, 1, one)?]).await?;
    note(&store).await?;
    let made = made_at(feedback_id(&store, 3).await?);
    assert_eq!(store.signal_met(0).await?, made);
    let seen = term(&store, 0, now()).await?;
    assert!(looked(&store, &SignalLooked { met: made, due: None, ..look(seen, 100, None) }, now()).await?);
    assert_eq!(store.signal_terms(SignalTerms { limit: 9, ..SignalTerms::default() }, now()).await?, []);

    let taken = lease(&store, partner(1)?).await?;
    let outcomes = vec![SentOutcome::Refused { reason: "schema-ongeldig".into() }; taken.messages().len()];
    store.record_receipt(&taken, &outcomes, "receipt".into(), checkpoint(1), now()).await?;
    assert_eq!(store.signal_met(0).await?, None, "its sender did not hear it");
    assert_eq!(to_do(&store).await?, [0]);
    Ok(())
}

/// Of what was erased, and of what rests on a consent that ended, nothing is told or listed; whatever was found before.
pub async fn tells_nothing_of_a_signal_that_is_gone(database: &impl Database) -> Result<()> {
    let store = database.create().await?;
    let maker = Maker::new(505);
    let consent = Consented::theirs(506)?;
    store.take_in(maker.admitteds(partner(1)?, 2)?).await?;
    store.take_in(vec![consent.incoming()?]).await?;
    note(&store).await?;
    for index in [0, 1, 2] {
        let seen = term(&store, index, now()).await?;
        assert!(looked(&store, &look(seen, 10, None), now()).await?);
    }
    let list = async |at| -> Result<Vec<u64>> {
        let found = store.signal_terms(SignalTerms { limit: 9, ..SignalTerms::default() }, at).await?;
        Ok(found.iter().map(|(row, _)| row.index).collect())
    };
    assert_eq!((due(&store, later(10)).await?, list(now()).await?), (vec![0, 1, 2], vec![0, 1, 2]));
    assert_eq!(due(&store, consent.after()).await?, [0, 1], "its time ran out");
    let seen = [term(&store, 0, later(10)).await?, term(&store, 2, later(10)).await?];
    store.erase(vec![0], ErasureCause::Request, now()).await?;
    store.take_in(vec![consent.withdrawal()?]).await?;
    for seen in seen {
        assert!(seen.stands);
        let told = look(seen, 10, Some((Notice::Escalation, later(10))));
        assert!(!looked(&store, &told, later(10)).await?, "it went meanwhile");
        let known = term(&store, seen.index, later(10)).await?;
        assert!(!known.stands && known.escalated.is_none());
    }
    assert_eq!((due(&store, later(10)).await?, list(now()).await?), (vec![1], vec![1]));
    Ok(())
}

/// Terms that run come in the order of their end, as many as were asked for, and only those that stand as asked.
pub async fn lists_terms_in_the_order_of_their_end(database: &impl Database) -> Result<()> {
    let store = database.create().await?;
    let maker = Maker::new(507);
    store.take_in(maker.admitteds(partner(1)?, 5)?).await?;
    note(&store).await?;
    for (index, minutes) in [(0, 30), (1, 10), (2, 20), (3, 20)] {
        let seen = term(&store, index, now()).await?;
        assert!(looked(&store, &look(seen, minutes, None), now()).await?);
    }
    let list = async |state, limit, at| -> Result<Vec<u64>> {
        let (mut found, mut after) = (Vec::new(), None);
        loop {
            let page = store.signal_terms(SignalTerms { state, after, limit, ..SignalTerms::default() }, at);
            let page = page.await?;
            assert!(page.len() <= limit);
            for (row, term) in &page {
                assert!(state.is_none() || TermState::of(term, at) == state, "{term:?}");
                found.push(row.index);
            }
            let Some((row, term)) = page.last() else { return Ok(found) };
            after = Some((term.deadline.context("it has one")?.respond_before, row.index));
        }
    };
    for limit in [1, 3, 9] {
        assert_eq!(list(None, limit, now()).await?, [1, 2, 3, 0], "{limit} at a time");
    }
    let at = later(12);
    assert_eq!(list(Some(TermState::Late), 9, at).await?, [1]);
    assert_eq!(list(Some(TermState::Soon), 9, at).await?, [2, 3]);
    assert_eq!(list(Some(TermState::Running), 9, at).await?, [0]);
    assert!(list(Some(TermState::InTime), 9, at).await?.is_empty());
    // A clock that is set back makes nothing less late.
    let seen = term(&store, 1, at).await?;
    assert!(looked(&store, &look(seen, 10, Some((Notice::Escalation, at))), at).await?);
    assert_eq!(list(Some(TermState::Late), 9, now()).await?, [1]);
    let terms = store.signal_terms_of(&[0, 1, 4, 77], now()).await?;
    assert_eq!((terms.len(), terms[&4].deadline), (3, None));
    Ok(())
}
