#![allow(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

use std::sync::Mutex;

use jiff::{SignedDuration, Timestamp};
use jsonwebtoken::{EncodingKey, Header, encode};
use rcgen::{KeyPair, PKCS_ECDSA_P256_SHA256, PKCS_ED25519, PublicKeyData as _};
use serde_json::json;
use tempfile::TempDir;

use super::*;
use crate::api::jwks::tests::base64url;

struct Now(Mutex<Timestamp>);

impl Clock for Now {
    fn now(&self) -> Timestamp {
        *self.0.lock().unwrap()
    }
}

/// An issuer with a key of each kind that rcgen makes, and tokens that are held against it.
struct Issuer {
    _folder: TempDir,
    tokens: Tokens,
    clock: Arc<Now>,
    ec: KeyPair,
    ed: KeyPair,
}

/// What everybody can read, long enough for any HMAC.
const OPEN: &[u8; 64] = &[7; 64];
const ISSUER: &str = "https://inloggen.rivierstad.test";

impl Issuer {
    fn new(claim: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let ec = KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256).unwrap();
        let ed = KeyPair::generate_for(&PKCS_ED25519).unwrap();
        let point = ec.der_bytes();
        let keys = json!({ "keys": [
            { "kty": "EC", "crv": "P-256", "kid": "ec", "use": "sig", "x": base64url(&point[1..33]), "y": base64url(&point[33..]) },
            { "kty": "OKP", "crv": "Ed25519", "kid": "ed", "alg": "EdDSA", "x": base64url(ed.der_bytes()) },
            { "kty": "oct", "kid": "geheim", "k": base64url(OPEN) },
            { "kty": "vreemd" },
        ]});
        std::fs::write(folder.path().join("jwks.json"), keys.to_string()).unwrap();
        let settings = config::Tokens {
            uitgever: ISSUER.into(),
            afnemer: "schakel".into(),
            sleutels: "jwks.json".into(),
            vertrouwensankers: None,
            rolclaim: claim.into(),
        };
        let clock = Arc::new(Now(Mutex::new("2026-11-23T09:00:00Z".parse().unwrap())));
        let tokens = Tokens::new(folder.path(), &settings, clock.clone()).unwrap();
        Self { _folder: folder, tokens, clock, ec, ed }
    }

    fn now(&self) -> i64 {
        self.clock.now().as_second()
    }

    fn claims(&self) -> Value {
        json!({
            "iss": ISSUER, "aud": ["iets", "schakel"], "exp": self.now() + 300, "nbf": self.now() - 5,
            "sub": "jdevries", "azp": "zaaksysteem", "rollen": ["medewerker", "iets-anders"],
        })
    }

    fn signed(&self, claims: &Value) -> String {
        let header = Header { kid: Some("ec".into()), ..Header::new(Algorithm::ES256) };
        encode(&header, claims, &EncodingKey::from_ec_der(self.ec.serialized_der())).unwrap()
    }

    async fn outcome(&self, token: &str) -> Result<Client, Refused> {
        self.tokens.client(token).await
    }
}

#[tokio::test]
async fn says_which_system_asks_for_whom_and_what_it_may() {
    let issuer = Issuer::new("rollen");
    let client = issuer.outcome(&issuer.signed(&issuer.claims())).await.unwrap();
    assert_eq!((client.name.as_str(), client.person.as_deref()), ("zaaksysteem", Some("jdevries")));
    assert_eq!(client.roles, BTreeSet::from([Role::Medewerker]));
    let header = Header { kid: Some("ed".into()), ..Header::new(Algorithm::EdDSA) };
    let token =
        encode(&header, &issuer.claims(), &EncodingKey::from_ed_der(issuer.ed.serialized_der())).unwrap();
    assert!(issuer.outcome(&token).await.is_ok());
    // A system that asks for itself.
    let mut own = issuer.claims();
    own["sub"] = "zaaksysteem".into();
    assert_eq!(issuer.outcome(&issuer.signed(&own)).await.unwrap().person, None);
}

