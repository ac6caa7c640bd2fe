//! The table: medians, spread, ratios.

use super::{
    Bar, Contestant, Rival, Sample,
    arena::Shape,
    raw::{self, RawCopy},
};
use std::{collections::BTreeMap, fmt::Write};

/// All runs of one contestant.
pub struct Row {
    name: String,
    shape: Shape,
    rival: Rival,
    samples: Vec<Sample>,
    trouble: Vec<String>,
    must_be_clean: bool,
}

impl Row {
    /// A row without runs.
    pub fn new(contestant: &dyn Contestant) -> Row {
        let (name, shape, rival) = (contestant.name(), contestant.shape(), contestant.rival());
        let must_be_clean = contestant.must_be_clean();
        Row { name, shape, rival, samples: vec![], trouble: vec![], must_be_clean }
    }

    /// Notes a run or what went wrong with it.
    pub fn note(&mut self, run: Result<Sample, String>) {
        match run {
            Ok(sample) => {
                if !sample.check.is_clean() {
                    self.trouble.push(sample.check.to_string());
                }
                self.samples.push(sample);
            }
            Err(trouble) if self.trouble.contains(&trouble) => {}
            Err(trouble) => self.trouble.push(trouble),
        }
    }

    fn rates(&self, time: impl Fn(&Sample) -> std::time::Duration) -> Vec<f64> {
        let rate = |sample: &Sample| f64::from(self.shape.lines) / time(sample).as_secs_f64();
        self.samples.iter().map(rate).collect()
    }

    fn median_rate(&self) -> Option<f64> {
        median(self.rates(|sample| sample.whole))
    }

    /// Without the start of a process, which for a JVM is most of a short run.
    fn flowing_rate(&self) -> Option<f64> {
        median(self.rates(|sample| sample.flowing)).filter(|rate| rate.is_finite())
    }

    /// Whether a line was lost, doubled or out of order, or a run failed, where that must not be.
    pub fn is_faulty(&self) -> bool {
        self.must_be_clean && !self.trouble.is_empty()
    }
}

/// The copies that others are measured against: lines a second by where the bytes come from and how long lines are.
type Copies = BTreeMap<(raw::From, usize), f64>;

/// The name of the copy that the bars are about.
pub fn measure(from: raw::From, shape: Shape) -> RawCopy {
    RawCopy { from, window: WINDOW, shape }
}

/// All rows as text: for a terminal, or as a Markdown table.
pub fn table(rows: &[Row], markdown: bool) -> String {
    let measures = Measures::of(rows);
    let mut cells = vec![HEAD.map(str::to_owned).to_vec()];
    cells.extend(rows.iter().map(|row| line(row, &measures)));
    let mut text = if markdown { as_markdown(&cells) } else { aligned(&cells) };
    for (row, trouble) in rows.iter().flat_map(|row| row.trouble.iter().map(move |trouble| (row, trouble))) {
        let _ = writeln!(text, "{}{}: {trouble}", if markdown { "\n" } else { "" }, row.name); // a String takes all
    }
    text
}

/// What is asked of the rows and not met, each with its row's name.
pub fn missed(rows: &[Row]) -> Vec<String> {
    let measures = Measures::of(rows);
    let of = |row: &Row| -> Vec<String> {
        let missed = row.bars(&measures).into_iter().filter(|(_, met)| !met);
        missed.map(|(bar, _)| format!("{}: {bar}", row.name)).collect()
    };
    rows.iter().flat_map(of).collect()
}

/// What rows are measured against.
struct Measures {
    copies: Copies,
    /// Lines a second of Flume between two of its own, from the first byte.
    flume: Option<f64>,
}

impl Measures {
    fn of(rows: &[Row]) -> Measures {
        let copies = rows.iter().filter_map(|row| {
            let key = (row.rival.copy, row.shape.bytes);
            (row.name == measure(key.0, row.shape).name()).then_some((key, row.median_rate()?))
        });
        let flume =
            rows.iter().find(|row| row.name.starts_with("Flume") && !row.name.contains("file channels"));
        Measures { copies: copies.collect(), flume: flume.and_then(Row::flowing_rate) }
    }
}

