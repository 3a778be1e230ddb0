//! What is said about a case that is handed over. The resident does not exist.

use jiff::Timestamp;
use serde_json::{Value, json};
use uuid::Uuid;

/// On what the organisations rest that hand over.
fn basis() -> Value {
    json!({
        "soort": "publieke-taak",
        "artikelen": ["Wet SUWI art. 62 lid 1", "Participatiewet art. 7 lid 1 onder a"],
    })
}

/// An offer of a case that asks for an answer before this moment.
pub fn offer(respond_before: Timestamp) -> Value {
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
            "warmte": { "soort": "driegesprek-gepland", "datum": "2099-01-05" },
            "casusregisseur": director,
            "reageren_voor": respond_before,
        },
    })
}

/// Something about an offer.
pub fn about(offer: Uuid, mut content: Value) -> Value {
    content["aanbod_id"] = json!(offer);
    json!({ "grondslag": basis(), "inhoud": content })
}
