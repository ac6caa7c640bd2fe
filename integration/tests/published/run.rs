//! Each published file with a store in it, pointed at real servers: it is accepted by `check`, starts, and delivers.

use crate::feed::{EVENTS, make_ready, round};
use crate::text::{Case, Expected, Feed, Servers, cases};
use integration::console::Console;
use integration::flume::bridge::home_with_stores;
use integration::process::Process;
use integration::stores::{Broker, Hbase, Hdfs, SearchNode, posted_into, site};
use integration::{binaries, http, limit, ports};
use rustix::process::Signal;
use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Mutex;
use std::time::{Duration, Instant};

/// What has become of an agent.
struct Outcome {
    file: String,
    agent: String,
    /// Classes with something in their place, and where events have been counted.
    told: String,
    /// Why it does not run, or did not deliver.
    fault: Option<String>,
}

/// What all agents share.
struct Lab {
    program: PathBuf,
    /// Of Flume, for what has no native version.
    home: PathBuf,
    configuration: PathBuf,
    /// Of an `http` source into Kafka.
    topics: u16,
    /// Agents that read topics read the same ones, in one group.
    reading: Mutex<()>,
}

/// The files are not ours to hand on.
#[test]
#[ignore = "needs FLUME_CONFIGS, a folder of *.conf files, a JVM, Maven and a registry"]
fn published_files_run_on_real_stores_with_only_hosts_and_paths_changed() {
    let folder = std::env::var_os("FLUME_CONFIGS").expect("FLUME_CONFIGS names a folder");
    let work = tempfile::tempdir().expect("a folder");
    let mut hdfs = Hdfs::start(1, &[]).unwrap_or_else(|why| panic!("{why}"));
    let broker = Broker::start("auto.create.topics.enable=true");
    let mut hbase = Hbase::start();
    let search = SearchNode::opensearch();
    let servers =
        Servers { hdfs: hdfs.url(), kafka: broker.address(), hbase: hbase.quorum(), search: search.port() };
    let all = read(Path::new(&folder), &servers, work.path());
    tables(&all).iter().for_each(|(table, family)| drop(hbase.ask(&format!("create {table} {family}"))));
    let mut client = broker.topics().expect("a client");
    for topic in topics_read(&all) {
        client.ask(&format!("make {topic} 1")).expect("a topic");
    }
    let program =
        binaries::with_features("hbase,hdfs,kafka", work.path()).expect("it is built").join("agent");
    let (home, _) = home_with_stores().unwrap_or_else(|why| panic!("{why}"));
    let configuration = configuration(&servers, work.path());
    let (feeder, topics) = feeder(&program, &servers, work.path());
    let lab = Lab { program, home, configuration, topics, reading: Mutex::default() };
    let outcomes = run_all(&all, &lab, work.path());
    drop(feeder); // its channel is empty
    for Outcome { file, agent, told, fault } in &outcomes {
        eprintln!("{}\t{file}\t{agent}\t{told}", fault.as_deref().unwrap_or("runs"));
    }
    let (_, open) = hdfs.files("/").expect("it can be read");
    assert!(open.is_empty(), "files of HDFS that nobody has closed: {open:?}");
    let documents = search.count("*");
    assert!(documents.is_some_and(|count| count > 0), "{documents:?} documents");
    for (table, _) in tables(&all) {
        assert_ne!(hbase.ask(&format!("count {table}")), ["0"], "rows of {table}");
    }
    let left_out = outcomes.iter().filter_map(|outcome| {
        Some((outcome.file.as_str(), outcome.agent.as_str(), outcome.fault.as_deref()?))
    });
    let left_out: BTreeSet<_> = left_out.collect();
    let run = outcomes.len() - left_out.len();
    eprintln!("{run} of {} agents of {} files", outcomes.len(), count(&all));
    assert_eq!(left_out, LEFT_OUT.iter().copied().collect());
    assert!(run >= RUN, "{run} agents");
}

fn count(all: &[Case]) -> usize {
    all.iter().map(|case| &case.file).collect::<BTreeSet<_>>().len()
}

fn read(folder: &Path, servers: &Servers, work: &Path) -> Vec<Case> {
    let mut files: Vec<PathBuf> =
        fs::read_dir(folder).expect("a folder").flatten().map(|entry| entry.path()).collect();
    files.retain(|path| path.extension().is_some_and(|kind| kind == "conf"));
    files.sort();
    let mut all = Vec::new();
    for (number, file) in files.iter().enumerate() {
        let name = file.file_name().unwrap_or_default().to_string_lossy();
        let place = |agent: &str| work.join(format!("{number}-{agent}"));
        all.extend(cases(&name, &fs::read(file).expect("a file"), servers, place));
    }
    all
}

