//! Holding a page of the log against what is stored with its entries: messages with their state, content, receipt and
//! erasure, accesses, consents, agreements with their answers, alarms.

use std::{
    collections::{BTreeSet, HashMap, HashSet},
    iter::Peekable,
};

use exchange::{
    agreement::AnswerKind,
    consent::ConsentKey,
    digest::Digest,
    entry::{About, ConsentHappening, Entry},
    oin::Oin,
};
use jiff::Timestamp;

use super::{
    Store, Verdict,
    agreements::{self, Agreements, Texts},
    broken,
    consents::{Consents, Happened, Resting},
    message,
    receipts::{Receipted, Receipts},
};
use crate::{
    access::AccessRecord,
    error::StoreError,
    model::{Direction, State, days_after},
    sqlite::{
        column::time_to_sql,
        verify::{LoggedEntry, LoggedMessage, MessageAsStored},
        verify_consents::{self as rows, Leads},
        verify_records::{self as records, Sealed, SealedRow},
    },
    subject::Token,
};

/// Records that were erased and of which the entry that says so is still to come. When there are more, the rest of the log
/// is looked through for those.
const MAX_UNPROVEN: usize = 1 << 16;

/// Agreements that are remembered as checked; past this they are checked again.
const MAX_AGREEMENTS: usize = 4096;

/// Something that is stored and not what the log says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Fault {
    /// The entry.
    pub(super) index: u64,
    /// What differs, in Dutch.
    pub(super) what: &'static str,
}

/// What is held against the log, page by page.
pub(super) struct Against<'a> {
    store: &'a Store,
    me: Oin,
    /// Up to where every erasure was read.
    read: u64,
    /// Records that are gone with their key, until the entry that says so is read.
    unproven: BTreeSet<u64>,
    /// What messages rest on.
    agreements: Agreements,
    /// What words stand for that are the agreement or the purpose of a message.
    words: HashMap<i64, Option<String>>,
    receipts: Receipts,
    consents: Consents,
    /// What the records name that were opened.
    leads: Leads,
    answers: HashMap<Digest, Checked>,
    /// The agreements that the log says were accepted here: those are never forgotten. Read when it matters.
    accepted: Option<HashSet<Digest>>,
}

/// What was found of an agreement.
enum Checked {
    /// It is what its digest says, with the answers of these digests.
    Whole(HashSet<Digest>),
    /// It is not, for this reason.
    Differs(&'static str),
    /// It is not there.
    Gone,
}

/// What the entries of a page ask for, beside their messages.
#[derive(Default)]
struct Asked {
    /// Messages, and where it says that they were erased.
    erased: Vec<(u64, u64)>,
    /// Entries about an erasure, with what was erased.
    erasures: Vec<(u64, Vec<u64>)>,
    accesses: Vec<(u64, Digest)>,
    consents: Vec<(u64, ConsentKey, Option<Digest>)>,
    withdrawals: Vec<(u64, ConsentKey, Option<Digest>, Timestamp)>,
    happened: Vec<Happened>,
    resting: Vec<Resting>,
    receipted: Vec<Receipted>,
    allowed: Vec<Allowed>,
    answers: Vec<(u64, Digest, Digest)>,
    alarms: Vec<(u64, Digest)>,
}

/// A message that was allowed by rules.
struct Allowed {
    index: u64,
    rules: Option<Digest>,
    /// The numbers of the words for its agreement and its purpose.
    by: (Option<i64>, Option<i64>),
    /// When, and until when it may be kept, in microseconds.
    at: Option<i64>,
    keep_until: Option<i64>,
}

impl<'a> Against<'a> {
    pub(super) async fn new(store: &'a Store) -> Result<Self, StoreError> {
        let me = records::owner(&mut *store.0.readers.acquire().await?).await?;
        Ok(Self {
            store,
            me,
            read: 0,
            unproven: BTreeSet::new(),
            agreements: Agreements::read(store).await?,
            words: HashMap::new(),
            receipts: Receipts::new(me),
            consents: Consents::new(me),
            leads: Leads::default(),
            answers: HashMap::new(),
            accepted: None,
        })
    }

