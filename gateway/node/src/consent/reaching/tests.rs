#![allow(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

use ed25519_dalek::SigningKey;
use exchange::{
    agreement::{AnswerKind, Content},
    clock::ManualClock,
    purpose::Purpose,
    random::SeededRandom,
    signature::Signer as _,
    tlog::LogSigner,
};
use store::{Options, StorageKey, Store};
use tempfile::TempDir;

use super::*;
use crate::agreements::tests::{LAST_DAY, oin, purpose, signer, text};

/// A key that is not in use any more.
const OLD_KEY: usize = 7;

async fn core(place: &TempDir) -> Core {
    let random = Arc::new(SeededRandom::new(1));
    let log = LogSigner::new(oin(0).log_origin(), SigningKey::from_bytes(&[101; 32])).unwrap();
    let key = StorageKey::from_bytes([5; 32]);
    let options = Options::new(place.path().join("0.db"), oin(0), key, Arc::new(log), random.clone());
    let store = Store::create(options).await.unwrap();
    let clock = Arc::new(ManualClock::at("2026-11-21T09:30:00Z".parse().unwrap()));
    Core::new(oin(0), store, Arc::new(signer(0)), clock, random).await.unwrap()
}

fn other_purpose() -> Purpose {
    let mut content = purpose().content().clone();
    content.doel = "iets-anders".into();
    Purpose::from_json(&serde_json::to_string(&content).unwrap()).unwrap()
}

/// An agreement of organisations 0 and 1, on this purpose, with this key of ours and what both said.
fn agreement(version: u32, about: &Purpose, key: usize, answers: &[AnswerKind]) -> Agreement {
    let mut content: Content = serde_json::from_str(&text(2, version, LAST_DAY)).unwrap();
    content.groep = format!("groep-{version}");
    content.partijen[0].sleutels = vec![signer(key).public_key().clone()];
    content.afspraken[0].doel = about.content().doel.clone();
    content.afspraken[0].doel_digest = about.digest();
    let mut agreement = Agreement::parse(&serde_json::to_string(&content).unwrap()).unwrap();
    for kind in answers {
        for number in [key, 1] {
            let at = "2026-11-20T09:00:00Z".parse().unwrap();
            let answer = agreement.answer(*kind, at, &signer(number)).unwrap();
            agreement.add_answer(&answer).unwrap();
        }
    }
    agreement
}

/// What is told goes under an agreement by which it can be verified: one about the consent, in force, the newest.
#[tokio::test]
async fn tells_under_an_agreement_that_works() {
    use AnswerKind::{Accepted, Ended};
    let place = tempfile::tempdir().unwrap();
    let core = core(&place).await;
    let purposes = [purpose().content().doel.clone()];
    let best = |agreements: &[&Agreement], reads: &dyn Fn(&Agreement) -> bool| {
        let rules = Rulebook::new(agreements.iter().copied().cloned(), [purpose(), other_purpose()]);
        let way = Way { core: &core, rules: &rules, party: oin(1), purposes: &purposes };
        way.best(reads).map(|untold| untold.agreement)
    };
    let all: &dyn Fn(&Agreement) -> bool = &|_| true;
    let first = agreement(1, &purpose(), 0, &[Accepted]);
    let second = agreement(2, &purpose(), 0, &[Accepted]);
    let ended = agreement(3, &purpose(), 0, &[Accepted, Ended]);
    let about_else = agreement(4, &other_purpose(), 0, &[Accepted]);
    let old_key = agreement(5, &purpose(), OLD_KEY, &[Accepted]);
    let proposed = agreement(6, &purpose(), 0, &[]);
    let everything = [&first, &second, &ended, &about_else, &old_key, &proposed];
    assert_eq!(best(&everything, all), Some(second.digest()));
    assert_eq!(best(&[&first, &ended, &about_else, &old_key], all), Some(first.digest()));
    assert_eq!(best(&[&ended, &about_else, &old_key], all), Some(ended.digest()), "it carries out a right");
    assert_eq!(best(&[&about_else, &old_key], all), Some(about_else.digest()));
    assert_eq!(best(&[&old_key, &proposed], all), None, "it could not be verified, or was never accepted");
    let reads = |one: &Agreement| one.digest() != second.digest();
    assert_eq!(best(&everything, &reads), Some(first.digest()), "the other does not name the holder's key");

    let rules = |agreements: &[&Agreement]| Rulebook::new(agreements.iter().copied().cloned(), [purpose()]);
    let joined = |agreements: &[&Agreement], party, before: &str| {
        was_joined(&core, &rules(agreements), (party, before.parse().unwrap()))
    };
    let (then, now) = ("2026-11-20T08:00:00Z", "2026-11-21T09:30:00Z");
    assert!(joined(&[&old_key], oin(1), now), "something may have gone by it");
    assert!(!joined(&[&proposed], oin(1), now));
    assert!(!joined(&[&first], oin(2), now));
    assert!(!joined(&[&first], oin(1), then), "they agreed afterwards");
}

/// What went under an agreement is told under that one, while it works.
#[tokio::test]
async fn tells_as_it_was_sent_while_that_works() {
    let place = tempfile::tempdir().unwrap();
    let core = core(&place).await;
    let (old_key, new) = (
        agreement(1, &purpose(), OLD_KEY, &[AnswerKind::Accepted]),
        agreement(2, &purpose(), 0, &[AnswerKind::Accepted]),
    );
    let rules = Rulebook::new([old_key.clone(), new.clone()], [purpose()]);
    let under = |one: &Agreement| Untold {
        party: oin(1),
        agreement: one.digest(),
        purpose: purpose().content().doel.clone(),
    };
    let chosen = |usual: &Agreement, other: Option<Untold>| {
        usual_or((&core, &rules), under(usual), || other).agreement
    };
    assert_eq!(chosen(&new, Some(under(&old_key))), new.digest());
    assert_eq!(chosen(&old_key, Some(under(&new))), new.digest());
    assert_eq!(chosen(&old_key, None), old_key.digest());
}
