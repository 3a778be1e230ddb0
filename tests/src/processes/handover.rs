//! A resident to hand over, and an agreement under which that goes.

use exchange::clock::Clock as _;
use jiff::{SignedDuration, ToSpan as _, tz::TimeZone};
use node::system::SystemClock;
use serde_json::{Value, json};

use super::node::Node;

/// The purpose of it.
pub const PURPOSE: &str = "overdracht-werk-en-inkomen";
const STEPS: [&str; 9] = [
    "aangeboden",
    "geaccepteerd",
    "afgewezen",
    "aanvulling-gevraagd",
    "aangevuld",
    "ingetrokken",
    "intrekking-bevestigd",
    "eerste-contact",
    "afgerond",
];

/// An agreement by which each of these may hand over to each other.
pub fn agreement(nodes: &[&Node]) -> Value {
    let parties: Vec<Value> = nodes.iter().map(|node| node.json(&["convenant", "partij"])).collect();
    let purposes = parties[0]["doelen"].as_array().unwrap();
    let purpose = purposes.iter().find(|one| one["doel"] == PURPOSE).unwrap();
    let today = SystemClock.now().to_zoned(TimeZone::UTC).date();
    let everybody: Vec<&str> = nodes.iter().map(|node| node.oin).collect();
    json!({
        "groep": "werk", "versie": 1,
        "partijen": parties.iter().map(|one| &one["partij"]).collect::<Vec<_>>(),
        "geldig_van": today.checked_sub(2.days()).unwrap(), "geldig_tot": today.checked_add(90.days()).unwrap(),
        "afspraken": [{
            "doel": PURPOSE, "doel_digest": purpose["doel_digest"], "van": everybody, "naar": everybody,
            "berichttypen": STEPS.map(|step| format!("nl.sociaaldomein.overdrachten.{step}.v1")),
        }],
    })
}

/// The document that offers the resident.
pub fn document() -> Value {
    let director = json!({ "organisatie": "Gemeente Rivierstad", "functie": "casusregisseur" });
    json!({
        "grondslag": {
            "soort": "publieke-taak",
            "artikelen": ["Wet SUWI art. 62 lid 1", "Participatiewet art. 7 lid 1 onder a"],
        },
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
            "reageren_voor": SystemClock.now() + SignedDuration::from_hours(24 * 14),
        },
    })
}
