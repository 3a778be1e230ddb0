//! Why two identities may be of the same person, and what speaks against it.

use std::fmt;

/// What a person who decides should know of two that resemble each other.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
pub enum Clue {
    /// The surname differs only in letters that are written in more than one way.
    Letters,
    /// The surname has another prefix, or none.
    Prefix,
    /// The surname is spelled nearly the same.
    Spelling,
    /// A part of the surname is the same: that of a partner, or the one at birth.
    PartnerName,
    /// The surname is another one.
    OtherSurname,
    /// One of the two has fewer initials, or none.
    FewerInitials,
    /// The initials differ.
    OtherInitials,
    /// The given names differ.
    OtherGivenNames,
    /// Day and month of birth are swapped.
    DayAndMonth,
    /// One digit of the date of birth differs.
    BirthDigit,
    /// The addition to the house number differs.
    Addition,
    /// One digit of the house number differs.
    HouseNumber,
    /// One character of the postal code differs.
    PostalCode,
    /// The address is another one.
    OtherAddress,
    /// The citizen service numbers differ.
    OtherNumber,
    /// The citizen service number is the same, and the rest contradicts it.
    SameNumber,
    /// Another person at the same address.
    Household,
    /// Somebody decided before that what looks the same here is not.
    KeptApart,
}

impl Clue {
    /// Every clue.
    pub const ALL: [Self; 18] = [
        Self::Letters,
        Self::Prefix,
        Self::Spelling,
        Self::PartnerName,
        Self::OtherSurname,
        Self::FewerInitials,
        Self::OtherInitials,
        Self::OtherGivenNames,
        Self::DayAndMonth,
        Self::BirthDigit,
        Self::Addition,
        Self::HouseNumber,
        Self::PostalCode,
        Self::OtherAddress,
        Self::OtherNumber,
        Self::SameNumber,
        Self::Household,
        Self::KeptApart,
    ];

    /// The name that programs see.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Letters => "schrijfwijze-letters",
            Self::Prefix => "tussenvoegsel",
            Self::Spelling => "spelling-achternaam",
            Self::PartnerName => "naam-van-partner",
            Self::OtherSurname => "andere-achternaam",
            Self::FewerInitials => "minder-voorletters",
            Self::OtherInitials => "andere-voorletters",
            Self::OtherGivenNames => "andere-voornamen",
            Self::DayAndMonth => "dag-en-maand-verwisseld",
            Self::BirthDigit => "cijfer-geboortedatum",
            Self::Addition => "toevoeging-huisnummer",
            Self::HouseNumber => "cijfer-huisnummer",
            Self::PostalCode => "teken-postcode",
            Self::OtherAddress => "ander-adres",
            Self::OtherNumber => "ander-bsn",
            Self::SameNumber => "zelfde-bsn",
            Self::Household => "zelfde-huishouden",
            Self::KeptApart => "eerder-gescheiden",
        }
    }

    /// The same as a sentence.
    pub const fn sentence(self) -> &'static str {
        match self {
            Self::Letters => {
                "De achternaam verschilt alleen in hoe letters zijn geschreven, zoals é en e, of ß en ss."
            }
            Self::Prefix => "Het tussenvoegsel is anders of ontbreekt.",
            Self::Spelling => "De achternaam is iets anders gespeld.",
            Self::PartnerName => {
                "De achternaam komt voor een deel overeen: misschien staat er een geboortenaam of de naam van een partner."
            }
            Self::OtherSurname => "De achternaam is anders; de rest komt overeen.",
            Self::FewerInitials => "Bij één van de twee ontbreken voorletters.",
            Self::OtherInitials => "De voorletters verschillen: het kan ook een broer of zus zijn.",
            Self::OtherGivenNames => "De voornamen verschillen: het kan ook een broer of zus zijn.",
            Self::DayAndMonth => "Dag en maand van de geboortedatum zijn verwisseld.",
            Self::BirthDigit => "De geboortedatum verschilt in één cijfer.",
            Self::Addition => "De toevoeging bij het huisnummer is anders of ontbreekt.",
            Self::HouseNumber => "Het huisnummer verschilt in één cijfer.",
            Self::PostalCode => "De postcode verschilt in één teken.",
            Self::OtherAddress => "Het adres is anders: misschien is deze persoon verhuisd.",
            Self::OtherNumber => "Het BSN is anders: één van de twee klopt niet, of het zijn twee personen.",
            Self::SameNumber => "Het BSN is hetzelfde, maar andere gegevens spreken dat tegen.",
            Self::Household => "Iemand anders op hetzelfde adres: misschien één huishouden.",
            Self::KeptApart => "Iemand besloot eerder dat signalen die hierop lijken niet bij elkaar horen.",
        }
    }
}

impl fmt::Display for Clue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// Clues, each once.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub struct Clues(u32);

impl Clues {
    /// Those in a number that [`bits`](Self::bits) gave. What it does not know it leaves out.
    pub fn from_bits(bits: u32) -> Self {
        Clue::ALL.into_iter().filter(|clue| bits & (1 << *clue as u8) != 0).collect()
    }

    /// As one number, to keep.
    pub const fn bits(self) -> u32 {
        self.0
    }

    /// Whether there are none.
    pub const fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// Whether this one is among them.
    pub const fn has(self, clue: Clue) -> bool {
        self.0 & (1 << clue as u8) != 0
    }

    /// With this one as well.
    #[must_use]
    pub const fn with(self, clue: Clue) -> Self {
        Self(self.0 | 1 << clue as u8)
    }

    /// Each, in the order of [`Clue::ALL`].
    pub fn iter(self) -> impl Iterator<Item = Clue> {
        Clue::ALL.into_iter().filter(move |clue| self.has(*clue))
    }
}

impl FromIterator<Clue> for Clues {
    fn from_iter<I: IntoIterator<Item = Clue>>(clues: I) -> Self {
        clues.into_iter().fold(Self::default(), Self::with)
    }
}

#[cfg(test)]
mod tests;
