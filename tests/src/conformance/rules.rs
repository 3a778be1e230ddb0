//! Partners and agreements.

use anyhow::Result;
use exchange::{digest::Digest, message::Draft, oin::Oin, tlog::Leaf};
use store::{Filter, Outgoing, Owed, PartnerRecord, StoreError};

use super::{
    Database,
    agreed::{agreed, hold_back},
    given::{ALL, Maker, later, now, partner, queued, us},
};

fn record(number: usize, descriptor: &str) -> Result<PartnerRecord> {
    Ok(PartnerRecord {
        oin: partner(number)?,
        name: format!("Partner {number}"),
        kind: "gemeente".into(),
        descriptor: descriptor.into(),
        added: later(i64::try_from(number)?),
        seen: later(i64::try_from(number)?),
    })
}

/// An answer, with what the log says of it.
fn said(jws: &str) -> (String, Leaf) {
    (jws.to_owned(), Leaf::new(jws.into()))
}

/// Partners are added, replaced and removed.
pub async fn keeps_partners(database: &impl Database) -> Result<()> {
    let store = database.create().await?;
    for number in [3, 1, 2] {
        store.put_partner(record(number, "first")?).await?;
    }
    store.put_partner(PartnerRecord { added: later(99), seen: later(99), ..record(2, "second")? }).await?;
    let second = PartnerRecord { seen: later(99), ..record(2, "second")? };
    assert_eq!(store.partners().await?, [record(1, "first")?, second, record(3, "first")?]);
    assert_eq!(store.partner(partner(3)?).await?, Some(record(3, "first")?));
    assert!(store.remove_partner(partner(3)?).await?);
    assert!(!store.remove_partner(partner(3)?).await?);
    assert_eq!(store.partner(partner(3)?).await?, None);
    Ok(())
}

/// What a partner shows takes the place of what is known, unless that is something else by now.
pub async fn refreshes_what_is_still_known(database: &impl Database) -> Result<()> {
    let store = database.create().await?;
    store.put_partner(record(1, "first")?).await?;
    let version = store.rules_version().await?;
    let shown =
        |descriptor, at| Ok::<_, anyhow::Error>(PartnerRecord { seen: later(at), ..record(1, descriptor)? });
    assert!(store.refresh_partner("first".into(), shown("first", 5)?).await?);
    assert_eq!(store.rules_version().await?, version, "nothing to read again");
    assert_eq!(store.partner(partner(1)?).await?, Some(shown("first", 5)?));
    assert!(store.refresh_partner("first".into(), shown("second", 6)?).await?);
    assert_ne!(store.rules_version().await?, version);
    assert!(!store.refresh_partner("first".into(), shown("third", 7)?).await?);
    assert_eq!(store.partner(partner(1)?).await?, Some(shown("second", 6)?));
    store.remove_partner(partner(1)?).await?;
    assert!(!store.refresh_partner("second".into(), shown("third", 8)?).await?);
    assert_eq!(store.partner(partner(1)?).await?, None);
    Ok(())
}

/// An agreement never changes; answers add up.
pub async fn keeps_agreements_and_answers(database: &impl Database) -> Result<()> {
    let store = database.create().await?;
    let digest = Digest::of(b"one");
    let purposes = vec![(Digest::of(b"p"), "p".to_owned()), (Digest::of(b"a"), "a".to_owned())];
    assert!(store.put_agreement(digest, "one".into(), purposes.clone(), now()).await?);
    assert!(!store.put_agreement(digest, "other".into(), Vec::new(), later(1)).await?);
    assert!(store.put_agreement(Digest::of(b"two"), "two".into(), Vec::new(), later(1)).await?);
    for (number, jws, new) in
        [(2, "yes", true), (1, "yes too", true), (2, "yes", false), (2, "no longer", true)]
    {
        assert_eq!(store.put_answer(digest, partner(number)?, said(jws), Vec::new()).await?, new);
    }
    let unknown = store.put_answer(Digest::of(b"x"), partner(1)?, said("yes"), Vec::new()).await;
    assert!(matches!(unknown, Err(StoreError::NotFound(_))));
    let logged: Vec<Leaf> = ["yes", "yes too", "no longer"].map(|jws| said(jws).1).into();
    assert_eq!(store.leaves(0, 9).await?, logged, "each answer once, in the same breath");

    let agreements = store.agreements().await?;
    assert_eq!(agreements.len(), 2);
    assert_eq!((agreements[0].digest, agreements[0].content.as_str()), (digest, "one"));
    assert_eq!((&agreements[0].purposes, agreements[0].added), (&purposes, now()));
    let answers: Vec<_> = agreements[0].answers.iter().map(|(oin, jws)| (*oin, jws.as_str())).collect();
    assert_eq!(answers, [(partner(2)?, "yes"), (partner(1)?, "yes too"), (partner(2)?, "no longer")]);
    assert_eq!((agreements[1].content.as_str(), agreements[1].answers.len()), ("two", 0));
    Ok(())
}

