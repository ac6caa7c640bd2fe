//! `avro-client`, the real program: what it sends, what it says, how it ends; against the tests' own collector, ours and
//! real Flume.

use integration::{
    binaries,
    console::Console,
    flume::{self, Flume, Version, avro::Event, stand_in::StandIn},
    limit, ports,
    process::Process,
    solo::Solo,
};
use std::{
    collections::BTreeSet,
    fs,
    io::Write,
    os::unix::fs::symlink,
    path::{Path, PathBuf},
    process::{Command, Output, Stdio},
    thread::sleep,
    time::{Duration, Instant},
};
use tempfile::TempDir;

fn folder() -> TempDir {
    tempfile::tempdir().expect("a folder")
}

fn command(line: &str, dir: &Path) -> Command {
    let program = binaries::directory().expect("it is built").join("agent");
    let mut command = Command::new(program);
    command.arg("avro-client").args(line.split_whitespace()).current_dir(dir).stdin(Stdio::null());
    command.stdout(Stdio::piped()).stderr(Stdio::piped());
    command.env_remove("JAVA_OPTS").env_remove("FLUME_JAVA_OPTS");
    command
}

fn run(line: &str, dir: &Path) -> Output {
    limit::output(&mut command(line, dir))
}

/// Runs what is to succeed; it has nothing to say then.
fn sends(line: &str, dir: &Path) {
    let output = run(line, dir);
    assert_eq!((output.status.code(), said(&output).as_str()), (Some(0), ""), "{line}");
}

/// Runs what is to fail; the one line it says.
fn fails(line: &str, dir: &Path) -> (Option<i32>, String) {
    let output = run(line, dir);
    let said = said(&output);
    assert!(!said.contains("panicked") && !output.status.success(), "{line}: {said}");
    (output.status.code(), said.lines().last().unwrap_or_default().to_owned())
}

fn said(output: &Output) -> String {
    assert!(output.stdout.is_empty(), "what is to be said goes to standard error");
    String::from_utf8_lossy(&output.stderr).into_owned()
}

fn at(stand_in: &StandIn) -> String {
    format!("-H 127.0.0.1 -p {}", stand_in.address().port())
}

fn bodies(events: &[Event]) -> Vec<String> {
    events.iter().map(|event| String::from_utf8_lossy(&event.body).into_owned()).collect()
}

fn numbered(from: usize, to: usize) -> Vec<String> {
    (from..to).map(|n| format!("line-{n}")).collect()
}

fn lines(path: &Path, from: usize, to: usize) {
    fs::write(path, numbered(from, to).join("\n") + "\n").expect("a file");
}

/// A file for `-P`.
fn hosts(dir: &Path, kind: &str, addresses: &[String], more: &str) {
    let names: Vec<String> = (0..addresses.len()).map(|n| format!("h{n}")).collect();
    let mut text = format!("client.type = {kind}\nhosts = {}\n{more}\n", names.join(" "));
    for (name, address) in names.iter().zip(addresses) {
        text.push_str(&format!("hosts.{name} = {address}\n"));
    }
    fs::write(dir.join("rpc.properties"), text).expect("a file");
}

fn addresses(stand_ins: &[&StandIn]) -> Vec<String> {
    stand_ins.iter().map(|stand_in| stand_in.address().to_string()).collect()
}

#[test]
fn a_files_lines_arrive_in_order_with_their_headers_and_without_a_word() {
    let (dir, stand_in) = (folder(), StandIn::listen().expect("a port"));
    fs::write(dir.path().join("lines"), b"one\ntwo\r\nthree\rf\xffur\n\nsix # x\nno end").expect("a file");
    fs::write(dir.path().join("headers"), "Type = LOGIN # 1\nCollector : x\nType = LOGOUT # 2")
        .expect("a file");
    sends(&format!("{} -F lines -R headers", at(&stand_in)), dir.path());
    let expected: [&[u8]; 7] = [b"one", b"two", b"three", b"f\xffur", b"", b"six # x", b"no end"];
    let events = stand_in.events();
    assert_eq!(events.iter().map(|event| &event.body[..]).collect::<Vec<_>>(), expected);
    for event in &events {
        let mut headers = event.headers.clone();
        headers.sort();
        assert_eq!(headers, Event::new(&[("Collector", "x"), ("Type", "LOGOUT # 2")], "").headers);
    }
}

