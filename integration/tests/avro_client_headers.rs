//! `avro-client` with `-R`, `--dirname` and a `-P` file of one host, into a collector of each kind: bodies and headers as
//! they are received.

use integration::{
    binaries,
    flume::{
        self, Version,
        oracle::{Node, Side},
    },
    limit, ports,
};
use std::{
    fs,
    path::{Path, PathBuf},
    process::{Command, Stdio},
    thread,
    time::{Duration, Instant},
};

/// Sends a file with and without headers, a folder's files, and a file to the host that a file names.
fn into(side: &Side) {
    let scene = tempfile::tempdir().expect("a folder");
    let collector = Collector::start(side, scene.path());
    let (port, write) = (collector.port, |name: &str, text: &str| {
        fs::write(scene.path().join(name), text).expect("a file");
    });
    write("lines", "one\ntwo\n");
    write("headers", "Type = LOGIN\nHost=a b\n");
    write("rpc.properties", &format!("client.type = default\nhosts = h1\nhosts.h1 = 127.0.0.1:{port}\n"));
    fs::create_dir(scene.path().join("spool")).expect("a folder");
    write("spool/first", "three\nfour\n");

    let here = format!("-H 127.0.0.1 -p {port}");
    let mut wanted: Vec<&str> = Vec::new();
    for (words, lines) in [
        (format!("{here} -F lines"), ["{Collector=c} one", "{Collector=c} two"]),
        (format!("{here} -F lines -R headers"), [WITH_ONE, WITH_TWO]),
        (format!("{here} --dirname spool -R headers"), [WITH_THREE, WITH_FOUR]),
        ("-P rpc.properties -F lines -R headers".to_owned(), [WITH_ONE, WITH_TWO]),
        ("-P rpc.properties -F lines".to_owned(), ["{Collector=c} one", "{Collector=c} two"]),
    ] {
        send(&words, scene.path());
        wanted.extend(lines);
    }
    // At the end only: an idle Flume looks into its channel every five seconds.
    assert_eq!(collector.with(wanted.len()), wanted);
    assert!(scene.path().join("spool/first.COMPLETED").exists(), "what was sent is renamed");
}

/// A client that succeeds says nothing.
fn send(words: &str, dir: &Path) {
    let mut command = Command::new(binaries::directory().expect("it is built").join("agent"));
    command.arg("avro-client").args(words.split_whitespace()).current_dir(dir).stdin(Stdio::null());
    let output = limit::output(command.env_remove("JAVA_OPTS").env_remove("FLUME_JAVA_OPTS"));
    let said = String::from_utf8_lossy(&output.stderr);
    assert_eq!((output.status.code(), &*said), (Some(0), ""), "{words}");
}

/// Writes headers and body of what it gets.
struct Collector {
    port: u16,
    out: PathBuf,
    node: Node,
}

impl Collector {
    fn start(side: &Side, scene: &Path) -> Collector {
        let (port, out) = (ports::free(&["127.0.0.1"]).expect("a port"), scene.join("out"));
        fs::create_dir(&out).expect("a folder");
        let text = COLLECTOR.replace("$PORT", &port.to_string()).replace("$OUT", &out.display().to_string());
        let file = scene.join("collector.properties");
        fs::write(&file, text).expect("a file");
        let node = Node::start(side, &file, "a1", scene).expect("a process");
        let up = "Avro source r1 started.";
        node.console.wait_from(0, PATIENCE, up, |line| line.text.contains(up)).expect("it starts");
        Collector { port, out, node }
    }

    /// What it has, in order, once it has as many lines as that.
    fn with(&self, count: usize) -> Vec<String> {
        let began = Instant::now();
        while self.lines().len() < count && began.elapsed() < PATIENCE {
            thread::sleep(Duration::from_millis(20));
        }
        let lines = self.lines();
        assert!(lines.len() >= count, "{lines:#?}: {:#?}", self.node.console.lines_from(0));
        lines
    }

    fn lines(&self) -> Vec<String> {
        let entries = fs::read_dir(&self.out).expect("it is there").flatten();
        let text: String =
            entries.map(|entry| fs::read_to_string(entry.path()).unwrap_or_default()).collect();
        text.lines().map(str::to_owned).collect()
    }
}

#[test]
fn headers_and_bodies_into_ours() {
    into(&Side::ours("collector").expect("the binaries are built"));
}

#[test]
#[ignore = "needs a JVM, Maven and a registry: .ci/run runs it"]
fn headers_and_bodies_into_flume_1_9() {
    flume::require();
    into(&Side::Flume(Version::V1_9));
}

#[test]
#[ignore = "needs a JVM, Maven and a registry: .ci/run runs it"]
fn headers_and_bodies_into_flume_1_11() {
    flume::require();
    into(&Side::Flume(Version::V1_11));
}

const WITH_ONE: &str = "{Collector=c, Type=LOGIN, Host=a b} one";
const WITH_TWO: &str = "{Collector=c, Type=LOGIN, Host=a b} two";
const WITH_THREE: &str = "{Collector=c, Type=LOGIN, Host=a b} three";
const WITH_FOUR: &str = "{Collector=c, Type=LOGIN, Host=a b} four";
const PATIENCE: Duration = Duration::from_secs(120);

/// One file for all, so that what comes stands in its order.
const COLLECTOR: &str = "a1.sources = r1
a1.channels = c1
a1.sinks = k1
a1.sources.r1.type = avro
a1.sources.r1.bind = 127.0.0.1
a1.sources.r1.port = $PORT
a1.sources.r1.channels = c1
a1.sources.r1.interceptors = i1
a1.sources.r1.interceptors.i1.type = static
a1.sources.r1.interceptors.i1.key = Collector
a1.sources.r1.interceptors.i1.value = c
a1.channels.c1.type = memory
a1.sinks.k1.type = file_roll
a1.sinks.k1.sink.directory = $OUT
a1.sinks.k1.sink.rollInterval = 0
a1.sinks.k1.sink.serializer = header_and_text
a1.sinks.k1.channel = c1
";
