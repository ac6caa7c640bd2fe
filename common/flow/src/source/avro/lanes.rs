//! Who of a source's connections may hold how much memory, and in which order they get it. No socket, no clock.

use std::collections::VecDeque;

/// A connection.
pub(super) type Id = u32;

/// What a connection has been given.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Part {
    lane: usize,
    pub(super) bytes: usize,
}

/// One number of bytes, in three lanes by how much a connection wants to hold: what is small passes beside what is large.
///
/// A lane may use what the lanes of larger ones leave free, as long as nobody waits there, and never what is kept for a
/// lane of smaller ones. Within a lane it is first come, first served, and nobody gets a part of what it asks for: of many
/// that each had a part, none could finish.
pub(super) struct Lanes {
    kept: [usize; LANES],
    /// What one connection may hold in each.
    most: [usize; LANES],
    used: [usize; LANES],
    waiting: [VecDeque<Id>; LANES],
}

impl Lanes {
    /// Of `bytes` in all.
    pub(super) fn new(bytes: usize) -> Lanes {
        let part = bytes / SMALL_PART;
        let kept = [part, part, bytes - 2 * part];
        let most = [TINY.min(part / 4), SMALL.min(part / 4), usize::MAX];
        Lanes { kept, most, used: [0; LANES], waiting: Default::default() }
    }

    /// Gives the connection that holds `part` so many bytes instead. `None`: not yet, it stands in the queue now and is to
    /// ask again when it is its turn. Less than it holds it is always given.
    pub(super) fn resize(&mut self, id: Id, part: Part, bytes: usize) -> Option<Part> {
        self.used[part.lane] -= part.bytes;
        let lane = self.most.iter().position(|most| bytes <= *most).unwrap_or(LANES - 1);
        let given = if bytes > part.bytes {
            let next = self.waiting[lane].front().is_none_or(|first| *first == id);
            (next && self.has_room(lane, bytes)).then_some(Part { lane, bytes })
        } else if self.has_room(lane, bytes) {
            Some(Part { lane, bytes })
        } else {
            Some(Part { lane: part.lane, bytes })
        };
        let now = given.unwrap_or(part);
        self.used[now.lane] += now.bytes;
        self.queue(id, given.is_none().then_some(lane));
        given
    }

    fn has_room(&self, lane: usize, bytes: usize) -> bool {
        let borrows = self.used[lane] + bytes > self.kept[lane];
        let others_wait = self.waiting[lane + 1..].iter().any(|waiting| !waiting.is_empty());
        // Together with the lanes of larger ones it leaves what is kept for smaller ones.
        let fits = (0..=lane)
            .all(|from| self.used[from..].iter().sum::<usize>() + bytes <= self.kept[from..].iter().sum());
        fits && !(borrows && others_wait)
    }

    /// It stands at the end of this queue and in no other, or in its place if it stood there.
    fn queue(&mut self, id: Id, lane: Option<usize>) {
        if !self.is_waited_for() && lane.is_none() {
            return;
        }
        for (at, waiting) in self.waiting.iter_mut().enumerate() {
            let place = waiting.iter().position(|waits| *waits == id);
            match (place, lane == Some(at)) {
                (None, true) => waiting.push_back(id),
                (Some(place), false) => {
                    waiting.remove(place);
                }
                _ => {}
            }
        }
    }

    /// The connection has gone.
    pub(super) fn leave(&mut self, id: Id, part: Part) {
        self.resize(id, part, 0);
    }

    /// Whether somebody waits.
    pub(super) fn is_waited_for(&self) -> bool {
        self.waiting.iter().any(|waiting| !waiting.is_empty())
    }

    /// Those whose turn it is.
    pub(super) fn first(&self) -> impl Iterator<Item = Id> {
        self.waiting.iter().filter_map(|waiting| waiting.front().copied())
    }
}

