#![allow(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

use schemas::Document;
use store::{Actor, Deed, Pending, Reason, Why};
use transport::Response;

use super::*;
use crate::{
    agreements::tests::{Group, oin, purpose},
    delivery,
    outbound::Submission,
};

const SIGNAL: &str =
    include_str!("../../../../schemas/fixtures/valid/signaal-betalingsachterstand/huur.json");

fn access(core: &Core) -> Access {
    let why = Why::new(Reason::Dossier, None, None).unwrap();
    Access { who: Actor::person("balie", None).unwrap(), what: Deed::Besluit, why, when: core.now() }
}

fn all(pending: Pending, expected: Option<usize>) -> Chosen {
    Chosen::Found { which: which(pending), expected }
}

/// So many signals, each of which the node of the receiver cannot read.
async fn unreadable(core: &Core, count: usize) {
    let document = Document::parse(SchemaName::PaymentArrears, SIGNAL.as_bytes()).unwrap();
    let submission = Submission {
        to: oin(0),
        purpose: purpose().content().doel.clone(),
        case: None,
        desk: None,
        document,
        source_record: None,
    };
    outbound::submit(core, vec![submission; count]).await.unwrap();
    while let Some(batch) = delivery::prepare(core, oin(0), true).await.unwrap() {
        let answer = Response::new(400, "application/problem+json", "{}");
        delivery::settle(core, batch, Ok(answer)).await.unwrap();
    }
}

#[tokio::test]
async fn many_go_again_once_somebody_said_how_many() {
    let group = Group::new(2).await;
    group.agreed().await;
    let core = &group.cores[1];
    let nothing = retry(core, access(core), all(Pending::Undeliverable, Some(0))).await;
    assert!(matches!(nothing, Err(UndeliveredError::Nothing)));
    unreadable(core, 3).await;
    let found = find(core, Undelivered { limit: 2, ..which(Pending::Undeliverable) }).await.unwrap();
    assert!(found.rows.len() == 2 && found.more_after.is_some());
    assert!(
        found.rows[0].1.contains("HTTP 400") && found.rows[0].1.contains("beheerder"),
        "{}",
        found.rows[0].1
    );
    for unsure in [None, Some(2), Some(4)] {
        let refused = retry(core, access(core), all(Pending::Undeliverable, unsure)).await;
        assert!(matches!(refused, Err(UndeliveredError::NotConfirmed(3))));
    }
    let indexes: Vec<u64> = find(core, which(Pending::Undeliverable))
        .await
        .unwrap()
        .rows
        .iter()
        .map(|(row, _)| row.index)
        .collect();
    give_up(core, access(core), Chosen::These(vec![indexes[0]]), GivenUp::NotNeeded).await.unwrap();
    let done = retry(core, access(core), Chosen::These([&indexes[..], &[999]].concat())).await.unwrap();
    assert_eq!(done.done, indexes[1..]);
    assert_eq!(done.not.iter().map(|(index, _)| *index).collect::<Vec<_>>(), [999, indexes[0]]);
    assert_eq!(
        waiting(core).await.unwrap().iter().map(|one| (one.to, one.waiting)).collect::<Vec<_>>(),
        [(oin(0), 2)]
    );

    // What waits is given up, too; twice is once too often.
    let done =
        give_up(core, access(core), all(Pending::Waiting, Some(2)), GivenUp::ReceiverStopped).await.unwrap();
    assert_eq!((done.done.len(), done.not.len()), (2, 0));
    let again = give_up(core, access(core), Chosen::These(indexes), GivenUp::NotNeeded).await.unwrap();
    assert_eq!((again.done.len(), again.not.len()), (0, 3));
    assert!(waiting(core).await.unwrap().is_empty());
    let given_up = find(core, which(Pending::GivenUp)).await.unwrap();
    assert!(given_up.rows.iter().any(|(_, why)| why.contains("doet niet meer mee")));
}

fn which(pending: Pending) -> Undelivered {
    Undelivered { pending, partner: None, purpose: None, since: None, after: None, limit: MAX_AT_ONCE }
}

#[tokio::test]
async fn what_carries_out_a_right_of_the_resident_is_not_given_up() {
    let group = Group::new(2).await;
    group.agreed().await;
    let core = &group.cores[1];
    unreadable(core, 1).await;
    let row = find(core, which(Pending::Undeliverable)).await.unwrap().rows.remove(0).0;
    assert_eq!(may_be_given_up(&row), Ok(()));
    let message_type = SchemaName::ConsentWithdrawn.message_type().map(str::to_owned);
    assert!(may_be_given_up(&MessageRow { message_type, ..row }).is_err());
}

#[test]
fn every_reason_is_told_in_dutch_with_what_to_do() {
    for given_up in GivenUp::ALL {
        assert!(reason(Some(given_up.code())).starts_with("Opgegeven: "));
        assert_eq!(given_up.as_str().parse(), Ok(given_up));
    }
    for code in refusal::Reason::ALL {
        assert_eq!(reason(Some(code.code())), code.sentence());
    }
    for other in [None, Some(ERASED_REASON), Some(UNREADABLE_REASON), Some("iets wat de ontvanger zei")] {
        assert!(reason(other).ends_with('.'));
    }
}
