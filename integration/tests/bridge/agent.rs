//! The whole: agents with Java components in their files, their JVMs killed, hung and missing.

use integration::{
    binaries, drill,
    flume::{
        Flume, Version,
        bridge::{environment, environment_with_stores, flumes_tool},
    },
    http, limit,
    node::Implementation,
    ports,
    solo::{LONG, Solo, until},
    vitals,
};
use rustix::process::{Signal, kill_process};
use std::{
    collections::BTreeMap,
    fs,
    path::Path,
    process::{Command, Output},
    time::Duration,
};

pub(super) const REASON: &str = "each number arrives";
pub(super) const STARTED_AGAIN: &str = "; it is started again, and what its components";

/// Starts the agent of `text` beside the Flume of `version`.
pub(super) fn start(version: Version, text: &str) -> Solo {
    let words = environment(version);
    Solo::start(text, &words.iter().map(String::as_str).collect::<Vec<_>>())
}

fn start_again(solo: &mut Solo, version: Version, text: &str) {
    let words = environment(version);
    solo.start_again(text, &words.iter().map(String::as_str).collect::<Vec<_>>());
}

/// Kills the JVM of an agent, as soon as there is one, and waits until the agent knows: its next one is another.
pub(super) fn kill_jvm(solo: &Solo) {
    let told = || solo.said(STARTED_AGAIN);
    let before = told();
    until("there is a JVM to kill", || vitals::jvm(solo.node.pid()).is_some());
    kill_process(vitals::jvm(solo.node.pid()).expect("it was just seen"), Signal::KILL).expect("it lives");
    until("the agent tells of the JVM's end", || told() > before);
}

/// How often each line stands in the files of a folder, or in a file. One whose end is not written yet is none.
pub(super) fn lines(path: &Path) -> BTreeMap<String, usize> {
    let mut lines = BTreeMap::new();
    let files = fs::read_dir(path).into_iter().flatten().flatten().map(|entry| entry.path());
    for file in files.chain([path.to_owned()]) {
        let text = fs::read_to_string(file).unwrap_or_default();
        for line in text.split_inclusive('\n').filter_map(|line| line.strip_suffix('\n')) {
            *lines.entry(line.to_owned()).or_default() += 1;
        }
    }
    lines
}

pub(super) fn has_all(path: &Path, count: u32) -> bool {
    let lines = lines(path);
    (1..=count).all(|number| lines.contains_key(&number.to_string()))
}

fn doubled(path: &Path) -> usize {
    lines(path).values().map(|times| times - 1).sum()
}

pub(super) fn stop(mut solo: Solo) {
    solo.node.signal(Signal::TERM);
    let ended = solo.node.wait(LONG).expect("it stops");
    assert_eq!(ended.status.code(), Some(0), "it stops well");
}

/// `seq` through an own interceptor into an own sink.
fn own_classes(count: u32) -> String {
    format!(
        "a1.sources = r1\na1.channels = c1\na1.sinks = k1\n\
         a1.sources.r1.type = exec\na1.sources.r1.command = seq 1 {count}\na1.sources.r1.channels = c1\n\
         a1.sources.r1.interceptors = i1 i2\na1.sources.r1.interceptors.i1.type = static\n\
         a1.sources.r1.interceptors.i2.type = org.acme.Tagging$Builder\n\
         a1.channels.c1.type = memory\na1.channels.c1.capacity = 2000\na1.channels.c1.transactionCapacity = 500\n\
         a1.sinks.k1.type = org.acme.Lines\na1.sinks.k1.channel = c1\na1.sinks.k1.file = DIR/lines\n"
    )
}

