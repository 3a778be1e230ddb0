//! What stands beside the log and is not what the log says is found out as well, whichever table it is in.

use exchange::{
    agreement::{Agreement, AnswerKind, Clause, Content, Party},
    consent::{ConsentKey, ConsentRecord, Salts},
    entry::{ConsentHappening, ReasonCode},
    organisation::OrganisationKind,
    person::Identity,
    purpose::Purpose,
    refusal::Reason as Refused,
    signature::{Ed25519Signer, Signer as _},
    witness::Contradiction,
};
use jiff::civil::date;
use serde_json::json;

use super::*;
use crate::{Access, Actor, BatchLimit, Deed, PartnerCheckpoint, RaisedAlarm, Reason, SentOutcome, Why};

const CONSENT: u128 = 0x7c9e_6679_7425_40de_944b_e07f_c1f9_0ae7;

fn access() -> Access {
    let why = Why::new(Reason::Controle, Some("FG-1"), None).unwrap();
    Access { who: Actor::person("jdevries", None).unwrap(), what: Deed::Inzien, why, when: now() }
}

fn key() -> Ed25519Signer {
    Ed25519Signer::from_seed(&[3; 32])
}

fn refused(number: u128) -> Arrival {
    let arrival = arrival(number);
    let reden = Some(ReasonCode(Refused::Expired));
    let leaf = Entry::Ontvangst(Reception {
        bericht: arrival.digest,
        id: arrival.id,
        reden,
        regels: None,
        tijd: now(),
        toestemming: None,
        uitkomst: Outcome::Geweigerd,
        van: partner(),
    })
    .leaf();
    Arrival { verdict: Decided::Refused(Refused::Expired.code()), leaf, ..arrival }
}

fn consent(id: u128) -> ConsentRecord {
    let record = json!({
        "betrokkene": { "bsn": "999990342" },
        "inhoud": {
            "verleend_aan": [partner()], "doelen": ["hulp-met-toestemming"],
            "gegevens": { "categorieen": ["identificatie"], "leefgebieden": [] },
            "verleend_op": "2026-11-02T10:00:00+01:00", "geldig_tot": "2027-05-01T00:00:00Z", "wijze": "schriftelijk",
            "vrijheid": {
                "gevolg_van_weigeren": "Geen.", "hulp_hangt_ervan_af": false, "taal": "nl", "steun_aanwezig": true,
                "uitgelegd_door": { "organisatie": "Wij", "functie": "consulent" }, "gewezen_op_intrekken": true,
            },
            "bewijs": { "soort": "formulier", "kenmerk": "TF-1" },
        },
    });
    let salts = Salts::new(&SeededRandom::new(5));
    ConsentRecord::fill_in(record.to_string().as_bytes(), Uuid::from_u128(id), salts).unwrap()
}

fn agreement(version: u32) -> (Agreement, Purpose) {
    let text = include_str!("../../../../../../config/doelen/vroegsignalering-huur.toml");
    let purpose = Purpose::from_toml(text).unwrap();
    let party = |oin: Oin, seed, soort| Party {
        oin,
        naam: format!("Organisatie {oin}"),
        soort,
        sleutels: vec![Ed25519Signer::from_seed(&[seed; 32]).public_key().clone()],
        logsleutel: LogSigner::new(oin.log_origin(), SigningKey::from_bytes(&[seed + 90; 32]))
            .unwrap()
            .verifier()
            .to_string(),
        contact: "beheer@voorbeeld.test".into(),
        fg: "fg@voorbeeld.test".into(),
    };
    let clause = Clause {
        doel: purpose.content().doel.clone(),
        doel_digest: purpose.digest(),
        van: vec![partner()],
        naar: vec![us()],
        berichttypen: vec!["nl.sociaaldomein.signalen.betalingsachterstand.v1".into()],
    };
    let content = Content {
        groep: "rivierland".into(),
        versie: version,
        partijen: vec![
            party(us(), 3, OrganisationKind::Municipality),
            party(partner(), 4, OrganisationKind::HousingCorporation),
        ],
        geldig_van: date(2026, 1, 1),
        geldig_tot: date(2027, 12, 31),
        afspraken: vec![clause],
    };
    (Agreement::parse(&serde_json::to_string(&content).unwrap()).unwrap(), purpose)
}

