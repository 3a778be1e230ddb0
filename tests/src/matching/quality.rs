//! What the store joined and suggested, held against what is so.

use std::{
    collections::{BTreeMap, HashMap, HashSet},
    time::Duration,
};

use anyhow::{Context as _, Result};
use exchange::{
    message::Draft,
    person::{Clue, Clues},
};
use jiff::SignedDuration;
use schemas::{Document, SchemaName};
use serde::Serialize;
use serde_json::Value;
use store::Store;

use super::{
    Dice, Mistake,
    mistakes::written,
    town::{Resident, Town},
};
use crate::{
    conformance::{
        agreed::{Incoming, sign},
        given::{Maker, Offer as _, admitted, now, partner},
    },
    signal::arrears,
};

/// Partners that send: a resident rents from one, and has energy, water, insurance of others.
const SENDERS: usize = 6;
/// Signals that are taken in at once.
const DELIVERY: usize = 256;
/// Signals about one resident, at most.
const MOST_SIGNALS: usize = 3;
/// How far apart signals may be received; all of these are.
pub const PERIOD: SignedDuration = SignedDuration::from_hours(365 * 24);

/// So many of so many.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct Share {
    /// How many were right.
    pub right: usize,
    /// Of how many.
    pub of: usize,
}

impl Share {
    fn add(&mut self, right: bool) {
        self.right += usize::from(right);
        self.of += 1;
    }

    /// As a part of one; one when there was nothing.
    #[expect(clippy::cast_precision_loss, reason = "a share of some thousands")]
    pub fn part(self) -> f64 {
        if self.of == 0 { 1.0 } else { self.right as f64 / self.of as f64 }
    }
}

/// How good it is. A pair is two signals of different senders.
#[derive(Debug, Clone, Default, Serialize)]
pub struct Quality {
    /// Signals in the town.
    pub signals: usize,
    /// Pairs that joined by themselves that are about one person.
    pub joined: Share,
    /// Pairs about one person that joined by themselves.
    pub joined_recall: Share,
    /// Pairs about one person that joined or were suggested.
    pub recall: Share,
    /// Suggestions of one person that are right, or right about the household when they say that it may be one.
    pub suggested: Share,
    /// Suggestions of a household only that are right.
    pub households: Share,
    /// Recall by the mistake in one of the two, when there is no other.
    pub by_mistake: BTreeMap<String, Share>,
}

/// A signal that was made, and whom it is really about.
#[derive(Debug, Clone)]
pub struct Labelled {
    person: usize,
    household: usize,
    sender: usize,
    mistakes: Vec<Mistake>,
}

/// The signals of a town, to be taken in one after the other.
pub struct Signals {
    town: Town,
    dice: Dice,
    maker: std::sync::Arc<Maker>,
    next: usize,
    /// Of each signal that was made, in the order of the log.
    pub made: Vec<Labelled>,
}

impl Signals {
    /// Those of a town of so many residents.
    pub fn of_town(residents: usize, seed: u64) -> Self {
        let mut dice = Dice::new(seed);
        let town = Town::new(residents, &mut dice);
        Self { town, dice, maker: Maker::new(seed), next: 0, made: Vec::new() }
    }

    /// How many residents there are.
    pub const fn residents(&self) -> usize {
        self.town.residents.len()
    }

    /// A signal about this resident from this sender.
    fn signal(&mut self, resident: &Resident, sender: usize) -> Result<Incoming> {
        let (written, mistakes) = written(resident, &mut self.dice);
        let incoming = about(&self.maker, sender, &written.json())?;
        let Resident { person, household, .. } = *resident;
        self.made.push(Labelled { person, household, sender, mistakes });
        Ok(incoming)
    }

    /// Signals about the next resident, each from another sender.
    pub fn next_resident(&mut self, signals: usize) -> Result<Vec<Incoming>> {
        let resident = self.town.residents[self.next % self.residents()].clone();
        self.next += 1;
        let first = self.dice.below(SENDERS);
        (0..signals).map(|number| self.signal(&resident, (first + number) % SENDERS)).collect()
    }

    /// Takes in one to three signals about every resident.
    pub async fn take_in(&mut self, store: &Store) -> Result<()> {
        let mut waiting = Vec::with_capacity(DELIVERY);
        for _ in 0..self.residents() {
            let count = 1 + self.dice.below(MOST_SIGNALS);
            waiting.extend(self.next_resident(count)?);
            if waiting.len() + MOST_SIGNALS > DELIVERY {
                store.take_in(std::mem::take(&mut waiting)).await?;
            }
        }
        if !waiting.is_empty() {
            store.take_in(waiting).await?;
        }
        Ok(())
    }