#[tokio::test]
async fn roles_stand_where_the_issuer_puts_them() {
    let issuer = Issuer::new("/realm_access/roles");
    let mut claims = issuer.claims();
    claims["realm_access"] = json!({ "roles": ["beheer"] });
    assert_eq!(issuer.outcome(&issuer.signed(&claims)).await.unwrap().roles, BTreeSet::from([Role::Beheer]));
    let issuer = Issuer::new("scope");
    let mut claims = issuer.claims();
    claims["scope"] = "openid privacy bronsysteem".into();
    let roles = issuer.outcome(&issuer.signed(&claims)).await.unwrap().roles;
    assert_eq!(roles, BTreeSet::from([Role::Privacy, Role::Bronsysteem]));
    claims["scope"] = json!({ "beheer": true });
    assert!(issuer.outcome(&issuer.signed(&claims)).await.unwrap().roles.is_empty());
}

#[tokio::test]
async fn what_is_not_for_us_now_lets_nobody_in() {
    let issuer = Issuer::new("rollen");
    for (name, value) in [
        ("iss", json!("https://elders.test")),
        ("iss", Value::Null),
        ("aud", json!("ander")),
        ("aud", json!([])),
        ("aud", Value::Null),
        ("exp", json!(issuer.now() - 31)),
        ("exp", json!("morgen")),
        ("exp", Value::Null),
        ("nbf", json!(issuer.now() + 31)),
        ("nbf", json!("gisteren")),
        ("azp", json!("x".repeat(101))),
        ("sub", json!("twee\nregels")),
    ] {
        let mut claims = issuer.claims();
        claims[name] = value.clone();
        assert_eq!(issuer.outcome(&issuer.signed(&claims)).await, Err(Refused::Invalid), "{name}: {value}");
    }
    let mut nobody = issuer.claims();
    for name in ["sub", "azp"] {
        nobody.as_object_mut().unwrap().remove(name);
    }
    assert_eq!(issuer.outcome(&issuer.signed(&nobody)).await, Err(Refused::Invalid));
    // The clocks may differ a little.
    let mut close = issuer.claims();
    (close["exp"], close["nbf"]) = (json!(issuer.now() - 29), json!(issuer.now() + 29));
    assert!(issuer.outcome(&issuer.signed(&close)).await.is_ok());
    // And time passes by the clock that is given.
    let token = issuer.signed(&issuer.claims());
    *issuer.clock.0.lock().unwrap() += SignedDuration::from_secs(331);
    assert_eq!(issuer.outcome(&token).await, Err(Refused::Invalid));
}

/// No algorithm, one of secrets over what is public, another key, and what is no token at all.
#[tokio::test]
async fn a_token_that_the_issuer_did_not_sign_lets_nobody_in() {
    let issuer = Issuer::new("rollen");
    let good = issuer.signed(&issuer.claims());
    let parts: Vec<&str> = good.split('.').collect();
    let none = base64url(br#"{"alg":"none","kid":"ec"}"#);
    let mut bad = vec![
        format!("{none}.{}.", parts[1]),
        format!("{none}.{}.{}", parts[1], parts[2]),
        format!("{}.{}.", parts[0], parts[1]),
        format!("{}.{}", parts[0], parts[1]),
        format!("{good}.{}", parts[2]),
        String::new(),
        "...".into(),
        "x".repeat(MAX_TOKEN + 1),
    ];
    // Signed with what everybody can read, as if that were a secret.
    for (id, secret) in [("geheim", OPEN.to_vec()), ("ec", issuer.ec.der_bytes().to_vec())] {
        for algorithm in [Algorithm::HS256, Algorithm::HS512] {
            let header = Header { kid: Some(id.into()), ..Header::new(algorithm) };
            bad.push(encode(&header, &issuer.claims(), &EncodingKey::from_secret(&secret).unwrap()).unwrap());
        }
    }
    // Another key under a known name, and a name that is not known.
    let other = Issuer::new("rollen");
    bad.push(other.signed(&other.claims()));
    let header = Header { kid: Some("nieuw".into()), ..Header::new(Algorithm::ES256) };
    bad.push(
        encode(&header, &issuer.claims(), &EncodingKey::from_ec_der(issuer.ec.serialized_der())).unwrap(),
    );
    // The right key under the name of another kind.
    let header = Header { kid: Some("ed".into()), ..Header::new(Algorithm::ES256) };
    bad.push(
        encode(&header, &issuer.claims(), &EncodingKey::from_ec_der(issuer.ec.serialized_der())).unwrap(),
    );
    for token in bad {
        assert_eq!(issuer.outcome(&token).await, Err(Refused::Invalid), "{token}");
    }
    assert!(issuer.outcome(&good).await.is_ok());
}
