//! The agreements that are stored here: what messages rest on them, and whose keys they give.

use std::collections::HashMap;

use exchange::{
    agreement::Agreement, digest::Digest, oin::Oin, policy::rules_of, purpose::Purpose, tlog::LogVerifier,
};

use crate::{
    error::StoreError,
    sqlite::verify_records::{self as records, StoredTexts},
    store::Store,
};

/// Agreements that are read: those that are over stay here for ever, and a node has a few hundred in practice. What rests on
/// others is then said to be missing, and not to be whole.
const MAX_AGREEMENTS: usize = 1 << 16;

/// Every agreement that is what its digest says.
pub(super) struct Agreements(HashMap<Digest, Known>);

/// One of them.
struct Known {
    agreement: Agreement,
    /// What its purposes are called, the digest of the rules under each, and how long something may be kept under that.
    rules: Vec<(String, Digest, u32)>,
}

/// What is wrong with the texts of an agreement.
pub(super) enum Texts {
    /// That of the agreement itself was changed.
    Other,
    /// That of a purpose was changed, or is missing, or there are more than the agreement names.
    OtherPurpose,
}

impl Agreements {
    pub(super) async fn read(store: &Store) -> Result<Self, StoreError> {
        let mut reader = store.0.readers.acquire().await?;
        let mut known = HashMap::new();
        for digest in records::agreement_digests(&mut reader, MAX_AGREEMENTS).await? {
            let Some(stored) = records::agreement(&mut reader, &digest).await? else { continue };
            if let Ok((agreement, purposes)) = texts(digest, &stored) {
                let rules = purposes.iter().map(|purpose| {
                    let content = purpose.content();
                    (content.doel.clone(), rules_of(digest, purpose.digest()), content.bewaartermijn_dagen)
                });
                let rules = rules.collect();
                known.insert(digest, Known { agreement, rules });
            }
        }
        Ok(Self(known))
    }

    /// For how many days something may be kept that these rules allowed under this agreement for this purpose; nothing when
    /// the agreement has no such purpose.
    pub(super) fn days(&self, agreement: Digest, purpose: &str, rules: Digest) -> Option<u32> {
        let known = self.0.get(&agreement)?;
        known
            .rules
            .iter()
            .find(|(name, digest, _)| name == purpose && *digest == rules)
            .map(|(_, _, days)| *days)
    }

    /// What a text says that somebody must have signed, with a key that some agreement gives them.
    pub(super) fn signed<T>(&self, read: impl Fn(&Agreement) -> Option<T>) -> Option<T> {
        self.0.values().find_map(|known| read(&known.agreement))
    }

    /// The keys of the log of an organisation.
    pub(super) fn log_keys(&self, oin: Oin) -> Vec<LogVerifier> {
        let mut keys: Vec<LogVerifier> = Vec::new();
        for key in self.0.values().filter_map(|known| known.agreement.log_key(oin)) {
            if keys.iter().all(|known| known.to_string() != key.to_string()) {
                keys.push(key.clone());
            }
        }
        keys
    }
}

/// What is stored of the agreement of this digest, if that is what it was.
pub(super) fn texts(digest: Digest, stored: &StoredTexts) -> Result<(Agreement, Vec<Purpose>), Texts> {
    let agreement = Agreement::parse(&stored.content).ok().filter(|one| one.digest() == digest);
    let agreement = agreement.ok_or(Texts::Other)?;
    let clauses = &agreement.content().afspraken;
    let purposes: Vec<Purpose> =
        stored.purposes.iter().filter_map(|(_, text)| Purpose::from_json(text).ok()).collect();
    // One for each clause, in their order.
    let same = stored.purposes.len() == clauses.len()
        && purposes.len() == clauses.len()
        && clauses.iter().zip(&purposes).zip(&stored.purposes).all(|((clause, purpose), (digest, _))| {
            purpose.digest() == clause.doel_digest
                && purpose.content().doel == clause.doel
                && *digest == Some(clause.doel_digest)
        });
    if same { Ok((agreement, purposes)) } else { Err(Texts::OtherPurpose) }
}
