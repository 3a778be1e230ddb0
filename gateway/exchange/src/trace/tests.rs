#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use proptest::prelude::*;

use super::*;

const EXAMPLE: &str = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";

fn oin(last: u8) -> Oin {
    format!("000000990000000{last:02}000").parse().unwrap()
}

#[test]
fn reads_what_it_writes() {
    assert_eq!(TraceContext::parse(EXAMPLE).unwrap().to_string(), EXAMPLE);
}

#[test]
fn what_is_malformed_is_nothing() {
    for text in [
        "",
        "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-0",
        "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01-more",
        "ff-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
        "0x-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
        "01-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01.more",
        "00-4BF92F3577B34DA6A3CE929D0E0E4736-00f067aa0ba902b7-01",
        "00-00000000000000000000000000000000-00f067aa0ba902b7-01",
        "00-4bf92f3577b34da6a3ce929d0e0e4736-0000000000000000-01",
        "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-zz",
        "00_4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
        "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902bé-01",
    ] {
        assert_eq!(TraceContext::parse(text), None, "{text}");
    }
}

#[test]
fn a_later_version_is_read_as_far_as_it_is_known() {
    let later = format!("01{}-something-new", &EXAMPLE[2..]);
    assert_eq!(TraceContext::parse(&later), TraceContext::parse(EXAMPLE));
}

/// What is on the wire is for good: a receiver that kept it compares it years later.
#[test]
fn the_derivation_never_changes() {
    let id = "01932d3a-7c00-7000-8000-000000000001".parse().unwrap();
    let sent = TraceContext::of_message(oin(1), id).to_string();
    assert_eq!(sent, "00-01932d3a7c0070008000000000000001-3ba3f03cdb266f60-01");
}

#[test]
fn nothing_is_all_zero() {
    assert_eq!(not_zero([0; 8]), [0, 0, 0, 0, 0, 0, 0, 1]);
    assert_eq!(not_zero([0, 2]), [0, 2]);
    assert_ne!(TraceContext::of_message(oin(1), Uuid::nil()).trace.as_bytes(), &[0; 16]);
}

proptest! {
    #[test]
    fn any_text_is_read_without_harm(text in ".{0,80}") {
        if let Some(read) = TraceContext::parse(&text) {
            prop_assert_eq!(read.to_string()[2..53].to_owned(), text[2..53].to_owned());
        }
    }

    #[test]
    fn another_message_or_sender_is_another_operation(one: u128, other: u128) {
        let (one, other) = (Uuid::from_u128(one), Uuid::from_u128(other));
        let sent = TraceContext::of_message(oin(1), one);
        prop_assert_eq!(sent, TraceContext::of_message(oin(1), one));
        prop_assert_ne!(sent.operation, TraceContext::of_message(oin(2), one).operation);
        prop_assert_eq!(one == other, sent == TraceContext::of_message(oin(1), other));
        prop_assert_eq!(TraceContext::parse(&sent.to_string()), Some(sent));
    }

    #[test]
    fn every_place_has_an_operation_of_its_own(index: u64, about: u64, other: u64) {
        let operation = OperationId::of(oin(1), index, about);
        prop_assert_eq!(other == about, operation == OperationId::of(oin(1), index, other));
        prop_assert_eq!(other == index, operation == OperationId::of(oin(1), other, about));
        prop_assert_ne!(operation, OperationId::of(oin(2), index, about));
    }
}
