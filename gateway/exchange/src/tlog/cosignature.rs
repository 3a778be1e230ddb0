//! Cosignatures: a partner's statement that, at some time, it saw a log grow to a checkpoint without rewriting
//! what came before (C2SP tlog-cosignature, `cosignature/v1`).

use std::{fmt, str::FromStr};

use ed25519_dalek::{Signer as _, SigningKey, VerifyingKey};
use jiff::Timestamp;

use crate::signature::{PublicKey, Signer};

use super::{
    checkpoint::Checkpoint,
    note::{
        self, KeyError, KeyKind, MAX_NOTE_BYTES, MAX_SIGNATURES, NamedKey, Note, NoteError, SignatureLine,
    },
};

/// A time and a signature.
const SIGNATURE_BYTES: usize = 8 + 64;

/// One cosignature, written as a signature line of a note.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cosignature {
    name: String,
    key_id: [u8; 4],
    time: Timestamp,
    signature: [u8; 64],
}

impl Cosignature {
    /// Who says it cosigned. Not to be believed before [`CosignerVerifier::verify`].
    pub fn cosigner(&self) -> &str {
        &self.name
    }

    /// The note with this cosignature added. Adding one that is already there changes nothing.
    pub fn add_to(&self, note: &str) -> Result<String, NoteError> {
        let parsed = Note::parse(note)?;
        let line = self.to_string();
        if parsed.lines.iter().any(|other| Self::from_line(other).as_ref() == Ok(self)) {
            return Ok(note.to_owned());
        }
        if parsed.lines.len() == MAX_SIGNATURES {
            return Err(NoteError::TooManySignatures);
        }
        let note = format!("{note}{line}\n");
        if note.len() > MAX_NOTE_BYTES { Err(NoteError::TooLarge) } else { Ok(note) }
    }

    /// Cosigns as `name` with a key that signs other things too. What is signed here begins with a line that no JWS
    /// can begin with, so neither passes for the other. The caller has checked what [`Cosigner::cosign`] asks.
    pub fn by(
        signer: &dyn Signer,
        name: &str,
        checkpoint: &Checkpoint,
        time: Timestamp,
    ) -> Result<Self, NoteError> {
        let time = whole_seconds(time)?;
        let verifier = CosignerVerifier::of(name, signer.public_key()).map_err(|_| NoteError::NotSigned)?;
        let signature = signer.sign(message(checkpoint, time).as_bytes());
        let signature = signature.try_into().map_err(|_| NoteError::BadSignature)?;
        Ok(Self { name: name.to_owned(), key_id: verifier.0.id(), time, signature })
    }

    fn from_line(line: &SignatureLine<'_>) -> Result<Self, NoteError> {
        const ODD: NoteError = NoteError::Malformed("a cosignature is a time and an Ed25519 signature");
        let bytes: &[u8; SIGNATURE_BYTES] = line.signature.as_slice().try_into().map_err(|_| ODD)?;
        let (seconds, signature) = bytes.split_first_chunk::<8>().ok_or(ODD)?;
        let seconds = i64::try_from(u64::from_be_bytes(*seconds)).map_err(|_| NoteError::ImpossibleTime)?;
        let time = Timestamp::from_second(seconds).map_err(|_| NoteError::ImpossibleTime)?;
        let signature = signature.try_into().map_err(|_| ODD)?;
        Ok(Self { name: line.name.to_owned(), key_id: line.key_id, time, signature })
    }
}

impl fmt::Display for Cosignature {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut bytes = [0; SIGNATURE_BYTES];
        bytes[..8].copy_from_slice(&self.time.as_second().to_be_bytes());
        bytes[8..].copy_from_slice(&self.signature);
        f.pad(&note::write_line(&self.name, self.key_id, &bytes))
    }
}

impl FromStr for Cosignature {
    type Err = NoteError;

    /// Reads one line, with or without its newline.
    fn from_str(line: &str) -> Result<Self, NoteError> {
        if line.len() > MAX_NOTE_BYTES {
            return Err(NoteError::TooLarge);
        }
        Self::from_line(&SignatureLine::parse(line.strip_suffix('\n').unwrap_or(line))?)
    }
}

/// What is signed: the time, and the checkpoint's text. The first line keeps it apart from every other signature.
fn message(checkpoint: &Checkpoint, time: Timestamp) -> String {
    format!("cosignature/v1\ntime {}\n{}", time.as_second(), checkpoint.body())
}

