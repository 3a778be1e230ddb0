use std::path::PathBuf;

use anyhow::Context as _;
use transport::Side;

use super::*;
use crate::{config::ConfigError, intake::IntakeError};

fn missing() -> io::Error {
    io::Error::from_raw_os_error(2)
}

#[test]
fn a_cause_that_stands_in_its_error_already_is_told_once_and_in_dutch() {
    let error = ConfigError::Unreadable { path: PathBuf::from("x/schakel.toml"), source: missing() };
    let text = explain(&error.into());
    assert!(text.starts_with("x/schakel.toml is niet te lezen"), "{text}");
    assert!(!text.contains("os error"), "{text}");
    assert_eq!(text.matches("bestaat niet").count(), 1, "{text}");
}

#[test]
fn what_was_tried_comes_before_why_it_failed() {
    let error = IntakeError::Open { path: PathBuf::from("lijst.csv"), source: missing() };
    let text = explain(&anyhow::Error::from(error));
    assert!(text.starts_with("lijst.csv is niet te openen: het bestand"), "{text}");
}

#[test]
fn errors_of_other_crates_are_told_with_their_remedy() {
    let link = LinkError::TooLarge { side: Side::Own, limit: 1 };
    let remedy = link.remedy();
    for error in [anyhow::Error::from(link.clone()), PartnerError::Link(link).into()] {
        let text = explain(&error);
        assert!(text.contains(remedy) && !text.contains("body is larger"), "{text}");
    }
    let full = StoreError::Full;
    for error in [
        anyhow::Error::from(full.clone()),
        RulesError::Store(full.clone()).into(),
        AgreementFault::Rules(RulesError::Store(full.clone())).into(),
        PartnerError::Store(full.clone()).into(),
        NoEvidence::Store(full.clone()).into(),
    ] {
        assert!(explain(&error).starts_with(full.remedy()), "{}", explain(&error));
    }
}

#[test]
fn context_stays_in_front() {
    let error = Err::<(), _>(missing()).context("de mapping x is niet te lezen").unwrap_err();
    assert_eq!(
        explain(&error),
        "de mapping x is niet te lezen: het bestand of de map bestaat niet. Controleer het pad."
    );
    assert_eq!(explain(&anyhow::anyhow!("gewoon dit")), "gewoon dit");
}

#[test]
fn a_cause_inside_its_error_is_not_told_again() {
    let error =
        anyhow::Error::from(io::Error::other("7")).context("lezen: 7. Probeer opnieuw").context("lijst.csv");
    assert_eq!(explain(&error), "lijst.csv: lezen: 7. Probeer opnieuw");
}
