//! Whether the agreement was in force, by what its parties and the receiver signed.
//!
//! A party sets the time in its answer itself. That time must not be able to break evidence of what went before: an end
//! holds from the moment it is known (protocol, §5.3), and the receiver signed that it admitted the message by what it
//! knew. So an end that says to be earlier proves nothing, either way.

use schemas::SchemaName;

use super::{Found, Nothing, Parts, Proven, Wrong, nothing, wrong};
use crate::{
    agreement::{Agreement, Answer, AnswerKind, MAX_ACCEPTED_AHEAD},
    consent::event::is_about_consent,
    message::MAX_CLOCK_SKEW,
};

impl Parts<'_> {
    pub(super) fn in_force(&self) -> Found {
        let (Some(agreement), Some(moment)) = (&self.agreement, self.moment()) else {
            return nothing("Zonder convenant en moment is dit niet te zeggen.");
        };
        if !self.admitted() {
            return nothing("Het bericht is niet toegelaten; of het convenant toen gold doet er niet toe.");
        }
        let message_type = self.envelope.as_ref().map(|envelope| &*envelope.message_type);
        if message_type.and_then(SchemaName::of_message_type).is_some_and(is_about_consent) {
            return nothing(
                "Dit bericht voert een recht van de inwoner uit en mag ook als het convenant niet meer geldt.",
            );
        }
        if moment < agreement.begins() || moment >= agreement.ends() {
            return match message_type {
                Some(_) => wrong("Het bericht valt buiten de dagen waarop het convenant geldt."),
                None => nothing(
                    "Het bericht kwam buiten de dagen waarop het convenant geldt. Onderweg zijn mag, en een recht van de inwoner uitvoeren ook; zonder de tekst is dat niet te zien.",
                ),
            };
        }
        // What is wrong weighs more than what is not to be said.
        let mut doubt = None;
        for answer in agreement.answers() {
            match self.answered(agreement, answer) {
                Some(Wrong(text)) => return Wrong(text),
                found => doubt = doubt.or(found),
            }
        }
        doubt.unwrap_or_else(|| {
            Proven(format!("Het convenant gold op {moment}, naar de klokken van de partijen."))
        })
    }

    /// What one answer says against it, if it does. By the clocks of whoever answered, sent and received: a difference of
    /// minutes is no evidence of anything.
    fn answered(&self, agreement: &Agreement, answer: &Answer) -> Option<Found> {
        let made = self.moment()?;
        let arrived = self.reception.as_ref().map_or(made, |reception| reception.tijd.max(made));
        let (by, at) = (self.name(answer.by), answer.at);
        match answer.kind {
            // No receiver takes in one that is dated further ahead.
            AnswerKind::Accepted if at.duration_since(arrived) > MAX_ACCEPTED_AHEAD => {
                Some(Wrong(format!("{by} heeft het convenant pas na dit bericht aanvaard, op {at}.")))
            }
            AnswerKind::Accepted if at.duration_since(arrived) > MAX_CLOCK_SKEW => Some(Nothing(format!(
                "{by} zette bij haar aanvaarding een tijd na dit bericht, {at}. De ontvanger had die aanvaarding toen al, of liet het bericht ten onrechte toe; een partij geeft de tijd zelf op."
            ))),
            AnswerKind::Rejected if !agreement.is_end(answer) => {
                Some(Wrong(format!("{by} heeft het convenant afgewezen en nooit aanvaard.")))
            }
            AnswerKind::Rejected | AnswerKind::Ended if made.duration_since(at) > MAX_CLOCK_SKEW => {
                Some(Nothing(format!(
                    "{by} zegde het convenant op, en zette daarbij een tijd voor dit bericht, {at}. Een partij geeft die tijd zelf op, en een einde geldt pas als het bekend is: de ontvanger kende het niet toen hij het bericht toeliet, of liet het ten onrechte toe."
                )))
            }
            _ => None,
        }
    }
}
