//! Dutch names, however they are written.

use icu_normalizer::DecomposingNormalizerBorrowed;
use serde_json::Value;
use zeroize::{Zeroize, ZeroizeOnDrop};

use super::Match;

/// What stands before a surname (Logisch Ontwerp BRP, table 36), word by word and as [`words`] gives it, with the usual
/// abbreviations. Left out are words that are surnames themselves, such as `al` and `don`.
const PREFIXES: &[&str] = &[
    "aan", "aen", "af", "auf", "aus", "aux", "by", "bin", "d", "da", "das", "de", "deca", "degli", "dei",
    "del", "della", "den", "der", "des", "di", "die", "do", "dos", "du", "een", "el", "het", "i", "im", "in",
    "l", "la", "las", "le", "les", "los", "met", "n", "of", "onder", "op", "over", "s", "t", "te", "ten",
    "ter", "thoe", "to", "toe", "tot", "uit", "uyt", "v", "van", "vande", "vanden", "vander", "vd", "vdr",
    "vh", "vom", "von", "voor", "vor", "zu", "zum", "zur",
];

const NFKD: DecomposingNormalizerBorrowed<'static> = DecomposingNormalizerBorrowed::new_nfkd();

/// A name, normalised.
#[derive(Clone, PartialEq, Eq, Zeroize, ZeroizeOnDrop)]
pub(super) struct Name {
    /// The words of the surname that are no prefixes; never empty.
    words: Vec<String>,
    /// The first letter of the initials or else of the given names; empty when there are none.
    initial: String,
    /// All initials, or else the first letters of the given names.
    initials: Vec<String>,
    /// The given names.
    given: Vec<String>,
    /// The surname as it is written but for capitals and what stands between words, with its prefixes and without.
    written: [String; 2],
    /// The surname with its prefixes, in plain letters.
    whole: String,
}

impl Name {
    /// Reads `naam`; `None` without a surname that has a letter in it.
    pub(super) fn read(name: &Value) -> Option<Self> {
        let part = |field: &str| name[field].as_str().unwrap_or_default();
        let mut words = words(part("voorvoegsel"));
        words.extend(self::words(part("achternaam")));
        let whole = joined(&words);
        let written = written([part("voorvoegsel"), part("achternaam")]);
        if words.iter().any(|word| !is_prefix(word)) {
            words.retain(|word| !is_prefix(word));
        } else {
            // A surname that is a prefix by its looks, such as Le.
            words = words.pop().into_iter().collect();
        }
        let given = [part("voorletters"), part("voornamen")];
        let initial = given.iter().find_map(|text| initial(text)).unwrap_or_default();
        let initials = initials(part("voorletters"), part("voornamen"));
        let given = self::words(part("voornamen"));
        (!words.is_empty()).then_some(Self { words, initial, initials, given, written, whole })
    }

    /// The words of the surname that are no prefixes.
    pub(super) fn words(&self) -> &[String] {
        &self.words
    }

    /// All initials, as far as they are known.
    pub(super) fn initials(&self) -> &[String] {
        &self.initials
    }

    /// The first given name.
    pub(super) fn given(&self) -> Option<&str> {
        self.given.first().map(String::as_str)
    }

    /// Whether the surname is written in the same way, but for capitals and what stands between words.
    pub(super) fn is_written_as(&self, other: &Self) -> bool {
        self.written[0] == other.written[0]
    }

    /// Whether the surname without its prefixes is.
    pub(super) fn is_written_as_without_prefixes(&self, other: &Self) -> bool {
        self.written[1] == other.written[1]
    }

    /// Whether the surname with its prefixes is the same in plain letters.
    pub(super) fn has_prefixes_of(&self, other: &Self) -> bool {
        self.whole == other.whole
    }

    pub(super) fn surname(&self) -> String {
        joined(&self.words)
    }

    pub(super) fn initial(&self) -> &str {
        &self.initial
    }

