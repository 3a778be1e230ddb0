//! The files, as they are published.

use exchange::{
    agreement::AnswerKind,
    digest::Digest,
    entry::{Entry, Outcome, ReasonCode, Reception},
    jws,
    oin::Oin,
    refusal::Reason,
    signature::{PublicKey, Signer as _},
    tlog::Leaf,
};
use serde::Serialize;
use serde_json::Value;

use crate::{
    parties::{
        NOW, PARTIES, agreement, agreement_text, arrears_purpose, concern_purpose, draft, held_back,
        log_seed, log_signer, now, oin, purposes, seed, signed, signer,
    },
    receipt, refusals,
};

/// Every file: its name and its content.
pub(crate) fn all() -> [(&'static str, String); 8] {
    let (receipt, proof) = receipt::files();
    [
        ("keys.json", pretty(&keys())),
        ("purposes.json", pretty(&purpose_texts())),
        ("agreement.json", pretty(&agreement_file())),
        ("message.json", pretty(&message())),
        ("entries.json", pretty(&entries())),
        ("receipt.json", pretty(&receipt)),
        ("receipt.tlog-proof", proof),
        ("refusals.json", pretty(&refusals::all())),
    ]
}

fn pretty(content: &impl Serialize) -> String {
    let mut text = serde_json::to_string_pretty(content).unwrap();
    text.push('\n');
    text
}

fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write as _;
    bytes.iter().fold(String::new(), |mut text, byte| {
        write!(text, "{byte:02x}").unwrap();
        text
    })
}

#[derive(Serialize)]
struct Keys {
    name: &'static str,
    oin: Oin,
    kind: &'static str,
    /// Ed25519 seed of the key for messages, hexadecimal.
    seed: String,
    jwk: PublicKey,
    log_seed: String,
    log_vkey: String,
}

fn keys() -> Vec<Keys> {
    let of = |party: &crate::parties::Party| Keys {
        name: party.name,
        oin: oin(party.number),
        kind: party.kind,
        seed: hex(&seed(party.number)),
        jwk: signer(party.number).public_key().clone(),
        log_seed: hex(&log_seed(party.number)),
        log_vkey: log_signer(party.number).verifier().to_string(),
    };
    PARTIES.iter().map(of).collect()
}

#[derive(Serialize)]
struct Text {
    #[serde(rename = "text")]
    spelled: Value,
    jcs: String,
    digest: Digest,
}

fn purpose_texts() -> Vec<Text> {
    let texts = [arrears_purpose(), concern_purpose()].into_iter().zip(purposes());
    texts
        .map(|(text, purpose)| Text {
            spelled: text,
            jcs: purpose.text().to_owned(),
            digest: purpose.digest(),
        })
        .collect()
}

#[derive(Serialize)]
struct AgreementFile {
    #[serde(flatten)]
    text: Text,
    answers: Vec<AnswerFile>,
    /// When it is in force.
    now: &'static str,
}

#[derive(Serialize)]
struct AnswerFile {
    by: Oin,
    payload: String,
    jws: String,
}

fn agreement_file() -> AgreementFile {
    let agreement = agreement();
    let text =
        Text { spelled: agreement_text(), jcs: agreement.text().to_owned(), digest: agreement.digest() };
    let answers = agreement.answers().iter().map(|answer| AnswerFile {
        by: answer.by,
        payload: payload(jws::AGREEMENT_ANSWER, &answer.jws),
        jws: answer.jws.clone(),
    });
    AgreementFile { answers: answers.collect(), text, now: NOW }
}

fn payload(typ: &str, compact: &str) -> String {
    let jws = jws::Unverified::parse(typ, compact).unwrap();
    String::from_utf8(jws.unverified_payload().to_vec()).unwrap()
}

#[derive(Serialize)]
struct MessageFile {
    from: Oin,
    to: Oin,
    now: &'static str,
    header: String,
    payload: String,
    jws: String,
    /// SHA-256 of the compact JWS.
    digest: Digest,
    /// SHA-256 of the digests of agreement and purpose, a line feed after each.
    rules: Digest,
}

fn rules() -> Digest {
    Digest::of(format!("{}\n{}\n", agreement().digest(), purposes()[0].digest()).as_bytes())
}

fn message() -> MessageFile {
    let message = signed(draft());
    let key = signer(1);
    MessageFile {
        from: oin(1),
        to: oin(2),
        now: NOW,
        header: format!(
            r#"{{"alg":"EdDSA","typ":"schakel-bericht+jws","kid":"{}"}}"#,
            key.public_key().kid()
        ),
        payload: payload(jws::MESSAGE, message.compact()),
        jws: message.compact().to_owned(),
        digest: message.digest(),
        rules: rules(),
    }
}

#[derive(Serialize)]
struct EntryFile {
    /// The leaf: JCS, the bytes that are hashed.
    leaf: String,
    /// RFC 6962 leaf hash, base64.
    hash: String,
}

/// One of every kind.
fn entries() -> Vec<EntryFile> {
    let (message, tijd) = (signed(draft()), now());
    let sentence = |entry: &Entry| of_leaf(&entry.leaf());
    vec![
        sentence(&Entry::Begin { oin: oin(2), tijd }),
        of_leaf(&message.leaf()),
        of_leaf(&held_back().leaf()),
        sentence(&Entry::Tegengehouden {
            doel: None,
            naar: oin(3),
            reden: ReasonCode(Reason::PurposeNotAllowed),
            tijd,
        }),
        sentence(&Entry::Ontvangst(Reception {
            bericht: message.digest(),
            id: Some(draft().id),
            reden: None,
            regels: Some(rules()),
            tijd,
            toestemming: None,
            uitkomst: Outcome::Toegelaten,
            van: oin(1),
        })),
        sentence(&Entry::Ontvangst(Reception {
            bericht: Digest::of(b"geen bericht"),
            id: None,
            reden: Some(ReasonCode(Reason::SignatureInvalid)),
            regels: None,
            tijd,
            toestemming: None,
            uitkomst: Outcome::Geweigerd,
            van: oin(1),
        })),
        sentence(&Entry::Ontvangst(Reception {
            bericht: Digest::of(b"een bericht op toestemming"),
            id: Some(draft().id),
            reden: None,
            regels: Some(rules()),
            tijd,
            toestemming: Some(Digest::of(b"een uittreksel")),
            uitkomst: Outcome::Toegelaten,
            van: oin(1),
        })),
        sentence(&Entry::Convenant {
            antwoord: AnswerKind::Accepted,
            bewijs: Digest::of(agreement().answers()[0].jws.as_bytes()),
            convenant: agreement().digest(),
            door: oin(1),
            tijd,
        }),
    ]
}

fn of_leaf(leaf: &Leaf) -> EntryFile {
    EntryFile { leaf: String::from_utf8(leaf.bytes().to_vec()).unwrap(), hash: leaf.hash().to_string() }
}
