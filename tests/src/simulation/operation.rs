//! What can happen in a simulation, and how such events are made up.

use proptest::{collection::vec, prelude::*};

/// The longest list of operations that is made up.
const MAX_OPERATIONS: usize = 60;

/// The longest list of records offered at once.
const MAX_OFFERS: usize = 6;

/// One of the two nodes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Side {
    /// The housing corporation: sends signals.
    Corporation,
    /// The municipality: sends feedback on the signals it has.
    Municipality,
}

impl Side {
    /// Both.
    pub const BOTH: [Self; 2] = [Self::Corporation, Self::Municipality];

    /// The partner.
    #[must_use]
    pub const fn other(self) -> Self {
        match self {
            Self::Corporation => Self::Municipality,
            Self::Municipality => Self::Corporation,
        }
    }
}

/// A run from its beginning.
#[derive(Debug, Clone, Default)]
pub struct Scenario {
    /// By how many seconds the clock of each side is ahead.
    pub skews: [i64; 2],
    /// What happens, in order.
    pub operations: Vec<Op>,
}

/// Something that happens. A number that picks one of several counts on from the first, and from the last back to the
/// first; where there is nothing to pick, nothing happens.
#[derive(Debug, Clone)]
pub enum Op {
    /// A source offers records.
    Submit {
        /// To whose node.
        by: Side,
        /// Which.
        offers: Vec<Offer>,
    },
    /// The next batch goes into the network.
    Prepare {
        /// From whom.
        by: Side,
    },
    /// Something that is in the network arrives; the first is the oldest, any other overtakes.
    Deliver(u8),
    /// Something in the network gets lost. The sender will hear of it as of any failure.
    Drop(u8),
    /// A request in the network becomes two.
    Duplicate(u8),
    /// A sender waits no longer for an answer; what is in the network goes on.
    GiveUp {
        /// Whose batch.
        by: Side,
        /// Which batch.
        pick: u8,
    },
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
    Crash(Side),
    /// The process dies during the next step it takes, after the runtime had this many turns.
    CrashDuring {
        /// Whose process.
        by: Side,
        /// How many turns.
        turns: u16,
    },
    /// One party ends the agreement; the other does not know yet.
    EndAgreement(Side),
    /// The parties sign a new version of the agreement.
    RenewAgreement,
    /// One party brings all answers it knows to the other.
    SpreadAgreements(Side),
    /// The periodic look for what has expired.
    Expire(Side),
    /// A person has an undelivered message sent again.
    Resend {
        /// Whose.
        by: Side,
        /// Which.
        pick: u8,
    },
    /// A node that has the partner's trust and a changed program sends what it should not.
    Rogue {
        /// Whose.
        by: Side,
        /// What.
        how: Rogue,
    },
}

/// What happens to the terms of signals that have arrived.
#[derive(Debug, Clone, Copy)]
pub enum TermMove {
    /// Every clock goes on by so many hours, or is set back.
    Clock(i32),
    /// A node looks at terms.
    Look(Side),
    /// The process dies and starts again.
    Crash(Side),
    /// The process dies while it looks, after this many turns.
    CrashDuring(Side, u16),
    /// The municipality gives feedback on a signal, which its sender hears.
    Feedback(u8),
}

/// Moves of every kind.
pub fn term_moves() -> impl Strategy<Value = Vec<TermMove>> {
    let one = prop_oneof![
        6 => (-200..400_i32).prop_map(TermMove::Clock),
        1 => (-900..1200_i32).prop_map(TermMove::Clock),
        8 => side().prop_map(TermMove::Look),
        2 => side().prop_map(TermMove::Crash),
        3 => (side(), 0..11_u32).prop_map(|(side, power)| TermMove::CrashDuring(side, (1 << power) - 1)),
        2 => any::<u8>().prop_map(TermMove::Feedback),
    ];
    vec(one, 0..24)
}

/// A record that a source offers.
#[derive(Debug, Clone, Copy)]
pub enum Offer {
    /// One that was not offered before: a signal from the corporation, feedback from the municipality.
    Fresh {
        /// The case of a signal, or the signal that feedback is about.
        case: u8,
        /// What the rules have against it.
        flaw: Option<Flaw>,
    },
    /// One that was offered before, perhaps in the same batch.
    Again(u8),
}

/// What the rules have against a document.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Flaw {
    /// A condition of the law is not met.
    Condition,
    /// It holds data that the purpose does not allow.
    TooMuch,
    /// It rests on a basis that the purpose does not accept.
    Basis,
    /// It is for a purpose that was not agreed on.
    Purpose,
    /// It goes to the party that may only send it.
    Direction,
}

/// Harm done to bytes in the network.
#[derive(Debug, Clone, Copy)]
pub enum Damage {
    /// One bit of the byte here is turned over.
    Flip(u16),
    /// All bytes from here on are gone.
    Cut(u16),
    /// Two lines of a request, or two entries of a receipt, change places.
    Swap,
    /// An empty line in a request, an empty answer.
    Blank,
    /// An earlier request of the same sender, or an earlier answer to it, comes in its place.
    Replay(u8),
    /// A receipt says the opposite.
    Lie,
    /// The answer is an error with this status.
    Status(u16),
}