const LANES: usize = 3;
/// Of the whole, what is kept for each of the two lanes of smaller ones: one part in so many.
pub(super) const SMALL_PART: usize = 8;
/// What a connection holds that delivers lines as they come.
pub(super) const TINY: usize = 64 << 10;
/// What a native node may have under way, and a read besides.
pub(super) const SMALL: usize = 4 << 20;

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const MIB: usize = 1 << 20;
    const NONE: Part = Part { lane: 0, bytes: 0 };

    #[test]
    fn who_asks_for_much_gets_the_whole_or_waits_and_the_small_pass_beside() {
        let mut lanes = Lanes::new(288 * MIB);
        let one = lanes.resize(1, NONE, 96 * MIB).unwrap();
        let two = lanes.resize(2, NONE, 96 * MIB).unwrap();
        assert_eq!(lanes.resize(3, NONE, 96 * MIB), None);
        assert_eq!(lanes.resize(4, NONE, 20 * MIB), None, "it has room but is not the first");
        for id in 10..28 {
            assert!(lanes.resize(id, NONE, 2 * MIB).is_some());
        }
        assert_eq!(lanes.resize(28, NONE, MIB), None, "its own lane is full, and a large one waits");
        for id in 100..600 {
            assert!(lanes.resize(id, NONE, 64 << 10).is_some(), "{id}");
        }
        lanes.leave(2, two);
        assert_eq!(lanes.first().collect::<Vec<_>>(), [28, 3]);
        assert!(lanes.resize(3, NONE, 96 * MIB).is_some());
        lanes.leave(1, one);
        assert!(lanes.resize(4, NONE, 20 * MIB).is_some());
        assert!(lanes.resize(28, NONE, MIB).is_some(), "nobody waits any more: it borrows");
        assert!(!lanes.is_waited_for());
    }

    #[test]
    fn what_is_given_back_counts_at_once_and_who_leaves_the_queue_is_not_waited_for() {
        let mut lanes = Lanes::new(8 * MIB);
        let part = lanes.resize(1, NONE, 6 * MIB).unwrap();
        assert_eq!(lanes.resize(2, NONE, 4 * MIB), None);
        assert_eq!(lanes.resize(3, NONE, 2 * MIB), None);
        let part = lanes.resize(1, part, 3 * MIB).unwrap();
        assert_eq!(lanes.resize(3, NONE, 2 * MIB), None);
        lanes.leave(2, NONE);
        assert!(lanes.resize(3, NONE, 2 * MIB).is_some());
        assert_eq!(lanes.resize(1, part, 0), Some(NONE));
    }

    proptest! {
        /// Whoever asks and leaves in whatever order: the sum is kept, and in the end all are served.
        #[test]
        fn the_sum_is_kept_and_everybody_gets_its_turn(
            asks in proptest::collection::vec((1..20u32, 0..7 * MIB), 1..200),
        ) {
            let mut lanes = Lanes::new(8 * MIB);
            let mut parts = std::collections::BTreeMap::new();
            for (id, bytes) in asks {
                let part = parts.entry(id).or_insert(NONE);
                *part = lanes.resize(id, *part, bytes.min(6 * MIB)).unwrap_or(*part);
                prop_assert!(lanes.used.iter().sum::<usize>() <= 8 * MIB);
                prop_assert_eq!(lanes.used.iter().sum::<usize>(), parts.values().map(|part| part.bytes).sum::<usize>());
            }
            while lanes.is_waited_for() {
                let waits: Vec<Id> = lanes.waiting.iter().flatten().copied().collect();
                let holds: Vec<Id> = parts.keys().filter(|id| !waits.contains(id)).copied().collect();
                let gives = holds.first().or(waits.first()).copied().unwrap();
                lanes.leave(gives, parts.remove(&gives).unwrap_or(NONE));
            }
            for (id, part) in parts {
                lanes.leave(id, part);
            }
            prop_assert_eq!(lanes.used, [0; LANES]);
        }
    }
}
