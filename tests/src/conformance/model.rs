//! Random operations, compared with a model that keeps everything in plain collections.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use anyhow::{Result, anyhow, ensure};
use exchange::{
    digest::Digest,
    entry::{Entry, ErasureCause},
    message::{Draft, SignedMessage},
    oin::Oin,
    tlog::{CompactRange, Leaf},
};
use proptest::{
    collection::vec,
    option,
    prelude::{Just, Strategy, prop_oneof},
    test_runner::{Config, TestCaseError, TestRunner},
};
use store::{
    BatchLimit, Enqueued, Erased, Filter, Lease, LogState, Outgoing, PartnerDue, Priority, SentOutcome,
    State, Store, StoreError,
};
use uuid::Uuid;

use super::{
    Database,
    agreed::{Incoming, sign},
    given::{ALL, Maker, Offer as _, admitted, checkpoint, indexes, later, partner, verified},
};

/// How many sequences are tried.
const SEQUENCES: u32 = 24;

/// How long they are at most.
const STEPS: usize = 60;

/// More minutes than any sequence lasts.
const LONG: i64 = 30 * 24 * 60;

/// One thing that happens.
#[derive(Debug, Clone)]
enum Step {
    Enqueue {
        to: usize,
        messages: Vec<Sketch>,
    },
    Append {
        count: usize,
    },
    /// Known arrivals are picked by number, modulo how many there are; others are new.
    File {
        from: usize,
        arrivals: Vec<Option<usize>>,
        changed: bool,
    },
    Lease {
        to: usize,
        count: usize,
    },
    Settle {
        lease: usize,
        end: End,
    },
    Resend {
        message: usize,
    },
    EraseCase {
        case: usize,
    },
    /// Messages are picked by number, modulo how many there are, and so are some entries that are none.
    Erase {
        picks: Vec<usize>,
        cause: ErasureCause,
    },
    Expire,
    Advance {
        minutes: i64,
    },
    Fail {
        to: usize,
        minutes: i64,
    },
    Reach {
        to: usize,
    },
    Reopen,
}

/// What matters of a message to send.
#[derive(Debug, Clone)]
struct Sketch {
    case: Option<usize>,
    first: bool,
    row: Option<u8>,
    minutes: i64,
}

#[derive(Debug, Clone)]
enum End {
    Admitted,
    Refused,
    Mixed,
    Undeliverable,
    Released,
}

fn step() -> impl Strategy<Value = Step> {
    let sketch =
        (option::of(0_usize..4), proptest::bool::weighted(0.2), option::weighted(0.3, 0_u8..6), 1_i64..60)
            .prop_map(|(case, first, row, minutes)| Sketch { case, first, row, minutes });
    let end = prop_oneof![
        4 => Just(End::Admitted),
        1 => Just(End::Refused),
        1 => Just(End::Mixed),
        1 => Just(End::Undeliverable),
        2 => Just(End::Released),
    ];
    let cause = prop_oneof![
        Just(ErasureCause::Retention),
        Just(ErasureCause::Withdrawal),
        Just(ErasureCause::Request),
    ];
    let partners = 0_usize..3;
    prop_oneof![
        6 => (partners.clone(), vec(sketch, 1..5)).prop_map(|(to, messages)| Step::Enqueue { to, messages }),
        1 => (0_usize..300).prop_map(|count| Step::Append { count }),
        4 => (partners.clone(), vec(option::weighted(0.4, 0_usize..1000), 0..5), proptest::bool::weighted(0.2))
            .prop_map(|(from, arrivals, changed)| Step::File { from, arrivals, changed }),
        6 => (partners.clone(), 1_usize..6).prop_map(|(to, count)| Step::Lease { to, count }),
        5 => (0_usize..10, end).prop_map(|(lease, end)| Step::Settle { lease, end }),
        1 => (0_usize..1000).prop_map(|message| Step::Resend { message }),
        1 => (0_usize..4).prop_map(|case| Step::EraseCase { case }),
        2 => (vec(0_usize..1000, 0..6), cause).prop_map(|(picks, cause)| Step::Erase { picks, cause }),
        1 => Just(Step::Expire),
        2 => (1_i64..20).prop_map(|minutes| Step::Advance { minutes }),
        1 => (partners.clone(), 1_i64..20).prop_map(|(to, minutes)| Step::Fail { to, minutes }),
        1 => partners.prop_map(|to| Step::Reach { to }),
        1 => Just(Step::Reopen),
    ]
}