#[test]
fn standard_input_goes_out_as_it_comes() {
    let (dir, stand_in) = (folder(), StandIn::listen().expect("a port"));
    let mut child = command(&at(&stand_in), dir.path()).stdin(Stdio::piped()).spawn().expect("it runs");
    let mut input = child.stdin.take().expect("piped");
    for (count, line) in ["first\n", "second\r\n", "third"].into_iter().enumerate() {
        input.write_all(line.as_bytes()).expect("it reads");
        assert!(count == 2 || stand_in.wait_for(count + 1, PATIENCE), "a line waits for no other one");
    }
    drop(input);
    let output = limit::finish(child, "the client");
    assert_eq!((output.status.code(), said(&output).as_str()), (Some(0), ""));
    assert_eq!(bodies(&stand_in.events()), ["first", "second", "third"]);
}

#[test]
fn a_failure_is_one_line_and_an_exit_code() {
    let (dir, mut stand_in) = (folder(), StandIn::listen().expect("a port"));
    lines(&dir.path().join("lines"), 0, 10);
    let here = at(&stand_in);
    let (code, line) = fails(&format!("{here} -F missing"), dir.path());
    assert_eq!(code, Some(1));
    assert!(
        line.contains("avro-client: cannot read missing: ") && line.ends_with("; no event was delivered"),
        "{line}"
    );

    stand_in.answer(&[0, 0, 1]); // the first is the handshake's
    hosts(dir.path(), "default", &addresses(&[&stand_in]), "batch-size = 4");
    let (code, line) = fails("-P rpc.properties -F lines", dir.path());
    assert_eq!(code, Some(1));
    assert!(
        line.contains("refused 4 events: ") && line.ends_with("; 4 events were delivered before"),
        "{line}"
    );

    stand_in.close();
    let (code, line) = fails(&format!("{here} -F lines"), dir.path());
    assert_eq!(code, Some(1));
    assert!(line.contains("avro-client: cannot reach 127.0.0.1:"), "{line}");

    hosts(dir.path(), "thrift", &addresses(&[&stand_in]), "");
    let (code, line) = fails("-P rpc.properties -F lines", dir.path());
    assert_eq!(code, Some(1));
    assert!(line.contains("avro-client: cannot reach 127.0.0.1:"), "{line}");
}

#[test]
fn a_batch_too_large_for_the_channel_is_cut_where_nobody_chose_its_size() {
    let (dir, stand_in) = (folder(), StandIn::listen().expect("a port"));
    lines(&dir.path().join("lines"), 0, 230);
    stand_in.answer(&[0, 0, 1]);
    sends(&format!("{} -F lines", at(&stand_in)), dir.path());
    assert_eq!(bodies(&stand_in.events()), numbered(0, 230));
    let sizes: Vec<usize> = stand_in.calls().iter().map(|call| call.events.len()).collect();
    assert_eq!(
        (sizes.iter().filter(|size| **size == 100).count(), sizes.iter().filter(|size| **size == 5).count()),
        (1, 26)
    );
}

