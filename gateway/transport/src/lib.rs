//! Bytes to and from an authenticated partner.
//!
//! Two carriers, one meaning: HTTP/2 over TCP and streams over QUIC (`gateway/PROTOCOL.md` §8) move the same
//! [`Request`] and [`Response`], with the same certificates, the same checks and the same limits. Who the other
//! side is follows from its certificate alone ([`Peer`]), never from a header, and this crate never looks inside
//! a payload.
//!
//! - [`Tls`] holds what both sides authenticate with, and swaps it while the node runs.
//! - [`Server`] takes requests and hands them to a [`Handler`].
//! - [`LocalTls`] is for the systems of the organisation itself, which are served elsewhere.
//! - [`Link`] sends requests, over one warm connection per partner.
//!
//! What is absent: retries after an answer, queues, and knowledge of messages. Those belong to the node.

mod body;
mod error;
mod frame;
mod identity;
mod limits;
mod link;
mod message;
mod peer;
mod quic;
mod server;
mod tls;

pub use error::{BindError, CertificateProblem, LinkError, Side, TlsError};
pub use identity::{Identity, Trust};
pub use limits::{Limits, LinkOptions};
pub use link::{Carrier, Endpoint, Link};
pub use message::{Handler, Request, Response};
pub use peer::{Peer, PeerError};
pub use rustls::pki_types::{CertificateDer, CertificateRevocationListDer, PrivateKeyDer};
pub use server::{Server, ServerOptions};
pub use tls::{
    Tls, TlsOptions,
    local::{Holder, LocalTls},
};
