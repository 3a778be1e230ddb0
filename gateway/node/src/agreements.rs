//! Agreements between nodes: proposed, answered and spread until every party has every answer.

use std::collections::BTreeMap;

use exchange::{
    agreement::{Agreement, AgreementError, Answer, AnswerKind, Standing},
    digest::Digest,
    entry::Entry,
    oin::Oin,
    purpose::{Purpose, PurposeError},
};
use serde::{Deserialize, Serialize};
use store::StoreError;
use transport::{Link, Request};

use crate::{
    core::{Core, RulesError},
    partners,
};

/// The most agreements a node keeps. A group renews its agreement a few times a year.
const MAX_AGREEMENTS: usize = 1_000;

/// The most proposals of one partner that wait for an answer here.
const MAX_OPEN_PROPOSALS: usize = 50;

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
    #[error("de tekst van doel `{0}` ontbreekt of is een andere dan het convenant noemt")]
    PurposeMissing(String),
    /// This organisation, or the peer, is no party.
    #[error("organisatie {0} is geen partij in dit convenant")]
    NotAParty(Oin),
    /// The keys in it are not this node's.
    #[error(
        "het convenant noemt voor deze organisatie andere sleutels dan dit knooppunt heeft; vraag de opsteller om de beschrijving van dit knooppunt te gebruiken"
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
    /// Somebody brings an answer of this organisation that it did not give here.
    #[error("het pakket bevat een antwoord van de ontvanger zelf dat hij niet heeft gegeven")]
    NotSaidHere,
    /// Who proposes has accepted it first.
    #[error("een convenant wordt voorgelegd met het eigen antwoord erbij")]
    NotAnswered,
    /// There is no such agreement here.
    #[error("er is geen convenant {0}; `schakel convenant tonen` laat zien welke er zijn")]
    Unknown(String),
    /// It was answered before in a way that cannot be taken back.
    #[error(
        "dit kan niet meer: het convenant is al afgewezen, opgezegd of verlopen. Stel een nieuwe versie voor"
    )]
    Final,
    /// A node keeps a limited number.
    #[error(
        "er liggen hier al te veel convenanten; vraag de beheerder om openstaande voorstellen te beantwoorden"
    )]
    TooMany,
    /// The package is not readable.
    #[error("het bericht is geen convenant met doelen en antwoorden")]
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
    let purposes = purposes.iter().map(|purpose| purpose.text().to_owned()).collect();
    let digest = keep(core, &agreement, purposes).await?;
    answer(core, digest, AnswerKind::Accepted).await?;
    Ok(digest)
}

