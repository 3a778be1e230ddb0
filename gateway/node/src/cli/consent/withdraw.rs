//! Recording that a resident withdraws a consent.

use exchange::oin::Oin;
use serde_json::json;
use store::{ConsentRow, ConsentState};

use super::{
    super::{Ending, Output, caller::Caller},
    decision, lines,
};
use crate::{
    consent::{
        ending, reaching, register,
        report::{self, Heard},
        view::Here,
    },
    node::Node,
};

pub(super) async fn withdraw(
    node: &Node,
    consent: &ConsentRow,
    (certain, caller): (bool, &Caller),
    output: Output,
) -> anyhow::Result<Ending> {
    if consent.key.holder != node.core.me {
        return tell_holder(node, consent, (certain, caller), output).await;
    }
    let id = consent.key.id;
    let to_tell = reaching::to_tell(&node.core, &node.core.rules(), consent).await?;
    let names: Vec<String> = to_tell.iter().map(|one| node.name_of(one.party)).collect();
    let oins: Vec<Oin> = to_tell.iter().map(|one| one.party).collect();
    if !certain && consent.state == ConsentState::Withdrawn {
        output.say(format!(
            "Toestemming {id} is al ingetrokken. Wie bericht kreeg en wat die deed staat in `schakel toestemming tonen {id}`."
        ));
        output.answer(&json!({ "toestemming": id, "uitgevoerd": false, "krijgen_bericht": oins }));
        return Ok(Ending::Good);
    }
    if !certain {
        match names.as_slice() {
            [] => output.say(format!("Er is niemand die bericht moet krijgen over toestemming {id}.")),
            names => output.say(format!(
                "Bericht over toestemming {id} krijgt ieder die zij noemt of die er iets onder kreeg: {}.",
                names.join(", ")
            )),
        }
        output.say("Er is nog niets ingetrokken. Trekt de inwoner de toestemming in? Geef de opdracht opnieuw, met --zeker.");
        output.answer(&json!({ "toestemming": id, "uitgevoerd": false, "krijgen_bericht": oins }));
        return Ok(Ending::Good);
    }
    let access = decision(node, caller, None)?;
    let (withdrawn, oins) = register::withdraw_and_tell(&node.core, access, consent).await?;
    let names: Vec<String> = oins.iter().map(|one| node.name_of(*one)).collect();
    ending::carry_out(&node.core).await?;
    if !withdrawn && names.is_empty() {
        output.say(format!("Toestemming {id} was al ingetrokken."));
    } else if !withdrawn {
        output.say(format!(
            "Toestemming {id} was al ingetrokken. Bericht krijgt alsnog: {}.",
            names.join(", ")
        ));
    } else if names.is_empty() {
        output.say(format!("Toestemming {id} is ingetrokken. Er is niemand die bericht moet krijgen."));
    } else {
        output.say(format!(
            "Toestemming {id} is ingetrokken. Bericht krijgen, voor al het andere: {}.",
            names.join(", ")
        ));
        output.say(format!("Wat zij ermee deden staat straks in `schakel toestemming tonen {id}`."));
    }
    if withdrawn && let Some(now) = node.core.store.consent(consent.key).await? {
        let here = Here::of(&node.core, &now).await?;
        output.say(lines::of_ours(here.unwrap_or(Here::Left), now.kept.as_ref()));
    }
    output.answer(&json!({ "toestemming": id, "uitgevoerd": withdrawn, "krijgen_bericht": oins }));
    Ok(Ending::Good)
}

/// Somebody else asked for the consent, and somebody here hears that the resident withdraws it.
async fn tell_holder(
    node: &Node,
    consent: &ConsentRow,
    (certain, caller): (bool, &Caller),
    output: Output,
) -> anyhow::Result<Ending> {
    let (id, holder) = (consent.key.id, consent.key.holder);
    let name = node.name_of(holder);
    if !certain {
        output.say(format!(
            "{name} vroeg om toestemming {id} en krijgt bericht; van daaruit krijgt iedereen bericht die er iets onder kreeg."
        ));
        output.say("Er is nog niets ingetrokken. Trekt de inwoner de toestemming in? Geef de opdracht opnieuw, met --zeker.");
        output.answer(&json!({ "toestemming": id, "uitgevoerd": false, "krijgen_bericht": [holder] }));
        return Ok(Ending::Good);
    }
    let told =
        report::report(&node.core, decision(node, caller, None)?, consent.key, node.core.now()).await?;
    match told {
        Heard::Now => output.say(format!(
            "Hier gaat vanaf nu niets meer weg onder toestemming {id}, en is niets ervan nog te zien. {name} krijgt bericht, voor al het andere, en laat alle gegevens wissen."
        )),
        Heard::Before => output.say(format!(
            "Dat de inwoner toestemming {id} introk is hier al vastgelegd. Of {name} het weet staat in `schakel toestemming tonen {id}`."
        )),
        Heard::AtHolder => output.say(format!("{name} heeft toestemming {id} al ingetrokken.")),
    }
    let is_new = told == Heard::Now;
    output.answer(&json!({ "toestemming": id, "uitgevoerd": is_new, "krijgen_bericht": [holder] }));
    Ok(Ending::Good)
}
