#![allow(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

use super::*;

const SIGNAL: &str = "nl.sociaaldomein.signalen.betalingsachterstand.v1";
const FEEDBACK: &str = "nl.sociaaldomein.terugkoppelingen.gegeven.v1";
const CONTACT: &str = "nl.sociaaldomein.overdrachten.eerste-contact.v1";

fn at(minutes: i64) -> Timestamp {
    Timestamp::from_second(1_795_000_000 + minutes * 60).unwrap()
}

fn partner(number: u8) -> Oin {
    format!("000000990001{number:05}000").parse().unwrap()
}

fn moved(direction: Direction, case: u128, message_type: &str, minutes: i64) -> Moved {
    Moved {
        direction,
        partner: partner(1),
        purpose: Some("vroegsignalering-huur".into()),
        message_type: Some(message_type.into()),
        case: Some(Uuid::from_u128(case)),
        state: State::Admitted,
        at: at(minutes),
        term: None,
    }
}

fn counted(all: &[Moved]) -> Vec<Counted> {
    let mut tally = Tally::new(Period { from: at(0), until: at(1000) }, at(5000));
    for one in all {
        tally.add(one).unwrap();
    }
    tally.counted()
}

#[test]
fn answers_are_timed_from_coming_in_to_the_first_of_ours() {
    let mut all: Vec<Moved> = (1..=10).map(|case| moved(Direction::Inbound, case, SIGNAL, 0)).collect();
    // In 1, 2 … 9 minutes; the second answer, one that was refused, and one in another case do not count.
    for case in 1..=9_u8 {
        all.push(moved(Direction::Outbound, case.into(), FEEDBACK, case.into()));
        all.push(moved(Direction::Outbound, case.into(), FEEDBACK, 500));
    }
    all.push(Moved { state: State::Refused, ..moved(Direction::Outbound, 10, FEEDBACK, 1) });
    all.push(Moved { partner: partner(2), ..moved(Direction::Outbound, 10, FEEDBACK, 1) });
    all.extend(
        (1..=5).map(|case| moved(Direction::Outbound, case, CONTACT, 60 * i64::try_from(case).unwrap())),
    );
    let counted = counted(&all);
    let came_in = counted.iter().find(|one| one.group.direction == Direction::Inbound).unwrap();
    let line = &came_in.lines[0];
    assert_eq!((came_in.total, line.count), (Some(10), Some(10)));
    assert_eq!(line.answer, Some(Lead { median: 5, ninetieth: 9 }));
    assert_eq!(line.contact, Some(Lead { median: 180, ninetieth: 300 }));
    assert_eq!(line.answered, None, "nine of ten would tell of one");
}

#[test]
fn the_period_is_that_of_coming_in() {
    let mut all: Vec<Moved> = (0..6).map(|case| moved(Direction::Inbound, case, SIGNAL, 999)).collect();
    all.extend(
        (6..20).map(|case| moved(Direction::Inbound, case, SIGNAL, if case < 12 { -1 } else { 1000 })),
    );
    all.extend((0..6).map(|case| moved(Direction::Outbound, case, FEEDBACK, 2000)));
    let counted = counted(&all);
    assert_eq!(counted.len(), 1, "the answers were made after it");
    assert_eq!((counted[0].total, counted[0].lines[0].answered), (Some(6), Some(6)));
    assert_eq!(counted[0].lines[0].answer, Some(Lead { median: 1001, ninetieth: 1001 }));
}

#[test]
fn an_answer_asks_for_none() {
    let mut all: Vec<Moved> = (0..9).map(|case| moved(Direction::Inbound, case, FEEDBACK, 1)).collect();
    all.extend((0..9).map(|case| moved(Direction::Outbound, case, FEEDBACK, 2)));
    let came_in = counted(&all).into_iter().find(|one| one.group.direction == Direction::Inbound).unwrap();
    let line = &came_in.lines[0];
    assert_eq!((line.asked, line.answered, line.answer), (Some(0), None, None));
}

/// A term counts once it was met or is over, and in time when it was met before its end.
#[test]
fn terms_of_signals_are_counted_once_they_are_met_or_over() {
    let (end, running) = (at(4000), at(6000));
    let with = |case: u128, term| Moved { term, ..moved(Direction::Inbound, case, SIGNAL, 1) };
    let mut all: Vec<Moved> = (0..5).map(|case| with(case, Some((end, Some(at(3999)))))).collect();
    all.extend((5..8).map(|case| with(case, Some((end, Some(end))))));
    all.extend((8..10).map(|case| with(case, Some((end, None)))));
    all.extend((10..15).map(|case| with(case, Some((running, None)))));
    all.extend((15..20).map(|case| with(case, Some((running, Some(at(2)))))));
    all.push(with(20, None));
    let line = counted(&all).remove(0).lines.remove(0);
    assert_eq!((line.count, line.termed, line.in_time), (Some(21), Some(15), Some(10)));
    let none = counted(&all[10..15]).remove(0).lines.remove(0);
    assert_eq!((none.termed, none.in_time), (Some(0), None));
}

fn shown(counts: &[u64]) -> (Option<u64>, Vec<Option<u64>>) {
    let group = Group { direction: Direction::Inbound, purpose: None };
    let line = |(number, count): (usize, &u64)| {
        let line = Line {
            partner: partner(u8::try_from(number).unwrap()),
            outcome: State::Admitted,
            count: Some(*count),
            asked: Some(0),
            answered: None,
            termed: Some(0),
            in_time: None,
            answer: None,
            contact: None,
        };
        (line, *count)
    };
    let counted = suppress::group(group, counts.iter().enumerate().map(line).collect());
    (counted.total, counted.lines.iter().map(|line| line.count).collect())
}

#[test]
fn small_numbers_are_left_out() {
    assert_eq!(shown(&[5, 100]), (Some(105), vec![Some(5), Some(100)]));
    assert_eq!(shown(&[4, 4, 100]), (Some(108), vec![None, None, Some(100)]));
    // One alone follows from the total, and so do two ones.
    assert_eq!(shown(&[4, 100, 50]), (Some(154), vec![None, Some(100), None]));
    assert_eq!(shown(&[1, 1, 100, 50]), (Some(152), vec![None, None, Some(100), None]));
    assert_eq!(shown(&[4, 100]), (Some(104), vec![None, None]));
    assert_eq!(shown(&[4]), (None, vec![None]));
    assert_eq!(shown(&[1, 2]), (None, vec![None, None]));
}

/// Whatever the numbers are: with a total, what is left out is never one number, and never small together.
#[test]
fn nothing_small_can_be_computed() {
    for first in 0..9_u64 {
        for second in 0..9 {
            for third in 0..9 {
                let counts: Vec<u64> =
                    [first, second, third].into_iter().filter(|count| *count > 0).collect();
                let (total, lines) = shown(&counts);
                assert!(lines.iter().flatten().all(|count| *count >= SMALLEST), "{counts:?}");
                let hidden = lines.iter().filter(|count| count.is_none()).count();
                if let Some(total) = total {
                    let left = total - lines.iter().flatten().sum::<u64>();
                    assert!(hidden != 1 && (hidden == 0 || left >= SMALLEST), "{counts:?}");
                }
            }
        }
    }
}

#[test]
fn a_part_gives_away_neither_itself_nor_the_rest() {
    let parts =
        [(0, 10), (4, 10), (5, 10), (6, 10), (10, 10)].map(|(part, whole)| suppress::part(part, whole));
    assert_eq!(parts, [Some(0), None, Some(5), None, Some(10)]);
}
