use std::collections::BTreeSet;

use jiff::SignedDuration;
use proptest::prelude::*;

use super::*;
use crate::random::SeededRandom;

fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

/// An identifier of this instant.
fn made(instant: Timestamp) -> Uuid {
    id::new(instant, &SeededRandom::new(1))
}

fn by() -> Oin {
    "00000099000000003000".parse().unwrap()
}

/// From Monday ten o'clock (Dutch time) until the midnight after Wednesday: the reminder comes halfway.
fn term() -> Term {
    Term::set(made(at("2026-11-30T09:00:00Z")), Awaited::Answer, by(), at("2026-12-02T23:00:00Z"))
}

const REMINDER: &str = "2026-12-01T16:00:00Z";
const END: &str = "2026-12-02T23:00:00Z";

/// Looks at these moments, one after another, and keeps what was told.
fn tell(term: &Term, moments: &[Timestamp]) -> Vec<(Timestamp, Notice)> {
    let mut told = Vec::new();
    for now in moments {
        let known: BTreeSet<Notice> = told.iter().map(|(_, notice)| *notice).collect();
        told.extend(term.to_tell(|notice| known.contains(&notice), *now).0.map(|notice| (*now, notice)));
    }
    told
}

#[test]
fn a_reminder_comes_before_the_end_and_an_escalation_at_it() {
    let term = term();
    assert_eq!(term.moment(Notice::Reminder), at(REMINDER));
    let never = |_| false;
    let before = SignedDuration::from_millis(1);
    assert_eq!(term.to_tell(never, at(REMINDER) - before), (None, Some(at(REMINDER))));
    assert_eq!(term.to_tell(never, at(REMINDER)), (Some(Notice::Reminder), Some(at(END))));
    let reminded = |notice| notice == Notice::Reminder;
    assert_eq!(term.to_tell(reminded, at(END) - before), (None, Some(at(END))));
    assert_eq!(term.to_tell(reminded, at(END)), (Some(Notice::Escalation), None));
    assert_eq!(term.to_tell(|_| true, at(END)), (None, None));
}

#[test]
fn a_node_that_was_down_escalates_without_reminding() {
    assert_eq!(
        tell(&term(), &[at("2026-12-09T09:00:00Z")]),
        [(at("2026-12-09T09:00:00Z"), Notice::Escalation)]
    );
}

#[test]
fn a_clock_that_is_set_back_repeats_nothing() {
    let moments = [at(REMINDER), at("2026-11-30T10:00:00Z"), at(REMINDER), at(END), at(REMINDER), at(END)];
    assert_eq!(tell(&term(), &moments), [(at(REMINDER), Notice::Reminder), (at(END), Notice::Escalation)]);
}

/// What was met in time was not escalated, also for who only heard so after the end.
#[test]
fn what_counts_is_when_it_was_met() {
    let late = at("2026-12-24T09:00:00Z");
    let met = |text| {
        let mut term = term();
        term.meet(made(at(text)));
        assert_eq!(term.to_tell(|_| false, late), (None, None));
        [Notice::Reminder, Notice::Escalation].map(|notice| term.told(notice, late).is_some())
    };
    assert_eq!(met("2026-12-01T15:59:59Z"), [false, false]);
    assert_eq!(met("2026-12-02T22:59:59Z"), [true, false]);
    assert_eq!(met(END), [true, true]);
    let running = term();
    assert_eq!(running.told(Notice::Escalation, late), Some(at(END)));
    assert_eq!(running.told(Notice::Escalation, at(REMINDER)), None);
}

#[test]
fn of_two_that_cross_the_first_counts() {
    let (first, second) = (made(at("2026-12-01T08:00:00Z")), made(at("2026-12-01T09:00:00Z")));
    let (mut one, mut other) = (term(), term());
    one.meet(first);
    one.meet(second);
    other.meet(second);
    other.meet(first);
    assert_eq!(one, other);
    assert_eq!(one.met, Some(at("2026-12-01T08:00:00Z")));
}

proptest! {
    /// However often is looked and whatever the clock says then: each is told once at most, never too early, and a reminder
    /// never after an escalation. Who looks at the end has escalated.
    #[test]
    fn each_is_told_once(minutes in prop::collection::vec(-600_i64..6000, 0..30), last in any::<bool>()) {
        let term = term();
        let mut moments: Vec<Timestamp> =
            minutes.iter().map(|minutes| at("2026-11-30T09:00:00Z") + SignedDuration::from_mins(*minutes)).collect();
        moments.extend(last.then(|| at(END)));
        let told = tell(&term, &moments);
        prop_assert!(told.iter().all(|(now, notice)| *now >= term.moment(*notice)));
        let notices: Vec<Notice> = told.iter().map(|(_, notice)| *notice).collect();
        prop_assert!(notices.is_sorted() && notices.len() == notices.iter().collect::<BTreeSet<_>>().len());
        let is_over = moments.iter().any(|now| *now >= at(END));
        prop_assert_eq!(notices.contains(&Notice::Escalation), is_over);
    }

    /// Whoever looks again when it says to has told everything at its moment.
    #[test]
    fn looking_when_it_says_is_enough(hours in 1_i64..2000) {
        let begin = at("2026-11-30T09:00:00Z");
        let term = Term::set(made(begin), Awaited::Answer, by(), begin + SignedDuration::from_hours(hours));
        let (mut now, mut told) = (begin, BTreeSet::new());
        for _ in 0..3 {
            let (notice, next) = term.to_tell(|notice| told.contains(&notice), now);
            if let Some(notice) = notice {
                prop_assert_eq!(now, term.moment(notice));
                told.insert(notice);
            }
            let Some(next) = next else { break };
            prop_assert!(next > now || notice.is_none());
            now = next;
        }
        prop_assert_eq!(told.len(), 2);
    }
}
