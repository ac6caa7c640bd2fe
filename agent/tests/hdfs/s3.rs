//! The HDFS sink and `s3a://`, on a real S3Proxy.

use crate::lab::{LIMIT, Process};
use crate::{lost_and_doubled, numbers};
use integration::stores::{Files, S3Proxy, append};
use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::thread::sleep;
use std::time::{Duration, Instant};

const BUCKET: &str = "logs";

/// An agent that writes to `s3a://logs/all/PREFIX.*` what `source` gives, with Hadoop's settings beside its file.
fn agent(site: &str, folder: &Path, prefix: &str, source: &str, sink: &str) -> Process {
    fs::write(folder.join("core-site.xml"), site).expect("a file");
    let text = format!(
        "a.sources = r\na.channels = c\na.sinks = k\na.sources.r.channels = c\n{source}\na.channels.c.type = memory\n\
         a.channels.c.capacity = 10000\na.channels.c.transactionCapacity = 1000\na.sinks.k.type = hdfs\na.sinks.k.channel = c\n\
         a.sinks.k.hdfs.path = s3a://{BUCKET}/all\na.sinks.k.hdfs.filePrefix = {prefix}\na.sinks.k.hdfs.fileType = DataStream\na.sinks.k.hdfs.rollSize = 0\n\
         a.sinks.k.hdfs.rollInterval = 0\na.sinks.k.hdfs.retryInterval = 1\na.sinks.k.hdfs.callTimeout = 4000\n\
         a.sinks.k.hdfs.stateDir = {}\n{sink}\n",
        folder.join("state").display()
    );
    let file = folder.join("s3.conf");
    fs::write(&file, text).expect("a file");
    let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_agent"));
    command.args(["-n", "a", "-c"]).arg(folder).arg("-f").arg(file);
    Process::spawn(command, &folder.join(format!("{prefix}.log")))
}

fn until(s3: &S3Proxy, agent: &Process, what: &str, holds: impl Fn(&Files) -> bool) -> Files {
    let begun = Instant::now();
    loop {
        let objects = s3.objects(BUCKET);
        if holds(&objects) {
            return objects;
        }
        assert!(begun.elapsed() < LIMIT, "{what}: there is {:?}; {}", objects.keys(), agent.said());
        sleep(Duration::from_millis(100));
    }
}

/// The objects of this prefix.
fn below(objects: &Files, prefix: &str) -> BTreeMap<String, Vec<u8>> {
    let below = objects.iter().filter(|(name, _)| name.starts_with(&format!("/all/{prefix}.")));
    below.map(|(name, body)| (name.clone(), body.clone())).collect()
}

/// Where it keeps files until they are objects.
fn spool(folder: &Path) -> PathBuf {
    folder.join("state/s3").join(BUCKET)
}

/// The files of a directory that may not be there.
fn entries(directory: &Path) -> Vec<PathBuf> {
    let Ok(entries) = fs::read_dir(directory) else { return Vec::new() };
    entries.map(|entry| entry.expect("an entry").path()).collect()
}

/// What the sink has acknowledged and has not uploaded, as it stands on this machine.
fn spooled(folder: &Path) -> BTreeMap<String, Vec<u8>> {
    let mut all = BTreeMap::new();
    for path in entries(&spool(folder)) {
        let counts = fs::read(path.with_extension("synced")).unwrap_or_default();
        let counts = counts.first_chunk().copied().map(u64::from_be_bytes).unwrap_or(0);
        if path.extension().is_none()
            && let Ok(mut body) = fs::read(&path)
        {
            body.truncate(counts as usize);
            all.insert(path.display().to_string(), body);
        }
    }
    all
}

