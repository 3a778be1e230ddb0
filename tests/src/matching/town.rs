//! Residents who do not exist, and who look more alike than those of a real town.

use serde_json::{Value, json};

use super::Dice;

/// Surnames with the prefix before them; the common ones more than once.
const SURNAMES: &[(&str, &str)] = &[
    ("de", "Jong"),
    ("de", "Jong"),
    ("", "Jansen"),
    ("", "Jansen"),
    ("", "Janssen"),
    ("de", "Vries"),
    ("de", "Vries"),
    ("van de", "Berg"),
    ("van den", "Berg"),
    ("van", "Dijk"),
    ("", "Bakker"),
    ("", "Bakker"),
    ("", "Visser"),
    ("", "Vischer"),
    ("", "Smit"),
    ("", "Smits"),
    ("", "Schmidt"),
    ("", "Meijer"),
    ("", "Meyer"),
    ("de", "Boer"),
    ("", "Mulder"),
    ("de", "Groot"),
    ("", "Bos"),
    ("", "Vos"),
    ("", "Peters"),
    ("", "Pieters"),
    ("", "Hendriks"),
    ("", "Hendrix"),
    ("van", "Leeuwen"),
    ("", "Dekker"),
    ("", "Brouwer"),
    ("", "Brouwers"),
    ("de", "Wit"),
    ("", "Dijkstra"),
    ("", "Smeets"),
    ("de", "Graaf"),
    ("van der", "Meer"),
    ("van der", "Linden"),
    ("", "Kok"),
    ("", "Jacobs"),
    ("de", "Haan"),
    ("", "Vermeulen"),
    ("van den", "Heuvel"),
    ("van der", "Veen"),
    ("", "Strauß"),
    ("", "Müller"),
    ("", "Şahin"),
    ("", "Yılmaz"),
    ("", "Öztürk"),
    ("el", "Idrissi"),
    ("", "Nguyễn"),
    ("", "Sørensen"),
    ("", "Kowalski"),
    ("", "O'Brien"),
    ("", "García López"),
    ("'t", "Hart"),
    ("van 't", "Hof"),
    ("", "Oude Kempers"),
    ("op den", "Kamp"),
    ("ter", "Horst"),
];
const GIVEN: &[&str] = &[
    "Jan",
    "Johanna",
    "Joost",
    "Jasper",
    "Maria",
    "Mohammed",
    "Marieke",
    "Anna",
    "Ahmed",
    "Elisabeth",
    "Emma",
    "Erik",
    "Pieter",
    "Petra",
    "Kees",
    "Karin",
    "Willem",
    "Thomas",
    "Tess",
    "Sara",
    "Samir",
    "Lotte",
    "Lucas",
    "Daan",
    "Fatima",
    "Hendrik",
    "Hanneke",
    "Noor",
    "Ruben",
    "Ibrahim",
];
const STREETS: &[&str] = &["Lindelaan", "Kerkstraat", "Dorpsstraat", "Parallelweg", "Stationsplein"];
const ADDITIONS: &[&str] = &["A", "B", "C", "hs", "1", "2", "bis"];
/// Residents live at one of so many numbers of a postal code.
const NUMBERS: usize = 60;

/// Somebody, and what is registered of them.
#[derive(Debug, Clone)]
pub struct Resident {
    /// Who, among those of the town.
    pub person: usize,
    /// With whom they live.
    pub household: usize,
    pub(super) given: Vec<&'static str>,
    /// Whether senders know the given names.
    in_full: bool,
    pub(super) prefix: String,
    pub(super) surname: String,
    /// The name of a partner, if there is one.
    pub(super) partner: Option<String>,
    /// Year, month and day.
    pub(super) born: [usize; 3],
    pub(super) street: &'static str,
    pub(super) house: usize,
    pub(super) addition: String,
    pub(super) postal_code: String,
}

/// How a sender has it in its own system.
#[derive(Debug, Clone)]
pub(super) struct Written {
    pub(super) initials: String,
    pub(super) given: String,
    pub(super) prefix: String,
    pub(super) surname: String,
    pub(super) born: [usize; 3],
    pub(super) street: &'static str,
    pub(super) house: usize,
    pub(super) addition: String,
    pub(super) postal_code: String,
}

impl Resident {
    pub(super) fn written(&self) -> Written {
        let initials = self.given.iter().filter_map(|name| name.chars().next());
        Written {
            initials: initials.flat_map(|letter| [letter, '.']).collect(),
            given: if self.in_full { self.given.join(" ") } else { String::new() },
            prefix: self.prefix.clone(),
            surname: self.surname.clone(),
            born: self.born,
            street: self.street,
            house: self.house,
            addition: self.addition.clone(),
            postal_code: self.postal_code.clone(),
        }
    }
}