#[test]
fn a_directorys_files_go_the_oldest_first_and_are_renamed() {
    let (dir, stand_in) = (folder(), StandIn::listen().expect("a port"));
    let spool = dir.path().join("spool");
    fs::create_dir_all(spool.join("below")).expect("folders");
    for (name, from) in [("b", 0), ("a", 10), (".hidden", 20), ("old.COMPLETED", 30), ("below/c", 40)] {
        lines(&spool.join(name), from, from + 10);
    }
    let older = fs::File::options().write(true).open(spool.join("b")).expect("a file");
    older.set_modified(std::time::SystemTime::now() - Duration::from_secs(60)).expect("a time");
    let line = format!("{} --dirname spool", at(&stand_in));
    sends(&line, dir.path());
    assert_eq!(bodies(&stand_in.events()), numbered(0, 20));
    assert_eq!(names(&spool), [".hidden", "a.COMPLETED", "b.COMPLETED", "below", "old.COMPLETED"]);
    sends(&line, dir.path());
    assert_eq!(stand_in.events().len(), 20, "nothing is left to send");

    lines(&spool.join("a"), 50, 60);
    let (code, line) = fails(&line, dir.path());
    assert_eq!((code, stand_in.events().len()), (Some(1), 20));
    assert!(line.contains("a is not sent: spool/a.COMPLETED is there already"), "{line}");
}

fn names(dir: &Path) -> Vec<String> {
    let entries = fs::read_dir(dir).expect("a folder").map(|entry| entry.expect("an entry").file_name());
    let names: BTreeSet<String> = entries.map(|name| name.to_string_lossy().into_owned()).collect();
    names.into_iter().collect()
}

#[test]
fn a_file_that_does_not_arrive_keeps_its_name() {
    let (dir, stand_in) = (folder(), StandIn::listen().expect("a port"));
    fs::create_dir(dir.path().join("spool")).expect("a folder");
    lines(&dir.path().join("spool/a"), 0, 10);
    hosts(dir.path(), "default", &addresses(&[&stand_in]), "batch-size = 4");
    stand_in.answer(&[0, 0, 0, 1]);
    let (code, _) = fails("-P rpc.properties --dirname spool", dir.path());
    assert_eq!((code, names(&dir.path().join("spool"))), (Some(1), vec!["a".to_owned()]));
}

#[test]
fn failover_goes_to_the_next_host_with_what_was_refused_and_loses_no_order() {
    let dir = folder();
    let (mut first, second) = (StandIn::listen().expect("a port"), StandIn::listen().expect("a port"));
    lines(&dir.path().join("lines"), 0, 100);
    hosts(dir.path(), "default_failover", &addresses(&[&first, &second]), "batch-size = 10");
    first.answer(&[0, 0, 0, 1]);
    let output = run("-P rpc.properties -F lines", dir.path());
    assert_eq!(output.status.code(), Some(0));
    let said = said(&output);
    assert!(said.lines().count() == 1 && said.contains("; trying "), "{said}");
    assert_eq!(bodies(&first.events()), numbered(0, 20));
    assert_eq!(bodies(&second.events()), numbered(20, 100));

    first.close();
    assert_eq!(run("-P rpc.properties -F lines", dir.path()).status.code(), Some(0));
    assert_eq!(bodies(&second.events())[80..], numbered(0, 100));
    second.answer(&[1; 9]);
    let (code, line) = fails("-P rpc.properties -F lines", dir.path());
    assert_eq!(code, Some(1));
    assert!(line.contains("; no event was delivered"), "{line}");
}

#[test]
fn load_balancing_goes_in_turn_and_past_a_dead_one() {
    let dir = folder();
    let (first, mut second) = (StandIn::listen().expect("a port"), StandIn::listen().expect("a port"));
    lines(&dir.path().join("lines"), 0, 100);
    for selector in ["ROUND_ROBIN", "random"] {
        let more = format!("batch-size = 10\nbackoff = true\nhost-selector = {selector}");
        hosts(dir.path(), "default_loadbalance", &addresses(&[&first, &second]), &more);
        sends("-P rpc.properties -F lines", dir.path());
        if selector == "ROUND_ROBIN" {
            assert_eq!((first.events().len(), second.events().len()), (50, 50));
        }
    }
    assert_eq!(first.events().len() + second.events().len(), 200);
    second.close();
    let before = first.events().len();
    assert_eq!(run("-P rpc.properties -F lines", dir.path()).status.code(), Some(0));
    assert_eq!(bodies(&first.events())[before..], numbered(0, 100));
}