/// Each answer is told to each other party until that has succeeded.
pub async fn tells_each_answer_to_each_party(database: &impl Database) -> Result<()> {
    let store = database.create().await?;
    let (digest, other) = (Digest::of(b"one"), Digest::of(b"two"));
    let (one, two, three) = (partner(1)?, partner(2)?, partner(3)?);
    store.put_agreement(digest, "one".into(), Vec::new(), now()).await?;
    store.put_agreement(other, "two".into(), Vec::new(), now()).await?;
    store.put_answer(digest, one, said("yes"), vec![two, three]).await?;
    let before = store.owed().await?;
    store.put_answer(digest, two, said("me too"), vec![three]).await?;
    store.put_answer(other, one, said("no"), vec![two]).await?;
    let owed = store.owed().await?;
    let all = [(two, digest), (three, digest), (two, other)];
    assert_eq!(parties(&owed), all);
    // What was owed when the telling began: an answer that came meanwhile is still to be told, and so is that to
    // another agreement.
    store.told(before[1]).await?;
    assert_eq!(parties(&store.owed().await?), [(two, digest), (three, digest), (two, other)]);
    store.told(before[0]).await?;
    store.told(before[0]).await?;
    drop(store);

    let store = database.open().await?;
    assert_eq!(parties(&store.owed().await?), [(three, digest), (two, other)]);
    // An answer that is known already is not told again.
    store.put_answer(digest, one, said("yes"), vec![two, three]).await?;
    assert_eq!(parties(&store.owed().await?), [(three, digest), (two, other)]);
    store.told(owed[1]).await?;
    assert_eq!(parties(&store.owed().await?), [(two, other)]);
    Ok(())
}

fn parties(owed: &[Owed]) -> Vec<(Oin, Digest)> {
    owed.iter().map(|one| (one.to, one.agreement)).collect()
}

/// An agreement that is forgotten is gone with its answers and with who was to hear of them, and no other is.
pub async fn forgets_one_agreement(database: &impl Database) -> Result<()> {
    let store = database.create().await?;
    let (digest, other) = (Digest::of(b"one"), Digest::of(b"two"));
    for (digest, content) in [(digest, "one"), (other, "two")] {
        let purposes = vec![(Digest::of(b"purpose"), "purpose".to_owned())];
        store.put_agreement(digest, content.into(), purposes, now()).await?;
        store.put_answer(digest, partner(1)?, said("yes"), vec![partner(2)?]).await?;
    }
    let version = store.rules_version().await?;
    assert!(store.forget_agreement(digest).await?);
    assert_ne!(store.rules_version().await?, version);
    assert!(!store.forget_agreement(digest).await?);
    drop(store);

    let store = database.open().await?;
    let left = store.agreements().await?;
    assert_eq!((left.len(), left[0].digest, left[0].purposes.len(), left[0].answers.len()), (1, other, 1, 1));
    assert_eq!(parties(&store.owed().await?), [(partner(2)?, other)]);
    // It may become known again.
    store.put_agreement(digest, "one".into(), Vec::new(), now()).await?;
    assert_eq!(store.agreements().await?.len(), 2);
    Ok(())
}

