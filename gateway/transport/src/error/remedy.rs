//! The Dutch side of errors: what is wrong and what to do next, for the person at the node.

use std::io;

use super::{BindError, CertificateProblem, LinkError, Side, TlsError};
use crate::Carrier;

impl LinkError {
    /// What is wrong, one Dutch sentence.
    pub fn explanation(&self) -> String {
        match self {
            Self::Unreachable { address, .. } => format!("Het knooppunt op {address} is niet bereikbaar."),
            Self::Timeout { address, after } => {
                format!("Het knooppunt op {address} gaf binnen {} seconden geen antwoord.", after.as_secs())
            }
            Self::Tls { address, side: Side::Partner, problem } => {
                format!("Het certificaat van het knooppunt op {address} {}.", problem.predicate())
            }
            Self::Tls { address, side: Side::Own, problem } => {
                format!("Het knooppunt op {address} weigert ons certificaat: het {}.", problem.predicate())
            }
            Self::WrongOin { address, expected, found } => {
                format!("Op {address} antwoordt organisatie {found} in plaats van {expected}.")
            }
            Self::Protocol { address, .. } => format!("Het knooppunt op {address} volgt het protocol niet."),
            Self::TooLarge { side: Side::Own, limit } => {
                format!("De zending is groter dan {} en dat mag niet.", bytes(*limit))
            }
            Self::TooLarge { side: Side::Partner, limit } => {
                format!("Het antwoord van de partner is groter dan {} en dat mag niet.", bytes(*limit))
            }
            Self::Shutdown => "Dit knooppunt wordt gestopt.".into(),
        }
    }

    /// What to do about it, in Dutch.
    pub fn remedy(&self) -> &'static str {
        match self {
            Self::Unreachable { .. } => {
                "Er wordt vanzelf opnieuw geprobeerd. Duurt het lang: controleer het adres, uw firewall en bij de \
                 partner of het knooppunt draait."
            }
            Self::Timeout { .. } => {
                "Er wordt vanzelf opnieuw geprobeerd. Duurt het lang: vraag de partner of het knooppunt overbelast \
                 is."
            }
            Self::Tls { side, problem, .. } => problem.remedy(*side),
            Self::WrongOin { .. } => {
                "Controleer adres en OIN van deze partner; er is niets verzonden. Kloppen die, neem dan contact op \
                 met de partner: daar staat een ander certificaat."
            }
            Self::Protocol { .. } => {
                "Controleer of het adres naar een Schakel-knooppunt wijst en of beide knooppunten een \
                 protocolversie delen."
            }
            Self::TooLarge { side: Side::Own, .. } => "Verdeel de zending over kleinere delen.",
            Self::TooLarge { side: Side::Partner, .. } => {
                "Neem contact op met de partner: het knooppunt daar antwoordt niet volgens het protocol."
            }
            Self::Shutdown => "Start het knooppunt opnieuw; wat wacht wordt dan verzonden.",
        }
    }
}

impl CertificateProblem {
    /// What completes "het certificaat ...".
    fn predicate(&self) -> String {
        match self {
            Self::UnknownIssuer => "is uitgegeven door een onbekende partij".into(),
            Self::Expired => "is verlopen".into(),
            Self::NotYetValid => "is nog niet geldig".into(),
            Self::Revoked => "is ingetrokken".into(),
            Self::RevocationUnknown => "heeft een uitgever waarvan geen intrekkingslijst bekend is".into(),
            Self::WrongHost { host } => format!("is niet voor {host}"),
            Self::Nameless => "noemt niet precies één organisatie (OIN en naam)".into(),
            Self::NotPresented => "ontbreekt".into(),
            Self::Unsuitable { .. } => "is niet geschikt voor een verbinding tussen knooppunten".into(),
        }
    }

