//! What people say about cases, by the same function as the commands and the API.

use anyhow::bail;
use exchange::{handover::Offer, oin::Oin, refusal::Reason};
use jiff::{SignedDuration, Timestamp};
use node::outbound::{self, Submission, Submitted};
use schemas::{Document, SchemaName};
use serde_json::{Value, json};
use uuid::Uuid;

use super::{
    operation::{Org, Saying, Way},
    parties::PURPOSE,
    world::World,
};
use crate::offer::{about, offer};

/// Until how long after now an answer is asked for: more than the purpose gives, whatever the calendar says.
const ANSWERED_IN: SignedDuration = SignedDuration::from_hours(7 * 24);

/// Why a step of a handover may not be taken.
const REASONS: [Reason; 4] =
    [Reason::HandoverUnknown, Reason::HandoverAnswered, Reason::HandoverOutOfTurn, Reason::ControlElsewhere];

impl World {
    /// Somebody offers a case. It begins with the municipality or the social service, as with each other at once: a case that
    /// began in two places that know nothing of each other is two cases.
    pub(super) fn offer(&mut self, case: usize, way: Way) -> anyhow::Result<()> {
        let is_new = self.known(way.from, case)?.offers().is_empty();
        if is_new && (way.from == Org::Agency || way.to == Org::Agency) {
            return Ok(());
        }
        let (to, data) = (self.three.at(way.to).oin, offer(self.three.at(way.from).now() + ANSWERED_IN));
        let id = self.submit((way.from, to), case, (SchemaName::HandoverOffered, &data))?;
        self.coverage.offered += u64::from(id.is_some());
        Ok(())
    }

    /// Somebody says something about the last offer that it may say this of.
    pub(super) fn say(&mut self, case: usize, by: Org, what: Saying) -> anyhow::Result<()> {
        let (me, now) = (self.three.at(by).oin, self.three.at(by).now());
        let is_of_offerer = matches!(what, Saying::Supplement | Saying::Withdraw);
        let known = self.known(by, case)?;
        let mut offers = known.offers().iter().rev();
        let of_mine = offers.find(|offer| me == if is_of_offerer { offer.from } else { offer.to });
        let Some(offer) = of_mine else { return Ok(()) };
        let to = if is_of_offerer { offer.to } else { offer.from };
        let Some((schema, content)) = content(what, offer, now) else { return Ok(()) };
        if self.submit((by, to), case, (schema, &about(offer.id, content)))?.is_some() {
            *self.coverage.said.entry(what).or_default() += 1;
        }
        Ok(())
    }

    fn submit(
        &mut self,
        (from, to): (Org, Oin),
        case: usize,
        (schema, data): (SchemaName, &Value),
    ) -> anyhow::Result<Option<Uuid>> {
        let submission = Submission {
            to,
            purpose: PURPOSE.into(),
            case: Some(self.cases[case]),
            desk: None,
            document: Document::parse(schema, data.to_string().as_bytes())?,
            source_record: None,
        };
        let submitted = self
            .three
            .step(from, async |core| outbound::submit(core, vec![submission]).await)?
            .transpose()?;
        match submitted.and_then(|mut all| all.pop()) {
            Some(Submitted::Queued(id)) => Ok(Some(id)),
            Some(Submitted::HeldBack(refusal)) if REASONS.contains(&refusal.reason) => {
                self.coverage.held_back += 1;
                Ok(None)
            }
            None => Ok(None),
            Some(other) => bail!("{schema} was not expected to be {other:?}"),
        }
    }
}

fn content(what: Saying, offer: &Offer, now: Timestamp) -> Option<(SchemaName, Value)> {
    let day = exchange::calendar::day(now);
    Some(match what {
        Saying::Accept => {
            let director = json!({ "organisatie": "Sociale Dienst", "functie": "consulent" });
            let before = exchange::calendar::day(now + ANSWERED_IN);
            let content = json!({ "casusregisseur": director, "eerste_contact_voor": before });
            (SchemaName::HandoverAccepted, content)
        }
        Saying::Decline => {
            (SchemaName::HandoverDeclined, json!({ "reden": "geen-plek", "toelichting": "Er is geen plek." }))
        }
        Saying::Ask => {
            let question = json!({ "nummer": 1, "vraag": "Welke opleiding?" });
            let content = json!({ "vragen": [question], "antwoord_voor": now + ANSWERED_IN });
            (SchemaName::HandoverSupplementRequested, content)
        }
        Saying::Supplement => {
            let answer = json!({ "nummer": 1, "antwoord": "Mbo niveau 2." });
            let content = json!({
                "vraag_id": offer.question?.id, "antwoorden": [answer], "reageren_voor": now + ANSWERED_IN,
            });
            (SchemaName::HandoverSupplemented, content)
        }
        Saying::Withdraw => (SchemaName::HandoverWithdrawn, json!({ "reden": "andere-oplossing" })),
        Saying::Contact => {
            let content = json!({
                "datum": day, "soort": "gesprek", "samen_met_afzender": true, "vraag_bevestigd": true,
            });
            (SchemaName::HandoverFirstContact, content)
        }
        Saying::Complete => {
            (SchemaName::HandoverCompleted, json!({ "datum": day, "resultaat": "hulp-gestart" }))
        }
    })
}