/// Each table that a sink names, with its family.
fn tables(all: &[Case]) -> BTreeSet<(String, String)> {
    all.iter().flat_map(|case| case.tables.iter().cloned()).collect()
}

fn topics_read(all: &[Case]) -> BTreeSet<&str> {
    let feeds = all.iter().flat_map(|case| &case.feeds);
    let topics = feeds.filter_map(|feed| match feed {
        Feed::Topic(topic) => Some(topic.as_str()),
        _ => None,
    });
    topics.collect()
}

/// An agent that puts what it gets into topics, and the port of its source.
fn feeder(program: &Path, servers: &Servers, work: &Path) -> (Process, u16) {
    let port = ports::free(&["127.0.0.1"]).expect("a port");
    let file = work.join("feeder.conf");
    let text = posted_into(port, &FEEDER.replace("KAFKA", &servers.kafka));
    fs::write(&file, text).expect("a file");
    let mut command = Command::new(program);
    command.args(["-n", "a1", "-f"]).arg(file);
    (Process::spawn(command, &Console::default(), 0).expect("it starts"), port)
}

/// What the files say nothing of, as an operator's machine has it.
fn configuration(servers: &Servers, work: &Path) -> PathBuf {
    let folder = work.join("configuration");
    let (host, port) = servers.hbase.split_once(':').expect("a port");
    let of_hbase = [("hbase.zookeeper.quorum", host), ("hbase.zookeeper.property.clientPort", port)];
    let written = fs::create_dir_all(&folder)
        .and_then(|()| fs::write(folder.join("core-site.xml"), site(&[("fs.defaultFS", &servers.hdfs)])))
        .and_then(|()| fs::write(folder.join("hbase-site.xml"), site(&of_hbase)));
    written.expect("a file");
    folder
}

/// A few at a time: each waits for a store most of the time.
fn run_all(all: &[Case], lab: &Lab, work: &Path) -> Vec<Outcome> {
    let (next, outcomes) = (Mutex::new(all.iter().enumerate()), Mutex::new(Vec::new()));
    std::thread::scope(|scope| {
        for _ in 0..AT_ONCE {
            scope.spawn(|| {
                loop {
                    let Some((number, case)) = next.lock().expect("nobody panics with it").next() else {
                        return;
                    };
                    let outcome = run(case, lab, &work.join(format!("run{number}")));
                    outcomes.lock().expect("nobody panics with it").push((number, outcome));
                }
            });
        }
    });
    let mut outcomes = outcomes.into_inner().expect("nobody panics with it");
    outcomes.sort_by_key(|(number, _)| *number);
    outcomes.into_iter().map(|(_, outcome)| outcome).collect()
}

fn run(case: &Case, lab: &Lab, place: &Path) -> Outcome {
    let begun = Instant::now();
    let (told, fault) = match start(case, lab, place) {
        Ok(counted) => (counted, None),
        Err(fault) => (String::new(), Some(fault)),
    };
    let own = match case.replaced.len() {
        0 => String::new(),
        own => format!(", something native for {own} classes"),
    };
    let told = format!("{told}{own}, {:.1} s", begun.elapsed().as_secs_f64());
    Outcome { file: case.file.clone(), agent: case.agent.clone(), told, fault }
}

