//! What the fuzz targets do with their input; `cargo test` replays `testdata/fuzz/TARGET/` through the same functions.
//!
//! Each takes any bytes and panics when a promise is broken, be it only that no input panics.

use plan::{Catalogue, Loaded, Options, Report, Sources, Text, load_texts, properties};
use std::sync::LazyLock;

/// A target's name and function.
pub type Entry = (&'static str, fn(&[u8]));

/// All targets.
pub const ENTRIES: &[Entry] = &[("properties", properties), ("substitution", substitution)];

/// A file of any bytes gives keys and values that stand in it, and findings that can be printed.
pub fn properties(data: &[u8]) {
    let mut report = Report::default();
    let entries = properties::parse("f", data, &mut report);
    for entry in &entries {
        // A byte is a character of one byte or, as ISO-8859-1, of two; an escape is longer than what it stands for.
        assert!(entry.key.len() + entry.value.len() <= 2 * data.len());
        if let Some(comment) = &entry.comment {
            assert!(
                comment.value.len() + comment.text.len() <= entry.value.len()
                    && comment.text.starts_with('#')
            );
        }
    }
    look_at(&report);
    // A second file with the same text changes nothing.
    let again = properties::parse("f", data, &mut Report::default());
    assert_eq!(again, entries);
}

/// Values that name each other, the environment and the time, in any way: an answer comes, and an error where there is no
/// plan.
pub fn substitution(data: &[u8]) {
    let pair = |key: &str, value: &str| (key.to_owned(), value.to_owned());
    let sources = Sources {
        environment: vec![pair("X", "${a.sources.r.b}"), pair("Y", "y")],
        properties: vec![pair("Z", "${env:X}")],
        ..Sources::default()
    };
    let value = String::from_utf8_lossy(data).replace(['\r', '\n', '\\'], " ");
    let bytes =
        [MODEL.as_bytes(), value.as_bytes(), b"\na.sources.r.b = ${a.sources.r.command}\n", data].concat();
    let Loaded { plan, report, .. } =
        load_texts(&[Text { name: "f".to_owned(), bytes }], &sources, "a", &Options::new(&NOTHING));
    look_at(&report);
    assert!(plan.is_some() || report.has_errors());
}

/// Findings are bounded and can be printed.
fn look_at(report: &Report) {
    assert!(report.problems.len() <= 1000);
    for problem in &report.problems {
        let text = problem.to_string();
        assert!(text.lines().count() <= 4, "{text}");
        assert!(!text.chars().any(|c| c.is_control() && c != '\n'), "{text:?}");
    }
}

/// No type of component is known: values are what is looked at.
static NOTHING: LazyLock<Catalogue> = LazyLock::new(|| Catalogue::new([]));

const MODEL: &str = "a.sources = r\na.channels = c\na.sinks = k\na.channels.c.type = memory\na.sinks.k.type = null\n\
    a.sinks.k.channel = c\na.sources.r.type = exec\na.sources.r.channels = c\na.sources.r.command = ";
