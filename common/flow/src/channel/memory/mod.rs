//! `memory`: events wait in memory, at most so many and so large.

mod ledger;
mod pace;
#[cfg(test)]
mod tests;

use super::lease::{Lease, Settle};
use super::{ChannelAddress, ChannelContext, Holds, PARCEL_BYTES};
use crate::component::{Component, Configure, NewChannel};
use crate::error::ChannelError;
use crate::message::{Describe, Fill, HowFull, Patience, Put, Take};
use crate::supervise::Guard;
use actix::WeakRecipient;
use actix::prelude::*;
use event::{Batch, Origin};
use futures_util::FutureExt;
pub use ledger::{Ledger, Limits};
use ledger::{Refused, SLOT_BYTES};
use pace::Pace;
use plan::{Descriptor, Findings, Kind, Problem, Properties, Property, Value};
use runtime::clock::{self, Duration, Instant};
use std::collections::VecDeque;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio::sync::oneshot;

/// Its row in the catalogue.
pub const COMPONENT: Component = Component {
    descriptor: Descriptor::new(
        Kind::Channel,
        "memory",
        "org.apache.flume.channel.MemoryChannel",
        &[PROPERTIES],
    )
    .mistaken(&[("ram", ""), ("mem", "")])
    .transaction("transactionCapacity"),
    configure: Configure::Channel(|properties, _, findings| {
        let config = MemoryConfig::new(properties);
        transaction_fits(config.limits, properties, findings)?;
        let books = Books::new(config);
        Some(NewChannel {
            transaction: config.limits.transaction,
            limits: Some(config.limits),
            held: Some(Arc::new(books.clone())),
            start: Box::new(move |context| {
                let ChannelContext { name, log, guard } = context;
                MemoryChannel::start(&name, config, books.clone(), log, guard)
            }),
        })
    }),
};

const PROPERTIES: &[Property] = &[
    Property::with("capacity", Value::at_least(1, "events"), "100").lenient(),
    Property::with("transactionCapacity", Value::at_least(1, "events"), "100").lenient(),
    Property::with("keep-alive", Value::at_least(0, "s"), "3").lenient(),
    Property::optional("byteCapacity", Value::long(0, "bytes")).lenient(),
    Property::with("byteCapacityBufferPercentage", Value::Number { min: 0, max: 100, unit: "percent" }, "20")
        .lenient(),
];

/// A transaction has to fit into the channel. Source: `MemoryChannel.configure`.
fn transaction_fits(limits: Limits, properties: &Properties, findings: &mut Findings<'_>) -> Option<()> {
    let Limits { capacity, transaction, .. } = limits;
    if transaction <= capacity {
        return Some(());
    }
    let by_default = |key| if properties.text(key).is_some() { "" } else { " (the default)" };
    let set = ["transactionCapacity", "capacity"].into_iter().find(|key| properties.text(key).is_some());
    let what = format!(
        "the {} has `transactionCapacity` {transaction}{} and `capacity` {capacity}{}",
        findings.owner.noun,
        by_default("transactionCapacity"),
        by_default("capacity"),
    );
    let problem = Problem::error("transaction-too-large", findings.at(set.unwrap_or("capacity")), what)
        .flume(&findings.owner.dropped);
    let fix = format!("`{} = {transaction}` or more", findings.key("capacity"));
    findings.add(problem.fix(fix));
    None
}

/// Keys, units and defaults are Flume's: User Guide, "Memory Channel".
#[derive(Debug, Clone, Copy)]
pub struct MemoryConfig {
    /// What it takes.
    pub limits: Limits,
    /// `keep-alive`, whole seconds; 3 unless set.
    pub keep_alive: Duration,
}

impl MemoryConfig {
    /// As configured.
    pub fn new(context: &plan::Context) -> MemoryConfig {
        let positive = |key, default: usize| match context.number(key, default) {
            0 => default,
            number => number,
        };
        let capacity = positive("capacity", 100);
        let bytes: u64 = context.number("byteCapacity", DEFAULT_BYTE_CAPACITY);
        let share = 100u64.saturating_sub(context.number("byteCapacityBufferPercentage", 20));
        let slots = usize::try_from(bytes as u128 * u128::from(share) / 100 / SLOT_BYTES as u128);
        MemoryConfig {
            limits: Limits {
                capacity,
                transaction: positive("transactionCapacity", 100),
                // Flume: less than one slot means no limit.
                slots: slots.ok().filter(|slots| *slots > 0).unwrap_or(usize::MAX),
            },
            keep_alive: context.seconds("keep-alive", Duration::from_secs(3)),
        }
    }
}

