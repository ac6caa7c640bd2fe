//! Which place each event goes to.

use super::names::{judge, normal};
use components::escapes::{Piece, Rounding, Template, local, window};
use event::Event;
use jiff::tz::TimeZone;
use std::ops::Range;
use std::sync::Arc;

/// A directory, and the prefix of the names in it: one file is open there at a time.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct Place {
    /// `hdfs.path`, with a `/` before each part and none behind the last.
    pub(crate) directory: String,
    /// `hdfs.filePrefix`
    pub(crate) prefix: String,
}

/// Finds the place of each event. Neighbours mostly go to the same one, so the last place is kept, with what it was made of.
#[derive(Debug)]
pub(crate) struct Buckets {
    path: Template,
    prefix: Template,
    zone: TimeZone,
    rounding: Option<Rounding>,
    use_arrival: bool,
    needs_time: bool,
    same_for: i64,
    last: Option<Last>,
    untimed: u64,
}

#[derive(Debug)]
struct Last {
    place: Arc<Place>,
    /// The header map of the event that was looked at last.
    map: Vec<u8>,
    /// The time that it had in that map.
    own_time: Option<i64>,
    /// What the headers that count were.
    values: Vec<String>,
    /// For which moments the place is the same.
    window: Range<i64>,
}

impl Buckets {
    /// For these templates; `use_arrival` is `hdfs.useLocalTimeStamp`.
    pub(crate) fn new(
        path: Template,
        prefix: Template,
        zone: TimeZone,
        rounding: Option<Rounding>,
        use_arrival: bool,
    ) -> Buckets {
        let fields = path.pieces.iter().chain(&prefix.pieces).filter_map(|piece| match piece {
            Piece::Time(field) => Some(field.same_for()),
            _ => None,
        });
        let same_for = fields.min();
        Buckets {
            needs_time: same_for.is_some(),
            same_for: same_for.unwrap_or(i64::MAX),
            path,
            prefix,
            zone,
            rounding,
            use_arrival,
            last: None,
            untimed: 0,
        }
    }

    /// Where `event` goes, which has arrived at `arrival`, milliseconds since 1970.
    ///
    /// # Errors
    /// Why there is no such place, in an operator's words.
    pub(crate) fn place(&mut self, event: &Event<'_>, arrival: i64) -> Result<Arc<Place>, String> {
        let same_map = self.last.as_ref().filter(|last| event.has_header_bytes(&last.map));
        let own_time = match same_map {
            Some(last) => last.own_time,
            None if self.needs_time && !self.use_arrival => timestamp(event),
            None => None,
        };
        self.untimed += u64::from(self.needs_time && !self.use_arrival && own_time.is_none());
        let time = own_time.unwrap_or(arrival);
        if let Some(last) = same_map.filter(|last| last.window.contains(&time)) {
            return Ok(last.place.clone());
        }
        self.look(event, own_time, time)
    }

    /// Events so far whose place has a time in it and that had none.
    pub(crate) fn untimed(&self) -> u64 {
        self.untimed
    }

    fn look(&mut self, event: &Event<'_>, own_time: Option<i64>, time: i64) -> Result<Arc<Place>, String> {
        let names = || self.path.headers().chain(self.prefix.headers());
        let is_same = |last: &Last| {
            last.window.contains(&time)
                && names()
                    .zip(&last.values)
                    .all(|(name, value)| event.header(name).unwrap_or_default() == value)
        };
        if let Some(last) = self.last.as_mut().filter(|last| is_same(last)) {
            last.map.clear();
            last.map.extend_from_slice(event.header_bytes());
            last.own_time = own_time;
            return Ok(last.place.clone());
        }
        let values = names().map(|name| event.header(name).unwrap_or_default().to_owned()).collect();
        let place = Arc::new(self.make(event, time)?);
        let window = if self.needs_time { window(time, self.same_for) } else { i64::MIN..i64::MAX };
        let map = event.header_bytes().to_vec();
        self.last = Some(Last { place: place.clone(), map, own_time, values, window });
        Ok(place)
    }

