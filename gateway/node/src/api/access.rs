//! Who is about to see, search or decide something, and why: from the client, its token and the headers.

use store::{Access, Actor, Deed, Reason, Why};

use super::{Api, call::Call, problem::Problem};
use crate::access::holds_number;

/// Why: one of the reasons of the access log.
pub(super) const REASON: &str = "Schakel-Reden";
/// By which the organisation knows the case or the request.
pub(super) const REFERENCE: &str = "Schakel-Kenmerk";
/// The case at hand.
pub(super) const CASE: &str = "Schakel-Dossier";
/// The person for whom a system with a certificate asks.
pub(super) const EMPLOYEE: &str = "Schakel-Medewerker";

/// The access of whoever asks. Without all of it nothing is shown.
pub(super) fn of(api: &Api, call: &Call, what: Deed) -> Result<Access, Problem> {
    let missing = |header: &str, what: &str| {
        Problem::unreadable(format!(
            "Geef in de kopregel {header} {what}; dat komt in het logboek van raadplegingen."
        ))
    };
    let reasons = Reason::ALL.map(Reason::as_str).join(", ");
    let reason =
        call.header(REASON)?.ok_or_else(|| missing(REASON, &format!("waarom u dit vraagt: {reasons}")))?;
    let reason: Reason = reason
        .parse()
        .map_err(|_| Problem::unreadable(format!("{REASON} klopt niet; kies uit {reasons}.")))?;
    let reference = call
        .header(REFERENCE)?
        .ok_or_else(|| missing(REFERENCE, "waaronder uw organisatie dit kent, zoals het zaaknummer"))?;
    if holds_number(reference) {
        return Err(Problem::unreadable(format!("Zet geen BSN in {REFERENCE}; gebruik het zaaknummer.")));
    }
    let case = call.header(CASE)?.map(str::parse).transpose();
    let case = case.map_err(|_| Problem::unreadable(format!("{CASE} is geen dossiernummer (een UUID).")))?;
    let why = Why::new(reason, Some(reference), case);
    let why =
        why.map_err(|_| Problem::unreadable(format!("{REFERENCE} is hooguit 100 tekens op één regel.")))?;
    Ok(Access { who: who(call)?, what, why, when: api.node.core.now() })
}

/// The system and the person.
fn who(call: &Call) -> Result<Actor, Problem> {
    let client = call.client()?;
    let named = call.header(EMPLOYEE)?;
    let person = match (client.person.as_deref(), named) {
        (Some(_), Some(_)) => {
            return Err(Problem::unreadable(format!(
                "Het token zegt al wie dit vraagt; laat {EMPLOYEE} weg."
            )));
        }
        (Some(person), None) => person,
        (None, Some(named)) if holds_number(named) => {
            return Err(Problem::unreadable(format!(
                "Zet geen BSN in {EMPLOYEE}; gebruik de naam of het personeelsnummer."
            )));
        }
        (None, Some(named)) => named,
        (None, None) => {
            return Err(Problem::unreadable(format!(
                "Geef in de kopregel {EMPLOYEE} de naam of het personeelsnummer van wie dit vraagt; dat komt in het logboek van raadplegingen."
            )));
        }
    };
    Actor::person(&client.name, Some(person))
        .map_err(|_| Problem::unreadable(format!("{EMPLOYEE} is hooguit 100 tekens op één regel.")))
}
