//! Does the consent cover this message, for this resident, to this receiver, now?

use jiff::Timestamp;
use schemas::{BasisKind, Category, Document, LifeDomain};

use super::{ConsentKnowledge, Question};
use crate::{
    agreement::Agreement,
    consent::{ConsentUse, Extract},
    message::MAX_CLOCK_SKEW,
    oin::Oin,
    refusal::{Reason, Refusal},
};

/// A message that is said to rest on a consent.
pub(crate) struct Resting<'a> {
    /// Who sends.
    pub(crate) from: Oin,
    /// Who receives.
    pub(crate) to: Oin,
    /// The purpose.
    pub(crate) purpose: &'a str,
    /// The data.
    pub(crate) document: &'a Document,
    /// When.
    pub(crate) now: Timestamp,
}

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
    let Question { from, to, purpose, document, now, .. } = *question;
    covers(extract, &Resting { from, to, purpose, document, now })?;
    Ok(Some(extract.relied_on()))
}

/// Whether the resident of the message gave it, before now, for this purpose, to this receiver and for all of this data, and
/// the sender may have the data that it sends on. How long it holds is another matter: it may have been extended.
pub(crate) fn covers(extract: &Extract, message: &Resting<'_>) -> Result<(), Refusal> {
    let may_send = message.from == extract.key().holder || extract.is_granted_to(message.from);
    let early = extract.given().duration_since(message.now) > MAX_CLOCK_SKEW;
    let covered = may_send
        && !early
        && extract.is_granted_to(message.to)
        && extract.is_for(message.purpose)
        && extract.is_about(message.document);
    if !covered {
        return Err(Reason::ConsentMissing.into());
    }
    let not_consented = not_consented(extract, message.document);
    if not_consented.is_empty() { Ok(()) } else { Err(Refusal::about(Reason::ConsentMissing, not_consented)) }
}

/// What the document holds of the person that the consent does not name.
fn not_consented(extract: &Extract, document: &Document) -> Vec<String> {
    let (held, given) = (document.uses(), extract.data());
    let of_person = held.categories.iter().filter(|one| **one != Category::Process);
    let categories = of_person.filter(|one| !given.categories.contains(one)).map(Category::to_string);
    let domains = held.life_domains.iter().filter(|one| !given.life_domains.contains(one));
    categories.chain(domains.map(LifeDomain::to_string)).collect()
}
