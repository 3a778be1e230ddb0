//! The local API, badly treated: by who may not, by who says it is somebody else, with what cannot be read.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a journey that cannot go on has failed")]

use std::fs;

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use jsonwebtoken::{Algorithm, EncodingKey, Header, encode};
use rcgen::KeyPair;
use serde_json::{Value, json};
use tests::processes::{
    MUNICIPALITY, Node, Place, Serving,
    api::{Shown, System, Systems, address, client, signed, tokens, with_api},
};
use uuid::Uuid;

/// One node, with a client for every role and one that is known by its subject.
struct World {
    systems: Systems,
    node: Node,
    serving: Serving,
    source: Shown,
    stranger: Shown,
    _place: Place,
}

impl World {
    fn new() -> Self {
        let place = Place::new();
        let systems = Systems::new(place.path());
        let source = systems.certificate("bron");
        let stranger = systems.certificate("vreemd");
        let node = place.node("gemeente", MUNICIPALITY, "gemeente");
        fs::write(node.path("uitgever.json"), systems.jwks().to_string()).unwrap();
        let by_subject =
            "\n[[api.clienten]]\nnaam = \"op naam\"\nonderwerp = \"CN=op naam\"\nrollen = [\"beheer\"]\n";
        let more = client("bron", &source, &["bronsysteem"]) + by_subject + &tokens("uitgever.json");
        with_api(&node, &systems, &more);
        let serving = node.serve();
        Self { systems, node, serving, source, stranger, _place: place }
    }

    fn nobody(&self) -> System {
        System::new(&address(&self.serving), &self.systems, None)
    }

    fn showing(&self, shown: &Shown) -> System {
        System::new(&address(&self.serving), &self.systems, Some(shown))
    }

    fn bearing(&self, roles: &[&str]) -> System {
        self.nobody().bearing(&self.systems.token(&Systems::claims(Some("jdevries"), roles)))
    }
}

