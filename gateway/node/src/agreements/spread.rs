//! Bringing answers to the parties that may not have them, and not letting a message overtake one.
//!
//! For every answer that becomes known here the store notes who must still be told: every other party, except who gave
//! the answer and who brought it. A party that takes in the package has every answer in it, so the note goes. What a
//! message rests on is told before the message leaves ([`tell_first`]); all else when the node gets to it.

use std::{
    collections::{BTreeSet, HashMap},
    sync::Arc,
};

use exchange::{agreement::Agreement, digest::Digest, message::agreement_of, oin::Oin, rulebook::Rulebook};
use store::{Lease, Owed};
use tokio::{
    sync::Semaphore,
    task::{AbortHandle, JoinSet},
};
use transport::{Link, Request};

use super::{AgreementFault, Package, answered_by, learn};
use crate::{core::Core, partners};

/// Parties that are told at the same time. One that does not answer takes a place until its time is over.
const AT_ONCE: usize = 16;

/// What came of telling one party the answers to one agreement.
#[derive(Debug)]
pub struct Spread {
    /// The party.
    pub to: Oin,
    /// The agreement.
    pub agreement: Digest,
    /// What went wrong, in Dutch, when it did not get them.
    pub problem: Option<String>,
}

/// Which agreements to tell about.
#[derive(Debug, Clone)]
pub enum About {
    /// Every agreement.
    All,
    /// These.
    These(BTreeSet<Digest>),
}

impl About {
    fn includes(&self, agreement: Digest) -> bool {
        match self {
            Self::All => true,
            Self::These(these) => these.contains(&agreement),
        }
    }
}

/// Brings every answer that a party may not have yet to that party. What fails is tried again by the running node.
pub async fn spread(core: &Arc<Core>, link: &Link) -> Result<Vec<Spread>, AgreementFault> {
    spread_about(core, link, About::All).await
}

/// Brings the answers to these agreements to the parties that may not have them yet: several parties at the same time,
/// and each in order.
pub async fn spread_about(
    core: &Arc<Core>,
    link: &Link,
    about: About,
) -> Result<Vec<Spread>, AgreementFault> {
    let (owed, _) = to_tell(core).await?;
    let parties: BTreeSet<Oin> =
        owed.iter().filter(|owed| about.includes(owed.agreement)).map(|owed| owed.to).collect();
    let room = Arc::new(Semaphore::new(AT_ONCE));
    let mut calls = JoinSet::new();
    for to in parties {
        let place = room.clone().acquire_owned().await;
        let (core, link, about) = (core.clone(), link.clone(), about.clone());
        calls.spawn(async move {
            let told = tell(&core, &link, to, &about).await;
            drop(place);
            told
        });
    }
    let mut results = Vec::new();
    for told in calls.join_all().await {
        results.extend(told?);
    }
    results.sort_by_key(|result| result.to);
    Ok(results)
}

/// Brings one party what it may not have of these agreements, what it waits for longest first. Whoever else tells it
/// at the same time goes first; what it then has is not told again.
pub async fn tell(core: &Core, link: &Link, to: Oin, about: &About) -> Result<Vec<Spread>, AgreementFault> {
    let _turn = core.turn_to_tell(to).await;
    let (mut owed, rules) = to_tell(core).await?;
    owed.retain(|owed| owed.to == to && about.includes(owed.agreement));
    let mut results = Vec::new();
    let mut silence: Option<String> = None;
    for owed in owed {
        let problem = match &silence {
            Some(silence) => Some(silence.clone()),
            None => match tell_one(core, link, &rules, owed).await? {
                Told::Known => None,
                Told::Refused(problem) => Some(problem),
                // Who does not answer now, does not answer to the next either.
                Told::Silent(problem) => Some(silence.insert(problem).clone()),
            },
        };
        results.push(Spread { to, agreement: owed.agreement, problem });
    }
    core.reload_owed().await?;
    Ok(results)
}

