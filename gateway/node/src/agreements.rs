//! Agreements between nodes: proposed, answered and spread until every party has every answer.

use exchange::{
    agreement::{Agreement, AgreementError, Answer, AnswerKind, MAX_ACCEPTED_AHEAD, Standing},
    digest::Digest,
    entry::Entry,
    oin::Oin,
    organisation::OrganisationKind,
    purpose::{Purpose, PurposeError},
    rulebook::Rulebook,
};
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use store::StoreError;

use crate::core::{Core, RulesError};

pub mod difference;
pub mod history;
pub mod outlook;
mod spread;

pub(crate) use spread::Telling;
pub use spread::{About, Spread, spread, spread_about, tell, tell_first};

/// The most agreements that are not over. A group renews its agreement a few times a year. Those that are over do not
/// count: a node would stand still for good after enough years.
const MAX_AGREEMENTS: usize = 1_000;

/// The most agreements of one partner that were never answered here, over or not: nobody may fill this node.
const MAX_OPEN_PROPOSALS: usize = 50;

/// How long after its last day an agreement is forgotten that this organisation never accepted. No message rests on
/// it, and by then no partner still brings answers to it.
const FORGET_AFTER: SignedDuration = SignedDuration::from_hours(24 * 92);

/// What travels over `POST /v1/convenanten`: the agreement, the purposes it names and every answer the sender has.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Package {
    /// The agreement.
    pub convenant: serde_json::Value,
    /// The texts of its purposes.
    pub doelen: Vec<serde_json::Value>,
    /// Signed answers, compact JWS.
    pub antwoorden: Vec<String>,
}

/// An agreement that cannot be proposed, answered or taken in.
#[derive(Debug, thiserror::Error)]
pub enum AgreementFault {
    /// It is not an agreement.
    #[error(transparent)]
    Agreement(#[from] AgreementError),
    /// A purpose is not one.
    #[error(transparent)]
    Purpose(#[from] PurposeError),
    /// It names a purpose whose text is not there.
    #[error(
        "de tekst van doel `{0}` ontbreekt of is een andere dan het convenant noemt. Neem `doel_digest` over uit `schakel convenant partij`, of vraag de opsteller om de tekst van het doel"
    )]
    PurposeMissing(String),
    /// This organisation, or the peer, is no party.
    #[error(
        "organisatie {0} is geen partij in dit convenant. Zet haar bij `partijen`; `schakel convenant partij` geeft bij haar het stuk daarvoor"
    )]
    NotAParty(Oin),
    /// The keys in it are not this node's.
    #[error(
        "het convenant noemt voor deze organisatie andere sleutels dan dit knooppunt heeft. Gebruik het stuk dat `schakel convenant partij` hier geeft, of vraag de opsteller dat te doen"
    )]
    OtherKeys,
    /// A party is no partner here, so nothing says that the keys in the agreement are its own.
    #[error(
        "{0} is nog geen partner; voeg haar toe met `schakel partner toevoegen`, dan zijn haar sleutels te controleren"
    )]
    PartyUnknown(Oin),
    /// The agreement names keys for a party that its node does not use.
    #[error(
        "het convenant noemt voor {0} andere sleutels dan haar knooppunt gebruikt. Aanvaard het niet, en vraag de opsteller hoe dat kan"
    )]
    PartyKeys(Oin),
    /// The agreement makes a party another kind of organisation than it is.
    #[error(
        "het convenant noemt {oin} een organisatie van de soort {found}, maar haar knooppunt zegt {expected}. Aanvaard het niet, en vraag de opsteller om een verbeterd voorstel"
    )]
    PartyKind {
        /// Who.
        oin: Oin,
        /// By the agreement.
        found: OrganisationKind,
        /// By its own descriptor.
        expected: OrganisationKind,
    },
    /// Somebody brings an answer of this organisation that it did not give here.
    #[error(
        "het pakket bevat een antwoord van de ontvanger zelf dat hij niet heeft gegeven. Is daar een reservekopie teruggezet, laat hem dan opnieuw antwoorden"
    )]
    NotSaidHere,
    /// Who proposes has accepted it first.
    #[error("een convenant wordt voorgelegd met het eigen antwoord erbij. Aanvaard het eerst zelf")]
    NotAnswered,
    /// An acceptance is dated in the future: it would keep an earlier version in use for as long.
    #[error(
        "de aanvaarding door {0} is van een tijd die nog moet komen. Laat die organisatie de klok van haar knooppunt gelijkzetten en opnieuw antwoorden"
    )]
    FromTheFuture(Oin),
    /// There is no such agreement here.
    #[error("er is geen convenant {0}; `schakel convenant tonen` laat zien welke er zijn")]
    Unknown(String),
    /// It was answered before in a way that cannot be taken back.
    #[error(
        "dit kan niet meer: het convenant is al afgewezen, opgezegd of verlopen. Stel een nieuwe versie voor"
    )]
    Final,
    /// Who accepted ends it; rejecting is for what was not accepted.
    #[error(
        "deze organisatie heeft het convenant al aanvaard; afwijzen kan niet meer. Zeg het op met `schakel convenant opzeggen`"
    )]
    AlreadyAccepted,
    /// Nobody needs it any more.
    #[error("het convenant is al verlopen. Stel een nieuwe versie voor met een latere `geldig_tot`")]
    Expired,
    /// A node keeps a limited number.
    #[error(
        "er liggen hier te veel convenanten die nog niet voorbij zijn. Laat de beheerder openstaande voorstellen beantwoorden; `schakel convenant tonen` laat ze zien"
    )]
    TooMany,
    /// The package is not readable.
    #[error(
        "het bericht is geen convenant met doelen en antwoorden. Controleer of beide knooppunten dezelfde versie van het protocol spreken"
    )]
    Unreadable,
    /// The store did not answer.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The store's rules cannot be read.
    #[error(transparent)]
    Rules(#[from] RulesError),
}

