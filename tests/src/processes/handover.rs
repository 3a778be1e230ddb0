//! A resident to hand over, and an agreement under which that goes.

use exchange::clock::Clock as _;
use jiff::{SignedDuration, ToSpan as _, tz::TimeZone};
use node::system::SystemClock;
use serde_json::{Value, json};

use super::node::Node;
use crate::offer::offer;

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
    let all: Vec<Value> = parties.iter().map(|one| one["partij"].clone()).collect();
    between(&parties[0], &all)
}

/// The same between these parties, by the purpose as `known` has it: what a node says of itself as a party.
pub fn between(known: &Value, parties: &[Value]) -> Value {
    let purpose = known["doelen"].as_array().unwrap().iter().find(|one| one["doel"] == PURPOSE).unwrap();
    let everybody: Vec<Value> = parties.iter().map(|party| party["oin"].clone()).collect();
    let today = SystemClock.now().to_zoned(TimeZone::UTC).date();
    json!({
        "groep": "werk", "versie": 1, "partijen": parties,
        "geldig_van": today.checked_sub(2.days()).unwrap(), "geldig_tot": today.checked_add(90.days()).unwrap(),
        "afspraken": [{
            "doel": PURPOSE, "doel_digest": purpose["doel_digest"], "van": everybody, "naar": everybody,
            "berichttypen": STEPS.map(|step| format!("nl.sociaaldomein.overdrachten.{step}.v1")),
        }],
    })
}

/// The document that offers the resident.
pub fn document() -> Value {
    offer(SystemClock.now() + SignedDuration::from_hours(24 * 14))
}
