//! A handover with the consent of a resident, passed on once, and then withdrawn: what rested on it is gone everywhere.

use std::collections::BTreeMap;

use anyhow::{Context as _, bail};
use exchange::{consent::ConsentKey, evidence::Report, oin::Oin, person::Identity, refusal::Refusal};
use jiff::{SignedDuration, Timestamp, ToSpan as _, tz::TimeZone};
use schemas::SchemaName;
use serde::Serialize;
use serde_json::{Value, json};
use store::{ConsentNotice, Deed, Filter, Reason, State};
use uuid::Uuid;

use super::{
    Cast, access,
    sending::{self, Going},
    settled, wait_until,
};
use crate::{
    consent::{ending, register},
    evidence,
    node::Node,
    outbound::Submitted,
    subject_report::{self, SubjectReport, html},
};

const PURPOSE: &str = "hulp-met-toestemming";

/// Until how long after now an offer asks for an answer: more than the purpose gives.
const ANSWERED_IN: SignedDuration = SignedDuration::from_hours(14 * 24);

/// What happened to the consent.
#[derive(Debug, Clone, Serialize)]
pub struct ConsentOutcome {
    /// Handovers that rested on it and were admitted: one from the municipality, one passed on.
    pub overdrachten: u64,
    /// Documents that the rules did not let go, per reason.
    pub tegengehouden: BTreeMap<String, u64>,
    /// What those held too much of.
    pub te_veel: Vec<String>,
    /// Organisations that were told of the withdrawal.
    pub geinformeerd: u64,
    /// Organisations that confirmed that they erased what they had.
    pub bevestigd: u64,
    /// Copies that can still be read, at all organisations together.
    pub nog_leesbaar: u64,
    /// Documents under the consent that were stopped after the withdrawal, per reason.
    pub daarna_tegengehouden: BTreeMap<String, u64>,
    /// Whether the evidence of the handover holds by itself.
    pub bewijs_klopt: bool,
    /// Messages in the access report that the resident asked the municipality for, before the withdrawal.
    pub inzage_berichten: u64,
}

impl ConsentOutcome {
    /// Whether it went as it should.
    pub(super) fn adds_up(&self) -> bool {
        let one = |reasons: &BTreeMap<String, u64>, reason: &str| {
            reasons.len() == 1 && reasons.get(reason) == Some(&1)
        };
        self.overdrachten == 2
            && one(&self.tegengehouden, "gegevens-niet-toegestaan")
            && (self.geinformeerd, self.bevestigd, self.nog_leesbaar) == (2, 2, 0)
            && one(&self.daarna_tegengehouden, "toestemming-ingetrokken")
            && self.bewijs_klopt
            // The handover that was sent; what was held back was never kept.
            && self.inzage_berichten == 2
    }
}

/// What is left of the handover for who checks it.
pub(super) struct Proof {
    /// The message.
    pub(super) message: Uuid,
    /// The evidence, as JSON.
    pub(super) bundle: String,
    report: Report,
}

/// What the demonstration leaves behind.
pub(super) struct Papers {
    /// The evidence of the handover.
    pub(super) proof: Proof,
    /// What the municipality held about the resident, as a page.
    pub(super) report: String,
}

/// Plays it.
pub(super) async fn tell(nodes: &Cast<'_>) -> anyhow::Result<(ConsentOutcome, Papers)> {
    let Cast { municipality, social_service, uwv } = *nodes;
    let consent = grant(nodes).await?;
    let case = municipality.core.new_id();
    let now = municipality.core.now();
    let to = social_service.core.me;
    // More than the purpose allows: the resident agreed, but addiction is not in it.
    let too_much = hold_back(municipality, (to, case), handover(now, consent, "verslaving")).await?;
    let offer = (SchemaName::HandoverOffered, handover(now, consent, "wonen"));
    let id = send(municipality, (to, case), offer).await?;
    pass_on(nodes, (case, id), consent).await?;
    let proof = proof_of(municipality, id).await?;
    let report = access_report(municipality).await?;
    let notices = withdraw(nodes, consent).await?;
    let after = hold_back(municipality, (to, case), handover(now, consent, "wonen")).await?;
    let key = ConsentKey { holder: municipality.core.me, id: consent };
    let outcome = ConsentOutcome {
        overdrachten: admitted(&[social_service, uwv], case).await?,
        tegengehouden: counted(&too_much),
        te_veel: too_much.about,
        geinformeerd: count(&notices, |notice| notice.message.is_some() || notice.via.is_some()),
        bevestigd: count(&notices, |notice| notice.confirmed.is_some()),
        nog_leesbaar: readable(&[municipality, social_service, uwv], key).await?,
        daarna_tegengehouden: counted(&after),
        bewijs_klopt: proof.report.holds(),
        inzage_berichten: report.berichten.len() as u64,
    };
    Ok((outcome, Papers { proof, report: html(&report) }))
}

