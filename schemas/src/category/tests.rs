//! The words of the wire, the enums and serde agree.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use super::*;

#[test]
fn categories_read_and_write_their_own_name() {
    for (index, category) in Category::ALL.into_iter().enumerate() {
        assert_eq!(category as usize, index);
        let json = serde_json::to_string(&category).unwrap();
        assert_eq!(json, format!("\"{category}\""));
        assert_eq!(serde_json::from_str::<Category>(&json).unwrap(), category);
    }
}

#[test]
fn life_domains_read_and_write_their_own_name() {
    for (index, domain) in LifeDomain::ALL.into_iter().enumerate() {
        assert_eq!(domain as usize, index);
        let json = serde_json::to_string(&domain).unwrap();
        assert_eq!(json, format!("\"{domain}\""));
        assert_eq!(serde_json::from_str::<LifeDomain>(&json).unwrap(), domain);
    }
}

#[test]
fn health_addiction_and_justice_are_special() {
    let special: Vec<&str> =
        Category::ALL.into_iter().filter(|category| category.is_special()).map(Category::as_str).collect();
    assert_eq!(special, ["gezondheid", "verslaving", "justitie"]);
}
