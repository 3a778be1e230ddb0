//! How much was exchanged and how long an answer took, per purpose, partner and outcome: from what the log and the columns of
//! messages say, without opening one. Small numbers are left out, and what they could be computed from.

use std::collections::{BTreeMap, HashMap, hash_map::Entry};

use exchange::oin::Oin;
use jiff::{Timestamp, ToSpan as _, civil::Date};
use schemas::SchemaName;
use store::{Direction, Moved, State, StoreError};
use uuid::Uuid;

use crate::{access::start_of, core::Core};

pub mod csv;
pub(crate) mod shown;
mod suppress;

/// A number of messages below this says too much about one resident.
pub const SMALLEST: u64 = 5;

/// The most cases of which one count remembers that they wait for an answer: some tens of megabytes.
const MAX_CASES: usize = 500_000;

/// From which moment until which moment is counted.
#[derive(Debug, Clone, Copy)]
pub struct Period {
    /// From this one on.
    pub from: Timestamp,
    /// Until just before this one.
    pub until: Timestamp,
}

impl Period {
    /// From the first of these days on, through the last; without one there is no end on that side.
    pub fn of_days(first: Option<Date>, last: Option<Date>) -> anyhow::Result<Self> {
        let from = first.map(start_of).transpose()?.unwrap_or(Timestamp::MIN);
        let until = last.map(|day| day.checked_add(1.day())).transpose()?;
        let until = until.map(start_of).transpose()?.unwrap_or(Timestamp::MAX);
        Ok(Self { from, until })
    }

    fn holds(&self, at: Timestamp) -> bool {
        self.from <= at && at < self.until
    }
}

/// What is counted together.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Group {
    /// Which way messages went.
    pub direction: Direction,
    /// For which purpose; nothing for what was refused before that could be read.
    pub purpose: Option<String>,
}

/// One line of the figures.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Line {
    /// With whom.
    pub partner: Oin,
    /// How it ended.
    pub outcome: State,
    /// How many; nothing when that is kept back.
    pub count: Option<u64>,
    /// In how many cases among these it was this organisation's turn to answer; nothing when that is kept back.
    pub asked: Option<u64>,
    /// In how many of those it did; nothing when that is kept back, or nothing was asked.
    pub answered: Option<u64>,
    /// Of how many signals the term was met or is over, by when it ended; nothing when that is kept back.
    pub termed: Option<u64>,
    /// Of how many of those it was met before its end; nothing when that is kept back, or there are none.
    pub in_time: Option<u64>,
    /// From coming in to that answer.
    pub answer: Option<Lead>,
    /// From coming in to the first contact with the resident that this organisation reported.
    pub contact: Option<Lead>,
}

/// How long something took, in whole minutes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Lead {
    /// Half took no longer.
    pub median: u32,
    /// Nine of ten took no longer.
    pub ninetieth: u32,
}

/// The lines of one group, with their total; nothing where it is kept back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Counted {
    /// Which.
    pub group: Group,
    /// How many in all.
    pub total: Option<u64>,
    /// By partner and outcome.
    pub lines: Vec<Line>,
}

/// The figures could not be made.
#[derive(Debug, thiserror::Error)]
pub enum FiguresError {
    /// Too many cases.
    #[error("in deze periode zijn meer dan {MAX_CASES} dossiers; kies een kortere, met --van en --tot")]
    TooMany,
    /// The store did not answer.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Counts what came in and was made in a period. Answers count whenever they were given.
pub async fn figures(core: &Core, period: Period) -> Result<Vec<Counted>, FiguresError> {
    let mut tally = Tally::new(period, core.now());
    let mut from = Some(0);
    while let Some(place) = from {
        let (moved, next) = core.store.moved(place).await?;
        for one in &moved {
            tally.add(one)?;
        }
        from = next;
    }
    Ok(tally.counted())
}

type Cell = (Group, Oin, State);

/// What was counted so far.
struct Tally {
    period: Period,
    now: Timestamp,
    counts: BTreeMap<Cell, u64>,
    asked: BTreeMap<Cell, u64>,
    /// Terms of signals that were met or are over, and those that were met in time.
    termed: BTreeMap<Cell, (u64, u64)>,
    answers: BTreeMap<Cell, Vec<u32>>,
    contacts: BTreeMap<Cell, Vec<u32>>,
    /// What came in and has no answer, or no first contact, yet.
    open: HashMap<(Uuid, Oin), Open>,
}

/// What came in first in a case from a partner, in the period.
struct Open {
    cell: Cell,
    since: Timestamp,
    answered: bool,
}

impl Tally {
    fn new(period: Period, now: Timestamp) -> Self {
        let (counts, asked, termed, answers, contacts) = Default::default();
        Self { period, now, counts, asked, termed, answers, contacts, open: HashMap::new() }
    }

