//! The command line in Dutch: headings, help and what is wrong with a call.

use clap::{
    Arg, ArgAction, Command,
    error::{ContextKind, ContextValue, ErrorKind},
};

const TEMPLATE: &str = "{about-with-newline}\nGebruik: {usage}\n\n{all-args}{after-help}\n";

/// The command and everything below it, in Dutch.
pub(super) fn command(command: Command) -> Command {
    let mut whole = headings(command);
    whole.build();
    // Each where it stands: a built command finds its arguments by their position.
    for (name, help) in FOLDERS {
        let explain = |one: Arg| if one.get_id() == "map" { one.help(help) } else { one };
        whole = whole.mut_subcommand(name, |one| one.mut_args(explain));
    }
    usage(whole)
}

/// What the folder is for the commands that are not about a node that is there.
const FOLDERS: [(&str, &str); 2] = [
    (
        "demo",
        "De map waarin elke organisatie een map krijgt: een lege, een nieuwe of die van een eerdere demo. Zonder deze optie worden de knooppunten na afloop opgeruimd",
    ),
    ("init", "De map waarin het knooppunt wordt gemaakt; zonder deze optie de huidige map"),
];

/// What a call looks like, with the Dutch word for options.
fn usage(mut command: Command) -> Command {
    let usage = command.render_usage().to_string();
    let usage = usage.trim_start_matches("Usage: ").replace("[OPTIONS]", "[OPTIES]");
    let names: Vec<String> = command.get_subcommands().map(|one| one.get_name().to_owned()).collect();
    names
        .into_iter()
        .fold(command.override_usage(usage), |whole, name| whole.mut_subcommand(name, self::usage))
}

fn headings(command: Command) -> Command {
    let help = Arg::new("hulp").long("help").short('h').action(ArgAction::Help).help("Toon deze uitleg");
    let names: Vec<String> = command.get_subcommands().map(|one| one.get_name().to_owned()).collect();
    let arguments: Vec<_> = command.get_arguments().map(|one| one.get_id().clone()).collect();
    let mut command = command
        .help_template(TEMPLATE)
        .disable_help_flag(true)
        .disable_help_subcommand(true)
        .subcommand_help_heading("Opdrachten")
        .subcommand_value_name("OPDRACHT")
        .arg(help.help_heading("Opties"));
    for (position, id) in arguments.into_iter().enumerate() {
        command = command.mut_arg(id, |one| {
            let takes_value = one.get_action().takes_values();
            // In the order of the call; under a heading of one's own they would stand by name.
            let one = if one.is_positional() {
                one.help_heading("Argumenten").display_order(position)
            } else {
                one.help_heading("Opties")
            };
            if takes_value { one.hide_possible_values(true).hide_default_value(true) } else { one }
        });
    }
    for name in names {
        command = command.mut_subcommand(name, headings);
    }
    command
}

/// What is wrong with a call and what to do about it.
pub(super) fn explain(error: &clap::Error) -> String {
    let text = |kind| error.get(kind).map(words).unwrap_or_default();
    let (argument, value) = (text(ContextKind::InvalidArg), text(ContextKind::InvalidValue));
    let what = match error.kind() {
        ErrorKind::MissingRequiredArgument => format!("er ontbreekt: {argument}"),
        // What is no option may be a number or a name: never said again.
        ErrorKind::UnknownArgument if !argument.starts_with('-') => {
            "er staat een woord te veel. Persoonsgegevens horen nooit in een opdracht: die blijven in de geschiedenis staan".to_owned()
        }
        ErrorKind::UnknownArgument => format!("{argument} bestaat hier niet"),
        ErrorKind::InvalidSubcommand => {
            format!("de opdracht {} bestaat niet", text(ContextKind::InvalidSubcommand))
        }
        ErrorKind::MissingSubcommand | ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand => {
            "er ontbreekt een opdracht".to_owned()
        }
        ErrorKind::ArgumentConflict => {
            format!("{argument} kan maar één keer, of niet samen met wat er al staat")
        }
        ErrorKind::InvalidValue if value.is_empty() => format!("{argument} heeft een waarde nodig"),
        ErrorKind::InvalidValue => {
            format!("{value} kan niet bij {argument}; kies uit {}", text(ContextKind::ValidValue))
        }
        ErrorKind::ValueValidation => {
            format!("{value} kan niet bij {argument}; {}", expected(&argument))
        }
        _ => "deze aanroep klopt niet".to_owned(),
    };
    format!("{what}.\nMet --help staat er uitleg met voorbeelden.")
}

/// What the value of an argument looks like, by the argument as a call shows it.
fn expected(argument: &str) -> &'static str {
    const VALUES: [(&str, &str); 26] = [
        (
            "<TOESTEMMING>",
            "geef het nummer van een toestemming, zoals `schakel toestemming tonen` het laat zien",
        ),
        ("--wijze", "kies uit schriftelijk, mondeling en digitaal"),
        (
            "<DOCUMENTSOORT>",
            "geef de naam van een schema, zoals overdracht-aangeboden; ze staan in schemas/README.md",
        ),
        ("<DOSSIER>", "geef het dossier, zoals `schakel berichten --json` het laat zien"),
        ("<OIN>", "een OIN is 20 tekens: 8 cijfers en daarna cijfers of hoofdletters"),
        (
            "--soort",
            "kies uit gemeente, woningcorporatie, sociale-dienst, uwv, vastelastenpartner, zorgaanbieder, welzijn en wijkteam",
        ),
        (
            "<SOORT>",
            "kies uit gemeente, woningcorporatie, sociale-dienst, uwv, vastelastenpartner, zorgaanbieder, welzijn en wijkteam",
        ),
        ("--regel", "geef het nummer van een regel"),
        ("--luister", "geef IP-ADRES:POORT, bijvoorbeeld 0.0.0.0:8443"),
        ("--aantal", "geef een getal van 1 tot en met 500"),
        ("--dossier", "geef het dossiernummer (een UUID) zoals `schakel berichten --json` het laat zien"),
        ("--bericht", "geef het nummer van een bericht"),
        ("--ook", "geef het nummer van een bericht"),
        ("--voor", "geef het nummer van een raadpleging"),
        ("--vanaf", "geef een dag als 2026-11-22"),
        ("--tot", "geef een dag als 2026-11-22"),
        (
            "--reden",
            "kies uit dossier, inzageverzoek, correctieverzoek, wisverzoek, bezwaar, controle, incident, bewijs en beheer",
        ),
        ("--omdat", "kies uit anders-geregeld, niet-meer-nodig, verkeerde-ontvanger en ontvanger-gestopt"),
        ("--van", "geef een dag als 2026-11-22"),
        ("--sinds", "geef een dag als 2026-11-22"),
        ("--bevestig", "geef een getal"),
        ("<STAND>", "kies uit wacht, onbestelbaar, geweigerd en opgegeven"),
        ("<NUMMER>", "geef het nummer van een bericht"),
        ("--na", "geef het nummer van een bericht"),
        ("--stand", "kies uit wacht, toegelaten, geweigerd en onbestelbaar"),
        ("ID>", "geef het id van een bericht of zijn nummer, zoals `schakel berichten --json` het laat zien"),
    ];
    let known = VALUES.iter().find(|(name, _)| argument.contains(name));
    known.map_or("controleer de waarde", |(_, expected)| expected)
}

fn words(value: &ContextValue) -> String {
    match value {
        ContextValue::String(text) => text.clone(),
        ContextValue::Strings(texts) => texts.join(", "),
        other => other.to_string(),
    }
}

#[cfg(test)]
mod tests;
