//! Agreements, purposes and descriptors from partners.

#![no_main]

use exchange::{agreement::Agreement, descriptor::Descriptor, purpose::Purpose};
libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    let Ok(text) = std::str::from_utf8(data) else { return };
    if let Ok(agreement) = Agreement::parse(text) {
        assert_eq!(Agreement::parse(agreement.text()).expect("canonical").digest(), agreement.digest());
    }
    if let Ok(purpose) = Purpose::from_json(text) {
        assert_eq!(Purpose::from_json(purpose.text()).expect("canonical").digest(), purpose.digest());
    }
    let _ = Purpose::from_toml(text);
    let _ = Descriptor::verify(text);
});
