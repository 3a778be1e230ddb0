//! Amounts in Dutch notation: `1.746,33`, `1746,33`, `508,8`, `1.746`, with or without `€` in front.

use super::Unreadable;

/// Most digits before the comma: a hundred thousand million euros, and exact as cents in every JSON reader.
const MAX_EURO_DIGITS: usize = 12;

/// The amount in cents, exactly: no floating point in between.
pub(super) fn parse(text: &str) -> Result<i64, Unreadable> {
    let (negative, text) = match text.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, text),
    };
    let text = text.strip_prefix('€').map_or(text, str::trim_start);
    let (euros, cents) = text.split_once(',').map_or((text, None), |(euros, cents)| (euros, Some(cents)));
    let Some(euros) = ungroup(euros) else { return Err(unreadable(text)) };
    let Some(cents) = cents.map_or(Some(0), fraction) else { return Err(unreadable(text)) };
    if euros.len() > MAX_EURO_DIGITS {
        return Err(Unreadable::new(
            "is een onmogelijk groot bedrag",
            "Controleer het bedrag in het bronsysteem.",
        ));
    }
    let total = euros.bytes().fold(0, |sum, digit| sum * 10 + i64::from(digit - b'0')) * 100 + cents;
    Ok(if negative { -total } else { total })
}

/// The digits without the points between thousands, which must be in the right places if there are any.
fn ungroup(euros: &str) -> Option<String> {
    let mut groups = euros.split('.');
    let first = groups.next()?;
    let digits_only = |group: &str| !group.is_empty() && group.bytes().all(|byte| byte.is_ascii_digit());
    let grouped = euros.contains('.');
    if !digits_only(first) || (grouped && first.len() > 3) {
        return None;
    }
    let mut digits = first.to_owned();
    for group in groups {
        if group.len() != 3 || !digits_only(group) {
            return None;
        }
        digits.push_str(group);
    }
    Some(digits)
}

/// Cents after the comma. Spreadsheets drop a last zero, so `,8` is eighty cents.
fn fraction(cents: &str) -> Option<i64> {
    match *cents.as_bytes() {
        [tens @ b'0'..=b'9'] => Some(i64::from(tens - b'0') * 10),
        [tens @ b'0'..=b'9', ones @ b'0'..=b'9'] => {
            Some(i64::from(tens - b'0') * 10 + i64::from(ones - b'0'))
        }
        _ => None,
    }
}

fn unreadable(text: &str) -> Unreadable {
    let problem = if text.chars().any(char::is_alphabetic) {
        "bevat letters"
    } else if text.contains('.') && !text.contains(',') {
        "heeft een punt waar een komma hoort, of duizendtallen die niet kloppen"
    } else {
        "is geen bedrag in Nederlandse notatie"
    };
    Unreadable::new(
        problem,
        "Schrijf het bedrag met een komma en twee cijfers, bijvoorbeeld 1.234,56 of 1234,56.",
    )
}
