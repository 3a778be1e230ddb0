//! The shared model of the exchange: published JSON Schemas and documents that are valid against them.

pub mod oin {
    //! The organisation identification number (Logius, *OIN Stelsel*).

    /// Whether `text` has the form of an OIN: an 8-digit prefix, then digits or capitals, 20 characters in all.
    pub fn is_valid(text: &str) -> bool {
        let bytes = text.as_bytes();
        bytes.len() == 20
            && bytes[..8].iter().all(u8::is_ascii_digit)
            && bytes[8..].iter().all(|b| b.is_ascii_digit() || b.is_ascii_uppercase())
    }
}
