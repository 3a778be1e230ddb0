//! What a partner with a changed program sends: signed with its own key, and against the rules.

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use exchange::{
    digest::Digest,
    id, jws,
    refusal::Reason,
    signature::{Ed25519Signer, Signer},
};
use jiff::{SignedDuration, Timestamp};
use node::core::Core;
use serde_json::{Value, json};
use uuid::Uuid;

use super::{
    documents::{self, Content},
    operation::{Flaw, Rogue, Side},
};

/// One line, and the reasons for which it may be refused.
pub(super) struct Made {
    pub(super) line: String,
    pub(super) reasons: Vec<Reason>,
}

/// What the receiver may also find when the rogue message comes late, or once more.
const LATER: [Reason; 4] =
    [Reason::WrongTime, Reason::Expired, Reason::AgreementNotInForce, Reason::DuplicateWithOtherContent];

/// What becomes of a partner's own messages, sent back to it.
pub(super) const REFLECTED: [Reason; 1] = [Reason::WrongSender];

/// Makes a rogue message of `by`, which pretends to be a node like `core`. Its data are never such that it may be
/// admitted. `stolen` is an identifier in use.
pub(super) fn make(
    core: &Core,
    (by, to): (Side, &Core),
    how: Rogue,
    (serial, stolen): (u64, Option<Uuid>),
) -> anyhow::Result<Option<Made>> {
    let content = documents::content(by, serial, Some(core.new_id()), Some(Flaw::TooMuch))?;
    let mut event = event(core, to, &content);
    let mut late = false;
    let reason = match how {
        Rogue::Forbidden => {
            late = true;
            Reason::DataNotAllowed
        }
        Rogue::StolenId(_) => {
            let Some(stolen) = stolen else { return Ok(None) };
            event["id"] = stolen.to_string().into();
            late = true;
            Reason::DataNotAllowed
        }
        Rogue::OtherSender => {
            event["source"] = to.me.source_urn().into();
            Reason::WrongSender
        }
        Rogue::OtherReceiver => {
            event["ontvanger"] = json!(core.me);
            Reason::NotAddressed
        }
        Rogue::UnknownAgreement => {
            event["convenant"] = json!(Digest::of(b"nobody signed this"));
            Reason::AgreementUnknown
        }
        Rogue::Future => {
            stamp(core, &mut event, core.now() + SignedDuration::from_hours(24 * 365 * 50));
            Reason::WrongTime
        }
        Rogue::OldId => {
            let earlier = core.now() - SignedDuration::from_hours(30);
            event["id"] = id::new(earlier, &*core.random).to_string().into();
            Reason::WrongTime
        }
        Rogue::Schema => {
            event["data"]["inhoud"]["extra"] = true.into();
            late = true;
            Reason::SchemaInvalid
        }
        Rogue::NoSignature | Rogue::OtherSignature | Rogue::OtherKey | Rogue::Garbage => {
            Reason::SignatureInvalid
        }
        Rogue::Reflection(_) => return Ok(None),
    };
    let mut reasons = vec![reason];
    reasons.extend(LATER.iter().filter(|_| late));
    Ok(Some(Made { line: signed(core, how, &event), reasons }))
}

fn event(core: &Core, to: &Core, content: &Content) -> Value {
    let schema = content.document.schema();
    let rules = core.rules();
    let newest = rules.agreements().max_by_key(|agreement| agreement.content().versie);
    let mut event = json!({
        "specversion": "1.0",
        "source": core.me.source_urn(),
        "type": schema.message_type(),
        "datacontenttype": "application/json",
        "dataschema": schema.urn(),
        "ontvanger": to.me,
        "convenant": newest.map(|agreement| agreement.digest()),
        "doel": content.purpose,
        "dossier": core.new_id().urn().to_string(),
        "data": content.document.value(),
    });
    stamp(core, &mut event, core.now());
    event
}

fn stamp(core: &Core, event: &mut Value, time: Timestamp) {
    event["id"] = id::new(time, &*core.random).to_string().into();
    event["time"] = json!(time);
    event["verlooptop"] = json!(time + SignedDuration::from_hours(24));
}

fn signed(core: &Core, how: Rogue, event: &Value) -> String {
    let payload = event.to_string();
    let sign = |payload: &str, signer: &dyn Signer| jws::sign(jws::MESSAGE, payload.as_bytes(), signer);
    let line = sign(&payload, &*core.signer);
    let parts: Vec<&str> = line.split('.').collect();
    match how {
        Rogue::NoSignature => {
            let header = json!({ "alg": "none", "typ": jws::MESSAGE, "kid": core.signer.public_key().kid() });
            format!("{}.{}.", URL_SAFE_NO_PAD.encode(header.to_string()), parts[1])
        }
        Rogue::OtherSignature => {
            let other = sign("{}", &*core.signer);
            let signature = other.rsplit('.').next().unwrap_or_default();
            format!("{}.{}.{signature}", parts[0], parts[1])
        }
        Rogue::OtherKey => sign(&payload, &Ed25519Signer::from_seed(&[9; 32])),
        Rogue::Garbage => "dit is geen bericht".to_owned(),
        _ => line,
    }
}
