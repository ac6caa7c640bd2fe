//! Log lines that log4j writes, in a JVM of its own: of an operator's file that asks for more than native code does. `java/` has its
//! side, `LogLines`, and says there how they speak.

mod frames;
mod handing;
mod printed;
mod process;
mod telling;

use crate::{ClassPath, clock, policy::Restarts};
use handing::{Handing, MOST_TRIES};
use process::{Ears, Process};
use std::{
    collections::BTreeMap,
    io,
    path::PathBuf,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicU64, AtomicUsize, Ordering::Relaxed},
        mpsc as plain,
    },
    thread,
    time::Duration,
};
use telling::Telling;
use tokio::sync::{mpsc, oneshot};

/// How the JVM is started.
#[derive(Clone)]
pub struct LogJvm {
    /// The program.
    pub java: PathBuf,
    /// Flume's class path, with log4j.
    pub class_path: ClassPath,
    /// Java's system properties, the last of a name counts. They do not stand on its command line.
    pub properties: Vec<(String, String)>,
    /// Further variables of its environment.
    pub environment: BTreeMap<String, String>,
    /// Below it the jar is written.
    pub scratch: PathBuf,
}

/// The operator's file.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct LogFile {
    /// Whether it is for log4j 2; else for log4j 1.2.
    pub is_xml: bool,
    /// Its name, for messages.
    pub path: String,
    /// Its text, if it is for log4j 2.
    pub text: String,
    /// Its pairs, if it is for log4j 1.2.
    pub pairs: Vec<(String, String)>,
    /// Appenders of the console that are not log4j's: they print nothing there.
    pub ours: Vec<String>,
    /// Levels of loggers that count beside it.
    pub levels: Vec<(String, String)>,
}

/// What comes of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Heard {
    /// A line that log4j, or its JVM, prints about itself.
    Said(String),
    /// What an appender of the console prints: no whole lines, perhaps.
    Printed(Vec<u8>),
    /// A JVM has ended: what it has printed last is whole.
    AllPrinted,
    /// A JVM is up, and log4j has read the file.
    Up,
    /// What is wrong with the JVM: at once, and from time to time as long as it lasts.
    Trouble(String),
    /// That it is over.
    Well(String),
}

/// Who is told of it.
pub type Hears = Arc<dyn Fn(Heard) + Send + Sync>;

/// Has log4j write lines. The JVM is started at once, and again when it ends.
pub struct LogWriter {
    jobs: Mutex<Option<mpsc::Sender<Job>>>,
    end: Mutex<Option<oneshot::Sender<Duration>>>,
    ended: Mutex<plain::Receiver<()>>,
}

/// Records that are to be taken.
struct Job {
    records: Vec<u8>,
    /// Where each of them ends.
    ends: Vec<usize>,
    progress: Arc<Progress>,
    done: oneshot::Sender<Result<(), String>>,
}

/// How far log4j has come with records.
#[derive(Default)]
struct Progress {
    bytes: AtomicUsize,
    left_out: AtomicU64,
}

/// What became of records that were not all taken.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NotTaken {
    /// log4j is done with so many bytes of them, from the front.
    pub bytes: usize,
    /// Records among these that were left out since JVMs end by them.
    pub left_out: u64,
    /// Why it is not all.
    pub why: String,
}

impl LogWriter {
    /// Begins, on a thread of its own.
    ///
    /// # Errors
    /// The system gives no thread.
    pub fn begin(jvm: LogJvm, file: LogFile, hears: Hears) -> io::Result<LogWriter> {
        let (jobs, next) = mpsc::channel(1);
        let (end, stop) = oneshot::channel();
        let (tell, ended) = plain::channel();
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        thread::Builder::new().name("log4j-jvm".to_owned()).spawn(move || {
            runtime.block_on(Writing::new(jvm, file, hears).run(next, stop));
            let _ = tell.send(()); // or nobody waits
        })?;
        Ok(LogWriter { jobs: Some(jobs).into(), end: Some(end).into(), ended: ended.into() })
    }

    /// Hands records over, which end at `ends`, and waits until log4j has taken them, which may take several JVMs. Not from a task.
    ///
    /// # Errors
    /// Which of them are lost, and why.
    pub fn take(&self, records: Vec<u8>, ends: Vec<usize>) -> Result<(), NotTaken> {
        let jobs = self.jobs.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let (done, told) = oneshot::channel();
        let progress = Arc::<Progress>::default();
        let job = Job { records, ends, progress: Arc::clone(&progress), done };
        let outcome = match jobs.map(|jobs| jobs.blocking_send(job)) {
            Some(Ok(())) => told.blocking_recv().unwrap_or_else(|_| Err(ENDED.to_owned())),
            _ => Err(ENDED.to_owned()),
        };
        outcome.map_err(|why| NotTaken {
            bytes: progress.bytes.load(Relaxed),
            left_out: progress.left_out.load(Relaxed),
            why,
        })
    }

