//! rsyslog as Debian has it: a followed file, TCP or RELP, a file.

use super::{
    Contestant, Rival, Sample,
    arena::{Arena, Shape},
    board, check, raw, watch,
};
use crate::{node::Error, ports, process::Process, vitals};
use rustix::process::Signal;
use std::{
    fs,
    net::TcpStream,
    path::Path,
    process::{Command, Stdio},
    thread,
    time::{Duration, Instant},
};

/// Two rsyslogds.
pub struct Rsyslog {
    /// RELP, which acknowledges, instead of plain TCP, which does not.
    pub relp: bool,
    /// What they carry.
    pub shape: Shape,
}

impl Contestant for Rsyslog {
    fn name(&self) -> String {
        let way = if self.relp { "RELP, acknowledged" } else { "TCP, not acknowledged" };
        format!("rsyslog: {way}{}", board::length(self.shape))
    }

    fn shape(&self) -> Shape {
        self.shape
    }

    fn missing(&self) -> Option<String> {
        let wanted = if self.relp { "omrelp.so" } else { "imfile.so" };
        let there = MODULES.iter().any(|directory| Path::new(directory).join(wanted).exists());
        (!there).then(|| format!("there is no {wanted}: install rsyslog and rsyslog-relp"))
    }

    /// Its queues have several workers, which keep no order; that is its own matter.
    fn must_be_clean(&self) -> bool {
        false
    }

    fn rival(&self) -> Rival {
        Rival { copy: raw::From::File, bar: None }
    }

    fn run(&self, arena: &Arena) -> Result<Sample, Error> {
        let (input, directory) = (arena.input(self.shape)?, arena.fresh()?);
        let output = directory.path().join("out.log");
        let host = ports::HOSTS[0];
        let port = ports::free(&[host]).map_err(Error::io("no free port"))?;
        let mut receiver =
            start(directory.path(), "receiver", &self.receiver(&output, directory.path(), port))?;
        until_it_listens(host, port)?;
        let begin = Instant::now();
        let mut sender =
            start(directory.path(), "sender", &self.sender(&input, directory.path(), host, port))?;
        let watched = watch::file(&output, self.shape.total(), LIMIT)?;
        let (mut peak_kib, mut written, mut cpu_seconds) = ([0; 2], 0, 0.0);
        for (process, peak) in [&mut sender, &mut receiver].into_iter().zip(&mut peak_kib) {
            *peak = vitals::memory_kib(process.pid(), "VmHWM").unwrap_or_default();
            written += vitals::written_bytes(process.pid()).unwrap_or_default().1;
            process.signal(Signal::TERM);
            cpu_seconds += process.wait(LIMIT).map_or(0.0, |ended| ended.cpu_seconds);
        }
        let check = check::files(&[output], self.shape.lines, |line| Some(line.to_vec()));
        let check = check.map_err(Error::io("cannot read what came out"))?;
        let (whole, flowing) = (watched.done - begin, watched.done - watched.first);
        Ok(Sample { whole, flowing, cpu_seconds, peak_kib, written, check })
    }
}

impl Rsyslog {
    fn sender(&self, input: &Path, directory: &Path, host: &str, port: u16) -> String {
        let (module, action) = match self.relp {
            true => ("module(load=\"omrelp\")", "type=\"omrelp\" windowSize=\"10000\""),
            false => ("", "type=\"omfwd\" protocol=\"tcp\""),
        };
        format!(
            "global(workDirectory=\"{}\" maxMessageSize=\"64k\")\n\
             {IN_ORDER}\n\
             module(load=\"imfile\")\n{module}\n\
             template(name=\"line\" type=\"string\" string=\"%msg%\")\n\
             ruleset(name=\"out\") {{ action({action} target=\"{host}\" port=\"{port}\" template=\"line\") }}\n\
             input(type=\"imfile\" File=\"{}\" Tag=\"duel\" freshStartTail=\"off\" ruleset=\"out\")\n",
            directory.display(),
            input.display()
        )
    }

    fn receiver(&self, output: &Path, directory: &Path, port: u16) -> String {
        // Our lines begin with digits, which would be taken for the length of a frame.
        let (input, plain) = match self.relp {
            true => ("imrelp", ""),
            false => ("imptcp", " supportOctetCountedFraming=\"off\""),
        };
        format!(
            "global(workDirectory=\"{}\" maxMessageSize=\"64k\")\n\
             {IN_ORDER}\n\
             module(load=\"{input}\")\n\
             template(name=\"line\" type=\"string\" string=\"%rawmsg%\\n\")\n\
             ruleset(name=\"in\") {{ action(type=\"omfile\" file=\"{}\" template=\"line\") }}\n\
             input(type=\"{input}\" port=\"{port}\"{plain} ruleset=\"in\")\n",
            directory.display(),
            output.display()
        )
    }
}

fn start(directory: &Path, side: &str, text: &str) -> Result<Process, Error> {
    let file = directory.join(format!("{side}.conf"));
    fs::write(&file, text).map_err(Error::io("cannot write rsyslog's file"))?;
    let mut command = Command::new("rsyslogd");
    command.args(["-n", "-f"]).arg(file).arg("-i").arg(directory.join(format!("{side}.pid")));
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    Process::spawn_as_is(command).map_err(Error::io("cannot start rsyslogd"))
}

fn until_it_listens(host: &str, port: u16) -> Result<(), Error> {
    let deadline = Instant::now() + START;
    while TcpStream::connect((host, port)).is_err() {
        if Instant::now() > deadline {
            return Err(Error::Missing("rsyslogd does not listen".to_owned()));
        }
        thread::sleep(Duration::from_millis(5));
    }
    Ok(())
}

/// With more than one worker, as it is set up by default, lines overtake each other.
const IN_ORDER: &str = "main_queue(queue.workerThreads=\"1\")";

/// Where Debian and others put the modules.
const MODULES: [&str; 3] =
    ["/usr/lib/x86_64-linux-gnu/rsyslog", "/usr/lib/aarch64-linux-gnu/rsyslog", "/usr/lib64/rsyslog"];

const START: Duration = Duration::from_secs(20);
const LIMIT: Duration = Duration::from_secs(300);