/// Tries random sequences, each on a fresh database; shows the shortest that goes wrong.
pub fn check<D: Database>(fresh: impl Fn() -> Result<D>) -> Result<()> {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
    let config = Config { cases: SEQUENCES, failure_persistence: None, ..Config::default() };
    let mut runner = TestRunner::new(config);
    runner
        .run(&vec(step(), 1..STEPS), |steps| {
            let attempt = async {
                let database = fresh()?;
                run(&database, &steps).await
            };
            runtime.block_on(attempt).map_err(|error| TestCaseError::fail(format!("{error:?}")))
        })
        .map_err(|error| anyhow!("{error}"))
}

async fn run(database: &impl Database, steps: &[Step]) -> Result<()> {
    let mut store = database.create().await?;
    let mut model = Model::new();
    for (number, step) in steps.iter().enumerate() {
        if matches!(step, Step::Reopen) {
            model.held.clear();
            drop(store);
            store = database.open().await?;
        }
        model.step(&store, step).await.map_err(|error| error.context(format!("step {number}: {step:?}")))?;
    }
    model.compare(&store).await
}

/// A message that is sent, as the model knows it.
#[derive(Debug, Clone)]
struct Sent {
    message: SignedMessage,
    priority: Priority,
    state: State,
    reason: Option<&'static str>,
    queued: u64,
    /// Nobody can read it any more.
    erased: bool,
    /// Its row was offered again, and another message was made of it.
    replaced: bool,
}

impl Sent {
    fn draft(&self) -> &Draft {
        self.message.draft()
    }
}

/// A message that came in, as the model knows it.
#[derive(Clone)]
struct Arrived {
    message: SignedMessage,
    /// What was decided the first time, and answers for it since.
    first: Incoming,
    index: u64,
    /// Nobody can read it any more.
    erased: bool,
}

struct Model {
    maker: std::sync::Arc<Maker>,
    cases: Vec<Uuid>,
    minutes: i64,
    log: Vec<Leaf>,
    sent: BTreeMap<u64, Sent>,
    offered: HashMap<u8, u64>,
    arrived: Vec<Arrived>,
    refused_in: usize,
    held: Vec<Lease>,
    silent: HashMap<Oin, i64>,
}

impl Model {
    fn new() -> Self {
        let maker = Maker::new(99);
        let cases = (0..4).map(|_| maker.id()).collect();
        Self {
            maker,
            cases,
            minutes: 0,
            log: Vec::new(),
            sent: BTreeMap::new(),
            offered: HashMap::new(),
            arrived: Vec::new(),
            refused_in: 0,
            held: Vec::new(),
            silent: HashMap::new(),
        }
    }

    fn now(&self) -> jiff::Timestamp {
        later(self.minutes)
    }

    fn size(&self) -> u64 {
        u64::try_from(self.log.len()).unwrap_or(u64::MAX)
    }

    async fn step(&mut self, store: &Store, step: &Step) -> Result<()> {
        match step {
            Step::Enqueue { to, messages } => self.enqueue(store, partner(*to)?, messages).await?,
            Step::Append { count } => self.append(store, *count).await?,
            Step::File { from, arrivals, changed } => {
                self.file(store, partner(*from)?, arrivals, *changed).await?;
            }
            Step::Lease { to, count } => self.lease(store, partner(*to)?, *count).await?,
            Step::Settle { lease, end } => self.settle(store, *lease, end).await?,
            Step::Resend { message } => self.resend(store, *message).await?,
            Step::EraseCase { case } => self.erase_case(store, self.cases[*case]).await?,
            Step::Erase { picks, cause } => self.erase(store, picks, *cause).await?,
            Step::Expire => self.expire(store).await?,
            Step::Advance { minutes } => self.minutes += minutes,
            Step::Fail { to, minutes } => {
                let until = self.minutes + minutes;
                store.note_partner_failure(partner(*to)?, "stil", self.now(), later(until)).await?;
                self.silent.insert(partner(*to)?, until);
            }
            Step::Reach { to } => {
                store.note_partner_reached(partner(*to)?, self.now()).await?;
                self.silent.remove(&partner(*to)?);
            }
            Step::Reopen => {}
        }
        ensure!(store.log_size().await? == self.size(), "the log has another size");
        let mut due = store.due(self.now(), 10).await?;
        due.sort_unstable_by_key(|due| due.oin);
        ensure!(due == self.due()?, "something else is due");
        Ok(())
    }

