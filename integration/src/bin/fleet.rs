//! Which agents of a folder of configurations run here, and what blocks the rest:
//! `cargo run -p integration --bin fleet -- FOLDER [OPTIONS OF check]`.
//!
//! It asks `agent check --json` about each agent of each file, of an agent that has all features. Whether Flume starts an agent at
//! all is that report's own verdict about the agent's fate in Flume: it runs, or runs in part. Where Flume runs it in part, it is
//! asked again with `--start-in-part`, and counted apart.
//!
//! `FLUME_HOME` is the Flume whose jars count, with the operator's own classes. Without it a released Flume is fetched, with its
//! components for stores, and each own class has a stand-in of the same kind. `FLUME_BIN_DIR` names another agent.

use integration::binaries;
use integration::flume::{bridge::home_with_stores, own_classes::OwnClasses};
use serde_json::Value;
use std::{
    collections::{BTreeMap, BTreeSet},
    error::Error,
    fs,
    io::{self, Write},
    path::{Path, PathBuf},
    process::Command,
};

/// What becomes of an agent here.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Here {
    Native,
    WithJava,
    InPart,
    LacksOwnClass,
    Lacks,
    Wrong,
}

impl Here {
    const ALL: [Here; 6] =
        [Here::Native, Here::WithJava, Here::InPart, Here::LacksOwnClass, Here::Lacks, Here::Wrong];

    fn words(self) -> &'static str {
        match self {
            Here::Native => "runs here",
            Here::WithJava => "runs here with a JVM",
            Here::InPart => "with --start-in-part",
            Here::LacksOwnClass => "lacks an own class",
            Here::Lacks => "lacks a component or a JVM",
            Here::Wrong => "the file is wrong",
        }
    }
}

struct Row {
    path: PathBuf,
    agent: String,
    here: Here,
    in_flume: String,
    /// What keeps all of it from running.
    blocks: String,
    /// Classes that are not on the class path.
    missing: Vec<String>,
}

impl Row {
    /// Whether Flume starts it at all.
    fn starts_in_flume(&self) -> bool {
        self.in_flume.starts_with("runs")
    }
}

fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args().skip(1);
    let folder = arguments.next().ok_or("which folder? cargo run -p integration --bin fleet -- FOLDER")?;
    let mut files: Vec<PathBuf> =
        fs::read_dir(folder)?.map(|entry| entry.map(|entry| entry.path())).collect::<Result<_, _>>()?;
    files.retain(|path| path.extension().is_some_and(|kind| kind == "conf" || kind == "properties"));
    files.sort();
    let scratch = tempfile::tempdir()?;
    let asked = Asked::new(arguments.filter(|word| word != "--").collect(), scratch.path())?;
    let mut rows = Vec::new();
    for file in &files {
        for name in asked.agents(file)? {
            rows.push(asked.row(file, &name)?);
        }
    }
    let mut own = OwnClasses::default();
    while asked.fetched && add_missing(&mut own, &rows)? {
        own.compile(&asked.classes)?;
        for row in rows.iter_mut().filter(|row| !row.missing.is_empty()) {
            *row = asked.row(&row.path, &row.agent)?;
        }
    }
    print(&rows, &own)?;
    Ok(())
}

/// Stand-ins for what is missing; whether there is any new one.
fn add_missing(own: &mut OwnClasses, rows: &[Row]) -> io::Result<bool> {
    let mut new = false;
    for row in rows.iter().filter(|row| !row.missing.is_empty()) {
        let text = String::from_utf8_lossy(&fs::read(&row.path)?).into_owned();
        row.missing.iter().for_each(|class| new |= own.add(class, &text));
    }
    Ok(new)
}

/// The agent that is asked, and what it is given.
struct Asked {
    agent: PathBuf,
    options: Vec<String>,
    environment: Vec<(&'static str, String)>,
    /// A released Flume was fetched, and own classes have stand-ins in this folder.
    fetched: bool,
    classes: PathBuf,
}

impl Asked {
    fn new(options: Vec<String>, scratch: &Path) -> Result<Asked, Box<dyn Error>> {
        let agent = binaries::with_features("hbase,hdfs,kafka", scratch)?.join("agent");
        let classes = scratch.join("own");
        fs::create_dir(&classes)?;
        let mut asked = Asked { agent, options, environment: Vec::new(), fetched: false, classes };
        if std::env::var_os("FLUME_HOME").is_none() {
            match home_with_stores() {
                Ok((home, stores)) => {
                    asked.fetched = true;
                    asked.environment.push(("FLUME_HOME", home.display().to_string()));
                    let path = format!("{}:{stores}", asked.classes.display());
                    asked.environment.push(("FLUME_CLASSPATH", path));
                }
                Err(why) => eprintln!("what needs a JVM counts as lacking: {why}"),
            }
        }
        Ok(asked)
    }

