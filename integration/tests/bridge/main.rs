//! Java classes behind the bridge: an operator's own ones and Flume's, in a JVM with the jars of 1.9 and of 1.11.

mod agent;
mod calls;
mod check;
mod kerberos;
mod objects;
mod others;
mod published;
mod reload;
mod sinks;
mod stores;

use bridge::{Bridge, ComponentKind, Interceptors, Jvm, Settings, Sink, SinkEvent, Spec};
use event::{Batch, BatchBuilder};
use integration::flume::{
    Version,
    bridge::{Said, carried, classes, host, write_jar},
};
use std::{
    fs,
    io::{self, BufRead},
    ops::Range,
    path::Path,
    time::{Duration, Instant},
};

/// Longer than anything takes here.
const PATIENCE: Duration = Duration::from_secs(120);

/// An answer within [`PATIENCE`], which says what it waited for.
async fn soon<T>(what: &str, answer: impl Future<Output = T>) -> T {
    tokio::time::timeout(PATIENCE, answer)
        .await
        .unwrap_or_else(|_| panic!("{what} takes longer than {PATIENCE:?}"))
}

/// A JVM for each release, in a folder of its own.
async fn each(mut test: impl AsyncFnMut(Scene)) {
    for version in Version::ALL {
        eprintln!("Flume {}", version.name());
        test(Scene::new(version, |_| {}).await).await;
    }
}

struct Scene {
    bridge: Bridge,
    jvm: Jvm,
    said: Said,
    directory: tempfile::TempDir,
}

impl Scene {
    async fn new(version: Version, change: impl FnOnce(&mut Settings)) -> Scene {
        let directory = tempfile::tempdir().expect("a folder");
        let (bridge, said) = host(version, directory.path(), change);
        let jvm = soon("a JVM", bridge.jvm()).await.expect("it comes up");
        Scene { bridge, jvm, said, directory }
    }

    async fn interceptors(&self, mode: &str) -> Interceptors {
        let spec = Spec::new(ComponentKind::Interceptors, "r1", "")
            .with("interceptors", "i1")
            .with("interceptors.i1.type", "org.acme.Tagging$Builder")
            .with("interceptors.i1.mode", mode);
        let made =
            soon("interceptors", Interceptors::create(&self.jvm, &spec)).await.expect("they are created");
        soon("their start", made.start()).await.expect("they start");
        made
    }

    async fn sink(&self, spec: Spec) -> Sink {
        let sink = soon("a sink", Sink::create(&self.jvm, &spec)).await.expect("it is created");
        soon("its start", sink.start()).await.expect("it starts");
        sink
    }

    fn lines_sink(&self, mode: &str) -> Spec {
        lines_sink(self.directory.path(), mode)
    }

    fn written(&self) -> Vec<String> {
        written(self.directory.path())
    }
}

fn lines_sink(directory: &Path, mode: &str) -> Spec {
    let file = directory.join("lines").display().to_string();
    Spec::new(ComponentKind::Sink, "k1", "org.acme.Lines")
        .with("file", &file)
        .with("mode", mode)
        .names(["c1"])
}

fn written(directory: &Path) -> Vec<String> {
    let text = fs::read_to_string(directory.join("lines")).unwrap_or_default();
    text.lines().map(str::to_owned).collect()
}

fn numbers(range: Range<u32>) -> Batch {
    let mut builder = BatchBuilder::default();
    range.for_each(|number| builder.push([("host", "h1")], number.to_string().as_bytes()));
    builder.finish()
}

fn texts(range: Range<u32>) -> Vec<String> {
    range.map(|number| number.to_string()).collect()
}

fn bodies(batch: &Batch) -> Vec<String> {
    batch.events().map(|event| String::from_utf8_lossy(event.body()).into_owned()).collect()
}

fn headers(batch: &Batch, name: &str) -> Vec<Option<String>> {
    batch.events().map(|event| event.header(name).map(str::to_owned)).collect()
}

/// Takes what a sink says until it has settled everything.
async fn settled(sink: &mut Sink) -> (u64, u64) {
    let (mut delivered, mut returned) = (0, 0);
    let count = |ranges: &[(u64, u64)]| ranges.iter().map(|(_, count)| count).sum::<u64>();
    while !sink.unsettled().is_empty() {
        match soon("a word of the sink", sink.next()).await.expect("its JVM lives") {
            SinkEvent::Delivered(ranges) => delivered += count(&ranges),
            SinkEvent::Returned(ranges) => returned += count(&ranges),
            SinkEvent::Paused { .. } => sink.process(),
        }
    }
    (delivered, returned)
}

/// `BRIDGE_JAR=write` writes the jar anew.
#[test]
#[ignore = "needs a JVM, Maven and a registry: .ci/run runs it"]
fn the_jar_is_what_its_source_compiles_to() {
    integration::flume::require();
    let compiled = classes().expect("the source compiles");
    if std::env::var("BRIDGE_JAR").is_ok_and(|what| what == "write") {
        write_jar(&compiled).expect("the jar can be written");
        panic!("the jar is written: build again, since it is part of the binary");
    }
    let carried = carried().expect("the jar can be read");
    let names =
        |classes: &std::collections::BTreeMap<String, Vec<u8>>| classes.keys().cloned().collect::<Vec<_>>();
    assert_eq!(names(&carried), names(&compiled));
    for (name, bytes) in &compiled {
        assert!(carried[name] == *bytes, "{name} is not what JDK 17 makes of the source: BRIDGE_JAR=write");
    }
}

#[test]
#[ignore = "needs a JVM, Maven and a registry: .ci/run runs it"]
fn a_jvm_ends_when_its_agent_is_killed() {
    integration::flume::require();
    let folder = tempfile::tempdir().expect("a folder");
    let mut agent = std::process::Command::new(env!("CARGO_BIN_EXE_bridge_rate"))
        .arg("hold")
        .arg(folder.path())
        .stdout(std::process::Stdio::piped())
        .spawn()
        .expect("it starts");
    let mut pid = String::new();
    let mut said = io::BufReader::new(agent.stdout.take().expect("a pipe"));
    said.read_line(&mut pid).expect("it says its JVM's number");
    let jvm = Path::new("/proc").join(pid.trim()).join("cmdline");
    assert!(
        fs::read_to_string(&jvm).is_ok_and(|line| line.contains("org.logcluster.bridge")),
        "{pid} is the JVM"
    );
    agent.kill().expect("it lives");
    agent.wait().expect("it is ours");
    let killed = Instant::now();
    while fs::read_to_string(&jvm).is_ok_and(|line| line.contains("org.logcluster.bridge")) {
        assert!(killed.elapsed() < PATIENCE, "the JVM {pid} lives on without its agent");
        std::thread::sleep(Duration::from_millis(20));
    }
}
