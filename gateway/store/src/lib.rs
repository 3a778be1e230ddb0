//! What a node remembers, as use cases: queue a message, lease what is due, file what arrives, record a receipt,
//! read the log.
//!
//! One [`Store`] speaks to one SQLite database (module `sqlite`, the only place with SQL). Writes are collected and
//! committed in groups: many operations, one transaction, one fsync, and nothing is confirmed before it. Payloads
//! are encrypted with a key per entry of the log, which can be destroyed by itself. `DATA_MODEL.md` tells what the tables hold and which states a message knows.

mod access;
mod consents;
mod data_subject;
mod entry_keys;
mod error;
mod events;
mod figures;
mod handovers;
mod hot;
mod key;
mod lease;
mod matching;
mod model;
mod seal;
mod signal_terms;
mod sqlite;
mod store;
mod subject;
mod submission;
mod undelivered;

pub use access::{
    Access, AccessFilter, AccessRecord, Accessed, Accesses, Actor, ActorKind, Decided, Decision, Deed, Found,
    MAX_NAME_CHARS, NotAName, NotAReason, Reason, Shown, Why, Withheld,
};
pub use consents::{ConsentNotice, ConsentRow, ConsentState, NoticeMessage, StoredRecord, Untold};
pub use data_subject::{DataSubject, SubjectKind};
pub use error::StoreError;
pub use events::{DeadLetter, DeadLetters, Event, EventKind, MAX_DEAD_LETTERS, Telling, Webhook};
pub use figures::{MAX_COUNTED, Moved};
pub use handovers::{HandoverCase, Looked, StoredStep, TermTold};
pub use key::{IntakeKey, KEY_BYTES, StorageKey};
pub use lease::{Lease, Leased};
pub use matching::{JoinedSignal, MatchUpkeep, MultipleSignal, Suggestion};
pub use model::{
    Arrival, BatchLimit, CosignedCheckpoint, Count, Direction, Enqueued, Erased, Exported, Filter, LogState,
    MessageRow, NotAState, Order, Outgoing, Owed, PartnerCheckpoint, PartnerDue, PartnerRecord, PartnerState,
    Priority, RaisedAlarm, RulesVersion, SentOutcome, State, StoredAgreement, Swept,
};
pub use signal_terms::{
    MAX_NEWS, Meeting, NotedSignals, SignalLooked, SignalNews, SignalTerm, SignalTerms, TermState,
};
pub use store::{
    Anchor, CONFLICT_REASON, Check, ERASED_REASON, EXPIRED_REASON, MAX_BATCH, MAX_CANDIDATES,
    MAX_FAILURE_BYTES, MAX_LEAF_BYTES, MAX_MATCHED, MAX_PAYLOAD_BYTES, MAX_ROWS_READ, MAX_TEXT_BYTES,
    Options, Store, SubjectUpkeep, UNREADABLE_REASON, Verdict, WITHDRAWN_REASON,
};
pub use submission::{
    ANSWER_LIFETIME, Answered, EarlierAnswer, Listed, Listing, MAX_ANSWER_BYTES, MAX_ANSWERS, Submitter,
};
pub use undelivered::{GivenUp, NotGivenUp, NotPending, Pending, Queue, Undelivered, UndeliveredRows};
