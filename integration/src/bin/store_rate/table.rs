//! The table: medians, spread, ratios, and what was asked for.

use crate::run::{Sample, Side};
use integration::duel::board::{median, thousands};

/// All runs of one side.
pub(crate) struct Row {
    pub(crate) name: String,
    pub(crate) side: Side,
    pub(crate) lines: u32,
    pub(crate) bars: &'static [Bar],
    pub(crate) samples: Vec<Sample>,
    pub(crate) trouble: Vec<String>,
}

/// Something that is asked of a row's medians.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Bar {
    /// At least this part of the client's events a second.
    OfClient(f64),
    /// At least so many times Flume's.
    OfFlume(f64),
    /// At most so many MiB of memory.
    PeakMib(f64),
}

impl Row {
    fn middle(&self, figure: impl Fn(&Sample) -> f64) -> Option<f64> {
        median(self.samples.iter().map(figure).collect())
    }

    fn rate(&self) -> Option<f64> {
        self.middle(|sample| sample.rate)
    }

    fn peak_mib(&self) -> Option<f64> {
        self.middle(|sample| sample.peak_kib as f64 / 1024.0)
    }
}

/// What the rows of one store are measured against: the first of that side.
fn of(rows: &[Row], row: &Row, side: Side) -> Option<f64> {
    let other = rows.iter().find(|row| row.side == side)?.rate()?;
    Some(row.rate()? / other)
}

/// Each bar of a row in words, and whether it is met.
fn judged(rows: &[Row], row: &Row) -> Vec<(String, bool)> {
    let judge = |bar: &Bar| {
        Some(match *bar {
            Bar::OfClient(part) => (format!("{part} of client"), of(rows, row, Side::Client)? >= part),
            Bar::OfFlume(times) => (format!("{times} × Flume"), of(rows, row, Side::Flume)? >= times),
            Bar::PeakMib(most) => (format!("{most} MiB"), row.peak_mib()? <= most),
        })
    };
    row.bars.iter().filter_map(judge).collect()
}

/// What is asked of the rows of one store and not met.
pub(crate) fn missed(rows: &[Row]) -> Vec<String> {
    let of_row = |row: &Row| -> Vec<String> {
        let missed = judged(rows, row).into_iter().filter(|(_, met)| !met);
        missed.map(|(bar, _)| format!("{}: {bar}", row.name)).collect()
    };
    rows.iter().flat_map(of_row).collect()
}

/// In Markdown.
pub(crate) const HEAD: &str = "|  | events/s | slowest to fastest | second half | of client | of Flume | bars | CPU s per 1 M | peak MiB |
|---|--:|--:|--:|--:|--:|--:|--:|--:|";

/// The rows of one store, in Markdown.
pub(crate) fn table(rows: &[Row]) -> String {
    rows.iter().map(|row| line(rows, row) + "\n").collect()
}

fn line(rows: &[Row], row: &Row) -> String {
    let Some(rate) = row.rate() else { return format!("| {} | did not run | | | | | | | |", row.name) };
    let faults = if row.trouble.is_empty() { "" } else { " (not clean)" };
    let rates = || row.samples.iter().map(|sample| sample.rate);
    let (slowest, fastest) = (rates().fold(f64::INFINITY, f64::min), rates().fold(0.0, f64::max));
    let ratio = |part: Option<f64>| part.map_or(String::new(), |part| format!("{part:.2}"));
    let bars = judged(rows, row).into_iter();
    let bars: Vec<String> =
        bars.map(|(bar, met)| format!("{bar} {}", if met { "met" } else { "missed" })).collect();
    let cpu = row.middle(|sample| sample.cpu_seconds / f64::from(row.lines) * 1e6);
    format!(
        "| {}{faults} | {} | {} to {} | {} | {} | {} | {} | {} | {:.1} |",
        row.name,
        thousands(rate),
        thousands(slowest),
        thousands(fastest),
        row.middle(|sample| sample.second_half).map_or(String::new(), thousands),
        ratio(of(rows, row, Side::Client)),
        ratio(of(rows, row, Side::Flume)),
        bars.join(", "),
        ratio(cpu),
        row.peak_mib().unwrap_or_default()
    )
}
