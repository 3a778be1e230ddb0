//! The path of a message out of the organisation, up to the moment the source may be told that it is safe.

use std::collections::BTreeSet;

use exchange::{
    agreement::Standing,
    consent::{ConsentKey, Extract, rests_on_case},
    desk::Desk,
    digest::Digest,
    handover::is_handover,
    message::{Draft, HeldBack, SignedMessage},
    oin::Oin,
    person::Identity,
    policy,
    refusal::{self, Refusal},
    rulebook::Rulebook,
};
use jiff::{SignedDuration, Timestamp};
use schemas::Document;
use store::{Access, Decision, Enqueued, GivenUp, MessageRow, Outgoing, State, StoreError};
use uuid::Uuid;

use crate::{
    consent::{self, Knowledge, residents::Residents},
    core::Core,
    handover::{self, Cases},
};

/// How long a message waits for its receiver unless the sender says otherwise.
pub(crate) const LIFETIME: SignedDuration = SignedDuration::from_hours(24 * 30);

/// The most documents that are submitted in one go.
pub const MAX_SUBMISSIONS: usize = 256;

/// What a local system, a page or the API wants to send.
#[derive(Debug, Clone)]
pub struct Submission {
    /// The receiver.
    pub to: Oin,
    /// The purpose.
    pub purpose: String,
    /// The case it belongs to; a new one when absent.
    pub case: Option<Uuid>,
    /// The receiver's desk.
    pub desk: Option<String>,
    /// The data.
    pub document: Document,
    /// Names the source record. Offered again, the same record is only sent again when its message was refused or could
    /// not be delivered.
    pub source_record: Option<Vec<u8>>,
}

/// What became of a submission.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Submitted {
    /// Safe in the outbox; the source may forget it.
    Queued(Uuid),
    /// Safe in the outbox, without the fields that the purpose does not allow and says to leave out.
    QueuedWithout {
        /// Its identifier.
        id: Uuid,
        /// Those fields: JSON pointers into the data that was offered, never a value.
        left_out: Vec<String>,
    },
    /// The same source record was sent before; its message waits or was admitted.
    AlreadyOffered,
    /// The rules do not let it leave. Nothing of it was kept but that it was held back, and why.
    HeldBack(Refusal),
}

/// Decides, signs and stores a batch; when this returns, every outcome is durable. For what the node sends by itself: when a
/// person or a local system decided to send it, [`submit_decided`].
pub async fn submit(core: &Core, submissions: Vec<Submission>) -> Result<Vec<Submitted>, StoreError> {
    Ok(submit_as(core, submissions, None).await?.into_iter().map(|(submitted, _)| submitted).collect())
}

/// The same for what somebody decided to send. That they did is kept in the same transaction, with what it became.
pub async fn submit_decided(
    core: &Core,
    submissions: Vec<Submission>,
    access: &Access,
) -> Result<Vec<Submitted>, StoreError> {
    let submitted = submit_numbered(core, submissions, access).await?;
    Ok(submitted.into_iter().map(|(submitted, _)| submitted).collect())
}

/// As [`submit_decided`], with the place in the log of each message that waits or was offered before.
pub async fn submit_numbered(
    core: &Core,
    submissions: Vec<Submission>,
    access: &Access,
) -> Result<Vec<(Submitted, Option<u64>)>, StoreError> {
    submit_as(core, submissions, Some(access)).await
}

async fn submit_as(
    core: &Core,
    submissions: Vec<Submission>,
    access: Option<&Access>,
) -> Result<Vec<(Submitted, Option<u64>)>, StoreError> {
    let now = core.now();
    let submissions = filled_in(core, submissions).await?;
    let mut ruling = core.ruling();
    loop {
        let consents = consents_of(&submissions);
        let known = Knowledge::of(core, consents).await?;
        let residents = Residents::of(core, cases_of_consents(&submissions)).await?;
        let cases = Cases::of(core, cases_of(&submissions)).await?;
        let Decided { outcomes, messages, held_back } =
            decide(core, (&ruling.rules, &known, cases, residents), &submissions, now);
        let enqueued = match access {
            None => core.store.enqueue(ruling.version, messages, held_back).await,
            Some(access) => {
                let decided = persons(access.clone(), &submissions, &outcomes);
                core.store.enqueue_decided(ruling.version, (messages, held_back), decided).await
            }
        };
        match enqueued {
            Err(StoreError::RulesChanged) => ruling = core.rule_again(ruling).await?,
            enqueued => {
                let submitted = note_repeats(outcomes, enqueued?);
                core.work.notify_one();
                return Ok(submitted);
            }
        }
    }
}

/// What comes of submissions, one outcome for each.
struct Decided {
    outcomes: Vec<Submitted>,
    messages: Vec<Outgoing>,
    held_back: Vec<HeldBack>,
}

