//! Consents as somebody sees them, who is on record for it: by a command and by the local API.

use exchange::{
    consent::{ConsentKey, Extract},
    oin::Oin,
};
use serde_json::{Value, json};
use store::{Access, ConsentRow, ConsentState, StoreError};

use super::{
    copies::{self, Reported, Standing},
    register::{self, RegisterError},
    standing, versions,
};
use crate::core::Core;

/// A consent that somebody sees.
pub(crate) struct Seen {
    pub(crate) consent: ConsentRow,
    /// How it is with who got something; in a list only what is left of a withdrawal.
    pub(crate) standings: Vec<Standing>,
    /// How it is with what tells the holder.
    pub(crate) reported: Option<Reported>,
    /// What needs a person.
    pub(crate) attention: Vec<Value>,
    stand: ConsentState,
    /// What there is here of what came or went under it, once it ended.
    pub(crate) here: Option<Here>,
}

/// What this node has of what a consent that ended allowed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Here {
    /// There never was anything.
    Nothing,
    /// It is shown to nobody, and yet to be erased.
    Left,
    /// What rested on the consent alone is erased.
    Erased,
}

impl Here {
    const fn as_str(self) -> &'static str {
        match self {
            Self::Nothing => "niets",
            Self::Left => "nog-te-wissen",
            Self::Erased => "gewist",
        }
    }

    pub(crate) async fn of(core: &Core, consent: &ConsentRow) -> Result<Option<Self>, StoreError> {
        if standing::ended_on(consent, core.now()).is_none() {
            return Ok(None);
        }
        let (store, key) = (&core.store, consent.key);
        Ok(Some(if !store.consent_copies(key, 1).await?.is_empty() {
            Self::Left
        } else if store.first_received_under(key).await?.is_none()
            && store.shared_under(key).await?.is_empty()
        {
            Self::Nothing
        } else {
            Self::Erased
        }))
    }
}

/// A page of the consents of which this node knows, after one of them.
pub(crate) async fn page(
    core: &Core,
    access: &Access,
    (holder, after, limit): (Option<Oin>, Option<ConsentKey>, usize),
) -> Result<Vec<Seen>, StoreError> {
    let page = core.store.consents(holder, after, limit).await?;
    if page.is_empty() {
        return Ok(Vec::new());
    }
    let keys: Vec<ConsentKey> = page.iter().map(|consent| consent.key).collect();
    core.store.record_consents_seen(access.clone(), &keys).await?;
    let mut seen = Vec::with_capacity(page.len());
    for consent in page {
        let standings = left(core, &consent).await?;
        seen.push(Seen::of(core, consent, standings));
    }
    Ok(seen)
}

/// What is left of a withdrawal, for a list. Who got something passed on from here confirms to the holder.
async fn left(core: &Core, consent: &ConsentRow) -> Result<Vec<Standing>, StoreError> {
    if consent.state != ConsentState::Withdrawn {
        return Ok(Vec::new());
    }
    let mut standings = copies::of(core, consent).await?;
    standings.retain(|one| consent.key.holder == core.me || one.attention().is_some());
    Ok(standings)
}

/// One, with the versions of its record.
pub(crate) async fn one(
    core: &Core,
    access: Access,
    consent: ConsentRow,
) -> Result<(Seen, Vec<Value>), RegisterError> {
    let versions = versions::shown(&register::read(core, access, &consent).await?);
    let standings = copies::of(core, &consent).await?;
    let here = Here::of(core, &consent).await?;
    Ok((Seen { here, ..Seen::of(core, consent, standings) }, versions))
}

/// The consents of this number: our own, or that of the holder who is meant, or else all.
pub(crate) async fn numbered(
    core: &Core,
    id: uuid::Uuid,
    holder: Option<Oin>,
) -> Result<Vec<ConsentRow>, StoreError> {
    let mut found = core.store.consents_numbered(id).await?;
    let own = || found.iter().map(|one| one.key.holder).find(|holder| *holder == core.me);
    let wanted = holder.or_else(own);
    found.retain(|one| wanted.is_none_or(|wanted| one.key.holder == wanted));
    Ok(found)
}

impl Seen {
    fn of(core: &Core, consent: ConsentRow, standings: Vec<Standing>) -> Self {
        let reported = Reported::of(core, &consent);
        let attention = copies::attention(&consent, &standings, reported.as_ref());
        let stand = standing::standing(&consent, core.now());
        Self { consent, standings, reported, attention, stand, here: None }
    }

    /// As programs read it in a list.
    pub(crate) fn json(&self) -> Value {
        let consent = &self.consent;
        let terms = consent.extract.as_deref().and_then(Extract::peek);
        json!({
            "toestemming": consent.key.id,
            "houder": consent.key.holder,
            "stand": self.stand.as_str(),
            "verleend_op": terms.as_ref().map(|terms| terms.given),
            "geldig_tot": consent.valid_until,
            "verleend_aan": terms.as_ref().map(|terms| &terms.granted_to),
            "doelen": terms.as_ref().map(|terms| &terms.purposes),
            "gegevens": terms.as_ref().map(|terms| json!({
                "categorieen": terms.data.categories, "leefgebieden": terms.data.life_domains,
            })),
            "ingetrokken_op": standing::withdrawn_on(consent),
            "melding": self.reported.as_ref().map(Reported::json),
            "aandacht": self.attention,
        })
    }

    /// The same of one, with who got something and the versions of its record.
    pub(crate) fn whole(&self, versions: Vec<Value>) -> Value {
        let mut whole = self.json();
        whole["organisaties"] = self.standings.iter().map(Standing::json).collect();
        whole["versies"] = Value::Array(versions);
        whole["hier"] = self.here.map(Here::as_str).into();
        whole
    }
}
