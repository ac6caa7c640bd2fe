//! The child JVM: its process, its pipes, and who gets what comes out of them.

use crate::{
    BridgeError, Notice, Notify, Settings, Spec,
    clock::{self, Instant},
    frame::{FrameDecoder, Outgoing},
    jar, launch,
    life::{Cause, Fault, Life},
    policy::{SilenceLimits, Verdict},
    protocol::{FromJvm, Hello, Metrics, VERSION, to_jvm},
};
use std::{
    future::Future,
    process::Stdio,
    sync::{
        Arc, Mutex, MutexGuard, OnceLock, PoisonError, Weak,
        atomic::{AtomicU32, Ordering},
    },
    time::Duration,
};
use tokio::{
    io::AsyncReadExt,
    process::{ChildStdout, Command},
    sync::{mpsc, oneshot},
};

mod objects;
mod registry;
mod tasks;

pub(crate) use registry::Inbox;
use registry::{Entry, Registry, hand_over};
use tasks::Last;

/// A JVM that runs, or has run. Clones are the same one; when the last one goes, it is ended.
#[derive(Clone)]
pub struct Jvm(Arc<Owner>);

/// Ends the JVM when nobody holds it any more; the tasks hold [`Shared`] only.
struct Owner(Arc<Shared>);

pub(crate) struct Shared {
    pub(crate) out: mpsc::UnboundedSender<Outgoing>,
    kill: mpsc::UnboundedSender<Cause>,
    hello: OnceLock<Hello>,
    end: OnceLock<(Instant, Cause)>,
    next: AtomicU32,
    registry: Mutex<Registry>,
    /// Who asks for counters has it.
    asking: tokio::sync::Mutex<()>,
    notify: Notify,
    silence_limits: SilenceLimits,
    searched: String,
}

impl Jvm {
    /// Starts a JVM and waits for its first frame.
    pub(crate) async fn start(settings: &Settings, notify: Notify) -> Result<Jvm, BridgeError> {
        let jar = jar::unpack(&settings.scratch)?;
        let mut command = Command::new("/bin/sh");
        command
            .args(launch::words(settings, &settings.java, &settings.class_path, &jar))
            .envs(&settings.environment)
            .current_dir(&settings.directory)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            // A terminal's Ctrl-C is for the agent, which stops its components in order.
            .process_group(0)
            .kill_on_drop(true);
        let failed = |source| BridgeError::Start { java: settings.java.clone(), source };
        let mut child = command.spawn().map_err(failed)?;
        let child_id = child.id().unwrap_or_default(); // it has not been waited for
        let (Some(stdin), Some(stdout), Some(stderr)) =
            (child.stdin.take(), child.stdout.take(), child.stderr.take())
        else {
            return Err(BridgeError::NoHello("it has no pipes".into()));
        };
        for pipe in [rustix::fd::AsFd::as_fd(&stdin), rustix::fd::AsFd::as_fd(&stdout)] {
            // Where the system does not allow it, batches of 1,000 events are slower and no more.
            let _ = rustix::pipe::fcntl_setpipe_size(pipe, PIPE_BYTES);
        }
        let (out, outgoing) = mpsc::unbounded_channel();
        let (kill, kills) = mpsc::unbounded_channel();
        let shared = Arc::new(Shared {
            out,
            kill,
            hello: OnceLock::new(),
            end: OnceLock::new(),
            next: AtomicU32::new(1),
            registry: Mutex::default(),
            asking: tokio::sync::Mutex::default(),
            notify,
            silence_limits: settings.silence_limits,
            searched: settings.class_path.to_string(),
        });
        let jvm = Jvm(Arc::new(Owner(shared.clone())));
        let log = tasks::spawn_log(&shared, stderr);
        let status = tasks::spawn_reaper(child, kills);
        tokio::spawn(tasks::write(stdin, outgoing));
        let (greet, greeted) = oneshot::channel();
        let report = launch::crash_report(&jar, &child_id.to_string());
        let _ = std::fs::remove_file(&report); // of an earlier process of that number; mostly there is none
        tokio::spawn(tasks::read(shared.clone(), stdout, status, Last { log, report }, greet));
        match tokio::time::timeout(HELLO, greeted).await {
            Ok(Ok(())) => {}
            Ok(Err(_)) => return Err(BridgeError::NoHello(jvm.reason())),
            Err(_) => {
                let text = format!("it has said nothing for {} s", HELLO.as_secs());
                shared.kill(text.clone());
                return Err(BridgeError::NoHello(text));
            }
        }
        tokio::spawn(tasks::watch(Arc::downgrade(&shared)));
        Ok(jvm)
    }

    /// What it has said of itself.
    pub fn hello(&self) -> Hello {
        self.0.0.hello.get().cloned().unwrap_or(Hello {
            protocol: 0,
            flume: String::new(),
            java: String::new(),
            process: String::new(),
            start_millis: 0,
            heap_bytes: 0,
        })
    }

