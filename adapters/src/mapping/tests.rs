use proptest::prelude::*;

use super::*;

/// The mapping that comes with the program: the example everybody starts from.
const SHIPPED: &str = include_str!("../../../config/adapters/woningcorporatie-achterstanden.toml");

/// The shipped mapping with `from` replaced by `to`.
fn changed(from: &str, to: &str) -> String {
    assert_eq!(SHIPPED.matches(from).count(), 1, "{from}");
    SHIPPED.replace(from, to)
}

/// What is said about the mapping, with the text of the line it points at.
fn complaint(toml: &str) -> (String, String, String) {
    let error = Mapping::parse(toml, "proef.toml").unwrap_err();
    assert_eq!(error.name, "proef.toml");
    let line = toml.lines().nth(error.line - 1).unwrap_or_default();
    (line.to_owned(), error.problem, error.remedy)
}

#[track_caller]
fn refused(from: &str, to: &str, line: &str, problem: &str, remedy: &str) {
    let said = complaint(&changed(from, to));
    assert_eq!((said.0.as_str(), said.1.as_str(), said.2.as_str()), (line, problem, remedy));
}

#[test]
fn the_shipped_mapping_says_what_it_is_for() {
    let mapping = Mapping::parse(SHIPPED, "woningcorporatie-achterstanden.toml").unwrap();
    assert_eq!(mapping.name(), "woningcorporatie-achterstanden");
    assert_eq!(mapping.purpose(), "vroegsignalering-huur");
    assert_eq!(mapping.message_type(), "nl.sociaaldomein.signalen.betalingsachterstand.v1");
    assert_eq!(mapping.recipient(), None);
    assert_eq!(mapping.desk(), Some("schuldhulp"));
}

#[test]
fn the_shipped_mapping_does_not_read_remarks_or_numbers_of_the_source() {
    let mapping = Mapping::parse(SHIPPED, "").unwrap();
    assert!(!mapping.columns().iter().any(|column| column == "Opmerking"));
    // These two only to recognise the line with the total and to check it.
    let pointers = ["Contractnr", "Huurdernr"];
    let used = |column: &str| {
        format!("{:?}", mapping.fields()).contains(&format!("column: {} ", index(&mapping, column)))
    };
    assert!(!pointers.into_iter().any(used));
}

fn index(mapping: &Mapping, column: &str) -> usize {
    mapping.columns().iter().position(|known| known == column).unwrap()
}

#[test]
fn a_recipient_can_be_named() {
    let toml = changed("# ontvanger = ", "ontvanger = ");
    assert_eq!(Mapping::parse(&toml, "").unwrap().recipient(), Some("00000099000000001000"));
    refused(
        "# ontvanger = \"00000099000000001000\"",
        "ontvanger = \"2000\"",
        "ontvanger = \"2000\"",
        "`bericht.ontvanger` heeft een waarde die hier niet kan",
        "Verwacht: een OIN van 20 tekens.",
    );
}

#[test]
fn broken_toml_is_pointed_at() {
    let (line, problem, remedy) =
        complaint(&changed("codering = \"windows-1252\"", "codering = windows-1252"));
    assert_eq!(line, "codering = windows-1252");
    assert!(problem.starts_with("hier klopt de TOML niet ("), "{problem}");
    assert_eq!(remedy, "Vergelijk de regel met de voorbeelden in adapters/README.md.");
}

#[test]
fn an_error_reads_as_a_sentence() {
    let error = Mapping::parse("", "proef.toml").unwrap_err();
    let expected = "mapping proef.toml, regel 1: in het bestand ontbreekt `naam`. Voeg deze sleutel toe; zie adapters/README.md.";
    assert_eq!(error.to_string(), expected);
}

