//! Files of local systems, by the mapping that comes with the program: every row ends as a document or with reasons.

#![no_main]

use std::sync::OnceLock;

use adapters::Mapping;

static MAPPING: OnceLock<Mapping> = OnceLock::new();
libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    let mapping = MAPPING.get_or_init(|| {
        let text = include_str!("../../../config/adapters/woningcorporatie-achterstanden.toml");
        Mapping::parse(text, "mapping").expect("the mapping of the project")
    });
    let Ok(records) = adapters::read(mapping, data) else { return };
    for record in records {
        let Ok(record) = record else { return };
        assert!(record.outcome.is_ok_and(|document| !document.json().is_empty()) || record.line > 0);
    }
});
