//! `schakel serve`.

use clap::Args;
use tokio::signal::unix::{Signal, SignalKind, signal};

use super::{Ending, Output};
use crate::{agreements::outlook, drop_folders, node::Node, setup};

/// Start het knooppunt: luister naar partners, bezorg wat klaarstaat en let op de mappen van de koppelingen.
#[derive(Debug, Args)]
#[command(
    after_help = "Voorbeelden:\n  schakel serve --map /var/lib/schakel\n  SCHAKEL_LOG=debug schakel serve\n\nStop met Ctrl-C of SIGTERM: lopende verzoeken worden afgemaakt en er gaat niets verloren."
)]
pub(super) struct Serve {}

impl Serve {
    pub(super) async fn run(self, node: &Node, output: Output) -> anyhow::Result<Ending> {
        // Before anybody can know that the node is there: who then asks it to stop is heard.
        let mut stop = Stop::listen()?;
        setup::check_before_serving(node)?;
        let running = node.start().await?;
        let folders = drop_folders::start(node)?;
        let address = running.server.tcp_addr();
        output.say(format!(
            "Het knooppunt van {} luistert op {address}{}. Stop met Ctrl-C.",
            node.config.organisatie.naam,
            running.server.quic_addr().map_or_else(String::new, |_| " (TCP en QUIC)".to_owned()),
        ));
        if let Some(api) = &running.api {
            output.say(format!("De API voor eigen systemen luistert op https://{}/v1.", api.address()));
        }
        let soon = outlook::expiring(&node.core.rules(), node.core.me, node.core.now());
        for one in &soon {
            output.say(super::agreement::ends_soon(one));
        }
        let soon: Vec<_> = soon
            .iter()
            .map(|one| serde_json::json!({ "convenant": one.agreement, "titel": one.title, "dagen_geldig": one.days }))
            .collect();
        output.answer(&serde_json::json!({
            "luistert": address.to_string(),
            "api": running.api.as_ref().map(|api| api.address().to_string()),
            "convenanten_die_eindigen": soon,
            "quic": running.server.quic_addr().map(|address| address.to_string()),
        }));
        stop.asked().await;
        tracing::info!("stopping");
        folders.stop();
        running.stop().await;
        node.core.store.clone().close().await;
        Ok(Ending::Good)
    }
}

/// Ctrl-C or a request to stop (SIGTERM), heard from the moment this is made.
pub(super) struct Stop {
    interrupt: Signal,
    terminate: Signal,
}

impl Stop {
    pub(super) fn listen() -> std::io::Result<Self> {
        Ok(Self { interrupt: signal(SignalKind::interrupt())?, terminate: signal(SignalKind::terminate())? })
    }

    /// Waits until somebody asked.
    pub(super) async fn asked(&mut self) {
        tokio::select! {
            _ = self.interrupt.recv() => {}
            _ = self.terminate.recv() => {}
        }
    }
}
