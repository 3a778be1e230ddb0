//! The documents that travel under a consent, and the records of consents. Persons are made up.

use exchange::oin::Oin;
use jiff::Timestamp;
use schemas::{Document, SchemaName};
use serde_json::{Value, json};
use store::{Access, Actor, Deed, Reason, Why};
use uuid::Uuid;

use super::{
    operation::Ground,
    parties::{ERASING, KEEPING},
};

/// The type of every message that shares something.
pub(super) const SIGNAL: &str = "nl.sociaaldomein.signalen.zorgsignaal.v1";
/// The type of what tells of a withdrawal.
pub(super) const WITHDRAWN: &str = "nl.sociaaldomein.toestemmingen.ingetrokken.v1";
/// The type of what tells the holder what was done.
pub(super) const PROCESSED: &str = "nl.sociaaldomein.toestemmingen.verwerkt.v1";

/// A worker records what a resident decided.
pub(crate) fn decided(at: Timestamp) -> anyhow::Result<Access> {
    let why = Why::new(Reason::Dossier, None, None)?;
    Ok(Access { who: Actor::person("balie", None)?, what: Deed::Besluit, why, when: at })
}

/// The purpose of a message.
pub(crate) const fn purpose(ground: Ground) -> &'static str {
    match ground {
        Ground::Consent => ERASING,
        Ground::ConsentOrTask | Ground::Task => KEEPING,
    }
}

/// A concern about the resident of a consent.
pub(crate) fn signal(resident: usize, consent: Uuid, ground: Ground) -> anyhow::Result<Document> {
    let basis = match ground {
        Ground::Task => json!({ "soort": "publieke-taak", "artikelen": ["Wmo 2015 art. 2.3.2"] }),
        Ground::Consent | Ground::ConsentOrTask => json!({
            "soort": "toestemming", "artikelen": ["AVG art. 6 lid 1 onder a"], "toestemming": { "id": consent },
        }),
    };
    let value = json!({
        "grondslag": basis,
        "betrokkene": person(resident),
        "inhoud": {
            "aanleiding": "De verwarming staat al weken uit.",
            "zorgen": { "wonen": { "omschrijving": "Geen verwarming." } },
            "waarneming": "zelf-gezien",
            "besproken_met_inwoner": true,
            "urgentie": "hoog",
            "waargenomen_op": "2026-11-14",
        },
    });
    Ok(Document::parse(SchemaName::CareConcern, value.to_string().as_bytes())?)
}

fn person(resident: usize) -> Value {
    json!({
        "naam": { "voorletters": "E.", "voorvoegsel": "van den", "achternaam": "Brouwer" },
        "geboortedatum": format!("1974-01-{:02}", resident + 1),
        "adres": { "straat": "Lindelaan", "huisnummer": 19, "postcode": "4906AN", "woonplaats": "Rivierstad" },
    })
}

/// What is recorded when a resident consents, for both purposes.
pub(crate) fn record(resident: usize, granted_to: &[Oin], (given, until): (Timestamp, Timestamp)) -> Value {
    json!({
        "betrokkene": person(resident),
        "inhoud": {
            "verleend_aan": granted_to,
            "doelen": [ERASING, KEEPING],
            "gegevens": { "categorieen": ["identificatie", "adres", "situatie"], "leefgebieden": ["wonen"] },
            "verleend_op": given,
            "geldig_tot": until,
            "wijze": "schriftelijk",
            "waarom_toestemming": "De inwoner wilde zelf bepalen wie het weet.",
            "vrijheid": {
                "gevolg_van_weigeren": "Geen.", "hulp_hangt_ervan_af": false,
                "uitgelegd_door": { "organisatie": "Gemeente Rivierstad", "functie": "consulent" },
                "taal": "nl", "steun_aanwezig": true, "gewezen_op_intrekken": true,
            },
            "bewijs": { "soort": "formulier", "kenmerk": "TF-1" },
        },
    })
}

/// The content of a message, not verified.
pub(super) fn content(compact: &str) -> Option<Value> {
    exchange::message::document_of(compact).map(|document| document.value()["inhoud"].clone())
}
