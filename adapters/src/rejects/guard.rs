//! Protection against formulas: a cell that a spreadsheet would run gets an apostrophe in front (OWASP, *CSV
//! Injection*), and loses it again when the file is offered back. Exactly reversible, so nothing is lost on the way.

/// First characters that make a spreadsheet treat a cell as a formula or a command.
const TRIGGERS: [u8; 6] = [b'=', b'+', b'-', b'@', b'\t', b'\r'];

/// Whether the cell is a trigger behind any number of apostrophes. Those are escaped too: else `'-5` could be either.
fn triggers(cell: &[u8]) -> bool {
    cell.iter().find(|byte| **byte != b'\'').is_some_and(|byte| TRIGGERS.contains(byte))
}

/// The cell, safe to open in a spreadsheet.
pub(crate) fn apply(cell: &[u8]) -> Vec<u8> {
    let mut safe = Vec::with_capacity(cell.len() + 1);
    if triggers(cell) {
        safe.push(b'\'');
    }
    safe.extend_from_slice(cell);
    safe
}

/// Undoes [`apply`].
pub(crate) fn lift(cell: &[u8]) -> Vec<u8> {
    match cell.split_first() {
        Some((b'\'', rest)) if triggers(rest) => rest.to_vec(),
        _ => cell.to_vec(),
    }
}

/// Undoes [`apply`] for text.
pub(crate) fn lifted(text: &str) -> &str {
    match text.strip_prefix('\'') {
        Some(rest) if triggers(rest.as_bytes()) => rest,
        _ => text,
    }
}
