//! The local API of a node as a system of the organisation meets it: real TLS, a certificate or a token, and every answer
//! held against the reference.

use std::{
    fmt::Write as _,
    fs,
    io::{BufRead as _, BufReader, Read as _, Write as _},
    net::TcpStream,
    path::{Path, PathBuf},
    sync::{Arc, LazyLock},
    time::Duration,
};

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use exchange::digest::Digest;
use jsonwebtoken::{Algorithm, EncodingKey, Header, encode};
use rcgen::{
    BasicConstraints, CertificateParams, DistinguishedName, DnType, IsCa, Issuer, KeyPair, PublicKeyData as _,
};
use rustls::{
    ClientConfig, ClientConnection, RootCertStore, ServerConfig, StreamOwned,
    pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer, ServerName},
    server::WebPkiClientVerifier,
};
use serde_json::{Value, json};

use super::node::{Node, Serving};

/// How long one step of a conversation may take.
const PATIENCE: Duration = Duration::from_secs(30);
/// Who issues tokens.
pub const ISSUER: &str = "https://inloggen.voorbeeld.test";
/// For whom.
pub const AUDIENCE: &str = "schakel";

/// What an organisation has for its own systems: an authority, and an issuer of tokens.
pub struct Systems {
    folder: PathBuf,
    authority: Issuer<'static, KeyPair>,
    anchor: CertificateDer<'static>,
    key: KeyPair,
}

/// A certificate with its key.
pub struct Shown {
    /// DER.
    pub certificate: CertificateDer<'static>,
    key: PrivatePkcs8KeyDer<'static>,
    /// PEM files of both.
    pub files: (PathBuf, PathBuf),
}

impl Systems {
    /// Makes them in a folder.
    pub fn new(folder: &Path) -> Self {
        let key = KeyPair::generate().unwrap();
        let mut params = CertificateParams::default();
        params.distinguished_name = DistinguishedName::new();
        params.distinguished_name.push(DnType::CommonName, "Eigen systemen");
        params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
        let certificate = params.self_signed(&key).unwrap();
        fs::write(folder.join("systemen.pem"), certificate.pem()).unwrap();
        Self {
            folder: folder.to_owned(),
            anchor: certificate.der().clone(),
            authority: Issuer::new(params, key),
            key: KeyPair::generate().unwrap(),
        }
    }

    /// The file with the authority, PEM.
    pub fn anchors(&self) -> String {
        path_text(&self.folder.join("systemen.pem")).to_owned()
    }

    /// A certificate for this machine, with this common name.
    pub fn certificate(&self, name: &str) -> Shown {
        let key = KeyPair::generate().unwrap();
        let mut params = CertificateParams::new(vec!["127.0.0.1".to_owned()]).unwrap();
        params.distinguished_name = DistinguishedName::new();
        params.distinguished_name.push(DnType::CommonName, name);
        let certificate = params.signed_by(&key, &self.authority).unwrap();
        let files =
            (self.folder.join(format!("{name}.pem")), self.folder.join(format!("{name}.sleutel.pem")));
        fs::write(&files.0, certificate.pem()).unwrap();
        fs::write(&files.1, key.serialize_pem()).unwrap();
        let key = PrivatePkcs8KeyDer::from(key.serialize_der());
        Shown { certificate: certificate.der().clone(), key, files }
    }

    /// How a system listens that shows this, and lets in who shows a certificate of the same authority.
    pub fn listening(&self, shown: &Shown) -> ServerConfig {
        let mut roots = RootCertStore::empty();
        roots.add(self.anchor.clone()).unwrap();
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let wanted = WebPkiClientVerifier::builder_with_provider(roots.into(), provider.clone());
        ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_client_cert_verifier(wanted.build().unwrap())
            .with_single_cert(vec![shown.certificate.clone()], shown.key.clone_key().into())
            .unwrap()
    }

    /// The keys of the issuer.
    pub fn jwks(&self) -> Value {
        jwks(&self.key, "sleutel-1")
    }

    /// The claims of a token for this person, or for the system itself, with these roles.
    pub fn claims(person: Option<&str>, roles: &[&str]) -> Value {
        let now = exchange::clock::Clock::now(&node::system::SystemClock).as_second();
        json!({
            "iss": ISSUER, "aud": AUDIENCE, "exp": now + 600, "nbf": now - 10, "rollen": roles,
            "azp": "zaaksysteem", "sub": person.unwrap_or("zaaksysteem"),
        })
    }