    /// Whether this is the same name; perhaps, when they share a part of the surname (that of a partner may be left out
    /// or in front) and no initials contradict it.
    pub(super) fn compare(&self, other: &Self) -> Match {
        let same_surname = self.surname() == other.surname();
        if same_surname && self.initial == other.initial {
            return Match::Same;
        }
        let contradicts =
            !self.initial.is_empty() && !other.initial.is_empty() && self.initial != other.initial;
        let shares = same_surname || self.words.iter().any(|word| other.words.contains(word));
        if shares && !contradicts { Match::Perhaps } else { Match::Different }
    }
}

fn is_prefix(word: &str) -> bool {
    PREFIXES.contains(&word)
}

fn initial(text: &str) -> Option<String> {
    words(text).first()?.chars().next().map(String::from)
}

/// The first letters of what stands between points, or each letter of what is in capitals only: `E.J.`, `EJ`, `Th.A.`.
fn initials(initials: &str, given: &str) -> Vec<String> {
    /// As many as anybody writes without points.
    const MOST: usize = 6;
    let text = [initials, given].into_iter().find(|text| !words(text).is_empty()).unwrap_or_default();
    let parts = words(text);
    let [one] = parts.as_slice() else {
        return parts.iter().filter_map(|part| part.chars().next()).map(String::from).collect();
    };
    let in_capitals = text.chars().filter(|letter| letter.is_alphabetic()).all(char::is_uppercase);
    let count = if in_capitals && one.chars().count() <= MOST { MOST } else { 1 };
    one.chars().take(count).map(String::from).collect()
}

/// A surname as it is written, but for capitals and what stands between words: with its prefixes and without.
fn written(parts: [&str; 2]) -> [String; 2] {
    let text = parts.join(" ").to_lowercase();
    let text: String = NFKD.normalize_iter(text.chars()).collect();
    let keeps = |letter: char| letter.is_alphanumeric() || is_mark(letter);
    let all: Vec<&str> = text.split(|letter| !keeps(letter)).filter(|word| !word.is_empty()).collect();
    let without: String = all.iter().filter(|word| !is_prefix(&joined(&words(word)))).copied().collect();
    let whole = all.concat();
    let without = if without.is_empty() { whole.clone() } else { without };
    [whole, without]
}

/// The words of a text in plain small letters: without diacritics, and with one form for letters that are written in
/// more than one way.
pub(super) fn words(text: &str) -> Vec<String> {
    plain(text).split(' ').filter(|word| !word.is_empty()).map(with_y).collect()
}

/// Words as one, in the same form: `ij` may have come together only now.
pub(super) fn joined(words: &[String]) -> String {
    with_y(&words.concat())
}

/// Small letters and digits, with a space for whatever stands between them.
fn plain(text: &str) -> String {
    let mut plain = String::with_capacity(text.len());
    if text.is_ascii() {
        plain.extend(text.chars().map(|letter| match letter.to_ascii_lowercase() {
            letter if letter.is_ascii_alphanumeric() => letter,
            _ => ' ',
        }));
        return plain;
    }
    for letter in NFKD.normalize_iter(text.chars()).flat_map(char::to_lowercase) {
        match letter {
            'ß' => plain.push_str("ss"),
            'æ' => plain.push_str("ae"),
            'œ' => plain.push_str("oe"),
            'þ' => plain.push_str("th"),
            'ø' => plain.push('o'),
            'ł' => plain.push('l'),
            'đ' | 'ð' => plain.push('d'),
            'ħ' => plain.push('h'),
            'ı' => plain.push('i'),
            'ŋ' => plain.push('n'),
            'ŧ' => plain.push('t'),
            letter if is_mark(letter) => {}
            letter if letter.is_alphanumeric() => plain.push(letter),
            _ => plain.push(' '),
        }
    }
    plain
}

/// What stands on, in or under the letter before it, as NFKD leaves it.
const fn is_mark(letter: char) -> bool {
    matches!(letter, '\u{0300}'..='\u{036f}' | '\u{1ab0}'..='\u{1aff}' | '\u{1dc0}'..='\u{1dff}' | '\u{20d0}'..='\u{20ff}' | '\u{fe20}'..='\u{fe2f}')
}

fn with_y(word: &str) -> String {
    word.replace("ij", "y")
}
