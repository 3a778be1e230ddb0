//! Who takes part in the vectors, what they agreed and what one sends the other.

use ed25519_dalek::SigningKey;
use exchange::{
    agreement::{Agreement, AnswerKind},
    message::{Draft, HeldBack, SignedMessage},
    oin::Oin,
    policy::ConsentKnowledge,
    purpose::Purpose,
    rulebook::Rulebook,
    signature::{Ed25519Signer, Signer as _},
    tlog::LogSigner,
};
use jiff::Timestamp;
use schemas::{Document, SchemaName};
use serde_json::{Value, json};

/// The moment of every decision, unless a vector says another.
pub(crate) const NOW: &str = "2026-11-21T09:30:00.123Z";
pub(crate) const EXPIRES: &str = "2026-12-21T09:30:00Z";
pub(crate) const ID: &str = "01a1fd70-f23b-7000-8000-000000000001";
pub(crate) const CASE: &str = "7c9e6679-7425-40de-944b-e07fc1f90ae7";
pub(crate) const ARREARS_PURPOSE: &str = "vroegsignalering-voorbeeld";
pub(crate) const CONCERN_PURPOSE: &str = "zorgsignaal-voorbeeld";

pub(crate) struct Party {
    pub(crate) number: u8,
    pub(crate) name: &'static str,
    pub(crate) kind: &'static str,
    /// Whether it signs the agreement.
    pub(crate) agrees: bool,
}

/// The third is a stranger: it has keys, and is no party to anything.
pub(crate) const PARTIES: [Party; 3] = [
    Party { number: 1, name: "Woningcorporatie De Sleutel", kind: "woningcorporatie", agrees: true },
    Party { number: 2, name: "Gemeente Rivierstad", kind: "gemeente", agrees: true },
    Party { number: 3, name: "Energie Rivierland", kind: "vastelastenpartner", agrees: false },
];

pub(crate) fn oin(number: u8) -> Oin {
    format!("0000009900000000{number}000").parse().unwrap()
}

pub(crate) fn seed(number: u8) -> [u8; 32] {
    [number; 32]
}

pub(crate) fn log_seed(number: u8) -> [u8; 32] {
    [number + 100; 32]
}

pub(crate) fn signer(number: u8) -> Ed25519Signer {
    Ed25519Signer::from_seed(&seed(number))
}

pub(crate) fn log_signer(number: u8) -> LogSigner {
    LogSigner::new(oin(number).log_origin(), SigningKey::from_bytes(&log_seed(number))).unwrap()
}

pub(crate) fn now() -> Timestamp {
    NOW.parse().unwrap()
}

/// Arrears of rent, on a legal obligation with its conditions.
pub(crate) fn arrears_purpose() -> Value {
    json!({
        "berichten": [{
            "bsn": false,
            "gegevens": ["identificatie", "adres", "contact", "financieel"],
            "grondslagen": [{
                "artikelen": ["Wgs art. 3 lid 1 onder b"],
                "soort": "wettelijke-verplichting",
                "voorwaarden": [
                    "persoonlijk-contact",
                    "gewezen-op-schuldhulp",
                    "schriftelijke-herinnering",
                    "aanbod-doorgeven-zonder-bezwaar",
                ],
            }],
            "leefgebieden": ["financien"],
            "naar": ["gemeente"],
            "reactietermijn": {"crisis": {"werkdagen": 3}, "normaal": {"weken": 4}},
            "type": "nl.sociaaldomein.signalen.betalingsachterstand.v1",
            "van": ["woningcorporatie"],
        }],
        "bewaartermijn_dagen": 183,
        "bij_intrekking": "wissen",
        "bronnen": ["Wgs art. 3 lid 1 onder b"],
        "doel": ARREARS_PURPOSE,
        "naam": "Vroegsignalering van huurachterstanden (voorbeeld)",
        "omschrijving": "Een doel om mee te toetsen: de tekst ligt vast, anders dan die van het register.",
        "versie": 1,
    })
}

/// A signal of concern, and what is said about it later, on consent alone.
pub(crate) fn concern_purpose() -> Value {
    json!({
        "berichten": [{
            "bsn": false,
            "gegevens": ["identificatie", "adres", "contact", "situatie"],
            "grondslagen": [{"artikelen": ["AVG art. 6 lid 1 onder a"], "soort": "toestemming"}],
            "leefgebieden": ["wonen"],
            "naar": ["gemeente"],
            "type": "nl.sociaaldomein.signalen.zorgsignaal.v1",
            "van": ["woningcorporatie"],
        }, {
            "bsn": false,
            "gegevens": ["hulpverlening"],
            "grondslagen": [{"artikelen": ["AVG art. 6 lid 1 onder a"], "soort": "toestemming"}],
            "leefgebieden": [],
            "naar": ["gemeente"],
            "type": "nl.sociaaldomein.terugkoppelingen.gegeven.v1",
            "van": ["woningcorporatie"],
        }],
        "bewaartermijn_dagen": 90,
        "bij_intrekking": "wissen",
        "bronnen": ["AVG art. 6 lid 1 onder a"],
        "doel": CONCERN_PURPOSE,
        "naam": "Zorgsignaal met toestemming (voorbeeld)",
        "omschrijving": "Een doel om mee te toetsen: het rust alleen op toestemming. Met een teken buiten ASCII: één gezin, één plan.",
        "versie": 1,
    })
}

