//! What a receiver refuses, each with its reason: the receiver is the municipality, the peer the corporation, the time
//! the one of the message, unless the case says otherwise.

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD as BASE64URL};
use exchange::{
    consent::{ConsentRecord, Salts, Statement},
    digest::Digest,
    jws,
    oin::Oin,
    person::Identity,
    random::SeededRandom,
    refusal::Reason,
    signature::Signer as _,
};
use schemas::StatedSalts;
use serde::Serialize;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::parties::{ARREARS_PURPOSE, CONCERN_PURPOSE, ID, NOW, draft, oin, signed, signer};

#[derive(Serialize)]
pub(crate) struct Refusal {
    name: &'static str,
    peer: Oin,
    me: Oin,
    now: &'static str,
    jws: String,
    reason: &'static str,
    /// The identifier that the refusal binds, if it does.
    id: Option<String>,
}

fn refusal(name: &'static str, reason: Reason, jws: String) -> Refusal {
    Refusal { name, peer: oin(1), me: oin(2), now: NOW, jws, reason: reason.code(), id: None }
}

impl Refusal {
    /// The sender demonstrably wrote it: the refusal answers for the identifier.
    fn binds(self) -> Self {
        Self { id: Some(ID.to_owned()), ..self }
    }
}

fn payload() -> Value {
    let compact = signed(draft()).compact().to_owned();
    let jws = jws::Unverified::parse(jws::MESSAGE, &compact).unwrap();
    serde_json::from_slice(jws.unverified_payload()).unwrap()
}

fn forge(payload: &Value, number: u8) -> String {
    jws::sign(jws::MESSAGE, payload.to_string().as_bytes(), &signer(number))
}

/// The message with one member changed, signed by the corporation. A `null` takes the member away.
fn with(place: &str, value: Value) -> String {
    forge(&changed(payload(), place, value), 1)
}

fn changed(mut payload: Value, place: &str, value: Value) -> Value {
    let (parent, member) = place.rsplit_once('/').unwrap();
    let parent = payload.pointer_mut(parent).and_then(Value::as_object_mut).unwrap();
    match value {
        Value::Null => drop(parent.remove(member)),
        value => drop(parent.insert(member.to_owned(), value)),
    }
    payload
}

/// The message under another header, signed over what it says.
fn with_header(header: &str) -> String {
    let header = header.replace("KID", signer(1).public_key().kid());
    let input = format!("{}.{}", BASE64URL.encode(header), BASE64URL.encode(payload().to_string()));
    format!("{input}.{}", BASE64URL.encode(signer(1).sign(input.as_bytes())))
}

/// Every case.
pub(crate) fn all() -> Vec<Refusal> {
    [signatures(), envelopes(), senders(), times(), rules(), consents()].into_iter().flatten().collect()
}

