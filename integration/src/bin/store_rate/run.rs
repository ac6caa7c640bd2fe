//! One run: the store is made ready, one side is started, and what has come is looked at until all has.

use integration::{
    duel::{JVM, arena::Shape, check::Check},
    flume::{self, Launch, Version},
    node::Error,
    process::Process,
    vitals,
};
use rustix::process::Signal;
use std::{
    fs::{self, File},
    path::{Path, PathBuf},
    process::{Command, Stdio},
    thread,
    time::{Duration, Instant},
};

/// Who works on the store.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Side {
    /// The store's own client alone.
    Client,
    /// A native node.
    Node,
    /// Real Flume.
    Flume,
}

/// What a run is about.
pub(crate) struct Run {
    pub(crate) side: Side,
    /// No other run has it.
    pub(crate) name: String,
    pub(crate) shape: Shape,
    /// Events in a batch, everywhere.
    pub(crate) batch: u32,
    /// The lines: a file, or a directory with so many files.
    pub(crate) input: PathBuf,
    pub(crate) files: u32,
    /// Its own files.
    pub(crate) directory: PathBuf,
}

impl Run {
    /// A source `r1` that follows the input, and a memory channel `c1`.
    pub(crate) fn taildir(&self) -> String {
        let files = if self.files == 1 { self.input.clone() } else { self.input.join(".*") };
        TAILDIR
            .replace("FILES", &files.display().to_string())
            .replace("FOLDER", &self.directory.display().to_string())
    }
}

const TAILDIR: &str = "a1.sources.r1.type = TAILDIR
a1.sources.r1.filegroups = f
a1.sources.r1.filegroups.f = FILES
a1.sources.r1.positionFile = FOLDER/positions
a1.sources.r1.batchSize = BATCH
";

/// A memory channel `c1` as the duel has it.
pub(crate) const MEMORY: &str = "a1.channels.c1.type = memory
a1.channels.c1.capacity = 10000
a1.channels.c1.transactionCapacity = BATCH
";

/// A store that runs.
pub(crate) trait Store {
    /// Of Flume's part for it, below `integration/stores`.
    fn flumes_part(&self) -> &'static str;

    /// Makes what the run needs in the store.
    fn prepare(&mut self, run: &Run) -> Result<(), Error>;

    /// What `a1` is told of its source `r1`, channel `c1` and sink `k1`. `BATCH` stands for the size of batches.
    fn agent(&self, run: &Run) -> String;

    /// How the store's own client does the same.
    fn client(&self, run: &Run) -> Result<Command, Error>;

    /// Events that have come.
    fn come(&mut self, run: &Run) -> Result<u64, Error>;

    /// What became of them, read back; then they may go.
    fn check(&mut self, run: &Run) -> Result<Check, Error>;
}

/// What a run has come to.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Sample {
    /// Events a second, from the first that came to the last.
    pub(crate) rate: f64,
    /// The same for the second half of them, when a JVM has warmed up.
    pub(crate) second_half: f64,
    /// Of the side alone, its start and its end included.
    pub(crate) cpu_seconds: f64,
    pub(crate) peak_kib: u64,
    pub(crate) check: Check,
}

/// Runs it.
pub(crate) fn measure(store: &mut dyn Store, run: &Run, programs: &Path) -> Result<Sample, Error> {
    store.prepare(run)?;
    let log = run.directory.join("log");
    let mut command = command(store, run, programs)?;
    let file = || File::create_new(&log).and_then(|file| Ok((file.try_clone()?, file)));
    let (out, err) = file().map_err(Error::io("cannot write a log"))?;
    command.stdout(out).stderr(err);
    if run.side != Side::Client {
        command.stdin(Stdio::null());
    }
    let mut process = Process::spawn_as_is(command).map_err(Error::io("cannot start a process"))?;
    let followed = follow(store, run, &mut process).map_err(|error| {
        let text = fs::read(&log).unwrap_or_default();
        let end = String::from_utf8_lossy(&text[text.len().saturating_sub(3_000)..]).into_owned();
        Error::Missing(format!("{error}; it said:\n{end}"))
    })?;
    if run.side != Side::Client {
        process.signal(Signal::TERM); // a client ends by itself, when all is acknowledged
    }
    let ended = process.wait(STOP);
    let cpu_seconds = ended.map_or(0.0, |ended| ended.cpu_seconds);
    drop(process);
    let check = store.check(run)?;
    let Followed { rate, second_half, peak_kib } = followed;
    Ok(Sample { rate, second_half, cpu_seconds, peak_kib, check })
}

