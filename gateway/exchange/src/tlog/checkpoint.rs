//! Checkpoints: the signed head of a log at one size (C2SP tlog-checkpoint and signed-note).

use std::{fmt, str::FromStr};

use ed25519_dalek::{Signer as _, SigningKey};

use super::{
    hash::{Hash, empty_root},
    note::{self, KeyError, KeyKind, NamedKey, Note, NoteError},
    range::MAX_SIZE,
};

/// The head of a log: which log, how many leaves, and the root over them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Checkpoint {
    /// Which log; for a node `schakel/<oin>`.
    pub origin: String,
    /// The number of leaves.
    pub size: u64,
    /// The root of the tree of those leaves.
    pub root: Hash,
}

impl Checkpoint {
    /// The text that is signed: three lines.
    pub fn body(&self) -> String {
        format!("{}\n{}\n{}\n", self.origin, self.size, self.root)
    }

    /// Reads what [`body`](Self::body) writes, and nothing else. Extension lines, which C2SP allows but advises
    /// against, are refused: nobody audits them, and without them every checkpoint has one text.
    pub fn parse(body: &str) -> Result<Self, NoteError> {
        let mut lines =
            body.strip_suffix('\n').ok_or(NoteError::NotACheckpoint("it does not end a line"))?.split('\n');
        let (Some(origin), Some(size), Some(root), None) =
            (lines.next(), lines.next(), lines.next(), lines.next())
        else {
            return Err(NoteError::NotACheckpoint("it does not have three lines"));
        };
        if !note::is_name(origin) {
            return Err(NoteError::NotACheckpoint("the origin is not the name of a log"));
        }
        let size = note::decimal(size)
            .filter(|size| *size <= MAX_SIZE)
            .ok_or(NoteError::NotACheckpoint("the size is not a number of leaves"))?;
        let root: Hash = root.parse().map_err(|_| NoteError::NotACheckpoint("the root is not a hash"))?;
        if size == 0 && root != empty_root() {
            return Err(NoteError::NotACheckpoint("the root is not that of an empty log"));
        }
        Ok(Self { origin: origin.to_owned(), size, root })
    }
}

/// Signs the checkpoints of one log.
#[derive(Clone)]
pub struct LogSigner {
    named: NamedKey,
    key: SigningKey,
}

impl LogSigner {
    /// The signer of the log with this origin.
    pub fn new(origin: String, key: SigningKey) -> Result<Self, KeyError> {
        let named = NamedKey::new(origin, KeyKind::Log, key.verifying_key())?;
        Ok(Self { named, key })
    }

    /// The log's origin, which is also the name of its key.
    pub fn origin(&self) -> &str {
        self.named.name()
    }

    /// Signs a head of this log. It must never be one that contradicts an earlier one, and the checkpoint must
    /// have this signer's origin: a note over another origin opens with nobody's key.
    pub fn sign(&self, checkpoint: &Checkpoint) -> String {
        let body = checkpoint.body();
        let signature = self.key.sign(body.as_bytes()).to_bytes();
        let line = note::write_line(self.named.name(), self.named.id(), &signature);
        format!("{body}\n{line}\n")
    }

    /// What others need to check this signer's checkpoints.
    pub fn verifier(&self) -> LogVerifier {
        LogVerifier(self.named.clone())
    }
}

impl fmt::Debug for LogSigner {
    /// Shows the public half only.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "LogSigner({})", self.named)
    }
}

/// The public key of a log, written as a C2SP verifier key: `name+id+key`.
#[derive(Clone, PartialEq, Eq)]
pub struct LogVerifier(NamedKey);

impl LogVerifier {
    /// The log with this origin and public key. A partner's key comes from the agreement it signed.
    pub fn new(origin: String, key: ed25519_dalek::VerifyingKey) -> Result<Self, KeyError> {
        NamedKey::new(origin, KeyKind::Log, key).map(Self)
    }

    /// The log's origin, which is also the name of its key.
    pub fn origin(&self) -> &str {
        self.0.name()
    }

    /// The checkpoint that this log signed. Lines of other signers are ignored; every line that names this key
    /// must hold.
    pub fn open(&self, note: &str) -> Result<Checkpoint, NoteError> {
        let note = Note::parse(note)?;
        let mut signed = false;
        for line in note.lines_of(&self.0) {
            let signature = line.signature.as_slice().try_into().map_err(|_| NoteError::BadSignature)?;
            self.0.verify(note.text.as_bytes(), signature)?;
            signed = true;
        }
        if !signed {
            return Err(NoteError::NotSigned);
        }
        let checkpoint = Checkpoint::parse(note.text)?;
        if checkpoint.origin == self.origin() { Ok(checkpoint) } else { Err(NoteError::OtherOrigin) }
    }

    /// The same note with no signature but this log's, after checking it: what others added is not ours to pass on.
    pub fn bare(&self, note: &str) -> Result<(Checkpoint, String), NoteError> {
        let checkpoint = self.open(note)?;
        let parsed = Note::parse(note)?;
        let mut bare = format!("{}\n", parsed.text);
        // One line is enough, and a log that signs twice says the same twice.
        for line in parsed.lines_of(&self.0).take(1) {
            bare.push_str(&note::write_line(line.name, line.key_id, &line.signature));
            bare.push('\n');
        }
        Ok((checkpoint, bare))
    }
}

impl fmt::Display for LogVerifier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl fmt::Debug for LogVerifier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "LogVerifier({self})")
    }
}

impl FromStr for LogVerifier {
    type Err = KeyError;

    fn from_str(text: &str) -> Result<Self, KeyError> {
        NamedKey::parse(text, KeyKind::Log).map(Self)
    }
}

#[cfg(test)]
mod tests;