fn signatures() -> Vec<Refusal> {
    let invalid = |name, jws| refusal(name, Reason::SignatureInvalid, jws);
    let good = signed(draft()).compact().to_owned();
    let (input, signature) = good.rsplit_once('.').unwrap();
    let zeros = BASE64URL.encode([0; 64]);
    vec![
        invalid("not a JWS", "geen bericht".into()),
        invalid("alg none, no signature", {
            let unsigned = with_header(r#"{"alg":"none","typ":"schakel-bericht+jws","kid":"KID"}"#);
            format!("{}.", unsigned.rsplit_once('.').unwrap().0)
        }),
        invalid(
            "alg of another suite",
            with_header(r#"{"alg":"ES256","typ":"schakel-bericht+jws","kid":"KID"}"#),
        ),
        invalid(
            "crit names an extension",
            with_header(
                r#"{"alg":"EdDSA","typ":"schakel-bericht+jws","kid":"KID","crit":["b64"],"b64":true}"#,
            ),
        ),
        invalid(
            "crit is null",
            with_header(r#"{"alg":"EdDSA","typ":"schakel-bericht+jws","kid":"KID","crit":null}"#),
        ),
        invalid(
            "typ of an answer to an agreement",
            with_header(r#"{"alg":"EdDSA","typ":"schakel-convenant+jws","kid":"KID"}"#),
        ),
        invalid("no typ", with_header(r#"{"alg":"EdDSA","kid":"KID"}"#)),
        invalid(
            "a header parameter comes twice",
            with_header(r#"{"alg":"EdDSA","typ":"schakel-bericht+jws","kid":"KID","kid":"KID"}"#),
        ),
        invalid(
            "an ignored header parameter comes twice",
            with_header(r#"{"alg":"EdDSA","typ":"schakel-bericht+jws","kid":"KID","x":1,"x":2}"#),
        ),
        invalid("base64 with padding", format!("{good}==")),
        invalid("base64 with bits after the end", {
            // 64 bytes leave four bits of the last character unused.
            let last = signature.chars().last().unwrap();
            let next = char::from(u8::try_from(last).unwrap() + 1);
            format!("{input}.{}{next}", &signature[..signature.len() - 1])
        }),
        invalid("signature of zeros", format!("{input}.{zeros}")),
        invalid("S not reduced: S + L", format!("{input}.{}", unreduced(signature))),
        invalid("signed by another party of the agreement", forge(&payload(), 2)),
        invalid("signed by a stranger", forge(&payload(), 3)),
        invalid("payload of another message", {
            let other = with("/loket", Value::Null);
            let [header, _, signature] = <[&str; 3]>::try_from(good.split('.').collect::<Vec<_>>()).unwrap();
            format!("{header}.{}.{signature}", other.split('.').nth(1).unwrap())
        }),
    ]
}

/// The signature with the order of the group added to `S`, which fits the same equation.
fn unreduced(signature: &str) -> String {
    const ORDER: [u8; 32] = [
        0xed, 0xd3, 0xf5, 0x5c, 0x1a, 0x63, 0x12, 0x58, 0xd6, 0x9c, 0xf7, 0xa2, 0xde, 0xf9, 0xde, 0x14, 0, 0,
        0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x10,
    ];
    let mut bytes = BASE64URL.decode(signature).unwrap();
    let mut carry = 0;
    for (byte, add) in bytes[32..].iter_mut().zip(ORDER) {
        let sum = u16::from(*byte) + u16::from(add) + carry;
        *byte = sum.to_le_bytes()[0];
        carry = sum >> 8;
    }
    BASE64URL.encode(bytes)
}

fn envelopes() -> Vec<Refusal> {
    let schema = |name, jws| refusal(name, Reason::SchemaInvalid, jws);
    let good = payload().to_string();
    let doubled = format!(r#"{{"loket":"a",{}"#, &good[1..]);
    vec![
        schema("the payload is no JSON", jws::sign(jws::MESSAGE, b"geen JSON", &signer(1))),
        schema("an attribute is missing", with("/verlooptop", Value::Null)),
        schema("an attribute too many", with("/extra", json!("x"))),
        schema("an attribute comes twice", jws::sign(jws::MESSAGE, doubled.as_bytes(), &signer(1))),
        schema("the identifier is in capitals", with("/id", json!(ID.to_uppercase()))),
        schema("the identifier is no UUIDv7", with("/id", json!("7c9e6679-7425-40de-944b-e07fc1f90ae7"))),
        schema("the type is unknown", with("/type", json!("nl.sociaaldomein.signalen.onbekend.v1"))),
        schema("the time has no zone", with("/time", json!("2026-11-21T09:30:00"))),
        schema("the desk is no name", with("/loket", json!("Loket Schuldhulp"))),
        schema("the data is no object", with("/data", json!("x"))),
        schema("the data does not fit its schema", with("/data/inhoud/bedrag_in_centen", json!("508,84")))
            .binds(),
        schema(
            "the schema is not that of the type",
            with("/dataschema", json!("urn:schakel:schema:terugkoppeling:1")),
        )
        .binds(),
        schema("a member of the data comes twice", {
            let doubled = good.replacen(r#""crisis":false"#, r#""crisis":false,"crisis":true"#, 1);
            jws::sign(jws::MESSAGE, doubled.as_bytes(), &signer(1))
        })
        .binds(),
    ]
}

fn senders() -> Vec<Refusal> {
    let good = signed(draft()).compact().to_owned();
    vec![
        Refusal { peer: oin(3), ..refusal("the peer is not the source", Reason::WrongSender, good.clone()) },
        Refusal { me: oin(3), ..refusal("meant for another", Reason::NotAddressed, good) },
        refusal(
            "an agreement that is not known here",
            Reason::AgreementUnknown,
            with("/convenant", json!(Digest::of(b"een ander convenant"))),
        ),
    ]
}

fn times() -> Vec<Refusal> {
    let wrong = |name, jws| refusal(name, Reason::WrongTime, jws);
    let good = || signed(draft()).compact().to_owned();
    vec![
        Refusal {
            now: "2026-11-21T09:25:00.122999999Z",
            ..wrong("more than five minutes ahead of the receiver", good()).binds()
        },
        wrong(
            "the identifier is more than an hour from the time",
            with("/time", json!("2026-11-21T08:29:59Z")),
        ),
        wrong("it expires before it was made", with("/verlooptop", json!("2026-11-21T09:29:59Z"))),
        wrong("it lives longer than 92 days", with("/verlooptop", json!("2027-02-21T09:30:00.124Z"))),
        Refusal {
            now: "2026-12-21T09:30:00.000000001Z",
            ..refusal("expired", Reason::Expired, good()).binds()
        },
    ]
}

fn rules() -> Vec<Refusal> {
    const AFTER: &str = "2027-12-31T23:00:00Z";
    let id = exchange::id::new(AFTER.parse().unwrap(), &SeededRandom::new(1)).to_string();
    let after = [("/id", id.as_str()), ("/time", AFTER), ("/verlooptop", "2028-01-31T00:00:00Z")];
    let after =
        after.into_iter().fold(payload(), |payload, (place, value)| changed(payload, place, json!(value)));
    vec![
        Refusal {
            now: AFTER,
            id: Some(id),
            ..refusal(
                "the day after the agreement ended, in Dutch time",
                Reason::AgreementNotInForce,
                forge(&after, 1),
            )
        },
        refusal(
            "a purpose that is not of this type",
            Reason::PurposeNotAllowed,
            with("/doel", json!(CONCERN_PURPOSE)),
        )
        .binds(),
        refusal(
            "a basis that is not of the purpose",
            Reason::BasisMissing,
            with("/data/grondslag/soort", json!("gerechtvaardigd-belang")),
        )
        .binds(),
        refusal(
            "a condition that is not met",
            Reason::ConditionNotMet,
            with("/data/grondslag/voorwaarden/schriftelijke-herinnering", json!(false)),
        )
        .binds(),
        refusal(
            "a BSN from an organisation that may not have it",
            Reason::DataNotAllowed,
            with("/data/betrokkene/bsn", json!("999990342")),
        )
        .binds(),
    ]
}

/// A consent that organisation 1 asked for, changed, and who signed its extract.
fn consent(change: impl FnOnce(&mut Value), signed_by: u8) -> (Value, StatedSalts) {
    let mut record = json!({
        "betrokkene": payload()["data"]["betrokkene"],
        "inhoud": {
            "id": "3f0c1a52-5d0e-4a57-9a3b-0f6d1c2b7e10",
            "verleend_aan": [oin(2)],
            "doelen": [CONCERN_PURPOSE],
            "gegevens": {
                "categorieen": ["identificatie", "adres", "contact", "situatie", "hulpverlening"],
                "leefgebieden": ["wonen"],
            },
            "verleend_op": "2026-11-02T09:00:00Z",
            "geldig_tot": "2027-05-01T00:00:00Z",
            "wijze": "schriftelijk",
            "vrijheid": {
                "gevolg_van_weigeren": "Geen.",
                "hulp_hangt_ervan_af": false,
                "uitgelegd_door": { "organisatie": "Organisatie 1", "functie": "woonconsulent" },
                "taal": "nl",
                "steun_aanwezig": true,
                "gewezen_op_intrekken": true,
            },
            "bewijs": { "soort": "formulier", "kenmerk": "TF-1" },
        },
    });
    change(&mut record);
    let salts = Salts::new(&SeededRandom::new(31));
    let record = ConsentRecord::fill_in(record.to_string().as_bytes(), Uuid::nil(), salts).unwrap();
    let extract = record.extract(oin(1), &signer(signed_by)).unwrap();
    let stated = json!({ "id": record.id(), "uittreksel": extract });
    (stated, record.salts_for(Identity::of(record.document()).as_ref()))
}

/// A signal of concern, on a consent.
fn concern((mut stated, salts): (Value, StatedSalts)) -> Value {
    let mut payload = payload();
    payload["doel"] = json!(CONCERN_PURPOSE);
    payload["type"] = json!("nl.sociaaldomein.signalen.zorgsignaal.v1");
    payload["dataschema"] = json!("urn:schakel:schema:signaal-zorgsignaal:1");
    stated["zout"] = json!({ "persoon": salts.person });
    payload["data"]["grondslag"] = json!({
        "soort": "toestemming",
        "artikelen": ["AVG art. 6 lid 1 onder a"],
        "toestemming": stated,
    });
    payload["data"]["inhoud"] = json!({
        "aanleiding": "De monteur zag een koud en donker huis.",
        "zorgen": {"wonen": {"omschrijving": "De verwarming is kapot."}},
        "waarneming": "zelf-gezien",
        "besproken_met_inwoner": true,
        "urgentie": "normaal",
        "waargenomen_op": "2026-11-19",
    });
    payload
}

/// Feedback on a consent: it names nobody, and nothing else of its case is known.
fn answering(concern: Value) -> Value {
    let mut payload = concern;
    payload["type"] = json!("nl.sociaaldomein.terugkoppelingen.gegeven.v1");
    payload["dataschema"] = json!("urn:schakel:schema:terugkoppeling:1");
    let data = payload["data"].as_object_mut().unwrap();
    data.remove("betrokkene");
    data["inhoud"] = json!({ "bericht_id": ID, "opgepakt_op": "2026-11-20", "resultaat": "Vervolghulp en/of verwijzing financieel" });
    payload
}

/// The withdrawal of a consent that organisation 2 keeps, signed by organisation 1.
fn withdrawal() -> Value {
    let id = Uuid::from_u128(0x3f0c_1a52_5d0e_4a57_9a3b_0f6d_1c2b_7e10);
    let statement = Statement::sign(id, oin(2), NOW.parse().unwrap(), &signer(1)).unwrap();
    let mut payload = payload();
    payload["type"] = json!("nl.sociaaldomein.toestemmingen.ingetrokken.v1");
    payload["dataschema"] = json!("urn:schakel:schema:toestemming-ingetrokken:1");
    payload["data"] = json!({
        "grondslag": { "soort": "wettelijke-verplichting", "artikelen": ["AVG art. 7 lid 3"] },
        "inhoud": { "toestemming_id": id, "houder": oin(2), "ingetrokken_op": NOW, "verklaring": statement },
    });
    payload
}

fn consents() -> Vec<Refusal> {
    let of = |change: fn(&mut Value)| concern(consent(change, 1));
    let missing = |name, payload: &Value| refusal(name, Reason::ConsentMissing, forge(payload, 1)).binds();
    let extract = "/data/grondslag/toestemming";
    let whole = || of(|_| {});
    vec![
        missing("no consent is carried", &changed(whole(), extract, Value::Null)),
        missing(
            "a consent without its extract",
            &changed(whole(), &format!("{extract}/uittreksel"), Value::Null),
        ),
        missing("an extract that its holder did not sign", &concern(consent(|_| {}, 2))),
        missing("a consent for another receiver", &of(|one| one["inhoud"]["verleend_aan"] = json!([oin(3)]))),
        missing(
            "a consent for another purpose",
            &of(|one| one["inhoud"]["doelen"] = json!([ARREARS_PURPOSE])),
        ),
        missing(
            "a consent for less data",
            &of(|one| one["inhoud"]["gegevens"]["categorieen"] = json!(["identificatie", "adres"])),
        ),
        missing(
            "a consent of another resident",
            &of(|one| one["betrokkene"]["geboortedatum"] = json!("1975-01-20")),
        ),
        missing("a consent in a case of which nothing says who it is about", &answering(whole())),
        missing("a consent that is not opened", &changed(whole(), &format!("{extract}/zout"), Value::Null)),
        refusal("a withdrawal in the name of another", Reason::NotTheirsToSay, forge(&withdrawal(), 1))
            .binds(),
        Refusal {
            now: "2027-01-01T00:00:00Z",
            ..refusal("a consent that has ended", Reason::ConsentExpired, {
                let late = of(|one| one["inhoud"]["geldig_tot"] = json!("2027-01-01T00:00:00Z"));
                forge(&changed(late, "/verlooptop", json!("2027-02-01T00:00:00Z")), 1)
            })
            .binds()
        },
    ]
}
