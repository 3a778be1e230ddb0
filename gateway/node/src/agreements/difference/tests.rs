#![allow(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

use exchange::{agreement::Content, purpose::Term};
use jiff::civil::date;
use schemas::Category;

use super::*;
use crate::agreements::tests::{LAST_DAY, oin, purpose, text};

fn content(parties: usize) -> Content {
    serde_json::from_str(&text(parties, 1, LAST_DAY)).unwrap()
}

fn told(old: &Content, new: &Content, purposes: Vec<Purpose>) -> Vec<String> {
    let read = |content| Agreement::parse(&serde_json::to_string(content).unwrap()).unwrap();
    let found = differences(&read(old), &read(new), &Rulebook::new([], purposes));
    found.into_iter().map(|one| format!("{}: {}", one.onderdeel, one.tekst)).collect()
}

#[test]
fn the_same_agreement_differs_in_nothing() {
    assert!(told(&content(3), &content(3), vec![purpose()]).is_empty());
}

#[test]
fn parties_dates_and_clauses_are_told() {
    let (old, mut new) = (content(3), content(3));
    new.versie = 2;
    new.geldig_tot = date(2027, 1, 31);
    new.partijen[1].fg = "fg2@voorbeeld.test".into();
    let gone = new.partijen.pop().unwrap();
    new.afspraken[0].van = vec![oin(0)];
    new.afspraken[0].naar = vec![oin(1)];
    assert_eq!(
        told(&old, &new, vec![purpose()]),
        [
            "looptijd: versie: was 1, wordt 2".to_owned(),
            "looptijd: laatste dag: was 31-12-2026, wordt 31-01-2027".to_owned(),
            "partijen: functionaris gegevensbescherming van Organisatie 1: was fg@voorbeeld.test, wordt fg2@voorbeeld.test".to_owned(),
            format!("partijen: {} ({}) doet niet meer mee", gone.naam, gone.oin),
            "afspraken: Organisatie 0 mag nu signalen.betalingsachterstand voor vroegsignalering-huur sturen aan Organisatie 1".to_owned(),
            "afspraken: Organisatie 1 mag geen signalen.betalingsachterstand voor vroegsignalering-huur meer sturen aan Organisatie 0".to_owned(),
        ]
    );
    assert!(
        told(&new, &old, vec![])
            .contains(&format!("partijen: {} ({}, woningcorporatie) doet nu mee", gone.naam, gone.oin))
    );
}

#[test]
fn another_key_is_told() {
    let (old, mut new) = (content(3), content(2));
    new.partijen[1].sleutels = vec![old.partijen[2].sleutels[0].clone()];
    let told = told(&old, &new, vec![]);
    assert!(
        told.iter().any(|one| one.contains("krijgt de sleutel") && one.contains("Organisatie 1")),
        "{told:?}"
    );
    assert!(told.iter().any(|one| one.contains("vervalt")), "{told:?}");
}

#[test]
fn what_another_text_of_a_purpose_allows_is_told() {
    let mut wider = purpose().content().clone();
    wider.versie = 2;
    wider.bewaartermijn_dagen = 365;
    wider.berichten[0].gegevens.insert(Category::Household);
    wider.berichten[0].gegevens.remove(&Category::Contact);
    wider.berichten[0].bsn = true;
    let terms = wider.berichten[0].reactietermijn.as_mut().unwrap();
    (terms.normaal, terms.hoog, terms.crisis) = (Term::Weeks(1), Some(Term::WorkingDays(1)), None);
    wider.berichten.remove(1);
    let wider = Purpose::from_json(&serde_json::to_string(&wider).unwrap()).unwrap();
    let (old, mut new) = (content(2), content(2));
    new.afspraken[0].doel_digest = wider.digest();
    let name = "doelen: vroegsignalering-huur: ";
    let signal = format!("{name}signalen.betalingsachterstand: ");
    assert_eq!(
        told(&old, &new, vec![purpose(), wider]),
        [
            "doelen: de tekst van het doel vroegsignalering-huur is een andere".to_owned(),
            format!("{name}versie: was 1, wordt 2"),
            format!("{name}bewaartermijn in dagen: was 183, wordt 365"),
            format!("{signal}soort gegevens erbij: huishouden"),
            format!("{signal}soort gegevens eraf: contact"),
            format!("{signal}BSN: was nee, wordt ja"),
            format!("{signal}reactietermijn bij urgentie normaal: was 4 weken, wordt 1 week"),
            format!("{signal}reactietermijn bij urgentie hoog: was geen eigen termijn, wordt 1 werkdag"),
            format!("{signal}reactietermijn bij urgentie crisis: was 3 werkdagen, wordt geen eigen termijn"),
            format!("{name}terugkoppelingen.gegeven mag niet meer"),
        ]
    );
    assert_eq!(told(&old, &new, vec![]).len(), 1, "without the texts it still says so");
}
