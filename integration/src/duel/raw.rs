//! The raw copy: what the kernel needs to carry the same bytes from file to file over loopback, each message answered.
//! Nothing that stores and acknowledges can be faster; how much slower it is, is the question.

use super::{
    Contestant, Rival, Sample,
    arena::{Arena, Shape},
    check, watch,
};
use crate::{node::Error, process::Process, vitals};
use std::{
    env,
    fs::File,
    io::{self, Read, Write},
    net::{SocketAddr, TcpListener, TcpStream},
    path::Path,
    process::{Command, Stdio},
    time::{Duration, Instant},
};

/// Bytes of a message: 100 lines of 256.
pub const MESSAGE: usize = 25_600;

/// Where the copy's bytes come from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum From {
    /// The file itself.
    File,
    /// `tail` through a pipe, as for an exec source.
    Pipe,
}

/// A raw copy with so many messages unanswered.
pub struct RawCopy {
    /// Where the bytes come from.
    pub from: From,
    /// Messages in flight.
    pub window: usize,
    /// What it carries.
    pub shape: Shape,
}

impl Contestant for RawCopy {
    fn name(&self) -> String {
        let through = if self.from == From::Pipe { ", through a pipe" } else { "" };
        format!("raw copy, {} in flight{through}{}", self.window, super::arena::length(self.shape))
    }

    fn shape(&self) -> Shape {
        self.shape
    }

    fn missing(&self) -> Option<String> {
        None
    }

    fn rival(&self) -> Rival {
        Rival { copy: self.from, bars: &[] }
    }

    fn run(&self, arena: &Arena) -> Result<Sample, Error> {
        let (input, directory) = (arena.input(self.shape)?, arena.fresh()?);
        let (output, told) = (directory.path().join("out.log"), directory.path().join("address"));
        let own = env::current_exe().map_err(Error::io("cannot tell where this program is"))?;
        let mut receive = Command::new(&own);
        receive.arg(RECEIVE).arg(&output).arg(&told);
        let mut receiver = spawn(receive)?;
        let address =
            watch::text(&told, LIMIT).ok_or_else(|| Error::Missing("the raw copy does not listen".into()))?;
        let begin = Instant::now();
        let (mut send, mut tail) = (Command::new(&own), None);
        match self.from {
            From::File => drop(send.stdin(open(&input)?)),
            From::Pipe => {
                let (read, write) = io::pipe().map_err(Error::io("no pipe"))?;
                let mut command = Command::new("tail");
                command.args(["-n", "+1"]).arg(&*input).stdout(write);
                tail = Some(spawn(command)?);
                send.stdin(read);
            }
        }
        send.arg(SEND).arg(address.trim()).arg(self.window.to_string()).stdout(Stdio::piped());
        let mut sender = spawn(send)?;
        let watched = watch::file(&output, self.shape.total(), LIMIT)?;
        // The last message is written: what is left is its answer.
        let mut cpu_seconds = 0.0;
        let (mut peak_kib, mut written) = ([0; 2], 0);
        for (process, peak) in [&mut receiver, &mut sender].into_iter().zip(&mut peak_kib) {
            *peak = vitals::memory_kib(process.pid(), "VmHWM").unwrap_or_default();
            written += vitals::written_bytes(process.pid()).unwrap_or_default().1;
        }
        for process in [&mut sender, &mut receiver].into_iter().chain(&mut tail) {
            cpu_seconds += process.wait(LIMIT).map_or(0.0, |ended| ended.cpu_seconds);
        }
        let check = check::files(&[output], self.shape, 1);
        Ok(Sample {
            whole: watched.done - begin,
            flowing: watched.done - watched.first,
            cpu_seconds,
            peak_kib: [peak_kib[1], peak_kib[0]],
            written,
            check: check.map_err(Error::io("cannot read the copy"))?,
        })
    }
}

fn spawn(command: Command) -> Result<Process, Error> {
    Process::spawn_as_is(command).map_err(Error::io("cannot start the raw copy"))
}

fn open(path: &Path) -> Result<File, Error> {
    File::open(path).map_err(Error::io(format!("cannot open {}", path.display())))
}

/// The sending process: standard input to `to`, with `window` messages unanswered. Lingers until it is ended, so that
/// its figures can be read.
///
/// # Errors
/// As the kernel has them.
pub fn send(to: SocketAddr, window: usize) -> io::Result<()> {
    let mut input = io::stdin().lock();
    let mut peer = TcpStream::connect(to)?;
    peer.set_nodelay(true)?;
    let (mut message, mut answers, mut open) = (vec![0; MESSAGE], [0; 64], 0);
    loop {
        let filled = fill(&mut input, &mut message)?;
        if filled == 0 {
            break;
        }
        while open >= window {
            open -= read_some(&mut peer, &mut answers[..window.min(64)])?;
        }
        peer.write_all(&message[..filled])?;
        open += 1;
    }
    peer.shutdown(std::net::Shutdown::Write)?;
    while open > 0 {
        open -= read_some(&mut peer, &mut answers)?;
    }
    std::thread::sleep(LINGER);
    Ok(())
}

/// The receiving process: what comes in to `output`, an answer of one byte for each message once it is written.
///
/// # Errors
/// As the kernel has them.
pub fn receive(output: &Path, told: &Path) -> io::Result<()> {
    let listener = TcpListener::bind("127.0.0.3:0")?;
    let mut file = File::create(output)?;
    std::fs::write(told, format!("{}\n", listener.local_addr()?))?;
    let (mut peer, _) = listener.accept()?;
    peer.set_nodelay(true)?;
    let mut message = vec![0; MESSAGE];
    loop {
        let filled = fill(&mut peer, &mut message)?;
        if filled == 0 {
            std::thread::sleep(LINGER);
            return Ok(());
        }
        file.write_all(&message[..filled])?;
        peer.write_all(&[1])?;
    }
}

/// Reads until `into` is full or the input ends.
fn fill(from: &mut impl Read, into: &mut [u8]) -> io::Result<usize> {
    let mut filled = 0;
    while filled < into.len() {
        match from.read(&mut into[filled..])? {
            0 => break,
            read => filled += read,
        }
    }
    Ok(filled)
}

fn read_some(peer: &mut TcpStream, into: &mut [u8]) -> io::Result<usize> {
    match peer.read(into)? {
        0 => Err(io::ErrorKind::UnexpectedEof.into()),
        read => Ok(read),
    }
}

/// First argument of the sending process.
pub const SEND: &str = "raw-send";

/// First argument of the receiving process.
pub const RECEIVE: &str = "raw-receive";

/// How long both processes stay after their work, for their figures to be read.
const LINGER: Duration = Duration::from_millis(100);

/// The longest that a run may take.
const LIMIT: Duration = Duration::from_secs(300);
