//! What the store knows of the terms of signals.

use exchange::{deadline::Deadline, handover::Notice};
use jiff::Timestamp;

use crate::model::{Direction, MessageRow};

/// Signals and feedback that are looked at in one piece.
pub const MAX_NEWS: usize = 64;

/// A signal that was sent or came in, with its term as this node knows it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SignalTerm {
    /// The place of the signal in the log.
    pub index: u64,
    /// How often something changed that the term goes by.
    pub changes: u64,
    /// Its end; nothing while it was not admitted, and when its purpose sets none.
    pub deadline: Option<Deadline>,
    /// When feedback met it.
    pub met: Option<Timestamp>,
    /// When it is looked at again, if it is.
    pub due: Option<Timestamp>,
    /// When this node reminded of it.
    pub reminded: Option<Timestamp>,
    /// When this node escalated it.
    pub escalated: Option<Timestamp>,
    /// Whether the signal is still there, and rests on no consent that ended: nothing is told of another.
    pub stands: bool,
}

impl SignalTerm {
    /// Whether this was told.
    pub const fn was_told(&self, notice: Notice) -> bool {
        match notice {
            Notice::Reminder => self.reminded.is_some(),
            Notice::Escalation => self.escalated.is_some(),
        }
    }

    /// The moment for which it is shown: when the clock was set back it is that of what was told last.
    pub fn moment(&self, now: Timestamp) -> Timestamp {
        [self.reminded, self.escalated].into_iter().flatten().fold(now, Timestamp::max)
    }
}

/// The next signals and feedback in the log at which nobody looked for terms.
#[derive(Debug, Clone, Default)]
pub struct SignalNews {
    /// From this place on.
    pub from: u64,
    /// Until before this one.
    pub through: u64,
    /// They, in the order of the log; what was erased or refused here is not among them.
    pub rows: Vec<MessageRow>,
    /// There is more behind them.
    pub more: bool,
}

/// What was found in some news.
#[derive(Debug, Clone, Default)]
pub struct NotedSignals {
    /// From this place in the log on.
    pub from: u64,
    /// Until before this one.
    pub through: u64,
    /// The signals among it.
    pub signals: Vec<u64>,
    /// Feedback that meets the term of a signal.
    pub feedback: Vec<Meeting>,
}

/// Feedback that meets the term of a signal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Meeting {
    /// The place of the feedback in the log.
    pub index: u64,
    /// The identifier of the signal.
    pub signal: uuid::Uuid,
    /// The instant in the identifier of the feedback.
    pub at: Timestamp,
}

/// What this node found when it looked at the term of a signal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SignalLooked {
    /// The term as it was then.
    pub seen: SignalTerm,
    /// The end of the term. Once known it never changes.
    pub deadline: Option<Deadline>,
    /// When feedback met it.
    pub met: Option<Timestamp>,
    /// What is told of it now, and when that is. What was told before is not told again.
    pub told: Option<(Notice, Timestamp)>,
    /// When to look again, if nothing changes in between.
    pub due: Option<Timestamp>,
}

/// How the term of a signal stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum TermState {
    /// It runs.
    Running,
    /// It runs, and was to be reminded of.
    Soon,
    /// It ended, and was not met.
    Late,
    /// It was met before its end.
    InTime,
    /// It was met after its end.
    TooLate,
}

impl TermState {
    /// Every one.
    pub const ALL: [Self; 5] = [Self::Running, Self::Soon, Self::Late, Self::InTime, Self::TooLate];

    /// The name that users see.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Running => "loopt",
            Self::Soon => "loopt-af",
            Self::Late => "te-laat",
            Self::InTime => "op-tijd",
            Self::TooLate => "na-de-termijn",
        }
    }

    /// How a term stands; nothing when there is none.
    pub fn of(term: &SignalTerm, now: Timestamp) -> Option<Self> {
        let Deadline { respond_before, remind_at } = term.deadline?;
        let moment = term.moment(now);
        Some(match term.met {
            Some(met) if met < respond_before => Self::InTime,
            Some(_) => Self::TooLate,
            None if respond_before <= moment => Self::Late,
            None if remind_at <= moment => Self::Soon,
            None => Self::Running,
        })
    }
}

/// Which terms of signals to list: those that run, what ends first first. The last place of a page leads to the next.
#[derive(Debug, Clone, Copy, Default)]
pub struct SignalTerms {
    /// Only those that stand so; only [`TermState::Running`], [`TermState::Soon`] and [`TermState::Late`] run.
    pub state: Option<TermState>,
    /// Only signals that went this way.
    pub direction: Option<Direction>,
    /// Only those after this one: the end of its term, and its place in the log.
    pub after: Option<(Timestamp, u64)>,
    /// At most this many; never more than [`MAX_ROWS_READ`](crate::MAX_ROWS_READ).
    pub limit: usize,
}
