//! The table at the end.

use crate::ledger::Verdict;
use std::{
    fmt::{self, Write},
    time::Duration,
};

/// A measured time beside its bar and Flume's own figure.
#[derive(Debug, Clone)]
pub struct Figure {
    what: String,
    times: Vec<Duration>,
    bar: Duration,
    flume: &'static str,
}

impl Figure {
    /// `times` of each node or agent in turn; `flume` is what Flume 1.11.0 [1.9.0] takes.
    pub fn new(what: impl Into<String>, times: Vec<Duration>, bar: Duration, flume: &'static str) -> Figure {
        Figure { what: what.into(), times, bar, flume }
    }

    /// The step that was measured.
    pub fn what(&self) -> &str {
        &self.what
    }

    /// Whether each time is within the bar.
    pub fn is_met(&self) -> bool {
        self.times.iter().all(|time| *time <= self.bar)
    }

    /// The longest of the times.
    pub fn worst(&self) -> Duration {
        self.times.iter().copied().max().unwrap_or_default()
    }
}

/// What came of a drill.
#[derive(Debug, Clone, Default)]
pub struct Report {
    figures: Vec<Figure>,
    faults: Vec<String>,
    counts: Vec<Counts>,
}

#[derive(Debug, Clone)]
struct Counts {
    what: String,
    sent: usize,
    received: usize,
    went_down: usize,
    lost: usize,
    doubled: usize,
}

impl Report {
    /// Adds a measured time.
    pub fn push(&mut self, figure: Figure) {
        self.figures.push(figure);
    }

    /// Notes a fault unless `holds`.
    pub fn check(&mut self, holds: bool, fault: String) {
        if !holds {
            self.faults.push(fault);
        }
    }

    pub(super) fn counted(&mut self, sent: usize, received: usize, doubled: usize) {
        let what = "the lesson's steps".to_owned();
        self.counts.push(Counts {
            what,
            sent,
            received,
            went_down: 0,
            lost: sent.saturating_sub(received),
            doubled,
        });
    }

    pub(super) fn judged(&mut self, what: String, verdict: &Verdict) {
        let Verdict { sent, received, went_down, lost_count: lost, doubled, .. } = *verdict;
        self.counts.push(Counts { what, sent, received, went_down, lost, doubled });
        let named: Vec<String> = verdict.lost.iter().map(ToString::to_string).collect();
        self.check(
            lost == 0,
            format!("{lost} lines are lost that were in no killed process: {} ...", named.join(", ")),
        );
        let without = verdict.doubled_without_cause;
        self.check(
            without == 0,
            format!("{without} lines came twice though neither place was killed or held still"),
        );
        let order = verdict.out_of_order;
        self.check(order == 0, format!("{order} lines came out of their order"));
        self.check(verdict.foreign == 0, format!("{} lines came that nobody wrote", verdict.foreign));
    }

    /// Whether nothing was lost and nothing else went wrong; times are no matter here.
    pub fn is_clean(&self) -> bool {
        self.faults.is_empty()
    }

    /// Whether each time is within its bar.
    pub fn is_fast(&self) -> bool {
        self.figures.iter().all(Figure::is_met)
    }

    /// Lines sent, received and doubled in the lesson's steps.
    pub(super) fn first_counts(&self) -> (usize, usize, usize) {
        self.counts.first().map_or((0, 0, 0), |count| (count.sent, count.received, count.doubled))
    }

    /// What went wrong.
    pub fn faults(&self) -> &[String] {
        &self.faults
    }

    /// The times.
    pub fn figures(&self) -> &[Figure] {
        &self.figures
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{:<46} {:>20} {:>10}   Flume 1.11.0 [1.9.0]", "", "measured", "bar")?;
        for figure in &self.figures {
            let mark = if figure.is_met() { " " } else { "!" };
            let (times, bar) = (list(&figure.times), short(figure.bar));
            writeln!(f, "{:<46} {times:>20} {bar:>10} {mark} {}", figure.what, figure.flume)?;
        }
        writeln!(f)?;
        let head = ["sent", "received", "down with", "lost", "doubled"];
        writeln!(f, "{:<46} {:>9} {:>9} {:>9} {:>9} {:>9}", "", head[0], head[1], head[2], head[3], head[4])?;
        for count in &self.counts {
            let Counts { what, sent, received, went_down, lost, doubled } = count;
            writeln!(f, "{what:<46} {sent:>9} {received:>9} {went_down:>9} {lost:>9} {doubled:>9}")?;
        }
        if self.counts.iter().any(|count| count.went_down > 0) {
            writeln!(
                f,
                "\"down with\": in a memory channel of the process that was killed, acknowledged, not yet printed"
            )?;
        }
        self.faults.iter().try_for_each(|fault| writeln!(f, "FAULT: {fault}"))
    }
}

fn list(times: &[Duration]) -> String {
    let mut text = String::new();
    for (index, time) in times.iter().enumerate() {
        let _ = write!(text, "{}{}", if index == 0 { "" } else { ", " }, short(*time)); // a String takes all
    }
    text
}

/// `4.2 ms`, `3.1 s`.
fn short(time: Duration) -> String {
    let millis = time.as_secs_f64() * 1e3;
    match millis {
        millis if millis < 10.0 => format!("{millis:.1} ms"),
        millis if millis < 1000.0 => format!("{millis:.0} ms"),
        millis => format!("{:.1} s", millis / 1e3),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_late_figure_is_marked_and_is_no_fault() {
        let mut report = Report::default();
        let times = vec![Duration::from_micros(4_200), Duration::from_millis(3_100)];
        report.push(Figure::new("switch", times, Duration::from_millis(50), "4.9 to 8.4 s"));
        let text = report.to_string();
        assert!(text.contains("4.2 ms, 3.1 s      50 ms ! 4.9 to 8.4 s"), "{text}");
        assert!(report.is_clean());
    }

    #[test]
    fn a_lost_line_is_a_fault() {
        let mut report = Report::default();
        report.judged("load".into(), &Verdict { sent: 2, received: 1, lost_count: 1, ..Verdict::default() });
        assert!(!report.is_clean());
    }
}
