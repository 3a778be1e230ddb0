//! The demonstration: five organisations on this machine, each with its own keys, certificate, database and port,
//! exchanging over real connections.
//!
//! [`Demo::set_up`] makes or opens the nodes and lets them agree through the protocol; [`Demo::exchange`] sends the
//! export and the feedback, and plays the handovers; [`Outcome`] says what happened and whether it adds up.

use std::{
    net::{Ipv4Addr, SocketAddr, TcpListener},
    path::Path,
    sync::Arc,
    time::Duration,
};

use anyhow::{Context as _, bail};
use exchange::{agreement::Standing, clock::Clock, organisation::OrganisationKind, random::Random};
use store::{Access, Actor, Deed, Reason, State, Why};
use transport::BindError;

use crate::{
    agreements,
    config::{Config, Connection, Network, Organisation, Storage, Tls},
    drop_folders::{self, DropFolders},
    intake::{self, Offer},
    keys,
    node::{Node, Running},
    partners, setup,
};

mod agreement;
mod clock;
mod consent;
mod feedback;
mod handovers;
mod household;
mod outcome;
mod place;
mod sending;

use clock::DemoClock;
pub use consent::ConsentOutcome;
pub use handovers::{HandoverOutcome, Holding};
pub use outcome::{OrganisationOutcome, Outcome};
use outcome::{Told, Totals};
pub use place::{check_place, place_export};

/// The mapping of the corporation's export.
const MAPPING: &str = "koppelingen/woningcorporatie-achterstanden.toml";
/// The purpose of handovers that rest on the task of each organisation.
const PURPOSE_OF_HANDOVERS: &str = "overdracht-werk-en-inkomen";
/// The folder of the authority that issues their certificates.
const AUTHORITY: &str = "autoriteit";
/// How long the organisations get to agree, and to deliver a whole export.
const PATIENCE: Duration = Duration::from_mins(1);
/// How many ports are tried for a node.
const PORTS_TRIED: usize = 8;
/// How often to look whether they are done.
const LOOK: Duration = Duration::from_millis(20);

/// An organisation that takes part.
struct Participant {
    folder: &'static str,
    oin: &'static str,
    name: &'static str,
    kind: OrganisationKind,
}

const MUNICIPALITY: usize = 0;
const CORPORATION: usize = 1;
const SOCIAL_SERVICE: usize = 2;
const UWV: usize = 3;
const ENERGY_SUPPLIER: usize = 4;

/// Test OINs (prefix 00000099) and invented organisations.
const PARTICIPANTS: [Participant; 5] = [
    Participant {
        folder: "gemeente",
        oin: "00000099000000001000",
        name: "Gemeente Rivierstad",
        kind: OrganisationKind::Municipality,
    },
    Participant {
        folder: "woningcorporatie",
        oin: "00000099000000002000",
        name: "Woningcorporatie De Sleutel",
        kind: OrganisationKind::HousingCorporation,
    },
    Participant {
        folder: "sociale-dienst",
        oin: "00000099000000003000",
        name: "Sociale Dienst De Rivieren",
        kind: OrganisationKind::SocialService,
    },
    Participant {
        folder: "uwv",
        oin: "00000099000000004000",
        name: "UWV Rivierenland",
        kind: OrganisationKind::Uwv,
    },
    Participant {
        folder: "energieleverancier",
        oin: "00000099000000005000",
        name: "Energie Rivierenland",
        kind: OrganisationKind::FixedCostsProvider,
    },
];

/// Five running nodes.
pub struct Demo {
    nodes: Vec<Node>,
    running: Vec<Running>,
    folders: Vec<DropFolders>,
    clock: Arc<DemoClock>,
}

/// The organisations that hand over.
struct Cast<'a> {
    municipality: &'a Node,
    social_service: &'a Node,
    uwv: &'a Node,
}

impl<'a> Cast<'a> {
    fn of(nodes: &'a [Node]) -> Self {
        Self { municipality: &nodes[MUNICIPALITY], social_service: &nodes[SOCIAL_SERVICE], uwv: &nodes[UWV] }
    }
}

