#![allow(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

use proptest::prelude::*;

use super::*;

/// FIPS 180-4, the example of one block.
const ABC: &str = "sha256:ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";

#[test]
fn a_digest_is_sha_256_with_its_name() {
    assert_eq!(Digest::of(b"abc").to_string(), ABC);
    assert_eq!(ABC.parse(), Ok(Digest::of(b"abc")));
    assert_eq!(format!("{:?}", Digest::of(b"abc")), ABC);
    assert_eq!(format!("{:.9}", Digest::of(b"abc")), "sha256:ba");
}

#[test]
fn a_digest_has_one_spelling() {
    for wrong in [
        "",
        "sha256:",
        &ABC[7..],
        &ABC[..70],
        &format!("{ABC}0"),
        &ABC.to_uppercase(),
        &ABC.replace("ba78", "BA78"),
        &ABC.replace("sha256", "sha512"),
        &ABC.replace("ba78", "ba7g"),
        &ABC.replace("ba78", "é78"),
        &format!(" {ABC}"),
    ] {
        assert_eq!(wrong.parse::<Digest>(), Err(NotADigest), "{wrong}");
        assert!(serde_json::from_value::<Digest>(wrong.into()).is_err(), "{wrong}");
    }
}

proptest! {
    #[test]
    fn what_is_written_is_read_back(bytes: [u8; 32]) {
        let digest = Digest::from_bytes(bytes);
        prop_assert_eq!(digest.to_string().parse(), Ok(digest));
        let json = serde_json::to_string(&digest).unwrap();
        prop_assert_eq!(serde_json::from_str::<Digest>(&json).unwrap(), digest);
    }

    #[test]
    fn any_text_is_read_without_harm(text in "(sha256:)?.{0,80}") {
        if let Ok(digest) = text.parse::<Digest>() {
            prop_assert_eq!(digest.to_string(), text);
        }
    }
}
