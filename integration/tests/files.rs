//! Files that are not what they seem, and files that two want: real agents on real directories.

use integration::{binaries, console::Console, process::Process, solo::Solo};
use rustix::{
    fs::{CWD, FileType, Mode, mknodat},
    process::Signal,
};
use std::{
    fs::{self, OpenOptions},
    io::Write,
    os::unix::fs::{FileTypeExt, symlink},
    path::{Path, PathBuf},
    process::Command,
    thread,
    time::{Duration, Instant},
};
use tempfile::TempDir;

/// A TAILDIR source and a logger sink, in a directory of their own.
struct Stage {
    root: TempDir,
    console: Console,
    lives: u32,
}

impl Stage {
    fn new() -> Stage {
        let root = tempfile::tempdir().expect("a directory");
        fs::create_dir(root.path().join("logs")).expect("a directory");
        Stage { root, console: Console::default(), lives: 0 }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.root.path().join(name)
    }

    fn properties(&self, pattern: &str, more: &str) -> String {
        let root = self.root.path().display();
        format!(
            "a.sources = r\na.channels = c\na.sinks = k\na.channels.c.type = memory\na.sources.r.type = TAILDIR\n\
             a.sources.r.channels = c\na.sources.r.filegroups = f\na.sources.r.filegroups.f = {root}/logs/{pattern}\n\
             a.sources.r.positionFile = {root}/positions.json\na.sinks.k.type = logger\na.sinks.k.channel = c\n{more}"
        )
    }

    /// Writes the properties to a file and starts an agent with it.
    fn start(&mut self, pattern: &str, more: &str) -> Process {
        let conf = self.path("a.properties");
        fs::write(&conf, self.properties(pattern, more)).expect("it can be written");
        self.start_with(&conf)
    }

    fn start_with(&mut self, conf: &Path) -> Process {
        let mut command = Command::new(binaries::directory().expect("the binaries").join("agent"));
        command.args(["-n", "a", "-Dflume.root.logger=INFO,console", "-f"]).arg(conf);
        self.lives += 1;
        Process::spawn(command, &self.console, self.lives).expect("it starts")
    }

    fn append(&self, name: &str, lines: std::ops::Range<u32>) {
        let path = self.path("logs").join(name);
        let mut file = OpenOptions::new().append(true).create(true).open(path).expect("the log");
        for line in lines {
            writeln!(file, "line {line};").expect("it is written");
        }
    }

    /// Waits until the console has such a line.
    fn wait(&self, what: &str) {
        self.console
            .wait_from(0, LONG, what, |line| line.text.contains(what))
            .unwrap_or_else(|error| panic!("{what}: {error}"));
    }

    /// How often each of these lines was printed.
    fn counts(&self, lines: std::ops::Range<u32>) -> Vec<usize> {
        let printed = self.console.lines_from(0);
        let count = |wanted: u32| {
            let wanted = format!("line {wanted};");
            printed.iter().filter(|line| line.text.contains(&wanted)).count()
        };
        lines.map(count).collect()
    }

    fn wait_for_position(&self, position: u64) {
        let wanted = format!("\"pos\":{position},");
        let since = Instant::now();
        while !fs::read_to_string(self.path("positions.json")).unwrap_or_default().contains(&wanted) {
            assert!(since.elapsed() < LONG, "the position file never says {wanted}");
            thread::sleep(Duration::from_millis(20));
        }
    }
}

fn end(mut process: Process) {
    process.signal(Signal::TERM);
    let ended = process.wait(LONG).expect("it ends");
    assert_eq!(ended.status.code(), Some(0), "{:?}", ended.status);
}

fn fifo(path: &Path) {
    mknodat(CWD, path, FileType::Fifo, Mode::from_raw_mode(0o600), 0).expect("a pipe");
}

