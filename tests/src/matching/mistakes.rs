//! What goes wrong between a resident and what a sender has in its system.

use super::{
    Dice,
    town::{Resident, Written},
};

/// A way in which something is written differently, or wrongly.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Mistake {
    /// In capitals, with the prefix in the surname or points left out: the same to everybody.
    Style,
    /// Letters that this system does not have.
    PlainLetters,
    /// The prefix left out or abbreviated.
    Prefix,
    /// With or under the name of a partner.
    PartnerName,
    /// A letter wrong, missing, twice or swapped.
    Spelling,
    /// Only the first initial, or none.
    Initials,
    /// The addition to the house number left out or other.
    Addition,
    /// Day and month swapped.
    DayAndMonth,
    /// A digit of the date of birth.
    BirthDigit,
    /// A digit of the house number.
    HouseNumber,
    /// A character of the postal code.
    PostalCode,
    /// The address before or after moving.
    Moved,
}

impl Mistake {
    /// Every mistake.
    pub const ALL: [Self; 12] = [
        Self::Style,
        Self::PlainLetters,
        Self::Prefix,
        Self::PartnerName,
        Self::Spelling,
        Self::Initials,
        Self::Addition,
        Self::DayAndMonth,
        Self::BirthDigit,
        Self::HouseNumber,
        Self::PostalCode,
        Self::Moved,
    ];

    /// How many of a hundred signals have it. Higher than in most systems.
    const fn chance(self) -> usize {
        match self {
            Self::Style => 40,
            Self::PlainLetters | Self::Initials => 25,
            Self::Prefix => 12,
            Self::PartnerName => 8,
            Self::Addition | Self::Spelling => 6,
            Self::Moved => 3,
            Self::DayAndMonth | Self::BirthDigit | Self::HouseNumber | Self::PostalCode => 2,
        }
    }

    pub(super) fn make(self, written: &mut Written, resident: &Resident, dice: &mut Dice) {
        match self {
            Self::Style => style(written, dice),
            Self::PlainLetters => written.surname = plain(&written.surname),
            Self::Prefix if dice.percent(50) => written.prefix.clear(),
            Self::Prefix => written.prefix = abbreviated(&written.prefix),
            Self::PartnerName => under_partner(written, resident, dice),
            Self::Spelling => written.surname = misspelled(&written.surname, dice),
            Self::Initials if dice.percent(15) => written.initials.clear(),
            Self::Initials => written.initials.truncate(2),
            Self::Addition if dice.percent(70) => written.addition.clear(),
            Self::Addition => written.addition = if written.addition == "A" { "B" } else { "A" }.into(),
            // Who does not know better takes a day above 12 for what it is.
            Self::DayAndMonth if written.born[2] <= 12 => written.born.swap(1, 2),
            Self::DayAndMonth => {}
            Self::BirthDigit => {
                written.born[0] =
                    if written.born[0].is_multiple_of(10) { written.born[0] + 1 } else { written.born[0] - 1 }
            }
            Self::HouseNumber => written.house = other_digit(written.house, dice),
            Self::PostalCode => {
                let last = written.postal_code.pop();
                written.postal_code.push(if last == Some('B') { 'D' } else { 'B' });
            }
            Self::Moved => {
                written.postal_code = format!("48{:02}XY", dice.below(100));
                written.house = 1 + dice.below(60);
                written.addition.clear();
            }
        }
    }
}

/// A resident as some sender has them, with the mistakes in it.
pub(super) fn written(resident: &Resident, dice: &mut Dice) -> (Written, Vec<Mistake>) {
    let mut written = resident.written();
    let mut made = Vec::new();
    for mistake in Mistake::ALL {
        if dice.percent(mistake.chance()) {
            mistake.make(&mut written, resident, dice);
            made.push(mistake);
        }
    }
    (written, made)
}

fn style(written: &mut Written, dice: &mut Dice) {
    match dice.below(4) {
        0 => written.surname = written.surname.to_uppercase(),
        1 => written.surname = written.surname.to_lowercase(),
        2 => {
            let whole = format!("{} {}", written.prefix, written.surname);
            whole.trim().clone_into(&mut written.surname);
            written.prefix.clear();
        }
        _ => written.initials = written.initials.replace('.', ""),
    }
}

fn plain(surname: &str) -> String {
    const LETTERS: &[(char, &str)] = &[
        ('ß', "ss"),
        ('ü', "u"),
        ('ö', "o"),
        ('Ö', "O"),
        ('ş', "s"),
        ('Ş', "S"),
        ('ı', "i"),
        ('ø', "o"),
        ('í', "i"),
        ('ó', "o"),
        ('ễ', "e"),
    ];
    let mut plain = surname.to_owned();
    for (letter, with) in LETTERS {
        plain = plain.replace(*letter, with);
    }
    plain.replace("ij", "y")
}

fn abbreviated(prefix: &str) -> String {
    match prefix {
        "van de" | "van den" | "van der" => "v.d.".into(),
        "van" => "v.".into(),
        "van 't" => "van het".into(),
        "'t" => "het".into(),
        other => other.into(),
    }
}

fn under_partner(written: &mut Written, resident: &Resident, dice: &mut Dice) {
    let Some(partner) = &resident.partner else { return };
    match dice.below(3) {
        0 => written.surname = format!("{}-{partner}", written.surname),
        1 => {
            let own = format!("{} {}", written.prefix, written.surname);
            written.surname = format!("{partner}-{}", own.trim());
            written.prefix.clear();
        }
        _ => {
            written.surname.clone_from(partner);
            written.prefix.clear();
        }
    }
}

fn misspelled(surname: &str, dice: &mut Dice) -> String {
    let mut letters: Vec<char> = surname.chars().collect();
    if letters.len() < 4 {
        return surname.to_owned();
    }
    let place = 1 + dice.below(letters.len() - 2);
    match dice.below(4) {
        0 => drop(letters.remove(place)),
        1 => letters.insert(place, letters[place]),
        2 => letters.swap(place, place + 1),
        _ => letters[place] = if letters[place] == 'e' { 'a' } else { 'e' },
    }
    letters.into_iter().collect()
}

fn other_digit(house: usize, dice: &mut Dice) -> usize {
    let (tens, last) = (house / 10, house % 10);
    if tens > 0 && last > 0 && tens != last && dice.percent(50) && house < 100 {
        return last * 10 + tens;
    }
    tens * 10 + (last + 1).min(9) + usize::from(last == 9) * 10
}