    fn make(&self, event: &Event<'_>, time: i64) -> Result<Place, String> {
        let local = local(time, &self.zone, self.rounding);
        let text = match event.header(TIMESTAMP) {
            Some(text) if !self.use_arrival && text.trim().parse() == Ok(time) => text.to_owned(),
            _ => time.to_string(),
        };
        let fill = |template: &Template| {
            let mut out = String::new();
            template.fill(event, &local, &text, &mut out);
            out
        };
        let place = Place { directory: normal(&fill(&self.path)), prefix: fill(&self.prefix) };
        let whole = format!("{}/{}", place.directory, place.prefix);
        judge(&whole).map_err(|reason| format!("its path would be {}: {reason}", plan::quoted(&whole)))?;
        Ok(place)
    }
}

/// The time of an event, as Java reads a long.
pub(crate) fn timestamp(event: &Event<'_>) -> Option<i64> {
    event.header(TIMESTAMP)?.parse().ok()
}

const TIMESTAMP: &str = "timestamp";

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{event, events};

    fn buckets(path: &str, prefix: &str, use_arrival: bool) -> Buckets {
        let hosts = |_: &str| Ok(String::new());
        let parse = |text| Template::parse(text, &hosts).unwrap();
        Buckets::new(parse(path), parse(prefix), TimeZone::UTC, None, use_arrival)
    }

    fn places(buckets: &mut Buckets, headers: &[&[(&str, &str)]], arrival: i64) -> Vec<String> {
        let batch = events(headers.iter().map(|headers| (*headers, "body")));
        let place = |event| match buckets.place(&event, arrival) {
            Ok(place) => format!("{}/{}", place.directory, place.prefix),
            Err(reason) => format!("!{reason}"),
        };
        batch.events().map(place).collect()
    }

    #[test]
    fn each_event_goes_where_its_headers_and_its_time_say() {
        let mut buckets = buckets("/logs//%{host}/%H%M/", "p%{kind}", false);
        let at = |host, time| [("host", host), ("timestamp", time)];
        let (one, two) = (at("h1", "1700000000123"), at("h2", "1700000000123"));
        let (later, soon) = (at("h1", "1700000060000"), at("h1", "1700000039999"));
        let headers: [&[(&str, &str)]; 6] =
            [&one, &one, &two, &soon, &later, &[("kind", "x"), ("host", "..")]];
        let found = places(&mut buckets, &headers, 0);
        assert_eq!(
            found[..5],
            ["/logs/h1/2213/p", "/logs/h1/2213/p", "/logs/h2/2213/p", "/logs/h1/2213/p", "/logs/h1/2214/p"]
        );
        assert!(
            found[5].starts_with("!its path would be `/logs/../0000/px`: a part of it is"),
            "{}",
            found[5]
        );
        assert_eq!(buckets.untimed(), 1);
    }

    #[test]
    fn an_event_without_a_usable_time_has_that_of_its_arrival_and_is_counted() {
        let mut one = buckets("/%S", "p", false);
        let headers: [&[(&str, &str)]; 3] = [&[], &[("timestamp", "soon")], &[("timestamp", "5000")]];
        assert_eq!(places(&mut one, &headers, 7_000), ["/07/p", "/07/p", "/05/p"]);
        assert_eq!(places(&mut one, &headers, 8_000), ["/08/p", "/08/p", "/05/p"]);
        assert_eq!(one.untimed(), 4);
        let mut arrival = buckets("/%S-%t", "p", true);
        assert_eq!(places(&mut arrival, &headers[2..], 9_001), ["/09-9001/p"]);
        let mut timeless = buckets("/a", "p", false);
        assert_eq!(places(&mut timeless, &headers, 0), ["/a/p", "/a/p", "/a/p"]);
        assert_eq!([arrival.untimed(), timeless.untimed()], [0, 0]);
    }

    #[test]
    fn the_place_that_was_found_last_is_found_again_without_a_new_one() {
        let mut buckets = buckets("/%{host}/%Y", "p", false);
        let batch = event(&[("host", "h"), ("timestamp", "1700000000123")], "b");
        let batch2 = event(&[("host", "h"), ("timestamp", "1700000000124"), ("other", "x")], "b");
        let first = buckets.place(&batch.events().next().unwrap(), 0).unwrap();
        let again = buckets.place(&batch2.events().next().unwrap(), 0).unwrap();
        assert!(Arc::ptr_eq(&first, &again));
    }
}
