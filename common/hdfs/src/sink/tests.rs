//! The sink on a local directory, and on a store that does as it is told.

mod left;

use super::*;
use crate::closing::Unfinished;
use crate::path::FileNames;
use crate::policy::ClosePolicy;
use crate::store::{Bucket as S3Bucket, LocalStore, S3Store, SiteFiles, StoreFile};
use crate::testing::{configured, events};
use bytes::Bytes;
use flow::supervise::DeathWatch;
use flow::supervise::address::address_cell;
use flow::testing::Heard;
use runtime::within::Within;
use std::cell::RefCell;
use std::collections::{BTreeMap, VecDeque};
use std::path::Path;
use std::rc::Rc;
use std::sync::Arc;

fn context(heard: &Heard) -> SinkContext {
    SinkContext {
        name: "k1".to_owned(),
        member: flow::sink::Member { index: 0, group: address_cell().1 },
        counters: Arc::default(),
        death_watch: DeathWatch::unwatched(),
        log: slog::Logger::root(heard.clone(), slog::o!()),
        console: console::Console::to(std::io::sink(), console::Settings::default()),
        processor: "default",
    }
}

/// A sink on `store` with these keys; what it keeps on this machine stands in `folder`.
fn sink<S: Store>(store: S, folder: &Path, pairs: &[(&str, &str)]) -> (HdfsSink<S>, Heard) {
    let state = folder.join("state").display().to_string();
    let config = configured(&[&[("hdfs.stateDir", state.as_str())], pairs].concat()).unwrap();
    let heard = Heard::default();
    (HdfsSink::new(store, config, &context(&heard)), heard)
}

/// The files below a directory and what is in them; a name without the digits of its counter.
fn files(directory: &Path) -> Vec<(String, String)> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(directory).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(files(&path));
            continue;
        }
        let name = path.file_name().unwrap().to_str().unwrap().to_owned();
        let name = name.split('.').filter(|part| !part.bytes().all(|byte| byte.is_ascii_digit()));
        let body = std::fs::read(&path).unwrap();
        found.push((name.collect::<Vec<_>>().join("."), String::from_utf8_lossy(&body).into_owned()));
    }
    found.sort();
    found
}

fn numbered(numbers: std::ops::Range<u32>) -> Batch {
    let bodies: Vec<String> = numbers.map(|number| number.to_string()).collect();
    events(bodies.iter().map(|body| (&[][..], body.as_str())))
}

#[actix::test]
async fn a_file_is_full_then_complete_and_the_next_one_begins() {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("out");
    let path = format!("file://{}", out.display());
    let (mut sink, _) = sink(
        LocalStore,
        folder.path(),
        &[("hdfs.path", &path), ("hdfs.fileType", "DataStream"), ("hdfs.rollCount", "4")],
    );
    sink.open().await.unwrap();
    sink.deliver(&[numbered(0..3), numbered(3..9)]).await.unwrap();
    sink.writer.closer.wait_for(0).within("two files to be complete").await;
    let all = [("FlumeData", "0\n1\n2\n3\n"), ("FlumeData", "4\n5\n6\n7\n"), ("FlumeData.tmp", "8\n")];
    assert_eq!(files(&out), all.map(|(name, body)| (name.to_owned(), body.to_owned())));
    sink.close().await;
    assert!(files(&out).iter().all(|(name, _)| name == "FlumeData"));
    assert_eq!(files(&folder.path().join("state")), [], "nothing is unfinished");
}

#[actix::test]
async fn a_file_of_lzop_is_ended_when_it_is_closed() {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("out");
    let path = format!("file://{}", out.display());
    let keys = [("hdfs.path", path.as_str()), ("hdfs.fileType", "CompressedStream"), ("hdfs.codeC", "lzop")];
    let (mut sink, _) = sink(LocalStore, folder.path(), &keys);
    sink.open().await.unwrap();
    sink.deliver(&[numbered(0..3)]).await.unwrap();
    sink.deliver(&[numbered(3..5)]).await.unwrap();
    sink.close().await;
    let found: Vec<_> = std::fs::read_dir(&out).unwrap().map(|entry| entry.unwrap().path()).collect();
    let [file] = &found[..] else {
        panic!("one file");
    };
    assert!(file.extension().is_some_and(|end| end == "lzo"), "{file:?}");
    assert_eq!(crate::format::lzop::unpack(&std::fs::read(file).unwrap()), b"0\n1\n2\n3\n4\n");
}