/// What this node owes and may tell now, with the rules to tell it by: every answer that is owed is in those. Before
/// this organisation has answered itself it passes nothing on: who does not know the agreement would not take it from
/// here, and what somebody proposes must not make this node talk.
pub(super) async fn to_tell(core: &Core) -> Result<(Vec<Owed>, Arc<Rulebook>), AgreementFault> {
    let mut owed = core.store.owed().await?;
    let rules = core.latest_rules().await?;
    owed.retain(|owed| {
        rules.agreement(owed.agreement).is_some_and(|agreement| answered_by(agreement, core.me))
    });
    Ok((owed, rules))
}

/// How telling one party of one agreement ended.
enum Told {
    /// It has every answer.
    Known,
    /// It does not take this.
    Refused(String),
    /// It cannot be reached.
    Silent(String),
}

async fn tell_one(core: &Core, link: &Link, rules: &Rulebook, owed: Owed) -> Result<Told, AgreementFault> {
    let agreement = rules.agreement(owed.agreement);
    // Nothing can rest any more on one that has expired: nobody needs to know.
    let Some(agreement) = agreement.filter(|one| core.now() < one.ends()) else {
        core.store.told(owed).await?;
        return Ok(Told::Known);
    };
    let answers = match send(core, link, rules, (agreement, owed.to)).await {
        Ok(answers) => answers,
        Err(told) => return Ok(told),
    };
    core.store.told(owed).await?;
    core.store.note_partner_reached(owed.to, core.now()).await?;
    match learn(core, owed.agreement, &answers, Some(owed.to)).await {
        Ok(_) => Ok(Told::Known),
        Err(fault @ (AgreementFault::Store(_) | AgreementFault::Rules(_))) => Err(fault),
        Err(fault) => Ok(Told::Refused(format!(
            "de partij gaf antwoorden terug die hier niet worden aangenomen ({fault}); neem contact op met de beheerder daar"
        ))),
    }
}

async fn send(
    core: &Core,
    link: &Link,
    rules: &Rulebook,
    (agreement, to): (&Agreement, Oin),
) -> Result<Vec<String>, Told> {
    let endpoint = partners::endpoint(core, to).ok_or_else(|| {
        Told::Silent("deze partij is nog geen partner; voeg haar toe met `schakel partner toevoegen`".into())
    })?;
    let body = package(rules, agreement).ok_or_else(|| {
        Told::Refused("de tekst van een doel is hier niet meer bekend; zet een reservekopie terug".into())
    })?;
    let request = Request::post("/v1/convenanten", "application/json", body);
    let response = link.send(&endpoint, request).await.map_err(|error| Told::Silent(error.explanation()))?;
    match response.status {
        200 => serde_json::from_slice(&response.body).map_err(|_| {
            Told::Refused(
                "de partij gaf een onleesbaar antwoord; neem contact op met de beheerder daar".into(),
            )
        }),
        403 => Err(Told::Silent(
            "de partij kent dit knooppunt nog niet als partner; vraag haar om het toe te voegen".into(),
        )),
        status => Err(Told::Refused(problem_detail(&response.body).map_or_else(
            || format!("de partij antwoordde met HTTP {status}; neem contact op met de beheerder daar"),
            |detail| format!("het knooppunt daar antwoordt: {detail}"),
        ))),
    }
}

fn package(rules: &Rulebook, agreement: &Agreement) -> Option<Vec<u8>> {
    let mut digests: Vec<Digest> =
        agreement.content().afspraken.iter().map(|clause| clause.doel_digest).collect();
    digests.sort_unstable();
    digests.dedup();
    let purposes = digests.iter().map(|one| serde_json::from_str(rules.purpose(*one)?.text()).ok());
    let package = Package {
        convenant: serde_json::from_str(agreement.text()).ok()?,
        doelen: purposes.collect::<Option<_>>()?,
        antwoorden: agreement.answers().iter().map(|answer| answer.jws.clone()).collect(),
    };
    serde_json::to_vec(&package).ok()
}

