#![allow(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

use jiff::civil::date;
use serde_json::json;

use super::*;
use crate::{
    agreement::{AnswerKind, Content},
    digest::Digest,
    id, jws,
    message::{Draft, ReceivedMessage},
    organisation::OrganisationKind,
    policy::ConsentKnowledge,
    random::SeededRandom,
    refusal::Reason,
    testing::{
        agreement, answer, content, corporation, data, draft, in_force, municipality, now, oin, party,
        purpose, signer,
    },
};

fn version(versie: u32, change: impl FnOnce(&mut Content)) -> Content {
    let mut content = content();
    content.versie = versie;
    change(&mut content);
    content
}

fn rules(agreements: impl IntoIterator<Item = Agreement>) -> Rulebook {
    Rulebook::new(agreements, [purpose()])
}

/// What the corporation may send under the first version at `time`.
fn send(rules: &Rulebook, time: Timestamp) -> Result<(), Reason> {
    let draft = Draft { time, id: id::new(time, &SeededRandom::new(3)), ..draft() };
    let permitted = draft.permit(rules, ConsentKnowledge::NothingElse);
    permitted.map(drop).map_err(|held_back| held_back.refusal().reason)
}

/// What the municipality makes at `now` of a message that was made at `made` under the first version.
fn receive(rules: &Rulebook, made: Timestamp, now: Timestamp) -> Result<(), Reason> {
    let payload = json!({
        "specversion": "1.0", "id": id::new(made, &SeededRandom::new(3)), "source": corporation().source_urn(),
        "type": crate::testing::ARREARS, "time": made, "datacontenttype": "application/json",
        "dataschema": draft().document.schema().urn(), "ontvanger": municipality(),
        "verlooptop": made + SignedDuration::from_hours(24 * 90), "convenant": agreement(&content()).digest(),
        "doel": crate::testing::PURPOSE, "data": data(),
        "dossier": "urn:uuid:7c9e6679-7425-40de-944b-e07fc1f90ae7",
    });
    let compact = jws::sign(jws::MESSAGE, payload.to_string().as_bytes(), &signer(1));
    let verified = ReceivedMessage::new(&compact, corporation()).verify(municipality(), rules, now);
    let admitted = verified.and_then(|one| one.admit(rules, ConsentKnowledge::NothingElse, now));
    admitted.map(drop).map_err(|refused| refused.refusal().reason)
}

fn days(days: i64) -> SignedDuration {
    SignedDuration::from_hours(24 * days)
}

#[test]
fn nothing_new_goes_under_a_version_that_was_replaced() {
    let first = || in_force(&content());
    assert_eq!(send(&rules([first()]), now()), Ok(()));
    let second = || in_force(&version(2, |_| {}));
    assert_eq!(send(&rules([first(), second()]), now()), Err(Reason::AgreementNotInForce));
    // Nor what the new version does not allow any more.
    let narrower = in_force(&version(2, |content| drop(content.afspraken.remove(0))));
    assert_eq!(send(&rules([first(), narrower]), now()), Err(Reason::AgreementNotInForce));
    let mut proposed = agreement(&version(2, |_| {}));
    answer(&mut proposed, 1, AnswerKind::Accepted);
    assert_eq!(send(&rules([first(), proposed]), now()), Ok(()), "as long as one has not accepted");
    let another_group = in_force(&version(2, |content| content.groep = "een-andere".into()));
    assert_eq!(send(&rules([first(), another_group]), now()), Ok(()));
    let same_version = in_force(&version(1, |content| content.geldig_tot = date(2028, 1, 1)));
    assert_eq!(send(&rules([first(), same_version]), now()), Ok(()), "neither replaces the other");
}

#[test]
fn a_version_replaces_from_its_first_day() {
    let later = in_force(&version(2, |content| content.geldig_van = date(2026, 12, 1)));
    let rules = rules([in_force(&content()), later]);
    assert_eq!(send(&rules, now()), Ok(()));
    let begin = "2026-11-30T23:00:00Z".parse::<Timestamp>().unwrap();
    assert_eq!(send(&rules, begin - SignedDuration::from_millis(1)), Ok(()));
    assert_eq!(send(&rules, begin), Err(Reason::AgreementNotInForce));
}

#[test]
fn the_end_of_a_new_version_does_not_bring_back_the_old() {
    let mut ended = agreement(&version(2, |_| {}));
    for (number, kind, time) in [
        (1, AnswerKind::Accepted, "2026-11-01T10:00:00Z"),
        (2, AnswerKind::Accepted, "2026-11-02T10:00:00Z"),
        (1, AnswerKind::Ended, "2026-11-10T10:00:00Z"),
    ] {
        let jws = ended.answer(kind, time.parse().unwrap(), &signer(number)).unwrap();
        ended.add_answer(&jws).unwrap();
    }
    assert_eq!(ended.in_force_since(), Some("2026-11-02T10:00:00Z".parse().unwrap()));
    assert_eq!(send(&rules([in_force(&content()), ended]), now()), Err(Reason::AgreementNotInForce));
}

