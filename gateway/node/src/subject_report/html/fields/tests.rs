use super::*;

fn text(name: &str, holds: &str) -> ReadableField {
    let meaning = Some(format!("Uitleg van {name}."));
    ReadableField { name: name.into(), label: name.into(), meaning, holds: Reading::Text(holds.into()) }
}

fn group(name: &str, inner: Vec<ReadableField>) -> ReadableField {
    ReadableField { holds: Reading::Fields(inner), ..text(name, "") }
}

fn line(inner: Vec<ReadableField>) -> Option<String> {
    on_one_line(&group("groep", inner))
}

#[test]
fn names_and_addresses_are_written_as_people_write_them() {
    let name = vec![text("achternaam", "Brouwer"), text("voorletters", "E."), text("voorvoegsel", "van den")];
    assert_eq!(line(name).as_deref(), Some("E. van den Brouwer"));
    let address = vec![
        text("huisnummer", "19"),
        text("huisnummertoevoeging", "hs"),
        text("postcode", "4906AN"),
        text("straat", "Lindelaan"),
        text("woonplaats", "Rivierstad"),
    ];
    assert_eq!(line(address.clone()).as_deref(), Some("Lindelaan 19 hs, 4906AN Rivierstad"));
    let without: Vec<_> = address.into_iter().filter(|part| part.name != "huisnummertoevoeging").collect();
    assert_eq!(line(without).as_deref(), Some("Lindelaan 19, 4906AN Rivierstad"));
    let who = vec![text("functie", "consulent"), text("organisatie", "Gemeente")];
    assert_eq!(line(who).as_deref(), Some("consulent, Gemeente"));
    assert_eq!(line(vec![text("omschrijving", "Goed.")]).as_deref(), Some("Goed."));
    assert_eq!(
        line(vec![group("wonen", vec![text("omschrijving", "Goed.")])]),
        None,
        "about what would be lost"
    );
}

/// What there is no place for on one line is not lost: then all of it stands apart.
#[test]
fn nothing_is_lost_by_writing_short() {
    let more = vec![text("achternaam", "Brouwer"), text("voorletters", "E."), text("titel", "ir.")];
    assert_eq!(line(more.clone()), None);
    let nested =
        vec![text("functie", "consulent"), group("organisatie", vec![text("a", "1"), text("b", "2")])];
    assert_eq!(line(nested), None);
    let mut page = String::new();
    part("Over wie het gaat", &[group("naam", more)], &mut page).unwrap();
    assert!(["Brouwer", "E.", "ir."].iter().all(|part| page.contains(&format!("<dd>{part}</dd>"))), "{page}");
}

/// The extract, its salts and the number of the consent mean nothing to a resident; the conditions do.
#[test]
fn what_is_for_computers_is_left_out() {
    let consent = group("toestemming", vec![text("uittreksel", "eyJhbGciOi"), text("zout", "c2FsdA")]);
    let conditions =
        group("voorwaarden", vec![text("persoonlijk-contact", "ja"), text("herinnering", "nee")]);
    let ground = group("grondslag", vec![text("soort", "toestemming"), consent, conditions]);
    let mut page = String::new();
    content(
        &[ground, group("inhoud", vec![text("vraag", "Wie helpt?"), text("urgentie", "normaal")])],
        &mut page,
    )
    .unwrap();
    assert!(!page.contains("eyJ") && !page.contains("c2FsdA"), "{page}");
    assert!(page.contains("<dd>ja</dd>") && page.contains("Wie helpt?"), "{page}");
}

#[test]
fn a_meaning_that_says_nothing_is_left_out() {
    assert!(!says_more("Huisnummer", "Huisnummer."));
    assert!(says_more("Bedrag", "Hoogte van de achterstand."));
}
