//! The lesson's cluster: two agents, two collectors, four real processes.

use crate::{
    binaries,
    console::Console,
    flume::{self, Version},
    ledger::{Arrival, Ledger, LineId, Place, Verdict},
    lesson::{self, Whereabouts},
    load::{Demand, Load, Log, Written},
    node::{Error, Implementation, Launch, Node, Role},
    ports, vitals,
};
use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
    process::Command,
    sync::Arc,
    thread,
    time::{Duration, Instant},
};
use tempfile::TempDir;

/// What a cluster is made of. The default is ours everywhere, with the lesson's files.
#[derive(Clone)]
pub struct Setup {
    /// slave1, slave2, slave3, slave4.
    pub kinds: [Implementation; 4],
    /// Where the collectors listen; a free port of 127.0.0.3 and 127.0.0.4 unless it is said.
    pub whereabouts: Option<Whereabouts>,
    /// Lines put behind the client file; the last setting of a key counts.
    pub client_extra: String,
    /// Lines put behind the server file; `NODE_NAME` and `NODE_DIR` in them are the node's name and directory.
    pub server_extra: String,
    /// The agents' `-Dflume.root.logger`.
    pub client_level: &'static str,
    /// slave1 has an own Java interceptor and slave4 an own Java sink, with the jars of this Flume.
    pub java: Option<Version>,
    /// What a node's command is wrapped in, such as a network namespace.
    pub wrap: Option<Wrap>,
    /// Another program that runs the collectors: the word behind `collector` by which it does, and the command.
    pub host: Option<(&'static str, Wrap)>,
    /// Where `agent` and `collector` are; beside the running program unless it is said.
    pub binaries: Option<PathBuf>,
}

/// Given a node's directory and its plain command, the command to run.
pub type Wrap = Arc<dyn Fn(&Site, Command) -> Command + Send + Sync>;

/// What a [`Wrap`] is told about a node.
pub struct Site {
    /// Its name.
    pub name: String,
    /// Its directory, with `conf` and `root` in it.
    pub directory: PathBuf,
}

impl Default for Setup {
    fn default() -> Setup {
        Setup {
            kinds: [Implementation::Ours; 4],
            whereabouts: None,
            client_extra: String::new(),
            server_extra: String::new(),
            client_level: "INFO,console",
            java: None,
            wrap: None,
            host: None,
            binaries: None,
        }
    }
}

/// Four nodes and what they follow. Dropping it kills them and removes their files.
pub struct Cluster {
    agents: Vec<Node>,
    collectors: Vec<Node>,
    logs: Vec<Log>,
    whereabouts: Whereabouts,
    directory: TempDir,
    written: Written,
    command_lines: Vec<String>,
    arrivals: Option<[Console; 2]>,
}

impl Cluster {
    /// Starts all: collectors first, as the lesson has it, and waits until each has started.
    ///
    /// # Errors
    /// When a binary is missing, a file cannot be written, or a node does not start.
    pub fn start(setup: &Setup) -> Result<Cluster, Error> {
        let mut cluster = Cluster::lay_out(setup)?;
        cluster.start_collectors()?;
        cluster.start_agents()?;
        Ok(cluster)
    }

    /// Writes the files and starts nothing.
    ///
    /// # Errors
    /// When a binary is missing or a file cannot be written.
    pub fn lay_out(setup: &Setup) -> Result<Cluster, Error> {
        let directory = tempfile::tempdir().map_err(Error::io("cannot make a temporary directory"))?;
        let whereabouts = match &setup.whereabouts {
            Some(given) => given.clone(),
            None => ports::whereabouts().map_err(Error::io("no free port on 127.0.0.3 and 127.0.0.4"))?,
        };
        let mut cluster = Cluster {
            agents: vec![],
            collectors: vec![],
            logs: vec![],
            whereabouts,
            directory,
            written: Written::default(),
            command_lines: vec![],
            arrivals: None,
        };
        for (index, name) in lesson::AGENTS.into_iter().enumerate() {
            cluster.lay_out_agent(setup, index, name)?;
        }
        for (index, name) in lesson::COLLECTORS.into_iter().enumerate() {
            let printed = lesson::server(index, &cluster.whereabouts);
            // Real Flume takes the comments for parts of the values and never opens its port.
            let own = if setup.kinds[2 + index] == Implementation::Ours {
                printed
            } else {
                lesson::without_comments(&printed)
            };
            let place = cluster.directory.path().join(name).display().to_string();
            let extra = setup.server_extra.replace("NODE_DIR", &place).replace("NODE_NAME", name);
            let text = if extra.is_empty() { own } else { own + "\n" + &extra };
            let kind = setup.kinds[2 + index];
            let word = setup.host.as_ref().map(|(word, _)| *word);
            let launch = cluster.launch(setup, name, kind, Words::server(word), &text)?;
            let node = Node::new(name, Role::Collector(index), kind, launch);
            cluster.collectors.push(word.into_iter().fold(node, Node::hosted));
        }
        Ok(cluster)
    }

