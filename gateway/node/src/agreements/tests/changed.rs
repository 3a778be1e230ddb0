//! What was changed on the way is not taken in, and leaves nothing behind.

use exchange::clock::Clock as _;
use serde_json::{Value, json};

use super::*;

/// The package that party 0 sends about a proposal of its own, changed.
async fn receive_changed(change: impl FnOnce(&mut Value)) -> (Group, Result<Vec<String>, AgreementFault>) {
    let group = Group::new(2).await;
    let digest = group.propose(0, 1, LAST_DAY).await.unwrap();
    let mut package: Value = serde_json::from_slice(&group.package(0, digest)).unwrap();
    change(&mut package);
    let outcome = receive(&group.cores[1], oin(0), package.to_string().as_bytes()).await;
    (group, outcome)
}

fn knows_nothing(group: &Group) -> bool {
    group.cores[1].rules().agreements().count() == 0
}

#[tokio::test]
async fn what_is_as_it_was_signed_is_taken_in() {
    let (group, outcome) = receive_changed(|_| {}).await;
    assert_eq!(outcome.unwrap().len(), 1);
    assert!(!knows_nothing(&group));
}

#[tokio::test]
async fn an_agreement_that_was_changed_after_it_was_signed_is_refused() {
    for (place, value) in [
        ("/convenant/geldig_tot", json!("2027-06-30")),
        ("/convenant/partijen/0/fg", json!("fg@iemand-anders.test")),
        ("/convenant/afspraken/0/van", json!([oin(0)])),
    ] {
        let (group, outcome) = receive_changed(|package| *package.pointer_mut(place).unwrap() = value).await;
        assert!(
            matches!(outcome, Err(AgreementFault::Agreement(AgreementError::Answer))),
            "{place} {outcome:?}"
        );
        assert!(knows_nothing(&group), "{place}");
    }
}

#[tokio::test]
async fn a_purpose_whose_text_is_another_than_its_digest_is_refused() {
    let (group, outcome) =
        receive_changed(|package| package["doelen"][0]["bewaartermijn_dagen"] = json!(3650)).await;
    assert!(
        matches!(&outcome, Err(AgreementFault::PurposeMissing(doel)) if doel == "vroegsignalering-huur"),
        "{outcome:?}"
    );
    assert!(outcome.unwrap_err().to_string().contains("is een andere dan het convenant noemt"));
    assert!(knows_nothing(&group));
    let (group, outcome) = receive_changed(|package| package["doelen"] = json!([])).await;
    assert!(matches!(outcome, Err(AgreementFault::PurposeMissing(_))), "{outcome:?}");
    assert!(knows_nothing(&group));
}

#[tokio::test]
async fn an_answer_to_another_agreement_is_none_to_this_one() {
    let group = Group::new(2).await;
    let first = group.propose(0, 1, LAST_DAY).await.unwrap();
    let second = group.propose(0, 2, LAST_DAY).await.unwrap();
    let mut package: Value = serde_json::from_slice(&group.package(0, second)).unwrap();
    let other: Value = serde_json::from_slice(&group.package(0, first)).unwrap();
    package["antwoorden"] = other["antwoorden"].clone();
    let outcome = receive(&group.cores[1], oin(0), package.to_string().as_bytes()).await;
    assert!(matches!(outcome, Err(AgreementFault::Agreement(AgreementError::Answer))), "{outcome:?}");
}

#[tokio::test]
async fn an_acceptance_from_the_future_is_not_taken_in() {
    for (ahead, taken) in [(SignedDuration::from_hours(24), true), (SignedDuration::from_hours(25), false)] {
        let group = Group::new(2).await;
        let agreement = Agreement::parse(&text(2, 1, LAST_DAY)).unwrap();
        let at = group.clock.now() + ahead;
        let answer = agreement.answer(AnswerKind::Accepted, at, &signer(0)).unwrap();
        let package = json!({
            "convenant": serde_json::from_str::<Value>(agreement.text()).unwrap(),
            "doelen": [serde_json::from_str::<Value>(purpose().text()).unwrap()], "antwoorden": [answer],
        });
        let outcome = receive(&group.cores[1], oin(0), package.to_string().as_bytes()).await;
        assert_eq!(outcome.is_ok(), taken, "{outcome:?}");
        assert_eq!(knows_nothing(&group), !taken);
        if let Err(fault) = outcome {
            assert!(matches!(fault, AgreementFault::FromTheFuture(by) if by == oin(0)), "{fault:?}");
        }
    }
}

/// Also for an agreement that is known already; an end counts whatever its date.
#[tokio::test]
async fn a_later_acceptance_from_the_future_is_not_taken_in_either() {
    let group = Group::new(2).await;
    let digest = group.propose(0, 1, LAST_DAY).await.unwrap();
    group.bring(0, 1, digest).await.unwrap();
    let rules = group.cores[0].rules();
    let at = group.clock.now() + SignedDuration::from_hours(25);
    let said = |kind| rules.agreement(digest).unwrap().answer(kind, at, &signer(1)).unwrap();
    let outcome = learn(&group.cores[0], digest, &[said(AnswerKind::Accepted)], Some(oin(1))).await;
    assert!(matches!(outcome, Err(AgreementFault::FromTheFuture(_))), "{outcome:?}");
    assert!(learn(&group.cores[0], digest, &[said(AnswerKind::Ended)], Some(oin(1))).await.is_ok());
    let standing = group.cores[0].rules().agreement(digest).unwrap().standing(group.clock.now());
    assert_eq!(standing, Standing::Ended(oin(1)));
}