/// The agent's whole life: what has been counted, or why it does not run.
fn start(case: &Case, lab: &Lab, place: &Path) -> Result<String, String> {
    let file = place.join("flume.conf");
    let bytes: Vec<u8> = case.text.chars().filter_map(|sign| u8::try_from(u32::from(sign)).ok()).collect();
    fs::create_dir_all(place).and_then(|()| fs::write(&file, bytes)).expect("a file");
    make_ready(case).expect("its files");
    let command = |words: &[&str]| {
        let mut command = Command::new(&lab.program);
        command.args(words).args(["-n", &case.agent, "-c"]).arg(&lab.configuration).arg("-f").arg(&file);
        command.current_dir(place).env("HOME", place).env("FLUME_HOME", &lab.home);
        command
    };
    let check = |words: &[&str]| -> serde_json::Value {
        let checked = limit::output(&mut command(&[&["check", "--json"], words].concat()));
        serde_json::from_slice(&checked.stdout).expect("a report")
    };
    let whole = check(&[]);
    let (options, report) = match whole["in_flume"].as_str() {
        Some("runs in part") => (&["--start-in-part"][..], check(&["--start-in-part"])),
        _ => (&[][..], whole.clone()),
    };
    let stores = case.stores_without(&report["without"].to_string());
    if report["exit_code"] != 0 || stores.is_empty() {
        return Err(whole["head"].as_str().unwrap_or_default().to_owned());
    }
    let reading = case.feeds.iter().any(|feed| matches!(feed, Feed::Topic(_)));
    let _one = reading.then(|| lab.reading.lock().expect("nobody panics with it"));
    let (port, console) = (ports::free(&["127.0.0.1"]).expect("a port"), Console::default());
    let monitored = format!("-Dflume.monitoring.port={port}");
    let words = ["-Dflume.monitoring.type=http", &monitored, "--drain-timeout", "20"];
    let mut process = Process::spawn(command(&[&words, options].concat()), &console, 0).expect("it starts");
    let counted = deliver(case, &stores, port, lab.topics);
    process.signal(Signal::TERM);
    let ended = process.wait(LIMIT);
    let said = || console.lines_from(0).into_iter().map(|line| line.text + "\n").collect::<String>();
    let counted = counted.map_err(|fault| format!("{fault}; it said:\n{}", said()))?;
    match ended {
        Some(ended) if ended.status.success() => Ok(format!("{} warnings, {counted}", report["warnings"])),
        ended => Err(format!("at SIGTERM: {ended:?}; it said:\n{}", said())),
    }
}

/// Feeds it until each store has counted enough.
fn deliver(case: &Case, stores: &[&Expected], port: u16, topics: u16) -> Result<String, String> {
    let begun = Instant::now();
    let counts = || -> Vec<(&str, u64)> {
        let of = |(component, key): &(String, &str)| http::counter(port, component, key).unwrap_or_default();
        stores.iter().map(|one| (one.store, one.counters.iter().map(of).sum())).collect()
    };
    let mut number = 0;
    loop {
        let now = counts();
        if now.iter().all(|(_, count)| *count >= EVENTS as u64) {
            return Ok(now
                .iter()
                .map(|(store, count)| format!("{store} {count}"))
                .collect::<Vec<_>>()
                .join(" "));
        }
        if begun.elapsed() > LIMIT {
            return Err(format!("after {LIMIT:?} of {stores:?}: {now:?}"));
        }
        if begun.elapsed() > ROUND * number {
            round(case, number as usize, topics);
            number += 1;
        }
        std::thread::sleep(LOOK);
    }
}

const FEEDER: &str = "
a1.sinks.k.type = org.apache.flume.sink.kafka.KafkaSink
a1.sinks.k.kafka.bootstrap.servers = KAFKA
";

/// Those that do not run, and why not.
const LEFT_OUT: &[(&str, &str, &str)] = &[
    (
        "alieissa-apache-flume-data-pipeli-agent-agent_conf.conf",
        "agent",
        "agent `agent` does not run here: the configuration has 1 error; in Flume it starts nothing and stays up: the agent is marked as invalid",
    ),
    (
        "bigdatapassion-IngestionCodes-flume_conf.conf",
        "YelpAgent",
        "agent `YelpAgent` does not run here: the configuration has 1 error; in Flume it runs in part, without the sink `HDFS`",
    ),
    (
        "brockn-flume-hbase-serializer-flume_conf.conf",
        "example",
        "agent `example` does not run here: the configuration has 2 errors; in Flume it runs in part, without the sink `sink1`",
    ),
    (
        "penghcn-start-flume-flume_conf.conf",
        "a1",
        "agent `a1` does not run here: the configuration has 1 error; in Flume it runs in part, without the source `r1`",
    ),
    (
        "soolr-soolr_config-flume_conf.conf",
        "producer",
        "agent `producer` does not run here: the configuration has 2 errors; in Flume it runs in part, without the sink `sink1`",
    ),
];

/// At least so many do.
const RUN: usize = 42;

const AT_ONCE: usize = 4;
/// A round that finds nobody is followed by another.
const ROUND: Duration = Duration::from_secs(2);
const LOOK: Duration = Duration::from_millis(100);
const LIMIT: Duration = Duration::from_secs(90);