/// A time as a cosignature writes it.
fn whole_seconds(time: Timestamp) -> Result<Timestamp, NoteError> {
    if time < Timestamp::UNIX_EPOCH {
        return Err(NoteError::ImpossibleTime);
    }
    Timestamp::from_second(time.as_second()).map_err(|_| NoteError::ImpossibleTime)
}

/// Cosigns the checkpoints of others.
#[derive(Clone)]
pub struct Cosigner {
    named: NamedKey,
    key: SigningKey,
}

impl Cosigner {
    /// The cosigner with this name; a node uses its own log's origin.
    pub fn new(name: String, key: SigningKey) -> Result<Self, KeyError> {
        let named = NamedKey::new(name, KeyKind::Cosigner, key.verifying_key())?;
        Ok(Self { named, key })
    }

    /// States that at `time` this was the largest tree seen of this log, and that it extends what was seen
    /// before: the caller has checked both. The time is kept in whole seconds and must not lie before 1970.
    pub fn cosign(&self, checkpoint: &Checkpoint, time: Timestamp) -> Result<Cosignature, NoteError> {
        let time = whole_seconds(time)?;
        let signature = self.key.sign(message(checkpoint, time).as_bytes()).to_bytes();
        Ok(Cosignature { name: self.named.name().to_owned(), key_id: self.named.id(), time, signature })
    }

    /// What others need to check these cosignatures.
    pub fn verifier(&self) -> CosignerVerifier {
        CosignerVerifier(self.named.clone())
    }
}

impl fmt::Debug for Cosigner {
    /// Shows the public half only.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Cosigner({})", self.named)
    }
}

/// The public key of a cosigner, written as a C2SP verifier key: `name+id+key`.
#[derive(Clone, PartialEq, Eq)]
pub struct CosignerVerifier(NamedKey);

impl CosignerVerifier {
    /// The cosigner with this name and public key.
    pub fn new(name: String, key: ed25519_dalek::VerifyingKey) -> Result<Self, KeyError> {
        NamedKey::new(name, KeyKind::Cosigner, key).map(Self)
    }

    /// The cosigner `name` that signs with a key which is known as that of its messages.
    pub fn of(name: &str, key: &PublicKey) -> Result<Self, KeyError> {
        let key = VerifyingKey::from_bytes(key.as_bytes()).map_err(|_| KeyError::Unusable)?;
        Self::new(name.to_owned(), key)
    }

    /// The cosigner's name.
    pub fn name(&self) -> &str {
        self.0.name()
    }

    /// Checks a cosignature over a checkpoint and gives the time it states. Whether that time is acceptable is
    /// for the caller to say.
    pub fn verify(&self, checkpoint: &Checkpoint, cosignature: &Cosignature) -> Result<Timestamp, NoteError> {
        if cosignature.key_id != self.0.id() || cosignature.name != self.0.name() {
            return Err(NoteError::NotSigned);
        }
        let message = message(checkpoint, cosignature.time);
        self.0.verify(message.as_bytes(), &cosignature.signature)?;
        Ok(cosignature.time)
    }

    /// Finds and checks this cosigner's latest cosignature in a note. Every line that names this key must hold.
    /// The log's own signature is checked by [`LogVerifier::open`](super::LogVerifier::open).
    pub fn find(&self, note: &str) -> Result<(Checkpoint, Timestamp), NoteError> {
        let note = Note::parse(note)?;
        let checkpoint = Checkpoint::parse(note.text)?;
        let mut latest = None;
        for line in note.lines_of(&self.0) {
            let time = self.verify(&checkpoint, &Cosignature::from_line(line)?)?;
            latest = latest.max(Some(time));
        }
        latest.map(|time| (checkpoint, time)).ok_or(NoteError::NotSigned)
    }

    /// `bare`, a note over the same checkpoint, with this cosigner's latest cosignature of `note` and no other.
    pub fn only(&self, note: &str, bare: &str) -> Result<String, NoteError> {
        let (_, latest) = self.find(note)?;
        for line in Note::parse(note)?.lines_of(&self.0) {
            let cosignature = Cosignature::from_line(line)?;
            if cosignature.time == latest {
                return cosignature.add_to(bare);
            }
        }
        Err(NoteError::NotSigned)
    }
}

impl fmt::Display for CosignerVerifier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl fmt::Debug for CosignerVerifier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "CosignerVerifier({self})")
    }
}

impl FromStr for CosignerVerifier {
    type Err = KeyError;

    fn from_str(text: &str) -> Result<Self, KeyError> {
        NamedKey::parse(text, KeyKind::Cosigner).map(Self)
    }
}

#[cfg(test)]
mod tests;
