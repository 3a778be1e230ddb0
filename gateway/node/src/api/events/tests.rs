#![allow(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

use super::*;

fn client(roles: &[Role], until: Option<i64>) -> Client {
    Client { name: "x".into(), key: "x".into(), roles: roles.iter().copied().collect(), person: None, until }
}

#[test]
fn a_client_has_so_many_streams_and_all_have_so_many() {
    let streams = Streams::default();
    let mut own: Vec<_> = (0..limits::STREAMS_PER_CLIENT).map(|_| streams.take("een").unwrap()).collect();
    assert!(streams.take("een").is_none());
    assert!(streams.take("ander").is_some());
    drop(own.pop());
    own.push(streams.take("een").unwrap());
    let left = limits::STREAMS - own.len();
    let others: Vec<_> = (0..left).map(|number| streams.take(&number.to_string()).unwrap()).collect();
    assert!(streams.take("nog een").is_none());
    drop((own, others));
    assert!(streams.0.lock().unwrap().is_empty());
}

#[test]
fn who_runs_the_node_sees_messages_and_no_cases() {
    assert_eq!(kinds(&client(&[Role::Medewerker], None)), EventKind::ALL);
    assert_eq!(kinds(&client(&[Role::Privacy, Role::Beheer], None)), EventKind::ALL);
    let seen = kinds(&client(&[Role::Beheer], None));
    assert_eq!(seen, [EventKind::Admitted, EventKind::Refused, EventKind::Undeliverable]);
}

#[test]
fn a_stream_lasts_no_longer_than_the_token() {
    assert_eq!(life(&client(&[], None), 100), limits::STREAM_AGE);
    assert_eq!(life(&client(&[], Some(161)), 100), Duration::from_secs(61));
    assert_eq!(life(&client(&[], Some(90)), 100), Duration::ZERO);
}

#[tokio::test]
async fn a_place_is_free_when_the_stream_ends_and_when_its_reader_is_gone() {
    let streams = Streams::default();
    let held = |streams: &Streams| streams.0.lock().unwrap().len();

    let (reader, reader_gone) = oneshot::channel();
    let place = streams.take("balie").unwrap();
    assert_eq!(held(&streams), 1);
    hold(place, reader_gone, std::future::ready(())).await;
    assert_eq!(held(&streams), 0, "what was sent still waits for its reader");
    drop(reader);

    let (reader, reader_gone) = oneshot::channel();
    let place = streams.take("balie").unwrap();
    drop(reader);
    hold(place, reader_gone, std::future::pending()).await;
    assert_eq!(held(&streams), 0);
}
