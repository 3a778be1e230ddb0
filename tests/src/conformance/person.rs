//! Finding residents, and who saw what.

use anyhow::{Context as _, Result};
use exchange::{
    entry::{Entry, ErasureCause},
    message::{Draft, SignedMessage},
    person::Identity,
};
use schemas::{Document, SchemaName};
use serde_json::{Value, json};
use store::{Access, AccessFilter, Actor, Deed, Found, Reason, Store, StoreError, Why, Withheld};

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
    assert_eq!(store.record_decision(by("Jansen", 3, Deed::Besluit)?, &[0]).await?, 5);
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
