//! A configuration that changes while the agent runs, under load: what has changed stops and starts, all else goes on, and
//! every line arrives once.

use integration::{
    binaries, limit, ports,
    process::HEARS_HANG_UPS,
    solo::{LONG, Solo, until},
};
use rustix::process::Signal;
use std::{
    collections::BTreeSet,
    fs,
    io::Write,
    path::{Path, PathBuf},
    process::Command,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicUsize, Ordering::Relaxed},
    },
    thread::{self, JoinHandle, sleep},
    time::Duration,
};
use tempfile::TempDir;

/// Follows `in/a.log` and sends it to a collector: nothing of it changes.
const STAYS: &str = "a1.sources = r1 r2\na1.channels = c1 c2\na1.sinks = k1 k2\n\
    a1.sources.r1.type = TAILDIR\na1.sources.r1.filegroups = f\na1.sources.r1.filegroups.f = DIR/in/a.log\n\
    a1.sources.r1.positionFile = DIR/a.json\na1.sources.r1.channels = c1\n\
    a1.channels.c1.type = memory\na1.channels.c1.capacity = 10000\n\
    a1.sinks.k1.type = avro\na1.sinks.k1.hostname = 127.0.0.1\na1.sinks.k1.port = PORT\na1.sinks.k1.channel = c1\n";

/// Follows `in/b.log` and writes it to files: all of it changes.
const CHANGES: &str = "a1.sources.r2.type = TAILDIR\na1.sources.r2.filegroups = f\n\
    a1.sources.r2.filegroups.f = DIR/in/b.log\na1.sources.r2.positionFile = DIR/b.json\na1.sources.r2.channels = c2\n\
    a1.channels.c2.type = memory\na1.channels.c2.capacity = 10000\n\
    a1.sinks.k2.type = file_roll\na1.sinks.k2.sink.directory = DIR/out\na1.sinks.k2.sink.rollInterval = 0\n\
    a1.sinks.k2.channel = c2\n";

const COLLECTOR: &str = "a1.sources = r1\na1.channels = c1\na1.sinks = k1\n\
    a1.sources.r1.type = avro\na1.sources.r1.bind = 127.0.0.1\na1.sources.r1.port = PORT\na1.sources.r1.channels = c1\n\
    a1.channels.c1.type = memory\na1.channels.c1.capacity = 10000\n\
    a1.sinks.k1.type = file_roll\na1.sinks.k1.sink.directory = DIR/out\na1.sinks.k1.sink.rollInterval = 0\n\
    a1.sinks.k1.channel = c1\n";

/// What is said when a change has been taken.
const TAKEN: &str = "the new configuration runs";

/// A directory for logs and what comes of them.
fn stage() -> TempDir {
    let directory = tempfile::tempdir().expect("a folder");
    for name in ["in", "out", "out2"] {
        fs::create_dir(directory.path().join(name)).expect("a folder");
    }
    directory
}

fn line(number: usize) -> String {
    format!("line {number:06} of the log that is followed\n")
}

/// All that has come out into these folders, each in its order.
fn out(folders: &[PathBuf]) -> Vec<String> {
    let mut lines = Vec::new();
    for folder in folders {
        let files = fs::read_dir(folder).expect("a folder");
        let mut paths: Vec<_> = files.map(|file| file.expect("a file").path()).collect();
        paths.sort();
        for path in paths {
            lines.extend(fs::read_to_string(path).expect("text").lines().map(|line| format!("{line}\n")));
        }
    }
    lines
}

/// Writes numbered lines until it is stopped.
struct Writer {
    stop: Arc<AtomicBool>,
    written: Arc<AtomicUsize>,
    thread: JoinHandle<()>,
}

