//! Proof files: all it takes to prove, years later and without us, that an entry is in a log
//! (C2SP tlog-proof, `.tlog-proof`).

use std::{fmt, str::FromStr};

use base64::{Engine as _, engine::general_purpose::STANDARD};

use super::{
    checkpoint::{Checkpoint, LogVerifier},
    hash::{Hash, Leaf},
    note::{self, MAX_NOTE_BYTES, Note, NoteError},
    proof::{MAX_PROOF_HASHES, ProofError, verify_inclusion},
};

const FIRST_LINE: &str = "c2sp.org/tlog-proof@v1";

/// The most extra data: a leaf of a receipt, four times over.
const MAX_EXTRA_BYTES: usize = 16 * 1024;

/// The longest file: a note, extra data in base64, and generous room for the proof.
const MAX_FILE_BYTES: usize = MAX_NOTE_BYTES + 2 * MAX_EXTRA_BYTES;

/// An inclusion proof that stands by itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProofFile {
    /// Data that goes along without being proven. Schakel puts the entry itself here.
    pub extra: Option<Vec<u8>>,
    /// The number of the entry, from 0.
    pub index: u64,
    /// The inclusion proof (RFC 6962 §2.1.1).
    pub proof: Vec<Hash>,
    /// The signed checkpoint whose tree holds the entry.
    pub checkpoint: String,
}

/// Why a proof file is not believed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ProofFileError {
    /// It is too long to be a proof file.
    #[error("the proof file is longer than {MAX_FILE_BYTES} bytes")]
    TooLarge,
    /// It is not a proof file; the text says what is missing.
    #[error("not a proof file: {0}")]
    Malformed(&'static str),
    /// The checkpoint in it cannot be believed.
    #[error("the checkpoint in the proof file: {0}")]
    Checkpoint(#[from] NoteError),
    /// The entry is not where the file says it is.
    #[error("the proof in the proof file: {0}")]
    Proof(#[from] ProofError),
}

impl ProofFile {
    /// Checks that this log holds `leaf`, and gives the checkpoint under which it does.
    pub fn verify(&self, leaf: &Leaf, key: &LogVerifier) -> Result<Checkpoint, ProofFileError> {
        let checkpoint = key.open(&self.checkpoint)?;
        verify_inclusion(self.index, checkpoint.size, &leaf.hash(), &self.proof, &checkpoint.root)?;
        Ok(checkpoint)
    }
}

impl fmt::Display for ProofFile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{FIRST_LINE}")?;
        if let Some(extra) = &self.extra {
            writeln!(f, "extra {}", STANDARD.encode(extra))?;
        }
        writeln!(f, "index {}", self.index)?;
        for hash in &self.proof {
            writeln!(f, "{hash}")?;
        }
        write!(f, "\n{}", self.checkpoint)
    }
}

impl FromStr for ProofFile {
    type Err = ProofFileError;

    fn from_str(text: &str) -> Result<Self, ProofFileError> {
        use ProofFileError::Malformed;
        if text.len() > MAX_FILE_BYTES {
            return Err(ProofFileError::TooLarge);
        }
        let (head, checkpoint) = text.split_once("\n\n").ok_or(Malformed("it has no checkpoint"))?;
        let mut lines = head.split('\n');
        if lines.next() != Some(FIRST_LINE) {
            return Err(Malformed("the first line is another"));
        }
        let mut line = lines.next();
        let extra = line.and_then(|line| line.strip_prefix("extra ")).map(parse_extra).transpose()?;
        if extra.is_some() {
            line = lines.next();
        }
        let index = line
            .and_then(|line| line.strip_prefix("index "))
            .and_then(note::decimal)
            .ok_or(Malformed("it has no index"))?;
        let mut proof = Vec::new();
        for line in lines {
            if proof.len() == MAX_PROOF_HASHES {
                return Err(Malformed("the proof is longer than any proof can be"));
            }
            proof.push(line.parse().map_err(|_| Malformed("a line of the proof is not a hash"))?);
        }
        Checkpoint::parse(Note::parse(checkpoint)?.text)?;
        Ok(Self { extra, index, proof, checkpoint: checkpoint.to_owned() })
    }
}

fn parse_extra(encoded: &str) -> Result<Vec<u8>, ProofFileError> {
    let extra =
        STANDARD.decode(encoded).map_err(|_| ProofFileError::Malformed("the extra data is not base64"))?;
    if extra.len() > MAX_EXTRA_BYTES { Err(ProofFileError::TooLarge) } else { Ok(extra) }
}

#[cfg(test)]
mod tests;
