//! What is held about a resident, for that resident (AVG art. 15): `schakel inzage`.
//!
//! It holds the messages of which it is certain that they are about the person, and nothing about anybody else. Who looked
//! is told by moment and reason and not by name: a resident has a right to when and why their data were consulted, and
//! not, as a rule, to which employee did (CJEU C-579/21).

use std::collections::HashMap;

use anyhow::{Context as _, bail};
use exchange::{consent::ConsentKey, message::document_of, oin::Oin, person::Identity, purpose::Purpose};
use jiff::Timestamp;
use schemas::{BasisKind, Document, ReadableField, SchemaName};
use serde::Serialize;
use store::{
    Access, AccessFilter, AccessRecord, Deed, Direction, Found, MAX_ROWS_READ, MessageRow, Shown, State,
};

use crate::node::Node;

mod consents;
mod html;
mod together;

pub use consents::{GivenConsent, Recorded, Told, Version};
pub use html::html;
pub use together::{Signal, Together};

/// The most pages of the access log that one report reads; more is said to be incomplete.
const MAX_PAGES: usize = 20;

/// Everything held about somebody.
#[derive(Debug, Serialize)]
pub struct SubjectReport {
    /// Always `schakel-inzage/1`.
    pub soort: &'static str,
    /// When it was made.
    pub gemaakt: Timestamp,
    /// By what the organisation knows the request.
    pub kenmerk: String,
    /// Whose report it is.
    pub organisatie: Controller,
    /// By what the person was looked for, as it was given.
    pub gezocht_op: serde_json::Value,
    /// The messages, the oldest first.
    pub berichten: Vec<Item>,
    /// The consents the person gave.
    pub toestemmingen: Vec<GivenConsent>,
    /// Signals about the person that this organisation brought together.
    pub samengebracht: Vec<Together>,
    /// When and why somebody looked, the last first.
    pub raadplegingen: Vec<Look>,
    /// Whether everything was looked through.
    pub volledig: bool,
    /// Messages that may be about the person, by number; a person decides. Not for the resident.
    #[serde(skip)]
    pub misschien: Vec<MessageRow>,
    /// Consents that may be of the person. Not for the resident.
    #[serde(skip)]
    pub toestemmingen_misschien: Vec<ConsentKey>,
}

/// The organisation that answers for the data.
#[derive(Debug, Serialize)]
pub struct Controller {
    /// Its name.
    pub naam: String,
    /// Its number.
    pub oin: Oin,
    /// Where to ask.
    pub contact: String,
    /// The data protection officer.
    pub fg: String,
}

/// One message.
#[derive(Debug, Serialize)]
pub struct Item {
    /// Its number in this node.
    pub nummer: u64,
    /// What kind of message it is.
    pub titel: &'static str,
    /// What that kind of message is for.
    pub uitleg: Option<&'static str>,
    /// Who sent it.
    pub van: Organisation,
    /// Who it is for.
    pub aan: Organisation,
    /// When it was made.
    pub gemaakt: Timestamp,
    /// When it came in, or was taken by its receiver, or when that was given up.
    pub afgerond: Option<Timestamp>,
    /// How it is with it.
    pub stand: &'static str,
    /// What it is for.
    pub doel: Option<Aim>,
    /// On which ground; nothing when it was erased while the report was made.
    pub grondslag: Option<Ground>,
    /// When it is erased here at the latest.
    pub bewaard_tot: Option<Timestamp>,
    /// What it says, as a program reads it; nothing when that may not be shown any more.
    pub gegevens: Option<serde_json::Value>,
    /// Why what it says is not there.
    pub niet_getoond: Option<&'static str>,
    #[serde(skip)]
    fields: Vec<ReadableField>,
    #[serde(skip)]
    sent_here: bool,
}

/// An organisation, as the resident knows it.
#[derive(Debug, Clone, Serialize)]
pub struct Organisation {
    /// Its name.
    pub naam: String,
    /// Its number.
    pub oin: Oin,
}

/// What something is for.
#[derive(Debug, Serialize)]
pub struct Aim {
    /// Its name for people.
    pub naam: String,
    /// What that is.
    pub omschrijving: String,
    /// The laws it rests on.
    pub bronnen: Vec<String>,
    /// How long a receiver keeps it, in days.
    pub bewaartermijn_dagen: u32,
}

/// The ground something was shared on.
#[derive(Debug, Serialize)]
pub struct Ground {
    /// Which of AVG art. 6.
    pub soort: &'static str,
    /// That, in words.
    pub uitleg: String,
    /// The articles of law.
    pub artikelen: Vec<String>,
    /// The number of the consent, if it is or was that.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub toestemming: Option<uuid::Uuid>,
}

/// That somebody looked.
#[derive(Debug, Serialize)]
pub struct Look {
    /// When.
    pub wanneer: Timestamp,
    /// What they did.
    pub wat: &'static str,
    /// Why.
    pub reden: &'static str,
    /// Whether that was a person or a system.
    pub door: &'static str,
}

