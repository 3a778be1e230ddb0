//! The partners of this node: who they are, where they listen, whether they answer.

use exchange::{
    agreement::{Agreement, Standing},
    descriptor::{Descriptor, DescriptorError},
    oin::Oin,
};
use store::{Count, Direction, PartnerRecord, State, StoreError};
use transport::{Endpoint, Link, LinkError, Request};

use crate::{
    agreements,
    core::{Core, RulesError},
};

/// A partner could not be added or reached.
#[derive(Debug, thiserror::Error)]
pub enum PartnerError {
    /// Its descriptor is not one.
    #[error(transparent)]
    Descriptor(#[from] DescriptorError),
    /// The store did not answer.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// What is stored cannot be read.
    #[error(transparent)]
    Rules(#[from] RulesError),
    /// Its node did not answer.
    #[error("{0}")]
    Link(#[from] LinkError),
    /// Its node answered something else.
    #[error("het knooppunt antwoordde met HTTP {0}; controleer of op dat adres een Schakel-knooppunt draait")]
    Status(u16),
    /// The descriptor is of another organisation than the certificate.
    #[error(
        "de beschrijving is van organisatie {found}, maar verwacht werd {expected}; vraag de partner om de juiste beschrijving"
    )]
    OtherOrganisation {
        /// Who was asked for.
        expected: Oin,
        /// Whose descriptor came.
        found: Oin,
    },
    /// One is not one's own partner.
    #[error(
        "dit is de beschrijving van het eigen knooppunt. Geef die aan uw partners, en voeg hier de beschrijving van een partner toe"
    )]
    Self_,
    /// It is known with other keys.
    #[error(
        "{0} is al partner, met andere sleutels dan in deze beschrijving. Vraag de partner zelf, niet via het adres of de afzender van deze beschrijving, of de sleutels zijn vervangen; zo ja, geef dan --zeker. Voor berichten is daarna een nieuwe versie van het convenant nodig"
    )]
    OtherKeys(String),
    /// Nobody added it.
    #[error("{0} is geen partner; `schakel partner lijst` laat zien wie dat wel zijn")]
    Unknown(Oin),
    /// An agreement that it signed is in force, or will be.
    #[error(
        "{name} is partij in een convenant dat geldt of gaat gelden ({agreement}). Zeg dat eerst op met `schakel convenant opzeggen {start}`, of wacht tot het verlopen is"
    )]
    InForce {
        /// Its name.
        name: String,
        /// The agreement, for people.
        agreement: String,
        /// How its digest begins.
        start: String,
    },
    /// Messages wait for it.
    #[error(
        "er wachten nog berichten voor {name} ({count}). Wacht tot ze bezorgd of verlopen zijn; `schakel berichten --richting uit --stand wacht` laat ze zien"
    )]
    MessagesWait {
        /// Its name.
        name: String,
        /// How many.
        count: u64,
    },
    /// Something would not come to an end.
    #[error(
        "zonder {name} als partner blijft liggen: {what}. Geef --zeker als dat de bedoeling is; wordt {name} later weer toegevoegd, dan gaat het verder"
    )]
    NotSure {
        /// Its name.
        name: String,
        /// What, for people.
        what: String,
    },
}

/// Adds or updates a partner by its signed descriptor. Other keys than those known of it only if `sure`: who can put
/// them here unseen can sign in its name.
pub async fn add(core: &Core, descriptor: &str, sure: bool) -> Result<Descriptor, PartnerError> {
    let read = Descriptor::verify(descriptor)?;
    if read.oin == core.me {
        return Err(PartnerError::Self_);
    }
    if let Some(record) = core.store.partner(read.oin).await?
        && !same_keys(&Descriptor::verify(&record.descriptor)?, &read)
        && !sure
    {
        return Err(PartnerError::OtherKeys(record.name));
    }
    core.store
        .put_partner(PartnerRecord {
            oin: read.oin,
            name: read.naam.clone(),
            kind: read.soort.to_string(),
            descriptor: descriptor.trim().to_owned(),
            added: core.now(),
            seen: core.now(),
        })
        .await?;
    core.reload().await?;
    Ok(read)
}