    /// What the store made of all that was made here, all of which is in it.
    pub async fn quality(&self, store: &Store) -> Result<Quality> {
        let (joined, suggested) = found(store).await?;
        let mut quality = Quality { signals: self.made.len(), ..Quality::default() };
        let is_one = |one: usize, other: usize| self.made[one].person == self.made[other].person;
        for (one, other) in joined.iter().flat_map(|group| pairs(group)) {
            if self.made[one].sender != self.made[other].sender {
                quality.joined.add(is_one(one, other));
            }
        }
        let mut asked: HashSet<(usize, usize)> = HashSet::new();
        for (one, other, clues) in &suggested {
            let household = self.made[*one].household == self.made[*other].household;
            if *clues == Clues::default().with(Clue::Household) {
                quality.households.add(household);
            } else {
                let right = is_one(*one, *other) || (clues.has(Clue::Household) && household);
                quality.suggested.add(right);
                asked.insert((*one, *other));
            }
        }
        let groups = Groups::new(self.made.len(), &joined, &asked);
        let mut of_person: HashMap<usize, Vec<usize>> = HashMap::new();
        for (index, made) in self.made.iter().enumerate() {
            of_person.entry(made.person).or_default().push(index);
        }
        for signals in of_person.values() {
            for pair in pairs(signals) {
                self.count(&mut quality, &groups, pair);
            }
        }
        Ok(quality)
    }

    fn count(&self, quality: &mut Quality, groups: &Groups, (one, other): (usize, usize)) {
        let (first, second) = (&self.made[one], &self.made[other]);
        if first.sender == second.sender {
            return;
        }
        let found = groups.are_one(one, other);
        quality.joined_recall.add(groups.joined(one, other));
        quality.recall.add(found);
        let mut mistakes: Vec<Mistake> = first.mistakes.iter().chain(&second.mistakes).copied().collect();
        mistakes.retain(|mistake| *mistake != Mistake::Style);
        mistakes.dedup();
        if let [mistake] = mistakes.as_slice() {
            quality.by_mistake.entry(format!("{mistake:?}")).or_default().add(found);
        }
    }
}

/// The signal of a sender about whoever is written so.
fn about(maker: &Maker, sender: usize, resident: &Value) -> Result<Incoming> {
    let mut data = arrears();
    data["betrokkene"] = resident.clone();
    let document = Document::parse(SchemaName::PaymentArrears, data.to_string().as_bytes())?;
    let message = sign(Draft { document, ..maker.signal(partner(sender)?)? })?;
    admitted(&message, now())
}

/// Holds all that came in against each other, one at a time; gives how long each took.
pub async fn match_all(store: &Store, most: usize, now: impl Fn() -> Duration) -> Result<Vec<Duration>> {
    let mut took = Vec::new();
    loop {
        let start = now();
        let done = store.match_signals((PERIOD, crate::conformance::given::now()), most).await?;
        if done.signals > 0 {
            took.push(now().saturating_sub(start));
        }
        if !done.more {
            return Ok(took);
        }
    }
}

type Suggested = Vec<(usize, usize, Clues)>;

/// What joined, group by group, and every suggestion.
async fn found(store: &Store) -> Result<(Vec<Vec<usize>>, Suggested)> {
    let mut joined = Vec::new();
    let mut before = None;
    loop {
        let page = store.multiple_signals(before, now(), store::MAX_ROWS_READ).await?;
        let Some(last) = page.last() else { break };
        before = Some(last.number);
        for one in &page {
            joined.push(one.signals.iter().map(|signal| index(signal.row.index)).collect::<Result<_>>()?);
        }
    }
    let mut suggested = Vec::new();
    let mut after = None;
    loop {
        let page = store.suggestions(after, now(), store::MAX_ROWS_READ).await?;
        let Some(last) = page.last() else { break };
        after = Some((last.one.index, last.other.index));
        for one in &page {
            suggested.push((index(one.one.index)?, index(one.other.index)?, one.clues));
        }
    }
    Ok((joined, suggested))
}

/// Every two of these.
fn pairs(of: &[usize]) -> impl Iterator<Item = (usize, usize)> {
    of.iter().enumerate().flat_map(|(place, one)| of[place + 1..].iter().map(|other| (*one, *other)))
}

fn index(index: u64) -> Result<usize> {
    usize::try_from(index).context("an index")
}

/// What belongs together when everything that was suggested and is right is accepted.
struct Groups {
    joined: Vec<usize>,
    accepted: HashSet<(usize, usize)>,
}

impl Groups {
    fn new(signals: usize, joined: &[Vec<usize>], asked: &HashSet<(usize, usize)>) -> Self {
        let mut groups: Vec<usize> = (0..signals).collect();
        for group in joined {
            for signal in group {
                groups[*signal] = group[0];
            }
        }
        let accepted = asked.iter().map(|(one, other)| (groups[*one], groups[*other]));
        let accepted = accepted.flat_map(|(one, other)| [(one, other), (other, one)]).collect();
        Self { joined: groups, accepted }
    }

    fn joined(&self, one: usize, other: usize) -> bool {
        self.joined[one] == self.joined[other]
    }

    /// Joined, or their groups were suggested.
    fn are_one(&self, one: usize, other: usize) -> bool {
        let (one, other) = (self.joined[one], self.joined[other]);
        one == other || self.accepted.contains(&(one, other))
    }
}
