#![allow(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

use store::{MessageRow, State};
use uuid::Uuid;

use super::*;

fn row() -> MessageRow {
    MessageRow {
        index: 12,
        direction: Direction::Inbound,
        id: Some(Uuid::from_u128(1)),
        case: Some(Uuid::from_u128(2)),
        partner: "00000099000000002000".parse().unwrap(),
        message_type: Some("nl.sociaaldomein.signalen.betalingsachterstand.v1".into()),
        purpose: Some("vroegsignalering-huur".into()),
        agreement: None,
        desk: Some("wijkteam".into()),
        state: State::Waiting,
        reason: None,
        created: jiff::Timestamp::UNIX_EPOCH,
        expires: None,
        finished: None,
        digest: exchange::digest::Digest::of(b"bericht"),
        keep_until: None,
        erased: None,
        consent: None,
    }
}

fn event(kind: EventKind) -> Event {
    Event {
        number: 7,
        kind,
        at: jiff::Timestamp::UNIX_EPOCH,
        message: Some(row()),
        consent: None,
        reason: None,
    }
}

#[test]
fn an_event_is_a_cloud_event_of_identifiers_and_states() {
    let me = "00000099000000001000".parse().unwrap();
    let told = cloud_event(me, &event(EventKind::Admitted));
    assert_eq!(
        told,
        json!({
            "specversion": "1.0", "id": "7", "source": "urn:nld:oin:00000099000000001000",
            "type": "nl.schakel.bericht.toegelaten", "time": "1970-01-01T00:00:00Z",
            "subject": "00000000-0000-0000-0000-000000000001", "datacontenttype": "application/json",
            "data": {
                "bericht": "00000000-0000-0000-0000-000000000001", "nummer": 12,
                "dossier": "00000000-0000-0000-0000-000000000002", "partner": "00000099000000002000",
                "soort": "nl.sociaaldomein.signalen.betalingsachterstand.v1", "doel": "vroegsignalering-huur",
                "richting": "in", "stand": "toegelaten",
            },
        })
    );
    // The state is that of the event, whatever became of the message since; a handover is about its case.
    assert_eq!(cloud_event(me, &event(EventKind::Undeliverable))["data"]["stand"], "onbestelbaar");
    let handover = cloud_event(me, &event(EventKind::Handover));
    assert_eq!(handover["subject"], "00000000-0000-0000-0000-000000000002");
}