fn counted(refusal: &Refusal) -> BTreeMap<String, u64> {
    [(refusal.reason.code().to_owned(), 1)].into()
}

fn count(notices: &[ConsentNotice], which: impl Fn(&ConsentNotice) -> bool) -> u64 {
    notices.iter().filter(|notice| which(notice)).count() as u64
}

/// Somebody who does not exist.
fn resident() -> Value {
    json!({
        "naam": { "voorletters": "E.", "voorvoegsel": "van den", "achternaam": "Brouwer" },
        "geboortedatum": "1974-01-20",
        "adres": {
            "straat": "Lindelaan", "huisnummer": 19, "huisnummertoevoeging": "hs", "postcode": "4906AN",
            "woonplaats": "Rivierstad",
        },
    })
}

async fn grant(nodes: &Cast<'_>) -> anyhow::Result<Uuid> {
    let core = &nodes.municipality.core;
    let now = core.now();
    let until = now.to_zoned(TimeZone::UTC).checked_add(90.days())?.timestamp();
    let record = json!({
        "betrokkene": resident(),
        "inhoud": {
            "verleend_aan": [nodes.social_service.core.me, nodes.uwv.core.me],
            "doelen": [PURPOSE],
            "gegevens": {
                "categorieen": ["identificatie", "adres", "situatie", "wens", "hulpverlening", "verslaving"],
                "leefgebieden": ["wonen", "verslaving"],
            },
            "verleend_op": now,
            "geldig_tot": until,
            "wijze": "schriftelijk",
            "vrijheid": {
                "gevolg_van_weigeren": "Geen. De hulp gaat door; u vertelt uw verhaal dan zelf aan de volgende organisatie.",
                "hulp_hangt_ervan_af": false,
                "uitgelegd_door": { "organisatie": "Gemeente Rivierstad", "functie": "consulent" },
                "taal": "nl", "steun_aanwezig": true, "gewezen_op_intrekken": true,
            },
            "bewijs": { "soort": "formulier", "kenmerk": "TF-2026-000900" },
        },
    });
    let purposes = nodes.municipality.purposes()?;
    let kind = nodes.municipality.config.organisatie.soort;
    let access = access(nodes.municipality, Deed::Besluit, Reason::Dossier)?;
    Ok(register::grant(core, access, record.to_string().as_bytes(), (kind, &purposes)).await?.id())
}

/// What the municipality wants to hand over, with one life domain.
fn handover(now: Timestamp, consent: Uuid, domain: &str) -> Value {
    json!({
        "grondslag": {
            "soort": "toestemming", "artikelen": ["AVG art. 6 lid 1 onder a"], "toestemming": { "id": consent },
        },
        "betrokkene": resident(),
        "inhoud": {
            "aanleiding": "Het huis wordt verkocht en er is nog geen ander.",
            "wens": { "eigen_woorden": "Weten waar ik aan toe ben, en niet steeds opnieuw mijn verhaal vertellen." },
            "wat_kan_het_verschil_maken": "Eén aanspreekpunt.",
            "situatie": { domain: { "omschrijving": "Er is hulp bij gevraagd." } },
            "vraagverheldering": {
                "vraag": "Wie helpt met het zoeken naar een ander huis?",
                "verhelderd_door": { "organisatie": "Gemeente Rivierstad", "functie": "consulent" },
                "verhelderd_op": "2026-11-12",
            },
            "urgentie": "normaal",
            "warmte": { "soort": "schriftelijk" },
            "casusregisseur": { "organisatie": "Gemeente Rivierstad", "functie": "casusregisseur" },
            "reageren_voor": now + ANSWERED_IN,
        },
    })
}

/// That the social service takes the case over.
fn acceptance(consent: Uuid, offer: Uuid) -> Value {
    json!({
        "grondslag": {
            "soort": "toestemming", "artikelen": ["AVG art. 6 lid 1 onder a"], "toestemming": { "id": consent },
        },
        "inhoud": {
            "aanbod_id": offer,
            "casusregisseur": { "organisatie": "Sociale Dienst Rivierenland", "functie": "consulent" },
            "eerste_contact_voor": "2026-12-11",
        },
    })
}

