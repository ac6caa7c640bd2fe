//! Java classes behind the bridge: an operator's own ones and Flume's, in a JVM with the jars of 1.9 and of 1.11.

use bridge::{
    Bridge, BridgeError, Channel, Group, Interceptors, Jvm, Kind, Outcome, Patience, PutError, Settings,
    Sink, SinkEvent, Source, Spec,
};
use event::{Batch, BatchBuilder};
use integration::flume::{
    Version,
    bridge::{Said, carried, classes, host, write_jar},
};
use std::{
    collections::BTreeSet,
    fs,
    io::{self, BufRead},
    ops::Range,
    path::Path,
    time::{Duration, Instant},
};

/// Longer than anything takes here.
const PATIENCE: Duration = Duration::from_secs(60);

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
        let spec = Spec::new(Kind::Interceptors, "r1", "")
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
    Spec::new(Kind::Sink, "k1", "org.acme.Lines").with("file", &file).with("mode", mode).names(["c1"])
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

#[tokio::test]
#[ignore = "needs a JVM, Maven and a registry: .ci/run runs it"]
async fn interceptors_see_and_do_what_they_do_in_flume() {
    each(async |scene| {
        let batch = numbers(0..4);
        let call = async |mode: &str, single: bool| {
            let interceptors = scene.interceptors(mode).await;
            assert_eq!(interceptors.made().class, "org.acme.Tagging");
            soon("a call", interceptors.call(&batch, single)).await
        };
        for single in [false, true] {
            let same = call("nothing", single).await.expect("an answer").batch;
            assert_eq!(same.buffer().as_ptr(), batch.buffer().as_ptr(), "nothing is copied");
            let tagged = call("x", single).await.expect("an answer").batch;
            assert_eq!(bodies(&tagged), bodies(&batch));
            assert_eq!(headers(&tagged, "tag"), vec![Some("x".to_owned()); 4]);
            assert_eq!(headers(&tagged, "host"), vec![Some("h1".to_owned()); 4]);
            let odd = call("drop-even", single).await.expect("an answer").batch;
            assert_eq!(bodies(&odd), ["1", "3"]);
            let changed = call("in-place", single).await.expect("an answer").batch;
            assert_eq!(bodies(&changed), ["X"; 4], "also when the array is changed and not set");
            let raw = call("raw-header", single).await.expect("an answer").batch;
            assert_eq!(headers(&raw, "number"), vec![Some("5".to_owned()); 4]);
            assert_eq!(headers(&raw, "none"), vec![None; 4]);
            let error = call("throw", single).await.expect_err("it throws").to_string();
            assert_eq!(
                error,
                "interceptors of source r1 has failed in a call: IllegalStateException: cannot take 0"
            );
        }
        let more = call("more", false).await.expect("an answer").batch;
        assert_eq!(bodies(&more), ["0", "more", "1", "more", "2", "more", "3", "more"]);
        for (mode, text) in
            [("null-list", "NullPointerException"), ("null-in-list", "put() called with null event!")]
        {
            let error = call(mode, false).await.expect_err("it fails").to_string();
            assert!(error.contains(text), "{error}");
        }
        let error = call("error", false).await.expect_err("an Error").to_string();
        assert!(error.contains("no class org.kite.Missing"), "{error}");
        assert!(call("x", false).await.is_ok(), "the JVM goes on");
        scene.said.wait_for("Tagging says this on its output", PATIENCE).await;
    })
    .await;
}

#[tokio::test]
#[ignore = "needs a JVM, Maven and a registry: .ci/run runs it"]
async fn bytes_that_are_not_utf8_come_back_as_they_were() {
    each(async |scene| {
        let mut map = bytes::BytesMut::new();
        event::encode_headers(&mut map, [(&b"name"[..], &b"M\xfcller"[..])]);
        let mut builder = BatchBuilder::default();
        builder.push_encoded(&map, event::Span::BORN_HERE, b"\xff\xfe body");
        let batch = builder.finish();
        let answer = scene.interceptors("x").await.call(&batch, false).await.expect("an answer").batch;
        let event = answer.events().next().expect("one event");
        assert_eq!(event.body(), b"\xff\xfe body");
        assert!(event.headers().any(|(_, value)| value == b"M\xfcller"), "the header is untouched");
        assert_eq!(event.header("tag"), Some("x"));
    })
    .await;
}

