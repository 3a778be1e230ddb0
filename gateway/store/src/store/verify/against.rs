//! Holding a page of the log against what is stored with its entries: messages with their state, content, receipt and
//! erasure, accesses, consents, agreements with their answers, alarms.

use std::{
    collections::{BTreeSet, HashMap, HashSet},
    iter::Peekable,
};

use exchange::{
    agreement::{Agreement, AnswerKind},
    consent::ConsentKey,
    digest::Digest,
    entry::{About, ConsentHappening, Entry, Outcome},
    oin::Oin,
    purpose::Purpose,
};

use super::{Store, Verdict, broken};
use crate::{
    access::AccessRecord,
    error::StoreError,
    model::{Direction, State},
    sqlite::{
        verify::{LoggedEntry, LoggedMessage, MessageAsStored},
        verify_records::{self as records, Sealed, SealedRow},
    },
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
    agreements: HashMap<Digest, Checked>,
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
    withdrawals: Vec<(u64, ConsentKey, Option<Digest>)>,
    answers: Vec<(u64, Digest, Digest)>,
    alarms: Vec<(u64, Digest)>,
}

impl<'a> Against<'a> {
    pub(super) async fn new(store: &'a Store) -> Result<Self, StoreError> {
        let me = records::owner(&mut *store.0.readers.acquire().await?).await?;
        let (unproven, agreements) = (BTreeSet::new(), HashMap::new());
        Ok(Self { store, me, read: 0, unproven, agreements, accepted: None })
    }

