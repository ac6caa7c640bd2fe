//! The real binary with the lesson's own file.

#[path = "../../integration/src/limit.rs"]
#[allow(dead_code, unreachable_pub, reason = "other tests use the rest")]
mod limit;

use std::{
    io::{BufRead, BufReader},
    net::{TcpListener, TcpStream},
    path::{Path, PathBuf},
    process::{Child, ChildStderr, Command, Output, Stdio},
    sync::mpsc::{Receiver, channel},
    thread,
    time::Duration,
};

fn collector(line: &str) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_collector"));
    command.args(line.split_whitespace()).stdin(Stdio::null());
    command.env_remove("NOTIFY_SOCKET").env_remove("JAVA_OPTS").env_remove("FLUME_JAVA_OPTS");
    command
}

fn output(line: &str) -> Output {
    limit::output(collector(line).current_dir(lesson()))
}

/// Where the lesson's files are.
fn lesson() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../deploy/conf")
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// A collector that runs, and its console line by line. Killed when it is dropped.
struct Running {
    child: Child,
    lines: Receiver<String>,
}

impl Running {
    fn start(line: &str) -> Running {
        let mut command = collector(line);
        let mut child =
            command.current_dir(lesson()).stderr(Stdio::piped()).spawn().expect("the binary runs");
        let lines = lines_of(child.stderr.take().expect("piped"));
        Running { child, lines }
    }

    /// The first line from now on that has `part` in it.
    fn wait_for(&self, part: &str) -> String {
        loop {
            let line = self.lines.recv_timeout(LONG).unwrap_or_else(|_| panic!("no line with `{part}`"));
            if line.contains(part) {
                return line;
            }
        }
    }

    fn stop(&mut self) -> Option<i32> {
        let status =
            Command::new("kill").args(["-TERM", &self.child.id().to_string()]).status().expect("kill runs");
        assert!(status.success());
        limit::wait(&mut self.child, "the collector that was told to stop").code()
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // Fails when it has ended, which is as well.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn lines_of(console: ChildStderr) -> Receiver<String> {
    let (send, lines) = channel();
    thread::spawn(move || {
        BufReader::new(console).lines().map_while(Result::ok).try_for_each(|line| send.send(line))
    });
    lines
}

fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").expect("a port").local_addr().expect("its address").port()
}

const LONG: Duration = Duration::from_secs(30);

#[test]
fn it_calls_itself_collector() {
    let help = output("--help");
    assert_eq!(help.status.code(), Some(0));
    assert!(text(&help.stdout).starts_with("Receives events from agents"), "{}", text(&help.stdout));
    assert!(text(&help.stdout).contains("Usage: collector [agent] -n NAME -f FILE"));
    assert!(text(&output("version").stdout).starts_with("Flume 1.11.0 (collector "));
    let wrong = output("--frob");
    assert_eq!(wrong.status.code(), Some(2));
    assert!(text(&wrong.stderr).starts_with("collector: unexpected argument '--frob'"));
}

#[test]
fn the_lessons_file_as_printed_has_two_warnings_and_runs() {
    let report = output("check -n a1 -f flume-server.conf");
    let printed = text(&report.stdout);
    assert_eq!(report.status.code(), Some(0), "{printed}");
    assert!(
        printed.contains("flume-server.conf:11:") && printed.contains("flume-server.conf:16:"),
        "{printed}"
    );
    assert!(printed.contains("0 errors, 2 warnings"), "{printed}");
    assert_eq!(output("check -n a1 -f flume-server.conf --deny-warnings").status.code(), Some(1));
    assert_eq!(
        output("check -n a1 -f flume-client.conf").status.code(),
        Some(2),
        "a1 is not in the client's file"
    );
}

#[test]
fn its_console_is_the_lessons() {
    let port = free_port();
    let mut running = Running::start(&format!(
        "agent --conf ../conf --conf-file flume-server.conf --name a1 -Dflume.root.logger=INFO,console \
         -Da1.sources.r1.bind=127.0.0.1 -Da1.sources.r1.port={port}"
    ));
    let line = running.wait_for("Component type: SOURCE");
    let started = "(lifecycleSupervisor-1-4) [INFO - org.apache.flume.instrumentation.MonitoredCounterGroup.start\
                   (MonitoredCounterGroup.java:95)] Component type: SOURCE, name: r1 started";
    assert!(line.ends_with(started), "{line}");
    let line = running.wait_for("Avro source r1 started.");
    assert!(
        line.contains("[INFO - org.apache.flume.source.AvroSource.start(AvroSource.java:260)] "),
        "{line}"
    );

    let peer = TcpStream::connect(("127.0.0.1", port)).expect("it listens");
    let address = peer.local_addr().expect("an address");
    let line = running.wait_for(" OPEN");
    assert!(line.contains(&format!(", /{address} => /127.0.0.1:{port}] OPEN")), "{line}");
    running.wait_for(&format!("] BOUND: /127.0.0.1:{port}"));
    running.wait_for(&format!("] CONNECTED: /{address}"));
    drop(peer);
    running.wait_for(&format!(", /{address} :> /127.0.0.1:{port}] DISCONNECTED"));
    assert_eq!(running.stop(), Some(0));
}
