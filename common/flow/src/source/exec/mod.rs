//! `exec`: runs a command and takes each line it prints for an event.

mod lines;
mod policy;

use super::{Seat, Source, Stopping};
use crate::clock::Duration;
use crate::component::{Component, Configure};
use futures_util::future::LocalBoxFuture;
use lines::Lines;
use plan::{Bad, Descriptor, Findings, Kind, Problem, Properties, Property, Value};
use policy::Next;
use std::io;
use std::process::{ExitStatus, Stdio};
use std::sync::Arc;
use tokio::io::{AsyncBufReadExt, AsyncReadExt, BufReader};
use tokio::process::{Child, ChildStderr, ChildStdout, Command};
use tokio::time::timeout;

/// Its row in the catalogue.
pub(crate) const COMPONENT: Component = Component {
    descriptor: Descriptor::new(Kind::Source, "exec", "org.apache.flume.source.ExecSource", &[PROPERTIES])
        .batch("batchSize"),
    configure: Configure::Source(|properties, _, findings| {
        needs_shell(properties, findings);
        let config = Arc::new(ExecConfig::new(properties));
        Some(Box::new(move || Box::new(Exec(config.clone()))))
    }),
};

const PROPERTIES: &[Property] = &[
    Property::required("command", Value::Free),
    Property::optional("shell", Value::Text),
    Property::with("restart", Value::Flag, "false"),
    Property::with("restartThrottle", Value::long(0, "ms"), "10000")
        .outside(Bad::Says("does not wait before it runs the command again")),
    Property::with("logStdErr", Value::Flag, "false"),
    Property::with("batchSize", Value::at_least(1, "events"), "20")
        .outside(Bad::Says("sends each line by itself")),
    Property::with("batchTimeout", Value::long(1, "ms"), "3000")
        .outside(Bad::Says("fails as soon as it runs the command")),
    Property::with("charset", Value::Charset, "UTF-8"),
];

/// A command without `shell` is split at blanks and started as it is.
fn needs_shell(properties: &Properties, findings: &mut Findings<'_>) {
    let (Some(command), None) = (properties.text("command"), properties.text("shell")) else { return };
    let Some(sign) = SHELL_SIGNS.iter().find(|sign| command.contains(**sign)) else { return };
    let what =
        format!("the command of the {} has `{sign}`, which only a shell understands", findings.owner.noun);
    let problem = Problem::warning("no-shell", findings.at("command"), what)
        .flume("splits the command at blanks and hands the words to the program as they are")
        .here("the same");
    let fix = format!("`{} = /bin/sh -c`", findings.key("shell"));
    findings.add(problem.fix(fix));
}

/// What only a shell understands.
const SHELL_SIGNS: [&str; 9] = ["|", ">", "<", ";", "&&", "`", "$(", "\"", "'"];

/// Keys, units and defaults are Flume's: User Guide, "Exec Source".
#[derive(Debug, Clone)]
pub(crate) struct ExecConfig {
    /// `command`: split at blanks, or handed to `shell` as one word.
    pub(crate) command: String,
    /// `shell`, such as `/bin/sh -c`; none unless set.
    pub(crate) shell: Option<String>,
    /// `restart`; false unless set.
    pub(crate) restart: bool,
    /// `restartThrottle`, milliseconds; 10,000 unless set.
    pub(crate) throttle: Duration,
    /// `logStdErr`; false unless set.
    pub(crate) log_stderr: bool,
    /// `batchSize`: Flume waits for so many lines or `batchTimeout`. Here a line leaves the moment it is there, so the
    /// first only bounds a batch (as what has been read already is never more than a transaction, it is taken as a bound
    /// only where it was set), and the second has nothing left to do.
    pub(crate) batch_size: Option<usize>,
}

impl ExecConfig {
    pub(crate) fn new(context: &plan::Context) -> ExecConfig {
        ExecConfig {
            command: context.text_or("command", "").to_owned(),
            shell: context.text("shell").map(str::to_owned),
            restart: context.flag("restart", false),
            throttle: context.millis("restartThrottle", Duration::from_millis(10_000)),
            log_stderr: context.flag("logStdErr", false),
            batch_size: Some(context.number("batchSize", 0)).filter(|size| *size > 0),
        }
    }

    fn words(&self) -> Vec<&str> {
        match &self.shell {
            Some(shell) => shell.split_whitespace().chain([self.command.as_str()]).collect(),
            None => self.command.split_whitespace().collect(),
        }
    }
}

/// An exec source. At a stop it ends the command and stores what it had printed.
struct Exec(Arc<ExecConfig>);

impl Source for Exec {
    fn run(self: Box<Self>, seat: Seat, stop: Stopping) -> LocalBoxFuture<'static, ()> {
        Box::pin(Runner { config: self.0, seat, stop }.run())
    }
}

struct Runner {
    config: Arc<ExecConfig>,
    seat: Seat,
    stop: Stopping,
}