impl Written {
    /// As `betrokkene` in a message.
    pub(super) fn json(&self) -> Value {
        let [year, month, day] = self.born;
        let mut name = json!({ "achternaam": self.surname });
        for (field, value) in
            [("voorvoegsel", &self.prefix), ("voorletters", &self.initials), ("voornamen", &self.given)]
        {
            if !value.is_empty() {
                name[field] = value.as_str().into();
            }
        }
        let mut address = json!({
            "straat": self.street, "huisnummer": self.house, "postcode": self.postal_code, "woonplaats": "Rivierstad",
        });
        if !self.addition.is_empty() {
            address["huisnummertoevoeging"] = self.addition.as_str().into();
        }
        json!({ "naam": name, "geboortedatum": format!("{year:04}-{month:02}-{day:02}"), "adres": address })
    }
}

/// A town.
#[derive(Debug)]
pub struct Town {
    /// Everybody in it.
    pub residents: Vec<Resident>,
}

impl Town {
    /// A town of at least so many residents.
    pub fn new(residents: usize, dice: &mut Dice) -> Self {
        let mut town = Self { residents: Vec::with_capacity(residents + 8) };
        let mut household = 0;
        while town.residents.len() < residents {
            town.add_household(household, dice);
            household += 1;
        }
        town
    }

    /// Somebody alone, a couple, twins, father and son with the same initials, a namesake of somebody else, two households
    /// with one surname at a number without additions.
    fn add_household(&mut self, household: usize, dice: &mut Dice) {
        let first = self.somebody(household, dice);
        match dice.below(20) {
            0..=7 => self.residents.push(first),
            8..=12 => {
                let mut other = Resident { given: names(dice), born: birth(dice), ..first.clone() };
                other.person += 1;
                other.partner = Some(first.surname.clone());
                if dice.percent(50) {
                    (other.prefix, other.surname) = surname(dice);
                }
                self.residents.extend([first, other]);
            }
            13 | 14 => self.add_twins(first, dice),
            15 | 16 => {
                let years = 22 + dice.below(15);
                let mut son = Resident { born: birth(dice), ..first.clone() };
                son.person += 1;
                son.born[0] = first.born[0] + years;
                self.residents.extend([first, son]);
            }
            17 => {
                // Born on the same day with the same name, somewhere else.
                let like = dice.of(&self.residents).cloned();
                let like = like.unwrap_or_else(|| first.clone());
                let (given, born) = (like.given, like.born);
                self.residents.push(Resident {
                    given,
                    born,
                    prefix: like.prefix,
                    surname: like.surname,
                    ..first
                });
            }
            _ => {
                let mut neighbour = Resident { given: names(dice), born: birth(dice), ..first.clone() };
                neighbour.person += 1;
                // Another household, whatever the address says.
                neighbour.household = usize::MAX - household;
                self.residents.extend([first, neighbour]);
            }
        }
    }

    /// Whose first initial may be the same; then their names in full tell them apart. Twins of whom senders know one and the
    /// same initial and nothing more cannot be told apart by anybody, and do not live here.
    fn add_twins(&mut self, first: Resident, dice: &mut Dice) {
        let mut twin = first.clone();
        twin.person += 1;
        while twin.given[0] == first.given[0] {
            twin.given = names(dice);
        }
        let in_full = initial(&twin.given) == initial(&first.given);
        self.residents.extend([Resident { in_full, ..first }, Resident { in_full, ..twin }]);
    }

    fn somebody(&self, household: usize, dice: &mut Dice) -> Resident {
        let (prefix, surname) = surname(dice);
        let letters = |dice: &mut Dice| char::from(b"ABCDEGHJKLMNPRSTVWXZ"[dice.below(20)]);
        let postal_code = format!("49{:02}{}{}", dice.below(100), letters(dice), letters(dice));
        let addition = if dice.percent(30) { dice.of(ADDITIONS).copied().unwrap_or_default() } else { "" };
        let partner = dice.percent(25).then(|| self::surname(dice).1);
        Resident {
            person: self.residents.len(),
            household,
            given: names(dice),
            in_full: dice.percent(10),
            prefix,
            surname,
            partner,
            born: birth(dice),
            street: dice.of(STREETS).copied().unwrap_or_default(),
            house: 1 + dice.below(NUMBERS),
            addition: addition.into(),
            postal_code,
        }
    }
}

fn initial(given: &[&str]) -> Option<char> {
    given.first().and_then(|name| name.chars().next())
}

fn names(dice: &mut Dice) -> Vec<&'static str> {
    (0..=dice.below(3)).filter_map(|_| dice.of(GIVEN).copied()).collect()
}

fn surname(dice: &mut Dice) -> (String, String) {
    let (prefix, surname) = dice.of(SURNAMES).copied().unwrap_or_default();
    (prefix.into(), surname.into())
}

fn birth(dice: &mut Dice) -> [usize; 3] {
    [1940 + dice.below(66), 1 + dice.below(12), 1 + dice.below(28)]
}
