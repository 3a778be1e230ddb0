//! Where to go on in a list. A cursor belongs to one list with one set of filters; with any other it is refused.

use std::fmt::Write as _;

use exchange::digest::Digest;

use super::{problem::Problem, query::Query};

/// Bytes of the mark that says to which list a cursor belongs. It keeps mistakes apart and hides nothing.
const MARK: usize = 8;
/// The longest cursor, in characters.
const MAX: usize = 400;

/// The cursor of a place in a list.
pub(super) fn cursor(list: &str, place: &str) -> String {
    let mut text = String::new();
    for byte in mark(list, place).into_iter().chain(place.bytes()) {
        let _ = write!(text, "{byte:02x}");
    }
    text
}

/// The place of a cursor in a list.
pub(super) fn place(list: &str, cursor: &str) -> Option<String> {
    let well_formed = cursor.len() <= MAX
        && cursor.len().is_multiple_of(2)
        && cursor.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
    let bytes = (0..cursor.len()).step_by(2).map(|at| u8::from_str_radix(cursor.get(at..at + 2)?, 16).ok());
    let bytes: Vec<u8> = if well_formed { bytes.collect::<Option<_>>()? } else { return None };
    let (found, place) = bytes.split_first_chunk::<MARK>()?;
    let place = String::from_utf8(place.to_vec()).ok()?;
    (mark(list, &place) == *found).then_some(place)
}

fn mark(list: &str, place: &str) -> [u8; MARK] {
    let digest = Digest::of(format!("{}:{list}{place}", list.len()).as_bytes());
    let mut mark = [0; MARK];
    mark.copy_from_slice(&digest.as_bytes()[..MARK]);
    mark
}

/// The list that a query is about.
pub(super) fn list(name: &str, query: &Query) -> String {
    format!("{name}?{}", query.shape())
}

/// Where the query says to go on, in the list that it is about.
pub(super) fn from<T: std::str::FromStr>(list: &str, query: &Query) -> Result<Option<T>, Problem> {
    let Some(cursor) = query.text("cursor") else { return Ok(None) };
    let place = place(list, cursor).and_then(|place| place.parse().ok());
    place.map(Some).ok_or_else(|| {
        Problem::unreadable(
            "Deze cursor hoort niet bij deze lijst. Geef `volgende` uit het vorige antwoord, met dezelfde filters, of begin zonder cursor.",
        )
    })
}

#[cfg(test)]
mod tests;
