#![allow(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

use jiff::{SignedDuration, civil::date};
use proptest::prelude::*;

use super::{holiday::easter, *};

#[test]
fn dutch_time_comes_with_the_program() {
    assert_eq!(dutch_time().iana_name(), Some("Europe/Amsterdam"));
}

#[test]
fn easter_is_when_the_almanac_has_it() {
    let known = [
        date(1818, 3, 22),
        date(1943, 4, 25),
        date(1954, 4, 18),
        date(1981, 4, 19),
        date(2000, 4, 23),
        date(2024, 3, 31),
        date(2025, 4, 20),
        date(2026, 4, 5),
        date(2027, 3, 28),
        date(2028, 4, 16),
        date(2038, 4, 25),
        date(2076, 4, 19),
        date(2100, 3, 28),
        date(2285, 3, 22),
    ];
    for day in known {
        assert_eq!(easter(day.year()), Some(day));
    }
}

/// Easter by the golden number, the epact and the full moon, as Knuth has it: another way to the same day.
fn easter_by_the_moon(year: i16) -> Date {
    let of = i32::from(year);
    let (golden, century) = (of % 19 + 1, of / 100 + 1);
    let (leap_years, moon) = (3 * century / 4 - 12, (8 * century + 5) / 25 - 5);
    let sunday = 5 * of / 4 - leap_years - 10;
    let mut epact = (11 * golden + 20 + moon - leap_years).rem_euclid(30);
    if epact == 24 || (epact == 25 && golden > 11) {
        epact += 1;
    }
    let full_moon = if 44 - epact < 21 { 74 - epact } else { 44 - epact };
    let day = full_moon + 7 - (sunday + full_moon) % 7;
    let (month, day) = if day > 31 { (4, day - 31) } else { (3, day) };
    date(year, month, i8::try_from(day).unwrap())
}

#[test]
fn easter_is_the_same_by_the_moon_in_every_year_of_the_calendar() {
    for year in 1583..=9999 {
        assert_eq!(easter(year), Some(easter_by_the_moon(year)), "{year}");
    }
}

#[test]
fn the_holidays_of_a_year_are_those_of_the_law() {
    let weekdays_off = |year: i16| -> Vec<Date> {
        let days = days_from(date(year, 1, 1)).take_while(|day| day.year() == year);
        let weekdays = days.filter(|day| !matches!(day.weekday(), Weekday::Saturday | Weekday::Sunday));
        weekdays.filter(|day| !is_working_day(*day)).collect()
    };
    let of = |year: i16, days: &[(i8, i8)]| -> Vec<Date> {
        days.iter().map(|(month, day)| date(year, *month, *day)).collect()
    };
    let in_2026 = [(1, 1), (4, 3), (4, 6), (4, 27), (5, 5), (5, 14), (5, 25), (12, 25)];
    assert_eq!(weekdays_off(2026), of(2026, &in_2026));
    // Both days of Christmas are in the weekend, and Ascension Day follows Liberation Day.
    let in_2027 = [(1, 1), (3, 26), (3, 29), (4, 27), (5, 5), (5, 6), (5, 17)];
    assert_eq!(weekdays_off(2027), of(2027, &in_2027));
}

#[test]
fn the_kings_birthday_is_not_on_a_sunday() {
    assert!(holiday::is_holiday(date(2025, 4, 26)));
    assert!(!holiday::is_holiday(date(2025, 4, 27)));
    assert!(holiday::is_holiday(date(2026, 4, 27)));
    assert!(!holiday::is_holiday(date(2026, 4, 26)));
}

#[test]
fn a_day_is_dutch_and_has_its_own_length() {
    assert_eq!(day("2026-11-30T22:59:59.999Z".parse().unwrap()), date(2026, 11, 30));
    assert_eq!(day("2026-11-30T23:00:00Z".parse().unwrap()), date(2026, 12, 1));
    let length = |day| end(day).duration_since(midnight(day).unwrap());
    assert_eq!(length(date(2026, 3, 29)), SignedDuration::from_hours(23));
    assert_eq!(length(date(2026, 10, 25)), SignedDuration::from_hours(25));
    assert_eq!(length(date(2026, 12, 31)), SignedDuration::from_hours(24));
}

