//! `schakel dataverwerkingen`.

use std::path::PathBuf;

use clap::Args;
use serde_json::{Value, json};
use store::{DataSubject, Deed};

use super::{Ending, Output, ask, caller::Caller, dutch_time};
use crate::{
    node::Node,
    processing_log::{Deriver, Record},
};

/// Records derived at a time.
const PART: usize = 256;

/// Laat zien wat er met persoonsgegevens is gedaan, zoals het in het Logboek Dataverwerkingen komt, en hoe ver dat is
/// bijgewerkt. Namen en nummers staan er versleuteld in.
#[derive(Debug, Args)]
#[command(
    after_help = "Voorbeelden:\n  schakel dataverwerkingen\n  schakel dataverwerkingen --vanaf 1041 --aantal 500 --json\n  schakel dataverwerkingen --betrokkene persoon.json --reden inzageverzoek --kenmerk Z-2026-0412 --json\n\nDe persoon in JSON: {\"bsn\":\"999990342\"}, of naam, geboortedatum en adres zoals in een bericht.\nExitcode 1: het bijwerken van het Logboek lukt niet, of het Logboek nam iets niet aan."
)]
pub(super) struct Processings {
    /// Begin bij de regel van het logboek met dit nummer.
    #[arg(long, value_name = "NUMMER", default_value_t = 0)]
    vanaf: u64,
    /// Hoeveel verwerkingen; zonder deze optie 50, hooguit 1000.
    #[arg(long, default_value_t = 50, value_parser = clap::value_parser!(u16).range(1..=1000))]
    aantal: u16,
    /// Alleen die over één persoon. Wie het is staat in het bestand, in JSON; zonder bestand, of met -, vraagt het
    /// programma het of leest het van standaardinvoer. Wie zoekt en waarom komt in het logboek.
    #[arg(long, value_name = "BESTAND", num_args = 0..=1)]
    #[expect(clippy::option_option, reason = "not asked for, asked for, asked for with a file")]
    betrokkene: Option<Option<PathBuf>>,
    #[command(flatten)]
    caller: Caller,
}

impl Processings {
    pub(super) async fn run(self, node: &Node, output: Output) -> anyhow::Result<Ending> {
        let person = match &self.betrokkene {
            Some(file) => {
                let access = self.caller.access_to_person(Deed::Zoeken, node.core.now())?;
                let (identity, _) = ask::person(file.as_deref())?;
                // What is about the person follows from the log below; this puts on record that somebody looked.
                node.core.store.search(access, &identity).await?;
                Some(node.core.store.data_subjects(&identity)?)
            }
            None => None,
        };
        let (records, next) = self.find(node, person.as_deref(), output).await?;
        for record in &records {
            output.say(line(node, record));
        }
        if records.is_empty() {
            output.say("Er zijn geen verwerkingen die hieraan voldoen.");
        } else if let Some(next) = next {
            output.say(format!("Er kan meer zijn: ga verder met --vanaf {next}."));
        }
        let (export, good) = export_state(node, output).await?;
        output.answer(&json!({
            "dataverwerkingen": records.iter().map(as_json).collect::<Vec<_>>(), "vanaf": next, "export": export,
        }));
        Ok(if good { Ending::Good } else { Ending::NotAllGood })
    }

    /// The records that were asked for, and where to go on; nothing when the end of the log was reached. Of one entry all
    /// or none, so there may be more than were asked for.
    async fn find(
        &self,
        node: &Node,
        person: Option<&[DataSubject]>,
        output: Output,
    ) -> anyhow::Result<(Vec<Record>, Option<u64>)> {
        let settings = node.config.dataverwerkingen.as_ref();
        let deriver = Deriver::new(&node.core, settings.and_then(|settings| settings.register.as_deref()));
        let bar = output.progress(Some(node.core.store.log_size().await?), "logboek");
        let (mut found, mut from) = (Vec::new(), self.vanaf);
        let wanted = |record: &Record| {
            person
                .is_none_or(|person| record.subject.as_ref().is_some_and(|subject| person.contains(subject)))
        };
        while found.len() < self.aantal.into() {
            let enough = PART.min(usize::from(self.aantal) - found.len());
            let part = deriver.records(from, enough).await?;
            if part.next == from {
                bar.finish_and_clear();
                return Ok((found, None));
            }
            from = part.next;
            bar.set_position(from);
            found.extend(part.records.into_iter().filter(wanted));
        }
        bar.finish_and_clear();
        Ok((found, Some(from)))
    }
}

fn line(node: &Node, record: &Record) -> String {
    let partner = record.foreign.map(|(_, partner)| format!("  van {}", node.name_of(partner)));
    format!(
        "{:>8}  {}  {} ({})  {}{}  spoor {} handeling {}",
        record.operation.entry,
        dutch_time(record.operation.time),
        record.operation.name,
        record.operation.status.as_str(),
        record.activity,
        partner.unwrap_or_default(),
        record.context.trace,
        record.context.operation,
    )
}

fn as_json(record: &Record) -> Value {
    let foreign = record.foreign.map(|(foreign, partner)| {
        json!({
            "trace_id": foreign.trace.to_string(), "operation_id": foreign.operation.to_string(),
            "entity": format!("urn:nld:oin:{partner}"),
        })
    });
    json!({
        "regel": record.operation.entry,
        "trace_id": record.context.trace.to_string(),
        "operation_id": record.context.operation.to_string(),
        "foreign_operation": foreign,
        "status_code": record.operation.status.code(),
        "name": record.operation.name,
        "start_time": record.operation.time,
        "end_time": record.operation.time,
        "processing_activity_id": record.activity,
        "data_subject_id": record.subject.as_ref().map(|subject| &subject.id),
        "data_subject_id_type": record.subject.as_ref().map(|subject| subject.kind.as_str()),
        "bericht": record.message,
        "berichttype": record.message_type,
    })
}

/// How far the export is, and whether all is well with it.
async fn export_state(node: &Node, output: Output) -> anyhow::Result<(Value, bool)> {
    let address = node.config.dataverwerkingen.as_ref().and_then(|settings| settings.adres.as_deref());
    let Some(address) = address else {
        output.say("Dit knooppunt brengt verwerkingen nergens heen: er staat geen `adres` bij [dataverwerkingen] in schakel.toml.");
        return Ok((Value::Null, true));
    };
    let state = node.core.store.exported().await?;
    let size = node.core.store.log_size().await?;
    let waiting = size.saturating_sub(state.next);
    output.say(format!(
        "Naar {address}: bijgewerkt tot regel {}, {} te gaan; {} verwerkingen gebracht.",
        state.next,
        super::lines(waiting),
        state.records
    ));
    if let Some(failure) = &state.failure {
        output.warn(format!("Let op: {failure}. Het knooppunt blijft het proberen; er raakt niets kwijt."));
    }
    if state.rejected > 0 {
        output.warn(format!(
            "Let op: {} verwerkingen nam het Logboek niet aan. Vraag de beheerder van het Logboek waarom.",
            state.rejected
        ));
    }
    let good = state.failure.is_none() && state.rejected == 0;
    let answer = json!({
        "adres": address, "tot": state.next, "te_gaan": waiting, "gebracht": state.records,
        "niet_aangenomen": state.rejected, "laatst_gelukt": state.last_success, "laatst_mislukt": state.last_failure,
        "probleem": state.failure, "pogingen": state.failures,
    });
    Ok((answer, good))
}
