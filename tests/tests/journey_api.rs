//! Systems of two organisations, each with its own node: one hands over, the other reads, searches and answers, and whoever
//! looks at something is on record.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a journey that cannot go on has failed")]

use std::{
    fs,
    io::{BufRead as _, BufReader, Write as _},
    net::TcpListener,
    sync::Arc,
};

use exchange::clock::Clock as _;
use jiff::SignedDuration;
use node::system::SystemClock;
use rcgen::KeyPair;
use rustls::{
    ServerConfig, ServerConnection, StreamOwned,
    pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject as _},
};
use serde_json::{Value, json};
use tests::processes::{
    CORPORATION, MUNICIPALITY, Node, Place, Serving, agree,
    api::{Shown, System, Systems, address, client, jwks, signed, tokens, with_api},
    until,
};

const SIGNAL: &str = include_str!("../../schemas/fixtures/valid/signaal-betalingsachterstand/huur.json");

/// What a corporation hands over about a tenant.
fn signal() -> Value {
    serde_json::from_str(SIGNAL).unwrap()
}

fn offer(document: &Value) -> Value {
    json!({
        "aan": MUNICIPALITY, "doel": "vroegsignalering-huur", "soort": "signaal-betalingsachterstand",
        "document": document,
    })
}

/// A municipality and a corporation that agreed, and their systems.
struct World {
    place: Place,
    systems: Systems,
    municipality: (Node, Serving),
    corporation: (Node, Serving),
    landlord: Shown,
    other: Shown,
    operator: Shown,
    officer: Shown,
}

impl World {
    fn new() -> Self {
        let place = Place::new();
        let systems = Systems::new(place.path());
        let [landlord, other, operator, officer] =
            ["woonsysteem", "ander", "beheer", "fg"].map(|name| systems.certificate(name));
        let municipality = place.node("gemeente", MUNICIPALITY, "gemeente");
        fs::write(municipality.path("uitgever.json"), systems.jwks().to_string()).unwrap();
        let more = client("fg", &officer, &["privacy"]) + &tokens("uitgever.json");
        with_api(&municipality, &systems, &more);
        let corporation = place.node("corporatie", CORPORATION, "woningcorporatie");
        let more = client("woonsysteem", &landlord, &["bronsysteem"])
            + &client("ander", &other, &["bronsysteem"])
            + &client("beheer", &operator, &["beheer"]);
        with_api(&corporation, &systems, &more);
        let serving = [municipality.serve(), corporation.serve()];
        agree(&place, &municipality, &corporation);
        let [first, second] = serving;
        Self {
            place,
            systems,
            municipality: (municipality, first),
            corporation: (corporation, second),
            landlord,
            other,
            operator,
            officer,
        }
    }

    /// A system of the corporation.
    fn at_corporation(&self, shown: &Shown) -> System {
        System::new(&address(&self.corporation.1), &self.systems, Some(shown))
    }

    /// Somebody of the municipality with these roles, by a token.
    fn at_municipality(&self, person: &str, roles: &[&str]) -> System {
        let token = self.systems.token(&Systems::claims(Some(person), roles));
        System::new(&address(&self.municipality.1), &self.systems, None).bearing(&token)
    }

    /// Hands one signal over and waits until the municipality filed it; gives its identifier.
    fn hand_over(&self, key: &str) -> String {
        let system = self.at_corporation(&self.landlord).with("Idempotency-Key", key);
        let said = system.post("/v1/berichten", &json!({ "berichten": [offer(&signal())] })).expect(200);
        assert_eq!(said["berichten"][0]["uitkomst"], "in-wachtrij", "{said}");
        let id = said["berichten"][0]["bericht"].as_str().unwrap().to_owned();
        self.admitted(&id);
        id
    }

    fn admitted(&self, id: &str) {
        let system = self.at_corporation(&self.landlord);
        until("the message is filed", || {
            let row = system.get(&format!("/v1/berichten/{id}")).expect(200);
            (row["stand"] == "toegelaten").then_some(())
        });
    }
}

