//! `/v1/toestemmingen`: recording, extending and withdrawing the consent of a resident, and what became of it.

use std::str::FromStr;

use exchange::{
    consent::{ConsentKey, Extract, HowGiven},
    oin::Oin,
    purpose::Purpose,
};
use jiff::civil::Date;
use serde::Deserialize;
use serde_json::{Value, json};
use store::{ConsentNotice, ConsentRow, ConsentState, Deed, State};
use uuid::Uuid;

use super::{
    Api, access,
    call::{Answer, Call, Reply},
    pagination,
    problem::Problem,
};
use crate::{
    access::start_of,
    consent::{
        ending,
        register::{self, RegisterError},
        report,
    },
};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Extension {
    /// The last day on which it holds.
    tot: Date,
    wijze: String,
    bewijs_soort: String,
    bewijs_kenmerk: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Withdrawal {
    /// Who asked for the consent, when there are more of this number.
    houder: Option<Oin>,
}

/// The place of a consent in a list: its holder and its number.
struct Place(ConsentKey);

impl FromStr for Place {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        let (holder, id) = text.split_once(' ').ok_or(())?;
        Ok(Self(ConsentKey { holder: holder.parse().map_err(drop)?, id: id.parse().map_err(drop)? }))
    }
}

pub(super) fn list(api: &Api, call: Call) -> Reply<'_> {
    Box::pin(async move {
        let query = call.query(&["houder", "limiet", "cursor"])?;
        let of = pagination::list("toestemmingen", &query);
        let after = pagination::from::<Place>(&of, &query)?.map(|place| place.0);
        let holder = query.value::<Oin>("houder", "een OIN van 20 tekens")?;
        let limit = query.limit()?;
        let page = api.node.core.store.consents(holder, after, limit).await?;
        let last = page.last().filter(|_| page.len() == limit).map(|last| last.key);
        Answer::ok(&json!({
            "toestemmingen": page.iter().map(|consent| row(api, consent)).collect::<Vec<_>>(),
            "volgende": last.map(|key| pagination::cursor(&of, &format!("{} {}", key.holder, key.id))),
        }))
    })
}

/// How it is with it now: what ran out a moment ago is over, and so is what was withdrawn here before its holder did.
fn standing(api: &Api, consent: &ConsentRow) -> ConsentState {
    if consent.reported.is_some() {
        return ConsentState::Withdrawn;
    }
    let over = consent.valid_until.is_some_and(|until| until <= api.node.core.now());
    if consent.state == ConsentState::InForce && over { ConsentState::Expired } else { consent.state }
}

fn row(api: &Api, consent: &ConsentRow) -> Value {
    let terms = consent.extract.as_deref().and_then(Extract::peek);
    let withdrawn = consent.ended.filter(|_| consent.state == ConsentState::Withdrawn);
    json!({
        "toestemming": consent.key.id,
        "houder": consent.key.holder,
        "stand": standing(api, consent).as_str(),
        "verleend_op": terms.as_ref().map(|terms| terms.given),
        "geldig_tot": consent.valid_until,
        "verleend_aan": terms.as_ref().map(|terms| &terms.granted_to),
        "doelen": terms.as_ref().map(|terms| &terms.purposes),
        "gegevens": terms.as_ref().map(|terms| json!({
            "categorieen": terms.data.categories, "leefgebieden": terms.data.life_domains,
        })),
        "ingetrokken_op": withdrawn.or(consent.reported),
    })
}

/// What one organisation was told of its end, and did.
fn organisation(api: &Api, consent: &ConsentRow, notice: &ConsentNotice) -> Value {
    let filed = notice.message.as_ref().filter(|message| message.state == State::Admitted);
    json!({
        "oin": notice.party,
        "bericht_stand": notice.message.as_ref().map(|message| message.state.as_str()),
        "te_laat": ending::is_overdue(consent, notice, api.node.core.now()),
        "geinformeerd_op": filed.and_then(|message| message.finished),
        "via": notice.via,
        "bevestigd_op": notice.confirmed,
        "uitkomst": notice.done,
        "bewaard_op_grond_van": notice.kept,
    })
}

/// The consent of the number in the path: our own, or else the only one.
async fn find(api: &Api, call: &Call, holder: Option<Oin>) -> Result<ConsentRow, Problem> {
    let none = || Problem::not_found("Deze toestemming");
    let id: Uuid = call.part(0).parse().map_err(|_| none())?;
    let mut found = api.node.core.store.consents_numbered(id).await?;
    let own = |one: &ConsentRow| one.key.holder == api.node.core.me;
    let wanted = holder.or_else(|| found.iter().any(own).then_some(api.node.core.me));
    found.retain(|one| wanted.is_none_or(|wanted| one.key.holder == wanted));
    match (found.pop(), found.is_empty()) {
        (Some(one), true) => Ok(one),
        (None, _) => Err(none()),
        (Some(_), false) => Err(Problem::conflict(
            "meer-houders",
            "Er zijn meer toestemmingen met dit nummer. Noem met `houder` het OIN van wie erom vroeg; /v1/toestemmingen noemt ze.",
        )),
    }
}

