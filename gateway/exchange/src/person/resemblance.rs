//! Whether signals of several senders are about one resident or household.
//!
//! Joining goes by itself only where nothing differs: the same number and nothing that contradicts it, or surname with
//! prefixes, all initials, date of birth and full address, written the same but for capitals and what stands between words.
//! So twins whose first initial is the same, father and son, and namesakes elsewhere stay apart. What differs is a [`Clue`]
//! with a weight; together they may weigh as much as two mistakes of a typist. More is another person.
//!
//! The same address alone never joins, also not with the same surname: a number may hold more households than its additions
//! say, and then one resident's debts would stand beside a stranger's. It is suggested as a household, for a person to decide.

use super::{
    Identity, Person, Place, bsn_key,
    clue::{Clue, Clues},
    key, label,
    name::Name,
    near::{is_spelled_alike, one_apart, skeleton},
};

/// What differs between two that may be the same weighs so much at most.
const MOST_DIFFERENCE: u32 = 5;
/// The same between two with numbers that differ: hardly anything else may.
const MOST_WITH_OTHER_NUMBER: u32 = 2;
/// Words of a surname by which it is looked for.
const MAX_WORDS: usize = 3;
/// The shortest word of a surname that says something when it is shared.
const SHORTEST_SHARED: usize = 3;

/// What two identities are of each other.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Resemblance {
    /// The same person, written the same.
    Same,
    /// Perhaps the same person or household, with what a person must know to decide.
    Perhaps(Clues),
    /// Others, or nothing by which to know.
    Different,
}

/// What differs, and how much that weighs.
#[derive(Clone, Copy, Default)]
struct Difference {
    clues: Clues,
    weight: u32,
    /// The date of birth may be the same.
    same_birth: bool,
    /// The initials and given names do not contradict each other.
    same_given: bool,
    /// The surname may be the same.
    same_surname: bool,
}

impl Difference {
    fn add(&mut self, clue: Clue, weight: u32) {
        self.clues = self.clues.with(clue);
        self.weight += weight;
    }
}

impl Identity {
    /// Whether this and another, of somebody else's message, are one person or perhaps one.
    pub fn resemblance(&self, other: &Self) -> Resemblance {
        let numbers = self.bsn.as_ref().zip(other.bsn.as_ref()).map(|(one, other)| one == other);
        let Some((one, other)) = self.person.as_ref().zip(other.person.as_ref()) else {
            return if numbers == Some(true) { Resemblance::Same } else { Resemblance::Different };
        };
        let found = one.difference(other);
        match numbers {
            Some(true) if found.same_birth && found.same_given => Resemblance::Same,
            Some(true) => Resemblance::Perhaps(found.clues.with(Clue::SameNumber)),
            Some(false) if found.weight <= MOST_WITH_OTHER_NUMBER => {
                Resemblance::Perhaps(found.clues.with(Clue::OtherNumber))
            }
            None if found.clues.is_empty() && found.weight == 0 => Resemblance::Same,
            None if found.weight <= MOST_DIFFERENCE => {
                // Twins, too, live in one household.
                let household = !found.same_given && one.lives_with(other, found);
                let clues = found.clues;
                Resemblance::Perhaps(if household { clues.with(Clue::Household) } else { clues })
            }
            Some(false) | None if one.lives_with(other, found) => {
                Resemblance::Perhaps(Clues::default().with(Clue::Household))
            }
            Some(false) | None => Resemblance::Different,
        }
    }

    /// By what those are found that this may resemble: each holds what one mistake leaves as it was. The likeliest first.
    pub fn near_keys(&self) -> Vec<Vec<u8>> {
        let mut keys: Vec<Vec<u8>> = self.bsn.as_deref().map(bsn_key).into_iter().collect();
        let Some(Person { name, place, .. }) = &self.person else { return keys };
        let born = place.born_either_way();
        let Place { postal_code, house_number, .. } = place;
        keys.push(key(label::NEAR_BIRTH_PLACE, &[&born, postal_code, house_number]));
        let mut words: Vec<String> = name.words().iter().take(MAX_WORDS).map(|word| skeleton(word)).collect();
        words.sort_unstable();
        words.dedup();
        for word in &words {
            keys.push(key(label::NEAR_NAME_BIRTH, &[word, &born]));
        }
        for word in &words {
            keys.push(key(label::NEAR_NAME_PLACE, &[word, postal_code, house_number]));
        }
        keys.push(key(label::NEAR_PLACE, &[postal_code, house_number]));
        keys
    }
}

