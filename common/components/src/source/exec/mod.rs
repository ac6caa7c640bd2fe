//! `exec`: runs a command and takes each line it prints for an event.

pub(crate) mod keeper;
mod leash;
mod lines;
mod policy;
mod session;
mod shell;

use flow::component::{Component, Configure};
use flow::counters::Counted;
use flow::source::{Source, SourceContext, Stopping};
use futures_util::future::LocalBoxFuture;
use java::Charset;
use keeper::LAST_WORDS;
use leash::{Leash, Started};
use lines::OutputReader;
use plan::{Bad, Descriptor, Findings, Kind, Problem, Properties, Property, Value};
use policy::Next;
use runtime::clock::{self, Duration};
use runtime::told::Told;
use std::sync::Arc;
use tokio::io::{AsyncBufReadExt, AsyncReadExt, BufReader};
use tokio::process::ChildStderr;
use tokio::time::timeout;

/// Its row in the catalogue.
pub(crate) const COMPONENT: Component = Component {
    descriptor: Descriptor::new(Kind::Source, "exec", "org.apache.flume.source.ExecSource", &[PROPERTIES])
        .batch("batchSize"),
    configure: Configure::Source(|properties, _, findings| {
        needs_shell(properties, findings);
        wide_lines(properties, findings)?;
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
    if let Some(shell) = properties.text("shell").filter(|shell| shell::reads_a_file(shell)) {
        let what = format!("the shell of the {} is `{shell}`, without `-c`", findings.owner.noun);
        let problem = Problem::warning("shell-without-c", findings.at("shell"), what)
            .flume("starts it with the command as the name of a file, which it does not find")
            .here("the same");
        let fix = format!("`{} = {shell} -c`", findings.key("shell"));
        findings.add(problem.fix(fix));
    }
    let (Some(command), None) = (properties.text("command"), properties.text("shell")) else { return };
    let Some(sign) = shell::sign(command) else { return };
    let what =
        format!("the command of the {} has `{sign}`, which only a shell understands", findings.owner.noun);
    let problem = Problem::warning("no-shell", findings.at("command"), what)
        .flume("splits the command at blanks and hands the words to the program as they are")
        .here("the same");
    let fix = format!("`{} = /bin/sh -c`", findings.key("shell"));
    findings.add(problem.fix(fix));
}

/// Lines are cut before they are decoded, if ever they are: a line feed must be one byte.
fn wide_lines(properties: &Properties, findings: &mut Findings<'_>) -> Option<()> {
    let wide = properties.text("charset").and_then(Charset::for_name).filter(|set| !set.keeps_lines());
    let Some(charset) = wide else { return Some(()) };
    let (noun, name) = (&findings.owner.noun, charset.name());
    let what = format!("the command of the {noun} prints {name}, which is not supported");
    let problem = Problem::error("bad-value", findings.at("charset"), what).flume("decodes it");
    findings.add(problem.fix("a command that prints UTF-8: put `| iconv -f UTF-16 -t UTF-8` behind it"));
    None
}

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
    pub(crate) fn new(properties: &plan::Properties) -> ExecConfig {
        ExecConfig {
            command: properties.word("command").to_owned(),
            shell: properties.text("shell").map(str::to_owned),
            restart: properties.flag("restart"),
            throttle: properties.millis("restartThrottle"),
            log_stderr: properties.flag("logStdErr"),
            batch_size: properties.given("batchSize").filter(|size| *size > 0),
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
    fn counted(&self) -> Counted {
        Counted::Events
    }

    fn run(self: Box<Self>, context: SourceContext, stop: Stopping) -> LocalBoxFuture<'static, ()> {
        let told_ends = Told::every(NEWS_PAUSE);
        Box::pin(Runner { config: self.0, context, stop, told_ends }.run())
    }
}

struct Runner {
    config: Arc<ExecConfig>,
    context: SourceContext,
    stop: Stopping,
    /// A command that ends at once is run again and again: its ends are news only now and then.
    told_ends: Told,
}

impl Runner {
    async fn run(mut self) {
        console::fact::exec_starting(&self.context.log, &self.config.command);
        console::fact::component_started(
            &self.context.log,
            console::fact::ComponentType::Source,
            &self.context.name,
        );
        loop {
            let end = self.run_once().await;
            self.context.ready.done();
            let next = policy::next(*self.stop.borrow(), self.config.restart, self.config.throttle);
            self.tell(&end, next);
            match next {
                Next::Stop => break,
                Next::Idle => {
                    self.context.doing.set(format!("has nothing to do: [{}] has ended", self.config.command));
                    // As Flume: a command that has ended leaves a source that is started and silent.
                    let _stopped = self.stop.changed().await;
                    break;
                }
                Next::RunAgain(pause) => {
                    let millis = pause.as_millis();
                    self.context
                        .doing
                        .set(format!("runs [{}] again in {millis} ms at most", self.config.command));
                    let _stopped_early = timeout(pause, self.stop.changed()).await;
                }
            }
            if *self.stop.borrow() {
                break;
            }
        }
        console::fact::exec_stopping(&self.context.log, &self.config.command);
    }

    /// Tells how a run has ended, and what is next.
    fn tell(&mut self, end: &End, next: Next) {
        if next == Next::Stop {
            return;
        }
        let (log, command) = (&self.context.log, &self.config.command);
        let Some(left_out) = self.told_ends.tell(clock::now()) else { return };
        if left_out > 0 {
            slog::info!(
                log,
                "source {}: the command was run {left_out} times more and ended; its exits are reported every {} s at most",
                self.context.name,
                NEWS_PAUSE.as_secs()
            );
        }
        match end {
            End::Exited(code) => console::fact::exec_exited(log, command, *code),
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
        self.context.ready.done();
        if let Some(stderr) = stderr {
            actix_rt::spawn(drain_stderr(stderr, self.config.log_stderr, self.context.log.clone()));
        }
        self.context.doing.set(format!("reads what [{}] prints", self.config.command));
        let mut lines =
            OutputReader::new(stdout, &self.context.processor, self.batch_lines(), &self.context.log);
        tokio::select! { biased;
            () = lines.store_all() => {}
            () = leash.lost() => {
                leash.kill();
                let _all_that_is_left = timeout(LAST_WORDS, lines.store_all()).await;
            }
            _ = self.stop.changed() => {
                self.context.doing.set("waits for the end of its command");
                leash.end().await;
                // What it had printed is still in the pipe. A grandchild that keeps the pipe open is not waited for.
                let _still_open = timeout(LAST_WORDS, lines.store_all()).await;
                if lines.is_storing() {
                    slog::error!(
                        self.context.log,
                        "the channel of source {} has no room: what its command [{}] printed last is lost",
                        self.context.name,
                        self.config.command
                    );
                }
            }
        }
        End::Exited(leash.ended().await)
    }

    fn batch_lines(&self) -> usize {
        policy::batch_lines(self.config.batch_size, self.context.processor.transaction())
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
