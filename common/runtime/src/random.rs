//! Randomness, from one seeded source: two runs with one seed do the same thing.

use ring::rand::{SecureRandom, SystemRandom};
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

/// Numbers that no two processes draw: from the operating system, many at a time.
#[derive(Debug)]
pub struct Unique {
    drawn: Vec<u8>,
    spare: Random,
}

impl Unique {
    /// The operating system's.
    pub fn from_system() -> Unique {
        Unique { drawn: Vec::new(), spare: Random::from_system() }
    }

    /// The next number.
    pub fn draw(&mut self) -> u128 {
        if self.drawn.is_empty() {
            self.drawn.resize(DRAWN_BYTES, 0);
            if SystemRandom::new().fill(&mut self.drawn).is_err() {
                // A kernel without such numbers: these are rarely met twice.
                self.drawn
                    .chunks_exact_mut(8)
                    .for_each(|eight| eight.copy_from_slice(&self.spare.next().to_le_bytes()));
            }
        }
        let bytes = self.drawn.last_chunk().copied().unwrap_or_default();
        self.drawn.truncate(self.drawn.len().saturating_sub(bytes.len()));
        u128::from_le_bytes(bytes)
    }
}

/// Drawn with one call of the system: 256 numbers.
const DRAWN_BYTES: usize = 4096;

/// The golden ratio in 64 bits, SplitMix64's step.
const GOLDEN: u64 = 0x9e37_79b9_7f4a_7c15;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn unique_numbers_are_not_drawn_twice() {
        let (mut one, mut other) = (Unique::from_system(), Unique::from_system());
        let drawn: std::collections::HashSet<u128> =
            (0..1000).flat_map(|_| [one.draw(), other.draw()]).collect();
        assert_eq!(drawn.len(), 2000);
    }
}