#[test]
fn a_source_hands_over_and_follows_what_is_its_own() {
    let world = World::new();
    let system = world.at_corporation(&world.landlord);
    let mut wrong = signal();
    wrong["inhoud"].as_object_mut().unwrap().remove("bedrag_in_centen");
    let mut elsewhere = offer(&signal());
    elsewhere["doel"] = "consultatie".into();
    let body = json!({ "berichten": [offer(&signal()), offer(&wrong), elsewhere, { "aan": "99", "doel": "x", "soort": "x", "document": {} }] });
    let keyed = system.with("Idempotency-Key", "export-0001");
    let first = keyed.post("/v1/berichten", &body);
    let said = first.expect(200);
    let outcomes: Vec<_> =
        said["berichten"].as_array().unwrap().iter().map(|one| one["uitkomst"].as_str().unwrap()).collect();
    assert_eq!(outcomes, ["in-wachtrij", "ongeldig", "geweigerd", "ongeldig"], "{said}");
    let fault = &said["berichten"][1]["fouten"][0];
    assert_eq!(fault["veld"], "/berichten/1/document/inhoud/bedrag_in_centen", "{fault}");
    assert_eq!(said["berichten"][3]["fouten"].as_array().unwrap().len(), 2, "{said}");

    // Once more gives the same, byte for byte, also after the node was killed; and nothing goes twice.
    assert_eq!(keyed.post("/v1/berichten", &body).body, first.body);
    let id = said["berichten"][0]["bericht"].as_str().unwrap();
    world.admitted(id);
    let World {
        corporation: (node, mut serving),
        municipality,
        systems,
        place,
        landlord,
        other,
        operator,
        ..
    } = world;
    serving.kill();
    let serving = node.serve();
    let at = |shown: &Shown| System::new(&address(&serving), &systems, Some(shown));
    let keyed = at(&landlord).with("Idempotency-Key", "export-0001");
    assert_eq!(keyed.post("/v1/berichten", &body).body, first.body);
    assert_eq!(node.mailbox("uit").0.len(), 1);
    let conflict = keyed.post("/v1/berichten", &json!({ "berichten": [offer(&signal())] })).expect(409);
    assert_eq!(conflict["type"], "urn:schakel:probleem:sleutel-al-gebruikt");

    // Another system has keys of its own, and does not see what it did not hand over.
    let stranger = at(&other);
    assert_eq!(stranger.get("/v1/berichten").expect(200)["berichten"], json!([]));
    stranger.get(&format!("/v1/berichten/{id}")).expect(404);
    let theirs = stranger.with("Idempotency-Key", "export-0001").post("/v1/berichten", &body).expect(200);
    assert_ne!(theirs["berichten"][0]["bericht"], said["berichten"][0]["bericht"]);
    let own = at(&landlord).get("/v1/berichten?richting=uit&type=signalen.betalingsachterstand").expect(200);
    let ids: Vec<_> = own["berichten"].as_array().unwrap().iter().map(|row| row["id"].clone()).collect();
    assert_eq!(ids, [id]);

    assert_one_decision_of_a_system(&node);

    // What cannot be delivered is found and sent again by who runs the node.
    let (away, stopped) = municipality;
    stopped.stop();
    let runs = at(&operator);
    let row = runs.get(&format!("/v1/berichten/{id}")).expect(200);
    let again = format!("/v1/berichten/{}/opnieuw", row["nummer"]);
    runs.connect().ask("POST", &again, &[], b"").expect(400);
    let on_duty = runs.because(Some("wachtdienst"), "beheer", "W-17");
    let refused = on_duty.connect().ask("POST", &again, &[], b"").expect(409);
    assert_eq!(refused["type"], "urn:schakel:probleem:niet-onbestelbaar");
    assert!(runs.get("/v1/partners").expect(200)["partners"][0]["wachtend"].is_u64());
    assert!(at(&landlord).get("/v1/partners").expect(200)["partners"][0].get("wachtend").is_none());
    drop((away, place));
    assert_clean(&serving.stop());
}

/// That the system of the landlord handed something over by itself is on record, once.
fn assert_one_decision_of_a_system(node: &Node) {
    let looks = node.json(&["raadplegingen", "--door", "woonsysteem"]);
    let looks = looks["raadplegingen"].as_array().unwrap();
    let [one] = looks.as_slice() else { panic!("{looks:?}") };
    assert_eq!((&one["soort"], &one["besluit"]), (&json!("systeem"), &json!("versturen")));
    assert_eq!(one["berichten"].as_array().unwrap().len(), 1, "{one}");
}

/// Nothing of a resident or a token stands in the program's log.
fn assert_clean(log: &str) {
    for secret in ["Brouwer", "Lindelaan", "4906AN", "eyJ", "Bearer"] {
        assert!(!log.contains(secret), "{log}");
    }
}

