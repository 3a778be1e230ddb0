use super::*;

fn read(text: &str) -> anyhow::Result<Identity> {
    sought::identity(&parse(text.as_bytes())?)
}

#[test]
fn reads_a_person() {
    for text in [
        r#"{"bsn":"999990342"}"#,
        r#"{"naam":{"achternaam":"Brouwer"},"geboortedatum":"1974-01-20","adres":{"postcode":"4906 an","huisnummer":19}}"#,
    ] {
        read(text).unwrap();
    }
}

/// Nothing of what was said comes back in what is said about it.
#[test]
fn says_what_is_wrong_and_not_with_whom() {
    for text in [
        "",
        "[]",
        "123456789",
        r#"{"bsn":"123456789"}"#,
        r#"{"bsn":999990342}"#,
        r#"{"naam":{"achternaam":"Kwakkelstein"}}"#,
        r#"{"naam":{"achternaam":"Kwakkelstein"},"geboortedatum":"1974-02-30","adres":{"postcode":"4906AN","huisnummer":19}}"#,
        r#"{"naam":{"achternaam":"Kwakkelstein"},"geboortedatum":"20-01-1974","adres":{"postcode":"4906AN","huisnummer":19}}"#,
        r#"{"naam":{"achternaam":"Kwakkelstein""#,
    ] {
        let said = format!("{:#}", read(text).unwrap_err());
        assert!(!said.contains("Kwakkelstein") && !said.contains("123456789"), "{said}");
    }
    let long = format!(r#"{{"bsn":"{}"}}"#, "9".repeat(20_000));
    assert!(format!("{:#}", read(&long).unwrap_err()).starts_with("dit is geen persoon in JSON"));
}

#[test]
fn dates_may_be_written_as_people_do() {
    assert_eq!(date("20-01-1974"), "1974-01-20");
    assert_eq!(date("2/1/1974"), "1974-01-02");
    assert_eq!(date("1974-01-20"), "1974-01-20");
    assert_eq!(date("januari"), "januari");
}
