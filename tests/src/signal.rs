//! The signal that the suites send: arrears that may be passed on, about somebody who does not exist.

use serde_json::{Value, json};

/// The data of a signal of arrears: everything in it is right.
pub fn arrears() -> Value {
    json!({
        "grondslag": {
            "soort": "wettelijke-verplichting",
            "artikelen": ["Wgs art. 3 lid 1 onder b"],
            "voorwaarden": {
                "persoonlijk-contact": true,
                "gewezen-op-schuldhulp": true,
                "schriftelijke-herinnering": true,
                "aanbod-doorgeven-zonder-bezwaar": true,
            },
        },
        "betrokkene": {
            "naam": { "voorletters": "E.", "voorvoegsel": "van den", "achternaam": "Brouwer" },
            "geboortedatum": "1974-01-20",
            "adres": { "straat": "Lindelaan", "huisnummer": 19, "postcode": "4906AN", "woonplaats": "Rivierstad" },
        },
        "inhoud": {
            "soort_schuld": "huur",
            "bedrag_in_centen": 50884,
            "achterstand_sinds": "2026-10-09",
            "aantal_termijnen": 1,
            "peildatum": "2026-11-16",
            "crisis": false,
        },
    })
}
