//! The register of processing activities (AVG art. 30 lid 1) of what goes through this node: made from the agreements that are
//! in force and the purposes they name, those that ended while something is kept, and what the node does by itself. Every
//! activity that a record of a processing names is in it.

use std::collections::{BTreeMap, BTreeSet};

use exchange::{
    agreement::{Agreement, Clause, Standing},
    digest::Digest,
    oin::Oin,
    organisation::OrganisationKind,
    purpose::{OnWithdrawal, Purpose, Rule},
    rulebook::Rulebook,
};
use jiff::{Timestamp, civil::Date};
use schemas::{BasisKind, Category, LifeDomain, SchemaName};
use serde::Serialize;
use store::StoreError;

use self::activity::{Names, OwnActivity};
use crate::{agreements, node::Node, wording};

pub mod activity;
pub mod sheet;

/// The whole register.
#[derive(Debug, Serialize)]
pub struct Register {
    /// Whose it is: the controller.
    pub verwerkingsverantwoordelijke: Controller,
    /// When it was made.
    pub gemaakt: Timestamp,
    /// The activities, one per purpose.
    pub verwerkingen: Vec<Activity>,
    /// What the node does by itself.
    pub eigen_verwerkingen: Vec<OwnActivity>,
    /// Activities of agreements of which nothing goes on and nothing is kept; records of processings may still name them.
    pub overig: Vec<Past>,
    /// How the data is secured, in general (art. 32).
    pub beveiliging: Vec<&'static str>,
    /// Whether data goes to a country outside the European Union, or to an international organisation.
    pub doorgifte_buiten_eu: &'static str,
}

/// A controller: this organisation, or one it exchanges with.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Controller {
    /// Its name.
    pub naam: String,
    /// Its number.
    pub oin: Oin,
    /// Its kind.
    pub soort: OrganisationKind,
    /// Where to ask.
    pub contact: String,
    /// Its data protection officer.
    pub fg: String,
}

/// One processing activity: what is exchanged for one purpose.
#[derive(Debug, Serialize)]
pub struct Activity {
    /// Its name in records of processings.
    pub verwerking: String,
    /// Whether an agreement lets it go on, or there is only something left of it that is kept.
    pub stand: Stand,
    /// The purpose.
    pub doel: String,
    /// Its version.
    pub versie: u32,
    /// The digest of its text.
    pub digest: Digest,
    /// Its name for people.
    pub naam: String,
    /// What it is for.
    pub omschrijving: String,
    /// The laws it rests on.
    pub bronnen: Vec<String>,
    /// How long a receiver keeps what it got, in days.
    pub bewaartermijn_dagen: u32,
    /// What a receiver does when consent is withdrawn; nothing when it cannot rest on consent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub bij_intrekking: Option<OnWithdrawal>,
    /// How long after its end the record of a consent is kept by who asked for it, in days; nothing when it cannot rest on
    /// consent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub bewijs_toestemming_dagen: Option<u32>,
    /// The agreements that name it: in force, or ended while something is kept that came or went under it.
    pub convenanten: Vec<Ground>,
    /// What goes and comes, per message type.
    pub berichten: Vec<Flow>,
}

/// How it is with an activity.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Stand {
    /// It goes on.
    Actueel,
    /// Its agreement ended; what came or went under it is kept until its term has passed.
    Afgelopen,
}

/// An activity of which nothing goes on and nothing is kept.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Past {
    /// Its name in records of processings.
    pub verwerking: String,
    /// Its name for people.
    pub naam: String,
    /// The last day of its last agreement.
    pub tot: Date,
}

/// An agreement that an activity rests on.
#[derive(Debug, Serialize)]
pub struct Ground {
    /// Its digest.
    pub convenant: Digest,
    /// Its name.
    pub titel: String,
    /// Its first day.
    pub geldig_van: Date,
    /// Its last day.
    pub geldig_tot: Date,
}

