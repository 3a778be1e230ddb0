//! Logboek Dataverwerkingen (Logius): a record of every processing of personal data. Nothing is kept for it: the log and
//! the messages are durable, and every record follows from them, the same each time.

use exchange::{
    consent::ConsentKey,
    entry::Entry,
    envelope::Envelope,
    jws,
    oin::Oin,
    person::Identity,
    processing_log::{About, Operation, operations},
    rulebook::Rulebook,
    trace::TraceContext,
};
use serde_json::Value;
use store::{DataSubject, Direction, MessageRow, State, StoreError};
use uuid::Uuid;

use crate::core::Core;

pub mod collector;
pub mod export;
mod otlp;

/// Leaves read at a time.
const LEAVES: usize = 64;

/// A record of one processing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Record {
    /// What was done.
    pub operation: Operation,
    /// Its identifier, in its trace.
    pub context: TraceContext,
    /// What a partner did that led to it.
    pub foreign: Option<(TraceContext, Oin)>,
    /// For what: `dpl.core.processing_activity_id`.
    pub activity: String,
    /// About whom: `dpl.core.data_subject_id`. Nothing when its content says nothing of a person or was erased.
    pub subject: Option<DataSubject>,
    /// The identifier of the message that it is about.
    pub message: Option<Uuid>,
    /// The type of that message.
    pub message_type: Option<String>,
}

/// The records of some entries.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Records {
    /// In the order of the log.
    pub records: Vec<Record>,
    /// The entry after those.
    pub next: u64,
}

/// What derives records.
pub struct Deriver<'c> {
    core: &'c Core,
    /// The address of the organisation's register of processing activities.
    register: Option<&'c str>,
}

/// What the content of a message says that a record wants.
#[derive(Default)]
struct Content {
    person: Option<Identity>,
    trace: Option<TraceContext>,
}

impl<'c> Deriver<'c> {
    /// Derives from what this node keeps.
    pub const fn new(core: &'c Core, register: Option<&'c str>) -> Self {
        Self { core, register }
    }

    /// The records of the entries from this one on: of whole entries, until there are at least `enough`.
    pub async fn records(&self, from: u64, enough: usize) -> Result<Records, StoreError> {
        let leaves = self.core.store.leaves(from, LEAVES).await?;
        let (mut records, mut next) = (Vec::new(), from);
        for leaf in &leaves {
            let entry = Entry::of_leaf(leaf)
                .map_err(|_| StoreError::Corrupt("an entry of the log is not one".into()))?;
            for operation in operations(next, &entry) {
                for operation in self.by_message(operation).await? {
                    records.push(self.record(operation).await?);
                }
            }
            next += 1;
            if records.len() >= enough {
                break;
            }
        }
        Ok(Records { records, next })
    }

    /// What somebody saw is an operation for each of those messages, as they may be about other people; one
    /// about nobody when there were none.
    async fn by_message(&self, operation: Operation) -> Result<Vec<Operation>, StoreError> {
        if operation.about != About::Access {
            return Ok(vec![operation]);
        }
        let messages = self.core.store.accessed(operation.entry).await?;
        if messages.is_empty() {
            return Ok(vec![operation]);
        }
        let of = |message| Operation { about: About::Message(message), ..operation.clone() };
        Ok(messages.into_iter().map(of).collect())
    }

    async fn record(&self, operation: Operation) -> Result<Record, StoreError> {
        match &operation.about {
            About::Message(index) => {
                let index = *index;
                self.of_message(operation, index).await
            }
            About::Access => {
                let activity = self.activity(None);
                Ok(self.bare(operation, activity))
            }
            About::HeldBack { purpose } => {
                let activity = self.activity(purpose.as_deref().map(|purpose| (purpose, None)));
                Ok(self.bare(operation, activity))
            }
            About::Consent(key) => {
                let key = *key;
                let person = self.consenting(key).await?;
                let record = self.bare(operation, self.activity(None));
                Ok(Record { subject: self.subject(person.as_ref())?, ..record })
            }
        }
    }

    /// What is known of an operation without the content of a message.
    fn bare(&self, operation: Operation, activity: String) -> Record {
        let context = operation.context(self.core.me, None);
        Record {
            operation,
            context,
            foreign: None,
            activity,
            subject: None,
            message: None,
            message_type: None,
        }
    }

