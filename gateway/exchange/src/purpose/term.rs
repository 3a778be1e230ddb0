//! How long whoever receives a message has to respond to it.

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use crate::{calendar, urgency::Urgency};

/// An amount of one unit. In hours it runs by the clock; in days it runs until the end of a working day, and the day on which
/// it begins does not count.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Term {
    /// Hours, also those of the night and the weekend.
    #[serde(rename = "uren")]
    Hours(u16),
    /// Working days.
    #[serde(rename = "werkdagen")]
    WorkingDays(u16),
    /// Days, the last of them a working day.
    #[serde(rename = "dagen")]
    Days(u16),
    /// Weeks, the last day a working day.
    #[serde(rename = "weken")]
    Weeks(u16),
}

impl Term {
    /// The end of a term that begins at `from`: the first instant that is too late.
    pub fn end(self, from: Timestamp) -> Timestamp {
        let begins = calendar::day(from);
        let last = match self {
            Self::Hours(hours) => {
                let end = from.saturating_add(SignedDuration::from_hours(hours.into()));
                return end.unwrap_or(Timestamp::MAX);
            }
            Self::WorkingDays(days) => calendar::after_working_days(begins, days),
            Self::Days(days) => calendar::after_days(begins, days),
            Self::Weeks(weeks) => calendar::after_days(begins, weeks.saturating_mul(7)),
        };
        calendar::end(last)
    }

    /// Its length when no holiday makes it longer, in fifths of an hour: five working days take a week.
    fn usual_length(self) -> u32 {
        const HOUR: u32 = 5;
        const DAY: u32 = 24 * HOUR;
        match self {
            Self::Hours(hours) => u32::from(hours) * HOUR,
            Self::WorkingDays(days) => u32::from(days) * DAY * 7 / 5,
            Self::Days(days) => u32::from(days) * DAY,
            Self::Weeks(weeks) => u32::from(weeks) * DAY * 7,
        }
    }
}

/// The term of each urgency.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ResponseTerms {
    /// When there is no haste.
    pub normaal: Term,
    /// When it must be soon.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hoog: Option<Term>,
    /// In a crisis.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub crisis: Option<Term>,
}

impl ResponseTerms {
    /// What is written for an urgency.
    pub const fn written(&self, urgency: Urgency) -> Option<Term> {
        match urgency {
            Urgency::Normal => Some(self.normaal),
            Urgency::High => self.hoog,
            Urgency::Crisis => self.crisis,
        }
    }

    /// The term of an urgency: what is written for it, or else for the one below.
    pub fn of(&self, urgency: Urgency) -> Term {
        let mut up_to = Urgency::ALL.into_iter().rev().filter(|one| *one <= urgency);
        up_to.find_map(|one| self.written(one)).unwrap_or(self.normaal)
    }

    /// Whether more haste never gives more time.
    pub(super) fn are_in_order(&self) -> bool {
        Urgency::ALL.map(|urgency| self.of(urgency).usual_length()).is_sorted_by(|less, more| less >= more)
    }
}

#[cfg(test)]
mod tests;
