use super::lines::LINES;
use super::*;
use flow::channel::ChannelRef;
use flow::error::ChannelError;
use flow::message::PutTimeout;
use flow::testing::{batch, started};
use runtime::within::Within;
use serde_json::{Value, json};
use std::io::{BufRead, BufReader, PipeReader, PipeWriter, Write, pipe};

/// A channel, and its topology played by the test.
struct Scene {
    channel: ChannelRef,
    shared: Arc<Shared>,
}

fn scene(events: usize) -> Scene {
    let limits = Limits { events, bytes: MOST_BYTES, within: Duration::from_secs(15) };
    let store = StormStore { begun: true, ..StormStore::new(limits) };
    let shared = store.shared.clone();
    let settings = ChannelSettings { transaction: events, keep_alive: Duration::from_secs(3), fits: None };
    Scene { channel: started("c1", NewChannel::of(store, settings)), shared }
}

/// Storm's end of the pipes.
struct Storm {
    to: Option<PipeWriter>,
    from: BufReader<PipeReader>,
    talks: Option<thread::JoinHandle<Result<(), String>>>,
}

impl Storm {
    fn new(scene: &Scene) -> Storm {
        let (input, to) = pipe().expect("a pipe");
        let (from, output) = pipe().expect("a pipe");
        let shared = scene.shared.clone();
        let talks = thread::spawn(move || talk::talk(&shared, &LINES, input, output));
        Storm { to: Some(to), from: BufReader::new(from), talks: Some(talks) }
    }

    fn say(&mut self, message: &Value) {
        write!(self.to.as_mut().expect("open"), "{message}\nend\n").expect("it reads");
    }

    fn hear(&mut self) -> Value {
        let mut text = String::new();
        while !text.ends_with("\nend\n") {
            assert!(self.from.read_line(&mut text).expect("it writes") > 0, "it has ended behind {text}");
        }
        serde_json::from_str(text.trim_end_matches("end\n")).expect("JSON")
    }

    /// Says a command and hears all that comes up to its `sync`.
    fn command(&mut self, word: &str, id: &str) -> Vec<Value> {
        self.say(&json!({"command": word, "id": id}));
        let heard =
            std::iter::from_fn(|| Some(self.hear()).filter(|said| *said != json!({"command": "sync"})));
        heard.collect()
    }

    /// The ids of the tuples that it gets now.
    fn next(&mut self) -> Vec<String> {
        let id = |said: &Value| said["id"].as_str().expect("an id").to_owned();
        self.command("next", "").iter().map(id).collect()
    }

    fn greet(&mut self, pids: &std::path::Path) {
        self.say(&json!({"pidDir": pids, "context": {"componentid": "s"}, "conf": {"topology.message.timeout.secs": 30}}));
        assert_eq!(self.hear(), json!({"pid": std::process::id()}));
        assert!(pids.join(std::process::id().to_string()).exists());
        assert_eq!(self.command("activate", ""), [Value::Null; 0]);
    }

    fn end(mut self) -> Result<(), String> {
        drop(self.to.take());
        self.talks.take().expect("it was started").join().expect("no panic")
    }
}

async fn put(channel: &ChannelRef, events: std::ops::Range<u64>) -> Result<(), ChannelError> {
    channel.put(batch(events), PutTimeout::KeepAlive).await
}

