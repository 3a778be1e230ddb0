use exchange::person::Identity;
use serde_json::json;

use super::{Tokeniser, Tokens};
use crate::key::StorageKey;

fn tokens(storage: u8, salt: u8, number: &str) -> Tokens {
    let tokeniser = Tokeniser::new(&StorageKey::from_bytes([storage; 32]), &[salt; 32]).unwrap();
    tokeniser.tokens(&Identity::read(&json!({ "bsn": number })).unwrap())
}

#[test]
fn tokens_are_of_one_person_one_key_and_one_database() {
    let one = tokens(1, 1, "999990342");
    assert_eq!(one, tokens(1, 1, "999990342"));
    assert_eq!((one.bsn.is_some(), one.place), (true, None));
    assert_ne!(one, tokens(1, 1, "123456782"));
    assert_ne!(one, tokens(2, 1, "999990342"), "another storage key");
    assert_ne!(one, tokens(1, 2, "999990342"), "another database under the same key");
}
