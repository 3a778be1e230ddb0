//! What a partner, a stranger or a broken program can send: each has its own outcome, and everything that was refused
//! is in the log, with a receipt that proves it.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a journey that cannot go on has failed")]
#![allow(clippy::print_stderr, reason = "what a journey measured is read in its output")]

use std::time::Duration;

use exchange::{clock::Clock as _, digest::Digest, entry::Outcome, signature::Signer as _};
use jiff::SignedDuration;
use node::{
    delivery::{JWS_LINES, OUTCOMES},
    system::SystemClock,
};
use serde_json::{Value, json};
use tests::processes::{
    Letter, MUNICIPALITY, Node, PATIENCE, Papers, Peer, Place, Serving, Stopwatch, eventually, forged,
    proposal,
};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
};
use transport::{CertificateProblem, LinkError, Request, Response, Side};

struct Scene {
    place: Place,
    node: Node,
    serving: Serving,
    peer: Peer,
}

/// A municipality that knows one partner.
async fn scene() -> Scene {
    let place = Place::new();
    let (node, serving) = place.serving("gemeente", MUNICIPALITY, "gemeente");
    let peer = Peer::new(&place, &node, 3);
    let file = place.file("partner.jws", peer.descriptor().as_bytes());
    node.cli(&["partner", "toevoegen", file.to_str().unwrap()]).expect(0);
    let scene = Scene { place, node, serving, peer };
    eventually("the node knows its partner", async || scene.peer.log_size().await).await;
    scene
}

impl Scene {
    fn agreement(&self) -> Value {
        proposal(&self.node.json(&["convenant", "partij"]), &self.peer.party())
    }

    /// The digest of an agreement that both signed.
    async fn agreed(&self) -> String {
        let text = self.agreement();
        self.peer.propose(&self.node, &text).await;
        let digest = self.node.json(&["convenant", "tonen"])["convenanten"][0]["convenant"].clone();
        let digest = digest.as_str().unwrap().to_owned();
        // The partner has no node to bring the answer to.
        self.node.cli(&["convenant", "aanvaarden", &digest]).expect(1);
        eventually("the running node knows its own answer", async || {
            (self.peer.propose(&self.node, &text).await.len() == 2).then_some(())
        })
        .await;
        digest
    }

    /// The reasons of what was refused, oldest first.
    fn refused(&self) -> Vec<String> {
        let answer =
            self.node.json(&["berichten", "--richting", "in", "--stand", "geweigerd", "--aantal", "500"]);
        let rows = answer["berichten"].as_array().unwrap();
        rows.iter().rev().map(|row| row["reden"].as_str().unwrap().to_owned()).collect()
    }

    /// The node is as well as ever, and its log says nothing about anybody.
    async fn well(self) -> String {
        assert!(self.peer.log_size().await.is_some());
        self.node.verified_log();
        let log = self.serving.stop();
        // What the lines say, and not when: the digits of a moment can be anything.
        let said: Vec<&str> =
            log.lines().map(|line| line.split_once("Z ").map_or(line, |line| line.1)).collect();
        let said = said.join("\n");
        for personal in ["Brouwer", "Lindelaan", "4906AN", "1974-01-20", "50884"] {
            assert!(!said.contains(personal), "`{personal}` in the log:\n{said}");
        }
        log
    }
}

