//! `host:port`, and whose name has to be in the certificate.

use std::net::SocketAddr;

use rustls::pki_types::ServerName;
use tokio::net::lookup_host;

use crate::LinkError;

/// Addresses tried of one host: both families, and a few machines.
const ADDRESSES: usize = 8;

/// A partner's host, to be found in its certificate.
pub(super) fn server_name(address: &str) -> Result<ServerName<'static>, LinkError> {
    let host = address.rsplit_once(':').map(|(host, _)| host.trim_start_matches('[').trim_end_matches(']'));
    host.and_then(|host| ServerName::try_from(host.to_owned()).ok()).ok_or_else(|| LinkError::Protocol {
        address: address.to_owned(),
        reason: "the address is not host:port".into(),
    })
}

/// The addresses of a partner's host.
pub(super) async fn resolve(address: &str) -> Result<Vec<SocketAddr>, LinkError> {
    let found: Vec<_> = lookup_host(address).await.map_err(|error| unreachable(address, &error))?.collect();
    if found.is_empty() {
        return Err(unreachable(address, &"the host has no address"));
    }
    Ok(found.into_iter().take(ADDRESSES).collect())
}

pub(super) fn unreachable(address: &str, reason: &dyn std::fmt::Display) -> LinkError {
    LinkError::Unreachable { address: address.to_owned(), reason: reason.to_string() }
}
