//! Rows as programs read them: the same members in the answers of commands and in those of the local API.

use std::collections::BTreeMap;

use exchange::{
    desk::Opening,
    handover::{Notice, Term},
    message::document_of,
    purpose::Purpose,
};
use serde_json::{Value, json};
use store::{
    AccessRecord, ActorKind, Decision, Direction, JoinedSignal, MessageRow, MultipleSignal, PartnerRecord,
    PartnerState, Shown, Suggestion,
};

use crate::{
    consultation::{Consultation, Consultations},
    directory::Listed,
    handover::page::Known,
    signal_terms,
    undelivered::Waiting,
};

/// A message, its content not included.
pub(crate) fn message(row: &MessageRow) -> Value {
    json!({
        "nummer": row.index,
        "richting": match row.direction { Direction::Inbound => "in", Direction::Outbound => "uit" },
        "id": row.id,
        "dossier": row.case,
        "partner": row.partner,
        "type": row.message_type,
        "doel": row.purpose,
        "convenant": row.agreement,
        "loket": row.desk,
        "stand": row.state.as_str(),
        "reden": row.reason,
        "gemaakt": row.created,
        "afgerond": row.finished,
        "bericht": row.digest,
        "bewaren_tot": row.keep_until,
        "gewist": row.erased,
    })
}

/// A message that somebody may see, with its content under this name or why it is not shown; nothing when it cannot be read.
pub(crate) fn shown(shown: &Shown, name: &str) -> Option<Value> {
    let mut json = message(&shown.row);
    match &shown.content {
        Ok(content) => json[name] = document_of(content)?.value().clone(),
        Err(withheld) => json["niet_getoond"] = withheld.as_str().into(),
    }
    Some(json)
}

/// A case that was handed over, without anything about the resident.
pub(crate) fn handover(known: &Known) -> Value {
    let Known { id, case, steps, moment } = known;
    let offers = case.offers().iter().map(|offer| {
        let running = offer.term.filter(Term::is_running);
        let told = |notice| offer.term.and_then(|term| term.told(notice, *moment));
        json!({
            "aanbod": offer.id, "van": offer.from, "aan": offer.to, "stand": offer.state.as_str(),
            "reageren_voor": offer.respond_before, "te_laat": offer.is_overdue(*moment),
            "aan_zet": running.map(|term| term.by), "wacht_op": running.map(|term| term.awaited.as_str()),
            "uiterlijk_voor": offer.term.map(|term| term.deadline.respond_before),
            "herinnerd": told(Notice::Reminder), "geescaleerd": told(Notice::Escalation),
            "vraag_open": offer.has_open_question(), "teruggenomen": offer.withdrawal.is_some(),
            "eerste_contact": offer.first_contact, "resultaat": offer.result,
        })
    });
    let steps = steps.iter().map(|step| {
        json!({
            "nummer": step.index, "stap": step.step.act.name(), "van": step.step.from,
            "stand": step.state.as_str(), "reden": step.reason,
        })
    });
    json!({
        "dossier": id, "regie": case.holder(), "aanbiedingen": offers.collect::<Vec<_>>(),
        "stappen": steps.collect::<Vec<_>>(),
    })
}

/// The term of a signal.
pub(crate) fn signal_term(known: &signal_terms::Known) -> Value {
    let term = &known.term;
    json!({
        "stand": known.state.as_str(), "aan_zet": term.is_running().then_some(term.by),
        "uiterlijk_voor": term.deadline.respond_before, "herinneren_op": term.deadline.remind_at,
        "herinnerd": known.told(Notice::Reminder), "geescaleerd": known.told(Notice::Escalation),
        "gereageerd": term.met,
    })
}

/// A signal with its term.
pub(crate) fn signal(row: &MessageRow, known: Option<&signal_terms::Known>) -> Value {
    let mut json = message(row);
    json["termijn"] = known.map(signal_term).into();
    json
}

/// Signals that were joined, with their terms by their places in the log.
pub(crate) fn multiple_signal(one: &MultipleSignal, terms: &BTreeMap<u64, signal_terms::Known>) -> Value {
    let signal = |signal: &JoinedSignal| {
        let mut json = self::signal(&signal.row, terms.get(&signal.row.index));
        json["samengevoegd"] = json!(signal.joined);
        json["raadpleging"] = signal.access.into();
        json
    };
    json!({
        "nummer": one.number, "sinds": one.made,
        "termijn": signal_terms::Known::first(terms).map(signal_term),
        "signalen": one.signals.iter().map(signal).collect::<Vec<_>>(),
    })
}

