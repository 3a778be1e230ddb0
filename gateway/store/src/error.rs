//! What can go wrong in remembering, and what a person does about it.

use std::path::PathBuf;

use exchange::oin::Oin;

/// Why the store could not do what was asked. After any of these nothing of the operation remains: its
/// transaction was rolled back.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum StoreError {
    /// There is nothing to open. Creating is a separate act, so that a log never starts anew by accident.
    #[error("there is no database at {}", .0.display())]
    NoDatabase(PathBuf),
    /// There is already something where the database would come.
    #[error("there is already a file at {}", .0.display())]
    AlreadyExists(PathBuf),
    /// The database remembers for another organisation.
    #[error("the database belongs to {found}, not to {expected}")]
    OtherOrganisation {
        /// Whose it is.
        found: Oin,
        /// Whose it should be.
        expected: Oin,
    },
    /// The storage key is not the one the database was made with.
    #[error("the storage key does not fit this database")]
    WrongKey,
    /// The file with the keys of the entries is not where it should be. It is never made anew for a database that has one.
    #[error("there is no key file at {}", .0.display())]
    NoKeyFile(PathBuf),
    /// The file with the keys of the entries is damaged, or was made for another database or with another storage key.
    #[error("the key file at {} does not fit this database", .0.display())]
    OtherKeyFile(PathBuf),
    /// A newer version of the program has changed the tables.
    #[error("the database was made by a newer version of schakel")]
    NewerSchema,
    /// The file is not a database of ours, or it is damaged.
    #[error("the database is damaged or not one of schakel: {0}")]
    Corrupt(String),
    /// Another process holds what is needed, longer than we are prepared to wait.
    #[error("the database is in use by another process: {0}")]
    Locked(String),
    /// There is no room to write. Works again once there is.
    #[error("there is no room left to write")]
    Full,
    /// The disk or the file system failed.
    #[error("the storage could not be read or written: {0}")]
    Io(String),
    /// The operation breaks a rule of the data: an identifier that is already in use, for example.
    #[error("the operation conflicts with what is stored: {0}")]
    Conflict(String),
    /// The rules changed since it was decided by them: decide again, and offer what then comes of it.
    #[error("the rules have changed meanwhile")]
    RulesChanged,
    /// The operation is over one of the limits.
    #[error("{what}: {found} is over the limit of {limit}")]
    TooLarge {
        /// What there is too much of.
        what: &'static str,
        /// How much there is.
        found: usize,
        /// How much there may be.
        limit: usize,
    },
    /// What the operation is about does not exist, or is in a state in which it cannot be done.
    #[error("there is no {0}")]
    NotFound(&'static str),
    /// It was erased: nobody can read it any more.
    #[error("the payload was erased")]
    Erased,
    /// The store was closed.
    #[error("the store is closed")]
    Closed,
}

impl StoreError {
    /// What to do about it, in Dutch, for the person who runs the node.
    pub const fn remedy(&self) -> &'static str {
        match self {
            Self::NoDatabase(_) => {
                "Maak eerst een knooppunt met `schakel init`, of zet het pad naar de bestaande database goed in de configuratie."
            }
            Self::AlreadyExists(_) => {
                "Kies een ander pad, of gebruik de bestaande database. Een bestaand logboek wordt nooit overschreven."
            }
            Self::OtherOrganisation { .. } => {
                "Zet in de configuratie het pad naar de database van deze organisatie, of het OIN dat bij deze database hoort."
            }
            Self::WrongKey => {
                "Zet de opslagsleutel terug waarmee deze database is gemaakt. Zonder die sleutel zijn de berichten niet te lezen."
            }
            Self::NoKeyFile(_) => {
                "Zet de laatste reservekopie van het sleutelbestand terug op deze plaats, of herstel de map `sleutels` in de configuratie. Zonder dit bestand zijn de berichten niet te lezen; er wordt nooit vanzelf een nieuw gemaakt."
            }
            Self::OtherKeyFile(_) => {
                "Zet het sleutelbestand terug dat bij deze database en deze opslagsleutel hoort: de laatste reservekopie ervan. Bewaar het bestand dat er nu staat tot alles weer te lezen is."
            }
            Self::NewerSchema => {
                "Start een versie van schakel die minstens zo nieuw is als de versie die deze database het laatst heeft geopend."
            }
            Self::Corrupt(_) => {
                "Zet een reservekopie van de database terug en controleer de schijf. Bewaar het beschadigde bestand voor onderzoek."
            }
            Self::Locked(_) => {
                "Sluit het andere programma dat deze database gebruikt (bijvoorbeeld een tweede `schakel serve` of een back-up) en probeer het opnieuw."
            }
            Self::Full => "Maak ruimte vrij op de schijf. Het knooppunt gaat daarna vanzelf verder.",
            Self::Io(_) => {
                "Controleer de schijf, de rechten op het bestand en de map, en het systeemlogboek, en probeer het opnieuw."
            }
            Self::Conflict(_) => "Bied het bericht opnieuw aan met een nieuw kenmerk.",
            Self::RulesChanged => "Probeer het opnieuw: een convenant of partner is zojuist veranderd.",
            Self::TooLarge { .. } => "Bied het in kleinere delen aan.",
            Self::NotFound(_) => "Controleer het kenmerk.",
            Self::Erased => "De gegevens zijn gewist en niet meer terug te halen.",
            Self::Closed => "Start het knooppunt opnieuw.",
        }
    }

    /// Whether the same operation can succeed later without anyone changing it.
    pub const fn is_temporary(&self) -> bool {
        matches!(self, Self::Locked(_) | Self::Full | Self::Io(_) | Self::RulesChanged)
    }
}
