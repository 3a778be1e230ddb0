//! Logboek Dataverwerkingen (Logius): a record of every processing of personal data. Nothing is kept for it: the log and
//! the messages are durable, and every record follows from them, the same each time.

use exchange::{
    consent::{ConsentKey, Extract},
    entry::Entry,
    envelope::Envelope,
    jws,
    oin::Oin,
    person::Identity,
    processing_log::{About, Operation, operations},
    rulebook::Rulebook,
    trace::TraceContext,
};
use jiff::Timestamp;
use serde_json::Value;
use store::{DataSubject, Direction, MessageRow, State, StoreError};
use uuid::Uuid;

use crate::{
    core::Core,
    processing::activity::{self, Names, Own},
};

pub mod collector;
pub mod export;
mod otlp;

/// What a decision is called, which the log does not tell from a look.
const DECISION: &str = "besluit";

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
    /// How activities are named.
    names: Names<'c>,
}

impl<'c> Deriver<'c> {
    /// Derives from what this node keeps.
    pub const fn new(core: &'c Core, register: Option<&'c str>) -> Self {
        Self { core, names: Names(register) }
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

    /// What somebody saw is an operation for each of those messages, as they may be about other people; one about nobody when
    /// there were none. What was erased may be the record of a consent.
    async fn by_message(&self, operation: Operation) -> Result<Vec<Operation>, StoreError> {
        if operation.about != About::Access {
            return Ok(vec![operation]);
        }
        let accessed = self.core.store.accessed(operation.entry).await?;
        if accessed.messages.is_empty() {
            let name = if accessed.is_decision { DECISION } else { operation.name };
            return Ok(vec![Operation { name, ..operation }]);
        }
        let of = |message| Operation { about: About::Message(message), ..operation.clone() };
        Ok(accessed.messages.into_iter().map(of).collect())
    }

    async fn record(&self, operation: Operation) -> Result<Record, StoreError> {
        match &operation.about {
            About::Message(index) => {
                let index = *index;
                self.of_message(operation, index).await
            }
            About::Access => self.of_access(operation).await,
            About::HeldBack { purpose } => {
                let activity = self.activity(purpose.as_deref(), operation.time, Own::Messages);
                Ok(self.bare(operation, activity))
            }
            About::Consent(key) => {
                let key = *key;
                let person = self.consenting(key).await?;
                let activity = self.of_consent(key, operation.time).await?;
                let record = self.bare(operation, activity);
                Ok(Record { subject: self.subject(person.as_ref())?, ..record })
            }
        }
    }

    /// What was shown to nobody, or was about a consent or a person and about no message.
    async fn of_access(&self, operation: Operation) -> Result<Record, StoreError> {
        let accessed = self.core.store.accessed(operation.entry).await?;
        let activity = match accessed.consents.as_slice() {
            [consent] => {
                let key = ConsentKey { holder: self.core.me, id: *consent };
                self.of_consent(key, operation.time).await?
            }
            _ => self.names.own(Own::Accesses),
        };
        Ok(Record { subject: accessed.subject, ..self.bare(operation, activity) })
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
            return self.of_erased_record(operation, index).await;
        };
        let (subject, trace) = self.content(&row).await?;
        let subject = match subject {
            // Who looked for somebody looked at what is about them, whatever became of it since.
            None if operation.name == "raadpleging" => {
                let accessed = self.core.store.accessed(operation.entry).await?;
                accessed.subject.filter(|_| !accessed.perhaps.contains(&index))
            }
            known => known,
        };
        let outbound = row.direction == Direction::Outbound;
        let sent = row.id.filter(|_| outbound);
        let context = operation.context(self.core.me, sent);
        let arrival = !outbound && operation.entry == index;
        let foreign = trace.filter(|_| arrival).map(|trace| (trace, row.partner));
        let activity = match version(&self.core.rules(), self.core.me, &row) {
            Some((purpose, version)) => self.names.purpose(&purpose, version),
            None => self.activity(row.purpose.as_deref(), operation.time, Own::Messages),
        };
        let (message, message_type) = (row.id, row.message_type);
        Ok(Record { operation, context, foreign, activity, subject, message, message_type })
    }