    /// Takes the next entries; says what the first is whose store differs.
    pub(super) async fn page(&mut self, entries: &[LoggedEntry]) -> Result<Option<Fault>, StoreError> {
        let (Some(first), Some(last)) = (entries.first(), entries.last()) else { return Ok(None) };
        let (asked, fault) = self.ask(entries);
        let between = (first.index, fault.as_ref().map_or(last.index + 1, |fault| fault.index));
        self.read = last.index + 1;
        let found = [
            fault,
            self.allowed(&asked.allowed).await?,
            self.receipts.check((self.store, &self.agreements), &asked.receipted).await?,
            self.consents.check((self.store, &self.agreements), (&asked.resting, &asked.happened)).await?,
            self.erased(&asked.erased).await?,
            self.accesses(&asked.accesses, between).await?,
            self.recorded(&asked.consents, between).await?,
            self.withdrawals(&asked.withdrawals).await?,
            self.answers(&asked.answers).await?,
            self.alarms(&asked.alarms).await?,
            // Last: what is gone stands before the entry that says that it was erased.
            self.erasures(&asked.erasures).await?,
        ];
        let found = found.into_iter().flatten().min_by_key(|fault| fault.index);
        if found.is_some() {
            // Not everything that this page says of erasures was read.
            self.read = first.index;
        }
        if self.unproven.len() > MAX_UNPROVEN {
            self.prove_rest().await?;
        }
        Ok(found)
    }

    /// What the entries ask for, up to the first whose message is not what it says.
    fn ask(&self, entries: &[LoggedEntry]) -> (Asked, Option<Fault>) {
        let mut asked = Asked::default();
        for entry in entries {
            let index = entry.index;
            let Some(about) = About::leaf(&entry.leaf) else {
                return (asked, Some(Fault { index, what: "deze regel is niet leesbaar" }));
            };
            if let Some(what) = message::of_message(&about, entry) {
                return (asked, Some(Fault { index, what }));
            }
            if let LoggedMessage::Is(message) = &entry.message {
                ask_of_message(index, (message::rules(&about), message), &mut asked);
            }
            if let About::Entry(entry) = about {
                self.ask_of(index, entry, &mut asked);
            }
        }
        (asked, None)
    }

    fn ask_of(&self, index: u64, entry: Entry, asked: &mut Asked) {
        match entry {
            Entry::Wissing { gewist, .. } => asked.erasures.push((index, gewist)),
            Entry::Raadpleging { bewijs, .. } => asked.accesses.push((index, bewijs)),
            Entry::Convenant { bewijs, convenant, .. } => asked.answers.push((index, convenant, bewijs)),
            Entry::Alarm { bewijs, .. } => asked.alarms.push((index, bewijs)),
            Entry::Toestemming { bewijs, gebeurtenis, houder, tijd, toestemming, .. } => {
                let key = ConsentKey { holder: houder, id: toestemming };
                asked.happened.push(Happened { index, key, what: gebeurtenis, at: tijd });
                match gebeurtenis {
                    // What others recorded is with them.
                    _ if houder != self.me => {}
                    ConsentHappening::Verleend | ConsentHappening::Verlengd => {
                        asked.consents.push((index, key, bewijs));
                    }
                    ConsentHappening::Ingetrokken => asked.withdrawals.push((index, key, bewijs, tijd)),
                    ConsentHappening::Verlopen | ConsentHappening::Verwerkt => {}
                }
            }
            _ => {}
        }
    }

