//! `schakel convenant`.

use std::{collections::BTreeMap, path::PathBuf};

use anyhow::{Context as _, bail};
use clap::{Args, Subcommand};
use exchange::{
    agreement::{self, AnswerKind, Standing},
    digest::Digest,
    oin::Oin,
    rulebook::Rulebook,
};
use jiff::Timestamp;
use store::Decision;

use super::{Ending, Output, caller::Decider, dutch_time};
use crate::{
    agreements::{self, outlook},
    node::Node,
};

mod difference;
mod export;
mod history;

/// Spreek met partners af wat voor welk doel mag worden uitgewisseld.
#[derive(Debug, Args)]
#[command(
    after_help = "Voorbeelden:\n  schakel convenant partij > partij.json           het stuk over het eigen knooppunt\n  schakel convenant voorstellen convenant.json     legt een convenant voor aan de andere partijen\n  schakel convenant tonen                          met wie al heeft getekend\n  schakel convenant aanvaarden 81a5b707cc\n\nEen convenant werkt pas als alle partijen het hebben aanvaard."
)]
pub(super) struct Agreement {
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, Subcommand)]
enum What {
    /// Leg een convenant voor aan de andere partijen, en aanvaard het zelf.
    #[command(
        alias = "propose",
        after_help = "Voorbeeld:\n  schakel convenant voorstellen convenant.json\n\nIn de map van het knooppunt staat een voorbeeld: convenant.voorbeeld.json. Vervang daarin elke partij door wat `schakel convenant partij` bij die organisatie geeft, en pas de groep, de data en de OIN's in de afspraken aan. Het bestand is JSON volgens schemas/v1/convenant.schema.json."
    )]
    Voorstellen {
        /// Het convenant.
        bestand: PathBuf,
        #[command(flatten)]
        decider: Decider,
    },
    /// Geef het stuk over dit knooppunt voor in een convenant, met de digests van de eigen doelen.
    #[command(after_help = "Voorbeeld:\n  schakel convenant partij > partij.json")]
    Partij,
    /// Laat de convenanten zien, of één helemaal.
    #[command(
        alias = "show",
        after_help = "Voorbeelden:\n  schakel convenant tonen\n  schakel convenant tonen 81a5b707cc"
    )]
    Tonen {
        /// De digest, of het begin ervan.
        convenant: Option<String>,
    },
    /// Vertel wie wat wanneer heeft gezegd, met de regels in het logboek.
    #[command(
        alias = "history",
        after_help = "Voorbeelden:\n  schakel convenant geschiedenis rivierland      alle versies van de groep\n  schakel convenant geschiedenis 81a5b707cc"
    )]
    Geschiedenis {
        /// De naam van de groep, of de digest of het begin ervan.
        convenant: String,
    },
    /// Vertel wat er in een convenant anders is dan in een ander, ook in de teksten van de doelen.
    #[command(
        alias = "diff",
        after_help = "Voorbeeld:\n  schakel convenant verschil 81a5b707cc 3fe0112ab9      eerst het oude, dan het nieuwe"
    )]
    Verschil {
        /// Het oude: de digest, of het begin ervan.
        oud: String,
        /// Het nieuwe: de digest, of het begin ervan.
        nieuw: String,
    },
    /// Schrijf een convenant met zijn doelen en antwoorden weg, om het zonder Schakel te controleren.
    #[command(
        alias = "export",
        after_help = "Voorbeeld:\n  schakel convenant exporteren 81a5b707cc --naar convenant-rivierland\n\nHoe u het met openssl en jq controleert staat in gateway/PROTOCOL.md, §5.7."
    )]
    Exporteren {
        /// De digest, of het begin ervan.
        convenant: String,
        /// De map; hij mag nog niet bestaan.
        #[arg(long, value_name = "MAP")]
        naar: PathBuf,
    },
    /// Aanvaard een convenant.
    #[command(alias = "accept", after_help = "Voorbeeld:\n  schakel convenant aanvaarden 81a5b707cc")]
    Aanvaarden {
        /// De digest, of het begin ervan.
        convenant: String,
        #[command(flatten)]
        decider: Decider,
    },
    /// Wijs een convenant af.
    #[command(alias = "reject", after_help = "Voorbeeld:\n  schakel convenant afwijzen 81a5b707cc")]
    Afwijzen {
        /// De digest, of het begin ervan.
        convenant: String,
        #[command(flatten)]
        decider: Decider,
    },
    /// Zeg een convenant op. Er gaat dan niets meer onder dit convenant, bij geen van de partijen.
    #[command(
        alias = "end",
        after_help = "Voorbeelden:\n  schakel convenant opzeggen 81a5b707cc            laat zien voor wie het dan eindigt\n  schakel convenant opzeggen 81a5b707cc --zeker    zegt op"
    )]
    Opzeggen {
        /// De digest, of het begin ervan.
        convenant: String,
        /// Zeg echt op. Zonder deze optie staat er alleen voor wie het convenant eindigt.
        #[arg(long)]
        zeker: bool,
        #[command(flatten)]
        decider: Decider,
    },
}

