//! What the store knows of consents: which messages rest on them, how they ended, and who did what then.

use exchange::{
    consent::{ConsentKey, Kept, WhatWasDone},
    digest::Digest,
    oin::Oin,
};
use jiff::Timestamp;

use crate::model::State;

/// How it is with a consent.
///
/// ```text
/// InForce -> Withdrawn                       (final)
/// InForce -> Expired -> InForce (extended)
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ConsentState {
    /// It holds, if its time has not run out a moment ago.
    InForce,
    /// The resident withdrew it.
    Withdrawn,
    /// Its time ran out.
    Expired,
}

impl ConsentState {
    /// Every state.
    pub const ALL: [Self; 3] = [Self::InForce, Self::Withdrawn, Self::Expired];

    /// The name that users see.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::InForce => "geldig",
            Self::Withdrawn => "ingetrokken",
            Self::Expired => "verlopen",
        }
    }
}

/// A consent as this node knows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConsentRow {
    /// Which.
    pub key: ConsentKey,
    /// The newest extract seen; none when only its withdrawal came.
    pub extract: Option<String>,
    /// Until when it holds by that extract.
    pub valid_until: Option<Timestamp>,
    /// How it is with it.
    pub state: ConsentState,
    /// When the resident withdrew it, or when it ran out.
    pub ended: Option<Timestamp>,
    /// The withdrawal as its holder signed it.
    pub statement: Option<String>,
    /// The log index of the message that brought the withdrawal.
    pub told_by: Option<u64>,
    /// When the resident withdrew it at another organisation than its holder, as was said to the holder.
    pub reported: Option<Timestamp>,
    /// The message that tells the holder that it was withdrawn here: its log index, and how it is with it.
    pub reported_by: Option<(u64, State)>,
    /// When this organisation withdrew it, as its holder. The resident may have said so before, elsewhere.
    pub withdrawn: Option<Timestamp>,
    /// The basis on which something that came under it is kept after its end.
    pub kept: Option<Kept>,
    /// Whether this node has something left to do about its end.
    pub to_do: bool,
}

/// What one organisation was told of the end of a consent, and what it did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConsentNotice {
    /// Who.
    pub party: Oin,
    /// The message that tells it, and how it is with that; none when another organisation tells it.
    pub message: Option<NoticeMessage>,
    /// Who passed the data on to it, and tells it.
    pub via: Option<Oin>,
    /// When it did what the purpose asks.
    pub confirmed: Option<Timestamp>,
    /// What it did.
    pub done: Option<WhatWasDone>,
    /// The basis on which it keeps something.
    pub kept: Option<Kept>,
}

/// The message that tells of the end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NoticeMessage {
    /// Its place in the log.
    pub index: u64,
    /// How it is with it.
    pub state: State,
    /// When it was queued.
    pub queued: Timestamp,
    /// When its receiver filed it, or it was given up.
    pub finished: Option<Timestamp>,
}

/// Somebody who got something under a consent and was not told yet that it ended, with the agreement and purpose it
/// got it under.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Untold {
    /// Who.
    pub party: Oin,
    /// The agreement.
    pub agreement: Digest,
    /// The purpose.
    pub purpose: String,
}

/// A version of the record at the holder.
#[derive(Debug, Clone)]
pub struct StoredRecord {
    /// Where the log says that it was recorded.
    pub index: u64,
    /// The record, as [`exchange::consent::ConsentRecord::to_stored`] wrote it.
    pub text: String,
    /// How long after the end of the consent it is kept, in days.
    pub keep_days: u32,
}
