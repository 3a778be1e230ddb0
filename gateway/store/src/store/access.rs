//! Content for people and local systems: never before it is recorded that they get it.

use std::collections::BTreeSet;

use exchange::{
    consent::{ConsentKey, ConsentRecord},
    person::{Identity, Match},
};
use jiff::Timestamp;
use sqlx::SqliteConnection;
use uuid::Uuid;

use super::{MAX_CANDIDATES, MAX_ROWS_READ, Store, limited, subject::Candidates};
use crate::{
    access::{
        About, Access, AccessFilter, AccessRecord, Accessed, Accesses, Decision, Deed, Found, SALT_BYTES,
        Shown, Withheld,
    },
    consents::ConsentState,
    data_subject::DataSubject,
    error::StoreError,
    sqlite::{
        access::{self, Recording},
        committer::Operation,
        consent, read, read_consents, subject,
    },
    subject::Token,
};

/// Records that one reading of the access log opens, so that a rare name does not keep a reader for long.
const MAX_OPENED: usize = 20_000;

/// Accesses without a record that are named: one is enough to know that something is wrong.
const MAX_MISSING: usize = 100;

/// Cases of one person that are looked through.
const MAX_CASES: usize = 200;

/// What is known of a person, before anybody sees it.
struct Known {
    messages: BTreeSet<u64>,
    perhaps: BTreeSet<u64>,
    complete: bool,
    /// How the person was described, and how else their messages write who it is.
    ways: Vec<Identity>,
}

impl Store {
    /// Shows messages to somebody. That they get them is recorded and durable before this returns anything. Fails with
    /// [`StoreError::NotFound`] when there is no message at one of these places.
    ///
    /// A message that was erased, that was not kept, or that rests on a consent that ended is given without content, and
    /// with the reason; that somebody asked for it is recorded all the same.
    pub async fn view(&self, access: Access, indexes: &[u64]) -> Result<Vec<Shown>, StoreError> {
        limited("messages at once", indexes.len(), MAX_CANDIDATES)?;
        let mut reader = self.0.readers.acquire().await?;
        for index in indexes {
            let known = read::message_at(&mut reader, *index).await?;
            known.ok_or(StoreError::NotFound("message with this index"))?;
        }
        drop(reader);
        let now = access.when;
        let tokens = self.persons_of(indexes).await?;
        self.record(access, About { messages: indexes.to_vec(), tokens, ..About::default() }).await?;
        self.shown(indexes, now).await
    }

    /// Looks for everything about a person, for somebody. That they looked, and what they found, is recorded and durable
    /// before this returns anything; the number or name they looked for is not.
    ///
    /// What is in a case with the person and names nobody, such as feedback, belongs to what is found, unless the case is
    /// also about somebody else.
    pub async fn search(&self, access: Access, person: &Identity) -> Result<Found, StoreError> {
        self.refresh_keys();
        let known = self.known_of(person).await?;
        let messages: Vec<u64> = known.messages.iter().copied().collect();
        let perhaps: Vec<u64> = known.perhaps.difference(&known.messages).copied().collect();
        let now = access.when;
        let mut about =
            About { searched_person: true, subject: self.sealed(Some(person))?, ..About::default() };
        about.tokens.extend(self.0.tokeniser.searched(person));
        let (consents, consents_perhaps) = self.consents_of(&known.ways, &mut about.tokens).await?;
        // Also by what the messages say of the person: who is found by number is found again by name, and who was shown
        // as perhaps somebody by who that is.
        about.tokens.extend(self.persons_of(&messages).await?);
        about.tokens.extend(self.persons_of(&perhaps).await?);
        about.consents = consents.iter().map(|key| key.id).collect();
        about.consents_perhaps = consents_perhaps.iter().map(|key| key.id).collect();
        (about.messages, about.perhaps) = (messages.clone(), perhaps.clone());
        let access = self.record(access, about).await?;
        let shown = self.shown(&messages, now).await?;
        let mut reader = self.0.readers.acquire().await?;
        let mut rows = Vec::with_capacity(perhaps.len());
        for index in perhaps {
            rows.extend(read::message_at(&mut reader, index).await?);
        }
        Ok(Found {
            messages: shown,
            perhaps: rows,
            consents,
            consents_perhaps,
            complete: known.complete,
            access,
        })
    }

