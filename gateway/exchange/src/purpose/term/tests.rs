#![allow(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

use jiff::civil::DateTime;
use proptest::prelude::*;
use serde_json::json;

use super::*;

/// The instant at which Dutch clocks show this.
fn at(clock: &str) -> Timestamp {
    clock.parse::<DateTime>().unwrap().to_zoned(calendar::dutch_time()).unwrap().timestamp()
}

fn ends(from: &str, term: Term) -> String {
    term.end(at(from)).to_zoned(calendar::dutch_time()).strftime("%Y-%m-%dT%H:%M").to_string()
}

#[test]
fn working_days_end_with_the_last_of_them() {
    for (from, days, end) in [
        ("2026-11-30T10:00", 2, "2026-12-03T00:00"),
        ("2026-11-30T00:00", 2, "2026-12-03T00:00"),
        ("2026-11-30T23:59", 2, "2026-12-03T00:00"),
        // A weekend, from the Friday before it and from within it.
        ("2026-12-04T16:59", 2, "2026-12-09T00:00"),
        ("2026-12-05T09:00", 2, "2026-12-09T00:00"),
        ("2026-12-06T23:59", 1, "2026-12-08T00:00"),
        // Christmas, and the end of the year.
        ("2026-12-23T12:00", 3, "2026-12-30T00:00"),
        ("2026-12-30T12:00", 2, "2027-01-05T00:00"),
        // Easter, and the days on which clocks change.
        ("2027-03-25T12:00", 1, "2027-03-31T00:00"),
        ("2026-10-23T12:00", 1, "2026-10-27T00:00"),
    ] {
        assert_eq!(ends(from, Term::WorkingDays(days)), end, "{days} from {from}");
    }
}

#[test]
fn days_and_weeks_end_on_the_day_they_say_or_on_the_next_working_day() {
    assert_eq!(ends("2026-12-01T10:00", Term::Weeks(4)), "2026-12-30T00:00");
    assert_eq!(ends("2026-11-27T10:00", Term::Weeks(4)), "2026-12-29T00:00");
    assert_eq!(ends("2026-12-04T10:00", Term::Days(1)), "2026-12-08T00:00");
    assert_eq!(ends("2026-12-24T10:00", Term::Days(3)), "2026-12-30T00:00");
    assert_eq!(ends("2026-12-01T10:00", Term::Days(14)), ends("2026-12-01T10:00", Term::Weeks(2)));
}

#[test]
fn hours_run_by_the_clock() {
    assert_eq!(ends("2026-12-04T22:00", Term::Hours(4)), "2026-12-05T02:00");
    assert_eq!(ends("2026-03-29T01:00", Term::Hours(4)), "2026-03-29T06:00");
    assert_eq!(ends("2026-10-25T01:00", Term::Hours(4)), "2026-10-25T04:00");
    assert_eq!(ends("2026-12-31T22:00", Term::Hours(4)), "2027-01-01T02:00");
}

#[test]
fn what_is_not_written_has_the_term_of_less_haste() {
    let mut terms = ResponseTerms { normaal: Term::Weeks(4), hoog: None, crisis: None };
    assert_eq!(Urgency::ALL.map(|urgency| terms.of(urgency)), [Term::Weeks(4); 3]);
    terms.hoog = Some(Term::Days(7));
    assert_eq!(terms.of(Urgency::Crisis), Term::Days(7));
    assert_eq!(terms.written(Urgency::Crisis), None);
    terms.crisis = Some(Term::Hours(4));
    let each = [Term::Weeks(4), Term::Days(7), Term::Hours(4)];
    assert_eq!(Urgency::ALL.map(|urgency| terms.of(urgency)), each);
}

