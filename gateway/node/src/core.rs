//! What the path of a message needs: who we are, the rules, the store, a key, a clock. No sockets.

use std::{collections::HashMap, sync::Arc};

use arc_swap::ArcSwap;
use exchange::{
    agreement::Agreement, clock::Clock, descriptor::Descriptor, oin::Oin, purpose::Purpose, random::Random,
    rulebook::Rulebook, signature::Signer,
};
use jiff::Timestamp;
use store::{RulesVersion, Store, StoreError};
use tokio::sync::{Notify, broadcast};
use uuid::Uuid;

/// News of settled batches kept for a listener that is not quick enough.
const SETTLED_NEWS: usize = 256;

/// How often is decided again because the rules changed meanwhile.
const MAX_DECISIONS: u32 = 16;

/// The heart of a node.
pub struct Core {
    /// This organisation.
    pub me: Oin,
    /// What the node remembers.
    pub store: Store,
    /// Signs messages.
    pub signer: Arc<dyn Signer>,
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// Randomness.
    pub random: Arc<dyn Random>,
    /// Rings when there is something to deliver.
    pub work: Notify,
    /// Tells which messages that were sent reached a final state, in the order in which that became durable. A listener
    /// that lags behind loses the oldest news, never the state itself.
    pub settled: broadcast::Sender<Arc<[Uuid]>>,
    rules: ArcSwap<Rulebook>,
    partners: ArcSwap<HashMap<Oin, Descriptor>>,
    /// The version of the rules and partners that were read last; those may be newer.
    version: ArcSwap<RulesVersion>,
}

/// The rules by which something is decided, and which those are.
pub struct Ruling {
    /// Which.
    pub version: RulesVersion,
    /// What they say.
    pub rules: Arc<Rulebook>,
    attempts: u32,
}

/// What the store holds cannot be read as rules: it was changed outside this program.
#[derive(Debug, thiserror::Error)]
pub enum RulesError {
    /// The store did not answer.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A stored agreement or purpose is not one.
    #[error("an agreement or purpose in the store is damaged: {0}")]
    Damaged(String),
}

impl Core {
    /// A core with the rules its store holds.
    pub async fn new(
        me: Oin,
        store: Store,
        signer: Arc<dyn Signer>,
        clock: Arc<dyn Clock>,
        random: Arc<dyn Random>,
    ) -> Result<Self, RulesError> {
        let core = Self {
            me,
            store,
            signer,
            clock,
            random,
            work: Notify::new(),
            settled: broadcast::Sender::new(SETTLED_NEWS),
            rules: ArcSwap::default(),
            partners: ArcSwap::default(),
            version: ArcSwap::default(),
        };
        core.reload().await?;
        Ok(core)
    }

    /// The rules as they are now.
    pub fn rules(&self) -> Arc<Rulebook> {
        self.rules.load_full()
    }

    /// The time.
    pub fn now(&self) -> Timestamp {
        self.clock.now()
    }

    /// A new identifier.
    pub fn new_id(&self) -> Uuid {
        exchange::id::new(self.now(), &*self.random)
    }

    /// The partners as they are now, with what their nodes say of themselves.
    pub fn partners(&self) -> Arc<HashMap<Oin, Descriptor>> {
        self.partners.load_full()
    }

    /// The rules to decide by, which the store holds what comes of it against: nothing is ever kept that was decided by
    /// rules that no longer held.
    pub fn ruling(&self) -> Ruling {
        // The version first: rules that are newer than it says are only refused for nothing.
        let version = **self.version.load();
        Ruling { version, rules: self.rules(), attempts: 0 }
    }

    /// The rules to decide by once more, because the store says that they have changed. Not for ever.
    pub async fn rule_again(&self, ruling: Ruling) -> Result<Ruling, StoreError> {
        if ruling.attempts >= MAX_DECISIONS {
            return Err(StoreError::RulesChanged);
        }
        self.read_rules().await;
        Ok(Ruling { attempts: ruling.attempts + 1, ..self.ruling() })
    }

    /// The rules as they stood in the store at this version, or later.
    pub async fn rules_since(&self, version: RulesVersion) -> Arc<Rulebook> {
        if **self.version.load() != version {
            self.read_rules().await;
        }
        self.rules()
    }

    /// Reads rules and partners again. When they cannot be read, the previous ones hold.
    async fn read_rules(&self) {
        if let Err(error) = self.reload().await {
            tracing::error!(%error, "cannot read rules and partners; keeping the previous ones");
        }
    }

    /// Reads rules and partners from the store again.
    pub async fn reload(&self) -> Result<(), RulesError> {
        // The version first: what changes while the rest is read is read once more.
        let version = self.store.rules_version().await?;
        let records = self.store.partners().await?;
        let descriptors = records.iter().map(|record| {
            let descriptor = Descriptor::verify(&record.descriptor).map_err(damaged)?;
            Ok((descriptor.oin, descriptor))
        });
        self.partners.store(Arc::new(descriptors.collect::<Result<_, RulesError>>()?));
        self.reload_rules().await?;
        self.version.store(Arc::new(version));
        Ok(())
    }

    /// Reads agreements and purposes from the store again.
    pub async fn reload_rules(&self) -> Result<(), RulesError> {
        let mut agreements = Vec::new();
        let mut purposes = Vec::new();
        for stored in self.store.agreements().await? {
            let mut agreement = Agreement::parse(&stored.content).map_err(damaged)?;
            for (_, jws) in &stored.answers {
                agreement.add_answer(jws).map_err(damaged)?;
            }
            for (_, text) in &stored.purposes {
                purposes.push(Purpose::from_json(text).map_err(damaged)?);
            }
            agreements.push(agreement);
        }
        self.rules.store(Arc::new(Rulebook::new(agreements, purposes)));
        Ok(())
    }
}

#[expect(clippy::needless_pass_by_value, reason = "shaped for map_err")]
fn damaged(error: impl ToString) -> RulesError {
    RulesError::Damaged(error.to_string())
}