#[test]
#[ignore = "needs a JVM, Maven and a registry: .ci/run runs it"]
fn an_own_interceptor_and_an_own_sink_run_and_lose_nothing_when_their_jvm_is_killed() {
    for version in Version::ALL {
        let port = ports::free(&["127.0.0.1"]).expect("a port");
        let words = [environment(version), vec![monitored(port)]].concat();
        let words: Vec<&str> = words.iter().map(String::as_str).collect();
        let solo = Solo::start(&own_classes(40_000), &words);
        for least in [1, 8000, 16_000] {
            until("lines come", || lines(&solo.path("lines")).len() >= least);
            kill_jvm(&solo);
        }
        until(REASON, || has_all(&solo.path("lines"), 40_000));
        // A batch that was written and whose commit was not told is written again.
        assert!(doubled(&solo.path("lines")) <= 3 * 100, "{} doubled", doubled(&solo.path("lines")));
        assert!(solo.said("(bridge-k1) [INFO - org.acme.Lines] Lines writes to") >= 1, "under its own name");
        assert_eq!(solo.said(STARTED_AGAIN), 3);
        let (_, page) = http::get(port, "/metrics/prometheus").expect("an answer");
        assert!(page.contains("\nflume_jvm_restarts_total 3\n"), "{page}");
        stop(solo);
    }
}

#[test]
#[ignore = "needs a JVM, Maven and a registry: .ci/run runs it"]
fn an_own_source_and_an_own_selector_fill_native_channels() {
    let channels = "a1.channels = c1 c2\na1.sinks = k1 k2\na1.sources = r1\na1.sources.r1.channels = c1 c2\n\
        a1.channels.c1.type = memory\na1.channels.c2.type = memory\na1.sinks.k1.type = file_roll\n\
        a1.sinks.k2.type = file_roll\na1.sinks.k1.channel = c1\na1.sinks.k2.channel = c2\n\
        a1.sinks.k1.sink.directory = DIR/even\na1.sinks.k2.sink.directory = DIR/odd\n\
        a1.sources.r1.selector.type = org.acme.ByParity\n";
    let sources = [
        "a1.sources.r1.type = org.acme.Polled\na1.sources.r1.end = 3000\n",
        "a1.sources.r1.type = org.acme.Driven\na1.sources.r1.end = 3000\n",
        "a1.sources.r1.type = exec\na1.sources.r1.command = seq 0 2999\n",
    ];
    for (version, source) in
        Version::ALL.into_iter().flat_map(|version| sources.map(|source| (version, source)))
    {
        let directory = tempfile::tempdir().expect("a folder");
        for name in ["even", "odd"] {
            fs::create_dir(directory.path().join(name)).expect("a folder");
        }
        let words = environment(version);
        let words: Vec<&str> = words.iter().map(String::as_str).collect();
        let solo = Solo::start_in(directory, &format!("{channels}{source}"), &words);
        let of = |name: &str, remainder: u32| {
            let there = lines(&solo.path(name));
            (0..3000)
                .filter(|number| number % 2 == remainder)
                .all(|number| there.contains_key(&number.to_string()))
                && there.len() == 1500
        };
        until("even and odd numbers arrive apart", || of("even", 0) && of("odd", 1));
        stop(solo);
    }
}

#[test]
#[ignore = "needs a JVM, Maven and a registry: .ci/run runs it"]
fn flumes_file_channel_keeps_all_events_when_its_jvm_and_its_agent_are_killed() {
    let text = "a1.sources = r1\na1.channels = c1\na1.sinks = k1\n\
        a1.sources.r1.type = TAILDIR\na1.sources.r1.filegroups = f\na1.sources.r1.filegroups.f = DIR/log\n\
        a1.sources.r1.positionFile = DIR/position\na1.sources.r1.channels = c1\n\
        a1.channels.c1.type = file\na1.channels.c1.checkpointDir = DIR/checkpoint\na1.channels.c1.dataDirs = DIR/data\n\
        a1.channels.c1.transactionCapacity = 200\na1.sinks.k1.type = org.acme.Lines\na1.sinks.k1.channel = c1\n\
        a1.sinks.k1.file = DIR/lines\n";
    for version in Version::ALL {
        let directory = tempfile::tempdir().expect("a folder");
        let log: String = (1..=20_000).map(|number| format!("{number}\n")).collect();
        fs::write(directory.path().join("log"), log).expect("a file");
        let words = environment(version);
        let words: Vec<&str> = words.iter().map(String::as_str).collect();
        let mut solo = Solo::start_in(directory, text, &words);
        let arrived = |solo: &Solo| lines(&solo.path("lines")).len();
        for least in [500, 4000] {
            until("lines come", || arrived(&solo) >= least);
            kill_jvm(&solo);
        }
        until("lines come again", || arrived(&solo) >= 8000);
        solo.node.kill();
        start_again(&mut solo, version, text);
        until(REASON, || has_all(&solo.path("lines"), 20_000));
        stop(solo);
    }
}

