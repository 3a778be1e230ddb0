//! The register of processing activities (AVG art. 30 lid 1) of what goes through this node, made from the agreements
//! that are in force and the purposes they name.

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

use crate::{agreements, node::Node, wording};

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
    /// What a receiver does when consent is withdrawn.
    pub bij_intrekking: OnWithdrawal,
    /// The agreements in force that name it.
    pub convenanten: Vec<Ground>,
    /// What goes and comes, per message type.
    pub berichten: Vec<Flow>,
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
}

/// The measures that this program takes itself, in general (art. 30 lid 1 onder g).
const SECURITY: [&str; 6] = [
    "Elk bericht wordt vóór verzending en bij ontvangst getoetst aan het doel, de grondslag en het convenant.",
    "Verbindingen zijn versleuteld en aan beide kanten met een certificaat geverifieerd (mutual TLS).",
    "Berichten zijn digitaal ondertekend en worden versleuteld bewaard, met een eigen sleutel per dossier.",
    "Alleen gegevens die het doel noemt gaan mee; bijzondere gegevens alleen met hun wettelijke uitzondering.",
    "Een logboek waaruit niets ongemerkt te wijzigen of te wissen is, bewijst wat is verstuurd en ontvangen.",
    "In logregels, foutmeldingen en zoekingangen staan geen persoonsgegevens.",
];

/// Makes the register of a node, as its agreements stand now.
pub fn of_node(node: &Node) -> Register {
    let organisation = &node.config.organisatie;
    let owner = Controller {
        naam: organisation.naam.clone(),
        oin: organisation.oin,
        soort: organisation.soort,
        contact: organisation.contact.clone(),
        fg: organisation.fg.clone(),
    };
    register(owner, &node.core.rules(), node.core.now())
}

/// Makes the register of an organisation from the rules it decides by.
pub fn register(owner: Controller, rules: &Rulebook, now: Timestamp) -> Register {
    let me = owner.oin;
    let in_force = rules.agreements().map(AsRef::as_ref);
    let mut agreements: Vec<&Agreement> =
        in_force.filter(|agreement| agreement.standing(now) == Standing::InForce).collect();
    agreements.sort_by_key(|one| (one.content().groep.clone(), one.content().versie, one.digest()));
    let mut activities: BTreeMap<(String, u32, Digest), Activity> = BTreeMap::new();
    for agreement in agreements {
        for clause in &agreement.content().afspraken {
            let Some(purpose) = rules.purpose(clause.doel_digest) else { continue };
            let content = purpose.content();
            let key = (content.doel.clone(), content.versie, purpose.digest());
            let activity = activities.entry(key).or_insert_with(|| activity(purpose));
            let goes_on = |other| !rules.is_replaced(agreement, me, other, now);
            activity.add(agreement, clause, purpose, (me, &goes_on));
        }
    }
    Register {
        verwerkingsverantwoordelijke: owner,
        gemaakt: now,
        verwerkingen: activities.into_values().filter(|one| !one.berichten.is_empty()).collect(),
        beveiliging: SECURITY.to_vec(),
        doorgifte_buiten_eu: "Geen: gegevens gaan alleen naar de genoemde organisaties, elk met een Nederlands OIN. Vul dit aan als een van hen haar knooppunt buiten de EU laat draaien.",
    }
}

fn activity(purpose: &Purpose) -> Activity {
    let content = purpose.content();
    Activity {
        doel: content.doel.clone(),
        versie: content.versie,
        digest: purpose.digest(),
        naam: content.naam.clone(),
        omschrijving: content.omschrijving.clone(),
        bronnen: content.bronnen.clone(),
        bewaartermijn_dagen: content.bewaartermijn_dagen,
        bij_intrekking: content.bij_intrekking,
        convenanten: Vec::new(),
        berichten: Vec::new(),
    }
}

impl Activity {
    /// Adds what a clause of an agreement lets this organisation (`me`) give and get, with those with whom the agreement
    /// goes on: with the others a later version took its place.
    fn add(
        &mut self,
        agreement: &Agreement,
        clause: &Clause,
        purpose: &Purpose,
        (me, goes_on): (Oin, &dyn Fn(Oin) -> bool),
    ) {
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
        }
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
        grondslagen: bases.map(|one| Basis { soort: one.soort, artikelen: one.artikelen.clone() }).collect(),
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