    /// A token with these claims.
    pub fn token(&self, claims: &Value) -> String {
        signed(&self.key, "sleutel-1", claims)
    }
}

/// The public key of an issuer.
pub fn jwks(key: &KeyPair, id: &str) -> Value {
    let point = key.der_bytes();
    let part = |bytes: &[u8]| URL_SAFE_NO_PAD.encode(bytes);
    json!({ "keys": [{
        "kty": "EC", "crv": "P-256", "alg": "ES256", "use": "sig", "kid": id, "x": part(&point[1..33]), "y": part(&point[33..]),
    }]})
}

/// A token under this key.
pub fn signed(key: &KeyPair, id: &str, claims: &Value) -> String {
    let header = Header { kid: Some(id.to_owned()), ..Header::new(Algorithm::ES256) };
    encode(&header, claims, &EncodingKey::from_ec_der(key.serialized_der())).unwrap()
}

/// Adds the API to the configuration of a node: a certificate of its own, and these clients and tokens.
pub fn with_api(node: &Node, systems: &Systems, more: &str) {
    let own = systems.certificate(&format!("api-{}", node.oin));
    let path = node.path("schakel.toml");
    let mut text = fs::read_to_string(&path).unwrap();
    let _ = write!(
        text,
        "\n[api]\nluistert = \"127.0.0.1:0\"\ncertificaat = {:?}\nsleutel = {:?}\nvertrouwensankers = {:?}\n{more}",
        path_text(&own.files.0),
        path_text(&own.files.1),
        systems.anchors()
    );
    fs::write(path, text).unwrap();
}

/// A path, as a configuration has it.
fn path_text(path: &Path) -> &str {
    path.to_str().unwrap()
}

/// A client in the configuration that is known by its certificate.
pub fn client(name: &str, shown: &Shown, roles: &[&str]) -> String {
    let fingerprint = Digest::of(&shown.certificate);
    format!("\n[[api.clienten]]\nnaam = {name:?}\nvingerafdruk = \"{fingerprint}\"\nrollen = {roles:?}\n")
}

/// Tokens in the configuration, with the keys of the issuer in a file or at an address.
pub fn tokens(keys: &str) -> String {
    format!("\n[api.tokens]\nuitgever = \"{ISSUER}\"\nafnemer = \"{AUDIENCE}\"\nsleutels = {keys:?}\n")
}

/// Where the API of a node that serves listens.
pub fn address(serving: &Serving) -> String {
    let said: Value = serde_json::from_str(serving.process.stdout().lines().next().unwrap()).unwrap();
    said["api"].as_str().unwrap().to_owned()
}

/// A system that asks.
#[derive(Clone)]
pub struct System {
    /// Where.
    pub address: String,
    config: Arc<ClientConfig>,
    headers: Vec<(String, String)>,
}

/// A connection that is kept.
pub struct Kept<'a> {
    system: &'a System,
    reader: BufReader<StreamOwned<ClientConnection, TcpStream>>,
}

/// What was answered.
#[derive(Debug, Clone)]
pub struct Answered {
    /// The status.
    pub status: u16,
    /// The headers, with names in small letters.
    pub headers: Vec<(String, String)>,
    /// The body.
    pub body: Vec<u8>,
}

impl System {
    /// A system that knows the API by this authority, and shows a certificate or not.
    pub fn new(address: &str, systems: &Systems, shown: Option<&Shown>) -> Self {
        let mut roots = RootCertStore::empty();
        roots.add(systems.anchor.clone()).unwrap();
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let builder =
            ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions().unwrap();
        let builder = builder.with_root_certificates(roots);
        let config = match shown {
            Some(shown) => {
                let key = PrivateKeyDer::from(shown.key.clone_key());
                builder.with_client_auth_cert(vec![shown.certificate.clone()], key).unwrap()
            }
            None => builder.with_no_client_auth(),
        };
        Self { address: address.to_owned(), config: Arc::new(config), headers: Vec::new() }
    }

    /// The same, with a header more in every request.
    #[must_use]
    pub fn with(&self, name: &str, value: &str) -> Self {
        let mut headers = self.headers.clone();
        headers.push((name.to_owned(), value.to_owned()));
        Self { headers, ..self.clone() }
    }

    /// The same, with a token.
    #[must_use]
    pub fn bearing(&self, token: &str) -> Self {
        self.with("Authorization", &format!("Bearer {token}"))
    }

