#![allow(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

use jiff::civil::DateTime;
use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;
use crate::purpose::{Purpose, ResponseTerms, Term};

const OFFER: &str = include_str!("../../../../schemas/fixtures/valid/overdracht-aangeboden/volledig.json");
const QUESTION: &str =
    include_str!("../../../../schemas/fixtures/valid/overdracht-aanvulling-gevraagd/een-vraag.json");
const SUPPLEMENT: &str =
    include_str!("../../../../schemas/fixtures/valid/overdracht-aangevuld/alleen-antwoord.json");
const CONSULTATION: &str = include_str!("../../../../schemas/fixtures/valid/consultatie-gevraagd/kort.json");
const ARREARS: &str =
    include_str!("../../../../schemas/fixtures/valid/signaal-betalingsachterstand/huur.json");

/// The instant at which Dutch clocks show this.
fn at(clock: &str) -> Timestamp {
    clock.parse::<DateTime>().unwrap().to_zoned(calendar::dutch_time()).unwrap().timestamp()
}

fn document(schema: SchemaName, text: &str, change: impl FnOnce(&mut Value)) -> Document {
    let mut document: Value = serde_json::from_str(text).unwrap();
    change(&mut document["inhoud"]);
    Document::parse(schema, document.to_string().as_bytes()).unwrap()
}

fn offer(urgency: Urgency, answer_before: &str) -> Document {
    document(SchemaName::HandoverOffered, OFFER, |content| {
        content["urgentie"] = json!(urgency);
        content["reageren_voor"] = json!(answer_before);
    })
}

fn rule(purpose: &str, schema: SchemaName) -> Rule {
    Purpose::from_toml(purpose).unwrap().rule(schema.message_type().unwrap()).unwrap().clone()
}

fn handovers(schema: SchemaName) -> Rule {
    rule(include_str!("../../../../config/doelen/overdracht-werk-en-inkomen.toml"), schema)
}

/// The purposes of the register give what the law and the agreement with the partners ask.
#[test]
fn the_register_gives_the_terms_that_are_asked() {
    let admitted = at("2026-11-30T10:00");
    let rent = include_str!("../../../../config/doelen/vroegsignalering-huur.toml");
    let energy = include_str!("../../../../config/doelen/vroegsignalering-energie.toml");
    for purpose in [rent, energy] {
        for (crisis, end) in [(false, "2026-12-29T00:00"), (true, "2026-12-04T00:00")] {
            let signal = document(SchemaName::PaymentArrears, ARREARS, |content| {
                content["crisis"] = json!(crisis);
            });
            let rule = rule(purpose, SchemaName::PaymentArrears);
            let deadline = Deadline::of(&signal, Urgency::of(&signal), &rule, admitted).unwrap();
            assert_eq!(deadline.respond_before, at(end));
        }
    }
    let together = include_str!("../../../../config/doelen/hulp-met-toestemming.toml");
    for rule in [handovers(SchemaName::HandoverOffered), rule(together, SchemaName::HandoverOffered)] {
        let ends = ["2026-12-03T00:00", "2026-12-02T00:00", "2026-11-30T14:00"].map(|end| Some(at(end)));
        assert_eq!(Urgency::ALL.map(|urgency| rule.respond_before(urgency, admitted)), ends);
    }
}

#[test]
fn a_message_without_a_term_has_no_deadline() {
    let declined = include_str!("../../../../schemas/fixtures/valid/overdracht-afgewezen/geen-plek.json");
    let declined = document(SchemaName::HandoverDeclined, declined, |_| ());
    let rule = handovers(SchemaName::HandoverDeclined);
    assert_eq!(Deadline::of(&declined, Urgency::Crisis, &rule, at("2026-11-30T10:00")), None);
}

/// Both sides read the same instant, however long the message was under way.
#[test]
fn what_a_message_asks_goes_before_its_purpose() {
    let asked = "2026-12-11T16:00:00+01:00";
    let answer = |content: &mut Value| content["antwoord_voor"] = json!(asked);
    for (document, rule) in [
        (offer(Urgency::Crisis, asked), handovers(SchemaName::HandoverOffered)),
        (
            document(SchemaName::HandoverSupplementRequested, QUESTION, answer),
            handovers(SchemaName::HandoverSupplementRequested),
        ),
        (
            document(SchemaName::HandoverSupplemented, SUPPLEMENT, |content| {
                content["reageren_voor"] = json!(asked);
            }),
            handovers(SchemaName::HandoverSupplemented),
        ),
        (
            document(SchemaName::ConsultationAsked, CONSULTATION, answer),
            rule(include_str!("../../../../config/doelen/consultatie.toml"), SchemaName::ConsultationAsked),
        ),
    ] {
        for admitted in ["2026-11-30T10:00", "2026-12-09T10:00"] {
            let deadline = Deadline::of(&document, Urgency::of(&document), &rule, at(admitted)).unwrap();
            assert_eq!(deadline.respond_before, asked.parse().unwrap());
        }
    }
}

