//! Who is at the keyboard, for the access log; and what may not stand in it.

use std::os::unix::fs::MetadataExt as _;

use anyhow::Context as _;
use jiff::{Timestamp, civil::Date};
use store::{Access, Actor, Deed, NotAName, Reason, Why};

/// Who the operating system says runs this program.
const SELF: &str = "/proc/self";
/// Which names belong to which numbers.
const ACCOUNTS: &str = "/etc/passwd";
/// Who asked `sudo` to run it: says more than that it was the administrator.
const ON_BEHALF_OF: &str = "SUDO_USER";

/// The person who runs this program, by the account on this machine, and by `employee` when that says more.
pub fn operator(employee: Option<&str>) -> Result<Actor, NotAName> {
    Actor::person(&account(), employee)
}

/// Whether a citizen service number stands in a text, also with points or spaces between its digits. Not with dashes:
/// case numbers have those.
pub fn holds_number(text: &str) -> bool {
    let is_between = |letter: char| matches!(letter, '.' | ' ');
    let parts = text.split(|letter: char| !letter.is_ascii_digit() && !is_between(letter));
    let mut numbers = parts.flat_map(|part| {
        let whole: String = part.chars().filter(char::is_ascii_digit).collect();
        part.split(is_between).map(str::to_owned).chain([whole]).collect::<Vec<_>>()
    });
    numbers.any(|number| schemas::bsn::is_valid(&number))
}

/// A local system that decides by itself to send something, by the name of its connection.
pub fn local_system(connection: &str, when: Timestamp) -> Result<Access, NotAName> {
    let who = Actor::system(connection)?;
    Ok(Access { who, what: Deed::Besluit, why: Why::new(Reason::Dossier, None, None)?, when })
}

fn account() -> String {
    let Ok(process) = std::fs::metadata(SELF) else {
        return std::env::var("USER").unwrap_or_else(|_| "onbekend".to_owned());
    };
    let accounts = std::fs::read_to_string(ACCOUNTS).unwrap_or_default();
    let name = name_of(process.uid(), &accounts);
    match std::env::var(ON_BEHALF_OF) {
        Ok(person) if !person.is_empty() && person != name => format!("{name} ({person})"),
        _ => name,
    }
}

/// When a day begins here.
pub fn start_of(day: Date) -> anyhow::Result<Timestamp> {
    let start = day.to_zoned(exchange::calendar::dutch_time()).context("deze dag bestaat niet")?;
    Ok(start.timestamp())
}

/// The name of an account (passwd(5)); its number when the file does not know it, as with accounts of a directory.
fn name_of(number: u32, accounts: &str) -> String {
    let named = accounts.lines().find_map(|line| {
        let mut fields = line.split(':');
        let (name, _, uid) = (fields.next()?, fields.next()?, fields.next()?);
        (uid.parse() == Ok(number) && !name.is_empty()).then(|| name.to_owned())
    });
    named.unwrap_or_else(|| format!("uid {number}"))
}

#[cfg(test)]
mod tests;
