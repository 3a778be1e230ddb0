//! From the text of one cell to a value of a message.
//!
//! A converter never guesses: what it does not know for certain is [`Unreadable`], with what to do about it. It
//! never repeats the value, because its messages travel to logs and screens.

mod amount;
mod date;

use std::borrow::Cow;

use jiff::civil::Date;

/// Highest house number in the Dutch address register (BAG: five digits).
const MAX_HOUSE_NUMBER: i64 = 99_999;
/// Most digits of a whole number: everything up to here is exact in every JSON reader (RFC 8259 section 6).
const MAX_DIGITS: usize = 15;

/// A way to read a cell.
#[derive(Debug, Clone, PartialEq)]
pub enum Converter {
    /// Text, trimmed, with line breaks and repeated spaces as one space.
    Text,
    /// An amount in euros in Dutch notation, to whole cents.
    Amount,
    /// A whole number.
    Integer,
    /// A date, day-month-year or ISO 8601.
    Date,
    /// Yes or no in the usual Dutch and English words.
    YesNo,
    /// Whether anything is filled in.
    Filled,
    /// Whether a (possible) date is filled in: proof that something happened on a day.
    DateFilled,
    /// A Dutch postcode, to four digits and two capitals.
    Postcode,
    /// A house number without addition.
    HouseNumber,
    /// A telephone number, to digits with at most a plus sign in front.
    Telephone,
    /// One of a fixed list of words.
    Codes(CodeTable),
}

/// What a cell holds.
#[derive(Debug, Clone, PartialEq)]
pub enum Converted<'a> {
    /// Text.
    Text(Cow<'a, str>),
    /// A whole number; of an amount, the cents.
    Integer(i64),
    /// Yes or no.
    Flag(bool),
    /// A calendar date.
    Date(Date),
}

/// The type of JSON value that a converter yields.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum JsonKind {
    /// A string.
    Text,
    /// A whole number.
    Integer,
    /// `true` or `false`.
    Flag,
}

/// Why a cell is not what it should be. Dutch, without the value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unreadable {
    /// What is wrong.
    pub problem: Cow<'static, str>,
    /// What to do about it.
    pub remedy: Cow<'static, str>,
}

impl Unreadable {
    pub(crate) fn new(
        problem: impl Into<Cow<'static, str>>,
        remedy: impl Into<Cow<'static, str>>,
    ) -> Unreadable {
        Unreadable { problem: problem.into(), remedy: remedy.into() }
    }
}

/// The names of the converters in a mapping file.
pub(crate) const NAMES: [(&str, Converter); 10] = [
    ("tekst", Converter::Text),
    ("bedrag", Converter::Amount),
    ("getal", Converter::Integer),
    ("datum", Converter::Date),
    ("ja-nee", Converter::YesNo),
    ("gevuld", Converter::Filled),
    ("datum-gevuld", Converter::DateFilled),
    ("postcode", Converter::Postcode),
    ("huisnummer", Converter::HouseNumber),
    ("telefoon", Converter::Telephone),
];

