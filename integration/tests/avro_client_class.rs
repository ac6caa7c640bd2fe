//! `avro-client` with a class of the operator's own: Flume's own program runs in its place, with what it would have had from Flume's
//! launcher.

use integration::{
    binaries,
    flume::{
        Version,
        bridge::{environment, plugins},
        client,
        stand_in::StandIn,
    },
    limit,
};
use rustix::process::{Pid, Signal, kill_process};
use std::{
    fs,
    path::Path,
    process::{Command, Stdio},
    thread::sleep,
    time::{Duration, Instant},
};

/// Our client beside the Flume of `version` and the classes of the tests.
fn ours(version: Version, words: &[&str], dir: &Path) -> Command {
    let mut command = Command::new("env");
    command.args(&environment(version)[1..]).arg(binaries::directory().expect("it is built").join("agent"));
    command.arg("avro-client").args(words).current_dir(dir).stdin(Stdio::null());
    command.env_remove("JAVA_OPTS").env_remove("FLUME_JAVA_OPTS");
    command
}

/// Flume's own client, as its launcher starts it.
fn flumes(version: Version, words: &[&str], dir: &Path) -> Option<i32> {
    let classes = plugins().unwrap_or_else(|why| panic!("{why}"));
    let client = client::avro_client_with(version, &classes, words, dir).expect("a JVM");
    let (ended, _) = { client }.finish(limit::LIMIT).expect("it ends");
    ended.status.code()
}

fn own(dir: &Path, file: &str) {
    let text = format!("client.type = org.acme.OwnClient\nto = {file}\n");
    fs::write(dir.join(format!("{file}.properties")), text).expect("a file");
}

fn written(dir: &Path, name: &str) -> String {
    fs::read_to_string(dir.join(name)).unwrap_or_default()
}

#[test]
#[ignore = "needs a JVM, Maven and a registry: .ci/run runs it"]
fn an_own_client_does_and_ends_as_in_flume() {
    for version in Version::ALL {
        let scene = tempfile::tempdir().expect("a folder");
        let dir = scene.path();
        fs::write(dir.join("headers"), "Type = LOGIN\n").expect("a file");
        for (case, lines) in [("taken", "one\ntwo\nthree\nfour\nfive\nsix\n"), ("refused", "one\nrefuse\n")] {
            fs::write(dir.join("lines"), lines).expect("a file");
            let (here, there) = (format!("here-{case}"), format!("there-{case}"));
            own(dir, &here);
            own(dir, &there);
            let words = |name: &str| {
                let properties = format!("{name}.properties");
                ["-P", &properties, "-F", "lines", "-R", "headers", "-Dwho=acme"].map(str::to_owned)
            };
            let given = words(&here);
            let output = limit::output(&mut ours(version, &given.each_ref().map(|word| word.as_str()), dir));
            let given = words(&there);
            let code = flumes(version, &given.each_ref().map(|word| word.as_str()), dir);
            assert_eq!(output.status.code(), code, "{output:?}");
            assert_eq!(written(dir, &here), written(dir, &there), "{case}");
            assert!(written(dir, &here).starts_with("made by acme\n{Type=LOGIN} one\n"), "{output:?}");
        }
    }
}

#[test]
#[ignore = "needs a JVM, Maven and a registry: .ci/run runs it"]
fn an_own_choice_among_hosts_is_made() {
    for version in Version::ALL {
        let scene = tempfile::tempdir().expect("a folder");
        let (first, last) = (StandIn::listen().expect("a port"), StandIn::listen().expect("a port"));
        let text = format!(
            "client.type = default_loadbalance\nhost-selector = org.acme.OwnClient$Last\nhosts = a b\nhosts.a = {}\nhosts.b = {}\n",
            first.address(),
            last.address()
        );
        fs::write(scene.path().join("rpc"), text).expect("a file");
        fs::write(scene.path().join("lines"), "one\ntwo\n").expect("a file");
        let output = limit::output(&mut ours(version, &["-P", "rpc", "-F", "lines"], scene.path()));
        assert_eq!((first.events().len(), last.events().len()), (0, 2), "{output:?}");
    }
}

#[test]
#[ignore = "needs a JVM, Maven and a registry: .ci/run runs it"]
fn a_signal_reaches_the_own_client() {
    let scene = tempfile::tempdir().expect("a folder");
    own(scene.path(), "out");
    let mut command = ours(Version::V1_11, &["-P", "out.properties"], scene.path());
    let mut child = command.stdin(Stdio::piped()).spawn().expect("it runs");
    let deadline = Instant::now() + limit::LIMIT;
    while written(scene.path(), "out").is_empty() && Instant::now() < deadline {
        sleep(Duration::from_millis(20));
    }
    kill_process(Pid::from_child(&child), Signal::TERM).expect("it waits for lines");
    assert_eq!(limit::wait(&mut child, "the client").code(), Some(128 + 15), "a JVM ends so");
}

#[test]
fn what_is_missing_for_an_own_client_is_told() {
    let scene = tempfile::tempdir().expect("a folder");
    own(scene.path(), "out");
    let program = binaries::directory().expect("it is built").join("agent");
    let mut command = Command::new(program);
    command.args(["avro-client", "-P", "out.properties"]).current_dir(scene.path()).stdin(Stdio::null());
    command.env_clear().env("FLUME_HOME", "/no/such/flume");
    let output = limit::output(&mut command);
    let said = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(4), "{said}");
    for part in ["client.type = org.acme.OwnClient is a Java class", "/no/such/flume/lib"] {
        assert!(said.contains(part), "{said}");
    }
}
