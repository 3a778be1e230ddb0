//! Being a witness of the partners' logs, and letting them be one of ours.
//!
//! From time to time each partner is asked for its checkpoint. That, the one of its last receipt, and what other partners
//! saw of the same log, are held against the last checkpoint that was verified here. What extends it is kept, cosigned
//! and brought to the partner. What contradicts it is an alarm, which stays. Traffic goes on: an alarm says that a
//! partner's evidence cannot be relied on, not that a resident's case may wait, and who stops on an alarm can be stopped
//! by one. What receipts show in between waits for the next check ([`Seen`]), and is an alarm at once when two of them
//! prove it.

use std::{
    collections::{BTreeSet, HashMap},
    sync::Arc,
    time::Duration,
};

use exchange::{
    agreement::Agreement,
    canonical,
    digest::Digest,
    entry::Entry,
    oin::Oin,
    tlog::{
        Checkpoint, Cosignature, CosignerVerifier, Hash, LogVerifier, MAX_PROOF_HASHES, verify_consistency,
    },
    witness::{ALARM, Alarm, Answer, Contradiction, Next, Verdict, compare, judge},
};
use jiff::{SignedDuration, Timestamp};
use store::{CosignedCheckpoint, RaisedAlarm, StoreError};
use tokio::{sync::Semaphore, task::JoinSet};
use transport::{Endpoint, Link, Request};

use crate::{core::Core, delivery::log_keys, partners};

mod seen;

pub use seen::Seen;
pub(crate) use seen::receipted;

/// How often to look whose turn it is.
const TICK: Duration = Duration::from_secs(1);
/// From one check of a partner to the next, at most; at least half of it, so that nodes do not ask all at once.
const INTERVAL: SignedDuration = SignedDuration::from_mins(10);
/// How often what is wrong is said again.
const REPEAT: SignedDuration = SignedDuration::from_hours(24);
/// A checkpoint that stays the same is cosigned again after this, so that others see that it was looked at.
const FRESH: SignedDuration = SignedDuration::from_hours(1);
/// Partners that are checked at the same time.
const AT_ONCE: usize = 4;
/// Other partners that are asked what they saw of one log.
const OTHERS: usize = 8;
/// Checkpoints that are taken of one such partner: its latest.
const NOTES_OF_ONE: usize = 2;
/// The path of testimonies.
pub(crate) const TESTIMONY: &str = "/v1/logboek/getuigenis";

/// What came of checking a partner's log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Checked {
    /// Everything it showed is one log, which has this size.
    Whole(u64),
    /// It contradicts itself. The alarm is kept.
    Contradicts(Contradiction),
    /// It could not be asked, for this reason, in Dutch.
    Unanswered(String),
    /// No agreement that was accepted here names its log key.
    NoKey,
}

/// A partner under check.
struct Check<'a> {
    core: &'a Core,
    link: &'a Link,
    partner: Oin,
    endpoint: Endpoint,
}

/// What holding one checkpoint against another finds.
enum Finding {
    /// It extends what was verified before, or is the first.
    Grown,
    /// It is the same.
    Same,
    /// It is an earlier state of what was verified, which has this size.
    Older(u64),
    /// The partner gave no answer that says anything, for this reason.
    Nothing(String),
    /// The two make no one log; with the proof that the partner gave.
    Contradicts(Contradiction, Option<Vec<Hash>>),
}

/// Checks partners, each in its turn, until cancelled. Who does not answer holds up nobody.
pub async fn run(core: Arc<Core>, link: Link) {
    let room = Arc::new(Semaphore::new(AT_ONCE));
    let mut next: HashMap<Oin, Timestamp> = HashMap::new();
    let mut repeat = Timestamp::MIN;
    let mut checks: JoinSet<()> = JoinSet::new();
    loop {
        let now = core.now();
        if repeat <= now {
            repeat = now.saturating_add(REPEAT).unwrap_or(Timestamp::MAX);
            repeat_alarms(&core).await;
        }
        let partners = core.partners();
        next.retain(|partner, _| partners.contains_key(partner));
        for partner in partners.keys() {
            // Without an agreement there is nothing to check yet, and once there is one, at once.
            let waits = next.get(partner).is_some_and(|due| now < *due) && !core.seen.is_doubtful(*partner);
            if waits || log_keys(&core, *partner).is_empty() {
                continue;
            }
            next.insert(*partner, now.saturating_add(pause(&core)).unwrap_or(Timestamp::MAX));
            let (core, link, room, partner) = (core.clone(), link.clone(), room.clone(), *partner);
            checks.spawn(async move {
                let _place = room.acquire_owned().await;
                match check(&core, &link, partner).await {
                    Ok(checked) => tracing::debug!(%partner, ?checked, "checked a partner's log"),
                    Err(error) => tracing::error!(%error, %partner, "cannot check a partner's log"),
                }
            });
        }
        while checks.try_join_next().is_some() {}
        tokio::time::sleep(TICK).await;
    }
}