#[test]
fn an_employee_reads_searches_and_answers_and_that_is_on_record() {
    let world = World::new();
    let id = world.hand_over("signaal-0001");
    let employee = world.at_municipality("jdevries", &["medewerker"]);
    let inbox = employee.get("/v1/berichten?richting=in&stand=toegelaten&limiet=1").expect(200);
    let row = inbox["berichten"][0].clone();
    assert_eq!(row["id"], id);
    let content = format!("/v1/berichten/{id}/inhoud");
    // Without saying why nobody sees anything.
    let missing = employee.get(&content).expect(400);
    assert!(missing["detail"].as_str().unwrap().contains("Schakel-Reden"), "{missing}");
    let partly = employee.with("Schakel-Reden", "dossier").get(&content).expect(400);
    assert!(partly["detail"].as_str().unwrap().contains("Schakel-Kenmerk"), "{partly}");
    let numbered = employee.because(None, "dossier", "Z 999990342").get(&content).expect(400);
    assert!(numbered["detail"].as_str().unwrap().contains("BSN"), "{numbered}");
    let twice = employee.because(Some("iemand anders"), "dossier", "Z-1").get(&content).expect(400);
    assert!(twice["detail"].as_str().unwrap().contains("Schakel-Medewerker"), "{twice}");
    let allowed = employee.because(None, "dossier", "Z-2026-0412");
    let shown = allowed.get(&content).expect(200);
    assert_eq!(shown["inhoud"], signal());

    let person = json!({ "persoon": signal()["betrokkene"] });
    let found = allowed.post("/v1/zoekopdrachten", &person).expect(200);
    assert_eq!(found["berichten"].as_array().unwrap().len(), 1, "{found}");
    let bad = allowed.post("/v1/zoekopdrachten", &json!({ "persoon": { "bsn": "123456789" } })).expect(400);
    assert!(!bad.to_string().contains("123456789"), "{bad}");

    // The answer goes back in the same case.
    let feedback = json!({ "berichten": [{
        "aan": CORPORATION, "doel": "vroegsignalering-huur", "soort": "terugkoppeling", "dossier": row["dossier"],
        "document": {
            "grondslag": { "soort": "publieke-taak", "artikelen": ["Wgs art. 3 lid 1 onder b", "AVG art. 6 lid 1 onder e"] },
            "inhoud": { "bericht_id": id, "opgepakt_op": "2026-11-20" },
        },
    }] });
    let keyed = employee.with("Idempotency-Key", "antwoord-0001");
    keyed.post("/v1/berichten", &feedback).expect(400);
    let said = keyed.because(None, "dossier", "Z-2026-0412").post("/v1/berichten", &feedback).expect(200);
    assert_eq!(said["berichten"][0]["uitkomst"], "in-wachtrij", "{said}");
    until("the feedback arrives", || (world.corporation.0.mailbox("in").0.len() == 1).then_some(()));

    let officer = System::new(&address(&world.municipality.1), &world.systems, Some(&world.officer)).because(
        Some("FG"),
        "controle",
        "FG-17",
    );
    let looks = officer.get("/v1/raadplegingen?door=jdevries").expect(200);
    let looks: Vec<_> =
        looks["raadplegingen"].as_array().unwrap().iter().map(|one| one["wat"].clone()).collect();
    assert_eq!(looks, ["besluit", "zoeken", "inzien"]);
    let one = &officer.get("/v1/raadplegingen?door=jdevries&limiet=1").expect(200)["raadplegingen"][0];
    assert_eq!((&one["account"], &one["kenmerk"]), (&json!("zaaksysteem"), &json!("Z-2026-0412")));
    assert_eq!((&one["besluit"], one["berichten"].as_array().unwrap().len()), (&json!("versturen"), 1));
    let report =
        officer.post("/v1/inzageoverzichten", &json!({ "persoon": signal()["betrokkene"] })).expect(200);
    assert_eq!(report["overzicht"]["berichten"].as_array().unwrap().len(), 2, "the signal and its feedback");
    // Each role has its own: an officer opens no case, an employee no access log.
    officer.get(&content).expect(403);
    allowed.get("/v1/raadplegingen").expect(403);
    assert_clean(&world.municipality.1.stop());
}

