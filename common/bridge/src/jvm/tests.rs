//! Programs that are no JVM, but speak like one: a shell script has the two pipes as its 3 and 4.

use super::*;
use crate::{ComponentKind, Sink, SinkEvent, Source, Spec, frame::Outgoing};
use bytes::BytesMut;
use event::{BatchBuilder, push_zigzag};
use std::{fmt::Write, fs, os::unix::fs::PermissionsExt};

struct Scene {
    settings: Settings,
    said: Arc<Mutex<Vec<String>>>,
    _folder: tempfile::TempDir,
}

impl Scene {
    /// A program in place of `java`.
    fn new(script: &str) -> Scene {
        let folder = tempfile::tempdir().expect("a folder");
        let java = folder.path().join("java");
        fs::write(&java, format!("#!/bin/sh\n{script}")).expect("it can be written");
        fs::set_permissions(&java, fs::Permissions::from_mode(0o755)).expect("ours");
        let path = folder.path().to_owned();
        let settings = Settings { java, directory: path.clone(), scratch: path, ..Settings::default() };
        Scene { settings, said: Arc::default(), _folder: folder }
    }

    async fn start(&self) -> Result<Jvm, BridgeError> {
        let said = self.said.clone();
        let notify: Notify = Arc::new(move |notice| said.lock().expect("ours").push(format!("{notice:?}")));
        let start = Jvm::start(&self.settings, notify);
        tokio::time::timeout(PATIENCE, start).await.expect("an answer within 30 s")
    }
}

const PATIENCE: Duration = Duration::from_secs(30);

/// A shell's command that writes a frame to the agent.
fn say(kind: u8, component: u32, write: impl FnOnce(&mut BytesMut)) -> String {
    let mut payload = BytesMut::new();
    write(&mut payload);
    let bytes = Outgoing::new(kind, component, &payload, []).parts.concat();
    format!("printf '{}' >&4\n", octal(&bytes))
}

fn octal(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        write!(text, "\\{byte:03o}").expect("a string takes all");
        text
    })
}

fn text(out: &mut BytesMut, text: &str) {
    push_zigzag(out, text.len() as i64);
    out.extend_from_slice(text.as_bytes());
}

fn hello(version: i64) -> String {
    say(0x81, 0, |out| {
        push_zigzag(out, version);
        ["1.9.0", "17", "7@host"].iter().for_each(|each| text(out, each));
        push_zigzag(out, 200);
        push_zigzag(out, 64 << 20);
    })
}

#[tokio::test]
async fn a_program_that_does_not_come_up_is_told_with_its_last_words() {
    let scene = Scene::new("echo 'Error: no such class' >&2\nprintf '\\tat somewhere\\n'\nexit 1\n");
    let error = scene.start().await.expect_err("it is no JVM").to_string();
    assert_eq!(error, "the JVM does not come up: exit status: 1; its last lines: Error: no such class");
    let mut nowhere = Scene::new("");
    nowhere.settings.java = "/no/such/java".into();
    let error = nowhere.start().await.expect_err("there is none").to_string();
    assert!(error.contains("/no/such/java"), "{error}");
}

#[tokio::test]
async fn another_version_of_the_protocol_is_refused() {
    let scene = Scene::new(&format!("{}exec cat <&3 >/dev/null\n", hello(VERSION + 1)));
    let error = scene.start().await.expect_err("it is another one").to_string();
    assert_eq!(error, "the JVM does not come up: it speaks version 2 of the protocol, not 1");
}

#[tokio::test]
async fn what_was_acknowledged_before_a_kill_counts_and_the_rest_comes_back() {
    let batch = ten_events();
    let spec = Spec::new(ComponentKind::Sink, "k1", "any").names(["c1"]);
    let take = |bytes: usize| format!("head -c {bytes} <&3 >/dev/null\n");
    let ping = to_jvm::plain(to_jvm::PING, 0).bytes();
    let created = say(0x82, 1, |out| {
        text(out, "org.acme.Sink");
        push_zigzag(out, -1);
        text(out, "sink");
    });
    let ack = say(0xa1, 1, |out| [1, 0, 4].iter().for_each(|number| push_zigzag(out, *number)));
    let cut = format!("printf '{}' >&4\n", octal(&[0, 0, 0, 90, 0xa1, 0, 0]));
    let script = [
        hello(VERSION),
        take(ping + to_jvm::create(1, &spec).bytes()),
        created,
        take(to_jvm::events(1, 0, &batch, None).bytes()),
        ack,
        cut,
        "kill -9 $$\n".to_owned(),
    ];
    let scene = Scene::new(&script.concat());
    let jvm = scene.start().await.expect("it greets");
    let mut sink = Sink::create(&jvm, &spec).await.expect("it is created");
    sink.push(&batch).expect("it fits");
    let first = tokio::time::timeout(PATIENCE, sink.next()).await.expect("a word within 30 s");
    assert_eq!(first, Some(SinkEvent::Delivered(vec![(0, 4)])));
    assert_eq!(tokio::time::timeout(PATIENCE, sink.next()).await.expect("the end within 30 s"), None);
    assert_eq!(sink.unsettled(), [(4, 6)]);
    assert!(sink.gone().to_string().contains("signal: 9"), "{}", sink.gone());
    assert!(matches!(Sink::create(&jvm, &spec).await, Err(BridgeError::Gone(_))), "nothing waits for ever");
}