    /// Records that somebody decided something, about these messages if it is about any; gives its place in the log.
    pub async fn record_decision(
        &self,
        access: Access,
        decision: Decision,
        indexes: &[u64],
    ) -> Result<u64, StoreError> {
        limited("messages at once", indexes.len(), MAX_CANDIDATES)?;
        let tokens = self.persons_of(indexes).await?;
        let messages = indexes.to_vec();
        let about = About { messages, tokens, decision: Some(decision), ..About::default() };
        self.record(access, about).await
    }

    /// Records that somebody sees what is known of these consents; gives its place in the log. At most
    /// [`MAX_CANDIDATES`].
    pub async fn record_consents_seen(
        &self,
        access: Access,
        consents: &[ConsentKey],
    ) -> Result<u64, StoreError> {
        limited("consents at once", consents.len(), MAX_CANDIDATES)?;
        let mut about = About { consents: consents.iter().map(|key| key.id).collect(), ..About::default() };
        for key in consents {
            let newest = self.consent_records(*key).await?.pop();
            let record = newest.and_then(|one| ConsentRecord::from_stored(&one.text).ok());
            if let Some(person) = record.and_then(|record| Identity::of(record.document())) {
                about.tokens.extend(self.0.tokeniser.searched(&person));
            }
        }
        self.record(access, about).await
    }

    /// Where the log says that there was an access of which the record is gone and was not erased; the first hundred. Looks
    /// through the whole log.
    pub async fn missing_accesses(&self) -> Result<Vec<u64>, StoreError> {
        self.refresh_keys();
        let mut missing = access::missing(&mut *self.0.readers.acquire().await?, MAX_MISSING).await?;
        missing.retain(|index| !self.0.vault.entries.is_destroyed(*index));
        Ok(missing)
    }

    /// Records that somebody decided something about a consent of this person; gives its place in the log.
    pub async fn record_consent_decision(
        &self,
        access: Access,
        consent: Uuid,
        person: Option<&Identity>,
    ) -> Result<u64, StoreError> {
        let tokens = person.map(|person| self.0.tokeniser.searched(person)).unwrap_or_default();
        let tokens = tokens.into_iter().collect();
        let subject = self.sealed(person)?;
        self.record(access, About { consents: vec![consent], tokens, subject, ..About::default() }).await
    }

    /// The consents of which the record is about this person, and those of which it may be; by what their persons are found
    /// goes with `found_by`. Opens them, and shows them to nobody.
    async fn consents_of(
        &self,
        ways: &[Identity],
        found_by: &mut BTreeSet<Token>,
    ) -> Result<(Vec<ConsentKey>, Vec<ConsentKey>), StoreError> {
        let mut reader = self.0.readers.acquire().await?;
        let (mut same, mut perhaps) = (BTreeSet::new(), BTreeSet::new());
        for (position, person) in ways.iter().enumerate() {
            let tokens = self.0.tokeniser.tokens(person);
            for (key, text) in
                read_consents::records_about(&mut reader, &self.0.vault, tokens, MAX_CANDIDATES).await?
            {
                let record = ConsentRecord::from_stored(&text);
                let record = record.map_err(|error| StoreError::Corrupt(error.to_string()))?;
                let Some(other) = Identity::of(record.document()) else { continue };
                match other.compare(person) {
                    // As for messages: only who was described is certain.
                    Match::Same if position == 0 => drop(same.insert(key)),
                    Match::Same | Match::Perhaps => drop(perhaps.insert(key)),
                    Match::Different => continue,
                }
                found_by.extend(self.0.tokeniser.searched(&other));
            }
        }
        perhaps.retain(|key| !same.contains(key));
        Ok((same.into_iter().collect(), perhaps.into_iter().collect()))
    }

