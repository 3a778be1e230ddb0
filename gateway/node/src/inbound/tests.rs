use super::*;

#[test]
fn a_delivery_is_lines_with_or_without_a_last_line_end() {
    assert_eq!(lines(b"a\nb\n").unwrap(), ["a", "b"]);
    assert_eq!(lines(b"a\nb").unwrap(), ["a", "b"]);
}

#[test]
fn an_empty_line_or_none_is_unreadable() {
    for body in [b"".as_slice(), b"\n", b"a\n\nb", b"\na", b"a\n\n"] {
        assert!(matches!(lines(body), Err(InboundError::Unreadable)), "{body:?}");
    }
}

#[test]
fn bytes_that_are_no_text_are_unreadable() {
    assert!(matches!(lines(b"\xff\xfe"), Err(InboundError::Unreadable)));
}

#[test]
fn the_limits_are_exact() {
    assert_eq!(lines("a\n".repeat(MAX_MESSAGES).as_bytes()).unwrap().len(), MAX_MESSAGES);
    assert!(matches!(lines("a\n".repeat(MAX_MESSAGES + 1).as_bytes()), Err(InboundError::TooLarge)));
    assert!(lines(&vec![b'a'; MAX_BYTES]).is_ok());
    assert!(matches!(lines(&vec![b'a'; MAX_BYTES + 1]), Err(InboundError::TooLarge)));
}
