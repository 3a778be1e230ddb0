#![allow(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

use proptest::prelude::*;
use serde_json::Value;

use super::*;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Asked {
    #[expect(dead_code, reason = "only whether it can be read matters")]
    naam: String,
    #[expect(dead_code, reason = "only whether it can be read matters")]
    #[serde(default)]
    aantal: u8,
}

fn said(text: &str) -> String {
    format!("{:?}", read::<Asked>(text.as_bytes()).unwrap_err())
}

/// Where it goes wrong and what should be there, and nothing of a resident.
#[test]
fn tells_where_and_not_what() {
    for (text, expected) in [
        ("{}", "`naam` ontbreekt"),
        (r#"{"naam":"Kwakkelstein","naam":"x"}"#, "twee keer"),
        (r#"{"naam":"x","Kwakkelstein":1}"#, "Wel kan: naam, aantal"),
        (r#"{"naam":"x","aantal":"Kwakkelstein"}"#, "iets anders"),
        (r#"{"naam":"Kwakkelstein""#, "geen leesbare JSON"),
        (r#"{"naam":"x","aantal":1}{"#, "geen leesbare JSON"),
        ("", "geen leesbare JSON"),
    ] {
        let said = said(text);
        assert!(said.contains(expected) && !said.contains("Kwakkelstein"), "{text}: {said}");
    }
}

#[test]
fn deep_json_is_refused() {
    let deep = format!("{}{}", "[".repeat(100_000), "]".repeat(100_000));
    assert!(read::<Value>(deep.as_bytes()).is_err());
}

#[test]
fn only_json_is_taken() {
    let with = |name: &'static str, value: &'static str| {
        let mut headers = HeaderMap::new();
        headers.insert(header::CONTENT_TYPE, "application/json".parse().unwrap());
        headers.insert(name, value.parse().unwrap());
        check_type(&headers)
    };
    for good in ["application/json", "Application/JSON; charset=UTF-8", "application/json;charset=\"utf-8\""]
    {
        with("content-type", good).unwrap();
    }
    for bad in
        ["text/plain", "application/json; charset=latin1", "application/jsonx", "multipart/form-data", ""]
    {
        with("content-type", bad).unwrap_err();
    }
    with("content-encoding", "gzip").unwrap_err();
    with("content-encoding", "identity").unwrap();
    check_type(&HeaderMap::new()).unwrap_err();
}

proptest! {
    #[test]
    fn reads_anything(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        let _ = read::<Asked>(&bytes);
    }
}
