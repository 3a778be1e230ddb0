//! Partners and agreements.

use anyhow::Result;
use exchange::digest::Digest;
use store::{PartnerRecord, StoreError};

use super::{
    Database,
    given::{later, now, partner},
};

fn record(number: usize, descriptor: &str) -> Result<PartnerRecord> {
    Ok(PartnerRecord {
        oin: partner(number)?,
        name: format!("Partner {number}"),
        kind: "gemeente".into(),
        descriptor: descriptor.into(),
        added: later(i64::try_from(number)?),
    })
}

/// Partners are added, replaced and removed.
pub async fn keeps_partners(database: &impl Database) -> Result<()> {
    let store = database.create().await?;
    for number in [3, 1, 2] {
        store.put_partner(record(number, "first")?).await?;
    }
    let later = PartnerRecord { added: later(99), ..record(2, "second")? };
    store.put_partner(later).await?;
    assert_eq!(store.partners().await?, [record(1, "first")?, record(2, "second")?, record(3, "first")?]);
    assert_eq!(store.partner(partner(3)?).await?, Some(record(3, "first")?));
    assert!(store.remove_partner(partner(3)?).await?);
    assert!(!store.remove_partner(partner(3)?).await?);
    assert_eq!(store.partner(partner(3)?).await?, None);
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
        assert_eq!(store.put_answer(digest, partner(number)?, jws.into(), Vec::new()).await?, new);
    }
    let unknown = store.put_answer(Digest::of(b"x"), partner(1)?, "yes".into(), Vec::new()).await;
    assert!(matches!(unknown, Err(StoreError::NotFound(_))));

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
    let digest = Digest::of(b"one");
    store.put_agreement(digest, "one".into(), Vec::new(), now()).await?;
    store.put_answer(digest, partner(1)?, "yes".into(), vec![partner(2)?, partner(3)?]).await?;
    store.put_answer(digest, partner(2)?, "me too".into(), vec![partner(3)?]).await?;
    let notices = store.undelivered_notices().await?;
    let found: Vec<_> =
        notices.iter().map(|notice| (notice.answered_by, notice.jws.as_str(), notice.to)).collect();
    let (one, two, three) = (partner(1)?, partner(2)?, partner(3)?);
    assert_eq!(found, [(one, "yes", two), (one, "yes", three), (two, "me too", three)]);
    store.notice_delivered(notices[1].number).await?;
    store.notice_delivered(notices[1].number).await?;
    drop(store);

    let store = database.open().await?;
    let left = store.undelivered_notices().await?;
    assert_eq!(left, [notices[0].clone(), notices[2].clone()]);
    assert_eq!(left[0].agreement, digest);
    // An answer that is known already is not told again.
    store.put_answer(digest, one, "yes".into(), vec![two, three]).await?;
    assert_eq!(store.undelivered_notices().await?.len(), 2);
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
            2 => drop(store.put_answer(digest, partner(1)?, "yes".into(), Vec::new()).await?),
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
