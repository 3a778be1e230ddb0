//! C2SP signed notes: a text and the lines of those who signed it. Private: what the log signs are checkpoints.

use std::fmt;

use base64::{Engine as _, engine::general_purpose::STANDARD};
use ed25519_dalek::{Signature, VerifyingKey};
use sha2::{Digest as _, Sha256};

/// The longest note that is read. A checkpoint with every signature line it may have stays far below it.
pub const MAX_NOTE_BYTES: usize = 64 * 1024;

/// The most signature lines of a note: the number every verifier must accept (C2SP signed-note).
pub const MAX_SIGNATURES: usize = 16;

/// The longest key name. An origin is a short path; this bounds what ends up in error messages and columns.
const MAX_NAME_BYTES: usize = 255;

/// What a signature line begins with: an em dash and a space.
const LINE_START: &str = "— ";

/// Why a note is not believed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NoteError {
    /// It is longer than [`MAX_NOTE_BYTES`].
    #[error("the note is longer than {MAX_NOTE_BYTES} bytes")]
    TooLarge,
    /// It has more signature lines than [`MAX_SIGNATURES`].
    #[error("the note has more than {MAX_SIGNATURES} signatures")]
    TooManySignatures,
    /// It is not a signed note at all; the text says what is missing.
    #[error("not a signed note: {0}")]
    Malformed(&'static str),
    /// The text that was signed is not a checkpoint; the text says what is wrong with it.
    #[error("not a checkpoint: {0}")]
    NotACheckpoint(&'static str),
    /// The key that was asked for did not sign it.
    #[error("the note is not signed by the expected key")]
    NotSigned,
    /// The key that was asked for is named, but the signature is not its.
    #[error("the signature does not belong to this note")]
    BadSignature,
    /// The log's key signed a checkpoint that says it is of another log.
    #[error("the checkpoint is of another log than the key")]
    OtherOrigin,
    /// The time of a cosignature does not exist or lies before 1970.
    #[error("the time of the cosignature cannot be written")]
    ImpossibleTime,
}

/// Why a key cannot be used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum KeyError {
    /// The text is not `name+id+key`.
    #[error("expected a verifier key: name+id+key")]
    Malformed,
    /// The name is empty, too long, or has a space, a control character or a plus sign.
    #[error("a key name has 1 to {MAX_NAME_BYTES} bytes, without spaces, control characters or plus signs")]
    Name,
    /// The id is not the one that follows from name and key: one of the three was mistyped.
    #[error("the key id does not belong to this name and key")]
    IdMismatch,
    /// The key is of another kind than is needed here.
    #[error("the key is of another kind than is needed here")]
    Kind,
    /// The bytes are not an Ed25519 public key that can be relied on.
    #[error("not a usable Ed25519 public key")]
    Unusable,
}

/// What a key signs; also keeps signatures of one kind from passing for the other (C2SP signed-note).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum KeyKind {
    /// The text of a note, by the log itself.
    Log = 0x01,
    /// A checkpoint and a time, by a cosigner.
    Cosigner = 0x04,
}

/// A public key with its name and the id that follows from both.
#[derive(Clone, PartialEq, Eq)]
pub(super) struct NamedKey {
    name: String,
    id: [u8; 4],
    kind: KeyKind,
    key: VerifyingKey,
}

impl NamedKey {
    pub(super) fn new(name: String, kind: KeyKind, key: VerifyingKey) -> Result<Self, KeyError> {
        if !is_name(&name) {
            return Err(KeyError::Name);
        }
        // With a small-order key anyone can make signatures that verify.
        if key.is_weak() {
            return Err(KeyError::Unusable);
        }
        let digest = Sha256::new()
            .chain_update(&name)
            .chain_update([b'\n', kind as u8])
            .chain_update(key.as_bytes())
            .finalize();
        let id = [digest[0], digest[1], digest[2], digest[3]];
        Ok(Self { name, id, kind, key })
    }

    /// Reads a key as C2SP writes it: the name, the id in hexadecimal, and kind and key in base64.
    pub(super) fn parse(text: &str, kind: KeyKind) -> Result<Self, KeyError> {
        // Base64 may have plus signs too.
        let mut parts = text.splitn(3, '+');
        let (Some(name), Some(id), Some(encoded)) = (parts.next(), parts.next(), parts.next()) else {
            return Err(KeyError::Malformed);
        };
        // One byte of kind and 32 of key make 44 characters.
        if name.len() > MAX_NAME_BYTES || id.len() != 8 || encoded.len() != 44 {
            return Err(KeyError::Malformed);
        }
        let decoded = STANDARD.decode(encoded).map_err(|_| KeyError::Malformed)?;
        let (found, bytes) = decoded.split_first().ok_or(KeyError::Malformed)?;
        if *found != kind as u8 {
            return Err(KeyError::Kind);
        }
        let bytes = bytes.try_into().map_err(|_| KeyError::Malformed)?;
        let key = VerifyingKey::from_bytes(bytes).map_err(|_| KeyError::Unusable)?;
        let named = Self::new(name.to_owned(), kind, key)?;
        if hex(named.id) == id { Ok(named) } else { Err(KeyError::IdMismatch) }
    }

