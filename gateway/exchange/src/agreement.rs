//! Agreements (`convenanten`): which organisations may exchange what, for which purposes, signed by all of them.

use std::collections::{BTreeMap, BTreeSet};

use jiff::{SignedDuration, Timestamp, civil::Date};
use schemas::SchemaName;
use serde::{Deserialize, Serialize};

use crate::{
    calendar::midnight,
    canonical,
    consent::event::is_about_consent,
    digest::Digest,
    jws,
    oin::Oin,
    organisation::OrganisationKind,
    signature::{PublicKey, Signer},
    tlog::LogVerifier,
    valid,
};

/// What the parties agree on. Its content never changes: a new version replaces it and is signed anew.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Content {
    /// The name of the cooperation.
    pub groep: String,
    /// The version of the agreement within the group.
    pub versie: u32,
    /// Who signs.
    pub partijen: Vec<Party>,
    /// First day, Dutch time.
    pub geldig_van: Date,
    /// Last day, Dutch time.
    pub geldig_tot: Date,
    /// What may go from whom to whom.
    pub afspraken: Vec<Clause>,
}

/// A party with the keys it signs with under this agreement.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Party {
    /// The organisation.
    pub oin: Oin,
    /// Its name.
    pub naam: String,
    /// Its kind, which decides what a purpose lets it do.
    pub soort: OrganisationKind,
    /// The keys of its messages and answers.
    pub sleutels: Vec<PublicKey>,
    /// The key of its log (C2SP vkey).
    pub logsleutel: String,
    /// Where to ask about the exchange.
    pub contact: String,
    /// Where to reach its data protection officer.
    pub fg: String,
}

/// One arrangement: these message types, for this purpose, from these parties to those.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Clause {
    /// The purpose.
    pub doel: String,
    /// The digest of the purpose's text, so that both sides decide by the same words.
    pub doel_digest: Digest,
    /// Senders.
    pub van: Vec<Oin>,
    /// Receivers.
    pub naar: Vec<Oin>,
    /// CloudEvents types.
    pub berichttypen: Vec<String>,
}

impl Clause {
    /// Whether this clause lets `from` send `to` messages of this type for this purpose.
    pub fn covers(&self, from: Oin, to: Oin, purpose: &str, message_type: &str) -> bool {
        self.doel == purpose
            && from != to
            && self.van.contains(&from)
            && self.naar.contains(&to)
            && self.berichttypen.iter().any(|one| one == message_type)
    }
}

/// What a party says to an agreement.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum AnswerKind {
    /// Accepts it.
    #[serde(rename = "aanvaard")]
    Accepted,
    /// Does not want it.
    #[serde(rename = "afgewezen")]
    Rejected,
    /// Ends it.
    #[serde(rename = "opgezegd")]
    Ended,
}

impl AnswerKind {
    /// The name on the wire.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Accepted => "aanvaard",
            Self::Rejected => "afgewezen",
            Self::Ended => "opgezegd",
        }
    }
}

/// What stands in the signed answer.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct AnswerText {
    convenant: Digest,
    soort: AnswerKind,
    tijd: Timestamp,
}

/// A verified answer.
#[derive(Debug, Clone)]
pub struct Answer {
    /// Who answered.
    pub by: Oin,
    /// What it said.
    pub kind: AnswerKind,
    /// When, by its own clock.
    pub at: Timestamp,
    /// The signed text, the evidence.
    pub jws: String,
}

/// Where an agreement stands at a certain moment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Standing {
    /// Waits for these parties to accept.
    Proposed(Vec<Oin>),
    /// Signed by all and within its dates.
    InForce,
    /// Signed by all; its first day has yet to come.
    NotYet,
    /// Its last day has passed.
    Expired,
    /// This party did not want it.
    Rejected(Oin),
    /// This party ended it.
    Ended(Oin),
}