    /// What was allowed has the agreement and the purpose of the rules that allowed it, and is kept as long as those say.
    async fn allowed(&mut self, asked: &[Allowed]) -> Result<Option<Fault>, StoreError> {
        for one in asked {
            let index = one.index;
            let (agreement, purpose) = (self.word(one.by.0).await?, self.word(one.by.1).await?);
            let agreement = agreement.and_then(|text| text.parse().ok());
            let by = agreement.zip(purpose).zip(one.rules);
            let days =
                by.and_then(|((agreement, purpose), rules)| self.agreements.days(agreement, &purpose, rules));
            let Some(days) = days else { return Ok(Some(Fault { index, what: OTHER_RULES })) };
            let at = one.at.and_then(|at| Timestamp::from_microsecond(at).ok());
            let until = at.map(|at| time_to_sql(days_after(at, days)));
            if until.is_none() || until != one.keep_until {
                return Ok(Some(Fault { index, what: KEEP_UNTIL }));
            }
        }
        Ok(None)
    }

    /// What a word stands for.
    async fn word(&mut self, number: Option<i64>) -> Result<Option<String>, StoreError> {
        let Some(number) = number else { return Ok(None) };
        if let Some(known) = self.words.get(&number) {
            return Ok(known.clone());
        }
        if self.words.len() >= MAX_AGREEMENTS {
            self.words.clear();
        }
        let word = records::word(&mut *self.store.0.readers.acquire().await?, number).await?;
        self.words.insert(number, word.clone());
        Ok(word)
    }

    /// What the records name that were read, all of it seen.
    pub(super) const fn leads(&self) -> Leads {
        self.leads
    }

    /// What says that it was erased stands among what that entry lists.
    async fn erased(&self, erased: &[(u64, u64)]) -> Result<Option<Fault>, StoreError> {
        let evidence: BTreeSet<u64> = erased.iter().map(|(_, at)| *at).collect();
        let evidence: Vec<u64> = evidence.into_iter().collect();
        let listed = records::erasures(&mut *self.store.0.readers.acquire().await?, &evidence).await?;
        let is_listed = |(index, at): &&(u64, u64)| listed.get(at).is_some_and(|list| list.contains(index));
        let what = "het bericht bij deze regel heet gewist, maar het logboek zegt nergens dat het is gewist";
        Ok(erased.iter().find(|one| !is_listed(one)).map(|(index, _)| Fault { index: *index, what }))
    }

    /// What an entry says was erased says so itself, when it is a message.
    async fn erasures(&mut self, erasures: &[(u64, Vec<u64>)]) -> Result<Option<Fault>, StoreError> {
        let mut reader = self.store.0.readers.acquire().await?;
        for (index, list) in erasures {
            let messages = records::erased(&mut reader, list).await?;
            if messages.values().any(|at| *at != Some(*index)) {
                let what = "volgens deze regel is een bericht gewist dat volgens de opgeslagen berichten niet is gewist";
                return Ok(Some(Fault { index: *index, what }));
            }
            for erased in list {
                self.unproven.remove(erased);
            }
        }
        Ok(None)
    }

    async fn accesses(
        &mut self,
        asked: &[(u64, Digest)],
        between: (u64, u64),
    ) -> Result<Option<Fault>, StoreError> {
        let mut reader = self.store.0.readers.acquire().await?;
        let (mut asked, mut from) = (asked.iter().copied().peekable(), between.0);
        loop {
            let rows = records::accesses(&mut reader, (from, between.1)).await?;
            let (opened, fault) = self.opened(&rows, &mut asked)?;
            if let Some(index) = records::unfindable(&mut reader, &opened).await? {
                return Ok(Some(Fault { index, what: UNFINDABLE }));
            }
            match rows.last() {
                _ if fault.is_some() => return Ok(fault),
                Some(last) => from = last.index + 1,
                None => break,
            }
        }
        let gone = asked.find(|(index, _)| !self.is_erased(*index));
        Ok(gone.map(|(index, _)| Fault { index, what: ACCESS.missing }))
    }

