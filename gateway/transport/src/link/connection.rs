//! A connection to a partner, whichever carrier it is.

use super::{Carrier, Endpoint, quic, tcp};
use crate::{LinkError, Request, Response, body::Buffer};

/// A request on a connection failed.
#[derive(Debug)]
pub(super) struct Failure {
    pub(super) error: LinkError,
    /// The connection is of no further use.
    pub(super) lost: bool,
}

impl Failure {
    /// The connection, if any, has nothing to do with it.
    pub(super) const fn of_request(error: LinkError) -> Self {
        Self { error, lost: false }
    }
}

#[derive(Debug)]
pub(super) struct Connection {
    generation: u64,
    address: String,
    wire: Wire,
}

#[derive(Debug)]
enum Wire {
    Tcp(tcp::Wire),
    Quic(quic::Wire),
}

impl Connection {
    pub(super) fn tcp(generation: u64, address: &str, wire: tcp::Wire) -> Self {
        Self { generation, address: address.to_owned(), wire: Wire::Tcp(wire) }
    }

    pub(super) fn quic(generation: u64, address: &str, wire: quic::Wire) -> Self {
        Self { generation, address: address.to_owned(), wire: Wire::Quic(wire) }
    }

    pub(super) const fn carrier(&self) -> Carrier {
        match self.wire {
            Wire::Tcp(_) => Carrier::Tcp,
            Wire::Quic(_) => Carrier::Quic,
        }
    }

    /// Of which set of certificates it is.
    pub(super) const fn generation(&self) -> u64 {
        self.generation
    }

    /// Whether it goes to where the partner is said to be.
    pub(super) fn goes_to(&self, endpoint: &Endpoint) -> bool {
        match self.carrier() {
            Carrier::Tcp => self.address == endpoint.tcp,
            Carrier::Quic => endpoint.quic.as_ref() == Some(&self.address),
        }
    }

    pub(super) fn is_closed(&self) -> bool {
        match &self.wire {
            Wire::Tcp(wire) => wire.is_closed(),
            Wire::Quic(wire) => wire.is_closed(),
        }
    }

    /// Sends a request and takes in its answer, which waits for room in `buffer`.
    pub(super) async fn exchange(&self, request: &Request, buffer: &Buffer) -> Result<Response, Failure> {
        match &self.wire {
            Wire::Tcp(wire) => wire.exchange(&self.address, request, buffer).await,
            Wire::Quic(wire) => wire.exchange(&self.address, request, buffer).await,
        }
    }
}
