//! A system of the organisation that is told of events, and takes them well or badly.

use std::{
    any::Any,
    collections::VecDeque,
    io::{BufRead as _, BufReader, Read, Write},
    net::{SocketAddr, TcpListener},
    process::{Command, Stdio},
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
        mpsc::{Receiver as Queue, Sender, channel},
    },
    thread,
};

use rustls::{ServerConfig, ServerConnection, StreamOwned};
use serde_json::Value;

use super::wait::PATIENCE;

/// What it does with one request; after the last it takes everything.
#[derive(Debug, Clone)]
pub enum Reaction {
    /// Answers with this status, these headers and this body.
    Answer(u16, &'static str, String),
    /// Answers nothing, and keeps the connection.
    Hang,
}

/// A request as it came in.
#[derive(Debug, Clone)]
pub struct Heard {
    /// `webhook-id`.
    pub id: String,
    /// `webhook-timestamp`.
    pub timestamp: String,
    /// `webhook-signature`.
    pub signature: String,
    /// `content-type`.
    pub media_type: String,
    /// As it is.
    pub body: String,
}

/// A system that listens on this machine.
pub struct Receiver {
    address: SocketAddr,
    connections: Arc<AtomicUsize>,
    heard: Queue<Heard>,
}

impl Receiver {
    /// Begins to listen.
    pub fn reacting(reactions: impl IntoIterator<Item = Reaction>) -> Self {
        Self::listening(reactions, None)
    }

    /// The same over TLS, for who shows a certificate that this configuration wants.
    pub fn secured(reactions: impl IntoIterator<Item = Reaction>, tls: ServerConfig) -> Self {
        Self::listening(reactions, Some(Arc::new(tls)))
    }

    fn listening(reactions: impl IntoIterator<Item = Reaction>, tls: Option<Arc<ServerConfig>>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let (told, heard) = channel();
        let connections = Arc::new(AtomicUsize::new(0));
        let mut reactions: VecDeque<Reaction> = reactions.into_iter().collect();
        let counted = Arc::clone(&connections);
        thread::spawn(move || {
            let mut hanging: Vec<Box<dyn Any + Send>> = Vec::new();
            for stream in listener.incoming().map_while(Result::ok) {
                counted.fetch_add(1, Ordering::Relaxed);
                stream.set_read_timeout(Some(PATIENCE)).unwrap();
                let reacting = (&mut reactions, &told);
                hanging.extend(match &tls {
                    None => react(stream, reacting),
                    Some(tls) => {
                        let session = ServerConnection::new(Arc::clone(tls)).unwrap();
                        react(StreamOwned::new(session, stream), reacting)
                    }
                });
            }
        });
        Self { address, connections, heard }
    }

    /// Where it listens.
    pub fn port(&self) -> u16 {
        self.address.port()
    }

    /// Connections that were made.
    pub fn connections(&self) -> usize {
        self.connections.load(Ordering::Relaxed)
    }

    /// Waits for a request.
    pub fn next(&self) -> Heard {
        self.heard.recv_timeout(PATIENCE).expect("the system is told")
    }

    /// What it was told and was not looked at.
    pub fn rest(&self) -> Vec<Heard> {
        self.heard.try_iter().collect()
    }
}

impl Heard {
    /// The event.
    pub fn event(&self) -> Value {
        serde_json::from_str(&self.body).unwrap()
    }

    /// Whether the signature is there that `openssl` makes with this secret (`whsec_…`).
    pub fn is_signed_with(&self, secret: &str) -> bool {
        let script = "key=$(printf %s \"$1\" | base64 -d | od -An -v -tx1 | tr -d ' \\n'); \
                      openssl dgst -sha256 -mac HMAC -macopt hexkey:\"$key\" -binary | base64";
        let mut openssl = Command::new("sh")
            .args(["-euc", script, "sh", secret.strip_prefix("whsec_").unwrap()])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("sh and openssl are installed");
        let signed = format!("{}.{}.{}", self.id, self.timestamp, self.body);
        openssl.stdin.take().unwrap().write_all(signed.as_bytes()).unwrap();
        let made = String::from_utf8(openssl.wait_with_output().unwrap().stdout).unwrap();
        assert!(!made.trim().is_empty(), "openssl gives a signature");
        self.signature.split(' ').any(|one| one == format!("v1,{}", made.trim()))
    }
}

/// Takes one request; gives the connection when it is kept.
fn react(
    mut stream: impl Read + Write + Send + 'static,
    (reactions, told): (&mut VecDeque<Reaction>, &Sender<Heard>),
) -> Option<Box<dyn Any + Send>> {
    let heard = read(&mut stream)?;
    let reaction = reactions.pop_front().unwrap_or(Reaction::Answer(200, "", "{}".to_owned()));
    let _ = told.send(heard);
    match reaction {
        Reaction::Hang => Some(Box::new(stream)),
        Reaction::Answer(status, headers, body) => {
            let answer = format!("HTTP/1.1 {status} X\r\n{headers}Content-Length: {}\r\n\r\n", body.len());
            let whole = [answer.as_bytes(), body.as_bytes()].concat();
            let _ = stream.write_all(&whole).and_then(|()| stream.flush());
            None
        }
    }
}

/// Nothing when it is no request: somebody connects and speaks TLS, or goes away.
fn read(stream: &mut impl Read) -> Option<Heard> {
    let mut reader = BufReader::new(stream);
    let mut lines = Vec::new();
    loop {
        let mut line = String::new();
        reader.read_line(&mut line).ok().filter(|read| *read > 0)?;
        match line.trim_end() {
            "" => break,
            text => lines.push(text.to_owned()),
        }
    }
    let header = |name: &str| {
        let fits = |line: &&String| line.to_ascii_lowercase().starts_with(&format!("{name}:"));
        lines.iter().find(fits).and_then(|line| Some(line.split_once(':')?.1.trim().to_owned()))
    };
    let mut body = vec![0; header("content-length")?.parse().ok()?];
    reader.read_exact(&mut body).ok()?;
    Some(Heard {
        id: header("webhook-id")?,
        timestamp: header("webhook-timestamp")?,
        signature: header("webhook-signature")?,
        media_type: header("content-type")?,
        body: String::from_utf8(body).ok()?,
    })
}