async fn propose(store: &Store, version: u32, answering: &[Oin]) -> Digest {
    let (agreement, purpose) = agreement(version);
    let purposes = vec![(purpose.digest(), purpose.text().to_owned())];
    store.put_agreement(agreement.digest(), agreement.text().into(), purposes, now()).await.unwrap();
    for oin in answering {
        let jws = format!("aanvaard door {oin}, versie {version}");
        let leaf = Entry::Convenant {
            antwoord: AnswerKind::Accepted,
            bewijs: Digest::of(jws.as_bytes()),
            convenant: agreement.digest(),
            door: *oin,
            tijd: now(),
        }
        .leaf();
        assert!(store.put_answer(agreement.digest(), *oin, (jws, leaf), Vec::new()).await.unwrap());
    }
    agreement.digest()
}

async fn happens(store: &Store, record: &ConsentRecord, what: ConsentHappening) {
    let (consent, extract) = (record.key(us()), record.extract(us(), &key()).unwrap());
    let leaf = of_consent(consent, what, &extract);
    store.record_consent((consent, record), extract, 30, leaf).await.unwrap();
}

fn of_consent(key: ConsentKey, gebeurtenis: ConsentHappening, proof: &str) -> Leaf {
    let bewijs = Some(Digest::of(proof.as_bytes()));
    let (houder, toestemming) = (key.holder, key.id);
    Entry::Toestemming { bewijs, gebeurtenis, houder, tijd: now(), toestemming, uitkomst: None }.leaf()
}

impl Place {
    /// A log with an entry of every kind; the numbers stand beside them.
    async fn of_every_kind() -> Self {
        let place = Self(tempfile::tempdir().unwrap());
        let store = Store::create(place.options()).await.unwrap();
        store.append(vec![Entry::Begin { oin: us(), tijd: now() }.leaf()]).await.unwrap(); // 0
        let rules = store.rules_version().await.unwrap();
        store.enqueue(rules, (1..4).map(outgoing).collect(), Vec::new()).await.unwrap(); // 1 to 3
        store.file(rules, vec![arrival(4), arrival(5), refused(6)]).await.unwrap(); // 4 to 6
        let limit = BatchLimit { count: 2, bytes: 1 << 20 };
        let lease = store.lease_due(partner(), now(), limit).await.unwrap().unwrap();
        let outcomes = [SentOutcome::Admitted, SentOutcome::Refused { reason: "nee".into() }];
        let checkpoint = PartnerCheckpoint { size: 9, note: "note".into() };
        store.record_receipt(&lease, &outcomes, "{}".into(), checkpoint, now()).await.unwrap();
        drop(lease);
        let person = Identity::read(&json!({ "bsn": "999990342" })).unwrap();
        store.record_consent_decision(access(), Uuid::from_u128(CONSENT), Some(&person)).await.unwrap(); // 7
        let record = consent(CONSENT);
        happens(&store, &record, ConsentHappening::Verleend).await; // 8
        propose(&store, 1, &[us(), partner()]).await; // 9, 10
        store.erase(vec![5], ErasureCause::Request, now()).await.unwrap(); // 11
        store.view(access(), &[4, 5]).await.unwrap(); // 12
        let (aard, evidence) = (Contradiction::Gesplitst, "evidence".to_owned());
        let bewijs = Digest::of(evidence.as_bytes());
        let leaf = Entry::Alarm { aard, bewijs, logboek: partner(), tijd: now() }.leaf();
        let kind = aard.as_str().to_owned();
        let alarm =
            RaisedAlarm { log: partner(), key: "key".into(), kept_size: 5, kind, evidence, noticed: now() };
        assert!(store.raise_alarm(alarm, leaf).await.unwrap()); // 13
        happens(&store, &record, ConsentHappening::Verlengd).await; // 14
        let (consent, statement) = (record.key(us()), "verklaring".to_owned());
        let leaf = of_consent(consent, ConsentHappening::Ingetrokken, &statement);
        assert!(store.withdraw_consent(consent, (statement, now()), leaf, now()).await.unwrap()); // 15
        assert_eq!(store.log_size().await.unwrap(), 16);
        store.close().await;
        place
    }

    fn copy(&self) -> Self {
        let copy = Self(tempfile::tempdir().unwrap());
        for name in ["knooppunt.db", "knooppunt.db-sleutels"] {
            std::fs::copy(self.0.path().join(name), copy.0.path().join(name)).unwrap();
        }
        copy
    }

    async fn checked(&self, contents: bool) -> Verdict {
        let store = self.open().await;
        let verdict = store.verify(Check { anchors: Vec::new(), contents }, |_, _| {}).await.unwrap();
        store.close().await;
        verdict
    }
}

