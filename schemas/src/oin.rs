//! The organisation identification number (Logius, *OIN-stelsel*).

/// Whether `text` has the form of an OIN: an 8-digit prefix, then digits or capitals, 20 characters in all.
///
/// The prefix says which register the main number comes from. It is not compared with a list: Logius
/// adds prefixes, and a node that refused a new one would shut a partner out.
pub fn is_valid(text: &str) -> bool {
    let bytes = text.as_bytes();
    bytes.len() == 20
        && bytes[..8].iter().all(u8::is_ascii_digit)
        && bytes[8..].iter().all(|b| b.is_ascii_digit() || b.is_ascii_uppercase())
}

#[cfg(test)]
mod tests;
