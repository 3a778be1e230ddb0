//! Figures as CSV (RFC 4180), for a spreadsheet: with semicolons, as Dutch spreadsheets expect, and without anything that one
//! would compute.

/// One line of it, with its line end. Every field is a text between quotes.
pub fn line<'f>(fields: impl IntoIterator<Item = &'f str>) -> String {
    let fields: Vec<String> = fields.into_iter().map(field).collect();
    format!("{}\r\n", fields.join(";"))
}

/// What a spreadsheet takes for a formula begins with an apostrophe: names come from partners, and nothing they call
/// themselves is computed here.
fn field(text: &str) -> String {
    let is_formula =
        text.trim_start().starts_with(['=', '+', '-', '@', '|', '%']) || text.starts_with(['\t', '\r', '\n']);
    let guard = if is_formula { "'" } else { "" };
    // A line end in a field would be a line for who reads only lines.
    let text: String = text.chars().map(|letter| if letter.is_control() { ' ' } else { letter }).collect();
    format!("\"{guard}{}\"", text.replace('"', "\"\""))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_field_is_computed_or_breaks_its_line() {
        for formula in ["=1+1", "+1", "-1", "@SUM(A1)", " =1", "\t=1", "\r=1", "\n=1", "|cmd", "%x"] {
            let line = line([formula]);
            assert!(line.starts_with("\"'"), "{line:?}");
            assert_eq!(line.lines().count(), 1, "{line:?}");
        }
        assert_eq!(line(["Gemeente \"A\"; B", "12", ""]), "\"Gemeente \"\"A\"\"; B\";\"12\";\"\"\r\n");
    }
}
