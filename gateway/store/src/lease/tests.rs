#![allow(clippy::unwrap_used, reason = "a test that cannot go on panics")]

use super::*;

const ALL: BatchLimit = BatchLimit { count: 100, bytes: 1 << 20 };

fn to() -> Oin {
    "00000099000000002000".parse().unwrap()
}

/// Waiting messages with these indexes, each in the case of its number.
fn waiting(messages: &[(u64, u128)]) -> Vec<Candidate> {
    let candidate = |&(index, case): &(u64, u128)| Candidate {
        to: to(),
        priority: Priority::Normal,
        place: (index, index),
        case: Uuid::from_u128(case),
        bytes: 10,
    };
    messages.iter().map(candidate).collect()
}

fn take(leases: &Arc<Leases>, messages: &[(u64, u128)], mut room: BatchLimit) -> Held {
    let mut reading = leases.read();
    reading.take(&waiting(messages), &mut room);
    reading.finish()
}

fn taken(held: &Held) -> Vec<u64> {
    held.taken().iter().map(Candidate::index).collect()
}

fn frontier(leases: &Arc<Leases>) -> Option<Place> {
    leases.read().frontier(to(), Priority::Normal)
}

#[test]
fn reads_on_from_where_everything_is_leased() {
    let leases = Arc::new(Leases::default());
    let room = BatchLimit { count: 2, ..ALL };
    let held = take(&leases, &[(1, 1), (2, 2), (3, 3)], room);
    assert_eq!((taken(&held), frontier(&leases)), (vec![1, 2], Some((2, 2))));
    assert_eq!(leases.leased_to(to()), 2);
    held.settled();
    drop(held);
    assert_eq!((frontier(&leases), leases.leased_to(to())), (Some((2, 2)), 0));
}

#[test]
fn reads_again_what_was_given_back() {
    let leases = Arc::new(Leases::default());
    let first = take(&leases, &[(1, 1), (2, 2)], ALL);
    let second = take(&leases, &[(3, 3)], ALL);
    drop(first);
    assert_eq!(frontier(&leases), Some((1, 0)));
    drop(second);
    assert_eq!(taken(&take(&leases, &[(1, 1), (2, 2), (3, 3)], ALL)), [1, 2, 3]);
}

#[test]
fn does_not_read_past_what_it_passed_over() {
    let leases = Arc::new(Leases::default());
    let under_way = take(&leases, &[(1, 1)], ALL);
    let others = take(&leases, &[(2, 1), (3, 3)], ALL);
    assert_eq!((taken(&others), frontier(&leases)), (vec![3], Some((1, 1))));
    under_way.settled();
    drop(under_way);
    // The third is leased still; that is no reason to wait.
    assert_eq!(taken(&take(&leases, &[(2, 1), (3, 3), (4, 1)], ALL)), [2, 4]);
}

#[test]
fn does_not_take_what_was_settled_while_it_was_read() {
    let leases = Arc::new(Leases::default());
    let settled = take(&leases, &[(1, 1)], ALL);
    let mut reading = leases.read();
    settled.settled();
    drop(settled);
    let mut room = ALL;
    // What was read before that still shows the first as waiting; the second is of the same case.
    reading.take(&waiting(&[(1, 1), (2, 1), (3, 3)]), &mut room);
    assert_eq!(taken(&reading.finish()), [3]);
    assert_eq!(taken(&take(&leases, &[(2, 1)], ALL)), [2]);
}

#[test]
fn does_not_lose_what_was_given_back_while_it_was_read() {
    let leases = Arc::new(Leases::default());
    let given_back = take(&leases, &[(1, 1), (2, 2)], ALL);
    let mut reading = leases.read();
    drop(given_back);
    let mut room = ALL;
    // Read from the frontier as it was: after the second.
    reading.take(&waiting(&[(3, 3)]), &mut room);
    assert_eq!(taken(&reading.finish()), [3]);
    assert_eq!(frontier(&leases), Some((1, 0)));
}

/// Two messages are sent again, one after the other, while the log does not grow: they share their place but for the
/// index, and the second stands before the first.
#[test]
fn reads_what_is_sent_again_before_what_was() {
    let leases = Arc::new(Leases::default());
    take(&leases, &[(1, 1), (2, 2)], ALL).settled();
    for index in [2, 1] {
        let again = Candidate { place: (3, index), ..waiting(&[(index, u128::from(index))])[0] };
        let mut reading = leases.read();
        assert!(reading.frontier(to(), Priority::Normal) < Some(again.place));
        reading.take(&[again], &mut { ALL });
        let held = reading.finish();
        assert_eq!(taken(&held), [index]);
        held.settled();
    }
}

#[test]
fn keeps_to_the_room_there_is() {
    let leases = Arc::new(Leases::default());
    let messages = [(1, 1), (2, 2), (3, 3), (4, 4)];
    for (count, bytes, expected) in [(9, 22, 2), (9, 21, 1), (9, 0, 1), (3, 1000, 3), (0, 1000, 0)] {
        let held = take(&leases, &messages, BatchLimit { count, bytes });
        assert_eq!(held.taken().len(), expected, "{count} messages, {bytes} bytes");
    }
}

#[test]
fn seizes_whatever_is_free() {
    let leases = Arc::new(Leases::default());
    let under_way = take(&leases, &[(2, 1)], ALL);
    let mut reading = leases.read();
    reading.seize(&waiting(&[(1, 1), (2, 1), (3, 1)]));
    let held = reading.finish();
    assert_eq!(taken(&held), [1, 3]);
    assert_eq!(leases.leased_to(to()), 3);
    drop((held, under_way));
    assert_eq!(leases.leased_to(to()), 0);
}

#[test]
fn knows_what_has_passed() {
    let leases = Arc::new(Leases::default());
    assert!(!leases.has_passed(to(), Priority::Normal, 1));
    let held = take(&leases, &[(1, 1), (5, 5)], ALL);
    for (index, passed) in [(1, true), (5, true), (6, false)] {
        assert_eq!(leases.has_passed(to(), Priority::Normal, index), passed);
    }
    assert!(!leases.has_passed(to(), Priority::First, 3));
    drop(held);
    assert!(!leases.has_passed(to(), Priority::Normal, 1));
}