/// Whom it is about that is sent or held back.
fn persons(access: Access, submissions: &[Submission], outcomes: &[Submitted]) -> store::Decided {
    let (mut about, mut also) = (Vec::with_capacity(submissions.len()), Vec::new());
    for (submission, outcome) in submissions.iter().zip(outcomes) {
        let person = Identity::of(&submission.document);
        if matches!(outcome, Submitted::HeldBack(_)) { also.extend(person) } else { about.push(person) }
    }
    store::Decided { access, about, also }
}

/// What rests on a consent goes with what proves it.
async fn filled_in(core: &Core, mut submissions: Vec<Submission>) -> Result<Vec<Submission>, StoreError> {
    let mut residents = Residents::of(core, cases_of_consents(&submissions)).await?;
    for submission in &mut submissions {
        let of_case = residents.about(submission.case);
        let document = consent::fill_in(core, submission.document.clone(), of_case).await?;
        submission.document = handover::fill_in(core, document, submission.case).await?;
        if let Some(case) = submission.case {
            residents.learn(case, &submission.document, Extract::claimed_by(&submission.document));
        }
    }
    Ok(submissions)
}

fn consents_of(submissions: &[Submission]) -> BTreeSet<ConsentKey> {
    submissions.iter().filter_map(|submission| Extract::claimed_by(&submission.document)).collect()
}

fn cases_of(submissions: &[Submission]) -> BTreeSet<Uuid> {
    let handovers = submissions.iter().filter(|one| is_handover(one.document.schema()));
    handovers.filter_map(|submission| submission.case).collect()
}

fn cases_of_consents(submissions: &[Submission]) -> BTreeSet<Uuid> {
    let of_nobody = submissions.iter().filter(|one| rests_on_case(&one.document));
    of_nobody.filter_map(|submission| submission.case).collect()
}

/// Decides in order: what a message does in a handover counts for those after it.
fn decide(
    core: &Core,
    (rules, known, mut cases, mut residents): (&Rulebook, &Knowledge, Cases, Residents),
    submissions: &[Submission],
    now: Timestamp,
) -> Decided {
    let partners = core.partners();
    let mut outcomes = Vec::with_capacity(submissions.len());
    let (mut messages, mut held_back) = (Vec::new(), Vec::new());
    for submission in submissions {
        let row = submission.source_record.as_deref().map(|record| core.store.intake_key(record));
        let draft = draft(core, rules, submission, now);
        let case = cases.about(draft.handover_case());
        let consent = known.about(draft.claimed_consent());
        let receiver = partners.get(&draft.to).map_or(&[][..], |receiver| &receiver.loketten);
        let resident = residents.about(submission.case);
        match sign(core, (rules, receiver), policy::Knowledge { consent, case, resident }, draft) {
            Ok(message) => {
                let sent = message.draft();
                residents.learn(sent.case, &sent.document, message.consent().map(|used| used.key));
                cases.learn(core, message.draft().case, message.step());
                outcomes.push(queued(&message));
                let message = Outgoing::from(message);
                messages.push(match row {
                    Some(row) => message.of_row(row),
                    None => message,
                });
            }
            Err(refused) => {
                outcomes.push(Submitted::HeldBack(refused.refusal().clone()));
                held_back.push(refused);
            }
        }
    }
    Decided { outcomes, messages, held_back }
}

fn queued(message: &SignedMessage) -> Submitted {
    let (id, left_out) = (message.draft().id, message.left_out().to_vec());
    if left_out.is_empty() { Submitted::Queued(id) } else { Submitted::QueuedWithout { id, left_out } }
}

fn draft(core: &Core, rules: &Rulebook, submission: &Submission, now: Timestamp) -> Draft {
    let message_type = submission.document.schema().message_type().unwrap_or_default();
    Draft {
        id: exchange::id::new(now, &*core.random),
        from: core.me,
        to: submission.to,
        agreement: choose_agreement(rules, core.me, submission.to, &submission.purpose, message_type, now),
        purpose: submission.purpose.clone(),
        case: submission.case.unwrap_or_else(|| exchange::id::new(now, &*core.random)),
        desk: submission.desk.clone(),
        time: now,
        expires: now + LIFETIME,
        document: submission.document.clone(),
    }
}

/// The newest agreement in force that covers the message and was not replaced, else the newest that would, so that the
/// refusal tells what is the matter with it. Without any, the digest of nothing: no agreement has that.
fn choose_agreement(
    rules: &Rulebook,
    from: Oin,
    to: Oin,
    purpose: &str,
    message_type: &str,
    now: Timestamp,
) -> Digest {
    let candidates = rules.agreements_for(from, to, purpose, message_type);
    let in_force = candidates.iter().find(|agreement| {
        agreement.standing(now) == Standing::InForce && !rules.is_replaced(agreement, from, to, now)
    });
    in_force.or(candidates.first()).map_or_else(|| Digest::of(b""), |agreement| agreement.digest())
}

