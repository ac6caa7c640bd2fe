//! Reloads with Java components.

use super::agent::{REASON, STARTED_AGAIN, kill_jvm, lines, start, stop};
use integration::{
    flume::{Version, bridge::environment},
    ports,
    solo::{LONG, Solo, until},
    vitals,
};
use rustix::process::Signal;
use std::fs;

/// Numbers without end through an own interceptor into an own sink, and a native flow beside it.
const ENDLESS: &str = "a1.sources = r1 r2\na1.channels = c1 c2\na1.sinks = k1 k2\n\
    a1.sources.r1.type = exec\na1.sources.r1.shell = /bin/bash -c\n\
    a1.sources.r1.command = for ((i = 1; ; i++)); do echo $i; sleep 0.005; done\n\
    a1.sources.r1.interceptors = i1\na1.sources.r1.interceptors.i1.type = org.acme.Tagging$Builder\n\
    a1.sources.r1.channels = c1\na1.channels.c1.type = memory\n\
    a1.sinks.k1.type = org.acme.Lines\na1.sinks.k1.channel = c1\na1.sinks.k1.file = DIR/lines\n\
    a1.sources.r2.type = seq\na1.sources.r2.totalEvents = 10\na1.sources.r2.channels = c2\na1.channels.c2.type = memory\n\
    a1.sinks.k2.type = null\na1.sinks.k2.channel = c2\n";

/// Has a running agent take over another text.
fn reload(solo: &Solo, text: &str) {
    let taken = || solo.said("the new configuration runs");
    let before = taken();
    rewrite(solo, text);
    until("the change is taken", || taken() > before);
}

/// Puts another text in the place of an agent's file, at once.
fn rewrite(solo: &Solo, text: &str) {
    let (file, new) = (solo.path("a1.conf"), solo.path("a1.new"));
    let directory = file.parent().expect("its directory").display();
    fs::write(&new, text.replace("DIR/", &format!("{directory}/"))).expect("a file");
    fs::rename(&new, &file).expect("it is replaced");
}

#[test]
#[ignore = "needs a JVM, Maven and a registry: .ci/run runs it"]
fn a_reload_to_a_class_that_is_missing_or_refuses_stops_nothing() {
    let refused = "the configuration that was read is not taken";
    for version in Version::ALL {
        let solo = start(version, ENDLESS);
        let count = || lines(&solo.path("lines")).len();
        until("lines come", || count() >= 10);
        let first = vitals::jvm(solo.node.pid());
        let broken = [
            ("a1.sinks.k1.type = org.acme.NotThere\n", "there is no class org.acme.NotThere"),
            ("a1.sinks.k1.mode = bad-setting\n", "mode may not be bad-setting"),
            (
                "a1.sources.r2.interceptors = i\na1.sources.r2.interceptors.i.type = org.acme.Not$Builder\n",
                "org.acme.Not",
            ),
        ];
        for (round, (more, finding)) in broken.into_iter().enumerate() {
            rewrite(&solo, &format!("{ENDLESS}a1.sinks.k2.batchSize = 10\n{more}"));
            until("it is refused", || solo.said(refused) > round);
            assert!(solo.said(finding) > 0, "the log has the finding: {finding}");
            let before = count();
            until("lines go on", || count() >= before + 10);
        }
        assert_eq!(solo.said("reload: "), 0, "nothing was touched, native or not");
        assert_eq!(solo.said(STARTED_AGAIN), 0);
        until("the JVM that looked has gone", || vitals::jvm(solo.node.pid()) == first);
        reload(&solo, &format!("{ENDLESS}a1.sinks.k1.file = DIR/other\n"));
        until("lines come elsewhere", || lines(&solo.path("other")).len() >= 10);
        stop(solo);
    }
}

