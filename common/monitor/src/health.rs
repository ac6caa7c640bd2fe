//! Whether events move, and if not, why.

use runtime::clock::Duration;

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
