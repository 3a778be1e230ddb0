//! Asking who a search is about. Never as an argument: those stand in lists of processes and in the history of the shell.

use std::{
    io::{self, BufRead as _, IsTerminal as _, Read as _, Write as _},
    path::Path,
};

use anyhow::Context as _;
use exchange::person::Identity;
use serde_json::{Map, Value, json};

use crate::sought::{self, EXAMPLE};

/// The longest description of a person, in bytes: names and an address.
const MAX_BYTES: u64 = 16 * 1024;
/// Standard input, as a file.
const STANDARD_INPUT: &str = "-";

/// The person that is described in `file`, on standard input, or by whoever sits at the terminal; with what was said.
pub(super) fn person(file: Option<&Path>) -> anyhow::Result<(Identity, Value)> {
    let said = match file.filter(|file| *file != Path::new(STANDARD_INPUT)) {
        Some(file) => {
            let opened =
                std::fs::File::open(file).with_context(|| format!("{} is niet te lezen", file.display()))?;
            parse(opened)?
        }
        None if io::stdin().is_terminal() => asked()?,
        None => parse(io::stdin().lock())?,
    };
    Ok((sought::identity(&said)?, said))
}

/// Says nothing of what it read: it is about a person.
fn parse(input: impl io::Read) -> anyhow::Result<Value> {
    let mut text = String::new();
    let read = input.take(MAX_BYTES + 1).read_to_string(&mut text);
    let fits = read.is_ok_and(|bytes| u64::try_from(bytes).is_ok_and(|bytes| bytes <= MAX_BYTES));
    let said = fits.then(|| serde_json::from_str(&text).ok()).flatten();
    said.filter(Value::is_object).with_context(|| format!("dit is geen persoon in JSON. {EXAMPLE}"))
}

fn asked() -> anyhow::Result<Value> {
    let mut said = Map::new();
    let number = ask("BSN (leeg laten als u het niet gebruikt)")?;
    if !number.is_empty() {
        said.insert("bsn".into(), number.into());
    }
    let surname = ask("Achternaam (leeg laten om alleen op BSN te zoeken)")?;
    if !surname.is_empty() {
        let mut name = Map::from_iter([("achternaam".to_owned(), surname.into())]);
        for (field, question) in [("voorvoegsel", "Voorvoegsel"), ("voorletters", "Voorletters")] {
            let answer = ask(question)?;
            if !answer.is_empty() {
                name.insert(field.into(), answer.into());
            }
        }
        said.insert("naam".into(), name.into());
        said.insert("geboortedatum".into(), date(&ask("Geboortedatum (dd-mm-jjjj)")?).into());
        let (code, number) = (ask("Postcode")?, ask("Huisnummer")?);
        let number: u32 = number.parse().context("het huisnummer is een getal; de toevoeging komt apart")?;
        let mut address = json!({ "postcode": code, "huisnummer": number });
        let addition = ask("Toevoeging bij het huisnummer")?;
        if !addition.is_empty() {
            address["huisnummertoevoeging"] = addition.into();
        }
        said.insert("adres".into(), address);
    }
    Ok(said.into())
}

fn ask(question: &str) -> anyhow::Result<String> {
    let mut answer = String::new();
    write!(io::stderr(), "{question}: ")?;
    io::stdin().lock().take(MAX_BYTES).read_line(&mut answer)?;
    Ok(answer.trim().to_owned())
}

/// A date as people here write it, as JSON has it; anything else as it is.
fn date(text: &str) -> String {
    let parts: Vec<&str> = text.split(['-', '/', ' ']).collect();
    match parts.as_slice() {
        [day, month, year] if year.len() == 4 => format!("{year}-{month:0>2}-{day:0>2}"),
        _ => text.to_owned(),
    }
}

#[cfg(test)]
mod tests;
