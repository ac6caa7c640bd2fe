//! The rules of the house that a program can check.

use integration::{
    binaries::{self, workspace},
    limit,
};
use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

/// Everything that is, or is about to be, in the repository, as text.
fn tree() -> Vec<(String, String)> {
    let listed = Command::new("git")
        .args(["ls-files", "--cached", "--others", "--exclude-standard"])
        .current_dir(workspace())
        .output();
    let names: Vec<String> = match listed {
        Ok(listed) if listed.status.success() => {
            String::from_utf8_lossy(&listed.stdout).lines().map(str::to_owned).collect()
        }
        _ => walk(workspace()), // an unpacked archive
    };
    names
        .into_iter()
        .filter_map(|name| Some((name.clone(), fs::read_to_string(workspace().join(name)).ok()?)))
        .collect()
}

fn walk(directory: &Path) -> Vec<String> {
    let mut names = Vec::new();
    for entry in fs::read_dir(directory).expect("a directory").flatten() {
        let (path, name) = (entry.path(), entry.file_name());
        if path.is_dir() && name != "target" && name != ".git" {
            names.extend(walk(&path));
        } else if let Ok(below) = path.strip_prefix(workspace()) {
            names.push(below.display().to_string());
        }
    }
    names
}

fn sources() -> Vec<(String, String)> {
    tree().into_iter().filter(|(name, _)| name.ends_with(".rs")).collect()
}

/// Whether the file holds tests only.
fn is_test(name: &str) -> bool {
    ["/tests/", "tests.rs", "/fuzz/", "/examples/", "/benches/"].iter().any(|part| name.contains(part))
}

/// The lines of a source that go into the programs: what stands above its own tests.
fn code(text: &str) -> impl Iterator<Item = &str> {
    text.lines()
        .take_while(|line| *line != "#[cfg(test)]")
        .filter(|line| !line.trim_start().starts_with("//"))
}

#[test]
fn nothing_is_left_to_be_done_later() {
    let words = ["to", "do!("].concat();
    let others = ["unimple", "mented!("].concat();
    for (name, text) in sources() {
        assert!(!text.contains(&words) && !text.contains(&others), "{name} has something left to be done");
    }
}

/// `.ci/run` runs all ignored tests of a file in one way.
#[test]
fn a_file_of_tests_ignores_them_for_one_reason() {
    let of = |name: &str| name.starts_with("integration/tests/");
    for (name, text) in sources().into_iter().filter(|(name, _)| of(name)) {
        let ignored = ["needs a JVM", "compares with the clock"]
            .map(|reason| text.contains(&["#[ignore", " = \"", reason].concat()));
        assert!(
            ignored != [true, true],
            "{name} has tests that need a JVM and such that compare with the clock"
        );
    }
}

/// One machine's paths and the names of what a file was made with are no matter of the repository.
#[test]
fn no_file_names_a_machine() {
    let words = [["/wo", "rk/"].concat(), ["/ho", "me/"].concat(), ["/tmp/", "brief"].concat()];
    for (name, text) in tree().into_iter().filter(|(name, _)| !name.ends_with("Cargo.lock")) {
        for word in &words {
            let line = text.lines().position(|line| line.contains(word.as_str()));
            // systemd's own `ProtectHome` speaks of homes, and so may a page about it.
            let excused = name.starts_with("deploy/systemd") || name.ends_with(".service");
            assert!(line.is_none() || excused, "{name}:{} names {word}", line.unwrap_or_default() + 1);
        }
    }
}

#[test]
fn files_are_short_but_for_those_that_are_known() {
    let long: Vec<(String, usize)> = sources()
        .into_iter()
        .filter(|(name, _)| !is_test(name))
        .map(|(name, text)| (name, text.lines().count()))
        .filter(|(_, lines)| *lines > MOST_LINES)
        .collect();
    for (name, lines) in &long {
        eprintln!("{name}: {lines} lines; is there a second thing in it that wants its own name?");
    }
    let far: Vec<&(String, usize)> = long.iter().filter(|(name, lines)| *lines > limit(name)).collect();
    assert!(far.is_empty(), "too long: {far:?}");
}

fn limit(name: &str) -> usize {
    LONG_FILES
        .iter()
        .find(|(known, _)| name == *known)
        .map_or(MOST_LINES + MOST_LINES / 4, |(_, lines)| *lines)
}

#[test]
fn unwrap_stands_in_tests_only() {
    for (name, text) in sources().into_iter().filter(|(name, _)| !is_test(name)) {
        for line in code(&text) {
            assert!(!line.contains(".unwrap()"), "{name}: {line}");
        }
    }
}

/// Time is asked for in one place, so that the flow runs on a clock of a test's own.
#[test]
fn only_the_clock_asks_what_time_it_is() {
    let pure = ["event", "java", "wire", "plan", "runtime", "flow", "rpc", "components"]
        .map(|name| format!("common/{name}/"));
    for (name, text) in
        sources().into_iter().filter(|(name, _)| pure.iter().any(|part| name.starts_with(part.as_str())))
    {
        if is_test(&name) || name.ends_with("clock.rs") {
            continue;
        }
        for line in code(&text) {
            let asks = ["Instant::now()", "SystemTime::now()"].iter().any(|call| line.contains(call));
            assert!(!asks, "{name}: {}", line.trim());
        }
    }
}

#[test]
fn every_sample_is_accepted_by_the_check() {
    let directory = binaries::directory().expect("the binaries are built");
    let samples: Vec<PathBuf> = fs::read_dir(workspace().join("deploy/conf"))
        .expect("there are samples")
        .flatten()
        .map(|entry| entry.path())
        .filter(|path| path.extension().is_some_and(|kind| kind == "conf" || kind == "properties"))
        .collect();
    assert!(samples.len() >= 2, "the lesson's two files are there");
    for sample in samples {
        for name in agents(&fs::read_to_string(&sample).expect("a sample")) {
            let mut check = Command::new(directory.join("agent"));
            check.args(["check", "-n", &name, "-f"]).arg(&sample);
            let output = limit::output(&mut check);
            let said = String::from_utf8_lossy(&output.stdout).into_owned()
                + &String::from_utf8_lossy(&output.stderr);
            assert!(output.status.success(), "{} -n {name}: {}\n{said}", sample.display(), output.status);
        }
    }
}

/// The names of the agents in a file: those with a list of channels.
fn agents(text: &str) -> Vec<String> {
    let keys = text.lines().filter_map(|line| Some(line.split_once('=')?.0.trim()));
    keys.filter_map(|key| key.strip_suffix(".channels"))
        .filter(|name| !name.contains('.'))
        .map(str::to_owned)
        .collect()
}

/// Most files are shorter than this.
const MOST_LINES: usize = 400;

/// Files that are known to be long, and how long they may become. Shorten them rather than add here.
const LONG_FILES: &[(&str, usize)] = &[];