/// What a channel holds outlives the actor that keeps it: should the actor die, its successor goes on with these books.
#[derive(Clone)]
pub struct Books(Arc<Mutex<Ledger>>);

impl Books {
    /// As configured.
    pub fn new(config: MemoryConfig) -> Books {
        Books(Arc::new(Mutex::new(Ledger::new(config.limits))))
    }

    fn open(&self) -> MutexGuard<'_, Ledger> {
        // A lock per batch, with nobody to wait for: there is one actor at a time.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Holds for Books {
    fn origins(&self) -> Vec<(Option<Origin>, usize)> {
        self.open().origins().collect()
    }

    fn give_back(&self, again: &dyn Fn(Origin) -> bool) {
        self.open().give_back(again);
    }
}

/// The channel's actor: keeps those waiting who put into a full channel or take from an empty one.
pub struct MemoryChannel {
    name: Arc<str>,
    log: slog::Logger,
    keep_alive: Duration,
    books: Books,
    puts: VecDeque<WaitingPut>,
    takes: VecDeque<WaitingTake>,
    pace: Pace,
    alarm: Option<(Instant, SpawnHandle)>,
    settling: Option<Arc<Settling>>,
    told_full: bool,
    _guard: Guard,
}

/// Where the leases of this actor are settled.
struct Settling {
    books: Books,
    actor: WeakRecipient<Settled>,
    /// The actor has been told and has not looked yet: leases that end together are told once.
    told: AtomicBool,
}

impl Settle for Settling {
    fn settle(&self, lease: u64, commit: bool) {
        {
            let mut books = self.books.open();
            if commit { books.commit(lease) } else { books.rollback(lease) }
        }
        if !self.told.swap(true, Ordering::AcqRel)
            && let Some(actor) = self.actor.upgrade()
        {
            actor.do_send(Settled);
        }
    }
}

/// The books have changed: somebody who waits may be served.
#[derive(Message)]
#[rtype(result = "()")]
struct Settled;

struct WaitingPut {
    batches: Vec<Batch>,
    since: Instant,
    deadline: Option<Instant>,
    answer: oneshot::Sender<Result<usize, ChannelError>>,
}

struct WaitingTake {
    take: Take,
    answer: oneshot::Sender<Vec<Lease>>,
}

impl MemoryChannel {
    /// Starts its actor.
    pub fn start(
        name: &str,
        config: MemoryConfig,
        books: Books,
        log: slog::Logger,
        guard: Guard,
    ) -> ChannelAddress {
        address_of(MemoryChannel::create(name, config, books, log, guard).start())
    }

    fn create(
        name: &str,
        config: MemoryConfig,
        books: Books,
        log: slog::Logger,
        guard: Guard,
    ) -> MemoryChannel {
        MemoryChannel {
            name: name.into(),
            log,
            keep_alive: config.keep_alive,
            books,
            puts: VecDeque::new(),
            takes: VecDeque::new(),
            pace: Pace::default(),
            alarm: None,
            settling: None,
            told_full: false,
            _guard: guard,
        }
    }

    /// Why the first of `batches` is not stored.
    fn refusal(&self, refused: Refused, batches: &[Batch]) -> ChannelError {
        let batch = batches.first().cloned().unwrap_or_default();
        let (held, limits) = {
            let books = self.books.open();
            (books.held(), books.limits())
        };
        let (channel, events) = (self.name.to_string(), batch.len());
        match refused {
            Refused::NoRoom => ChannelError::Full {
                channel,
                held,
                capacity: limits.capacity,
                events,
                keep_alive: self.keep_alive.as_secs(),
            },
            Refused::TooManyEvents => ChannelError::TooLarge { channel, events, limit: limits.transaction },
            Refused::TooManyBytes => ChannelError::TooManyBytes { channel, bytes: batch.event_bytes() },
        }
    }

    /// Room has been made: lets in those who wait, in their order.
    fn serve_puts(&mut self, ctx: &mut Context<Self>) {
        while let Some(first) = self.puts.front() {
            let Ok(stored) = self.books.open().put_some(&first.batches) else { return };
            let served = self.puts.pop_front().expect("it was just looked at");
            let _gone = served.answer.send(Ok(stored));
            self.serve_takes(ctx);
        }
        self.tell_room();
    }

