//! The four handovers that are shown.

use anyhow::{Context as _, bail};
use exchange::handover::{Notice, Term};
use schemas::SchemaName;
use serde_json::json;
use uuid::Uuid;

use super::{
    Told,
    offer::{Haste, acceptance, before, offer},
    steps, told,
};
use crate::{
    demo::{
        Cast, PURPOSE_OF_HANDOVERS, access,
        clock::DemoClock,
        sending::{Going, send},
        settled, wait_until,
    },
    handover::{self, saying},
    node::{Node, Running},
};

/// Test numbers of people who do not exist.
const RESIDENTS: [&str; 4] = ["999990342", "999990020", "999991000", "999990111"];

async fn offers(from: &Node, to: &Node, case: Uuid, (resident, haste): (&str, Haste)) -> anyhow::Result<()> {
    let data = offer(from.core.now(), &from.config.organisatie.naam, resident, haste);
    let going =
        Going { to: to.core.me, case: Some(case), purpose: PURPOSE_OF_HANDOVERS, source_record: None };
    send(from, going, (SchemaName::HandoverOffered, &data)).await.map(drop)
}

/// Says something about the offer, without waiting until it arrived.
async fn say(
    node: &Node,
    case: Uuid,
    (schema, content): (SchemaName, serde_json::Value),
) -> anyhow::Result<()> {
    let saying = saying::Saying { case, offer: None, schema, content, source_record: None };
    let access = access(node, store::Deed::Besluit, store::Reason::Dossier)?;
    saying::say(&node.core, saying, &access).await?;
    Ok(())
}

async fn accept(node: &Node, case: Uuid) -> anyhow::Result<()> {
    let content = acceptance(node.core.now(), &node.config.organisatie.naam);
    say(node, case, (SchemaName::HandoverAccepted, content)).await
}

/// From the municipality to the social service, which first asks something, and from there to UWV.
pub(super) async fn warm(players: &Cast<'_>) -> anyhow::Result<Uuid> {
    let (municipality, service) = (players.municipality, players.social_service);
    let case = municipality.core.new_id();
    let about = (RESIDENTS[0], Haste::None);
    offers(municipality, service, case, about).await?;
    let questions = json!([{ "nummer": 1, "vraag": "Welke opleiding is er afgemaakt?" }]);
    let content = json!({ "vragen": questions, "antwoord_voor": before(service.core.now()) });
    say(service, case, (SchemaName::HandoverSupplementRequested, content)).await?;
    settled(service).await?;
    let known = handover::case(&municipality.core, case).await?.context("het dossier")?.0;
    let question = known.offers().last().and_then(|offer| offer.question).context("de vraag")?;
    let content = json!({
        "vraag_id": question.id, "antwoorden": [{ "nummer": 1, "antwoord": "Mbo niveau 2, techniek." }],
        "reageren_voor": before(municipality.core.now()),
    });
    say(municipality, case, (SchemaName::HandoverSupplemented, content)).await?;
    settled(municipality).await?;
    accept(service, case).await?;
    settled(service).await?;
    let content = json!({
        "datum": exchange::calendar::day(service.core.now()), "soort": "gesprek",
        "samen_met_afzender": true, "vraag_bevestigd": true,
    });
    say(service, case, (SchemaName::HandoverFirstContact, content)).await?;
    settled(service).await?;
    offers(service, players.uwv, case, about).await?;
    accept(players.uwv, case).await?;
    settled(players.uwv).await?;
    Ok(case)
}

/// UWV does not take it and says who does: the municipality offers it there.
pub(super) async fn better_door(players: &Cast<'_>) -> anyhow::Result<Uuid> {
    let (municipality, service) = (players.municipality, players.social_service);
    let case = municipality.core.new_id();
    let about = (RESIDENTS[1], Haste::None);
    offers(municipality, players.uwv, case, about).await?;
    let content = json!({
        "reden": "verkeerd-loket", "toelichting": "Dit is werk voor de sociale dienst.",
        "doorverwijzing": { "organisatie": service.config.organisatie.naam, "oin": service.core.me },
    });
    say(players.uwv, case, (SchemaName::HandoverDeclined, content)).await?;
    settled(players.uwv).await?;
    offers(municipality, service, case, about).await?;
    accept(service, case).await?;
    settled(service).await?;
    Ok(case)
}

/// The social service is cut off and accepts, while the municipality takes the offer back. Both are said before either is heard.
pub(super) async fn crossing(
    players: &Cast<'_>,
    (running, at): (&mut Vec<Running>, usize),
) -> anyhow::Result<Uuid> {
    let (municipality, service) = (players.municipality, players.social_service);
    let case = municipality.core.new_id();
    offers(municipality, service, case, (RESIDENTS[2], Haste::None)).await?;
    running.remove(at).stop().await;
    accept(service, case).await?;
    let content = json!({ "reden": "andere-oplossing" });
    say(municipality, case, (SchemaName::HandoverWithdrawn, content)).await?;
    running.insert(at, service.start().await?);
    let is_settled = wait_until(async || {
        let mut confirmed = true;
        for node in [municipality, service] {
            confirmed &= steps(node, case).await?.contains(&"intrekking-bevestigd");
        }
        Ok(confirmed)
    });
    if !is_settled.await? {
        bail!("de sociale dienst liet niet op tijd weten wat er van het intrekken werd");
    }
    settled(service).await?;
    Ok(case)
}

/// Nobody answers an urgent offer, and the clock goes on: both nodes remind and escalate by themselves.
pub(super) async fn escalation(players: &Cast<'_>, clock: &DemoClock) -> anyhow::Result<(Uuid, Told)> {
    let (municipality, uwv) = (players.municipality, players.uwv);
    let case = municipality.core.new_id();
    offers(municipality, uwv, case, (RESIDENTS[3], Haste::Crisis)).await?;
    let known = handover::case(&municipality.core, case).await?.context("het dossier")?.0;
    let term: Option<Term> = known.offers().last().and_then(|offer| offer.term);
    let term = term.context("de termijn van het aanbod")?;
    let sides = [municipality, uwv];
    for notice in [Notice::Reminder, Notice::Escalation] {
        let moved = clock.show(term.moment(notice));
        for node in sides {
            node.core.handovers.notify_one();
        }
        let both = wait_until(async || {
            let mut both = true;
            for node in sides {
                both &= told(node, case, notice).await? > 0;
            }
            Ok(both)
        });
        let both = both.await?;
        drop(moved);
        if !both {
            bail!("een termijn liep af zonder dat beide kanten het zeiden");
        }
    }
    let mut all = Told::default();
    for node in sides {
        all.reminded += told(node, case, Notice::Reminder).await?;
        all.escalated += told(node, case, Notice::Escalation).await?;
    }
    Ok((case, all))
}
