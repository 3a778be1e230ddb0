//! What data a message may hold: the categories, life domains and identifiers that the purpose allows. What a document
//! holds follows from the annotations of its schema, so no list of fields is kept here.

use std::fmt;

use schemas::{Category, DataUse, Document, Field, LifeDomain, SchemaName};

use crate::{
    organisation::OrganisationKind,
    purpose::{OnExcess, Rule, SpecialData},
    refusal::{Reason, Refusal},
};

/// The fields of feedback whose values a purpose can name.
const FEEDBACK_FIELDS: [&str; 2] = ["/inhoud/status", "/inhoud/resultaat"];

/// What one rule of a purpose allows between two kinds of organisation.
#[derive(Debug, Clone, Copy)]
pub struct Allowance<'a> {
    rule: &'a Rule,
    from: OrganisationKind,
    to: OrganisationKind,
}

/// Why a field may not go.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Obstacle {
    /// The purpose does not name this category of data.
    Category(Category),
    /// The purpose does not name this special category, with its exception in the law (AVG art. 9 and 10).
    Special(Category),
    /// The purpose does not allow the citizen service number.
    Bsn,
    /// The purpose allows the citizen service number, but no law lets this kind of organisation use it (UAVG art. 46).
    BsnByLaw(OrganisationKind),
    /// The purpose does not name this life domain.
    LifeDomain(LifeDomain),
    /// The purpose does not name this value of feedback: it tells the receiver more than it needs.
    Feedback,
}

/// A document without what may not go. No permission: that the rest may go is for [`super::decide`] to say.
#[derive(Debug)]
pub struct Trimmed {
    /// What is left, valid by itself.
    pub document: Document,
    /// The fields that were left out, as JSON pointers into the `data` that was offered.
    pub left_out: Vec<String>,
}

impl<'a> Allowance<'a> {
    /// What `rule` allows from one kind of organisation to another.
    pub const fn new(rule: &'a Rule, from: OrganisationKind, to: OrganisationKind) -> Self {
        Self { rule, from, to }
    }

    /// What stands in the way of sharing data of this use: of a document as a whole or of one field in it. Empty when
    /// it may go.
    pub fn obstacles(&self, held: &DataUse) -> Vec<Obstacle> {
        let categories = held.categories.iter().filter_map(|one| self.category(*one));
        let domains = held.life_domains.iter().filter(|one| !self.rule.leefgebieden.contains(one));
        categories.chain(domains.map(|one| Obstacle::LifeDomain(*one))).collect()
    }

    /// What stands in the way of sharing this field of a document, by what it is and by what it says.
    pub fn in_the_way(&self, document: &Document, field: &Field) -> Vec<Obstacle> {
        let mut obstacles = self.obstacles(&field.uses);
        if self.untold(document).any(|pointer| pointer == field.pointer) {
            obstacles.push(Obstacle::Feedback);
        }
        obstacles
    }

    /// The fields of feedback with a value that the purpose does not name.
    fn untold(&self, document: &Document) -> impl Iterator<Item = &'static str> {
        let told = self.rule.terugkoppeling.as_ref().filter(|_| document.schema() == SchemaName::Feedback);
        let told = told.map(|told| {
            let is_untold = |pointer: &&str| {
                let value = document.value().pointer(pointer).and_then(serde_json::Value::as_str);
                value.is_some_and(|value| !told.contains(value))
            };
            FEEDBACK_FIELDS.into_iter().filter(is_untold).collect::<Vec<_>>()
        });
        told.unwrap_or_default().into_iter()
    }

    fn category(&self, category: Category) -> Option<Obstacle> {
        match category {
            Category::Process => None,
            Category::CitizenNumber => self.bsn(),
            special if special.is_special() => {
                self.exception(special).is_none().then_some(Obstacle::Special(special))
            }
            plain => (!self.rule.gegevens.contains(&plain)).then_some(Obstacle::Category(plain)),
        }
    }

    fn bsn(&self) -> Option<Obstacle> {
        if !self.rule.bsn {
            return Some(Obstacle::Bsn);
        }
        [self.from, self.to].into_iter().find(|kind| !kind.may_process_bsn()).map(Obstacle::BsnByLaw)
    }

    /// The exception in the law on which the purpose allows a special category.
    pub fn exception(&self, category: Category) -> Option<&'a SpecialData> {
        self.rule.bijzondere_gegevens.iter().find(|one| one.categorie == category)
    }

    /// Nothing more than the purpose allows.
    pub(super) fn check(&self, document: &Document) -> Result<(), Refusal> {
        let mut too_much = self.obstacles(document.uses());
        too_much.extend(self.untold(document).next().map(|_| Obstacle::Feedback));
        if too_much.is_empty() { Ok(()) } else { Err(Refusal::about(Reason::DataNotAllowed, too_much)) }
    }

    /// The document without every field that may not go, where the purpose says so. Nothing when there is none, or when
    /// what is left is not valid.
    pub fn trim(&self, document: &Document) -> Option<Trimmed> {
        if self.rule.te_veel != OnExcess::Weglaten {
            return None;
        }
        let fields = document.fields().into_iter();
        let fields = fields.filter(|field| !self.in_the_way(document, field).is_empty());
        let left_out: Vec<String> = fields.map(|field| field.pointer).collect();
        if left_out.is_empty() {
            return None;
        }
        let document = document.without(left_out.iter().map(String::as_str)).ok()?;
        Some(Trimmed { document, left_out })
    }
}

/// The name of what is not allowed: a category or a life domain.
impl fmt::Display for Obstacle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Category(category) | Self::Special(category) => category.fmt(f),
            Self::Bsn | Self::BsnByLaw(_) => Category::CitizenNumber.fmt(f),
            Self::LifeDomain(domain) => domain.fmt(f),
            Self::Feedback => f.pad("terugkoppeling"),
        }
    }
}

#[cfg(test)]
mod tests;
