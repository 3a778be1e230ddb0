//! The messages by which a consent is extended or withdrawn, and by which a receiver says what it did then.
//!
//! They do not share data; they carry out a right of the resident (AVG art. 7(3), art. 19). So they need no rule in a
//! purpose, and they may go after the agreement has ended: what was received under it is still there.

use schemas::{BasisKind, Category, SchemaName};

use super::{Permission, Question, rules_digest};
use crate::{
    consent::event,
    refusal::{Reason, Refusal},
    rulebook::Rulebook,
};

/// Whether messages of this schema are decided on here.
pub(super) const fn applies(schema: SchemaName) -> bool {
    event::is_about_consent(schema)
}

/// Permits it when both organisations once accepted the agreement, it names the purpose, and the message says no more
/// than that the right is carried out.
pub(super) fn decide(rulebook: &Rulebook, question: &Question<'_>) -> Result<Permission, Refusal> {
    let agreement = rulebook.agreement(question.agreement).ok_or(Reason::AgreementUnknown)?;
    if question.from == question.to
        || !agreement.is_accepted_by(question.from)
        || !agreement.is_accepted_by(question.to)
    {
        return Err(Reason::AgreementNotInForce.into());
    }
    let parties = (question.from, question.to);
    let clause = agreement.clause(parties, question.purpose, question.message_type);
    let clause = clause.ok_or(Reason::PurposeNotAllowed)?;
    let purpose = rulebook.purpose(clause.doel_digest).ok_or(Reason::PurposeNotAllowed)?;
    // That a resident withdrew does not rest on consent, and must not be taken for something that does.
    let basis = question.document.basis();
    if basis.kind != BasisKind::LegalObligation {
        return Err(Refusal::about(Reason::BasisMissing, [basis.kind]));
    }
    if basis.consent.is_some() {
        return Err(Refusal::about(Reason::BasisMissing, [BasisKind::Consent]));
    }
    let of_person: Vec<&Category> =
        question.document.uses().categories.iter().filter(|one| **one != Category::Process).collect();
    if !of_person.is_empty() {
        return Err(Refusal::about(Reason::DataNotAllowed, of_person));
    }
    let rules = rules_digest(agreement, purpose);
    Ok(Permission { rules, retention_days: purpose.content().bewaartermijn_dagen, consent: None })
}
