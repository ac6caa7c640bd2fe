//! What the steps of every event's way cost, in instructions, beside what is committed: `just counts`.
//!
//! Runs the benchmarks `counts` of `wire` and `components` in callgrind. The same program gives the same counts, however busy
//! the machine is; built in another directory, within a thousandth. They depend on the compiler, on libc (its malloc and
//! memcpy are counted too) and on the processor that valgrind shows, by which bytes are copied and searched: an x86-64
//! with AVX2, where the real one has it.
//!
//! Where the instructions go: `callgrind_annotate target/gungraun/wire/counts/codec/encode.batch/*.out`.

use clap::Parser;
use integration::{
    binaries::{cargo, workspace},
    duel::board::thousands,
    node::Error,
};
use serde_json::Value;
use std::{
    collections::{BTreeMap, BTreeSet},
    fmt, fs,
    io::{self, Write},
    process::{Command, ExitCode, Stdio},
};

/// Counts the instructions that a batch takes in the codec, the interceptors and the memory channel. Fails when they are
/// 5 % more than `integration/counts.tsv` says.
///
/// Needs valgrind, and gungraun-runner of the version that Cargo.lock has of gungraun.
#[derive(Parser)]
#[command(name = "counts")]
struct Arguments {
    /// Write the counts to that file, to be committed, instead of comparing them.
    #[arg(long)]
    accept: bool,

    /// Build the benchmarks and do not run them.
    #[arg(long, conflicts_with = "accept")]
    build: bool,
}

fn main() -> ExitCode {
    let done = match Arguments::parse() {
        Arguments { build: true, .. } => bench(&["--no-run"]).map(drop),
        Arguments { accept: true, .. } => accept(),
        _ => check(),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            say(&error.to_string());
            ExitCode::FAILURE
        }
    }
}

fn accept() -> Result<(), Error> {
    let counts = count()?;
    let lines = counts.iter().map(|(name, count)| format!("{name}\t{count}\n"));
    let text = format!("# {}\nbenchmark\tinstructions\n{}", counted_with()?, lines.collect::<String>());
    fs::write(workspace().join(COMMITTED), text).map_err(Error::io(COMMITTED))?;
    say(&format!("{} counts are in {COMMITTED}: commit it, and say why they have changed", counts.len()));
    Ok(())
}

fn check() -> Result<(), Error> {
    let text = fs::read_to_string(workspace().join(COMMITTED)).map_err(Error::io(COMMITTED))?;
    let rows = compare(&read(&text)?, &count()?);
    say(&format!("{:<54}{:>12}{:>12}", "instructions", "committed", "now"));
    rows.iter().for_each(|row| say(&row.to_string()));
    if rows.iter().all(|row| row.verdict() == Verdict::Same) {
        return Ok(());
    }
    let committed_with = text.lines().next().unwrap_or_default().trim_start_matches("# ");
    say(&format!("\ncommitted: {committed_with}\n      now: {}", counted_with()?));
    say(&format!(
        "To accept what is counted now: `just counts --accept`, and commit {COMMITTED} with the reason."
    ));
    match rows.iter().filter(|row| row.verdict().fails()).count() {
        0 => Ok(()),
        bad => Err(Error::Missing(format!("{bad} of {} benchmarks are not as committed", rows.len()))),
    }
}

/// Instructions by benchmark.
type Counts = BTreeMap<String, u64>;

/// What the benchmarks print. They are built as the product is, but with symbols, by which callgrind finds them.
fn bench(words: &[&str]) -> Result<String, Error> {
    let mut cargo = cargo();
    cargo.args(["bench", "--profile", "profiling", "--bench", "counts"]);
    cargo.args(["-p", "wire", "-p", "components", "--features", "components/counts"]).args(words);
    let output = cargo.stderr(Stdio::inherit()).output().map_err(Error::io("cannot run cargo"))?;
    if !output.status.success() {
        return Err(Error::Missing(format!("the benchmarks ended with {}", output.status)));
    }
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}

/// Runs the benchmarks.
fn count() -> Result<Counts, Error> {
    let text = bench(&["--", "--output-format=json"])?;
    let counts = text.lines().map(|line| {
        let told = serde_json::from_str(line).ok();
        told.as_ref().and_then(counted).ok_or_else(|| Error::Missing(format!("not a count: {line}")))
    });
    counts.collect()
}

/// The name of a benchmark and its instructions, in what gungraun (schema 7) says of it.
fn counted(told: &Value) -> Option<(String, u64)> {
    let text = |key: &str| told.get(key)?.as_str();
    let name = [text("group")?, text("function_name")?, text("id")?].join("::");
    Some((name, told.pointer("/profiles/0/data/total/metrics/Ir/values/new")?.as_u64()?))
}