/// What goes or comes of one message type.
#[derive(Debug, Serialize)]
pub struct Flow {
    /// The message type.
    pub r#type: String,
    /// Its name for people.
    pub naam: String,
    /// Whom this organisation gives it to.
    pub ontvangers: BTreeSet<Controller>,
    /// From whom this organisation gets it.
    pub bronnen: BTreeSet<Controller>,
    /// Whom it is about.
    pub betrokkenen: Vec<&'static str>,
    /// Categories of data that it may hold.
    pub gegevens: BTreeSet<Category>,
    /// Whether it may hold a citizen service number.
    pub bsn: bool,
    /// Special categories, each with the exception in the law.
    pub bijzondere_gegevens: Vec<Special>,
    /// Life domains it may be about.
    pub leefgebieden: BTreeSet<LifeDomain>,
    /// The bases it may rest on.
    pub grondslagen: Vec<Basis>,
}

/// A special category with its exception.
#[derive(Debug, Serialize)]
pub struct Special {
    /// The category.
    pub categorie: Category,
    /// The exception.
    pub uitzondering: String,
}

/// A legal basis.
#[derive(Debug, Serialize)]
pub struct Basis {
    /// Which.
    pub soort: BasisKind,
    /// The articles of law.
    pub artikelen: Vec<String>,
    /// Only for what others give: an authority does not rely on it for what it sends itself (AVG art. 6(1), last sentence).
    pub alleen_ontvangen: bool,
}

/// What is kept: how many messages under an agreement for a purpose.
pub type Held = BTreeSet<(Digest, String)>;

/// The measures that this program takes itself, in general (art. 30 lid 1 onder g).
const SECURITY: [&str; 6] = [
    "Elk bericht wordt vóór verzending en bij ontvangst getoetst aan het doel, de grondslag en het convenant.",
    "Verbindingen zijn versleuteld en aan beide kanten met een certificaat geverifieerd (mutual TLS).",
    "Berichten zijn digitaal ondertekend en worden versleuteld bewaard, elk met een eigen sleutel.",
    "Alleen gegevens die het doel noemt gaan mee; bijzondere gegevens alleen met hun wettelijke uitzondering.",
    "Een logboek waaruit niets ongemerkt te wijzigen of te wissen is, bewijst wat is verstuurd en ontvangen.",
    "In logregels, foutmeldingen en zoekingangen staan geen persoonsgegevens.",
];

/// Makes the register of a node, as its agreements stand now, and what it keeps.
pub async fn of_node(node: &Node) -> Result<Register, StoreError> {
    let organisation = &node.config.organisatie;
    let owner = Controller {
        naam: organisation.naam.clone(),
        oin: organisation.oin,
        soort: organisation.soort,
        contact: organisation.contact.clone(),
        fg: organisation.fg.clone(),
    };
    let held = node.core.store.held_under().await?;
    let settings = node.config.dataverwerkingen.as_ref();
    let names = Names(settings.and_then(|settings| settings.register.as_deref()));
    Ok(register(owner, &node.core.rules(), (&held, names), node.core.now()))
}