impl Writer {
    fn start(path: &Path) -> Writer {
        let (stop, written) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicUsize::new(0)));
        let (stops, count) = (stop.clone(), written.clone());
        let mut file = fs::OpenOptions::new().create(true).append(true).open(path).expect("a file");
        let thread = thread::spawn(move || {
            while !stops.load(Relaxed) {
                let from = count.load(Relaxed);
                let text: String = (from..from + 20).map(line).collect();
                file.write_all(text.as_bytes()).expect("it is written");
                count.store(from + 20, Relaxed);
                sleep(Duration::from_millis(2));
            }
        });
        Writer { stop, written, thread }
    }

    fn stop(self) -> usize {
        self.stop.store(true, Relaxed);
        self.thread.join().expect("the writer ends");
        self.written.load(Relaxed)
    }
}

/// Puts another text in the place of the agent's file at once, as an editor does.
fn change(scene: &Solo, text: &str) {
    let new = scene.path("new");
    let directory = new.parent().expect("its directory").display();
    fs::write(&new, text.replace("DIR/", &format!("{directory}/"))).expect("a file");
    fs::rename(&new, scene.path("a1.conf")).expect("it is replaced");
}

/// The same, and waits until it has been taken.
fn change_taken(scene: &Solo, text: &str) {
    let before = scene.said(TAKEN);
    change(scene, text);
    until("the change is taken", || scene.said(TAKEN) > before);
}

/// Our ends of the connections to `port` that stand.
fn connections(port: u16) -> BTreeSet<u16> {
    let table = fs::read_to_string("/proc/net/tcp").expect("the kernel's table");
    let port_of = |address: &str| u16::from_str_radix(address.rsplit(':').next()?, 16).ok();
    let standing = table.lines().skip(1).filter_map(|line| {
        let fields: Vec<&str> = line.split_whitespace().collect();
        (fields[3] == "01" && port_of(fields[2]) == Some(port)).then(|| port_of(fields[1])).flatten()
    });
    standing.collect()
}

fn each_once(what: &str, folders: &[PathBuf], count: usize) {
    until(&format!("all {count} lines of {what} arrive"), || out(folders).len() >= count);
    sleep(Duration::from_millis(200)); // a second copy would come
    let mut lines = out(folders);
    lines.sort();
    let expected: Vec<String> = (0..count).map(line).collect();
    assert!(lines == expected, "{what}: {} lines for {count}", lines.len());
}

#[test]
fn an_untouched_flow_goes_on_while_all_beside_it_changes_and_every_line_arrives_once() {
    let port = ports::free(&["127.0.0.1"]).expect("a free port");
    let at = |text: &str| text.replace("PORT", &port.to_string());
    let collector = Solo::start_in(stage(), &at(COLLECTOR), &[]);
    collector.wait_for("name: r1 started");
    let (stays, mut changes) = (at(STAYS), CHANGES.to_owned());
    let directory = stage();
    let (a, b) = (directory.path().join("in/a.log"), directory.path().join("in/b.log"));
    let (a, b) = (Writer::start(&a), Writer::start(&b));
    let scene = Solo::start_in(directory, &format!("{stays}{changes}"), &[]);
    let arrived = || out(&[collector.path("out")]).len();
    until("the untouched flow runs", || arrived() > 0 && connections(port).len() == 1);
    let connection = connections(port);

    let mut then = |more: &str| {
        changes.push_str(more);
        let before = arrived();
        change_taken(&scene, &format!("{stays}{changes}"));
        until("the untouched flow goes on", || arrived() > before);
        assert_eq!(connections(port), connection, "after {more}");
    };
    then("a1.sinks.k2.sink.directory = DIR/out2\n");
    then("a1.sources.r2.batchSize = 50\n");
    then("a1.sources.r2.interceptors = i\na1.sources.r2.interceptors.i.type = static\n");
    then("a1.channels.c2.capacity = 500\n");
    then("a1.channels.c2.transactionCapacity = 200\n");
    then(
        "a1.channels = c1 c9\na1.channels.c9.type = memory\na1.sources.r2.channels = c9\na1.sinks.k2.channel = c9\n",
    );
    then(
        "a1.sinks = k1 k2 k3\na1.sinks.k3.type = null\na1.sinks.k3.channel = c8\na1.channels = c1 c9 c8\na1.channels.c8.type = memory\n",
    );
    then("a1.sinks = k1 k2\na1.channels = c1 c9\n");

    let told = scene.console.visit(0, |line| line.text.contains("reload: ").then(|| line.text.clone()));
    assert!(!told.iter().any(|line| line.contains("source r1") || line.contains("k1")), "{told:#?}");
    assert_eq!(scene.said("channel c2: changed (capacity), goes on"), 1);
    assert_eq!(scene.said("channel c2: removed; its sinks empty it first"), 1);
    let (a, b) = (a.stop(), b.stop());
    each_once("the untouched flow", &[collector.path("out")], a);
    each_once("the changed flow", &[scene.path("out"), scene.path("out2")], b);
    assert_eq!(connections(port), connection);
    let trouble = ["arrive twice", "did not stop in time", "crashed"];
    let trouble = scene.console.visit(0, |line| {
        trouble.iter().any(|trouble| line.text.contains(trouble)).then(|| line.text.clone())
    });
    assert!(trouble.is_empty(), "{trouble:#?}");
}