    /// The accesses of these rows, up to the first that is not the one that was asked for.
    fn opened(
        &mut self,
        rows: &[SealedRow],
        asked: &mut Peekable<impl Iterator<Item = (u64, Digest)>>,
    ) -> Result<(Vec<AccessRecord>, Option<Fault>), StoreError> {
        let mut opened = Vec::with_capacity(rows.len());
        for row in rows {
            while let Some((index, _)) = asked.next_if(|(index, _)| *index < row.index) {
                if !self.is_erased(index) {
                    return Ok((opened, Some(Fault { index, what: ACCESS.missing })));
                }
            }
            let Some((_, digest)) = asked.next_if(|(index, _)| *index == row.index) else {
                return Ok((opened, Some(Fault { index: row.index, what: ACCESS.stray })));
            };
            match row.access(&self.store.0.vault, digest)? {
                Ok(record) => {
                    self.leads.add(Leads::to_access(&record));
                    opened.push(record);
                }
                Err(found) => {
                    if let Some(fault) = self.judge(row, found, &ACCESS) {
                        return Ok((opened, Some(fault)));
                    }
                }
            }
        }
        Ok((opened, None))
    }

    async fn recorded(
        &mut self,
        asked: &[(u64, ConsentKey, Option<Digest>)],
        between: (u64, u64),
    ) -> Result<Option<Fault>, StoreError> {
        let mut reader = self.store.0.readers.acquire().await?;
        let (mut asked, mut from) = (asked.iter().peekable(), between.0);
        loop {
            let rows = records::consents(&mut reader, (from, between.1)).await?;
            for row in &rows {
                while let Some((index, ..)) = asked.next_if(|(index, ..)| *index < row.index) {
                    if !self.is_erased(*index) {
                        return Ok(Some(Fault { index: *index, what: CONSENT.missing }));
                    }
                }
                let Some((_, key, extract)) = asked.next_if(|(index, ..)| *index == row.index) else {
                    return Ok(Some(Fault { index: row.index, what: CONSENT.stray }));
                };
                match row.consent(&self.store.0.vault, *key, *extract)? {
                    Ok(record) => {
                        let tokens = self.store.leading_to(&record);
                        self.leads.add(Leads::to_record(&tokens));
                        let tokens: Vec<Token> = tokens.into_iter().collect();
                        if rows::leading_to(&mut reader, row.index, &tokens).await? != tokens.len() {
                            return Ok(Some(Fault { index: row.index, what: UNFINDABLE_CONSENT }));
                        }
                    }
                    Err(found) => {
                        if let Some(fault) = self.judge(row, found, &CONSENT) {
                            return Ok(Some(fault));
                        }
                    }
                }
            }
            match rows.last() {
                Some(last) => from = last.index + 1,
                None => break,
            }
        }
        let gone = asked.find(|(index, ..)| !self.is_erased(*index));
        Ok(gone.map(|(index, ..)| Fault { index: *index, what: CONSENT.missing }))
    }

    fn judge(&mut self, row: &SealedRow, found: Sealed, words: &Words) -> Option<Fault> {
        let what = match found {
            Sealed::KeyGone if self.is_erased(row.index) => return None,
            Sealed::KeyGone | Sealed::Unreadable => words.unreadable,
            Sealed::Other => words.other,
        };
        Some(Fault { index: row.index, what })
    }

    /// Whether the key of a record is gone; then an entry that is still to come must say that it was erased.
    fn is_erased(&mut self, index: u64) -> bool {
        let keys = &self.store.0.vault.entries;
        if !keys.is_destroyed(index) {
            // Another process may have erased it since.
            self.store.refresh_keys();
        }
        let destroyed = keys.is_destroyed(index);
        if destroyed {
            self.unproven.insert(index);
        }
        destroyed
    }

