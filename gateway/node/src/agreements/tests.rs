#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test that cannot go on panics")]

use std::{collections::BTreeSet, sync::Arc};

use ed25519_dalek::SigningKey;
use exchange::{
    agreement::{Clause, Content, Party},
    clock::ManualClock,
    descriptor::{Addresses, Descriptor},
    organisation::OrganisationKind,
    random::SeededRandom,
    signature::{Ed25519Signer, Signer as _},
    tlog::LogSigner,
};
use jiff::civil::{Date, date};
use store::{Options, StorageKey, Store};
use tempfile::TempDir;

use super::*;
use crate::{assets::PURPOSES, partners};

mod changed;
mod ending;

pub(crate) const LAST_DAY: Date = date(2026, 12, 31);

/// The parties of an agreement, each with a node, all with the same time.
pub(crate) struct Group {
    pub(crate) cores: Vec<Core>,
    clock: Arc<ManualClock>,
    _place: TempDir,
}

pub(crate) fn oin(number: usize) -> Oin {
    format!("0000009900000000{number}000").parse().unwrap()
}

pub(crate) fn signer(number: usize) -> Ed25519Signer {
    Ed25519Signer::from_seed(&[u8::try_from(number).unwrap() + 1; 32])
}

fn log(number: usize) -> LogSigner {
    let key = SigningKey::from_bytes(&[u8::try_from(number).unwrap() + 101; 32]);
    LogSigner::new(oin(number).log_origin(), key).unwrap()
}

fn kind(number: usize) -> OrganisationKind {
    if number == 0 { OrganisationKind::Municipality } else { OrganisationKind::HousingCorporation }
}

fn descriptor(number: usize) -> String {
    let descriptor = Descriptor {
        oin: oin(number),
        naam: format!("Organisatie {number}"),
        soort: kind(number),
        adressen: Addresses { tcp: "schakel.voorbeeld.test:8443".into(), quic: None },
        sleutels: vec![signer(number).public_key().clone()],
        logsleutel: log(number).verifier().to_string(),
        berichttypen: Vec::new(),
        loketten: Vec::new(),
        protocolversies: vec!["1".into()],
    };
    descriptor.sign(&signer(number)).unwrap()
}

pub(crate) fn purpose() -> Purpose {
    let (_, text) = PURPOSES.iter().find(|(name, _)| *name == "vroegsignalering-huur.toml").unwrap();
    Purpose::from_toml(text).unwrap()
}

/// The text of a version of the agreement between so many parties.
pub(crate) fn text(parties: usize, version: u32, last: Date) -> String {
    let party = |number: usize| Party {
        oin: oin(number),
        naam: format!("Organisatie {number}"),
        soort: kind(number),
        sleutels: vec![signer(number).public_key().clone()],
        logsleutel: log(number).verifier().to_string(),
        contact: "schakel@voorbeeld.test".into(),
        fg: "fg@voorbeeld.test".into(),
    };
    let content = Content {
        groep: "groep".into(),
        versie: version,
        partijen: (0..parties).map(party).collect(),
        geldig_van: date(2026, 11, 1),
        geldig_tot: last,
        afspraken: vec![Clause {
            doel: purpose().content().doel.clone(),
            doel_digest: purpose().digest(),
            van: vec![oin(1)],
            naar: vec![oin(0)],
            berichttypen: vec!["nl.sociaaldomein.signalen.betalingsachterstand.v1".into()],
        }],
    };
    serde_json::to_string(&content).unwrap()
}

impl Group {
    pub(crate) async fn new(parties: usize) -> Self {
        let place = tempfile::tempdir().unwrap();
        let clock = Arc::new(ManualClock::at("2026-11-21T09:30:00Z".parse().unwrap()));
        let mut cores = Vec::new();
        for number in 0..parties {
            let random = Arc::new(SeededRandom::new(number as u64));
            let path = place.path().join(format!("{number}.db"));
            let key = StorageKey::from_bytes([5; 32]);
            let options = Options::new(path, oin(number), key, Arc::new(log(number)), random.clone());
            let store = Store::create(options).await.unwrap();
            let (signer, clock) = (Arc::new(signer(number)), clock.clone());
            let core = Core::new(oin(number), store, signer, clock, random).await.unwrap();
            for other in (0..parties).filter(|other| *other != number) {
                partners::add(&core, &descriptor(other), false).await.unwrap();
            }
            cores.push(core);
        }
        Self { cores, clock, _place: place }
    }

