//! A mistake in the configuration, in Dutch, with the line it is on.

/// Line, column and what is wrong, and the line itself.
pub(crate) fn explain(text: &str, error: &toml::de::Error) -> String {
    let what = in_dutch(error.message());
    let Some(span) = error.span() else { return what };
    // A table that lacks something spans all its lines; its beginning says enough.
    let before = text.get(..span.start).unwrap_or(text);
    let line = line(text, span.start);
    let column = before.rsplit('\n').next().unwrap_or_default().chars().count() + 1;
    let shown = text.lines().nth(line - 1).unwrap_or_default().trim();
    format!("regel {line}, kolom {column}: {what}\n  {shown}")
}

/// Where the bytes stop being text.
pub(super) fn no_text(error: &std::string::FromUtf8Error) -> String {
    let read = &error.as_bytes()[..error.utf8_error().valid_up_to()];
    let line = String::from_utf8_lossy(read).matches('\n').count() + 1;
    format!("regel {line}: hier staat een teken dat geen UTF-8 is; sla het bestand op als UTF-8")
}

/// The line on which the byte at `position` is, counted from one.
pub(super) fn line(text: &str, position: usize) -> usize {
    text.get(..position).unwrap_or(text).matches('\n').count() + 1
}

fn in_dutch(message: &str) -> String {
    let quoted = |rest: &str| rest.split('`').nth(1).unwrap_or_default().to_owned();
    let choices = |rest: &str| {
        let names: Vec<&str> = rest.split('`').skip(3).step_by(2).collect();
        names.join(", ")
    };
    if message.starts_with("unknown field") {
        return format!("de sleutel `{}` bestaat niet; hier kan: {}", quoted(message), choices(message));
    }
    if message.starts_with("missing field") {
        return format!("de sleutel `{}` ontbreekt", quoted(message));
    }
    if message.starts_with("unknown variant") {
        return format!("`{}` kan hier niet; kies uit {}", quoted(message), choices(message));
    }
    if message.contains("duplicate key") {
        return "deze sleutel staat er twee keer in".to_owned();
    }
    if message.starts_with("expected an OIN") {
        return "dit is geen OIN: dat zijn 20 tekens, 8 cijfers en daarna cijfers of hoofdletters".to_owned();
    }
    if message.contains("socket address") {
        return "dit is geen adres om op te luisteren; schrijf IP-ADRES:POORT, bijvoorbeeld 0.0.0.0:8443"
            .to_owned();
    }
    if let Some(found) = message.strip_prefix("invalid type: ") {
        let expected = found.split(", expected ").nth(1).map_or("iets anders", kind);
        return format!("hier hoort {expected} te staan");
    }
    format!("dit is niet te lezen ({})", message.lines().next().unwrap_or_default())
}

/// What a value should be.
fn kind(expected: &str) -> &str {
    match expected {
        "a boolean" => "true of false",
        "a string" | "path string" => "tekst tussen aanhalingstekens",
        "a sequence" => "een lijst tussen [ en ]",
        text if text.starts_with("struct") => "een tabel met sleutels",
        other => other,
    }
}