#[test]
fn a_device_and_a_victim_behind_links_are_what_they_were() {
    let mut stage = Stage::new();
    symlink("/dev/null", stage.path("positions.json")).expect("a link");
    fs::write(stage.path("victim"), "precious").expect("a file");
    symlink("victim", stage.path("positions.json.tmp")).expect("a link");
    stage.append("a", 0..3);
    let agent = stage.start(".*", "");
    stage.wait("line 2;");
    stage.wait("is a device, which keeps no positions");
    end(agent);
    assert!(fs::metadata("/dev/null").expect("it is there").file_type().is_char_device());
    assert!(fs::symlink_metadata(stage.path("positions.json")).expect("it is there").is_symlink());
    assert_eq!(fs::read_to_string(stage.path("victim")).expect("it is there"), "precious");
}

#[test]
fn two_agents_with_one_position_file_do_not_both_read() {
    let mut stage = Stage::new();
    stage.append("a", 0..100);
    let mut first = stage.start("a", "");
    stage.wait("line 99;");
    stage.wait_for_position(fs::metadata(stage.path("logs/a")).expect("the log").len());
    let second = stage.start("a", "");
    stage.wait(&format!("is in use by process {}", first.pid().as_raw_nonzero()));
    stage.append("a", 100..200);
    stage.wait("line 199;");
    stage.wait_for_position(fs::metadata(stage.path("logs/a")).expect("the log").len());
    first.kill();
    stage.wait("is free now");
    stage.append("a", 200..300);
    stage.wait("line 299;");
    end(second);
    assert_eq!(stage.counts(0..300), [1; 300]);
}

#[test]
fn two_sources_of_one_agent_share_their_position_file_over_restarts() {
    let mut stage = Stage::new();
    let root = stage.root.path().display().to_string();
    let second = format!(
        "a.sources = r s\na.sources.s.type = TAILDIR\na.sources.s.channels = c\na.sources.s.filegroups = f\n\
         a.sources.s.filegroups.f = {root}/logs/b\na.sources.s.positionFile = {root}/positions.json\n"
    );
    for round in 0..3 {
        stage.append("a", 2 * round * 50..(2 * round + 1) * 50);
        stage.append("b", (2 * round + 1) * 50..(2 * round + 2) * 50);
        let mut agent = stage.start("a", &second);
        for last in [(2 * round + 1) * 50 - 1, (2 * round + 2) * 50 - 1] {
            stage.wait(&format!("line {last};"));
        }
        for log in ["logs/a", "logs/b"] {
            stage.wait_for_position(fs::metadata(stage.path(log)).expect("the log").len());
        }
        if round == 1 { agent.kill() } else { end(agent) }
    }
    assert_eq!(stage.counts(0..300), [1; 300]);
}

#[test]
fn a_file_renamed_away_while_the_agent_is_held_or_stopped_is_read_to_its_end() {
    let mut stage = Stage::new();
    stage.append("app.log", 0..200);
    // It closes the file at once, so that only its number leads to it.
    let agent = stage.start("app[.]log", "a.sources.r.idleTimeout = 100\n");
    stage.wait("line 199;");
    stage.wait("Closed file");
    agent.signal(Signal::STOP);
    let rename = |to: &str| {
        fs::rename(stage.path("logs/app.log"), stage.path("logs").join(to)).expect("it is renamed");
    };
    stage.append("app.log", 200..300);
    rename("old.1");
    stage.append("app.log", 300..400);
    agent.signal(Signal::CONT);
    stage.wait("line 299;");
    stage.wait("line 399;");
    end(agent);
    stage.append("app.log", 400..500);
    fs::rename(stage.path("logs/app.log"), stage.path("logs/old.2")).expect("it is renamed");
    let agent = stage.start("app[.]log", "");
    stage.wait("line 499;");
    end(agent);
    assert_eq!(stage.counts(0..500), [1; 500]);
}

