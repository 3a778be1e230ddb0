//! Who a document is about, so that the same resident is recognised however somebody wrote the name.
//!
//! Nothing here leaves the node. A key is what others hash: the store makes keyed tokens of them to look somebody up
//! by, and a consent commits to one with a salt. So a key is the same for every way to write the same thing, and
//! another for another person:
//!
//! | written differently | treated as |
//! |---|---|
//! | capitals, diacritics, ligatures (Unicode NFKD), `ß`, `ø`, `æ`, `œ`, `ł` | the plain letters |
//! | `ij`, `ĳ`, `ÿ` | `y` |
//! | spaces, hyphens, apostrophes, points | nothing: `Jansen-de Vries` is `Jansen - De Vries` |
//! | prefixes (`van den`, `v.d.`, `'t`), in their own field or in the surname | nothing |
//! | initials | the first only, also of the first given name: one system writes `E.`, the next `E.J.M.` |
//! | addition to a house number: `A`, `a`, `-a`; `hs`, `huis`; `1-hoog`, `I` | one form |
//! | street and town | nothing: postal code and number say it |
//!
//! Prefixes are left out because `v.d.` may be any of three of them; with the date of birth, the address and the first
//! initial beside it that joins nobody. The first initial stays in: it tells twins apart. What somebody else may also
//! have written, such as the name without that of a partner, does not make the same key: [`Identity::compare`] then says
//! [`Match::Perhaps`], and a person decides.
//!
//! Signals of several senders are held against each other more strictly and more widely than that:
//! [`Identity::resemblance`].

mod address;
mod clue;
mod name;
mod near;
mod resemblance;

pub use clue::{Clue, Clues};
pub use resemblance::Resemblance;

use std::fmt;

use schemas::Document;
use serde::Deserialize;
use serde_json::Value;
use zeroize::{Zeroize, ZeroizeOnDrop};

use crate::jws::{self, Unverified};
use name::Name;

/// The kinds of key, each with its version: what one kind is made of never equals another, and changing how a value is
/// normalised is a new version.
mod label {
    pub(super) const BSN: &str = "schakel/betrokkene/bsn/1";
    pub(super) const PERSON: &str = "schakel/betrokkene/persoon/1";
    pub(super) const PLACE: &str = "schakel/betrokkene/geboortedatum-adres/1";
    // By what a resemblance is found.
    pub(super) const NEAR_BIRTH_PLACE: &str = "schakel/gelijkenis/geboortedatum-adres/1";
    pub(super) const NEAR_NAME_BIRTH: &str = "schakel/gelijkenis/naam-geboortedatum/1";
    pub(super) const NEAR_NAME_PLACE: &str = "schakel/gelijkenis/naam-adres/1";
    pub(super) const NEAR_PLACE: &str = "schakel/gelijkenis/adres/1";
}

/// The resident in a document, normalised. Personal data: shows nothing, and is wiped when it goes.
#[derive(Clone, PartialEq, Eq, Zeroize, ZeroizeOnDrop)]
pub struct Identity {
    bsn: Option<String>,
    person: Option<Person>,
}

#[derive(Clone, PartialEq, Eq, Zeroize, ZeroizeOnDrop)]
struct Person {
    name: Name,
    place: Place,
    addition: String,
}

/// When somebody was born and where they live, but for the part of the house.
#[derive(Clone, PartialEq, Eq, Zeroize, ZeroizeOnDrop)]
struct Place {
    /// As written: the schema allows one way only.
    born: String,
    postal_code: String,
    house_number: String,
}

/// Whether two identities are of the same person.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Match {
    /// The same number, or the same name, date of birth and address.
    Same,
    /// Enough is alike that a person must decide.
    Perhaps,
    /// Somebody else, or nothing by which to know.
    Different,
}

/// By what the resident of a message is looked up: the keys of [`Identity`] that say where to look, and nothing that only
/// says who it is. Cheap enough for every message.
#[derive(Clone, Default, PartialEq, Eq, Zeroize, ZeroizeOnDrop)]
pub struct LookupKeys {
    /// As [`Identity::bsn_key`].
    pub bsn: Option<Vec<u8>>,
    /// As [`Identity::place_key`].
    pub place: Option<Vec<u8>>,
}

impl LookupKeys {
    /// Those of the resident in this document; none when its schema has no place for a person.
    pub fn of(document: &Document) -> Self {
        document.value().get("betrokkene").map(Self::read).unwrap_or_default()
    }

    pub(crate) fn read(subject: &Value) -> Self {
        Self {
            bsn: subject["bsn"].as_str().map(bsn_key),
            place: Place::read(subject).map(|place| place.key()),
        }
    }
}

