use proptest::prelude::*;

use super::*;

fn read(converter: &Converter, text: &str) -> Result<Converted<'static>, String> {
    converter.convert(text).map(Converted::into_owned).map_err(|error| error.problem.into_owned())
}

fn number(value: i64) -> Converted<'static> {
    Converted::Integer(value)
}

fn text(value: &str) -> Converted<'static> {
    Converted::Text(value.to_owned().into())
}

/// Dutch notation of an amount in cents.
fn dutch(cents: i64, grouped: bool) -> String {
    let (euros, rest) = (cents.unsigned_abs() / 100, cents.unsigned_abs() % 100);
    let mut digits = euros.to_string();
    if grouped {
        let mut at = digits.len();
        while at > 3 {
            at -= 3;
            digits.insert(at, '.');
        }
    }
    format!("{}{digits},{rest:02}", if cents < 0 { "-" } else { "" })
}

#[test]
fn amounts_in_dutch_notation() {
    let good = [
        ("508,84", 50_884),
        ("1.746,33", 174_633),
        ("1746,33", 174_633),
        ("12.345.678,90", 1_234_567_890),
        ("508,8", 50_880),
        ("508", 50_800),
        ("1.746", 174_600),
        ("0,05", 5),
        ("€ 508,84", 50_884),
        ("-508,84", -50_884),
        ("0,29", 29),
    ];
    for (written, cents) in good {
        assert_eq!(read(&Converter::Amount, written), Ok(number(cents)), "{written}");
    }
}

#[test]
fn amounts_that_are_not() {
    let point = "heeft een punt waar een komma hoort, of duizendtallen die niet kloppen";
    let other = "is geen bedrag in Nederlandse notatie";
    let bad = [
        ("1.2O4,50", "bevat letters"),
        ("508,84 euro", "bevat letters"),
        ("1746.33", point),
        ("17.46", point),
        ("1.746.33", point),
        ("1,746.33", other),
        ("1746.330,00", other),
        ("508,845", other),
        ("508,", other),
        (",50", other),
        ("--5", other),
        ("+5", other),
        ("5 08,84", other),
        ("1.", point),
        ("1234567890123,00", "is een onmogelijk groot bedrag"),
    ];
    for (written, problem) in bad {
        assert_eq!(read(&Converter::Amount, written), Err(problem.to_owned()), "{written}");
    }
}

#[test]
fn dates_in_both_orders() {
    for written in ["20-01-1974", "20-1-1974", "1974-01-20"] {
        let expected = Converted::Date(jiff::civil::date(1974, 1, 20));
        assert_eq!(read(&Converter::Date, written), Ok(expected), "{written}");
    }
    assert_eq!(read(&Converter::Date, "29-02-2024").map(|date| date.json_kind()), Ok(JsonKind::Text));
}

#[test]
fn dates_that_are_not() {
    let form = "staat niet in de vorm dd-mm-jjjj";
    let bad = [
        ("31-02-1980", "is een dag die niet bestaat"),
        ("29-02-2023", "is een dag die niet bestaat"),
        ("01-13-1980", "is een dag die niet bestaat"),
        ("00-01-1980", "is een dag die niet bestaat"),
        ("01-01-0080", "heeft een jaartal dat niet kan kloppen"),
        ("01-01-2974", "heeft een jaartal dat niet kan kloppen"),
        ("01-01-80", form),
        ("1980-1-1", form),
        ("01/02/1980", form),
        ("+1-01-1980", form),
        ("01-01-1980-", form),
        ("1 januari 1980", form),
    ];
    for (written, problem) in bad {
        assert_eq!(read(&Converter::Date, written), Err(problem.to_owned()), "{written}");
        assert_eq!(read(&Converter::DateFilled, written), Err(problem.to_owned()), "{written}");
    }
}

#[test]
fn filled_is_an_answer_also_when_empty() {
    assert_eq!(read(&Converter::Filled, "x"), Ok(Converted::Flag(true)));
    assert_eq!(read(&Converter::DateFilled, "30-10-2026"), Ok(Converted::Flag(true)));
    for converter in [Converter::Filled, Converter::DateFilled] {
        assert_eq!(converter.when_empty(), Some(Converted::Flag(false)));
    }
    assert_eq!(Converter::YesNo.when_empty(), None);
}

#[test]
fn yes_and_no() {
    for yes in ["J", "j", "Ja", "WAAR", "true", "1", "yes"] {
        assert_eq!(read(&Converter::YesNo, yes), Ok(Converted::Flag(true)), "{yes}");
    }
    for no in ["N", "nee", "Onwaar", "FALSE", "0"] {
        assert_eq!(read(&Converter::YesNo, no), Ok(Converted::Flag(false)), "{no}");
    }
    for neither in ["x", "?", "ja nee", "misschien", "2"] {
        assert_eq!(read(&Converter::YesNo, neither), Err("is geen ja of nee".to_owned()), "{neither}");
    }
}

