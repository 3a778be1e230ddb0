//! Who takes what, and when they are there: the desks that partners publish in their descriptors, and those of this
//! organisation. What partners show is read again from time to time, over mutual TLS; other keys are never taken over.

use std::{
    collections::{BTreeSet, HashMap},
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use exchange::{
    calendar,
    descriptor::Descriptor,
    desk::{Desk, Opening},
    oin::Oin,
};
use jiff::{SignedDuration, Timestamp};
use store::PartnerRecord;
use tokio::{sync::Notify, task::JoinSet};
use transport::Link;

use crate::{
    core::Core,
    partners::{self, PartnerError},
};

/// So long what a partner shows counts as known.
const FRESH: SignedDuration = SignedDuration::from_hours(1);
/// A partner is not asked more often than this, also when it keeps coming back or does not answer.
const BETWEEN: SignedDuration = SignedDuration::from_secs(10);
/// How often to look for what is not fresh any more.
const LOOK: Duration = Duration::from_mins(1);
/// How often to look while a partner that returned may not be asked yet.
const LOOK_AGAIN: Duration = Duration::from_secs(5);
/// Partners that are asked at the same time.
const AT_ONCE: usize = 8;

/// The partners that showed themselves since they were asked last.
#[derive(Debug, Default)]
pub struct Returned {
    partners: Mutex<BTreeSet<Oin>>,
    bell: Notify,
}

impl Returned {
    /// This partner is there. As many are kept as there are partners: only those come here.
    pub fn add(&self, partner: Oin) {
        self.partners.lock().unwrap_or_else(PoisonError::into_inner).insert(partner);
        self.bell.notify_one();
    }

    fn take(&self) -> BTreeSet<Oin> {
        std::mem::take(&mut *self.partners.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// What reading a descriptor again came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Refreshed {
    /// It is as it was.
    Same,
    /// It is another, and known from now on.
    Changed,
    /// It names other keys or another kind of organisation: a person must look at that.
    NotTakenOver,
    /// Somebody changed what is known of the partner meanwhile.
    Overtaken,
}

/// Reads descriptors again, until cancelled. A partner that does not answer holds up no other.
pub async fn run(core: Arc<Core>, link: Link) {
    let mut asked: HashMap<Oin, Timestamp> = HashMap::new();
    let mut returned = BTreeSet::new();
    loop {
        returned.append(&mut core.returned.take());
        match core.store.partners().await {
            Ok(records) => {
                asked.retain(|partner, _| records.iter().any(|record| record.oin == *partner));
                returned.retain(|partner| records.iter().any(|record| record.oin == *partner));
                let now = core.now();
                let due: Vec<PartnerRecord> = records
                    .into_iter()
                    .filter(|record| is_due((record, asked.get(&record.oin)), &returned, now))
                    .collect();
                for record in &due {
                    asked.insert(record.oin, now);
                    returned.remove(&record.oin);
                }
                ask(&core, &link, due).await;
            }
            Err(error) => {
                tracing::error!(%error, "cannot read the partners; their desks stay as they are known");
            }
        }
        let pause = if returned.is_empty() { LOOK } else { LOOK_AGAIN };
        let _ = tokio::time::timeout(pause, core.returned.bell.notified()).await;
    }
}

/// Whether a partner is to be asked now. A clock that was set back makes it due.
fn is_due(
    (record, asked): (&PartnerRecord, Option<&Timestamp>),
    returned: &BTreeSet<Oin>,
    now: Timestamp,
) -> bool {
    let since = |then: Timestamp, long: SignedDuration| then > now || now.duration_since(then) >= long;
    if asked.is_some_and(|asked| !since(*asked, BETWEEN)) {
        return false;
    }
    returned.contains(&record.oin)
        || (since(record.seen, FRESH) && asked.is_none_or(|asked| since(*asked, FRESH)))
}

async fn ask(core: &Arc<Core>, link: &Link, due: Vec<PartnerRecord>) {
    for some in due.chunks(AT_ONCE) {
        let mut calls = JoinSet::new();
        for record in some.iter().cloned() {
            let (core, link) = (core.clone(), link.clone());
            calls.spawn(async move {
                let partner = record.oin;
                match refresh(&core, &link, record).await {
                    Ok(Refreshed::Changed) => tracing::info!(%partner, "a partner shows another descriptor"),
                    Ok(Refreshed::NotTakenOver) => tracing::warn!(
                        %partner,
                        "a partner shows other keys or another kind than are known here; ask the partner, then add it again"
                    ),
                    Ok(Refreshed::Same | Refreshed::Overtaken) => {}
                    Err(error) => tracing::debug!(%partner, %error, "cannot read the descriptor of a partner now"),
                }
            });
        }
        calls.join_all().await;
    }
}

/// Reads the descriptor of a partner again.
pub async fn refresh(core: &Core, link: &Link, record: PartnerRecord) -> Result<Refreshed, PartnerError> {
    let known = Descriptor::verify(&record.descriptor)?;
    let (text, found) = partners::fetch(link, &partners::endpoint_of(&known)).await?;
    take_over(core, record, &text, &found).await
}

/// Knows from now on what the node of a partner showed over mutual TLS, signed as `text`. Not when it names other keys or
/// another kind of organisation: a person looks at that.
pub async fn take_over(
    core: &Core,
    record: PartnerRecord,
    text: &str,
    found: &Descriptor,
) -> Result<Refreshed, PartnerError> {
    let known = Descriptor::verify(&record.descriptor)?;
    if !partners::same_keys(found, &known) || found.soort != known.soort {
        return Ok(Refreshed::NotTakenOver);
    }
    let previous = record.descriptor.clone();
    let shown = PartnerRecord {
        name: found.naam.clone(),
        descriptor: text.trim().to_owned(),
        seen: core.now(),
        ..record
    };
    let changed = shown.descriptor != previous;
    if !core.store.refresh_partner(previous, shown).await? {
        return Ok(Refreshed::Overtaken);
    }
    if !changed {
        return Ok(Refreshed::Same);
    }
    core.reload().await?;
    Ok(Refreshed::Changed)
}

/// Which desks to look for.
#[derive(Debug, Clone, Default)]
pub struct Sought {
    /// Only those that take messages for this purpose.
    pub purpose: Option<String>,
    /// Only those that take messages of this type.
    pub message_type: Option<String>,
    /// Only those of this organisation.
    pub organisation: Option<Oin>,
}

/// An organisation with the desks that were looked for.
#[derive(Debug, Clone)]
pub struct Listed {
    /// Who.
    pub oin: Oin,
    /// Its name.
    pub name: String,
    /// Its desks, each with whether it is open; those that are open, or open first, before the others.
    pub desks: Vec<(Desk, Opening)>,
    /// Whether it publishes any desk.
    pub publishes: bool,
    /// When its node last showed this; nothing for this organisation itself.
    pub seen: Option<Timestamp>,
}

/// Who takes this, and when they are there. Of who publishes no desks nothing is known, which is not the same as taking nothing.
pub async fn list(core: &Core, own: &Descriptor, sought: &Sought) -> Result<Vec<Listed>, PartnerError> {
    let now = core.now();
    let mut listed = vec![organisation(own, None, sought, now)];
    for record in core.store.partners().await? {
        listed.push(organisation(&Descriptor::verify(&record.descriptor)?, Some(record.seen), sought, now));
    }
    listed.retain(|one| sought.organisation.is_none_or(|organisation| organisation == one.oin));
    Ok(listed)
}

fn organisation(descriptor: &Descriptor, seen: Option<Timestamp>, sought: &Sought, now: Timestamp) -> Listed {
    let takes = |desk: &&Desk| {
        let purpose = sought.purpose.as_deref().is_none_or(|purpose| desk.takes_purpose(purpose));
        let message_type = sought.message_type.as_deref().is_none_or(|one| desk.takes_type(one));
        let looks_for_work = sought.purpose.is_some() || sought.message_type.is_some();
        purpose && message_type && !(looks_for_work && desk.is_closed(calendar::day(now)))
    };
    let desks = descriptor.loketten.iter().filter(takes);
    let mut desks: Vec<(Desk, Opening)> = desks.map(|desk| (desk.clone(), desk.opening(now))).collect();
    desks.sort_by_key(|(_, opening)| match opening {
        Opening::Open { .. } => (0, None),
        Opening::Closed { next: Some(next) } => (1, Some(*next)),
        Opening::Unknown => (2, None),
        Opening::Closed { next: None } => (3, None),
    });
    Listed {
        oin: descriptor.oin,
        name: descriptor.naam.clone(),
        desks,
        publishes: !descriptor.loketten.is_empty(),
        seen,
    }
}

#[cfg(test)]
mod tests;
