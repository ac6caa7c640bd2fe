//! What `check`, `push` and `--diff` say of Java classes, and that nothing is asked for where there are none.

use super::agent::{check, stop};
use integration::{
    binaries,
    flume::{Version, bridge::environment},
    limit,
    solo::Solo,
};
use std::{fs, os::unix::fs::PermissionsExt, path::Path, process::Command};

#[test]
#[ignore = "needs a JVM, Maven and a registry: .ci/run runs it"]
fn check_loads_the_classes_and_tells_one_that_is_missing() {
    let file = |sink: &str| {
        format!(
            "a1.sources = r1\na1.channels = c1\na1.sinks = k1\na1.sources.r1.type = seq\na1.sources.r1.channels = c1\n\
             a1.channels.c1.type = file\na1.channels.c1.checkpointDir = /no/such\na1.sinks.k1.channel = c1\n{sink}\n"
        )
    };
    for version in Version::ALL {
        let words = environment(version);
        let words: Vec<&str> = words[1..].iter().map(String::as_str).collect();
        let (output, said) = check(&words, &file("a1.sinks.k1.type = org.acme.Lines"), "a1");
        assert!(output.status.success(), "{said}");
        assert!(
            said.contains("note: the sink `k1` runs in a JVM with Flume's jars: it is a Java class"),
            "{said}"
        );
        let (output, said) = check(&words, &file("a1.sinks.k1.type = org.acme.NotThere"), "a1");
        assert_eq!(output.status.code(), Some(4), "the file is well, the host lacks a class: {said}");
        assert!(said.contains("there is no class org.acme.NotThere on the class path: "), "{said}");
        assert!(said.contains("/lib/*") && said.contains("[no-such-class]"), "{said}");
        assert!(
            said.contains("in Flume it ends at once, with exit code 0: it cannot load the sink `k1`"),
            "{said}"
        );
        assert!(said.contains("cannot load it (`Unable to load sink type`)"), "{said}");
        let refused = "a1.sinks.k1.type = org.acme.Lines\na1.sinks.k1.mode = bad-setting";
        let (output, said) = check(&words, &file(refused), "a1");
        assert_eq!(output.status.code(), Some(2), "the file is wrong: {said}");
        assert!(said.contains("mode may not be bad-setting"), "{said}");
    }
}

/// `push` with nobody to write to, and `--diff`.
#[test]
#[ignore = "needs a JVM, Maven and a registry: .ci/run runs it"]
fn push_and_diff_take_no_class_that_check_does_not_take() {
    let file = |class: &str| {
        format!(
            "a1.sources = r1\na1.channels = c1\na1.sinks = k1\na1.sources.r1.type = seq\na1.sources.r1.channels = c1\n\
             a1.channels.c1.type = memory\na1.sinks.k1.channel = c1\na1.sinks.k1.type = {class}\n"
        )
    };
    let directory = tempfile::tempdir().expect("a folder");
    let path = |name: &str| directory.path().join(name).display().to_string();
    for (name, class) in [("native", "null"), ("there", "org.acme.Lines"), ("missing", "org.acme.NotThere")] {
        fs::write(path(name), file(class)).expect("a file");
    }
    let words = environment(Version::V1_11);
    let run = |arguments: &[&str]| {
        let mut command = Command::new("env");
        let program = binaries::directory().expect("it is built").join("agent");
        let output = limit::output(command.args(&words[1..]).arg(program).args(arguments));
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        (output.status.code(), text(&output.stdout), text(&output.stderr))
    };
    let (code, said, complaint) = run(&["push", "-z", "127.0.0.1:9", "-n", "a1", "-f", &path("missing")]);
    assert_eq!(code, Some(4), "{said}{complaint}");
    assert!(
        said.contains("[no-such-class]") && complaint.contains("nothing is written"),
        "{said}{complaint}"
    );
    let diff = |old: &str, new: &str| run(&["check", "-n", "a1", "--diff", &path(old), &path(new)]);
    let (code, said, _) = diff("native", "missing");
    assert!(code == Some(4) && said.contains("is not taken") && said.contains("[no-such-class]"), "{said}");
    let (code, said, _) = diff("native", "there");
    assert!(code == Some(0) && said.contains("sink k1: changed (`type`), starts again"), "{said}");
    assert_eq!(diff("missing", "native").0, Some(0), "what is to go is not asked for");
}

