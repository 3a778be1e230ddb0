//! What data a message may hold: the categories, life domains and identifiers that the purpose allows. What a document
//! holds follows from the annotations of its schema, so no list of fields is kept here.

use std::fmt;

use schemas::{Category, DataUse, Document, LifeDomain};

use crate::{
    organisation::OrganisationKind,
    purpose::{OnExcess, Rule, SpecialData},
    refusal::{Reason, Refusal},
};

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
        let too_much = self.obstacles(document.uses());
        if too_much.is_empty() { Ok(()) } else { Err(Refusal::about(Reason::DataNotAllowed, too_much)) }
    }

    /// The document without every field that may not go, where the purpose says so. Nothing when there is none, or when
    /// what is left is not valid.
    pub fn trim(&self, document: &Document) -> Option<Trimmed> {
        if self.rule.te_veel != OnExcess::Weglaten {
            return None;
        }
        let fields = document.fields().into_iter().filter(|field| !self.obstacles(&field.uses).is_empty());
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
        }
    }
}

#[cfg(test)]
mod tests;
