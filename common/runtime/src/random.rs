//! Randomness, from one seeded source: two runs with one seed do the same thing.

use std::hash::{BuildHasher, RandomState};

/// SplitMix64: for spreading load and for names, never for secrets.
#[derive(Debug, Clone)]
pub struct Random(u64);

impl Random {
    /// The same numbers for the same seed.
    pub fn seeded(seed: u64) -> Random {
        Random(seed)
    }

    /// Seeded by the process's own hash keys, which the operating system draws.
    pub fn from_system() -> Random {
        Random(RandomState::new().hash_one(std::process::id()))
    }

    /// The number that [`Random::advance`] moves past.
    fn peek(&self) -> u64 {
        let mut z = self.0.wrapping_add(GOLDEN);
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// The current number, brought below `limit`; 0 when that is 0.
    pub fn peek_below(&self, limit: usize) -> usize {
        (self.peek() % (limit.max(1) as u64)) as usize
    }

    /// Steps to the next state.
    pub fn advance(&mut self) {
        self.0 = self.0.wrapping_add(GOLDEN);
    }

    /// The next number.
    #[expect(clippy::should_implement_trait, reason = "it has no end, and is no iterator")]
    pub fn next(&mut self) -> u64 {
        let number = self.peek();
        self.advance();
        number
    }
}

/// The golden ratio in 64 bits, SplitMix64's step.
const GOLDEN: u64 = 0x9e37_79b9_7f4a_7c15;
