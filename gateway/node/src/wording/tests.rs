use super::*;

#[test]
fn lines_break_between_words() {
    assert_eq!(wrapped("een twee  drie\nvier", 8), ["een twee", "drie", "vier"]);
    assert_eq!(wrapped("ééé ééé", 7), ["ééé ééé"], "characters and not bytes");
    assert_eq!(wrapped("a veel-te-lang-woord b", 4), ["a", "veel-te-lang-woord", "b"]);
    assert!(wrapped("  ", 10).is_empty());
}

#[test]
fn every_message_type_has_a_title_and_a_short_name() {
    for schema in schemas::all() {
        let Some(message_type) = schema.message_type() else { continue };
        assert!(title(message_type).starts_with(char::is_uppercase), "{message_type}");
        assert!(!short_type(message_type).contains("sociaaldomein"), "{message_type}");
    }
    assert_eq!(short_type("nl.sociaaldomein.signalen.overlast.v1"), "signalen.overlast");
    assert_eq!(title("iets.anders"), "iets.anders");
}

#[test]
fn a_term_is_told_in_its_unit() {
    let told = [Term::Hours(1), Term::WorkingDays(1), Term::Days(1), Term::Weeks(1)].map(term);
    assert_eq!(told, ["1 uur", "1 werkdag", "1 dag", "1 week"]);
    let told = [Term::Hours(4), Term::WorkingDays(2), Term::Days(10), Term::Weeks(4)].map(term);
    assert_eq!(told, ["4 uur", "2 werkdagen", "10 dagen", "4 weken"]);
}
