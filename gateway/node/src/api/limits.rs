//! The limits of the local API: what a system of the organisation can make the node do.

use std::time::Duration;

/// The longest body, in bytes: as many documents as fit in one request, of a usual size.
pub(super) const BODY: usize = 4 << 20;
/// The longest head of a request, in bytes: a token with many roles takes some KiB.
pub(super) const HEAD: usize = 16 << 10;
/// The longest query, in bytes.
pub(super) const QUERY: usize = 4 << 10;
/// Connections at the same time, those that did not finish their handshake counted.
pub(super) const CONNECTIONS: usize = 256;
/// Requests that are being answered at the same time.
pub(super) const REQUESTS: usize = 64;
/// Requests at the same time on one connection.
pub(super) const REQUESTS_PER_CONNECTION: u32 = 32;
/// What bodies may hold in memory together, in KiB: eight of the largest.
pub(super) const BODIES_KIB: usize = 8 * (BODY >> 10);
/// How long a request waits for its turn.
pub(super) const TURN_TIME: Duration = Duration::from_secs(2);
/// From accepting a connection to being able to read from it.
pub(super) const HANDSHAKE_TIME: Duration = Duration::from_secs(10);
/// From the first byte of a head to its last, and how long a connection may be silent between two requests.
pub(super) const HEAD_TIME: Duration = Duration::from_secs(30);
/// From the first byte of a body to its last: the longest at 3.4 Mbit/s.
pub(super) const BODY_TIME: Duration = Duration::from_secs(10);
/// How long is read from a body that is not taken in, so that the answer arrives.
pub(super) const DRAIN_BODY_TIME: Duration = Duration::from_secs(2);
/// A connection on which nothing was asked for so long is closed.
pub(super) const IDLE_TIME: Duration = Duration::from_mins(2);
/// The longest life of a connection: then what is trusted now counts for it as well.
pub(super) const AGE: Duration = Duration::from_hours(1);
/// For what is left of a connection that is being closed.
pub(super) const DRAIN_TIME: Duration = Duration::from_secs(10);
/// Between pings on a connection (HTTP/2) where nothing happens.
pub(super) const PING: Duration = Duration::from_secs(30);
/// Requests of one client in a second, for longer than a moment.
pub(super) const RATE: u32 = 400;
/// Requests of one client that may come at once.
pub(super) const BURST: u32 = 800;
/// Requests from one address in a second that do not say who asks, or not in a way that is believed.
pub(super) const STRANGER_RATE: u32 = 5;
/// Those that may come at once.
pub(super) const STRANGER_BURST: u32 = 50;
/// Requests from one address in a second for what everybody may ask.
pub(super) const OPEN_RATE: u32 = 20;
/// Those that may come at once.
pub(super) const OPEN_BURST: u32 = 100;
/// Clients and addresses of which is remembered how much they asked.
pub(super) const REMEMBERED: usize = 4096;
/// Streams of events at the same time.
pub(super) const STREAMS: usize = 64;
/// Those of one client.
pub(super) const STREAMS_PER_CLIENT: usize = 8;
/// Parts of a stream that wait for a client to read them.
pub(super) const STREAM_PARTS: usize = 4;
/// How long a stream waits for a client to read before it ends.
pub(super) const SLOW_TIME: Duration = Duration::from_secs(30);
/// The longest life of a stream, within that of a connection.
pub(super) const STREAM_AGE: Duration = Duration::from_mins(50);
/// Between signs of life on a stream on which nothing happens.
pub(super) const HEARTBEAT: Duration = Duration::from_secs(15);
/// How long a client waits before it asks for a stream that ended.
pub(super) const STREAM_RETRY: Duration = Duration::from_secs(2);
/// Rows in one page.
pub(super) const PAGE: usize = 200;
/// Rows in one page when none is asked for.
pub(super) const USUAL_PAGE: usize = 50;
