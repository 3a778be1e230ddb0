//! Does the consent cover this message, for this resident, to this receiver, now?

use schemas::{BasisKind, Category, Document, LifeDomain};

use super::{ConsentKnowledge, Question};
use crate::{
    agreement::Agreement,
    consent::{ConsentUse, Extract},
    message::MAX_CLOCK_SKEW,
    refusal::{Reason, Refusal},
};

/// The consent that the message relies on; none when it rests on something else.
pub(super) fn consent(agreement: &Agreement, question: &Question<'_>) -> Result<Option<ConsentUse>, Refusal> {
    let stated = question.document.basis();
    if stated.kind != BasisKind::Consent {
        return Ok(None);
    }
    let extract = question.extract.filter(|extract| {
        extract.is_signed_under(agreement)
            && stated.consent.as_ref().is_some_and(|consent| consent.id == extract.key().id)
    });
    let extract = extract.ok_or(Reason::ConsentMissing)?;
    if question.consent == ConsentKnowledge::Withdrawn {
        return Err(Reason::ConsentWithdrawn.into());
    }
    // Who extended it said so with a newer extract; the older one is no less true.
    let until = match question.consent {
        ConsentKnowledge::ValidUntil(known) => known.max(extract.valid_until()),
        _ => extract.valid_until(),
    };
    if until <= question.now {
        return Err(Reason::ConsentExpired.into());
    }
    if !covers(extract, question) {
        return Err(Reason::ConsentMissing.into());
    }
    let not_consented = not_consented(extract, question.document);
    if not_consented.is_empty() {
        Ok(Some(extract.relied_on()))
    } else {
        Err(Refusal::about(Reason::ConsentMissing, not_consented))
    }
}

/// The resident of the message gave it, before now, for this purpose, to this receiver, and the sender may have the data
/// that it sends on.
fn covers(extract: &Extract, question: &Question<'_>) -> bool {
    let may_send = question.from == extract.key().holder || extract.is_granted_to(question.from);
    let early = extract.given().duration_since(question.now) > MAX_CLOCK_SKEW;
    may_send
        && !early
        && extract.is_granted_to(question.to)
        && extract.is_for(question.purpose)
        && extract.is_about(question.document)
}

/// What the document holds of the person that the consent does not name.
fn not_consented(extract: &Extract, document: &Document) -> Vec<String> {
    let (held, given) = (document.uses(), extract.data());
    let of_person = held.categories.iter().filter(|one| **one != Category::Process);
    let categories = of_person.filter(|one| !given.categories.contains(one)).map(Category::to_string);
    let domains = held.life_domains.iter().filter(|one| !given.life_domains.contains(one));
    categories.chain(domains.map(LifeDomain::to_string)).collect()
}