/// A native collector, or a Flume's, that writes what it gets to files.
struct Collector {
    process: Option<Process>,
    flume: Option<Flume>,
    port: u16,
    into: PathBuf,
}

impl Collector {
    fn properties(name: &str, dir: &Path) -> (u16, PathBuf, String) {
        let (port, into) = (ports::free(&["127.0.0.1"]).expect("a port"), dir.join(format!("{name}.d")));
        fs::create_dir(&into).expect("a folder");
        let text = format!(
            "a1.sources = r1\na1.channels = c1\na1.sinks = k1\na1.sources.r1.type = avro\n\
             a1.sources.r1.bind = 127.0.0.1\na1.sources.r1.port = {port}\na1.sources.r1.channels = c1\n\
             a1.channels.c1.type = memory\na1.channels.c1.capacity = 10000\n\
             a1.channels.c1.transactionCapacity = 1000\na1.sinks.k1.type = file_roll\na1.sinks.k1.channel = c1\n\
             a1.sinks.k1.sink.directory = {}\na1.sinks.k1.sink.rollInterval = 0\n",
            into.display()
        );
        (port, into, text)
    }

    fn ours(name: &str, dir: &Path) -> Collector {
        Collector::ours_with(name, dir, "")
    }

    /// With more keys of its source.
    fn ours_with(name: &str, dir: &Path, more: &str) -> Collector {
        let (port, into, mut text) = Collector::properties(name, dir);
        text.push_str(more);
        let file = dir.join(format!("{name}.properties"));
        fs::write(&file, text).expect("a file");
        let mut command = Command::new(binaries::directory().expect("it is built").join("collector"));
        command.args(["-n", "a1", "-f"]).arg(&file);
        let console = Console::default();
        let process = Process::spawn(command, &console, 0).expect("it runs");
        console
            .wait_from(0, PATIENCE, "the source", |line| line.text.contains("Avro source r1 started."))
            .expect("it starts");
        Collector { process: Some(process), flume: None, port, into }
    }

    fn flume(version: Version, name: &str, dir: &Path) -> Collector {
        let (port, into, text) = Collector::properties(name, dir);
        let home = dir.join(name);
        fs::create_dir(&home).expect("a folder");
        let flume = Flume::start(version, &text, "a1", &home).expect("a JVM");
        flume.wait_for_line("Avro source r1 started.", PATIENCE).expect("it starts");
        Collector { process: None, flume: Some(flume), port, into }
    }

    fn address(&self) -> String {
        format!("127.0.0.1:{}", self.port)
    }

    fn kill(&mut self) {
        drop((self.process.take(), self.flume.take()));
    }

    /// What it has written. A line that a kill has cut off, or whose end is not there yet, is none.
    fn lines(&self) -> Vec<String> {
        let files = names(&self.into)
            .into_iter()
            .map(|name| fs::read_to_string(self.into.join(name)).expect("a file"));
        let whole = |text: &str| text.rfind('\n').map_or(0, |end| end + 1);
        files.flat_map(|text| text[..whole(&text)].lines().map(str::to_owned).collect::<Vec<_>>()).collect()
    }

    /// What it has, once it has as many lines as that.
    fn with(&self, count: usize) -> Vec<String> {
        self.once(|lines| lines.len() >= count)
    }

    /// What it has, once its last line is this one.
    fn up_to(&self, last: &str) -> Vec<String> {
        self.once(|lines| lines.last().is_some_and(|line| line == last))
    }

    fn once(&self, enough: impl Fn(&[String]) -> bool) -> Vec<String> {
        let began = Instant::now();
        while !enough(&self.lines()) && began.elapsed() < PATIENCE {
            sleep(Duration::from_millis(20));
        }
        self.lines()
    }
}

