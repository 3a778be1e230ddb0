//! What receipts show of the logs of partners between two checks. In memory: after a restart the last receipt is left,
//! which the store keeps.

use std::{
    collections::HashMap,
    sync::{Mutex, MutexGuard, PoisonError},
};

use exchange::{
    oin::Oin,
    receipt::VerifiedReceipt,
    tlog::LogVerifier,
    witness::{Contradiction, Sighted, Sighting, Sightings},
};
use store::StoreError;

use super::{alarm, raise};
use crate::core::Core;

/// The heads that wait for a check, per partner and log key. As many as agreements name.
#[derive(Debug, Default)]
pub struct Seen(Mutex<HashMap<Oin, HashMap<String, Sightings>>>);

impl Seen {
    fn all(&self) -> MutexGuard<'_, HashMap<Oin, HashMap<String, Sightings>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes in what a receipt showed.
    pub fn see(&self, partner: Oin, key: &str, seen: Sighting, chance: u8) -> Sighted {
        let mut all = self.all();
        let of_partner = all.entry(partner).or_default();
        match of_partner.get_mut(key) {
            Some(sightings) => sightings.see(seen, chance),
            None => of_partner.entry(key.to_owned()).or_default().see(seen, chance),
        }
    }

    /// Whether the log of a partner is to be asked now.
    pub fn is_doubtful(&self, partner: Oin) -> bool {
        self.all().get(&partner).is_some_and(|keys| keys.values().any(Sightings::is_doubtful))
    }

    /// The checkpoints of a partner to ask its log about.
    pub fn ask(&self, partner: Oin) -> Vec<String> {
        let mut all = self.all();
        let Some(keys) = all.get_mut(&partner) else { return Vec::new() };
        keys.values_mut().for_each(Sightings::asked);
        keys.values().flat_map(Sightings::notes).map(str::to_owned).collect()
    }

    /// This checkpoint of a partner was held against its log.
    pub fn checked(&self, partner: Oin, note: &str) {
        if let Some(keys) = self.all().get_mut(&partner) {
            for sightings in keys.values_mut() {
                sightings.checked(note);
            }
        }
    }
}

/// Keeps what a receipt shows of the log until that is checked; raises an alarm when another receipt proves that the log
/// signed two contents.
pub(crate) async fn receipted(
    core: &Core,
    partner: Oin,
    key: &LogVerifier,
    receipt: &VerifiedReceipt,
) -> Result<(), StoreError> {
    let (seen, key) = (Sighting::of(receipt), key.to_string());
    let mut chance = [0];
    core.random.fill(&mut chance);
    let Sighted::Split(earlier) = core.seen.see(partner, &key, seen, chance[0]) else { return Ok(()) };
    let shown = (earlier, receipt.note().to_owned());
    let split = alarm(core, Contradiction::Gesplitst, (partner, key), shown);
    raise(core, split, receipt.checkpoint().size).await
}
