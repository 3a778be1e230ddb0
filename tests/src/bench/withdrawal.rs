//! The withdrawal of a consent that covered very much: how soon everybody's notice is durable in the queue, how long the
//! rest takes, and what other work notices of it.
//!
//! One node in this process, on the disk that is asked for, through the functions that the running node uses. While it
//! withdraws, other messages are queued and other partners are served, at a steady pace; the same without a withdrawal,
//! in the same run, is what that is held against.

use std::{
    io::Write as _,
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};

use anyhow::{Context as _, ensure};
use exchange::{
    agreement::{Agreement, AnswerKind, Content},
    consent::ConsentKey,
    oin::Oin,
    organisation::OrganisationKind,
};
use jiff::civil::date;
use node::{
    agreements::{self, Package},
    consent::{ending, register},
    core::Core,
    outbound::{self, MAX_SUBMISSIONS, Submission, Submitted},
};
use serde_json::json;
use store::BatchLimit;
use uuid::Uuid;

use super::{clock, command::Times, options::WithdrawalOptions, tell};
use crate::{
    simulation::{
        node::Place,
        parties::{Keys, describe, make_keys, party},
        setup,
        three::parties::among,
    },
    withdrawal::{
        documents::{decided, purpose, record, signal},
        operation::Ground,
        parties::purposes,
    },
};

/// Between two operations of the other work.
const PACE: Duration = Duration::from_millis(5);
/// How long the other work is measured without a withdrawal.
const QUIET: Duration = Duration::from_secs(3);
/// How often is looked whether every notice is durable.
const LOOK: Duration = Duration::from_millis(2);
/// What a partner is leased at a time.
const LEASE: BatchLimit = BatchLimit { count: 128, bytes: 2 << 20 };
/// The seed of the keys of the first; those of the others follow.
const KEY_SEED: u64 = 1000;

/// Measures it.
pub(super) async fn measure(options: &WithdrawalOptions) -> anyhow::Result<()> {
    let program = std::env::current_exe()?;
    let parent = options.folder.as_deref().or(program.parent()).context("no folder to measure in")?;
    let folder = tempfile::tempdir_in(parent)?;
    tell("making a node with its partners");
    let (core, partners) = node(folder.path(), options.partners).await?;
    let core = Arc::new(core);
    tell("queueing what is to be withdrawn");
    let key = fill(&core, &partners, options.messages).await?;
    tell("the other work alone");
    let quiet = beside(&core, &partners, async || {
        tokio::time::sleep(QUIET).await;
        anyhow::Ok(())
    })
    .await?
    .1;
    tell("withdrawing, with the other work beside it");
    let (took, during) =
        beside(&core, &partners, async || withdraw(&core, key, partners.len()).await).await?;
    let left = core.store.consent_copies(key, 1).await?.len();
    ensure!(left == 0, "something is left");
    report(options, (&quiet, &during), &took)
}

/// When it came how far, counted from the call.
struct Took {
    begun: Instant,
    /// The call returned: nothing rests on it any more.
    returned: Duration,
    /// Every notice is durable in the queue.
    told: Duration,
    /// Everything of one's own is erased and the log says so.
    erased: Duration,
}

async fn withdraw(core: &Arc<Core>, key: ConsentKey, partners: usize) -> anyhow::Result<Took> {
    let begun = clock::now();
    ensure!(
        register::withdraw(core, decided(core.now())?, key.id, core.now()).await?,
        "it was withdrawn before"
    );
    let returned = begun.elapsed();
    let carrying = tokio::spawn({
        let core = core.clone();
        async move { ending::carry_out(&core).await }
    });
    while core.store.consent_notices(key).await?.len() < partners {
        ensure!(!carrying.is_finished(), "not everybody is told");
        tokio::time::sleep(LOOK).await;
    }
    let told = begun.elapsed();
    ensure!(carrying.await?? == 1, "nothing was done");
    Ok(Took { begun, returned, told, erased: begun.elapsed() })
}

/// When an operation of the other work began, and how long it took.
type Wait = (Instant, Duration);

/// Does something while other messages are queued and other partners served; gives how long each of those took.
async fn beside<T>(
    core: &Arc<Core>,
    partners: &[Oin],
    work: impl AsyncFnOnce() -> anyhow::Result<T>,
) -> anyhow::Result<(T, Vec<Wait>)> {
    let over = Arc::new(AtomicBool::new(false));
    let other = tokio::spawn(others(core.clone(), partners.to_vec(), over.clone()));
    // What is measured begins when the other work is under way.
    tokio::time::sleep(PACE * 20).await;
    let done = work().await;
    over.store(true, Ordering::Release);
    let waits = other.await??;
    Ok((done?, waits))
}

async fn others(core: Arc<Core>, partners: Vec<Oin>, over: Arc<AtomicBool>) -> anyhow::Result<Vec<Wait>> {
    let mut waits = Vec::new();
    let mut pace = tokio::time::interval(PACE);
    // What had to wait is not asked again for each time that it did.
    pace.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    for to in partners.iter().cycle() {
        if over.load(Ordering::Acquire) {
            break;
        }
        pace.tick().await;
        let message = submission(*to, Uuid::nil(), Ground::Task)?;
        let begun = clock::now();
        queue(&core, vec![message]).await?;
        waits.push((begun, begun.elapsed()));
        let begun = clock::now();
        let lease = core.store.lease_due(*to, core.now(), LEASE).await?;
        waits.push((begun, begun.elapsed()));
        drop(lease);
    }
    Ok(waits)
}

