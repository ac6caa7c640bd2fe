//! `exec`: runs a command and takes each line it prints for an event.

pub(crate) mod keeper;
mod leash;
mod lines;
mod policy;
mod session;

use super::{Doing, Seat};
use crate::clock::{self, Duration};
use crate::message::{Describe, Stop};
use crate::told::Told;
use actix::prelude::*;
use keeper::LAST_WORDS;
use leash::{Leash, Started};
use lines::Lines;
use policy::Next;
use std::sync::Arc;
use tokio::io::{AsyncBufReadExt, AsyncReadExt, BufReader};
use tokio::process::ChildStderr;
use tokio::sync::watch;
use tokio::time::timeout;

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

/// The actor of an exec source; the work is in the task it starts.
pub(crate) struct Exec {
    config: Arc<ExecConfig>,
    seat: Option<Seat>,
    doing: Doing,
    stop: watch::Sender<bool>,
}

impl Exec {
    pub(crate) fn new(config: ExecConfig, seat: Seat) -> Exec {
        let doing = seat.doing.clone();
        Exec { config: Arc::new(config), seat: Some(seat), doing, stop: watch::Sender::new(false) }
    }
}

impl Actor for Exec {
    type Context = Context<Self>;

    fn started(&mut self, ctx: &mut Self::Context) {
        let Some(seat) = self.seat.take() else { return };
        let (config, stop) = (self.config.clone(), self.stop.subscribe());
        let runner = Runner { config, seat, stop, told_ends: Told::every(NEWS_PAUSE) };
        ctx.spawn(runner.run().into_actor(self).map(|(), _, ctx| ctx.stop()));
    }
}

impl Handler<Stop> for Exec {
    type Result = ResponseFuture<()>;

    /// Ends the command, stores what it had printed, and stops.
    fn handle(&mut self, _: Stop, _: &mut Self::Context) -> Self::Result {
        self.stop.send_replace(true);
        let stop = self.stop.clone();
        Box::pin(async move { stop.closed().await })
    }
}

impl Handler<Describe> for Exec {
    type Result = MessageResult<Describe>;

    fn handle(&mut self, _: Describe, _: &mut Self::Context) -> Self::Result {
        MessageResult(self.doing.text())
    }
}

struct Runner {
    config: Arc<ExecConfig>,
    seat: Seat,
    stop: watch::Receiver<bool>,
    /// A command that ends at once is run again and again: its ends are news only now and then.
    told_ends: Told,
}

impl Runner {
    async fn run(mut self) {
        journal::fact::exec_starting(&self.seat.log, &self.config.command);
        journal::fact::component_started(&self.seat.log, journal::fact::Kind::Source, &self.seat.name);
        loop {
            let end = self.run_once().await;
            self.seat.ready.done();
            let next = policy::next(*self.stop.borrow(), self.config.restart, self.config.throttle);
            self.tell(&end, next);
            match next {
                Next::Stop => break,
                Next::Idle => {
                    self.seat.doing.set(format!("has nothing to do: [{}] has ended", self.config.command));
                    // As Flume: a command that has ended leaves a source that is started and silent.
                    let _stopped = self.stop.changed().await;
                    break;
                }
                Next::RunAgain(pause) => {
                    let millis = pause.as_millis();
                    self.seat
                        .doing
                        .set(format!("runs [{}] again in {millis} ms at most", self.config.command));
                    let _stopped_early = timeout(pause, self.stop.changed()).await;
                }
            }
            if *self.stop.borrow() {
                break;
            }
        }
        journal::fact::exec_stopping(&self.seat.log, &self.config.command);
        self.seat.guard.release();
    }

    /// Tells how a run has ended, and what is next.
    fn tell(&mut self, end: &End, next: Next) {
        if next == Next::Stop {
            return;
        }
        let (log, command) = (&self.seat.log, &self.config.command);
        let Some(left_out) = self.told_ends.tell(clock::now()) else { return };
        if left_out > 0 {
            slog::info!(
                log,
                "source {}: the command was run {left_out} times more and ended; its ends are told every {} s at most",
                self.seat.name,
                NEWS_PAUSE.as_secs()
            );
        }
        match end {
            End::Exited(code) => journal::fact::exec_exited(log, command, *code),
            End::NotRun(error) => slog::error!(
                log,
                "cannot run the command [{command}]: {error}; the source waits, with `restart = true` it tries again"
            ),
        }
        if let Next::RunAgain(pause) = next {
            slog::info!(log, "Restarting in {}ms", pause.as_millis());
        }
    }

    async fn run_once(&mut self) -> End {
        let words = self.config.words();
        let started = tokio::select! { biased;
            started = Leash::start(&words) => started,
            _ = self.stop.changed() => return End::Exited(-1), // its keeper ends what was begun
        };
        let Started { mut leash, stdout, stderr } = match started {
            Ok(started) => started,
            Err(error) => return End::NotRun(error.to_string()),
        };
        // A system that does not allow it works as well.
        let _refused = rustix::pipe::fcntl_setpipe_size(&stdout, policy::pipe_bytes(self.batch_lines()));
        self.seat.ready.done();
        if let Some(stderr) = stderr {
            actix_rt::spawn(drain_stderr(stderr, self.config.log_stderr, self.seat.log.clone()));
        }
        self.seat.doing.set(format!("reads what [{}] prints", self.config.command));
        let mut lines = Lines::new(stdout, &self.seat.intake, self.batch_lines(), &self.seat.log);
        tokio::select! { biased;
            () = lines.store_all() => {}
            () = leash.lost() => {
                leash.kill();
                let _all_that_is_left = timeout(LAST_WORDS, lines.store_all()).await;
            }
            _ = self.stop.changed() => {
                self.seat.doing.set("waits for the end of its command");
                leash.end().await;
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
        End::Exited(leash.ended().await)
    }

    fn batch_lines(&self) -> usize {
        policy::batch_lines(self.config.batch_size, self.seat.intake.transaction())
    }
}

/// How a run of the command ended.
enum End {
    /// With this exit code.
    Exited(i32),
    /// It did not begin.
    NotRun(String),
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
/// Between two messages about a command that ends again and again.
const NEWS_PAUSE: Duration = Duration::from_secs(10);
