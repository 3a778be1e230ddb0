use clap::{CommandFactory as _, Parser as _};

use super::*;
use crate::cli::Cli;

fn error(arguments: &[&str]) -> Error {
    Cli::try_parse_from([&["schakel"], arguments].concat()).unwrap_err()
}

/// Every command, by the words that lead to it.
fn commands() -> Vec<Vec<String>> {
    fn below(command: &clap::Command, path: &[String], found: &mut Vec<Vec<String>>) {
        found.push(path.to_vec());
        for sub in command.get_subcommands() {
            below(sub, &[path, &[sub.get_name().to_owned()]].concat(), found);
        }
    }
    let mut found = Vec::new();
    below(&Cli::command(), &[], &mut found);
    found
}

#[test]
fn help_is_dutch_all_over() {
    for path in commands() {
        let arguments: Vec<&str> = path.iter().map(String::as_str).chain(["--help"]).collect();
        let help = in_dutch(&error(&arguments).to_string());
        for english in
            ["Usage", "Commands", "Options", "Arguments", "OPTIONS", "COMMAND", "Print", "default:", "possible"]
        {
            assert!(!help.contains(english), "{path:?} says `{english}`:\n{help}");
        }
    }
}

#[test]
fn a_mistake_is_told_in_dutch_with_what_to_do() {
    let init = ["init", "--naam", "x", "--adres", "a:1"];
    for (arguments, expected) in [
        (vec!["inti"], "de opdracht `inti` bestaat niet; bedoelt u `init`?"),
        (vec!["serve", "--poort", "1"], "`--poort` hoort niet bij deze opdracht"),
        ([&init[..], &["--soort", "gemeente"]].concat(), "er ontbreekt: --oin <OIN>"),
        ([&init[..], &["--oin", "12"]].concat(), "`12` kan niet bij --oin <OIN>: een OIN is 20 tekens"),
        ([&init[..], &["--soort", "dorp"]].concat(), "`dorp` kan niet bij --soort <SOORT>: kies uit gemeente"),
        (vec!["init", "--luister", "x"], "geef IP-ADRES:POORT"),
        (vec!["init", "--oin"], "--oin <OIN> heeft een waarde nodig"),
        (vec!["berichten", "--richting", "op"], "`op` kan niet bij --richting <RICHTING>; kies uit in, uit"),
        (vec!["berichten", "--aantal", "501"], "geef een getal van 1 tot en met 500"),
        (vec!["berichten", "--na", "x"], "geef het nummer van een bericht"),
        (vec!["berichten", "--stand", "x"], "kies uit wacht"),
        (vec!["logboek", "bewijs", "x"], "geef het id van een bericht"),
        (vec!["verstuur", "a", "b", "--aan", "x"], "een OIN is 20 tekens"),
        (vec!["berichten", "--na", "1", "--na", "2"], "maar één keer"),
        (vec!["convenant"], "er ontbreekt een opdracht"),
    ] {
        let told = mistake(&error(&arguments));
        assert!(told.contains(expected), "{arguments:?}: {told}");
    }
}
