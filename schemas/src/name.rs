//! The names of the schemas, and which type of message each belongs to.

use std::fmt;
use std::str::FromStr;

/// A published schema, version 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum SchemaName {
    /// `bericht`: the CloudEvents envelope around every message.
    Message,
    /// `grondslag`: the legal basis a message is shared on.
    LegalBasis,
    /// `betrokkene`: the resident a message is about.
    Subject,
    /// `convenant`: what partners agreed to share.
    Agreement,
    /// `doel`: an entry of the purpose register.
    Purpose,
    /// `knooppunt`: what a node publishes about itself.
    NodeDescriptor,
    /// `signaal-betalingsachterstand`.
    PaymentArrears,
    /// `signaal-dreigende-huisuitzetting`.
    EvictionThreat,
    /// `signaal-dreigende-afsluiting`.
    DisconnectionThreat,
    /// `signaal-uitkering-beeindigd`.
    BenefitEnded,
    /// `signaal-zorgsignaal`.
    CareConcern,
    /// `signaal-overlast`.
    Nuisance,
    /// `terugkoppeling`: feedback to whoever signalled or handed over.
    Feedback,
    /// `overdracht-aangeboden`.
    HandoverOffered,
    /// `overdracht-geaccepteerd`.
    HandoverAccepted,
    /// `overdracht-afgewezen`.
    HandoverDeclined,
    /// `overdracht-aanvulling-gevraagd`.
    HandoverSupplementRequested,
    /// `overdracht-aangevuld`.
    HandoverSupplemented,
    /// `overdracht-ingetrokken`.
    HandoverWithdrawn,
    /// `overdracht-intrekking-bevestigd`.
    HandoverWithdrawalConfirmed,
    /// `overdracht-eerste-contact`.
    HandoverFirstContact,
    /// `overdracht-afgerond`.
    HandoverCompleted,
    /// `consultatie-gevraagd`: an anonymous question to another professional.
    ConsultationAsked,
    /// `consultatie-beantwoord`.
    ConsultationAnswered,
    /// `toestemming`: consent as the organisation that asked for it recorded it.
    ConsentGranted,
    /// `toestemming-verlengd`.
    ConsentExtended,
    /// `toestemming-ingetrokken`.
    ConsentWithdrawn,
    /// `toestemming-verwerkt`: what a receiver did after a withdrawal.
    ConsentProcessed,
}

struct Entry {
    schema: SchemaName,
    name: &'static str,
    urn: &'static str,
    message_type: Option<&'static str>,
    source: &'static str,
}

/// One line of the table; a macro only because `include_str!` and `concat!` take literals.
macro_rules! entry {
    ($schema:ident, $name:literal, $message_type:expr) => {
        Entry {
            schema: SchemaName::$schema,
            name: $name,
            urn: concat!("urn:schakel:schema:", $name, ":1"),
            message_type: $message_type,
            source: include_str!(concat!("../v1/", $name, ".schema.json")),
        }
    };
}

