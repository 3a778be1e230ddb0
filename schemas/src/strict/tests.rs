//! Ambiguous JSON is refused, and what is accepted is kept as written.

use proptest::prelude::*;

use super::*;

fn read(text: &str) -> Result<(Value, String), ParseError> {
    parse(text.as_bytes()).map(|parsed| (parsed.value, parsed.json))
}

fn refused(text: &str) -> (String, String) {
    match read(text) {
        Err(ParseError::Invalid(violations)) => (violations[0].field.clone(), violations[0].problem.clone()),
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_key_twice_is_refused_where_it_is() {
    let problem = "staat er meer dan één keer".to_owned();
    assert_eq!(refused(r#"{"a":1,"a":1}"#), ("/a".to_owned(), problem.clone()));
    assert_eq!(refused(r#"{"a":[{"b":{"c":1,"c":2}}]}"#), ("/a/0/b/c".to_owned(), problem.clone()));
    // The same key in another spelling.
    assert_eq!(refused(r#"{"naam":1,"n\u0061am":2}"#), ("/naam".to_owned(), problem.clone()));
    // A name of a field that looks like data is not shown.
    assert_eq!(refused(r#"{"x":{"999990342":1,"999990342":2}}"#), ("/x".to_owned(), problem));
    assert!(read(r#"{"a":{"b":1},"c":{"b":1}}"#).is_ok());
}

#[test]
fn numbers_that_readers_round_differently_are_refused() {
    for number in
        ["1.0", "0.1", "1e2", "-0", "1E400", "18446744073709551616", "123456789012345678901234567890"]
    {
        match read(&format!("[0,{number}]")) {
            Err(ParseError::Invalid(violations)) => assert_eq!(violations[0].field, "/1", "{number}"),
            Err(ParseError::NotJson { .. }) if number == "1E400" => {}
            other => panic!("{number}: {other:?}"),
        }
    }
    assert!(read("[0,-1,18446744073709551615]").is_ok());
}

#[test]
fn nesting_has_a_limit() {
    let nested = |depth: usize| format!("{}{}", "[".repeat(depth), "]".repeat(depth));
    assert!(read(&nested(MAX_DEPTH)).is_ok());
    assert_eq!(read(&nested(MAX_DEPTH + 1)).unwrap_err(), ParseError::TooDeep);
    assert_eq!(read(&"{\"a\":".repeat(20_000)).unwrap_err(), ParseError::TooLarge);
    assert_eq!(read(&"{\"a\":".repeat(10_000)).unwrap_err(), ParseError::TooDeep);
}

#[test]
fn size_has_a_limit() {
    let quoted = |length: usize| format!("\"{}\"", "a".repeat(length - 2));
    assert!(read(&quoted(MAX_BYTES)).is_ok());
    assert_eq!(read(&quoted(MAX_BYTES + 1)).unwrap_err(), ParseError::TooLarge);
}

#[test]
fn what_is_not_json_is_placed() {
    let at = |text: &[u8]| match parse(text).map(|parsed| parsed.json) {
        Err(ParseError::NotJson { line, column }) => (line, column),
        other => panic!("{other:?}"),
    };
    assert_eq!(at(b"{\n  \"a\": NaN}"), (2, 8));
    assert_eq!(at(b"{\"a\":\n \"\xff\"}"), (2, 3));
    assert_eq!(at(b"\xff"), (1, 1));
    assert_eq!(at(b"{} {}"), (1, 4));
    for text in ["", "{", "nul", "[1,]", "{'a':1}", "\"\u{1}\"", r#""\ud800""#, "\u{feff}{}", "01", "+1"] {
        at(text.as_bytes());
    }
}

#[test]
fn only_insignificant_whitespace_goes() {
    let compact = r#"{"a b":" \" \\","c":["\\\" ",1],"z":{},"b":"é \u00e9"}"#;
    assert_eq!(read(compact).map(|(_, json)| json), Ok(compact.to_owned()));
    let spaced = "\n{ \"a b\" : \" \\\" \\\\\" ,\t\"c\" : [ \"\\\\\\\" \" , 1 ] , \"z\" : { }\r\n,\"b\":\"é \\u00e9\" }\n";
    assert_eq!(read(spaced).map(|(_, json)| json), Ok(compact.to_owned()));
}

fn any_value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::Bool),
        any::<i64>().prop_map(Value::from),
        ".{0,12}".prop_map(Value::String),
    ];
    leaf.prop_recursive(4, 32, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::Array),
            prop::collection::vec((".{0,6}", inner), 0..4)
                .prop_map(|fields| Value::Object(fields.into_iter().collect())),
        ]
    })
}

proptest! {
    #[test]
    fn it_reads_what_serde_json_reads(value in any_value()) {
        let pretty = serde_json::to_string_pretty(&value).unwrap_or_default();
        let (read, json) = read(&pretty).map_err(|error| TestCaseError::fail(error.to_string()))?;
        prop_assert_eq!(&read, &value);
        prop_assert_eq!(json, value.to_string());
    }

    #[test]
    fn it_accepts_no_more_than_serde_json(text in r#"[\[\]{}",:0-9a-e.\\ntu \-]{0,32}"#) {
        if read(&text).is_ok() {
            prop_assert!(serde_json::from_str::<Value>(&text).is_ok());
        }
    }
}
