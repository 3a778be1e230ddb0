//! The limits on everything a partner, or a stranger, can make a node do.

use std::time::Duration;

/// A batch is at most 256 messages and 4 MiB (`gateway/PROTOCOL.md` §3).
const BODY: usize = 4 << 20;
/// A request line and five headers take a few hundred bytes.
const HEAD: u32 = 16 << 10;
/// Roughly two for every municipality and a housing corporation beside it.
const CONNECTIONS: usize = 1024;
/// A partner may run several processes, and each keeps one connection warm; a lost one stays counted until its
/// pings fail.
const CONNECTIONS_PER_PARTNER: usize = 32;
/// Handshakes cost a signature each: enough for everyone to come back after a restart, too few to fill memory.
const HANDSHAKES: usize = 256;
/// Organisations behind one address translation share an address.
const HANDSHAKES_PER_ADDRESS: usize = 32;
/// Each request is a batch, so that a hundred at a time is more than one connection carries.
const REQUESTS_PER_CONNECTION: u32 = 128;
/// Also bounds what a partner can start by opening streams and resetting them (HTTP/2 rapid reset).
const REQUESTS_PER_PARTNER: usize = 256;
/// Bodies in memory for everyone together: thirty-two of the largest.
const BUFFER: usize = 128 << 20;
/// And for one partner, so that one that reads or writes slowly holds up only itself.
const BUFFER_PER_PARTNER: usize = 16 << 20;
/// Two round trips and a signature; ten seconds is a bad line, more is a stranger holding a place.
const HANDSHAKE_TIME: Duration = Duration::from_secs(10);
/// 4 MiB at 1.2 Mbit/s.
const BODY_TIME: Duration = Duration::from_secs(30);
/// A connection on which nothing was asked for so long is closed; opening one again takes milliseconds.
const IDLE_TIME: Duration = Duration::from_mins(5);
/// Firewalls drop the state of silent TCP connections after minutes, so a ping well within that.
const KEEP_ALIVE: Duration = Duration::from_secs(30);
/// What is left of a connection after it was told to end.
const DRAIN_TIME: Duration = Duration::from_secs(30);
/// Address, handshake and first flight, on a bad line.
const CONNECT_TIME: Duration = Duration::from_secs(10);
/// The design's "fall back within a second" (`gateway/PROTOCOL.md` §8).
const QUIC_TIME: Duration = Duration::from_secs(1);
/// A partner that dies while it works on a request says nothing, and who only waits for the answer sends nothing that
/// would reveal it; over TCP the partner's system does that. A connection lives for [`IDLE_TIME`] at most after its
/// last request, so these pings are few.
const QUIC_PING: Duration = Duration::from_secs(1);
/// How long UDP that was found blocked is left alone.
const QUIC_RETRY: Duration = Duration::from_mins(10);
/// A partner answers when the outcome is durable, which takes milliseconds; a minute is a partner in trouble.
const REQUEST_TIME: Duration = Duration::from_mins(1);
/// Requests in flight to one partner; below the [`REQUESTS_PER_CONNECTION`] of the other side.
const LINK_REQUESTS_PER_PARTNER: usize = 100;
/// Requests in flight to everyone together.
const LINK_REQUESTS: usize = 1024;
/// Partners a link remembers: three times the organisations that could ever take part.
pub(crate) const PARTNERS: usize = 4096;
/// How long a connection's own task gets to say why it ended, after a request on it failed.
pub(crate) const VERDICT_TIME: Duration = Duration::from_secs(1);

/// What a server allows. The defaults are for a node with a few hundred partners.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Limits {
    /// Largest request body, bytes. More is answered with 413.
    pub request_body: usize,
    /// Largest response body, bytes. More is our own fault and becomes a 500.
    pub response_body: usize,
    /// Largest request head, bytes.
    pub head: u32,
    /// Authenticated connections, both carriers together.
    pub connections: usize,
    /// Authenticated connections of one partner.
    pub connections_per_partner: usize,
    /// Connections that have not finished their handshake.
    pub handshakes: usize,
    /// The same from one address (IPv4) or one /64 (IPv6).
    pub handshakes_per_address: usize,
    /// Requests at the same time on one connection.
    pub requests_per_connection: u32,
    /// Requests of one partner being handled at the same time.
    pub requests_per_partner: usize,
    /// Bytes of bodies in memory.
    pub buffer: usize,
    /// The same for one partner. At least the larger of the two bodies.
    pub buffer_per_partner: usize,
    /// From accepting a connection to knowing the partner.
    pub handshake_time: Duration,
    /// From a request's first byte to its last, and for a place in the buffers.
    pub body_time: Duration,
    /// Without any progress of any request the connection is closed.
    pub idle_time: Duration,
    /// Between pings on a connection where nothing happens.
    pub keep_alive: Duration,
    /// For requests in flight to finish on a connection that is being closed.
    pub drain_time: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            request_body: BODY,
            response_body: BODY,
            head: HEAD,
            connections: CONNECTIONS,
            connections_per_partner: CONNECTIONS_PER_PARTNER,
            handshakes: HANDSHAKES,
            handshakes_per_address: HANDSHAKES_PER_ADDRESS,
            requests_per_connection: REQUESTS_PER_CONNECTION,
            requests_per_partner: REQUESTS_PER_PARTNER,
            buffer: BUFFER,
            buffer_per_partner: BUFFER_PER_PARTNER,
            handshake_time: HANDSHAKE_TIME,
            body_time: BODY_TIME,
            idle_time: IDLE_TIME,
            keep_alive: KEEP_ALIVE,
            drain_time: DRAIN_TIME,
        }
    }
}

/// How a link behaves.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LinkOptions {
    /// Use QUIC with partners that announce it.
    pub quic: bool,
    /// Largest request body, bytes. More is refused before anything is sent.
    pub request_body: usize,
    /// Largest response body, bytes.
    pub response_body: usize,
    /// Largest response head, bytes.
    pub head: u32,
    /// Requests in flight, to all partners together.
    pub requests: usize,
    /// Requests in flight to one partner.
    pub requests_per_partner: usize,
    /// For a TCP connection to be up, authenticated.
    pub connect_time: Duration,
    /// For a QUIC connection to be up, before TCP is used instead.
    pub quic_time: Duration,
    /// How long QUIC is left alone at a partner where it failed.
    pub quic_retry: Duration,
    /// From [`Link::send`](crate::Link::send) to the whole answer.
    pub request_time: Duration,
    /// Between pings on a QUIC connection where nothing happens.
    pub quic_ping: Duration,
    /// Between pings on a TCP connection where nothing happens.
    pub keep_alive: Duration,
}

impl Default for LinkOptions {
    fn default() -> Self {
        Self {
            quic: true,
            request_body: BODY,
            response_body: BODY,
            head: HEAD,
            requests: LINK_REQUESTS,
            requests_per_partner: LINK_REQUESTS_PER_PARTNER,
            connect_time: CONNECT_TIME,
            quic_time: QUIC_TIME,
            quic_retry: QUIC_RETRY,
            request_time: REQUEST_TIME,
            quic_ping: QUIC_PING,
            keep_alive: KEEP_ALIVE,
        }
    }
}