    fn remedy(&self, side: Side) -> &'static str {
        match side {
            Side::Partner => self.remedy_at_partner(),
            Side::Own => self.remedy_here(),
        }
    }

    /// The partner's certificate was refused by us.
    fn remedy_at_partner(&self) -> &'static str {
        match self {
            Self::UnknownIssuer => {
                "Vraag de partner welke uitgever het certificaat heeft en of die bij de groep hoort; voeg zo nodig \
                 diens stamcertificaat toe aan de vertrouwensankers."
            }
            Self::Expired => {
                "Vraag de partner het certificaat te vernieuwen. Controleer ook of de klok van dit knooppunt goed \
                 staat."
            }
            Self::NotYetValid => {
                "Controleer de klok van dit knooppunt. Staat die goed, vraag dan de partner een certificaat te \
                 gebruiken dat al geldig is."
            }
            Self::Revoked => {
                "Neem telefonisch contact op met de partner voordat u iets anders doet: een ingetrokken certificaat \
                 kan misbruik betekenen."
            }
            Self::RevocationUnknown => {
                "Voeg de intrekkingslijst (CRL) van de uitgever van dit certificaat toe aan de instellingen."
            }
            Self::WrongHost { .. } => {
                "Controleer het adres van de partner. Klopt het, vraag de partner dan om een certificaat met deze \
                 hostnaam erin."
            }
            Self::Nameless => {
                "Vraag de partner een certificaat te gebruiken met één OIN (Subject.serialNumber) en een naam \
                 (organizationName)."
            }
            Self::NotPresented => "Controleer of het adres naar een Schakel-knooppunt wijst.",
            Self::Unsuitable { .. } => {
                "Vraag de partner een certificaat te gebruiken dat voor servers én clients bedoeld is, met een \
                 gangbaar algoritme (ECDSA P-256 of RSA vanaf 2048 bits)."
            }
        }
    }

    /// Our certificate was refused by the partner.
    fn remedy_here(&self) -> &'static str {
        match self {
            Self::UnknownIssuer | Self::RevocationUnknown | Self::WrongHost { .. } => {
                "Vraag de partner of de uitgever van ons certificaat daar bij de vertrouwensankers staat, met een \
                 actuele intrekkingslijst, en controleer of wij alle tussencertificaten meesturen."
            }
            Self::Expired | Self::NotYetValid => {
                "Controleer de geldigheid van ons certificaat en vernieuw het zo nodig; dat kan zonder herstart. Is \
                 het geldig, dan staat de klok van de partner verkeerd."
            }
            Self::Revoked => {
                "Neem contact op met de uitgever van ons certificaat en vervang certificaat en sleutel."
            }
            Self::Nameless => {
                "Controleer of ons certificaat één OIN (Subject.serialNumber) en een naam (organizationName) heeft."
            }
            Self::NotPresented => {
                "Controleer of ons certificaat is uitgegeven onder een vertrouwensanker van de groep."
            }
            Self::Unsuitable { .. } => {
                "Vraag een certificaat aan dat voor servers én clients bedoeld is, met een gangbaar algoritme (ECDSA \
                 P-256 of RSA vanaf 2048 bits)."
            }
        }
    }
}

impl TlsError {
    /// What to do about it, in Dutch.
    pub fn remedy(&self) -> String {
        match self {
            Self::Unreadable { path, .. } => {
                format!("Controleer of {} bestaat en door dit programma gelezen mag worden.", path.display())
            }
            Self::TooLarge { path, .. } => format!("Controleer of {} het bedoelde bestand is.", path.display()),
            Self::NoCertificate { what } => format!("Zet in {what} het certificaat, als PEM."),
            Self::NoKey { what } => {
                format!("Zet in {what} de geheime sleutel, als PEM (PKCS#8), zonder wachtwoord.")
            }
            Self::NoRevocationList { what } => {
                format!("Haal de intrekkingslijst in {what} opnieuw op bij de uitgever.")
            }
            Self::KeyMismatch => {
                "Gebruik de sleutel waarmee dit certificaat is aangevraagd, of vraag een nieuw certificaat aan."
                    .into()
            }
            Self::Nameless(_) => "Vraag een certificaat aan met één OIN (Subject.serialNumber) en de naam van de \
                                  organisatie (organizationName)."
                .into(),
            Self::NoAnchors => "Zet bij de vertrouwensankers de stamcertificaten van de groep, als PEM.".into(),
            Self::Refused(_) => "Controleer of certificaat, sleutel en intrekkingslijsten heel zijn en een gangbaar \
                                 algoritme gebruiken."
                .into(),
        }
    }
}

impl BindError {
    /// What to do about it, in Dutch.
    pub fn remedy(&self) -> String {
        let Self { address, carrier, source } = self;
        let port = address.port();
        match (source.kind(), carrier) {
            (io::ErrorKind::AddrInUse, Carrier::Tcp) => format!(
                "Poort {port} (TCP) is al in gebruik. Stop het andere programma of kies een andere poort."
            ),
            (io::ErrorKind::AddrInUse, Carrier::Quic) => format!(
                "Poort {port} (UDP) is al in gebruik. Stop het andere programma of kies een andere poort."
            ),
            (io::ErrorKind::PermissionDenied, _) => {
                format!("Poort {port} mag dit programma niet openen. Kies een poort boven 1023.")
            }
            _ => format!("Controleer of {} een adres van deze machine is.", address.ip()),
        }
    }
}

fn bytes(limit: usize) -> String {
    if limit >= 1 << 20 { format!("{} MiB", limit >> 20) } else { format!("{limit} bytes") }
}
