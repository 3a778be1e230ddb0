//! How it is with the copies that others have under a consent, and what of it needs a person.

use std::collections::HashMap;

use exchange::{consent::Extract, oin::Oin};
use jiff::Timestamp;
use serde_json::{Value, json};
use store::{ConsentNotice, ConsentRow, ConsentState, State, StoreError};

use super::{
    reaching,
    standing::{self, Report},
};
use crate::core::Core;

/// How it is with one organisation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Stage {
    /// The consent holds, and it got something.
    Got,
    /// The consent holds, and something is on its way.
    GettingIt,
    /// The consent holds, and nothing that went arrived.
    NotArrived,
    /// It said what it did.
    Confirmed,
    /// It knows that the consent ended.
    Told,
    /// It is being told.
    UnderWay,
    /// What tells it was refused or given up.
    NotReached,
    /// It is told by who passed something on to it.
    ByAnother,
    /// No agreement joins us by which it can be told now.
    Unreachable,
    /// No agreement ever joined us, so that nothing can have reached it.
    NoAgreement,
}

impl Stage {
    /// A short word that stays the same.
    pub(crate) const fn code(self) -> &'static str {
        match self {
            Self::Got => "kreeg-gegevens",
            Self::GettingIt => "gegevens-onderweg",
            Self::NotArrived => "gegevens-niet-aangekomen",
            Self::Confirmed => "bevestigd",
            Self::Told => "geinformeerd",
            Self::UnderWay => "bericht-onderweg",
            Self::NotReached => "niet-bereikt",
            Self::ByAnother => "via-ander",
            Self::Unreachable => "niet-te-bereiken",
            Self::NoAgreement => "geen-convenant",
        }
    }

    /// The same for who reads it.
    pub(crate) const fn words(self) -> &'static str {
        match self {
            Self::Got => "kreeg gegevens",
            Self::GettingIt => "gegevens onderweg",
            Self::NotArrived => "gegevens niet aangekomen",
            Self::Confirmed => "bevestigd",
            Self::Told => "geïnformeerd",
            Self::UnderWay => "bericht onderweg",
            Self::NotReached => "niet bereikt; het knooppunt probeert het elk uur opnieuw",
            Self::ByAnother => "hoort het van een ander",
            Self::Unreachable => {
                "niet te bereiken: geen convenant noemt nog onze sleutel. Geldt er een nieuw, trek dan nog eens in"
            }
            Self::NoAgreement => "kan niets hebben gekregen: er is geen convenant mee",
        }
    }
}

/// An organisation and how it is with its copy.
pub(crate) struct Standing {
    pub(crate) party: Oin,
    pub(crate) stage: Stage,
    /// What became of what went to it from here; nothing when nothing did.
    pub(crate) shared: Option<State>,
    pub(crate) notice: Option<ConsentNotice>,
    pub(crate) is_overdue: bool,
    /// Whom it tells what it did, when that is not us.
    pub(crate) confirms_to: Option<Oin>,
}

/// Who got something under a consent; after its withdrawal everybody whom it names, with what they were told and did.
pub(crate) async fn of(core: &Core, consent: &ConsentRow) -> Result<Vec<Standing>, StoreError> {
    let (ended, is_ours) = (consent.state == ConsentState::Withdrawn, consent.key.holder == core.me);
    let ended_at = consent.withdrawn.or(consent.ended).unwrap_or(Timestamp::MAX);
    let all_shared = core.store.shared_under(consent.key).await?;
    let shared: HashMap<Oin, State> = all_shared.iter().copied().collect();
    let mut notices = core.store.consent_notices(consent.key).await?;
    notices.retain(|notice| ended || notice.confirmed.is_some());
    let mut parties: Vec<Oin> = notices.iter().map(|notice| notice.party).collect();
    parties.extend(all_shared.iter().map(|(party, _)| *party).filter(|party| *party != consent.key.holder));
    if ended && is_ours {
        let terms = consent.extract.as_deref().and_then(Extract::peek);
        parties.extend(terms.iter().flat_map(|terms| reaching::named(core, terms)));
    }
    let mut standings: Vec<Standing> = Vec::new();
    for party in parties {
        if standings.iter().any(|one| one.party == party) {
            continue;
        }
        let notice = notices.iter().find(|notice| notice.party == party).cloned();
        let shared = shared.get(&party).copied();
        let stage = match &notice {
            Some(notice) => told(notice),
            None if !ended => went(shared),
            None if consent.to_do => Stage::UnderWay,
            None if reaching::was_joined(core, &core.rules(), (party, ended_at)) => Stage::Unreachable,
            None => Stage::NoAgreement,
        };
        let is_overdue = notice.as_ref().is_some_and(|one| standing::is_overdue(core, consent, one));
        let confirms_to = Some(consent.key.holder).filter(|_| !is_ours);
        standings.push(Standing { party, stage, shared, notice, is_overdue, confirms_to });
    }
    Ok(standings)
}

