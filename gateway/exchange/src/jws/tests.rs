#![allow(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

use proptest::prelude::*;

use super::*;
use crate::testing::signer;

const PAYLOAD: &[u8] = br#"{"id":"1"}"#;

/// A JWS with any header, signed over what it says.
fn with_header(header: &str) -> String {
    let input = format!("{}.{}", BASE64URL.encode(header), BASE64URL.encode(PAYLOAD));
    let signature = signer(1).sign(input.as_bytes());
    format!("{input}.{}", BASE64URL.encode(signature))
}

fn verify(compact: &str) -> Result<Vec<u8>, JwsError> {
    let jws = Unverified::parse(MESSAGE, compact)?;
    jws.verify(signer(1).public_key()).map(<[u8]>::to_vec)
}

/// A header with `members` besides the three that belong.
fn header_and(members: &str) -> String {
    format!(r#"{{"alg":"EdDSA","typ":"schakel-bericht+jws","kid":"k"{members}}}"#)
}

#[test]
fn what_is_signed_verifies_and_says_by_whom() {
    let compact = sign(MESSAGE, PAYLOAD, &signer(1));
    let jws = Unverified::parse(MESSAGE, &compact).unwrap();
    assert_eq!(jws.kid(), signer(1).public_key().kid());
    assert_eq!(jws.unverified_payload(), PAYLOAD);
    assert_eq!(jws.verify(signer(1).public_key()), Ok(PAYLOAD));
    assert_eq!(jws.verify(signer(2).public_key()), Err(JwsError::Signature));
    let header = BASE64URL.decode(compact.split('.').next().unwrap()).unwrap();
    let expected =
        format!(r#"{{"alg":"EdDSA","typ":"schakel-bericht+jws","kid":"{}"}}"#, signer(1).public_key().kid());
    assert_eq!(String::from_utf8(header).unwrap(), expected);
}

#[test]
fn both_names_of_the_algorithm_are_accepted_and_no_other() {
    for alg in ["EdDSA", "Ed25519"] {
        assert!(verify(&with_header(&header_and("").replace("EdDSA", alg))).is_ok());
    }
    for alg in ["none", "None", "", "HS256", "ES256", "RS256", "PS256", "Ed448", "eddsa", "EdDSA "] {
        let compact = with_header(&header_and("").replace("EdDSA", alg));
        assert_eq!(verify(&compact), Err(JwsError::Algorithm), "{alg}");
    }
    // Unsecured in the way of RFC 7515 appendix A.5: an empty signature.
    let unsecured = format!(
        "{}.{}.",
        BASE64URL.encode(header_and("").replace("EdDSA", "none")),
        BASE64URL.encode(PAYLOAD)
    );
    assert_eq!(verify(&unsecured), Err(JwsError::Algorithm));
    let unsigned = format!("{}.{}.", BASE64URL.encode(header_and("")), BASE64URL.encode(PAYLOAD));
    assert_eq!(verify(&unsigned), Err(JwsError::Signature));
}

#[test]
fn any_critical_extension_is_refused() {
    for value in [r#"["b64"]"#, r#"["exp"]"#, "[]", "null", "0", r#""b64""#] {
        let compact = with_header(&header_and(&format!(r#","crit":{value}"#)));
        assert_eq!(verify(&compact), Err(JwsError::Critical), "{value}");
    }
}

#[test]
fn another_type_is_refused() {
    for typ in
        ["JWT", AGREEMENT_ANSWER, DESCRIPTOR, "Schakel-Bericht+jws", "application/schakel-bericht+jws", ""]
    {
        let compact = with_header(&header_and("").replace(MESSAGE, typ));
        assert_eq!(verify(&compact), Err(JwsError::Type), "{typ}");
    }
    assert_eq!(verify(&with_header(r#"{"alg":"EdDSA","kid":"k"}"#)), Err(JwsError::Type));
}

#[test]
fn a_header_that_two_could_read_differently_is_refused() {
    for header in [
        header_and(r#","alg":"EdDSA""#),
        header_and(r#","alg":"none""#),
        header_and(r#","kid":"k""#),
        header_and(r#","typ":"schakel-bericht+jws""#),
        header_and(r#","x":1,"x":1"#),
        // The same name, spelled with an escape.
        header_and(r#","al\u0067":"none""#),
    ] {
        assert_eq!(verify(&with_header(&header)), Err(JwsError::Malformed), "{header}");
    }
}

#[test]
fn a_header_is_an_object_with_an_algorithm_and_a_key() {
    for header in [
        "",
        "null",
        "[]",
        r#""EdDSA""#,
        r#"{"alg":"EdDSA","typ":"schakel-bericht+jws"}"#,
        r#"{"typ":"schakel-bericht+jws","kid":"k"}"#,
        r#"{"alg":"EdDSA","typ":"schakel-bericht+jws","kid":null}"#,
        r#"{"alg":["EdDSA"],"typ":"schakel-bericht+jws","kid":"k"}"#,
        r#"{"alg":"EdDSA","typ":null,"kid":"k"}"#,
        r#"{"alg":"EdDSA","typ":"schakel-bericht+jws","kid":"k"}{}"#,
        &format!("{}{}", header_and(r#","x":"#), "[".repeat(200)),
    ] {
        assert_eq!(verify(&with_header(header)), Err(JwsError::Malformed), "{header}");
    }
}

#[test]
fn a_parameter_that_means_nothing_here_is_passed_over() {
    assert!(verify(&with_header(&header_and(r#","cty":"x","jku":"http://x.test","b64":false"#))).is_ok());
}

#[test]
fn base64_has_one_spelling() {
    let compact = with_header(&header_and(""));
    let parts: Vec<&str> = compact.split('.').collect();
    for at in 0..3 {
        let with = |part: &str| {
            let mut parts = parts.clone();
            parts[at] = part;
            verify(&parts.join("."))
        };
        assert!(with(parts[at]).is_ok());
        for wrong in [
            format!("{}=", parts[at]),
            format!("{}==", parts[at]),
            format!("{} ", parts[at]),
            format!("\n{}", parts[at]),
            format!("{}+", parts[at]),
            format!("{}/", parts[at]),
            format!("{}A", parts[at]),
            format!("{}.", parts[at]),
        ] {
            assert!(with(&wrong).is_err(), "{wrong}");
        }
        // The last character of a part that is no multiple of four long carries bits that must be zero.
        if !parts[at].len().is_multiple_of(4) {
            let (start, last) = parts[at].split_at(parts[at].len() - 1);
            let alphabet = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
            let value = alphabet.iter().position(|byte| *byte == last.as_bytes()[0]).unwrap();
            let trailing = format!("{start}{}", char::from(alphabet[value | 1]));
            assert_ne!(trailing, parts[at]);
            assert_eq!(with(&trailing), Err(JwsError::Malformed));
        }
    }
}

#[test]
fn every_truncation_fails() {
    let compact = sign(MESSAGE, PAYLOAD, &signer(1));
    for length in 0..compact.len() {
        assert!(verify(&compact[..length]).is_err(), "{length}");
    }
}

#[test]
fn every_flipped_bit_fails() {
    let compact = sign(MESSAGE, PAYLOAD, &signer(1));
    for at in 0..compact.len() {
        for bit in 0..8 {
            let mut bytes = compact.clone().into_bytes();
            bytes[at] ^= 1 << bit;
            if let Ok(text) = std::str::from_utf8(&bytes) {
                assert!(verify(text).is_err(), "bit {bit} of byte {at}");
            }
        }
    }
}

#[test]
fn sizes_have_limits() {
    let largest = vec![b'x'; 64 * 1024];
    let compact = sign(MESSAGE, &largest, &signer(1));
    assert!(compact.len() <= MAX_BYTES, "the largest message fits");
    assert!(verify(&compact).is_ok());
    let larger = sign(MESSAGE, &vec![b'x'; 72 * 1024], &signer(1));
    assert_eq!(verify(&larger), Err(JwsError::Malformed));
    let long_header = with_header(&header_and(&format!(r#","x":"{}""#, "y".repeat(MAX_HEADER_BYTES))));
    assert_eq!(verify(&long_header), Err(JwsError::Malformed));
}

/// RFC 8037 appendix A.4 and A.5, which has no `kid` and another `typ`: the signature itself.
#[test]
fn the_example_of_rfc_8037_verifies() {
    const KEY: &str = "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo";
    const INPUT: &str = "eyJhbGciOiJFZERTQSJ9.RXhhbXBsZSBvZiBFZDI1NTE5IHNpZ25pbmc";
    const SIGNATURE: &str =
        "hgyY0il_MGCjP0JzlnLWG1PPOt7-09PGcvMg3AIbQR6dWbhijcNR4ki4iylGjg5BhVsPt9g7sVvpAr_MuM0KAg";
    let key = PublicKey::from_bytes(&BASE64URL.decode(KEY).unwrap().try_into().unwrap()).unwrap();
    assert_eq!(key.verify(INPUT.as_bytes(), &BASE64URL.decode(SIGNATURE).unwrap()), Ok(()));
}

proptest! {
    #[test]
    fn any_text_is_read_without_harm(text in ".*") {
        prop_assert!(verify(&text).is_err());
    }

    #[test]
    fn any_three_parts_are_read_without_harm(parts in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..64), 3)) {
        let text: Vec<String> = parts.iter().map(|part| BASE64URL.encode(part)).collect();
        prop_assert!(verify(&text.join(".")).is_err());
    }

    #[test]
    fn any_payload_comes_back(payload in prop::collection::vec(any::<u8>(), 0..512)) {
        prop_assert_eq!(verify(&sign(MESSAGE, &payload, &signer(1))), Ok(payload));
    }
}
