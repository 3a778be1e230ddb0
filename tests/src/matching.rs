//! How well signals of several senders are recognised: a town with residents who look alike, the signals that partners send
//! of them with the mistakes that people make, and what the store makes of that.
//!
//! Whom a signal is really about is known here and to nobody else, so what was joined and suggested can be counted as right
//! or wrong. The town is made up, always the same for a seed.

mod mistakes;
mod quality;
mod town;

pub use mistakes::Mistake;
pub use quality::{PERIOD, Quality, Share, Signals, match_all};
pub use town::{Resident, Town};

/// Numbers that look random and are the same for a seed (`SplitMix64`): no secrets are made of them.
#[derive(Debug, Clone)]
pub struct Dice(u64);

impl Dice {
    /// Those of a seed.
    pub const fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// A number below `bound`.
    pub fn below(&mut self, bound: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        let bound = u64::try_from(bound.max(1)).unwrap_or(1);
        usize::try_from((mixed ^ (mixed >> 31)) % bound).unwrap_or_default()
    }

    /// Whether this happens, so many times in a hundred.
    pub fn percent(&mut self, chance: usize) -> bool {
        self.below(100) < chance
    }

    /// One of these.
    pub fn of<'a, T>(&mut self, some: &'a [T]) -> Option<&'a T> {
        some.get(self.below(some.len()))
    }
}
