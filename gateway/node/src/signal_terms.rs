//! Terms of signals at this node: within which their receiver says that there was a first conversation or what came of it.
//! Reminding before one ends, escalating when it ended, each once (see [`crate::terms`]).
//!
//! A piece of the log at a time, off the path of messages: signals get their place here, and feedback that meets the term of one
//! is noted with it. What was there before a term was followed is looked at like the rest. The receiver reads in its own log when
//! it admitted a signal, the sender in the receipt.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use exchange::{
    deadline::Deadline,
    message::document_of,
    oin::Oin,
    signal::{self, Said},
    term::{Notice, Term},
};
use jiff::Timestamp;
use store::{
    Direction, Meeting, MessageRow, MultipleSignal, NotedSignals, SignalLooked, SignalTerm, State,
    StoreError, TermState,
};

use crate::{
    core::Core,
    terms::{BETWEEN_ROUNDS, MAX_ROUND, log, look_at},
};

/// How often is looked whether there is something to do.
const INTERVAL: Duration = Duration::from_secs(1);
/// Between two pieces of the log, so that messages go first.
const BREATH: Duration = Duration::from_millis(20);

/// Runs until cancelled.
pub async fn run(core: Arc<Core>) {
    let mut rounds = Rounds::default();
    loop {
        let pause = match rounds.carry_out(&core).await {
            Ok(true) => BREATH,
            Ok(false) => INTERVAL,
            Err(error) => {
                tracing::error!(%error, "cannot look at terms of signals now; it is tried again");
                BETWEEN_ROUNDS
            }
        };
        tokio::time::sleep(pause).await;
    }
}

/// Where the next round goes on.
#[derive(Debug, Default)]
pub struct Rounds {
    changed: Option<u64>,
    due: Option<SignalTerm>,
}

impl Rounds {
    /// Looks at what is new in the log, at signals of which something changed and at those of which a term is due, a bounded part
    /// of each; returns whether there may be more.
    pub async fn carry_out(&mut self, core: &Core) -> Result<bool, StoreError> {
        let more = take_note(core).await?;
        let changed = core.store.signal_terms_to_do(self.changed.take(), core.now(), MAX_ROUND).await?;
        self.changed = settle_all(core, &changed).await.map(|last| last.index);
        let due = core.store.signal_terms_due(self.due.take(), core.now(), MAX_ROUND).await?;
        self.due = settle_all(core, &due).await;
        Ok(more || self.changed.is_some() || self.due.is_some())
    }
}

/// Notes the next signals, and the next feedback that meets a term; whether there is more.
async fn take_note(core: &Core) -> Result<bool, StoreError> {
    let news = core.store.signal_news().await?;
    if news.from == news.through {
        return Ok(false);
    }
    let (mut signals, mut feedback) = (Vec::new(), Vec::new());
    for row in &news.rows {
        let document = match core.store.payload_for_machine_check(row.index).await {
            Ok(text) => document_of(&text),
            // Erased meanwhile, or damaged, which checking the log tells: nothing is told of it.
            Err(StoreError::Erased | StoreError::NotFound(_) | StoreError::Corrupt(_)) => None,
            Err(error) => return Err(error),
        };
        let Some(document) = document else { continue };
        if document.schema().is_signal() {
            signals.push(row.index);
        }
        let said = Said::of(&document).filter(|said| said.meets);
        let made = row.id.and_then(exchange::id::made_at);
        feedback.extend(said.zip(made).map(|(said, at)| Meeting {
            index: row.index,
            signal: said.signal,
            at,
        }));
    }
    let noted = NotedSignals { from: news.from, through: news.through, signals, feedback };
    core.store.note_signals(noted).await?;
    Ok(news.more)
}

async fn settle_all(core: &Core, found: &[SignalTerm]) -> Option<SignalTerm> {
    look_at(found, MAX_ROUND, |seen| settle(core, seen)).await
}

/// Looks at one signal: when its term ends and whether that was met, and tells what is to be told of it now.
async fn settle(core: &Core, seen: SignalTerm) -> Result<(), StoreError> {
    let Some(row) = core.store.logged(seen.index).await? else { return Ok(()) };
    let deadline = match seen.deadline {
        Some(deadline) => Some(deadline),
        None => deadline_of(core, &row).await?,
    };
    let met = core.store.signal_met(seen.index).await?;
    let now = core.now();
    let known = SignalTerm { deadline, met, ..seen };
    let term = term_of(core.me, &row, &known);
    let (notice, next) = term.map_or((None, None), |term| term.to_tell(|notice| seen.was_told(notice), now));
    let (told, due) = match notice {
        // Nothing is told of what is gone. What rests on a consent that ended may still be kept, and is due then.
        Some(_) if row.erased.is_some() => (None, None),
        Some(notice) if !seen.stands => (None, term.map(|term| term.moment(notice))),
        notice => (notice.map(|notice| (notice, now)), next),
    };
    let looked = SignalLooked { seen, deadline, met, told, due };
    let is_kept = core.store.signal_terms_looked_at(vec![looked], now).await? > 0;
    if let (true, Some(term), Some((notice, _))) = (is_kept, term, told) {
        log(core, &term, notice);
    }
    Ok(())
}