/// A reload that waits for a channel whose sink has nobody to send to is one that is under way for seconds.
#[test]
fn an_untouched_flow_delivers_while_a_reload_is_under_way() {
    let ports =
        [ports::free(&["127.0.0.1"]), ports::free(&["127.0.0.1"])].map(|port| port.expect("a free port"));
    let at = |text: &str| text.replace("PORT", &ports[0].to_string());
    let collector = Solo::start_in(stage(), &at(COLLECTOR), &[]);
    collector.wait_for("name: r1 started");
    let away = format!(
        "a1.sinks.k2.type = avro\na1.sinks.k2.hostname = 127.0.0.1\na1.sinks.k2.port = {}\na1.sinks.k2.channel = c2\n",
        ports[1]
    );
    let source = CHANGES.split("a1.sinks.").next().expect("its source and channel");
    let text = format!("{}{source}{away}", at(STAYS));
    let renamed = text.replace("c2", "c9");
    let directory = stage();
    fs::write(directory.path().join("in/b.log"), (0..100).map(line).collect::<String>()).expect("a file");
    let a = Writer::start(&directory.path().join("in/a.log"));
    let scene = Solo::start_in(directory, &text, &[]);
    let arrived = || out(&[collector.path("out")]).len();
    until("both flows run", || {
        let stored = fs::read_to_string(scene.path("b.json")).unwrap_or_default();
        arrived() > 0 && stored.contains(&format!("\"pos\":{}", 100 * line(0).len()))
    });
    let (begun, given_up) =
        ("channel c2: removed; its sinks empty it first", "channel c2 was to end and still holds");
    // Where this process has not run for seconds, it has seen nothing of the time between.
    let seen = (0..10).any(|round| {
        change(&scene, &format!("{renamed}# {round}\n"));
        until("the reload begins", || scene.said(begun) > round);
        let before = arrived();
        if scene.said(given_up) > round {
            return false;
        }
        until("the reload is called off", || scene.said(given_up) > round);
        let after = arrived();
        assert!(
            after > before,
            "nothing has arrived while the reload was under way: {before} before and after"
        );
        true
    });
    assert!(seen, "no reload was seen while it was under way");
    let told = scene.console.visit(0, |line| line.text.contains("reload: ").then(|| line.text.clone()));
    assert!(!told.iter().any(|line| line.contains("source r1") || line.contains("k1")), "{told:#?}");
    let a = a.stop();
    each_once("the untouched flow", &[collector.path("out")], a);
}

