//! With a shell script in the place of Java.

use super::*;
use std::{fs, os::unix::fs::PermissionsExt};
use tempfile::TempDir;

struct Scene {
    folder: TempDir,
    jvm: LogJvm,
    heard: Arc<Mutex<Vec<Heard>>>,
}

/// Whose Java is this script. In it `WISH` reads what it is started for, and `FRAME` reads [`RECORDS`] into a file.
fn with(script: &str) -> Scene {
    let folder = tempfile::tempdir().expect("a folder");
    let (text, java) = (folder.path().join("text"), folder.path().join("java"));
    let properties = vec![("mail.smtp.password".to_owned(), "planted9".to_owned())];
    let wish = frames::wish(&file(), &properties).expect("it is short").len();
    let script = script
        .replace("WISH", &format!("head -c {wish} <&3 > ${{0}}.wish; printf '\\0\\0\\0\\001R' >&4"))
        .replace("FRAME", &format!("head -c {} <&3 >> ${{0}}.read", 4 + RECORDS.len()))
        .replace("TAKEN", r"printf '\0\0\0\001T' >&4");
    fs::write(&text, format!("#!/bin/sh\n{script}\n")).expect("a file");
    // Written by another process: a child that is forked just now by another test would have it open, and Linux would not run it.
    let copied = std::process::Command::new("cp").args([&text, &java]).status().expect("a program");
    assert!(copied.success());
    fs::set_permissions(&java, fs::Permissions::from_mode(0o755)).expect("ours");
    let class_path = ClassPath { entries: vec!["/f/lib/*".to_owned()], native: vec!["/n".to_owned()] };
    let (environment, scratch) = (BTreeMap::new(), folder.path().to_owned());
    let jvm = LogJvm { java, class_path, properties, environment, scratch };
    Scene { folder, jvm, heard: Arc::default() }
}

fn file() -> LogFile {
    LogFile {
        is_xml: true,
        path: "conf/log4j2.xml".to_owned(),
        text: "<x/>".to_owned(),
        ..LogFile::default()
    }
}

const RECORDS: &[u8] = b"records";

fn take(writer: &LogWriter) -> Result<(), NotTaken> {
    writer.take(RECORDS.to_vec(), vec![RECORDS.len()])
}

impl Scene {
    fn hears(&self) -> Hears {
        let heard = Arc::clone(&self.heard);
        Arc::new(move |what| heard.lock().expect("nobody panics").push(what))
    }

    fn writer(&self) -> LogWriter {
        LogWriter::begin(self.jvm.clone(), file(), self.hears()).expect("a thread")
    }

    fn read(&self, name: &str) -> String {
        fs::read_to_string(self.folder.path().join(name)).unwrap_or_default()
    }

    fn told(&self, part: &str) -> usize {
        let heard = self.heard.lock().expect("nobody panics");
        heard.iter().filter(|what| format!("{what:?}").contains(part)).count()
    }
}

#[test]
fn records_are_taken_one_by_one_and_no_property_stands_on_a_command_line() {
    let scene = with(r"echo $* > ${0}.words; WISH; FRAME; TAKEN; FRAME; TAKEN; cat <&3; echo goodbye >&2");
    let writer = scene.writer();
    assert_eq!(take(&writer), Ok(()));
    assert_eq!(take(&writer), Ok(()));
    writer.end(Duration::from_secs(60));
    assert_eq!(scene.read("java.read").matches("records").count(), 2);
    let words = scene.read("java.words");
    assert!(
        words.contains("org.logcluster.bridge.LogLines") && words.contains("-Djava.library.path=/n"),
        "{words}"
    );
    assert!(!words.contains("planted9") && scene.read("java.wish").contains("planted9"));
    assert_eq!(
        (scene.told("Said(\"goodbye\")"), scene.told("Trouble")),
        (1, 0),
        "what it says at its end, too"
    );
    assert_eq!(take(&writer), Err(NotTaken { bytes: 0, left_out: 0, why: ENDED.to_owned() }));
}