    fn lay_out_agent(&mut self, setup: &Setup, index: usize, name: &str) -> Result<(), Error> {
        let log = self.directory.path().join(name).join("root/test.log");
        fs::create_dir_all(log.parent().expect("just joined"))
            .map_err(Error::io(format!("{}", log.display())))?;
        let seen = if setup.wrap.is_some() { Path::new("/root/test.log") } else { &log };
        let text = lesson::client(seen, &self.whereabouts) + &setup.client_extra;
        self.logs.push(Log::open(&log).map_err(Error::io(format!("cannot make {}", log.display())))?);
        let launch =
            self.launch(setup, name, setup.kinds[index], Words::client(setup.client_level), &text)?;
        self.agents.push(Node::new(name, Role::Agent, setup.kinds[index], launch));
        Ok(())
    }

    /// Writes a node's configuration and says how it is started.
    fn launch(
        &mut self,
        setup: &Setup,
        name: &str,
        kind: Implementation,
        words: Words,
        text: &str,
    ) -> Result<Launch, Error> {
        let directory = self.directory.path().join(name);
        let conf = directory.join("conf");
        fs::create_dir_all(&conf).map_err(Error::io(format!("cannot make {}", conf.display())))?;
        let file = conf.join(words.file);
        let java = setup.java.map(|version| (flume::bridge::environment(version), own_classes(name)));
        let text = text.to_owned() + java.as_ref().map_or("", |(_, lines)| lines);
        fs::write(&file, text).map_err(Error::io(format!("cannot write {}", file.display())))?;
        let place = Site { name: name.to_owned(), directory };
        let (wrap, given) = (setup.wrap.clone(), setup.binaries.clone());
        let host =
            setup.host.as_ref().filter(|(word, _)| words.words[0] == *word).map(|(_, host)| host.clone());
        self.command_lines.push(words.typed(name, wrap.is_some()));
        Ok(Box::new(move || {
            let mut command = program(kind, &words, &conf, wrap.is_some(), given.as_deref())?;
            command.current_dir(&conf);
            let variables = java.iter().flat_map(|(words, _)| words).filter_map(|word| word.split_once('='));
            command.envs(variables);
            Ok(match wrap.as_ref().or(host.as_ref()) {
                Some(wrap) => wrap(&place, command),
                None => command,
            })
        }))
    }

    /// Starts the collectors and waits for them; tells how long each took.
    ///
    /// # Errors
    /// When one does not start.
    pub fn start_collectors(&mut self) -> Result<Vec<Duration>, Error> {
        start(&mut self.collectors)
    }

    /// Starts the agents and waits for them; tells how long each took. Behind that it waits until they follow their
    /// logs, for a `tail` without an ear for changes not for ever.
    ///
    /// # Errors
    /// When one does not start.
    pub fn start_agents(&mut self) -> Result<Vec<Duration>, Error> {
        let times = start(&mut self.agents)?;
        let deadline = Instant::now() + FOLLOW;
        let follows = |node: &Node| node.pid().is_some_and(|pid| vitals::follows(pid, "test.log"));
        while !self.agents.iter().all(follows) && Instant::now() < deadline {
            thread::sleep(Duration::from_millis(1));
        }
        Ok(times)
    }

    /// slave1 (0) or slave2 (1).
    pub fn agent(&mut self, index: usize) -> &mut Node {
        &mut self.agents[index]
    }

    /// slave3 (0) or slave4 (1).
    pub fn collector(&mut self, index: usize) -> &mut Node {
        &mut self.collectors[index]
    }

