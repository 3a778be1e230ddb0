//! The generally recognised holidays of the Algemene termijnenwet art. 3 lid 1, and Good Friday, which lid 2 treats alike.

use jiff::civil::{Date, Weekday};

/// Good Friday, Easter Monday, Ascension Day and Whit Monday, in days after Easter Sunday.
const DAYS_AFTER_EASTER: [i32; 4] = [-2, 1, 39, 50];

/// Whether the day is a holiday, in whatever year: also before the law had it.
pub(super) fn is_holiday(day: Date) -> bool {
    has_a_fixed_date(day) || moves_with_easter(day)
}

fn has_a_fixed_date(day: Date) -> bool {
    match (day.month(), day.day()) {
        // New Year's Day, Liberation Day and both days of Christmas.
        (1, 1) | (5, 5) | (12, 25 | 26) => true,
        // The King's birthday, a day earlier when it is a Sunday.
        (4, 26) => day.weekday() == Weekday::Saturday,
        (4, 27) => day.weekday() != Weekday::Sunday,
        _ => false,
    }
}

fn moves_with_easter(day: Date) -> bool {
    let after = easter(day.year()).and_then(|easter| day.since(easter).ok());
    after.is_some_and(|after| DAYS_AFTER_EASTER.contains(&after.get_days()))
}

/// Easter Sunday in the Gregorian calendar, by the computus of Meeus, Jones and Butcher.
#[expect(clippy::many_single_char_names, reason = "the names of the published method")]
pub(super) fn easter(year: i16) -> Option<Date> {
    let of = i32::from(year);
    let (a, b, c) = (of % 19, of / 100, of % 100);
    let (d, e) = (b / 4, b % 4);
    let g = (b - (b + 8) / 25 + 1) / 3;
    let h = (19 * a + b - d - g + 15) % 30;
    let (i, k) = (c / 4, c % 4);
    let l = (32 + 2 * e + 2 * i - h - k) % 7;
    let m = (a + 11 * h + 22 * l) / 451;
    let sum = h + l - 7 * m + 114;
    Date::new(year, i8::try_from(sum / 31).ok()?, i8::try_from(sum % 31 + 1).ok()?).ok()
}
