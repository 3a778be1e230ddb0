//! The formats (`format`) that the schemas use beyond those of JSON Schema itself.
//!
//! A format is preferred over a `pattern` where a check is more than its characters, or where
//! a person deserves a better message than a regular expression.

use uuid::{Uuid, Variant, Version};

use crate::{bsn, oin, readable::MONTHS};

/// A format: its name in the schemas, its check, and the words for what is expected.
pub(crate) struct Format {
    pub(crate) name: &'static str,
    /// `None` for the formats that the validator knows itself.
    pub(crate) check: Option<fn(&str) -> bool>,
    /// Completes "is geen ..."; Dutch.
    pub(crate) is_not: &'static str,
    /// What is expected; Dutch.
    pub(crate) expected: &'static str,
}

#[rustfmt::skip]
pub(crate) static FORMATS: [Format; 15] = [
    Format { name: "bsn", check: Some(bsn::is_valid), is_not: "geldig BSN", expected: "negen cijfers die aan de elfproef voldoen" },
    Format { name: "oin", check: Some(oin::is_valid), is_not: "geldig OIN", expected: "20 tekens: acht cijfers, dan cijfers of hoofdletters" },
    Format { name: "regel", check: Some(line), is_not: "tekst op één regel", expected: "tekst op één regel, zonder spatie aan het begin of eind en zonder stuurtekens" },
    Format { name: "tekst", check: Some(text), is_not: "gewone tekst", expected: "tekst die niet leeg is, zonder stuurtekens" },
    Format { name: "anoniem", check: Some(anonymous), is_not: "anonieme tekst", expected: "tekst zonder BSN, e-mailadres, telefoonnummer, postcode of volledige datum" },
    Format { name: "sha256", check: Some(sha256), is_not: "geldig controlegetal", expected: "sha256: gevolgd door 64 tekens, 0-9 en a-f" },
    Format { name: "uuidv7", check: Some(uuid_v7), is_not: "geldige UUIDv7", expected: "een UUID van versie 7 in kleine letters (RFC 9562)" },
    Format { name: "uuid", check: Some(uuid_any), is_not: "geldige UUID", expected: "een UUID in kleine letters (RFC 9562)" },
    Format { name: "dossier", check: Some(dossier), is_not: "geldig dossiernummer", expected: "urn:uuid: gevolgd door een UUID in kleine letters" },
    Format { name: "afzender", check: Some(sender), is_not: "geldige afzender", expected: "urn:nld:oin:<OIN>:systeem:<naam>" },
    Format { name: "logsleutel", check: Some(log_key), is_not: "geldige logboeksleutel", expected: "naam+acht tekens 0-9 en a-f+sleutel in base64 (C2SP)" },
    Format { name: "adres", check: Some(endpoint), is_not: "geldig netwerkadres", expected: "naam of IP-adres, een dubbele punt en een poort" },
    Format { name: "email", check: None, is_not: "geldig e-mailadres", expected: "een e-mailadres" },
    Format { name: "date", check: None, is_not: "bestaande datum", expected: "een datum als 2026-11-16" },
    Format { name: "date-time", check: None, is_not: "geldig tijdstip", expected: "een tijdstip met tijdzone, als 2026-11-16T09:30:00Z" },
];

/// The format with this name.
pub(crate) fn find(name: &str) -> Option<&'static Format> {
    FORMATS.iter().find(|format| format.name == name)
}

/// One line of text: a name, a street. Text is trimmed where it enters, so a stray space is a mistake.
fn line(text: &str) -> bool {
    !text.is_empty() && text.trim().len() == text.len() && !text.chars().any(is_unprintable)
}

/// Running text; line breaks and tabs are part of it.
fn text(text: &str) -> bool {
    !text.trim().is_empty() && !text.chars().any(|c| is_unprintable(c) && !matches!(c, '\n' | '\t'))
}

/// Control characters, and the marks that make text read otherwise than it is stored.
fn is_unprintable(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{2028}' | '\u{2029}' | '\u{202A}'..='\u{202E}' | '\u{2066}'..='\u{2069}' | '\u{FEFF}')
}

fn sha256(text: &str) -> bool {
    text.strip_prefix("sha256:").is_some_and(|hex| hex.len() == 64 && is_lower_hex(hex))
}

fn is_lower_hex(text: &str) -> bool {
    text.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'))
}

/// One spelling only, so that identifiers can be compared as text.
fn uuid(text: &str) -> Option<Uuid> {
    let lower_case = text.len() == 36 && !text.bytes().any(|b| b.is_ascii_uppercase());
    let uuid = if lower_case { Uuid::try_parse(text).ok()? } else { return None };
    (uuid.get_variant() == Variant::RFC4122).then_some(uuid)
}

fn uuid_any(text: &str) -> bool {
    uuid(text).is_some()
}

fn uuid_v7(text: &str) -> bool {
    uuid(text).is_some_and(|uuid| uuid.get_version() == Some(Version::SortRand))
}

