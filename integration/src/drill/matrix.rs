//! The drill for each way to put Flume 1.11 or ours on slave1 to slave4: all 16, four at a time, as a table.
//!
//! Each is played by this same program, started again with `--kinds` and [`ROW`], in network namespaces of its own. What
//! came of it is the last line of its output.

use super::{Report, Stage, steps};
use crate::{
    binaries,
    console::Console,
    flume::{self, Version},
    node::{Error, Implementation},
    process::Process,
};
use serde::{Deserialize, Serialize};
use std::{
    fmt,
    path::Path,
    process::Command,
    sync::Mutex,
    thread,
    time::{Duration, Instant},
};

/// The word for the program that plays one combination: it prints its [`Row`] and nothing else.
pub const ROW: &str = "--row";

/// What came of one drill.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct Row {
    milliseconds: Vec<Option<u64>>, // the slower agent of each step of `STEPS`
    sent: usize,
    received: usize,
    doubled: usize,
    faults: Vec<String>,
}

impl Row {
    /// The row of a drill that was played to its end.
    pub fn of(report: &Report) -> Row {
        let time = |step: &&str| {
            let figure = report.figures().iter().find(|figure| figure.what() == *step)?;
            Some(figure.worst().as_millis() as u64)
        };
        let (sent, received, doubled) = report.first_counts();
        let milliseconds = STEPS.iter().map(time).collect();
        Row { milliseconds, sent, received, doubled, faults: report.faults().to_vec() }
    }

    /// The row of a drill that was not.
    pub fn broken(why: impl Into<String>) -> Row {
        Row { faults: vec![why.into()], ..Row::default() }
    }

    /// Whether nothing was lost and every step was seen.
    pub fn passed(&self) -> bool {
        let seen = self.milliseconds.len() == STEPS.len() && self.milliseconds.iter().all(Option::is_some);
        self.faults.is_empty() && seen && self.sent > 0 && self.received == self.sent
    }

    /// One line that [`Row::read`] reads.
    pub fn line(&self) -> String {
        serde_json::to_string(self).unwrap_or_default() // numbers and texts: it can always be written
    }

    fn read(line: &str) -> Option<Row> {
        serde_json::from_str(line).ok()
    }
}

/// All rows, in the order of a count in binary: ours everywhere first, Flume everywhere last.
#[derive(Debug, Clone)]
pub struct Table {
    rows: Vec<([Implementation; 4], Row)>,
}

impl Table {
    /// Whether each of the 16 passed.
    pub fn passed(&self) -> bool {
        self.rows.len() == 16 && self.rows.iter().all(|(_, row)| row.passed())
    }
}

/// Plays all of them. `directory` is where they put their files.
///
/// # Errors
/// When real Flume is not to be had, or this program cannot be started again.
pub fn play(stage: &Stage, directory: &Path) -> Result<Table, Error> {
    if let Some(why) = flume::missing() {
        return Err(Error::Missing(why));
    }
    let built = binaries::directory().map_err(Error::Missing)?;
    let left = Mutex::new(all());
    let done = Mutex::new(Vec::new());
    thread::scope(|scope| {
        for _ in 0..AT_ONCE {
            scope.spawn(|| {
                while let Some(kinds) = take(&left) {
                    let row =
                        one(kinds, &built, directory).unwrap_or_else(|why| Row::broken(why.to_string()));
                    let mut done = done.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
                    done.push((kinds, row));
                    let (kinds, row) = &done[done.len() - 1];
                    stage.say(format!("{:>2} of 16: {}", done.len(), Line(kinds, row)));
                }
            });
        }
    });
    let mut rows = done.into_inner().unwrap_or_else(std::sync::PoisonError::into_inner);
    rows.sort_by_key(|(kinds, _)| all().iter().position(|known| known == kinds));
    Ok(Table { rows })
}

/// The 16 combinations.
fn all() -> Vec<[Implementation; 4]> {
    let kind = |number: usize, bit: usize| match number >> (3 - bit) & 1 {
        0 => Implementation::Ours,
        _ => Implementation::Flume(Version::V1_11),
    };
    (0..16).map(|number| [0, 1, 2, 3].map(|bit| kind(number, bit))).collect()
}

fn take(left: &Mutex<Vec<[Implementation; 4]>>) -> Option<[Implementation; 4]> {
    left.lock().unwrap_or_else(std::sync::PoisonError::into_inner).pop()
}

