//! File → agent → collector → file: native nodes, real Flume, or one of each.

use super::{
    Bar, Contestant, Rival, Sample,
    arena::{self, Arena, Shape},
    board, check, raw,
    recipe::{self, Around, Batch, Channel, End, Recipe, Source},
    watch::{self, Watched},
};
use crate::{
    binaries,
    flume::{self, Version},
    node::Error,
    ports,
    process::{Ended, Process},
    vitals,
};
use rustix::process::Signal;
use std::{
    fs::{self, File},
    path::{Path, PathBuf},
    process::Command,
    time::{Duration, Instant},
};

/// Whose program runs a side.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Program {
    /// This workspace's.
    Ours,
    /// Real Flume.
    Flume(Version),
}

/// Two hops with a recipe.
pub struct TwoHops {
    /// Who sends.
    pub agent: Program,
    /// Who receives.
    pub collector: Program,
    /// What both run.
    pub recipe: Recipe,
    /// What they carry.
    pub shape: Shape,
    /// What is asked of it.
    pub bars: &'static [Bar],
}

impl Contestant for TwoHops {
    fn name(&self) -> String {
        let Recipe { source, batch, channel, end, headers, live_files, idle_files, around } = self.recipe;
        let who = match (self.agent, self.collector) {
            (agent, collector) if agent == collector => word(agent),
            (agent, collector) => format!("{} → {}", word(agent), word(collector)),
        };
        let source = if source == Source::Exec { "exec" } else { "TAILDIR" };
        let end = match end {
            End::FileRoll => "file_roll",
            End::Null => "null",
            End::Logger => "logger",
        };
        let batch = match batch {
            Batch::Lesson => "lesson's settings".to_owned(),
            Batch::Thousand => "batches of 1,000".to_owned(),
            Batch::Ten { capacity } => {
                format!("batches of 10, capacity {}", board::thousands(f64::from(capacity)))
            }
        };
        let channel = if channel == Channel::File { ", file channels" } else { "" };
        let headers = match headers {
            recipe::USUAL_HEADERS => String::new(),
            headers => format!(", {headers} headers"),
        };
        let files = match (live_files, idle_files) {
            (1, 0) => String::new(),
            (live, 0) => format!(", {live} files"),
            (live, idle) => format!(", {live} of {} files", board::thousands(f64::from(live + idle))),
        };
        let around = match around {
            Around::Nothing => "",
            Around::Zlib => ", compressed",
            Around::ZlibAndTls => ", compressed within TLS",
        };
        let length = arena::length(self.shape);
        format!("{who}: {source} → {end}, {batch}{channel}{headers}{files}{around}{length}")
    }

    fn shape(&self) -> Shape {
        self.shape
    }

    fn missing(&self) -> Option<String> {
        let sides = [self.agent, self.collector];
        let ours = sides.contains(&Program::Ours).then(|| binaries::directory().err()).flatten();
        let real = sides.iter().any(|program| matches!(program, Program::Flume(_)));
        ours.or_else(|| real.then(flume::missing).flatten())
    }

    fn rival(&self) -> Rival {
        let copy = if self.recipe.source == Source::Exec { raw::From::Pipe } else { raw::From::File };
        Rival { copy, bars: self.bars }
    }

    fn run(&self, arena: &Arena) -> Result<Sample, Error> {
        let input = match self.recipe.live_files {
            1 => (*arena.input(self.shape)?).clone(),
            files => arena.inputs(self.shape, files)?.join(ALL),
        };
        let directory = arena.fresh()?;
        let idle = recipe::idle_directory(directory.path());
        make_files(&idle, self.recipe.idle_files).map_err(Error::io("cannot make the idle files"))?;
        let mut hops = Hops::start_collector(self, directory.path())?;
        let begin = Instant::now();
        hops.start_agent(self, &input)?;
        let watched = hops.await_end(self)?;
        let peak_kib = hops.peak();
        let written = hops.written();
        let cpu_seconds = hops.stop();
        let check = hops.check(self)?;
        let (whole, flowing) = (watched.done - begin, watched.done - watched.first);
        Ok(Sample { whole, flowing, cpu_seconds, peak_kib, written, check })
    }
}

fn make_files(directory: &Path, count: u32) -> std::io::Result<()> {
    fs::create_dir(directory)?;
    (0..count).try_for_each(|number| fs::write(directory.join(format!("{number}.log")), ""))
}

fn word(program: Program) -> String {
    match program {
        Program::Ours => "native node".to_owned(),
        Program::Flume(version) => format!("Flume {}", version.name()),
    }
}

/// Two running sides and their files.
pub(super) struct Hops {
    directory: PathBuf,
    host: &'static str,
    port: u16,
    processes: Vec<Process>, // the collector first
}

impl Hops {
    pub(super) fn start_collector(duel: &TwoHops, directory: &Path) -> Result<Hops, Error> {
        let host = ports::HOSTS[0];
        let port = ports::free(&[host]).map_err(Error::io("no free port"))?;
        let mut hops = Hops { directory: directory.to_owned(), host, port, processes: vec![] };
        let output = hops.output();
        fs::create_dir(&output).map_err(Error::io("cannot make the output directory"))?;
        let text = duel.recipe.collector(&output, directory, duel.shape.lines, host, port);
        hops.start(duel.collector, "collector", recipe::COLLECTOR, &text)?;
        watch::line(&hops.console("collector"), "Avro source r1 started.", START)?;
        Ok(hops)
    }

