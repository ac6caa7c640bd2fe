//! `deploy/drill` on a machine that lacks what it needs: the shell script itself, with a PATH made for the test.

use integration::{binaries::workspace, limit};
use std::{
    fs,
    os::unix::fs::{PermissionsExt, symlink},
    path::Path,
    process::Command,
};
use tempfile::TempDir;

/// A machine with the ordinary commands and what the test adds; its network and its packages are not this one's.
struct Machine {
    files: TempDir,
}

impl Machine {
    fn new() -> Machine {
        let machine = Machine { files: tempfile::tempdir().expect("a directory") };
        fs::create_dir_all(machine.bin()).expect("a directory");
        for name in ["dirname", "sed", "cut", "sort", "head", "cat", "chmod"] {
            let found = ["/usr/bin", "/bin"].map(|place| Path::new(place).join(name));
            let found = found.iter().find(|path| path.exists()).expect("an ordinary command");
            symlink(found, machine.bin().join(name)).expect("a link");
        }
        machine
    }

    fn bin(&self) -> std::path::PathBuf {
        self.files.path().join("bin")
    }

    /// Adds a command that does `text`.
    fn with(self, name: &str, text: &str) -> Machine {
        program(&self.bin().join(name), text);
        self
    }

    /// A cargo that builds nothing and tells what it was asked for.
    fn with_cargo(self, version: &str) -> Machine {
        let text = format!(
            "case $1 in --version) echo 'cargo {version} (0 2026-01-01)' ;; *) echo \"cargo runs $*\" >&2 ;; esac"
        );
        self.with("cargo", &text)
    }

    /// What the script prints, and its exit code.
    fn drill(&self) -> (String, Option<i32>) {
        self.drill_with(&["--quiet"])
    }

    fn drill_with(&self, words: &[&str]) -> (String, Option<i32>) {
        let target = self.files.path().join("target");
        fs::create_dir_all(target.join("release")).expect("a directory");
        program(&target.join("release/drill"), "echo \"drill plays $*\"");
        let mut command = Command::new("/bin/sh");
        command
            .arg(workspace().join("deploy/drill"))
            .args(words)
            .env_clear()
            .env("PATH", self.bin())
            .env("HOME", self.files.path())
            .env("CARGO_TARGET_DIR", target);
        let output = limit::output(&mut command);
        let mut said = String::from_utf8_lossy(&output.stderr).into_owned();
        said.push_str(&String::from_utf8_lossy(&output.stdout));
        (said, output.status.code())
    }
}

fn program(path: &Path, text: &str) {
    fs::write(path, format!("#!/bin/sh\n{text}\n")).expect("a file");
    fs::set_permissions(path, fs::Permissions::from_mode(0o755)).expect("its permissions");
}

#[test]
fn without_cargo_it_says_how_to_get_it() {
    let (said, code) = Machine::new().with("cc", "").drill();
    assert_eq!(code, Some(1), "{said}");
    assert!(said.contains("cargo is missing"), "{said}");
    assert!(said.contains("https://sh.rustup.rs | sh"), "{said}");
    assert!(said.contains("apt-get install curl"), "this machine has no curl either: {said}");
}

#[test]
fn a_cargo_that_this_shell_does_not_know_yet_is_found() {
    let machine = Machine::new().with("cc", "").with_cargo("1.99.0");
    let place = machine.files.path().join(".cargo/bin");
    fs::create_dir_all(&place).expect("a directory");
    fs::rename(machine.bin().join("cargo"), place.join("cargo")).expect("it moves");
    let (said, code) = machine.drill();
    assert_eq!(code, Some(0), "{said}");
    assert!(said.contains("drill plays --quiet"), "{said}");
}

#[test]
fn an_old_cargo_is_told_with_the_version_that_is_needed() {
    let (said, code) = Machine::new().with("cc", "").with_cargo("1.63.0").drill();
    assert_eq!(code, Some(1), "{said}");
    assert!(said.contains("cargo 1.63.0 is too old, Rust 1.95 or later is needed"), "{said}");
}