/// Plays one in a process of its own.
fn one(kinds: [Implementation; 4], built: &Path, directory: &Path) -> Result<Row, Error> {
    let program = std::env::current_exe().map_err(Error::io("cannot tell where this program is"))?;
    let mut command = Command::new(program);
    command.args(["--netns", "--no-freeze", ROW, "--kinds"]).arg(kinds.map(word).join(","));
    command.env("FLUME_BIN_DIR", built).env("TMPDIR", directory);
    let console = Console::default();
    let begin = Instant::now();
    let mut process =
        Process::spawn(command, &console, 0).map_err(Error::io("cannot start the drill again"))?;
    let ended = process.wait(PATIENCE).is_some();
    process.kill();
    console.drained(Duration::from_secs(5));
    let lines = console.lines_from(0);
    let row = lines.iter().rev().find_map(|line| Row::read(&line.text));
    Ok(row.unwrap_or_else(|| {
        let last = lines.last().map_or("it said nothing", |line| line.text.as_str());
        let how = if ended { "ended" } else { "did not end" };
        Row::broken(format!("the drill {how} after {:?} without a result: {last}", begin.elapsed()))
    }))
}

/// As `--kinds` has it.
fn word(kind: Implementation) -> &'static str {
    match kind {
        Implementation::Ours => "native",
        Implementation::Flume(Version::V1_11) => "flume",
        Implementation::Flume(Version::V1_9) => "flume19",
    }
}

/// One combination and what came of it, without the faults.
struct Line<'a>(&'a [Implementation; 4], &'a Row);

impl fmt::Display for Line<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Line(kinds, row) = self;
        for kind in *kinds {
            write!(f, "{:<8}", if *kind == Implementation::Ours { "native" } else { "Flume" })?;
        }
        for step in 0..STEPS.len() {
            match row.milliseconds.get(step).copied().flatten() {
                Some(time) if time < 1000 => write!(f, "{:>11}", format!("{time} ms"))?,
                Some(time) => write!(f, "{:>11}", format!("{:.1} s", time as f64 / 1e3))?,
                None => write!(f, "{:>11}", "-")?,
            }
        }
        let lost = row.sent.saturating_sub(row.received);
        write!(f, "{:>7}{:>7}{:>9}", row.sent, lost, row.doubled)?;
        write!(f, "   {}", if row.passed() { "passed" } else { "FAILED" })
    }
}

impl fmt::Display for Table {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names = ["slave1", "slave2", "slave3", "slave4"].map(|name| format!("{name:<8}")).concat();
        let heads = ["to slave3", "to slave4", "back on 3"].map(|head| format!("{head:>11}")).concat();
        writeln!(f, "{names}{heads}{:>7}{:>7}{:>9}", "sent", "lost", "doubled")?;
        for (kinds, row) in &self.rows {
            writeln!(f, "{}", Line(kinds, row))?;
            row.faults.iter().try_for_each(|fault| writeln!(f, "  FAULT: {fault}"))?;
        }
        f.write_str(LEGEND)
    }
}

/// The steps that are shown.
const STEPS: [&str; 3] = [steps::LINE, steps::NEXT, steps::BACK];

/// Four JVMs each, at most, which wait for each other most of the time.
const AT_ONCE: usize = 4;

/// Longer than all the waits of one drill that comes to its end.
const PATIENCE: Duration = Duration::from_secs(900);

const LEGEND: &str = "\
to slave3: a line to slave3's console; to slave4: kill -9 of slave3, then a line to slave4's console; back on 3: slave3
up again, then a line to its console; each for the slower agent. sent: lines in all; lost: in no process that was killed.
slave1 and slave2 are the agents. A native node reads the lesson's files byte for byte. Flume's server file is the same
without the comments behind its values: with them real Flume never opens the port.
";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn there_are_sixteen_and_each_is_another() {
        let all = all();
        assert_eq!(
            (all.len(), all[0], all[15]),
            (16, [Implementation::Ours; 4], [Implementation::Flume(Version::V1_11); 4])
        );
        assert!(all.iter().enumerate().all(|(at, kinds)| !all[..at].contains(kinds)));
    }

    #[test]
    fn a_row_comes_through_as_it_was_and_is_judged() {
        let row =
            Row { milliseconds: vec![Some(4), Some(1), Some(2_100)], sent: 9, received: 9, ..Row::default() };
        let read = Row::read(&row.line()).expect("it was written so");
        assert!(read.passed());
        assert!(!Row { received: 8, ..read.clone() }.passed());
        assert!(!Row { milliseconds: vec![Some(4), None, Some(1)], ..read.clone() }.passed());
        assert!(!Row::broken("nothing came").passed());
        let text = Line(&all()[5], &read).to_string();
        assert!(text.starts_with("native  Flume   native  Flume          4 ms"), "{text}");
        assert!(text.ends_with("passed"), "{text}");
    }
}