/// The end of the term of a signal that was admitted, by the agreement and purpose under which it went.
async fn deadline_of(core: &Core, row: &MessageRow) -> Result<Option<Deadline>, StoreError> {
    if row.state != State::Admitted {
        return Ok(None);
    }
    let Some(admitted) = admitted(core, row).await? else { return Ok(None) };
    let document = match core.store.payload_for_machine_check(row.index).await {
        Ok(text) => document_of(&text),
        Err(StoreError::Erased | StoreError::NotFound(_) | StoreError::Corrupt(_)) => None,
        Err(error) => return Err(error),
    };
    let rules = core.rules();
    let parties = match row.direction {
        Direction::Outbound => (core.me, row.partner),
        Direction::Inbound => (row.partner, core.me),
    };
    let rule = || {
        let (purpose, message_type) = (row.purpose.as_deref()?, row.message_type.as_deref()?);
        let clause = rules.agreement(row.agreement?)?.clause(parties, purpose, message_type)?;
        rules.purpose(clause.doel_digest)?.rule(message_type)
    };
    Ok(document.zip(rule()).and_then(|(document, rule)| signal::deadline(&document, rule, admitted)))
}

/// When its receiver admitted it, as the log of that says.
async fn admitted(core: &Core, row: &MessageRow) -> Result<Option<Timestamp>, StoreError> {
    match row.direction {
        Direction::Inbound => {
            let leaf = core.store.leaves(row.index, 1).await?.pop();
            Ok(leaf.and_then(|leaf| signal::admitted_by(&leaf, row.digest)))
        }
        Direction::Outbound => {
            let receipt = core.store.receipt(row.index).await?;
            Ok(receipt.and_then(|receipt| signal::admitted_in(&receipt, row.digest)))
        }
    }
}

/// The term of a signal; nothing when its purpose sets none, or it was not admitted.
pub fn term_of(me: Oin, row: &MessageRow, known: &SignalTerm) -> Option<Term> {
    let by = match row.direction {
        Direction::Inbound => me,
        Direction::Outbound => row.partner,
    };
    Some(signal::term(row.id?, by, known.deadline?, known.met))
}

/// The term of a signal as it is shown.
#[derive(Debug, Clone, Copy)]
pub struct Known {
    /// The term.
    pub term: Term,
    /// How it stands.
    pub state: TermState,
    moment: Timestamp,
}

impl Known {
    /// The term of a signal; nothing when there is none, or nothing may be told of it.
    pub fn of(core: &Core, row: &MessageRow, known: &SignalTerm) -> Option<Self> {
        let now = core.now();
        let (term, state) = (term_of(core.me, row, known)?, TermState::of(known, now)?);
        known.stands.then(|| Self { term, state, moment: known.moment(now) })
    }

    /// The same, for a message that may be no signal.
    pub async fn read(core: &Core, row: &MessageRow) -> Result<Option<Self>, StoreError> {
        let known = core.store.signal_term(row.index, core.now()).await?;
        Ok(known.and_then(|known| Self::of(core, row, &known)))
    }

    /// Those of signals that were joined, by their places in the log.
    pub async fn of_joined(core: &Core, joined: &MultipleSignal) -> Result<BTreeMap<u64, Self>, StoreError> {
        let indexes: Vec<u64> = joined.signals.iter().map(|signal| signal.row.index).collect();
        let terms = core.store.signal_terms_of(&indexes, core.now()).await?;
        let known = |row: &MessageRow| Self::of(core, row, terms.get(&row.index)?);
        let found = joined.signals.iter().filter_map(|signal| Some((signal.row.index, known(&signal.row)?)));
        Ok(found.collect())
    }

    /// Of the terms of signals that were joined, the one that runs and ends first: by then the resident is spoken to.
    pub fn first(joined: &BTreeMap<u64, Self>) -> Option<&Self> {
        let running = joined.values().filter(|known| known.term.is_running());
        running.min_by_key(|known| known.term.deadline.respond_before)
    }

    /// When this was to be told, if that moment came before the term was met.
    pub fn told(&self, notice: Notice) -> Option<Timestamp> {
        self.term.told(notice, self.moment)
    }

    /// Whether it ended and is not met.
    pub fn is_late(&self) -> bool {
        self.state == TermState::Late
    }
}
