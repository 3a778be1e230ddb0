//! Why a message may not leave or may not enter.

use std::fmt;

/// The reason of a refusal: a stable code on the wire, a Dutch sentence for people. The list is complete.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Reason {
    /// Not a JWS, an algorithm or key that is not accepted, or a signature that does not verify.
    SignatureInvalid,
    /// The message names another sender than the certificate of the connection.
    WrongSender,
    /// The message is meant for another organisation.
    NotAddressed,
    /// `verlooptop` has passed.
    Expired,
    /// The times in the message cannot be right: from the future, or not those of its identifier.
    WrongTime,
    /// The message or its data is not valid against the shared schema.
    SchemaInvalid,
    /// The agreement is not known here.
    AgreementUnknown,
    /// The agreement is not in force: not signed by all, not yet or no longer valid, rejected, ended or
    /// replaced.
    AgreementNotInForce,
    /// The agreement or the purpose does not allow this message between these organisations.
    PurposeNotAllowed,
    /// The purpose does not accept the legal basis that the message names.
    BasisMissing,
    /// A precondition of the legal basis is not met.
    ConditionNotMet,
    /// The message relies on consent and carries none that covers it.
    ConsentMissing,
    /// The consent was withdrawn.
    ConsentWithdrawn,
    /// The consent has ended.
    ConsentExpired,
    /// The message extends or withdraws a consent, or says what was done then, and it is not this sender's to say so.
    NotTheirsToSay,
    /// The message holds data that the purpose does not allow.
    DataNotAllowed,
    /// The answer is about an offer that is not known here.
    HandoverUnknown,
    /// The offer was answered or withdrawn before.
    HandoverAnswered,
    /// It is not for this organisation to say this about the handover, or not now.
    HandoverOutOfTurn,
    /// Another organisation holds the case.
    ControlElsewhere,
    /// An answer is asked for sooner than the purpose allows, or far too late.
    TermOutOfBounds,
    /// The desk that it is addressed to is not there, or does not take it.
    WrongDesk,
    /// The identifier is already in use for another message.
    DuplicateWithOtherContent,
}

impl Reason {
    /// Every reason.
    pub const ALL: [Self; 23] = [
        Self::SignatureInvalid,
        Self::WrongSender,
        Self::NotAddressed,
        Self::Expired,
        Self::WrongTime,
        Self::SchemaInvalid,
        Self::AgreementUnknown,
        Self::AgreementNotInForce,
        Self::PurposeNotAllowed,
        Self::BasisMissing,
        Self::ConditionNotMet,
        Self::ConsentMissing,
        Self::ConsentWithdrawn,
        Self::ConsentExpired,
        Self::NotTheirsToSay,
        Self::DataNotAllowed,
        Self::HandoverUnknown,
        Self::HandoverAnswered,
        Self::HandoverOutOfTurn,
        Self::ControlElsewhere,
        Self::TermOutOfBounds,
        Self::WrongDesk,
        Self::DuplicateWithOtherContent,
    ];

