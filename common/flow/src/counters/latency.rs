//! How long answers take, as a histogram.

use super::Counter;
use runtime::clock::Duration;

/// Answers by how long they took.
#[derive(Debug, Default)]
pub struct Latency {
    /// For each bound those that took no longer and longer than the bound before, and at the end those beyond all.
    buckets: [Counter; BOUNDS_MS.len() + 1],
    micros: Counter,
}

/// The bounds, in milliseconds.
pub const BOUNDS_MS: [u64; 13] = [1, 2, 5, 10, 25, 50, 100, 250, 500, 1_000, 2_500, 5_000, 10_000];

impl Latency {
    /// One answer took so long.
    pub fn record(&self, took: Duration) {
        let bucket = BOUNDS_MS.iter().position(|bound| took <= Duration::from_millis(*bound));
        self.buckets[bucket.unwrap_or(BOUNDS_MS.len())].increment();
        self.micros.add(took.as_micros().try_into().unwrap_or(usize::MAX));
    }

    /// How many took no longer than each bound, how many there were, and how long all took together in microseconds.
    pub fn read(&self) -> ([u64; BOUNDS_MS.len()], u64, u64) {
        let mut sum = 0;
        let up_to = std::array::from_fn(|bucket| {
            sum += self.buckets[bucket].get();
            sum
        });
        (up_to, sum + self.buckets[BOUNDS_MS.len()].get(), self.micros.get())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_counts_at_its_bound_and_all_above() {
        let latency = Latency::default();
        for micros in [1_000, 1_001, 9_000_000, 10_000_001] {
            latency.record(Duration::from_micros(micros));
        }
        let (up_to, count, micros) = latency.read();
        assert_eq!(up_to, [1, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 3]);
        assert_eq!((count, micros), (4, 19_002_002));
    }
}