#[test]
#[ignore = "needs a JVM, Maven and a registry: .ci/run runs it"]
fn what_flumes_file_channel_holds_from_before_counts_and_is_told_as_stuck() {
    let text = "a1.sources = r1\na1.channels = c1\na1.sinks = k1\na1.sources.r1.type = seq\n\
        a1.sources.r1.totalEvents = 1000\na1.sources.r1.channels = c1\n\
        a1.channels.c1.type = file\na1.channels.c1.checkpointDir = DIR/checkpoint\na1.channels.c1.dataDirs = DIR/data\n\
        a1.sinks.k1.type = avro\na1.sinks.k1.hostname = 127.0.0.1\na1.sinks.k1.port = 1\na1.sinks.k1.channel = c1\n";
    for version in Version::ALL {
        let port = ports::free(&["127.0.0.1"]).expect("a port");
        let words = [environment(version), vec![monitored(port)]].concat();
        let words: Vec<&str> = words.iter().map(String::as_str).collect();
        let mut solo = Solo::start(text, &words);
        let shows = |events: u32| {
            let (_, page) = http::get(port, "/metrics/prometheus").unwrap_or_default();
            let sample = |name: &str, value: u32| {
                format!("\nflume_channel_{name}{{kind=\"channel\",name=\"c1\"}} {value}\n")
            };
            page.contains(&sample("events", events)) && page.contains(&sample("capacity_events", 1_000_000))
        };
        until("all events are in the channel", || shows(1000));
        solo.node.kill();
        let no_more =
            text.replace("seq\na1.sources.r1.totalEvents = 1000", "exec\na1.sources.r1.command = true");
        solo.start_again(&no_more, &words);
        until("they still are", || shows(1000));
        until("none leaves", || {
            let (status, page) = http::get(port, "/health").unwrap_or_default();
            status == 503 && page.contains("channel c1: 1000 events wait")
        });
        solo.node.kill();
    }
}

#[test]
#[ignore = "needs a JVM, Maven and a registry: .ci/run runs it"]
fn a_class_that_exits_or_hangs_is_named_and_native_parts_go_on() {
    let native = "a1.sources = r1 r2\na1.channels = c1 c2\na1.sinks = k1 k2\n\
        a1.sources.r1.type = exec\na1.sources.r1.command = seq 1 100\na1.sources.r1.channels = c1\n\
        a1.sources.r2.type = exec\na1.sources.r2.command = seq 1 100000\na1.sources.r2.channels = c2\n\
        a1.channels.c1.type = memory\na1.channels.c2.type = memory\n\
        a1.sinks.k1.type = org.acme.Lines\na1.sinks.k1.channel = c1\na1.sinks.k1.file = DIR/lines\n\
        a1.sinks.k2.type = file_roll\na1.sinks.k2.channel = c2\na1.sinks.k2.sink.directory = DIR/native\n";
    for (mode, told) in [
        ("exit", "sink k1 has called System.exit, in org.acme.Lines.process(Lines.java:"),
        ("error", "its class has failed: NoClassDefFoundError: org/kite/Missing"),
        ("throw-odd", "its class has failed: EventDeliveryException: "),
    ] {
        let directory = tempfile::tempdir().expect("a folder");
        fs::create_dir(directory.path().join("native")).expect("a folder");
        let words = environment(Version::V1_11);
        let words: Vec<&str> = words.iter().map(String::as_str).collect();
        let solo = Solo::start_in(directory, &format!("{native}a1.sinks.k1.mode = {mode}\n"), &words);
        solo.wait_for(told);
        until("the native sink writes all", || has_all(&solo.path("native"), 100_000));
        if mode == "throw-odd" {
            until("what was rolled back is delivered", || has_all(&solo.path("lines"), 100));
        }
    }
}