    async fn propose(&self, by: usize, version: u32, last: Date) -> Result<Digest, AgreementFault> {
        propose(&self.cores[by], &text(self.cores.len(), version, last), &[purpose()]).await
    }

    async fn answer(&self, by: usize, digest: Digest, kind: AnswerKind) {
        answer(&self.cores[by], digest, kind).await.unwrap();
    }

    /// An agreement that all have accepted, as the first of them knows it.
    pub(crate) async fn agreed(&self) -> Digest {
        let digest = self.propose(0, 1, LAST_DAY).await.unwrap();
        for other in 1..self.cores.len() {
            self.bring(0, other, digest).await.unwrap();
            self.answer(other, digest, AnswerKind::Accepted).await;
            self.bring(other, 0, digest).await.unwrap();
        }
        digest
    }

    fn package(&self, of: usize, digest: Digest) -> Vec<u8> {
        let rules = self.cores[of].rules();
        let agreement = rules.agreement(digest).unwrap();
        let package = Package {
            convenant: serde_json::from_str(agreement.text()).unwrap(),
            doelen: vec![serde_json::from_str(purpose().text()).unwrap()],
            antwoorden: agreement.answers().iter().map(|answer| answer.jws.clone()).collect(),
        };
        serde_json::to_vec(&package).unwrap()
    }

    /// Brings what one knows of an agreement to another.
    async fn bring(&self, from: usize, to: usize, digest: Digest) -> Result<(), AgreementFault> {
        let package = self.package(from, digest);
        let answers = receive(&self.cores[to], oin(from), &package).await?;
        // As after an answer that came.
        for owed in self.cores[from].store.owed().await? {
            if (owed.to, owed.agreement) == (oin(to), digest) {
                self.cores[from].store.told(owed).await?;
            }
        }
        learn(&self.cores[from], digest, &answers, Some(oin(to))).await?;
        Ok(())
    }

    /// To whom a party owes answers.
    async fn owed(&self, by: usize) -> Vec<usize> {
        let owed = self.cores[by].store.owed().await.unwrap();
        (0..self.cores.len()).filter(|number| owed.iter().any(|owed| owed.to == oin(*number))).collect()
    }

    fn known(&self, by: usize, digest: Digest) -> BTreeSet<Oin> {
        let rules = self.cores[by].rules();
        rules.agreement(digest).unwrap().answers().iter().map(|answer| answer.by).collect()
    }
}

#[tokio::test]
async fn an_answer_is_passed_on_once_and_never_to_who_has_it() {
    let group = Group::new(4).await;
    let digest = group.propose(0, 1, LAST_DAY).await.unwrap();
    assert_eq!(group.owed(0).await, [1, 2, 3]);
    group.bring(0, 1, digest).await.unwrap();
    assert_eq!((group.owed(0).await, group.owed(1).await), (vec![2, 3], vec![2, 3]));
    let tells = async |by: usize| spread::to_tell(&group.cores[by]).await.unwrap().0.len();
    assert_eq!((tells(0).await, tells(1).await), (2, 0), "nothing before it has answered itself");
    group.answer(1, digest, AnswerKind::Accepted).await;
    assert_eq!(group.owed(1).await, [0, 2, 3]);
    assert_eq!(tells(1).await, 3);

    // Who hears both answers from one of them owes the other nothing but the answer that it may not have.
    group.bring(1, 2, digest).await.unwrap();
    assert_eq!(group.owed(2).await, [0, 3]);
    group.bring(2, 0, digest).await.unwrap();
    assert_eq!(group.owed(2).await, [3]);
    assert_eq!(group.owed(0).await, [3], "who showed every answer need not be told");
    // What comes again makes nobody talk.
    for _ in 0..2 {
        group.bring(0, 2, digest).await.unwrap();
        assert_eq!((group.owed(0).await, group.owed(2).await), (vec![3], vec![3]));
    }

    // Told by one, told by all: whoever tells the last one gets everybody's answers back.
    group.bring(0, 3, digest).await.unwrap();
    for number in 0..4 {
        assert_eq!(group.known(number, digest), [oin(0), oin(1)].into(), "party {number}");
    }
    assert_eq!(group.owed(3).await, [1, 2], "as far as it knows");
    for (from, to) in [(1, 3), (2, 3), (0, 1)] {
        group.bring(from, to, digest).await.unwrap();
    }
    for number in 0..4 {
        assert_eq!(group.owed(number).await, [0_usize; 0], "party {number}");
    }
}