#[test]
#[ignore = "needs a JVM and Maven"]
fn what_was_acknowledged_is_in_s3_in_the_end_whoever_is_killed() {
    let mut s3 = S3Proxy::start(BUCKET).unwrap_or_else(|why| panic!("{why}"));
    let folder = tempfile::tempdir().expect("a directory");
    let source = |events: u64| {
        format!("a.sources.r.type = seq\na.sources.r.batchSize = 100\na.sources.r.totalEvents = {events}")
    };
    let mut acknowledged = BTreeMap::new();
    for life in 0..4 {
        let name = format!("life{life}");
        let mut agent = agent(
            &s3.core_site(),
            folder.path(),
            &name,
            &source(10_000_000),
            "a.sinks.k.hdfs.rollCount = 500",
        );
        until(&s3, &agent, "files of this life", |objects| below(objects, &name).len() >= 3);
        if life % 2 == 1 {
            s3.kill();
            let begun = Instant::now();
            while !agent.said().contains("cannot be completed yet") {
                assert!(begun.elapsed() < LIMIT, "it does not say that S3 is away; {}", agent.said());
                sleep(Duration::from_millis(100));
            }
        }
        agent.kill();
        let mut known = numbers(&below(&s3.objects(BUCKET), &name));
        known.extend(numbers(&spooled(folder.path())));
        acknowledged.insert(name, known);
        if life % 2 == 1 {
            s3.start_again().unwrap_or_else(|why| panic!("{why}"));
        }
    }
    let mut last =
        agent(&s3.core_site(), folder.path(), "last", &source(1), "a.sinks.k.hdfs.idleTimeout = 1");
    until(&s3, &last, "everything is uploaded", |objects| {
        !below(objects, "last").is_empty() && spooled(folder.path()).is_empty()
    });
    last.stop();
    for (life, known) in acknowledged {
        let there = numbers(&below(&s3.objects(BUCKET), &life));
        let highest = known.iter().chain(&there).max().expect("events") + 1;
        let (lost, doubled) = lost_and_doubled(&there, highest);
        // A server that is killed may have an object without its mark; four files are on their way at a time.
        let most = if life == "life1" || life == "life3" { 4 * 500 } else { 0 };
        assert!(lost == 0 && doubled <= most, "{life}: {lost} lost, {doubled} doubled");
    }
    // A kill between the two may leave the few bytes beside a file that is gone.
    let left = entries(&spool(folder.path())).into_iter().filter(|path| path.extension().is_none());
    assert_eq!(left.collect::<Vec<_>>(), [] as [PathBuf; 0]);
}

#[test]
#[ignore = "needs a JVM and Maven"]
fn a_file_of_several_parts_is_one_object_although_the_agent_is_killed_while_it_uploads() {
    const LINES: usize = 1_500;
    let s3 = S3Proxy::start(BUCKET).unwrap_or_else(|why| panic!("{why}"));
    let folder = tempfile::tempdir().expect("a directory");
    let file = folder.path().join("in.log");
    let text: String = (0..LINES).map(|number| format!("{number} {}\n", "x".repeat(16 << 10))).collect();
    let source = format!(
        "a.sources.r.type = taildir\na.sources.r.filegroups = f\na.sources.r.filegroups.f = {}\n\
         a.sources.r.positionFile = {}\na.sources.r.maxLineLength = 100000",
        file.display(),
        folder.path().join("positions").display()
    );
    append(&file, &text);
    let idle = format!("a.sinks.k.hdfs.rollCount = {LINES}\na.sinks.k.hdfs.idleTimeout = 1");
    let mut killed = agent(&s3.core_site(), folder.path(), "parts", &source, &idle);
    let begun = Instant::now();
    let uploads = |path: PathBuf| path.extension().is_some_and(|extension| extension == "upload");
    while !entries(&spool(folder.path())).into_iter().any(uploads) {
        assert!(begun.elapsed() < LIMIT, "no upload in parts begins; {}", killed.said());
        sleep(Duration::from_millis(1));
    }
    s3.freeze();
    killed.kill();
    s3.thaw();
    let none = "a.sources.r.type = seq\na.sources.r.totalEvents = 0";
    let next = agent(&s3.core_site(), folder.path(), "parts", none, &idle);
    let objects = until(&s3, &next, "the object", |objects| {
        !below(objects, "parts").is_empty() && entries(&spool(folder.path())).is_empty()
    });
    let objects = below(&objects, "parts");
    assert_eq!(objects.len(), 1, "{:?}", objects.keys());
    assert!(objects.into_values().all(|body| body == text.as_bytes()), "it is another text");
    let (wrong, folder) =
        (s3.core_site().replace("labsecret", "hunter2"), tempfile::tempdir().expect("a directory"));
    let refused = agent(&wrong, folder.path(), "refused", none, &idle);
    let begun = Instant::now();
    while !refused.said().contains("SignatureDoesNotMatch: ") {
        assert!(begun.elapsed() < LIMIT, "it does not say that its keys are wrong; {}", refused.said());
        sleep(Duration::from_millis(50));
    }
    assert!(!refused.said().contains("hunter2"), "{}", refused.said());
}
