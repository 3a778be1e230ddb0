#![allow(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

use super::*;
use crate::testing::{
    ARREARS, PURPOSE, agreement, content, corporation, municipality, oin, purpose, rulebook,
};

#[test]
fn agreements_and_purposes_are_found_by_digest() {
    let rulebook = rulebook();
    let digest = agreement(&content()).digest();
    assert_eq!(rulebook.agreement(digest).unwrap().digest(), digest);
    assert_eq!(rulebook.purpose(purpose().digest()).unwrap().digest(), purpose().digest());
    assert!(rulebook.agreement(purpose().digest()).is_none());
    assert!(rulebook.purpose(digest).is_none());
    assert_eq!(rulebook.agreements().count(), 1);
}

#[test]
fn the_newest_version_that_covers_comes_first() {
    let version = |versie| {
        let mut content = content();
        content.versie = versie;
        agreement(&content)
    };
    let rulebook = Rulebook::new([version(2), version(10), version(3)], [purpose()]);
    let versions = |from, to, purpose, kind| -> Vec<u32> {
        let found = rulebook.agreements_for(from, to, purpose, kind);
        found.iter().map(|agreement| agreement.content().versie).collect()
    };
    assert_eq!(versions(corporation(), municipality(), PURPOSE, ARREARS), [10, 3, 2]);
    assert!(versions(municipality(), corporation(), PURPOSE, ARREARS).is_empty());
    assert!(versions(corporation(), oin(3), PURPOSE, ARREARS).is_empty());
    assert!(versions(corporation(), municipality(), "consultatie", ARREARS).is_empty());
}