/// Two examples of the law: three days to think it over after buying a house.
#[test]
fn a_term_in_days_is_extended_to_a_working_day() {
    assert_eq!(after_days(date(2017, 12, 19), 3), date(2017, 12, 22));
    assert_eq!(after_days(date(2017, 12, 20), 3), date(2017, 12, 27));
}

#[test]
fn a_term_of_three_days_holds_two_working_days() {
    // From Thursday 24 December: Christmas on Friday and Saturday, Sunday, and Monday is the first.
    assert_eq!(after_days(date(2026, 12, 24), 2), date(2026, 12, 28));
    assert_eq!(after_days(date(2026, 12, 24), 3), date(2026, 12, 29));
    assert_eq!(after_days(date(2026, 12, 24), 4), date(2026, 12, 29));
    assert_eq!(after_days(date(2026, 12, 24), 5), date(2026, 12, 29));
}

/// Every day of four centuries, after which the Gregorian calendar repeats itself but for Easter.
fn any_day() -> impl Strategy<Value = Date> {
    (0..146_097_i64).prop_map(|days| date(1900, 1, 1).saturating_add(days.days()))
}

fn any_amount() -> impl Strategy<Value = u16> {
    prop_oneof![4 => 1..10_u16, 1 => 10..91_u16]
}

/// How many working days there are after the first day, up to and with the last.
fn working_days(begins: Date, last: Date) -> usize {
    let after = days_from(begins).skip(1).take_while(|day| *day <= last);
    after.filter(|day| is_working_day(*day)).count()
}

proptest! {
    #[test]
    fn a_term_ends_on_a_working_day(begins in any_day(), amount in any_amount()) {
        prop_assert!(is_working_day(after_working_days(begins, amount)));
        prop_assert!(is_working_day(after_days(begins, amount)));
    }

    #[test]
    fn a_term_in_working_days_holds_exactly_those(begins in any_day(), amount in any_amount()) {
        prop_assert_eq!(working_days(begins, after_working_days(begins, amount)), usize::from(amount));
    }

    #[test]
    fn a_term_in_days_is_as_short_as_the_law_allows(begins in any_day(), amount in any_amount()) {
        let last = after_days(begins, amount);
        let least = begins.saturating_add(i64::from(amount).days());
        prop_assert!(last >= least);
        let enough = if amount < 3 { 1 } else { 2 };
        prop_assert!(working_days(begins, last) >= enough);
        // The working day before it is too early, or has too little before it.
        let before = days_from(least).take_while(|day| *day < last).filter(|day| is_working_day(*day)).last();
        if let Some(before) = before {
            prop_assert!(amount >= 3 && working_days(begins, before) < 2);
        }
    }

    #[test]
    fn beginning_later_or_lasting_longer_never_ends_sooner(
        begins in any_day(), later in 0..40_i64, amount in any_amount(), more in 0..10_u16,
    ) {
        let then = begins.saturating_add(later.days());
        prop_assert!(after_days(begins, amount) <= after_days(then, amount + more));
        prop_assert!(after_working_days(begins, amount) <= after_working_days(then, amount + more));
        prop_assert!(after_days(begins, amount) <= after_working_days(begins, amount));
    }

    #[test]
    fn a_working_day_more_is_strictly_later(begins in any_day(), amount in 0..60_u16) {
        prop_assert!(after_working_days(begins, amount) < after_working_days(begins, amount + 1));
    }

    #[test]
    fn a_day_is_all_instants_from_its_midnight_to_its_end(of in any_day()) {
        let (first, after) = (midnight(of).unwrap(), end(of));
        let nanosecond = SignedDuration::from_nanos(1);
        prop_assert_eq!(day(first), of);
        prop_assert_eq!(day(after - nanosecond), of);
        prop_assert_eq!(day(first - nanosecond), of.yesterday().unwrap());
        prop_assert_eq!(Some(after), midnight(of.tomorrow().unwrap()));
    }
}