    fn check(&self, file: &Path) -> Command {
        let mut command = Command::new(&self.agent);
        command.arg("check").arg("-f").arg(file).args(&self.options);
        command.envs(self.environment.iter().map(|(name, value)| (name, value)));
        command
    }

    /// The agents that a file names, as `check` without a name tells them.
    fn agents(&self, file: &Path) -> io::Result<Vec<String>> {
        let said = self.check(file).output()?.stderr;
        let said = String::from_utf8_lossy(&said);
        let names = said.rsplit_once(" names: ").map(|(_, names)| names.trim()).unwrap_or_default();
        Ok(names.split(", ").filter(|name| !name.is_empty()).map(String::from).collect())
    }

    fn row(&self, file: &Path, name: &str) -> Result<Row, Box<dyn Error>> {
        let report = self.report(file, name, &[])?;
        let mut row = row(file, name, &report);
        if row.here > Here::WithJava && row.starts_in_flume() {
            let report = self.report(file, name, &["--start-in-part"])?;
            if report["exit_code"] == 0 {
                row.here = Here::InPart;
            }
        }
        Ok(row)
    }

    fn report(&self, file: &Path, name: &str, more: &[&str]) -> Result<Value, Box<dyn Error>> {
        let output = self.check(file).args(["--json", "-n", name]).args(more).output()?;
        let report = serde_json::from_slice(&output.stdout);
        Ok(report.map_err(|error| format!("{name} of {}: {error}", file.display()))?)
    }
}

fn row(file: &Path, name: &str, report: &Value) -> Row {
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
    let said = findings.iter().filter_map(|finding| finding["what"].as_str());
    let missing = said.filter_map(|what| what.split_once("there is no class ")?.1.split_once(" on the"));
    Row {
        path: file.to_owned(),
        agent: name.to_owned(),
        here,
        in_flume: report["in_flume"].as_str().unwrap_or_default().to_owned(),
        blocks: lacks.into_iter().map(String::from).chain(errors).collect::<Vec<_>>().join(", "),
        missing: missing.map(|(class, _)| class.to_owned()).collect(),
    }
}

fn print(rows: &[Row], own: &OwnClasses) -> io::Result<()> {
    let mut out = io::stdout().lock();
    for Row { path, agent, here, in_flume, blocks, .. } in rows {
        let file = path.file_name().unwrap_or_default().to_string_lossy();
        writeln!(out, "{}\t{in_flume}\t{file}\t{agent}\t{blocks}", here.words())?;
    }
    let own: Vec<&str> = own.names().collect();
    if !own.is_empty() {
        writeln!(out, "\n{} own classes have a stand-in of the same kind: {}", own.len(), own.join(", "))?;
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
    let started: Vec<&Row> = rows.iter().filter(|row| row.starts_in_flume()).collect();
    for (words, last) in [
        ("start here whole", Here::WithJava),
        ("start here, some with --start-in-part: without what Flume leaves out as well", Here::InPart),
        ("start here once their own classes are there", Here::LacksOwnClass),
    ] {
        let most = started.iter().filter(|row| row.here <= last).count();
        let percent = 100.0 * most as f64 / started.len().max(1) as f64;
        writeln!(
            out,
            "Of the {} agents that Flume starts at all, {most} ({percent:.1} %) {words}.",
            started.len()
        )?;
    }
    blocks(&mut out, "What keeps a part of an agent from running", &started, &|here| here == Here::InPart)?;
    blocks(&mut out, "What blocks the rest", &started, &|here| here > Here::LacksOwnClass)
}

/// What stands in the way of those rows, the most frequent first.
fn blocks(out: &mut impl Write, head: &str, rows: &[&Row], of: &dyn Fn(Here) -> bool) -> io::Result<()> {
    let mut blocks: BTreeMap<&str, usize> = BTreeMap::new();
    for row in rows.iter().filter(|row| of(row.here)) {
        let parts = row.blocks.split(", ").map(|block| block.split(':').next().unwrap_or(block));
        for part in parts.collect::<BTreeSet<_>>() {
            *blocks.entry(part).or_default() += 1;
        }
    }
    writeln!(out, "\n{head}, and how many of them:")?;
    let mut blocks: Vec<_> = blocks.into_iter().collect();
    blocks.sort_by_key(|(_, times)| std::cmp::Reverse(*times));
    blocks.iter().try_for_each(|(what, times)| writeln!(out, "{times:>6}  {what}"))
}