/// What a partner's node may try.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Rogue {
    /// A message that the rules refuse.
    Forbidden,
    /// Another message with the identifier of one that was queued.
    StolenId(u8),
    /// A message of another sender.
    OtherSender,
    /// A message for another receiver.
    OtherReceiver,
    /// A message under an agreement that nobody signed.
    UnknownAgreement,
    /// A message from the future.
    Future,
    /// An identifier that was not made at the time of the message.
    OldId,
    /// A message without signature.
    NoSignature,
    /// A message with the signature of another.
    OtherSignature,
    /// A message signed with a key of nobody's.
    OtherKey,
    /// Data that the schema does not allow.
    Schema,
    /// Not a message at all.
    Garbage,
    /// The partner's own messages, sent back.
    Reflection(u8),
}

/// Scenarios of every kind, the usual things more often than the strange ones.
pub fn scenarios() -> impl Strategy<Value = Scenario> {
    let skew =
        || prop_oneof![12 => Just(0), 1 => Just(299), 1 => Just(-299), 1 => Just(420), 1 => Just(-7200)];
    let skews = [skew(), skew()];
    (skews, vec(operation(), 1..=MAX_OPERATIONS))
        .prop_map(|(skews, operations)| Scenario { skews, operations })
}

fn operation() -> impl Strategy<Value = Op> {
    prop_oneof![
        24 => (side(), vec(offer(), 1..=MAX_OFFERS)).prop_map(|(by, offers)| Op::Submit { by, offers }),
        30 => side().prop_map(|by| Op::Prepare { by }),
        60 => pick().prop_map(Op::Deliver),
        8 => pick().prop_map(Op::Drop),
        8 => pick().prop_map(Op::Duplicate),
        6 => (side(), pick()).prop_map(|(by, pick)| Op::GiveUp { by, pick }),
        18 => (pick(), damage()).prop_map(|(pick, damage)| Op::Corrupt { pick, damage }),
        16 => duration().prop_map(Op::Advance),
        8 => side().prop_map(Op::Crash),
        8 => (side(), 0..11_u32).prop_map(|(by, power)| Op::CrashDuring { by, turns: (1 << power) - 1 }),
        1 => side().prop_map(Op::EndAgreement),
        2 => Just(Op::RenewAgreement),
        2 => side().prop_map(Op::SpreadAgreements),
        5 => side().prop_map(Op::Expire),
        4 => (side(), pick()).prop_map(|(by, pick)| Op::Resend { by, pick }),
        8 => (side(), rogue()).prop_map(|(by, how)| Op::Rogue { by, how }),
    ]
}

/// Corporations send more than municipalities.
fn side() -> impl Strategy<Value = Side> {
    prop_oneof![3 => Just(Side::Corporation), 2 => Just(Side::Municipality)]
}

fn offer() -> impl Strategy<Value = Offer> {
    let flaw = prop_oneof![
        20 => Just(None),
        1 => Just(Some(Flaw::Condition)),
        1 => Just(Some(Flaw::TooMuch)),
        1 => Just(Some(Flaw::Basis)),
        1 => Just(Some(Flaw::Purpose)),
        1 => Just(Some(Flaw::Direction)),
    ];
    prop_oneof![
        4 => (any::<u8>(), flaw).prop_map(|(case, flaw)| Offer::Fresh { case, flaw }),
        1 => any::<u8>().prop_map(Offer::Again),
    ]
}

/// Mostly the oldest.
pub(crate) fn pick() -> impl Strategy<Value = u8> {
    prop_oneof![3 => Just(0), 2 => any::<u8>()]
}

/// Whatever can come to bytes under way.
pub(crate) fn damage() -> impl Strategy<Value = Damage> {
    prop_oneof![
        4 => any::<u16>().prop_map(Damage::Flip),
        1 => any::<u16>().prop_map(Damage::Cut),
        1 => Just(Damage::Swap),
        1 => Just(Damage::Blank),
        2 => any::<u8>().prop_map(Damage::Replay),
        2 => Just(Damage::Lie),
        4 => prop::sample::select(vec![400, 403, 404, 413, 429, 500, 503]).prop_map(Damage::Status),
    ]
}

/// From a moment to just past the life of a message.
fn duration() -> impl Strategy<Value = u32> {
    const DAY: u32 = 24 * 60 * 60;
    prop_oneof![
        8 => 0..10_u32,
        6 => 10..600_u32,
        3 => 600..DAY,
        1 => DAY..29 * DAY,
        2 => 30 * DAY - 400..30 * DAY + 400,
    ]
}

fn rogue() -> impl Strategy<Value = Rogue> {
    prop_oneof![
        3 => any::<u8>().prop_map(Rogue::StolenId),
        2 => Just(Rogue::Forbidden),
        2 => any::<u8>().prop_map(Rogue::Reflection),
        1 => Just(Rogue::OtherSender),
        1 => Just(Rogue::OtherReceiver),
        1 => Just(Rogue::UnknownAgreement),
        1 => Just(Rogue::Future),
        1 => Just(Rogue::OldId),
        1 => Just(Rogue::NoSignature),
        1 => Just(Rogue::OtherSignature),
        1 => Just(Rogue::OtherKey),
        1 => Just(Rogue::Schema),
        1 => Just(Rogue::Garbage),
    ]
}