/// Signs this organisation's answer and stores it; [`spread`] brings it to the others.
pub async fn answer(core: &Core, digest: Digest, kind: AnswerKind) -> Result<Standing, AgreementFault> {
    let rules = core.rules();
    let mut agreement =
        rules.agreement(digest).ok_or(AgreementFault::Unknown(digest.to_string()))?.as_ref().clone();
    let now = core.now();
    if matches!(agreement.standing(now), Standing::Ended(_) | Standing::Rejected(_) | Standing::Expired) {
        return Err(AgreementFault::Final);
    }
    if kind == AnswerKind::Accepted {
        vouch(core, &agreement)?;
    }
    let already = agreement.answers().iter().any(|answer| answer.by == core.me && answer.kind == kind);
    if !already {
        let jws = agreement.answer(kind, now, &*core.signer)?;
        let answer = agreement.add_answer(&jws)?;
        record(core, &agreement, &answer).await?;
        core.reload_rules().await?;
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
    learn(core, digest, &package.antwoorden).await
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
    let answered_by = |agreement: &Agreement, oin| agreement.answers().iter().any(|answer| answer.by == oin);
    if !answered_by(&proposed, peer) {
        return Err(AgreementFault::NotAnswered);
    }
    let rules = core.rules();
    let open = rules.agreements().filter(|one| answered_by(one, peer) && !answered_by(one, core.me));
    if open.count() < MAX_OPEN_PROPOSALS { Ok(()) } else { Err(AgreementFault::TooMany) }
}

/// Adds the answers that are new here, and returns every answer known then.
async fn learn(core: &Core, digest: Digest, answers: &[String]) -> Result<Vec<String>, AgreementFault> {
    let rules = core.rules();
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
    for answer in new {
        record(core, &known, answer).await?;
    }
    if known.answers().len() > before {
        core.reload_rules().await?;
    }
    Ok(known.answers().iter().map(|answer| answer.jws.clone()).collect())
}

/// Checks an agreement against this node and the purposes it names, and stores it.
async fn keep(core: &Core, agreement: &Agreement, purposes: Vec<String>) -> Result<Digest, AgreementFault> {
    own_keys(core, agreement)?;
    if core.rules().agreements().count() >= MAX_AGREEMENTS {
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
    core.store.put_agreement(agreement.digest(), agreement.text().to_owned(), named, core.now()).await?;
    core.reload_rules().await?;
    Ok(agreement.digest())
}

/// Checks that the agreement names this node's keys for this organisation, and no other key beside them: whoever holds
/// that key could sign in its name.
fn own_keys(core: &Core, agreement: &Agreement) -> Result<(), AgreementFault> {
    let party = agreement.party(core.me).ok_or(AgreementFault::NotAParty(core.me))?;
    let own = party.sleutels.iter().all(|key| key == core.signer.public_key())
        && party.logsleutel == core.store.log_key().to_string();
    if own { Ok(()) } else { Err(AgreementFault::OtherKeys) }
}

/// Checks that every party's keys are those its own node showed over an authenticated connection. Without this, one
/// party could sign for another.
fn vouch(core: &Core, agreement: &Agreement) -> Result<(), AgreementFault> {
    own_keys(core, agreement)?;
    let partners = core.partners();
    for party in agreement.content().partijen.iter().filter(|party| party.oin != core.me) {
        let known = partners.get(&party.oin).ok_or(AgreementFault::PartyUnknown(party.oin))?;
        let own_keys = party.sleutels.iter().all(|key| known.sleutels.contains(key));
        if !own_keys || party.logsleutel != known.logsleutel {
            return Err(AgreementFault::PartyKeys(party.oin));
        }
    }
    Ok(())
}

/// Keeps an answer with its log entry. Every party brings its own answers to the others.
async fn record(core: &Core, agreement: &Agreement, answer: &Answer) -> Result<(), AgreementFault> {
    let entry = Entry::Convenant {
        antwoord: answer.kind,
        bewijs: Digest::of(answer.jws.as_bytes()),
        convenant: agreement.digest(),
        door: answer.by,
        tijd: core.now(),
    };
    let others = agreement.content().partijen.iter().map(|party| party.oin).filter(|oin| *oin != core.me);
    let notify = if answer.by == core.me { others.collect() } else { Vec::new() };
    // First the log: after a crash in between, an answer stands in the log twice rather than not at all.
    core.store.append(vec![entry.leaf()]).await?;
    core.store.put_answer(agreement.digest(), answer.by, answer.jws.clone(), notify).await?;
    Ok(())
}

/// What is known of spreading one agreement to one party.
#[derive(Debug)]
pub struct Spread {
    /// The party.
    pub to: Oin,
    /// What went wrong, in Dutch, when it did not get it.
    pub problem: Option<String>,
}

/// Brings every answer that a party may not have yet to that party. What fails is tried again by the running node.
pub async fn spread(core: &Core, link: &Link) -> Result<Vec<Spread>, AgreementFault> {
    let mut results = Vec::new();
    let mut due: BTreeMap<(Digest, Oin), Vec<u64>> = BTreeMap::new();
    for notice in core.store.undelivered_notices().await? {
        due.entry((notice.agreement, notice.to)).or_default().push(notice.number);
    }
    for ((agreement, to), notices) in due {
        let problem = match send(core, link, agreement, to).await {
            Ok(answers) => {
                for number in notices {
                    core.store.notice_delivered(number).await?;
                }
                learn(core, agreement, &answers).await?;
                None
            }
            Err(problem) => Some(problem),
        };
        results.push(Spread { to, problem });
    }
    Ok(results)
}

async fn send(core: &Core, link: &Link, digest: Digest, to: Oin) -> Result<Vec<String>, String> {
    let endpoint = partners::endpoint(core, to)
        .ok_or("deze partij is nog geen partner; voeg haar toe met `schakel partner toevoegen`")?;
    let body = package(core, digest).ok_or("het convenant is hier niet meer bekend")?;
    let request = Request::post("/v1/convenanten", "application/json", body);
    let response = link
        .send(&endpoint, request)
        .await
        .map_err(|error| format!("{} {}", error.explanation(), error.remedy()))?;
    match response.status {
        200 => serde_json::from_slice(&response.body)
            .map_err(|_| "de partij gaf een onleesbaar antwoord".to_owned()),
        403 => {
            Err("de partij kent dit knooppunt nog niet als partner; vraag haar om het toe te voegen"
                .to_owned())
        }
        status => Err(problem_detail(&response.body)
            .unwrap_or_else(|| format!("de partij antwoordde met HTTP {status}"))),
    }
}

fn package(core: &Core, digest: Digest) -> Option<Vec<u8>> {
    let rules = core.rules();
    let agreement = rules.agreement(digest)?;
    let mut digests: Vec<Digest> =
        agreement.content().afspraken.iter().map(|clause| clause.doel_digest).collect();
    digests.sort_unstable();
    digests.dedup();
    let purposes = digests.iter().filter_map(|one| serde_json::from_str(rules.purpose(*one)?.text()).ok());
    let package = Package {
        convenant: serde_json::from_str(agreement.text()).ok()?,
        doelen: purposes.collect(),
        antwoorden: agreement.answers().iter().map(|answer| answer.jws.clone()).collect(),
    };
    serde_json::to_vec(&package).ok()
}

/// What a partner's problem document (RFC 9457) says, if it is one.
fn problem_detail(body: &[u8]) -> Option<String> {
    let problem: serde_json::Value = serde_json::from_slice(body).ok()?;
    // A partner's text is shown to people: keep it to one sensible line.
    Some(problem.get("detail")?.as_str()?.chars().filter(|letter| !letter.is_control()).take(500).collect())
}
