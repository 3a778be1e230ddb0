#![allow(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::*;
use crate::api::{
    Role,
    routes::{Allowed, ROUTES},
};

fn reference() -> Value {
    serde_json::from_str(REFERENCE).unwrap()
}

/// Every operation: method, path, description.
fn operations(reference: &Value) -> Vec<(String, String, &Value)> {
    let paths = reference["paths"].as_object().unwrap();
    let of_path = |(path, methods): (&String, &'_ Value)| {
        let path = path.clone();
        let methods = methods.as_object().unwrap().clone();
        methods.into_iter().map(move |(method, _)| (method, path.clone())).collect::<Vec<_>>()
    };
    let all: Vec<(String, String)> = paths.iter().flat_map(of_path).collect();
    all.into_iter()
        .map(|(method, path)| {
            let operation = &reference["paths"][&path][&method];
            (method, path, operation)
        })
        .collect()
}

/// A schema of the document with everything that it refers to.
fn schema(reference: &Value, schema: &Value) -> jsonschema::Validator {
    let mut whole = schema.clone();
    whole["components"] = reference["components"].clone();
    jsonschema::draft202012::options().should_validate_formats(true).build(&whole).unwrap()
}

#[test]
fn every_route_is_described_and_nothing_else() {
    let reference = reference();
    let described: BTreeSet<(String, String)> =
        operations(&reference).into_iter().map(|(method, path, _)| (method, path)).collect();
    let served: BTreeSet<(String, String)> =
        documented().map(|(method, path)| (method, path.to_owned())).collect();
    assert_eq!(described, served);
}

#[test]
fn roles_bodies_and_parts_of_paths_are_described_as_they_are() {
    let reference = reference();
    for route in &ROUTES {
        let operation = &reference["paths"][&route.path[3..]][route.method.as_str().to_lowercase()];
        let described = operation["x-rollen"].as_array().map(|roles| {
            roles.iter().map(|role| role.as_str().unwrap().parse().unwrap()).collect::<BTreeSet<Role>>()
        });
        let roles = match route.allowed {
            Allowed::Anybody => None,
            Allowed::Roles(roles) => Some(roles.iter().copied().collect()),
        };
        assert_eq!(described, roles, "{}", route.path);
        assert_eq!(operation["security"] == json!([]), roles.is_none(), "{}", route.path);
        assert_eq!(operation.get("requestBody").is_some(), route.takes_body, "{}", route.path);
        let in_path = route.path.matches('{').count();
        let parameters = operation["parameters"].as_array().unwrap();
        let resolved = parameters.iter().map(|one| match one["$ref"].as_str() {
            Some(name) => reference.pointer(&name[1..]).unwrap(),
            None => one,
        });
        assert_eq!(resolved.filter(|one| one["in"] == "path").count(), in_path, "{}", route.path);
    }
}

#[test]
fn it_follows_the_design_rules() {
    let reference = reference();
    assert!(reference["openapi"].as_str().unwrap().starts_with("3.1."));
    assert_eq!(reference["servers"][0]["url"], "/v1");
    let mut names = BTreeSet::new();
    for (method, path, operation) in operations(&reference) {
        assert!(
            names.insert(operation["operationId"].as_str().unwrap().to_owned()),
            "{path}: an operationId of its own"
        );
        assert!(
            !path.ends_with('/') && path.bytes().all(|byte| !byte.is_ascii_uppercase() && byte != b'_'),
            "{path}"
        );
        let responses = operation["responses"].as_object().unwrap();
        assert!(!responses.contains_key("422"), "{method} {path}");
        assert!(responses.keys().any(|status| status.starts_with('2')), "{method} {path}");
        for one in operation["parameters"].as_array().unwrap().iter().filter(|one| one["in"] == "query") {
            let name = one["name"].as_str().unwrap();
            assert!(name.bytes().all(|byte| byte.is_ascii_alphanumeric()), "{path}: {name} in camelCase");
        }
    }
}

#[test]
fn every_reference_leads_somewhere() {
    fn walk(whole: &Value, value: &Value) {
        match value {
            Value::Object(members) => {
                if let Some(target) = members.get("$ref").and_then(Value::as_str) {
                    assert!(whole.pointer(&target[1..]).is_some(), "{target}");
                }
                members.values().for_each(|member| walk(whole, member));
            }
            Value::Array(values) => values.iter().for_each(|value| walk(whole, value)),
            _ => {}
        }
    }
    let reference = reference();
    walk(&reference, &reference);
}

#[test]
fn every_example_is_valid() {
    let reference = reference();
    let mut checked = 0;
    for (name, one) in reference["components"]["schemas"].as_object().unwrap() {
        let validator = schema(&reference, one);
        for example in one["examples"].as_array().into_iter().flatten() {
            let wrong: Vec<String> = validator.iter_errors(example).map(|error| error.to_string()).collect();
            assert!(wrong.is_empty(), "{name}: {wrong:?}");
            checked += 1;
        }
    }
    for (name, one) in reference["components"]["parameters"].as_object().unwrap() {
        assert!(schema(&reference, &one["schema"]).is_valid(&one["example"]), "{name}");
        checked += 1;
    }
    for (_, path, operation) in operations(&reference) {
        for one in operation["parameters"].as_array().unwrap().iter().filter(|one| one["schema"].is_object())
        {
            assert!(schema(&reference, &one["schema"]).is_valid(&one["example"]), "{path}: {}", one["name"]);
            checked += 1;
        }
    }
    assert!(checked > 40, "{checked}");
}

/// What is used as a body or an answer has an example.
#[test]
fn every_body_has_an_example() {
    let reference = reference();
    for (method, path, operation) in operations(&reference) {
        let answers = operation["responses"].as_object().unwrap().values();
        for one in answers.chain([&operation["requestBody"]]) {
            let schema = &one["content"]["application/json"]["schema"];
            if let Some(target) = schema["$ref"].as_str() {
                let schema = reference.pointer(&target[1..]).unwrap();
                assert!(schema["examples"].is_array(), "{method} {path}: {target}");
            }
        }
    }
}