/// Between half the interval and all of it.
fn pause(core: &Core) -> SignedDuration {
    let mut byte = [0];
    core.random.fill(&mut byte);
    INTERVAL / 2 + (INTERVAL / 2 / 256) * i32::from(byte[0])
}

async fn repeat_alarms(core: &Core) {
    match core.store.alarms().await {
        Ok(alarms) => {
            for (index, alarm) in alarms {
                tracing::error!(log = %alarm.log, index, "a log contradicts what it signed; see `schakel logboek partners`");
            }
        }
        Err(error) => tracing::error!(%error, "cannot read the alarms"),
    }
}

/// Holds everything that a partner's log shows now against what was verified of it before.
pub async fn check(core: &Core, link: &Link, partner: Oin) -> Result<Checked, StoreError> {
    let keys = log_keys(core, partner);
    if keys.is_empty() {
        return Ok(Checked::NoKey);
    }
    let Some(endpoint) = partners::endpoint(core, partner) else { return Ok(Checked::NoKey) };
    let check = Check { core, link, partner, endpoint };
    let live = match check.ask(&check.endpoint, Request::get("/v1/logboek/checkpoint")).await {
        Ok((200, body)) => String::from_utf8(body).unwrap_or_default(),
        Ok((status, _)) => {
            return Ok(Checked::Unanswered(format!("het knooppunt antwoordde met HTTP {status}")));
        }
        Err(reason) => return Ok(Checked::Unanswered(reason)),
    };
    let mut notes = Vec::new();
    notes.extend(core.store.partner_checkpoint(partner).await?.map(|kept| kept.note));
    notes.extend(core.seen.ask(partner));
    notes.push(live);
    notes.extend(check.seen_by_others().await);
    let mut outcome =
        Checked::Unanswered("het knooppunt toonde geen controlepunt met zijn logsleutel".into());
    for note in notes {
        let Some((key, checkpoint, bare)) = opened(&keys, &note) else { continue };
        let taken = check.take(&key, checkpoint, bare).await?;
        if !matches!(taken, Checked::Unanswered(_)) {
            core.seen.checked(partner, &note);
        }
        outcome = taken;
        if matches!(outcome, Checked::Contradicts(_)) {
            break;
        }
    }
    // Also when it contradicts itself: its own node may not know that it does.
    check.testify(&keys).await?;
    Ok(outcome)
}

/// A note with the key that signed it, without what others added.
fn opened(keys: &[LogVerifier], note: &str) -> Option<(LogVerifier, Checkpoint, String)> {
    keys.iter().find_map(|key| {
        let (checkpoint, bare) = key.bare(note).ok()?;
        Some((key.clone(), checkpoint, bare))
    })
}

