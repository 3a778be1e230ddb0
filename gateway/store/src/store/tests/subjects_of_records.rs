//! Whom records of processings are about, when the message itself does not say or is gone.

use exchange::{entry::ErasureCause, person::Identity};

use super::{
    person::{BSN, about, access, resident},
    *,
};
use crate::{
    access::{AccessFilter, Deed},
    data_subject::{DataSubject, SubjectKind},
};

impl Place {
    /// With or without a collector that records are brought to.
    async fn open_exporting(&self, exports: bool) -> Store {
        Store::open(Options { exports, ..self.options() }).await.unwrap()
    }
}

async fn concerned(store: &Store, index: u64) -> Option<DataSubject> {
    let row = store.logged(index).await.unwrap().unwrap();
    let person = store.person_concerned(&row).await.unwrap()?;
    store.data_subjects(&person).unwrap().into_iter().next()
}

/// Feedback names nobody: it is about the person of its case, by what came before it there, unless there are two.
#[tokio::test]
async fn what_names_nobody_is_about_the_person_of_its_case() {
    let place = Place::new();
    let store = place.create().await;
    let (one, other) = (resident("Brouwer", "E."), resident("Jansen", "K."));
    let messages = vec![
        about(0, 1, Some(&one)),
        about(1, 1, None),
        about(2, 1, Some(&other)),
        about(3, 1, None),
        about(4, 2, None),
    ];
    store.queue(messages).await.unwrap();
    let first = concerned(&store, 0).await;
    assert!(first.is_some());
    assert_eq!(concerned(&store, 1).await, first, "what comes later in the case changes nothing");
    assert_eq!((concerned(&store, 3).await, concerned(&store, 4).await), (None, None));
}

/// With a collector it is known until that has the entry that says that it was erased; without one it is not kept.
#[tokio::test]
async fn whom_an_erased_message_was_about_is_kept_until_it_was_brought() {
    let place = Place::new();
    let store = place.create().await;
    let brouwer = resident("Brouwer", "E.");
    store
        .queue(vec![about(0, 1, Some(&brouwer)), about(1, 1, None), about(2, 2, Some(&brouwer))])
        .await
        .unwrap();
    let known = concerned(&store, 0).await;
    store.erase(vec![2], ErasureCause::Request, now()).await.unwrap();
    assert_eq!(store.erased_subject(2).await.unwrap(), None, "there is no collector");
    store.close().await;

    let store = place.open_exporting(true).await;
    let evidence = store.erase(vec![0, 1], ErasureCause::Retention, now()).await.unwrap();
    assert_eq!(evidence.messages, 0, "what waits has an end of its own");
    assert_eq!(store.erased_subject(0).await.unwrap(), None, "it was not erased");
    let evidence = store.erase(vec![0, 1], ErasureCause::Request, now()).await.unwrap().evidence[0];
    for index in [0, 1] {
        assert_eq!(store.erased_subject(index).await.unwrap(), known, "{index}");
    }
    assert!(store.note_exported((0, evidence), (3, 0), now()).await.unwrap());
    assert_eq!(store.erased_subject(0).await.unwrap(), known);
    assert!(store.note_exported((evidence, evidence + 1), (2, 0), now()).await.unwrap());
    assert_eq!(store.erased_subject(0).await.unwrap(), None);

    store.queue(vec![about(7, 3, Some(&brouwer))]).await.unwrap();
    let index = store.log_size().await.unwrap() - 1;
    store.erase(vec![index], ErasureCause::Request, now()).await.unwrap();
    assert_eq!(store.erased_subject(index).await.unwrap(), known);
    store.forget_erased_subjects().await.unwrap();
    assert_eq!(store.erased_subject(index).await.unwrap(), None, "the collector is no more");
}

/// A search that finds nothing is about somebody all the same, and so is reading who looked; by number when there is one.
#[tokio::test]
async fn a_search_is_about_whom_was_looked_for() {
    let place = Place::new();
    let store = place.create().await;
    let mut person = resident("Kwakkelstein", "E.");
    person["bsn"] = BSN.into();
    let identity = Identity::read(&person).unwrap();
    let searched = store.search(access(Deed::Zoeken), &identity).await.unwrap().access;
    let subject = store.accessed(searched).await.unwrap().subject.unwrap();
    assert_eq!(subject.kind, SubjectKind::Bsn);
    assert_eq!(Some(&subject), store.data_subjects(&identity).unwrap().first());
    let read = AccessFilter { person: Some(identity), limit: 9, ..AccessFilter::default() };
    store.accesses(access(Deed::Raadplegingen), read).await.unwrap();
    assert_eq!(store.accessed(searched + 1).await.unwrap().subject, Some(subject));
    store.accesses(access(Deed::Raadplegingen), AccessFilter::default()).await.unwrap();
    assert_eq!(store.accessed(searched + 2).await.unwrap().subject, None);
}
