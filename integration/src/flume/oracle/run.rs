//! Carries a case out.

use super::{
    case::{Case, Done, Events, Step},
    node::{Node, Side},
    outcome::{Outcome, Words, behind_date},
};
use crate::{
    flume::{
        avro::{Connection, Event, Outcome as Answer},
        stand_in::StandIn,
    },
    ports,
};
use std::{
    collections::BTreeMap,
    fs,
    io::{self, Read, Write},
    net::{Ipv4Addr, Shutdown, SocketAddr, TcpStream, UdpSocket},
    path::{Path, PathBuf},
    thread,
    time::{Duration, Instant},
};

/// Why a case gave no outcome.
#[derive(Debug, thiserror::Error)]
pub enum Failure {
    /// A file, a port or a process could not be had.
    #[error("{what}: {source}")]
    Io {
        /// What was tried.
        what: String,
        /// What the system said.
        source: io::Error,
    },
    /// What had to come out did not.
    #[error("{what} did not come within {waited:?}; so far:\n{so_far}\nits last lines:\n{last}")]
    NotDone {
        /// What was awaited.
        what: String,
        /// How long.
        waited: Duration,
        /// What came out.
        so_far: String,
        /// The end of the console.
        last: String,
    },
}

/// Gives `case` to `side` in the empty folder `dir` and tells what came out.
///
/// # Errors
/// [`Failure`], with what did come out, when what the case waits for did not come in time.
pub fn run(case: &Case, side: &Side, dir: &Path) -> Result<Outcome, Failure> {
    let mut run = Run::start(case, side, dir)?;
    let (steps, done) = match (side, &case.differs) {
        (Side::Ours(_), Some(ours)) => (ours.steps, ours.done),
        _ => (case.steps, case.done),
    };
    for step in steps {
        run.step(step)?;
    }
    for done in done {
        run.until(done)?;
    }
    thread::sleep(Duration::from_millis(case.settle_ms)); // watched for what must not come
    run.outcome()
}

struct Run<'a> {
    case: &'a Case,
    dir: PathBuf,
    ports: BTreeMap<usize, u16>,
    sinks: BTreeMap<usize, StandIn>,
    words: Words,
    node: Node,
    notes: Vec<String>,
}

