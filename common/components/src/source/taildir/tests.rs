//! The whole source on real directories, with a real channel.

use super::own::OwnFiles;
use super::position::Entry;
use super::*;
use crate::testing::{memory_channel, source_context, start_source_at};
use actix::prelude::*;
use flow::channel::ChannelRef;
use flow::component::Site;
use flow::message::Stop;
use flow::source::SourceActor;
use runtime::clock::Duration;
use runtime::random::Random;
use runtime::within::Within;
use std::collections::BTreeMap;
use std::fs::{self, File, OpenOptions};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use tempfile::TempDir;
use tokio::time::timeout;

/// A directory with logs, a channel, and a source between them.
pub(super) struct Bench {
    pub(super) root: TempDir,
    pub(super) keys: Vec<(String, String)>,
    pub(super) channel: ChannelRef,
    pub(super) source: Option<Addr<SourceActor>>,
    pub(super) own: Arc<OwnFiles>,
    pub(super) open: BTreeMap<String, File>,
}

/// Long enough for any machine; nothing waits for it to pass.
pub(super) const DEADLINE: Duration = Duration::from_secs(60);

impl Bench {
    pub(super) fn new(pattern: &str, keys: &[(&str, &str)]) -> Bench {
        let root = tempfile::tempdir().unwrap();
        fs::create_dir(root.path().join("logs")).unwrap();
        let own = [
            ("filegroups", "f1".to_owned()),
            ("filegroups.f1", format!("{}/logs/{pattern}", root.path().display())),
            ("positionFile", format!("{}/state/positions.json", root.path().display())),
        ];
        let own = own.into_iter().map(|(key, value)| (key.to_owned(), value));
        let given = keys.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned()));
        let channel = memory_channel(&[("capacity", "1000000"), ("transactionCapacity", "1000")]);
        let keys = own.chain(given).collect();
        Bench { root, keys, channel, source: None, own: Arc::default(), open: BTreeMap::new() }
    }

    pub(super) async fn start(&mut self) {
        let (context, mut ready) = source_context(&self.channel);
        let site = Site::new(&[]).sharing(self.own.clone());
        self.source = Some(start_source_at(&COMPONENT, self.keys.iter().cloned(), context, &site));
        ready.recv().within("the source to be ready").await.unwrap();
    }

    pub(super) async fn stop(&mut self) {
        self.source.take().unwrap().send(Stop).within("the stop").await.unwrap();
    }

    pub(super) async fn started(pattern: &str, keys: &[(&str, &str)]) -> Bench {
        let mut bench = Bench::new(pattern, keys);
        bench.start().await;
        bench
    }

    pub(super) fn path(&self, name: &str) -> PathBuf {
        self.root.path().join("logs").join(name)
    }

    /// Appends as a process does that keeps its log open.
    pub(super) fn append(&mut self, name: &str, text: &str) {
        let path = self.path(name);
        let open = || OpenOptions::new().append(true).create(true).open(path).unwrap();
        self.open.entry(name.to_owned()).or_insert_with(open).write_all(text.as_bytes()).unwrap();
    }

    /// Renames; who has it open goes on writing to it under its old name.
    pub(super) fn rename(&mut self, from: &str, to: &str) {
        fs::rename(self.path(from), self.path(to)).unwrap();
    }

    /// Whoever writes opens its log anew.
    pub(super) fn reopen(&mut self, name: &str) {
        self.open.remove(name);
    }

    /// The next `count` bodies, or fewer, when no more come in time.
    pub(super) async fn take(&self, count: usize) -> Vec<String> {
        self.take_events(count, |event| String::from_utf8_lossy(event.body()).into_owned()).await
    }

    pub(super) async fn take_events<T>(&self, count: usize, read: impl Fn(event::Event<'_>) -> T) -> Vec<T> {
        let mut taken = Vec::new();
        while taken.len() < count {
            let Ok(lease) = timeout(DEADLINE, self.channel.take(count - taken.len())).await else { break };
            let lease = lease.unwrap();
            taken.extend(lease.batches().iter().flat_map(|batch| batch.events()).map(&read));
            lease.commit();
        }
        taken
    }

    /// Whether nothing more is there, or on its way: the source has had its turn when it has stopped.
    pub(super) async fn nothing_more(&mut self) -> bool {
        self.stop().await;
        self.channel.fill().within("the fill of the channel").await.unwrap().events == 0
    }

    pub(super) fn positions(&self) -> Vec<Entry> {
        position::decode(&fs::read(self.root.path().join("state/positions.json")).unwrap()).0
    }

    pub(super) fn position_of(&self, name: &str) -> Option<u64> {
        let path = self.path(name);
        self.positions().iter().find(|entry| Path::new(&entry.file) == path).map(|entry| entry.pos)
    }
}

