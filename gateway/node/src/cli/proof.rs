//! `schakel bewijs`: checking evidence, on any machine, without a node.

use std::{io::Read as _, path::PathBuf, str::FromStr};

use anyhow::{Context as _, bail};
use clap::{Args, Subcommand};
use exchange::{
    digest::Digest,
    evidence::{self, MAX_BUNDLE_BYTES, Pins, Report, StepOutcome},
    oin::Oin,
    witness::{ALARM, Alarm, Proven},
};
use serde_json::{Value, json};

use super::{Ending, Output};

/// Controleer bewijs dat een knooppunt gaf, ook op een computer zonder knooppunt.
#[derive(Debug, Args)]
#[command(
    after_help = "Voorbeelden:\n  schakel bewijs controleer bewijs.json\n  schakel bewijs controleer bewijs.json --convenant sha256:3e23…\n  schakel bewijs controleer alarm.json"
)]
pub(super) struct Proof {
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, Subcommand)]
enum What {
    /// Controleer een bewijs van `schakel logboek bewijs`, of een alarm van `schakel logboek alarm`.
    #[command(
        after_help = "Voorbeelden:\n  schakel bewijs controleer bewijs.json\n  schakel bewijs controleer bewijs.json --sleutel 00000099000000002000=KENMERK --json\n\nAlles wordt gecontroleerd met wat in het bestand staat. Dat de sleutels daarin van de organisaties zelf zijn,\nweet u pas als u --convenant of --sleutel geeft, met wat een van de partijen u zelf heeft verteld.\n\nExitcode 1: er klopt iets niet; er staat bij wat."
    )]
    Controleer {
        /// Het bestand.
        bestand: PathBuf,
        /// Het controlegetal van het convenant dat u van een partij hebt gekregen (sha256:…).
        #[arg(long, value_name = "CONTROLEGETAL")]
        convenant: Option<Digest>,
        /// Een sleutel die u van een organisatie hebt gekregen: het kenmerk (kid) van een sleutel voor berichten, of de
        /// logsleutel. Mag vaker.
        #[arg(long, value_name = "OIN=SLEUTEL")]
        sleutel: Vec<Pinned>,
    },
}

/// A key of an organisation.
#[derive(Debug, Clone)]
struct Pinned(Oin, String);

impl FromStr for Pinned {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let (oin, key) = text.split_once('=').ok_or("geef het OIN, een = en de sleutel")?;
        let oin = oin.parse().map_err(|_| "geef voor de = een OIN van twintig tekens")?;
        if key.is_empty() { Err("geef na de = de sleutel") } else { Ok(Self(oin, key.to_owned())) }
    }
}

impl Proof {
    pub(super) fn run(self, output: Output) -> anyhow::Result<Ending> {
        let What::Controleer { bestand, convenant, sleutel } = self.what;
        let text = read(&bestand)?;
        let pins = Pins {
            agreement: convenant,
            keys: sleutel.into_iter().map(|Pinned(oin, key)| (oin, key)).collect(),
        };
        match alarms(&text) {
            Some(found) if pins.agreement.is_some() || !pins.keys.is_empty() => {
                let count = found.len();
                bail!(
                    "dit bestand bevat {count} alarm(en) en geen bewijs van een bericht; vergelijk de logsleutel erin zelf met die in het convenant, en laat --convenant en --sleutel weg"
                )
            }
            Some(found) => Ok(check_alarms(&found, output)),
            None => Ok(tell(&evidence::check(&text, &pins), output)),
        }
    }
}

fn read(path: &std::path::Path) -> anyhow::Result<Vec<u8>> {
    let unreadable = || format!("{} is niet te lezen", path.display());
    let file = std::fs::File::open(path).with_context(unreadable)?;
    let mut text = Vec::new();
    // One more than may be: then it is known to be too large.
    let most = u64::try_from(MAX_BUNDLE_BYTES)? + 1;
    file.take(most).read_to_end(&mut text).with_context(unreadable)?;
    Ok(text)
}

fn tell(report: &Report, output: Output) -> Ending {
    for step in &report.stappen {
        let outcome = match step.uitkomst {
            StepOutcome::Bewezen => "klopt",
            StepOutcome::Onjuist => "KLOPT NIET",
            StepOutcome::NietGecontroleerd => "-",
        };
        output.say(format!("{outcome:<10}  {}", step.uitleg));
    }
    if !report.niet_bewezen.is_empty() {
        output.say("\nDit bewijst het bestand niet:");
        for one in &report.niet_bewezen {
            output.say(format!("  - {one}"));
        }
    }
    let holds = report.holds();
    output.say(match (holds, report.niet_gecontroleerd.as_slice()) {
        (true, []) => "\nHet bewijs klopt.".to_owned(),
        (true, open) => {
            format!("\nWat er in het bewijs staat klopt. Niet gecontroleerd: {}.", open.join("; "))
        }
        (false, _) => "\nHet bewijs klopt niet. Vraag het opnieuw aan wie het gaf; klopt het dan weer niet, dan is er iets veranderd nadat het werd ondertekend.".to_owned(),
    });
    output.answer(&json!({
        "klopt": holds, "stappen": report.stappen, "niet_bewezen": report.niet_bewezen,
        "niet_gecontroleerd": report.niet_gecontroleerd,
    }));
    if holds { Ending::Good } else { Ending::NotAllGood }
}

/// The alarms in a file, if that is what it holds.
fn alarms(text: &[u8]) -> Option<Vec<Value>> {
    let is_alarm = |value: &Value| value["soort"] == ALARM;
    match serde_json::from_slice(text).ok()? {
        Value::Array(list) if !list.is_empty() && list.iter().all(is_alarm) => Some(list),
        one if is_alarm(&one) => Some(vec![one]),
        _ => None,
    }
}

fn check_alarms(found: &[Value], output: Output) -> Ending {
    let mut rows = Vec::new();
    let mut all = true;
    for value in found {
        let (holds, text) = match serde_json::from_value::<Alarm>(value.clone()) {
            Err(_) => (false, "Dit alarm is niet leesbaar.".to_owned()),
            Ok(alarm) => match alarm.check() {
                Err(error) => (false, format!("Dit alarm klopt niet: {error}.")),
                Ok(proven) => (true, explained(&alarm, proven)),
            },
        };
        all &= holds;
        output.say(format!("{:<10}  {text}", if holds { "klopt" } else { "KLOPT NIET" }));
        rows.push(json!({ "klopt": holds, "uitleg": text }));
    }
    output.say("\nVergelijk de logsleutel in het alarm met die in het convenant: daarmee weet u van wie het logboek is.");
    output.answer(&json!({ "klopt": all, "alarmen": rows }));
    if all { Ending::Good } else { Ending::NotAllGood }
}

fn explained(alarm: &Alarm, proven: Proven) -> String {
    let what = format!("Logboek van {}: {}.", alarm.logboek, alarm.aard.explanation());
    match proven {
        Proven::Contradiction => {
            format!("{what} De twee handtekeningen onder de controlepunten bewijzen dat, zonder meer.")
        }
        Proven::Unproven => format!(
            "{what} Beide controlepunten zijn door deze organisatie ondertekend, en er is geen bewijs dat ze van één logboek zijn. Wie eerlijk is kan dat bewijs nog steeds geven: vraag het."
        ),
    }
}
