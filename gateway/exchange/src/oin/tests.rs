#![allow(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

use proptest::prelude::*;

use super::*;

#[test]
fn an_oin_names_its_system_and_its_log() {
    let oin: Oin = "00000099000000001000".parse().unwrap();
    assert_eq!(oin.to_string(), "00000099000000001000");
    assert_eq!(oin.source_urn(), "urn:nld:oin:00000099000000001000:systeem:schakel");
    assert_eq!(oin.log_origin(), "schakel/00000099000000001000");
}

#[test]
fn what_is_no_oin_is_refused_without_repeating_it() {
    for wrong in
        ["", "0000009900000000100", "000000990000000010000", "0000009900000000100x", "A0000099000000001000"]
    {
        assert_eq!(wrong.parse::<Oin>(), Err(NotAnOin), "{wrong}");
        let error = serde_json::from_value::<Oin>(wrong.into()).unwrap_err();
        assert_eq!(error.to_string(), "expected an OIN");
    }
}

proptest! {
    #[test]
    fn what_is_read_is_written_back(text in "[0-9]{8}[0-9A-Z]{12}") {
        let oin: Oin = text.parse().unwrap();
        prop_assert_eq!(oin.as_str(), &text);
        prop_assert_eq!(serde_json::to_value(oin).unwrap(), serde_json::Value::from(text));
    }

    #[test]
    fn any_text_is_read_without_harm(text in ".{0,24}") {
        if let Ok(oin) = text.parse::<Oin>() {
            prop_assert_eq!(oin.as_str(), text);
        }
    }
}