/// Why a text is not an agreement, or an answer not one to it. The reader is the one who proposes or receives it.
#[derive(Debug, thiserror::Error)]
pub enum AgreementError {
    /// Not JSON, or not valid against `convenant.schema.json`; says per field what is wrong and what is expected.
    #[error("het convenant voldoet niet aan het schema: {0}")]
    Schema(String),
    /// Valid by form, but it contradicts itself.
    #[error("het convenant klopt niet: {0}")]
    Inconsistent(&'static str),
    /// The answer is not a signed answer to this agreement.
    #[error("het antwoord hoort niet bij dit convenant of is niet door een van de partijen ondertekend")]
    Answer,
}

/// An agreement and the answers of its parties.
#[derive(Debug, Clone)]
pub struct Agreement {
    digest: Digest,
    text: String,
    content: Content,
    /// The first instant of `geldig_van`.
    begins: Timestamp,
    /// The first instant after `geldig_tot`.
    ends: Timestamp,
    log_keys: BTreeMap<Oin, LogVerifier>,
    /// At most one of each kind by each party.
    answers: Vec<Answer>,
    /// Who has not accepted yet.
    waiting: Vec<Oin>,
}

/// No text that the schema lets pass has no canonical form.
const NOT_CANONICAL: AgreementError =
    AgreementError::Inconsistent("het is niet in de vaste vorm te schrijven waarover het controlegetal gaat");

/// How far ahead an acceptance may be dated. More than any clock is off, and little beside the time for which messages
/// under a replaced agreement are still admitted, which counts from the last acceptance.
pub const MAX_ACCEPTED_AHEAD: SignedDuration = SignedDuration::from_hours(24);

/// The longest text of an agreement, in bytes: a hundred parties with all their keys and a hundred clauses fit.
pub const MAX_BYTES: usize = 1024 * 1024;

impl Agreement {
    /// Reads the JSON of an agreement, in any spelling; its digest is over the canonical one.
    pub fn parse(json: &str) -> Result<Self, AgreementError> {
        if json.len() > MAX_BYTES {
            return Err(AgreementError::Inconsistent("het is groter dan 1 MiB"));
        }
        let value = valid::json(json.as_bytes()).map_err(AgreementError::Schema)?;
        let content: Content = valid::read(SchemaName::Agreement, &value).map_err(AgreementError::Schema)?;
        let text = canonical::text(&value).map_err(|_| NOT_CANONICAL)?;
        check(&content)?;
        let log_keys = content.partijen.iter().map(log_key).collect::<Result<_, _>>()?;
        let (begins, ends) =
            (midnight(content.geldig_van), content.geldig_tot.tomorrow().ok().and_then(midnight));
        // Only the very last day of the calendar has no end.
        let (begins, ends) = (begins.unwrap_or(Timestamp::MAX), ends.unwrap_or(Timestamp::MAX));
        let digest = Digest::of(text.as_bytes());
        let waiting = content.partijen.iter().map(|party| party.oin).collect();
        Ok(Self { digest, text, content, begins, ends, log_keys, answers: Vec::new(), waiting })
    }

    /// The digest over the canonical text.
    pub const fn digest(&self) -> Digest {
        self.digest
    }

    /// The canonical text.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// What was agreed.
    pub const fn content(&self) -> &Content {
        &self.content
    }

    /// The answers so far, in order of arrival.
    pub fn answers(&self) -> &[Answer] {
        &self.answers
    }

    /// The first instant of its first day.
    pub const fn begins(&self) -> Timestamp {
        self.begins
    }

    /// The first instant after its last day: nothing can rest on it any more.
    pub const fn ends(&self) -> Timestamp {
        self.ends
    }

    /// From when it is in force, once all have accepted: the latest of its first instant and the times of the
    /// acceptances. The same at every party that knows the same answers, and also when it ended later. Nothing when it
    /// was ended before its first day, or accepted after its last.
    ///
    /// An end that crossed the last acceptance does not count as before it: clocks differ, and who takes that for never
    /// having been in force would go on under what it replaced.
    pub fn in_force_since(&self) -> Option<Timestamp> {
        if !self.waiting.is_empty() {
            return None;
        }
        let (accepted, over): (Vec<&Answer>, Vec<&Answer>) =
            self.answers.iter().partition(|answer| answer.kind == AnswerKind::Accepted);
        let since = accepted.iter().map(|answer| answer.at).max()?.max(self.begins);
        let called_off = over.iter().any(|answer| answer.at < self.begins);
        (!called_off && since < self.ends).then_some(since)
    }

    /// The clause that a message goes under. What carries out a right of the resident goes under any that names its
    /// purpose (protocol, §6.3).
    pub fn clause(&self, (from, to): (Oin, Oin), purpose: &str, message_type: &str) -> Option<&Clause> {
        let is_right = SchemaName::of_message_type(message_type).is_some_and(is_about_consent);
        self.content.afspraken.iter().find(|clause| {
            if is_right { clause.doel == purpose } else { clause.covers(from, to, purpose, message_type) }
        })
    }

    /// Whether this party once accepted it, whatever came after.
    pub fn is_accepted_by(&self, oin: Oin) -> bool {
        self.answers().iter().any(|answer| answer.by == oin && answer.kind == AnswerKind::Accepted)
    }

    /// A party of the agreement.
    pub fn party(&self, oin: Oin) -> Option<&Party> {
        self.content.partijen.iter().find(|party| party.oin == oin)
    }

    /// The key of a party with this identifier.
    pub fn key(&self, oin: Oin, kid: &str) -> Option<&PublicKey> {
        self.party(oin)?.sleutels.iter().find(|key| key.kid() == kid)
    }

    /// The key of a party's log.
    pub fn log_key(&self, oin: Oin) -> Option<&LogVerifier> {
        self.log_keys.get(&oin)
    }

    /// Signs this organisation's answer.
    pub fn answer(
        &self,
        kind: AnswerKind,
        at: Timestamp,
        signer: &dyn Signer,
    ) -> Result<String, AgreementError> {
        let text = AnswerText { convenant: self.digest, soort: kind, tijd: at };
        let payload = canonical::text(&text).map_err(|_| NOT_CANONICAL)?;
        Ok(jws::sign(jws::AGREEMENT_ANSWER, payload.as_bytes(), signer))
    }

