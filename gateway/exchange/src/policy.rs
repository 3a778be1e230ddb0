//! May this message go from this organisation to that one, now? A pure function, the same at both ends.

mod consent;
mod data;
mod rights;

use jiff::Timestamp;
use schemas::{BasisKind, Category, Document};

use crate::{
    agreement::{Agreement, Party, Standing},
    consent::{CaseResident, ConsentUse, Extract},
    digest::Digest,
    handover::{Case, Offer, Step, Taken},
    oin::Oin,
    organisation::OrganisationKind,
    purpose::{AllowedBasis, Purpose, Rule, SpecialData},
    refusal::{Reason, Refusal},
    rulebook::Rulebook,
    urgency::Urgency,
};

pub(crate) use consent::{OfCase, Resting, covers};
pub(crate) use data::Trimmed;
pub use data::{Allowance, Obstacle};

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
    /// Whom the case of the message is about, if that is known: asked when it rests on a consent and names nobody.
    pub resident: Option<&'a CaseResident>,
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

/// What a node knows beyond the message that it decides about.
#[derive(Debug, Clone, Copy, Default)]
pub struct Knowledge<'k> {
    /// Of the consent that the message relies on.
    pub consent: ConsentKnowledge,
    /// Of the handovers in the case of the message; none when it is no part of one, or of a case that is not known here.
    pub case: Option<&'k Case>,
    /// Whom the case of the message is about, if that is known.
    pub resident: Option<&'k CaseResident>,
}

impl From<ConsentKnowledge> for Knowledge<'_> {
    fn from(consent: ConsentKnowledge) -> Self {
        Self { consent, ..Self::default() }
    }
}

impl Knowledge<'_> {
    /// Whether this step may be taken in the case, as far as `me` knows it.
    pub(crate) fn take(&self, me: Oin, step: Option<Step>) -> Result<Option<Taken>, Refusal> {
        let Some(step) = step else { return Ok(None) };
        let mut case = self.case.cloned().unwrap_or_else(|| Case::new(me));
        let after = case.steps();
        case.take(&step)?;
        Ok(Some(Taken { step, after, owes: case.owed().is_some(), due: case.first_due() }))
    }

    /// How much haste there is with a step: what is said about an offer has the urgency of that offer.
    pub(crate) fn urgency(&self, step: &Step) -> Urgency {
        let offer = self.case.and_then(|case| case.offer(step.offer()));
        offer.map_or_else(|| step.urgency(), Offer::urgency)
    }
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

/// Decides. The first rule that is not met gives the reason, in the order agreement, purpose, basis, data, consent:
/// nobody is sent to a resident for a consent to share what the purpose forbids.
pub fn decide(rulebook: &Rulebook, question: &Question<'_>) -> Result<Permission, Refusal> {
    if rights::applies(question.document.schema()) {
        return rights::decide(rulebook, question);
    }
    let Applicable { agreement, purpose, rule, from, to } = applicable(rulebook, question)?;
    basis(rule, from.soort, question.document)?;
    Allowance::new(rule, from.soort, to.soort).check(question.document)?;
    let consent = consent::consent(agreement, question)?;
    let rules = rules_digest(agreement, purpose);
    Ok(Permission { rules, retention_days: purpose.content().bewaartermijn_dagen, consent })
}

/// What the purpose says of messages of this type.
pub(crate) fn rule<'a>(rulebook: &'a Rulebook, question: &Question<'_>) -> Result<&'a Rule, Refusal> {
    applicable(rulebook, question).map(|applicable| applicable.rule)
}

fn rules_digest(agreement: &Agreement, purpose: &Purpose) -> Digest {
    rules_of(agreement.digest(), purpose.digest())
}

/// The digest by which the log names the agreement and the purpose that a message was allowed by, as
/// [`Permission::rules`] has it.
pub fn rules_of(agreement: Digest, purpose: Digest) -> Digest {
    Digest::of(format!("{agreement}\n{purpose}\n").as_bytes())
}

/// Decides at the sender: where the purpose says so, the document is first trimmed of what it may not hold, when the
/// rest is still valid. Gives the permission with what was left out.
pub(crate) fn decide_trimming(
    rulebook: &Rulebook,
    question: &Question<'_>,
) -> Result<(Permission, Option<Trimmed>), Refusal> {
    let refusal = match decide(rulebook, question) {
        Ok(permission) => return Ok((permission, None)),
        Err(refusal) => refusal,
    };
    // Every other reason stands whatever the document holds. The consent is asked of what is left, and need not cover the rest.
    if refusal.reason != Reason::DataNotAllowed {
        return Err(refusal);
    }
    let Applicable { rule, from, to, .. } = applicable(rulebook, question)?;
    let Some(trimmed) = Allowance::new(rule, from.soort, to.soort).trim(question.document) else {
        return Err(refusal);
    };
    let permission = decide(rulebook, &Question { document: &trimmed.document, ..*question })?;
    Ok((permission, Some(trimmed)))
}