async fn send(node: &Node, to: (Oin, Uuid), (schema, data): (SchemaName, Value)) -> anyhow::Result<Uuid> {
    sending::send(node, going(to), (schema, &data)).await
}

const fn going<'a>((to, case): (Oin, Uuid)) -> Going<'a> {
    Going { to, case: Some(case), purpose: PURPOSE, source_record: None }
}

async fn hold_back(node: &Node, to: (Oin, Uuid), data: Value) -> anyhow::Result<Refusal> {
    match sending::submit(node, going(to), (SchemaName::HandoverOffered, &data)).await? {
        Submitted::HeldBack(refusal) => Ok(refusal),
        other => bail!("wat niet weg mocht ging toch: {other:?}"),
    }
}

/// The social service takes the case over, and hands it over in its turn, on the same consent.
async fn pass_on(nodes: &Cast<'_>, (case, offer): (Uuid, Uuid), consent: Uuid) -> anyhow::Result<()> {
    let arrived = wait_until(async || Ok(admitted(&[nodes.social_service], case).await? == 1)).await?;
    if !arrived {
        bail!("de overdracht kwam niet op tijd aan");
    }
    let service = nodes.social_service;
    let accepted = (SchemaName::HandoverAccepted, acceptance(consent, offer));
    send(service, (nodes.municipality.core.me, case), accepted).await?;
    let onward = (SchemaName::HandoverOffered, handover(service.core.now(), consent, "wonen"));
    send(service, (nodes.uwv.core.me, case), onward).await.map(drop)
}

/// How many handovers of a case came in at these organisations.
async fn admitted(nodes: &[&Node], case: Uuid) -> anyhow::Result<u64> {
    let offered = SchemaName::HandoverOffered.message_type();
    let mut count = 0;
    for node in nodes {
        let filter = Filter {
            direction: Some(store::Direction::Inbound),
            state: Some(State::Admitted),
            limit: store::MAX_ROWS_READ,
            order: store::Order::NewestFirst,
            ..Filter::default()
        };
        let rows = node.core.store.messages(filter).await?;
        let these =
            rows.iter().filter(|row| row.case == Some(case) && row.message_type.as_deref() == offered);
        count += these.count() as u64;
    }
    Ok(count)
}

/// The resident asks the municipality what it holds (AVG art. 15).
async fn access_report(node: &Node) -> anyhow::Result<SubjectReport> {
    let person = Identity::read(&resident()).context("een inwoner")?;
    let access = access(node, Deed::Uitvoer, Reason::Inzageverzoek)?;
    subject_report::gather(node, access, (&person, resident()), &[]).await
}

async fn proof_of(node: &Node, id: Uuid) -> anyhow::Result<Proof> {
    let row = node.core.store.message(id).await?.context("het bericht van de overdracht")?;
    let (bundle, report) =
        evidence::take(&node.core, &row, access(node, Deed::Uitvoer, Reason::Bewijs)?).await?;
    Ok(Proof { message: id, bundle: serde_json::to_string_pretty(&bundle)?, report })
}

/// The resident withdraws it; everybody who had a copy says what it did.
async fn withdraw(nodes: &Cast<'_>, consent: Uuid) -> anyhow::Result<Vec<ConsentNotice>> {
    let core = &nodes.municipality.core;
    let key = ConsentKey { holder: core.me, id: consent };
    let access = access(nodes.municipality, Deed::Besluit, Reason::Dossier)?;
    register::withdraw(core, access, consent, core.now()).await?;
    ending::carry_out(core).await?;
    let everybody = async || {
        let notices = core.store.consent_notices(key).await?;
        Ok(notices.len() == 2 && notices.iter().all(|notice| notice.confirmed.is_some()))
    };
    if !wait_until(everybody).await? {
        bail!("niet iedereen liet op tijd weten dat de gegevens gewist zijn");
    }
    for node in [nodes.municipality, nodes.social_service, nodes.uwv] {
        settled(node).await?;
    }
    Ok(core.store.consent_notices(key).await?)
}

/// How many copies can still be read.
async fn readable(nodes: &[&Node], key: ConsentKey) -> anyhow::Result<u64> {
    let mut count = 0;
    for node in nodes {
        count += node.core.store.consent_copies(key, store::MAX_ROWS_READ).await?.len() as u64;
    }
    Ok(count)
}
