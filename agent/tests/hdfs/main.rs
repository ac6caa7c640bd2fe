//! The HDFS sink on a real HDFS, which is fetched and started here: what is written is read back by Hadoop's own client;
//! processes are killed and frozen; real Flume writes the same beside it.
//!
//! `cargo test -p agent --features hdfs --test hdfs -- --ignored --test-threads=1`

mod clusters;
mod lab;
mod s3;

use integration::http;
use integration::stores::hadoop_java;
use lab::{Hdfs, LIMIT, Process, counters_at, flume, free_port};
use std::collections::BTreeMap;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::path::Path;
use std::process::Command;
use std::thread::sleep;
use std::time::{Duration, Instant};

/// An agent `a` with a `seq` source for each sink, which has these keys beside its path.
fn agent_of(hdfs: &Hdfs, events: u32, sinks: &[(&str, &str)]) -> String {
    agent_at(&hdfs.url(), hdfs.folder(), events, sinks)
}

fn agent_at(url: &str, folder: &Path, events: u32, sinks: &[(&str, &str)]) -> String {
    let names: Vec<&str> = sinks.iter().map(|(name, _)| *name).collect();
    let each = |prefix: &str| names.iter().map(|name| format!(" {prefix}{name}")).collect::<String>();
    let mut text = format!("a.sources ={}\na.channels ={}\na.sinks ={}\n", each("r"), each("c"), each(""));
    for (name, keys) in sinks {
        text += &format!(
            "a.sources.r{name}.type = seq\na.sources.r{name}.totalEvents = {events}\n\
             a.sources.r{name}.batchSize = 100\na.sources.r{name}.channels = c{name}\n\
             a.channels.c{name}.type = memory\na.channels.c{name}.capacity = 10000\n\
             a.channels.c{name}.transactionCapacity = 1000\n\
             a.sinks.{name}.type = hdfs\na.sinks.{name}.channel = c{name}\n\
             a.sinks.{name}.hdfs.path = {url}/{name}\na.sinks.{name}.hdfs.rollSize = 0\na.sinks.{name}.hdfs.rollInterval = 0\n\
             a.sinks.{name}.hdfs.stateDir = {state}\n",
            state = folder.join("state").display(),
        );
        text += &keys.lines().map(|line| format!("a.sinks.{name}.{}\n", line.trim())).collect::<String>();
    }
    text
}

/// The numbers that stand in files of lines, in the order of the files' names.
fn numbers(files: &BTreeMap<String, Vec<u8>>) -> Vec<u64> {
    let lines = |body: &Vec<u8>| String::from_utf8_lossy(body).lines().map(str::to_owned).collect::<Vec<_>>();
    files.values().flat_map(lines).map(|line| line.parse().expect("a whole line")).collect()
}

/// How many of `0..events` are missing, and how many stand there twice.
fn lost_and_doubled(numbers: &[u64], events: u64) -> (u64, u64) {
    let mut seen: Vec<u64> = numbers.to_vec();
    seen.sort_unstable();
    seen.dedup();
    assert!(seen.last().is_none_or(|last| *last < events), "a number that was never sent");
    (events - seen.len() as u64, (numbers.len() - seen.len()) as u64)
}

fn is_complete(files: &BTreeMap<String, Vec<u8>>, open: &[String]) -> bool {
    !files.is_empty() && open.is_empty() && files.keys().all(|name| !name.ends_with(".tmp"))
}

