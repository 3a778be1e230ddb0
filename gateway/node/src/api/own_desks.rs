//! `/v1/eigen-loketten`: the desks of this organisation, and changing one of them.

use exchange::{desk::Desk, digest::Digest};
use serde_json::json;
use store::Deed;

use super::{
    Api, access,
    call::{Answer, Call, Reply},
    problem::Problem,
};
use crate::desks::{self, Change, DesksError};

pub(super) fn list(api: &Api, call: Call) -> Reply<'_> {
    Box::pin(async move {
        call.query(&[])?;
        all(&api.node.core.desks.load())
    })
}

/// All desks, and by which version whoever changes them says that these were the ones that it saw.
fn all(desks: &[Desk]) -> Result<Answer, Problem> {
    Ok(Answer::ok(&json!({ "loketten": desks }))?.of_version(desks::version(desks)))
}

pub(super) fn put(api: &Api, call: Call) -> Reply<'_> {
    Box::pin(async move {
        let desk: Desk = call.json()?;
        if desk.loket != call.part(0) {
            return Err(Problem::unreadable(
                "`loket` is niet het loket in het adres. Een loket houdt zijn naam; maak anders een nieuw loket, en zeg bij het oude `opgeheven`.",
            ));
        }
        let is_new = !api.node.core.desks.load().iter().any(|one| one.loket == desk.loket);
        let answer = change(api, &call, Change::Put(Box::new(desk))).await?;
        let path = format!("/v1/eigen-loketten/{}", call.part(0));
        Ok(if is_new { answer.made_at(&path) } else { answer })
    })
}

pub(super) fn remove(api: &Api, call: Call) -> Reply<'_> {
    Box::pin(async move {
        let name = call.part(0).to_owned();
        change(api, &call, Change::Remove(name)).await
    })
}

async fn change(api: &Api, call: &Call, wish: Change) -> Result<Answer, Problem> {
    call.query(&[])?;
    let access = access::of(api, call, Deed::Besluit)?;
    let seen = seen(call)?;
    let changed = desks::change(&api.node, access, wish, seen).await;
    all(&changed.map_err(problem)?)
}

/// The version that whoever decides saw, if it says so (RFC 9110 §13.1.1).
fn seen(call: &Call) -> Result<Option<Digest>, Problem> {
    let wrong =
        || Problem::unreadable("Geef in If-Match de ETag van /v1/eigen-loketten, met aanhalingstekens.");
    let named = call.header("If-Match")?.filter(|tag| *tag != "*");
    named
        .map(|tag| {
            let version = tag.strip_prefix('"').and_then(|tag| tag.strip_suffix('"'));
            version.and_then(|version| version.parse().ok()).ok_or_else(wrong)
        })
        .transpose()
}

fn problem(error: DesksError) -> Problem {
    match error {
        DesksError::InConfiguration => Problem::conflict(
            "loketten-in-configuratie",
            "De loketten van deze organisatie staan in schakel.toml. Vraag de beheerder om ze over te zetten in loketten.toml, ernaast; dan kunnen ze hier worden gewijzigd.",
        ),
        DesksError::Unknown => Problem::not_found("Dit loket"),
        DesksError::Outdated => Problem::outdated(
            "De loketten zijn gewijzigd sinds u ze opvroeg. Er is niets veranderd. Vraag /v1/eigen-loketten opnieuw op.",
        ),
        DesksError::Mistaken(fault) => {
            Problem::unreadable(format!("Zo kunnen de loketten niet: {fault}. Er is niets veranderd."))
        }
        DesksError::Store(error) => error.into(),
        other @ (DesksError::Config(_) | DesksError::Unwritable { .. }) => {
            tracing::error!(error = %other, "the desks cannot be changed");
            Problem::conflict(
                "loketten-bestand",
                "Het bestand loketten.toml is niet te lezen of te schrijven. Het logboek van het programma zegt waarom; vraag de beheerder van het knooppunt.",
            )
        }
    }
}
