//! The books on the events that a sink has: which were sent and have not come back. No I/O.

use crate::Ranges;
use std::{collections::BTreeMap, ops::Range};

/// Stretches of numbers that are out.
#[derive(Debug, Default)]
pub(super) struct Leases {
    open: BTreeMap<u64, u64>, // first, one behind the last
    next: u64,
}

impl Leases {
    pub(super) fn next(&self) -> u64 {
        self.next
    }

    pub(super) fn is_empty(&self) -> bool {
        self.open.is_empty()
    }

    /// Sends out `count` more.
    pub(super) fn lease(&mut self, count: u64) -> Range<u64> {
        let numbers = self.next..self.next + count;
        self.next = numbers.end;
        if count > 0 {
            self.join(numbers.clone());
        }
        numbers
    }

    fn join(&mut self, numbers: Range<u64>) {
        match self.open.last_entry() {
            Some(mut last) if *last.get() == numbers.start => *last.get_mut() = numbers.end,
            _ => drop(self.open.insert(numbers.start, numbers.end)),
        }
    }

    /// Takes numbers back.
    ///
    /// # Errors
    /// The first number that is not out; those before it are taken back.
    pub(super) fn settle(&mut self, ranges: &Ranges) -> Result<(), u64> {
        ranges.iter().try_for_each(|(first, count)| self.take(*first, *count))
    }

    fn take(&mut self, first: u64, count: u64) -> Result<(), u64> {
        if count == 0 {
            return Ok(());
        }
        let end = first.checked_add(count).ok_or(first)?;
        let (start, stop) = self.open.range(..=first).next_back().map(|(a, b)| (*a, *b)).ok_or(first)?;
        if first >= stop {
            return Err(first);
        }
        if end > stop {
            return Err(stop);
        }
        self.open.remove(&start);
        if start < first {
            self.open.insert(start, first);
        }
        if end < stop {
            self.open.insert(end, stop);
        }
        Ok(())
    }

    /// All that are out.
    pub(super) fn open(&self) -> Ranges {
        self.open.iter().map(|(start, end)| (*start, end - start)).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn transactions_settle_in_any_order_and_once() {
        let mut leases = Leases::default();
        assert_eq!((leases.lease(10), leases.lease(5)), (0..10, 10..15));
        assert_eq!(leases.settle(&vec![(3, 4), (12, 3)]), Ok(()));
        assert_eq!(leases.open(), [(0, 3), (7, 5)]);
        assert_eq!(leases.settle(&vec![(4, 1)]), Err(4), "it is back already");
        assert_eq!(leases.settle(&vec![(10, 4)]), Err(12), "a part is back already");
        assert_eq!(leases.settle(&vec![(u64::MAX, 2)]), Err(u64::MAX));
        assert_eq!(leases.settle(&vec![(7, 5), (0, 3)]), Ok(()));
        assert!(leases.is_empty());
    }

    proptest! {
        #[test]
        fn behaves_like_a_set(steps in proptest::collection::vec((0u64..40, 0u64..12), 1..60)) {
            let (mut leases, mut set) = (Leases::default(), std::collections::BTreeSet::new());
            for (first, count) in steps {
                if count % 3 == 0 {
                    set.extend(leases.lease(count));
                } else {
                    let all = (first..first + count).all(|number| set.contains(&number));
                    prop_assert!(leases.settle(&vec![(first, count)]).is_ok() == all);
                    if all {
                        set.retain(|number| !(first..first + count).contains(number));
                    }
                }
                let open: Vec<u64> = leases.open().iter().flat_map(|(first, count)| *first..first + count).collect();
                prop_assert_eq!(&open, &set.iter().copied().collect::<Vec<_>>());
            }
        }
    }
}
