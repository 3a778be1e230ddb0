//! `schakel wissen persoon`.

use std::path::PathBuf;

use anyhow::bail;
use clap::Args;
use exchange::{consent::ConsentKey, entry::ErasureCause};
use serde_json::json;
use store::{ConsentState, Decision, Deed, Found, MAX_BATCH, MAX_CANDIDATES, Reason, Withheld};

use super::{
    super::{
        Ending, Output, ask,
        caller::Caller,
        find::{INCOMPLETE, ONLY_BY_NUMBER},
        messages,
    },
    messages as counted, remind,
};
use crate::{listing, node::Node};

/// Wis alles over één persoon: elk bericht dat zeker over die persoon gaat, en de vastlegging van toestemmingen die zijn
/// geëindigd. Wie het is vraagt het programma, of leest het uit een bestand. Wat misschien over de persoon gaat wordt
/// genoemd en blijft staan.
#[derive(Debug, Args)]
#[command(
    after_help = "Voorbeelden:\n  schakel wissen persoon --kenmerk AVG-2026-018                                        laat zien wat er gewist zou worden\n  schakel wissen persoon --kenmerk AVG-2026-018 --persoon persoon.json --zeker         wist het\n  schakel wissen persoon --kenmerk AVG-2026-018 --persoon persoon.json --ook 1041 --zeker\n\nDe persoon in JSON: {\"bsn\":\"999990342\"}, of naam, geboortedatum en adres zoals in een bericht.\nWissen is niet terug te draaien. Ga eerst na of u iets van de wet moet bewaren (AVG art. 17 lid 3).\nExitcode 1: er is niet alles doorzocht, er is alleen op BSN gezocht, of er blijft iets staan dat van deze persoon is of kan zijn."
)]
pub(super) struct ErasePerson {
    /// Een bestand met de persoon in JSON; zonder deze optie, of met -, van standaardinvoer of uit uw antwoorden.
    #[arg(long, value_name = "BESTAND")]
    persoon: Option<PathBuf>,
    /// Een bericht dat misschien over deze persoon gaat, en waarvan u hebt vastgesteld dat het zo is. Mag vaker.
    #[arg(long, value_name = "NUMMER")]
    ook: Vec<u64>,
    /// Houd het bewijs van toestemmingen die zijn geëindigd, omdat u het nog nodig hebt voor een rechtsvordering.
    #[arg(long)]
    houd_bewijs: bool,
    /// Wis echt. Zonder deze optie staat er alleen wat er gewist zou worden.
    #[arg(long)]
    zeker: bool,
    #[command(flatten)]
    caller: Caller,
}

/// What there is of the person.
struct Plan {
    /// Messages that can be erased.
    messages: Vec<u64>,
    /// Consents that ended, with the versions of their records.
    consents: Vec<(ConsentKey, Vec<u64>)>,
    /// Consents that hold, or of which the record is kept on purpose.
    stays: Vec<ConsentKey>,
}

impl ErasePerson {
    pub(super) async fn run(self, node: &Node, output: Output) -> anyhow::Result<Ending> {
        self.caller.reference()?;
        let access = |deed| self.caller.access(deed, Reason::Wisverzoek, None, node.core.now());
        let (person, _) = ask::person(self.persoon.as_deref())?;
        let mut found = node.core.store.search(access(Deed::Zoeken)?, &person).await?;
        if let Some(other) =
            self.ook.iter().find(|number| found.perhaps.iter().all(|row| row.index != **number))
        {
            bail!(
                "bericht {other} staat niet bij wat misschien over deze persoon gaat. Kies uit de nummers die `schakel wissen persoon` noemt"
            );
        }
        found.perhaps.retain(|row| !self.ook.contains(&row.index));
        let plan = self.plan(node, &found).await?;
        let mut evidence = Vec::new();
        if self.zeker {
            // On record, with what it is about, before anything is gone.
            for some in plan.messages.chunks(MAX_CANDIDATES) {
                node.core.store.record_decision(access(Deed::Besluit)?, Decision::Wissen, some).await?;
            }
            for (consent, _) in &plan.consents {
                let access = access(Deed::Besluit)?;
                node.core.store.record_consent_decision(access, consent.id, Some(&person)).await?;
            }
            let records = plan.consents.iter().flat_map(|(_, records)| records);
            let all: Vec<u64> = plan.messages.iter().chain(records).copied().collect();
            for some in all.chunks(MAX_BATCH) {
                let erased =
                    node.core.store.erase(some.to_vec(), ErasureCause::Request, node.core.now()).await?;
                evidence.extend(erased.evidence);
            }
        }
        tell(node, (&plan, &found, &evidence), self.zeker, output);
        let only_by_number = person.place_key().is_none();
        if only_by_number {
            output.warn(ONLY_BY_NUMBER);
        }
        let ids = |keys: &[ConsentKey]| keys.iter().map(|key| key.id).collect::<Vec<_>>();
        let ended: Vec<ConsentKey> = plan.consents.iter().map(|(key, _)| *key).collect();
        output.answer(&json!({
            "uitgevoerd": self.zeker, "berichten": plan.messages, "toestemmingen": ids(&ended), "regels": evidence,
            "blijft": {
                "misschien": found.perhaps.iter().map(listing::message).collect::<Vec<_>>(),
                "toestemmingen": ids(&plan.stays), "toestemmingen_misschien": ids(&found.consents_perhaps),
            },
            "volledig": found.complete,
            "alleen_op_bsn": only_by_number,
        }));
        let all_good = found.complete
            && !only_by_number
            && found.perhaps.is_empty()
            && plan.stays.is_empty()
            && found.consents_perhaps.is_empty();
        Ok(if all_good { Ending::Good } else { Ending::NotAllGood })
    }

