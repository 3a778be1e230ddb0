//! Who takes part in the exchange.

use serde::{Deserialize, Serialize};

/// The kind of an organisation (`soort`). It decides what its law lets it process.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum OrganisationKind {
    /// A municipality.
    #[serde(rename = "gemeente")]
    Municipality,
    /// A housing corporation.
    #[serde(rename = "woningcorporatie")]
    HousingCorporation,
    /// A regional joint body for work and income.
    #[serde(rename = "sociale-dienst")]
    SocialService,
    /// The national employee insurance agency.
    #[serde(rename = "uwv")]
    Uwv,
    /// A supplier of energy, water or health insurance.
    #[serde(rename = "vastelastenpartner")]
    FixedCostsProvider,
    /// A provider of care.
    #[serde(rename = "zorgaanbieder")]
    CareProvider,
    /// A welfare organisation.
    #[serde(rename = "welzijn")]
    Welfare,
    /// A neighbourhood team outside the municipality.
    #[serde(rename = "wijkteam")]
    NeighbourhoodTeam,
}

impl OrganisationKind {
    /// Every kind.
    pub const ALL: [Self; 8] = [
        Self::Municipality,
        Self::HousingCorporation,
        Self::SocialService,
        Self::Uwv,
        Self::FixedCostsProvider,
        Self::CareProvider,
        Self::Welfare,
        Self::NeighbourhoodTeam,
    ];

    /// The name on the wire.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Municipality => "gemeente",
            Self::HousingCorporation => "woningcorporatie",
            Self::SocialService => "sociale-dienst",
            Self::Uwv => "uwv",
            Self::FixedCostsProvider => "vastelastenpartner",
            Self::CareProvider => "zorgaanbieder",
            Self::Welfare => "welzijn",
            Self::NeighbourhoodTeam => "wijkteam",
        }
    }

    /// Whether this kind exercises public authority. It may then not rely on a legitimate interest (AVG art. 6(1),
    /// last sentence).
    pub const fn is_authority(self) -> bool {
        matches!(self, Self::Municipality | Self::SocialService | Self::Uwv)
    }

    /// Whether a law lets this kind process the citizen service number in the social domain (UAVG art. 46; Wabb
    /// art. 10; Wmo 2015 art. 5.2.9; Jeugdwet art. 7.2.1).
    pub const fn may_process_bsn(self) -> bool {
        matches!(self, Self::Municipality | Self::SocialService | Self::Uwv | Self::CareProvider)
    }
}

impl std::fmt::Display for OrganisationKind {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.pad(self.as_str())
    }
}

impl std::str::FromStr for OrganisationKind {
    type Err = UnknownKind;

    fn from_str(text: &str) -> Result<Self, UnknownKind> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == text).ok_or(UnknownKind)
    }
}

/// No such kind of organisation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error(
    "kies een van: gemeente, woningcorporatie, sociale-dienst, uwv, vastelastenpartner, zorgaanbieder, welzijn, wijkteam"
)]
pub struct UnknownKind;

#[cfg(test)]
mod tests;
