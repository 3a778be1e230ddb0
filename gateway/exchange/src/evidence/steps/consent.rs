//! The consent that the message rests on, by what its holder signed.

use jiff::Timestamp;
use schemas::{BasisKind, Document, SchemaName};

use super::{Found, Nothing, Parts, Proven, StepOutcome, nothing, wrong};
use crate::{
    consent::{Extract, Statement, names_nobody},
    digest::Digest,
    envelope::Envelope,
    message::MAX_CLOCK_SKEW,
    policy::{OfCase, Resting, covers},
};

/// What a message that names nobody does not show.
const NOT_THIS_RESIDENT: &str = "het bericht noemt geen inwoner maar een dossier: van welke inwoner de toestemming is, is uit dit bewijs niet te zien";

fn rests_on_consent(document: &Document) -> bool {
    document.basis().kind == BasisKind::Consent
}

fn document_of(envelope: &Envelope<'_>) -> Option<Document> {
    let schema = SchemaName::of_message_type(&envelope.message_type)?;
    Document::parse(schema, envelope.data.get().as_bytes()).ok()
}

impl Parts<'_> {
    /// Its holder signed the extract, it covers this message at its time, and the entry names it.
    pub(super) fn consent(&self) -> Found {
        match &self.envelope {
            Some(envelope) => self.of_text(envelope),
            None => self.of_entry(),
        }
    }

    /// What of the consent was not checked, by how the step about it ended. Of a message that was not let in nothing is asked.
    pub(super) fn consent_not_checked(&self, outcome: StepOutcome) -> Option<&'static str> {
        let Some(envelope) = &self.envelope else {
            let named = self.reception.as_ref().is_some_and(|said| said.toestemming.is_some());
            return match outcome {
                _ if !self.admitted() => None,
                StepOutcome::Onjuist => None,
                StepOutcome::Bewezen => Some("van welke inwoner de toestemming is en voor welke gegevens"),
                StepOutcome::NietGecontroleerd if named => {
                    Some("de toestemming waar het bericht op berustte: die is niet aangetoond")
                }
                StepOutcome::NietGecontroleerd => Some("of het bericht op toestemming berustte, en op welke"),
            };
        };
        let document =
            document_of(envelope).filter(|document| self.admitted() && rests_on_consent(document))?;
        match outcome {
            StepOutcome::Onjuist => None,
            StepOutcome::NietGecontroleerd => {
                Some("de toestemming waar het bericht op berust: die is niet aangetoond")
            }
            StepOutcome::Bewezen => names_nobody(&document)
                .then_some("van welke inwoner de toestemming is: het bericht noemt niemand"),
        }
    }

    /// With the text: the extract is in it.
    fn of_text(&self, envelope: &Envelope<'_>) -> Found {
        let Some(document) = document_of(envelope) else {
            return self.unless_admitted("De gegevens in het bericht zijn niet geldig volgens het schema.");
        };
        let Some(stated) = document.basis().consent.as_ref().filter(|_| rests_on_consent(&document)) else {
            return self.of_nothing();
        };
        let extract = self.agreement.as_ref().and_then(|agreement| Extract::of(&document, agreement));
        let Some(extract) = extract.filter(|extract| extract.key().id == stated.id) else {
            return self.unless_admitted(
                "Het bericht berust op toestemming, maar het uittreksel ontbreekt of is niet ondertekend door de organisatie die het noemt.",
            );
        };
        let from = envelope.sender().unwrap_or(extract.key().holder);
        let (to, now) = (envelope.ontvanger, envelope.time);
        let of_case = OfCase::NotAtHand;
        let message = Resting { from, to, purpose: &envelope.doel, document: &document, of_case, now };
        if covers(&extract, &message).is_err() {
            return self.unless_admitted(
                "De toestemming in het bericht dekt dit bericht niet: niet deze inwoner, dit doel, deze ontvanger of deze gegevens.",
            );
        }
        let what = "voor dit doel, aan deze ontvanger en voor deze gegevens";
        if names_nobody(&document) {
            return self.proven(&extract, now, ("een inwoner", &format!("{what} ({NOT_THIS_RESIDENT})")));
        }
        self.proven(&extract, now, ("de inwoner", what))
    }

    /// The message rests on something else, by its own text.
    fn of_nothing(&self) -> Found {
        let named = self.reception.as_ref().is_some_and(|said| said.toestemming.is_some());
        if named || self.bundle.intrekking.is_some() {
            return wrong("Het bericht berust niet op toestemming, maar het bewijs noemt er wel een.");
        }
        nothing("Het bericht berust niet op toestemming.")
    }

    /// Without the text: the entry names the extract by its digest.
    fn of_entry(&self) -> Found {
        let named = self.reception.as_ref().and_then(|said| said.toestemming);
        let Some(compact) = &self.bundle.uittreksel else {
            return match (named, &self.bundle.intrekking) {
                (_, Some(_)) => {
                    wrong("Er is een intrekking bij, maar niet de toestemming waar zij over gaat.")
                }
                (Some(_), None) => nothing(
                    "Het bericht berust op toestemming, zegt de logregel; het uittreksel daarvan is er niet bij.",
                ),
                (None, None) => nothing("De tekst van het bericht is er niet bij."),
            };
        };
        let extract = self.agreement.as_ref().and_then(|agreement| Extract::read(compact, agreement).ok());
        let Some(extract) = extract else {
            return wrong(
                "Het uittreksel van de toestemming is niet ondertekend door de organisatie die het noemt.",
            );
        };
        let (Some(said), Some(to), Some(now)) = (&self.reception, self.receiver(), self.moment()) else {
            return wrong("Er is geen logregel waar de toestemming bij hoort.");
        };
        let may_send = said.van == extract.key().holder || extract.is_granted_to(said.van);
        let early = extract.given().duration_since(now) > MAX_CLOCK_SKEW;
        let purpose = self.clause().is_some_and(|clause| extract.is_for(&clause.doel));
        if !may_send || early || !purpose || !extract.is_granted_to(to) {
            return self.unless_admitted(
                "De toestemming dekt dit bericht niet: niet dit doel, deze organisaties of dit moment.",
            );
        }
        self.proven(
            &extract,
            now,
            (
                "een inwoner",
                "voor dit doel en aan deze ontvanger (voor welke inwoner en welke gegevens is zonder de tekst niet te zien)",
            ),
        )
    }

    /// What is proven of a consent that covers the message, if the entry names it and it held.
    fn proven(&self, extract: &Extract, now: Timestamp, (who, what): (&str, &str)) -> Found {
        let holder = self.name(extract.key().holder);
        let named = self.reception.as_ref().and_then(|said| said.toestemming);
        if named.is_some_and(|named| named != Digest::of(extract.compact().as_bytes())) {
            return wrong("De logregel noemt een ander uittreksel van een toestemming dan dit.");
        }
        let withdrawn = match self.withdrawal(extract) {
            Ok(withdrawn) => withdrawn,
            Err(found) => return found,
        };
        let until = extract.valid_until();
        if named.is_none() && self.envelope.is_none() {
            return Nothing(format!(
                "{holder} ondertekende dat {who} toestemming gaf {what}, tot {until}. De logregel noemt het uittreksel niet: dat dit bericht erop berustte is zonder de tekst niet te zien."
            ));
        }
        if until <= now {
            return Nothing(format!(
                "{holder} ondertekende dat {who} toestemming gaf {what}. Zij liep af op {until}; of zij was verlengd staat er niet bij."
            ));
        }
        if withdrawn.is_some_and(|at| now.duration_since(at) > MAX_CLOCK_SKEW) {
            return Nothing(format!(
                "{holder} ondertekende dat {who} toestemming gaf {what}, en zette bij de intrekking een tijd daarvoor. De ontvanger kende de intrekking niet toen hij het bericht toeliet, of liet het ten onrechte toe."
            ));
        }
        let given = extract.given();
        let withdrawn = withdrawn.map(|at| format!(" Zij is ingetrokken op {at}."));
        Proven(format!(
            "{holder} ondertekende dat {who} op {given} toestemming gaf {what}, tot {until}.{}",
            withdrawn.unwrap_or_default()
        ))
    }

    /// When it was withdrawn, by what its holder signed.
    fn withdrawal(&self, extract: &Extract) -> Result<Option<Timestamp>, Found> {
        let Some(compact) = &self.bundle.intrekking else { return Ok(None) };
        let read = self.agreement.as_ref().and_then(|agreement| Statement::read(compact, agreement).ok());
        match read.filter(|statement| statement.key() == extract.key()) {
            Some(statement) => Ok(Some(statement.at())),
            None => Err(wrong(
                "De intrekking is niet van deze toestemming, of niet ondertekend door de organisatie die haar vastlegde.",
            )),
        }
    }
}
