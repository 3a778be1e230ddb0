//! Finding residents, and who saw what.

use anyhow::{Context as _, Result};
use exchange::{
    entry::{Entry, ErasureCause},
    message::{Draft, SignedMessage},
    person::Identity,
};
use schemas::{Document, SchemaName};
use serde_json::{Value, json};
use store::{
    Access, AccessFilter, AccessRecord, Actor, Decided, Decision, Deed, Enqueued, Found, Outgoing, Reason,
    Store, StoreError, Why, Withheld,
};

use super::{
    Database,
    agreed::sign,
    given::{Maker, Offer as _, admitted, later, now, partner, refused},
};
use crate::signal::arrears;

fn resident(surname: &str, initials: &str) -> Value {
    let mut resident = arrears()["betrokkene"].clone();
    resident["naam"] = json!({ "achternaam": surname, "voorletters": initials });
    resident
}

fn person(surname: &str, initials: &str) -> Result<Identity> {
    Identity::read(&resident(surname, initials)).context("a person")
}

/// A signal about this resident, as a partner sends it.
fn about(maker: &Maker, resident: &Value, change: impl FnOnce(&mut Draft)) -> Result<SignedMessage> {
    let mut data = arrears();
    data["betrokkene"] = resident.clone();
    let document = Document::parse(SchemaName::PaymentArrears, data.to_string().as_bytes())?;
    let mut draft = Draft { document, ..maker.signal(partner(1)?)? };
    change(&mut draft);
    sign(draft)
}

/// Somebody who does this.
pub fn somebody(what: Deed) -> Result<Access> {
    let why = Why::new(Reason::Controle, Some("FG-17"), None)?;
    Ok(Access { who: Actor::person("jdevries", None)?, what, why, when: now() })
}

fn indexes(found: &Found) -> (Vec<u64>, Vec<u64>) {
    let perhaps = found.perhaps.iter().map(|row| row.index).collect();
    (found.messages.iter().map(|message| message.row.index).collect(), perhaps)
}

async fn search(store: &Store, person: &Identity) -> Result<(Vec<u64>, Vec<u64>)> {
    let found = store.search(somebody(Deed::Zoeken)?, person).await?;
    assert!(found.complete);
    Ok(indexes(&found))
}

/// However the name was written, in what came and what went, and after reopening; and nobody else.
pub async fn finds_a_person(database: &impl Database) -> Result<()> {
    let store = database.create().await?;
    let maker = Maker::new(61);
    let case = maker.id();
    let first = about(&maker, &resident("van den Brouwer", "E.J."), |draft| draft.case = case)?;
    let twin = about(&maker, &resident("Brouwer", "A."), |_| {})?;
    let again = about(&maker, &resident("BROUWER", "e"), |_| {})?;
    let other_name = about(&maker, &resident("Brouwer-Jansen", "E."), |_| {})?;
    let not_kept = about(&maker, &resident("Brouwer", "E."), |_| {})?;
    let arrivals = [&first, &twin, &again, &other_name].map(|message| admitted(message, now()));
    store.take_in(arrivals.into_iter().collect::<Result<_>>()?).await?;
    store.take_in(vec![refused(&not_kept)?]).await?;
    // Feedback names nobody; the case says whom it is about.
    store.queue(maker.changed(partner(1)?, 1, |draft| draft.case = case)?).await?;
    let store = {
        drop(store);
        database.open().await?
    };
    assert_eq!(search(&store, &person("Bróuwer", "E.")?).await?, (vec![0, 2, 5], vec![3]));
    assert_eq!(search(&store, &person("Brouwer", "A.")?).await?, (vec![1], vec![]));
    assert_eq!(search(&store, &person("Jansen", "K.")?).await?, (vec![], vec![]));
    let found = store.search(somebody(Deed::Zoeken)?, &person("Brouwer", "A.")?).await?;
    assert_eq!(found.messages[0].content.as_deref(), Ok(twin.compact()));
    Ok(())
}

