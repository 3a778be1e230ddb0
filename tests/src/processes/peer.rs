//! A partner made by hand: real keys and a real certificate, but it sends whatever a test wants.

use std::{fs, net::Ipv4Addr, sync::Arc};

use ed25519_dalek::SigningKey;
use exchange::{
    clock::Clock as _,
    descriptor::{Addresses, Descriptor},
    digest::Digest,
    entry::{Entry, Reception},
    oin::Oin,
    organisation::OrganisationKind,
    random::{Random, SeededRandom},
    receipt::{Receipt, ReceiptLeaf},
    signature::{Ed25519Signer, Signer as _},
    tlog::{Checkpoint, Cosignature, CosignerVerifier, Leaf, LogSigner, LogVerifier},
};
use jiff::{SignedDuration, Timestamp};
use node::{
    certificate::{Pair, Subject, TrialAuthority},
    delivery::{JWS_LINES, OUTCOMES},
    setup,
    system::{SystemClock, SystemRandom},
};
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName, pem::PemObject as _};
use serde_json::{Value, json};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
};
use transport::{
    Endpoint, Handler, Identity, Limits, Link, LinkError, LinkOptions, Request, Response, Server,
    ServerOptions, Tls, TlsOptions, Trust,
};
use uuid::Uuid;

use super::{
    letter::Letter,
    node::{Node, Place},
};

/// Longer than a certificate of the authority for trying out is valid.
const LONG_AGO: SignedDuration = SignedDuration::from_hours(24 * 200);
/// More than a node takes, so that the node is what refuses.
const LARGE: usize = 16 << 20;

/// What a partner shows at the door.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Papers {
    /// A certificate of the group's authority.
    Good,
    /// A certificate of an authority that nobody here knows.
    Foreign,
    /// A certificate that was good once.
    Expired,
    /// A certificate of the group's authority that names no OIN.
    Nameless,
}

/// What a node logged about a message, proven by its receipt.
#[derive(Debug)]
pub struct Logged {
    /// Its place in the node's log.
    pub index: u64,
    /// Whether it was known before this delivery.
    pub known: bool,
    /// What the entry says.
    pub said: Reception,
}

impl Logged {
    /// Why it was refused; nothing when it was admitted.
    pub fn reason(&self) -> Option<&'static str> {
        self.said.reden.map(|code| code.0.code())
    }
}

/// A partner made by hand.
pub struct Peer {
    /// From which everything follows.
    pub number: u8,
    /// Who it is, by its certificate.
    pub oin: Oin,
    /// What it says to be.
    pub kind: OrganisationKind,
    /// Signs its messages.
    pub signer: Ed25519Signer,
    /// Signs its log, if it had one.
    pub log: LogSigner,
    random: SeededRandom,
    tls: Tls,
    link: Link,
    endpoint: Endpoint,
    node_log: LogVerifier,
}

impl Peer {
    /// A partner of `node` with good papers; everything of it follows from `number`.
    pub fn new(place: &Place, node: &Node, number: u8) -> Self {
        Self::with_papers(place, node, number, Papers::Good)
    }

    /// A partner with these papers.
    pub fn with_papers(place: &Place, node: &Node, number: u8, papers: Papers) -> Self {
        let oin: Oin = format!("00000099000000{number:03}000").parse().unwrap();
        let party = node.json(&["convenant", "partij"]);
        let pair = certificate(place, oin, papers);
        let identity = Identity::from_pem(pair.public.as_bytes(), pair.private.as_bytes()).unwrap();
        let anchor = fs::read(place.authority().join("proefautoriteit.pem")).unwrap();
        let trust = Trust::from_pem(&anchor, b"").unwrap();
        let tls = Tls::new(identity, &trust, TlsOptions { tls12: false }, Arc::new(SystemClock)).unwrap();
        let options = LinkOptions { quic: false, request_body: LARGE, ..LinkOptions::default() };
        let log = LogSigner::new(oin.log_origin(), SigningKey::from_bytes(&[number + 100; 32])).unwrap();
        let random = SeededRandom::new(number.into());
        Self {
            number,
            oin,
            kind: OrganisationKind::HousingCorporation,
            signer: Ed25519Signer::from_seed(&[number; 32]),
            log,
            random,
            link: Link::new(tls.clone(), options),
            tls,
            endpoint: Endpoint { oin: node.oin.parse().unwrap(), tcp: node.address.clone(), quic: None },
            node_log: party["partij"]["logsleutel"].as_str().unwrap().parse().unwrap(),
        }
    }

    /// The same as another kind of organisation.
    #[must_use]
    pub fn of_kind(self, kind: OrganisationKind) -> Self {
        Self { kind, ..self }
    }

    /// A new identifier made at `time`.
    pub fn new_id(&self, time: Timestamp) -> Uuid {
        exchange::id::new(time, &self.random)
    }

