//! What stands beside the log and is not what the log says is found out as well, whichever table it is in.

use exchange::{
    agreement::AnswerKind,
    consent::{ConsentKey, ConsentRecord, Salts, Statement},
    digest::Digest,
    entry::{ConsentHappening, Outcome, ReasonCode, Reception},
    person::Identity,
    receipt::{Receipt, ReceiptLeaf},
    refusal::Reason as Refused,
    witness::Contradiction,
};
use serde_json::json;
use uuid::Uuid;

use super::{
    given::{arrival_on, key, outgoing_on, their_signer},
    *,
};
use crate::{
    Access, Actor, BatchLimit, Deed, PartnerCheckpoint, RaisedAlarm, Reason, SentOutcome, Why,
    model::{Arrival, Verdict as Decided},
};

/// How many entries the log has.
const SIZE: u64 = 20;

const CONSENT: u128 = 0x7c9e_6679_7425_40de_944b_e07f_c1f9_0ae7;
const OTHER_CONSENT: u128 = CONSENT + 1;
const THEIR_CONSENT: u128 = CONSENT + 2;

fn access() -> Access {
    let why = Why::new(Reason::Controle, Some("FG-1"), None).unwrap();
    Access { who: Actor::person("jdevries", None).unwrap(), what: Deed::Inzien, why, when: now() }
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

/// Proposes an agreement, and has it answered.
async fn propose(store: &Store, version: u32, answering: &[Oin]) -> Digest {
    let convenant = agree(store, version).await;
    for oin in answering {
        let jws = format!("aanvaard door {oin}, versie {version}");
        let leaf = Entry::Convenant {
            antwoord: AnswerKind::Accepted,
            bewijs: Digest::of(jws.as_bytes()),
            convenant,
            door: *oin,
            tijd: now(),
        }
        .leaf();
        assert!(store.put_answer(convenant, *oin, (jws, leaf), Vec::new()).await.unwrap());
    }
    convenant
}

/// What the partner answers to these: the first it admits, the second it refuses.
fn receipt(messages: [u128; 2]) -> String {
    let leaf = |number, reden: Option<Refused>| {
        let (bericht, uitkomst) = (outgoing(number).digest, Outcome::Geweigerd);
        let uitkomst = if reden.is_none() { Outcome::Toegelaten } else { uitkomst };
        let (id, tijd, van) = (Some(id(number)), now(), us());
        let reden = reden.map(ReasonCode);
        Entry::Ontvangst(Reception {
            bericht,
            id,
            reden,
            regels: None,
            tijd,
            toestemming: None,
            uitkomst,
            van,
        })
        .leaf()
    };
    let leaves = [leaf(messages[0], None), leaf(messages[1], Some(Refused::Expired))];
    let mut range = CompactRange::default();
    for leaf in &leaves {
        range.append(leaf.hash());
    }
    let checkpoint = Checkpoint { origin: partner().log_origin(), size: 2, root: range.root() };
    let receipt = Receipt {
        checkpoint: their_signer().sign(&checkpoint),
        size_before: 0,
        range_before: Vec::new(),
        leaves: leaves.into_iter().map(ReceiptLeaf::New).collect(),
    };
    serde_json::to_string(&receipt).unwrap()
}

fn extract(record: &ConsentRecord, holder: Oin) -> String {
    record.extract(holder, &key(holder)).unwrap()
}

async fn happens(store: &Store, record: &ConsentRecord, what: ConsentHappening) {
    let (consent, extract) = (record.key(us()), record.extract(us(), &key(us())).unwrap());
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
        agree(&store, 1).await;
        let rules = store.rules_version().await.unwrap();
        store.enqueue(rules, (1..4).map(outgoing).collect(), Vec::new()).await.unwrap(); // 1 to 3
        store.file(rules, vec![arrival(4), arrival(5), refused(6)]).await.unwrap(); // 4 to 6
        let limit = BatchLimit { count: 2, bytes: 1 << 20 };
        let lease = store.lease_due(partner(), now(), limit).await.unwrap().unwrap();
        let outcomes =
            [SentOutcome::Admitted, SentOutcome::Refused { reason: Refused::Expired.code().into() }];
        let checkpoint = PartnerCheckpoint { size: 9, note: "note".into() };
        store.record_receipt(&lease, &outcomes, receipt([1, 2]), checkpoint, now()).await.unwrap();
        drop(lease);
        let person = Identity::read(&json!({ "bsn": "999990342" })).unwrap();
        store.record_consent_decision(access(), Uuid::from_u128(CONSENT), Some(&person)).await.unwrap(); // 7
        let record = consent(CONSENT);
        happens(&store, &record, ConsentHappening::Verleend).await; // 8
        propose(&store, 2, &[us(), partner()]).await; // 9, 10
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
        let consent_key = record.key(us());
        let statement = Statement::sign(consent_key.id, us(), now(), &key(us())).unwrap();
        let leaf = of_consent(consent_key, ConsentHappening::Ingetrokken, &statement);
        assert!(store.withdraw_consent(consent_key, (statement, now()), leaf, now()).await.unwrap()); // 15
        let ours = consent(OTHER_CONSENT);
        happens(&store, &ours, ConsentHappening::Verleend).await; // 16
        let (ours, theirs) = (extract(&ours, us()), extract(&consent(THEIR_CONSENT), partner()));
        let rules = store.rules_version().await.unwrap();
        store.enqueue(rules, vec![outgoing_on(17, Some(&ours))], Vec::new()).await.unwrap(); // 17
        store.file(rules, vec![arrival_on(18, Some(&theirs)), arrival_on(19, Some(&theirs))]).await.unwrap(); // 18, 19
        assert_eq!(store.log_size().await.unwrap(), SIZE);
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

    async fn checked(&self, closed: bool) -> Verdict {
        let store = self.open().await;
        let verdict = store.verify(Check { anchors: Vec::new(), closed }, |_, _| {}).await.unwrap();
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
    ("UPDATE access_subject SET access = 8 WHERE access = 7", 7, "niet meer te vinden"),
    ("DELETE FROM consent_record WHERE idx = 8", 8, "toestemming bij deze regel ontbreekt"),
    ("DELETE FROM consent_record WHERE idx = 14", 14, "toestemming bij deze regel ontbreekt"),
    ("UPDATE consent_record SET extract = 'x' WHERE idx = 8", 8, "een andere"),
    ("UPDATE consent_record SET sealed = zeroblob(90) WHERE idx = 14", 14, "niet te openen"),
    ("UPDATE consent SET id = zeroblob(16) WHERE num = 1", 8, "ontbreekt"),
    ("UPDATE consent SET state = 0 WHERE num = 1", 8, "andere stand"),
    ("UPDATE consent SET statement = 'x' WHERE num = 1", 8, "intrekking"),
    ("DELETE FROM payload WHERE idx = 4", 4, "ontbreekt, en is niet gewist"),
    ("DELETE FROM payload WHERE idx = 3", 3, "ontbreekt, en is niet gewist"),
    (
        "DELETE FROM payload WHERE idx = 4; UPDATE message SET erased = 0, subject_bsn = NULL WHERE idx = 4",
        4,
        "nergens",
    ),
    (
        "DELETE FROM payload WHERE idx = 4; UPDATE message SET erased = 11, subject_bsn = NULL WHERE idx = 4",
        4,
        "nergens",
    ),
    (
        "DELETE FROM payload WHERE idx = 4; UPDATE message SET erased = 99, subject_bsn = NULL WHERE idx = 4",
        4,
        "nergens",
    ),
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
    ("UPDATE message SET reason = (SELECT type FROM message WHERE idx = 2) WHERE idx = 6", 6, "andere stand"),
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
        "UPDATE agreement SET content = replace(content, 'rivierland', 'zeeland') WHERE num = 2",
        9,
        "tekst van het convenant",
    ),
    ("UPDATE agreement SET content = 'x' WHERE num = 2", 9, "tekst van het convenant"),
    (
        "UPDATE agreement_purpose SET content = replace(content, 'huur', 'huis') WHERE agreement = 2",
        9,
        "tekst van een doel",
    ),
    ("DELETE FROM agreement_purpose WHERE agreement = 2", 9, "tekst van een doel"),
    (
        "DELETE FROM agreement_purpose WHERE agreement = 2; DELETE FROM answer; DELETE FROM agreement WHERE num = 2",
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
    ("UPDATE message SET id = zeroblob(16) WHERE idx = 4", 4, "ander kenmerk"),
    ("UPDATE message SET id = NULL WHERE idx = 3", 3, "ander kenmerk"),
    ("UPDATE message SET created = created + 1 WHERE idx = 3", 3, "andere tijd"),
    ("UPDATE message SET finished = finished + 1 WHERE idx = 4", 4, "andere tijd"),
    ("UPDATE message SET finished = NULL WHERE idx = 6", 6, "andere tijd"),
    ("UPDATE message SET keep_until = keep_until + 1 WHERE idx = 4", 4, "bewaartermijn"),
    ("UPDATE message SET keep_until = NULL WHERE idx = 3", 3, "bewaartermijn"),
    ("UPDATE message SET keep_until = keep_until - 1 WHERE idx = 5", 5, "bewaartermijn"),
    ("UPDATE message SET keep_until = 1 WHERE idx = 6", 6, "geweigerde bericht"),
    ("UPDATE message SET agreement = type WHERE idx = 4", 4, "convenant of het doel"),
    ("UPDATE message SET purpose = type WHERE idx = 5", 5, "convenant of het doel"),
    ("UPDATE message SET consent = NULL WHERE idx = 18", 18, "rust volgens het logboek op een toestemming"),
    ("UPDATE message SET consent = NULL", 17, "rust volgens het logboek op een toestemming"),
    ("UPDATE message SET consent = 2 WHERE idx = 4", 4, "rust volgens het logboek op een toestemming"),
    ("UPDATE message SET consent = 90 WHERE idx = 18", 18, "ontbreekt"),
    ("UPDATE message SET released = 1 WHERE idx = 18", 18, "op een andere grondslag"),
    ("UPDATE message SET subject_bsn = x'0000000000000001' WHERE idx = 5", 5, "nog te vinden"),
    ("UPDATE message SET state = 2 WHERE idx = 1", 1, "andere stand dan zijn ontvangstbewijs"),
    ("UPDATE message SET state = 1, reason = NULL WHERE idx = 2", 2, "andere stand dan zijn ontvangstbewijs"),
    ("UPDATE message SET reason = type WHERE idx = 2", 2, "andere stand dan zijn ontvangstbewijs"),
    ("UPDATE message SET state = 1, receipt = 1 WHERE idx = 3", 3, "over andere berichten"),
    ("UPDATE message SET receipt = 1 WHERE idx = 4", 4, "andere stand dan in het logboek"),
    ("UPDATE message SET finished = finished - 1 WHERE idx = 2", 2, "op een ander moment afgerond"),
    ("UPDATE receipt SET received = received + 1", 1, "op een ander moment afgerond"),
    (
        "INSERT INTO party (num, oin) VALUES (90, '00000099000000009000'); UPDATE receipt SET party = 90",
        1,
        "bij een andere partner",
    ),
    ("UPDATE receipt SET content = '{}'", 1, "niet wat de ontvanger heeft ondertekend"),
    (
        "UPDATE receipt SET content = replace(content, '\"grootte_voor\":0', '\"grootte_voor\":1')",
        1,
        "niet wat de ontvanger heeft ondertekend",
    ),
    (
        "INSERT INTO receipt SELECT 9, party, '{}', received FROM receipt; UPDATE message SET receipt = 9 WHERE idx = 2",
        2,
        "niet wat de ontvanger heeft ondertekend",
    ),
    ("UPDATE consent SET valid_until = valid_until + 1 WHERE num = 3", 18, "uittreksel"),
    ("UPDATE consent SET valid_until = NULL WHERE num = 3", 18, "uittreksel"),
    (
        "UPDATE consent SET extract = (SELECT extract FROM consent WHERE num = 2) WHERE num = 3",
        18,
        "uittreksel",
    ),
    (
        "UPDATE consent SET extract = substr(extract, 1, length(extract) - 4) || 'AAAA' WHERE num = 3",
        18,
        "uittreksel",
    ),
    ("UPDATE consent SET extract = NULL, valid_until = NULL WHERE num = 3", 18, "uittreksel"),
    (
        "UPDATE consent SET holder = (SELECT holder FROM consent WHERE num = 2) WHERE num = 3",
        18,
        "uittreksel",
    ),
    ("UPDATE consent SET state = 2 WHERE num = 3", 18, "andere stand of tijd"),
    ("UPDATE consent SET state = 2, ended = valid_until WHERE num = 3", 18, "heet verlopen"),
    ("UPDATE consent SET state = 2, ended = valid_until WHERE num = 2", 16, "heet verlopen"),
    ("UPDATE tally SET count = count + 1 WHERE direction = 1 AND state = 1", 4, "zijn geteld"),
    ("UPDATE tally SET count = count - 1 WHERE direction = 0 AND state = 2", 2, "zijn geteld"),
    ("DELETE FROM tally WHERE direction = 0 AND state = 0", 3, "zijn geteld"),
    ("INSERT INTO tally SELECT party, direction, state, 90, 1 FROM tally LIMIT 1", 0, "zijn geteld"),
    ("UPDATE consent SET ended = ended + 1 WHERE num = 1", 8, "andere stand of tijd"),
    ("UPDATE consent SET ended = 1 WHERE num = 2", 16, "andere stand of tijd"),
    ("UPDATE consent SET withdrawn = withdrawn + 1 WHERE num = 1", 15, "intrekking"),
    ("UPDATE consent SET withdrawn = NULL WHERE num = 1", 8, "andere stand of tijd"),
    ("DELETE FROM consent WHERE num = 3", 18, "ontbreekt"),
    ("DELETE FROM consent WHERE num = 1", 8, "ontbreekt"),
    ("UPDATE consent_record SET keep_days = 1 WHERE idx = 8", 8, "niet te openen"),
    ("UPDATE consent_record SET consent = 2 WHERE idx = 8", 8, "een andere"),
    ("DELETE FROM consent_subject WHERE record = 14", 14, "niet te vinden"),
    ("UPDATE consent_subject SET token = zeroblob(8) WHERE record = 8", 8, "niet te vinden"),
    ("INSERT INTO consent_subject VALUES (x'0000000000000001', 16)", 16, "waar het niet over gaat"),
    ("INSERT INTO access_message VALUES (3, 12)", 12, "waar het niet over gaat"),
    ("INSERT INTO access_subject VALUES (x'0000000000000001', 7)", 7, "waar het niet over gaat"),
    ("INSERT INTO access_subject VALUES (x'0000000000000001', 3)", 3, "waar het niet over gaat"),
    ("INSERT INTO payload SELECT 10, sealed, form FROM payload WHERE idx = 4", 10, "er niet hoort"),
    ("INSERT INTO payload SELECT 6, sealed, form FROM payload WHERE idx = 4", 6, "is geweigerd"),
    ("DELETE FROM agreement_purpose WHERE agreement = 2 AND position = 1", 9, "tekst van een doel"),
    ("DELETE FROM agreement_purpose WHERE agreement = 1 AND position = 0", 1, "convenant of het doel"),
    ("UPDATE agreement_purpose SET digest = zeroblob(32) WHERE agreement = 2", 9, "tekst van een doel"),
    ("DELETE FROM agreement WHERE num = 1", 1, "convenant of het doel"),
    (
        "UPDATE word SET text = text || 'x' WHERE num = (SELECT purpose FROM message WHERE idx = 1)",
        1,
        "het doel",
    ),
    (
        "UPDATE word SET text = text || 'x' WHERE num = (SELECT agreement FROM message WHERE idx = 1)",
        1,
        "het doel",
    ),
    (
        "UPDATE word SET text = text || 'x' WHERE num = (SELECT reason FROM message WHERE idx = 6)",
        2,
        "andere stand",
    ),
];

/// The same of what only shows when it is opened.
const CONTENTS: &[(&str, u64, &str)] = &[
    ("UPDATE message SET type = purpose WHERE idx = 4", 4, "dan in het bericht zelf staat"),
    ("UPDATE message SET type = NULL WHERE idx = 3", 3, "dan in het bericht zelf staat"),
    ("UPDATE message SET \"case\" = zeroblob(16) WHERE idx = 4", 4, "dan in het bericht zelf staat"),
    ("UPDATE message SET created = created + 1 WHERE idx = 4", 4, "dan in het bericht zelf staat"),
    ("UPDATE message SET expires = expires + 1 WHERE idx = 3", 3, "dan in het bericht zelf staat"),
    ("UPDATE message SET bytes = 1 WHERE idx = 18", 18, "dan in het bericht zelf staat"),
    (
        "UPDATE word SET text = text || 'x' WHERE num = (SELECT type FROM message WHERE idx = 1)",
        1,
        "zelf staat",
    ),
    ("UPDATE message SET consent = 2 WHERE idx = 18", 18, "op een andere toestemming"),
    ("UPDATE message SET subject_bsn = NULL", 1, "niet te vinden"),
    ("UPDATE message SET subject_bsn = NULL WHERE idx = 4", 4, "niet te vinden"),
    ("UPDATE message SET subject_place = zeroblob(8) WHERE idx = 4", 4, "niet te vinden"),
    (
        "UPDATE payload SET sealed = (SELECT sealed FROM payload WHERE idx = 3) WHERE idx = 4",
        4,
        "niet te openen",
    ),
    ("UPDATE payload SET sealed = zeroblob(90) WHERE idx IN (4, 18)", 4, "niet te openen"),
];

#[tokio::test]
async fn what_only_shows_when_it_is_opened_is_named() {
    let whole = Place::of_every_kind().await;
    for (statement, index, word) in CONTENTS {
        let place = whole.copy();
        place.tamper(statement).await;
        let closed = place.checked(true).await;
        assert!(matches!(closed, Verdict::Whole { .. }), "{statement}: {closed:?}");
        let verdict = place.checked(false).await;
        let (at, until, what) = found(&verdict);
        assert_eq!((at, until), (*index, None), "{statement}: {what}");
        assert!(what.contains(word), "{statement}: {what}");
    }
}

#[tokio::test]
async fn the_first_entry_whose_store_differs_is_named() {
    let whole = Place::of_every_kind().await;
    for closed in [false, true] {
        let verdict = whole.copy().checked(closed).await;
        assert!(matches!(verdict, Verdict::Whole { size: SIZE, .. }), "{verdict:?}");
    }
    for (statement, index, word) in RECORDS {
        let place = whole.copy();
        place.tamper(statement).await;
        let verdict = place.checked(true).await;
        assert!(matches!(verdict, Verdict::Broken { .. }), "{statement}: {verdict:?}");
        let (at, until, what) = found(&verdict);
        assert_eq!((at, until), (*index, None), "{statement}: {what}");
        assert!(what.contains(word), "{statement}: {what}");
        // Opening everything finds it too, or something before it.
        assert!(found(&place.checked(false).await).0 <= *index, "{statement}");
    }
}

/// What was put back after it was erased opens with no key.
#[tokio::test]
async fn what_was_erased_and_put_back_is_named() {
    let place = Place::of_every_kind().await;
    let put_back = "UPDATE message SET erased = NULL WHERE idx = 5; \
                    INSERT INTO payload SELECT 5, zeroblob(92), 1";
    place.tamper(put_back).await;
    let verdict = place.checked(false).await;
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
        let check = || Check { anchors: Vec::new(), closed: false };
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
        assert_eq!(found(&other.checked(true).await).0, 12);
        // And not of something later, while this is not proven.
        place.tamper("UPDATE log_leaf SET leaf = x'7b7d' WHERE idx = 20").await;
        assert_eq!(found(&place.checked(true).await).0, index);
    }
}

/// What was never accepted here is forgotten in time, and the log with its entries is whole.
#[tokio::test]
async fn what_was_forgotten_is_not_missed() {
    let place = Place::of_every_kind().await;
    let store = place.open().await;
    let proposed = propose(&store, 3, &[partner()]).await;
    assert!(store.forget_agreement(proposed).await.unwrap());
    store.close().await;
    let verdict = place.checked(false).await;
    assert!(matches!(verdict, Verdict::Whole { .. }), "{verdict:?}");
}

/// A consent that ran out is whole by the entry that says so, and only by one of that end or later.
#[tokio::test]
async fn a_consent_that_ran_out_has_an_entry_that_says_so() {
    let whole = Place::of_every_kind().await;
    let key = consent(THEIR_CONSENT).key(partner());
    let end: jiff::Timestamp = "2027-05-01T00:00:00Z".parse().unwrap();
    for (tijd, is_whole) in [(end, true), (end - jiff::SignedDuration::from_secs(1), false)] {
        let place = whole.copy();
        let store = place.open().await;
        let (houder, toestemming) = (key.holder, key.id);
        let gebeurtenis = ConsentHappening::Verlopen;
        let leaf =
            Entry::Toestemming { bewijs: None, gebeurtenis, houder, tijd, toestemming, uitkomst: None }
                .leaf();
        assert!(store.expire_consent(key, leaf, end).await.unwrap());
        store.close().await;
        let verdict = place.checked(true).await;
        if is_whole {
            assert!(matches!(verdict, Verdict::Whole { .. }), "{verdict:?}");
        } else {
            assert_eq!(found(&verdict).0, 18, "{verdict:?}");
        }
    }
}