/// Gathers what is held about a person, for somebody whose access allows that. `also` are the messages of which somebody
/// decided that they are about this person, out of those that may be.
pub async fn gather(
    node: &Node,
    access: Access,
    (person, said): (&Identity, serde_json::Value),
    also: &[u64],
) -> anyhow::Result<SubjectReport> {
    let store = &node.core.store;
    let found = store.search(access.clone(), person).await?;
    let Found { mut messages, mut perhaps, consents, consents_perhaps, mut complete, .. } = found;
    if let Some(other) = also.iter().find(|number| perhaps.iter().all(|row| row.index != **number)) {
        bail!(
            "bericht {other} staat niet bij wat misschien over deze persoon gaat. Kies uit de nummers die `schakel inzage` noemt"
        );
    }
    if !also.is_empty() {
        messages.extend(store.view(access.clone(), also).await?);
        perhaps.retain(|row| !also.contains(&row.index));
        messages.sort_by_key(|shown| shown.row.index);
    }
    let (looks, all) = looks(node, access.clone(), person, also).await?;
    complete &= all;
    let of_messages = messages.iter().filter_map(|shown| shown.row.consent);
    let all_consents = consents.iter().copied().chain(of_messages).collect();
    let numbers: Vec<u64> = messages.iter().map(|shown| shown.row.index).collect();
    let together = together::gather(node, &numbers, access.when).await?;
    let organisation = &node.config.organisatie;
    let consents = consents::gather(node, all_consents, &consents).await?;
    let mut items = messages.iter().map(|shown| item(node, shown)).collect::<anyhow::Result<Vec<_>>>()?;
    for item in &mut items {
        item.grondslag = item.grondslag.take().map(|ground| now_rests(ground, &consents));
    }
    Ok(SubjectReport {
        soort: "schakel-inzage/1",
        gemaakt: access.when,
        kenmerk: access.why.reference().unwrap_or_default().to_owned(),
        organisatie: Controller {
            naam: organisation.naam.clone(),
            oin: organisation.oin,
            contact: organisation.contact.clone(),
            fg: organisation.fg.clone(),
        },
        gezocht_op: said,
        berichten: items,
        toestemmingen: consents,
        samengebracht: together,
        raadplegingen: looks,
        volledig: complete,
        misschien: perhaps,
        toestemmingen_misschien: consents_perhaps,
    })
}

/// Who looked at this person: for them by search, at one of their messages, or at one of `also`. And whether that is all.
async fn looks(
    node: &Node,
    access: Access,
    person: &Identity,
    also: &[u64],
) -> anyhow::Result<(Vec<Look>, bool)> {
    let access = Access { what: Deed::Raadplegingen, ..access };
    let about = |filter: AccessFilter| AccessFilter { limit: MAX_ROWS_READ, ..filter };
    let by_person = about(AccessFilter { person: Some(person.clone()), ..AccessFilter::default() });
    let by_message =
        also.iter().map(|index| about(AccessFilter { message: Some(*index), ..AccessFilter::default() }));
    let mut found: HashMap<u64, AccessRecord> = HashMap::new();
    let mut complete = true;
    for mut filter in std::iter::once(by_person).chain(by_message) {
        let mut more = true;
        for _ in 0..MAX_PAGES {
            let page = node.core.store.accesses(access.clone(), filter.clone()).await?;
            found.extend(page.records.into_iter().map(|record| (record.index, record)));
            filter.before = page.more_before;
            more = page.more_before.is_some();
            if !more {
                break;
            }
        }
        complete &= !more;
    }
    // An access can be about more people; what is told is that it was about this one too.
    let mut records: Vec<AccessRecord> = found.into_values().collect();
    records.sort_by_key(|record| std::cmp::Reverse(record.index));
    Ok((records.iter().map(look).collect(), complete))
}

fn look(record: &AccessRecord) -> Look {
    Look {
        wanneer: record.when,
        wat: record.what.as_str(),
        reden: record.why.reason.as_str(),
        door: match record.who.kind() {
            store::ActorKind::Medewerker => "medewerker",
            store::ActorKind::Systeem => "systeem",
        },
    }
}

fn item(node: &Node, shown: &Shown) -> anyhow::Result<Item> {
    let row = &shown.row;
    let schema = row.message_type.as_deref().and_then(SchemaName::of_message_type).context(DAMAGED)?;
    let (document, withheld) = match &shown.content {
        Ok(content) => (Some(document_of(content).context(DAMAGED)?), None),
        Err(why) => (None, Some(why.as_str())),
    };
    let purpose = purpose_of(node, row);
    let other = organisation(node, row.partner);
    let own = organisation(node, node.core.me);
    let sent_here = row.direction == Direction::Outbound;
    let (from, to) = if sent_here { (own, other) } else { (other, own) };
    Ok(Item {
        nummer: row.index,
        titel: schemas::title(schema),
        uitleg: schemas::describe(schema),
        van: from,
        aan: to,
        gemaakt: row.created,
        afgerond: row.finished,
        stand: standing(row),
        bewaard_tot: row.keep_until,
        doel: purpose.as_deref().map(aim),
        grondslag: ground(row, document.as_ref()),
        gegevens: document.as_ref().map(|document| document.value().clone()),
        niet_getoond: withheld,
        fields: document.as_ref().map(schemas::readable).unwrap_or_default(),
        sent_here,
    })
}

