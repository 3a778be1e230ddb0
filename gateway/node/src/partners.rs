//! The partners of this node: who they are, where they listen, whether they answer.

use exchange::{
    descriptor::{Descriptor, DescriptorError},
    oin::Oin,
};
use store::{PartnerRecord, StoreError};
use transport::{Endpoint, Link, LinkError, Request};

use crate::core::{Core, RulesError};

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
    #[error("dit is de beschrijving van het eigen knooppunt")]
    Self_,
}

/// Adds or updates a partner by its signed descriptor.
pub async fn add(core: &Core, descriptor: &str) -> Result<Descriptor, PartnerError> {
    let read = Descriptor::verify(descriptor)?;
    if read.oin == core.me {
        return Err(PartnerError::Self_);
    }
    core.store
        .put_partner(PartnerRecord {
            oin: read.oin,
            name: read.naam.clone(),
            kind: read.soort.to_string(),
            descriptor: descriptor.trim().to_owned(),
            added: core.now(),
        })
        .await?;
    core.reload().await?;
    Ok(read)
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
