//! A document with some of its fields taken away.

use std::collections::BTreeSet;

use serde_json::{Map, Value};

/// `value` without what stands at `gone` (JSON pointers, by the places in `value`). An object or list that holds
/// nothing any more by that goes too: that it is there says something of itself.
pub(crate) fn without(value: &Value, gone: &BTreeSet<&str>) -> Value {
    kept(value, "", gone).unwrap_or_else(|| Value::Object(Map::new()))
}

fn kept(value: &Value, at: &str, gone: &BTreeSet<&str>) -> Option<Value> {
    if gone.contains(at) {
        return None;
    }
    match value {
        Value::Object(members) if !members.is_empty() => {
            let left = members
                .iter()
                .filter_map(|(name, one)| Some((name.clone(), kept(one, &member(at, name), gone)?)));
            let left: Map<String, Value> = left.collect();
            (!left.is_empty()).then_some(Value::Object(left))
        }
        Value::Array(items) if !items.is_empty() => {
            let left = items.iter().enumerate();
            let left: Vec<Value> =
                left.filter_map(|(index, one)| kept(one, &item(at, index), gone)).collect();
            (!left.is_empty()).then_some(Value::Array(left))
        }
        other => Some(other.clone()),
    }
}

/// The pointer to a member of the object at `above`.
pub(crate) fn member(above: &str, name: &str) -> String {
    format!("{above}/{}", name.replace('~', "~0").replace('/', "~1"))
}

/// The pointer to an item of the list at `above`.
pub(crate) fn item(above: &str, index: usize) -> String {
    format!("{above}/{index}")
}
