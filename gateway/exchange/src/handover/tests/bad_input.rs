//! What is refused, and with which reason.

use jiff::{Timestamp, civil::date};
use uuid::Uuid;

use super::{
    super::{Act, Case, Completion, DeclineReason, Step, WithdrawalOutcome, WithdrawalReason},
    world::oin,
};
use crate::{refusal::Reason, urgency::Urgency};

fn id(number: u128) -> Uuid {
    Uuid::from_u128(number)
}

fn step(number: u128, (from, to): (usize, usize), act: Act) -> Step {
    Step { message: id(number), from: oin(from), to: oin(to), act }
}

fn offered(number: u128, from: usize, to: usize) -> Step {
    step(
        number,
        (from, to),
        Act::Offered { respond_before: Timestamp::UNIX_EPOCH, root: Some(id(1)), urgency: Urgency::Normal },
    )
}

fn accepted(number: u128, (from, to): (usize, usize), offer: u128) -> Step {
    step(number, (from, to), Act::Accepted { offer: id(offer), contact_before: date(2027, 2, 1) })
}

fn declined(number: u128, (from, to): (usize, usize), offer: u128) -> Step {
    step(number, (from, to), Act::Declined { offer: id(offer), reason: DeclineReason::NoRoom })
}

fn withdrawn(number: u128, (from, to): (usize, usize), offer: u128) -> Step {
    step(
        number,
        (from, to),
        Act::Withdrawn { offer: id(offer), reason: WithdrawalReason::Mistake, root: Some(id(1)) },
    )
}

/// The first, which offered the case to the second.
fn holder(steps: &[Step]) -> Case {
    let mut case = Case::new(oin(0));
    for step in steps {
        case.take(step).unwrap();
    }
    case
}

#[test]
fn an_answer_of_an_organisation_that_was_not_asked_is_refused() {
    let case = holder(&[offered(1, 0, 1)]);
    assert_eq!(case.check(&accepted(2, (2, 0), 1)), Err(Reason::HandoverOutOfTurn));
    assert_eq!(case.check(&declined(2, (2, 0), 1)), Err(Reason::HandoverOutOfTurn));
    assert_eq!(case.check(&accepted(2, (1, 0), 9)), Err(Reason::HandoverUnknown));
}

#[test]
fn an_offer_is_answered_once() {
    let case = holder(&[offered(1, 0, 1), accepted(2, (1, 0), 1)]);
    assert_eq!(case.holder(), Some(oin(1)));
    for again in [accepted(3, (1, 0), 1), declined(3, (1, 0), 1), withdrawn(3, (0, 1), 1)] {
        assert_eq!(case.check(&again), Err(Reason::HandoverAnswered), "{again:?}");
    }
}

#[test]
fn what_comes_after_an_acceptance_does_not_come_before_it() {
    let contact = step(2, (1, 0), Act::FirstContact { offer: id(1), on: date(2027, 2, 1) });
    let completed = step(3, (1, 0), Act::Completed { offer: id(1), result: Completion::HelpStarted });
    let case = holder(&[offered(1, 0, 1)]);
    assert_eq!(case.check(&contact), Err(Reason::HandoverOutOfTurn));
    assert_eq!(case.check(&completed), Err(Reason::HandoverOutOfTurn));
    let accepted = holder(&[offered(1, 0, 1), accepted(2, (1, 0), 1), completed.clone()]);
    assert_eq!(accepted.check(&completed), Err(Reason::HandoverAnswered));
    assert_eq!(accepted.check(&contact), Ok(()), "it may have been under way for long");
}

#[test]
fn who_does_not_hold_the_case_cannot_offer_it() {
    let case = holder(&[offered(1, 0, 1), accepted(2, (1, 0), 1)]);
    assert_eq!(case.check(&offered(3, 0, 2)), Err(Reason::ControlElsewhere));
    let second = holder(&[offered(1, 0, 1), declined(2, (1, 0), 1)]);
    assert_eq!(
        second.check(&offered(3, 1, 0)),
        Err(Reason::HandoverOutOfTurn),
        "who declined does not hold it"
    );
    assert_eq!(second.check(&offered(3, 0, 2)), Ok(()));
}

#[test]
fn one_offer_is_open_at_a_time_until_its_withdrawal_is_confirmed() {
    let mut case = holder(&[offered(1, 0, 1), withdrawn(2, (0, 1), 1)]);
    assert_eq!(case.check(&offered(3, 0, 2)), Err(Reason::HandoverOutOfTurn));
    let declined = holder(&[offered(1, 0, 1), withdrawn(2, (0, 1), 1), declined(3, (1, 0), 1)]);
    let confirmed =
        |outcome| step(4, (1, 0), Act::WithdrawalConfirmed { offer: id(1), withdrawal: id(2), outcome });
    let contradicts = confirmed(WithdrawalOutcome::WasAccepted);
    assert_eq!(declined.check(&contradicts), Err(Reason::HandoverOutOfTurn), "it was declined");
    case.take(&confirmed(WithdrawalOutcome::Withdrawn)).unwrap();
    assert_eq!(case.check(&offered(5, 0, 2)), Ok(()));
    assert!(case.is_mine());
}

#[test]
fn who_heard_of_a_withdrawal_cannot_accept_any_more() {
    let mut asked = Case::new(oin(1));
    asked.take(&offered(1, 0, 1)).unwrap();
    asked.take(&withdrawn(2, (0, 1), 1)).unwrap();
    assert_eq!(asked.check(&accepted(3, (1, 0), 1)), Err(Reason::HandoverAnswered));
    let owed = asked.owed().unwrap();
    assert_eq!(owed.0, oin(0));
    asked.take(&step(4, (1, 0), owed.1)).unwrap();
    assert_eq!(asked.owed(), None);
}

#[test]
fn an_offer_whose_withdrawal_came_first_is_not_taken_in() {
    let mut asked = Case::new(oin(1));
    asked.take(&withdrawn(2, (0, 1), 1)).unwrap();
    assert!(asked.owed().is_some());
    assert_eq!(asked.check(&offered(1, 0, 1)), Err(Reason::HandoverAnswered));
}

#[test]
fn a_case_has_an_end_of_steps() {
    let mut case = Case::new(oin(0));
    let (mut number, mut taken) = (0, 0);
    while taken < super::super::MAX_STEPS {
        number += 3;
        for step in [offered(number, 0, 1), declined(number + 1, (1, 0), number)] {
            taken += usize::from(case.take(&step).is_ok());
        }
    }
    assert_eq!(case.check(&offered(number + 9, 0, 1)), Err(Reason::HandoverOutOfTurn));
}
