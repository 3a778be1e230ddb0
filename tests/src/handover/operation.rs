//! What can happen to cases in a simulation, and how such events are made up.

use proptest::{collection::vec, prelude::*};

use crate::simulation::{
    operation::{Damage, damage, pick},
    three::{self, Organisation},
};

/// The longest list of episodes that is made up.
const MAX_EPISODES: usize = 40;

/// Cases in a run: one would not show that they are kept apart.
pub(super) const CASES: usize = 2;

/// One of the three nodes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Org {
    /// The municipality.
    Municipality,
    /// A social service.
    Service,
    /// A social security agency.
    Agency,
}

impl Organisation for Org {
    const THREE: [Self; 3] = [Self::Municipality, Self::Service, Self::Agency];

    fn number(self) -> usize {
        self as usize
    }
}

/// From one to another.
pub type Way = three::Way<Org>;

/// A run from its beginning.
#[derive(Debug, Clone, Default)]
pub struct Scenario {
    /// By how many seconds the clock of each organisation is ahead.
    pub skews: [i64; 3],
    /// What happens, in order.
    pub operations: Vec<Op>,
}

/// What a person says about the last offer of a case.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Saying {
    /// That it is accepted.
    Accept,
    /// That it is not.
    Decline,
    /// A question back.
    Ask,
    /// The answer to that.
    Supplement,
    /// That it is taken back.
    Withdraw,
    /// That there was contact with the resident.
    Contact,
    /// That it is done.
    Complete,
}

/// Something that happens. A number that picks one of several counts on from the first, and from the last back to the first;
/// where there is nothing to pick, or it may not be said, nothing happens.
#[derive(Debug, Clone)]
pub enum Op {
    /// Somebody offers a case.
    Offer {
        /// Which.
        case: u8,
        /// From whom to whom.
        way: Way,
    },
    /// Somebody says something about an offer.
    Say {
        /// Of which case.
        case: u8,
        /// Who.
        by: Org,
        /// What.
        what: Saying,
    },
    /// A node says what it owes and tells of terms.
    CarryOut(Org),
    /// The next batch goes into the network.
    Prepare(Way),
    /// Something that is in the network arrives; the first is the oldest, any other overtakes.
    Deliver(u8),
    /// Something in the network gets lost.
    Drop(u8),
    /// A request in the network becomes two.
    Duplicate(u8),
    /// Something in the network is damaged.
    Corrupt {
        /// What.
        pick: u8,
        /// How.
        damage: Damage,
    },
    /// Time passes, in seconds; less than nothing when the clock is set back.
    Advance(i32),
    /// The process dies between two steps and starts again.
    Crash(Org),
    /// The process dies during the next step it takes, after the runtime had this many turns.
    CrashDuring {
        /// Whose process.
        by: Org,
        /// How many turns.
        turns: u16,
    },
    /// A person has an undelivered message sent again.
    Resend {
        /// Whose.
        by: Org,
        /// Which.
        pick: u8,
    },
}

/// Scenarios of every kind, the usual things more often than the strange ones.
pub fn scenarios() -> impl Strategy<Value = Scenario> {
    // Together within what the protocol lets clocks differ.
    let skew = || prop_oneof![6 => Just(0), 1 => Just(100), 1 => Just(-100)];
    let first = Op::Offer { case: 0, way: Way { from: Org::Municipality, to: Org::Service } };
    ([skew(), skew(), skew()], vec(episode(), 1..=MAX_EPISODES)).prop_map(move |(skews, episodes)| {
        let operations = std::iter::once(first.clone()).chain(episodes.into_iter().flatten()).collect();
        Scenario { skews, operations }
    })
}