#[test]
fn who_is_not_known_learns_nothing() {
    let world = World::new();
    let nobody = world.nobody();
    let refused = nobody.get("/v1/berichten");
    assert_eq!(refused.header("www-authenticate"), Some("Bearer realm=\"schakel\""));
    let said = refused.expect(401);
    // Whatever one tries, the answer is the same.
    let with_changes = |changes: &[(&str, Value)]| {
        let mut claims = Systems::claims(Some("jdevries"), &["medewerker", "beheer"]);
        for (name, value) in changes {
            claims[*name] = value.clone();
        }
        claims
    };
    let good = with_changes(&[]);
    let token = world.systems.token(&good);
    let parts: Vec<&str> = token.split('.').collect();
    let part = |text: &str| URL_SAFE_NO_PAD.encode(text);
    let public = world.systems.jwks()["keys"][0].to_string();
    let confused = Header { kid: Some("sleutel-1".to_owned()), ..Header::new(Algorithm::HS256) };
    let elsewhere = KeyPair::generate().unwrap();
    let bad = [
        world.systems.token(&with_changes(&[("iss", json!("https://elders.test"))])),
        world.systems.token(&with_changes(&[("aud", json!("ander"))])),
        world.systems.token(&with_changes(&[("exp", json!(1_700_000_000))])),
        world.systems.token(&with_changes(&[("nbf", json!(4_000_000_000_u64))])),
        format!("{}.{}.", part(r#"{"alg":"none","typ":"JWT"}"#), parts[1]),
        format!("{}.{}.{}", part(r#"{"alg":"none","kid":"sleutel-1"}"#), parts[1], parts[2]),
        encode(&confused, &good, &EncodingKey::from_secret(public.as_bytes()).unwrap()).unwrap(),
        signed(&elsewhere, "sleutel-1", &good),
        signed(&elsewhere, "sleutel-9", &good),
        "geen.token".to_owned(),
    ];
    for token in &bad {
        assert_eq!(nobody.bearing(token).get("/v1/berichten").expect(401), said, "{token}");
    }
    assert_eq!(nobody.with("Authorization", "Basic YTpi").get("/v1/berichten").expect(401), said);
    assert_eq!(nobody.bearing(&token).bearing(&token).get("/v1/berichten").expect(401), said);
    assert_eq!(world.showing(&world.stranger).get("/v1/berichten").expect(401), said);
    // A certificate helps nobody who also shows a token that is not believed.
    assert_eq!(world.showing(&world.source).bearing(&bad[0]).get("/v1/berichten").expect(401), said);
    // The same name under another authority is another.
    let folder = tempfile::tempdir().unwrap();
    let impostor = Systems::new(folder.path()).certificate("op naam");
    assert_eq!(world.showing(&impostor).get("/v1/partners").expect(401), said);
    world.showing(&world.systems.certificate("op naam")).get("/v1/partners").expect(200);
    nobody.bearing(&token).get("/v1/partners").expect(200);
    // Everybody may know that it is there, and nothing else.
    assert_eq!(nobody.get("/v1/gezondheid").expect(200), json!({ "status": "goed" }));
    assert_eq!(nobody.get("/v1/openapi.json").expect(200)["openapi"], "3.1.0");
    let log = world.serving.stop();
    assert!(!log.contains(&token) && !log.contains("jdevries"), "{log}");
}

#[test]
fn who_guesses_is_slowed_down() {
    let world = World::new();
    let nobody = world.nobody();
    let mut kept = nobody.connect();
    let refused = (0..300).map(|_| kept.get("/v1/partners")).find(|answered| answered.status == 429).unwrap();
    assert!(refused.header("retry-after").unwrap().parse::<u64>().unwrap() >= 1);
    // Who is known goes on.
    world.showing(&world.source).get("/v1/partners").expect(200);
}

#[test]
fn every_role_has_its_own() {
    let world = World::new();
    let id = Uuid::nil();
    let content = format!("/v1/berichten/{id}/inhoud");
    for (path, allowed) in [
        (content.as_str(), &["medewerker"][..]),
        ("/v1/raadplegingen", &["privacy"]),
        ("/v1/toestemmingen", &["medewerker", "privacy"]),
        ("/v1/partners", &["bronsysteem", "medewerker", "privacy", "beheer"]),
    ] {
        for role in ["bronsysteem", "medewerker", "privacy", "beheer", "iets-anders"] {
            let answered = world.bearing(&[role]).because(None, "dossier", "Z-1").get(path);
            assert_eq!(answered.status != 403, allowed.contains(&role), "{role}: {path}");
        }
    }
    for (path, allowed) in [
        ("/v1/berichten", &["bronsysteem", "medewerker"][..]),
        ("/v1/zoekopdrachten", &["medewerker", "privacy"]),
        ("/v1/inzageoverzichten", &["privacy"]),
        ("/v1/doelen/x/toets", &["bronsysteem", "medewerker", "privacy"]),
        (&format!("/v1/berichten/{id}/opnieuw"), &["beheer"]),
        (&format!("/v1/toestemmingen/{id}/intrekking"), &["medewerker", "privacy"]),
    ] {
        for role in ["bronsysteem", "medewerker", "privacy", "beheer"] {
            let answered = world.bearing(&[role]).post(path, &json!({}));
            assert_eq!(answered.status != 403, allowed.contains(&role), "{role}: {path}");
        }
    }
    // A foreign case is not there, for whoever asks.
    for role in ["bronsysteem", "medewerker", "beheer"] {
        world.bearing(&[role]).get(&format!("/v1/berichten/{id}")).expect(404);
        world.bearing(&[role]).get("/v1/berichten/999999").expect(404);
    }
}

#[test]
fn what_cannot_be_asked_is_refused_with_what_can() {
    let world = World::new();
    let system = world.bearing(&["medewerker", "privacy"]).because(None, "dossier", "Z-1");
    for path in [
        "/v1/berichten?limiet=201",
        "/v1/berichten?limiet=0",
        "/v1/berichten?limiet=-1",
        "/v1/berichten?limiet=99999999999999999999",
        "/v1/berichten?limiet=5&limiet=6",
        "/v1/berichten?bsn=999990342",
        "/v1/berichten?richting=op",
        "/v1/berichten?stand=weg",
        "/v1/berichten?partner=99",
        "/v1/berichten?dossier=1",
        "/v1/berichten?type=iets",
        "/v1/berichten?sinds=gisteren",
        "/v1/berichten?cursor=",
        "/v1/berichten?cursor=zz",
        "/v1/berichten?cursor=6162636465666768",
        "/v1/raadplegingen?tot=9999-12-31",
        "/v1/raadplegingen?persoon=999990342",
        "/v1/toestemmingen?houder=x",
        "/v1/partners?x=1",
    ] {
        let said = system.get(path).expect(400);
        assert!(!said.to_string().contains("999990342"), "{said}");
    }
    system.get("/v1/berichten/geen-id").expect(404);
    system.get("/v1/niets").expect(404);
    system.get("/v1/berichten/").expect(404);
    for method in ["PUT", "DELETE", "PATCH"] {
        let refused = system.connect().ask(method, "/v1/berichten", &[], b"");
        refused.expect(405);
        let allowed = refused.header("allow").unwrap();
        assert!(allowed.contains("GET") && allowed.contains("POST"), "{allowed}");
    }
    system.get("/v1/berichten/%ff").expect(404);
    let preflight = [("Origin", "https://elders.test"), ("Access-Control-Request-Method", "GET")];
    system.connect().ask("OPTIONS", "/v1/berichten", &preflight, b"").expect(405);
}

#[test]
fn what_cannot_be_read_is_refused() {
    let world = World::new();
    let system = world.showing(&world.source);
    let json = ("Content-Type", "application/json");
    let keyed = |key: &str, headers: &[(&str, &str)], body: &[u8]| {
        let headers = [headers, &[("Idempotency-Key", key)]].concat();
        system.connect().ask("POST", "/v1/berichten", &headers, body)
    };
    let good = json!({ "berichten": [{ "aan": MUNICIPALITY, "doel": "consultatie", "soort": "consultatie-gevraagd", "document": {} }] });
    let text = good.to_string();
    system.connect().ask("POST", "/v1/berichten", &[json], text.as_bytes()).expect(400);
    for key in ["kort", "met een spatie", "\u{e9}\u{e9}\u{e9}\u{e9}\u{e9}\u{e9}\u{e9}\u{e9}"] {
        keyed(key, &[json], text.as_bytes()).expect(400);
    }
    for headers in [&[][..], &[("Content-Type", "text/plain")], &[json, ("Content-Encoding", "gzip")]] {
        keyed("sleutel-1", headers, text.as_bytes()).expect(415);
    }
    let deep = format!("{{\"berichten\":{}{}}}", "[".repeat(100_000), "]".repeat(100_000));
    let deeper = text.replace("{}", &format!("{}{}", "{\"a\":".repeat(5_000) + "1", "}".repeat(5_000)));
    let many = json!({ "berichten": vec![good["berichten"][0].clone(); 257] }).to_string();
    for body in [
        "",
        "null",
        "[]",
        "{",
        "{}",
        r#"{"berichten":[]}"#,
        r#"{"berichten":[{}]}"#,
        "\u{feff}{}",
        &deep,
        &many,
    ] {
        keyed("sleutel-2", &[json], body.as_bytes()).expect(400);
    }
    let unknown = text.replace("\"doel\"", "\"doelwit\"");
    let said = keyed("sleutel-2", &[json], unknown.as_bytes()).expect(400);
    assert!(said["detail"].as_str().unwrap().contains("Wel kan"), "{said}");
    // By its schema, with the place of what is wrong and nothing of what was sent.
    let said = keyed("sleutel-2", &[json], text.as_bytes()).expect(400);
    assert!(said["fouten"][0]["veld"].as_str().unwrap().starts_with("/berichten/0/document"), "{said}");
    assert!(
        keyed("sleutel-2", &[json], deeper.as_bytes()).expect(400)["fouten"][0]["probleem"]
            .as_str()
            .unwrap()
            .contains("diep")
    );
    keyed("sleutel-2", &[json], &vec![b' '; (4 << 20) + 1]).expect(413);
    // Of what was refused nothing is remembered: the key is still free.
    assert!(world.node.mailbox("uit").0.is_empty());
}

/// Who sends a head and then waits is told so, and holds up nobody.
#[test]
fn a_slow_body_is_given_up() {
    let world = World::new();
    let system = world.showing(&world.source);
    let mut slow = system.connect();
    let head = "POST /v1/berichten HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nIdempotency-Key: sleutel-1\r\nContent-Length: 100\r\n\r\n{";
    slow.send(head.as_bytes());
    world.showing(&world.source).get("/v1/partners").expect(200);
    let answered = slow.answer();
    assert_eq!(answered.expect(408)["type"], "urn:schakel:probleem:te-traag");
}

/// The operator hears on which line what is wrong, and the node does not start.
#[test]
fn a_mistake_in_the_configuration_stops_the_start() {
    let place = Place::new();
    let systems = Systems::new(place.path());
    let shown = systems.certificate("bron");
    let node = place.node("gemeente", MUNICIPALITY, "gemeente");
    let plain = fs::read_to_string(node.path("schakel.toml")).unwrap();
    let good = client("bron", &shown, &["bronsysteem"]);
    for (more, expected) in [
        (String::new(), "laat zo niemand toe"),
        (good.replace("bronsysteem", "baas"), "bronsysteem, medewerker, privacy, beheer"),
        (good.replace("[\"bronsysteem\"]", "[]"), "geen rollen"),
        (good.replace("sha256:", "sha256:00"), "geen SHA-256"),
        (good.replace("vingerafdruk", "vinger"), "de sleutel `vinger` bestaat niet"),
        (format!("{good}{good}"), "hetzelfde certificaat"),
        (tokens("http://127.0.0.1:1/jwks"), "https://"),
        (tokens("weg.json"), "geen JWKS"),
    ] {
        fs::write(node.path("schakel.toml"), &plain).unwrap();
        with_api(&node, &systems, &more);
        let refused = node.cli(&["serve"]).refused();
        assert!(refused.contains(expected), "{refused}");
    }
}
