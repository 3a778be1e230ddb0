//! `schakel zoek`.

use std::path::PathBuf;

use clap::Args;
use store::Deed;

use super::{Ending, Output, ask, caller::Caller, messages};
use crate::{listing, node::Node};

/// Zoek de berichten over een persoon. Wie het is vraagt het programma, of leest het uit een bestand; wie zoekt en waarom
/// komt in het logboek.
#[derive(Debug, Args)]
#[command(
    after_help = "Voorbeelden:\n  schakel zoek --reden dossier --kenmerk Z-2026-0412\n  schakel zoek --reden controle --kenmerk FG-17 --persoon persoon.json --json\n\nDe persoon in JSON: {\"bsn\":\"999990342\"}, of naam, geboortedatum en adres zoals in een bericht.\nExitcode 1: er is niet alles doorzocht, of er zijn berichten of toestemmingen die misschien van deze persoon zijn."
)]
pub(super) struct Find {
    /// Een bestand met de persoon in JSON; zonder deze optie, of met -, van standaardinvoer of uit uw antwoorden.
    #[arg(long, value_name = "BESTAND")]
    persoon: Option<PathBuf>,
    #[command(flatten)]
    caller: Caller,
}

impl Find {
    pub(super) async fn run(self, node: &Node, output: Output) -> anyhow::Result<Ending> {
        let access = self.caller.access_to_person(Deed::Zoeken, node.core.now())?;
        let (person, _) = ask::person(self.persoon.as_deref())?;
        let found = node.core.store.search(access, &person).await?;
        let perhaps = !found.perhaps.is_empty() || !found.consents_perhaps.is_empty();
        if found.messages.is_empty() && found.consents.is_empty() && !perhaps {
            output.say(NOTHING);
        }
        for shown in &found.messages {
            output.say(messages::line(node, &shown.row));
        }
        for key in &found.consents {
            output.say(format!("Toestemming {}: zie `schakel toestemming tonen {}`.", key.id, key.id));
        }
        if !found.perhaps.is_empty() {
            output.say(
                "\nMisschien over deze persoon; naam, adres of dossier komen niet helemaal overeen. Controleer dit zelf:",
            );
        }
        for row in &found.perhaps {
            output.say(messages::line(node, row));
        }
        for key in &found.consents_perhaps {
            output.say(format!(
                "Misschien is toestemming {} van deze persoon. Controleer dit zelf, met `schakel toestemming tonen {}`.",
                key.id, key.id
            ));
        }
        if person.place_key().is_none() {
            output.warn(ONLY_BY_NUMBER);
        }
        if !found.complete {
            output.warn(INCOMPLETE);
        }
        output.answer(&serde_json::json!({
            "berichten": found.messages.iter().map(|shown| listing::message(&shown.row)).collect::<Vec<_>>(),
            "misschien": found.perhaps.iter().map(listing::message).collect::<Vec<_>>(),
            "toestemmingen": found.consents.iter().map(|key| key.id).collect::<Vec<_>>(),
            "toestemmingen_misschien": found.consents_perhaps.iter().map(|key| key.id).collect::<Vec<_>>(),
            "volledig": found.complete,
            "alleen_op_bsn": person.place_key().is_none(),
            "raadpleging": found.access,
        }));
        Ok(if found.complete && !perhaps { Ending::Good } else { Ending::NotAllGood })
    }
}

/// What to try when there is nothing.
pub(super) const NOTHING: &str = "Er is niets (meer) over deze persoon. Een bericht kan een eerder adres, een andere achternaam of een tikfout hebben: probeer ook die, en het BSN.";

/// What to try when a person was looked for by number alone.
pub(super) const ONLY_BY_NUMBER: &str = "Let op: er is alleen op BSN gezocht. Berichten waar het BSN niet in staat vindt u zo niet: zoek ook met naam, geboortedatum en adres.";

/// What to do when not everything was looked through.
pub(super) const INCOMPLETE: &str = "Let op: nog niet alles is doorzocht. Laat het knooppunt draaien (`schakel serve`) tot het meldt dat alle berichten te vinden zijn, en zoek opnieuw. Blijft dit zo, controleer dan het logboek met `schakel logboek verify`.";