impl Check<'_> {
    async fn ask(&self, endpoint: &Endpoint, request: Request) -> Result<(u16, Vec<u8>), String> {
        let response = self.link.send(endpoint, request).await.map_err(|error| error.explanation())?;
        Ok((response.status, response.body.to_vec()))
    }

    /// What partners who share an agreement with both of us saw of this log: who shows each another log is found out
    /// by those who compare.
    async fn seen_by_others(&self) -> Vec<String> {
        let rules = self.core.rules();
        let shared = rules.agreements().filter(|one| one.party(self.partner).is_some());
        let others: BTreeSet<Oin> = shared
            .flat_map(|one| one.content().partijen.iter().map(|party| party.oin))
            .filter(|oin| *oin != self.core.me && *oin != self.partner)
            .collect();
        let mut notes = Vec::new();
        for other in others.into_iter().take(OTHERS) {
            let Some(endpoint) = partners::endpoint(self.core, other) else { continue };
            let request = Request::get(TESTIMONY).with_query(format!("van={}", self.partner));
            let Ok((200, body)) = self.ask(&endpoint, request).await else { continue };
            let seen: Vec<String> = serde_json::from_slice(&body).unwrap_or_default();
            notes.extend(seen.into_iter().rev().take(NOTES_OF_ONE));
        }
        notes
    }

    /// Takes one checkpoint that the partner signed.
    async fn take(&self, key: &LogVerifier, shown: Checkpoint, bare: String) -> Result<Checked, StoreError> {
        let (core, key_text) = (self.core, key.to_string());
        let last = core.store.last_cosigned(self.partner, core.me, &key_text).await?;
        let kept = last.as_ref().and_then(|last| key.bare(&last.note).ok());
        let fresh = last.as_ref().is_some_and(|last| core.now().duration_since(last.at) < FRESH);
        match self.hold(kept.as_ref().map(|(checkpoint, _)| checkpoint), &shown).await {
            Finding::Same if fresh => Ok(Checked::Whole(shown.size)),
            Finding::Grown | Finding::Same => {
                self.keep(&key_text, &shown, &bare).await?;
                Ok(Checked::Whole(shown.size))
            }
            Finding::Older(size) => Ok(Checked::Whole(size)),
            Finding::Nothing(reason) => Ok(Checked::Unanswered(reason)),
            Finding::Contradicts(how, antwoord) => {
                let gezien = kept.map(|(_, note)| note).unwrap_or_default();
                let alarm = Alarm { antwoord, ..alarm(core, how, (self.partner, key_text), (gezien, bare)) };
                raise(core, alarm, last.map_or(0, |last| last.size)).await?;
                Ok(Checked::Contradicts(how))
            }
        }
    }

    /// Holds a checkpoint against the last that was verified, and asks the partner for the proof that takes.
    async fn hold(&self, kept: Option<&Checkpoint>, shown: &Checkpoint) -> Finding {
        let next = compare(kept, shown);
        let (kept, from, to) = match (next, kept) {
            (Next::First, _) | (_, None) => return Finding::Grown,
            (Next::Known, _) => return Finding::Same,
            (Next::Contradicts, _) => return Finding::Contradicts(Contradiction::Gesplitst, None),
            (Next::Prove { from, to }, Some(kept)) => (kept, from, to),
        };
        let proof = match self.consistency(from, to).await {
            Ok(proof) => proof,
            Err(reason) => return Finding::Nothing(reason),
        };
        let answer = proof.as_deref().map_or(Answer::Beyond, Answer::Proof);
        match judge(kept, shown, answer) {
            Verdict::Extends => Finding::Grown,
            Verdict::Older => Finding::Older(kept.size),
            Verdict::Contradicts(how) => Finding::Contradicts(how, proof),
        }
    }

    /// The proof that the partner gives between two sizes; none when it says that it has no tree of the larger.
    async fn consistency(&self, from: u64, to: u64) -> Result<Option<Vec<Hash>>, String> {
        let request = Request::get("/v1/logboek/consistentie").with_query(format!("van={from}&tot={to}"));
        let (status, body) = self.ask(&self.endpoint, request).await?;
        let unreadable = || "het knooppunt gaf geen leesbaar bewijs van samenhang".to_owned();
        match status {
            200 => {
                let proof: Vec<Hash> = serde_json::from_slice(&body).map_err(|_| unreadable())?;
                if proof.len() > MAX_PROOF_HASHES { Err(unreadable()) } else { Ok(Some(proof)) }
            }
            400 if problem_type(&body).as_deref() == Some("urn:schakel:probleem:buiten-het-logboek") => {
                Ok(None)
            }
            _ => Err(format!(
                "het knooppunt antwoordde met HTTP {status} op de vraag naar een bewijs van samenhang"
            )),
        }
    }

    async fn keep(&self, key: &str, checkpoint: &Checkpoint, bare: &str) -> Result<(), StoreError> {
        let (core, at) = (self.core, self.core.now());
        let cosigned = Cosignature::by(&*core.signer, &core.me.log_origin(), checkpoint, at)
            .and_then(|cosignature| cosignature.add_to(bare));
        // The note was read a moment ago and has one signature: it takes another.
        let note = cosigned.map_err(|error| StoreError::Corrupt(format!("a checkpoint: {error}")))?;
        let kept = CosignedCheckpoint {
            log: self.partner,
            witness: core.me,
            key: key.to_owned(),
            size: checkpoint.size,
            note,
            at,
        };
        core.store.put_cosigned(kept).await
    }

    /// Brings the partner what was cosigned here of its log.
    async fn testify(&self, keys: &[LogVerifier]) -> Result<(), StoreError> {
        for key in keys {
            let last = self.core.store.last_cosigned(self.partner, self.core.me, &key.to_string()).await?;
            let Some(last) = last else { continue };
            let request = Request::post(TESTIMONY, "text/plain; charset=utf-8", last.note);
            match self.ask(&self.endpoint, request).await {
                Ok((204, _)) => {}
                Ok((409, _)) => tracing::error!(
                    partner = %self.partner,
                    "a partner says that its log is no longer the one that was cosigned here"
                ),
                answer => tracing::debug!(partner = %self.partner, ?answer, "a cosignature was not taken"),
            }
        }
        Ok(())
    }
}