#[test]
fn a_file_with_errors_is_not_taken_and_the_next_one_is() {
    let (stays, directory) = (STAYS.replace("PORT", "9"), stage());
    let b = Writer::start(&directory.path().join("in/b.log"));
    let scene = Solo::start_in(directory, &format!("{stays}{CHANGES}"), &[]);
    until("lines arrive", || !out(&[scene.path("out")]).is_empty());
    for (round, broken) in [
        "nothing of an agent\n".to_owned(),
        format!("{stays}{CHANGES}a1.sinks.k2.type = no_such_type\n"),
        format!("{stays}{CHANGES}a1.channels.c2.transactionCapacity = 20000\n"),
    ]
    .iter()
    .enumerate()
    {
        change(&scene, broken);
        until("it is refused", || scene.said("the configuration that was read is not taken") > round);
    }
    assert!(scene.said("no_such_type") > 0, "the log has the finding");
    fs::remove_file(scene.path("a1.conf")).expect("it was there");
    until("the log to say that the file is gone", || {
        scene.said("the configuration that was read is not taken") > 3
    });
    assert_eq!(scene.said("Stopping"), 0);
    change_taken(&scene, &format!("{stays}{CHANGES}a1.sinks.k2.sink.directory = DIR/out2\n"));
    until("it runs", || !out(&[scene.path("out2")]).is_empty());
    let b = b.stop();
    each_once("the log", &[scene.path("out"), scene.path("out2")], b);
}

/// The one flow whose sink has nobody to send to.
const AWAY: &str = "a1.sources = r1\na1.channels = c1\na1.sinks = k1\n";

#[test]
fn a_channel_that_its_sinks_do_not_empty_is_kept_until_they_do() {
    let port = ports::free(&["127.0.0.1"]).expect("a free port");
    let at = |text: &str| text.replace("PORT", &port.to_string());
    let directory = stage();
    let lines = 3000;
    fs::write(directory.path().join("in/a.log"), (0..lines).map(line).collect::<String>()).expect("a file");
    let text = format!("{}{AWAY}", at(STAYS));
    let renamed = format!(
        "{}a1.channels = c9\na1.channels.c9.type = memory\na1.sources.r1.channels = c9\na1.sinks.k1.channel = c9\n",
        text
    );
    let mut scene = Solo::start_in(directory, &text, &HEARS_HANG_UPS);
    until("all is stored", || {
        let stored = fs::read_to_string(scene.path("a.json")).unwrap_or_default();
        stored.contains(&format!("\"pos\":{}", lines * line(0).len()))
    });
    change(&scene, &renamed);
    scene.wait_for("channel c1 was to end and still holds 3000 events");
    assert_eq!(scene.said(TAKEN), 0);
    let collector = Solo::start_in(stage(), &at(COLLECTOR), &[]);
    until("the sink goes on", || out(&[collector.path("out")]).len() >= lines);
    scene.node.signal(Signal::HUP);
    until("the change is taken", || scene.said(TAKEN) == 1);
    let mut log = fs::OpenOptions::new().append(true).open(scene.path("in/a.log")).expect("the log");
    log.write_all(line(lines).as_bytes()).expect("it is written");
    each_once("the log", &[collector.path("out")], lines + 1);
    scene.node.signal(Signal::TERM);
    assert_eq!(scene.node.wait(LONG).expect("it ends").status.code(), Some(0));
}

#[test]
fn a_stop_after_a_reload_loses_no_line_that_still_stands_in_its_file() {
    let port = ports::free(&["127.0.0.1"]).expect("a free port");
    let at = |text: &str| text.replace("PORT", &port.to_string());
    let (text, lines) = (format!("{}{AWAY}", at(STAYS)), 3000);
    let renamed = "a1.channels = c9\na1.channels.c9.type = memory\na1.sources.r1.channels = c9\na1.sinks.k1.channel = c9\n";
    for (more, told) in [(renamed, "still holds 3000 events"), ("a1.sources.r1.batchSize = 50\n", TAKEN)] {
        let directory = stage();
        let log = (0..lines).map(line).collect::<String>();
        fs::write(directory.path().join("in/a.log"), log).expect("a file");
        let mut scene = Solo::start_in(directory, &text, &[]);
        until("all is stored", || {
            let stored = fs::read_to_string(scene.path("a.json")).unwrap_or_default();
            stored.contains(&format!("\"pos\":{}", lines * line(0).len()))
        });
        change(&scene, &format!("{text}{more}"));
        scene.wait_for(told);
        scene.wait_for("events of"); // they are the file's again
        scene.node.signal(Signal::TERM);
        let ended = scene.node.wait(LONG).expect("it ends");
        assert_eq!((ended.status.code(), scene.said("are lost")), (Some(0), 0));
        let mut collector = Solo::start_in(stage(), &at(COLLECTOR), &[]);
        scene.start_again(&format!("{text}{more}"), &[]);
        each_once("the log", &[collector.path("out")], lines);
        collector.node.signal(Signal::TERM);
        assert!(collector.node.wait(LONG).is_some(), "the collector ends");
    }
}