#[actix::test]
async fn what_a_killed_process_has_left_is_completed_and_a_living_ones_file_is_not_touched() {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("out");
    let path = format!("file://{}", out.display());
    let pairs = [("hdfs.path", path.as_str()), ("hdfs.fileType", "DataStream"), ("hdfs.rollCount", "0")];
    let (mut living, _) = sink(LocalStore, folder.path(), &pairs);
    living.open().await.unwrap();
    living.deliver(&[numbered(0..1)]).await.unwrap();
    let (mut killed, _) = sink(LocalStore, folder.path(), &pairs);
    killed.open().await.unwrap();
    killed.deliver(&[numbered(1..2)]).await.unwrap();
    drop(killed);
    let (mut next, _) = sink(LocalStore, folder.path(), &pairs);
    next.open().await.unwrap();
    next.writer.closer.wait_for(0).within("the file that was left").await;
    assert_eq!(
        files(&out),
        [("FlumeData".to_owned(), "1\n".to_owned()), ("FlumeData.tmp".to_owned(), "0\n".to_owned())]
    );
    living.deliver(&[numbered(2..3)]).await.unwrap();
    living.close().await;
    assert!(files(&out).contains(&("FlumeData".to_owned(), "0\n2\n".to_owned())));
}

#[actix::test]
async fn an_event_that_can_never_be_written_is_put_aside_and_the_others_go_on() {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("out");
    let path = format!("file://{}/%{{h}}", out.display());
    let (mut sink, heard) =
        sink(LocalStore, folder.path(), &[("hdfs.path", &path), ("hdfs.fileType", "DataStream")]);
    sink.open().await.unwrap();
    let long = "x".repeat(300);
    let (good, up, long) = ([("h", "a")], [("h", "..")], [("h", long.as_str())]);
    sink.deliver(&[events([(&good[..], "1"), (&up[..], "2"), (&long[..], "3"), (&good[..], "4")])])
        .await
        .unwrap();
    sink.close().await;
    assert_eq!(files(&out), [("FlumeData".to_owned(), "1\n4\n".to_owned())]);
    let dead = files(&folder.path().join("state/dead-letters"));
    assert_eq!(dead.len(), 2);
    assert!(dead.iter().any(|(_, body)| body.contains("a part of it is `.` or `..`")), "{dead:?}");
    assert_eq!(heard.lines().iter().filter(|line| line.contains("can never be written")).count(), 2);
    assert_eq!(sink.writer.counters.event_write_fail.get(), 2);
}

#[actix::test]
async fn a_directory_that_takes_nothing_doubles_nothing_in_the_others() {
    tokio::time::pause();
    let (folder, store) = (tempfile::tempdir().unwrap(), Scripted::default());
    let pairs = [("hdfs.path", "/x/%{app}"), ("hdfs.fileType", "DataStream"), ("hdfs.rollCount", "0")];
    let (mut sink, _) = sink(store.clone(), folder.path(), &pairs);
    sink.open().await.unwrap();
    store.0.borrow_mut().closed_to_us = vec!["/x/bad/"];
    let [a, b, bad] = ["a", "b", "bad"].map(|app| [("app", app)]);
    let first = events([(&a[..], "1"), (&bad[..], "2"), (&b[..], "3")]);
    let second = events([(&b[..], "4"), (&a[..], "5")]);
    // What fails together comes again alone, until there is a way.
    assert!(sink.deliver(&[first.clone(), second.clone()]).await.is_err());
    for _ in 0..3 {
        let told = sink.deliver(std::slice::from_ref(&first)).await.unwrap_err().to_string();
        assert!(told.contains("/x/bad: Permission denied"), "{told}");
    }
    store.0.borrow_mut().closed_to_us.clear();
    sink.deliver(&[first]).await.unwrap();
    sink.deliver(&[second]).await.unwrap();
    sink.close().await;
    assert_eq!(bodies(&store), ["1\n5\n", "3\n4\n", "2\n"]);
}