/// Feeds `count` lines into the client, kills `victim` when half of them are in, and waits for the end.
fn with_a_kill(line: &str, dir: &Path, count: usize, victim: &mut Collector) -> Output {
    let mut child = command(line, dir).stdin(Stdio::piped()).spawn().expect("it runs");
    let mut input = child.stdin.take().expect("piped");
    for half in [0..count / 2, count / 2..count] {
        if half.start > 0 {
            victim.kill();
        }
        let text = numbered(half.start, half.end).join("\n") + "\n";
        let _ = input.write_all(text.as_bytes()); // it may have ended with its only collector
    }
    drop(input);
    limit::finish(child, "the client")
}

#[test]
fn a_collector_killed_under_way_costs_nothing_where_another_one_is_left() {
    for kind in ["default_failover", "default_loadbalance"] {
        let dir = folder();
        let mut pair = [Collector::ours("one", dir.path()), Collector::ours("two", dir.path())];
        let addresses = pair.iter().map(Collector::address).collect::<Vec<_>>();
        hosts(dir.path(), kind, &addresses, "");
        let output = with_a_kill("-P rpc.properties", dir.path(), COUNT, &mut pair[0]);
        let said = said(&output);
        assert_eq!(output.status.code(), Some(0), "{said}");
        assert!(said.contains(&addresses[0]) && said.lines().all(|line| line.contains("WARN")), "{said}");
        let second = pair[1].up_to(&format!("line-{}", COUNT - 1));
        let first = pair[0].lines();
        // What the killed one had acknowledged and not written yet has gone with its memory: at most its channel.
        let all: BTreeSet<&String> = first.iter().chain(&second).collect();
        assert!(all.len() + 10_000 >= COUNT, "{} of {COUNT}", all.len());
        for lines in [&first, &second] {
            let numbers: Vec<usize> =
                lines.iter().filter_map(|line| line.strip_prefix("line-")?.parse().ok()).collect();
            assert!(numbers.is_sorted(), "order is kept, {kind}");
        }
        let tail: BTreeSet<&String> = second.iter().rev().take(COUNT / 4).collect();
        assert_eq!(tail.len(), COUNT / 4, "no line twice where nothing was in doubt");
    }
}

#[test]
fn the_only_collector_killed_under_way_is_a_failure_that_says_how_far_it_came() {
    let dir = folder();
    let mut only = Collector::ours("one", dir.path());
    let line = format!("-H 127.0.0.1 -p {}", only.port);
    let output = with_a_kill(&line, dir.path(), COUNT, &mut only);
    let said = said(&output);
    assert_eq!((output.status.code(), said.lines().count()), (Some(1), 1), "{said}");
    assert!(said.contains("events were delivered before"), "{said}");
}

#[test]
fn a_thrift_source_takes_the_lines_in_either_protocol_and_its_end_is_a_failure() {
    for protocol in ["compact", "BINARY"] {
        let (dir, port) = (folder(), ports::free(&["127.0.0.1"]).expect("a port"));
        let mut collector = Solo::start(
            &format!(
                "a1.sources = r1\na1.channels = c1\na1.sinks = k1\na1.channels.c1.type = memory\n\
                 a1.channels.c1.transactionCapacity = 10\na1.sources.r1.type = thrift\na1.sources.r1.bind = 127.0.0.1\n\
                 a1.sources.r1.port = {port}\na1.sources.r1.protocol = {}\na1.sources.r1.channels = c1\n\
                 a1.sinks.k1.type = file_roll\na1.sinks.k1.sink.directory = DIR/\na1.sinks.k1.sink.rollInterval = 0\n\
                 a1.sinks.k1.sink.batchSize = 10\na1.sinks.k1.sink.serializer = HEADER_AND_TEXT\na1.sinks.k1.channel = c1\n",
                protocol.to_lowercase()
            ),
            &[],
        );
        collector.wait_for("thrift source r1 listens on");
        let how =
            format!("client.type = thrift\nprotocol = {protocol}\nhosts = a\nhosts.a = 127.0.0.1:{port}\n");
        fs::write(dir.path().join("thrift.properties"), how).expect("a file");
        fs::write(dir.path().join("headers"), "k = v\n").expect("a file");
        lines(&dir.path().join("log"), 0, 103);
        // Batches of 100 are refused, as the channel takes 10; nobody chose that size, so smaller ones go.
        sends("-P thrift.properties -F log -R headers", dir.path());
        let written = || {
            let files = fs::read_dir(collector.path("")).expect("a folder").flatten();
            let files = files.filter(|file| file.path().extension().is_none());
            files.map(|file| fs::read_to_string(file.path()).expect("a file")).collect::<String>()
        };
        let expected: String = numbered(0, 103).iter().map(|line| format!("{{k=v}} {line}\n")).collect();
        integration::solo::until("all lines are there", || written() == expected);
        collector.node.kill();
        let (code, said) = fails("-P thrift.properties -F log", dir.path());
        assert!(code == Some(1) && said.contains("no event was delivered"), "{code:?} {said}");
    }
}