    /// The same, saying for whom and why.
    #[must_use]
    pub fn because(&self, employee: Option<&str>, reason: &str, reference: &str) -> Self {
        let because = self.with("Schakel-Reden", reason).with("Schakel-Kenmerk", reference);
        employee.map_or_else(|| because.clone(), |employee| because.with("Schakel-Medewerker", employee))
    }

    /// Opens a connection.
    pub fn connect(&self) -> Kept<'_> {
        let stream = TcpStream::connect(&self.address).unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        stream.set_nodelay(true).unwrap();
        let name = ServerName::try_from("127.0.0.1").unwrap();
        let session = ClientConnection::new(self.config.clone(), name).unwrap();
        Kept { system: self, reader: BufReader::new(StreamOwned::new(session, stream)) }
    }

    /// Asks.
    pub fn get(&self, path: &str) -> Answered {
        self.connect().get(path)
    }

    /// Hands JSON over.
    pub fn post(&self, path: &str, body: &Value) -> Answered {
        self.hand_over("POST", path, body)
    }

    /// Says how something is from now on.
    pub fn put(&self, path: &str, body: &Value) -> Answered {
        self.hand_over("PUT", path, body)
    }

    /// Takes something away.
    pub fn delete(&self, path: &str) -> Answered {
        self.connect().ask("DELETE", path, &[], b"")
    }

    fn hand_over(&self, method: &str, path: &str, body: &Value) -> Answered {
        let headers = [("Content-Type", "application/json")];
        self.connect().ask(method, path, &headers, body.to_string().as_bytes())
    }
}

impl Kept<'_> {
    /// Asks.
    pub fn get(&mut self, path: &str) -> Answered {
        self.ask("GET", path, &[], b"")
    }

    /// Asks, and holds the answer against the reference.
    pub fn ask(&mut self, method: &str, path: &str, headers: &[(&str, &str)], body: &[u8]) -> Answered {
        self.begin(method, path, headers, body);
        let answered = self.answer();
        answered.check(method, path);
        answered
    }

    /// Asks, where the time that it takes counts.
    pub fn ask_unchecked(&mut self, method: &str, path: &str) -> Answered {
        self.begin(method, path, &[], b"");
        self.answer()
    }

    fn begin(&mut self, method: &str, path: &str, headers: &[(&str, &str)], body: &[u8]) {
        let mut head = format!("{method} {path} HTTP/1.1\r\nHost: {}\r\n", self.system.address);
        let of_system = self.system.headers.iter().map(|(name, value)| (name.as_str(), value.as_str()));
        for (name, value) in of_system.chain(headers.iter().copied()) {
            let _ = write!(head, "{name}: {value}\r\n");
        }
        if method != "GET" {
            let _ = write!(head, "Content-Length: {}\r\n", body.len());
        }
        self.send(format!("{head}\r\n").as_bytes());
        self.send(body);
    }

    /// Asks for a stream, which goes on in [`Self::line`].
    pub fn follow(&mut self, path: &str) {
        assert_eq!(self.try_follow(path), 200);
    }

    /// Asks for a stream; gives the status.
    pub fn try_follow(&mut self, path: &str) -> u16 {
        self.begin("GET", path, &[], b"");
        let mut line = String::new();
        self.reader.read_line(&mut line).unwrap();
        let status = line.split(' ').nth(1).unwrap().parse().unwrap();
        // What it begins with: from then on it is there.
        while status == 200 && !self.line().unwrap().starts_with("retry: ") {}
        status
    }

    /// A line of a stream; nothing when it ended.
    pub fn line(&mut self) -> Option<String> {
        let mut line = String::new();
        let read = self.reader.read_line(&mut line).unwrap_or_default();
        // The last part of a body has no length.
        (read > 0 && line != "0\r\n").then(|| line.trim_end().to_owned())
    }

    /// The certificate that the API shows.
    pub fn certificate(&mut self) -> CertificateDer<'static> {
        self.send(b"");
        let stream = self.reader.get_mut();
        while stream.conn.is_handshaking() {
            stream.conn.complete_io(&mut stream.sock).unwrap();
        }
        stream.conn.peer_certificates().unwrap()[0].clone().into_owned()
    }

    /// Sends bytes as they are. That nobody reads them any more is seen in the answer.
    pub fn send(&mut self, bytes: &[u8]) {
        let stream = self.reader.get_mut();
        let _ = stream.write_all(bytes).and_then(|()| stream.flush());
    }

    /// Reads one answer.
    pub fn answer(&mut self) -> Answered {
        let mut lines = Vec::new();
        loop {
            let mut line = String::new();
            let read = self.reader.read_line(&mut line);
            assert!(matches!(read, Ok(1..)), "no answer: {read:?} after {lines:?}");
            match line.trim_end() {
                "" => break,
                text => lines.push(text.to_owned()),
            }
        }
        let status = lines[0].split(' ').nth(1).unwrap().parse().unwrap();
        let header = |line: &String| {
            let (name, value) = line.split_once(':').unwrap();
            (name.to_ascii_lowercase(), value.trim().to_owned())
        };
        let headers: Vec<(String, String)> = lines[1..].iter().map(header).collect();
        let length = headers
            .iter()
            .find(|(name, _)| name == "content-length")
            .map(|(_, value)| value.parse().unwrap());
        let mut body = vec![0; length.unwrap_or(0)];
        self.reader.read_exact(&mut body).unwrap();
        Answered { status, headers, body }
    }
}