#[test]
fn without_a_compiler_it_says_how_to_get_one() {
    let somebody = "echo 1000";
    let (said, code) = Machine::new().with_cargo("1.99.0").with("id", somebody).drill();
    assert_eq!(code, Some(1), "{said}");
    assert!(said.contains("a C compiler (cc) is missing"), "{said}");
    assert!(said.contains("sudo apt-get install gcc libc6-dev"), "{said}");
    assert!(!said.contains("cargo runs"), "it does not begin to build: {said}");
}

#[test]
fn root_on_debian_gets_the_compiler_installed() {
    let machine = Machine::new().with_cargo("1.99.0").with("id", "echo 0");
    let cc = machine.bin().join("cc");
    let install = format!(
        "echo \"apt-get runs $*\"\ncase $1 in install) echo '#!/bin/sh' > {0}; chmod 755 {0} ;; esac",
        cc.display()
    );
    let (said, code) = machine.with("apt-get", &install).drill();
    assert_eq!(code, Some(0), "{said}");
    assert!(said.contains("no C compiler (cc) is here; installing Debian's: gcc and libc6-dev"), "{said}");
    assert!(said.contains("apt-get runs install -qq -y --no-install-recommends gcc libc6-dev"), "{said}");
    assert!(said.contains("drill plays --quiet"), "{said}");
}

#[test]
fn an_installation_that_fails_is_told() {
    let machine = Machine::new().with_cargo("1.99.0").with("id", "echo 0").with("apt-get", "exit 100");
    let (said, code) = machine.drill();
    assert_eq!(code, Some(1), "{said}");
    assert!(said.contains("apt-get could not install it"), "{said}");
    assert!(said.contains("a C compiler (cc) is missing"), "{said}");
}

#[test]
fn the_build_shows_its_progress() {
    let (said, code) = Machine::new().with("cc", "").with_cargo("1.99.0").drill();
    assert_eq!(code, Some(0), "{said}");
    assert!(said.contains("building agent, collector and the drill"), "{said}");
    let built: Vec<&str> = said.lines().filter(|line| line.starts_with("cargo runs")).collect();
    assert_eq!(built.len(), 1, "a second call has other features and builds libraries again: {said}");
    assert!(built.iter().all(|line| !line.contains("--quiet")), "cargo shows what it builds: {said}");
}

#[test]
fn a_store_without_java_or_maven_is_told_before_anything_is_built() {
    let machine = Machine::new().with("cc", "").with_cargo("1.99.0").with("java", "");
    let (said, code) = machine.drill_with(&["--store", "hdfs"]);
    assert_eq!(code, Some(1), "{said}");
    assert!(said.contains("needs a JDK (17) and Maven; missing: javac mvn."), "{said}");
    assert!(said.contains("sudo apt-get install openjdk-17-jdk-headless maven"), "{said}");
    assert!(!said.contains("cargo runs"), "{said}");
}

#[test]
fn a_store_has_its_agents_built_by_the_drill_and_kafka_needs_more_than_a_compiler() {
    let machine = Machine::new().with("cc", "").with_cargo("1.99.0");
    let machine = machine.with("java", "").with("javac", "").with("mvn", "");
    for store in ["hdfs", "hbase", "storm"] {
        let (said, code) = machine.drill_with(&["--quiet", "--store", store]);
        assert_eq!(code, Some(0), "{said}");
        assert!(said.contains(&format!("drill plays --quiet --store {store}")), "{said}");
        assert!(!said.contains("-p agent"), "the drill builds them with what they need: {said}");
    }
    for words in [&["--store=kafka"][..], &["--durable", "--store", "hbase"]] {
        let (said, code) = machine.drill_with(words);
        assert_eq!(code, Some(1), "{said}");
        assert!(said.contains("sudo apt-get install make libssl-dev zlib1g-dev"), "{said}");
    }
    let (said, code) = machine.with("make", "").drill_with(&["--store", "kafka"]);
    assert_eq!(code, Some(0), "{said}");
}