impl<'a> Run<'a> {
    fn start(case: &'a Case, side: &'a Side, dir: &Path) -> Result<Run<'a>, Failure> {
        let ports = free_ports(case.file).map_err(io("free ports"))?;
        let mut sinks = BTreeMap::new();
        for number in named(case.file, "$SINK") {
            sinks.insert(number, StandIn::listen().map_err(io("a collector"))?);
        }
        let names = port_names(&ports, &sinks);
        let words = Words::new(dir, &names);
        lay_out(case, dir, &names).map_err(io("the files of the case"))?;
        let node = Node::start(side, &dir.join(FILE), case.agent, dir).map_err(io("the process"))?;
        let dir = dir.to_path_buf();
        Ok(Run { case, dir, ports, sinks, words, node, notes: vec![] })
    }

    fn step(&mut self, step: &Step) -> Result<(), Failure> {
        match *step {
            Step::Append { file, text } => {
                let text = self.filled(text);
                append(&self.dir.join(file), text.as_bytes()).map_err(io(file))
            }
            Step::Rename { from, to } => fs::rename(self.dir.join(from), self.dir.join(to)).map_err(io(from)),
            Step::Send { port, bytes } => self.send(port, bytes),
            Step::Datagram { port, bytes } => {
                let socket = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).map_err(io("a socket"))?;
                socket.send_to(bytes, self.address(port)).map(drop).map_err(io("a datagram"))
            }
            Step::Request { port, head, body } => self.request(port, head, body),
            Step::Avro { port, calls } => self.avro(port, calls),
            Step::Opens(port) => {
                self.connect(port)?;
                self.notes.push(format!("$PORT{port} is open"));
                Ok(())
            }
            Step::Listens(port) => {
                self.listens(port);
                Ok(())
            }
            Step::Until(ref done) => self.until(done),
            Step::Pass(ms) => {
                thread::sleep(Duration::from_millis(ms));
                Ok(())
            }
            Step::Down(sink) => {
                self.sink(sink).close();
                Ok(())
            }
            Step::Up(sink) => self.sink(sink).open().map_err(io("a collector's port")),
            Step::Answers(sink, statuses) => {
                self.sink(sink).answer(statuses);
                Ok(())
            }
            Step::Exit => self.exit(),
        }
    }

    fn send(&mut self, port: usize, bytes: &[u8]) -> Result<(), Failure> {
        let mut stream = self.connect(port)?;
        stream.write_all(bytes).map_err(io("sending"))?;
        stream.shutdown(Shutdown::Write).map_err(io("ending"))?;
        let mut answer = Vec::new();
        // A peer that closes with bytes of ours unread resets: what it said before that counts.
        let _ = stream.read_to_end(&mut answer);
        self.notes.push(format!("answer from $PORT{port}: {}", answer.escape_ascii()));
        Ok(())
    }

    fn request(&mut self, port: usize, head: &str, body: &[u8]) -> Result<(), Failure> {
        let mut stream = self.connect(port)?;
        let head = format!("{head}Host: h\r\nConnection: close\r\nContent-Length: {}\r\n\r\n", body.len());
        stream.write_all(&[head.as_bytes(), body].concat()).map_err(io("sending"))?;
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer).map_err(io("an answer"))?;
        let status = answer.split(|byte| *byte == b' ').nth(1).unwrap_or_default();
        self.notes.push(format!("answer from $PORT{port}: {}", status.escape_ascii()));
        Ok(())
    }

    fn avro(&mut self, port: usize, calls: &[Events]) -> Result<(), Failure> {
        let at = self.connect(port)?.peer_addr().map_err(io("a port"))?;
        let mut connection = Connection::open(at).map_err(io("a connection"))?;
        for events in calls {
            let events: Vec<Event> = events.iter().map(|(headers, body)| Event::new(headers, body)).collect();
            let answer = connection.append_batch(&events).map_err(io("an answer"))?;
            let said = match answer.outcome {
                Some(Answer::Status(0)) => "OK".to_owned(),
                Some(Answer::Status(1)) => "FAILED".to_owned(),
                other => format!("{other:?}"),
            };
            self.notes.push(format!("answer from $PORT{port}: {said}"));
        }
        Ok(())
    }

    /// Connects as soon as the port is open.
    fn connect(&self, port: usize) -> Result<TcpStream, Failure> {
        let deadline = Instant::now() + START;
        loop {
            match TcpStream::connect(self.address(port)) {
                Ok(stream) => {
                    stream.set_read_timeout(Some(PATIENCE)).map_err(io("a port"))?;
                    return Ok(stream);
                }
                Err(_) if Instant::now() < deadline => thread::sleep(GLANCE),
                Err(_) => return Err(self.not_done(&format!("$PORT{port}, open,"), START)),
            }
        }
    }

    fn listens(&mut self, port: usize) {
        let deadline = Instant::now() + OPENING;
        let is_open = || TcpStream::connect(self.address(port)).is_ok();
        while !is_open() && Instant::now() < deadline {
            thread::sleep(GLANCE);
        }
        self.notes.push(format!("$PORT{port} is {}", if is_open() { "open" } else { "closed" }));
    }

    fn exit(&mut self) -> Result<(), Failure> {
        let Some(ended) = self.node.process.wait(PATIENCE) else {
            return Err(self.not_done("its end", PATIENCE));
        };
        self.node.console.drained(PATIENCE);
        self.notes.push(match ended.status.code() {
            Some(code) => format!("exit code {code}"),
            None => "ended by a signal".to_owned(),
        });
        Ok(())
    }

    fn until(&mut self, done: &Done) -> Result<(), Failure> {
        let deadline = Instant::now() + PATIENCE;
        while !self.is_done(done) {
            if Instant::now() > deadline {
                return Err(self.not_done(&format!("{done:?}"), PATIENCE));
            }
            thread::sleep(GLANCE);
        }
        Ok(())
    }

    fn is_done(&self, done: &Done) -> bool {
        match *done {
            Done::Console(count) => self.event_lines().len() >= count,
            Done::Sink(sink, count) => self.sinks[&sink].events().len() >= count,
            Done::Lines(folder, count) => {
                joined(&self.dir.join(folder)).iter().filter(|byte| **byte == b'\n').count() >= count
            }
            Done::Bytes(folder, count) => joined(&self.dir.join(folder)).len() >= count,
            Done::Gone(file) => !self.dir.join(file).exists(),
            Done::Says(text) => {
                !self.node.console.visit(0, |line| line.text.contains(text).then_some(())).is_empty()
            }
        }
    }

    fn outcome(&self) -> Result<Outcome, Failure> {
        let mut console: Vec<String> =
            self.event_lines().iter().map(|line| self.words.neutral(line)).collect();
        if self.case.unordered {
            console.sort();
        }
        let neutral = |event: Event| Event {
            headers: event
                .headers
                .into_iter()
                .map(|(key, value)| (key, self.words.neutral(&value)))
                .collect(),
            body: event.body,
        };
        let sinks = self.sinks.iter().map(|(number, stand_in)| {
            (*number, stand_in.events().into_iter().map(neutral).collect::<Vec<_>>())
        });
        let folders = self.case.folders.iter().map(|folder| {
            let text = joined(&self.dir.join(folder));
            ((*folder).to_owned(), self.words.neutral(&String::from_utf8_lossy(&text)).into_bytes())
        });
        Ok(Outcome { console, notes: self.notes.clone(), sinks: sinks.collect(), folders: folders.collect() })
    }

    /// The event lines from behind their date, each with what follows it up to the next line with a date.
    fn event_lines(&self) -> Vec<String> {
        let mut events: Vec<String> = Vec::new();
        let mut inside = false;
        for line in self.node.console.lines_from(0) {
            match behind_date(&line.text) {
                Some(rest) => {
                    inside = rest.contains("] Event: {");
                    if inside {
                        events.push(rest.to_owned());
                    }
                }
                None if inside => {
                    if let Some(last) = events.last_mut() {
                        last.push('\n');
                        last.push_str(&line.text);
                    }
                }
                None => {}
            }
        }
        events
    }

    fn not_done(&self, what: &str, waited: Duration) -> Failure {
        let lines = self.node.console.lines_from(0);
        let last: Vec<String> =
            lines.iter().rev().take(SHOWN).rev().map(|line| format!("  | {}", line.text)).collect();
        let so_far = self.outcome().map(|outcome| outcome.to_string()).unwrap_or_default();
        Failure::NotDone { what: what.to_owned(), waited, so_far, last: last.join("\n") }
    }

    fn address(&self, port: usize) -> SocketAddr {
        (Ipv4Addr::LOCALHOST, self.ports[&port]).into()
    }

    fn sink(&mut self, number: usize) -> &mut StandIn {
        self.sinks.get_mut(&number).expect("a step names a collector that the file names")
    }

    fn filled(&self, text: &str) -> String {
        fill(text, &self.dir, &port_names(&self.ports, &self.sinks))
    }
}

