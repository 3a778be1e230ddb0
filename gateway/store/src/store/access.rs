//! Content for people and local systems: never before it is recorded that they get it.

use std::collections::BTreeSet;

use exchange::{
    consent::{ConsentKey, ConsentRecord},
    entry::Entry,
    person::{Identity, Match},
};
use jiff::Timestamp;
use uuid::Uuid;

use super::{MAX_CANDIDATES, MAX_ROWS_READ, Store, limited};
use crate::{
    access::{About, Access, AccessFilter, AccessRecord, Accesses, Found, Recorded, Shown, Withheld},
    consents::ConsentState,
    error::StoreError,
    seal::Entropy,
    sqlite::{
        access::{self, Recording},
        committer::Operation,
        consent, read, read_consents, subject,
    },
};

/// Records that one reading of the access log opens, so that a rare name does not keep a reader for long.
const MAX_OPENED: usize = 20_000;

/// Cases of one person that are looked through.
const MAX_CASES: usize = 200;

/// What is known of a person, before anybody sees it.
struct Known {
    messages: BTreeSet<u64>,
    perhaps: BTreeSet<u64>,
    complete: bool,
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
        self.record(access, About { messages: indexes.to_vec(), ..About::default() }).await?;
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
        let now = access.when;
        let (consents, consents_perhaps) = self.consents_of(person).await?;
        let about = About {
            messages: messages.clone(),
            consents: consents.iter().map(|key| key.id).collect(),
            tokens: self.0.tokeniser.searched(person),
        };
        let access = self.record(access, about).await?;
        let shown = self.shown(&messages, now).await?;
        let mut reader = self.0.readers.acquire().await?;
        let mut perhaps = Vec::with_capacity(known.perhaps.len());
        for index in known.perhaps {
            perhaps.extend(read::message_at(&mut reader, index).await?);
        }
        Ok(Found { messages: shown, perhaps, consents, consents_perhaps, complete: known.complete, access })
    }

    /// Records that somebody decided something about these messages; gives its place in the log.
    pub async fn record_decision(&self, access: Access, indexes: &[u64]) -> Result<u64, StoreError> {
        limited("messages at once", indexes.len(), MAX_CANDIDATES)?;
        self.record(access, About { messages: indexes.to_vec(), ..About::default() }).await
    }

    /// Records that somebody decided something about a consent of this person; gives its place in the log.
    pub async fn record_consent_decision(
        &self,
        access: Access,
        consent: Uuid,
        person: Option<&Identity>,
    ) -> Result<u64, StoreError> {
        let tokens = person.map(|person| self.0.tokeniser.searched(person)).unwrap_or_default();
        self.record(access, About { consents: vec![consent], tokens, ..About::default() }).await
    }

    /// The consents of which the record is about this person, and those of which it may be. Opens them, and shows them to
    /// nobody.
    async fn consents_of(&self, person: &Identity) -> Result<(Vec<ConsentKey>, Vec<ConsentKey>), StoreError> {
        let tokens = self.0.tokeniser.tokens(person);
        let mut reader = self.0.readers.acquire().await?;
        let (mut same, mut perhaps) = (BTreeSet::new(), BTreeSet::new());
        for (key, text) in
            read_consents::records_about(&mut reader, &self.0.vault, tokens, MAX_CANDIDATES).await?
        {
            let record = ConsentRecord::from_stored(&text);
            let record = record.map_err(|error| StoreError::Corrupt(error.to_string()))?;
            match Identity::of(record.document()).map(|other| other.compare(person)) {
                Some(Match::Same) => drop(same.insert(key)),
                Some(Match::Perhaps) => drop(perhaps.insert(key)),
                Some(Match::Different) | None => {}
            }
        }
        perhaps.retain(|key| !same.contains(key));
        Ok((same.into_iter().collect(), perhaps.into_iter().collect()))
    }

    /// Who saw what, the last first. Reading it is recorded as well, and durable before this returns anything.
    pub async fn accesses(&self, access: Access, filter: AccessFilter) -> Result<Accesses, StoreError> {
        self.refresh_keys();
        let tokens = filter.person.as_ref().map(|person| self.0.tokeniser.searched(person));
        let own =
            self.record(access, About { tokens: tokens.unwrap_or_default(), ..About::default() }).await?;
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

    /// The messages that the access at this place in the log showed or was a decision about; none when its record cannot be
    /// read. For the records of processings, which say nothing of who it was.
    pub async fn accessed(&self, index: u64) -> Result<Vec<u64>, StoreError> {
        self.refresh_keys();
        let mut reader = self.0.readers.acquire().await?;
        match access::at(&mut reader, &self.0.vault, index).await {
            Ok(record) => Ok(record.map(|record| record.messages).unwrap_or_default()),
            Err(StoreError::Corrupt(error)) => {
                tracing::error!(entry = index, error, "the record of an access cannot be read");
                Ok(Vec::new())
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

    async fn messages_of_case(&self, case: Uuid) -> Result<BTreeSet<u64>, StoreError> {
        let mut reader = self.0.readers.acquire().await?;
        Ok(subject::find_case(&mut reader, case, MAX_CANDIDATES).await?.into_iter().collect())
    }

    /// Keeps that somebody gets something; gives its place in the log once it is durable.
    pub(super) async fn record(&self, access: Access, about: About) -> Result<u64, StoreError> {
        let (mut entropy, mut salt) = (Entropy::new(self.0.random.clone()), [0; 32]);
        entropy.take(&mut salt);
        let when = access.when;
        let record = AccessRecord::new(access, &about);
        let Recorded { plain, digest } = Recorded::new(&record, salt)?;
        let leaf = Entry::Raadpleging { bewijs: digest, tijd: when }.leaf();
        let bytes = plain.len() + leaf.bytes().len();
        let About { messages, tokens, .. } = about;
        let recording = Recording { leaf, plain, digest, messages, tokens };
        Ok(self.0.committer.submit(recording, bytes, Operation::Access).await?.answer)
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
        let candidates = self.candidates(person, self.0.tokeniser.tokens(person)).await?;
        let mut known = Known {
            messages: candidates.same.iter().copied().collect(),
            perhaps: candidates.perhaps.into_iter().collect(),
            complete: candidates.complete,
        };
        let mut reader = self.0.readers.acquire().await?;
        let cases = access::cases(&mut reader, &candidates.same).await?;
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
        record.why.case == Some(case) || record.messages.iter().any(|message| of_case.contains(message))
    };
    filter.case.is_none_or(for_case)
        && filter.message.is_none_or(|message| record.messages.contains(&message))
        && filter.by.as_deref().is_none_or(|name| record.who.is_called(name))
        && filter.from.is_none_or(|from| record.when >= from)
        && filter.until.is_none_or(|until| record.when < until)
}