#[test]
#[ignore = "needs a JVM and Maven"]
fn what_is_written_is_read_back_by_hadoop_in_every_form() {
    const EVENTS: u64 = 2_000;
    let mut hdfs = Hdfs::start(1, &[]);
    let sequence = "hdfs.rollCount = 1500\nhdfs.codeC = ";
    let forms: Vec<(&str, String)> = [
        ("text", "hdfs.rollCount = 700\nhdfs.fileType = DataStream".to_owned()),
        ("gzip", "hdfs.rollCount = 0\nhdfs.fileType = CompressedStream\nhdfs.codeC = gzip".to_owned()),
        ("bzip2", "hdfs.rollCount = 0\nhdfs.fileType = CompressedStream\nhdfs.codeC = bzip2".to_owned()),
        ("plain", "hdfs.rollCount = 1500\nhdfs.writeFormat = Text".to_owned()),
    ]
    .into_iter()
    .chain(["default", "gzip", "bzip2", "snappy"].map(|codec| {
        let name = ["seqdefault", "seqgzip", "seqbzip2", "seqsnappy"];
        let at = ["default", "gzip", "bzip2", "snappy"].iter().position(|known| *known == codec);
        (name[at.expect("it is one")], format!("{sequence}{codec}\nhdfs.writeFormat = Text"))
    }))
    .collect();
    let sinks: Vec<(&str, &str)> = forms.iter().map(|(name, keys)| (*name, keys.as_str())).collect();
    let folder = tempfile::tempdir().expect("a directory");
    let (mut agent, monitor) = watched(&agent_of(&hdfs, EVENTS as u32, &sinks), folder.path());
    let names: Vec<&str> = sinks.iter().map(|(name, _)| *name).collect();
    agent.until_drained(monitor, &names, EVENTS);
    agent.stop();
    let text = hdfs.until("/text", "complete files", is_complete);
    assert_eq!(text.len(), 3, "700, 700 and 600: {:?}", text.keys());
    assert_eq!(lost_and_doubled(&numbers(&text), EVENTS), (0, 0));
    for (name, program) in [("gzip", "gzip"), ("bzip2", "bzip2")] {
        let files = hdfs.until(&format!("/{name}"), "a complete file", is_complete);
        let unpacked = files.iter().map(|(name, body)| (name.clone(), unpacked(program, body))).collect();
        assert_eq!(lost_and_doubled(&numbers(&unpacked), EVENTS), (0, 0), "{name}");
    }
    for name in ["plain", "seqdefault", "seqgzip", "seqbzip2", "seqsnappy"] {
        let files = hdfs.until(&format!("/{name}"), "complete files", is_complete);
        assert_eq!(files.len(), 2, "{name}");
        let records: Vec<String> = files.keys().flat_map(|path| hdfs.ask(&format!("seq {path}"))).collect();
        let values: Vec<u64> =
            records.iter().filter_map(|record| record.split_once('\t')?.1.parse().ok()).collect();
        assert_eq!(lost_and_doubled(&values, EVENTS), (0, 0), "{name}");
    }
}

/// An agent with this configuration, and where it serves its counters.
fn watched(configuration: &str, folder: &Path) -> (Process, u16) {
    let monitor = free_port();
    let mut agent = Command::new(env!("CARGO_BIN_EXE_agent"));
    agent.args(counters_at(monitor));
    (Process::run(agent, configuration, folder, "watched"), monitor)
}

fn unpacked(program: &str, packed: &[u8]) -> Vec<u8> {
    let file = tempfile::NamedTempFile::new().expect("a file");
    std::fs::write(file.path(), packed).expect("it is written");
    let ended = Command::new(program).arg("-dc").stdin(file.reopen().expect("it is there")).output();
    let ended = ended.expect("it starts");
    assert!(ended.status.success(), "{}", String::from_utf8_lossy(&ended.stderr));
    ended.stdout
}

/// Behind the number of a line: so much that a kill meets a file in the middle of one.
const LONG_LINE: usize = 500;

/// An agent that writes long lines, each with the next number, as text and as sequence files, to a prefix of its own.
fn endless(hdfs: &Hdfs, prefix: &str, lines: u64) -> String {
    let forms = [
        ("text", "hdfs.fileType = DataStream\nhdfs.rollCount = 10000"),
        ("seq", "hdfs.writeFormat = Text\nhdfs.rollCount = 10000"),
    ];
    let keys = forms.map(|(_, keys)| {
        format!("hdfs.filePrefix = {prefix}\nhdfs.batchSize = 1000\nhdfs.retryInterval = 1\n{keys}")
    });
    let sinks = [("text", keys[0].as_str()), ("seq", keys[1].as_str())];
    let text = agent_of(hdfs, 0, &sinks).replace(".batchSize = 100\n", ".batchSize = 1000\n");
    let command = format!(
        "seq 0 {} | awk 'BEGIN {{ while (length(pad) < {LONG_LINE}) pad = pad \"x\" }} {{ print $1 \" \" pad }}'",
        lines - 1
    );
    let source = |name: &str| {
        format!(
            "a.sources.r{name}.type = exec\na.sources.r{name}.shell = /bin/sh -c\na.sources.r{name}.command = {command}\n"
        )
    };
    let own = text.lines().filter(|line| !line.contains(".type = seq") && !line.contains(".totalEvents"));
    own.map(|line| format!("{line}\n")).collect::<String>() + &source("text") + &source("seq")
}

