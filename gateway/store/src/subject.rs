//! Finding the resident of a message without an index of residents.
//!
//! A token is a quarter of an HMAC over a normalised key of [`Identity`], under a key that is derived from the storage key
//! with a salt of this database. Who has the database and not the storage key learns which messages may be about the
//! same person, and not who that is: numbers and addresses are too few to keep them from guessing without a key. A token
//! only says where to look; the message itself, opened, says whether it is this person.

use aws_lc_rs::hmac;
use exchange::person::{Identity, LookupKeys};

use crate::{
    error::StoreError,
    key::{StorageKey, subject_key},
};

/// Enough that among hundreds of millions of persons hardly two share one by chance; when two do, that is found out when
/// the message is opened.
const TOKEN_BYTES: usize = 8;

/// One kind of key of a person.
pub(crate) type Token = [u8; TOKEN_BYTES];

/// The tokens of a person, or of the person of a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Tokens {
    /// Of the number.
    pub(crate) bsn: Option<Token>,
    /// Of the date of birth with the address.
    pub(crate) place: Option<Token>,
}

impl Tokens {
    /// Those that there are, each once in its place.
    pub(crate) const fn all(self) -> [Option<Token>; 2] {
        [self.bsn, self.place]
    }
}

/// Makes tokens.
pub(crate) struct Tokeniser(hmac::Key);

impl Tokeniser {
    pub(crate) fn new(storage: &StorageKey, salt: &[u8]) -> Result<Self, StoreError> {
        Ok(Self(subject_key(storage, salt)?))
    }

    /// The tokens of the resident of a message.
    pub(crate) fn of_message(&self, keys: &LookupKeys) -> Tokens {
        let token = |key: &Option<Vec<u8>>| key.as_deref().map(|key| self.token(key));
        Tokens { bsn: token(&keys.bsn), place: token(&keys.place) }
    }

    /// The tokens by which to find a person.
    pub(crate) fn tokens(&self, identity: &Identity) -> Tokens {
        Tokens {
            bsn: identity.bsn_key().map(|key| self.token(&key)),
            place: identity.place_key().map(|key| self.token(&key)),
        }
    }

    /// By what those are found that this person may resemble, the likeliest first.
    pub(crate) fn near(&self, identity: &Identity) -> Vec<Token> {
        identity.near_keys().iter().map(|key| self.token(key)).collect()
    }

    /// By what it is found again that this person was looked for: exactly this one, and not who else was born on that day
    /// and lives there.
    pub(crate) fn searched(&self, identity: &Identity) -> Vec<Token> {
        [identity.bsn_key(), identity.person_key()]
            .into_iter()
            .flatten()
            .map(|key| self.token(&key))
            .collect()
    }

    fn token(&self, key: &[u8]) -> Token {
        let mut token = [0; TOKEN_BYTES];
        token.copy_from_slice(&hmac::sign(&self.0, key).as_ref()[..TOKEN_BYTES]);
        token
    }
}

#[cfg(test)]
mod tests;