#[test]
#[ignore = "needs a JVM, Maven and a registry: .ci/run runs it"]
fn a_source_whose_own_data_ends_jvm_after_jvm_is_named_and_native_parts_go_on() {
    let text = "a1.sources = r1 r2\na1.channels = c1 c2\na1.sinks = k1 k2\n\
        a1.sources.r1.type = org.acme.Polled\na1.sources.r1.exitAt = 20\na1.sources.r1.channels = c1\n\
        a1.sources.r2.type = exec\na1.sources.r2.command = seq 1 1000\na1.sources.r2.channels = c2\n\
        a1.channels.c1.type = memory\na1.channels.c2.type = memory\na1.sinks.k1.type = null\na1.sinks.k1.channel = c1\n\
        a1.sinks.k2.type = file_roll\na1.sinks.k2.channel = c2\na1.sinks.k2.sink.directory = DIR/native\n";
    let directory = tempfile::tempdir().expect("a folder");
    fs::create_dir(directory.path().join("native")).expect("a folder");
    let words = environment(Version::V1_11);
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    let solo = Solo::start_in(directory, text, &words);
    solo.wait_for("source r1 has ended 3 JVMs in a row");
    until("the native sink writes all", || has_all(&solo.path("native"), 1_000));
}

#[test]
#[ignore = "needs a JVM, Maven and a registry: .ci/run runs it"]
fn a_class_of_any_kind_that_uses_up_the_memory_of_jvm_after_jvm_is_named() {
    let text = "a1.sources = r1\na1.channels = c1\na1.sinks = k1\na1.sources.r1.type = seq\na1.sources.r1.channels = c1\n\
        a1.channels.c1.type = memory\na1.sinks.k1.type = null\na1.sinks.k1.channel = c1\n";
    for (component, keys) in [
        ("source r1", "a1.sources.r1.type = org.acme.Polled\na1.sources.r1.leaks = true\n"),
        ("sink k1", "a1.sinks.k1.type = org.acme.Lines\na1.sinks.k1.mode = leak\n"),
        ("channel c1", "a1.channels.c1.type = org.acme.Leaking\n"),
        (
            "interceptors of source r1",
            "a1.sources.r1.interceptors = i1\na1.sources.r1.interceptors.i1.type = org.acme.Tagging$Builder\n\
             a1.sources.r1.interceptors.i1.mode = leak\n",
        ),
    ] {
        let kept = |line: &&str| !keys.contains(line.split('=').next().unwrap_or(line));
        let rest: String = text.lines().filter(kept).map(|line| format!("{line}\n")).collect();
        let solo = start(Version::V1_11, &format!("{rest}{keys}"));
        solo.wait_for(&format!("{component} was the one that asked for more when the memory of 3 JVMs"));
        assert_eq!(solo.said("hs_err") + solo.said("core dump"), 0);
    }
}

#[test]
#[ignore = "needs a JVM, Maven and a registry: .ci/run runs it"]
fn a_batch_that_ends_every_jvm_is_set_aside_with_the_reason_and_the_others_arrive() {
    let text = "a1.sources = r1\na1.channels = c1\na1.sinks = k1\na1.sources.r1.type = exec\n\
        a1.sources.r1.command = seq 1 2000\na1.sources.r1.channels = c1\na1.channels.c1.type = memory\n\
        a1.channels.c1.capacity = 3000\na1.sinks.k1.channel = c1\n";
    let files = [
        (
            "sink-k1-",
            "300",
            "a1.sinks.k1.type = org.acme.Lines\na1.sinks.k1.file = DIR/arrived/lines\na1.sinks.k1.exitAt = 300\n",
        ),
        (
            "source-r1-",
            "300",
            "a1.sinks.k1.type = file_roll\na1.sinks.k1.sink.directory = DIR/arrived\na1.sources.r1.interceptors = i1\n\
             a1.sources.r1.interceptors.i1.type = org.acme.Tagging$Builder\na1.sources.r1.interceptors.i1.mode = exit-at-300\n",
        ),
    ];
    for (name, poison, rest) in files {
        let directory = tempfile::tempdir().expect("a folder");
        fs::create_dir(directory.path().join("arrived")).expect("a folder");
        let mut words = environment(Version::V1_11);
        words.push(format!("HOME={}", directory.path().display()));
        let words: Vec<&str> = words.iter().map(String::as_str).collect();
        let solo = Solo::start_in(directory, &format!("{text}{rest}"), &words);
        solo.wait_for("is set aside in ");
        let mut kept = Vec::new();
        for entry in fs::read_dir(solo.path(".flume/set-aside")).expect("the folder").flatten() {
            assert!(entry.file_name().to_string_lossy().starts_with(name), "{entry:?}");
            kept.push(fs::read(entry.path()).expect("the file"));
        }
        assert_eq!(kept.len(), 1, "one batch");
        let head = wire::container::head(&kept[0]).expect("an Avro file").expect("a head");
        let reason = String::from_utf8_lossy(head.meta("set-aside-because").expect("a reason")).into_owned();
        assert!(reason.contains("has called System.exit, in org.acme."), "{reason}");
        let block = wire::container::block(&kept[0][head.size..], &head.sync, kept[0].len());
        let events = block.expect("a block").expect("a whole one").records as usize;
        until("all others arrive", || lines(&solo.path("arrived")).len() == 2000 - events);
        let arrived = lines(&solo.path("arrived"));
        let missing: Vec<String> = (1..=2000)
            .map(|number| number.to_string())
            .filter(|number| !arrived.contains_key(number))
            .collect();
        assert!(missing.iter().any(|number| number == poison), "{missing:?}");
        for number in missing {
            let body = [&[number.len() as u8 * 2], number.as_bytes()].concat();
            assert!(kept[0].windows(body.len()).any(|part| part == body), "{number} is in the file");
        }
        stop(solo);
    }
}

