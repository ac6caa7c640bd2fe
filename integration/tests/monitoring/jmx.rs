//! Counters over JMX, and a monitor that is an operator's class: beside real Flume, with the same class and the same traffic.

use super::{Counters, DEPENDS_ON_TIME, counters, lay_out, options, port, traffic};
use integration::{
    flume::{self, Flume, Launch, Version, bridge, stand_in::StandIn},
    http, limit,
    solo::{LONG, Solo, until},
    vitals,
};
use rustix::process::{Signal, kill_process};
use std::{collections::BTreeMap, fs, path::Path};

/// What [`WATCHING`] or a JMX client has seen.
#[derive(Debug, Default, PartialEq)]
struct Seen {
    /// By `JMXPollUtil`.
    counters: Counters,
    /// Values by name, attribute and type of each MBean.
    beans: BTreeMap<String, String>,
}

/// The operator's monitor: it writes what it sees to `flume.monitoring.file`.
const WATCHING: &str = "org.acme.Watching";

impl Seen {
    fn read(text: &str) -> Seen {
        let mut seen = Seen::default();
        for line in text.lines() {
            match line.split(' ').collect::<Vec<_>>()[..] {
                [component, key, value] if component != "configured" => {
                    seen.counters.entry(component.into()).or_default().insert(key.into(), value.into());
                }
                [name, key, kind, boxed, value] => {
                    seen.beans.insert(format!("{name} {key} {kind} {boxed}"), value.into());
                }
                _ => {}
            }
        }
        seen
    }

    fn of(file: &Path) -> Seen {
        Seen::read(&fs::read_to_string(file).unwrap_or_default())
    }

    fn counts(&self, component: &str, key: &str, value: &str) -> bool {
        self.counters
            .get(component)
            .and_then(|counters| counters.get(key))
            .is_some_and(|count| count == value)
    }

    fn names(&self) -> Vec<&String> {
        self.counters.keys().collect()
    }

    /// What does not depend on time.
    fn steady(mut self) -> Seen {
        let steady = |key: &str| !DEPENDS_ON_TIME.contains(&key);
        self.counters.values_mut().for_each(|counters| {
            counters.iter_mut().filter(|(key, _)| !steady(key)).for_each(|(_, value)| value.clear());
        });
        let beans = self.beans.iter_mut().filter(|(key, _)| !key.split(' ').nth(1).is_some_and(steady));
        beans.for_each(|(_, value)| value.clear());
        self
    }
}

/// When all of [`traffic`] and of the files is counted.
fn all_is_seen(file: &Path) -> Seen {
    let all = [
        ("SOURCE.r1", "EventAcceptedCount", "7"),
        ("SOURCE.r2", "EventAcceptedCount", "10"),
        ("SOURCE.r3", "EventAcceptedCount", "7"),
        ("SINK.k1", "EventDrainSuccessCount", "24"),
        ("CHANNEL.c1", "ChannelSize", "0"),
    ];
    until("the monitor has seen all", || {
        let seen = Seen::of(file);
        all.iter().all(|(component, key, value)| seen.counts(component, key, value))
    });
    Seen::of(file)
}

fn watching(class: &str, file: &Path) -> String {
    format!("-Dflume.monitoring.type={class} -Dflume.monitoring.file={}", file.display())
}

/// An agent beside the Flume of `version`, with `java_opts`.
fn start_in(dir: tempfile::TempDir, version: Version, text: &str, java_opts: &str) -> Solo {
    let mut words = bridge::environment(version);
    words.push(format!("JAVA_OPTS={java_opts}"));
    Solo::start_in(dir, text, &words.iter().map(String::as_str).collect::<Vec<_>>())
}

fn folder() -> tempfile::TempDir {
    tempfile::tempdir().expect("a folder")
}

fn flumes(version: Version) -> Seen {
    let (dir, stand_in, avro) = (folder(), StandIn::listen().expect("a port"), port());
    let (file, seen) = (dir.path().join("a1.properties"), dir.path().join("seen"));
    fs::write(&file, lay_out(dir.path(), avro, stand_in.address().port())).expect("a file");
    let jvm = watching(WATCHING, &seen).split(' ').map(str::to_owned).collect();
    let launch = Launch { jvm, classes: bridge::plugins().ok(), ..Launch::default() };
    let flume =
        Flume::start_as(version, &file, "a1", dir.path(), &launch, &Default::default()).expect("a JVM");
    flume.wait_for_line("Avro source r1 started.", LONG).expect("it starts");
    traffic(avro, &stand_in);
    all_is_seen(&seen)
}

fn native(version: Version) -> Seen {
    let (dir, stand_in, avro) = (folder(), StandIn::listen().expect("a port"), port());
    let (text, seen) = (lay_out(dir.path(), avro, stand_in.address().port()), dir.path().join("seen"));
    let agent = start_in(dir, version, &text, &watching(WATCHING, &seen));
    agent.wait_for("Avro source r1 started.");
    traffic(avro, &stand_in);
    all_is_seen(&seen)
}

