//! The real binary: its flags, messages and exit codes, and what a broken console does to it.

#[path = "../../../integration/src/limit.rs"]
#[allow(dead_code, unreachable_pub, reason = "other tests use the rest")]
mod limit;

mod check;

use std::{
    fs::{self, OpenOptions},
    io::{Write, pipe},
    os::unix::{net::UnixDatagram, process::ExitStatusExt},
    path::PathBuf,
    process::{Child, Command, Output, Stdio},
    time::Duration,
};
use tempfile::TempDir;

/// An agent that makes numbers and drops them.
const SEQ: &str = "a1.sources = r1\na1.channels = c1\na1.sinks = k1\na1.channels.c1.type = memory\n\
                   a1.sources.r1.type = seq\na1.sources.r1.channels = c1\na1.sources.r1.totalEvents = 10\n\
                   a1.sinks.k1.type = null\na1.sinks.k1.channel = c1\n";

/// The same, printed by a logger sink, without an end.
fn chatty() -> String {
    SEQ.replace("type = null", "type = logger").replace("a1.sources.r1.totalEvents = 10\n", "")
}

struct Place(TempDir);

impl Place {
    fn with(name: &str, text: &str) -> Place {
        let place = Place(tempfile::tempdir().expect("a directory"));
        fs::write(place.path(name), text).expect("a file");
        place
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    /// The binary with the words of `line`, where the files are.
    fn command(&self, line: &str) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_agent"));
        command.args(line.split_whitespace()).current_dir(self.0.path()).stdin(Stdio::null());
        command.env_remove("NOTIFY_SOCKET").env_remove("JAVA_OPTS").env_remove("FLUME_JAVA_OPTS");
        command
    }

    fn output(&self, line: &str) -> Output {
        limit::output(&mut self.command(line))
    }

    /// Runs `line` until it says it is ready, then stops it; what it printed on stderr.
    fn until_ready(&self, line: &str) -> (Option<i32>, String) {
        let ready = Ready::new(self);
        let child = self.command(line).env("NOTIFY_SOCKET", &ready.path).stderr(Stdio::piped()).spawn();
        let child = child.expect("the binary runs");
        ready.wait_for("READY=1");
        terminate(&child);
        ready.wait_for("STOPPING=1");
        let output = limit::finish(child, line);
        (output.status.code(), stderr(&output))
    }
}

/// What systemd listens on.
struct Ready {
    socket: UnixDatagram,
    path: PathBuf,
}

impl Ready {
    fn new(place: &Place) -> Ready {
        let path = place.path("notify");
        let socket = UnixDatagram::bind(&path).expect("a socket");
        socket.set_read_timeout(Some(LONG)).expect("a time limit");
        Ready { socket, path }
    }

    fn wait_for(&self, state: &str) {
        let mut bytes = [0; 512];
        let count = self.socket.recv(&mut bytes).expect("a word from the process");
        assert_eq!(String::from_utf8_lossy(&bytes[..count]).trim(), state);
    }
}

fn terminate(child: &Child) {
    let id = child.id().to_string();
    let status = Command::new("kill").args(["-TERM", &id]).status().expect("kill runs");
    assert!(status.success());
}

/// Waits for the end of a child that nothing may hold up.
fn ends(mut child: Child) -> Option<i32> {
    let status = limit::wait(&mut child, "the agent that was told to stop");
    assert_eq!(status.signal(), None);
    status.code()
}

