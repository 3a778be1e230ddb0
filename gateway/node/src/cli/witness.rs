//! `schakel logboek partners` and `schakel logboek alarm`: the logs of partners, and what to do when one contradicts
//! itself.

use std::{collections::BTreeMap, path::Path};

use anyhow::Context as _;
use exchange::{oin::Oin, witness::Alarm};
use serde_json::{Value, json};
use store::CosignedCheckpoint;

use super::{Ending, Output, dutch_time, lines, shown};
use crate::{
    node::Node,
    witness::{self, Checked},
};

/// Says which logs contradict themselves.
pub(super) async fn warn(node: &Node, output: Output) -> anyhow::Result<()> {
    let mut logs: Vec<Oin> = node.core.store.alarms().await?.iter().map(|(_, alarm)| alarm.log).collect();
    logs.dedup();
    for log in logs {
        let whose = if log == node.core.me { "dit knooppunt".to_owned() } else { node.name_of(log) };
        output.warn(format!(
            "ALARM: het logboek van {whose} ({log}) spreekt zichzelf tegen. Zie `schakel logboek partners`."
        ));
    }
    Ok(())
}

/// How the logs of the partners are, as far as this node saw.
pub(super) async fn partners(node: &Node, now: bool, output: Output) -> anyhow::Result<Ending> {
    let (core, me) = (&node.core, node.core.me);
    let mut problems = BTreeMap::new();
    if now {
        for oin in core.partners().keys() {
            problems.extend(check(node, *oin).await?.map(|problem| (*oin, problem)));
        }
    }
    // What was just found counts too.
    let alarms = alarms(node).await?;
    let ours = core.store.cosigned(me, None).await?;
    let all_answered = problems.is_empty();
    let mut partners: Vec<Oin> = core.partners().keys().copied().collect();
    partners.extend(alarms.iter().map(|(_, alarm)| alarm.logboek).filter(|log| *log != me));
    partners.sort_unstable();
    partners.dedup();
    let mut rows = Vec::new();
    for oin in partners {
        let seen = core.store.cosigned(oin, Some(me)).await?;
        let by_them = latest(ours.iter().filter(|one| one.witness == oin));
        let row = Row { oin, seen: latest(seen.iter()), by_them, problem: problems.remove(&oin) };
        row.say(node, output);
        say_alarms(node, &alarms, oin, output);
        rows.push(row.json(node, &alarms));
    }
    if rows.is_empty() {
        output.say("Er zijn nog geen partners. Voeg er een toe met `schakel partner toevoegen`.");
    }
    let own: Vec<Value> = of(&alarms, me).map(|(index, alarm)| about(*index, alarm)).collect();
    if !own.is_empty() {
        output.say(format!("{me}  {} (dit knooppunt)", node.name_of(me)));
        say_alarms(node, &alarms, me, output);
    }
    let good = alarms.is_empty() && all_answered;
    output.answer(&json!({ "partners": rows, "eigen_alarmen": own }));
    Ok(if good { Ending::Good } else { Ending::NotAllGood })
}

/// Asks one partner; gives why that said nothing, if so.
async fn check(node: &Node, oin: Oin) -> anyhow::Result<Option<String>> {
    Ok(match witness::check(&node.core, &node.link, oin).await? {
        Checked::Whole(_) | Checked::NoKey => None,
        Checked::Contradicts(how) => Some(how.explanation().to_owned()),
        Checked::Unanswered(reason) => Some(reason),
    })
}

fn latest<'a>(checkpoints: impl Iterator<Item = &'a CosignedCheckpoint>) -> Option<&'a CosignedCheckpoint> {
    checkpoints.max_by_key(|one| (one.at, one.size))
}

/// What is known of one partner.
struct Row<'a> {
    oin: Oin,
    /// What this node saw of its log.
    seen: Option<&'a CosignedCheckpoint>,
    /// What it saw of the log of this node.
    by_them: Option<&'a CosignedCheckpoint>,
    problem: Option<String>,
}

