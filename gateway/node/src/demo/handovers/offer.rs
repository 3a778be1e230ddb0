//! What is offered, and what is answered, about residents who do not exist.

use exchange::calendar;
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

/// How urgent an offer is, and until how long after now it asks for an answer: no less than the purpose gives.
#[derive(Debug, Clone, Copy)]
pub(super) enum Haste {
    /// Two weeks.
    None,
    /// Just over four hours.
    Crisis,
}

impl Haste {
    const fn answered_in(self) -> SignedDuration {
        match self {
            Self::None => SignedDuration::from_hours(14 * 24),
            // The message is made a moment from now.
            Self::Crisis => SignedDuration::from_mins(4 * 60 + 1),
        }
    }

    const fn urgency(self) -> &'static str {
        match self {
            Self::None => "normaal",
            Self::Crisis => "crisis",
        }
    }
}

/// Within which time something is asked for or promised when there is no haste.
pub(super) fn before(now: Timestamp) -> Timestamp {
    now + Haste::None.answered_in()
}

/// A day on which something is to happen.
fn some_day(now: Timestamp) -> jiff::civil::Date {
    calendar::working_day_from(calendar::after_days(calendar::day(now), 7))
}

/// An offer, to be spoken through by the three of them.
pub(super) fn offer(now: Timestamp, by: &str, bsn: &str, haste: Haste) -> Value {
    let director = json!({ "organisatie": by, "functie": "casusregisseur" });
    json!({
        "grondslag": {
            "soort": "publieke-taak",
            "artikelen": ["Wet SUWI art. 62 lid 1", "Participatiewet art. 7 lid 1 onder a"],
        },
        "betrokkene": { "bsn": bsn },
        "inhoud": {
            "aanleiding": "De uitkering houdt op.",
            "wens": { "eigen_woorden": "Werk waar iemand het me voordoet." },
            "wat_kan_het_verschil_maken": "Eén vaste begeleider.",
            "situatie": { "werk-en-dagbesteding": { "omschrijving": "Zoekt werk in de techniek." } },
            "vraagverheldering": {
                "vraag": "Welk werk past?", "verhelderd_door": director, "verhelderd_op": calendar::day(now),
            },
            "urgentie": haste.urgency(),
            "warmte": { "soort": "driegesprek-gepland", "datum": some_day(now) },
            "casusregisseur": director,
            "reageren_voor": now + haste.answered_in(),
        },
    })
}

/// That an organisation takes the case over.
pub(super) fn acceptance(now: Timestamp, by: &str) -> Value {
    json!({
        "casusregisseur": { "organisatie": by, "functie": "consulent" },
        "eerste_contact_voor": some_day(now),
    })
}
