//! How a processing activity is named: in the register (AVG art. 30) and in the records of processings, the same in both.

use exchange::{digest::Digest, oin::Oin, rulebook::Rulebook};
use jiff::Timestamp;
use serde::Serialize;

/// What a node does by itself besides what it exchanges for a purpose.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Own {
    /// Keeping which messages came and went, and proving it.
    Messages,
    /// Keeping who saw what.
    Accesses,
    /// Keeping which consents were given.
    Consents,
}

impl Own {
    /// Every one.
    pub const ALL: [Self; 3] = [Self::Messages, Self::Accesses, Self::Consents];

    /// A capital, a colon or an underscore at the start is in no name of a purpose.
    const fn name(self) -> &'static str {
        match self {
            Self::Messages => "berichtenverkeer",
            Self::Accesses => "raadplegingen",
            Self::Consents => "toestemmingen",
        }
    }
}

/// Where activities are registered: `register` of `[dataverwerkingen]`, or nowhere.
#[derive(Debug, Clone, Copy, Default)]
pub struct Names<'r>(pub Option<&'r str>);

impl Names<'_> {
    /// The name of what is exchanged for a purpose, in its version (`dpl.core.processing_activity_id`).
    pub fn purpose(self, purpose: &str, version: u32) -> String {
        match self.0 {
            Some(register) => format!("{}/{purpose}/{version}", register.trim_end_matches('/')),
            None => format!("urn:schakel:doel:{purpose}:{version}"),
        }
    }

    /// The name of what the node does by itself.
    pub fn own(self, own: Own) -> String {
        match self.0 {
            Some(register) => format!("{}/_{}", register.trim_end_matches('/'), own.name()),
            None => format!("urn:schakel:{}", own.name()),
        }
    }
}

/// The version of a purpose that was agreed on at a moment, by the agreement of this organisation that was in force last
/// then. It does not change afterwards: what is ended or replaced later was in force all the same.
pub fn version_at(rules: &Rulebook, me: Oin, purpose: &str, at: Timestamp) -> Option<u32> {
    let agreements = rules.agreements().filter(|agreement| agreement.party(me).is_some());
    let found = agreements.filter_map(|agreement| {
        let since = agreement.in_force_since().filter(|since| *since <= at)?;
        let clause = agreement.content().afspraken.iter().find(|clause| clause.doel == purpose)?;
        Some((since, agreement.digest(), clause.doel_digest))
    });
    let (_, _, digest): (Timestamp, Digest, Digest) = found.max()?;
    Some(rules.purpose(digest)?.content().versie)
}

/// An activity of the node itself, as the register has it.
#[derive(Debug, Serialize)]
pub struct OwnActivity {
    /// Its name in records of processings.
    pub verwerking: String,
    /// Its name for people.
    pub naam: &'static str,
    /// What it is for.
    pub omschrijving: &'static str,
    /// What it rests on.
    pub grondslag: &'static str,
    /// Whom it is about.
    pub betrokkenen: &'static str,
    /// Which data.
    pub gegevens: &'static str,
    /// Who gets it.
    pub ontvangers: &'static str,
    /// How long it is kept.
    pub bewaartermijn: &'static str,
}

impl OwnActivity {
    /// Every activity of the node itself.
    pub fn all(names: Names<'_>) -> Vec<Self> {
        Own::ALL.into_iter().map(|own| Self::of(own, names)).collect()
    }

    fn of(own: Own, names: Names<'_>) -> Self {
        let verwerking = names.own(own);
        match own {
            Own::Messages => Self {
                verwerking,
                naam: "Bijhouden en bewijzen van het berichtenverkeer",
                omschrijving: "Bijhouden welke berichten zijn verstuurd, ontvangen, tegengehouden, geweigerd en gewist, zodat dat te controleren en te bewijzen is; ook van wat voor geen bekend doel was.",
                grondslag: "wettelijke verplichting (AVG art. 6 lid 1 onder c); AVG art. 5 lid 2; AVG art. 32",
                betrokkenen: "inwoners over wie een bericht gaat",
                gegevens: "tijden, organisaties, nummers en controlegetallen; geen inhoud van berichten",
                ontvangers: "de partner in elk bericht, en partners die het logboek controleren",
                bewaartermijn: "zolang het knooppunt bestaat. Van een gewist bericht blijven nummer, dossier, partijen, doel, tijden en controlegetal; over wie het ging is dan alleen nog te vinden via het logboek van raadplegingen, als iemand het inzag, verstuurde of wiste",
            },
            Own::Accesses => Self {
                verwerking,
                naam: "Logboek van raadplegingen",
                omschrijving: "Vastleggen wie gegevens van inwoners bekijkt, zoekt of erover besluit, wanneer en waarom, om dat te kunnen controleren en aan de inwoner te kunnen vertellen.",
                grondslag: "wettelijke verplichting (AVG art. 6 lid 1 onder c); AVG art. 5 lid 2; AVG art. 15; AVG art. 32",
                betrokkenen: "medewerkers van deze organisatie; inwoners naar wie is gekeken",
                gegevens: "account of naam van de medewerker, tijd, reden en kenmerk; het versleutelde BSN of de versleutelde naam, geboortedatum en adres van de inwoner; de nummers van de berichten en toestemmingen waar het om ging, ook als die zijn gewist",
                ontvangers: "niemand buiten deze organisatie; het Logboek Dataverwerkingen van de organisatie krijgt het zonder de medewerker",
                bewaartermijn: "zolang het knooppunt bestaat; het programma wist er niets uit",
            },
            Own::Consents => Self {
                verwerking,
                naam: "Register van toestemmingen",
                omschrijving: "Vastleggen dat en hoe een inwoner toestemming gaf, verlengde of introk, om dat te kunnen aantonen.",
                grondslag: "wettelijke verplichting (AVG art. 6 lid 1 onder c); AVG art. 7 lid 1",
                betrokkenen: "inwoners die toestemming gaven",
                gegevens: "BSN, of naam, geboortedatum en adres; waarvoor, aan wie en hoe toestemming is gegeven, de uitleg daarbij en het kenmerk van het bewijs",
                ontvangers: "de organisaties die de gegevens mogen krijgen: een uittreksel zonder naam of nummer",
                bewaartermijn: "na het einde van de toestemming zo lang als het doel zegt; zegt het doel niets, vijf jaar",
            },
        }
    }
}
