//! Help and mistakes on the command line, in Dutch. The parser writes English; its few fixed words are replaced here.

use std::{
    io::{self, IsTerminal as _, Write as _},
    process::ExitCode,
};

use clap::{
    Error,
    error::{ContextKind, ContextValue, ErrorKind},
};

/// The fixed words of help, the longer before what they hold.
const WORDS: [(&str, &str); 14] = [
    ("Print this message or the help of the given subcommand(s)", "Deze uitleg, of die van een opdracht"),
    ("Print help (see a summary with '-h')", "Toon deze uitleg (kort met -h)"),
    ("Print help (see more with '--help')", "Toon deze uitleg (meer met --help)"),
    ("Print help", "Toon deze uitleg"),
    ("Print version", "Toon de versie"),
    ("Usage:", "Gebruik:"),
    ("Commands:", "Opdrachten:"),
    ("Arguments:", "Argumenten:"),
    ("Options:", "Opties:"),
    ("[OPTIONS]", "[OPTIES]"),
    ("<COMMAND>", "<OPDRACHT>"),
    ("[default: ", "[standaard: "),
    ("[env: ", "[omgevingsvariabele: "),
    ("[possible values: ", "[keuze: "),
];

/// What the value of an argument looks like, by the argument as usage shows it.
const VALUES: [(&str, &str); 8] = [
    ("<OIN>", "een OIN is 20 tekens: 8 cijfers en daarna cijfers of hoofdletters"),
    (
        "--soort",
        "kies uit gemeente, woningcorporatie, sociale-dienst, uwv, vastelastenpartner, zorgaanbieder, welzijn en wijkteam",
    ),
    ("--luister", "geef IP-ADRES:POORT, bijvoorbeeld 0.0.0.0:8443"),
    ("--aantal", "geef een getal van 1 tot en met 500"),
    ("--na", "geef het nummer van een bericht"),
    ("--stand", "kies uit wacht, toegelaten, geweigerd en onbestelbaar"),
    ("<ID>", "geef het id van een bericht, zoals `schakel berichten --json` het laat zien"),
    ("", "controleer de waarde"),
];

/// Shows help, or says what is wrong with the command line.
pub(super) fn tell(error: &Error) -> ExitCode {
    let shown = |to_terminal: bool| {
        let text = error.render();
        in_dutch(&if to_terminal { text.ansi().to_string() } else { text.to_string() })
    };
    match error.kind() {
        ErrorKind::DisplayHelp | ErrorKind::DisplayVersion => {
            let _ = write!(io::stdout(), "{}", shown(io::stdout().is_terminal()));
            return ExitCode::SUCCESS;
        }
        ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand => {
            let _ = write!(io::stderr(), "{}", shown(io::stderr().is_terminal()));
        }
        _ => {
            let _ = writeln!(io::stderr(), "Fout: {}.{}", mistake(error), usage(error));
        }
    }
    if std::env::args_os().any(|argument| argument == "--json") {
        super::write_line(serde_json::json!({ "fout": mistake(error) }));
    }
    ExitCode::from(2)
}

/// What is wrong, one clause.
fn mistake(error: &Error) -> String {
    let argument = || text(error, ContextKind::InvalidArg);
    let value = text(error, ContextKind::InvalidValue);
    match error.kind() {
        ErrorKind::InvalidSubcommand => {
            let name = text(error, ContextKind::InvalidSubcommand);
            format!("de opdracht `{name}` bestaat niet{}", suggestion(error, ContextKind::SuggestedSubcommand))
        }
        ErrorKind::MissingSubcommand | ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand => {
            "er ontbreekt een opdracht".to_owned()
        }
        ErrorKind::UnknownArgument => {
            let suggestion = suggestion(error, ContextKind::SuggestedArg);
            format!("`{}` hoort niet bij deze opdracht{suggestion}", argument())
        }
        ErrorKind::MissingRequiredArgument => format!("er ontbreekt: {}", argument()),
        ErrorKind::InvalidValue | ErrorKind::NoEquals | ErrorKind::TooFewValues if value.is_empty() => {
            format!("{} heeft een waarde nodig", argument())
        }
        ErrorKind::InvalidValue => {
            format!("`{value}` kan niet bij {}; kies uit {}", argument(), text(error, ContextKind::ValidValue))
        }
        ErrorKind::ValueValidation => format!("`{value}` kan niet bij {}: {}", argument(), hint(&argument())),
        ErrorKind::ArgumentConflict => format!("{} kan hier maar één keer, of niet samen met wat er al staat", argument()),
        ErrorKind::InvalidUtf8 => "een van de argumenten is geen leesbare tekst (UTF-8)".to_owned(),
        _ => format!("de opdrachtregel klopt niet{}", suggestion(error, ContextKind::SuggestedArg)),
    }
}

fn hint(argument: &str) -> &'static str {
    VALUES.iter().find(|(name, _)| argument.contains(name)).map_or("", |(_, hint)| hint)
}

fn suggestion(error: &Error, kind: ContextKind) -> String {
    match text(error, kind) {
        none if none.is_empty() => String::new(),
        name => format!("; bedoelt u `{name}`?"),
    }
}

fn text(error: &Error, kind: ContextKind) -> String {
    match error.get(kind) {
        Some(ContextValue::String(text)) => text.clone(),
        Some(ContextValue::Strings(texts)) => texts.join(", "),
        _ => String::new(),
    }
}

fn usage(error: &Error) -> String {
    match error.get(ContextKind::Usage) {
        Some(ContextValue::StyledStr(usage)) => format!("\n\n{}", in_dutch(&usage.to_string())),
        _ => String::new(),
    }
}

fn in_dutch(text: &str) -> String {
    WORDS.iter().fold(text.to_owned(), |text, (english, dutch)| text.replace(english, dutch))
}

#[cfg(test)]
mod tests;
