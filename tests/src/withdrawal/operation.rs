//! What can happen to consents in a simulation, and how such events are made up.

use proptest::{collection::vec, prelude::*};

use crate::simulation::{
    operation::{Damage, damage, pick},
    three::{self, Organisation},
};

/// The longest list of episodes that is made up.
const MAX_EPISODES: usize = 40;

/// How long a message waits for its receiver, in seconds.
const LIFETIME: u32 = 30 * 24 * 60 * 60;

/// Consents in a run: one would not show that they are kept apart.
pub(super) const CONSENTS: usize = 3;

/// One of the three nodes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Org {
    /// The municipality: asked for the consents and keeps the records.
    Holder,
    /// A care provider that receives and passes on.
    Care,
    /// A welfare organisation that receives and passes on.
    Welfare,
}

impl Org {
    /// All three.
    pub const ALL: [Self; 3] = [Self::Holder, Self::Care, Self::Welfare];
    /// Those that are not the holder.
    pub const OTHERS: [Self; 2] = [Self::Care, Self::Welfare];
}

impl Organisation for Org {
    const THREE: [Self; 3] = Self::ALL;

    fn number(self) -> usize {
        self as usize
    }
}

/// From one to another.
pub type Way = three::Way<Org>;

/// On what a message rests, and by what it is governed when consent ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Ground {
    /// On consent, for a purpose by which what came under it is erased.
    Consent,
    /// On consent, for a purpose by which what came under it is kept on another basis.
    ConsentOrTask,
    /// On a public task, about the same resident in the same case.
    Task,
}

/// A run from its beginning.
#[derive(Debug, Clone, Default)]
pub struct Scenario {
    /// By how many seconds the clock of each organisation is ahead.
    pub skews: [i64; 3],
    /// What happens, in order.
    pub operations: Vec<Op>,
}

/// Something that happens. A number that picks one of several counts on from the first, and from the last back to the
/// first; where there is nothing to pick, nothing happens.
#[derive(Debug, Clone)]
pub enum Op {
    /// The resident gives this consent to the holder, for so many hours.
    Grant {
        /// Which.
        consent: u8,
        /// How long.
        hours: u16,
    },
    /// The resident extends it, for so many hours from now.
    Extend {
        /// Which.
        consent: u8,
        /// How long.
        hours: u16,
    },
    /// Somebody sends a message about the resident of this consent. Another than the holder passes on.
    Send {
        /// Which.
        consent: u8,
        /// From whom to whom.
        way: Way,
        /// On what it rests.
        ground: Ground,
        /// How many.
        count: u8,
    },
    /// The resident withdraws it at the holder.
    Withdraw(u8),
    /// The resident withdraws it at another, who tells the holder.
    Report {
        /// Which.
        consent: u8,
        /// To whom.
        by: Org,
    },
    /// A node does what is left to do about consents that ended.
    CarryOut(Org),
    /// A node looks whether somebody could not be told.
    Remind(Org),
    /// The next batch goes into the network.
    Prepare(Way),
    /// Something that is in the network arrives; the first is the oldest, any other overtakes.
    Deliver(u8),
    /// Something in the network gets lost. The sender will hear of it as of any failure.
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
    /// Time passes, in seconds.
    Advance(u32),
    /// The process dies between two steps and starts again.
    Crash(Org),
    /// The process dies during the next step it takes, after the runtime had this many turns.
    CrashDuring {
        /// Whose process.
        by: Org,
        /// How many turns.
        turns: u16,
    },
    /// One party ends the agreement, and the others hear so.
    EndAgreement(Org),
    /// The periodic look for what has expired.
    Expire(Org),
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
    let skew = || prop_oneof![6 => Just(0), 1 => Just(140), 1 => Just(-140)];
    // A run in which nobody consented tells nothing.
    let begin = (hours(), 0..2_u8).prop_map(|(hours, consent)| Op::Grant { consent, hours });
    ([skew(), skew(), skew()], begin, vec(episode(), 1..=MAX_EPISODES)).prop_map(
        |(skews, first, episodes)| {
            let operations = std::iter::once(first).chain(episodes.into_iter().flatten()).collect();
            Scenario { skews, operations }
        },
    )
}

