//! Leases: who is busy delivering what.
//!
//! They live in memory, because one process delivers what a SQLite database holds. What was under way when that
//! process died is simply due again: the receiver recognises what it already has.

use std::{
    collections::{HashMap, HashSet},
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
};

use exchange::{digest::Digest, oin::Oin};
use jiff::Timestamp;
use uuid::Uuid;

use crate::model::{BatchLimit, Priority, RulesVersion};

/// A message under way.
#[derive(Debug, Clone)]
pub struct Leased {
    /// Its place in the log.
    pub index: u64,
    /// Its identifier.
    pub id: Uuid,
    /// The case it belongs to.
    pub case: Uuid,
    /// The digest of `jws`.
    pub digest: Digest,
    /// The bytes to send.
    pub jws: String,
    /// After this it must not be sent any more.
    pub expires: Timestamp,
}

/// The exclusive right to deliver these messages. Dropping it without recording an outcome makes them due again.
#[derive(Debug)]
pub struct Lease {
    to: Oin,
    rules: RulesVersion,
    messages: Vec<Leased>,
    held: Held,
}

impl Lease {
    pub(crate) fn new(to: Oin, rules: RulesVersion, messages: Vec<Leased>, held: Held) -> Self {
        Self { to, rules, messages, held }
    }

    /// Who they are for.
    pub const fn to(&self) -> Oin {
        self.to
    }

    /// The version of the rules when it was given.
    pub const fn rules(&self) -> RulesVersion {
        self.rules
    }

    /// The messages, in the order in which they must be sent.
    pub fn messages(&self) -> &[Leased] {
        &self.messages
    }

    /// The outcome is stored: these messages do not become due again.
    pub(crate) fn settled(&self) {
        self.held.settled();
    }
}

/// Keeps messages out of the hands of others for as long as it lives.
#[derive(Debug)]
pub(crate) struct Held {
    leases: Arc<Leases>,
    taken: Vec<Candidate>,
    settled: AtomicBool,
}

impl Held {
    /// What is held.
    pub(crate) fn taken(&self) -> &[Candidate] {
        &self.taken
    }

    /// The outcome is stored: nothing of this becomes due again.
    pub(crate) fn settled(&self) {
        self.settled.store(true, Ordering::Release);
    }

    /// Lets go of these, which are due again unless they are `settled`.
    pub(crate) fn let_go(&mut self, indexes: &HashSet<u64>, settled: bool) {
        let (gone, kept) =
            self.taken.drain(..).partition::<Vec<_>, _>(|candidate| indexes.contains(&candidate.index()));
        self.taken = kept;
        self.leases.give_back(&gone, settled);
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        self.leases.give_back(&self.taken, self.settled.load(Ordering::Acquire));
    }
}

/// A place in the queue of one partner and priority: the size the log had when the message was queued, and its
/// index. Whatever is queued later comes later, also what a person had sent again.
pub(crate) type Place = (u64, u64);

/// A waiting message that could be leased.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Candidate {
    pub(crate) to: Oin,
    pub(crate) priority: Priority,
    pub(crate) place: Place,
    pub(crate) case: Uuid,
    /// The length of the message.
    pub(crate) bytes: usize,
}

impl Candidate {
    pub(crate) const fn index(&self) -> u64 {
        self.place.1
    }

    /// Whether it stands where it was queued first. What is sent again shares its place in the queue with whatever else
    /// is sent again before the log grows: the frontier may not go past such a place, or it would hide what comes there
    /// later.
    const fn is_in_first_place(&self) -> bool {
        self.place.0 == self.place.1
    }
}

/// Everything that is leased.
#[derive(Debug, Default)]
pub(crate) struct Leases {
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    leased: HashSet<u64>,
    /// Those among them that do not wait any more, whatever comes of the lease.
    ended: HashSet<u64>,
    partners: HashMap<Oin, Partner>,
    given_back: GivenBack,
}

/// What was given back since the current reading began. That reading may show it as waiting although its outcome
/// is stored by now, or may have begun after it.
#[derive(Debug, Default)]
struct GivenBack {
    indexes: HashSet<u64>,
    /// Some of it is due again.
    unsettled: bool,
}

#[derive(Debug, Default)]
struct Partner {
    /// How many messages are leased and still wait.
    leased: u64,
    /// How many messages of each case are leased.
    cases: HashMap<Uuid, u32>,
    /// Up to where everything that waits is leased, for each priority: reading starts after it.
    frontier: [Option<Place>; 2],
}

impl Leases {
    /// Begins a reading of what waits. One at a time; the caller sees to that.
    pub(crate) fn read(self: &Arc<Self>) -> Reading {
        self.lock().given_back = GivenBack::default();
        Reading {
            held: Held { leases: Arc::clone(self), taken: Vec::new(), settled: AtomicBool::new(false) },
            own: HashSet::new(),
            passed_over: HashSet::new(),
        }
    }

    /// These do not wait any more, leased or not.
    pub(crate) fn ended(&self, ended: &[(Oin, u64)]) {
        let state = &mut *self.lock();
        for (to, index) in ended.iter().filter(|(_, index)| state.leased.contains(index)) {
            let Some(partner) = state.partners.get_mut(to) else { continue };
            if state.ended.insert(*index) {
                partner.leased = partner.leased.saturating_sub(1);
            }
        }
    }

    /// How many messages to `to` are leased that wait for what comes of it.
    pub(crate) fn leased_to(&self, to: Oin) -> u64 {
        self.lock().partners.get(&to).map_or(0, |partner| partner.leased)
    }