#[test]
fn every_page_is_seen_once() {
    let world = World::new();
    let system = world.at_corporation(&world.landlord).with("Idempotency-Key", "veel-00001");
    let many: Vec<Value> = (0..23)
        .map(|number| {
            let mut document = signal();
            document["inhoud"]["bedrag_in_centen"] = json!(100_000 + number);
            offer(&document)
        })
        .collect();
    system.post("/v1/berichten", &json!({ "berichten": many })).expect(200);
    for (filters, reader) in
        [("richting=uit", &world.landlord), ("partner=00000099000000001000", &world.operator)]
    {
        let reader = world.at_corporation(reader);
        let (mut seen, mut cursor) = (Vec::new(), String::new());
        loop {
            let page = reader.get(&format!("/v1/berichten?{filters}&limiet=5{cursor}")).expect(200);
            seen.extend(
                page["berichten"].as_array().unwrap().iter().map(|row| row["nummer"].as_u64().unwrap()),
            );
            let Some(next) = page["volgende"].as_str() else { break };
            cursor = format!("&cursor={next}");
        }
        assert_eq!(seen.len(), 23);
        assert!(seen.is_sorted_by(|one, other| one > other), "the newest first, each once: {seen:?}");
        // A cursor belongs to its list.
        let page = reader.get("/v1/berichten?richting=uit&limiet=5").expect(200);
        let next = page["volgende"].as_str().unwrap();
        reader.get(&format!("/v1/berichten?richting=in&cursor={next}")).expect(400);
        reader.get("/v1/berichten?cursor=00").expect(400);
    }
}

#[test]
fn a_consent_is_recorded_extended_and_withdrawn() {
    let world = World::new();
    let now = SystemClock.now();
    let example = fs::read_to_string(world.municipality.0.path("toestemming.voorbeeld.json")).unwrap();
    let mut consent: Value = serde_json::from_str(&example).unwrap();
    consent["inhoud"]["verleend_op"] = json!(now);
    consent["inhoud"]["geldig_tot"] = json!(now + SignedDuration::from_hours(240));
    let employee = world.at_municipality("jdevries", &["medewerker"]);
    employee.post("/v1/toestemmingen", &consent).expect(400);
    let allowed = employee.because(None, "dossier", "Z-1");
    let made = allowed.post("/v1/toestemmingen", &consent);
    let given = made.expect(201);
    let path = format!("/v1/toestemmingen/{}", given["toestemming"].as_str().unwrap());
    assert_eq!(made.header("location"), Some(path.as_str()));
    consent["inhoud"]["id"] = given["toestemming"].clone();
    assert_eq!(allowed.post("/v1/toestemmingen", &consent).status, 409);
    consent["inhoud"]["verleend_aan"] = "niemand".into();
    let wrong = allowed.post("/v1/toestemmingen", &consent).expect(400);
    assert!(!wrong.to_string().contains("niemand"), "{wrong}");
    employee.get(&path).expect(400);
    employee.get("/v1/toestemmingen").expect(400);
    let shown = allowed.get(&path).expect(200);
    assert_eq!((&shown["stand"], shown["versies"].as_array().unwrap().len()), (&json!("geldig"), 1));
    assert_eq!(allowed.get("/v1/toestemmingen").expect(200)["toestemmingen"].as_array().unwrap().len(), 1);
    let until = (now + SignedDuration::from_hours(24 * 30)).to_zoned(jiff::tz::TimeZone::UTC).date();
    let longer = json!({ "tot": until, "wijze": "mondeling", "bewijs_soort": "gespreksverslag", "bewijs_kenmerk": "GV-17" });
    let extended = allowed.post(&format!("{path}/verlenging"), &longer).expect(200);
    assert_ne!(extended["geldig_tot"], given["geldig_tot"]);
    employee.post(&format!("{path}/intrekking"), &json!({})).expect(400);
    let withdrawn = allowed.post(&format!("{path}/intrekking"), &json!({})).expect(200);
    assert_eq!((&withdrawn["uitgevoerd"], &withdrawn["krijgen_bericht"]), (&json!(true), &json!([])));
    assert_eq!(allowed.get(&path).expect(200)["stand"], "ingetrokken");
    assert_eq!(allowed.post(&format!("{path}/verlenging"), &longer).status, 409);
    assert_eq!(allowed.post(&format!("{path}/intrekking"), &json!({})).expect(200)["uitgevoerd"], false);
    allowed.get("/v1/toestemmingen/7c9e6679-7425-40de-944b-e07fc1f90ae7").expect(404);
}

