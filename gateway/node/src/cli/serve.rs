//! `schakel serve`.

use clap::Args;

use super::{Ending, Output};
use crate::{drop_folders, node::Node, setup};

/// Start het knooppunt: luister naar partners, bezorg wat klaarstaat en let op de mappen van de koppelingen.
#[derive(Debug, Args)]
#[command(
    after_help = "Voorbeelden:\n  schakel serve --map /var/lib/schakel\n  SCHAKEL_LOG=debug schakel serve\n\nStop met Ctrl-C of SIGTERM: lopende verzoeken worden afgemaakt en er gaat niets verloren."
)]
pub(super) struct Serve {}

impl Serve {
    pub(super) async fn run(self, node: &Node, output: Output) -> anyhow::Result<Ending> {
        setup::check_before_serving(node)?;
        let running = node.start().await?;
        let folders = drop_folders::start(node)?;
        let address = running.server.tcp_addr();
        output.say(format!(
            "Het knooppunt van {} luistert op {address}{}. Stop met Ctrl-C.",
            node.config.organisatie.naam,
            running.server.quic_addr().map_or_else(String::new, |_| " (TCP en QUIC)".to_owned()),
        ));
        output.answer(&serde_json::json!({
            "luistert": address.to_string(),
            "quic": running.server.quic_addr().map(|address| address.to_string()),
        }));
        stop_signal().await?;
        tracing::info!("stopping");
        folders.stop();
        running.stop().await;
        node.core.store.clone().close().await;
        Ok(Ending::Good)
    }
}

/// Waits for Ctrl-C or a request to stop.
pub(super) async fn stop_signal() -> std::io::Result<()> {
    let mut terminate = tokio::signal::unix::signal(tokio::signal::unix::SignalKind::terminate())?;
    tokio::select! {
        result = tokio::signal::ctrl_c() => result,
        _ = terminate.recv() => Ok(()),
    }
}