fn dossier(text: &str) -> bool {
    text.strip_prefix("urn:uuid:").is_some_and(uuid_any)
}

fn sender(text: &str) -> bool {
    let Some((number, system)) =
        text.strip_prefix("urn:nld:oin:").and_then(|rest| rest.split_once(":systeem:"))
    else {
        return false;
    };
    oin::is_valid(number)
        && !system.is_empty()
        && system.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-')
}

/// A C2SP signed-note verifier key, `name+hash+key`; whether it is a key the log module finds out.
fn log_key(text: &str) -> bool {
    let mut parts = text.splitn(3, '+');
    let (Some(name), Some(hash), Some(key)) = (parts.next(), parts.next(), parts.next()) else {
        return false;
    };
    !name.is_empty()
        && !name.contains(char::is_whitespace)
        && hash.len() == 8
        && is_lower_hex(hash)
        // One algorithm byte and 32 bytes of key.
        && key.len() == 44
        && key.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'+' | b'/'))
}

fn endpoint(text: &str) -> bool {
    let Some((host, port)) = text.rsplit_once(':') else { return false };
    let port_fits = !port.starts_with('0')
        && port.bytes().all(|b| b.is_ascii_digit())
        && port.parse::<u16>().is_ok_and(|port| port > 0);
    let bracketed = host.strip_prefix('[').and_then(|rest| rest.strip_suffix(']'));
    let host_fits = match bracketed {
        Some(address) => address.parse::<std::net::Ipv6Addr>().is_ok(),
        None => is_host_name(host),
    };
    port_fits && host_fits
}

fn is_host_name(host: &str) -> bool {
    !host.is_empty()
        && host.len() <= 253
        && host.split('.').all(|label| {
            !label.is_empty()
                && label.len() <= 63
                && !label.starts_with('-')
                && !label.ends_with('-')
                && label.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-')
        })
}

/// Text without the marks that point at one person. It cannot recognise a name; it does catch what
/// gets pasted along: numbers, addresses, dates.
fn anonymous(value: &str) -> bool {
    text(value)
        && !value.contains('@')
        && !holds_long_number(value)
        && !holds_full_date(value)
        && !holds_written_date(value)
        && !holds_postcode(value)
}

/// Whether somewhere nine digits or more follow each other (a BSN, a telephone or account number),
/// disregarding the marks people put between them.
fn holds_long_number(value: &str) -> bool {
    const MOST_DIGITS: usize = 8;
    let mut digits = 0;
    for c in value.chars() {
        match c {
            c if c.is_numeric() => digits += 1,
            ' ' | '.' | '-' | '/' | '_' | '(' | ')' | '–' | '—' | '\t' | '\u{a0}' | '\u{2009}'
            | '\u{202f}' => {}
            _ => digits = 0,
        }
        if digits > MOST_DIGITS {
            return true;
        }
    }
    false
}

/// Whether it holds a date in digits, day first or year first: a date of birth points at a person.
fn holds_full_date(value: &str) -> bool {
    value.split(|c: char| !c.is_ascii_digit() && !matches!(c, '-' | '/' | '.')).any(|word| {
        let groups: Vec<usize> = word.split(['-', '/', '.']).map(str::len).collect();
        groups.windows(3).any(|three| matches!(three, [1 | 2, 1 | 2, 2 | 4] | [4, 1 | 2, 1 | 2]))
    })
}

/// Whether it holds a date with the name of its month: day, month and year.
fn holds_written_date(value: &str) -> bool {
    let is_number = |word: &str, longest| {
        (1..=longest).contains(&word.len()) && word.bytes().all(|byte| byte.is_ascii_digit())
    };
    let is_month = |word: &str| {
        matches!(word, "mrt" | "sept")
            || MONTHS.iter().any(|month| *month == word || month.get(..3) == Some(word))
    };
    let lower = value.to_lowercase();
    let words: Vec<&str> =
        lower.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty()).collect();
    words.windows(3).any(|three| is_number(three[0], 2) && is_month(three[1]) && is_number(three[2], 4))
}

/// Whether it holds a Dutch postcode: four digits, perhaps a space, two letters that end there.
fn holds_postcode(value: &str) -> bool {
    let chars: Vec<char> = value.chars().collect();
    (0..chars.len()).any(|start| {
        let starts_number = start == 0 || !chars[start - 1].is_ascii_digit();
        let Some(digits) = chars.get(start..start + 4) else { return false };
        if !starts_number || !digits.iter().all(char::is_ascii_digit) {
            return false;
        }
        let is_apart = chars.get(start + 4) == Some(&' ');
        let letters = start + 4 + usize::from(is_apart);
        // Small letters apart are a word: `2024 en`.
        let is_letter = |c: &char| c.is_ascii_uppercase() || (!is_apart && c.is_ascii_lowercase());
        let two = chars.get(letters..letters + 2).is_some_and(|two| two.iter().all(is_letter));
        two && !chars.get(letters + 2).is_some_and(|c| c.is_alphanumeric())
    })
}

#[cfg(test)]
mod tests;