    async fn enqueue(&mut self, store: &Store, to: Oin, sketches: &[Sketch]) -> Result<()> {
        let mut messages = Vec::new();
        let mut expected = Vec::new();
        for sketch in sketches {
            let plain = self.maker.draft(to)?;
            let message = sign(Draft {
                case: sketch.case.map_or(plain.case, |case| self.cases[case]),
                expires: later(self.minutes + sketch.minutes),
                ..plain
            })?;
            let priority = if sketch.first { Priority::First } else { Priority::Normal };
            let outgoing = Outgoing::from(message.clone()).with_priority(priority);
            messages.push(match sketch.row {
                Some(row) => outgoing.of_row(store.intake_key(&[row])),
                None => outgoing,
            });
            if let Some(index) = sketch.row.and_then(|row| self.offered.get(&row))
                && let Some(before) = self.sent.get_mut(index)
            {
                if matches!(before.state, State::Waiting | State::Admitted) {
                    expected.push(Enqueued::AlreadyOffered { index: *index });
                    continue;
                }
                before.replaced = true;
            }
            let index = self.size();
            expected.push(Enqueued::Queued { index });
            self.log.push(message.leaf());
            self.offered.extend(sketch.row.map(|row| (row, index)));
            let (state, reason, queued) = (State::Waiting, None, index);
            let (erased, replaced) = (false, false);
            self.sent.insert(index, Sent { message, priority, state, reason, queued, erased, replaced });
        }
        ensure!(store.queue(messages).await? == expected, "other indexes");
        Ok(())
    }

    async fn append(&mut self, store: &Store, count: usize) -> Result<()> {
        let leaves = vec![Leaf::new(vec![1, 2, 3]); count];
        ensure!(store.append(leaves.clone()).await? == self.size(), "another index");
        self.log.extend(leaves);
        Ok(())
    }

    async fn file(&mut self, store: &Store, from: Oin, picks: &[Option<usize>], changed: bool) -> Result<()> {
        let mut arrivals = Vec::new();
        let mut expected = Vec::new();
        for pick in picks {
            let picked = pick.and_then(|pick| self.arrived.get(pick % self.arrived.len().max(1)));
            let message = self.arriving(from, picked, changed)?;
            let incoming = admitted(&message, self.now())?;
            let of = |known: &&Arrived| known.message.draft().from == from && known.first.id == incoming.id;
            match self.arrived.iter().find(of) {
                Some(known) if known.first.digest == incoming.digest => {
                    expected.push((known.index, known.first.leaf.clone()));
                }
                Some(_) => {
                    expected.push((self.size(), incoming.conflict_leaf.clone()));
                    self.log.push(incoming.conflict_leaf.clone());
                    self.refused_in += 1;
                }
                None => {
                    expected.push((self.size(), incoming.leaf.clone()));
                    let (first, index, erased) = (incoming.clone(), self.size(), false);
                    self.arrived.push(Arrived { message, first, index, erased });
                    self.log.push(incoming.leaf.clone());
                }
            }
            arrivals.push(incoming);
        }
        let receipt = verified(&store.take_in(arrivals).await?)?;
        let found: Vec<(u64, Leaf)> = receipt.entries().map(|(index, leaf)| (index, leaf.clone())).collect();
        ensure!(found == expected, "another receipt");
        ensure!(receipt.checkpoint().size == self.size(), "another size");
        Ok(())
    }

    /// What a partner sends: something new, or what came before, or something else under the identifier of that. What
    /// came from another partner it can only send under its own name.
    fn arriving(&self, from: Oin, picked: Option<&Arrived>, changed: bool) -> Result<SignedMessage> {
        // It lives longer than any sequence lasts.
        let plain = Draft { expires: later(LONG), ..self.maker.signal(from)? };
        match picked.map(|known| &known.message) {
            None => sign(plain),
            Some(known) if changed => sign(Draft { id: known.draft().id, ..plain }),
            Some(known) if known.draft().from == from => Ok(known.clone()),
            Some(known) => sign(Draft { from, ..known.draft().clone() }),
        }
    }

    fn under_way(&self) -> HashSet<u64> {
        self.held.iter().flat_map(indexes).collect()
    }