/// What often happens together, or one thing.
fn episode() -> impl Strategy<Value = Vec<Op>> {
    let to_care = Way { from: Org::Holder, to: Org::Care };
    let on = Way { from: Org::Care, to: Org::Welfare };
    prop_oneof![
        30 => operation().prop_map(|operation| vec![operation]),
        10 => way().prop_map(exchange),
        10 => (consent(), way(), ground()).prop_map(|(consent, way, ground)| sent(consent, way, ground)),
        5 => (consent(), ground(), ground()).prop_map(move |(consent, first, second)| {
            [sent(consent, to_care, first), sent(consent, on, second)].concat()
        }),
        3 => (consent(), ground(), way()).prop_map(|(consent, ground, way)| crossing(consent, way, ground)),
        3 => (consent(), ground()).prop_map(move |(consent, ground)| {
            let waits = vec![
                Op::Send { consent, way: on, ground, count: 1 },
                Op::Withdraw(consent),
                Op::CarryOut(Org::Holder),
            ];
            [sent(consent, to_care, ground), waits, exchange(to_care)].concat()
        }),
        2 => consent().prop_map(move |consent| {
            let report = vec![Op::Report { consent, by: Org::Care }];
            [report, exchange(Way { from: Org::Care, to: Org::Holder })].concat()
        }),
        1 => consent().prop_map(move |consent| vec![
            Op::Withdraw(consent),
            Op::CarryOut(Org::Holder),
            Op::Advance(LIFETIME + 400),
            Op::Expire(Org::Holder),
            Op::Remind(Org::Holder),
        ]),
    ]
}

/// Sent, delivered and answered, if nothing else is in the network.
pub fn sent(consent: u8, way: Way, ground: Ground) -> Vec<Op> {
    [vec![Op::Send { consent, way, ground, count: 1 }], exchange(way)].concat()
}

/// The next batch is delivered and answered, if nothing else is in the network.
pub fn exchange(way: Way) -> Vec<Op> {
    vec![Op::Prepare(way), Op::Deliver(0), Op::Deliver(0)]
}

/// A withdrawal overtakes a message that is under way.
fn crossing(consent: u8, way: Way, ground: Ground) -> Vec<Op> {
    vec![
        Op::Send { consent, way, ground, count: 1 },
        Op::Prepare(way),
        Op::Withdraw(consent),
        Op::CarryOut(Org::Holder),
        Op::Prepare(Way { from: Org::Holder, to: way.to }),
        Op::Deliver(1),
        Op::Deliver(0),
    ]
}

fn operation() -> impl Strategy<Value = Op> {
    prop_oneof![
        2 => (consent(), hours()).prop_map(|(consent, hours)| Op::Grant { consent, hours }),
        4 => (consent(), hours()).prop_map(|(consent, hours)| Op::Extend { consent, hours }),
        30 => (consent(), way(), ground(), 1..4_u8)
            .prop_map(|(consent, way, ground, count)| Op::Send { consent, way, ground, count }),
        5 => consent().prop_map(Op::Withdraw),
        4 => (consent(), prop_oneof![Just(Org::Care), Just(Org::Welfare)])
            .prop_map(|(consent, by)| Op::Report { consent, by }),
        14 => org().prop_map(Op::CarryOut),
        3 => org().prop_map(Op::Remind),
        30 => way().prop_map(Op::Prepare),
        60 => pick().prop_map(Op::Deliver),
        6 => pick().prop_map(Op::Drop),
        6 => pick().prop_map(Op::Duplicate),
        6 => (pick(), damage()).prop_map(|(pick, damage)| Op::Corrupt { pick, damage }),
        14 => duration().prop_map(Op::Advance),
        6 => org().prop_map(Op::Crash),
        10 => (org(), 0..11_u32).prop_map(|(by, power)| Op::CrashDuring { by, turns: (1 << power) - 1 }),
        1 => org().prop_map(Op::EndAgreement),
        4 => org().prop_map(Op::Expire),
        5 => (org(), pick()).prop_map(|(by, pick)| Op::Resend { by, pick }),
    ]
}

/// Mostly the same, so that much happens to one.
fn consent() -> impl Strategy<Value = u8> {
    prop_oneof![3 => Just(0), 2 => Just(1), 1 => Just(2)]
}

fn org() -> impl Strategy<Value = Org> {
    prop_oneof![3 => Just(Org::Holder), 2 => Just(Org::Care), 2 => Just(Org::Welfare)]
}

/// Mostly from the holder to a receiver, and from there on.
fn way() -> impl Strategy<Value = Way> {
    let way = |from, to| Just(Way { from, to });
    prop_oneof![
        6 => way(Org::Holder, Org::Care),
        3 => way(Org::Care, Org::Welfare),
        2 => way(Org::Holder, Org::Welfare),
        2 => way(Org::Care, Org::Holder),
        2 => way(Org::Welfare, Org::Holder),
        2 => way(Org::Welfare, Org::Care),
    ]
}

fn ground() -> impl Strategy<Value = Ground> {
    prop_oneof![5 => Just(Ground::Consent), 2 => Just(Ground::ConsentOrTask), 2 => Just(Ground::Task)]
}

/// From an hour to two months.
fn hours() -> impl Strategy<Value = u16> {
    prop_oneof![1 => 1..72_u16, 4 => 72..3000_u16]
}

/// From a moment to just past the life of a message.
fn duration() -> impl Strategy<Value = u32> {
    const DAY: u32 = 24 * 60 * 60;
    prop_oneof![
        12 => 0..600_u32,
        4 => 600..DAY,
        3 => DAY..4 * DAY,
        1 => 4 * DAY..29 * DAY,
        1 => LIFETIME - 400..LIFETIME + 400,
    ]
}