/// The number of a long line, which must be whole.
fn long_line(name: &str, line: &str) -> u64 {
    let (number, rest) = line.split_once(' ').unwrap_or_else(|| panic!("{name} has half a line: {line}"));
    let is_whole = rest.len() == LONG_LINE && rest.bytes().all(|byte| byte == b'x');
    assert!(is_whole, "{name} has half a line: {number}, {} bytes", line.len());
    number.parse().unwrap_or_else(|_| panic!("{name} has half a line: {number}"))
}

/// The numbers of a prefix, which stand in complete files of whole events.
fn long_lines(hdfs: &mut Hdfs, place: &str, prefix: &str) -> Vec<u64> {
    let files = hdfs.until(place, "complete files", is_complete);
    let own = files.iter().filter(|(name, _)| name.contains(&format!("/{prefix}.")));
    let mut found = Vec::new();
    for (name, body) in own {
        if place == "/seq" {
            // Hadoop's own reader fails where a record is cut off.
            let records = hdfs.ask(&format!("seq {name}"));
            let values = records.iter().filter_map(|record| Some(record.split_once('\t')?.1));
            found.extend(values.map(|line| long_line(name, line)));
        } else {
            let text = String::from_utf8_lossy(body);
            assert!(text.is_empty() || text.ends_with('\n'), "{name} ends in half a line");
            found.extend(text.lines().map(|line| long_line(name, line)));
        }
    }
    found
}

#[test]
#[ignore = "needs a JVM and Maven"]
fn a_killed_agent_leaves_no_file_in_use_and_nothing_that_was_synced_is_lost() {
    const PLACES: [&str; 2] = ["text", "seq"];
    let mut hdfs = Hdfs::start(1, &[]);
    let folder = tempfile::tempdir().expect("a directory");
    for round in 0..4 {
        let prefix = format!("round{round}");
        let (mut agent, monitor) = watched(&endless(&hdfs, &prefix, 1_000_000), folder.path());
        let acknowledged = |place: &str| {
            http::counter(monitor, &format!("SINK.{place}"), "EventDrainSuccessCount").unwrap_or_default()
        };
        // Other moments in the life of a file: the counters follow a delivery.
        for place in PLACES {
            agent.until_drained(monitor, &[place], 8_000 + 7_777 * round);
        }
        let known = PLACES.map(acknowledged);
        agent.kill();
        // The next run finds what was left, and writes to files of its own.
        let (mut next, monitor) = watched(&endless(&hdfs, &format!("next{round}"), 1), folder.path());
        next.until_drained(monitor, &PLACES, 1);
        let is_own = |name: &String| name.contains(&format!("/{prefix}."));
        for place in PLACES {
            hdfs.until(&format!("/{place}"), "what was left to be complete", |files, open| {
                let left = |name: &&String| is_own(name) && name.ends_with(".tmp");
                !files.keys().any(|name| left(&name)) && !open.iter().any(is_own)
            });
        }
        next.stop();
        for (place, known) in PLACES.iter().zip(known) {
            let there = long_lines(&mut hdfs, &format!("/{place}"), &prefix);
            let events = there.iter().max().map_or(0, |last| last + 1);
            let (lost, doubled) = lost_and_doubled(&there, events);
            assert!(events >= known, "{prefix} {place}: {events} of {known} that were acknowledged");
            assert_eq!((lost, doubled), (0, 0), "{prefix} {place}: {events} events, without a gap");
        }
    }
    assert_eq!(std::fs::read_dir(hdfs.folder().join("state")).expect("a directory").count(), 0);
}

#[test]
#[ignore = "needs a JVM and Maven"]
fn a_data_node_that_dies_and_comes_back_costs_no_event() {
    const EVENTS: u64 = 60_000;
    let mut hdfs = Hdfs::start(1, &[]);
    let keys =
        "hdfs.rollCount = 5000\nhdfs.fileType = DataStream\nhdfs.callTimeout = 8000\nhdfs.retryInterval = 2";
    let folder = tempfile::tempdir().expect("a directory");
    let (mut agent, monitor) = watched(&agent_of(&hdfs, EVENTS as u32, &[("text", keys)]), folder.path());
    hdfs.until("/text", "the first lines", |files, _| !numbers(files).is_empty());
    hdfs.ask("killdn 0");
    sleep(Duration::from_secs(3)); // writes fail meanwhile
    hdfs.ask("startdn");
    agent.until_drained(monitor, &["text"], EVENTS);
    agent.stop();
    let all = hdfs.files("/text").0;
    let (lost, doubled) = lost_and_doubled(&numbers(&all), EVENTS);
    assert_eq!(lost, 0, "{}", agent.said());
    assert!(doubled <= 1_600, "no more than what was under way: {doubled}");
}