#[test]
fn the_own_console_is_not_followed_by_an_agent_that_prints_what_it_follows() {
    let mut stage = Stage::new();
    let conf = stage.path("a.properties");
    fs::write(&conf, stage.properties(".*", "")).expect("it can be written");
    let output = fs::File::create(stage.path("logs/console.log")).expect("a file");
    let mut command = Command::new(binaries::directory().expect("the binaries").join("agent"));
    command.args(["-n", "a", "-Dflume.root.logger=INFO,console", "-f"]).arg(&conf);
    command.stdin(std::process::Stdio::null()).stderr(output.try_clone().expect("a file")).stdout(output);
    let agent = Process::spawn_as_is(command).expect("it starts");
    stage.append("a", 0..10);
    let printed = || fs::read_to_string(stage.path("logs/console.log")).unwrap_or_default();
    let since = Instant::now();
    while !printed().contains("line 9;") {
        assert!(since.elapsed() < LONG, "the lines never come: {}", printed());
        thread::sleep(Duration::from_millis(20));
    }
    stage.append("a", 10..11);
    end(agent);
    let text = printed();
    assert!(text.contains("this process prints to it"), "{text}");
    assert_eq!(text.matches("line 9;").count(), 1, "{text}");
    stage.lives += 1;
}

#[test]
fn a_configuration_from_a_pipe_is_read_and_one_without_a_writer_is_given_up() {
    let mut stage = Stage::new();
    let pipe = stage.path("conf.fifo");
    fifo(&pipe);
    let text = stage.properties("a", "");
    stage.append("a", 0..3);
    let agent = stage.start_with(&pipe);
    fs::write(&pipe, text).expect("it is read");
    stage.wait("line 2;");
    end(agent);
    let mut agent = stage.start_with(&pipe);
    stage.wait("waiting up to 10 s for what is written to it");
    let ended = agent.wait(LONG).expect("it ends by itself");
    assert_eq!(ended.status.code(), Some(2), "{:?}", ended.status);
    stage.wait("it is a pipe (FIFO), and within 10 s nobody has written to it");
}

#[test]
fn a_pipe_in_place_of_the_position_file_is_told_and_stops_nobody() {
    let mut stage = Stage::new();
    fifo(&stage.path("positions.json"));
    stage.append("a", 0..3);
    let agent = stage.start("a", "");
    stage.wait("cannot be used: it is a pipe (FIFO), not a regular file");
    stage.wait("line 2;");
    end(agent);
    let kind = fs::symlink_metadata(stage.path("positions.json")).expect("it is there").file_type();
    assert!(kind.is_fifo(), "{kind:?}");
}

/// Long enough for any machine; nothing waits for it to pass.
const LONG: Duration = Duration::from_secs(30);

#[test]
fn a_killed_agent_goes_on_inside_the_file_of_its_spool_directory() {
    const LINES: usize = 20_000;
    let mut stage = Stage::new();
    fs::create_dir(stage.path("spool")).expect("a directory");
    let text: String = (0..LINES).map(|line| format!("line {line};\n")).collect();
    fs::write(stage.path("spool/a"), text).expect("a file");
    let (root, conf) = (stage.root.path().display().to_string(), stage.path("a.properties"));
    let properties = format!(
        "a.sources = r\na.channels = c\na.sinks = k\na.channels.c.type = memory\na.channels.c.capacity = 10\n\
         a.channels.c.transactionCapacity = 10\na.sources.r.type = spooldir\na.sources.r.channels = c\n\
         a.sources.r.spoolDir = {root}/spool\na.sources.r.batchSize = 5\na.sinks.k.type = logger\na.sinks.k.channel = c\n"
    );
    fs::write(&conf, properties).expect("it can be written");
    let mut first = stage.start_with(&conf);
    stage.wait("line 300;");
    first.kill();
    assert!(stage.path("spool/.flumespool/.flumespool-main.meta").exists(), "it was inside the file");
    let agent = stage.start_with(&conf);
    stage.wait(&format!("line {};", LINES - 1));
    stage.wait("spool/a is finished");
    end(agent);
    assert!(stage.path("spool/a.COMPLETED").exists());
    let mut counts = vec![0; LINES];
    for line in stage.console.lines_from(0) {
        // `... body: 6C 69 6E 65 20 37 3B   line 7; }`
        let number =
            line.text.rsplit_once("  line ").and_then(|(_, rest)| rest.split_once(';')?.0.parse().ok());
        number.into_iter().for_each(|number: usize| counts[number] += 1);
    }
    // What the memory channel held is gone, and a batch may have been stored and not yet been marked.
    let lost = counts.iter().filter(|count| **count == 0).count();
    let doubled = counts.iter().filter(|count| **count > 1).count();
    assert!(lost <= 15 && doubled <= 15, "{lost} lines are lost and {doubled} came twice");
}