/// Whoever decides by the rules sees that they changed, in whichever process.
pub async fn shows_that_rules_changed(database: &impl Database) -> Result<()> {
    let store = database.create().await?;
    let other = database.open().await?;
    let digest = Digest::of(b"one");
    let mut version = other.rules_version().await?;
    for change in 0..4 {
        match change {
            0 => store.put_partner(record(1, "first")?).await?,
            1 => drop(store.put_agreement(digest, "one".into(), Vec::new(), now()).await?),
            2 => drop(store.put_answer(digest, partner(1)?, said("yes"), Vec::new()).await?),
            _ => drop(store.remove_partner(partner(1)?).await?),
        }
        let next = other.rules_version().await?;
        assert_ne!(next, version, "change {change}");
        version = next;
    }
    store.note_partner_reached(partner(1)?, now()).await?;
    store.append(vec![exchange::tlog::Leaf::new(Vec::new())]).await?;
    assert_eq!(other.rules_version().await?, version);
    Ok(())
}

/// What was decided by an older version of the rules is refused whole, and can be decided again.
pub async fn refuses_what_older_rules_decided(database: &impl Database) -> Result<()> {
    let store = database.create().await?;
    let maker = Maker::new(80);
    let older = store.rules_version().await?;
    // Another process changes them.
    database.open().await?.put_partner(record(1, "first")?).await?;
    let row = store.intake_key(b"row");
    let outgoing = || anyhow::Ok(vec![Outgoing::from(maker.outgoing(partner(1)?)?).of_row(row)]);
    let unmet =
        Draft { document: agreed()?.unmet.clone(), from: partner(1)?, to: us()?, ..maker.draft(us()?)? };
    let held_back = || anyhow::Ok(vec![hold_back(unmet.clone())?]);
    let arrivals =
        || anyhow::Ok(vec![maker.admitted(partner(1)?)?.arrival, maker.refused(partner(1)?)?.arrival]);
    let newer = store.rules_version().await?;
    assert_ne!(older, newer);
    for (messages, held_back) in
        [(outgoing()?, held_back()?), (outgoing()?, Vec::new()), (Vec::new(), held_back()?)]
    {
        assert_eq!(store.enqueue(older, messages, held_back).await, Err(StoreError::RulesChanged));
    }
    assert_eq!(store.file(older, arrivals()?).await.err(), Some(StoreError::RulesChanged));
    assert!(StoreError::RulesChanged.is_temporary());
    assert_eq!((store.log_size().await?, store.counts().await?), (0, Vec::new()));
    assert!(store.messages(Filter { limit: 10, ..Filter::default() }).await?.is_empty());
    assert!(store.lease_due(partner(1)?, now(), ALL).await?.is_none());

    // Nothing was kept, the row of the source included.
    let enqueued = store.enqueue(newer, outgoing()?, held_back()?).await?;
    assert_eq!(queued(&enqueued)?, [1]);
    store.file(newer, arrivals()?).await?;
    assert_eq!(store.log_size().await?, 4);
    Ok(())
}

/// Whoever decided by older rules fails alone, also when it shares its transaction with others.
pub async fn refuses_what_older_rules_decided_and_nothing_else(database: &impl Database) -> Result<()> {
    let store = database.create().await?;
    let maker = Maker::new(81);
    let older = store.rules_version().await?;
    store.put_partner(record(1, "first")?).await?;
    let newer = store.rules_version().await?;
    let mut waiting = Vec::new();
    for number in 0..40 {
        let rules = if number % 4 < 2 { newer } else { older };
        let (store, from) = (store.clone(), partner(number % 8)?);
        let messages: Vec<Outgoing> = maker.outgoings(from, 2)?.into_iter().map(Into::into).collect();
        let arrivals = maker.admitteds(from, 2)?.into_iter().map(|incoming| incoming.arrival).collect();
        waiting.push(tokio::spawn(async move {
            match number % 2 {
                0 => store.enqueue(rules, messages, Vec::new()).await.map(drop),
                _ => store.file(rules, arrivals).await.map(drop),
            }
        }));
    }
    for (number, result) in waiting.into_iter().enumerate() {
        let expected = if number % 4 < 2 { Ok(()) } else { Err(StoreError::RulesChanged) };
        assert_eq!(result.await?, expected, "operation {number}");
    }
    assert_eq!(store.log_size().await?, 40);
    assert_eq!(store.counts().await?.iter().map(|count| count.count).sum::<u64>(), 40);
    Ok(())
}