    pub(super) fn start_agent(&mut self, duel: &TwoHops, input: &Path) -> Result<(), Error> {
        let text = duel.recipe.agent(input, &self.directory, self.host, self.port);
        self.start(duel.agent, "agent", recipe::AGENT, &text)
    }

    fn start(&mut self, program: Program, side: &str, name: &str, text: &str) -> Result<(), Error> {
        let file = self.directory.join(format!("{side}.conf"));
        fs::write(&file, text).map_err(Error::io(format!("cannot write {}", file.display())))?;
        let mut command = command(program, side, name, &file, &self.directory)?;
        let console = File::create(self.console(side)).map_err(Error::io("cannot make a console's file"))?;
        let second = console.try_clone().map_err(Error::io("cannot share a console's file"))?;
        command.stdin(std::process::Stdio::null()).stdout(console).stderr(second);
        let process = Process::spawn_as_is(command).map_err(Error::io(format!("cannot start the {side}")))?;
        self.processes.push(process);
        Ok(())
    }

    /// Where file_roll writes.
    pub(super) fn output(&self) -> PathBuf {
        self.directory.join("out")
    }

    fn console(&self, side: &str) -> PathBuf {
        self.directory.join(format!("{side}.console"))
    }

    fn await_end(&self, duel: &TwoHops) -> Result<Watched, Error> {
        let console = self.console("collector");
        let ended = match duel.recipe.end {
            End::FileRoll => watch::directory(&self.output(), duel.shape.total(), LIMIT),
            End::Null => watch::line(&console, &format!(" {} events", duel.shape.lines), LIMIT),
            End::Logger => {
                let last = super::arena::line_id(duel.shape.lines - 1);
                watch::last_line(&console, &format!(" {last}"), LIMIT)
            }
        };
        ended.map_err(|error| Error::Missing(format!("{}: {error}{}", duel.name(), self.last_words())))
    }

    /// The ends of both consoles.
    fn last_words(&self) -> String {
        let ends = ["agent", "collector"].map(|side| {
            let text = fs::read(self.console(side)).unwrap_or_default();
            let text = String::from_utf8_lossy(&text[text.len().saturating_sub(2_000)..]).into_owned();
            format!("\n{side}:\n{text}")
        });
        ends.concat()
    }

    /// Peak resident KiB of agent and collector.
    pub(super) fn peak(&self) -> [u64; 2] {
        [1, 0].map(|side| {
            let process = self.processes.get(side);
            process.and_then(|process| vitals::memory_kib(process.pid(), "VmHWM")).unwrap_or_default()
        })
    }

    fn written(&self) -> u64 {
        self.processes
            .iter()
            .filter_map(|process| vitals::written_bytes(process.pid()))
            .map(|(_, disk)| disk)
            .sum()
    }

    /// Stops both, the agent first, and tells their processor seconds.
    pub(super) fn stop(&mut self) -> f64 {
        let mut seconds = 0.0;
        for process in self.processes.iter_mut().rev() {
            process.signal(Signal::TERM);
            let ended: Option<Ended> = process.wait(STOP);
            seconds += ended.map_or(0.0, |ended| ended.cpu_seconds);
        }
        seconds
    }

    fn check(&self, duel: &TwoHops) -> Result<check::Check, Error> {
        let checked = match duel.recipe.end {
            End::FileRoll => check::files(&watch::files(&self.output()), duel.shape, duel.recipe.live_files),
            End::Null => return Ok(check::Check::default()), // its own count is all there is
            End::Logger => check::console(&self.console("collector"), duel.shape.lines),
        };
        checked.map_err(Error::io("cannot read what came out"))
    }
}

fn command(
    program: Program,
    side: &str,
    name: &str,
    file: &Path,
    directory: &Path,
) -> Result<Command, Error> {
    match program {
        Program::Ours => {
            let mut command = Command::new(binaries::directory().map_err(Error::Missing)?.join(side));
            command.args(["agent", "-n", name, "-f"]).arg(file).arg("--no-reload-conf");
            command.arg("-Dflume.root.logger=INFO,console").current_dir(directory);
            Ok(command)
        }
        Program::Flume(version) => {
            let jvm = JVM.map(str::to_owned).to_vec();
            let home = directory.join(format!("{side}-home"));
            fs::create_dir_all(&home).map_err(Error::io("cannot make a home for Flume"))?;
            Ok(flume::command(version, file, name, &home, &flume::Launch { jvm, ..Default::default() }))
        }
    }
}

/// A server's JVM: the harness for tests starts lean ones, which would be unfair here.
pub const JVM: [&str; 3] = ["-XX:TieredStopAtLevel=4", "-XX:-UseSerialGC", "-Xmx1g"];

/// All files of a directory, for TAILDIR.
const ALL: &str = ".*";

/// The longest start.
const START: Duration = Duration::from_secs(60);

/// The longest run.
const LIMIT: Duration = Duration::from_secs(300);

/// The longest stop.
const STOP: Duration = Duration::from_secs(60);