    /// Its process.
    pub fn pid(&self) -> Option<u32> {
        self.hello().process.split('@').next()?.parse().ok()
    }

    /// Whether and when it has ended.
    pub fn died_at(&self) -> Option<Instant> {
        self.0.0.end.get().map(|(at, _)| *at)
    }

    /// Whether nobody else holds it.
    pub(crate) fn is_idle(&self) -> bool {
        Arc::strong_count(&self.0) == 1
    }

    /// Whether the component of `spec` is known to have ended it.
    pub fn was_ended_by(&self, spec: &Spec) -> bool {
        self.cause().is_some_and(|cause| cause.culprit.as_deref() == Some(&spec.title()))
    }

    /// Why it has ended.
    pub(crate) fn cause(&self) -> Option<&Cause> {
        self.0.0.end.get().map(|(_, cause)| cause)
    }

    /// Ends it at once; the reason stands in the notice of its end.
    pub fn kill(&self, reason: &str) {
        self.0.0.kill(reason.to_owned());
    }

    pub(crate) fn kill_for(&self, cause: Cause) {
        self.0.0.kill(cause);
    }

    /// What `title` has to do with its end.
    pub(crate) fn fault(&self, title: &str) -> Fault {
        self.0.0.end.get().map_or(Fault::Another, |(_, cause)| cause.fault(title))
    }

    /// The counters of all its components.
    ///
    /// # Errors
    /// When it has ended, or does not answer for ten seconds.
    pub async fn metrics(&self) -> Result<Metrics, BridgeError> {
        // Nobody gets an answer that may be older than the question.
        let _alone = self.0.0.asking.lock().await;
        let (tell, told) = oneshot::channel();
        self.0.0.registry().metrics = Some(tell);
        self.send(to_jvm::plain(to_jvm::METRICS, 0));
        match tokio::time::timeout(ANSWER, told).await {
            Ok(Ok(metrics)) => Ok(metrics),
            Ok(Err(_)) => Err(self.gone()),
            Err(_) => Err(BridgeError::Silent {
                component: "the JVM".into(),
                what: "for its counters",
                after: ANSWER,
            }),
        }
    }

    /// What the threads of a component do (of all, for 0): a line about a deadlock, and their stacks.
    pub(crate) async fn dump(&self, component: u32) -> Option<(String, String)> {
        let (tell, told) = oneshot::channel();
        self.0.0.registry().dumps.entry(component).or_default().push(tell);
        self.send(to_jvm::plain(to_jvm::DUMP, component));
        tokio::time::timeout(ANSWER, told).await.ok()?.ok()
    }

    /// Whether that is this one.
    pub(crate) fn is(&self, other: &Weak<Shared>) -> bool {
        std::ptr::eq(Arc::as_ptr(&self.0.0), other.as_ptr())
    }

    pub(crate) fn send(&self, frame: Outgoing) {
        self.0.0.send(frame);
    }

    pub(crate) fn enter(
        &self,
        title: String,
        life: mpsc::UnboundedSender<Life>,
        inbox: Arc<dyn Inbox>,
    ) -> u32 {
        let id = self.0.0.next.fetch_add(1, Ordering::Relaxed);
        let mut registry = self.0.0.registry();
        if self.died_at().is_none() {
            registry.components.insert(id, Entry { title, classes: String::new(), life, inbox });
        } else {
            inbox.ended();
        }
        id
    }

    pub(crate) fn leave(&self, id: u32) {
        self.0.0.registry().components.remove(&id);
        self.send(to_jvm::plain(to_jvm::DISCARD, id));
    }

    pub(crate) fn silence_limits(&self) -> SilenceLimits {
        self.0.0.silence_limits
    }

    pub(crate) fn searched(&self) -> &str {
        &self.0.0.searched
    }

    /// The largest frame that it is sent: a quarter of its heap.
    pub(crate) fn most_frame_bytes(&self) -> usize {
        let heap = self.0.0.hello.get().map_or(0, |hello| hello.heap_bytes);
        usize::try_from(heap / 4).unwrap_or(usize::MAX).min(MOST_FRAME)
    }

    pub(crate) fn reason(&self) -> String {
        self.0.0.end.get().map_or_else(|| "it is ending".to_owned(), |(_, cause)| cause.text.clone())
    }

    pub(crate) fn gone(&self) -> BridgeError {
        BridgeError::Gone(self.reason())
    }