pub(crate) fn purposes() -> [Purpose; 2] {
    [arrears_purpose(), concern_purpose()].map(|text| Purpose::from_json(&text.to_string()).unwrap())
}

/// The text of the agreement, its members in no particular order: the digest does not depend on it.
pub(crate) fn agreement_text() -> Value {
    let parties = PARTIES.iter().filter(|party| party.agrees).map(|party| {
        json!({
            "oin": oin(party.number),
            "naam": party.name,
            "soort": party.kind,
            "sleutels": [signer(party.number).public_key()],
            "logsleutel": log_signer(party.number).verifier().to_string(),
            "contact": "beheer@voorbeeld.test",
            "fg": "fg@voorbeeld.test",
        })
    });
    let clauses = purposes().map(|purpose| {
        json!({
            "doel": purpose.content().doel,
            "doel_digest": purpose.digest(),
            "van": [oin(1)],
            "naar": [oin(2)],
            "berichttypen": purpose.content().berichten.iter().map(|rule| &rule.message_type).collect::<Vec<_>>(),
        })
    });
    json!({
        "versie": 1,
        "groep": "voorbeeld",
        "geldig_van": "2026-01-01",
        "geldig_tot": "2027-12-31",
        "partijen": parties.collect::<Vec<_>>(),
        "afspraken": clauses,
    })
}

/// The agreement, accepted by both, a minute apart.
pub(crate) fn agreement() -> Agreement {
    let mut agreement = Agreement::parse(&agreement_text().to_string()).unwrap();
    for (number, at) in [(1, "2026-11-20T13:00:00Z"), (2, "2026-11-20T13:01:00Z")] {
        let answer = agreement.answer(AnswerKind::Accepted, at.parse().unwrap(), &signer(number)).unwrap();
        agreement.add_answer(&answer).unwrap();
    }
    agreement
}

pub(crate) fn rulebook() -> Rulebook {
    Rulebook::new([agreement()], purposes())
}

/// The data of the message: nobody lives there.
pub(crate) fn arrears() -> Value {
    json!({
        "grondslag": {
            "soort": "wettelijke-verplichting",
            "artikelen": ["Wgs art. 3 lid 1 onder b"],
            "voorwaarden": {
                "persoonlijk-contact": true,
                "gewezen-op-schuldhulp": true,
                "schriftelijke-herinnering": true,
                "aanbod-doorgeven-zonder-bezwaar": true,
            },
        },
        "betrokkene": {
            "naam": {"voorletters": "E.", "voorvoegsel": "van den", "achternaam": "Brouwer"},
            "geboortedatum": "1974-01-20",
            "adres": {
                "straat": "Lindelaan", "huisnummer": 19, "huisnummertoevoeging": "hs",
                "postcode": "4906AN", "woonplaats": "Rivierstad",
            },
            "contact": {"telefoon": "0000166131"},
        },
        "inhoud": {
            "soort_schuld": "huur", "bedrag_in_centen": 50884, "achterstand_sinds": "2026-10-09",
            "aantal_termijnen": 1, "peildatum": "2026-11-16", "crisis": false,
        },
    })
}

pub(crate) fn draft() -> Draft {
    Draft {
        id: ID.parse().unwrap(),
        from: oin(1),
        to: oin(2),
        agreement: agreement().digest(),
        purpose: ARREARS_PURPOSE.into(),
        case: CASE.parse().unwrap(),
        desk: Some("schuldhulp".into()),
        time: now(),
        expires: EXPIRES.parse().unwrap(),
        document: Document::parse(SchemaName::PaymentArrears, arrears().to_string().as_bytes()).unwrap(),
    }
}

pub(crate) fn signed(draft: Draft) -> SignedMessage {
    draft.permit(&rulebook(), ConsentKnowledge::NothingElse).unwrap().sign(&signer(1)).unwrap()
}

/// The same with a condition of the law that is not met.
pub(crate) fn held_back() -> HeldBack {
    let mut data = arrears();
    data["grondslag"]["voorwaarden"]["persoonlijk-contact"] = json!(false);
    let document = Document::parse(SchemaName::PaymentArrears, data.to_string().as_bytes()).unwrap();
    Draft { document, ..draft() }.permit(&rulebook(), ConsentKnowledge::NothingElse).unwrap_err()
}