    /// Where events of collector `index` come to their end: its own console, unless [`Cluster::arrive_at`] has said otherwise.
    pub fn arrivals(&self, index: usize) -> &Console {
        self.arrivals.as_ref().map_or_else(|| self.collectors[index].console(), |consoles| &consoles[index])
    }

    /// Events of slave3 and slave4 are looked for on these consoles from now on, in the words of a logger sink.
    pub fn arrive_at(&mut self, consoles: &[Console; 2]) {
        self.arrivals = Some(consoles.clone());
    }

    /// All four.
    pub fn nodes(&self) -> impl Iterator<Item = &Node> {
        self.agents.iter().chain(&self.collectors)
    }

    /// How each node is started, one line each, as it would be typed.
    pub fn command_lines(&self) -> String {
        self.command_lines.join("\n")
    }

    /// Where the collectors listen.
    pub fn whereabouts(&self) -> &Whereabouts {
        &self.whereabouts
    }

    /// Its files.
    pub fn directory(&self) -> &Path {
        self.directory.path()
    }

    /// Appends a line to the log of agent `index`, and tells when.
    ///
    /// # Errors
    /// As the file system has them.
    pub fn echo(&mut self, index: usize, text: &str) -> Result<Instant, Error> {
        self.logs[index].echo(text).map_err(Error::io("cannot write to the log"))
    }

    /// Begins to write numbered lines to both logs.
    ///
    /// # Errors
    /// When no more files can be opened.
    pub fn load(&self, demand: Demand) -> Result<Load, Error> {
        let logs = self.logs.iter().map(Log::again).collect::<Result<Vec<Log>, _>>();
        Ok(Load::start(logs.map_err(Error::io("cannot open the logs again"))?, demand))
    }

    /// Waits until all is written and has arrived as far as it ever will: the last line of each log is there, nothing came for
    /// [`QUIET`] and all that is missing may have gone down with a killed node; or `limit` is over. Then judges.
    ///
    /// # Errors
    /// When a log could not be written.
    pub fn settle(&mut self, load: Load, limit: Duration) -> Result<Verdict, Error> {
        self.wait_for_all(load, limit, |verdict| verdict.lost_count == 0)
    }

    /// The same where nobody knows yet what may have gone down: only the last lines are waited for.
    ///
    /// # Errors
    /// When a log could not be written.
    pub fn settle_early(&mut self, load: Load, limit: Duration) -> Result<Verdict, Error> {
        self.wait_for_all(load, limit, |_| true)
    }

    fn wait_for_all(
        &mut self,
        load: Load,
        limit: Duration,
        enough: impl Fn(&Verdict) -> bool,
    ) -> Result<Verdict, Error> {
        self.written = load.finish().map_err(Error::io("cannot write to the logs"))?;
        let lines = self.written.lines.clone();
        let last: Vec<LineId> =
            lines.iter().map(|(source, lines)| LineId { source: *source, number: lines - 1 }).collect();
        let deadline = Instant::now() + limit;
        let mut watch = Watch::new(&last);
        loop {
            while Instant::now() < deadline && !watch.is_settled(&[self.arrivals(0), self.arrivals(1)]) {
                thread::sleep(Duration::from_millis(20));
            }
            let verdict = self.ledger().verdict(&lines);
            if enough(&verdict) || Instant::now() >= deadline {
                return Ok(verdict);
            }
            watch.since = Instant::now();
        }
    }

    /// What was written by the last load that was settled.
    pub fn written(&self) -> &Written {
        &self.written
    }

    /// What arrived and what was done.
    pub fn ledger(&self) -> Ledger {
        let mut ledger = Ledger::default();
        for (node, collector) in self.collectors.iter().enumerate() {
            ledger.incidents.extend(collector.incidents());
            ledger.arrivals.extend(self.arrivals(node).events_from(0).into_iter().filter_map(
                |(line, seen)| {
                    let place = Place { node, life: line.life };
                    LineId::parse(&seen.body).map(|id| Arrival { line: id, place, at: line.at })
                },
            ));
        }
        ledger
    }
}

/// What makes a part of a node an operator's class.
fn own_classes(name: &str) -> &'static str {
    match name {
        "slave1" => {
            "\nagent1.sources.r1.interceptors = i1 i2 i3\nagent1.sources.r1.interceptors.i3.type = org.acme.Tagging$Builder\n"
        }
        "slave4" => "\na1.sinks.k1.type = org.acme.Printing\n",
        _ => "",
    }
}