fn command(store: &dyn Store, run: &Run, programs: &Path) -> Result<Command, Error> {
    let text = format!("a1.sources = r1\na1.channels = c1\na1.sinks = k1\n{}", store.agent(run));
    let text = text.replace("BATCH", &run.batch.to_string())
        + "a1.sources.r1.channels = c1\na1.sinks.k1.channel = c1\n";
    let file = run.directory.join("a1.conf");
    fs::write(&file, text).map_err(Error::io("cannot write a configuration"))?;
    match run.side {
        Side::Client => store.client(run),
        Side::Node => {
            let mut node = Command::new(programs.join("agent"));
            node.args(["-n", "a1", "--no-reload-conf", "-f"]).arg(file).current_dir(&run.directory);
            Ok(node)
        }
        Side::Flume => {
            let part = flume::fetched(store.flumes_part());
            let part = part.map_err(|why| Error::Missing(format!("Flume cannot be run here: {why}")))?;
            let opens = OPEN.map(|name| format!("--add-opens=java.base/java.{name}=ALL-UNNAMED"));
            let jvm = JVM.map(str::to_owned).into_iter().chain(opens).collect();
            let launch = Launch { jvm, before: format!("{part}:"), ..Launch::default() };
            Ok(flume::command(Version::V1_11, &file, "a1", &run.directory, &launch))
        }
    }
}

struct Followed {
    rate: f64,
    second_half: f64,
    peak_kib: u64,
}

/// Looks until all has come.
fn follow(store: &mut dyn Store, run: &Run, process: &mut Process) -> Result<Followed, Error> {
    let (begun, total) = (Instant::now(), u64::from(run.shape.lines));
    let (mut first, mut middle, mut peak_kib, mut looks) = (None, None, 0, 0u32);
    loop {
        let come = store.come(run)?;
        let now = Instant::now();
        if come > 0 {
            first.get_or_insert((now, come));
        }
        if come >= total / 2 {
            middle.get_or_insert((now, come));
        }
        if looks.is_multiple_of(SOME) || come >= total {
            let peak = vitals::memory_kib(process.pid(), "VmHWM").unwrap_or_default();
            peak_kib = peak_kib.max(peak);
        }
        looks += 1;
        if come >= total {
            let rate = |since: Option<(Instant, u64)>| {
                since.map_or(f64::NAN, |(at, before)| (total - before) as f64 / (now - at).as_secs_f64())
            };
            return Ok(Followed { rate: rate(first), second_half: rate(middle), peak_kib });
        }
        let missing = |why: &str| Err(Error::Missing(format!("{come} of {total} events have come: {why}")));
        if now - begun > LIMIT {
            return missing(&format!("longer than {LIMIT:?}"));
        }
        if !process.is_running() && run.side != Side::Client {
            return missing("it has ended");
        }
        thread::sleep(LOOK);
    }
}

/// Packages that Hadoop and HBase reach into.
const OPEN: [&str; 6] = ["lang", "util", "io", "net", "util.concurrent", "lang.reflect"];

const LOOK: Duration = Duration::from_millis(2);
/// Looks between two at its memory.
const SOME: u32 = 16;
/// The longest run.
const LIMIT: Duration = Duration::from_secs(90);
const STOP: Duration = Duration::from_secs(60);
