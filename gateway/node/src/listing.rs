//! Rows as programs read them: the same members in the answers of commands and in those of the local API.

use exchange::purpose::Purpose;
use serde_json::{Value, json};
use store::{AccessRecord, ActorKind, Decision, Direction, MessageRow, PartnerRecord, PartnerState};

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

/// A purpose, with its text when it is asked for.
pub(crate) fn purpose(purpose: &Purpose, whole: bool) -> Value {
    let content = purpose.content();
    json!({
        "doel": content.doel, "versie": content.versie, "naam": content.naam, "digest": purpose.digest(),
        "inhoud": whole.then_some(content),
    })
}