    /// Ends log4j, which writes what it has, and waits for that; a JVM that takes longer is killed.
    pub fn end(&self, at_most: Duration) {
        self.jobs.lock().unwrap_or_else(PoisonError::into_inner).take();
        let end = self.end.lock().unwrap_or_else(PoisonError::into_inner).take();
        if end.is_some_and(|end| end.send(at_most).is_ok()) {
            let ended = self.ended.lock().unwrap_or_else(PoisonError::into_inner);
            let _ = ended.recv_timeout(at_most + KILLED);
        }
    }
}

/// The state of its thread.
struct Writing {
    jvm: LogJvm,
    file: LogFile,
    ears: Ears,
    process: Option<Process>,
    restarts: Restarts,
    /// Of the next start.
    pause: Duration,
    telling: Telling,
}

impl Writing {
    fn new(jvm: LogJvm, file: LogFile, hears: Hears) -> Writing {
        let (ears, process, restarts) = (Ears::new(hears), None, Restarts::default());
        Writing { jvm, file, ears, process, restarts, pause: Duration::ZERO, telling: Telling::default() }
    }

    async fn run(mut self, mut jobs: mpsc::Receiver<Job>, stop: oneshot::Receiver<Duration>) {
        let at_most = tokio::select! {
            biased;
            at_most = stop => at_most.unwrap_or_default(),
            () = self.serve(&mut jobs) => return,
        };
        drop(jobs); // who waits is told
        if let Some(process) = self.process.take()
            && !process.end(at_most).await
        {
            (self.ears.hears)(Heard::Trouble(format!(
                "log4j, which writes log lines as {} says, has not ended within {} ms: its JVM is killed, and the last lines may be lost",
                self.file.path,
                at_most.as_millis()
            )));
        }
    }

    async fn serve(&mut self, jobs: &mut mpsc::Receiver<Job>) {
        self.start().await;
        while let Some(job) = self.next(jobs).await {
            let outcome = self.give(&job).await;
            let _ = job.done.send(outcome); // or nobody waits any more
        }
        std::future::pending::<()>().await; // until the end is asked for
    }

    /// The next job. A JVM that ends meanwhile is started again.
    async fn next(&mut self, jobs: &mut mpsc::Receiver<Job>) -> Option<Job> {
        loop {
            let Some(process) = &mut self.process else { return jobs.recv().await };
            let why = tokio::select! {
                biased; // what has ended takes no job
                why = process.ended_by_itself() => why,
                job = jobs.recv() => return job,
            };
            self.lost(&why);
            self.start().await;
        }
    }

    /// Gives records to a JVM, and to the next one if it ends.
    async fn give(&mut self, job: &Job) -> Result<(), String> {
        let mut handing = Handing::new(job.ends.len());
        let end_of = |n: usize| n.checked_sub(1).and_then(|last| job.ends.get(last)).copied().unwrap_or(0);
        let mut outcome = Ok(());
        while let Some(next) = handing.next() {
            while self.process.is_none() {
                self.start().await;
            }
            let Some(process) = &mut self.process else { continue };
            let records = job.records.get(end_of(next.start)..end_of(next.end)).unwrap_or_default();
            match process.take(records).await {
                Ok(()) => {
                    handing.taken();
                    self.is_well();
                }
                Err(lost) => {
                    if handing.lost(lost.done, lost.given) {
                        let why = &lost.why;
                        outcome = Err(format!(
                            "{MOST_TRIES} JVMs in a row have ended by one; of the last one: {why}"
                        ));
                    }
                    self.lost(&lost.why);
                }
            }
            job.progress.bytes.store(end_of(handing.done()), Relaxed);
            job.progress.left_out.store(handing.left_out(), Relaxed);
        }
        outcome
    }

    /// One start, behind its pause.
    async fn start(&mut self) {
        tokio::time::sleep(self.pause).await;
        match Process::begin(&self.jvm, &self.file, &self.ears).await {
            Ok(process) => {
                self.process = Some(process);
                (self.ears.hears)(Heard::Up);
            }
            Err(why) => self.lost(&why),
        }
    }

    /// The JVM is of no use any more.
    fn lost(&mut self, why: &str) {
        self.process = None;
        self.pause = self.restarts.died(clock::now());
        if self.telling.is_due(clock::now()) {
            (self.ears.hears)(Heard::Trouble(format!(
                "the JVM in which log4j writes log lines, as {} says, is of no use: {why}. It is started again; lines wait for it, and events go on",
                self.file.path
            )));
        }
    }

    fn is_well(&mut self) {
        if self.telling.is_over() {
            (self.ears.hears)(Heard::Well(format!(
                "log4j writes log lines again, as {} says",
                self.file.path
            )));
        }
    }
}

/// For the end of one that is killed.
const KILLED: Duration = Duration::from_secs(1);

const ENDED: &str = "log4j has ended";

#[cfg(test)]
mod tests;