impl Row {
    fn each(&self, figure: impl Fn(&Sample) -> f64) -> Option<f64> {
        median(self.samples.iter().map(figure).collect())
    }

    fn of_copy(&self, measures: &Measures) -> Option<f64> {
        Some(self.median_rate()? / measures.copies.get(&(self.rival.copy, self.shape.bytes))?)
    }

    fn of_flume(&self, measures: &Measures) -> Option<f64> {
        Some(self.flowing_rate()? / measures.flume?)
    }

    fn cpu_per_million(&self) -> Option<f64> {
        self.each(|sample| sample.cpu_seconds / f64::from(self.shape.lines) * 1e6)
    }

    fn peak_mib(&self, side: usize) -> Option<f64> {
        self.each(|sample| sample.peak_kib[side] as f64 / 1024.0)
    }

    /// Each bar in words, and whether it is met. One whose figure is not there (its rival did not run) is left out.
    fn bars(&self, measures: &Measures) -> Vec<(String, bool)> {
        let judge = |bar: &Bar| {
            Some(match *bar {
                Bar::OfCopy(part) => (format!("{part} of raw copy"), self.of_copy(measures)? >= part),
                Bar::CpuSeconds(most) => (format!("{most} CPU s"), self.cpu_per_million()? <= most),
                Bar::PeakMib(most) => {
                    (format!("{most} MiB each"), self.peak_mib(0)?.max(self.peak_mib(1)?) <= most)
                }
                Bar::Lines(least) => (format!("{} lines/s", thousands(least)), self.median_rate()? >= least),
                Bar::AsFlume => ("as Flume".to_owned(), self.of_flume(measures)? >= 1.0),
            })
        };
        self.rival.bars.iter().filter_map(judge).collect()
    }
}

const HEAD: [&str; 10] = [
    "",
    "lines/s",
    "slowest to fastest",
    "from first byte",
    "of raw copy",
    "bars",
    "of Flume",
    "CPU s per 1 M",
    "peak MiB",
    "MB written",
];

fn line(row: &Row, measures: &Measures) -> Vec<String> {
    let rates = row.rates(|sample| sample.whole);
    let Some(rate) = median(rates.clone()) else {
        return vec![row.name.clone(), "did not run".to_owned()]
            .into_iter()
            .chain(vec![String::new(); 8])
            .collect();
    };
    let of = |part: Option<f64>| part.map_or(String::new(), |part| format!("{part:.2}"));
    let bars = row.bars(measures).into_iter();
    let bars: Vec<String> =
        bars.map(|(bar, met)| format!("{bar} {}", if met { "met" } else { "missed" })).collect();
    let peak = [0, 1].map(|side| row.peak_mib(side).unwrap_or_default());
    let faults = if !row.trouble.is_empty() { " (not clean)" } else { "" };
    vec![
        format!("{}{faults}", row.name),
        thousands(rate),
        format!("{} to {}", thousands(lowest(&rates)), thousands(highest(&rates))),
        median(row.rates(|sample| sample.flowing))
            .filter(|rate| rate.is_finite())
            .map_or(String::new(), thousands),
        of(row.of_copy(measures)),
        bars.join(", "),
        of(row.of_flume(measures)),
        of(row.cpu_per_million()),
        format!("{:.1} + {:.1}", peak[0], peak[1]),
        format!("{:.0}", row.each(|sample| sample.written as f64 / 1e6).unwrap_or_default()),
    ]
}

fn aligned(cells: &[Vec<String>]) -> String {
    let widths = widths(cells);
    let mut text = String::new();
    for row in cells {
        for (column, (cell, width)) in row.iter().zip(&widths).enumerate() {
            let _ = match column {
                0 => write!(text, "{cell:<width$}"),
                _ => write!(text, "  {cell:>width$}"),
            };
        }
        text.push('\n');
    }
    text
}

