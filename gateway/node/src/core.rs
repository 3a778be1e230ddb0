//! What the path of a message needs: who we are, the rules, the store, a key, a clock. No sockets.

use std::{
    collections::{BTreeSet, HashMap},
    sync::{Arc, Mutex as SyncMutex, PoisonError, atomic::AtomicBool},
};

use arc_swap::ArcSwap;
use exchange::{
    agreement::Agreement, clock::Clock, descriptor::Descriptor, desk::Desk, digest::Digest, oin::Oin,
    purpose::Purpose, random::Random, rulebook::Rulebook, signature::Signer,
};
use jiff::Timestamp;
use store::{RulesVersion, Store, StoreError};
use tokio::sync::{Mutex, Notify, OwnedMutexGuard, broadcast, watch};
use uuid::Uuid;

use crate::{directory::Returned, witness::Seen};

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
    /// Rings when a consent ended, or somebody said what it did then.
    pub endings: Notify,
    /// Rings when something changed in a handover.
    pub handovers: Notify,
    /// A partner said that it is there: what it must be told can be told now.
    pub reached: AtomicBool,
    /// Tells which event was the last, while something looks for that.
    pub events: watch::Sender<u64>,
    /// Tells which messages that were sent reached a final state, in the order in which that became durable. A listener
    /// that lags behind loses the oldest news, never the state itself.
    pub settled: broadcast::Sender<Arc<[Uuid]>>,
    /// The partners that showed themselves.
    pub returned: Returned,
    /// The desks of this organisation.
    pub desks: ArcSwap<Vec<Desk>>,
    /// Whoever changes those waits for who does so now.
    pub changing_desks: Mutex<()>,
    rules: ArcSwap<Rulebook>,
    partners: ArcSwap<HashMap<Oin, Descriptor>>,
    /// To whom this node owes answers, about which agreements.
    owed: ArcSwap<HashMap<Oin, BTreeSet<Digest>>>,
    /// The version of the rules and partners that were read last; those may be newer, and so may what is owed.
    version: ArcSwap<RulesVersion>,
    /// One reading at a time: an older one must not take the place of a newer.
    reading: Mutex<()>,
    /// What receipts showed of the logs of partners since those were checked.
    pub seen: Seen,
    /// Who is being told answers. As many as there are parties.
    turns: SyncMutex<HashMap<Oin, Arc<Mutex<()>>>>,
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
        let core = Self::without_rules(me, store, signer, clock, random);
        core.reload().await?;
        Ok(core)
    }

    /// A core to check the log with: rules that are damaged are left out, and the check says what is wrong with them.
    pub async fn to_check(
        me: Oin,
        store: Store,
        signer: Arc<dyn Signer>,
        clock: Arc<dyn Clock>,
        random: Arc<dyn Random>,
    ) -> Result<Self, RulesError> {
        let core = Self::without_rules(me, store, signer, clock, random);
        match core.reload().await {
            Err(RulesError::Damaged(_) | RulesError::Store(StoreError::Corrupt(_))) | Ok(()) => Ok(core),
            Err(error) => Err(error),
        }
    }

    fn without_rules(
        me: Oin,
        store: Store,
        signer: Arc<dyn Signer>,
        clock: Arc<dyn Clock>,
        random: Arc<dyn Random>,
    ) -> Self {
        Self {
            me,
            store,
            signer,
            clock,
            random,
            work: Notify::new(),
            endings: Notify::new(),
            handovers: Notify::new(),
            reached: AtomicBool::new(false),
            events: watch::Sender::new(0),
            settled: broadcast::Sender::new(SETTLED_NEWS),
            returned: Returned::default(),
            desks: ArcSwap::default(),
            changing_desks: Mutex::default(),
            rules: ArcSwap::default(),
            partners: ArcSwap::default(),
            owed: ArcSwap::default(),
            version: ArcSwap::default(),
            reading: Mutex::default(),
            seen: Seen::default(),
            turns: SyncMutex::default(),
        }
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

    /// The rules as they stand in the store now, or later.
    pub async fn latest_rules(&self) -> Result<Arc<Rulebook>, RulesError> {
        self.reload().await?;
        Ok(self.rules())
    }

    /// The agreements about which this node owed `party` answers when the rules had this version, or later. Nothing
    /// when those were not read here.
    pub fn owed_to(&self, party: Oin, version: RulesVersion) -> Option<BTreeSet<Digest>> {
        // The version first: what is owed may be newer than it says.
        let known = **self.version.load() == version;
        known.then(|| self.owed.load().get(&party).cloned().unwrap_or_default())
    }

    /// Whether this node owes `party` an answer to this agreement, as far as was read last.
    pub fn owes(&self, party: Oin, agreement: Digest) -> bool {
        self.owed.load().get(&party).is_some_and(|owed| owed.contains(&agreement))
    }

    /// The turn to tell a party what it is owed: who has it is the only one.
    pub async fn turn_to_tell(&self, party: Oin) -> OwnedMutexGuard<()> {
        let turn = {
            let mut turns = self.turns.lock().unwrap_or_else(PoisonError::into_inner);
            turns.entry(party).or_default().clone()
        };
        turn.lock_owned().await
    }

    /// Reads from the store again what is owed.
    pub async fn reload_owed(&self) -> Result<(), StoreError> {
        let _one = self.reading.lock().await;
        self.read_owed().await
    }

    async fn read_owed(&self) -> Result<(), StoreError> {
        let mut owed: HashMap<Oin, BTreeSet<Digest>> = HashMap::new();
        for one in self.store.owed().await? {
            owed.entry(one.to).or_default().insert(one.agreement);
        }
        self.owed.store(Arc::new(owed));
        Ok(())
    }

    /// Reads rules and partners from the store again, if they changed.
    pub async fn reload(&self) -> Result<(), RulesError> {
        let _one = self.reading.lock().await;
        // The version first: what changes while the rest is read is read once more.
        let version = self.store.rules_version().await?;
        if **self.version.load() == version {
            return Ok(());
        }
        let records = self.store.partners().await?;
        let descriptors = records.iter().map(|record| {
            let descriptor = Descriptor::verify(&record.descriptor).map_err(damaged)?;
            Ok((descriptor.oin, descriptor))
        });
        self.partners.store(Arc::new(descriptors.collect::<Result<_, RulesError>>()?));
        self.read_agreements().await?;
        self.read_owed().await?;
        self.version.store(Arc::new(version));
        Ok(())
    }

    async fn read_agreements(&self) -> Result<(), RulesError> {
        let mut agreements = Vec::new();
        let mut purposes = Vec::new();
        for stored in self.store.agreements().await? {
            let mut agreement = Agreement::parse(&stored.content).map_err(damaged)?;
            if agreement.digest() != stored.digest {
                return Err(altered("een convenant", stored.digest));
            }
            for (_, jws) in &stored.answers {
                agreement.add_answer(jws).map_err(damaged)?;
            }
            for (digest, text) in &stored.purposes {
                let purpose = Purpose::from_json(text).map_err(damaged)?;
                if purpose.digest() != *digest {
                    return Err(altered("een doel", *digest));
                }
                purposes.push(purpose);
            }
            // By no other text than the one that was agreed, and never without it.
            let is_there = |digest| stored.purposes.iter().any(|(known, _)| *known == digest);
            let mut named = agreement.content().afspraken.iter().map(|clause| clause.doel_digest);
            if let Some(missing) = named.find(|digest| !is_there(*digest)) {
                return Err(damaged(format!("de tekst van het doel met controlegetal {missing} ontbreekt")));
            }
            agreements.push(agreement);
        }
        self.rules.store(Arc::new(Rulebook::new(agreements, purposes)));
        Ok(())
    }
}

fn altered(what: &str, digest: Digest) -> RulesError {
    damaged(format!("de tekst van {what} is een andere dan die met controlegetal {digest}"))
}

#[expect(clippy::needless_pass_by_value, reason = "shaped for map_err")]
fn damaged(error: impl ToString) -> RulesError {
    RulesError::Damaged(error.to_string())
}
