//! With one configuration of log4j a Flume and ours log the same.

use super::{OF_1_9, OF_1_11, Place, wait_until};
use integration::{
    console::Console,
    flume::{self, Flume, Launch, Version},
};
use std::{collections::BTreeMap, net::UdpSocket, process::Command};

/// A line without its time, its thread's number and its line's number.
fn shape(line: &str) -> Option<String> {
    let told =
        ["Starting Channel", "Starting Sink", "Starting Source", "CHANNEL, name: c1 started", "Event: {"];
    told.iter().any(|part| line.contains(part)).then(|| {
        let time = "13 Nov 2018 16:32:01,813".len();
        let (head, rest) = line.split_at(time);
        assert!(head.as_bytes()[time - 4] == b',' && head.as_bytes()[2] == b' ', "{line}");
        let rest: String = rest.chars().filter(|sign| !sign.is_ascii_digit()).collect();
        // Which thread of its pool starts a component is chance.
        rest.replace("[lifecycleSupervisor--]", "[lifecycleSupervisor]")
    })
}

fn shapes(text: &str) -> Vec<String> {
    let mut shapes: Vec<_> = text.lines().filter_map(shape).collect();
    shapes.sort();
    shapes.dedup();
    shapes
}

/// Runs a Flume and ours with the same files, until `file` has the last event.
fn beside_flume(version: Version, name: &str, text: &str, file: &str) -> [Place; 2] {
    let theirs = by_flume(version, name, text, file);
    let ours = Place::with(name, text);
    ours.run_until(file, &[]);
    [theirs, ours]
}

fn by_flume(version: Version, name: &str, text: &str, file: &str) -> Place {
    flume::require();
    let place = Place::with(name, text);
    let conf = place.path("conf").display().to_string();
    let jvm = match version {
        Version::V1_9 => vec![
            format!("-Dlog4j.configuration=file:{conf}/{name}"),
            "-Dflume.root.logger=INFO,LOGFILE".to_owned(),
        ],
        Version::V1_11 => vec![format!("-Dlog4j2.configurationFile={conf}/{name}")],
    };
    let launch = Launch { jvm, ..Launch::default() };
    let (at, console) = (place.path("a1.conf"), Console::default());
    let mut flume = Flume::start_as(version, &at, "a1", place.0.path(), &launch, &console).expect("a JVM");
    assert!(place.has_last(file), "{:?}", flume.lines());
    flume.stop();
    place
}

fn as_flume(version: Version, name: &str, text: &str, file: &str) {
    let [theirs, ours] = beside_flume(version, name, text, file);
    assert_eq!(shapes(&ours.read(file)), shapes(&theirs.read(file)));
    assert!(shapes(&ours.read(file)).len() >= 5, "{:?}", shapes(&ours.read(file)));
}

#[test]
#[ignore = "needs a JVM, Maven and a registry: .ci/run runs it"]
fn as_flume_1_9_writes_it() {
    as_flume(Version::V1_9, "log4j.properties", OF_1_9, "logs/flume.log");
}

#[test]
#[ignore = "needs a JVM, Maven and a registry: .ci/run runs it"]
fn as_flume_1_11_writes_it() {
    as_flume(Version::V1_11, "log4j2.xml", OF_1_11, "flume.log");
}

#[test]
#[ignore = "needs a JVM, Maven and a registry: .ci/run runs it"]
fn as_flume_1_9_rolls_it() {
    let text = OF_1_9.replace("100MB", "1KB").replace("BackupIndex=10", "BackupIndex=2");
    for place in beside_flume(Version::V1_9, "log4j.properties", &text, "logs/flume.log") {
        assert_eq!(place.names("logs"), ["flume.log", "flume.log.1", "flume.log.2"]);
        // With the line that reaches the size it is full.
        let full = place.read("logs/flume.log.1");
        assert!(
            full.len() >= 1024
                && full.trim_end().rsplit_once('\n').is_none_or(|(front, _)| front.len() < 1023)
        );
    }
}

/// What both write into `file` when filters hold some of it back: which lines, and of how many events.
fn held_back(places: &[Place; 2], file: &str) -> (Vec<String>, usize) {
    let [theirs, ours] = places.each_ref().map(|place| {
        let text = place.read(file);
        (shapes(&text), text.matches("Event: {").count())
    });
    assert_eq!(ours, theirs);
    ours
}