#[test]
#[ignore = "needs a JVM, Maven and a registry: .ci/run runs it"]
fn a_reload_touches_java_components_only_where_they_have_changed_and_keeps_their_jvm() {
    for version in Version::ALL {
        let solo = start(version, ENDLESS);
        let come = |name: &str, least: usize| lines(&solo.path(name)).len() >= least;
        until("lines come", || come("lines", 10));
        let first = vitals::jvm(solo.node.pid());
        reload(&solo, &format!("{ENDLESS}a1.sinks.k2.batchSize = 10\n"));
        let before = lines(&solo.path("lines")).len();
        until("lines go on", || come("lines", before + 10));
        assert_eq!(solo.said("reload: sink k1") + solo.said("reload: source r1"), 0);
        reload(&solo, &format!("{ENDLESS}a1.sinks.k1.file = DIR/other\n"));
        until("lines come elsewhere", || come("other", 10));
        assert_eq!(vitals::jvm(solo.node.pid()), first, "the same JVM");
        let (mut all, others) = (lines(&solo.path("lines")), lines(&solo.path("other")));
        let last = others.keys().filter_map(|line| line.parse().ok()).max().expect("numbers");
        others.into_iter().for_each(|(line, times)| *all.entry(line).or_default() += times);
        let missing: Vec<u32> = (1..=last).filter(|number| !all.contains_key(&number.to_string())).collect();
        assert!(missing.is_empty() && all.values().all(|times| *times == 1), "missing {missing:?}: {all:?}");
        stop(solo);
    }
}

/// Follows `log` by way of a file channel to nobody yet.
const TO_NOBODY: &str = "a1.sources = r1\na1.channels = c1\na1.sinks = k1\n\
    a1.sources.r1.type = TAILDIR\na1.sources.r1.filegroups = f\na1.sources.r1.filegroups.f = DIR/log\n\
    a1.sources.r1.positionFile = DIR/position\na1.sources.r1.channels = c1\n\
    a1.channels.c1.type = file\na1.channels.c1.checkpointDir = DIR/checkpoint\na1.channels.c1.dataDirs = DIR/data\n\
    a1.sinks.k1.type = avro\na1.sinks.k1.hostname = 127.0.0.1\na1.sinks.k1.port = PORT\na1.sinks.k1.channel = c1\n";

#[test]
#[ignore = "needs a JVM, Maven and a registry: .ci/run runs it"]
fn a_file_channel_with_other_folders_is_emptied_before_the_old_one_ends() {
    let port = ports::free(&["127.0.0.1"]).expect("a free port");
    let text = TO_NOBODY.replace("PORT", &port.to_string());
    let log: String = (1..=500).map(|number| format!("{number}\n")).collect();
    let directory = tempfile::tempdir().expect("a folder");
    fs::write(directory.path().join("log"), &log).expect("a file");
    let words = environment(Version::V1_11);
    let mut solo = Solo::start_in(directory, &text, &words.iter().map(String::as_str).collect::<Vec<_>>());
    until("all is stored", || {
        let position = fs::read_to_string(solo.path("position")).unwrap_or_default();
        position.contains(&format!("\"pos\":{}", log.len()))
    });
    // What it holds was there before this JVM began.
    kill_jvm(&solo);
    let renamed = text.replace("c1", "c2").replace("DIR/checkpoint", "DIR/checkpoint2");
    let elsewhere = renamed.replace("DIR/data", "DIR/data2");
    rewrite(&solo, &elsewhere);
    solo.wait_for("channel c1 was to end and still holds ");
    assert_eq!(solo.said("the new configuration runs"), 0);
    let receiver = format!(
        "a1.sources = r1\na1.channels = c1\na1.sinks = k1\na1.sources.r1.type = avro\na1.sources.r1.bind = 127.0.0.1\n\
         a1.sources.r1.port = {port}\na1.sources.r1.channels = c1\na1.channels.c1.type = memory\n\
         a1.sinks.k1.type = file_roll\na1.sinks.k1.sink.directory = DIR/\na1.sinks.k1.sink.rollInterval = 0\n\
         a1.sinks.k1.sink.pathManager.prefix = out\na1.sinks.k1.channel = c1\n"
    );
    let receiver = Solo::start(&receiver, &[]);
    let arrived = || lines(receiver.path("a1.conf").parent().expect("its folder"));
    until(REASON, || (1..=500).all(|number| arrived().contains_key(&number.to_string())));
    reload(&solo, &format!("{elsewhere}# once more\n"));
    let mut file = fs::OpenOptions::new().append(true).open(solo.path("log")).expect("the log");
    std::io::Write::write_all(&mut file, b"501\n").expect("it is written");
    until("the new channel carries what comes", || arrived().contains_key("501"));
    assert!(solo.path("data2").is_dir(), "by the new folders");
    solo.node.signal(Signal::TERM);
    assert!(solo.node.wait(LONG).is_some(), "it stops");
}