const DAMAGED: &str =
    "een opgeslagen bericht is niet leesbaar; controleer het logboek met `schakel logboek verify`";

fn organisation(node: &Node, oin: Oin) -> Organisation {
    Organisation { naam: node.name_of(oin), oin }
}

fn standing(row: &MessageRow) -> &'static str {
    match (row.direction, row.state) {
        (Direction::Inbound, State::Admitted) => "ontvangen",
        (Direction::Inbound, _) => "geweigerd bij aankomst",
        (Direction::Outbound, State::Waiting) => "staat klaar om te versturen",
        (Direction::Outbound, State::Admitted) => "verstuurd en ontvangen",
        (Direction::Outbound, State::Refused) => "verstuurd en door de ontvanger geweigerd",
        (Direction::Outbound, State::Undeliverable) => "niet bezorgd",
    }
}

/// The text of the purpose that the agreement of the message names.
fn purpose_of(node: &Node, row: &MessageRow) -> Option<std::sync::Arc<Purpose>> {
    let rules = node.core.rules();
    let agreement = rules.agreement(row.agreement?)?;
    let name = row.purpose.as_deref()?;
    let (me, other) = (node.core.me, row.partner);
    let way = if row.direction == Direction::Outbound { (me, other) } else { (other, me) };
    let clause = agreement.clause(way, name, row.message_type.as_deref()?)?;
    rules.purpose(clause.doel_digest).cloned()
}

fn aim(purpose: &Purpose) -> Aim {
    let content = purpose.content();
    Aim {
        naam: content.naam.clone(),
        omschrijving: content.omschrijving.clone(),
        bronnen: content.bronnen.clone(),
        bewaartermijn_dagen: content.bewaartermijn_dagen,
    }
}

/// The ground that the message states. One of which nothing may be shown any more rests on its consent.
fn ground(row: &MessageRow, document: Option<&Document>) -> Option<Ground> {
    let Some(document) = document else {
        return row.consent.map(|consent| Ground {
            soort: BasisKind::Consent.as_str(),
            uitleg: "U gaf hier toestemming voor. Die toestemming geldt niet meer.".to_owned(),
            artikelen: Vec::new(),
            toestemming: Some(consent.id),
        });
    };
    let basis = document.basis();
    Some(Ground {
        soort: basis.kind.as_str(),
        uitleg: in_words(basis.kind).to_owned(),
        artikelen: basis.articles.clone(),
        toestemming: basis.consent.as_ref().map(|stated| stated.id),
    })
}

/// On what that rests by now: what was shared on a consent that ended is kept on another ground, when it is kept.
fn now_rests(ground: Ground, consents: &[GivenConsent]) -> Ground {
    let of = |consent: &&GivenConsent| ground.toestemming == Some(consent.id);
    let Some(consent) = consents.iter().find(of) else { return ground };
    let Some(kept) = &consent.bewaard_op_grond_van else { return ground };
    if ground.soort != BasisKind::Consent.as_str() {
        return ground;
    }
    let ended = match consent.ingetrokken_op {
        Some(at) => format!(
            "die trok u in op {}",
            schemas::written_day(at.to_zoned(exchange::calendar::dutch_time()).date())
        ),
        None => "die geldt niet meer".to_owned(),
    };
    Ground {
        soort: kept.soort.as_str(),
        uitleg: format!(
            "U gaf hier toestemming voor; {ended}. Wij bewaren dit nu om een andere reden. {}",
            in_words(kept.soort)
        ),
        artikelen: kept.artikelen.clone(),
        ..ground
    }
}

/// The legal bases of AVG art. 6(1), for whom they are about.
const fn in_words(kind: BasisKind) -> &'static str {
    match kind {
        BasisKind::Consent => "U heeft hier toestemming voor gegeven. U mag die altijd intrekken.",
        BasisKind::Contract => "Dit was nodig voor een overeenkomst met u.",
        BasisKind::LegalObligation => "De wet verplicht de afzender om dit te delen.",
        BasisKind::VitalInterest => "Dit was nodig omdat er gevaar was voor iemands leven of gezondheid.",
        BasisKind::PublicTask => "Dit was nodig voor een taak van de overheid die in de wet staat.",
        BasisKind::LegitimateInterest => {
            "De afzender had hier een belang bij dat zwaarder woog dan uw privacy."
        }
    }
}

#[cfg(test)]
mod tests;