#[test]
fn a_question_that_names_no_moment_has_the_term_of_its_purpose() {
    let question = document(SchemaName::ConsultationAsked, CONSULTATION, |content| {
        content.as_object_mut().unwrap().remove("antwoord_voor");
    });
    let rule =
        rule(include_str!("../../../../config/doelen/consultatie.toml"), SchemaName::ConsultationAsked);
    let deadline = Deadline::of(&question, Urgency::Normal, &rule, at("2026-11-30T10:00")).unwrap();
    assert_eq!(deadline.respond_before, at("2026-12-08T00:00"));
}

#[test]
fn the_reminder_comes_halfway_on_a_working_day() {
    for (from, end, reminder) in [
        ("2026-11-30T10:00", "2026-11-30T14:00", "2026-11-30T12:00"),
        ("2026-11-30T10:00", "2026-12-03T00:00", "2026-12-01T17:00"),
        // Halfway is Sunday, and Monday is in time.
        ("2026-12-04T16:00", "2026-12-09T00:00", "2026-12-07T00:00"),
        // Halfway is Saturday, and nobody works before the end.
        ("2026-12-05T10:00", "2026-12-05T14:00", "2026-12-05T12:00"),
        ("2026-12-04T22:00", "2026-12-07T00:00", "2026-12-05T23:00"),
        // Christmas.
        ("2026-12-24T10:00", "2026-12-29T00:00", "2026-12-28T00:00"),
        // It ended before it came.
        ("2026-12-04T10:00", "2026-12-03T10:00", "2026-12-03T10:00"),
        ("2026-12-08T10:00", "2026-12-06T10:00", "2026-12-06T10:00"),
    ] {
        let expected = Deadline { respond_before: at(end), remind_at: at(reminder) };
        assert_eq!(Deadline::between(at(from), at(end)), expected, "{from} {end}");
    }
}

#[test]
fn a_sender_gives_the_time_of_the_purpose_or_more() {
    let rule = handovers(SchemaName::HandoverOffered);
    let made = at("2026-11-30T10:00");
    let check = |urgency, asked: &str| {
        let offer = offer(urgency, asked);
        check_time_given(&offer, Urgency::of(&offer), &rule, made)
    };
    assert_eq!(check(Urgency::Normal, "2026-12-03T00:00:00+01:00"), Ok(()));
    assert_eq!(check(Urgency::Normal, "2026-12-02T23:59:00+01:00"), Ok(()), "a minute is tolerated");
    assert_eq!(check(Urgency::Normal, "2027-01-03T00:00:00+01:00"), Ok(()));
    let too_soon = check(Urgency::Normal, "2026-12-02T23:58:59+01:00").unwrap_err();
    assert_eq!(too_soon.earliest, at("2026-12-03T00:00"));
    assert_eq!(
        too_soon.to_string(),
        "de ander krijgt te weinig tijd: er wordt een antwoord gevraagd voor 02-12-2026 23:58, terwijl het doel tijd geeft tot 03-12-2026 00:00. Vraag het antwoord voor dat moment of later"
    );
    assert_eq!(check(Urgency::Crisis, "2026-11-30T14:00:00+01:00"), Ok(()));
    assert!(check(Urgency::Crisis, "2026-11-30T13:58:00+01:00").is_err());
    assert!(check(Urgency::High, "2026-11-30T14:00:00+01:00").is_err());
}

/// Both ends refuse what no clock or calendar explains, and count what lies within as it stands.
#[test]
fn what_is_asked_lies_after_the_message_and_not_too_far_away() {
    let rule = handovers(SchemaName::HandoverOffered);
    let made = at("2026-11-30T10:00");
    let check = |asked: &str| {
        let offer = offer(Urgency::Normal, asked);
        check_within_bounds(&offer, Urgency::of(&offer), &rule, made)
    };
    let latest = at("2026-12-03T00:00") + MOST_BEYOND_TERM;
    for within in ["2026-11-30T09:59:00+01:00", "2026-11-30T10:01:00+01:00", &latest.to_string()] {
        assert_eq!(check(within), Ok(()), "{within}");
    }
    let beyond = (latest + SignedDuration::from_secs(1)).to_string();
    for absurd in ["2026-11-30T09:58:59+01:00", "2025-11-30T10:00:00Z", &beyond, "9999-01-01T00:00:00Z"] {
        let fault = check(absurd).unwrap_err();
        assert_eq!((fault.made, fault.latest), (made, latest), "{absurd}");
        let refusal = crate::refusal::Refusal::from(fault);
        assert_eq!(refusal.reason, crate::refusal::Reason::TermOutOfBounds);
        assert!(refusal.to_string().contains("05-03-2027 00:00"), "{refusal}");
    }
    let consultation = document(SchemaName::ConsultationAsked, CONSULTATION, |content| {
        content["antwoord_voor"] = json!("9999-01-01T00:00:00Z");
    });
    assert_eq!(check_within_bounds(&consultation, Urgency::Normal, &rule, made), Ok(()));
}