#[test]
fn one_command_tells_which_agents_of_a_fleet_run_here() {
    let folder = tempfile::tempdir().expect("a directory");
    let agent = "a.sources = r\na.channels = c\na.sinks = k\na.channels.c.type = memory\na.sources.r.type = seq\n\
                 a.sources.r.channels = c\na.sinks.k.channel = c\na.sinks.k.type = ";
    for (name, sink) in
        [("1.conf", "null"), ("2.conf", "com.example.Own"), ("3.properties", "avro"), ("4.conf", "nul")]
    {
        fs::write(folder.path().join(name), format!("{agent}{sink}\n")).expect("it can be written");
    }
    let mut command = Command::new(env!("CARGO_BIN_EXE_fleet"));
    // As on a host without Flume's jars, by the agent of this build.
    command
        .env("FLUME_HOME", folder.path())
        .env("FLUME_BIN_DIR", binaries::directory().expect("it is built"));
    let output = command.arg(folder.path()).output().expect("it runs");
    let table = String::from_utf8_lossy(&output.stdout);
    for row in [
        "runs here\truns\t1.conf\ta\t\n",
        "lacks an own class\truns\t2.conf\ta\town class `com.example.Own`\n",
        "with --start-in-part\truns in part\t3.properties\ta\tmissing-property:7",
        "the file is wrong\tends\t4.conf\ta\tunknown-type:8\n",
        "Of the 3 agents that Flume starts at all, 1 (33.3 %) start here whole.\n",
        "2 (66.7 %) start here, some with --start-in-part: without what Flume leaves out as well.\n",
        "3 (100.0 %) start here once their own classes are there.\n",
    ] {
        assert!(table.contains(row), "{row}: {table}{}", String::from_utf8_lossy(&output.stderr));
    }
}

/// Flume removes the sink, its channel stays without a reader, and the other flow runs. So it is here, when it is asked for.
#[test]
fn an_agent_that_flume_runs_in_part_starts_in_part_when_told_to_and_says_what_is_missing() {
    let text = "a1.sources = r s\na1.channels = c d\na1.sinks = k l\n\
                a1.channels.c.type = memory\na1.channels.d.type = memory\na1.sources.s.type = netcat\n\
                a1.sources.r.type = seq\na1.sources.r.totalEvents = 3\na1.sources.r.channels = c d\n\
                a1.sources.s.channels = c\na1.sinks.k.type = logger\na1.sinks.k.channel = c\n\
                a1.sinks.l.type = avro\na1.sinks.l.channel = d\na1.sinks.l.port = 1\n";
    let mut whole = Solo::start(text, &[]);
    assert_eq!(whole.node.wait(LONG).expect("it ends").status.code(), Some(2));
    assert_eq!(whole.said("Event: {"), 0);
    let mut part = Solo::start_with(text, &["--start-in-part"]);
    part.wait_for("the agent runs in part, as --start-in-part says: without sink `l`, source `s`");
    part.wait_for("body: 32 ");
    assert_eq!(part.said("the sink `l` has no `hostname`"), 1);
    assert_eq!(part.said("here: it is left out, as --start-in-part says"), 3);
    part.node.kill();
}