    async fn withdrawals(
        &self,
        asked: &[(u64, ConsentKey, Option<Digest>, Timestamp)],
    ) -> Result<Option<Fault>, StoreError> {
        let mut reader = self.store.0.readers.acquire().await?;
        for (index, key, proof, at) in asked {
            let expected = proof.map(|proof| (proof, true, Some(time_to_sql(*at))));
            if expected.is_none() || records::withdrawal(&mut reader, *key).await? != expected {
                let what = "de intrekking van de toestemming bij deze regel ontbreekt of is een andere";
                return Ok(Some(Fault { index: *index, what }));
            }
        }
        Ok(None)
    }

    async fn answers(&mut self, asked: &[(u64, Digest, Digest)]) -> Result<Option<Fault>, StoreError> {
        for (index, agreement, answer) in asked {
            if !self.answers.contains_key(agreement) {
                let checked = self.agreement(*agreement).await?;
                if self.answers.len() >= MAX_AGREEMENTS {
                    self.answers.clear();
                }
                self.answers.insert(*agreement, checked);
            }
            let what = match &self.answers[agreement] {
                Checked::Whole(answers) if answers.contains(answer) => continue,
                Checked::Whole(_) => "het antwoord op het convenant bij deze regel ontbreekt of is een ander",
                Checked::Differs(what) => *what,
                Checked::Gone => "het convenant bij deze regel ontbreekt",
            };
            // One that was never accepted here is forgotten some time after it expired.
            let gone = matches!(self.answers[agreement], Checked::Gone);
            if gone && !self.was_accepted(*agreement).await? {
                continue;
            }
            return Ok(Some(Fault { index: *index, what }));
        }
        Ok(None)
    }

    async fn agreement(&self, digest: Digest) -> Result<Checked, StoreError> {
        let stored = records::agreement(&mut *self.store.0.readers.acquire().await?, &digest).await?;
        let Some(stored) = stored else { return Ok(Checked::Gone) };
        Ok(match agreements::texts(digest, &stored) {
            Ok(_) => Checked::Whole(stored.answers.into_iter().collect()),
            Err(Texts::Other) => Checked::Differs("de tekst van het convenant bij deze regel is veranderd"),
            Err(Texts::OtherPurpose) => Checked::Differs(
                "de tekst van een doel in het convenant bij deze regel is veranderd of ontbreekt",
            ),
        })
    }

    /// Whether the log says that an agreement was accepted here. Looks through the whole log, once.
    async fn was_accepted(&mut self, agreement: Digest) -> Result<bool, StoreError> {
        if let Some(accepted) = &self.accepted {
            return Ok(accepted.contains(&agreement));
        }
        let (mut accepted, mut from) = (HashSet::new(), Some(0));
        while let Some(place) = from {
            let mut reader = self.store.0.readers.acquire().await?;
            let (entries, next) = records::of_kind(&mut reader, "convenant", place).await?;
            accepted.extend(entries.iter().filter_map(|entry| match entry {
                Entry::Convenant { antwoord: AnswerKind::Accepted, convenant, door, .. }
                    if *door == self.me =>
                {
                    Some(*convenant)
                }
                _ => None,
            }));
            from = next;
        }
        let found = accepted.contains(&agreement);
        self.accepted = Some(accepted);
        Ok(found)
    }

    async fn alarms(&self, asked: &[(u64, Digest)]) -> Result<Option<Fault>, StoreError> {
        let mut reader = self.store.0.readers.acquire().await?;
        for (index, evidence) in asked {
            if records::alarm(&mut reader, *index).await? != Some(*evidence) {
                let what = "het alarm bij deze regel ontbreekt of is een ander";
                return Ok(Some(Fault { index: *index, what }));
            }
        }
        Ok(None)
    }

    /// Looks through the rest of the log for what says that these records were erased.
    async fn prove_rest(&mut self) -> Result<(), StoreError> {
        let mut from = Some(self.read);
        while let Some(place) = from.filter(|_| !self.unproven.is_empty()) {
            let mut reader = self.store.0.readers.acquire().await?;
            let (entries, next) = records::of_kind(&mut reader, "wissing", place).await?;
            for entry in entries {
                if let Entry::Wissing { gewist, .. } = entry {
                    for erased in gewist {
                        self.unproven.remove(&erased);
                    }
                }
            }
            from = next;
        }
        Ok(())
    }