#[tokio::test]
async fn what_is_owed_is_known_in_memory_also_when_another_process_answered() {
    let group = Group::new(2).await;
    let digest = group.propose(0, 1, LAST_DAY).await.unwrap();
    group.bring(0, 1, digest).await.unwrap();
    let core = &group.cores[1];
    let version = core.store.rules_version().await.unwrap();
    assert_eq!(core.owed_to(oin(0), version), Some(BTreeSet::new()));
    // The command has a core of its own over the same store.
    let random = Arc::new(SeededRandom::new(9));
    let (signer, clock) = (Arc::new(signer(1)), group.clock.clone());
    let command = Core::new(oin(1), core.store.clone(), signer, clock, random).await.unwrap();
    answer(&command, digest, AnswerKind::Accepted).await.unwrap();

    let version = core.store.rules_version().await.unwrap();
    assert_eq!(core.owed_to(oin(0), version), None, "not known at that version");
    core.rules_since(version).await;
    assert_eq!(core.owed_to(oin(0), version), Some([digest].into()));
    for owed in core.store.owed().await.unwrap() {
        command.store.told(owed).await.unwrap();
    }
    core.reload_owed().await.unwrap();
    assert_eq!(core.owed_to(oin(0), version), Some(BTreeSet::new()));
}

#[tokio::test]
async fn what_expired_long_ago_is_forgotten_unless_it_was_accepted() {
    let group = Group::new(2).await;
    let [ignored, rejected, accepted] = [1, 2, 3];
    let mut digests = Vec::new();
    for version in [ignored, rejected, accepted] {
        let digest = group.propose(0, version, LAST_DAY).await.unwrap();
        group.bring(0, 1, digest).await.unwrap();
        digests.push(digest);
    }
    group.answer(1, digests[1], AnswerKind::Rejected).await;
    group.answer(1, digests[2], AnswerKind::Accepted).await;
    for (at, forgotten) in
        [("2027-01-01T00:00:00Z", 0), ("2027-04-01T00:00:00Z", 0), ("2027-04-05T00:00:00Z", 2)]
    {
        group.clock.advance(at.parse::<Timestamp>().unwrap().duration_since(group.cores[1].now()));
        assert_eq!(forget_old(&group.cores[1]).await.unwrap(), forgotten, "{at}");
    }
    let left: Vec<Digest> = group.cores[1].rules().agreements().map(|one| one.digest()).collect();
    assert_eq!(left, digests[2..]);
    assert_eq!(group.cores[1].store.owed().await.unwrap().len(), 1);
    // It does not come back, and an own proposal that is of no use is not kept either.
    let back = receive(&group.cores[1], oin(0), &group.package(0, digests[0])).await;
    assert!(matches!(back, Err(AgreementFault::Expired)), "{back:?}");
    assert!(matches!(group.propose(1, 9, LAST_DAY).await, Err(AgreementFault::Expired)));
}