    /// Waits for an answer of a component; tells about one that does not come, and ends the JVM in the end, which makes
    /// every answer come.
    pub(crate) async fn patiently<T>(
        &self,
        id: u32,
        title: &str,
        what: &'static str,
        answer: impl Future<Output = T>,
    ) -> T {
        let mut answer = std::pin::pin!(answer);
        let (since, mut told) = (clock::now(), false);
        // A file channel that replays a long log is at work, however long.
        let end_after = self.0.0.silence_limits.end_after.filter(|_| what != START);
        let silence_limits = SilenceLimits { end_after, ..self.0.0.silence_limits };
        loop {
            match silence_limits.judge(since, told, clock::now()) {
                Verdict::Wait(pause) => {
                    if let Ok(answer) = tokio::time::timeout(pause, &mut answer).await {
                        return answer;
                    }
                }
                Verdict::Tell => {
                    told = true;
                    let telling = self.tell_silence(id, title, what, since);
                    tokio::select! {
                        answer = &mut answer => return answer,
                        () = telling => {}
                    }
                }
                Verdict::End => {
                    let silent = clock::now().saturating_duration_since(since).as_secs();
                    let text = format!("{title} has not answered {what} for {silent} s");
                    self.kill_for(Cause::hang(title, text));
                    return answer.await;
                }
            }
        }
    }

    /// Tells that a component has been silent since `since`, with the stacks of its threads.
    pub(crate) async fn tell_silence(&self, id: u32, title: &str, what: &str, since: Instant) {
        let silent = clock::now().saturating_duration_since(since).as_secs();
        let mut text = format!("{title} has not answered {what} for {silent} s");
        match self.dump(id).await {
            Some((deadlock, stacks)) => {
                if !deadlock.is_empty() {
                    text.push_str(&format!("; threads wait for each other: {deadlock}"));
                }
                text.push_str("; its threads:\n");
                text.push_str(stacks.trim_end());
            }
            None => text.push_str("; the JVM does not say what its threads do"),
        }
        (self.0.0.notify)(Notice::Silent { component: title.to_owned(), text });
    }
}

impl std::fmt::Debug for Jvm {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Jvm({:?})", self.0.0.hello.get())
    }
}

impl Drop for Owner {
    fn drop(&mut self) {
        self.0.kill(UNUSED.to_owned());
    }
}

impl Shared {
    fn send(&self, frame: Outgoing) {
        // When the JVM is gone nobody reads it: all who wait are told, and it keeps nothing.
        let _ = self.out.send(frame);
    }

    fn registry(&self) -> MutexGuard<'_, Registry> {
        // Nothing panics while it is held; if something does, what it guards is still whole.
        self.registry.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn kill(&self, cause: impl Into<Cause>) {
        let _ = self.kill.send(cause.into()); // a JVM that has ended needs no killing
    }

    /// Hands a frame to whom it concerns.
    fn dispatch(&self, component: u32, message: FromJvm) {
        let mut registry = self.registry();
        match message {
            FromJvm::Pong => registry.pongs += 1,
            FromJvm::Metrics(metrics) => {
                if let Some(tell) = registry.metrics.take() {
                    let _nobody_waits_any_more = tell.send(metrics);
                }
            }
            FromJvm::Dumped { deadlock, stacks } => {
                for tell in registry.dumps.remove(&component).unwrap_or_default() {
                    let _ = tell.send((deadlock.clone(), stacks.clone()));
                }
            }
            FromJvm::Log(line) => {
                drop(registry);
                (self.notify)(Notice::Log(line));
            }
            FromJvm::Uncaught { thread, thrown } => {
                let component = registry.components.get(&component).map(|entry| entry.title.clone());
                drop(registry);
                let component = component.unwrap_or_default();
                (self.notify)(Notice::Uncaught { component, thread, thrown });
            }
            message => {
                let Some(entry) = registry.components.get_mut(&component) else { return };
                if let FromJvm::Created { class, .. } = &message {
                    entry.classes.clone_from(class);
                }
                let (life, inbox) = entry.ways();
                drop(registry);
                hand_over(&life, &*inbox, message);
            }
        }
    }

    /// The end: whoever waits for something is told that it does not come.
    fn ended(&self, cause: Cause, wanted: bool) {
        let (left, metrics, dumps) = {
            let mut registry = self.registry();
            let _ = self.end.set((clock::now(), cause.clone()));
            (
                std::mem::take(&mut registry.components),
                std::mem::take(&mut registry.metrics),
                std::mem::take(&mut registry.dumps),
            )
        };
        drop((metrics, dumps));
        (self.notify)(Notice::Ended { text: cause.text, wanted });
        for entry in left.into_values() {
            entry.inbox.ended();
        }
    }
}

/// Batches of 1,000 events go half as fast again through a pipe of this size.
const PIPE_BYTES: usize = 1 << 20;

/// A JVM on a loaded host takes some seconds; one that waits for a home folder that is away never comes.
const HELLO: Duration = Duration::from_secs(60);

/// For what the JVM answers whatever its components do.
const ANSWER: Duration = Duration::from_secs(10);

/// However large a heap is.
const MOST_FRAME: usize = 1 << 30;

/// The step of a component's life that may take as long as it takes.
pub(crate) const START: &str = "start";

/// Why a JVM ends that nobody needs any more.
const UNUSED: &str = "no component needs it";

#[cfg(test)]
mod tests;
