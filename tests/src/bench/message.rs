//! The message that is sent: a warm handover from a municipality to a social service, about somebody who does not
//! exist, as large as a CloudEvent as the design counts with: 2 KiB.

use anyhow::Context as _;
use jiff::{SignedDuration, Timestamp, Unit};
use schemas::{Document, SchemaName};

/// The purpose it is sent for.
pub(super) const PURPOSE: &str = "overdracht-werk-en-inkomen";

/// Different texts that are sent in turn.
const VARIANTS: u32 = 512;

/// How long after now an answer is asked for: more than the purpose gives, whatever the calendar says.
const ANSWERED_IN: SignedDuration = SignedDuration::from_hours(24 * 30);

/// The texts of the documents, as a source would hand them over.
pub(super) fn texts(now: Timestamp) -> Vec<String> {
    (0..VARIANTS).map(|number| text(number, now + ANSWERED_IN)).collect()
}

/// The schema of the documents.
pub(super) fn schema() -> anyhow::Result<SchemaName> {
    "overdracht-aangeboden".parse().context("the schema of the message")
}

/// The document of a text.
pub(super) fn document(schema: SchemaName, text: &str) -> anyhow::Result<Document> {
    Document::parse(schema, text.as_bytes()).context("the message of the benchmark")
}

fn text(number: u32, answered_before: Timestamp) -> String {
    serde_json::json!({
        "grondslag": {
            "soort": "publieke-taak",
            "artikelen": ["Wet SUWI art. 62 lid 1", "Participatiewet art. 64 lid 1"],
        },
        "betrokkene": {
            "naam": { "voorletters": "E.", "voorvoegsel": "van den", "achternaam": format!("Brouwer-{number:03}") },
            "geboortedatum": format!("19{:02}-{:02}-{:02}", 40 + number % 60, 1 + number % 12, 1 + number % 28),
            "adres": {
                "straat": "Lindelaan", "huisnummer": 1 + number, "postcode": "4906AN", "woonplaats": "Rivierstad",
            },
        },
        "inhoud": {
            "aanleiding": "De WW loopt af en solliciteren lukt niet; er is een achterstand bij de huur ontstaan.",
            "wens": { "eigen_woorden": "Werk waar iemand het me voordoet, en weten waar ik met de post heen kan." },
            "wat_kan_het_verschil_maken": "Eén vaste begeleider die meegaat naar de eerste werkdag.",
            "situatie": {
                "werk-en-dagbesteding": {
                    "omschrijving": "Werkte twintig jaar in de techniek en zocht een jaar lang vergeefs.",
                    "wat_gaat_goed": "Komt altijd op tijd.",
                },
                "financien": { "omschrijving": "Twee maanden huurachterstand; er ligt een voorstel voor een regeling, en er zijn geen andere schulden bekend." },
            },
            "vraagverheldering": {
                "vraag": "Welk werk past bij wat mijnheer kan, en wie helpt met de administratie?",
                "verhelderd_door": { "organisatie": "Gemeente Rivierstad", "functie": "consulent" },
                "verhelderd_op": "2026-11-12",
                "nog_na_te_gaan": ["Of een indicatie banenafspraak mogelijk is, en of er recht is op huurtoeslag."],
            },
            "urgentie": "normaal",
            "warmte": { "soort": "schriftelijk" },
            "casusregisseur": { "organisatie": "Gemeente Rivierstad", "functie": "casusregisseur" },
            "reageren_voor": answered_before.round(Unit::Second).unwrap_or(answered_before),
        },
    })
    .to_string()
}
