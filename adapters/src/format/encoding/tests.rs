use super::*;

#[test]
fn every_encoding_is_found_by_its_name_whatever_the_capitals() {
    for encoding in Encoding::ALL {
        assert_eq!(Encoding::by_name(&encoding.name().to_uppercase()), Some(encoding));
    }
    assert_eq!(Encoding::by_name("ebcdic"), None);
}

#[test]
fn single_bytes_mean_what_their_encoding_says() {
    assert_eq!(Encoding::Windows1252.decode(b"M\xfcller \x80").unwrap(), "Müller €");
    assert_eq!(Encoding::Iso8859_1.decode(b"M\xfcller \xa4").unwrap(), "Müller ¤");
    assert_eq!(Encoding::Iso8859_15.decode(b"M\xfcller \xa4").unwrap(), "Müller €");
    assert_eq!(Encoding::Utf8.decode("Müller €".as_bytes()).unwrap(), "Müller €");
}

#[test]
fn bytes_without_a_meaning_are_a_misfit() {
    for byte in [0x81, 0x8d, 0x8f, 0x90, 0x9d] {
        assert_eq!(Encoding::Windows1252.decode(&[b'a', byte]), Err(Misfit::Meaningless));
    }
    assert_eq!(Encoding::Iso8859_1.decode(b"a\x80"), Err(Misfit::Meaningless));
    assert_eq!(Encoding::Iso8859_15.decode(b"a\x93"), Err(Misfit::Meaningless));
    assert_eq!(Encoding::Utf8.decode(b"M\xfcller"), Err(Misfit::Meaningless));
}

#[test]
fn utf8_under_another_name_is_noticed() {
    for name in ["Müller", "Yılmaz", "Łukasz", "Özdemir-Šimić", "Nguyễn"] {
        for encoding in [Encoding::Windows1252, Encoding::Iso8859_1, Encoding::Iso8859_15] {
            assert_eq!(encoding.decode(name.as_bytes()), Err(Misfit::LooksUtf8), "{name} as {encoding}");
        }
    }
}

#[test]
fn text_that_happens_to_be_valid_utf8_is_left_alone() {
    // ß followed by a curly apostrophe is one Nko letter in UTF-8; É followed by one is a phonetic sign.
    assert_eq!(Encoding::Windows1252.decode(b"Gro\xdf\x92s").unwrap(), "Groß’s");
    assert_eq!(Encoding::Windows1252.decode(b"CAF\xc9\x92S").unwrap(), "CAFÉ’S");
}

#[test]
fn what_was_decoded_encodes_to_the_same_bytes() {
    for encoding in Encoding::ALL {
        for byte in 0..=u8::MAX {
            if let Ok(text) = encoding.decode(&[byte]) {
                assert_eq!(encoding.encode(&text), [byte], "{encoding} {byte:02x}");
            }
        }
    }
}

#[test]
fn a_character_the_encoding_lacks_becomes_a_question_mark() {
    assert_eq!(Encoding::Iso8859_1.encode("a€ı"), b"a??");
    assert_eq!(Encoding::Windows1252.encode("a€ı"), b"a\x80?");
}
