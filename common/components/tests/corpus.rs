//! What is said of configurations that people have published, one line for each file and agent, so that a change of
//! a verdict is seen in review. The files are not ours to hand on; a folder of them is named from outside.

#![expect(clippy::unwrap_used, reason = "a test reads and writes its own files")]

use std::env;
use std::fmt::Write;
use std::fs;
use std::path::{Path, PathBuf};

mod support;

use plan::{Severity, Sources, Text};
use support::{load_texts, options};

#[test]
#[ignore = "needs FLUME_CONFIGS, a folder of *.conf files; UPDATE=1 writes the verdicts anew"]
fn the_verdicts_are_the_reviewed_ones() {
    let folder = env::var_os("FLUME_CONFIGS").expect("FLUME_CONFIGS names a folder");
    let mut paths: Vec<PathBuf> = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    paths.retain(|path| path.extension().is_some_and(|extension| extension == "conf"));
    paths.sort();
    let verdicts = paths.iter().map(|path| verdicts(path)).collect::<String>();
    let reviewed = Path::new(env!("CARGO_MANIFEST_DIR")).join("testdata/verdicts.tsv");
    if env::var_os("UPDATE").is_some() {
        fs::write(&reviewed, &verdicts).unwrap();
    }
    let reviewed = fs::read_to_string(reviewed).unwrap();
    for (now, then) in verdicts.lines().zip(reviewed.lines()) {
        assert_eq!(now, then);
    }
    assert_eq!(verdicts.lines().count(), reviewed.lines().count());
}

/// A line for each agent of a file: errors, warnings, notes, and where the first error stands.
fn verdicts(path: &Path) -> String {
    let name = path.file_name().unwrap().to_string_lossy().into_owned();
    let texts = [Text { name: name.clone(), bytes: fs::read(path).unwrap() }];
    let load = |agent: &str| load_texts(&texts, &Sources::default(), agent, &options());
    let mut lines = String::new();
    for agent in load("").agents {
        let mut loaded = load(&agent);
        let report = &mut loaded.report;
        // What directories there are differs from host to host.
        report.problems.retain(|problem| problem.code != "unusable-directory");
        assert_eq!(loaded.plan.is_none(), report.has_errors());
        let [errors, warnings, notes] =
            [Severity::Error, Severity::Warning, Severity::Note].map(|severity| report.count(severity));
        let first = report.problems.iter().find(|problem| problem.severity == Severity::Error);
        let first = first.map_or("-".into(), |problem| format!("{}:{}", problem.code, problem.place.line));
        writeln!(lines, "{name}\t{agent}\t{errors} errors\t{warnings} warnings\t{notes} notes\t{first}")
            .unwrap();
    }
    lines
}