/// `EventDrainSuccessCount` of the sink.
fn drained(port: u16) -> u64 {
    http::counter(port, "SINK.text", "EventDrainSuccessCount").unwrap_or_default()
}

#[test]
#[ignore = "needs a JVM and Maven"]
fn with_one_of_three_data_nodes_frozen_events_are_synced_again_within_two_call_timeouts() {
    const CALL_TIMEOUT: Duration = Duration::from_secs(8);
    let mut hdfs = Hdfs::start(0, &[]);
    let nodes: Vec<Process> = (0..3).map(|number| hdfs.data_node(number)).collect();
    let begun = Instant::now();
    while hdfs.ask("nodes") != ["3"] {
        assert!(begun.elapsed() < LIMIT, "waited {LIMIT:?} for three DataNodes to come to the NameNode");
        sleep(Duration::from_millis(100));
    }
    let folder = tempfile::tempdir().expect("a directory");
    let site =
        "<configuration><property><name>dfs.replication</name><value>3</value></property></configuration>";
    std::fs::write(folder.path().join("hdfs-site.xml"), site).expect("a file");
    let keys = format!(
        "hdfs.rollCount = 0\nhdfs.fileType = DataStream\nhdfs.callTimeout = {}\n\
         hdfs.confDir = {}",
        CALL_TIMEOUT.as_millis(),
        folder.path().display()
    );
    let (agent, monitor) = watched(&agent_of(&hdfs, 10_000_000, &[("text", &keys)]), folder.path());
    let more_than = |events: u64, limit: Duration| {
        let begun = Instant::now();
        while drained(monitor) <= events {
            assert!(begun.elapsed() < limit, "nothing was synced for {limit:?}; {}", agent.said());
            sleep(Duration::from_millis(50));
        }
        begun.elapsed()
    };
    more_than(1_000, LIMIT);
    nodes[0].signal("STOP");
    sleep(Duration::from_millis(500)); // what was under way
    let before = drained(monitor);
    more_than(before + 2_000, 2 * CALL_TIMEOUT);
    let steady = drained(monitor);
    let took = more_than(steady + 5_000, CALL_TIMEOUT);
    nodes[0].signal("CONT");
    assert!(took < CALL_TIMEOUT, "nothing waits for the frozen one: {took:?}");
}

/// Three sinks, all at one `http` source.
fn three_sinks(url: &str, port: u16, state: &str) -> String {
    let mut text = format!(
        "a.sources = r\na.channels = c1 c2 c3 c4\na.sinks = k1 k2 k3 k4\na.sources.r.type = http\n\
         a.sources.r.bind = 127.0.0.1\na.sources.r.port = {port}\na.sources.r.channels = c1 c2 c3 c4\n"
    );
    let forms = [
        "hdfs.path = URL/seq/%Y%m%d/%{host}\nhdfs.rollSize = 0\nhdfs.rollCount = 3",
        "hdfs.path = URL/text\nhdfs.writeFormat = Text\nhdfs.rollSize = 12\nhdfs.rollCount = 0",
        "hdfs.path = URL/ds\nhdfs.fileType = DataStream\nhdfs.filePrefix = ev-%H\nhdfs.fileSuffix = .log\n\
         hdfs.inUsePrefix = _\nserializer = header_and_text\nhdfs.round = true\nhdfs.roundUnit = hour\nhdfs.roundValue = 6",
        "hdfs.path = URL/gz\nhdfs.fileType = CompressedStream\nhdfs.codeC = gzip\nhdfs.rollCount = 0\nhdfs.rollSize = 0",
    ];
    for (form, number) in forms.iter().zip(1..) {
        text += &format!(
            "a.channels.c{number}.type = memory\na.sinks.k{number}.type = hdfs\na.sinks.k{number}.channel = c{number}\n\
             a.sinks.k{number}.hdfs.timeZone = UTC\na.sinks.k{number}.hdfs.minBlockReplicas = 1\n"
        );
        if !state.is_empty() {
            text += &format!("a.sinks.k{number}.hdfs.stateDir = {state}\n");
        }
        let lines = form.lines().map(|line| format!("a.sinks.k{number}.{}\n", line.trim()));
        text += &lines.collect::<String>().replace("URL", url);
    }
    text
}