const fn told(notice: &ConsentNotice) -> Stage {
    match &notice.message {
        _ if notice.confirmed.is_some() => Stage::Confirmed,
        None => Stage::ByAnother,
        Some(message) => match message.state {
            State::Admitted => Stage::Told,
            State::Waiting => Stage::UnderWay,
            State::Refused | State::Undeliverable => Stage::NotReached,
        },
    }
}

const fn went(shared: Option<State>) -> Stage {
    match shared {
        Some(State::Admitted) => Stage::Got,
        Some(State::Waiting) => Stage::GettingIt,
        _ => Stage::NotArrived,
    }
}

impl Standing {
    /// Whether it did not say yet what it did, or can not.
    pub(crate) const fn is_open(&self) -> bool {
        !matches!(self.stage, Stage::Confirmed | Stage::NoAgreement)
    }

    /// Why a person must do something, if so.
    pub(crate) const fn attention(&self) -> Option<&'static str> {
        match self.stage {
            Stage::NotReached | Stage::Unreachable => Some(self.stage.code()),
            _ if self.is_overdue => Some("te-laat"),
            _ => None,
        }
    }

    pub(crate) fn json(&self) -> Value {
        let notice = self.notice.as_ref();
        let message = notice.and_then(|notice| notice.message.as_ref());
        let informed = message.filter(|message| message.state == State::Admitted);
        json!({
            "oin": self.party,
            "stand": self.stage.code(),
            "uitleg": self.stage.words(),
            "gegevens": self.shared.map(|shared| went(Some(shared)).code()),
            "te_laat": self.is_overdue,
            "geinformeerd_op": informed.and_then(|message| message.finished),
            "via": notice.and_then(|notice| notice.via),
            "bevestigd_op": notice.and_then(|notice| notice.confirmed),
            "uitkomst": notice.and_then(|notice| notice.done),
            "bewaard_op_grond_van": notice.and_then(|notice| notice.kept.as_ref()),
        })
    }
}

/// What tells the holder that the resident withdrew it here.
pub(crate) struct Reported {
    stage: Report,
    pub(crate) is_late: bool,
}

impl Reported {
    pub(crate) fn of(core: &Core, consent: &ConsentRow) -> Option<Self> {
        standing::report(core, consent).map(|(stage, is_late)| Self { stage, is_late })
    }

    const fn code(&self) -> &'static str {
        match self.stage {
            Report::UnderWay => Stage::UnderWay.code(),
            Report::Taken => Stage::Told.code(),
            Report::NotTaken => Stage::NotReached.code(),
        }
    }

    /// The same for who reads it.
    pub(crate) const fn words(&self) -> &'static str {
        match self.stage {
            Report::UnderWay => "het bericht is onderweg",
            Report::Taken => "het bericht is aangenomen, de intrekking van de houder is er nog niet",
            Report::NotTaken => "het bericht is niet aangenomen; het knooppunt probeert het elk uur opnieuw",
        }
    }

    /// Why a person must do something, if so.
    pub(crate) fn attention(&self) -> Option<&'static str> {
        match self.stage {
            Report::NotTaken => Some("melding-niet-bereikt"),
            Report::UnderWay | Report::Taken => self.is_late.then_some("melding-te-laat"),
        }
    }

    pub(crate) fn json(&self) -> Value {
        json!({ "stand": self.code(), "uitleg": self.words(), "te_laat": self.is_late })
    }
}

/// What of a consent needs a person: who, and why.
pub(crate) fn attention(
    consent: &ConsentRow,
    standings: &[Standing],
    reported: Option<&Reported>,
) -> Vec<Value> {
    let parties = standings.iter().filter_map(|one| Some((one.party, one.attention()?)));
    let holder = reported.and_then(|reported| Some((consent.key.holder, reported.attention()?)));
    parties.chain(holder).map(|(oin, why)| json!({ "oin": oin, "waarom": why })).collect()
}

#[cfg(test)]
mod tests;