/// Whoever was erased is found no more, and upkeep changes nothing about that.
pub async fn forgets_who_was_erased(database: &impl Database) -> Result<()> {
    let store = database.create().await?;
    let maker = Maker::new(62);
    let (case, brouwer) = (maker.id(), resident("Brouwer", "E."));
    let erased = about(&maker, &brouwer, |draft| draft.case = case)?;
    let kept = about(&maker, &brouwer, |_| {})?;
    store.take_in(vec![admitted(&erased, now())?, admitted(&kept, now())?]).await?;
    let person = person("Brouwer", "E.")?;
    assert_eq!(search(&store, &person).await?.0, [0, 1]);
    store.erase_case(case, ErasureCause::Request, now()).await?;
    assert_eq!(search(&store, &person).await?.0, [1]);
    while store.keep_subjects().await?.more {}
    assert_eq!(search(&store, &person).await?.0, [1]);
    let shown = store.view(somebody(Deed::Inzien)?, &[0]).await?;
    assert_eq!(shown[0].content, Err(Withheld::Erased));
    Ok(())
}

/// Each look is in the log before anything is shown, and can be found by message, case, person, name and time.
pub async fn keeps_who_saw_what(database: &impl Database) -> Result<()> {
    let store = database.create().await?;
    let maker = Maker::new(63);
    let (case, brouwer) = (maker.id(), resident("Brouwer", "E."));
    let message = about(&maker, &brouwer, |draft| draft.case = case)?;
    store.take_in(vec![admitted(&message, now())?, maker.admitted(partner(2)?)?]).await?;
    let by = |name: &str, minutes, what| {
        let why = Why::new(Reason::Dossier, None, Some(case))?;
        anyhow::Ok(Access { who: Actor::person("balie", Some(name))?, what, why, when: later(minutes) })
    };
    let shown = store.view(by("Jansen", 1, Deed::Inzien)?, &[0]).await?;
    assert_eq!(shown[0].content.as_deref(), Ok(message.compact()));
    let leaf = store.leaves(2, 1).await?.remove(0);
    let logged = Entry::of_leaf(&leaf)?;
    assert!(matches!(logged, Entry::Raadpleging { tijd, .. } if tijd == later(1)), "{logged:?}");
    store.view(somebody(Deed::Inzien)?, &[1]).await?;
    let found = store.search(by("Smit", 2, Deed::Zoeken)?, &person("Brouwer", "E.")?).await?;
    assert_eq!(found.access, 4);
    assert_eq!(store.record_decision(by("Jansen", 3, Deed::Besluit)?, Decision::Wissen, &[0]).await?, 5);
    let missing = store.view(somebody(Deed::Inzien)?, &[99]).await;
    assert!(matches!(missing, Err(StoreError::NotFound(_))));
    assert_eq!(store.log_size().await?, 6, "nobody saw what is not there");

    // Reading the access log is in it too, after these.
    let all = AccessFilter { limit: 100, before: Some(6), ..AccessFilter::default() };
    let filters = [
        (all.clone(), vec![5, 4, 3, 2]),
        (AccessFilter { message: Some(1), ..all.clone() }, vec![4, 3]),
        (AccessFilter { case: Some(case), ..all.clone() }, vec![5, 4, 2]),
        (AccessFilter { by: Some("Jansen".into()), ..all.clone() }, vec![5, 2]),
        (AccessFilter { by: Some("balie".into()), ..all.clone() }, vec![5, 4, 2]),
        (AccessFilter { from: Some(later(2)), ..all.clone() }, vec![5, 4]),
        (AccessFilter { until: Some(later(2)), ..all.clone() }, vec![3, 2]),
        (AccessFilter { message: Some(0), by: Some("Smit".into()), ..all.clone() }, vec![4]),
        (AccessFilter { limit: 1, ..all.clone() }, vec![5]),
        (AccessFilter { before: Some(4), ..all.clone() }, vec![3, 2]),
    ];
    for (filter, expected) in filters {
        let before = store.log_size().await?;
        let records = store.accesses(somebody(Deed::Raadplegingen)?, filter.clone()).await?.records;
        let found: Vec<u64> = records.iter().map(|record| record.index).collect();
        assert_eq!(found, expected, "{filter:?}");
        assert_eq!(store.log_size().await?, before + 1, "reading it is logged");
    }
    let records = store.accesses(somebody(Deed::Raadplegingen)?, all).await?.records;
    let first = records.last().context("a record")?;
    assert_eq!(
        (first.who.employee(), first.what, first.why.case),
        (Some("Jansen"), Deed::Inzien, Some(case))
    );
    assert_eq!((first.when, first.messages.as_slice()), (later(1), &[0][..]));
    for record in &records {
        assert!(store.check_access(record.index).await?);
    }
    Ok(())
}