#[test]
fn unknown_keys_are_refused_everywhere() {
    refused(
        "formaat = \"csv\"",
        "formaat = \"csv\"\nscheiding = \";\"",
        "scheiding = \";\"",
        "onbekende sleutel `bestand.scheiding`",
        "Bekend zijn: `codering`, `formaat`, `lege_regels_overslaan`, `scheidingsteken`, `titel`, `titelregels`, `totaal`.",
    );
    refused(
        "loket = \"schuldhulp\"",
        "loketten = \"schuldhulp\"",
        "loketten = \"schuldhulp\"",
        "onbekende sleutel `bericht.loketten`",
        "Bekend zijn: `doel`, `loket`, `ontvanger`, `type`.",
    );
    let typo = "postcode = { kolom = \"Postcode\", als = \"postcode\", optionel = true }";
    refused(
        "postcode = { kolom = \"Postcode\", als = \"postcode\" }",
        typo,
        typo,
        "onbekende sleutel `betrokkene.adres.postcode.optionel`",
        "Bekend zijn: `als`, `codes`, `kolom`, `leeg`, `optioneel`, `verloren_teken`.",
    );
    refused(
        "som_van = \"Saldo\"",
        "som = \"Saldo\"",
        "som = \"Saldo\"",
        "onbekende sleutel `bestand.totaal.som`",
        "Bekend zijn: `aantal_in`, `kolom`, `som_van`, `tekst`.",
    );
}

#[test]
fn places_that_the_message_does_not_have_are_refused() {
    let line = "bedrag = { kolom = \"Saldo\", als = \"bedrag\" }";
    refused(
        "bedrag_in_centen = { kolom = \"Saldo\", als = \"bedrag\" }",
        line,
        line,
        "het bericht heeft geen veld `inhoud.bedrag`",
        "Bekend zijn: `aantal_termijnen`, `achterstand_sinds`, `bedrag_in_centen`, `crisis`, `peildatum`, `soort_schuld`.",
    );
    refused(
        "[inhoud]",
        "[inhoudt]",
        "[inhoudt]",
        "het bericht heeft geen veld `inhoudt`",
        "Bekend zijn: `betrokkene`, `grondslag`, `inhoud`.",
    );
}

#[test]
fn what_the_message_needs_must_be_mapped() {
    refused(
        "crisis = { kolom = \"Vonnis\", als = \"ja-nee\" }",
        "",
        "[inhoud]",
        "het bericht heeft `inhoud.crisis` nodig",
        "Zeg in de mapping waar dit vandaan komt.",
    );
    refused(
        "gewezen-op-schuldhulp = { kolom = \"Gewezen op schuldhulp\", als = \"ja-nee\" }",
        "",
        "[grondslag.voorwaarden]",
        "het bericht heeft `grondslag.voorwaarden.gewezen-op-schuldhulp` nodig",
        "Zeg in de mapping waar dit vandaan komt.",
    );
    refused(
        "geboortedatum = { kolom = \"Geb.datum\", als = \"datum\" }",
        "",
        "[betrokkene]",
        "het bericht heeft `betrokkene.geboortedatum` nodig",
        "Zeg in de mapping waar dit vandaan komt.",
    );
}

#[test]
fn a_converter_must_exist_and_fit_its_place() {
    let line = "huisnummer = { kolom = \"Huisnr\", als = \"nummer\" }";
    refused(
        "huisnummer = { kolom = \"Huisnr\", als = \"huisnummer\" }",
        line,
        line,
        "onbekende omzetter `nummer`",
        "Bekend zijn: `bedrag`, `datum`, `datum-gevuld`, `getal`, `gevuld`, `huisnummer`, `ja-nee`, `postcode`, `tekst`, `telefoon`.",
    );
    let line = "bedrag_in_centen = { kolom = \"Saldo\", als = \"tekst\" }";
    refused(
        "bedrag_in_centen = { kolom = \"Saldo\", als = \"bedrag\" }",
        line,
        line,
        "`inhoud.bedrag_in_centen` krijgt een waarde van het verkeerde soort",
        "Kies bij `als` een omzetter die bij dit veld past.",
    );
    refused(
        "begint_met = \"Peildatum\"\nals = \"datum\"",
        "begint_met = \"Peildatum\"\nals = \"getal\"",
        "peildatum = { titel = \"peildatum\" }",
        "`inhoud.peildatum` krijgt een waarde van het verkeerde soort",
        "Kies bij `als` een omzetter die bij dit veld past.",
    );
}