/// What decides about a message.
struct Applicable<'a> {
    agreement: &'a Agreement,
    purpose: &'a Purpose,
    rule: &'a Rule,
    from: &'a Party,
    to: &'a Party,
}

/// The agreement in force, the purpose and its rule for this message between these parties.
fn applicable<'a>(rulebook: &'a Rulebook, question: &Question<'_>) -> Result<Applicable<'a>, Refusal> {
    let agreement = rulebook.agreement(question.agreement).ok_or(Reason::AgreementUnknown)?;
    if agreement.standing(question.now) != Standing::InForce {
        return Err(Reason::AgreementNotInForce.into());
    }
    let (from, to) = parties(agreement, question)?;
    let clause = agreement.clause((question.from, question.to), question.purpose, question.message_type);
    let clause = clause.ok_or(Reason::PurposeNotAllowed)?;
    // The digest names the text, and the text must bear the name: a consent, and a person, go by the name.
    let purpose =
        rulebook.purpose(clause.doel_digest).filter(|purpose| purpose.content().doel == clause.doel);
    let purpose = purpose.ok_or(Reason::PurposeNotAllowed)?;
    let rule = purpose.rule(question.message_type).ok_or(Reason::PurposeNotAllowed)?;
    if !rule.van.contains(&from.soort) || !rule.naar.contains(&to.soort) {
        return Err(Refusal::about(Reason::PurposeNotAllowed, [from.soort, to.soort]));
    }
    Ok(Applicable { agreement, purpose, rule, from, to })
}

fn parties<'a>(agreement: &'a Agreement, question: &Question<'_>) -> Result<(&'a Party, &'a Party), Reason> {
    let from = agreement.party(question.from).ok_or(Reason::PurposeNotAllowed)?;
    let to = agreement.party(question.to).ok_or(Reason::PurposeNotAllowed)?;
    Ok((from, to))
}

/// Whether the purpose accepts the basis that the document states, a sender of this kind may use it, and its conditions
/// are met.
pub fn basis(rule: &Rule, from: OrganisationKind, document: &Document) -> Result<(), Refusal> {
    let stated = document.basis();
    let allowed: Vec<&AllowedBasis> =
        rule.grondslagen.iter().filter(|basis| basis.soort == stated.kind).collect();
    if allowed.is_empty() || !may_use(from, stated.kind) {
        return Err(Refusal::about(Reason::BasisMissing, [stated.kind]));
    }
    let unmet = |basis: &&AllowedBasis| -> Vec<String> {
        basis.voorwaarden.iter().filter(|name| stated.conditions.get(*name) != Some(&true)).cloned().collect()
    };
    // One way to rest on this basis is enough; when none is met, the one that lacks least tells what to do.
    let fewest = allowed.iter().map(unmet).min_by_key(Vec::len).unwrap_or_default();
    if fewest.is_empty() { Ok(()) } else { Err(Refusal::about(Reason::ConditionNotMet, fewest)) }
}

/// Whether an organisation of this kind may use this basis: legitimate interest is not for an authority in its tasks
/// (AVG art. 6(1), last sentence).
fn may_use(kind: OrganisationKind, basis: BasisKind) -> bool {
    basis != BasisKind::LegitimateInterest || !kind.is_authority()
}

/// The basis on which an organisation of this kind may keep a message once the consent under it ended: one that the rule
/// for it has, without conditions, since nobody stated those. There is none when the message holds special data that only
/// the consent allowed (AVG art. 9(2)(a)).
pub fn basis_without_consent<'a>(
    rule: &'a Rule,
    keeper: OrganisationKind,
    document: &Document,
) -> Option<&'a AllowedBasis> {
    let special = document.uses().categories.iter().filter(|category| category.is_special());
    let exception =
        |category: &Category| rule.bijzondere_gegevens.iter().find(|one| one.categorie == *category);
    let mut exceptions = special.map(exception);
    if exceptions.any(|exception| exception.is_none_or(SpecialData::is_by_consent)) {
        return None;
    }
    rule.grondslagen.iter().find(|basis| {
        basis.soort != BasisKind::Consent && basis.voorwaarden.is_empty() && may_use(keeper, basis.soort)
    })
}

#[cfg(test)]
mod tests;