#[test]
#[ignore = "needs a JVM, Maven and a registry: .ci/run runs it"]
fn as_flume_1_9_filters_it() {
    let filters = "
log4j.appender.LOGFILE.filter.1=org.apache.log4j.varia.StringMatchFilter
log4j.appender.LOGFILE.filter.1.StringToMatch=Starting S
log4j.appender.LOGFILE.filter.1.AcceptOnMatch=false
log4j.appender.LOGFILE.filter.2=org.apache.log4j.varia.StringMatchFilter
log4j.appender.LOGFILE.filter.2.StringToMatch=Event: {
log4j.appender.LOGFILE.filter.3=org.apache.log4j.varia.StringMatchFilter
log4j.appender.LOGFILE.filter.3.StringToMatch=Starting Channel
log4j.appender.LOGFILE.filter.4=org.apache.log4j.varia.LevelRangeFilter
log4j.appender.LOGFILE.filter.4.LevelMin=WARN
";
    let text = format!("{OF_1_9}{filters}");
    let places = beside_flume(Version::V1_9, "log4j.properties", &text, "logs/flume.log");
    let (shapes, events) = held_back(&places, "logs/flume.log");
    assert_eq!((shapes.len(), events), (3, 20), "{shapes:?}");
}

#[test]
#[ignore = "needs a JVM, Maven and a registry: .ci/run runs it"]
fn as_flume_1_11_filters_it() {
    let few = r#"<File name="FewFile" fileName="few.log"><PatternLayout pattern="%p: %m%n"/></File>
    <Async name="Few"><AppenderRef ref="FewFile"><BurstFilter level="INFO" rate="0.01" maxBurst="5"/></AppenderRef></Async>
    </Appenders>"#;
    let file = r#"<Filters><StringMatchFilter text="Starting S" onMatch="DENY" onMismatch="NEUTRAL"/>
        <LevelRangeFilter minLevel="FATAL" maxLevel="INFO"/></Filters><Policies>"#;
    let loggers = r#"<Logger name="org.apache.flume.sink.LoggerSink" level="INFO">
        <StringMatchFilter text="body: 31 38 " onMatch="DENY" onMismatch="NEUTRAL"/></Logger>
        <Root level="INFO"><AppenderRef ref="Few"/>"#;
    let all = r#"<RegexFilter regex="Component type.*" onMatch="DENY" onMismatch="NEUTRAL"/><Appenders>"#;
    let text = OF_1_11.replace("</Appenders>", few).replace("<Policies>", file);
    let text = text.replace(r#"<Root level="INFO">"#, loggers).replace("<Appenders>", all);
    let places = beside_flume(Version::V1_11, "log4j2.xml", &text, "flume.log");
    let (shapes, events) = held_back(&places, "flume.log");
    assert_eq!((shapes.len(), events), (3, 19), "{shapes:?}");
    // What is more severe is not counted.
    let few = places.map(|place| place.read("few.log").matches("INFO: ").count());
    assert_eq!(few, [5, 5]);
}

#[test]
#[ignore = "needs a JVM, Maven and a registry: .ci/run runs it"]
fn as_flume_1_11_compresses_it() {
    let all = r#"<File name="All" fileName="all.log"><PatternLayout pattern="%m%n"/></File></Appenders>"#;
    let text = OF_1_11.replace("</Appenders>", all).replace(r#"size="100 MB""#, r#"size="1 KB""#);
    let text = text.replace(r#"<Root level="INFO">"#, r#"<Root level="INFO"><AppenderRef ref="All"/>"#);
    for end in ["gz", "zip"] {
        let text = text.replace("-%i", &format!("-%i.{end}"));
        let theirs = by_flume(Version::V1_11, "log4j2.xml", &text, "all.log");
        let ours = Place::with("log4j2.xml", &text);
        // One that is still being compressed at the end stays as it was: the first is waited for.
        let first = |place: &Place| {
            let names = if place.path("archive").exists() { place.names("archive") } else { Vec::new() };
            names.into_iter().find(|name| name.ends_with(end) && !name.starts_with('.'))
        };
        ours.run(&[], |_| ours.has_last("all.log") && wait_until(|| first(&ours).is_some()));
        for place in [theirs, ours] {
            let names = place.names("archive");
            let packed = first(&place).unwrap_or_else(|| panic!("{names:?}"));
            let plain = unpacked(&place, &packed);
            assert!(plain.len() > 1024 && plain.contains(" INFO  ["), "{names:?} {plain}");
        }
    }
}

/// What a compressed file of `archive` has, by a tool that is not ours.
fn unpacked(place: &Place, name: &str) -> String {
    let folder = place.path("archive");
    if let Some(plain) = name.strip_suffix(".zip") {
        let status = flume::jdk("jar").arg("xf").arg(name).current_dir(&folder).status();
        assert!(status.expect("it runs").success());
        return place.read(&format!("archive/{plain}"));
    }
    let out = Command::new("gzip").args(["-dc", name]).current_dir(&folder).output().expect("it runs");
    assert!(out.status.success());
    String::from_utf8(out.stdout).expect("text")
}

/// What both send to one host, in the shape of [`shapes`], each with its priority.
fn sent(version: Version, name: &str, text: &str, file: &str) {
    let host = UdpSocket::bind("127.0.0.1:0").expect("a port");
    host.set_nonblocking(true).expect("a socket");
    let port = host.local_addr().expect("an address").port();
    let text = text.replace("PORT", &port.to_string());
    let received = || {
        let mut buffer = vec![0; 1 << 16];
        let mut all = BTreeMap::new();
        while let Ok(bytes) = host.recv(&mut buffer) {
            let datagram = String::from_utf8_lossy(&buffer[..bytes]).into_owned();
            let Some((priority, line)) = datagram.split_once('>') else { panic!("{datagram:?}") };
            let told = ["Starting S", "Starting Channel", "name: c1 started", "Event: {"];
            if told.iter().any(|part| line.contains(part)) {
                let line: String = line.chars().filter(|sign| !sign.is_ascii_digit()).collect();
                let line = line.replace("[lifecycleSupervisor--]", "[lifecycleSupervisor]");
                *all.entry(format!("{priority}>{line}")).or_insert(0) += 1;
            }
        }
        all
    };
    let _theirs = by_flume(version, name, &text, file);
    let theirs = received();
    let ours = Place::with(name, &text);
    ours.run_until(file, &[]);
    assert_eq!(received(), theirs);
    assert!(theirs.len() >= 5 && theirs.values().sum::<usize>() >= 24, "{theirs:?}");
}

#[test]
#[ignore = "needs a JVM, Maven and a registry: .ci/run runs it"]
fn as_flume_1_9_sends_it() {
    let text = OF_1_9.replace("${flume.root.logger}", "INFO,LOGFILE,SYSLOG");
    let syslog = "
log4j.appender.SYSLOG=org.apache.log4j.net.SyslogAppender
log4j.appender.SYSLOG.SyslogHost=127.0.0.1:PORT
log4j.appender.SYSLOG.Facility=LOCAL3
log4j.appender.SYSLOG.FacilityPrinting=true
log4j.appender.SYSLOG.Header=true
log4j.appender.SYSLOG.layout=org.apache.log4j.PatternLayout
log4j.appender.SYSLOG.layout.ConversionPattern=%p [%t] (%C.%M) %m%n
";
    sent(Version::V1_9, "log4j.properties", &format!("{text}{syslog}"), "logs/flume.log");
}

#[test]
#[ignore = "needs a JVM, Maven and a registry: .ci/run runs it"]
fn as_flume_1_11_sends_it() {
    let syslog =
        r#"<Syslog name="S" host="127.0.0.1" port="PORT" protocol="UDP" facility="LOCAL3"/></Appenders>"#;
    let socket = r#"<Socket name="S" host="127.0.0.1" port="PORT" protocol="UDP">
        <PatternLayout pattern="<%p> [%t] (%C.%M) %m%n"/></Socket></Appenders>"#;
    let socket = socket.replace("<%p>", "&lt;%p&gt;");
    for appender in [syslog, &socket] {
        let text = OF_1_11.replace("</Appenders>", appender);
        let text = text.replace(r#"<Root level="INFO">"#, r#"<Root level="INFO"><AppenderRef ref="S"/>"#);
        sent(Version::V1_11, "log4j2.xml", &text, "flume.log");
    }
}
