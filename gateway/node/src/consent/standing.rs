//! How it is with a consent, for whoever sees it.

use jiff::{SignedDuration, Timestamp};
use store::{ConsentNotice, ConsentRow, ConsentState, State};

use crate::core::Core;

/// Within this time an organisation that was told must have confirmed. After that the register says that it is late.
pub const CONFIRM_WITHIN: SignedDuration = SignedDuration::from_hours(3 * 24);

/// How it is with it now: what ran out a moment ago is over, also before the node has dealt with it, and so is what the
/// resident withdrew here, before its holder did.
pub fn standing(consent: &ConsentRow, now: Timestamp) -> ConsentState {
    if consent.reported.is_some() {
        return ConsentState::Withdrawn;
    }
    let over = consent.valid_until.is_some_and(|until| until <= now);
    if consent.state == ConsentState::InForce && over { ConsentState::Expired } else { consent.state }
}

/// When the resident withdrew it, at whichever organisation.
pub fn withdrawn_on(consent: &ConsentRow) -> Option<Timestamp> {
    consent.ended.filter(|_| consent.state == ConsentState::Withdrawn).or(consent.reported)
}

/// When it ended, in whichever way; nothing while it holds.
pub fn ended_on(consent: &ConsentRow, now: Timestamp) -> Option<Timestamp> {
    match standing(consent, now) {
        ConsentState::InForce => None,
        ConsentState::Withdrawn => withdrawn_on(consent),
        ConsentState::Expired => consent.ended.or(consent.valid_until),
    }
}

/// Whether an organisation has had time enough since this one withdrew the consent and did not confirm, also when it could
/// not be reached: a person asks after it. To who is not the holder nobody confirms.
pub fn is_overdue(core: &Core, consent: &ConsentRow, notice: &ConsentNotice) -> bool {
    consent.key.holder == core.me && is_late(consent, notice, core.now())
}

fn is_late(consent: &ConsentRow, notice: &ConsentNotice, now: Timestamp) -> bool {
    // The resident may have said so elsewhere, before this organisation heard of it.
    let since = consent.withdrawn.or(consent.ended);
    let withdrawn = since.filter(|_| consent.state == ConsentState::Withdrawn);
    notice.confirmed.is_none() && withdrawn.is_some_and(|at| at + CONFIRM_WITHIN < now)
}

/// How it is with what tells the holder that the resident withdrew a consent here.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Report {
    /// The message is being made, or under way.
    UnderWay,
    /// The holder has it, and has yet to sign the withdrawal.
    Taken,
    /// It was refused or given up, or could not be made. It is made again.
    NotTaken,
}

/// How it is with what tells the holder, and whether that takes too long; nothing when there is nothing to tell.
pub fn report(core: &Core, consent: &ConsentRow) -> Option<(Report, bool)> {
    if consent.key.holder == core.me { None } else { reported(consent, core.now()) }
}

fn reported(consent: &ConsentRow, now: Timestamp) -> Option<(Report, bool)> {
    let since = consent.reported.filter(|_| consent.state != ConsentState::Withdrawn)?;
    let report = match consent.reported_by {
        Some((_, State::Waiting)) => Report::UnderWay,
        Some((_, State::Admitted)) => Report::Taken,
        _ if consent.to_do => Report::UnderWay,
        _ => Report::NotTaken,
    };
    Some((report, report == Report::NotTaken || since + CONFIRM_WITHIN < now))
}

#[cfg(test)]
mod tests;
