//! Batches leave, and nothing in them rests on a consent that ended.

use anyhow::{Context as _, ensure};
use store::ConsentState;
use uuid::Uuid;

use super::{operation::Way, world::World};
use crate::simulation::documents::event;

impl World {
    /// The next batch on a way goes into the network; says whether there was one.
    pub(super) fn prepare(&mut self, way: Way) -> anyhow::Result<bool> {
        let Some(body) = self.three.prepare(way)? else { return Ok(false) };
        self.check_batch(way, &body)?;
        Ok(true)
    }

    /// Nothing leaves that rests on a consent which its sender knows to have ended.
    fn check_batch(&self, way: Way, body: &[u8]) -> anyhow::Result<()> {
        for line in std::str::from_utf8(body)?.lines() {
            let event = event(line).context("a message of ours")?;
            let id: Uuid = event["id"].as_str().context("an identifier")?.parse()?;
            let Some(sent) = self.sent.get(&id).filter(|sent| sent.is_under_consent()) else { continue };
            let is_over = self.over.contains(&(way.from, sent.consent));
            ensure!(!is_over, "message {id} leaves under a consent that was withdrawn");
            let key = self.key(sent.consent);
            let known = self.at(way.from).steady(async |core| core.store.consent(key).await)??;
            let state = known.map(|known| known.state);
            ensure!(state == Some(ConsentState::InForce), "message {id} leaves under a consent: {state:?}");
        }
        Ok(())
    }
}