    /// What may go to `to`, in order.
    fn next(&self, to: Oin, count: usize) -> Vec<u64> {
        let under_way = self.under_way();
        let busy: HashSet<Uuid> = under_way
            .iter()
            .filter_map(|index| self.sent.get(index))
            .filter(|sent| sent.draft().to == to)
            .map(|sent| sent.draft().case)
            .collect();
        let mut waiting: Vec<_> = self
            .sent
            .iter()
            .filter(|(index, sent)| {
                sent.draft().to == to
                    && sent.state == State::Waiting
                    && sent.draft().expires > self.now()
                    && !under_way.contains(index)
                    && !busy.contains(&sent.draft().case)
            })
            .map(|(index, sent)| (sent.priority, sent.queued, *index))
            .collect();
        waiting.sort_unstable();
        waiting.into_iter().take(count).map(|(_, _, index)| index).collect()
    }

    async fn lease(&mut self, store: &Store, to: Oin, count: usize) -> Result<()> {
        let expected = self.next(to, count);
        let lease = store.lease_due(to, self.now(), BatchLimit { count, ..ALL }).await?;
        let found = lease.as_ref().map(indexes).unwrap_or_default();
        ensure!(found == expected, "leased {found:?} instead of {expected:?}");
        for message in lease.iter().flat_map(Lease::messages) {
            ensure!(message.jws == self.sent[&message.index].message.compact(), "another message");
        }
        self.held.extend(lease);
        Ok(())
    }

    async fn settle(&mut self, store: &Store, lease: usize, end: &End) -> Result<()> {
        if self.held.is_empty() {
            return Ok(());
        }
        let lease = self.held.remove(lease % self.held.len());
        let refused = |position: usize| match end {
            End::Refused => true,
            End::Mixed => position % 2 == 1,
            _ => false,
        };
        let all = indexes(&lease);
        let outcome = |position| {
            if refused(position) {
                SentOutcome::Refused { reason: "nee".into() }
            } else {
                SentOutcome::Admitted
            }
        };
        match end {
            End::Released => return Ok(()),
            End::Undeliverable => store.record_undeliverable(&lease, "weg", self.now()).await?,
            _ => {
                let outcomes: Vec<SentOutcome> = (0..all.len()).map(outcome).collect();
                store.record_receipt(&lease, &outcomes, "{}".into(), checkpoint(1), self.now()).await?;
                self.silent.remove(&lease.to());
            }
        }
        for (position, index) in all.iter().enumerate() {
            let Some(sent) = self.sent.get_mut(index) else { continue };
            (sent.state, sent.reason) = match end {
                // What was erased meanwhile has its reason.
                End::Undeliverable if sent.state == State::Undeliverable => continue,
                End::Undeliverable => (State::Undeliverable, Some("weg")),
                _ if refused(position) => (State::Refused, Some("nee")),
                _ => (State::Admitted, None),
            };
        }
        Ok(())
    }

    async fn resend(&mut self, store: &Store, message: usize) -> Result<()> {
        let Some(index) = self.sent.keys().nth(message % self.sent.len().max(1)).copied() else {
            return Ok(());
        };
        let (now, size) = (self.now(), self.size());
        let sent = self.sent.get_mut(&index).ok_or_else(|| anyhow!("not there"))?;
        let result = store.resend(index, now).await;
        if sent.state == State::Undeliverable && sent.draft().expires > now && !sent.replaced {
            if sent.erased {
                ensure!(result == Err(StoreError::Erased), "sent again what nobody can read");
                return Ok(());
            }
            (sent.state, sent.reason, sent.queued) = (State::Waiting, None, size);
            return Ok(result?);
        }
        ensure!(matches!(result, Err(StoreError::NotFound(_))), "sent again what should not be");
        Ok(())
    }

    async fn erase_case(&mut self, store: &Store, case: Uuid) -> Result<()> {
        let of_case = self.sent.iter().filter(|(_, sent)| sent.draft().case == case);
        let expected = self.erased(of_case.map(|(index, _)| *index).collect(), ErasureCause::Request);
        let found = store.erase_case(case, ErasureCause::Request, self.now()).await?;
        ensure!(found == expected, "{found:?} was erased instead of {expected:?}");
        Ok(())
    }

