//! What both sides of the QUIC carrier share.

use std::{io, net::SocketAddr, sync::Arc, time::Duration};

use quinn::{
    AckFrequencyConfig, Endpoint, EndpointConfig, MtuDiscoveryConfig, TokioRuntime, TransportConfig, VarInt,
    congestion::CubicConfig,
};
use quinn_proto::HashedConnectionIdGenerator;
use socket2::{Domain, Protocol, Socket, Type};

use crate::tls::ResetKeys;

/// Sent before the first acknowledgement, bytes, paced: a small batch arrives in one round trip.
const INITIAL_WINDOW: u64 = 64 << 10;
/// The largest datagram that is looked for, bytes. Most networks turn out to carry 1,472, where each datagram costs
/// both sides two microseconds; where more gets through (one machine, one data centre) that halves the work per
/// batch. The library hands the system ten datagrams at a time, and the system takes 65,507 bytes.
const DATAGRAM: u16 = 6500;
/// Acknowledge after so many datagrams rather than every second one.
const ACK_AFTER: u32 = 4;

/// The connection is no longer needed, or the node stops. The request on it may be sent again.
pub(crate) const CLOSE_DONE: VarInt = VarInt::from_u32(0);
/// The partner has too many connections.
pub(crate) const CLOSE_BUSY: VarInt = VarInt::from_u32(1);
/// The certificate was good and is no longer.
pub(crate) const CLOSE_UNTRUSTED: VarInt = VarInt::from_u32(2);

/// Asked of the system for a socket's buffers. It gives what it allows; more means fewer losses in a burst.
const SOCKET_BUFFER: usize = 4 << 20;
/// Unread data of one connection: two of the largest bodies.
const WINDOW: u32 = 8 << 20;

/// Flow control, timeouts and congestion control of a connection, with a ping when there was silence for `ping`.
pub(crate) fn transport(
    streams: u32,
    largest: usize,
    ping: Duration,
    keep_alive: Duration,
) -> TransportConfig {
    let mut config = TransportConfig::default();
    let largest = u32::try_from(largest + (64 << 10)).unwrap_or(u32::MAX >> 2);
    config
        .max_concurrent_bidi_streams(streams.into())
        .max_concurrent_uni_streams(0_u32.into())
        .datagram_receive_buffer_size(None)
        // A whole body flows without waiting for permission.
        .stream_receive_window(largest.into())
        .receive_window(WINDOW.max(largest).into())
        .send_window(u64::from(WINDOW))
        .keep_alive_interval(Some(ping))
        .max_idle_timeout((keep_alive + keep_alive / 2).try_into().ok());
    tune(&mut config);
    config
}

/// Measured with `examples/throughput.rs`.
fn tune(config: &mut TransportConfig) {
    let mut congestion = CubicConfig::default();
    congestion.initial_window(INITIAL_WINDOW);
    let mut mtu = MtuDiscoveryConfig::default();
    mtu.upper_bound(DATAGRAM);
    let mut acks = AckFrequencyConfig::default();
    acks.ack_eliciting_threshold(ACK_AFTER.into());
    config
        .congestion_controller_factory(Arc::new(congestion))
        .mtu_discovery_config(Some(mtu))
        .ack_frequency_config(Some(acks));
}

/// A socket with room, and an endpoint on it.
pub(crate) fn endpoint(
    address: SocketAddr,
    keys: &ResetKeys,
    server: Option<quinn::ServerConfig>,
) -> io::Result<Endpoint> {
    let socket = Socket::new(Domain::for_address(address), Type::DGRAM, Some(Protocol::UDP))?;
    if address.is_ipv6() && address.ip().is_unspecified() {
        // One socket for both families, as TCP listeners have.
        let _ = socket.set_only_v6(false);
    }
    let _ = socket.set_recv_buffer_size(SOCKET_BUFFER);
    let _ = socket.set_send_buffer_size(SOCKET_BUFFER);
    socket.bind(&address.into())?;
    let mut config = EndpointConfig::new(keys.resets.clone());
    let identifiers = keys.identifiers;
    config.cid_generator(move || Box::new(HashedConnectionIdGenerator::from_key(identifiers)));
    config.max_udp_payload_size(DATAGRAM).map_err(io::Error::other)?;
    Endpoint::new(config, server, socket.into(), Arc::new(TokioRuntime))
}
