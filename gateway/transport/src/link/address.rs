//! `host:port`: whose name has to be in the certificate, and which of its addresses answers first.

use std::{fmt::Display, net::SocketAddr, time::Duration};

use rustls::pki_types::ServerName;
use tokio::{net::lookup_host, task::JoinSet, time::sleep};

use crate::LinkError;

/// Addresses tried of one host: both families, and a few machines.
const ADDRESSES: usize = 8;
/// How long one address gets before the next is tried beside it (RFC 8305 §5).
const STAGGER: Duration = Duration::from_millis(250);

/// A partner's host, to be found in its certificate.
pub(super) fn server_name(address: &str) -> Result<ServerName<'static>, LinkError> {
    let host = address.rsplit_once(':').map(|(host, _)| host.trim_start_matches('[').trim_end_matches(']'));
    host.and_then(|host| ServerName::try_from(host.to_owned()).ok()).ok_or_else(|| LinkError::Protocol {
        address: address.to_owned(),
        reason: "the address is not host:port".into(),
    })
}

/// What `dial` gives for the address of this host that answers first. One family of addresses that leads nowhere
/// costs a moment, not the whole attempt.
pub(super) async fn first_of<T, F>(address: &str, dial: impl Fn(SocketAddr) -> F) -> Result<T, LinkError>
where
    T: Send + 'static,
    F: Future<Output = Result<T, LinkError>> + Send + 'static,
{
    let found = lookup_host(address).await.map_err(|error| unreachable(address, &error))?;
    let mut candidates = found.take(ADDRESSES).peekable();
    let mut last = unreachable(address, &"the host has no address");
    let mut attempts = JoinSet::new();
    loop {
        match candidates.next() {
            Some(candidate) => drop(attempts.spawn(dial(candidate))),
            None if attempts.is_empty() => return Err(last),
            None => {}
        }
        tokio::select! {
            done = attempts.join_next() => match done {
                Some(Ok(Ok(made))) => return Ok(made),
                Some(Ok(Err(error))) => last = error,
                Some(Err(_)) | None => {}
            },
            () = sleep(STAGGER), if candidates.peek().is_some() => {}
        }
    }
}

pub(super) fn unreachable(address: &str, reason: &dyn Display) -> LinkError {
    LinkError::Unreachable { address: address.to_owned(), reason: reason.to_string() }
}
