//! Sinks: what they settle, and what becomes of it when they fail, hang or take their JVM with them.

use super::{PATIENCE, Scene, each, lines_sink, numbers, settled, soon, texts, written};
use bridge::{BridgeError, ComponentKind, Interceptors, Jvm, Outcome, SilenceLimits, Sink, SinkEvent, Spec};
use event::BatchBuilder;
use integration::flume::Version;
use std::{collections::BTreeSet, fs, time::Duration};

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

#[tokio::test]
#[ignore = "needs a JVM, Maven and a registry: .ci/run runs it"]
async fn a_sink_that_hangs_is_told_with_its_stack_and_then_ended() {
    for version in Version::ALL {
        // A start on a busy machine takes a second or two.
        let silence_limits =
            SilenceLimits { tell_after: Duration::from_secs(4), end_after: Some(Duration::from_secs(10)) };
        let scene = Scene::new(version, |settings| settings.silence_limits = silence_limits).await;
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
async fn a_class_that_ends_the_jvm_is_named() {
    for (mode, text) in [
        ("exit", "sink k1 has called System.exit, in org.acme.Lines.process(Lines.java:"),
        (
            "heap",
            "its memory is used up (Java heap space): sink k1 has asked for more, in org.acme.Lines.process",
        ),
        (
            "leak-aside",
            "its memory is used up (Java heap space): sink k1 has asked for more, in org.acme.Leak.more",
        ),
    ] {
        each(async |scene| {
            let mut sink = scene.sink(scene.lines_sink(mode)).await;
            sink.push(&numbers(0..3)).expect("it fits");
            sink.process();
            if mode == "leak-aside" {
                while soon("the end", sink.next()).await.is_some() {} // it may have delivered before
            } else {
                assert_eq!(soon("the end", sink.next()).await, None);
                assert_eq!(sink.unsettled(), [(0, 3)]);
            }
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
        let missing = Spec::new(ComponentKind::Sink, "k1", "org.acme.NotThere").names(["c1"]);
        let error = Sink::create(&scene.jvm, &missing).await.err().expect("there is none").to_string();
        assert!(
            error.starts_with("sink k1: there is no class org.acme.NotThere on the class path: "),
            "{error}"
        );
        assert!(error.contains("/lib/*") && error.contains("plugins.d/NAME/lib"), "{error}");
        let spec = Spec::new(ComponentKind::Interceptors, "r1", "").with("interceptors", "i1");
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