#[actix::test]
async fn dead_letters_that_cannot_be_written_double_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let (out, dead) = (folder.path().join("out"), folder.path().join("dead"));
    std::fs::write(&dead, "").unwrap();
    let (path, place) = (format!("file://{}/%{{h}}", out.display()), dead.display().to_string());
    let keys = [("hdfs.path", &*path), ("hdfs.fileType", "DataStream"), ("hdfs.deadLetterDir", &*place)];
    let (mut sink, _) = sink(LocalStore, folder.path(), &keys);
    sink.open().await.unwrap();
    let (good, up) = ([("h", "a")], [("h", "..")]);
    let batch = events([(&good[..], "1"), (&up[..], "2"), (&good[..], "3")]);
    for _ in 0..3 {
        let told = sink.deliver(std::slice::from_ref(&batch)).await.unwrap_err().to_string();
        assert!(told.contains("dead letters to"), "{told}");
    }
    std::fs::remove_file(&dead).unwrap();
    sink.deliver(&[batch]).await.unwrap();
    sink.close().await;
    assert_eq!(files(&out), [("FlumeData".to_owned(), "1\n3\n".to_owned())]);
    assert_eq!(files(&dead).len(), 1);
}

#[actix::test]
async fn a_path_with_a_time_takes_events_without_one_and_says_so_once() {
    let folder = tempfile::tempdir().unwrap();
    let path = format!("file://{}/out/%Y", folder.path().display());
    let (mut sink, heard) = sink(LocalStore, folder.path(), &[("hdfs.path", &path)]);
    sink.open().await.unwrap();
    for number in 0..3 {
        sink.deliver(&[numbered(number..number + 1)]).await.unwrap();
    }
    assert_eq!(heard.lines().iter().filter(|line| line.contains("without a usable header")).count(), 1);
}

/// What a scripted store does, one word for each call that writes: it works, fails, or never answers, where it
/// "tears" with half of the bytes there.
#[derive(Clone, Default)]
struct Scripted(Rc<RefCell<Script>>);

#[derive(Default)]
struct Script {
    steps: VecDeque<&'static str>,
    files: BTreeMap<String, Vec<u8>>,
    did: Vec<String>,
    renewed: usize,
    /// Calls that are done once more, while their answers are lost.
    lost: Vec<&'static str>,
    /// No file that has lost its writer is ever without one.
    leases_stay: bool,
    /// Directories that take no file.
    closed_to_us: Vec<&'static str>,
}

struct ScriptedFile {
    store: Scripted,
    path: String,
    unsynced: Vec<u8>,
}

impl Scripted {
    /// The answer to a call that was done.
    fn answer(&self, call: &str) -> Result<(), StoreError> {
        let lost = &mut self.0.borrow_mut().lost;
        match lost.iter().position(|lost| *lost == call) {
            Some(at) => Err(StoreError::Failed(format!("the answer to {} was lost", lost.remove(at)))),
            None => Ok(()),
        }
    }

    async fn step(&self, what: &str) -> Result<(), StoreError> {
        let step = self.0.borrow_mut().steps.pop_front().unwrap_or("works");
        match step {
            "fails" => Err(StoreError::Failed(format!("{what} is broken"))),
            "hangs" | "tears" => pending().await,
            _ => Ok(()),
        }
    }
}

impl Store for Scripted {
    type File = ScriptedFile;

    async fn probe(&self) -> Result<(), StoreError> {
        Ok(())
    }