    async fn erase(&mut self, store: &Store, picks: &[usize], cause: ErasureCause) -> Result<()> {
        let messages = self.sent.keys().copied().chain(self.arrived.iter().map(|one| one.index));
        let messages: Vec<u64> = messages.chain([self.size(), self.size() + 7]).collect();
        let indexes: Vec<u64> = picks.iter().map(|pick| messages[pick % messages.len()]).collect();
        let expected = self.erased(indexes.iter().copied().collect(), cause);
        let found = store.erase(indexes, cause, self.now()).await?;
        ensure!(found == expected, "{found:?} was erased instead of {expected:?}");
        Ok(())
    }

    /// Erases what there is to erase among these.
    fn erased(&mut self, indexes: BTreeSet<u64>, cause: ErasureCause) -> Erased {
        let mut gone = Vec::new();
        for index in indexes {
            if let Some(sent) = self.sent.get_mut(&index).filter(|sent| !sent.erased) {
                if sent.state == State::Waiting {
                    if cause == ErasureCause::Retention {
                        continue;
                    }
                    (sent.state, sent.reason) = (State::Undeliverable, Some("gewist"));
                }
                sent.erased = true;
                gone.push(index);
            }
            if let Some(arrived) = self.arrived.iter_mut().find(|one| one.index == index && !one.erased) {
                arrived.erased = true;
                gone.push(index);
            }
        }
        let messages = u64::try_from(gone.len()).unwrap_or(u64::MAX);
        let mut evidence = Vec::new();
        if messages > 0 {
            evidence.push(self.size());
            self.log.push(Entry::Wissing { gewist: gone, reden: cause, tijd: self.now() }.leaf());
        }
        Erased { messages, evidence }
    }

    async fn expire(&mut self, store: &Store) -> Result<()> {
        let (now, under_way, mut expired) = (self.now(), self.under_way(), 0);
        for (index, sent) in &mut self.sent {
            if sent.state == State::Waiting && sent.draft().expires <= now && !under_way.contains(index) {
                (sent.state, sent.reason) = (State::Undeliverable, Some("verlopen"));
                expired += 1;
            }
        }
        let found = store.expire(now).await?;
        ensure!(found == expired, "{found} expired instead of {expired}");
        Ok(())
    }

    fn due(&self) -> Result<Vec<PartnerDue>> {
        let under_way = self.under_way();
        let mut due = Vec::new();
        for number in 0..3 {
            let oin = partner(number)?;
            let waiting = self.sent.iter().filter(|(index, sent)| {
                sent.draft().to == oin && sent.state == State::Waiting && !under_way.contains(index)
            });
            let waiting = u64::try_from(waiting.count())?;
            let silent = self.silent.get(&oin).is_some_and(|until| *until > self.minutes);
            if waiting > 0 && !silent {
                due.push(PartnerDue { oin, waiting });
            }
        }
        Ok(due)
    }

    async fn compare(&self, store: &Store) -> Result<()> {
        let mut range = CompactRange::default();
        for leaf in &self.log {
            range.append(leaf.hash());
        }
        ensure!(
            store.log_state().await? == LogState { size: self.size(), root: range.root() },
            "another root"
        );
        let mut rows = Vec::new();
        while let page =
            store.messages(Filter { after: rows.last().copied(), limit: 500, ..Filter::default() }).await?
            && !page.is_empty()
        {
            for row in page {
                rows.push(row.index);
                let Some(sent) = self.sent.get(&row.index) else { continue };
                let payload = store.payload_for_machine_check(row.index).await;
                let expected = if sent.erased { Err(StoreError::Erased) } else { Ok(sent.message.compact()) };
                ensure!(
                    payload.as_deref() == expected.as_ref().copied(),
                    "message {}: {payload:?}",
                    row.index
                );
                let found = (row.state, row.reason.as_deref(), row.id);
                ensure!(
                    found == (sent.state, sent.reason, Some(sent.draft().id)),
                    "message {}: {found:?}",
                    row.index
                );
            }
        }
        ensure!(rows.len() == self.sent.len() + self.arrived.len() + self.refused_in, "other messages");
        for Arrived { first, index, erased, .. } in &self.arrived {
            let payload =
                store.payload_for_machine_check(*index).await.map(|payload| Digest::of(payload.as_bytes()));
            let expected = if *erased { Err(StoreError::Erased) } else { Ok(first.digest) };
            ensure!(payload == expected, "message {index}: {payload:?}");
        }
        let counted: u64 = store.counts().await?.iter().map(|count| count.count).sum();
        ensure!(counted == u64::try_from(rows.len())?, "counted {counted}");
        Ok(())
    }
}