    /// Who saw what, the last first. Reading it is recorded as well, and durable before this returns anything.
    pub async fn accesses(&self, access: Access, filter: AccessFilter) -> Result<Accesses, StoreError> {
        self.refresh_keys();
        let tokens = filter.person.iter().flat_map(|person| self.0.tokeniser.searched(person)).collect();
        let subject = self.sealed(filter.person.as_ref())?;
        let searched_person = filter.person.is_some();
        let about = About { tokens, searched_person, subject, ..About::default() };
        let own = self.record(access, about).await?;
        // Not that it is being read now.
        let filter = AccessFilter { before: Some(filter.before.unwrap_or(own).min(own)), ..filter };
        if filter.message.is_some() || filter.person.is_some() {
            return self.accesses_about(&filter).await;
        }
        let of_case = match filter.case {
            Some(case) => self.messages_of_case(case).await?,
            None => BTreeSet::new(),
        };
        self.accesses_among_all(&filter, &of_case).await
    }

    /// Whether the record at this place in the log is there and is what the log says it was. For checking the log;
    /// shows nothing of it.
    pub async fn check_access(&self, index: u64) -> Result<bool, StoreError> {
        self.refresh_keys();
        let mut reader = self.0.readers.acquire().await?;
        match access::at(&mut reader, &self.0.vault, index).await {
            Ok(record) => Ok(record.is_some()),
            Err(StoreError::Corrupt(_)) => Ok(false),
            Err(error) => Err(error),
        }
    }

    /// By number when there is one: that is how records of processings name a person.
    pub(super) fn sealed(&self, person: Option<&Identity>) -> Result<Option<DataSubject>, StoreError> {
        let Some(person) = person else { return Ok(None) };
        Ok(self.data_subjects(person)?.into_iter().next())
    }

    /// What the access at this place in the log was about; nothing when its record cannot be read. Of a decision not the
    /// messages: sending and erasing are in the log themselves. For the records of processings, which say nothing of who it was.
    pub async fn accessed(&self, index: u64) -> Result<Accessed, StoreError> {
        self.refresh_keys();
        let mut reader = self.0.readers.acquire().await?;
        match access::at(&mut reader, &self.0.vault, index).await {
            Ok(None) => Ok(Accessed::default()),
            Ok(Some(record)) => {
                let is_decision = record.what == Deed::Besluit;
                let messages = if is_decision { Vec::new() } else { record.all_messages().collect() };
                let AccessRecord { perhaps, mut consents, consents_perhaps, subject, .. } = record;
                consents.extend(consents_perhaps);
                Ok(Accessed { is_decision, messages, perhaps, consents, subject })
            }
            Err(StoreError::Corrupt(error)) => {
                tracing::error!(entry = index, error, "the record of an access cannot be read");
                Ok(Accessed::default())
            }
            Err(error) => Err(error),
        }
    }

    /// Those that showed the message or a message of the person, or looked for the person.
    async fn accesses_about(&self, filter: &AccessFilter) -> Result<Accesses, StoreError> {
        let mut messages: Vec<u64> = filter.message.into_iter().collect();
        let mut tokens = Vec::new();
        if let Some(person) = &filter.person {
            messages.extend(self.known_of(person).await?.messages);
            tokens = self.0.tokeniser.searched(person);
        }
        let of_case = match filter.case {
            Some(case) => self.messages_of_case(case).await?,
            None => BTreeSet::new(),
        };
        let mut reader = self.0.readers.acquire().await?;
        let places = access::about(&mut reader, &messages, &tokens).await?;
        let mut found = Accesses::default();
        let wanted = filter.limit.min(MAX_ROWS_READ);
        for place in places.range(..filter.before.unwrap_or(u64::MAX)).rev() {
            if found.records.len() == wanted {
                found.more_before = found.records.last().map(|last| last.index);
                break;
            }
            let record = access::at(&mut reader, &self.0.vault, *place).await?;
            found.records.extend(record.filter(|record| passes(record, filter, &of_case)));
        }
        Ok(found)
    }