#[actix::test]
async fn a_put_is_stored_when_storm_has_acknowledged_all_of_it() {
    let (scene, pids) = (scene(4), tempfile::tempdir().expect("a folder"));
    let mut storm = Storm::new(&scene);
    storm.greet(pids.path());
    assert!(storm.next().is_empty());
    let channel = scene.channel.clone();
    let first = actix_rt::spawn(async move { put(&channel, 0..3).await });
    while scene.shared.ledger().held() < 3 {
        tokio::task::yield_now().await;
    }
    let channel = scene.channel.clone();
    let second = actix_rt::spawn(async move { put(&channel, 3..5).await });
    let ids = storm.next();
    assert_eq!((ids.len(), storm.next().len()), (3, 0), "the second one waits for room");
    storm.command("ack", &ids[2]);
    storm.command("ack", "00000000-0"); // of a process that was before
    storm.command("ack", &ids[0]);
    storm.command("fail", &ids[1]);
    let again = std::iter::repeat_with(|| storm.next()).find(|given| !given.is_empty());
    assert_eq!(again, Some(vec![ids[1].clone()]));
    assert!(!first.is_finished());
    storm.command("ack", &ids[1]);
    first.within("the first put").await.expect("no panic").expect("it is acknowledged");
    while scene.shared.ledger().held() < 2 {
        tokio::task::yield_now().await;
    }
    for id in storm.next() {
        storm.command("ack", &id);
    }
    second.within("the second put").await.expect("no panic").expect("it is acknowledged");
    assert_eq!(storm.end(), Ok(()));
}

#[actix::test]
async fn nothing_goes_to_an_inactive_topology_and_who_puts_is_refused_in_time() {
    let (scene, pids) = (scene(10), tempfile::tempdir().expect("a folder"));
    let mut storm = Storm::new(&scene);
    storm.greet(pids.path());
    storm.command("deactivate", "");
    tokio::time::pause();
    let (begun, refused) = (clock::now(), put(&scene.channel, 0..3).within("a refusal").await);
    assert_eq!((clock::now() - begun).as_secs(), 15);
    let text = refused.expect_err("nobody acknowledges").to_string();
    assert!(
        text.contains(
            "the topology is inactive: 0 of 3 events are acknowledged, 0 are with the topology, 3 wait"
        ),
        "{text}"
    );
    assert!(storm.next().is_empty() && storm.command("activate", "").is_empty() && storm.next().is_empty());
    assert_eq!(storm.end(), Ok(()));
}

#[actix::test]
async fn the_end_of_the_process_refuses_what_is_not_acknowledged() {
    tokio::time::pause();
    let ended = scene(10);
    let channel = ended.channel.clone();
    let waits = actix_rt::spawn(async move { put(&channel, 0..3).await });
    tokio::task::yield_now().await;
    ended.shared.over("Storm has ended the spout");
    let refused = waits.within("a refusal").await.expect("no panic").expect_err("Storm has gone");
    assert!(refused.to_string().contains("Storm has ended the spout"), "{refused}");
    let refused = put(&ended.channel, 3..4).within("a refusal").await.expect_err("Storm has gone");
    assert!(refused.to_string().contains("Storm has ended the spout"), "{refused}");

    let leaves = scene(10);
    *HERE.lock().unwrap() = Arc::downgrade(&leaves.shared);
    let channel = leaves.channel.clone();
    let waits = actix_rt::spawn(async move { put(&channel, 0..3).await });
    while leaves.shared.ledger().held() < 3 {
        tokio::task::yield_now().await;
    }
    let begun = clock::now();
    leave();
    let refused = waits.within("a refusal").await.expect("no panic").expect_err("nobody acknowledges");
    assert!(refused.to_string().contains("the spout stops"), "{refused}");
    assert_eq!((clock::now() - begun).as_secs(), FAREWELL.as_secs());
}

#[actix::test]
async fn who_is_not_storm_is_told_so() {
    for (said, part) in [
        ("hello\nend\n", "`hello` is no message: this is not Storm's ShellSpout"),
        ("{\"command\":\"next\"}\nend\n", "at the wrong time"),
        ("", "standard input has ended before a handshake"),
        ("{\"context\":{}}\nend\n{\"tuple\":[]}\nend\n", "started as a bolt"),
    ] {
        let scene = scene(10);
        let ended = talk::talk(&scene.shared, &LINES, said.as_bytes(), Vec::new());
        assert!(ended.as_ref().is_err_and(|why| why.contains(part)), "{said}: {ended:?}");
    }
}
