use clap::CommandFactory as _;

use super::*;
use crate::cli::Cli;

fn complaint(line: &str) -> String {
    let error = command(Cli::command()).try_get_matches_from(line.split(' ')).unwrap_err();
    explain(&error)
}

#[test]
fn every_command_has_help_in_dutch() {
    fn check(command: &mut Command) {
        let help = command.render_long_help().to_string();
        for english in [
            "Usage",
            "OPTIONS",
            "[default",
            "[aliases",
            "Options",
            "Commands",
            "Arguments",
            "Print help",
            "possible values",
        ] {
            assert!(!help.contains(english), "{english} in the help of {}:\n{help}", command.get_name());
        }
        assert!(help.contains("Gebruik: "), "{help}");
        assert!(help.contains("Voorbeeld"), "{} has no example:\n{help}", command.get_name());
        command.get_subcommands_mut().for_each(check);
    }
    let mut all = command(Cli::command());
    all.build();
    check(&mut all);
}

#[test]
fn the_folder_is_explained_for_what_it_is() {
    let mut all = command(Cli::command());
    let mut help = |name: &str| all.find_subcommand_mut(name).unwrap().render_long_help().to_string();
    assert!(help("serve").contains("met daarin schakel.toml"));
    assert!(help("init").contains("waarin het knooppunt wordt gemaakt"));
    assert!(help("demo").contains("waarin elke organisatie een map krijgt"));
    for line in ["schakel demo --once --map proef", "schakel --map proef demo --json --once"] {
        let found = command(Cli::command()).try_get_matches_from(line.split(' ')).unwrap();
        assert!(found.get_one::<std::path::PathBuf>("map").is_some(), "{line}");
    }
}

#[test]
fn arguments_stand_in_the_order_of_the_call() {
    let mut all = command(Cli::command());
    let help = all.find_subcommand_mut("verstuur").unwrap().render_long_help().to_string();
    let at = |name: &str| help.rfind(name).unwrap();
    assert!(at("<KOPPELING>") < at("<BESTAND>"), "{help}");
}

#[test]
fn a_wrong_call_is_explained() {
    for (line, expected) in [
        ("schakel verzend", "de opdracht verzend bestaat niet"),
        ("schakel partner", "er ontbreekt een opdracht"),
        ("schakel partner test", "er ontbreekt: <OIN>"),
        ("schakel partner test 99", "99 kan niet bij <OIN>; een OIN is 20 tekens"),
        ("schakel verstuur a b --aan 99", "99 kan niet bij --aan <OIN>; een OIN is 20 tekens"),
        ("schakel init --soort dorp", "kies uit gemeente"),
        ("schakel init --luister x", "geef IP-ADRES:POORT"),
        ("schakel berichten --aantal 501", "geef een getal van 1 tot en met 500"),
        ("schakel berichten --na x", "geef het nummer van een bericht"),
        ("schakel berichten --stand x", "kies uit wacht"),
        ("schakel logboek bewijs x", "geef het id van een bericht"),
        ("schakel wissen dossier x", "geef het dossier, zoals `schakel berichten --json`"),
        (
            "schakel wissen dossier 019368b2-0000-7000-8000-000000000000 --reden zomaar",
            "kies uit verzoek, intrekking",
        ),
        ("schakel wissen", "er ontbreekt een opdracht"),
        ("schakel demo --snel", "--snel bestaat hier niet"),
        ("schakel zoek 999990342", "er staat een woord te veel"),
        ("schakel berichten --richting op", "kies uit in, uit"),
        ("schakel berichten --aantal", "heeft een waarde nodig"),
        ("schakel demo --once --once", "kan maar één keer"),
    ] {
        let said = complaint(line);
        assert!(said.contains(expected), "{line}: {said}");
    }
}