#[test]
fn fixed_values_must_be_allowed() {
    refused(
        "soort_schuld = \"huur\"",
        "soort_schuld = \"huurschuld\"",
        "soort_schuld = \"huurschuld\"",
        "`inhoud.soort_schuld` kan deze vaste waarde niet hebben",
        "Bekend zijn: `energie`, `huur`, `hypotheek`, `overig`, `water`, `zorgverzekering`.",
    );
    refused(
        "soort = \"wettelijke-verplichting\"",
        "soort = \"wettelijk\"",
        "soort = \"wettelijk\"",
        "`grondslag.soort` kan deze vaste waarde niet hebben",
        "Bekend zijn: `gerechtvaardigd-belang`, `overeenkomst`, `publieke-taak`, `toestemming`, `vitaal-belang`, `wettelijke-verplichting`.",
    );
    let expected =
        "Verwacht: een vaste waarde van het juiste soort, of een tabel met `kolom`, `alle` of `titel`.";
    refused(
        "soort_schuld = \"huur\"",
        "soort_schuld = 5",
        "soort_schuld = 5",
        "`inhoud.soort_schuld` heeft een waarde die hier niet kan",
        expected,
    );
    let line = "crisis = \"nee\"";
    refused(
        "crisis = { kolom = \"Vonnis\", als = \"ja-nee\" }",
        line,
        line,
        "`inhoud.crisis` heeft een waarde die hier niet kan",
        expected,
    );
}

#[test]
fn codes_must_make_sense() {
    let crisis = "crisis = { kolom = \"Vonnis\", als = \"ja-nee\" }";
    let cases = [
        (
            "crisis = { kolom = \"Vonnis\", codes = { } }",
            "`codes` is leeg",
            "Schrijf bijvoorbeeld codes = { \"bezwaar\" = false }.",
        ),
        (
            "crisis = { kolom = \"Vonnis\", codes = { J = true, N = 0 } }",
            "de waarden in `codes` zijn niet van één soort",
            "Schrijf bijvoorbeeld codes = { \"bezwaar\" = false }.",
        ),
        (
            "crisis = { kolom = \"Vonnis\", codes = { J = true, j = false } }",
            "een waarde staat tweemaal in `codes` (hoofdletters tellen niet)",
            "Schrijf bijvoorbeeld codes = { \"bezwaar\" = false }.",
        ),
        (
            "crisis = { kolom = \"Vonnis\", codes = { J = true, \"\" = false } }",
            "een lege waarde in `codes`",
            "Zeg met `leeg = ...` wat een lege cel betekent.",
        ),
        (
            "crisis = { kolom = \"Vonnis\", codes = { J = 1.5 } }",
            "`inhoud.crisis.codes.J` heeft een waarde die hier niet kan",
            "Verwacht: true, false, tekst of een geheel getal.",
        ),
        (
            "crisis = { kolom = \"Vonnis\", als = \"ja-nee\", codes = { J = true } }",
            "`als` en `codes` staan samen bij een veld",
            "Kies een van beide: met `codes` staat vast wat elke waarde betekent.",
        ),
    ];
    for (line, problem, remedy) in cases {
        refused(crisis, line, line, problem, remedy);
    }
    let line = "soort_schuld = { kolom = \"Vonnis\", codes = { J = \"huurschuld\" } }";
    refused(
        "soort_schuld = \"huur\"",
        line,
        line,
        "`inhoud.soort_schuld` kan een van de waarden in `codes` niet hebben",
        "Bekend zijn: `energie`, `huur`, `hypotheek`, `overig`, `water`, `zorgverzekering`.",
    );
}