pub(super) fn one(api: &Api, call: Call) -> Reply<'_> {
    Box::pin(async move {
        let query = call.query(&["houder"])?;
        let consent = find(api, &call, query.value("houder", "een OIN van 20 tekens")?).await?;
        let notices = api.node.core.store.consent_notices(consent.key).await?;
        let told: Vec<_> = notices.iter().map(|notice| organisation(api, &consent, notice)).collect();
        let mut answer = row(api, &consent);
        answer["organisaties"] = told.into();
        Answer::ok(&answer)
    })
}

async fn purposes(api: &Api) -> Result<Vec<Purpose>, Problem> {
    let folder = api.node.folder.join(&api.node.config.opslag.doelen);
    let read = tokio::task::spawn_blocking(move || crate::purposes::read(&folder)).await;
    read.ok().and_then(Result::ok).ok_or_else(Problem::failed)
}

pub(super) fn grant(api: &Api, call: Call) -> Reply<'_> {
    Box::pin(async move {
        call.query(&[])?;
        let access = access::of(api, &call, Deed::Besluit)?;
        let (kind, purposes) = (api.node.config.organisatie.soort, purposes(api).await?);
        let granted = register::grant(&api.node.core, access, &call.body, (kind, &purposes)).await;
        let record = granted.map_err(of_register)?;
        let path = format!("/v1/toestemmingen/{}", record.id());
        Answer::created(
            &path,
            &json!({
                "toestemming": record.id(), "verleend_aan": record.granted_to(), "doelen": record.purposes(),
                "geldig_tot": record.valid_until(),
            }),
        )
    })
}

pub(super) fn extend(api: &Api, call: Call) -> Reply<'_> {
    Box::pin(async move {
        call.query(&[])?;
        let access = access::of(api, &call, Deed::Besluit)?;
        let Extension { tot, wijze, bewijs_soort, bewijs_kenmerk } = call.json()?;
        let consent = find(api, &call, Some(api.node.core.me)).await?;
        let end = tot.tomorrow().ok().and_then(|day| start_of(day).ok());
        let end = end.ok_or_else(|| Problem::unreadable("`tot` ligt te ver weg."))?;
        let how = HowGiven { wijze, bewijs_soort, bewijs_kenmerk };
        let (kind, purposes) = (api.node.config.organisatie.soort, purposes(api).await?);
        let deed = (access, consent.key.id);
        let extended = register::extend(&api.node.core, deed, (end, &how), (kind, &purposes)).await;
        let record = extended.map_err(of_register)?;
        Answer::ok(&json!({ "toestemming": record.id(), "geldig_tot": record.valid_until() }))
    })
}

pub(super) fn withdraw(api: &Api, call: Call) -> Reply<'_> {
    Box::pin(async move {
        call.query(&[])?;
        let access = access::of(api, &call, Deed::Besluit)?;
        let Withdrawal { houder } = call.json()?;
        let (core, consent) = (&api.node.core, find(api, &call, houder).await?);
        let key = consent.key;
        let (told, withdrawn) = if key.holder == core.me {
            let untold = core.store.untold(key).await?;
            let withdrawn = register::withdraw(core, access, key.id, core.now()).await;
            (untold.iter().map(|one| one.party).collect(), withdrawn.map_err(of_register)?)
        } else {
            let reported = report::report(core, access, key, core.now()).await;
            (vec![key.holder], reported.map_err(of_register)?)
        };
        Answer::ok(&json!({ "toestemming": key.id, "uitgevoerd": withdrawn, "krijgen_bericht": told }))
    })
}

fn of_register(error: RegisterError) -> Problem {
    match error {
        RegisterError::Store(error) => error.into(),
        RegisterError::Signature => {
            tracing::error!("a withdrawal of consent cannot be signed");
            Problem::failed()
        }
        RegisterError::Unknown(_) => Problem::not_found("Deze toestemming"),
        RegisterError::Exists(_) => Problem::conflict(
            "nummer-in-gebruik",
            "Er is al een toestemming met dit nummer. Laat `id` weg, dan krijgt zij een nieuw nummer; verlengen gaat met /verlenging.",
        ),
        RegisterError::Withdrawn(_) => Problem::conflict(
            "toestemming-ingetrokken",
            "Deze toestemming is ingetrokken en kan niet worden verlengd. Vraag de inwoner opnieuw, en leg dat vast als een nieuwe toestemming.",
        ),
        error @ RegisterError::Record(_) => Problem::invalid(error.to_string(), Vec::new()),
    }
}
