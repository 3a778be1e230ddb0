//! `schakel demo`.

use std::{
    path::{Path, PathBuf},
    sync::Arc,
};

use anyhow::Context as _;
use clap::Args;

use super::{
    Ending, Output,
    send::{tegengehouden, tell_rows},
    serve::Stop,
    shown,
};
use crate::{
    demo::{self, Outcome},
    system::{SystemClock, SystemRandom},
};

/// Laat vijf organisaties op deze machine echt met elkaar uitwisselen: een woningcorporatie levert haar
/// achterstandenlijst aan, de gemeente ontvangt de signalen met bewijs en koppelt terug, en inwoners gaan warm over.
#[derive(Debug, Args)]
#[command(
    after_help = "Voorbeelden:\n  schakel demo                           laat het zien en blijft draaien\n  schakel demo --once --json             loopt één keer door en geeft de uitkomst als JSON\n  schakel demo --map proef               bewaart alles in proef/, één map per organisatie\n  schakel demo --invoer export.csv       met een eigen achterstandenlijst van dezelfde opmaak\n\nZonder --map worden de knooppunten na afloop opgeruimd; het bewijs en het inzageverslag blijven staan in de tijdelijke map die de demo noemt. Gooi ze daar weg. Met --map krijgt elke organisatie daar een map, en werken daarna alle opdrachten op die mappen, bijvoorbeeld: schakel berichten --map proef/gemeente\nExitcode 1: de uitkomst klopt niet."
)]
pub(super) struct Demo {
    /// Loop één keer door en stop.
    #[arg(long)]
    once: bool,
    /// Een andere achterstandenlijst van dezelfde opmaak.
    #[arg(long, value_name = "BESTAND")]
    invoer: Option<PathBuf>,
}

impl Demo {
    pub(super) async fn run(self, folder: Option<PathBuf>, output: Output) -> anyhow::Result<Ending> {
        let mut stop = Stop::listen()?;
        let temporary = tempfile::Builder::new().prefix("schakel-demo-").tempdir()?;
        let keeps = folder.is_some();
        let root = folder.unwrap_or_else(|| temporary.path().to_owned());
        demo::check_place(&root)?;
        std::fs::create_dir_all(&root)
            .with_context(|| format!("de map {} is niet te maken", root.display()))?;
        // Stopping halfway must clean up too.
        let (demo, outcome) = tokio::select! {
            () = stop.asked() => anyhow::bail!("de demo is gestopt voordat alles was uitgewisseld"),
            shown = self.show(&root, keeps, output) => shown?,
        };
        if !self.once {
            where_to_look(&demo, keeps, output);
            stop.asked().await;
            output.say("De demo stopt.");
        }
        demo.stop().await;
        Ok(if outcome.klopt { Ending::Good } else { Ending::NotAllGood })
    }

    async fn show(&self, root: &Path, keeps: bool, output: Output) -> anyhow::Result<(demo::Demo, Outcome)> {
        let export = demo::place_export(root, self.invoer.as_deref())?;
        // What shows that it happened outlives the demonstration.
        let proofs = if keeps { root.to_owned() } else { std::env::temp_dir() };
        output.say("Vijf organisaties starten, elk met eigen sleutels, certificaat en database…");
        let mut demo = demo::Demo::set_up(root, Arc::new(SystemClock), Arc::new(SystemRandom)).await?;
        output.say(
            "Ze kennen elkaar en hebben samen een convenant ondertekend. De achterstandenlijst gaat op weg…",
        );
        let outcome = demo.exchange(&export, &proofs, &|line| output.say(line)).await?;
        story(&outcome, output);
        let mut answer = serde_json::to_value(&outcome)?;
        answer["bewijs"] = shown(&outcome.bewijs).into();
        answer["inzage"] = shown(&outcome.inzage).into();
        answer["problemen"] = outcome.report.problems.clone().into();
        answer["tegengehouden"] = tegengehouden(&outcome.report).into();
        answer["waarschuwingen"] = outcome.report.warnings.clone().into();
        output.answer(&answer);
        Ok((demo, outcome))
    }
}

fn story(outcome: &Outcome, output: Output) {
    output.say(format!(
        "Woningcorporatie De Sleutel leverde een lijst van {} huurders met een achterstand.",
        outcome.gelezen
    ));
    tell_rows(&outcome.report, output);
    output.say(format!(
        "\nGemeente Rivierstad liet {} signalen toe en koppelde op {} daarvan terug.",
        outcome.toegelaten, outcome.terugkoppelingen
    ));
    output.say(format!(
        "Van {} berichten is de ontvangst bewezen; {} bewijzen gecontroleerd en geldig.\n",
        outcome.ontvangstbewijzen_verwacht, outcome.ontvangstbewijzen_geldig
    ));
    for organisation in &outcome.organisaties {
        output.say(format!(
            "  {}  {:<28} logboek van {:>3} {}",
            organisation.oin,
            organisation.naam,
            organisation.logboek_grootte,
            if organisation.logboek_grootte == 1 { "regel" } else { "regels" }
        ));
    }
    signals_story(outcome, output);
    handover_story(outcome, output);
    consent_story(outcome, output);
    if !outcome.klopt {
        output.warn("\nDe uitkomst klopt niet: de aantallen hierboven sluiten niet op elkaar aan.");
    }
}