#[test]
fn agreements_that_are_over_make_room_for_others() {
    let agreements = (1..=u32::try_from(MAX_AGREEMENTS).unwrap())
        .map(|version| Agreement::parse(&text(2, version, LAST_DAY)).unwrap());
    let rules = Rulebook::new(agreements, []);
    assert!(is_full(&rules, "2026-12-31T22:00:00Z".parse().unwrap()));
    assert!(!is_full(&rules, "2027-01-01T00:00:00Z".parse().unwrap()));
}

#[tokio::test]
async fn a_partner_may_not_pile_up_proposals() {
    let group = Group::new(2).await;
    let mut refused = None;
    for version in 1..=u32::try_from(MAX_OPEN_PROPOSALS).unwrap() + 1 {
        let digest = group.propose(0, version, LAST_DAY).await.unwrap();
        // Also those it took back.
        group.answer(0, digest, AnswerKind::Ended).await;
        refused = group.bring(0, 1, digest).await.err();
        assert!(refused.is_none() || version > u32::try_from(MAX_OPEN_PROPOSALS).unwrap(), "{refused:?}");
    }
    assert!(matches!(refused, Some(AgreementFault::TooMany)), "{refused:?}");
}

#[tokio::test]
async fn a_partner_is_removed_when_nothing_rests_on_it() {
    let group = Group::new(2).await;
    let core = &group.cores[0];
    let digest = group.propose(0, 1, LAST_DAY).await.unwrap();
    let remove = async |sure| partners::remove(core, oin(1), sure).await.map_err(|fault| fault.to_string());
    let said = remove(false).await.unwrap_err();
    assert!(said.contains("het voorstel groep versie 1") && said.contains("--zeker"), "{said}");
    group.bring(0, 1, digest).await.unwrap();
    group.answer(1, digest, AnswerKind::Accepted).await;
    group.bring(1, 0, digest).await.unwrap();
    for sure in [false, true] {
        let said = remove(sure).await.unwrap_err();
        assert!(said.contains("groep versie 1") && said.contains("convenant opzeggen"), "{said}");
    }
    group.answer(0, digest, AnswerKind::Ended).await;
    let said = remove(false).await.unwrap_err();
    assert!(said.contains("het einde van groep versie 1"), "{said}");
    assert_eq!(remove(true).await.unwrap().oin, oin(1));
    assert!(remove(true).await.unwrap_err().contains("is geen partner"));
    assert!(!core.partners().contains_key(&oin(1)));

    partners::add(core, &descriptor(1), false).await.unwrap();
    group.bring(0, 1, digest).await.unwrap();
    core.reload_owed().await.unwrap();
    assert_eq!(remove(false).await.unwrap().oin, oin(1), "nothing is left to be told");
}

#[tokio::test]
async fn no_party_is_made_another_kind_of_organisation() {
    let group = Group::new(2).await;
    let mut content: serde_json::Value = serde_json::from_str(&text(2, 1, date(2026, 12, 31))).unwrap();
    content["partijen"][1]["soort"] = "uwv".into();
    assert_ne!(kind(1).to_string(), "uwv");
    let proposed = propose(&group.cores[0], &content.to_string(), &[purpose()]).await;
    assert!(
        matches!(proposed, Err(AgreementFault::PartyKind { oin: of, .. }) if of == oin(1)),
        "{proposed:?}"
    );
}

#[tokio::test]
async fn other_keys_of_a_partner_are_not_taken_in_unseen() {
    let group = Group::new(2).await;
    let core = &group.cores[0];
    partners::add(core, &descriptor(1), false).await.unwrap();
    let known = Descriptor::verify(&descriptor(1)).unwrap();
    let forged = Descriptor { sleutels: vec![signer(2).public_key().clone()], ..known };
    let forged = forged.sign(&signer(2)).unwrap();
    let said = partners::add(core, &forged, false).await.unwrap_err().to_string();
    assert!(said.contains("andere sleutels") && said.contains("--zeker"), "{said}");
    assert!(core.partners()[&oin(1)].sleutels.contains(signer(1).public_key()));
    partners::add(core, &forged, true).await.unwrap();
    assert!(core.partners()[&oin(1)].sleutels.contains(signer(2).public_key()));
}