/// Statement, the first entry that differs, and a word of what is said.
const RECORDS: &[(&str, u64, &str)] = &[
    ("DELETE FROM access WHERE idx = 7", 7, "raadpleging bij deze regel ontbreekt"),
    ("DELETE FROM access", 7, "raadpleging bij deze regel ontbreekt"),
    ("DELETE FROM access WHERE idx = 12", 12, "raadpleging bij deze regel ontbreekt"),
    ("UPDATE access SET sealed = zeroblob(90) WHERE idx = 12", 12, "niet te openen"),
    (
        "UPDATE access SET sealed = (SELECT sealed FROM access WHERE idx = 12) WHERE idx = 7",
        7,
        "niet te openen",
    ),
    ("UPDATE access SET idx = 10 WHERE idx = 12", 10, "er niet hoort"),
    ("UPDATE access SET idx = 90 WHERE idx = 12", 12, "raadpleging bij deze regel ontbreekt"),
    ("DELETE FROM access_message WHERE access = 12 AND message = 4", 12, "niet meer te vinden"),
    ("DELETE FROM access_subject WHERE access = 7", 7, "niet meer te vinden"),
    ("UPDATE access_subject SET token = zeroblob(8) WHERE access = 7", 7, "niet meer te vinden"),
    ("UPDATE access_subject SET access = 12 WHERE access = 7", 7, "niet meer te vinden"),
    ("DELETE FROM consent_record WHERE idx = 8", 8, "toestemming bij deze regel ontbreekt"),
    ("DELETE FROM consent_record WHERE idx = 14", 14, "toestemming bij deze regel ontbreekt"),
    ("UPDATE consent_record SET extract = 'x' WHERE idx = 8", 8, "een andere"),
    ("UPDATE consent_record SET sealed = zeroblob(90) WHERE idx = 14", 14, "niet te openen"),
    ("UPDATE consent SET id = zeroblob(16)", 8, "een andere"),
    ("UPDATE consent SET state = 0", 15, "intrekking"),
    ("UPDATE consent SET statement = 'x'", 15, "intrekking"),
    ("DELETE FROM payload WHERE idx = 4", 4, "ontbreekt, en is niet gewist"),
    ("DELETE FROM payload WHERE idx = 3", 3, "ontbreekt, en is niet gewist"),
    ("DELETE FROM payload WHERE idx = 4; UPDATE message SET erased = 0 WHERE idx = 4", 4, "nergens"),
    ("DELETE FROM payload WHERE idx = 4; UPDATE message SET erased = 11 WHERE idx = 4", 4, "nergens"),
    ("DELETE FROM payload WHERE idx = 4; UPDATE message SET erased = 99 WHERE idx = 4", 4, "nergens"),
    ("UPDATE message SET erased = 11 WHERE idx = 4", 4, "zijn inhoud staat er nog"),
    ("UPDATE message SET erased = NULL WHERE idx = 5", 5, "ontbreekt, en is niet gewist"),
    ("UPDATE message SET erased = 3 WHERE idx = 5", 5, "nergens"),
    (
        "UPDATE message SET erased = NULL WHERE idx = 5; INSERT INTO payload SELECT 5, sealed, form FROM payload WHERE idx = 4",
        11,
        "volgens deze regel is een bericht gewist",
    ),
    ("UPDATE message SET state = 3", 1, "andere stand dan zijn ontvangstbewijs"),
    ("UPDATE message SET state = 3 WHERE direction = 1", 4, "andere stand dan in het logboek"),
    ("UPDATE message SET state = 2 WHERE idx = 4", 4, "andere stand dan in het logboek"),
    ("UPDATE message SET state = 1, reason = NULL WHERE idx = 6", 6, "andere stand dan in het logboek"),
    (
        "UPDATE message SET reason = (SELECT reason FROM message WHERE idx = 2) WHERE idx = 6",
        6,
        "andere stand",
    ),
    ("UPDATE message SET state = 9 WHERE idx = 4", 4, "een ander dan in het logboek"),
    ("UPDATE message SET state = 1 WHERE idx = 3", 3, "ontvangstbewijs"),
    ("UPDATE message SET receipt = NULL WHERE idx = 2", 2, "ontvangstbewijs"),
    ("DELETE FROM receipt", 1, "ontvangstbewijs"),
    (
        "INSERT INTO party (num, oin) VALUES (90, '00000099000000009000'); UPDATE message SET party = 90 WHERE idx = 3",
        3,
        "andere organisatie",
    ),
    ("DELETE FROM answer WHERE jws LIKE '%1000, versie%'", 9, "antwoord"),
    ("UPDATE answer SET jws = jws || ' ' WHERE jws LIKE '%2000, versie%'", 10, "antwoord"),
    (
        "UPDATE agreement SET content = replace(content, 'rivierland', 'zeeland')",
        9,
        "tekst van het convenant",
    ),
    ("UPDATE agreement SET content = 'x'", 9, "tekst van het convenant"),
    ("UPDATE agreement_purpose SET content = replace(content, 'huur', 'huis')", 9, "tekst van een doel"),
    ("DELETE FROM agreement_purpose", 9, "tekst van een doel"),
    (
        "DELETE FROM agreement_purpose; DELETE FROM answer; DELETE FROM agreement",
        9,
        "het convenant bij deze regel ontbreekt",
    ),
    ("DROP TRIGGER alarm_is_not_removed; DELETE FROM alarm", 13, "alarm"),
    ("DROP TRIGGER alarm_is_not_changed; UPDATE alarm SET evidence = 'x'", 13, "alarm"),
    ("DELETE FROM consent_record; DELETE FROM access", 7, "raadpleging"),
    (
        "UPDATE log_leaf SET leaf = CAST(replace(leaf, '2026-', '2027-') AS BLOB) WHERE idx = 8; DELETE FROM access WHERE idx = 12",
        8,
        "zij is veranderd",
    ),
];