/// Removes a partner. What was exchanged with it stays. Not while messages wait for it or an agreement that it signed
/// is in force; when something of an agreement would not come to an end, only if `sure`.
pub async fn remove(core: &Core, oin: Oin, sure: bool) -> Result<PartnerRecord, PartnerError> {
    let record = core.store.partner(oin).await?.ok_or(PartnerError::Unknown(oin))?;
    let name = record.name.clone();
    let rules = core.latest_rules().await?;
    let now = core.now();
    let mut theirs: Vec<&Agreement> =
        rules.agreements().map(AsRef::as_ref).filter(|one| one.party(oin).is_some()).collect();
    theirs.sort_by_key(|agreement| agreement.digest());
    let standing = |agreement: &Agreement| agreement.standing(now);
    let in_force = theirs.iter().find(|one| matches!(standing(one), Standing::InForce | Standing::NotYet));
    if let Some(agreement) = in_force {
        let (agreement, start) = (agreements::title(agreement), agreements::start(agreement.digest()));
        return Err(PartnerError::InForce { name, agreement, start });
    }
    let counts = core.store.counts().await?;
    let count = waiting(&counts, oin);
    if count > 0 {
        return Err(PartnerError::MessagesWait { name, count });
    }
    let mut unfinished = Vec::new();
    for agreement in theirs {
        let title = agreements::title(agreement);
        match standing(agreement) {
            Standing::Proposed(_) => unfinished.push(format!("het voorstel {title}")),
            _ if core.owes(oin, agreement.digest()) => {
                unfinished.push(format!("het bericht over het einde van {title}"));
            }
            _ => {}
        }
    }
    if !unfinished.is_empty() && !sure {
        return Err(PartnerError::NotSure { name, what: unfinished.join(", ") });
    }
    core.store.remove_partner(oin).await?;
    core.reload().await?;
    Ok(record)
}

/// How many messages wait for a partner.
pub fn waiting(counts: &[Count], oin: Oin) -> u64 {
    let waiting = counts.iter().filter(|count| {
        (count.partner, count.direction, count.state) == (oin, Direction::Outbound, State::Waiting)
    });
    waiting.map(|count| count.count).sum()
}

/// Whether two descriptors of a node name the same keys.
pub fn same_keys(one: &Descriptor, other: &Descriptor) -> bool {
    one.sleutels == other.sleutels && one.logsleutel == other.logsleutel
}

/// Where a partner listens, if it was added.
pub fn endpoint(core: &Core, partner: Oin) -> Option<Endpoint> {
    core.partners().get(&partner).map(endpoint_of)
}

/// Where the node of this descriptor listens.
pub fn endpoint_of(descriptor: &Descriptor) -> Endpoint {
    Endpoint {
        oin: descriptor.oin,
        tcp: descriptor.adressen.tcp.clone(),
        quic: descriptor.adressen.quic.clone(),
    }
}

/// Asks the node at `endpoint` for its descriptor, over mutual TLS.
pub async fn fetch(link: &Link, endpoint: &Endpoint) -> Result<(String, Descriptor), PartnerError> {
    let response = link.send(endpoint, Request::get("/v1/knooppunt")).await?;
    if response.status != 200 {
        return Err(PartnerError::Status(response.status));
    }
    let text = String::from_utf8(response.body.to_vec()).map_err(|_| DescriptorError::Signature)?;
    let descriptor = Descriptor::verify(&text)?;
    if descriptor.oin == endpoint.oin {
        Ok((text, descriptor))
    } else {
        Err(PartnerError::OtherOrganisation { expected: endpoint.oin, found: descriptor.oin })
    }
}