    /// Whether a message that was queued with this index is leased, or was.
    pub(crate) fn has_passed(&self, to: Oin, priority: Priority, index: u64) -> bool {
        let state = self.lock();
        let frontier = state.partners.get(&to).and_then(|partner| partner.frontier[slot(priority)]);
        state.leased.contains(&index) || frontier.is_some_and(|frontier| (index, index) <= frontier)
    }

    fn give_back(&self, taken: &[Candidate], settled: bool) {
        let state = &mut *self.lock();
        for candidate in taken {
            state.leased.remove(&candidate.index());
            state.given_back.indexes.insert(candidate.index());
            state.given_back.unsettled |= !settled;
            let ended = state.ended.remove(&candidate.index());
            let Some(partner) = state.partners.get_mut(&candidate.to) else { continue };
            partner.leased = partner.leased.saturating_sub(u64::from(!ended));
            partner.give_back(candidate);
            if !settled {
                partner.fall_back(candidate);
            }
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        // Nothing in here panics halfway a change.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn is_free(&self, candidate: &Candidate) -> bool {
        !self.leased.contains(&candidate.index()) && !self.given_back.indexes.contains(&candidate.index())
    }

    fn lease(&mut self, candidate: &Candidate) {
        self.leased.insert(candidate.index());
        let partner = self.partners.entry(candidate.to).or_default();
        partner.leased += 1;
        *partner.cases.entry(candidate.case).or_default() += 1;
    }
}

impl Partner {
    fn give_back(&mut self, candidate: &Candidate) {
        if let Some(count) = self.cases.get_mut(&candidate.case) {
            *count = count.saturating_sub(1);
            if *count == 0 {
                self.cases.remove(&candidate.case);
            }
        }
    }

    /// Lets the next reading begin early enough to see `candidate` again.
    fn fall_back(&mut self, candidate: &Candidate) {
        let frontier = &mut self.frontier[slot(candidate.priority)];
        if frontier.is_some_and(|frontier| candidate.place <= frontier) {
            *frontier = before(candidate.place);
        }
    }
}

/// Chooses from what waits. What it has chosen is held from that moment.
pub(crate) struct Reading {
    held: Held,
    /// The cases of which it has chosen messages: more of those may follow.
    own: HashSet<Uuid>,
    /// The cases of which it had to pass over a message: nothing later of those may go before it.
    passed_over: HashSet<Uuid>,
}

impl Reading {
    /// Where to begin reading.
    pub(crate) fn frontier(&self, to: Oin, priority: Priority) -> Option<Place> {
        self.held.leases.lock().partners.get(&to).and_then(|partner| partner.frontier[slot(priority)])
    }

    /// Takes what is free, until there is no more room; says whether there still is. The candidates of one partner
    /// and priority are offered in the order of the queue, from the frontier, without gaps.
    pub(crate) fn take(&mut self, candidates: &[Candidate], room: &mut BatchLimit) -> bool {
        let leases = Arc::clone(&self.held.leases);
        let state = &mut *leases.lock();
        for candidate in candidates {
            let taken = self.may_take(state, candidate);
            if taken {
                if !make_room(room, candidate.bytes, self.held.taken.is_empty()) {
                    return false;
                }
                state.lease(candidate);
                self.own.insert(candidate.case);
                self.held.taken.push(*candidate);
            } else if !state.leased.contains(&candidate.index()) {
                self.passed_over.insert(candidate.case);
            }
            if candidate.is_in_first_place() && self.passed_over.is_empty() && !state.given_back.unsettled {
                let partner = state.partners.entry(candidate.to).or_default();
                partner.frontier[slot(candidate.priority)] = Some(candidate.place);
            }
        }
        true
    }

    /// Takes everything that is free, for another purpose than delivery.
    pub(crate) fn seize(&mut self, candidates: &[Candidate]) {
        let leases = Arc::clone(&self.held.leases);
        let state = &mut *leases.lock();
        for candidate in candidates.iter().filter(|candidate| state.is_free(candidate)).collect::<Vec<_>>() {
            state.lease(candidate);
            self.held.taken.push(*candidate);
        }
    }

    /// What was taken, to hold.
    pub(crate) fn finish(self) -> Held {
        self.held
    }

    fn may_take(&self, state: &State, candidate: &Candidate) -> bool {
        let under_way = !self.own.contains(&candidate.case)
            && state
                .partners
                .get(&candidate.to)
                .is_some_and(|partner| partner.cases.contains_key(&candidate.case));
        state.is_free(candidate) && !under_way && !self.passed_over.contains(&candidate.case)
    }
}

/// Takes the room for one message and its line end, if there is any. The first always fits: a message longer than
/// the whole limit would otherwise never leave.
fn make_room(room: &mut BatchLimit, bytes: usize, first: bool) -> bool {
    let needed = bytes.saturating_add(1);
    if room.count == 0 || (room.bytes < needed && !first) {
        return false;
    }
    room.count -= 1;
    room.bytes = room.bytes.saturating_sub(needed);
    true
}

/// The place just before this one.
fn before((queued, index): Place) -> Option<Place> {
    match (queued.checked_sub(1), index.checked_sub(1)) {
        (_, Some(index)) => Some((queued, index)),
        (Some(queued), None) => Some((queued, u64::MAX >> 1)),
        (None, None) => None,
    }
}

const fn slot(priority: Priority) -> usize {
    match priority {
        Priority::First => 0,
        Priority::Normal => 1,
    }
}

#[cfg(test)]
mod tests;