    async fn accesses_among_all(
        &self,
        filter: &AccessFilter,
        of_case: &BTreeSet<u64>,
    ) -> Result<Accesses, StoreError> {
        let mut found = Accesses::default();
        let mut before = filter.before.unwrap_or(u64::MAX);
        let wanted = filter.limit.min(MAX_ROWS_READ);
        for _ in 0..MAX_OPENED / MAX_ROWS_READ {
            let mut reader = self.0.readers.acquire().await?;
            let page = access::before(&mut reader, &self.0.vault, (before, MAX_ROWS_READ)).await?;
            drop(reader);
            let is_last = page.len() < MAX_ROWS_READ;
            for record in page {
                if found.records.len() == wanted {
                    found.more_before = Some(before);
                    return Ok(found);
                }
                before = record.index;
                found.records.extend(Some(record).filter(|record| passes(record, filter, of_case)));
            }
            if is_last {
                return Ok(found);
            }
        }
        found.more_before = Some(before);
        Ok(found)
    }

    /// The places in the log of the messages of a case, the newest [`MAX_CANDIDATES`].
    pub async fn messages_of_case(&self, case: Uuid) -> Result<BTreeSet<u64>, StoreError> {
        let mut reader = self.0.readers.acquire().await?;
        Ok(subject::find_case(&mut reader, case, MAX_CANDIDATES).await?.into_iter().collect())
    }

    /// Keeps that somebody gets something; gives its place in the log once it is durable.
    pub(super) async fn record(&self, access: Access, about: About) -> Result<u64, StoreError> {
        let recording = Recording::new(access, about, self.salt())?;
        let bytes = recording.plain.len() + recording.leaf.bytes().len();
        Ok(self.0.committer.submit(recording, bytes, Operation::Access).await?.answer)
    }

    /// Behind which a record cannot be guessed.
    pub(super) fn salt(&self) -> [u8; SALT_BYTES] {
        let mut salt = [0; SALT_BYTES];
        self.0.random.fill(&mut salt);
        salt
    }

    /// By what the persons are found that these messages are about, as far as those can be opened. What names nobody is
    /// about the person of its case, if that is one. Opens them, and shows them to nobody.
    async fn persons_of(&self, indexes: &[u64]) -> Result<BTreeSet<Token>, StoreError> {
        self.refresh_keys();
        let mut reader = self.0.readers.acquire().await?;
        let (mut tokens, mut unnamed) = (BTreeSet::new(), Vec::new());
        for index in indexes {
            match self.person_of(&mut reader, *index).await? {
                Some(Some(person)) => tokens.extend(self.0.tokeniser.searched(&person)),
                Some(None) => unnamed.push(*index),
                None => {}
            }
        }
        for case in access::cases(&mut reader, &unnamed).await?.into_iter().take(MAX_CASES) {
            let mut persons = Vec::new();
            for index in subject::find_case(&mut reader, case, MAX_CANDIDATES).await? {
                persons.extend(self.person_of(&mut reader, index).await?.flatten());
            }
            let one = persons.first().is_some_and(|first: &Identity| {
                persons.iter().all(|person| person.compare(first) == Match::Same)
            });
            if one {
                tokens.extend(persons.iter().flat_map(|person| self.0.tokeniser.searched(person)));
            }
        }
        Ok(tokens)
    }