    fn add(&mut self, moved: &Moved) -> Result<(), FiguresError> {
        if moved.direction == Direction::Outbound {
            self.answer(moved);
        }
        if !self.period.holds(moved.at) {
            return Ok(());
        }
        let group = Group { direction: moved.direction, purpose: moved.purpose.clone() };
        let cell: Cell = (group, moved.partner, moved.state);
        *self.counts.entry(cell.clone()).or_default() += 1;
        if let Some((end, met)) = moved.term.filter(|(end, met)| met.is_some() || *end <= self.now) {
            let (termed, in_time) = self.termed.entry(cell.clone()).or_default();
            *termed += 1;
            *in_time += u64::from(met.is_some_and(|met| met < end));
        }
        let asks = moved.direction == Direction::Inbound && moved.state == State::Admitted;
        if let Some(case) = moved.case.filter(|_| asks && wants_an_answer(moved)) {
            if self.open.len() >= MAX_CASES {
                return Err(FiguresError::TooMany);
            }
            if let Entry::Vacant(place) = self.open.entry((case, moved.partner)) {
                *self.asked.entry(cell.clone()).or_default() += 1;
                place.insert(Open { cell, since: moved.at, answered: false });
            }
        }
        Ok(())
    }

    /// The first message of ours in the case answers, and the first that reports contact.
    fn answer(&mut self, moved: &Moved) {
        let Some(key) = moved.case.map(|case| (case, moved.partner)) else { return };
        // What the partner refused, or what never left, answered nothing.
        if matches!(moved.state, State::Refused | State::Undeliverable) {
            return;
        }
        let Some(open) = self.open.get_mut(&key) else { return };
        let minutes = moved.at.duration_since(open.since).as_mins().max(0);
        let minutes = u32::try_from(minutes).unwrap_or(u32::MAX);
        if !open.answered {
            open.answered = true;
            self.answers.entry(open.cell.clone()).or_default().push(minutes);
        }
        if is(moved, SchemaName::HandoverFirstContact) {
            self.contacts.entry(open.cell.clone()).or_default().push(minutes);
            self.open.remove(&key);
        }
    }

    fn counted(mut self) -> Vec<Counted> {
        let mut groups: BTreeMap<Group, Vec<(Line, u64)>> = BTreeMap::new();
        for (cell, count) in &self.counts {
            let answers = self.answers.remove(cell).unwrap_or_default();
            let answered = u64::try_from(answers.len()).unwrap_or(u64::MAX);
            let asked = self.asked.get(cell).copied().unwrap_or_default();
            let (termed, in_time) = self.termed.get(cell).copied().unwrap_or_default();
            let line = Line {
                termed: suppress::part(termed, *count),
                in_time: suppress::part(in_time, termed).filter(|_| termed > 0),
                partner: cell.1,
                outcome: cell.2,
                count: Some(*count),
                asked: suppress::part(asked, *count),
                answered: suppress::part(answered, asked).filter(|_| asked > 0),
                answer: lead(answers),
                contact: lead(self.contacts.remove(cell).unwrap_or_default()),
            };
            groups.entry(cell.0.clone()).or_default().push((line, *count));
        }
        groups.into_iter().map(|(group, lines)| suppress::group(group, lines)).collect()
    }
}

/// Whether whoever sends this waits for an answer: not to what is an answer itself.
fn wants_an_answer(moved: &Moved) -> bool {
    let schema = moved.message_type.as_deref().and_then(SchemaName::of_message_type);
    schema.is_some_and(|schema| {
        let name = schema.as_str();
        name.starts_with("signaal-")
            || matches!(schema, SchemaName::HandoverOffered | SchemaName::ConsultationAsked)
    })
}

fn is(moved: &Moved, schema: SchemaName) -> bool {
    moved.message_type.as_deref().is_some_and(|one| Some(one) == schema.message_type())
}

/// The median and the ninetieth percentile, by nearest rank; nothing of too few.
fn lead(mut minutes: Vec<u32>) -> Option<Lead> {
    if u64::try_from(minutes.len()).unwrap_or(u64::MAX) < SMALLEST {
        return None;
    }
    minutes.sort_unstable();
    let rank =
        |percent: usize| minutes.get((minutes.len() * percent).div_ceil(100).saturating_sub(1)).copied();
    Some(Lead { median: rank(50)?, ninetieth: rank(90)? })
}

#[cfg(test)]
mod tests;
