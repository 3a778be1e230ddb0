//! Where an agreement stands for this organisation, and how long it still lasts.

use std::{collections::HashMap, sync::Arc};

use exchange::{
    agreement::{Agreement, Standing},
    calendar::dutch_time,
    digest::Digest,
    oin::Oin,
    rulebook::Rulebook,
};
use jiff::{Timestamp, Unit};

use super::title;

/// So many days before its last day an agreement is worth a warning.
const WARN_AT: [i32; 3] = [60, 30, 7];

/// An agreement that ends soon.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Expiring {
    /// Which.
    pub agreement: Digest,
    /// Its name.
    pub title: String,
    /// Days until its last day; 0 on that day.
    pub days: i32,
}

/// The version that took the place of an agreement between this organisation and every other party of it.
pub fn replaced_by<'a>(
    rules: &'a Rulebook,
    agreement: &Agreement,
    me: Oin,
    now: Timestamp,
) -> Option<&'a Arc<Agreement>> {
    let others = agreement.content().partijen.iter().map(|party| party.oin).filter(|oin| *oin != me);
    let mut found = None;
    for other in others {
        let replacement = rules.replacement(agreement, me, other).filter(|one| one.begins <= now)?;
        found = Some(replacement.by);
    }
    found
}

/// The days until the last day of an agreement that is in force, and was not replaced.
pub fn days_left(rules: &Rulebook, agreement: &Agreement, me: Oin, now: Timestamp) -> Option<i32> {
    if agreement.standing(now) != Standing::InForce || replaced_by(rules, agreement, me, now).is_some() {
        return None;
    }
    let today = now.to_zoned(dutch_time()).date();
    let left = today.until((Unit::Day, agreement.content().geldig_tot)).ok()?;
    Some(left.get_days())
}

/// The agreements that end within the time in which a new version is to be signed, soonest first. One whose successor
/// everybody has accepted is none of them.
pub fn expiring(rules: &Rulebook, me: Oin, now: Timestamp) -> Vec<Expiring> {
    let soon = |agreement: &Arc<Agreement>| {
        let days = days_left(rules, agreement, me, now).filter(|days| *days <= WARN_AT[0])?;
        let renewed = is_renewed(rules, agreement, me);
        (!renewed).then(|| Expiring { agreement: agreement.digest(), title: title(agreement), days })
    };
    let mut found: Vec<Expiring> = rules.agreements().filter_map(soon).collect();
    found.sort_by_key(|one| (one.days, one.agreement));
    found
}

/// Whether a later version is ready to take its place on the day after its last, with every other party.
fn is_renewed(rules: &Rulebook, agreement: &Agreement, me: Oin) -> bool {
    let mut others = agreement.content().partijen.iter().map(|party| party.oin).filter(|oin| *oin != me);
    others.all(|other| {
        rules.replacement(agreement, me, other).is_some_and(|one| one.begins <= agreement.ends())
    })
}

/// What was warned of already, so that each agreement is once at 60, 30 and 7 days.
#[derive(Debug, Default)]
pub struct Warnings {
    /// The mark at which each was warned of last.
    told: HashMap<Digest, i32>,
}

impl Warnings {
    /// What there is to warn of now.
    pub fn due(&mut self, rules: &Rulebook, me: Oin, now: Timestamp) -> Vec<Expiring> {
        let soon = expiring(rules, me, now);
        self.told.retain(|digest, _| soon.iter().any(|one| one.agreement == *digest));
        let told = &mut self.told;
        let is_new = |one: &Expiring| {
            let mark = WARN_AT.into_iter().filter(|mark| one.days <= *mark).min();
            mark.is_some_and(|mark| told.insert(one.agreement, mark) != Some(mark))
        };
        soon.into_iter().filter(is_new).collect()
    }
}

#[cfg(test)]
mod tests;
