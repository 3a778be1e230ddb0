//! Character encodings of text files, strictly: bytes that the declared encoding cannot explain are a misfit
//! that a person hears about, never a guess and never a silently wrong name.

use std::borrow::Cow;
use std::fmt;

/// The byte order mark a UTF-8 file may begin with.
pub const UTF8_BOM: &[u8] = b"\xef\xbb\xbf";

/// An encoding a file may be declared to have.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Encoding {
    /// UTF-8, with or without byte order mark.
    Utf8,
    /// Windows-1252, what Western European Windows programs call "ANSI".
    Windows1252,
    /// ISO 8859-1 (Latin-1): without the printable characters Windows has at 80-9F.
    Iso8859_1,
    /// ISO 8859-15 (Latin-9): Latin-1 with the euro sign.
    Iso8859_15,
}

/// Why bytes are not text in the declared encoding.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Misfit {
    /// The bytes mean nothing in this encoding.
    Meaningless,
    /// The bytes are UTF-8 although a single-byte encoding was declared: `ü` would become `Ã¼`.
    LooksUtf8,
}

impl Encoding {
    /// Every encoding, under the name a mapping uses.
    pub const ALL: [Encoding; 4] =
        [Encoding::Utf8, Encoding::Windows1252, Encoding::Iso8859_1, Encoding::Iso8859_15];

    /// The name in a mapping file (the IANA name in lower case).
    pub fn name(self) -> &'static str {
        match self {
            Encoding::Utf8 => "utf-8",
            Encoding::Windows1252 => "windows-1252",
            Encoding::Iso8859_1 => "iso-8859-1",
            Encoding::Iso8859_15 => "iso-8859-15",
        }
    }

    /// The encoding with this name, whatever its capitals.
    pub fn by_name(name: &str) -> Option<Encoding> {
        Encoding::ALL.into_iter().find(|encoding| encoding.name().eq_ignore_ascii_case(name))
    }

    /// The text of `bytes`; borrowed when no conversion is needed.
    pub fn decode(self, bytes: &[u8]) -> Result<Cow<'_, str>, Misfit> {
        let as_utf8 = std::str::from_utf8(bytes);
        match (self, as_utf8) {
            (_, Ok(text)) if text.is_ascii() => Ok(Cow::Borrowed(text)),
            (Encoding::Utf8, Ok(text)) => Ok(Cow::Borrowed(text)),
            (Encoding::Utf8, Err(_)) => Err(Misfit::Meaningless),
            (_, Ok(text)) if reads_as_names(text) => Err(Misfit::LooksUtf8),
            (single, _) => single.decode_single(bytes).map(Cow::Owned),
        }
    }

    fn decode_single(self, bytes: &[u8]) -> Result<String, Misfit> {
        // The WHATWG table calls ISO 8859-1 Windows-1252; a Latin-1 file has no such bytes.
        if self != Encoding::Windows1252 && bytes.iter().any(|byte| (0x80..=0x9f).contains(byte)) {
            return Err(Misfit::Meaningless);
        }
        let (text, _) = self.table().decode_without_bom_handling(bytes);
        if text.chars().any(|c| ('\u{80}'..='\u{9f}').contains(&c)) {
            return Err(Misfit::Meaningless);
        }
        Ok(text.into_owned())
    }

    /// The bytes of `text`; a character the encoding lacks becomes `?`.
    pub fn encode(self, text: &str) -> Vec<u8> {
        if self == Encoding::Utf8 || text.is_ascii() {
            return text.as_bytes().to_vec();
        }
        let mut bytes = Vec::with_capacity(text.len());
        for character in text.chars() {
            let mut buffer = [0; 4];
            let (encoded, _, unmappable) = self.table().encode(character.encode_utf8(&mut buffer));
            match *encoded {
                [byte] if !unmappable && self.has(byte) => bytes.push(byte),
                _ => bytes.push(b'?'),
            }
        }
        bytes
    }

    /// Whether `byte` is a character in this single-byte encoding.
    fn has(self, byte: u8) -> bool {
        self == Encoding::Windows1252 || !(0x80..=0x9f).contains(&byte)
    }

    fn table(self) -> &'static encoding_rs::Encoding {
        match self {
            Encoding::Utf8 => encoding_rs::UTF_8,
            Encoding::Windows1252 | Encoding::Iso8859_1 => encoding_rs::WINDOWS_1252,
            Encoding::Iso8859_15 => encoding_rs::ISO_8859_15,
        }
    }
}

impl fmt::Display for Encoding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// Whether everything outside ASCII is a letter as names in a Dutch register have them. Only then is valid UTF-8
/// in a single-byte file taken for a mistake: `Groß’s` in Windows-1252 happens to be valid UTF-8 too.
fn reads_as_names(text: &str) -> bool {
    text.chars().filter(|c| !c.is_ascii()).all(|c| {
        c.is_alphabetic()
            && matches!(c, '\u{c0}'..='\u{17f}' | '\u{218}'..='\u{21b}' | '\u{1e00}'..='\u{1eff}')
    })
}

#[cfg(test)]
mod tests;
