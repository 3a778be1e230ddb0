//! Messages at hand: what was queued a moment ago is usually leased a moment later, and need not be read back from
//! the database and decrypted for that.

use std::{
    collections::HashMap,
    sync::{Mutex, MutexGuard, PoisonError},
};

use exchange::oin::Oin;

use crate::{
    lease::Leased,
    model::{Enqueued, Outgoing, Priority},
};

/// How much all messages at hand may take, in bytes.
const MAX_BYTES: usize = 16 * 1024 * 1024;

/// How much those to one partner may take. One that cannot be reached leaves room for others.
const MAX_PARTNER_BYTES: usize = MAX_BYTES / 4;

/// What a message takes beside its text.
const OVERHEAD: usize = 200;

/// Messages that this process queued and has not leased yet, by index.
#[derive(Default)]
pub(crate) struct Hot {
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    bytes: usize,
    /// How many times something was erased.
    erasures: u64,
    partners: HashMap<Oin, Partner>,
}

#[derive(Default)]
struct Partner {
    bytes: usize,
    messages: HashMap<u64, Leased>,
}

impl Hot {
    /// Keeps messages that were queued, as far as there is room. The oldest are wanted first, so what comes when it is
    /// full is left to the database.
    ///
    /// `gone` says of a message that it was leased in the meantime; nobody would ask for it any more. It is asked after
    /// the message was put here, so a lease either finds it here or is seen by `gone`.
    ///
    /// `erasures` is what [`Hot::erasures`] said before they were queued. If something was erased since, it may have been
    /// one of them, and none is kept.
    pub(crate) fn keep(
        &self,
        messages: Vec<Outgoing>,
        enqueued: &[Enqueued],
        erasures: u64,
        gone: impl Fn(Oin, Priority, u64) -> bool,
    ) {
        let places: Vec<(Oin, Priority)> =
            messages.iter().map(|message| (message.to, message.priority)).collect();
        self.put(messages, enqueued, erasures);
        for ((to, priority), enqueued) in places.into_iter().zip(enqueued) {
            if let Enqueued::Queued { index } = *enqueued
                && gone(to, priority, index)
            {
                drop(self.take(to, &[index]));
            }
        }
    }

    fn put(&self, messages: Vec<Outgoing>, enqueued: &[Enqueued], erasures: u64) {
        let state = &mut *self.lock();
        if state.erasures != erasures {
            return;
        }
        for (message, enqueued) in messages.into_iter().zip(enqueued) {
            let Enqueued::Queued { index } = *enqueued else { continue };
            let bytes = message.jws.len() + OVERHEAD;
            let partner = state.partners.entry(message.to).or_default();
            if state.bytes + bytes > MAX_BYTES || partner.bytes + bytes > MAX_PARTNER_BYTES {
                continue;
            }
            state.bytes += bytes;
            partner.bytes += bytes;
            let Outgoing { id, case, digest, jws, expires, .. } = message;
            partner.messages.insert(index, Leased { index, id, case, digest, jws, expires });
        }
    }

    /// Takes the messages with these indexes out; nothing for one that is not at hand.
    pub(crate) fn take(&self, to: Oin, indexes: &[u64]) -> Vec<Option<Leased>> {
        self.lock().take(to, indexes)
    }

    /// How many times something was erased so far.
    pub(crate) fn erasures(&self) -> u64 {
        self.lock().erasures
    }

    /// Lets go of what was erased, now that it is.
    pub(crate) fn erase(&self, erased: &[(Oin, u64)]) {
        let state = &mut *self.lock();
        state.erasures += 1;
        for (to, index) in erased {
            state.take(*to, &[*index]);
        }
    }

    /// Lets go of what waits for a partner that will not be delivered to for a while, or for whom nothing waits.
    pub(crate) fn forget(&self, to: Oin) {
        let state = &mut *self.lock();
        if let Some(partner) = state.partners.remove(&to) {
            state.bytes -= partner.bytes;
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        // Nothing in here panics halfway a change.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn take(&mut self, to: Oin, indexes: &[u64]) -> Vec<Option<Leased>> {
        let Some(partner) = self.partners.get_mut(&to) else {
            return indexes.iter().map(|_| None).collect();
        };
        let taken: Vec<Option<Leased>> = indexes.iter().map(|index| partner.messages.remove(index)).collect();
        let bytes: usize = taken.iter().flatten().map(|message| message.jws.len() + OVERHEAD).sum();
        partner.bytes -= bytes;
        self.bytes -= bytes;
        taken
    }
}

#[cfg(test)]
mod tests;
