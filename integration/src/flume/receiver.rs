//! A node under load that is killed and started again, and what each of its lives wrote into files.

use crate::{
    flume::oracle::{Node, Side},
    ledger::{Arrival, Incident, Ledger, LineId, Place},
    ports,
};
use rustix::process::Signal;
use std::{
    collections::BTreeMap,
    fs, io,
    path::{Path, PathBuf},
    thread,
    time::{Duration, Instant},
};

/// A node on one port, with one folder over all its lives.
pub struct Receiver {
    side: Side,
    template: String,
    holds: usize,
    dir: PathBuf,
    port: u16,
    before: String,
    node: Option<Node>,
    place: Place,
    incidents: Vec<Incident>,
}

impl Receiver {
    /// Starts agent `a1` of `template`, in which `$PORT` is where it is to listen, `$OUT` a folder for what this life
    /// writes, `$DIR` one for what it keeps and `$NAME` its own name. `holds` is how many events a kill may take along.
    ///
    /// # Errors
    /// As the file system and the start of the process have them.
    pub fn start(
        side: Side,
        number: usize,
        template: &str,
        holds: usize,
        scene: &Path,
    ) -> io::Result<Receiver> {
        // Below those of outgoing connections, one of which could take it while nobody listens.
        let port = ports::free(&["127.0.0.1"])?;
        let mut receiver = Receiver {
            side,
            template: template.to_owned(),
            holds,
            dir: scene.join(format!("receiver-{number}")),
            port,
            before: String::new(),
            node: None,
            place: Place { node: number, life: 0 },
            incidents: vec![],
        };
        receiver.live()?;
        Ok(receiver)
    }

    /// Every line that it writes is to begin with `text`, in which `$NAME` is its own name: the headers.
    pub fn with_headers(mut self, text: &str) -> Receiver {
        self.before = text.replace("$NAME", &self.name());
        self
    }

    fn name(&self) -> String {
        format!("receiver-{}", self.place.node)
    }

    /// Where it listens.
    pub fn port(&self) -> u16 {
        self.port
    }

    fn live(&mut self) -> io::Result<()> {
        let out = self.out(self.place.life);
        fs::create_dir_all(&out)?;
        let text = self
            .template
            .replace("$PORT", &self.port.to_string())
            .replace("$OUT", &out.display().to_string())
            .replace("$DIR", &self.dir.display().to_string())
            .replace("$NAME", &self.name());
        let file = self.dir.join("receiver.properties");
        fs::write(&file, text)?;
        self.node = Some(Node::start(&self.side, &file, "a1", &self.dir)?);
        Ok(())
    }

    /// `kill -9`.
    pub fn die(&mut self) {
        self.incidents.push(Incident { place: self.place, at: Instant::now(), holds: self.holds });
        if let Some(mut node) = self.node.take() {
            node.process.kill();
        }
    }

    /// SIGSTOP: it takes bytes and answers nothing.
    pub fn freeze(&mut self) {
        self.incidents.push(Incident { place: self.place, at: Instant::now(), holds: 0 });
        self.signal(Signal::STOP);
    }

    /// SIGCONT.
    pub fn thaw(&mut self) {
        self.signal(Signal::CONT);
    }

    /// SIGTERM, and waits for the end: port and files are free then.
    ///
    /// # Errors
    /// When it does not end.
    pub fn stop(&mut self) -> Result<(), String> {
        self.signal(Signal::TERM);
        let ended = self.node.take().and_then(|mut node| node.process.wait(STILL));
        ended.map(drop).ok_or_else(|| format!("{:?} does not end", self.place))
    }

    fn signal(&mut self, signal: Signal) {
        if let Some(node) = &mut self.node {
            node.process.signal(signal);
        }
    }

    /// The next life is one of this kind.
    pub fn become_a(&mut self, side: Side) {
        self.side = side;
    }

    /// Begins the next life: the same file but for the folder it writes to.
    ///
    /// # Errors
    /// As [`Receiver::start`].
    pub fn live_again(&mut self) -> io::Result<()> {
        self.place.life += 1;
        self.live()
    }

    /// Waits until this life has written so many lines of `bytes` bytes, or none for two minutes: then the error tells how
    /// many there are.
    ///
    /// # Errors
    /// When nothing comes any more.
    pub fn come(&self, lines: usize, bytes: usize) -> Result<(), String> {
        let mut watch = Watch::new();
        while self.lines(bytes) < lines {
            if watch.still(self.written()) > STILL {
                return Err(format!("{} of {lines} lines came to {:?}", self.lines(bytes), self.place));
            }
            thread::sleep(Duration::from_millis(2));
        }
        Ok(())
    }