    async fn create(&self, path: &str, copies: Option<u32>) -> Result<ScriptedFile, StoreError> {
        self.step("create").await?;
        if self.0.borrow().closed_to_us.iter().any(|directory| path.starts_with(directory)) {
            return Err(StoreError::Refused("Permission denied".to_owned()));
        }
        let name = if self.0.borrow().did.is_empty() { "first" } else { "next" };
        self.0.borrow_mut().did.push(format!("create {name} {copies:?}"));
        if self.0.borrow_mut().files.insert(path.to_owned(), Vec::new()).is_some() {
            return Err(StoreError::Exists);
        }
        Ok(ScriptedFile { store: self.clone(), path: path.to_owned(), unsynced: Vec::new() })
    }

    async fn length(&self, path: &str) -> Result<Option<u64>, StoreError> {
        Ok(self.0.borrow().files.get(path).map(|body| body.len() as u64))
    }

    async fn recover(&self, _: &str) -> Result<bool, StoreError> {
        self.0.borrow_mut().did.push("recover".to_owned());
        Ok(!self.0.borrow().leases_stay)
    }

    async fn rename(&self, from: &str, to: &str) -> Result<(), StoreError> {
        let body = self.0.borrow_mut().files.remove(from).ok_or(StoreError::Missing)?;
        self.0.borrow_mut().files.insert(to.to_owned(), body);
        self.answer("rename")
    }

    async fn remove(&self, path: &str) -> Result<(), StoreError> {
        self.answer("refuse to remove")?;
        self.0.borrow_mut().files.remove(path).map(drop).ok_or(StoreError::Missing)?;
        self.answer("remove")
    }

    async fn restore_copies(&self, _: &str) -> Result<(), StoreError> {
        self.0.borrow_mut().did.push("copies".to_owned());
        Ok(())
    }

    async fn read(&self, path: &str, from: u64, to: u64) -> Result<Bytes, StoreError> {
        let body = self.0.borrow().files.get(path).cloned().ok_or(StoreError::Missing)?;
        Ok(Bytes::copy_from_slice(&body[from as usize..to as usize]))
    }

    fn renewed(&self) -> Scripted {
        self.0.borrow_mut().renewed += 1;
        self.clone()
    }
}

impl StoreFile for ScriptedFile {
    async fn append(&mut self, bytes: Bytes) -> Result<(), StoreError> {
        self.unsynced.extend_from_slice(&bytes);
        Ok(())
    }

    async fn sync(&mut self) -> Result<(), StoreError> {
        // What was on its way may have arrived, though nobody has said so.
        let mut arrived = std::mem::take(&mut self.unsynced);
        if self.store.0.borrow().steps.front() == Some(&"tears") {
            arrived.truncate(arrived.len() / 2);
        }
        self.store.0.borrow_mut().files.get_mut(&self.path).expect("it is there").extend(arrived);
        self.store.step("sync").await
    }

    async fn close(self) -> Result<(), StoreError> {
        self.store.step("close").await
    }
}