    /// The verdict, unless a record before it is gone and nothing says that it was erased, or a consent ran out and nothing says so.
    pub(super) async fn or_unproven(mut self, verdict: Verdict) -> Result<Verdict, StoreError> {
        self.prove_rest().await?;
        self.hear_rest().await?;
        let what = "wat bij deze regel hoort is weg met zijn sleutel, maar het logboek zegt nergens dat het is gewist";
        let gone = self.unproven.first().map(|index| Fault { index: *index, what });
        let found = gone.into_iter().chain(self.consents.unlogged()).min_by_key(|fault| fault.index);
        let found = found.filter(|fault| fault.index < verdict.first());
        Ok(found.map_or(verdict, |fault| broken(fault.index, fault.what)))
    }

    /// Looks through the rest of the log for what says that consents ran out: also while this checks it.
    async fn hear_rest(&mut self) -> Result<(), StoreError> {
        let mut from = Some(self.read);
        while let Some(place) = from.filter(|_| self.consents.unlogged().is_some()) {
            let mut reader = self.store.0.readers.acquire().await?;
            let (entries, next) = records::of_kind(&mut reader, "toestemming", place).await?;
            for entry in entries {
                if let Entry::Toestemming { gebeurtenis, houder, tijd, toestemming, .. } = entry {
                    let key = ConsentKey { holder: houder, id: toestemming };
                    self.consents.note_happened(key, gebeurtenis, tijd);
                }
            }
            from = next;
        }
        Ok(())
    }
}

/// What the row of a message asks for.
fn ask_of_message(index: u64, (rules, message): (Option<Digest>, &MessageAsStored), asked: &mut Asked) {
    asked.erased.extend(message.erased.map(|at| (index, at)));
    if (message.direction, message.state) != (Direction::Inbound, State::Refused) {
        let by = (message.agreement, message.purpose);
        asked.allowed.push(Allowed { index, rules, by, at: message.at, keep_until: message.keep_until });
    }
    let released = message.released;
    asked.resting.extend(message.consent.map(|consent| Resting { index, consent, released }));
    asked.receipted.extend(message.receipt.map(|receipt| Receipted {
        index,
        message: message.digest,
        to: message.partner.parse().ok(),
        state: message.state,
        reason: message.reason.clone(),
        receipt,
    }));
}

const OTHER_RULES: &str = "het convenant of het doel van het bericht bij deze regel is een ander dan in het logboek staat, of ontbreekt";

const KEEP_UNTIL: &str =
    "het bericht bij deze regel heeft een andere bewaartermijn dan het doel zegt waarvoor het is toegestaan";

const UNFINDABLE_CONSENT: &str =
    "de vastgelegde toestemming bij deze regel is niet te vinden bij de persoon die haar gaf";

/// What to say of a record.
struct Words {
    missing: &'static str,
    stray: &'static str,
    unreadable: &'static str,
    other: &'static str,
}

const UNFINDABLE: &str =
    "de raadpleging bij deze regel is niet meer te vinden bij het bericht of de persoon waar zij over gaat";

const ACCESS: Words = Words {
    missing: "het verslag van de raadpleging bij deze regel ontbreekt",
    stray: "bij deze regel staat een verslag van een raadpleging dat er niet hoort",
    unreadable: "het verslag van de raadpleging bij deze regel is niet te openen",
    other: "het verslag van de raadpleging bij deze regel is een ander dan in het logboek staat",
};

const CONSENT: Words = Words {
    missing: "de vastgelegde toestemming bij deze regel ontbreekt",
    stray: "bij deze regel staat een vastgelegde toestemming die er niet hoort",
    unreadable: "de vastgelegde toestemming bij deze regel is niet te openen",
    other: "de vastgelegde toestemming bij deze regel is een andere dan in het logboek staat",
};