    /// A note with the cosignature of this partner, of now.
    pub fn cosigned(&self, note: &str) -> String {
        let text = note.split_once("\n\n").unwrap().0;
        let checkpoint = Checkpoint::parse(&format!("{text}\n")).unwrap();
        let name = self.oin.log_origin();
        let cosignature = Cosignature::by(&self.signer, &name, &checkpoint, SystemClock.now()).unwrap();
        cosignature.add_to(note).unwrap()
    }

    /// The key of its cosignatures.
    pub fn cosigner(&self) -> CosignerVerifier {
        CosignerVerifier::of(&self.oin.log_origin(), self.signer.public_key()).unwrap()
    }

    /// A checkpoint of its own log, which has so many entries.
    pub fn own_checkpoint(&self, size: u64) -> String {
        let root = Leaf::new(Vec::new()).hash();
        self.log.sign(&Checkpoint { origin: self.oin.log_origin(), size, root })
    }

    /// The signed description of its node, which is nowhere.
    pub fn descriptor(&self) -> String {
        self.descriptor_at("127.0.0.1:1")
    }

    /// The signed description of a node at this address.
    pub fn descriptor_at(&self, address: &str) -> String {
        let descriptor = Descriptor {
            oin: self.oin,
            naam: "Woningcorporatie Met De Hand".into(),
            soort: self.kind,
            adressen: Addresses { tcp: address.into(), quic: None },
            sleutels: vec![self.signer.public_key().clone()],
            logsleutel: self.log.verifier().to_string(),
            berichttypen: Vec::new(),
            loketten: Vec::new(),
            protocolversies: vec!["1".into()],
        };
        descriptor.sign(&self.signer).unwrap()
    }

    /// This partner as a party of an agreement.
    pub fn party(&self) -> Value {
        json!({
            "oin": self.oin, "naam": "Woningcorporatie Met De Hand", "soort": self.kind,
            "sleutels": [self.signer.public_key()], "logsleutel": self.log.verifier().to_string(),
            "contact": "schakel@hand.test", "fg": "fg@hand.test",
        })
    }

    /// Listens as this partner, on a port of its own. It stops when dropped.
    pub async fn listen(&self, handler: impl Handler) -> Server {
        let options =
            ServerOptions { tcp: (Ipv4Addr::LOCALHOST, 0).into(), quic: None, limits: Limits::default() };
        Server::bind(options, self.tls.clone(), handler).await.unwrap()
    }

    /// Sends a request to the node.
    pub async fn ask(&self, request: Request) -> Result<Response, LinkError> {
        self.link.send(&self.endpoint, request).await
    }

    /// Delivers lines and gives the answer, whatever it is.
    pub async fn deliver(&self, body: impl Into<Vec<u8>>) -> Response {
        self.ask(Request::post("/v1/berichten", JWS_LINES, body.into())).await.unwrap()
    }

    /// Delivers messages and gives what was logged about each, after checking the whole receipt against the node's
    /// log key.
    pub async fn receipted(&self, messages: &[&str]) -> Vec<Logged> {
        let response = self.deliver(messages.join("\n") + "\n").await;
        self.logged(&response, messages)
    }

    /// Asks what became of a message; nothing when the node does not have it.
    pub async fn outcome(&self, message: &str) -> Option<Logged> {
        let id = Letter::id_of(message);
        let query = format!("bericht={}", Digest::of(message.as_bytes()));
        let question = Request::get(format!("{OUTCOMES}{id}")).with_query(query);
        let response = self.ask(question).await.unwrap();
        (response.status != 204).then(|| self.logged(&response, &[message]).remove(0))
    }

    /// What a receipt says was logged about each of these messages, after checking all of it.
    fn logged(&self, response: &Response, messages: &[&str]) -> Vec<Logged> {
        let body = String::from_utf8_lossy(&response.body);
        assert_eq!(response.status, 200, "{body}");
        let receipt: Receipt = serde_json::from_slice(&response.body).unwrap();
        let verified = receipt.verify(&self.node_log).unwrap();
        let entries: Vec<_> = verified.entries().collect();
        assert_eq!(entries.len(), messages.len());
        let mut logged = Vec::new();
        for (position, ((index, leaf), message)) in entries.into_iter().zip(messages).enumerate() {
            let Entry::Ontvangst(said) = Entry::of_leaf(leaf).unwrap() else { panic!("{leaf:?}") };
            assert_eq!(said.bericht, Digest::of(message.as_bytes()), "the entry is about this message");
            assert_eq!(said.van, self.oin);
            verified.proof_file(position).unwrap().verify(leaf, &self.node_log).unwrap();
            let known = matches!(receipt.leaves[position], ReceiptLeaf::Known { .. });
            logged.push(Logged { index, known, said });
        }
        logged
    }

    /// Delivers one message and gives what was logged about it.
    pub async fn receipt(&self, message: &str) -> Logged {
        self.receipted(&[message]).await.remove(0)
    }

    /// The size of the node's log, by its checkpoint; nothing when the node does not tell.
    pub async fn log_size(&self) -> Option<u64> {
        let response = self.ask(Request::get("/v1/logboek/checkpoint")).await.ok()?;
        if response.status != 200 {
            return None;
        }
        Some(self.node_log.open(std::str::from_utf8(&response.body).unwrap()).unwrap().size)
    }