#[test]
fn a_question_back_and_a_supplement_leave_time_too_and_a_consultation_may_be_short() {
    let soon = "2026-11-30T13:00:00+01:00";
    let made = at("2026-11-30T10:00");
    let question = document(SchemaName::HandoverSupplementRequested, QUESTION, |content| {
        content["antwoord_voor"] = json!(soon);
    });
    let rule_of_question = handovers(SchemaName::HandoverSupplementRequested);
    assert!(check_time_given(&question, Urgency::Crisis, &rule_of_question, made).is_err());
    let supplement = document(SchemaName::HandoverSupplemented, SUPPLEMENT, |content| {
        content["reageren_voor"] = json!(soon);
    });
    let rule_of_supplement = handovers(SchemaName::HandoverSupplemented);
    assert!(check_time_given(&supplement, Urgency::Crisis, &rule_of_supplement, made).is_err());
    let consultation = document(SchemaName::ConsultationAsked, CONSULTATION, |content| {
        content["antwoord_voor"] = json!(soon);
    });
    let rule =
        rule(include_str!("../../../../config/doelen/consultatie.toml"), SchemaName::ConsultationAsked);
    assert_eq!(check_time_given(&consultation, Urgency::Normal, &rule, made), Ok(()));
}

#[test]
fn without_a_term_any_moment_after_the_message_will_do() {
    let mut rule = handovers(SchemaName::HandoverOffered);
    rule.reactietermijn = None;
    let offer = offer(Urgency::Normal, "2026-11-30T14:00:00+01:00");
    assert_eq!(check_time_given(&offer, Urgency::Normal, &rule, at("2026-11-30T14:00")), Ok(()));
    assert!(check_time_given(&offer, Urgency::Normal, &rule, at("2026-11-30T14:02")).is_err());
}

/// The schema lets more pass as an instant than can be read here; that is as if nothing was asked.
#[test]
fn what_cannot_be_read_as_a_moment_is_not_asked() {
    let rule = handovers(SchemaName::HandoverOffered);
    let (made, end) = (at("2026-11-30T10:00"), at("2026-12-03T00:00"));
    let offer = offer(Urgency::Normal, "2026-12-01T10:00:00.123456789012Z");
    assert_eq!(asked(&offer), None);
    assert_eq!(check_time_given(&offer, Urgency::Normal, &rule, made), Ok(()));
    let deadline = Deadline::of(&offer, Urgency::Normal, &rule, made).unwrap();
    assert_eq!(deadline.respond_before, end);
}

fn any_instant() -> impl Strategy<Value = Timestamp> {
    (1_500_000_000..2_500_000_000_i64).prop_map(|second| Timestamp::from_second(second).unwrap())
}

proptest! {
    #[test]
    fn a_reminder_is_after_the_beginning_and_before_the_end(
        from in any_instant(), seconds in 1..5_000_000_i64,
    ) {
        let end = from + SignedDuration::from_secs(seconds);
        let deadline = Deadline::between(from, end);
        prop_assert_eq!(deadline.respond_before, end);
        prop_assert!(from < deadline.remind_at && deadline.remind_at < end);
        let halfway = from + SignedDuration::from_secs(seconds) / 2;
        prop_assert!(deadline.remind_at >= halfway);
        let day = calendar::day(deadline.remind_at);
        let nobody_works_before = calendar::midnight(calendar::working_day_from(day)).unwrap() >= end;
        prop_assert!(calendar::is_working_day(day) || nobody_works_before);
    }

    /// Nothing panics at either end of time.
    #[test]
    fn every_two_moments_have_a_reminder(first in any::<prop::sample::Index>(), second in any::<prop::sample::Index>()) {
        let far = [Timestamp::MIN, Timestamp::MAX, Timestamp::UNIX_EPOCH];
        let (from, end) = (*first.get(&far), *second.get(&far));
        prop_assert!(Deadline::between(from, end).remind_at <= end);
    }

    /// What the purpose itself gives always passes, and less by more than the tolerance never does.
    #[test]
    fn the_term_of_the_purpose_is_the_least(
        made in any_instant(), short in 0..200_i64, days in 1..=20_u16, crisis in 1..=24_u16,
        urgency in prop::sample::select(&Urgency::ALL[..]),
    ) {
        let mut rule = handovers(SchemaName::HandoverOffered);
        rule.reactietermijn = Some(ResponseTerms {
            normaal: Term::WorkingDays(days), hoog: None, crisis: Some(Term::Hours(crisis)),
        });
        let least = rule.respond_before(urgency, made).unwrap();
        let asked = least - SignedDuration::from_secs(short);
        let given = check_time_given(&offer(urgency, &asked.to_string()), urgency, &rule, made);
        if short <= 60 {
            prop_assert_eq!(given, Ok(()));
        } else {
            prop_assert_eq!(given, Err(TooLittleTime { asked, earliest: least }));
        }
    }
}