impl Converter {
    /// What a cell is expected to hold, as a phrase in Dutch.
    pub fn kind(&self) -> &'static str {
        match self {
            Converter::Text | Converter::Filled => "tekst",
            Converter::Amount => "een bedrag in euro's",
            Converter::Integer => "een geheel getal",
            Converter::Date | Converter::DateFilled => "een datum",
            Converter::YesNo => "ja of nee",
            Converter::Postcode => "een postcode",
            Converter::HouseNumber => "een huisnummer",
            Converter::Telephone => "een telefoonnummer",
            Converter::Codes(_) => "een code uit de lijst",
        }
    }

    /// The JSON type of the outcome.
    pub fn json_kind(&self) -> JsonKind {
        match self {
            Converter::Text | Converter::Date | Converter::Postcode | Converter::Telephone => JsonKind::Text,
            Converter::Amount | Converter::Integer | Converter::HouseNumber => JsonKind::Integer,
            Converter::YesNo | Converter::Filled | Converter::DateFilled => JsonKind::Flag,
            Converter::Codes(table) => table.json_kind,
        }
    }

    /// What an empty cell means by nature: for "is it filled in" that is an answer, for the others it is not.
    pub fn when_empty(&self) -> Option<Converted<'static>> {
        matches!(self, Converter::Filled | Converter::DateFilled).then_some(Converted::Flag(false))
    }

    /// Reads `text`, which is trimmed and not empty.
    pub fn convert<'a>(&'a self, text: &'a str) -> Result<Converted<'a>, Unreadable> {
        match self {
            Converter::Text => one_line(text).map(Converted::Text),
            Converter::Amount => amount::parse(text).map(Converted::Integer),
            Converter::Integer => integer(text).map(Converted::Integer),
            Converter::Date => date::parse(text).map(Converted::Date),
            Converter::YesNo => yes_no(text).map(Converted::Flag),
            Converter::Filled => Ok(Converted::Flag(true)),
            Converter::DateFilled => date::parse(text).map(|_| Converted::Flag(true)),
            Converter::Postcode => postcode(text).map(|code| Converted::Text(Cow::Owned(code))),
            Converter::HouseNumber => house_number(text).map(Converted::Integer),
            Converter::Telephone => telephone(text).map(|number| Converted::Text(Cow::Owned(number))),
            Converter::Codes(table) => table.convert(text),
        }
    }
}

/// Words and what they mean. Capitals and repeated spaces make no difference.
#[derive(Debug, Clone, PartialEq)]
pub struct CodeTable {
    codes: Vec<(String, Converted<'static>)>,
    json_kind: JsonKind,
    remedy: String,
}

/// Why a list of words is not a code table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CodeTableError {
    /// No words.
    Empty,
    /// Not all meanings are of one JSON type.
    MixedKinds,
    /// The same word twice, apart from capitals.
    Twice,
}

impl CodeTable {
    /// A table of (word, meaning).
    pub fn new(codes: Vec<(String, Converted<'static>)>) -> Result<CodeTable, CodeTableError> {
        let json_kind = codes.first().map(|(_, meaning)| meaning.json_kind()).ok_or(CodeTableError::Empty)?;
        if codes.iter().any(|(_, meaning)| meaning.json_kind() != json_kind) {
            return Err(CodeTableError::MixedKinds);
        }
        let words: Vec<_> = codes.iter().map(|(word, _)| format!("\"{word}\"")).collect();
        let remedy = format!("Gebruik een van: {}.", words.join(", "));
        let codes: Vec<_> = codes.into_iter().map(|(word, meaning)| (fold(&word), meaning)).collect();
        let twice = |index: usize| codes[..index].iter().any(|(word, _)| *word == codes[index].0);
        if (0..codes.len()).any(twice) {
            return Err(CodeTableError::Twice);
        }
        Ok(CodeTable { codes, json_kind, remedy })
    }

    /// The meanings, in the order given.
    pub fn meanings(&self) -> impl Iterator<Item = &Converted<'static>> {
        self.codes.iter().map(|(_, meaning)| meaning)
    }

    fn convert(&self, text: &str) -> Result<Converted<'_>, Unreadable> {
        let folded = fold(text);
        match self.codes.iter().find(|(word, _)| *word == folded) {
            Some((_, meaning)) => Ok(meaning.clone()),
            None => Err(Unreadable::new("staat niet in de lijst van bekende waarden", self.remedy.clone())),
        }
    }
}

impl Converted<'_> {
    /// The same value, free of the text it was read from.
    pub fn into_owned(self) -> Converted<'static> {
        match self {
            Converted::Text(text) => Converted::Text(Cow::Owned(text.into_owned())),
            Converted::Integer(number) => Converted::Integer(number),
            Converted::Flag(flag) => Converted::Flag(flag),
            Converted::Date(date) => Converted::Date(date),
        }
    }

    /// The JSON type of this value.
    pub fn json_kind(&self) -> JsonKind {
        match self {
            Converted::Text(_) | Converted::Date(_) => JsonKind::Text,
            Converted::Integer(_) => JsonKind::Integer,
            Converted::Flag(_) => JsonKind::Flag,
        }
    }
}