/// What the counts depend on.
fn counted_with() -> Result<String, Error> {
    let tools = [("rustc", "--version"), ("valgrind", "--version"), ("getconf", "GNU_LIBC_VERSION")];
    let versions = tools.map(|(program, argument)| {
        let output = Command::new(program).arg(argument).current_dir(workspace()).output();
        output
            .map(|output| String::from_utf8_lossy(&output.stdout).trim().to_owned())
            .map_err(Error::io(program))
    });
    Ok(versions.into_iter().collect::<Result<Vec<_>, _>>()?.join(", "))
}

fn read(text: &str) -> Result<Counts, Error> {
    let lines = text.lines().enumerate().skip(HEAD_LINES);
    let counts = lines.map(|(index, line)| {
        let parts =
            line.split_once('\t').and_then(|(name, count)| Some((name.to_owned(), count.parse().ok()?)));
        parts.ok_or_else(|| Error::Missing(format!("{COMMITTED}:{}: not a count: {line}", index + 1)))
    });
    counts.collect()
}

/// One benchmark; a number is missing where it was not committed, or is there no more.
struct Row {
    name: String,
    committed: Option<u64>,
    now: Option<u64>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Verdict {
    Same,
    Less,
    More,
    New,
    Gone,
}

fn compare(committed: &Counts, now: &Counts) -> Vec<Row> {
    let names: BTreeSet<&String> = committed.keys().chain(now.keys()).collect();
    let row = |name: &String| Row {
        name: name.clone(),
        committed: committed.get(name).copied(),
        now: now.get(name).copied(),
    };
    names.into_iter().map(row).collect()
}

impl Row {
    fn verdict(&self) -> Verdict {
        match (self.committed, self.now) {
            (None, _) => Verdict::New,
            (_, None) => Verdict::Gone,
            (Some(committed), Some(now)) if now * 100 > committed * (100 + TOLERANCE_PERCENT) => {
                Verdict::More
            }
            (Some(committed), Some(now)) if now * 100 < committed * (100 - TOLERANCE_PERCENT) => {
                Verdict::Less
            }
            _ => Verdict::Same,
        }
    }
}

impl Verdict {
    /// Fewer instructions are good news; all else that is not as committed wants a decision.
    fn fails(self) -> bool {
        !matches!(self, Verdict::Same | Verdict::Less)
    }
}

impl fmt::Display for Row {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let number = |count: Option<u64>| count.map_or("-".into(), |count| thousands(count as f64));
        write!(f, "{:<54}{:>12}{:>12}", self.name, number(self.committed), number(self.now))?;
        if let (Some(committed), Some(now)) = (self.committed, self.now) {
            write!(f, "{:>+8.1} %", (now as f64 / committed as f64 - 1.0) * 100.0)?;
        }
        f.write_str(match self.verdict() {
            Verdict::Same => "",
            Verdict::Less => "  better: commit it",
            Verdict::More => "  TOO MANY",
            Verdict::New => "  NOT COMMITTED",
            Verdict::Gone => "  GONE",
        })
    }
}

fn say(text: &str) {
    let _ = writeln!(io::stdout(), "{text}"); // whoever closed it does not want to see it
}

const COMMITTED: &str = "integration/counts.tsv";

/// What the counts depend on, and the names of the columns.
const HEAD_LINES: usize = 2;

const TOLERANCE_PERCENT: u64 = 5;

#[cfg(test)]
mod tests {
    use super::*;

    fn verdict(committed: Option<u64>, now: Option<u64>) -> Verdict {
        Row { name: "a".into(), committed, now }.verdict()
    }

    #[test]
    fn five_percent_more_is_too_many_and_five_percent_less_is_told() {
        let verdicts = [949, 950, 1000, 1050, 1051].map(|now| verdict(Some(1000), Some(now)));
        assert_eq!(verdicts, [Verdict::Less, Verdict::Same, Verdict::Same, Verdict::Same, Verdict::More]);
        assert_eq!([verdict(None, Some(1)), verdict(Some(1), None)], [Verdict::New, Verdict::Gone]);
    }

    #[test]
    fn what_is_committed_can_be_read() {
        let text = fs::read_to_string(workspace().join(COMMITTED)).expect("it is there");
        assert!(read(&text).expect("counts").contains_key("codec::encode::batch"));
        assert!(read("# with\nbenchmark\tinstructions\na\tb\n").is_err());
    }
}
