//! May this message go from this organisation to that one, now? A pure function, the same at both ends.

mod consent;
mod rights;

use jiff::Timestamp;
use schemas::{BasisKind, Category, Document, LifeDomain};

use crate::{
    agreement::{Agreement, Party, Standing},
    consent::{ConsentUse, Extract},
    digest::Digest,
    oin::Oin,
    purpose::{AllowedBasis, Purpose, Rule},
    refusal::{Reason, Refusal},
    rulebook::Rulebook,
};

/// A message as the rules see it.
#[derive(Debug, Clone, Copy)]
pub struct Question<'a> {
    /// Who sends.
    pub from: Oin,
    /// Who receives.
    pub to: Oin,
    /// The agreement it is sent under.
    pub agreement: Digest,
    /// The purpose.
    pub purpose: &'a str,
    /// The CloudEvents type.
    pub message_type: &'a str,
    /// The data.
    pub document: &'a Document,
    /// The extract of a consent that the message carries, signed by its holder.
    pub extract: Option<&'a Extract>,
    /// What this node knows of that consent.
    pub consent: ConsentKnowledge,
    /// The moment of the decision.
    pub now: Timestamp,
}

/// What a node knows of a consent beyond what the message itself says.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum ConsentKnowledge {
    /// Nothing that contradicts the message.
    #[default]
    NothingElse,
    /// By the newest extract seen here it holds until then.
    ValidUntil(Timestamp),
    /// It was withdrawn.
    Withdrawn,
}

/// A permission: the rules that were decided by. Only [`decide`] makes one.
///
/// ```compile_fail,E0451
/// use exchange::{digest::Digest, policy::Permission};
///
/// fn forged(rules: Digest) -> Permission {
///     Permission { rules, retention_days: 1, consent: None }
/// }
/// ```
#[derive(Debug, Clone)]
pub struct Permission {
    rules: Digest,
    retention_days: u32,
    consent: Option<ConsentUse>,
}

impl Permission {
    /// The digest of the agreement and the purpose decided by, as the log records it: SHA-256 of both digests, each
    /// followed by a line feed.
    pub const fn rules(&self) -> Digest {
        self.rules
    }

    /// How long the receiver may keep the message, in days.
    pub const fn retention_days(&self) -> u32 {
        self.retention_days
    }

    /// The consent it rests on, if it does.
    pub const fn consent(&self) -> Option<&ConsentUse> {
        self.consent.as_ref()
    }
}

/// Decides. The first rule that is not met gives the reason, in the order agreement, purpose, basis, consent, data.
pub fn decide(rulebook: &Rulebook, question: &Question<'_>) -> Result<Permission, Refusal> {
    let agreement = rulebook.agreement(question.agreement).ok_or(Reason::AgreementUnknown)?;
    if rights::applies(question.document.schema()) {
        return rights::decide(rulebook, agreement, question);
    }
    if agreement.standing(question.now) != Standing::InForce {
        return Err(Reason::AgreementNotInForce.into());
    }
    let (from, to) = parties(agreement, question)?;
    let mut clauses = agreement.content().afspraken.iter();
    let clause = clauses
        .find(|clause| clause.covers(question.from, question.to, question.purpose, question.message_type))
        .ok_or(Reason::PurposeNotAllowed)?;
    // The digest names the text, and the text must bear the name: a consent, and a person, go by the name.
    let purpose =
        rulebook.purpose(clause.doel_digest).filter(|purpose| purpose.content().doel == clause.doel);
    let purpose = purpose.ok_or(Reason::PurposeNotAllowed)?;
    let rule = purpose.rule(question.message_type).ok_or(Reason::PurposeNotAllowed)?;
    if !rule.van.contains(&from.soort) || !rule.naar.contains(&to.soort) {
        return Err(Refusal::about(Reason::PurposeNotAllowed, [from.soort, to.soort]));
    }
    basis(rule, from, question)?;
    let consent = consent::consent(agreement, question)?;
    data(rule, from, to, question.document)?;
    let rules = rules_digest(agreement, purpose);
    Ok(Permission { rules, retention_days: purpose.content().bewaartermijn_dagen, consent })
}

fn rules_digest(agreement: &Agreement, purpose: &Purpose) -> Digest {
    Digest::of(format!("{}\n{}\n", agreement.digest(), purpose.digest()).as_bytes())
}

fn parties<'a>(agreement: &'a Agreement, question: &Question<'_>) -> Result<(&'a Party, &'a Party), Reason> {
    let from = agreement.party(question.from).ok_or(Reason::PurposeNotAllowed)?;
    let to = agreement.party(question.to).ok_or(Reason::PurposeNotAllowed)?;
    Ok((from, to))
}

/// The purpose accepts the basis, the sender may use it, and its conditions are met.
fn basis(rule: &Rule, from: &Party, question: &Question<'_>) -> Result<(), Refusal> {
    let stated = question.document.basis();
    let allowed: Vec<&AllowedBasis> =
        rule.grondslagen.iter().filter(|basis| basis.soort == stated.kind).collect();
    if allowed.is_empty() || (stated.kind == BasisKind::LegitimateInterest && from.soort.is_authority()) {
        return Err(Refusal::about(Reason::BasisMissing, [stated.kind]));
    }
    let unmet = |basis: &&AllowedBasis| -> Vec<String> {
        basis.voorwaarden.iter().filter(|name| stated.conditions.get(*name) != Some(&true)).cloned().collect()
    };
    // One way to rest on this basis is enough; when none is met, the one that lacks least tells what to do.
    let fewest = allowed.iter().map(unmet).min_by_key(Vec::len).unwrap_or_default();
    if fewest.is_empty() { Ok(()) } else { Err(Refusal::about(Reason::ConditionNotMet, fewest)) }
}

/// Nothing more than the purpose allows.
fn data(rule: &Rule, from: &Party, to: &Party, document: &Document) -> Result<(), Refusal> {
    let held = document.uses();
    let bsn_allowed = rule.bsn && from.soort.may_process_bsn() && to.soort.may_process_bsn();
    let special = |category: &Category| rule.bijzondere_gegevens.iter().any(|one| one.categorie == *category);
    let category_allowed = |category: &Category| match category {
        Category::Process => true,
        Category::CitizenNumber => bsn_allowed,
        other if other.is_special() => special(other),
        other => rule.gegevens.contains(other),
    };
    let categories = held.categories.iter().filter(|one| !category_allowed(one)).map(Category::to_string);
    let domains = held.life_domains.iter().filter(|one| !rule.leefgebieden.contains(one));
    let too_much: Vec<String> = categories.chain(domains.map(LifeDomain::to_string)).collect();
    if too_much.is_empty() { Ok(()) } else { Err(Refusal::about(Reason::DataNotAllowed, too_much)) }
}

#[cfg(test)]
mod tests;