impl Answered {
    /// A header.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    /// The body.
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|error| panic!("no JSON ({error}): {self:?}"))
    }

    /// Checks the status, and gives the body.
    pub fn expect(&self, status: u16) -> Value {
        assert_eq!(self.status, status, "{}", String::from_utf8_lossy(&self.body));
        self.json()
    }

    /// What every answer has, and what the reference says of this one.
    fn check(&self, method: &str, path: &str) {
        for (name, value) in [
            ("api-version", "1.0.0"),
            ("cache-control", "no-store"),
            ("x-content-type-options", "nosniff"),
            ("referrer-policy", "no-referrer"),
            ("strict-transport-security", "max-age=31536000"),
            ("content-security-policy", "default-src 'none'; frame-ancestors 'none'"),
        ] {
            assert_eq!(self.header(name), Some(value), "{method} {path}: {name}");
        }
        assert!(!self.headers.iter().any(|(name, _)| name.starts_with("access-control-")), "CORS is off");
        let media_type = if self.status < 400 { "application/json" } else { "application/problem+json" };
        assert_eq!(self.header("content-type"), Some(media_type), "{self:?}");
        REFERENCE.check(method, path, self);
    }
}

static REFERENCE: LazyLock<Reference> =
    LazyLock::new(|| Reference(serde_json::from_str(node::api::REFERENCE).unwrap()));

/// `openapi.json`.
struct Reference(Value);

impl Reference {
    /// Holds an answer against what is said of it. What is no operation is only answered with a problem.
    fn check(&self, method: &str, path: &str, answered: &Answered) {
        let path = path.split('?').next().unwrap().strip_prefix("/v1").unwrap_or("?");
        let paths = self.0["paths"].as_object().unwrap();
        let template =
            paths.keys().filter(|template| fits(template, path)).min_by_key(|one| one.matches('{').count());
        let operation = template.map(|template| &self.0["paths"][template][method.to_lowercase()]);
        let status = answered.status.to_string();
        let schema = match operation.filter(|operation| operation.is_object()) {
            None => {
                assert!(matches!(answered.status, 404 | 405), "{method} {path}: {status}");
                json!({ "$ref": "#/components/schemas/Probleem" })
            }
            Some(operation) => {
                let response = self.resolved(&operation["responses"][&status]);
                assert!(response.is_object(), "{method} {path}: {status} is not in the reference");
                let media_type = answered.header("content-type").unwrap();
                response["content"][media_type]["schema"].clone()
            }
        };
        let mut whole = schema;
        whole["components"] = self.0["components"].clone();
        let validator =
            jsonschema::draft202012::options().should_validate_formats(true).build(&whole).unwrap();
        let body = answered.json();
        let wrong: Vec<String> = validator
            .iter_errors(&body)
            .map(|error| format!("{error} at {}", error.instance_path()))
            .collect();
        assert!(wrong.is_empty(), "{method} {path} {status}: {wrong:?}");
    }

    fn resolved<'a>(&'a self, value: &'a Value) -> &'a Value {
        value["$ref"].as_str().map_or(value, |target| self.0.pointer(&target[1..]).unwrap())
    }
}

fn fits(template: &str, path: &str) -> bool {
    let parts = |text: &str| text.split('/').map(str::to_owned).collect::<Vec<_>>();
    let (template, path) = (parts(template), parts(path));
    template.len() == path.len()
        && template.iter().zip(&path).all(|(one, other)| one.starts_with('{') || one == other)
}