#[test]
fn postcodes_are_written_one_way() {
    for written in ["4906 AN", "4906AN", "4906an", "4906\u{a0}AN"] {
        assert_eq!(read(&Converter::Postcode, written), Ok(text("4906AN")), "{written}");
    }
    for written in ["491 AB", "0123 AB", "4906 A", "4906 ÄN", "AN 4906", "4906 AN 1", "４906AN"] {
        let expected = Err("is geen Nederlandse postcode".to_owned());
        assert_eq!(read(&Converter::Postcode, written), expected, "{written}");
    }
}

#[test]
fn house_numbers_and_numbers() {
    assert_eq!(read(&Converter::HouseNumber, "19"), Ok(number(19)));
    assert_eq!(read(&Converter::HouseNumber, "19hs"), Err("bevat iets anders dan cijfers".to_owned()));
    for outside in ["0", "100000", "-1"] {
        assert_eq!(read(&Converter::HouseNumber, outside), Err("is geen bestaand huisnummer".to_owned()));
    }
    assert_eq!(read(&Converter::Integer, "-12"), Ok(number(-12)));
    assert_eq!(read(&Converter::Integer, "1234567890123456"), Err("heeft te veel cijfers".to_owned()));
    for not in ["-", "+1", "1,5", "een"] {
        assert_eq!(read(&Converter::Integer, not), Err("bevat iets anders dan cijfers".to_owned()), "{not}");
    }
}

#[test]
fn telephone_numbers_lose_their_punctuation() {
    assert_eq!(read(&Converter::Telephone, "(0123) 45-67.89"), Ok(text("0123456789")));
    assert_eq!(read(&Converter::Telephone, "+31 123 456 789"), Ok(text("+31123456789")));
    for not in ["0123456789 / 0987654321 (werk)", "geen", "06+12", "1234567890123456", "12"] {
        assert_eq!(read(&Converter::Telephone, not), Err("is geen telefoonnummer".to_owned()), "{not}");
    }
}

#[test]
fn text_is_one_line_of_printable_characters() {
    assert_eq!(read(&Converter::Text, "van  der\r\nBerg"), Ok(text("van der Berg")));
    assert_eq!(read(&Converter::Text, "'s-Gravenweg"), Ok(text("'s-Gravenweg")));
    assert_eq!(read(&Converter::Text, "a\u{a0}b"), Ok(text("a b")));
    assert_eq!(read(&Converter::Text, "a\u{7}b"), Err("bevat een onzichtbaar stuurteken".to_owned()));
}

#[test]
fn codes_are_compared_without_capitals_and_spaces() {
    let codes = vec![
        ("geen bezwaar".to_owned(), Converted::Flag(true)),
        ("bezwaar".to_owned(), Converted::Flag(false)),
    ];
    let table = Converter::Codes(CodeTable::new(codes).unwrap());
    assert_eq!(read(&table, "Geen  Bezwaar"), Ok(Converted::Flag(true)));
    assert_eq!(read(&table, "BEZWAAR"), Ok(Converted::Flag(false)));
    let unknown = table.convert("weet niet").unwrap_err();
    assert_eq!(unknown.problem, "staat niet in de lijst van bekende waarden");
    assert_eq!(unknown.remedy, "Gebruik een van: \"geen bezwaar\", \"bezwaar\".");
}

#[test]
fn code_tables_that_are_not() {
    assert_eq!(CodeTable::new(Vec::new()), Err(CodeTableError::Empty));
    let mixed = vec![("a".to_owned(), Converted::Flag(true)), ("b".to_owned(), Converted::Integer(1))];
    assert_eq!(CodeTable::new(mixed), Err(CodeTableError::MixedKinds));
    let twice = vec![("a".to_owned(), Converted::Flag(true)), ("A".to_owned(), Converted::Flag(false))];
    assert_eq!(CodeTable::new(twice), Err(CodeTableError::Twice));
}

#[test]
fn every_kind_of_value_is_described() {
    for (name, converter) in NAMES {
        assert!(!converter.kind().is_empty(), "{name}");
    }
}

proptest! {
    #[test]
    fn amounts_round_trip(cents in -99_999_999_999_999_i64..=99_999_999_999_999, grouped: bool) {
        prop_assert_eq!(read(&Converter::Amount, &dutch(cents, grouped)), Ok(number(cents)));
    }

    #[test]
    fn dates_round_trip(year in 1900_i16..=2100, day in 1_i16..=365) {
        let date = jiff::civil::Date::new(year, 1, 1).unwrap().with().day_of_year(day).build().unwrap();
        for form in ["%d-%m-%Y", "%Y-%m-%d", "%-d-%-m-%Y"] {
            let written = date.strftime(form).to_string();
            prop_assert_eq!(read(&Converter::Date, &written), Ok(Converted::Date(date)), "{}", written);
        }
    }

    #[test]
    fn nothing_panics_and_no_message_repeats_the_value(written in "\\PC{1,30}|[0-9.,€ -]{1,20}|.{1,10}") {
        for (_, converter) in NAMES {
            let trimmed = written.trim();
            if trimmed.is_empty() {
                continue;
            }
            if let Err(error) = converter.convert(trimmed) {
                let said = format!("{} {}", error.problem, error.remedy);
                prop_assert!(trimmed.chars().count() < 8 || !said.contains(trimmed), "{}", said);
            }
        }
    }
}