#[test]
fn a_hang_up_reads_the_file_again_and_nothing_happens_where_nothing_has_changed() {
    let text = format!("{}{AWAY}", STAYS.replace("PORT", "9"));
    let mut scene = Solo::start_in(stage(), &text, &HEARS_HANG_UPS);
    scene.wait_for("name: r1 started");
    scene.node.signal(Signal::HUP);
    scene.wait_for("the configuration was read again: nothing has changed");
    scene.node.signal(Signal::TERM);
    assert_eq!(scene.node.wait(LONG).expect("it ends").status.code(), Some(0));
}

/// Line by line as an operator reads it.
#[test]
fn what_a_reload_would_do_is_printed_a_line_for_each_component() {
    let directory = stage();
    let write = |name: &str, text: &str| {
        let text = text.replace("DIR/", &format!("{}/", directory.path().display())).replace("PORT", "4141");
        fs::write(directory.path().join(name), text).expect("a file");
    };
    let both = format!("{STAYS}{CHANGES}");
    write("old", &both);
    write("new", &both.replace("k2", "k3").replace("c2.capacity = 10000", "c2.capacity = 20000"));
    write("other", &both.replace("c2", "c3").replace("out\n", "out2\n"));
    write("broken", &both.replace("= avro", "= avr"));
    let printed = |old: &str, new: &str| {
        let program = binaries::directory().expect("it is built").join("agent");
        let mut command = Command::new(program);
        command.args(["check", "-n", "a1", "--diff", old, new]).current_dir(directory.path());
        let output = limit::output(&mut command);
        assert!(output.stderr.is_empty(), "{output:?}");
        (output.status.code(), String::from_utf8_lossy(&output.stdout).into_owned())
    };
    let unchanged = "channel c1: unchanged, goes on\nchannel c2: unchanged, goes on\nsink k1: unchanged, goes on\n\
                     sink k2: unchanged, goes on\nsource r1: unchanged, goes on\nsource r2: unchanged, goes on\n";
    assert_eq!(printed("old", "old"), (Some(0), unchanged.to_owned()));
    let changed = "channel c1: unchanged, goes on\nchannel c2: changed (capacity), goes on with what it holds\n\
                   sink k1: unchanged, goes on\nsink k3: new, starts\nsink k2: removed, stops\n\
                   source r1: unchanged, goes on\nsource r2: unchanged, goes on\n";
    assert_eq!(printed("old", "new"), (Some(0), changed.to_owned()));
    let moved = "channel c1: unchanged, goes on\nchannel c3: new, starts\n\
                 channel c2: removed; its sinks empty it first\nsink k1: unchanged, goes on\n\
                 sink k2: changed (its channel), starts again\nsource r1: unchanged, goes on\n\
                 source r2: changed (its channels), starts again\n";
    assert_eq!(printed("old", "other"), (Some(0), moved.to_owned()));
    let (code, said) = printed("old", "broken");
    let head = "broken is not taken, and what ran before goes on\nagent `a1` does not run here: the configuration has 1 error";
    assert!(code == Some(2) && said.starts_with(head), "{code:?} {said}");
}