/// What the municipality saw of one household.
fn signals_story(outcome: &Outcome, output: Output) {
    let cases = outcome.meervoudige_signalen;
    output.say("\nEén huishouden had ook een achterstand bij Energie Rivierenland. Het knooppunt van de gemeente zag het zelf:");
    let noun = if cases == 1 { "meervoudig signaal" } else { "meervoudige signalen" };
    output.say(format!("  {cases:>3} {noun}, van verhuurder en energieleverancier samen"));
}

/// Who holds which case, and how that came about.
fn handover_story(outcome: &Outcome, output: Output) {
    let told = &outcome.handovers;
    output.say("\nInwoners werden overgedragen. Van elk dossier heeft er steeds één de regie:");
    for holding in &told.regie {
        let what = match holding.verhaal {
            "warm" => "warm, na een vraag en een antwoord, via de sociale dienst",
            "andere-deur" => "UWV wees af en noemde een betere deur",
            "gekruist" => "intrekken en accepteren kruisten elkaar; accepteren telt",
            _ => "niemand antwoordde op een crisis; de klok ging vier uur vooruit en weer terug",
        };
        let holder = outcome.organisaties.iter().find(|one| Some(one.oin) == holding.regie);
        let holder = holder.map_or("niet bekend", |one| one.naam.as_str());
        let sides = if holding.gelijk { "beide kanten zeggen hetzelfde" } else { "de kanten verschillen" };
        output.say(format!("  {holder:<26} {what} ({sides})"));
    }
    output.say(format!(
        "Over dat laatste aanbod kwamen {} herinneringen en {} opschalingen: aan elke kant één van elk.",
        told.herinnerd, told.geescaleerd
    ));
}

/// What happened with the consent of a resident, and where the evidence is.
fn consent_story(outcome: &Outcome, output: Output) {
    let consent = &outcome.toestemming;
    output.say("\nEen inwoner gaf Gemeente Rivierstad toestemming om hulp over te dragen:");
    output.say(format!(
        "  {:>3} overdracht mocht niet weg: {} staat niet in het doel ({})",
        consent.tegengehouden.values().sum::<u64>(),
        consent.te_veel.join(" en "),
        consent.tegengehouden.keys().cloned().collect::<Vec<_>>().join(", ")
    ));
    output.say(format!(
        "  {:>3} overdrachten toegelaten: bij Sociale Dienst De Rivieren, en vandaar bij UWV Rivierenland",
        consent.overdrachten
    ));
    output.say("De inwoner trok de toestemming in:");
    output.say(format!("  {:>3} organisaties kregen bericht", consent.geinformeerd));
    output.say(format!("  {:>3} bevestigden dat zij alles wisten", consent.bevestigd));
    output.say(format!("  {:>3} kopieën zijn nog te lezen", consent.nog_leesbaar));
    output.say(format!(
        "  {:>3} nieuwe overdracht werd tegengehouden ({})",
        consent.daarna_tegengehouden.values().sum::<u64>(),
        consent.daarna_tegengehouden.keys().cloned().collect::<Vec<_>>().join(", ")
    ));
    output.say(format!(
        "Wat de gemeente vóór de intrekking over de inwoner had, staat in het inzageverslag {}",
        outcome.inzage.display()
    ));
    output.say(format!(
        "Het bewijs van de overdracht staat in {}. Controleer het zonder knooppunt:\n  schakel bewijs controleer {}",
        outcome.bewijs.display(),
        outcome.bewijs.display()
    ));
}

fn where_to_look(demo: &demo::Demo, keeps: bool, output: Output) {
    output.say("\nDe organisaties draaien door. Kijk zelf, in een ander venster:");
    for (name, folder) in demo.folders() {
        output.say(format!("  {name:<28} schakel berichten --map {}", folder.display()));
    }
    if let Some((_, municipality)) = demo.folders().next() {
        let folder = municipality.display();
        output.say(format!("Wie heeft de regie, en wat is te laat: schakel overdracht lijst --map {folder}"));
        output.say(format!("Welke signalen horen bij elkaar:       schakel signalen lijst --map {folder}"));
    }
    if !keeps {
        output.say("Bij het stoppen worden de knooppunten opgeruimd; met --map MAP blijven ze bewaard. Het bewijs en het inzageverslag blijven in elk geval staan.");
    }
    output.say("Stop met Ctrl-C.");
}
