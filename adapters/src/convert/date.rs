//! Dates: `20-01-1974`, `20-1-1974` (what a spreadsheet makes of it) and `1974-01-20`.

use std::ops::RangeInclusive;

use jiff::civil::Date;

use super::Unreadable;

/// Years that occur in records about living people. Anything else is a typing or century mistake.
const YEARS: RangeInclusive<i16> = 1900..=2100;

const REMEDY: &str = "Schrijf de datum als dd-mm-jjjj, bijvoorbeeld 09-10-2026.";

/// The calendar date in `text`.
pub(super) fn parse(text: &str) -> Result<Date, Unreadable> {
    let (year, month, day) =
        split(text).ok_or_else(|| Unreadable::new("staat niet in de vorm dd-mm-jjjj", REMEDY))?;
    if !YEARS.contains(&year) {
        return Err(Unreadable::new("heeft een jaartal dat niet kan kloppen", REMEDY));
    }
    Date::new(year, month, day).map_err(|_| {
        Unreadable::new("is een dag die niet bestaat", "Controleer dag, maand en jaar in het bronsysteem.")
    })
}

fn split(text: &str) -> Option<(i16, i8, i8)> {
    let mut parts = text.split('-');
    let (first, middle, last) = (parts.next()?, parts.next()?, parts.next()?);
    if parts.next().is_some() {
        return None;
    }
    match (first.len(), middle.len(), last.len()) {
        (4, 2, 2) => Some((number(first)?, small(middle)?, small(last)?)),
        (1..=2, 1..=2, 4) => Some((number(last)?, small(middle)?, small(first)?)),
        _ => None,
    }
}

/// Digits only: `parse` alone would take a plus sign.
fn number(digits: &str) -> Option<i16> {
    digits.bytes().all(|byte| byte.is_ascii_digit()).then(|| digits.parse().ok())?
}

fn small(digits: &str) -> Option<i8> {
    number(digits).and_then(|number| i8::try_from(number).ok())
}