    /// The stable code.
    pub const fn code(self) -> &'static str {
        match self {
            Self::SignatureInvalid => "handtekening-ongeldig",
            Self::WrongSender => "afzender-onjuist",
            Self::NotAddressed => "niet-geadresseerd",
            Self::Expired => "verlopen",
            Self::WrongTime => "tijd-onjuist",
            Self::SchemaInvalid => "schema-ongeldig",
            Self::AgreementUnknown => "convenant-onbekend",
            Self::AgreementNotInForce => "convenant-niet-geldig",
            Self::PurposeNotAllowed => "doel-niet-toegestaan",
            Self::BasisMissing => "grondslag-ontbreekt",
            Self::ConditionNotMet => "voorwaarde-niet-vervuld",
            Self::ConsentMissing => "toestemming-ontbreekt",
            Self::ConsentWithdrawn => "toestemming-ingetrokken",
            Self::ConsentExpired => "toestemming-verlopen",
            Self::NotTheirsToSay => "toestemming-onbevoegd",
            Self::DataNotAllowed => "gegevens-niet-toegestaan",
            Self::HandoverUnknown => "overdracht-onbekend",
            Self::HandoverAnswered => "overdracht-al-beantwoord",
            Self::HandoverOutOfTurn => "overdracht-niet-aan-zet",
            Self::ControlElsewhere => "regie-elders",
            Self::TermOutOfBounds => "termijn-onjuist",
            Self::WrongDesk => "loket-onjuist",
            Self::DuplicateWithOtherContent => "dubbel-met-andere-inhoud",
        }
    }

    /// The reason a code stands for.
    pub fn of_code(code: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|reason| reason.code() == code)
    }

    /// What it means and what to do, in Dutch, for the person who sees the refusal.
    #[expect(clippy::too_many_lines, reason = "a table")]
    pub const fn sentence(self) -> &'static str {
        match self {
            Self::SignatureInvalid => {
                "De handtekening klopt niet. Controleer of beide organisaties dezelfde sleutels in het convenant hebben."
            }
            Self::WrongSender => {
                "De afzender in het bericht is niet de organisatie van het certificaat. Verstuur het vanaf het eigen knooppunt."
            }
            Self::NotAddressed => {
                "Het bericht is voor een andere organisatie bedoeld. Controleer de ontvanger."
            }
            Self::Expired => {
                "Het bericht is verlopen voordat het aankwam. Bekijk of het nog nodig is en verstuur het opnieuw."
            }
            Self::WrongTime => {
                "De tijd in het bericht klopt niet. Zet de klok van de verzender gelijk en verstuur het opnieuw."
            }
            Self::SchemaInvalid => {
                "Het bericht voldoet niet aan het gedeelde schema. Controleer de koppeling van het bronsysteem."
            }
            Self::AgreementUnknown => {
                "Het convenant is bij de ontvanger niet bekend. Stel het convenant opnieuw voor."
            }
            Self::AgreementNotInForce => {
                "Het convenant is niet geldig: nog niet door iedereen aanvaard, verlopen, vervangen door een nieuwe versie of opgezegd. Bekijk het convenant."
            }
            Self::PurposeNotAllowed => {
                "Geen convenant laat dit bericht voor dit doel tussen deze organisaties toe. Bekijk met `schakel convenant tonen` wat er is afgesproken, en stel zo nodig een convenant voor."
            }
            Self::BasisMissing => {
                "Het doel laat deze grondslag niet toe. Kies een grondslag die bij het doel hoort."
            }
            Self::ConditionNotMet => {
                "Aan een voorwaarde van de wet is niet voldaan. Doe eerst wat de voorwaarde vraagt en bied het bericht daarna opnieuw aan."
            }
            Self::ConsentMissing => {
                "Er is geen toestemming van de inwoner die dit bericht dekt. Vraag toestemming of gebruik een andere grondslag."
            }
            Self::ConsentWithdrawn => {
                "De inwoner heeft de toestemming ingetrokken. De gegevens mogen niet meer worden gebruikt."
            }
            Self::ConsentExpired => {
                "De toestemming van de inwoner is verlopen. Vraag of de inwoner opnieuw toestemming geeft."
            }
            Self::NotTheirsToSay => {
                "Alleen de organisatie die om de toestemming vroeg kan haar verlengen of intrekken, en alleen wie gegevens kreeg kan een intrekking melden of bevestigen. Neem contact op met die organisatie."
            }
            Self::DataNotAllowed => {
                "Het bericht bevat gegevens die het doel niet toelaat. Laat die gegevens weg."
            }
            Self::HandoverUnknown => {
                "Dit aanbod is bij deze organisatie niet bekend. Controleer het nummer van het aanbod en het dossier."
            }
            Self::HandoverAnswered => {
                "Dit aanbod is al beantwoord of ingetrokken. Bekijk het dossier voor de stand van nu."
            }
            Self::HandoverOutOfTurn => {
                "Deze stap past nu niet bij de overdracht, of is niet aan deze organisatie. Bekijk het dossier voor de stand van nu."
            }
            Self::ControlElsewhere => {
                "Een andere organisatie heeft de regie over dit dossier. Alleen wie de regie heeft, kan het dossier aanbieden."
            }
            Self::TermOutOfBounds => {
                "Het moment waarvoor een reactie wordt gevraagd past niet bij het doel: het geeft de ander te weinig tijd, of het ligt te ver weg. Kies een ander moment."
            }
            Self::WrongDesk => {
                "Dit loket is er niet bij de ontvanger, of neemt dit niet aan. Kies een van de loketten die hierbij staan, of geef geen loket op; `schakel loketten` laat zien wie wat aanneemt."
            }
            Self::DuplicateWithOtherContent => {
                "Er is al een ander bericht met hetzelfde kenmerk. Verstuur het als nieuw bericht."
            }
        }
    }
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.code())
    }
}

/// A refusal with what exactly was missing or too much: names of conditions, categories or fields, never a value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    /// Why.
    pub reason: Reason,
    /// The names it is about, for the sender's own eyes; what travels and what is logged is the code alone. Empty when
    /// the reason says it all.
    pub about: Vec<String>,
}

impl Refusal {
    /// A refusal about certain named conditions, categories or fields, each once: a category and a life domain may have
    /// one name.
    pub fn about<T: ToString>(reason: Reason, names: impl IntoIterator<Item = T>) -> Self {
        let mut about: Vec<String> = Vec::new();
        for name in names {
            let name = name.to_string();
            if !about.contains(&name) {
                about.push(name);
            }
        }
        Self { reason, about }
    }
}

impl Refusal {
    /// The code with the names it is about.
    pub fn named(&self) -> String {
        if self.about.is_empty() {
            self.reason.code().to_owned()
        } else {
            format!("{} ({})", self.reason.code(), self.about.join(", "))
        }
    }
}

impl From<Reason> for Refusal {
    fn from(reason: Reason) -> Self {
        Self { reason, about: Vec::new() }
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.reason.sentence())?;
        if self.about.is_empty() { Ok(()) } else { write!(f, " ({})", self.about.join(", ")) }
    }
}

impl std::error::Error for Refusal {}

#[cfg(test)]
mod tests;