#[test]
fn one_that_ends_is_started_again_and_given_the_same_records() {
    let scene = with(
        "WISH; if [ -e ${0}.once ]; then FRAME; TAKEN; exec cat <&3; fi; touch ${0}.once; FRAME; echo out of luck >&2; exit 9",
    );
    let writer = scene.writer();
    assert_eq!(take(&writer), Ok(()));
    assert_eq!(scene.read("java.read").matches("records").count(), 2);
    assert_eq!(
        (scene.told("is of no use: it has ended (exit status: 9)"), scene.told("Said(\"out of luck\")")),
        (1, 1)
    );
    assert_eq!(scene.told("writes log lines again"), 1);
    writer.end(Duration::from_secs(60));
}

#[test]
fn records_that_end_two_jvms_are_left_out_and_the_next_ones_are_taken() {
    let scene = with(
        "WISH; echo x >> ${0}.runs; if [ $(wc -l < ${0}.runs) -gt 2 ]; then FRAME; TAKEN; exec cat <&3; fi; FRAME; exit 9",
    );
    let writer = scene.writer();
    let lost = take(&writer).expect_err("they end it");
    assert!(lost.why.contains("2 JVMs in a row have ended") && lost.left_out == 1, "{lost:?}");
    assert_eq!(take(&writer), Ok(()));
    assert_eq!(scene.told("is of no use"), 1, "the end of the JVM is told once");
}

#[test]
fn the_next_one_goes_on_behind_what_is_done() {
    // The first one is done with two of three, and gone.
    let scene = with(
        r"WISH; if [ -e ${0}.once ]; then FRAME; TAKEN; exec cat <&3; fi; touch ${0}.once; head -c 15 <&3 >/dev/null; printf '\0\0\0\005P\0\0\0\002' >&4; exit 9",
    );
    let writer = scene.writer();
    assert_eq!(writer.take(b"xxxxrecords".to_vec(), vec![2, 4, 11]), Ok(()));
    assert_eq!(scene.read("java.read").matches("records").count(), 1);
    writer.end(Duration::from_secs(60));
}

#[tokio::test]
async fn one_that_goes_on_is_waited_for() {
    let scene = with(r"WISH; FRAME; printf '\0\0\0\005P\0\0\0\001' >&4; sleep 0.2; TAKEN; exec cat <&3");
    let mut process =
        Process::begin(&scene.jvm, &file(), &Ears::new(scene.hears())).await.expect("it begins");
    process.take(RECORDS).await.expect("all is taken");
}

#[test]
fn signals_are_the_agents() {
    let scene = with("WISH; FRAME; kill -TERM $$; kill -INT $$; kill -HUP $$; TAKEN; exec cat <&3");
    let writer = scene.writer();
    assert_eq!(take(&writer), Ok(()));
    writer.end(Duration::from_secs(60));
    assert_eq!(scene.told("Trouble"), 0);
}

#[test]
fn one_that_does_not_end_is_killed() {
    let scene = with("WISH; FRAME; TAKEN; exec sleep 1000");
    let writer = scene.writer();
    assert_eq!(take(&writer), Ok(()));
    writer.end(Duration::from_millis(50));
    assert_eq!(scene.told("has not ended within 50 ms: its JVM is killed"), 1);
}

#[tokio::test]
async fn one_that_hangs_is_of_no_use() {
    let scene = with("WISH; FRAME; exec sleep 1000");
    let mut process =
        Process::begin(&scene.jvm, &file(), &Ears::new(scene.hears())).await.expect("it begins");
    tokio::time::pause();
    let why = process.take(RECORDS).await.expect_err("it says nothing");
    assert!(why.why.contains("has not taken a line within 300 s") && why.given, "{why:?}");
}

#[tokio::test]
async fn one_that_is_no_java_or_has_no_log4j_is_told() {
    for (script, told) in [
        (r"printf '\0\0\0\011Eno class' >&4; exec cat <&3", "log4j cannot be had there: no class"),
        (r"printf '\0\0\0\001X' >&4; exec cat <&3", "a frame of it is of no known kind"),
        (r"printf '\0\0\0\001T' >&4; exec cat <&3", "lines are taken that it was not given"),
        ("echo openjdk version 17 >&4; exec cat <&3", "a frame of it is longer than any"),
        ("exit 3", "it has ended (exit status: 3)"),
    ] {
        let scene = with(script);
        let why =
            Process::begin(&scene.jvm, &file(), &Ears::new(scene.hears())).await.map(drop).expect_err(script);
        assert!(why.contains(told), "{script}: {why}");
    }
}