/// The accesses about this person, without that these are read.
async fn about_person(store: &Store, person: &Identity) -> Result<Vec<AccessRecord>> {
    let filter = AccessFilter { person: Some(person.clone()), limit: 100, ..AccessFilter::default() };
    let mut found = store.accesses(somebody(Deed::Raadplegingen)?, filter).await?.records;
    found.retain(|record| record.what != Deed::Raadplegingen);
    Ok(found)
}

fn places(records: &[AccessRecord]) -> Vec<u64> {
    records.iter().map(|record| record.index).collect()
}

/// Who looked at a message about a person is found by that person once nothing is left of it, however the name is written;
/// and not by a twin.
pub async fn finds_who_looked_after_erasing(database: &impl Database) -> Result<()> {
    let store = database.create().await?;
    let maker = Maker::new(64);
    let case = maker.id();
    let message = about(&maker, &resident("van den Brouwer", "E.J."), |draft| draft.case = case)?;
    store.take_in(vec![admitted(&message, now())?]).await?;
    // Names nobody, and is about whom its case is about.
    store.queue(maker.changed(partner(1)?, 1, |draft| draft.case = case)?).await?;
    store.view(somebody(Deed::Inzien)?, &[0]).await?;
    store.view(somebody(Deed::Uitvoer)?, &[1]).await?;
    store.search(somebody(Deed::Zoeken)?, &person("Brouwer", "E.")?).await?;
    store.erase_case(case, ErasureCause::Request, now()).await?;
    let store = {
        drop(store);
        database.open().await?
    };
    for person in [person("Brouwer", "E.")?, person("BROUWER", "e")?] {
        let found = about_person(&store, &person).await?;
        assert_eq!(places(&found), [4, 3, 2]);
        let searched: Vec<bool> = found.iter().map(|record| record.searched_person).collect();
        assert_eq!(searched, [true, false, false]);
    }
    assert_eq!(places(&about_person(&store, &person("Brouwer", "A.")?).await?), [] as [u64; 0]);
    Ok(())
}

/// What is shown because it may be about whom somebody looks for is on record, as that, and found by message and by whom
/// it is about.
pub async fn keeps_what_was_shown_as_perhaps(database: &impl Database) -> Result<()> {
    let store = database.create().await?;
    let maker = Maker::new(69);
    let message = about(&maker, &resident("van den Brouwer", "E.J."), |_| {})?;
    store.take_in(vec![admitted(&message, now())?]).await?;
    let mut resembles = resident("Brouwer", "E.");
    resembles["naam"] = json!({ "achternaam": "Brouwer" });
    let resembles = Identity::read(&resembles).context("a person")?;
    assert_eq!(search(&store, &resembles).await?, (vec![], vec![0]));
    let of_message = AccessFilter { message: Some(0), limit: 100, ..AccessFilter::default() };
    let by_message = store.accesses(somebody(Deed::Raadplegingen)?, of_message).await?.records;
    for found in [by_message, about_person(&store, &person("Brouwer", "E.")?).await?] {
        assert_eq!(places(&found), [1]);
        assert_eq!((found[0].messages.as_slice(), found[0].perhaps.as_slice()), (&[][..], &[0][..]));
        assert!(found[0].searched_person);
    }
    assert_eq!(places(&about_person(&store, &person("Brouwer", "A.")?).await?), [] as [u64; 0]);
    assert_eq!(store.accessed(1).await?.messages, [0]);
    Ok(())
}