#[actix::test]
async fn lines_come_the_moment_they_are_written() {
    let mut bench = Bench::started(".*log", &[("fileHeader", "true"), ("headers.f1.Type", "LOGIN")]).await;
    bench.append("a.log", "one\r\n");
    bench.append("b.txt", "not this one\n");
    let path = bench.path("a.log").display().to_string();
    let read = |event: event::Event<'_>| {
        let header = |key| event.header(key).unwrap_or_default().to_owned();
        (String::from_utf8_lossy(event.body()).into_owned(), header("file"), header("Type"))
    };
    assert_eq!(bench.take_events(1, read).await, [("one".to_owned(), path, "LOGIN".to_owned())]);
    bench.append("a.log", "tw");
    bench.append("a.log", "o\nthree\n");
    assert_eq!(bench.take(2).await, ["two", "three"]);
    assert!(bench.nothing_more().await);
    assert_eq!(bench.position_of("a.log"), Some(15));
}

#[actix::test]
async fn a_line_in_two_halves_is_one_event_also_with_a_restart_between_them() {
    let mut bench = Bench::started("a", &[("byteOffsetHeader", "true")]).await;
    bench.append("a", "first\nhal");
    assert_eq!(bench.take(1).await, ["first"]);
    assert!(bench.nothing_more().await);
    assert_eq!(bench.position_of("a"), Some(6));
    bench.start().await;
    bench.append("a", "f\n");
    let offset =
        |event: event::Event<'_>| (event.body().to_vec(), event.header("byteoffset").map(str::to_owned));
    assert_eq!(bench.take_events(1, offset).await, [(b"half".to_vec(), Some("6".to_owned()))]);
}

#[actix::test]
async fn a_last_line_without_an_end_comes_when_the_file_is_idle() {
    let mut bench = Bench::started("a", &[("idleTimeout", "50")]).await;
    bench.append("a", "one\ntwo");
    assert_eq!(bench.take(2).await, ["one", "two"]);
    bench.append("a", "three\n");
    assert_eq!(bench.take(1).await, ["three"]);
    assert!(bench.nothing_more().await);
    assert_eq!(bench.position_of("a"), Some(13));
}

#[actix::test]
async fn a_file_renamed_within_the_pattern_is_not_sent_again() {
    let mut bench = Bench::started("app.*", &[]).await;
    for round in 0..5 {
        bench.append("app.log", &format!("{round}a\n"));
        for old in (1..=round).rev() {
            bench.rename(&format!("app.log.{old}"), &format!("app.log.{}", old + 1));
        }
        bench.rename("app.log", "app.log.1");
        bench.append("app.log", &format!("{round}b\n"));
        bench.reopen("app.log");
    }
    let mut lines = bench.take(10).await;
    lines.sort();
    assert_eq!(lines, ["0a", "0b", "1a", "1b", "2a", "2b", "3a", "3b", "4a", "4b"]);
    assert!(bench.nothing_more().await);
    assert_eq!(bench.positions().len(), 5);
}

#[actix::test]
async fn what_is_unread_of_a_file_that_lost_its_name_is_read() {
    let mut bench = Bench::started(r"app\.log", &[]).await;
    bench.append("app.log", "one\n");
    assert_eq!(bench.take(1).await, ["one"]);
    bench.rename("app.log", "app.log.1");
    bench.append("app.log", "two\n");
    assert_eq!(bench.take(1).await, ["two"]);
    bench.append("app.log", "three\n");
    fs::remove_file(bench.path("app.log.1")).unwrap();
    bench.reopen("app.log");
    bench.append("app.log", "four\n");
    let mut lines = bench.take(2).await;
    lines.sort();
    assert_eq!(lines, ["four", "three"]);
    assert!(bench.nothing_more().await);
}

