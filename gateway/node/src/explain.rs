//! Errors as a person at the node reads them: Dutch, every cause once, and what to do about it.

use std::{error::Error, io};

use store::StoreError;
use transport::{BindError, LinkError, TlsError};

use crate::{
    agreements::AgreementFault, core::RulesError, evidence::NoEvidence, outbound::ResendError,
    partners::PartnerError,
};

/// The whole story of an error, from what was tried to why it failed.
pub(crate) fn explain(error: &anyhow::Error) -> String {
    let chain: Vec<&(dyn Error + 'static)> = error.chain().collect();
    let mut told: Vec<String> = Vec::new();
    for (position, cause) in chain.iter().enumerate() {
        if let Some(story) = known(*cause) {
            told.push(story);
            break;
        }
        let text = cause.to_string();
        if told.iter().any(|earlier| earlier.contains(&text)) {
            continue;
        }
        let next = chain.get(position + 1).map(ToString::to_string);
        let own = next.map_or(text.as_str(), |next| without(&text, &next));
        if !own.is_empty() {
            told.push(own.to_owned());
        }
    }
    told.join(": ")
}

/// `text` without the cause it ends with.
fn without<'a>(text: &'a str, cause: &str) -> &'a str {
    text.strip_suffix(cause).map_or(text, |head| head.trim_end_matches([':', ' ']))
}

/// What a person reads instead of an English error.
fn known(cause: &(dyn Error + 'static)) -> Option<String> {
    if let Some(error) = cause.downcast_ref::<LinkError>() {
        return Some(format!("{} {}", error.explanation(), error.remedy()));
    }
    if let Some(error) = cause.downcast_ref::<TlsError>() {
        let detail = error.source().and_then(|source| source.downcast_ref()).and_then(of_the_system);
        return Some(format!("{} ({})", error.remedy(), detail.unwrap_or_else(|| error.to_string())));
    }
    if let Some(error) = cause.downcast_ref::<BindError>() {
        return Some(error.remedy());
    }
    if let Some(error) = stored(cause) {
        return Some(format!("{} ({error})", error.remedy()));
    }
    if let Some(what) = damaged(cause) {
        return Some(format!(
            "Een convenant, doel of partner in de database is niet leesbaar, of is buiten dit programma om veranderd. Zet een reservekopie van de database terug; wat er wordt uitgewisseld hangt ervan af. ({what})"
        ));
    }
    cause.downcast_ref::<io::Error>().and_then(of_the_system)
}

/// What is wrong with the stored rules, also inside an error that only passes it on.
fn damaged<'a>(cause: &'a (dyn Error + 'static)) -> Option<&'a str> {
    let rules = cause.downcast_ref::<RulesError>();
    let rules = rules.or_else(|| match cause.downcast_ref::<AgreementFault>()? {
        AgreementFault::Rules(error) => Some(error),
        _ => None,
    });
    let rules = rules.or_else(|| match cause.downcast_ref::<PartnerError>()? {
        PartnerError::Rules(error) => Some(error),
        _ => None,
    });
    match rules? {
        RulesError::Damaged(what) => Some(what),
        RulesError::Store(_) => None,
    }
}

/// The store's error in `cause`, also inside an error that only passes it on.
fn stored<'a>(cause: &'a (dyn Error + 'static)) -> Option<&'a StoreError> {
    let of_rules = |error: &'a RulesError| match error {
        RulesError::Store(error) => Some(error),
        RulesError::Damaged(_) => None,
    };
    if let Some(error) = cause.downcast_ref::<StoreError>() {
        return Some(error);
    }
    if let Some(error) = cause.downcast_ref::<RulesError>() {
        return of_rules(error);
    }
    match cause.downcast_ref::<AgreementFault>() {
        Some(AgreementFault::Store(error)) => return Some(error),
        Some(AgreementFault::Rules(error)) => return of_rules(error),
        _ => {}
    }
    match cause.downcast_ref::<PartnerError>() {
        Some(PartnerError::Store(error)) => return Some(error),
        Some(PartnerError::Rules(error)) => return of_rules(error),
        _ => {}
    }
    if let Some(ResendError::Store(error)) = cause.downcast_ref::<ResendError>() {
        return Some(error);
    }
    match cause.downcast_ref::<NoEvidence>() {
        Some(NoEvidence::Store(error)) => Some(error),
        _ => None,
    }
}

/// What the operating system says, for the cases that people meet.
fn of_the_system(error: &io::Error) -> Option<String> {
    let text = match error.kind() {
        io::ErrorKind::NotFound => "het bestand of de map bestaat niet. Controleer het pad.",
        io::ErrorKind::PermissionDenied => {
            "dit programma mag er niet bij. Controleer de rechten en de gebruiker waaronder het draait."
        }
        io::ErrorKind::AlreadyExists => "het bestaat al. Kies een andere naam.",
        io::ErrorKind::IsADirectory => "dit is een map en geen bestand. Geef een bestand.",
        io::ErrorKind::NotADirectory => "een deel van het pad is geen map. Controleer het pad.",
        io::ErrorKind::InvalidData => {
            "dit is geen leesbare tekst (UTF-8). Controleer of dit het goede bestand is."
        }
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => {
            "de schijf is vol. Maak ruimte vrij en probeer het opnieuw."
        }
        io::ErrorKind::FileTooLarge => {
            "het bestand mag niet groter worden. Verruim de limiet of maak ruimte vrij."
        }
        io::ErrorKind::ReadOnlyFilesystem => "de schijf is alleen-lezen. Maak haar beschrijfbaar.",
        _ => return None,
    };
    Some(text.to_owned())
}

#[cfg(test)]
mod tests;
