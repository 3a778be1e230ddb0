//! Signals of several senders about one resident or household: found, suggested, joined, kept apart.

use std::collections::{BTreeSet, HashMap};

use exchange::person::{Clue, Clues, Identity, Resemblance};
use jiff::{SignedDuration, Timestamp};
use sqlx::SqliteConnection;

use super::{MAX_ROWS_READ, Store};
use crate::{
    access::{About, Access},
    error::StoreError,
    matching::{JoinedSignal, MatchUpkeep, Matched, MultipleSignal, Suggestion},
    sqlite::{
        change::Change,
        joining::{self, Decision, MAX_MEMBERS},
        matching::{self, Signal},
        read,
    },
    subject::Token,
};

/// Signals of one piece: what they come to is one transaction.
pub const MAX_MATCHED: usize = 64;
/// Entries of the log that one piece looks through for signals.
const SCANNED_ENTRIES: u64 = 4096;
/// The newest signals with one token that are looked at: hundreds may share a large building.
const MAX_WITH_TOKEN: usize = 500;
/// The likeliest of those of others that are opened for one signal.
const MAX_OPENED: usize = 32;
/// The same of its own sender: what that sent before about the same resident is one group already.
const MAX_OPENED_OF_SENDER: usize = 2;
/// Where more others than this live it is no household but a building.
const MAX_HOUSEHOLD: usize = 6;

/// A signal of this piece with what it is compared by.
struct Read {
    signal: Signal,
    tokens: Vec<Token>,
    identity: Identity,
}

impl Store {
    /// Holds the next signals that were admitted against those received within `period` before them: what is about the same
    /// person joins, what may be is suggested. Does one bounded piece, of at most `most` signals; to be called until there
    /// is no more, and again after a while. Opens messages, and shows them to nobody. Each signal is done once, whoever
    /// calls and however often; what rests on a consent that ended is passed over.
    pub async fn match_signals(
        &self,
        (period, now): (SignedDuration, Timestamp),
        most: usize,
    ) -> Result<MatchUpkeep, StoreError> {
        self.refresh_keys();
        let mut reader = self.0.readers.acquire().await?;
        let (from, size) = matching::progress(&mut reader).await?;
        if from >= size {
            return Ok(MatchUpkeep { log_size: size, ..MatchUpkeep::default() });
        }
        let to = size.min(from + SCANNED_ENTRIES);
        let most = most.clamp(1, MAX_MATCHED);
        let signals = matching::signals(&mut reader, (from, to), now, most).await?;
        let through = match signals.last() {
            Some(last) if signals.len() == most => last.index + 1,
            _ => to,
        };
        let mut earlier: Vec<Read> = Vec::with_capacity(signals.len());
        let mut found = Vec::with_capacity(signals.len());
        for signal in signals {
            let Some(identity) = self.identity(&mut reader, signal.index).await? else { continue };
            let tokens = self.0.tokeniser.near(&identity);
            let one = Read { signal, tokens, identity };
            found.push(self.matched(&mut reader, (&one, &earlier), (period, now)).await?);
            earlier.push(one);
        }
        drop(reader);
        let signals = found.len();
        self.change(Change::Matched { from, through, found, now }).await?;
        Ok(MatchUpkeep { more: through < size, signals, log_size: size })
    }

    /// Who a message is about; nothing when that cannot be read, or is nobody.
    async fn identity(
        &self,
        reader: &mut SqliteConnection,
        index: u64,
    ) -> Result<Option<Identity>, StoreError> {
        match read::payload(reader, &self.0.vault, index).await {
            Ok(message) => Ok(Identity::of_message(&message)),
            Err(StoreError::Erased | StoreError::NotFound(_)) => Ok(None),
            Err(StoreError::Corrupt(_)) => {
                tracing::error!(index, "a signal is damaged, and cannot be held against others");
                Ok(None)
            }
            Err(error) => Err(error),
        }
    }

    /// What a signal has in common with those before it.
    async fn matched(
        &self,
        reader: &mut SqliteConnection,
        (one, earlier): (&Read, &[Read]),
        (period, now): (SignedDuration, Timestamp),
    ) -> Result<Matched, StoreError> {
        let Signal { index, party, received } = one.signal;
        let since = received.checked_sub(period).unwrap_or(Timestamp::MIN);
        let (mut same, mut perhaps) = (Vec::new(), Vec::new());
        let (mut opened, mut of_sender) = (0, 0);
        for (other, of) in likeliest(reader, one, earlier).await? {
            let (count, limit) =
                if of == party { (&mut of_sender, MAX_OPENED_OF_SENDER) } else { (&mut opened, MAX_OPENED) };
            if *count == limit || !matching::counts(reader, other, (since, now)).await? {
                continue;
            }
            *count += 1;
            let known = earlier.iter().find(|read| read.signal.index == other);
            let found = match known {
                Some(read) => one.identity.resemblance(&read.identity),
                None => match self.identity(reader, other).await? {
                    Some(identity) => one.identity.resemblance(&identity),
                    None => continue,
                },
            };
            match found {
                Resemblance::Same => same.push(other),
                Resemblance::Perhaps(clues) if of != party => perhaps.push((other, clues)),
                Resemblance::Perhaps(_) | Resemblance::Different => {}
            }
        }
        let household = Clues::default().with(Clue::Household);
        if perhaps.iter().filter(|(_, clues)| *clues == household).count() > MAX_HOUSEHOLD {
            perhaps.retain(|(_, clues)| *clues != household);
        }
        Ok(Matched { index, party, tokens: one.tokens.clone(), same, perhaps })
    }