impl Person {
    fn difference(&self, other: &Self) -> Difference {
        let mut found = Difference::default();
        self.name.surname_difference(&other.name, &mut found);
        self.name.given_difference(&other.name, &mut found);
        self.place.birth_difference(&other.place, &mut found);
        self.address_difference(other, &mut found);
        found
    }

    fn address_difference(&self, other: &Self, found: &mut Difference) {
        let (one, another) = (&self.place, &other.place);
        let same_code = one.postal_code == another.postal_code;
        let same_number = one.house_number == another.house_number;
        if !same_code && same_number && one_apart(&one.postal_code, &another.postal_code) {
            found.add(Clue::PostalCode, 2);
        } else if same_code && !same_number && one_apart(&one.house_number, &another.house_number) {
            found.add(Clue::HouseNumber, 2);
        } else if !same_code || !same_number {
            // Who moved has the same date of birth, but for day and month that were swapped.
            let weight = if found.clues.has(Clue::BirthDigit) { MOST_DIFFERENCE + 1 } else { 3 };
            return found.add(Clue::OtherAddress, weight);
        }
        if self.addition != other.addition {
            found.add(Clue::Addition, 1);
        }
    }

    /// Whether both may belong to one household, when they are not one person.
    fn lives_with(&self, other: &Self, found: Difference) -> bool {
        let (one, another) = (&self.place, &other.place);
        let left_out = self.addition.is_empty() || other.addition.is_empty();
        one.postal_code == another.postal_code
            && one.house_number == another.house_number
            && (self.addition == other.addition || (left_out && found.same_surname))
    }
}

impl Place {
    fn birth_difference(&self, other: &Self, found: &mut Difference) {
        found.same_birth = true;
        if self.born == other.born {
            return;
        }
        if self.born_either_way() == other.born_either_way() {
            found.add(Clue::DayAndMonth, 2);
        } else if one_apart(&self.born, &other.born) {
            found.add(Clue::BirthDigit, 3);
        } else {
            found.same_birth = false;
            found.weight += MOST_DIFFERENCE + 1;
        }
    }

    /// The date of birth with the lower of day and month first.
    fn born_either_way(&self) -> String {
        let parts: Vec<&str> = self.born.splitn(3, '-').collect();
        match parts.as_slice() {
            [year, month, day] => format!("{year}-{}-{}", month.min(day), month.max(day)),
            _ => self.born.clone(),
        }
    }
}

impl Name {
    fn surname_difference(&self, other: &Self, found: &mut Difference) {
        found.same_surname = true;
        if self.is_written_as(other) {
            return;
        }
        if self.surname() == other.surname() {
            if !self.has_prefixes_of(other) {
                found.add(Clue::Prefix, 0);
            }
            if !self.is_written_as_without_prefixes(other) || self.has_prefixes_of(other) {
                found.add(Clue::Letters, 0);
            }
            return;
        }
        let long = |word: &&String| word.len() >= SHORTEST_SHARED;
        let is_near = |word: &String, with: &String| word == with || is_spelled_alike(word, with);
        if self.words().iter().filter(long).any(|word| other.words().contains(word)) {
            found.add(Clue::PartnerName, 2);
        } else if is_spelled_alike(&self.surname(), &other.surname()) {
            found.add(Clue::Spelling, 2);
        } else if self.words().iter().any(|word| other.words().iter().any(|with| is_near(word, with))) {
            found.add(Clue::PartnerName, 2);
            found.add(Clue::Spelling, 1);
        } else {
            found.same_surname = false;
            found.add(Clue::OtherSurname, 5);
        }
    }

    fn given_difference(&self, other: &Self, found: &mut Difference) {
        let (one, another) = (self.initials(), other.initials());
        found.same_given = true;
        if one.is_empty() || (one != another && (one.starts_with(another) || another.starts_with(one))) {
            found.add(Clue::FewerInitials, 1);
        } else if one != another {
            found.same_given = one.first() == another.first();
            found.add(Clue::OtherInitials, if found.same_given { 2 } else { 4 });
        }
        let given = self.given().zip(other.given());
        if given.is_some_and(|(one, other)| one != other) {
            found.same_given = false;
            found.add(Clue::OtherGivenNames, 2);
        }
    }
}

#[cfg(test)]
mod tests;