/// The second version, with these answers.
fn answered(change: impl FnOnce(&mut Content), answers: [(u8, AnswerKind, &str); 3]) -> Agreement {
    let mut agreement = agreement(&version(2, change));
    for (number, kind, time) in answers {
        let jws = agreement.answer(kind, time.parse().unwrap(), &signer(number)).unwrap();
        agreement.add_answer(&jws).unwrap();
    }
    agreement
}

#[test]
fn a_version_that_was_called_off_before_its_first_day_replaces_nothing() {
    use AnswerKind::{Accepted, Ended};
    let january = |content: &mut Content| content.geldig_van = date(2027, 1, 1);
    let called_off = [
        (1, Accepted, "2026-11-01T10:00:00Z"),
        (2, Accepted, "2026-11-02T10:00:00Z"),
        (2, Ended, "2026-12-31T22:59:59Z"),
    ];
    let later = "2027-02-01T10:00:00Z".parse().unwrap();
    let under = |second| send(&rules([in_force(&content()), second]), later);
    assert_eq!(under(answered(january, called_off)), Ok(()));
    let [one, two, (number, kind, _)] = called_off;
    let too_late = [one, two, (number, kind, "2026-12-31T23:00:00Z")];
    assert_eq!(under(answered(january, too_late)), Err(Reason::AgreementNotInForce));
}

/// An end and the last acceptance that cross: by clocks that differ nobody can say which was first.
#[test]
fn an_end_that_crosses_the_last_acceptance_does_not_bring_back_the_old() {
    use AnswerKind::{Accepted, Ended};
    let crossed = [
        (1, Accepted, "2026-11-01T10:00:00Z"),
        (1, Ended, "2026-11-02T10:00:00Z"),
        (2, Accepted, "2026-11-02T10:05:00Z"),
    ];
    let rules = rules([in_force(&content()), answered(|_| {}, crossed)]);
    assert_eq!(send(&rules, now()), Err(Reason::AgreementNotInForce));
}

/// Who knows the answers goes by them, whatever clock they were made by.
#[test]
fn a_sender_whose_clock_is_behind_makes_nothing_new_either() {
    let rules = rules([in_force(&content()), in_force(&version(2, |_| {}))]);
    assert_eq!(send(&rules, now() - SignedDuration::from_mins(10)), Err(Reason::AgreementNotInForce));
}

#[test]
fn what_is_under_way_still_arrives_and_not_for_ever() {
    let rules = rules([in_force(&content()), in_force(&version(2, |_| {}))]);
    let since = now();
    let week = since + OVERLAP;
    let before = since - days(1);
    assert_eq!(receive(&rules, before, since + days(60)), Ok(()), "made before, and long under way");
    assert_eq!(receive(&rules, week, week), Ok(()), "by a sender that may not know");
    let after = week + SignedDuration::from_millis(1);
    assert_eq!(receive(&rules, after, after), Err(Reason::AgreementNotInForce));
}

#[test]
fn between_others_than_its_parties_nothing_is_replaced() {
    let three =
        |versie| version(versie, |content| content.partijen.push(party(3, OrganisationKind::SocialService)));
    let mut first = in_force(&three(1));
    answer(&mut first, 3, AnswerKind::Accepted);
    let second = in_force(&version(2, |_| {}));
    let rules = rules([first.clone(), second.clone()]);
    let by = |one, other| rules.replacement(&first, one, other).map(|found| found.by.digest());
    assert_eq!(by(oin(1), oin(2)), Some(second.digest()));
    assert_eq!(by(oin(1), oin(3)), None);
    assert_eq!(rules.replacement(&second, oin(1), oin(2)).map(|found| found.since), None);
}

#[test]
fn the_newest_is_named_and_the_first_counts() {
    let first = in_force(&content());
    let third = in_force(&version(3, |content| content.geldig_van = date(2027, 1, 1)));
    let second = in_force(&version(2, |_| {}));
    let rules = rules([third.clone(), first.clone(), second]);
    let found = rules.replacement(&first, corporation(), municipality()).unwrap();
    assert_eq!((found.by.digest(), found.since), (third.digest(), now()));
    let order: Vec<Digest> = rules.versions("rivierland").iter().map(|one| one.digest()).collect();
    assert_eq!(order.len(), 3);
    assert_eq!((order[0], order[2]), (first.digest(), third.digest()));
    assert!(rules.versions("onbekend").is_empty());
}
