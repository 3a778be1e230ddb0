//! Answers of partners: a receipt that does not verify proves nothing, whatever it says.

#![no_main]

use exchange::{receipt::Receipt, tlog::LogVerifier};

/// The key of some log.
const KEY: &str = "schakel/00000099000000001000+f77fa45e+AddamAGCsQq31Uv+08lkBzoO4XLz2qYjJa8CGmj3B1Ea";
libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    let Ok(key) = KEY.parse::<LogVerifier>() else { return };
    if let Ok(receipt) = serde_json::from_slice::<Receipt>(data) {
        assert!(receipt.verify(&key).is_err());
    }
});
