//! Somebody else's program, run twice: one that follows the file and sends, one that receives and writes.

use super::{
    Sample,
    arena::{Arena, Shape},
    check, watch,
};
use crate::{node::Error, ports, process::Process, vitals};
use rustix::process::Signal;
use std::{
    fs,
    net::TcpStream,
    path::{Path, PathBuf},
    process::{Command, Stdio},
    thread,
    time::{Duration, Instant},
};

/// A program that can be either side, as a file with settings says.
pub(super) trait Pair {
    /// What the sending side is to read.
    fn sender(&self, places: &Places) -> String;

    /// What the receiving side is to read.
    fn receiver(&self, places: &Places) -> String;

    /// The program with this file.
    fn command(&self, file: &Path) -> Command;
}

/// What the settings of both sides speak of.
pub(super) struct Places {
    /// The file to follow.
    pub(super) input: PathBuf,
    /// The file to write.
    pub(super) output: PathBuf,
    /// Where else they may write.
    pub(super) directory: PathBuf,
    /// Where the receiver listens.
    pub(super) host: &'static str,
    pub(super) port: u16,
}

/// Carries the lines once: starts the receiver, once it listens the sender, and ends both after the last line.
pub(super) fn run(pair: &impl Pair, shape: Shape, arena: &Arena) -> Result<Sample, Error> {
    let (input, directory) = (arena.input(shape)?, arena.fresh()?);
    let host = ports::HOSTS[0];
    let places = Places {
        input: input.to_path_buf(),
        output: directory.path().join("out.log"),
        directory: directory.path().to_owned(),
        host,
        port: ports::free(&[host]).map_err(Error::io("no free port"))?,
    };
    let mut receiver = start(pair, &places, "receiver", &pair.receiver(&places))?;
    until_it_listens(&places)?;
    let begin = Instant::now();
    let mut sender = start(pair, &places, "sender", &pair.sender(&places))?;
    let watched = watch::file(&places.output, shape.total(), LIMIT)?;
    let (mut peak_kib, mut written, mut cpu_seconds) = ([0; 2], 0, 0.0);
    for (process, peak) in [&mut sender, &mut receiver].into_iter().zip(&mut peak_kib) {
        *peak = vitals::memory_kib(process.pid(), "VmHWM").unwrap_or_default();
        written += vitals::written_bytes(process.pid()).unwrap_or_default().1;
        process.signal(Signal::TERM);
        cpu_seconds += process.wait(LIMIT).map_or(0.0, |ended| ended.cpu_seconds);
    }
    let check = check::files(&[places.output], shape, 1);
    let check = check.map_err(Error::io("cannot read what came out"))?;
    let (whole, flowing) = (watched.done - begin, watched.done - watched.first);
    Ok(Sample { whole, flowing, cpu_seconds, peak_kib, written, check })
}

fn start(pair: &impl Pair, places: &Places, side: &str, text: &str) -> Result<Process, Error> {
    let file = places.directory.join(format!("{side}.conf"));
    fs::write(&file, text).map_err(Error::io(format!("cannot write {}", file.display())))?;
    let mut command = pair.command(&file);
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    Process::spawn_as_is(command).map_err(Error::io(format!("cannot start the {side}")))
}

fn until_it_listens(places: &Places) -> Result<(), Error> {
    let deadline = Instant::now() + START;
    while TcpStream::connect((places.host, places.port)).is_err() {
        if Instant::now() > deadline {
            return Err(Error::Missing("the receiver does not listen".to_owned()));
        }
        thread::sleep(Duration::from_millis(5));
    }
    Ok(())
}

/// The longest start.
const START: Duration = Duration::from_secs(20);

/// The longest run, and the longest stop.
const LIMIT: Duration = Duration::from_secs(300);
