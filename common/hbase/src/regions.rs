//! Which region of the table has which rows, as far as it is known. No I/O: whoever asks looks up what is not.

use crate::wire::Row;
use bytes::Bytes;
use std::collections::BTreeMap;
use std::ops::Bound;

/// A region, and who serves it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Region {
    pub(crate) name: Bytes,
    /// `HOST:PORT`
    pub(crate) server: String,
    end: Bytes,
}

/// By the row with which each begins.
#[derive(Debug, Default)]
pub(crate) struct Regions(BTreeMap<Bytes, Region>);

impl Regions {
    /// The region that has `row`.
    pub(crate) fn find(&self, row: &[u8]) -> Option<&Region> {
        let (_, region) = self.0.range::<[u8], _>((Bound::Unbounded, Bound::Included(row))).next_back()?;
        region.has_before_its_end(row).then_some(region)
    }

    /// Takes note of a region, in place of those that it overlaps. `false`: nobody serves it.
    pub(crate) fn insert(&mut self, row: Row) -> bool {
        let Some(server) = row.server else { return false };
        let region = Region { name: row.name, server, end: row.end };
        let before = self.0.range::<[u8], _>((Bound::Unbounded, Bound::Excluded(&row.start[..]))).next_back();
        let overlapping = before.filter(|(_, before)| before.has_before_its_end(&row.start));
        let mut stale: Vec<Bytes> = overlapping.map(|(start, _)| start.clone()).into_iter().collect();
        let behind = self.0.range::<[u8], _>((Bound::Included(&row.start[..]), Bound::Unbounded));
        let within = behind.take_while(|(start, _)| region.has_before_its_end(start));
        stale.extend(within.map(|(start, _)| start.clone()));
        for start in stale {
            self.0.remove(&start);
        }
        self.0.insert(row.start, region);
        true
    }

    /// Forgets the region of this name.
    pub(crate) fn forget(&mut self, name: &[u8]) {
        self.0.retain(|_, region| region.name != name);
    }

    /// Forgets what a server has.
    pub(crate) fn forget_server(&mut self, server: &str) {
        self.0.retain(|_, region| region.server != server);
    }
}

impl Region {
    fn has_before_its_end(&self, row: &[u8]) -> bool {
        self.end.is_empty() || row < &self.end[..]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(start: &'static str, end: &'static str, name: &'static str) -> Row {
        Row { name: name.into(), start: start.into(), end: end.into(), server: Some(format!("{name}:1")) }
    }

    fn names(regions: &Regions, rows: &str) -> String {
        let name = |row: char| {
            let found = regions.find(row.to_string().as_bytes());
            found.map_or(".".into(), |region| String::from_utf8_lossy(&region.name).into_owned())
        };
        rows.chars().map(name).collect()
    }

    #[test]
    fn a_row_is_in_the_region_that_begins_before_it_and_ends_behind_it() {
        let mut regions = Regions::default();
        assert_eq!(names(&regions, "abc"), "...");
        assert!(regions.insert(row("b", "d", "1")));
        assert!(regions.insert(row("f", "", "2")));
        assert_eq!(names(&regions, "abcdefz"), ".11..22");
        assert!(!regions.insert(Row { server: None, ..row("d", "f", "3") }));
        assert_eq!(names(&regions, "de"), "..");
    }

    #[test]
    fn what_is_split_merged_or_moved_takes_the_place_of_what_was() {
        let mut regions = Regions::default();
        regions.insert(row("", "", "1"));
        regions.insert(row("m", "", "2")); // the lower daughter is not known yet
        assert_eq!(names(&regions, "amz"), ".22");
        regions.insert(row("", "m", "3"));
        assert_eq!(names(&regions, "amz"), "322");
        regions.insert(row("c", "x", "4"));
        assert_eq!(names(&regions, "acmxz"), ".44..");
        regions.insert(row("", "", "5"));
        assert_eq!(names(&regions, "az"), "55");
        regions.forget(b"5");
        assert_eq!(names(&regions, "az"), "..");
        regions.insert(row("", "k", "6"));
        regions.insert(row("k", "", "7"));
        regions.forget_server("6:1");
        assert_eq!(names(&regions, "az"), ".7");
    }
}