/// An alarm about a log and its key, with the checkpoint that was verified before and the one that does not go with it.
fn alarm(
    core: &Core,
    aard: Contradiction,
    (logboek, logsleutel): (Oin, String),
    (gezien, getoond): (String, String),
) -> Alarm {
    let (soort, door, tijd) = (ALARM.to_owned(), core.me, core.now());
    Alarm { soort, aard, logboek, logsleutel, gezien, getoond, antwoord: None, door, tijd }
}

/// Keeps an alarm for good and says so, wherever an operator looks.
async fn raise(core: &Core, alarm: Alarm, kept_size: u64) -> Result<(), StoreError> {
    let damaged = |error: String| StoreError::Corrupt(format!("an alarm: {error}"));
    let evidence = canonical::text(&alarm).map_err(|error| damaged(error.to_string()))?;
    let entry = Entry::Alarm {
        aard: alarm.aard,
        bewijs: Digest::of(evidence.as_bytes()),
        logboek: alarm.logboek,
        tijd: alarm.tijd,
    };
    let raised = RaisedAlarm {
        log: alarm.logboek,
        key: alarm.logsleutel,
        kept_size,
        kind: alarm.aard.as_str().to_owned(),
        evidence,
        noticed: alarm.tijd,
    };
    if core.store.raise_alarm(raised, entry.leaf()).await? {
        tracing::error!(log = %alarm.logboek, how = alarm.aard.as_str(), "a log contradicts what it signed; see `schakel logboek partners`");
    }
    Ok(())
}

/// What came of a testimony about this node's own log.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Testimony {
    /// It is kept.
    Kept,
    /// It is not a checkpoint that this log signed, with a cosignature by this partner.
    Unreadable,
    /// This log signed it, and is not that log any more.
    Contradicts,
}

/// Takes in a cosignature by `peer` over a checkpoint of this node's log. Who holds one that this log does not lead to
/// has the proof that this log was put back or changed, and then this node says so itself.
pub async fn receive(core: &Core, peer: Oin, body: &[u8]) -> Result<Testimony, StoreError> {
    let key = core.store.log_key();
    let Some((checkpoint, bare, cosigned, at)) = testimony(core, peer, &key, body) else {
        return Ok(Testimony::Unreadable);
    };
    let head = core.store.checkpoint().await?;
    if let Some((how, antwoord)) = contradiction(core, &key, &checkpoint, &head).await? {
        let alarm = Alarm { antwoord, ..alarm(core, how, (core.me, key.to_string()), (bare, head)) };
        raise(core, alarm, checkpoint.size).await?;
        return Ok(Testimony::Contradicts);
    }
    let size = checkpoint.size;
    let kept =
        CosignedCheckpoint { log: core.me, witness: peer, key: key.to_string(), size, note: cosigned, at };
    core.store.put_cosigned(kept).await?;
    Ok(Testimony::Kept)
}

/// The checkpoint of a testimony, as this log signed it and as the partner cosigned it, and when.
fn testimony(
    core: &Core,
    peer: Oin,
    key: &LogVerifier,
    body: &[u8],
) -> Option<(Checkpoint, String, String, Timestamp)> {
    let note = std::str::from_utf8(body).ok()?;
    let (checkpoint, bare) = key.bare(note).ok()?;
    let cosigners = cosigners(core, peer);
    let (witness, at) = cosigners.iter().find_map(|one| Some((one, one.find(note).ok()?.1)))?;
    let cosigned = witness.only(note, &bare).ok()?;
    Some((checkpoint, bare, cosigned, at))
}

