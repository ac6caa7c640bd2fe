//! Who of a source's connections may hold how much memory, and in which order they get it. No socket, no clock.

use std::collections::BTreeMap;

/// A connection.
pub(super) type Id = u32;

/// What a connection has been given.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Part {
    lane: usize,
    pub(super) bytes: usize,
    /// Where it waits for more: a lane, and its place in the queue.
    ticket: Option<(usize, u64)>,
}

impl Part {
    /// Whether it waits for more.
    pub(super) fn waits(&self) -> bool {
        self.ticket.is_some()
    }
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
    waiting: [BTreeMap<u64, Id>; LANES],
    last_ticket: u64,
}

impl Lanes {
    /// Of `bytes` in all.
    pub(super) fn new(bytes: usize) -> Lanes {
        let part = bytes / SMALL_PART;
        let kept = [part, part, bytes - 2 * part];
        let most = [TINY.min(part / 4), SMALL.min(part / 4), usize::MAX];
        Lanes { kept, most, used: [0; LANES], waiting: Default::default(), last_ticket: 0 }
    }

    /// Gives the connection that holds `part` so many bytes instead. `false`: not yet, it stands in the queue now and is to
    /// ask again when it is its turn. Less than it holds it is always given.
    pub(super) fn resize(&mut self, id: Id, part: &mut Part, bytes: usize) -> bool {
        self.used[part.lane] -= part.bytes;
        let lane = self.most.iter().position(|most| bytes <= *most).unwrap_or(LANES - 1);
        let shrinks = bytes <= part.bytes;
        let next = self.waiting[lane].values().next().is_none_or(|first| *first == id);
        let given = if (shrinks || next) && self.has_room(lane, bytes) {
            (part.lane, part.bytes) = (lane, bytes);
            true
        } else {
            part.bytes = part.bytes.min(bytes);
            shrinks
        };
        self.used[part.lane] += part.bytes;
        self.queue(id, part, (!given).then_some(lane));
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
    fn queue(&mut self, id: Id, part: &mut Part, lane: Option<usize>) {
        if part.ticket.map(|(lane, _)| lane) == lane {
            return;
        }
        if let Some((lane, ticket)) = part.ticket.take() {
            self.waiting[lane].remove(&ticket);
        }
        if let Some(lane) = lane {
            self.last_ticket += 1;
            self.waiting[lane].insert(self.last_ticket, id);
            part.ticket = Some((lane, self.last_ticket));
        }
    }

    /// Whether somebody waits.
    pub(super) fn is_waited_for(&self) -> bool {
        self.waiting.iter().any(|waiting| !waiting.is_empty())
    }

    /// Those whose turn it is.
    pub(super) fn first(&self) -> impl Iterator<Item = Id> {
        self.waiting.iter().filter_map(|waiting| waiting.values().next().copied())
    }
}

const LANES: usize = 3;
/// Of the whole, what is kept for each of the two lanes of smaller ones: one part in so many.
pub(in crate::source) const SMALL_PART: usize = 8;
/// What a connection holds that delivers lines as they come.
pub(in crate::source) const TINY: usize = 64 << 10;
/// What a native node may have under way, and a read besides.
pub(in crate::source) const SMALL: usize = 4 << 20;

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const MIB: usize = 1 << 20;
    #[test]
    fn who_asks_for_much_gets_the_whole_or_waits_and_the_small_pass_beside() {
        let mut lanes = Lanes::new(288 * MIB);
        let mut parts = [Part::default(); 601];
        let mut ask = |lanes: &mut Lanes, id: usize, bytes| lanes.resize(id as Id, &mut parts[id], bytes);
        assert!(ask(&mut lanes, 1, 96 * MIB) && ask(&mut lanes, 2, 96 * MIB));
        assert!(!ask(&mut lanes, 3, 96 * MIB));
        assert!(!ask(&mut lanes, 4, 20 * MIB), "it has room but is not the first");
        assert!((10..28).all(|id| ask(&mut lanes, id, 2 * MIB)));
        assert!(!ask(&mut lanes, 28, MIB), "its own lane is full, and a large one waits");
        assert!((100..600).all(|id| ask(&mut lanes, id, 64 << 10)));
        assert!(ask(&mut lanes, 2, 0));
        assert_eq!(lanes.first().collect::<Vec<_>>(), [28, 3]);
        assert!(ask(&mut lanes, 3, 96 * MIB));
        assert!(ask(&mut lanes, 1, 0) && ask(&mut lanes, 4, 20 * MIB));
        assert!(ask(&mut lanes, 28, MIB), "nobody waits any more: it borrows");
        assert!(!lanes.is_waited_for());
    }

    #[test]
    fn what_is_given_back_counts_at_once_and_who_leaves_the_queue_is_not_waited_for() {
        let mut lanes = Lanes::new(8 * MIB);
        let [mut one, mut two, mut three] = [Part::default(); 3];
        assert!(lanes.resize(1, &mut one, 6 * MIB));
        assert!(!lanes.resize(2, &mut two, 4 * MIB) && two.waits());
        assert!(!lanes.resize(3, &mut three, 2 * MIB));
        assert!(lanes.resize(1, &mut one, 3 * MIB));
        assert!(!lanes.resize(3, &mut three, 2 * MIB));
        assert!(lanes.resize(2, &mut two, 0) && !two.waits());
        assert!(lanes.resize(3, &mut three, 2 * MIB));
        assert!(lanes.resize(1, &mut one, 0));
        assert_eq!(lanes.used.iter().sum::<usize>(), 2 * MIB);
    }

    proptest! {
        /// Whoever asks in whatever order, the sum is kept, and who waits is in a queue.
        #[test]
        fn the_sum_is_kept_and_who_waits_is_known(
            asks in proptest::collection::vec((1..20u32, 0..7 * MIB), 1..200),
        ) {
            let mut lanes = Lanes::new(8 * MIB);
            let mut parts = [Part::default(); 20];
            for (id, bytes) in asks {
                lanes.resize(id, &mut parts[id as usize], bytes.min(6 * MIB));
                prop_assert!(lanes.used.iter().sum::<usize>() <= 8 * MIB);
                let held: usize = parts.iter().map(|part| part.bytes).sum();
                prop_assert_eq!(lanes.used.iter().sum::<usize>(), held);
                prop_assert_eq!(lanes.is_waited_for(), parts.iter().any(Part::waits));
            }
            for (id, part) in parts.iter_mut().enumerate() {
                lanes.resize(id as Id, part, 0);
            }
            prop_assert!(!lanes.is_waited_for());
            prop_assert_eq!(lanes.used, [0; LANES]);
        }
    }
}