impl Identity {
    /// Who this document is about; `None` when its schema has no place for a person.
    pub fn of(document: &Document) -> Option<Self> {
        Self::read(document.value().get("betrokkene")?)
    }

    /// Who a signed message that was stored is about; `None` as for [`of`](Self::of). Does not verify anything: that was
    /// done before the message was stored.
    pub fn of_message(compact: &str) -> Option<Self> {
        #[derive(Deserialize)]
        struct Message {
            data: Data,
        }
        #[derive(Deserialize)]
        struct Data {
            betrokkene: Value,
        }
        let signed = Unverified::parse(jws::MESSAGE, compact).ok()?;
        let message: Message = serde_json::from_slice(signed.unverified_payload()).ok()?;
        Self::read(&message.data.betrokkene)
    }

    /// Who this is, given as the schema `betrokkene` has it; `None` when neither a number nor a name, date of birth and
    /// address can be read from it.
    pub fn read(subject: &Value) -> Option<Self> {
        let bsn = subject["bsn"].as_str().map(str::to_owned);
        let person = Person::read(subject);
        (bsn.is_some() || person.is_some()).then_some(Self { bsn, person })
    }

    /// What names the person by BSN.
    pub fn bsn_key(&self) -> Option<Vec<u8>> {
        self.bsn.as_deref().map(bsn_key)
    }

    /// What names the person by name, date of birth and address.
    pub fn person_key(&self) -> Option<Vec<u8>> {
        self.person.as_ref().map(|person| {
            let (surname, initial) = (person.name.surname(), person.name.initial());
            key(
                label::PERSON,
                &[
                    &surname,
                    initial,
                    &person.place.born,
                    &person.place.postal_code,
                    &person.place.house_number,
                    &person.addition,
                ],
            )
        })
    }

    /// What everybody born on this day at this postal code and number shares, however their names are written: by which
    /// to find those to [`compare`](Self::compare).
    pub fn place_key(&self) -> Option<Vec<u8>> {
        self.person.as_ref().map(|person| person.place.key())
    }

    /// Whether this is the same person.
    pub fn compare(&self, other: &Self) -> Match {
        let numbers = self.bsn.as_ref().zip(other.bsn.as_ref()).map(|(one, other)| one == other);
        let persons = self.person.as_ref().zip(other.person.as_ref());
        let by_person = persons.map_or(Match::Different, |(one, other)| one.compare(other));
        match (numbers, by_person) {
            (Some(true), _) | (None, Match::Same) => Match::Same,
            // Two numbers for what reads as one person: one of them is wrong.
            (Some(false), Match::Same) | (None, Match::Perhaps) => Match::Perhaps,
            (Some(false), _) | (None, Match::Different) => Match::Different,
        }
    }
}

impl Person {
    fn read(subject: &Value) -> Option<Self> {
        let (name, address) = (&subject["naam"], &subject["adres"]);
        let addition = address["huisnummertoevoeging"].as_str().unwrap_or_default();
        Some(Self {
            name: Name::read(name)?,
            place: Place::read(subject)?,
            addition: address::addition(addition),
        })
    }

    fn compare(&self, other: &Self) -> Match {
        if self.place != other.place {
            return Match::Different;
        }
        match self.name.compare(&other.name) {
            Match::Same if self.addition != other.addition => Match::Perhaps,
            names => names,
        }
    }
}

impl Place {
    fn read(subject: &Value) -> Option<Self> {
        let address = &subject["adres"];
        Some(Self {
            born: subject["geboortedatum"].as_str()?.to_owned(),
            postal_code: address::postal_code(address["postcode"].as_str()?),
            house_number: address["huisnummer"].as_u64()?.to_string(),
        })
    }

    fn key(&self) -> Vec<u8> {
        key(label::PLACE, &[&self.born, &self.postal_code, &self.house_number])
    }
}

fn bsn_key(bsn: &str) -> Vec<u8> {
    key(label::BSN, &[bsn])
}

/// Values hold letters and digits only once they are normalised, so what stands between them cannot be in one.
fn key(label: &str, values: &[&str]) -> Vec<u8> {
    let mut key = label.as_bytes().to_vec();
    for value in values {
        key.push(0);
        key.extend_from_slice(value.as_bytes());
    }
    key
}

/// Shows nothing: they name a person.
impl fmt::Debug for LookupKeys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("LookupKeys")
    }
}

/// Shows nothing: it is a person.
impl fmt::Debug for Identity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Identity")
    }
}

#[cfg(test)]
mod tests;