#[tokio::test]
#[ignore = "needs a JVM, Maven and a registry: .ci/run runs it"]
async fn a_selector_says_for_each_event_where_it_goes() {
    each(async |scene| {
        let spec = Spec::new(Kind::Interceptors, "r1", "").with("selector.type", "org.acme.ByParity");
        let made = Interceptors::create(&scene.jvm, &spec.names(["c1", "c2"])).await.expect("it is created");
        assert_eq!(made.made().class, "org.acme.ByParity");
        made.start().await.expect("it starts");
        let mut builder = BatchBuilder::default();
        builder.push([], b"2");
        builder.push([("all", "")], b"3");
        let answer = soon("a call", made.call(&builder.finish(), false)).await.expect("an answer");
        let routes = answer.routes.expect("routes");
        let of = |index| routes.of(index).map(|route| (route.required.clone(), route.optional.clone()));
        assert_eq!([of(0), of(1)], [Some((vec![0], vec![])), Some((vec![1], vec![0, 1]))]);
    })
    .await;
}

#[tokio::test]
#[ignore = "needs a JVM, Maven and a registry: .ci/run runs it"]
async fn a_sink_settles_by_its_commits_and_a_roll_back_delivers_again() {
    each(async |scene| {
        for mode in ["", "throw-odd"] {
            let mut sink = scene.sink(scene.lines_sink(mode)).await;
            for start in (0..2000).step_by(500) {
                sink.push(&numbers(start..start + 500)).expect("it fits");
            }
            sink.process();
            assert_eq!(settled(&mut sink).await, (2000, 0));
            assert_eq!(scene.written(), texts(0..2000), "in order, each once; mode {mode}");
            soon("its stop", sink.stop()).await.expect("it stops");
            fs::remove_file(scene.directory.path().join("lines")).expect("it is there");
        }
        let metrics = soon("the counters", scene.jvm.metrics()).await.expect("an answer");
        assert_eq!(metrics["SINK.k1"]["EventDrainSuccessCount"], "2000");
    })
    .await;
}

#[tokio::test]
#[ignore = "needs a JVM, Maven and a registry: .ci/run runs it"]
async fn what_a_sink_cannot_deliver_comes_back_for_another_one() {
    each(async |scene| {
        let mut sink = scene.sink(scene.lines_sink("throw")).await;
        sink.push(&numbers(0..300)).expect("it fits");
        sink.process();
        let paused = soon("a pause", sink.next()).await;
        let Some(SinkEvent::Paused { outcome: Outcome::Exception(thrown), runs: 1, .. }) = paused else {
            panic!("an exception, not {paused:?}");
        };
        assert_eq!(
            thrown.to_string(),
            "EventDeliveryException: org.apache.flume.EventDeliveryException: the target is away"
        );
        sink.recall();
        assert_eq!(soon("the events", sink.next()).await, Some(SinkEvent::Returned(vec![(0, 300)])));
        assert!(sink.unsettled().is_empty());
        sink.push(&numbers(0..10)).expect("it fits");
        soon("its stop", sink.stop()).await.expect("it stops");
        assert_eq!(sink.try_next(), Some(SinkEvent::Returned(vec![(300, 10)])));
        // An empty channel is a back-off that says so.
        let mut idle =
            scene.sink(Spec { keep_alive: Duration::from_millis(50), ..scene.lines_sink("") }).await;
        idle.process();
        let paused = soon("a pause", idle.next()).await;
        assert_eq!(paused, Some(SinkEvent::Paused { outcome: Outcome::Backoff, runs: 1, starved: true }));
    })
    .await;
}