#[actix::test]
async fn a_file_that_was_truncated_is_read_from_its_beginning() {
    let mut bench = Bench::started("a", &[]).await;
    bench.append("a", "one\ntwo\n");
    assert_eq!(bench.take(2).await, ["one", "two"]);
    // Longer than before when it is looked at: no size tells it.
    File::create(bench.path("a")).unwrap();
    bench.append("a", "three\nfour\nfive\n");
    assert_eq!(bench.take(3).await, ["three", "four", "five"]);
    File::create(bench.path("a")).unwrap();
    bench.append("a", "6\n");
    assert_eq!(bench.take(1).await, ["6"]);
    assert!(bench.nothing_more().await);
    assert_eq!(bench.position_of("a"), Some(2));
}

#[actix::test]
async fn a_restart_goes_on_where_the_position_file_says_whatever_the_file_is_called_now() {
    let mut bench = Bench::started("app.*", &[]).await;
    bench.append("app.1", "one\n");
    bench.append("app.2", "two\n");
    assert_eq!(bench.take(2).await.len(), 2);
    bench.stop().await;
    bench.rename("app.1", "app.3");
    bench.append("app.1", "three\n");
    File::create(bench.path("app.2")).unwrap();
    bench.append("app.2", "4\n");
    bench.start().await;
    let mut lines = bench.take(2).await;
    lines.sort();
    assert_eq!(lines, ["4", "three"]);
    assert!(bench.nothing_more().await);
    assert_eq!((bench.position_of("app.3"), bench.position_of("app.2")), (Some(10), Some(2)));
}