    /// Takes the next entries; says what the first is whose store differs.
    pub(super) async fn page(&mut self, entries: &[LoggedEntry]) -> Result<Option<Fault>, StoreError> {
        let (Some(first), Some(last)) = (entries.first(), entries.last()) else { return Ok(None) };
        let (asked, fault) = self.ask(entries);
        let between = (first.index, fault.as_ref().map_or(last.index + 1, |fault| fault.index));
        self.read = last.index + 1;
        let found = [
            fault,
            self.erased(&asked.erased).await?,
            self.accesses(&asked.accesses, between).await?,
            self.consents(&asked.consents, between).await?,
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
            if let Some(what) = of_message(&about, &entry.message) {
                return (asked, Some(Fault { index, what }));
            }
            if let LoggedMessage::Is(MessageAsStored { erased: Some(at), .. }) = entry.message {
                asked.erased.push((index, at));
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
            // What others recorded is with them.
            Entry::Toestemming { bewijs, gebeurtenis, houder, toestemming, .. } if houder == self.me => {
                let key = ConsentKey { holder: houder, id: toestemming };
                match gebeurtenis {
                    ConsentHappening::Verleend | ConsentHappening::Verlengd => {
                        asked.consents.push((index, key, bewijs));
                    }
                    ConsentHappening::Ingetrokken => asked.withdrawals.push((index, key, bewijs)),
                    ConsentHappening::Verlopen | ConsentHappening::Verwerkt => {}
                }
            }
            _ => {}
        }
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
                Ok(record) => opened.push(record),
                Err(found) => {
                    if let Some(fault) = self.judge(row, found, &ACCESS) {
                        return Ok((opened, Some(fault)));
                    }
                }
            }
        }
        Ok((opened, None))
    }

    async fn consents(
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
                let found = row.is_consent(&self.store.0.vault, *key, *extract)?;
                if let Some(fault) = self.judge(row, found, &CONSENT) {
                    return Ok(Some(fault));
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
            Sealed::Same => return None,
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
        asked: &[(u64, ConsentKey, Option<Digest>)],
    ) -> Result<Option<Fault>, StoreError> {
        let mut reader = self.store.0.readers.acquire().await?;
        for (index, key, proof) in asked {
            let found = records::withdrawal(&mut reader, *key).await?;
            if found.is_none_or(|(digest, withdrawn)| Some(digest) != *proof || !withdrawn) {
                let what = "de intrekking van de toestemming bij deze regel ontbreekt of is een andere";
                return Ok(Some(Fault { index: *index, what }));
            }
        }
        Ok(None)
    }

    async fn answers(&mut self, asked: &[(u64, Digest, Digest)]) -> Result<Option<Fault>, StoreError> {
        for (index, agreement, answer) in asked {
            if !self.agreements.contains_key(agreement) {
                let checked = self.agreement(*agreement).await?;
                if self.agreements.len() >= MAX_AGREEMENTS {
                    self.agreements.clear();
                }
                self.agreements.insert(*agreement, checked);
            }
            let what = match &self.agreements[agreement] {
                Checked::Whole(answers) if answers.contains(answer) => continue,
                Checked::Whole(_) => "het antwoord op het convenant bij deze regel ontbreekt of is een ander",
                Checked::Differs(what) => *what,
                Checked::Gone => "het convenant bij deze regel ontbreekt",
            };
            // One that was never accepted here is forgotten some time after it expired.
            let gone = matches!(self.agreements[agreement], Checked::Gone);
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
        let agreement = Agreement::parse(&stored.content).ok().filter(|one| one.digest() == digest);
        let Some(agreement) = agreement else {
            return Ok(Checked::Differs("de tekst van het convenant bij deze regel is veranderd"));
        };
        let purposes: Vec<Purpose> =
            stored.purposes.iter().filter_map(|text| Purpose::from_json(text).ok()).collect();
        let whole = purposes.len() == stored.purposes.len()
            && agreement.content().afspraken.iter().all(|clause| {
                purposes
                    .iter()
                    .any(|one| one.digest() == clause.doel_digest && one.content().doel == clause.doel)
            });
        let what = "de tekst van een doel in het convenant bij deze regel is veranderd of ontbreekt";
        Ok(if whole { Checked::Whole(stored.answers.into_iter().collect()) } else { Checked::Differs(what) })
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

    /// The verdict, unless a record before it is gone and nothing says that it was erased.
    pub(super) async fn or_unproven(mut self, verdict: Verdict) -> Result<Verdict, StoreError> {
        self.prove_rest().await?;
        let first = self.unproven.first().filter(|index| **index < verdict.first());
        let what = "wat bij deze regel hoort is weg met zijn sleutel, maar het logboek zegt nergens dat het is gewist";
        Ok(first.map_or(verdict, |index| broken(*index, what)))
    }
}

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

/// What is wrong with the message that is stored with an entry, if anything.
fn of_message(about: &About<'_>, stored: &LoggedMessage) -> Option<&'static str> {
    let (way, digest, partner) = match about {
        About::Sent { message, to } => (Direction::Outbound, *message, *to),
        About::Received { message, from, .. } => (Direction::Inbound, *message, *from),
        About::Entry(_) | About::Nothing => {
            let stray = "bij deze regel staat een bericht dat er niet hoort";
            return (*stored != LoggedMessage::None).then_some(stray);
        }
    };
    let message = match stored {
        LoggedMessage::None => return Some("het bericht bij deze regel ontbreekt"),
        LoggedMessage::Is(message) if (message.direction, message.digest) == (way, digest) => message,
        _ => return Some("het bericht bij deze regel is een ander dan in het logboek staat"),
    };
    if message.partner != partner {
        return Some("het bericht bij deze regel staat bij een andere organisatie dan in het logboek");
    }
    of_state(about, message).or_else(|| of_content(message))
}

fn of_state(about: &About<'_>, message: &MessageAsStored) -> Option<&'static str> {
    let is_final = matches!(message.state, State::Admitted | State::Refused);
    match about {
        About::Received { outcome, reason, .. } => {
            let expected = match outcome {
                Outcome::Toegelaten => State::Admitted,
                Outcome::Geweigerd => State::Refused,
            };
            let same = message.state == expected && message.reason.as_deref() == *reason;
            (!same).then_some("het bericht bij deze regel heeft een andere stand dan in het logboek staat")
        }
        _ if is_final && !message.receipted => {
            Some("het ontvangstbewijs van het bericht bij deze regel ontbreekt")
        }
        _ if !is_final && message.receipted => {
            Some("het bericht bij deze regel heeft een andere stand dan zijn ontvangstbewijs zegt")
        }
        _ => None,
    }
}

fn of_content(message: &MessageAsStored) -> Option<&'static str> {
    // What was refused here is not kept.
    let refused = (message.direction, message.state) == (Direction::Inbound, State::Refused);
    match (message.kept, message.erased) {
        (false, None) if !refused => {
            Some("de inhoud van het bericht bij deze regel ontbreekt, en is niet gewist")
        }
        (true, Some(_)) => Some("het bericht bij deze regel heet gewist, maar zijn inhoud staat er nog"),
        _ => None,
    }
}