fn start(nodes: &mut [Node]) -> Result<Vec<Duration>, Error> {
    nodes.iter_mut().try_for_each(Node::start)?;
    nodes.iter().map(|node| node.ready(START)).collect()
}

/// How a node's program is called, in the words of the lesson.
struct Words {
    name: &'static str,
    binary: &'static str,
    file: &'static str,
    words: Vec<String>,
}

impl Words {
    fn client(level: &str) -> Words {
        let words = format!(
            "agent -n {} -c ../conf -f flume-client.conf -Dflume.root.logger={level}",
            lesson::CLIENT_NAME
        );
        Words {
            name: lesson::CLIENT_NAME,
            binary: "agent",
            file: "flume-client.conf",
            words: words.split(' ').map(str::to_owned).collect(),
        }
    }

    /// `word` comes first, or else the lesson's `agent`.
    fn server(word: Option<&str>) -> Words {
        let words = format!(
            "{} --conf ../conf --conf-file flume-server.conf --name {} -Dflume.root.logger=INFO,console",
            word.unwrap_or("agent"),
            lesson::SERVER_NAME
        );
        Words {
            name: lesson::SERVER_NAME,
            binary: "collector",
            file: "flume-server.conf",
            words: words.split(' ').map(str::to_owned).collect(),
        }
    }

    fn typed(&self, name: &str, as_printed: bool) -> String {
        let program = if as_printed { "../bin/flume-ng" } else { self.binary };
        // Without the script the word `agent` that it wants is passed on all the same; here it would be read twice.
        let words = if as_printed { &self.words[..] } else { &self.words[1..] };
        format!("[root@{name}] {program} {}", words.join(" "))
    }
}

/// The plain command of a node. Flume's script of the same words ends in a JVM; that is what is started here.
fn program(
    kind: Implementation,
    words: &Words,
    conf: &Path,
    as_printed: bool,
    given: Option<&Path>,
) -> Result<Command, Error> {
    let ours = |program: PathBuf| {
        let mut command = Command::new(program);
        command.args(&words.words);
        command
    };
    match kind {
        Implementation::Ours if as_printed => Ok(ours("../bin/flume-ng".into())),
        Implementation::Ours => {
            let built = given.map_or_else(binaries::directory, |given| Ok(given.to_owned()));
            Ok(ours(built.map_err(Error::Missing)?.join(words.binary)))
        }
        Implementation::Flume(version) => match flume::missing() {
            Some(why) => Err(Error::Missing(why)),
            None => Ok(flume::command(
                version,
                &conf.join(words.file),
                words.name,
                conf,
                &flume::Launch::default(),
            )),
        },
    }
}

/// Whether lines still come.
struct Watch {
    marks: Vec<usize>,
    missing: Vec<LineId>,
    count: usize,
    since: Instant,
}

impl Watch {
    fn new(last: &[LineId]) -> Watch {
        Watch { marks: vec![], missing: last.to_vec(), count: 0, since: Instant::now() }
    }

    fn is_settled(&mut self, arrivals: &[&Console]) -> bool {
        self.marks.resize(arrivals.len(), 0);
        let mut came = 0;
        for (console, mark) in arrivals.iter().zip(&mut self.marks) {
            let next = console.mark();
            for (_, seen) in console.events_from(*mark) {
                came += 1;
                self.missing.retain(|last| LineId::parse(&seen.body) != Some(*last));
            }
            *mark = next;
        }
        if came > 0 {
            self.count += came;
            self.since = Instant::now();
        }
        self.missing.is_empty() && self.since.elapsed() >= QUIET
    }
}

/// How many of each source arrived anywhere.
pub fn arrived(ledger: &Ledger) -> BTreeMap<u8, usize> {
    let mut counts = BTreeMap::new();
    for arrival in &ledger.arrivals {
        *counts.entry(arrival.line.source).or_default() += 1;
    }
    counts
}

/// After this long without a line nothing more is expected.
pub const QUIET: Duration = Duration::from_secs(2);

/// Where `tail` has to look again and again it has no such ear.
const FOLLOW: Duration = Duration::from_secs(5);

/// The longest that a node may take to start, with a machine under load and a JVM in mind.
pub const START: Duration = Duration::from_secs(120);
