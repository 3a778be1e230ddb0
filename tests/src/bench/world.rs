//! The two nodes of a measurement: made with an authority of their own, partners by descriptor, and agreed through the
//! nodes' own code, as a person would have it done.

use std::{
    net::{Ipv4Addr, TcpListener},
    path::{Path, PathBuf},
    sync::Arc,
};

use anyhow::{Context as _, ensure};
use exchange::{
    agreement::{AnswerKind, Clause, Content, Party, Standing},
    clock::Clock as _,
    oin::Oin,
    organisation::OrganisationKind,
    purpose::Purpose,
    rulebook::Rulebook,
    signature::Signer,
};
use jiff::ToSpan as _;
use node::{
    agreements,
    config::{Config, Network, Organisation, Storage, Tls},
    node::Node,
    partners, setup,
    system::{SystemClock, SystemRandom},
};
use transport::Endpoint;

use super::{message, options::Transport};

const SENDER: &str = "00000099000000001000";
const RECEIVER: &str = "00000099000000003000";

/// Two nodes that agreed, at rest.
pub(super) struct World {
    /// The folder of the sending node.
    pub(super) sender: PathBuf,
    /// The folder of the receiving node.
    pub(super) receiver: PathBuf,
    /// Where the receiving node is.
    pub(super) endpoint: Endpoint,
    /// Who sends.
    pub(super) from: Oin,
    /// The key the sender signs with.
    pub(super) signer: Arc<dyn Signer>,
    /// What both decide by.
    pub(super) rules: Arc<Rulebook>,
}

impl World {
    /// Makes the nodes in `root` and lets them agree.
    pub(super) async fn make(root: &Path, transport: Transport) -> anyhow::Result<Self> {
        let clock = Arc::new(SystemClock);
        let authority = setup::trial_authority(&root.join("autoriteit"), clock.now(), &SystemRandom)?;
        let mut nodes = Vec::new();
        for (name, config) in [
            ("gemeente", config(SENDER, "Gemeente Rivierstad", OrganisationKind::Municipality, transport)?),
            (
                "sociale-dienst",
                config(RECEIVER, "Sociale Dienst", OrganisationKind::SocialService, transport)?,
            ),
        ] {
            let folder = root.join(name);
            setup::create(&folder, &config, Some(&authority), clock.now(), Arc::new(SystemRandom)).await?;
            nodes.push(Node::open(&folder, clock.clone(), Arc::new(SystemRandom)).await?);
        }
        let nodes: [Node; 2] = nodes.try_into().ok().context("two nodes")?;
        agree(&nodes).await?;
        let [sender, receiver] = nodes;
        let world = Self {
            endpoint: partners::endpoint_of(&receiver.descriptor()),
            from: sender.core.me,
            signer: sender.core.signer.clone(),
            rules: sender.core.rules(),
            sender: sender.folder.clone(),
            receiver: receiver.folder.clone(),
        };
        sender.core.store.clone().close().await;
        receiver.core.store.clone().close().await;
        Ok(world)
    }

    /// Who receives.
    pub(super) const fn to(&self) -> Oin {
        self.endpoint.oin
    }
}

fn config(oin: &str, name: &str, kind: OrganisationKind, transport: Transport) -> anyhow::Result<Config> {
    // A port that is free now; the node is started again on the same one.
    let address = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()?;
    Ok(Config {
        organisatie: Organisation {
            oin: oin.parse()?,
            naam: name.into(),
            soort: kind,
            contact: "schakel@voorbeeld.test".into(),
            fg: "fg@voorbeeld.test".into(),
        },
        netwerk: Network { luister: address, adres: address.to_string(), quic: transport == Transport::Quic },
        tls: Tls::default(),
        opslag: Storage::default(),
        dataverwerkingen: None,
        api: None,
        koppelingen: Vec::new(),
        loketten: Vec::new(),
    })
}

async fn agree(nodes: &[Node; 2]) -> anyhow::Result<()> {
    let [proposer, other] = nodes;
    let running = [proposer.start().await?, other.start().await?];
    for (node, partner) in [(proposer, other), (other, proposer)] {
        let descriptor = partner.descriptor().sign(&*partner.core.signer)?;
        partners::add(&node.core, &descriptor, false).await?;
    }
    let purposes: Vec<Purpose> = proposer
        .purposes()?
        .into_iter()
        .filter(|purpose| purpose.content().doel == message::PURPOSE)
        .collect();
    let now = proposer.core.now();
    let text = agreement(nodes.each_ref().map(Node::party).into(), &purposes, now)?;
    let digest = agreements::propose(&proposer.core, &text, &purposes).await?;
    agreements::spread(&proposer.core, &proposer.link).await?;
    agreements::answer(&other.core, digest, AnswerKind::Accepted).await?;
    agreements::spread(&other.core, &other.link).await?;
    for node in nodes {
        node.core.reload().await?;
        let rules = node.core.rules();
        let standing = rules.agreement(digest).map(|agreement| agreement.standing(now));
        ensure!(standing == Some(Standing::InForce), "the nodes did not agree: {standing:?}");
    }
    for running in running {
        running.stop().await;
    }
    Ok(())
}

fn agreement(parties: Vec<Party>, purposes: &[Purpose], now: jiff::Timestamp) -> anyhow::Result<String> {
    let everybody: Vec<Oin> = parties.iter().map(|party| party.oin).collect();
    let yesterday = now.to_zoned(jiff::tz::TimeZone::UTC).date().checked_sub(1.day())?;
    let clause = |purpose: &Purpose| Clause {
        doel: purpose.content().doel.clone(),
        doel_digest: purpose.digest(),
        van: everybody.clone(),
        naar: everybody.clone(),
        berichttypen: purpose.content().berichten.iter().map(|rule| rule.message_type.clone()).collect(),
    };
    let content = Content {
        groep: "meting".into(),
        versie: 1,
        afspraken: purposes.iter().map(clause).collect(),
        partijen: parties,
        geldig_van: yesterday,
        geldig_tot: yesterday.checked_add(1.year())?,
    };
    Ok(serde_json::to_string(&content)?)
}