#[test]
#[ignore = "needs a JVM, Maven and a registry: .ci/run runs it"]
fn with_java_on_slave1_and_slave4_whose_jvms_are_killed_nothing_is_lost() {
    for version in Version::ALL {
        let options = drill::Options {
            kinds: [Implementation::Ours; 4],
            lines: 30_000,
            rate: 1000,
            kills: 3,
            freeze: true,
            java: Some(version),
            netns: false,
        };
        let mut cluster = drill::lay_out(&options).expect("the cluster is laid out");
        let report = drill::play(&mut cluster, &options, &drill::Stage::silent());
        let report = report.expect("the drill is played to its end");
        eprintln!("{report}");
        assert!(report.is_clean(), "{:?}", report.faults());
    }
}

#[test]
#[ignore = "needs a JVM, Maven and a registry: .ci/run runs it"]
fn a_sink_processor_in_the_jvm_drives_sinks_here_and_there() {
    let text = "a1.sources = r1\na1.channels = c1\na1.sinks = k1 k2\na1.sinkgroups = g1\na1.flume.bridge = g1\n\
        a1.sinkgroups.g1.sinks = k1 k2\na1.sinkgroups.g1.processor.type = failover\n\
        a1.sinkgroups.g1.processor.priority.k1 = 10\na1.sinkgroups.g1.processor.priority.k2 = 5\n\
        a1.sources.r1.type = exec\na1.sources.r1.command = seq 1 2000\na1.sources.r1.channels = c1\n\
        a1.channels.c1.type = memory\na1.sinks.k1.channel = c1\na1.sinks.k2.channel = c1\n\
        a1.sinks.k1.type = org.acme.Lines\na1.sinks.k1.file = DIR/lines\na1.sinks.k1.mode = throw\n\
        a1.sinks.k2.type = file_roll\na1.sinks.k2.sink.directory = DIR/native\n";
    for version in Version::ALL {
        let directory = tempfile::tempdir().expect("a folder");
        fs::create_dir(directory.path().join("native")).expect("a folder");
        let port = ports::free(&["127.0.0.1"]).expect("a port");
        let words = [environment(version), vec![monitored(port)]].concat();
        let words: Vec<&str> = words.iter().map(String::as_str).collect();
        let solo = Solo::start_in(directory, text, &words);
        until("the standby gets all", || has_all(&solo.path("native"), 2000));
        assert!(lines(&solo.path("lines")).is_empty() && doubled(&solo.path("native")) == 0);
        for (component, key) in
            [("SINK.k2", "EventDrainSuccessCount"), ("CHANNEL.c1", "EventTakeSuccessCount")]
        {
            until("all is counted", || http::counter(port, component, key) == Some(2000));
        }
        let (_, page) = http::get(port, "/metrics/prometheus").expect("an answer");
        let fails = "flume_event_write_fail_total{kind=\"sink\",name=\"k1\"} ";
        assert!(
            page.contains(fails) && !page.contains(&format!("{fails}0\n")),
            "the first has failed: {page}"
        );
        for gauge in ["up", "active"] {
            let sample =
                format!("flume_sink_{gauge}{{kind=\"sink\",name=\"k2\",group=\"g1\",processor=\"\"}} 1\n");
            assert!(page.contains(&sample), "{sample}: {page}");
        }
        assert_eq!(http::get(port, "/health").expect("an answer"), (200, "OK\n".to_owned()));
        assert!(
            solo.said("org.apache.flume.sink.FailoverSinkProcessor] Sink k1 failed") > 0,
            "Flume's own says so"
        );
        stop(solo);
    }
}