    /// Events have come: gives them to those who wait.
    fn serve_takes(&mut self, ctx: &mut Context<Self>) {
        while let Some(waiting) = self.takes.front() {
            if waiting.answer.is_closed() {
                self.takes.pop_front();
                continue;
            }
            let Some(leases) = lease(&self.books, &mut self.settling, &waiting.take, ctx) else { return };
            let waiting = self.takes.pop_front().expect("it was just looked at");
            // Whoever has gone meanwhile drops the leases, which rolls them back.
            let _gone = waiting.answer.send(leases);
        }
    }

    fn tell_full(&mut self) {
        if !self.told_full {
            self.told_full = true;
            let (held, capacity) = {
                let books = self.books.open();
                (books.held(), books.limits().capacity)
            };
            slog::warn!(
                self.log,
                "channel {} is full ({held} of {capacity} events): its sources wait until its sinks catch up; nothing is lost",
                self.name
            );
        }
    }

    fn tell_room(&mut self) {
        let (held, capacity) = {
            let books = self.books.open();
            (books.held(), books.limits().capacity)
        };
        if self.told_full && held <= capacity / 2 {
            self.told_full = false;
            slog::info!(
                self.log,
                "channel {} has room again ({held} of {capacity} events): its sources go on",
                self.name
            );
        }
    }

    /// Looks at those who wait too long, and comes back when the next one will.
    fn watch_the_waiting(&mut self, ctx: &mut Context<Self>) {
        let now = clock::now();
        self.refuse_the_late(now);
        if self.puts.front().is_some_and(|first| first.since + NEWS_AFTER <= now) {
            self.tell_full();
        }
        let next = self.puts.iter().flat_map(|put| [put.deadline, Some(put.since + NEWS_AFTER)]).flatten();
        let Some(next) = next.filter(|at| *at > now).min() else { return };
        if let Some((_, alarm)) = self.alarm.take_if(|(at, _)| *at > next || *at <= now) {
            ctx.cancel_future(alarm);
        }
        if self.alarm.is_none() {
            let alarm = ctx.run_later(next - now, |channel, ctx| {
                channel.alarm = None;
                channel.watch_the_waiting(ctx);
            });
            self.alarm = Some((next, alarm));
        }
    }

    fn refuse_the_late(&mut self, now: Instant) {
        let late = |put: &WaitingPut| put.deadline.is_some_and(|deadline| deadline <= now);
        while let Some(at) = self.puts.iter().position(late) {
            let put = self.puts.remove(at).expect("it was just found");
            let _gone = put.answer.send(Err(self.refusal(Refused::NoRoom, &put.batches)));
        }
    }
}

/// Leases what there is, as `take` wants it; `None` when there is nothing.
fn lease(
    books: &Books,
    settling: &mut Option<Arc<Settling>>,
    take: &Take,
    ctx: &mut Context<MemoryChannel>,
) -> Option<Vec<Lease>> {
    let settling = settling.get_or_insert_with(|| {
        let actor = ctx.address().downgrade().recipient();
        Arc::new(Settling { books: books.clone(), actor, told: AtomicBool::new(false) })
    });
    let (mut leases, mut bytes, mut books) = (Vec::new(), 0, books.open());
    while leases.len() < take.credit.parcels && bytes < take.credit.bytes {
        let Some((id, batches)) = books.take(take.max, PARCEL_BYTES) else { break };
        bytes += batches.iter().map(Batch::event_bytes).sum::<usize>();
        leases.push(Lease::new(id, batches, settling.clone()));
    }
    Some(leases).filter(|leases| !leases.is_empty())
}

fn address_of(channel: Addr<MemoryChannel>) -> ChannelAddress {
    ChannelAddress {
        put: channel.clone().recipient(),
        take: channel.clone().recipient(),
        fill: channel.clone().recipient(),
        describe: channel.recipient(),
        stop: None,
    }
}

impl Actor for MemoryChannel {
    type Context = Context<Self>;

    fn started(&mut self, ctx: &mut Self::Context) {
        // What bounds memory is `capacity` and that each sender awaits its answer; see message.rs.
        ctx.set_mailbox_capacity(0);
    }
}

impl Handler<Put> for MemoryChannel {
    type Result = ResponseFuture<Option<Result<usize, ChannelError>>>;