/// Makes sure that the partner has every answer known here to the agreements that these messages rest on; the error
/// says in Dutch why it may not. Costs two reads in memory when nothing is owed.
///
/// What was queued by the rules of a version is leased by that version or a later one, and with every answer the store
/// notes at once who must be told. So an answer that made a message possible is told, or stands here as owed.
pub async fn tell_first(core: &Core, link: &Link, lease: &Lease) -> Result<(), String> {
    let to = lease.to();
    let owed = core.owed_to(to, lease.rules());
    if owed.as_ref().is_some_and(BTreeSet::is_empty) {
        return Ok(());
    }
    let mut needed: BTreeSet<Digest> =
        lease.messages().iter().filter_map(|message| agreement_of(&message.jws)).collect();
    needed.retain(|agreement| owed.as_ref().is_none_or(|owed| owed.contains(agreement)));
    if needed.is_empty() {
        return Ok(());
    }
    let told = tell(core, link, to, &About::These(needed)).await;
    let problem = match told {
        Ok(results) => results.into_iter().find_map(|result| result.problem),
        Err(error) => {
            tracing::error!(%error, "cannot tell a partner the answers to an agreement");
            Some("de opslag van dit knooppunt geeft een fout; zie het logboek van het programma".into())
        }
    };
    problem.map_or(Ok(()), |problem| {
        Err(format!("de ontvanger heeft nog niet alle antwoorden op het convenant: {problem}"))
    })
}

/// Who is being told by a running node, each beside the others: one that does not answer holds up nobody else.
pub(crate) struct Telling {
    room: Arc<Semaphore>,
    under_way: HashMap<Oin, AbortHandle>,
    /// To whom something came up while they were being told.
    again: BTreeSet<Oin>,
}

impl Telling {
    pub(crate) fn new() -> Self {
        Self { room: Arc::new(Semaphore::new(AT_ONCE)), under_way: HashMap::new(), again: BTreeSet::new() }
    }

    /// Whether somebody who had to be told more can be told now.
    pub(crate) fn has_more(&mut self) -> bool {
        self.under_way.retain(|_, call| !call.is_finished());
        self.again.iter().any(|party| !self.under_way.contains_key(party))
    }

    /// Starts telling: everybody who is owed something, or only those who had to wait for their turn.
    pub(crate) async fn start(
        &mut self,
        (core, link): (&Arc<Core>, &Link),
        calls: &mut JoinSet<()>,
        everybody: bool,
    ) -> Result<(), AgreementFault> {
        self.under_way.retain(|_, call| !call.is_finished());
        // Who is no partner is told once it is: that changes the rules.
        let partners = core.partners();
        let (owed, _) = to_tell(core).await?;
        let mut parties: BTreeSet<Oin> = owed.iter().map(|owed| owed.to).collect();
        parties.retain(|party| partners.contains_key(party));
        if !everybody {
            parties.retain(|party| self.again.contains(party));
        }
        self.again.retain(|party| self.under_way.contains_key(party));
        for to in parties {
            if self.under_way.contains_key(&to) {
                self.again.insert(to);
                continue;
            }
            let (core, link, room) = (core.clone(), link.clone(), self.room.clone());
            let call = calls.spawn(async move {
                let _place = room.acquire_owned().await;
                report(to, tell(&core, &link, to, &About::All).await);
            });
            self.under_way.insert(to, call);
        }
        Ok(())
    }
}

fn report(to: Oin, told: Result<Vec<Spread>, AgreementFault>) {
    match told {
        Ok(results) if results.iter().any(|result| result.problem.is_some()) => {
            tracing::warn!(partner = %to, "an agreement could not be brought to a party yet");
        }
        Ok(_) => {}
        Err(error) => tracing::error!(%error, partner = %to, "cannot spread agreements"),
    }
}

/// What a partner's problem document (RFC 9457) says, if it is one.
fn problem_detail(body: &[u8]) -> Option<String> {
    let problem: serde_json::Value = serde_json::from_slice(body).ok()?;
    // A partner's text is shown to people: keep it to one sensible line.
    Some(problem.get("detail")?.as_str()?.chars().filter(|letter| !letter.is_control()).take(500).collect())
}
