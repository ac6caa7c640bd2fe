//! `storm`: what is put goes to the Storm topology whose spout this process is, and is stored when all of it is acknowledged
//! there. Flume has nothing like it.
//!
//! A put waits for its acknowledgements, at most `ackTimeout`; then it is refused, and its sender still has it. So nothing is
//! in this process alone. `storm-spout` runs an agent with such a channel; Storm's ShellSpout starts it.

mod ledger;
mod lines;
mod multilang;
mod talk;
#[cfg(test)]
mod tests;

pub use lines::LinesForStorm;

use event::{Batch, Origin};
use flow::channel::NewChannel;
use flow::channel::store::{Bell, ChannelSettings, Level, Store, StoreRefusal, Stored};
use flow::component::{Component, Configure};
use ledger::{Late, Ledger, Limits};
use lines::LINES;
use multilang::Handshake;
use plan::{Descriptor, Kind, Plan, Problem, Property, Report, Value};
use runtime::clock::{self, Duration};
use runtime::random::Random;
use rustix::process::{Signal, getpid, kill_process};
use std::io::{stdin, stdout};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::thread;
use tokio::sync::{Notify, oneshot};
use tokio::task::JoinHandle;
use tokio::time::sleep_until;

/// Its row in the catalogue.
pub(crate) const COMPONENT: Component = Component {
    descriptor: Descriptor::new(Kind::Channel, "storm", "storm", &[PROPERTIES])
        .transaction("capacity")
        .shared(),
    configure: Configure::Channel(|properties, _, findings| {
        let what = format!("the {} is one that Flume does not have", findings.owner.noun);
        let note = Problem::note("not-in-flume", &findings.owner.at, what)
            .flume(findings.owner.dropped.unloadable().in_words("ends: there is no such class"));
        findings.add(note.here("its events go to the Storm topology that has started `storm-spout`"));
        let limits = Limits {
            events: properties.count("capacity"),
            bytes: MOST_BYTES,
            within: properties.seconds("ackTimeout"),
        };
        let keep_alive = properties.seconds("keep-alive");
        let settings = ChannelSettings { transaction: limits.events, keep_alive, fits: None };
        Some(NewChannel::of(StormStore::new(limits), settings))
    }),
};

const PROPERTIES: &[Property] = &[
    Property::with("capacity", Value::at_least(1, "events"), "10000"),
    Property::with("ackTimeout", Value::at_least(1, "s"), "15"),
    Property::with("keep-alive", Value::at_least(0, "s"), "3"),
];

/// Whether an agent has such a channel.
pub fn feeds_storm(plan: &Plan) -> bool {
    plan.channels.iter().any(|channel| channel.kind() == "storm")
}

/// A process has one standard output, and what is given to Storm cannot be taken by a sink.
pub(crate) fn judge(plan: &Plan, report: &mut Report) {
    let mut channels = plan.channels.iter().filter(|channel| channel.kind() == "storm");
    let first = channels.next();
    for other in channels {
        let what = format!("the {} is the second one of type `storm`", other.owner.noun);
        let problem = Problem::error("two-storms", &other.owner.at, what);
        report.add(problem.fix("one channel of this type, for all sources: a process is one spout"));
    }
    for sink in plan.sinks.iter().filter(|sink| first.is_some_and(|first| first.name == sink.channel)) {
        let what = format!(
            "the {} drains a channel of type `storm`, which gives its events to Storm",
            sink.component.owner.noun
        );
        let problem = Problem::error("sink-behind-storm", &sink.component.owner.at, what);
        report.add(problem.fix(format!(
            "`{}channel = NAME`, another channel of the same source",
            sink.component.owner.prefix
        )));
    }
}

/// The process stops: what Storm does not acknowledge in a moment is refused.
pub fn leave() {
    let here = HERE.lock().unwrap_or_else(PoisonError::into_inner).upgrade();
    if let Some(shared) = here {
        shared.state().refusal.get_or_insert("the spout stops".to_owned());
        shared.ledger().hurry(clock::now() + FAREWELL);
        shared.wake.notify_one();
    }
}

/// The process ends: log lines that still wait go to standard error. `false` when it could not speak with Storm.
pub fn end() -> bool {
    LINES.over();
    !FAILED.load(Ordering::Acquire)
}