    /// What was erased was no message, so a version of the record of a consent: the log still says of which.
    async fn of_erased_record(&self, operation: Operation, index: u64) -> Result<Record, StoreError> {
        let leaf = self.core.store.leaves(index, 1).await?.pop();
        let activity = match leaf.as_ref().map(Entry::of_leaf) {
            Some(Ok(Entry::Toestemming { houder, toestemming, .. })) => {
                let key = ConsentKey { holder: houder, id: toestemming };
                self.of_consent(key, operation.time).await?
            }
            _ => self.names.own(Own::Messages),
        };
        let subject = self.core.store.erased_subject(index).await?;
        Ok(Record { subject, ..self.bare(operation, activity) })
    }

    /// By number when there is one: that is how the organisation looks for a resident.
    fn subject(&self, person: Option<&Identity>) -> Result<Option<DataSubject>, StoreError> {
        let Some(person) = person else { return Ok(None) };
        Ok(self.core.store.data_subjects(person)?.into_iter().next())
    }

    /// The only place where this reads what was sent or received. No person sees it: all that comes out is a sealed name and a
    /// trace.
    async fn content(
        &self,
        row: &MessageRow,
    ) -> Result<(Option<DataSubject>, Option<TraceContext>), StoreError> {
        if (row.direction, row.state) == (Direction::Inbound, State::Refused) {
            return Ok((None, None));
        }
        match self.core.store.payload_for_machine_check(row.index).await {
            Ok(text) => {
                let person = self.core.store.person_concerned(row).await?;
                Ok((self.subject(person.as_ref())?, trace_of(&text)))
            }
            Err(StoreError::Erased | StoreError::NotFound(_)) => {
                Ok((self.core.store.erased_subject(row.index).await?, None))
            }
            // That something can be read no more must not keep the rest from being recorded.
            Err(StoreError::Corrupt(_)) => {
                tracing::error!(entry = row.index, "a message cannot be read; its record says less");
                Ok((None, None))
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
        self.core.store.person_concerned(&row).await
    }

    /// What was consented to: the first purpose that the consent names. That it is kept which consents there are is an activity
    /// of its own, for those of which no agreement says what that purpose is.
    async fn of_consent(&self, key: ConsentKey, at: Timestamp) -> Result<String, StoreError> {
        let known = self.core.store.consent(key).await?;
        let terms = known.and_then(|known| Extract::peek(&known.extract?));
        let purpose = terms.and_then(|terms| terms.purposes.into_iter().next());
        Ok(self.activity(purpose.as_deref(), at, Own::Consents))
    }

    /// `dpl.core.processing_activity_id` of what was for this purpose, in the version that was agreed on then; else that of what
    /// the node does by itself.
    fn activity(&self, purpose: Option<&str>, at: Timestamp, otherwise: Own) -> String {
        let agreed = purpose.and_then(|purpose| {
            let version = activity::version_at(&self.core.rules(), self.core.me, purpose, at)?;
            Some(self.names.purpose(purpose, version))
        });
        agreed.unwrap_or_else(|| self.names.own(otherwise))
    }
}

/// What a partner did that led to a message.
fn trace_of(compact: &str) -> Option<TraceContext> {
    let message = jws::Unverified::parse(jws::MESSAGE, compact).ok()?;
    let envelope: Envelope<'_> = serde_json::from_slice(message.unverified_payload()).ok()?;
    TraceContext::parse(envelope.traceparent.as_deref()?)
}

fn find_person(data: &Value) -> Option<Identity> {
    Identity::read(data.get("betrokkene")?)
}

/// The purpose that a message went by, and its version.
fn version(rules: &Rulebook, me: Oin, row: &MessageRow) -> Option<(String, u32)> {
    let agreement = rules.agreement(row.agreement?)?;
    let way = match row.direction {
        Direction::Outbound => (me, row.partner),
        Direction::Inbound => (row.partner, me),
    };
    let (purpose, message_type) = (row.purpose.as_deref()?, row.message_type.as_deref()?);
    let clause = agreement.clause(way, purpose, message_type)?;
    Some((purpose.to_owned(), rules.purpose(clause.doel_digest)?.content().versie))
}
