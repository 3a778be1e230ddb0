//! How many may come in, and how much each may bring.

use std::{
    collections::{HashMap, hash_map::Entry},
    net::{IpAddr, Ipv6Addr},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use exchange::oin::Oin;
use tokio::sync::Semaphore;

use crate::{Limits, body::Buffer};

/// A limit on connections that was reached.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(super) enum Full {
    #[error("too many handshakes at the same time")]
    Handshakes,
    #[error("too many handshakes from one address at the same time")]
    HandshakesOfAddress,
    #[error("too many connections")]
    Connections,
    #[error("too many connections of one partner")]
    ConnectionsOfPartner,
}

/// Counts handshakes and connections.
#[derive(Debug)]
pub(super) struct Gate(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    limits: Limits,
    buffer: Arc<Semaphore>,
    counts: Mutex<Counts>,
}

#[derive(Debug, Default)]
struct Counts {
    handshakes: usize,
    handshakes_of: HashMap<IpAddr, usize>,
    connections: usize,
    partners: HashMap<Oin, Partner>,
}

#[derive(Debug)]
struct Partner {
    connections: usize,
    requests: Arc<Semaphore>,
    buffer: Buffer,
}

/// A handshake that is being counted, until dropped.
#[derive(Debug)]
pub(super) struct Knock {
    gate: Arc<Inner>,
    address: IpAddr,
}

/// A connection that is being counted, until dropped, with the shares of its partner.
#[derive(Debug)]
pub(super) struct Seat {
    gate: Arc<Inner>,
    oin: Oin,
    /// Requests being handled for this partner.
    pub(super) requests: Arc<Semaphore>,
    /// Bodies in memory for this partner.
    pub(super) buffer: Buffer,
}

impl Gate {
    pub(super) fn new(limits: &Limits) -> Self {
        let buffer = Arc::new(Semaphore::new(limits.buffer));
        Self(Arc::new(Inner { limits: limits.clone(), buffer, counts: Mutex::default() }))
    }

    /// Somebody unknown connects from `address`.
    pub(super) fn knock(&self, address: IpAddr) -> Result<Knock, Full> {
        let address = network(address);
        let mut counts = self.0.counts();
        if counts.handshakes >= self.0.limits.handshakes {
            return Err(Full::Handshakes);
        }
        let of_address = counts.handshakes_of.entry(address).or_default();
        if *of_address >= self.0.limits.handshakes_per_address {
            return Err(Full::HandshakesOfAddress);
        }
        *of_address += 1;
        counts.handshakes += 1;
        Ok(Knock { gate: self.0.clone(), address })
    }

    /// Whether so many handshakes are going on that strangers should first show they can receive (QUIC retry).
    pub(super) fn is_crowded(&self) -> bool {
        self.0.counts().handshakes > self.0.limits.handshakes / 2
    }

    /// A partner proved who it is.
    pub(super) fn admit(&self, oin: Oin) -> Result<Seat, Full> {
        let limits = &self.0.limits;
        let mut counts = self.0.counts();
        if counts.connections >= limits.connections {
            return Err(Full::Connections);
        }
        let partner = counts.partners.entry(oin).or_insert_with(|| Partner {
            connections: 0,
            requests: Arc::new(Semaphore::new(limits.requests_per_partner)),
            buffer: Buffer::new(self.0.buffer.clone(), limits.buffer_per_partner),
        });
        if partner.connections >= limits.connections_per_partner {
            return Err(Full::ConnectionsOfPartner);
        }
        partner.connections += 1;
        let (requests, buffer) = (partner.requests.clone(), partner.buffer.clone());
        counts.connections += 1;
        Ok(Seat { gate: self.0.clone(), oin, requests, buffer })
    }
}

impl Inner {
    fn counts(&self) -> MutexGuard<'_, Counts> {
        self.counts.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Knock {
    fn drop(&mut self) {
        let mut counts = self.gate.counts();
        counts.handshakes -= 1;
        if let Entry::Occupied(mut entry) = counts.handshakes_of.entry(self.address) {
            *entry.get_mut() -= 1;
            if *entry.get() == 0 {
                entry.remove();
            }
        }
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        let mut counts = self.gate.counts();
        counts.connections -= 1;
        if let Entry::Occupied(mut entry) = counts.partners.entry(self.oin) {
            entry.get_mut().connections -= 1;
            if entry.get().connections == 0 {
                entry.remove();
            }
        }
    }
}

/// What one stranger has: an IPv4 address, or a /64 of IPv6.
fn network(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V4(address) => address.into(),
        IpAddr::V6(address) => Ipv6Addr::from_bits(address.to_bits() & (u128::MAX << 64)).into(),
    }
}

#[cfg(test)]
mod tests;