impl Demo {
    /// Makes the nodes in `root`, or opens those that are there, starts them and lets them agree.
    pub async fn set_up(root: &Path, clock: Arc<dyn Clock>, random: Arc<dyn Random>) -> anyhow::Result<Self> {
        let demo_clock = Arc::new(DemoClock::new(clock));
        let clock: Arc<dyn Clock> = demo_clock.clone();
        let authority = setup::trial_authority(&root.join(AUTHORITY), clock.now(), &*random)?;
        let mut demo =
            Self { nodes: Vec::new(), running: Vec::new(), folders: Vec::new(), clock: demo_clock };
        for participant in &PARTICIPANTS {
            let folder = root.join(participant.folder);
            if !folder.join(crate::config::FILE).exists() {
                let config = config(participant)?;
                setup::create(&folder, &config, Some(&authority), clock.now(), random.clone()).await?;
            }
            let (node, running) = start(&folder, &clock, &random).await?;
            let folders = drop_folders::start(&node)?;
            demo.nodes.push(node);
            demo.running.push(running);
            demo.folders.push(folders);
        }
        demo.introduce().await?;
        demo.agree().await?;
        Ok(demo)
    }

    /// Every node asks every other for its descriptor, over mutual TLS, and keeps it as a partner.
    async fn introduce(&self) -> anyhow::Result<()> {
        for node in &self.nodes {
            for other in self.nodes.iter().filter(|other| other.core.me != node.core.me) {
                let endpoint = partners::endpoint_of(&other.descriptor());
                let mut fetched = partners::fetch(&node.link, &endpoint).await;
                if fetched.is_err() {
                    // The node may still be dialling the address of an earlier run.
                    node.link.forget(endpoint.oin);
                    fetched = partners::fetch(&node.link, &endpoint).await;
                }
                let (text, _) = fetched?;
                partners::add(&node.core, &text, false).await?;
            }
        }
        Ok(())
    }

    /// The municipality proposes an agreement; the others read it and accept.
    async fn agree(&self) -> anyhow::Result<()> {
        let proposer = &self.nodes[MUNICIPALITY];
        let now = proposer.core.now();
        let in_force =
            |node: &Node| node.core.rules().agreements().any(|one| one.standing(now) == Standing::InForce);
        if self.nodes.iter().all(in_force) {
            return Ok(());
        }
        let purposes = proposer.purposes()?;
        let text = agreement::text(&self.nodes, &purposes, now)?;
        let digest = agreements::propose(&proposer.core, &text, &purposes).await?;
        agreements::spread(&proposer.core, &proposer.link).await?;
        for node in &self.nodes {
            agreements::answer(&node.core, digest, exchange::agreement::AnswerKind::Accepted).await?;
            for result in agreements::spread(&node.core, &node.link).await? {
                if let Some(problem) = result.problem {
                    bail!("{} kreeg het convenant niet: {problem}", result.to);
                }
            }
        }
        let agreed = wait_until(async || Ok(self.nodes.iter().all(in_force))).await?;
        if agreed { Ok(()) } else { bail!("de organisaties werden het niet op tijd eens over het convenant") }
    }

    /// Sends the export from the corporation to the municipality, and feedback on every signal back; two signals about one
    /// household; handovers. Then a handover with a resident's consent, which is withdrawn; its evidence is written to
    /// `proofs`. Before what takes a while it says what begins.
    pub async fn exchange(
        &mut self,
        export: &Path,
        proofs: &Path,
        progress: &(dyn Fn(&str) + Sync),
    ) -> anyhow::Result<Outcome> {
        let Self { nodes, running, clock, .. } = self;
        let (municipality, corporation) = (&nodes[MUNICIPALITY], &nodes[CORPORATION]);
        let supplier = &nodes[ENERGY_SUPPLIER];
        household::signal(municipality, corporation, supplier).await?;
        let mapping = drop_folders::mapping(&corporation.folder.join(MAPPING))?;
        let before = Totals::of(corporation).await?;
        let by = access(corporation, Deed::Besluit, Reason::Dossier)?;
        let offer =
            Offer { mapping: &mapping, to: municipality.core.me, path: export, rejects: None, by: &by };
        let read = intake::take_in(&corporation.core, &offer, |_| {})
            .await
            // The name as it was given: the copy in a temporary folder tells nobody anything.
            .with_context(|| export.file_name().unwrap_or_default().to_string_lossy().into_owned())?;
        settled(corporation).await?;
        feedback::give(municipality, corporation.core.me).await?;
        settled(municipality).await?;
        progress("De signalen zijn aangekomen. Nu dragen de organisaties inwoners aan elkaar over…");
        let cast = Cast::of(nodes);
        let handovers = handovers::tell(&cast, clock, (running, SOCIAL_SERVICE)).await?;
        progress("De overdrachten zijn klaar. Nu geeft een inwoner toestemming, en trekt die weer in…\n");
        let (consent, papers) = consent::tell(&cast).await?;
        let joined = household::joined(municipality, corporation, supplier).await?;
        let file = |ending: &str| proofs.join(format!("schakel-demo-{}.{ending}", papers.proof.message));
        let (proof, report) = (file("bewijs.json"), file("inzage.html"));
        keys::write_private(&proof, &papers.proof.bundle)?;
        keys::write_private(&report, &papers.report)?;
        let told = Told { handovers, joined, consent, proof, access_report: report };
        Outcome::gather(nodes, corporation, (before, read), told).await
    }