/// What has started the process is not Storm, or hears no more.
static FAILED: AtomicBool = AtomicBool::new(false);

/// The channel of this process, when it has one.
static HERE: Mutex<Weak<Shared>> = Mutex::new(Weak::new());

/// Who waits for a put.
type Answer = oneshot::Sender<Result<(), String>>;

/// The topology, as its channel sees it.
struct StormStore {
    shared: Arc<Shared>,
    /// Looks after what is late.
    vigil: Option<JoinHandle<()>>,
    begun: bool,
}

/// What the channel's actor and the thread that talks have together.
struct Shared {
    /// Of this process's tuples.
    process: u32,
    within: Duration,
    ledger: Mutex<Ledger<Answer>>,
    state: Mutex<State>,
    /// There is another time to wait for.
    wake: Notify,
}

struct State {
    log: slog::Logger,
    name: String,
    bell: Option<Bell>,
    /// Why nothing can be put any more.
    refusal: Option<String>,
    active: bool,
}

impl Shared {
    fn new(limits: Limits) -> Shared {
        let log = slog::Logger::root(slog::Discard, slog::o!());
        Shared {
            process: Random::from_system().next() as u32,
            within: limits.within,
            ledger: Mutex::new(Ledger::new(limits)),
            state: Mutex::new(State { log, name: String::new(), bell: None, refusal: None, active: true }),
            wake: Notify::new(),
        }
    }

    fn ledger(&self) -> MutexGuard<'_, Ledger<Answer>> {
        self.ledger.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn log(&self) -> slog::Logger {
        self.state().log.clone()
    }

    /// There is room.
    fn ring(&self) {
        self.state().bell.iter().for_each(Bell::ring);
    }

    fn greeted(&self, handshake: &Handshake) {
        let State { log, name, .. } = &*self.state();
        let within = self.within.as_secs();
        slog::info!(
            log,
            "channel {name}: Storm has started this process as the spout {}",
            handshake.component
        );
        if handshake.no_ackers {
            slog::warn!(
                log,
                "channel {name}: the topology has no ackers (topology.acker.executors = 0), so Storm acknowledges a tuple when it is emitted: what its workers lose is lost"
            );
        }
        if let Some(patience) = handshake.message_timeout.filter(|patience| *patience > within) {
            slog::info!(
                log,
                "channel {name}: a batch that the topology has not acknowledged after {within} s is refused, and its sender sends it again; the topology's own limit is {patience} s. If its bolts take longer than {within} s, raise `ackTimeout`, and the senders' `request-timeout` above it"
            );
        }
    }

    fn turned(&self, active: bool) {
        let mut state = self.state();
        if std::mem::replace(&mut state.active, active) != active {
            let (name, what) = (
                &state.name,
                if active {
                    "active again: it gets tuples"
                } else {
                    "inactive: it gets no tuples, and who puts events waits"
                },
            );
            slog::info!(state.log, "channel {name}: the topology is {what}");
        }
    }

    /// Nothing can be put any more.
    fn over(&self, reason: &str) {
        self.state().refusal = Some(reason.to_owned());
        let all = self.ledger().give_up();
        for answer in all {
            let _nobody_waits = answer.send(Err(reason.to_owned()));
        }
        self.ring();
    }

    /// Refuses puts that are late, for ever.
    async fn watch(&self) {
        loop {
            let late = self.ledger().late(clock::now());
            if !late.is_empty() {
                late.into_iter().for_each(|late| self.refuse(late));
                self.ring();
            }
            let due = self.ledger().due();
            tokio::select! {
                () = async { sleep_until(due.unwrap_or_else(clock::now)).await }, if due.is_some() => {}
                () = self.wake.notified() => {}
            }
        }
    }

    fn refuse(&self, Late { answer, events, out, waits }: Late<Answer>) {
        let why = {
            let state = self.state();
            match &state.refusal {
                Some(refusal) => refusal.clone(),
                None if !state.active => "the topology is inactive".to_owned(),
                None => format!("not acknowledged in {} s (`ackTimeout`)", self.within.as_secs()),
            }
        };
        let counts = format!(
            "{} of {events} events are acknowledged, {out} are with the topology, {waits} wait",
            events - out - waits
        );
        let _nobody_waits = answer.send(Err(format!("Storm: {why}: {counts}")));
    }
}

