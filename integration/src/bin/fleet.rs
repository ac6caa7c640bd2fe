//! Which agents of a folder of configurations run here, and what blocks the rest:
//! `cargo run -p integration --bin fleet -- FOLDER [-- OPTIONS OF check]`.
//!
//! It asks `agent check --json` about each agent of each file. Whether Flume starts an agent at all is that report's own
//! verdict about the agent's fate in Flume: it runs, or runs in part. What needs a JVM is found as `agent` finds it
//! (`FLUME_HOME`, `-C`); an own class that is not on that path is counted by itself, as the class of the one who asks is.

use integration::binaries;
use serde_json::Value;
use std::{
    collections::BTreeMap,
    io::{self, Write},
    path::{Path, PathBuf},
    process::Command,
};

/// What becomes of an agent here.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Here {
    Native,
    WithJava,
    LacksOwnClass,
    Lacks,
    Wrong,
}

impl Here {
    const ALL: [Here; 5] = [Here::Native, Here::WithJava, Here::LacksOwnClass, Here::Lacks, Here::Wrong];

    fn words(self) -> &'static str {
        match self {
            Here::Native => "runs here",
            Here::WithJava => "runs here with a JVM",
            Here::LacksOwnClass => "lacks an own class",
            Here::Lacks => "lacks a component or a JVM",
            Here::Wrong => "the file is wrong",
        }
    }
}

struct Row {
    file: String,
    agent: String,
    here: Here,
    /// Whether Flume starts it at all.
    starts_in_flume: bool,
    in_flume: String,
    blocks: String,
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut arguments = std::env::args().skip(1);
    let folder = arguments.next().ok_or("which folder? cargo run -p integration --bin fleet -- FOLDER")?;
    let options: Vec<String> = arguments.filter(|word| word != "--").collect();
    let agent = binaries::directory()?.join("agent");
    let mut files: Vec<PathBuf> =
        std::fs::read_dir(folder)?.map(|entry| entry.map(|entry| entry.path())).collect::<Result<_, _>>()?;
    files.retain(|path| path.extension().is_some_and(|kind| kind == "conf" || kind == "properties"));
    files.sort();
    let mut rows = Vec::new();
    for file in &files {
        for name in agents(&agent, file)? {
            rows.push(row(&agent, file, &name, &options)?);
        }
    }
    print(&rows)?;
    Ok(())
}

/// The agents that a file names, as `check` without a name tells them.
fn agents(agent: &Path, file: &Path) -> io::Result<Vec<String>> {
    let output = Command::new(agent).arg("check").arg("-f").arg(file).output()?;
    let said = String::from_utf8_lossy(&output.stderr);
    let names = said.rsplit_once(" names: ").map(|(_, names)| names.trim()).unwrap_or_default();
    Ok(names.split(", ").filter(|name| !name.is_empty()).map(String::from).collect())
}

fn row(agent: &Path, file: &Path, name: &str, options: &[String]) -> Result<Row, Box<dyn std::error::Error>> {
    let output =
        Command::new(agent).args(["check", "--json", "-n", name, "-f"]).arg(file).args(options).output()?;
    let report: Value = serde_json::from_slice(&output.stdout)
        .map_err(|error| format!("{} of {}: {error}", name, file.display()))?;
    let findings = report["findings"].as_array().cloned().unwrap_or_default();
    let codes = |code: &str| findings.iter().any(|finding| finding["code"] == code);
    let lacks: Vec<&str> =
        report["lacks"].as_array().into_iter().flatten().filter_map(|one| one["what"].as_str()).collect();
    let here = match report["exit_code"].as_u64() {
        Some(0) if codes("runs-in-java") => Here::WithJava,
        Some(0) => Here::Native,
        Some(4) if lacks.iter().all(|what| what.starts_with("own class")) => Here::LacksOwnClass,
        Some(4) => Here::Lacks,
        _ => Here::Wrong,
    };
    let errors =
        findings.iter().filter(|finding| finding["severity"] == "error" && finding["lacks"].is_null());
    let errors = errors.filter_map(|finding| {
        let line = &finding["places"][0]["line"];
        Some(format!("{}:{line}", finding["code"].as_str()?))
    });
    let in_flume = report["in_flume"].as_str().unwrap_or_default().to_owned();
    Ok(Row {
        file: file.file_name().unwrap_or_default().to_string_lossy().into_owned(),
        agent: name.to_owned(),
        here,
        starts_in_flume: in_flume.starts_with("runs"),
        in_flume,
        blocks: lacks.into_iter().map(String::from).chain(errors).collect::<Vec<_>>().join(", "),
    })
}

fn print(rows: &[Row]) -> io::Result<()> {
    let mut out = io::stdout().lock();
    for row in rows {
        let Row { file, agent, here, in_flume, blocks, .. } = row;
        writeln!(out, "{}\t{in_flume}\t{file}\t{agent}\t{blocks}", here.words())?;
    }
    writeln!(out, "\n{:30}{:>8}{:>16}{:>24}", "", "agents", "Flume: runs", "Flume: runs in part")?;
    let line = |words: &str, of: &dyn Fn(&&Row) -> bool| {
        let in_flume = |fate: &str| rows.iter().filter(of).filter(|row| row.in_flume == fate).count();
        let all = rows.iter().filter(of).count();
        format!("{words:30}{all:>8}{:>16}{:>24}", in_flume("runs"), in_flume("runs in part"))
    };
    for here in Here::ALL {
        writeln!(out, "{}", line(here.words(), &|row| row.here == here))?;
    }
    writeln!(out, "{}", line("all", &|_| true))?;
    let started: Vec<&Row> = rows.iter().filter(|row| row.starts_in_flume).collect();
    let most = |last: Here| started.iter().filter(|row| row.here <= last).count();
    for (words, last) in
        [("start here", Here::WithJava), ("start here once their own classes are there", Here::LacksOwnClass)]
    {
        let percent = 100.0 * most(last) as f64 / started.len().max(1) as f64;
        writeln!(out, "Of the agents that Flume starts at all, {percent:.1} % {words}.")?;
    }
    let mut blocks: BTreeMap<&str, usize> = BTreeMap::new();
    for row in started.iter().filter(|row| row.here > Here::LacksOwnClass) {
        let parts = row.blocks.split(", ").map(|block| block.split(':').next().unwrap_or(block));
        for part in parts.collect::<std::collections::BTreeSet<_>>() {
            *blocks.entry(part).or_default() += 1;
        }
    }
    writeln!(out, "\nWhat blocks those, and how many of them:")?;
    let mut blocks: Vec<_> = blocks.into_iter().collect();
    blocks.sort_by_key(|(_, times)| std::cmp::Reverse(*times));
    blocks.iter().try_for_each(|(what, times)| writeln!(out, "{times:>6}  {what}"))
}