#[test]
fn options_must_make_sense() {
    let crisis = "crisis = { kolom = \"Vonnis\", als = \"ja-nee\" }";
    let cases = [
        (
            "crisis = { als = \"ja-nee\" }",
            "in [inhoud.crisis] ontbreekt `kolom`",
            "Voeg deze sleutel toe; zie adapters/README.md.",
        ),
        (
            "crisis = { kolom = \"Vonnis\", als = \"ja-nee\", leeg = \"nee\" }",
            "`inhoud.crisis.leeg` heeft een waarde die hier niet kan",
            "Verwacht: een waarde van hetzelfde soort als de omzetter geeft.",
        ),
        (
            "crisis = { kolom = \"Vonnis\", als = \"ja-nee\", leeg = false, optioneel = true }",
            "`leeg` en `optioneel` staan samen bij een veld",
            "Kies een van beide: weglaten of een vaste waarde.",
        ),
        (
            "crisis = { kolom = \"Vonnis\", als = \"ja-nee\", verloren_teken = \"?\" }",
            "`inhoud.crisis.verloren_teken` heeft een waarde die hier niet kan",
            "Verwacht: één teken, bij een tekstveld.",
        ),
        ("crisis = { titel = \"vonnis\" }", "er is geen [bestand.titel.vonnis]", "Bekend zijn: `peildatum`."),
        (
            "crisis = { alle = [] }",
            "`inhoud.crisis.alle` heeft een waarde die hier niet kan",
            "Verwacht: een lijst van tabellen: [{ kolom = \"...\", als = \"ja-nee\" }, ...].",
        ),
        (
            "crisis = { alle = [{ kolom = \"Vonnis\", als = \"tekst\" }] }",
            "dit onderdeel van `alle` geeft geen ja of nee",
            "Gebruik in `alle` omzetters die ja of nee geven, zonder `optioneel`.",
        ),
    ];
    for (line, problem, remedy) in cases {
        refused(crisis, line, line, problem, remedy);
    }
}

#[test]
fn the_file_must_be_described_with_what_exists() {
    refused(
        "codering = \"windows-1252\"",
        "codering = \"ansi\"",
        "codering = \"ansi\"",
        "onbekende codering `ansi`",
        "Bekend zijn: `iso-8859-1`, `iso-8859-15`, `utf-8`, `windows-1252`.",
    );
    refused(
        "formaat = \"csv\"",
        "formaat = \"xlsx\"",
        "formaat = \"xlsx\"",
        "onbekend formaat `xlsx`",
        "Bekend zijn: `csv`.",
    );
    refused(
        "scheidingsteken = \";\"",
        "scheidingsteken = \"a\"",
        "scheidingsteken = \"a\"",
        "`bestand.scheidingsteken` heeft een waarde die hier niet kan",
        "Verwacht: \";\", \",\", \"|\" of \"tab\".",
    );
    refused(
        "titelregels = 5",
        "titelregels = 5000",
        "titelregels = 5000",
        "`bestand.titelregels` heeft een waarde die hier niet kan",
        "Verwacht: een getal van 0 tot en met 50.",
    );
    let (line, problem, _) =
        complaint(&changed("signalen.betalingsachterstand.v1", "signalen.betalingsachterstand.v9"));
    assert_eq!(line, "type = \"nl.sociaaldomein.signalen.betalingsachterstand.v9\"");
    assert_eq!(problem, "onbekend berichttype `nl.sociaaldomein.signalen.betalingsachterstand.v9`");
}

#[test]
fn the_example_in_the_readme_works_as_it_stands() {
    let readme = include_str!("../../README.md");
    let block = |language: &str| {
        let start = format!("```{language}\n");
        readme.split_once(&start).unwrap().1.split_once("```").unwrap().0
    };
    let mapping = Mapping::parse(block("toml"), "README.md").unwrap();
    let records: Vec<_> =
        crate::read(&mapping, block("csv").as_bytes()).unwrap().map(Result::unwrap).collect();
    assert!(matches!(records.as_slice(), [record] if record.outcome.is_ok()), "{records:?}");
}

#[test]
fn the_readme_names_every_converter() {
    let readme = include_str!("../../README.md");
    for (name, _) in crate::convert::NAMES {
        assert!(readme.contains(&format!("\n| `{name}` |")), "{name}");
    }
}

#[test]
fn a_mapping_has_a_size() {
    let large = format!("{SHIPPED}\n#{}", "x".repeat(MAX_BYTES));
    assert_eq!(complaint(&large).1, "het bestand is te groot voor een mapping");
}

proptest! {
    #[test]
    fn a_mapping_with_a_piece_missing_never_panics(start in 0_usize..9000, length in 1_usize..400) {
        let characters: Vec<char> = SHIPPED.chars().collect();
        let start = start.min(characters.len());
        let end = (start + length).min(characters.len());
        let cut: String = characters[..start].iter().chain(&characters[end..]).collect();
        if let Err(error) = Mapping::parse(&cut, "") {
            prop_assert!(error.line >= 1 && error.line <= cut.lines().count() + 1);
        }
    }
}