impl Agreement {
    pub(super) async fn run(self, node: &Node, output: Output) -> anyhow::Result<Ending> {
        match self.what {
            What::Voorstellen { bestand, decider } => {
                let text = std::fs::read_to_string(&bestand)
                    .with_context(|| format!("{} is niet te lezen", bestand.display()))?;
                let proposed = agreement::Agreement::parse(&text)?.digest();
                decider.record(node, Decision::ConvenantVoorstellen(proposed)).await?;
                let digest = agreements::propose(&node.core, &text, &node.purposes()?).await?;
                spread(node, digest, output).await
            }
            What::Partij => party(node, output),
            What::Tonen { convenant } => show(node, convenant.as_deref(), output),
            What::Geschiedenis { convenant } => history::show(node, &convenant, output).await,
            What::Verschil { oud, nieuw } => difference::show(node, &oud, &nieuw, output),
            What::Exporteren { convenant, naar } => export::write(node, &convenant, &naar, output),
            What::Aanvaarden { convenant, decider } => {
                answer(node, &convenant, (AnswerKind::Accepted, decider), output).await
            }
            What::Afwijzen { convenant, decider } => {
                answer(node, &convenant, (AnswerKind::Rejected, decider), output).await
            }
            What::Opzeggen { convenant, zeker: false, .. } => would_end(node, &convenant, output),
            What::Opzeggen { convenant, zeker: true, decider } => {
                answer(node, &convenant, (AnswerKind::Ended, decider), output).await
            }
        }
    }
}

async fn answer(
    node: &Node,
    convenant: &str,
    (kind, decider): (AnswerKind, Decider),
    output: Output,
) -> anyhow::Result<Ending> {
    let digest = find(node, convenant)?;
    let decision = match kind {
        AnswerKind::Accepted => Decision::ConvenantAanvaarden(digest),
        AnswerKind::Rejected => Decision::ConvenantAfwijzen(digest),
        AnswerKind::Ended => Decision::ConvenantOpzeggen(digest),
    };
    decider.record(node, decision).await?;
    agreements::answer(&node.core, digest, kind).await?;
    spread(node, digest, output).await
}

/// For whom it would be over. Nobody can take it back.
fn would_end(node: &Node, convenant: &str, output: Output) -> anyhow::Result<Ending> {
    let (digest, rules) = (find(node, convenant)?, node.core.rules());
    let agreement = rules.agreement(digest).context("dit convenant is intussen vergeten")?;
    let parties: Vec<Oin> = agreement.content().partijen.iter().map(|party| party.oin).collect();
    output.say(format!(
        "{} ({}) eindigt dan voor {}. Wat eronder wacht gaat niet meer weg, en opzeggen is niet terug te draaien.",
        agreements::title(agreement),
        agreements::start(digest),
        names(node, &parties)
    ));
    output.say("Er is nog niets opgezegd. Geef de opdracht opnieuw, met --zeker.");
    output.answer(&serde_json::json!({ "convenant": digest, "uitgevoerd": false, "partijen": parties }));
    Ok(Ending::Good)
}

/// Brings the answers to the other parties now, and tells who has them.
async fn spread(node: &Node, digest: Digest, output: Output) -> anyhow::Result<Ending> {
    let about = agreements::About::These([digest].into());
    let results = agreements::spread_about(&node.core, &node.link, about).await?;
    let rules = node.core.rules();
    let agreement = rules.agreement(digest).context(
        "het convenant is intussen vergeten omdat het lang geleden verliep. Stel een nieuwe versie voor",
    )?;
    let standing = tell(node, &agreement.standing(node.core.now()));
    output.say(format!("{} ({}): {standing}.", agreements::title(agreement), agreements::start(digest)));
    let mut problems = Vec::new();
    for result in &results {
        let name = node.name_of(result.to);
        match &result.problem {
            None => output.say(format!("  {name} heeft alle antwoorden.")),
            Some(problem) => {
                let problem = problem.trim_end_matches('.');
                output.say(format!("  {name} heeft nog niet alle antwoorden: {problem}."));
                problems.push(serde_json::json!({ "oin": result.to, "probleem": problem }));
            }
        }
    }
    let all_good = problems.is_empty();
    if !all_good {
        output.say("Een draaiend knooppunt probeert het vanzelf opnieuw. Duurt het lang, dan zegt `schakel partner test` wat er te doen is.");
    }
    output.answer(&serde_json::json!({ "convenant": digest, "stand": standing, "niet_bereikt": problems }));
    Ok(if all_good { Ending::Good } else { Ending::NotAllGood })
}