/// Makes the register of an organisation from the rules it decides by, and from what it keeps.
pub fn register(
    owner: Controller,
    rules: &Rulebook,
    (held, names): (&Held, Names<'_>),
    now: Timestamp,
) -> Register {
    let me = owner.oin;
    let mut agreements: Vec<&Agreement> = rules
        .agreements()
        .map(AsRef::as_ref)
        .filter(|agreement| {
            agreement.party(me).is_some() && agreement.in_force_since().is_some_and(|at| at <= now)
        })
        .collect();
    agreements.sort_by_key(|one| (one.content().groep.clone(), one.content().versie, one.digest()));
    let mut activities: BTreeMap<(String, u32, Digest), Activity> = BTreeMap::new();
    for agreement in &agreements {
        let in_force = agreement.standing(now) == Standing::InForce;
        for clause in &agreement.content().afspraken {
            let keeps = held.contains(&(agreement.digest(), clause.doel.clone()));
            let Some(purpose) = rules.purpose(clause.doel_digest).filter(|_| in_force || keeps) else {
                continue;
            };
            let content = purpose.content();
            let key = (content.doel.clone(), content.versie, purpose.digest());
            let activity = activities.entry(key).or_insert_with(|| activity_of(purpose, names));
            let goes_on = |other| !rules.is_replaced(agreement, me, other, now);
            if in_force && activity.add(agreement, clause, purpose, (me, &goes_on)) {
                activity.stand = Stand::Actueel;
            }
            // To whom data went counts for as long as it is kept, also when a later version took the place (lid 1 onder d).
            if keeps {
                activity.add(agreement, clause, purpose, (me, &|_| true));
            }
        }
    }
    let activities: Vec<Activity> = activities
        .into_values()
        .filter(|one| !one.berichten.is_empty())
        .map(|one| one.told_by(owner.soort))
        .collect();
    Register {
        gemaakt: now,
        overig: past(&agreements, rules, (&activities, names)),
        verwerkingen: activities,
        eigen_verwerkingen: OwnActivity::all(names),
        verwerkingsverantwoordelijke: owner,
        beveiliging: SECURITY.to_vec(),
        doorgifte_buiten_eu: "Geen: gegevens gaan alleen naar de genoemde organisaties, elk met een Nederlands OIN. Vul dit aan als een van hen haar knooppunt buiten de EU laat draaien.",
    }
}

/// What agreements once let this organisation do that is among no activity any more.
fn past(agreements: &[&Agreement], rules: &Rulebook, (known, names): (&[Activity], Names<'_>)) -> Vec<Past> {
    let mut past: BTreeMap<String, Past> = BTreeMap::new();
    for agreement in agreements {
        for clause in &agreement.content().afspraken {
            let Some(purpose) = rules.purpose(clause.doel_digest) else { continue };
            let content = purpose.content();
            let verwerking = names.purpose(&content.doel, content.versie);
            if known.iter().any(|activity| activity.verwerking == verwerking) {
                continue;
            }
            let (naam, tot) = (content.naam.clone(), agreement.content().geldig_tot);
            let one = past.entry(verwerking.clone()).or_insert(Past { verwerking, naam, tot });
            one.tot = one.tot.max(tot);
        }
    }
    past.into_values().collect()
}

fn activity_of(purpose: &Purpose, names: Names<'_>) -> Activity {
    let content = purpose.content();
    let by_consent = content
        .berichten
        .iter()
        .flat_map(|rule| &rule.grondslagen)
        .any(|basis| basis.soort == BasisKind::Consent);
    Activity {
        verwerking: names.purpose(&content.doel, content.versie),
        stand: Stand::Afgelopen,
        doel: content.doel.clone(),
        versie: content.versie,
        digest: purpose.digest(),
        naam: content.naam.clone(),
        omschrijving: content.omschrijving.clone(),
        bronnen: content.bronnen.clone(),
        bewaartermijn_dagen: content.bewaartermijn_dagen,
        bij_intrekking: by_consent.then_some(content.bij_intrekking),
        bewijs_toestemming_dagen: by_consent.then(|| purpose.consent_proof_days()),
        convenanten: Vec::new(),
        berichten: Vec::new(),
    }
}

impl Activity {
    /// Adds what a clause of an agreement lets this organisation (`me`) give and get, with those with whom the agreement
    /// goes on: with the others a later version took its place. Says whether that was anything.
    fn add(
        &mut self,
        agreement: &Agreement,
        clause: &Clause,
        purpose: &Purpose,
        (me, goes_on): (Oin, &dyn Fn(Oin) -> bool),
    ) -> bool {
        let mut any = false;
        let own_kind = agreement.party(me).map(|party| party.soort);
        for message_type in &clause.berichttypen {
            let Some(rule) = purpose.rule(message_type) else { continue };
            let gives = clause.van.contains(&me) && own_kind.is_some_and(|kind| rule.van.contains(&kind));
            let gets = clause.naar.contains(&me) && own_kind.is_some_and(|kind| rule.naar.contains(&kind));
            let parties = |oins: &[Oin], may: &BTreeSet<OrganisationKind>| {
                let others = oins.iter().filter(|oin| **oin != me && goes_on(**oin));
                let parties = others.filter_map(|oin| agreement.party(*oin));
                parties.filter(|party| may.contains(&party.soort)).map(controller).collect::<BTreeSet<_>>()
            };
            let receivers = if gives { parties(&clause.naar, &rule.naar) } else { BTreeSet::new() };
            let sources = if gets { parties(&clause.van, &rule.van) } else { BTreeSet::new() };
            if receivers.is_empty() && sources.is_empty() {
                continue;
            }
            let flow = self.flow(rule);
            flow.ontvangers.extend(receivers);
            flow.bronnen.extend(sources);
            self.note(agreement);
            any = true;
        }
        any
    }

    /// As an organisation of this kind tells it: an authority does not rely on a legitimate interest for what it sends.
    fn told_by(mut self, owner: OrganisationKind) -> Self {
        for flow in &mut self.berichten {
            let others = flow.bronnen.iter().any(|source| !source.soort.is_authority());
            let own = !flow.ontvangers.is_empty() && !owner.is_authority();
            flow.grondslagen.retain(|basis| basis.soort != BasisKind::LegitimateInterest || own || others);
            for basis in &mut flow.grondslagen {
                basis.alleen_ontvangen =
                    basis.soort == BasisKind::LegitimateInterest && !own && !flow.ontvangers.is_empty();
            }
        }
        self
    }

    fn flow(&mut self, rule: &Rule) -> &mut Flow {
        let known = self.berichten.iter().position(|flow| flow.r#type == rule.message_type);
        let index = known.unwrap_or_else(|| {
            self.berichten.push(flow(rule));
            self.berichten.len() - 1
        });
        &mut self.berichten[index]
    }

    fn note(&mut self, agreement: &Agreement) {
        if self.convenanten.iter().all(|one| one.convenant != agreement.digest()) {
            self.convenanten.push(Ground {
                convenant: agreement.digest(),
                titel: agreements::title(agreement),
                geldig_van: agreement.content().geldig_van,
                geldig_tot: agreement.content().geldig_tot,
            });
        }
    }
}

fn controller(party: &exchange::agreement::Party) -> Controller {
    Controller {
        naam: party.naam.clone(),
        oin: party.oin,
        soort: party.soort,
        contact: party.contact.clone(),
        fg: party.fg.clone(),
    }
}

fn flow(rule: &Rule) -> Flow {
    let special = rule.bijzondere_gegevens.iter();
    let bases = rule.grondslagen.iter();
    Flow {
        r#type: rule.message_type.clone(),
        naam: wording::title(&rule.message_type),
        ontvangers: BTreeSet::new(),
        bronnen: BTreeSet::new(),
        betrokkenen: persons(rule),
        gegevens: rule.gegevens.clone(),
        bsn: rule.bsn,
        bijzondere_gegevens: special
            .map(|one| Special { categorie: one.categorie, uitzondering: one.uitzondering.clone() })
            .collect(),
        leefgebieden: rule.leefgebieden.clone(),
        grondslagen: bases
            .map(|one| Basis { soort: one.soort, artikelen: one.artikelen.clone(), alleen_ontvangen: false })
            .collect(),
    }
}

/// Whom a message may be about, by the data that the purpose allows and the schema has a place for.
fn persons(rule: &Rule) -> Vec<&'static str> {
    let mut persons = Vec::new();
    if !rule.gegevens.is_empty() || rule.bsn || !rule.bijzondere_gegevens.is_empty() {
        persons.push("inwoners over wie het bericht gaat");
    } else {
        persons.push("inwoners, alleen als iemand het dossiernummer kan thuisbrengen");
    }
    if rule.gegevens.contains(&Category::Household) {
        persons.push("leden van hun huishouden");
    }
    let schema = SchemaName::of_message_type(&rule.message_type).map(schemas::source);
    if rule.gegevens.contains(&Category::Support)
        && schema.is_some_and(|text| text.contains("begrippen:1#/$defs/professional"))
    {
        persons.push("medewerkers en hulpverleners die betrokken zijn");
    }
    persons
}

#[cfg(test)]
mod tests;
