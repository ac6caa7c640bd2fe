//! What only log4j itself can do, by the log4j of the Flume of this host: beside real Flume, and when its JVM or its agent is killed.

use super::{LONG, OF_1_9, OF_1_11, Place, wait_until};
use integration::{
    console::Console,
    flume::{self, Flume, Launch, Version, bridge::environment},
    process::Process,
    vitals,
};
use rustix::process::{Pid, Signal, kill_process};
use std::{
    fs,
    net::UdpSocket,
    path::{Path, PathBuf},
    process::Command,
};

/// The agent with the Flume of `version`.
fn with_flume(place: &Place, version: Version) -> Command {
    let mut command = place.command();
    let words = environment(version);
    command.envs(words.iter().filter_map(|word| word.split_once('=')));
    command
}

fn classes(version: Version) -> PathBuf {
    let words = environment(version);
    let path = words.iter().find_map(|word| word.strip_prefix("FLUME_CLASSPATH="));
    PathBuf::from(path.expect("it names them"))
}

/// Runs a Flume with the same files, until each of `files` has the last event.
fn by_flume(version: Version, name: &str, text: &str, files: &[&str], more: &[&str]) -> Place {
    flume::require();
    let place = Place::with(name, text);
    let conf = place.path("conf").join(name).display().to_string();
    let mut jvm: Vec<String> = match version {
        Version::V1_9 => {
            vec![format!("-Dlog4j.configuration=file:{conf}"), "-Dflume.root.logger=INFO,LOGFILE".to_owned()]
        }
        Version::V1_11 => vec![format!("-Dlog4j2.configurationFile={conf}")],
    };
    jvm.extend(more.iter().map(|word| (*word).to_owned()));
    let launch = Launch { jvm, classes: Some(classes(version)), ..Launch::default() };
    let (at, console) = (place.path("a1.conf"), Console::default());
    let mut flume = Flume::start_as(version, &at, "a1", place.0.path(), &launch, &console).expect("a JVM");
    assert!(files.iter().all(|file| place.has_last(file)), "{:?}", flume.lines());
    flume.stop();
    place
}

/// The lines that both say, without their times and numbers.
fn shapes(text: &str) -> Vec<String> {
    let told =
        ["Starting Channel", "Starting Sink", "Starting Source", "CHANNEL, name: c1 started", "Event: {"];
    let said = text.lines().filter(|line| told.iter().any(|part| line.contains(part)));
    let shape = |line: &str| line.chars().filter(|sign| !sign.is_ascii_digit()).collect::<String>();
    let mut shapes: Vec<_> = said.map(shape).collect();
    shapes.sort();
    shapes.dedup();
    shapes
}

/// What both write, and what ours prints. The file `is_there`, too, before it is stopped.
fn as_flume(
    version: Version,
    name: &str,
    text: &str,
    files: &[&str],
    more: &[&str],
    is_there: &str,
) -> (Place, Vec<String>) {
    let theirs = by_flume(version, name, text, files, more);
    let ours = Place::with(name, text);
    let mut command = with_flume(&ours, version);
    command.args(more);
    let printed = Place::run_as(command, |_| {
        files.iter().all(|file| ours.has_last(file)) && wait_until(|| ours.path(is_there).exists())
    });
    for file in files {
        let [here, there] = [&ours, &theirs].map(|place| shapes(&place.read(file)));
        assert_eq!(here, there, "{file}: {printed:#?}");
        assert!(here.len() >= 5, "{file}: {here:?}");
    }
    (ours, printed)
}

