//! Whether events move, and if not, why.

use runtime::clock::Duration;
use std::collections::BTreeMap;

/// A channel, as it is judged.
pub(crate) struct Judged {
    pub(crate) name: String,
    /// Events that it holds.
    pub(crate) events: u64,
    /// For how long none of them has left.
    pub(crate) stuck_for: Duration,
    /// Its sinks: name, whether it is up, and in how many seconds it is tried again.
    pub(crate) sinks: Vec<(String, bool, f64)>,
}

/// Why the agent is not well; nothing when it is: events leave each channel, or none wait in it.
pub(crate) fn complaints(channels: &[Judged], patience: Duration) -> Vec<String> {
    let stuck = channels.iter().filter(|channel| channel.events > 0 && channel.stuck_for >= patience);
    let complaint = |channel: &Judged| {
        let sinks: Vec<String> = channel.sinks.iter().map(sink).collect();
        let sinks = if sinks.is_empty() { "it has no sink".to_owned() } else { sinks.join(", ") };
        format!(
            "channel {}: {} events wait and none has left for {} s; {sinks}",
            channel.name,
            channel.events,
            channel.stuck_for.as_secs()
        )
    };
    stuck.map(complaint).collect()
}

/// A file that a source follows, as it is judged.
pub(crate) struct Behind<'a> {
    pub(crate) source: &'a str,
    pub(crate) path: &'a str,
    /// For how long the first line that is in no channel has been there.
    pub(crate) age: Duration,
    /// For how long the source has stored no event at all, of no file.
    pub(crate) idle_for: Duration,
}

/// What stands in files and is not read: a complaint for each source, about the file that has waited longest. One that stores
/// anything is not stuck: its files come one after the other.
pub(crate) fn unread(files: &[Behind<'_>], patience: Duration) -> Vec<String> {
    let mut worst: BTreeMap<&str, &Behind<'_>> = BTreeMap::new();
    for file in files.iter().filter(|file| file.age.min(file.idle_for) >= patience) {
        let first = worst.entry(file.source).or_insert(file);
        if file.age > first.age {
            *first = file;
        }
    }
    let complaint = |file: &&Behind<'_>| {
        format!(
            "source {}: lines of {} wait for {} s, and it has stored no event for {} s",
            file.source,
            file.path,
            file.age.as_secs(),
            file.idle_for.as_secs()
        )
    };
    worst.values().map(complaint).collect()
}

fn sink((name, is_up, next_try): &(String, bool, f64)) -> String {
    match is_up {
        true => format!("sink {name} is up and takes none"),
        false => format!("sink {name} is down, next try in {next_try:.1} s"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn judged(events: u64, stuck: u64, sinks: &[(&str, bool, f64)]) -> Judged {
        let sinks = sinks.iter().map(|(name, up, next)| ((*name).to_owned(), *up, *next)).collect();
        Judged { name: "c1".to_owned(), events, stuck_for: Duration::from_secs(stuck), sinks }
    }

    #[test]
    fn only_lines_that_wait_for_a_source_that_stores_nothing_are_a_complaint() {
        let secs = Duration::from_secs;
        let file = |path, age, idle| Behind { source: "r1", path, age: secs(age), idle_for: secs(idle) };
        let patience = secs(30);
        assert!(unread(&[file("/a", 29, 90), file("/b", 90, 29)], patience).is_empty());
        assert_eq!(
            unread(&[file("/a", 40, 31), file("/b", 50, 31), file("/c", 45, 31)], patience),
            ["source r1: lines of /b wait for 50 s, and it has stored no event for 31 s"]
        );
    }

    #[test]
    fn only_events_that_wait_and_do_not_leave_are_a_complaint() {
        let patience = Duration::from_secs(30);
        let all = [judged(0, 99, &[]), judged(5, 29, &[])];
        assert_eq!(complaints(&all, patience), Vec::<String>::new());
        let stuck = judged(5, 30, &[("k1", false, 1.25), ("k2", true, 0.0)]);
        assert_eq!(
            complaints(&[stuck], patience),
            [
                "channel c1: 5 events wait and none has left for 30 s; sink k1 is down, next try in 1.2 s, sink k2 is up and takes none"
            ]
        );
        assert!(complaints(&[judged(1, 30, &[])], patience)[0].ends_with("it has no sink"));
    }
}