    pub(super) fn name(&self) -> &str {
        &self.name
    }

    pub(super) fn id(&self) -> [u8; 4] {
        self.id
    }

    /// Strict, so that every node judges a signature the same (RFC 8032 leaves room to differ).
    pub(super) fn verify(&self, message: &[u8], signature: &[u8; 64]) -> Result<(), NoteError> {
        self.key
            .verify_strict(message, &Signature::from_bytes(signature))
            .map_err(|_| NoteError::BadSignature)
    }
}

impl fmt::Display for NamedKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut bytes = [0; 33];
        bytes[0] = self.kind as u8;
        bytes[1..].copy_from_slice(self.key.as_bytes());
        write!(f, "{}+{}+{}", self.name, hex(self.id), STANDARD.encode(bytes))
    }
}

fn hex(id: [u8; 4]) -> String {
    format!("{:08x}", u32::from_be_bytes(id))
}

/// Whether this can be the name of a key, and so the origin of a log.
pub(super) fn is_name(text: &str) -> bool {
    let usable = |c: char| !c.is_whitespace() && !c.is_control() && c != '+';
    !text.is_empty() && text.len() <= MAX_NAME_BYTES && text.chars().all(usable)
}

/// A number as notes write it: decimal digits, no sign, no leading zeros.
pub(super) fn decimal(text: &str) -> Option<u64> {
    let digits = text.bytes().all(|byte| byte.is_ascii_digit());
    let plain = digits && (text == "0" || !text.starts_with('0'));
    if plain { text.parse().ok() } else { None }
}

/// A note whose form is right. Nothing of it is to be believed before a signature is checked.
pub(super) struct Note<'a> {
    /// What was signed, with its last newline.
    pub(super) text: &'a str,
    /// Who say they signed it.
    pub(super) lines: Vec<SignatureLine<'a>>,
}

impl<'a> Note<'a> {
    pub(super) fn parse(note: &'a str) -> Result<Self, NoteError> {
        if note.len() > MAX_NOTE_BYTES {
            return Err(NoteError::TooLarge);
        }
        if note.bytes().any(|byte| byte < b' ' && byte != b'\n') {
            return Err(NoteError::Malformed("it has a control character"));
        }
        let end =
            note.rfind("\n\n").ok_or(NoteError::Malformed("it has no empty line before the signatures"))?;
        let (text, signatures) = (&note[..=end], &note[end + 2..]);
        let signatures = signatures
            .strip_suffix('\n')
            .ok_or(NoteError::Malformed("it does not end in a signature line"))?;
        let mut lines = Vec::with_capacity(2);
        for line in signatures.split('\n') {
            if lines.len() == MAX_SIGNATURES {
                return Err(NoteError::TooManySignatures);
            }
            lines.push(SignatureLine::parse(line)?);
        }
        Ok(Self { text, lines })
    }

    /// The lines that are by this key. Lines of others are no concern of ours.
    pub(super) fn lines_of<'n>(&'n self, key: &'n NamedKey) -> impl Iterator<Item = &'n SignatureLine<'a>> {
        self.lines.iter().filter(|line| line.key_id == key.id && line.name == key.name)
    }
}

/// One signature of a note: `— name base64(key id, signature)`.
#[derive(Debug)]
pub(super) struct SignatureLine<'a> {
    pub(super) name: &'a str,
    pub(super) key_id: [u8; 4],
    /// What it holds depends on the kind of key.
    pub(super) signature: Vec<u8>,
}

impl<'a> SignatureLine<'a> {
    pub(super) fn parse(line: &'a str) -> Result<Self, NoteError> {
        const ODD: NoteError = NoteError::Malformed("a signature line is not `— name base64`");
        let (name, encoded) =
            line.strip_prefix(LINE_START).and_then(|rest| rest.split_once(' ')).ok_or(ODD)?;
        if !is_name(name) {
            return Err(ODD);
        }
        let mut decoded = STANDARD.decode(encoded).map_err(|_| ODD)?;
        if decoded.len() < 5 {
            return Err(ODD);
        }
        let signature = decoded.split_off(4);
        let key_id = decoded.try_into().map_err(|_| ODD)?;
        Ok(Self { name, key_id, signature })
    }
}

/// Writes a signature line, without its newline.
pub(super) fn write_line(name: &str, key_id: [u8; 4], signature: &[u8]) -> String {
    let mut bytes = Vec::with_capacity(4 + signature.len());
    bytes.extend_from_slice(&key_id);
    bytes.extend_from_slice(signature);
    format!("{LINE_START}{name} {}", STANDARD.encode(bytes))
}

#[cfg(test)]
mod tests;
