//! The wire form of a receipt, with its limits held while reading: a partner's answer is not to be trusted with
//! our memory.

use std::{fmt, marker::PhantomData};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use serde::{
    Deserialize, Deserializer, Serialize, Serializer,
    de::{self, value::MapAccessDeserializer},
};

use super::{MAX_LEAF_BYTES, MAX_LEAVES, MAX_ROOTS, ReceiptLeaf};
use crate::tlog::{Hash, Leaf, MAX_NOTE_BYTES};

/// Reads a checkpoint that is not longer than a note may be.
pub(super) fn note<'de, D: Deserializer<'de>>(deserializer: D) -> Result<String, D::Error> {
    let note = String::deserialize(deserializer)?;
    if note.len() > MAX_NOTE_BYTES {
        return Err(de::Error::invalid_length(note.len(), &"a signed note"));
    }
    Ok(note)
}

/// Reads at most as many hashes as a range or a proof can have.
pub(super) fn hashes<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<Hash>, D::Error> {
    deserializer.deserialize_seq(AtMost::<Hash, MAX_ROOTS>(PhantomData))
}

/// Reads at most as many entries as a batch can have messages.
pub(super) fn leaves<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<ReceiptLeaf>, D::Error> {
    deserializer.deserialize_seq(AtMost::<ReceiptLeaf, MAX_LEAVES>(PhantomData))
}

/// A list of at most `MAX` items.
struct AtMost<T, const MAX: usize>(PhantomData<T>);

impl<'de, T: Deserialize<'de>, const MAX: usize> de::Visitor<'de> for AtMost<T, MAX> {
    type Value = Vec<T>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "a list of at most {MAX} items")
    }

    fn visit_seq<A: de::SeqAccess<'de>>(self, mut items: A) -> Result<Vec<T>, A::Error> {
        let mut list = Vec::with_capacity(items.size_hint().unwrap_or(0).min(MAX));
        while let Some(item) = items.next_element()? {
            if list.len() == MAX {
                return Err(de::Error::invalid_length(MAX + 1, &self));
            }
            list.push(item);
        }
        Ok(list)
    }
}

impl Serialize for ReceiptLeaf {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::New(leaf) => leaf_to_text(leaf, serializer),
            Self::Known { index, leaf, proof } => {
                KnownOut { index: *index, leaf, proof }.serialize(serializer)
            }
        }
    }
}

impl<'de> Deserialize<'de> for ReceiptLeaf {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        // Not an untagged enum: that would first keep whatever was sent, of any size.
        deserializer.deserialize_any(EntryVisitor)
    }
}

/// An earlier entry, as written.
#[derive(Serialize)]
struct KnownOut<'a> {
    index: u64,
    #[serde(rename = "blad", serialize_with = "leaf_to_text")]
    leaf: &'a Leaf,
    #[serde(rename = "bewijs")]
    proof: &'a [Hash],
}

/// An earlier entry, as read.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct KnownIn {
    index: u64,
    #[serde(rename = "blad", deserialize_with = "leaf_from_text")]
    leaf: Leaf,
    #[serde(rename = "bewijs", deserialize_with = "hashes")]
    proof: Vec<Hash>,
}

/// A new entry is a text, an earlier one an object.
struct EntryVisitor;

impl<'de> de::Visitor<'de> for EntryVisitor {
    type Value = ReceiptLeaf;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a leaf in base64, or an earlier leaf with its proof")
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<ReceiptLeaf, E> {
        LeafVisitor.visit_str(text).map(ReceiptLeaf::New)
    }

    fn visit_map<A: de::MapAccess<'de>>(self, fields: A) -> Result<ReceiptLeaf, A::Error> {
        let KnownIn { index, leaf, proof } = KnownIn::deserialize(MapAccessDeserializer::new(fields))?;
        Ok(ReceiptLeaf::Known { index, leaf, proof })
    }
}

fn leaf_to_text<S: Serializer>(leaf: &Leaf, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(&STANDARD.encode(leaf.bytes()))
}

fn leaf_from_text<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Leaf, D::Error> {
    deserializer.deserialize_str(LeafVisitor)
}

struct LeafVisitor;

impl de::Visitor<'_> for LeafVisitor {
    type Value = Leaf;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "at most {MAX_LEAF_BYTES} bytes in standard base64 with padding")
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<Leaf, E> {
        if text.len() > MAX_LEAF_BYTES.div_ceil(3) * 4 {
            return Err(E::invalid_length(text.len(), &self));
        }
        // What was sent is not repeated in the error.
        let bytes = STANDARD.decode(text).map_err(|_| E::custom("a leaf is not base64 with padding"))?;
        if bytes.len() > MAX_LEAF_BYTES {
            return Err(E::invalid_length(bytes.len(), &self));
        }
        Ok(Leaf::new(bytes))
    }
}