/// What is said to an agent, so that its counters can be asked for at `port`.
fn monitored(port: u16) -> String {
    format!(
        "JAVA_OPTS=-Dflume.monitoring.type=http -Dflume.monitoring.port={port} -Dflume.monitoring.stuckSeconds=1"
    )
}

pub(super) fn check(words: &[&str], text: &str, agent: &str) -> (Output, String) {
    let directory = tempfile::tempdir().expect("a folder");
    let file = directory.path().join("a1.conf");
    fs::write(&file, text).expect("a file");
    let program = integration::binaries::directory().expect("it is built").join("agent");
    let mut command = Command::new("env");
    command.args(words).arg(program).args(["check", "-n", agent, "-f"]).arg(&file);
    let output = limit::output(&mut command);
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    (output, said)
}

/// On the files of a real Flume's channel, in which an event was spoiled.
#[test]
#[ignore = "needs a JVM, Maven and a registry: .ci/run runs it"]
fn flumes_tool_mends_the_files_of_a_file_channel_here_as_it_does_there() {
    let words = environment_with_stores();
    let dir = tempfile::tempdir().expect("a folder");
    let at = dir.path().display();
    let text = format!(
        "a1.sources = r1\na1.channels = c1\na1.sinks = k1\na1.sources.r1.type = seq\na1.sources.r1.batchSize = 100\n\
         a1.sources.r1.totalEvents = 100\na1.sources.r1.channels = c1\na1.channels.c1.type = file\n\
         a1.channels.c1.checkpointDir = {at}/checkpoint\na1.channels.c1.dataDirs = {at}/data\n\
         a1.sinks.k1.type = avro\na1.sinks.k1.hostname = 127.0.0.1\na1.sinks.k1.port = 1\na1.sinks.k1.channel = c1\n"
    );
    let mut flume = Flume::start(Version::V1_9, &text, "a1", dir.path()).expect("a JVM");
    flume
        .wait_for_line("Unable to deliver event", Duration::from_secs(60))
        .expect("all events are in the channel");
    flume.kill();
    let mut log = fs::read(dir.path().join("data/log-1")).expect("the channel's log");
    log[1000..1004].copy_from_slice(b"XXXX");
    let mended = |folder: &str, command: &mut Command| {
        let folder = dir.path().join(folder);
        fs::create_dir(&folder).expect("a folder");
        fs::write(folder.join("log-1"), &log).expect("a file");
        fs::copy(dir.path().join("data/log-1.meta"), folder.join("log-1.meta")).expect("a file");
        let output = limit::output(command.args(["fcintegritytool", "-l"]).arg(&folder));
        let said = String::from_utf8_lossy(&output.stdout).into_owned();
        (output.status.code(), said, fs::read(folder.join("log-1")).expect("the log"))
    };
    let theirs = mended("theirs", &mut flumes_tool());
    let mut command = Command::new(&words[0]);
    command.args(&words[1..]).arg(binaries::directory().expect("it is built").join("agent")).arg("tool");
    let ours = mended("ours", &mut command);
    assert!(
        theirs.0 == Some(0) && theirs.1.contains("Number of Corrupt Events = 1"),
        "{} {:?}",
        theirs.1,
        theirs.0
    );
    assert_eq!((ours.0, &ours.1), (theirs.0, &theirs.1));
    assert!(ours.2 == theirs.2 && ours.2 != log, "the files are mended alike");
}