/// In the order of the enum, so that a name is its own index.
#[rustfmt::skip]
static TABLE: [Entry; 28] = [
    entry!(Message, "bericht", None),
    entry!(LegalBasis, "grondslag", None),
    entry!(Subject, "betrokkene", None),
    entry!(Agreement, "convenant", None),
    entry!(Purpose, "doel", None),
    entry!(NodeDescriptor, "knooppunt", None),
    entry!(PaymentArrears, "signaal-betalingsachterstand", Some("nl.sociaaldomein.signalen.betalingsachterstand.v1")),
    entry!(EvictionThreat, "signaal-dreigende-huisuitzetting", Some("nl.sociaaldomein.signalen.dreigende-huisuitzetting.v1")),
    entry!(DisconnectionThreat, "signaal-dreigende-afsluiting", Some("nl.sociaaldomein.signalen.dreigende-afsluiting.v1")),
    entry!(BenefitEnded, "signaal-uitkering-beeindigd", Some("nl.sociaaldomein.signalen.uitkering-beeindigd.v1")),
    entry!(CareConcern, "signaal-zorgsignaal", Some("nl.sociaaldomein.signalen.zorgsignaal.v1")),
    entry!(Nuisance, "signaal-overlast", Some("nl.sociaaldomein.signalen.overlast.v1")),
    entry!(Feedback, "terugkoppeling", Some("nl.sociaaldomein.terugkoppelingen.gegeven.v1")),
    entry!(HandoverOffered, "overdracht-aangeboden", Some("nl.sociaaldomein.overdrachten.aangeboden.v1")),
    entry!(HandoverAccepted, "overdracht-geaccepteerd", Some("nl.sociaaldomein.overdrachten.geaccepteerd.v1")),
    entry!(HandoverDeclined, "overdracht-afgewezen", Some("nl.sociaaldomein.overdrachten.afgewezen.v1")),
    entry!(HandoverSupplementRequested, "overdracht-aanvulling-gevraagd", Some("nl.sociaaldomein.overdrachten.aanvulling-gevraagd.v1")),
    entry!(HandoverSupplemented, "overdracht-aangevuld", Some("nl.sociaaldomein.overdrachten.aangevuld.v1")),
    entry!(HandoverWithdrawn, "overdracht-ingetrokken", Some("nl.sociaaldomein.overdrachten.ingetrokken.v1")),
    entry!(HandoverWithdrawalConfirmed, "overdracht-intrekking-bevestigd", Some("nl.sociaaldomein.overdrachten.intrekking-bevestigd.v1")),
    entry!(HandoverFirstContact, "overdracht-eerste-contact", Some("nl.sociaaldomein.overdrachten.eerste-contact.v1")),
    entry!(HandoverCompleted, "overdracht-afgerond", Some("nl.sociaaldomein.overdrachten.afgerond.v1")),
    entry!(ConsultationAsked, "consultatie-gevraagd", Some("nl.sociaaldomein.consultaties.gevraagd.v1")),
    entry!(ConsultationAnswered, "consultatie-beantwoord", Some("nl.sociaaldomein.consultaties.beantwoord.v1")),
    entry!(ConsentGranted, "toestemming", Some("nl.sociaaldomein.toestemmingen.verleend.v1")),
    entry!(ConsentExtended, "toestemming-verlengd", Some("nl.sociaaldomein.toestemmingen.verlengd.v1")),
    entry!(ConsentWithdrawn, "toestemming-ingetrokken", Some("nl.sociaaldomein.toestemmingen.ingetrokken.v1")),
    entry!(ConsentProcessed, "toestemming-verwerkt", Some("nl.sociaaldomein.toestemmingen.verwerkt.v1")),
];

impl SchemaName {
    /// How many schemas there are.
    pub(crate) const COUNT: usize = TABLE.len();

    fn entry(self) -> &'static Entry {
        &TABLE[self as usize]
    }

    /// Every schema, in a fixed order.
    pub fn all() -> impl ExactSizeIterator<Item = SchemaName> {
        TABLE.iter().map(|entry| entry.schema)
    }

    /// The name on the wire, such as `terugkoppeling`.
    pub fn as_str(self) -> &'static str {
        self.entry().name
    }

    /// The identifier of the schema (`$id`, and `dataschema` of a message).
    pub fn urn(self) -> &'static str {
        self.entry().urn
    }

    /// The CloudEvents `type` of the message this schema describes; `None` for what is not a message.
    pub fn message_type(self) -> Option<&'static str> {
        self.entry().message_type
    }

    /// Whether it describes a signal about a resident.
    pub fn is_signal(self) -> bool {
        self.message_type().is_some_and(|name| name.starts_with("nl.sociaaldomein.signalen."))
    }

    /// The schema for the `data` of a message of this CloudEvents `type`.
    pub fn of_message_type(message_type: &str) -> Option<SchemaName> {
        TABLE.iter().find(|entry| entry.message_type == Some(message_type)).map(|entry| entry.schema)
    }

    /// The schema with this identifier, such as `urn:schakel:schema:terugkoppeling:1`.
    pub fn of_urn(urn: &str) -> Option<SchemaName> {
        TABLE.iter().find(|entry| entry.urn == urn).map(|entry| entry.schema)
    }

    pub(crate) fn source(self) -> &'static str {
        self.entry().source
    }
}

impl fmt::Display for SchemaName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// There is no schema with this name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("er is geen schema met deze naam; de namen staan in schemas/README.md")]
pub struct UnknownName;

impl FromStr for SchemaName {
    type Err = UnknownName;

    /// Reads the name on the wire, such as `terugkoppeling`.
    fn from_str(text: &str) -> Result<Self, UnknownName> {
        TABLE.iter().find(|entry| entry.name == text).map(|entry| entry.schema).ok_or(UnknownName)
    }
}

#[cfg(test)]
mod tests;