fn lay_out(case: &Case, dir: &Path, names: &[(String, u16)]) -> io::Result<()> {
    fs::write(dir.join(FILE), fill(case.file, dir, names))?;
    for (name, text) in case.before {
        let path = dir.join(name);
        if name.ends_with('/') {
            fs::create_dir_all(path)?;
        } else {
            append(&path, fill(text, dir, names).as_bytes())?;
        }
    }
    Ok(())
}

fn append(path: &Path, bytes: &[u8]) -> io::Result<()> {
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder)?;
    }
    fs::OpenOptions::new().create(true).append(true).open(path)?.write_all(bytes)
}

fn fill(text: &str, dir: &Path, names: &[(String, u16)]) -> String {
    let text = text.replace("$DIR", &dir.display().to_string());
    names.iter().fold(text, |text, (name, port)| text.replace(name, &port.to_string()))
}

fn port_names(ports: &BTreeMap<usize, u16>, sinks: &BTreeMap<usize, StandIn>) -> Vec<(String, u16)> {
    let ports = ports.iter().map(|(number, port)| (format!("$PORT{number}"), *port));
    let sinks = sinks.iter().map(|(number, stand_in)| (format!("$SINK{number}"), stand_in.address().port()));
    ports.chain(sinks).collect()
}

/// Ports that were free a moment ago, and that no outgoing connection takes meanwhile.
fn free_ports(file: &str) -> io::Result<BTreeMap<usize, u16>> {
    let mut held = Vec::new();
    for number in named(file, "$PORT") {
        held.push((number, ports::free(&["127.0.0.1"])?));
    }
    Ok(held.into_iter().collect())
}

/// The numbers behind `name` in the text, each once.
fn named(text: &str, name: &str) -> Vec<usize> {
    (1..10).filter(|number| text.contains(&format!("{name}{number}"))).collect()
}

/// The contents of a folder's files, in the order in which `file_roll` numbers them.
fn joined(folder: &Path) -> Vec<u8> {
    let Ok(entries) = fs::read_dir(folder) else { return vec![] };
    let mut files: Vec<PathBuf> =
        entries.flatten().map(|entry| entry.path()).filter(|path| path.is_file()).collect();
    files.sort_by_key(|path| (path.as_os_str().len(), path.clone()));
    files.iter().flat_map(|file| fs::read(file).unwrap_or_default()).collect()
}

fn io(what: &str) -> impl Fn(io::Error) -> Failure {
    let what = what.to_owned();
    move |source| Failure::Io { what: what.clone(), source }
}

/// A JVM on a busy machine, and the three seconds after which a failed start is tried again.
const START: Duration = Duration::from_secs(120);
/// The longest wait of any case: a sink that failed waits 5 s, a member of a group up to 30 s, a JVM that starts longer still.
const PATIENCE: Duration = Duration::from_secs(120);
/// How long a port has to open: more than the three seconds after which a failed start is tried again.
const OPENING: Duration = Duration::from_secs(5);
/// How often files and ports are looked at.
const GLANCE: Duration = Duration::from_millis(20);
/// What the properties file of a run is called.
const FILE: &str = "case.properties";
/// How many lines a failure shows.
const SHOWN: usize = 25;
