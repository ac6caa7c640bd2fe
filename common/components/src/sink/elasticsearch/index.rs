//! Which index an event goes to.
//!
//! Source: Flume 1.9 `TimeBasedIndexNameBuilder`, `SimpleIndexNameBuilder` and `TimestampedEvent`, with this difference: an
//! event without a usable time has that of its arrival, also where an escape asks for it.

use crate::escapes::{Piece, Template, local};
use event::Event;
use java::DatePrinter;
use jiff::tz::TimeZone;

/// `indexName` and what stands behind it, and `indexType`.
#[derive(Debug, Clone)]
pub(super) struct Names {
    pub(super) index: Template,
    /// What stands behind a `-`; `None`: nothing does.
    pub(super) date: Option<DatePrinter>,
    pub(super) type_name: Template,
}

/// Where an event goes.
#[derive(Debug, Default)]
pub(super) struct Place {
    pub(super) index: String,
    pub(super) type_name: String,
}

impl Names {
    /// Whether headers of an event have a say in which index it goes to.
    pub(super) fn is_named_by_events(&self) -> bool {
        self.index.pieces.iter().any(|piece| matches!(piece, Piece::Header(_)))
    }

    /// Puts the place of `event` into `place`. Answers whether it had a time of its own where that counts.
    pub(super) fn find(&self, event: &Event<'_>, arrival: i64, place: &mut Place) -> bool {
        let own = time(event);
        let millis = own.unwrap_or(arrival);
        let text = millis.to_string();
        place.index.clear();
        place.type_name.clear();
        let has_time =
            |template: &Template| template.pieces.iter().any(|piece| matches!(piece, Piece::Time(_)));
        let now = local(millis, &TimeZone::system(), None);
        self.index.fill(event, &now, &text, &mut place.index);
        self.type_name.fill(event, &now, &text, &mut place.type_name);
        if let Some(date) = &self.date {
            place.index.push('-');
            date.push(millis, &mut place.index);
        }
        own.is_some() || !(self.date.is_some() || has_time(&self.index) || has_time(&self.type_name))
    }
}

/// Milliseconds in `timestamp`, or in `@timestamp` where that is blank.
fn time(event: &Event<'_>) -> Option<i64> {
    let header = |name| event.header(name).filter(|text| !text.trim().is_empty());
    header("timestamp").or_else(|| header("@timestamp"))?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use event::BatchBuilder;

    fn place(names: &Names, headers: &[(&str, &str)]) -> (String, bool) {
        let mut builder = BatchBuilder::default();
        builder.push(headers.iter().copied(), b"");
        let (batch, mut place) = (builder.finish(), Place::default());
        let timed = names.find(&batch.events().next().unwrap(), 1_700_000_000_123, &mut place);
        (format!("{}/{}", place.index, place.type_name), timed)
    }

    #[test]
    fn an_index_is_named_by_headers_and_by_the_day_in_utc() {
        let template = |text| Template::parse(text, &|_| Ok(String::new())).unwrap();
        let day = DatePrinter::compile("yyyy-MM-dd", TimeZone::UTC).unwrap();
        let mut names =
            Names { index: template("logs-%{app}"), date: Some(day), type_name: template("t%{kind}") };
        assert!(names.is_named_by_events());
        for (headers, expected) in [
            (
                &[("app", "a"), ("timestamp", "1707120309000"), ("@timestamp", "1")][..],
                ("logs-a-2024-02-05/t", true),
            ),
            (
                &[("timestamp", " "), ("@timestamp", "1707120309000"), ("kind", "k")],
                ("logs--2024-02-05/tk", true),
            ),
            (&[], ("logs--2023-11-14/t", false)),
            (&[("timestamp", "soon")], ("logs--2023-11-14/t", false)),
        ] {
            assert_eq!(place(&names, headers), (expected.0.to_owned(), expected.1), "{headers:?}");
        }
        names = Names { index: template("all"), date: None, type_name: template("log") };
        assert_eq!(place(&names, &[]), ("all/log".to_owned(), true));
        assert!(!names.is_named_by_events());
    }
}