#[actix::test]
async fn positions_are_on_the_disk_soon_for_those_who_are_killed() {
    let mut bench = Bench::started("a", &[]).await;
    bench.append("a", "one\ntwo\n");
    assert_eq!(bench.take(2).await.len(), 2);
    let written = async {
        while bench.position_of("a") != Some(8) {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    written.within("the position file to be written").await;
    let text = fs::read_to_string(bench.root.path().join("state/positions.json")).unwrap();
    assert!(text.starts_with(r#"[{"inode":"#) && text.ends_with("}]"), "{text}");
}

#[actix::test]
async fn skip_to_end_is_for_what_is_there_at_the_start() {
    let mut bench = Bench::new(".*", &[("skipToEnd", "true")]);
    bench.append("old", "not this one\n");
    bench.start().await;
    bench.append("new", "one\n");
    assert_eq!(bench.take(1).await, ["one"]);
    bench.append("old", "two\n");
    assert_eq!(bench.take(1).await, ["two"]);
}

#[actix::test]
async fn a_directory_may_come_later() {
    let mut bench = Bench::new(".*", &[("backoffSleepIncrement", "1"), ("maxBackoffSleep", "1")]);
    fs::remove_dir(bench.path("")).unwrap();
    bench.start().await;
    fs::create_dir(bench.path("")).unwrap();
    bench.append("a", "one\n");
    assert_eq!(bench.take(1).await, ["one"]);
}

#[actix::test]
async fn symbolic_links_are_followed_to_what_they_point_at_now() {
    let mut bench = Bench::new(r".*\.link", &[]);
    for name in ["0.log", "1.log"] {
        bench.append(name, &format!("{name}\n"));
    }
    let link = bench.path("a.link");
    std::os::unix::fs::symlink(bench.path("0.log"), &link).unwrap();
    bench.start().await;
    assert_eq!(bench.take(1).await, ["0.log"]);
    bench.append("0.log", "more\n");
    assert_eq!(bench.take(1).await, ["more"]);
    fs::remove_file(&link).unwrap();
    std::os::unix::fs::symlink(bench.path("1.log"), &link).unwrap();
    assert_eq!(bench.take(1).await, ["1.log"]);
}

#[actix::test]
async fn a_full_channel_keeps_the_position_where_it_is() {
    let mut bench = Bench::new("a", &[("batchSize", "2")]);
    bench.channel = memory_channel(&[("capacity", "4"), ("transactionCapacity", "2")]);
    bench.append("a", &(0..20).map(|n| format!("{n:03}\n")).collect::<String>());
    bench.start().await;
    bench.stop().await;
    assert_eq!(bench.position_of("a"), Some(16), "four lines are stored, the others wait for room");
}

#[actix::test]
async fn a_line_that_can_never_be_stored_holds_up_its_own_file_only() {
    let mut bench = Bench::new(".*", &[]);
    bench.channel = memory_channel(&[("byteCapacity", "1000"), ("byteCapacityBufferPercentage", "0")]);
    bench.append("a", &format!("one\n{}\ntwo\n", "x".repeat(2000)));
    bench.start().await;
    assert_eq!(bench.take(1).await, ["one"]);
    bench.append("b", "three\n");
    assert_eq!(bench.take(1).await, ["three"]);
    assert!(bench.nothing_more().await);
    assert_eq!((bench.position_of("a"), bench.position_of("b")), (Some(0), Some(6)));
}

#[actix::test]
async fn many_files_are_followed_with_few_descriptors() {
    let mut bench = Bench::new(".*", &[]);
    for n in 0..2000 {
        fs::write(bench.path(&n.to_string()), format!("{n}\n")).unwrap();
    }
    bench.start().await;
    let mut numbers: Vec<u64> = bench.take(2000).await.iter().map(|line| line.parse().unwrap()).collect();
    numbers.sort_unstable();
    assert_eq!(numbers, (0..2000).collect::<Vec<_>>());
    for n in 0..10 {
        bench.append(&n.to_string(), "again\n");
    }
    assert_eq!(bench.take(10).await, ["again"; 10]);
    assert!(bench.nothing_more().await);
    assert_eq!(bench.positions().len(), 2000);
}

/// What a random sequence did, and what must come of it.
struct Story {
    random: Random,
    expected: Vec<String>,
    lines: usize,
}

impl Story {
    /// Appends some lines, in one piece or in two.
    fn write(&mut self, bench: &mut Bench, name: &str) {
        let mut text = String::new();
        for _ in 0..=self.random.next() % 20 {
            self.lines += 1;
            // No stretch of it stands in another line: a file cut and grown again past the position is told by the bytes
            // before the position, and only if they differ.
            let mut line = format!("{}-", self.lines).repeat(50);
            line.truncate((self.random.next() % 300).max(8) as usize);
            text.push_str(&line);
            text.push_str(if self.random.next().is_multiple_of(2) { "\n" } else { "\r\n" });
            self.expected.push(line);
        }
        let middle = (self.random.next() % text.len() as u64) as usize;
        bench.append(name, &text[..middle]);
        bench.append(name, &text[middle..]);
    }

    /// Takes all there must be; truncation loses what was not read, as it does for everybody.
    async fn check(&mut self, bench: &Bench) {
        let mut taken = bench.take(self.expected.len()).await;
        taken.sort();
        self.expected.sort();
        let numbers = |lines: &[String]| -> Vec<String> {
            lines.iter().map(|line| line.split('-').next().unwrap_or_default().to_owned()).collect()
        };
        assert_eq!(numbers(&taken), numbers(&self.expected));
        assert!(taken == self.expected, "the same lines, byte for byte");
        self.expected.clear();
    }
}

fn seed() -> u64 {
    let seed = std::env::var("SEED").ok().and_then(|text| text.parse().ok());
    seed.unwrap_or_else(|| Random::from_system().next() % 1_000_000)
}

#[actix::test]
async fn no_line_is_lost_or_doubled_whatever_happens_to_the_files() {
    let seed = seed();
    eprintln!("SEED={seed}");
    // Every name matches: a file that is renamed away while the source is down is found by its inode.
    let mut bench = Bench::started(r"[ab]\.log.*", &[("batchSize", "7")]).await;
    let mut story = Story { random: Random::seeded(seed), expected: Vec::new(), lines: 0 };
    for step in 0..300 {
        let name = if story.random.next().is_multiple_of(2) { "a.log" } else { "b.log" };
        match story.random.next() % 10 {
            0..=4 => story.write(&mut bench, name),
            5 if bench.path(name).exists() => {
                bench.rename(name, &format!("{name}.{step}"));
                if story.random.next().is_multiple_of(2) {
                    story.write(&mut bench, name); // who writes does not know yet
                }
                bench.reopen(name);
            }
            6 if bench.path(name).exists() => {
                story.check(&bench).await;
                File::create(bench.path(name)).unwrap();
            }
            7 if bench.path(name).exists() => {
                story.check(&bench).await;
                fs::remove_file(bench.path(name)).unwrap();
                bench.reopen(name);
            }
            8 => {
                bench.stop().await;
                story.write(&mut bench, name);
                bench.start().await;
            }
            _ => tokio::task::yield_now().await,
        }
    }
    story.check(&bench).await;
    assert!(bench.nothing_more().await);
}
