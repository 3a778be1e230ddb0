//! Desks: what each takes, when people are there, and where a message goes when its desk does not.

use jiff::{Timestamp, civil::Date};
use serde::{Deserialize, Serialize};

use crate::{
    calendar,
    refusal::{Reason, Refusal},
};

mod hours;

pub use hours::{Hours, Opening, Weekday, WeeklyHours};

/// A desk (`loket`) where people work.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Desk {
    /// Its name on the wire.
    pub loket: String,
    /// Its name for people.
    pub naam: String,
    /// The purposes for which it takes messages; all of them when there are none here.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub doelen: Vec<String>,
    /// The message types that it takes; all of them when there are none here.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub berichttypen: Vec<String>,
    /// When it is open, in words. What is said in hours goes before this.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub openingstijden: Option<String>,
    /// When it is open, week after week. Not on holidays.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub open: Vec<WeeklyHours>,
    /// It is open on holidays as on other days.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub ook_op_feestdagen: bool,
    /// Days on which it is open at other hours.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub uitzonderingen: Vec<Exception>,
    /// How to reach it: the desk, never a person.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub contact: Option<String>,
    /// Days on which nobody is there.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub afwezig: Vec<Absence>,
    /// It is closed for good.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub opgeheven: Option<Closed>,
}

/// A day on which a desk is open at other hours.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Exception {
    /// The day.
    pub datum: Date,
    /// When it is open; not at all when this is empty.
    #[serde(default)]
    pub open: Vec<Hours>,
}

/// Days on which nobody is at a desk.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Absence {
    /// The first of them.
    pub van: Date,
    /// The last of them.
    pub tot: Date,
    /// The desk that takes its messages meanwhile.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub vervanging: Option<String>,
}

/// A desk that is closed for good.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Closed {
    /// From this day on.
    pub per: Date,
    /// The desk that does its work since.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub opvolger: Option<String>,
}

/// What a desk is asked to take.
#[derive(Debug, Clone, Copy)]
pub struct Work<'w> {
    /// For this purpose.
    pub purpose: &'w str,
    /// A message of this type.
    pub message_type: &'w str,
}

impl Desk {
    /// Whether it takes this, as long as it is not closed for good.
    pub fn takes(&self, work: Work<'_>) -> bool {
        self.takes_purpose(work.purpose) && self.takes_type(work.message_type)
    }

    /// Whether it takes messages for this purpose.
    pub fn takes_purpose(&self, purpose: &str) -> bool {
        self.doelen.is_empty() || self.doelen.iter().any(|one| one == purpose)
    }

    /// Whether it takes messages of this type.
    pub fn takes_type(&self, message_type: &str) -> bool {
        self.berichttypen.is_empty() || self.berichttypen.iter().any(|one| one == message_type)
    }

    /// Whether it is closed for good on this day.
    pub fn is_closed(&self, day: Date) -> bool {
        self.opgeheven.as_ref().is_some_and(|closed| closed.per <= day)
    }

    /// Why nobody is there on this day, if nobody is.
    pub fn absence(&self, day: Date) -> Option<&Absence> {
        self.afwezig.iter().find(|absence| absence.van <= day && day <= absence.tot)
    }
}

/// The desk of this name, or who does its work since it closed for good.
pub fn find<'d>(desks: &'d [Desk], name: &str, day: Date) -> Option<&'d Desk> {
    let mut name = name;
    // A chain cannot be longer than there are desks, unless it goes round.
    for _ in desks {
        let desk = desks.iter().find(|desk| desk.loket == name)?;
        match &desk.opgeheven {
            Some(closed) if closed.per <= day => name = closed.opvolger.as_deref()?,
            _ => return Some(desk),
        }
    }
    None
}

/// The desks that take this.
pub fn takers<'d>(desks: &'d [Desk], work: Work<'_>, day: Date) -> impl Iterator<Item = &'d Desk> {
    desks.iter().filter(move |desk| desk.takes(work) && !desk.is_closed(day))
}

/// Whether a sender may address this to a desk of an organisation that publishes these. One that publishes none says nothing
/// of desks, and a message to no desk is for the organisation. A refusal names the desks that do take it.
pub fn check(desks: &[Desk], name: Option<&str>, work: Work<'_>, now: Timestamp) -> Result<(), Refusal> {
    let day = calendar::day(now);
    match name {
        Some(name) if !desks.is_empty() && !find(desks, name, day).is_some_and(|desk| desk.takes(work)) => {
            Err(Refusal::about(Reason::WrongDesk, takers(desks, work, day).map(|desk| &desk.loket)))
        }
        _ => Ok(()),
    }
}

/// At which desk of these a message arrives that names one. A wrong door is none: where the desk is not known, does not take
/// this or is closed for good, it goes to the first that does take it, and without such a one to the organisation as a whole.
pub fn receive(desks: &[Desk], name: Option<&str>, work: Work<'_>, now: Timestamp) -> Option<String> {
    let name = name?;
    if desks.is_empty() {
        return Some(name.to_owned());
    }
    let day = calendar::day(now);
    let named = find(desks, name, day).filter(|desk| desk.takes(work));
    let desk = named.or_else(|| takers(desks, work, day).next())?;
    // One replacement, not a chain: who replaces and is away too, comes back to it.
    let replacement = desk.absence(day).and_then(|absence| absence.vervanging.as_deref());
    let replacement = replacement.and_then(|name| find(desks, name, day)).filter(|desk| desk.takes(work));
    Some(replacement.unwrap_or(desk).loket.clone())
}

/// What is wrong with the desks of an organisation as it writes them, in Dutch.
pub fn mistake(desks: &[Desk]) -> Option<String> {
    let known = |name: &str| desks.iter().any(|desk| desk.loket == name);
    for (position, desk) in desks.iter().enumerate() {
        let name = &desk.loket;
        if desks[..position].iter().any(|other| other.loket == *name) {
            return Some(format!("het loket `{name}` staat er twee keer in"));
        }
        let successor = desk.opgeheven.as_ref().and_then(|closed| closed.opvolger.as_deref());
        let replacements = desk.afwezig.iter().filter_map(|absence| absence.vervanging.as_deref());
        for other in successor.into_iter().chain(replacements) {
            if other == name || !known(other) {
                return Some(format!(
                    "het loket `{name}` wordt opgevolgd of vervangen door `{other}`, en dat is geen ander loket in deze lijst"
                ));
            }
        }
        if let Some(absence) = desk.afwezig.iter().find(|absence| absence.tot < absence.van) {
            return Some(format!(
                "de afwezigheid van het loket `{name}` eindigt op {}, voordat zij begint",
                absence.tot
            ));
        }
        if let Some(fault) = hours::mistake(desk) {
            return Some(format!("het loket `{name}`: {fault}"));
        }
    }
    desks
        .iter()
        .find(|desk| desk.opgeheven.is_some() && find(desks, &desk.loket, Date::MAX).is_none())
        .and_then(|desk| {
            let successor = desk.opgeheven.as_ref().and_then(|closed| closed.opvolger.as_ref());
            successor.map(|_| {
                format!(
                    "de opvolgers van het loket `{}` komen bij geen loket uit dat open blijft",
                    desk.loket
                )
            })
        })
}

#[cfg(test)]
mod tests;
