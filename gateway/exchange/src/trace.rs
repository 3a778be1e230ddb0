//! Trace context (W3C Trace Context, level 1): by which two organisations recognise each other's part of one exchange.
//!
//! Nothing is stored for it. What a message carries follows from who sends it and its identifier, so both sides and
//! every later run of the program come to the same.

use std::fmt;

use uuid::Uuid;

use crate::{digest::Digest, oin::Oin};

/// The length of a `traceparent` of version 00.
const LENGTH: usize = 55;

/// What an identifier is derived for, each with its version.
mod label {
    pub(super) const SENDING: &str = "schakel/verwerking/verzending/1";
    pub(super) const OPERATION: &str = "schakel/verwerking/handeling/1";
    pub(super) const TRACE: &str = "schakel/verwerking/spoor/1";
}

/// A group of operations that belong together. Never all zero.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TraceId([u8; 16]);

/// One operation. Never all zero.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct OperationId([u8; 8]);

/// An operation as others refer to it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct TraceContext {
    /// The group.
    pub trace: TraceId,
    /// The operation.
    pub operation: OperationId,
}

impl TraceId {
    /// The trace of what `me` does about the thing that `about` names.
    pub fn of(me: Oin, about: &[u8]) -> Self {
        Self(not_zero(derived(label::TRACE, me, about)))
    }

    /// The 16 bytes.
    pub const fn as_bytes(&self) -> &[u8; 16] {
        &self.0
    }
}

impl OperationId {
    /// What `me` did by entry `index` of its log, as far as it was about entry `about`.
    pub fn of(me: Oin, index: u64, about: u64) -> Self {
        let place = [index.to_be_bytes(), about.to_be_bytes()].concat();
        Self(not_zero(derived(label::OPERATION, me, &place)))
    }

    /// The 8 bytes.
    pub const fn as_bytes(&self) -> &[u8; 8] {
        &self.0
    }
}

impl TraceContext {
    /// The sending of a message: its identifier is the trace.
    pub fn of_message(from: Oin, id: Uuid) -> Self {
        let operation = OperationId(not_zero(derived(label::SENDING, from, id.as_bytes())));
        Self { trace: TraceId(not_zero(*id.as_bytes())), operation }
    }

    /// Reads a `traceparent`. What is malformed is nothing: it says no more than where a message came from, and is no
    /// reason to refuse one (Trace Context §3.3.1). Of a later version the part that this one has is read.
    pub fn parse(text: &str) -> Option<Self> {
        let bytes = text.as_bytes();
        let (head, rest) = bytes.split_at_checked(LENGTH)?;
        let known = head.starts_with(b"00") && rest.is_empty();
        let later = !head.starts_with(b"00") && !head.starts_with(b"ff") && matches!(rest, [] | [b'-', ..]);
        if !(known || later) || [2, 35, 52].iter().any(|at| head[*at] != b'-') {
            return None;
        }
        let [_, _] = unhex::<1>(&head[..2]).zip(unhex::<1>(&head[53..])).map(|(one, two)| [one, two])?;
        let (trace, operation) = (unhex(&head[3..35])?, unhex(&head[36..52])?);
        let all_zero = trace == [0; 16] || operation == [0; 8];
        (!all_zero).then_some(Self { trace: TraceId(trace), operation: OperationId(operation) })
    }
}

/// As it travels: version 00, recorded.
impl fmt::Display for TraceContext {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "00-{}-{}-01", self.trace, self.operation)
    }
}

impl fmt::Display for TraceId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        hex(&self.0, f)
    }
}

impl fmt::Display for OperationId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        hex(&self.0, f)
    }
}

fn hex(bytes: &[u8], f: &mut fmt::Formatter<'_>) -> fmt::Result {
    bytes.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
}

/// Lower-case only, as the standard has it.
fn unhex<const N: usize>(text: &[u8]) -> Option<[u8; N]> {
    let digit = |byte: u8| match byte {
        b'0'..=b'9' => Some(byte - b'0'),
        b'a'..=b'f' => Some(byte - b'a' + 10),
        _ => None,
    };
    let mut bytes = [0; N];
    if text.len() != 2 * N {
        return None;
    }
    for (byte, pair) in bytes.iter_mut().zip(text.chunks_exact(2)) {
        *byte = digit(pair[0])? << 4 | digit(pair[1])?;
    }
    Some(bytes)
}

fn derived<const N: usize>(label: &str, oin: Oin, about: &[u8]) -> [u8; N] {
    let digest = Digest::of(&[label.as_bytes(), &[0], oin.as_str().as_bytes(), about].concat());
    let mut bytes = [0; N];
    bytes.copy_from_slice(&digest.as_bytes()[..N]);
    bytes
}

/// All zero means that there is none.
fn not_zero<const N: usize>(mut bytes: [u8; N]) -> [u8; N] {
    if bytes.iter().all(|byte| *byte == 0)
        && let Some(last) = bytes.last_mut()
    {
        *last = 1;
    }
    bytes
}

#[cfg(test)]
mod tests;