    fn handle(&mut self, Put { batches, patience }: Put, ctx: &mut Self::Context) -> Self::Result {
        // Nobody overtakes those who wait already.
        let stored = if self.puts.is_empty() {
            let mut books = self.books.open();
            books.put_some(&batches).map(|stored| (stored, books.bytes()))
        } else {
            Err(Refused::NoRoom)
        };
        let answer = match stored {
            Ok((stored, held)) => {
                self.serve_takes(ctx);
                let bytes = batches[..stored].iter().map(Batch::event_bytes).sum();
                if let Some(pause) = self.pace.stored(bytes, held, patience == Patience::Forever) {
                    return Box::pin(pause.map(move |()| Some(Ok(stored))));
                }
                Ok(stored)
            }
            Err(Refused::NoRoom)
                if patience == Patience::Forever
                    || (patience == Patience::KeepAlive && !self.keep_alive.is_zero()) =>
            {
                let (answer, waiting) = oneshot::channel();
                let since = clock::now();
                let deadline = (patience == Patience::KeepAlive).then_some(since + self.keep_alive);
                self.puts.push_back(WaitingPut { batches, since, deadline, answer });
                if self.puts.len() == 1 || deadline.is_some() {
                    self.watch_the_waiting(ctx);
                }
                return Box::pin(answer_of(waiting));
            }
            Err(refused) => Err(self.refusal(refused, &batches)),
        };
        Box::pin(std::future::ready(Some(answer)))
    }
}

impl Handler<Take> for MemoryChannel {
    type Result = ResponseFuture<Option<Vec<Lease>>>;

    fn handle(&mut self, take: Take, ctx: &mut Self::Context) -> Self::Result {
        if self.takes.is_empty()
            && let Some(leases) = lease(&self.books, &mut self.settling, &take, ctx)
        {
            return Box::pin(std::future::ready(Some(leases)));
        }
        let (answer, waiting) = oneshot::channel();
        self.takes.push_back(WaitingTake { take, answer });
        Box::pin(answer_of(waiting))
    }
}

/// The sender lives in the actor and goes with it. This future does not: actix runs a response apart from its actor.
async fn answer_of<T>(waiting: oneshot::Receiver<T>) -> Option<T> {
    waiting.await.ok()
}

impl Handler<Settled> for MemoryChannel {
    type Result = ();

    fn handle(&mut self, _: Settled, ctx: &mut Self::Context) {
        if let Some(settling) = &self.settling {
            settling.told.store(false, Ordering::Release);
        }
        if !self.puts.is_empty() || self.told_full {
            self.serve_puts(ctx);
        }
        self.pace.freed(|| self.books.open().bytes());
        self.serve_takes(ctx);
    }
}

impl Handler<HowFull> for MemoryChannel {
    type Result = MessageResult<HowFull>;

    fn handle(&mut self, _: HowFull, _: &mut Self::Context) -> Self::Result {
        let waiting: usize = self.puts.iter().flat_map(|put| &put.batches).map(Batch::len).sum();
        let books = self.books.open();
        MessageResult(Fill { events: books.held() + waiting, taken: books.taken() })
    }
}

impl Handler<Describe> for MemoryChannel {
    type Result = MessageResult<Describe>;

    fn handle(&mut self, _: Describe, _: &mut Self::Context) -> Self::Result {
        let (held, leased, bytes, limits, taken) = {
            let books = self.books.open();
            (books.held(), books.leased(), books.bytes(), books.limits(), books.taken())
        };
        let puts = match self.puts.front() {
            Some(first) => format!(
                "{} of its sources wait for room, the first for {:.1} s",
                self.puts.len(),
                (clock::now() - first.since).as_secs_f64()
            ),
            None => "no source waits for room".to_owned(),
        };
        MessageResult(format!(
            "{held} of {} events, {bytes} bytes; {leased} of them are with its sinks; {taken} have left since the start; {puts}; {} sinks wait for events",
            limits.capacity,
            self.takes.iter().filter(|take| !take.answer.is_closed()).count()
        ))
    }
}

/// Back-pressure for a moment is how a loaded channel works; only when it lasts is it news.
const NEWS_AFTER: Duration = Duration::from_secs(1);

/// Flume takes 80 % of the JVM's heap, which is 20 MB as `flume-ng` starts it: too little to be meant. Ours is a bound
/// against running out of memory, like Flume's.
const DEFAULT_BYTE_CAPACITY: u64 = 512 << 20;