#[test]
fn a_document_is_checked_without_being_sent() {
    let world = World::new();
    let system = world.at_corporation(&world.landlord);
    let purposes = system.get("/v1/doelen").expect(200);
    assert!(purposes["doelen"].as_array().unwrap().len() > 3);
    assert_eq!(
        system.get("/v1/doelen/vroegsignalering-huur").expect(200)["inhoud"]["bewaartermijn_dagen"],
        183
    );
    system.get("/v1/doelen/niets").expect(404);
    let check = |asked: &Value| system.post("/v1/doelen/vroegsignalering-huur/toets", asked);
    let named = json!({ "type": "signalen.betalingsachterstand", "document": signal() });
    assert_eq!(check(&named).expect(200)["uitkomst"], "heel");
    let mut more = signal();
    more["betrokkene"]["bsn"] = "999990342".into();
    let said = check(&json!({ "type": "signalen.betalingsachterstand", "document": more })).expect(200);
    assert_eq!((&said["mag"], said.to_string().contains("999990342")), (&json!(false), false));
    check(&json!({ "type": "signalen.overlast", "document": signal() })).expect(400);
    assert!(!check(&json!({ "document": {} })).expect(400)["detail"].as_str().unwrap().is_empty());
    assert!(world.corporation.0.mailbox("uit").0.is_empty());
}

/// The keys of the issuer stand in a file that is replaced, and so does the certificate of the API.
#[test]
fn keys_and_certificates_are_taken_while_it_runs() {
    let world = World::new();
    let (node, serving) = &world.municipality;
    let plain = System::new(&address(serving), &world.systems, None);
    let (new_key, claims) =
        (KeyPair::generate().unwrap(), Systems::claims(Some("jdevries"), &["medewerker"]));
    let new = plain.bearing(&signed(&new_key, "sleutel-2", &claims));
    new.get("/v1/doelen").expect(401);
    fs::write(node.path("uitgever.json"), jwks(&new_key, "sleutel-2").to_string()).unwrap();
    until("the new key is known", || (new.get("/v1/doelen").status == 200).then_some(()));
    // Asking so often may have made the node ask for patience; it lets nobody in either way.
    let old = plain.bearing(&world.systems.token(&claims)).get("/v1/doelen").status;
    assert!([401, 429].contains(&old), "{old}");

    let before = plain.connect().certificate();
    let renewed = world.systems.certificate("api-nieuw");
    let own = world.place.path().join(format!("api-{MUNICIPALITY}"));
    fs::copy(&renewed.files.1, own.with_extension("sleutel.pem")).unwrap();
    fs::copy(&renewed.files.0, own.with_extension("pem")).unwrap();
    let after = until("the new certificate is shown", || {
        let shown = plain.connect().certificate();
        (shown != before).then_some(shown)
    });
    assert_eq!(after, renewed.certificate);
}

/// The keys come from a real server of the issuer; what it points to elsewhere is not followed.
#[test]
fn keys_come_over_https() {
    let place = Place::new();
    let systems = Systems::new(place.path());
    let own = systems.certificate("uitgever");
    let body = systems.jwks().to_string();
    let given =
        format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{body}", body.len());
    let elsewhere = "HTTP/1.1 302 Found\r\nLocation: https://127.0.0.1:1/\r\nContent-Length: 0\r\nConnection: close\r\n\r\n";
    for (answer, expected) in [(given.as_str(), 200), (elsewhere, 503)] {
        let issuer = serve(&own, answer.to_owned());
        let node = place.node(&format!("gemeente-{expected}"), MUNICIPALITY, "gemeente");
        let anchors = format!("vertrouwensankers = {:?}\n", systems.anchors());
        with_api(&node, &systems, &(tokens(&format!("https://{issuer}/jwks")) + &anchors));
        let serving = node.serve();
        let token = systems.token(&Systems::claims(None, &["beheer"]));
        let system = System::new(&address(&serving), &systems, None).bearing(&token);
        until("the issuer was asked", || {
            let status = system.get("/v1/partners").status;
            assert!([200, 429, 503].contains(&status), "{status}");
            (status == expected).then_some(())
        });
        assert_clean(&serving.stop());
    }
}

/// Answers every request over TLS with this; gives where.
fn serve(own: &Shown, answer: String) -> String {
    let chain = vec![CertificateDer::from_pem_file(&own.files.0).unwrap()];
    let key = PrivateKeyDer::from_pem_file(&own.files.1).unwrap();
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let builder =
        ServerConfig::builder_with_provider(provider).with_safe_default_protocol_versions().unwrap();
    let config = Arc::new(builder.with_no_client_auth().with_single_cert(chain, key).unwrap());
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap().to_string();
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let session = ServerConnection::new(config.clone()).unwrap();
            let mut reader = BufReader::new(StreamOwned::new(session, stream.unwrap()));
            let mut line = String::new();
            while reader.read_line(&mut line).unwrap_or(0) > 2 {
                line.clear();
            }
            let stream = reader.get_mut();
            let _ = stream.write_all(answer.as_bytes());
            stream.conn.send_close_notify();
            let _ = stream.flush();
        }
    });
    address
}