fn stderr(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

fn stdout(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned()
}

const LONG: Duration = Duration::from_secs(30);

#[test]
fn help_and_version_go_to_stdout_and_succeed() {
    let place = Place::with("x", "");
    for (line, part) in [
        ("help", "Usage: agent [agent] -n NAME -f FILE"),
        ("agent --help", "--drain-timeout <SECONDS>"),
        ("check -h", "Exit codes: 0 nothing is wrong"),
        ("version", "Flume 1.11.0 (agent "),
        ("--version", "Flume 1.11.0 (agent "),
    ] {
        let output = place.output(line);
        assert_eq!((output.status.code(), stderr(&output).as_str()), (Some(0), ""), "{line}");
        assert!(stdout(&output).contains(part), "{line}: {}", stdout(&output));
    }
}

#[test]
fn a_wrong_command_line_is_one_clear_message_and_exit_code_2() {
    let place = Place::with("a.conf", SEQ);
    for (line, part) in [
        ("frobnicate", "Unknown or unspecified command 'frobnicate'"),
        ("-n a1", "no configuration: give a properties file with -f FILE"),
        ("-f a.conf", "a.conf names: a1"),
        ("-f missing.conf", "cannot read `missing.conf`"),
        ("-n a1 -f a.conf --frob", "unexpected argument '--frob'"),
        ("-f a.conf -z host:2181", "which agent? Give its name with -n NAME"),
        ("-n a1 -z host:x", "-z host:x: `host:x` has no port that is a number"),
        ("-n a1 -z host -p flume", "-p flume: a path in ZooKeeper begins with `/`; write -p /flume"),
        (
            "-n a1 -z host -Dzookeeper.client.secure=yes",
            "-Dzookeeper.client.secure=yes: true (over TLS) or false",
        ),
        (
            "-n a1 -u ftp://host/a.conf",
            "-u ftp://host/a.conf: only http, https, file and classpath are known",
        ),
        (
            "-n a1 -prov com.example.Provider",
            "-prov, --conf-provider: a Java class cannot give the configuration (Flume 1.11 ends with `wrong number of arguments`",
        ),
        (
            "-n a1 -u file:///a -a com.example.P",
            "-a, --auth-provider: a Java class cannot give the authorisation (Flume 1.11 ends with",
        ),
        ("push -n a1 -f a.conf", "--zkConnString <HOSTS>"),
        ("password", "`password` is not there, in Flume 1.11 either"),
        ("avro-client -H localhost", "You must specify a port to connect to with --port"),
        ("avro-client -P missing.properties", "avro-client: cannot read missing.properties"),
    ] {
        let output = place.output(line);
        let error = stderr(&output);
        assert_eq!(output.status.code(), Some(2), "{line}: {error}");
        assert!(error.starts_with("agent: ") && error.contains(part), "{line}: {error}");
        assert!(!error.contains("panicked"));
    }
}

#[test]
fn check_prints_the_report_and_its_exit_code_says_how_bad_it_is() {
    let wrong = SEQ.replace("sinks.k1.channel = c1", "sinks.k1.channel = c9");
    let doubtful =
        SEQ.replace("channels.c1.type = memory", "channels.c1.type = memory\na1.channels.c1.capasity = 7");
    let lacking = SEQ.replace("sinks.k1.type = null", "sinks.k1.type = com.example.OwnSink");
    let both = lacking.replace("sinks.k1.channel = c1", "sinks.k1.channel = c9");
    for (text, line, code, part) in [
        (&lacking[..], "", 4, "needed by sink `k1` (own class `com.example.OwnSink`)"),
        (&both, "", 2, "the configuration has 1 error"),
        (&lacking, "--json", 4, "\"exit_code\":4"),
        (SEQ, "", 0, "nothing is wrong"),
        (SEQ, "--deny-warnings", 0, "nothing is wrong"),
        (&doubtful, "", 0, "capasity"),
        (&doubtful, "--deny-warnings", 1, "1 warning"),
        (&wrong, "", 2, "c9"),
    ] {
        let place = Place::with("a.conf", text);
        let output = place.output(&format!("check -n a1 -f a.conf {line}"));
        assert_eq!(output.status.code(), Some(code), "{line}: {}", stdout(&output));
        assert!(stdout(&output).contains(part), "{}", stdout(&output));
        assert_eq!(stderr(&output), "");
    }
}

#[test]
fn an_agent_that_is_not_in_the_file_is_told_which_are() {
    let output = Place::with("a.conf", SEQ).output("check -n a2 -f a.conf");
    assert_eq!(output.status.code(), Some(2));
    assert!(stdout(&output).contains("`a1`"), "{}", stdout(&output));
}

#[test]
fn dryrun_checks_and_does_not_start() {
    let output = Place::with("a.conf", SEQ).output("agent -n a1 -f a.conf -d");
    assert_eq!(
        (output.status.code(), stdout(&output).as_str()),
        (Some(0), "agent `a1` runs here: nothing is wrong\n")
    );
}

#[test]
fn an_error_in_the_configuration_starts_nothing() {
    let place = Place::with("a.conf", &SEQ.replace("sinks.k1.channel = c1", "sinks.k1.channel = c9"));
    let output = place.output("agent -n a1 -f a.conf");
    let error = stderr(&output);
    assert_eq!(output.status.code(), Some(2), "{error}");
    assert!(error.contains("[ERROR - ") && error.contains("agent a1 does not start: "), "{error}");
    assert!(!error.contains("Starting") && !error.contains("panicked"), "{error}");
}

#[test]
fn it_runs_tells_systemd_and_stops_in_order() {
    let place = Place::with("a.conf", SEQ);
    let (code, text) =
        place.until_ready("agent -n a1 -c . -f a.conf -Dflume.root.logger=DEBUG,console --no-reload-conf");
    assert_eq!(code, Some(0), "{text}");
    assert!(text.contains("Component type: SOURCE, name: r1 started"), "{text}");
}

#[test]
fn what_does_nothing_here_is_said_in_one_line_each() {
    let place = Place::with("a.conf", SEQ);
    fs::write(place.path("flume-env.sh"), "export JAVA_OPTS=\"-Xmx2g -Djavax.net.ssl.trustStore=x\"\n")
        .expect("a file");
    let (code, text) = place.until_ready(
        "agent -n a1 -c . -f a.conf -Xmx20m -XX:+UseG1GC -javaagent:x.jar -C x:y --plugins-path p \
         -Dflume.root.logger=WARN,SYSLOG -Dflume.monitoring.type=com.acme.Monitor -Dsome.other=1",
    );
    assert_eq!(code, Some(0), "{text}");
    for part in [
        "no component needs a JVM, so these are ignored: -Xmx20m -XX:+UseG1GC -javaagent:x.jar",
        "no component needs a JVM, so --classpath is ignored",
        "no component needs a JVM, so --plugins-path is ignored",
        "-Dflume.root.logger=WARN,SYSLOG: only the appender `console` is there for it",
        "the monitor com.acme.Monitor needs a JVM with Flume's jars: ",
        "flume-env.sh is not run; it sets -Djavax.net.ssl.trustStore",
    ] {
        assert_eq!(text.lines().filter(|line| line.contains(part)).count(), 1, "{part}: {text}");
    }
    assert!(text.lines().all(|line| line.contains("[WARN - ")), "{text}");
}

#[test]
fn what_flume_env_sh_says_of_counters_counts_and_check_tells_of_the_rest() {
    let place = Place::with("a.conf", SEQ);
    let script = |text: &str| fs::write(place.path("flume-env.sh"), text).expect("a file");
    let check = |more: &str| {
        let output = limit::output(&mut place.command(&format!("check -n a1 -c . -f a.conf {more}")));
        (output.status.code(), String::from_utf8_lossy(&output.stdout).into_owned())
    };
    script("JAVA_OPTS=\"-Dflume.monitoring.type=http -Dflume.monitoring.port=none\"\n");
    let (code, said) = check("");
    assert!(code == Some(2) && said.contains("none"), "what is no port is told: {said}");
    let (code, said) = check("-Dflume.monitoring.port=34545");
    assert!(code == Some(0) && !said.contains("flume-env.sh"), "the command line wins: {said}");
    script(
        "JAVA_OPTS=\"-Djavax.net.ssl.trustStore=x -Dzookeeper.ssl.protocol=TLSv1.3 -DpropertiesImplementation=y\"\n",
    );
    let (code, said) = check("");
    assert_eq!(code, Some(0), "{said}");
    let told = "flume-env.sh is not run; it sets -Djavax.net.ssl.trustStore, -Dzookeeper.ssl.protocol, -DpropertiesImplementation: \
                give that on the command line";
    assert!(said.contains(told), "{said}");
}

#[test]
fn java_opts_count_and_the_command_line_wins() {
    let place = Place::with("a.conf", &SEQ.replace("seq\n", "${sys:kind}\n"));
    let check = |line: &str, options: &str| {
        let mut command = place.command(line);
        limit::output(command.env("JAVA_OPTS", options)).status.code()
    };
    assert_eq!(check("agent -d -n a1 -f a.conf", "-Xmx1g -Dkind=seq"), Some(0));
    assert_eq!(check("agent -d -n a1 -f a.conf", "-Dkind=nonsense"), Some(2));
    assert_eq!(check("agent -d -n a1 -f a.conf -Dkind=seq", "-Dkind=nonsense"), Some(0));
}

#[test]
fn json_is_one_object_a_line() {
    let place = Place::with("a.conf", &SEQ.replace("type = null", "type = logger"));
    let (code, text) = place.until_ready("-n a1 -f a.conf --log-format json");
    assert_eq!(code, Some(0), "{text}");
    assert!(text.lines().all(|line| line.starts_with("{\"time\":\"") && line.ends_with('}')), "{text}");
    assert!(text.contains("\"message\":\"Event\",\"headers\":{}"), "{text}");
}

#[test]
fn a_full_disk_under_the_log_stalls_nothing() {
    let place = Place::with("a.conf", &chatty());
    let ready = Ready::new(&place);
    let full = OpenOptions::new().write(true).open("/dev/full").expect("/dev/full");
    let mut command = place.command("-n a1 -f a.conf -Dflume.root.logger=DEBUG,console --drain-timeout 1");
    let child = command.env("NOTIFY_SOCKET", &ready.path).stderr(full).spawn().expect("the binary runs");
    ready.wait_for("READY=1");
    terminate(&child);
    ready.wait_for("STOPPING=1");
    // The logger sink prints nothing on a full disk: what its memory channel holds is lost, and the exit code says so.
    assert_eq!(ends(child), Some(3));
}

#[test]
fn a_console_nobody_reads_stalls_no_stop() {
    let place = Place::with("a.conf", &chatty());
    let ready = Ready::new(&place);
    let (reader, mut writer) = pipe().expect("a pipe");
    writer.write_all(&[b'x'; 65_536]).expect("it is full now");
    let mut command = place.command("-n a1 -f a.conf -Dflume.root.logger=DEBUG,console --drain-timeout 1");
    let child = command.env("NOTIFY_SOCKET", &ready.path).stderr(writer).spawn().expect("the binary runs");
    ready.wait_for("READY=1");
    terminate(&child);
    ready.wait_for("STOPPING=1");
    ends(child);
    drop(reader);
}

#[test]
fn a_closed_console_stalls_nothing() {
    let place = Place::with("a.conf", SEQ);
    let ready = Ready::new(&place);
    let (reader, writer) = pipe().expect("a pipe");
    drop(reader);
    let mut command = place.command("-n a1 -f a.conf");
    let child = command.env("NOTIFY_SOCKET", &ready.path).stderr(writer).spawn().expect("the binary runs");
    ready.wait_for("READY=1");
    terminate(&child);
    assert_eq!(ends(child), Some(0));
}
