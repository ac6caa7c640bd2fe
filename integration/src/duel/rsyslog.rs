//! rsyslog as Debian has it: a followed file, TCP or RELP, a file.

use super::{
    Contestant, Rival, Sample,
    arena::{self, Arena, Shape},
    pair::{self, Pair, Places},
    raw,
};
use crate::node::Error;
use std::{path::Path, process::Command};

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
        format!("rsyslog: {way}{}", arena::length(self.shape))
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
        Rival { copy: raw::From::File, bars: &[] }
    }

    fn run(&self, arena: &Arena) -> Result<Sample, Error> {
        pair::run(self, self.shape, arena)
    }
}

impl Pair for Rsyslog {
    fn sender(&self, places: &Places) -> String {
        let Places { input, directory, host, port, .. } = places;
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

    fn receiver(&self, places: &Places) -> String {
        let Places { output, directory, port, .. } = places;
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

    fn command(&self, file: &Path) -> Command {
        let mut command = Command::new("rsyslogd");
        command.args(["-n", "-f"]).arg(file).arg("-i").arg(file.with_extension("pid"));
        command
    }
}

/// With more than one worker, as it is set up by default, lines overtake each other.
const IN_ORDER: &str = "main_queue(queue.workerThreads=\"1\")";

/// Where Debian and others put the modules.
const MODULES: [&str; 3] =
    ["/usr/lib/x86_64-linux-gnu/rsyslog", "/usr/lib/aarch64-linux-gnu/rsyslog", "/usr/lib64/rsyslog"];