/// Puts an agreement before the other parties, accepted by this one.
pub async fn propose(core: &Core, text: &str, purposes: &[Purpose]) -> Result<Digest, AgreementFault> {
    let agreement = Agreement::parse(text)?;
    if core.now() >= agreement.ends() {
        return Err(AgreementFault::Expired);
    }
    let purposes = purposes.iter().map(|purpose| purpose.text().to_owned()).collect();
    let digest = keep(core, &agreement, purposes).await?;
    answer(core, digest, AnswerKind::Accepted).await?;
    Ok(digest)
}

/// Signs this organisation's answer and stores it; [`spread`] brings it to the others.
pub async fn answer(core: &Core, digest: Digest, kind: AnswerKind) -> Result<Standing, AgreementFault> {
    // Also what another command answered a moment ago.
    let rules = core.latest_rules().await?;
    let mut agreement =
        rules.agreement(digest).ok_or(AgreementFault::Unknown(digest.to_string()))?.as_ref().clone();
    let now = core.now();
    let already = agreement.answers().iter().any(|answer| answer.by == core.me && answer.kind == kind);
    // Saying no once more changes nothing, and brings it to who has not heard it yet.
    if is_over(&agreement, now) && (!already || kind == AnswerKind::Accepted) {
        return Err(AgreementFault::Final);
    }
    if kind == AnswerKind::Rejected && !already && agreement.is_accepted_by(core.me) {
        return Err(AgreementFault::AlreadyAccepted);
    }
    if kind == AnswerKind::Accepted {
        vouch(core, &agreement)?;
    }
    if !already {
        let jws = agreement.answer(kind, now, &*core.signer)?;
        let answer = agreement.add_answer(&jws)?;
        record(core, &agreement, &answer, None).await?;
        core.reload().await?;
    }
    Ok(agreement.standing(now))
}

/// Takes in what a partner sent, and answers with every answer known here.
pub async fn receive(core: &Core, peer: Oin, body: &[u8]) -> Result<Vec<String>, AgreementFault> {
    let package: Package = serde_json::from_slice(body).map_err(|_| AgreementFault::Unreadable)?;
    let agreement = Agreement::parse(&package.convenant.to_string())?;
    if agreement.party(peer).is_none() {
        return Err(AgreementFault::NotAParty(peer));
    }
    let digest = agreement.digest();
    if core.rules().agreement(digest).is_none() {
        may_propose(core, peer, &agreement, &package.antwoorden)?;
        keep(core, &agreement, package.doelen.iter().map(ToString::to_string).collect()).await?;
    }
    let known = learn(core, digest, &package.antwoorden, Some(peer)).await?;
    if core.owes(peer, digest) {
        has_shown(core, peer, agreement, &package.antwoorden).await?;
    }
    Ok(known)
}

