//! Does the consent cover this message, for this resident, to this receiver, now?

use jiff::Timestamp;
use schemas::{BasisKind, Category, Document, LifeDomain};

use super::{ConsentKnowledge, Question};
use crate::{
    agreement::Agreement,
    consent::{CaseResident, ConsentUse, Extract, names_nobody},
    message::MAX_CLOCK_SKEW,
    oin::Oin,
    refusal::{Reason, Refusal},
};

/// Whom a message is about that names nobody.
#[derive(Clone, Copy)]
pub(crate) enum OfCase<'a> {
    /// The resident of its case, if that is known: what whoever decides knows.
    Resident(Option<&'a CaseResident>),
    /// The case is not at hand: the resident is not looked at.
    NotAtHand,
}

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
    /// Whom it is about when it names nobody.
    pub(crate) of_case: OfCase<'a>,
    /// When.
    pub(crate) now: Timestamp,
}

/// The consent that the message relies on; none when it rests on something else.
pub(super) fn consent(agreement: &Agreement, question: &Question<'_>) -> Result<Option<ConsentUse>, Refusal> {
    let stated = question.document.basis();
    if stated.kind != BasisKind::Consent {
        return Ok(None);
    }
    let extract = proven(agreement, question)?;
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
    let Question { from, to, purpose, document, resident, now, .. } = *question;
    let of_case = OfCase::Resident(resident);
    covers(extract, &Resting { from, to, purpose, document, of_case, now })?;
    Ok(Some(extract.relied_on()))
}

/// The extract that the message carries, as its holder signed it, of the consent that the message names.
fn proven<'a>(agreement: &Agreement, question: &Question<'a>) -> Result<&'a Extract, Refusal> {
    let Some(named) = &question.document.basis().consent else {
        return Err(missing("er staat geen toestemming bij"));
    };
    if named.extract.is_none() {
        return Err(missing("hier is geen toestemming met dit nummer bekend"));
    }
    let signed = question.extract.filter(|extract| extract.is_signed_under(agreement));
    let Some(extract) = signed else {
        return Err(missing(
            "het bewijs is niet ondertekend door een partij van dit convenant die erom vroeg",
        ));
    };
    if extract.key().id != named.id {
        return Err(missing("het bewijs is van een andere toestemming"));
    }
    Ok(extract)
}

fn missing(why: &str) -> Refusal {
    Refusal::about(Reason::ConsentMissing, [why])
}

/// Whether the resident of the message gave it, before now, for this purpose, to this receiver and for all of this data, and
/// the sender may have the data that it sends on. Its holder may, named or not. How long it holds is another matter: it may have been extended.
pub(crate) fn covers(extract: &Extract, message: &Resting<'_>) -> Result<(), Refusal> {
    // Who asked for it knows the resident already, and is who the resident expects an answer to go to.
    let may_have = |oin: Oin| oin == extract.key().holder || extract.is_granted_to(oin);
    let early = extract.given().duration_since(message.now) > MAX_CLOCK_SKEW;
    let unmet = [
        (may_have(message.from), "de toestemming noemt de verzender niet"),
        (may_have(message.to), "de toestemming noemt de ontvanger niet"),
        (!early, "de toestemming is nog niet gegeven"),
        (extract.is_for(message.purpose), "de toestemming noemt dit doel niet"),
        (is_of_resident(extract, message), whose(message)),
    ];
    let unmet: Vec<&str> = unmet.into_iter().filter(|(is_met, _)| !is_met).map(|(_, why)| why).collect();
    if !unmet.is_empty() {
        return Err(Refusal::about(Reason::ConsentMissing, unmet));
    }
    let not_consented = not_consented(extract, message.document);
    if not_consented.is_empty() {
        return Ok(());
    }
    let why = not_consented.into_iter().map(|name| format!("de toestemming noemt {name} niet"));
    Err(Refusal::about(Reason::ConsentMissing, why))
}

fn is_of_resident(extract: &Extract, message: &Resting<'_>) -> bool {
    match message.of_case {
        OfCase::NotAtHand if names_nobody(message.document) => true,
        OfCase::NotAtHand => extract.is_about(message.document, None),
        OfCase::Resident(resident) => extract.is_about(message.document, resident),
    }
}

/// What is wrong when the consent is not that of the resident.
fn whose(message: &Resting<'_>) -> &'static str {
    match message.of_case {
        OfCase::Resident(None) if names_nobody(message.document) => {
            "het bericht noemt geen inwoner, en ook van het dossier is niet (meer) bekend over wie het gaat"
        }
        _ => "de toestemming is van een andere inwoner",
    }
}

/// What the document holds of the person that the consent does not name.
fn not_consented(extract: &Extract, document: &Document) -> Vec<String> {
    let (held, given) = (document.uses(), extract.data());
    let of_person = held.categories.iter().filter(|one| **one != Category::Process);
    let categories = of_person.filter(|one| !given.categories.contains(one)).map(Category::to_string);
    let domains = held.life_domains.iter().filter(|one| !given.life_domains.contains(one));
    categories.chain(domains.map(LifeDomain::to_string)).collect()
}