fn problem(response: &Response, status: u16, code: &str) {
    let body = String::from_utf8_lossy(&response.body);
    assert_eq!(response.status, status, "{body}");
    assert_eq!(response.content_type.as_deref(), Some("application/problem+json"), "{body}");
    let document: Value = serde_json::from_str(&body).unwrap();
    assert_eq!(document["type"], format!("urn:schakel:probleem:{code}"), "{body}");
    assert_eq!(document["status"], status);
    assert!(
        !document["title"].as_str().unwrap().is_empty() && !document["detail"].as_str().unwrap().is_empty()
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn strangers_get_no_further_than_the_door() {
    let scene = scene().await;
    let (place, node) = (&scene.place, &scene.node);
    let hello = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
    for papers in [None, Some(Papers::Foreign), Some(Papers::Expired), Some(Papers::Nameless)] {
        let answer = Peer::whisper(place, node, papers, hello).await;
        assert!(answer.is_err(), "{papers:?}: {answer:?}");
    }
    for (papers, expected) in
        [(Papers::Foreign, CertificateProblem::UnknownIssuer), (Papers::Expired, CertificateProblem::Expired)]
    {
        let stranger = Peer::with_papers(place, node, 3, papers);
        let error = stranger.ask(Request::get("/v1/knooppunt")).await.unwrap_err();
        let LinkError::Tls { side: Side::Own, problem, .. } = &error else { panic!("{papers:?}: {error}") };
        assert_eq!(*problem, expected);
    }
    let log = scene.well().await;
    assert!(log.contains("handshake failed"), "{log}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn garbage_on_the_line_disturbs_nobody() {
    let scene = scene().await;
    let noise: Vec<u8> =
        (0..200_000_u32).map(|i| (i.wrapping_mul(2_654_435_761) >> 11).to_le_bytes()[0]).collect();
    let silent = TcpStream::connect(&scene.node.address).await.unwrap();
    for bytes in [&noise[..], b"GET / HTTP/1.1\r\nHost: x\r\n\r\n", b"\x16\x03\x01", b""] {
        let mut stream = TcpStream::connect(&scene.node.address).await.unwrap();
        // The node may have hung up halfway.
        let _ = stream.write_all(bytes).await;
        let _ = stream.shutdown().await;
        let mut answer = Vec::new();
        let read = tokio::time::timeout(PATIENCE, stream.read_to_end(&mut answer)).await;
        assert!(read.is_ok(), "the node holds on to garbage");
    }
    // And behind a good certificate.
    let mut frames = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".to_vec();
    frames.extend_from_slice(&noise);
    for bytes in [&noise[..], &frames, b"GET / HTTP/1.1\r\nHost: x\r\n\r\n"] {
        let whisper = Peer::whisper(&scene.place, &scene.node, Some(Papers::Good), bytes);
        assert!(tokio::time::timeout(PATIENCE, whisper).await.is_ok(), "the node holds on to garbage");
    }
    drop(silent);
    scene.well().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_is_no_partner_learns_only_who_this_is() {
    let scene = scene().await;
    let unknown = Peer::new(&scene.place, &scene.node, 5);
    let before = scene.peer.log_size().await;
    let response = unknown.ask(Request::get("/v1/knooppunt")).await.unwrap();
    assert_eq!(response.status, 200);
    let said = std::str::from_utf8(&response.body).unwrap();
    assert_eq!(exchange::descriptor::Descriptor::verify(said).unwrap().oin.as_str(), MUNICIPALITY);
    let message =
        Letter::new(&unknown, MUNICIPALITY, &exchange::digest::Digest::of(b"").to_string()).signed(&unknown);
    problem(&unknown.deliver(message).await, 403, "partner-onbekend");
    for request in [
        Request::get("/v1/logboek/checkpoint"),
        Request::get("/v1/bestaat-niet"),
        Request::post("/v1/convenanten", "application/json", "{}"),
        Request::post("/v1/aanwezig", "application/json", ""),
    ] {
        problem(&unknown.ask(request).await.unwrap(), 403, "partner-onbekend");
    }
    assert_eq!(scene.peer.log_size().await, before, "nothing of it was logged");
    assert!(scene.node.mailbox("in").0.is_empty());
    scene.well().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_request_that_cannot_be_read_gets_a_problem_document() {
    let scene = scene().await;
    let peer = &scene.peer;
    let before = peer.log_size().await;
    let line = "a.b.c";
    for (body, status, code) in [
        (Vec::new(), 400, "onleesbaar"),
        (b"\n".to_vec(), 400, "onleesbaar"),
        (format!("{line}\n\n{line}\n").into_bytes(), 400, "onleesbaar"),
        (vec![0xff, 0xfe, 0x00], 400, "onleesbaar"),
        (vec![line; 257].join("\n").into_bytes(), 413, "te-groot"),
    ] {
        problem(&peer.deliver(body).await, status, code);
    }
    let large = peer.deliver(vec![b'a'; 4 * 1024 * 1024 + 1]).await;
    assert_eq!(large.status, 413);
    for content_type in ["application/json", "text/plain", "application/vnd.schakel.jws-lines; charset=utf-8"]
    {
        let response = peer.ask(Request::post("/v1/berichten", content_type, line)).await.unwrap();
        problem(&response, 415, "mediatype-onbekend");
    }
    let bare = Request { content_type: None, ..Request::post("/v1/berichten", "", line) };
    problem(&peer.ask(bare).await.unwrap(), 415, "mediatype-onbekend");
    for request in [
        Request::get("/v1/berichten"),
        Request::post("/v1/berichten/", JWS_LINES, line),
        Request::get("/"),
        Request::get("/v1/logboek/"),
        Request::get("/v1/../etc/passwd"),
    ] {
        problem(&peer.ask(request).await.unwrap(), 404, "adres-onbekend");
    }
    for (id, query) in [
        ("", String::new()),
        ("x", format!("bericht={}", Digest::of(b"x"))),
        ("0192f0c0-0000-7000-8000-000000000000", String::new()),
        ("0192f0c0-0000-7000-8000-000000000000", "bericht=sha256:00".into()),
    ] {
        let question = Request::get(format!("{OUTCOMES}{id}")).with_query(query);
        problem(&peer.ask(question).await.unwrap(), 400, "onleesbaar");
    }
    let size = before.unwrap();
    for (path, query) in [
        ("consistentie", String::new()),
        ("consistentie", "van=x&tot=1".into()),
        ("bewijs", format!("index={size}&grootte={size}")),
        ("bewijs", "index=0&grootte=99999999999".into()),
        ("bewijs", "index=18446744073709551616&grootte=1".into()),
        ("consistentie", format!("van={size}&tot=0")),
    ] {
        let response =
            peer.ask(Request::get(format!("/v1/logboek/{path}")).with_query(&query)).await.unwrap();
        assert_eq!(response.status, 400, "{path}?{query}: {}", String::from_utf8_lossy(&response.body));
    }
    for body in ["", "{}", "[]", "{\"convenant\":{},\"doelen\":[],\"antwoorden\":[]}"] {
        let response = peer.ask(Request::post("/v1/convenanten", "application/json", body)).await.unwrap();
        problem(&response, 400, "convenant-niet-aangenomen");
    }
    assert_eq!(peer.log_size().await, before, "nothing of it was logged");
    scene.well().await;
}

/// What it is, the message, and the reason it is refused for.
type Wrong = (&'static str, String, &'static str);

/// Every message that can be read as a line but is not right. Each has an identifier of its own: one that was refused
/// by the rules is taken.
fn wrong_messages(peer: &Peer, agreement: &str) -> Vec<Wrong> {
    let good = || Letter::new(peer, MUNICIPALITY, agreement);
    [
        wrong_signatures(peer, &good),
        wrong_forms(peer, &good),
        wrong_by_the_rules(peer, &good),
        wrong_times(peer, &good),
    ]
    .concat()
}

fn wrong_signatures(peer: &Peer, good: &dyn Fn() -> Letter) -> Vec<Wrong> {
    let under = |extra: Value| {
        let mut header =
            json!({ "alg": "EdDSA", "typ": "schakel-bericht+jws", "kid": peer.signer.public_key().kid() });
        header.as_object_mut().unwrap().extend(extra.as_object().unwrap().clone());
        good().signed_under(&header, peer)
    };
    let signed = good().signed(peer);
    let [head, payload, signature] = signed.split('.').collect::<Vec<_>>().try_into().unwrap();
    let other = good().with("/data/inhoud/bedrag_in_centen", json!(1)).signed(peer);
    let other_payload = other.split('.').nth(1).unwrap();
    let stranger = exchange::signature::Ed25519Signer::from_seed(&[99; 32]);
    let by_stranger = exchange::jws::sign("schakel-bericht+jws", good().0.to_string().as_bytes(), &stranger);
    vec![
        (
            "another payload under the signature",
            format!("{head}.{other_payload}.{signature}"),
            "handtekening-ongeldig",
        ),
        ("no signature", format!("{head}.{payload}."), "handtekening-ongeldig"),
        ("the first half", signed[..signed.len() / 2].to_owned(), "handtekening-ongeldig"),
        ("alg none", unsigned(&good()), "handtekening-ongeldig"),
        ("alg none, signed", under(json!({ "alg": "none" })), "handtekening-ongeldig"),
        ("alg HS256", under(json!({ "alg": "HS256" })), "handtekening-ongeldig"),
        ("unknown crit", under(json!({ "crit": ["exp"], "exp": 1 })), "handtekening-ongeldig"),
        ("another typ", under(json!({ "typ": "schakel-convenant+jws" })), "handtekening-ongeldig"),
        ("another kid", under(json!({ "kid": "x" })), "handtekening-ongeldig"),
        ("a key outside the agreement", by_stranger, "handtekening-ongeldig"),
        ("not a JWS", "hallo".into(), "handtekening-ongeldig"),
        ("a line of 100 KiB", "a".repeat(100 * 1024), "handtekening-ongeldig"),
    ]
}

fn wrong_forms(peer: &Peer, good: &dyn Fn() -> Letter) -> Vec<Wrong> {
    let s = |letter: Letter| letter.signed(peer);
    let header =
        json!({ "alg": "EdDSA", "typ": "schakel-bericht+jws", "kid": peer.signer.public_key().kid() });
    let basis = "/data/grondslag/voorwaarden/persoonlijk-contact";
    vec![
        ("a payload that is no JSON", forged(&header, b"{", &peer.signer), "schema-ongeldig"),
        ("a message over 64 KiB", s(good().with("/loket", json!("x".repeat(66 * 1024)))), "schema-ongeldig"),
        ("an unknown attribute", s(good().with("/extra", json!("x"))), "schema-ongeldig"),
        ("no time", s(good().without("/time")), "schema-ongeldig"),
        ("an unknown type", s(good().with("/type", json!("nl.sociaaldomein.iets.v1"))), "schema-ongeldig"),
        (
            "another schema",
            s(good().with("/dataschema", json!("urn:schakel:schema:terugkoppeling:1"))),
            "schema-ongeldig",
        ),
        ("a field too many", s(good().with("/data/inhoud/opmerking", json!("ziek"))), "schema-ongeldig"),
        ("a field too few", s(good().without("/data/betrokkene")), "schema-ongeldig"),
        ("a precondition that was left out", s(good().without(basis)), "schema-ongeldig"),
    ]
}

fn wrong_by_the_rules(peer: &Peer, good: &dyn Fn() -> Letter) -> Vec<Wrong> {
    let s = |letter: Letter| letter.signed(peer);
    let basis = "/data/grondslag/voorwaarden/persoonlijk-contact";
    vec![
        (
            "another sender",
            s(good().with("/source", json!("urn:nld:oin:00000099000000005000:systeem:schakel"))),
            "afzender-onjuist",
        ),
        (
            "another receiver",
            s(good().with("/ontvanger", json!("00000099000000005000"))),
            "niet-geadresseerd",
        ),
        (
            "an unknown agreement",
            s(good().with("/convenant", json!(exchange::digest::Digest::of(b"x")))),
            "convenant-onbekend",
        ),
        ("an unknown purpose", s(good().with("/doel", json!("nieuwsgierigheid"))), "doel-niet-toegestaan"),
        (
            "another purpose",
            s(good().with("/doel", json!("vroegsignalering-energie"))),
            "doel-niet-toegestaan",
        ),
        (
            "another basis",
            s(good().with("/data/grondslag/soort", json!("publieke-taak"))),
            "grondslag-ontbreekt",
        ),
        ("a precondition that was not met", s(good().with(basis, json!(false))), "voorwaarde-niet-vervuld"),
        (
            "a citizen service number",
            s(good().with("/data/betrokkene/bsn", json!("999993653"))),
            "gegevens-niet-toegestaan",
        ),
    ]
}

fn wrong_times(peer: &Peer, good: &dyn Fn() -> Letter) -> Vec<Wrong> {
    let s = |letter: Letter| letter.signed(peer);
    let (now, day) = (SystemClock.now(), SignedDuration::from_hours(24));
    vec![
        ("expired", s(good().at(peer, now - day * 2, now - day)), "verlopen"),
        (
            "a clock that runs ten minutes ahead",
            s(good().at(peer, now + SignedDuration::from_mins(10), now + day)),
            "tijd-onjuist",
        ),
        (
            "an identifier of another day",
            s(good().with("/id", json!(peer.new_id(now - day)))),
            "tijd-onjuist",
        ),
        ("longer than a message may live", s(good().at(peer, now, now + day * 100)), "tijd-onjuist"),
        ("expired before it was made", s(good().at(peer, now, now - day)), "tijd-onjuist"),
    ]
}

fn unsigned(letter: &Letter) -> String {
    struct Nobody(exchange::signature::PublicKey);
    impl exchange::signature::Signer for Nobody {
        fn public_key(&self) -> &exchange::signature::PublicKey {
            &self.0
        }
        fn sign(&self, _: &[u8]) -> Vec<u8> {
            Vec::new()
        }
    }
    let key = exchange::signature::Ed25519Signer::from_seed(&[1; 32]).public_key().clone();
    forged(
        &json!({ "alg": "none", "typ": "schakel-bericht+jws", "kid": key.kid() }),
        letter.0.to_string().as_bytes(),
        &Nobody(key),
    )
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_wrong_message_is_refused_for_its_own_reason_and_logged() {
    let scene = scene().await;
    let peer = &scene.peer;
    let agreement = scene.agreed().await;
    let before = peer.log_size().await.unwrap();
    let good = Letter::new(peer, MUNICIPALITY, &agreement).signed(peer);
    assert_eq!(peer.receipt(&good).await.said.uitkomst, Outcome::Toegelaten);

    let wrong = wrong_messages(peer, &agreement);
    let mut expected = Vec::new();
    for (what, message, reason) in &wrong {
        let logged = peer.receipt(message).await;
        assert_eq!(logged.reason(), Some(*reason), "{what}: {logged:?}");
        assert!(!logged.known, "{what}");
        expected.push((*reason).to_owned());
    }
    assert_eq!(scene.refused(), expected);
    let size = peer.log_size().await.unwrap();
    assert_eq!(size, before + 1 + wrong.len() as u64);

    // All of it in one delivery, with a good one among it: each gets its own outcome.
    let another = Letter::new(peer, MUNICIPALITY, &agreement).signed(peer);
    let mut batch: Vec<&str> = wrong.iter().take(11).map(|(_, message, _)| message.as_str()).collect();
    batch.insert(5, &another);
    let logged = peer.receipted(&batch).await;
    for (position, one) in logged.iter().enumerate() {
        assert_eq!(one.said.uitkomst == Outcome::Toegelaten, position == 5, "{one:?}");
    }
    // A partner's node that takes the good message for granted finds it in the log.
    let query = format!("index={}&grootte={}", logged[5].index, logged[11].index + 1);
    let response = peer.ask(Request::get("/v1/logboek/bewijs").with_query(query)).await.unwrap();
    assert_eq!(response.status, 200);
    assert_eq!(scene.node.mailbox("in").states()["toegelaten"], 2);
    scene.well().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_message_twice_is_one_message_and_another_under_its_name_is_none() {
    let mut scene = scene().await;
    let agreement = scene.agreed().await;
    let peer = &scene.peer;
    let letter = Letter::new(peer, MUNICIPALITY, &agreement);
    let (first, refused) = (letter.signed(peer), letter.clone().with("/doel", json!("nieuwsgierigheid")));
    let refused =
        refused.at(peer, SystemClock.now(), SystemClock.now() + SignedDuration::from_hours(1)).signed(peer);
    let filed = peer.receipt(&first).await;
    let held = peer.receipt(&refused).await;
    assert_eq!((filed.reason(), held.reason()), (None, Some("doel-niet-toegestaan")));

    // The same bytes: the same outcome, pointing at the same entry. Also twice in one delivery, and after a restart.
    for restart in [false, true] {
        if restart {
            scene.serving.kill();
            scene.serving = scene.node.serve();
        }
        let again = scene.peer.receipted(&[&first, &refused, &first]).await;
        for (one, earlier) in again.iter().zip([&filed, &held, &filed]) {
            assert!(one.known, "{one:?}");
            assert_eq!((one.index, one.reason()), (earlier.index, earlier.reason()));
        }
    }
    let peer = &scene.peer;
    let fresh = Letter::new(peer, MUNICIPALITY, &agreement).signed(peer);
    assert!(peer.outcome(&fresh).await.is_none(), "what did not arrive is not there");
    let twice = peer.receipted(&[&fresh, &fresh]).await;
    assert_eq!(twice[0].index, twice[1].index, "{twice:?}");

    // The same identifier with other content, signed by the same partner.
    let other = letter.with("/data/inhoud/bedrag_in_centen", json!(1)).signed(peer);
    let conflict = peer.receipt(&other).await;
    assert_eq!(conflict.reason(), Some("dubbel-met-andere-inhoud"));
    assert_eq!(peer.receipt(&first).await.index, filed.index, "the first one stands");
    // Asking says the same, without the message.
    for (message, earlier) in [(&first, &filed), (&refused, &held)] {
        let asked = peer.outcome(message).await.unwrap();
        assert!(asked.known);
        assert_eq!((asked.index, asked.reason()), (earlier.index, earlier.reason()));
    }
    assert!(peer.outcome(&other).await.is_none(), "the identifier is that of the first");
    assert_eq!(scene.node.mailbox("in").states()["toegelaten"], 2);
    scene.well().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_agreement_counts_from_the_last_signature_to_the_first_end() {
    let scene = scene().await;
    let peer = &scene.peer;
    let text = scene.agreement();
    peer.propose(&scene.node, &text).await;
    let digest = scene.node.json(&["convenant", "tonen"])["convenanten"][0]["convenant"].clone();
    let digest = digest.as_str().unwrap();
    let letter = || Letter::new(peer, MUNICIPALITY, digest).signed(peer);
    let too_early = letter();
    assert_eq!(peer.receipt(&too_early).await.reason(), Some("convenant-niet-geldig"));

    assert_eq!(scene.agreed().await, digest);
    assert_eq!(peer.receipt(&letter()).await.reason(), None);
    // What was refused by the rules stays refused: the receipt said so.
    assert_eq!(peer.receipt(&too_early).await.reason(), Some("convenant-niet-geldig"));

    scene.node.cli(&["convenant", "opzeggen", digest, "--zeker"]).expect(1);
    eventually("the running node knows of the end", async || {
        (peer.propose(&scene.node, &text).await.len() == 3).then_some(())
    })
    .await;
    assert_eq!(peer.receipt(&letter()).await.reason(), Some("convenant-niet-geldig"));
    assert_eq!(scene.refused(), ["convenant-niet-geldig", "convenant-niet-geldig"]);
    scene.well().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]

async fn a_partner_that_does_not_answer_holds_up_nothing() {
    let mut scene = scene().await;
    let silent = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let slow = Peer::new(&scene.place, &scene.node, 9);
    let description = slow.descriptor_at(&silent.local_addr().unwrap().to_string());
    let file = scene.place.file("stil.jws", description.as_bytes());
    scene.node.cli(&["partner", "toevoegen", file.to_str().unwrap()]).expect(0);
    scene.serving.kill();
    scene.serving = scene.node.serve();
    let quick = Peer::new(&scene.place, &scene.node, 5);
    let file = scene.place.file("vlot.jws", quick.descriptor().as_bytes());
    scene.node.cli(&["partner", "toevoegen", file.to_str().unwrap()]).expect(0);
    let watch = Stopwatch::start();
    eventually("the new partner is known", async || quick.log_size().await).await;
    assert!(watch.elapsed() < Duration::from_secs(4), "{:?}", watch.elapsed());
    scene.well().await;
}
