#![allow(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

use exchange::agreement::AnswerKind;
use jiff::civil::{Date, date};

use super::*;
use crate::agreements::tests::{oin, signer, text};

fn at(day: &str) -> Timestamp {
    format!("{day}T11:00:00Z").parse().unwrap()
}

fn accepted(parties: usize, version: u32, last: Date) -> Agreement {
    let mut agreement = Agreement::parse(&text(parties, version, last)).unwrap();
    for number in 0..parties {
        let jws = agreement.answer(AnswerKind::Accepted, at("2026-11-20"), &signer(number)).unwrap();
        agreement.add_answer(&jws).unwrap();
    }
    agreement
}

fn rules(agreements: impl IntoIterator<Item = Agreement>) -> Rulebook {
    Rulebook::new(agreements, [])
}

#[test]
fn each_mark_warns_once() {
    let rules = rules([accepted(2, 1, date(2026, 12, 31))]);
    let mut warnings = Warnings::default();
    let mut days =
        |day| -> Vec<i32> { warnings.due(&rules, oin(0), at(day)).iter().map(|one| one.days).collect() };
    assert_eq!(days("2026-11-01"), [60], "the first day of the warning");
    assert!(days("2026-11-02").is_empty() && days("2026-11-30").is_empty());
    assert_eq!(days("2026-12-02"), [29]);
    assert!(days("2026-12-23").is_empty());
    assert_eq!(days("2026-12-24"), [7]);
    assert!(days("2026-12-31").is_empty() && days("2027-01-01").is_empty());
    let mut again = Warnings::default();
    assert_eq!(again.due(&rules, oin(0), at("2026-12-31"))[0].days, 0, "after a start all of it");
    assert!(Warnings::default().due(&rules, oin(0), at("2026-10-31")).is_empty());
}

#[test]
fn what_is_not_in_force_or_renewed_gives_no_warning() {
    let last = date(2026, 12, 31);
    let proposed = rules([Agreement::parse(&text(2, 1, last)).unwrap()]);
    assert!(expiring(&proposed, oin(0), at("2026-12-30")).is_empty());
    let both = rules([accepted(2, 1, last), accepted(2, 2, date(2027, 12, 31))]);
    assert!(expiring(&both, oin(0), at("2026-12-30")).is_empty());
    // A version that not all of its parties share renews nothing for those.
    let fewer = rules([accepted(3, 1, last), accepted(2, 2, date(2027, 12, 31))]);
    assert_eq!(expiring(&fewer, oin(0), at("2026-12-30")).len(), 1);
}

#[test]
fn replaced_is_what_is_replaced_with_every_other_party() {
    let (old, new) = (accepted(3, 1, date(2026, 12, 31)), accepted(2, 2, date(2027, 12, 31)));
    let now = at("2026-12-01");
    let partly = rules([old.clone(), new.clone()]);
    assert!(replaced_by(&partly, &old, oin(0), now).is_none());
    let whole = rules([old.clone(), accepted(3, 2, date(2027, 12, 31))]);
    assert_eq!(replaced_by(&whole, &old, oin(0), now).unwrap().content().versie, 2);
    assert!(replaced_by(&whole, &old, oin(0), at("2026-10-31")).is_none(), "not before its first day");
    assert_eq!(days_left(&whole, &old, oin(0), now), None);
    assert_eq!(days_left(&partly, &old, oin(0), now), Some(30));
}