    /// Sends the other parties' copy of an agreement, with this partner's acceptance, and gives every answer that the
    /// node knows.
    pub async fn propose(&self, node: &Node, text: &Value) -> Vec<String> {
        let agreement = exchange::agreement::Agreement::parse(&text.to_string()).unwrap();
        let kind = exchange::agreement::AnswerKind::Accepted;
        let answer = agreement.answer(kind, SystemClock.now(), &self.signer).unwrap();
        let named = text["afspraken"][0]["doel"].as_str().unwrap();
        let purpose = fs::read_to_string(node.path("doelen").join(format!("{named}.toml"))).unwrap();
        let purpose = exchange::purpose::Purpose::from_toml(&purpose).unwrap();
        let purpose: Value = serde_json::from_str(purpose.text()).unwrap();
        let package = json!({ "convenant": text, "doelen": [purpose], "antwoorden": [answer] });
        let request = Request::post("/v1/convenanten", "application/json", package.to_string());
        let response = self.ask(request).await.unwrap();
        let body = String::from_utf8_lossy(&response.body);
        assert_eq!(response.status, 200, "{body}");
        serde_json::from_slice(&response.body).unwrap()
    }

    /// Opens a TLS connection with these papers, below anything of ours, writes `bytes` and reads until the node
    /// closes. What came back, or why the connection failed.
    pub async fn whisper(
        place: &Place,
        node: &Node,
        papers: Option<Papers>,
        bytes: &[u8],
    ) -> std::io::Result<Vec<u8>> {
        let oin = "00000099000000077000".parse().unwrap();
        let anchor = fs::read(place.authority().join("proefautoriteit.pem")).unwrap();
        let mut roots = rustls::RootCertStore::empty();
        roots.add(CertificateDer::from_pem_slice(&anchor).unwrap()).unwrap();
        let builder = rustls::ClientConfig::builder_with_provider(Arc::new(
            rustls::crypto::aws_lc_rs::default_provider(),
        ));
        let builder = builder.with_safe_default_protocol_versions().unwrap().with_root_certificates(roots);
        let mut config = match papers.map(|papers| certificate(place, oin, papers)) {
            Some(pair) => {
                let chain = vec![CertificateDer::from_pem_slice(pair.public.as_bytes()).unwrap()];
                let key = PrivateKeyDer::from_pem_slice(pair.private.as_bytes()).unwrap();
                builder.with_client_auth_cert(chain, key).unwrap()
            }
            None => builder.with_no_client_auth(),
        };
        config.alpn_protocols = vec![b"h2".to_vec()];
        let stream = TcpStream::connect(&node.address).await?;
        let connector = tokio_rustls::TlsConnector::from(Arc::new(config));
        let mut stream = connector.connect(ServerName::try_from("127.0.0.1").unwrap(), stream).await?;
        stream.write_all(bytes).await?;
        stream.flush().await?;
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer).await?;
        Ok(answer)
    }
}

fn certificate(place: &Place, oin: Oin, papers: Papers) -> Pair {
    let (now, random) = (SystemClock.now(), SystemRandom);
    let subject = Subject { oin, name: "Woningcorporatie Met De Hand", host: "127.0.0.1" };
    let ours = || setup::trial_authority(&place.authority(), now, &random).unwrap();
    match papers {
        Papers::Good => ours().issue(subject, now, &random).unwrap(),
        Papers::Expired => ours().issue(subject, now - LONG_AGO, &random).unwrap(),
        Papers::Foreign => {
            let foreign = TrialAuthority::create("Een andere autoriteit", now, &random).unwrap();
            foreign.issue(subject, now, &random).unwrap()
        }
        Papers::Nameless => nameless(place, &random),
    }
}

/// A certificate as the authority would give somebody who is no organisation of the group.
fn nameless(place: &Place, random: &dyn Random) -> Pair {
    let read = |name: &str| fs::read_to_string(place.authority().join(name)).unwrap();
    let authority = rcgen::KeyPair::from_pem(&read("proefautoriteit.key")).unwrap();
    let issuer = rcgen::Issuer::from_ca_cert_pem(&read("proefautoriteit.pem"), authority).unwrap();
    let key = rcgen::KeyPair::generate().unwrap();
    let mut params = rcgen::CertificateParams::new(vec!["127.0.0.1".to_owned()]).unwrap();
    params.distinguished_name.push(rcgen::DnType::OrganizationName, "Niemand");
    params.extended_key_usages = vec![rcgen::ExtendedKeyUsagePurpose::ClientAuth];
    let mut serial = [1; 16];
    random.fill(&mut serial[1..]);
    params.serial_number = Some(rcgen::SerialNumber::from_slice(&serial));
    let certificate = params.signed_by(&key, &issuer).unwrap();
    Pair { public: certificate.pem(), private: key.serialize_pem().into() }
}