/// Flume 1.11's own file with these appenders beside its own, to which the root logger refers.
fn with_appenders(appenders: &str, names: &[&str]) -> String {
    let references: String = names.iter().map(|name| format!(r#"<AppenderRef ref="{name}"/>"#)).collect();
    let text = OF_1_11.replace("</Appenders>", &format!("{appenders}</Appenders>"));
    text.replace(r#"<Root level="INFO">"#, &format!(r#"<Root level="INFO">{references}"#))
}

#[test]
#[ignore = "needs a JVM, Maven and a registry: .ci/run runs it"]
fn log4j_2_rewrites_routes_and_lays_out_as_in_flume_1_11() {
    let appenders = r#"
        <File name="Re" fileName="re.log"><PatternLayout pattern="%-5p [%t] (%C.%M:%L) %X{user} - %m%n"/></File>
        <Rewrite name="Rewrite"><AppenderRef ref="Re"/>
            <PropertiesRewritePolicy><Property name="user">operator</Property></PropertiesRewritePolicy></Rewrite>
        <Routing name="Routing"><Routes pattern="$${event:Logger}">
            <Route><RandomAccessFile name="Other" fileName="other.log"><JsonLayout compact="true" eventEol="true"/></RandomAccessFile></Route>
            <Route key="org.example.Nobody" ref="LogFile"/></Routes></Routing>
        <File name="Rfc" fileName="rfc.log">
            <Rfc5424Layout appName="flume" facility="LOCAL3" enterpriseNumber="18060" newLine="true"/></File>
        <RollingFile name="Packed" fileName="packed.log" filePattern="packed-%i.log.bz2"><PatternLayout pattern="%m%n"/>
            <SizeBasedTriggeringPolicy size="1 KB"/></RollingFile>"#;
    let text = with_appenders(appenders, &["Rewrite", "Routing", "Rfc", "Packed"]);
    let files = ["re.log", "other.log", "rfc.log", "flume.log"];
    let (ours, printed) = as_flume(Version::V1_11, "log4j2.xml", &text, &files, &[], "packed-1.log.bz2");
    assert!(ours.read("re.log").contains(" operator - Event: {"), "{}", ours.read("re.log"));
    assert!(ours.read("rfc.log").starts_with("<158>1 "), "{}", ours.read("rfc.log"));
    assert!(ours.path("packed-1.log.bz2").is_file(), "{:?}", ours.names("."));
    let told = "are written by log4j in a JVM, and do not go to the console, as conf/log4j2.xml says: only log4j itself has ";
    assert!(printed.len() == 1 && printed[0].contains(told), "{printed:?}");
    assert!(printed[0].contains("<Rewrite>") && printed[0].contains(".bz2"), "{printed:?}");
}

#[test]
#[ignore = "needs a JVM, Maven and a registry: .ci/run runs it"]
fn log4j_2_may_have_the_console_and_a_host_too_and_what_it_says_itself_is_told() {
    let host = UdpSocket::bind("127.0.0.1:0").expect("a port");
    host.set_nonblocking(true).expect("a socket");
    let port = host.local_addr().expect("an address").port().to_string();
    let console = r#"<Console name="Json" target="SYSTEM_ERR"><JsonLayout compact="true" eventEol="true"/></Console>
        <SMTP name="Mail" to="a@localhost" from="b@localhost" smtpHost="localhost" smtpPort="1"/>
        <Syslog name="Sent" format="RFC5424" appName="flume" enterpriseNumber="18060" facility="LOCAL3" host="127.0.0.1" port="PORT"
            protocol="UDP"/>"#;
    let appenders = console.replace("PORT", &port);
    let place = Place::with("log4j2.xml", &with_appenders(&appenders, &["Json", "Mail", "Sent"]));
    let printed = Place::run_as(with_flume(&place, Version::V1_11), |_| place.has_last("flume.log"));
    let json = printed.iter().filter(|line| line.starts_with('{') && line.contains("Event: { headers"));
    assert_eq!(json.count(), 20, "{printed:#?}");
    // Flume has no JavaMail, so that log4j refuses the one for mails, and says so.
    assert!(printed.iter().any(|line| line.contains("log4j: ") && line.contains("SMTP")), "{printed:#?}");
    assert_eq!(place.read("flume.log").matches("Event: { headers").count(), 20);
    let mut buffer = vec![0; 1 << 16];
    let mut sent = Vec::new();
    while let Ok(bytes) = host.recv(&mut buffer) {
        sent.push(String::from_utf8_lossy(&buffer[..bytes]).into_owned());
    }
    assert!(sent.iter().all(|datagram| datagram.starts_with('<') && datagram.contains(">1 2")), "{sent:#?}");
    assert_eq!(sent.iter().filter(|datagram| datagram.contains("Event: { headers")).count(), 20, "{sent:#?}");
}

#[test]
#[ignore = "needs a JVM, Maven and a registry: .ci/run runs it"]
fn log4j_1_has_layouts_and_an_operators_own_appender_as_in_flume_1_9() {
    let own = "
log4j.appender.MEMO=org.acme.Memo
log4j.appender.MEMO.Path=memo.log
log4j.appender.HTML=org.apache.log4j.FileAppender
log4j.appender.HTML.File=lines.html
log4j.appender.HTML.layout=org.apache.log4j.HTMLLayout
";
    let text = OF_1_9.replace("rootLogger=${flume.root.logger}", "rootLogger=INFO,LOGFILE,MEMO,HTML,console");
    let files = ["memo.log", "lines.html", "logs/flume.log"];
    let more = ["-Dmemo.mark=marked"];
    let (ours, printed) =
        as_flume(Version::V1_9, "log4j.properties", &format!("{text}{own}"), &files, &more, "memo.log");
    assert!(ours.read("memo.log").starts_with("marked INFO ["), "{}", ours.read("memo.log"));
    assert!(ours.read("lines.html").trim_end().ends_with("</html>"), "it is ended as log4j ends it");
    // The console is native code's, and has each line once.
    assert_eq!(printed.iter().filter(|line| line.contains("Event: { headers")).count(), 20, "{printed:#?}");
}

/// Numbers without end on a logger sink.
const ENDLESS: &str = "a1.sources = r1\na1.channels = c1\na1.sinks = k1\na1.channels.c1.type = memory\n\
    a1.sources.r1.type = exec\na1.sources.r1.shell = /bin/bash -c\n\
    a1.sources.r1.command = for ((i = 1; ; i++)); do echo number $i; sleep 0.02; done\na1.sources.r1.channels = c1\n\
    a1.sinks.k1.type = logger\na1.sinks.k1.channel = c1\n";

/// An agent whose lines come without end, and are laid out in JSON.
fn endless() -> (Place, Process, Console) {
    let json = r#"<File name="J" fileName="j.log"><JsonLayout compact="true" eventEol="true"/></File>"#;
    let place = Place::with("log4j2.xml", &with_appenders(json, &["J"]));
    fs::write(place.path("a1.conf"), ENDLESS).expect("a file");
    let console = Console::default();
    let agent = Process::spawn(with_flume(&place, Version::V1_11), &console, 0).expect("it starts");
    assert!(wait_until(|| numbers(&place).len() > 20), "{:?}", console.lines_from(0));
    (place, agent, console)
}

/// Of the events that stand in the file, in order.
fn numbers(place: &Place) -> Vec<u32> {
    let text = place.read("j.log");
    let number = |line: &str| {
        let (_, rest) = line.split_once(" number ")?;
        rest.split_once(' ')?.0.parse().ok()
    };
    text.lines().filter_map(number).collect()
}

fn jvm(agent: &Process) -> Option<Pid> {
    vitals::child(agent.pid(), "org.logcluster.bridge.LogLines")
}

fn lives(pid: Pid) -> bool {
    let line = Path::new("/proc").join(pid.as_raw_nonzero().to_string()).join("cmdline");
    fs::read_to_string(line).is_ok_and(|line| line.contains("org.logcluster.bridge"))
}

#[test]
#[ignore = "needs a JVM, Maven and a registry: .ci/run runs it"]
fn a_killed_log4j_is_started_again_and_no_line_is_lost() {
    let (place, mut agent, console) = endless();
    for times in 1..=2 {
        let before = numbers(&place).len();
        kill_process(jvm(&agent).expect("it runs"), Signal::KILL).expect("ours");
        assert!(wait_until(|| numbers(&place).len() > before + 50), "{:?}", console.lines_from(0));
        let again = || {
            console.lines_from(0).iter().filter(|line| line.text.contains("writes log lines again")).count()
        };
        assert!(wait_until(|| again() == times), "{:?}", console.lines_from(0));
    }
    agent.signal(Signal::TERM);
    assert_eq!(agent.wait(LONG).expect("it ends").status.code(), Some(0));
    let mut all = numbers(&place);
    let last = all.last().copied().expect("some");
    all.sort_unstable();
    all.dedup();
    assert_eq!(all, (1..=last).collect::<Vec<_>>());
    let of_its_own = console
        .lines_from(0)
        .into_iter()
        .filter(|line| line.text.contains("is of no use: it has ended (signal: 9"));
    assert_eq!(of_its_own.count(), 2);
}

#[test]
#[ignore = "needs a JVM, Maven and a registry: .ci/run runs it"]
fn no_log4j_outlives_an_agent_that_is_killed() {
    let (_place, mut agent, _console) = endless();
    let jvm = jvm(&agent).expect("it runs");
    agent.signal(Signal::KILL);
    agent.wait(LONG).expect("it ends");
    assert!(wait_until(|| !lives(jvm)), "the JVM lives on");
}