/// What often happens together, or one thing.
fn episode() -> impl Strategy<Value = Vec<Op>> {
    prop_oneof![
        30 => operation().prop_map(|operation| vec![operation]),
        16 => way().prop_map(exchange),
        10 => (case(), way()).prop_map(|(case, way)| [vec![Op::Offer { case, way }], exchange(way)].concat()),
        16 => (case(), way(), saying()).prop_map(|(case, way, what)| {
            [vec![Op::Say { case, by: way.from, what }], exchange(way)].concat()
        }),
        3 => (case(), way()).prop_map(|(case, way)| crossing(case, way)),
        4 => (case(), way(), saying()).prop_map(|(case, way, what)| {
            [vec![Op::Say { case, by: way.from, what }], given_up(way)].concat()
        }),
        2 => (case(), way()).prop_map(|(case, way)| [vec![Op::Offer { case, way }], given_up(way)].concat()),
        3 => org().prop_map(|org| vec![Op::Advance(4 * 24 * 60 * 60), Op::CarryOut(org)]),
    ]
}

/// The next batch is delivered and answered, if nothing else is in the network.
pub fn exchange(way: Way) -> Vec<Op> {
    vec![Op::Prepare(way), Op::Deliver(0), Op::Deliver(0)]
}

/// The next batch cannot be read, and neither can its first message: that is given up.
pub fn given_up(way: Way) -> Vec<Op> {
    let unreadable =
        [Op::Prepare(way), Op::Corrupt { pick: 0, damage: Damage::Blank }, Op::Deliver(0), Op::Deliver(0)];
    [unreadable.clone(), unreadable].concat()
}

/// An acceptance crosses a withdrawal.
fn crossing(case: u8, way: Way) -> Vec<Op> {
    let back = Way { from: way.to, to: way.from };
    vec![
        Op::Say { case, by: way.from, what: Saying::Withdraw },
        Op::Say { case, by: way.to, what: Saying::Accept },
        Op::Prepare(way),
        Op::Prepare(back),
        Op::Deliver(0),
        Op::Deliver(0),
        Op::CarryOut(way.to),
    ]
}

fn operation() -> impl Strategy<Value = Op> {
    prop_oneof![
        10 => (case(), way()).prop_map(|(case, way)| Op::Offer { case, way }),
        30 => (case(), org(), saying()).prop_map(|(case, by, what)| Op::Say { case, by, what }),
        14 => org().prop_map(Op::CarryOut),
        30 => way().prop_map(Op::Prepare),
        60 => pick().prop_map(Op::Deliver),
        6 => pick().prop_map(Op::Drop),
        6 => pick().prop_map(Op::Duplicate),
        6 => (pick(), damage()).prop_map(|(pick, damage)| Op::Corrupt { pick, damage }),
        12 => duration().prop_map(Op::Advance),
        6 => org().prop_map(Op::Crash),
        10 => (org(), 0..11_u32).prop_map(|(by, power)| Op::CrashDuring { by, turns: (1 << power) - 1 }),
        5 => (org(), pick()).prop_map(|(by, pick)| Op::Resend { by, pick }),
    ]
}

fn case() -> impl Strategy<Value = u8> {
    prop_oneof![3 => Just(0), 1 => Just(1)]
}

fn org() -> impl Strategy<Value = Org> {
    prop::sample::select(&Org::THREE[..])
}

fn way() -> impl Strategy<Value = Way> {
    prop::sample::select(Way::all().collect::<Vec<_>>())
}

fn saying() -> impl Strategy<Value = Saying> {
    prop_oneof![
        6 => Just(Saying::Accept),
        3 => Just(Saying::Decline),
        4 => Just(Saying::Ask),
        6 => Just(Saying::Supplement),
        4 => Just(Saying::Withdraw),
        3 => Just(Saying::Contact),
        2 => Just(Saying::Complete),
    ]
}

/// From a moment to more than a day. Now and then the clock is set back, by less than what partners
/// tolerate of each other.
fn duration() -> impl Strategy<Value = i32> {
    const HOUR: i32 = 60 * 60;
    prop_oneof![
        8 => 0..600_i32,
        4 => 600..5 * HOUR,
        2 => 24 * HOUR..40 * HOUR,
        1 => -200..0_i32,
    ]
}
