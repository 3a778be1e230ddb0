//! Validity against the published schemas, told in one sentence.

use schemas::SchemaName;
use serde_json::Value;

/// What is wrong with `value` by the schema, field by field, in Dutch.
pub(crate) fn against(schema: SchemaName, value: &Value) -> Result<(), String> {
    schemas::validate(schema, value)
        .map_err(|violations| violations.iter().map(ToString::to_string).collect::<Vec<_>>().join("; "))
}
