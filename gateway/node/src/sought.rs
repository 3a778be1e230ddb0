//! Whom somebody looks for, from how that person is described.

use anyhow::{Context as _, bail};
use exchange::person::Identity;
use serde_json::Value;

/// How to describe a person, for messages to users.
pub(crate) const EXAMPLE: &str = r#"Geef een persoon als {"bsn":"999990342"} of {"naam":{"voorletters":"E.","achternaam":"Brouwer"},"geboortedatum":"1974-01-20","adres":{"postcode":"4906AN","huisnummer":19,"huisnummertoevoeging":"hs"}}"#;

/// The person that is described so. What is wrong is told without anything of the description.
pub(crate) fn identity(said: &Value) -> anyhow::Result<Identity> {
    check(said)?;
    Identity::read(said)
        .with_context(|| format!("er ontbreekt iets om deze persoon mee te vinden. {EXAMPLE}"))
}

/// What would find nobody because it cannot be right.
fn check(said: &Value) -> anyhow::Result<()> {
    if let Some(number) = said.get("bsn")
        && !number.as_str().is_some_and(schemas::bsn::is_valid)
    {
        bail!(
            "het BSN klopt niet: dat zijn negen cijfers die aan de elfproef voldoen. Controleer het nummer"
        );
    }
    if let Some(born) = said.get("geboortedatum")
        && !born.as_str().is_some_and(|born| born.len() == 10 && born.parse::<jiff::civil::Date>().is_ok())
    {
        bail!("de geboortedatum klopt niet: schrijf die als 1974-01-20");
    }
    Ok(())
}
