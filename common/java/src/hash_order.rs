//! The order in which a Java hash map prints an event's headers.

use std::borrow::Cow;

/// A header as it prints: which of the given pairs its key stands in, and which its value. They differ only where a key
/// was written twice: the first place, the last value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Printed {
    /// Index of the pair the key stands in.
    pub key: usize,
    /// Index of the pair the value stands in.
    pub value: usize,
    rank: [u32; 3], // bucket in the last map, in the one before, in the first
    hash: u32,
}

/// Works out how Flume prints `pairs`, which are in the order in which they were written, and leaves it in `order`
/// (reused: what it held is forgotten).
///
/// `received` is how many headers a peer had sent, or [`Span::BORN_HERE`](event::Span::BORN_HERE). An event born here
/// has one map of 16 buckets. A received one went through three: the decoder's `HashMap(n)`, keyed by UTF-8 bytes, a
/// default one, and a copy that is as tight as Java's copy constructor makes it; what interceptors added came after.
///
/// Source: `flume-ng` 1.9 and 1.11 on JDK 8 to 18. Left out: buckets that became trees (8 keys or more in one bucket of
/// a table of 64 or more), and where in a bucket a key stands that replaced one which an interceptor had removed.
pub fn hash_order(pairs: &[(&[u8], &[u8])], received: u32, order: &mut Vec<Printed>) {
    order.clear();
    let tables = Tables::of(pairs.len(), received);
    for (index, (key, _)) in pairs.iter().enumerate() {
        let hash = spread(java_hash(key));
        order.push(Printed { key: index, value: index, rank: [0; 3], hash });
    }
    fold_doubles(pairs, order);
    for header in order.iter_mut() {
        header.rank = tables.rank(header, pairs[header.key].0);
    }
    order.sort_unstable_by_key(|header| (header.rank, header.key));
}

/// The sizes of the maps an event's headers went through.
struct Tables {
    from_peer: usize, // pairs that a peer had sent
    decoded: u32,     // 0 when there was no peer
    plain: u32,
    last: u32,
}

impl Tables {
    fn of(pairs: usize, received: u32) -> Tables {
        let pairs_now = u32::try_from(pairs).unwrap_or(u32::MAX);
        if received == event::Span::BORN_HERE {
            return Tables { from_peer: 0, decoded: 0, plain: 0, last: grown(DEFAULT_TABLE, pairs_now) };
        }
        let from_peer = pairs.min(received as usize);
        let decoded = grown(received.max(1).checked_next_power_of_two().unwrap_or(MOST_TABLE), received);
        let copied = if received == 0 { DEFAULT_TABLE } else { copied(received) };
        Tables { from_peer, decoded, plain: grown(DEFAULT_TABLE, received), last: grown(copied, pairs_now) }
    }

    fn rank(&self, header: &Printed, key: &[u8]) -> [u32; 3] {
        let bucket = |table: u32, hash: u32| hash & (table - 1);
        let last = bucket(self.last, header.hash);
        if header.key >= self.from_peer {
            return [last, u32::MAX, u32::MAX];
        }
        [last, bucket(self.plain, header.hash), bucket(self.decoded, spread(utf8_hash(key)))]
    }
}

/// The table of a copy of a map of `entries`, one or more: the smallest power of two that is `entries / 0.75 + 1` or
/// more.
fn copied(entries: u32) -> u32 {
    let least = u64::from(entries) * 4 / 3 + 1;
    u32::try_from(least.next_power_of_two()).unwrap_or(MOST_TABLE).min(MOST_TABLE)
}

/// A table that began as `table` and now holds `entries`: it doubles when three quarters are exceeded.
fn grown(mut table: u32, entries: u32) -> u32 {
    while table < MOST_TABLE && u64::from(entries) * 4 > u64::from(table) * 3 {
        table *= 2;
    }
    table
}

/// Of keys written more than once, keeps the first with the last's value.
fn fold_doubles(pairs: &[(&[u8], &[u8])], order: &mut Vec<Printed>) {
    let doubled = if order.len() <= FEW {
        (1..order.len()).any(|b| (0..b).any(|a| order[a].hash == order[b].hash && pairs[a].0 == pairs[b].0))
    } else {
        order.sort_unstable_by_key(|header| (header.hash, pairs[header.key].0, header.key));
        order.windows(2).any(|two| pairs[two[0].key].0 == pairs[two[1].key].0)
    };
    if !doubled {
        return;
    }
    order.sort_unstable_by_key(|header| (pairs[header.key].0, header.key));
    order.dedup_by(|later, first| {
        let same = pairs[later.key].0 == pairs[first.key].0;
        if same {
            first.value = later.value;
        }
        same
    });
}