    /// The folders of the nodes with the name of their organisation.
    pub fn folders(&self) -> impl Iterator<Item = (&str, &Path)> {
        self.nodes.iter().map(|node| (node.config.organisatie.naam.as_str(), node.folder.as_path()))
    }

    /// Stops every node.
    pub async fn stop(self) {
        for folders in self.folders {
            folders.stop();
        }
        for running in self.running {
            running.stop().await;
        }
        for node in self.nodes {
            node.core.store.clone().close().await;
        }
    }
}

/// Opens and starts the node in `folder`. When another program took its port meanwhile, it gets another one: the others
/// learn the address when they are introduced.
async fn start(
    folder: &Path,
    clock: &Arc<dyn Clock>,
    random: &Arc<dyn Random>,
) -> anyhow::Result<(Node, Running)> {
    for _ in 1..PORTS_TRIED {
        let node = Node::open(folder, clock.clone(), random.clone()).await?;
        setup::check_before_serving(&node)?;
        let taken = match node.start().await {
            Ok(running) => return Ok((node, running)),
            Err(error) => error.downcast::<BindError>()?,
        };
        tracing::warn!(error = %taken, "the port is taken; trying another");
        let mut config = node.config.clone();
        config.netwerk.luister = free_address()?;
        config.netwerk.adres = config.netwerk.luister.to_string();
        setup::write_config(folder, &config)?;
        node.core.store.clone().close().await;
    }
    bail!("er is geen vrije poort te vinden op deze machine; sluit programma's die er veel gebruiken")
}

fn config(participant: &Participant) -> anyhow::Result<Config> {
    let address = free_address()?;
    let mut connections = Vec::new();
    if participant.kind == OrganisationKind::HousingCorporation {
        connections.push(Connection {
            naam: "achterstanden".into(),
            mapping: MAPPING.into(),
            ontvanger: PARTICIPANTS[MUNICIPALITY].oin.parse()?,
            map: Some("aanleveren".into()),
            klaar_dagen: Connection::DONE_DAYS,
            fout_dagen: Connection::FAILED_DAYS,
        });
    }
    Ok(Config {
        organisatie: Organisation {
            oin: participant.oin.parse()?,
            naam: participant.name.into(),
            soort: participant.kind,
            contact: format!("schakel@{}.test", participant.folder),
            fg: format!("fg@{}.test", participant.folder),
        },
        netwerk: Network { luister: address, adres: address.to_string(), quic: false },
        tls: Tls::default(),
        opslag: Storage::default(),
        dataverwerkingen: None,
        api: None,
        koppelingen: connections,
        loketten: Vec::new(),
    })
}

/// A port nobody listens on now. It is written down, so that the nodes find each other again in a next run.
fn free_address() -> anyhow::Result<SocketAddr> {
    Ok(TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()?)
}

/// Waits until nothing waits in the outbox of `node`.
async fn settled(node: &Node) -> anyhow::Result<()> {
    let done = wait_until(async || {
        let counts = node.core.store.counts().await?;
        Ok(!counts.iter().any(|count| count.state == State::Waiting && count.count > 0))
    });
    if done.await? {
        Ok(())
    } else {
        bail!("de berichten van {} kwamen niet op tijd aan", node.config.organisatie.naam)
    }
}

async fn wait_until(mut done: impl AsyncFnMut() -> anyhow::Result<bool>) -> anyhow::Result<bool> {
    let waiting = async {
        while !done().await? {
            tokio::time::sleep(LOOK).await;
        }
        anyhow::Ok(())
    };
    match tokio::time::timeout(PATIENCE, waiting).await {
        Ok(result) => result.map(|()| true),
        Err(_) => Ok(false),
    }
}

/// The demonstration looks and decides, and that is on record as anybody's.
fn access(node: &Node, what: Deed, why: Reason) -> anyhow::Result<Access> {
    let why = Why::new(why, Some("demonstratie"), None)?;
    Ok(Access { who: Actor::system("schakel demo")?, what, why, when: node.core.now() })
}