#[tokio::test]
async fn the_first_entry_whose_store_differs_is_named() {
    let whole = Place::of_every_kind().await;
    for contents in [false, true] {
        let verdict = whole.copy().checked(contents).await;
        assert!(matches!(verdict, Verdict::Whole { size: 16, .. }), "{verdict:?}");
    }
    for (statement, index, word) in RECORDS {
        let place = whole.copy();
        place.tamper(statement).await;
        let verdict = place.checked(false).await;
        let (at, until, what) = found(&verdict);
        assert_eq!((at, until), (*index, None), "{statement}: {what}");
        assert!(what.contains(word), "{statement}: {what}");
        // Opening everything finds it too, or something before it.
        assert!(found(&place.checked(true).await).0 <= *index, "{statement}");
    }
}

/// What was put back after it was erased opens with no key.
#[tokio::test]
async fn what_was_erased_and_put_back_is_named() {
    let place = Place::of_every_kind().await;
    let put_back = "UPDATE message SET erased = NULL WHERE idx = 5; \
                    INSERT INTO payload SELECT 5, zeroblob(92), 1";
    place.tamper(put_back).await;
    let verdict = place.checked(true).await;
    let (at, _, what) = found(&verdict);
    assert_eq!(at, 5);
    assert!(what.contains("sleutel") && what.contains("vernietigd"), "{what}");
}

/// A record that is gone with its key was erased only if the log says so, wherever that stands.
#[tokio::test]
async fn a_record_that_was_erased_has_an_entry_that_says_so() {
    for (statement, index) in
        [("DELETE FROM consent_record WHERE idx = 8", 8), ("UPDATE access SET idx = idx WHERE idx = 7", 7)]
    {
        let place = Place::of_every_kind().await;
        place.tamper(statement).await;
        let store = place.open().await;
        store.0.vault.entries.destroy(&[index]).unwrap();
        let check = || Check { anchors: Vec::new(), contents: true };
        let verdict = store.verify(check(), |_, _| {}).await.unwrap();
        let (at, _, what) = found(&verdict);
        assert_eq!(at, index);
        assert!(what.contains("nergens"), "{what}");
        let leaf = Entry::Wissing { gewist: vec![index], reden: ErasureCause::Request, tijd: now() }.leaf();
        store.append(vec![leaf]).await.unwrap();
        let verdict = store.verify(check(), |_, _| {}).await.unwrap();
        assert!(matches!(verdict, Verdict::Whole { .. }), "{verdict:?}");
        store.close().await;
        // Of something else that differs in between, that is what to say.
        let other = place.copy();
        other.tamper("DELETE FROM access WHERE idx = 12").await;
        assert_eq!(found(&other.checked(false).await).0, 12);
        // And not of something later, while this is not proven.
        place.tamper("UPDATE log_leaf SET leaf = x'7b7d' WHERE idx = 16").await;
        assert_eq!(found(&place.checked(false).await).0, index);
    }
}

/// What was never accepted here is forgotten in time, and the log with its entries is whole.
#[tokio::test]
async fn what_was_forgotten_is_not_missed() {
    let place = Place::of_every_kind().await;
    let store = place.open().await;
    let proposed = propose(&store, 2, &[partner()]).await;
    assert!(store.forget_agreement(proposed).await.unwrap());
    store.close().await;
    let verdict = place.checked(true).await;
    assert!(matches!(verdict, Verdict::Whole { .. }), "{verdict:?}");
}