    async fn of_message(&self, operation: Operation, index: u64) -> Result<Record, StoreError> {
        let Some(row) = self.core.store.logged(index).await? else {
            let activity = self.activity(None);
            return Ok(self.bare(operation, activity));
        };
        let said = self.content(&row).await?;
        let outbound = row.direction == Direction::Outbound;
        let sent = row.id.filter(|_| outbound);
        let context = operation.context(self.core.me, sent);
        let arrival = !outbound && operation.entry == index;
        let foreign = said.trace.filter(|_| arrival).map(|trace| (trace, row.partner));
        let subject = self.subject(said.person.as_ref())?;
        let version = version(&self.core.rules(), self.core.me, &row);
        let activity = self.activity(row.purpose.as_deref().map(|purpose| (purpose, version)));
        let (message, message_type) = (row.id, row.message_type);
        Ok(Record { operation, context, foreign, activity, subject, message, message_type })
    }

    /// By number when there is one: that is how the organisation looks for a resident.
    fn subject(&self, person: Option<&Identity>) -> Result<Option<DataSubject>, StoreError> {
        let Some(person) = person else { return Ok(None) };
        Ok(self.core.store.data_subjects(person)?.into_iter().next())
    }

    /// The only place where this reads what was sent or received. No person sees it: all that comes out is a trace and a
    /// sealed name.
    async fn content(&self, row: &MessageRow) -> Result<Content, StoreError> {
        if (row.direction, row.state) == (Direction::Inbound, State::Refused) {
            return Ok(Content::default());
        }
        match self.core.store.payload_for_machine_check(row.index).await {
            Ok(text) => Ok(Content::read(&text).unwrap_or_default()),
            Err(StoreError::Erased | StoreError::NotFound(_)) => Ok(Content::default()),
            // That something can be read no more must not keep the rest from being recorded.
            Err(StoreError::Corrupt(_)) => {
                tracing::error!(entry = row.index, "a message cannot be read; its record says less");
                Ok(Content::default())
            }
            Err(error) => Err(error),
        }
    }

    /// Whose consent it is: as the record of the holder says, or else the first message that rests on it.
    async fn consenting(&self, key: ConsentKey) -> Result<Option<Identity>, StoreError> {
        for record in self.core.store.consent_records(key).await? {
            let found = serde_json::from_str(&record.text)
                .ok()
                .and_then(|text: Value| find_person(&text["toestemming"]));
            if found.is_some() {
                return Ok(found);
            }
        }
        let Some(first) = self.core.store.consent_copies(key, 1).await?.pop() else { return Ok(None) };
        let Some(row) = self.core.store.logged(first).await? else { return Ok(None) };
        Ok(self.content(&row).await?.person)
    }

    /// `dpl.core.processing_activity_id`: an activity is a purpose, in its version.
    fn activity(&self, purpose: Option<(&str, Option<u32>)>) -> String {
        let (base, between) = match self.register {
            Some(register) => (register.trim_end_matches('/'), '/'),
            None => ("urn:schakel:doel", ':'),
        };
        match purpose {
            Some((purpose, Some(version))) => format!("{base}{between}{purpose}{between}{version}"),
            Some((purpose, None)) => format!("{base}{between}{purpose}"),
            // A colon or a capital is in no name of a purpose.
            None if self.register.is_some() => format!("{base}/_berichtenverkeer"),
            None => "urn:schakel:berichtenverkeer".to_owned(),
        }
    }
}

impl Content {
    fn read(compact: &str) -> Option<Self> {
        let message = jws::Unverified::parse(jws::MESSAGE, compact).ok()?;
        let envelope: Envelope<'_> = serde_json::from_slice(message.unverified_payload()).ok()?;
        let data: Value = serde_json::from_str(envelope.data.get()).ok()?;
        let trace = envelope.traceparent.as_deref().and_then(TraceContext::parse);
        Some(Self { person: find_person(&data), trace })
    }
}

fn find_person(data: &Value) -> Option<Identity> {
    Identity::read(data.get("betrokkene")?)
}

/// The version of the purpose that a message went by.
fn version(rules: &Rulebook, me: Oin, row: &MessageRow) -> Option<u32> {
    let agreement = rules.agreement(row.agreement?)?;
    let (from, to) = match row.direction {
        Direction::Outbound => (me, row.partner),
        Direction::Inbound => (row.partner, me),
    };
    let (purpose, message_type) = (row.purpose.as_deref()?, row.message_type.as_deref()?);
    let mut clauses = agreement.content().afspraken.iter();
    let clause = clauses.find(|clause| clause.covers(from, to, purpose, message_type))?;
    Some(rules.purpose(clause.doel_digest)?.content().versie)
}