/// Who brings every answer that is known here need not be told any of them.
async fn has_shown(
    core: &Core,
    peer: Oin,
    mut shown: Agreement,
    answers: &[String],
) -> Result<(), AgreementFault> {
    for jws in answers {
        shown.add_answer(jws)?;
    }
    let owed = core.store.owed().await?;
    let owed = owed.into_iter().find(|owed| owed.to == peer && owed.agreement == shown.digest());
    // After what is owed: then every answer that is owed is among the known.
    let rules = core.latest_rules().await?;
    let (Some(owed), Some(known)) = (owed, rules.agreement(shown.digest())) else { return Ok(()) };
    let has = |answer: &Answer| {
        shown.answers().iter().any(|other| (other.by, other.kind) == (answer.by, answer.kind))
    };
    if known.answers().iter().all(has) {
        core.store.told(owed).await?;
        core.reload_owed().await?;
    }
    Ok(())
}

/// Who proposes has signed it, and does not pile up proposals.
fn may_propose(
    core: &Core,
    peer: Oin,
    agreement: &Agreement,
    answers: &[String],
) -> Result<(), AgreementFault> {
    let mut proposed = agreement.clone();
    for jws in answers {
        proposed.add_answer(jws)?;
    }
    if core.now() >= agreement.ends() {
        return Err(AgreementFault::Expired);
    }
    not_from_the_future(proposed.answers(), core.now())?;
    if !answered_by(&proposed, peer) {
        return Err(AgreementFault::NotAnswered);
    }
    let rules = core.rules();
    let open = rules.agreements().filter(|one| answered_by(one, peer) && !answered_by(one, core.me));
    if open.count() < MAX_OPEN_PROPOSALS { Ok(()) } else { Err(AgreementFault::TooMany) }
}

/// No acceptance is dated so far ahead that it keeps an earlier version in use. An end or a rejection counts from the
/// moment it is known, whatever its date.
fn not_from_the_future(answers: &[Answer], now: Timestamp) -> Result<(), AgreementFault> {
    let mut acceptances = answers.iter().filter(|answer| answer.kind == AnswerKind::Accepted);
    let early = acceptances.find(|answer| answer.at > now + MAX_ACCEPTED_AHEAD);
    early.map_or(Ok(()), |answer| Err(AgreementFault::FromTheFuture(answer.by)))
}

fn answered_by(agreement: &Agreement, oin: Oin) -> bool {
    agreement.answers().iter().any(|answer| answer.by == oin)
}

/// Whether nothing can bring it in force any more.
fn is_over(agreement: &Agreement, now: Timestamp) -> bool {
    matches!(agreement.standing(now), Standing::Ended(_) | Standing::Rejected(_) | Standing::Expired)
}

/// Whether a node with these rules keeps no more agreements.
fn is_full(rules: &Rulebook, now: Timestamp) -> bool {
    rules.agreements().filter(|one| !is_over(one, now)).count() >= MAX_AGREEMENTS
}

/// Adds the answers that are new here, and returns every answer known then. The other parties are told of them, except
/// who brought them.
async fn learn(
    core: &Core,
    digest: Digest,
    answers: &[String],
    from: Option<Oin>,
) -> Result<Vec<String>, AgreementFault> {
    // Also what another process of this organisation answered a moment ago: a partner may have heard it already.
    let rules = core.latest_rules().await?;
    let agreement = rules.agreement(digest).ok_or_else(|| AgreementFault::Unknown(digest.to_string()))?;
    let mut known = agreement.as_ref().clone();
    let before = known.answers().len();
    for jws in answers {
        known.add_answer(jws)?;
    }
    let new = &known.answers()[before..];
    // What this organisation says it says here, never by way of a partner.
    if new.iter().any(|answer| answer.by == core.me) {
        return Err(AgreementFault::NotSaidHere);
    }
    not_from_the_future(new, core.now())?;
    for answer in new {
        record(core, &known, answer, from).await?;
    }
    if known.answers().len() > before {
        core.reload().await?;
    }
    Ok(known.answers().iter().map(|answer| answer.jws.clone()).collect())
}

/// An agreement as people name it.
pub fn title(agreement: &Agreement) -> String {
    format!("{} versie {}", agreement.content().groep, agreement.content().versie)
}