    /// Adds an answer after checking who signed it, and gives it back. What a party says twice is kept once, as it
    /// was first said: nobody can fill the list, and nothing that was said is lost.
    pub fn add_answer(&mut self, compact: &str) -> Result<Answer, AgreementError> {
        let unverified =
            jws::Unverified::parse(jws::AGREEMENT_ANSWER, compact).map_err(|_| AgreementError::Answer)?;
        let keys =
            self.content.partijen.iter().flat_map(|party| party.sleutels.iter().map(|key| (party.oin, key)));
        let signed = |(_, key): &(Oin, &PublicKey)| key.kid() == unverified.kid();
        let (by, key) = keys.into_iter().find(signed).ok_or(AgreementError::Answer)?;
        let payload = unverified.verify(key).map_err(|_| AgreementError::Answer)?;
        let text: AnswerText = serde_json::from_slice(payload).map_err(|_| AgreementError::Answer)?;
        if text.convenant != self.digest {
            return Err(AgreementError::Answer);
        }
        let kind = text.soort;
        if let Some(known) = self.answers.iter().find(|known| (known.by, known.kind) == (by, kind)) {
            return Ok(known.clone());
        }
        if kind == AnswerKind::Accepted {
            self.waiting.retain(|oin| *oin != by);
        }
        let answer = Answer { by, kind, at: text.tijd, jws: compact.to_owned() };
        self.answers.push(answer.clone());
        Ok(answer)
    }

    /// Whether this answer ends what its party had agreed to. A rejection does too when that party accepted: whichever of
    /// the two came first, so that all who know both say the same.
    pub fn is_end(&self, answer: &Answer) -> bool {
        match answer.kind {
            AnswerKind::Accepted => false,
            AnswerKind::Rejected => self.is_accepted_by(answer.by),
            AnswerKind::Ended => true,
        }
    }

    /// Where the agreement stands at `now`, whatever the order in which the answers came. A rejection or an end holds
    /// from the moment it is known, whatever time it says, and is final: who changes their mind signs a new version.
    pub fn standing(&self, now: Timestamp) -> Standing {
        let (ends, others): (Vec<&Answer>, Vec<&Answer>) =
            self.answers.iter().partition(|answer| self.is_end(answer));
        let first = |answers: Vec<&Answer>| {
            answers.into_iter().min_by_key(|answer| (answer.at, answer.by)).map(|answer| answer.by)
        };
        let rejections = others.into_iter().filter(|answer| answer.kind == AnswerKind::Rejected).collect();
        if let Some(by) = first(ends) {
            return Standing::Ended(by);
        }
        if let Some(by) = first(rejections) {
            return Standing::Rejected(by);
        }
        match () {
            () if now >= self.ends => Standing::Expired,
            () if !self.waiting.is_empty() => Standing::Proposed(self.waiting.clone()),
            () if now < self.begins => Standing::NotYet,
            () => Standing::InForce,
        }
    }
}

fn log_key(party: &Party) -> Result<(Oin, LogVerifier), AgreementError> {
    let key: LogVerifier = party
        .logsleutel
        .parse()
        .map_err(|_| AgreementError::Inconsistent("een logsleutel is niet leesbaar"))?;
    if key.origin() != party.oin.log_origin() {
        return Err(AgreementError::Inconsistent("een logsleutel hoort bij een andere organisatie"));
    }
    Ok((party.oin, key))
}

fn check(content: &Content) -> Result<(), AgreementError> {
    use AgreementError::Inconsistent;
    let oins: BTreeSet<Oin> = content.partijen.iter().map(|party| party.oin).collect();
    if oins.len() != content.partijen.len() {
        return Err(Inconsistent("een organisatie staat er twee keer als partij in"));
    }
    let keys: Vec<&str> = content.partijen.iter().flat_map(|p| &p.sleutels).map(PublicKey::kid).collect();
    if keys.iter().collect::<BTreeSet<_>>().len() != keys.len() {
        return Err(Inconsistent("een sleutel staat er twee keer in"));
    }
    if content.geldig_tot < content.geldig_van {
        return Err(Inconsistent("geldig_tot ligt voor geldig_van"));
    }
    let mut purposes = BTreeMap::new();
    let one_text = |clause: &Clause| {
        *purposes.entry(clause.doel.clone()).or_insert(clause.doel_digest) == clause.doel_digest
    };
    if !content.afspraken.iter().all(one_text) {
        return Err(Inconsistent("een doel staat er met twee verschillende teksten in"));
    }
    if content
        .afspraken
        .iter()
        .flat_map(|clause| clause.van.iter().chain(&clause.naar))
        .any(|oin| !oins.contains(oin))
    {
        return Err(Inconsistent("een afspraak noemt een organisatie die geen partij is"));
    }
    Ok(())
}

#[cfg(test)]
mod tests;