fn as_markdown(cells: &[Vec<String>]) -> String {
    let mut text = String::new();
    for (index, row) in cells.iter().enumerate() {
        let _ = writeln!(text, "| {} |", row.join(" | "));
        if index == 0 {
            let _ = writeln!(text, "|---|{}", "--:|".repeat(row.len() - 1));
        }
    }
    text
}

fn widths(cells: &[Vec<String>]) -> Vec<usize> {
    let columns = cells.first().map_or(0, Vec::len);
    let width = |column: usize| cells.iter().map(|row| row[column].chars().count()).max().unwrap_or_default();
    (0..columns).map(width).collect()
}

/// The middle one; of an even number the mean of both in the middle.
pub fn median(mut values: Vec<f64>) -> Option<f64> {
    values.sort_by(f64::total_cmp);
    let middle = values.len() / 2;
    match values.len() {
        0 => None,
        count if count % 2 == 1 => Some(values[middle]),
        _ => Some((values[middle - 1] + values[middle]) / 2.0),
    }
}

fn lowest(values: &[f64]) -> f64 {
    values.iter().copied().fold(f64::INFINITY, f64::min)
}

fn highest(values: &[f64]) -> f64 {
    values.iter().copied().fold(0.0, f64::max)
}

/// `2,100,000`.
pub fn thousands(number: f64) -> String {
    let digits = format!("{number:.0}");
    let mut text = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// Messages that the raw copy of the bars has in flight.
const WINDOW: usize = 4;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::duel::arena::USUAL;

    #[test]
    fn numbers_are_grouped_and_medians_are_in_the_middle() {
        assert_eq!([0.0, 999.4, 1000.0, 2_100_000.0].map(thousands), ["0", "999", "1,000", "2,100,000"]);
        assert_eq!(
            [median(vec![]), median(vec![3.0, 1.0, 2.0]), median(vec![4.0, 1.0])],
            [None, Some(2.0), Some(2.5)]
        );
    }

    fn row(name: &str, bars: &'static [Bar], took_millis: u64) -> Row {
        let whole = std::time::Duration::from_millis(took_millis);
        let sample = Sample {
            whole,
            flowing: whole,
            cpu_seconds: 0.5,
            peak_kib: [10 << 10, 20 << 10],
            written: 0,
            check: Default::default(),
        };
        Row {
            name: name.to_owned(),
            shape: Shape { lines: 1_000_000, bytes: USUAL },
            rival: Rival { copy: raw::From::File, bars },
            samples: vec![sample],
            trouble: vec![],
            must_be_clean: true,
        }
    }

    #[test]
    fn each_bar_is_judged_by_its_own_figure() {
        const BARS: &[Bar] =
            &[Bar::OfCopy(0.5), Bar::CpuSeconds(0.4), Bar::PeakMib(20.0), Bar::Lines(6e5), Bar::AsFlume];
        let shape = Shape { lines: 1_000_000, bytes: USUAL };
        let copy = row(&measure(raw::From::File, shape).name(), &[], 1_000);
        let rows = [copy, row("Flume 1.11.0: all", &[], 3_000), row("native node", BARS, 2_000)];
        assert_eq!(missed(&rows), ["native node: 0.4 CPU s", "native node: 600,000 lines/s"]);
        let text = table(&rows, true);
        assert!(text.contains("0.5 of raw copy met, 0.4 CPU s missed, 20 MiB each met"), "{text}");
        assert!(missed(&rows[2..]).iter().all(|bar| !bar.contains("as Flume")), "there was none beside it");
    }

    #[test]
    fn a_table_has_a_column_of_one_width_for_each_cell() {
        let cells =
            vec![vec!["a".to_owned(), "lines/s".to_owned()], vec!["longer".to_owned(), "1".to_owned()]];
        assert_eq!(aligned(&cells), "a       lines/s\nlonger        1\n");
        assert_eq!(as_markdown(&cells), "| a | lines/s |\n|---|--:|\n| longer | 1 |\n");
    }
}