/// How the digest of an agreement begins: enough to name it to a command.
pub fn start(agreement: Digest) -> String {
    const SHOWN: usize = 12;
    agreement.to_string().trim_start_matches("sha256:").chars().take(SHOWN).collect()
}

/// Checks an agreement against this node and the purposes it names, and stores it.
async fn keep(core: &Core, agreement: &Agreement, purposes: Vec<String>) -> Result<Digest, AgreementFault> {
    own_keys(core, agreement)?;
    let now = core.now();
    if is_full(&core.rules(), now) {
        return Err(AgreementFault::TooMany);
    }
    let purposes: Vec<Purpose> =
        purposes.iter().map(|text| Purpose::from_json(text)).collect::<Result<_, _>>()?;
    let mut named = Vec::new();
    for clause in &agreement.content().afspraken {
        let purpose = purposes
            .iter()
            .find(|one| one.digest() == clause.doel_digest && one.content().doel == clause.doel);
        let purpose = purpose.ok_or_else(|| AgreementFault::PurposeMissing(clause.doel.clone()))?;
        named.push((purpose.digest(), purpose.text().to_owned()));
    }
    core.store.put_agreement(agreement.digest(), agreement.text().to_owned(), named, now).await?;
    core.reload().await?;
    Ok(agreement.digest())
}

/// Forgets what expired long ago and was never accepted here; gives how many that were. What the log says of them stays.
pub async fn forget_old(core: &Core) -> Result<usize, AgreementFault> {
    let (rules, now) = (core.latest_rules().await?, core.now());
    let long_ago = |agreement: &Agreement| now.duration_since(agreement.ends()) > FORGET_AFTER;
    let mut forgotten = 0;
    for agreement in rules.agreements().filter(|one| long_ago(one) && !one.is_accepted_by(core.me)) {
        forgotten += usize::from(core.store.forget_agreement(agreement.digest()).await?);
    }
    core.reload().await?;
    Ok(forgotten)
}

/// Checks that the agreement names this node's keys for this organisation, and no other key beside them: whoever holds
/// that key could sign in its name.
fn own_keys(core: &Core, agreement: &Agreement) -> Result<(), AgreementFault> {
    let party = agreement.party(core.me).ok_or(AgreementFault::NotAParty(core.me))?;
    let own = party.sleutels.iter().all(|key| key == core.signer.public_key())
        && party.logsleutel == core.store.log_key().to_string();
    if own { Ok(()) } else { Err(AgreementFault::OtherKeys) }
}

/// Checks that every party's keys and kind of organisation are those of the descriptor by which it was made a partner
/// here. Without this one party could sign for another, or be allowed what only another kind may.
fn vouch(core: &Core, agreement: &Agreement) -> Result<(), AgreementFault> {
    own_keys(core, agreement)?;
    let partners = core.partners();
    for party in agreement.content().partijen.iter().filter(|party| party.oin != core.me) {
        let known = partners.get(&party.oin).ok_or(AgreementFault::PartyUnknown(party.oin))?;
        let own_keys = party.sleutels.iter().all(|key| known.sleutels.contains(key));
        if !own_keys || party.logsleutel != known.logsleutel {
            return Err(AgreementFault::PartyKeys(party.oin));
        }
        if party.soort != known.soort {
            return Err(AgreementFault::PartyKind {
                oin: party.oin,
                found: party.soort,
                expected: known.soort,
            });
        }
    }
    Ok(())
}

/// Keeps an answer with its log entry, and notes who must be told: every party but this one, who gave the answer, and
/// who brought it.
async fn record(
    core: &Core,
    agreement: &Agreement,
    answer: &Answer,
    from: Option<Oin>,
) -> Result<(), AgreementFault> {
    let entry = Entry::Convenant {
        antwoord: answer.kind,
        bewijs: Digest::of(answer.jws.as_bytes()),
        convenant: agreement.digest(),
        door: answer.by,
        tijd: core.now(),
    };
    let parties = agreement.content().partijen.iter().map(|party| party.oin);
    let others = parties.filter(|oin| ![Some(core.me), Some(answer.by), from].contains(&Some(*oin)));
    let kept = (answer.jws.clone(), entry.leaf());
    core.store.put_answer(agreement.digest(), answer.by, kept, others.collect()).await?;
    Ok(())
}

#[cfg(test)]
pub(crate) mod tests;