#[test]
#[ignore = "needs a JVM, Maven and a registry"]
fn an_own_monitor_sees_here_what_it_sees_in_flume() {
    flume::require();
    for version in Version::ALL {
        let (theirs, ours) = (flumes(version).steady(), native(version).steady());
        assert!(theirs.beans.len() > 50, "{theirs:?}");
        assert_eq!(ours, theirs, "Flume {}", version.name());
    }
}

/// Lines into a null sink.
const LINES: &str = "a1.sources = r1\na1.channels = c1\na1.sinks = k1\na1.channels.c1.type = memory\n\
    a1.sources.r1.type = exec\na1.sources.r1.command = seq 1 50\na1.sources.r1.channels = c1\n\
    a1.sinks.k1.type = null\na1.sinks.k1.channel = c1\n";

fn sees(solo: &Solo, names: &[&str]) {
    until(&format!("the monitor sees {names:?}"), || Seen::of(&solo.path("seen")).names() == names);
}

#[test]
#[ignore = "needs a JVM, Maven and a registry"]
fn an_own_monitor_sees_components_come_and_go_outlives_its_jvm_and_is_stopped_at_the_end() {
    let dir = folder();
    let seen = dir.path().join("seen");
    let mut solo = start_in(dir, Version::V1_11, LINES, &watching(WATCHING, &seen));
    solo.wait_for("monitoring: org.acme.Watching runs in the JVM");
    sees(&solo, &["CHANNEL.c1", "SINK.k1", "SOURCE.r1"]);
    assert!(fs::read_to_string(&seen).expect("a file").starts_with("configured as org.acme.Watching\n"));
    let reload = |solo: &Solo, text: &str| {
        let before = solo.said("the new configuration runs");
        fs::write(solo.path("a1.conf"), text).expect("a file");
        until("the change is taken", || solo.said("the new configuration runs") > before);
    };
    reload(
        &solo,
        &format!(
            "{}a1.sources.r2.type = seq\na1.sources.r2.totalEvents = 9\na1.sources.r2.channels = c1\n",
            LINES.replace("a1.sources = r1", "a1.sources = r1 r2")
        ),
    );
    sees(&solo, &["CHANNEL.c1", "SINK.k1", "SOURCE.r1", "SOURCE.r2"]);
    until("the ninth is seen", || Seen::of(&seen).counts("SOURCE.r2", "EventAcceptedCount", "9"));
    reload(&solo, LINES);
    sees(&solo, &["CHANNEL.c1", "SINK.k1", "SOURCE.r1"]);

    let jvm = vitals::jvm(solo.node.pid()).expect("it runs");
    kill_process(jvm, Signal::KILL).expect("it lives");
    solo.wait_for("; it is started again");
    fs::remove_file(&seen).expect("a file");
    sees(&solo, &["CHANNEL.c1", "SINK.k1", "SOURCE.r1"]);
    assert_ne!(vitals::jvm(solo.node.pid()), Some(jvm));

    solo.node.signal(Signal::TERM);
    let ended = solo.node.wait(LONG).expect("it stops");
    assert_eq!(ended.status.code(), Some(0));
    let last = Seen::of(&solo.path("seen.stopped"));
    assert!(last.counts("SINK.k1", "EventDrainSuccessCount", "59"), "{last:?}");
    assert!(!last.counts("SOURCE.r1", "StopTime", "0"), "all has stopped before: {last:?}");
}

#[test]
#[ignore = "needs a JVM, Maven and a registry"]
fn a_monitor_that_cannot_be_had_is_told_once_and_events_flow() {
    for (class, why) in [
        ("org.acme.Nowhere", "there is no class org.acme.Nowhere on the class path"),
        (
            "org.acme.Words",
            "org.acme.Words does not implement org.apache.flume.instrumentation.MonitorService",
        ),
        (WATCHING, "ConfigurationException: file is not set"),
    ] {
        let solo = start_in(folder(), Version::V1_11, LINES, &format!("-Dflume.monitoring.type={class}"));
        solo.wait_for(why);
        solo.wait_for("and nobody reads its counters");
        until("its JVM ends", || vitals::jvm(solo.node.pid()).is_none());
        assert_eq!(solo.said("[WARN - "), 1, "{class}");
        let mut solo = solo;
        solo.node.signal(Signal::TERM);
        assert_eq!(solo.node.wait(LONG).expect("it stops").status.code(), Some(0));
    }
}

#[test]
#[ignore = "needs a JVM, Maven and a registry"]
fn a_monitor_that_ends_jvm_after_jvm_is_given_up_and_java_components_run_on() {
    let dir = folder();
    let exits = format!("{} -Dflume.monitoring.mode=exit", watching(WATCHING, &dir.path().join("seen")));
    let text = LINES.replace("k1.type = null", "k1.type = org.acme.Lines\na1.sinks.k1.file = DIR/lines");
    let solo = start_in(dir, Version::V1_11, &text, &exits);
    solo.wait_for("has called System.exit, in org.acme.Watching.start");
    solo.wait_for("and nobody reads its counters");
    assert_eq!(solo.said("; it is started again"), 3);
    until("all lines are there", || {
        let lines = fs::read_to_string(solo.path("lines")).unwrap_or_default();
        (1..=50).all(|number| lines.lines().any(|line| line == number.to_string()))
    });
    // The lines may have been written in a JVM that the monitor ended; another one is started after a pause.
    until("the sink has a JVM", || vitals::jvm(solo.node.pid()).is_some());
}

