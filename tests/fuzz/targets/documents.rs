//! Data of messages, against every schema. The first byte picks the schema.

#![no_main]

use schemas::{Document, SchemaName};
libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    let Some((first, json)) = data.split_first() else { return };
    let schemas: Vec<SchemaName> = SchemaName::all().collect();
    if let Ok(document) = Document::parse(schemas[usize::from(*first) % schemas.len()], json) {
        let again = Document::parse(document.schema(), document.json().as_bytes())
            .expect("what is valid stays valid");
        assert_eq!(again.json(), document.json());
        assert_eq!(again.uses(), document.uses());
    }
});