async fn queue(core: &Core, submissions: Vec<Submission>) -> anyhow::Result<()> {
    let outcomes = outbound::submit(core, submissions).await?;
    let all = outcomes.iter().all(|outcome| matches!(outcome, Submitted::Queued(_)));
    ensure!(all, "held back: {:?}", outcomes.first());
    Ok(())
}

fn submission(to: Oin, consent: Uuid, ground: Ground) -> anyhow::Result<Submission> {
    Ok(Submission {
        to,
        purpose: purpose(ground).to_owned(),
        case: None,
        desk: None,
        document: signal(0, consent, ground)?,
        source_record: None,
    })
}

/// Records a consent for everybody and queues so many messages under it; names it.
async fn fill(core: &Core, partners: &[Oin], messages: usize) -> anyhow::Result<ConsentKey> {
    let until = core.now() + jiff::SignedDuration::from_hours(1000);
    let text = record(0, partners, (core.now(), until)).to_string();
    let rules = (OrganisationKind::Municipality, purposes()?);
    let granted = register::grant(core, decided(core.now())?, text.as_bytes(), (rules.0, &rules.1)).await?;
    let everybody: Vec<Oin> = partners.iter().copied().cycle().take(messages).collect();
    for some in everybody.chunks(MAX_SUBMISSIONS) {
        let some = some.iter().map(|to| submission(*to, granted.id(), Ground::Consent));
        queue(core, some.collect::<anyhow::Result<_>>()?).await?;
    }
    Ok(granted.key(core.me))
}

/// A municipality that has an agreement with so many others.
async fn node(folder: &Path, partners: usize) -> anyhow::Result<(Core, Vec<Oin>)> {
    let oin = |number: usize| format!("000000990001{number:05}000").parse::<Oin>();
    let everybody: Vec<(Oin, Keys)> = (0..=partners)
        .map(|number| {
            let oin = oin(number)?;
            Ok((oin, make_keys(KEY_SEED + number as u64, oin)?))
        })
        .collect::<anyhow::Result<_>>()?;
    let welfare = ("Welzijn", OrganisationKind::Welfare);
    let descriptors: Vec<String> = everybody[1..]
        .iter()
        .map(|(oin, keys)| describe(*oin, welfare, keys))
        .collect::<anyhow::Result<_>>()?;
    let (me, keys) = everybody[0].clone();
    let place = Place { oin: me, keys, database: folder.join("schakel.db"), seed: KEY_SEED };
    let core = setup::create(place, &descriptors).await?;
    agree(&core, &everybody).await?;
    Ok((core, everybody[1..].iter().map(|(oin, _)| *oin).collect()))
}

async fn agree(core: &Core, everybody: &[(Oin, Keys)]) -> anyhow::Result<()> {
    let purposes = purposes()?;
    let all: Vec<Oin> = everybody.iter().map(|(oin, _)| *oin).collect();
    let kind = |oin: Oin| {
        if oin == core.me { OrganisationKind::Municipality } else { OrganisationKind::Welfare }
    };
    let content = Content {
        groep: "rivierenland".into(),
        versie: 1,
        partijen: everybody.iter().map(|(oin, keys)| party(*oin, ("Welzijn", kind(*oin)), keys)).collect(),
        geldig_van: date(2026, 11, 1),
        geldig_tot: date(2029, 10, 31),
        afspraken: purposes.iter().map(|purpose| among(&all, purpose)).collect(),
    };
    let text = serde_json::to_string(&content)?;
    agreements::propose(core, &text, &purposes).await?;
    let agreement = Agreement::parse(&text)?;
    for (oin, keys) in &everybody[1..] {
        let package = Package {
            convenant: serde_json::from_str(&text)?,
            doelen: purposes
                .iter()
                .map(|purpose| serde_json::from_str(purpose.text()))
                .collect::<Result<_, _>>()?,
            antwoorden: vec![agreement.answer(AnswerKind::Accepted, core.now(), &*keys.signer)?],
        };
        agreements::receive(core, *oin, &serde_json::to_vec(&package)?).await?;
    }
    Ok(())
}

fn report(
    options: &WithdrawalOptions,
    (quiet, during): (&[Wait], &[Wait]),
    took: &Took,
) -> anyhow::Result<()> {
    let told_at = took.begun + took.told;
    let times = |waits: &[Wait], wanted: &dyn Fn(&Wait) -> bool| {
        Times::of(waits.iter().filter(|wait| wanted(wait)).map(|(_, took)| *took).collect())
    };
    let alone = times(quiet, &|_| true);
    // What was under way when it began waits for it too.
    let telling = times(during, &|(begun, took_it)| *begun + *took_it >= took.begun && *begun < told_at);
    let erasing = times(during, &|(begun, _)| *begun >= told_at && *begun < took.begun + took.erased);
    let ms = |time: Duration| (time.as_secs_f64() * 1e4).round() / 10.0;
    let report = json!({
        "messages": options.messages,
        "partners": options.partners,
        "withdrawn_ms": ms(took.returned),
        "queued_ms": ms(took.told),
        "erased_ms": ms(took.erased),
        "others_alone": alone,
        "others_while_queueing": telling,
        "others_while_erasing": erasing,
        "longest_wait_while_queueing_to_alone": (telling.max_ms / alone.max_ms * 10.0).round() / 10.0,
        "longest_wait_while_erasing_to_alone": (erasing.max_ms / alone.max_ms * 10.0).round() / 10.0,
    });
    let text = if options.json { report.to_string() } else { serde_json::to_string_pretty(&report)? };
    writeln!(std::io::stdout(), "{text}")?;
    let (queued, most) = (ms(took.told), options.most);
    ensure!(queued <= most, "too slow: queueing every notice took {queued} ms, more than {most} ms");
    Ok(())
}