    /// Signals of more than one sender that belong together, those made last first, before this number.
    pub async fn multiple_signals(
        &self,
        before: Option<u64>,
        now: Timestamp,
        limit: usize,
    ) -> Result<Vec<MultipleSignal>, StoreError> {
        let mut reader = self.0.readers.acquire().await?;
        let limit = limit.min(MAX_ROWS_READ);
        let mut found = Vec::new();
        for number in matching::multiples(&mut reader, before, now, limit).await? {
            found.extend(multiple(&mut reader, number, now).await?);
        }
        Ok(found)
    }

    /// The one with this number, if it has signals that may be shown.
    pub async fn multiple_signal(
        &self,
        number: u64,
        now: Timestamp,
    ) -> Result<Option<MultipleSignal>, StoreError> {
        multiple(&mut *self.0.readers.acquire().await?, number, now).await
    }

    /// Those that have any of these messages in them, if they have more than that and it may be shown.
    pub async fn multiple_signals_with(
        &self,
        messages: &[u64],
        now: Timestamp,
    ) -> Result<Vec<MultipleSignal>, StoreError> {
        let mut reader = self.0.readers.acquire().await?;
        let mut found = Vec::new();
        for number in joining::groups_with(&mut reader, messages).await? {
            found.extend(multiple(&mut reader, number, now).await?.filter(|one| one.signals.len() > 1));
        }
        Ok(found)
    }

    /// What a person must decide, the newest first, before this pair (the older and the newer).
    pub async fn suggestions(
        &self,
        before: Option<(u64, u64)>,
        now: Timestamp,
        limit: usize,
    ) -> Result<Vec<Suggestion>, StoreError> {
        let mut reader = self.0.readers.acquire().await?;
        let limit = limit.min(MAX_ROWS_READ);
        let mut found = Vec::new();
        for (one, other, clues, made) in matching::suggestions(&mut reader, (before, now), limit).await? {
            let one = read::message_at(&mut reader, one).await?;
            let other = read::message_at(&mut reader, other).await?;
            let both = one.zip(other);
            found.extend(both.map(|(one, other)| Suggestion { one, other, clues, made }));
        }
        Ok(found)
    }

    /// Joins two signals, and those they belong with, because somebody says so. That they did is durable before.
    pub async fn join_signals(&self, access: Access, one: u64, other: u64) -> Result<(), StoreError> {
        let decision = self.decided(access, &[one, other]).await?;
        self.change(Change::JoinSignals { one, other, decision }).await?;
        Ok(())
    }

    /// Keeps two signals, and those they belong with, apart because somebody says so: they are not suggested again, and
    /// never join by themselves.
    pub async fn keep_signals_apart(&self, access: Access, one: u64, other: u64) -> Result<(), StoreError> {
        let decision = self.decided(access, &[one, other]).await?;
        self.change(Change::KeepSignalsApart { one, other, decision }).await?;
        Ok(())
    }

    /// Takes signals out of the group they are in, because somebody says so. They stay together, and what they were in does
    /// not get them back by itself.
    pub async fn split_signals(&self, access: Access, taken: BTreeSet<u64>) -> Result<(), StoreError> {
        super::limited("signals to take out", taken.len(), MAX_MEMBERS)?;
        let indexes: Vec<u64> = taken.iter().copied().collect();
        let decision = self.decided(access, &indexes).await?;
        self.change(Change::SplitSignals { taken, decision }).await?;
        Ok(())
    }

    /// Records that somebody decides something about these signals and those they belong with.
    async fn decided(&self, access: Access, indexes: &[u64]) -> Result<Decision, StoreError> {
        let mut reader = self.0.readers.acquire().await?;
        let mut messages = BTreeSet::new();
        for index in indexes {
            // However long ago.
            if !matching::counts(&mut reader, *index, (Timestamp::MIN, access.when)).await? {
                return Err(StoreError::NotFound("signal with this index"));
            }
            messages.extend(joining::members(&mut reader, *index).await?);
        }
        drop(reader);
        let now = access.when;
        let messages = messages.into_iter().collect();
        let access = self.record(access, About { messages, ..About::default() }).await?;
        Ok(Decision { access, now })
    }
}

/// The signals that have a token in common with this one, and whose they are; those that share most first, then the newest.
async fn likeliest(
    reader: &mut SqliteConnection,
    one: &Read,
    earlier: &[Read],
) -> Result<Vec<(u64, i64)>, StoreError> {
    let mut shared: HashMap<(u64, i64), usize> = HashMap::new();
    for token in &one.tokens {
        for found in matching::having(reader, *token, MAX_WITH_TOKEN).await? {
            *shared.entry(found).or_default() += 1;
        }
        for read in earlier.iter().filter(|read| read.tokens.contains(token)) {
            *shared.entry((read.signal.index, read.signal.party)).or_default() += 1;
        }
    }
    let mut found: Vec<_> = shared.into_iter().collect();
    found.sort_unstable_by_key(|((index, _), count)| std::cmp::Reverse((*count, *index)));
    Ok(found.into_iter().map(|(found, _)| found).collect())
}

async fn multiple(
    reader: &mut SqliteConnection,
    number: u64,
    now: Timestamp,
) -> Result<Option<MultipleSignal>, StoreError> {
    let Some((made, joined)) = matching::multiple(reader, number, now).await? else { return Ok(None) };
    let mut signals = Vec::with_capacity(joined.len());
    for one in joined {
        let row = read::message_at(reader, one.index).await?;
        signals.extend(row.map(|row| JoinedSignal { row, joined: one.joined, access: one.access }));
    }
    Ok(Some(MultipleSignal { number, made, signals }))
}