impl Row<'_> {
    fn say(&self, node: &Node, output: Output) {
        let seen = self.seen.map_or_else(
            || "nog niet gecontroleerd".to_owned(),
            |seen| format!("gecontroleerd tot en met {} op {}", lines(seen.size), dutch_time(seen.at)),
        );
        output.say(format!("{}  {}  {seen}", self.oin, node.name_of(self.oin)));
        if let Some(ours) = self.by_them {
            output.say(format!(
                "{:22}Deze partner zag {} van ons logboek, op {}.",
                "",
                lines(ours.size),
                dutch_time(ours.at)
            ));
        }
        if let Some(problem) = &self.problem {
            output.say(format!("{:22}De controle van nu: {}.", "", problem.trim_end_matches('.')));
        }
    }

    fn json(&self, node: &Node, alarms: &[(u64, Alarm)]) -> Value {
        let checkpoint =
            |one: &CosignedCheckpoint| json!({ "grootte": one.size, "tijd": one.at, "checkpoint": one.note });
        let alarms: Vec<Value> = of(alarms, self.oin).map(|(index, alarm)| about(*index, alarm)).collect();
        json!({
            "oin": self.oin, "naam": node.name_of(self.oin), "gecontroleerd": self.seen.map(checkpoint),
            "medeondertekend": self.by_them.map(checkpoint), "probleem": self.problem, "alarmen": alarms,
        })
    }
}

fn of(alarms: &[(u64, Alarm)], log: Oin) -> impl Iterator<Item = &(u64, Alarm)> {
    alarms.iter().filter(move |(_, alarm)| alarm.logboek == log)
}

fn about(index: u64, alarm: &Alarm) -> Value {
    json!({ "regel": index, "aard": alarm.aard, "tijd": alarm.tijd })
}

fn say_alarms(node: &Node, alarms: &[(u64, Alarm)], log: Oin, output: Output) {
    let mut any = false;
    for (index, alarm) in of(alarms, log) {
        any = true;
        output.say(format!(
            "{:22}ALARM van {} (regel {index} van ons logboek): {}.",
            "",
            dutch_time(alarm.tijd),
            alarm.aard.explanation()
        ));
    }
    if any {
        output.say(format!("{:22}{}", "", what_to_do(node, log)));
    }
}

/// What an alarm looks like in practice, and what to do.
fn what_to_do(node: &Node, log: Oin) -> String {
    if log == node.core.me {
        return "Meestal is een oudere kopie van de database teruggezet: wat daarna is ontvangen en verstuurd staat er dan niet meer in. Stop het knooppunt, bewaar deze database, en zet de nieuwste kopie terug als die er is. Is er geen, zeg dan aan elke partner vanaf welke regel het logboek anders is (`schakel logboek verify --partners`), spreek af welke berichten opnieuw gaan, en waarschuw de privacy officer. Het alarm blijft staan.".to_owned();
    }
    format!(
        "Bel de beheerder van {}: is daar een oudere kopie van de database teruggezet? Dan zijn berichten die daarna zijn afgeleverd daar mogelijk weg. De ontvangstbewijzen hier bewijzen wat er is ontvangen; spreek af wat opnieuw moet. Is het dat niet, dan is het logboek vervalst: waarschuw de privacy officer en stuur het bewijs mee (`schakel logboek alarm --naar BESTAND`). Berichten gaan intussen door. Het alarm blijft staan.",
        node.name_of(log)
    )
}

/// Every alarm as evidence, with its place in the log.
async fn alarms(node: &Node) -> anyhow::Result<Vec<(u64, Alarm)>> {
    let kept = node.core.store.alarms().await?;
    let read = |(index, raised): (u64, store::RaisedAlarm)| {
        let alarm = serde_json::from_str(&raised.evidence);
        Ok((index, alarm.context("een opgeslagen alarm is niet leesbaar; bewaar een kopie van de database")?))
    };
    kept.into_iter().map(read).collect()
}

/// Writes the alarms where others can check them.
pub(super) async fn export(node: &Node, path: &Path, output: Output) -> anyhow::Result<Ending> {
    let alarms: Vec<Alarm> = alarms(node).await?.into_iter().map(|(_, alarm)| alarm).collect();
    if alarms.is_empty() {
        output.say("Er zijn geen alarmen; er is niets geschreven.");
        output.answer(&json!({ "alarmen": 0, "bestand": null }));
        return Ok(Ending::Good);
    }
    let text = serde_json::to_string_pretty(&alarms)?;
    std::fs::write(path, text).with_context(|| format!("{} is niet te schrijven", path.display()))?;
    output.say(format!(
        "{} in {}. Ieder kan het controleren met `schakel bewijs controleer {}`.",
        if alarms.len() == 1 {
            "Eén alarm staat".to_owned()
        } else {
            format!("{} alarmen staan", alarms.len())
        },
        path.display(),
        path.display()
    ));
    output.answer(&json!({ "alarmen": alarms.len(), "bestand": shown(path) }));
    Ok(Ending::Good)
}