/// `String.hashCode`: over UTF-16 units, as Java decodes the bytes.
fn java_hash(key: &[u8]) -> u32 {
    if key.is_ascii() {
        return utf8_hash(key);
    }
    let text: Cow<'_, str> = String::from_utf8_lossy(key);
    text.encode_utf16().fold(0, |hash: u32, unit| hash.wrapping_mul(31).wrapping_add(u32::from(unit)))
}

/// `Utf8.hashCode` of Avro: the same over signed bytes.
fn utf8_hash(key: &[u8]) -> u32 {
    key.iter().fold(0, |hash: u32, byte| hash.wrapping_mul(31).wrapping_add(*byte as i8 as u32))
}

/// What `HashMap` makes of a hash.
fn spread(hash: u32) -> u32 {
    hash ^ hash >> 16
}

/// Buckets of `new HashMap()`.
const DEFAULT_TABLE: u32 = 16;

/// `HashMap.MAXIMUM_CAPACITY`.
const MOST_TABLE: u32 = 1 << 30;

/// Up to so many headers, doubles are looked for by comparing each with each.
const FEW: usize = 32;

#[cfg(test)]
mod tests {
    use super::*;
    use event::Span;

    fn printed(keys: &[&str], received: u32) -> Vec<String> {
        let pairs: Vec<_> = keys.iter().map(|key| (key.as_bytes(), &b"x"[..])).collect();
        let mut order = Vec::new();
        hash_order(&pairs, received, &mut order);
        order.iter().map(|header| keys[header.key].to_owned()).collect()
    }

    #[test]
    fn the_lessons_events_print_as_in_the_lesson() {
        let keys = ["Type", "timestamp", "Collector"];
        assert_eq!(printed(&keys, Span::BORN_HERE), ["Type", "Collector", "timestamp"]);
        assert_eq!(printed(&keys, 2), ["Collector", "Type", "timestamp"]);
        assert_eq!(printed(&keys, 3), ["Collector", "Type", "timestamp"]);
    }

    #[test]
    fn four_hundred_maps_of_a_real_jvm_agree() {
        let table = include_str!("../testdata/java_order.tsv");
        for (n, line) in table.lines().enumerate() {
            let columns: Vec<&str> = line.split('\t').collect();
            let [origin, keys, expected] = columns[..] else { panic!("line {} has three columns", n + 1) };
            let received = origin.parse().unwrap_or(Span::BORN_HERE);
            // No key at all reads as one empty key here, on both sides.
            let (keys, expected): (Vec<&str>, Vec<&str>) =
                (keys.split(',').collect(), expected.split(',').collect());
            assert_eq!(printed(&keys, received), expected, "line {}: {line}", n + 1);
        }
    }

    #[test]
    fn a_key_written_twice_keeps_its_first_place_and_its_last_value() {
        for others in [0, 40] {
            let names: Vec<String> = (0..others).map(|n| format!("other{n}")).collect();
            let mut pairs: Vec<(&[u8], &[u8])> = vec![(b"a", b"1"), (b"b", b"2"), (b"a", b"3")];
            pairs.extend(names.iter().map(|name| (name.as_bytes(), &b""[..])));
            let mut order = Vec::new();
            hash_order(&pairs, Span::BORN_HERE, &mut order);
            let twice = order.iter().filter(|header| pairs[header.key].0 == b"a");
            assert_eq!(twice.map(|header| (header.key, header.value)).collect::<Vec<_>>(), [(0, 2)]);
            assert_eq!(order.len(), pairs.len() - 1);
        }
    }

    #[test]
    fn hostile_maps_take_no_time_worth_telling() {
        // 2^16 keys of one hash: each pair of letters hashes alike.
        let keys: Vec<Vec<u8>> = (0..1u32 << 16)
            .map(|n| (0..16).flat_map(|bit| if n >> bit & 1 == 0 { *b"Aa" } else { *b"BB" }).collect())
            .collect();
        let pairs: Vec<_> = keys.iter().map(|key| (&key[..], &b""[..])).collect();
        let mut order = Vec::new();
        hash_order(&pairs, pairs.len() as u32, &mut order);
        assert_eq!(order.len(), pairs.len());
        hash_order(&pairs, u32::MAX - 1, &mut order);
        assert_eq!(order.len(), pairs.len());
    }
}