#[test]
fn more_haste_gives_no_more_time() {
    for (normaal, crisis, in_order) in [
        (Term::Weeks(1), Term::WorkingDays(5), true),
        (Term::Weeks(1), Term::WorkingDays(6), false),
        (Term::WorkingDays(5), Term::Days(7), true),
        (Term::WorkingDays(1), Term::Hours(24), true),
        (Term::Hours(24), Term::WorkingDays(1), false),
        (Term::Days(2), Term::Hours(48), true),
        (Term::Days(2), Term::Hours(49), false),
    ] {
        let terms = ResponseTerms { normaal, hoog: None, crisis: Some(crisis) };
        assert_eq!(terms.are_in_order(), in_order, "{normaal:?} {crisis:?}");
    }
    let high = ResponseTerms { normaal: Term::Days(2), hoog: Some(Term::Days(3)), crisis: None };
    assert!(!high.are_in_order());
}

#[test]
fn a_term_has_one_form() {
    let terms = ResponseTerms {
        normaal: Term::WorkingDays(2),
        hoog: Some(Term::Days(1)),
        crisis: Some(Term::Hours(4)),
    };
    let written = json!({"normaal": {"werkdagen": 2}, "hoog": {"dagen": 1}, "crisis": {"uren": 4}});
    assert_eq!(serde_json::to_value(terms).unwrap(), written);
    assert_eq!(serde_json::from_value::<ResponseTerms>(written).unwrap(), terms);
    let alone = ResponseTerms { normaal: Term::Weeks(4), hoog: None, crisis: None };
    assert_eq!(serde_json::to_value(alone).unwrap(), json!({"normaal": {"weken": 4}}));
}

fn any_term() -> impl Strategy<Value = Term> {
    prop_oneof![
        (1..=168_u16).prop_map(Term::Hours),
        (1..=60_u16).prop_map(Term::WorkingDays),
        (1..=90_u16).prop_map(Term::Days),
        (1..=12_u16).prop_map(Term::Weeks),
    ]
}

/// Any instant from 1990 to 2110, often one near a change of clocks.
fn any_instant() -> impl Strategy<Value = Timestamp> {
    let second = |second| Timestamp::from_second(second).unwrap();
    prop_oneof![
        (631_152_000..4_417_977_600_i64).prop_map(second),
        (0..120_000_i64).prop_map(move |seconds| second(1_774_700_000 + seconds)),
        (0..120_000_i64).prop_map(move |seconds| second(1_792_840_000 + seconds)),
    ]
}

proptest! {
    #[test]
    fn a_term_in_days_ends_at_the_midnight_after_a_working_day(from in any_instant(), term in any_term()) {
        let end = term.end(from);
        prop_assert!(end > from);
        if let Term::Hours(hours) = term {
            prop_assert_eq!(end.duration_since(from), SignedDuration::from_hours(hours.into()));
        } else {
            let last = calendar::day(end - SignedDuration::from_nanos(1));
            prop_assert!(calendar::is_working_day(last));
            prop_assert_eq!(calendar::end(last), end);
        }
    }

    #[test]
    fn a_term_lasts_at_least_what_it_says(from in any_instant(), term in any_term()) {
        let days = match term {
            Term::Hours(_) => return Ok(()),
            Term::WorkingDays(days) | Term::Days(days) => i64::from(days),
            Term::Weeks(weeks) => 7 * i64::from(weeks),
        };
        // In spring a day has an hour less.
        let least = SignedDuration::from_hours(24 * days - 1);
        prop_assert!(term.end(from).duration_since(from) > least);
    }

    #[test]
    fn beginning_later_never_ends_sooner(from in any_instant(), later in 0..4_000_000_i64, term in any_term()) {
        prop_assert!(term.end(from) <= term.end(from + SignedDuration::from_secs(later)));
    }

    /// Whatever is written and whenever it is: nothing panics, and a term is not over before it begins.
    #[test]
    fn every_term_has_an_end(
        from in prop_oneof![
            Just(Timestamp::MIN),
            Just(Timestamp::MAX),
            (Timestamp::MIN.as_second()..=Timestamp::MAX.as_second())
                .prop_map(|second| Timestamp::from_second(second).unwrap()),
        ],
        amount: u16,
    ) {
        for term in [Term::Hours(amount), Term::Days(amount), Term::Weeks(amount), Term::WorkingDays(amount % 100)] {
            prop_assert!(term.end(from) >= from, "{term:?}");
        }
    }
}