impl StormStore {
    fn new(limits: Limits) -> StormStore {
        StormStore { shared: Arc::new(Shared::new(limits)), vigil: None, begun: false }
    }

    /// The thread that talks; at its end the process is told to stop.
    fn begin(&mut self) {
        let shared = self.shared.clone();
        *HERE.lock().unwrap_or_else(PoisonError::into_inner) = Arc::downgrade(&shared);
        let begun = thread::Builder::new().name("storm".to_owned()).spawn(move || {
            let (log, ended) = (shared.log(), talk::talk(&shared, &LINES, stdin().lock(), stdout().lock()));
            match ended {
                Ok(()) => slog::info!(log, "Storm has closed standard input: the spout stops"),
                Err(reason) => {
                    FAILED.store(true, Ordering::Release);
                    slog::error!(
                        log,
                        "the spout stops, and its senders keep what is not acknowledged: {reason}"
                    );
                }
            }
            shared.over("Storm has ended the spout");
            LINES.over();
            let _it_is_there = kill_process(getpid(), Signal::TERM);
        });
        match begun {
            Ok(_) => self.begun = true,
            Err(error) => {
                slog::error!(self.shared.log(), "the system gives no thread to talk with Storm: {error}")
            }
        }
    }
}

impl Store for StormStore {
    fn start(&mut self, bell: Bell, name: &str, log: &slog::Logger) {
        {
            let mut state = self.shared.state();
            (state.bell, state.name, state.log) = (Some(bell), name.to_owned(), log.clone());
        }
        let shared = self.shared.clone();
        if let Some(former) = self.vigil.replace(actix_rt::spawn(async move { shared.watch().await })) {
            former.abort();
        }
        if !self.begun {
            self.begin();
        }
    }

    fn put(&mut self, batches: &[Batch]) -> Result<Stored, StoreRefusal> {
        // Whoever ends it says so, then looks who waits: a put comes before that, or is refused.
        let mut ledger = self.shared.ledger();
        if let Some(reason) = &self.shared.state().refusal {
            return Err(StoreRefusal::Failed(reason.clone()));
        }
        let room = ledger.room_for(batches);
        let some = &batches[..room];
        if some.is_empty() && !batches.is_empty() {
            let events = batches.first().map_or(0, Batch::len);
            return Err(if events > ledger.capacity() {
                StoreRefusal::TooManyEvents
            } else {
                StoreRefusal::NoRoom
            });
        }
        if some.iter().all(Batch::is_empty) {
            return Ok(Stored::now(room));
        }
        let (answer, later) = oneshot::channel();
        if ledger.due().is_none() {
            self.shared.wake.notify_one();
        }
        ledger.put(some.to_vec(), answer, clock::now());
        Ok(Stored { batches: room, later: Some(later) })
    }

    /// What it holds is Storm's to take.
    fn take(&mut self, _: usize, _: usize) -> Option<(u64, Vec<Batch>)> {
        None
    }

    fn settle(&mut self, _: u64, _: bool) {}

    fn bytes(&self) -> usize {
        self.shared.ledger().bytes()
    }

    fn level(&self) -> Level {
        let ledger = self.shared.ledger();
        let taken = ledger.figures().acked;
        Level { held: ledger.held(), leased: 0, bytes: ledger.bytes(), taken, capacity: ledger.capacity() }
    }

    /// Who put them still has them.
    fn origins(&self) -> Vec<(Option<Origin>, usize)> {
        Vec::new()
    }

    fn give_back(&mut self, _: &dyn Fn(Origin) -> bool) {}

    fn figures(&self) -> Vec<(&'static str, String)> {
        let figures = self.shared.ledger().figures();
        [
            ("StormEmitCount", figures.emitted),
            ("StormFailCount", figures.failed),
            ("StormAckCount", figures.acked),
        ]
        .map(|(name, count)| (name, count.to_string()))
        .into()
    }
}

/// Bytes of events that it holds.
const MOST_BYTES: usize = 16 << 20;
/// What the topology has for its last acknowledgements when the process stops.
const FAREWELL: Duration = Duration::from_secs(2);
