//! The table and the enum agree.

use super::*;

#[test]
fn every_name_is_its_own_index() {
    for (index, entry) in TABLE.iter().enumerate() {
        assert_eq!(entry.schema as usize, index, "{}", entry.name);
    }
}

#[test]
fn a_name_reads_back_from_all_its_spellings() {
    for schema in SchemaName::all() {
        assert_eq!(schema.as_str().parse(), Ok(schema));
        assert_eq!(SchemaName::of_urn(schema.urn()), Some(schema));
        if let Some(message_type) = schema.message_type() {
            assert_eq!(SchemaName::of_message_type(message_type), Some(schema));
        }
    }
    assert_eq!("Terugkoppeling".parse::<SchemaName>(), Err(UnknownName));
    assert_eq!(SchemaName::of_message_type(""), None);
    assert_eq!(SchemaName::of_urn("urn:schakel:schema:begrippen:1"), None);
}
