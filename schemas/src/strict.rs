//! Reads JSON in the one way that leaves no room for two readings.
//!
//! The sender decides about a document and the receiver decides again. If their parsers could
//! disagree (two values under one key, a number that one rounds), a document could pass the one as
//! something else than the other sees. So what is ambiguous is refused here, before any schema.

use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, MapAccess, SeqAccess, Visitor};
use serde_json::map::Entry;
use serde_json::{Map, Value};

use crate::document::ParseError;
use crate::violation::{Segment, Violation, pointer};
use crate::{MAX_BYTES, MAX_DEPTH};

/// A value and its text without insignificant whitespace.
pub(crate) struct Parsed {
    pub(crate) value: Value,
    pub(crate) json: String,
}

/// Parses one JSON value within the limits on size and depth.
pub(crate) fn parse(bytes: &[u8]) -> Result<Parsed, ParseError> {
    if bytes.len() > MAX_BYTES {
        return Err(ParseError::TooLarge);
    }
    let text = std::str::from_utf8(bytes).map_err(|error| position(&bytes[..error.valid_up_to()]))?;
    let mut reader = Reader::default();
    let mut deserializer = serde_json::Deserializer::from_str(text);
    let value = Node { reader: &mut reader, depth: 1 }
        .deserialize(&mut deserializer)
        .and_then(|value| deserializer.end().map(|()| value));
    match value {
        Ok(value) => Ok(Parsed { value, json: compact(text) }),
        Err(error) => Err(reader.explain(&error)),
    }
}

/// Line and column, both from 1, just behind `read`.
fn position(read: &[u8]) -> ParseError {
    let line = read.split(|b| *b == b'\n').count();
    let column = read.rsplit(|b| *b == b'\n').next().map_or(0, <[u8]>::len) + 1;
    ParseError::NotJson { line, column }
}

/// What is wrong with a text that is JSON, found while reading it.
enum Fault {
    TooDeep,
    DuplicateKey,
    /// A number with a decimal point or exponent, or too large for 64 bits.
    NotWhole,
}

#[derive(Default)]
struct Reader {
    fault: Option<Fault>,
    /// Where the fault is, innermost first; filled while the error travels outwards.
    path: Vec<Segment>,
}

impl Reader {
    fn explain(mut self, error: &serde_json::Error) -> ParseError {
        self.path.reverse();
        let field = pointer(&self.path);
        match self.fault {
            Some(Fault::TooDeep) => ParseError::TooDeep,
            Some(Fault::DuplicateKey) => ParseError::Invalid(vec![Violation {
                field,
                problem: "staat er meer dan één keer".into(),
                expected: "elk veld hoogstens één keer".into(),
            }]),
            Some(Fault::NotWhole) => ParseError::Invalid(vec![Violation {
                field,
                problem: "is geen geheel getal, of is te groot".into(),
                expected: "een geheel getal zonder punt of exponent".into(),
            }]),
            None => ParseError::NotJson { line: error.line(), column: error.column() },
        }
    }
}

/// One value on its way into the tree.
struct Node<'a> {
    reader: &'a mut Reader,
    depth: usize,
}

impl Node<'_> {
    fn fail<E: serde::de::Error>(&mut self, fault: Fault) -> E {
        self.reader.fault = Some(fault);
        // Never seen: `Reader::explain` says it in Dutch, with the field.
        E::custom("refused")
    }

    fn enter<E: serde::de::Error>(&mut self) -> Result<(), E> {
        if self.depth > MAX_DEPTH { Err(self.fail(Fault::TooDeep)) } else { Ok(()) }
    }

    fn child(&mut self) -> Node<'_> {
        Node { reader: self.reader, depth: self.depth + 1 }
    }

    fn note<E>(&mut self, error: E, segment: Segment) -> E {
        if self.reader.fault.is_some() {
            self.reader.path.push(segment);
        }
        error
    }
}

impl<'de> DeserializeSeed<'de> for Node<'_> {
    type Value = Value;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Node<'_> {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON value")
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Value, E> {
        Ok(Value::Bool(value))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Value, E> {
        Ok(Value::Number(value.into()))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Value, E> {
        Ok(Value::Number(value.into()))
    }

    fn visit_f64<E: serde::de::Error>(mut self, _: f64) -> Result<Value, E> {
        Err(self.fail(Fault::NotWhole))
    }

    fn visit_str<E>(self, value: &str) -> Result<Value, E> {
        Ok(Value::String(value.to_owned()))
    }

    fn visit_string<E>(self, value: String) -> Result<Value, E> {
        Ok(Value::String(value))
    }

    fn visit_seq<A: SeqAccess<'de>>(mut self, mut items: A) -> Result<Value, A::Error> {
        self.enter()?;
        let mut list = Vec::new();
        loop {
            match items.next_element_seed(self.child()) {
                Ok(Some(item)) => list.push(item),
                Ok(None) => return Ok(Value::Array(list)),
                Err(error) => return Err(self.note(error, Segment::Index(list.len()))),
            }
        }
    }

    fn visit_map<A: MapAccess<'de>>(mut self, mut entries: A) -> Result<Value, A::Error> {
        self.enter()?;
        let mut object = Map::new();
        while let Some(key) = entries.next_key::<String>()? {
            match object.entry(key) {
                Entry::Occupied(twice) => {
                    let error = self.fail(Fault::DuplicateKey);
                    return Err(self.note(error, Segment::Key(twice.key().clone())));
                }
                Entry::Vacant(place) => match entries.next_value_seed(self.child()) {
                    Ok(value) => place.insert(value),
                    Err(error) => return Err(self.note(error, Segment::Key(place.key().clone()))),
                },
            };
        }
        Ok(Value::Object(object))
    }
}

/// The text without insignificant whitespace, and otherwise byte for byte as given: what is signed
/// is what the source wrote. `text` must be JSON.
fn compact(text: &str) -> String {
    let mut json = String::with_capacity(text.len());
    let mut kept = 0;
    let (mut quoted, mut escaped) = (false, false);
    for (at, byte) in text.bytes().enumerate() {
        if quoted {
            quoted = escaped || byte != b'"';
            escaped = !escaped && byte == b'\\';
        } else if byte == b'"' {
            quoted = true;
        } else if matches!(byte, b' ' | b'\t' | b'\n' | b'\r') {
            json.push_str(&text[kept..at]);
            kept = at + 1;
        }
    }
    json.push_str(&text[kept..]);
    json
}

#[cfg(test)]
mod tests;
