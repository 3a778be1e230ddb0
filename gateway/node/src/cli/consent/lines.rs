//! How it is with the copies that others have under a consent, in a line for each.

use exchange::{consent::Kept, oin::Oin};
use store::State;

use super::super::dutch_time;
use crate::{
    consent::{
        copies::{Reported, Stage, Standing},
        view::Here,
    },
    node::Node,
};

pub(super) fn of(standing: &Standing, node: &Node) -> String {
    let late = if standing.is_overdue { ", TE LAAT" } else { "" };
    let mut line = format!("  {:<28} {}{late}", node.name_of(standing.party), standing.stage.words());
    let confirms_to = standing.confirms_to.filter(|_| standing.stage == Stage::Told);
    line.extend(confirms_to.map(|holder| format!("; bevestigt aan {}", node.name_of(holder))));
    let Some(notice) = &standing.notice else { return line };
    line.extend(notice.confirmed.map(|at| format!(" op {}", dutch_time(at))));
    line.extend(notice.done.map(|done| format!(": {}", done.as_str())));
    line.extend(notice.kept.as_ref().map(|kept| {
        format!(", naar eigen zeggen op grond van {} ({})", kept.soort, kept.artikelen.join(", "))
    }));
    let via = notice.via.filter(|_| notice.message.is_none());
    line.extend(via.map(|via| format!(", namelijk {}", node.name_of(via))));
    if standing.is_open() && standing.shared != Some(State::Admitted) {
        line.push_str("; van hier is niets aangekomen");
    }
    line
}

/// What became of what was here, once the consent ended.
pub(super) fn of_ours(here: Here, kept: Option<&Kept>) -> String {
    match (here, kept) {
        (Here::Nothing, _) => "Hier was niets onder deze toestemming.".to_owned(),
        (Here::Left, _) => {
            "Wat hier is, krijgt niemand meer te zien. Het knooppunt wist het: na een intrekking zodra het draait, en als de toestemming verliep een dag later.".to_owned()
        }
        (Here::Erased, None) => "Wat hier was is gewist.".to_owned(),
        (Here::Erased, Some(kept)) => format!(
            "Wat hier was en op een andere grond mag blijven is bewaard, op grond van {} ({}); de rest is gewist.",
            kept.soort,
            kept.artikelen.join(", ")
        ),
    }
}

pub(super) fn of_report(reported: &Reported, node: &Node, holder: Oin) -> String {
    let late = if reported.is_late { ", TE LAAT" } else { "" };
    format!("  {:<28} moet haar intrekken: {}{late}", node.name_of(holder), reported.words())
}