fn ten_events() -> event::Batch {
    let mut builder = BatchBuilder::default();
    (0..10).for_each(|number: u32| builder.push([], number.to_string().as_bytes()));
    builder.finish()
}

#[tokio::test]
async fn a_sink_that_settles_what_it_does_not_have_ends_its_jvm() {
    let spec = Spec::new(ComponentKind::Sink, "k1", "any");
    let asked = to_jvm::plain(to_jvm::PING, 0).bytes() + to_jvm::create(1, &spec).bytes();
    let created = say(0x82, 1, |out| {
        text(out, "org.acme.Sink");
        push_zigzag(out, 7);
        text(out, "sink");
    });
    let ack = say(0xa1, 1, |out| [1, 50, 1].iter().for_each(|number| push_zigzag(out, *number)));
    let take = |bytes: usize| format!("head -c {bytes} <&3 >/dev/null\n");
    let batch = ten_events();
    // It settles when it has got something: by then the sink is known on this side.
    let script = [
        hello(VERSION),
        take(asked),
        created,
        take(to_jvm::events(1, 0, &batch, None).bytes()),
        ack,
        "exec cat <&3 >/dev/null\n".to_owned(),
    ];
    let scene = Scene::new(&script.concat());
    let jvm = scene.start().await.expect("it greets");
    let mut sink = Sink::create(&jvm, &spec).await.expect("it is created");
    sink.push(&batch).expect("it fits");
    assert_eq!(tokio::time::timeout(PATIENCE, sink.next()).await.expect("the end within 30 s"), None);
    assert!(jvm.reason().contains("sink k1 settles event 50, which it does not have"), "{}", jvm.reason());
}

#[tokio::test]
async fn objects_are_given_up_when_the_last_part_of_their_batch_is_and_are_no_other_jvms() {
    let spec = Spec::new(ComponentKind::Source, "r1", "any");
    let take = |bytes: usize| format!("head -c {bytes} <&3 >/dev/null\n");
    let ping = to_jvm::plain(to_jvm::PING, 0).bytes();
    let created = say(0x82, 1, |out| {
        text(out, "org.acme.Source");
        push_zigzag(out, -1);
        text(out, "pollable");
    });
    let put = say(0xb8, 1, |out| {
        [6, 1, 0, 10].iter().for_each(|number| push_zigzag(out, *number));
        ten_events().append_to(out);
    });
    let script = [
        hello(VERSION),
        take(ping + to_jvm::create(1, &spec).bytes()),
        created,
        put,
        take(to_jvm::put_result(1, 1, Ok(())).bytes() + to_jvm::release(6).bytes()),
        "kill -9 $$\n".to_owned(),
    ];
    let scene = Scene::new(&script.concat());
    let jvm = scene.start().await.expect("it greets");
    let mut source = Source::create(&jvm, &spec).await.expect("it is created");
    let put =
        tokio::time::timeout(PATIENCE, source.next()).await.expect("a put within 30 s").expect("it lives");
    let mut rest = put.batch.clone();
    put.answer(Ok(()));
    drop(rest.split_to(3));
    let last = rest.filter(|event| event.body() == b"7");
    drop(rest);
    assert_eq!(jvm.objects(&last).map(|known| (known.id, known.places.to_vec())), Some((6, vec![7])));
    let another = Scene::new(&(hello(VERSION) + "exec cat <&3 >/dev/null\n"));
    let another = another.start().await.expect("it greets");
    assert!(
        another.objects(&last).is_none() && another.has_lost_objects(&last) && !jvm.has_lost_objects(&last)
    );
    assert!(jvm.died_at().is_none(), "it waits for the end of the last one");
    drop(last);
    assert!(tokio::time::timeout(PATIENCE, source.next()).await.expect("the end within 30 s").is_none());
    assert!(jvm.reason().contains("signal: 9"), "{}", jvm.reason());
}

#[tokio::test]
async fn a_stream_that_has_lost_its_beat_ends_the_jvm() {
    let garbage = format!("printf '{}' >&4\nexec cat <&3 >/dev/null\n", octal(&[0xff; 12]));
    let scene = Scene::new(&(hello(VERSION) + &garbage));
    let jvm = scene.start().await.expect("it greets");
    let ended = async {
        while jvm.died_at().is_none() {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    tokio::time::timeout(PATIENCE, ended).await.expect("the end within 30 s");
    assert!(jvm.reason().contains("a frame of 4294967295 bytes is announced"), "{}", jvm.reason());
    let said = scene.said.lock().expect("ours").concat();
    assert!(said.contains("Ended") && said.contains("wanted: false"), "{said}");
}