    /// Whom a message is about, if it names somebody; nothing when it cannot be opened.
    async fn person_of(
        &self,
        reader: &mut SqliteConnection,
        index: u64,
    ) -> Result<Option<Option<Identity>>, StoreError> {
        match read::payload(reader, &self.0.vault, index).await {
            Ok(content) => Ok(Some(Identity::of_message(&content))),
            Err(StoreError::Erased | StoreError::NotFound(_) | StoreError::Corrupt(_)) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Messages with their content. Only after it was recorded who gets them. What rests on a consent that ended has none,
    /// also before this node came to erasing it.
    async fn shown(&self, indexes: &[u64], now: Timestamp) -> Result<Vec<Shown>, StoreError> {
        self.refresh_keys();
        let mut reader = self.0.readers.acquire().await?;
        let mut shown = Vec::with_capacity(indexes.len());
        for index in indexes {
            let Some(row) = read::message_at(&mut reader, *index).await? else { continue };
            let content = match read::payload(&mut reader, &self.0.vault, *index).await {
                Ok(content) => Ok(content),
                Err(StoreError::Erased) => Err(Withheld::Erased),
                Err(StoreError::NotFound(_)) => Err(Withheld::NotKept),
                Err(error) => return Err(error),
            };
            shown.push(Shown { row, content });
        }
        // After the reading: a consent that is withdrawn meanwhile counts.
        let keys: BTreeSet<ConsentKey> = shown.iter().filter_map(|one| one.row.consent).collect();
        let known = consent::known(&mut reader, &keys.into_iter().collect::<Vec<_>>()).await?;
        for one in shown.iter_mut().filter(|one| one.content.is_ok()) {
            let consent = one.row.consent.and_then(|key| known.get(&key));
            if let Some(over) = consent.and_then(|known| ended(known, now)) {
                one.content = Err(over);
            }
        }
        Ok(shown)
    }

    async fn known_of(&self, person: &Identity) -> Result<Known, StoreError> {
        let Candidates { same, perhaps, complete, ways } = self.candidates(person).await?;
        let mut known = Known { messages: same.clone(), perhaps, complete, ways };
        let mut reader = self.0.readers.acquire().await?;
        let same: Vec<u64> = same.into_iter().collect();
        let cases = access::cases(&mut reader, &same).await?;
        known.complete &= cases.len() <= MAX_CASES;
        for case in cases.into_iter().take(MAX_CASES) {
            let of_case = subject::find_case(&mut reader, case, MAX_CANDIDATES + 1).await?;
            known.complete &= of_case.len() <= MAX_CANDIDATES;
            let mut of_nobody = Vec::new();
            let mut of_another = false;
            for index in of_case {
                let content = match read::payload(&mut reader, &self.0.vault, index).await {
                    Ok(content) => content,
                    Err(StoreError::Erased | StoreError::NotFound(_)) => continue,
                    Err(StoreError::Corrupt(_)) => {
                        known.complete = false;
                        continue;
                    }
                    Err(error) => return Err(error),
                };
                match Identity::of_message(&content).map(|other| other.compare(person)) {
                    None => of_nobody.push(index),
                    Some(Match::Same) => drop(known.messages.insert(index)),
                    Some(Match::Perhaps | Match::Different) => of_another = true,
                }
            }
            if of_another { &mut known.perhaps } else { &mut known.messages }.extend(of_nobody);
        }
        Ok(known)
    }
}

/// How a consent ended, if it did by then.
fn ended(known: &consent::Known, now: Timestamp) -> Option<Withheld> {
    match known.state {
        // Reported to its holder counts, too.
        _ if known.is_over() => Some(Withheld::ConsentWithdrawn),
        ConsentState::Withdrawn => Some(Withheld::ConsentWithdrawn),
        ConsentState::Expired => Some(Withheld::ConsentExpired),
        ConsentState::InForce => {
            known.valid_until.filter(|until| *until <= now).map(|_| Withheld::ConsentExpired)
        }
    }
}

fn passes(record: &AccessRecord, filter: &AccessFilter, of_case: &BTreeSet<u64>) -> bool {
    let for_case = |case| {
        record.why.case == Some(case) || record.all_messages().any(|message| of_case.contains(&message))
    };
    filter.case.is_none_or(for_case)
        && filter.message.is_none_or(|message| record.all_messages().any(|one| one == message))
        && filter.by.as_deref().is_none_or(|name| record.who.is_called(name))
        && filter.from.is_none_or(|from| record.when >= from)
        && filter.until.is_none_or(|until| record.when < until)
}