/// Programs that leave a mark beside themselves when they run.
fn traps(folder: &Path) -> String {
    let (bin, mark) = (folder.join("bin"), folder.join("mark"));
    fs::create_dir_all(&bin).expect("a folder");
    for name in ["java", "hadoop", "hbase", "hive", "flume-ng"] {
        let path = bin.join(name);
        fs::write(&path, format!("#!/bin/sh\necho {name} >> {}\nexit 1\n", mark.display())).expect("a file");
        fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).expect("ours");
    }
    format!("PATH={}:{}", bin.display(), std::env::var("PATH").unwrap_or_default())
}

#[test]
fn a_file_that_needs_no_jvm_starts_none_and_asks_no_program_for_one() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = traps(folder.path());
    fs::create_dir(folder.path().join("lib")).expect("a folder");
    fs::write(folder.path().join("lib/flume-ng-core-1.9.0.jar"), "").expect("a file");
    let mark = || fs::read_to_string(folder.path().join("mark")).unwrap_or_default();
    let home = format!("FLUME_HOME={}", folder.path().display());
    let words =
        ["-u", "JAVA_HOME", "-u", "HADOOP_HOME", "-u", "HADOOP_PREFIX", "-u", "HBASE_HOME", &path, &home];
    let text = "a1.sources = r1\na1.channels = c1\na1.sinks = k1\na1.sources.r1.type = seq\n\
        a1.sources.r1.channels = c1\na1.channels.c1.type = memory\na1.sinks.k1.channel = c1\n";
    let (output, said) = check(&words, &format!("{text}a1.sinks.k1.type = null\n"), "a1");
    assert!(output.status.success() && mark().is_empty(), "{said} {}", mark());
    let before = [&["env"], &words[..]].concat();
    let solo = Solo::start(&format!("{text}a1.sinks.k1.type = null\n"), &before);
    solo.wait_for("Null sink k1 started");
    stop(solo);
    assert_eq!(mark(), "", "it ran, and nothing else did");
    let (output, said) = check(&words, &format!("{text}a1.sinks.k1.type = org.acme.Own\n"), "a1");
    assert_eq!(output.status.code(), Some(4), "{said}");
    assert!(mark().contains("hadoop") && mark().contains("java"), "they would have been seen: {}", mark());
}

#[test]
fn without_a_flume_what_needs_one_is_told_with_the_places() {
    let folder = tempfile::tempdir().expect("a folder");
    let home = format!("FLUME_HOME={}", folder.path().display());
    let file = "a1.sources = r1\na1.channels = c1\na1.sinks = k1\na1.sources.r1.type = seq\n\
        a1.sources.r1.channels = c1\na1.channels.c1.type = memory\na1.sinks.k1.channel = c1\n";
    let (output, said) =
        check(&[&home], &format!("{file}a1.sinks.k1.type = hdfs\na1.sinks.k1.hdfs.path = /x\n"), "a1");
    assert_eq!(output.status.code(), Some(4), "{said}");
    assert!(
        said.contains("the sink `k1` needs a JVM with Flume's jars (only builds with the feature `hdfs` run `hdfs` natively)"),
        "{said}"
    );
    assert!(said.contains(&format!("{}/lib/*", folder.path().display())), "the places: {said}");
    let (output, said) = check(&[&home], &format!("{file}a1.sinks.k1.type = null\n"), "a1");
    assert!(output.status.success() && said.contains("nothing is wrong"), "{said}");
}