fn sign(
    core: &Core,
    (rules, receiver): (&Rulebook, &[Desk]),
    known: policy::Knowledge<'_>,
    draft: Draft,
) -> Result<SignedMessage, HeldBack> {
    draft.at_desk_of(receiver)?.permit(rules, known)?.sign(&*core.signer)
}

fn note_repeats(outcomes: Vec<Submitted>, enqueued: Vec<Enqueued>) -> Vec<(Submitted, Option<u64>)> {
    let mut enqueued = enqueued.into_iter();
    let number = |outcome: Submitted| match outcome {
        Submitted::HeldBack(_) | Submitted::AlreadyOffered => (outcome, None),
        Submitted::Queued(_) | Submitted::QueuedWithout { .. } => match enqueued.next() {
            Some(Enqueued::AlreadyOffered { index }) => (Submitted::AlreadyOffered, Some(index)),
            Some(Enqueued::Queued { index }) => (outcome, Some(index)),
            None => (outcome, None),
        },
    };
    outcomes.into_iter().map(number).collect()
}

/// A message that cannot be sent again.
#[derive(Debug, thiserror::Error)]
pub enum ResendError {
    /// Its agreement is over.
    #[error(
        "bericht {0} kan niet opnieuw: het convenant waaronder het is gemaakt geldt niet meer. Bied het bestand opnieuw aan als er een nieuwe versie van het convenant geldt"
    )]
    AgreementOver(u64),
    /// The consent that it rested on was withdrawn or ran out.
    #[error(
        "bericht {index} kan niet opnieuw: toestemming{}, waarop het steunde, is ingetrokken of verlopen. `schakel toestemming tonen{}` laat zien hoe het ermee staat. Geeft de inwoner opnieuw toestemming, verstuur dan een nieuw bericht",
        number(*consent), number(*consent)
    )]
    ConsentOver {
        /// The message.
        index: u64,
        /// The consent, if that is known.
        consent: Option<ConsentKey>,
    },
    /// It is not undeliverable, it expired, or another took its place.
    #[error(
        "bericht {0} kan niet opnieuw. Dat kan alleen met een onbestelbaar bericht dat niet verlopen of opgegeven is en niet al door een nieuw is vervangen; `schakel berichten --stand onbestelbaar` laat zien welke er zijn"
    )]
    NotUndeliverable(u64),
    /// The store did not answer.
    #[error(transparent)]
    Store(#[from] StoreError),
}

fn number(consent: Option<ConsentKey>) -> String {
    consent.map_or_else(String::new, |key| format!(" {}", key.id))
}

/// Why a message does not go again, whatever else is the matter.
const ENDED_WITH_CONSENT: [Option<&str>; 2] =
    [Some(refusal::Reason::ConsentWithdrawn.code()), Some(refusal::Reason::ConsentExpired.code())];

/// Has an undeliverable message sent again, behind everything that waits, as somebody decided. That they did is kept first,
/// with the case of the message unless another was given.
pub async fn resend(core: &Core, mut access: Access, index: u64) -> Result<(), ResendError> {
    let row = core.store.logged(index).await?.ok_or(ResendError::NotUndeliverable(index))?;
    may_go_again(core, &row)?;
    access.why.case = access.why.case.or(row.case);
    core.store.record_decision(access, Decision::OpnieuwVersturen, &[index]).await?;
    go_again(core, index).await?;
    core.work.notify_one();
    Ok(())
}

/// Whether a message may be sent again, as far as can be told before it is tried.
pub(crate) fn may_go_again(core: &Core, row: &MessageRow) -> Result<(), ResendError> {
    let (rules, index) = (core.rules(), row.index);
    let agreement = row.agreement.and_then(|digest| rules.agreement(digest));
    if agreement.is_some_and(|agreement| agreement.standing(core.now()) != Standing::InForce) {
        return Err(ResendError::AgreementOver(index));
    }
    if ENDED_WITH_CONSENT.contains(&row.reason.as_deref()) {
        return Err(ResendError::ConsentOver { index, consent: row.consent });
    }
    let given_up = row.reason.as_deref().and_then(GivenUp::of_code).is_some();
    let expired = row.expires.is_some_and(|expires| expires <= core.now());
    if row.state != State::Undeliverable || given_up || expired {
        return Err(ResendError::NotUndeliverable(index));
    }
    Ok(())
}

/// Puts a message in the queue again, once somebody's decision to do so is on record.
pub(crate) async fn go_again(core: &Core, index: u64) -> Result<(), ResendError> {
    match core.store.resend(index, core.now()).await {
        Err(StoreError::NotFound(_)) => Err(ResendError::NotUndeliverable(index)),
        resent => Ok(resent?),
    }
}

#[cfg(test)]
mod tests;