/// `seq` into an operator's sink, which registers an MBean itself.
const OWN_SINK: &str = "a1.sources = r1 r2\na1.channels = c1\na1.sinks = k1\na1.sources.r1.type = seq\n\
    a1.sources.r1.totalEvents = 300\na1.sources.r1.channels = c1\na1.channels.c1.type = memory\n\
    a1.sources.r2.type = netcat\na1.sources.r2.bind = 127.0.0.1\na1.sources.r2.port = PORT\na1.sources.r2.channels = c1\n\
    a1.channels.c1.capacity = 1000\na1.sinks.k1.type = org.acme.Lines\na1.sinks.k1.channel = c1\n";

/// What a JMX client reads at `port`.
fn read(port: u16) -> Option<Seen> {
    let mut client = flume::jdk("java");
    client
        .arg("-cp")
        .arg(bridge::plugins().expect("they compile"))
        .args(["org.acme.Beans", &port.to_string()]);
    let output = limit::output(&mut client);
    output.status.success().then(|| Seen::read(&String::from_utf8_lossy(&output.stdout)))
}

#[test]
#[ignore = "needs a JVM, Maven and a registry"]
fn a_jmx_client_reads_counters_of_native_and_of_java_components_as_they_are_now() {
    flume::require();
    let (jmx, pages, netcat) = (port(), port(), port());
    let front = "-Dcom.sun.management.jmxremote";
    let remote = format!(
        "{front}.port={jmx} {front}.rmi.port={jmx} {front}.host=127.0.0.1 {front}.authenticate=false {front}.ssl=false \
         -Djava.rmi.server.hostname=127.0.0.1"
    );
    let pages_too = options(pages).replace("JAVA_OPTS=", "");
    let text = OWN_SINK.replace("PORT", &netcat.to_string());
    let solo = start_in(folder(), Version::V1_11, &text, &format!("{remote} {pages_too}"));
    solo.wait_for("monitoring: JMX clients read the counters in the JVM");
    let now = |key: &str, value: &str| {
        let mut last = None;
        until(&format!("{key} is {value}"), || {
            last = read(jmx);
            last.as_ref().and_then(|seen| seen.beans.get(key)).is_some_and(|now| now == value)
        });
        last.expect("it was just there")
    };
    let seen = now("org.apache.flume.sink:type=k1 EventDrainSuccessCount long Long", "300");
    let names: std::collections::BTreeSet<_> =
        seen.beans.keys().filter_map(|key| key.split(' ').next()).collect();
    let expected = ["channel:type=c1", "sink:type=k1", "source:type=r1", "source:type=r2"];
    assert!(names.into_iter().eq(expected.map(|name| format!("org.apache.flume.{name}"))), "{seen:?}");
    assert_eq!(seen.beans["org.apache.flume.channel:type=c1 ChannelFillPercentage double Double"], "0.0");
    assert_eq!(seen.beans["org.apache.flume.source:type=r1 Type java.lang.String String"], "SOURCE");

    // The page asks the JVM for what it counts itself, and not for what it was told.
    until("the page has all", || http::counter(pages, "SINK.k1", "EventDrainSuccessCount") == Some(300));
    let page = counters(pages);
    assert!(page.keys().eq(["CHANNEL.c1", "SINK.k1", "SOURCE.r1", "SOURCE.r2"]), "{page:?}");
    assert_eq!(page["SOURCE.r1"]["EventAcceptedCount"], "300");

    let stream = std::net::TcpStream::connect(("127.0.0.1", netcat)).expect("a connection");
    std::io::Write::write_all(&mut &stream, b"one\ntwo\n").expect("it takes them");
    now("org.apache.flume.source:type=r2 EventAcceptedCount long Long", "2");
    now("org.apache.flume.sink:type=k1 EventDrainSuccessCount long Long", "302");

    // A check looks for the classes in a JVM of its own, which leaves that port alone.
    let mut check = solo_check(&solo, &remote);
    let output = limit::output(&mut check);
    let said = String::from_utf8_lossy(&output.stdout);
    assert_eq!(output.status.code(), Some(0), "{said}");
    assert!(said.contains("JMX clients read the counters in a JVM with Flume's jars"), "{said}");
}

fn solo_check(solo: &Solo, java_opts: &str) -> std::process::Command {
    let mut command = std::process::Command::new("env");
    command.args(&bridge::environment(Version::V1_11)[1..]).arg(format!("JAVA_OPTS={java_opts}"));
    command.arg(integration::binaries::directory().expect("it is built").join("agent"));
    command.args(["check", "-n", "a1", "-f"]).arg(solo.path("a1.conf"));
    command
}
