//! Opening what was kept, and holding it against the log and against what stands beside it in its row. Opening is work for
//! the processor: it is done on as many threads as there are.

use std::{num::NonZero, thread::available_parallelism};

use exchange::{consent::Extract, digest::Digest, message::StoredMessage, oin::Oin};
use tokio::task::JoinSet;

use super::{Store, against::Fault};
use crate::{
    entry_keys::Opening,
    error::StoreError,
    model::Direction,
    sqlite::{
        column::time_to_sql,
        verify_content::{self as rows, KeptMessage, KeptRow},
        verify_handover::Opened,
    },
};

/// Messages that one thread is given at once. One is at most a hundred kilobytes, and usually two.
const PART: usize = 256;

/// The most threads: each has a part in memory.
const MAX_THREADS: usize = 16;

impl Store {
    /// The first of these entries whose content is not what the log and its row say.
    pub(super) async fn opened(
        &self,
        (from, to): (u64, u64),
        steps: Steps,
    ) -> Result<Option<Fault>, StoreError> {
        let threads = available_parallelism().map_or(1, NonZero::get).min(MAX_THREADS);
        let (mut opening, mut found, mut next) = (JoinSet::new(), None, Some(from));
        while let Some(place) = next {
            let part = rows::kept(&mut *self.0.readers.acquire().await?, (place, to), PART).await?;
            next = part.last().filter(|_| part.len() == PART).map(|last| last.index + 1);
            // One more than there are threads: the next part is there when one is done.
            if opening.len() > threads {
                found = first(found, opening.join_next().await)?;
            }
            let store = self.clone();
            opening.spawn_blocking(move || store.first_of_kept(&part, steps));
        }
        while let Some(done) = opening.join_next().await {
            found = first(found, Some(done))?;
        }
        Ok(found)
    }

    fn first_of_kept(&self, part: &[KeptMessage], steps: Steps) -> Result<Option<Fault>, StoreError> {
        let mut opening = Opening::default();
        for kept in part {
            if let Some(what) = self.of_kept((kept, steps), &mut opening)? {
                return Ok(Some(Fault { index: kept.index, what }));
            }
        }
        Ok(None)
    }

    fn of_kept(
        &self,
        (kept, steps): (&KeptMessage, Steps),
        opening: &mut Opening,
    ) -> Result<Option<&'static str>, StoreError> {
        let Some(row) = &kept.row else { return Ok(Some(UNREADABLE)) };
        match self.0.vault.open_payload_along(&kept.payload(row), opening) {
            Ok(jws) if Digest::of(jws.as_bytes()) == row.digest => {
                Ok(self.of_text(row, &jws).or_else(|| steps.of(kept, row, &jws)))
            }
            Ok(_) => Ok(Some(OTHER)),
            // An earlier version erased cases by their key alone.
            Err(StoreError::Erased) if kept.case_erased => Ok(None),
            Err(StoreError::Erased) => Ok(Some(KEY_GONE)),
            Err(StoreError::Corrupt(_)) => Ok(Some(UNREADABLE)),
            Err(error) => Err(error),
        }
    }

    /// What the row of a message says otherwise than the message.
    fn of_text(&self, row: &KeptRow, jws: &str) -> Option<&'static str> {
        let Some(said) = StoredMessage::read(jws) else { return Some(UNREADABLE) };
        // Not the desk: that is where the message is now, and people pass it on.
        let partner = match row.direction {
            Direction::Outbound => Some(said.to),
            Direction::Inbound => said.from,
        };
        let same = partner.is_some_and(|partner| partner.as_str() == row.partner)
            && row.id == Some(said.id)
            && row.case == Some(said.case)
            && row.message_type.as_deref() == Some(said.message_type.as_str())
            && row.purpose.as_deref() == Some(said.purpose.as_str())
            && row.agreement.as_deref() == Some(said.agreement.to_string().as_str())
            && row.created == time_to_sql(said.created)
            && row.expires == Some(time_to_sql(said.expires))
            && usize::try_from(row.bytes) == Ok(jws.len());
        if !same {
            return Some(DESCRIBED);
        }
        let rests_on =
            row.consent.map(|_| said.extract.as_deref().and_then(Extract::claims).map(|(key, _)| key));
        if rests_on.is_some_and(|key| key != row.consent) {
            return Some(CONSENT);
        }
        (self.0.tokeniser.of_message(&said.subject) != row.tokens).then_some(UNFINDABLE)
    }
}

/// Whose steps the messages of handovers have, and from which entry on every one has.
#[derive(Clone, Copy)]
pub(super) struct Steps {
    pub(super) me: Oin,
    pub(super) since: u64,
}

impl Steps {
    fn of(self, kept: &KeptMessage, row: &KeptRow, jws: &str) -> Option<&'static str> {
        let (index, direction, partner) = (kept.index, row.direction, Some(row.partner.as_str()));
        let opened = Opened { index, jws, direction, partner, step: kept.step.as_deref() };
        (!opened.has_its_step(self.me, self.since)).then_some(STEP)
    }
}

type Done = Result<Result<Option<Fault>, StoreError>, tokio::task::JoinError>;

/// The first of both: parts are done in any order.
fn first(found: Option<Fault>, done: Option<Done>) -> Result<Option<Fault>, StoreError> {
    let Some(done) = done else { return Ok(found) };
    let fault = done.map_err(|_| StoreError::Closed)??;
    Ok(found.into_iter().chain(fault).min_by_key(|fault| fault.index))
}

const STEP: &str = "wat het bericht bij deze regel in een overdracht doet, is anders opgeslagen of ontbreekt";

const OTHER: &str = "de inhoud van het bericht bij deze regel is een ander bericht dan in het logboek staat";

const UNREADABLE: &str = "de inhoud van het bericht bij deze regel is niet te openen";

const KEY_GONE: &str = "de sleutel van het bericht bij deze regel is vernietigd, en het logboek zegt niet dat het is gewist. Is er een oudere kopie van de database teruggezet?";

const DESCRIBED: &str = "wat bij het bericht van deze regel is opgeslagen (soort, doel, dossier, tijden) is iets anders dan in het bericht zelf staat";

const CONSENT: &str = "het bericht bij deze regel rust op een andere toestemming dan is opgeslagen";

const UNFINDABLE: &str = "het bericht bij deze regel is niet te vinden bij de persoon waar het over gaat";
