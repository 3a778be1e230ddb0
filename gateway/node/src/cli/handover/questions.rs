//! Questions about an offer and their answers, from a file: what is asked about a resident stands in no argument.

use std::path::Path;

use anyhow::{Context as _, ensure};
use jiff::Timestamp;
use serde_json::{Value, json};
use uuid::Uuid;

use super::super::consent;
use crate::{handover, node::Node};

/// The questions in a file.
pub(super) fn asking(file: &Path, answer_before: Timestamp) -> anyhow::Result<Value> {
    let questions = numbered(&lines(file)?, "vraag");
    Ok(json!({ "vragen": questions, "antwoord_voor": answer_before }))
}

/// The answers in a file, to what was asked last about the offer that this organisation made.
pub(super) async fn answering(
    node: &Node,
    case: Uuid,
    (file, respond_before): (&Path, Timestamp),
) -> anyhow::Result<Value> {
    let answers = numbered(&lines(file)?, "antwoord");
    let known = handover::case(&node.core, case).await?;
    let known = known.as_ref().map(|(known, _)| known.offers()).unwrap_or_default();
    let mut asked = known.iter().rev().filter(|offer| offer.from == node.core.me);
    let question = asked.find_map(|offer| offer.question);
    let question = question.context(
        "over een aanbod van u in dit dossier is niets gevraagd. `schakel overdracht tonen` laat zien wat er is",
    )?;
    Ok(json!({ "vraag_id": question.id, "antwoorden": answers, "reageren_voor": respond_before }))
}

fn numbered(lines: &[String], name: &str) -> Vec<Value> {
    lines.iter().zip(1..).map(|(line, number)| json!({ "nummer": number, name: line })).collect()
}

/// What stands on the lines of a file that are not empty.
fn lines(file: &Path) -> anyhow::Result<Vec<String>> {
    let text = String::from_utf8(consent::read(file)?).ok();
    let text = text.with_context(|| format!("{} is geen UTF-8", file.display()))?;
    let lines: Vec<String> = text.lines().map(|line| line.trim().to_owned()).collect();
    let lines: Vec<String> = lines.into_iter().filter(|line| !line.is_empty()).collect();
    ensure!(!lines.is_empty(), "{} is leeg; zet er op elke regel één", file.display());
    Ok(lines)
}
