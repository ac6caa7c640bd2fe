//! A spout's program, with Storm played over its pipes.

use crate::{
    binaries,
    console::Console,
    lesson::{self, Whereabouts},
    process::Process,
};
use serde_json::{Value, json};
use std::{
    collections::BTreeMap,
    fs,
    io::{BufRead, BufReader, PipeReader, PipeWriter, Write, pipe},
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

/// The lesson's collector as the spout of a topology: its sink is gone, and its channel is Storm.
///
/// # Panics
/// When it cannot be written.
pub fn file(directory: &Path, whereabouts: &Whereabouts) -> PathBuf {
    let text = lesson::server(0, whereabouts);
    let kept = text.lines().filter(|line| !line.contains("a1.sinks") && !line.contains("a1.channels.c1."));
    let storm = "a1.channels.c1.type = storm\na1.channels.c1.ackTimeout = 5\n";
    let file = directory.join("flume-server.conf");
    fs::write(&file, kept.map(|line| format!("{line}\n")).collect::<String>() + storm).expect("a file");
    file
}

/// A running `storm-spout`. Every command is answered in its turn, as Storm's ShellSpout has it.
pub struct Spout {
    /// Its process.
    pub process: Process,
    /// What it says on standard error.
    pub console: Console,
    /// What it says to the worker's log, with Storm's level.
    pub said: Vec<(u64, String)>,
    to: Option<PipeWriter>,
    from: BufReader<PipeReader>,
}

/// What it emits.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tuple {
    /// Its id.
    pub id: String,
    /// The event's headers.
    pub headers: BTreeMap<String, String>,
    /// The body.
    pub body: String,
    /// How the body is written.
    pub encoding: String,
}

impl Spout {
    /// Starts the agent `a1` of `file` as `program storm-spout`, and activates it.
    ///
    /// # Panics
    /// When it does not start.
    pub fn start(program: &str, file: &Path) -> Spout {
        let mut spout = Spout::begin(program, file);
        let pids = file.with_extension("pids");
        fs::create_dir_all(&pids).expect("a directory");
        let handshake = json!({"pidDir": pids, "conf": {"topology.message.timeout.secs": 30}, "context": {"componentid": "slave3"}});
        spout.say(&handshake);
        let pid = spout.process.pid().as_raw_nonzero().get();
        assert_eq!(spout.hear(), Some(json!({"pid": pid})));
        assert!(pids.join(pid.to_string()).exists(), "the file that says which process it is");
        assert_eq!(spout.command("activate", ""), []);
        spout
    }

    /// Starts it, and says nothing.
    ///
    /// # Panics
    /// When it cannot be started.
    pub fn begin(program: &str, file: &Path) -> Spout {
        let mut command = Command::new(binaries::directory().expect("it is built").join(program));
        command.args(["storm-spout", "-n", "a1", "-f"]).arg(file);
        let (input, to) = pipe().expect("a pipe");
        let (from, output) = pipe().expect("a pipe");
        let (errors, error) = pipe().expect("a pipe");
        command.stdin(Stdio::from(input)).stdout(Stdio::from(output)).stderr(Stdio::from(error));
        let process = Process::spawn_as_is(command).expect("it runs");
        let console = Console::default();
        console.read(errors, 0);
        Spout { process, console, said: Vec::new(), to: Some(to), from: BufReader::new(from) }
    }

    fn say(&mut self, message: &Value) {
        let sent = self.to.as_mut().map(|to| write!(to, "{message}\nend\n"));
        assert!(matches!(sent, Some(Ok(()))), "it does not listen: {:?}", self.console.lines_from(0));
    }

    /// The next message; `None` when it has ended.
    fn hear(&mut self) -> Option<Value> {
        let mut text = String::new();
        while !text.ends_with("\nend\n") {
            if self.from.read_line(&mut text).expect("text") == 0 {
                return None;
            }
        }
        Some(serde_json::from_str(text.trim_end_matches("end\n")).expect("JSON"))
    }

    /// Says a command, and hears the tuples that come up to its `sync`.
    ///
    /// # Panics
    /// When it has ended.
    pub fn command(&mut self, word: &str, id: &str) -> Vec<Tuple> {
        self.say(&json!({"command": word, "id": id}));
        let mut tuples = Vec::new();
        loop {
            let Some(heard) = self.hear() else {
                panic!("it has ended: {:?}", self.console.lines_from(0));
            };
            let text = |value: &Value| value.as_str().expect("text").to_owned();
            match heard["command"].as_str() {
                Some("sync") => return tuples,
                Some("log") => {
                    self.said.push((heard["level"].as_u64().expect("a level"), text(&heard["msg"])))
                }
                Some("emit") => tuples.push(Tuple {
                    id: text(&heard["id"]),
                    headers: serde_json::from_value(heard["tuple"][0].clone()).expect("headers"),
                    body: text(&heard["tuple"][1]),
                    encoding: text(&heard["tuple"][2]),
                }),
                _ => panic!("not said to Storm: {heard}"),
            }
        }
    }

    /// The tuples that it has now.
    ///
    /// # Panics
    /// When it has ended.
    pub fn ask(&mut self) -> Vec<Tuple> {
        self.command("next", "")
    }

    /// Closes its standard input, as a worker does that ends.
    pub fn hang_up(&mut self) {
        self.to = None;
    }
}