#[test]
fn everything_arrives_in_order_through_flume_ng() {
    let dir = folder();
    let collector = Collector::ours_with("one", dir.path(), "a1.sources.r1.compression-type = deflate\n");
    lines(&dir.path().join("lines"), 0, COUNT);
    let more = "batch-size = 500\ncompression-type = Deflate # as at the collector";
    hosts(dir.path(), "DEFAULT", &[collector.address()], more);
    let bin = dir.path().join("bin");
    fs::create_dir(&bin).expect("a folder");
    fs::copy(binaries::workspace().join("deploy/bin/flume-ng"), bin.join("flume-ng")).expect("the script");
    symlink(binaries::directory().expect("it is built").join("agent"), bin.join("agent")).expect("a link");
    let mut command = Command::new("sh");
    command.args(["bin/flume-ng", "avro-client", "-c", "conf", "-P", "rpc.properties", "-F", "lines"]);
    let output = limit::output(command.current_dir(dir.path()));
    let said = said(&output);
    assert_eq!((output.status.code(), said.lines().count()), (Some(0), 1), "{said}");
    assert!(said.contains("`# as at the collector` reads like a comment and is taken for one"), "{said}");
    assert_eq!(collector.with(COUNT), numbered(0, COUNT));
}

fn into_real_flume(version: Version) {
    flume::require();
    let dir = folder();
    let mut pair =
        [Collector::flume(version, "one", dir.path()), Collector::flume(version, "two", dir.path())];
    fs::write(dir.path().join("lines"), "one\ntwo\r\nthree\n\nfünf\nno end").expect("a file");
    sends(&format!("-H 127.0.0.1 -p {} -F lines", pair[1].port), dir.path());
    assert_eq!(pair[1].with(6), ["one", "two", "three", "", "fünf", "no end"]);

    lines(&dir.path().join("lines"), 0, 5_000);
    let addresses = pair.iter().map(Collector::address).collect::<Vec<_>>();
    hosts(dir.path(), "default_loadbalance", &addresses, "");
    sends("-P rpc.properties -F lines", dir.path());
    assert_eq!((pair[0].with(2_500).len(), pair[1].with(2_506).len()), (2_500, 2_506));

    hosts(dir.path(), "default_failover", &addresses, "");
    let output = with_a_kill("-P rpc.properties", dir.path(), 5_000, &mut pair[0]);
    assert_eq!(output.status.code(), Some(0), "{}", said(&output));
    // It has the second half, and of the first what the killed one had not taken.
    let second = pair[1]
        .once(|lines| lines.len() >= 2_506 + 2_500 && lines.last().is_some_and(|line| line == "line-4999"));
    assert!(second.len() >= 2_506 + 2_500, "{} lines", second.len());
    assert_eq!(second.last().map(String::as_str), Some("line-4999"));
}

#[test]
#[ignore = "needs a JVM, Maven and a registry: .ci/run runs it"]
fn into_flume_1_9() {
    into_real_flume(Version::V1_9);
}

#[test]
#[ignore = "needs a JVM, Maven and a registry: .ci/run runs it"]
fn into_flume_1_11() {
    into_real_flume(Version::V1_11);
}

const COUNT: usize = 60_000;
const PATIENCE: Duration = Duration::from_secs(120);