const EVENTS: &str = r#"[{"headers":{"timestamp":"1700000000000","host":"h1"},"body":"one"},
{"headers":{"timestamp":"1700000001000","host":"h1"},"body":"two"},
{"headers":{"timestamp":"1700000002000","host":"h2","k":"v"},"body":"three"},
{"headers":{"timestamp":"1700000003000","host":"h1"},"body":"four"},
{"headers":{"timestamp":"1700050000000","host":"h1"},"body":"five"},
{"headers":{"timestamp":"1700000005000","host":"h1"},"body":"six, longer"},
{"headers":{"timestamp":"1700000006000","host":"h1"},"body":"seven"}]"#;

fn post(port: u16, body: &str) {
    let mut stream = TcpStream::connect(("127.0.0.1", port)).expect("the source listens");
    let head = format!(
        "POST / HTTP/1.0\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n",
        body.len()
    );
    stream.write_all(head.as_bytes()).and_then(|()| stream.write_all(body.as_bytes())).expect("it reads");
    let mut answer = String::new();
    stream.read_to_string(&mut answer).expect("it answers");
    assert!(answer.contains(" 200 "), "{answer}");
}

/// A file's name without its counter, and what is in it without what is random or depends on the version of zlib.
fn comparable(files: BTreeMap<String, Vec<u8>>, root: &str) -> Vec<(String, Vec<u8>)> {
    let mut all: Vec<(String, Vec<u8>)> = Vec::new();
    for (name, mut body) in files {
        let name = name.strip_prefix(root).expect("it is below").to_owned();
        let parts = name.split('.').map(|part| {
            match part.len() == 13 && part.bytes().all(|byte| byte.is_ascii_digit()) {
                true => "N",
                false => part,
            }
        });
        let plain = parts.collect::<Vec<_>>().join(".");
        if body.starts_with(b"SEQ") {
            let at = body.windows(6).position(|bytes| bytes == [0; 6]).expect("no codec and no metadata") + 6;
            let marker = body[at..at + 16].to_vec();
            while let Some(at) = body.windows(16).position(|bytes| bytes == marker) {
                body[at..at + 16].fill(b'm');
            }
        }
        if name.ends_with(".gz") {
            assert_eq!(body[..10], [0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 0xff]);
            body = unpacked("gzip", &body);
        }
        all.push((plain, body));
    }
    all.sort();
    all
}

#[test]
#[ignore = "needs a JVM and Maven"]
fn names_and_contents_are_those_of_flume_on_the_same_cluster() {
    let mut hdfs = Hdfs::start(1, &[]);
    let (folder, ports) = (tempfile::tempdir().expect("a directory"), [free_port(), free_port()]);
    let (monitor, url) = (free_port(), hdfs.url());
    let state = folder.path().join("state").display().to_string();
    let native = three_sinks(&format!("{url}/native"), ports[0], &state);
    let (mut native, natives) = watched(&native, folder.path());
    let mut java = hadoop_java(&flume());
    java.args(counters_at(monitor)).arg("org.apache.flume.node.Application");
    let mut flume =
        Process::run(java, &three_sinks(&format!("{url}/flume"), ports[1], ""), folder.path(), "flume");
    native.wait_for_port(ports[0]);
    flume.wait_for_port(ports[1]);
    ports.iter().for_each(|port| post(*port, EVENTS));
    for (node, port) in [(&native, natives), (&flume, monitor)] {
        node.until_drained(port, &["k1", "k2", "k3", "k4"], 7);
    }
    native.stop();
    flume.stop();
    let seen =
        ["/native", "/flume"].map(|root| comparable(hdfs.until(root, "complete files", is_complete), root));
    let [native, flume] = seen;
    let names = |files: &[(String, Vec<u8>)]| files.iter().map(|(name, _)| name.clone()).collect::<Vec<_>>();
    assert_eq!(names(&native), names(&flume));
    for (ours, theirs) in native.iter().zip(&flume) {
        assert_eq!(String::from_utf8_lossy(&ours.1), String::from_utf8_lossy(&theirs.1), "{}", ours.0);
    }
}
