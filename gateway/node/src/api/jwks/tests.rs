#![allow(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

use proptest::prelude::*;
use rcgen::{KeyPair, PKCS_ED25519, PublicKeyData as _};
use serde_json::json;
use tempfile::TempDir;

use super::*;

/// Base64url without padding (RFC 4648 §5).
pub(crate) fn base64url(bytes: &[u8]) -> String {
    const LETTERS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    let mut text = String::new();
    for some in bytes.chunks(3) {
        let word =
            some.iter().fold(0_u32, |word, byte| word << 8 | u32::from(*byte)) << (8 * (3 - some.len()));
        for place in 0..=some.len() {
            text.push(char::from(LETTERS[(word >> (18 - 6 * place)) as usize & 63]));
        }
    }
    text
}

fn one(id: &str) -> Value {
    let key = KeyPair::generate_for(&PKCS_ED25519).unwrap();
    json!({ "kty": "OKP", "crv": "Ed25519", "kid": id, "x": base64url(key.der_bytes()) })
}

fn settings(keys: &str) -> config::Tokens {
    config::Tokens {
        uitgever: "https://a.test".into(),
        afnemer: "schakel".into(),
        sleutels: keys.into(),
        vertrouwensankers: None,
        rolclaim: "rollen".into(),
    }
}

fn write(folder: &TempDir, keys: &[Value]) {
    std::fs::write(folder.path().join("jwks.json"), json!({ "keys": keys }).to_string()).unwrap();
}

fn at(seconds: i64) -> Timestamp {
    Timestamp::from_second(1_795_000_000 + seconds).unwrap()
}

#[tokio::test]
async fn a_new_key_is_looked_for_once_a_minute() {
    let folder = tempfile::tempdir().unwrap();
    write(&folder, &[one("oud")]);
    let keys = Keys::new(folder.path(), &settings("jwks.json")).unwrap();
    let known = async |id, seconds| keys.fitting(Some(id), Algorithm::EdDSA, at(seconds)).await.is_ok();
    assert!(known("oud", 0).await);
    assert!(!known("nieuw", 0).await);
    write(&folder, &[one("nieuw")]);
    // It was looked for a moment ago.
    assert!(!known("nieuw", 59).await);
    assert!(known("nieuw", 60).await);
    assert!(!known("oud", 61).await);
    // A file that is half written changes nothing.
    std::fs::write(folder.path().join("jwks.json"), "{\"keys\":[").unwrap();
    keys.keep(at(200)).await;
    assert!(known("nieuw", 201).await);
    write(&folder, &[one("nieuw"), one("derde")]);
    assert!(known("derde", 261).await);
}

/// Nothing listens there: no key is known, and asking goes on once a minute.
#[tokio::test]
async fn an_issuer_that_is_away_is_no_reason_to_stop() {
    let folder = tempfile::tempdir().unwrap();
    let keys = Keys::new(folder.path(), &settings("https://127.0.0.1:1/jwks")).unwrap();
    keys.keep(at(0)).await;
    assert_eq!(keys.fitting(Some("a"), Algorithm::EdDSA, at(1)).await.err(), Some(Refused::NoKeys));
    assert_eq!(keys.fitting(None, Algorithm::EdDSA, at(1)).await.err(), Some(Refused::NoKeys));
}

#[test]
fn a_file_must_be_right_from_the_start() {
    let folder = tempfile::tempdir().unwrap();
    let said = |keys: &Keys| matches!(keys.source, Source::File(_));
    assert!(Keys::new(folder.path(), &settings("jwks.json")).is_err());
    write(&folder, &[]);
    assert!(Keys::new(folder.path(), &settings("jwks.json")).is_err());
    write(&folder, &[json!({ "kty": "oct", "k": "AAAA" })]);
    assert!(Keys::new(folder.path(), &settings("jwks.json")).is_err());
    write(&folder, &[one("a")]);
    assert!(said(&Keys::new(folder.path(), &settings("jwks.json")).unwrap()));
    std::fs::write(folder.path().join("jwks.json"), vec![b' '; MAX_BYTES + 1]).unwrap();
    assert!(Keys::new(folder.path(), &settings("jwks.json")).is_err());
}

#[test]
fn only_public_keys_for_signatures_count() {
    let good = one("a");
    assert!(key(&good).is_some());
    for (name, value) in [
        ("use", json!("enc")),
        ("alg", json!("HS256")),
        ("alg", json!("none")),
        ("crv", json!("X25519")),
        ("kty", json!("oct")),
        ("kty", json!("EC")),
        ("x", json!(3)),
    ] {
        let mut bad = good.clone();
        bad[name] = value;
        assert!(key(&bad).is_none(), "{name}");
    }
    let many: Vec<Value> = (0..200).map(|number| one(&number.to_string())).collect();
    let parsed = parse(json!({ "keys": many }).to_string().as_bytes()).ok().unwrap();
    assert_eq!(parsed.len(), MAX_KEYS);
}

proptest! {
    #[test]
    fn reads_anything(bytes in prop::collection::vec(any::<u8>(), 0..300), text in "\\{\"keys\":\\[.{0,80}\\]\\}") {
        let _ = parse(&bytes);
        let _ = parse(text.as_bytes());
    }
}
