//! `/v1/toestemmingen`: recording, extending and withdrawing the consent of a resident, and what became of it.

use std::str::FromStr;

use exchange::{
    consent::{ConsentKey, HowGiven},
    oin::Oin,
    purpose::Purpose,
};
use jiff::civil::Date;
use serde::Deserialize;
use serde_json::json;
use store::{ConsentRow, Deed};
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
        register::{self, RegisterError},
        report::{self, Heard},
        view::{self, Seen},
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
        let access = access::of(api, &call, Deed::Inzien)?;
        let page = view::page(&api.node.core, &access, (holder, after, limit)).await?;
        let last = page.last().filter(|_| page.len() == limit).map(|last| last.consent.key);
        Answer::ok(&json!({
            "toestemmingen": page.iter().map(Seen::json).collect::<Vec<_>>(),
            "volgende": last.map(|key| pagination::cursor(&of, &format!("{} {}", key.holder, key.id))),
        }))
    })
}

/// The consent of the number in the path: our own, or else the only one.
async fn find(api: &Api, call: &Call, holder: Option<Oin>) -> Result<ConsentRow, Problem> {
    let none = || Problem::not_found("Deze toestemming");
    let id: Uuid = call.part(0).parse().map_err(|_| none())?;
    let mut found = view::numbered(&api.node.core, id, holder).await?;
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
        let access = access::of(api, &call, Deed::Inzien)?;
        let consent = find(api, &call, query.value("houder", "een OIN van 20 tekens")?).await?;
        let (seen, versions) = view::one(&api.node.core, access, consent).await.map_err(of_register)?;
        Answer::ok(&seen.whole(versions))
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
        let (withdrawn, told) = if key.holder == core.me {
            register::withdraw_and_tell(core, access, &consent).await.map_err(of_register)?
        } else {
            let heard = report::report(core, access, key, core.now()).await.map_err(of_register)?;
            (heard == Heard::Now, vec![key.holder])
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
        RegisterError::Erased(_) => Problem::conflict(
            "vastlegging-gewist",
            "De vastlegging van deze toestemming is gewist, dus zij kan niet worden verlengd. Vraag de inwoner opnieuw, en leg dat vast als een nieuwe toestemming.",
        ),
        error @ (RegisterError::Record(_) | RegisterError::NumberInEvidence) => {
            Problem::invalid(error.to_string(), Vec::new())
        }
    }
}