    async fn plan(&self, node: &Node, found: &Found) -> anyhow::Result<Plan> {
        let there = found
            .messages
            .iter()
            .filter(|shown| !matches!(shown.content, Err(Withheld::Erased | Withheld::NotKept)));
        let mut messages: Vec<u64> =
            there.map(|shown| shown.row.index).chain(self.ook.iter().copied()).collect();
        messages.sort_unstable();
        messages.dedup();
        let mut plan = Plan { messages, consents: Vec::new(), stays: Vec::new() };
        for key in &found.consents {
            let Some(row) = node.core.store.consent(*key).await? else { continue };
            let over = row.valid_until.is_some_and(|until| until <= node.core.now());
            if self.houd_bewijs || (row.state == ConsentState::InForce && !over) {
                plan.stays.push(*key);
                continue;
            }
            let records = node.core.store.consent_records(*key).await?;
            plan.consents.push((*key, records.iter().map(|record| record.index).collect()));
        }
        Ok(plan)
    }
}

fn tell(node: &Node, (plan, found, evidence): (&Plan, &Found, &[u64]), done: bool, output: Output) {
    let consents = u64::try_from(plan.consents.len()).unwrap_or(u64::MAX);
    let count = u64::try_from(plan.messages.len()).unwrap_or(u64::MAX);
    if count == 0 && consents == 0 {
        output.say("Er is niets (meer) over deze persoon dat gewist kan worden.");
    } else if done {
        let places: Vec<String> = evidence.iter().map(u64::to_string).collect();
        output.say(format!(
            "Van deze persoon {} gewist{}. In het logboek staat dat bij {} {}.",
            counted(count, "is", "zijn"),
            ended(consents),
            if places.len() == 1 { "regel" } else { "regels" },
            places.join(", ")
        ));
    } else {
        output.say(format!(
            "Van deze persoon {} gewist worden{}. Er is nog niets gewist. Weet u het zeker? Geef de opdracht opnieuw, met --zeker.",
            counted(count, "zou", "zouden"),
            ended(consents)
        ));
    }
    stays(node, (plan, found), output);
    if done && count + consents > 0 {
        output.say(
            "\nIn het logboek blijft dát er iets was en dat het is gewist, zonder inhoud; ook blijft staan wie naar deze persoon keek en waarom. Wat partners ontvingen staat nog bij hen, en in de mappen van uw koppelingen kan nog een lijst staan.",
        );
        remind(node, output);
    }
    if !found.complete {
        output.warn(INCOMPLETE);
    }
}

/// What stays, and why.
fn stays(node: &Node, (plan, found): (&Plan, &Found), output: Output) {
    for key in &plan.stays {
        output.say(format!(
            "Toestemming {} blijft: zij geldt nog, of u gaf --houd-bewijs. `schakel toestemming tonen {}` laat zien hoe het ermee is; wie haar wil laten wissen, trekt haar eerst in.",
            key.id, key.id
        ));
    }
    for key in &found.consents_perhaps {
        output.say(format!(
            "Toestemming {} blijft: zij is misschien van deze persoon. Controleer dit zelf.",
            key.id
        ));
    }
    if !found.perhaps.is_empty() {
        output.say(
            "\nDeze blijven: misschien gaan ze over deze persoon. Controleer ze zelf, en wis ze mee met --ook NUMMER:",
        );
    }
    for row in &found.perhaps {
        output.say(messages::line(node, row));
    }
}

fn ended(count: u64) -> String {
    match count {
        0 => String::new(),
        1 => ", en het bewijs van 1 geëindigde toestemming".to_owned(),
        count => format!(", en het bewijs van {count} geëindigde toestemmingen"),
    }
}

/// A number of versions of records.
pub(super) fn records(count: u64) -> String {
    if count == 1 { "is 1 vastlegging".to_owned() } else { format!("zijn {count} vastleggingen") }
}