/// The keys that a partner may cosign with: those of its messages, in the agreements accepted here and as its node
/// shows them.
fn cosigners(core: &Core, partner: Oin) -> Vec<CosignerVerifier> {
    let rules = core.rules();
    let accepted = rules.agreements().filter(|one| one.answers().iter().any(|answer| answer.by == core.me));
    let agreed = accepted.filter_map(|one| Some(one.party(partner)?.sleutels.clone())).flatten();
    let shown = core.partners().get(&partner).map(|shown| shown.sleutels.clone()).unwrap_or_default();
    let mut keys: Vec<_> = agreed.chain(shown).collect();
    keys.sort_by(|one, other| one.kid().cmp(other.kid()));
    keys.dedup();
    keys.iter().filter_map(|key| CosignerVerifier::of(&partner.log_origin(), key).ok()).collect()
}

/// How this node's own log, with this signed head, contradicts a checkpoint that it signed, if it does; with the proof
/// that it can give.
async fn contradiction(
    core: &Core,
    key: &LogVerifier,
    signed: &Checkpoint,
    head: &str,
) -> Result<Option<(Contradiction, Option<Vec<Hash>>)>, StoreError> {
    let head =
        key.open(head).map_err(|error| StoreError::Corrupt(format!("the log's own checkpoint: {error}")))?;
    if head.size < signed.size {
        return Ok(Some((Contradiction::Ingekort, None)));
    }
    let proof = core.store.consistency(signed.size, head.size).await?;
    let extends = verify_consistency(signed.size, head.size, &proof, &signed.root, &head.root);
    Ok(match extends {
        Ok(()) => None,
        Err(_) if signed.size == head.size => Some((Contradiction::Gesplitst, None)),
        Err(_) => Some((Contradiction::Herschreven, Some(proof))),
    })
}

/// What this node saw of a log, for `peer`: its own, or that of an organisation with which both have an agreement. The
/// smallest first, each with our cosignature.
pub async fn seen_of(core: &Core, peer: Oin, log: Oin) -> Result<Vec<String>, StoreError> {
    let rules = core.rules();
    let shared = |one: &&Arc<Agreement>| one.party(peer).is_some() && one.party(log).is_some();
    if peer != log && !rules.agreements().any(|one| shared(&one)) {
        return Ok(Vec::new());
    }
    Ok(core.store.cosigned(log, Some(core.me)).await?.into_iter().map(|one| one.note).collect())
}

/// The signed head of this node's log, with the cosignatures of those who saw just that.
pub async fn cosigned_head(core: &Core) -> Result<String, StoreError> {
    let note = core.store.checkpoint().await?;
    let seen = core.store.cosigned(core.me, None).await?;
    Ok(with_cosignatures(&core.store.log_key(), note, &seen))
}

/// A checkpoint of a log with every cosignature over it among these.
pub(crate) fn with_cosignatures(key: &LogVerifier, note: String, seen: &[CosignedCheckpoint]) -> String {
    let Ok(head) = key.open(&note) else { return note };
    let same = seen.iter().filter(|one| one.size == head.size && key.open(&one.note) == Ok(head.clone()));
    // A line that is no cosignature is the log's own.
    let lines = same.flat_map(|one| one.note.lines());
    let cosignatures = lines.filter_map(|line| line.parse::<Cosignature>().ok());
    cosignatures.fold(note, |note, one| one.add_to(&note).unwrap_or(note))
}

/// Whether the witness of this checkpoint cosigned it with a key that the agreement gives it.
pub(crate) fn is_by_party(agreement: &Agreement, seen: &CosignedCheckpoint) -> bool {
    let keys = agreement.party(seen.witness).map_or(&[][..], |party| &party.sleutels);
    let name = seen.witness.log_origin();
    keys.iter().any(|key| CosignerVerifier::of(&name, key).is_ok_and(|one| one.find(&seen.note).is_ok()))
}

/// The type of a problem document (RFC 9457).
fn problem_type(body: &[u8]) -> Option<String> {
    let problem: serde_json::Value = serde_json::from_slice(body).ok()?;
    Some(problem.get("type")?.as_str()?.to_owned())
}