/// Who decided to send something is kept in the same breath, with the numbers, and found by whom it was about when all of it
/// was erased. What was sent before is no decision.
pub async fn keeps_who_sent_with_what_it_became(database: &impl Database) -> Result<()> {
    let store = database.create().await?;
    let maker = Maker::new(65);
    let offer = |names: &[&str]| -> Result<(Vec<Outgoing>, Decided)> {
        let messages = maker.changed(partner(1)?, names.len(), |_| {})?;
        let messages = messages.into_iter().zip(names);
        let row =
            |(message, name): (_, &&str)| Outgoing::from(message).of_row(store.intake_key(name.as_bytes()));
        let about = names.iter().map(|name| person(name, "E.").map(Some)).collect::<Result<_>>()?;
        let access = somebody(Deed::Besluit)?;
        Ok((messages.map(row).collect(), Decided { access, about, also: vec![person("Kan-Niet", "E.")?] }))
    };
    let rules = store.rules_version().await?;
    let (messages, decided) = offer(&["Brouwer", "Jansen"])?;
    let queued = store.enqueue_decided(rules, (messages, Vec::new()), decided).await?;
    assert_eq!(queued, [Enqueued::Queued { index: 0 }, Enqueued::Queued { index: 1 }]);
    assert_eq!(store.log_size().await?, 3, "with the decision");
    let (messages, decided) = offer(&["Jansen", "Smit"])?;
    let queued = store.enqueue_decided(rules, (messages, Vec::new()), decided).await?;
    assert_eq!(queued, [Enqueued::AlreadyOffered { index: 1 }, Enqueued::Queued { index: 3 }]);
    // Nothing came of it: whom else it was about counts with what is held back.
    let (messages, decided) = offer(&["Jansen", "Smit"])?;
    store.enqueue_decided(rules, (messages, Vec::new()), Decided { also: Vec::new(), ..decided }).await?;
    assert_eq!(store.log_size().await?, 5);
    let (messages, decided) = offer(&["Jansen"])?;
    let nobody = Decided { about: Vec::new(), ..decided };
    let refused = store.enqueue_decided(rules, (messages, Vec::new()), nobody).await;
    assert!(matches!(refused, Err(StoreError::NotFound(_))), "{refused:?}");

    store.erase(vec![0, 1, 3], ErasureCause::Request, now()).await?;
    for (name, expected) in
        [("Brouwer", vec![2]), ("Jansen", vec![2]), ("Smit", vec![4]), ("Kan-Niet", vec![4, 2])]
    {
        let found = about_person(&store, &person(name, "E.")?).await?;
        assert_eq!(places(&found), expected, "{name}");
        assert!(found.iter().all(|record| record.decision == Some(Decision::Versturen)));
    }
    let all = AccessFilter { limit: 100, ..AccessFilter::default() };
    let records = store.accesses(somebody(Deed::Raadplegingen)?, all).await?.records;
    let sent: Vec<&[u64]> = records
        .iter()
        .filter(|record| record.decision.is_some())
        .map(|record| record.messages.as_slice())
        .collect();
    assert_eq!(sent, [&[3][..], &[0, 1][..]]);
    for record in &records {
        assert!(store.check_access(record.index).await?);
    }
    Ok(())
}

/// That a case is erased is decided once, about these messages and their persons.
pub async fn keeps_who_erased_a_case(database: &impl Database) -> Result<()> {
    let store = database.create().await?;
    let maker = Maker::new(66);
    let case = maker.id();
    let message = about(&maker, &resident("Brouwer", "E."), |draft| draft.case = case)?;
    store.take_in(vec![admitted(&message, now())?, maker.admitted(partner(2)?)?]).await?;
    let erase = async || {
        store
            .erase_case_decided(somebody(Deed::Besluit)?, case, ErasureCause::Request)
            .await
            .map_err(anyhow::Error::from)
    };
    assert_eq!(erase().await?.messages, 1);
    let size = store.log_size().await?;
    assert_eq!((erase().await?.messages, store.log_size().await?), (0, size), "nothing was decided");
    let found = about_person(&store, &person("Brouwer", "E.")?).await?;
    assert_eq!((places(&found), found[0].decision), (vec![2], Some(Decision::Wissen)));
    assert_eq!(found[0].messages, [0]);
    Ok(())
}
