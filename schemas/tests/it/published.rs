//! What every published schema promises: 2020-12, closed, limited, described and annotated.

use schemas::{BasisKind, Category, LifeDomain, SchemaName};
use serde_json::{Map, Value};

/// The published schemas by name, with the shared definitions.
fn published() -> Vec<(String, Value)> {
    let mut all: Vec<(String, Value)> = schemas::all()
        .map(|schema| (schema.to_string(), serde_json::from_str(schemas::source(schema)).unwrap()))
        .collect();
    all.push(("begrippen".to_owned(), serde_json::from_str(schemas::vocabulary()).unwrap()));
    all
}

/// Calls `visit` with the pointer and the subschema, for every subschema.
fn walk(pointer: &str, schema: &Value, visit: &mut dyn FnMut(&str, &Map<String, Value>)) {
    let Value::Object(fields) = schema else { return };
    visit(pointer, fields);
    for keyword in ["properties", "$defs"] {
        for (name, child) in fields.get(keyword).and_then(Value::as_object).into_iter().flatten() {
            walk(&format!("{pointer}/{keyword}/{name}"), child, visit);
        }
    }
    for keyword in ["items", "additionalProperties", "propertyNames", "if", "then", "else", "not"] {
        walk(&format!("{pointer}/{keyword}"), fields.get(keyword).unwrap_or(&Value::Null), visit);
    }
    for keyword in ["allOf", "anyOf", "oneOf"] {
        for (index, child) in fields.get(keyword).and_then(Value::as_array).into_iter().flatten().enumerate()
        {
            walk(&format!("{pointer}/{keyword}/{index}"), child, visit);
        }
    }
}

/// Every subschema that describes a field: a named property, an item, a definition.
fn each_field(mut visit: impl FnMut(&str, &Map<String, Value>)) {
    for (name, schema) in published() {
        walk("", &schema, &mut |pointer, fields| {
            let path: Vec<&str> = pointer.split('/').collect();
            // Conditions repeat fields that are described where they belong.
            let condition = path.iter().any(|step| matches!(*step, "if" | "then" | "else" | "not" | "anyOf"));
            let describes = match path.as_slice() {
                [.., "properties" | "$defs", _] | [.., "items" | "additionalProperties"] => true,
                other => other == [""],
            };
            if describes && !condition {
                visit(&format!("{name}#{pointer}"), fields);
            }
        });
    }
}

#[test]
fn every_schema_is_json_schema_2020_12() {
    for (name, schema) in published() {
        assert_eq!(schema["$schema"], "https://json-schema.org/draft/2020-12/schema", "{name}");
        assert_eq!(schema["$id"], format!("urn:schakel:schema:{name}:1").as_str());
        assert!(jsonschema::draft202012::meta::is_valid(&schema), "{name}");
    }
}

#[test]
fn every_published_file_is_embedded() {
    let files = crate::files(&crate::folder("v1"));
    assert_eq!(files.len(), published().len());
}

#[test]
fn every_field_says_what_it_is_and_where_that_comes_from() {
    each_field(|place, fields| {
        for key in ["description", "x-bron"] {
            let words = fields.get(key).and_then(Value::as_str);
            // The vocabulary as a whole describes no document.
            let exempt = place == "begrippen#" && key == "x-bron";
            assert!(exempt || words.is_some_and(|words| words.len() > 2), "{place} lacks {key}");
        }
    });
}

#[test]
fn every_leaf_says_what_kind_of_data_it_is() {
    each_field(|place, fields| {
        let leaf = fields.contains_key("enum")
            || fields.contains_key("const")
            || fields.get("type").is_some_and(|kind| kind != "object" && kind != "array");
        let open = place == "bericht#/properties/data";
        if leaf || open {
            let category = fields.get("x-categorie").and_then(Value::as_str);
            assert!(Category::ALL.iter().any(|c| Some(c.as_str()) == category), "{place}");
        }
        if let Some(domain) = fields.get("x-leefgebied").and_then(Value::as_str) {
            assert!(LifeDomain::ALL.iter().any(|d| d.as_str() == domain), "{place}");
        }
    });
}

#[test]
fn every_object_is_closed() {
    each_field(|place, fields| {
        if fields.get("type").is_none_or(|kind| kind != "object") || place == "bericht#/properties/data" {
            return;
        }
        let named = fields.get("additionalProperties") == Some(&Value::Bool(false));
        // Names that the purpose register decides; their form and number are still limited.
        let limited = fields.contains_key("propertyNames") && fields.contains_key("maxProperties");
        assert!(named || limited, "{place}");
    });
}

#[test]
fn every_text_list_and_number_has_a_limit() {
    each_field(|place, fields| {
        let limits: &[&str] = match fields.get("type").and_then(Value::as_str) {
            Some("string") => &["minLength", "maxLength"],
            Some("array") => &["items", "maxItems"],
            Some("integer") => &["minimum", "maximum"],
            Some("number") => panic!("{place}: amounts are whole cents"),
            _ => &[],
        };
        for limit in limits {
            assert!(fields.contains_key(*limit), "{place} lacks {limit}");
        }
        let largest = fields.get("maximum").and_then(Value::as_u64).unwrap_or(0);
        assert!(largest < 1 << 53, "{place}: not every JSON reader can hold this");
    });
}

#[test]
fn every_text_is_checked_beyond_its_length() {
    each_field(|place, fields| {
        if fields.get("type").is_some_and(|kind| kind == "string") {
            assert!(fields.contains_key("format") || fields.contains_key("pattern"), "{place}");
        }
        if fields.contains_key("pattern") {
            assert!(fields.contains_key("x-verwacht"), "{place}: a pattern is no explanation");
        }
    });
}

#[test]
fn the_annotated_words_are_the_words_of_the_vocabulary() {
    let vocabulary: Value = serde_json::from_str(schemas::vocabulary()).unwrap();
    let options = |name: &str| vocabulary["$defs"][name]["enum"].as_array().unwrap().clone();
    let domains: Vec<Value> = LifeDomain::ALL.iter().map(|domain| domain.as_str().into()).collect();
    assert_eq!(options("leefgebied"), domains);
    // `proces` is always allowed, so nobody needs to name it.
    let categories: Vec<Value> =
        Category::ALL.iter().skip(1).map(|category| category.as_str().into()).collect();
    assert_eq!(options("categorie"), categories);
    let types: Vec<Value> = schemas::all().filter_map(SchemaName::message_type).map(Value::from).collect();
    assert_eq!(options("berichttype"), types);
}

#[test]
fn the_translation_table_is_complete() {
    let table = std::fs::read_to_string(crate::folder("README.md")).unwrap();
    let row = |code: String, wire: &str| {
        let (code, wire) = (format!("`{code}`"), format!("`{wire}`"));
        let found =
            table.lines().any(|line| line.starts_with('|') && line.contains(&code) && line.contains(&wire));
        assert!(found, "{code} {wire}");
    };
    for schema in schemas::all() {
        row(format!("{schema:?}"), schema.message_type().unwrap_or(schema.as_str()));
        row(format!("{schema:?}"), schema.as_str());
    }
    for category in Category::ALL {
        row(format!("{category:?}"), category.as_str());
    }
    for domain in LifeDomain::ALL {
        row(format!("{domain:?}"), domain.as_str());
    }
    for word in ["toestemming", "overeenkomst", "wettelijke-verplichting", "vitaal-belang", "publieke-taak"] {
        let kind: BasisKind = serde_json::from_value(word.into()).unwrap();
        row(format!("{kind:?}"), word);
    }
}
