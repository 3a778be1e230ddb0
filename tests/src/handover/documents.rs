//! What is said about a case.

use jiff::{SignedDuration, Timestamp};
use schemas::{Document, SchemaName};
use serde_json::{Value, json};
use uuid::Uuid;

/// Until how long after now an answer is asked for: more than the purpose gives, whatever the calendar says.
pub(super) const ANSWERED_IN: SignedDuration = SignedDuration::from_hours(7 * 24);

pub(super) fn document(schema: SchemaName, data: &Value) -> anyhow::Result<Document> {
    Ok(Document::parse(schema, data.to_string().as_bytes())?)
}

fn basis() -> Value {
    json!({
        "soort": "publieke-taak",
        "artikelen": ["Wet SUWI art. 62 lid 1", "Participatiewet art. 7 lid 1 onder a"],
    })
}

/// An offer of a case.
pub(super) fn offer(now: Timestamp) -> Value {
    let director = json!({ "organisatie": "Gemeente Rivierstad", "functie": "casusregisseur" });
    json!({
        "grondslag": basis(),
        "betrokkene": { "bsn": "999990342" },
        "inhoud": {
            "aanleiding": "De uitkering houdt op.",
            "wens": { "eigen_woorden": "Werk waar iemand het me voordoet." },
            "wat_kan_het_verschil_maken": "Eén vaste begeleider.",
            "situatie": { "werk-en-dagbesteding": { "omschrijving": "Zoekt werk in de techniek." } },
            "vraagverheldering": {
                "vraag": "Welk werk past?", "verhelderd_door": director, "verhelderd_op": "2026-11-12",
                "vastgesteld": ["Einddatum nagekeken."], "nog_na_te_gaan": ["De indicatie."],
            },
            "urgentie": "normaal",
            "warmte": { "soort": "schriftelijk" },
            "casusregisseur": director,
            "reageren_voor": now + ANSWERED_IN,
        },
    })
}

/// Something about an offer.
pub(super) fn about(offer: Uuid, mut content: Value) -> Value {
    content["aanbod_id"] = json!(offer);
    json!({ "grondslag": basis(), "inhoud": content })
}
