//! Dutch days: when one begins, and whether people are at work on it.
//!
//! A working day is one that the Algemene termijnenwet does not except: no Saturday, no Sunday and no holiday of its
//! art. 3. A term that counts days is over at the midnight after its last day, and that instant is its end: what happens
//! at the end itself is too late. Instants near the end of what a timestamp can hold stay there, so nothing here fails.
//!
//! Days that a royal decree treats as holidays (art. 3 lid 3, most often a Friday after Ascension Day) count as working days:
//! the decrees change every few years, and without them a term is never longer than the law's.

use std::sync::LazyLock;

use jiff::{
    Timestamp, ToSpan as _,
    civil::{Date, Weekday},
    tz::{TimeZone, TimeZoneDatabase},
};

mod holiday;

/// Whoever must react has at least this many working days in a term of [`SHORTEST_WITH_WORKING_DAYS`] or more.
const WORKING_DAYS_IN_A_TERM: usize = 2;

/// From this number of days on, a term holds working days too (Algemene termijnenwet art. 2).
const SHORTEST_WITH_WORKING_DAYS: u16 = 3;

/// Parties count in Dutch days. The rules come with the program, not from the machine: two nodes must agree on when
/// a day begins.
#[expect(clippy::expect_used, reason = "the time zone is part of the program, and a test reads it")]
pub fn dutch_time() -> TimeZone {
    static DUTCH: LazyLock<TimeZone> =
        LazyLock::new(|| TimeZoneDatabase::bundled().get("Europe/Amsterdam").expect("a bundled time zone"));
    DUTCH.clone()
}

/// The Dutch day in which an instant falls.
pub fn day(instant: Timestamp) -> Date {
    instant.to_zoned(dutch_time()).date()
}

/// The first instant of a Dutch day. Nothing for a day outside the calendar.
pub fn midnight(day: Date) -> Option<Timestamp> {
    // Dutch clocks change at two or three at night, so every midnight happens, and once.
    Some(day.to_zoned(dutch_time()).ok()?.timestamp())
}

/// The first instant after a Dutch day.
pub fn end(day: Date) -> Timestamp {
    day.tomorrow().ok().and_then(midnight).unwrap_or(Timestamp::MAX)
}

/// Whether a day is no Saturday, no Sunday and no holiday.
pub fn is_working_day(day: Date) -> bool {
    !matches!(day.weekday(), Weekday::Saturday | Weekday::Sunday) && !holiday::is_holiday(day)
}

/// Whether a day is a holiday.
pub fn is_holiday(day: Date) -> bool {
    holiday::is_holiday(day)
}

/// The day itself when it is a working day, otherwise the first one after it.
pub fn working_day_from(day: Date) -> Date {
    days_from(day).find(|day| is_working_day(*day)).unwrap_or(Date::MAX)
}

/// The last day of a term of so many working days. The day on which it begins does not count.
pub fn after_working_days(begins: Date, working_days: u16) -> Date {
    (0..working_days).fold(begins, |day, _| working_day_from(day.tomorrow().unwrap_or(Date::MAX)))
}

/// The last day of a term of so many days. The day on which it begins does not count, and it ends on a working day
/// (Algemene termijnenwet art. 1 lid 1); one of three days or more holds at least two (art. 2).
pub fn after_days(begins: Date, days: u16) -> Date {
    let last = working_day_from(begins.saturating_add(i64::from(days).days()));
    let first = begins.tomorrow().unwrap_or(Date::MAX);
    let working_days = days_from(first).take_while(|day| *day <= last).filter(|day| is_working_day(*day));
    let enough = days < SHORTEST_WITH_WORKING_DAYS
        || working_days.take(WORKING_DAYS_IN_A_TERM).count() == WORKING_DAYS_IN_A_TERM;
    if enough { last } else { after_working_days(last, 1) }
}

/// A day and those after it.
pub(crate) fn days_from(day: Date) -> impl Iterator<Item = Date> {
    std::iter::successors(Some(day), |day| day.tomorrow().ok())
}

#[cfg(test)]
mod tests;
