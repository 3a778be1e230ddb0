//! What kinds of data a document holds, read from the annotations in its schema.
//!
//! `x-categorie` on a field says what kind of data it is, `x-leefgebied` which life domain it, and
//! everything in it, is about. From these a tree is made per schema, once; a document is walked
//! along that tree. No list of fields is kept by hand, so a new field cannot be forgotten.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value};

use crate::category::{Category, LifeDomain};
use crate::registry::resolve;

/// What a document actually holds.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct DataUse {
    /// The kinds of data; [`Category::CitizenNumber`] among them if `bsn`.
    pub categories: BTreeSet<Category>,
    /// The life domains it says something about.
    pub life_domains: BTreeSet<LifeDomain>,
    /// Whether it holds a citizen service number.
    pub bsn: bool,
}

/// One field of a document that holds something: a value that is no object or list, or an empty one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Field {
    /// Where it is: a JSON pointer (RFC 6901) into the `data`. Names and places only, never a value.
    pub pointer: String,
    /// What it holds: one category, and the life domains it is about.
    pub uses: DataUse,
}

/// A set of categories and life domains; one bit each, by their place in the enum.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Marks {
    categories: u16,
    life_domains: u16,
}

impl Marks {
    fn add(&mut self, other: Marks) {
        self.categories |= other.categories;
        self.life_domains |= other.life_domains;
    }

    /// These marks, at a place within one with the marks `above`.
    fn under(self, above: Marks) -> Marks {
        Marks {
            categories: if self.categories == 0 { above.categories } else { self.categories },
            life_domains: self.life_domains | above.life_domains,
        }
    }

    fn read(schema: &Map<String, Value>) -> Marks {
        let word = |key| schema.get(key).and_then(Value::as_str);
        let category = Category::ALL.iter().position(|c| word("x-categorie") == Some(c.as_str()));
        let life_domain = LifeDomain::ALL.iter().position(|d| word("x-leefgebied") == Some(d.as_str()));
        Marks {
            categories: category.map_or(0, |bit| 1 << bit),
            life_domains: life_domain.map_or(0, |bit| 1 << bit),
        }
    }

    fn into_use(self) -> DataUse {
        let pick = |bits: u16, at: usize| bits & (1 << at) != 0;
        let categories: BTreeSet<Category> =
            Category::ALL.into_iter().filter(|c| pick(self.categories, *c as usize)).collect();
        DataUse {
            bsn: categories.contains(&Category::CitizenNumber),
            life_domains: LifeDomain::ALL
                .into_iter()
                .filter(|d| pick(self.life_domains, *d as usize))
                .collect(),
            categories,
        }
    }
}

/// The annotations of one schema, as a tree with the shape of its documents.
#[derive(Debug, Default)]
pub(crate) struct Annotations {
    marks: Marks,
    properties: BTreeMap<String, Annotations>,
    /// For properties that the schema does not name (`additionalProperties` as a schema).
    other: Option<Box<Annotations>>,
    items: Option<Box<Annotations>>,
}

impl Annotations {
    /// Gathers the annotations of an embedded schema and of what it refers to.
    pub(crate) fn of(root: &'static Value) -> Annotations {
        let base = root.get("$id").and_then(Value::as_str).unwrap_or_default();
        let mut tree = Annotations::default();
        tree.gather(base, root);
        tree
    }

    /// Adds what `schema` says about this place. All branches count, whether or not a document takes
    /// them: at worst a field is counted as something that it might have been.
    fn gather(&mut self, base: &str, schema: &Value) {
        let Value::Object(schema) = schema else { return };
        if let Some(reference) = schema.get("$ref").and_then(Value::as_str)
            && let Some((urn, target)) = resolve(base, reference)
        {
            self.gather(urn, target);
        }
        let own = Marks::read(schema);
        if own.categories != 0 {
            // Nearest wins: the e-mail address of a desk is not that of a resident.
            self.marks.categories = 0;
        }
        self.marks.add(own);
        for keyword in ["allOf", "anyOf", "oneOf"] {
            for branch in schema.get(keyword).and_then(Value::as_array).into_iter().flatten() {
                self.gather(base, branch);
            }
        }
        for keyword in ["if", "then", "else"] {
            self.gather(base, schema.get(keyword).unwrap_or(&Value::Null));
        }
        for (name, property) in schema.get("properties").and_then(Value::as_object).into_iter().flatten() {
            self.properties.entry(name.clone()).or_default().gather(base, property);
        }
        if let Some(other) = schema.get("additionalProperties").filter(|other| other.is_object()) {
            self.other.get_or_insert_default().gather(base, other);
        }
        if let Some(items) = schema.get("items") {
            self.items.get_or_insert_default().gather(base, items);
        }
    }

    /// What `document`, valid against the schema, holds.
    pub(crate) fn uses(&self, document: &Value) -> DataUse {
        let mut marks = Marks::default();
        self.visit(document, Marks::default(), &Step::Whole, &mut |_, leaf| marks.add(leaf));
        marks.into_use()
    }

    /// The same, field by field, in the order of the document.
    pub(crate) fn fields(&self, document: &Value) -> Vec<Field> {
        let mut fields = Vec::new();
        let mut note = |place: &Step<'_>, leaf: Marks| {
            fields.push(Field { pointer: place.pointer(), uses: leaf.into_use() });
        };
        self.visit(document, Marks::default(), &Step::Whole, &mut note);
        fields
    }

    /// Walks the fields that hold something: every value that holds no other. A field has the category that is nearest
    /// above it, and every life domain above it.
    fn visit(&self, value: &Value, above: Marks, place: &Step<'_>, leaf: &mut impl FnMut(&Step<'_>, Marks)) {
        let here = self.marks.under(above);
        match value {
            Value::Object(members) if !members.is_empty() => {
                for (name, member) in members {
                    let node = self.properties.get(name).or(self.other.as_deref()).unwrap_or(&NOTHING);
                    node.visit(member, here, &Step::Member(place, name), leaf);
                }
            }
            Value::Array(items) if !items.is_empty() => {
                let node = self.items.as_deref().unwrap_or(&NOTHING);
                for (index, item) in items.iter().enumerate() {
                    node.visit(item, here, &Step::Item(place, index), leaf);
                }
            }
            _ => leaf(place, here),
        }
    }
}

/// What is known of a place that the schema says nothing about.
static NOTHING: Annotations = Annotations {
    marks: Marks { categories: 0, life_domains: 0 },
    properties: BTreeMap::new(),
    other: None,
    items: None,
};

/// The way to a place in a document, from there back to the whole.
enum Step<'a> {
    Whole,
    Member(&'a Step<'a>, &'a str),
    Item(&'a Step<'a>, usize),
}

impl Step<'_> {
    /// The JSON pointer (RFC 6901).
    fn pointer(&self) -> String {
        match self {
            Step::Whole => String::new(),
            Step::Member(above, name) => crate::without::member(&above.pointer(), name),
            Step::Item(above, index) => crate::without::item(&above.pointer(), *index),
        }
    }
}

#[cfg(test)]
mod tests;