/// The form in which words are compared: lower case, single spaces.
pub(crate) fn fold(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ").to_lowercase()
}

/// Text on one line. Other control characters are refused: nobody typed them.
fn one_line(text: &str) -> Result<Cow<'_, str>, Unreadable> {
    let plain = |c: char| !c.is_whitespace() && !c.is_control();
    if text.split(' ').all(|word| !word.is_empty() && word.chars().all(plain)) {
        return Ok(Cow::Borrowed(text));
    }
    if text.chars().any(|c| c.is_control() && !matches!(c, '\n' | '\r' | '\t')) {
        return Err(Unreadable::new(
            "bevat een onzichtbaar stuurteken",
            "Typ de waarde in deze cel opnieuw of exporteer het bestand opnieuw.",
        ));
    }
    Ok(Cow::Owned(text.split_whitespace().collect::<Vec<_>>().join(" ")))
}

fn integer(text: &str) -> Result<i64, Unreadable> {
    let remedy = "Schrijf alleen cijfers, bijvoorbeeld 12.";
    let digits = text.strip_prefix('-').unwrap_or(text);
    if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(Unreadable::new("bevat iets anders dan cijfers", remedy));
    }
    match text.parse() {
        Ok(number) if digits.len() <= MAX_DIGITS => Ok(number),
        _ => Err(Unreadable::new("heeft te veel cijfers", remedy)),
    }
}

fn house_number(text: &str) -> Result<i64, Unreadable> {
    let remedy = "Zet hier alleen het nummer (1 tot en met 99999) en de toevoeging in een eigen kolom.";
    match integer(text) {
        Ok(number @ 1..=MAX_HOUSE_NUMBER) => Ok(number),
        Ok(_) => Err(Unreadable::new("is geen bestaand huisnummer", remedy)),
        Err(unreadable) => Err(Unreadable::new(unreadable.problem, remedy)),
    }
}

fn yes_no(text: &str) -> Result<bool, Unreadable> {
    match fold(text).as_str() {
        "j" | "ja" | "y" | "yes" | "waar" | "true" | "1" => Ok(true),
        "n" | "nee" | "no" | "onwaar" | "false" | "0" => Ok(false),
        _ => Err(Unreadable::new("is geen ja of nee", "Schrijf J of N.")),
    }
}

fn postcode(text: &str) -> Result<String, Unreadable> {
    let code: String = text.chars().filter(|c| !c.is_whitespace()).collect::<String>().to_ascii_uppercase();
    let bytes = code.as_bytes();
    let fits = bytes.len() == 6
        && matches!(bytes[0], b'1'..=b'9')
        && bytes[1..4].iter().all(u8::is_ascii_digit)
        && bytes[4..].iter().all(u8::is_ascii_uppercase);
    if fits {
        Ok(code)
    } else {
        Err(Unreadable::new(
            "is geen Nederlandse postcode",
            "Schrijf vier cijfers (niet beginnend met 0) en twee letters, bijvoorbeeld 1234 AB.",
        ))
    }
}

/// Digits as people group them: spaces, hyphens, points, slashes and brackets mean nothing (ITU-T E.123).
fn telephone(text: &str) -> Result<String, Unreadable> {
    let number: String =
        text.chars().filter(|c| !c.is_whitespace() && !matches!(c, '-' | '.' | '/' | '(' | ')')).collect();
    let digits = number.strip_prefix('+').unwrap_or(&number);
    if (3..=15).contains(&digits.len()) && digits.bytes().all(|byte| byte.is_ascii_digit()) {
        Ok(number)
    } else {
        Err(Unreadable::new(
            "is geen telefoonnummer",
            "Schrijf één nummer van 3 tot 15 cijfers, eventueel met + vooraan, of maak de cel leeg.",
        ))
    }
}

#[cfg(test)]
mod tests;