fn party(node: &Node, output: Output) -> anyhow::Result<Ending> {
    let purposes: Vec<_> = node
        .purposes()?
        .iter()
        .map(|one| serde_json::json!({ "doel": one.content().doel, "doel_digest": one.digest() }))
        .collect();
    let party = serde_json::json!({ "partij": node.party(), "doelen": purposes });
    output.say(serde_json::to_string_pretty(&party)?);
    output.answer(&party);
    Ok(Ending::Good)
}

fn show(node: &Node, convenant: Option<&str>, output: Output) -> anyhow::Result<Ending> {
    let rules = node.core.rules();
    let now = node.core.now();
    let one = convenant.map(|text| find(node, text)).transpose()?;
    let mut shown: Vec<_> =
        rules.agreements().filter(|a| one.is_none_or(|digest| a.digest() == digest)).collect();
    shown.sort_by_key(|agreement| (agreement.content().groep.clone(), agreement.content().versie));
    let mut rows = Vec::new();
    for agreement in shown {
        let content = agreement.content();
        let replaced = outlook::replaced_by(&rules, agreement, node.core.me, now);
        let standing = standing_of(node, agreement, replaced.map(AsRef::as_ref), now);
        let start = agreements::start(agreement.digest());
        let until = if replaced.is_some() { String::new() } else { until(agreement, now) };
        output.say(format!("{start}  {}: {standing}{until}", agreements::title(agreement)));
        if one.is_some() {
            details(node, agreement, output);
        }
        if let Some(earlier) = would_replace(&rules, agreement, now) {
            let earlier = (agreements::title(earlier), agreements::start(earlier.digest()));
            output.say(format!("{:14}Het neemt de plaats in van {} ({}).", "", earlier.0, earlier.1));
            output.say(format!(
                "{:14}Wat er anders is: `schakel convenant verschil {} {start}`.",
                "", earlier.1
            ));
        }
        if waits_for_us(node, agreement, now) {
            output.say(format!("{:14}Aanvaard het met `schakel convenant aanvaarden {start}`, of wijs het af met `afwijzen`.", ""));
        }
        rows.push(serde_json::json!({
            "convenant": agreement.digest(), "groep": content.groep, "versie": content.versie, "stand": standing,
            "vervangen_door": replaced.map(|one| one.digest()),
            "dagen_geldig": outlook::days_left(&rules, agreement, node.core.me, now),
            "inhoud": one.map(|_| content), "antwoorden": agreement.answers().iter()
                .map(|answer| serde_json::json!({ "oin": answer.by, "soort": answer.kind, "tijd": answer.at, "bewijs": answer.jws }))
                .collect::<Vec<_>>(),
        }));
    }
    let soon = outlook::expiring(&rules, node.core.me, now);
    for line in soon.iter().filter(|soon| one.is_none_or(|one| one == soon.agreement)).map(ends_soon) {
        output.say(line);
    }
    if rows.is_empty() {
        output.say("Er zijn nog geen convenanten. Leg er een voor met `schakel convenant voorstellen`.");
    }
    output.answer(&serde_json::json!({ "convenanten": rows }));
    Ok(Ending::Good)
}

fn details(node: &Node, agreement: &agreement::Agreement, output: Output) {
    let content = agreement.content();
    output.say(format!(
        "\nDigest {}\nGeldig van {} tot en met {}.\n\nPartijen",
        agreement.digest(),
        day(content.geldig_van),
        day(content.geldig_tot)
    ));
    let width = content.partijen.iter().map(|party| party.naam.chars().count()).max().unwrap_or(0);
    for party in &content.partijen {
        let answers = agreement.answers().iter().filter(|answer| answer.by == party.oin);
        let said: Vec<String> =
            answers.map(|answer| format!("{} op {}", word(answer.kind), dutch_time(answer.at))).collect();
        let said = if said.is_empty() { "nog geen antwoord".to_owned() } else { said.join(", ") };
        output.say(format!("  {}  {:<width$}  {:<17} {said}", party.oin, party.naam, party.soort));
    }
    let mut by_purpose: BTreeMap<_, Vec<&str>> = BTreeMap::new();
    for clause in &content.afspraken {
        let types = by_purpose.entry((&clause.doel, &clause.van, &clause.naar)).or_default();
        types.extend(clause.berichttypen.iter().map(String::as_str));
    }
    let mut previous = None;
    for ((purpose, from, to), types) in by_purpose {
        if previous.replace(purpose) != Some(purpose) {
            output.say(format!("\nVoor {purpose}"));
        }
        output.say(format!("  van   {}\n  naar  {}", names(node, from), names(node, to)));
        for message_type in types {
            output.say(format!(
                "        {}",
                message_type.trim_start_matches("nl.sociaaldomein.").trim_end_matches(".v1")
            ));
        }
    }
}

