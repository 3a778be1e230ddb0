//! What can go wrong, told apart by whose it is and what a person can do about it.

use std::{fmt, io, net::SocketAddr, path::PathBuf, time::Duration};

use exchange::oin::Oin;

use crate::{Carrier, PeerError};

mod remedy;
#[cfg(test)]
mod tests;

/// Whose certificate, or whose body.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Side {
    /// The partner's.
    Partner,
    /// Our own.
    Own,
}

impl fmt::Display for Side {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Partner => "the partner's",
            Self::Own => "our",
        })
    }
}

/// What is wrong with a certificate, in the eyes of the side that refused it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CertificateProblem {
    /// Not issued under a trust anchor of the group.
    #[error("was issued by an unknown party")]
    UnknownIssuer,
    /// Past its end; from the other side also "not yet valid", which TLS does not tell apart.
    #[error("has expired")]
    Expired,
    /// Before its beginning.
    #[error("is not valid yet")]
    NotYetValid,
    /// On the revocation list of its issuer.
    #[error("was revoked")]
    Revoked,
    /// There are revocation lists, and none is of its issuer.
    #[error("has an issuer without revocation list")]
    RevocationUnknown,
    /// Not for the host that was dialled.
    #[error("is not for host {host}")]
    WrongHost {
        /// The host of the partner's address.
        host: String,
    },
    /// No single OIN or no organisation name in it.
    #[error("does not name one organisation")]
    Nameless,
    /// There was none.
    #[error("was not presented")]
    NotPresented,
    /// Its purpose, algorithm, signature or encoding will not do.
    #[error("cannot be used for this: {reason}")]
    Unsuitable {
        /// As the TLS library says it.
        reason: String,
    },
}

/// Why a request got no answer.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum LinkError {
    /// No connection, or it broke and a new one did not help.
    #[error("{address} cannot be reached: {reason}")]
    Unreachable {
        /// Where the partner should be.
        address: String,
        /// What the network said.
        reason: String,
    },
    /// It took too long.
    #[error("no answer from {address} within {after:?}")]
    Timeout {
        /// Where the partner is.
        address: String,
        /// How long was waited.
        after: Duration,
    },
    /// A certificate was refused.
    #[error("connecting to {address}: {side} certificate {problem}")]
    Tls {
        /// Where the partner is.
        address: String,
        /// Whose certificate: `Own` was refused by the partner, `Partner` by us.
        side: Side,
        /// Why.
        problem: CertificateProblem,
    },
    /// Somebody else is at the partner's address.
    #[error("{address} belongs to {found}, not to {expected}")]
    WrongOin {
        /// Where the partner should be.
        address: String,
        /// The partner.
        expected: Oin,
        /// Who is there.
        found: Oin,
    },
    /// The other side does not speak the protocol, or the request cannot be expressed in it.
    #[error("{address} does not follow the protocol: {reason}")]
    Protocol {
        /// Where the partner is.
        address: String,
        /// What was seen.
        reason: String,
    },
    /// The request (`Own`) or its answer (`Partner`) is larger than allowed.
    #[error("{side} body is larger than {limit} bytes")]
    TooLarge {
        /// Whose body.
        side: Side,
        /// The limit, bytes.
        limit: usize,
    },
    /// The node is stopping.
    #[error("the node is stopping")]
    Shutdown,
}

impl LinkError {
    /// Whether waiting may be enough. When false, somebody has to do something first (see
    /// [`remedy`](Self::remedy)), here or at the partner, after which the same request can still succeed.
    pub const fn is_transient(&self) -> bool {
        matches!(self, Self::Unreachable { .. } | Self::Timeout { .. } | Self::Shutdown)
    }

    /// Of two attempts that failed, the error that tells a person more.
    pub(crate) fn or_rather(self, earlier: Self) -> Self {
        if self.is_transient() && !earlier.is_transient() { earlier } else { self }
    }
}

/// Why certificates, keys or lists cannot be used. Found when a node starts or reloads.
#[derive(Debug, thiserror::Error)]
pub enum TlsError {
    /// The file cannot be read.
    #[error("cannot read {}: {source}", path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// The file is larger than anything of its kind.
    #[error("{} is larger than {limit} bytes", path.display())]
    TooLarge {
        /// The file.
        path: PathBuf,
        /// The limit, bytes.
        limit: u64,
    },
    /// There is no certificate in it.
    #[error("{what} holds no certificate (PEM or DER)")]
    NoCertificate {
        /// Which file or setting.
        what: String,
    },
    /// There is no private key in it.
    #[error("{what} holds no private key (PEM)")]
    NoKey {
        /// Which file or setting.
        what: String,
    },
    /// There is no revocation list in it, or a broken one.
    #[error("{what} holds no usable revocation list (PEM or DER)")]
    NoRevocationList {
        /// Which file or setting.
        what: String,
    },
    /// The key is not that of the certificate.
    #[error("the private key does not belong to the certificate")]
    KeyMismatch,
    /// A node without an OIN is nobody.
    #[error("our own certificate cannot be used: {0}")]
    Nameless(#[from] PeerError),
    /// Without trust anchors nobody can be trusted.
    #[error("there are no usable trust anchors")]
    NoAnchors,
    /// Anything else the TLS library refuses.
    #[error("the TLS library refuses this: {0}")]
    Refused(String),
}

/// A server cannot listen.
#[derive(Debug, thiserror::Error)]
#[error("cannot listen on {address} ({carrier}): {source}")]
pub struct BindError {
    /// Which of the two.
    pub carrier: Carrier,
    /// Where.
    pub address: SocketAddr,
    /// Why.
    pub source: io::Error,
}