    /// How many lines of `bytes` bytes this life has written.
    pub fn lines(&self, bytes: usize) -> usize {
        self.written() as usize / (self.before.len() + bytes)
    }

    fn out(&self, life: u32) -> PathBuf {
        self.dir.join(format!("out-{life}"))
    }

    /// Bytes that this life has written.
    fn written(&self) -> u64 {
        let files = fs::read_dir(self.out(self.place.life)).into_iter().flatten().flatten();
        files.map(|file| file.metadata().map_or(0, |found| found.len())).sum()
    }

    /// Lines of one life. One that a kill cut short has not arrived.
    fn arrivals(&self, life: u32, bytes: usize, at: Instant) -> io::Result<Vec<Arrival>> {
        let mut arrivals = Vec::new();
        let mut files =
            fs::read_dir(self.out(life))?.map(|file| Ok(file?.path())).collect::<io::Result<Vec<_>>>()?;
        files.sort();
        for file in files {
            let text = fs::read(&file)?;
            let whole = |line: &&[u8]| line.ends_with(b"\n");
            for line in text.split_inclusive(|byte| *byte == b'\n').filter(whole) {
                let line = self.read(line, bytes).ok_or_else(|| {
                    let found = line.escape_ascii();
                    io::Error::other(format!("{}: not a line of the load: {found}", file.display()))
                })?;
                arrivals.push(Arrival { line, place: Place { life, ..self.place }, at });
            }
        }
        Ok(arrivals)
    }

    /// `None` when the headers are not those that all are to have, or the text behind them is not one of the load.
    fn read(&self, line: &[u8], bytes: usize) -> Option<LineId> {
        let body = line.strip_prefix(self.before.as_bytes()).filter(|body| body.len() == bytes)?;
        LineId::parse(body)
    }
}

/// Waits until nothing comes any more, and tells all that came: for [`QUIET`] when `last` is there and all that is missing may have
/// gone down with a killed receiver, and for [`STILL`] else.
///
/// # Errors
/// When the last line does not come, or a file cannot be read.
pub fn settle(receivers: &[&Receiver], last: LineId, bytes: usize) -> Result<Ledger, String> {
    let sent = BTreeMap::from([(last.source, last.number + 1)]);
    let mut watch = Watch::new();
    let mut pause = QUIET;
    loop {
        let still = watch.still(receivers.iter().map(|receiver| receiver.written()).sum());
        if still > pause {
            let ledger = ledger(receivers, bytes).map_err(|error| error.to_string())?;
            let has_last = ledger.arrivals.iter().any(|arrival| arrival.line == last);
            if has_last && (still > STILL || ledger.verdict(&sent).lost_count == 0) {
                return Ok(ledger);
            }
            if still > STILL {
                return Err("the last line never came".to_owned());
            }
            pause += QUIET;
        }
        if still < QUIET {
            pause = QUIET;
        }
        thread::sleep(Duration::from_millis(100));
    }
}

fn ledger(receivers: &[&Receiver], bytes: usize) -> io::Result<Ledger> {
    let mut ledger = Ledger::default();
    // Files do not tell when: as if all had come before the first kill.
    let kills = receivers.iter().flat_map(|receiver| &receiver.incidents).map(|kill| kill.at);
    let at = kills.min().unwrap_or_else(Instant::now);
    for receiver in receivers {
        for life in 0..=receiver.place.life {
            ledger.arrivals.extend(receiver.arrivals(life, bytes, at)?);
        }
        ledger.incidents.extend_from_slice(&receiver.incidents);
    }
    Ok(ledger)
}

/// How long nothing has changed.
struct Watch(u64, Instant);

impl Watch {
    fn new() -> Watch {
        Watch(0, Instant::now())
    }

    fn still(&mut self, now: u64) -> Duration {
        if self.0 != now {
            *self = Watch(now, Instant::now());
        }
        self.1.elapsed()
    }
}

/// A line may still come after this long: an idle Flume looks into its channel every five seconds.
const QUIET: Duration = Duration::from_secs(3);

/// Longer than a start of Flume with the replay of its channel, and the pauses of a sender that was refused.
const STILL: Duration = Duration::from_secs(120);
