//! Recording that a resident withdraws a consent.

use exchange::oin::Oin;
use serde_json::json;
use store::ConsentRow;

use super::{
    super::{Ending, Output, caller::Caller},
    decision,
};
use crate::{
    consent::{ending, register, report},
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
    let (key, id) = (consent.key, consent.key.id);
    let untold = node.core.store.untold(key).await?;
    let names: Vec<String> = untold.iter().map(|one| node.name_of(one.party)).collect();
    let oins: Vec<Oin> = untold.iter().map(|one| one.party).collect();
    if !certain {
        match names.as_slice() {
            [] => output
                .say(format!("Onder toestemming {id} is niets gestuurd; niemand hoeft bericht te krijgen.")),
            names => output.say(format!("Onder toestemming {id} kregen gegevens: {}.", names.join(", "))),
        }
        output.say("Er is nog niets ingetrokken. Trekt de inwoner de toestemming in? Geef de opdracht opnieuw, met --zeker.");
        output.answer(&json!({ "toestemming": id, "uitgevoerd": false, "krijgen_bericht": oins }));
        return Ok(Ending::Good);
    }
    let withdrawn = register::withdraw(&node.core, decision(node, caller)?, id, node.core.now()).await?;
    ending::carry_out(&node.core).await?;
    if !withdrawn {
        output.say(format!("Toestemming {id} was al ingetrokken."));
    } else if names.is_empty() {
        output.say(format!("Toestemming {id} is ingetrokken. Er was niets onder gestuurd."));
    } else {
        output.say(format!(
            "Toestemming {id} is ingetrokken. Bericht krijgen, voor al het andere: {}. Wat hier was is gewist.",
            names.join(", ")
        ));
        output.say(format!("Wat zij ermee deden staat straks in `schakel toestemming tonen {id}`."));
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
    let told = report::report(&node.core, decision(node, caller)?, consent.key, node.core.now()).await?;
    if told {
        output.say(format!(
            "Hier gaat vanaf nu niets meer weg onder toestemming {id}, en is niets ervan nog te zien. {name} krijgt bericht, voor al het andere, en laat alle gegevens wissen."
        ));
    } else {
        output.say(format!("{name} heeft toestemming {id} al ingetrokken."));
    }
    output.answer(&json!({ "toestemming": id, "uitgevoerd": told, "krijgen_bericht": [holder] }));
    Ok(Ending::Good)
}
