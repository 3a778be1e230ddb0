//! An agreement, made from what `schakel convenant partij` gives.

use jiff::{ToSpan as _, tz::TimeZone};
use node::system::SystemClock;
use serde_json::{Value, json};

use super::{
    CORPORATION, MUNICIPALITY,
    node::{Node, Place},
    wait::until,
};

/// The signal of arrears.
pub const SIGNAL: &str = "nl.sociaaldomein.signalen.betalingsachterstand.v1";
const FEEDBACK: &str = "nl.sociaaldomein.terugkoppelingen.gegeven.v1";
const PURPOSE: &str = "vroegsignalering-huur";

/// The text of an agreement between a municipality and a corporation, from the `partij` output of the first and the
/// party of the second.
pub fn proposal(municipality: &Value, corporation: &Value) -> Value {
    let purposes = municipality["doelen"].as_array().unwrap();
    let purpose = purposes.iter().find(|one| one["doel"] == PURPOSE).unwrap();
    let (gemeente, corporatie) = (&municipality["partij"]["oin"], &corporation["oin"]);
    let today = exchange::clock::Clock::now(&SystemClock).to_zoned(TimeZone::UTC).date();
    let clause = |from: &Value, to: &Value, message_type: &str| {
        json!({
            "doel": PURPOSE, "doel_digest": purpose["doel_digest"],
            "van": [from], "naar": [to], "berichttypen": [message_type],
        })
    };
    json!({
        "groep": "reis", "versie": 1,
        "partijen": [municipality["partij"], corporation],
        "geldig_van": today.checked_sub(2.days()).unwrap(), "geldig_tot": today.checked_add(90.days()).unwrap(),
        "afspraken": [clause(corporatie, gemeente, SIGNAL), clause(gemeente, corporatie, FEEDBACK)],
    })
}

/// Makes serving nodes partners of each other.
pub fn introduce(nodes: &[&Node]) {
    for node in nodes {
        for other in nodes.iter().filter(|other| other.oin != node.oin) {
            node.cli(&["partner", "toevoegen", &other.address, "--oin", other.oin]).expect(0);
        }
    }
}

/// Makes two serving nodes partners, lets them agree, and gives the digest of the agreement.
pub fn agree(place: &Place, municipality: &Node, corporation: &Node) -> String {
    introduce(&[municipality, corporation]);
    let (first, second) =
        (municipality.json(&["convenant", "partij"]), corporation.json(&["convenant", "partij"]));
    conclude(place, &[municipality, corporation], &proposal(&first, &second["partij"]))
}

/// The first proposes this, the others accept it; gives its digest once it is in force everywhere. A node that runs may
/// not have noticed a new partner yet.
pub fn conclude(place: &Place, nodes: &[&Node], text: &Value) -> String {
    let file = place.file("convenant.json", text.to_string().as_bytes());
    let proposed = until("everybody has the proposal", || {
        let done = nodes[0].cli(&["convenant", "voorstellen", file.to_str().unwrap(), "--json"]);
        (done.code == 0).then(|| done.json())
    });
    let digest = proposed["convenant"].as_str().unwrap();
    for node in &nodes[1..] {
        until("a party accepts", || node.cli(&["convenant", "aanvaarden", digest]).code.eq(&0).then_some(()));
    }
    for node in nodes {
        until("the agreement is in force", || {
            (node.json(&["convenant", "tonen", digest])["convenanten"][0]["stand"] == "in werking")
                .then_some(())
        });
    }
    digest.to_owned()
}

/// An agreement by which each may ask the other.
pub fn agree_on_consultation(place: &Place, municipality: &Node, corporation: &Node) {
    const TYPES: [&str; 2] =
        ["nl.sociaaldomein.consultaties.gevraagd.v1", "nl.sociaaldomein.consultaties.beantwoord.v1"];
    let (first, second) =
        (municipality.json(&["convenant", "partij"]), corporation.json(&["convenant", "partij"]));
    let mut text = proposal(&first, &second["partij"]);
    let purposes = first["doelen"].as_array().unwrap();
    let purpose = purposes.iter().find(|one| one["doel"] == "consultatie").unwrap();
    for (from, to) in [(MUNICIPALITY, CORPORATION), (CORPORATION, MUNICIPALITY)] {
        text["afspraken"].as_array_mut().unwrap().push(json!({
            "doel": "consultatie", "doel_digest": purpose["doel_digest"], "van": [from], "naar": [to],
            "berichttypen": TYPES,
        }));
    }
    conclude(place, &[municipality, corporation], &text);
}
