//! `deploy/bin/flume-ng`: which binary it runs, with which words.

#[path = "../../integration/src/limit.rs"]
#[allow(dead_code, unreachable_pub, reason = "other tests use the rest")]
mod limit;

use std::{
    fs,
    os::unix::fs::{PermissionsExt, symlink},
    path::{Path, PathBuf},
    process::{Command, Output},
};
use tempfile::TempDir;

/// Flume's directory with the script and two stand-ins that print their name and words, one a line.
struct Home(TempDir);

impl Home {
    fn new() -> Home {
        let home = Home(tempfile::tempdir().expect("a directory"));
        fs::create_dir_all(home.path("bin")).expect("bin");
        fs::create_dir_all(home.path("conf")).expect("conf");
        fs::copy(script(), home.path("bin/flume-ng")).expect("the script");
        for name in ["agent", "collector"] {
            let path = home.path("bin").join(name);
            fs::write(&path, format!("#!/bin/sh\nprintf '%s\\n' {name} \"$@\"\n")).expect("a stand-in");
            fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).expect("may be run");
        }
        for name in ["flume-client.conf", "flume-server.conf"] {
            let from = Path::new(env!("CARGO_MANIFEST_DIR")).join("../deploy/conf").join(name);
            fs::copy(from, home.path("conf").join(name)).expect("the lesson's file");
        }
        home
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    /// Runs a command line within `conf`, as the lesson does.
    fn run(&self, line: &str) -> Output {
        let mut command = Command::new("sh");
        command.args(["-c", line]).current_dir(self.path("conf")).env_remove("FLUME_ROLE");
        limit::output(&mut command)
    }

    /// The lines that the chosen stand-in printed.
    fn words(&self, line: &str) -> Vec<String> {
        String::from_utf8(self.run(line).stdout).expect("text").lines().map(str::to_owned).collect()
    }
}

fn script() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../deploy/bin/flume-ng")
}

#[test]
fn the_lessons_two_lines_run_verbatim() {
    let home = Home::new();
    let words = home.words(
        "../bin/flume-ng agent -n agent1 -c ../conf -f flume-client.conf -Dflume.root.logger=DEBUG,console",
    );
    let expected = ["agent", "agent", "-n", "agent1", "-c", "../conf", "-f", "flume-client.conf"];
    assert_eq!(words[..8], expected);
    assert_eq!(words[8..], ["-Dflume.root.logger=DEBUG,console"]);
    let words = home.words(
        "../bin/flume-ng agent --conf ../conf --conf-file flume-server.conf --name a1 \
         -Dflume.root.logger=INFO,console",
    );
    let expected =
        ["collector", "agent", "--conf", "../conf", "--conf-file", "flume-server.conf", "--name", "a1"];
    assert_eq!(words[..8], expected);
}

#[test]
fn the_named_agents_sources_choose_the_binary() {
    let home = Home::new();
    let file = "# b.sources.r.type = avro\r\n  x.sources.r.type : org.apache.flume.source.AvroSource  \r\n\
                y.sources.r.type=EXEC\ny.sources.avro.command = tail\nz.sources.r.type SyslogTCP\n\
                q.sources.r.type = avro   # comment\nq.sources.r.type = exec\n";
    fs::write(home.path("conf/a b.conf"), file).expect("a file");
    for (name, expected) in
        [("x", "collector"), ("y", "agent"), ("z", "collector"), ("b", "agent"), ("q", "agent")]
    {
        for line in [format!("-n {name} -f 'a b.conf'"), format!("--conf-file='a b.conf' --name={name}")] {
            assert_eq!(home.words(&format!("../bin/flume-ng agent {line}"))[0], expected, "{line}");
        }
    }
    assert_eq!(home.words("FLUME_ROLE=collector ../bin/flume-ng agent -n y -f 'a b.conf'")[0], "collector");
    let two = home.words("../bin/flume-ng node -n x -f flume-client.conf -f 'a b.conf' 'a word'");
    assert_eq!((two[0].as_str(), two.last().map(String::as_str)), ("collector", Some("a word")));
    assert_eq!(home.words("../bin/flume-ng agent -n x -f no.conf")[0], "agent");
}

#[test]
fn other_commands_do_as_flumes() {
    let home = Home::new();
    let help = home.run("../bin/flume-ng help");
    assert!(help.status.success() && String::from_utf8_lossy(&help.stdout).contains("commands:"));
    for (line, what) in [("frobnicate", "'frobnicate'"), ("", "''")] {
        let output = home.run(&format!("../bin/flume-ng {line}"));
        let error = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(1));
        assert!(error.contains(&format!("Error: Unknown or unspecified command {what}")), "{error}");
    }
    assert_eq!(home.words("../bin/flume-ng version"), ["agent", "version"]);
}

#[test]
fn it_finds_the_binaries_through_links_in_a_source_tree_and_on_the_path() {
    let home = Home::new();
    symlink(home.path("bin/flume-ng"), home.path("link")).expect("a link");
    assert_eq!(home.words("../link version"), ["agent", "version"]);
    let release = home.path("tree/target/release");
    fs::create_dir_all(&release).expect("target/release");
    fs::create_dir_all(home.path("tree/deploy/bin")).expect("deploy/bin");
    fs::copy(script(), home.path("tree/deploy/bin/flume-ng")).expect("the script");
    let missing = home.run("../tree/deploy/bin/flume-ng version");
    assert_eq!(missing.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&missing.stderr).contains("cargo build --release"));
    assert_eq!(
        home.words("PATH=$PWD/../bin:$PATH ../tree/deploy/bin/flume-ng version"),
        ["agent", "version"]
    );
    fs::copy(home.path("bin/agent"), release.join("agent")).expect("a binary");
    assert_eq!(home.words("../tree/deploy/bin/flume-ng version"), ["agent", "version"]);
}

#[test]
fn the_real_binary_answers_through_it() {
    let home = Home::new();
    fs::remove_file(home.path("bin/agent")).expect("the stand-in goes");
    symlink(env!("CARGO_BIN_EXE_agent"), home.path("bin/agent")).expect("a link");
    assert!(home.words("../bin/flume-ng version")[0].starts_with("Flume 1.11.0 (agent"));
}
