//! The kinds of data and the life domains that the schemas annotate their fields with.

use std::fmt;

use serde::{Deserialize, Serialize};

/// A kind of data (*categorie van gegevens*); what a purpose allows is a set of these.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Category {
    /// `proces`: about the exchange itself; always allowed.
    #[serde(rename = "proces")]
    Process,
    /// `identificatie`: name, date of birth.
    #[serde(rename = "identificatie")]
    Identification,
    /// `bsn`: the citizen service number, only where a law allows it (UAVG art. 46).
    #[serde(rename = "bsn")]
    CitizenNumber,
    /// `adres`: where the person lives.
    #[serde(rename = "adres")]
    Address,
    /// `contact`: how to reach the person, and whether that worked.
    #[serde(rename = "contact")]
    Contact,
    /// `financieel`: income, debts.
    #[serde(rename = "financieel")]
    Financial,
    /// `huishouden`: who live together.
    #[serde(rename = "huishouden")]
    Household,
    /// `situatie`: how things are in a life domain that is not special.
    #[serde(rename = "situatie")]
    Situation,
    /// `wens`: what the resident wants, in their own words.
    #[serde(rename = "wens")]
    Wish,
    /// `hulpverlening`: help given, planned or refused, and by whom.
    #[serde(rename = "hulpverlening")]
    Support,
    /// `gezondheid`: special (AVG art. 9).
    #[serde(rename = "gezondheid")]
    Health,
    /// `verslaving`: special (AVG art. 9: health).
    #[serde(rename = "verslaving")]
    Addiction,
    /// `justitie`: criminal data (AVG art. 10).
    #[serde(rename = "justitie")]
    Justice,
}

impl Category {
    /// All of them, in the order of the enum.
    pub const ALL: [Category; 13] = [
        Category::Process,
        Category::Identification,
        Category::CitizenNumber,
        Category::Address,
        Category::Contact,
        Category::Financial,
        Category::Household,
        Category::Situation,
        Category::Wish,
        Category::Support,
        Category::Health,
        Category::Addiction,
        Category::Justice,
    ];

    /// The name on the wire.
    pub fn as_str(self) -> &'static str {
        match self {
            Category::Process => "proces",
            Category::Identification => "identificatie",
            Category::CitizenNumber => "bsn",
            Category::Address => "adres",
            Category::Contact => "contact",
            Category::Financial => "financieel",
            Category::Household => "huishouden",
            Category::Situation => "situatie",
            Category::Wish => "wens",
            Category::Support => "hulpverlening",
            Category::Health => "gezondheid",
            Category::Addiction => "verslaving",
            Category::Justice => "justitie",
        }
    }

    /// Whether a purpose must allow this by name, with its exception in the law.
    pub fn is_special(self) -> bool {
        matches!(self, Category::Health | Category::Addiction | Category::Justice)
    }
}

impl fmt::Display for Category {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// A part of a resident's life (*leefgebied*).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum LifeDomain {
    /// `wonen`.
    #[serde(rename = "wonen")]
    Housing,
    /// `financien`.
    #[serde(rename = "financien")]
    Finances,
    /// `werk-en-dagbesteding`.
    #[serde(rename = "werk-en-dagbesteding")]
    WorkAndDay,
    /// `onderwijs`.
    #[serde(rename = "onderwijs")]
    Education,
    /// `sociale-relaties`.
    #[serde(rename = "sociale-relaties")]
    SocialRelations,
    /// `opvoeding`.
    #[serde(rename = "opvoeding")]
    Parenting,
    /// `lichamelijke-gezondheid`.
    #[serde(rename = "lichamelijke-gezondheid")]
    PhysicalHealth,
    /// `psychische-gezondheid`.
    #[serde(rename = "psychische-gezondheid")]
    MentalHealth,
    /// `verslaving`.
    #[serde(rename = "verslaving")]
    Addiction,
    /// `zingeving`.
    #[serde(rename = "zingeving")]
    Meaning,
    /// `veiligheid`.
    #[serde(rename = "veiligheid")]
    Safety,
    /// `justitie`.
    #[serde(rename = "justitie")]
    Justice,
    /// `zelfredzaamheid`.
    #[serde(rename = "zelfredzaamheid")]
    SelfReliance,
}

impl LifeDomain {
    /// All of them, in the order of the enum.
    pub const ALL: [LifeDomain; 13] = [
        LifeDomain::Housing,
        LifeDomain::Finances,
        LifeDomain::WorkAndDay,
        LifeDomain::Education,
        LifeDomain::SocialRelations,
        LifeDomain::Parenting,
        LifeDomain::PhysicalHealth,
        LifeDomain::MentalHealth,
        LifeDomain::Addiction,
        LifeDomain::Meaning,
        LifeDomain::Safety,
        LifeDomain::Justice,
        LifeDomain::SelfReliance,
    ];

    /// The name on the wire.
    pub fn as_str(self) -> &'static str {
        match self {
            LifeDomain::Housing => "wonen",
            LifeDomain::Finances => "financien",
            LifeDomain::WorkAndDay => "werk-en-dagbesteding",
            LifeDomain::Education => "onderwijs",
            LifeDomain::SocialRelations => "sociale-relaties",
            LifeDomain::Parenting => "opvoeding",
            LifeDomain::PhysicalHealth => "lichamelijke-gezondheid",
            LifeDomain::MentalHealth => "psychische-gezondheid",
            LifeDomain::Addiction => "verslaving",
            LifeDomain::Meaning => "zingeving",
            LifeDomain::Safety => "veiligheid",
            LifeDomain::Justice => "justitie",
            LifeDomain::SelfReliance => "zelfredzaamheid",
        }
    }
}

impl fmt::Display for LifeDomain {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

#[cfg(test)]
mod tests;
