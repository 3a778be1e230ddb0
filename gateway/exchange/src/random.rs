//! Injected randomness.

use std::sync::atomic::{AtomicU64, Ordering};

use sha2::{Digest as _, Sha256};

/// A source of random bytes. The node passes the operating system's, tests a seeded one.
pub trait Random: Send + Sync + 'static {
    /// Fills `bytes` with unpredictable (or, in tests, reproducible) bytes.
    fn fill(&self, bytes: &mut [u8]);
}

/// Reproducible bytes for tests and the simulation: SHA-256 over the seed and a counter. Not secret.
#[derive(Debug)]
pub struct SeededRandom {
    seed: u64,
    block: AtomicU64,
}

impl SeededRandom {
    /// The stream of bytes that belongs to `seed`.
    pub fn new(seed: u64) -> Self {
        Self { seed, block: AtomicU64::new(0) }
    }
}

impl Random for SeededRandom {
    fn fill(&self, bytes: &mut [u8]) {
        for chunk in bytes.chunks_mut(32) {
            let block = self.block.fetch_add(1, Ordering::Relaxed);
            let hash = Sha256::new()
                .chain_update(self.seed.to_be_bytes())
                .chain_update(block.to_be_bytes())
                .finalize();
            chunk.copy_from_slice(&hash[..chunk.len()]);
        }
    }
}
