//! Which connection a request goes over, and how one is made.

use std::sync::Arc;

use tokio::time::timeout;
use tracing::debug;

use super::{Carrier, Connection, Endpoint, Inner, Link, Partner, quic, tcp};
use crate::LinkError;

impl Link {
    /// A connection to the partner, and whether it was made for this request.
    pub(super) async fn connection(
        &self,
        partner: &Arc<Partner>,
        endpoint: &Endpoint,
    ) -> Result<(Arc<Connection>, bool), LinkError> {
        let generation = self.0.tls.generation();
        if let Some(connection) = partner.usable(endpoint, generation) {
            self.consider_quic(partner, endpoint, &connection);
            return Ok((connection, false));
        }
        let seen = partner.attempts();
        let mut last = partner.connecting().await;
        if let Some(connection) = partner.usable(endpoint, generation) {
            return Ok((connection, false));
        }
        if let Some(error) = last.as_ref().filter(|_| partner.attempts() != seen) {
            // Somebody tried while this one waited; trying again in turn would take a time-out each.
            return Err(error.clone());
        }
        // Rare and large: on the heap, so that the requests that need no new connection stay small.
        let made = Box::pin(self.0.connect(partner, endpoint)).await.map(Arc::new);
        partner.attempted(&mut last, made.as_ref().err().cloned());
        let connection = made?;
        partner.keep(connection.clone());
        Ok((connection, true))
    }

    /// Moves from TCP to QUIC beside the requests, when QUIC has not been tried for a while.
    fn consider_quic(&self, partner: &Arc<Partner>, endpoint: &Endpoint, connection: &Connection) {
        let Some(address) = self.0.quic_address(endpoint) else { return };
        if connection.carrier() == Carrier::Quic || !partner.claim_quic(self.0.options.quic_retry) {
            return;
        }
        let (inner, partner, endpoint) = (self.0.clone(), partner.clone(), endpoint.clone());
        let address = address.to_owned();
        tokio::spawn(async move {
            if let Ok(connection) = inner.try_quic(&endpoint, &address).await {
                partner.quic_works();
                partner.keep(Arc::new(connection));
            }
        });
    }
}

impl Inner {
    async fn connect(&self, partner: &Partner, endpoint: &Endpoint) -> Result<Connection, LinkError> {
        let Some(address) = self.quic_address(endpoint).filter(|_| partner.may_try_quic()) else {
            return self.connect_tcp(endpoint).await;
        };
        match self.try_quic(endpoint, address).await {
            Ok(connection) => Ok(connection),
            Err(finding) => {
                partner.avoid_quic(self.options.quic_retry);
                self.connect_tcp(endpoint).await.map_err(|error| error.or_rather(finding))
            }
        }
    }

    async fn connect_tcp(&self, endpoint: &Endpoint) -> Result<Connection, LinkError> {
        let limit = self.options.connect_time;
        let connecting = tcp::connect(&self.tls, &self.options, endpoint);
        timeout(limit, connecting).await.unwrap_or_else(|_| {
            let reason = format!("no connection within {limit:?}");
            Err(LinkError::Unreachable { address: endpoint.tcp.clone(), reason })
        })
    }

    /// Where the partner takes QUIC, if both sides want it.
    fn quic_address<'a>(&self, endpoint: &'a Endpoint) -> Option<&'a str> {
        endpoint.quic.as_deref().filter(|_| self.options.quic)
    }

    /// A QUIC connection, if there is one in time.
    async fn try_quic(&self, endpoint: &Endpoint, address: &str) -> Result<Connection, LinkError> {
        let limit = self.options.quic_time;
        let connecting = quic::connect(self, endpoint.oin, address);
        let outcome = timeout(limit, connecting)
            .await
            .unwrap_or_else(|_| Err(LinkError::Timeout { address: address.to_owned(), after: limit }));
        outcome.inspect_err(|error| debug!(partner = %endpoint.oin, %error, "no QUIC, using TCP"))
    }
}
