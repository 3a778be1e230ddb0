//! Messages on their way, from being offered to their receipt being durable.

use std::{
    collections::HashMap,
    sync::Arc,
    time::{Duration, Instant},
};

use anyhow::{Context as _, bail};
use exchange::{clock::Clock as _, oin::Oin};
use node::{
    core::Core,
    outbound::{self, Submission, Submitted},
    system::SystemClock,
};
use schemas::SchemaName;
use tokio::{
    sync::broadcast::{self, error::TryRecvError},
    task::JoinSet,
    time::timeout,
};
use uuid::Uuid;

use crate::bench::{clock, message};

/// Messages that are offered in one go: as many as an adapter or the API would.
const BATCH: usize = 128;
/// Without any progress for so long, something is broken. After a crash of its partner a sender waits a few seconds.
const PATIENCE: Duration = Duration::from_mins(1);

/// Where the messages come from.
pub(in crate::bench) struct Source {
    to: Oin,
    schema: SchemaName,
    texts: Vec<String>,
}

impl Source {
    /// Messages to `to`.
    pub(in crate::bench) fn new(to: Oin) -> anyhow::Result<Self> {
        Ok(Self { to, schema: message::schema()?, texts: message::texts(SystemClock.now()) })
    }

    /// A message of a new case, read from its text as every source's text is.
    fn submission(&self, number: usize) -> anyhow::Result<Submission> {
        Ok(Submission {
            to: self.to,
            purpose: message::PURPOSE.into(),
            case: None,
            desk: None,
            document: message::document(self.schema, &self.texts[number % self.texts.len()])?,
            source_record: None,
        })
    }
}

/// Messages and the moment each was offered.
type Offered = Vec<(Uuid, Instant)>;

/// What can happen to messages.
enum News {
    /// The node has them in its outbox.
    Accepted(Offered),
    /// Their receipt is durable.
    Settled(Arc<[Uuid]>),
}

/// Messages on their way.
pub(in crate::bench) struct Flow {
    core: Arc<Core>,
    source: Arc<Source>,
    settled: broadcast::Receiver<Arc<[Uuid]>>,
    offering: JoinSet<anyhow::Result<Offered>>,
    /// Accepted by the node, and when they were offered.
    waiting: HashMap<Uuid, Instant>,
    /// Settled before the news came that they were accepted, and when.
    early: HashMap<Uuid, Instant>,
    offered: usize,
    done: usize,
}

impl Flow {
    /// Nothing on its way yet.
    pub(in crate::bench) fn new(core: Arc<Core>, source: Arc<Source>) -> Self {
        Self {
            settled: core.settled.subscribe(),
            core,
            source,
            offering: JoinSet::new(),
            waiting: HashMap::new(),
            early: HashMap::new(),
            offered: 0,
            done: 0,
        }
    }

    /// How many are on their way.
    pub(super) const fn under_way(&self) -> usize {
        self.offered - self.done
    }

    /// Offers as many as there are too few under way.
    pub(super) fn fill_up(&mut self, in_flight: usize) {
        let missing = in_flight.saturating_sub(self.under_way());
        self.offer(&vec![clock::now(); missing]);
    }

    /// Offers a message for each of these moments, from which the time it takes is counted.
    pub(super) fn offer(&mut self, moments: &[Instant]) {
        for batch in moments.chunks(BATCH) {
            let (core, source, first) = (self.core.clone(), self.source.clone(), self.offered);
            self.offered += batch.len();
            let batch = batch.to_vec();
            self.offering.spawn(async move { offer(&core, &source, first, batch).await });
        }
    }

    /// Waits until something happens; returns how long each message took that is now done. Can be dropped while it
    /// waits.
    pub(super) async fn news(&mut self) -> anyhow::Result<Vec<Duration>> {
        let mut took = Vec::new();
        let first = timeout(PATIENCE, self.next()).await.context("nothing happened for a minute")??;
        self.note(first, &mut took);
        while let Some(accepted) = self.offering.try_join_next() {
            self.note(News::Accepted(accepted??), &mut took);
        }
        loop {
            match self.settled.try_recv() {
                Ok(ids) => self.note(News::Settled(ids), &mut took),
                Err(TryRecvError::Empty) => break,
                Err(error) => bail!("news of settled messages was lost: {error}"),
            }
        }
        self.done += took.len();
        Ok(took)
    }

    async fn next(&mut self) -> anyhow::Result<News> {
        tokio::select! {
            ids = self.settled.recv() => Ok(News::Settled(ids.context("news of settled messages was lost")?)),
            Some(accepted) = self.offering.join_next() => Ok(News::Accepted(accepted??)),
        }
    }

    fn note(&mut self, news: News, took: &mut Vec<Duration>) {
        match news {
            News::Accepted(messages) => {
                for (id, offered) in messages {
                    match self.early.remove(&id) {
                        Some(settled) => took.push(settled.duration_since(offered)),
                        None => drop(self.waiting.insert(id, offered)),
                    }
                }
            }
            News::Settled(ids) => {
                let now = clock::now();
                for id in &*ids {
                    match self.waiting.remove(id) {
                        Some(offered) => took.push(now.duration_since(offered)),
                        None => drop(self.early.insert(*id, now)),
                    }
                }
            }
        }
    }
}

async fn offer(core: &Core, source: &Source, first: usize, moments: Vec<Instant>) -> anyhow::Result<Offered> {
    let submissions = (first..).take(moments.len()).map(|number| source.submission(number));
    let submitted = outbound::submit(core, submissions.collect::<Result<_, _>>()?).await?;
    let ids = submitted.into_iter().map(|outcome| match outcome {
        Submitted::Queued(id) => Ok(id),
        other => bail!("the node does not take the message of the benchmark: {other:?}"),
    });
    ids.zip(moments).map(|(id, moment)| Ok((id?, moment))).collect()
}