/// What to say of an agreement that ends soon.
pub(super) fn ends_soon(soon: &outlook::Expiring) -> String {
    let when = match soon.days {
        0 => "vandaag is de laatste dag".to_owned(),
        1 => "morgen is de laatste dag".to_owned(),
        days => format!("over {days} dagen is de laatste dag"),
    };
    format!(
        "Let op: {} ({}): {when}. Leg op tijd een nieuwe versie voor met `schakel convenant voorstellen`; zonder die gaat er daarna niets meer.",
        soon.title,
        agreements::start(soon.agreement)
    )
}

/// Where an agreement stands for this node: one that was replaced may still be in force by itself.
fn standing_of(
    node: &Node,
    agreement: &agreement::Agreement,
    replaced: Option<&agreement::Agreement>,
    now: Timestamp,
) -> String {
    match (agreement.standing(now), replaced) {
        (Standing::InForce, Some(by)) => {
            format!("vervangen door {} ({})", agreements::title(by), agreements::start(by.digest()))
        }
        (standing, _) => tell(node, &standing),
    }
}

/// Until when, where that still matters.
fn until(agreement: &agreement::Agreement, now: Timestamp) -> String {
    let last = day(agreement.content().geldig_tot);
    match agreement.standing(now) {
        Standing::InForce | Standing::NotYet => format!(", geldig tot en met {last}"),
        Standing::Expired => format!(" na {last}"),
        Standing::Proposed(_) | Standing::Rejected(_) | Standing::Ended(_) => String::new(),
    }
}

/// The version in force whose place a proposal would take.
fn would_replace<'a>(
    rules: &'a Rulebook,
    agreement: &agreement::Agreement,
    now: Timestamp,
) -> Option<&'a agreement::Agreement> {
    if !matches!(agreement.standing(now), Standing::Proposed(_)) {
        return None;
    }
    let content = agreement.content();
    let versions = rules.versions(&content.groep).into_iter().rev().map(AsRef::as_ref);
    let mut earlier = versions.filter(|one: &&agreement::Agreement| one.content().versie < content.versie);
    earlier.find(|one| one.standing(now) == Standing::InForce)
}

fn waits_for_us(node: &Node, agreement: &agreement::Agreement, now: Timestamp) -> bool {
    matches!(agreement.standing(now), Standing::Proposed(waiting) if waiting.contains(&node.core.me))
}

fn names(node: &Node, oins: &[Oin]) -> String {
    oins.iter().map(|oin| node.name_of(*oin)).collect::<Vec<_>>().join(", ")
}

fn day(date: jiff::civil::Date) -> String {
    date.strftime("%d-%m-%Y").to_string()
}

fn find(node: &Node, text: &str) -> anyhow::Result<Digest> {
    let rules = node.core.rules();
    let matches = |digest: &Digest| {
        let full = digest.to_string();
        full.starts_with(text) || full["sha256:".len()..].starts_with(text)
    };
    let found: Vec<Digest> = rules.agreements().map(|agreement| agreement.digest()).filter(matches).collect();
    match found.as_slice() {
        [one] => Ok(*one),
        [] => bail!("er is geen convenant dat zo begint; `schakel convenant tonen` laat zien welke er zijn"),
        _ => bail!(
            "er zijn meer convenanten die zo beginnen; geef meer tekens van de digest, zoals `schakel convenant tonen --json` hem laat zien"
        ),
    }
}

const fn word(kind: AnswerKind) -> &'static str {
    match kind {
        AnswerKind::Accepted => "aanvaard",
        AnswerKind::Rejected => "afgewezen",
        AnswerKind::Ended => "opgezegd",
    }
}

fn tell(node: &Node, standing: &Standing) -> String {
    match standing {
        Standing::InForce => "in werking".to_owned(),
        Standing::NotYet => "door iedereen aanvaard; de eerste dag moet nog komen".to_owned(),
        Standing::Expired => "verlopen".to_owned(),
        Standing::Rejected(by) => format!("afgewezen door {}", node.name_of(*by)),
        Standing::Ended(by) => format!("opgezegd door {}", node.name_of(*by)),
        Standing::Proposed(waiting) => {
            format!("wacht op {}", names(node, waiting))
        }
    }
}