impl Runner {
    async fn run(mut self) {
        journal::fact::exec_starting(&self.seat.log, &self.config.command);
        journal::fact::component_started(&self.seat.log, journal::fact::Kind::Source, &self.seat.name);
        loop {
            self.run_once().await;
            self.seat.ready.done();
            let stopping = *self.stop.borrow();
            match policy::next(stopping, self.config.restart, self.config.throttle) {
                Next::Stop => break,
                Next::Idle => {
                    // As Flume: a command that has ended leaves a source that is started and silent.
                    let _stopped = self.stop.changed().await;
                    break;
                }
                Next::RunAgain(pause) => {
                    slog::info!(self.seat.log, "Restarting in {}ms", pause.as_millis());
                    let _stopped_early = timeout(pause, self.stop.changed()).await;
                }
            }
            if *self.stop.borrow() {
                break;
            }
        }
        journal::fact::exec_stopping(&self.seat.log, &self.config.command);
    }

    async fn run_once(&mut self) {
        let (mut child, stdout) = match self.start() {
            Ok(started) => started,
            Err(error) => {
                slog::error!(
                    self.seat.log,
                    "cannot run the command [{}]: {error}; the source waits, with `restart = true` it tries again",
                    self.config.command
                );
                return;
            }
        };
        self.seat.ready.done();
        if let Some(stderr) = child.stderr.take() {
            actix_rt::spawn(drain_stderr(stderr, self.config.log_stderr, self.seat.log.clone()));
        }
        let mut lines = Lines::new(stdout, &self.seat.intake, self.batch_lines(), &self.seat.log);
        tokio::select! { biased;
            () = lines.store_all() => {}
            _ = self.stop.changed() => {
                end(&child);
                // What it had printed is still in the pipe. A grandchild that keeps the pipe open is not waited for.
                let _still_open = timeout(LAST_WORDS, lines.store_all()).await;
                if lines.is_storing() {
                    slog::error!(
                        self.seat.log,
                        "the channel of source {} has no room: what its command [{}] printed last is lost",
                        self.seat.name,
                        self.config.command
                    );
                }
            }
        }
        self.reap(&mut child).await;
    }

    fn batch_lines(&self) -> usize {
        policy::batch_lines(self.config.batch_size, self.seat.intake.transaction())
    }

    fn start(&self) -> io::Result<(Child, ChildStdout)> {
        let words = self.config.words();
        let Some((program, arguments)) = words.split_first() else {
            return Err(io::Error::new(io::ErrorKind::InvalidInput, "it is empty"));
        };
        let mut command = Command::new(program);
        command.args(arguments).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        // A group of its own: what the command has started ends with it, which Flume does not see to.
        command.process_group(0).kill_on_drop(true);
        let mut child = command.spawn()?;
        let stdout = child.stdout.take().ok_or_else(|| io::Error::other("it has no output"))?;
        // A system that does not allow it works as well.
        let _refused = rustix::pipe::fcntl_setpipe_size(&stdout, policy::pipe_bytes(self.batch_lines()));
        Ok((child, stdout))
    }

    async fn reap(&mut self, child: &mut Child) {
        let status = match timeout(LAST_WORDS, child.wait()).await {
            Ok(status) => status,
            Err(_) => {
                let _dead_already = child.start_kill();
                child.wait().await
            }
        };
        let code = status.as_ref().map_or(-1, exit_code);
        if !*self.stop.borrow() {
            journal::fact::exec_exited(&self.seat.log, &self.config.command, code);
        }
    }
}

/// As a shell counts: 128 and the signal for a process that a signal ended.
fn exit_code(status: &ExitStatus) -> i32 {
    use std::os::unix::process::ExitStatusExt;
    status.code().or_else(|| status.signal().map(|signal| 128 + signal)).unwrap_or(-1)
}

/// Asks the command's process group to end.
fn end(child: &Child) {
    let pid = child.id().and_then(|pid| rustix::process::Pid::from_raw(i32::try_from(pid).unwrap_or(0)));
    if let Some(group) = pid {
        let _gone_already = rustix::process::kill_process_group(group, rustix::process::Signal::TERM);
    }
}

async fn drain_stderr(stderr: ChildStderr, tell: bool, log: slog::Logger) {
    let mut reader = BufReader::new(stderr);
    let (mut line, mut number) = (Vec::new(), 0);
    loop {
        line.clear();
        let mut some = (&mut reader).take(MOST_STDERR_LINE);
        match some.read_until(b'\n', &mut line).await {
            Ok(0) | Err(_) => return,
            Ok(_) if tell => {
                number += 1;
                slog::info!(log, "StderrLogger[{number}] = '{}'", String::from_utf8_lossy(&line).trim_end());
            }
            Ok(_) => {}
        }
    }
}

/// A command's stderr is read in pieces of at most so many bytes.
const MOST_STDERR_LINE: u64 = 64 << 10;
/// How long a command that was told to end may still print.
const LAST_WORDS: Duration = Duration::from_secs(1);