/// Delivers three batches of one event each while the store does `steps`; what stands where, at the end.
async fn played(steps: &[&'static str]) -> (Vec<Result<(), String>>, Scripted) {
    played_on(Scripted::default(), steps).await
}

async fn played_on(store: Scripted, steps: &[&'static str]) -> (Vec<Result<(), String>>, Scripted) {
    let folder = tempfile::tempdir().unwrap();
    store.0.borrow_mut().steps = steps.iter().copied().collect();
    let pairs = [
        ("hdfs.path", "/x"),
        ("hdfs.fileType", "DataStream"),
        ("hdfs.rollCount", "0"),
        ("hdfs.retryInterval", "1"),
    ];
    let (mut sink, _) = sink(store.clone(), folder.path(), &pairs);
    sink.open().await.unwrap();
    let mut outcomes = Vec::new();
    for number in 0..3 {
        let outcome = sink.deliver(&[numbered(number..number + 1)]).await;
        outcomes.push(outcome.map_err(|error| error.to_string()));
    }
    sink.close().await;
    (outcomes, store)
}

fn bodies(store: &Scripted) -> Vec<String> {
    let script = store.0.borrow();
    assert!(script.files.keys().all(|name| !name.contains(".tmp")), "{:?}", script.files);
    script.files.values().map(|body| String::from_utf8_lossy(body).into_owned()).collect()
}

#[actix::test]
async fn one_error_ends_a_file_and_its_events_go_to_a_new_one_each_of_them_once() {
    tokio::time::pause();
    // create, sync of 0, sync of 1 which fails with the bytes there, create, sync
    let (outcomes, store) = played(&["works", "works", "fails"]).await;
    assert_eq!(outcomes, [Ok(()), Ok(()), Ok(())]);
    assert_eq!(bodies(&store), ["0\n", "1\n2\n"], "what was not acknowledged is cut off");
    let did = store.0.borrow().did.join(", ");
    assert!(did.starts_with("create first None, create next Some(1), "), "{did}");
    assert!(did.contains("recover") && did.contains("copies"), "{did}");
}

#[actix::test]
async fn a_copy_takes_the_place_of_its_original_once_whatever_answer_is_lost() {
    tokio::time::pause();
    for lost in ["rename", "remove", "refuse to remove"] {
        let store = Scripted::default();
        store.0.borrow_mut().lost = vec![lost];
        let (outcomes, store) = played_on(store, &["works", "works", "fails"]).await;
        assert_eq!(outcomes, [Ok(()), Ok(()), Ok(())]);
        assert_eq!(bodies(&store), ["0\n", "1\n2\n"], "{lost}");
    }
}

/// What a process was killed in the middle of cutting: the list it has left, and its files.
#[actix::test]
async fn a_copy_that_a_killed_process_has_begun_doubles_nothing() {
    tokio::time::pause();
    let (begun, marked) = ("+/x/1.tmp\t/x/1\n=/x/1.tmp\t2\n+/x/1.tmp.cut\t/x/1\n", "=/x/1.tmp.cut\t2\n");
    let (original, whole) = (("/x/1.tmp", "0\n1\n"), ("/x/1.tmp.cut", "0\n"));
    let cases: [(&str, &[(&str, &str)]); 5] = [
        (begun, &[original]),
        (begun, &[original, ("/x/1.tmp.cut", "")]),
        (marked, &[original, whole]),
        (marked, &[original, ("/x/1", "0\n")]),
        (marked, &[("/x/1", "0\n")]),
    ];
    for (last, files) in cases {
        let (folder, store) = (tempfile::tempdir().unwrap(), Scripted::default());
        let held = files.iter().map(|(name, body)| ((*name).to_owned(), body.as_bytes().to_vec()));
        store.0.borrow_mut().files = held.collect();
        let state = folder.path().join("state");
        std::fs::create_dir_all(&state).unwrap();
        let lines = if last == begun { begun.to_owned() } else { format!("{begun}{last}") };
        std::fs::write(state.join("killed.open"), format!("/x\n{lines}")).unwrap();
        let (mut sink, _) = sink(store.clone(), folder.path(), &[("hdfs.path", "/x")]);
        sink.open().await.unwrap();
        sink.close().await;
        assert_eq!(bodies(&store), ["0\n"], "{files:?}");
        assert_eq!(self::files(&state), [], "nothing is unfinished: {files:?}");
    }
}

#[actix::test]
async fn a_call_that_never_comes_back_holds_up_one_batch_for_less_than_two_call_timeouts() {
    tokio::time::pause();
    let begun = clock::now();
    let (outcomes, store) = played(&["works", "hangs", "works", "hangs", "works", "hangs"]).await;
    assert_eq!(outcomes, [Ok(()), Ok(()), Ok(())]);
    assert!(clock::now() - begun < Duration::from_secs(60), "{:?}", clock::now() - begun);
    assert_eq!(bodies(&store), ["0\n1\n2\n"], "files that never had anything are removed");
    assert!(store.0.borrow().renewed >= 3, "each hang is left with its connections");
}

#[actix::test]
async fn a_store_that_makes_no_file_gets_the_batch_again_later() {
    tokio::time::pause();
    let (outcomes, store) = played(&["fails"]).await;
    assert_eq!(outcomes[0], Err("cannot write files in /x: create is broken".to_owned()));
    assert_eq!(outcomes[1..], [Ok(()), Ok(())]);
    assert_eq!(bodies(&store), ["1\n2\n"]);
}

#[actix::test]
async fn a_file_that_cannot_be_closed_is_recovered_and_complete_at_last() {
    tokio::time::pause();
    let (outcomes, store) = played(&["works", "works", "works", "works", "fails"]).await;
    assert_eq!(outcomes, [Ok(()), Ok(()), Ok(())]);
    assert_eq!(bodies(&store), ["0\n1\n2\n"]);
    assert!(store.0.borrow().did.contains(&"recover".to_owned()));
}

#[actix::test]
async fn the_recovery_of_one_file_holds_up_the_end_of_no_other() {
    tokio::time::pause();
    let (folder, store) = (tempfile::tempdir().unwrap(), Scripted::default());
    let pairs = [("hdfs.path", "/x"), ("hdfs.fileType", "DataStream"), ("hdfs.threadsPoolSize", "1")];
    let (mut sink, _) = sink(store.clone(), folder.path(), &pairs);
    sink.open().await.unwrap();
    store.0.borrow_mut().leases_stay = true;
    store.0.borrow_mut().steps = ["works", "fails"].into();
    sink.deliver(&[numbered(0..1)]).await.unwrap();
    sink.close().await;
    let files = store.0.borrow().files.clone();
    let complete: Vec<&[u8]> =
        files.iter().filter(|(name, _)| !name.ends_with(".tmp")).map(|(_, body)| &body[..]).collect();
    assert_eq!((files.len(), complete), (2, vec![&b"0\n"[..]]), "{files:?}");
}

#[actix::test]
async fn a_file_is_closed_when_its_time_has_come_though_nothing_is_delivered() {
    tokio::time::pause();
    let folder = tempfile::tempdir().unwrap();
    let store = Scripted::default();
    let pairs = [("hdfs.path", "/x"), ("hdfs.fileType", "DataStream"), ("hdfs.rollInterval", "30")];
    let (mut sink, _) = sink(store.clone(), folder.path(), &pairs);
    sink.open().await.unwrap();
    sink.deliver(&[numbered(0..1)]).await.unwrap();
    let begun = clock::now();
    let none = timeout(Duration::from_secs(31), sink.ended()).await;
    assert!(none.is_err() && clock::now() - begun >= Duration::from_secs(31));
    sink.writer.closer.wait_for(0).await;
    assert_eq!(bodies(&store), ["0\n"]);
}

#[actix::test]
async fn a_file_with_one_name_from_the_beginning_is_uploaded_too() {
    let folder = tempfile::tempdir().unwrap();
    let nobody = [("fs.s3a.endpoint", "http://127.0.0.1:1"), ("fs.s3a.path.style.access", "true")];
    let keys = [("fs.s3a.access.key", "a"), ("fs.s3a.secret.key", "s")];
    let bucket = S3Bucket::new("logs", &SiteFiles::of(&[nobody, keys].concat())).unwrap();
    let limit = Duration::from_millis(100);
    let store = S3Store::new(bucket, None, folder.path().to_owned(), limit);
    let mut file = store.create("/x/1", None).await.unwrap();
    file.append(Bytes::from_static(b"x")).await.unwrap();
    file.sync().await.unwrap();
    let heard = Heard::default();
    let once = ClosePolicy { tries: Some(1), interval: limit };
    let closer = Closer::new(store.clone(), &context(&heard), once, limit, 1);
    let names = FileNames { in_use: "/x/1".to_owned(), complete: "/x/1".to_owned() };
    closer.recover(Unfinished::new(names, Some(1), false));
    closer.wait_for(0).within("the only try to upload it").await;
    let lines = heard.lines();
    assert!(lines.iter().any(|line| line.contains("/x/1 cannot be completed yet")), "{lines:?}");
    assert_eq!(store.length("/x/1").await, Ok(Some(1)), "it waits on this machine");
}