/// Two signals that may belong together, and why.
pub(crate) fn suggestion(one: &Suggestion) -> Value {
    let clues = one.clues.iter();
    let reasons = clues.map(|clue| json!({ "reden": clue.as_str(), "uitleg": clue.sentence() }));
    json!({
        "een": message(&one.one), "ander": message(&one.other), "redenen": reasons.collect::<Vec<_>>(),
        "sinds": one.made,
    })
}

/// Who saw something.
pub(crate) fn access(record: &AccessRecord) -> Value {
    json!({
        "nummer": record.index,
        "wanneer": record.when,
        "soort": match record.who.kind() { ActorKind::Medewerker => "medewerker", ActorKind::Systeem => "systeem" },
        "account": record.who.account(),
        "medewerker": record.who.employee(),
        "wat": record.what.as_str(),
        "besluit": record.decision.map(Decision::as_str),
        "besluit_over": record.decision.and_then(Decision::about),
        "reden": record.why.reason.as_str(),
        "kenmerk": record.why.reference(),
        "dossier": record.why.case,
        "persoon_gezocht": record.searched_person,
        "berichten": record.messages,
        "toestemmingen": record.consents,
        "berichten_misschien": record.perhaps,
        "toestemmingen_misschien": record.consents_perhaps,
    })
}

/// A partner, with how it is with the connection and how many messages wait for it.
pub(crate) fn partner(partner: &PartnerRecord, state: &PartnerState, waiting: u64) -> Value {
    json!({
        "oin": partner.oin, "naam": partner.name, "soort": partner.kind, "laatste_contact": state.last_contact,
        "wachtend": waiting, "storing": state.failure, "volgende_poging": state.next_attempt,
    })
}

/// Questions, with the number of their answer.
pub(crate) fn consultations(found: &Consultations) -> Value {
    let one = |one: &Consultation| {
        let mut shown = message(&one.question);
        shown["beantwoord_met"] = json!(one.answer.as_ref().map(|answer| answer.index));
        shown
    };
    json!({ "volledig": found.complete, "consultaties": found.found.iter().map(one).collect::<Vec<_>>() })
}

/// Organisations with their desks, and who publishes none.
pub(crate) fn desks(listed: &[Listed]) -> Value {
    let silent = listed.iter().filter(|one| !one.publishes).map(|one| one.oin);
    json!({
        "organisaties": listed.iter().map(desks_of).collect::<Vec<_>>(),
        "zonder_loketten": silent.collect::<Vec<_>>(),
    })
}

fn desks_of(one: &Listed) -> Value {
    let desks = one.desks.iter().map(|(desk, opening)| {
        let (open, until, next) = match opening {
            Opening::Unknown => (None, None, None),
            Opening::Open { until } => (Some(true), *until, None),
            Opening::Closed { next } => (Some(false), None, *next),
        };
        json!({ "loket": desk, "open": open, "open_tot": until, "open_vanaf": next, "uren": desk.opening_words() })
    });
    json!({ "oin": one.oin, "naam": one.name, "gelezen": one.seen, "loketten": desks.collect::<Vec<_>>() })
}

/// A message that did not arrive, with why.
pub(crate) fn undelivered(row: &MessageRow, why: &str) -> Value {
    let mut json = message(row);
    json["waarom"] = why.into();
    json["verloopt"] = json!(row.expires);
    json
}

/// What waits for an organisation.
pub(crate) fn queue(one: &Waiting) -> Value {
    json!({
        "oin": one.to, "wachtend": one.waiting, "oudste": one.oldest, "storing": one.state.failure,
        "pogingen": one.state.failures, "laatste_contact": one.state.last_contact,
        "volgende_poging": one.state.next_attempt,
    })
}

/// A purpose, with its text when it is asked for.
pub(crate) fn purpose(purpose: &Purpose, whole: bool) -> Value {
    let content = purpose.content();
    json!({
        "doel": content.doel, "versie": content.versie, "naam": content.naam, "digest": purpose.digest(),
        "inhoud": whole.then_some(content),
    })
}