#[tokio::test]
#[ignore = "needs a JVM, Maven and a registry: .ci/run runs it"]
async fn a_killed_jvm_loses_nothing_and_is_started_again() {
    each(async |scene| {
        let Scene { bridge, jvm, said, directory } = scene;
        let (mut jvm, mut pending): (Jvm, Vec<u32>) = (jvm, (0..6000).collect());
        for round in 0..4 {
            let spec = lines_sink(directory.path(), "throw-odd");
            let mut sink = Sink::create(&jvm, &spec).await.expect("it is created");
            sink.start().await.expect("it starts");
            let sent = std::mem::take(&mut pending);
            let mut builder = BatchBuilder::default();
            sent.iter().for_each(|number| builder.push([], number.to_string().as_bytes()));
            let numbers = sink.push(&builder.finish()).expect("it fits");
            sink.process();
            let mut acks = 0;
            while let Some(event) = soon("a word of the sink", sink.next()).await {
                acks += usize::from(matches!(event, SinkEvent::Delivered(_)));
                if matches!(event, SinkEvent::Paused { .. }) {
                    sink.process();
                }
                if round < 3 && acks == 3 {
                    let pid =
                        jvm.pid().and_then(|pid| rustix::process::Pid::from_raw(pid as i32)).expect("a pid");
                    rustix::process::kill_process(pid, rustix::process::Signal::KILL).expect("it lives");
                }
                if sink.unsettled().is_empty() {
                    break;
                }
            }
            for (first, count) in sink.unsettled() {
                let from = (first - numbers.start) as usize;
                pending.extend(&sent[from..from + count as usize]);
            }
            if round < 3 {
                assert!(!pending.is_empty(), "killed in the middle");
                said.wait_for("signal: 9", PATIENCE).await;
                jvm = soon("a new JVM", bridge.jvm()).await.expect("it comes up");
            }
        }
        assert_eq!(pending, [] as [u32; 0]);
        let lines = written(directory.path());
        let distinct: BTreeSet<&String> = lines.iter().collect();
        assert_eq!(distinct.len(), 6000, "each is there");
        assert!(lines.len() <= 6000 + 3 * 100, "doubled is at most the batch under way: {}", lines.len());
    })
    .await;
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

#[tokio::test]
#[ignore = "needs a JVM, Maven and a registry: .ci/run runs it"]
async fn a_sink_that_hangs_is_told_with_its_stack_and_then_ended() {
    for version in Version::ALL {
        // A start on a busy machine takes a second or two.
        let patience =
            Patience { tell_after: Duration::from_secs(4), end_after: Some(Duration::from_secs(10)) };
        let scene = Scene::new(version, |settings| settings.patience = patience).await;
        let mut sink = scene.sink(scene.lines_sink("hang")).await;
        sink.push(&numbers(0..7)).expect("it fits");
        sink.process();
        assert_eq!(soon("the end", sink.next()).await, None);
        let told = scene.said.wait_for("sink k1 has not answered process() for ", PATIENCE).await;
        assert!(told.contains("org.acme.Lines.hang"), "{told}");
        assert!(!told.contains("\"main\""), "its own threads only: {told}");
        assert_eq!(sink.unsettled(), [(0, 7)]);
        let gone = sink.gone().to_string();
        assert!(gone.contains("the JVM has ended: sink k1 has not answered process() for 1"), "{gone}");
    }
}

#[tokio::test]
#[ignore = "needs a JVM, Maven and a registry: .ci/run runs it"]
async fn a_call_that_hangs_does_not_hold_others() {
    each(async |scene| {
        let hangs = scene.interceptors("hang").await;
        let works = scene.interceptors("x").await;
        let batch = numbers(0..2);
        tokio::select! {
            answer = hangs.call(&batch, false) => panic!("it hangs, but says {answer:?}"),
            answer = soon("the other call", works.call(&batch, false)) => drop(answer.expect("an answer")),
        }
    })
    .await;
}

#[tokio::test]
#[ignore = "needs a JVM, Maven and a registry: .ci/run runs it"]
async fn a_class_that_ends_the_jvm_is_named() {
    for (mode, text) in [
        ("exit", "sink k1 has called System.exit, in org.acme.Lines.process(Lines.java:"),
        ("heap", "java.lang.OutOfMemoryError"),
    ] {
        each(async |scene| {
            let mut sink = scene.sink(scene.lines_sink(mode)).await;
            sink.push(&numbers(0..3)).expect("it fits");
            sink.process();
            assert_eq!(soon("the end", sink.next()).await, None);
            assert_eq!(sink.unsettled(), [(0, 3)]);
            let gone = sink.gone().to_string();
            assert!(gone.contains(text), "{gone}");
        })
        .await;
    }
}

#[tokio::test]
#[ignore = "needs a JVM, Maven and a registry: .ci/run runs it"]
async fn errors_name_the_component_and_the_class() {
    each(async |scene| {
        let missing = Spec::new(Kind::Sink, "k1", "org.acme.NotThere").names(["c1"]);
        let error = Sink::create(&scene.jvm, &missing).await.err().expect("there is none").to_string();
        assert!(
            error.starts_with("sink k1: there is no class org.acme.NotThere on the class path: "),
            "{error}"
        );
        assert!(error.contains("/lib/*") && error.contains("plugins.d/NAME/lib"), "{error}");
        let spec = Spec::new(Kind::Interceptors, "r1", "").with("interceptors", "i1");
        let spec = spec.with("interceptors.i1.type", "org.acme.NotThere$Builder");
        let error = Interceptors::create(&scene.jvm, &spec).await.err().expect("there is none").to_string();
        assert!(error.contains("no class org.acme.NotThere$Builder"), "{error}");
        let error = Sink::create(&scene.jvm, &scene.lines_sink("bad-setting")).await.err().expect("refused");
        assert_eq!(
            error.to_string(),
            "sink k1 has failed in create: ConfigurationException: mode may not be bad-setting"
        );
        let mut sink = scene.sink(scene.lines_sink("error")).await;
        sink.push(&numbers(0..3)).expect("it fits");
        sink.process();
        let paused = soon("its end", sink.next()).await;
        let Some(SinkEvent::Paused { outcome: Outcome::Dead(thrown), .. }) = paused else {
            panic!("an Error, not {paused:?}");
        };
        assert_eq!(thrown.missing.as_deref(), Some("org.kite.Missing"));
        sink.recall();
        assert_eq!(soon("the events", sink.next()).await, Some(SinkEvent::Returned(vec![(0, 3)])));
        let large = numbers(0..3);
        let mut builder = BatchBuilder::default();
        builder.push([], &vec![b'x'; 40 << 20]);
        let error = sink.push(&builder.finish()).expect_err("too large");
        assert!(matches!(error, BridgeError::TooLarge { .. }), "{error}");
        sink.push(&large).expect("it fits");
    })
    .await;
}

#[tokio::test]
#[ignore = "needs a JVM, Maven and a registry: .ci/run runs it"]
async fn log_lines_and_stray_exceptions_come_under_their_names() {
    each(async |scene| {
        let mut sink = scene.sink(scene.lines_sink("stray")).await;
        let line = scene.said.wait_for("Lines writes to", PATIENCE).await;
        assert!(line.contains("level: \"INFO\", logger: \"org.acme.Lines\""), "{line}");
        sink.process();
        let stray = scene.said.wait_for("nobody catches this", PATIENCE).await;
        assert!(stray.contains("component: \"sink k1\", thread: \"stray\""), "{stray}");
        let all = scene.said.all().concat();
        assert!(!all.contains("this is not shown"), "DEBUG lines are not asked for");
        assert_eq!(all.matches("Lines writes to").count(), 1, "each line comes once");
        assert!(!all.contains("log4j:WARN") && !all.contains("StatusLogger"), "{all}");
    })
    .await;
}

#[tokio::test]
#[ignore = "needs a JVM, Maven and a registry: .ci/run runs it"]
async fn sources_store_by_asking_and_a_late_answer_loses_nothing() {
    each(async |scene| {
        for (class, how) in [("org.acme.Polled", "pollable"), ("org.acme.Driven", "driven")] {
            let spec = Spec::new(Kind::Source, "r1", class).with("end", "50").names(["c1"]);
            let spec =
                spec.with("interceptors", "i1").with("interceptors.i1.type", "org.acme.Tagging$Builder");
            let mut source =
                soon("a source", Source::create(&scene.jvm, &spec)).await.expect("it is created");
            assert_eq!(source.made().how, how);
            source.start().await.expect("it starts");
            let mut stored = Vec::new();
            while stored.len() < 50 {
                let put = soon("a batch", source.next()).await.expect("its JVM lives");
                assert_eq!(headers(&put.batch, "tag"), vec![Some("seen".to_owned()); put.batch.len()]);
                if stored.len() == 20 {
                    tokio::time::sleep(Duration::from_millis(300)).await; // a channel that has room later
                }
                stored.extend(bodies(&put.batch));
                put.answer(Ok(()));
            }
            assert_eq!(stored, texts(0..50));
            soon("its stop", source.stop(async |put| put.answer(Ok(())))).await.expect("it stops");
        }
    })
    .await;
}

#[tokio::test]
#[ignore = "needs a JVM, Maven and a registry: .ci/run runs it"]
async fn a_source_that_is_stopped_while_it_waits_counts_what_was_stored() {
    each(async |scene| {
        let spec = Spec::new(Kind::Source, "r1", "org.acme.Polled").names(["c1"]);
        let mut source = Source::create(&scene.jvm, &spec).await.expect("it is created");
        source.start().await.expect("it starts");
        let full = soon("a batch", source.next()).await.expect("its JVM lives");
        full.answer(Err(PutError::Full("no room".into())));
        scene.said.wait_for("Polled gets org.apache.flume.ChannelFullException: no room", PATIENCE).await;
        let held = soon("the same batch again", source.next()).await.expect("its JVM lives");
        assert_eq!(bodies(&held.batch), texts(0..10));
        let answer = async {
            tokio::time::sleep(Duration::from_millis(200)).await;
            held.answer(Ok(()));
        };
        let (stopped, ()) = soon("its stop", async {
            tokio::join!(
                source.stop(async |put| put.answer(Err(PutError::Refused("stopped".into())))),
                answer
            )
        })
        .await;
        stopped.expect("it stops");
        scene.said.wait_for("Polled stops at 10", PATIENCE).await;
    })
    .await;
}

#[tokio::test]
#[ignore = "needs a JVM, Maven and a registry: .ci/run runs it"]
async fn flumes_file_channel_keeps_its_events_through_a_kill() {
    each(async |scene| {
        let folder = |name: &str| scene.directory.path().join(name).display().to_string();
        let spec = Spec::new(Kind::Channel, "c1", "file")
            .with("checkpointDir", &folder("checkpoint"))
            .with("dataDirs", &folder("data"))
            .with("capacity", "100")
            .with("transactionCapacity", "60")
            .with("keep-alive", "0");
        let channel = soon("a channel", Channel::create(&scene.jvm, &spec)).await.expect("it is created");
        soon("its start", channel.start()).await.expect("it starts");
        for start in [0, 50] {
            soon("a put", channel.put(&numbers(start..start + 50))).await.expect("there is room");
        }
        let full = soon("a put", channel.put(&numbers(100..101))).await.expect_err("it is full");
        assert!(full.is_full(), "{full}");
        let (one, two) = (channel.take(20).await.expect("a take"), channel.take(20).await.expect("a take"));
        assert_eq!((bodies(&one.batch), bodies(&two.batch)), (texts(0..20), texts(20..40)), "both are open");
        one.rollback().await.expect("a roll back");
        two.commit().await.expect("a commit");
        drop(channel.take(5).await.expect("a take"));
        let pid = scene.jvm.pid().and_then(|pid| rustix::process::Pid::from_raw(pid as i32)).expect("a pid");
        rustix::process::kill_process(pid, rustix::process::Signal::KILL).expect("it lives");
        soon("an error", channel.take(1)).await.err().expect("its JVM is gone");
        let jvm = soon("a new JVM", scene.bridge.jvm()).await.expect("it comes up");
        let again = soon("a channel", Channel::create(&jvm, &spec)).await.expect("it is created");
        soon("its start", again.start()).await.expect("it replays its log");
        let mut left = BTreeSet::new();
        loop {
            let taken = soon("a take", again.take(60)).await.expect("a take");
            if taken.batch.is_empty() {
                break;
            }
            assert_eq!(headers(&taken.batch, "host")[0].as_deref(), Some("h1"));
            left.extend(bodies(&taken.batch));
            taken.commit().await.expect("a commit");
        }
        assert_eq!(left, texts(0..20).into_iter().chain(texts(40..100)).collect());
        soon("its stop", again.stop()).await.expect("it stops");
    })
    .await;
}

#[tokio::test]
#[ignore = "needs a JVM, Maven and a registry: .ci/run runs it"]
async fn other_channels_and_processors_of_flume_work_too() {
    each(async |scene| {
        let folder = |name: &str| scene.directory.path().join(name).display().to_string();
        let spillable = Spec::new(Kind::Channel, "c2", "SPILLABLEMEMORY")
            .with("checkpointDir", &folder("checkpoint2"))
            .with("dataDirs", &folder("data2"))
            .with("transactionCapacity", "50")
            .with("memoryCapacity", "10")
            .with("overflowCapacity", "100");
        let channel =
            soon("a channel", Channel::create(&scene.jvm, &spillable)).await.expect("it is created");
        soon("its start", channel.start()).await.expect("it starts");
        for start in [0, 10, 20] {
            soon("a put", channel.put(&numbers(start..start + 10))).await.expect("there is room");
        }
        let mut taken = BTreeSet::new();
        while taken.len() < 30 {
            let batch = soon("a take", channel.take(10)).await.expect("a take");
            taken.extend(bodies(&batch.batch));
            batch.commit().await.expect("a commit");
        }
        let spec = Spec::new(Kind::Group, "g1", "failover")
            .with("type", "failover")
            .with("sinks", "k1 k2")
            .with("priority.k1", "5")
            .with("priority.k2", "10")
            .names(["k1", "k2"]);
        let mut group = soon("a group", Group::create(&scene.jvm, &spec)).await.expect("it is created");
        group.start().await.expect("it starts");
        let mut asked = Vec::new();
        let outcome = soon(
            "a round",
            group.process(async |index| {
                asked.push(index);
                if index == 1 {
                    Outcome::Exception(bridge::Thrown { message: "away".into(), ..Default::default() })
                } else {
                    Outcome::Ready
                }
            }),
        )
        .await;
        assert_eq!((outcome.expect("an answer"), asked), (Outcome::Ready, vec![1, 0]));
    })
    .await;
}
