//! How an agreement ends, and that nobody can take back what was.

use super::*;

/// A group of two in which the agreement is in force.
async fn in_force() -> (Group, Digest) {
    let group = Group::new(2).await;
    let digest = group.propose(0, 1, LAST_DAY).await.unwrap();
    group.bring(0, 1, digest).await.unwrap();
    group.answer(1, digest, AnswerKind::Accepted).await;
    group.bring(1, 0, digest).await.unwrap();
    (group, digest)
}

fn standing(core: &Core, digest: Digest) -> Standing {
    core.rules().agreement(digest).unwrap().standing(core.now())
}

#[tokio::test]
async fn who_accepted_ends_an_agreement_and_does_not_reject_it() {
    let (group, digest) = in_force().await;
    for core in &group.cores {
        let refused = answer(core, digest, AnswerKind::Rejected).await.unwrap_err();
        assert!(matches!(refused, AgreementFault::AlreadyAccepted), "{refused:?}");
        assert!(refused.to_string().contains("schakel convenant opzeggen"), "{refused}");
        assert_eq!(standing(core, digest), Standing::InForce);
    }
    // Also a version that another took the place of, and one that was ended: what was accepted was.
    let later = group.propose(0, 2, LAST_DAY).await.unwrap();
    group.bring(0, 1, later).await.unwrap();
    group.answer(1, later, AnswerKind::Accepted).await;
    group.bring(1, 0, later).await.unwrap();
    let refused = answer(&group.cores[0], digest, AnswerKind::Rejected).await;
    assert!(matches!(refused, Err(AgreementFault::AlreadyAccepted)), "{refused:?}");
    group.answer(0, later, AnswerKind::Ended).await;
    let refused = answer(&group.cores[0], later, AnswerKind::Rejected).await;
    assert!(matches!(refused, Err(AgreementFault::Final)), "{refused:?}");
}

/// Another program may sign it all the same, dated as it likes. Everybody takes it for an end, from when it is known.
#[tokio::test]
async fn a_rejection_or_an_end_that_is_dated_back_ends_from_when_it_is_known() {
    for kind in [AnswerKind::Rejected, AnswerKind::Ended] {
        let (group, digest) = in_force().await;
        let [first, second] = &group.cores[..] else { panic!("two") };
        let agreement = first.rules().agreement(digest).unwrap().as_ref().clone();
        let long_ago = first.now() - SignedDuration::from_hours(24 * 10);
        let jws = agreement.answer(kind, long_ago, &signer(1)).unwrap();
        learn(first, digest, std::slice::from_ref(&jws), Some(oin(1))).await.unwrap();
        assert_eq!(standing(first, digest), Standing::Ended(oin(1)), "{kind:?}");
        // Its own node never said it, and takes it from nobody.
        let told = learn(second, digest, &[jws], Some(oin(0))).await;
        assert!(matches!(told, Err(AgreementFault::NotSaidHere)), "{told:?}");
    }
}

/// A partner that heard of an answer by way of another process of this organisation brings it back a moment later.
#[tokio::test]
async fn an_own_answer_of_another_process_is_known_when_a_partner_brings_it() {
    let group = Group::new(2).await;
    let digest = group.propose(0, 1, LAST_DAY).await.unwrap();
    group.bring(0, 1, digest).await.unwrap();
    let running = &group.cores[1];
    let random = Arc::new(SeededRandom::new(9));
    let (key, clock) = (Arc::new(signer(1)), group.clock.clone());
    let command = Core::new(oin(1), running.store.clone(), key, clock, random).await.unwrap();
    answer(&command, digest, AnswerKind::Accepted).await.unwrap();
    let known = command.rules().agreement(digest).unwrap().answers().to_vec();
    let answers: Vec<String> = known.into_iter().map(|answer| answer.jws).collect();
    assert_eq!(answers.len(), 2);
    learn(&group.cores[0], digest, &answers, Some(oin(1))).await.unwrap();

    // Nothing had the running node read its rules anew.
    assert!(!running.rules().agreement(digest).unwrap().is_accepted_by(oin(1)));
    let taken = receive(running, oin(0), &group.package(0, digest)).await;
    assert_eq!(taken.unwrap().len(), 2);
    assert_eq!(standing(running, digest), Standing::InForce);
}

/// Rules that are another text than was agreed are no rules.
#[tokio::test]
async fn an_agreement_or_a_purpose_that_was_changed_in_the_store_is_not_decided_by() {
    let agreement = Agreement::parse(&text(2, 1, LAST_DAY)).unwrap();
    let mut changed: serde_json::Value = serde_json::from_str(purpose().text()).unwrap();
    changed["bewaartermijn_dagen"] = 3650.into();
    let changed = changed.to_string();
    assert_ne!(Purpose::from_json(&changed).unwrap().digest(), purpose().digest());
    let longer = text(2, 1, date(2027, 12, 31));
    let whole = (purpose().digest(), purpose().text().to_owned());
    for (what, content, purposes, damaged) in [
        ("nothing", agreement.text(), vec![whole.clone()], None),
        ("a purpose", agreement.text(), vec![(purpose().digest(), changed)], Some("de tekst van een doel")),
        ("a purpose that is gone", agreement.text(), vec![], Some("ontbreekt")),
        ("an agreement", longer.as_str(), vec![whole], Some("de tekst van een convenant")),
    ] {
        let group = Group::new(2).await;
        let core = &group.cores[0];
        core.store.put_agreement(agreement.digest(), content.into(), purposes, core.now()).await.unwrap();
        let read = core.latest_rules().await.map(|_| ()).map_err(|error| error.to_string());
        match damaged {
            None => assert_eq!(read, Ok(()), "{what}"),
            Some(said) => {
                let error = read.unwrap_err();
                assert!(error.contains(said), "{what}: {error}");
                assert_eq!(core.rules().agreements().count(), 0, "{what}: the previous ones hold");
                let answered = answer(core, agreement.digest(), AnswerKind::Accepted).await.unwrap_err();
                let told = crate::explain::explain(&anyhow::Error::from(answered));
                assert!(told.contains("reservekopie") && told.contains("sha256:"), "{told}");
            }
        }
    }
}
