//! The whole source on real directories, with a real channel.

use super::meta::{self, Meta};
use super::*;
use crate::testing::{Heard, memory_channel, plan, source_context};
use actix::prelude::*;
use flow::channel::ChannelRef;
use flow::component::Site;
use flow::message::Stop;
use flow::source::SourceActor;
use flow::supervise::DeathWatch;
use plan::{Findings, Owner, Report};
use runtime::within::Within;
use std::fs::{self, File, FileTimes};
use std::io::Write;
use std::os::unix::fs::symlink;
use std::path::PathBuf;
use std::time::{Duration, SystemTime};
use tempfile::TempDir;

/// A directory, a channel, and a source between them.
struct Bench {
    root: TempDir,
    keys: Vec<(String, String)>,
    channel: ChannelRef,
    source: Option<Addr<SourceActor>>,
    own: Arc<OwnFiles>,
    heard: Heard,
}

impl Bench {
    fn new(keys: &[(&str, &str)]) -> Bench {
        let root = tempfile::tempdir().unwrap();
        fs::create_dir(root.path().join("spool")).unwrap();
        let directory = root.path().join("spool").display().to_string();
        let mut all = vec![("spoolDir".to_owned(), directory)];
        all.extend(keys.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())));
        let channel = memory_channel(&[("capacity", "10000"), ("transactionCapacity", "1000")]);
        Bench { root, keys: all, channel, source: None, own: Arc::default(), heard: Heard::default() }
    }

    /// A channel of so many events.
    fn narrow(mut self, events: &str) -> Bench {
        self.channel =
            memory_channel(&[("capacity", events), ("transactionCapacity", events), ("keep-alive", "0")]);
        self
    }

    fn make(&self) -> Box<dyn Source> {
        let mut keys: Vec<(String, &str)> = ["sources", "channels"]
            .into_iter()
            .zip(["r", "c"])
            .map(|(key, value)| (key.to_owned(), value))
            .collect();
        keys.push(("channels.c.type".into(), "memory"));
        keys.push(("sources.r.channels".into(), "c"));
        keys.push(("sources.r.type".into(), "spooldir"));
        keys.extend(self.keys.iter().map(|(key, value)| (format!("sources.r.{key}"), value.as_str())));
        let keys: Vec<(&str, &str)> = keys.iter().map(|(key, value)| (key.as_str(), *value)).collect();
        let plan = plan(&keys).unwrap();
        let properties = &plan.sources[0].component.properties;
        let Configure::Source(configure) = COMPONENT.configure else { panic!("it is no source") };
        let (owner, mut report) = (Owner::nobody(), Report::default());
        let site = Site::new(&[]).sharing(self.own.clone());
        configure(properties, &site, &mut Findings::new(&owner, properties, &mut report)).unwrap()()
    }

    async fn start(&mut self) {
        let (mut context, mut ready) = source_context(&self.channel);
        context.log = slog::Logger::root(self.heard.clone(), slog::o!());
        self.source = Some(SourceActor::new(self.make(), context, DeathWatch::unwatched()).start());
        ready.recv().within("the source to be ready").await.unwrap();
    }

    async fn stop(&mut self) {
        self.source.take().unwrap().send(Stop).within("the stop").await.unwrap();
    }

    fn path(&self, name: &str) -> PathBuf {
        self.root.path().join("spool").join(name)
    }

    /// Puts a whole file there, so many seconds old.
    fn put(&self, name: &str, text: impl AsRef<[u8]>, age: u64) {
        let hidden = self.root.path().join("on its way");
        let mut file = File::create(&hidden).unwrap();
        file.write_all(text.as_ref()).unwrap();
        let modified = SystemTime::UNIX_EPOCH + Duration::from_secs(2_000_000_000 - age);
        file.set_times(FileTimes::new().set_modified(modified)).unwrap();
        fs::create_dir_all(self.path(name).parent().unwrap()).unwrap();
        fs::rename(hidden, self.path(name)).unwrap();
    }

    /// The next events, their headers in braces if there are any.
    async fn take(&self, wanted: usize) -> Vec<String> {
        let mut events = Vec::new();
        while events.len() < wanted {
            let lease = self.channel.take(wanted - events.len()).within("an event").await.unwrap();
            for event in lease.batches().iter().flat_map(|batch| batch.events().collect::<Vec<_>>()) {
                let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
                let headers: Vec<String> =
                    event.headers().map(|(key, value)| format!("{}={}", text(key), text(value))).collect();
                let headers =
                    if headers.is_empty() { String::new() } else { format!("{{{}}} ", headers.join(",")) };
                events.push(headers + &text(event.body()));
            }
            lease.commit();
        }
        events
    }

    /// Waits for a file to come (or go).
    async fn until(&self, name: &str, is_there: bool) {
        let look = async {
            while self.path(name).exists() != is_there {
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        };
        look.within(&format!("{name} to be there: {is_there}")).await;
    }

    async fn told(&self, what: &str) {
        let look = async {
            while !self.heard.lines().iter().any(|line| line.contains(what)) {
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        };
        look.within(&format!("a line with {what:?}")).await;
    }

    fn meta(&self) -> Option<Meta> {
        fs::read(self.path(".flumespool/.flumespool-main.meta"))
            .ok()
            .map(|bytes| meta::decode(&bytes).unwrap())
    }

    fn asides(&self) -> usize {
        let names = fs::read_dir(self.path(".flumespool")).unwrap();
        names.filter(|name| name.as_ref().unwrap().file_name().to_string_lossy().contains("aside")).count()
    }
}

#[actix::test]
async fn files_are_sent_oldest_first_and_renamed() {
    let mut bench = Bench::new(&[("basenameHeader", "true"), ("batchSize", "2")]);
    bench.put("new", "4\n", 1);
    bench.put("old", "1\n2\n3", 9);
    bench.put(".hidden", "no\n", 20);
    bench.put("done.COMPLETED", "no\n", 20);
    bench.start().await;
    assert_eq!(
        bench.take(4).await,
        ["{basename=old} 1", "{basename=old} 2", "{basename=old} 3", "{basename=new} 4"]
    );
    bench.until("new.COMPLETED", true).await;
    assert!(bench.path("old.COMPLETED").exists() && !bench.path("old").exists());
    bench.put("next", "5\n", 0);
    assert_eq!(bench.take(1).await, ["{basename=next} 5"]);
    bench.until("next.COMPLETED", true).await;
    bench.stop().await;
    assert_eq!(bench.meta(), None);
    assert!(bench.heard.lines().iter().all(|line| !line.contains("aside")), "{:?}", bench.heard.lines());
}

#[actix::test]
async fn files_are_deleted_or_marked_as_the_policies_say() {
    let mut bench =
        Bench::new(&[("deletePolicy", "IMMEDIATE"), ("consumeOrder", "youngest"), ("fileHeader", "true")]);
    bench.put("old", "2\n", 9);
    bench.put("new", "1\n", 1);
    bench.start().await;
    let events = bench.take(2).await;
    assert_eq!(
        events,
        ["new", "old"]
            .iter()
            .zip([1, 2])
            .map(|(name, n)| format!("{{file={}}} {n}", bench.path(name).display()))
            .collect::<Vec<_>>()
    );
    bench.until("old", false).await;
    assert!(!bench.path("new").exists());
    bench.stop().await;

    let keys =
        [("trackingPolicy", "tracker_dir"), ("recursiveDirectorySearch", "true"), ("trackerDir", "../track")];
    let mut bench = Bench::new(&keys);
    bench.put("below/a", "1\n", 9);
    for _ in 0..2 {
        bench.start().await;
        bench.until("../track/below/a.COMPLETED", true).await;
        bench.stop().await;
    }
    assert!(bench.path("below/a").exists());
    assert_eq!(bench.take(1).await, ["1"]);
    assert_eq!(bench.channel.fill().await.unwrap().events, 0, "it is sent once");
}

#[actix::test]
async fn a_start_goes_on_inside_a_file_where_the_last_one_stopped() {
    let mut bench = Bench::new(&[("batchSize", "3"), ("consumeOrder", "youngest")]).narrow("6");
    bench.put("a", (0..30).map(|n| format!("{n}\n")).collect::<String>(), 9);
    let mut events = Vec::new();
    bench.start().await;
    events.extend(bench.take(4).await);
    bench.stop().await;
    bench.put("younger", "younger\n", 1);
    let meta = bench.meta().unwrap();
    assert_eq!(meta.path, bench.path("a"));
    while bench.channel.fill().await.unwrap().events > 0 {
        events.extend(bench.take(1).await);
    }
    assert!(events.len() >= 6 && events.len() < 30, "it stopped inside: {events:?}");
    bench.start().await;
    events.extend(bench.take(31 - events.len()).await);
    let expected: Vec<String> = (0..30).map(|n| n.to_string()).chain(["younger".into()]).collect();
    assert_eq!(events, expected, "every event once, and the file to its end first");
    bench.stop().await;
}

#[actix::test]
async fn the_meta_file_of_flume_is_gone_on_with() {
    let mut bench = Bench::new(&[]);
    bench.put("a", "one\ntwo\nthree\n", 9);
    let meta = Meta { path: bench.path("a"), id: None, offset: 4 };
    fs::create_dir(bench.path(".flumespool")).unwrap();
    fs::write(bench.path(".flumespool/.flumespool-main.meta"), meta::encode(&meta).0).unwrap();
    bench.start().await;
    assert_eq!(bench.take(2).await, ["two", "three"]);
    bench.until("a.COMPLETED", true).await;
    bench.stop().await;
}

#[actix::test]
async fn a_file_that_changes_is_set_aside_and_read_on_with_the_next_start() {
    let mut bench = Bench::new(&[("batchSize", "1")]).narrow("1");
    bench.put("a", "1\n2\n3", 9);
    bench.put("b", "other\n", 1);
    bench.start().await;
    assert_eq!(bench.take(1).await, ["1"]);
    let append = |text: &str| {
        let mut file = File::options().append(true).open(bench.path("a")).unwrap();
        file.write_all(text.as_bytes()).unwrap();
    };
    append("4\n5");
    assert_eq!(bench.take(3).await, ["2", "34", "other"], "a line that may be half a line is not sent");
    bench.until("b.COMPLETED", true).await;
    bench.told("is set aside: it was changed while it was read").await;
    append("6\n");
    assert!(bench.path("a").exists());
    assert_eq!(bench.asides(), 1);
    bench.stop().await;
    bench.start().await;
    assert_eq!(bench.take(1).await, ["56"]);
    bench.until("a.COMPLETED", true).await;
    assert_eq!(bench.asides(), 0);
    bench.stop().await;
}

#[actix::test]
async fn a_name_that_is_used_again_is_set_aside_until_it_is_free() {
    let mut bench = Bench::new(&[("pollDelay", "20")]);
    bench.put("a.COMPLETED", "before\n", 9);
    bench.put("a", "1\n", 5);
    bench.put("b", "2\n", 1);
    bench.start().await;
    assert_eq!(bench.take(2).await, ["1", "2"]);
    bench.until("b.COMPLETED", true).await;
    bench.told("is set aside: all of it is sent, and its name was used before").await;
    assert_eq!(fs::read_to_string(bench.path("a.COMPLETED")).unwrap(), "before\n");
    bench.stop().await;
    bench.start().await;
    fs::remove_file(bench.path("a.COMPLETED")).unwrap();
    bench.put("c", "3\n", 0);
    bench.until("a.COMPLETED", true).await;
    assert_eq!(bench.take(1).await, ["3"], "nothing of it is sent again");
    bench.until("c.COMPLETED", true).await;
    assert_eq!(bench.asides(), 0);
    bench.stop().await;
}

#[actix::test]
async fn what_cannot_be_read_is_set_aside_and_told() {
    let mut bench = Bench::new(&[]);
    bench.put("a", b"good\nb\xffd\n", 9);
    bench.put("b", "fine\n", 1);
    bench.start().await;
    assert_eq!(bench.take(2).await, ["good", "fine"]);
    bench.told("set aside: the line that begins at byte 5 is not written in UTF-8").await;
    bench.put("c", "too\n", 1);
    assert_eq!(bench.take(1).await, ["too"]);
    bench.stop().await;
    let mut bench = Bench::new(&[("deserializer", "AVRO")]);
    bench.put("a", "text", 9);
    bench.start().await;
    bench.told("set aside: it is no Avro container file").await;
    bench.stop().await;
}

#[actix::test]
async fn an_empty_file_is_an_empty_event() {
    for (order, wanted) in [("oldest", vec!["", "", "x"]), ("random", vec!["x"])] {
        let mut bench = Bench::new(&[("consumeOrder", order)]);
        if order == "random" {
            bench.put("x", "x\n", 1);
            bench.start().await;
            bench.until("x.COMPLETED", true).await;
        }
        bench.put("a", "", 9);
        bench.put("b", "", 5);
        if order == "oldest" {
            bench.put("x", "x\n", 1);
            bench.start().await;
        }
        for name in ["a.COMPLETED", "b.COMPLETED", "x.COMPLETED"] {
            bench.until(name, true).await;
        }
        assert_eq!(bench.take(wanted.len()).await, wanted, "{order}");
        assert_eq!(bench.channel.fill().await.unwrap().events, 0, "{order}");
        bench.stop().await;
    }
}

#[actix::test]
async fn only_regular_files_are_read_and_directories_as_told() {
    let mut bench = Bench::new(&[("recursiveDirectorySearch", "true"), ("ignorePattern", "skip.*")]);
    for name in ["below/deep/a", "skipped/no", ".dot/no", "below/skip"] {
        bench.put(name, format!("{name}\n"), 9);
    }
    fs::write(bench.root.path().join("behind"), "behind a link\n").unwrap();
    symlink(bench.root.path().join("behind"), bench.path("link")).unwrap();
    let mode = rustix::fs::Mode::from_raw_mode(0o600);
    rustix::fs::mknodat(rustix::fs::CWD, bench.path("fifo"), rustix::fs::FileType::Fifo, mode, 0).unwrap();
    bench.start().await;
    let mut events = bench.take(2).await;
    events.sort();
    assert_eq!(events, ["behind a link", "below/deep/a"]);
    bench.told("fifo is a pipe (FIFO), and is not read").await;
    bench.put("later/a", "later\n", 0);
    assert_eq!(bench.take(1).await, ["later"]);
    bench.until("later/a.COMPLETED", true).await;
    assert!(bench.path("skipped/no").exists() && bench.path("below/skip").exists());
    bench.stop().await;
}

#[actix::test]
async fn a_file_that_is_still_written_is_waited_for() {
    let mut bench = Bench::new(&[("pollDelay", "10")]);
    bench.start().await;
    let mut file = File::create(bench.path("slow")).unwrap();
    for n in 0..5 {
        writeln!(file, "{n}").unwrap();
        bench.put(&format!("other{n}"), "other\n", 0);
        assert_eq!(bench.take(1).await, ["other"]);
    }
    drop(file);
    assert_eq!(bench.take(5).await, ["0", "1", "2", "3", "4"]);
    bench.until("slow.COMPLETED", true).await;
    bench.stop().await;
}

#[actix::test]
async fn two_sources_do_not_read_one_directory() {
    let mut bench = Bench::new(&[]);
    bench.start().await;
    let (mut context, mut ready) = source_context(&bench.channel);
    context.log = slog::Logger::root(bench.heard.clone(), slog::o!());
    let second = SourceActor::new(bench.make(), context, DeathWatch::unwatched()).start();
    ready.recv().within("the second source to say why it waits").await;
    bench.told("is in use by another source of this process").await;
    bench.put("a", "once\n", 0);
    bench.until("a.COMPLETED", true).await;
    second.send(Stop).within("the stop").await.unwrap();
    assert_eq!(bench.take(1).await, ["once"]);
    assert_eq!(bench.channel.fill().await.unwrap().events, 0);
    bench.stop().await;
}

#[actix::test]
async fn a_directory_that_is_not_there_is_told_and_waited_for() {
    let mut bench = Bench::new(&[]);
    fs::remove_dir(bench.path("")).unwrap();
    bench.start().await;
    bench.told("cannot be used: No such file or directory").await;
    fs::create_dir(bench.path("")).unwrap();
    bench.put("a", "there\n", 0);
    assert_eq!(bench.take(1).await, ["there"]);
    bench.stop().await;
}

#[actix::test]
async fn an_event_that_no_channel_takes_sets_its_file_aside() {
    let mut bench = Bench::new(&[("batchSize", "10"), ("deserializer.maxLineLength", "100000")]);
    let keys = [("capacity", "10"), ("transactionCapacity", "10"), ("byteCapacity", "3000")];
    bench.channel = memory_channel(&keys);
    bench.put("a", format!("small\n{}\n", "x".repeat(50_000)), 9);
    bench.put("b", "next\n", 1);
    bench.start().await;
    assert_eq!(bench.take(2).await, ["small", "next"]);
    bench.told("is set aside: an event of it cannot be stored").await;
    assert!(bench.heard.lines().iter().any(|line| line.contains("up to byte 6 are stored")));
    bench.stop().await;
}
