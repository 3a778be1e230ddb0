//! Addresses, however they are written.

use super::name::{joined, words};

/// The postal code in capitals, without a space.
pub(super) fn postal_code(text: &str) -> String {
    // As the schema has it already.
    if text.len() == 6 && text.bytes().all(|letter| letter.is_ascii_digit() || letter.is_ascii_uppercase()) {
        return text.to_owned();
    }
    text.chars().filter(|letter| letter.is_alphanumeric()).collect::<String>().to_uppercase()
}

/// What stands after a house number: letter and addition, in one form.
pub(super) fn addition(text: &str) -> String {
    let mut parts = words(text);
    // "1hoog" and "1 hoog" are one addition, and so are "IV" and "I V".
    let whole = joined(&parts);
    let floor = match whole.trim_end_matches("hoog") {
        "" => &whole,
        floor => floor,
    };
    if floor != whole || floor_number(floor) != floor {
        return floor_number(floor).to_owned();
    }
    if let Some(last) = parts.last_mut() {
        *last = floor_number(last).to_owned();
    }
    joined(&parts)
}

/// The ground floor and the floors above it, as they are written in Amsterdam and elsewhere.
fn floor_number(part: &str) -> &str {
    match part {
        "h" | "hs" | "huis" => "hs",
        "i" | "een" | "eerste" | "1e" => "1",
        "ii" | "twee" | "tweede" | "2e" => "2",
        "iii" | "drie" | "derde" | "3e" => "3",
        "iv" | "vier" | "vierde" | "4e" => "4",
        other => other,
    }
}
