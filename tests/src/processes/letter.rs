//! Messages made by hand, with anything in them.

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD as BASE64URL};
use exchange::{clock::Clock as _, jws, signature::Signer};
use jiff::{SignedDuration, Timestamp};
use node::system::SystemClock;
use serde_json::{Value, json};
use uuid::Uuid;

use super::{Peer, SIGNAL};
use crate::signal::arrears;

/// The content of a message before it is signed.
#[derive(Debug, Clone)]
pub struct Letter(pub Value);

impl Letter {
    /// A signal of arrears that may be sent: everything in it is right.
    pub fn new(from: &Peer, to: &str, agreement: &str) -> Self {
        let letter = Self(json!({
            "specversion": "1.0",
            "source": format!("urn:nld:oin:{}:systeem:schakel", from.oin),
            "type": SIGNAL,
            "datacontenttype": "application/json",
            "dataschema": "urn:schakel:schema:signaal-betalingsachterstand:1",
            "ontvanger": to,
            "convenant": agreement,
            "doel": "vroegsignalering-huur",
            "dossier": from.new_id(SystemClock.now()).urn().to_string(),
            "loket": "schuldhulp",
            "data": arrears(),
        }));
        let now = SystemClock.now();
        letter.at(from, now, now + SignedDuration::from_hours(24))
    }

    /// The same, made and expiring at these moments, with a new identifier that fits.
    #[must_use]
    pub fn at(self, from: &Peer, time: Timestamp, expires: Timestamp) -> Self {
        self.with("/id", json!(from.new_id(time)))
            .with("/time", json!(time))
            .with("/verlooptop", json!(expires))
    }

    /// The same with another value at a JSON pointer; a new member when there is none.
    #[must_use]
    pub fn with(mut self, pointer: &str, value: Value) -> Self {
        let (parent, name) = pointer.rsplit_once('/').unwrap();
        self.0.pointer_mut(parent).unwrap()[name] = value;
        self
    }

    /// The same without what is at a JSON pointer.
    #[must_use]
    pub fn without(mut self, pointer: &str) -> Self {
        let (parent, name) = pointer.rsplit_once('/').unwrap();
        self.0.pointer_mut(parent).unwrap().as_object_mut().unwrap().remove(name).unwrap();
        self
    }

    /// The message, signed as it should be.
    pub fn signed(&self, from: &Peer) -> String {
        jws::sign(jws::MESSAGE, self.0.to_string().as_bytes(), &from.signer)
    }

    /// The message, signed under another header.
    pub fn signed_under(&self, header: &Value, from: &Peer) -> String {
        forged(header, self.0.to_string().as_bytes(), &from.signer)
    }

    /// The identifier of a signed letter.
    pub fn id_of(message: &str) -> Uuid {
        let payload = BASE64URL.decode(message.split('.').nth(1).unwrap()).unwrap();
        let event: Value = serde_json::from_slice(&payload).unwrap();
        event["id"].as_str().unwrap().parse().unwrap()
    }
}

/// A compact JWS with any header and any payload.
pub fn forged(header: &Value, payload: &[u8], signer: &dyn Signer) -> String {
    let input = format!("{}.{}", BASE64URL.encode(header.to_string()), BASE64URL.encode(payload));
    let signature = signer.sign(input.as_bytes());
    format!("{input}.{}", BASE64URL.encode(signature))
}
